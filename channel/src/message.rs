//! What travels between two parties of a channel, SCALE-encoded, over an authenticated session
//! (`protocol.md` §4).

use codec::{Decode, Encode};
use failsafe_primitives::{
    payload::{Close, WithdrawalItem},
    simplex::{LockHash, MaxAssets},
    AccountId, AssetId, Balance, BlockNumber, Clock, Epoch, Nonce, Signature, SignedSimplex,
    TwiceSigned, Withdrawal,
};
use sp_core::ConstU32;
use sp_runtime::{BoundedVec, MultiSignature};

/// Most transitions under one signature.
pub const MAX_TRANSITIONS: u32 = 256;
/// Longest onion of a lock.
pub const MAX_ONION: u32 = 2_048;
/// Longest text of a fault.
pub const MAX_FAULT_TEXT: u32 = 512;
/// Most payments that one message asks about.
pub const MAX_ASKED: u32 = 64;

/// Longest announcement of a hub.
pub const MAX_ANNOUNCEMENT: u32 = 16_384;
/// Most announcements in one message.
pub const MAX_ANNOUNCEMENTS: u32 = 16;

/// The onion of a lock.
pub type Onion = BoundedVec<u8, ConstU32<MAX_ONION>>;
/// The reason of a `Fail`, encrypted for the payer.
pub type FailReason = BoundedVec<u8, ConstU32<MAX_FAULT_TEXT>>;

/// Number of a creditor's statement of terms.
pub type TermsVersion = u32;

/// Names a payment from end to end, chosen at random by its payer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct PaymentId(pub [u8; 16]);

impl core::fmt::Display for PaymentId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl core::fmt::Debug for PaymentId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{self}")
    }
}

/// What a payment is for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Purpose {
    /// For the receiver of the update itself.
    #[codec(index = 0)]
    Direct {
        /// Names the payment.
        id: PaymentId,
    },
    /// The receiver, a hub, is trusted to pay `amount` on to `to`; what is left over is its fee.
    #[codec(index = 1)]
    Onward {
        /// Names the payment.
        id: PaymentId,
        /// Who gets it.
        to: AccountId,
        /// How much arrives.
        amount: Balance,
    },
    /// A hub pays on what `from` sent.
    #[codec(index = 2)]
    Delivery {
        /// Names the payment.
        id: PaymentId,
        /// Who sent it.
        from: AccountId,
    },
    /// A hub gives back what it could not pay on.
    #[codec(index = 3)]
    Return {
        /// Names the payment.
        id: PaymentId,
        /// Why it could not.
        reason: ReturnReason,
    },
    /// A fee for insurance: the receiver, a hub, is trusted to insure what it owes the sender in this
    /// asset, or to give the fee back when it has not by usable block `until`.
    #[codec(index = 4)]
    Insure {
        /// Names the payment.
        id: PaymentId,
        /// Last usable block for it.
        until: Clock,
    },
    /// From one process of a hub to another one of the same hub: `from` has paid it, and the receiver
    /// has the channel with `to`.
    #[codec(index = 5)]
    Relay {
        /// Names the payment.
        id: PaymentId,
        /// Who sent it.
        from: AccountId,
        /// Who gets it.
        to: AccountId,
    },
}

impl Purpose {
    /// The payment's name.
    pub fn id(&self) -> PaymentId {
        match self {
            Self::Direct { id }
            | Self::Onward { id, .. }
            | Self::Delivery { id, .. }
            | Self::Return { id, .. }
            | Self::Insure { id, .. }
            | Self::Relay { id, .. } => *id,
        }
    }
}

/// Why a hub gave a payment back.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ReturnReason {
    /// The hub has no channel with the recipient.
    #[codec(index = 0)]
    UnknownRecipient,
    /// The recipient does not let the hub owe it that much.
    #[codec(index = 1)]
    Capacity,
    /// The recipient does not take this asset.
    #[codec(index = 2)]
    AssetNotAccepted,
    /// What arrived does not cover the amount and the hub's fee.
    #[codec(index = 3)]
    FeeTooLow,
    /// The recipient's channel is in dispute or closing.
    #[codec(index = 4)]
    RecipientFrozen,
    /// A payment of this name has been made already.
    #[codec(index = 5)]
    Duplicate,
    /// The hub does not see the chain, or is being drained.
    #[codec(index = 6)]
    Unavailable,
    /// Less than the hub forwards.
    #[codec(index = 7)]
    TooSmall,
    /// The hub would owe more without insurance, over all its channels, than it may.
    #[codec(index = 8)]
    RiskCap,
}

/// One change of the sender's simplex, or of what it has reserved.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Transition {
    /// `sent += amount`.
    #[codec(index = 0)]
    Pay {
        /// The asset.
        asset: AssetId,
        /// The amount.
        amount: Balance,
        /// What it is for.
        purpose: Purpose,
    },
    /// Adds a hash lock.
    #[codec(index = 1)]
    Lock {
        /// The asset.
        asset: AssetId,
        /// Its id.
        id: u64,
        /// The amount.
        amount: Balance,
        /// SHA-256 of the secret.
        hash: LockHash,
        /// Last usable block at which a reveal counts.
        expiry: Clock,
        /// Onion-encrypted instructions.
        onion: Onion,
    },
    /// Pays a lock.
    #[codec(index = 2)]
    Settle {
        /// The lock.
        id: u64,
        /// Its secret.
        secret: [u8; 32],
    },
    /// Drops a lock that the receiver failed.
    #[codec(index = 3)]
    Cancel {
        /// The lock.
        id: u64,
    },
    /// Drops a lock that has expired.
    #[codec(index = 4)]
    Expire {
        /// The lock.
        id: u64,
    },
    /// Holds money for a withdrawal. Not part of the signed simplex.
    #[codec(index = 5)]
    Reserve {
        /// The sender's withdrawal nonce on chain.
        withdrawal_nonce: Nonce,
        /// Last usable block at which the withdrawal is valid.
        valid_until: Clock,
        /// Assets and amounts, assets ascending.
        items: BoundedVec<(AssetId, Balance), MaxAssets>,
    },
    /// Releases what was held.
    #[codec(index = 6)]
    Unreserve {
        /// Nonce of the simplex with which the reservation was made.
        reservation: Nonce,
    },
}

/// Transitions under one signature. Only they travel: both sides compute the same simplex.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Update {
    /// The channel's epoch.
    pub epoch: Epoch,
    /// Nonce before the update; after it is one more.
    pub base_nonce: Nonce,
    /// Finalized block by which it is to be judged (M7).
    pub as_of: BlockNumber,
    /// Version of the receiver's terms that the sender knows (M8).
    pub terms_version: TermsVersion,
    /// What changes. Nothing only where the signature covers payments that were made without one.
    pub transitions: BoundedVec<Transition, ConstU32<MAX_TRANSITIONS>>,
    /// The sender's signature over the resulting simplex. Absent only for payments within the
    /// receiver's `unsigned_limit`.
    pub signature: Option<Signature>,
    /// Acknowledgement of the receiver's newest simplex.
    pub ack: Option<AckOf>,
}

/// An acknowledgement of the simplex with `nonce`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AckOf {
    /// Nonce of the acknowledged simplex.
    pub nonce: Nonce,
    /// Signature over the acknowledgement.
    pub signature: Signature,
}

/// A message of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub enum Message {
    /// First message of a session and of a new epoch in it: where the sender stands. Once only.
    #[codec(index = 0)]
    Reestablish {
        /// Its epoch.
        epoch: Epoch,
        /// Nonce of its own simplex.
        own_nonce: Nonce,
        /// Nonce of the partner's simplex that it has.
        received_nonce: Nonce,
        /// Newest own nonce whose acknowledgement it has.
        acked_nonce: Nonce,
        /// Newest version of its own terms.
        terms_given: TermsVersion,
        /// Newest version of the partner's terms that it has.
        terms_received: TermsVersion,
    },
    /// A payment or a reservation.
    #[codec(index = 1)]
    Update(Update),
    /// A receipt.
    #[codec(index = 2)]
    Ack {
        /// Epoch of the simplex.
        epoch: Epoch,
        /// The acknowledgement.
        ack: AckOf,
    },
    /// The sender's terms as a creditor, for one asset.
    #[codec(index = 3)]
    Terms {
        /// Epoch to which they belong.
        epoch: Epoch,
        /// +1 with every statement.
        version: TermsVersion,
        /// The asset.
        asset: AssetId,
        /// The terms.
        terms: crate::terms::AssetTerms,
    },
    /// The sender knows the partner's terms; its updates after `nonce` follow them.
    #[codec(index = 4)]
    TermsAck {
        /// Epoch of the terms.
        epoch: Epoch,
        /// Version of the terms.
        version: TermsVersion,
        /// Its newest nonce.
        nonce: Nonce,
    },
    /// What the partner reserved may be withdrawn.
    #[codec(index = 5)]
    Proof {
        /// Epoch of the reservation.
        epoch: Epoch,
        /// Nonce of the simplex with which it was made.
        reservation: Nonce,
        /// What may be withdrawn.
        withdrawal: Withdrawal,
        /// The sender's signature.
        signature: MultiSignature,
    },
    /// What the partner reserved may not be withdrawn. Never together with a proof.
    #[codec(index = 6)]
    Refused {
        /// Epoch of the reservation.
        epoch: Epoch,
        /// Nonce of the simplex with which it was made. The withdrawal nonce would not do: a second
        /// reservation may have the same one, and an answer may be repeated late.
        reservation: Nonce,
        /// Why.
        reason: RefusalReason,
    },
    /// The sender wants to close the channel.
    #[codec(index = 7)]
    CloseRequest {
        /// The epoch.
        epoch: Epoch,
        /// Nonce of its own simplex.
        own_nonce: Nonce,
        /// Nonce of the partner's simplex that it has.
        partner_nonce: Nonce,
        /// The close that follows from them.
        close: Close,
        /// The sender's signature, when the partner shall submit it.
        signature: Option<MultiSignature>,
    },
    /// The partner agrees to a close and leaves it to the other to submit it.
    #[codec(index = 8)]
    CloseSigned {
        /// The epoch.
        epoch: Epoch,
        /// The close.
        close: Close,
        /// Its signature.
        signature: MultiSignature,
    },
    /// The partner does not agree to a close.
    #[codec(index = 9)]
    CloseRefused {
        /// The epoch.
        epoch: Epoch,
        /// Why.
        reason: RefusalReason,
    },
    /// The receiver's `Reestablish` names simplexes that the sender does not know: it asks for
    /// proof (A17). Answered once per session and epoch.
    #[codec(index = 10)]
    RequestState {
        /// The epoch.
        epoch: Epoch,
    },
    /// Proof of what the receiver may have lost. What the receiver never acknowledged is not part
    /// of it: the sender resends that as updates.
    #[codec(index = 11)]
    State {
        /// The epoch.
        epoch: Epoch,
        /// The sender's newest simplex that the receiver has acknowledged, with both signatures.
        own: Option<TwiceSigned>,
        /// The receiver's newest, as the sender has it.
        yours: Option<SignedSimplex>,
    },
    /// The sender asks its debtor, a hub, to insure what it owes.
    #[codec(index = 12)]
    InsureRequest {
        /// The asset.
        asset: AssetId,
    },
    /// A hub has paid these payments on: their recipients can use the money.
    #[codec(index = 13)]
    Delivered {
        /// The payments.
        ids: BoundedVec<PaymentId, ConstU32<MAX_ASKED>>,
    },
    /// The sender's last message was refused. For people; nothing follows from it.
    #[codec(index = 14)]
    Fault {
        /// What was wrong and what to do.
        text: BoundedVec<u8, ConstU32<MAX_FAULT_TEXT>>,
    },
    /// The secret of a lock.
    #[codec(index = 15)]
    Fulfill {
        /// The epoch.
        epoch: Epoch,
        /// The lock.
        id: u64,
        /// Its secret.
        secret: [u8; 32],
    },
    /// A lock cannot be fulfilled.
    #[codec(index = 16)]
    Fail {
        /// The epoch.
        epoch: Epoch,
        /// The lock.
        id: u64,
        /// Encrypted reason.
        reason: FailReason,
    },
    /// The sender was away and may have missed that its payments were delivered: which of these
    /// are? Answered by a `Delivered` with those.
    #[codec(index = 17)]
    AskDelivered {
        /// The payments.
        ids: BoundedVec<PaymentId, ConstU32<MAX_ASKED>>,
    },
    /// What hubs have announced about what they can pay to each other, signed by each of them
    /// (`docs/routing.md`). The engine only passes it on.
    #[codec(index = 18)]
    Gossip {
        /// Signed announcements, SCALE-encoded.
        announcements: Announcements,
    },
}

/// Signed announcements of hubs, each SCALE-encoded.
pub type Announcements =
    BoundedVec<BoundedVec<u8, ConstU32<MAX_ANNOUNCEMENT>>, ConstU32<MAX_ANNOUNCEMENTS>>;

impl Message {
    /// The epoch to which it belongs; `None` for messages that do not belong to one.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Update(update) => Some(update.epoch),
            Self::Reestablish { epoch, .. }
            | Self::Ack { epoch, .. }
            | Self::Terms { epoch, .. }
            | Self::TermsAck { epoch, .. }
            | Self::Proof { epoch, .. }
            | Self::Refused { epoch, .. }
            | Self::CloseRequest { epoch, .. }
            | Self::CloseSigned { epoch, .. }
            | Self::CloseRefused { epoch, .. }
            | Self::RequestState { epoch }
            | Self::State { epoch, .. }
            | Self::Fulfill { epoch, .. }
            | Self::Fail { epoch, .. } => Some(*epoch),
            Self::InsureRequest { .. }
            | Self::Delivered { .. }
            | Self::AskDelivered { .. }
            | Self::Gossip { .. }
            | Self::Fault { .. } => None,
        }
    }
}

/// Why a party does not sign.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The channel is in dispute or closing.
    #[codec(index = 0)]
    Frozen,
    /// More than the insurance: it would have to come from the refuser's balance.
    #[codec(index = 1)]
    AboveInsurance,
    /// Valid for longer than the refuser binds itself.
    #[codec(index = 2)]
    TooLong,
    /// The two do not agree on the newest simplexes: try again.
    #[codec(index = 3)]
    StateDiffers,
    /// A lock is pending.
    #[codec(index = 4)]
    LockPending,
    /// The refuser's policy does not allow it.
    #[codec(index = 5)]
    Policy,
}

/// The items of a reservation as those of a withdrawal that draws on insurance only.
pub(crate) fn insured_items(
    items: &BoundedVec<(AssetId, Balance), MaxAssets>,
) -> BoundedVec<WithdrawalItem, MaxAssets> {
    let item = |&(asset, amount): &(AssetId, Balance)| WithdrawalItem {
        asset,
        amount,
        max_from_balance: 0,
    };
    // The same bound on both.
    BoundedVec::truncate_from(items.iter().map(item).collect())
}
