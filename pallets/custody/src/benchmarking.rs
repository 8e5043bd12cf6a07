//! Worst cases: money in an issued asset, for an account that is new there.

use crate::*;
use failsafe_pallet_support::benchmarking::{stranger, World, UNIT};
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;

#[benchmarks(where T: World)]
mod benchmarks {
    use super::*;

    /// Money of an account that owes nothing.
    #[benchmark]
    fn claim() {
        T::charge_everything();
        let (who, asset) = (stranger("claimant", 0, 0), T::asset(1));
        T::give(&Pallet::<T>::account(), asset, UNIT);
        T::make_unclaimed(&who, asset, UNIT);

        #[extrinsic_call]
        claim(RawOrigin::Signed(stranger("anybody", 0, 0)), who.clone(), asset);

        assert_eq!(T::Assets::balance(asset, &who), UNIT);
    }

    /// Money that pays a debt of its owner, his only one.
    #[benchmark]
    fn claim_of_debtor() {
        T::charge_everything();
        let (who, asset) = (stranger("claimant", 0, 0), T::asset(1));
        T::burden(&who, asset, UNIT, 1);
        T::give(&Pallet::<T>::account(), asset, 2 * UNIT);
        T::make_unclaimed(&who, asset, 2 * UNIT);

        #[extrinsic_call]
        claim(RawOrigin::Signed(stranger("anybody", 0, 0)), who.clone(), asset);

        assert!(!T::Debts::is_debtor(&who, asset));
    }
}
