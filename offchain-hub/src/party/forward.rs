//! Forwarding trusted payments (`protocol.md` §8).
//!
//! The payer's update, the hub's own update to the recipient and the record of the payment become
//! durable in one batch: after a crash either all of it has happened or nothing. What cannot be paid
//! on goes straight back, with the reason.

use super::{
    command::CommandError,
    core::{Core, Output},
    policy::Role,
    records::{Direction, PaymentRecord, PaymentState},
};
use failsafe_channel::{PaymentId, Purpose, Refusal, ReturnReason};
use failsafe_primitives::{AccountId, AssetId, Balance};
use tracing::{debug, error};

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
        let back = Purpose::Return { id, reason };
        let payer = payer.clone();
        let returned =
            self.try_channel(&payer, out, |channel, ctx| channel.pay(ctx, asset, received, back));
        if let Err(problem) = returned {
            // We have just been paid the same amount, so only a frozen channel can be the reason:
            // then the chain decides, and the payer's claim is what it was.
            error!(%payer, %problem, "a payment could not be given back");
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
        if self.policy.role != Role::Hub || !self.is_fresh() {
            return Err(ReturnReason::Unavailable);
        }
        if self.payments.get(&id).is_some() {
            return Err(ReturnReason::Duplicate);
        }
        if to == payer || *to == self.me {
            return Err(ReturnReason::UnknownRecipient);
        }
        let total = self.policy.fees.total(amount).ok_or(ReturnReason::FeeTooLow)?;
        let fee = received.checked_sub(amount).ok_or(ReturnReason::FeeTooLow)?;
        if received < total {
            return Err(ReturnReason::FeeTooLow);
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
