//! The search against a brute force over all simple paths of small graphs, and what must hold for
//! every route and every split.

use failsafe_primitives::{fees::HubFees, AccountId, AssetId, Balance, Clock};
use failsafe_routing::{
    find, split, Announcement, Capacity, Graph, Hint, Hub, NoRoute, Outcome, Parts, Query,
    Reliability, Route, Rules, SignedAnnouncement, Subject,
};
use proptest::{collection::vec, prelude::*};
use sp_core::{ed25519, Pair as _, H256};
use sp_runtime::MultiSignature;
use std::{collections::BTreeSet, sync::LazyLock};

const GENESIS: H256 = H256([3; 32]);
const ASSET: AssetId = 5;
const NOW: Clock = 2_000;
const FINAL_EXPIRY: Clock = 2_010;

static KEYS: LazyLock<[ed25519::Pair; 6]> =
    LazyLock::new(|| [1, 2, 3, 4, 5, 6].map(|byte| ed25519::Pair::from_seed(&[byte; 32])));

fn account(number: usize) -> AccountId {
    AccountId::new(KEYS[number].public().0)
}

/// An edge of the generator.
#[derive(Clone, Copy, Debug)]
enum Channel {
    No,
    Routed,
    Hinted(Option<Balance>),
}

/// Everything that a search gets.
#[derive(Clone, Debug)]
struct World {
    graph: Graph,
    reliability: Reliability,
    query: Query,
}

fn channel() -> impl Strategy<Value = Channel> {
    prop_oneof![
        3 => Just(Channel::No),
        1 => Just(Channel::Routed),
        1 => Just(Channel::Hinted(None)),
        4 => (0u128..4_000).prop_map(|capacity| Channel::Hinted(Some(capacity))),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Success),
        Just(Outcome::Failure),
        Just(Outcome::Timeout),
        Just(Outcome::Unreadable)
    ]
}

/// Noted at a clock that makes about one bad answer of two still avoided.
fn note() -> impl Strategy<Value = (usize, Option<usize>, Outcome, Clock)> {
    (0usize..6, proptest::option::of(0usize..6), outcome(), (NOW - 90)..NOW)
}

prop_compose! {
    fn graph()(
        count in 2usize..=6,
        fees in vec((0u128..40, 0u32..60_000), 6),
        margins in vec(0u64..8, 6),
        channels in vec(vec(channel(), 6), 6),
    ) -> Graph {
        let routes = |one: usize| -> Vec<AccountId> {
            let routed = (0..count).filter(|other| matches!(channels[one][*other], Channel::Routed));
            routed.map(account).collect()
        };
        let hubs = (0..count).map(|one| Hub {
            account: account(one),
            handle: vec![],
            transport_key: [0; 32],
            fees: HubFees { base: fees[one].0, ppm: fees[one].1 },
            margin: margins[one],
            routes: routes(one),
        });
        let rules = Rules { genesis_hash: GENESIS, max_age: 10, max_ahead: 0 };
        let mut graph = Graph::new(rules, hubs);
        for (one, channels) in channels.iter().enumerate().take(count) {
            let hint = |(other, channel): (usize, &Channel)| match channel {
                Channel::Hinted(capacity) if other != one => {
                    Some(Hint { neighbour: account(other), asset: ASSET, capacity: *capacity })
                },
                _ => None,
            };
            let hints = channels.iter().enumerate().filter_map(hint).collect();
            let announcement = Announcement::new(account(one), NOW, hints, vec![]).unwrap();
            let signature = KEYS[one].sign(&announcement.message(&GENESIS));
            let signature = MultiSignature::Ed25519(signature);
            graph.announce(SignedAnnouncement { announcement, signature }, NOW).unwrap();
        }
        graph
    }
}

prop_compose! {
    fn query()(
        from in vec((0usize..6, 0u128..6_000), 1..3),
        to in vec((0usize..6, proptest::option::weighted(0.3, 0u128..4_000)), 1..3),
        amount in 1u128..3_000,
        max_fee in 0u128..600,
        risk_ppm in prop_oneof![Just(0u32), 0u32..200_000],
        (room, margin) in (0u64..80, 0u64..8),
        max_hops in 1u32..=6,
        excluded_hubs in vec(0usize..6, 0..2),
        excluded_edges in vec((0usize..6, 0usize..6), 0..3),
    ) -> Query {
        Query {
            from_hubs: from.into_iter().map(|(hub, capacity)| (account(hub), capacity)).collect(),
            to_hubs: to.into_iter().map(|(hub, capacity)| (account(hub), capacity)).collect(),
            asset: ASSET,
            amount,
            max_fee,
            risk_ppm,
            now: NOW,
            final_expiry: FINAL_EXPIRY,
            max_expiry: FINAL_EXPIRY + room,
            margin,
            max_hops,
            excluded_hubs: excluded_hubs.into_iter().map(account).collect(),
            excluded_edges:
                excluded_edges.into_iter().map(|(a, b)| (account(a), account(b))).collect(),
        }
    }
}

prop_compose! {
    fn world()(graph in graph(), query in query(), notes in vec(note(), 0..6)) -> World {
        let mut reliability = Reliability::default();
        for (one, other, outcome, at) in notes {
            let subject = match other {
                None => Subject::Hub(account(one)),
                Some(other) => Subject::Edge(account(one), account(other)),
            };
            reliability.note(subject, outcome, at);
        }
        World { graph, reliability, query }
    }
}

/// What a path of hubs costs and needs, computed without the search's code.
#[derive(Clone, Debug)]
struct Candidate {
    fee: Balance,
    cost: Balance,
    hops: u32,
    first_expiry: Clock,
    carries: bool,
    avoided: bool,
}

impl World {
    fn hub(&self, account: &AccountId) -> &Hub {
        self.graph.hubs().find(|hub| hub.account == *account).unwrap()
    }

    fn carries(&self, from: &AccountId, to: &AccountId, amount: Balance) -> bool {
        match self.graph.capacity(from, to, ASSET, NOW) {
            Capacity::None => panic!("no edge of a path is missing"),
            Capacity::Unknown => true,
            Capacity::AtMost(capacity) => amount <= capacity,
        }
    }

    /// Every simple path from one of the payer's to one of the recipient's hubs.
    fn paths(&self) -> Vec<Vec<AccountId>> {
        let usable = |hub: &AccountId| !self.query.excluded_hubs.contains(hub);
        let all: Vec<AccountId> =
            self.graph.hubs().map(|hub| hub.account.clone()).filter(usable).collect();
        let mut open: Vec<Vec<AccountId>> = all
            .iter()
            .filter(|h| self.query.from_hubs.contains_key(h))
            .map(|h| vec![h.clone()])
            .collect();
        let mut complete = Vec::new();
        while let Some(path) = open.pop() {
            let last = path.last().unwrap();
            if self.query.to_hubs.contains_key(last) {
                complete.push(path.clone());
            }
            for next in &all {
                let edge = (last.clone(), next.clone());
                let exists = self.graph.capacity(last, next, ASSET, NOW) != Capacity::None;
                if exists && !path.contains(next) && !self.query.excluded_edges.contains(&edge) {
                    open.push(path.iter().cloned().chain([next.clone()]).collect());
                }
            }
        }
        complete
    }

    fn candidate(&self, path: &[AccountId]) -> Candidate {
        let query = &self.query;
        let (mut amount, mut risk, mut expiry) = (query.amount, 0, query.final_expiry);
        let mut carries = query.to_hubs[path.last().unwrap()].is_none_or(|c| amount <= c);
        let mut avoided = false;
        for (position, hub) in path.iter().enumerate().rev() {
            let mut subjects = vec![Subject::Hub(hub.clone())];
            if let Some(next) = path.get(position + 1) {
                carries &= self.carries(hub, next, amount);
                subjects.push(Subject::Edge(hub.clone(), next.clone()));
            }
            let score: u32 = subjects.iter().map(|s| self.reliability.score(s, NOW)).sum();
            avoided |= subjects.iter().any(|s| self.reliability.avoided_until(s, NOW).is_some());
            let rate = (u128::from(query.risk_ppm) * u128::from(score)).div_ceil(1_000_000);
            risk += (amount * rate).div_ceil(1_000_000);
            amount += self.hub(hub).fees.fee(amount).unwrap();
            expiry += query.margin + self.hub(hub).margin;
        }
        carries &= amount <= query.from_hubs[&path[0]];
        Candidate {
            fee: amount - query.amount,
            cost: amount + risk,
            hops: u32::try_from(path.len()).unwrap(),
            first_expiry: expiry,
            carries,
            avoided,
        }
    }

    /// The smallest cost, or why there is none: by looking at every path.
    fn expected(&self) -> Result<Balance, NoRoute> {
        let query = &self.query;
        let mut all: Vec<Candidate> =
            self.paths().iter().map(|path| self.candidate(path)).collect();
        let nothing = all.is_empty();
        all.retain(|way| way.carries);
        let by_expiry = all.iter().map(|way| way.first_expiry).min();
        all.retain(|way| way.first_expiry <= query.max_expiry);
        let by_hops = all.iter().map(|way| way.hops).min();
        all.retain(|way| way.hops <= query.max_hops);
        let with_avoided = !all.is_empty();
        all.retain(|way| !way.avoided);
        let by_fee = all.iter().map(|way| way.fee).min();
        all.retain(|way| way.fee <= query.max_fee);
        let by_cost = all.iter().map(|way| way.cost).min();
        if let Some(cost) = by_cost {
            return Ok(cost);
        }
        Err(match (by_fee, by_hops, by_expiry) {
            _ if nothing => NoRoute::NoEdge,
            (Some(cheapest), ..) => NoRoute::FeeAboveMax { cheapest },
            // When exactly is left to its own test.
            _ if with_avoided => NoRoute::Avoided { retry_at: 0 },
            (None, Some(fewest), _) => NoRoute::TooManyHops { fewest },
            (None, None, Some(earliest)) => NoRoute::ExpiryTooFar { earliest },
            (None, None, None) => NoRoute::Capacity,
        })
    }

    /// What every hub of a route checks, from the payer on.
    fn check_forwards(&self, route: &Route) {
        let query = &self.query;
        assert_eq!(route.total, route.amount + route.fee);
        let (mut amount, mut expiry) = (route.total, route.hops[0].expiry_in);
        assert!(expiry <= query.max_expiry);
        for (position, hop) in route.hops.iter().enumerate() {
            let hub = self.hub(&hop.hub);
            assert_eq!((hop.amount_in, hop.expiry_in), (amount, expiry));
            assert_eq!(hop.fee, hub.fees.fee(hop.amount_out).unwrap());
            assert!(hop.amount_in >= hop.amount_out + hub.fees.fee(hop.amount_out).unwrap());
            assert_eq!(hop.expiry_in, hop.expiry_out + query.margin + hub.margin);
            assert_eq!(hop.transport_key, hub.transport_key);
            assert!(!query.excluded_hubs.contains(&hop.hub));
            assert!(route.hops[..position].iter().all(|before| before.hub != hop.hub));
            (amount, expiry) = (hop.amount_out, hop.expiry_out);
        }
        assert_eq!((amount, expiry), (route.amount, query.final_expiry));
        for two in route.hops.windows(2) {
            let edge = (two[0].hub.clone(), two[1].hub.clone());
            assert!(!query.excluded_edges.contains(&edge));
        }
        assert!(route.hops.len() <= usize::try_from(query.max_hops).unwrap());
    }

    /// That every link carries its part, and none has two.
    fn check_links(&self, routes: &[Route]) {
        let mut taken = BTreeSet::new();
        for route in routes {
            let (begin, end) = (route.hops.first().unwrap(), route.hops.last().unwrap());
            assert!(route.total <= self.query.from_hubs[&begin.hub]);
            assert!(self.query.to_hubs[&end.hub].is_none_or(|capacity| route.amount <= capacity));
            assert!(taken.insert((None, Some(begin.hub.clone()))));
            assert!(taken.insert((Some(end.hub.clone()), None)));
            for two in route.hops.windows(2) {
                let (from, to) = (&two[0].hub, &two[1].hub);
                assert!(self.carries(from, to, two[0].amount_out));
                assert!(taken.insert((Some(from.clone()), Some(to.clone()))));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn find_should_be_as_good_as_a_brute_force_when_the_graph_is_small(world in world()) {
        let found = find(&world.graph, &world.reliability, &world.query);
        let result = match &found {
            Ok(route) => Ok(route.cost),
            Err(NoRoute::Avoided { retry_at }) => {
                prop_assert!(*retry_at > NOW);
                Err(NoRoute::Avoided { retry_at: 0 })
            },
            Err(reason) => Err(*reason),
        };
        prop_assert_eq!(result, world.expected());
        if let Ok(route) = found {
            let way: Vec<_> = route.hops.iter().map(|hop| hop.hub.clone()).collect();
            prop_assert_eq!(world.candidate(&way).cost, route.cost);
        }
    }

    #[test]
    fn route_should_satisfy_every_hub_when_it_was_found(world in world()) {
        if let Ok(route) = find(&world.graph, &world.reliability, &world.query) {
            world.check_forwards(&route);
            world.check_links(std::slice::from_ref(&route));
            prop_assert_eq!(route.amount, world.query.amount);
            prop_assert!(route.fee <= world.query.max_fee);
        }
    }

    #[test]
    fn parts_should_sum_up_and_share_no_link_when_a_payment_is_split(
        world in world(), more in 0u128..6_000, max in 1u32..9, smallest in 0u128..500,
    ) {
        // Only capacities are in the way, so that many payments need several parts.
        let mut world = world;
        world.query.amount += more;
        world.query.from_hubs.values_mut().for_each(|capacity| *capacity += 8_000);
        world.query.max_fee *= 10;
        world.query.max_expiry += 100;
        world.query.max_hops = 6;
        world.query.excluded_hubs.clear();
        let parts = Parts { max, smallest };
        let one = find(&world.graph, &world.reliability, &world.query);
        let result = split(&world.graph, &world.reliability, &world.query, parts);
        if let Ok(route) = one {
            prop_assert_eq!(result, Ok(vec![route]));
        } else if let Ok(routes) = result {
            prop_assert!(routes.len() > 1 && routes.len() <= usize::try_from(max).unwrap());
            let amount: Balance = routes.iter().map(|route| route.amount).sum();
            let fee: Balance = routes.iter().map(|route| route.fee).sum();
            prop_assert_eq!(amount, world.query.amount);
            prop_assert!(fee <= world.query.max_fee);
            prop_assert!(routes.iter().all(|route| route.amount >= smallest));
            routes.iter().for_each(|route| world.check_forwards(route));
            world.check_links(&routes);
        }
    }
}
