//! The golden vectors under `vectors/` are the wire format: whoever writes another wallet tests
//! against them, so they may not change unnoticed.

use codec::{Decode, Encode};
use failsafe_primitives::{
    signature::{batch_message, verify},
    AccountId, ChannelContext, Close, Entry, Lock, MerkleTree, Pair, Side, Signature, Simplex,
    Withdrawal, WithdrawalItem,
};
use serde_json::Value;
use sp_core::H256;
use sp_runtime::MultiSignature;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/golden.json")).expect("valid JSON")
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("hex text").trim_start_matches("0x")).expect("hex")
}

fn array(value: &Value) -> [u8; 32] {
    bytes(value).try_into().expect("32 bytes")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn amount(value: &Value) -> u128 {
    value.as_str().expect("decimal text").parse().expect("an amount")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn asset(value: &Value) -> u32 {
    number(value).try_into().expect("an asset number")
}

fn context(vectors: &Value) -> ChannelContext {
    let c = &vectors["context"];
    let pair = Pair::new(AccountId::new(array(&c["left"])), AccountId::new(array(&c["right"])));
    ChannelContext {
        genesis_hash: H256(array(&c["genesisHash"])),
        pair: pair.expect("two accounts"),
        epoch: asset(&c["epoch"]),
    }
}

fn simplex(value: &Value) -> Simplex {
    let lock = |v: &Value| Lock {
        id: number(&v["id"]),
        amount: amount(&v["amount"]),
        hash: array(&v["hash"]),
        expiry: number(&v["expiry"]),
    };
    let entry = |v: &Value| Entry {
        asset: asset(&v["asset"]),
        sent: amount(&v["sent"]),
        locks: list(&v["locks"]).iter().map(lock).collect::<Vec<_>>().try_into().unwrap(),
    };
    let entries: Vec<_> = list(&value["entries"]).iter().map(entry).collect();
    Simplex { nonce: number(&value["nonce"]), entries: entries.try_into().unwrap() }
}

fn withdrawal(value: &Value) -> Withdrawal {
    let item = |v: &Value| WithdrawalItem {
        asset: asset(&v["asset"]),
        amount: amount(&v["amount"]),
        max_from_balance: amount(&v["maxFromBalance"]),
    };
    let items: Vec<_> = list(&value["items"]).iter().map(item).collect();
    Withdrawal {
        withdrawal_nonce: number(&value["withdrawalNonce"]),
        valid_until: number(&value["validUntil"]),
        items: items.try_into().unwrap(),
    }
}

/// Every signature of `signed_by` verifies over `message`, by its own account and no other.
fn check_signatures(signed_by: &Value, message: &[u8; 32]) {
    let mut accounts = Vec::new();
    for scheme in ["sr25519", "ed25519", "ecdsa"] {
        let entry = &signed_by[scheme];
        let signature = MultiSignature::decode(&mut &bytes(&entry["signature"])[..]).unwrap();
        let account = AccountId::new(array(&entry["account"]));
        assert!(verify(&signature, message, &account), "{scheme}");
        assert!(!verify(&signature, &[0; 32], &account), "{scheme}");
        assert!(accounts.iter().all(|other| !verify(&signature, message, other)));
        accounts.push(account);
    }
}

#[test]
fn a1_simplex_payload_should_match_the_golden_bytes() {
    let v = vectors();
    let (context, case) = (context(&v), &v["simplex"]);
    let simplex = simplex(&case["simplex"]);
    assert_eq!(context.simplex_payload(Side::Right, &simplex), bytes(&case["payload"]));
    let message = context.simplex_message(Side::Right, &simplex);
    assert_eq!(message, array(&case["message"]));
    check_signatures(&case["signedBy"]["right"], &message);
}

#[test]
fn a1_ack_message_should_match_the_golden_bytes() {
    let v = vectors();
    let simplex = simplex(&v["simplex"]["simplex"]);
    let message = context(&v).ack_message(Side::Right, &simplex);
    assert_eq!(message, array(&v["ack"]["message"]));
    check_signatures(&v["ack"]["signedBy"]["left"], &message);
}

#[test]
fn a1_withdrawal_payload_should_match_the_golden_bytes() {
    let v = vectors();
    let (context, case) = (context(&v), &v["withdrawal"]);
    let withdrawal = withdrawal(&case["withdrawal"]);
    assert_eq!(withdrawal.validate(), Ok(()));
    assert_eq!(context.withdrawal_payload(Side::Left, &withdrawal), bytes(&case["payload"]));
    let message = context.withdrawal_message(Side::Left, &withdrawal);
    assert_eq!(message, array(&case["message"]));
    check_signatures(&case["signedBy"]["right"], &message);
}

#[test]
fn a1_close_payload_should_match_the_golden_bytes() {
    let v = vectors();
    let (context, case) = (context(&v), &v["close"]);
    let offdeltas: Vec<(u32, i128)> = list(&case["close"]["offdeltas"])
        .iter()
        .map(|pair| (asset(&pair[0]), pair[1].as_str().unwrap().parse().unwrap()))
        .collect();
    let close = Close {
        valid_until: number(&case["close"]["validUntil"]),
        offdeltas: offdeltas.try_into().unwrap(),
    };
    assert_eq!(close.validate(), Ok(()));
    assert_eq!(context.close_payload(&close), bytes(&case["payload"]));
    let message = context.close_message(&close);
    assert_eq!(message, array(&case["message"]));
    for side in ["left", "right"] {
        check_signatures(&case["signedBy"][side], &message);
    }
}

#[test]
fn in_batch_signature_should_match_the_golden_bytes() {
    let v = vectors();
    let case = &v["inBatch"];
    let messages: Vec<_> = list(&case["messages"]).iter().map(array).collect();
    let tree = MerkleTree::new(&messages).unwrap();
    assert_eq!(tree.root(), array(&case["root"]));
    assert_eq!(batch_message(&tree.root()), array(&case["rootMessage"]));
    let index = asset(&case["index"]);
    let path: Vec<_> = tree.path(index).unwrap().into_iter().collect();
    assert_eq!(path, list(&case["path"]).iter().map(array).collect::<Vec<_>>());
    let raw = bytes(&case["signature"]);
    let signature = Signature::decode(&mut &raw[..]).unwrap();
    assert_eq!(signature.encode(), raw);
    let account = AccountId::new(array(&case["account"]));
    assert!(signature.verify(&messages[index as usize], &account));
    assert!(!signature.verify(&messages[0], &account));
}
