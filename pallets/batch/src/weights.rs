//! Weights of `pallet_batch`, **measured**. Written by `make weights`: do not edit.
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

/// Weights of `pallet_batch`.
pub trait WeightInfo {
    /// `submit`, `a` from 1 to 1000.
    fn submit(a: u32) -> Weight;
    /// `rebalance`, `w` from 0 to 200, `d` from 0 to 200.
    fn rebalance(w: u32, d: u32) -> Weight;
    /// `rebalance_issued`, `w` from 0 to 200, `d` from 0 to 200.
    fn rebalance_issued(w: u32, d: u32) -> Weight;
    /// `open_channels`, `d` from 0 to 200.
    fn open_channels(d: u32) -> Weight;
    /// `open_accounts`, `d` from 0 to 200.
    fn open_accounts(d: u32) -> Weight;
}

/// As measured, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Batch::Submitters (r: 1 w: 1)
    fn submit(a: u32) -> Weight {
        // At least 21_984_000 ps. At the heaviest point the quartiles are 2 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(36_833_000, 0)
            // Standard error: 5_517
            .saturating_add(Weight::from_parts(5_724_989, 0).saturating_mul(a.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Batch::Submitters (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Insurance::Channels (r: 402 w: 201)
    // Insurance::Rows (r: 402 w: 402)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    // System::BlockHash (r: 1 w: 0)
    fn rebalance(w: u32, d: u32) -> Weight {
        // At least 17_510_016_000 ps. At the heaviest point the quartiles are 2 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(80_420_200, 0)
            // Standard error: 273_207
            .saturating_add(Weight::from_parts(152_106_275, 0).saturating_mul(w.into()))
            // Standard error: 273_207
            .saturating_add(Weight::from_parts(90_281_694, 0).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(w.into())))
            .saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(d.into())))
            .saturating_add(T::DbWeight::get().writes(7))
            .saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(w.into())))
            .saturating_add(T::DbWeight::get().writes(1_u64.saturating_mul(d.into())))
    }
    // Assets::Account (r: 2 w: 2)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 2 w: 0)
    // Aura::Authorities (r: 1 w: 0)
    // Batch::Submitters (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Outstanding (r: 2 w: 0)
    // Insurance::Channels (r: 402 w: 402)
    // Insurance::Rows (r: 402 w: 402)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    // System::BlockHash (r: 1 w: 0)
    fn rebalance_issued(w: u32, d: u32) -> Weight {
        // At least 28_647_151_000 ps. At the heaviest point the quartiles are 2 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(486_439_000, 0)
            // Standard error: 269_367
            .saturating_add(Weight::from_parts(154_798_410, 0).saturating_mul(w.into()))
            // Standard error: 269_367
            .saturating_add(Weight::from_parts(143_242_650, 0).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().reads(20))
            .saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(w.into())))
            .saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(d.into())))
            .saturating_add(T::DbWeight::get().writes(11))
            .saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(w.into())))
            .saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(d.into())))
    }
    // Aura::Authorities (r: 1 w: 0)
    // Batch::Submitters (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Insurance::Channels (r: 202 w: 202)
    // Insurance::Rows (r: 202 w: 202)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 3 w: 3)
    // System::BlockHash (r: 1 w: 0)
    fn open_channels(d: u32) -> Weight {
        // At least 341_273_000 ps. At the heaviest point the quartiles are 1 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(393_178_196, 0)
            // Standard error: 87_816
            .saturating_add(Weight::from_parts(126_359_458, 0).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().reads(15))
            .saturating_add(T::DbWeight::get().reads(2_u64.saturating_mul(d.into())))
            .saturating_add(T::DbWeight::get().writes(9))
            .saturating_add(T::DbWeight::get().writes(2_u64.saturating_mul(d.into())))
    }
    // Aura::Authorities (r: 1 w: 0)
    // Batch::Submitters (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Insurance::Channels (r: 202 w: 202)
    // Insurance::Rows (r: 202 w: 202)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 405 w: 405)
    // System::BlockHash (r: 1 w: 0)
    fn open_accounts(d: u32) -> Weight {
        // At least 426_766_000 ps. At the heaviest point the quartiles are 4 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(486_690_402, 0)
            // Standard error: 882_178
            .saturating_add(Weight::from_parts(240_546_930, 0).saturating_mul(d.into()))
            .saturating_add(T::DbWeight::get().reads(17))
            .saturating_add(T::DbWeight::get().reads(4_u64.saturating_mul(d.into())))
            .saturating_add(T::DbWeight::get().writes(11))
            .saturating_add(T::DbWeight::get().writes(4_u64.saturating_mul(d.into())))
    }
}

// For tests.
impl WeightInfo for () {
    // Batch::Submitters (r: 1 w: 1)
    fn submit(a: u32) -> Weight {
        // At least 21_984_000 ps. At the heaviest point the quartiles are 2 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(36_833_000, 0)
            // Standard error: 5_517
            .saturating_add(Weight::from_parts(5_724_989, 0).saturating_mul(a.into()))
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    // Batch::Submitters (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Insurance::Channels (r: 402 w: 201)
    // Insurance::Rows (r: 402 w: 402)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    // System::BlockHash (r: 1 w: 0)
    fn rebalance(w: u32, d: u32) -> Weight {
        // At least 17_510_016_000 ps. At the heaviest point the quartiles are 2 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(80_420_200, 0)
            // Standard error: 273_207
            .saturating_add(Weight::from_parts(152_106_275, 0).saturating_mul(w.into()))
            // Standard error: 273_207
            .saturating_add(Weight::from_parts(90_281_694, 0).saturating_mul(d.into()))
            .saturating_add(RocksDbWeight::get().reads(13))
            .saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(w.into())))
            .saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(d.into())))
            .saturating_add(RocksDbWeight::get().writes(7))
            .saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(w.into())))
            .saturating_add(RocksDbWeight::get().writes(1_u64.saturating_mul(d.into())))
    }
    // Assets::Account (r: 2 w: 2)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 2 w: 0)
    // Aura::Authorities (r: 1 w: 0)
    // Batch::Submitters (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Outstanding (r: 2 w: 0)
    // Insurance::Channels (r: 402 w: 402)
    // Insurance::Rows (r: 402 w: 402)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    // System::BlockHash (r: 1 w: 0)
    fn rebalance_issued(w: u32, d: u32) -> Weight {
        // At least 28_647_151_000 ps. At the heaviest point the quartiles are 2 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(486_439_000, 0)
            // Standard error: 269_367
            .saturating_add(Weight::from_parts(154_798_410, 0).saturating_mul(w.into()))
            // Standard error: 269_367
            .saturating_add(Weight::from_parts(143_242_650, 0).saturating_mul(d.into()))
            .saturating_add(RocksDbWeight::get().reads(20))
            .saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(w.into())))
            .saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(d.into())))
            .saturating_add(RocksDbWeight::get().writes(11))
            .saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(w.into())))
            .saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(d.into())))
    }
    // Aura::Authorities (r: 1 w: 0)
    // Batch::Submitters (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Insurance::Channels (r: 202 w: 202)
    // Insurance::Rows (r: 202 w: 202)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 3 w: 3)
    // System::BlockHash (r: 1 w: 0)
    fn open_channels(d: u32) -> Weight {
        // At least 341_273_000 ps. At the heaviest point the quartiles are 1 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(393_178_196, 0)
            // Standard error: 87_816
            .saturating_add(Weight::from_parts(126_359_458, 0).saturating_mul(d.into()))
            .saturating_add(RocksDbWeight::get().reads(15))
            .saturating_add(RocksDbWeight::get().reads(2_u64.saturating_mul(d.into())))
            .saturating_add(RocksDbWeight::get().writes(9))
            .saturating_add(RocksDbWeight::get().writes(2_u64.saturating_mul(d.into())))
    }
    // Aura::Authorities (r: 1 w: 0)
    // Batch::Submitters (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Insurance::Channels (r: 202 w: 202)
    // Insurance::Rows (r: 202 w: 202)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 405 w: 405)
    // System::BlockHash (r: 1 w: 0)
    fn open_accounts(d: u32) -> Weight {
        // At least 426_766_000 ps. At the heaviest point the quartiles are 4 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(486_690_402, 0)
            // Standard error: 882_178
            .saturating_add(Weight::from_parts(240_546_930, 0).saturating_mul(d.into()))
            .saturating_add(RocksDbWeight::get().reads(17))
            .saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(d.into())))
            .saturating_add(RocksDbWeight::get().writes(11))
            .saturating_add(RocksDbWeight::get().writes(4_u64.saturating_mul(d.into())))
    }
}
