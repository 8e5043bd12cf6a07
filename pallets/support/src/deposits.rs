//! Storage deposits that a debtor cannot make.
//!
//! `reserve` of `pallet-balances` ignores freezes. With it a debtor could put income aside as the
//! deposit of an asset, an approval or a touched account before his creditors get it, and later
//! hand the asset with its deposit to somebody else (`protocol.md` §6).

use crate::DebtLedger;
use core::marker::PhantomData;
use failsafe_primitives::{AccountId, Balance, NATIVE_ASSET};
use frame_support::traits::{
    tokens::BalanceStatus, Currency, ExistenceRequirement, ReservableCurrency, SignedImbalance,
    WithdrawReasons,
};
use sp_runtime::{DispatchError, DispatchResult, TokenError};

/// The currency `C`, except that who owes in the native asset cannot reserve any of it. The
/// error is `Token(Frozen)`.
pub struct NoReserveForDebtors<C, D>(PhantomData<(C, D)>);

impl<C: Currency<AccountId, Balance = Balance>, D> Currency<AccountId>
    for NoReserveForDebtors<C, D>
{
    type Balance = Balance;
    type PositiveImbalance = C::PositiveImbalance;
    type NegativeImbalance = C::NegativeImbalance;

    fn total_balance(who: &AccountId) -> Balance {
        C::total_balance(who)
    }
    fn can_slash(who: &AccountId, value: Balance) -> bool {
        C::can_slash(who, value)
    }
    fn total_issuance() -> Balance {
        C::total_issuance()
    }
    fn active_issuance() -> Balance {
        C::active_issuance()
    }
    fn deactivate(amount: Balance) {
        C::deactivate(amount)
    }
    fn reactivate(amount: Balance) {
        C::reactivate(amount)
    }
    fn minimum_balance() -> Balance {
        C::minimum_balance()
    }
    fn burn(amount: Balance) -> Self::PositiveImbalance {
        C::burn(amount)
    }
    fn issue(amount: Balance) -> Self::NegativeImbalance {
        C::issue(amount)
    }
    fn free_balance(who: &AccountId) -> Balance {
        C::free_balance(who)
    }
    fn ensure_can_withdraw(
        who: &AccountId,
        amount: Balance,
        reasons: WithdrawReasons,
        new_balance: Balance,
    ) -> DispatchResult {
        C::ensure_can_withdraw(who, amount, reasons, new_balance)
    }
    fn transfer(
        source: &AccountId,
        dest: &AccountId,
        value: Balance,
        existence: ExistenceRequirement,
    ) -> DispatchResult {
        C::transfer(source, dest, value, existence)
    }
    fn slash(who: &AccountId, value: Balance) -> (Self::NegativeImbalance, Balance) {
        C::slash(who, value)
    }
    fn deposit_into_existing(
        who: &AccountId,
        value: Balance,
    ) -> Result<Self::PositiveImbalance, DispatchError> {
        C::deposit_into_existing(who, value)
    }
    fn deposit_creating(who: &AccountId, value: Balance) -> Self::PositiveImbalance {
        C::deposit_creating(who, value)
    }
    fn withdraw(
        who: &AccountId,
        value: Balance,
        reasons: WithdrawReasons,
        liveness: ExistenceRequirement,
    ) -> Result<Self::NegativeImbalance, DispatchError> {
        C::withdraw(who, value, reasons, liveness)
    }
    fn make_free_balance_be(
        who: &AccountId,
        balance: Balance,
    ) -> SignedImbalance<Balance, Self::PositiveImbalance> {
        C::make_free_balance_be(who, balance)
    }
}

impl<C: ReservableCurrency<AccountId, Balance = Balance>, D: DebtLedger>
    ReservableCurrency<AccountId> for NoReserveForDebtors<C, D>
{
    fn can_reserve(who: &AccountId, value: Balance) -> bool {
        (value == 0 || !D::is_debtor(who, NATIVE_ASSET)) && C::can_reserve(who, value)
    }
    fn reserve(who: &AccountId, value: Balance) -> DispatchResult {
        if value > 0 && D::is_debtor(who, NATIVE_ASSET) {
            return Err(TokenError::Frozen.into());
        }
        C::reserve(who, value)
    }
    fn slash_reserved(who: &AccountId, value: Balance) -> (Self::NegativeImbalance, Balance) {
        C::slash_reserved(who, value)
    }
    fn reserved_balance(who: &AccountId) -> Balance {
        C::reserved_balance(who)
    }
    fn unreserve(who: &AccountId, value: Balance) -> Balance {
        C::unreserve(who, value)
    }
    // Polite: moves nothing of what a freeze needs, and a debtor's freeze needs all.
    fn repatriate_reserved(
        slashed: &AccountId,
        beneficiary: &AccountId,
        value: Balance,
        status: BalanceStatus,
    ) -> Result<Balance, DispatchError> {
        C::repatriate_reserved(slashed, beneficiary, value, status)
    }
}
