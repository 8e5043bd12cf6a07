//! Invariants, numbered as in the crate's documentation.

use crate::{
    calendar, Balance, Buckets, Calendar, Config, Debts, FreezeReason, Outstanding, Owed, Pallet,
    Postponed, Ring, RingLength,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungibles::InspectFreeze};
use sp_core::U256;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks the invariants of the crate's documentation.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut totals = BTreeMap::new();
        let mut owed = BTreeMap::new();
        let mut buckets = BTreeMap::new();
        for ((debtor, asset, opened_in, index), debt) in Debts::<T>::iter() {
            ensure!(debt.left > 0 && debt.creditor != debtor, "2: an empty debt or one to oneself");
            let total = totals.entry((debtor.clone(), asset)).or_insert((U256::zero(), 0u32));
            total.0 += debt.left.into();
            total.1 += 1;
            *owed.entry((debtor.clone(), debt.creditor, asset)).or_insert(U256::zero()) +=
                debt.left.into();
            let bucket = Buckets::<T>::get((&debtor, asset, opened_in));
            let bucket = bucket.ok_or("4: a debt without its bucket")?;
            ensure!(bucket.first <= index && index < bucket.next, "4: a debt outside its bucket");
            *buckets.entry((debtor, asset, opened_in)).or_insert(0u32) += 1;
        }
        let mut debtors = 0u32;
        for (debtor, asset, total) in Outstanding::<T>::iter() {
            debtors += 1;
            let expected = totals.remove(&(debtor.clone(), asset));
            ensure!(expected == Some((total.amount, total.count)), "1: a total is wrong");
            let place = Ring::<T>::get(total.ring);
            ensure!(place == Some((debtor.clone(), asset)), "5: a debtor is not in the ring");
            let reason = FreezeReason::Debt.into();
            let frozen = T::Freezer::balance_frozen(asset, &reason, &debtor);
            ensure!(frozen == Balance::MAX, "6: a debtor's money is not frozen");
        }
        ensure!(totals.is_empty(), "1: debts without a total");
        ensure!(
            debtors == RingLength::<T>::get()
                && u32::try_from(Ring::<T>::iter().count()) == Ok(debtors),
            "5: the ring has other places than debtors"
        );
        for ((debtor, creditor, asset), amount) in Owed::<T>::iter() {
            ensure!(owed.remove(&(debtor, creditor, asset)) == Some(amount), "3: owed is wrong");
        }
        ensure!(owed.is_empty(), "3: debts that owed does not know");
        let mut bits = 0;
        for ((debtor, asset, opened_in), bucket) in Buckets::<T>::iter() {
            let open = buckets.remove(&(debtor.clone(), asset, opened_in));
            ensure!(open == Some(bucket.open), "4: a bucket's count is wrong");
            ensure!(
                calendar::first::<T>(&debtor, asset).is_some_and(|first| first <= opened_in),
                "4: the calendar does not lead to a bucket"
            );
            bits += 1;
        }
        ensure!(buckets.is_empty(), "4: debts without a bucket");
        let set: u32 = Calendar::<T>::iter()
            .filter(|((_, _, level, _), _)| *level == 0)
            .map(|(_, bitmap)| bitmap.count())
            .sum();
        ensure!(set == bits, "4: the calendar has other blocks than there are buckets");
        ensure!(!Postponed::<T>::exists(), "7: credits are postponed beyond their batch");
        Ok(())
    }
}
