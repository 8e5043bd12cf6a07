//! How long a dispute may last, and what its counters cost.

use super::*;
use failsafe_primitives::{parameters::MIN_DELAY, Clock, Evidence, Side};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use proptest::prelude::*;

/// The lock window of the mock.
const WINDOW: Clock = 20;

/// Hub (left) and accomplice (right) with an open dispute of the accomplice, and a stranger.
fn accomplices(test: impl FnOnce(&Party, &Party, &Party, Channel<'_>)) {
    let p = Party::ordered(3);
    let (hub, accomplice, stranger) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default().balance(hub, 5).balance(accomplice, 10);
    builder.balance(stranger, 5).hub(hub).build_and_execute(|| {
        let channel = Channel::new(hub, accomplice);
        assert_ok!(dispute(accomplice, hub, channel.theirs(Side::Left, &sent(1, 1))));
        test(hub, accomplice, stranger, channel);
    });
}

fn counter_for(
    who: &Party,
    channel: &Channel<'_>,
    simplex: &failsafe_primitives::Simplex,
) -> DispatchResultWithPostInfo {
    let simplexes = vec![channel.twice(Side::Left, simplex)].try_into().unwrap();
    Insurance::counter_for(who.origin(), channel.left.id(), channel.right.id(), simplexes)
}

#[test]
fn c4_counter_should_be_refused_when_its_lock_expires_beyond_a_window_after_the_start() {
    accomplices(|_, _, stranger, channel| {
        let start = channel.dispute().unwrap().start;
        let latest = start + MIN_DELAY + WINDOW;
        next_block();
        next_block();
        let beyond = sent_and_locked(2, 1, (9, 9, latest + 1));
        let refused = counter_for(stranger, &channel, &beyond);
        assert_noop!(refused.map_err(|e| e.error), Error::ExpiryTooFar);
        assert_ok!(counter_for(stranger, &channel, &sent_and_locked(2, 1, (9, 9, latest))));
        assert_eq!(channel.dispute().unwrap().resolve_at, latest + 1);
        // The last moment does not help either.
        run_to_clock(latest);
        let more = sent_and_locked(3, 1, (9, 9, now() + WINDOW));
        let refused = counter_for(stranger, &channel, &more);
        assert_noop!(refused.map_err(|e| e.error), Error::ExpiryTooFar);
        run_until_resolved(&channel);
    });
}

#[test]
fn c4_debts_should_be_paid_in_honest_order_when_accomplices_opened_a_dispute_in_advance() {
    let p = Party::ordered(4);
    let (hub, accomplice, honest, stranger) = (&p[0], &p[1], &p[2], &p[3]);
    let builder = ExtBuilder::default().balance(accomplice, 10).balance(honest, 10);
    builder.balance(stranger, 1_000).hub(hub).build_and_execute(|| {
        let fake = Channel::new(hub, accomplice);
        assert_ok!(dispute(accomplice, hub, fake.theirs(Side::Left, &sent(1, 1))));
        let start = fake.dispute().unwrap().start;
        for nonce in 2.. {
            let Some(open) = fake.dispute() else { break };
            run_to_clock(open.resolve_at - 1);
            // Whatever they try, the dispute and its place in the queue end.
            let _ =
                counter_for(stranger, &fake, &sent_and_locked(nonce, 1, (9, 9, now() + WINDOW)));
            run_to_clock(open.resolve_at + 1);
        }
        assert!(now() <= start + MIN_DELAY + WINDOW + 2, "still open at {}", now());
        let real = Channel::new(hub, honest);
        assert_ok!(dispute(honest, hub, real.theirs(Side::Left, &sent(1, 500))));
        next_block();
        let fake = Channel::new(hub, accomplice);
        assert_ok!(dispute(accomplice, hub, fake.theirs(Side::Left, &sent(1, 1_000_000))));
        run_until_resolved(&real);
        run_until_resolved(&fake);
        assert_ok!(Balances::transfer_allow_death(stranger.origin(), hub.id(), 501));
        next_block();
        assert_eq!((free(FRD, accomplice), free(FRD, honest)), (11, 510));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn c4_dispute_should_end_in_bounded_time_whatever_counters_come(
        steps in prop::collection::vec((0u64..5, any::<bool>(), any::<bool>(), 0u64..60), 1..40),
        first_lock in prop::option::of(0..=WINDOW),
        against_hub in any::<bool>(),
    ) {
        let p = Party::ordered(3);
        let (left, right, stranger) = (&p[0], &p[1], &p[2]);
        let mut builder = ExtBuilder::default().balance(left, 5).balance(right, 5);
        if against_hub {
            builder = builder.hub(left);
        }
        builder.balance(stranger, 5).build_and_execute(|| {
            let channel = Channel::new(left, right);
            let opening = match first_lock {
                Some(wait) => sent_and_locked(1, 1, (1, 1, now() + wait)),
                None => sent(1, 1),
            };
            assert_ok!(dispute(right, left, channel.theirs(Side::Left, &opening)));
            let opened = channel.dispute().unwrap();
            let latest = opened.start + opened.delay.max(MIN_DELAY + WINDOW + 1);
            for (nonce, (wait, by_responder, lefts, expiry)) in (2..).zip(steps) {
                let simplex = sent_and_locked(nonce, 1, (1, 1, opened.start + expiry));
                let from = if lefts { Side::Left } else { Side::Right };
                // Refused or not: it must not prolong the dispute beyond the bound.
                let _ = if by_responder {
                    let evidence = if lefts {
                        channel.ours(from, &simplex)
                    } else {
                        channel.theirs(from, &simplex)
                    };
                    Insurance::counter(left.origin(), right.id(), evidence)
                } else {
                    let simplexes = vec![channel.twice(from, &simplex)].try_into().unwrap();
                    Insurance::counter_for(stranger.origin(), left.id(), right.id(), simplexes)
                };
                match channel.dispute() {
                    Some(open) => assert!(open.resolve_at <= latest),
                    None => break,
                }
                run_to_clock(now() + wait);
            }
            run_to_clock(latest + 1);
            assert!(channel.dispute().is_none());
        });
    }
}

#[test]
fn h2_counter_should_be_free_once_per_dispute_and_role() {
    accomplices(|hub, accomplice, stranger, channel| {
        let by_responder = |nonce| {
            let evidence = channel.ours(Side::Left, &sent(nonce, 1));
            Insurance::counter(hub.origin(), accomplice.id(), evidence).unwrap().pays_fee
        };
        let by_other =
            |who: &Party, nonce| counter_for(who, &channel, &sent(nonce, 1)).unwrap().pays_fee;
        assert_eq!(by_responder(1), Pays::Yes, "it changes nothing, and uses nothing up");
        assert_eq!(by_responder(2), Pays::No);
        assert_eq!(by_responder(3), Pays::Yes);
        assert_eq!(by_other(stranger, 4), Pays::No);
        assert_eq!(by_other(accomplice, 5), Pays::Yes);
        assert_eq!(by_responder(6), Pays::Yes);
        run_until_resolved(&channel);
    });
}

#[test]
fn h2_counter_should_be_free_again_when_another_dispute_is_open() {
    accomplices(|hub, accomplice, _, channel| {
        let counter = channel.ours(Side::Left, &sent(2, 1));
        assert_ok!(Insurance::counter(hub.origin(), accomplice.id(), counter));
        run_until_resolved(&channel);
        let next = Channel::new(hub, accomplice);
        assert_ok!(dispute(accomplice, hub, next.theirs(Side::Left, &sent(1, 1))));
        let counter = next.ours(Side::Left, &sent(2, 1));
        let info = Insurance::counter(hub.origin(), accomplice.id(), counter).unwrap();
        assert_eq!(info.pays_fee, Pays::No);
        run_until_resolved(&next);
    });
}

#[test]
fn h3_accept_should_be_refused_when_a_counter_has_changed_what_is_presented() {
    let p = Party::ordered(3);
    let (a, b, stranger) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default().balance(a, 100).balance(b, 1).balance(stranger, 1);
    builder.build_and_execute(|| {
        assert_ok!(deposit(a, 100, a, b));
        let channel = Channel::new(a, b);
        let old = sent(1, 1);
        let acked = Some((old.clone(), channel.ack(Side::Left, &old)));
        let ours = failsafe_primitives::OwnSimplex::Unacked { simplex: sent(7, 90), acked };
        assert_ok!(dispute(a, b, Evidence { theirs: None, ours: Some(ours) }));
        let seen = channel.digest();
        // The starter's friend brings a newer one just before the acceptance, which gives less.
        let back = vec![channel.twice(Side::Left, &sent(8, 80))].try_into().unwrap();
        assert_ok!(Insurance::counter_for(stranger.origin(), a.id(), b.id(), back));
        let other = Insurance::accept(b.origin(), a.id(), seen);
        assert_noop!(other.map_err(|e| e.error), Error::NotWhatIsPresented);
        assert_ok!(Insurance::counter(
            b.origin(),
            a.id(),
            channel.theirs(Side::Left, &sent(9, 90))
        ));
        assert_ne!(channel.digest(), seen, "final now");
        assert_ok!(accept(b, a));
        assert_eq!((free(FRD, a), free(FRD, b)), (10, 91));
    });
}

#[test]
fn h3_accept_should_be_refused_when_it_was_meant_for_another_epoch() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 100).build_and_execute(|| {
        assert_ok!(deposit(a, 50, a, b));
        assert_ok!(dispute(a, b, Evidence::default()));
        let first = Channel::new(a, b).digest();
        run_until_resolved(&Channel::new(a, b));
        assert_ok!(deposit(a, 50, a, b));
        assert_ok!(dispute(a, b, Evidence::default()));
        let again = Insurance::accept(b.origin(), a.id(), first);
        assert_noop!(again.map_err(|e| e.error), Error::NotWhatIsPresented);
        assert_ok!(accept(b, a));
    });
}
