//! What can be wrong: with what the host asks for, and with what the partner sends.

use crate::freeze::FreezeReason;
use failsafe_primitives::{AssetId, Balance, BlockNumber, Clock, Epoch, Nonce, SimplexError};

/// Why the engine does not do what its own host asks for. Nothing has changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// An amount of 0.
    #[error("the amount must be more than 0")]
    AmountZero,
    /// More than can be sent now.
    #[error("asset {asset}: at most {available} can be sent now, not {amount}")]
    AboveCapacity {
        /// The asset.
        asset: AssetId,
        /// What was asked for.
        amount: Balance,
        /// What is possible.
        available: Balance,
    },
    /// The partner has stated no terms for this asset.
    #[error("the partner does not take asset {0}: it has stated no terms for it")]
    AssetNotAccepted(AssetId),
    /// More than is owned; a withdrawal never comes out of credit (M10).
    #[error("asset {asset}: only {available} can be withdrawn, not {amount}")]
    AboveOwned {
        /// The asset.
        asset: AssetId,
        /// What was asked for.
        amount: Balance,
        /// What is possible.
        available: Balance,
    },
    /// A reservation is live already.
    #[error(
        "a withdrawal is under way: wait until it is final or valid no more (clock {valid_until})"
    )]
    ReservationLive {
        /// When it ends by itself.
        valid_until: Clock,
    },
    /// No updates until the next epoch.
    #[error("the channel is frozen: {0}")]
    Frozen(FreezeReason),
    /// We have lost data of this channel.
    #[error(
        "data of this channel is lost: it can only be closed or disputed by the partner's state"
    )]
    DataLost,
    /// The node has not yet finalized what an earlier update was based on.
    #[error("the node has not finalized block {needed} yet: wait until it has caught up")]
    NotSynced {
        /// The block.
        needed: BlockNumber,
    },
    /// The limits of a simplex.
    #[error("the channel's limits are reached ({0:?}): close it to start a new epoch")]
    Limits(SimplexError),
    /// A sum beyond the limits of the protocol.
    #[error("the amount is beyond the limits of the protocol")]
    Overflow,
    /// There is no such lock any more, or there never was.
    #[error("there is no pending lock {0}")]
    UnknownLock(u64),
    /// Not the secret of the lock.
    #[error("the secret does not open lock {0}")]
    WrongSecret(u64),
    /// The partner has not failed the lock.
    #[error("lock {0} can be cancelled only after the partner has failed it")]
    NotFailed(u64),
    /// The lock may still be paid by a reveal on chain.
    #[error("lock {0} has not expired, or its secret was revealed in time")]
    NotExpired(u64),
    /// The lock was failed by us.
    #[error("we have told the partner that we do not claim lock {0}")]
    LockFailed(u64),
    /// We have given out the secret of the lock.
    #[error("the partner has the secret of lock {0} from us")]
    LockFulfilled(u64),
    /// The lock would expire before it exists.
    #[error("a lock that expires at clock {expiry}, and it is {clock} already")]
    LockExpired {
        /// Its expiry.
        expiry: Clock,
        /// Usable clock of the newest finalized block.
        clock: Clock,
    },
    /// The lock would outlive a dispute.
    #[error("a lock that expires at clock {expiry}; the latest possible now is {latest}")]
    ExpiryTooFar {
        /// Its expiry.
        expiry: Clock,
        /// The latest possible.
        latest: Clock,
    },
    /// A lock of the same hash is pending in our simplex.
    #[error("a lock of the same hash is pending in this channel")]
    HashPending,
    /// A simplex holds no more.
    #[error("as many locks are pending in this channel as it may hold: wait for one of them")]
    TooManyLocks,
    /// A close needs a channel without locks (M2).
    #[error("a lock is pending: wait until it is settled or expired")]
    LockPending,
    /// Too many transitions in one update.
    #[error("too many transitions in one update")]
    TooManyTransitions,
    /// A close is under way.
    #[error("a close of this channel is under way")]
    Closing,
    /// There is nothing to dispute.
    #[error("there is neither a signed payment nor insurance: nothing to dispute")]
    NothingToDispute,
    /// The partner does not acknowledge.
    #[error("the partner has not acknowledged the last {0} updates: wait until it does")]
    TooManyUnacked(usize),
    /// The copy is from a backup, and the partner has not shown yet what it knows.
    #[error("this channel was restored from a backup and may be old: wait until the partner has connected; only if it never will, dispute by the old copy (--from-backup)")]
    Restored,
    /// The partner claims that we have lost data.
    #[error("the partner claims to know a newer state and has not proved it: reconnect")]
    Paused,
    /// Terms beyond the limits of the protocol.
    #[error("credit and threshold are at most {0}")]
    TermsTooHigh(Balance),
}

/// What the partner did wrong. The message has changed nothing; the last good state stays.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The update does not follow the last one.
    #[error("update from nonce {got}, but the last known one is {known}: reconnect")]
    Gap {
        /// Its base nonce.
        got: Nonce,
        /// What we have.
        known: Nonce,
    },
    /// An update before the partner has said where it stands.
    #[error("an update before the session's Reestablish: reconnect")]
    TooEarly,
    /// Not signed by the partner, or over another simplex.
    #[error("the signature does not fit the resulting simplex")]
    BadSignature,
    /// Something other than payments without a signature.
    #[error("a signature is missing: only payments may be made without one")]
    Unsigned,
    /// More without a signature than we have stated.
    #[error("asset {asset}: {amount} would be without a signature, and the limit is {limit}")]
    AboveUnsigned {
        /// The asset.
        asset: AssetId,
        /// What no signature would cover.
        amount: Balance,
        /// By the terms that the update names.
        limit: Balance,
    },
    /// Nothing changes.
    #[error("an update without transitions")]
    Empty,
    /// An amount of 0.
    #[error("an amount of 0")]
    AmountZero,
    /// More than the partner may send.
    #[error("asset {asset}: {amount} is above the capacity of {available}")]
    AboveCapacity {
        /// The asset.
        asset: AssetId,
        /// What was sent.
        amount: Balance,
        /// What was possible.
        available: Balance,
    },
    /// An asset for which we have stated no terms (A18).
    #[error("no terms have been stated for asset {0}")]
    AssetNotAccepted(AssetId),
    /// The block it refers to is earlier than that of the update before it.
    #[error("as_of went back from {before} to {got}")]
    AsOfWentBack {
        /// Of the update before.
        before: BlockNumber,
        /// Of this one.
        got: BlockNumber,
    },
    /// The block it refers to is in the future (A14).
    #[error("as_of {got} is beyond our best block {best}")]
    AsOfInFuture {
        /// What it refers to.
        got: BlockNumber,
        /// Our best block.
        best: BlockNumber,
    },
    /// It follows terms that the partner had already given up.
    #[error("terms version {got} is older than {needed}, which was acknowledged")]
    OldTerms {
        /// What it names.
        got: u32,
        /// What it had acknowledged.
        needed: u32,
    },
    /// It names terms that were never stated.
    #[error("terms version {0} was never stated")]
    UnknownTerms(u32),
    /// A reservation that the rules do not allow.
    #[error("reservation: {0}")]
    Reservation(&'static str),
    /// Order or bounds of the simplex.
    #[error("the resulting simplex is not valid: {0:?}")]
    Simplex(SimplexError),
    /// A sum beyond the limits of the protocol.
    #[error("a sum is beyond the limits of the protocol")]
    Overflow,
    /// There is no such lock.
    #[error("there is no pending lock {0}")]
    UnknownLock(u64),
    /// A number that an earlier lock had (M19).
    #[error("lock {0}: its number was used before")]
    LockIdUsed(u64),
    /// Not the secret of the lock.
    #[error("the secret does not open lock {0}")]
    WrongSecret(u64),
    /// Cancels a lock that we have not failed.
    #[error("lock {0} was cancelled, and we have not failed it")]
    NotFailed(u64),
    /// Drops a lock that may still be paid, or is, by a reveal on chain (M20).
    #[error("lock {0} was dropped, and it has not expired without a reveal")]
    NotExpired(u64),
    /// A lock of the same hash is pending.
    #[error("a second lock of the same hash")]
    HashPending,
    /// More locks than a simplex may hold (A3).
    #[error("more locks than a simplex may hold")]
    TooManyLocks,
    /// A lock that would outlive a dispute (M15).
    #[error("a lock that expires at clock {expiry}; the latest possible is {latest}")]
    ExpiryTooFar {
        /// Its expiry.
        expiry: Clock,
        /// The latest possible.
        latest: Clock,
    },
    /// Acknowledges what was never sent.
    #[error("acknowledgement of nonce {0}, which was never signed")]
    UnknownAck(Nonce),
    /// A proof or close that does not fit.
    #[error("{0}")]
    Mismatch(&'static str),
    /// More messages than we keep while waiting for the chain.
    #[error("too many messages while waiting for the chain: reconnect later")]
    TooManyHeld,
    /// It is more than one epoch ahead of our node.
    #[error("our node knows epoch {known} only: reconnect later")]
    EpochAhead {
        /// Our epoch.
        known: Epoch,
    },
    /// Something that is said or asked once per session and epoch.
    #[error("{0} twice in a session")]
    Repeated(&'static str),
    /// Terms beyond the limits of the protocol.
    #[error("the terms for asset {0} are beyond the limits of the protocol")]
    TermsTooHigh(AssetId),
}

impl Fault {
    /// Whether only a broken or hostile partner can have caused it, provided that we have lost no
    /// data ourselves. The others also come from an honest partner: one whose node, or ours, lags
    /// behind, one that was restored from a backup, or one that speaks a newer version. For those a
    /// new session later is the answer, not a dispute.
    pub fn proves_cheating(&self) -> bool {
        match self {
            // It lags or was restored; a new session brings it into step or lets it find out.
            Self::Gap { .. } | Self::TooEarly => false,
            // Our node lags.
            Self::AsOfInFuture { .. } | Self::TooManyHeld | Self::EpochAhead { .. } => false,
            // The chain's parameter has just changed.
            Self::ExpiryTooFar { .. } => false,
            Self::BadSignature
            | Self::Unsigned
            | Self::AboveUnsigned { .. }
            | Self::Empty
            | Self::AmountZero
            | Self::AboveCapacity { .. }
            | Self::AssetNotAccepted(_)
            | Self::AsOfWentBack { .. }
            | Self::OldTerms { .. }
            | Self::UnknownTerms(_)
            | Self::Reservation(_)
            | Self::Simplex(_)
            | Self::Overflow
            | Self::UnknownLock(_)
            | Self::LockIdUsed(_)
            | Self::WrongSecret(_)
            | Self::NotFailed(_)
            | Self::NotExpired(_)
            | Self::HashPending
            | Self::TooManyLocks
            | Self::UnknownAck(_)
            | Self::Mismatch(_)
            | Self::Repeated(_)
            | Self::TermsTooHigh(_) => true,
        }
    }
}
