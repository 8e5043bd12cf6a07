//! Making and taking updates (`protocol.md` §4): the same rules for both sides, applied to a copy
//! and committed whole.

use crate::{
    effect::{Effect, Event},
    error::{Fault, Refusal},
    lock::Answers,
    message::{AckOf, Message, Purpose, Transition, Update},
    reservation,
    state::{Acked, Channel, Decision, Half, Reservation, Sent},
    unsigned::check_unsigned,
    Context,
};
use failsafe_primitives::{
    arithmetic::within_limit, capacity, delta, own, simplex::LockHash, AssetId, Balance,
    BlockNumber, Clock, Entry, Epoch, Nonce, Side, Signature, Simplex,
};
use sp_runtime::BoundedVec;

/// Most own updates that the partner has not acknowledged: it makes us keep them.
pub const MAX_UNACKED: usize = 512;

/// By what a transition is judged.
pub(crate) struct Judge<'a> {
    /// The side that makes it.
    pub side: Side,
    /// Newest collateral that the judge knows.
    pub facts: &'a crate::PairFacts,
    /// The partner's half.
    pub other: &'a Half,
    /// What the partner lets the side owe; `None` for an asset without terms.
    pub credit: &'a dyn Fn(AssetId) -> Option<Balance>,
    /// Our newest finalized block. What held at `as_of` holds here too, since clock and withdrawal
    /// nonces only grow and our block is not older (M7): so an honest partner is never refused, and a
    /// release is granted only when the chain can no longer take the withdrawal.
    pub now: Now<'a>,
    /// Id of the reservation that the partner has refused.
    pub refused: Option<Nonce>,
    /// Up to this nonce it is not known what the side has reserved.
    pub forgotten: Nonce,
    /// What the partner of the side has said about its locks.
    pub answers: &'a Answers,
}

/// By what moment a transition is judged.
#[derive(Clone, Copy)]
pub(crate) struct Now<'a> {
    /// Usable clock of our newest finalized block.
    pub clock: Clock,
    /// Furthest that a lock may expire, in usable blocks from then.
    pub lock_window: Clock,
    /// What is in the registry of secrets then.
    pub revealed: &'a dyn Fn(&LockHash) -> Option<Clock>,
}

impl<'a> Now<'a> {
    fn of(ctx: &Context<'_>, revealed: &'a dyn Fn(&LockHash) -> Option<Clock>) -> Self {
        Self { clock: ctx.finalized.clock, lock_window: ctx.lock_window, revealed }
    }
}

/// No moment: for what does not depend on one.
pub(crate) const NOW: Now<'static> = Now { clock: 0, lock_window: 0, revealed: &|_| None };

impl Judge<'_> {
    /// What `half`'s side owns in `asset`: negative when it owes.
    fn owned(&self, half: &Half, asset: AssetId) -> Result<i128, Fault> {
        let row = self.facts.collateral(asset);
        let sent = |half: &Half| half.simplex.sent(asset);
        let (left, right) = match self.side {
            Side::Left => (sent(half), sent(self.other)),
            Side::Right => (sent(self.other), sent(half)),
        };
        delta(row.ondelta, left, right)
            .and_then(|delta| own(self.side, row.insurance, delta))
            .map_err(|_| Fault::Overflow)
    }

    fn locked(half: &Half, asset: AssetId) -> Result<Balance, Fault> {
        let entry = half.simplex.entry(asset);
        entry.map_or(Ok(0), Entry::locked).map_err(Fault::Simplex)
    }

    /// The chain's withdrawal nonce of the side.
    pub(crate) fn withdrawal_nonce(&self) -> Nonce {
        self.facts.view.withdrawal_nonces[self.side.index()]
    }

    /// The reservation whose withdrawal the chain has not seen.
    pub(crate) fn live<'h>(&self, half: &'h Half) -> Option<&'h Reservation> {
        let next = self.withdrawal_nonce();
        half.reservation.as_ref().filter(|held| held.withdrawal_nonce >= next)
    }

    fn held(&self, half: &Half, asset: AssetId) -> Balance {
        self.live(half).map_or(0, |held| held.amount(asset))
    }

    /// How much the side may send (`protocol.md` §2).
    pub(crate) fn capacity(&self, half: &Half, asset: AssetId) -> Result<Balance, Fault> {
        let credit = (self.credit)(asset).ok_or(Fault::AssetNotAccepted(asset))?;
        let locked = Self::locked(half, asset)?;
        let held = self.held(half, asset);
        capacity(self.owned(half, asset)?, locked, held, credit).map_err(|_| Fault::Overflow)
    }

    /// How much the side may withdraw: what it owns, never credit (M10).
    pub(crate) fn withdrawable(&self, half: &Half, asset: AssetId) -> Result<Balance, Fault> {
        let locked = Self::locked(half, asset)?;
        let held = self.held(half, asset);
        capacity(self.owned(half, asset)?, locked, held, 0).map_err(|_| Fault::Overflow)
    }

    /// Applies one transition.
    fn apply(&self, half: &mut Half, transition: &Transition) -> Result<(), Fault> {
        match transition {
            Transition::Pay { asset, amount, .. } => self.pay(half, *asset, *amount),
            Transition::Reserve { withdrawal_nonce, valid_until, items } => {
                reservation::reserve(self, half, *withdrawal_nonce, *valid_until, items)
            },
            Transition::Unreserve { reservation } => {
                reservation::unreserve(self, half, *reservation)
            },
            lock @ Transition::Lock { .. } => self.lock(half, lock),
            Transition::Settle { id, secret } => self.settle(half, *id, secret),
            Transition::Cancel { id } => self.cancel(half, *id),
            Transition::Expire { id } => self.expire(half, *id),
        }
    }

    fn pay(&self, half: &mut Half, asset: AssetId, amount: Balance) -> Result<(), Fault> {
        if amount == 0 {
            return Err(Fault::AmountZero);
        }
        let available = self.capacity(half, asset)?;
        if amount > available {
            return Err(Fault::AboveCapacity { asset, amount, available });
        }
        let entry = half.entry_mut(asset)?;
        let sent = entry.sent.checked_add(amount).ok_or(Fault::Overflow)?;
        entry.sent = within_limit(sent).map_err(|_| Fault::Overflow)?;
        Ok(())
    }

    /// Applies all transitions to a copy of `half`, which becomes the next simplex.
    fn next(&self, half: &Half, transitions: &[Transition], max_locks: u32) -> Result<Half, Fault> {
        if transitions.is_empty() && !half.has_tail() {
            return Err(Fault::Empty);
        }
        let mut next = half.clone();
        for transition in transitions {
            self.apply(&mut next, transition)?;
        }
        next.simplex.nonce = next.simplex.nonce.checked_add(1).ok_or(Fault::Overflow)?;
        next.simplex.validate(max_locks).map_err(Fault::Simplex)?;
        Ok(next)
    }
}

impl From<Fault> for Refusal {
    /// What is a fault of the partner when it arrives is a refusal when we would make it.
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::AmountZero | Fault::Empty => Self::AmountZero,
            Fault::AboveCapacity { asset, amount, available } => {
                Self::AboveCapacity { asset, amount, available }
            },
            Fault::AssetNotAccepted(asset) => Self::AssetNotAccepted(asset),
            Fault::Simplex(error) => Self::Limits(error),
            Fault::UnknownLock(id) => Self::UnknownLock(id),
            Fault::WrongSecret(id) => Self::WrongSecret(id),
            Fault::NotFailed(id) => Self::NotFailed(id),
            Fault::NotExpired(id) => Self::NotExpired(id),
            Fault::HashPending => Self::HashPending,
            Fault::TooManyLocks => Self::TooManyLocks,
            Fault::ExpiryTooFar { expiry, latest } => Self::ExpiryTooFar { expiry, latest },
            _ => Self::Overflow,
        }
    }
}

impl Channel {
    /// Pays the partner.
    pub fn pay(
        &mut self,
        ctx: &Context<'_>,
        asset: AssetId,
        amount: Balance,
        purpose: Purpose,
    ) -> Result<Vec<Effect>, Refusal> {
        self.update(ctx, vec![Transition::Pay { asset, amount, purpose }])
    }

    /// How much can be sent to the partner in `asset` now.
    pub fn can_send(&self, asset: AssetId) -> Result<Balance, Refusal> {
        let credit = |asset| self.state.received.current(asset).map(|terms| terms.credit);
        Ok(self.own_judge(&credit, NOW).capacity(&self.state.mine, asset)?)
    }

    /// How much the partner can send in `asset` now, by our newest terms.
    pub fn can_receive(&self, asset: AssetId) -> Result<Balance, Refusal> {
        let credit = |asset| self.state.given.current(asset).map(|terms| terms.credit);
        let judge = Judge {
            side: self.state.side.other(),
            facts: &self.state.facts,
            other: &self.state.mine,
            credit: &credit,
            now: NOW,
            refused: None,
            forgotten: 0,
            answers: &self.state.answers,
        };
        Ok(judge.capacity(&self.state.theirs, asset)?)
    }

    /// How much can be withdrawn in `asset` now: owned, not credit, and covered by insurance.
    pub fn can_withdraw(&self, asset: AssetId) -> Result<Balance, Refusal> {
        let credit = |_| None;
        let judge = self.own_judge(&credit, NOW);
        let owned = judge.withdrawable(&self.state.mine, asset)?;
        Ok(owned.min(self.state.facts.collateral(asset).insurance))
    }

    pub(crate) fn own_judge<'a>(
        &'a self,
        credit: &'a dyn Fn(AssetId) -> Option<Balance>,
        now: Now<'a>,
    ) -> Judge<'a> {
        Judge {
            side: self.state.side,
            facts: &self.state.facts,
            other: &self.state.theirs,
            credit,
            now,
            refused: self.state.refused,
            forgotten: 0,
            answers: &self.state.said,
        }
    }

    /// Makes an update, signs it and hands it out: persisted first, then sent.
    ///
    /// # Errors
    /// [`Refusal`], and nothing has changed: when no updates may be made now, or when one of the
    /// transitions breaks the rules by which the partner would judge it.
    pub fn update(
        &mut self,
        ctx: &Context<'_>,
        transitions: Vec<Transition>,
    ) -> Result<Vec<Effect>, Refusal> {
        self.make_update(ctx, transitions, true)
    }

    /// [`Channel::update`], with a signature or, where the partner's terms allow it, without.
    pub(crate) fn make_update(
        &mut self,
        ctx: &Context<'_>,
        transitions: Vec<Transition>,
        sign: bool,
    ) -> Result<Vec<Effect>, Refusal> {
        self.check_open()?;
        let widen = self.may_widen(&transitions);
        if !widen && self.outbox_is_full() {
            return Err(Refusal::TooManyUnacked(MAX_UNACKED));
        }
        let transitions =
            BoundedVec::try_from(transitions).map_err(|_| Refusal::TooManyTransitions)?;
        let as_of = self.choose_as_of(ctx, &transitions)?;
        let credit = |asset| self.state.received.current(asset).map(|terms| terms.credit);
        let revealed = |hash: &LockHash| ctx.revealed_at(hash);
        let judge = self.own_judge(&credit, Now::of(ctx, &revealed));
        let max_locks = self.state.facts.view.max_locks;
        let mut next = judge.next(&self.state.mine, &transitions, max_locks)?;
        next.as_of = as_of;
        if widen {
            return self.widen_update(next, &transitions, sign);
        }

        let nonce = next.nonce();
        let at_once = sign && !self.signs_later();
        let signature = at_once.then(|| {
            let message = self.state.context.simplex_message(self.state.side, &next.simplex);
            Signature::Direct(ctx.signer.sign(&message))
        });
        next.seal(&self.state.mine, signature.clone());
        self.put_on_desk(nonce, sign);
        // An acknowledgement is a signature too: one is not made to save the other.
        let ack = if at_once { self.due_ack(ctx) } else { None };
        let update = Update {
            epoch: self.epoch(),
            base_nonce: self.state.mine.nonce(),
            as_of,
            terms_version: self.state.received.version,
            transitions,
            signature,
            ack,
        };
        if let Some(ack) = &update.ack {
            self.state.ack_sent = ack.nonce;
        }
        let sent = Sent { update: update.clone(), simplex: next.simplex.clone() };
        self.state.outbox.push_back(sent);
        let before = std::mem::replace(&mut self.state.mine, next);
        let mut effects = vec![Effect::Persist];
        effects.extend(self.lock_events(&before, &update.transitions, nonce, true));
        // Before the partner has said where it stands, it could miss the updates in between: they all
        // go out when it has.
        if self.established() {
            effects.push(Effect::Send(Message::Update(update)));
        }
        Ok(effects)
    }

    /// Adds transitions to the newest own update, which has not left yet; `next` is what they lead to.
    fn widen_update(
        &mut self,
        mut next: Half,
        transitions: &[Transition],
        sign: bool,
    ) -> Result<Vec<Effect>, Refusal> {
        let nonce = self.state.mine.nonce();
        next.simplex.nonce = nonce;
        let Some(sent) = self.state.outbox.back_mut() else { return Ok(vec![]) };
        // All or none of them.
        let added = sent.update.transitions.try_extend(transitions.iter().cloned());
        added.map_err(|()| Refusal::TooManyTransitions)?;
        sent.update.as_of = next.as_of;
        sent.simplex = next.simplex.clone();
        self.put_on_desk(nonce, sign);
        let before = std::mem::replace(&mut self.state.mine, next);
        let mut effects = vec![Effect::Persist];
        effects.extend(self.lock_events(&before, transitions, nonce, true));
        Ok(effects)
    }

    /// The finalized block by which an update of ours is to be judged. Payments, and locks that are
    /// settled or cancelled, need only the block at which the collateral last changed: so the
    /// partner's node need not have caught up with the newest block, and they do not wait for
    /// finality.
    fn choose_as_of(
        &self,
        ctx: &Context<'_>,
        transitions: &[Transition],
    ) -> Result<BlockNumber, Refusal> {
        let least = self.state.mine.as_of.max(self.state.facts.at.block);
        let timeless = transitions.iter().all(|transition| match transition {
            Transition::Pay { .. } | Transition::Settle { .. } | Transition::Cancel { .. } => true,
            Transition::Lock { .. }
            | Transition::Expire { .. }
            | Transition::Reserve { .. }
            | Transition::Unreserve { .. } => false,
        });
        if timeless {
            return Ok(least);
        }
        if ctx.finalized.block < least {
            return Err(Refusal::NotSynced { needed: least });
        }
        Ok(ctx.finalized.block)
    }

    pub(crate) fn on_update(
        &mut self,
        ctx: &Context<'_>,
        update: Update,
    ) -> Result<Vec<Effect>, Fault> {
        if self.is_void(&update) {
            let unheard = self.session.heard.is_none() && self.session.doubt.is_none();
            // Nothing would ever repeat it in this session.
            let early = unheard && update.epoch == self.epoch();
            return if early { Err(Fault::TooEarly) } else { Ok(vec![]) };
        }
        let known = self.state.theirs.nonce();
        if update.base_nonce > known {
            return Err(Fault::Gap { got: update.base_nonce, known });
        }
        let before = self.state.theirs.as_of;
        if update.as_of < before {
            return Err(Fault::AsOfWentBack { before, got: update.as_of });
        }
        self.take(ctx, update)
    }

    /// What the partner's half becomes by an update that is next in line, its signature aside.
    fn judged(
        &self,
        ctx: &Context<'_>,
        revealed: &dyn Fn(&LockHash) -> Option<Clock>,
        update: &Update,
    ) -> Result<Half, Fault> {
        let next_nonce = update.base_nonce.checked_add(1).ok_or(Fault::Overflow)?;
        let terms = self.state.given.judge(update.terms_version, next_nonce)?;
        let credit = |asset| terms(asset).map(|terms| terms.credit);
        let refused = match &self.state.decision {
            Some(Decision::Refused(nonce, _)) => Some(*nonce),
            _ => None,
        };
        let judge = Judge {
            side: self.state.side.other(),
            facts: &self.state.facts,
            other: &self.state.mine,
            credit: &credit,
            now: Now::of(ctx, revealed),
            refused,
            forgotten: self.state.forgotten,
            answers: &self.state.answers,
        };
        let max_locks = self.state.facts.view.max_locks;
        judge.next(&self.state.theirs, &update.transitions, max_locks)
    }

    /// The message that the partner must have signed for `update`, if it is next in line.
    pub(crate) fn foresee(
        &self,
        ctx: &Context<'_>,
        revealed: &dyn Fn(&LockHash) -> Option<Clock>,
        update: &Update,
    ) -> Option<[u8; 32]> {
        if self.is_void(update) || update.base_nonce != self.state.theirs.nonce() {
            return None;
        }
        let next = self.judged(ctx, revealed, update).ok()?;
        Some(self.state.context.simplex_message(self.state.side.other(), &next.simplex))
    }

    /// Checks an update that is next in line and takes it whole.
    fn take(&mut self, ctx: &Context<'_>, update: Update) -> Result<Vec<Effect>, Fault> {
        let side = self.state.side.other();
        let next_nonce = update.base_nonce.checked_add(1).ok_or(Fault::Overflow)?;
        let revealed = |hash: &LockHash| ctx.revealed_at(hash);
        let mut next = self.judged(ctx, &revealed, &update)?;
        next.seal(&self.state.theirs, update.signature);
        match &next.signature {
            None => {
                let terms = self.state.given.judge(update.terms_version, next_nonce)?;
                check_unsigned(&next, &update.transitions, |asset| {
                    terms(asset).map(|terms| terms.unsigned_limit)
                })?;
            },
            Some(signature) => {
                let message = self.state.context.simplex_message(side, &next.simplex);
                if !self.check(signature, &message) {
                    return Err(Fault::BadSignature);
                }
            },
        }
        let acked = update.ack.map(|ack| self.check_ack(ack)).transpose()?.flatten();
        self.forget_trust();
        next.as_of = update.as_of;

        // Everything holds: commit whole.
        let mut effects = vec![Effect::Persist];
        let answer = self.answer_reservation(ctx, next_nonce, &update.transitions);
        let before = std::mem::replace(&mut self.state.theirs, next);
        self.state.given.prune(next_nonce);
        if let Some(acked) = acked {
            effects.extend(self.commit_ack(acked));
        }
        if let Some(decision) = answer {
            effects.push(Effect::Send(self.decision_message(&decision)));
            self.state.decision = Some(decision);
        }
        effects.extend(self.lock_events(&before, &update.transitions, next_nonce, false));
        for transition in update.transitions {
            if let Transition::Pay { asset, amount, purpose } = transition {
                effects.push(Effect::Event(Event::Received { asset, amount, purpose }));
            }
        }
        Ok(effects)
    }

    /// The acknowledgement that is due, if any.
    fn due_ack(&self, ctx: &Context<'_>) -> Option<AckOf> {
        if !self.ack_is_due() {
            return None;
        }
        self.make_ack(ctx)
    }

    /// Acknowledges the partner's newest signed simplex.
    fn make_ack(&self, ctx: &Context<'_>) -> Option<AckOf> {
        let (theirs, _) = self.state.theirs.newest_signed()?;
        let message = self.state.context.ack_message(self.state.side.other(), theirs);
        let signature = Signature::Direct(ctx.signer.sign(&message));
        Some(AckOf { nonce: theirs.nonce, signature })
    }

    /// Whether the partner waits for an acknowledgement.
    pub fn ack_is_due(&self) -> bool {
        self.state.theirs.signed_nonce() > self.state.ack_sent && self.frozen().is_none()
    }

    /// Acknowledges the partner's newest simplex, unless that has been done. Acks are lazy: the host
    /// calls this after `ack_delay`, unless an own update has carried it before.
    pub fn flush_ack(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        let ack = self.due_ack(ctx);
        ack.map_or(vec![], |ack| self.flush_signed_ack(ack.signature))
    }

    /// The newest acknowledgement again, for a partner that has reconnected.
    pub(crate) fn repeat_ack(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        if self.frozen().is_some() {
            return vec![];
        }
        let Some(ack) = self.make_ack(ctx) else { return vec![] };
        let mut effects = vec![];
        if self.state.ack_sent != ack.nonce {
            self.state.ack_sent = ack.nonce;
            effects.push(Effect::Persist);
        }
        effects.push(Effect::Send(Message::Ack { epoch: self.epoch(), ack }));
        effects
    }

    pub(crate) fn on_ack(&mut self, epoch: Epoch, ack: AckOf) -> Result<Vec<Effect>, Fault> {
        if epoch != self.epoch() || self.frozen().is_some() {
            return Ok(vec![]);
        }
        let checked = self.check_ack(ack);
        self.forget_trusted_ack();
        match checked? {
            None => Ok(vec![]),
            Some(acked) => {
                let mut effects = vec![Effect::Persist];
                effects.extend(self.commit_ack(acked));
                Ok(effects)
            },
        }
    }

    /// Our simplex with `nonce` that is not acknowledged yet, with our signature.
    fn unacked(&self, nonce: Nonce) -> Option<(&Simplex, &Signature)> {
        let mine = &self.state.mine;
        let newest = Some((&mine.simplex, mine.signature.as_ref()));
        let sent = self.state.outbox.iter();
        let sent = sent.map(|sent| (&sent.simplex, sent.update.signature.as_ref()));
        let (simplex, signature) =
            newest.into_iter().chain(sent).find(|(simplex, _)| simplex.nonce == nonce)?;
        Some((simplex, signature?))
    }

    /// The message that the partner must have signed to acknowledge our simplex with `nonce`.
    pub(crate) fn acked_message(&self, nonce: Nonce) -> Option<[u8; 32]> {
        let known = self.state.acked.as_ref().map_or(0, |acked| acked.simplex.nonce);
        let (simplex, _) = self.unacked(nonce).filter(|_| nonce > known)?;
        Some(self.state.context.ack_message(self.state.side, simplex))
    }

    /// Checks an acknowledgement; `None` when it says nothing new.
    fn check_ack(&mut self, ack: AckOf) -> Result<Option<Acked>, Fault> {
        let known = self.state.acked.as_ref().map_or(0, |acked| acked.simplex.nonce);
        if ack.nonce <= known {
            return Ok(None);
        }
        let (simplex, signature) = self.unacked(ack.nonce).ok_or(Fault::UnknownAck(ack.nonce))?;
        let message = self.state.context.ack_message(self.state.side, simplex);
        let (simplex, signature) = (simplex.clone(), signature.clone());
        if !self.check(&ack.signature, &message) {
            return Err(Fault::BadSignature);
        }
        Ok(Some(Acked { simplex, signature, ack: ack.signature }))
    }

    fn commit_ack(&mut self, acked: Acked) -> Vec<Effect> {
        let nonce = acked.simplex.nonce;
        self.state.outbox.retain(|sent| sent.simplex.nonce > nonce);
        self.state.acked = Some(acked);
        let mut effects = vec![Effect::Event(Event::Acked { nonce })];
        effects.extend(self.bury_locks(nonce));
        effects
    }
}
