//! What the runtime answers, read; what it shall carry out, encoded.

use super::super::explain::tests::metadata;
use super::*;
use failsafe_runtime::{
    api::ProposalView,
    dry_run::{Change as RuntimeChange, DryRun as RuntimeDryRun},
    Runtime, RuntimeCall, RuntimeEvent,
};
use serde_json::json;
use sp_core::{ed25519, sr25519};

fn who(byte: u8) -> AccountId {
    AccountId::new([byte; 32])
}

fn amend(delay_user: Clock) -> RuntimeCall {
    let values = Parameters { delay_user, ..Parameters::DEVELOPMENT };
    pallet_protocol_parameters::Call::amend { values }.into()
}

fn validator(byte: u8) -> Validator {
    Validator {
        account: who(byte),
        name: b"one".to_vec(),
        location: b"here".to_vec(),
        shares: 25,
        aura: [byte; 32],
        grandpa: [byte + 1; 32],
    }
}

#[test]
fn proposal_should_be_read_as_the_runtime_writes_it() {
    let vote = pallet_governance::Vote {
        approve: true,
        rationale: b"I have tried it.".to_vec().try_into().unwrap(),
    };
    let period = pallet_governance::Call::set_voting_period { period: 20 };
    let view = ProposalView {
        id: 3,
        proposal: pallet_governance::Proposal {
            proposer: who(1),
            title: b"Nine".to_vec().try_into().unwrap(),
            text: b"Eight are few.".to_vec().try_into().unwrap(),
            deposit: 10,
            due: 44,
            weight: (1_u64 << 40, 7_u64).into_weight(),
        },
        calls: vec![Box::new(amend(9)), Box::new(period.into())],
        tally: pallet_governance::Tally { ayes: 25, nays: 0, total: 100 },
        votes: vec![(who(2), vote)],
    };
    let bytes = view.encode();
    let rest = &mut &bytes[..];
    let read = Explainer::new(metadata()).proposal(rest).unwrap();
    assert!(rest.is_empty());
    assert_eq!((read.head.id, read.head.due, read.head.deposit), (3, 44, 10));
    assert_eq!(read.head.title, b"Nine");
    assert_eq!(read.tally, Tally { ayes: 25, nays: 0, total: 100 });
    let names: Vec<_> = read.calls.iter().map(|call| call.name.as_str()).collect();
    assert_eq!(names, ["parameters.amend", "governance.set_voting_period"]);
    assert_eq!(read.calls[0].encoded, amend(9).encode());
    let rationale = b"I have tried it.".to_vec();
    assert_eq!(read.votes, [Vote { validator: who(2), approve: true, rationale }]);
}

/// Weights are FRAME's; this crate knows their encoding.
trait IntoWeight {
    fn into_weight<W: Decode>(self) -> W;
}

impl IntoWeight for (u64, u64) {
    fn into_weight<W: Decode>(self) -> W {
        let bytes = (Compact(self.0), Compact(self.1)).encode();
        W::decode(&mut &bytes[..]).expect("a weight")
    }
}

#[test]
fn dry_run_should_be_read_as_the_runtime_writes_it() {
    let key = pallet_governance::VotingPeriod::<Runtime>::hashed_key().to_vec();
    let error = sp_runtime::DispatchError::BadOrigin;
    let event = pallet_governance::Event::VotingPeriodSet { period: 20 };
    let run = RuntimeDryRun {
        failed: Some((1, error)),
        events: vec![RuntimeEvent::Governance(event)],
        changes: vec![RuntimeChange {
            key,
            before: Some(10_u64.encode()),
            after: Some(20_u64.encode()),
        }],
        complete: true,
    };
    let bytes = run.encode();
    let rest = &mut &bytes[..];
    let read = Explainer::new(metadata()).dry_run(rest).unwrap();
    assert!(rest.is_empty());
    assert_eq!(read.failed, Some((1, "BadOrigin".into())));
    assert_eq!(read.events[0].name, "governance.VotingPeriodSet");
    let change = Change {
        entry: "governance.VotingPeriod".into(),
        before: Some(json!(10)),
        after: Some(json!(20)),
    };
    assert_eq!(read.changes, [change]);
    assert!(read.complete);
}

#[test]
fn amendments_should_be_what_the_runtime_reads() {
    let metadata = metadata();
    let encoded = |amendment: Amendment| {
        let bytes = amendment.encode(&metadata).unwrap();
        RuntimeCall::decode_all(&mut &bytes[..]).expect("the runtime reads all of it")
    };
    let values = Parameters { delay_user: 9, ..Parameters::DEVELOPMENT };
    assert_eq!(encoded(Amendment::Parameters(Box::new(values))), amend(9));
    let period = pallet_governance::Call::set_voting_period { period: 7 };
    assert_eq!(encoded(Amendment::VotingPeriod(7)), period.into());
    let set = pallet_governance::Validator {
        account: who(1),
        name: b"one".to_vec().try_into().unwrap(),
        location: b"here".to_vec().try_into().unwrap(),
        shares: 25,
        aura: sr25519::Public::from([1; 32]),
        grandpa: ed25519::Public::from([2; 32]),
    };
    let set = pallet_governance::Call::set_validators { validators: vec![set].try_into().unwrap() };
    assert_eq!(encoded(Amendment::Validators(vec![validator(1)])), set.into());
    let hash = H256([6; 32]);
    let call = encoded(Amendment::AuthorizeUpgrade(hash));
    let bytes = call.encode();
    let known = Explainer::new(metadata.clone()).call(&mut &bytes[..]).unwrap();
    assert_eq!(known.name, "system.authorize_upgrade");
    assert_eq!(known.arguments, json!({ "code_hash": format!("0x{}", "06".repeat(32)) }));
}
