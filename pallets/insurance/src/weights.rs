//! Weights of the calls: **hand-estimated** from their storage accesses and signatures, to be
//! replaced by benchmarks.

use crate::MAX_OUTCOMES;
use failsafe_primitives::{
    evidence::OwnSimplex,
    simplex::{MAX_ASSETS, MAX_LOCKS_HUBS},
    Evidence, Simplex, TwiceSigned,
};
use frame_support::{
    traits::Get,
    weights::{RuntimeDbWeight, Weight},
};

/// Length of a bounded list.
pub(crate) fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

/// Weights of the calls.
pub trait WeightInfo {
    /// `deposit`, with the fee for a new record, a new row and a top-up.
    fn deposit() -> Weight;
    /// `withdraw` of `assets` assets.
    fn withdraw(assets: u32) -> Weight;
    /// `dispute` or `counter` with simplexes that have `signatures` signatures and `locks` locks.
    fn dispute(signatures: u32, locks: u32) -> Weight;
    /// Carrying out a dispute over `assets` assets and `locks` locks.
    fn resolve(assets: u32, locks: u32) -> Weight;
    /// `accept`, or the like, without what carrying out costs.
    fn settle() -> Weight;
    /// `close` that names `assets` assets.
    fn close(assets: u32) -> Weight;
    /// `late_claim` with `assets` entries.
    fn late_claim(assets: u32) -> Weight;
    /// Looking at one slot or one entry of the agenda.
    fn agenda_step() -> Weight;

    /// `dispute` or `counter`, with the resolve that it prepays (M15).
    fn dispute_and_resolve(evidence: &Evidence) -> Weight {
        let theirs = evidence.theirs.as_ref().map(|signed| &signed.simplex);
        let (ours, older) = match &evidence.ours {
            None => (None, None),
            Some(OwnSimplex::Acked { simplex, .. }) => (Some(simplex), None),
            Some(OwnSimplex::Unacked { simplex, acked }) => {
                (Some(simplex), acked.as_ref().map(|(older, _)| older))
            },
        };
        Self::prepaid(theirs.into_iter().chain(ours).chain(older))
    }

    /// `counter_for`, with the resolve that it makes heavier.
    fn counter_for(simplexes: &[TwiceSigned]) -> Weight {
        // Two signatures each.
        let each = simplexes.iter().map(|signed| &signed.simplex);
        Self::prepaid(each.clone().chain(each))
    }

    /// The heaviest resolve that fits the bounds.
    fn worst_resolve() -> Weight {
        Self::resolve(MAX_OUTCOMES, 2 * MAX_LOCKS_HUBS)
    }

    /// The heaviest dispute that fits the bounds.
    fn worst_dispute() -> Weight {
        Self::dispute(3, 3 * MAX_LOCKS_HUBS).saturating_add(Self::worst_resolve())
    }

    /// A dispute with these simplexes, one signature each, and its resolve, whose rows may name
    /// as many assets again.
    fn prepaid<'a>(simplexes: impl Iterator<Item = &'a Simplex>) -> Weight {
        let (mut signatures, mut assets, mut locks) = (0u32, MAX_ASSETS, 0u32);
        for simplex in simplexes {
            signatures = signatures.saturating_add(1);
            assets = assets.saturating_add(count(&simplex.entries));
            let each = simplex.entries.iter().map(|entry| count(&entry.locks));
            locks = each.fold(locks, u32::saturating_add);
        }
        Self::dispute(signatures, locks).saturating_add(Self::resolve(assets, locks))
    }
}

/// One signature: verification and hashing.
const SIGNATURE: Weight = Weight::from_parts(60_000_000, 0);
/// One lock: hashing and comparing.
const LOCK: Weight = Weight::from_parts(1_000_000, 0);
/// Computation beside storage and signatures.
const COMPUTE: Weight = Weight::from_parts(30_000_000, 0);

/// Hand-estimated for a database whose accesses cost `Db`.
pub struct HandEstimated<Db>(core::marker::PhantomData<Db>);

impl<Db: Get<RuntimeDbWeight>> WeightInfo for HandEstimated<Db> {
    fn deposit() -> Weight {
        // The record and its fee, the row among up to 15 others (a key and a value each), custody
        // with touch, seed and an exact transfer, two accounts topped up.
        COMPUTE.saturating_mul(4).saturating_add(Db::get().reads_writes(66, 26))
    }
    fn withdraw(assets: u32) -> Weight {
        // Custody, two exact transfers, the row, the partner's debts, a debt of the receiver.
        let asset = COMPUTE.saturating_mul(2).saturating_add(Db::get().reads_writes(38, 28));
        SIGNATURE
            .saturating_add(Db::get().reads_writes(3, 1))
            .saturating_add(asset.saturating_mul(assets.into()))
    }
    fn dispute(signatures: u32, locks: u32) -> Weight {
        COMPUTE
            .saturating_add(SIGNATURE.saturating_mul(signatures.into()))
            .saturating_add(LOCK.saturating_mul(locks.into()))
            // The dispute and the rows, of which there are at most 15 (a key and a value each).
            .saturating_add(Db::get().reads_writes(44, 9))
    }
    fn resolve(assets: u32, locks: u32) -> Weight {
        // Row, custody, two accounts, two unclaimed, and three payments of debts.
        let asset = COMPUTE.saturating_add(Db::get().reads_writes(58, 48));
        let lock = LOCK.saturating_add(Db::get().reads(1));
        COMPUTE
            .saturating_add(Db::get().reads_writes(8, 8))
            .saturating_add(asset.saturating_mul(assets.into()))
            .saturating_add(lock.saturating_mul(locks.into()))
    }
    fn settle() -> Weight {
        // The dispute, the record, the rows.
        COMPUTE.saturating_add(Db::get().reads_writes(36, 4))
    }
    fn close(assets: u32) -> Weight {
        SIGNATURE
            .saturating_add(Self::settle())
            .saturating_add(Self::resolve(assets.saturating_add(MAX_ASSETS), 0))
    }
    fn late_claim(assets: u32) -> Weight {
        let asset = COMPUTE.saturating_add(Db::get().reads_writes(28, 24));
        SIGNATURE
            .saturating_add(Db::get().reads_writes(4, 1))
            .saturating_add(asset.saturating_mul(assets.into()))
    }
    fn agenda_step() -> Weight {
        Weight::from_parts(5_000_000, 0).saturating_add(Db::get().reads_writes(3, 3))
    }
}

impl WeightInfo for () {
    fn deposit() -> Weight {
        Weight::from_parts(1_000, 0)
    }
    fn withdraw(_: u32) -> Weight {
        Weight::from_parts(1_000, 0)
    }
    fn dispute(_: u32, _: u32) -> Weight {
        Weight::from_parts(1_000, 0)
    }
    fn resolve(_: u32, _: u32) -> Weight {
        Weight::from_parts(1_000, 0)
    }
    fn settle() -> Weight {
        Weight::from_parts(1_000, 0)
    }
    fn close(_: u32) -> Weight {
        Weight::from_parts(1_000, 0)
    }
    fn late_claim(_: u32) -> Weight {
        Weight::from_parts(1_000, 0)
    }
    fn agenda_step() -> Weight {
        Weight::from_parts(1_000, 0)
    }
}
