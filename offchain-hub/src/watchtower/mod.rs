//! What a watchtower is given, and how: the part that its clients, hubs and wallets, share with the
//! program `failsafe-tower` (`docs/tower.md`).
//!
//! * [`packet`]: the evidence and the secrets of a channel that somebody else may bring to the chain,
//!   and what is checked before a tower relies on it.
//! * [`wire`]: the messages, over a session of [`transport`](crate::transport).
//! * [`address`]: how people write a tower, `account@host:port#key`.
//! * [`handover`]: a client's side, beside the core, so that payments never wait for a tower.

pub mod address;
pub mod handover;
pub mod packet;
pub mod wire;

#[cfg(test)]
mod tests;

pub use address::TowerAddress;
pub use handover::{Handover, TowerStanding};
pub use packet::{PacketError, Snapshot, WatchPacket, Whose};
