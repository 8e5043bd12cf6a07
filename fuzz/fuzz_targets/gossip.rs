//! What hubs announce, and the routes that follow from it: nothing unsigned changes the graph, and
//! every route keeps to what was asked for.

#![no_main]

use codec::{Decode, DecodeAll, Encode};
use failsafe_channel::Message;
use failsafe_fuzz::bytes::Bytes;
use failsafe_primitives::{fees::HubFees, AccountId, Balance, Rate};
use failsafe_routing::{
    find, split, Announcement, AnnouncementError, Graph, Hint, Hub, Outcome, Parts, Query,
    Reliability, Route, Rules, SignedAnnouncement, Subject, MAX_HOPS,
};
use libfuzzer_sys::fuzz_target;
use sp_core::{ed25519, Pair, H256};
use sp_runtime::MultiSignature;

/// Hubs of the graph. One more has a key, and is not registered.
const HUBS: u8 = 6;
const MAX_STEPS: usize = 48;
const GENESIS: H256 = H256::repeat_byte(7);

fuzz_target!(|input: &[u8]| {
    read(input);
    play(Bytes::new(input));
});

fn read(input: &[u8]) {
    if let Ok(signed) = SignedAnnouncement::from_bytes(input) {
        assert_eq!(signed.encode(), input);
        let mut graph = graph(&mut Bytes::new(&[]));
        assert!(graph.announce(signed, 10).is_err(), "nobody has signed this");
    }
    if let Ok(Message::Gossip { announcements }) = Message::decode(&mut &input[..]) {
        for bytes in announcements {
            drop(SignedAnnouncement::from_bytes(&bytes));
        }
    }
    drop(Reliability::decode_all(&mut &input[..]));
}

fn key(number: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[number; 32])
}

fn account(number: u8) -> AccountId {
    AccountId::new(key(number % (HUBS + 1)).public().0)
}

fn amount(bytes: &mut Bytes<'_>) -> Balance {
    match bytes.u8() {
        choice @ 0..=199 => Balance::from(choice) * 10,
        200..=239 => bytes.u64().into(),
        _ => bytes.u128(),
    }
}

fn graph(bytes: &mut Bytes<'_>) -> Graph {
    let rules = Rules { genesis_hash: GENESIS, max_age: 30, max_ahead: 3 };
    let hub = |number: u8| Hub {
        account: account(number),
        handle: vec![b'a' + number],
        transport_key: [number; 32],
        fees: HubFees { base: amount(bytes), ppm: bytes.u32() },
        margin: bytes.u8().into(),
        routes: (0..HUBS).filter(|_| bytes.u8() & 1 == 1).map(account).collect(),
    };
    Graph::new(rules, (0..HUBS).map(hub).collect::<Vec<_>>())
}

fn play(mut bytes: Bytes<'_>) {
    let mut graph = graph(&mut bytes);
    let mut reliability = Reliability::default();
    let mut now = 10;
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            break;
        }
        match bytes.u8() % 8 {
            0..=3 => announce(&mut graph, now, &mut bytes),
            4 => now += u64::from(bytes.u8()),
            5 => {
                let subject = match bytes.u8() & 1 {
                    0 => Subject::Hub(account(bytes.u8())),
                    _ => Subject::Edge(account(bytes.u8()), account(bytes.u8())),
                };
                let good = bytes.u8() & 1 == 0;
                let outcome = if good { Outcome::Success } else { Outcome::Failure };
                reliability.note(subject, outcome, now);
            },
            _ => ask(&graph, &reliability, now, &mut bytes),
        }
    }
}

/// An announcement of a hub, as it is signed, or changed, or signed by somebody else.
fn announce(graph: &mut Graph, now: u64, bytes: &mut Bytes<'_>) {
    let hub = bytes.u8() % (HUBS + 1);
    let at = now.saturating_add(u64::from(bytes.u8() % 8)).saturating_sub(2);
    let hints = (0..bytes.u8() % 8).map(|_| Hint {
        neighbour: account(bytes.u8()),
        asset: u32::from(bytes.u8() % 2),
        capacity: (bytes.u8() & 1 == 0).then(|| amount(bytes)),
    });
    let hints = hints.collect();
    let rates = (0..bytes.u8() % 3).map(|_| Rate {
        takes: u32::from(bytes.u8() % 3),
        gives: u32::from(bytes.u8() % 3),
        take_amount: amount(bytes),
        give_amount: amount(bytes),
    });
    let Ok(announcement) = Announcement::new(account(hub), at, hints, rates.collect()) else {
        return;
    };
    let signature = MultiSignature::Ed25519(key(hub).sign(&announcement.message(&GENESIS)));
    let good = SignedAnnouncement { announcement, signature };
    assert_eq!(SignedAnnouncement::from_bytes(&good.encode()), Ok(good.clone()));
    let sent = if bytes.rarely(64) { bytes.mutate(good.clone()) } else { good.clone() };
    let before = graph.announcement(&account(hub)).cloned();
    match graph.announce(sent.clone(), now) {
        Ok(()) => {
            assert_eq!(sent.announcement, good.announcement, "what was changed is not signed");
            assert_eq!(graph.announcement(&account(hub)), Some(&sent));
        },
        Err(error) => {
            assert_eq!(graph.announcement(&account(hub)), before.as_ref(), "{error}");
            assert_ne!(error, AnnouncementError::Malformed);
        },
    }
}

/// A question; every answer keeps to it.
fn ask(graph: &Graph, reliability: &Reliability, now: u64, bytes: &mut Bytes<'_>) {
    let final_expiry = now.saturating_add(bytes.u8().into());
    let from_hubs = (0..1 + bytes.u8() % 3).map(|_| (account(bytes.u8()), amount(bytes)));
    let from_hubs = from_hubs.collect();
    let to_hubs = (0..1 + bytes.u8() % 3)
        .map(|_| (account(bytes.u8()), (bytes.u8() & 1 == 0).then(|| amount(bytes))));
    let to_hubs = to_hubs.collect();
    let query = Query {
        from_hubs,
        to_hubs,
        asset: u32::from(bytes.u8() % 2),
        amount: amount(bytes),
        max_fee: amount(bytes),
        risk_ppm: bytes.u32(),
        now,
        final_expiry,
        max_expiry: final_expiry.saturating_add(bytes.u8().into()),
        margin: u64::from(bytes.u8() % 16),
        max_hops: u32::from(bytes.u8()) % (MAX_HOPS + 2),
        excluded_hubs: (0..bytes.u8() % 2).map(|_| account(bytes.u8())).collect(),
        excluded_edges: Default::default(),
    };
    if let Ok(route) = find(graph, reliability, &query) {
        assert_eq!(route.amount, query.amount);
        assert!(route.fee <= query.max_fee);
        keeps(&query, &route);
    }
    let parts = Parts { max: 1 + u32::from(bytes.u8() % 16), smallest: 1.max(amount(bytes)) };
    if let Ok(routes) = split(graph, reliability, &query, parts) {
        assert!(routes.len() <= usize::try_from(parts.max).expect("few"));
        let sum = |of: fn(&Route) -> Balance| {
            routes.iter().try_fold(0, |sum: Balance, route| sum.checked_add(of(route)))
        };
        assert_eq!(sum(|route| route.amount), Some(query.amount));
        assert!(sum(|route| route.fee).is_some_and(|fee| fee <= query.max_fee));
        routes.iter().for_each(|route| keeps(&query, route));
    }
}

fn keeps(query: &Query, route: &Route) {
    let (first, last) = (&route.hops[0], &route.hops[route.hops.len() - 1]);
    assert_eq!(route.total.checked_sub(route.fee), Some(route.amount));
    assert_eq!((first.amount_in, last.amount_out), (route.total, route.amount));
    assert!(query.from_hubs.get(&first.hub).is_some_and(|most| route.total <= *most));
    let room = query.to_hubs.get(&last.hub).expect("a hub of the recipient");
    assert!(room.is_none_or(|most| route.amount <= most));
    assert!(first.expiry_in <= query.max_expiry && last.expiry_out == query.final_expiry);
    assert!(route.hops.len() <= usize::try_from(query.max_hops).expect("few"));
    for hop in &route.hops {
        assert!(hop.expiry_in >= hop.expiry_out.saturating_add(query.margin));
        assert_eq!(hop.amount_in.checked_sub(hop.fee), Some(hop.amount_out));
        assert!(!query.excluded_hubs.contains(&hop.hub));
    }
    for pair in route.hops.windows(2) {
        assert_eq!(pair[0].amount_out, pair[1].amount_in);
        assert_eq!(pair[0].expiry_out, pair[1].expiry_in);
    }
}
