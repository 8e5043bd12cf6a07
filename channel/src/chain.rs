//! What the chain says about a channel, and what follows: freezing, countering, new epochs, late
//! claims (`protocol.md` §4 "Freeze", §5).

use crate::{
    effect::{ChainAction, Effect, Event},
    error::{Fault, Refusal},
    state::{Channel, FreezeReason, Half},
    terms::{Given, Received},
    Context,
};
use codec::{Decode, Encode};
use failsafe_primitives::{
    evidence::{late_amount, Presented, Standing},
    view::{ChannelView, DisputeView, Moment},
    AccountId, AssetId, Balance, Collateral, Evidence, OwnSimplex, Pair, PairError, Side,
};

/// What the chain knows about a pair at a block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PairFacts {
    /// The block.
    pub at: Moment,
    /// The pair's channel.
    pub view: ChannelView,
    /// What the partner owes us on chain, per asset.
    pub owed_to_me: Vec<(AssetId, Balance)>,
}

impl PairFacts {
    /// Facts of a pair that the chain has never seen.
    pub fn unknown(a: &AccountId, b: &AccountId, at: Moment) -> Result<Self, PairError> {
        let view = ChannelView {
            pair: Pair::new(a.clone(), b.clone())?,
            epoch: 0,
            withdrawal_nonces: [0, 0],
            collateral: vec![],
            dispute: None,
            old_epochs: vec![],
            max_locks: failsafe_primitives::simplex::MAX_LOCKS_USER,
            hubs: [false, false],
        };
        Ok(Self { at, view, owed_to_me: vec![] })
    }

    /// The collateral row of `asset`.
    pub fn collateral(&self, asset: AssetId) -> Collateral {
        let row = self.view.collateral.iter().find(|(a, _)| *a == asset);
        row.map(|(_, collateral)| *collateral).unwrap_or_default()
    }

    /// What the partner owes us on chain in `asset`.
    pub fn owed(&self, asset: AssetId) -> Balance {
        self.owed_to_me.iter().find(|(a, _)| *a == asset).map_or(0, |(_, amount)| *amount)
    }
}

impl Channel {
    /// What left and what right has sent in `asset`.
    pub(crate) fn sent_by_sides(&self, asset: AssetId) -> (Balance, Balance) {
        let mine = self.state.mine.simplex.sent(asset);
        let theirs = self.state.theirs.simplex.sent(asset);
        match self.state.side {
            Side::Left => (mine, theirs),
            Side::Right => (theirs, mine),
        }
    }

    /// Freezes the channel, durably, before anything leaves that makes it necessary.
    pub(crate) fn freeze(&mut self, reason: FreezeReason) -> Vec<Effect> {
        if self.state.freeze == Some(reason) {
            return vec![Effect::Persist];
        }
        self.state.freeze = Some(reason);
        vec![Effect::Persist, Effect::Event(Event::Frozen { reason })]
    }

    /// All that we have: the partner's newest simplex and our own, acknowledged if possible.
    pub fn evidence(&self) -> Evidence {
        let mine = &self.state.mine;
        let acked = self.state.acked.clone();
        let ours = match acked {
            _ if mine.nonce() == 0 => None,
            Some(acked) if acked.simplex.nonce == mine.nonce() => {
                Some(OwnSimplex::Acked { simplex: acked.simplex, ack: acked.ack })
            },
            acked => Some(OwnSimplex::Unacked {
                simplex: mine.simplex.clone(),
                acked: acked.map(|acked| (acked.simplex, acked.ack)),
            }),
        };
        Evidence { theirs: self.state.theirs.signed(), ours }
    }

    /// Takes the partner to the chain: freezes durably, then submits all that we have. May be called
    /// again when the chain did not take it, for instance because the fee could not be paid.
    pub fn dispute(&mut self) -> Result<Vec<Effect>, Refusal> {
        if let Some(reason @ FreezeReason::SeenOnChain { .. }) = self.state.freeze {
            return Err(Refusal::Frozen(reason));
        }
        let evidence = self.evidence();
        let nothing = evidence.theirs.is_none() && evidence.ours.is_none();
        if nothing && self.state.facts.view.collateral.is_empty() {
            return Err(Refusal::NothingToDispute);
        }
        let own_nonce = self.state.mine.nonce();
        let mut effects = self.freeze(FreezeReason::OwnDispute);
        effects.push(Effect::Submit(ChainAction::Dispute { evidence, own_nonce }));
        Ok(effects)
    }

    /// New finalized facts of the pair.
    pub fn on_finalized(
        &mut self,
        ctx: &Context<'_>,
        facts: PairFacts,
    ) -> Result<Vec<Effect>, Fault> {
        if facts.at.block < self.state.facts.at.block {
            return Ok(vec![]);
        }
        let mut effects = vec![];
        if facts.view.epoch > self.epoch() {
            effects.extend(self.start_epoch(facts));
        } else {
            let disputed = facts.view.dispute.is_some();
            self.state.facts = facts;
            effects.push(Effect::Persist);
            if disputed && self.state.freeze.is_none() {
                let block = self.state.facts.at.block;
                effects.extend(self.freeze(FreezeReason::SeenOnChain { block }));
            }
        }
        effects.extend(self.on_block(ctx)?);
        Ok(effects)
    }

    /// A new block without new facts of the pair: deadlines and what waits for the chain.
    pub fn on_block(&mut self, ctx: &Context<'_>) -> Result<Vec<Effect>, Fault> {
        let mut effects = self.thaw(ctx);
        effects.extend(self.release(ctx));
        effects.extend(self.pump(ctx)?);
        Ok(effects)
    }

    /// Lifts a freeze whose cause has gone: a dispute that a reorganisation removed, a close that
    /// was not used in time.
    fn thaw(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        let facts = &self.state.facts;
        let over = match self.state.freeze {
            None | Some(FreezeReason::OwnDispute) => false,
            Some(FreezeReason::SeenOnChain { block }) => {
                ctx.finalized.block >= block && facts.view.dispute.is_none()
            },
            Some(
                FreezeReason::CloseSigned { valid_until } | FreezeReason::Closing { valid_until },
            ) => ctx.finalized.clock > valid_until && facts.view.dispute.is_none(),
        };
        if !over {
            return vec![];
        }
        self.state.freeze = None;
        vec![Effect::Persist, Effect::Event(Event::Thawed)]
    }

    /// The pair as a best block shows it. Disputes are watched here, not on finalized blocks [M1].
    pub fn on_best(&mut self, facts: &PairFacts) -> Vec<Effect> {
        let (view, block) = (&facts.view, facts.at.block);
        if view.epoch > self.epoch() {
            return match self.state.freeze {
                None => self.freeze(FreezeReason::SeenOnChain { block }),
                Some(_) => vec![],
            };
        }
        let Some(dispute) = view.dispute.as_ref().filter(|_| view.epoch == self.epoch()) else {
            return vec![];
        };
        let mut effects = match self.state.freeze {
            Some(FreezeReason::OwnDispute | FreezeReason::SeenOnChain { .. }) => vec![],
            _ => self.freeze(FreezeReason::SeenOnChain { block }),
        };
        effects.extend(self.counter(dispute, facts.at));
        effects
    }

    /// Answers a dispute of the partner that does not show the newest.
    fn counter(&self, dispute: &DisputeView, at: Moment) -> Option<Effect> {
        let side = self.state.side;
        let ours = dispute.starter != Some(side) && !dispute.settled;
        if !ours || at.clock >= dispute.resolve_at {
            return None;
        }
        let stored = |side: Side| dispute.presented[side.index()].as_ref();
        let final_one = |simplex: &failsafe_primitives::Simplex| Presented {
            simplex: simplex.clone(),
            standing: Standing::Final,
        };
        // What replaces nothing need not be sent.
        let theirs = self.state.theirs.signed().filter(|signed| {
            let known = stored(side.other());
            known.is_none_or(|known| known.simplex.nonce != signed.simplex.nonce)
                && final_one(&signed.simplex).replaces(known)
        });
        let ours = self.state.acked.clone().filter(|acked| {
            let known = stored(side);
            known.is_none_or(|known| known.simplex.nonce != acked.simplex.nonce)
                && final_one(&acked.simplex).replaces(known)
        });
        if theirs.is_none() && ours.is_none() {
            return None;
        }
        let ours = ours.map(|acked| OwnSimplex::Acked { simplex: acked.simplex, ack: acked.ack });
        let evidence = Evidence { theirs, ours };
        Some(Effect::Submit(ChainAction::Counter { evidence }))
    }

    /// A new epoch is final: everything signed before is void, except late claims.
    fn start_epoch(&mut self, facts: PairFacts) -> Vec<Effect> {
        let ended = self.epoch();
        let epoch = facts.view.epoch;
        let mut effects = vec![];
        let theirs = self.state.theirs.signed();
        let claim = theirs.and_then(|signed| {
            let old = facts.view.old_epochs.iter().find(|old| old.epoch == ended)?;
            let counted = &old.counted[self.state.side.other().index()];
            let uncounted = signed.simplex.entries.iter().any(|entry| {
                let known = counted.iter().find(|(asset, _)| *asset == entry.asset);
                late_amount(entry.sent, known.map_or(0, |(_, amount)| *amount)) > 0
            });
            uncounted.then_some(signed)
        });
        let state = &mut self.state;
        state.context.epoch = epoch;
        state.mine = Half::default();
        state.theirs = Half::default();
        state.acked = None;
        state.ack_sent = 0;
        state.outbox.clear();
        state.given = Given::default();
        state.received = Received::default();
        state.decision = None;
        state.proof = None;
        state.refused = None;
        state.freeze = None;
        state.data_lost = false;
        state.facts = facts;
        self.close_requested = false;
        effects.push(Effect::Persist);
        if let Some(signed) = claim {
            effects.push(Effect::Submit(ChainAction::LateClaim {
                epoch: ended,
                simplex: signed.simplex,
                signature: signed.signature,
            }));
        }
        effects.push(Effect::Event(Event::EpochStarted { epoch }));
        // A new start for the session too.
        self.established = false;
        effects.extend(self.connected_again());
        effects
    }

    /// Says where we stand in the new epoch, keeping what waits.
    fn connected_again(&mut self) -> Vec<Effect> {
        let held = std::mem::take(&mut self.held);
        let effects = self.connected();
        self.held = held;
        effects
    }
}
