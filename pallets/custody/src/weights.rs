//! Weights of `pallet_custody`, **measured**. Written by `make weights`: do not edit.
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

/// Weights of `pallet_custody`.
pub trait WeightInfo {
    /// `claim`.
    fn claim() -> Weight;
    /// `claim_of_debtor`.
    fn claim_of_debtor() -> Weight;
}

/// As measured, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Assets::Account (r: 2 w: 2)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::Freezes (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 1 w: 1)
    // Custody::Seeds (r: 0 w: 1)
    // Custody::Unclaimed (r: 1 w: 1)
    // Custody::UnclaimedSum (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn claim() -> Weight {
        // At least 119_586_000 ps. At the heaviest point the quartiles are 13 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(124_234_000, 0)
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().writes(10))
    }
    // Assets::Account (r: 3 w: 3)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::Freezes (r: 2 w: 2)
    // AssetsFreezer::FrozenBalances (r: 2 w: 2)
    // Custody::Seeds (r: 0 w: 1)
    // Custody::Unclaimed (r: 1 w: 1)
    // Custody::UnclaimedSum (r: 1 w: 1)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 4)
    // Debt::Debts (r: 1 w: 1)
    // Debt::Outstanding (r: 3 w: 2)
    // Debt::Owed (r: 1 w: 1)
    // Debt::Ring (r: 1 w: 2)
    // Debt::RingLength (r: 1 w: 1)
    // System::Account (r: 3 w: 3)
    fn claim_of_debtor() -> Weight {
        // At least 405_676_000 ps. At the heaviest point the quartiles are 15 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(425_732_000, 0)
            .saturating_add(T::DbWeight::get().reads(25))
            .saturating_add(T::DbWeight::get().writes(26))
    }
}

// For tests.
impl WeightInfo for () {
    // Assets::Account (r: 2 w: 2)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::Freezes (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 1 w: 1)
    // Custody::Seeds (r: 0 w: 1)
    // Custody::Unclaimed (r: 1 w: 1)
    // Custody::UnclaimedSum (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn claim() -> Weight {
        // At least 119_586_000 ps. At the heaviest point the quartiles are 13 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(124_234_000, 0)
            .saturating_add(RocksDbWeight::get().reads(10))
            .saturating_add(RocksDbWeight::get().writes(10))
    }
    // Assets::Account (r: 3 w: 3)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::Freezes (r: 2 w: 2)
    // AssetsFreezer::FrozenBalances (r: 2 w: 2)
    // Custody::Seeds (r: 0 w: 1)
    // Custody::Unclaimed (r: 1 w: 1)
    // Custody::UnclaimedSum (r: 1 w: 1)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 4)
    // Debt::Debts (r: 1 w: 1)
    // Debt::Outstanding (r: 3 w: 2)
    // Debt::Owed (r: 1 w: 1)
    // Debt::Ring (r: 1 w: 2)
    // Debt::RingLength (r: 1 w: 1)
    // System::Account (r: 3 w: 3)
    fn claim_of_debtor() -> Weight {
        // At least 405_676_000 ps. At the heaviest point the quartiles are 15 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(425_732_000, 0)
            .saturating_add(RocksDbWeight::get().reads(25))
            .saturating_add(RocksDbWeight::get().writes(26))
    }
}
