use super::*;
use crate::{close::CLOSE_VALIDITY, freeze::Freezes, FreezeReason};

#[test]
fn m1_own_dispute_should_freeze_before_it_leaves() {
    let mut world = World::new(100, 100);
    world.pay(L, 10).unwrap();
    world.deliver_all();
    world.call(R, |channel, _| channel.dispute()).unwrap();
    let stored = Channel::decode_state(&world.parties[R].disk).unwrap();
    assert_eq!(stored.frozen(), Some(FreezeReason::OwnDispute), "durable");
    assert_eq!(world.pay(R, 1), Err(Refusal::Frozen(FreezeReason::OwnDispute)));
    // A payment that arrives now is not taken: the starter speaks once.
    world.pay(L, 5).unwrap();
    world.deliver_all();
    assert_eq!(world.received(R), 10);
    let [ChainAction::Dispute { epoch: 0, evidence }] = &world.parties[R].submitted[..] else {
        panic!("{:?}", world.parties[R].submitted)
    };
    assert_eq!(evidence.theirs.as_ref().unwrap().simplex.nonce, 1);
}

#[test]
fn m1_dispute_seen_in_a_best_block_should_freeze() {
    let mut world = World::new(100, 100);
    world.show_dispute(Side::Left, [None, None]);
    let block = world.facts.at.block;
    let frozen = FreezeReason::SeenOnChain { block };
    assert_eq!(world.pay(R, 1), Err(Refusal::Frozen(frozen)));
    let told = Event::Frozen { reason: frozen };
    assert_eq!(world.parties[R].events.iter().filter(|event| **event == told).count(), 1);
}

#[test]
fn m1_freeze_should_be_lifted_when_a_reorganisation_removed_the_dispute() {
    let mut world = World::new(100, 100);
    world.show_dispute(Side::Left, [None, None]);
    assert!(world.frozen(R).is_some());
    // Finality passes the block on another branch.
    world.block(|facts| facts.view.dispute = None);
    assert_eq!(world.frozen(R), None);
    assert!(world.parties[R].events.contains(&Event::Thawed));
    world.reconnect();
    world.pay(L, 5).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn m1_freeze_should_stay_when_the_dispute_is_final() {
    let mut world = World::new(100, 100);
    world.show_dispute(Side::Left, [None, None]);
    world.finalize(R);
    world.quiet_blocks(20);
    assert!(world.frozen(R).is_some());
}

#[test]
fn m9_session_should_be_over_when_the_freeze_is_lifted() {
    let mut world = World::new(100, 100);
    world.show_dispute(Side::Left, [None, None]);
    world.pay(R, 1).unwrap_err();
    world.block(|facts| facts.view.dispute = None);
    // Left does not know yet: what it sends is ignored, and comes again.
    world.reconnect();
    world.parties[R].channel.disconnected();
    world.pay(L, 5).unwrap();
    world.deliver_all();
    assert_eq!(world.received(R), 0);
    world.reconnect();
    assert_eq!(world.received(R), 5);
}

#[test]
fn h6_new_channel_should_be_frozen_when_it_is_disputed() {
    let mut world = World::new(100, 100);
    let view = world.dispute_view(Side::Left);
    world.facts.view.dispute = Some(view);
    let [l, r] = world.parties.each_ref().map(|party| party.key.account());
    let channel = Channel::new(GENESIS, &r, &l, world.facts.clone()).unwrap();
    assert_eq!(channel.frozen(), Some(FreezeReason::SeenOnChain { block: 10 }));
    assert!(channel.waits_for_blocks());
}

#[test]
fn h6_freeze_should_stay_when_a_newer_block_showed_a_dispute_of_the_epoch_that_begins() {
    let mut world = World::new(100, 100);
    world.best_block(|facts| facts.view.epoch = 1);
    let ended = world.facts.clone();
    let view = world.dispute_view(Side::Left);
    world.best_block(|facts| facts.view.dispute = Some(view));
    let block = world.facts.at.block;
    // Finality is at the end of epoch 0 only.
    world.parties[R].finalized = ended.at;
    world.tell(R, |channel, ctx| channel.on_finalized(ctx, ended)).unwrap();
    assert_eq!(world.parties[R].channel.epoch(), 1);
    assert_eq!(world.frozen(R), Some(FreezeReason::SeenOnChain { block }));
}

#[test]
fn epoch_should_start_open_when_only_the_end_of_the_last_one_was_seen() {
    let mut world = World::new(100, 100);
    world.best_block(|facts| facts.view.epoch = 1);
    assert!(world.frozen(R).is_some());
    world.finalize(R);
    assert_eq!(world.frozen(R), None);
    assert!(!world.parties[R].events.contains(&Event::Thawed), "a new epoch is no thaw");
}

#[test]
fn epoch_should_clear_every_cause() {
    let mut world = World::new(5_000, 5_000);
    world.call(R, |channel, ctx| channel.request_close(ctx, true)).unwrap();
    world.call(R, |channel, _| channel.dispute()).unwrap();
    world.block(|facts| facts.view.epoch = 1);
    assert_eq!(world.parties[R].channel.state().freezes, Freezes::default());
}

#[test]
fn c6_most_important_cause_should_be_told_and_the_others_kept() {
    let mut world = World::new(5_000, 5_000);
    let valid_until = world.facts.at.clock + CLOSE_VALIDITY;
    world.call(R, |channel, ctx| channel.request_close(ctx, true)).unwrap();
    assert_eq!(world.frozen(R), Some(FreezeReason::CloseSigned { valid_until }));
    world.show_dispute(Side::Left, [None, None]);
    let block = world.facts.at.block;
    assert_eq!(world.frozen(R), Some(FreezeReason::SeenOnChain { block }));
    let freezes = &world.parties[R].channel.state().freezes;
    assert_eq!(freezes.close_signed, Some(valid_until));
    assert_eq!(freezes.seen(0), Some(block));
}

#[test]
fn c6_own_dispute_should_stay_when_a_close_runs_out_and_a_sighting_goes() {
    let mut world = World::new(5_000, 5_000);
    world.call(R, |channel, ctx| channel.request_close(ctx, true)).unwrap();
    world.call(R, |channel, _| channel.dispute()).unwrap();
    world.show_dispute(Side::Right, [None, None]);
    world.block(|facts| facts.view.dispute = None);
    world.quiet_blocks(60);
    assert_eq!(world.frozen(R), Some(FreezeReason::OwnDispute));
    assert!(!world.parties[R].events.contains(&Event::Thawed));
    let freezes = &world.parties[R].channel.state().freezes;
    assert_eq!(*freezes, Freezes { own_dispute: true, ..Freezes::default() });
}
