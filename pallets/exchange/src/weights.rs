//! Weights of `pallet_exchange`, **measured**. Written by `make weights`: do not edit.
//!
//! * machine: Intel(R) Xeon(R) Processor, 2 cores, 24105 MiB; load 12.14 at the start
//! * day: 2026-11-21
//! * runtime: failsafe 3, WebAssembly in wasmtime, state in memory; rustc 1.95.0 (59807616e 2026-04-14)
//! * 20 points per component, each 20 times in 5 passes; processor time; least squares over the middle half
//! * accesses are charged by `DbWeight`, at least as many as were counted at any point

#![allow(clippy::unnecessary_cast, reason = "generated")]

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, Weight},
};

/// Weights of `pallet_exchange`.
pub trait WeightInfo {
    /// `place`, `m` from 0 to 64.
    fn place(m: u32) -> Weight;
    /// `cancel`.
    fn cancel() -> Weight;
    /// `recall`, `n` from 0 to 64.
    fn recall(n: u32) -> Weight;
}

/// As measured, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Assets::Account (r: 69 w: 69)
    // Assets::Asset (r: 2 w: 2)
    // AssetsFreezer::Freezes (r: 64 w: 64)
    // AssetsFreezer::FrozenBalances (r: 67 w: 64)
    // Balances::Freezes (r: 64 w: 0)
    // Balances::Holds (r: 65 w: 65)
    // Balances::Locks (r: 64 w: 0)
    // Custody::Held (r: 2 w: 2)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Buckets (r: 128 w: 128)
    // Debt::Calendar (r: 512 w: 256)
    // Debt::Debts (r: 128 w: 64)
    // Debt::Outstanding (r: 195 w: 96)
    // Debt::Owed (r: 64 w: 64)
    // Debt::Ring (r: 54 w: 96)
    // Debt::RingLength (r: 1 w: 1)
    // Exchange::Book (r: 64 w: 65)
    // Exchange::Fronts (r: 2 w: 2)
    // Exchange::NextOrder (r: 1 w: 1)
    // Exchange::Owned (r: 0 w: 65)
    // Exchange::Standings (r: 0 w: 65)
    // Hubs::Hubs (r: 64 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 66 w: 66)
    fn place(m: u32) -> Weight {
        // At least 167_177_000 ps. At the heaviest point the quartiles are 4 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(234_806_544, 0)
            // Standard error: 1_471_918
            .saturating_add(Weight::from_parts(508_367_179, 0).saturating_mul(m.into()))
            .saturating_add(T::DbWeight::get().reads(20))
            .saturating_add(T::DbWeight::get().reads(27_u64.saturating_mul(m.into())))
            .saturating_add(T::DbWeight::get().writes(15))
            .saturating_add(T::DbWeight::get().writes(20_u64.saturating_mul(m.into())))
    }
    // Assets::Account (r: 3 w: 3)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::Freezes (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 2 w: 1)
    // Balances::Freezes (r: 1 w: 0)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Debt::Buckets (r: 2 w: 2)
    // Debt::Calendar (r: 8 w: 4)
    // Debt::Debts (r: 2 w: 1)
    // Debt::Outstanding (r: 4 w: 2)
    // Debt::Owed (r: 1 w: 1)
    // Debt::Ring (r: 1 w: 2)
    // Debt::RingLength (r: 1 w: 1)
    // Exchange::Book (r: 1 w: 1)
    // Exchange::Owned (r: 0 w: 1)
    // Exchange::Standings (r: 1 w: 1)
    // Hubs::Hubs (r: 1 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn cancel() -> Weight {
        // At least 560_532_000 ps. At the heaviest point the quartiles are 10 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(634_480_000, 0)
            .saturating_add(T::DbWeight::get().reads(36))
            .saturating_add(T::DbWeight::get().writes(26))
    }
    // Assets::Account (r: 66 w: 66)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::Freezes (r: 64 w: 64)
    // AssetsFreezer::FrozenBalances (r: 65 w: 64)
    // Balances::Freezes (r: 64 w: 0)
    // Balances::Holds (r: 64 w: 64)
    // Balances::Locks (r: 64 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Debt::Buckets (r: 128 w: 128)
    // Debt::Calendar (r: 512 w: 256)
    // Debt::Debts (r: 128 w: 64)
    // Debt::Outstanding (r: 129 w: 96)
    // Debt::Owed (r: 64 w: 64)
    // Debt::Ring (r: 49 w: 96)
    // Debt::RingLength (r: 1 w: 1)
    // Exchange::Book (r: 64 w: 64)
    // Exchange::Owned (r: 64 w: 64)
    // Exchange::Recalls (r: 65 w: 64)
    // Exchange::Standings (r: 64 w: 64)
    // Hubs::Hubs (r: 64 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 65 w: 65)
    fn recall(n: u32) -> Weight {
        // At least 4_522_000 ps. At the heaviest point the quartiles are 6 % of the median apart; the line was lifted by 2 %.
        Weight::from_parts(852_851_760, 0)
            // Standard error: 1_934_228
            .saturating_add(Weight::from_parts(496_422_535, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().reads(28_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes(21_u64.saturating_mul(n.into())))
    }
}

// For tests.
impl WeightInfo for () {
    // Assets::Account (r: 69 w: 69)
    // Assets::Asset (r: 2 w: 2)
    // AssetsFreezer::Freezes (r: 64 w: 64)
    // AssetsFreezer::FrozenBalances (r: 67 w: 64)
    // Balances::Freezes (r: 64 w: 0)
    // Balances::Holds (r: 65 w: 65)
    // Balances::Locks (r: 64 w: 0)
    // Custody::Held (r: 2 w: 2)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Buckets (r: 128 w: 128)
    // Debt::Calendar (r: 512 w: 256)
    // Debt::Debts (r: 128 w: 64)
    // Debt::Outstanding (r: 195 w: 96)
    // Debt::Owed (r: 64 w: 64)
    // Debt::Ring (r: 54 w: 96)
    // Debt::RingLength (r: 1 w: 1)
    // Exchange::Book (r: 64 w: 65)
    // Exchange::Fronts (r: 2 w: 2)
    // Exchange::NextOrder (r: 1 w: 1)
    // Exchange::Owned (r: 0 w: 65)
    // Exchange::Standings (r: 0 w: 65)
    // Hubs::Hubs (r: 64 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 66 w: 66)
    fn place(m: u32) -> Weight {
        // At least 167_177_000 ps. At the heaviest point the quartiles are 4 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(234_806_544, 0)
            // Standard error: 1_471_918
            .saturating_add(Weight::from_parts(508_367_179, 0).saturating_mul(m.into()))
            .saturating_add(RocksDbWeight::get().reads(20))
            .saturating_add(RocksDbWeight::get().reads(27_u64.saturating_mul(m.into())))
            .saturating_add(RocksDbWeight::get().writes(15))
            .saturating_add(RocksDbWeight::get().writes(20_u64.saturating_mul(m.into())))
    }
    // Assets::Account (r: 3 w: 3)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::Freezes (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 2 w: 1)
    // Balances::Freezes (r: 1 w: 0)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Debt::Buckets (r: 2 w: 2)
    // Debt::Calendar (r: 8 w: 4)
    // Debt::Debts (r: 2 w: 1)
    // Debt::Outstanding (r: 4 w: 2)
    // Debt::Owed (r: 1 w: 1)
    // Debt::Ring (r: 1 w: 2)
    // Debt::RingLength (r: 1 w: 1)
    // Exchange::Book (r: 1 w: 1)
    // Exchange::Owned (r: 0 w: 1)
    // Exchange::Standings (r: 1 w: 1)
    // Hubs::Hubs (r: 1 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn cancel() -> Weight {
        // At least 560_532_000 ps. At the heaviest point the quartiles are 10 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(634_480_000, 0)
            .saturating_add(RocksDbWeight::get().reads(36))
            .saturating_add(RocksDbWeight::get().writes(26))
    }
    // Assets::Account (r: 66 w: 66)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::Freezes (r: 64 w: 64)
    // AssetsFreezer::FrozenBalances (r: 65 w: 64)
    // Balances::Freezes (r: 64 w: 0)
    // Balances::Holds (r: 64 w: 64)
    // Balances::Locks (r: 64 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Debt::Buckets (r: 128 w: 128)
    // Debt::Calendar (r: 512 w: 256)
    // Debt::Debts (r: 128 w: 64)
    // Debt::Outstanding (r: 129 w: 96)
    // Debt::Owed (r: 64 w: 64)
    // Debt::Ring (r: 49 w: 96)
    // Debt::RingLength (r: 1 w: 1)
    // Exchange::Book (r: 64 w: 64)
    // Exchange::Owned (r: 64 w: 64)
    // Exchange::Recalls (r: 65 w: 64)
    // Exchange::Standings (r: 64 w: 64)
    // Hubs::Hubs (r: 64 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 65 w: 65)
    fn recall(n: u32) -> Weight {
        // At least 4_522_000 ps. At the heaviest point the quartiles are 6 % of the median apart; the line was lifted by 2 %.
        Weight::from_parts(852_851_760, 0)
            // Standard error: 1_934_228
            .saturating_add(Weight::from_parts(496_422_535, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().reads(28_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().writes(2))
            .saturating_add(RocksDbWeight::get().writes(21_u64.saturating_mul(n.into())))
    }
}
