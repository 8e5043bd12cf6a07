use super::*;
use frame_support::{assert_noop, assert_ok};

#[test]
fn s34_debts_should_be_paid_first_in_first_out_when_income_arrives() {
    let p = Party::ordered(5);
    let (h, a, b, c, x) = (&p[0], &p[1], &p[2], &p[3], &p[4]);
    ExtBuilder::default().balance(x, 1_400).build_and_execute(|| {
        owe(h, a, 300, 1);
        owe(h, b, 500, 2);
        owe(h, c, 200, 3);
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 400));
        end_block();
        assert_eq!(debts(h), vec![(b.id(), 400), (c.id(), 200)]);
        assert_eq!([free(FRD, a), free(FRD, b), free(FRD, h)], [300, 100, 0]);
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 1_000));
        end_block();
        assert_eq!(debts(h), vec![]);
        assert_eq!([free(FRD, a), free(FRD, b), free(FRD, c), free(FRD, h)], [300, 500, 200, 400]);
    });
}

#[test]
fn debts_of_one_block_should_be_paid_in_the_order_of_booking() {
    let p = Party::ordered(4);
    let (h, a, b, x) = (&p[0], &p[1], &p[2], &p[3]);
    ExtBuilder::default().balance(x, 1_000).build_and_execute(|| {
        owe(h, b, 100, 7);
        owe(h, a, 100, 7);
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 150));
        end_block();
        assert_eq!([free(FRD, b), free(FRD, a)], [100, 50]);
    });
}

#[test]
fn s35_debt_should_leave_the_floor_when_the_asset_is_native() {
    let p = Party::ordered(2);
    let (h, a) = (&p[0], &p[1]);
    let builder = || ExtBuilder::default().balance(a, 1).parameters(|v| v.floor_user = 100_000);
    builder().balance(h, 150_000).build_and_execute(|| {
        owe(h, a, 60_000, 1);
        assert_eq!([free(FRD, h), free(FRD, a)], [100_000, 50_001]);
        assert_eq!(debts(h), vec![(a.id(), 10_000)]);
    });
    builder().balance(h, 50_000).build_and_execute(|| {
        owe(h, a, 60_000, 1);
        end_block();
        assert_eq!([free(FRD, h), free(FRD, a)], [50_000, 1]);
        assert_eq!(debts(h), vec![(a.id(), 60_000)]);
    });
}

#[test]
fn debt_should_not_know_a_floor_when_the_asset_is_issued() {
    let p = Party::ordered(2);
    let (h, a) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().frb(h, 100).parameters(|v| v.floor_user = 1_000);
    builder.build_and_execute(|| {
        Debt::pay_or_book(&h.id(), &a.id(), FRB, 60, 1);
        assert_eq!([free(FRB, h), free(FRB, a)], [40, 60]);
    });
}

#[test]
fn debt_should_cascade_when_the_creditor_owes_too() {
    let p = Party::ordered(4);
    let (a, b, c, x) = (&p[0], &p[1], &p[2], &p[3]);
    ExtBuilder::default().balance(x, 100).build_and_execute(|| {
        owe(a, b, 100, 1);
        owe(b, c, 70, 2);
        assert_ok!(Balances::transfer_allow_death(x.origin(), a.id(), 100));
        end_block();
        assert_eq!([free(FRD, a), free(FRD, b), free(FRD, c)], [0, 30, 70]);
        assert_eq!((debts(a), debts(b)), (vec![], vec![]));
    });
}

#[test]
fn debts_should_end_when_they_form_a_circle() {
    let p = Party::ordered(3);
    let (a, b, x) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().balance(x, 10).build_and_execute(|| {
        owe(a, b, 100, 1);
        owe(b, a, 100, 2);
        assert_ok!(Balances::transfer_allow_death(x.origin(), a.id(), 10));
        for _ in 0..10 {
            end_block();
        }
        assert_eq!((debts(a), debts(b)), (vec![], vec![]));
        assert_eq!(free(FRD, a) + free(FRD, b), 10);
    });
}

#[test]
fn enforce_should_collect_at_once_when_anybody_asks() {
    let p = Party::ordered(3);
    let (h, a, x) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().balance(x, 100).build_and_execute(|| {
        assert_noop!(
            Debt::enforce(x.origin(), h.id(), FRD).map_err(|e| e.error),
            pallet_debt::Error::<Test>::NoDebt
        );
        owe(h, a, 60, 1);
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 50));
        assert_ok!(Debt::enforce(x.origin(), h.id(), FRD));
        assert_eq!([free(FRD, h), free(FRD, a)], [0, 50]);
    });
}

#[test]
fn sweep_should_reach_every_debtor_when_there_are_more_than_it_visits_in_a_block() {
    let p = Party::ordered(42);
    let (creditor, payer, debtors) = (&p[0], &p[1], &p[2..]);
    ExtBuilder::default().balance(payer, 1_000).build_and_execute(|| {
        for debtor in debtors {
            owe(debtor, creditor, 10, 1);
            assert_ok!(Balances::transfer_allow_death(payer.origin(), debtor.id(), 10));
        }
        for _ in 0..3 {
            end_block();
        }
        assert_eq!(free(FRD, creditor), 400);
        assert_eq!(pallet_debt::RingLength::<Test>::get(), 0);
    });
}

#[test]
fn h08_creditor_should_never_be_charged_when_the_balance_is_below_the_floor() {
    let p = Party::ordered(2);
    let (h, a) = (&p[0], &p[1]);
    let builder = ExtBuilder::default()
        .balance(h, 50_000)
        .balance(a, 70_000)
        .parameters(|v| v.floor_user = 100_000);
    builder.build_and_execute(|| {
        owe(h, a, 60_000, 1);
        end_block();
        assert_eq!(free(FRD, a), 70_000);
        assert_eq!(debts(h), vec![(a.id(), 60_000)]);
    });
}

#[test]
fn debt_should_wait_as_unclaimed_when_the_creditor_cannot_be_credited() {
    let p = Party::ordered(3);
    let (h, a, b) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().frb(a, 1).frb(h, 100).build_and_execute(|| {
        let issuer = RuntimeOrigin::signed(failsafe_primitives::AccountId::new([0xee; 32]));
        assert_ok!(Assets::block(issuer, FRB, a.id()));
        Debt::pay_or_book(&h.id(), &a.id(), FRB, 60, 1);
        Debt::pay_or_book(&h.id(), &b.id(), FRB, 30, 2);
        assert_eq!(Custody::unclaimed(a.id(), FRB), 60);
        assert_eq!([free(FRB, h), free(FRB, b)], [10, 30], "nobody behind has to wait");
    });
}

#[test]
fn debt_should_go_to_the_end_of_the_line_when_neither_creditor_nor_custody_can_take_it() {
    const JUNK: u32 = 5;
    let p = Party::ordered(3);
    let (h, a, b) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().balance(h, 10).balance(b, 10).build_and_execute(|| {
        // Accounts in it need an account of their own, which `a` has not, nor custody one in it.
        assert_ok!(Assets::force_create(RuntimeOrigin::root(), JUNK, h.id(), false, 10));
        Debt::pay_or_book(&h.id(), &a.id(), JUNK, 50, 1);
        Debt::pay_or_book(&h.id(), &b.id(), JUNK, 30, 2);
        mint(JUNK, h, 40);
        end_block();
        end_block();
        assert_eq!([free(JUNK, h), free(JUNK, b)], [10, 30], "the one behind need not wait");
        let left = Debt::debts_of(h.id(), JUNK, 9);
        assert_eq!(left.iter().map(|debt| debt.left).collect::<Vec<_>>(), [50]);
        assert!(event_names().iter().any(|name| name.contains("DebtDeferred")));
        // Alone it stays where it is, and is paid when its creditor can take it.
        let place = left[0].opened_in;
        end_block();
        assert_eq!(Debt::debts_of(h.id(), JUNK, 9)[0].opened_in, place);
        assert_ok!(Balances::transfer_allow_death(b.origin(), a.id(), 5));
        end_block();
        assert_eq!([free(JUNK, h), free(JUNK, a)], [0, 10]);
    });
}

#[test]
fn surrender_should_pay_the_first_creditor_when_the_debtor_is_below_its_floor() {
    let p = Party::ordered(3);
    let (h, a, b) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default().balance(h, 50).balance(a, 1).balance(b, 1);
    builder.parameters(|v| v.floor_user = 100).build_and_execute(|| {
        owe(h, a, 60, 1);
        owe(h, b, 60, 2);
        Debt::surrender(&h.id(), FRD, 20);
        assert_eq!(debts(h), vec![(a.id(), 40), (b.id(), 60)]);
        assert_eq!([free(FRD, h), free(FRD, a)], [30, 21]);
    });
}
