//! Small graphs.

use failsafe_primitives::{fees::HubFees, AccountId, Balance, Clock};
use failsafe_routing::{
    Announcement, Capacity, Graph, Hint, Hub, NoRoute, Query, Reliability, Route, Rules,
    SignedAnnouncement, MAX_HOPS,
};
use sp_core::{ed25519, Pair as _, H256};
use sp_runtime::MultiSignature;

pub const GENESIS: H256 = H256([7; 32]);
pub const ASSET: u32 = 0;
pub const NOW: Clock = 1_000;
pub const MAX_AGE: Clock = 600;
pub const MAX_AHEAD: Clock = 3;

pub fn rules() -> Rules {
    Rules { genesis_hash: GENESIS, max_age: MAX_AGE, max_ahead: MAX_AHEAD }
}

pub fn key(number: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[number; 32])
}

pub fn account(number: u8) -> AccountId {
    AccountId::new(key(number).public().0)
}

pub fn hub(number: u8, base: Balance, routes: &[u8]) -> Hub {
    Hub {
        account: account(number),
        handle: vec![b'a' + number],
        transport_key: [number; 32],
        fees: HubFees { base, ppm: 0 },
        margin: 0,
        routes: routes.iter().copied().map(account).collect(),
    }
}

pub fn hint(neighbour: u8, capacity: Option<Balance>) -> Hint {
    Hint { neighbour: account(neighbour), asset: ASSET, capacity }
}

pub fn announced(number: u8, at: Clock, hints: Vec<Hint>) -> SignedAnnouncement {
    signed(number, Announcement::new(account(number), at, hints, vec![]).unwrap())
}

pub fn signed(number: u8, announcement: Announcement) -> SignedAnnouncement {
    let message = announcement.message(&GENESIS);
    let signature = MultiSignature::Ed25519(key(number).sign(&message));
    SignedAnnouncement { announcement, signature }
}

/// A graph with capacities from the first to the second hub.
pub fn graph(hubs: Vec<Hub>, capacities: &[(u8, u8, Balance)]) -> Graph {
    let mut graph = Graph::new(rules(), hubs);
    for from in 0..=u8::MAX {
        let of_hub = capacities.iter().filter(|(hub, ..)| *hub == from);
        let hints: Vec<Hint> = of_hub.map(|(_, to, c)| hint(*to, Some(*c))).collect();
        if !hints.is_empty() {
            graph.announce(announced(from, NOW, hints), NOW).unwrap();
        }
    }
    graph
}

pub fn capacity(graph: &Graph, from: u8, to: u8) -> Capacity {
    graph.capacity(&account(from), &account(to), ASSET, NOW)
}

/// A query without limits that matter.
pub fn query(from: &[u8], to: &[u8], amount: Balance) -> Query {
    Query {
        from_hubs: from.iter().map(|hub| (account(*hub), 1 << 100)).collect(),
        to_hubs: to.iter().map(|hub| (account(*hub), None)).collect(),
        asset: ASSET,
        amount,
        max_fee: 1 << 100,
        risk_ppm: 0,
        now: NOW,
        final_expiry: 1_010,
        max_expiry: 2_000,
        margin: 6,
        max_hops: MAX_HOPS,
        excluded_hubs: Default::default(),
        excluded_edges: Default::default(),
    }
}

pub fn find(graph: &Graph, query: &Query) -> Result<Route, NoRoute> {
    failsafe_routing::find(graph, &Reliability::default(), query)
}

/// The hubs of a route.
pub fn way(route: &Route) -> Vec<AccountId> {
    route.hops.iter().map(|hop| hop.hub.clone()).collect()
}

pub fn hubs(numbers: &[u8]) -> Vec<AccountId> {
    numbers.iter().copied().map(account).collect()
}
