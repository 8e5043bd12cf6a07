//! Weights of `pallet_secrets`, **measured**. Written by `make weights`: do not edit.
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

/// Weights of `pallet_secrets`.
pub trait WeightInfo {
    /// `reveal`, `n` from 1 to 1024.
    fn reveal(n: u32) -> Weight;
    /// `reveal_known`, `n` from 1 to 1024.
    fn reveal_known(n: u32) -> Weight;
    /// `purge`, `n` from 0 to 1000.
    fn purge(n: u32) -> Weight;
}

/// As measured, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Aura::Authorities (r: 1 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Debt::AllowanceUsed (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::Hubs (r: 1 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // Secrets::Queue (r: 0 w: 1024)
    // Secrets::QueueTail (r: 1 w: 1)
    // Secrets::Reveals (r: 1024 w: 1024)
    // System::Account (r: 2 w: 2)
    fn reveal(n: u32) -> Weight {
        // At least 102_176_000 ps. At the heaviest point the quartiles are 6 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(162_933_352, 0)
            // Standard error: 17_151
            .saturating_add(Weight::from_parts(11_098_027, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(4))
            .saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(n.into())))
    }
    // Clock::Now (r: 1 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // Secrets::Reveals (r: 1024 w: 1024)
    fn reveal_known(n: u32) -> Weight {
        // At least 21_193_000 ps. At the heaviest point the quartiles are 1 % of the median apart; the line was lifted by 1 %.
        Weight::from_parts(182_353_280, 0)
            // Standard error: 24_136
            .saturating_add(Weight::from_parts(10_992_655, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(1_u64.saturating_mul(n.into())))
    }
    // Clock::Now (r: 1 w: 0)
    // Insurance::OldestOpen (r: 1 w: 1)
    // Insurance::OpenedAt (r: 64 w: 0)
    // Secrets::Queue (r: 1001 w: 2000)
    // Secrets::QueueHead (r: 1 w: 1)
    // Secrets::QueueTail (r: 1 w: 1)
    // Secrets::Reveals (r: 1000 w: 0)
    fn purge(n: u32) -> Weight {
        // At least 99_765_000 ps. At the heaviest point the quartiles are 2 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(25_699_000, 0)
            // Standard error: 49_199
            .saturating_add(Weight::from_parts(13_936_918, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(69))
            .saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(3_u64.saturating_mul(n.into())))
    }
}

// For tests.
impl WeightInfo for () {
    // Aura::Authorities (r: 1 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Debt::AllowanceUsed (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::Hubs (r: 1 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // Secrets::Queue (r: 0 w: 1024)
    // Secrets::QueueTail (r: 1 w: 1)
    // Secrets::Reveals (r: 1024 w: 1024)
    // System::Account (r: 2 w: 2)
    fn reveal(n: u32) -> Weight {
        // At least 102_176_000 ps. At the heaviest point the quartiles are 6 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(162_933_352, 0)
            // Standard error: 17_151
            .saturating_add(Weight::from_parts(11_098_027, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().writes(4))
            .saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(n.into())))
    }
    // Clock::Now (r: 1 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // Secrets::Reveals (r: 1024 w: 1024)
    fn reveal_known(n: u32) -> Weight {
        // At least 21_193_000 ps. At the heaviest point the quartiles are 1 % of the median apart; the line was lifted by 1 %.
        Weight::from_parts(182_353_280, 0)
            // Standard error: 24_136
            .saturating_add(Weight::from_parts(10_992_655, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().writes(1_u64.saturating_mul(n.into())))
    }
    // Clock::Now (r: 1 w: 0)
    // Insurance::OldestOpen (r: 1 w: 1)
    // Insurance::OpenedAt (r: 64 w: 0)
    // Secrets::Queue (r: 1001 w: 2000)
    // Secrets::QueueHead (r: 1 w: 1)
    // Secrets::QueueTail (r: 1 w: 1)
    // Secrets::Reveals (r: 1000 w: 0)
    fn purge(n: u32) -> Weight {
        // At least 99_765_000 ps. At the heaviest point the quartiles are 2 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(25_699_000, 0)
            // Standard error: 49_199
            .saturating_add(Weight::from_parts(13_936_918, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(69))
            .saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().writes(1))
            .saturating_add(RocksDbWeight::get().writes(3_u64.saturating_mul(n.into())))
    }
}
