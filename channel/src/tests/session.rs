use super::*;
use crate::{
    session::{MAX_HELD, MAX_HELD_BYTES},
    Update,
};

/// Right's node has not finalized a deposit by which left has paid 1: that payment waits.
fn waiting() -> World {
    let mut world = World::new(0, 0);
    world.best_block(|facts| {
        facts.view.collateral = vec![(FRD, Collateral { insurance: 5_000, ondelta: 5_000 })];
    });
    world.finalize(L);
    world.pay(L, 1).unwrap();
    world.deliver_all();
    assert_eq!(world.parties[R].channel.session.held.len(), 1);
    world
}

#[test]
fn h5_messages_should_be_a_fault_when_more_wait_than_are_kept() {
    let mut world = waiting();
    let small = Message::InsureRequest { asset: FRD };
    for _ in 1..MAX_HELD {
        world.send(L, small.clone()).unwrap();
    }
    let fault = world.send(L, small).unwrap_err();
    assert_eq!(fault, Fault::TooManyHeld);
    assert!(!fault.proves_cheating());
    assert!(world.parties[R].channel.session.held.is_empty());
    // After a reconnect nothing is missing.
    world.connect();
    world.deliver_all();
    world.finalize(R);
    assert_eq!(world.received(R), 1);
}

#[test]
fn h5_messages_should_be_a_fault_when_more_bytes_wait_than_are_kept() {
    let mut world = waiting();
    world.pay(L, 2).unwrap();
    let update = world.intercept_update(L);
    let large = Update {
        transitions: vec![update.transitions[0].clone(); 256].try_into().unwrap(),
        ..update
    };
    let large = Message::Update(large);
    let size = large.encoded_size();
    let mut held = world.parties[R].channel.session.held_bytes;
    assert!(held > 0);
    let fault = loop {
        match world.send(L, large.clone()) {
            Ok(()) => held += size,
            Err(fault) => break fault,
        }
    };
    assert_eq!(fault, Fault::TooManyHeld);
    assert!(held <= MAX_HELD_BYTES && held + size > MAX_HELD_BYTES, "{held}");
}

#[test]
fn h5_bytes_should_be_counted_down_when_messages_are_handled() {
    let mut world = waiting();
    world.finalize(R);
    assert_eq!(world.parties[R].channel.session.held_bytes, 0);
    assert_eq!(world.received(R), 1);
}

#[test]
fn h5_messages_should_be_a_fault_when_they_wait_for_a_far_epoch() {
    let mut world = waiting();
    let far = world.send(L, Message::RequestState { epoch: 2 }).unwrap_err();
    assert_eq!(far, Fault::EpochAhead { known: 0 });
    assert!(!far.proves_cheating());
}

#[test]
fn h4_reestablish_should_be_a_fault_when_repeated_in_a_session() {
    let mut world = World::new(100, 100);
    world.disconnect();
    for _ in 0..100 {
        world.pay(R, 1).unwrap_err();
        world.pay(L, 1).unwrap();
    }
    world.connect();
    let again = world.parties[R].out.front().cloned().unwrap();
    world.deliver(R).unwrap();
    assert!(world.parties[L].out.len() > 100, "what is missing is sent");
    world.parties[L].out.clear();
    world.parties[R].out.push_front(again);
    let fault = world.deliver(R).unwrap_err();
    assert!(matches!(fault, Fault::Repeated(_)) && fault.proves_cheating());
    assert!(world.parties[L].out.is_empty(), "nothing is sent twice");
    world.connect();
    world.deliver_all();
    assert_eq!(world.received(R), 100);
}

#[test]
fn h4_reestablish_should_be_taken_again_when_a_new_epoch_has_begun() {
    let mut world = World::new(100, 100);
    world.block(|facts| facts.view.epoch = 1);
    world.deliver_all();
    assert!(world.parties.iter().all(|party| party.channel.established()));
}

#[test]
fn request_for_proof_should_be_a_fault_when_repeated_in_a_session() {
    let mut world = World::new(100, 100);
    world.send(L, Message::RequestState { epoch: 0 }).unwrap();
    assert_eq!(world.parties[R].out.len(), 1);
    let again = world.send(L, Message::RequestState { epoch: 0 });
    assert!(matches!(again, Err(Fault::Repeated(_))));
    world.connect();
    world.deliver_all();
    world.send(L, Message::RequestState { epoch: 0 }).unwrap();
}

#[test]
fn messages_should_be_ignored_when_the_session_is_over() {
    let mut world = World::new(100, 100);
    world.pay(L, 5).unwrap();
    let update = world.intercept(L);
    world.parties[R].channel.disconnected();
    world.send(L, update).unwrap();
    world.send(L, Message::Fulfill { epoch: 0, id: 1, secret: [0; 32] }).unwrap();
    assert_eq!(world.received(R), 0);
}

#[test]
fn session_should_be_over_when_an_update_comes_before_its_sender_says_where_it_stands() {
    let mut world = World::new(100, 100);
    world.pay(L, 5).unwrap();
    let update = world.intercept(L);
    world.disconnect();
    world.connect();
    assert_eq!(world.send(L, update), Err(Fault::TooEarly), "nothing might ever repeat it");
    assert_eq!(world.received(R), 0);
    world.disconnect();
    world.connect();
    world.deliver_all();
    assert_eq!(world.received(R), 5);
}

#[test]
fn c5_session_should_be_over_when_a_message_is_faulty() {
    let mut world = waiting();
    let ack = crate::message::AckOf {
        nonce: 9,
        signature: failsafe_primitives::Signature::Direct(world.parties[L].key.sign(&[0; 32])),
    };
    world.send(L, Message::Ack { epoch: 0, ack }).unwrap();
    assert_eq!(world.try_finalize(R), Err(Fault::UnknownAck(9)));
    assert!(!world.parties[R].channel.established());
    assert_eq!(world.received(R), 1, "what came before it stands");
}
