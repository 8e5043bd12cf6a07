//! Prints the golden vectors: every payload with its SCALE bytes, its 32-byte message and
//! signatures. `cargo run -p failsafe-primitives --features serde --example golden_vectors >
//! primitives/vectors/golden.json`
//!
//! ed25519 and ecdsa signatures are deterministic; sr25519 ones are not, so a new run changes them.

use codec::Encode;
use failsafe_primitives::{
    signature::batch_message, ChannelContext, Close, Entry, Lock, MerkleTree, Pair, Side, Simplex,
    Withdrawal, WithdrawalItem,
};
use serde_json::{json, Value};
use sp_core::{ecdsa, ed25519, sr25519, Pair as _, H256};
use sp_runtime::{traits::IdentifyAccount, AccountId32, MultiSignature, MultiSigner};

/// A key of each scheme for one name.
struct Party {
    sr25519: sr25519::Pair,
    ed25519: ed25519::Pair,
    ecdsa: ecdsa::Pair,
}

impl Party {
    fn new(uri: &str) -> Self {
        Self {
            sr25519: sr25519::Pair::from_string(uri, None).expect("a valid URI"),
            ed25519: ed25519::Pair::from_string(uri, None).expect("a valid URI"),
            ecdsa: ecdsa::Pair::from_string(uri, None).expect("a valid URI"),
        }
    }

    fn signatures(&self, message: &[u8; 32]) -> Value {
        let entry = |signer: MultiSigner, signature: MultiSignature| {
            json!({
                "account": hex(&AccountId32::encode(&signer.into_account())),
                "signature": hex(&signature.encode()),
            })
        };
        json!({
            "sr25519": entry(self.sr25519.public().into(), self.sr25519.sign(message).into()),
            "ed25519": entry(self.ed25519.public().into(), self.ed25519.sign(message).into()),
            "ecdsa": entry(self.ecdsa.public().into(), self.ecdsa.sign(message).into()),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn simplex() -> Simplex {
    let lock = |id, amount: u128, byte| Lock { id, amount, hash: [byte; 32], expiry: 120 + id };
    let entries = vec![
        Entry { asset: 0, sent: 1_000_000_000_000_000, locks: Default::default() },
        Entry {
            asset: 1,
            sent: 70,
            locks: vec![lock(3, 30, 0xaa), lock(8, 1, 0xbb)].try_into().expect("two locks"),
        },
    ];
    Simplex { nonce: 7, entries: entries.try_into().expect("two entries") }
}

fn simplex_json(simplex: &Simplex) -> Value {
    let locks = |entry: &Entry| -> Vec<Value> {
        entry
            .locks
            .iter()
            .map(|lock| {
                json!({
                    "id": lock.id,
                    "amount": lock.amount.to_string(),
                    "hash": hex(&lock.hash),
                    "expiry": lock.expiry,
                })
            })
            .collect()
    };
    let entries: Vec<_> = simplex
        .entries
        .iter()
        .map(|e| json!({ "asset": e.asset, "sent": e.sent.to_string(), "locks": locks(e) }))
        .collect();
    json!({ "nonce": simplex.nonce, "entries": entries })
}

fn main() {
    // The two accounts are fixed ids, so that one vector serves signers of every scheme.
    let pair = Pair::new(AccountId32::new([0x11; 32]), AccountId32::new([0x22; 32]))
        .expect("two different accounts");
    let context =
        ChannelContext { genesis_hash: H256::repeat_byte(0x99), pair: pair.clone(), epoch: 3 };
    let (left, right) = (Party::new("//Left"), Party::new("//Right"));

    let simplex = simplex();
    let simplex_message = context.simplex_message(Side::Right, &simplex);
    let ack_message = context.ack_message(Side::Right, &simplex);

    let items = vec![
        WithdrawalItem { asset: 0, amount: 3_000, max_from_balance: 0 },
        WithdrawalItem { asset: 1, amount: 80, max_from_balance: 50 },
    ];
    let withdrawal = Withdrawal {
        withdrawal_nonce: 2,
        valid_until: 140,
        items: items.try_into().expect("two items"),
    };
    let withdrawal_message = context.withdrawal_message(Side::Left, &withdrawal);

    let offdeltas = vec![(0, -1_000_000_000_000_000i128), (1, 70)];
    let close = Close { valid_until: 150, offdeltas: offdeltas.try_into().expect("two assets") };
    let close_message = context.close_message(&close);

    let messages = [simplex_message, ack_message, withdrawal_message];
    let tree = MerkleTree::new(&messages).expect("three messages");
    let batch = batch_message(&tree.root());
    let path = tree.path(1).expect("three messages");
    let signed = right.ed25519.sign(&batch);
    let in_batch = tree.signature(1, signed.into()).expect("three messages");

    let vectors = json!({
        "context": {
            "genesisHash": hex(context.genesis_hash.as_bytes()),
            "left": hex(&pair.left().encode()),
            "right": hex(&pair.right().encode()),
            "epoch": context.epoch,
        },
        "keys": { "left": "//Left", "right": "//Right" },
        "simplex": {
            "from": "right",
            "simplex": simplex_json(&simplex),
            "payload": hex(&context.simplex_payload(Side::Right, &simplex)),
            "message": hex(&simplex_message),
            "signedBy": { "right": right.signatures(&simplex_message) },
        },
        "ack": {
            "of": "simplex",
            "message": hex(&ack_message),
            "signedBy": { "left": left.signatures(&ack_message) },
        },
        "withdrawal": {
            "to": "left",
            "withdrawal": {
                "withdrawalNonce": withdrawal.withdrawal_nonce,
                "validUntil": withdrawal.valid_until,
                "items": withdrawal.items.iter().map(|item| json!({
                    "asset": item.asset,
                    "amount": item.amount.to_string(),
                    "maxFromBalance": item.max_from_balance.to_string(),
                })).collect::<Vec<_>>(),
            },
            "payload": hex(&context.withdrawal_payload(Side::Left, &withdrawal)),
            "message": hex(&withdrawal_message),
            "signedBy": { "right": right.signatures(&withdrawal_message) },
        },
        "close": {
            "close": {
                "validUntil": close.valid_until,
                "offdeltas": close.offdeltas.iter()
                    .map(|(asset, offdelta)| json!([asset, offdelta.to_string()]))
                    .collect::<Vec<_>>(),
            },
            "payload": hex(&context.close_payload(&close)),
            "message": hex(&close_message),
            "signedBy": {
                "left": left.signatures(&close_message),
                "right": right.signatures(&close_message),
            },
        },
        "inBatch": {
            "messages": messages.iter().map(|m| hex(m)).collect::<Vec<_>>(),
            "root": hex(&tree.root()),
            "rootMessage": hex(&batch),
            "index": 1,
            "path": path.iter().map(|h| hex(h)).collect::<Vec<_>>(),
            "signature": hex(&in_batch.encode()),
            "account": hex(&right.ed25519.public().0),
        },
    });
    println!("{}", serde_json::to_string_pretty(&vectors).expect("plain JSON"));
}
