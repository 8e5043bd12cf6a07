//! A watchtower: it runs elsewhere, holds no key of its clients, and does for them on chain what a
//! third party may (`protocol.md` §5, §7; `docs/tower.md`):
//!
//! * counters a dispute that shows something older than it was given,
//! * reveals secrets of locks that a partner has not settled in time, and keeps them on chain for a
//!   while,
//! * resolves a dispute that is due when the chain has not done so.
//!
//! | module | what is in it |
//! |---|---|
//! | [`core`] | the mind: packets, the chain's news, what follows; no I/O |
//! | [`answer`] | what of a packet helps in a dispute |
//! | [`records`] | what is stored of a packet |
//! | [`alarms`] | what the operator must know |
//! | [`runtime`] | runs a core on a real disk and a real chain |
//! | [`session`] | one client's connection |
//! | [`config`] | the configuration file |
//! | [`rpc`] | `status` and `stop` of a running tower |

#![allow(clippy::cast_possible_truncation, reason = "in what codec's derive makes of an index")]

pub mod alarms;
pub mod answer;
pub mod config;
pub mod core;
pub mod records;
pub mod rpc;
pub mod runtime;
pub mod session;
