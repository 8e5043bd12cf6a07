//! Channel arithmetic (`protocol.md` §2): who owns what, and how deposits and withdrawals move it.
//!
//! All of it is checked integer arithmetic. Nothing here saturates, wraps or panics.

use crate::ids::{Balance, Side};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Upper bound of `insurance`, `|ondelta|`, `sent` and the sum of a simplex's locks, each
/// (`protocol.md` §2 "Limits"). It leaves `delta` far from the edge of `i128`.
pub const LIMIT: Balance = 1 << 120;

/// [`LIMIT`] as a signed number.
const SIGNED_LIMIT: i128 = 1 << 120;

/// A value would pass [`LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LimitError;

/// Why a withdrawal is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WithdrawError {
    /// More would have to come from the partner's on-chain balance than the proof allows.
    AboveMaxFromBalance,
    /// The partner cannot spend that much on chain.
    PartnerCannotPay,
    /// `|ondelta|` would pass [`LIMIT`].
    Limit,
}

/// Checks that `amount` is within [`LIMIT`]. The one check used at deposit, withdrawal, signing
/// and evidence.
pub fn within_limit(amount: Balance) -> Result<Balance, LimitError> {
    if amount <= LIMIT {
        Ok(amount)
    } else {
        Err(LimitError)
    }
}

/// The shares of a channel in one asset (`protocol.md` §2).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Split {
    /// Part of the collateral that belongs to left.
    pub left_insured: Balance,
    /// Part of the collateral that belongs to right.
    pub right_insured: Balance,
    /// What left owes right beyond the collateral (right's *uninsured* balance).
    pub left_owes: Balance,
    /// What right owes left beyond the collateral (left's *uninsured* balance).
    pub right_owes: Balance,
}

impl Split {
    /// The insured part of `side`.
    pub fn insured(&self, side: Side) -> Balance {
        match side {
            Side::Left => self.left_insured,
            Side::Right => self.right_insured,
        }
    }

    /// What `side` owes its partner.
    pub fn owes(&self, side: Side) -> Balance {
        match side {
            Side::Left => self.left_owes,
            Side::Right => self.right_owes,
        }
    }

    /// What the partner owes `side`: its uninsured balance.
    pub fn uninsured(&self, side: Side) -> Balance {
        self.owes(side.other())
    }
}

/// Cuts the axis at `delta`: what lies left of it belongs to left (`protocol.md` §2).
pub fn split(insurance: Balance, delta: i128) -> Split {
    match Balance::try_from(delta) {
        Err(_) => Split {
            right_insured: insurance,
            left_owes: delta.unsigned_abs(),
            ..Default::default()
        },
        Ok(delta) => match (insurance.checked_sub(delta), delta.checked_sub(insurance)) {
            (Some(right_insured), _) => {
                Split { left_insured: delta, right_insured, ..Default::default() }
            },
            (None, right_owes) => Split {
                left_insured: insurance,
                right_owes: right_owes.unwrap_or_default(),
                ..Default::default()
            },
        },
    }
}

/// `ondelta + right's payments − left's payments` (`protocol.md` §1.4), where a side's payments
/// are its `sent` plus its locks that were revealed in time.
pub fn delta(ondelta: i128, left_paid: Balance, right_paid: Balance) -> Result<i128, LimitError> {
    let left = i128::try_from(left_paid).map_err(|_| LimitError)?;
    let right = i128::try_from(right_paid).map_err(|_| LimitError)?;
    right.checked_sub(left).and_then(|offdelta| ondelta.checked_add(offdelta)).ok_or(LimitError)
}

/// What `side` owns: `delta` for left, `insurance − delta` for right; negative when it owes.
pub fn own(side: Side, insurance: Balance, delta: i128) -> Result<i128, LimitError> {
    match side {
        Side::Left => Ok(delta),
        Side::Right => i128::try_from(insurance)
            .ok()
            .and_then(|insurance| insurance.checked_sub(delta))
            .ok_or(LimitError),
    }
}

/// How much a side may still send (`protocol.md` §2): `own − locks − reserved + credit`, clipped
/// at 0. `credit` is what the partner lets it owe.
pub fn capacity(
    own: i128,
    locks: Balance,
    reserved: Balance,
    credit: Balance,
) -> Result<Balance, LimitError> {
    let signed = |amount: Balance| i128::try_from(amount).map_err(|_| LimitError);
    let (locks, reserved, credit) = (signed(locks)?, signed(reserved)?, signed(credit)?);
    let free = own
        .checked_sub(locks)
        .and_then(|free| free.checked_sub(reserved))
        .and_then(|free| free.checked_add(credit))
        .ok_or(LimitError)?;
    Ok(Balance::try_from(free).unwrap_or_default())
}

/// What the chain keeps for a pair and an asset.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Collateral {
    /// Collateral locked for the pair.
    pub insurance: Balance,
    /// On-chain part of `delta`: what lies left of it, before off-chain payments, is left's.
    pub ondelta: i128,
}

/// Where a withdrawal takes its money from.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo,
)]
pub struct WithdrawSources {
    /// Taken from the collateral.
    pub from_insurance: Balance,
    /// Taken from the partner's on-chain balance.
    pub from_balance: Balance,
}

impl Collateral {
    /// Adds `amount` to the side of `beneficiary`. Never changes what anybody owes.
    pub fn deposit(self, beneficiary: Side, amount: Balance) -> Result<Self, LimitError> {
        let insurance = within_limit(self.insurance.checked_add(amount).ok_or(LimitError)?)?;
        let ondelta = match beneficiary {
            Side::Left => shift(self.ondelta, amount, true)?,
            Side::Right => self.ondelta,
        };
        Ok(Self { insurance, ondelta })
    }

    /// Where a withdrawal of `amount` would take its money from: the collateral first, the rest
    /// from the partner's balance.
    pub fn withdraw_sources(&self, amount: Balance) -> WithdrawSources {
        let from_insurance = amount.min(self.insurance);
        // `from_insurance ≤ amount` by `min`.
        WithdrawSources { from_insurance, from_balance: amount - from_insurance }
    }

    /// Takes `amount` out for `to`, of which at most `max_from_balance` from the partner, who can
    /// spend `partner_spendable` on chain (`protocol.md` §2 "withdraw").
    pub fn withdraw(
        self,
        to: Side,
        amount: Balance,
        max_from_balance: Balance,
        partner_spendable: Balance,
    ) -> Result<(Self, WithdrawSources), WithdrawError> {
        let sources = self.withdraw_sources(amount);
        if sources.from_balance > max_from_balance {
            return Err(WithdrawError::AboveMaxFromBalance);
        }
        if sources.from_balance > partner_spendable {
            return Err(WithdrawError::PartnerCannotPay);
        }
        let insurance = self
            .insurance
            .checked_sub(sources.from_insurance)
            .ok_or(WithdrawError::PartnerCannotPay)?;
        let limit = |_| WithdrawError::Limit;
        let mut ondelta = self.ondelta;
        if to == Side::Left {
            ondelta = shift(ondelta, sources.from_insurance, false).map_err(limit)?;
        }
        // The partner pays the rest from outside: that moves delta towards the partner.
        let partner_is_left = to == Side::Right;
        ondelta = shift(ondelta, sources.from_balance, partner_is_left).map_err(limit)?;
        Ok((Self { insurance, ondelta }, sources))
    }

    /// Whether the row can go (`protocol.md` §2, A6).
    pub fn is_empty(&self) -> bool {
        self.insurance == 0 && self.ondelta == 0
    }

    /// The shares when left has paid `left_paid` and right `right_paid` off chain.
    pub fn split(&self, left_paid: Balance, right_paid: Balance) -> Result<Split, LimitError> {
        Ok(split(self.insurance, delta(self.ondelta, left_paid, right_paid)?))
    }
}

/// `ondelta ± amount`, within [`LIMIT`].
fn shift(ondelta: i128, amount: Balance, right: bool) -> Result<i128, LimitError> {
    let amount = i128::try_from(amount).map_err(|_| LimitError)?;
    let moved = if right { ondelta.checked_add(amount) } else { ondelta.checked_sub(amount) };
    moved.filter(|moved| (-SIGNED_LIMIT..=SIGNED_LIMIT).contains(moved)).ok_or(LimitError)
}

#[cfg(test)]
mod tests;
