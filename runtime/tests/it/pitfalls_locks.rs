//! Holes of earlier implementations around hash locks and their registry (`pitfalls.md` §3.1). Each
//! test says what the old behaviour gave, and would fail on it.

use crate::{chain::*, locks::*, stage::*};
use failsafe_primitives::{evidence::OwnSimplex, Evidence, NATIVE_ASSET};
use failsafe_runtime::{Balances, Debt, Parameters, Runtime, FRD};
use pallet_insurance::Error;
use sp_keyring::Sr25519Keyring::{Bob, Charlie, Ferdie};

/// Old: the delay was shorter than the life of a lock, so an open lock counted as failed: a
/// mediator that learnt the secret later had paid onward, and got nothing.
#[test]
fn h02_lock_should_count_when_its_secret_comes_after_the_delay_and_before_its_expiry() {
    in_both(|chain, asset, [payer, hub]| {
        fund(chain, NATIVE_ASSET, hub, 10);
        assert_eq!(chain.one(hub.does(register("eu"))), Ok(()));
        let channel = channel_at(chain, asset, [payer, hub], (100, 100));
        let expiry = now() + 17;
        let simplex = locked(asset, 1, 10, &[(30, 1, expiry)]);
        let ours = Some(OwnSimplex::Unacked { simplex, acked: None });
        let early = dispute(&channel, hub, Evidence { theirs: None, ours });
        assert_eq!(chain.one(payer.does(early)), Ok(()));
        let delay = Parameters::current().delay_hub;
        chain.run_to_clock(now() + delay + 1);
        assert_eq!(channel.view().dispute.expect("still open").resolve_at, expiry + 1);
        chain.run_to_clock(expiry - 1);
        assert_eq!(chain.one(hub.does(reveal(&[1]))), Ok(()));
        assert_eq!(now(), expiry);
        let had = has(asset, hub);
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, payer), has(asset, hub) - had), (60, 40));
    });
}

/// Old: what was pending in a channel survived its resolve, and was settled once more.
#[test]
fn h06_lock_should_count_once_when_it_is_settled_again_after_the_resolve() {
    in_both(|chain, asset, [a, b]| {
        let old = channel_at(chain, asset, [a, b], (100, 100));
        let pending = locked(asset, 5, 10, &[(30, 1, now() + 10)]);
        chain.all(vec![a.does(dispute(&old, b, acked(&old, a, &pending))), b.does(reveal(&[1]))]);
        chain.run_until_resolved(&old);
        assert_eq!((has(asset, a), has(asset, b)), (60, 40));
        // As pending again, and as settled: A has not signed anything else.
        let settled = sent_in(asset, 6, 40 * FRD);
        let nothing = Err(Error::<Runtime>::NothingToClaim.into());
        for simplex in [&pending, &settled] {
            assert_eq!(chain.one(b.does(late_claim(&old, a, simplex))), nothing);
            let new = Channel::new(a, b);
            let again = dispute(&new, a, old.theirs(a, simplex));
            let refused = Err(Error::<Runtime>::BadProof.into());
            assert_eq!(chain.one(b.does(again)), refused);
        }
        // What A pays beyond it can be claimed.
        let more = late_claim(&old, a, &sent_in(asset, 7, 45 * FRD));
        assert_eq!(chain.one(b.does(more)), Ok(()));
        assert_eq!((has(asset, a), has(asset, b)), (55, 45));
        assert_eq!(Debt::owes(a.id()), vec![]);
    });
}

/// Old: the registry forgot a timely reveal before the dispute that needed it was resolved, and to
/// reveal it again was too late.
#[test]
fn h11_reveal_should_count_when_the_dispute_lasts_longer_than_secrets_are_kept() {
    let mut config = genesis_config(STORY);
    let values = &mut config["parameters"]["values"];
    (values["delayUser"], values["late"]) = (120.into(), 1_200.into());
    on_genesis(&config, |chain| {
        let [a, b] = &Party::strangers(2)[..] else { panic!("two") };
        fund(chain, failsafe_runtime::FRB, b, 1);
        let channel = channel_at(chain, NATIVE_ASSET, [a, b], (100, 100));
        let simplex = locked(NATIVE_ASSET, 1, 10, &[(30, 1, now() + 10)]);
        let bob = Party::known(Bob);
        chain.all(vec![
            b.does(dispute(&channel, a, channel.theirs(a, &simplex))),
            bob.does(reveal(&[1, 2])),
        ]);
        let keep_until = revealed(hash(1)).expect("revealed").keep_until;
        let due = channel.view().dispute.expect("open").resolve_at;
        assert!(keep_until + 10 < due);
        chain.run_to_clock(due - 1);
        assert!(revealed(hash(1)).is_some(), "long past its time");
        chain.run_until_resolved(&channel);
        assert_eq!((has(NATIVE_ASSET, a), has(NATIVE_ASSET, b)), (60, 40));
        // Then it goes.
        chain.run_to_clock(due + 2);
        assert_eq!((revealed(hash(1)), revealed(hash(2))), (None, None));
    });
}

/// Old: a secret too long for the chain could be redeemed off chain, and never on chain: the
/// mediator paid, and was not paid. Here no reveal can carry one, so nobody may accept one.
#[test]
fn h12_lock_should_stay_closed_when_its_secret_is_not_of_32_bytes() {
    in_both(|chain, asset, [a, b]| {
        let channel = channel_at(chain, asset, [a, b], (100, 100));
        let long = [7; 33];
        let mut simplex = locked(asset, 1, 0, &[(30, 7, now() + 10)]);
        simplex.entries[0].locks[0].hash = sp_io::hashing::sha2_256(&long);
        assert_eq!(chain.one(b.does(dispute(&channel, a, channel.theirs(a, &simplex)))), Ok(()));
        // Whatever 32 bytes of it are revealed.
        assert_eq!(chain.one(b.does(reveal(&[7]))), Ok(()));
        assert_eq!(revealed(sp_io::hashing::sha2_256(&long)), None);
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, a), has(asset, b)), (100, 0));
    });
}

/// Old: the resolves and the purge of a block ran side by side, so a node could purge first, and
/// come to another result than the next one.
#[test]
fn h29_resolve_should_come_before_the_purge_when_both_are_due_in_one_block() {
    in_both(|chain, asset, [a, b]| {
        let channel = channel_at(chain, asset, [a, b], (100, 100));
        let bob = Party::known(Bob);
        assert_eq!(chain.one(bob.does(reveal(&[1]))), Ok(()));
        let kept = revealed(hash(1)).expect("revealed");
        let delay = Parameters::current().delay_user;
        // Due at every clock around the end of the keep.
        for due in kept.keep_until - 1..=kept.keep_until + 2 {
            chain.trial(|chain| {
                chain.run_to_clock(due - delay - 1);
                let simplex = locked(asset, 1, 0, &[(30, 1, kept.revealed_at + 1)]);
                let evidence = channel.theirs(a, &simplex);
                assert_eq!(chain.one(b.does(dispute(&channel, a, evidence))), Ok(()));
                assert_eq!(channel.view().dispute.expect("open").resolve_at, due);
                chain.run_until_resolved(&channel);
                assert_eq!(now(), due);
                assert_eq!((has(asset, a), has(asset, b)), (70, 30), "due at {due}");
                chain.run_to_clock(due.max(kept.keep_until) + 2);
                assert_eq!(revealed(hash(1)), None);
            });
        }
    });
}

/// Old: reveals and disputes stored what they brought for nothing.
#[test]
fn h49_reveal_and_dispute_should_pay_for_what_they_store() {
    on(LOCAL, |chain| {
        let [ferdie, charlie] = [Ferdie, Charlie].map(Party::known);
        let values = Parameters::current();
        assert!(values.secret_fee > 0 && values.pair_fee > 0 && values.dispute_deposit > 0);
        let mut paid = |call: failsafe_runtime::RuntimeCall| {
            let author = chain.next_author();
            let earned = || Balances::free_balance(&author);
            let (had, before) = (free(NATIVE_ASSET, &ferdie), earned());
            assert_eq!(chain.one(ferdie.does(call)), Ok(()));
            let spent = had - free(NATIVE_ASSET, &ferdie);
            let on_hold = Balances::reserved_balance(ferdie.id());
            if author != ferdie.id() {
                assert_eq!(earned() - before, spent - on_hold, "all for the author");
            }
            spent - fees_paid()[0]
        };
        // Per new secret; a known one, or one that comes twice, is not stored again.
        assert_eq!(paid(reveal(&[1, 2, 3])), 3 * values.secret_fee);
        assert_eq!(paid(reveal(&[3, 4])), values.secret_fee);
        assert_eq!(paid(reveal(&[4, 4])), 0);
        assert_eq!(paid(reveal(&[5, 5])), values.secret_fee);
        let channel = Channel::new(&ferdie, &charlie);
        let evidence = channel.theirs(&charlie, &sent(1, FRD));
        let spent = paid(dispute(&channel, &charlie, evidence));
        assert_eq!(spent, values.pair_fee + values.dispute_deposit);
        chain.run_until_resolved(&channel);
        assert_eq!(Balances::reserved_balance(ferdie.id()), 0, "the deposit comes back");
    });
}

/// A reveal that had been made by somebody else made the mediator's batch fail.
#[test]
fn m6_reveal_should_succeed_when_somebody_else_was_faster() {
    on(DEVELOPMENT, |chain| {
        let [hub, other] = [Ferdie, Charlie].map(Party::known);
        let results = chain.block(vec![
            other.does(reveal(&[1])),
            hub.does(reveal(&[1])),
            hub.does(atomic(vec![reveal(&[1]), transfer(&other, FRD)])).nonce(1),
        ]);
        assert_eq!(results, vec![Ok(Ok(())); 3]);
        assert_eq!(revealed(hash(1)).expect("there").revealed_at, now());
    });
}
