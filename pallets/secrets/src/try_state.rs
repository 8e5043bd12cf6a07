//! Invariants, numbered as in the crate's documentation.

use crate::{Config, Pallet, Queue, QueueHead, QueueTail, Reveals, UsableClock};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use sp_io::hashing::sha2_256;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks the invariants of the crate's documentation.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let (head, tail) = (QueueHead::<T>::get(), QueueTail::<T>::get());
        let mut placed = BTreeSet::new();
        for (index, place) in Queue::<T>::iter() {
            ensure!((head..tail).contains(&index), "2: a place outside the queue");
            let revealed = Reveals::<T>::get(place.hash).ok_or("2: a place without its secret")?;
            ensure!(place.due <= revealed.keep_until, "2: a secret is due after it is kept");
            ensure!(placed.insert(place.hash), "2: a secret has two places");
        }
        let now = T::Clock::now();
        for (hash, revealed) in Reveals::<T>::iter() {
            ensure!(sha2_256(&revealed.secret) == hash, "1: not the preimage of its hash");
            ensure!(placed.remove(&hash), "2: a secret without a place");
            ensure!(revealed.at <= now, "3: a secret of the future");
        }
        Ok(())
    }
}
