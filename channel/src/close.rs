//! Cooperative closes (`protocol.md` §3, [M2]).
//!
//! One asks, naming the nonces from which the deltas follow; the other checks that it has the same,
//! freezes the channel durably and signs. Who submits needs the other's signature only, since the
//! extrinsic carries its own. A party without an account on chain signs its request and lets the
//! partner submit.

use crate::{
    effect::{ChainAction, Effect, Event},
    error::{Fault, Refusal},
    message::{Message, RefusalReason},
    state::{Channel, FreezeReason},
    Context,
};
use failsafe_primitives::{
    delta, signature, simplex::MAX_ASSETS, AssetId, Clock, Close, Epoch, Nonce,
};
use sp_runtime::MultiSignature;
use std::collections::BTreeSet;

/// How long a close stays valid, in usable blocks.
pub const CLOSE_VALIDITY: Clock = 50;

impl Channel {
    /// The close that follows from both simplexes as we have them.
    fn close_of(&self, valid_until: Clock) -> Option<Close> {
        let (mine, theirs) = (&self.state.mine.simplex, &self.state.theirs.simplex);
        if mine.locks().next().is_some() || theirs.locks().next().is_some() {
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

    /// Asks the partner to close the channel. `partner_submits` when we have no account on chain:
    /// then our signature goes along and the channel is frozen until the close is final or over.
    pub fn request_close(
        &mut self,
        ctx: &Context<'_>,
        partner_submits: bool,
    ) -> Result<Vec<Effect>, Refusal> {
        self.check_open()?;
        let valid_until =
            ctx.finalized.clock.checked_add(CLOSE_VALIDITY).ok_or(Refusal::Overflow)?;
        let close = self.close_of(valid_until).ok_or(Refusal::LocksUnavailable)?;
        let signature =
            partner_submits.then(|| ctx.signer.sign(&self.state.context.close_message(&close)));
        let request = Message::CloseRequest {
            epoch: self.epoch(),
            own_nonce: self.state.mine.nonce(),
            partner_nonce: self.state.theirs.nonce(),
            close,
            signature,
        };
        let mut effects = vec![];
        if partner_submits {
            effects.extend(self.freeze(FreezeReason::CloseSigned { valid_until }));
        } else {
            self.close_requested = true;
        }
        effects.push(Effect::Send(request));
        Ok(effects)
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
        if self.state.freeze.is_some() || self.state.data_lost {
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
        match self.close_of(close.valid_until) {
            None => return refuse(RefusalReason::LockPending),
            Some(expected) if expected != close => return refuse(RefusalReason::StateDiffers),
            Some(_) => {},
        }
        let valid_until = close.valid_until;
        let message = self.state.context.close_message(&close);
        match signature {
            // They have signed: we submit.
            Some(theirs) => {
                if !signature::verify(&theirs, &message, self.partner()) {
                    return Err(Fault::BadSignature);
                }
                let mut effects = self.freeze(FreezeReason::Closing { valid_until });
                effects.push(Effect::Submit(ChainAction::Close { close, signature: theirs }));
                Ok(effects)
            },
            // We sign: they submit.
            None => {
                let mut effects = self.freeze(FreezeReason::CloseSigned { valid_until });
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
        if epoch != self.epoch() || self.state.freeze.is_some() || !self.close_requested {
            return Ok(vec![]);
        }
        // Nothing has changed since we asked: a request of ours keeps the channel still.
        if self.close_of(close.valid_until).as_ref() != Some(&close) {
            return Err(Fault::Mismatch("the signed close is not the one that follows"));
        }
        let message = self.state.context.close_message(&close);
        if !signature::verify(&signature, &message, self.partner()) {
            return Err(Fault::BadSignature);
        }
        if ctx.finalized.clock > close.valid_until {
            return Ok(vec![]);
        }
        self.close_requested = false;
        let mut effects = self.freeze(FreezeReason::Closing { valid_until: close.valid_until });
        effects.push(Effect::Submit(ChainAction::Close { close, signature }));
        Ok(effects)
    }

    pub(crate) fn on_close_refused(&mut self, epoch: Epoch, reason: RefusalReason) -> Vec<Effect> {
        if epoch != self.epoch() {
            return vec![];
        }
        self.close_requested = false;
        vec![Effect::Event(Event::CloseRefused { reason })]
    }
}
