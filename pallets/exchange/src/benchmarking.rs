//! Worst cases: every order that is met ends, and its owner owes both in what it gets and in native
//! money, so that proceeds and deposit go on to creditors.

use crate::*;
use failsafe_pallet_support::benchmarking::{stranger, World, UNIT};
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Inspect, Get};
use frame_system::RawOrigin;

/// What each order gives and asks for.
const LOT: Balance = UNIT;

/// Two assets of which custody has some already.
fn assets<T: World>() -> (AssetId, AssetId) {
    let [sold, bought] = [T::asset(1), T::asset(2)];
    let insured = stranger("insured", 0, 0);
    for asset in [sold, bought] {
        T::give(&insured, asset, 2 * LOT);
        T::insure(&insured, asset, LOT);
    }
    (sold, bought)
}

/// An order of a stranger who gives `sell_asset` for `buy_asset` and has nothing beside it.
fn resting<T: Config + World>(index: u32, sell_asset: AssetId, buy_asset: AssetId) -> AccountId {
    let owner = stranger("maker", 0, index);
    T::give(&owner, NATIVE_ASSET, T::Deposit::get() + T::Native::minimum_balance());
    T::give(&owner, sell_asset, LOT);
    let price = Price { buy: LOT, sell: LOT };
    Pallet::<T>::do_place(owner.clone(), sell_asset, buy_asset, price, 0).expect("it can rest");
    owner
}

/// Lets the owner of an order owe what its deposit pays in part.
fn burden_natively<T: Config + World>(owner: &AccountId) {
    T::burden(owner, NATIVE_ASSET, 100 * UNIT, 1);
}

#[benchmarks(where T: World)]
mod benchmarks {
    use super::*;

    /// Meets `m` orders that all end, and rests.
    #[benchmark]
    fn place(m: Linear<0, { T::MaxMatches::get() }>) {
        T::charge_everything();
        let (sold, bought) = assets::<T>();
        for i in 0..m {
            let maker = resting::<T>(i, bought, sold);
            burden_natively::<T>(&maker);
            T::burden(&maker, sold, LOT, 1);
        }
        let taker = stranger("taker", 0, 0);
        let sell = LOT * Balance::from(m.saturating_add(1));
        T::give(&taker, NATIVE_ASSET, 10 * UNIT);
        T::give(&taker, sold, 2 * sell);
        let origin = RawOrigin::Signed(taker.clone());

        #[extrinsic_call]
        place(origin, sold, sell, bought, sell, T::MaxMatches::get());

        assert_eq!(Owned::<T>::iter().count(), 1, "the taker's order alone rests");
    }

    /// An order whose owner owes in what it gives, and in native money.
    #[benchmark]
    fn cancel() {
        T::charge_everything();
        let (sold, bought) = assets::<T>();
        let owner = resting::<T>(0, sold, bought);
        burden_natively::<T>(&owner);
        T::burden(&owner, sold, LOT, 1);

        #[extrinsic_call]
        cancel(RawOrigin::Signed(stranger("anybody", 0, 0)), 0);

        assert_eq!(Owned::<T>::iter().count(), 0);
    }

    /// Takes `n` orders of as many debtors off the book.
    #[benchmark]
    fn recall(n: Linear<0, 64>) {
        T::charge_everything();
        let (sold, bought) = assets::<T>();
        for i in 0..n {
            let owner = resting::<T>(i, sold, bought);
            burden_natively::<T>(&owner);
            T::burden(&owner, sold, LOT, 1);
        }
        let block = T::BlockWeights::get().max_block;

        #[block]
        {
            Pallet::<T>::recall(block);
        }

        assert_eq!(Owned::<T>::iter().count(), 0);
    }
}
