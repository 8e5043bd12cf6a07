//! Tests of the debt pallet: order, floor, freeze, sweep, and its calendar against a model.

mod calendar;
mod collect;
mod forgive;
mod freeze;

use failsafe_pallet_mock::*;
use failsafe_pallet_support::DebtLedger;
use failsafe_primitives::NATIVE_ASSET as FRD;

/// Books a debt of `debtor` as a dispute that was opened in block `opened_in` would.
fn owe(debtor: &Party, creditor: &Party, amount: u128, opened_in: u32) {
    Debt::pay_or_book(&debtor.id(), &creditor.id(), FRD, amount, opened_in);
}

/// Ends the block: the sweep collects what arrived in it.
fn end_block() {
    next_block();
}
