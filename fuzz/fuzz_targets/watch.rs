//! Packets for a watchtower: what a client may send, and what a tower keeps of it.

#![no_main]

use codec::{DecodeAll, Encode};
use failsafe_fuzz::bytes::Bytes;
use failsafe_hub::watchtower::{wire::ToTower, PacketError, WatchPacket};
use failsafe_primitives::{
    simplex::lock_hash, AccountId, ChannelContext, Entry, Lock, Pair, Side, Signature, Simplex,
    TwiceSigned,
};
use libfuzzer_sys::fuzz_target;
use sp_core::{ed25519, Pair as _, H256};
use sp_runtime::MultiSignature;

const GENESIS: H256 = H256::repeat_byte(7);
const LATEST: u64 = 100;

fuzz_target!(|input: &[u8]| {
    let (client, _) = client(0);
    for packet in [
        WatchPacket::decode_all(&mut &input[..]).ok(),
        match ToTower::decode_all(&mut &input[..]) {
            Ok(ToTower::Watch { packet, .. }) => Some(packet),
            _ => None,
        },
    ] {
        let Some(packet) = packet else { continue };
        assert_eq!(WatchPacket::decode_all(&mut &packet.encode()[..]).as_ref(), Ok(&packet));
        assert!(packet.check(&client, GENESIS, LATEST).is_err(), "nobody has signed this");
    }
    play(Bytes::new(input));
});

fn client(number: u8) -> (AccountId, ed25519::Pair) {
    let key = ed25519::Pair::from_seed(&[number + 1; 32]);
    (AccountId::new(key.public().0), key)
}

/// Packets of a client, one after the other; the tower keeps what it takes.
fn play(mut bytes: Bytes<'_>) {
    let mut known: Option<WatchPacket> = None;
    let (me, _) = client(0);
    for _ in 0..6 {
        if bytes.is_empty() {
            break;
        }
        let good = packet(&mut bytes);
        let mut packet = if bytes.rarely(96) { bytes.mutate(good.clone()) } else { good };
        let checked = packet.check(&me, GENESIS, LATEST);
        assert_eq!(packet.hashes().count(), packet.secrets.len());
        let Ok(side) = checked else { continue };
        assert_eq!(packet.side_of(&me), Some(side));
        assert_eq!(packet.check_newer(&packet), Ok(()));
        assert!(packet.secret_locks().all(|(lock, secret)| lock_hash(&secret) == lock.hash));
        let Some(before) = &known else {
            known = Some(packet);
            continue;
        };
        match packet.check_newer(before) {
            Ok(()) => {
                packet.keep_secrets_of(before);
                // It is stored, and must be good when it is read again.
                assert_eq!(packet.check(&me, GENESIS, LATEST), Ok(side));
                for (lock, secret) in before.secret_locks() {
                    let theirs = packet.theirs.as_ref();
                    let pending = theirs.is_some_and(|theirs| {
                        theirs.simplex.locks().any(|known| known.hash == lock.hash)
                    });
                    assert!(!pending || packet.secrets.contains(&secret), "a secret is forgotten");
                }
                known = Some(packet);
            },
            Err(PacketError::NonceLower { got, known, .. }) => assert!(got < known),
            Err(PacketError::OtherContent(_)) => {},
            Err(other) => panic!("{other}"),
        }
    }
}

/// A packet with good signatures over arbitrary simplexes.
fn packet(bytes: &mut Bytes<'_>) -> WatchPacket {
    let ((me, _), (partner, _)) = (client(0), client(1));
    let pair = Pair::new(me.clone(), partner).expect("two accounts");
    let context = ChannelContext { genesis_hash: GENESIS, pair, epoch: 0 };
    let side = context.pair.side_of(&me).expect("a party");
    let theirs = (bytes.u8() % 8 != 0).then(|| twice_signed(&context, side.other(), bytes));
    let ours = (bytes.u8() % 2 != 0).then(|| twice_signed(&context, side, bytes));
    let secrets: Vec<_> = (0..bytes.u8() % 4).map(|_| [bytes.u8() % 8; 32]).collect();
    let secrets = secrets.try_into().expect("few");
    WatchPacket { context, theirs, ours, secrets }
}

fn twice_signed(context: &ChannelContext, from: Side, bytes: &mut Bytes<'_>) -> TwiceSigned {
    let arbitrary = if bytes.rarely(32) { bytes.decode() } else { None };
    let simplex = arbitrary.unwrap_or_else(|| simplex(bytes));
    let (me, _) = client(0);
    let mine = context.pair.side_of(&me) == Some(from);
    let (_, maker) = client(u8::from(!mine));
    let (_, other) = client(u8::from(mine));
    let sign = |key: &ed25519::Pair, message: &[u8; 32]| {
        Signature::Direct(MultiSignature::Ed25519(key.sign(message)))
    };
    let signature = sign(&maker, &context.simplex_message(from, &simplex));
    let ack = sign(&other, &context.ack_message(from, &simplex));
    TwiceSigned { from, simplex, signature, ack }
}

fn simplex(bytes: &mut Bytes<'_>) -> Simplex {
    let nonce = u64::from(bytes.u8() % 16);
    let mut id = 0;
    let mut entry = Entry::sent(0, bytes.u16().into());
    for _ in 0..bytes.u8() % 6 {
        id += u64::from(bytes.u8() % 3);
        let lock = Lock {
            id,
            amount: bytes.u8().into(),
            hash: lock_hash(&[bytes.u8() % 8; 32]),
            expiry: u64::from(bytes.u8() % 110),
        };
        entry.locks.try_push(lock).expect("few");
    }
    Simplex { nonce, entries: vec![entry].try_into().expect("one") }
}
