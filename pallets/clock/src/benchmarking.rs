//! What the clock costs every block.

use crate::*;
use frame_benchmarking::v2::*;
use frame_support::traits::Hooks;
use frame_system::pallet_prelude::BlockNumberFor;

#[benchmarks]
mod benchmarks {
    use super::*;

    /// The beginning and the end of a block.
    #[benchmark]
    fn block() {
        let before = Now::<T>::get();
        let number = BlockNumberFor::<T>::from(1u32);

        #[block]
        {
            Pallet::<T>::on_initialize(number);
            Pallet::<T>::on_finalize(number);
        }

        assert_eq!(Now::<T>::get(), before + 1);
    }
}
