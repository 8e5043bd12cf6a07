//! Onion packets for payments over several hubs: the payer's instructions, one encrypted layer per
//! hop, and the failures that travel back (`docs/onion.md`, which is normative).
//!
//! A payer [`build`]s a [`Packet`] for 1 to [`MAX_HOPS`] hops. Each hop [`peel`]s its layer off and
//! sends what remains, of the same size, with its outgoing lock. It learns its own instructions,
//! not its place in the route. A hop that does not take the payment [`fail`]s, the hops before it
//! [`wrap`] that, and the payer learns from [`RouteKeys::open`] which hop says what.
//!
//! No I/O and no randomness of its own.
//!
//! # What the caller does
//! * It gives [`build`] 32 fresh random bytes for every packet.
//! * It checks the incoming lock against the [`Hop`]: the onion is bound to the payment hash only.
//! * It answers [`REJECTED`] to a packet whose [`HopSecret::tag`] it has seen, keeps a tag for a while
//!   after the expiry in its [`Hop`], and answers so to packets that come later than that.
//! * It stores the [`HopSecret`] with the lock, and the bytes of a failure before it sends them.
//!
//! # Why this construction
//! Kept crates were looked at first. `sphinx-packet` (5 hops) and `mixnet` (6 hops) fix the length
//! of the route and what a hop is told (an address and a delay) by constants, bind no associated
//! data, and know no failures. `fiber-sphinx` has the shape of BOLT 4 but is bound to secp256k1,
//! while hubs have X25519 keys on chain. So this is the construction of BOLT 4 of the Lightning
//! network, with failures that can be attributed also when they are garbled, on X25519, HKDF- and
//! HMAC-SHA256 and ChaCha20 from kept crates. Each hop has an ephemeral key that the payer chose for
//! it, where Sphinx makes one of the one before: there is room for it in the layers of hubs, and a
//! hop multiplies once instead of twice.
//!
//! # Limits
//! * The recipient counts as a hop: at most nine hubs are before it.
//! * All hops of a payment see the same payment hash. Two hubs that work together know so.
//! * Amounts and expiries tell something of the distance to the recipient. The payer can add slack.
//! * [`Next::Recipient`] tells the last hub that it is the last.
//! * Secrets are erased from what this crate owns, not from the inner state of hashes, nor from
//!   copies that the compiler makes, nor from a [`Hop`], which is plain data.

#![allow(clippy::cast_possible_truncation, reason = "in what codec's derive makes of an index")]

mod error;
mod failure;
mod hop;
mod keys;
mod packet;

#[cfg(test)]
mod tests;

pub use error::{OnionError, PeelError, Unreadable};
pub use failure::{fail, wrap, Reason, RouteKeys, REJECTED};
pub use hop::{Hop, Next};
pub use keys::{public_key, HopSecret, NodeKey};
pub use packet::{build, peel, Packet, Peeled};

/// The version that this crate speaks: first byte of a packet, and part of every key.
pub const VERSION: u8 = 2;

/// Most hops of a route, the recipient included.
pub const MAX_HOPS: usize = 10;

/// Bytes of the instructions for one hop, padded; those of hubs take less than 64, and the key of
/// the next packet takes the rest.
pub const HOP_SIZE: usize = 96;

/// Bytes of a packet: version, ephemeral key, layers, MAC.
pub const PACKET_SIZE: usize = 1 + 32 + ROUTING_SIZE + 32;

/// Bytes of an encrypted failure.
pub const FAILURE_SIZE: usize = 288;

/// Where a layer has the ephemeral key of the next packet, which the instructions of a hub leave
/// room for.
const ONWARD_KEY_AT: usize = HOP_SIZE - 32;

/// Where a layer has the MAC of the next packet.
const MAC_AT: usize = HOP_SIZE;

/// Bytes of one layer.
const LAYER_SIZE: usize = MAC_AT + 32;

const ROUTING_SIZE: usize = MAX_HOPS * LAYER_SIZE;
