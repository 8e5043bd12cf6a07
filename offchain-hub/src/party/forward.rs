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

impl Core {
    /// `payer` has paid us `received` so that we pay `amount` on to `to`.
    #[allow(clippy::too_many_arguments, reason = "the fields of the payment")]
    pub(super) fn forward(
        &mut self,
        payer: &AccountId,
        asset: AssetId,
        received: Balance,
        id: PaymentId,
        to: AccountId,
        amount: Balance,
        out: &mut Output,
    ) {
        let forwarded = self.try_forward(payer, asset, received, id, &to, amount, out);
        let Err(reason) = forwarded else { return };
        debug!(%payer, %to, ?reason, "a payment goes back");
        self.counters.refused(Kind::Plain, &reason);
        let owed = OwedReturn { payer: payer.clone(), asset, amount: received, id, reason };
        self.give_back_or_owe(owed, out);
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

    #[allow(clippy::too_many_arguments, reason = "the fields of the payment")]
    fn try_forward(
        &mut self,
        payer: &AccountId,
        asset: AssetId,
        received: Balance,
        id: PaymentId,
        to: &AccountId,
        amount: Balance,
        out: &mut Output,
    ) -> Result<(), ReturnReason> {
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
        let total = self.policy.fees.total(amount).ok_or(ReturnReason::FeeTooLow)?;
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
            from: payer.clone(),
            to: to.clone(),
            via: Some(to.clone()),
            nonce: 0,
            state: PaymentState::Sent,
        };
        let purpose = Purpose::Delivery { id, from: payer.clone() };
        self.send_payment(id, purpose, amount, record, out).map_err(|error| match error {
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
