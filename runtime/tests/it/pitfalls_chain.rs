//! Holes of earlier implementations by which honest parties were robbed of their time, their
//! deposits or their chain (`pitfalls.md` §3.1, other severities). Each test says what the old
//! behaviour gave, and would fail on it.

use crate::{chain::*, stage::*};
use codec::Encode;
use failsafe_primitives::{
    evidence::OwnSimplex, AssetId, Entry, Evidence, Lock, Simplex, NATIVE_ASSET,
};
use failsafe_runtime::{
    fees::{LengthFee, WeightFee},
    Balances, Debt, Parameters, Runtime, RuntimeCall, FRD,
};
use frame_support::{
    dispatch::GetDispatchInfo,
    weights::{Weight, WeightToFee},
};
use pallet_insurance::Error;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Ferdie};
use sp_runtime::{DispatchError, Perbill};
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Old: fees and rates were floating point numbers, which lose units beyond 2^53 and differ between
/// machines.
#[test]
fn h23_fees_should_be_exact_when_numbers_do_not_fit_a_float() {
    on(DEVELOPMENT, |_| {
        let values = Parameters::current();
        assert_eq!(values.fee_per_second, FRD, "as many units as picoseconds");
        let picoseconds = (1 << 53) + 1;
        let fee = WeightFee::weight_to_fee(&Weight::from_parts(picoseconds, 0));
        assert_eq!(fee, u128::from(picoseconds));
        let length = (1 << 53) + 1;
        let fee = LengthFee::weight_to_fee(&Weight::from_parts(length, 0));
        assert_eq!(fee, u128::from(length) * values.fee_per_byte);
    });
}

/// The same, by looking: no floating point number in what the chain executes.
#[test]
fn h23_chain_should_know_no_floats_when_its_sources_are_read() {
    let root = std::path::Path::new("..");
    let mut files = vec![];
    for folder in ["primitives/src", "pallets", "runtime/src"] {
        sources(&root.join(folder), &mut files);
    }
    assert!(files.len() > 40, "{} sources", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let floats = words.filter(|word| word.ends_with("f32") || word.ends_with("f64"));
        assert_eq!(floats.collect::<Vec<_>>(), Vec::<&str>::new(), "{}", file.display());
    }
}

/// All Rust sources below a folder.
pub fn sources(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Old: the hash of the state was a constant 0 byte.
#[test]
fn h30_block_should_be_refused_when_its_state_root_is_not_that_of_the_state() {
    on(STORY, |chain| {
        let (alice, bob) = (Party::known(Alice), Party::known(Bob));
        let pays = |amount| vec![alice.does(transfer(&bob, amount))];
        let good = chain.proposed(pays(FRD));
        // One unit more or less is another state.
        let other = chain.proposed(pays(FRD + 1));
        let idle = chain.proposed(vec![]);
        let roots = [&good, &other, &idle].map(|block| block.header.state_root);
        assert!(roots[0] != roots[1] && roots[1] != roots[2] && roots[0] != roots[2]);
        let mut imported = |block: failsafe_runtime::Block| {
            chain.trial(|_| {
                let import = || failsafe_runtime::Executive::execute_block(block.into());
                catch_unwind(AssertUnwindSafe(import)).is_ok()
            })
        };
        assert!(imported(good.clone()), "as it was made");
        for root in [other.header.state_root, idle.header.state_root, Default::default()] {
            let mut forged = good.clone();
            forged.header.state_root = root;
            assert!(!imported(forged), "{root}");
        }
        // Nor is a block without the transaction that its state needs.
        let mut shortened = good.clone();
        shortened.extrinsics.pop();
        assert!(!imported(shortened));
    });
}

/// Old: the first counter ended the dispute at once, so a responder could end it with a state that
/// is newer than the starter's, but not the newest.
#[test]
fn h31_dispute_should_go_on_when_a_counter_shows_something_newer() {
    in_both(|chain, asset, [alice, bob]| {
        let channel = channel_at(chain, asset, [alice, bob], (100, 100));
        // Alice has paid 60. Bob has paid back 5, then 45 more.
        let n1 = sent_in(asset, 1, 60 * FRD);
        let opening = acked(&channel, alice, &n1);
        assert_eq!(chain.one(alice.does(dispute(&channel, bob, opening))), Ok(()));
        let due = channel.view().dispute.expect("open").resolve_at;
        let not_the_newest = acked(&channel, bob, &sent_in(asset, 1, 5 * FRD));
        assert_eq!(chain.one(bob.does(counter(alice, not_the_newest))), Ok(()));
        assert_eq!(channel.view().dispute.expect("open").resolve_at, due);
        assert_eq!((has(asset, alice), has(asset, bob)), (0, 0));
        // There is time for Alice's watchtower.
        let pair = &channel.context.pair;
        let newest = pallet_insurance::Call::counter_for {
            left: pair.left().clone(),
            right: pair.right().clone(),
            simplexes: vec![channel.twice(bob, &sent_in(asset, 2, 50 * FRD))]
                .try_into()
                .expect("one"),
        };
        assert_eq!(chain.one(Party::known(Bob).does(newest)), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, alice), has(asset, bob)), (90, 10));
    });
}

/// Old: a withdrawal proof was good for ever, so the money on hold for it was held for ever.
#[test]
fn h32_proof_should_be_refused_when_its_last_block_has_passed() {
    in_both(|chain, asset, [user, hub]| {
        let channel = channel_at(chain, asset, [user, hub], (100, 100));
        let nonce = channel.view().withdrawal_nonces[0];
        let until = now() + 5;
        let items = [(asset, 60 * FRD, 0)];
        let proof = || withdrawal_until(&channel, (user, hub), (nonce, until), &items);
        chain.run_to_clock(until - 1);
        assert_eq!(chain.trial(|chain| chain.one(user.does(proof()))), Ok(()));
        chain.run_to_clock(until);
        let refused = Err(Error::<Runtime>::Expired.into());
        assert_eq!(chain.one(user.does(proof())), refused);
        assert_eq!(channel.collateral_in(asset).0, 100 * FRD);
    });
}

/// Old: one nonce for all assets, and a partner who spent its balance first left half of it done.
#[test]
fn h32_proof_should_move_all_its_assets_or_none_when_the_partner_spends_its_balance_first() {
    on(STORY, |chain| {
        let [user, hub] = &Party::strangers(2)[..] else { panic!("two") };
        let [first, second] = BOTH;
        for asset in BOTH {
            fund(chain, asset, hub, 60);
            fund(chain, asset, user, 1);
            channel_at(chain, asset, [user, hub], (30, 80));
        }
        let channel = Channel::new(user, hub);
        let before = channel.view();
        let items = [(first, 30 * FRD, 0), (second, 80 * FRD, 50 * FRD)];
        let proof = channel.withdrawal_of(user, &items);
        let results = chain.block(vec![
            hub.does(transfer_of(second, &Party::known(Alice), 20 * FRD)),
            user.does(proof.clone()),
        ]);
        let refused = Error::<Runtime>::PartnerCannotPay.into();
        assert_eq!(results, vec![Ok(Ok(())), Ok(Err(refused))]);
        assert_eq!(channel.view(), before, "the nonce is not consumed either");
        // The same proof, when the money is there again.
        fund(chain, second, hub, 50);
        assert_eq!(chain.one(user.does(proof)), Ok(()));
        assert_eq!((has(first, user), has(second, user)), (31, 81));
    });
}

/// Old: a dispute registered an unknown partner for free.
#[test]
fn h33_dispute_should_pay_for_the_record_when_the_partner_is_unknown() {
    on(DEVELOPMENT, |chain| {
        let ferdie = Party::known(Ferdie);
        let unknown = &Party::strangers(1)[0];
        let channel = Channel::new(&ferdie, unknown);
        let records = || pallet_insurance::Channels::<Runtime>::iter().count();
        let nothing = dispute(&channel, unknown, Evidence::default());
        let refused = Err(Error::<Runtime>::NothingToDispute.into());
        assert_eq!(chain.one(ferdie.does(nothing)), refused);
        assert_eq!(records(), 0);

        let before = free(NATIVE_ASSET, &ferdie);
        // What the caller alone has written proves nothing either.
        let ours = Some(OwnSimplex::Unacked { simplex: sent(1, FRD), acked: None });
        let invented = dispute(&channel, unknown, Evidence { theirs: None, ours });
        assert_eq!(chain.trial(|chain| chain.one(ferdie.does(invented))), refused);
        let call = dispute(&channel, unknown, channel.theirs(unknown, &sent(1, FRD)));
        assert_eq!(chain.one(ferdie.does(call)), Ok(()));
        let held = Balances::reserved_balance(ferdie.id());
        let values = Parameters::current();
        assert_eq!(held, values.dispute_deposit);
        let paid = before - free(NATIVE_ASSET, &ferdie) - held;
        assert_eq!(paid, values.pair_fee + fees_paid()[0]);
        let exists = |who: &Party| frame_system::Account::<Runtime>::contains_key(who.id());
        assert!(!exists(unknown), "nobody was given an account");
        chain.run_until_resolved(&channel);
        let owed = failsafe_runtime::Debt::owed_to(unknown.id(), ferdie.id(), NATIVE_ASSET);
        assert_eq!(owed, FRD);
    });
}

/// Old: a proposal of the validators was executed as code, and any validator could propose.
#[test]
fn h36_code_and_parameters_should_stay_when_anybody_but_root_asks() {
    let code = || vec![0u8; 64];
    let root_only = || -> Vec<RuntimeCall> {
        use frame_system::Call as System;
        let item = (b":code".to_vec(), code());
        let amended = failsafe_primitives::Parameters { late: 1_000, ..Parameters::current() };
        vec![
            System::set_code { code: code() }.into(),
            System::set_code_without_checks { code: code() }.into(),
            System::set_storage { items: vec![item] }.into(),
            System::kill_storage { keys: vec![b":code".to_vec()] }.into(),
            System::kill_prefix { prefix: vec![], subkeys: 1 }.into(),
            System::set_heap_pages { pages: 1 }.into(),
            System::authorize_upgrade { code_hash: Default::default() }.into(),
            System::authorize_upgrade_without_checks { code_hash: Default::default() }.into(),
            pallet_protocol_parameters::Call::amend { values: amended }.into(),
        ]
    };
    // Every validator of the chain without a sudo key, and a user.
    on(LOCAL, |chain| {
        let ruling = || (Parameters::current(), sp_io::storage::get(b":code"));
        let before = ruling();
        let validator = Party::known(Alice);
        for by in [&validator, &Party::known(Ferdie)] {
            for call in root_only() {
                let result = chain.one(by.does(call.clone()));
                assert_eq!(result, Err(DispatchError::BadOrigin), "{call:?}");
                let refused = pallet_batch::Error::<Runtime>::NotAnAction.into();
                let batch = chain.one(by.does(atomic(vec![call.clone()])));
                assert_eq!(batch, Err(refused), "{call:?}");
                let sudo = pallet_sudo::Call::sudo { call: Box::new(call) };
                assert!(chain.one(by.does(sudo)).is_err());
            }
            let apply = frame_system::Call::apply_authorized_upgrade { code: code() };
            assert!(chain.one(by.does(apply)).is_err(), "nothing is authorized");
            assert!(ruling() == before);
        }
    });
    // On a development chain the sudo key is root, and only it.
    on(DEVELOPMENT, |chain| {
        let values = failsafe_primitives::Parameters { late: 1_000, ..Parameters::current() };
        let amend = || {
            let call = pallet_protocol_parameters::Call::amend { values }.into();
            pallet_sudo::Call::sudo { call: Box::new(call) }
        };
        let refused = Err(pallet_sudo::Error::<Runtime>::RequireSudo.into());
        assert_eq!(chain.one(Party::known(Bob).does(amend())), refused);
        assert_eq!(Parameters::current().late, 200);
        assert_eq!(chain.one(Party::known(Alice).does(amend())), Ok(()));
        assert_eq!(Parameters::current().late, 1_000);
    });
}

/// A simplex in 16 assets with so many locks in all.
fn heavy(nonce: u64, locks: u64, expiry: u64) -> Simplex {
    let entry = |asset: u32| {
        let ids = (0..locks).filter(|id| id % 16 == u64::from(asset));
        let lock = |id| Lock { id, amount: 1, hash: [7; 32], expiry };
        let locks: Vec<_> = ids.map(lock).collect();
        Entry { asset, sent: 0, locks: locks.try_into().expect("few") }
    };
    let entries: Vec<_> = (0..16).map(entry).collect();
    Simplex { nonce, entries: entries.try_into().expect("16") }
}

/// Old: no bounds, so what was signed could be too large to be submitted, ever.
#[test]
fn h39_dispute_should_fit_a_block_with_room_when_its_evidence_is_the_largest_that_is_taken() {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        let channel = Channel::new(&ferdie, &bob);
        let expiry = now() + Parameters::current().lock_window;
        let evidence = |locks| {
            let simplex = heavy(1, locks, expiry);
            both(&channel, &ferdie, &simplex, (&bob, &simplex))
        };
        let too_many = dispute(&channel, &bob, evidence(129));
        let refused = Err(Error::<Runtime>::MalformedEvidence.into());
        assert_eq!(chain.one(ferdie.does(too_many)), refused);

        let largest = dispute(&channel, &bob, evidence(128));
        let limits: frame_system::limits::BlockWeights =
            <Runtime as frame_system::Config>::BlockWeights::get();
        let quarter = Perbill::from_percent(25);
        let weight = largest.get_dispatch_info().call_weight;
        assert!(weight.all_lte(quarter * limits.max_block), "{weight:?}");
        let length: frame_system::limits::BlockLength =
            <Runtime as frame_system::Config>::BlockLength::get();
        let longest = *length.max.get(frame_support::dispatch::DispatchClass::Normal);
        let size = u32::try_from(largest.encoded_size()).expect("short");
        assert!(size < quarter * longest, "{size}");
        assert_eq!(chain.one(ferdie.does(largest)), Ok(()));
        chain.run_until_resolved(&channel);
    });
}

/// Old: who started a dispute with an old state risked nothing.
#[test]
fn h40_deposit_should_go_to_the_responder_when_the_starter_hid_a_newer_state_of_its_own() {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        assert_eq!(chain.one(ferdie.does(deposit(100 * FRD, &ferdie, &bob))), Ok(()));
        let channel = Channel::new(&ferdie, &bob);
        let hidden = channel.theirs(&ferdie, &sent(2, 30 * FRD));
        let deposit = Parameters::current().dispute_deposit;
        assert!(deposit > 0);
        // Honest: it comes back. Dishonest: it is Bob's. Bob gets his 10 or 30 besides.
        for (shown, counters, gets) in [(1, false, 10 * FRD), (1, true, 30 * FRD + deposit)] {
            chain.trial(|chain| {
                let opening = acked(&channel, &ferdie, &sent(shown, 10 * FRD));
                assert_eq!(chain.one(ferdie.does(dispute(&channel, &bob, opening))), Ok(()));
                assert_eq!(Balances::reserved_balance(ferdie.id()), deposit);
                let had = [&ferdie, &bob].map(|who| free(NATIVE_ASSET, who));
                if counters {
                    // Free of charge.
                    let counter = counter(&ferdie, hidden.clone());
                    assert_eq!(chain.one(bob.does(counter)), Ok(()));
                }
                chain.run_until_resolved(&channel);
                let have = [&ferdie, &bob].map(|who| free(NATIVE_ASSET, who));
                assert_eq!(have[1] - had[1], gets);
                assert_eq!(have[0] - had[0], 100 * FRD + deposit - gets);
                assert_eq!(Balances::reserved_balance(ferdie.id()), 0);
            });
        }
    });
}

/// Old: debts were paid in whatever order the data base gave them.
#[test]
fn h48_debts_should_be_paid_by_the_block_of_their_dispute_when_they_were_booked_otherwise() {
    in_both(|chain, asset, [h, a, b, c]| {
        let expiry = now() + 19;
        // C is first, but its dispute lasts longest: a lock in it is open till the end.
        let lock = Lock { id: 1, amount: 1, hash: [9; 32], expiry };
        let entry =
            Entry { asset, sent: 200 * FRD, locks: vec![lock].try_into().expect("one lock") };
        let with_lock = Simplex { nonce: 1, entries: vec![entry].try_into().expect("one") };
        let mut channels = vec![];
        for (creditor, simplex) in
            [(c, with_lock), (b, sent_in(asset, 1, 500 * FRD)), (a, sent_in(asset, 1, 300 * FRD))]
        {
            let channel = Channel::new(h, creditor);
            let evidence = channel.theirs(h, &simplex);
            assert_eq!(chain.one(creditor.does(dispute(&channel, h, evidence))), Ok(()));
            channels.push(channel);
        }
        chain.run_until_resolved(&channels[2]);
        assert_eq!(channels[1].view().dispute, None);
        assert!(channels[0].view().dispute.is_some(), "booked last");
        chain.run_until_resolved(&channels[0]);
        let have = || [a, b, c].map(|who| has(asset, who));
        let income = |chain: &mut Chain, amount: u128| {
            let call = transfer_of(asset, h, amount * FRD);
            assert_eq!(chain.one(Party::known(Bob).does(call)), Ok(()));
        };
        income(chain, 250);
        assert_eq!(have(), [0, 50, 200]);
        income(chain, 460);
        assert_eq!(have(), [10, 500, 200]);
        let debts = Debt::owes(h.id());
        assert_eq!(debts, vec![(asset, 290 * FRD)] as Vec<(AssetId, u128)>);
    });
}
