//! Weights of `pallet_exchange`, estimated until `make weights` has measured them.

#![allow(clippy::unnecessary_cast, reason = "generated")]

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::RocksDbWeight, Weight},
};

/// Weights of `pallet_exchange`.
pub trait WeightInfo {
    /// `place`.
    fn place(m: u32) -> Weight;
    /// `cancel`.
    fn cancel() -> Weight;
    /// `recall`.
    fn recall(n: u32) -> Weight;
}

/// As estimated, with the database of the runtime `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn place(m: u32) -> Weight {
        weight(300_000_000, T::DbWeight::get().reads_writes(20, 16)).saturating_add(
            weight(500_000_000, T::DbWeight::get().reads_writes(32, 30)).saturating_mul(m.into()),
        )
    }
    fn cancel() -> Weight {
        weight(500_000_000, T::DbWeight::get().reads_writes(32, 30))
    }
    fn recall(n: u32) -> Weight {
        weight(10_000_000, T::DbWeight::get().reads(1)).saturating_add(
            weight(500_000_000, T::DbWeight::get().reads_writes(34, 31)).saturating_mul(n.into()),
        )
    }
}

impl WeightInfo for () {
    fn place(m: u32) -> Weight {
        weight(300_000_000, RocksDbWeight::get().reads_writes(20, 16)).saturating_add(
            weight(500_000_000, RocksDbWeight::get().reads_writes(32, 30)).saturating_mul(m.into()),
        )
    }
    fn cancel() -> Weight {
        weight(500_000_000, RocksDbWeight::get().reads_writes(32, 30))
    }
    fn recall(n: u32) -> Weight {
        weight(10_000_000, RocksDbWeight::get().reads(1)).saturating_add(
            weight(500_000_000, RocksDbWeight::get().reads_writes(34, 31)).saturating_mul(n.into()),
        )
    }
}

fn weight(ref_time: u64, database: Weight) -> Weight {
    Weight::from_parts(ref_time, 0).saturating_add(database)
}
