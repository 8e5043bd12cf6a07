use super::*;
use crate::message::RefusalReason;

fn reserve(world: &mut World, who: usize, amount: Balance) -> Result<(), Refusal> {
    world.call(who, |channel, ctx| channel.reserve(ctx, vec![(FRD, amount)], 20))
}

fn has_proof(world: &World, who: usize) -> bool {
    world.parties[who].channel.live_proof(world.facts.at.clock).is_some()
}

#[test]
fn s53_h32b_reservation_should_hold_the_money_until_the_withdrawal_is_final() {
    let mut world = World::new(100, 100);
    reserve(&mut world, L, 60).unwrap();
    world.deliver_all();
    assert!(has_proof(&world, L));
    assert_eq!(world.can_send(L), 40);
    assert!(matches!(world.pay(L, 50), Err(Refusal::AboveCapacity { .. })));
    world.pay(L, 40).unwrap();
    world.deliver_all();
    world.block(|facts| {
        facts.view.collateral = vec![(FRD, Collateral { insurance: 40, ondelta: 40 })];
        facts.view.withdrawal_nonces = [1, 0];
    });
    world.deliver_all();
    assert!(!has_proof(&world, L));
    let summary = world.parties[L].channel.asset_summary(FRD);
    assert_eq!((summary.own_insured, summary.partner_insured), (0, 40));
    assert_eq!(world.parties[L].channel.state().mine.reservation, None, "released by itself");
    world.assert_agreed();
}

#[test]
fn m10_reservation_should_never_come_out_of_credit() {
    // The user, right, owns 995 insured; the hub has a credit line of 1000.
    let mut world = World::new(995, 0);
    world.set_terms(R, 1_000);
    world.deliver_all();
    assert_eq!(world.can_send(L), 1_000);
    let refused = reserve(&mut world, L, 995);
    assert_eq!(refused, Err(Refusal::AboveOwned { asset: FRD, amount: 995, available: 0 }));
}

#[test]
fn m10_reservation_should_be_a_fault_when_the_partner_takes_it_out_of_credit() {
    let mut world = World::new(995, 0);
    world.set_terms(R, 1_000);
    world.deliver_all();
    // A dishonest hub skips its own check: forge what its engine would not make.
    let items = vec![(FRD, 995u128)].try_into().unwrap();
    let forged = crate::Transition::Reserve { withdrawal_nonce: 0, valid_until: 30, items };
    let refused = world.call(L, |channel, ctx| channel.update(ctx, vec![forged]));
    assert!(matches!(refused, Err(Refusal::AboveCapacity { available: 0, .. })));
}

#[test]
fn m9_reservation_should_be_one_per_side() {
    let mut world = World::new(100, 50);
    reserve(&mut world, L, 20).unwrap();
    world.deliver_all();
    let live = reserve(&mut world, L, 5);
    assert_eq!(live, Err(Refusal::ReservationLive { valid_until: 30 }));
    reserve(&mut world, R, 20).unwrap();
    world.deliver_all();
    assert!(has_proof(&world, L) && has_proof(&world, R));
    world.assert_agreed();
}

#[test]
fn m9_reservation_should_be_a_fault_when_the_partner_makes_a_second_one() {
    let mut world = World::new(100, 50);
    reserve(&mut world, L, 20).unwrap();
    world.deliver_all();
    // What its engine refuses to make.
    world.pay(L, 1).unwrap();
    let update = world.intercept_update(L);
    let items = vec![(FRD, 5u128)].try_into().unwrap();
    let second = crate::Transition::Reserve { withdrawal_nonce: 0, valid_until: 30, items };
    let update = crate::Update { transitions: vec![second].try_into().unwrap(), ..update };
    let fault = Fault::Reservation("another one is live");
    assert_eq!(world.send(L, Message::Update(update)), Err(fault));
}

#[test]
fn m9_reservation_should_be_released_when_the_proof_has_run_out() {
    let mut world = World::new(100, 100);
    reserve(&mut world, L, 60).unwrap();
    world.deliver_all();
    for _ in 0..20 {
        world.block(|_| {});
        world.deliver_all();
    }
    assert_eq!(world.can_send(L), 40, "valid at its last block");
    world.block(|_| {});
    world.deliver_all();
    assert_eq!(world.can_send(L), 100);
    assert!(!has_proof(&world, L));
    world.assert_agreed();
    // The same nonce again: it was never used.
    reserve(&mut world, L, 70).unwrap();
    world.deliver_all();
    assert!(has_proof(&world, L));
}

#[test]
fn m9_release_should_be_a_fault_when_the_proof_is_still_valid() {
    let mut world = World::new(100, 100);
    reserve(&mut world, L, 60).unwrap();
    world.deliver_all();
    let release = crate::Transition::Unreserve { reservation: 1 };
    assert!(world.call(L, |channel, ctx| channel.update(ctx, vec![release])).is_err());
}

#[test]
fn reservation_should_be_refused_and_released_when_it_is_valid_for_too_long() {
    let mut world = World::new(100, 100);
    let too_long = crate::reservation::MAX_VALIDITY + 1;
    world.call(L, |channel, ctx| channel.reserve(ctx, vec![(FRD, 60)], too_long)).unwrap();
    world.deliver_all();
    let refused = Event::ProofRefused { reservation: 1, reason: RefusalReason::TooLong };
    assert!(world.parties[L].events.contains(&refused));
    assert_eq!(world.can_send(L), 100);
    world.assert_agreed();
}

#[test]
fn reservation_should_only_cover_what_is_insured() {
    // Left owns 80, of which 30 are insured.
    let mut world = World::new(30, 80);
    assert_eq!(world.parties[L].channel.can_withdraw(FRD), Ok(30));
    let refused = reserve(&mut world, L, 80);
    assert_eq!(refused, Err(Refusal::AboveOwned { asset: FRD, amount: 80, available: 30 }));
    reserve(&mut world, L, 30).unwrap();
    world.deliver_all();
    assert!(has_proof(&world, L));
}

#[test]
fn m19_proof_should_be_repeated_when_the_connection_dropped_before_it_arrived() {
    let mut world = World::new(100, 100);
    reserve(&mut world, L, 60).unwrap();
    world.deliver(L).unwrap();
    world.disconnect();
    assert!(!has_proof(&world, L));
    world.connect();
    world.deliver_all();
    assert!(has_proof(&world, L));
    world.assert_agreed();
}

#[test]
fn proof_should_be_the_same_when_the_signer_crashed_after_signing() {
    let mut world = World::new(100, 100);
    reserve(&mut world, L, 60).unwrap();
    world.deliver(L).unwrap();
    world.crash(R);
    world.connect();
    world.deliver_all();
    assert!(has_proof(&world, L));
}

#[test]
fn proof_should_not_be_offered_when_it_would_expire_before_it_is_included() {
    let mut world = World::new(100, 100);
    reserve(&mut world, L, 60).unwrap();
    world.deliver_all();
    let proof_at = |clock| world.parties[L].channel.live_proof(clock).is_some();
    let valid_until = world.facts.at.clock + 20;
    assert!(proof_at(valid_until - crate::reservation::PROOF_MARGIN));
    assert!(!proof_at(valid_until - crate::reservation::PROOF_MARGIN + 1));
    assert!(!proof_at(u64::MAX), "no overflow");
}

#[test]
fn a17_reservation_should_not_be_released_by_itself_before_the_partner_has_said_where_it_stands() {
    let mut world = World::new(100, 100);
    reserve(&mut world, L, 60).unwrap();
    world.deliver_all();
    world.disconnect();
    world.quiet_blocks(21);
    assert_eq!(world.parties[L].channel.state().mine.nonce(), 1, "nothing is signed blindly");
    world.connect();
    world.deliver_all();
    world.quiet_blocks(1);
    world.deliver_all();
    assert_eq!(world.can_send(L), 100);
    world.assert_agreed();
}
