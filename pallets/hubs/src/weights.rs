//! Weights of the calls: **hand-estimated** from their storage accesses, to be replaced by
//! benchmarks.

use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// `register`.
    fn register() -> Weight;
    /// `update`.
    fn update() -> Weight;
    /// `retire`.
    fn retire() -> Weight;
}

/// Computation beside the storage accesses.
const COMPUTE: Weight = Weight::from_parts(20_000_000, 0);

/// Hand-estimated for a database whose accesses cost `Db`.
pub struct HandEstimated<Db>(core::marker::PhantomData<Db>);

impl<Db: Get<frame_support::weights::RuntimeDbWeight>> WeightInfo for HandEstimated<Db> {
    fn register() -> Weight {
        COMPUTE.saturating_add(Db::get().reads_writes(8, 5))
    }
    fn update() -> Weight {
        COMPUTE.saturating_add(Db::get().reads_writes(2, 1))
    }
    fn retire() -> Weight {
        // With the payment of a debt out of the deposit.
        COMPUTE.saturating_mul(4).saturating_add(Db::get().reads_writes(30, 24))
    }
}

impl WeightInfo for () {
    fn register() -> Weight {
        COMPUTE
    }
    fn update() -> Weight {
        COMPUTE
    }
    fn retire() -> Weight {
        COMPUTE
    }
}
