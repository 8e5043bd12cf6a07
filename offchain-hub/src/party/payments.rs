//! Payments that a party makes or receives.

use super::{
    command::{Answer, CommandError},
    core::{Action, Core, Output},
    forward::{Forwarded, OwedReturn},
    receipts,
    records::{Direction, PaymentRecord, PaymentState},
};
use crate::metrics::{Kind, PaymentEvent};
use failsafe_channel::{message::Message, Channel, PaymentId, Purpose, ReturnReason};
use failsafe_primitives::{fees::HubFees, AccountId, AssetId, Balance, Clock};
use std::collections::BTreeSet;
use tracing::debug;

/// Payments that a partner is asked for at a time; the others with the next ticks.
const ASKED_AT_ONCE: usize = 4_096;

/// A payment that is to be made.
pub(super) struct Order {
    pub id: PaymentId,
    /// The hub, or the recipient itself.
    pub via: AccountId,
    pub to: AccountId,
    pub asset: AssetId,
    /// What is to arrive.
    pub amount: Balance,
    /// What the hub asks for.
    pub fees: HubFees,
}

impl Core {
    /// The payment that has been made under this name; an error when it was another one.
    pub(super) fn made_payment(
        &self,
        id: PaymentId,
        to: &AccountId,
        asset: AssetId,
        amount: Balance,
    ) -> Result<Option<PaymentRecord>, CommandError> {
        let Some(record) = self.payment(&id) else { return Ok(None) };
        let same = record.direction == Direction::Out
            && (&record.to, record.asset, record.amount) == (to, asset, amount);
        if same {
            Ok(Some(record))
        } else {
            Err(CommandError::Duplicate(id))
        }
    }

    /// Refuses a partner that is not connected and in step.
    pub(super) fn check_established(&self, partner: &AccountId) -> Result<(), CommandError> {
        match self.entries.get(partner) {
            None => Err(CommandError::UnknownPartner(partner.clone())),
            Some(entry) if !entry.channel.established() => {
                Err(CommandError::NotConnected(partner.clone()))
            },
            Some(_) => Ok(()),
        }
    }

    pub(super) fn start_payment(
        &mut self,
        order: Order,
        out: &mut Output,
    ) -> Result<(), CommandError> {
        let Order { id, via, to, asset, amount, fees } = order;
        if !self.is_fresh() {
            return Err(CommandError::Stale);
        }
        self.check_established(&via)?;
        let (purpose, fee) = if via == to {
            (Purpose::Direct { id }, 0)
        } else {
            let fee = fees.fee(amount).ok_or(CommandError::Overflow)?;
            (Purpose::Onward { id, to: to.clone(), amount }, fee)
        };
        let total = amount.checked_add(fee).ok_or(CommandError::Overflow)?;
        let record = PaymentRecord {
            at_ms: self.now_ms,
            direction: Direction::Out,
            asset,
            amount,
            fee,
            from: self.me.clone(),
            to,
            via: Some(via),
            nonce: 0,
            state: PaymentState::Sent,
        };
        self.send_payment(id, purpose, total, record, out)
    }

    /// Pays a hub for insurance of what it owes us. The record says that we pay ourselves nothing
    /// through it: its fee is what goes back if it does not insure.
    pub(super) fn pay_for_insurance(
        &mut self,
        id: PaymentId,
        hub: &AccountId,
        asset: AssetId,
        fee: Balance,
        within: Clock,
        out: &mut Output,
    ) -> Result<PaymentRecord, CommandError> {
        if self.knows_payment(&id) {
            return Err(CommandError::Duplicate(id));
        }
        self.check_established(hub)?;
        let until = self.finalized.clock.checked_add(within).ok_or(CommandError::Overflow)?;
        let record = PaymentRecord {
            at_ms: self.now_ms,
            direction: Direction::Out,
            asset,
            amount: 0,
            fee,
            from: self.me.clone(),
            to: self.me.clone(),
            via: Some(hub.clone()),
            nonce: 0,
            state: PaymentState::Sent,
        };
        self.send_payment(id, Purpose::Insure { id, until }, fee, record.clone(), out)?;
        Ok(record)
    }

    pub(super) fn on_received(
        &mut self,
        partner: &AccountId,
        asset: AssetId,
        amount: Balance,
        purpose: Purpose,
        out: &mut Output,
    ) {
        let (id, from) = match purpose {
            Purpose::Onward { id, to, amount: onward } => {
                let (payer, from) = (partner.clone(), partner.clone());
                let received = amount;
                let payment = Forwarded { payer, from, to, asset, received, amount: onward, id };
                return self.forward(payment, out);
            },
            Purpose::Relay { id, from, to } if self.is_process(partner) => {
                let (payer, received) = (partner.clone(), amount);
                let payment = Forwarded { payer, from, to, asset, received, amount, id };
                return self.forward(payment, out);
            },
            Purpose::Relay { id, .. } => {
                // Nobody else speaks for somebody.
                let (payer, reason) = (partner.clone(), ReturnReason::UnknownRecipient);
                return self.give_back_or_owe(OwedReturn { payer, asset, amount, id, reason }, out);
            },
            Purpose::Return { id, reason } => {
                return self.on_returned(partner, id, (asset, amount), reason, out);
            },
            Purpose::Insure { id, until } => {
                return self.take_request(partner, asset, amount, id, until, out);
            },
            Purpose::Direct { id } => (id, partner.clone()),
            Purpose::Delivery { id, from } => (id, from),
        };
        if self.knows_payment(&id) {
            // The money is ours all the same; only the name was taken.
            debug!(%id, "a payment came under a known name");
            return;
        }
        if amount < self.policy.min_payment(asset) {
            // So is this; but strangers must not fill memory and disk for next to nothing.
            debug!(%id, "a payment too small to be remembered");
            return;
        }
        let record = PaymentRecord {
            at_ms: self.now_ms,
            direction: Direction::In,
            asset,
            amount,
            fee: 0,
            from,
            to: self.me.clone(),
            via: None,
            nonce: 0,
            state: PaymentState::Received,
        };
        self.counters.payment(Direction::In, Kind::Plain, PaymentEvent::Received);
        self.store_payment(id, record, out);
    }

    pub(super) fn store_payment(&mut self, id: PaymentId, record: PaymentRecord, out: &mut Output) {
        self.counters.recorded(&record);
        self.publish(id, &record, out);
        self.payments.insert(id, record);
    }

    pub(super) fn move_payment(
        &mut self,
        id: PaymentId,
        state: PaymentState,
        out: &mut Output,
    ) -> Option<PaymentRecord> {
        self.counters.moved(self.payments.get(&id)?, state, self.now_ms);
        let record = self.payments.set_state(&id, state)?.clone();
        self.publish(id, &record, out);
        Some(record)
    }

    /// Tells where a payment stands, if anybody listens.
    fn publish(&self, id: PaymentId, record: &PaymentRecord, out: &mut Output) {
        if self.feed.receiver_count() > 0 {
            out.actions.push(Action::Publish(id, record.clone()));
        }
    }

    /// A partner has acknowledged what we paid it.
    pub(super) fn on_payment_acked(&mut self, id: PaymentId, out: &mut Output) {
        let known = self.payments.get(&id).filter(|known| known.state == PaymentState::Sent);
        let Some(known) = known else { return };
        let arrived = known.via.as_ref() == Some(&known.to);
        let state = if arrived { PaymentState::Delivered } else { PaymentState::Accepted };
        let Some(record) = self.move_payment(id, state, out) else { return };
        match record.direction {
            // The recipient has it: tell the payer.
            Direction::Through if arrived => self.tell_payer(&record.from, id, out),
            Direction::Out if arrived => self.reply_payment(id, Ok(record), out),
            Direction::Through | Direction::Out | Direction::In => {},
        }
    }

    fn tell_payer(&self, payer: &AccountId, id: PaymentId, out: &mut Output) {
        out.delivered.entry(self.towards(payer).clone()).or_default().push(id);
    }

    /// We were away: asks which of our payments through `partner` have arrived meanwhile.
    pub(super) fn ask_delivered(&mut self, partner: &AccountId, out: &mut Output) {
        // The oldest first: they are taken from the end.
        let all = self.payments.undelivered(partner);
        self.to_ask.insert(partner.clone(), all);
        self.ask_more(out);
    }

    /// Asks partners who are there, not for all at once: what is sent waits in a bounded queue.
    pub(super) fn ask_more(&mut self, out: &mut Output) {
        let Self { to_ask, entries, .. } = self;
        to_ask.retain(|partner, ids| {
            if entries.get(partner).is_none_or(|entry| entry.session.is_none()) {
                // In the next session anew.
                return false;
            }
            let rest = ids.len().saturating_sub(ASKED_AT_ONCE);
            for ids in receipts::parts(&ids.split_off(rest)) {
                out.actions.push(Action::Send(partner.clone(), Message::AskDelivered { ids }));
            }
            !ids.is_empty()
        });
    }

    pub(super) fn on_delivered_asked(
        &mut self,
        partner: &AccountId,
        ids: Vec<PaymentId>,
        out: &mut Output,
    ) {
        let delivered = |id: &PaymentId| {
            self.payment(id).is_some_and(|record| {
                record.direction == Direction::Through
                    && self.towards(&record.from) == partner
                    && record.state == PaymentState::Delivered
            })
        };
        // However often it asks for one.
        let asked: BTreeSet<_> = ids.into_iter().collect();
        let known: Vec<_> = asked.into_iter().filter(delivered).collect();
        if !known.is_empty() {
            out.delivered.entry(partner.clone()).or_default().extend(known);
        }
    }

    pub(super) fn on_delivered(&mut self, partner: &AccountId, id: PaymentId, out: &mut Output) {
        let ours = self.payments.get(&id).is_some_and(|record| self.is_told_by(record, partner));
        if !ours {
            return;
        }
        let Some(record) = self.move_payment(id, PaymentState::Delivered, out) else { return };
        if record.direction == Direction::Through {
            return self.tell_payer(&record.from, id, out);
        }
        self.reply_payment(id, Ok(record), out);
    }

    /// Whether `partner` has to say what becomes of a payment, and has not yet.
    fn is_told_by(&self, record: &PaymentRecord, partner: &AccountId) -> bool {
        (record.direction == Direction::Out || self.is_relayed(record))
            && record.via.as_ref() == Some(partner)
            && matches!(record.state, PaymentState::Sent | PaymentState::Accepted)
    }

    pub(super) fn on_returned(
        &mut self,
        partner: &AccountId,
        id: PaymentId,
        (asset, amount): (AssetId, Balance),
        reason: ReturnReason,
        out: &mut Output,
    ) {
        // Another sum is no return of that payment, whatever the partner calls it.
        let Some(record) = self.payments.get(&id).cloned() else { return };
        let relayed = self.is_relayed(&record);
        // Of what we pay over to another process the fee stays here.
        let paid = record.amount.checked_add(if relayed { 0 } else { record.fee });
        let same = record.asset == asset && paid == Some(amount);
        if !same || !self.is_told_by(&record, partner) {
            return;
        }
        if relayed {
            return self.on_relay_returned(id, &record, reason, out);
        }
        self.move_payment(id, PaymentState::Returned(reason), out);
        self.reply_payment(id, Err(CommandError::Returned(reason)), out);
    }

    /// Answers who waits for a payment that has come to its end.
    pub(super) fn reply_payment(
        &mut self,
        id: PaymentId,
        end: Result<PaymentRecord, CommandError>,
        out: &mut Output,
    ) {
        if let Some(reply) = self.pay_replies.remove(&id) {
            out.reply(reply, end.map(|record| Answer::Payment(id, record)));
        }
    }

    /// Pays a partner: without a signature if the policy and the partner's terms allow that.
    pub(super) fn pay_partner(
        &mut self,
        partner: &AccountId,
        asset: AssetId,
        amount: Balance,
        purpose: Purpose,
        out: &mut Output,
    ) -> Result<(), CommandError> {
        let pay = if self.policy.pay_unsigned { Channel::pay_unsigned } else { Channel::pay };
        self.try_channel(partner, out, |channel, ctx| pay(channel, ctx, asset, amount, purpose))
    }

    /// Makes a payment to a partner and remembers it.
    pub(super) fn send_payment(
        &mut self,
        id: PaymentId,
        purpose: Purpose,
        total: Balance,
        record: PaymentRecord,
        out: &mut Output,
    ) -> Result<(), CommandError> {
        let via = record.via.clone().ok_or(CommandError::Overflow)?;
        let asset = record.asset;
        self.pay_partner(&via, asset, total, purpose, out)?;
        let nonce = self.entries.get(&via).map_or(0, |e| e.channel.state().mine.nonce());
        self.store_payment(id, PaymentRecord { nonce, ..record }, out);
        Ok(())
    }
}
