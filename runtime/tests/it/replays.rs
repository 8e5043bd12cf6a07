//! Signatures that were made for something else, as the whole chain meets them.

use crate::chain::*;
use failsafe_primitives::{evidence::OwnSimplex, ChannelContext, Evidence, Pair, NATIVE_ASSET};
use failsafe_runtime::{Runtime, RuntimeCall, FRB, FRD};
use pallet_insurance::Error;
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Ferdie};

/// Everything that `by` can submit with signatures of `partner` in the context of `channel`, while
/// a dispute of `partner` is open.
fn submissions(
    channel: &Channel<'_>,
    by: &Party,
    partner: &Party,
) -> Vec<(&'static str, RuntimeCall)> {
    let theirs = channel.theirs(partner, &sent(1, FRD));
    let own = channel.twice(by, &sent(1, FRD));
    let ours = OwnSimplex::Acked { simplex: own.simplex, ack: own.ack };
    let both = vec![channel.twice(partner, &sent(1, FRD))].try_into().expect("one");
    let pair = &channel.context.pair;
    let (left, right) = (pair.left().clone(), pair.right().clone());
    vec![
        ("counter with the partner's simplex", counter(partner, theirs)),
        (
            "counter with the partner's acknowledgement",
            counter(partner, Evidence { theirs: None, ours: Some(ours) }),
        ),
        (
            "counter by a watchtower",
            pallet_insurance::Call::counter_for { left, right, simplexes: both }.into(),
        ),
        ("withdrawal", channel.withdrawal(by, FRD, 0)),
        ("withdrawal in another asset", channel.withdrawal_of(by, &[(FRB, FRD, 0)])),
        ("close", channel.close(by, 0)),
    ]
}

/// A chain on which Bob disputes his channel with Ferdie, in which both assets are insured.
fn with_dispute(test: impl FnOnce(&mut Chain, &Party, &Party)) {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        chain.all(vec![
            ferdie.does(deposit(10 * FRD, &ferdie, &bob)),
            ferdie.does(deposit_of(FRB, 10 * FRD, &ferdie, &bob)),
        ]);
        let channel = Channel::new(&ferdie, &bob);
        assert_eq!(chain.one(bob.does(dispute(&channel, &ferdie, Default::default()))), Ok(()));
        test(chain, &ferdie, &bob);
    });
}

/// Asserts that what is signed in `context` is refused, each time with the channel unchanged.
fn assert_refused(chain: &mut Chain, by: &Party, partner: &Party, context: ChannelContext) {
    let before = Channel::new(by, partner).view();
    let mut channel = Channel::new(by, partner);
    channel.context = context;
    // A withdrawal names the accounts that submit it, whatever pair the signature is bound to.
    for (what, call) in submissions(&channel, by, partner) {
        let result = chain.one(by.does(call));
        assert_eq!(result, Err(Error::<Runtime>::BadProof.into()), "{what}");
        assert_eq!(Channel::new(by, partner).view(), before, "{what}");
    }
}

#[test]
fn s56_signatures_should_be_accepted_when_made_for_this_chain_and_epoch() {
    with_dispute(|chain, ferdie, bob| {
        // Without this, the refusals of the other tests would prove nothing.
        for (what, call) in submissions(&Channel::new(ferdie, bob), ferdie, bob) {
            let result = chain.trial(|chain| chain.one(ferdie.does(call)));
            assert_eq!(result, Ok(()), "{what}");
        }
    });
}

#[test]
fn s56_signatures_should_be_refused_when_made_for_another_chain() {
    with_dispute(|chain, ferdie, bob| {
        let here = Channel::new(ferdie, bob).context;
        let genesis_hash = H256::repeat_byte(7);
        assert_refused(chain, ferdie, bob, ChannelContext { genesis_hash, ..here });
    });
}

#[test]
fn s56_signatures_should_be_refused_when_made_for_the_other_preset() {
    let mut elsewhere = H256::zero();
    on(STORY, |_| elsewhere = failsafe_runtime::System::block_hash(0));
    with_dispute(|chain, ferdie, bob| {
        let here = Channel::new(ferdie, bob).context;
        assert_ne!(here.genesis_hash, elsewhere);
        assert_refused(chain, ferdie, bob, ChannelContext { genesis_hash: elsewhere, ..here });
    });
}

#[test]
fn s56_signatures_should_be_refused_when_made_for_a_later_epoch() {
    with_dispute(|chain, ferdie, bob| {
        let here = Channel::new(ferdie, bob).context;
        assert_refused(chain, ferdie, bob, ChannelContext { epoch: 1, ..here });
    });
}

#[test]
fn s56_signatures_should_be_refused_when_the_epoch_is_over() {
    with_dispute(|chain, ferdie, bob| {
        let old = Channel::new(ferdie, bob).context;
        chain.run_until_resolved(&Channel::new(ferdie, bob));
        // A new epoch with the same collateral, disputed by the same party: only the epoch differs.
        chain.all(vec![
            ferdie.does(deposit(10 * FRD, ferdie, bob)),
            ferdie.does(deposit_of(FRB, 10 * FRD, ferdie, bob)),
        ]);
        let channel = Channel::new(ferdie, bob);
        assert_eq!(channel.epoch(), 1);
        assert_eq!(chain.one(bob.does(dispute(&channel, ferdie, Default::default()))), Ok(()));
        assert_refused(chain, ferdie, bob, old);
    });
}

#[test]
fn s56_simplex_should_be_refused_when_made_for_another_pair() {
    with_dispute(|chain, ferdie, bob| {
        let before = Channel::new(ferdie, bob).view();
        let pair = Pair::new(bob.id(), Party::known(Alice).id()).expect("two");
        let context = ChannelContext { pair, ..Channel::new(ferdie, bob).context };
        // What Bob has signed in his channel with Alice.
        let simplex = sent(1, FRD);
        let from = context.pair.side_of(&bob.id()).expect("his");
        let message = context.simplex_message(from, &simplex);
        let signature = failsafe_primitives::Signature::Direct(bob.sign(&message));
        let theirs = failsafe_primitives::SignedSimplex { simplex, signature };
        let evidence = Evidence { theirs: Some(theirs), ours: None };
        let result = chain.one(ferdie.does(counter(bob, evidence)));
        assert_eq!(result, Err(Error::<Runtime>::BadProof.into()));
        assert_eq!(Channel::new(ferdie, bob).view(), before);
    });
}

#[test]
fn s56_dispute_should_be_refused_when_its_evidence_is_of_another_chain() {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        let mut channel = Channel::new(&ferdie, &bob);
        channel.context.genesis_hash = H256::repeat_byte(7);
        let evidence = channel.theirs(&bob, &sent(1, FRD));
        let result = chain.one(ferdie.does(dispute(&channel, &bob, evidence)));
        assert_eq!(result, Err(Error::<Runtime>::BadProof.into()));
        assert_eq!(Channel::new(&ferdie, &bob).view().dispute, None);
        assert_eq!(failsafe_runtime::Balances::reserved_balance(ferdie.id()), 0);
    });
}

#[test]
fn s56_dispute_should_be_refused_when_it_names_an_epoch_that_is_over() {
    with_dispute(|chain, ferdie, bob| {
        let old = Channel::new(ferdie, bob);
        let late = dispute(&old, bob, old.theirs(bob, &sent(1, FRD)));
        chain.run_until_resolved(&old);
        assert_eq!(chain.one(ferdie.does(late)), Err(Error::<Runtime>::WrongEpoch.into()));
        assert_eq!(Channel::new(ferdie, bob).view().dispute, None);
    });
}

#[test]
fn s56_late_claim_should_be_refused_when_its_simplex_is_of_another_chain() {
    with_dispute(|chain, ferdie, bob| {
        let mut channel = Channel::new(ferdie, bob);
        chain.run_until_resolved(&channel);
        let claim = |channel: &Channel<'_>| {
            let signed = channel.signed(bob, &sent(1, FRD));
            pallet_insurance::Call::late_claim {
                payer: bob.id(),
                epoch: 0,
                simplex: signed.simplex,
                signature: signed.signature,
            }
        };
        let honest = claim(&channel);
        assert_eq!(chain.trial(|chain| chain.one(ferdie.does(honest))), Ok(()));
        channel.context.genesis_hash = H256::repeat_byte(7);
        let before = free(NATIVE_ASSET, bob);
        let result = chain.one(ferdie.does(claim(&channel)));
        assert_eq!(result, Err(Error::<Runtime>::BadProof.into()));
        assert_eq!(free(NATIVE_ASSET, bob), before);
    });
}

#[test]
fn s08_withdrawal_proof_should_be_refused_when_it_was_used() {
    on(STORY, |chain| {
        let alice = Party::known(Alice);
        let other = &Party::strangers(1)[0];
        assert_eq!(chain.one(alice.does(deposit(10 * FRD, &alice, other))), Ok(()));
        let proof = Channel::new(&alice, other).withdrawal(&alice, 4 * FRD, 0);
        assert_eq!(chain.one(alice.does(proof.clone())), Ok(()));
        let error = Error::<Runtime>::WrongWithdrawalNonce.into();
        assert_eq!(chain.one(alice.does(proof)), Err(error));
        assert_eq!(Channel::new(&alice, other).collateral().0, 6 * FRD);
    });
}

#[test]
fn s16_withdrawal_proof_should_be_refused_when_the_channel_was_resolved() {
    on(STORY, |chain| {
        // (100, 100, 0); R has an unused proof for 60.
        let s = Party::strangers(2);
        let (left, right, alice) = (&s[0], &s[1], Party::known(Alice));
        chain.all(vec![
            alice.does(transfer(left, 200 * FRD)),
            alice.does(transfer(right, FRD)),
            left.does(deposit(100 * FRD, left, right)),
        ]);
        let channel = Channel::new(left, right);
        let proof = channel.withdrawal(right, 60 * FRD, 60 * FRD);
        assert_eq!(chain.one(left.does(dispute(&channel, right, Default::default()))), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!(chain.one(right.does(proof)), Err(Error::<Runtime>::BadProof.into()));
        assert_eq!((free(NATIVE_ASSET, left), free(NATIVE_ASSET, right)), (200 * FRD, FRD));
    });
}
