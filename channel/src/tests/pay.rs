use super::*;

#[test]
fn pay_should_move_offdelta_on_both_sides_when_delivered() {
    let mut world = World::new(5_000, 5_000);
    world.pay(L, 10).unwrap();
    assert_eq!(world.can_send(L), 4_990);
    world.deliver_all();
    assert_eq!((world.offdelta(L), world.offdelta(R)), (-10, -10));
    assert_eq!(world.received(R), 10);
    assert_eq!(world.can_send(R), 10);
    world.assert_agreed();
}

#[test]
fn pay_should_be_refused_when_above_capacity_zero_or_in_an_unknown_asset() {
    let mut world = World::new(100, 100);
    let above = Refusal::AboveCapacity { asset: FRD, amount: 101, available: 100 };
    assert_eq!(world.pay(L, 101), Err(above));
    assert_eq!(world.pay(L, 0), Err(Refusal::AmountZero));
    let purpose = Purpose::Direct { id: PaymentId([0; 16]) };
    let unknown = world.call(L, |channel, ctx| channel.pay(ctx, 9, 1, purpose));
    assert_eq!(unknown, Err(Refusal::AssetNotAccepted(9)));
    world.pay(L, 100).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn s44_payments_should_both_apply_when_made_at_the_same_instant() {
    let mut world = World::new(100, 50);
    world.pay(L, 4).unwrap();
    world.pay(R, 10).unwrap();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.offdelta(L), 6);
    assert_eq!((world.can_send(L), world.can_send(R)), (56, 44));
}

#[test]
fn s52_credit_should_limit_what_the_hub_owes_and_survive_being_lowered() {
    // The user is left, the hub right.
    let mut world = World::new(0, 0);
    world.set_terms(L, 1_000);
    world.deliver_all();
    assert_eq!(world.can_send(R), 1_000);
    assert!(matches!(world.pay(R, 1_001), Err(Refusal::AboveCapacity { .. })));
    world.pay(R, 1_000).unwrap();
    world.deliver_all();
    world.set_terms(L, 400);
    world.deliver_all();
    assert_eq!(world.can_send(R), 0);
    assert_eq!(world.can_send(L), 1_000);
    world.pay(L, 1_000).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn s46_h15_update_should_change_nothing_when_its_signature_is_wrong() {
    let mut world = World::new(100, 100);
    world.pay(L, 30).unwrap();
    let mut forged = world.intercept_update(L);
    let crate::Transition::Pay { amount, .. } = &mut forged.transitions[0] else { panic!() };
    *amount = 31;
    assert_eq!(world.send(L, Message::Update(forged)), Err(Fault::BadSignature));
    // The real one is still welcome.
    world.reconnect();
    world.assert_agreed();
    assert_eq!(world.received(R), 30);
}

#[test]
fn update_should_be_a_fault_when_it_skips_one() {
    let mut world = World::new(100, 100);
    world.pay(L, 1).unwrap();
    world.pay(L, 2).unwrap();
    world.parties[L].out.pop_front();
    assert_eq!(world.deliver(L), Err(Fault::Gap { got: 1, known: 0 }));
}

#[test]
fn update_should_change_nothing_when_received_twice() {
    let mut world = World::new(100, 100);
    world.pay(L, 30).unwrap();
    let copy = world.parties[L].out[0].clone();
    world.deliver_all();
    world.parties[L].out.push_back(copy);
    world.deliver_all();
    assert_eq!(world.received(R), 30);
    world.assert_agreed();
}

#[test]
fn a14_update_should_be_a_fault_when_it_refers_to_a_block_in_the_future() {
    let mut world = World::new(100, 100);
    world.pay(L, 1).unwrap();
    let mut update = world.intercept_update(L);
    update.as_of = 13;
    let fault = world.send(L, Message::Update(update)).unwrap_err();
    assert_eq!(fault, Fault::AsOfInFuture { got: 13, best: 10 });
    assert!(!fault.proves_cheating(), "our node may lag");
}

#[test]
fn m7_h34_update_should_wait_when_the_receivers_node_has_not_finalized_its_block() {
    let mut world = World::new(0, 0);
    // Left sees a deposit finalized that right's node has only as best.
    world.best_block(|facts| {
        facts.view.collateral = vec![(FRD, Collateral { insurance: 100, ondelta: 100 })];
    });
    world.finalize(L);
    world.pay(L, 60).unwrap();
    world.pay(L, 40).unwrap();
    world.set_terms(L, 5);
    world.deliver_all();
    assert_eq!(world.received(R), 0, "everything behind it waits too");
    world.finalize(R);
    assert_eq!(world.received(R), 100);
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn acks_should_be_lazy_and_make_evidence_final() {
    let mut world = World::new(100, 100);
    world.pay(L, 30).unwrap();
    world.deliver_all();
    let unacked = |world: &World| {
        matches!(
            world.parties[L].channel.evidence().ours,
            Some(failsafe_primitives::OwnSimplex::Unacked { .. })
        )
    };
    assert!(unacked(&world));
    assert!(world.parties[R].channel.ack_is_due());
    world.flush_ack(R);
    world.deliver_all();
    assert!(!unacked(&world));
    assert!(world.parties[L].channel.state().outbox.is_empty());
    assert!(world.parties[L].events.contains(&Event::Acked { nonce: 1 }));
}

#[test]
fn acks_should_travel_with_the_next_own_update() {
    let mut world = World::new(100, 50);
    world.pay(L, 30).unwrap();
    world.deliver_all();
    world.pay(R, 5).unwrap();
    assert!(!world.parties[R].channel.ack_is_due());
    world.deliver_all();
    assert!(world.parties[L].events.contains(&Event::Acked { nonce: 1 }));
    world.assert_agreed();
}

#[test]
fn ack_should_be_a_fault_when_it_is_for_something_never_signed() {
    let mut world = World::new(100, 100);
    world.pay(L, 30).unwrap();
    world.deliver_all();
    world.flush_ack(R);
    let Message::Ack { epoch, mut ack } = world.intercept(R) else { panic!() };
    ack.nonce = 9;
    assert_eq!(world.send(R, Message::Ack { epoch, ack }), Err(Fault::UnknownAck(9)));
}

#[test]
fn ack_should_be_a_fault_when_its_signature_is_of_something_else() {
    let mut world = World::new(100, 100);
    world.pay(L, 30).unwrap();
    world.deliver_all();
    world.flush_ack(R);
    let Message::Ack { epoch, mut ack } = world.intercept(R) else { panic!() };
    ack.signature = world.parties[L].channel.state().mine.signature.clone().unwrap();
    assert_eq!(world.send(R, Message::Ack { epoch, ack }), Err(Fault::BadSignature));
    assert_eq!(world.parties[L].channel.state().acked, None);
}

#[test]
fn stored_state_should_be_refused_when_damaged_or_from_the_future() {
    let world = World::new(100, 100);
    let good = world.parties[L].channel.encode_state();
    let mut future = good.clone();
    future[0] = 99;
    assert!(Channel::decode_state(&future).unwrap_err().contains("newer program"));
    assert!(Channel::decode_state(&good[..good.len() - 1]).is_err());
    let mut long = good;
    long.push(0);
    assert!(Channel::decode_state(&long).unwrap_err().contains("too long"));
    assert!(Channel::decode_state(&[]).is_err());
    let mut past = world.parties[L].channel.encode_state();
    past[0] = 1;
    assert!(Channel::decode_state(&past).unwrap_err().contains("older program"));
}

/// A channel whose left side has sent three updates that are not acknowledged.
fn three_unacked() -> Channel {
    let mut world = World::new(100, 100);
    for _ in 0..3 {
        world.pay(L, 10).unwrap();
    }
    world.parties[L].channel.clone()
}

#[test]
fn stored_state_should_be_the_same_when_its_outbox_is_stored_apart() {
    let mut channel = three_unacked();
    let (whole, lean) = (channel.encode_state(), channel.encode_lean());
    assert_eq!(channel.encode_state(), whole, "nothing has changed");
    let outbox = channel.state().outbox.clone();
    let find = |epoch, nonce| {
        assert_eq!(epoch, channel.epoch());
        outbox.iter().find(|sent| sent.simplex.nonce == nonce).cloned()
    };
    let read = Channel::decode_lean(&lean, find).unwrap();
    assert_eq!(read.state(), channel.state());
    assert!(Channel::peek_state(&lean).unwrap().state().outbox.is_empty());
    assert_eq!(Channel::decode_state(&whole).unwrap().state(), channel.state());
}

#[test]
fn stored_state_should_be_refused_when_an_update_that_is_stored_apart_is_missing() {
    let mut channel = three_unacked();
    let lean = channel.encode_lean();
    let first = channel.state().outbox[0].clone();
    assert!(Channel::decode_state(&lean).unwrap_err().contains("is missing"));
    // Another one than the one that is asked for.
    let wrong = Channel::decode_lean(&lean, |_, _| Some(first.clone()));
    assert!(wrong.unwrap_err().contains("update 2 of ours is missing"));
    let mut many = lean.clone();
    many[1] = 200;
    assert!(Channel::decode_state(&many).unwrap_err().contains("its outbox"));
    let mut twice = channel.encode_state();
    twice[1] = 1;
    assert!(Channel::decode_state(&twice).unwrap_err().contains("there twice"));
}

#[test]
fn stored_state_should_be_read_when_the_program_before_has_written_it() {
    let channel = three_unacked();
    let new = channel.encode_state();
    let old = [&[4], &new[5..]].concat();
    assert_eq!(Channel::decode_state(&old).unwrap().state(), channel.state());
}

#[test]
fn h4_payment_should_be_refused_when_too_many_are_not_acknowledged() {
    let mut world = World::new(100_000, 100_000);
    for _ in 0..crate::update::MAX_UNACKED {
        world.pay(L, 1).unwrap();
    }
    let size = world.parties[L].disk.len();
    assert_eq!(world.pay(L, 1), Err(Refusal::TooManyUnacked(512)));
    assert!(size < 128 * 1024, "what is stored stays small: {size} bytes");
    world.deliver_all();
    world.flush_ack(R);
    world.deliver_all();
    world.pay(L, 1).unwrap();
    world.deliver_all();
    world.assert_agreed();
}
