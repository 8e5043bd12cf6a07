//! A small executable reference of the Failsafe protocol (`docs/protocol.md`).
//!
//! It is written from the text, with plain maps and small integers instead of storage, keys and
//! bytes, and shares no code with the chain or the hub: what both get wrong they get wrong
//! independently. [`chain`] has the rules of the chain. Tests drive it side by side with the real
//! runtime, and let many parties play against each other on it.

pub mod chain;
pub mod play;
