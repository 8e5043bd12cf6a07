//! The events: payments come by chance, go from hub to hub, and wait for cores; hubs rebalance in
//! rounds; the chain makes blocks.

use super::{
    chain::{Chain, Entry},
    hub::Cores,
    ledger::{Ledger, Rebalance, Rules},
    random::{mean_amount, mix, scale, Random},
    topology::{Topology, Way},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;
/// A message's way from one machine to another.
pub const LINK: u64 = 20_000_000;
/// How long a hub's answers wait for the disk, besides its work.
pub const COMMIT: u64 = 1_000_000;
/// Pace of the blocks.
pub const BLOCK: u64 = 6 * SECOND;
/// From a block to its finality.
pub const FINALITY: u64 = 2 * BLOCK;
/// Most items of a batch: more do not fit a transaction.
pub const MAX_BATCH: u64 = 5_000;
/// Users bring so many times an amount as payments have it.
const SAVINGS: u64 = 64;
/// Of so many users one is as popular as the most popular one.
const HEAD: u32 = 10_000;

/// What a payment costs a hub, in nanoseconds of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Payer and payee have the same hub, which is trusted to pay on.
    pub trusted: u64,
    /// Each hub of a way with hash locks, from lock to settlement.
    pub locked: u64,
}

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Hubs.
    pub hubs: u32,
    /// All hubs have channels with each other; else they stand in a square.
    pub mesh: bool,
    /// Cores of a hub.
    pub cores: usize,
    /// Users.
    pub users: u32,
    /// Payments per second that users want to make.
    pub rate: u64,
    /// What hubs spend on them.
    pub costs: Costs,
    /// Whether payments take time: without it they are done as they come.
    pub timed: bool,
    /// From here on it is counted.
    pub warm: u64,
    /// Until then.
    pub end: u64,
    /// Pause between two rebalances of a hub; none if hubs do not.
    pub round: Option<u64>,
    /// Items that a block has room for.
    pub room: u64,
    /// Pause between two looks at the risk.
    pub sample: u64,
    /// Of chance.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Payments that began while it was counted.
    pub begun: u64,
    /// That ended while it was counted.
    pub done: u64,
    /// That were not made: the payer had not enough, or a hub must not owe more.
    pub refused: u64,
    /// That were under way at the end.
    pub open: usize,
    /// How long those that ended took, ascending, in nanoseconds.
    pub times: Vec<u64>,
    /// Hubs of the ways of those that began, all together.
    pub hops: u64,
    /// Share of its time that the busiest hub worked, in millionths.
    pub busiest: u64,
    /// Share of its time that a hub worked on average, in millionths.
    pub busy: u64,
    /// Time, and what was owed without insurance by all hubs.
    pub risk: Vec<(u64, u128)>,
    /// What users owned at the end.
    pub claims: u128,
    /// Users who took part.
    pub users: usize,
    /// Items, blocks, items of the fullest block.
    pub chain: [u64; 3],
    /// Batches that waited at the end.
    pub backlog: usize,
    /// Bytes of the ledger, the events and the payments under way.
    pub memory: usize,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Somebody wants to pay.
    Payment,
    /// A payment comes to a hub.
    Hop(u32),
    /// A block.
    Block,
    /// A hub's batch is final.
    Final(u32),
    /// A hub rebalances.
    Round(u32),
    /// A look at the risk.
    Sample,
}

/// A payment under way.
#[derive(Clone, Copy, Debug)]
struct Moving {
    since: u64,
    payee: u32,
    amount: u64,
    way: Way,
    /// Hubs that it has been at, there and back.
    been: usize,
}

/// A network that runs.
pub struct Simulation {
    plan: Plan,
    topology: Topology,
    random: Random,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    numbered: u64,
    hubs: Vec<Cores>,
    ledger: Ledger,
    chain: Chain,
    submitted: BTreeMap<u32, (u64, Rebalance)>,
    moving: Vec<Moving>,
    unused: Vec<u32>,
    outcome: Outcome,
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Simulation {
    /// Before its first event.
    pub fn new(plan: Plan) -> Self {
        let mean = mean_amount();
        let rules = Rules {
            insure_above: 16 * mean,
            min_risk: 16 * mean,
            // A hub may owe another one what a thousand of its users bring.
            line: 1_000 * SAVINGS * mean,
        };
        Self {
            topology: Topology { hubs: plan.hubs, mesh: plan.mesh },
            random: Random::new(plan.seed),
            now: 0,
            events: BinaryHeap::new(),
            numbered: 0,
            hubs: vec![Cores::new(plan.cores); index(plan.hubs)],
            ledger: Ledger::new(index(plan.hubs), rules),
            chain: Chain::new(plan.room),
            submitted: BTreeMap::new(),
            moving: vec![],
            unused: vec![],
            outcome: Outcome::default(),
            plan,
        }
    }

    fn at(&mut self, time: u64, event: Event) {
        self.numbered += 1;
        self.events.push(Reverse((time, self.numbered, event)));
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Outcome {
        self.play();
        self.finish()
    }

    fn play(&mut self) {
        let Plan { end, warm, round, sample, hubs, .. } = self.plan;
        self.at(0, Event::Payment);
        self.at(0, Event::Sample);
        if let Some(round) = round {
            self.at(BLOCK, Event::Block);
            for hub in 0..hubs {
                // Not all at once.
                let first = scale(mix(u64::from(hub)), round);
                self.at(first, Event::Round(hub));
            }
        }
        let mut warming = true;
        while let Some(Reverse((time, _, event))) = self.events.pop() {
            if time > end {
                break;
            }
            if warming && time >= warm {
                warming = false;
                for hub in &mut self.hubs {
                    hub.busy = 0;
                }
            }
            self.now = time;
            match event {
                Event::Payment => self.on_payment(),
                Event::Hop(number) => self.on_hop(number),
                Event::Block => self.on_block(),
                Event::Final(hub) => self.on_final(hub),
                Event::Round(hub) => self.on_round(hub),
                Event::Sample => {
                    self.outcome.risk.push((time, self.ledger.risk));
                    self.at(time.saturating_add(sample.max(1)), Event::Sample);
                },
            }
        }
    }

    fn finish(mut self) -> Outcome {
        let Plan { end, warm, cores, .. } = self.plan;
        let counted = u128::from(end - warm) * u128::try_from(cores).unwrap_or(1);
        let share = |busy: u128, hubs: u128| {
            u64::try_from(busy * 1_000_000 / (counted * hubs).max(1)).unwrap_or(u64::MAX)
        };
        let busy = self.hubs.iter().map(|hub| u128::from(hub.busy));
        let all: u128 = busy.clone().sum();
        let queue = self.events.capacity() * size_of::<Reverse<(u64, u64, Event)>>();
        let memory = self.ledger.memory() + queue + self.moving.capacity() * size_of::<Moving>();
        self.outcome.times.sort_unstable();
        Outcome {
            open: self.moving.len() - self.unused.len(),
            busiest: share(busy.max().unwrap_or(0), 1),
            busy: share(all, self.plan.hubs.into()),
            claims: self.ledger.claims(),
            users: self.ledger.users(),
            chain: [self.chain.items, self.chain.blocks, self.chain.fullest],
            backlog: self.chain.backlog(),
            memory,
            ..self.outcome
        }
    }

    fn counts(&self) -> bool {
        self.now >= self.plan.warm
    }

    /// Half of them anybody, half of them by popularity.
    fn somebody(&mut self) -> u32 {
        let users = u64::from(self.plan.users);
        let head = u64::from((self.plan.users / HEAD).max(1));
        let user = if self.random.below(2) == 0 {
            self.random.below(users)
        } else {
            loop {
                // Without the first ones: nobody makes a hundredth of all payments in one channel.
                if let Some(user) = self.random.popular(users + head).checked_sub(head) {
                    break user;
                }
            }
        };
        u32::try_from(user).unwrap_or_default()
    }

    fn join(&mut self, user: u32) -> u32 {
        let hub = self.topology.hub_of(user);
        let brought = self.random.amount() * SAVINGS;
        self.ledger.join(user, hub, brought);
        hub
    }

    fn on_payment(&mut self) {
        let pause = self.random.pause(SECOND * 1_000 / self.plan.rate.max(1)) / 1_000;
        self.at(self.now + pause, Event::Payment);
        let (payer, payee) = loop {
            let pair = (self.somebody(), self.somebody());
            if pair.0 != pair.1 {
                break pair;
            }
        };
        let (from, to) = (self.join(payer), self.join(payee));
        let way = self.topology.way(from, to, self.random.any());
        let amount = self.random.amount();
        let paid = self.ledger.pay(payer, way.hubs(), amount);
        if self.counts() {
            self.outcome.begun += 1;
            self.outcome.refused += u64::from(!paid);
            self.outcome.hops += u64::try_from(way.hubs().len()).unwrap_or(0);
        }
        if !paid {
            return;
        }
        let moving = Moving { since: self.now, payee, amount, way, been: 0 };
        if !self.plan.timed {
            return self.at_once(moving);
        }
        let number = match self.unused.pop() {
            Some(number) => {
                self.moving[index(number)] = moving;
                number
            },
            None => {
                self.moving.push(moving);
                u32::try_from(self.moving.len() - 1).unwrap_or(u32::MAX)
            },
        };
        self.at(self.now + LINK, Event::Hop(number));
    }

    fn at_once(&mut self, moving: Moving) {
        for _ in 0..moving.way.visits() {
            let cost = self.cost(moving.way);
            for hub in moving.way.hubs() {
                self.hubs[index(*hub)].busy += cost;
            }
        }
        self.ledger.arrive(moving.payee, moving.amount);
        self.outcome.done += u64::from(self.counts());
    }

    /// Of a visit at a hub.
    fn cost(&self, way: Way) -> u64 {
        match way.visits() {
            1 => self.plan.costs.trusted,
            visits => self.plan.costs.locked / visits,
        }
    }

    fn on_hop(&mut self, number: u32) {
        let Moving { since, payee, amount, way, been } = self.moving[index(number)];
        let hubs = way.hubs();
        let Some(hub) = way.hub_at(been) else {
            // Back at the payer, or at the payee if nothing comes back.
            if way.visits() == 1 {
                self.ledger.arrive(payee, amount);
            }
            self.unused.push(number);
            if self.counts() {
                self.outcome.done += 1;
                self.outcome.times.push(self.now - since);
            }
            return;
        };
        let cost = self.cost(way);
        let done = self.hubs[index(hub)].serve(self.now, cost);
        let been = been + 1;
        self.moving[index(number)].been = been;
        let mut links = LINK;
        if been == hubs.len() && way.visits() == 2 {
            // To the payee and back with the secret: money that is locked cannot be lost any more.
            links += LINK;
            self.ledger.arrive(payee, amount);
        }
        self.at(done + COMMIT + links, Event::Hop(number));
    }

    fn on_block(&mut self) {
        self.at(self.now + BLOCK, Event::Block);
        for Entry { hub, .. } in self.chain.block() {
            let hub = u32::try_from(hub).unwrap_or_default();
            self.at(self.now + FINALITY, Event::Final(hub));
        }
    }

    /// The next round begins when the last batch is final, and not before its time.
    fn on_final(&mut self, hub: u32) {
        let Some((began, plan)) = self.submitted.remove(&hub) else { return };
        self.ledger.settle(hub, &plan);
        let next = began.saturating_add(self.plan.round.unwrap_or(BLOCK));
        self.at(next.max(self.now), Event::Round(hub));
    }

    fn on_round(&mut self, hub: u32) {
        let round = self.plan.round.unwrap_or(BLOCK);
        // Its share of the blocks of a round, so that no queue grows.
        let share = self.plan.room * (round / BLOCK) / u64::from(self.plan.hubs);
        let most = share.clamp(2, MAX_BATCH.min(self.plan.room));
        let plan = self.ledger.plan(hub, most);
        let entry = Entry { hub: index(hub), items: plan.items() };
        if plan.deposits.is_empty() || !self.chain.submit(entry) {
            return self.at(self.now + round, Event::Round(hub));
        }
        self.submitted.insert(hub, (self.now, plan));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan {
        hubs: 1,
        mesh: true,
        cores: 1,
        users: 1_000_000,
        rate: 8_000,
        costs: Costs { trusted: 100_000, locked: 300_000 },
        timed: true,
        warm: SECOND,
        end: 31 * SECOND,
        round: None,
        room: 100,
        sample: SECOND,
        seed: 5,
    };

    fn checked(plan: Plan) -> Outcome {
        let mut simulation = Simulation::new(plan);
        simulation.play();
        simulation.ledger.check();
        simulation.finish()
    }

    #[test]
    fn payments_should_wait_as_in_an_m_d_1_queue_when_there_is_one_hub_with_one_core() {
        let outcome = Simulation::new(PLAN).run();
        let count = u64::try_from(outcome.times.len()).unwrap();
        let mean = outcome.times.iter().sum::<u64>() / count;
        // 80 % busy: two costs of waiting, one of work; two links and a commit.
        let expected = 3 * 100_000 + 2 * LINK + COMMIT;
        assert!(mean.abs_diff(expected) < 15_000, "{mean}, not {expected}");
        assert!((780_000..820_000).contains(&outcome.busiest), "{}", outcome.busiest);
        assert!(outcome.done > 230_000 && outcome.refused * 20 < outcome.begun, "{outcome:?}");
    }

    #[test]
    fn payment_should_take_the_time_of_its_links_and_costs_when_hubs_are_idle() {
        let plan = Plan { hubs: 100, mesh: false, rate: 10, ..PLAN };
        let outcome = Simulation::new(plan).run();
        let longest = outcome.times.last().copied().unwrap();
        // Three hubs, each visited twice; eight links.
        assert_eq!(longest, 8 * LINK + 6 * (150_000 + COMMIT));
        let shortest = outcome.times.first().copied().unwrap();
        assert!(shortest >= 2 * LINK + 100_000 + COMMIT);
    }

    #[test]
    fn money_should_be_kept_when_payments_and_rebalances_go_on() {
        for timed in [true, false] {
            let plan = Plan {
                hubs: 25,
                mesh: false,
                cores: 2,
                users: 20_000,
                rate: 5_000,
                timed,
                end: 100 * SECOND,
                round: Some(20 * SECOND),
                ..PLAN
            };
            let outcome = checked(plan);
            assert!(outcome.chain[0] > 500, "{:?}", outcome.chain);
            assert!(outcome.done > 400_000, "{}", outcome.done);
        }
    }

    #[test]
    fn risk_should_be_lower_when_hubs_rebalance() {
        let plan = Plan { hubs: 5, users: 50_000, timed: false, end: 200 * SECOND, ..PLAN };
        let risk = |round| {
            let outcome = Simulation::new(Plan { round, room: 5_000, ..plan }).run();
            outcome.risk.last().map(|(_, risk)| *risk).unwrap()
        };
        let (without, with) = (risk(None), risk(Some(30 * SECOND)));
        // Most of what is left is below what anybody insures.
        assert!(with * 5 < without * 4, "{with} with, {without} without");
    }

    #[test]
    fn outcome_should_be_the_same_when_the_seed_is() {
        let plan = Plan { hubs: 9, mesh: false, end: 3 * SECOND, ..PLAN };
        let one = Simulation::new(plan).run();
        assert_eq!(one, Simulation::new(plan).run());
        assert_ne!(one, Simulation::new(Plan { seed: 6, ..plan }).run());
    }

    #[test]
    fn payments_should_pile_up_when_hubs_cannot_do_them() {
        let outcome = Simulation::new(Plan { rate: 12_000, ..PLAN }).run();
        assert!(outcome.busiest >= 999_000, "{}", outcome.busiest);
        assert!((290_000..=301_000).contains(&outcome.done), "10,000/s: {}", outcome.done);
        assert!(outcome.open > 50_000, "{}", outcome.open);
    }
}
