//! The packet: how the payer builds it and how a hop peels it (`docs/onion.md` §4, §5).

use crate::{
    hop::Onward,
    keys::{agree, expand, extract, hmac, public_key, stream, Key, LayerKeys, NodeKey},
    Hop, HopSecret, Next, OnionError, PeelError, RouteKeys, LAYER_SIZE, MAX_HOPS, PACKET_SIZE,
    ROUTING_SIZE, VERSION,
};
use chacha20::cipher::{StreamCipher, StreamCipherSeek};
use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};
use core::fmt;
use hmac::Mac;
use zeroize::Zeroizing;

/// Before the index of a hop: what its ephemeral key is made of.
const EPHEMERAL: &[u8] = b"failsafe/onion/2/ephemeral";

/// An onion packet. Its SCALE encoding is always [`PACKET_SIZE`] bytes; the bytes of a lock are read
/// by `try_from`, which takes no other length.
#[derive(Clone, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct Packet {
    pub(crate) version: u8,
    pub(crate) ephemeral: [u8; 32],
    pub(crate) routing: [u8; ROUTING_SIZE],
    pub(crate) mac: [u8; 32],
}

impl TryFrom<&[u8]> for Packet {
    type Error = PeelError;

    fn try_from(bytes: &[u8]) -> Result<Self, PeelError> {
        Self::decode_all(&mut &bytes[..]).map_err(|_| PeelError::Length(bytes.len()))
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet").field("version", &self.version).finish_non_exhaustive()
    }
}

/// What a hop finds in a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeled {
    /// The instructions for this hop.
    pub hop: Hop,
    /// What goes with the outgoing lock; `None` exactly for the recipient.
    pub next_packet: Option<Packet>,
    /// Keeps the way back: for [`fail`](crate::fail) and [`wrap`](crate::wrap).
    pub shared: HopSecret,
}

/// Builds the packet for the first hop, and the keys to read a failure with.
///
/// `random` is 32 fresh random bytes. `hops` are X25519 public keys with the instructions
/// of each hop, the payer's own partner first, the recipient last. `payment_hash` is the hash of
/// the locks; a packet is of no use with another one.
///
/// # Errors
/// [`OnionError`], when the route is empty, too long, does not fit together, or has a key of low
/// order.
pub fn build(
    random: &[u8; 32],
    hops: &[([u8; 32], Hop)],
    payment_hash: &[u8; 32],
) -> Result<(Packet, RouteKeys), OnionError> {
    check_route(hops)?;
    let seed = seed(random, hops, payment_hash);
    let layers = layers(&seed, hops)?;

    // Random to all who do not know the seed: the recipient must not see where the route ended.
    let mut routing = Zeroizing::new([0; ROUTING_SIZE]);
    stream(&pad(&seed)).apply_keystream(routing.as_mut());
    let filler = filler(&layers[..layers.len() - 1]);
    let mut onward: Option<Onward> = None;
    for ((_, hop), (ephemeral, keys)) in hops.iter().zip(&layers).rev() {
        routing.copy_within(..ROUTING_SIZE - LAYER_SIZE, LAYER_SIZE);
        routing[..LAYER_SIZE].copy_from_slice(hop.to_layer(onward.as_ref()).as_ref());
        stream(&keys.stream).apply_keystream(routing.as_mut());
        if onward.is_none() {
            routing[ROUTING_SIZE - filler.len()..].copy_from_slice(&filler);
        }
        let mac = packet_mac(keys, &routing, payment_hash).finalize().into_bytes().into();
        onward = Some(Onward { ephemeral: *ephemeral, mac });
    }
    let Onward { ephemeral, mac } = onward.expect("a route has hops; qed");
    let packet = Packet { version: VERSION, ephemeral, routing: *routing, mac };
    Ok((packet, RouteKeys::new(layers.into_iter().map(|(_, keys)| keys.hop).collect())))
}

/// Opens the layer of the hop that owns this key.
///
/// It does not know whether the packet came before: the caller keeps [`HopSecret::tag`].
///
/// # Errors
/// [`PeelError`]; its [`answer`](PeelError::answer) goes back to the hop before.
pub fn peel(node: &NodeKey, packet: &Packet, payment_hash: &[u8; 32]) -> Result<Peeled, PeelError> {
    if packet.version != VERSION {
        return Err(PeelError::Version(packet.version));
    }
    let shared = node.agree(&packet.ephemeral).ok_or(PeelError::WeakKey)?;
    let keys = LayerKeys::derive(&shared, &packet.ephemeral, node.public());
    packet_mac(&keys, &packet.routing, payment_hash)
        .verify_slice(&packet.mac)
        .map_err(|_| PeelError::Unauthentic)?;

    // The zeros behind become what the payer has put into the next MAC as filler.
    let mut opened = Zeroizing::new([0; ROUTING_SIZE + LAYER_SIZE]);
    opened[..ROUTING_SIZE].copy_from_slice(&packet.routing);
    stream(&keys.stream).apply_keystream(opened.as_mut());
    let (layer, rest) = opened.split_first_chunk().expect("longer than a layer; qed");
    let Some((hop, onward)) = Hop::from_layer(layer) else {
        return Err(PeelError::Instructions(keys.hop));
    };
    let next_packet = onward.map(|Onward { ephemeral, mac }| {
        let routing = rest.try_into().expect("one layer was added and one taken; qed");
        Packet { version: VERSION, ephemeral, routing, mac }
    });
    Ok(Peeled { hop, next_packet, shared: keys.hop })
}

fn check_route(hops: &[([u8; 32], Hop)]) -> Result<(), OnionError> {
    if hops.is_empty() || hops.len() > MAX_HOPS {
        return Err(OnionError::HopCount(hops.len()));
    }
    for (index, (_, hop)) in hops.iter().enumerate() {
        let left = hops.len() - 1 - index;
        let fits = match hop.next {
            Next::Hub(_) => left > 0,
            Next::Recipient(_) => left == 1,
            Next::Here { .. } | Next::Spontaneous { .. } => left == 0,
        };
        if !fits {
            return Err(OnionError::Order(index));
        }
    }
    Ok(())
}

/// Depends on everything that is encrypted, so that a caller who repeats random bytes by mistake
/// still uses no key stream twice.
pub(crate) fn seed(random: &[u8; 32], hops: &[([u8; 32], Hop)], payment_hash: &[u8; 32]) -> Key {
    let padded: Vec<_> = hops.iter().map(|(_, hop)| hop.to_padded()).collect();
    let mut parts: Vec<&[u8]> = vec![random, payment_hash];
    for ((node, _), hop) in hops.iter().zip(&padded) {
        parts.extend([node.as_slice(), hop.as_slice()]);
    }
    extract(&parts)
}

/// The secret key whose public one the hop with this index gets.
pub(crate) fn ephemeral_secret(seed: &Key, index: u8) -> Key {
    expand(seed, &[EPHEMERAL, &[index]].concat())
}

/// What the routing bytes behind the last layer are made of.
pub(crate) fn pad(seed: &Key) -> Key {
    expand(seed, b"failsafe/onion/2/pad")
}

/// The ephemeral key and the keys of every layer. Each hop has an ephemeral key of its own, so none
/// can be told from another one's.
fn layers(seed: &Key, hops: &[([u8; 32], Hop)]) -> Result<Vec<([u8; 32], LayerKeys)>, OnionError> {
    let layer = |(index, (node, _)): (u8, &([u8; 32], Hop))| {
        let scalar = ephemeral_secret(seed, index);
        let ephemeral = public_key(&scalar);
        let shared = agree(&scalar, node).ok_or(OnionError::WeakKey(index.into()))?;
        Ok((ephemeral, LayerKeys::derive(&shared, &ephemeral, node)))
    };
    (0..).zip(hops).map(layer).collect()
}

/// What the layers before the last one leave at the end of the routing bytes.
fn filler(layers: &[([u8; 32], LayerKeys)]) -> Vec<u8> {
    let mut filler = Vec::with_capacity(ROUTING_SIZE);
    for (_, keys) in layers {
        filler.resize(filler.len() + LAYER_SIZE, 0);
        let mut stream = stream(&keys.stream);
        stream.seek(ROUTING_SIZE + LAYER_SIZE - filler.len());
        stream.apply_keystream(&mut filler);
    }
    filler
}

pub(crate) fn packet_mac(
    keys: &LayerKeys,
    routing: &[u8; ROUTING_SIZE],
    payment_hash: &[u8; 32],
) -> hmac::Hmac<sha2::Sha256> {
    hmac(&keys.mac, &[&[VERSION], routing, payment_hash])
}

const _: () = assert!(PACKET_SIZE <= 2_048, "the longest onion of a lock");
