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
