//! What the ends of disputes say of hubs (`protocol.md` §8).

use super::*;
use failsafe_primitives::{view::HubStanding, Evidence, OwnSimplex, Side};
use frame_support::assert_ok;

/// Disputes, lost ones, debts.
fn reputation(who: &Party) -> (u32, u32, u32) {
    let HubStanding { disputes, lost, debts, .. } = Hubs::standing(who.id());
    (disputes, lost, debts)
}

/// The hub (left) owes the user (right) 1,000 without insurance and has `balance` on chain, until the
/// user's dispute is resolved.
fn owing_hub(balance: u128, test: impl FnOnce(&Party, &Party)) {
    let p = Party::ordered(2);
    let (hub, user) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().balance(user, 10).balance(hub, balance).hub(hub);
    builder.build_and_execute(|| {
        let channel = Channel::new(hub, user);
        assert_ok!(dispute(user, hub, channel.theirs(Side::Left, &sent(3, 1_000))));
        assert_eq!(reputation(hub), (0, 0, 0), "not before it is resolved");
        run_until_resolved(&channel);
        test(hub, user);
    });
}

#[test]
fn dispute_should_be_counted_and_not_lost_when_the_hub_pays_what_it_owes() {
    owing_hub(10_000, |hub, user| {
        assert_eq!(reputation(hub), (1, 0, 0));
        assert_eq!(reputation(user), (0, 0, 0), "users have none");
    });
}

#[test]
fn dispute_should_be_lost_when_the_hub_cannot_pay_what_it_owes() {
    owing_hub(400, |hub, _| assert_eq!(reputation(hub), (1, 1, 1)));
}

#[test]
fn dispute_should_not_be_lost_by_the_hub_when_the_user_cannot_pay() {
    let p = Party::ordered(2);
    let (hub, user) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().balance(user, 10).balance(hub, 10).hub(hub);
    builder.build_and_execute(|| {
        let channel = Channel::new(hub, user);
        assert_ok!(dispute(hub, user, channel.theirs(Side::Right, &sent(3, 1_000))));
        run_until_resolved(&channel);
        assert_eq!(debts(user), vec![(hub.id(), 990)]);
        assert_eq!(reputation(hub), (1, 0, 0));
    });
}

#[test]
fn dispute_should_be_lost_when_the_hub_started_it_with_an_old_state() {
    let p = Party::ordered(2);
    let (hub, user) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().balance(hub, 450).balance(user, 10).hub(hub);
    builder.parameters(|v| v.dispute_deposit = 20).build_and_execute(|| {
        assert_ok!(deposit(hub, 400, hub, user));
        let channel = Channel::new(hub, user);
        let old = OwnSimplex::Unacked { simplex: sent(5, 50), acked: None };
        assert_ok!(dispute(hub, user, Evidence { theirs: None, ours: Some(old) }));
        let newer = channel.theirs(Side::Left, &sent(7, 70));
        assert_ok!(Insurance::counter(user.origin(), hub.id(), newer));
        run_until_resolved(&channel);
        assert_eq!(reputation(hub), (1, 1, 0));
    });
}

#[test]
fn close_should_count_its_debt_and_no_dispute_when_both_have_signed_it() {
    let p = Party::ordered(2);
    let (hub, user) = (&p[0], &p[1]);
    ExtBuilder::default().balance(user, 10).hub(hub).build_and_execute(|| {
        let channel = Channel::new(hub, user);
        let (close, signature) = channel.close(Side::Left, &[(FRD, -300)]);
        assert_ok!(Insurance::close(user.origin(), hub.id(), close, signature));
        run_until_resolved(&channel);
        assert_eq!(debts(hub), vec![(user.id(), 300)]);
        assert_eq!(reputation(hub), (0, 0, 1));
    });
}

#[test]
fn late_claim_should_count_the_debt_that_it_leaves() {
    let p = Party::ordered(2);
    let (hub, user) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().balance(user, 10).balance(hub, 40).hub(hub);
    builder.build_and_execute(|| {
        let channel = Channel::new(hub, user);
        assert_ok!(dispute(hub, user, channel.ours(Side::Left, &sent(5, 40))));
        run_until_resolved(&channel);
        assert_eq!(reputation(hub), (1, 0, 0));
        let simplex = sent(7, 70);
        let signature = channel.signed(Side::Left, &simplex).signature;
        let claim = Insurance::late_claim(user.origin(), hub.id(), 0, simplex, signature);
        assert_ok!(claim);
        assert_eq!(debts(hub), vec![(user.id(), 30)]);
        assert_eq!(reputation(hub), (1, 0, 1));
    });
}
