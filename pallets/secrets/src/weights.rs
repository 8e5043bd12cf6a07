//! Weights of the calls: **hand-estimated** from their storage accesses, to be replaced by
//! benchmarks.

use frame_support::{
    traits::Get,
    weights::{RuntimeDbWeight, Weight},
};

/// Weights of the calls.
pub trait WeightInfo {
    /// `reveal` of `secrets` secrets, none of them known.
    fn reveal(secrets: u32) -> Weight;
    /// Finding out how far the purge may go.
    fn purge_base() -> Weight;
    /// Looking at one entry of the queue.
    fn purge_step() -> Weight;
}

/// Hand-estimated for a database whose accesses cost `Db`.
pub struct HandEstimated<Db>(core::marker::PhantomData<Db>);

impl<Db: Get<RuntimeDbWeight>> WeightInfo for HandEstimated<Db> {
    fn reveal(secrets: u32) -> Weight {
        let secret = Weight::from_parts(3_000_000, 0).saturating_add(Db::get().reads_writes(1, 2));
        Weight::from_parts(40_000_000, 0)
            .saturating_add(Db::get().reads_writes(8, 4))
            .saturating_add(secret.saturating_mul(secrets.into()))
    }
    fn purge_base() -> Weight {
        Weight::from_parts(20_000_000, 0).saturating_add(Db::get().reads_writes(68, 3))
    }
    fn purge_step() -> Weight {
        Weight::from_parts(5_000_000, 0).saturating_add(Db::get().reads_writes(2, 3))
    }
}

impl WeightInfo for () {
    fn reveal(_: u32) -> Weight {
        Weight::from_parts(1_000, 0)
    }
    fn purge_base() -> Weight {
        Weight::from_parts(1_000, 0)
    }
    fn purge_step() -> Weight {
        Weight::from_parts(1_000, 0)
    }
}
