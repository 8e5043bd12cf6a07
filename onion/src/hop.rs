//! What the payer tells each hop.

use crate::{HOP_SIZE, LAYER_SIZE, MAC_AT, ONWARD_KEY_AT};
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

    /// The layer that tells a hop this, and what it needs for the packet that it sends on; `None`
    /// for the recipient.
    pub(crate) fn to_layer(self, onward: Option<&Onward>) -> Zeroizing<[u8; LAYER_SIZE]> {
        let mut layer = Zeroizing::new([0; LAYER_SIZE]);
        layer[..HOP_SIZE].copy_from_slice(self.to_padded().as_ref());
        if let Some(Onward { ephemeral, mac }) = onward {
            layer[ONWARD_KEY_AT..MAC_AT].copy_from_slice(ephemeral);
            layer[MAC_AT..].copy_from_slice(mac);
        }
        layer
    }

    /// What a decrypted layer tells; `None` unless it is exactly what a payer writes.
    pub(crate) fn from_layer(layer: &[u8; LAYER_SIZE]) -> Option<(Self, Option<Onward>)> {
        let mut unread = &layer[..HOP_SIZE];
        let hop = Self::decode(&mut unread).ok()?;
        let onward = (!hop.next.is_last()).then(|| Onward {
            ephemeral: *layer[ONWARD_KEY_AT..]
                .first_chunk()
                .expect("a key and a MAC are left; qed"),
            mac: *layer[MAC_AT..].first_chunk().expect("a MAC is left; qed"),
        });
        (hop.to_layer(onward.as_ref()).as_ref() == layer).then_some((hop, onward))
    }
}

/// What a packet needs besides its layers, from the layer before them.
pub(crate) struct Onward {
    /// Its ephemeral key.
    pub ephemeral: [u8; 32],
    /// Its MAC.
    pub mac: [u8; 32],
}
