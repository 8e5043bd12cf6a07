//! Invariants, numbered as in the crate's documentation.

use crate::{
    Agenda, AgendaCursor, AgendaLength, AgendaTask, Channels, Config, Disputes, HoldReason,
    OldEpochs, OldestOpen, OpenedAt, Pallet, Rows, MAX_ROWS_PER_SIDE,
};
use alloc::collections::BTreeMap;
use failsafe_primitives::{AccountId, AssetId, Balance, Side, LIMIT};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks the invariants of the crate's documentation, except 3, which needs
    /// [`Self::insured`] and what custody holds.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_pairs()?;
        Self::check_rows()?;
        Self::check_agenda()?;
        Self::check_deposits()?;
        Self::check_open()
    }

    /// Σ insurance per asset.
    pub fn insured() -> BTreeMap<AssetId, Balance> {
        let mut sums = BTreeMap::new();
        for ((_, _, asset), row) in Rows::<T>::iter() {
            *sums.entry(asset).or_insert(0) += row.collateral.insurance;
        }
        sums
    }

    fn check_pairs() -> Result<(), TryRuntimeError> {
        let known = |left: &AccountId, right: &AccountId| {
            left < right && Channels::<T>::contains_key(left, right)
        };
        let pairs = Channels::<T>::iter_keys()
            .chain(Rows::<T>::iter_keys().map(|(left, right, _)| (left, right)))
            .chain(Disputes::<T>::iter_keys())
            .chain(OldEpochs::<T>::iter_keys().map(|(left, right, _)| (left, right)));
        for (left, right) in pairs {
            ensure!(known(&left, &right), "1: something belongs to a pair without record");
        }
        for ((left, right, epoch), _) in OldEpochs::<T>::iter() {
            let current = Channels::<T>::get(left, right).map(|record| record.epoch);
            ensure!(current > Some(epoch), "1: an old epoch that has not ended");
        }
        Ok(())
    }

    fn check_rows() -> Result<(), TryRuntimeError> {
        let mut opened = BTreeMap::new();
        for ((left, right, _), row) in Rows::<T>::iter() {
            ensure!(!row.collateral.is_empty(), "2: an empty row");
            ensure!(
                row.collateral.insurance <= LIMIT && row.collateral.ondelta.unsigned_abs() <= LIMIT,
                "2: a row beyond the limit"
            );
            if let Some(side) = row.opened_by {
                *opened.entry((left, right, side)).or_insert(0u32) += 1;
            }
        }
        ensure!(opened.values().all(|count| *count <= MAX_ROWS_PER_SIDE), "2: too many rows");
        for (left, right, record) in Channels::<T>::iter() {
            for side in [Side::Left, Side::Right] {
                let counted = opened.remove(&(left.clone(), right.clone(), side));
                ensure!(
                    counted.unwrap_or_default() == record.rows[side.index()],
                    "7: a count of rows is wrong"
                );
            }
        }
        Ok(())
    }

    fn check_agenda() -> Result<(), TryRuntimeError> {
        let mut earliest = BTreeMap::new();
        for (slot, index, task) in Agenda::<T>::iter() {
            ensure!(slot >= AgendaCursor::<T>::get(), "4: an entry behind the cursor");
            ensure!(index < AgendaLength::<T>::get(slot), "4: an entry beyond its slot");
            if let AgendaTask::Resolve(left, right) = task {
                let due = earliest.entry((left, right)).or_insert(slot);
                *due = slot.min(*due);
            }
        }
        for (left, right, dispute) in Disputes::<T>::iter() {
            let due = earliest.get(&(left, right));
            let latest = dispute.resolve_at.max(AgendaCursor::<T>::get());
            ensure!(
                due.is_some_and(|due| *due <= latest),
                "4: a dispute that the agenda does not reach in time"
            );
        }
        Ok(())
    }

    fn check_deposits() -> Result<(), TryRuntimeError> {
        let mut deposits: BTreeMap<AccountId, Balance> = BTreeMap::new();
        for (left, right, dispute) in Disputes::<T>::iter() {
            if let Some(starter) = dispute.starter {
                let who = if starter == Side::Left { left } else { right };
                *deposits.entry(who).or_default() += dispute.deposit;
            }
        }
        for (who, amount) in deposits {
            let held = T::Native::balance_on_hold(&HoldReason::DisputeDeposit.into(), &who);
            ensure!(held >= amount, "5: a dispute deposit is not on hold");
        }
        Ok(())
    }

    fn check_open() -> Result<(), TryRuntimeError> {
        let mut open: BTreeMap<_, u32> = BTreeMap::new();
        for dispute in Disputes::<T>::iter_values() {
            ensure!(
                dispute.start >= OldestOpen::<T>::get(),
                "6: an open dispute before the oldest"
            );
            *open.entry(dispute.start).or_default() += 1;
        }
        ensure!(OpenedAt::<T>::iter().collect::<BTreeMap<_, _>>() == open, "6: a count is wrong");
        Ok(())
    }
}
