//! What one side has paid: a **simplex** (`protocol.md` §1.3, §3), its locks and its bounds.

use crate::{
    arithmetic::within_limit,
    ids::{AssetId, Balance, Clock, Nonce},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Most assets that a simplex, a withdrawal or a close may name, and most collateral rows of a
/// pair (`protocol.md` §9).
pub const MAX_ASSETS: u32 = 16;

/// Most locks *in all* of a simplex between a user and anybody (`protocol.md` §9, A3).
pub const MAX_LOCKS_USER: u32 = 64;

/// Most locks *in all* of a simplex between two registered hubs (`protocol.md` §9, A3).
pub const MAX_LOCKS_HUBS: u32 = 128;

/// Most locks that a decoder accepts in one entry.
pub type MaxLocks = ConstU32<MAX_LOCKS_HUBS>;
/// Most entries that a decoder accepts.
pub type MaxAssets = ConstU32<MAX_ASSETS>;

/// A 32-byte SHA-256 image of a secret of exactly 32 bytes.
pub type LockHash = [u8; 32];

/// The hash of a secret: SHA-256, as in every other network of hash locks.
pub fn lock_hash(secret: &[u8; 32]) -> LockHash {
    sp_io::hashing::sha2_256(secret)
}

/// A pending conditional payment: it counts if the secret of `hash` is revealed in time.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Lock {
    /// Number of the lock in its simplex. Never used twice in a direction of a channel (M19).
    pub id: u64,
    /// Amount in the entry's asset.
    pub amount: Balance,
    /// SHA-256 of the secret.
    pub hash: LockHash,
    /// Last usable block at which a reveal counts.
    pub expiry: Clock,
}

impl Lock {
    /// Whether the lock counts as paid, given when its secret was revealed (`protocol.md` §1.4).
    pub fn counts(&self, revealed_at: Option<Clock>) -> bool {
        revealed_at.is_some_and(|at| at <= self.expiry)
    }
}

/// The part of a simplex in one asset.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Entry {
    /// The asset.
    pub asset: AssetId,
    /// All that the side has ever paid in this epoch: it only grows.
    pub sent: Balance,
    /// Pending locks, ids strictly ascending.
    pub locks: BoundedVec<Lock, MaxLocks>,
}

impl Entry {
    /// An entry without locks.
    pub fn sent(asset: AssetId, sent: Balance) -> Self {
        Self { asset, sent, locks: BoundedVec::new() }
    }

    /// `sent` plus the locks that were revealed in time: what counts at a resolve. `revealed_at`
    /// tells when a secret was first revealed.
    ///
    /// Both summands are within [`LIMIT`](crate::LIMIT) for a [validated](Simplex::validate)
    /// simplex, so the error cannot happen there.
    pub fn counted(
        &self,
        mut revealed_at: impl FnMut(&LockHash) -> Option<Clock>,
    ) -> Result<Balance, SimplexError> {
        self.locks
            .iter()
            .filter(|lock| lock.counts(revealed_at(&lock.hash)))
            .try_fold(self.sent, |sum, lock| sum.checked_add(lock.amount))
            .ok_or(SimplexError::Limit)
    }

    /// Sum of the pending locks.
    pub fn locked(&self) -> Result<Balance, SimplexError> {
        self.locks
            .iter()
            .try_fold(0, |sum: Balance, lock| sum.checked_add(lock.amount))
            .ok_or(SimplexError::Limit)
    }
}

/// All that one side has paid in an epoch of a channel. Genesis, pair, epoch and side are not
/// repeated here: they belong to the [context](crate::ChannelContext) under which it is signed.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Simplex {
    /// +1 with every update; 0 is the simplex of a new epoch, which nobody signs.
    pub nonce: Nonce,
    /// One entry per asset, assets strictly ascending.
    pub entries: BoundedVec<Entry, MaxAssets>,
}

/// Why a simplex is not acceptable, whoever signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum SimplexError {
    /// Assets are not strictly ascending.
    AssetOrder,
    /// Lock ids of an entry are not strictly ascending, or an id stands in two entries.
    LockOrder,
    /// More locks in all than the channel may have.
    TooManyLocks,
    /// `sent` or the sum of the locks passes the limit.
    Limit,
    /// A lock of amount 0.
    EmptyLock,
}

impl Simplex {
    /// Checks order and bounds (`protocol.md` §3): the same check at signing and on chain, so that
    /// nobody signs what could not be submitted (A3). `max_locks` is [`MAX_LOCKS_USER`] or
    /// [`MAX_LOCKS_HUBS`].
    pub fn validate(&self, max_locks: u32) -> Result<(), SimplexError> {
        let mut locks = 0usize;
        let mut locked: Balance = 0;
        for (i, entry) in self.entries.iter().enumerate() {
            if i > 0 && self.entries[i - 1].asset >= entry.asset {
                return Err(SimplexError::AssetOrder);
            }
            within_limit(entry.sent).map_err(|_| SimplexError::Limit)?;
            for (j, lock) in entry.locks.iter().enumerate() {
                if j > 0 && entry.locks[j - 1].id >= lock.id {
                    return Err(SimplexError::LockOrder);
                }
                let twice = self.entries[..i]
                    .iter()
                    .any(|other| other.locks.binary_search_by_key(&lock.id, |l| l.id).is_ok());
                if twice {
                    return Err(SimplexError::LockOrder);
                }
                if lock.amount == 0 {
                    return Err(SimplexError::EmptyLock);
                }
                locked = locked.checked_add(lock.amount).ok_or(SimplexError::Limit)?;
                locks += 1;
            }
        }
        within_limit(locked).map_err(|_| SimplexError::Limit)?;
        match u32::try_from(locks) {
            Ok(locks) if locks <= max_locks => Ok(()),
            _ => Err(SimplexError::TooManyLocks),
        }
    }

    /// The entry of `asset`.
    pub fn entry(&self, asset: AssetId) -> Option<&Entry> {
        self.entries
            .binary_search_by_key(&asset, |entry| entry.asset)
            .ok()
            .and_then(|i| self.entries.get(i))
    }

    /// What has been sent in `asset`, 0 when it is not named.
    pub fn sent(&self, asset: AssetId) -> Balance {
        self.entry(asset).map_or(0, |entry| entry.sent)
    }

    /// What counts in `asset` at a resolve; see [`Entry::counted`].
    pub fn counted(
        &self,
        asset: AssetId,
        revealed_at: impl FnMut(&LockHash) -> Option<Clock>,
    ) -> Result<Balance, SimplexError> {
        self.entry(asset).map_or(Ok(0), |entry| entry.counted(revealed_at))
    }

    /// All locks, of whichever asset.
    pub fn locks(&self) -> impl Iterator<Item = &Lock> {
        self.entries.iter().flat_map(|entry| entry.locks.iter())
    }

    /// Whether it has a pending lock.
    pub fn has_locks(&self) -> bool {
        self.locks().next().is_some()
    }

    /// Whether the receiver gets at least as much from `self` as from `other` in every asset,
    /// whichever secrets are revealed: more is sent by at least all of `other`'s locks that
    /// `self` does not hold too (`protocol.md` §5, A10).
    pub fn covers(&self, other: &Simplex) -> bool {
        other.entries.iter().all(|entry| {
            let ours = self.entry(entry.asset);
            let holds = |lock: &Lock| ours.is_some_and(|ours| ours.locks.contains(lock));
            let missing = entry.locks.iter().filter(|lock| !holds(lock));
            let least = missing
                .map(|lock| lock.amount)
                .try_fold(entry.sent, |sum: Balance, amount| sum.checked_add(amount));
            least.is_some_and(|least| self.sent(entry.asset) >= least)
        })
    }

    /// The highest expiry of its locks.
    pub fn highest_expiry(&self) -> Option<Clock> {
        self.locks().map(|lock| lock.expiry).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LIMIT;

    fn lock(id: u64, amount: Balance) -> Lock {
        Lock { id, amount, hash: [1; 32], expiry: 100 }
    }

    fn entry(asset: AssetId, sent: Balance, locks: &[Lock]) -> Entry {
        Entry { asset, sent, locks: locks.to_vec().try_into().unwrap() }
    }

    fn simplex(entries: &[Entry]) -> Simplex {
        Simplex { nonce: 1, entries: entries.to_vec().try_into().unwrap() }
    }

    #[test]
    fn simplex_should_be_valid_when_ordered_and_bounded() {
        let ok = simplex(&[entry(0, 5, &[lock(1, 1), lock(3, 1)]), entry(2, LIMIT, &[lock(2, 1)])]);
        assert_eq!(ok.validate(MAX_LOCKS_USER), Ok(()));
        assert_eq!(ok.sent(0), 5);
        assert_eq!(ok.sent(1), 0);
        assert_eq!(ok.highest_expiry(), Some(100));
    }

    #[test]
    fn simplex_should_be_refused_when_assets_are_not_ascending() {
        let twice = simplex(&[entry(1, 5, &[]), entry(1, 5, &[])]);
        assert_eq!(twice.validate(MAX_LOCKS_USER), Err(SimplexError::AssetOrder));
    }

    #[test]
    fn simplex_should_be_refused_when_a_lock_id_is_used_twice() {
        let same_entry = simplex(&[entry(1, 5, &[lock(1, 1), lock(1, 1)])]);
        assert_eq!(same_entry.validate(MAX_LOCKS_USER), Err(SimplexError::LockOrder));
        let two_entries = simplex(&[entry(1, 5, &[lock(1, 1)]), entry(2, 5, &[lock(1, 1)])]);
        assert_eq!(two_entries.validate(MAX_LOCKS_USER), Err(SimplexError::LockOrder));
    }

    #[test]
    fn a3_simplex_should_be_refused_when_it_has_more_locks_than_the_channel_may_have() {
        let locks: Vec<_> = (0..u64::from(MAX_LOCKS_USER) + 1).map(|id| lock(id, 1)).collect();
        let many = simplex(&[entry(1, 5, &locks)]);
        assert_eq!(many.validate(MAX_LOCKS_USER), Err(SimplexError::TooManyLocks));
        assert_eq!(many.validate(MAX_LOCKS_HUBS), Ok(()));
    }

    #[test]
    fn simplex_should_be_refused_when_a_sum_passes_the_limit() {
        let sent = simplex(&[entry(1, LIMIT + 1, &[])]);
        assert_eq!(sent.validate(MAX_LOCKS_USER), Err(SimplexError::Limit));
        let locks = simplex(&[entry(1, 0, &[lock(1, LIMIT)]), entry(2, 0, &[lock(2, 1)])]);
        assert_eq!(locks.validate(MAX_LOCKS_USER), Err(SimplexError::Limit));
    }

    #[test]
    fn simplex_should_be_refused_when_a_lock_is_empty() {
        let empty = simplex(&[entry(1, 0, &[lock(1, 0)])]);
        assert_eq!(empty.validate(MAX_LOCKS_USER), Err(SimplexError::EmptyLock));
    }

    #[test]
    fn lock_should_count_only_when_revealed_at_or_before_its_expiry() {
        assert!(lock(1, 1).counts(Some(100)));
        assert!(!lock(1, 1).counts(Some(101)));
        assert!(!lock(1, 1).counts(None));
    }
}
