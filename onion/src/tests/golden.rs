//! The golden vector under `vectors/` is the wire format: whoever writes another wallet tests
//! against it, so it may not change unnoticed.

use super::*;
use crate::{
    fail,
    keys::{agree, LayerKeys},
    packet::{ephemeral_secret, pad, seed},
    wrap, Reason,
};
use codec::Encode;
use serde_json::{json, Value};

fn text(bytes: &[u8]) -> Value {
    Value::from(hex::encode(bytes))
}

fn next(next: &Next) -> Value {
    match next {
        Next::Hub(account) => json!({ "hub": text(account) }),
        Next::Recipient(account) => json!({ "recipient": text(account) }),
        Next::Here { total, payment_secret } => {
            json!({ "here": { "total": total.to_string(), "paymentSecret": text(payment_secret) } })
        },
        Next::Spontaneous { secret } => json!({ "spontaneous": { "secret": text(secret) } }),
    }
}

/// What the file holds, made anew.
fn golden() -> Value {
    let route = Route::new(3);
    let seed = seed(&[0xee; 32], &route.hops, &HASH);
    let hops: Vec<_> = (0..)
        .zip(route.walk())
        .zip(&route.secrets)
        .map(|((index, (packet, peeled)), secret)| {
            let node = public_key(secret);
            let shared = agree(secret, &packet.ephemeral).unwrap();
            let keys = LayerKeys::derive(&shared, &packet.ephemeral, &node);
            json!({
                "nodeSecret": text(secret),
                "nodeKey": text(&node),
                "hop": {
                    "next": next(&peeled.hop.next),
                    "asset": peeled.hop.asset,
                    "amount": peeled.hop.amount.to_string(),
                    "expiry": peeled.hop.expiry,
                },
                "hopEncoded": text(&peeled.hop.encode()),
                "ephemeralSecret": text(ephemeral_secret(&seed, index).as_ref()),
                "packet": text(&packet.encode()),
                "dh": text(shared.as_ref()),
                "streamKey": text(keys.stream.as_ref()),
                "macKey": text(keys.mac.as_ref()),
                "hopSecret": text(&peeled.shared.encode()),
                "tag": text(&peeled.shared.tag()),
            })
        })
        .collect();
    let shared = route.secrets_shared();
    let failed = fail(&shared[2], &Reason::Capacity { asset: 1 });
    let once = wrap(&shared[1], &failed);
    let twice = wrap(&shared[0], &once);
    json!({
        "random": text(&[0xee; 32]),
        "paymentHash": text(&HASH),
        "seed": text(seed.as_ref()),
        "pad": text(pad(&seed).as_ref()),
        "hops": hops,
        "failure": {
            "reason": { "capacity": { "asset": 1 } },
            "reasonEncoded": text(&Reason::Capacity { asset: 1 }.encode()),
            "fromHop2": text(&failed),
            "fromHop1": text(&once),
            "fromHop0": text(&twice),
        },
    })
}

#[test]
fn golden_vector_should_be_made_again_when_built_from_its_keys() {
    let stored: Value = serde_json::from_str(include_str!("../../vectors/golden.json")).unwrap();
    assert_eq!(stored, golden(), "now: {:#}", golden());
}
