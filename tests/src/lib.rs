//! Failsafe end to end: real nodes, a real hub, real wallets, each its own process.
//!
//! * [`harness`]: starts and stops them on free ports, and asks them.
//! * [`story`]: "From Genesis to Rebalance", told step by step; `failsafe-demo` plays it.

pub mod harness;
pub mod story;
