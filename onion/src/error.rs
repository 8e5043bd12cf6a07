//! What can go wrong.

use crate::{fail, HopSecret, Reason};

/// Why no packet can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OnionError {
    /// Not 1 to [`MAX_HOPS`](crate::MAX_HOPS) hops.
    #[error("a route of {0} hops: 1 to 10 are possible")]
    HopCount(usize),
    /// The route does not fit together at this index: only the last hop receives, and after
    /// [`Next::Recipient`](crate::Next::Recipient) comes the last one.
    #[error("hop {0} does not fit its place in the route")]
    Order(usize),
    /// The public key at this index is a point of low order: everybody would know the secret.
    #[error("the key of hop {0} is of low order")]
    WeakKey(usize),
}

/// Why a hop cannot use a packet. [`PeelError::answer`] is what it sends back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeelError {
    /// Not [`PACKET_SIZE`](crate::PACKET_SIZE) bytes, but so many.
    #[error("an onion of {0} bytes")]
    Length(usize),
    /// A version that this crate does not speak.
    #[error("version {0} of the onion is unknown")]
    Version(u8),
    /// The ephemeral key is a point of low order.
    #[error("the onion's key is of low order")]
    WeakKey,
    /// Changed on the way, made for another node, or for another payment hash.
    #[error("the onion is not authentic")]
    Unauthentic,
    /// The payer made the packet for this hop and this hash, but its instructions are none.
    #[error("the onion is authentic, but its instructions are none")]
    Instructions(HopSecret),
}

impl PeelError {
    /// What the hop sends back: [`REJECTED`](crate::REJECTED) in clear when it shares no secret with
    /// the payer, else an encrypted failure with [`Reason::Instructions`].
    pub fn answer(&self) -> Vec<u8> {
        match self {
            Self::Instructions(shared) => fail(shared, &Reason::Instructions),
            Self::Length(_) | Self::Version(_) | Self::WeakKey | Self::Unauthentic => {
                crate::REJECTED.to_vec()
            },
        }
    }
}

/// Why the payer cannot read a failure. Indices count from 0, the payer's own partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The first hop says in clear that it could not peel the packet.
    #[error("the first hop rejected the onion")]
    Rejected,
    /// The bytes are no report of any hop. One of the hops `first..=last`, one or two, broke the
    /// rules; the others did not, but for a chance of 2⁻³².
    #[error("garbled between hop {first} and hop {last}")]
    Garbled {
        /// Lowest index of those who can have done it.
        first: usize,
        /// Highest index of those who can have done it.
        last: usize,
    },
}
