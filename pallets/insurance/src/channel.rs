//! Deposits and withdrawals (`protocol.md` §2).

use crate::{
    ChannelRecord, Channels, Config, Custody, DebtLedger, Error, Event, Pallet, Row, Rows,
    UsableClock, MAX_ROWS_PER_SIDE,
};
use failsafe_pallet_support::{fees::take_fee, leaves_dust};
use failsafe_primitives::{
    signature, AccountId, AssetId, Balance, ChannelContext, Epoch, Pair, Side, WithdrawError,
    Withdrawal, WithdrawalItem, NATIVE_ASSET,
};
use frame_support::{
    dispatch::DispatchResult,
    ensure,
    traits::{fungible::Mutate as _, fungibles::Inspect, tokens::Preservation, Get, OnUnbalanced},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{traits::Zero, MultiSignature};

impl<T: Config> Pallet<T> {
    /// What signatures of the channel are bound to.
    pub(crate) fn context(pair: &Pair, epoch: Epoch) -> ChannelContext {
        let genesis_hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        ChannelContext { genesis_hash, pair: pair.clone(), epoch }
    }

    /// The record of `pair`; a new one costs `payer` the pair fee.
    pub(crate) fn record_of(pair: &Pair, payer: &AccountId) -> Result<ChannelRecord, Error<T>> {
        if let Some(record) = Channels::<T>::get(pair.left(), pair.right()) {
            return Ok(record);
        }
        let fee = T::Parameters::get().pair_fee;
        if fee > 0 {
            let credit = take_fee::<T::Native, T::Debts>(payer, fee)
                .map_err(|_| Error::<T>::PairFeeMissing)?;
            T::OnPairFee::on_unbalanced(credit);
        }
        let record = ChannelRecord::default();
        Channels::<T>::insert(pair.left(), pair.right(), record);
        Ok(record)
    }

    pub(crate) fn do_deposit(
        who: &AccountId,
        asset: AssetId,
        amount: Balance,
        beneficiary: &AccountId,
        partner: &AccountId,
        epoch: Option<Epoch>,
    ) -> DispatchResult {
        let (pair, side) = Self::channel_of(beneficiary, partner)?;
        ensure!(T::Assets::asset_exists(asset), Error::<T>::UnknownAsset);
        let minimum = T::Assets::minimum_balance(asset).max(1);
        ensure!(amount >= minimum, Error::<T>::AmountTooSmall);
        let known = Self::record_of(&pair, who)?;
        ensure!(epoch.is_none_or(|epoch| epoch == known.epoch), Error::<T>::WrongEpoch);

        let mut record = known;
        let key = (pair.left(), pair.right(), asset);
        let mut row = match Rows::<T>::get(key) {
            Some(row) => row,
            None => Self::new_row(&pair, &mut record, who, asset)?,
        };
        if record != known {
            Channels::<T>::insert(pair.left(), pair.right(), record);
        }
        row.collateral =
            row.collateral.deposit(side, amount).map_err(|_| Error::<T>::LimitExceeded)?;
        T::Custody::take(who, asset, amount)?;
        Rows::<T>::insert(key, row);
        Self::deposit_event(Event::Deposit {
            from: who.clone(),
            beneficiary: beneficiary.clone(),
            partner: partner.clone(),
            asset,
            amount,
        });
        for account in [beneficiary, partner] {
            Self::top_up(who, account)?;
        }
        Ok(())
    }

    /// An empty row. Anybody may open the native one, which nobody can issue at will; a row in an
    /// issued asset only a party, so that a stranger cannot fill a channel with junk (M3).
    fn new_row(
        pair: &Pair,
        record: &mut ChannelRecord,
        who: &AccountId,
        asset: AssetId,
    ) -> Result<Row, Error<T>> {
        if asset == NATIVE_ASSET {
            return Ok(Row { collateral: Default::default(), opened_by: None });
        }
        let side = pair.side_of(who).ok_or(Error::<T>::TooManyAssets)?;
        let opened = &mut record.rows[side.index()];
        ensure!(*opened < MAX_ROWS_PER_SIDE, Error::<T>::TooManyAssets);
        *opened = opened.saturating_add(1);
        Ok(Row { collateral: Default::default(), opened_by: Some(side) })
    }

    /// Gives a party whose account does not exist its first native money, out of the depositor's
    /// own balance (M12).
    fn top_up(from: &AccountId, account: &AccountId) -> DispatchResult {
        let amount = T::Parameters::get().account_top_up;
        if amount == 0 || frame_system::Pallet::<T>::account_exists(account) {
            return Ok(());
        }
        let dust = leaves_dust::<T::Assets>(NATIVE_ASSET, from, amount);
        ensure!(!dust, Error::<T>::WouldLeaveDust);
        T::Native::transfer(from, account, amount, Preservation::Expendable)?;
        let (from, account) = (from.clone(), account.clone());
        Self::deposit_event(Event::ToppedUp { from, account, amount });
        Ok(())
    }

    pub(crate) fn do_withdraw(
        who: &AccountId,
        partner: &AccountId,
        withdrawal: &Withdrawal,
        proof: &MultiSignature,
    ) -> DispatchResult {
        let (pair, side) = Self::channel_of(who, partner)?;
        withdrawal.validate().map_err(|_| Error::<T>::MalformedWithdrawal)?;
        let mut record =
            Channels::<T>::get(pair.left(), pair.right()).ok_or(Error::<T>::NoChannel)?;
        ensure!(T::Clock::now() <= withdrawal.valid_until, Error::<T>::Expired);
        let message = Self::context(&pair, record.epoch).withdrawal_message(side, withdrawal);
        ensure!(signature::verify(proof, &message, partner), Error::<T>::BadProof);
        let nonce = &mut record.withdrawal_nonces[side.index()];
        ensure!(*nonce == withdrawal.withdrawal_nonce, Error::<T>::WrongWithdrawalNonce);
        *nonce = nonce.checked_add(1).ok_or(Error::<T>::WrongWithdrawalNonce)?;

        for item in &withdrawal.items {
            let from_balance = Self::withdraw_item(&pair, &mut record, side, item)?;
            Self::deposit_event(Event::Withdraw {
                account: who.clone(),
                partner: partner.clone(),
                asset: item.asset,
                amount: item.amount,
                from_balance,
            });
        }
        Channels::<T>::insert(pair.left(), pair.right(), record);
        for item in &withdrawal.items {
            T::Debts::collect(who, item.asset);
        }
        Ok(())
    }

    /// Carries out one asset of a withdrawal. Returns what came from the partner's balance.
    fn withdraw_item(
        pair: &Pair,
        record: &mut ChannelRecord,
        side: Side,
        item: &WithdrawalItem,
    ) -> Result<Balance, sp_runtime::DispatchError> {
        let WithdrawalItem { asset, amount, max_from_balance } = *item;
        let (who, partner) = (pair.account(side), pair.account(side.other()));
        let key = (pair.left(), pair.right(), asset);
        let row = Rows::<T>::get(key);
        let collateral = row.map(|row| row.collateral).unwrap_or_default();
        // Looked up only when it matters: most withdrawals take from the collateral alone.
        let drawn = collateral.withdraw_sources(amount).from_balance;
        let spendable = if drawn > 0 { T::Debts::spendable(partner, asset) } else { 0 };
        let (after, sources) = collateral
            .withdraw(side, amount, max_from_balance, spendable)
            .map_err(|e| match e {
                WithdrawError::AboveMaxFromBalance => Error::<T>::AboveMaxFromBalance,
                WithdrawError::PartnerCannotPay => Error::<T>::PartnerCannotPay,
                WithdrawError::Limit => Error::<T>::LimitExceeded,
            })?;
        T::Custody::release(who, asset, sources.from_insurance);
        if sources.from_balance > 0 {
            T::Custody::deliver(partner, who, asset, sources.from_balance)?;
        }
        if after.is_empty() {
            Rows::<T>::remove(key);
            if let Some(opener) = row.and_then(|row| row.opened_by) {
                let opened = &mut record.rows[opener.index()];
                *opened = opened.saturating_sub(1);
            }
        } else {
            // A withdrawal that draws on the partner leaves an ondelta behind, in a row that its
            // maker opens.
            let opened_by = match row {
                Some(row) => row.opened_by,
                None => Self::new_row(pair, record, who, asset)?.opened_by,
            };
            Rows::<T>::insert(key, Row { collateral: after, opened_by });
        }
        Ok(sources.from_balance)
    }
}
