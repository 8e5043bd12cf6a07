//! Weights of `pallet_governance`, estimated until `make weights` has measured them.

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

/// As estimated, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn propose() -> Weight {
        weight(200_000_000, T::DbWeight::get().reads_writes(7, 7))
    }
    fn vote() -> Weight {
        weight(100_000_000, T::DbWeight::get().reads_writes(3, 1))
    }
    fn conclude() -> Weight {
        weight(1_000_000_000, T::DbWeight::get().reads_writes(80, 45))
    }
    fn cancel() -> Weight {
        weight(1_000_000_000, T::DbWeight::get().reads_writes(60, 45))
    }
    fn set_validators() -> Weight {
        weight(200_000_000, T::DbWeight::get().reads_writes(2, 1))
    }
    fn set_voting_period() -> Weight {
        weight(20_000_000, T::DbWeight::get().writes(1))
    }
    fn agenda() -> Weight {
        weight(20_000_000, T::DbWeight::get().reads(2))
    }
    fn border() -> Weight {
        weight(10_000_000, T::DbWeight::get().reads(1))
    }
    fn change_set() -> Weight {
        weight(1_000_000_000, T::DbWeight::get().reads_writes(8, 12))
    }
}

impl WeightInfo for () {
    fn propose() -> Weight {
        weight(200_000_000, RocksDbWeight::get().reads_writes(7, 7))
    }
    fn vote() -> Weight {
        weight(100_000_000, RocksDbWeight::get().reads_writes(3, 1))
    }
    fn conclude() -> Weight {
        weight(1_000_000_000, RocksDbWeight::get().reads_writes(80, 45))
    }
    fn cancel() -> Weight {
        weight(1_000_000_000, RocksDbWeight::get().reads_writes(60, 45))
    }
    fn set_validators() -> Weight {
        weight(200_000_000, RocksDbWeight::get().reads_writes(2, 1))
    }
    fn set_voting_period() -> Weight {
        weight(20_000_000, RocksDbWeight::get().writes(1))
    }
    fn agenda() -> Weight {
        weight(20_000_000, RocksDbWeight::get().reads(2))
    }
    fn border() -> Weight {
        weight(10_000_000, RocksDbWeight::get().reads(1))
    }
    fn change_set() -> Weight {
        weight(1_000_000_000, RocksDbWeight::get().reads_writes(8, 12))
    }
}

fn weight(ref_time: u64, database: Weight) -> Weight {
    Weight::from_parts(ref_time, 0).saturating_add(database)
}
