//! Weights of `pallet_governance`, **measured**. Written by `make weights`: do not edit.
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

/// Weights of `pallet_governance`.
pub trait WeightInfo {
    /// `propose`.
    fn propose() -> Weight;
    /// `vote`.
    fn vote() -> Weight;
    /// `conclude`.
    fn conclude() -> Weight;
    /// `cancel`.
    fn cancel() -> Weight;
    /// `set_validators`.
    fn set_validators() -> Weight;
    /// `set_voting_period`.
    fn set_voting_period() -> Weight;
    /// `agenda`.
    fn agenda() -> Weight;
    /// `border`.
    fn border() -> Weight;
    /// `change_set`.
    fn change_set() -> Weight;
}

/// As measured, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Balances::Holds (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Governance::Agenda (r: 1 w: 1)
    // Governance::Calls (r: 0 w: 1)
    // Governance::NextProposal (r: 1 w: 1)
    // Governance::Proposals (r: 0 w: 1)
    // Governance::VotingPeriod (r: 1 w: 0)
    // System::Account (r: 1 w: 1)
    fn propose() -> Weight {
        // At least 77_979_000 ps. At the heaviest point the quartiles are 33 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(90_486_000, 0)
            .saturating_add(T::DbWeight::get().reads(7))
            .saturating_add(T::DbWeight::get().writes(6))
    }
    // Clock::Now (r: 1 w: 0)
    // Governance::Current (r: 1 w: 0)
    // Governance::Proposals (r: 1 w: 0)
    // Governance::Votes (r: 0 w: 1)
    fn vote() -> Weight {
        // At least 35_093_000 ps. At the heaviest point the quartiles are 130 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(47_706_000, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Balances::Freezes (r: 1 w: 1)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 0)
    // Debt::Debts (r: 1 w: 1)
    // Debt::Outstanding (r: 2 w: 1)
    // Debt::Owed (r: 1 w: 1)
    // Governance::Agenda (r: 1 w: 1)
    // Governance::Calls (r: 1 w: 1)
    // Governance::Current (r: 1 w: 0)
    // Governance::Proposals (r: 1 w: 1)
    // Governance::Votes (r: 33 w: 32)
    // Hubs::Hubs (r: 1 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn conclude() -> Weight {
        // At least 609_814_000 ps. At the heaviest point the quartiles are 3 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(624_397_000, 0)
            .saturating_add(T::DbWeight::get().reads(54))
            .saturating_add(T::DbWeight::get().writes(43))
    }
    // Balances::Freezes (r: 1 w: 1)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 0)
    // Debt::Debts (r: 1 w: 1)
    // Debt::Outstanding (r: 2 w: 1)
    // Debt::Owed (r: 1 w: 1)
    // Governance::Agenda (r: 1 w: 1)
    // Governance::Calls (r: 0 w: 1)
    // Governance::Proposals (r: 1 w: 1)
    // Governance::Votes (r: 33 w: 32)
    // Hubs::Hubs (r: 1 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn cancel() -> Weight {
        // At least 452_133_000 ps. At the heaviest point the quartiles are 9 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(536_946_000, 0)
            .saturating_add(T::DbWeight::get().reads(51))
            .saturating_add(T::DbWeight::get().writes(43))
    }
    // Governance::Current (r: 1 w: 0)
    // Governance::Planned (r: 0 w: 1)
    fn set_validators() -> Weight {
        // At least 43_309_000 ps. At the heaviest point the quartiles are 115 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(53_025_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Governance::VotingPeriod (r: 0 w: 1)
    fn set_voting_period() -> Weight {
        // At least 5_933_000 ps. At the heaviest point the quartiles are 178 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(8_255_000, 0).saturating_add(T::DbWeight::get().writes(1))
    }
    // Clock::Now (r: 1 w: 0)
    // Governance::Agenda (r: 1 w: 0)
    fn agenda() -> Weight {
        // At least 5_445_000 ps. At the heaviest point the quartiles are 40 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(6_836_000, 0).saturating_add(T::DbWeight::get().reads(2))
    }
    // Governance::Planned (r: 1 w: 0)
    fn border() -> Weight {
        // At least 16_247_000 ps. At the heaviest point the quartiles are 38 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(18_447_000, 0).saturating_add(T::DbWeight::get().reads(1))
    }
    // Aura::Authorities (r: 0 w: 1)
    // Governance::Current (r: 0 w: 1)
    // Governance::Planned (r: 1 w: 1)
    // Governance::Sets (r: 0 w: 1)
    // Grandpa::CurrentSetId (r: 1 w: 1)
    // Grandpa::PendingChange (r: 1 w: 1)
    // Grandpa::SetIdSession (r: 0 w: 1)
    // Grandpa::Stalled (r: 1 w: 1)
    fn change_set() -> Weight {
        // At least 65_725_000 ps. At the heaviest point the quartiles are 71 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(86_332_000, 0)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(8))
    }
}

// For tests.
impl WeightInfo for () {
    // Balances::Holds (r: 1 w: 1)
    // Clock::Now (r: 1 w: 0)
    // Debt::Outstanding (r: 1 w: 0)
    // Governance::Agenda (r: 1 w: 1)
    // Governance::Calls (r: 0 w: 1)
    // Governance::NextProposal (r: 1 w: 1)
    // Governance::Proposals (r: 0 w: 1)
    // Governance::VotingPeriod (r: 1 w: 0)
    // System::Account (r: 1 w: 1)
    fn propose() -> Weight {
        // At least 77_979_000 ps. At the heaviest point the quartiles are 33 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(90_486_000, 0)
            .saturating_add(RocksDbWeight::get().reads(7))
            .saturating_add(RocksDbWeight::get().writes(6))
    }
    // Clock::Now (r: 1 w: 0)
    // Governance::Current (r: 1 w: 0)
    // Governance::Proposals (r: 1 w: 0)
    // Governance::Votes (r: 0 w: 1)
    fn vote() -> Weight {
        // At least 35_093_000 ps. At the heaviest point the quartiles are 130 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(47_706_000, 0)
            .saturating_add(RocksDbWeight::get().reads(3))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    // Balances::Freezes (r: 1 w: 1)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
    // Clock::Now (r: 1 w: 0)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 0)
    // Debt::Debts (r: 1 w: 1)
    // Debt::Outstanding (r: 2 w: 1)
    // Debt::Owed (r: 1 w: 1)
    // Governance::Agenda (r: 1 w: 1)
    // Governance::Calls (r: 1 w: 1)
    // Governance::Current (r: 1 w: 0)
    // Governance::Proposals (r: 1 w: 1)
    // Governance::Votes (r: 33 w: 32)
    // Hubs::Hubs (r: 1 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn conclude() -> Weight {
        // At least 609_814_000 ps. At the heaviest point the quartiles are 3 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(624_397_000, 0)
            .saturating_add(RocksDbWeight::get().reads(54))
            .saturating_add(RocksDbWeight::get().writes(43))
    }
    // Balances::Freezes (r: 1 w: 1)
    // Balances::Holds (r: 1 w: 1)
    // Balances::Locks (r: 1 w: 0)
    // Debt::Buckets (r: 1 w: 1)
    // Debt::Calendar (r: 4 w: 0)
    // Debt::Debts (r: 1 w: 1)
    // Debt::Outstanding (r: 2 w: 1)
    // Debt::Owed (r: 1 w: 1)
    // Governance::Agenda (r: 1 w: 1)
    // Governance::Calls (r: 0 w: 1)
    // Governance::Proposals (r: 1 w: 1)
    // Governance::Votes (r: 33 w: 32)
    // Hubs::Hubs (r: 1 w: 0)
    // Parameters::Current (r: 1 w: 0)
    // System::Account (r: 2 w: 2)
    fn cancel() -> Weight {
        // At least 452_133_000 ps. At the heaviest point the quartiles are 9 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(536_946_000, 0)
            .saturating_add(RocksDbWeight::get().reads(51))
            .saturating_add(RocksDbWeight::get().writes(43))
    }
    // Governance::Current (r: 1 w: 0)
    // Governance::Planned (r: 0 w: 1)
    fn set_validators() -> Weight {
        // At least 43_309_000 ps. At the heaviest point the quartiles are 115 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(53_025_000, 0)
            .saturating_add(RocksDbWeight::get().reads(1))
            .saturating_add(RocksDbWeight::get().writes(1))
    }
    // Governance::VotingPeriod (r: 0 w: 1)
    fn set_voting_period() -> Weight {
        // At least 5_933_000 ps. At the heaviest point the quartiles are 178 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(8_255_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }
    // Clock::Now (r: 1 w: 0)
    // Governance::Agenda (r: 1 w: 0)
    fn agenda() -> Weight {
        // At least 5_445_000 ps. At the heaviest point the quartiles are 40 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(6_836_000, 0).saturating_add(RocksDbWeight::get().reads(2))
    }
    // Governance::Planned (r: 1 w: 0)
    fn border() -> Weight {
        // At least 16_247_000 ps. At the heaviest point the quartiles are 38 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(18_447_000, 0).saturating_add(RocksDbWeight::get().reads(1))
    }
    // Aura::Authorities (r: 0 w: 1)
    // Governance::Current (r: 0 w: 1)
    // Governance::Planned (r: 1 w: 1)
    // Governance::Sets (r: 0 w: 1)
    // Grandpa::CurrentSetId (r: 1 w: 1)
    // Grandpa::PendingChange (r: 1 w: 1)
    // Grandpa::SetIdSession (r: 0 w: 1)
    // Grandpa::Stalled (r: 1 w: 1)
    fn change_set() -> Weight {
        // At least 65_725_000 ps. At the heaviest point the quartiles are 71 % of the median apart; the line was lifted by 0 %.
        Weight::from_parts(86_332_000, 0)
            .saturating_add(RocksDbWeight::get().reads(4))
            .saturating_add(RocksDbWeight::get().writes(8))
    }
}
