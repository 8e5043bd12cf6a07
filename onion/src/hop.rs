//! What the payer tells each hop.

use crate::{HOP_SIZE, LAYER_SIZE};
use codec::{Decode, Encode, MaxEncodedLen};
use core::fmt;
use zeroize::Zeroizing;

/// Whom a hop pays on, or what makes it the recipient. Codec indices are stable.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub enum Next {
    /// Lock for this hub, with the next packet.
    #[codec(index = 0)]
    Hub([u8; 32]),
    /// Lock for this account, which is the recipient, with the next packet: the processing hop is
    /// the last hub.
    #[codec(index = 1)]
    Recipient([u8; 32]),
    /// The processing hop is the recipient and knows the secret behind the hash from its invoice.
    #[codec(index = 2)]
    Here {
        /// What all parts of the payment make together, in smallest units.
        total: u128,
        /// From the invoice: proves that the payer knows it, so nobody else can probe for it.
        payment_secret: [u8; 32],
    },
    /// The processing hop is the recipient of a payment that it did not ask for.
    #[codec(index = 3)]
    Spontaneous {
        /// The secret behind the payment hash. The recipient checks that SHA-256 of it is the hash.
        secret: [u8; 32],
    },
}

impl Next {
    /// Is the processing hop the recipient, so that there is no next packet?
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Here { .. } | Self::Spontaneous { .. })
    }
}

// Secrets stay out of logs.
impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub(account) => f.debug_tuple("Hub").field(account).finish(),
            Self::Recipient(account) => f.debug_tuple("Recipient").field(account).finish(),
            Self::Here { total, .. } => {
                f.debug_struct("Here").field("total", total).finish_non_exhaustive()
            },
            Self::Spontaneous { .. } => f.debug_struct("Spontaneous").finish_non_exhaustive(),
        }
    }
}

/// The instructions for one hop. The hop checks its incoming lock against them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct Hop {
    /// Whom to pay on, or that the payment ends here.
    pub next: Next,
    /// The asset to forward; for the recipient, the one that it receives.
    pub asset: u32,
    /// What to forward, in smallest units; for the recipient, the least that this part brings.
    pub amount: u128,
    /// Usable block of the outgoing lock; for the recipient, the lowest expiry that it may accept.
    pub expiry: u64,
}

impl Hop {
    /// SCALE, then zeros up to [`HOP_SIZE`].
    pub(crate) fn to_padded(self) -> Zeroizing<[u8; HOP_SIZE]> {
        let mut padded = Zeroizing::new([0; HOP_SIZE]);
        self.using_encoded(|bytes| padded[..bytes.len()].copy_from_slice(bytes));
        padded
    }

    /// The hop and the MAC of the next packet in a decrypted layer; `None` unless the layer is
    /// exactly what a payer writes.
    pub(crate) fn from_layer(layer: &[u8; LAYER_SIZE]) -> Option<(Self, [u8; 32])> {
        let (mut padded, rest) = layer.split_at(HOP_SIZE);
        let hop = Self::decode(&mut padded).ok()?;
        let mac: [u8; 32] = rest.try_into().ok()?;
        let zero = padded.iter().all(|byte| *byte == 0) && (!hop.next.is_last() || mac == [0; 32]);
        zero.then_some((hop, mac))
    }
}
