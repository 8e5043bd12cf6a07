mod failure;
mod golden;
mod hostile;
mod packet;
mod route;
mod storage;

use crate::{build, peel, public_key, Hop, HopSecret, Next, NodeKey, Packet, Peeled, RouteKeys};

const HASH: [u8; 32] = [0x77; 32];

/// A route of nodes whose secret keys are 1, 2, 3, … in every byte.
struct Route {
    secrets: Vec<[u8; 32]>,
    hops: Vec<([u8; 32], Hop)>,
    first: Packet,
    keys: RouteKeys,
}

impl Route {
    fn new(length: u8) -> Self {
        Self::with_ephemeral(length, [0xee; 32])
    }

    fn with_ephemeral(length: u8, ephemeral: [u8; 32]) -> Self {
        let secrets: Vec<_> = (1..=length).map(|node| [node; 32]).collect();
        let hops = hops(length);
        let (first, keys) = build(&ephemeral, &hops, &HASH).unwrap();
        Self { secrets, hops, first, keys }
    }

    /// What every hop finds, with the packet that it got.
    fn walk(&self) -> Vec<(Packet, Peeled)> {
        let mut walked: Vec<(Packet, Peeled)> = Vec::new();
        for secret in &self.secrets {
            let packet = match walked.last() {
                None => self.first.clone(),
                Some((_, peeled)) => peeled.next_packet.clone().unwrap(),
            };
            let peeled = peel(&NodeKey::new(secret), &packet, &HASH).unwrap();
            walked.push((packet, peeled));
        }
        walked
    }

    /// What every hop keeps.
    fn secrets_shared(&self) -> Vec<HopSecret> {
        self.walk().into_iter().map(|(_, peeled)| peeled.shared).collect()
    }
}

/// Instructions for a route of so many hops, with the public keys of [`Route`]'s nodes.
fn hops(length: u8) -> Vec<([u8; 32], Hop)> {
    let hop = |node: u8| {
        let next = match length - node {
            0 => Next::Here { total: 5_000, payment_secret: [0x55; 32] },
            1 => Next::Recipient([0xa0 + node; 32]),
            _ => Next::Hub([0xa0 + node; 32]),
        };
        let amount = 1_000 + u128::from(length - node);
        (
            public_key(&[node; 32]),
            Hop { next, asset: 1, amount, expiry: 900 - 10 * u64::from(node) },
        )
    };
    (1..=length).map(hop).collect()
}
