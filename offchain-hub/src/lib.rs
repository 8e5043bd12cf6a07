//! The off-chain half of Failsafe.
pub mod address;
pub mod amount;
pub mod chain;
pub mod keys;
pub mod party;
pub mod rebalance;
pub mod store;
pub mod transport;
