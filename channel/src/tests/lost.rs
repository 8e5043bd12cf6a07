//! Lost data: what a partner claims, what it proves, and what it could gain by it.

use super::*;
use crate::{reservation::MAX_VALIDITY, FreezeReason};
use failsafe_primitives::{Entry, Signature, SignedSimplex, TwiceSigned};

fn sign(world: &World, who: usize, message: &[u8; 32]) -> Signature {
    Signature::Direct(world.parties[who].key.sign(message))
}

fn side(who: usize) -> Side {
    [Side::Left, Side::Right][who]
}

/// A simplex of `from`, signed by `from`, acknowledged by `by`.
fn twice_signed(world: &World, from: usize, by: usize, simplex: Simplex) -> TwiceSigned {
    let context = &world.parties[from].channel.state().context;
    let signature = sign(world, from, &context.simplex_message(side(from), &simplex));
    let ack = sign(world, by, &context.ack_message(side(from), &simplex));
    TwiceSigned { from: side(from), simplex, signature, ack }
}

fn simplex(nonce: u64, sent: Balance) -> Simplex {
    Simplex { nonce, entries: vec![Entry::sent(FRD, sent)].try_into().unwrap() }
}

/// Left reconnects and claims to have these of right's and of its own.
fn claim(world: &mut World, received_nonce: u64, acked_nonce: u64) {
    world.disconnect();
    world.connect();
    world.parties[L].out.clear();
    let own_nonce = world.parties[L].channel.state().mine.nonce();
    let terms = world.parties[L].channel.state().received.version;
    let claim = Message::Reestablish {
        epoch: 0,
        own_nonce,
        received_nonce,
        acked_nonce,
        terms_given: 0,
        terms_received: terms,
    };
    world.send(L, claim).unwrap();
    world.discard_from(R);
}

fn show(
    world: &mut World,
    own: Option<TwiceSigned>,
    yours: Option<SignedSimplex>,
) -> Result<(), Fault> {
    world.send(L, Message::State { epoch: 0, own, yours })
}

#[test]
fn a17_party_should_sign_nothing_when_the_partner_proves_a_newer_simplex_of_its_own() {
    let mut world = World::new(100, 100);
    world.pay(L, 10).unwrap();
    world.deliver_all();
    let backup = world.parties[L].disk.clone();
    world.pay(L, 20).unwrap();
    world.deliver_all();
    // Left comes back from an old backup.
    world.restore(L, backup);
    world.connect();
    world.deliver_all();
    assert!(world.parties[L].events.contains(&Event::DataLost { their_view: 2 }));
    assert_eq!(world.pay(L, 1), Err(Refusal::DataLost));
    let stored = Channel::decode_state(&world.parties[L].disk).unwrap();
    assert!(stored.state().data_lost, "durable");
    // The partner's proof lets it dispute with what is true.
    assert_eq!(stored.state().mine.simplex.sent(FRD), 30);
    world.call(L, |channel, _| channel.dispute()).unwrap();
}

#[test]
fn a17_channel_should_be_closed_when_data_was_lost() {
    let mut world = World::new(100, 100);
    world.pay_acked(L, 10);
    let backup = world.parties[L].disk.clone();
    world.pay_acked(L, 20);
    world.restore(L, backup);
    world.connect();
    world.deliver_all();
    world.call(L, |channel, ctx| channel.request_close(ctx, false)).unwrap();
    world.deliver_all();
    let [ChainAction::Close { close, .. }] = &world.parties[L].submitted[..] else {
        panic!("{:?}", world.parties[L].events)
    };
    assert_eq!(close.offdelta(FRD), -30);
}

#[test]
fn a17_close_should_be_signed_when_the_partner_asks_and_data_was_lost() {
    let mut world = World::new(100, 100);
    world.pay_acked(L, 10);
    let backup = world.parties[L].disk.clone();
    world.pay_acked(L, 20);
    world.restore(L, backup);
    world.connect();
    world.deliver_all();
    world.call(R, |channel, ctx| channel.request_close(ctx, false)).unwrap();
    world.deliver_all();
    assert!(matches!(world.parties[R].submitted[..], [ChainAction::Close { .. }]));
}

#[test]
fn a17_evidence_should_become_final_when_the_partner_acknowledges_what_was_adopted() {
    let mut world = World::new(100, 100);
    world.pay_acked(L, 10);
    let backup = world.parties[L].disk.clone();
    world.pay_acked(L, 20);
    world.restore(L, backup);
    world.connect();
    world.deliver_all();
    let evidence = world.parties[L].channel.evidence();
    assert!(matches!(evidence.ours, Some(failsafe_primitives::OwnSimplex::Acked { .. })));
}

#[test]
fn a17_data_should_stay_lost_after_another_reconnect_and_be_over_with_the_epoch() {
    let mut world = World::new(100, 100);
    let backup = world.parties[L].disk.clone();
    world.pay_acked(L, 20);
    world.restore(L, backup);
    world.connect();
    world.deliver_all();
    world.reconnect();
    assert_eq!(world.pay(L, 1), Err(Refusal::DataLost));
    world.block(|facts| facts.view.epoch = 1);
    world.deliver_all();
    assert!(!world.parties[L].channel.state().data_lost);
}

#[test]
fn a17_lost_payments_should_come_back_when_they_are_not_acknowledged() {
    let mut world = World::new(100, 100);
    world.pay(L, 10).unwrap();
    world.deliver_all();
    let backup = world.parties[R].disk.clone();
    world.pay(L, 20).unwrap();
    world.deliver_all();
    // Left still has the second one in its outbox.
    world.restore(R, backup);
    world.connect();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.frozen(R), None, "no harm was done");
}

#[test]
fn m6_party_should_be_repaired_when_later_payments_are_still_in_the_outbox() {
    let mut world = World::new(100, 100);
    let backup = world.parties[R].disk.clone();
    world.pay_acked(L, 10);
    world.pay(L, 20).unwrap();
    world.deliver_all();
    world.restore(R, backup);
    world.connect();
    world.deliver_all();
    assert_eq!(world.parties[R].channel.state().theirs.nonce(), 1);
    world.quiet_blocks(1_001);
    world.reconnect();
    world.assert_agreed();
    assert_eq!(world.parties[R].channel.state().theirs.simplex.sent(FRD), 30);
}

#[test]
fn m6_both_should_be_repaired_when_both_lost_what_they_had_acknowledged() {
    let mut world = World::new(100, 50);
    let backups = world.parties.each_ref().map(|party| party.disk.clone());
    world.pay_acked(L, 10);
    world.pay_acked(R, 5);
    // Each keeps its own payments and forgets those of the other.
    for who in [L, R] {
        let mut old = Channel::decode_state(&backups[who]).unwrap().state().clone();
        let new = world.parties[who].channel.state().clone();
        old.mine = new.mine;
        old.acked = new.acked;
        let disk = Channel::from_state(old).encode_state();
        world.restore(who, disk);
    }
    world.connect();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.offdelta(L), -5);
}

#[test]
fn m6_forgotten_reservation_should_be_released_when_the_channel_was_repaired() {
    let mut world = World::new(100, 100);
    let backup = world.parties[R].disk.clone();
    world.call(L, |channel, ctx| channel.reserve(ctx, vec![(FRD, 60)], 20)).unwrap();
    world.deliver_all();
    world.flush_ack(R);
    world.deliver_all();
    world.restore(R, backup);
    world.connect();
    world.deliver_all();
    // Right does not know of the proof that it signed. Left may not spend what it can withdraw.
    assert!(matches!(world.frozen(R), Some(FreezeReason::Repaired { .. })));
    world.quiet_blocks(1_001);
    world.reconnect();
    world.quiet_blocks(1);
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.can_send(L), 100);
}

#[test]
fn m6_payments_should_wait_until_no_forgotten_proof_can_be_used() {
    let mut world = World::new(100, 100);
    let backup = world.parties[R].disk.clone();
    world.pay_acked(L, 10);
    let clock = world.facts.at.clock;
    world.restore(R, backup);
    world.connect();
    world.deliver_all();
    let until = clock + MAX_VALIDITY;
    assert_eq!(world.frozen(R), Some(FreezeReason::Repaired { until }));
    let stored = Channel::decode_state(&world.parties[R].disk).unwrap();
    assert_eq!(stored.frozen(), world.frozen(R), "durable");
    world.pay(R, 1).unwrap_err();
}

#[test]
fn m7_session_should_go_on_when_the_proof_has_come() {
    let mut world = World::new(100, 50);
    let backup = world.parties[R].disk.clone();
    world.pay_acked(L, 10);
    world.pay(R, 3).unwrap();
    world.deliver_all();
    let kept = world.parties[R].channel.state().clone();
    let mut old = Channel::decode_state(&backup).unwrap().state().clone();
    (old.mine, old.outbox) = (kept.mine, kept.outbox);
    world.restore(R, Channel::from_state(old).encode_state());
    world.connect();
    world.deliver_all();
    assert!(!world.parties[R].channel.paused());
    assert!(world.parties[R].channel.established());
}

#[test]
fn m7_doubt_should_stay_when_less_is_proved_than_was_claimed() {
    let mut world = World::new(100, 100);
    world.pay_acked(L, 10);
    claim(&mut world, 0, 9);
    let shown = twice_signed(&world, L, R, simplex(5, 20));
    show(&mut world, Some(shown), None).unwrap();
    assert!(world.parties[R].channel.paused());
    let disk = world.parties[R].disk.clone();
    let more = twice_signed(&world, L, R, simplex(9, 30));
    show(&mut world, Some(more), None).unwrap();
    assert_eq!(world.parties[R].disk, disk, "one answer only");
}

#[test]
fn m7_forged_proof_should_be_a_fault() {
    let context = World::new(100, 100).parties[L].channel.state().context.clone();
    type Proof = (Option<TwiceSigned>, Option<SignedSimplex>);
    let cases: [fn(&World) -> Proof; 5] = [
        // The acknowledgement is by left itself.
        |world| (Some(twice_signed(world, L, L, simplex(9, 90))), None),
        // The simplex is signed by right.
        |world| {
            let context = &world.parties[L].channel.state().context;
            let simplex = simplex(9, 90);
            let signature = sign(world, R, &context.simplex_message(Side::Left, &simplex));
            (Some(TwiceSigned { signature, ..twice_signed(world, L, R, simplex) }), None)
        },
        // It is one of right's.
        |world| (Some(twice_signed(world, R, L, simplex(9, 90))), None),
        // Right's own, signed by left.
        |world| {
            let TwiceSigned { simplex, signature, .. } = twice_signed(world, L, R, simplex(9, 90));
            (None, Some(SignedSimplex { simplex, signature }))
        },
        // Right's own, without a valid order.
        |world| {
            let entries = vec![Entry::sent(5, 1), Entry::sent(2, 1)].try_into().unwrap();
            let simplex = Simplex { nonce: 9, entries };
            let TwiceSigned { simplex, signature, .. } = twice_signed(world, R, L, simplex);
            (None, Some(SignedSimplex { simplex, signature }))
        },
    ];
    for (i, case) in cases.into_iter().enumerate() {
        let mut world = World::new(100, 100);
        assert_eq!(world.parties[L].channel.state().context, context);
        claim(&mut world, 9, 9);
        let (own, yours) = case(&world);
        let before = world.parties[R].channel.state().clone();
        let fault = show(&mut world, own, yours).expect_err("it is forged");
        assert!(fault.proves_cheating(), "case {i}: {fault}");
        assert_eq!(world.parties[R].channel.state(), &before, "case {i}");
    }
}

#[test]
fn m7_partner_should_not_bypass_the_rules_of_updates_by_a_proof_without_our_acknowledgement() {
    // Left may send 100. It signs 1000 in one asset, 5 in another that right does not take.
    let mut world = World::new(100, 100);
    world.pay_acked(L, 10);
    claim(&mut world, 0, 9);
    let entries = vec![Entry::sent(FRD, 1_000), Entry::sent(7, 5)].try_into().unwrap();
    let greedy = Simplex { nonce: 9, entries };
    let shown = twice_signed(&world, L, L, greedy);
    assert_eq!(show(&mut world, Some(shown), None), Err(Fault::BadSignature));
    assert_eq!(world.parties[R].channel.state().theirs.simplex.sent(FRD), 10);
}

#[test]
fn m7_proof_should_be_a_fault_when_it_takes_back_what_was_paid() {
    let mut world = World::new(100, 100);
    world.pay_acked(L, 10);
    claim(&mut world, 0, 9);
    let shown = twice_signed(&world, L, R, simplex(9, 9));
    assert!(matches!(show(&mut world, Some(shown), None), Err(Fault::Mismatch(_))));
    assert_eq!(world.parties[R].channel.state().theirs.simplex.sent(FRD), 10);
}

#[test]
fn m7_proof_should_be_ignored_when_nobody_asked_for_it() {
    let mut world = World::new(100, 100);
    world.pay_acked(L, 10);
    let shown = twice_signed(&world, L, R, simplex(9, 90));
    let before = world.parties[R].disk.clone();
    show(&mut world, Some(shown), None).unwrap();
    assert_eq!(world.parties[R].disk, before);
}

#[test]
fn m7_messages_should_wait_while_the_partner_has_to_prove_something() {
    let mut world = World::new(100, 100);
    claim(&mut world, 0, 5);
    world.send(L, Message::InsureRequest { asset: FRD }).unwrap();
    assert!(!world.parties[R].events.contains(&Event::InsureRequested { asset: FRD }));
    let shown = twice_signed(&world, L, R, simplex(5, 20));
    show(&mut world, Some(shown), None).unwrap();
    assert!(world.parties[R].events.contains(&Event::InsureRequested { asset: FRD }));
}

#[test]
fn m7_payments_should_neither_be_made_nor_taken_while_the_session_is_paused() {
    let mut world = World::new(100, 50);
    world.pay(L, 7).unwrap();
    let update = world.intercept(L);
    claim(&mut world, 5, 0);
    world.send(L, update).unwrap();
    assert_eq!(world.received(R), 0);
    assert_eq!(world.pay(R, 1), Err(Refusal::Paused));
    let close = world.call(R, |channel, ctx| channel.request_close(ctx, false));
    assert_eq!(close, Err(Refusal::Paused));
}
