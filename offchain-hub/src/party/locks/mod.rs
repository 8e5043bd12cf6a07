//! Payments with hash locks (`protocol.md` §4, §8).
//!
//! The engine keeps the locks; here is what they are for. Each inward lock either goes on to the next
//! hub or the recipient ([`mediate`]), or is a part of a payment to us ([`incoming`]); each outward
//! lock belongs to one of these, or to a payment of ours ([`outgoing`]). [`guard`] brings secrets to
//! the chain when a payer does not settle.
//!
//! # What a mediator relies on
//! * Its two locks, their records and its answer become durable in one batch.
//! * It fails the inward lock only when the onward one is dead: dropped with the partner's
//!   acknowledgement, expired by finality, or not counted by the resolve.
//! * It settles the onward lock for an *off-chain* secret only while that secret can still be brought
//!   to the chain for the inward one: best clock ≤ its expiry − ACT (M5).

mod guard;
pub mod incoming;
mod mediate;
pub mod outgoing;
mod seen;

pub(super) use guard::Hanging;
pub use mediate::name_of;

use super::core::{Action, Core, Output};
use crate::{
    chain::Track,
    metrics::Kind,
    store::{StoreError, Table},
};
use codec::{Decode, Encode};
use failsafe_channel::{
    lock::{FailReason, LockEnd, Onion, Secret},
    Refusal, Reveal,
};
use failsafe_onion::{Packet, Peeled, Reason, REJECTED};
use failsafe_primitives::{simplex::LockHash, AccountId, AssetId, Clock, Epoch, Lock};
use std::collections::{BTreeMap, HashMap};

/// Names a lock among those that we have made, or among those that partners have made.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct LockRef {
    /// With whom.
    pub partner: AccountId,
    /// The epoch of the channel.
    pub epoch: Epoch,
    /// The number of the lock.
    pub id: u64,
}

/// What a party remembers of locks.
#[derive(Default)]
pub(super) struct Locks {
    /// Payments that go through us, by their inward lock.
    pub mediated: BTreeMap<LockRef, mediate::Mediated>,
    /// Payments of ours, by hash.
    pub outgoing: BTreeMap<LockHash, outgoing::Outgoing>,
    /// What we want to be paid, by hash.
    pub invoices: BTreeMap<LockHash, incoming::Invoice>,
    /// Whose an outward lock is.
    pub outward: HashMap<LockRef, Owner>,
    /// The onions that have come.
    pub seen: seen::Seen,
    /// How often each hash is watched.
    pub watched: BTreeMap<LockHash, u32>,
    /// The registry of secrets at the newest finalized block, for hashes that are watched.
    pub reveals: HashMap<LockHash, Reveal>,
}

/// For what an outward lock was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The payment that came in with this lock.
    Mediated(LockRef),
    /// A payment of ours.
    Outgoing(LockHash),
}

impl Locks {
    /// After a restart.
    pub fn load(store: &dyn crate::store::Store) -> Result<Self, StoreError> {
        fn read<K: Decode, V: Decode>(
            store: &dyn crate::store::Store,
            table: Table,
        ) -> Result<Vec<(K, V)>, StoreError> {
            let damaged = |e: codec::Error| StoreError::Damaged {
                table: table.name(),
                reason: e.to_string(),
            };
            let records = store.scan(table)?.into_iter();
            records
                .map(|(key, value)| {
                    let key = K::decode(&mut &key[..]).map_err(damaged)?;
                    Ok((key, V::decode(&mut &value[..]).map_err(damaged)?))
                })
                .collect()
        }
        let mut locks = Self::default();
        for (inward, record) in read::<LockRef, mediate::Mediated>(store, Table::Mediated)? {
            locks.outward.insert(record.outward.clone(), Owner::Mediated(inward.clone()));
            locks.seen.note(&record.shared, record.expiry);
            locks.mediated.insert(inward, record);
        }
        for (hash, record) in read::<LockHash, outgoing::Outgoing>(store, Table::Outgoing)? {
            for part in &record.parts {
                locks.outward.insert(part.lock.clone(), Owner::Outgoing(hash));
            }
            locks.outgoing.insert(hash, record);
        }
        locks.invoices = read(store, Table::Invoices)?.into_iter().collect();
        let mediated = locks.mediated.values().map(|record| record.lock.hash);
        let open = locks.outgoing.iter().filter(|(_, record)| record.is_open());
        let parts = locks.invoices.iter().flat_map(|(hash, i)| i.parts.iter().map(move |_| *hash));
        let hashes: Vec<_> = mediated.chain(open.map(|(hash, _)| *hash)).chain(parts).collect();
        for hash in hashes {
            locks.watch(hash);
        }
        Ok(locks)
    }

    fn watch(&mut self, hash: LockHash) {
        let count = self.watched.entry(hash).or_default();
        *count = count.saturating_add(1);
    }

    /// Whether nothing needs the hash any more.
    fn unwatch(&mut self, hash: &LockHash) -> bool {
        let Some(count) = self.watched.get_mut(hash) else { return false };
        *count = count.saturating_sub(1);
        let over = *count == 0;
        if over {
            self.watched.remove(hash);
            self.reveals.remove(hash);
        }
        over
    }
}

/// What the engine's refusal of an onward lock means to the payer.
pub(super) fn reason_of(refusal: &Refusal, asset: AssetId) -> Reason {
    match refusal {
        Refusal::AboveCapacity { .. } => Reason::Capacity { asset },
        Refusal::AssetNotAccepted(_) => Reason::AssetNotAccepted,
        Refusal::Frozen(_) | Refusal::Closing | Refusal::DataLost | Refusal::Paused => {
            Reason::Frozen
        },
        Refusal::TooManyLocks | Refusal::Limits(_) | Refusal::HashPending => Reason::TooManyLocks,
        Refusal::ExpiryTooFar { .. } => Reason::ExpiryTooFar,
        Refusal::LockExpired { .. } => Reason::ExpiryTooSoon,
        _ => Reason::Unavailable,
    }
}

impl Core {
    /// The partner offers a lock: it is paid on, taken, or failed.
    pub(super) fn on_lock_offered(
        &mut self,
        partner: &AccountId,
        asset: AssetId,
        lock: Lock,
        onion: Onion,
        out: &mut Output,
    ) {
        let Some(entry) = self.entries.get(partner) else { return };
        let epoch = entry.channel.epoch();
        let inward = LockRef { partner: partner.clone(), epoch, id: lock.id };
        let peeled = Packet::try_from(&onion[..])
            .and_then(|packet| failsafe_onion::peel(&self.onion_key, &packet, &lock.hash));
        let answer = match peeled {
            Err(problem) => Some(problem.answer()),
            Ok(peeled) => self.use_lock(&inward, asset, &lock, onion, peeled, out),
        };
        if let Some(answer) = answer {
            self.fail_inward(&inward, answer, out);
        }
    }

    /// Does what the onion says; the answer to the payer if that cannot be done.
    fn use_lock(
        &mut self,
        inward: &LockRef,
        asset: AssetId,
        lock: &Lock,
        onion: Onion,
        peeled: Peeled,
        out: &mut Output,
    ) -> Option<Vec<u8>> {
        let shared = peeled.shared.clone();
        if !self.locks.seen.note(&shared, peeled.hop.expiry) {
            // It must not be answered under the same keys again.
            return Some(REJECTED.to_vec());
        }
        let done = match (&peeled.next_packet, self.process_of_hop(&peeled.hop.next)) {
            (Some(_), Some(process)) => {
                self.lock_over(inward, asset, lock, onion, &peeled, process, out)
            },
            (Some(packet), None) => self.mediate(inward, asset, lock, &peeled, packet.clone(), out),
            (None, _) => self.receive_lock(inward, asset, lock, &peeled, out),
        };
        let reason = done.err()?;
        if peeled.next_packet.is_some() {
            self.counters.refused(Kind::Locked, &reason);
        }
        Some(failsafe_onion::fail(&shared, &reason))
    }

    /// Tells the payer's side of an inward lock that we do not claim it.
    pub(super) fn fail_inward(&mut self, inward: &LockRef, answer: Vec<u8>, out: &mut Output) {
        if !self.is_current(inward) {
            return;
        }
        let reason: FailReason = answer.try_into().unwrap_or_default();
        let failed = self
            .try_channel(&inward.partner, out, |channel, _| channel.fail_lock(inward.id, reason));
        if let Err(problem) = failed {
            // It has gone, or was answered.
            tracing::debug!(?inward, %problem, "an inward lock is not failed");
        }
    }

    /// Tells the payer's side of an inward lock its secret.
    pub(super) fn fulfill_inward(&mut self, inward: &LockRef, secret: Secret, out: &mut Output) {
        if !self.is_current(inward) {
            return;
        }
        let told =
            self.try_channel(&inward.partner, out, |channel, _| channel.fulfill(inward.id, secret));
        if let Err(problem) = told {
            tracing::warn!(?inward, %problem, "a secret cannot be told");
        }
    }

    /// Whether the epoch of a lock is still the channel's.
    pub(super) fn is_current(&self, lock: &LockRef) -> bool {
        let entry = self.entries.get(&lock.partner);
        entry.is_some_and(|entry| entry.channel.epoch() == lock.epoch)
    }

    pub(super) fn current(&self, partner: &AccountId, id: u64) -> Option<LockRef> {
        let epoch = self.entries.get(partner)?.channel.epoch();
        Some(LockRef { partner: partner.clone(), epoch, id })
    }

    /// The partner has told the secret of a lock of ours.
    pub(super) fn on_lock_fulfilled(
        &mut self,
        partner: &AccountId,
        lock: &Lock,
        secret: Secret,
        out: &mut Output,
    ) {
        let Some(outward) = self.current(partner, lock.id) else { return };
        match self.locks.outward.get(&outward).cloned() {
            Some(Owner::Mediated(inward)) => {
                self.learn(&inward, secret, out);
                self.settle_onward(&inward, out);
            },
            Some(Owner::Outgoing(hash)) => self.settle_outgoing(hash, out),
            None => {},
        }
    }

    /// The partner does not claim a lock of ours: nothing follows before it is dead.
    pub(super) fn on_lock_failed(
        &mut self,
        partner: &AccountId,
        id: u64,
        reason: FailReason,
        out: &mut Output,
    ) {
        let Some(outward) = self.current(partner, id) else { return };
        match self.locks.outward.get(&outward).cloned() {
            Some(Owner::Mediated(inward)) => self.note_failure(&inward, reason.into_inner(), out),
            Some(Owner::Outgoing(hash)) => {
                self.note_outgoing_failure(hash, &outward, reason.into_inner(), out);
            },
            None => {},
        }
    }

    /// A lock of ours is paid.
    pub(super) fn on_lock_paid(
        &mut self,
        outward: LockRef,
        secret: Option<Secret>,
        out: &mut Output,
    ) {
        match self.locks.outward.remove(&outward) {
            Some(Owner::Mediated(inward)) => self.onward_paid(&inward, secret, out),
            Some(Owner::Outgoing(hash)) => self.outgoing_paid(hash, &outward, secret, out),
            None => {},
        }
    }

    /// Nobody can claim a lock of ours any more.
    pub(super) fn on_lock_dead(&mut self, outward: LockRef, out: &mut Output) {
        match self.locks.outward.remove(&outward) {
            Some(Owner::Mediated(inward)) => self.onward_dead(&inward, out),
            Some(Owner::Outgoing(hash)) => self.outgoing_dead(hash, &outward, out),
            None => {},
        }
    }

    /// A lock of the partner has gone: paid or not.
    pub(super) fn on_inward_gone(
        &mut self,
        inward: LockRef,
        asset: AssetId,
        lock: &Lock,
        paid: bool,
        out: &mut Output,
    ) {
        if self.locks.mediated.contains_key(&inward) {
            self.mediated_inward_gone(&inward, paid, out);
        } else {
            self.incoming_gone(&inward, asset, lock, paid, out);
        }
    }

    /// A lock was pending when its epoch ended.
    pub(super) fn on_lock_ended(
        &mut self,
        lock_ref: LockRef,
        ours: bool,
        asset: AssetId,
        lock: &Lock,
        end: LockEnd,
        out: &mut Output,
    ) {
        let secret = self.locks.reveals.get(&lock.hash).map(|reveal| reveal.secret);
        match (ours, end) {
            (true, LockEnd::Counted) => self.on_lock_paid(lock_ref, secret, out),
            (true, LockEnd::Dropped) => self.on_lock_dead(lock_ref, out),
            // It may have been paid: what pays for it is not given back.
            (true, LockEnd::Unknown) => match self.locks.outward.get(&lock_ref).cloned() {
                Some(Owner::Outgoing(hash)) => self.outgoing_unknown(hash, &lock_ref, out),
                _ => self.on_lock_paid(lock_ref, secret, out),
            },
            (false, end) => {
                self.on_inward_gone(lock_ref, asset, lock, end == LockEnd::Counted, out);
            },
        }
    }

    /// Secrets that the chain has. A finalized one is what the engine judges by; one in a best block
    /// is as good as told by the partner: it opens the lock, wherever it comes from.
    pub(super) fn on_reveals(
        &mut self,
        reveals: Vec<(LockHash, Reveal)>,
        finalized: bool,
        out: &mut Output,
    ) {
        for (hash, reveal) in reveals {
            if finalized {
                self.locks.reveals.insert(hash, reveal);
            }
            let mediated = self.locks.mediated.iter().filter(|(_, m)| m.lock.hash == hash);
            let inward: Vec<_> = mediated.map(|(inward, _)| inward.clone()).collect();
            for inward in inward {
                self.learn(&inward, reveal.secret, out);
            }
        }
    }

    /// Watches the chain for the secret of `hash`.
    pub(super) fn watch_hash(&mut self, hash: LockHash, out: &mut Output) {
        self.locks.watch(hash);
        out.actions.push(Action::Track(Track::Hash(hash)));
    }

    /// Watches no more for the secret of `hash`, unless something else needs it.
    pub(super) fn forget_hash(&mut self, hash: LockHash, out: &mut Output) {
        if self.locks.unwatch(&hash) {
            out.actions.push(Action::Track(Track::Forget(hash)));
        }
    }

    /// Usable blocks that a reveal needs (ACT), as far as the chain's parameters are known.
    pub(super) fn act(&self) -> Option<Clock> {
        self.parameters.as_ref().map(|parameters| parameters.act)
    }
}
