//! Scenarios of section B over the whole chain, each in the native and in an issued asset. Those
//! with locks are in `scenarios_locks`.

use crate::{chain::*, stage::*};
use failsafe_primitives::{evidence::OwnSimplex, AssetId, Balance, Evidence};
use failsafe_runtime::{Debt, Parameters, Runtime, RuntimeEvent, FRD};
use pallet_insurance::{Error, Event};

/// S18: Alice, left, deposits 400; states off −200, −100, −400 at nonces 1, 2, 3. With two
/// simplexes: Alice sends 200, Bob sends 100 back, Alice sends 300 more.
fn qtum(test: impl Fn(&mut Chain, AssetId, [&Party; 2], Channel<'_>)) {
    in_both(|chain, asset, [alice, bob]| {
        let channel = channel_at(chain, asset, [alice, bob], (400, 400));
        test(chain, asset, [alice, bob], channel);
    });
}

#[test]
fn s18_bob_should_get_400_when_he_closes_with_the_newest_state() {
    qtum(|chain, asset, [alice, bob], channel| {
        for (paid, shares) in [([200, 0], [200, 200]), ([200, 100], [300, 100])] {
            assert_eq!(worth(chain, asset, [alice, bob], paid), shares);
        }
        let newest = [sent_in(asset, 3, 500 * FRD), sent_in(asset, 2, 100 * FRD)];
        let evidence = both(&channel, bob, &newest[1], (alice, &newest[0]));
        assert_eq!(chain.one(bob.does(dispute(&channel, alice, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, alice), has(asset, bob)), (0, 400));
    });
}

#[test]
fn s18_dispute_should_split_80_to_20_when_20_of_100_were_paid() {
    in_both(|chain, asset, [alice, bob]| {
        let channel = channel_at(chain, asset, [alice, bob], (100, 100));
        let evidence = channel.theirs(alice, &sent_in(asset, 1, 20 * FRD));
        assert_eq!(chain.one(bob.does(dispute(&channel, alice, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, alice), has(asset, bob)), (80, 20));
    });
}

/// Alice disputes with her second state, which is 300 to 100.
fn cheat(chain: &mut Chain, asset: AssetId, [alice, bob]: [&Party; 2], channel: &Channel<'_>) {
    let second = [sent_in(asset, 1, 200 * FRD), sent_in(asset, 1, 100 * FRD)];
    let evidence = both(channel, alice, &second[0], (bob, &second[1]));
    assert_eq!(chain.one(alice.does(dispute(channel, bob, evidence))), Ok(()));
}

#[test]
fn s19_cheat_should_fail_when_bob_counters_in_the_last_block() {
    qtum(|chain, asset, [alice, bob], channel| {
        cheat(chain, asset, [alice, bob], &channel);
        let due = channel.view().dispute.expect("open").resolve_at;
        assert_eq!(due, now() + 8, "against a user");
        // The next block has the last clock at which a counter is taken.
        chain.run_to_clock(due - 2);
        let newest = channel.theirs(alice, &sent_in(asset, 3, 500 * FRD));
        assert_eq!(chain.one(bob.does(counter(alice, newest))), Ok(()));
        assert_eq!(now(), due - 1);
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, alice), has(asset, bob)), (0, 400));
    });
}

#[test]
fn s19_cheat_should_succeed_when_bob_is_silent_or_late() {
    qtum(|chain, asset, [alice, bob], channel| {
        cheat(chain, asset, [alice, bob], &channel);
        let due = channel.view().dispute.expect("open").resolve_at;
        chain.run_to_clock(due - 1);
        let newest = channel.theirs(alice, &sent_in(asset, 3, 500 * FRD));
        let refused = Err(Error::<Runtime>::TooLate.into());
        assert_eq!(chain.one(bob.does(counter(alice, newest))), refused);
        assert_eq!((has(asset, alice), has(asset, bob)), (300, 100));
    });
}

/// What the last block told of the simplexes of a counter: whether replaced, and the nonce.
fn told() -> Vec<(bool, u64)> {
    let tell = |event| match event {
        RuntimeEvent::Insurance(Event::SimplexReplaced { nonce, .. }) => Some((true, nonce)),
        RuntimeEvent::Insurance(Event::SimplexSkipped { nonce, .. }) => Some((false, nonce)),
        _ => None,
    };
    events().into_iter().filter_map(tell).collect()
}

#[test]
fn s20_counter_should_replace_only_when_its_nonce_is_higher() {
    in_both(|chain, asset, [alice, bob]| {
        let channel = channel_at(chain, asset, [alice, bob], (100, 100));
        let opening = acked(&channel, alice, &sent_in(asset, 5, 50 * FRD));
        assert_eq!(chain.one(alice.does(dispute(&channel, bob, opening))), Ok(()));
        // Amounts that would matter if the chain compared these, too.
        for (nonce, amount, replaces) in [(5, 99, false), (4, 98, false), (7, 70, true)] {
            let evidence = channel.theirs(alice, &sent_in(asset, nonce, amount * FRD));
            assert_eq!(chain.one(bob.does(counter(alice, evidence))), Ok(()));
            assert_eq!(told(), vec![(replaces, nonce)]);
        }
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, alice), has(asset, bob)), (30, 70));
    });
}

#[test]
fn s21_starter_should_be_refused_when_it_speaks_again() {
    qtum(|chain, asset, [alice, bob], channel| {
        cheat(chain, asset, [alice, bob], &channel);
        let more = || channel.theirs(bob, &sent_in(asset, 9, 300 * FRD));
        let refused = Err(Error::<Runtime>::StarterSpeaksOnce.into());
        assert_eq!(chain.one(alice.does(counter(bob, more()))), refused);
        assert_eq!(chain.one(alice.does(dispute(&channel, bob, more()))), refused);
        // Bob can show the same.
        let own = acked(&channel, bob, &sent_in(asset, 9, 300 * FRD));
        assert_eq!(chain.one(bob.does(counter(alice, own))), Ok(()));
        assert_eq!(told(), vec![(true, 9)]);
        assert!(channel.view().dispute.is_some(), "a counter ends nothing");
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, alice), has(asset, bob)), (400, 0));
    });
}

#[test]
fn s21_dispute_should_end_at_once_when_the_responder_accepts_and_nobody_owes() {
    qtum(|chain, asset, [alice, bob], channel| {
        cheat(chain, asset, [alice, bob], &channel);
        let newest = channel.theirs(alice, &sent_in(asset, 3, 500 * FRD));
        assert_eq!(chain.one(bob.does(counter(alice, newest))), Ok(()));
        let presented = channel.view().dispute.expect("open").digest;
        let accept = pallet_insurance::Call::accept { partner: alice.id(), presented };
        assert_eq!(chain.one(bob.does(accept)), Ok(()));
        assert_eq!(channel.view().dispute, None);
        assert_eq!((has(asset, alice), has(asset, bob)), (0, 400));
    });
}

/// S29: (100, 100), n5 off −40, n7 off −70. A disputes with its own n5 while B is away: 60 to 40.
/// Then A keeps `keeps` of its 60.
fn withheld(keeps: Balance, test: impl Fn(&mut Chain, AssetId, [&Party; 2], Channel<'_>)) {
    in_both(|chain, asset, [a, b]| {
        let channel = channel_at(chain, asset, [a, b], (100, 100));
        let evidence = acked(&channel, a, &sent_in(asset, 5, 40 * FRD));
        assert_eq!(chain.one(a.does(dispute(&channel, b, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, a), has(asset, b)), (60, 40));
        fund(chain, asset, a, keeps);
        test(chain, asset, [a, b], channel);
    });
}

#[test]
fn s29_withheld_state_should_move_30_at_once_when_the_payer_has_it() {
    withheld(60, |chain, asset, [a, b], old| {
        let n7 = sent_in(asset, 7, 70 * FRD);
        // In the new epoch it is worth nothing.
        let new = Channel::new(a, b);
        let again = dispute(&new, a, old.theirs(a, &n7));
        assert_eq!(chain.one(b.does(again)), Err(Error::<Runtime>::BadProof.into()));
        assert_eq!(chain.one(b.does(late_claim(&old, a, &n7))), Ok(()));
        assert_eq!((has(asset, a), has(asset, b)), (30, 70));
        let twice = Err(Error::<Runtime>::NothingToClaim.into());
        assert_eq!(chain.one(b.does(late_claim(&old, a, &n7))), twice);
        assert_eq!((has(asset, a), has(asset, b)), (30, 70));
        assert_eq!(Debt::owes(a.id()), vec![]);
    });
}

#[test]
fn s29_withheld_state_should_become_a_debt_of_30_when_the_payer_has_nothing() {
    withheld(0, |chain, asset, [a, b], old| {
        let claim = late_claim(&old, a, &sent_in(asset, 7, 70 * FRD));
        assert_eq!(chain.one(b.does(claim)), Ok(()));
        // Not 70, as if nothing had been paid before.
        assert_eq!(Debt::owes(a.id()), vec![(asset, 30 * FRD)]);
    });
}

#[test]
fn s29_withheld_state_should_be_refused_when_late_claims_are_over() {
    withheld(60, |chain, asset, [a, b], old| {
        let claim = || late_claim(&old, a, &sent_in(asset, 7, 70 * FRD));
        let last = Channel::new(a, b).view().old_epochs[0].at + Parameters::current().late;
        // The claim is in the block after.
        chain.run_to_clock(last - 1);
        assert_eq!(chain.trial(|chain| chain.one(b.does(claim()))), Ok(()));
        chain.run_to_clock(last);
        assert_eq!(chain.one(b.does(claim())), Err(Error::<Runtime>::NoLateClaims.into()));
        assert_eq!((has(asset, a), has(asset, b)), (60, 40));
    });
}

#[test]
fn s30_fresh_deposit_should_come_back_when_disputed_without_evidence() {
    withheld(60, |chain, asset, [a, b], _| {
        assert_eq!(chain.one(a.does(deposit_of(asset, 50 * FRD, a, b))), Ok(()));
        assert_eq!(has(asset, a), 10);
        let channel = Channel::new(a, b);
        assert_eq!(chain.one(a.does(dispute(&channel, b, Evidence::default()))), Ok(()));
        chain.run_until_resolved(&channel);
        // The nonce 5 of the old epoch stands in nobody's way.
        assert_eq!((has(asset, a), has(asset, b)), (60, 40));
    });
}

#[test]
fn s31_dispute_should_wait_for_the_delay_of_who_must_answer() {
    in_both(|chain, asset, [user, hub]| {
        fund(chain, failsafe_primitives::NATIVE_ASSET, hub, 10);
        assert_eq!(chain.one(hub.does(register("eu"))), Ok(()));
        let channel = channel_at(chain, asset, [user, hub], (10, 5));
        let values = Parameters::current();
        for (starter, other, delay) in
            [(user, hub, values.delay_hub), (hub, user, values.delay_user)]
        {
            chain.trial(|chain| {
                // Started in an odd and in an even block alike.
                for pause in [0, 1] {
                    chain.trial(|chain| {
                        chain.run_to_clock(now() + pause);
                        let call = dispute(&channel, other, Evidence::default());
                        assert_eq!(chain.one(starter.does(call)), Ok(()));
                        let start = now();
                        chain.run_to_clock(start + delay - 1);
                        assert!(channel.view().dispute.is_some(), "not before");
                        chain.run_to_clock(start + delay);
                        assert_eq!(channel.view().dispute, None);
                    });
                }
            });
        }
    });
}

#[test]
fn a10_responder_should_be_refused_when_it_posts_a_simplex_that_nobody_acknowledged() {
    // An own simplex without the partner's signature is for starters only.
    in_both(|chain, asset, [a, b]| {
        let channel = channel_at(chain, asset, [a, b], (10, 5));
        assert_eq!(chain.one(a.does(dispute(&channel, b, Evidence::default()))), Ok(()));
        let simplex = sent_in(asset, 1, 2 * FRD);
        let ours = Some(OwnSimplex::Unacked { simplex, acked: None });
        let alone = counter(a, Evidence { theirs: None, ours });
        assert_eq!(chain.one(b.does(alone)), Err(Error::<Runtime>::AckMissing.into()));
        assert!(channel.view().dispute.is_some());
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, a), has(asset, b)), (5, 5));
    });
}
