//! Debts come before orders.

use crate::*;
use failsafe_pallet_support::DebtLedger;
use frame_support::{assert_noop, assert_ok};
use pallet_exchange::Reason;

/// A debtor with 100 FRD on an order for 50 FRB, his creditor, and somebody with FRB.
fn with_debtor(test: impl FnOnce(&Party, &Party, &Party)) {
    let p = Party::ordered(3);
    let builder = ExtBuilder::default().balance(&p[0], 103).balance(&p[1], 10).balance(&p[2], 50);
    builder.frb(&p[2], 1_000).build_and_execute(|| {
        assert_ok!(place(&p[0], (FRD, 100), (FRB, 50)));
        Debt::pay_or_book(&p[0].id(), &p[1].id(), FRD, 81, 1);
        test(&p[0], &p[1], &p[2]);
    });
}

#[test]
fn order_should_pay_the_creditors_on_idle_when_its_owner_begins_to_owe() {
    with_debtor(|debtor, creditor, _| {
        assert_eq!(debts(debtor), [(creditor.id(), 81)], "nothing was free");
        next_block();
        next_block();
        assert_eq!(debts(debtor), []);
        assert_eq!(ending(0), Some((Reason::OwnerOwes, 100)));
        assert_eq!((free(FRD, creditor), free(FRD, debtor)), (10 + 81, 22));
    });
}

#[test]
fn order_should_not_trade_when_its_owner_owes_in_what_it_gives() {
    with_debtor(|debtor, creditor, taker| {
        assert_ok!(place(taker, (FRB, 50), (FRD, 100)));
        assert_eq!(free(FRB, debtor), 0, "nothing was sold");
        assert_eq!(free(FRD, creditor), 91);
        assert_eq!(resting(FRB, FRD), [(1, 50)]);
    });
}

#[test]
fn cancel_should_be_anybodys_when_the_owner_owes() {
    with_debtor(|_, creditor, taker| {
        assert_ok!(Exchange::cancel(taker.origin(), 0));
        assert_eq!(free(FRD, creditor), 91);
    });
}

#[test]
fn order_should_stay_when_its_owner_has_paid_before_it_was_recalled() {
    with_debtor(|debtor, creditor, taker| {
        assert_ok!(Balances::transfer_allow_death(taker.origin(), debtor.id(), 45));
        assert_ok!(Debt::enforce(taker.origin(), debtor.id(), FRD));
        assert_ok!(Debt::forgive(creditor.origin(), debtor.id(), FRD, 1, 0));
        next_block();
        assert_eq!(resting(FRD, FRB), [(0, 100)]);
    });
}

#[test]
fn place_should_be_refused_when_the_account_owes_in_what_it_would_give() {
    let p = Party::ordered(3);
    let (debtor, giver) = (&p[0], &p[2]);
    let builder = ExtBuilder::default().balance(debtor, 100).balance(giver, 1).frb(giver, 50);
    builder.build_and_execute(|| {
        Debt::pay_or_book(&debtor.id(), &p[1].id(), FRB, 500, 1);
        assert_ok!(Assets::transfer(giver.origin(), FRB, debtor.id(), 50));
        assert_noop!(
            place(debtor, (FRB, 50), (FRD, 50)),
            sp_runtime::DispatchError::Token(sp_runtime::TokenError::Frozen),
        );
        assert_ok!(place(debtor, (FRD, 50), (FRB, 50)));
    });
}

#[test]
fn place_should_be_refused_when_the_account_cannot_make_a_deposit_for_its_debts() {
    let p = Party::ordered(2);
    let builder = ExtBuilder::default().balance(&p[0], 100).frb(&p[0], 100).balance(&p[1], 1);
    builder.build_and_execute(|| {
        Debt::pay_or_book(&p[0].id(), &p[1].id(), FRD, 500, 1);
        assert_noop!(place(&p[0], (FRB, 50), (FRD, 50)), Error::OwesMoney);
    });
}

#[test]
fn proceeds_should_go_to_the_creditors_when_the_maker_owes_in_what_he_gets() {
    let p = Party::ordered(3);
    let (maker, taker, creditor) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default().balance(maker, 200).balance(taker, 10).frb(taker, 100);
    builder.build_and_execute(|| {
        assert_ok!(place(maker, (FRD, 100), (FRB, 50)));
        Debt::pay_or_book(&maker.id(), &creditor.id(), FRB, 30, 1);
        assert_ok!(place(taker, (FRB, 50), (FRD, 100)));
        assert_eq!((free(FRB, creditor), free(FRB, maker)), (30, 20));
    });
}
