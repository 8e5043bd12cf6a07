//! How long secrets are kept.

use super::*;

/// `keep` of the mock.
const KEEP: u64 = 100;

#[test]
fn purge_should_forget_a_secret_when_its_time_is_over() {
    let p = Party::ordered(1);
    ExtBuilder::default().balance(&p[0], 10).build_and_execute(|| {
        run_to_clock(5);
        assert_ok!(reveal(&p[0], &[1]));
        run_to_clock(5 + KEEP + 1);
        assert_eq!(revealed_at(1), Some(5));
        run_to_clock(5 + KEEP + 3);
        assert_eq!(revealed_at(1), None);
        assert_ok!(reveal(&p[0], &[1]));
        assert_eq!(revealed_at(1), Some(5 + KEEP + 3), "a new first time");
    });
}

#[test]
fn h11_purge_should_wait_when_a_reveal_was_repeated() {
    let p = Party::ordered(1);
    ExtBuilder::default().balance(&p[0], 10).build_and_execute(|| {
        assert_ok!(reveal(&p[0], &[1, 2]));
        run_to_clock(50);
        assert_ok!(reveal(&p[0], &[1]));
        run_to_clock(1 + KEEP + 3);
        assert_eq!((revealed_at(1), revealed_at(2)), (Some(1), None));
        run_to_clock(50 + KEEP + 1);
        assert_eq!(revealed_at(1), Some(1));
        run_to_clock(50 + KEEP + 3);
        assert_eq!(revealed_at(1), None);
    });
}

#[test]
fn m15_purge_should_spare_a_secret_when_an_open_dispute_may_name_it() {
    let p = Party::ordered(2);
    // The user's delay is far longer than secrets are kept, as on a production chain.
    let slow = ExtBuilder::default().parameters(|values| values.delay_user = 3 * KEEP);
    slow.balance(&p[1], 10).balance(&p[0], 1).build_and_execute(|| {
        let deposit = Insurance::deposit(p[1].origin(), FRD, 10, p[1].id(), p[0].id(), None);
        assert_ok!(deposit);
        locked_dispute(&p[0], &p[1], 20);
        run_to_clock(20);
        assert_ok!(reveal(&p[0], &[1]));
        run_to_clock(3 * KEEP);
        assert_eq!(revealed_at(1), Some(20), "long after its time");
        run_to_clock(3 * KEEP + 2);
        assert_eq!(free(FRD, &p[0]), 11, "the lock has counted");
        // Block by block the purge catches up with the clock.
        run_to_clock(3 * KEEP + 20);
        assert_eq!(revealed_at(1), None);
    });
}

#[test]
fn purge_should_not_be_held_up_when_a_dispute_was_opened_after_the_time_was_over() {
    let p = Party::ordered(2);
    let slow = ExtBuilder::default().parameters(|values| values.delay_user = 3 * KEEP);
    slow.balance(&p[1], 10).balance(&p[0], 1).build_and_execute(|| {
        assert_ok!(Insurance::deposit(p[1].origin(), FRD, 10, p[1].id(), p[0].id(), None));
        assert_ok!(reveal(&p[0], &[1]));
        run_to_clock(1 + KEEP + 3);
        locked_dispute(&p[0], &p[1], 1 + KEEP + 10);
        run_to_clock(1 + KEEP + 5);
        assert_eq!(revealed_at(1), None);
    });
}
