//! Forwarding trusted payments (`protocol.md` §8).
//!
//! The payer's update, the hub's own update to the recipient and the record of the payment become
//! durable in one batch: after a crash either all of it has happened or nothing. What cannot be paid
//! on goes straight back, with the reason; if even that cannot be, it is owed durably and tried again with
//! every final block.
//!
//! What the payer has not signed is forwarded like what it has: it is ours to lose, within the
//! `unsigned_limit` that we have stated to that payer. Whether we sign what we pay on is another
//! matter, between us and the recipient.

use super::{
    command::CommandError,
    core::{Core, Output},
    records::{Direction, PaymentRecord, PaymentState},
};
use crate::{metrics::Kind, store::Table};
use codec::{Decode, Encode};
use failsafe_channel::{PaymentId, Purpose, Refusal, ReturnReason};
use failsafe_primitives::{AccountId, AssetId, Balance};
use tracing::{debug, warn};

/// A payment that can be neither paid on nor given back for the moment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct OwedReturn {
    pub payer: AccountId,
    pub asset: AssetId,
    /// All that the payer has paid, the fee included.
    pub amount: Balance,
    pub id: PaymentId,
    pub reason: ReturnReason,
}

/// A payment that is to be paid on.
pub(super) struct Forwarded {
    /// The partner who has paid it to us.
    pub payer: AccountId,
    /// Whose payment it is: `payer`, or somebody whom another process of our hub has as a partner.
    pub from: AccountId,
    /// Who gets it.
    pub to: AccountId,
    pub asset: AssetId,
    /// What `payer` has paid.
    pub received: Balance,
    /// What `to` gets.
    pub amount: Balance,
    pub id: PaymentId,
}

impl Core {
    /// Pays on, or gives back.
    pub(super) fn forward(&mut self, payment: Forwarded, out: &mut Output) {
        let Err(reason) = self.try_forward(&payment, out) else { return };
        let Forwarded { payer, to, asset, received, id, .. } = payment;
        debug!(%payer, %to, ?reason, "a payment goes back");
        self.counters.refused(Kind::Plain, &reason);
        self.give_back_or_owe(OwedReturn { payer, asset, amount: received, id, reason }, out);
    }

    /// Gives back now, or as soon as it can be.
    pub(super) fn give_back_or_owe(&mut self, owed: OwedReturn, out: &mut Output) {
        if let Err(problem) = self.give_back(&owed, out) {
            // The payer may have lowered our credit line, or a close is under way.
            warn!(payer = %owed.payer, %problem, "a payment cannot be given back yet");
            let number = self.returns.keys().next_back().map_or(0, |last| last.saturating_add(1));
            out.batch.put(Table::Returns, number.to_be_bytes(), owed.encode());
            self.returns.insert(number, owed);
        }
    }

    fn give_back(&mut self, owed: &OwedReturn, out: &mut Output) -> Result<(), CommandError> {
        let OwedReturn { payer, asset, amount, id, reason } = owed.clone();
        let back = Purpose::Return { id, reason };
        self.pay_partner(&payer, asset, amount, back, out)
    }

    /// Tries again to give back what could not be given back before.
    pub(super) fn retry_returns(&mut self, out: &mut Output) {
        for (number, owed) in self.returns.clone() {
            if self.give_back(&owed, out).is_ok() {
                out.batch.delete(Table::Returns, number.to_be_bytes());
                self.returns.remove(&number);
            }
        }
    }

    fn try_forward(&mut self, payment: &Forwarded, out: &mut Output) -> Result<(), ReturnReason> {
        let Forwarded { payer, from, to, asset, received, amount, id } = payment;
        let (asset, received, amount, id) = (*asset, *received, *amount, *id);
        if !self.forwards() {
            return Err(ReturnReason::Unavailable);
        }
        if self.knows_payment(&id) {
            return Err(ReturnReason::Duplicate);
        }
        if amount < self.policy.min_payment(asset) {
            return Err(ReturnReason::TooSmall);
        }
        if to == payer || *to == self.me {
            return Err(ReturnReason::UnknownRecipient);
        }
        let process = self.elsewhere(to).cloned();
        let total = if self.is_process(payer) {
            // The other process keeps the fee. It asks the one that has the payee, and no other.
            if process.is_some() {
                return Err(ReturnReason::UnknownRecipient);
            }
            Some(amount)
        } else {
            self.policy.fees.total(amount)
        };
        let total = total.ok_or(ReturnReason::FeeTooLow)?;
        let fee = received.checked_sub(amount).ok_or(ReturnReason::FeeTooLow)?;
        if received < total {
            return Err(ReturnReason::FeeTooLow);
        }
        if self.breaks_cap(to, asset, amount) {
            return Err(ReturnReason::RiskCap);
        }
        let record = PaymentRecord {
            at_ms: self.now_ms,
            direction: Direction::Through,
            asset,
            amount,
            fee,
            from: from.clone(),
            to: to.clone(),
            via: Some(process.clone().unwrap_or_else(|| to.clone())),
            nonce: 0,
            state: PaymentState::Sent,
        };
        let sent = if process.is_some() {
            self.relay(id, record, out)
        } else {
            let purpose = Purpose::Delivery { id, from: from.clone() };
            self.send_payment(id, purpose, amount, record, out)
        };
        sent.map_err(|error| match error {
            CommandError::UnknownPartner(_) => ReturnReason::UnknownRecipient,
            CommandError::Refused(Refusal::AssetNotAccepted(_)) => ReturnReason::AssetNotAccepted,
            CommandError::Refused(Refusal::Frozen(_) | Refusal::Closing | Refusal::DataLost) => {
                ReturnReason::RecipientFrozen
            },
            CommandError::Refused(_) => ReturnReason::Capacity,
            _ => ReturnReason::Unavailable,
        })
    }
}
