//! Worst cases: secrets that are new, paid by a debtor; a queue whose every place is prolonged.

use crate::*;
use alloc::vec::Vec;
use failsafe_pallet_support::benchmarking::{stranger, World, UNIT};
use failsafe_primitives::NATIVE_ASSET;
use frame_benchmarking::v2::*;
use frame_support::{traits::Get, BoundedVec};
use frame_system::RawOrigin;
use sp_io::hashing::sha2_256;

/// Secrets that differ.
fn secrets(count: u32) -> BoundedVec<[u8; 32], frame_support::traits::ConstU32<MAX_SECRETS>> {
    let secret = |i: u32| {
        let mut secret = [1; 32];
        secret[..4].copy_from_slice(&i.to_le_bytes());
        secret
    };
    let all: Vec<_> = (0..count).map(secret).collect();
    all.try_into().expect("as many as may be")
}

/// A hub that owes, and pays fees from below its floor.
fn debtor<T: Config + World>() -> AccountId {
    T::charge_everything();
    let who = stranger("revealer", 0, 0);
    T::register_hub(&who);
    T::burden(&who, NATIVE_ASSET, UNIT, 1);
    T::give(&who, NATIVE_ASSET, T::Parameters::get().floor_hub);
    who
}

#[benchmarks(where T: World)]
mod benchmarks {
    use super::*;

    /// `n` secrets that nobody has revealed before.
    #[benchmark]
    fn reveal(n: Linear<1, { MAX_SECRETS }>) {
        let who = debtor::<T>();
        let secrets = secrets(n);

        #[extrinsic_call]
        reveal(RawOrigin::Signed(who), secrets.clone());

        assert!(secrets.iter().all(|secret| Reveals::<T>::contains_key(sha2_256(secret))));
    }

    /// `n` secrets that are known.
    #[benchmark]
    fn reveal_known(n: Linear<1, { MAX_SECRETS }>) {
        let secrets = secrets(n);
        for secret in &secrets {
            Pallet::<T>::enter(*secret);
        }
        T::set_clock(1_000);

        #[extrinsic_call]
        reveal(RawOrigin::Signed(stranger("revealer", 0, 0)), secrets);

        assert_eq!(QueueTail::<T>::get(), u64::from(n));
    }

    /// `n` secrets that are due but were revealed again meanwhile; after a long time without
    /// disputes.
    #[benchmark]
    fn purge(n: Linear<0, 1000>) {
        T::set_clock(1);
        for secret in secrets(n) {
            Pallet::<T>::enter(secret);
            Reveals::<T>::mutate(sha2_256(&secret), |revealed| {
                if let Some(revealed) = revealed {
                    revealed.keep_until = Clock::MAX;
                }
            });
        }
        // One that is not due.
        Reveals::<T>::insert([0; 32], Revealed { secret: [0; 32], at: 0, keep_until: Clock::MAX });
        Pallet::<T>::append(Place { hash: [0; 32], due: Clock::MAX });
        // The look at the open disputes begins at 0 and goes on as far as one look may.
        T::set_clock(100_000);
        Queue::<T>::translate(|_, place: Place| {
            Some(if place.due < Clock::MAX { Place { due: 1, ..place } } else { place })
        });
        let block = T::BlockWeights::get().max_block;

        #[block]
        {
            Pallet::<T>::purge(block);
        }

        assert_eq!(QueueHead::<T>::get(), u64::from(n));
    }
}
