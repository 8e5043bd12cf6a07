//! Worst cases: every payment ends a debt of somebody who has no other, to a creditor who owes in
//! turn.

use crate::*;
use failsafe_pallet_support::benchmarking::{stranger, World, UNIT};
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use frame_system::RawOrigin;

/// A debt in an issued asset, whose accounts are more storage items than native ones.
fn asset<T: World>() -> AssetId {
    T::asset(1)
}

/// Who owes at place `i` of a chain.
fn debtor(i: u32) -> AccountId {
    stranger("debtor", 0, i)
}

/// `length` debtors, each of whom owes all to the next.
fn chain<T: World>(asset: AssetId, length: u32) {
    for i in 0..length {
        T::book(&debtor(i), &debtor(i.saturating_add(1)), asset, UNIT, 1 << 24);
    }
    // Leaves the ring last, so that each place that is left is filled with another debtor.
    for i in 0..length {
        let last = stranger("last debtor", 0, i);
        T::book(&last, &stranger("last creditor", 0, i), asset, UNIT, 1);
    }
}

#[benchmarks(where T: World)]
mod benchmarks {
    use super::*;

    /// `p` payments, from each creditor to the next.
    #[benchmark]
    fn enforce(p: Linear<0, { T::MaxPayments::get() }>) {
        T::charge_everything();
        let asset = asset::<T>();
        chain::<T>(asset, p.max(1));
        if p > 0 {
            T::give(&debtor(0), asset, UNIT);
        }

        #[extrinsic_call]
        enforce(RawOrigin::Signed(stranger("anybody", 0, 0)), debtor(0), asset);

        assert_eq!(Pallet::<T>::is_debtor(&debtor(0), asset), p == 0);
    }

    /// The only debt of a debtor.
    #[benchmark]
    fn forgive() {
        T::charge_everything();
        let asset = asset::<T>();
        chain::<T>(asset, 1);

        #[extrinsic_call]
        forgive(RawOrigin::Signed(debtor(1)), debtor(0), asset, 1 << 24, 0);

        assert!(!Pallet::<T>::is_debtor(&debtor(0), asset));
    }

    /// What the sweep costs beside its payments, with a visit to a debtor who has nothing.
    #[benchmark]
    fn sweep() {
        T::charge_everything();
        let asset = asset::<T>();
        T::book(&debtor(0), &debtor(1), asset, UNIT, 1 << 24);
        let block = T::BlockWeights::get().max_block;

        #[block]
        {
            Pallet::<T>::sweep(block);
        }

        assert_eq!(Cursor::<T>::get(), 1);
    }
}
