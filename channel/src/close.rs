//! Cooperative closes (`protocol.md` §3, M2).
//!
//! One asks, naming the nonces from which the deltas follow; the other checks that it has the same,
//! freezes the channel durably and signs. Who submits needs the other's signature only, since the
//! extrinsic carries its own. A party without an account on chain signs its request and lets the
//! partner submit.

use crate::{
    effect::{ChainAction, Effect, Event},
    error::{Fault, Refusal},
    freeze::{later, FreezeReason},
    message::{Message, RefusalReason},
    state::Channel,
    Context,
};
use failsafe_primitives::{
    delta, signature, simplex::MAX_ASSETS, view::OldEpochView, AssetId, Clock, Close, Epoch, Nonce,
    Side,
};
use sp_runtime::MultiSignature;
use std::collections::BTreeSet;

/// How long a close stays valid, in usable blocks.
pub const CLOSE_VALIDITY: Clock = 50;

impl Channel {
    /// The close that follows from both simplexes as we have them.
    fn close_of(&self, valid_until: Clock) -> Option<Close> {
        let (mine, theirs) = (&self.state.mine.simplex, &self.state.theirs.simplex);
        if mine.has_locks() || theirs.has_locks() || !self.state.dying.is_empty() {
            return None;
        }
        let entries = mine.entries.iter().chain(theirs.entries.iter());
        let assets: BTreeSet<AssetId> = entries.map(|entry| entry.asset).collect();
        if assets.len() > usize::try_from(MAX_ASSETS).ok()? {
            return None;
        }
        let offdelta = |asset| {
            let (left, right) = self.sent_by_sides(asset);
            Some((asset, delta(0, left, right).ok()?))
        };
        let offdeltas: Vec<_> = assets.into_iter().map(offdelta).collect::<Option<_>>()?;
        Some(Close { valid_until, offdeltas: offdeltas.try_into().ok()? })
    }

    /// Why no close can be signed now: one is under way, or the chain has the word. Lost data is no
    /// reason: a close follows from what both know.
    fn not_closable(&self) -> Option<FreezeReason> {
        self.frozen().filter(|reason| !matches!(reason, FreezeReason::Repaired { .. }))
    }

    /// Asks the partner to close the channel. `partner_submits` when we have no account on chain:
    /// then our signature goes along and the channel is frozen until the close is final or over.
    ///
    /// # Errors
    /// [`Refusal`] when the channel is frozen or paused, when a request is under way, or while a
    /// lock is pending.
    pub fn request_close(
        &mut self,
        ctx: &Context<'_>,
        partner_submits: bool,
    ) -> Result<Vec<Effect>, Refusal> {
        if let Some(reason) = self.not_closable() {
            return Err(Refusal::Frozen(reason));
        }
        if self.paused() {
            return Err(Refusal::Paused);
        }
        if self.session.close_requested.is_some() {
            return Err(Refusal::Closing);
        }
        let valid_until =
            ctx.finalized.clock.checked_add(CLOSE_VALIDITY).ok_or(Refusal::Overflow)?;
        let close = self.close_of(valid_until).ok_or(Refusal::LockPending)?;
        let signature =
            partner_submits.then(|| ctx.signer.sign(&self.state.context.close_message(&close)));
        // The partner may refuse, and then we are frozen: what we owe is signed before.
        let mut effects = self.sign_unsigned(ctx);
        let request = Message::CloseRequest {
            epoch: self.epoch(),
            own_nonce: self.state.mine.nonce(),
            partner_nonce: self.state.theirs.nonce(),
            close,
            signature,
        };
        self.session.close_requested = Some(valid_until);
        if partner_submits {
            effects.extend(self.freeze_signed(valid_until));
        }
        effects.push(Effect::Send(request));
        Ok(effects)
    }

    /// Freezes the channel for a close that we sign.
    fn freeze_signed(&mut self, valid_until: Clock) -> Vec<Effect> {
        self.freeze(|freezes| freezes.close_signed = later(freezes.close_signed, valid_until))
    }

    /// Freezes the channel for a close that the partner has signed, and submits it.
    fn submit_close(&mut self, close: Close, signature: MultiSignature) -> Vec<Effect> {
        self.session.close_requested = None;
        let until = close.valid_until;
        let mut effects = self.freeze(|freezes| freezes.closing = later(freezes.closing, until));
        effects.push(Effect::Submit(ChainAction::Close { close, signature }));
        effects
    }

    pub(crate) fn on_close_request(
        &mut self,
        ctx: &Context<'_>,
        epoch: Epoch,
        [their_nonce, our_nonce]: [Nonce; 2],
        close: Close,
        signature: Option<MultiSignature>,
    ) -> Result<Vec<Effect>, Fault> {
        let refuse = |reason| Ok(vec![Effect::Send(Message::CloseRefused { epoch, reason })]);
        if epoch != self.epoch() {
            return refuse(RefusalReason::StateDiffers);
        }
        if self.not_closable().is_some() {
            return refuse(RefusalReason::Frozen);
        }
        // Both ask at the same time: right answers left.
        let crossed = self.session.close_requested.is_some() && signature.is_none();
        if crossed && self.state.side == Side::Left {
            return refuse(RefusalReason::Frozen);
        }
        let in_step =
            self.state.theirs.nonce() == their_nonce && self.state.mine.nonce() == our_nonce;
        if !in_step {
            return refuse(RefusalReason::StateDiffers);
        }
        if close.valid_until > ctx.finalized.clock.saturating_add(2 * CLOSE_VALIDITY) {
            return refuse(RefusalReason::TooLong);
        }
        if close.valid_until < ctx.finalized.clock {
            return refuse(RefusalReason::StateDiffers);
        }
        match self.close_of(close.valid_until) {
            None => return refuse(RefusalReason::LockPending),
            Some(expected) if expected != close => return refuse(RefusalReason::StateDiffers),
            Some(_) => {},
        }
        let message = self.state.context.close_message(&close);
        match signature {
            // They have signed: we submit.
            Some(theirs) => {
                if !signature::verify(&theirs, &message, self.partner()) {
                    return Err(Fault::BadSignature);
                }
                Ok(self.submit_close(close, theirs))
            },
            // We sign: they submit.
            None => {
                self.session.close_requested = None;
                // The close may never be submitted. No amount changes.
                let mut effects = self.sign_unsigned(ctx);
                effects.extend(self.freeze_signed(close.valid_until));
                let signature = ctx.signer.sign(&message);
                effects.push(Effect::Send(Message::CloseSigned { epoch, close, signature }));
                Ok(effects)
            },
        }
    }

    pub(crate) fn on_close_signed(
        &mut self,
        ctx: &Context<'_>,
        epoch: Epoch,
        close: Close,
        signature: MultiSignature,
    ) -> Result<Vec<Effect>, Fault> {
        let asked = self.session.close_requested.filter(|_| self.not_closable().is_none());
        let Some(asked) = asked.filter(|_| epoch == self.epoch()) else {
            return Ok(vec![]);
        };
        if self.close_of(asked).as_ref() != Some(&close) {
            return Err(Fault::Mismatch("the signed close is not the one that follows"));
        }
        let message = self.state.context.close_message(&close);
        if !signature::verify(&signature, &message, self.partner()) {
            return Err(Fault::BadSignature);
        }
        if ctx.finalized.clock > close.valid_until {
            return Ok(vec![]);
        }
        Ok(self.submit_close(close, signature))
    }

    /// Whether a close that we have signed, or brought to the chain, has ended the epoch; `old` is what
    /// a resolve of it has counted.
    pub(crate) fn ended_by_close(&self, old: Option<&OldEpochView>) -> bool {
        let freezes = &self.state.freezes;
        old.is_none() && (freezes.closing.is_some() || freezes.close_signed.is_some())
    }

    /// The epoch is over. A close follows from both simplexes as they were, so with it the partner has
    /// acknowledged all that we had paid.
    pub(crate) fn end_closed(&self, old: Option<&OldEpochView>) -> Option<Effect> {
        let nonce = self.state.mine.nonce();
        (nonce > 0 && self.ended_by_close(old)).then_some(Effect::Event(Event::Acked { nonce }))
    }

    pub(crate) fn on_close_refused(&mut self, epoch: Epoch, reason: RefusalReason) -> Vec<Effect> {
        // Without a request of ours we may have signed theirs meanwhile.
        if epoch != self.epoch() || self.session.close_requested.is_none() {
            return vec![];
        }
        self.session.close_requested = None;
        vec![Effect::Event(Event::CloseRefused { reason })]
    }
}
