//! Carrying commands out.

use super::{
    command::{Answer, ChannelReport, Command, CommandError, Reply, Survey},
    core::{Action, Core, Entry, Output, PendingWithdrawal, PROOF_VALIDITY},
    payments::Order,
    records::PaymentState,
};
use crate::{
    chain::{submit::Record, Call, Intent},
    store::Table,
};
use codec::Encode;
use failsafe_channel::{
    message::Message, reservation::PROOF_MARGIN, state::Reservation, AssetTerms, Channel, Effect,
    Refusal,
};
use failsafe_primitives::{AccountId, AssetId, Balance, Epoch, Nonce, Withdrawal};
use sp_runtime::MultiSignature;
use tracing::warn;

impl Core {
    pub(super) fn on_command(&mut self, command: Command, reply: Reply, out: &mut Output) {
        if let Err(error) = self.check_home(&command) {
            return out.reply(reply, Err(error));
        }
        let answer = match command {
            Command::Pay { id, via, to, asset, amount, fees } => {
                match self.made_payment(id, &to, asset, amount) {
                    Ok(Some(record)) => Ok(Answer::Payment(id, record)),
                    Ok(None) => {
                        let order = Order { id, via, to, asset, amount, fees };
                        match self.start_payment(order, out) {
                            Ok(()) => {
                                self.pay_replies.insert(id, reply);
                                return;
                            },
                            Err(error) => Err(error),
                        }
                    },
                    Err(error) => Err(error),
                }
            },
            Command::PayLocked(order) => {
                let (id, hash) = (order.id, order.hash);
                match self.start_locked(*order, out) {
                    Ok(Some(record)) => Ok(Answer::Payment(id, record)),
                    Ok(None) => {
                        self.pay_replies.insert(id, reply);
                        return self.tell_missing(hash, out);
                    },
                    Err(error) => Err(error),
                }
            },
            Command::AwaitLocked { id } => match self.payment(&id) {
                Some(record) if record.state == PaymentState::Locked => {
                    self.pay_replies.insert(id, reply);
                    return;
                },
                Some(record) => Ok(Answer::Payment(id, record)),
                None => Err(CommandError::UnknownPayment(id)),
            },
            Command::Invoice(invoice) => {
                let state = invoice.state;
                Ok(Answer::Invoice(self.add_invoice(*invoice, out), state))
            },
            Command::InvoiceState { hash } => match self.locks.invoices.get(&hash) {
                Some(invoice) => Ok(Answer::Invoice(hash, invoice.state)),
                None => Err(CommandError::UnknownInvoice),
            },
            Command::Locked { hash } => match self.locks.outgoing.get(&hash) {
                Some(payment) => Ok(Answer::Locked(Box::new(payment.clone()))),
                None => Err(CommandError::UnknownInvoice),
            },
            Command::AddOrder { id, order } => {
                self.add_order(id, *order, out).map(|()| Answer::Done)
            },
            Command::CancelOrder { id } => self.cancel_order(id, out).map(|()| Answer::Done),
            Command::Orders => {
                let orders = self.orders.iter();
                Ok(Answer::Orders(orders.map(|(id, order)| (*id, order.clone())).collect()))
            },
            Command::NextInstalment { order } => {
                self.next_instalment(order, out).map(Answer::Instalment)
            },
            Command::Survey => match self.parameters {
                Some(parameters) => Ok(Answer::Survey(Box::new(Survey {
                    parameters,
                    graph: self.graph.clone(),
                    best: self.best,
                    finalized: self.finalized,
                }))),
                None => Err(CommandError::Stale),
            },
            Command::SetTerms { partner, asset, terms } => {
                self.decide_terms(&partner, asset, terms, out)
            },
            Command::Withdraw { partner, asset, amount, deposit_to } => {
                if let Some((withdrawal, proof)) = self.proof_at_hand(&partner, asset, amount) {
                    // An earlier withdrawal was interrupted after the partner had signed.
                    let to = deposit_to;
                    return self.submit_withdrawal(&partner, withdrawal, proof, to, reply, out);
                }
                let items = vec![(asset, amount)];
                match self.start_withdrawal(&partner, items.clone(), out) {
                    Ok(reservation) => {
                        let waiting = PendingWithdrawal { reservation, items, deposit_to, reply };
                        self.withdrawals.insert(partner, waiting);
                        return;
                    },
                    Err(error) => Err(error),
                }
            },
            Command::Submit(call) => {
                self.submit(Record::new(Intent::User, *call), Some(reply), out);
                return;
            },
            Command::Dispute { partner } => {
                return self.dispute_command(&partner, Channel::dispute, reply, out);
            },
            Command::DisputeByRestoredCopy { partner } => {
                let dispute = Channel::dispute_by_restored_copy;
                return self.dispute_command(&partner, dispute, reply, out);
            },
            Command::Close { partner, partner_submits } => {
                let connected = self.entries.get(&partner).is_some_and(|e| e.session.is_some());
                if !connected {
                    Err(CommandError::NotConnected(partner))
                } else {
                    match self.try_channel(&partner, out, |channel, ctx| {
                        channel.request_close(ctx, partner_submits)
                    }) {
                        Ok(()) => {
                            self.close_replies.insert(partner, reply);
                            return;
                        },
                        Err(error) => Err(error),
                    }
                }
            },
            Command::RequestInsurance { partner, asset } => match self.entries.get(&partner) {
                Some(entry) if entry.session.is_some() => {
                    let request = Message::InsureRequest { asset };
                    out.actions.push(Action::Send(partner, request));
                    Ok(Answer::Done)
                },
                Some(_) => Err(CommandError::NotConnected(partner)),
                None => Err(CommandError::UnknownPartner(partner)),
            },
            Command::PayForInsurance { id, partner, asset, fee, within } => self
                .pay_for_insurance(id, &partner, asset, fee, within, out)
                .map(|record| Answer::Payment(id, record)),
            Command::Rebalance { dry_run } => return self.insurer_command(dry_run, reply, out),
            Command::RebalanceStatus => Ok(Answer::Rebalance(self.insurer.describe())),
            Command::Channels { of, most } => Ok(Answer::Channels(self.report(of.as_ref(), most))),
            Command::Payment { id } => match self.payment(&id) {
                Some(record) => Ok(Answer::Payment(id, record)),
                None => Err(CommandError::UnknownPayment(id)),
            },
            Command::Payments { limit } => Ok(Answer::Payments(self.payments.newest(limit))),
            Command::Standing => Ok(Answer::Standing(self.standing())),
            Command::Vitals => Ok(Answer::Vitals(Box::new(self.vitals()))),
            Command::SetMode(mode) => self.set_mode(mode, out),
            Command::SetPolicy(policy) => self.set_policy(*policy, out),
        };
        out.reply(reply, answer);
    }

    /// Takes a partner to the chain; the answer comes when the chain has it.
    fn dispute_command(
        &mut self,
        partner: &AccountId,
        dispute: impl FnOnce(&mut Channel) -> Result<Vec<Effect>, Refusal>,
        reply: Reply,
        out: &mut Output,
    ) {
        let before = self.next_call;
        match self.try_channel(partner, out, |channel, _| dispute(channel)) {
            Ok(()) => {
                let new = (self.next_call > before).then_some(before);
                match new.or_else(|| self.open_dispute(partner)) {
                    Some(number) => {
                        self.call_replies.insert(number, reply);
                    },
                    None => out.reply(reply, Ok(Answer::Done)),
                }
            },
            Err(error) => out.reply(reply, Err(error)),
        }
    }

    /// The dispute of ours that is on its way.
    pub(super) fn open_dispute(&self, partner: &AccountId) -> Option<u64> {
        let ours = |call: &Call| matches!(call, Call::Dispute { partner: p, .. } if p == partner);
        self.calls.iter().find(|(_, record)| ours(&record.call)).map(|(number, _)| *number)
    }

    pub(super) fn decide_terms(
        &mut self,
        partner: &AccountId,
        asset: AssetId,
        terms: AssetTerms,
        out: &mut Output,
    ) -> Result<Answer, CommandError> {
        if !self.entries.contains_key(partner) {
            return Err(CommandError::UnknownPartner(partner.clone()));
        }
        let decided = self.decided.entry(partner.clone()).or_default();
        decided.insert(asset, terms);
        out.batch.put(Table::Terms, partner.encode(), decided.encode());
        self.restate_terms(partner, out);
        Ok(Answer::Done)
    }

    pub(super) fn start_withdrawal(
        &mut self,
        partner: &AccountId,
        items: Vec<(AssetId, Balance)>,
        out: &mut Output,
    ) -> Result<Nonce, CommandError> {
        if self.withdrawals.contains_key(partner) {
            return Err(CommandError::Busy("a withdrawal"));
        }
        if self.entries.get(partner).is_some_and(|entry| entry.session.is_none()) {
            return Err(CommandError::NotConnected(partner.clone()));
        }
        self.try_channel(partner, out, |channel, ctx| channel.reserve(ctx, items, PROOF_VALIDITY))?;
        let held = self.held(partner).map(|held| held.id);
        held.ok_or(CommandError::Busy("a withdrawal"))
    }

    /// What we have reserved in a channel.
    pub(super) fn held(&self, partner: &AccountId) -> Option<&Reservation> {
        self.entries.get(partner)?.channel.state().mine.reservation.as_ref()
    }

    /// The withdrawal that waits for the answer to this reservation.
    pub(super) fn take_withdrawal(
        &mut self,
        partner: &AccountId,
        reservation: Nonce,
    ) -> Option<PendingWithdrawal> {
        let meant = self.withdrawals.get(partner)?.reservation == reservation;
        meant.then(|| self.withdrawals.remove(partner)).flatten()
    }

    /// Ends withdrawals whose proof can come no more, or too late to be used.
    pub(super) fn end_withdrawals(&mut self, out: &mut Output) {
        let included = self.finalized.clock.saturating_add(PROOF_MARGIN);
        let over = |partner: &AccountId, waiting: &PendingWithdrawal| {
            let held = self.held(partner).filter(|held| held.id == waiting.reservation);
            held.is_none_or(|held| included > held.valid_until)
        };
        let ended: Vec<AccountId> = self
            .withdrawals
            .iter()
            .filter(|(partner, waiting)| over(partner, waiting))
            .map(|(partner, _)| partner.clone())
            .collect();
        for partner in ended {
            if let Some(waiting) = self.withdrawals.remove(&partner) {
                warn!(%partner, "no proof came for a withdrawal: it is off");
                out.reply(waiting.reply, Err(CommandError::Timeout));
            }
        }
    }

    pub(super) fn on_proof(
        &mut self,
        partner: &AccountId,
        withdrawal: Withdrawal,
        proof: MultiSignature,
        out: &mut Output,
    ) {
        let reservation = self.held(partner).map(|held| held.id);
        let asked = |waiting: &PendingWithdrawal| {
            let items = withdrawal.items.iter().map(|item| (item.asset, item.amount));
            Some(waiting.reservation) == reservation && items.eq(waiting.items.iter().copied())
        };
        if !self.withdrawals.get(partner).is_some_and(asked) {
            return self.insurer_proof(partner, out);
        }
        let Some(waiting) = self.withdrawals.remove(partner) else { return };
        let now = self.finalized.clock;
        let live = self.entries.get(partner).and_then(|entry| entry.channel.live_proof(now));
        if !live.is_some_and(|(known, _)| *known == withdrawal) {
            warn!(%partner, "the proof for a withdrawal came too late");
            return out.reply(waiting.reply, Err(CommandError::Timeout));
        }
        let PendingWithdrawal { deposit_to, reply, .. } = waiting;
        self.submit_withdrawal(partner, withdrawal, proof, deposit_to, reply, out);
    }

    /// A live proof of a partner that no call is bringing to the chain.
    pub(super) fn unused_proof<'a>(
        &self,
        channel: &'a Channel,
    ) -> Option<&'a (Withdrawal, MultiSignature)> {
        let live = channel.live_proof(self.finalized.clock)?;
        let used = self.calls.values().any(|record| record.call.uses(&live.1));
        (!used).then_some(live)
    }

    /// An unused proof for exactly this withdrawal.
    fn proof_at_hand(
        &self,
        partner: &AccountId,
        asset: AssetId,
        amount: Balance,
    ) -> Option<(Withdrawal, MultiSignature)> {
        let unused = self.unused_proof(&self.entries.get(partner)?.channel)?;
        let same = matches!(&unused.0.items[..],
            [item] if item.asset == asset && item.amount == amount);
        same.then(|| unused.clone())
    }

    fn submit_withdrawal(
        &mut self,
        partner: &AccountId,
        withdrawal: Withdrawal,
        proof: MultiSignature,
        deposit_to: Option<(AccountId, AccountId, Option<Epoch>)>,
        reply: Reply,
        out: &mut Output,
    ) {
        let items = withdrawal.items.clone();
        let withdraw = Call::Withdraw { partner: partner.clone(), withdrawal, proof };
        let call = match deposit_to {
            None => withdraw,
            Some((beneficiary, other, epoch)) => {
                let deposits = items.iter().map(|item| Call::Deposit {
                    asset: item.asset,
                    amount: item.amount,
                    beneficiary: beneficiary.clone(),
                    partner: other.clone(),
                    epoch,
                });
                Call::Batch { actions: std::iter::once(withdraw).chain(deposits).collect() }
            },
        };
        self.submit(Record::new(Intent::User, call), Some(reply), out);
    }

    /// The channel with a partner, or so many of all.
    pub(super) fn report(&self, of: Option<&AccountId>, most: usize) -> Vec<ChannelReport> {
        let report = |partner: &AccountId, entry: &Entry| ChannelReport {
            partner: partner.clone(),
            summary: entry.channel.summary(),
            owed_to_me: entry.channel.state().facts.owed_to_me.clone(),
            fault: entry.fault.clone(),
            leaves_at: self.retiring.get(partner).copied(),
        };
        match of {
            Some(partner) if self.is_process(partner) => vec![],
            Some(partner) => {
                self.entries.get(partner).map(|entry| report(partner, entry)).into_iter().collect()
            },
            None => {
                let all = self.entries.look().filter(|(partner, _)| !self.is_process(partner));
                let all = all.take(most);
                all.map(|(partner, entry)| report(partner, &entry)).collect()
            },
        }
    }
}
