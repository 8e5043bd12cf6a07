//! Payments with locks, as a payer begins them.

use super::{
    env::Env,
    half::{HeldLock, Transition},
    party::{Begun, Party},
};
use crate::chain::{Account, Hash};

/// What a payer needs to begin a payment with a lock.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub secret_hash: Hash,
    pub asset: usize,
    pub amount: u128,
    pub path: Vec<Account>,
}

impl Party {
    /// Begins a payment with a lock through `partner`, if somebody wants one.
    pub fn begin_locked(&mut self, env: &mut Env, partner: Account) -> bool {
        let Some(at) = self.offers.iter().position(|offer| offer.path[0] == partner) else {
            return false;
        };
        let offer = self.offers.swap_remove(at);
        let hops = offer.path.len() - 1;
        let numbers = env.numbers;
        let rest = numbers.final_min
            + numbers.margin * u64::try_from(hops).expect("few hops")
            + env.rng.range(0, 6);
        let latest = self.finalized.clock() + numbers.window;
        let expiry = (self.best.clock() + rest).min(latest);
        let amount = offer.amount + u128::try_from(hops).expect("few hops");
        let lock = HeldLock { asset: offer.asset, amount, hash: offer.secret_hash, expiry };
        let id = self.peer(partner).next_lock;
        let path = offer.path[1..].to_vec();
        if !self.update(env, partner, vec![Transition::Lock { id, lock, path }]) {
            return false;
        }
        self.peer_mut(partner).next_lock += 1;
        let (asset, hash) = (offer.asset, offer.secret_hash);
        self.begun.push(Begun { asset, amount, hash, expiry, settled: false });
        env.count("locked payments begun");
        true
    }
}
