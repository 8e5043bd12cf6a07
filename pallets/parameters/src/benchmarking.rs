//! The one call.

use crate::*;
use frame_benchmarking::v2::*;
use frame_support::traits::EnsureOrigin;

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn amend() -> Result<(), BenchmarkError> {
        let origin = T::AmendOrigin::try_successful_origin().map_err(|()| "no origin amends")?;
        let values = Values { delay_user: 99, late: 990, ..Values::DEVELOPMENT };

        #[extrinsic_call]
        amend(origin as T::RuntimeOrigin, values);

        assert_eq!(Current::<T>::get(), values);
        Ok(())
    }
}
