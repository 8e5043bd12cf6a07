//! Fees and deposits beside those of the transaction itself, which a debtor, too, pays only from
//! below its floor (`protocol.md` §6).

use crate::DebtLedger;
use failsafe_primitives::{AccountId, Balance};
use frame_support::traits::{
    fungible::{Balanced, Credit, Inspect},
    tokens::{Fortitude, Precision, Preservation},
};

/// The account cannot pay: too little, or, as a debtor, too little below its floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CannotPay;

/// What `who` can pay in fees and deposits and stay alive, and how it is taken: a debtor pays only
/// from below its floor, and there in spite of the freeze.
pub fn payable<N, D>(who: &AccountId) -> (Balance, Fortitude)
where
    N: Inspect<AccountId, Balance = Balance>,
    D: DebtLedger,
{
    let allowance = D::fee_allowance(who);
    let fortitude = if allowance.is_some() { Fortitude::Force } else { Fortitude::Polite };
    let balance = N::reducible_balance(who, Preservation::Preserve, fortitude);
    (allowance.map_or(balance, |most| most.min(balance)), fortitude)
}

/// Takes a fee above 0 from `who`, or nothing.
pub fn take_fee<N, D>(who: &AccountId, fee: Balance) -> Result<Credit<AccountId, N>, CannotPay>
where
    N: Balanced<AccountId, Balance = Balance>,
    D: DebtLedger,
{
    let (available, fortitude) = payable::<N, D>(who);
    if fee > available {
        return Err(CannotPay);
    }
    let (exact, alive) = (Precision::Exact, Preservation::Preserve);
    let credit = N::withdraw(who, fee, exact, alive, fortitude).map_err(|_| CannotPay)?;
    D::use_allowance(who, fee);
    Ok(credit)
}
