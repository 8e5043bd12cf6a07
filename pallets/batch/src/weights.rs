//! Weights of `pallet_batch`, **measured**. Written by `make weights`: do not edit.
//!
//! * machine: Intel(R) Xeon(R) Processor, 2 cores, 24105 MiB; load 17.52 at the start
//! * day: 2026-11-20
//! * runtime: failsafe 2, native code, state in memory; rustc 1.95.0 (59807616e 2026-04-14)
//! * 3 points per component, each 5 times in 5 passes; least squares over the middle half
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
        // At least 15_535_000 ps. Line 4 % below the median at the heaviest point; quartiles 55 % of it apart.
        Weight::from_parts(18_190_000, 0)
            // Standard error: 466_084
            .saturating_add(Weight::from_parts(4_512_292, 0).saturating_mul(a.into()))
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
        // At least 49_896_882_000 ps. Line 7 % below the median at the heaviest point; quartiles 17 % of it apart.
        Weight::from_parts(64_142_333_000, 0)
            // Standard error: 55_494_043
            .saturating_add(Weight::from_parts(727_663_394, 0).saturating_mul(w.into()))
            // Standard error: 55_494_043
            .saturating_add(Weight::from_parts(229_021_255, 0).saturating_mul(d.into()))
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
        // At least 60_458_432_000 ps. Line 18 % below the median at the heaviest point; quartiles 49 % of it apart.
        Weight::from_parts(75_636_486_000, 0)
            // Standard error: 91_888_747
            .saturating_add(Weight::from_parts(552_239_288, 0).saturating_mul(w.into()))
            // Standard error: 91_888_747
            .saturating_add(Weight::from_parts(213_771_904, 0).saturating_mul(d.into()))
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
        // At least 225_917_000 ps. Line 0 % below the median at the heaviest point; quartiles 9 % of it apart.
        Weight::from_parts(1_632_236_944, 0)
            // Standard error: 31_126_635
            .saturating_add(Weight::from_parts(373_303_255, 0).saturating_mul(d.into()))
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
        // At least 274_916_000 ps. Line 4 % below the median at the heaviest point; quartiles 23 % of it apart.
        Weight::from_parts(1_979_136_388, 0)
            // Standard error: 56_072_642
            .saturating_add(Weight::from_parts(811_041_548, 0).saturating_mul(d.into()))
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
        // At least 15_535_000 ps. Line 4 % below the median at the heaviest point; quartiles 55 % of it apart.
        Weight::from_parts(18_190_000, 0)
            // Standard error: 466_084
            .saturating_add(Weight::from_parts(4_512_292, 0).saturating_mul(a.into()))
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
        // At least 49_896_882_000 ps. Line 7 % below the median at the heaviest point; quartiles 17 % of it apart.
        Weight::from_parts(64_142_333_000, 0)
            // Standard error: 55_494_043
            .saturating_add(Weight::from_parts(727_663_394, 0).saturating_mul(w.into()))
            // Standard error: 55_494_043
            .saturating_add(Weight::from_parts(229_021_255, 0).saturating_mul(d.into()))
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
        // At least 60_458_432_000 ps. Line 18 % below the median at the heaviest point; quartiles 49 % of it apart.
        Weight::from_parts(75_636_486_000, 0)
            // Standard error: 91_888_747
            .saturating_add(Weight::from_parts(552_239_288, 0).saturating_mul(w.into()))
            // Standard error: 91_888_747
            .saturating_add(Weight::from_parts(213_771_904, 0).saturating_mul(d.into()))
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
        // At least 225_917_000 ps. Line 0 % below the median at the heaviest point; quartiles 9 % of it apart.
        Weight::from_parts(1_632_236_944, 0)
            // Standard error: 31_126_635
            .saturating_add(Weight::from_parts(373_303_255, 0).saturating_mul(d.into()))
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
        // At least 274_916_000 ps. Line 4 % below the median at the heaviest point; quartiles 23 % of it apart.
        Weight::from_parts(1_979_136_388, 0)
            // Standard error: 56_072_642
            .saturating_add(Weight::from_parts(811_041_548, 0).saturating_mul(d.into()))
            .saturating_add(RocksDbWeight::get().reads(17))
            .saturating_add(RocksDbWeight::get().reads(4_u64.saturating_mul(d.into())))
            .saturating_add(RocksDbWeight::get().writes(11))
            .saturating_add(RocksDbWeight::get().writes(4_u64.saturating_mul(d.into())))
    }
}
