//! What the pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use failsafe_primitives::{
    evidence::Presented,
    simplex::{Lock, MaxAssets, MaxLocks, MAX_ASSETS},
    AccountId, AssetId, Balance, BlockNumber, Claim, Clock, Close, Collateral, Epoch, Nonce, Side,
};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use scale_info::TypeInfo;

/// The permanent record of a pair. It survives every epoch.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct ChannelRecord {
    /// +1 at every resolve or close: voids everything signed before, except late claims.
    pub epoch: Epoch,
    /// Next withdrawal nonce of left and of right, counted anew in each epoch.
    pub withdrawal_nonces: [Nonce; 2],
    /// Rows of issued assets that left and right have opened and that are still there.
    pub rows: [u32; 2],
}

/// Collateral of a pair in one asset.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Row {
    /// Insurance and ondelta.
    pub collateral: Collateral,
    /// Which side opened the row; `None` for the native row, which anybody may open.
    pub opened_by: Option<Side>,
}

/// How a dispute will be decided.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Verdict {
    /// By the newest simplexes; counters are taken.
    #[codec(index = 0)]
    Open,
    /// By the stored simplexes: the responder accepted.
    #[codec(index = 1)]
    Accepted,
    /// By the deltas that both signed.
    #[codec(index = 2)]
    Agreed(Close),
}

/// Who brings a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The party that did not start the dispute.
    Responder,
    /// Anybody else, for instance a watchtower.
    Other,
}

/// Who has had a counter free of charge in a dispute: each role one (A19), so that nobody fills
/// blocks with counters for nothing.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct FreeCounters {
    /// The responder.
    pub responder: bool,
    /// Anybody else.
    pub other: bool,
}

impl FreeCounters {
    /// Uses up what is free for `role`; returns whether there was anything left.
    pub fn take(&mut self, role: Role) -> bool {
        let used = match role {
            Role::Responder => &mut self.responder,
            Role::Other => &mut self.other,
        };
        !core::mem::replace(used, true)
    }
}

/// An open dispute, or a co-signed close that waits for the normal deadline because it books a
/// debt (M16).
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Dispute {
    /// Who started it; `None` for a co-signed close without a dispute before it.
    pub starter: Option<Side>,
    /// Usable clock at the start.
    pub start: Clock,
    /// Time to respond.
    pub delay: Clock,
    /// Block of the start: place in the queue of debts.
    pub opened_in: BlockNumber,
    /// Never lowered.
    pub resolve_at: Clock,
    /// What the starter showed of its own payments (M17).
    pub claim: Claim,
    /// Deposit of the starter.
    pub deposit: Balance,
    /// Whether a counter showed that the starter hid payments of its own.
    pub forfeited: bool,
    /// Who has had a counter free of charge.
    pub free: FreeCounters,
    /// How it will be decided.
    pub verdict: Verdict,
    /// Newest simplex of left and of right.
    pub presented: [Option<Presented>; 2],
}

/// What counted at a resolve, kept as long as late claims are taken (A11).
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Resolved {
    /// Usable clock of the resolve.
    pub at: Clock,
    /// Per side: what has counted as paid, per asset.
    pub counted: [BoundedVec<(AssetId, Balance), MaxAssets>; 2],
    /// Per side: the locks that counted, ascending by asset and id. A simplex that is claimed late may
    /// hold them still.
    pub locks: [BoundedVec<(AssetId, Lock), MaxLocks>; 2],
}

/// Work that comes due at a usable clock.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum AgendaTask {
    /// Resolve the dispute of left and right, if it is due.
    #[codec(index = 0)]
    Resolve(AccountId, AccountId),
    /// Forget what counted in an old epoch.
    #[codec(index = 1)]
    Forget(AccountId, AccountId, Epoch),
}

/// Most assets that a resolve can meet: the collateral rows and the entries of both simplexes.
pub const MAX_OUTCOMES: u32 = 3 * MAX_ASSETS;

/// What a resolve or close did in one asset.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Outcome {
    /// The asset.
    pub asset: AssetId,
    /// Insured part paid to left.
    pub left_insured: Balance,
    /// Insured part paid to right.
    pub right_insured: Balance,
    /// What left owed to right beyond the insurance.
    pub left_owed: Balance,
    /// What right owed to left beyond the insurance.
    pub right_owed: Balance,
    /// How much of what was owed became a debt.
    pub booked: Balance,
}

/// Outcomes of all assets.
pub type Outcomes = BoundedVec<Outcome, ConstU32<MAX_OUTCOMES>>;
