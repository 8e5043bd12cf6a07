//! Nonces, batches and fees.

use crate::chain::*;
use failsafe_primitives::NATIVE_ASSET;
use failsafe_runtime::{Balances, Runtime, RuntimeCall, EXISTENTIAL_DEPOSIT, FRD};
use frame_support::{
    assert_noop,
    storage::storage_prefix,
    traits::{
        fungible::Inspect,
        tokens::{Fortitude, Preservation},
    },
};
use pallet_batch::{Error, Mode};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Ferdie};
use sp_runtime::{transaction_validity::InvalidTransaction, TokenError};

fn remark() -> RuntimeCall {
    frame_system::Call::remark { remark: vec![1] }.into()
}

/// What of the storage differs, apart from what `frame_system` writes about the block itself; of
/// accounts the ids.
fn differences(a: &Storage, b: &Storage) -> Vec<Vec<u8>> {
    let system = storage_prefix(b"System", b"Account");
    let about_the_block = |key: &[u8]| key.starts_with(&system[..16]) && !key.starts_with(&system);
    let mut keys: Vec<_> = a.keys().chain(b.keys()).cloned().collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| a.get(key) != b.get(key) && !about_the_block(key));
    // Of an account's key, the account.
    keys.into_iter()
        .map(|key| if key.starts_with(&system) { key[48..].to_vec() } else { key })
        .collect()
}

type Storage = std::collections::BTreeMap<Vec<u8>, Vec<u8>>;

fn accounts(parties: &[&Party]) -> Vec<Vec<u8>> {
    let mut ids: Vec<Vec<u8>> =
        parties.iter().map(|party| AsRef::<[u8]>::as_ref(&party.id()).to_vec()).collect();
    ids.sort();
    ids
}

fn sorted(mut keys: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    keys.sort();
    keys
}

#[test]
fn s11_transfer_should_open_an_account_when_it_brings_the_existential_deposit() {
    on(STORY, |chain| {
        // 100 of the scenario are the existential deposit here: it stays on the account.
        let unit = EXISTENTIAL_DEPOSIT / 100;
        let new = &Party::strangers(1)[0];
        assert_eq!(chain.one(Party::known(Alice).does(transfer(new, 150 * unit))), Ok(()));
        let (keep, polite) = (Preservation::Preserve, Fortitude::Polite);
        assert_eq!(Balances::reducible_balance(&new.id(), keep, polite), 50 * unit);
    });
}

#[test]
fn s11_transfer_should_be_refused_when_it_brings_less_than_the_existential_deposit() {
    on(STORY, |chain| {
        let unit = EXISTENTIAL_DEPOSIT / 100;
        let new = &Party::strangers(1)[0];
        let result = chain.one(Party::known(Alice).does(transfer(new, 99 * unit)));
        assert_eq!(result, Err(TokenError::BelowMinimum.into()));
        assert!(!frame_system::Account::<Runtime>::contains_key(new.id()));
    });
}

#[test]
fn s69_transaction_should_be_rejected_without_a_fee_when_its_nonce_is_wrong() {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        chain.all(vec![ferdie.does(remark()), ferdie.does(remark())]);
        let idle = chain.trial(|chain| {
            chain.block(vec![]);
            storage()
        });
        for (nonce, why) in [
            (0, InvalidTransaction::Stale),
            (1, InvalidTransaction::Stale),
            (3, InvalidTransaction::Future),
        ] {
            let call = atomic(vec![transfer(&bob, FRD)]);
            let (result, after) = chain.trial(|chain| {
                let result = chain.block(vec![ferdie.does(call).nonce(nonce)]).remove(0);
                (result, storage())
            });
            assert_eq!(result, Err(why.into()));
            assert_eq!(differences(&idle, &after), Vec::<Vec<u8>>::new());
        }
    });
}

#[test]
fn s69_batch_should_pay_its_fee_and_leave_nothing_done_when_an_action_fails() {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        let new = &Party::strangers(1)[0];
        let idle = chain.trial(|chain| {
            chain.block(vec![]);
            storage()
        });
        let actions = || {
            vec![
                transfer(&bob, FRD),
                deposit(FRD, &ferdie, new),
                deposit_of(failsafe_runtime::FRB, FRD, &ferdie, new),
                transfer(&bob, Balances::total_issuance()),
            ]
        };
        let before = free(NATIVE_ASSET, &ferdie);
        let failed = chain.one(ferdie.does(atomic(actions())));
        assert_eq!(failed, Err(TokenError::FundsUnavailable.into()));
        let fee = fees_paid()[0];
        assert!(fee > 0, "the fee is paid");
        assert_eq!(before - free(NATIVE_ASSET, &ferdie), fee);
        // Alice authors.
        let changed = sorted(differences(&idle, &storage()));
        assert_eq!(changed, accounts(&[&ferdie, &Party::known(Alice)]));
    });
}

#[test]
fn batch_should_do_the_rest_when_it_skips_what_fails() {
    on(STORY, |chain| {
        let alice = Party::known(Alice);
        let s = Party::strangers(2);
        let actions =
            vec![transfer(&s[0], FRD), transfer(&s[0], u128::MAX), transfer(&s[1], 2 * FRD)];
        assert_eq!(chain.one(alice.does(batch(actions, Mode::SkipFailed))), Ok(()));
        assert_eq!((free(NATIVE_ASSET, &s[0]), free(NATIVE_ASSET, &s[1])), (FRD, 2 * FRD));
    });
}

#[test]
fn s69_second_batch_should_wait_free_of_charge_when_its_account_had_one_in_this_block() {
    on(DEVELOPMENT, |chain| {
        let ferdie = Party::known(Ferdie);
        let s = Party::strangers(2);
        let first = ferdie.does(atomic(vec![transfer(&s[0], FRD)])).nonce(0);
        let second = ferdie.does(atomic(vec![transfer(&s[1], FRD)])).nonce(1);
        let results = chain.block(vec![first, second]);
        let not_in_this_block = Err(InvalidTransaction::ExhaustsResources.into());
        assert_eq!(results, vec![Ok(Ok(())), not_in_this_block]);
        assert_eq!((free(NATIVE_ASSET, &s[0]), free(NATIVE_ASSET, &s[1])), (FRD, 0));
        assert_eq!(fees_paid().len(), 1);
    });
}

#[test]
fn second_batch_should_succeed_when_it_is_in_the_next_block() {
    on(DEVELOPMENT, |chain| {
        let ferdie = Party::known(Ferdie);
        let bob = Party::known(Bob);
        chain.all(vec![
            ferdie.does(atomic(vec![transfer(&bob, FRD)])),
            ferdie.does(atomic(vec![transfer(&bob, FRD)])),
        ]);
        assert_eq!(free(NATIVE_ASSET, &bob), 1_000_002 * FRD);
    });
}

#[test]
fn batch_should_be_refused_when_an_action_is_a_batch_or_above_its_station() {
    on(DEVELOPMENT, |chain| {
        let alice = Party::known(Alice);
        let wrap = |call: RuntimeCall| pallet_sudo::Call::sudo { call: Box::new(call) }.into();
        let forbidden: Vec<RuntimeCall> = vec![
            atomic(vec![remark()]),
            batch(vec![], Mode::SkipFailed),
            wrap(remark()),
            wrap(atomic(vec![remark()])),
            pallet_timestamp::Call::set { now: 0 }.into(),
            frame_system::Call::set_storage { items: vec![] }.into(),
            pallet_protocol_parameters::Call::amend {
                values: failsafe_primitives::Parameters::DEVELOPMENT,
            }
            .into(),
        ];
        for call in forbidden {
            for mode in [Mode::Atomic, Mode::SkipFailed] {
                let result = chain.one(alice.does(batch(vec![remark(), call.clone()], mode)));
                assert_eq!(result, Err(Error::<Runtime>::NotAnAction.into()), "{call:?}");
            }
        }
    });
}

#[test]
fn batch_should_be_charged_for_the_weight_of_all_actions_when_it_is_long() {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        assert_eq!(chain.one(ferdie.does(transfer(&bob, FRD))), Ok(()));
        let alone = fees_paid()[0];
        let base = chain.trial(|chain| {
            assert_eq!(chain.one(ferdie.does(remark())), Ok(()));
            fees_paid()[0]
        });
        let many = vec![transfer(&bob, FRD); 10];
        assert_eq!(chain.one(ferdie.does(atomic(many))), Ok(()));
        // A remark costs what every transaction costs; the rest of a transfer comes ten times.
        assert!(fees_paid()[0] > base + 9 * (alone - base), "{:?} for ten", fees_paid());
    });
}

#[test]
fn h22_fee_and_tip_should_go_to_the_author_when_a_block_is_made() {
    on(LOCAL, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        let mut authors = std::collections::BTreeSet::new();
        for tip in [0, FRD, 2 * FRD, 3 * FRD] {
            let author = chain.next_author();
            let balance = || Balances::free_balance(&author);
            let (before, had) = (balance(), free(NATIVE_ASSET, &ferdie));
            assert_eq!(chain.one(ferdie.does(remark()).tip(tip)), Ok(()));
            let fee = fees_paid()[0];
            assert!(fee > tip);
            assert_eq!(balance() - before, fee);
            assert_eq!(had - free(NATIVE_ASSET, &ferdie), fee);
            authors.insert(author);
        }
        assert_eq!(authors.len(), 4, "each of the four in turn");
        assert!(authors.contains(&bob.id()));
    });
}

#[test]
fn pair_fee_should_go_to_the_author_when_a_pair_gets_its_record() {
    on(LOCAL, |chain| {
        let ferdie = Party::known(Ferdie);
        let new = &Party::strangers(1)[0];
        for pair_fee in [failsafe_runtime::Parameters::current().pair_fee, 0] {
            let author = chain.next_author();
            let before = Balances::free_balance(&author);
            assert_eq!(chain.one(ferdie.does(deposit(FRD, &ferdie, new))), Ok(()));
            assert_eq!(Balances::free_balance(&author) - before, pair_fee + fees_paid()[0]);
        }
    });
}

#[test]
fn transaction_should_cost_nothing_when_the_chain_has_no_prices() {
    on(STORY, |chain| {
        let alice = Party::known(Alice);
        let new = &Party::strangers(1)[0];
        assert_eq!(chain.one(alice.does(deposit(FRD, &alice, new))), Ok(()));
        assert_eq!(free(NATIVE_ASSET, &alice), 999_999 * FRD);
    });
}

#[test]
fn transaction_should_be_rejected_when_its_fee_and_tip_cannot_be_paid() {
    on(DEVELOPMENT, |chain| {
        let poor = &Party::strangers(1)[0];
        assert_eq!(chain.one(Party::known(Alice).does(transfer(poor, FRD))), Ok(()));
        let result = chain.block(vec![poor.does(remark()).tip(FRD)]).remove(0);
        assert_eq!(result, Err(InvalidTransaction::Payment.into()));
        assert_eq!(free(NATIVE_ASSET, poor), FRD);
    });
}

#[test]
fn fee_should_be_given_back_in_part_when_the_dispatch_was_cheaper() {
    on(DEVELOPMENT, |chain| {
        let ferdie = Party::known(Ferdie);
        let new = &Party::strangers(1)[0];
        assert_eq!(chain.one(ferdie.does(deposit(FRD, &ferdie, new))), Ok(()));
        let channel = Channel::new(&ferdie, new);
        let call = dispute(&channel, new, Default::default());
        let info = frame_support::dispatch::GetDispatchInfo::get_dispatch_info(&call);
        let most = failsafe_runtime::TransactionPayment::compute_fee(0, &info, 0);
        let before = free(NATIVE_ASSET, &ferdie);
        assert_eq!(chain.one(ferdie.does(call)), Ok(()));
        let fee = fees_paid()[0];
        assert!(0 < fee && fee < most / 2, "{fee} of {most}");
        let held = Balances::reserved_balance(ferdie.id());
        assert_eq!(before - free(NATIVE_ASSET, &ferdie), fee + held);
    });
}

#[test]
fn call_should_do_nothing_when_it_is_made_without_a_signature() {
    on(DEVELOPMENT, |_| {
        let origin = frame_system::RawOrigin::None;
        let to = Party::known(Bob);
        assert_noop!(
            Balances::transfer_allow_death(origin.into(), to.address(), FRD),
            sp_runtime::DispatchError::BadOrigin
        );
    });
}

#[test]
fn s56_transaction_should_be_rejected_when_it_was_signed_for_another_genesis() {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        let tx = ferdie.does(transfer(&bob, FRD)).for_genesis(H256::repeat_byte(7));
        assert_eq!(chain.block(vec![tx]).remove(0), Err(InvalidTransaction::BadProof.into()));
        assert_eq!(free(NATIVE_ASSET, &ferdie), 1_000_000 * FRD, "no fee");
        assert_eq!(free(NATIVE_ASSET, &bob), 1_000_000 * FRD);
    });
}

#[test]
fn fee_should_never_be_more_than_was_asked_when_a_transaction_is_included() {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        let gift = ferdie.does(transfer(&bob, FRD)).tip(7);
        let asked = gift.asked_fee();
        assert_eq!(chain.one(gift), Ok(()));
        assert!((8..=asked).contains(&fees_paid()[0]), "{:?} of {asked}", fees_paid());
    });
}
