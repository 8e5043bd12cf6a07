//! Forgetting secrets that no dispute can name any more (`protocol.md` §7, M15).
//!
//! A queue in the order of the reveals. A secret whose time was prolonged meanwhile goes to the end
//! when its place comes up. A place that is not due holds up those behind it, which are due later
//! unless the parameter was changed: to be kept too long does no harm.

use crate::{
    Config, OpenDisputes, Pallet, Place, Queue, QueueHead, QueueTail, Reveals, WeightInfo,
};
use failsafe_pallet_support::idle_meter;
use failsafe_primitives::Clock;
use frame_support::{
    defensive,
    traits::Get,
    weights::{Weight, WeightMeter},
};

impl<T: Config> Pallet<T> {
    /// Gives a secret the last place.
    pub(crate) fn append(place: Place) {
        let tail = QueueTail::<T>::get();
        Queue::<T>::insert(tail, place);
        // One per reveal: 2^64 do not come.
        QueueTail::<T>::put(tail.saturating_add(1));
    }

    /// Forgets what is due, as far as the block has room. Returns the weight used.
    pub(crate) fn purge(remaining: Weight) -> Weight {
        let mut meter = idle_meter(T::BlockWeights::get().max_block, remaining);
        if meter.try_consume(T::WeightInfo::purge_base()).is_err() {
            return meter.consumed();
        }
        let (mut head, tail) = (QueueHead::<T>::get(), QueueTail::<T>::get());
        if head == tail {
            return meter.consumed();
        }
        // Every open dispute was opened at or after this clock.
        let safe = T::Disputes::none_opened_before();
        let begin = head;
        while head < tail && Self::serve(head, safe, &mut meter) {
            head = head.saturating_add(1);
        }
        if head != begin {
            QueueHead::<T>::put(head);
        }
        meter.consumed()
    }

    /// Serves the first place; returns whether it is free now.
    fn serve(head: u64, safe: Clock, meter: &mut WeightMeter) -> bool {
        if meter.try_consume(T::WeightInfo::purge_step()).is_err() {
            return false;
        }
        let Some(Place { hash, due }) = Queue::<T>::get(head) else {
            defensive!("a gap in the queue of secrets");
            return true;
        };
        if due >= safe {
            return false;
        }
        Queue::<T>::remove(head);
        match Reveals::<T>::get(hash) {
            Some(revealed) if revealed.keep_until > due => {
                Self::append(Place { hash, due: revealed.keep_until });
            },
            Some(_) => Reveals::<T>::remove(hash),
            None => {
                defensive!("a place in the queue without its secret");
            },
        }
        true
    }
}
