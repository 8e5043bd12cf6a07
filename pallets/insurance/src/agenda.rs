//! What comes due without anybody asking (`protocol.md` §5, M15).
//!
//! A slot per usable clock, entries numbered from 0, so that a slot is never full and putting
//! something on the agenda never fails. Served on idle from the earliest slot on, as far as the
//! block has room. The agenda is a hint: what it does not reach, anybody can `resolve`, and an
//! entry that has become stale does nothing.

use crate::{
    Agenda, AgendaCursor, AgendaLength, AgendaTask, Clock, Config, Disputes, OldEpochs, Pallet,
    UsableClock, WeightInfo,
};
use failsafe_pallet_support::idle_meter;
use failsafe_primitives::Pair;
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
};

/// How an entry of the agenda ended.
enum Served {
    /// It is done with.
    Done,
    /// The block has no room for it.
    NoRoom,
}

impl<T: Config> Pallet<T> {
    /// Puts `task` on the agenda for `due`, or for the next slot to be served if that has passed.
    pub(crate) fn schedule(due: Clock, task: AgendaTask) {
        let slot = due.max(AgendaCursor::<T>::get());
        let index = AgendaLength::<T>::get(slot);
        Agenda::<T>::insert(slot, index, task);
        // Every entry is paid for by a dispute; a slot does not get 2^32 of them.
        AgendaLength::<T>::insert(slot, index.saturating_add(1));
    }

    /// Serves due entries while the block has room. Returns the weight used.
    pub(crate) fn serve_agenda(remaining: Weight) -> Weight {
        let mut meter = idle_meter(T::BlockWeights::get().max_block, remaining);
        let step = T::WeightInfo::agenda_step();
        if meter.try_consume(step).is_err() {
            return meter.consumed();
        }
        let now = T::Clock::now();
        let mut slot = AgendaCursor::<T>::get();
        while slot <= now && meter.try_consume(step).is_ok() {
            if !Self::serve_slot(slot, &mut meter) {
                break;
            }
            slot = slot.saturating_add(1);
            AgendaCursor::<T>::put(slot);
        }
        meter.consumed()
    }

    /// Serves a slot from its end; returns whether it is empty now.
    fn serve_slot(slot: Clock, meter: &mut WeightMeter) -> bool {
        let mut length = AgendaLength::<T>::get(slot);
        while length > 0 {
            if meter.try_consume(T::WeightInfo::agenda_step()).is_err() {
                return false;
            }
            let index = length.saturating_sub(1);
            if let Some(task) = Agenda::<T>::get(slot, index) {
                // The entry goes first: a task that reschedules itself may use its place.
                if let Served::NoRoom = Self::serve(task, meter) {
                    return false;
                }
                Agenda::<T>::remove(slot, index);
            }
            length = index;
            AgendaLength::<T>::insert(slot, length);
        }
        AgendaLength::<T>::remove(slot);
        true
    }

    fn serve(task: AgendaTask, meter: &mut WeightMeter) -> Served {
        match task {
            AgendaTask::Resolve(left, right) => {
                let Ok(pair) = Pair::new(left.clone(), right.clone()) else { return Served::Done };
                let Some(dispute) = Disputes::<T>::get(pair.left(), pair.right()) else {
                    return Served::Done;
                };
                if dispute.resolve_at > T::Clock::now() {
                    // A counter has moved the deadline: later slots are never the current one.
                    Self::schedule(dispute.resolve_at, AgendaTask::Resolve(left, right));
                    return Served::Done;
                }
                if meter.try_consume(Self::resolve_weight(&pair, &dispute)).is_err() {
                    return Served::NoRoom;
                }
                Self::carry_out(&pair, &dispute);
                Served::Done
            },
            AgendaTask::Forget(left, right, epoch) => {
                OldEpochs::<T>::remove((left, right, epoch));
                Served::Done
            },
        }
    }
}
