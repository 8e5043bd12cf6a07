//! The peer transport: TCP, Noise, and proof of the account behind a session.
//!
//! Who dials knows the hub's X25519 transport key (from the registry on chain, or from its own
//! configuration), so `Noise_NK` hides everything from the first byte on. Inside, both prove their
//! accounts by a signature over the handshake's hash, which binds the account to this very session;
//! counters of the cipher make every replay fail.

mod handshake;
mod listen;
mod outlet;
mod stream;

pub use handshake::{accept, dial, Identity, Session, TransportKey};
pub(crate) use listen::accept_each;
pub use listen::accept_sessions;
pub use outlet::{outlet, Clogged, Drain, Outlet, Unwritten};
pub use stream::{Reader, Writer};

use codec::{Decode, Encode};
use failsafe_primitives::AccountId;
use sp_core::H256;
use std::time::Duration;

/// Longest message of a channel in bytes.
pub const MAX_MESSAGE: usize = 256 * 1024;
/// How long a handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// A ping goes out when nothing else has for this long.
pub const PING_EVERY: Duration = Duration::from_secs(10);
/// A session is dead when nothing has come for this long.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(35);

/// What travels in a session.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Frame {
    /// A channel message, SCALE-encoded.
    #[codec(index = 0)]
    Channel(Vec<u8>),
    /// Keeps the session alive.
    #[codec(index = 1)]
    Ping,
    /// The session ends; for people.
    #[codec(index = 2)]
    Bye(String),
    /// The session ends: another process of this hub has the channel, at this `host:port`, under the
    /// same transport key and account.
    #[codec(index = 3)]
    Elsewhere(String),
}

/// What can go wrong in a session.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The network.
    #[error("connection: {0}")]
    Io(#[from] std::io::Error),
    /// The other end is gone.
    #[error("the peer closed the connection")]
    Closed,
    /// Not Noise, or not for this key, or tampered with.
    #[error("encryption: {0} (a wrong transport key, or not a Failsafe peer)")]
    Noise(#[from] snow::Error),
    /// Too slow.
    #[error("the peer was silent for too long")]
    Timeout,
    /// More than a message may have.
    #[error("a message of {0} bytes is too long")]
    TooLong(usize),
    /// Not a frame.
    #[error("the peer sent something that is not a frame")]
    Malformed,
    /// Another protocol version.
    #[error("the peer speaks version {theirs} of the protocol, this program version {ours}: update the older one")]
    Version {
        /// The peer's.
        theirs: u32,
        /// Ours.
        ours: u32,
    },
    /// Another chain.
    #[error("the peer is on the chain with genesis {theirs:?}, we are on {ours:?}: connect to the right node")]
    OtherChain {
        /// The peer's.
        theirs: H256,
        /// Ours.
        ours: H256,
    },
    /// Not the account that was expected.
    #[error("the peer is {found}, not {expected}")]
    OtherAccount {
        /// Who it is.
        found: AccountId,
        /// Who was expected.
        expected: AccountId,
    },
    /// No proof of the account.
    #[error("the peer could not prove that it is {0}")]
    Unproven(AccountId),
    /// The peer has told where to go.
    #[error("the hub has the channel at {0}: connect there")]
    Elsewhere(String),
    /// The peer said goodbye.
    #[error("the peer ended the session: {0}")]
    Bye(String),
}
