use super::*;
use failsafe_primitives::view::MAX_OLD_EPOCHS;

/// Left has paid 70 in epoch 0; then epoch 1 is final, and the chain lists these old epochs.
fn resolved(old_epochs: Vec<OldEpochView>) -> World {
    let mut world = World::new(100, 100);
    world.pay(L, 70).unwrap();
    world.deliver_all();
    world.block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![];
        facts.view.old_epochs = old_epochs;
    });
    world
}

fn claims(world: &mut World) -> usize {
    let submitted = world.take_submitted(R);
    assert!(submitted.iter().all(|action| matches!(
        action,
        ChainAction::LateClaim { epoch: 0, simplex, .. } if simplex.sent(FRD) == 70
    )));
    submitted.len()
}

#[test]
fn a11_late_claim_should_be_made_when_the_resolve_did_not_count_everything() {
    let mut world = resolved(vec![counted(0, 40)]);
    assert_eq!(claims(&mut world), 1);
    assert!(world.parties[L].submitted.is_empty());
    assert_eq!(world.parties[R].channel.summary().late, [0]);
}

#[test]
fn late_claim_should_not_be_made_when_everything_counted_or_the_channel_was_closed() {
    for old_epochs in [vec![counted(0, 70)], vec![]] {
        let mut world = resolved(old_epochs);
        assert_eq!(claims(&mut world), 0);
        assert!(!world.parties[R].channel.waits_for_blocks());
    }
}

#[test]
fn late_claim_should_be_dropped_when_the_chain_has_counted_it() {
    let mut world = resolved(vec![counted(0, 40)]);
    world.block(|facts| facts.view.old_epochs = vec![counted(0, 70)]);
    assert!(world.parties[R].channel.state().late.is_empty());
    assert_eq!(claims(&mut world), 1, "once");
}

#[test]
fn late_claim_should_be_dropped_when_the_chain_takes_it_no_more() {
    let mut world = resolved(vec![counted(0, 40)]);
    world.block(|facts| facts.view.old_epochs = vec![]);
    assert!(world.parties[R].channel.state().late.is_empty());
}

#[test]
fn c5_late_claim_should_be_made_again_after_longer_and_longer_pauses_when_it_was_refused() {
    let mut world = resolved(vec![counted(0, 40)]);
    assert_eq!(claims(&mut world), 1);
    let mut again = vec![];
    for clock in 1..=70 {
        world.quiet_blocks(1);
        again.extend((0..claims(&mut world)).map(|_| clock));
    }
    assert_eq!(again, [10, 30, 70]);
}

#[test]
fn c5_late_claim_should_be_made_once_more_when_the_process_started_anew() {
    let mut world = resolved(vec![counted(0, 40)]);
    claims(&mut world);
    world.crash(R);
    world.quiet_blocks(3);
    assert_eq!(claims(&mut world), 1);
}

#[test]
fn c5_late_claim_should_survive_when_the_process_ends_before_it_is_submitted() {
    let mut world = World::new(100, 100);
    world.pay(L, 70).unwrap();
    world.deliver_all();
    world.best_block(|facts| {
        facts.view.epoch = 1;
        facts.view.collateral = vec![];
        facts.view.old_epochs = vec![counted(0, 40)];
    });
    world.crash_after = Some(1);
    world.finalize(R);
    assert_eq!(claims(&mut world), 0);
    assert_eq!(world.parties[R].channel.epoch(), 1);
    world.quiet_blocks(1);
    assert_eq!(claims(&mut world), 1);
}

#[test]
fn late_claims_should_be_kept_when_further_epochs_end() {
    let mut world = resolved(vec![counted(0, 40)]);
    claims(&mut world);
    world.block(|facts| {
        facts.view.epoch = 2;
        facts.view.old_epochs = vec![counted(1, 0), counted(0, 40)];
    });
    assert_eq!(world.parties[R].channel.summary().late, [0]);
    world.quiet_blocks(10);
    assert_eq!(claims(&mut world), 1);
}

#[test]
fn late_claim_should_be_kept_when_the_chain_lists_only_newer_epochs() {
    // A partner that disputes without end must not make us forget.
    let mut world = resolved(vec![counted(0, 40)]);
    let full = |first: u32| (first..).take(MAX_OLD_EPOCHS).map(|e| counted(e, 0)).collect();
    world.block(|facts| {
        facts.view.epoch = 70;
        facts.view.old_epochs = full(1);
    });
    assert_eq!(world.parties[R].channel.summary().late, [0]);
    world.block(|facts| {
        facts.view.old_epochs.pop();
    });
    assert!(world.parties[R].channel.summary().late.is_empty());
}

#[test]
fn old_epochs_should_not_be_stored_when_nothing_is_claimed_for_them() {
    let mut world = World::new(100, 100);
    let size = world.parties[R].disk.len();
    world.block(|facts| facts.view.old_epochs = (0..60).map(|e| counted(e, 5)).collect());
    assert_eq!(world.parties[R].disk.len(), size);
}
