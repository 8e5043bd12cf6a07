//! The search itself: from the recipient back to the payer, since fees come on top and every amount
//! depends on what comes after it.
//!
//! A **label** is a way from one hub to the recipient. Not only its cost counts: a way that is a bit
//! more expensive may need less capacity (the price of risk is no part of the amount), fewer hops or
//! less time. So a hub keeps every label that no other one is at least as good as in cost, amount,
//! hops and expiry. All four only grow along the way, and the fee and the price of risk of a smaller
//! amount are never greater: what is dominated stays dominated, no label runs in a circle, and the
//! first label taken from the queue that the payer can pay is the best one.

use crate::{
    graph::{Capacity, Edge, Graph},
    query::{Hop, Query, Route, MAX_HOPS},
    reliability::{Reliability, Subject, SCORE_ONE},
};
use failsafe_primitives::{AccountId, Balance, Clock, LIMIT};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

/// Most labels that a hub keeps. Above that the result is good, but perhaps not the best.
const MAX_LABELS_PER_HUB: usize = 64;
/// Most labels of a search: a bound for memory and time.
const MAX_LABELS: usize = 400_000;

/// One whole in parts per million.
const PPM: Balance = 1_000_000;

/// What a way may cost and need. The diagnosis of a failure loosens one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) max_fee: Balance,
    pub(crate) max_hops: u32,
    pub(crate) max_expiry: Clock,
    pub(crate) risk_ppm: u32,
    /// Whether what is avoided counts as excluded.
    pub(crate) avoid: bool,
    /// Whether links carry only what they can, and those of other parts nothing more.
    pub(crate) capacity: bool,
    /// What is made as small as possible.
    pub(crate) smallest: Smallest,
}

/// What a search makes as small as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Smallest {
    Cost,
    Hops,
    Expiry,
    /// Nothing: whether there is a way at all. A hub keeps its first label only.
    Any,
}

impl Bounds {
    pub(crate) fn of(query: &Query) -> Self {
        Self {
            max_fee: query.max_fee,
            max_hops: query.max_hops.min(MAX_HOPS),
            max_expiry: query.max_expiry,
            risk_ppm: query.risk_ppm,
            avoid: true,
            capacity: true,
            smallest: Smallest::Cost,
        }
    }
}

/// A route and the nodes that it leads over.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) route: Route,
    pub(crate) path: Vec<usize>,
}

/// A search without result.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Missed {
    /// Labels were dropped because there were too many.
    pub(crate) given_up: bool,
    /// Some hub could not compute its fee, or an amount passed [`LIMIT`].
    pub(crate) too_large: bool,
}

/// A link that carries money in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Link {
    /// From the payer to a hub.
    First(usize),
    /// Between two hubs.
    Between(usize, usize),
    /// From a hub to the recipient.
    Last(usize),
}

#[derive(Clone, Copy, Debug, Default)]
struct Risk {
    score: u32,
    retry_at: Option<Clock>,
}

/// A way from `node` to the recipient.
#[derive(Clone, Copy, Debug)]
struct Label {
    node: usize,
    /// The label of the next hub, `None` before the recipient.
    next: Option<usize>,
    amount_in: Balance,
    amount_out: Balance,
    expiry_in: Clock,
    expiry_out: Clock,
    hops: u32,
    /// `amount_in` and the price of the risk so far.
    cost: Balance,
}

impl Label {
    fn is_as_good_as(&self, other: &Self) -> bool {
        self.cost <= other.cost
            && self.amount_in <= other.amount_in
            && self.hops <= other.hops
            && self.expiry_in <= other.expiry_in
    }
}

/// Order of the queue: what is to be small, then the ties.
type Rank = (Balance, Balance, u32, Balance, Clock, usize, usize);

/// Why a label cannot be extended to a hub.
enum Blocked {
    /// A limit of the [`Bounds`], or something that is excluded.
    Limit,
    /// See [`Missed::too_large`].
    TooLarge,
}

/// A query, translated to the nodes of the graph, and what other parts of the payment use.
#[derive(Clone, Debug)]
pub(crate) struct Search<'a> {
    graph: &'a Graph,
    query: &'a Query,
    from: BTreeMap<usize, Balance>,
    to: BTreeMap<usize, Option<Balance>>,
    excluded_hubs: BTreeSet<usize>,
    excluded_edges: BTreeSet<(usize, usize)>,
    hub_risks: BTreeMap<usize, Risk>,
    edge_risks: BTreeMap<(usize, usize), Risk>,
    taken: BTreeSet<Link>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(graph: &'a Graph, reliability: &Reliability, query: &'a Query) -> Self {
        let node = |account: &AccountId| graph.position(account);
        let edge = |from: &AccountId, to: &AccountId| Some((node(from)?, node(to)?));
        let (mut hub_risks, mut edge_risks) = (BTreeMap::new(), BTreeMap::new());
        for (subject, score, retry_at) in reliability.risks(query.now) {
            let risk = Risk { score, retry_at };
            match subject {
                Subject::Hub(hub) => {
                    hub_risks.extend(node(hub).map(|hub| (hub, risk)));
                },
                Subject::Edge(from, to) => {
                    edge_risks.extend(edge(from, to).map(|edge| (edge, risk)));
                },
            }
        }
        let excluded_edges = query.excluded_edges.iter().filter_map(|(from, to)| edge(from, to));
        Self {
            graph,
            query,
            from: query.from_hubs.iter().filter_map(|(hub, c)| Some((node(hub)?, *c))).collect(),
            to: query.to_hubs.iter().filter_map(|(hub, c)| Some((node(hub)?, *c))).collect(),
            excluded_hubs: query.excluded_hubs.iter().filter_map(node).collect(),
            excluded_edges: excluded_edges.collect(),
            hub_risks,
            edge_risks,
            taken: BTreeSet::new(),
        }
    }

    /// The best way for `amount` within `bounds`.
    pub(crate) fn run(&self, amount: Balance, bounds: &Bounds) -> Result<Found, Missed> {
        let mut queue = Queue::new(bounds.smallest, self.graph.hubs().count());
        let mut missed = Missed::default();
        for node in self.to.keys() {
            match self.last_hop(*node, amount, bounds) {
                Ok(label) => queue.push(label, &mut missed),
                Err(blocked) => missed.note(&blocked),
            }
        }
        while let Some(id) = queue.pop() {
            let label = queue.labels[id];
            if self.payer_can_pay(label.node, label.amount_in, bounds) {
                return Ok(self.found(&queue.labels, id, amount));
            }
            for (from, edge) in &self.graph.node(label.node).incoming {
                match self.hop_before(*from, edge, (id, &label), amount, bounds) {
                    Ok(label) => queue.push(label, &mut missed),
                    Err(blocked) => missed.note(&blocked),
                }
            }
        }
        Err(missed)
    }

    /// The way over exactly the nodes of `path`, if it carries `amount` within `bounds`.
    pub(crate) fn along(&self, path: &[usize], amount: Balance, bounds: &Bounds) -> Option<Found> {
        let (last, others) = path.split_last()?;
        let mut labels = vec![self.last_hop(*last, amount, bounds).ok()?];
        for node in others.iter().rev() {
            let id = labels.len().checked_sub(1)?;
            let next = labels[id];
            let edge = self.graph.node(next.node).incoming.get(node)?;
            labels.push(self.hop_before(*node, edge, (id, &next), amount, bounds).ok()?);
        }
        let first = labels.last()?;
        let id = labels.len().checked_sub(1)?;
        self.payer_can_pay(first.node, first.amount_in, bounds)
            .then(|| self.found(&labels, id, amount))
    }

    /// Lets the links of `found` carry nothing in later searches: a simplex holds no hash twice
    /// (`protocol.md` §4), so two parts of a payment never share a link in the same direction.
    pub(crate) fn occupy(&mut self, found: &Found) {
        let ends = found.path.first().zip(found.path.last());
        let ends = ends.map(|(first, last)| [Link::First(*first), Link::Last(*last)]);
        let between = found.path.windows(2).map(|two| Link::Between(two[0], two[1]));
        self.taken.extend(between.chain(ends.into_iter().flatten()));
    }

    /// When the last hub or edge of `path` that is avoided may be tried again.
    pub(crate) fn retry_at(&self, path: &[usize]) -> Option<Clock> {
        let hubs = path.iter().filter_map(|node| self.hub_risks.get(node));
        let edges = path.windows(2).filter_map(|two| self.edge_risks.get(&(two[0], two[1])));
        hubs.chain(edges).filter_map(|risk| risk.retry_at).max()
    }

    fn payer_can_pay(&self, node: usize, amount: Balance, bounds: &Bounds) -> bool {
        let Some(capacity) = self.from.get(&node) else { return false };
        let carries = !self.taken.contains(&Link::First(node)) && amount <= *capacity;
        !bounds.capacity || carries
    }

    /// The label of `node` as the hub that pays the recipient.
    fn last_hop(&self, node: usize, amount: Balance, bounds: &Bounds) -> Result<Label, Blocked> {
        let capacity = self.to.get(&node).ok_or(Blocked::Limit)?;
        let carries = !self.taken.contains(&Link::Last(node))
            && capacity.is_none_or(|capacity| amount <= capacity);
        if bounds.capacity && !carries {
            return Err(Blocked::Limit);
        }
        let recipient = Label {
            node,
            next: None,
            amount_in: amount,
            amount_out: amount,
            expiry_in: self.query.final_expiry,
            expiry_out: self.query.final_expiry,
            hops: 0,
            cost: amount,
        };
        self.hop(node, (None, &recipient), Risk::default(), amount, bounds)
    }

    /// The label of the hub `from`, which pays the hub of the label `next` over `edge`.
    fn hop_before(
        &self,
        from: usize,
        edge: &Edge,
        next: (usize, &Label),
        amount: Balance,
        bounds: &Bounds,
    ) -> Result<Label, Blocked> {
        let (id, next) = next;
        let pair = (from, next.node);
        if self.excluded_edges.contains(&pair) {
            return Err(Blocked::Limit);
        }
        let carries = match self.graph.edge_capacity(from, edge, self.query.asset, self.query.now) {
            Capacity::None => return Err(Blocked::Limit),
            Capacity::Unknown => true,
            Capacity::AtMost(capacity) => next.amount_in <= capacity,
        };
        let taken = self.taken.contains(&Link::Between(pair.0, pair.1));
        if bounds.capacity && (taken || !carries) {
            return Err(Blocked::Limit);
        }
        let risk = self.edge_risks.get(&pair).copied().unwrap_or_default();
        self.hop(from, (Some(id), next), risk, amount, bounds)
    }

    /// The label of the hub `node` before `next`, which is another hub or the recipient. `amount` is
    /// what arrives in the end.
    fn hop(
        &self,
        node: usize,
        next: (Option<usize>, &Label),
        edge_risk: Risk,
        amount: Balance,
        bounds: &Bounds,
    ) -> Result<Label, Blocked> {
        let (id, next) = next;
        let hub_risk = self.hub_risks.get(&node).copied().unwrap_or_default();
        let avoided = hub_risk.retry_at.is_some() || edge_risk.retry_at.is_some();
        if self.excluded_hubs.contains(&node) || (bounds.avoid && avoided) {
            return Err(Blocked::Limit);
        }
        let hub = &self.graph.node(node).hub;
        let amount_out = next.amount_in;
        let fee = hub.fees.fee(amount_out).ok_or(Blocked::TooLarge)?;
        let amount_in = amount_out.checked_add(fee).ok_or(Blocked::TooLarge)?;
        // No lock is larger than that (`protocol.md` §2).
        if amount_in > LIMIT {
            return Err(Blocked::TooLarge);
        }
        // A score is below one whole; two of them are within 32 bits.
        let score = hub_risk.score.checked_add(edge_risk.score).ok_or(Blocked::TooLarge)?;
        let cost = risk_price(amount_out, bounds.risk_ppm, score)
            .and_then(|risk| next.cost.checked_add(fee)?.checked_add(risk))
            .ok_or(Blocked::TooLarge)?;
        let expiry_in = next
            .expiry_in
            .checked_add(self.query.margin)
            .and_then(|expiry| expiry.checked_add(hub.margin))
            .ok_or(Blocked::Limit)?;
        let hops = next.hops.checked_add(1).ok_or(Blocked::Limit)?;
        let fees = amount_in.checked_sub(amount).ok_or(Blocked::Limit)?;
        if fees > bounds.max_fee || expiry_in > bounds.max_expiry || hops > bounds.max_hops {
            return Err(Blocked::Limit);
        }
        let expiry_out = next.expiry_in;
        Ok(Label { node, next: id, amount_in, amount_out, expiry_in, expiry_out, hops, cost })
    }

    fn found(&self, labels: &[Label], first: usize, amount: Balance) -> Found {
        let (mut hops, mut path) = (Vec::new(), Vec::new());
        let Label { amount_in: total, cost, .. } = labels[first];
        let mut next = Some(first);
        while let Some(id) = next {
            let label = labels[id];
            let hub = &self.graph.node(label.node).hub;
            path.push(label.node);
            hops.push(Hop {
                hub: hub.account.clone(),
                transport_key: hub.transport_key,
                amount_in: label.amount_in,
                amount_out: label.amount_out,
                expiry_in: label.expiry_in,
                expiry_out: label.expiry_out,
                // No label gets less than it pays.
                fee: label.amount_in - label.amount_out,
            });
            next = label.next;
        }
        let asset = self.query.asset;
        Found { route: Route { hops, asset, amount, total, fee: total - amount, cost }, path }
    }
}

impl Missed {
    fn note(&mut self, blocked: &Blocked) {
        self.too_large |= matches!(blocked, Blocked::TooLarge);
    }
}

/// Labels that wait, and what each hub has got.
struct Queue {
    smallest: Smallest,
    labels: Vec<Label>,
    heap: BinaryHeap<Reverse<Rank>>,
    /// Labels of each node that none dominates.
    best: Vec<Vec<usize>>,
}

impl Queue {
    fn new(smallest: Smallest, nodes: usize) -> Self {
        let best = vec![Vec::new(); nodes];
        Self { smallest, labels: Vec::new(), heap: BinaryHeap::new(), best }
    }

    fn push(&mut self, label: Label, missed: &mut Missed) {
        let best = &mut self.best[label.node];
        let any = self.smallest == Smallest::Any && !best.is_empty();
        if any || best.iter().any(|id| self.labels[*id].is_as_good_as(&label)) {
            return;
        }
        best.retain(|id| !label.is_as_good_as(&self.labels[*id]));
        if best.len() >= MAX_LABELS_PER_HUB || self.labels.len() >= MAX_LABELS {
            missed.given_up = true;
            return;
        }
        let id = self.labels.len();
        best.push(id);
        self.labels.push(label);
        let Label { cost, hops, amount_in, expiry_in, node, .. } = label;
        let first = match self.smallest {
            Smallest::Cost | Smallest::Any => cost,
            Smallest::Hops => hops.into(),
            Smallest::Expiry => expiry_in.into(),
        };
        self.heap.push(Reverse((first, cost, hops, amount_in, expiry_in, node, id)));
    }

    /// The next label that is still one of the best of its hub.
    fn pop(&mut self) -> Option<usize> {
        while let Some(Reverse((.., node, id))) = self.heap.pop() {
            if self.best[node].contains(&id) {
                return Some(id);
            }
        }
        None
    }
}

/// `amount × risk_ppm × score`, both in millionths, rounded up; `None` on overflow.
fn risk_price(amount: Balance, risk_ppm: u32, score: u32) -> Option<Balance> {
    let rate = Balance::from(risk_ppm).checked_mul(score.into())?.div_ceil(SCORE_ONE.into());
    // Whole millions apart, so that amounts up to the limit do not overflow.
    let whole = (amount / PPM).checked_mul(rate)?;
    whole.checked_add((amount % PPM).checked_mul(rate)?.div_ceil(PPM))
}
