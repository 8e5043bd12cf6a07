//! Copies that were restored from a backup, with the partner there and without it.

use super::{locks::secret, *};
use crate::{lock::LockEnd, reservation::MAX_VALIDITY, FreezeReason};

impl World {
    /// `who` comes back with what was on its disk once, as a restore leaves it.
    fn restore_marked(&mut self, who: usize, disk: &[u8]) {
        let mut channel = Channel::decode_state(disk).unwrap();
        channel.mark_restored();
        self.restore(who, channel.encode_state());
    }
}

/// Left has paid 10 and 20, and comes back with a copy from between.
fn old_copy() -> World {
    let mut world = World::new(100, 100);
    world.pay_acked(L, 10);
    let backup = world.parties[L].disk.clone();
    world.pay_acked(L, 20);
    world.restore_marked(L, &backup);
    world
}

#[test]
fn restored_copy_should_sign_nothing_when_the_partner_stays_away() {
    let mut world = old_copy();
    let before = world.parties[L].channel.state().mine.clone();
    world.quiet_blocks(3_000);
    assert_eq!(world.pay(L, 1), Err(Refusal::Frozen(FreezeReason::Restored)));
    let close = world.call(L, |channel, ctx| channel.request_close(ctx, false));
    assert_eq!(close, Err(Refusal::Frozen(FreezeReason::Restored)));
    world.call(L, |channel, ctx| channel.reserve(ctx, vec![(FRD, 1)], 20)).unwrap_err();
    assert_eq!(world.parties[L].channel.state().mine, before);
    let stored = Channel::decode_state(&world.parties[L].disk).unwrap();
    assert!(stored.restored(), "durable");
}

#[test]
fn restored_copy_should_not_be_brought_as_the_newest_when_the_partner_stays_away() {
    let mut world = old_copy();
    assert_eq!(world.call(L, |channel, _| channel.dispute()), Err(Refusal::Restored));
    world.quiet_blocks(3_000);
    assert_eq!(world.call(L, |channel, _| channel.dispute()), Err(Refusal::Restored));
    assert!(world.take_submitted(L).is_empty());
}

#[test]
fn restored_copy_should_go_to_the_chain_when_a_person_decides_so() {
    let mut world = old_copy();
    world.call(L, |channel, _| channel.dispute_by_restored_copy()).unwrap();
    assert!(matches!(world.take_submitted(L)[..], [ChainAction::Dispute { .. }]));
    assert_eq!(world.frozen(L), Some(FreezeReason::OwnDispute));
}

#[test]
fn restored_copy_should_adopt_what_the_partner_proves_when_it_connects() {
    let mut world = old_copy();
    world.connect();
    world.deliver_all();
    assert!(world.parties[L].events.contains(&Event::DataLost { their_view: 2 }));
    let channel = &world.parties[L].channel;
    assert!(!channel.restored());
    assert_eq!(channel.state().mine.simplex.sent(FRD), 30);
    assert_eq!(world.pay(L, 1), Err(Refusal::DataLost));
    // What it brings to the chain now is the newest.
    world.call(L, |channel, _| channel.dispute()).unwrap();
}

#[test]
fn restored_copy_should_be_used_after_a_pause_when_the_partner_knows_nothing_newer() {
    let mut world = World::new(100, 100);
    world.pay_acked(L, 10);
    let backup = world.parties[L].disk.clone();
    world.restore_marked(L, &backup);
    world.connect();
    world.deliver_all();
    let until = world.facts.at.clock + MAX_VALIDITY;
    assert_eq!(world.frozen(L), Some(FreezeReason::Repaired { until }));
    world.quiet_blocks(usize::try_from(MAX_VALIDITY).unwrap() + 1);
    world.reconnect();
    world.pay_acked(L, 5);
    world.assert_agreed();
}

/// The withdrawal proof that left signed after the backup is not in any nonce that right could prove.
#[test]
fn restored_copy_should_not_refuse_a_withdrawal_while_a_forgotten_proof_can_be_used() {
    let mut world = World::new(100, 0);
    world.call(R, |channel, ctx| channel.reserve(ctx, vec![(FRD, 60)], 20)).unwrap();
    let update = world.intercept(R);
    let backup = world.parties[L].disk.clone();
    world.send(R, update).unwrap();
    world.deliver_all();
    world.restore_marked(L, &backup);
    world.connect();
    world.deliver_all();
    assert!(matches!(world.frozen(L), Some(FreezeReason::Repaired { .. })));
    assert_eq!(world.parties[L].channel.state().decision, None, "nothing is decided again");
}

#[test]
fn restored_copy_should_stay_one_when_the_chain_has_moved_on() {
    let mut world = old_copy();
    for epoch in 1..3 {
        world.block(|facts| facts.view.epoch = epoch);
    }
    assert_eq!(world.parties[L].channel.epoch(), 2);
    assert_eq!(world.pay(L, 1), Err(Refusal::Frozen(FreezeReason::Restored)));
    assert_eq!(world.call(L, |channel, _| channel.dispute()), Err(Refusal::Restored));
    world.connect();
    world.deliver_all();
    assert!(!world.parties[L].channel.restored());
}

#[test]
fn restored_copy_should_answer_when_the_partner_disputes_with_something_older() {
    let mut world = World::new(100, 0);
    world.pay_acked(R, 10);
    let older = world.parties[R].channel.state().mine.simplex.clone();
    world.pay_acked(R, 20);
    let backup = world.parties[L].disk.clone();
    world.restore_marked(L, &backup);
    let shown = Presented { simplex: older, standing: Standing::Final };
    world.show_dispute(Side::Right, [None, Some(shown)]);
    assert!(matches!(world.take_submitted(L)[..], [ChainAction::Counter { .. }]));
}

#[test]
fn restored_copy_should_not_sign_a_close_when_the_partner_has_not_said_where_it_stands() {
    let mut world = old_copy();
    world.connect();
    world.parties[R].out.clear();
    let state = world.parties[L].channel.state();
    let request = Message::CloseRequest {
        epoch: 0,
        own_nonce: state.theirs.nonce(),
        partner_nonce: state.mine.nonce(),
        close: failsafe_primitives::payload::Close {
            valid_until: world.facts.at.clock + 10,
            offdeltas: vec![(FRD, -10)].try_into().unwrap(),
        },
        signature: None,
    };
    world.parties[L].out.clear();
    world.send(R, request).unwrap();
    let answers: Vec<_> = world.parties[L].out.iter().collect();
    let [answer] = &answers[..] else { panic!("{answers:?}") };
    let answer = Message::decode(&mut &answer[..]).unwrap();
    assert!(matches!(answer, Message::CloseRefused { .. }), "{answer:?}");
}

/// Left had settled the lock by a simplex that its copy does not have.
#[test]
fn lock_of_a_restored_copy_should_not_be_called_dead_when_its_time_is_over() {
    let mut world = World::new(100, 100);
    let id = world.lock(L, 10, 1).unwrap();
    world.deliver_all();
    world.flush_ack(R);
    world.deliver_all();
    world.fail(R, id).unwrap();
    world.deliver_all();
    // Cancelled, and the acknowledgement has not come.
    let backup = world.parties[L].disk.clone();
    assert!(!Channel::decode_state(&backup).unwrap().state().dying.is_empty());
    world.restore_marked(L, &backup);
    world.quiet_blocks(30);
    assert_eq!(world.dead(L), 0);
}

#[test]
fn lock_of_a_restored_copy_should_have_an_unknown_end_when_its_epoch_is_over() {
    let mut world = World::new(100, 100);
    world.lock(L, 10, 1).unwrap();
    world.deliver_all();
    let backup = world.parties[L].disk.clone();
    world.restore_marked(L, &backup);
    world.block(|facts| {
        facts.view.epoch = 1;
        facts.view.old_epochs = vec![OldEpochView {
            epoch: 0,
            at: 20,
            counted: [vec![], vec![]],
            locks: [vec![], vec![]],
        }];
    });
    let ended = |event: &Event| match event {
        Event::LockEnded { ours: true, lock, end, .. } => Some((lock.hash, *end)),
        _ => None,
    };
    let ends: Vec<_> = world.parties[L].events.iter().filter_map(ended).collect();
    assert_eq!(ends, vec![(secret(1).1, LockEnd::Unknown)]);
}
