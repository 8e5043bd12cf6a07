//! Hash locks: payments that count only once their secret is known (`protocol.md` §4, §8).
//!
//! A lock lives in the simplex of who offers it. It goes in one of three ways, each by an update of
//! its offerer: **settled** against the secret, **cancelled** after the receiver has failed it, or
//! **expired** when the finalized chain has no reveal in time. The receiver says `Fulfill` or `Fail`,
//! once and durably; after a reconnect it says it again for every lock that is still pending.
//!
//! What the chain has decided needs no partner: the engine settles its own locks whose secret was
//! revealed in time, and drops those that have expired or were failed, by itself
//! ([`Channel::tidy_locks`]). Whether an *off-chain* secret is still accepted is the host's decision
//! ([`Channel::settle`]): a hub must be able to use it upstream.
//!
//! # When an onward payment is dead
//! A cancelled lock is dead only when the partner has acknowledged a simplex without it: until then
//! it may dispute with an older one. An expired lock is dead at once, since finality has shown that
//! no reveal can come in time any more (M20). A lock that was pending when its epoch ended has the
//! outcome of the resolve. [`Event::LockDead`] says so, once; only then may a hub fail the lock that
//! pays for it.

use crate::{
    effect::{Effect, Event},
    error::{Fault, Refusal},
    message::{Message, Transition},
    state::{Channel, Half},
    update::Judge,
    Context,
};
use codec::{Decode, Encode};
use failsafe_primitives::{
    arithmetic::within_limit,
    evidence::{had_counted, late_worth, latest_expiry_at_start},
    simplex::{lock_hash, LockHash},
    view::OldEpochView,
    AssetId, Balance, Clock, Entry, Epoch, Lock, Nonce, Side,
};
use std::collections::BTreeMap;

pub use crate::message::{FailReason, Onion};

/// A preimage of a [`LockHash`].
pub type Secret = [u8; 32];

/// Whether `secret` opens `hash`.
pub fn opens(secret: &Secret, hash: &LockHash) -> bool {
    lock_hash(secret) == *hash
}

/// What the receiver of a lock has said about it: one or the other, never both.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// It knows the secret.
    #[codec(index = 0)]
    Fulfilled(Secret),
    /// It will not claim it.
    #[codec(index = 1)]
    Failed(FailReason),
}

/// Answers of a receiver, by the id of the lock.
pub type Answers = BTreeMap<u64, Answer>;

/// An own lock that an update has dropped, and that the partner may still enforce by an older
/// simplex until it has acknowledged that update.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Dying {
    /// The asset.
    pub asset: AssetId,
    /// The lock.
    pub lock: Lock,
    /// Nonce of the simplex without it.
    pub nonce: Nonce,
}

/// A new lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The asset.
    pub asset: AssetId,
    /// The amount.
    pub amount: Balance,
    /// SHA-256 of the secret.
    pub hash: LockHash,
    /// Last usable block at which a reveal counts.
    pub expiry: Clock,
    /// Instructions for the receiver.
    pub onion: Onion,
}

/// How a lock ended that was pending when its epoch did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockEnd {
    /// The resolve has counted it as paid.
    Counted,
    /// The resolve has not counted it: nobody can claim it any more.
    Dropped,
    /// The chain has forgotten what the resolve counted: our node was away for longer than that.
    Unknown,
}

impl Half {
    /// The pending lock `id`, with its asset.
    pub fn lock(&self, id: u64) -> Option<(AssetId, &Lock)> {
        self.locks().find(|(_, lock)| lock.id == id)
    }

    /// All pending locks, with their assets.
    pub fn locks(&self) -> impl Iterator<Item = (AssetId, &Lock)> {
        let entries = self.simplex.entries.iter();
        entries.flat_map(|entry| entry.locks.iter().map(|lock| (entry.asset, lock)))
    }

    /// Takes the pending lock `id` out of the simplex.
    fn take_lock(&mut self, id: u64) -> Result<(&mut Entry, Lock), Fault> {
        for entry in &mut self.simplex.entries {
            if let Ok(i) = entry.locks.binary_search_by_key(&id, |lock| lock.id) {
                let lock = entry.locks.remove(i);
                return Ok((entry, lock));
            }
        }
        Err(Fault::UnknownLock(id))
    }
}

impl Judge<'_> {
    /// Adds a lock. Its expiry is judged by the newest block of the judge, whose clock is not below
    /// that of `as_of`; whether it leaves enough time is for the receiver to say, by a `Fail`.
    pub(crate) fn lock(&self, half: &mut Half, offer: &Transition) -> Result<(), Fault> {
        let Transition::Lock { asset, id, amount, hash, expiry, .. } = offer else {
            return Err(Fault::Mismatch("not a lock"));
        };
        if *amount == 0 {
            return Err(Fault::AmountZero);
        }
        if *id < half.next_lock {
            return Err(Fault::LockIdUsed(*id));
        }
        if half.locks().any(|(_, lock)| lock.hash == *hash) {
            return Err(Fault::HashPending);
        }
        let latest = latest_expiry_at_start(self.now.clock, self.now.lock_window);
        if *expiry > latest {
            return Err(Fault::ExpiryTooFar { expiry: *expiry, latest });
        }
        let available = self.capacity(half, *asset)?;
        if *amount > available {
            return Err(Fault::AboveCapacity { asset: *asset, amount: *amount, available });
        }
        let lock = Lock { id: *id, amount: *amount, hash: *hash, expiry: *expiry };
        let entry = half.entry_mut(*asset)?;
        entry.locks.try_push(lock).map_err(|_| Fault::TooManyLocks)?;
        let locked = entry.locked().map_err(Fault::Simplex)?;
        within_limit(locked).map_err(|_| Fault::Overflow)?;
        half.next_lock = id.checked_add(1).ok_or(Fault::Overflow)?;
        Ok(())
    }

    pub(crate) fn settle(&self, half: &mut Half, id: u64, secret: &Secret) -> Result<(), Fault> {
        let (entry, lock) = half.take_lock(id)?;
        if !opens(secret, &lock.hash) {
            return Err(Fault::WrongSecret(id));
        }
        let sent = entry.sent.checked_add(lock.amount).ok_or(Fault::Overflow)?;
        entry.sent = within_limit(sent).map_err(|_| Fault::Overflow)?;
        Ok(())
    }

    pub(crate) fn cancel(&self, half: &mut Half, id: u64) -> Result<(), Fault> {
        half.take_lock(id)?;
        if !matches!(self.answers.get(&id), Some(Answer::Failed(_))) {
            return Err(Fault::NotFailed(id));
        }
        Ok(())
    }

    pub(crate) fn expire(&self, half: &mut Half, id: u64) -> Result<(), Fault> {
        let (_, lock) = half.take_lock(id)?;
        if lock.expiry >= self.now.clock || lock.counts((self.now.revealed)(&lock.hash)) {
            return Err(Fault::NotExpired(id));
        }
        Ok(())
    }
}

impl Channel {
    /// Offers a lock. The partner answers with [`Event::LockFulfilled`] or [`Event::LockFailed`].
    /// Returns the id of the lock, which is never used again in this epoch (M19).
    ///
    /// # Errors
    /// [`Refusal`] when no updates may be made now, or by the rules by which the partner would judge
    /// it. Also when `expiry` is not after the newest finalized block.
    pub fn lock(&mut self, ctx: &Context<'_>, offer: Offer) -> Result<(u64, Vec<Effect>), Refusal> {
        let id = self.next_lock_id();
        if offer.expiry <= ctx.finalized.clock {
            return Err(Refusal::LockExpired { expiry: offer.expiry, clock: ctx.finalized.clock });
        }
        let effects = self.update(ctx, vec![offer.transition(id)])?;
        Ok((id, effects))
    }

    /// The id that the next lock of ours gets; the one after it the next number, and so on.
    pub fn next_lock_id(&self) -> u64 {
        self.state.mine.next_lock
    }

    /// Pays own locks whose secrets the host knows, all by one update.
    pub fn settle(
        &mut self,
        ctx: &Context<'_>,
        locks: Vec<(u64, Secret)>,
    ) -> Result<Vec<Effect>, Refusal> {
        let settle = |(id, secret)| Transition::Settle { id, secret };
        self.update(ctx, locks.into_iter().map(settle).collect())
    }

    /// Tells the partner the secret of its lock `id`, durably; also when the channel is frozen, since
    /// the partner can use it elsewhere. Nothing happens when it has been told already.
    ///
    /// # Errors
    /// [`Refusal::UnknownLock`], [`Refusal::WrongSecret`], or [`Refusal::LockFailed`] when it has been
    /// told that we do not claim it.
    pub fn fulfill(&mut self, id: u64, secret: Secret) -> Result<Vec<Effect>, Refusal> {
        let (_, lock) = self.state.theirs.lock(id).ok_or(Refusal::UnknownLock(id))?;
        if !opens(&secret, &lock.hash) {
            return Err(Refusal::WrongSecret(id));
        }
        self.answer(id, Answer::Fulfilled(secret))
    }

    /// Tells the partner, durably, that we do not claim its lock `id`. A hub says so only when its
    /// own onward lock is dead, or was never made.
    ///
    /// # Errors
    /// [`Refusal::UnknownLock`], or [`Refusal::LockFulfilled`] when it has the secret.
    pub fn fail_lock(&mut self, id: u64, reason: FailReason) -> Result<Vec<Effect>, Refusal> {
        self.state.theirs.lock(id).ok_or(Refusal::UnknownLock(id))?;
        self.answer(id, Answer::Failed(reason))
    }

    fn answer(&mut self, id: u64, answer: Answer) -> Result<Vec<Effect>, Refusal> {
        match (self.state.answers.get(&id), &answer) {
            (None, _) => {},
            (Some(Answer::Fulfilled(_)), Answer::Fulfilled(_))
            | (Some(Answer::Failed(_)), Answer::Failed(_)) => return Ok(vec![]),
            (Some(Answer::Fulfilled(_)), _) => return Err(Refusal::LockFulfilled(id)),
            (Some(Answer::Failed(_)), _) => return Err(Refusal::LockFailed(id)),
        }
        let message = answer_message(self.epoch(), id, &answer);
        self.state.answers.insert(id, answer);
        Ok(vec![Effect::Persist, Effect::Send(message)])
    }

    /// Every answer about a lock that is still pending, for a partner that has reconnected.
    pub(crate) fn repeat_answers(&self) -> impl Iterator<Item = Effect> + '_ {
        let epoch = self.epoch();
        let answers = self.state.answers.iter();
        answers.map(move |(id, answer)| Effect::Send(answer_message(epoch, *id, answer)))
    }

    /// The partner tells the secret of a lock of ours. It is taken even when the lock has been
    /// dropped but may still be enforced, and when the channel is frozen: knowing it never hurts.
    pub(crate) fn on_fulfill(
        &mut self,
        epoch: Epoch,
        id: u64,
        secret: Secret,
    ) -> Result<Vec<Effect>, Fault> {
        if epoch != self.epoch() {
            return Ok(vec![]);
        }
        let dying = self.state.dying.iter().find(|dying| dying.lock.id == id);
        let dying = dying.map(|dying| (dying.asset, &dying.lock));
        let Some((asset, lock)) = self.state.mine.lock(id).or(dying) else {
            return self.gone(id);
        };
        if !opens(&secret, &lock.hash) {
            return Err(Fault::WrongSecret(id));
        }
        let known = Answer::Fulfilled(secret);
        if self.state.said.get(&id) == Some(&known) {
            return Ok(vec![]);
        }
        let event = Event::LockFulfilled { asset, lock: lock.clone(), secret };
        self.state.said.insert(id, known);
        Ok(vec![Effect::Persist, Effect::Event(event)])
    }

    /// The partner does not claim a lock of ours. It is dropped by the next update, and dead when
    /// that is acknowledged.
    pub(crate) fn on_fail(
        &mut self,
        ctx: &Context<'_>,
        epoch: Epoch,
        id: u64,
        reason: FailReason,
    ) -> Result<Vec<Effect>, Fault> {
        if epoch != self.epoch() {
            return Ok(vec![]);
        }
        let Some((asset, lock)) = self.state.mine.lock(id) else { return self.gone(id) };
        if self.state.said.contains_key(&id) {
            return Ok(vec![]);
        }
        let event = Event::LockFailed { asset, lock: lock.clone(), reason: reason.clone() };
        self.state.said.insert(id, Answer::Failed(reason));
        let mut effects = vec![Effect::Persist, Effect::Event(event)];
        effects.extend(self.tidy_locks(ctx));
        Ok(effects)
    }

    /// An answer about a lock that has gone is late; about one that never was it is a fault.
    fn gone(&self, id: u64) -> Result<Vec<Effect>, Fault> {
        if id < self.state.mine.next_lock {
            Ok(vec![])
        } else {
            Err(Fault::UnknownLock(id))
        }
    }

    /// Settles own locks whose secret the finalized chain has in time, and drops those that were
    /// failed or have expired: as soon as updates may be made.
    pub(crate) fn tidy_locks(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        let mut effects = self.bury_expired(ctx);
        effects.extend(self.drop_locks(ctx));
        effects
    }

    /// A cancelled lock whose Ack does not come is dead at the latest when it has expired.
    fn bury_expired(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        if self.restored() {
            return vec![];
        }
        let expired = |dying: &Dying| {
            let lock = &dying.lock;
            ctx.finalized.clock > lock.expiry && !lock.counts(ctx.revealed_at(&lock.hash))
        };
        let (dead, dying): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.state.dying).into_iter().partition(expired);
        self.state.dying = dying;
        if dead.is_empty() {
            return vec![];
        }
        let dead =
            dead.into_iter().map(|Dying { asset, lock, .. }| Event::LockDead { asset, lock });
        std::iter::once(Effect::Persist).chain(dead.map(Effect::Event)).collect()
    }

    fn drop_locks(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        if self.check_open().is_err() || !self.state.mine.simplex.has_locks() {
            return vec![];
        }
        let clock = ctx.finalized.clock;
        let over = |(_, lock): (AssetId, &Lock)| {
            let id = lock.id;
            if let Some(reveal) = ctx.reveal(&lock.hash) {
                if lock.counts(Some(reveal.at)) {
                    return Some(Transition::Settle { id, secret: reveal.secret });
                }
            }
            if clock > lock.expiry {
                return Some(Transition::Expire { id });
            }
            let failed = matches!(self.state.said.get(&id), Some(Answer::Failed(_)));
            failed.then_some(Transition::Cancel { id })
        };
        let transitions: Vec<_> = self.state.mine.locks().filter_map(over).collect();
        if transitions.is_empty() {
            return vec![];
        }
        // Too many unacknowledged updates, or our node is behind: at the next block again.
        self.update(ctx, transitions).unwrap_or_default()
    }

    /// What `transitions`, applied to `before` and leading to `nonce`, mean for the host. `ours`:
    /// whether the locks are our own.
    pub(crate) fn lock_events(
        &mut self,
        before: &Half,
        transitions: &[Transition],
        nonce: Nonce,
        ours: bool,
    ) -> Vec<Effect> {
        let mut effects = vec![];
        for transition in transitions {
            let of = |id: u64| before.lock(id).map(|(asset, lock)| (asset, lock.clone()));
            match transition {
                Transition::Settle { id, secret } => {
                    let Some((asset, lock)) = of(*id) else { continue };
                    let secret = *secret;
                    effects.push(Effect::Event(if ours {
                        self.state.said.remove(id);
                        Event::LockPaid { asset, lock, secret }
                    } else {
                        self.state.answers.remove(id);
                        Event::LockSettled { asset, lock, secret }
                    }));
                },
                Transition::Cancel { id } | Transition::Expire { id } => {
                    let Some((asset, lock)) = of(*id) else { continue };
                    if !ours {
                        self.state.answers.remove(id);
                        effects.push(Effect::Event(Event::LockWithdrawn { asset, lock }));
                        continue;
                    }
                    self.state.said.remove(id);
                    if matches!(transition, Transition::Expire { .. }) {
                        effects.push(Effect::Event(Event::LockDead { asset, lock }));
                    } else {
                        self.state.dying.push(Dying { asset, lock, nonce });
                    }
                },
                Transition::Lock { asset, id, amount, hash, expiry, onion } if !ours => {
                    let lock = Lock { id: *id, amount: *amount, hash: *hash, expiry: *expiry };
                    let (asset, onion) = (*asset, onion.clone());
                    effects.push(Effect::Event(Event::LockOffered { asset, lock, onion }));
                },
                Transition::Lock { .. }
                | Transition::Pay { .. }
                | Transition::Reserve { .. }
                | Transition::Unreserve { .. } => {},
            }
        }
        effects
    }

    /// The partner has acknowledged our simplex `nonce`: what it no longer holds is dead.
    pub(crate) fn bury_locks(&mut self, nonce: Nonce) -> Vec<Effect> {
        let (dead, dying): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.state.dying).into_iter().partition(|d| d.nonce <= nonce);
        self.state.dying = dying;
        let dead = dead.into_iter();
        dead.map(|Dying { asset, lock, .. }| Effect::Event(Event::LockDead { asset, lock }))
            .collect()
    }

    /// What became of the locks that were pending when the epoch ended, dropped ones that the partner
    /// could still enforce included.
    ///
    /// The partner may have brought a newer simplex of its own than we know, in which it had settled
    /// what we had fulfilled: then more has counted than our copy says, and as far as that goes our
    /// fulfilled locks have counted. Whatever it was for, the money is ours.
    pub(crate) fn end_locks(&self, old: Option<&OldEpochView>) -> Vec<Effect> {
        let (side, epoch) = (self.state.side, self.epoch());
        let theirs = side.other();
        let listed = |side: Side, asset: AssetId, lock: &Lock| {
            old.map(|old| had_counted(asset, lock, &old.locks[side.index()]))
        };
        let end = |counted: Option<bool>| match counted {
            None => LockEnd::Unknown,
            Some(true) => LockEnd::Counted,
            Some(false) => LockEnd::Dropped,
        };
        let dying = self.state.dying.iter().map(|dying| (dying.asset, &dying.lock));
        let mut effects: Vec<Effect> = vec![];
        for (asset, lock) in self.state.mine.locks().chain(dying) {
            let (lock, end) = match (lock.clone(), end(listed(side, asset, lock))) {
                // We may have settled it by a simplex that our copy does not have.
                (lock, LockEnd::Dropped) if self.restored() => (lock, LockEnd::Unknown),
                known => known,
            };
            effects.push(Effect::Event(Event::LockEnded { ours: true, epoch, asset, lock, end }));
        }
        // How much more has counted than our copy of the partner's simplex is worth.
        let more = old.iter().flat_map(|old| {
            let (counted, locks) = (&old.counted[theirs.index()], &old.locks[theirs.index()]);
            counted.iter().filter_map(|(asset, counted)| {
                let entry = self.state.theirs.simplex.entry(*asset);
                let worth = entry.map_or(Some(0), |entry| late_worth(entry, locks))?;
                Some((*asset, counted.checked_sub(worth)?))
            })
        });
        let mut more: BTreeMap<AssetId, Balance> = more.collect();
        for (asset, lock) in self.state.theirs.locks() {
            let mut counted = listed(theirs, asset, lock);
            let fulfilled = self.state.answers.get(&lock.id);
            if counted == Some(false) && matches!(fulfilled, Some(Answer::Fulfilled(_))) {
                if let Some(rest) = more.get(&asset).and_then(|m| m.checked_sub(lock.amount)) {
                    more.insert(asset, rest);
                    counted = Some(true);
                }
            }
            let (lock, end) = (lock.clone(), end(counted));
            effects.push(Effect::Event(Event::LockEnded { ours: false, epoch, asset, lock, end }));
        }
        effects
    }
}

impl Offer {
    /// As a part of an update, under the number `id`.
    pub fn transition(self, id: u64) -> Transition {
        let Self { asset, amount, hash, expiry, onion } = self;
        Transition::Lock { asset, id, amount, hash, expiry, onion }
    }
}

fn answer_message(epoch: Epoch, id: u64, answer: &Answer) -> Message {
    match answer {
        Answer::Fulfilled(secret) => Message::Fulfill { epoch, id, secret: *secret },
        Answer::Failed(reason) => Message::Fail { epoch, id, reason: reason.clone() },
    }
}
