use super::*;

#[test]
fn h28_reconnect_should_resend_what_was_lost_byte_by_byte() {
    let mut world = World::new(100, 100);
    world.pay(L, 10).unwrap();
    let first = world.parties[L].out[0].clone();
    world.disconnect();
    world.pay(L, 20).unwrap();
    world.connect();
    world.deliver(R).unwrap();
    assert!(world.parties[L].out.contains(&first), "the update as it was signed");
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.received(R), 30);
}

#[test]
fn h51_payment_should_survive_when_the_payee_crashes_between_persist_and_ack() {
    let mut world = World::new(100, 100);
    world.pay(L, 10).unwrap();
    world.deliver(L).unwrap();
    world.crash(R);
    world.connect();
    world.deliver_all();
    world.flush_ack(R);
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.parties[L].channel.summary().own_acked, 1);
}

#[test]
fn payment_should_survive_when_the_payer_crashes_between_persist_and_send() {
    let mut world = World::new(100, 100);
    world.pay(L, 10).unwrap();
    world.crash(L);
    world.connect();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.received(R), 10);
}
