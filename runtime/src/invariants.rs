//! What must hold over all pallets: the auditors' check of the whole chain.
//!
//! 1. The invariants of every Failsafe pallet.
//! 2. Per asset: Σ insurance of all channels + what all orders offer = what custody counts as held.
//! 3. Per asset: the balances of all accounts, held and free, sum to the issuance; while an asset is
//!    being destroyed, to no more than that, since its accounts go before its supply.
//! 4. Slots and weights of finality are those of the shares in force.

use crate::{
    configs::Money, AssetId, Balance, Batch, Clock, Custody, Debt, Exchange, Governance, Hubs,
    Insurance, Parameters, Runtime, Secrets,
};
use alloc::vec::Vec;
use failsafe_primitives::NATIVE_ASSET;
use frame_support::{ensure, traits::fungibles::Inspect};
use pallet_assets::AssetStatus;
use sp_runtime::TryRuntimeError;

/// Checks all invariants; the error names the broken one. Reads the whole state.
pub fn check() -> Result<(), TryRuntimeError> {
    Parameters::do_try_state()?;
    Clock::do_try_state()?;
    Custody::do_try_state()?;
    Hubs::do_try_state()?;
    Debt::do_try_state()?;
    Insurance::do_try_state()?;
    Batch::do_try_state()?;
    Secrets::do_try_state()?;
    Exchange::do_try_state()?;
    Governance::do_try_state()?;
    check_consensus()?;
    check_custody()?;
    check_issuance()
}

fn check_custody() -> Result<(), TryRuntimeError> {
    let mut kept = Insurance::insured();
    for (asset, offered) in Exchange::offered() {
        let sum = kept.entry(asset).or_default();
        *sum = sum.checked_add(offered).ok_or("runtime 2: more money than can be counted")?;
    }
    for (asset, held) in pallet_custody::Held::<Runtime>::iter() {
        let sum = kept.remove(&asset).unwrap_or_default();
        ensure!(sum == held, "runtime 2: custody holds another sum than is insured and offered");
    }
    ensure!(kept.values().all(|sum| *sum == 0), "runtime 2: insured or offered, but not held");
    Ok(())
}

/// A chain without validators, as tests make them, has nothing to compare.
fn check_consensus() -> Result<(), TryRuntimeError> {
    let set = pallet_governance::Current::<Runtime>::get();
    if set.is_empty() {
        return Ok(());
    }
    let listed: Vec<sp_core::sr25519::Public> =
        pallet_aura::Authorities::<Runtime>::get().into_iter().map(Into::into).collect();
    ensure!(listed == pallet_governance::slots(&set), "runtime 4: slots that are not as shares");
    // A change of this block is with GRANDPA until the block's end.
    let pending = pallet_grandpa::PendingChange::<Runtime>::get();
    let finalizers = pending.map_or_else(crate::Grandpa::grandpa_authorities, |change| {
        change.next_authorities.to_vec()
    });
    let weights = set.iter().map(|v| (v.grandpa.into(), u64::from(v.shares)));
    ensure!(weights.eq(finalizers), "runtime 4: finality that is not as shares");
    Ok(())
}

fn check_issuance() -> Result<(), TryRuntimeError> {
    for (asset, sum) in sums() {
        let sum = sum.ok_or("runtime 3: more money than can be counted")?;
        let issued = Money::total_issuance(asset);
        let exact = sum == issued || is_being_destroyed(asset) && sum < issued;
        ensure!(exact, "runtime 3: money came or went");
    }
    Ok(())
}

fn is_being_destroyed(asset: AssetId) -> bool {
    pallet_assets::Asset::<Runtime>::get(asset)
        .is_some_and(|details| details.status == AssetStatus::Destroying)
}

/// What all accounts have together, by asset; `None` if that does not fit a balance.
fn sums() -> impl Iterator<Item = (AssetId, Option<Balance>)> {
    let add = |sum: Balance, amount: Balance| sum.checked_add(amount);
    let native = frame_system::Account::<Runtime>::iter_values()
        .flat_map(|account| [account.data.free, account.data.reserved])
        .try_fold(0, add);
    let issued = pallet_assets::Asset::<Runtime>::iter_keys().map(move |asset| {
        let accounts = pallet_assets::Account::<Runtime>::iter_prefix_values(asset);
        (asset, accounts.map(|account| account.balance).try_fold(0, add))
    });
    core::iter::once((NATIVE_ASSET, native)).chain(issued)
}
