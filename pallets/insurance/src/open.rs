//! Which disputes are open, by the usable clock at which they were opened: until the oldest one is
//! resolved, no secret may be forgotten that it could name (`protocol.md` §7, M15).

use crate::{
    AgendaTask, Channels, Clock, Config, Dispute, Disputes, OldestOpen, OpenDisputes, OpenedAt,
    Pallet, UsableClock,
};
use failsafe_primitives::Pair;

/// Most clocks that one look at the oldest open dispute goes on. More than one per block, so that
/// it catches up.
pub(crate) const MAX_STEPS: u32 = 64;

impl<T: Config> Pallet<T> {
    /// Stores a new dispute and puts it on the agenda.
    pub(crate) fn open(pair: &Pair, dispute: Dispute) {
        let task = AgendaTask::Resolve(pair.left().clone(), pair.right().clone());
        Self::schedule(dispute.resolve_at, task);
        // A dispute each: a block does not have 2^32 of them.
        OpenedAt::<T>::mutate(dispute.start, |open| *open = open.saturating_add(1));
        Disputes::<T>::insert(pair.left(), pair.right(), dispute);
    }

    /// Removes the dispute of `pair`, if it was stored.
    pub(crate) fn remove_dispute(pair: &Pair) {
        let Some(dispute) = Disputes::<T>::take(pair.left(), pair.right()) else { return };
        OpenedAt::<T>::mutate_exists(dispute.start, |open| {
            *open = open.and_then(|open| open.checked_sub(1)).filter(|open| *open > 0);
        });
    }

    /// The epoch of `pair`, 0 if the chain has never seen it.
    pub(crate) fn epoch_of(pair: &Pair) -> failsafe_primitives::Epoch {
        Channels::<T>::get(pair.left(), pair.right()).unwrap_or_default().epoch
    }
}

impl<T: Config> OpenDisputes for Pallet<T> {
    fn none_opened_before() -> Clock {
        let now = T::Clock::now();
        let begin = OldestOpen::<T>::get();
        let mut oldest = begin;
        for _ in 0..MAX_STEPS {
            if oldest >= now || OpenedAt::<T>::contains_key(oldest) {
                break;
            }
            oldest = oldest.saturating_add(1);
        }
        if oldest != begin {
            OldestOpen::<T>::put(oldest);
        }
        oldest
    }
}
