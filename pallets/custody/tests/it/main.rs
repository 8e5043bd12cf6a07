//! Tests of custody: what it holds, and what it could not deliver.

use failsafe_pallet_mock::*;
use failsafe_pallet_support::Custody as _;
use failsafe_primitives::NATIVE_ASSET as FRD;
use frame_support::{assert_noop, assert_ok};

type Error = pallet_custody::Error<Test>;

#[test]
fn custody_should_hold_what_it_takes_and_pay_what_it_releases() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(Custody::take(&p[0].id(), FRD, 60));
        assert_eq!(pallet_custody::Held::<Test>::get(FRD), 60);
        Custody::release(&p[1].id(), FRD, 60);
        assert_eq!([free(FRD, &p[0]), free(FRD, &p[1])], [40, 60]);
        assert_eq!(pallet_custody::Held::<Test>::get(FRD), 0);
    });
}

#[test]
fn custody_should_charge_a_seed_once_when_the_asset_has_dust() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(Assets::force_create(RuntimeOrigin::root(), 5, p[0].id(), true, 10));
        mint(5, &p[0], 100);
        assert_ok!(Custody::take(&p[0].id(), 5, 30));
        assert_eq!(free(5, &p[0]), 60, "30 and a seed of 10");
        assert_ok!(Custody::take(&p[0].id(), 5, 20));
        assert_eq!(free(5, &p[0]), 40);
        // All but a dust of 1 leaves: nothing is burnt.
        Custody::release(&p[1].id(), 5, 49);
        assert_eq!(free(5, &p[1]), 49);
        assert_eq!(pallet_custody::Held::<Test>::get(5), 1);
        assert_ok!(Custody::do_try_state());
        Custody::release(&p[1].id(), 5, 1);
        assert_eq!(free(5, &p[1]), 50);
    });
}

#[test]
fn release_should_become_unclaimed_when_the_amount_is_below_the_minimum() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(Assets::force_create(RuntimeOrigin::root(), 5, p[0].id(), true, 10));
        mint(5, &p[0], 100);
        assert_ok!(Custody::take(&p[0].id(), 5, 30));
        Custody::release(&p[1].id(), 5, 4);
        assert_eq!(Custody::unclaimed(p[1].id(), 5), 4);
        assert_noop!(Custody::claim(p[0].origin(), p[1].id(), 5), Error::StillRefused);
        Custody::release(&p[1].id(), 5, 8);
        assert_eq!(Custody::unclaimed(p[1].id(), 5), 12);
        assert_ok!(Custody::claim(p[0].origin(), p[1].id(), 5));
        assert_eq!((free(5, &p[1]), Custody::unclaimed(p[1].id(), 5)), (12, 0));
        assert_noop!(Custody::claim(p[0].origin(), p[1].id(), 5), Error::NothingToClaim);
        Custody::release(&p[0].id(), 5, 18);
    });
}

#[test]
fn take_should_be_refused_when_it_would_leave_dust() {
    let p = Party::ordered(1);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(Assets::force_create(RuntimeOrigin::root(), 5, p[0].id(), true, 10));
        mint(5, &p[0], 100);
        assert_noop!(Custody::take(&p[0].id(), 5, 81), Error::WouldLeaveDust);
        assert_ok!(Custody::take(&p[0].id(), 5, 80));
        assert_eq!(free(5, &p[0]), 10, "80 and a seed of 10");
        Custody::release(&p[0].id(), 5, 80);
    });
}

#[test]
fn deliver_should_cost_its_payer_exactly_the_amount_when_the_receiver_cannot_be_credited() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(Assets::force_create(RuntimeOrigin::root(), 5, p[0].id(), true, 10));
        mint(5, &p[0], 100);
        mint(5, &p[1], 10);
        assert_ok!(Assets::block(p[0].origin(), 5, p[1].id()));
        assert_ok!(Custody::deliver(&p[0].id(), &p[1].id(), 5, 30));
        assert_eq!(free(5, &p[0]), 70);
        assert_eq!(Custody::unclaimed(p[1].id(), 5), 30);
    });
}

#[test]
fn payment_out_should_wait_when_it_would_leave_custody_dust() {
    let p = Party::ordered(3);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(Assets::force_create(RuntimeOrigin::root(), 5, p[0].id(), true, 10));
        mint(5, &p[0], 200);
        for (who, amount) in [(&p[1], 30), (&p[2], 4)] {
            mint(5, who, 10);
            assert_ok!(Assets::block(p[0].origin(), 5, who.id()));
            // Without a deposit before there is no seed in custody.
            assert_ok!(Custody::deliver(&p[0].id(), &who.id(), 5, amount));
            assert_ok!(Assets::thaw(p[0].origin(), 5, who.id()));
        }
        assert_noop!(Custody::claim(p[0].origin(), p[1].id(), 5), Error::StillRefused);
        assert_ok!(Custody::take(&p[0].id(), 5, 10));
        assert_ok!(Custody::claim(p[0].origin(), p[1].id(), 5));
        assert_ok!(Custody::claim(p[0].origin(), p[2].id(), 5));
        assert_eq!([free(5, &p[1]), free(5, &p[2])], [40, 14]);
        Custody::release(&p[0].id(), 5, 10);
    });
}
