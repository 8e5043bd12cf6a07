//! Receipts: payers are told which of their payments have arrived (`protocol.md` §8, `Delivered`).
//!
//! They are as lazy as acknowledgements: one goes with the next message to its payer, or by itself
//! when it has waited for half of `ack_delay`. So a busy hub sends hardly a packet for them. Nothing
//! is lost with one: who was away asks.

use super::{
    core::{Action, Core, Output},
    entries::ByPartner,
};
use failsafe_channel::{
    message::{Message, MAX_ASKED},
    PaymentId,
};
use failsafe_primitives::AccountId;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;
use std::collections::{hash_map::Entry, VecDeque};

/// Most payments that a message names.
const MOST: usize = MAX_ASKED as usize;

/// Payments in as many parts as it takes messages to name them.
pub(super) fn parts(
    ids: &[PaymentId],
) -> impl Iterator<Item = BoundedVec<PaymentId, ConstU32<MAX_ASKED>>> + '_ {
    ids.chunks(MOST).filter_map(|part| part.to_vec().try_into().ok())
}

/// Receipts that wait. Gone with the process.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// By payer: since when, in milliseconds since 1970, and which.
    waiting: ByPartner<(u64, Vec<PaymentId>)>,
    /// Who has begun to wait, oldest first; some of them have been told since.
    order: VecDeque<(u64, AccountId)>,
}

impl Receipts {
    /// Whether there are enough of `payer` now for a message.
    fn add(&mut self, now_ms: u64, payer: AccountId, mut ids: Vec<PaymentId>) -> bool {
        let known = match self.waiting.entry(payer) {
            Entry::Occupied(waiting) => waiting.into_mut(),
            Entry::Vacant(none) => {
                self.order.push_back((now_ms, none.key().clone()));
                none.insert((now_ms, vec![]))
            },
        };
        known.1.append(&mut ids);
        known.1.len() >= MOST
    }

    /// Tells `payer` what waits for it.
    fn take(&mut self, payer: &AccountId) -> Vec<Action> {
        let (_, ids) = self.waiting.remove(payer).unwrap_or_default();
        let send = |ids| Action::Send(payer.clone(), Message::Delivered { ids });
        parts(&ids).map(send).collect()
    }

    /// The next payer whose receipts have waited for `delay_ms`, or since a clock was put back.
    fn next_due(&mut self, now_ms: u64, delay_ms: u64) -> Option<AccountId> {
        loop {
            let (since, _) = self.order.front()?;
            if now_ms.checked_sub(*since).is_some_and(|waited| waited < delay_ms) {
                return None;
            }
            let (since, payer) = self.order.pop_front()?;
            // Who was told, and waits again, stands further behind.
            if self.waiting.get(&payer).is_some_and(|(known, _)| *known == since) {
                return Some(payer);
            }
        }
    }
}

impl Core {
    /// Takes up the receipts of an output. Adds those that have waited for long enough to what is to
    /// be sent, and those that can go with something else.
    pub(super) fn tell_delivered(&mut self, out: &mut Output) {
        let Self { receipts, entries, .. } = self;
        let mut many = vec![];
        for (payer, ids) in std::mem::take(&mut out.delivered) {
            // Who is away asks when it is back.
            let there = entries.get(&payer).is_some_and(|entry| entry.session.is_some());
            if there && receipts.add(self.now_ms, payer.clone(), ids) {
                many.push(payer);
            }
        }
        if receipts.waiting.is_empty() {
            receipts.order.clear();
            return;
        }
        let mut actions = Vec::with_capacity(out.actions.len());
        for action in std::mem::take(&mut out.actions) {
            // Beside each other they leave in one packet.
            let more = match &action {
                Action::Send(partner, _) => receipts.take(partner),
                _ => vec![],
            };
            actions.push(action);
            actions.extend(more);
        }
        for payer in many {
            actions.extend(receipts.take(&payer));
        }
        let delay_ms = self.policy.ack_delay_ms / 2;
        while let Some(payer) = receipts.next_due(self.now_ms, delay_ms) {
            actions.extend(receipts.take(&payer));
        }
        out.actions = actions;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u8) -> AccountId {
        AccountId::new([number; 32])
    }

    fn ids(numbers: std::ops::Range<u8>) -> Vec<PaymentId> {
        numbers.map(|number| PaymentId([number; 16])).collect()
    }

    fn told(actions: Vec<Action>) -> Vec<Vec<PaymentId>> {
        let of = |action| match action {
            Action::Send(_, Message::Delivered { ids }) => ids.into_inner(),
            other => panic!("{other:?}"),
        };
        actions.into_iter().map(of).collect()
    }

    #[test]
    fn receipts_should_go_together_when_the_first_has_waited_for_long_enough() {
        let mut receipts = Receipts::default();
        receipts.add(100, account(1), ids(0..1));
        receipts.add(105, account(2), ids(1..2));
        receipts.add(109, account(1), ids(2..3));
        assert_eq!(receipts.next_due(109, 10), None);
        assert_eq!(receipts.next_due(110, 10), Some(account(1)));
        assert_eq!(told(receipts.take(&account(1))), [vec![ids(0..1)[0], ids(2..3)[0]]]);
        assert_eq!(receipts.next_due(114, 10), None);
        assert_eq!(receipts.next_due(115, 10), Some(account(2)));
    }

    #[test]
    fn receipts_should_wait_anew_when_the_payer_was_told_between() {
        let mut receipts = Receipts::default();
        receipts.add(100, account(1), ids(0..1));
        assert_eq!(told(receipts.take(&account(1))), [ids(0..1)]);
        assert_eq!(told(receipts.take(&account(1))), Vec::<Vec<_>>::new());
        receipts.add(105, account(1), ids(1..2));
        assert_eq!(receipts.next_due(114, 10), None);
        assert_eq!(receipts.next_due(115, 10), Some(account(1)));
    }

    #[test]
    fn receipts_should_not_wait_when_the_clock_was_put_back() {
        let mut receipts = Receipts::default();
        receipts.add(100, account(1), ids(0..1));
        assert_eq!(receipts.next_due(99, 10), Some(account(1)));
    }

    #[test]
    fn receipts_should_be_told_in_parts_when_there_are_many() {
        let mut receipts = Receipts::default();
        assert!(!receipts.add(100, account(1), ids(0..63)));
        assert!(receipts.add(100, account(1), ids(63..150)), "enough for a message");
        let parts = told(receipts.take(&account(1)));
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [64, 64, 22]);
        assert_eq!(parts.concat(), ids(0..150));
    }
}
