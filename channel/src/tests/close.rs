use super::*;
use crate::{close::CLOSE_VALIDITY, message::RefusalReason, FreezeReason};

fn request_close(world: &mut World, who: usize) {
    world.call(who, |channel, ctx| channel.request_close(ctx, false)).unwrap();
}

#[test]
fn close_should_be_signed_by_the_partner_and_submitted_by_who_asked() {
    let mut world = World::new(5_000, 5_000);
    world.pay(L, 1_000).unwrap();
    world.deliver_all();
    request_close(&mut world, L);
    assert_eq!(world.pay(L, 1), Err(Refusal::Closing));
    world.deliver_all();
    let [ChainAction::Close { close, .. }] = &world.parties[L].submitted[..] else { panic!() };
    assert_eq!(close.offdelta(FRD), -1_000);
    assert!(matches!(world.pay(R, 1), Err(Refusal::Frozen(FreezeReason::CloseSigned { .. }))));
}

#[test]
fn close_should_be_submitted_by_the_partner_when_asked_to() {
    let mut world = World::new(5_000, 5_000);
    world.call(R, |channel, ctx| channel.request_close(ctx, true)).unwrap();
    world.deliver_all();
    assert!(matches!(&world.parties[L].submitted[..], [ChainAction::Close { .. }]));
}

#[test]
fn m2_close_should_be_refused_when_a_payment_is_under_way() {
    let mut world = World::new(5_000, 5_000);
    world.pay(R, 0).unwrap_err();
    world.pay(L, 10).unwrap();
    world.deliver_all();
    // Right pays while left asks.
    world.pay(R, 5).unwrap();
    request_close(&mut world, L);
    world.deliver_all();
    assert!(world.parties[L].submitted.is_empty());
    world.pay(L, 1).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn close_should_be_refused_when_it_names_other_amounts_than_follow() {
    let mut world = World::new(5_000, 5_000);
    world.pay(L, 10).unwrap();
    world.deliver_all();
    request_close(&mut world, L);
    let mut request = world.intercept(L);
    let Message::CloseRequest { close, .. } = &mut request else { panic!("{request:?}") };
    close.offdeltas = vec![(FRD, 10)].try_into().unwrap();
    world.send(L, request).unwrap();
    let reason = RefusalReason::StateDiffers;
    assert_eq!(world.intercept(R), Message::CloseRefused { epoch: 0, reason });
    assert_eq!(world.frozen(R), None, "nothing was signed");
}

#[test]
fn m2_freeze_of_a_signed_close_should_end_when_it_was_not_used_in_time() {
    let mut world = World::new(5_000, 5_000);
    request_close(&mut world, L);
    world.deliver_all();
    for _ in 0..CLOSE_VALIDITY + 1 {
        assert!(world.frozen(R).is_some());
        world.block(|_| {});
    }
    assert_eq!(world.frozen(R), None);
    world.reconnect();
    world.pay(L, 5).unwrap();
    world.deliver_all();
    world.assert_agreed();
}

#[test]
fn close_should_be_made_once_when_both_ask_at_the_same_time() {
    let mut world = World::new(5_000, 5_000);
    request_close(&mut world, L);
    request_close(&mut world, R);
    world.deliver_all();
    assert!(matches!(world.parties[L].submitted[..], [ChainAction::Close { .. }]));
    assert!(world.parties[R].submitted.is_empty());
    let refused = |event: &Event| matches!(event, Event::CloseRefused { .. });
    assert!(!world.parties.iter().any(|party| party.events.iter().any(refused)));
}

#[test]
fn close_should_be_a_fault_when_the_partner_signs_another_deadline_than_was_asked_for() {
    let mut world = World::new(5_000, 5_000);
    request_close(&mut world, L);
    world.deliver(L).unwrap();
    let Message::CloseSigned { epoch, mut close, .. } = world.intercept(R) else { panic!() };
    close.valid_until = u64::MAX;
    let signature = {
        let context = &world.parties[R].channel.state().context;
        world.parties[R].key.sign(&context.close_message(&close))
    };
    let fault = world.send(R, Message::CloseSigned { epoch, close, signature });
    assert!(matches!(fault, Err(Fault::Mismatch(_))));
    assert_eq!(world.frozen(L), None, "or it would be frozen for ever");
}

#[test]
fn close_should_be_refused_when_it_has_expired_already() {
    let mut world = World::new(5_000, 5_000);
    request_close(&mut world, L);
    let request = world.intercept(L);
    world.quiet_blocks(60);
    world.send(L, request).unwrap();
    world.deliver_all();
    assert_eq!(world.frozen(R), None);
}

/// A payment that was not acknowledged when the channel was closed. Whether its payer, left, learns
/// that it has arrived when the epoch ends like this.
fn is_acked_when(end: impl FnOnce(&mut crate::PairFacts)) -> bool {
    let mut world = World::new(5_000, 5_000);
    world.pay(L, 30).unwrap();
    world.deliver(L).unwrap();
    request_close(&mut world, R);
    world.deliver_all();
    assert!(matches!(world.parties[R].submitted[..], [ChainAction::Close { .. }]));
    let acked = Event::Acked { nonce: 1 };
    assert!(!world.parties[L].events.contains(&acked), "acknowledgements are lazy");
    world.block(end);
    world.parties[L].events.contains(&acked)
}

#[test]
fn payment_should_count_as_acknowledged_when_a_close_that_both_signed_ends_the_epoch() {
    assert!(is_acked_when(|facts| facts.view.epoch = 1));
}

#[test]
fn payment_should_not_count_as_acknowledged_when_a_resolve_ends_the_epoch_instead() {
    assert!(!is_acked_when(|facts| {
        facts.view.epoch = 1;
        facts.view.old_epochs = vec![counted(0, 0)];
    }));
}
