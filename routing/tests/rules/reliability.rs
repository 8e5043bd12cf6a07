use crate::support::*;
use codec::{Decode, Encode};
use failsafe_primitives::{AccountId, Clock};
use failsafe_routing::{
    reliability::{AVOID, HALF_LIFE, MAX_SUBJECTS, SCORE_ONE},
    Outcome, Reliability, Subject,
};
use proptest::prelude::*;

fn subject() -> Subject {
    Subject::Hub(account(1))
}

fn noted(outcomes: &[(Outcome, Clock)]) -> Reliability {
    let mut reliability = Reliability::default();
    for (outcome, at) in outcomes {
        reliability.note(subject(), *outcome, *at);
    }
    reliability
}

#[test]
fn score_should_be_zero_when_nothing_is_known() {
    assert_eq!(Reliability::default().score(&subject(), NOW), 0);
}

#[test]
fn score_should_be_a_third_when_a_stranger_fails_once() {
    assert_eq!(noted(&[(Outcome::Failure, NOW)]).score(&subject(), NOW), SCORE_ONE / 3);
}

#[test]
fn score_should_fall_when_successes_follow() {
    let failed = noted(&[(Outcome::Failure, NOW)]);
    let better = noted(&[(Outcome::Failure, NOW), (Outcome::Success, NOW)]);
    assert!(better.score(&subject(), NOW) < failed.score(&subject(), NOW));
}

#[test]
fn score_should_fall_when_time_passes() {
    let failed = noted(&[(Outcome::Failure, NOW)]);
    let score = |after| failed.score(&subject(), NOW + after);
    // Half a failure beside two assumed successes.
    assert_eq!(score(HALF_LIFE), SCORE_ONE / 5);
    assert!(score(HALF_LIFE / 2) > score(HALF_LIFE));
    assert_eq!(score(100 * HALF_LIFE), 0);
}

#[test]
fn hub_should_be_avoided_for_a_while_when_it_fails() {
    let failed = noted(&[(Outcome::Failure, NOW)]);
    assert_eq!(failed.avoided_until(&subject(), NOW), Some(NOW + AVOID));
    assert_eq!(failed.avoided_until(&subject(), NOW + AVOID), None);
}

#[test]
fn hub_should_be_avoided_longer_when_it_is_silent_or_unreadable() {
    for outcome in [Outcome::Timeout, Outcome::Unreadable] {
        let until = noted(&[(outcome, NOW)]).avoided_until(&subject(), NOW);
        assert_eq!(until, Some(NOW + 4 * AVOID));
    }
}

#[test]
fn hub_should_be_avoided_twice_as_long_when_it_fails_again() {
    let failed = noted(&[(Outcome::Failure, NOW), (Outcome::Failure, NOW + AVOID)]);
    let until = failed.avoided_until(&subject(), NOW + AVOID);
    assert_eq!(until, Some(NOW + AVOID + 2 * AVOID));
}

#[test]
fn avoidance_should_have_a_longest_time_when_failures_go_on() {
    let failures: Vec<_> = (0..300).map(|_| (Outcome::Timeout, NOW)).collect();
    let until = noted(&failures).avoided_until(&subject(), NOW);
    assert_eq!(until, Some(NOW + 4 * AVOID * 64));
}

#[test]
fn hub_should_not_be_avoided_when_it_has_succeeded_again() {
    let better = noted(&[(Outcome::Timeout, NOW), (Outcome::Success, NOW + 1)]);
    assert_eq!(better.avoided_until(&subject(), NOW + 1), None);
}

#[test]
fn edge_should_be_judged_apart_from_its_hubs_when_it_fails() {
    let mut reliability = Reliability::default();
    let edge = Subject::Edge(account(1), account(2));
    reliability.note(edge.clone(), Outcome::Failure, NOW);
    assert!(reliability.score(&edge, NOW) > 0);
    assert_eq!(reliability.score(&subject(), NOW), 0);
    assert_eq!(reliability.score(&Subject::Edge(account(2), account(1)), NOW), 0);
}

#[test]
fn success_should_be_noted_of_every_hub_and_edge_when_a_route_has_worked() {
    let graph = graph(vec![hub(1, 0, &[2]), hub(2, 0, &[])], &[]);
    let route = find(&graph, &query(&[1], &[2], 10)).unwrap();
    let subjects = [subject(), Subject::Hub(account(2)), Subject::Edge(account(1), account(2))];
    let mut reliability = Reliability::default();
    for subject in &subjects {
        reliability.note(subject.clone(), Outcome::Timeout, NOW);
    }
    reliability.note_success(&route, NOW);
    for subject in &subjects {
        assert_eq!(reliability.avoided_until(subject, NOW), None);
    }
}

#[test]
fn oldest_subject_should_be_forgotten_when_there_is_no_room() {
    let numbered = |number: u32| {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        Subject::Hub(AccountId::new(bytes))
    };
    let mut reliability = Reliability::default();
    for number in 0..=MAX_SUBJECTS {
        reliability.note(numbered(number), Outcome::Failure, NOW + u64::from(number));
    }
    let now = NOW + u64::from(MAX_SUBJECTS);
    assert_eq!(reliability.score(&numbered(0), now), 0);
    assert!(reliability.score(&numbered(1), now) > 0);
    assert!(reliability.score(&numbered(MAX_SUBJECTS), now) > 0);
}

#[test]
fn memory_should_be_the_same_when_it_was_stored() {
    let original = noted(&[(Outcome::Failure, NOW), (Outcome::Success, NOW + 5)]);
    let stored = Reliability::decode(&mut &original.encode()[..]).unwrap();
    assert_eq!(stored, original);
}

proptest! {
    #[test]
    fn memory_should_not_panic_when_its_bytes_and_clocks_are_arbitrary(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        fields in any::<(u32, u32, u8, u64, u64)>(),
        now in any::<u64>(),
    ) {
        let _ = Reliability::decode(&mut &bytes[..]);
        let record = (codec::Compact(1u32), subject(), fields).encode();
        let mut reliability = Reliability::decode(&mut &record[..]).unwrap();
        prop_assert!(reliability.score(&subject(), now) < SCORE_ONE);
        for outcome in
            [Outcome::Failure, Outcome::Timeout, Outcome::Unreadable, Outcome::Success]
        {
            reliability.note(subject(), outcome, now);
            prop_assert!(reliability.score(&subject(), now) < SCORE_ONE);
        }
    }
}
