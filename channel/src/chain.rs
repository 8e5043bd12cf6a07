//! What the chain says about a channel, and what follows: disputes, counters, new epochs
//! (`protocol.md` §4 "Freeze", §5).

use crate::{
    effect::{ChainAction, Effect, Event},
    error::Refusal,
    freeze::FreezeReason,
    late::{LateClaim, Retry},
    state::{Acked, Channel, Half},
    terms::{Given, Received},
    Context,
};
use codec::{Decode, Encode};
use failsafe_primitives::{
    evidence::{Brought, Presented, Standing},
    view::{ChannelView, DisputeView, Moment},
    AccountId, AssetId, Balance, BlockNumber, Clock, Collateral, Epoch, Evidence, OwnSimplex, Pair,
    PairError, Side, Simplex,
};
use std::collections::BTreeMap;

/// First pause before a counter is submitted again that the chain has not taken, in usable blocks:
/// its inclusion takes that long.
const COUNTER_PAUSE: Clock = 2;

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

    /// Without the old epochs for which nothing is claimed: they are stored with every change.
    pub(crate) fn without_old_epochs(mut self, late: &[LateClaim]) -> Self {
        self.view.old_epochs.retain(|old| late.iter().any(|claim| claim.epoch == old.epoch));
        self
    }
}

/// What was brought to the chain since the start of the process. A restart brings it once more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watch {
    /// The newest best block that showed a dispute which needs no counter of ours.
    pub answered: Option<BlockNumber>,
    /// When a counter is submitted again.
    pub counter: Retry,
    /// When the late claims of an epoch are submitted again.
    pub claims: BTreeMap<Epoch, Retry>,
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

    /// All that we have: the partner's newest signed simplex and our own newest, acknowledged if
    /// possible. Our own needs no signature, so it shows what we have paid without one.
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
    ///
    /// # Errors
    /// [`Refusal::Frozen`] when there is a dispute already: the starter speaks once, and one of the
    /// partner is answered without being asked to. [`Refusal::NothingToDispute`] (A5).
    /// [`Refusal::Restored`] when our copy may be old.
    pub fn dispute(&mut self) -> Result<Vec<Effect>, Refusal> {
        if self.restored() {
            return Err(Refusal::Restored);
        }
        self.take_to_chain()
    }

    pub(crate) fn take_to_chain(&mut self) -> Result<Vec<Effect>, Refusal> {
        let epoch = self.epoch();
        let seen = self.state.freezes.seen(epoch);
        let known = self.state.facts.view.dispute.is_some();
        if let Some(block) = seen.filter(|_| known || !self.state.freezes.own_dispute) {
            return Err(Refusal::Frozen(FreezeReason::SeenOnChain { block }));
        }
        let evidence = self.evidence();
        let nothing = evidence.theirs.is_none() && evidence.ours.is_none();
        if nothing && self.state.facts.view.collateral.is_empty() {
            return Err(Refusal::NothingToDispute);
        }
        let mut effects = self.freeze(|freezes| freezes.own_dispute = true);
        effects.push(Effect::Submit(ChainAction::Dispute { epoch, evidence }));
        Ok(effects)
    }

    /// New finalized facts of the pair. If a message that waited for them is faulty, the last effect
    /// is [`Effect::Fault`]; see [`Channel::receive`].
    pub fn on_finalized(&mut self, ctx: &Context<'_>, facts: PairFacts) -> Vec<Effect> {
        let known = &self.state.facts;
        if facts.at.block < known.at.block || facts.view.epoch < self.epoch() {
            return vec![];
        }
        self.review_late(&facts);
        let old = facts.view.old_epochs.iter().find(|old| old.epoch == self.epoch());
        let (mut closed, mut ended) = (None, vec![]);
        if facts.view.epoch > self.epoch() {
            closed = self.end_closed(old);
            ended.extend(self.end_locks(old));
            ended.extend(self.end_unsigned(old));
        }
        let facts = facts.without_old_epochs(&self.state.late);
        let (epoch, block) = (facts.view.epoch, facts.at.block);
        let disputed = facts.view.dispute.is_some();
        let mut effects: Vec<_> = closed.into_iter().collect();
        if epoch > self.epoch() {
            effects.extend(self.start_epoch(facts));
        } else {
            self.state.facts = facts;
            effects.push(Effect::Persist);
        }
        effects.extend(ended);
        if disputed {
            effects.extend(self.freeze(|freezes| freezes.see(epoch, block)));
        }
        effects.extend(self.on_block(ctx));
        effects
    }

    /// A new finalized block without new facts of the pair: deadlines, what is to be submitted again,
    /// and what waits for the chain. Ends with [`Effect::Fault`] like [`Channel::on_finalized`].
    pub fn on_block(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        let mut effects = self.thaw(ctx);
        effects.extend(self.submit_late(ctx));
        effects.extend(self.counter_again(ctx));
        effects.extend(self.release(ctx));
        effects.extend(self.tidy_locks(ctx));
        effects.extend(self.pump(ctx));
        effects
    }

    /// The pair as a best block shows it. Disputes are watched here, not on finalized blocks (M1).
    pub fn on_best(&mut self, facts: &PairFacts) -> Vec<Effect> {
        let (view, block) = (&facts.view, facts.at.block);
        if block <= self.state.facts.at.block {
            // Finality has been there.
            return vec![];
        }
        // The epochs that this block shows in dispute or over.
        let through = match view.dispute {
            Some(_) => Some(view.epoch),
            None => view.epoch.checked_sub(1),
        };
        let Some(through) = through.filter(|through| *through >= self.epoch()) else {
            return vec![];
        };
        let mut effects = vec![];
        if self.state.freezes.seen.get(&through).is_none_or(|known| *known < block) {
            effects.extend(self.freeze(|freezes| freezes.see(through, block)));
        }
        let dispute = view.dispute.as_ref().filter(|_| view.epoch == self.epoch());
        let counter = dispute.and_then(|dispute| self.counter(dispute, facts.at));
        self.watch.answered = counter.is_none().then_some(block);
        if counter.is_some() {
            self.watch.counter = Retry::default();
            self.watch.counter.is_due(facts.at.clock, COUNTER_PAUSE);
        }
        effects.extend(counter);
        effects
    }

    /// Answers a finalized dispute that needs it: when no best block has told us of it, and when the
    /// answer was not taken. Not when a best block shows it answered.
    fn counter_again(&mut self, ctx: &Context<'_>) -> Option<Effect> {
        let facts = &self.state.facts;
        if self.watch.answered.is_some_and(|block| block > facts.at.block) {
            return None;
        }
        let counter = self.counter(facts.view.dispute.as_ref()?, ctx.best)?;
        self.watch.counter.is_due(ctx.best.clock, COUNTER_PAUSE).then_some(counter)
    }

    /// Answers a dispute of the partner in which something of ours replaces what is stored: something
    /// newer, or the same when the starter posted it without our acknowledgement; or something that
    /// only keeps older ones from replacing what the starter posted alone. What is final and not older
    /// stays.
    fn counter(&self, dispute: &DisputeView, at: Moment) -> Option<Effect> {
        let side = self.state.side;
        let open = dispute.starter != Some(side) && !dispute.settled;
        if !open || at.clock >= dispute.resolve_at {
            return None;
        }
        let helps = |side: Side, simplex: &Simplex| {
            let ours = Presented { simplex: simplex.clone(), standing: Standing::Final };
            let mut stored = dispute.presented[side.index()].clone();
            ours.bring(&mut stored) != Brought::Skipped
        };
        let theirs = self.state.theirs.signed();
        let theirs = theirs.filter(|signed| helps(side.other(), &signed.simplex));
        let acked = self.state.acked.clone().filter(|acked| helps(side, &acked.simplex));
        if theirs.is_none() && acked.is_none() {
            return None;
        }
        let ours = acked.map(|Acked { simplex, ack, .. }| OwnSimplex::Acked { simplex, ack });
        Some(Effect::Submit(ChainAction::Counter { evidence: Evidence { theirs, ours } }))
    }

    /// A new epoch is final: everything signed before is void, except late claims.
    fn start_epoch(&mut self, facts: PairFacts) -> Vec<Effect> {
        let epoch = facts.view.epoch;
        let freezes = self.freezes_of_new_epoch(epoch, facts.at.block);
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
        state.freezes = freezes;
        state.data_lost = false;
        state.forgotten = 0;
        state.answers.clear();
        state.said.clear();
        state.dying.clear();
        state.facts = facts;
        self.watch.answered = None;
        self.watch.counter = Retry::default();
        // A new start for the session too, with what waits in it.
        self.session.established = false;
        self.session.doubt = None;
        self.session.close_requested = None;
        let mut effects = vec![Effect::Persist];
        if self.session.live {
            effects.push(Effect::Send(self.reestablish()));
        }
        effects.push(Effect::Event(Event::EpochStarted { epoch }));
        if let Some(reason) = self.frozen() {
            effects.push(Effect::Event(Event::Frozen { reason }));
        }
        effects
    }
}
