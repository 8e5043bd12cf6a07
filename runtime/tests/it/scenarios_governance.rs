//! S68 and its edge cases over the real chain: proposals, votes, shares, upgrades, double votes.

use crate::chain::*;
use codec::Encode;
use failsafe_primitives::{AccountId, Parameters as Values};
use failsafe_runtime::{
    consensus::KeyOwners, dry_run::dry_run, Governance, Grandpa, Parameters, Runtime, RuntimeCall,
    RuntimeEvent, System, FRD,
};
use finality_grandpa::{Equivocation, Message, Precommit};
use frame_support::traits::Get as _;
use pallet_governance::{Event, Tally, Validator};
use sp_consensus_grandpa::{ConsensusLog, EquivocationProof, GRANDPA_ENGINE_ID};
use sp_core::{Pair as _, H256};
use sp_keyring::{
    Ed25519Keyring,
    Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie},
};
use sp_runtime::{
    traits::Hash as _,
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
    DigestItem,
};
use std::collections::BTreeMap;

/// The voting period of the presets.
const PERIOD: u64 = 10;

fn validators() -> [Party; 4] {
    [Alice, Bob, Charlie, Dave].map(Party::known)
}

fn propose(calls: Vec<RuntimeCall>) -> RuntimeCall {
    let title = b"An amendment".to_vec().try_into().expect("short");
    let text = b"Because it is better.".to_vec().try_into().expect("short");
    let calls = calls.into_iter().map(Box::new).collect();
    pallet_governance::Call::propose { title, text, calls }.into()
}

fn vote(proposal: u32, approve: bool) -> RuntimeCall {
    let rationale = b"I have read it.".to_vec().try_into().expect("short");
    pallet_governance::Call::vote { proposal, approve, rationale }.into()
}

/// Another delay for users.
fn amended() -> Values {
    Values { delay_user: 9, ..Parameters::current() }
}

fn amend() -> RuntimeCall {
    pallet_protocol_parameters::Call::amend { values: amended() }.into()
}

/// What governance said in the last block.
fn said() -> Vec<Event<Runtime>> {
    let ours = |event| match event {
        RuntimeEvent::Governance(event) => Some(event),
        _ => None,
    };
    events().into_iter().filter_map(ours).collect()
}

/// Ferdie proposes, so many validators are for it, and time passes until it is concluded. Returns
/// what became of it.
fn decide(chain: &mut Chain, calls: Vec<RuntimeCall>, ayes: usize) -> Event<Runtime> {
    let id = pallet_governance::NextProposal::<Runtime>::get();
    let transactions = validators()[..ayes].iter().map(|who| who.does(vote(id, true))).collect();
    assert_eq!(chain.one(Party::known(Ferdie).does(propose(calls))), Ok(()));
    for result in chain.block(transactions) {
        assert_eq!(result, Ok(Ok(())));
    }
    let due = pallet_governance::Proposals::<Runtime>::get(id).expect("open").due;
    chain.run_to_clock(due - 1);
    assert!(pallet_governance::Proposals::<Runtime>::contains_key(id), "not before it is due");
    while pallet_governance::Proposals::<Runtime>::contains_key(id) {
        chain.block(vec![]);
    }
    assert_eq!(now(), due, "in the block in which it is due");
    said().into_iter().next().expect("a word about it")
}

fn with_shares(shares: [u32; 4]) -> Vec<Validator> {
    let set = Governance::validators().into_iter().zip(shares);
    set.map(|(validator, shares)| Validator { shares, ..validator }).collect()
}

fn set_validators(set: Vec<Validator>) -> RuntimeCall {
    let validators = set.try_into().expect("few");
    pallet_governance::Call::set_validators { validators }.into()
}

fn weights() -> Vec<u64> {
    Grandpa::grandpa_authorities().into_iter().map(|(_, weight)| weight).collect()
}

/// Blocks until one begins a session, that one included.
fn cross_border(chain: &mut Chain) {
    let session: u32 = <Runtime as pallet_governance::Config>::Session::get();
    loop {
        chain.block(vec![]);
        if System::block_number().is_multiple_of(session) {
            return;
        }
    }
}

#[test]
fn s68_proposal_should_be_carried_out_when_three_of_four_are_for_it() {
    on(LOCAL, |chain| {
        let expected = amended();
        let before = free(0, &Party::known(Ferdie));
        let end = decide(chain, vec![amend()], 3);
        let tally = Tally { ayes: 75, nays: 0, total: 100 };
        assert_eq!(end, Event::Enacted { proposal: 0, tally });
        assert_eq!(Parameters::current(), expected, "parameters reach the pallets");
        assert!(before - free(0, &Party::known(Ferdie)) < FRD, "only fees: the deposit is back");
    });
}

#[test]
fn s68_proposal_should_be_dropped_when_two_of_four_are_for_it() {
    on(LOCAL, |chain| {
        let before = Parameters::current();
        let end = decide(chain, vec![amend()], 2);
        let tally = Tally { ayes: 50, nays: 0, total: 100 };
        assert_eq!(end, Event::Dropped { proposal: 0, tally });
        assert_eq!(Parameters::current(), before);
    });
}

#[test]
fn s68_vote_should_count_nothing_when_it_is_not_a_validators() {
    on(LOCAL, |chain| {
        chain.all(vec![Party::known(Ferdie).does(propose(vec![amend()]))]);
        let refused = chain.one(Party::known(Eve).does(vote(0, true)));
        assert_eq!(refused, Err(pallet_governance::Error::<Runtime>::NotValidator.into()));
        let (_, _, tally) = Governance::proposal(0).expect("open");
        assert_eq!(tally, Tally { ayes: 0, nays: 0, total: 100 });
    });
}

#[test]
fn s68_vote_should_be_overwritten_when_the_validator_votes_again() {
    on(LOCAL, |chain| {
        let [alice, bob, charlie, _] = validators();
        chain.all(vec![
            Party::known(Ferdie).does(propose(vec![amend()])),
            alice.does(vote(0, true)),
            bob.does(vote(0, true)),
            charlie.does(vote(0, true)),
            alice.does(vote(0, false)),
        ]);
        let (_, _, tally) = Governance::proposal(0).expect("open");
        assert_eq!(tally, Tally { ayes: 50, nays: 25, total: 100 });
        chain.run_to_clock(1 + PERIOD + 10);
        assert_ne!(Parameters::current().delay_user, 9);
    });
}

#[test]
fn root_should_be_nobodys_when_there_is_no_vote() {
    on(LOCAL, |chain| {
        for call in [amend(), set_validators(with_shares([25; 4]))] {
            assert!(chain.one(Party::known(Alice).does(call)).is_err());
        }
    });
}

#[test]
fn dry_run_should_show_what_would_change_and_change_nothing() {
    on(LOCAL, |_| {
        let before = storage();
        let shown = dry_run(vec![Box::new(amend())]);
        assert_eq!(storage(), before);
        assert!(shown.complete && shown.failed.is_none());
        let key = pallet_protocol_parameters::Current::<Runtime>::hashed_key();
        assert_eq!(shown.changes.len(), 1, "{:?}", shown.changes);
        assert_eq!(shown.changes[0].key, key);
        assert_eq!(shown.changes[0].before, Some(Parameters::current().encode()));
        assert_eq!(shown.changes[0].after, Some(amended().encode()));
        let event = pallet_protocol_parameters::Event::Amended { values: amended() };
        assert_eq!(shown.events, vec![RuntimeEvent::Parameters(event)]);
        let unsafe_values = Values { delay_user: 1, ..amended() };
        let refused = pallet_protocol_parameters::Call::amend { values: unsafe_values };
        let shown = dry_run(vec![Box::new(amend()), Box::new(refused.into())]);
        let error = pallet_protocol_parameters::Error::<Runtime>::DelayTooShort.into();
        assert_eq!((shown.failed, shown.changes), (Some((1, error)), vec![]));
    });
}

#[test]
fn shares_should_weigh_finality_and_authorship_when_a_vote_has_changed_them() {
    on(LOCAL, |chain| {
        assert_eq!(weights(), [25; 4]);
        decide(chain, vec![set_validators(with_shares([20, 30, 20, 30]))], 3);
        assert_eq!(weights(), [25; 4], "not before the border");
        cross_border(chain);
        assert_eq!(weights(), [20, 30, 20, 30]);
        assert_eq!(Grandpa::current_set_id(), 1);
        let scheduled = System::digest().logs.into_iter().any(|log| match log {
            DigestItem::Consensus(GRANDPA_ENGINE_ID, log) => matches!(
                codec::Decode::decode(&mut &log[..]),
                Ok(ConsensusLog::<u32>::ScheduledChange(change))
                    if change.next_authorities.iter().map(|(_, weight)| *weight).eq([20, 30, 20, 30])
            ),
            _ => false,
        });
        assert!(scheduled, "nodes are told by the block");
        let mut authored: BTreeMap<AccountId, u32> = BTreeMap::new();
        for _ in 0..200 {
            *authored.entry(chain.next_author()).or_default() += 1;
            chain.block(vec![]);
        }
        let counts = validators().map(|who| authored[&who.id()]);
        println!("authored of 200 blocks with shares 20, 30, 20, 30: {counts:?}");
        assert_eq!(counts, [40, 60, 40, 60]);
    });
}

#[test]
fn shares_should_be_refused_when_one_holder_would_have_more_than_a_third() {
    on(LOCAL, |chain| {
        let end = decide(chain, vec![set_validators(with_shares([34, 22, 22, 22]))], 4);
        let error = pallet_governance::Error::<Runtime>::AboveOneThird.into();
        let tally = Tally { ayes: 100, nays: 0, total: 100 };
        assert_eq!(end, Event::Failed { proposal: 0, tally, call: 0, error });
        cross_border(chain);
        assert_eq!(weights(), [25; 4]);
    });
}

#[test]
fn votes_should_weigh_as_the_new_shares_when_a_vote_has_changed_them() {
    on(LOCAL, |chain| {
        decide(chain, vec![set_validators(with_shares([33, 33, 33, 1]))], 4);
        cross_border(chain);
        // The first two have 66 of 100; with the third it is enough.
        let end = decide(chain, vec![amend()], 2);
        let tally = Tally { ayes: 66, nays: 0, total: 100 };
        assert_eq!(end, Event::Dropped { proposal: 1, tally });
        let end = decide(chain, vec![amend()], 3);
        let tally = Tally { ayes: 99, nays: 0, total: 100 };
        assert_eq!(end, Event::Enacted { proposal: 2, tally });
    });
}

#[test]
fn upgrade_should_be_anybodys_upload_when_its_hash_was_voted_for() {
    on(LOCAL, |chain| {
        let code = b"a new runtime".to_vec();
        let upload = |code: Vec<u8>| {
            RuntimeCall::from(frame_system::Call::apply_authorized_upgrade { code })
        };
        let eve = Party::known(Eve);
        assert!(chain.one(eve.does(upload(code.clone()))).is_err(), "nothing is authorized");
        let code_hash = sp_runtime::traits::BlakeTwo256::hash(&code);
        // A real one is authorized with checks: these read the version out of a real runtime.
        let authorize = frame_system::Call::authorize_upgrade_without_checks { code_hash };
        decide(chain, vec![authorize.into()], 3);
        assert!(System::authorized_upgrade().is_some());
        chain.trial(|chain| {
            // Not the code that was voted for.
            assert!(chain.block(vec![eve.does(upload(vec![1, 2, 3]))])[0] != Ok(Ok(())));
        });
        chain.trial(|chain| {
            assert_eq!(chain.one(eve.does(upload(code.clone()))), Ok(()));
            let now = sp_io::storage::get(sp_core::storage::well_known_keys::CODE);
            assert_eq!(now.map(|code| code.to_vec()), Some(code));
        });
    });
}

/// Two precommits of Bob for different blocks, or the same one twice, in round 1 of the first set.
fn double_vote(second: u8) -> EquivocationProof<H256, u32> {
    let (round_number, set) = (1, 0);
    let pair = Ed25519Keyring::Bob.pair();
    let vote = |byte| {
        let vote = Precommit { target_hash: H256::repeat_byte(byte), target_number: 1 };
        let message = Message::Precommit(vote.clone());
        let payload = sp_consensus_grandpa::localized_payload(round_number, set, &message);
        (vote, pair.sign(&payload).into())
    };
    let (identity, first) = (pair.public().into(), vote(1));
    let twice = Equivocation { round_number, identity, first, second: vote(second) };
    EquivocationProof::new(set, sp_consensus_grandpa::Equivocation::Precommit(twice))
}

fn report(proof: EquivocationProof<H256, u32>, set: u64) -> pallet_grandpa::Call<Runtime> {
    let owner = KeyOwners::proof(set, proof.offender()).expect("a key of this set");
    let equivocation_proof = Box::new(proof);
    pallet_grandpa::Call::report_equivocation { equivocation_proof, key_owner_proof: owner }
}

#[test]
fn double_vote_should_cost_half_of_the_shares_when_it_is_reported() {
    on(LOCAL, |chain| {
        let ferdie = Party::known(Ferdie);
        let before = free(0, &ferdie);
        assert_eq!(chain.one(ferdie.does(report(double_vote(2), 0))), Ok(()));
        assert_eq!(free(0, &ferdie), before, "a true report is free of charge");
        let bob = Party::known(Bob).id();
        assert_eq!(said()[0], Event::Punished { validator: bob, shares: 13 });
        assert_eq!(weights(), [25; 4], "not before the border");
        cross_border(chain);
        assert_eq!(weights(), [25, 12, 25, 25]);
        let again = chain.one(ferdie.does(report(double_vote(3), 0)));
        assert_eq!(
            again,
            Err(pallet_grandpa::Error::<Runtime>::DuplicateOffenceReport.into()),
            "once per set"
        );
    });
}

#[test]
fn double_vote_should_be_reported_by_the_nodes_without_a_signature() {
    on(LOCAL, |chain| {
        let proof = double_vote(2);
        let key_owner_proof = KeyOwners::proof(0, proof.offender()).expect("a key of this set");
        let call = pallet_grandpa::Call::<Runtime>::report_equivocation_unsigned {
            equivocation_proof: Box::new(proof),
            key_owner_proof,
        };
        let valid = |source| Grandpa::validate_unsigned(source, &call);
        assert!(valid(TransactionSource::Local).is_ok());
        assert!(valid(TransactionSource::External).is_err(), "others have to see it themselves");
        let reported = Party::known(Ferdie).does(report(double_vote(2), 0));
        assert_eq!(chain.one(reported), Ok(()));
        let stale = TransactionValidityError::Invalid(InvalidTransaction::Stale);
        assert_eq!(valid(TransactionSource::Local), Err(stale));
    });
}

#[test]
fn report_should_be_refused_when_nobody_has_voted_twice() {
    on(LOCAL, |chain| {
        let ferdie = Party::known(Ferdie);
        let same = chain.one(ferdie.does(report(double_vote(1), 0)));
        assert_eq!(same, Err(pallet_grandpa::Error::<Runtime>::InvalidEquivocationProof.into()));
        let mut light = KeyOwners::proof(0, double_vote(2).offender()).expect("a key of this set");
        light.validator_count = 1;
        let call = pallet_grandpa::Call::report_equivocation {
            equivocation_proof: Box::new(double_vote(2)),
            key_owner_proof: light,
        };
        let refused = pallet_grandpa::Error::<Runtime>::InvalidKeyOwnershipProof.into();
        assert_eq!(chain.one(ferdie.does(call)), Err(refused));
        assert_eq!(weights(), [25; 4]);
    });
}
