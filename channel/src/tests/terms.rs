use super::*;

#[test]
fn a18_update_should_be_refused_in_an_asset_without_terms() {
    let mut world = World::new(0, 0);
    // Right would let left owe it in asset 5, and says so; left has stated nothing for it.
    let terms = AssetTerms { credit: 10, ..Default::default() };
    world.call(R, |channel, _| channel.set_terms(5, terms)).unwrap();
    world.deliver_all();
    let purpose = Purpose::Direct { id: PaymentId([0; 16]) };
    let refused = world.call(R, |channel, ctx| channel.pay(ctx, 5, 1, purpose.clone()));
    assert_eq!(refused, Err(Refusal::AssetNotAccepted(5)));
    world.call(L, |channel, ctx| channel.pay(ctx, 5, 1, purpose)).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn m8_update_should_be_judged_by_the_terms_it_names_when_resent_after_lower_ones() {
    let mut world = World::new(0, 0);
    world.set_terms(R, 100);
    world.deliver_all();
    // Left pays under the old terms; the connection drops before it arrives.
    world.pay(L, 80).unwrap();
    world.disconnect();
    world.set_terms(R, 10);
    world.connect();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.received(R), 80);
    assert_eq!(world.can_send(L), 0);
}

#[test]
fn m8_update_should_be_a_fault_when_it_names_terms_that_were_given_up() {
    let mut world = World::new(0, 0);
    world.set_terms(R, 100);
    world.deliver_all();
    let old_version = world.parties[L].channel.state().received.version;
    world.set_terms(R, 10);
    world.deliver_all();
    world.pay(L, 5).unwrap();
    let mut update = world.intercept_update(L);
    update.terms_version = old_version;
    let needed = old_version + 1;
    let expected = Fault::OldTerms { got: old_version, needed };
    assert_eq!(world.send(L, Message::Update(update)), Err(expected));
}

#[test]
fn update_should_be_a_fault_when_it_names_terms_that_were_never_stated() {
    let mut world = World::new(100, 100);
    world.pay(L, 5).unwrap();
    let mut update = world.intercept_update(L);
    update.terms_version = 77;
    assert_eq!(world.send(L, Message::Update(update)), Err(Fault::UnknownTerms(77)));
}

#[test]
fn s45_terms_should_apply_when_an_update_crosses_them() {
    let mut world = World::new(100, 100);
    world.pay(L, 30).unwrap();
    world.set_terms(R, 50);
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.can_send(L), 120);
}

#[test]
fn m4_credit_should_start_at_nothing_in_a_new_epoch() {
    let mut world = World::new(0, 0);
    world.set_terms(L, 1_000);
    world.deliver_all();
    world.pay(R, 1_000).unwrap();
    world.deliver_all();
    world.block(|facts| facts.view.epoch = 1);
    world.deliver_all();
    assert_eq!(world.parties[L].channel.epoch(), 1);
    let refused = world.pay(R, 1);
    assert_eq!(refused, Err(Refusal::AssetNotAccepted(FRD)), "no terms, no credit");
}

#[test]
fn terms_should_be_forgotten_when_nothing_can_refer_to_them_any_more() {
    let mut world = World::new(0, 0);
    for credit in 1..200 {
        world.set_terms(R, credit);
        world.deliver_all();
    }
    let size = world.parties[R].channel.encode_state().len();
    for credit in 200..400 {
        world.set_terms(R, credit);
        world.deliver_all();
    }
    assert!(world.parties[R].channel.encode_state().len() < size + 64, "old statements stay");
}

#[test]
fn e10_own_terms_should_be_refused_when_beyond_the_limits() {
    let mut world = World::new(100, 100);
    let limit = failsafe_primitives::LIMIT;
    for terms in [
        AssetTerms { credit: limit + 1, ..Default::default() },
        AssetTerms { insure_above: limit + 1, ..Default::default() },
    ] {
        let refused = world.call(R, |channel, _| channel.set_terms(FRD, terms));
        assert_eq!(refused, Err(Refusal::TermsTooHigh(limit)));
    }
    let highest = AssetTerms { credit: limit, insure_above: limit, unsigned_limit: 0 };
    world.call(R, |channel, _| channel.set_terms(FRD, highest)).unwrap();
    world.deliver_all();
    world.pay(L, 100).unwrap();
    assert_eq!(world.can_send(L), limit);
}

#[test]
fn e10_terms_should_be_a_fault_when_beyond_the_limits() {
    let mut world = World::new(100, 100);
    let terms = AssetTerms { credit: u128::MAX, ..Default::default() };
    let statement = Message::Terms { epoch: 0, version: 2, asset: FRD, terms };
    assert_eq!(world.send(R, statement), Err(Fault::TermsTooHigh(FRD)));
    world.reconnect();
    world.pay(L, 1).unwrap();
}

fn acked_version(world: &World, who: usize) -> Option<(u32, u64)> {
    world.parties[who].channel.state().given.acked()
}

#[test]
fn terms_should_converge_when_their_acknowledgement_was_lost() {
    let mut world = World::new(100, 100);
    world.set_terms(R, 50);
    world.deliver(R).unwrap();
    world.disconnect();
    assert_eq!(acked_version(&world, R), Some((1, 0)), "the acknowledgement is lost");
    world.connect();
    world.deliver_all();
    assert_eq!(acked_version(&world, R), Some((2, 0)));
    let stored = Channel::decode_state(&world.parties[R].disk).unwrap();
    assert_eq!(stored.state().given.acked(), Some((2, 0)), "durable");
}

#[test]
fn terms_should_converge_when_they_were_lost_themselves() {
    let mut world = World::new(100, 100);
    world.set_terms(R, 50);
    world.disconnect();
    world.connect();
    world.deliver_all();
    assert_eq!(world.can_send(L), 150);
    assert_eq!(acked_version(&world, R), Some((2, 0)));
}

#[test]
fn m8_update_should_be_a_fault_when_the_lost_acknowledgement_of_newer_terms_was_repeated() {
    let mut world = World::new(0, 0);
    world.set_terms(R, 100);
    world.deliver_all();
    world.set_terms(R, 10);
    world.deliver(R).unwrap();
    world.reconnect();
    world.pay(L, 5).unwrap();
    let mut update = world.intercept_update(L);
    update.terms_version -= 1;
    let fault = world.send(L, Message::Update(update));
    assert_eq!(fault, Err(Fault::OldTerms { got: 2, needed: 3 }));
}

#[test]
fn terms_should_be_stated_anew_when_the_partner_knows_versions_that_a_backup_does_not() {
    let mut world = World::new(0, 0);
    world.set_terms(R, 100);
    world.deliver_all();
    let backup = world.parties[R].disk.clone();
    world.set_terms(R, 70);
    world.set_terms(R, 60);
    world.deliver_all();
    world.restore(R, backup);
    world.connect();
    world.deliver_all();
    assert_eq!(world.can_send(L), 100, "what the restored party has stated");
    world.set_terms(R, 40);
    world.deliver_all();
    assert_eq!(world.can_send(L), 40);
    world.pay(L, 40).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn terms_should_be_a_fault_when_the_partner_claims_an_absurd_version() {
    let mut world = World::new(100, 100);
    world.disconnect();
    world.connect();
    let Message::Reestablish { epoch, own_nonce, received_nonce, acked_nonce, terms_given, .. } =
        world.intercept(L)
    else {
        panic!()
    };
    let absurd = Message::Reestablish {
        epoch,
        own_nonce,
        received_nonce,
        acked_nonce,
        terms_given,
        terms_received: u32::MAX,
    };
    assert_eq!(world.send(L, absurd), Err(Fault::UnknownTerms(u32::MAX)));
    world.set_terms(R, 5);
}

#[test]
fn terms_ack_should_be_a_fault_when_it_names_a_nonce_far_ahead() {
    let mut world = World::new(100, 100);
    world.set_terms(R, 50);
    let ack = Message::TermsAck { epoch: 0, version: 2, nonce: u64::MAX };
    assert!(matches!(world.send(L, ack), Err(Fault::Mismatch(_))));
}
