//! Tests of batches: atomic, skip-failed, one per account and block.

use failsafe_pallet_mock::*;
use failsafe_pallet_support::DebtLedger;
use failsafe_primitives::{Side, NATIVE_ASSET as FRD};
use frame_support::{assert_noop, assert_ok};
use pallet_batch::{Event, Mode, WeightInfo};

type Error = pallet_batch::Error<Test>;

fn transfer(to: &Party, value: u128) -> RuntimeCall {
    pallet_balances::Call::transfer_allow_death { dest: to.id(), value }.into()
}

fn submit(
    who: &Party,
    actions: Vec<RuntimeCall>,
    mode: Mode,
) -> Result<(), sp_runtime::DispatchError> {
    Batch::submit(who.origin(), actions, mode).map(drop).map_err(|e| e.error)
}

#[test]
fn batch_should_carry_out_every_action_under_one_signature() {
    let p = Party::ordered(3);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        let actions = vec![transfer(&p[1], 10), transfer(&p[2], 20)];
        assert_ok!(submit(&p[0], actions, Mode::Atomic));
        assert_eq!([free(FRD, &p[1]), free(FRD, &p[2])], [10, 20]);
        let completed = Event::BatchCompleted { account: p[0].id(), done: 2, skipped: 0 };
        System::assert_last_event(completed.into());
    });
}

#[test]
fn s69_batch_should_undo_everything_when_atomic_and_one_action_fails() {
    let p = Party::ordered(3);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        let actions = vec![transfer(&p[1], 10), transfer(&p[2], 101), transfer(&p[2], 5)];
        assert_noop!(
            submit(&p[0], actions, Mode::Atomic),
            sp_runtime::TokenError::FundsUnavailable
        );
    });
}

#[test]
fn batch_should_skip_what_fails_when_asked_to() {
    let p = Party::ordered(3);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        let actions = vec![transfer(&p[1], 10), transfer(&p[2], 101), transfer(&p[2], 5)];
        assert_ok!(submit(&p[0], actions, Mode::SkipFailed));
        assert_eq!([free(FRD, &p[1]), free(FRD, &p[2])], [10, 5]);
        let error = sp_runtime::TokenError::FundsUnavailable.into();
        System::assert_has_event(Event::ActionSkipped { index: 1, error }.into());
        let completed = Event::BatchCompleted { account: p[0].id(), done: 2, skipped: 1 };
        System::assert_last_event(completed.into());
    });
}

#[test]
fn batch_should_be_refused_when_the_account_has_had_one_in_this_block() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(submit(&p[0], vec![transfer(&p[1], 10)], Mode::Atomic));
        assert_noop!(submit(&p[0], vec![transfer(&p[1], 10)], Mode::Atomic), Error::OnePerBlock);
        next_block();
        assert_ok!(submit(&p[0], vec![transfer(&p[1], 10)], Mode::Atomic));
    });
}

#[test]
fn batch_should_leave_no_record_of_its_submitter_when_the_block_ends() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(submit(&p[0], vec![transfer(&p[1], 10)], Mode::Atomic));
        assert_eq!(pallet_batch::Submitters::<Test>::iter().count(), 1);
        next_block();
        assert_eq!(pallet_batch::Submitters::<Test>::iter().count(), 0);
    });
}

#[test]
fn batch_should_be_refused_when_empty_too_long_or_nested() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_noop!(submit(&p[0], vec![], Mode::Atomic), Error::Empty);
        let many = vec![transfer(&p[1], 1); 65];
        assert_noop!(submit(&p[0], many, Mode::Atomic), Error::TooManyActions);
        let inner = pallet_batch::Call::submit { actions: vec![], mode: Mode::Atomic };
        assert_noop!(submit(&p[0], vec![inner.into()], Mode::Atomic), Error::NotAnAction);
    });
}

#[test]
fn batch_should_be_weighed_as_the_sum_of_its_actions() {
    use frame_support::dispatch::GetDispatchInfo;
    let p = Party::ordered(2);
    let weigh = |count| {
        let actions = vec![transfer(&p[1], 1); count];
        RuntimeCall::from(pallet_batch::Call::submit { actions, mode: Mode::Atomic })
            .get_dispatch_info()
            .call_weight
    };
    let one = transfer(&p[1], 1).get_dispatch_info().call_weight;
    let own = |count| <() as WeightInfo>::submit(count);
    assert_eq!(weigh(7), own(7) + one * 7);
    assert_eq!(weigh(0), own(0));
}

#[test]
fn batch_should_pay_a_debt_once_when_it_credits_its_submitter_many_times() {
    let p = Party::ordered(5);
    let (hub, users, creditor) = (&p[0], &p[1..4], &p[4]);
    let builder =
        users.iter().fold(ExtBuilder::default(), |builder, user| builder.balance(user, 100));
    builder.build_and_execute(|| {
        let mut actions: Vec<RuntimeCall> = vec![];
        for user in users {
            assert_ok!(Insurance::deposit(user.origin(), FRD, 100, user.id(), hub.id(), None));
            let channel = Channel::new(hub, user);
            let (withdrawal, proof) = channel.withdrawal(Side::Left, 0, &[(FRD, 100, 0)]);
            let partner = user.id();
            actions.push(pallet_insurance::Call::withdraw { partner, withdrawal, proof }.into());
        }
        for block in 1..=3 {
            Debt::pay_or_book(&hub.id(), &creditor.id(), FRD, 90, block);
        }
        assert_ok!(submit(hub, actions, Mode::Atomic));
        assert_eq!((free(FRD, hub), free(FRD, creditor)), (210, 90), "one payment for all");
        assert_noop!(
            Balances::transfer_allow_death(hub.origin(), users[0].id(), 1),
            sp_runtime::TokenError::Frozen
        );
        assert!(pallet_debt::Postponed::<Test>::get().is_none());
        next_block();
        assert_eq!((free(FRD, hub), free(FRD, creditor)), (30, 270), "the sweep pays the rest");
    });
}

/// S61: hub owns 800 at Alice and 800 at Bob; receivers are owed 1000, 400 and 150.
fn rebalance(bob_proof_is_valid: bool, mode: Mode) -> (u128, [u128; 2], Vec<u128>) {
    let p = Party::ordered(6);
    let (hub, alice, bob) = (&p[0], &p[1], &p[2]);
    let receivers = &p[3..];
    let mut result = Default::default();
    ExtBuilder::default().balance(alice, 1_000).balance(bob, 1_000).hub(hub).build_and_execute(
        || {
            for user in [alice, bob] {
                assert_ok!(Insurance::deposit(
                    user.origin(),
                    FRD,
                    1_000,
                    user.id(),
                    hub.id(),
                    None
                ));
            }
            let mut actions: Vec<RuntimeCall> = vec![];
            for user in [alice, bob] {
                let channel = Channel::new(hub, user);
                let (withdrawal, mut proof) = channel.withdrawal(Side::Left, 0, &[(FRD, 800, 0)]);
                if user.id() == bob.id() && !bob_proof_is_valid {
                    proof = alice.sign(&[0; 32]);
                }
                let call =
                    pallet_insurance::Call::withdraw { partner: user.id(), withdrawal, proof };
                actions.push(call.into());
            }
            for (receiver, amount) in receivers.iter().zip([1_000, 400, 150]) {
                let call = pallet_insurance::Call::deposit {
                    asset: FRD,
                    amount,
                    beneficiary: hub.id(),
                    partner: receiver.id(),
                    epoch: Some(0),
                };
                actions.push(call.into());
            }
            let done = submit(hub, actions, mode);
            assert_eq!(done.is_ok(), bob_proof_is_valid || mode == Mode::SkipFailed);
            let insured = |user: &Party| Channel::new(hub, user).collateral(FRD).insurance;
            let receivers = receivers.iter().map(insured).collect();
            result = (free(FRD, hub), [insured(alice), insured(bob)], receivers);
        },
    );
    result
}

#[test]
fn s61_rebalance_should_withdraw_first_and_then_deposit_when_the_hub_has_nothing() {
    let (hub, spenders, receivers) = rebalance(true, Mode::Atomic);
    assert_eq!((hub, spenders, receivers), (50, [200, 200], vec![1_000, 400, 150]));
}

#[test]
fn s62_rebalance_should_change_nothing_when_atomic_and_one_proof_is_bad() {
    let (hub, spenders, receivers) = rebalance(false, Mode::Atomic);
    assert_eq!((hub, spenders, receivers), (0, [1_000, 1_000], vec![0, 0, 0]));
}

#[test]
fn s62_rebalance_should_do_what_it_can_when_it_skips_failed_actions() {
    let (hub, spenders, receivers) = rebalance(false, Mode::SkipFailed);
    assert_eq!((hub, spenders, receivers), (250, [200, 1_000], vec![0, 400, 150]));
}
