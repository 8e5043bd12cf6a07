//! Which routes are refused, and packets that no honest payer makes.

use super::*;
use crate::{
    hop::Onward,
    keys::{agree, stream, LayerKeys},
    packet::packet_mac,
    OnionError, LAYER_SIZE, MAC_AT, ONWARD_KEY_AT, ROUTING_SIZE, VERSION,
};
use chacha20::cipher::StreamCipher;
use codec::Encode;
use hmac::Mac;

#[test]
fn route_should_be_refused_when_it_has_eleven_hops() {
    assert_eq!(build(&[1; 32], &hops(11), &HASH).err(), Some(OnionError::HopCount(11)));
}

#[test]
fn route_should_be_refused_when_it_is_empty() {
    assert_eq!(build(&[1; 32], &[], &HASH).err(), Some(OnionError::HopCount(0)));
}

#[test]
fn route_should_be_refused_when_it_does_not_end_at_a_recipient() {
    let all = hops(3);
    assert_eq!(build(&[1; 32], &all[..2], &HASH).err(), Some(OnionError::Order(1)));
    assert_eq!(build(&[1; 32], &all[..1], &HASH).err(), Some(OnionError::Order(0)));
}

#[test]
fn route_should_be_refused_when_it_goes_on_behind_the_recipient() {
    let mut all = hops(3);
    all[1].1.next = Next::Recipient([0; 32]);
    assert!(build(&[1; 32], &all, &HASH).is_ok());
    all[0].1.next = Next::Recipient([0; 32]);
    assert_eq!(build(&[1; 32], &all, &HASH).err(), Some(OnionError::Order(0)));
    all[0].1.next = Next::Here { total: 1, payment_secret: [0; 32] };
    assert_eq!(build(&[1; 32], &all, &HASH).err(), Some(OnionError::Order(0)));
}

#[test]
fn route_should_be_taken_when_the_recipient_is_a_hub() {
    let mut all = hops(3);
    all[1].1.next = Next::Hub([0; 32]);
    assert!(build(&[1; 32], &all, &HASH).is_ok());
}

#[test]
fn secrets_should_not_be_printed_when_instructions_are_logged() {
    let secret = [0xab; 32];
    let here = Next::Here { total: 5, payment_secret: secret };
    let (spontaneous, node) = (Next::Spontaneous { secret }, NodeKey::new(&secret));
    let printed = format!("{here:?} {spontaneous:?} {:?} {node:?}", Route::new(2).keys);
    assert!(!printed.contains("171") && !printed.contains("ab"), "{printed}");
}

/// All that a hop decrypts.
pub(super) fn opened(secret: &[u8; 32], packet: &Packet) -> Vec<u8> {
    let shared = agree(secret, &packet.ephemeral).unwrap();
    let keys = LayerKeys::derive(&shared, &packet.ephemeral, &public_key(secret));
    let mut bytes = [packet.routing.as_slice(), &[0; LAYER_SIZE]].concat();
    stream(&keys.stream).apply_keystream(&mut bytes);
    bytes
}

/// Layers that a payer may authenticate but that are no instructions: an unknown `Next`, padding
/// that is not zero, a MAC behind the last hop, padding that is not zero before the key for the hop
/// behind a hub.
pub(super) const SPOILED: [fn(&mut [u8; LAYER_SIZE]); 4] = [
    |layer| layer[0] = 4,
    |layer| layer[MAC_AT - 1] = 1,
    |layer| layer[MAC_AT] = 1,
    |layer| {
        let onward = Onward { ephemeral: [7; 32], mac: [8; 32] };
        layer.copy_from_slice(hops(2)[0].1.to_layer(Some(&onward)).as_ref());
        layer[ONWARD_KEY_AT - 1] = 1;
    },
];

/// A packet for one hop, whose layer is spoiled before it is encrypted.
pub(super) fn build_raw(
    secret: &[u8; 32],
    spoil: impl Fn(&mut [u8; LAYER_SIZE]),
) -> (Packet, RouteKeys) {
    let ephemeral = public_key(&[0xee; 32]);
    let shared = agree(&[0xee; 32], &public_key(secret)).unwrap();
    let keys = LayerKeys::derive(&shared, &ephemeral, &public_key(secret));
    let mut layer = [0; LAYER_SIZE];
    hops(1)[0].1.using_encoded(|bytes| layer[..bytes.len()].copy_from_slice(bytes));
    spoil(&mut layer);
    let mut routing = [0; ROUTING_SIZE];
    routing[..LAYER_SIZE].copy_from_slice(&layer);
    stream(&keys.stream).apply_keystream(&mut routing);
    let mac = packet_mac(&keys, &routing, &HASH).finalize().into_bytes().into();
    (Packet { version: VERSION, ephemeral, routing, mac }, RouteKeys::new(vec![keys.hop]))
}
