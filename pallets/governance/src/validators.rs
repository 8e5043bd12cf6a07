//! Sets of validators: what is a safe one, whose slots are whose, and how shares are lost.

use crate::{Finalizers, Validator, Validators, MAX_SHARES};
use alloc::{collections::BTreeSet, vec::Vec};
use sp_core::sr25519;

/// Sets of this size or more know the limit of one third.
pub(crate) const CAPPED: usize = 3;

/// Why a set is not safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetError {
    /// Nobody is in it.
    NoValidators,
    /// Somebody has no share.
    NoShares,
    /// All have more than [`MAX_SHARES`] together.
    TooManyShares,
    /// Somebody has more than a third.
    AboveOneThird,
    /// An account or a key is there twice.
    Duplicate,
    /// Somebody has no name.
    NoName,
}

/// All shares of a set; far below the limit of the type.
pub(crate) fn total(set: &[Validator]) -> u32 {
    set.iter().fold(0, |sum, validator| sum.saturating_add(validator.shares))
}

/// Whether a set can be voted in.
pub(crate) fn check(set: &[Validator]) -> Result<(), SetError> {
    check_identities(set)?;
    let total = total(set);
    if total > MAX_SHARES {
        return Err(SetError::TooManyShares);
    }
    let above = |validator: &Validator| validator.shares.saturating_mul(3) > total;
    if set.len() >= CAPPED && set.iter().any(above) {
        return Err(SetError::AboveOneThird);
    }
    Ok(())
}

/// What also holds for a set of which somebody has lost shares.
pub(crate) fn check_identities(set: &[Validator]) -> Result<(), SetError> {
    if set.is_empty() {
        return Err(SetError::NoValidators);
    }
    if set.iter().any(|validator| validator.shares == 0) {
        return Err(SetError::NoShares);
    }
    if set.iter().any(|validator| validator.name.is_empty()) {
        return Err(SetError::NoName);
    }
    let accounts: BTreeSet<_> = set.iter().map(|validator| &validator.account).collect();
    let authors: BTreeSet<_> = set.iter().map(|validator| validator.aura).collect();
    let finalizers: BTreeSet<_> = set.iter().map(|validator| validator.grandpa).collect();
    if [accounts.len(), authors.len(), finalizers.len()] != [set.len(); 3] {
        return Err(SetError::Duplicate);
    }
    Ok(())
}

/// Finality keys with their weights.
pub(crate) fn finalizers(set: &[Validator]) -> Finalizers {
    let finalizer = |validator: &Validator| {
        (validator.grandpa, validator.account.clone(), validator.shares.into())
    };
    set.iter().map(finalizer).collect()
}

/// The authoring keys of a round of slots: each as often as its shares, divided by what all shares
/// have in common, and spread evenly: whoever is furthest behind its due is next, of several the first
/// in the set (smooth weighted round robin).
pub fn slots(set: &[Validator]) -> Vec<sr25519::Public> {
    let common = set.iter().fold(0, |common, validator| gcd(common, validator.shares)).max(1);
    let dues: Vec<i64> = set.iter().map(|validator| i64::from(validator.shares / common)).collect();
    let round: i64 = dues.iter().sum();
    let mut credits: Vec<i64> = dues.iter().map(|_| 0).collect();
    let mut slots = Vec::new();
    for _ in 0..round {
        // Bounded by the round, which is at most MAX_SHARES.
        for (credit, due) in credits.iter_mut().zip(&dues) {
            *credit = credit.saturating_add(*due);
        }
        let Some(most) = credits.iter().max().copied() else { break };
        let next = credits.iter_mut().zip(set).find(|(credit, _)| **credit == most);
        let Some((credit, validator)) = next else { break };
        *credit = credit.saturating_sub(round);
        slots.push(validator.aura);
    }
    slots
}

/// Takes half of the shares of `index`, rounded up. The last one goes with its place in the set,
/// unless nobody else is there. Returns how many it lost.
pub(crate) fn punish(set: &mut Validators, index: usize) -> u32 {
    let alone = set.len() == 1;
    let Some(validator) = set.get_mut(index) else { return 0 };
    let lost = if alone { validator.shares / 2 } else { validator.shares.div_ceil(2) };
    validator.shares = validator.shares.saturating_sub(lost);
    if validator.shares == 0 {
        set.remove(index);
    }
    lost
}

fn gcd(mut a: u32, mut b: u32) -> u32 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}
