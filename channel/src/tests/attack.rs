//! The attacks of the review, each with what must come of it now. `c`, `h`, `m`: ids of its findings.

use super::*;
use crate::{close::CLOSE_VALIDITY, late::LateClaim, FreezeReason, Transition, Update};

#[test]
fn c1_counter_should_be_made_when_the_starter_forges_its_newest_simplex() {
    let mut world = World::new(100, 100);
    world.pay(L, 100).unwrap();
    world.deliver_all();
    let forged = Simplex { nonce: 1, entries: Default::default() };
    let forged = presented(forged, Standing::Unacked { floor: 0 });
    world.show_dispute(Side::Left, [forged, None]);
    let [ChainAction::Counter { evidence }] = &world.parties[R].submitted[..] else {
        panic!("{:?}", world.parties[R].submitted)
    };
    assert_eq!(evidence.theirs.as_ref().unwrap().simplex.sent(FRD), 100);
}

#[test]
fn c5_late_claim_should_survive_when_a_held_message_is_faulty() {
    let mut world = World::new(100, 100);
    world.pay(L, 70).unwrap();
    world.deliver_all();
    // The cheat's node is ahead; it sends junk for the next epoch, which right keeps.
    let reestablish = Message::Reestablish {
        epoch: 1,
        own_nonce: 5,
        received_nonce: 0,
        acked_nonce: 0,
        terms_given: 0,
        terms_received: 0,
    };
    let junk = Update {
        epoch: 1,
        base_nonce: 5,
        as_of: 0,
        terms_version: 0,
        transitions: vec![Transition::Unreserve { reservation: 1 }].try_into().unwrap(),
        signature: None,
        ack: None,
    };
    world.send(L, reestablish).unwrap();
    world.send(L, Message::Update(junk)).unwrap();
    world.best_block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![];
        facts.view.old_epochs = vec![counted(0, 0)];
    });
    assert_eq!(world.try_finalize(R), Err(Fault::Gap { got: 5, known: 0 }));
    let [ChainAction::LateClaim { epoch: 0, simplex, .. }] = &world.parties[R].submitted[..] else {
        panic!("{:?}", world.parties[R].submitted)
    };
    assert_eq!(simplex.sent(FRD), 70);
    let stored = Channel::decode_state(&world.parties[R].disk).unwrap();
    assert!(matches!(stored.state().late[..], [LateClaim { epoch: 0, .. }]), "durable");
}

#[test]
fn c5_payment_should_be_received_when_a_later_held_message_is_faulty() {
    let mut world = World::new(0, 0);
    world.best_block(|facts| {
        facts.view.collateral = vec![(FRD, Collateral { insurance: 100, ondelta: 100 })];
    });
    world.finalize(L);
    world.pay(L, 60).unwrap();
    world.deliver_all();
    let skipped = {
        world.pay(L, 1).unwrap();
        world.intercept_update(L)
    };
    world.send(L, Message::Update(Update { base_nonce: 7, ..skipped })).unwrap();
    assert_eq!(world.try_finalize(R), Err(Fault::Gap { got: 7, known: 1 }));
    assert_eq!(world.received(R), 60);
    let stored = Channel::decode_state(&world.parties[R].disk).unwrap();
    assert_eq!(stored.state().theirs.nonce(), 1, "durable");
}

#[test]
fn c6_freeze_of_a_signed_close_should_stay_when_a_dispute_comes_and_goes() {
    let mut world = World::new(5_000, 5_000);
    // Left asks, right signs: the close is valid for 50 blocks.
    world.call(L, |channel, ctx| channel.request_close(ctx, false)).unwrap();
    world.deliver_all();
    let valid_until = world.facts.at.clock + CLOSE_VALIDITY;
    world.show_dispute(Side::Left, [None, None]);
    let block = world.facts.at.block;
    assert_eq!(world.frozen(R), Some(FreezeReason::SeenOnChain { block }));
    // A reorganisation removes the dispute.
    world.block(|facts| facts.view.dispute = None);
    assert_eq!(world.frozen(R), Some(FreezeReason::CloseSigned { valid_until }));
    // An evil left has kept the close and pays.
    world.parties[L].channel.state.freezes = Default::default();
    world.reconnect();
    world.pay(L, 1_000).unwrap();
    world.deliver_all();
    assert_eq!(world.received(R), 0, "nothing is taken while the close can be submitted");
}

#[test]
fn m1_dispute_should_be_repeated_when_it_was_lost_with_the_process() {
    let mut world = World::new(100, 100);
    world.pay(L, 10).unwrap();
    world.deliver_all();
    // Crashes after the freeze is durable and before the dispute is submitted.
    world.crash_after = Some(2);
    world.call(R, |channel, _| channel.dispute()).unwrap();
    assert!(world.take_submitted(R).is_empty());
    assert_eq!(world.frozen(R), Some(FreezeReason::OwnDispute));
    world.call(R, |channel, _| channel.dispute()).unwrap();
    assert!(matches!(world.parties[R].submitted[..], [ChainAction::Dispute { .. }]));
}

#[test]
fn m7_channel_should_go_on_when_a_claim_of_lost_data_is_not_proved() {
    let mut world = World::new(100, 50);
    world.disconnect();
    world.connect();
    world.parties[L].out.clear();
    let lie = Message::Reestablish {
        epoch: 0,
        own_nonce: 0,
        received_nonce: 9,
        acked_nonce: 0,
        terms_given: 0,
        terms_received: 0,
    };
    let before = world.parties[R].disk.clone();
    world.send(L, lie).unwrap();
    assert!(world.parties[R].events.contains(&Event::Doubted { own: 9, partner: 0 }));
    assert_eq!(world.pay(R, 1), Err(Refusal::Paused));
    world.send(L, Message::State { epoch: 0, own: None, yours: None }).unwrap();
    assert!(world.parties[R].channel.paused(), "it has proved nothing");
    assert_eq!(world.parties[R].disk, before, "nothing durable has changed");
    world.reconnect();
    world.pay(R, 1).unwrap();
    world.call(R, |channel, ctx| channel.request_close(ctx, false)).unwrap();
}

#[test]
fn m8_dispute_should_stay_seen_when_it_is_included_again_in_a_later_block() {
    let mut world = World::new(100, 100);
    world.show_dispute(Side::Left, [None, None]); // In block 11 of one branch,
    let first = world.facts.clone();
    world.show_dispute(Side::Left, [None, None]); // in block 12 of the other.
                                                  // Finality has reached block 11 of the other branch, which has no dispute.
    let mut facts = first;
    facts.view.dispute = None;
    world.parties[R].finalized = facts.at;
    world.tell(R, |channel, ctx| channel.on_finalized(ctx, facts)).unwrap();
    assert_eq!(world.frozen(R), Some(FreezeReason::SeenOnChain { block: 12 }));
}

#[test]
fn h5_messages_should_be_a_fault_when_they_are_for_a_far_epoch_or_too_many_bytes() {
    let lock = Transition::Lock {
        asset: 0,
        id: 1,
        amount: 5,
        hash: [0; 32],
        expiry: 20,
        onion: vec![0; 2_048].try_into().unwrap(),
    };
    let junk = Update {
        epoch: 7,
        base_nonce: 0,
        as_of: 0,
        terms_version: 0,
        transitions: vec![lock; 256].try_into().unwrap(),
        signature: None,
        ack: None,
    };
    let mut world = World::new(100, 100);
    let far = world.send(L, Message::Update(junk.clone()));
    assert_eq!(far, Err(Fault::EpochAhead { known: 0 }));
    world.reconnect();
    let mut held = 0;
    loop {
        match world.send(L, Message::Update(Update { epoch: 1, ..junk.clone() })) {
            Ok(()) => held += 1,
            Err(fault) => break assert_eq!(fault, Fault::TooManyHeld),
        }
    }
    assert_eq!(held, 1, "two of them are more than a mebibyte");
}

#[test]
fn m9_payments_should_arrive_when_they_were_made_while_a_close_came_to_nothing() {
    let mut world = World::new(100, 100);
    world.call(L, |channel, ctx| channel.request_close(ctx, false)).unwrap();
    world.deliver(L).unwrap(); // Right signs,
    world.reconnect(); // its answer is lost.
    assert_eq!(world.frozen(L), None);
    assert!(world.frozen(R).is_some());
    world.pay(L, 5).unwrap();
    world.deliver_all();
    assert_eq!(world.received(R), 0);
    world.quiet_blocks(60);
    assert!(world.parties[R].events.contains(&Event::Thawed));
    assert!(!world.parties[R].channel.established(), "until the session is renewed");
    world.pay(L, 6).unwrap();
    world.deliver_all();
    assert_eq!(world.received(R), 0, "no gap, no fault");
    world.reconnect();
    assert_eq!(world.received(R), 11);
    world.assert_agreed();
}

#[test]
fn m6_party_should_be_repaired_when_it_lost_acknowledged_payments() {
    let mut world = World::new(100, 100);
    let backup = world.parties[R].disk.clone();
    world.pay_acked(L, 10);
    world.restore(R, backup);
    world.connect();
    world.deliver_all();
    assert!(world.parties[R].events.contains(&Event::Repaired { nonce: 1 }));
    assert!(!world.parties[R].channel.state().data_lost, "nothing of its own");
    assert_eq!(world.parties[R].channel.state().theirs.simplex.sent(FRD), 10);
    world.pay(L, 5).unwrap();
    world.deliver_all();
    // Until nothing can be used that it signed and forgot.
    assert!(matches!(world.frozen(R), Some(FreezeReason::Repaired { .. })));
    world.quiet_blocks(1_001);
    world.reconnect();
    assert_eq!(world.frozen(R), None);
    world.assert_agreed();
    assert_eq!(world.offdelta(R), -15);
}

#[test]
fn h6_channel_should_be_frozen_when_its_new_epoch_is_disputed_already() {
    let mut world = World::new(100, 100);
    let view = world.dispute_view(Side::Left);
    world.best_block(|facts| {
        facts.view.epoch = 1;
        facts.view.dispute = Some(view);
    });
    world.finalize(R);
    world.finalize(L);
    world.deliver_all();
    let block = world.facts.at.block;
    for who in [L, R] {
        assert_eq!(world.frozen(who), Some(FreezeReason::SeenOnChain { block }));
    }
    assert!(matches!(world.pay(L, 50), Err(Refusal::Frozen(_))));
}
