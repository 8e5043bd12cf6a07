//! Two parties with hosts on the small chain of [`super::ledger`]: forks, finality that lags, hosts
//! that submit what their engines want, crash, go down and come back.

use super::{
    ledger::{Call, Ledger},
    *,
};
use failsafe_primitives::{BlockNumber, Clock, Epoch, Nonce};
use std::collections::{BTreeMap, BTreeSet};

/// What a host has brought to the chain.
#[derive(Clone, Debug)]
struct Pending {
    call: Call,
    /// The block that has it.
    included: Option<BlockNumber>,
}

/// A party's host: what it keeps besides the engine.
#[derive(Default)]
struct Host {
    pending: Vec<Pending>,
    /// Best blocks that it has looked at.
    seen: BTreeSet<u64>,
    /// For how many more blocks it is down.
    down: usize,
    /// Own payments by epoch and nonce, as they were made durable.
    paid: BTreeMap<(Epoch, Nonce), Balance>,
    /// Those of the partner.
    got: BTreeMap<(Epoch, Nonce), Balance>,
}

pub(crate) struct Sim {
    pub world: World,
    pub ledger: Ledger,
    hosts: [Host; 2],
    /// Finalized height of each party's node.
    finalized: [BlockNumber; 2],
    /// Highest credit that each has granted, by epoch.
    pub credit: [BTreeMap<Epoch, Balance>; 2],
    /// Most that each has ever allowed to be unsigned, lost tails of earlier epochs included.
    limit: [Balance; 2],
    /// Epochs in which a party was down.
    pub absent: [BTreeSet<Epoch>; 2],
    /// How many events have been looked at.
    events: [usize; 2],
}

pub(crate) fn side(who: usize) -> Side {
    [Side::Left, Side::Right][who]
}

impl Sim {
    pub fn new() -> Self {
        let world = World::new(200, 100);
        let pair = world.facts.view.pair.clone();
        let mut sim = Self {
            world,
            ledger: Ledger::new(pair, 200, 100),
            hosts: Default::default(),
            finalized: [10, 10],
            credit: Default::default(),
            limit: [0, 0],
            absent: Default::default(),
            events: [0, 0],
        };
        for who in [L, R] {
            sim.note(who);
        }
        sim
    }

    pub fn channel(&self, who: usize) -> &Channel {
        &self.world.parties[who].channel
    }

    pub fn is_down(&self, who: usize) -> bool {
        self.hosts[who].down > 0
    }

    fn facts(&self, height: BlockNumber) -> PairFacts {
        let block = self.ledger.at(height);
        block.state.facts(&self.world.facts.view.pair, block.at)
    }

    /// Looks at what a call of the engine of `who` has led to.
    fn note(&mut self, who: usize) {
        let party = &mut self.world.parties[who];
        for action in std::mem::take(&mut party.submitted) {
            let call = Call::Channel(action);
            if !self.hosts[who].pending.iter().any(|pending| pending.call == call) {
                self.hosts[who].pending.push(Pending { call, included: None });
            }
        }
        let stored = Channel::decode_state(&party.disk).unwrap();
        let state = stored.state();
        let epoch = state.context.epoch;
        let host = &mut self.hosts[who];
        for (half, list) in [(&state.mine, &mut host.paid), (&state.theirs, &mut host.got)] {
            list.insert((epoch, half.nonce()), half.simplex.sent(FRD));
        }
        let given = state.given.current(FRD).map_or(0, |terms| terms.credit);
        let limit = state.given.current(FRD).map_or(0, |terms| terms.unsigned_limit);
        if limit > 0 {
            self.limit[who] = self.limit[who].max(limit + stored.unsigned_lost(FRD));
        }
        let credit = self.credit[who].entry(epoch).or_default();
        *credit = given.max(*credit);
        let new = party.events[self.events[who]..].to_vec();
        self.events[who] = party.events.len();
        if new.contains(&Event::Thawed) {
            self.world.disconnect();
        }
        // A host states its terms again in a new epoch.
        if new.iter().any(|event| matches!(event, Event::EpochStarted { .. })) {
            self.ask(who, |channel, _| channel.set_terms(FRD, AssetTerms::default()));
        }
    }

    /// Asks the engine of `who` for something.
    pub fn ask(
        &mut self,
        who: usize,
        f: impl FnOnce(&mut Channel, &Context<'_>) -> Result<Vec<Effect>, Refusal>,
    ) -> bool {
        if self.is_down(who) {
            return false;
        }
        let done = self.world.call(who, f).is_ok();
        self.note(who);
        self.restart_crashed();
        done
    }

    /// Tells the engine of `who` something.
    pub fn tell(
        &mut self,
        who: usize,
        f: impl FnOnce(&mut Channel, &Context<'_>) -> Vec<Effect>,
    ) -> Result<(), Fault> {
        let told = self.world.tell(who, f);
        self.note(who);
        self.restart_crashed();
        told
    }

    /// A process that was cut short starts again at once.
    fn restart_crashed(&mut self) {
        if let Some(who) = self.world.crashed.take() {
            self.hosts[who].seen.clear();
            self.catch_up(who);
        }
    }

    pub fn connect(&mut self) {
        let down = self.hosts.iter().any(|host| host.down > 0);
        if !self.world.connected && !down {
            self.world.connect();
        }
    }

    /// Delivers the next message of `from`.
    pub fn deliver(&mut self, from: usize) -> Result<(), Fault> {
        let delivered = self.world.deliver(from);
        self.note(1 - from);
        self.restart_crashed();
        delivered
    }

    /// Delivers until nothing is under way.
    pub fn deliver_all(&mut self) {
        while self.world.parties.iter().any(|party| !party.out.is_empty()) {
            for from in [L, R] {
                let _ = self.deliver(from);
            }
        }
    }

    /// The process of `who` ends and starts again `blocks` blocks later.
    pub fn crash(&mut self, who: usize, blocks: usize) {
        self.world.crash(who);
        self.world.crashed = None;
        self.hosts[who].down = blocks;
        self.hosts[who].seen.clear();
        if blocks == 0 {
            self.catch_up(who);
        }
    }

    /// A process that starts reads the newest finalized block first.
    fn catch_up(&mut self, who: usize) {
        let best = self.ledger.best().at;
        let facts = self.facts(self.finalized[who]);
        let party = &mut self.world.parties[who];
        (party.finalized, party.best) = (facts.at, best);
        let _ = self.tell(who, |channel, ctx| channel.on_finalized(ctx, facts));
    }

    /// A best block with `first`, and with what the hosts have brought.
    pub fn mine(&mut self, full: bool, first: &[(Side, Call)]) {
        let mut calls = first.to_vec();
        let height = self.ledger.best().at.block + 1;
        for (who, host) in self.hosts.iter_mut().enumerate() {
            let waiting = host.pending.iter_mut().filter(|pending| pending.included.is_none());
            for pending in waiting {
                pending.included = Some(height);
                calls.push((side(who), pending.call.clone()));
            }
        }
        self.ledger.mine(full, &calls);
        for who in [L, R] {
            if self.is_down(who) {
                self.hosts[who].down -= 1;
                self.absent[who].insert(self.ledger.best().state.epoch);
                if !self.is_down(who) {
                    self.catch_up(who);
                }
            }
            self.look(who);
        }
    }

    /// The node of `who` has a new best block.
    fn look(&mut self, who: usize) {
        if self.is_down(who) {
            return;
        }
        let seen = &mut self.hosts[who].seen;
        let mut touched = false;
        for block in self.ledger.above(self.finalized[who]) {
            touched |= seen.insert(block.id) && block.touched;
        }
        let best = self.ledger.best().at;
        self.world.parties[who].best = best;
        if touched {
            let facts = self.facts(best.block);
            self.tell(who, |channel, _| channel.on_best(&facts)).unwrap();
        }
    }

    /// Another branch wins from `depth` blocks ago, as far as nothing of it is final. Transactions of
    /// hosts come into it, others not.
    pub fn reorganise(&mut self, depth: u32) {
        let best = self.ledger.best().at.block;
        let final_one = self.finalized[L].max(self.finalized[R]);
        let fork = best.saturating_sub(depth).max(final_one);
        if fork == best {
            return;
        }
        self.ledger.revert(fork);
        for host in &mut self.hosts {
            for pending in &mut host.pending {
                pending.included = pending.included.filter(|height| *height <= fork);
            }
        }
        // It is longer than the one that it replaces; nobody looks at the blocks in between.
        for _ in fork..best {
            self.ledger.mine(true, &[]);
        }
        self.mine(false, &[]);
    }

    /// The node of `who` finalizes all but the newest `lag` blocks.
    pub fn finalize(&mut self, who: usize, lag: u32) {
        let target = self.ledger.best().at.block.saturating_sub(lag);
        let known = self.finalized[who];
        if target <= known {
            return;
        }
        self.finalized[who] = target;
        self.hosts[who].pending.retain(|pending| pending.included.is_none_or(|at| at > target));
        if self.is_down(who) {
            return;
        }
        let touched = self.ledger.above(known).any(|b| b.at.block <= target && b.touched);
        let facts = self.facts(target);
        self.world.parties[who].finalized = facts.at;
        if touched {
            let _ = self.tell(who, |channel, ctx| channel.on_finalized(ctx, facts));
        } else if self.channel(who).waits_for_blocks() {
            let _ = self.tell(who, |channel, ctx| channel.on_block(ctx));
        }
    }

    /// `who` uses its live proof.
    pub fn withdraw(&mut self, who: usize) {
        let now = self.world.parties[who].finalized.clock;
        let Some((withdrawal, proof)) = self.channel(who).live_proof(now).cloned() else { return };
        let call = Call::Withdraw(withdrawal, proof);
        if !self.hosts[who].pending.iter().any(|pending| pending.call == call) {
            self.hosts[who].pending.push(Pending { call, included: None });
        }
    }

    /// Everybody is up, and blocks are final at once, until `done` or for so many blocks.
    pub fn settle(&mut self, blocks: usize, done: impl Fn(&Self) -> bool) {
        for _ in 0..blocks {
            if done(self) {
                return;
            }
            self.mine(false, &[]);
            for who in [L, R] {
                self.finalize(who, 0);
            }
            self.deliver_all();
        }
    }

    /// All that `who` was paid, and may count on.
    pub fn received(&self, who: usize) -> i128 {
        i128::try_from(self.world.received(who)).unwrap()
    }

    /// All that `who` has signed to have paid, the newest of each epoch.
    pub fn paid(&self, who: usize) -> i128 {
        let mut newest: BTreeMap<Epoch, Balance> = BTreeMap::new();
        for ((epoch, _), sent) in &self.hosts[who].paid {
            newest.insert(*epoch, *sent);
        }
        i128::try_from(newest.values().sum::<Balance>()).unwrap()
    }

    /// The usable clock of the best block.
    pub fn clock(&self) -> Clock {
        self.ledger.best().at.clock
    }

    /// What `who` has got, or is owed for good, is at least what signatures say: what was deposited
    /// for it, plus what it received, less what it paid. What it took without a signature and lost is
    /// within the limit that it gave. To be asked when nothing is in the channel.
    pub fn assert_nothing_lost(&self, who: usize) {
        let state = &self.ledger.best().state;
        let lost = self.channel(who).unsigned_lost(FRD);
        assert!(lost <= self.limit[who], "{lost} is lost, {} was allowed", self.limit[who]);
        let lost = i128::try_from(lost).unwrap();
        let owed = state.deposited[who] + self.received(who) - self.paid(who) - lost;
        assert!(
            state.wealth[who] >= owed,
            "{:?} has {}, is owed {owed}: deposited {}, received {}, lost {lost}, paid {}",
            side(who),
            state.wealth[who],
            state.deposited[who],
            self.received(who),
            self.paid(who),
        );
    }

    /// What right had uninsured at the end of an epoch in which it was always there is within the
    /// credit that it gave, and what left gave away: payments that never arrived, or that it did not
    /// want to have received.
    pub fn assert_exposure_of_right(&self) {
        for end in &self.ledger.best().state.ends {
            let credit = self.credit[R].get(&end.epoch).copied().unwrap_or_default();
            let [got, paid] = [&self.hosts[R].got, &self.hosts[R].paid].map(|signed| {
                let of_epoch = signed.range((end.epoch, 0)..=(end.epoch, Nonce::MAX));
                of_epoch.map(|(_, sent)| *sent).max().unwrap_or_default()
            });
            let given = end.counted.map_or(0, |[by_left, by_right]| {
                by_left.saturating_sub(got) + paid.saturating_sub(by_right)
            });
            assert!(
                end.uninsured <= credit + given || self.absent[R].contains(&end.epoch),
                "{end:?}: {credit} granted, {given} given away"
            );
        }
    }
}
