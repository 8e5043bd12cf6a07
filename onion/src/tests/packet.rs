use super::*;
use crate::{
    fail, hop::Onward, wrap, OnionError, PeelError, Reason, HOP_SIZE, LAYER_SIZE, MAX_HOPS,
    ONWARD_KEY_AT, PACKET_SIZE, ROUTING_SIZE, VERSION,
};
use codec::{DecodeAll, Encode, MaxEncodedLen};

fn assert_delivered(length: u8) {
    let route = Route::new(length);
    let walked = route.walk();
    for ((_, peeled), (_, hop)) in walked.iter().zip(&route.hops) {
        assert_eq!(peeled.hop, *hop);
    }
    let ends: Vec<_> = walked.iter().map(|(_, peeled)| peeled.next_packet.is_none()).collect();
    assert_eq!(ends.iter().filter(|end| **end).count(), 1);
    assert_eq!(ends.last(), Some(&true));
}

#[test]
fn packet_should_reach_the_recipient_when_the_route_has_one_hop() {
    assert_delivered(1);
}

#[test]
fn packet_should_reach_the_recipient_when_the_route_has_two_hops() {
    assert_delivered(2);
}

#[test]
fn packet_should_reach_the_recipient_when_the_route_has_ten_hops() {
    assert_delivered(10);
}

#[test]
fn secrets_should_be_the_payers_when_hops_have_peeled() {
    let route = Route::new(10);
    assert_eq!(route.keys.hops(), route.secrets_shared());
}

#[test]
fn spontaneous_payment_should_bring_the_secret_when_peeled() {
    let next = Next::Spontaneous { secret: [9; 32] };
    let hop = Hop { next, asset: 0, amount: u128::MAX, expiry: u64::MAX };
    let (packet, _) = build(&[1; 32], &[(public_key(&[2; 32]), hop)], &HASH).unwrap();
    assert_eq!(peel(&NodeKey::new(&[2; 32]), &packet, &HASH).unwrap().hop, hop);
}

#[test]
fn packet_should_have_one_size_when_the_route_has_any_length() {
    for length in 1..=10 {
        for (packet, _) in Route::new(length).walk() {
            assert_eq!(packet.encode().len(), PACKET_SIZE);
        }
    }
}

#[test]
fn packet_should_be_refused_when_it_is_longer_or_shorter() {
    let bytes = Route::new(3).first.encode();
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(Packet::try_from(&longer[..]), Err(PeelError::Length(PACKET_SIZE + 1)));
    assert_eq!(Packet::try_from(&bytes[1..]), Err(PeelError::Length(PACKET_SIZE - 1)));
    assert_eq!(Packet::try_from(&[][..]), Err(PeelError::Length(0)));
    assert!(Packet::decode_all(&mut &longer[..]).is_err());
    assert_eq!(Packet::try_from(&bytes[..]), Ok(Route::new(3).first));
}

#[test]
fn packet_should_fit_a_lock_when_sizes_are_compared() {
    assert_eq!(PACKET_SIZE, 1_345);
    assert_eq!(Packet::max_encoded_len(), PACKET_SIZE);
    assert!(Hop::max_encoded_len() <= HOP_SIZE);
    assert!(hops(3)[0].1.encoded_size() <= ONWARD_KEY_AT);
    assert!(hops(3)[1].1.encoded_size() <= ONWARD_KEY_AT);
}

/// The ephemeral keys that the hops of a route get.
fn ephemeral_keys(secret: [u8; 32], hops: &[([u8; 32], Hop)], hash: &[u8; 32]) -> Vec<[u8; 32]> {
    let (packet, _) = build(&secret, hops, hash).unwrap();
    let mut next = Some(packet);
    let keys = (1..).map_while(|node| {
        let packet = next.take()?;
        next = peel(&NodeKey::new(&[node; 32]), &packet, hash).unwrap().next_packet;
        Some(packet.ephemeral)
    });
    keys.collect()
}

#[test]
fn ephemeral_keys_should_all_differ_when_a_secret_a_hash_or_instructions_differ() {
    let mut dearer = hops(10);
    dearer[9].1.amount += 1;
    let keys: Vec<_> = [
        ephemeral_keys([1; 32], &hops(10), &HASH),
        ephemeral_keys([2; 32], &hops(10), &HASH),
        ephemeral_keys([1; 32], &hops(10), &[0x78; 32]),
        ephemeral_keys([1; 32], &dearer, &HASH),
    ]
    .concat();
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!((keys.len(), different.len()), (40, 40));
}

/// What the second hop says of a packet whose payer gave it this ephemeral key.
fn second_hop_says(ephemeral: [u8; 32]) -> PeelError {
    let (packet, _) = super::route::build_raw(&[1; 32], |layer| {
        let onward = Onward { ephemeral, mac: [8; 32] };
        layer.copy_from_slice(hops(2)[0].1.to_layer(Some(&onward)).as_ref());
    });
    let onwards = peel(&NodeKey::new(&[1; 32]), &packet, &HASH).unwrap().next_packet.unwrap();
    assert_eq!(onwards.ephemeral, ephemeral, "as the payer wrote it");
    peel(&NodeKey::new(&[2; 32]), &onwards, &HASH).unwrap_err()
}

#[test]
fn packet_should_be_refused_by_the_next_hop_when_its_payer_gave_a_bad_key() {
    for point in low_order() {
        assert_eq!(second_hop_says(point), PeelError::WeakKey);
    }
    let mut key = public_key(&[9; 32]);
    assert_eq!(second_hop_says(key), PeelError::Unauthentic);
    key[31] ^= 0x80;
    assert_eq!(second_hop_says(key), PeelError::Unauthentic);
}

#[test]
fn packet_should_be_refused_when_it_is_of_version_one() {
    let mut packet = Route::new(1).first;
    packet.version = 1;
    let error = peel(&NodeKey::new(&[1; 32]), &packet, &HASH).unwrap_err();
    assert_eq!(error, PeelError::Version(1));
    assert_eq!(error.answer(), crate::REJECTED);
}

#[test]
fn change_of_any_bit_should_be_detected_when_the_next_hop_peels() {
    let route = Route::new(3);
    for ((packet, _), secret) in route.walk().iter().zip(&route.secrets) {
        let bytes = packet.encode();
        for (place, bit) in (0..PACKET_SIZE).zip((0..8).cycle()) {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            let changed = Packet::try_from(&changed[..]).unwrap();
            let expected = match place {
                0 => PeelError::Version(VERSION ^ 1),
                _ => PeelError::Unauthentic,
            };
            assert_eq!(peel(&NodeKey::new(secret), &changed, &HASH), Err(expected), "byte {place}");
        }
    }
}

#[test]
fn change_of_the_keys_unused_bit_should_be_detected_when_peeled() {
    // X25519 ignores it, the MAC does not.
    let mut packet = Route::new(1).first;
    packet.ephemeral[31] ^= 0x80;
    assert_eq!(peel(&NodeKey::new(&[1; 32]), &packet, &HASH), Err(PeelError::Unauthentic));
}

#[test]
fn h26_packet_should_be_refused_when_the_payment_hash_is_another() {
    let route = Route::new(3);
    for ((packet, _), secret) in route.walk().iter().zip(&route.secrets) {
        assert_eq!(peel(&NodeKey::new(secret), packet, &[0x78; 32]), Err(PeelError::Unauthentic));
    }
}

#[test]
fn packet_should_be_refused_when_the_node_is_another() {
    assert_eq!(
        peel(&NodeKey::new(&[2; 32]), &Route::new(3).first, &HASH),
        Err(PeelError::Unauthentic)
    );
}

#[test]
fn packet_should_be_refused_when_a_hop_is_left_out() {
    let route = Route::new(3);
    let (packet, _) = &route.walk()[1];
    assert_eq!(peel(&NodeKey::new(&[3; 32]), packet, &HASH), Err(PeelError::Unauthentic));
}

/// The encodings of points of low order (RFC 7748 §6.1 and their twins), without the unused bit.
const LOW_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

fn low_order() -> impl Iterator<Item = [u8; 32]> {
    LOW_ORDER.iter().flat_map(|point| {
        let point: [u8; 32] = hex::decode(point).unwrap().try_into().unwrap();
        let mut twin = point;
        twin[31] ^= 0x80;
        [point, twin]
    })
}

#[test]
fn packet_should_be_refused_when_its_key_is_of_low_order() {
    let mut packet = Route::new(1).first;
    for point in low_order() {
        packet.ephemeral = point;
        assert_eq!(peel(&NodeKey::new(&[1; 32]), &packet, &HASH), Err(PeelError::WeakKey));
    }
}

#[test]
fn route_should_be_refused_when_a_key_is_of_low_order() {
    let mut hops = hops(3);
    for point in low_order() {
        hops[1].0 = point;
        assert_eq!(build(&[1; 32], &hops, &HASH).err(), Some(OnionError::WeakKey(1)));
    }
}

#[test]
fn bytes_should_differ_when_packets_of_any_position_are_compared() {
    let packets: Vec<Vec<(Packet, Peeled)>> =
        (0..64).map(|seed| Route::with_ephemeral(10, [seed; 32]).walk()).collect();
    for position in 0..MAX_HOPS {
        let seen: Vec<_> = packets.iter().map(|walked| walked[position].0.encode()).collect();
        assert!(seen.iter().all(|bytes| bytes[0] == VERSION));
        for place in 1..PACKET_SIZE {
            let first = seen[0][place];
            assert!(seen.iter().any(|bytes| bytes[place] != first), "byte {place} of {position}");
        }
    }
}

#[test]
fn end_of_the_route_should_not_show_when_a_layer_is_opened() {
    // What a recipient decrypts behind its own layer: no zeros, wherever the route ends.
    for length in 1..=10 {
        let route = Route::new(length);
        let (packet, _) = route.walk().pop().unwrap();
        let opened = super::route::opened(route.secrets.last().unwrap(), &packet);
        let rest = &opened[LAYER_SIZE..ROUTING_SIZE];
        let zeros = rest.iter().filter(|byte| **byte == 0).count();
        assert!(zeros < 30, "{zeros} of {} bytes are zero", rest.len());
    }
}

#[test]
fn key_streams_should_differ_when_an_ephemeral_secret_is_repeated() {
    let mut other = hops(3);
    other[0].1.amount += 1;
    let (first, _) = build(&[1; 32], &hops(3), &HASH).unwrap();
    let (second, _) = build(&[1; 32], &other, &HASH).unwrap();
    let (third, _) = build(&[1; 32], &hops(3), &[0x78; 32]).unwrap();
    assert_ne!(first.ephemeral, second.ephemeral);
    assert_ne!(first.ephemeral, third.ephemeral);
}

#[test]
fn h26_tag_should_be_the_same_when_a_packet_comes_again() {
    let route = Route::new(3);
    let tag = |packet: &Packet| peel(&NodeKey::new(&[1; 32]), packet, &HASH).unwrap().shared.tag();
    assert_eq!(tag(&route.first), tag(&route.first));
    assert_ne!(tag(&route.first), tag(&Route::with_ephemeral(3, [0xef; 32]).first));
}

#[test]
fn answer_should_be_in_clear_when_the_packet_cannot_be_peeled() {
    let shared = Route::new(3).secrets_shared();
    let error = peel(&NodeKey::new(&[9; 32]), &Route::new(3).first, &HASH).unwrap_err();
    assert_eq!(error.answer(), crate::REJECTED);
    assert_eq!(wrap(&shared[0], &error.answer()), fail(&shared[0], &Reason::Malformed));
}

#[test]
fn answer_should_be_encrypted_when_authentic_instructions_are_none() {
    for spoil in super::route::SPOILED {
        let (packet, keys) = super::route::build_raw(&[1; 32], spoil);
        let error = peel(&NodeKey::new(&[1; 32]), &packet, &HASH).unwrap_err();
        assert_eq!(error, PeelError::Instructions(keys.hops()[0].clone()));
        assert_eq!(keys.open(&error.answer()), Ok((0, Reason::Instructions)));
    }
}
