//! Late claims (`protocol.md` §5, A11): what the resolve of an epoch did not count of the partner's
//! payments can be claimed for a while.
//!
//! The evidence outlives its epoch: it is dropped only when a finalized block has counted it in full,
//! or takes no claims for that epoch any more.

use crate::{
    chain::PairFacts,
    effect::{ChainAction, Effect},
    state::Channel,
    Context,
};
use codec::{Decode, Encode};
use failsafe_primitives::{
    evidence::late_amount,
    view::{OldEpochView, MAX_OLD_EPOCHS},
    Clock, Epoch, Side, SignedSimplex,
};

/// First pause before a claim is submitted again, in usable blocks.
const FIRST_PAUSE: Clock = 10;

/// The partner's newest simplex of an epoch whose resolve did not count all of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LateClaim {
    /// The epoch.
    pub epoch: Epoch,
    /// The simplex.
    pub signed: SignedSimplex,
}

impl LateClaim {
    /// Whether the chain, as `facts` has it, may still count something for it. `payer` is the side
    /// of the partner.
    pub(crate) fn is_open(&self, facts: &PairFacts, payer: Side) -> bool {
        let epochs = &facts.view.old_epochs;
        match epochs.iter().find(|old| old.epoch == self.epoch) {
            Some(old) => self.exceeds(old, payer),
            // The view lists the newest epochs only: an older one than all of them may be open.
            None => {
                epochs.len() >= MAX_OLD_EPOCHS && epochs.iter().all(|old| old.epoch > self.epoch)
            },
        }
    }

    fn exceeds(&self, old: &OldEpochView, payer: Side) -> bool {
        let (counted, locks) = (&old.counted[payer.index()], &old.locks[payer.index()]);
        self.signed.simplex.entries.iter().any(|entry| {
            let known = counted.iter().find(|(asset, _)| *asset == entry.asset);
            late_amount(entry, known.map_or(0, |(_, amount)| *amount), locks) > 0
        })
    }
}

/// When something that the chain has not taken is submitted again: each pause is twice as long as
/// the one before it, since every refusal may cost a fee. Not kept over a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Retry {
    next: Clock,
    pause: Clock,
}

impl Retry {
    /// Longest pause, in usable blocks.
    const LONGEST: Clock = 640;

    /// Whether it is time; if so, the next time is after a longer pause.
    pub fn is_due(&mut self, now: Clock, first_pause: Clock) -> bool {
        if now < self.next {
            return false;
        }
        self.pause = self.pause.saturating_mul(2).clamp(first_pause, Self::LONGEST);
        self.next = now.saturating_add(self.pause);
        true
    }
}

impl Channel {
    /// Drops the claims that `facts` has counted or takes no more, and keeps what the partner has
    /// signed in the current epoch, if `facts` shows that it ended without counting it.
    pub(crate) fn review_late(&mut self, facts: &PairFacts) {
        let payer = self.state.side.other();
        let ended = self.epoch();
        let newest = self.state.theirs.signed().filter(|_| facts.view.epoch > ended);
        self.state.late.extend(newest.map(|signed| LateClaim { epoch: ended, signed }));
        self.state.late.retain(|claim| claim.is_open(facts, payer));
        let late = &self.state.late;
        self.watch.claims.retain(|epoch, _| late.iter().any(|claim| claim.epoch == *epoch));
    }

    /// Submits the claims whose time it is.
    pub(crate) fn submit_late(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        let now = ctx.finalized.clock;
        let claims = &mut self.watch.claims;
        let due = self
            .state
            .late
            .iter()
            .filter(|claim| claims.entry(claim.epoch).or_default().is_due(now, FIRST_PAUSE));
        due.map(|LateClaim { epoch, signed }| {
            Effect::Submit(ChainAction::LateClaim {
                epoch: *epoch,
                simplex: signed.simplex.clone(),
                signature: signed.signature.clone(),
            })
        })
        .collect()
    }
}
