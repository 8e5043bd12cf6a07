use super::*;
use crate::{
    seal::{sign_all, Claim, MAX_LEAVES},
    Transition, Update,
};
use failsafe_primitives::Signature;

impl World {
    /// From now on `who` signs when it is told to.
    fn sign_later(&mut self, who: usize) {
        self.parties[who].channel.sign_later();
    }

    /// `who` signs what waits and fills the places of it on the network.
    fn seal(&mut self, who: usize, ack: bool) -> Vec<Signature> {
        let party = &mut self.parties[who];
        let messages = party.channel.to_sign(ack);
        let signatures = sign_all(&party.key, &messages, 2);
        party.channel.sign(ack, signatures.clone());
        party.disk = party.channel.encode_state();
        for bytes in &mut party.out {
            if let Message::Update(update) = Message::decode(&mut &bytes[..]).unwrap() {
                let sealed = party.channel.sealed(&update).expect("it is in the outbox");
                *bytes = Message::Update(sealed).encode();
            }
        }
        signatures
    }

    fn claims(&mut self, who: usize, message: &Message) -> Vec<Claim> {
        self.engine(who, |channel, ctx| channel.claims(ctx, message)).1
    }

    fn nonce(&self, who: usize) -> u64 {
        self.parties[who].channel.state().mine.nonce()
    }

    fn sent(&self, who: usize) -> Vec<Update> {
        let read = |bytes: &Vec<u8>| match Message::decode(&mut &bytes[..]).unwrap() {
            Message::Update(update) => Some(update),
            _ => None,
        };
        self.parties[who].out.iter().filter_map(read).collect()
    }
}

#[test]
fn payments_should_share_an_update_when_they_are_made_before_it_is_signed() {
    let mut world = World::new(100, 100);
    world.sign_later(L);
    for amount in [1, 2, 3] {
        world.pay(L, amount).unwrap();
    }
    assert_eq!(world.nonce(L), 1);
    world.seal(L, true);
    assert_eq!(world.sent(L)[0].transitions.len(), 3);
    world.deliver_all();
    let theirs = &world.parties[R].channel.state().theirs;
    assert_eq!((theirs.simplex.sent(FRD), theirs.nonce()), (6, 1));
    world.pay(L, 4).unwrap();
    world.seal(L, true);
    assert_eq!(world.nonce(L), 2, "a signed update is not changed");
    world.deliver_all();
    assert_eq!(world.parties[R].channel.state().theirs.simplex.sent(FRD), 10);
}

#[test]
fn locks_should_share_an_update_with_payments_when_it_is_not_signed_yet() {
    let mut world = World::new(100, 100);
    world.sign_later(L);
    world.pay(L, 1).unwrap();
    let id = world.lock(L, 10, 1).unwrap();
    world.lock(L, 20, 2).unwrap();
    world.seal(L, true);
    assert_eq!((world.nonce(L), world.sent(L).len()), (1, 1));
    world.deliver_all();
    world.fulfill(R, id, 1).unwrap();
    world.deliver_all();
    world.settle(L, id, 1).unwrap();
    world.pay(L, 5).unwrap();
    world.seal(L, true);
    world.deliver_all();
    let theirs = &world.parties[R].channel.state().theirs;
    assert_eq!((theirs.simplex.sent(FRD), theirs.locks().count(), theirs.nonce()), (16, 1, 2));
}

#[test]
fn update_should_not_grow_when_the_partner_has_stated_other_terms() {
    let mut world = World::new(100, 100);
    world.sign_later(L);
    world.pay(L, 1).unwrap();
    world.set_terms(R, 50);
    let terms = world.intercept(R);
    world.send(R, terms).unwrap();
    world.pay(L, 120).unwrap();
    assert_eq!(world.nonce(L), 2);
    world.seal(L, true);
    world.deliver_all();
    assert_eq!(world.parties[R].channel.state().theirs.simplex.sent(FRD), 121);
}

#[test]
fn refused_payment_should_leave_an_open_update_as_it_is() {
    let mut world = World::new(100, 100);
    world.sign_later(L);
    world.pay(L, 60).unwrap();
    assert!(matches!(world.pay(L, 41), Err(Refusal::AboveCapacity { available: 40, .. })));
    world.pay(L, 40).unwrap();
    world.seal(L, true);
    world.deliver_all();
    assert_eq!(world.parties[R].channel.state().theirs.simplex.sent(FRD), 100);
}

#[test]
fn update_should_begin_anew_when_it_is_full() {
    let mut world = World::new(1_000, 1_000);
    world.sign_later(L);
    let most = crate::message::MAX_TRANSITIONS;
    for _ in 0..=most {
        world.pay(L, 1).unwrap();
    }
    assert_eq!(world.nonce(L), 2);
    world.seal(L, true);
    world.deliver_all();
    assert_eq!(world.parties[R].channel.state().theirs.simplex.sent(FRD), u128::from(most) + 1);
}

#[test]
fn one_signature_should_be_for_an_update_and_the_ack_in_it() {
    let mut world = World::new(100, 50);
    world.pay(R, 5).unwrap();
    world.deliver_all();
    world.sign_later(L);
    world.pay(L, 1).unwrap();
    assert_eq!(world.seal(L, true).len(), 2);
    let update = world.sent(L).remove(0);
    assert_eq!(update.ack.as_ref().map(|ack| ack.nonce), Some(1));
    assert_eq!(world.claims(R, &Message::Update(update)).len(), 1, "one signature for both");
    world.deliver_all();
    let state = world.parties[R].channel.state();
    assert_eq!(state.acked.as_ref().map(|acked| acked.simplex.nonce), Some(1));
    assert!(!world.parties[L].channel.ack_is_due());
}

#[test]
fn ack_should_wait_when_it_is_not_to_go_with_the_update() {
    let mut world = World::new(100, 50);
    world.pay(R, 5).unwrap();
    world.deliver_all();
    world.sign_later(L);
    world.pay(L, 1).unwrap();
    world.seal(L, false);
    assert_eq!(world.sent(L)[0].ack, None);
    world.deliver_all();
    assert!(world.parties[L].channel.ack_is_due());
    let party = &mut world.parties[L];
    let message = party.channel.ack_to_sign().unwrap();
    let signature = sign_all(&party.key, &[message], 2).remove(0);
    world.tell(L, |channel, _| channel.flush_signed_ack(signature)).unwrap();
    world.deliver_all();
    assert!(world.parties[R].channel.state().outbox.is_empty());
}

#[test]
fn claims_should_be_what_the_engine_checks() {
    let mut world = World::new(100, 50);
    world.pay(R, 5).unwrap();
    world.deliver_all();
    world.pay(L, 1).unwrap();
    let update = Message::Update(world.intercept_update(L));
    let claims = world.claims(R, &update);
    assert_eq!(claims.len(), 2, "the update and the ack in it");
    let signer = world.parties[L].key.account();
    assert!(claims.iter().all(|claim| claim.verify(&signer)));
    let again = world.claims(R, &update);
    assert_eq!(again, claims, "to look changes nothing");
    world.send(L, update.clone()).unwrap();
    assert_eq!(world.claims(R, &update), vec![], "it is known now");
}

#[test]
fn bad_signature_should_be_found_when_another_one_was_trusted() {
    let mut world = World::new(100, 100);
    world.pay(L, 1).unwrap();
    let good = world.intercept_update(L);
    let message = Message::Update(good.clone());
    for claim in world.claims(R, &message) {
        world.parties[R].channel.trust(claim);
    }
    let mut bad = good;
    bad.signature = Some(Signature::Direct(ed25519::Signature::from_raw([1; 64]).into()));
    assert_eq!(world.send(L, Message::Update(bad)), Err(Fault::BadSignature));
}

#[test]
fn trusted_signature_should_not_be_for_another_update() {
    let mut world = World::new(100, 100);
    world.pay(L, 1).unwrap();
    let update = world.intercept_update(L);
    let message = Message::Update(update.clone());
    for claim in world.claims(R, &message) {
        world.parties[R].channel.trust(claim);
    }
    let mut other = update;
    if let Some(Transition::Pay { amount, .. }) = other.transitions.iter_mut().next() {
        *amount = 2;
    }
    assert_eq!(world.send(L, Message::Update(other)), Err(Fault::BadSignature));
}

#[test]
fn signatures_should_verify_when_many_messages_are_signed_together() {
    let world = World::new(0, 0);
    let key = &world.parties[L].key;
    for count in [0, 1, 2, MAX_LEAVES - 1, MAX_LEAVES, MAX_LEAVES + 1, 3 * MAX_LEAVES] {
        let number = |i: usize| u8::try_from(i).unwrap();
        let messages: Vec<_> = (0..count).map(|i| [number(i); 32]).collect();
        for least in [0, 2, usize::MAX] {
            let signatures = sign_all(key, &messages, least);
            assert_eq!(signatures.len(), count);
            for (signature, message) in signatures.iter().zip(&messages) {
                assert!(signature.verify(message, &key.account()));
                assert!(!signature.verify(&[99; 32], &key.account()));
            }
        }
        let single = sign_all(key, &messages, usize::MAX);
        assert!(single.iter().all(|signature| matches!(signature, Signature::Direct(_))));
    }
}
