//! Catching up after a reconnect, and lost data (`protocol.md` §4 "Reconnect", M19, A17).
//!
//! Both say where they stand; what the other misses is sent again byte by byte, and every decision
//! that may have been lost is repeated. Receiving anything twice changes nothing.
//!
//! # Lost data
//! A partner that claims to know more than we do is believed only as far as it proves it, by our own
//! signatures: a simplex that we made, or our acknowledgement of one of its own. Until then the
//! session is paused and nothing durable changes. An acknowledgement is asked for, not just the
//! partner's signature: otherwise the partner could bring a simplex that breaks the rules by which
//! an update is judged (capacity, terms, reservations), or one of an invented nonce that keeps a
//! watchtower from bringing the true one.
//!
//! Payments without a signature cannot be proved. A party that was restored from an old copy and has
//! forgotten own ones stays paused in every session: nothing that it signs may rest on a claim, and
//! nothing that its partner took is taken back. A dispute ends it; what was unsigned is lost to the
//! partner, within the limit that it had stated.

use crate::{
    effect::{Effect, Event},
    error::Fault,
    freeze::later,
    lock::LockEnd,
    message::Message,
    reservation::MAX_VALIDITY,
    session::Doubt,
    state::Channel,
    Context,
};
use failsafe_primitives::{Epoch, Nonce, Side, Signature, SignedSimplex, Simplex, TwiceSigned};

impl Channel {
    pub(crate) fn reestablish(&self) -> Message {
        Message::Reestablish {
            epoch: self.epoch(),
            own_nonce: self.state.mine.nonce(),
            received_nonce: self.state.theirs.nonce(),
            acked_nonce: self.state.acked.as_ref().map_or(0, |acked| acked.simplex.nonce),
            terms_given: self.state.given.version,
            terms_received: self.state.received.version,
        }
    }

    /// Whether the partner claims to have a simplex of ours, or our acknowledgement of one of its
    /// own, that we do not know.
    fn claims_more(&self, received: Nonce, acked: Nonce) -> bool {
        received > self.state.mine.nonce() || acked > self.state.theirs.nonce()
    }

    pub(crate) fn on_reestablish(
        &mut self,
        ctx: &Context<'_>,
        claim: Message,
    ) -> Result<Vec<Effect>, Fault> {
        let Message::Reestablish {
            epoch,
            own_nonce,
            received_nonce,
            acked_nonce,
            terms_given: _,
            terms_received,
        } = claim
        else {
            return Ok(vec![]);
        };
        // Each costs us all that the partner misses.
        if self.session.heard.is_some_and(|heard| heard >= epoch) {
            return Err(Fault::Repeated("where the partner stands"));
        }
        if epoch < self.epoch() {
            // The partner will say it again when its node has caught up.
            self.session.heard = Some(epoch);
            return Ok(vec![]);
        }
        if self.claims_more(received_nonce, acked_nonce) {
            self.session.doubt = Some(Doubt { claim, asked: true });
            let doubted = Event::Doubted { own: received_nonce, partner: acked_nonce };
            let request = Message::RequestState { epoch };
            return Ok(vec![Effect::Event(doubted), Effect::Send(request)]);
        }
        let terms = self.catch_up_terms(terms_received, own_nonce)?;
        let mut effects = self.compared(ctx);
        effects.extend(terms);
        self.session.heard = Some(epoch);
        self.session.established = true;
        // What the partner has stays in the outbox until it is acknowledged.
        let missing = self.state.outbox.iter().filter(|sent| sent.simplex.nonce > received_nonce);
        let updates = missing.map(|sent| sent.update.clone());
        effects.extend(updates.map(|update| Effect::Send(Message::Update(update))));
        effects.extend(self.repeat_ack(ctx));
        if self.frozen().is_none() {
            let decision = self.state.decision.as_ref();
            effects.extend(decision.map(|d| Effect::Send(self.decision_message(d))));
        }
        effects.extend(self.repeat_answers());
        Ok(effects)
    }

    pub(crate) fn on_request_state(&mut self, epoch: Epoch) -> Result<Vec<Effect>, Fault> {
        if epoch < self.epoch() {
            return Ok(vec![]);
        }
        if self.session.told == Some(epoch) {
            return Err(Fault::Repeated("a request for proof"));
        }
        self.session.told = Some(epoch);
        let own = self.state.acked.as_ref().map(|acked| acked.twice_signed(self.state.side));
        let yours = self.state.theirs.signed();
        Ok(vec![Effect::Send(Message::State { epoch, own, yours })])
    }

    /// The partner's answer to our doubt. What it proves is adopted; if that is all that it claimed,
    /// its `Reestablish` is handled.
    pub(crate) fn on_state(
        &mut self,
        ctx: &Context<'_>,
        epoch: Epoch,
        own: Option<TwiceSigned>,
        yours: Option<SignedSimplex>,
    ) -> Result<Vec<Effect>, Fault> {
        let asked = self.session.doubt.as_ref().is_some_and(|doubt| doubt.asked);
        if epoch != self.epoch() || !asked {
            return Ok(vec![]);
        }
        let theirs = own.filter(|own| own.simplex.nonce > self.state.theirs.nonce());
        let mine = yours.filter(|yours| yours.simplex.nonce > self.state.mine.nonce());
        if let Some(shown) = &theirs {
            self.check_theirs(shown)?;
        }
        if let Some(shown) = &mine {
            self.check_signed(self.state.side, &shown.simplex, &shown.signature)?;
        }
        let mut effects = vec![];
        if theirs.is_some() || mine.is_some() {
            effects.push(Effect::Persist);
        }
        if let Some(shown) = theirs {
            effects.extend(self.adopt_theirs(ctx, shown));
        }
        if let Some(shown) = mine {
            effects.extend(self.adopt_mine(shown));
        }
        if let Some(doubt) = self.session.doubt.take() {
            match doubt.claim {
                Message::Reestablish { received_nonce, acked_nonce, .. }
                    if self.claims_more(received_nonce, acked_nonce) =>
                {
                    self.session.doubt = Some(Doubt { asked: false, ..doubt });
                },
                claim => self.session.hold_first(claim),
            }
        }
        Ok(effects)
    }

    fn check_signed(
        &self,
        from: Side,
        simplex: &Simplex,
        signature: &Signature,
    ) -> Result<(), Fault> {
        let context = &self.state.context;
        simplex.validate(self.state.facts.view.max_locks).map_err(Fault::Simplex)?;
        let message = context.simplex_message(from, simplex);
        if !signature.verify(&message, context.account(from)) {
            return Err(Fault::BadSignature);
        }
        Ok(())
    }

    /// A simplex of the partner that we had acknowledged, and that takes nothing back.
    fn check_theirs(&self, shown: &TwiceSigned) -> Result<(), Fault> {
        let side = self.state.side.other();
        if shown.from != side {
            return Err(Fault::Mismatch("a simplex of the other side"));
        }
        self.check_signed(side, &shown.simplex, &shown.signature)?;
        let message = self.state.context.ack_message(side, &shown.simplex);
        if !shown.ack.verify(&message, self.me()) {
            return Err(Fault::BadSignature);
        }
        let known = &self.state.theirs.simplex;
        let paid = known.entries.iter().all(|entry| shown.simplex.sent(entry.asset) >= entry.sent);
        if !paid {
            return Err(Fault::Mismatch("the shown simplex takes back what was paid"));
        }
        Ok(())
    }

    /// We had acknowledged this simplex and lost it. With it we may have lost a withdrawal proof or
    /// a close that we signed: nothing moves until those are worth nothing.
    fn adopt_theirs(&mut self, ctx: &Context<'_>, shown: TwiceSigned) -> Vec<Effect> {
        let nonce = shown.simplex.nonce;
        let ended = self.lost_locks(false, &shown.simplex);
        let theirs = &mut self.state.theirs;
        theirs.simplex = shown.simplex;
        theirs.signature = Some(shown.signature);
        theirs.covered = None;
        theirs.reservation = None;
        // The highest number has no next one: it stays, and `lock` takes none any more.
        let newest = theirs.simplex.locks().map(|lock| lock.id.saturating_add(1)).max();
        theirs.next_lock = theirs.next_lock.max(newest.unwrap_or(0));
        let pending = &self.state.theirs;
        self.state.answers.retain(|id, _| pending.lock(*id).is_some());
        self.state.decision = None;
        self.state.forgotten = nonce;
        self.state.ack_sent = self.state.ack_sent.max(nonce);
        self.state.given.prune(nonce);
        let now = ctx.finalized.clock.max(ctx.best.clock);
        let until = now.saturating_add(MAX_VALIDITY);
        let mut effects = vec![Effect::Event(Event::Repaired { nonce })];
        effects.extend(ended);
        effects.extend(self.freeze(|freezes| freezes.repaired = later(freezes.repaired, until)));
        effects
    }

    /// We had signed this simplex and lost it.
    fn adopt_mine(&mut self, shown: SignedSimplex) -> Vec<Effect> {
        let their_view = shown.simplex.nonce;
        let mut effects = vec![Effect::Event(Event::DataLost { their_view })];
        effects.extend(self.lost_locks(true, &shown.simplex));
        let mine = &mut self.state.mine;
        mine.simplex = shown.simplex;
        mine.signature = Some(shown.signature);
        mine.covered = None;
        mine.reservation = None;
        self.state.outbox.clear();
        self.state.proof = None;
        self.state.refused = None;
        self.state.data_lost = true;
        effects
    }

    /// Locks of our copy that the `shown` simplex does not hold any more. One of the partner's has
    /// been paid if more was sent since; of ours nobody can tell.
    fn lost_locks(&self, ours: bool, shown: &Simplex) -> Vec<Effect> {
        let known = if ours { &self.state.mine } else { &self.state.theirs };
        let epoch = self.epoch();
        let gone = known.locks().filter(|(asset, lock)| {
            shown.entry(*asset).is_none_or(|entry| !entry.locks.contains(lock))
        });
        gone.map(|(asset, lock)| {
            let more = shown.sent(asset).checked_sub(known.simplex.sent(asset));
            let paid = more.is_some_and(|more| more >= lock.amount);
            let end = match (ours, paid) {
                (true, _) => LockEnd::Unknown,
                (false, true) => LockEnd::Counted,
                (false, false) => LockEnd::Dropped,
            };
            let lock = lock.clone();
            Effect::Event(Event::LockEnded { ours, epoch, asset, lock, end })
        })
        .collect()
    }
}
