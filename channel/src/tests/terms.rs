use super::*;

#[test]
fn a18_update_should_be_refused_in_an_asset_without_terms() {
    let mut world = World::new(0, 0);
    // Right would let left owe it in asset 5, and says so; left has stated nothing for it.
    let terms = AssetTerms { credit: 10, ..Default::default() };
    world.call(R, |channel, _| Ok::<_, Fault>(channel.set_terms(5, terms))).unwrap();
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
    let bytes = world.parties[L].out.pop_front().unwrap();
    let Message::Update(mut update) = Message::decode(&mut &bytes[..]).unwrap() else { panic!() };
    update.terms_version = old_version;
    let fault = world.call(R, |channel, ctx| channel.receive(ctx, Message::Update(update)));
    let needed = old_version + 1;
    assert_eq!(fault, Err(Fault::OldTerms { got: old_version, needed }));
}

#[test]
fn update_should_be_a_fault_when_it_names_terms_that_were_never_stated() {
    let mut world = World::new(100, 100);
    world.pay(L, 5).unwrap();
    let bytes = world.parties[L].out.pop_front().unwrap();
    let Message::Update(mut update) = Message::decode(&mut &bytes[..]).unwrap() else { panic!() };
    update.terms_version = 77;
    let fault = world.call(R, |channel, ctx| channel.receive(ctx, Message::Update(update)));
    assert_eq!(fault, Err(Fault::UnknownTerms(77)));
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
