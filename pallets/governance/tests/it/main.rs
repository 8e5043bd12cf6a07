//! Tests of validators, proposals and votes.

mod proposals;
mod validators;

use failsafe_pallet_mock::*;
use failsafe_primitives::NATIVE_ASSET as FRD;
use frame_support::dispatch::DispatchResult;
use pallet_governance::ProposalId;

type Error = pallet_governance::Error<Test>;
type Event = pallet_governance::Event<Test>;

/// A town of four validators with 25 shares each, and one account without.
fn four(test: impl FnOnce(&[Party])) {
    with_shares(&[25, 25, 25, 25], test);
}

fn with_shares(shares: &[u32], test: impl FnOnce(&[Party])) {
    let count = u8::try_from(shares.len()).expect("few");
    let p = Party::ordered(count + 1);
    let builder = p.iter().fold(ExtBuilder::default(), |builder, who| builder.balance(who, 100));
    let validators = p.iter().zip(shares);
    let builder =
        validators.fold(builder, |builder, (who, shares)| builder.validator(who, *shares));
    builder.build_and_execute(|| test(&p));
}

fn propose(who: &Party, calls: Vec<RuntimeCall>) -> DispatchResult {
    let title = b"a title".to_vec().try_into().expect("short");
    let text = b"a text".to_vec().try_into().expect("short");
    let calls = calls.into_iter().map(Box::new).collect();
    Governance::propose(who.origin(), title, text, calls)
}

fn vote(who: &Party, id: ProposalId, approve: bool) -> DispatchResult {
    Governance::vote(who.origin(), id, approve, Default::default())
}

/// A call of root's: another voting period.
fn period(period: u64) -> RuntimeCall {
    pallet_governance::Call::set_voting_period { period }.into()
}

/// Goes on until a proposal that was made now is concluded.
fn run_to_due() {
    run_to_clock(now() + pallet_governance::VotingPeriod::<Test>::get());
    next_block();
}

/// Events of governance so far.
fn events() -> Vec<Event> {
    let ours = |record: frame_system::EventRecord<RuntimeEvent, _>| match record.event {
        RuntimeEvent::Governance(event) => Some(event),
        _ => None,
    };
    System::events().into_iter().filter_map(ours).collect()
}
