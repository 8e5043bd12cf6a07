//! Failsafe end to end: real nodes, a real hub, real wallets, each its own process.
//!
//! * [`fault`]: parties that fail on purpose; `failsafe-faulty` runs one.
//! * [`harness`]: starts and stops them on free ports, and asks them.
//! * [`story`]: "From Genesis to Rebalance", told step by step; `failsafe-demo` plays it.

pub mod fault;
pub mod harness;
pub mod story;
