use super::*;

/// Left has paid 40, which right has acknowledged if `acked`, and then 30 more.
fn paid_twice(acked: bool) -> (World, Simplex) {
    let mut world = World::new(100, 100);
    world.pay(L, 40).unwrap();
    world.deliver_all();
    if acked {
        world.flush_ack(R);
        world.deliver_all();
    }
    let older = world.parties[L].channel.state().mine.simplex.clone();
    world.pay(L, 30).unwrap();
    world.deliver_all();
    (world, older)
}

fn counter_of(world: &World, who: usize) -> Option<(Option<Simplex>, bool)> {
    match &world.parties[who].submitted[..] {
        [] => None,
        [ChainAction::Counter { evidence }] => {
            let theirs = evidence.theirs.as_ref().map(|signed| signed.simplex.clone());
            Some((theirs, evidence.ours.is_some()))
        },
        more => panic!("{more:?}"),
    }
}

#[test]
fn counter_should_bring_the_newest_when_the_dispute_shows_an_older_state() {
    let (mut world, stale) = paid_twice(false);
    world.show_dispute(Side::Left, [presented(stale, Standing::Final), None]);
    let (theirs, ours) = counter_of(&world, R).unwrap();
    assert_eq!((theirs.unwrap().sent(FRD), ours), (70, false));
    assert!(world.parties[L].submitted.is_empty(), "the starter does not counter");
}

#[test]
fn counter_should_bring_own_payments_when_the_dispute_shows_older_ones() {
    let mut world = World::new(100, 50);
    world.pay_acked(R, 5);
    let stale = world.parties[R].channel.state().mine.simplex.clone();
    world.pay_acked(R, 5);
    world.show_dispute(Side::Left, [None, presented(stale, Standing::Final)]);
    assert_eq!(counter_of(&world, R), Some((None, true)));
}

#[test]
fn counter_should_not_be_sent_when_the_dispute_shows_the_newest_as_final() {
    let (mut world, _) = paid_twice(false);
    let newest = world.parties[L].channel.state().mine.simplex.clone();
    world.show_dispute(Side::Left, [presented(newest, Standing::Final), None]);
    assert_eq!(counter_of(&world, R), None);
}

#[test]
fn c1_counter_should_make_the_newest_final_when_the_starter_posted_it_without_an_ack() {
    // Left unanswered, anybody could replace it by the acknowledged one, of 40, at the last moment.
    let (mut world, older) = paid_twice(true);
    let newest = world.parties[L].channel.state().mine.simplex.clone();
    let standing = Standing::Unacked { floor: older.nonce };
    world.show_dispute(Side::Left, [presented(newest.clone(), standing), None]);
    assert_eq!(counter_of(&world, R), Some((Some(newest), false)));
}

#[test]
fn c1_counter_should_be_made_when_the_starter_posted_more_than_ever_arrived() {
    // Its nonce 9 may be an invention that pays less.
    let (mut world, older) = paid_twice(true);
    let invented = Simplex { nonce: 9, entries: Default::default() };
    let standing = Standing::Unacked { floor: older.nonce };
    world.show_dispute(Side::Left, [presented(invented, standing), None]);
    assert_eq!(counter_of(&world, R).unwrap().0.unwrap().sent(FRD), 70);
}

#[test]
fn c1_counter_should_not_be_repeated_when_the_chain_has_it() {
    let (mut world, older) = paid_twice(true);
    let newest = world.parties[L].channel.state().mine.simplex.clone();
    let standing = Standing::Unacked { floor: older.nonce };
    world.show_dispute(Side::Left, [presented(newest.clone(), standing), None]);
    assert_eq!(world.take_submitted(R).len(), 1);
    let disputed = world.facts.clone();
    let countered = [presented(newest, Standing::Final), None];
    world.best_block(|facts| facts.view.dispute.as_mut().unwrap().presented = countered);
    assert_eq!(counter_of(&world, R), None);
    // Finality reaches the block before the counter.
    world.parties[R].finalized = disputed.at;
    world.tell(R, |channel, ctx| channel.on_finalized(ctx, disputed)).unwrap();
    for _ in 0..4 {
        world.facts.at.clock += 1;
        world.parties[R].best = world.facts.at;
        world.tell(R, |channel, ctx| channel.on_block(ctx)).unwrap();
    }
    assert_eq!(counter_of(&world, R), None);
    world.finalize(R);
    world.quiet_blocks(4);
    assert_eq!(counter_of(&world, R), None);
}

#[test]
fn c1_counter_should_be_made_again_when_a_reorganisation_removed_it() {
    let (mut world, stale) = paid_twice(false);
    let newest = world.parties[L].channel.state().mine.simplex.clone();
    let shown = [presented(stale, Standing::Final), None];
    world.show_dispute(Side::Left, shown.clone());
    let countered = [presented(newest, Standing::Final), None];
    world.best_block(|facts| facts.view.dispute.as_mut().unwrap().presented = countered);
    world.take_submitted(R);
    world.best_block(|facts| facts.view.dispute.as_mut().unwrap().presented = shown);
    assert!(counter_of(&world, R).is_some());
}

#[test]
fn h6_counter_should_be_made_when_only_finalized_facts_tell_of_the_dispute() {
    let (mut world, stale) = paid_twice(false);
    let view = world.dispute_view(Side::Left);
    let presented = [presented(stale, Standing::Final), None];
    world.facts.view.dispute = Some(DisputeView { presented, ..view });
    world.facts.at.block += 1;
    world.facts.at.clock += 1;
    world.parties[R].best = world.facts.at;
    world.finalize(R);
    assert_eq!(counter_of(&world, R).unwrap().0.unwrap().sent(FRD), 70);
    assert!(world.frozen(R).is_some());
}

#[test]
fn h6_counter_should_not_be_made_when_its_time_is_over() {
    let (mut world, stale) = paid_twice(false);
    let view = world.dispute_view(Side::Left);
    let presented = [presented(stale, Standing::Final), None];
    world.facts.view.dispute = Some(DisputeView { presented, ..view });
    world.facts.at.block += 8;
    world.facts.at.clock += 8;
    world.parties[R].best = world.facts.at;
    world.finalize(R);
    assert_eq!(counter_of(&world, R), None);
}

#[test]
fn counter_should_be_made_again_after_a_pause_when_the_chain_did_not_take_it() {
    let (mut world, stale) = paid_twice(false);
    world.show_dispute(Side::Left, [presented(stale, Standing::Final), None]);
    world.finalize(R);
    assert_eq!(world.take_submitted(R).len(), 1);
    let mut again = vec![];
    for clock in 1..8 {
        world.quiet_blocks(1);
        again.extend(world.take_submitted(R).iter().map(|_| clock));
    }
    assert_eq!(again, [2, 6], "each pause is twice as long; not after the deadline");
}

#[test]
fn counter_should_be_made_again_when_the_process_started_anew() {
    let (mut world, stale) = paid_twice(false);
    world.show_dispute(Side::Left, [presented(stale, Standing::Final), None]);
    world.finalize(R);
    world.take_submitted(R);
    world.crash(R);
    world.quiet_blocks(1);
    assert!(counter_of(&world, R).is_some());
}

#[test]
fn c2_dispute_should_name_its_epoch() {
    let mut world = World::new(100, 100);
    world.block(|facts| facts.view.epoch = 3);
    world.call(L, |channel, _| channel.dispute()).unwrap();
    assert!(matches!(world.parties[L].submitted[..], [ChainAction::Dispute { epoch: 3, .. }]));
}

#[test]
fn c2_dispute_should_claim_what_it_posts() {
    let mut world = World::new(100, 100);
    world.pay_acked(L, 10);
    world.pay(L, 5).unwrap();
    world.call(L, |channel, _| channel.dispute()).unwrap();
    let [ChainAction::Dispute { evidence, .. }] = &world.parties[L].submitted[..] else { panic!() };
    let Some(failsafe_primitives::OwnSimplex::Unacked { simplex, acked }) = &evidence.ours else {
        panic!("{evidence:?}")
    };
    assert_eq!((simplex.nonce, acked.as_ref().unwrap().0.nonce), (2, 1));
}

#[test]
fn dispute_should_be_refused_when_the_partner_has_opened_one() {
    let mut world = World::new(100, 100);
    world.show_dispute(Side::Left, [None, None]);
    let refused = world.call(R, |channel, _| channel.dispute());
    assert!(matches!(refused, Err(Refusal::Frozen(_))));
}

#[test]
fn dispute_should_be_refused_when_our_own_is_final() {
    let mut world = World::new(100, 100);
    world.call(R, |channel, _| channel.dispute()).unwrap();
    world.show_dispute(Side::Right, [None, None]);
    world.finalize(R);
    let refused = world.call(R, |channel, _| channel.dispute());
    assert!(matches!(refused, Err(Refusal::Frozen(_))), "the starter speaks once");
}

#[test]
fn a5_dispute_should_be_refused_when_there_is_nothing_to_dispute() {
    let mut world = World::new(0, 0);
    let refused = world.call(L, |channel, _| channel.dispute());
    assert_eq!(refused, Err(Refusal::NothingToDispute));
}

#[test]
fn epoch_should_start_empty_when_it_is_final() {
    let mut world = World::new(100, 100);
    world.pay(L, 70).unwrap();
    world.deliver_all();
    world.block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![(FRD, Collateral { insurance: 50, ondelta: 50 })];
    });
    world.deliver_all();
    for who in [L, R] {
        world.set_terms(who, 0);
    }
    world.deliver_all();
    assert_eq!(world.can_send(L), 50);
    world.pay(L, 50).unwrap();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.parties[L].channel.summary().own_nonce, 1);
}

#[test]
fn epoch_should_be_waited_for_when_the_partner_is_ahead() {
    let mut world = World::new(100, 100);
    world.best_block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![(FRD, Collateral { insurance: 50, ondelta: 50 })];
    });
    world.finalize(L);
    world.deliver_all();
    world.set_terms(L, 7);
    world.deliver_all();
    assert_eq!(world.parties[R].channel.epoch(), 0);
    world.finalize(R);
    world.deliver_all();
    world.set_terms(R, 0);
    world.deliver_all();
    assert_eq!(world.parties[R].channel.epoch(), 1);
    world.pay(L, 50).unwrap();
    world.pay(R, 8).unwrap_err();
    world.deliver_all();
    world.pay(R, 57).unwrap();
    world.deliver_all();
    world.assert_agreed();
}
