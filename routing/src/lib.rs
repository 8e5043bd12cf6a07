//! Route finding over the graph of hubs: which hubs a payment goes over, what each of them gets and
//! when its locks expire (`protocol.md` §4, §8; `routing.md`).
//!
//! The crate does no I/O, has no clock and no randomness: the registry, announcements, outcomes and
//! the usable clock come in as arguments, and the same arguments give the same route. All money is
//! checked integers.
//!
//! | module | what it decides |
//! |---|---|
//! | [`announcement`] | what hubs tell about their neighbours, and its signature |
//! | [`graph`] | hubs and directed edges, what an edge carries |
//! | [`reliability`] | what a bad answer costs, and how long it is avoided |
//! | [`query`] | the question, the route, why there is none |
//! | [`mod@find`] | the best route |
//! | [`mod@split`] | several parts over several routes |
//!
//! # How long it takes
//! `cargo run --release --example measure`, on one of two cores of a virtual machine that was also
//! busy with other work. Every hub announces 10 random neighbours with random capacities; 50 random
//! queries each; wall clock, median / slowest:
//!
//! | | 1,000 hubs, 10,000 edges | 10,000 hubs, 100,000 edges |
//! |---|---|---|
//! | `find`, nothing known of hubs | 0.2–0.3 / 3 ms | 5–8 / 33 ms |
//! | `find`, a fifth of the hubs with failures | 0.5 / 4 ms | 8–11 / 79 ms |
//! | saying why there is no route, connected | 0.2–3 / 3 ms | 6–61 / 95 ms |
//! | `split`, up to 8 parts | 1.9 / 8 ms | 57 / 160 ms |
//! | making and taking an announcement of 10 hints | 0.08 ms | 0.09 ms |
//!
//! # Example
//! A payer with a channel to one hub, a recipient with a channel to another one:
//!
//! ```
//! use failsafe_primitives::{fees::HubFees, AccountId};
//! use failsafe_routing::{find, Graph, Hub, Query, Reliability, Rules, MAX_HOPS};
//!
//! let account = |byte| AccountId::new([byte; 32]);
//! let hub = |byte, routes| Hub {
//!     account: account(byte),
//!     handle: vec![b'a' + byte],
//!     transport_key: [byte; 32],
//!     fees: HubFees { base: 1, ppm: 1_000 },
//!     margin: 0,
//!     routes,
//! };
//! let rules = Rules { genesis_hash: Default::default(), max_age: 600, max_ahead: 3 };
//! let graph = Graph::new(rules, [hub(1, vec![account(2)]), hub(2, vec![])]);
//! let query = Query {
//!     from_hubs: [(account(1), 5_000)].into(),
//!     to_hubs: [(account(2), None)].into(),
//!     asset: 0,
//!     amount: 1_000,
//!     max_fee: 50,
//!     risk_ppm: 10_000,
//!     now: 100,
//!     final_expiry: 120,
//!     max_expiry: 140,
//!     margin: 6,
//!     max_hops: MAX_HOPS,
//!     excluded_hubs: Default::default(),
//!     excluded_edges: Default::default(),
//! };
//! let route = find(&graph, &Reliability::default(), &query)?;
//! assert_eq!(route.hops.len(), 2);
//! // The second hub asks for 1 + 1, the first one for 1 + ⌈1.002⌉.
//! assert_eq!((route.total, route.fee), (1_005, 5));
//! assert_eq!(route.hops[0].expiry_in, 132);
//! # Ok::<(), failsafe_routing::NoRoute>(())
//! ```

#![allow(clippy::cast_possible_truncation, reason = "in what codec's derive makes of an index")]

pub mod announcement;
pub mod find;
pub mod graph;
pub mod query;
pub mod reliability;
mod search;
pub mod split;

pub use announcement::{
    Announcement, AnnouncementError, Hint, Hints, Rates, SignedAnnouncement, ANNOUNCEMENT_TAG,
    MAX_HINTS, MAX_RATES,
};
pub use find::find;
pub use graph::{Capacity, Graph, Hub, Rules};
pub use query::{Hop, NoRoute, Query, Route, MAX_HOPS};
pub use reliability::{Outcome, Reliability, Subject};
pub use split::{split, NoSplit, Parts, DEFAULT_MAX_PARTS};
