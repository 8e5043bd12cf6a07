//! Tests of the insurance pallet together with custody, debts and the usable clock, one file per
//! call. Each ends with the invariants of all pallets and the conservation of all money.

mod agenda;
mod close;
mod counter;
mod custody;
mod deposit;
mod dispute;
mod late_claim;
mod reputation;
mod resolve;
mod view;
mod withdraw;

use failsafe_pallet_mock::*;
use failsafe_primitives::{Collateral, NATIVE_ASSET as FRD};
use frame_support::dispatch::DispatchResultWithPostInfo;

/// The errors of the pallet under test.
type Error = pallet_insurance::Error<Test>;

fn collateral(insurance: u128, ondelta: i128) -> Collateral {
    Collateral { insurance, ondelta }
}

/// `who` deposits native money for `beneficiary@partner`.
fn deposit(
    who: &Party,
    amount: u128,
    beneficiary: &Party,
    partner: &Party,
) -> DispatchResultWithPostInfo {
    Insurance::deposit(who.origin(), FRD, amount, beneficiary.id(), partner.id(), None)
}

fn withdraw(
    who: &Party,
    partner: &Party,
    (withdrawal, proof): (failsafe_primitives::Withdrawal, sp_runtime::MultiSignature),
) -> DispatchResultWithPostInfo {
    Insurance::withdraw(who.origin(), partner.id(), withdrawal, proof)
}

fn dispute(
    who: &Party,
    partner: &Party,
    evidence: failsafe_primitives::Evidence,
) -> DispatchResultWithPostInfo {
    let epoch = Channel::new(who, partner).context.epoch;
    Insurance::dispute(who.origin(), partner.id(), epoch, evidence)
}

/// `who` accepts the open dispute of `partner` as it is now.
fn accept(who: &Party, partner: &Party) -> DispatchResultWithPostInfo {
    let presented = Channel::new(who, partner).digest();
    Insurance::accept(who.origin(), partner.id(), presented)
}

/// Goes on until the dispute of the two is resolved.
fn run_until_resolved(channel: &Channel<'_>) {
    let due = channel.dispute().expect("an open dispute").resolve_at;
    run_to_clock(due + 1);
    assert!(channel.dispute().is_none(), "resolved by the agenda");
}
