//! Weights of `pallet_insurance`, **measured**. Written by `make weights`: do not edit.
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

/// Weights of `pallet_insurance`.
pub trait WeightInfo {
    /// `deposit_native`.
    fn deposit_native() -> Weight;
    /// `deposit_issued`.
    fn deposit_issued() -> Weight;
    /// `redeposit_native`.
    fn redeposit_native() -> Weight;
    /// `redeposit_issued`.
    fn redeposit_issued() -> Weight;
    /// `new_record`.
    fn new_record() -> Weight;
    /// `withdraw`, `n` from 1 to 16.
    fn withdraw(n: u32) -> Weight;
    /// `withdraw_insured`, `n` from 1 to 16.
    fn withdraw_insured(n: u32) -> Weight;
    /// `dispute`, `s` from 1 to 3, `l` from 0 to 128.
    fn dispute(s: u32, l: u32) -> Weight;
    /// `counter`, `s` from 1 to 2, `l` from 0 to 128.
    fn counter(s: u32, l: u32) -> Weight;
    /// `counter_for`, `s` from 1 to 2, `l` from 0 to 128.
    fn counter_for(s: u32, l: u32) -> Weight;
    /// `accept`, `a` from 1 to 48, `l` from 0 to 256.
    fn accept(a: u32, l: u32) -> Weight;
    /// `close`, `a` from 1 to 48.
    fn close(a: u32) -> Weight;
    /// `resolve`, `a` from 1 to 48, `l` from 0 to 256.
    fn resolve(a: u32, l: u32) -> Weight;
    /// `late_claim`, `a` from 1 to 16.
    fn late_claim(a: u32) -> Weight;
    /// `agenda_step`.
    fn agenda_step() -> Weight;
}

/// As measured, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Aura::Authorities (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Rows (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 5 w: 5)
    fn deposit_native() -> Weight {
        // At least 228_826_000 ps. At the heaviest point the quartiles are 7 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(266_640_000, 0)
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    // Assets::Account (r: 2 w: 2)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 1 w: 0)
    // Aura::Authorities (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Rows (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 4 w: 3)
    fn deposit_issued() -> Weight {
        // At least 320_245_000 ps. At the heaviest point the quartiles are 10 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(363_279_000, 0)
            .saturating_add(T::DbWeight::get().reads(15))
            .saturating_add(T::DbWeight::get().writes(10))
    }
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 0)
    // Insurance::Rows (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 4 w: 2)
    fn redeposit_native() -> Weight {
        // At least 98_804_000 ps. At the heaviest point the quartiles are 16 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(111_989_000, 0)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Assets::Account (r: 2 w: 2)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 0)
    // Insurance::Rows (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 0)
    fn redeposit_issued() -> Weight {
        // At least 116_661_000 ps. At the heaviest point the quartiles are 9 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(136_754_000, 0)
            .saturating_add(T::DbWeight::get().reads(11))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    // Aura::Authorities (r: 1 w: 0)
    // Debt::AllowanceUsed (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::Hubs (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn new_record() -> Weight {
        // At least 80_012_000 ps. At the heaviest point the quartiles are 8 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(92_254_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(4))
    }
    // Assets::Account (r: 60 w: 60)
    // Assets::Asset (r: 15 w: 15)
    // AssetsFreezer::Freezes (r: 15 w: 15)
    // AssetsFreezer::FrozenBalances (r: 45 w: 15)
    // Balances::Freezes (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 16 w: 16)
    // Debt::AllowanceUsed (r: 0 w: 1)
    // Debt::Buckets (r: 16 w: 16)
    // Debt::Calendar (r: 64 w: 64)
    // Debt::Debts (r: 16 w: 16)
    // Debt::Outstanding (r: 56 w: 24)
    // Debt::Owed (r: 16 w: 16)
    // Debt::Ring (r: 13 w: 24)
    // Debt::RingLength (r: 1 w: 1)
    // Hubs::Hubs (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Rows (r: 16 w: 16)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 19 w: 19)
    // System::BlockHash (r: 1 w: 0)
    fn withdraw(n: u32) -> Weight {
        // At least 453_147_000 ps. At the heaviest point the quartiles are 5 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(176_207_768, 0)
            // Standard error: 2_362_344
            .saturating_add(Weight::from_parts(412_065_452, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads(24_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes(20_u64.saturating_mul(n.into())))
    }
    // Assets::Account (r: 30 w: 30)
    // Assets::Asset (r: 15 w: 15)
    // AssetsFreezer::FrozenBalances (r: 15 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 16 w: 16)
    // Debt::Outstanding (r: 16 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Rows (r: 16 w: 16)
    // System::Account (r: 2 w: 2)
    // System::BlockHash (r: 1 w: 0)
    fn withdraw_insured(n: u32) -> Weight {
        // At least 146_587_000 ps. At the heaviest point the quartiles are 11 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(110_968_772, 0)
            // Standard error: 733_658
            .saturating_add(Weight::from_parts(90_882_871, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().reads(7_u64.saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(5_u64.saturating_mul(n.into())))
    }
    // Aura::Authorities (r: 1 w: 0)
    // Balances::Holds (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Debt::AllowanceUsed (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::Hubs (r: 2 w: 0)
    // Insurance::Agenda (r: 0 w: 1)
    // Insurance::AgendaCursor (r: 1 w: 0)
    // Insurance::AgendaLength (r: 1 w: 1)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::OpenedAt (r: 1 w: 1)
    // Insurance::Rows (r: 17 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    // System::BlockHash (r: 1 w: 0)
    fn dispute(s: u32, l: u32) -> Weight {
        // At least 311_529_000 ps. At the heaviest point the quartiles are 5 % of the median apart; the line was lifted by 3 %.
        Weight::from_parts(311_310_976, 0)
            // Standard error: 3_280_859
            .saturating_add(Weight::from_parts(31_921_680, 0).saturating_mul(s.into()))
            // Standard error: 36_152
            .saturating_add(Weight::from_parts(378_078, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(33))
            .saturating_add(T::DbWeight::get().writes(9))
    }
    // Clock::Now (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 0)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::Rows (r: 17 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::BlockHash (r: 1 w: 0)
    fn counter(s: u32, l: u32) -> Weight {
        // At least 159_544_000 ps. At the heaviest point the quartiles are 13 % of the median apart; the line was lifted by 2 %.
        Weight::from_parts(111_142_912, 0)
            // Standard error: 4_388_001
            .saturating_add(Weight::from_parts(59_830_292, 0).saturating_mul(s.into()))
            // Standard error: 23_151
            .saturating_add(Weight::from_parts(109_668, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Clock::Now (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 0)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::Rows (r: 17 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::BlockHash (r: 1 w: 0)
    fn counter_for(s: u32, l: u32) -> Weight {
        // At least 219_603_000 ps. At the heaviest point the quartiles are 9 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(110_294_927, 0)
            // Standard error: 5_477_704
            .saturating_add(Weight::from_parts(106_736_355, 0).saturating_mul(s.into()))
            // Standard error: 28_900
            .saturating_add(Weight::from_parts(212_781, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(22))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Assets::Account (r: 188 w: 188)
    // Assets::Asset (r: 47 w: 47)
    // AssetsFreezer::Freezes (r: 94 w: 94)
    // AssetsFreezer::FrozenBalances (r: 141 w: 94)
    // Balances::Freezes (r: 2 w: 2)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 2 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 48 w: 48)
    // Debt::AllowanceUsed (r: 0 w: 2)
    // Debt::Buckets (r: 97 w: 97)
    // Debt::Calendar (r: 387 w: 387)
    // Debt::Debts (r: 97 w: 97)
    // Debt::Outstanding (r: 177 w: 128)
    // Debt::Owed (r: 97 w: 97)
    // Debt::Ring (r: 70 w: 128)
    // Debt::RingLength (r: 1 w: 1)
    // Hubs::Hubs (r: 2 w: 0)
    // Hubs::Reputations (r: 2 w: 2)
    // Insurance::Agenda (r: 0 w: 1)
    // Insurance::AgendaCursor (r: 1 w: 0)
    // Insurance::AgendaLength (r: 1 w: 1)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::OldEpochs (r: 0 w: 1)
    // Insurance::OpenedAt (r: 1 w: 1)
    // Insurance::Rows (r: 49 w: 48)
    // Parameters::Current (r: 1 w: 0)
    // Secrets::Reveals (r: 128 w: 0)
    // System::Account (r: 52 w: 52)
    fn accept(a: u32, l: u32) -> Weight {
        // At least 2_510_795_000 ps. At the heaviest point the quartiles are 5 % of the median apart; the line was lifted by 1 %.
        Weight::from_parts(1_060_152_800, 0)
            // Standard error: 2_425_670
            .saturating_add(Weight::from_parts(641_775_717, 0).saturating_mul(a.into()))
            // Standard error: 450_333
            .saturating_add(Weight::from_parts(5_116_839, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(33_u64.saturating_mul(a.into())))
            .saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(l.into())))
            .saturating_add(T::DbWeight::get().writes(15))
            .saturating_add(T::DbWeight::get().writes(32_u64.saturating_mul(a.into())))
    }
    // Assets::Account (r: 188 w: 188)
    // Assets::Asset (r: 47 w: 47)
    // AssetsFreezer::Freezes (r: 94 w: 94)
    // AssetsFreezer::FrozenBalances (r: 141 w: 94)
    // Balances::Freezes (r: 2 w: 2)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 2 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 48 w: 48)
    // Debt::AllowanceUsed (r: 0 w: 2)
    // Debt::Buckets (r: 97 w: 97)
    // Debt::Calendar (r: 387 w: 387)
    // Debt::Debts (r: 97 w: 97)
    // Debt::Outstanding (r: 177 w: 128)
    // Debt::Owed (r: 97 w: 97)
    // Debt::Ring (r: 70 w: 128)
    // Debt::RingLength (r: 1 w: 1)
    // Hubs::Hubs (r: 2 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::OpenedAt (r: 1 w: 1)
    // Insurance::Rows (r: 49 w: 48)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 52 w: 52)
    // System::BlockHash (r: 1 w: 0)
    fn close(a: u32) -> Weight {
        // At least 995_016_000 ps. At the heaviest point the quartiles are 4 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(570_848_448, 0)
            // Standard error: 2_232_072
            .saturating_add(Weight::from_parts(639_051_199, 0).saturating_mul(a.into()))
            .saturating_add(T::DbWeight::get().reads(16))
            .saturating_add(T::DbWeight::get().reads(33_u64.saturating_mul(a.into())))
            .saturating_add(T::DbWeight::get().writes(10))
            .saturating_add(T::DbWeight::get().writes(32_u64.saturating_mul(a.into())))
    }
    // Assets::Account (r: 235 w: 235)
    // Assets::Asset (r: 47 w: 47)
    // AssetsFreezer::Freezes (r: 94 w: 94)
    // AssetsFreezer::FrozenBalances (r: 141 w: 94)
    // Balances::Freezes (r: 2 w: 2)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 2 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 48 w: 48)
    // Debt::AllowanceUsed (r: 0 w: 1)
    // Debt::Buckets (r: 144 w: 144)
    // Debt::Calendar (r: 528 w: 528)
    // Debt::Debts (r: 96 w: 144)
    // Debt::Outstanding (r: 192 w: 96)
    // Debt::Owed (r: 144 w: 144)
    // Debt::Ring (r: 0 w: 49)
    // Debt::RingLength (r: 1 w: 1)
    // Exchange::Owned (r: 48 w: 0)
    // Hubs::Hubs (r: 2 w: 0)
    // Hubs::Reputations (r: 2 w: 2)
    // Insurance::Agenda (r: 0 w: 1)
    // Insurance::AgendaCursor (r: 1 w: 0)
    // Insurance::AgendaLength (r: 1 w: 1)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::OldEpochs (r: 0 w: 1)
    // Insurance::OpenedAt (r: 1 w: 1)
    // Insurance::Rows (r: 49 w: 48)
    // Parameters::Current (r: 1 w: 0)
    // Secrets::Reveals (r: 128 w: 0)
    // System::Account (r: 99 w: 99)
    fn resolve(a: u32, l: u32) -> Weight {
        // At least 1_999_457_000 ps. At the heaviest point the quartiles are 6 % of the median apart; the line was lifted by 1 %.
        Weight::from_parts(724_961_320, 0)
            // Standard error: 2_733_468
            .saturating_add(Weight::from_parts(729_932_948, 0).saturating_mul(a.into()))
            // Standard error: 507_477
            .saturating_add(Weight::from_parts(6_143_071, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(10))
            .saturating_add(T::DbWeight::get().reads(39_u64.saturating_mul(a.into())))
            .saturating_add(T::DbWeight::get().reads(1_u64.saturating_mul(l.into())))
            .saturating_add(T::DbWeight::get().writes(7))
            .saturating_add(T::DbWeight::get().writes(37_u64.saturating_mul(a.into())))
    }
    // Assets::Account (r: 45 w: 45)
    // Assets::Asset (r: 15 w: 15)
    // AssetsFreezer::Freezes (r: 30 w: 30)
    // AssetsFreezer::FrozenBalances (r: 30 w: 30)
    // Balances::Freezes (r: 2 w: 2)
    // Balances::Locks (r: 2 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Debt::AllowanceUsed (r: 0 w: 1)
    // Debt::Buckets (r: 32 w: 32)
    // Debt::Calendar (r: 128 w: 128)
    // Debt::Debts (r: 16 w: 32)
    // Debt::Outstanding (r: 48 w: 32)
    // Debt::Owed (r: 32 w: 32)
    // Debt::Ring (r: 0 w: 17)
    // Debt::RingLength (r: 1 w: 1)
    // Exchange::Owned (r: 16 w: 0)
    // Hubs::Hubs (r: 2 w: 0)
    // Insurance::OldEpochs (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 18 w: 18)
    // System::BlockHash (r: 1 w: 0)
    fn late_claim(a: u32) -> Weight {
        // At least 530_237_000 ps. At the heaviest point the quartiles are 7 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(167_644_777, 0)
            // Standard error: 1_725_063
            .saturating_add(Weight::from_parts(425_704_878, 0).saturating_mul(a.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(26_u64.saturating_mul(a.into())))
            .saturating_add(T::DbWeight::get().writes(26_u64.saturating_mul(a.into())))
    }
    // Clock::Now (r: 1 w: 0)
    // Insurance::Agenda (r: 1 w: 1)
    // Insurance::AgendaCursor (r: 1 w: 1)
    // Insurance::AgendaLength (r: 1 w: 1)
    // Insurance::OldEpochs (r: 0 w: 1)
    fn agenda_step() -> Weight {
        // At least 21_865_000 ps. At the heaviest point the quartiles are 13 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(24_124_000, 0)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(4))
    }
}

// For tests.
impl WeightInfo for () {
    // Aura::Authorities (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Rows (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 5 w: 5)
    fn deposit_native() -> Weight {
        // At least 228_826_000 ps. At the heaviest point the quartiles are 7 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(266_640_000, 0)
            .saturating_add(RocksDbWeight::get().reads(12))
            .saturating_add(RocksDbWeight::get().writes(8))
    }
    // Assets::Account (r: 2 w: 2)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 1 w: 0)
    // Aura::Authorities (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Rows (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 4 w: 3)
    fn deposit_issued() -> Weight {
        // At least 320_245_000 ps. At the heaviest point the quartiles are 10 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(363_279_000, 0)
            .saturating_add(RocksDbWeight::get().reads(15))
            .saturating_add(RocksDbWeight::get().writes(10))
    }
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 0)
    // Insurance::Rows (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 4 w: 2)
    fn redeposit_native() -> Weight {
        // At least 98_804_000 ps. At the heaviest point the quartiles are 16 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(111_989_000, 0)
            .saturating_add(RocksDbWeight::get().reads(9))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    // Assets::Account (r: 2 w: 2)
    // Assets::Asset (r: 1 w: 1)
    // AssetsFreezer::FrozenBalances (r: 1 w: 0)
    // Custody::Held (r: 1 w: 1)
    // Custody::Seeds (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 0)
    // Insurance::Rows (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 0)
    fn redeposit_issued() -> Weight {
        // At least 116_661_000 ps. At the heaviest point the quartiles are 9 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(136_754_000, 0)
            .saturating_add(RocksDbWeight::get().reads(11))
            .saturating_add(RocksDbWeight::get().writes(5))
    }
    // Aura::Authorities (r: 1 w: 0)
    // Debt::AllowanceUsed (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::Hubs (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn new_record() -> Weight {
        // At least 80_012_000 ps. At the heaviest point the quartiles are 8 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(92_254_000, 0)
            .saturating_add(RocksDbWeight::get().reads(8))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
    // Assets::Account (r: 60 w: 60)
    // Assets::Asset (r: 15 w: 15)
    // AssetsFreezer::Freezes (r: 15 w: 15)
    // AssetsFreezer::FrozenBalances (r: 45 w: 15)
    // Balances::Freezes (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 16 w: 16)
    // Debt::AllowanceUsed (r: 0 w: 1)
    // Debt::Buckets (r: 16 w: 16)
    // Debt::Calendar (r: 64 w: 64)
    // Debt::Debts (r: 16 w: 16)
    // Debt::Outstanding (r: 56 w: 24)
    // Debt::Owed (r: 16 w: 16)
    // Debt::Ring (r: 13 w: 24)
    // Debt::RingLength (r: 1 w: 1)
    // Hubs::Hubs (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Rows (r: 16 w: 16)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 19 w: 19)
    // System::BlockHash (r: 1 w: 0)
    fn withdraw(n: u32) -> Weight {
        // At least 453_147_000 ps. At the heaviest point the quartiles are 5 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(176_207_768, 0)
            // Standard error: 2_362_344
            .saturating_add(Weight::from_parts(412_065_452, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(2))
            .saturating_add(RocksDbWeight::get().reads(24_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().writes(1))
            .saturating_add(RocksDbWeight::get().writes(20_u64.saturating_mul(n.into())))
    }
    // Assets::Account (r: 30 w: 30)
    // Assets::Asset (r: 15 w: 15)
    // AssetsFreezer::FrozenBalances (r: 15 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 16 w: 16)
    // Debt::Outstanding (r: 16 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Rows (r: 16 w: 16)
    // System::Account (r: 2 w: 2)
    // System::BlockHash (r: 1 w: 0)
    fn withdraw_insured(n: u32) -> Weight {
        // At least 146_587_000 ps. At the heaviest point the quartiles are 11 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(110_968_772, 0)
            // Standard error: 733_658
            .saturating_add(Weight::from_parts(90_882_871, 0).saturating_mul(n.into()))
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().reads(7_u64.saturating_mul(n.into())))
            .saturating_add(RocksDbWeight::get().writes(5_u64.saturating_mul(n.into())))
    }
    // Aura::Authorities (r: 1 w: 0)
    // Balances::Holds (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Debt::AllowanceUsed (r: 1 w: 1)
    // Debt::Outstanding (r: 1 w: 0)
    // Hubs::Hubs (r: 2 w: 0)
    // Insurance::Agenda (r: 0 w: 1)
    // Insurance::AgendaCursor (r: 1 w: 0)
    // Insurance::AgendaLength (r: 1 w: 1)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::OpenedAt (r: 1 w: 1)
    // Insurance::Rows (r: 17 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    // System::BlockHash (r: 1 w: 0)
    fn dispute(s: u32, l: u32) -> Weight {
        // At least 311_529_000 ps. At the heaviest point the quartiles are 5 % of the median apart; the line was lifted by 3 %.
        Weight::from_parts(311_310_976, 0)
            // Standard error: 3_280_859
            .saturating_add(Weight::from_parts(31_921_680, 0).saturating_mul(s.into()))
            // Standard error: 36_152
            .saturating_add(Weight::from_parts(378_078, 0).saturating_mul(l.into()))
            .saturating_add(RocksDbWeight::get().reads(33))
            .saturating_add(RocksDbWeight::get().writes(9))
    }
    // Clock::Now (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 0)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::Rows (r: 17 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::BlockHash (r: 1 w: 0)
    fn counter(s: u32, l: u32) -> Weight {
        // At least 159_544_000 ps. At the heaviest point the quartiles are 13 % of the median apart; the line was lifted by 2 %.
        Weight::from_parts(111_142_912, 0)
            // Standard error: 4_388_001
            .saturating_add(Weight::from_parts(59_830_292, 0).saturating_mul(s.into()))
            // Standard error: 23_151
            .saturating_add(Weight::from_parts(109_668, 0).saturating_mul(l.into()))
            .saturating_add(RocksDbWeight::get().reads(22))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    // Clock::Now (r: 1 w: 0)
    // Insurance::Channels (r: 1 w: 0)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::Rows (r: 17 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::BlockHash (r: 1 w: 0)
    fn counter_for(s: u32, l: u32) -> Weight {
        // At least 219_603_000 ps. At the heaviest point the quartiles are 9 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(110_294_927, 0)
            // Standard error: 5_477_704
            .saturating_add(Weight::from_parts(106_736_355, 0).saturating_mul(s.into()))
            // Standard error: 28_900
            .saturating_add(Weight::from_parts(212_781, 0).saturating_mul(l.into()))
            .saturating_add(RocksDbWeight::get().reads(22))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    // Assets::Account (r: 188 w: 188)
    // Assets::Asset (r: 47 w: 47)
    // AssetsFreezer::Freezes (r: 94 w: 94)
    // AssetsFreezer::FrozenBalances (r: 141 w: 94)
    // Balances::Freezes (r: 2 w: 2)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 2 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 48 w: 48)
    // Debt::AllowanceUsed (r: 0 w: 2)
    // Debt::Buckets (r: 97 w: 97)
    // Debt::Calendar (r: 387 w: 387)
    // Debt::Debts (r: 97 w: 97)
    // Debt::Outstanding (r: 177 w: 128)
    // Debt::Owed (r: 97 w: 97)
    // Debt::Ring (r: 70 w: 128)
    // Debt::RingLength (r: 1 w: 1)
    // Hubs::Hubs (r: 2 w: 0)
    // Hubs::Reputations (r: 2 w: 2)
    // Insurance::Agenda (r: 0 w: 1)
    // Insurance::AgendaCursor (r: 1 w: 0)
    // Insurance::AgendaLength (r: 1 w: 1)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::OldEpochs (r: 0 w: 1)
    // Insurance::OpenedAt (r: 1 w: 1)
    // Insurance::Rows (r: 49 w: 48)
    // Parameters::Current (r: 1 w: 0)
    // Secrets::Reveals (r: 128 w: 0)
    // System::Account (r: 52 w: 52)
    fn accept(a: u32, l: u32) -> Weight {
        // At least 2_510_795_000 ps. At the heaviest point the quartiles are 5 % of the median apart; the line was lifted by 1 %.
        Weight::from_parts(1_060_152_800, 0)
            // Standard error: 2_425_670
            .saturating_add(Weight::from_parts(641_775_717, 0).saturating_mul(a.into()))
            // Standard error: 450_333
            .saturating_add(Weight::from_parts(5_116_839, 0).saturating_mul(l.into()))
            .saturating_add(RocksDbWeight::get().reads(33_u64.saturating_mul(a.into())))
            .saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(l.into())))
            .saturating_add(RocksDbWeight::get().writes(15))
            .saturating_add(RocksDbWeight::get().writes(32_u64.saturating_mul(a.into())))
    }
    // Assets::Account (r: 188 w: 188)
    // Assets::Asset (r: 47 w: 47)
    // AssetsFreezer::Freezes (r: 94 w: 94)
    // AssetsFreezer::FrozenBalances (r: 141 w: 94)
    // Balances::Freezes (r: 2 w: 2)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 2 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 48 w: 48)
    // Debt::AllowanceUsed (r: 0 w: 2)
    // Debt::Buckets (r: 97 w: 97)
    // Debt::Calendar (r: 387 w: 387)
    // Debt::Debts (r: 97 w: 97)
    // Debt::Outstanding (r: 177 w: 128)
    // Debt::Owed (r: 97 w: 97)
    // Debt::Ring (r: 70 w: 128)
    // Debt::RingLength (r: 1 w: 1)
    // Hubs::Hubs (r: 2 w: 0)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::OpenedAt (r: 1 w: 1)
    // Insurance::Rows (r: 49 w: 48)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 52 w: 52)
    // System::BlockHash (r: 1 w: 0)
    fn close(a: u32) -> Weight {
        // At least 995_016_000 ps. At the heaviest point the quartiles are 4 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(570_848_448, 0)
            // Standard error: 2_232_072
            .saturating_add(Weight::from_parts(639_051_199, 0).saturating_mul(a.into()))
            .saturating_add(RocksDbWeight::get().reads(16))
            .saturating_add(RocksDbWeight::get().reads(33_u64.saturating_mul(a.into())))
            .saturating_add(RocksDbWeight::get().writes(10))
            .saturating_add(RocksDbWeight::get().writes(32_u64.saturating_mul(a.into())))
    }
    // Assets::Account (r: 235 w: 235)
    // Assets::Asset (r: 47 w: 47)
    // AssetsFreezer::Freezes (r: 94 w: 94)
    // AssetsFreezer::FrozenBalances (r: 141 w: 94)
    // Balances::Freezes (r: 2 w: 2)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 2 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Custody::Held (r: 48 w: 48)
    // Debt::AllowanceUsed (r: 0 w: 1)
    // Debt::Buckets (r: 144 w: 144)
    // Debt::Calendar (r: 528 w: 528)
    // Debt::Debts (r: 96 w: 144)
    // Debt::Outstanding (r: 192 w: 96)
    // Debt::Owed (r: 144 w: 144)
    // Debt::Ring (r: 0 w: 49)
    // Debt::RingLength (r: 1 w: 1)
    // Exchange::Owned (r: 48 w: 0)
    // Hubs::Hubs (r: 2 w: 0)
    // Hubs::Reputations (r: 2 w: 2)
    // Insurance::Agenda (r: 0 w: 1)
    // Insurance::AgendaCursor (r: 1 w: 0)
    // Insurance::AgendaLength (r: 1 w: 1)
    // Insurance::Channels (r: 1 w: 1)
    // Insurance::Disputes (r: 1 w: 1)
    // Insurance::OldEpochs (r: 0 w: 1)
    // Insurance::OpenedAt (r: 1 w: 1)
    // Insurance::Rows (r: 49 w: 48)
    // Parameters::Current (r: 1 w: 0)
    // Secrets::Reveals (r: 128 w: 0)
    // System::Account (r: 99 w: 99)
    fn resolve(a: u32, l: u32) -> Weight {
        // At least 1_999_457_000 ps. At the heaviest point the quartiles are 6 % of the median apart; the line was lifted by 1 %.
        Weight::from_parts(724_961_320, 0)
            // Standard error: 2_733_468
            .saturating_add(Weight::from_parts(729_932_948, 0).saturating_mul(a.into()))
            // Standard error: 507_477
            .saturating_add(Weight::from_parts(6_143_071, 0).saturating_mul(l.into()))
            .saturating_add(RocksDbWeight::get().reads(10))
            .saturating_add(RocksDbWeight::get().reads(39_u64.saturating_mul(a.into())))
            .saturating_add(RocksDbWeight::get().reads(1_u64.saturating_mul(l.into())))
            .saturating_add(RocksDbWeight::get().writes(7))
            .saturating_add(RocksDbWeight::get().writes(37_u64.saturating_mul(a.into())))
    }
    // Assets::Account (r: 45 w: 45)
    // Assets::Asset (r: 15 w: 15)
    // AssetsFreezer::Freezes (r: 30 w: 30)
    // AssetsFreezer::FrozenBalances (r: 30 w: 30)
    // Balances::Freezes (r: 2 w: 2)
    // Balances::Locks (r: 2 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Debt::AllowanceUsed (r: 0 w: 1)
    // Debt::Buckets (r: 32 w: 32)
    // Debt::Calendar (r: 128 w: 128)
    // Debt::Debts (r: 16 w: 32)
    // Debt::Outstanding (r: 48 w: 32)
    // Debt::Owed (r: 32 w: 32)
    // Debt::Ring (r: 0 w: 17)
    // Debt::RingLength (r: 1 w: 1)
    // Exchange::Owned (r: 16 w: 0)
    // Hubs::Hubs (r: 2 w: 0)
    // Insurance::OldEpochs (r: 1 w: 1)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 18 w: 18)
    // System::BlockHash (r: 1 w: 0)
    fn late_claim(a: u32) -> Weight {
        // At least 530_237_000 ps. At the heaviest point the quartiles are 7 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(167_644_777, 0)
            // Standard error: 1_725_063
            .saturating_add(Weight::from_parts(425_704_878, 0).saturating_mul(a.into()))
            .saturating_add(RocksDbWeight::get().reads(5))
            .saturating_add(RocksDbWeight::get().reads(26_u64.saturating_mul(a.into())))
            .saturating_add(RocksDbWeight::get().writes(26_u64.saturating_mul(a.into())))
    }
    // Clock::Now (r: 1 w: 0)
    // Insurance::Agenda (r: 1 w: 1)
    // Insurance::AgendaCursor (r: 1 w: 1)
    // Insurance::AgendaLength (r: 1 w: 1)
    // Insurance::OldEpochs (r: 0 w: 1)
    fn agenda_step() -> Weight {
        // At least 21_865_000 ps. At the heaviest point the quartiles are 13 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(24_124_000, 0)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(4))
    }
}
