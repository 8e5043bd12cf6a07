//! Placing, trading, cancelling.

use crate::*;
use frame_support::{assert_noop, assert_ok};
use pallet_exchange::Reason;

/// Left has FRD, right has FRB, and money for deposits.
fn two(test: impl FnOnce(&Party, &Party)) {
    let p = Party::ordered(2);
    let builder = ExtBuilder::default().balance(&p[0], 1_000).balance(&p[1], 100);
    builder.frb(&p[1], 1_000).build_and_execute(|| test(&p[0], &p[1]));
}

#[test]
fn place_should_rest_and_hold_what_it_offers_when_nobody_trades() {
    two(|a, _| {
        assert_ok!(place(a, (FRD, 100), (FRB, 50)));
        assert_eq!(free(FRD, a), 1_000 - 100 - ORDER_DEPOSIT);
        assert_eq!(resting(FRD, FRB), [(0, 100)]);
        assert_eq!(Exchange::orders(a.id(), 10), Exchange::book(FRD, FRB, 10));
        assert_eq!(pallet_custody::Held::<Test>::get(FRD), 100);
    });
}

#[test]
fn place_should_trade_at_the_makers_price_when_the_taker_offers_more() {
    two(|a, b| {
        assert_ok!(place(a, (FRD, 100), (FRB, 50)));
        // Would give 1 FRB for each FRD.
        assert_ok!(place(b, (FRB, 30), (FRD, 30)));
        assert_eq!((free(FRD, b), free(FRB, a)), (100 + 60, 30));
        assert_eq!(resting(FRD, FRB), [(0, 40)]);
        assert_eq!(ending(1), Some((Reason::Filled, 0)));
    });
}

#[test]
fn place_should_rest_with_the_remainder_when_it_is_filled_in_part() {
    two(|a, b| {
        assert_ok!(place(a, (FRD, 100), (FRB, 50)));
        assert_ok!(place(b, (FRB, 80), (FRD, 160)));
        assert_eq!(resting(FRD, FRB), []);
        assert_eq!(resting(FRB, FRD), [(1, 30)]);
        assert_eq!((free(FRD, b), free(FRB, a)), (100 + 100 - ORDER_DEPOSIT, 50));
        assert_eq!(ending(0), Some((Reason::Filled, 0)));
        assert_eq!(free(FRD, a), 900, "the deposit is back");
    });
}

#[test]
fn place_should_not_trade_when_the_price_is_not_met() {
    two(|a, b| {
        assert_ok!(place(a, (FRD, 100), (FRB, 51)));
        assert_ok!(place(b, (FRB, 50), (FRD, 100)));
        assert_eq!((resting(FRD, FRB), resting(FRB, FRD)), (vec![(0, 100)], vec![(1, 50)]));
    });
}

#[test]
fn place_should_take_the_cheapest_and_then_the_oldest_when_several_rest() {
    let p = Party::ordered(2);
    let builder = ExtBuilder::default().balance(&p[0], 1_000).balance(&p[1], 10);
    builder.frb(&p[1], 1_000).build_and_execute(|| {
        for buy in [30, 20, 30, 20] {
            assert_ok!(place(&p[0], (FRD, 10), (FRB, buy)));
        }
        assert_ok!(place(&p[1], (FRB, 75), (FRD, 25)));
        // 20 for the second, 20 for the fourth, 30 for the first, 3 for one of the third; 2 are
        // worth nothing.
        assert_eq!(resting(FRD, FRB), [(2, 9)]);
        assert_eq!((free(FRB, &p[0]), ending(4)), (73, Some((Reason::Filled, 2))));
    });
}

#[test]
fn place_should_give_the_rest_back_when_it_runs_out_of_matches() {
    two(|a, b| {
        for _ in 0..3 {
            assert_ok!(place(a, (FRD, 10), (FRB, 10)));
        }
        assert_ok!(place_with(b, (FRB, 30), (FRD, 30), 2));
        assert_eq!(ending(3), Some((Reason::OutOfMatches, 10)));
        assert_eq!(resting(FRD, FRB), [(2, 10)]);
        assert_eq!((resting(FRB, FRD), free(FRB, b)), (vec![], 980));
    });
}

#[test]
fn place_should_pass_an_order_by_when_no_whole_units_keep_both_prices() {
    two(|a, b| {
        // Both ask exactly 2 for 3, and one unit buys none of the first.
        assert_ok!(place(a, (FRD, 5), (FRB, 3)));
        assert_ok!(place(a, (FRD, 6), (FRB, 4)));
        assert_ok!(place(b, (FRB, 2), (FRD, 3)));
        // 5 for 3 is cheaper than 3 for 2, but 3 of it cost 2, and 4 cost 3.
        assert_eq!(resting(FRD, FRB), [(0, 2), (1, 6)]);
        assert_ok!(place(b, (FRB, 2), (FRD, 3)));
        // 2 of it would cost 2: passed by.
        assert_eq!(resting(FRD, FRB), [(0, 2), (1, 3)]);
    });
}

#[test]
fn place_should_give_the_makers_rest_back_when_it_is_worth_less_than_a_unit() {
    two(|a, b| {
        assert_ok!(place(a, (FRD, 11), (FRB, 2)));
        // 1 FRB buys 5 at 5.5; 6 are left, worth 1.09; the second one leaves 1, worth 0.18.
        assert_ok!(place(b, (FRB, 1), (FRD, 1)));
        assert_eq!(resting(FRD, FRB), [(0, 6)]);
        assert_ok!(place(b, (FRB, 1), (FRD, 1)));
        assert_eq!(ending(0), Some((Reason::Filled, 1)));
        assert_eq!(free(FRD, b), 110);
    });
}

#[test]
fn place_should_close_the_older_order_when_it_meets_one_of_the_same_owner() {
    let p = Party::ordered(1);
    let builder = ExtBuilder::default().balance(&p[0], 1_000).frb(&p[0], 100);
    builder.build_and_execute(|| {
        assert_ok!(place(&p[0], (FRD, 100), (FRB, 50)));
        assert_ok!(place(&p[0], (FRB, 50), (FRD, 100)));
        assert_eq!(ending(0), Some((Reason::MetItself, 100)));
        assert_eq!((resting(FRD, FRB), resting(FRB, FRD)), (vec![], vec![(1, 50)]));
    });
}

#[test]
fn place_should_be_refused_when_something_is_wrong_with_it() {
    two(|a, b| {
        assert_noop!(place(a, (FRD, 1), (FRD, 1)), Error::SameAsset);
        assert_noop!(place(a, (FRD, 0), (FRB, 1)), Error::ZeroAmount);
        assert_noop!(place(a, (FRD, 1), (FRB, 0)), Error::ZeroAmount);
        assert_noop!(place(a, (FRD, 1), (77, 1)), Error::UnknownAsset);
        assert_noop!(place_with(a, (FRD, 1), (FRB, 1), 17), Error::TooManyMatches);
        // Not a unit is left for the deposit and to stay alive.
        assert_noop!(place(b, (FRD, 98), (FRB, 98)), Error::DepositMissing);
    });
}

#[test]
fn cancel_should_give_everything_back_when_the_owner_asks() {
    two(|a, b| {
        assert_ok!(place(a, (FRD, 100), (FRB, 50)));
        assert_ok!(place(b, (FRB, 20), (FRD, 40)));
        assert_noop!(Exchange::cancel(b.origin(), 0), Error::NotOwner);
        assert_ok!(Exchange::cancel(a.origin(), 0));
        assert_eq!((free(FRD, a), free(FRB, a)), (960, 20));
        assert_noop!(Exchange::cancel(a.origin(), 0), Error::NoOrder);
        assert_eq!(ending(0), Some((Reason::Cancelled, 60)));
    });
}
