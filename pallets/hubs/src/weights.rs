//! Weights of `pallet_hubs`, **measured**. Written by `make weights`: do not edit.
//!
//! * machine: Intel(R) Xeon(R) Processor, 2 cores, 24105 MiB; load 2.07 at the start
//! * day: 2026-11-20
//! * runtime: failsafe 2, WebAssembly in wasmtime, state in memory; rustc 1.95.0 (59807616e 2026-04-14)
//! * 20 points per component, each 20 times in 5 passes; processor time; least squares over the middle half
//! * **not measured yet, but computed from above**: `retire` (one and a half times `update`, four reads),
//!   `leave`, `leave_of_debtor` (what leaving was measured as, 15 µs, two reads and a write more)
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
        // At least 81_302_000 ps. At the heaviest point the quartiles are 25 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(88_913_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // Hubs::Hubs (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    fn update() -> Weight {
        // At least 20_306_000 ps. At the heaviest point the quartiles are 44 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(22_580_000, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Clock::Now (r: 1 w: 0)
    // Hubs::Hubs (r: 1 w: 0)
    // Hubs::Retiring (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    fn retire() -> Weight {
        Weight::from_parts(33_870_000, 0)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Balances::Holds (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::CounterForHubs (r: 1 w: 1)
    // Hubs::Handles (r: 0 w: 1)
    // Hubs::Hubs (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Hubs::Retiring (r: 1 w: 1)
    // System::Account (r: 1 w: 1)
    fn leave() -> Weight {
        Weight::from_parts(85_861_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // Balances::Freezes (r: 1 w: 1)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
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
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    // Clock::Now (r: 1 w: 0)
    // Hubs::Retiring (r: 1 w: 1)
    fn leave_of_debtor() -> Weight {
        Weight::from_parts(385_986_000, 0)
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
        // At least 81_302_000 ps. At the heaviest point the quartiles are 25 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(88_913_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(5))
    }
    // Hubs::Hubs (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    fn update() -> Weight {
        // At least 20_306_000 ps. At the heaviest point the quartiles are 44 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(22_580_000, 0)
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    // Clock::Now (r: 1 w: 0)
    // Hubs::Hubs (r: 1 w: 0)
    // Hubs::Retiring (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    fn retire() -> Weight {
        Weight::from_parts(33_870_000, 0)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    // Balances::Holds (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::CounterForHubs (r: 1 w: 1)
    // Hubs::Handles (r: 0 w: 1)
    // Hubs::Hubs (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Hubs::Retiring (r: 1 w: 1)
    // System::Account (r: 1 w: 1)
    fn leave() -> Weight {
        Weight::from_parts(85_861_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(6))
    }
    // Balances::Freezes (r: 1 w: 1)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
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
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    // Clock::Now (r: 1 w: 0)
    // Hubs::Retiring (r: 1 w: 1)
    fn leave_of_debtor() -> Weight {
        Weight::from_parts(385_986_000, 0)
            .saturating_add(RocksDbWeight::get().reads(22))
            .saturating_add(RocksDbWeight::get().writes(21))
    }
}
