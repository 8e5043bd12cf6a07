use super::*;
use crate::{fail, wrap, Reason, Unreadable, FAILURE_SIZE, REJECTED};

const REASONS: [Reason; 16] = [
    Reason::UnknownNext,
    Reason::Capacity { asset: u32::MAX },
    Reason::FeeTooLow,
    Reason::ExpiryTooSoon,
    Reason::ExpiryTooFar,
    Reason::AssetNotAccepted,
    Reason::Frozen,
    Reason::TooManyLocks,
    Reason::Unavailable,
    Reason::TooSmall,
    Reason::Malformed,
    Reason::UnknownPayment,
    Reason::WrongAmount,
    Reason::AlreadyPaid,
    Reason::Timeout,
    Reason::Instructions,
];

/// Brings a failure from the hop `from` to the payer.
fn back(shared: &[HopSecret], from: usize, failure: Vec<u8>) -> Vec<u8> {
    shared[..from].iter().rev().fold(failure, |failure, secret| wrap(secret, &failure))
}

#[test]
fn reason_should_be_opened_at_its_hop_when_any_hop_of_any_route_fails() {
    for length in 1..=10 {
        let route = Route::new(length);
        let shared = route.secrets_shared();
        for (from, secret) in shared.iter().enumerate() {
            let reason = REASONS[from];
            let failure = back(&shared, from, fail(secret, &reason));
            assert_eq!(route.keys.open(&failure), Ok((from, reason)));
        }
    }
}

#[test]
fn reason_should_come_back_when_it_is_any() {
    let route = Route::new(2);
    let shared = route.secrets_shared();
    for reason in REASONS {
        let failure = back(&shared, 1, fail(&shared[1], &reason));
        assert_eq!(route.keys.open(&failure), Ok((1, reason)));
    }
}

#[test]
fn reason_should_keep_its_index_when_encoded() {
    use codec::Encode;
    for (index, reason) in (0u8..).zip(REASONS) {
        assert_eq!(reason.encode()[0], index);
    }
}

#[test]
fn failure_should_have_one_size_when_made_or_wrapped() {
    let shared = Route::new(10).secrets_shared();
    let mut failure = fail(&shared[9], &Reason::Capacity { asset: 1 });
    for secret in shared.iter().rev() {
        assert_eq!(failure.len(), FAILURE_SIZE);
        failure = wrap(secret, &failure);
    }
}

#[test]
fn reason_should_be_unreadable_when_any_byte_of_it_was_changed() {
    let route = Route::new(4);
    let shared = route.secrets_shared();
    let honest = back(&shared, 3, fail(&shared[3], &Reason::Frozen));
    for place in 0..32 + 36 {
        let mut changed = honest.clone();
        changed[place] ^= 1;
        let first = Unreadable::Garbled { first: 0, last: 0 };
        assert_eq!(route.keys.open(&changed), Err(first), "byte {place}");
    }
}

#[test]
fn reason_should_be_opened_when_only_tags_were_changed() {
    let route = Route::new(4);
    let shared = route.secrets_shared();
    let mut failure = back(&shared, 3, fail(&shared[3], &Reason::Frozen));
    failure[32 + 36..].fill(7);
    assert_eq!(route.keys.open(&failure), Ok((3, Reason::Frozen)));
}

/// The last hop fails, and the hop `hostile` changes the byte `place` of that: of what it gets
/// (`before`) or of what it sends.
fn garbled(
    keys: &RouteKeys,
    hostile: usize,
    place: usize,
    before: bool,
) -> Result<(usize, Reason), Unreadable> {
    let (last, others) = keys.hops().split_last().unwrap();
    let mut failure = fail(last, &Reason::Timeout);
    for (index, secret) in others.iter().enumerate().rev() {
        if index == hostile && before {
            failure[place] ^= 1;
        }
        failure = wrap(secret, &failure);
        if index == hostile && !before {
            failure[place] ^= 1;
        }
    }
    keys.open(&failure)
}

#[test]
fn blame_should_hold_the_hostile_hop_when_it_changes_a_report() {
    let keys = Route::new(10).keys;
    for hostile in 0usize..9 {
        for place in [0, 31, 32, 67] {
            // Its own tags say what it passed on, those of the hop before it what it sent.
            let before = Unreadable::Garbled { first: hostile, last: hostile + 1 };
            assert_eq!(garbled(&keys, hostile, place, true), Err(before));
            let after = Unreadable::Garbled { first: hostile.saturating_sub(1), last: hostile };
            assert_eq!(garbled(&keys, hostile, place, false), Err(after));
        }
    }
}

#[test]
fn blame_should_never_hit_honest_hops_alone_when_any_byte_is_changed() {
    let keys = Route::new(6).keys;
    for hostile in 0..5 {
        for place in 0..FAILURE_SIZE {
            for before in [false, true] {
                match garbled(&keys, hostile, place, before) {
                    Ok(report) => assert_eq!(report, (5, Reason::Timeout)),
                    Err(Unreadable::Garbled { first, last }) => {
                        assert!((first..=last).contains(&hostile), "{hostile}: {first}..={last}");
                    },
                    Err(Unreadable::Rejected) => panic!("not empty"),
                }
            }
        }
    }
}

#[test]
fn blame_should_never_hit_honest_hops_alone_when_tags_go_wrong_as_well() {
    // A report that nobody made, and one byte more that is changed farther on.
    let route = Route::new(6);
    let shared = route.secrets_shared();
    for place in 0..FAILURE_SIZE {
        let mut failure = back(&shared[..5], 5, vec![0x3c; FAILURE_SIZE]);
        assert_eq!(route.keys.open(&failure), Err(Unreadable::Garbled { first: 4, last: 5 }));
        failure[place] ^= 1;
        let blamed = route.keys.open(&failure);
        let at_first = Unreadable::Garbled { first: 0, last: 0 };
        assert!([Err(at_first), Err(Unreadable::Garbled { first: 4, last: 5 })].contains(&blamed));
    }
}

#[test]
fn blame_should_hit_the_last_hop_when_it_wraps_what_it_made_up() {
    let route = Route::new(3);
    let shared = route.secrets_shared();
    let failure = back(&shared, 2, wrap(&shared[2], &[1; FAILURE_SIZE]));
    assert_eq!(route.keys.open(&failure), Err(Unreadable::Garbled { first: 2, last: 2 }));
}

#[test]
fn blame_should_hit_the_hop_before_when_it_says_its_successor_rejected() {
    let route = Route::new(5);
    let shared = route.secrets_shared();
    for sent in [REJECTED, &[0], &[0; FAILURE_SIZE - 1], &[0; FAILURE_SIZE + 1]] {
        let failure = back(&shared, 2, wrap(&shared[2], sent));
        assert_eq!(route.keys.open(&failure), Ok((2, Reason::Malformed)));
    }
}

#[test]
fn failure_should_be_told_apart_when_the_first_hop_itself_rejects_or_garbles() {
    let keys = Route::new(5).keys;
    assert_eq!(keys.open(REJECTED), Err(Unreadable::Rejected));
    let garbled = Err(Unreadable::Garbled { first: 0, last: 0 });
    assert_eq!(keys.open(&[1]), garbled);
    assert_eq!(keys.open(&[1; FAILURE_SIZE]), garbled);
}

#[test]
fn failure_should_be_unreadable_when_the_keys_are_of_another_packet() {
    let shared = Route::new(2).secrets_shared();
    let other = Route::with_ephemeral(2, [3; 32]).keys;
    let failure = fail(&shared[0], &Reason::Frozen);
    assert_eq!(other.open(&failure), Err(Unreadable::Garbled { first: 0, last: 0 }));
}

#[test]
fn bytes_should_differ_when_failures_of_any_hop_are_compared() {
    let shared: Vec<_> =
        (0..64).map(|seed| Route::with_ephemeral(10, [seed; 32]).secrets_shared()).collect();
    for from in [0, 4, 9] {
        let failures: Vec<_> = shared
            .iter()
            .map(|shared| back(shared, from, fail(&shared[from], &Reason::Frozen)))
            .collect();
        for place in 0..FAILURE_SIZE {
            let first = failures[0][place];
            assert!(failures.iter().any(|failure| failure[place] != first), "byte {place}");
        }
    }
}
