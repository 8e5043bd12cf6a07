//! Weights of `pallet_debt`, **measured**. Written by `make weights`: do not edit.
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

/// Weights of `pallet_debt`.
pub trait WeightInfo {
    /// `enforce`, `p` from 0 to 32.
    fn enforce(p: u32) -> Weight;
    /// `forgive`.
    fn forgive() -> Weight;
    /// `sweep`.
    fn sweep() -> Weight;
}

/// As measured, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Assets::Account (r: 33 w: 33)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::Freezes (r: 32 w: 32)
    // AssetsFreezer::FrozenBalances (r: 32 w: 32)
    // Debt::Buckets (r: 32 w: 32)
    // Debt::Calendar (r: 128 w: 128)
    // Debt::Debts (r: 32 w: 32)
    // Debt::Outstanding (r: 65 w: 64)
    // Debt::Owed (r: 32 w: 32)
    // Debt::Ring (r: 32 w: 64)
    // Debt::RingLength (r: 1 w: 1)
    // System::Account (r: 33 w: 33)
    fn enforce(p: u32) -> Weight {
        // At least 106_043_000 ps. At the heaviest point the quartiles are 1 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(67_239_986, 0)
            // Standard error: 286_065
            .saturating_add(Weight::from_parts(295_396_670, 0).saturating_mul(p.into()))
            .saturating_add(T::DbWeight::get().reads(11))
            .saturating_add(T::DbWeight::get().reads(14_u64.saturating_mul(p.into())))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes(16_u64.saturating_mul(p.into())))
    }
    // AssetsFreezer::Freezes (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 1 w: 1)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 4)
    // Debt::Debts (r: 1 w: 1)
    // Debt::Outstanding (r: 3 w: 2)
    // Debt::Owed (r: 1 w: 1)
    // Debt::Ring (r: 1 w: 2)
    // Debt::RingLength (r: 1 w: 1)
    // System::Account (r: 1 w: 1)
    fn forgive() -> Weight {
        // At least 154_176_000 ps. At the heaviest point the quartiles are 6 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(169_302_000, 0)
            .saturating_add(T::DbWeight::get().reads(15))
            .saturating_add(T::DbWeight::get().writes(15))
    }
    // Assets::Account (r: 1 w: 0)
    // Assets::Asset (r: 1 w: 0)
    // AssetsFreezer::Freezes (r: 1 w: 0)
    // AssetsFreezer::FrozenBalances (r: 1 w: 0)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 0)
    // Debt::Cursor (r: 1 w: 1)
    // Debt::Debts (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Debt::Ring (r: 1 w: 0)
    // Debt::RingLength (r: 1 w: 0)
    fn sweep() -> Weight {
        // At least 104_700_000 ps. At the heaviest point the quartiles are 8 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(112_722_000, 0)
            .saturating_add(T::DbWeight::get().reads(14))
            .saturating_add(T::DbWeight::get().writes(2))
    }
}

// For tests.
impl WeightInfo for () {
    // Assets::Account (r: 33 w: 33)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::Freezes (r: 32 w: 32)
    // AssetsFreezer::FrozenBalances (r: 32 w: 32)
    // Debt::Buckets (r: 32 w: 32)
    // Debt::Calendar (r: 128 w: 128)
    // Debt::Debts (r: 32 w: 32)
    // Debt::Outstanding (r: 65 w: 64)
    // Debt::Owed (r: 32 w: 32)
    // Debt::Ring (r: 32 w: 64)
    // Debt::RingLength (r: 1 w: 1)
    // System::Account (r: 33 w: 33)
    fn enforce(p: u32) -> Weight {
        // At least 106_043_000 ps. At the heaviest point the quartiles are 1 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(67_239_986, 0)
            // Standard error: 286_065
            .saturating_add(Weight::from_parts(295_396_670, 0).saturating_mul(p.into()))
            .saturating_add(RocksDbWeight::get().reads(11))
            .saturating_add(RocksDbWeight::get().reads(14_u64.saturating_mul(p.into())))
            .saturating_add(RocksDbWeight::get().writes(3))
            .saturating_add(RocksDbWeight::get().writes(16_u64.saturating_mul(p.into())))
    }
    // AssetsFreezer::Freezes (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 1 w: 1)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 4)
    // Debt::Debts (r: 1 w: 1)
    // Debt::Outstanding (r: 3 w: 2)
    // Debt::Owed (r: 1 w: 1)
    // Debt::Ring (r: 1 w: 2)
    // Debt::RingLength (r: 1 w: 1)
    // System::Account (r: 1 w: 1)
    fn forgive() -> Weight {
        // At least 154_176_000 ps. At the heaviest point the quartiles are 6 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(169_302_000, 0)
            .saturating_add(RocksDbWeight::get().reads(15))
            .saturating_add(RocksDbWeight::get().writes(15))
    }
    // Assets::Account (r: 1 w: 0)
    // Assets::Asset (r: 1 w: 0)
    // AssetsFreezer::Freezes (r: 1 w: 0)
    // AssetsFreezer::FrozenBalances (r: 1 w: 0)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 0)
    // Debt::Cursor (r: 1 w: 1)
    // Debt::Debts (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Debt::Ring (r: 1 w: 0)
    // Debt::RingLength (r: 1 w: 0)
    fn sweep() -> Weight {
        // At least 104_700_000 ps. At the heaviest point the quartiles are 8 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(112_722_000, 0)
            .saturating_add(RocksDbWeight::get().reads(14))
            .saturating_add(RocksDbWeight::get().writes(2))
    }
}
