//! The world around the parties: blocks, forks, finality, calls that wait, and the lines.

use super::{
    rng::Rng,
    rules::{Numbers, Rules},
    wire::Wire,
};
use crate::chain::{Account, BlockNumber, Call, Chain, Clock, Error, Hash, Secret};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

/// A call that waits or is in a block.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub who: Account,
    pub call: Call,
    pub honest: bool,
    /// Not in a block before this one.
    pub ready: BlockNumber,
    /// The block that it was in first.
    pub first: Option<BlockNumber>,
}

/// How often what has happened.
pub(super) type Counts = BTreeMap<&'static str, u64>;

/// The world of one game.
pub(super) struct Env {
    pub rules: Rules,
    pub numbers: Numbers,
    pub rng: Rng,
    pub wire: Wire,
    pub counts: Counts,
    /// Secrets that all evil parties know.
    pub leaked: BTreeMap<Hash, Secret>,
    /// When secrets came, as far as it is final; the chain forgets it, parties need not.
    pub revealed: BTreeMap<Hash, Clock>,
    /// Parties that are not there.
    pub away: BTreeSet<Account>,
    /// No new business.
    pub ending: bool,
    history: Vec<Rc<Chain>>,
    /// The calls of the blocks above finality.
    bodies: VecDeque<Vec<Waiting>>,
    finalized: usize,
    pool: Vec<Waiting>,
    trace: Option<Vec<String>>,
}

impl Env {
    pub fn new(rules: Rules, numbers: Numbers, rng: Rng, genesis: Chain, trace: bool) -> Self {
        Self {
            rules,
            numbers,
            rng,
            wire: Wire::default(),
            counts: Counts::new(),
            leaked: BTreeMap::new(),
            revealed: BTreeMap::new(),
            away: BTreeSet::new(),
            ending: false,
            history: vec![Rc::new(genesis)],
            bodies: VecDeque::new(),
            finalized: 0,
            pool: vec![],
            trace: trace.then(Vec::new),
        }
    }

    /// The newest block.
    pub fn head(&self) -> Rc<Chain> {
        Rc::clone(self.history.last().expect("there is a genesis"))
    }

    pub fn height(&self) -> BlockNumber {
        self.head().block_number()
    }

    /// A finalized block, `lag` before the newest of them.
    pub fn finalized(&self, lag: usize) -> (usize, Rc<Chain>) {
        let index = self.finalized.saturating_sub(lag);
        (index, Rc::clone(&self.history[index]))
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Adds a line to the trace, if one is kept.
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if self.trace.is_some() {
            let head = self.head();
            let line = format!("{:>4} clock {:>4} | {}", head.block_number(), head.clock(), line());
            self.trace.get_or_insert_default().push(line);
        }
    }

    pub fn into_trace(self) -> (Counts, Vec<String>) {
        (self.counts, self.trace.unwrap_or_default())
    }

    /// An honest call: it is in one of the next blocks.
    pub fn submit(&mut self, who: Account, call: Call) {
        let ready = self.height() + self.rng.range(1, self.numbers.inclusion);
        self.pool.push(Waiting { who, call, honest: true, ready, first: None });
    }

    /// A call of an evil party, who knows somebody that makes blocks.
    pub fn slip_in(&mut self, who: Account, call: Call) {
        self.pool.push(Waiting { who, call, honest: false, ready: 0, first: None });
    }

    /// The honest calls that wait: everybody can see them.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.pool.iter().filter(|waiting| waiting.honest)
    }

    /// One more block, perhaps on another fork.
    pub fn advance(&mut self) {
        let room = self.history.len() - 1 - self.finalized;
        let deepest = u64::try_from(room).unwrap_or(0).min(self.numbers.reorg);
        if deepest > 0 && self.rng.chance(self.numbers.reorgs) {
            let depth = self.rng.range(1, deepest);
            self.reorganize(depth);
        }
        self.make_block();
        let lag = usize::try_from(self.rng.range(1, self.numbers.finality)).expect("small");
        // Mostly the same lag for a while: finality comes in steps.
        if self.rng.chance(600) || self.history.len() - 1 - self.finalized >= self.lag_limit() {
            self.finalized = self.finalized.max((self.history.len() - 1).saturating_sub(lag));
        }
        for (hash, secret) in self.history[self.finalized].secrets() {
            self.revealed.entry(*hash).or_insert(secret.revealed_at);
        }
        while self.bodies.len() > self.history.len() - 1 - self.finalized {
            self.bodies.pop_front();
        }
    }

    fn lag_limit(&self) -> usize {
        usize::try_from(self.numbers.finality).expect("small")
    }

    /// The last `depth` blocks are gone; a fork as long as they takes their place.
    fn reorganize(&mut self, depth: u64) {
        self.count("reorganisations");
        self.say(|| format!("reorganisation, {depth} deep"));
        let old_head = self.height();
        let base = old_head - depth;
        let keep = self.bodies.len() - usize::try_from(depth).expect("small");
        for (height, body) in (base + 1..).zip(self.bodies.split_off(keep)) {
            for mut call in body {
                call.ready = if self.numbers.hostile_fork == 1 {
                    old_head + self.rng.range(1, self.numbers.reinclusion.max(1))
                } else if call.honest {
                    let since = if self.numbers.repeated_loss == 1 { None } else { call.first };
                    let latest = since.unwrap_or(height) + self.numbers.reinclusion;
                    self.rng.range(height, latest.max(height))
                } else if self.rng.chance(500) {
                    height
                } else if self.rng.chance(500) {
                    old_head + self.rng.range(1, 4)
                } else {
                    continue;
                };
                self.pool.push(call);
            }
        }
        self.history.truncate(usize::try_from(base + 1).expect("small"));
        while self.height() < old_head {
            self.make_block();
        }
    }

    /// A block of what is ready. In a full one there is no room for honest calls.
    fn make_block(&mut self) {
        let height = self.height() + 1;
        let full = self.rng.chance(self.numbers.full);
        let (mut calls, mut later) = (vec![], vec![]);
        for call in self.pool.drain(..) {
            if call.ready <= height && !(full && call.honest) {
                calls.push(call);
            } else {
                later.push(call);
            }
        }
        self.pool = later;
        self.rng.shuffle(&mut calls);
        // Evil calls are mostly in front: they pay more.
        if self.rng.chance(700) {
            calls.sort_by_key(|call| call.honest);
        }
        let mut chain = Chain::clone(&self.head());
        chain.begin_block(None);
        let mut body = vec![];
        for mut call in calls {
            call.first.get_or_insert(height);
            if matches!(call.call, Call::Batch { .. }) && chain.has_batched(call.who) {
                self.pool.push(call);
                continue;
            }
            let result = chain.apply(call.who, call.call.clone());
            self.note(&call, result.err());
            body.push(call);
        }
        chain.end_block(full);
        self.note_resolved(&chain);
        self.history.push(Rc::new(chain));
        self.bodies.push_back(body);
    }

    fn note(&mut self, waiting: &Waiting, error: Option<Error>) {
        let (done, failed) = match &waiting.call {
            Call::Dispute { .. } => ("disputes", "disputes failed"),
            Call::Counter { .. } => ("counters", "counters failed"),
            Call::CounterFor { .. } => ("counters of others", "counters of others failed"),
            Call::Reveal { .. } => ("reveals", "reveals failed"),
            Call::LateClaim { .. } => ("late claims", "late claims failed"),
            Call::Withdraw { .. } => ("withdrawals", "withdrawals failed"),
            Call::Batch { .. } => ("batches", "batches failed"),
            Call::Deposit { .. } => ("deposits", "deposits failed"),
            Call::Close { .. } => ("closes", "closes failed"),
            Call::Accept { .. } => ("accepts", "accepts failed"),
            _ => ("others", "others failed"),
        };
        self.count(if error.is_none() { done } else { failed });
        if waiting.honest && error == Some(Error::ExpiryTooFar) {
            self.count("HONEST EVIDENCE BEYOND ITS BOUND");
        }
        if waiting.honest && error == Some(Error::AckMissing) {
            self.count("honest disputes refused for a missing ack");
        }
        self.say(|| {
            let outcome = error.map_or("ok".to_string(), |error| format!("{error:?}"));
            let who = if waiting.honest { "" } else { "evil " };
            format!("call of {who}{}: {:?} -> {outcome}", waiting.who, waiting.call)
        });
    }

    fn note_resolved(&mut self, chain: &Chain) {
        let before = self.head();
        for (pair, channel) in chain.channels() {
            if channel.epoch > before.epoch(*pair) {
                self.count("resolved");
                self.say(|| {
                    let was = before.channel(*pair).and_then(|was| was.dispute.clone());
                    format!(
                        "{pair:?} resolved, epoch {} begins; dispute was {was:?}",
                        channel.epoch
                    )
                });
            }
        }
    }
}
