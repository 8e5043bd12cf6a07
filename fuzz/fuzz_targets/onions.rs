//! Onion packets and failures, as any payer, hop or recipient may send them: no panic, nobody opens
//! what was changed, and who is blamed has had the failure in hand.

#![no_main]

use codec::{Decode, DecodeAll, Encode};
use failsafe_fuzz::bytes::Bytes;
use failsafe_onion::{
    build, fail, peel, public_key, wrap, Hop, HopSecret, Next, NodeKey, Packet, PeelError, Reason,
    RouteKeys, Unreadable, FAILURE_SIZE, MAX_HOPS, PACKET_SIZE,
};
use libfuzzer_sys::fuzz_target;

const HASH: [u8; 32] = [9; 32];

fuzz_target!(|input: &[u8]| {
    read(input);
    play(Bytes::new(input));
});

/// Everything that is decoded from what came from outside, or from the disk.
fn read(input: &[u8]) {
    match Packet::try_from(input) {
        Ok(packet) => {
            assert_eq!(packet.encode(), input);
            assert!(
                peel(&NodeKey::new(&secret(0)), &packet, &HASH).is_err(),
                "nobody has made this"
            );
        },
        Err(error) => assert_eq!(error, PeelError::Length(input.len())),
    }
    if let Ok(keys) = RouteKeys::decode_all(&mut &input[..]) {
        assert!((1..=MAX_HOPS).contains(&keys.hops().len()));
        let _ = keys.open(input);
    }
    drop(HopSecret::decode(&mut &input[..]));
    drop(Reason::decode_all(&mut &input[..]));
}

fn secret(hop: usize) -> [u8; 32] {
    [u8::try_from(hop + 1).expect("few hops"); 32]
}

/// A route with arbitrary instructions, walked by its hops; one of them fails.
fn play(mut bytes: Bytes<'_>) {
    let count = 1 + bytes.below(MAX_HOPS);
    let instructions = |index: usize, bytes: &mut Bytes<'_>| {
        let account = [bytes.u8(); 32];
        let next = match count - 1 - index {
            0 if bytes.u8() & 1 == 0 => Next::Spontaneous { secret: account },
            0 => Next::Here { total: bytes.u128(), payment_secret: account },
            1 if bytes.u8() & 1 == 0 => Next::Recipient(account),
            _ => Next::Hub(account),
        };
        Hop { next, asset: bytes.u32(), amount: bytes.u128(), expiry: bytes.u64() }
    };
    let hops: Vec<_> = (0..count)
        .map(|index| (public_key(&secret(index)), instructions(index, &mut bytes)))
        .collect();
    let (packet, keys) = build(&[bytes.u8(); 32], &hops, &HASH).expect("a good route");
    assert_eq!(packet.encode().len(), PACKET_SIZE);
    let changed_at = bytes.below(2 * MAX_HOPS);
    let mut packet = packet;
    let mut shared = vec![];
    for (index, (_, hop)) in hops.iter().enumerate() {
        if index == changed_at {
            let changed = bytes.mutate(packet.clone());
            if changed != packet {
                assert!(
                    peel(&NodeKey::new(&secret(index)), &changed, &HASH).is_err(),
                    "hop {index}: changed"
                );
            }
        }
        let peeled =
            peel(&NodeKey::new(&secret(index)), &packet, &HASH).expect("made for this hop");
        assert_eq!(peeled.hop, *hop);
        assert_eq!(peeled.shared, keys.hops()[index]);
        shared.push(peeled.shared);
        match peeled.next_packet {
            Some(next) => packet = next,
            None => assert_eq!(index, count - 1),
        }
    }
    fail_at(&mut bytes, &shared, &keys);
}

/// A hop fails; each one before it passes that on, and one of them may change it.
fn fail_at(bytes: &mut Bytes<'_>, shared: &[HopSecret], keys: &RouteKeys) {
    let failing = bytes.below(shared.len());
    let reason: Reason = bytes.decode().unwrap_or(Reason::FeeTooLow);
    let changing = bytes.below(2 * MAX_HOPS);
    let mut failure = fail(&shared[failing], &reason);
    let mut changed = false;
    for index in (0..=failing).rev() {
        if index < failing {
            failure = wrap(&shared[index], &failure);
        }
        assert_eq!(failure.len(), FAILURE_SIZE);
        if index == changing {
            let before = failure.clone();
            failure = match bytes.u8() % 4 {
                0 => {
                    let length = usize::from(bytes.u16());
                    bytes.take(length).to_vec()
                },
                _ => {
                    let at = usize::from(bytes.u16()) % FAILURE_SIZE;
                    failure[at] ^= bytes.u8();
                    failure
                },
            };
            changed = failure != before;
        }
    }
    match keys.open(&failure) {
        Ok((index, found)) if !changed => assert_eq!((index, found), (failing, reason)),
        // Only the tags were changed, or the next hop has reported what it could not read.
        Ok((index, found)) => assert!((index, found) == (failing, reason) || index < failing),
        Err(Unreadable::Rejected) => assert!(failure.is_empty()),
        Err(Unreadable::Garbled { first, last }) => {
            assert!(changed, "nobody has changed it");
            assert!(first <= last && last < shared.len());
            // But for tags that collide: one in 2^32.
            assert!((first..=last).contains(&changing), "{first} to {last}, not {changing}");
        },
    }
}
