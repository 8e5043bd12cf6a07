//! Weights of `pallet_clock`, **measured**. Written by `make weights`: do not edit.
//!
//! * machine: Intel(R) Xeon(R) Processor, 2 cores, 24105 MiB; load 2.07 at the start
//! * day: 2026-11-20
//! * runtime: failsafe 2, WebAssembly in wasmtime, state in memory; rustc 1.95.0 (59807616e 2026-04-14)
//! * 20 points per component, each 20 times in 5 passes; processor time; least squares over the middle half
//! * accesses are charged by `DbWeight`, at least as many as were counted at any point

#![allow(clippy::unnecessary_cast, reason = "generated")]

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, Weight},
};

/// Weights of `pallet_clock`.
pub trait WeightInfo {
    /// `block`.
    fn block() -> Weight;
}

/// As measured, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Clock::Now (r: 1 w: 1)
    fn block() -> Weight {
        // At least 3_942_000 ps. At the heaviest point the quartiles are 42 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(6_816_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}

// For tests.
impl WeightInfo for () {
    // Clock::Now (r: 1 w: 1)
    fn block() -> Weight {
        // At least 3_942_000 ps. At the heaviest point the quartiles are 42 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(6_816_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
}
