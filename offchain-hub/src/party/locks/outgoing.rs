//! Payments of ours with locks.

use super::{Core, LockRef, Output, Owner};
use crate::{
    party::{
        records::{Direction, Failure, PaymentRecord, PaymentState},
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
}

/// A payment of ours.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Outgoing {
    /// Its name.
    pub id: PaymentId,
    /// Its parts; those of earlier attempts are gone.
    pub parts: Vec<Part>,
    /// The secret: proof of payment.
    pub proof: Option<Secret>,
}

impl Outgoing {
    /// Whether a part may still be claimed.
    pub fn is_open(&self) -> bool {
        self.parts.iter().any(|part| part.state == PartState::Pending)
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
    /// The ways that it takes.
    pub parts: Vec<LockedPart>,
}

/// One way of a payment.
#[derive(Clone, Debug)]
pub struct LockedPart {
    /// The partner that gets the lock.
    pub via: AccountId,
    /// The amount of the lock, fees included.
    pub total: Balance,
    /// Its expiry.
    pub expiry: Clock,
    /// What the hops are told.
    pub onion: Onion,
    /// Reads a failure.
    pub keys: RouteKeys,
}

impl Core {
    /// Makes the locks of a payment. An attempt that has come back as a whole may be followed by
    /// another one under the same name and hash.
    ///
    /// # Errors
    /// [`CommandError`]; then nothing is locked.
    pub(in crate::party) fn start_locked(
        &mut self,
        order: LockedOrder,
        out: &mut Output,
    ) -> Result<Option<PaymentRecord>, CommandError> {
        let LockedOrder { id, hash, to, asset, amount, parts } = order;
        if let Some(record) = self.made_payment(id, &to, asset, amount)? {
            if !matches!(record.state, PaymentState::Failed(_)) {
                return Ok(Some(record));
            }
        }
        let known = self.locks.outgoing.get(&hash);
        if known.is_some_and(|known| known.id != id || known.is_open() || known.proof.is_some()) {
            return Err(CommandError::HashUsed);
        }
        if !self.is_fresh() {
            return Err(CommandError::Stale);
        }
        let mut total: Balance = 0;
        for part in &parts {
            self.check_established(&part.via)?;
            total = total.checked_add(part.total).ok_or(CommandError::Overflow)?;
        }
        let fee = total.checked_sub(amount).ok_or(CommandError::Overflow)?;
        let Some(first) = parts.first().map(|part| part.via.clone()) else {
            return Err(CommandError::Invalid("a payment over no route".into()));
        };
        let mut made: Vec<Part> = vec![];
        let mut problem = None;
        for LockedPart { via, total, expiry, onion, keys } in parts {
            let epoch = self.entries.get(&via).map_or(0, |entry| entry.channel.epoch());
            let offer = Offer { asset, amount: total, hash, expiry, onion };
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
            made.push(Part { lock, keys, failure: None, state: PartState::Pending });
        }
        if let (Some(problem), true) = (&problem, made.is_empty()) {
            return Err(problem.clone());
        }
        // Some parts are locked: the recipient gives them back when the others do not come.
        if let Some(problem) = problem {
            debug!(%problem, "a part of a payment cannot be made");
        }
        let record = PaymentRecord {
            at_ms: self.now_ms,
            direction: Direction::Out,
            asset,
            amount,
            fee,
            from: self.me.clone(),
            to,
            via: Some(first),
            nonce: 0,
            state: PaymentState::Locked,
        };
        self.store_payment(id, record, out);
        self.store_outgoing(hash, Outgoing { id, parts: made, proof: None }, out);
        self.watch_hash(hash, out);
        Ok(None)
    }

    fn store_outgoing(&mut self, hash: LockHash, record: Outgoing, out: &mut Output) {
        out.batch.put(Table::Outgoing, hash.to_vec(), record.encode());
        self.locks.outgoing.insert(hash, record);
    }

    /// The secret of a payment of ours by its hash, once it is paid.
    pub(in crate::party) fn proof_of(&self, hash: &LockHash) -> Option<Secret> {
        self.locks.outgoing.get(hash)?.proof
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
        let Some(record) = dead.filter(|record| !record.is_open()) else { return };
        self.forget_hash(hash, out);
        if record.parts.iter().any(|part| part.state == PartState::Paid) {
            return;
        }
        let mut failures = record
            .parts
            .iter()
            .filter_map(|part| part.failure.as_ref().map(|bytes| Failure::read(&part.keys, bytes)));
        let failure = failures.next_back().unwrap_or(Failure::Expired);
        self.move_payment(record.id, PaymentState::Failed(failure), out);
        self.reply_payment(record.id, Err(CommandError::Failed(failure)), out);
    }
}
