//! Catching up after a reconnect (`protocol.md` §4 "Reconnect", [M19], [A17]).
//!
//! Both say where they stand; what the other misses is sent again byte by byte, and every decision
//! that may have been lost is repeated. Receiving anything twice changes nothing.

use crate::{
    effect::{Effect, Event},
    error::Fault,
    message::{Message, TermsVersion},
    state::Channel,
    Context,
};
use failsafe_primitives::{Epoch, Nonce, SignedSimplex};

impl Channel {
    /// A session with the partner has begun.
    pub fn connected(&mut self) -> Vec<Effect> {
        self.held.clear();
        self.established = false;
        self.close_requested = false;
        vec![Effect::Send(self.reestablish())]
    }

    /// The session is over.
    pub fn disconnected(&mut self) {
        self.held.clear();
        self.established = false;
        self.close_requested = false;
    }

    fn reestablish(&self) -> Message {
        Message::Reestablish {
            epoch: self.epoch(),
            own_nonce: self.state.mine.nonce(),
            received_nonce: self.state.theirs.nonce(),
            acked_nonce: self.state.acked.as_ref().map_or(0, |acked| acked.simplex.nonce),
            terms_given: self.state.given.version,
            terms_received: self.state.received.version,
        }
    }

    pub(crate) fn on_reestablish(
        &mut self,
        ctx: &Context<'_>,
        epoch: Epoch,
        their_nonce: Nonce,
        received: Nonce,
        terms_received: TermsVersion,
    ) -> Result<Vec<Effect>, Fault> {
        if epoch > self.epoch() {
            // Our node has not finalized the partner's epoch yet: everything waits for it.
            return self.hold(Message::Reestablish {
                epoch,
                own_nonce: their_nonce,
                received_nonce: received,
                acked_nonce: 0,
                terms_given: 0,
                terms_received,
            });
        }
        if epoch < self.epoch() {
            // The partner will say it again when its node has caught up.
            return Ok(vec![]);
        }
        if received > self.state.mine.nonce() {
            // The partner has a simplex of ours that we do not know: our data is lost.
            self.state.data_lost = true;
            let lost = Event::DataLost { their_view: received };
            let request = Message::RequestState { epoch };
            return Ok(vec![Effect::Persist, Effect::Event(lost), Effect::Send(request)]);
        }
        self.established = true;
        let mut effects = self.repeat_terms(terms_received);
        // What the partner has stays in the outbox until it is acknowledged.
        let missing = self.state.outbox.iter().filter(|sent| sent.simplex.nonce > received);
        let updates = missing.map(|sent| sent.update.clone());
        effects.extend(updates.map(|update| Effect::Send(Message::Update(update))));
        effects.extend(self.repeat_ack(ctx));
        if self.state.freeze.is_none() {
            let decision = self.state.decision.as_ref();
            effects.extend(decision.map(|d| Effect::Send(self.decision_message(d))));
        }
        Ok(effects)
    }

    pub(crate) fn on_request_state(&self, epoch: Epoch) -> Vec<Effect> {
        if epoch != self.epoch() {
            return vec![];
        }
        let (own, yours) = (self.state.mine.signed(), self.state.theirs.signed());
        vec![Effect::Send(Message::State { epoch, own, yours })]
    }

    /// The partner's answer after we lost data: what it shows is signed, so it can be trusted as far
    /// as it goes. The channel stays closed to updates; it can be closed or disputed.
    pub(crate) fn on_state(
        &mut self,
        epoch: Epoch,
        own: Option<SignedSimplex>,
        yours: Option<SignedSimplex>,
    ) -> Result<Vec<Effect>, Fault> {
        if epoch != self.epoch() || !self.state.data_lost {
            return Ok(vec![]);
        }
        let max_locks = self.state.facts.view.max_locks;
        let check = |from, signed: &SignedSimplex| {
            let context = &self.state.context;
            signed.simplex.validate(max_locks).map_err(Fault::Simplex)?;
            let message = context.simplex_message(from, &signed.simplex);
            if !signed.signature.verify(&message, context.account(from)) {
                return Err(Fault::BadSignature);
            }
            Ok(())
        };
        let side = self.state.side;
        if let Some(own) = &own {
            check(side.other(), own)?;
        }
        if let Some(yours) = &yours {
            check(side, yours)?;
        }
        let newer = |known: Nonce, signed: &Option<SignedSimplex>| {
            signed.as_ref().is_some_and(|signed| signed.simplex.nonce > known)
        };
        if newer(self.state.theirs.nonce(), &own) {
            let SignedSimplex { simplex, signature } = own.expect("checked above; qed");
            self.state.theirs.simplex = simplex;
            self.state.theirs.signature = Some(signature);
        }
        if newer(self.state.mine.nonce(), &yours) {
            let SignedSimplex { simplex, signature } = yours.expect("checked above; qed");
            self.state.mine.simplex = simplex;
            self.state.mine.signature = Some(signature);
            self.state.outbox.clear();
        }
        Ok(vec![Effect::Persist])
    }
}
