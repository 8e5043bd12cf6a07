//! Prints how long a search takes in a large graph: `cargo run --release --example measure`.

use failsafe_primitives::{fees::HubFees, AccountId, Balance};
use failsafe_routing::{
    find, split, Announcement, Graph, Hint, Hub, NoRoute, NoSplit, Outcome, Parts, Query,
    Reliability, Rules, SignedAnnouncement, Subject, DEFAULT_MAX_PARTS, MAX_HOPS,
};
use sp_core::{ed25519, Pair as _, H256};
use sp_crypto_hashing::blake2_256;
use sp_runtime::MultiSignature;
use std::time::{Duration, Instant};

const GENESIS: H256 = H256([0; 32]);
const QUERIES: u32 = 50;

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }
}

fn graph(hubs: u64, edges_per_hub: u64, numbers: &mut Numbers) -> Graph {
    let keys: Vec<_> =
        (0..hubs).map(|i| ed25519::Pair::from_seed(&blake2_256(&i.to_le_bytes()))).collect();
    let account = |i: u64| AccountId::new(keys[usize::try_from(i).expect("small")].public().0);
    let records = (0..hubs).map(|i| Hub {
        account: account(i),
        handle: vec![],
        transport_key: [0; 32],
        fees: HubFees {
            base: numbers.below(20).into(),
            ppm: u32::try_from(numbers.below(5_000)).expect("small"),
        },
        margin: 0,
        routes: vec![],
    });
    let rules = Rules { genesis_hash: GENESIS, max_age: 1_000, max_ahead: 0 };
    let mut graph = Graph::new(rules, records.collect::<Vec<_>>());
    let started = Instant::now();
    for i in 0..hubs {
        // A ring, so that everything is connected, and others at random.
        let mut neighbours: Vec<u64> = vec![(i + 1) % hubs];
        while u64::try_from(neighbours.len()).expect("small") < edges_per_hub {
            let other = numbers.below(hubs);
            if other != i && !neighbours.contains(&other) {
                neighbours.push(other);
            }
        }
        let mut hint = |neighbour| {
            let capacity = Some(Balance::from(1_000 + numbers.below(200_000)));
            Hint { neighbour: account(neighbour), asset: 0, capacity }
        };
        let hints = neighbours.into_iter().map(&mut hint).collect();
        let announcement = Announcement::new(account(i), 0, hints, vec![]).expect("few hints");
        let key = &keys[usize::try_from(i).expect("small")];
        let signature = MultiSignature::Ed25519(key.sign(&announcement.message(&GENESIS)));
        let signed = SignedAnnouncement { announcement, signature };
        graph.announce(signed, 0).expect("a good announcement");
    }
    println!("  announcements, made and taken   {:>10.1?} each", per(started.elapsed(), hubs));
    graph
}

fn query(graph: &Graph, amount: Balance, numbers: &mut Numbers) -> Query {
    let hubs: Vec<_> = graph.hubs().map(|hub| hub.account.clone()).collect();
    let count = u64::try_from(hubs.len()).expect("small");
    let mut any = || hubs[usize::try_from(numbers.below(count)).expect("small")].clone();
    Query {
        from_hubs: [(any(), 10_000_000), (any(), 10_000_000)].into(),
        to_hubs: [(any(), None), (any(), None)].into(),
        asset: 0,
        amount,
        max_fee: amount / 20,
        risk_ppm: 20_000,
        now: 0,
        final_expiry: 20,
        max_expiry: 100,
        margin: 6,
        max_hops: MAX_HOPS,
        excluded_hubs: Default::default(),
        excluded_edges: Default::default(),
    }
}

fn per(time: Duration, count: u64) -> Duration {
    time / u32::try_from(count).expect("small")
}

/// Runs the queries one by one; prints mean, median and maximum of those that answer and of those
/// that explain why there is no answer.
fn measure(what: &str, mut run: impl FnMut() -> bool) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for _ in 0..QUERIES {
        let started = Instant::now();
        let found = run();
        let times = if found { &mut good } else { &mut bad };
        times.push(started.elapsed());
    }
    for (kind, mut times) in [("found", good), ("none", bad)] {
        times.sort();
        let (Some(most), Ok(count)) = (times.last(), u32::try_from(times.len())) else { continue };
        let mean = times.iter().sum::<Duration>() / count;
        let median = times[times.len() / 2];
        println!(
            "  {what:<22} {kind:<5} {count:>4} × mean {mean:>8.1?} median {median:>8.1?} \
             most {most:>8.1?}"
        );
    }
}

fn main() {
    for (hubs, per_hub) in [(1_000, 10), (10_000, 10)] {
        println!("{hubs} hubs, {} edges", hubs * per_hub);
        let mut numbers = Numbers(1);
        let graph = graph(hubs, per_hub, &mut numbers);
        let fresh = Reliability::default();
        let mut noted = Reliability::default();
        let accounts: Vec<_> = graph.hubs().map(|hub| hub.account.clone()).collect();
        for account in accounts.iter().step_by(5).take(2_000) {
            noted.note(Subject::Hub(account.clone()), Outcome::Failure, 0);
            noted.note(Subject::Hub(account.clone()), Outcome::Success, 0);
        }
        for amount in [1_000, 50_000, 195_000] {
            for (name, reliability) in [("strangers", &fresh), ("with failures", &noted)] {
                let mut numbers = Numbers(2);
                measure(&format!("{amount} {name}"), || {
                    let result = find(&graph, reliability, &query(&graph, amount, &mut numbers));
                    assert_ne!(result, Err(NoRoute::NoEdge));
                    result.is_ok()
                });
            }
        }
        let mut numbers = Numbers(3);
        let parts = Parts { max: DEFAULT_MAX_PARTS, smallest: 5_000 };
        measure("split 400000", || {
            let query = query(&graph, 400_000, &mut numbers);
            let result = split(&graph, &fresh, &query, parts);
            assert!(!matches!(result, Err(NoSplit::NoRoute { reason: NoRoute::NoEdge, .. })));
            result.is_ok()
        });
    }
}
