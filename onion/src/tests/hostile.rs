//! Arbitrary routes and arbitrary bytes.

use super::*;
use crate::{fail, wrap, PeelError, Reason, FAILURE_SIZE, LAYER_SIZE, PACKET_SIZE, VERSION};
use codec::{Decode, Encode};
use proptest::{collection::vec, prelude::*};

type Instructions = ([u8; 32], u32, u128, u64);

fn arbitrary_route(given: &[([u8; 32], Instructions)], spontaneous: bool) -> Vec<([u8; 32], Hop)> {
    let last = given.len() - 1;
    let hop =
        |(index, (node, (bytes, asset, amount, expiry))): (usize, &([u8; 32], Instructions))| {
            let next = if index < last {
                Next::Hub(*bytes)
            } else if spontaneous {
                Next::Spontaneous { secret: *bytes }
            } else {
                Next::Here { total: *amount, payment_secret: *bytes }
            };
            (public_key(node), Hop { next, asset: *asset, amount: *amount, expiry: *expiry })
        };
    given.iter().enumerate().map(hop).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn packet_should_bring_every_hop_its_own_when_the_route_is_arbitrary(
        ephemeral: [u8; 32], hash: [u8; 32], spontaneous: bool,
        given in vec(any::<([u8; 32], Instructions)>(), 1..=10),
    ) {
        let hops = arbitrary_route(&given, spontaneous);
        let (packet, keys) = build(&ephemeral, &hops, &hash).unwrap();
        let mut next = Some(packet);
        for (((node, _), (_, hop)), secret) in given.iter().zip(&hops).zip(keys.hops()) {
            let packet = next.expect("a packet for every hop");
            let packet = Packet::try_from(&packet.encode()[..]).unwrap();
            let peeled = peel(&NodeKey::new(node), &packet, &hash).unwrap();
            prop_assert_eq!(peeled.hop, *hop);
            prop_assert_eq!(&peeled.shared, secret);
            next = peeled.next_packet;
        }
        prop_assert_eq!(next, None);
    }

    #[test]
    fn packet_should_be_refused_when_its_bytes_are_arbitrary(
        node: [u8; 32], mut bytes in vec(any::<u8>(), PACKET_SIZE), known: bool,
    ) {
        if known {
            bytes[0] = VERSION;
        }
        let packet = Packet::try_from(&bytes[..]).unwrap();
        let error = peel(&NodeKey::new(&node), &packet, &HASH).unwrap_err();
        prop_assert!(!matches!(error, PeelError::Instructions(_)));
    }

    #[test]
    fn layer_should_be_what_a_payer_writes_or_refused_when_it_is_arbitrary(
        index in 0u8..=4, bytes in vec(any::<u8>(), LAYER_SIZE), zeros: [bool; 3],
    ) {
        let mut given: [u8; LAYER_SIZE] = bytes.try_into().unwrap();
        given[0] = index;
        // What has to be zero in one layer or another is now and then.
        for (range, zero) in [61..64, 61..LAYER_SIZE, 77..LAYER_SIZE].into_iter().zip(zeros) {
            given[range].iter_mut().for_each(|byte| *byte *= u8::from(!zero));
        }
        let (packet, keys) = super::route::build_raw(&[1; 32], |layer| *layer = given);
        let zero = |from: usize| given[from..].iter().all(|byte| *byte == 0);
        let good = match index {
            0 | 1 => given[61..64] == [0; 3],
            2 => zero(77),
            3 => zero(61),
            _ => false,
        };
        match peel(&NodeKey::new(&[1; 32]), &packet, &HASH) {
            Ok(peeled) => {
                prop_assert!(good);
                prop_assert_eq!(peeled.next_packet.is_some(), index < 2);
                if let Some(next) = peeled.next_packet {
                    prop_assert_eq!(&next.ephemeral, &given[64..96]);
                    prop_assert_eq!(&next.mac, &given[96..]);
                }
            },
            Err(error) => {
                prop_assert!(!good);
                prop_assert_eq!(error, PeelError::Instructions(keys.hops()[0].clone()));
            },
        }
    }

    #[test]
    fn decoders_should_not_panic_when_bytes_are_arbitrary(bytes in vec(any::<u8>(), 0..2_048)) {
        let _ = Packet::try_from(&bytes[..]);
        let _ = Packet::decode(&mut &bytes[..]);
        let _ = Hop::decode(&mut &bytes[..]);
        let _ = Reason::decode(&mut &bytes[..]);
        let _ = HopSecret::decode(&mut &bytes[..]);
        let _ = RouteKeys::decode(&mut &bytes[..]);
    }

    #[test]
    fn failure_should_be_unreadable_when_its_bytes_are_arbitrary(
        length in 1u8..=10, bytes in vec(any::<u8>(), FAILURE_SIZE - 1..=FAILURE_SIZE + 1),
    ) {
        prop_assert!(Route::new(length).keys.open(&bytes).is_err());
    }

    #[test]
    fn blame_should_hold_the_hostile_hop_when_it_sends_arbitrary_bytes(
        hostile in 0usize..10, bytes in vec(any::<u8>(), FAILURE_SIZE),
    ) {
        let route = Route::new(10);
        let mut failure = bytes;
        for secret in route.keys.hops()[..hostile].iter().rev() {
            failure = wrap(secret, &failure);
        }
        let blamed = route.keys.open(&failure);
        let first = hostile.saturating_sub(1);
        prop_assert_eq!(blamed, Err(crate::Unreadable::Garbled { first, last: hostile }));
    }

    #[test]
    fn reason_should_be_opened_when_secrets_are_arbitrary(
        secrets in vec(any::<[u8; 32]>(), 1..=10), asset: u32,
    ) {
        let keys = RouteKeys::decode(&mut &secrets.encode()[..]).unwrap();
        let (failing, before) = keys.hops().split_last().unwrap();
        let mut failure = fail(failing, &Reason::Capacity { asset });
        for secret in before.iter().rev() {
            failure = wrap(secret, &failure);
        }
        prop_assert_eq!(keys.open(&failure), Ok((before.len(), Reason::Capacity { asset })));
    }
}
