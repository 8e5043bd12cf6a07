//! Weights of `pallet_batch`, **measured**. Written by `make weights`: do not edit.
//!
//! * machine: Intel(R) Xeon(R) Processor, 2 cores, 24105 MiB; load 8.14 at the start
//! * day: 2026-11-20
//! * runtime: failsafe 2, WebAssembly in wasmtime, state in memory; rustc 1.95.0 (59807616e 2026-04-14)
//! * 8 points per component, each 15 times in 5 passes; processor time; least squares over the middle half
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
        // At least 20_515_000 ps. At the heaviest point the quartiles are 8 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(79_745_450, 0)
            // Standard error: 44_275
            .saturating_add(Weight::from_parts(5_205_309, 0).saturating_mul(a.into()))
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
        // At least 15_119_203_000 ps. At the heaviest point the quartiles are 9 % of the median apart; the line was lifted by 1 %.
        Weight::from_parts(771_488_200, 0)
            // Standard error: 1_720_024
            .saturating_add(Weight::from_parts(140_314_947, 0).saturating_mul(w.into()))
            // Standard error: 1_720_024
            .saturating_add(Weight::from_parts(79_926_577, 0).saturating_mul(d.into()))
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
        // At least 25_060_881_000 ps. At the heaviest point the quartiles are 9 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(0, 0)
            // Standard error: 1_633_135
            .saturating_add(Weight::from_parts(140_587_736, 0).saturating_mul(w.into()))
            // Standard error: 1_633_135
            .saturating_add(Weight::from_parts(132_650_369, 0).saturating_mul(d.into()))
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
        // At least 285_233_000 ps. At the heaviest point the quartiles are 3 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(407_031_600, 0)
            // Standard error: 447_203
            .saturating_add(Weight::from_parts(115_131_882, 0).saturating_mul(d.into()))
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
        // At least 444_031_000 ps. At the heaviest point the quartiles are 7 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(578_586_200, 0)
            // Standard error: 1_168_177
            .saturating_add(Weight::from_parts(225_310_524, 0).saturating_mul(d.into()))
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
        // At least 20_515_000 ps. At the heaviest point the quartiles are 8 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(79_745_450, 0)
            // Standard error: 44_275
            .saturating_add(Weight::from_parts(5_205_309, 0).saturating_mul(a.into()))
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
        // At least 15_119_203_000 ps. At the heaviest point the quartiles are 9 % of the median apart; the line was lifted by 1 %.
        Weight::from_parts(771_488_200, 0)
            // Standard error: 1_720_024
            .saturating_add(Weight::from_parts(140_314_947, 0).saturating_mul(w.into()))
            // Standard error: 1_720_024
            .saturating_add(Weight::from_parts(79_926_577, 0).saturating_mul(d.into()))
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
        // At least 25_060_881_000 ps. At the heaviest point the quartiles are 9 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(0, 0)
            // Standard error: 1_633_135
            .saturating_add(Weight::from_parts(140_587_736, 0).saturating_mul(w.into()))
            // Standard error: 1_633_135
            .saturating_add(Weight::from_parts(132_650_369, 0).saturating_mul(d.into()))
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
        // At least 285_233_000 ps. At the heaviest point the quartiles are 3 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(407_031_600, 0)
            // Standard error: 447_203
            .saturating_add(Weight::from_parts(115_131_882, 0).saturating_mul(d.into()))
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
        // At least 444_031_000 ps. At the heaviest point the quartiles are 7 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(578_586_200, 0)
            // Standard error: 1_168_177
            .saturating_add(Weight::from_parts(225_310_524, 0).saturating_mul(d.into()))
            .saturating_add(RocksDbWeight::get().reads(17))
            .saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(d.into())))
            .saturating_add(RocksDbWeight::get().writes(11))
            .saturating_add(RocksDbWeight::get().writes(4_u64.saturating_mul(d.into())))
    }
}
