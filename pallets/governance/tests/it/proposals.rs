//! Proposals, votes, enactment.

use crate::*;
use frame_support::{assert_noop, assert_ok};
use pallet_governance::{Tally, VotingPeriod};

#[test]
fn proposal_should_be_carried_out_when_more_than_two_thirds_are_for_it() {
    four(|p| {
        assert_ok!(propose(&p[4], vec![period(20)]));
        assert_eq!(free(FRD, &p[4]), 100 - PROPOSAL_DEPOSIT);
        for who in &p[..3] {
            assert_ok!(vote(who, 0, true));
        }
        run_to_due();
        assert_eq!(VotingPeriod::<Test>::get(), 20);
        let tally = Tally { ayes: 75, nays: 0, total: 100 };
        assert!(events().contains(&Event::Enacted { proposal: 0, tally }));
        assert_eq!(free(FRD, &p[4]), 100, "the deposit is back");
    });
}

#[test]
fn proposal_should_be_dropped_when_exactly_two_thirds_are_for_it() {
    with_shares(&[2, 2, 1, 1], |p| {
        assert_ok!(propose(&p[4], vec![period(20)]));
        assert_ok!(vote(&p[0], 0, true));
        assert_ok!(vote(&p[1], 0, true));
        run_to_due();
        assert_eq!(VotingPeriod::<Test>::get(), 10);
        let tally = Tally { ayes: 4, nays: 0, total: 6 };
        assert!(events().contains(&Event::Dropped { proposal: 0, tally }));
        assert_eq!(free(FRD, &p[4]), 100, "somebody was for it");
    });
}

#[test]
fn deposit_should_be_lost_when_nobody_is_for_the_proposal() {
    four(|p| {
        assert_ok!(propose(&p[4], vec![period(20)]));
        assert_ok!(vote(&p[0], 0, false));
        run_to_due();
        assert_eq!(free(FRD, &p[4]), 100 - PROPOSAL_DEPOSIT);
        assert_eq!(Balances::free_balance(FORFEITED), PROPOSAL_DEPOSIT);
    });
}

#[test]
fn vote_should_count_as_it_was_last_when_it_is_changed() {
    four(|p| {
        assert_ok!(propose(&p[4], vec![period(20)]));
        for who in &p[..3] {
            assert_ok!(vote(who, 0, true));
        }
        assert_ok!(vote(&p[0], 0, false));
        let (_, _, tally) = Governance::proposal(0).unwrap();
        assert_eq!(tally, Tally { ayes: 50, nays: 25, total: 100 });
        run_to_due();
        assert_eq!(VotingPeriod::<Test>::get(), 10);
    });
}

#[test]
fn vote_should_be_refused_when_it_is_not_a_validators_or_too_late() {
    four(|p| {
        assert_noop!(vote(&p[0], 0, true), Error::NoProposal);
        assert_ok!(propose(&p[4], vec![period(20)]));
        assert_noop!(vote(&p[4], 0, true), Error::NotValidator);
        // In the block in which it is due it is still open: it is concluded on idle.
        run_to_clock(11);
        assert_noop!(vote(&p[0], 0, true), Error::VotingOver);
    });
}

#[test]
fn shares_should_count_as_they_are_at_the_end_when_they_change_during_the_vote() {
    four(|p| {
        let mut set = Governance::validators();
        assert_ok!(propose(&p[4], vec![period(20)]));
        for who in &p[..3] {
            assert_ok!(vote(who, 0, true));
        }
        // The third leaves before the votes are counted.
        set[2] = validator(&p[4], 25);
        let set = set.try_into().unwrap();
        assert_ok!(Governance::set_validators(RuntimeOrigin::root(), set));
        run_to_due();
        let tally = Tally { ayes: 50, nays: 0, total: 100 };
        assert!(events().contains(&Event::Dropped { proposal: 0, tally }));
    });
}

#[test]
fn calls_should_have_no_effect_when_one_of_them_fails() {
    four(|p| {
        assert_ok!(propose(&p[4], vec![period(20), period(0)]));
        for who in &p[..4] {
            assert_ok!(vote(who, 0, true));
        }
        run_to_due();
        assert_eq!(VotingPeriod::<Test>::get(), 10);
        let failed = |event: &Event| {
            matches!(event, Event::Failed { proposal: 0, call: 1, error, .. }
                if *error == Error::InvalidPeriod.into())
        };
        assert!(events().iter().any(failed));
    });
}

#[test]
fn conclude_should_be_anybodys_when_the_agenda_has_not_come_to_it() {
    four(|p| {
        assert_ok!(propose(&p[4], vec![period(20)]));
        for who in &p[..3] {
            assert_ok!(vote(who, 0, true));
        }
        let conclude = || Governance::conclude(p[4].origin(), 0).map_err(|refused| refused.error);
        assert_noop!(conclude(), Error::NotDue);
        run_to_clock(11);
        assert_ok!(conclude());
        assert_eq!(VotingPeriod::<Test>::get(), 20);
        assert_noop!(conclude(), Error::NoProposal);
    });
}

#[test]
fn cancel_should_be_the_proposers_or_roots() {
    four(|p| {
        assert_ok!(propose(&p[4], vec![period(20)]));
        assert_ok!(propose(&p[4], vec![period(30)]));
        assert_ok!(vote(&p[0], 0, true));
        assert_noop!(Governance::cancel(p[0].origin(), 0), Error::NotProposer);
        assert_ok!(Governance::cancel(p[4].origin(), 0));
        assert_ok!(Governance::cancel(RuntimeOrigin::root(), 1));
        assert_eq!(free(FRD, &p[4]), 100);
        assert_eq!(Governance::votes(0), vec![]);
    });
}

#[test]
fn propose_should_be_refused_when_something_is_wrong_with_it() {
    use failsafe_pallet_support::DebtLedger;
    four(|p| {
        assert_noop!(propose(&p[4], vec![]), Error::NoCalls);
        let long = || frame_system::Call::remark { remark: vec![0; 20_000] }.into();
        assert_noop!(propose(&p[4], vec![long()]), Error::CallsTooLong);
        let heavy = pallet_batch::Call::submit {
            actions: (0..64).map(|_| period(1)).collect(),
            mode: pallet_batch::Mode::Atomic,
        };
        let heavy: Vec<RuntimeCall> = (0..200).map(|_| heavy.clone().into()).collect();
        assert_noop!(propose(&p[4], heavy), Error::CallsTooHeavy);
        for _ in 0..10 {
            assert_ok!(propose(&p[3], vec![period(1)]));
        }
        assert_ok!(Balances::transfer_allow_death(p[4].origin(), p[0].id(), 95));
        assert_noop!(propose(&p[4], vec![period(1)]), Error::DepositMissing);
        Debt::pay_or_book(&p[4].id(), &p[0].id(), FRD, 500, 1);
        assert_noop!(propose(&p[4], vec![period(1)]), Error::OwesMoney);
    });
}

#[test]
fn propose_should_be_refused_when_too_many_are_open() {
    four(|p| {
        for i in 0..64 {
            assert_ok!(propose(&p[i / 16], vec![period(1)]));
        }
        assert_noop!(propose(&p[4], vec![period(1)]), Error::TooManyProposals);
    });
}
