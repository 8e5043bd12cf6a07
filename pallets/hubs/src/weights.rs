//! Weights of `pallet_hubs`, **measured**. Written by `make weights`: do not edit.
//!
//! * machine: Intel(R) Xeon(R) Processor, 2 cores, 24105 MiB; load 2.52 at the start
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

/// Weights of `pallet_hubs`.
pub trait WeightInfo {
    /// `register`.
    fn register() -> Weight;
    /// `update`.
    fn update() -> Weight;
    /// `retire`.
    fn retire() -> Weight;
    /// `leave`.
    fn leave() -> Weight;
    /// `leave_of_debtor`.
    fn leave_of_debtor() -> Weight;
}

/// As measured, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Balances::Holds (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::CounterForHubs (r: 1 w: 1)
    // Hubs::Handles (r: 1 w: 1)
    // Hubs::Hubs (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 1 w: 1)
    fn register() -> Weight {
        // At least 80_740_000 ps. At the heaviest point the quartiles are 21 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(86_417_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // Hubs::Hubs (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    fn update() -> Weight {
        // At least 19_359_000 ps. At the heaviest point the quartiles are 49 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(21_220_000, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Clock::Now (r: 1 w: 0)
    // Hubs::Hubs (r: 1 w: 0)
    // Hubs::Retiring (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    fn retire() -> Weight {
        // At least 19_785_000 ps. At the heaviest point the quartiles are 39 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(22_292_000, 0)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Balances::Holds (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::CounterForHubs (r: 1 w: 1)
    // Hubs::Handles (r: 0 w: 1)
    // Hubs::Hubs (r: 1 w: 1)
    // Hubs::Retiring (r: 1 w: 1)
    // System::Account (r: 1 w: 1)
    fn leave() -> Weight {
        // At least 72_884_000 ps. At the heaviest point the quartiles are 12 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(78_249_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // Balances::Freezes (r: 1 w: 1)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Debt::AllowanceUsed (r: 0 w: 1)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 4)
    // Debt::Debts (r: 1 w: 1)
    // Debt::Outstanding (r: 3 w: 2)
    // Debt::Owed (r: 1 w: 1)
    // Debt::Ring (r: 1 w: 2)
    // Debt::RingLength (r: 1 w: 1)
    // Hubs::CounterForHubs (r: 1 w: 1)
    // Hubs::Handles (r: 0 w: 1)
    // Hubs::Hubs (r: 1 w: 1)
    // Hubs::Retiring (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn leave_of_debtor() -> Weight {
        // At least 316_519_000 ps. At the heaviest point the quartiles are 6 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(361_390_000, 0)
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(21))
    }
}

// For tests.
impl WeightInfo for () {
    // Balances::Holds (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::CounterForHubs (r: 1 w: 1)
    // Hubs::Handles (r: 1 w: 1)
    // Hubs::Hubs (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 1 w: 1)
    fn register() -> Weight {
        // At least 80_740_000 ps. At the heaviest point the quartiles are 21 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(86_417_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(5))
    }
    // Hubs::Hubs (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    fn update() -> Weight {
        // At least 19_359_000 ps. At the heaviest point the quartiles are 49 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(21_220_000, 0)
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    // Clock::Now (r: 1 w: 0)
    // Hubs::Hubs (r: 1 w: 0)
    // Hubs::Retiring (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    fn retire() -> Weight {
        // At least 19_785_000 ps. At the heaviest point the quartiles are 39 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(22_292_000, 0)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    // Balances::Holds (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::CounterForHubs (r: 1 w: 1)
    // Hubs::Handles (r: 0 w: 1)
    // Hubs::Hubs (r: 1 w: 1)
    // Hubs::Retiring (r: 1 w: 1)
    // System::Account (r: 1 w: 1)
    fn leave() -> Weight {
        // At least 72_884_000 ps. At the heaviest point the quartiles are 12 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(78_249_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(6))
    }
    // Balances::Freezes (r: 1 w: 1)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Debt::AllowanceUsed (r: 0 w: 1)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 4)
    // Debt::Debts (r: 1 w: 1)
    // Debt::Outstanding (r: 3 w: 2)
    // Debt::Owed (r: 1 w: 1)
    // Debt::Ring (r: 1 w: 2)
    // Debt::RingLength (r: 1 w: 1)
    // Hubs::CounterForHubs (r: 1 w: 1)
    // Hubs::Handles (r: 0 w: 1)
    // Hubs::Hubs (r: 1 w: 1)
    // Hubs::Retiring (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn leave_of_debtor() -> Weight {
        // At least 316_519_000 ps. At the heaviest point the quartiles are 6 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(361_390_000, 0)
            .saturating_add(RocksDbWeight::get().reads(22))
            .saturating_add(RocksDbWeight::get().writes(21))
    }
}
