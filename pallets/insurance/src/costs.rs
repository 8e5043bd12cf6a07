//! What the calls cost, put together from what was measured.

use crate::{weights::WeightInfo, MAX_OUTCOMES};
use failsafe_primitives::{
    evidence::OwnSimplex,
    simplex::{MAX_ASSETS, MAX_LOCKS_HUBS},
    AssetId, Evidence, Simplex, TwiceSigned, NATIVE_ASSET,
};
use frame_support::weights::Weight;

/// Length of a bounded list.
pub(crate) fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

/// Size of the evidence that a call brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Simplexes.
    pub simplexes: u32,
    /// Entries of all.
    pub entries: u32,
    /// Locks of all.
    pub locks: u32,
}

impl Size {
    /// Of these simplexes.
    pub fn of<'a>(simplexes: impl Iterator<Item = &'a Simplex>) -> Self {
        simplexes.fold(Self::default(), |size, simplex| Self {
            simplexes: size.simplexes.saturating_add(1),
            entries: size.entries.saturating_add(count(&simplex.entries)),
            locks: simplex
                .entries
                .iter()
                .fold(size.locks, |locks, entry| locks.saturating_add(count(&entry.locks))),
        })
    }

    /// Of the evidence of a party.
    pub fn of_evidence(evidence: &Evidence) -> Self {
        let theirs = evidence.theirs.as_ref().map(|signed| &signed.simplex);
        let (ours, older) = match &evidence.ours {
            None => (None, None),
            Some(OwnSimplex::Acked { simplex, .. }) => (Some(simplex), None),
            Some(OwnSimplex::Unacked { simplex, acked }) => {
                (Some(simplex), acked.as_ref().map(|(older, _)| older))
            },
        };
        Self::of(theirs.into_iter().chain(ours).chain(older))
    }

    /// Of simplexes with both signatures.
    pub fn of_twice_signed(simplexes: &[TwiceSigned]) -> Self {
        Self::of(simplexes.iter().map(|signed| &signed.simplex))
    }
}

/// Weights of the calls before they run, the worst that they can turn out to be.
pub trait Costs: WeightInfo {
    /// `deposit`, with the fee for a new record, a new row, a top-up of who is new, and the seed
    /// of custody.
    fn deposit(asset: AssetId) -> Weight {
        if asset == NATIVE_ASSET {
            Self::deposit_native()
        } else {
            Self::deposit_issued()
        }
    }

    /// `deposit` when none of that was needed.
    fn redeposit(asset: AssetId) -> Weight {
        if asset == NATIVE_ASSET {
            Self::redeposit_native()
        } else {
            Self::redeposit_issued()
        }
    }

    /// `dispute`, which acts as `counter` if there is one, with the resolve that it prepays (M15).
    fn dispute_and_resolve(size: Size) -> Weight {
        let Size { simplexes, locks, .. } = size;
        let call = Self::dispute(simplexes, locks).max(Self::counter(simplexes, locks));
        call.saturating_add(Self::prepaid(size))
    }

    /// `counter`, with the resolve that it makes heavier.
    fn counter_and_resolve(size: Size) -> Weight {
        Self::counter(size.simplexes, size.locks).saturating_add(Self::prepaid(size))
    }

    /// `counter_for`, with the resolve that it makes heavier.
    fn counter_for_and_resolve(size: Size) -> Weight {
        Self::counter_for(size.simplexes, size.locks).saturating_add(Self::prepaid(size))
    }

    /// A resolve over evidence of this size, and over rows that may name as many assets again.
    fn prepaid(size: Size) -> Weight {
        Self::resolve(size.entries.saturating_add(MAX_ASSETS).min(MAX_OUTCOMES), size.locks)
    }

    /// The heaviest resolve that fits the bounds.
    fn worst_resolve() -> Weight {
        Self::resolve(MAX_OUTCOMES, 2 * MAX_LOCKS_HUBS)
    }

    /// The heaviest `accept` that fits the bounds.
    fn worst_accept() -> Weight {
        Self::accept(MAX_OUTCOMES, 2 * MAX_LOCKS_HUBS)
    }

    /// `close` that names `assets` assets, of a channel without a record, with rows in as many
    /// assets as there can be beside them.
    fn worst_close(assets: u32) -> Weight {
        Self::close(assets.saturating_add(MAX_ASSETS)).saturating_add(Self::new_record())
    }

    /// The heaviest dispute that fits the bounds.
    fn worst_dispute() -> Weight {
        Self::dispute(3, 3 * MAX_LOCKS_HUBS).saturating_add(Self::worst_resolve())
    }
}

impl<W: WeightInfo> Costs for W {}
