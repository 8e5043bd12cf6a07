//! Messages between a tower and its clients. Their indices begin behind those of
//! [`Frame`](crate::transport::Frame), so that a hub that is mistaken for a tower, or the other way
//! round, says so at the first one.

use super::packet::{PacketError, WatchPacket};
use codec::{Decode, Encode};

/// From a client.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub enum ToTower {
    /// Watch this.
    #[codec(index = 16)]
    Watch {
        /// Names it in the answer, within the session.
        number: u64,
        /// The newest of a channel and epoch.
        packet: WatchPacket,
    },
    /// Keeps the session alive.
    #[codec(index = 17)]
    Ping,
}

/// From a tower.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ToClient {
    /// The packet is on the tower's disk.
    #[codec(index = 16)]
    Receipt {
        /// Which.
        number: u64,
    },
    /// The tower does not take the packet; what it had before stays.
    #[codec(index = 17)]
    Refused {
        /// Which.
        number: u64,
        /// Why.
        reason: PacketError,
    },
    /// Keeps the session alive.
    #[codec(index = 18)]
    Ping,
    /// The session ends; for people.
    #[codec(index = 19)]
    Bye(String),
}
