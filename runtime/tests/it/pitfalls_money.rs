//! Holes of earlier implementations by which money was lost or made (`pitfalls.md` §3.1, severity
//! C). Each test says what the old behaviour gave, and would fail on it.

use crate::{chain::*, stage::*};
use failsafe_primitives::{AssetId, Balance, Evidence, NATIVE_ASSET};
use failsafe_runtime::{Debt, Parameters, Runtime, RuntimeCall, FRD};
use pallet_batch::Mode;
use pallet_insurance::Error;
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Ferdie};
use sp_runtime::transaction_validity::InvalidTransaction;

/// Old: messages named no chain, and short ids, so what was signed on the test chain could be
/// submitted on the main chain with the same keys.
#[test]
fn h01_signatures_should_be_worthless_when_they_were_made_on_another_chain_with_the_same_keys() {
    let (alice, bob) = (Party::known(Alice), Party::known(Bob));
    let insure = |chain: &mut Chain| {
        assert_eq!(chain.one(alice.does(deposit(100 * FRD, &alice, &bob))), Ok(()));
    };
    // What Alice signs for Bob on the chain of the story, where it is good.
    let signed = |channel: &Channel<'_>| -> Vec<RuntimeCall> {
        vec![
            channel.withdrawal(&bob, 60 * FRD, 60 * FRD),
            channel.close(&bob, units(-60)),
            dispute(channel, &alice, channel.theirs(&alice, &sent(1, 60 * FRD))),
        ]
    };
    let (mut calls, mut genesis_hash) = (vec![], H256::zero());
    on(STORY, |chain| {
        insure(chain);
        let channel = Channel::new(&alice, &bob);
        genesis_hash = channel.context.genesis_hash;
        calls = signed(&channel);
        for call in &calls {
            let result = chain.trial(|chain| chain.one(bob.does(call.clone())));
            assert_eq!(result, Ok(()), "{call:?}");
        }
    });
    on(DEVELOPMENT, |chain| {
        insure(chain);
        let channel = Channel::new(&alice, &bob);
        let before = channel.view();
        for call in &calls {
            let result = chain.one(bob.does(call.clone()));
            assert_eq!(result, Err(Error::<Runtime>::BadProof.into()), "{call:?}");
            assert_eq!(channel.view(), before);
        }
        // A batch is bound to its chain, too.
        let replayed = bob.does(atomic(vec![transfer(&alice, FRD)])).for_genesis(genesis_hash);
        let refused = Err(InvalidTransaction::BadProof.into());
        assert_eq!(chain.block(vec![replayed]), vec![refused]);
    });
}

/// Old: after a resolve at 40 a withheld state of 70 was applied from zero: a debt of 70.
#[test]
fn h03_withheld_state_should_move_the_difference_only_whatever_door_is_tried() {
    in_both(|chain, asset, [a, b]| {
        let old = channel_at(chain, asset, [a, b], (100, 100));
        let n5 = acked(&old, a, &sent_in(asset, 5, 40 * FRD));
        assert_eq!(chain.one(a.does(dispute(&old, b, n5))), Ok(()));
        chain.run_until_resolved(&old);
        let n7 = sent_in(asset, 7, 70 * FRD);
        let refused = Err(Error::<Runtime>::BadProof.into());
        // The new epoch has money again, and a dispute of A's.
        assert_eq!(chain.one(a.does(deposit_of(asset, 50 * FRD, a, b))), Ok(()));
        let new = Channel::new(a, b);
        let opened_with_old = dispute(&new, a, old.theirs(a, &n7));
        assert_eq!(chain.one(b.does(opened_with_old)), refused);
        assert_eq!(chain.one(a.does(dispute(&new, b, Evidence::default()))), Ok(()));
        assert_eq!(chain.one(b.does(counter(a, old.theirs(a, &n7)))), refused);
        let pair = &old.context.pair;
        let by_watchtower = pallet_insurance::Call::counter_for {
            left: pair.left().clone(),
            right: pair.right().clone(),
            simplexes: vec![old.twice(a, &n7)].try_into().expect("one"),
        };
        assert_eq!(chain.one(Party::known(Bob).does(by_watchtower)), refused);
        assert_eq!(chain.one(b.does(late_claim(&old, a, &n7))), Ok(()));
        chain.run_until_resolved(&new);
        assert_eq!((has(asset, a), has(asset, b)), (30, 70));
        assert_eq!(Debt::owes(a.id()), vec![]);
    });
}

/// Old: without a proof the resolve looped over nothing, and the deposits stayed locked.
#[test]
fn h04_all_deposits_should_come_back_when_the_dispute_has_no_proof() {
    on(STORY, |chain| {
        let [left, right] = &Party::strangers(2)[..] else { panic!("two") };
        for asset in BOTH {
            for who in [left, right] {
                fund(chain, asset, who, 5_000);
            }
            let mine = |who, other| deposit_of(asset, 4_000 * FRD, who, other);
            chain.all(vec![left.does(mine(left, right)), right.does(mine(right, left))]);
        }
        let channel = Channel::new(left, right);
        assert_eq!(chain.one(left.does(dispute(&channel, right, Evidence::default()))), Ok(()));
        chain.run_until_resolved(&channel);
        for asset in BOTH {
            assert_eq!((has(asset, left), has(asset, right)), (5_000, 5_000));
        }
        assert_eq!(channel.view().collateral, vec![]);
    });
}

/// Old: the withdrawal nonce was not bound to an epoch. R's unused proof for 60 took 60 out of
/// L's balance, and left L a claim on R, to whom it gives no credit.
#[test]
fn h05_unused_proof_should_take_nothing_from_the_balance_when_the_epoch_is_over() {
    let ends: [fn(&mut Chain, &Party, &Party, &Channel<'_>); 2] = [
        |chain, left, right, channel| {
            let call = dispute(channel, right, Evidence::default());
            assert_eq!(chain.one(left.does(call)), Ok(()));
            chain.run_until_resolved(channel);
        },
        |chain, _, right, channel| {
            assert_eq!(chain.one(right.does(channel.close(right, 0))), Ok(()));
        },
    ];
    for end in ends {
        in_both(|chain, asset, [left, right]| {
            let channel = channel_at(chain, asset, [left, right], (100, 100));
            let proof = channel.withdrawal_of(right, &[(asset, 60 * FRD, 60 * FRD)]);
            end(chain, left, right, &channel);
            let before = [left, right].map(|who| has(asset, who));
            assert_eq!(before, [100, 0]);
            let refused = Err(Error::<Runtime>::BadProof.into());
            assert_eq!(chain.one(right.does(proof.clone())), refused);
            // Nor when the new epoch has money again.
            assert_eq!(chain.one(left.does(deposit_of(asset, 100 * FRD, left, right))), Ok(()));
            assert_eq!(chain.one(right.does(proof)), refused);
            assert_eq!([left, right].map(|who| has(asset, who)), [0, 0]);
            assert_eq!(channel.collateral_in(asset), (100 * FRD, units(100)));
        });
    }
}

/// A debtor of `creditor` who has nothing of `asset` on chain.
fn indebted(chain: &mut Chain, asset: AssetId, debtor: &Party, creditor: &Party, owed: Balance) {
    let channel = Channel::new(debtor, creditor);
    let evidence = channel.theirs(debtor, &sent_in(asset, 1, owed * FRD));
    assert_eq!(chain.one(creditor.does(dispute(&channel, debtor, evidence))), Ok(()));
    chain.run_until_resolved(&channel);
    assert_eq!(Debt::owed_to(debtor.id(), creditor.id(), asset), owed * FRD);
}

/// Old: debts were paid only when the debtor made a deposit. So it made none.
#[test]
fn h07_debt_should_be_paid_when_the_debtor_never_deposits() {
    in_both(|chain, asset, [hub, creditor]| {
        indebted(chain, asset, hub, creditor, 1_000);
        let income = transfer_of(asset, hub, 300 * FRD);
        assert_eq!(chain.one(Party::known(Alice).does(income)), Ok(()));
        assert_eq!((has(asset, hub), has(asset, creditor)), (0, 300));
    });
}

/// Old: a debtor hub gave an accomplice a proof that draws on its balance.
#[test]
fn h07_income_should_not_go_to_an_accomplice_when_he_has_a_proof_of_the_debtor() {
    in_both(|chain, asset, [hub, creditor, accomplice]| {
        indebted(chain, asset, hub, creditor, 1_000);
        let channel = Channel::new(hub, accomplice);
        // A channel of theirs, with 1 insured.
        fund(chain, asset, accomplice, 1);
        assert_eq!(chain.one(accomplice.does(deposit_of(asset, FRD, accomplice, hub))), Ok(()));
        let proof = channel.withdrawal_of(accomplice, &[(asset, 300 * FRD, 299 * FRD)]);
        // In the block of the income, before anything was collected.
        let results = chain.block(vec![
            Party::known(Alice).does(transfer_of(asset, hub, 300 * FRD)),
            accomplice.does(proof),
        ]);
        let refused = Error::<Runtime>::PartnerCannotPay.into();
        assert_eq!(results, vec![Ok(Ok(())), Ok(Err(refused))]);
        assert_eq!([hub, creditor, accomplice].map(|who| has(asset, who)), [0, 300, 0]);
    });
}

/// Old: a debtor pulled its money out of channels, and kept it.
#[test]
fn h07_withdrawn_money_should_go_to_the_creditors_when_the_debtor_pulls_it_out() {
    in_both(|chain, asset, [hub, creditor, user]| {
        channel_at(chain, asset, [hub, user], (500, 500));
        indebted(chain, asset, hub, creditor, 1_000);
        let proof = Channel::new(hub, user).withdrawal_of(hub, &[(asset, 500 * FRD, 0)]);
        // And in the same block out again.
        let nonce = failsafe_runtime::System::account_nonce(hub.id());
        let results = chain.block(vec![
            hub.does(proof).nonce(nonce),
            hub.does(transfer_of(asset, user, 500 * FRD)).nonce(nonce + 1),
        ]);
        assert_eq!(results[0], Ok(Ok(())));
        assert!(matches!(results[1], Ok(Err(_))), "{:?}", results[1]);
        assert_eq!([hub, creditor, user].map(|who| has(asset, who)), [0, 500, 0]);
    });
}

/// Old: balance 50,000, floor 100,000, debt 60,000: the creditor was charged 50,000, the debt grew
/// to 110,000.
#[test]
fn h08_creditor_should_never_be_charged_when_the_debtor_has_less_than_the_floor() {
    let mut config = genesis_config(STORY);
    config["parameters"]["values"]["floorUser"] = u64::try_from(100 * FRD).expect("fits").into();
    on_genesis(&config, |chain| {
        let [debtor, creditor] = &Party::strangers(2)[..] else { panic!("two") };
        fund(chain, NATIVE_ASSET, debtor, 50);
        fund(chain, NATIVE_ASSET, creditor, 70);
        indebted(chain, NATIVE_ASSET, debtor, creditor, 60);
        let enforce = pallet_debt::Call::enforce { debtor: debtor.id(), asset: NATIVE_ASSET };
        let _ = chain.one(creditor.does(enforce));
        for _ in 0..3 {
            chain.block(vec![]);
        }
        assert_eq!((has(NATIVE_ASSET, debtor), has(NATIVE_ASSET, creditor)), (50, 70));
        let owed = || Debt::owed_to(debtor.id(), creditor.id(), NATIVE_ASSET);
        assert_eq!(owed(), 60 * FRD);
        // 51 more: one above the floor, which the creditor gets.
        let income = Party::known(Bob).does(transfer(debtor, 51 * FRD));
        assert_eq!(chain.one(income), Ok(()));
        assert_eq!((has(NATIVE_ASSET, debtor), has(NATIVE_ASSET, creditor)), (100, 71));
        assert_eq!(owed(), 59 * FRD);
    });
}

/// Old: a failure in the middle of a batch kept what came before, and dropped what came after.
#[test]
fn h20_batch_should_be_all_or_nothing_or_each_for_itself_when_one_in_the_middle_fails() {
    for (mode, insured) in [(Mode::Atomic, [0, 0]), (Mode::SkipFailed, [10, 20])] {
        in_both(|chain, asset, [hub, spender, a, b]| {
            fund(chain, asset, hub, 100);
            channel_at(chain, asset, [hub, spender], (5, 0));
            let channel = Channel::new(hub, spender);
            let actions = vec![
                channel.withdrawal_of(hub, &[(asset, FRD, 0)]),
                deposit_of(asset, 10 * FRD, hub, a),
                deposit_of(asset, 1_000_000 * FRD, hub, a),
                deposit_of(asset, 20 * FRD, hub, b),
            ];
            let result = chain.one(hub.does(batch(actions, mode)));
            assert_eq!(result.is_ok(), mode == Mode::SkipFailed);
            let got = [a, b].map(|user| Channel::new(hub, user).collateral_in(asset).0 / FRD);
            assert_eq!(got, insured);
            // Nonces are consumed only by what has happened.
            let withdrawn = u64::from(mode == Mode::SkipFailed);
            assert_eq!(channel.view().withdrawal_nonces, [withdrawn, 0]);
            let left = 100 + u128::from(withdrawn) - insured.iter().sum::<u128>();
            assert_eq!(has(asset, hub), left);
        });
    }
}

/// Old: the fee for a new partner was never taken from the signer, and the partner's first money
/// was made but not saved.
#[test]
fn h21_depositor_should_pay_for_everything_when_its_partner_is_new() {
    let mut config = genesis_config(LOCAL);
    config["parameters"]["values"]["accountTopUp"] = u64::try_from(5 * FRD).expect("fits").into();
    on_genesis(&config, |chain| {
        let ferdie = Party::known(Ferdie);
        let new = &Party::strangers(1)[0];
        let author = chain.next_author();
        let (had, earned) =
            (free(NATIVE_ASSET, &ferdie), failsafe_runtime::Balances::free_balance(&author));
        assert_eq!(chain.one(ferdie.does(deposit(100 * FRD, &ferdie, new))), Ok(()));
        let (pair_fee, fee) = (Parameters::current().pair_fee, fees_paid()[0]);
        assert!(pair_fee > 0 && fee > 0);
        assert_eq!(had - free(NATIVE_ASSET, &ferdie), 105 * FRD + pair_fee + fee);
        assert_eq!(free(NATIVE_ASSET, new), 5 * FRD);
        let earned = failsafe_runtime::Balances::free_balance(&author) - earned;
        assert_eq!(earned, pair_fee + fee);
        assert_eq!(Channel::new(&ferdie, new).collateral().0, 100 * FRD);
        // It is there to be used: once, since the account exists now.
        let back = transfer(&ferdie, FRD);
        assert_eq!(chain.one(new.does(back)), Ok(()));
        let had = free(NATIVE_ASSET, &ferdie);
        assert_eq!(chain.one(ferdie.does(deposit(100 * FRD, &ferdie, new))), Ok(()));
        assert_eq!(had - free(NATIVE_ASSET, &ferdie), 100 * FRD + fees_paid()[0]);
    });
}

/// Old: after a dispute at nonce 7 a fresh deposit could not be had back without a proof, because 0
/// is not above 7.
#[test]
fn h44_fresh_deposit_should_come_back_without_proof_in_every_epoch() {
    in_both(|chain, asset, [a, b]| {
        let channel = channel_at(chain, asset, [a, b], (100, 100));
        let evidence = channel.theirs(a, &sent_in(asset, 7, 70 * FRD));
        assert_eq!(chain.one(b.does(dispute(&channel, a, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        for epoch in 1..4 {
            assert_eq!(chain.one(a.does(deposit_of(asset, 30 * FRD, a, b))), Ok(()));
            assert_eq!(has(asset, a), 0);
            let channel = Channel::new(a, b);
            assert_eq!(channel.epoch(), epoch);
            let call = dispute(&channel, b, Evidence::default());
            assert_eq!(chain.one(a.does(call)), Ok(()));
            chain.run_until_resolved(&channel);
            assert_eq!((has(asset, a), has(asset, b)), (30, 70));
        }
    });
}

/// Old: an all-or-nothing payment at the resolve: a debt of 1,000, and the debtor kept its 400.
#[test]
fn h38_debtor_should_pay_what_it_has_when_it_cannot_pay_all() {
    in_both(|chain, asset, [bank, customer]| {
        fund(chain, asset, bank, 400);
        let channel = Channel::new(bank, customer);
        let evidence = channel.theirs(bank, &sent_in(asset, 1, 1_000 * FRD));
        assert_eq!(chain.one(customer.does(dispute(&channel, bank, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, bank), has(asset, customer)), (0, 400));
        assert_eq!(Debt::owes(bank.id()), vec![(asset, 600 * FRD)]);
    });
}

/// Old: one signature let a user draw the hub's native balance, from which it pays its fees, to 0.
#[test]
fn h47_proof_should_draw_on_the_balance_only_as_far_as_it_says() {
    in_both(|chain, asset, [user, hub]| {
        fund(chain, asset, hub, 1_000);
        let channel = channel_at(chain, asset, [user, hub], (30, 80));
        let before = channel.view();
        for most in [0, 49] {
            let proof = channel.withdrawal_of(user, &[(asset, 80 * FRD, most * FRD)]);
            let refused = Err(Error::<Runtime>::AboveMaxFromBalance.into());
            assert_eq!(chain.one(user.does(proof)), refused);
            assert_eq!(channel.view(), before);
        }
        // Far more than the user owns, and no bound but the one that is signed.
        let greedy = channel.withdrawal_of(user, &[(asset, 1_030 * FRD, 49 * FRD)]);
        assert!(chain.one(user.does(greedy)).is_err());
        assert_eq!((has(asset, hub), has(asset, user)), (1_000, 0));
    });
}
