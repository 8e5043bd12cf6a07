use super::*;
use crate::FreezeReason;
use failsafe_primitives::{
    evidence::{Presented, Standing},
    view::OldEpochView,
};

fn start_dispute(world: &mut World, who: usize) {
    world.call(who, |channel, _| channel.dispute()).unwrap();
}

fn dispute_in_best_block(world: &mut World, starter: Side, presented: [Option<Presented>; 2]) {
    let view = world.dispute_view(starter, &Evidence::default());
    world.best_block(|facts| facts.view.dispute = Some(DisputeView { presented, ..view }));
}

#[test]
fn m1_own_dispute_should_freeze_before_it_leaves() {
    let mut world = World::new(100, 100);
    world.pay(L, 10).unwrap();
    world.deliver_all();
    start_dispute(&mut world, R);
    let stored = Channel::decode_state(&world.parties[R].disk).unwrap();
    assert_eq!(stored.frozen(), Some(FreezeReason::OwnDispute), "durable");
    assert_eq!(world.pay(R, 1), Err(Refusal::Frozen(FreezeReason::OwnDispute)));
    // A payment that arrives now is not taken: the starter speaks once.
    world.pay(L, 5).unwrap();
    world.deliver_all();
    assert_eq!(world.received(R), 10);
    let [ChainAction::Dispute { evidence, own_nonce: 0 }] = &world.parties[R].submitted[..] else {
        panic!("{:?}", world.parties[R].submitted)
    };
    assert_eq!(evidence.theirs.as_ref().unwrap().simplex.nonce, 1);
}

#[test]
fn m1_dispute_seen_in_a_best_block_should_freeze() {
    let mut world = World::new(100, 100);
    dispute_in_best_block(&mut world, Side::Left, [None, None]);
    let block = world.facts.at.block;
    let frozen = Refusal::Frozen(FreezeReason::SeenOnChain { block });
    assert_eq!(world.pay(R, 1), Err(frozen));
}

#[test]
fn m1_freeze_should_be_lifted_when_a_reorganisation_removed_the_dispute() {
    let mut world = World::new(100, 100);
    dispute_in_best_block(&mut world, Side::Left, [None, None]);
    assert!(world.parties[R].channel.frozen().is_some());
    // Finality passes the block on another branch.
    world.block(|facts| facts.view.dispute = None);
    assert_eq!(world.parties[R].channel.frozen(), None);
    assert!(world.parties[R].events.contains(&Event::Thawed));
    world.pay(L, 5).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn counter_should_bring_the_newest_when_the_dispute_shows_an_older_state() {
    let mut world = World::new(100, 100);
    world.pay(L, 40).unwrap();
    world.deliver_all();
    let stale = world.parties[L].channel.state().mine.simplex.clone();
    world.pay(L, 30).unwrap();
    world.deliver_all();
    let presented = [Some(Presented { simplex: stale, standing: Standing::Final }), None];
    dispute_in_best_block(&mut world, Side::Left, presented);
    let [ChainAction::Counter { evidence }] = &world.parties[R].submitted[..] else {
        panic!("{:?}", world.parties[R].submitted)
    };
    assert_eq!(evidence.theirs.as_ref().unwrap().simplex.sent(FRD), 70);
    assert!(world.parties[L].submitted.is_empty(), "the starter does not counter");
}

#[test]
fn counter_should_not_be_sent_when_the_dispute_shows_the_newest() {
    let mut world = World::new(100, 100);
    world.pay(L, 40).unwrap();
    world.deliver_all();
    let newest = world.parties[L].channel.state().mine.simplex.clone();
    for standing in [Standing::Final, Standing::Unacked { floor: 0 }] {
        let presented = [Some(Presented { simplex: newest.clone(), standing }), None];
        dispute_in_best_block(&mut world, Side::Left, presented);
        assert!(world.parties[R].submitted.is_empty());
    }
}

#[test]
fn late_claim_should_be_made_when_the_resolve_did_not_count_everything() {
    let mut world = World::new(100, 100);
    world.pay(L, 70).unwrap();
    world.deliver_all();
    world.block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![];
        facts.view.old_epochs =
            vec![OldEpochView { epoch: 0, at: 20, counted: [vec![(FRD, 40)], vec![]] }];
    });
    let [ChainAction::LateClaim { epoch: 0, simplex, .. }] = &world.parties[R].submitted[..] else {
        panic!("{:?}", world.parties[R].submitted)
    };
    assert_eq!(simplex.sent(FRD), 70);
    assert!(world.parties[L].submitted.is_empty());
}

#[test]
fn late_claim_should_not_be_made_when_everything_counted_or_the_channel_was_closed() {
    for old_epochs in
        [vec![OldEpochView { epoch: 0, at: 20, counted: [vec![(FRD, 70)], vec![]] }], vec![]]
    {
        let mut world = World::new(100, 100);
        world.pay(L, 70).unwrap();
        world.deliver_all();
        world.block(|facts| {
            facts.view.epoch = 1;
            facts.view.collateral = vec![];
            facts.view.old_epochs = old_epochs;
        });
        assert!(world.parties[R].submitted.is_empty());
    }
}

#[test]
fn epoch_should_start_empty_when_it_is_final() {
    let mut world = World::new(100, 100);
    world.pay(L, 70).unwrap();
    world.deliver_all();
    world.block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![(FRD, Collateral { insurance: 50, ondelta: 50 })];
    });
    world.deliver_all();
    for who in [L, R] {
        world.set_terms(who, 0);
    }
    world.deliver_all();
    assert_eq!(world.can_send(L), 50);
    world.pay(L, 50).unwrap();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.parties[L].channel.summary().own_nonce, 1);
}

#[test]
fn epoch_should_be_waited_for_when_the_partner_is_ahead() {
    let mut world = World::new(100, 100);
    world.best_block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![(FRD, Collateral { insurance: 50, ondelta: 50 })];
    });
    world.finalize(L);
    world.deliver_all();
    world.set_terms(L, 7);
    world.deliver_all();
    assert_eq!(world.parties[R].channel.epoch(), 0);
    world.finalize(R);
    world.deliver_all();
    world.set_terms(R, 0);
    world.deliver_all();
    assert_eq!(world.parties[R].channel.epoch(), 1);
    world.pay(L, 50).unwrap();
    world.pay(R, 8).unwrap_err();
    world.deliver_all();
    world.pay(R, 57).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn close_should_be_signed_by_the_partner_and_submitted_by_who_asked() {
    let mut world = World::new(5_000, 5_000);
    world.pay(L, 1_000).unwrap();
    world.deliver_all();
    world.call(L, |channel, ctx| channel.request_close(ctx, false)).unwrap();
    assert_eq!(world.pay(L, 1), Err(Refusal::Closing));
    world.deliver_all();
    let [ChainAction::Close { close, .. }] = &world.parties[L].submitted[..] else { panic!() };
    assert_eq!(close.offdelta(FRD), -1_000);
    assert!(matches!(world.pay(R, 1), Err(Refusal::Frozen(FreezeReason::CloseSigned { .. }))));
}

#[test]
fn close_should_be_submitted_by_the_partner_when_asked_to() {
    let mut world = World::new(5_000, 5_000);
    world.call(R, |channel, ctx| channel.request_close(ctx, true)).unwrap();
    world.deliver_all();
    assert!(matches!(&world.parties[L].submitted[..], [ChainAction::Close { .. }]));
}

#[test]
fn m2_close_should_be_refused_when_a_payment_is_under_way() {
    let mut world = World::new(5_000, 5_000);
    world.pay(R, 0).unwrap_err();
    world.pay(L, 10).unwrap();
    world.deliver_all();
    // Right pays while left asks.
    world.pay(R, 5).unwrap();
    world.call(L, |channel, ctx| channel.request_close(ctx, false)).unwrap();
    world.deliver_all();
    assert!(world.parties[L].submitted.is_empty());
    world.pay(L, 1).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn m2_freeze_of_a_signed_close_should_end_when_it_was_not_used_in_time() {
    let mut world = World::new(5_000, 5_000);
    world.call(L, |channel, ctx| channel.request_close(ctx, false)).unwrap();
    world.deliver_all();
    for _ in 0..crate::close::CLOSE_VALIDITY + 1 {
        assert!(world.parties[R].channel.frozen().is_some());
        world.block(|_| {});
    }
    assert_eq!(world.parties[R].channel.frozen(), None);
    world.pay(L, 5).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn a5_dispute_should_be_refused_when_there_is_nothing_to_dispute() {
    let mut world = World::new(0, 0);
    let refused = world.call(L, |channel, _| channel.dispute());
    assert_eq!(refused, Err(Refusal::NothingToDispute));
}
