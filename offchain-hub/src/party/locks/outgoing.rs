//! Payments of ours with locks.

use super::{Core, LockRef, Output, Owner};
use crate::{
    party::{
        records::{Direction, Failure, Failures, PaymentRecord, PaymentState},
        CommandError,
    },
    store::Table,
};
use codec::{Decode, Encode};
use failsafe_channel::{
    lock::{Answer as LockAnswer, Offer, Onion, Secret},
    PaymentId,
};
use failsafe_onion::RouteKeys;
use failsafe_primitives::{simplex::LockHash, AccountId, AssetId, Balance, Clock};
use std::fmt;
use tracing::debug;

/// How a part of a payment of ours stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PartState {
    /// The lock is pending.
    #[codec(index = 0)]
    Pending,
    /// Paid.
    #[codec(index = 1)]
    Paid,
    /// Nobody can claim it any more.
    #[codec(index = 2)]
    Dead,
}

/// A part of a payment of ours: one lock over one route.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Part {
    /// The lock.
    pub lock: LockRef,
    /// Reads a failure.
    pub keys: RouteKeys,
    /// What came back.
    pub failure: Option<Vec<u8>>,
    /// How it stands.
    pub state: PartState,
    /// Number of its route among those that were tried for the payment.
    pub route: u32,
    /// The amount of the lock, fees included, in the asset of the lock.
    pub total: Balance,
    /// What the recipient gets of it.
    pub arrives: Balance,
}

/// A payment of ours.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Outgoing {
    /// Its name.
    pub id: PaymentId,
    /// What is to arrive in all.
    pub amount: Balance,
    /// The asset of the locks. A hub that changes money pays on in another one.
    pub source: AssetId,
    /// Its parts; those of attempts that came back as a whole are gone.
    pub parts: Vec<Part>,
    /// The secret: proof of payment.
    pub proof: Option<Secret>,
}

// Secrets stay out of logs.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, amount, source, parts, proof } = self;
        f.debug_struct("Outgoing")
            .field("id", id)
            .field("amount", amount)
            .field("source", source)
            .field("parts", parts)
            .field("paid", &proof.is_some())
            .finish()
    }
}

impl Outgoing {
    /// Whether a part may still be claimed.
    pub fn is_open(&self) -> bool {
        self.parts.iter().any(|part| part.state == PartState::Pending)
    }

    /// Parts that are paid or may be.
    fn alive(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.state != PartState::Dead)
    }

    /// What no part brings to the recipient. All parts together never bring more than is to arrive.
    fn missing(&self) -> Balance {
        let coming = self.alive().try_fold(0, |sum: Balance, part| sum.checked_add(part.arrives));
        coming.and_then(|coming| self.amount.checked_sub(coming)).unwrap_or(0)
    }

    /// What the payment costs us, in [`source`](Self::source), as far as its parts are not dead.
    pub fn spent(&self) -> Option<Balance> {
        self.alive().try_fold(0, |sum: Balance, part| sum.checked_add(part.total))
    }

    /// What came back of its parts.
    fn failures(&self) -> Failures {
        let dead = self.parts.iter().filter(|part| part.state == PartState::Dead);
        let read = |part: &Part| {
            let failure = part.failure.as_ref();
            failure.map_or(Failure::Expired, |bytes| Failure::read(&part.keys, bytes))
        };
        Failures(dead.map(|part| (part.route, read(part))).collect())
    }
}

/// A payment that is to be made.
#[derive(Clone, Debug)]
pub struct LockedOrder {
    /// Names the payment; the same name is never paid twice.
    pub id: PaymentId,
    /// SHA-256 of the recipient's secret; no hash is paid twice either.
    pub hash: LockHash,
    /// Who is paid.
    pub to: AccountId,
    /// The asset.
    pub asset: AssetId,
    /// What arrives in all.
    pub amount: Balance,
    /// The asset of our locks: another one if a hub changes the money.
    pub source: AssetId,
    /// The ways that it takes, now: the first ones, or others for parts that have come back.
    pub parts: Vec<LockedPart>,
}

/// One way of a payment.
#[derive(Clone, Debug)]
pub struct LockedPart {
    /// Number of this route among those that were tried for the payment.
    pub route: u32,
    /// The partner that gets the lock.
    pub via: AccountId,
    /// The amount of the lock, fees included.
    pub total: Balance,
    /// What the recipient gets of it.
    pub arrives: Balance,
    /// Its expiry.
    pub expiry: Clock,
    /// What the hops are told.
    pub onion: Onion,
    /// Reads a failure.
    pub keys: RouteKeys,
}

impl Core {
    /// Makes the locks of a payment. An attempt that has come back as a whole may be followed by
    /// another one under the same name and hash; parts that have come back by others, while the rest
    /// is pending. What could arrive is never more than the amount. Returns the payment if there is
    /// nothing to add to it.
    ///
    /// # Errors
    /// [`CommandError`]; then nothing is locked.
    pub(in crate::party) fn start_locked(
        &mut self,
        order: LockedOrder,
        out: &mut Output,
    ) -> Result<Option<PaymentRecord>, CommandError> {
        let LockedOrder { id, hash, to, asset, amount, source, parts } = order;
        let made = self.made_payment(id, &to, asset, amount)?;
        let known = self.locks.outgoing.get(&hash).cloned();
        let known = match (&made, known) {
            (_, Some(known)) if known.id != id => return Err(CommandError::HashUsed),
            (None, Some(_)) => return Err(CommandError::HashUsed),
            (Some(record), known) if !matches!(record.state, PaymentState::Failed(_)) => {
                let known = known.filter(|known| known.is_open() && known.proof.is_none());
                let Some(known) = known.filter(|known| known.source == source) else {
                    return Ok(made);
                };
                Some(known)
            },
            _ => None,
        };
        if !self.is_fresh() {
            return Err(CommandError::Stale);
        }
        for part in &parts {
            self.check_established(&part.via)?;
        }
        let Some(first) = parts.first().map(|part| part.via.clone()) else {
            return Err(CommandError::Invalid("a payment over no route".into()));
        };
        let watched = known.is_some();
        let mut payment =
            known.unwrap_or(Outgoing { id, amount, source, parts: vec![], proof: None });
        let arrives = parts.iter().try_fold(0, |sum: Balance, part| sum.checked_add(part.arrives));
        if arrives.is_none_or(|arrives| arrives > payment.missing()) {
            return match made {
                Some(_) if watched => Ok(made),
                _ => Err(CommandError::Invalid("the parts are more than the payment".into())),
            };
        }
        let before = payment.parts.len();
        let mut problem = None;
        for LockedPart { route, via, total, arrives, expiry, onion, keys } in parts {
            let epoch = self.entries.get(&via).map_or(0, |entry| entry.channel.epoch());
            let offer = Offer { asset: source, amount: total, hash, expiry, onion };
            let mut number = 0;
            let locked = self.try_channel(&via, out, |channel, ctx| {
                let (id, effects) = channel.lock(ctx, offer)?;
                number = id;
                Ok(effects)
            });
            if let Err(refused) = locked {
                problem = Some(refused);
                break;
            }
            let lock = LockRef { partner: via, epoch, id: number };
            self.locks.outward.insert(lock.clone(), Owner::Outgoing(hash));
            let state = PartState::Pending;
            payment.parts.push(Part { lock, keys, failure: None, state, route, total, arrives });
        }
        if let (Some(problem), true) = (&problem, payment.parts.len() == before) {
            return Err(problem.clone());
        }
        // Some parts are locked: others may follow, or the recipient gives these back.
        if let Some(problem) = problem {
            debug!(%problem, "a part of a payment cannot be made");
        }
        let fee = payment.spent().and_then(|spent| {
            let arrives = amount.checked_sub(payment.missing())?;
            if source == asset {
                spent.checked_sub(arrives)
            } else {
                Some(0)
            }
        });
        let record = PaymentRecord {
            at_ms: self.now_ms,
            direction: Direction::Out,
            asset,
            amount,
            fee: fee.unwrap_or(0),
            from: self.me.clone(),
            to,
            via: Some(first),
            nonce: 0,
            state: PaymentState::Locked,
        };
        self.store_payment(id, record, out);
        self.store_outgoing(hash, payment, out);
        if !watched {
            self.watch_hash(hash, out);
        }
        Ok(None)
    }

    /// A part could not even be made: whoever waits for the payment may find another way for it.
    pub(in crate::party) fn tell_missing(&mut self, hash: LockHash, out: &mut Output) {
        let Some(payment) = self.locks.outgoing.get(&hash) else { return };
        let (id, missing) = (payment.id, payment.missing());
        if missing > 0 {
            let failures = payment.failures();
            self.reply_payment(id, Err(CommandError::PartFailed { failures, missing }), out);
        }
    }

    fn store_outgoing(&mut self, hash: LockHash, record: Outgoing, out: &mut Output) {
        out.batch.put(Table::Outgoing, hash.to_vec(), record.encode());
        self.locks.outgoing.insert(hash, record);
    }

    /// Pays the pending locks whose secret was told: we pay, so no time limits us.
    pub(super) fn settle_outgoing(&mut self, hash: LockHash, out: &mut Output) {
        let Some(record) = self.locks.outgoing.get(&hash) else { return };
        let pending = record.parts.iter().filter(|part| part.state == PartState::Pending);
        let pending: Vec<_> = pending.map(|part| part.lock.clone()).collect();
        for lock in pending {
            let Some(entry) = self.entries.get(&lock.partner) else { continue };
            let said = entry.channel.state().said.get(&lock.id);
            let Some(LockAnswer::Fulfilled(secret)) = said.filter(|_| self.is_current(&lock))
            else {
                continue;
            };
            let settle = vec![(lock.id, *secret)];
            let settled =
                self.try_channel(&lock.partner, out, |channel, ctx| channel.settle(ctx, settle));
            if let Err(problem) = settled {
                // Frozen, or too much is unacknowledged: at the next block again.
                debug!(?lock, %problem, "a payment is not settled yet");
            }
        }
    }

    /// Settles what could not be settled before.
    pub(super) fn retry_outgoing(&mut self, out: &mut Output) {
        // Those that are open are watched; all that were ever made are not walked through.
        for hash in self.locks.watched.keys().copied().collect::<Vec<_>>() {
            self.settle_outgoing(hash, out);
        }
    }

    fn change_part(
        &mut self,
        hash: LockHash,
        lock: &LockRef,
        out: &mut Output,
        change: impl FnOnce(&mut Part),
    ) -> Option<Outgoing> {
        let record = self.locks.outgoing.get_mut(&hash)?;
        change(record.parts.iter_mut().find(|part| part.lock == *lock)?);
        out.batch.put(Table::Outgoing, hash.to_vec(), record.encode());
        Some(record.clone())
    }

    pub(super) fn note_outgoing_failure(
        &mut self,
        hash: LockHash,
        lock: &LockRef,
        failure: Vec<u8>,
        out: &mut Output,
    ) {
        self.change_part(hash, lock, out, |part| part.failure = Some(failure));
    }

    pub(super) fn outgoing_paid(
        &mut self,
        hash: LockHash,
        lock: &LockRef,
        secret: Option<Secret>,
        out: &mut Output,
    ) {
        let paid = self.change_part(hash, lock, out, |part| part.state = PartState::Paid);
        let Some(mut record) = paid else { return };
        let (id, first) = (record.id, record.proof.is_none());
        let over = !record.is_open();
        if record.proof.is_none() {
            record.proof = secret;
            self.store_outgoing(hash, record, out);
        }
        if over {
            self.forget_hash(hash, out);
        }
        if first {
            let moved = self.move_payment(id, PaymentState::Delivered, out);
            if let Some(payment) = moved {
                self.reply_payment(id, Ok(payment), out);
            }
        }
    }

    /// Nobody can tell whether a part was paid.
    pub(super) fn outgoing_unknown(&mut self, hash: LockHash, lock: &LockRef, out: &mut Output) {
        self.locks.outward.remove(lock);
        let ended = self.change_part(hash, lock, out, |part| part.state = PartState::Paid);
        let Some(record) = ended else { return };
        if !record.is_open() {
            self.forget_hash(hash, out);
        }
        if record.proof.is_none() {
            self.move_payment(record.id, PaymentState::Unknown, out);
            self.reply_payment(record.id, Err(CommandError::Pointless), out);
        }
    }

    pub(super) fn outgoing_dead(&mut self, hash: LockHash, lock: &LockRef, out: &mut Output) {
        let dead = self.change_part(hash, lock, out, |part| part.state = PartState::Dead);
        let Some(record) = dead else { return };
        let (failures, missing) = (record.failures(), record.missing());
        if record.is_open() {
            // Whoever waits for the payment may find another way for this part.
            if record.proof.is_none() {
                let error = CommandError::PartFailed { failures, missing };
                self.reply_payment(record.id, Err(error), out);
            }
            return;
        }
        self.forget_hash(hash, out);
        if record.parts.iter().any(|part| part.state == PartState::Paid) {
            return;
        }
        let failure = failures.last().unwrap_or(Failure::Expired);
        self.move_payment(record.id, PaymentState::Failed(failure), out);
        self.reply_payment(record.id, Err(CommandError::Failed(failures)), out);
    }
}
