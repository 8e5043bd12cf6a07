//! The off-chain half of Failsafe: what hub and wallet have in common, and the hub itself.
//!
//! | module | what is in it |
//! |---|---|
//! | [`party`] | one account with its channels: the core, and its body of sockets, disk and chain |
//! | [`rebalance`] | the planner: a pure function from a snapshot to a plan |
//! | [`chain`] | the chain: reads, news, calls |
//! | [`store`] | what survives a crash |
//! | [`transport`] | encrypted sessions with peers |
//! | [`signatures`] | many signatures checked at once |
//! | [`watchtower`] | what a watchtower is given, and how |
//! | [`rpc`] | the JSON-RPC of a running party |
//! | [`cli`] | commands that hub and wallet share |
//! | [`config`], [`reload`] | a hub's configuration file, and what of it may change while it runs |
//! | [`metrics`] | what monitoring sees |
//! | [`daemon`], [`hub`] | party and RPC as one process; a hub from its configuration |
//! | [`standby`] | waiting for a store that another process owns |
//! | [`faucet`] | free money on development chains |
//! | [`keys`], [`address`], [`amount`] | account keys; addresses and amounts as people write them |
//!
//! A payment's way through a hub: [`transport`] → [`party::core`] → `failsafe-channel` (the pure
//! engine) → [`store`], one batch → [`transport`]. Nothing leaves before it is durable.

#![allow(clippy::cast_possible_truncation, reason = "in what codec's derive makes of an index")]

pub mod address;
pub mod amount;
pub mod chain;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod faucet;
pub mod hub;
pub mod invoice;
pub mod keys;
pub mod metrics;
pub mod party;
pub mod rebalance;
pub mod reload;
pub mod rpc;
pub mod signatures;
pub mod standby;
pub mod store;
pub mod transport;
pub mod watchtower;
