//! Payments without a signature: when they are taken, what covers them, and what of them is lost.

use super::{sim::Sim, *};
use crate::{message::AckOf, unsigned::MAX_UNSIGNED, update::MAX_UNACKED, Transition, Update};
use failsafe_primitives::Signature;
use proptest::prelude::*;

/// Left owns all; right takes up to `limit` from it without a signature, left the same from right.
fn world(limit: Balance) -> World {
    let mut world = World::new(1_000, 1_000);
    for who in [L, R] {
        world.set_limits(who, 0, limit);
    }
    world.deliver_all();
    world
}

fn unsigned(world: &World, who: usize) -> (Balance, Balance) {
    let row = world.parties[who].channel.asset_summary(FRD);
    (row.own_unsigned, row.partner_unsigned)
}

fn acked(world: &World, who: usize) -> u64 {
    world.parties[who].channel.state().acked.as_ref().map_or(0, |acked| acked.simplex.nonce)
}

fn pay(amount: Balance) -> Transition {
    Transition::Pay { asset: FRD, amount, purpose: Purpose::Direct { id: PaymentId([0; 16]) } }
}

/// An update of left without a signature, on top of what right has.
fn forged(world: &World, transitions: Vec<Transition>) -> Update {
    let right = world.parties[R].channel.state();
    Update {
        epoch: 0,
        base_nonce: right.theirs.nonce(),
        as_of: right.theirs.as_of.max(right.facts.at.block),
        terms_version: right.given.version,
        transitions: transitions.try_into().unwrap(),
        signature: None,
        ack: None,
    }
}

fn last_signed(world: &mut World, who: usize) -> bool {
    world.intercept_update(who).signature.is_some()
}

#[test]
fn payment_should_arrive_without_a_signature_when_the_terms_allow_it() {
    let mut world = world(50);
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!((world.received(R), world.can_send(R)), (30, 30));
    assert_eq!((unsigned(&world, L), unsigned(&world, R)), ((30, 0), (0, 30)));
    let stored = Channel::decode_state(&world.parties[R].disk).unwrap();
    assert_eq!(stored.asset_summary(FRD).partner_unsigned, 30, "durable");
    assert_eq!(stored.evidence().theirs, None, "a dispute does not know it");
}

#[test]
fn payment_should_be_signed_when_the_partner_has_stated_no_limit_or_it_would_be_exceeded() {
    let mut world = world(0);
    world.pay_unsigned(L, 1).unwrap();
    assert!(last_signed(&mut world, L));
    let mut world = self::world(50);
    world.pay_unsigned(L, 30).unwrap();
    world.pay_unsigned(L, 21).unwrap();
    assert!(!last_signed(&mut world, L));
    assert!(last_signed(&mut world, L));
    assert_eq!(unsigned(&world, L), (0, 0), "the signature covers both");
}

#[test]
fn payment_should_be_signed_when_the_partner_is_away() {
    let mut world = world(50);
    world.disconnect();
    world.pay_unsigned(L, 1).unwrap();
    assert_eq!(unsigned(&world, L), (0, 0));
}

#[test]
fn payment_should_be_signed_when_enough_have_gone_without_a_signature() {
    let mut world = world(1_000);
    for _ in 1..MAX_UNSIGNED {
        world.pay_unsigned(L, 1).unwrap();
    }
    assert_eq!(unsigned(&world, L).0, u128::from(MAX_UNSIGNED - 1));
    world.pay_unsigned(L, 1).unwrap();
    assert_eq!(unsigned(&world, L), (0, 0));
    world.deliver_all();
    world.flush_ack(R);
    world.deliver_all();
    assert_eq!(acked(&world, L), MAX_UNSIGNED);
    assert!(world.parties[L].channel.state().outbox.is_empty());
}

#[test]
fn outbox_should_not_be_stuck_when_it_is_full() {
    let mut world = world(1_000);
    world.parties[L].out.clear();
    let mut made = 0;
    while world.pay_unsigned(L, 1).is_ok() {
        made += 1;
    }
    assert_eq!(made, MAX_UNACKED);
    assert_eq!(unsigned(&world, L), (0, 0), "the last one is signed");
    world.deliver_all();
    world.flush_ack(R);
    world.deliver_all();
    world.pay_unsigned(L, 1).unwrap();
}

#[test]
fn tail_should_be_covered_when_the_host_asks_for_it() {
    let mut world = world(50);
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    world.flush_ack(R);
    assert!(world.parties[R].out.is_empty(), "there is nothing to acknowledge");
    world.sign_unsigned(L);
    world.deliver_all();
    world.assert_agreed();
    assert_eq!((unsigned(&world, L), unsigned(&world, R)), ((0, 0), (0, 0)));
    let theirs = world.parties[R].channel.evidence().theirs.unwrap();
    assert_eq!((theirs.simplex.nonce, theirs.simplex.sent(FRD)), (2, 30));
    world.flush_ack(R);
    world.deliver_all();
    assert_eq!(acked(&world, L), 2);
    world.sign_unsigned(L);
    assert!(world.parties[L].out.is_empty(), "nothing is left to sign");
}

#[test]
fn tail_should_be_covered_when_a_lock_or_a_reservation_comes() {
    let mut world = world(50);
    world.pay_unsigned(L, 10).unwrap();
    world.lock(L, 5, 1).unwrap();
    assert_eq!(unsigned(&world, L), (0, 0));
    world.pay_unsigned(L, 10).unwrap();
    assert_eq!(unsigned(&world, L), (10, 0));
    world.call(L, |channel, ctx| channel.reserve(ctx, vec![(FRD, 5)], 10)).unwrap();
    assert_eq!(unsigned(&world, L), (0, 0));
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn tail_should_be_covered_at_once_when_the_partner_lowers_its_limit() {
    let mut world = world(50);
    world.pay_unsigned(L, 30).unwrap();
    world.set_limits(R, 0, 30);
    world.deliver_all();
    assert_eq!(unsigned(&world, R), (0, 30), "what is within the new limit stays");
    world.set_limits(R, 0, 29);
    world.deliver_all();
    assert_eq!(unsigned(&world, R), (0, 0));
    world.assert_agreed();
}

#[test]
fn m8_payment_should_be_judged_by_the_limit_it_names_when_resent_after_a_lower_one() {
    let mut world = world(50);
    world.pay_unsigned(L, 30).unwrap();
    world.disconnect();
    world.set_limits(R, 0, 0);
    world.connect();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.received(R), 30);
    assert_eq!(unsigned(&world, R), (0, 0), "and covered at once");
}

#[test]
fn payments_should_both_arrive_when_made_at_the_same_instant_without_signatures() {
    let mut world = World::new(1_000, 500);
    for who in [L, R] {
        world.set_limits(who, 0, 50);
    }
    world.deliver_all();
    world.pay_unsigned(L, 40).unwrap();
    world.pay_unsigned(R, 15).unwrap();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!((unsigned(&world, L), unsigned(&world, R)), ((40, 15), (15, 40)));
    assert_eq!(world.offdelta(L), -25);
}

#[test]
fn tail_should_be_the_same_when_both_crash_and_reconnect() {
    let mut world = world(50);
    world.pay(L, 5).unwrap();
    world.pay_unsigned(L, 10).unwrap();
    world.deliver_all();
    world.pay_unsigned(L, 20).unwrap();
    let lost = world.intercept(L).encode();
    world.crash(L);
    world.crash(R);
    world.connect();
    world.deliver(L).unwrap();
    world.deliver(R).unwrap();
    assert_eq!(world.parties[L].out.back(), Some(&lost), "byte by byte");
    world.deliver_all();
    world.assert_agreed();
    assert_eq!((world.received(R), unsigned(&world, R)), (35, (0, 30)));
}

#[test]
fn acknowledgement_should_be_for_the_newest_signed_simplex_when_a_tail_follows() {
    let mut world = world(50);
    world.pay(L, 5).unwrap();
    world.pay_unsigned(L, 10).unwrap();
    world.deliver_all();
    world.flush_ack(R);
    world.deliver_all();
    assert_eq!(acked(&world, L), 1);
    let outbox = &world.parties[L].channel.state().outbox;
    assert_eq!(outbox.iter().map(|sent| sent.simplex.nonce).collect::<Vec<_>>(), [2]);
    world.reconnect();
    assert_eq!(acked(&world, L), 1);
}

#[test]
fn acknowledgement_should_be_a_fault_when_it_is_for_a_simplex_without_a_signature() {
    let mut world = world(50);
    world.pay_unsigned(L, 10).unwrap();
    world.deliver_all();
    let right = &world.parties[R];
    let context = &right.channel.state().context;
    let message = context.ack_message(Side::Left, &right.channel.state().theirs.simplex);
    let signature = Signature::Direct(right.key.sign(&message));
    let ack = Message::Ack { epoch: 0, ack: AckOf { nonce: 1, signature } };
    assert_eq!(world.send(R, ack), Err(Fault::UnknownAck(1)));
}

#[test]
fn unsigned_update_should_be_a_fault_when_the_tail_would_exceed_the_limit() {
    let mut world = world(50);
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    let above = forged(&world, vec![pay(21)]);
    let fault = Fault::AboveUnsigned { asset: FRD, amount: 51, limit: 50 };
    assert_eq!(world.send(L, Message::Update(above)), Err(fault));
    world.reconnect();
    let above = forged(&world, vec![pay(20), pay(1)]);
    let fault = Fault::AboveUnsigned { asset: FRD, amount: 51, limit: 50 };
    assert_eq!(world.send(L, Message::Update(above)), Err(fault));
}

#[test]
fn unsigned_update_should_be_a_fault_when_no_limit_or_no_terms_were_stated() {
    let mut world = world(0);
    let free = forged(&world, vec![pay(1)]);
    let fault = Fault::AboveUnsigned { asset: FRD, amount: 1, limit: 0 };
    assert_eq!(world.send(L, Message::Update(free)), Err(fault));
    world.reconnect();
    let purpose = Purpose::Direct { id: PaymentId([0; 16]) };
    let other = Transition::Pay { asset: 5, amount: 1, purpose };
    let unknown = forged(&world, vec![other]);
    assert_eq!(world.send(L, Message::Update(unknown)), Err(Fault::AssetNotAccepted(5)));
}

#[test]
fn unsigned_update_should_be_a_fault_when_it_does_more_than_pay() {
    let mut world = world(50);
    let onion = Default::default();
    let lock = Transition::Lock { asset: FRD, id: 0, amount: 1, hash: [0; 32], expiry: 20, onion };
    let items = vec![(FRD, 1)].try_into().unwrap();
    let reserve = Transition::Reserve { withdrawal_nonce: 0, valid_until: 20, items };
    for transitions in [vec![pay(1), lock], vec![reserve]] {
        let update = forged(&world, transitions);
        assert_eq!(world.send(L, Message::Update(update)), Err(Fault::Unsigned));
        world.reconnect();
    }
}

#[test]
fn empty_update_should_be_a_fault_when_it_covers_nothing_or_is_not_signed() {
    let mut world = world(50);
    let empty = forged(&world, vec![]);
    assert_eq!(world.send(L, Message::Update(empty)), Err(Fault::Empty));
    world.reconnect();
    world.pay_unsigned(L, 1).unwrap();
    world.deliver_all();
    let empty = forged(&world, vec![]);
    assert_eq!(world.send(L, Message::Update(empty)), Err(Fault::Unsigned));
}

#[test]
fn unsigned_update_should_be_a_fault_when_it_skips_one() {
    let mut world = world(50);
    let mut ahead = forged(&world, vec![pay(1)]);
    ahead.base_nonce += 1;
    assert_eq!(world.send(L, Message::Update(ahead)), Err(Fault::Gap { got: 1, known: 0 }));
}

#[test]
fn signed_update_should_be_a_fault_when_it_does_not_cover_the_tail() {
    let mut world = world(50);
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    let mut update = forged(&world, vec![pay(5)]);
    let entries = vec![failsafe_primitives::Entry::sent(FRD, 5)].try_into().unwrap();
    let left = &world.parties[L];
    let context = &left.channel.state().context;
    let message = context.simplex_message(Side::Left, &Simplex { nonce: 2, entries });
    update.signature = Some(Signature::Direct(left.key.sign(&message)));
    assert_eq!(world.send(L, Message::Update(update)), Err(Fault::BadSignature));
    assert_eq!(unsigned(&world, R), (0, 30), "the tail stays");
}

#[test]
fn signed_update_should_change_nothing_when_it_goes_around_the_tail() {
    let mut world = world(50);
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    let mut update = forged(&world, vec![pay(5)]);
    update.base_nonce = 0;
    let entries = vec![failsafe_primitives::Entry::sent(FRD, 5)].try_into().unwrap();
    let left = &world.parties[L];
    let context = &left.channel.state().context;
    let message = context.simplex_message(Side::Left, &Simplex { nonce: 1, entries });
    update.signature = Some(Signature::Direct(left.key.sign(&message)));
    let before = world.parties[R].channel.state().clone();
    world.send(L, Message::Update(update)).unwrap();
    assert_eq!(world.parties[R].channel.state(), &before);
}

#[test]
fn close_should_name_the_tail_and_cover_it_when_its_maker_signs() {
    for asks in [L, R] {
        let mut world = world(50);
        world.pay_unsigned(L, 30).unwrap();
        world.deliver_all();
        world.call(asks, |channel, ctx| channel.request_close(ctx, false)).unwrap();
        world.deliver_all();
        let [ChainAction::Close { close, .. }] = &world.take_submitted(asks)[..] else { panic!() };
        assert_eq!(close.offdelta(FRD), -30);
        assert_eq!(unsigned(&world, R), (0, 0), "also if it is never submitted");
        // It is final: nothing is lost.
        world.block(|facts| facts.view.epoch = 1);
        let lost = |event: &Event| matches!(event, Event::UnsignedLost { .. });
        assert!(!world.parties.iter().any(|party| party.events.iter().any(lost)));
    }
}

#[test]
fn dispute_should_show_the_tail_when_its_maker_opens_it() {
    let mut world = world(50);
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    world.call(L, |channel, _| channel.dispute()).unwrap();
    let [ChainAction::Dispute { evidence, .. }] = &world.take_submitted(L)[..] else { panic!() };
    let Some(failsafe_primitives::OwnSimplex::Unacked { simplex, .. }) = &evidence.ours else {
        panic!("{evidence:?}")
    };
    assert_eq!(simplex.sent(FRD), 30);
    world.block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![];
        facts.view.old_epochs = vec![counted(0, 30)];
    });
    assert_eq!(world.parties[R].channel.unsigned_lost(FRD), 0, "it has counted");
}

#[test]
fn tail_should_be_lost_and_taken_off_the_limit_when_the_epoch_ends_without_it() {
    let mut world = world(50);
    world.pay(L, 5).unwrap();
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    world.block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![(FRD, Collateral { insurance: 100, ondelta: 100 })];
        facts.view.old_epochs = vec![counted(0, 5)];
    });
    world.deliver_all();
    let lost = |ours| Event::UnsignedLost { ours, epoch: 0, asset: FRD, amount: 30 };
    assert!(world.parties[R].events.contains(&lost(false)));
    assert!(world.parties[L].events.contains(&lost(true)), "the payer owes it all the same");
    let stored = Channel::decode_state(&world.parties[R].disk).unwrap();
    assert_eq!(stored.unsigned_lost(FRD), 30, "durable");
    world.set_limits(R, 0, 50);
    world.deliver_all();
    assert_eq!(world.parties[L].channel.asset_summary(FRD).unsigned_received, 20);
    world.pay_unsigned(L, 20).unwrap();
    world.pay_unsigned(L, 1).unwrap();
    assert_eq!(unsigned(&world, L), (0, 0), "the second one is signed");
}

#[test]
fn late_claim_should_be_made_for_the_newest_signed_simplex_when_a_tail_followed() {
    let mut world = world(50);
    world.pay(L, 5).unwrap();
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    world.block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![];
        facts.view.old_epochs = vec![counted(0, 0)];
    });
    let [ChainAction::LateClaim { simplex, .. }] = &world.take_submitted(R)[..] else { panic!() };
    assert_eq!(simplex.sent(FRD), 5);
    assert_eq!(world.parties[R].channel.unsigned_lost(FRD), 30, "what is claimed is not lost");
}

#[test]
fn a17_payer_should_be_paused_when_it_has_forgotten_its_own_tail() {
    let mut world = world(50);
    world.pay(L, 5).unwrap();
    world.deliver_all();
    let backup = world.parties[L].disk.clone();
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    world.restore(L, backup);
    world.connect();
    world.deliver_all();
    assert_eq!(world.pay(L, 1), Err(Refusal::Paused), "it signs nothing on a mere claim");
    assert_eq!(unsigned(&world, R), (0, 30), "and takes nothing back");
    world.call(R, |channel, _| channel.dispute()).unwrap();
}

#[test]
fn a17_receiver_should_get_the_tail_again_when_it_was_restored() {
    let mut world = world(50);
    world.pay_acked(L, 5);
    let backup = world.parties[R].disk.clone();
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    world.restore(R, backup);
    world.connect();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(unsigned(&world, R), (0, 30));
}

#[test]
fn payments_should_wait_without_a_signature_when_the_channel_is_frozen() {
    let mut world = world(50);
    world.pay_unsigned(L, 30).unwrap();
    world.deliver_all();
    world.show_dispute(Side::Right, [None, None]);
    assert!(!world.parties[L].channel.signature_is_due());
    world.sign_unsigned(L);
    assert_eq!(unsigned(&world, L), (30, 0));
    // A reorganisation removes the dispute.
    world.block(|facts| facts.view.dispute = None);
    world.reconnect();
    assert!(world.parties[L].channel.signature_is_due());
    world.sign_unsigned(L);
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(unsigned(&world, R), (0, 0));
}

#[derive(Clone, Debug)]
enum Step {
    Pay(usize, Balance),
    PayUnsigned(usize, Balance),
    Sign(usize),
    Ack(usize),
    Deliver(usize, usize),
    Limit(Balance),
    Reconnect,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2usize;
    prop_oneof![
        2 => (who.clone(), 1..40u128).prop_map(|(w, a)| Step::Pay(w, a)),
        10 => (who.clone(), 1..20u128).prop_map(|(w, a)| Step::PayUnsigned(w, a)),
        2 => who.clone().prop_map(Step::Sign),
        2 => who.clone().prop_map(Step::Ack),
        10 => (who, 1..6usize).prop_map(|(w, n)| Step::Deliver(w, n)),
        1 => (0..80u128).prop_map(Step::Limit),
        1 => Just(Step::Reconnect),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Left is never heard of again: right gets all that it received, but for what was unsigned.
    #[test]
    fn dispute_should_yield_what_was_received_less_the_limit(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut sim = Sim::new();
        let terms = |unsigned_limit| AssetTerms { unsigned_limit, ..Default::default() };
        let purpose = || Purpose::Direct { id: PaymentId([0; 16]) };
        for who in [L, R] {
            sim.ask(who, |channel, _| channel.set_terms(FRD, terms(50)));
        }
        sim.deliver_all();
        for step in steps {
            match step {
                Step::Pay(who, amount) => {
                    sim.ask(who, |channel, ctx| channel.pay(ctx, FRD, amount, purpose()));
                },
                Step::PayUnsigned(who, amount) => {
                    sim.ask(who, |channel, ctx| channel.pay_unsigned(ctx, FRD, amount, purpose()));
                },
                Step::Sign(who) => {
                    sim.ask(who, |channel, ctx| Ok(channel.sign_unsigned(ctx)));
                },
                Step::Ack(who) => drop(sim.ask(who, |channel, ctx| Ok(channel.flush_ack(ctx)))),
                Step::Deliver(from, count) => {
                    (0..count).for_each(|_| sim.deliver(from).expect("both are honest"));
                },
                Step::Limit(limit) => {
                    sim.ask(R, |channel, _| channel.set_terms(FRD, terms(limit)));
                },
                Step::Reconnect => {
                    sim.world.disconnect();
                    sim.connect();
                },
            }
        }
        let tail = sim.channel(R).asset_summary(FRD).partner_unsigned;
        sim.world.disconnect();
        sim.ask(R, |channel, _| channel.dispute());
        sim.settle(40, |_| false);
        prop_assert!(sim.ledger.best().state.row.is_empty());
        sim.assert_nothing_lost(R);
        prop_assert_eq!(sim.channel(R).unsigned_lost(FRD), tail);
    }
}
