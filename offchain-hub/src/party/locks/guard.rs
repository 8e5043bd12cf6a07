//! Brings secrets to the chain when a payer does not settle in time (`protocol.md` §8, M5, M6).
//!
//! At `expiry − ACT` every inward lock whose secret we have given out, and that is still pending, has
//! its secret revealed. A reveal travels alone, never in a batch with something that may fail. When
//! finality shows it, an honest payer settles by itself; one that has not when the lock has expired
//! is disputed, while the chain still keeps the secret. After a start the payer is given the same
//! grace: it may be waiting for us.
//!
//! No expired lock must stay pending: no close is signed before it is gone. An honest payer settles it
//! or takes it back as soon as it can. One that talks to us and does neither, or with which we cannot
//! get into step any more, is disputed too.

use super::{Core, LockRef, Output};
use crate::chain::{submit::Record, Call, Intent};
use failsafe_channel::{
    lock::{Answer, Secret},
    FreezeReason,
};
use failsafe_primitives::{AccountId, Clock, Lock};
use tracing::{error, warn};

/// Usable blocks after the expiry, or after our start, that a payer has to settle by what finality
/// shows.
const GRACE: Clock = 3;
/// Most secrets in one call.
const MAX_SECRETS: usize = 1_024;
/// Usable blocks until a dispute is tried again that we could not open or the chain did not take.
const PAUSE: Clock = 5;
/// Usable blocks that a payer has to clear an expired lock away, while it talks to us.
const HANG: Clock = 50;
/// Usable blocks without a word after which a payer counts as away: it gets its time again.
const AWAY: Clock = 20;
/// Usable blocks before the chain may forget a secret at which no grace is given any more.
const LAST_CALL: Clock = 20;

/// A payer that leaves an expired lock pending.
#[derive(Clone, Copy, Debug)]
pub(in crate::party) struct Hanging {
    /// Usable clock when that was first seen.
    since: Clock,
    /// Usable clock when it was there last.
    pub heard: Clock,
}

impl Core {
    /// Inward locks whose secrets we have given out.
    fn claimed(&self) -> Vec<(LockRef, Lock, Secret)> {
        let of = |partner: &AccountId| {
            let state = self.entries.get(partner)?.channel.state();
            let epoch = state.context.epoch;
            let claimed = state.answers.iter().filter_map(move |(id, answer)| match answer {
                Answer::Fulfilled(secret) => {
                    let (_, lock) = state.theirs.lock(*id)?;
                    let named = LockRef { partner: partner.clone(), epoch, id: *id };
                    Some((named, lock.clone(), *secret))
                },
                Answer::Failed(_) => None,
            });
            Some(claimed.collect::<Vec<_>>())
        };
        self.guarded.iter().filter_map(of).flatten().collect()
    }

    /// Reveals what is due. To be called with every new best block.
    pub(in crate::party) fn guard_best(&mut self, out: &mut Output) {
        self.locks.seen.expire(self.best.clock);
        self.end_incomplete(out);
        if self.guarded.is_empty() {
            return;
        }
        let Some(act) = self.act() else { return };
        let now = self.best.clock;
        let due = |lock: &Lock| now.saturating_add(act) >= lock.expiry && now < lock.expiry;
        let claimed = self.claimed().into_iter().filter(|(_, lock, _)| due(lock));
        let mut secrets: Vec<Secret> = vec![];
        for (named, lock, secret) in claimed {
            let on_chain = self.locks.reveals.contains_key(&lock.hash);
            if on_chain || secrets.contains(&secret) || self.is_revealing(&secret) {
                continue;
            }
            warn!(partner = %named.partner, lock = named.id, "not settled: revealing on chain");
            secrets.push(secret);
        }
        for secrets in secrets.chunks(MAX_SECRETS) {
            let call = Call::Reveal { secrets: secrets.to_vec() };
            self.submit(Record::new(Intent::Reveal, call), None, out);
        }
    }

    fn is_revealing(&self, secret: &Secret) -> bool {
        let reveals = |record: &Record| match &record.call {
            Call::Reveal { secrets } => secrets.contains(secret),
            _ => false,
        };
        self.calls.values().any(reveals)
    }

    /// Disputes payers that have not settled what finality shows as revealed in time, and settles
    /// what could not be settled before. To be called with every finalized block.
    pub(in crate::party) fn guard_finalized(&mut self, out: &mut Output) {
        self.retry_onward(out);
        self.retry_outgoing(out);
        let now = self.finalized.clock;
        let awake = *self.awake_since.get_or_insert(now);
        let keep = self.parameters.map_or(0, |parameters| parameters.keep);
        for (named, lock, _) in self.claimed() {
            let reveal = self.locks.reveals.get(&lock.hash).map(|reveal| reveal.at);
            let forgotten = reveal.map(|at| at.saturating_add(keep));
            let hurry = forgotten.is_some_and(|end| now.saturating_add(LAST_CALL) >= end);
            let grace = lock.expiry.max(if hurry { 0 } else { awake }).saturating_add(GRACE);
            if now <= grace {
                continue;
            }
            if !lock.counts(reveal) {
                error!(partner = %named.partner, lock = named.id, "A SECRET CAME TOO LATE TO THE CHAIN");
                continue;
            }
            if self.may_dispute(&named.partner, now) {
                let (partner, lock) = (&named.partner, named.id);
                warn!(%partner, lock, "not settled though revealed: a dispute");
                self.dispute_payer(partner, now, out);
            }
        }
        self.end_hanging(now, out);
    }

    /// Whether a payer is to be disputed, or once more: the chain may have refused it for want of a
    /// fee, and would forget the secret.
    fn may_dispute(&self, partner: &AccountId, now: Clock) -> bool {
        if self.is_process(partner) {
            // It is late, and settles by what the chain has.
            return false;
        }
        let tried = self.disputed.get(partner);
        if tried.is_some_and(|at| now < at.saturating_add(PAUSE)) {
            return false;
        }
        match self.entries.get(partner).and_then(|entry| entry.channel.frozen()) {
            None => true,
            Some(FreezeReason::OwnDispute) => self.open_dispute(partner).is_none(),
            Some(_) => false,
        }
    }

    fn dispute_payer(&mut self, partner: &AccountId, now: Clock, out: &mut Output) {
        self.disputed.insert(partner.clone(), now);
        let disputed = self.try_channel(partner, out, |channel, _| channel.dispute());
        if let Err(problem) = disputed {
            error!(%partner, %problem, "cannot dispute");
        }
    }

    /// Disputes payers that talk to us and leave expired locks pending.
    fn end_hanging(&mut self, now: Clock, out: &mut Output) {
        let before = std::mem::take(&mut self.hanging);
        for partner in self.guarded.clone() {
            let Some(entry) = self.entries.get(&partner) else { continue };
            if entry.channel.state().theirs.locks().all(|(_, lock)| now <= lock.expiry) {
                continue;
            }
            let known = before.get(&partner).copied();
            let known = known.filter(|hang| now <= hang.heard.saturating_add(AWAY));
            let mut hang = known.unwrap_or(Hanging { since: now, heard: now });
            if entry.session.is_some() {
                hang.heard = now;
            }
            self.hanging.insert(partner.clone(), hang);
            let patient = now < hang.since.saturating_add(HANG);
            if !patient && self.may_dispute(&partner, now) {
                warn!(%partner, "an expired lock stays pending: a dispute");
                self.dispute_payer(&partner, now, out);
            }
        }
    }
}
