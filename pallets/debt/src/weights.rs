//! Weights of the calls: **hand-estimated** from their storage accesses, to be replaced by
//! benchmarks.

use frame_support::{
    traits::Get,
    weights::{RuntimeDbWeight, Weight},
};

/// Weights of the calls.
pub trait WeightInfo {
    /// `enforce`, or a visit of the sweep, that makes `payments` payments.
    fn enforce(payments: u32) -> Weight;
    /// `forgive`.
    fn forgive() -> Weight;
}

/// Hand-estimated for a database whose accesses cost `Db`.
pub struct HandEstimated<Db>(core::marker::PhantomData<Db>);

impl<Db: Get<RuntimeDbWeight>> WeightInfo for HandEstimated<Db> {
    fn enforce(payments: u32) -> Weight {
        // Finding the head: 6 reads. A payment: two accounts, two freezes, the debt, its bucket,
        // the calendar, two totals.
        let payment =
            Weight::from_parts(60_000_000, 0).saturating_add(Db::get().reads_writes(14, 12));
        Weight::from_parts(20_000_000, 0)
            .saturating_add(Db::get().reads(8))
            .saturating_add(payment.saturating_mul(payments.into()))
    }
    fn forgive() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(Db::get().reads_writes(12, 12))
    }
}

impl WeightInfo for () {
    fn enforce(payments: u32) -> Weight {
        Weight::from_parts(1_000, 0).saturating_mul(payments.saturating_add(1).into())
    }
    fn forgive() -> Weight {
        Weight::from_parts(1_000, 0)
    }
}
