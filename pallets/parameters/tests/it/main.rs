//! Tests of the parameters: only the amendment origin, and only safe sets.

use failsafe_pallet_mock::*;
use failsafe_primitives::Parameters as Values;
use frame_support::{assert_noop, assert_ok};

#[test]
fn amend_should_replace_the_numbers_when_the_set_is_safe() {
    ExtBuilder::default().build_and_execute(|| {
        let values = Values { delay_hub: 100, ..Values::DEVELOPMENT };
        assert_ok!(Parameters::amend(RuntimeOrigin::root(), values));
        assert_eq!(Parameters::current(), values);
    });
}

#[test]
fn m18_amend_should_be_refused_when_a_relation_is_broken() {
    ExtBuilder::default().build_and_execute(|| {
        let values = Values { delay_hub: 4, ..Values::DEVELOPMENT };
        assert_noop!(
            Parameters::amend(RuntimeOrigin::root(), values),
            pallet_protocol_parameters::Error::<Test>::DelayTooShort
        );
    });
}

#[test]
fn amend_should_be_refused_when_the_origin_is_an_account() {
    let p = Party::ordered(1);
    ExtBuilder::default().build_and_execute(|| {
        let refused = Parameters::amend(p[0].origin(), Values::DEVELOPMENT);
        assert_noop!(refused, sp_runtime::DispatchError::BadOrigin);
    });
}

#[test]
fn amend_should_be_refused_when_a_time_is_longer_than_a_year() {
    ExtBuilder::default().build_and_execute(|| {
        let values = Values { late: u64::MAX, ..Values::DEVELOPMENT };
        assert_noop!(
            Parameters::amend(RuntimeOrigin::root(), values),
            pallet_protocol_parameters::Error::<Test>::TimeTooLong
        );
    });
}
