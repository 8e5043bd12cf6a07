//! Insurance that a user pays for beforehand (`protocol.md` §8): the fee comes with the request, a
//! deposit of the hub for the user makes it the hub's, and what is not insured in time goes back.

use super::{
    core::{Core, Output},
    forward::OwedReturn,
    policy::Role,
    records::{Direction, PaymentRecord, PaymentState},
};
use crate::{chain::Call, store::Table};
use codec::{Decode, Encode};
use failsafe_channel::{PaymentId, ReturnReason};
use failsafe_primitives::{AccountId, AssetId, Balance, Clock, Epoch};
use std::collections::BTreeMap;
use tracing::info;

/// A request for insurance whose fee is paid.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct PaidRequest {
    fee: Balance,
    id: PaymentId,
    /// Usable block after which the fee goes back.
    until: Clock,
    /// For insurance in a later epoch nobody has paid.
    epoch: Epoch,
}

/// Open requests: one per user and asset.
pub(super) type PaidRequests = BTreeMap<(AccountId, AssetId), PaidRequest>;

impl Core {
    /// `payer` has paid `fee` for insurance of what we owe it.
    pub(super) fn take_request(
        &mut self,
        payer: &AccountId,
        asset: AssetId,
        fee: Balance,
        id: PaymentId,
        until: Clock,
        out: &mut Output,
    ) {
        let key = (payer.clone(), asset);
        let least = self.policy.insurance_fees.get(&asset).copied();
        let refused = match least {
            None => Some(ReturnReason::Unavailable),
            Some(_) if self.policy.role != Role::Hub => Some(ReturnReason::Unavailable),
            Some(least) if fee < least => Some(ReturnReason::FeeTooLow),
            Some(_) if self.paid_requests.contains_key(&key) => Some(ReturnReason::Duplicate),
            Some(_) if self.knows_payment(&id) => Some(ReturnReason::Duplicate),
            Some(_) => None,
        };
        let epoch = self.entries.get(payer).map(|entry| entry.channel.epoch());
        let (None, Some(epoch)) = (refused, epoch) else {
            let reason = refused.unwrap_or(ReturnReason::Unavailable);
            let owed = OwedReturn { payer: payer.clone(), asset, amount: fee, id, reason };
            return self.give_back_or_owe(owed, out);
        };
        let request = PaidRequest { fee, id, until, epoch };
        out.batch.put(Table::Requests, key.encode(), request.encode());
        self.paid_requests.insert(key, request);
        if let Some(entry) = self.entries.get_mut(payer) {
            entry.insure.insert(asset);
        }
    }

    fn end_request(&mut self, key: &(AccountId, AssetId), out: &mut Output) -> Option<PaidRequest> {
        let request = self.paid_requests.remove(key)?;
        out.batch.delete(Table::Requests, key.encode());
        if let Some(entry) = self.entries.get_mut(&key.0) {
            entry.insure.remove(&key.1);
        }
        Some(request)
    }

    /// A deposit of ours for this user is final: the fee is earned.
    pub(super) fn request_fulfilled(&mut self, key: &(AccountId, AssetId), out: &mut Output) {
        let Some(PaidRequest { fee, id, .. }) = self.end_request(key, out) else { return };
        let (payer, asset) = key.clone();
        info!(%payer, asset, %fee, "insured, as was paid for");
        let record = PaymentRecord {
            at_ms: self.now_ms,
            direction: Direction::Through,
            asset,
            amount: 0,
            fee,
            from: payer.clone(),
            to: payer.clone(),
            via: None,
            nonce: 0,
            state: PaymentState::Delivered,
        };
        self.store_payment(id, record, out);
        out.delivered.entry(payer).or_default().push(id);
    }

    /// Gives back the fees of requests whose time is over. To be called with every finalized block,
    /// while no batch that may fulfil them is on its way.
    pub(super) fn end_requests(&mut self, out: &mut Output) {
        let now = self.finalized.clock;
        let over = |(key, request): (&(AccountId, AssetId), &PaidRequest)| {
            let epoch = self.entries.get(&key.0).map(|entry| entry.channel.epoch());
            (now > request.until || epoch != Some(request.epoch)).then(|| key.clone())
        };
        let ended: Vec<_> = self.paid_requests.iter().filter_map(over).collect();
        for key in ended {
            let Some(PaidRequest { fee, id, .. }) = self.end_request(&key, out) else { continue };
            let (payer, asset) = key;
            let reason = ReturnReason::Unavailable;
            self.give_back_or_owe(OwedReturn { payer, asset, amount: fee, id, reason }, out);
        }
    }
}

/// For whom a batch deposits.
pub(super) fn deposits_of(call: &Call) -> Vec<(AccountId, AssetId)> {
    let (Call::Batch { actions } | Call::BatchSkipping { actions }) = call else { return vec![] };
    let deposit = |action: &Call| match action {
        Call::Deposit { partner, asset, .. } => Some((partner.clone(), *asset)),
        _ => None,
    };
    actions.iter().filter_map(deposit).collect()
}
