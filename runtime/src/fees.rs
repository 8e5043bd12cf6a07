//! What a transaction costs and who gets it.
//!
//! Both prices are protocol parameters, so a chain can be free of charge; what is paid goes to the
//! block's author. A debtor may pay fees only from below its floor, so that nothing is carried past
//! its creditors as a fee or a tip (`protocol.md` §6).

use crate::{
    AccountId, Aura, Authorship, Balance, Balances, Debt, Parameters, Runtime, RuntimeCall,
    TransactionPayment,
};
use failsafe_pallet_support::DebtLedger;
use frame_support::{
    traits::{
        fungible::{Balanced, Credit, Inspect},
        tokens::{Fortitude, Precision, Preservation},
        FindAuthor, Get, Imbalance, NoDrop, OnUnbalanced, SuppressedDrop,
    },
    weights::{constants::WEIGHT_REF_TIME_PER_SECOND, Weight, WeightToFee},
    ConsensusEngineId,
};
use pallet_transaction_payment::{FungibleAdapter, OnChargeTransaction, TxCreditHold};
use sp_runtime::{
    traits::{DispatchInfoOf, PostDispatchInfoOf},
    transaction_validity::{InvalidTransaction, TransactionValidityError},
};

/// Price of execution, by the parameter `fee_per_second`.
pub struct WeightFee;

impl WeightToFee for WeightFee {
    type Balance = Balance;

    fn weight_to_fee(weight: &Weight) -> Balance {
        let per_second = <Parameters as Get<_>>::get().fee_per_second;
        let picoseconds = Balance::from(weight.ref_time());
        // A price so high that the product overflows cannot be paid by anybody.
        match picoseconds.checked_mul(per_second) {
            Some(product) => product.div_ceil(WEIGHT_REF_TIME_PER_SECOND.into()),
            None => Balance::MAX,
        }
    }
}

/// Price of length, by the parameter `fee_per_byte`.
pub struct LengthFee;

impl WeightToFee for LengthFee {
    type Balance = Balance;

    fn weight_to_fee(length: &Weight) -> Balance {
        let per_byte = <Parameters as Get<_>>::get().fee_per_byte;
        Balance::from(length.ref_time()).checked_mul(per_byte).unwrap_or(Balance::MAX)
    }
}

/// The account of the block's author: that of its Aura key.
pub struct AuthorOfSlot;

impl FindAuthor<AccountId> for AuthorOfSlot {
    fn find_author<'a, I>(digests: I) -> Option<AccountId>
    where
        I: 'a + IntoIterator<Item = (ConsensusEngineId, &'a [u8])>,
    {
        let index = usize::try_from(Aura::find_author(digests)?).ok()?;
        let authorities = pallet_aura::Authorities::<Runtime>::get();
        let key: sp_core::sr25519::Public = authorities.get(index)?.clone().into();
        Some(AccountId::new(key.0))
    }
}

/// Gives fees, tips and pair fees to the block's author.
pub struct ToAuthor;

impl OnUnbalanced<Credit<AccountId, Balances>> for ToAuthor {
    fn on_nonzero_unbalanced(credit: Credit<AccountId, Balances>) {
        if let Some(author) = Authorship::author() {
            // An author whose account the fee cannot open forgoes it.
            drop(Balances::resolve(&author, credit));
        }
    }
}

type Adapter = FungibleAdapter<Balances, ToAuthor>;
type Liquidity = Option<Credit<AccountId, Balances>>;

/// Charges fees as usual, except that a debtor pays only from below its floor.
///
/// The contract of `pallet-transaction-payment`: what is withdrawn is split into the tip, which is
/// handed through, and the fee, which is put into the pallet's store; afterwards the fee is
/// corrected, and what was too much of it goes back to the payer. So a debtor, too, gets refunds,
/// and pays nothing for a call that turns out to be free.
pub struct ChargeAboveNoDebt;

impl ChargeAboveNoDebt {
    /// How a fee is taken from `who`, if `who` can pay it and stay alive.
    fn fortitude(
        who: &AccountId,
        fee_with_tip: Balance,
    ) -> Result<Fortitude, TransactionValidityError> {
        let (most, fortitude) = match Debt::fee_allowance(who) {
            None => (Balance::MAX, Fortitude::Polite),
            // Its balance is frozen for the creditors; this part of it is not theirs.
            Some(allowance) => (allowance, Fortitude::Force),
        };
        let reducible = Balances::reducible_balance(who, Preservation::Preserve, fortitude);
        if fee_with_tip <= most.min(reducible) {
            Ok(fortitude)
        } else {
            Err(InvalidTransaction::Payment.into())
        }
    }
}

impl TxCreditHold<Runtime> for ChargeAboveNoDebt {
    type Credit = NoDrop<Credit<AccountId, Balances>>;
}

impl OnChargeTransaction<Runtime> for ChargeAboveNoDebt {
    type Balance = Balance;
    type LiquidityInfo = Option<<Self::Credit as SuppressedDrop>::Inner>;

    fn withdraw_fee(
        who: &AccountId,
        _: &RuntimeCall,
        _: &DispatchInfoOf<RuntimeCall>,
        fee_with_tip: Balance,
        tip: Balance,
    ) -> Result<Liquidity, TransactionValidityError> {
        if fee_with_tip == 0 {
            return Ok(None);
        }
        let fortitude = Self::fortitude(who, fee_with_tip)?;
        let (exact, alive) = (Precision::Exact, Preservation::Preserve);
        let credit = Balances::withdraw(who, fee_with_tip, exact, alive, fortitude)
            .map_err(|_| InvalidTransaction::Payment)?;
        Debt::use_allowance(who, fee_with_tip);
        let (tip, fee) = credit.split(tip);
        TransactionPayment::deposit_txfee(fee);
        Ok(Some(tip))
    }

    fn can_withdraw_fee(
        who: &AccountId,
        _: &RuntimeCall,
        _: &DispatchInfoOf<RuntimeCall>,
        fee_with_tip: Balance,
        _: Balance,
    ) -> Result<(), TransactionValidityError> {
        if fee_with_tip == 0 {
            return Ok(());
        }
        Self::fortitude(who, fee_with_tip).map(drop)
    }

    fn correct_and_deposit_fee(
        who: &AccountId,
        info: &DispatchInfoOf<RuntimeCall>,
        post_info: &PostDispatchInfoOf<RuntimeCall>,
        corrected_fee_with_tip: Balance,
        tip: Balance,
        liquidity: Liquidity,
    ) -> Result<(), TransactionValidityError> {
        let before = Balances::balance(who);
        <Adapter as OnChargeTransaction<Runtime>>::correct_and_deposit_fee(
            who,
            info,
            post_info,
            corrected_fee_with_tip,
            tip,
            liquidity,
        )?;
        Debt::release_allowance(who, Balances::balance(who).saturating_sub(before));
        Ok(())
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn endow_account(who: &AccountId, amount: Balance) {
        <Adapter as OnChargeTransaction<Runtime>>::endow_account(who, amount);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn minimum_balance() -> Balance {
        <Adapter as OnChargeTransaction<Runtime>>::minimum_balance()
    }
}
