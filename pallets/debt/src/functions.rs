//! Booking, collecting and sweeping.

use crate::{
    calendar, AccountId, AllowanceUsed, AssetId, Balance, BlockNumber, Buckets, Config, Cursor,
    Custody, Debt, Debts, Error, Event, FreezeReason, HubRegistry, MaxPostponed, Outstanding, Owed,
    Pallet, Postponed, Ring, RingLength, Total, WeightInfo,
};
use alloc::{vec, vec::Vec};
use failsafe_pallet_support::{idle_meter, DebtLedger, OnDebtor};
use failsafe_primitives::{
    debt::{collectable, ALLOWANCE_WINDOW},
    NATIVE_ASSET,
};
use frame_support::{
    defensive,
    dispatch::DispatchResult,
    storage::with_storage_layer,
    traits::{
        fungibles::{Inspect, MutateFreeze},
        tokens::{Fortitude, Preservation},
        Get,
    },
    weights::Weight,
    BoundedVec,
};
use sp_core::U256;
use sp_runtime::traits::UniqueSaturatedInto;

/// Most gaps, left by forgiven debts, that one look at the head of a line closes. That weighs less
/// than a payment.
pub(crate) const MAX_GAPS: u32 = 32;

/// What stands first in the line of a debtor.
enum Head {
    /// A debt: its block of opening, index and content.
    Debt(BlockNumber, u32, Debt),
    /// More gaps than are closed at once; the line is shorter by these now.
    Gaps,
    /// No debt.
    Nothing,
}

/// What an attempt to pay the first debt in line did.
enum Step {
    /// This creditor was paid.
    Paid(AccountId),
    /// The first debt could not be delivered and went to the end of the line.
    Deferred,
    /// Gaps of forgiven debts were closed; there is more to look at.
    GapsClosed,
    /// There is no debt, or no money that can be had.
    NothingToPay,
}

impl<T: Config> Pallet<T> {
    /// A total as a balance; nobody can hold more than a balance anyway.
    pub(crate) fn clip(amount: U256) -> Balance {
        Balance::try_from(amount).unwrap_or(Balance::MAX)
    }

    /// What debts leave alone.
    fn floor(who: &AccountId, asset: AssetId) -> Balance {
        if asset == NATIVE_ASSET {
            T::Parameters::get().floor(T::Hubs::is_hub(who))
        } else {
            0
        }
    }

    /// Books a debt without trying to collect it.
    fn book(
        debtor: &AccountId,
        creditor: &AccountId,
        asset: AssetId,
        amount: Balance,
        opened_in: BlockNumber,
    ) {
        let debt = Debt { creditor: creditor.clone(), left: amount };
        let index = Self::enqueue(debtor, asset, opened_in, debt);
        let mut total =
            Outstanding::<T>::get(debtor, asset).unwrap_or_else(|| Self::enter(debtor, asset));
        // 2^32 debts of 2^128 fit into 2^256.
        total.amount = total.amount.saturating_add(amount.into());
        total.count = total.count.saturating_add(1);
        Outstanding::<T>::insert(debtor, asset, total);
        Owed::<T>::mutate((debtor, creditor, asset), |owed| {
            *owed = Some(owed.unwrap_or_default().saturating_add(amount.into()));
        });
        Self::deposit_event(Event::DebtCreated {
            debtor: debtor.clone(),
            creditor: creditor.clone(),
            asset,
            amount,
            opened_in,
            index,
        });
    }

    /// Puts a debt at the end of the queue of `opened_in`; returns its index there.
    fn enqueue(debtor: &AccountId, asset: AssetId, opened_in: BlockNumber, debt: Debt) -> u32 {
        let mut bucket = Buckets::<T>::get((debtor, asset, opened_in)).unwrap_or_default();
        if bucket.open == 0 {
            calendar::insert::<T>(debtor, asset, opened_in);
        }
        let index = bucket.next;
        // Counters of debts of one block: a block has far fewer than 2^32 disputes.
        bucket.next = bucket.next.saturating_add(1);
        bucket.open = bucket.open.saturating_add(1);
        Buckets::<T>::insert((debtor, asset, opened_in), bucket);
        Debts::<T>::insert((debtor, asset, opened_in, index), debt);
        index
    }

    /// Moves a debt to the end of the whole line, so that a creditor who cannot be credited does
    /// not hold up those behind. Returns whether there is anybody behind.
    fn defer(
        debtor: &AccountId,
        asset: AssetId,
        opened_in: BlockNumber,
        index: u32,
        debt: Debt,
    ) -> bool {
        if Outstanding::<T>::get(debtor, asset).is_none_or(|total| total.count < 2) {
            return false;
        }
        Debts::<T>::remove((debtor, asset, opened_in, index));
        Self::shrink_bucket(debtor, asset, opened_in, index);
        let now = Self::block();
        let Debt { creditor, left } = debt.clone();
        let index = Self::enqueue(debtor, asset, now, debt);
        let debtor = debtor.clone();
        Self::deposit_event(Event::DebtDeferred {
            debtor,
            creditor,
            asset,
            left,
            opened_in: now,
            index,
        });
        true
    }

    fn block() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().unique_saturated_into()
    }

    /// A debtor's first debt in an asset: a place in the ring, the freeze, and a reference that
    /// keeps the account alive, so that the freeze also stands on an account without money.
    fn enter(debtor: &AccountId, asset: AssetId) -> Total {
        frame_system::Pallet::<T>::inc_providers(debtor);
        Self::freeze(debtor, asset);
        let ring = RingLength::<T>::get();
        Ring::<T>::insert(ring, (debtor, asset));
        RingLength::<T>::put(ring.saturating_add(1));
        T::OnDebtor::begins_to_owe(debtor, asset);
        Total { amount: U256::zero(), count: 0, ring }
    }

    /// The last debt in an asset is gone. The last place of the ring moves into the free one.
    fn leave(debtor: &AccountId, asset: AssetId, place: u32) {
        Outstanding::<T>::remove(debtor, asset);
        if asset == NATIVE_ASSET {
            AllowanceUsed::<T>::remove(debtor);
        }
        let last = RingLength::<T>::get().saturating_sub(1);
        RingLength::<T>::put(last);
        if let Some(moved) = Ring::<T>::take(last) {
            if last != place {
                Outstanding::<T>::mutate(&moved.0, moved.1, |total| {
                    if let Some(total) = total {
                        total.ring = place;
                    }
                });
                Ring::<T>::insert(place, moved);
            }
        }
        Self::thaw(debtor, asset);
        // An account that others keep alive cannot lose its last provider: then this reference
        // stays behind, which costs nothing but a record.
        let _ = frame_system::Pallet::<T>::dec_providers(debtor);
    }

    /// Takes `amount` off a debt in every record.
    pub(crate) fn reduce(
        debtor: &AccountId,
        asset: AssetId,
        opened_in: BlockNumber,
        index: u32,
        debt: &Debt,
        amount: Balance,
    ) -> Result<Balance, Error<T>> {
        let left = debt.left.checked_sub(amount).ok_or(Error::<T>::NoDebt)?;
        let mut total = Outstanding::<T>::get(debtor, asset).ok_or(Error::<T>::NoDebt)?;
        total.amount = total.amount.checked_sub(amount.into()).ok_or(Error::<T>::NoDebt)?;
        let owed_key = (debtor, &debt.creditor, asset);
        let owed = Owed::<T>::get(owed_key)
            .and_then(|owed| owed.checked_sub(amount.into()))
            .ok_or(Error::<T>::NoDebt)?;
        if owed.is_zero() {
            Owed::<T>::remove(owed_key);
        } else {
            Owed::<T>::insert(owed_key, owed);
        }
        if left > 0 {
            Debts::<T>::insert(
                (debtor, asset, opened_in, index),
                Debt { creditor: debt.creditor.clone(), left },
            );
            Outstanding::<T>::insert(debtor, asset, total);
            return Ok(left);
        }
        Debts::<T>::remove((debtor, asset, opened_in, index));
        Self::shrink_bucket(debtor, asset, opened_in, index);
        total.count = total.count.saturating_sub(1);
        if total.count == 0 {
            Self::leave(debtor, asset, total.ring);
        } else {
            Outstanding::<T>::insert(debtor, asset, total);
        }
        Ok(left)
    }

    fn shrink_bucket(debtor: &AccountId, asset: AssetId, opened_in: BlockNumber, index: u32) {
        let key = (debtor, asset, opened_in);
        let Some(mut bucket) = Buckets::<T>::get(key) else {
            defensive!("a debt without its bucket");
            return;
        };
        bucket.open = bucket.open.saturating_sub(1);
        if bucket.open == 0 {
            Buckets::<T>::remove(key);
            calendar::remove::<T>(debtor, asset, opened_in);
            return;
        }
        if bucket.first == index {
            bucket.first = bucket.first.saturating_add(1);
        }
        Buckets::<T>::insert(key, bucket);
    }

    /// Freezes all that the debtor has and gets in `asset`. Not only the amount that it owes: FRAME
    /// lets money on hold count towards a freeze, so that a deposit would set as much free.
    fn freeze(debtor: &AccountId, asset: AssetId) {
        let reason = FreezeReason::Debt.into();
        if T::Freezer::set_freeze(asset, &reason, debtor, Balance::MAX).is_err() {
            defensive!("a debtor's account could not be frozen");
        }
    }

    fn thaw(debtor: &AccountId, asset: AssetId) {
        if T::Freezer::thaw(asset, &FreezeReason::Debt.into(), debtor).is_err() {
            defensive!("a debtor's account could not be thawed");
        }
    }

    /// What stands first in the line of a debtor. Closes at most [`MAX_GAPS`] gaps, for good.
    fn head(debtor: &AccountId, asset: AssetId) -> Head {
        let Some(opened_in) = calendar::first::<T>(debtor, asset) else { return Head::Nothing };
        let key = (debtor, asset, opened_in);
        let Some(mut bucket) = Buckets::<T>::get(key) else { return Head::Nothing };
        for _ in 0..=MAX_GAPS {
            if bucket.first >= bucket.next {
                defensive!("a bucket without its debts");
                return Head::Nothing;
            }
            if let Some(debt) = Debts::<T>::get((debtor, asset, opened_in, bucket.first)) {
                Buckets::<T>::insert(key, bucket);
                return Head::Debt(opened_in, bucket.first, debt);
            }
            bucket.first = bucket.first.saturating_add(1);
        }
        Buckets::<T>::insert(key, bucket);
        Head::Gaps
    }

    /// Makes at most one payment of `debtor`: what is above its floor, or what it has forfeited.
    fn pay_head(debtor: &AccountId, asset: AssetId, forfeited: Option<Balance>) -> Step {
        let (opened_in, index, debt) = match Self::head(debtor, asset) {
            Head::Debt(opened_in, index, debt) => (opened_in, index, debt),
            Head::Gaps => return Step::GapsClosed,
            Head::Nothing => return Step::NothingToPay,
        };
        let mut undeliverable = false;
        let paid = with_storage_layer::<_, sp_runtime::DispatchError, _>(|| {
            // The freeze would forbid the payment.
            Self::thaw(debtor, asset);
            let pay = match forfeited {
                None => Self::payable_now(debtor, asset, debt.left),
                Some(amount) => amount.min(debt.left).min(Self::reducible(debtor, asset)),
            };
            if pay == 0 {
                return Err(sp_runtime::TokenError::FundsUnavailable.into());
            }
            let delivered = T::Custody::deliver(debtor, &debt.creditor, asset, pay);
            undeliverable = delivered.is_err();
            delivered?;
            let left = Self::reduce(debtor, asset, opened_in, index, &debt, pay)?;
            if Self::is_debtor(debtor, asset) {
                Self::freeze(debtor, asset);
            }
            Self::deposit_event(Event::DebtEnforced {
                debtor: debtor.clone(),
                creditor: debt.creditor.clone(),
                asset,
                amount: pay,
                left,
            });
            Ok(())
        });
        match paid {
            Ok(()) => Step::Paid(debt.creditor),
            Err(_) if undeliverable && Self::defer(debtor, asset, opened_in, index, debt) => {
                Step::Deferred
            },
            Err(_) => Step::NothingToPay,
        }
    }

    /// Collects debts of `debtor`, then those of the creditors it paid, and so on, up to `most`
    /// payments; the sweep does the rest. Returns the number of payments, where closing up to
    /// [`MAX_GAPS`] gaps counts as one, since it weighs less.
    pub(crate) fn do_collect(debtor: &AccountId, asset: AssetId, most: u32) -> u32 {
        let mut payments = 0;
        let mut credited: Vec<AccountId> = vec![debtor.clone()];
        while let Some(who) = credited.pop() {
            while payments < most {
                let step = Self::pay_head(&who, asset, None);
                if let Step::NothingToPay = step {
                    break;
                }
                payments = payments.saturating_add(1);
                match step {
                    Step::Paid(creditor) if Self::is_debtor(&creditor, asset) => {
                        credited.push(creditor);
                    },
                    // One per visit: a line of which nothing can be delivered is not turned round
                    // and round.
                    Step::Deferred => break,
                    _ => {},
                }
            }
        }
        payments
    }

    /// Visits debtors round the ring, as far as the block has room. Returns the weight used.
    pub(crate) fn sweep(remaining: Weight) -> Weight {
        let mut meter = idle_meter(T::BlockWeights::get().max_block, remaining);
        if meter.try_consume(T::WeightInfo::sweep()).is_err() {
            return meter.consumed();
        }
        let visits = RingLength::<T>::get().min(T::MaxVisits::get());
        let visit = T::WeightInfo::enforce(T::MaxPayments::get());
        let mut cursor = Cursor::<T>::get();
        for _ in 0..visits {
            if !meter.can_consume(visit) {
                break;
            }
            let length = RingLength::<T>::get();
            if length == 0 {
                break;
            }
            if cursor >= length {
                cursor = 0;
            }
            let Some((debtor, asset)) = Ring::<T>::get(cursor) else {
                defensive!("a gap in the ring of debtors");
                break;
            };
            let payments = Self::do_collect(&debtor, asset, T::MaxPayments::get());
            meter.consume(T::WeightInfo::enforce(payments));
            // A debtor that left the ring was replaced by the last one, to be visited next.
            if Self::is_debtor(&debtor, asset) {
                cursor = cursor.saturating_add(1);
            }
        }
        if visits > 0 {
            Cursor::<T>::put(cursor);
        }
        meter.consumed()
    }
}

impl<T: Config> DebtLedger for Pallet<T> {
    fn spendable(who: &AccountId, asset: AssetId) -> Balance {
        if Self::is_debtor(who, asset) {
            return 0;
        }
        Self::reducible(who, asset)
    }

    fn pay_or_book(
        debtor: &AccountId,
        creditor: &AccountId,
        asset: AssetId,
        amount: Balance,
        opened_in: BlockNumber,
    ) -> Balance {
        if amount == 0 {
            return 0;
        }
        // Older debts come first: then the new one only joins the queue.
        let paid = if Self::is_debtor(debtor, asset) {
            0
        } else {
            Self::pay_directly(debtor, creditor, asset, amount).unwrap_or_default()
        };
        let rest = amount.saturating_sub(paid);
        if rest > 0 {
            Self::book(debtor, creditor, asset, rest, opened_in);
        }
        if paid > 0 {
            <Self as DebtLedger>::collect(creditor, asset);
        }
        rest
    }

    fn collect(who: &AccountId, asset: AssetId) {
        if !Self::is_debtor(who, asset) {
            return;
        }
        match Postponed::<T>::get() {
            Some((receiver, mut assets)) if receiver == *who => {
                // What finds no place is left to the sweep; until then it is frozen.
                if !assets.contains(&asset) && assets.try_push(asset).is_ok() {
                    Postponed::<T>::put((receiver, assets));
                }
            },
            _ => {
                Self::do_collect(who, asset, T::MaxPaymentsPerCredit::get());
            },
        }
    }

    fn postpone(who: &AccountId) {
        Postponed::<T>::put((who, BoundedVec::<AssetId, MaxPostponed>::new()));
    }

    fn collect_postponed() {
        let Some((who, assets)) = Postponed::<T>::take() else { return };
        for asset in assets {
            <Self as DebtLedger>::collect(&who, asset);
        }
    }

    fn surrender(who: &AccountId, asset: AssetId, amount: Balance) {
        if let Step::Paid(creditor) = Self::pay_head(who, asset, Some(amount)) {
            <Self as DebtLedger>::collect(&creditor, asset);
        }
    }

    fn is_debtor(who: &AccountId, asset: AssetId) -> bool {
        Outstanding::<T>::contains_key(who, asset)
    }

    fn fee_allowance(who: &AccountId) -> Option<Balance> {
        let allowance = || {
            let (_, used) = Self::allowance_used(who);
            let left = Self::floor(who, NATIVE_ASSET).saturating_sub(used);
            T::Assets::balance(NATIVE_ASSET, who).min(left)
        };
        Self::is_debtor(who, NATIVE_ASSET).then(allowance)
    }

    fn use_allowance(who: &AccountId, amount: Balance) {
        if amount > 0 && Self::is_debtor(who, NATIVE_ASSET) {
            let (since, used) = Self::allowance_used(who);
            // What is above the floor is no allowance any more, so the limit of the type is one too.
            AllowanceUsed::<T>::insert(who, (since, used.saturating_add(amount)));
        }
    }

    fn release_allowance(who: &AccountId, amount: Balance) {
        AllowanceUsed::<T>::mutate_extant(who, |(_, used)| *used = used.saturating_sub(amount));
    }
}

impl<T: Config> Pallet<T> {
    /// Since when `who` has used how much of its allowance.
    fn allowance_used(who: &AccountId) -> (BlockNumber, Balance) {
        let now = Self::block();
        match AllowanceUsed::<T>::get(who) {
            Some((since, used)) if now < since.saturating_add(ALLOWANCE_WINDOW) => (since, used),
            _ => (now, 0),
        }
    }

    /// What `debtor`, not frozen by its debts, can pay of `owed`. What it cannot spend anyway, like
    /// the existential deposit of an account with money on hold, counts towards its floor.
    fn payable_now(debtor: &AccountId, asset: AssetId, owed: Balance) -> Balance {
        let balance = T::Assets::balance(asset, debtor);
        let kept = balance.saturating_sub(Self::reducible(debtor, asset));
        let floor = Self::floor(debtor, asset).max(kept);
        collectable(owed, balance, floor, T::Assets::minimum_balance(asset))
    }

    /// What `who` could give away if nothing of it were frozen by its debts.
    fn reducible(who: &AccountId, asset: AssetId) -> Balance {
        T::Assets::reducible_balance(asset, who, Preservation::Expendable, Fortitude::Polite)
    }

    /// Pays of `amount` what the debtor can spare. Returns what was paid.
    fn pay_directly(
        debtor: &AccountId,
        creditor: &AccountId,
        asset: AssetId,
        amount: Balance,
    ) -> Result<Balance, sp_runtime::DispatchError> {
        let pay = Self::payable_now(debtor, asset, amount);
        if pay > 0 {
            let deliver =
                || -> DispatchResult { T::Custody::deliver(debtor, creditor, asset, pay) };
            with_storage_layer(deliver)?;
        }
        Ok(pay)
    }
}
