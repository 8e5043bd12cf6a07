//! Reservations and withdrawal proofs (`protocol.md` §4, M9, M10).
//!
//! Who wants to withdraw holds the money back first, by a `Reserve` that is part of an update; the
//! partner answers with a proof or a refusal, durably, never both. The hold ends when the chain has
//! seen the withdrawal, when it can be seen no more, or when the partner refused.

use crate::{
    effect::{Effect, Event},
    error::{Fault, Refusal},
    message::{insured_items, Message, RefusalReason, Transition},
    state::{Channel, Decision, Half, Reservation},
    update::Judge,
    Context,
};
use failsafe_primitives::{
    signature, simplex::MaxAssets, AssetId, Balance, Clock, Epoch, Nonce, Withdrawal,
};
use sp_runtime::{BoundedVec, MultiSignature};

/// Longest that we bind ourselves by a proof, in usable blocks.
pub const MAX_VALIDITY: Clock = 1_000;
/// Usable blocks from the newest finalized one until a withdrawal is surely included: finality 3,
/// inclusion 2, a reorganisation 2. A proof that ends earlier is not used any more.
pub const PROOF_MARGIN: Clock = 7;

/// Applies a `Reserve`.
pub(crate) fn reserve(
    judge: &Judge<'_>,
    half: &mut Half,
    withdrawal_nonce: Nonce,
    valid_until: Clock,
    items: &BoundedVec<(AssetId, Balance), MaxAssets>,
) -> Result<(), Fault> {
    if judge.live(half).is_some() {
        return Err(Fault::Reservation("another one is live"));
    }
    // A nonce that the chain has passed since holds nothing and its proof is void.
    if withdrawal_nonce > judge.withdrawal_nonce() {
        return Err(Fault::Reservation("a withdrawal nonce that the chain has not reached"));
    }
    let ascending = items.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if items.is_empty() || !ascending {
        return Err(Fault::Reservation("assets are not ascending, or there are none"));
    }
    half.reservation = None;
    for (asset, amount) in items {
        if *amount == 0 {
            return Err(Fault::AmountZero);
        }
        let available = judge.withdrawable(half, *asset)?;
        if *amount > available {
            return Err(Fault::AboveCapacity { asset: *asset, amount: *amount, available });
        }
    }
    let id = half.simplex.nonce.checked_add(1).ok_or(Fault::Overflow)?;
    let items = items.clone();
    half.reservation = Some(Reservation { id, withdrawal_nonce, valid_until, items });
    Ok(())
}

/// Applies an `Unreserve`.
pub(crate) fn unreserve(judge: &Judge<'_>, half: &mut Half, id: Nonce) -> Result<(), Fault> {
    if half.reservation.is_none() && id <= judge.forgotten {
        // Made before we lost data; nobody can use its proof any more.
        return Ok(());
    }
    let held = half.reservation.as_ref().filter(|held| held.id == id);
    let held = held.ok_or(Fault::Reservation("there is none to release"))?;
    let used = judge.withdrawal_nonce() > held.withdrawal_nonce;
    let refused = judge.refused == Some(id);
    let over = judge.now.clock > held.valid_until;
    if !(used || refused || over) {
        return Err(Fault::Reservation("it is still valid"));
    }
    half.reservation = None;
    Ok(())
}

impl Channel {
    /// Reserves `items` (asset, amount; assets ascending) for a withdrawal that is valid for
    /// `valid_for` usable blocks. The partner answers with [`Event::ProofReceived`] or
    /// [`Event::ProofRefused`].
    pub fn reserve(
        &mut self,
        ctx: &Context<'_>,
        items: Vec<(AssetId, Balance)>,
        valid_for: Clock,
    ) -> Result<Vec<Effect>, Refusal> {
        self.check_open()?;
        let nonce = self.state.facts.view.withdrawal_nonces[self.state.side.index()];
        if let Some(held) = self.state.mine.reservation.as_ref() {
            if held.withdrawal_nonce >= nonce {
                return Err(Refusal::ReservationLive { valid_until: held.valid_until });
            }
        }
        for (asset, amount) in &items {
            let available = self.can_withdraw(*asset)?;
            if *amount > available {
                return Err(Refusal::AboveOwned { asset: *asset, amount: *amount, available });
            }
        }
        let valid_until = ctx.finalized.clock.checked_add(valid_for).ok_or(Refusal::Overflow)?;
        let items = BoundedVec::try_from(items).map_err(|_| Refusal::TooManyTransitions)?;
        let transition = Transition::Reserve { withdrawal_nonce: nonce, valid_until, items };
        let effects = self.update(ctx, vec![transition])?;
        self.state.proof = None;
        self.state.refused = None;
        Ok(effects)
    }

    /// Our live proof, if it can still be used when it is submitted now: the chain has not passed
    /// its nonce, and it is valid for at least [`PROOF_MARGIN`] more. `now` is the usable clock of
    /// the newest finalized block.
    pub fn live_proof(&self, now: Clock) -> Option<&(Withdrawal, MultiSignature)> {
        let nonce = self.state.facts.view.withdrawal_nonces[self.state.side.index()];
        let included = now.checked_add(PROOF_MARGIN)?;
        let proof = self.state.proof.as_ref();
        proof.filter(|(p, _)| p.withdrawal_nonce == nonce && included <= p.valid_until)
    }

    /// How we answer the partner's reservation, if the transitions have one. Signing is safe when
    /// the insurance covers it: the partner owns what it withdraws.
    pub(crate) fn answer_reservation(
        &self,
        ctx: &Context<'_>,
        id: Nonce,
        transitions: &[Transition],
    ) -> Option<Decision> {
        let (nonce, valid_until, items) = transitions.iter().rev().find_map(|t| match t {
            Transition::Reserve { withdrawal_nonce, valid_until, items } => {
                Some((*withdrawal_nonce, *valid_until, items))
            },
            _ => None,
        })?;
        let insured = |(asset, amount): &(AssetId, Balance)| {
            *amount <= self.state.facts.collateral(*asset).insurance
        };
        if !items.iter().all(insured) {
            return Some(Decision::Refused(id, RefusalReason::AboveInsurance));
        }
        if valid_until > ctx.finalized.clock.saturating_add(MAX_VALIDITY) {
            return Some(Decision::Refused(id, RefusalReason::TooLong));
        }
        let withdrawal =
            Withdrawal { withdrawal_nonce: nonce, valid_until, items: insured_items(items) };
        let to = self.state.side.other();
        let message = self.state.context.withdrawal_message(to, &withdrawal);
        let signature = ctx.signer.sign(&message);
        Some(Decision::Proof(id, withdrawal, signature))
    }

    pub(crate) fn decision_message(&self, decision: &Decision) -> Message {
        let epoch = self.epoch();
        match decision.clone() {
            Decision::Proof(reservation, withdrawal, signature) => {
                Message::Proof { epoch, reservation, withdrawal, signature }
            },
            Decision::Refused(reservation, reason) => {
                Message::Refused { epoch, reservation, reason }
            },
        }
    }

    pub(crate) fn on_proof(
        &mut self,
        epoch: Epoch,
        reservation: Nonce,
        withdrawal: Withdrawal,
        signature: MultiSignature,
    ) -> Result<Vec<Effect>, Fault> {
        if epoch != self.epoch() || self.frozen().is_some() {
            return Ok(vec![]);
        }
        let held = self.state.mine.reservation.as_ref();
        let Some(held) = held.filter(|held| held.id == reservation) else {
            // For a reservation that is over: repeated after a reconnect.
            return Ok(vec![]);
        };
        if self.state.proof.as_ref().is_some_and(|(known, _)| *known == withdrawal) {
            return Ok(vec![]);
        }
        let expected = Withdrawal {
            withdrawal_nonce: held.withdrawal_nonce,
            valid_until: held.valid_until,
            items: withdrawal.items.clone(),
        };
        let same_items = withdrawal.items.len() == held.items.len()
            && withdrawal
                .items
                .iter()
                .zip(&held.items)
                .all(|(item, (asset, amount))| item.asset == *asset && item.amount == *amount);
        if !same_items || withdrawal != expected {
            return Err(Fault::Mismatch("the proof is for another withdrawal"));
        }
        let message = self.state.context.withdrawal_message(self.state.side, &withdrawal);
        if !signature::verify(&signature, &message, self.partner()) {
            return Err(Fault::BadSignature);
        }
        self.state.proof = Some((withdrawal.clone(), signature.clone()));
        let event = Effect::Event(Event::ProofReceived { withdrawal, signature });
        Ok(vec![Effect::Persist, event])
    }

    pub(crate) fn on_refused(
        &mut self,
        ctx: &Context<'_>,
        epoch: Epoch,
        reservation: Nonce,
        reason: RefusalReason,
    ) -> Result<Vec<Effect>, Fault> {
        if epoch != self.epoch() || self.frozen().is_some() {
            return Ok(vec![]);
        }
        let held = self.state.mine.reservation.as_ref();
        let ours = held.is_some_and(|held| held.id == reservation);
        if !ours || self.state.refused == Some(reservation) || self.state.proof.is_some() {
            return Ok(vec![]);
        }
        self.state.refused = Some(reservation);
        let event = Effect::Event(Event::ProofRefused { reservation, reason });
        let mut effects = vec![Effect::Persist, event];
        effects.extend(self.release(ctx));
        Ok(effects)
    }

    /// Releases our reservation if it is used, refused or over. Only when the partner has said where
    /// it stands: nothing is signed by itself that it may know better.
    pub(crate) fn release(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        if !self.established() {
            return vec![];
        }
        let Some(held) = self.state.mine.reservation.as_ref() else { return vec![] };
        let reservation = held.id;
        let nonce = self.state.facts.view.withdrawal_nonces[self.state.side.index()];
        let done = nonce > held.withdrawal_nonce
            || self.state.refused == Some(reservation)
            || ctx.finalized.clock > held.valid_until;
        if !done {
            return vec![];
        }
        // Frozen, or not synced: then a later block does it.
        let release = vec![Transition::Unreserve { reservation }];
        let effects = self.update(ctx, release).unwrap_or_default();
        if !effects.is_empty() {
            self.state.proof = None;
            self.state.refused = None;
        }
        effects
    }
}
