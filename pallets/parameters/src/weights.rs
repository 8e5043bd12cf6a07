//! Weights of `pallet_protocol_parameters`, **measured**. Written by `make weights`: do not edit.
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

/// Weights of `pallet_protocol_parameters`.
pub trait WeightInfo {
    /// `amend`.
    fn amend() -> Weight;
}

/// As measured, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Parameters::Current (r: 0 w: 1)
    fn amend() -> Weight {
        // At least 7_086_000 ps. At the heaviest point the quartiles are 93 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(8_730_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
}

// For tests.
impl WeightInfo for () {
    // Parameters::Current (r: 0 w: 1)
    fn amend() -> Weight {
        // At least 7_086_000 ps. At the heaviest point the quartiles are 93 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(8_730_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }
}
