use super::*;

#[test]
fn reconnect_should_resend_what_was_lost_byte_by_byte() {
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

#[test]
fn a17_party_should_sign_nothing_when_the_partner_knows_a_newer_simplex_of_its_own() {
    let mut world = World::new(100, 100);
    world.pay(L, 10).unwrap();
    world.deliver_all();
    let backup = world.parties[L].disk.clone();
    world.pay(L, 20).unwrap();
    world.deliver_all();
    // Left comes back from an old backup.
    world.parties[L].disk = backup;
    world.crash(L);
    world.connect();
    world.deliver_all();
    assert!(world.parties[L].events.contains(&Event::DataLost { their_view: 2 }));
    assert_eq!(world.pay(L, 1), Err(Refusal::DataLost));
    // The partner's state lets it dispute with what is true.
    let state = world.parties[L].channel.state();
    assert_eq!(state.mine.simplex.sent(FRD), 30);
    world.call(L, |channel, _| channel.dispute()).unwrap();
}

#[test]
fn a17_lost_payments_of_the_partner_should_come_back_from_its_own_outbox_or_state() {
    let mut world = World::new(100, 100);
    world.pay(L, 10).unwrap();
    world.deliver_all();
    let backup = world.parties[R].disk.clone();
    world.pay(L, 20).unwrap();
    world.deliver_all();
    // Right restores a backup from before the second payment, which left still has in its outbox.
    world.parties[R].disk = backup;
    world.crash(R);
    world.connect();
    world.deliver_all();
    world.assert_agreed();
}
