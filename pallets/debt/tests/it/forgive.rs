use super::*;
use frame_support::{assert_noop, assert_ok};

type Error = pallet_debt::Error<Test>;

#[test]
fn forgive_should_remove_the_debt_when_its_creditor_asks() {
    let p = Party::ordered(4);
    let (h, a, b, x) = (&p[0], &p[1], &p[2], &p[3]);
    ExtBuilder::default().balance(x, 100).build_and_execute(|| {
        owe(h, a, 300, 5);
        owe(h, a, 20, 5);
        owe(h, b, 40, 5);
        assert_noop!(Debt::forgive(b.origin(), h.id(), FRD, 5, 0), Error::NotCreditor);
        assert_noop!(Debt::forgive(a.origin(), h.id(), FRD, 5, 9), Error::NoDebt);
        assert_ok!(Debt::forgive(a.origin(), h.id(), FRD, 5, 1));
        assert_eq!(Debt::owed_to(h.id(), a.id(), FRD), 300);
        assert_ok!(Debt::forgive(a.origin(), h.id(), FRD, 5, 0));
        assert_eq!(Debt::owed_to(h.id(), a.id(), FRD), 0);
        // The gaps do not stand in the way of what comes after them.
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 40));
        end_block();
        assert_eq!(free(FRD, b), 40);
        assert_eq!(Debt::owes(h.id()), vec![]);
    });
}

#[test]
fn m16_forgive_should_be_refused_when_the_creditor_owes_in_that_asset() {
    let p = Party::ordered(3);
    let (h, a, b) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().build_and_execute(|| {
        owe(h, a, 300, 1);
        owe(a, b, 10, 2);
        assert_noop!(Debt::forgive(a.origin(), h.id(), FRD, 1, 0), Error::CreditorOwes);
    });
}

#[test]
fn forgiven_debts_should_be_closed_a_bounded_number_at_a_time_when_they_stand_first() {
    let p = Party::ordered(4);
    let (h, a, b, x) = (&p[0], &p[1], &p[2], &p[3]);
    ExtBuilder::default().balance(x, 100).build_and_execute(|| {
        owe(h, a, 1, 5);
        for _ in 0..300 {
            owe(h, a, 1, 5);
        }
        owe(h, b, 40, 5);
        for index in 1..=300 {
            assert_ok!(Debt::forgive(a.origin(), h.id(), FRD, 5, index));
        }
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 41));
        // Eight steps, of which the first pays and the others close 33 gaps each.
        assert_ok!(Debt::enforce(x.origin(), h.id(), FRD));
        assert_eq!((free(FRD, a), free(FRD, b)), (1, 0));
        assert_ok!(Debt::enforce(x.origin(), h.id(), FRD));
        assert_eq!((free(FRD, a), free(FRD, b)), (1, 40));
        assert_eq!(Debt::owes(h.id()), vec![]);
    });
}
