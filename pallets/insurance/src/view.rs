//! What clients ask, so that they need not decode storage.

use crate::{
    Channels, Config, Disputes, HubRegistry, OldEpochs, Pallet, Rows, UsableClock, Verdict,
};
use alloc::vec::Vec;
use failsafe_primitives::{
    presented_digest,
    simplex::{MAX_LOCKS_HUBS, MAX_LOCKS_USER},
    view::{ChannelView, DisputeView, OldEpochView, MAX_OLD_EPOCHS},
    AccountId, Pair,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn channel_view(a: AccountId, b: AccountId) -> Option<ChannelView> {
        let pair = Pair::new(a, b).ok()?;
        let record = Channels::<T>::get(pair.left(), pair.right()).unwrap_or_default();
        let mut collateral: Vec<_> = Rows::<T>::iter_prefix((pair.left(), pair.right()))
            .map(|(asset, row)| (asset, row.collateral))
            .collect();
        collateral.sort_unstable_by_key(|(asset, _)| *asset);
        let now = T::Clock::now();
        // What the agenda has not forgotten yet, though its time is over, is left out.
        let mut old_epochs: Vec<_> = OldEpochs::<T>::iter_prefix((pair.left(), pair.right()))
            .filter(|(_, resolved)| now <= Self::late_until(resolved))
            .map(|(epoch, resolved)| OldEpochView {
                epoch,
                at: resolved.at,
                counted: resolved.counted.map(|counted| counted.into_inner()),
                locks: resolved.locks.map(|locks| locks.into_inner()),
            })
            .collect();
        old_epochs.sort_unstable_by_key(|old| core::cmp::Reverse(old.epoch));
        old_epochs.truncate(MAX_OLD_EPOCHS);
        let hubs = [T::Hubs::is_hub(pair.left()), T::Hubs::is_hub(pair.right())];
        Some(ChannelView {
            epoch: record.epoch,
            withdrawal_nonces: record.withdrawal_nonces,
            collateral,
            old_epochs,
            dispute: Self::dispute_of(&pair),
            max_locks: if hubs == [true, true] { MAX_LOCKS_HUBS } else { MAX_LOCKS_USER },
            hubs,
            pair,
        })
    }

    fn dispute_of(pair: &Pair) -> Option<DisputeView> {
        let dispute = Disputes::<T>::get(pair.left(), pair.right())?;
        let epoch = Self::epoch_of(pair);
        Some(DisputeView {
            starter: dispute.starter,
            start: dispute.start,
            opened_in: dispute.opened_in,
            resolve_at: dispute.resolve_at,
            settled: dispute.verdict != Verdict::Open,
            digest: presented_digest(epoch, &dispute.presented),
            presented: dispute.presented,
        })
    }

    pub(crate) fn disputes_view(limit: u32) -> Vec<(Pair, DisputeView)> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Disputes::<T>::iter_keys()
            .filter_map(|(left, right)| Pair::new(left, right).ok())
            .filter_map(|pair| Self::dispute_of(&pair).map(|dispute| (pair, dispute)))
            .take(limit)
            .collect()
    }
}
