//! Payments that go through us: an inward lock, and an onward one that it pays for.

use super::{reason_of, Core, LockRef, Output, Owner};
use crate::{
    party::{
        records::{Direction, PaymentRecord, PaymentState},
        CommandError,
    },
    store::Table,
};
use codec::{Decode, Encode};
use failsafe_channel::{
    lock::{Offer, Onion, Secret},
    PaymentId,
};
use failsafe_onion::{HopSecret, Next, Packet, Peeled, Reason};
use failsafe_primitives::{
    evidence::latest_expiry_at_start, AccountId, AssetId, Balance, Clock, Epoch, Lock,
};
use std::fmt;
use tracing::{debug, error, warn};

/// Most locks of one partner that are on their way to another process of our hub: of a user, and of
/// another hub. Each process has 128 places for locks of all partners.
const MAX_LOCKS_OVER: (usize, usize) = (8, 64);

/// A payment that goes through us, until both its locks are gone.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Mediated {
    /// The asset of the inward lock.
    pub asset: AssetId,
    /// The asset of the onward one: another one if we change the money.
    pub onward_asset: AssetId,
    /// The inward lock.
    pub lock: Lock,
    /// The onward one.
    pub outward: LockRef,
    /// Its amount.
    pub amount: Balance,
    /// What is left over for us, in the onward asset.
    pub fee: Balance,
    /// Its expiry.
    pub expiry: Clock,
    /// For the way back of a failure.
    pub shared: HopSecret,
    /// The secret, once it is known.
    pub secret: Option<Secret>,
    /// What the next hop has said why it does not claim.
    pub failure: Option<Vec<u8>>,
    /// How the inward lock ended: whether it was paid.
    pub inward_paid: Option<bool>,
    /// How the onward lock ended: whether it was paid.
    pub outward_paid: Option<bool>,
}

// Secrets stay out of logs.
impl fmt::Debug for Mediated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outward, amount, fee, secret, inward_paid, outward_paid, .. } = self;
        f.debug_struct("Mediated")
            .field("outward", outward)
            .field("amount", amount)
            .field("fee", fee)
            .field("knows_secret", &secret.is_some())
            .field("inward_paid", inward_paid)
            .field("outward_paid", outward_paid)
            .finish_non_exhaustive()
    }
}

impl Core {
    /// Locks the payment onwards.
    pub(super) fn mediate(
        &mut self,
        inward: &LockRef,
        asset: AssetId,
        lock: &Lock,
        peeled: &Peeled,
        packet: Packet,
        out: &mut Output,
    ) -> Result<(), Reason> {
        let hop = &peeled.hop;
        let next = match hop.next {
            Next::Hub(next) | Next::Recipient(next) => AccountId::new(next),
            Next::Here { .. } | Next::Spontaneous { .. } => return Err(Reason::Instructions),
        };
        let parameters = self.parameters.ok_or(Reason::Unavailable)?;
        if !self.forwards() {
            return Err(Reason::Unavailable);
        }
        // Back to where it came from goes only what has become other money: a swap.
        if next == self.me || next == inward.partner && hop.asset == asset {
            return Err(Reason::UnknownNext);
        }
        if hop.amount == 0 || hop.amount < self.policy.min_payment(hop.asset) {
            return Err(Reason::TooSmall);
        }
        let changed = hop.asset != asset;
        let rates = self.policy.rates.iter();
        if changed && rates.clone().all(|rate| (rate.takes, rate.gives) != (asset, hop.asset)) {
            return Err(Reason::AssetNotAccepted);
        }
        let price = self.policy.price(asset, hop.asset, hop.amount).ok_or(Reason::FeeTooLow)?;
        if lock.amount < price {
            return Err(Reason::FeeTooLow);
        }
        let fee = if changed {
            self.policy.fees.fee(hop.amount)
        } else {
            lock.amount.checked_sub(hop.amount)
        };
        let fee = fee.ok_or(Reason::FeeTooLow)?;
        let least = hop.expiry.checked_add(parameters.forward_margin);
        if least.is_none_or(|least| lock.expiry < least) {
            return Err(Reason::ExpiryTooSoon);
        }
        // Time to learn the secret and to bring it to the chain.
        let soonest = self.best.clock.saturating_add(parameters.final_min);
        if hop.expiry < soonest {
            return Err(Reason::ExpiryTooSoon);
        }
        if lock.expiry > latest_expiry_at_start(self.best.clock, parameters.lock_window) {
            return Err(Reason::ExpiryTooFar);
        }
        let entry = self.entries.get(&next).ok_or(Reason::UnknownNext)?;
        if !entry.channel.established() {
            return Err(Reason::Unavailable);
        }
        let epoch = entry.channel.epoch();
        if self.breaks_cap(&next, hop.asset, hop.amount) {
            return Err(Reason::Capacity { asset: hop.asset });
        }
        let onion = packet.encode().try_into().map_err(|_| Reason::Instructions)?;
        let (hash, expiry, amount) = (lock.hash, hop.expiry, hop.amount);
        let offer = Offer { asset: hop.asset, amount, hash, expiry, onion };
        self.lock_onwards(inward, (asset, lock), offer, (next, epoch, fee), peeled, out)
    }

    /// Hands a payment to the process of our hub that has the channel with its next hop: that one asks
    /// for fee and time, and the onion is meant for it as well as for us.
    #[allow(clippy::too_many_arguments, reason = "a lock and what it is for")]
    pub(super) fn lock_over(
        &mut self,
        inward: &LockRef,
        asset: AssetId,
        lock: &Lock,
        onion: Onion,
        peeled: &Peeled,
        process: AccountId,
        out: &mut Output,
    ) -> Result<(), Reason> {
        if self.is_process(&inward.partner) {
            // It asks the one that has the channel, and no other.
            return Err(Reason::UnknownNext);
        }
        if !self.forwards() {
            return Err(Reason::Unavailable);
        }
        // All partners use the same few places for locks.
        let first = LockRef { partner: inward.partner.clone(), epoch: 0, id: 0 };
        let ours = self.locks.mediated.range(first..);
        let ours = ours.take_while(|(known, _)| known.partner == inward.partner);
        let is_hub = self.hubs.iter().any(|hub| hub.account == inward.partner);
        let most = if is_hub { MAX_LOCKS_OVER.1 } else { MAX_LOCKS_OVER.0 };
        if ours.filter(|(_, known)| known.outward.partner == process).count() >= most {
            return Err(Reason::TooManyLocks);
        }
        let entry = self.entries.get(&process).filter(|entry| entry.channel.established());
        let epoch = entry.ok_or(Reason::Unavailable)?.channel.epoch();
        let Lock { amount, hash, expiry, .. } = *lock;
        let offer = Offer { asset, amount, hash, expiry, onion };
        self.lock_onwards(inward, (asset, lock), offer, (process, epoch, 0), peeled, out)
    }

    /// Makes the onward lock, and remembers for what.
    fn lock_onwards(
        &mut self,
        inward: &LockRef,
        (asset, lock): (AssetId, &Lock),
        offer: Offer,
        (next, epoch, fee): (AccountId, Epoch, Balance),
        peeled: &Peeled,
        out: &mut Output,
    ) -> Result<(), Reason> {
        let onward_asset = offer.asset;
        let (hash, expiry, amount) = (offer.hash, offer.expiry, offer.amount);
        let mut made = 0;
        let locked = self.try_channel(&next, out, |channel, ctx| {
            let (id, effects) = channel.lock(ctx, offer)?;
            made = id;
            Ok(effects)
        });
        locked.map_err(|problem| {
            debug!(?inward, %problem, "not locked onwards");
            match problem {
                CommandError::Refused(refusal) => reason_of(&refusal, onward_asset),
                _ => Reason::Unavailable,
            }
        })?;
        let outward = LockRef { partner: next, epoch, id: made };
        let record = Mediated {
            asset,
            onward_asset,
            lock: lock.clone(),
            outward: outward.clone(),
            amount,
            fee,
            expiry,
            shared: peeled.shared.clone(),
            secret: None,
            failure: None,
            inward_paid: None,
            outward_paid: None,
        };
        self.locks.outward.insert(outward, Owner::Mediated(inward.clone()));
        self.store_mediated(inward, record, out);
        self.note_forwarded(inward);
        self.watch_hash(hash, out);
        Ok(())
    }

    fn store_mediated(&mut self, inward: &LockRef, record: Mediated, out: &mut Output) {
        out.batch.put(Table::Mediated, inward.encode(), record.encode());
        self.locks.mediated.insert(inward.clone(), record);
    }

    /// Changes the record of a payment that goes through us, durably.
    fn change(
        &mut self,
        inward: &LockRef,
        out: &mut Output,
        change: impl FnOnce(&mut Mediated),
    ) -> Option<Mediated> {
        let record = self.locks.mediated.get_mut(inward)?;
        change(record);
        out.batch.put(Table::Mediated, inward.encode(), record.encode());
        Some(record.clone())
    }

    /// The secret of a payment that goes through us is known: its payer is told at once.
    pub(super) fn learn(&mut self, inward: &LockRef, secret: Secret, out: &mut Output) {
        let known = self.locks.mediated.get(inward).map(|record| record.secret);
        if known != Some(None) {
            return;
        }
        let record = self.change(inward, out, |record| record.secret = Some(secret));
        if record.is_some_and(|record| record.inward_paid.is_none()) {
            self.fulfill_inward(inward, secret, out);
        }
    }

    /// Pays the onward lock whose secret was told, if that secret can still be used for the inward
    /// one (M5). What is too late off chain is settled by the engine, if the chain has it in time.
    pub(super) fn settle_onward(&mut self, inward: &LockRef, out: &mut Output) {
        let Some(record) = self.locks.mediated.get(inward) else { return };
        let (Some(secret), None) = (record.secret, record.outward_paid) else { return };
        if record.inward_paid == Some(false) {
            // Nothing pays for it any more: the chain decides about it.
            return;
        }
        let in_time = self.act().is_some_and(|act| {
            self.best.clock.checked_add(act).is_some_and(|end| end <= record.lock.expiry)
        });
        let paid = record.inward_paid == Some(true);
        if !(paid || in_time && self.is_fresh()) {
            return;
        }
        let outward = record.outward.clone();
        if !self.is_current(&outward) {
            return;
        }
        let settled = self.try_channel(&outward.partner, out, |channel, ctx| {
            channel.settle(ctx, vec![(outward.id, secret)])
        });
        if let Err(problem) = settled {
            // Frozen, or too much is unacknowledged: at the next block again.
            debug!(?outward, %problem, "an onward lock is not settled yet");
        }
    }

    pub(super) fn note_failure(&mut self, inward: &LockRef, failure: Vec<u8>, out: &mut Output) {
        self.change(inward, out, |record| record.failure = Some(failure));
    }

    pub(super) fn onward_paid(
        &mut self,
        inward: &LockRef,
        secret: Option<Secret>,
        out: &mut Output,
    ) {
        if let Some(secret) = secret {
            self.learn(inward, secret, out);
        }
        self.change(inward, out, |record| record.outward_paid = Some(true));
        self.end_mediated(inward, out);
    }

    /// The onward lock is dead: now the inward one may be failed, unless its secret is known.
    pub(super) fn onward_dead(&mut self, inward: &LockRef, out: &mut Output) {
        let dead = self.change(inward, out, |record| record.outward_paid = Some(false));
        let Some(record) = dead else { return };
        if record.secret.is_none() && record.inward_paid.is_none() {
            let answer = match &record.failure {
                // Written by the same hub as our own would be.
                Some(failure) if self.is_process(&record.outward.partner) => failure.clone(),
                Some(failure) => failsafe_onion::wrap(&record.shared, failure),
                None => failsafe_onion::fail(&record.shared, &Reason::Unavailable),
            };
            self.fail_inward(inward, answer, out);
        }
        self.end_mediated(inward, out);
    }

    pub(super) fn mediated_inward_gone(&mut self, inward: &LockRef, paid: bool, out: &mut Output) {
        self.change(inward, out, |record| record.inward_paid = Some(paid));
        // Paid: whatever the time, the onward lock is settled.
        self.settle_onward(inward, out);
        self.end_mediated(inward, out);
    }

    /// Settles what could not be settled before.
    pub(super) fn retry_onward(&mut self, out: &mut Output) {
        let open = self.locks.mediated.iter();
        let open =
            open.filter(|(_, record)| record.secret.is_some() && record.outward_paid.is_none());
        let open: Vec<_> = open.map(|(inward, _)| inward.clone()).collect();
        for inward in open {
            self.settle_onward(&inward, out);
        }
    }

    /// Forgets a payment whose two locks are gone.
    fn end_mediated(&mut self, inward: &LockRef, out: &mut Output) {
        let Some(record) = self.locks.mediated.get(inward).cloned() else { return };
        let (Some(inward_paid), Some(outward_paid)) = (record.inward_paid, record.outward_paid)
        else {
            return;
        };
        self.locks.mediated.remove(inward);
        out.batch.delete(Table::Mediated, inward.encode());
        self.forget_hash(record.lock.hash, out);
        self.note_mediated_end(inward, inward_paid && outward_paid);
        if outward_paid && !inward_paid {
            let (partner, amount) = (&inward.partner, record.amount);
            let asset = record.onward_asset;
            error!(%partner, %amount, asset, "A PAYMENT WAS MADE ON AND NOT PAID FOR");
        }
        if !outward_paid || !inward_paid {
            return;
        }
        let payment = PaymentRecord {
            at_ms: self.now_ms,
            direction: Direction::Through,
            asset: record.onward_asset,
            amount: record.amount,
            fee: record.fee,
            from: inward.partner.clone(),
            to: record.outward.partner.clone(),
            via: None,
            nonce: 0,
            state: PaymentState::Delivered,
        };
        // The other half: a payment of our own with this hash may have the first one.
        let [.., name] = record.lock.hash.as_chunks::<16>().0 else { return };
        let id = PaymentId(*name);
        if self.payments.get(&id).is_some_and(|known| !known.is_over()) {
            // Somebody has chosen the same name for another payment, which is under way.
            warn!(%id, "a payment with locks is not listed: its name is taken");
            return;
        }
        self.store_payment(id, payment, out);
    }
}

/// The name under which a payment with a lock stands in the list of those who did not choose it.
pub fn name_of(hash: &[u8; 32]) -> PaymentId {
    let mut name = [0; 16];
    name.copy_from_slice(&hash[..16]);
    PaymentId(name)
}
