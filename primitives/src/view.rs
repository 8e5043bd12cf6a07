//! Answers of the runtime API and of the view functions, so that no client decodes storage.

use crate::{
    arithmetic::Collateral,
    evidence::Presented,
    exchange::Price,
    fees::HubFees,
    ids::{AccountId, AssetId, Balance, BlockNumber, Clock, Epoch, Nonce, Pair, Side},
    simplex::Lock,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_core::H256;

/// Most old epochs that a [`ChannelView`] lists.
pub const MAX_OLD_EPOCHS: usize = 64;
/// Most assets that a list of [`AssetView`]s has.
pub const MAX_ASSETS_LISTED: usize = 1_000;

/// A block and the usable clock in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Moment {
    /// Number of the block.
    pub block: BlockNumber,
    /// Usable blocks up to it.
    pub clock: Clock,
}

/// Money of an account in one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BalanceView {
    /// The asset.
    pub asset: AssetId,
    /// On-chain balance, without holds.
    pub free: Balance,
    /// What the account can move out: nothing in an asset in which it owes.
    pub spendable: Balance,
    /// What could not be credited and waits for `custody.claim`.
    pub unclaimed: Balance,
}

/// An asset.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AssetView {
    /// Its number, 0 for the native one.
    pub id: AssetId,
    /// Short name.
    pub symbol: Vec<u8>,
    /// Digits after the point.
    pub decimals: u8,
    /// Smallest balance of an account, and smallest deposit.
    pub minimum: Balance,
}

/// A channel with what its parties owe each other on chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PairView {
    /// The channel.
    pub channel: ChannelView,
    /// What the partner owes the account that was asked for, per asset.
    pub owed_to_account: Vec<(AssetId, Balance)>,
    /// What that account owes the partner, per asset.
    pub owed_by_account: Vec<(AssetId, Balance)>,
}

/// The channel of two accounts as the chain sees it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ChannelView {
    /// The two parties, left first.
    pub pair: Pair,
    /// Current epoch; 0 for a pair that the chain has never seen.
    pub epoch: Epoch,
    /// Next withdrawal nonce of left and of right.
    pub withdrawal_nonces: [Nonce; 2],
    /// One row per asset with collateral.
    pub collateral: Vec<(AssetId, Collateral)>,
    /// The open dispute.
    pub dispute: Option<DisputeView>,
    /// Old epochs for which late claims are still taken, newest first, at most
    /// [`MAX_OLD_EPOCHS`]: two parties that dispute without end must not make the view of their
    /// channel, which every block asks for, arbitrarily large.
    pub old_epochs: Vec<OldEpochView>,
    /// Most locks that each simplex may have.
    pub max_locks: u32,
    /// Whether left and right are registered hubs.
    pub hubs: [bool; 2],
}

/// What counted at the resolve of an old epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OldEpochView {
    /// The epoch.
    pub epoch: Epoch,
    /// Usable clock of its resolve.
    pub at: Clock,
    /// What has counted as paid by left and by right, per asset.
    pub counted: [Vec<(AssetId, Balance)>; 2],
    /// Locks of left and of right that had counted at the resolve, ascending by asset and id.
    pub locks: [Vec<(AssetId, Lock)>; 2],
}

/// An open dispute.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DisputeView {
    /// Who started it; `None` for a cooperative close that waits because it books a debt.
    pub starter: Option<Side>,
    /// Usable clock when it was opened.
    pub start: Clock,
    /// Block in which it was opened: its place in the queue of debts.
    pub opened_in: BlockNumber,
    /// From this usable clock on it can be resolved.
    pub resolve_at: Clock,
    /// Whether no counter is taken any more: accepted, or co-signed.
    pub settled: bool,
    /// What is stored for left and for right.
    pub presented: [Option<Presented>; 2],
    /// [`presented_digest`](crate::evidence::presented_digest) of it: what `insurance.accept`
    /// must name.
    pub digest: H256,
}

/// One open debt.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DebtView {
    /// Who owes.
    pub debtor: AccountId,
    /// To whom.
    pub creditor: AccountId,
    /// In which asset.
    pub asset: AssetId,
    /// What is still owed.
    pub left: Balance,
    /// Block in which its dispute was opened: the order of payment.
    pub opened_in: BlockNumber,
}

/// A revealed secret in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SecretView {
    /// The secret, the SHA-256 preimage of a lock's hash.
    pub secret: [u8; 32],
    /// Usable clock of its first reveal: a lock counts if that is not after its expiry.
    pub revealed_at: Clock,
    /// Last usable clock at which it is certainly still there.
    pub keep_until: Clock,
}

/// A registered hub.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct HubView {
    /// Its account.
    pub account: AccountId,
    /// Handle without the `@`.
    pub handle: Vec<u8>,
    /// Where it listens, `host:port`.
    pub endpoint: Vec<u8>,
    /// Its X25519 transport key.
    pub transport_key: [u8; 32],
    /// What it asks for forwarding.
    pub fees: HubFees,
}

/// What the chain knows of a hub beside what the hub says of itself (`protocol.md` §8).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct HubStanding {
    /// Its account.
    pub account: AccountId,
    /// It has announced that it retires, and may leave from this usable clock on.
    pub leaves_at: Option<Clock>,
    /// Disputes with it that ended without a co-signed close.
    pub disputes: u32,
    /// Of these, those in which it could not pay at once what it owed, or had hidden payments.
    pub lost: u32,
    /// Debts that were ever booked against it.
    pub debts: u32,
    /// What it owes now, per asset.
    pub owes: Vec<(AssetId, Balance)>,
}

/// A resting order of the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OrderView {
    /// Its number; a smaller one is older.
    pub id: u64,
    /// Whose it is.
    pub owner: AccountId,
    /// The asset that it gives.
    pub sell_asset: AssetId,
    /// How much of it is left.
    pub left: Balance,
    /// The asset that it asks for.
    pub buy_asset: AssetId,
    /// Its price, as it was placed.
    pub price: Price,
}
