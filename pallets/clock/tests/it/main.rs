//! Tests of the usable clock.

use failsafe_pallet_mock::*;
use frame_support::{traits::Get, weights::Weight};
use sp_runtime::Perbill;

fn limits() -> frame_system::limits::BlockWeights {
    <Test as frame_system::Config>::BlockWeights::get()
}

fn longest() -> u32 {
    let lengths: frame_system::limits::BlockLength =
        <Test as frame_system::Config>::BlockLength::get();
    *lengths.max.get(frame_support::dispatch::DispatchClass::Operational)
}

/// Whether a block that used this much lets the clock go on.
fn counts(weight: Weight, length: u32) -> bool {
    let mut counted = false;
    ExtBuilder::default().build().execute_with(|| {
        let before = now();
        System::set_block_consumed_resources(weight, length as usize);
        next_block();
        counted = now() == before + 1;
    });
    counted
}

#[test]
fn clock_should_go_on_when_the_predecessor_had_room() {
    assert!(counts(Weight::zero(), 0));
    let almost = Perbill::from_percent(69) * limits().max_block;
    assert!(counts(almost, Perbill::from_percent(69) * longest()));
}

#[test]
fn m14_clock_should_stand_when_the_predecessor_was_full_by_weight_or_by_length() {
    assert!(!counts(Perbill::from_percent(70) * limits().max_block, 0));
    assert!(!counts(Weight::zero(), Perbill::from_percent(70) * longest()));
}

#[test]
fn m14_clock_should_stand_when_operational_calls_filled_the_predecessor() {
    use frame_support::dispatch::DispatchClass;
    ExtBuilder::default().build().execute_with(|| {
        let before = now();
        let much = Perbill::from_percent(80) * limits().max_block;
        System::register_extra_weight_unchecked(much, DispatchClass::Operational);
        next_block();
        assert_eq!(now(), before);
    });
}
