use super::*;
use crate::{
    lock::{Answer, LockEnd, Offer, Secret},
    Transition,
};
use failsafe_primitives::Lock;

/// The secret number `n` and its hash.
pub(crate) fn secret(n: u8) -> (Secret, LockHash) {
    let secret = [n; 32];
    (secret, failsafe_primitives::simplex::lock_hash(&secret))
}

pub(crate) fn offer(amount: Balance, n: u8, expiry: u64) -> Offer {
    Offer { asset: FRD, amount, hash: secret(n).1, expiry, onion: Default::default() }
}

impl World {
    /// `who` offers a lock of `amount` that secret `n` opens, for ten blocks.
    pub fn lock(&mut self, who: usize, amount: Balance, n: u8) -> Result<u64, Refusal> {
        let expiry = self.parties[who].finalized.clock + 10;
        let mut id = None;
        self.call(who, |channel, ctx| {
            let (new, effects) = channel.lock(ctx, offer(amount, n, expiry))?;
            id = Some(new);
            Ok(effects)
        })?;
        Ok(id.expect("a lock that was made has a number"))
    }

    pub fn fulfill(&mut self, who: usize, id: u64, n: u8) -> Result<(), Refusal> {
        self.call(who, |channel, _| channel.fulfill(id, secret(n).0))
    }

    pub fn fail(&mut self, who: usize, id: u64) -> Result<(), Refusal> {
        self.call(who, |channel, _| channel.fail_lock(id, vec![7; 9].try_into().unwrap()))
    }

    pub fn settle(&mut self, who: usize, id: u64, n: u8) -> Result<(), Refusal> {
        self.call(who, |channel, ctx| channel.settle(ctx, vec![(id, secret(n).0)]))
    }

    /// A best block reveals secret `n`.
    pub fn reveal(&mut self, n: u8) {
        self.best_block(|_| {});
        let at = self.facts.at;
        let (secret, hash) = secret(n);
        self.reveals.entry(hash).or_insert((at.block, Reveal { secret, at: at.clock }));
    }

    fn events_of(&self, who: usize, wanted: impl Fn(&Event) -> bool) -> usize {
        self.parties[who].events.iter().filter(|event| wanted(event)).count()
    }

    pub fn dead(&self, who: usize) -> usize {
        self.events_of(who, |event| matches!(event, Event::LockDead { .. }))
    }

    fn pending(&self, who: usize) -> Vec<Lock> {
        let state = self.parties[who].channel.state();
        let theirs = self.parties[1 - who].channel.state();
        assert_eq!(state.mine.simplex, theirs.theirs.simplex);
        state.mine.simplex.locks().cloned().collect()
    }
}

/// Left has offered 30 against secret 1, and right has it.
fn offered() -> World {
    let mut world = World::new(100, 100);
    assert_eq!(world.lock(L, 30, 1), Ok(0));
    world.deliver_all();
    world
}

#[test]
fn lock_should_hold_the_money_of_its_offerer_when_it_is_pending() {
    let world = offered();
    assert_eq!((world.can_send(L), world.can_send(R)), (70, 0));
    assert_eq!(world.offdelta(L), 0);
    let offered = |event: &Event| matches!(event, Event::LockOffered { lock, .. } if lock.id == 0);
    assert_eq!(world.events_of(R, offered), 1);
    world.assert_agreed();
}

#[test]
fn lock_should_pay_when_its_secret_is_told() {
    let mut world = offered();
    world.fulfill(R, 0, 1).unwrap();
    world.deliver_all();
    let told = |event: &Event| matches!(event, Event::LockFulfilled { secret: s, .. } if *s == secret(1).0);
    assert_eq!(world.events_of(L, told), 1);
    world.settle(L, 0, 1).unwrap();
    world.deliver_all();
    assert_eq!(world.events_of(L, |e| matches!(e, Event::LockPaid { .. })), 1);
    assert_eq!(world.events_of(R, |e| matches!(e, Event::LockSettled { .. })), 1);
    assert_eq!((world.can_send(L), world.can_send(R)), (70, 30));
    assert!(world.pending(L).is_empty());
    for who in [L, R] {
        let state = world.parties[who].channel.state();
        assert!(state.answers.is_empty() && state.said.is_empty());
    }
}

/// Up to the ack right may dispute with the older simplex: a hub that fails the inward lock then
/// loses it.
#[test]
fn m20_cancelled_lock_should_be_dead_only_when_that_is_acknowledged() {
    let mut world = offered();
    world.fail(R, 0).unwrap();
    world.deliver_all();
    assert!(world.pending(L).is_empty(), "dropped at once");
    assert_eq!(world.can_send(L), 100);
    assert_eq!(world.dead(L), 0);
    // Right still tells the secret: left needs it, since the lock may be enforced.
    world.reconnect();
    world.flush_ack(R);
    world.deliver_all();
    assert_eq!(world.dead(L), 1);
}

#[test]
fn m20_secret_should_be_taken_when_the_lock_was_cancelled_but_is_not_dead() {
    let mut world = offered();
    world.fail(R, 0).unwrap();
    world.deliver_all();
    let late = Message::Fulfill { epoch: 0, id: 0, secret: secret(1).0 };
    assert_eq!(world.send(R, late.clone()), Ok(()));
    assert_eq!(world.events_of(L, |e| matches!(e, Event::LockFulfilled { .. })), 1);
    world.flush_ack(R);
    world.deliver_all();
    assert_eq!(world.send(R, late), Ok(()), "dead: it says nothing any more");
    assert_eq!(world.events_of(L, |e| matches!(e, Event::LockFulfilled { .. })), 1);
}

#[test]
fn m20_lock_should_expire_only_when_the_finalized_chain_has_no_reveal_in_time() {
    let mut world = offered();
    let expiry = world.parties[L].channel.state().mine.lock(0).unwrap().1.expiry;
    while world.facts.at.clock < expiry {
        world.quiet_blocks(1);
        world.deliver_all();
        assert_eq!(world.pending(L).len(), 1);
    }
    world.best_block(|_| {});
    world.deliver_all();
    assert_eq!(world.pending(L).len(), 1, "no best block decides");
    world.quiet_blocks(1);
    world.deliver_all();
    assert!(world.pending(L).is_empty());
    assert_eq!(world.dead(L), 1, "no ack is needed");
    assert_eq!(world.can_send(L), 100);
}

#[test]
fn m20_lock_should_be_settled_by_itself_when_the_chain_has_its_secret_in_time() {
    let mut world = offered();
    world.reveal(1);
    world.quiet_blocks(1);
    world.deliver_all();
    assert!(world.pending(L).is_empty());
    assert_eq!((world.can_send(L), world.can_send(R)), (70, 30));
}

#[test]
fn m20_lock_should_expire_when_the_chain_has_its_secret_too_late() {
    let mut world = offered();
    for _ in 0..10 {
        world.best_block(|_| {});
    }
    world.reveal(1);
    world.quiet_blocks(1);
    world.deliver_all();
    assert!(world.pending(L).is_empty());
    assert_eq!((world.can_send(L), world.dead(L)), (100, 1));
}

/// A hostile update of left with these transitions and a good signature.
fn forced(world: &mut World, transitions: Vec<Transition>) -> Fault {
    // What left would sign if it had no rules: the receiver must find the fault before it looks at
    // the signature.
    world.pay(L, 1).unwrap();
    let update = world.intercept_update(L);
    let update = crate::Update { transitions: transitions.try_into().unwrap(), ..update };
    world.send(L, Message::Update(update)).unwrap_err()
}

#[test]
fn lock_should_be_a_fault_when_it_breaks_a_rule() {
    let lock = |id, amount, n, expiry| offer(amount, n, expiry).transition(id);
    let now = 10;
    for (transition, fault) in [
        (lock(1, 0, 2, now + 5), Fault::AmountZero),
        (lock(0, 5, 2, now + 5), Fault::LockIdUsed(0)),
        (lock(1, 5, 1, now + 5), Fault::HashPending),
        (
            lock(1, 5, 2, now + WINDOW + 1),
            Fault::ExpiryTooFar { expiry: now + WINDOW + 1, latest: now + WINDOW },
        ),
        (lock(1, 71, 2, now + 5), Fault::AboveCapacity { asset: FRD, amount: 71, available: 70 }),
        (Transition::Settle { id: 7, secret: [0; 32] }, Fault::UnknownLock(7)),
        (Transition::Settle { id: 0, secret: [0; 32] }, Fault::WrongSecret(0)),
        (Transition::Cancel { id: 0 }, Fault::NotFailed(0)),
        (Transition::Expire { id: 0 }, Fault::NotExpired(0)),
    ] {
        assert_eq!(forced(&mut offered(), vec![transition]), fault);
    }
}

/// Else who has paid onwards against that secret would not be paid for it.
#[test]
fn m20_expiry_should_be_a_fault_when_the_chain_has_the_secret_in_time() {
    let mut world = offered();
    world.reveal(1);
    world.quiet_blocks(1);
    let settled = world.intercept_update(L);
    let expiry = world.parties[R].channel.state().theirs.lock(0).unwrap().1.expiry;
    while world.facts.at.clock <= expiry {
        world.quiet_blocks(1);
    }
    let transitions = vec![Transition::Expire { id: 0 }].try_into().unwrap();
    let dropped = crate::Update { transitions, ..settled };
    assert_eq!(world.send(L, Message::Update(dropped)), Err(Fault::NotExpired(0)));
}

#[test]
fn a3_lock_should_be_refused_when_a_simplex_would_hold_too_many() {
    let mut world = World::new(1_000, 1_000);
    for n in 0..64 {
        world.lock(L, 1, n).unwrap();
    }
    let full = world.lock(L, 1, 99).unwrap_err();
    assert!(matches!(full, Refusal::Limits(_) | Refusal::TooManyLocks), "{full}");
    world.deliver_all();
    assert_eq!(world.pending(L).len(), 64);
}

#[test]
fn m19_lock_should_get_a_new_number_when_an_earlier_one_is_gone() {
    let mut world = offered();
    world.fulfill(R, 0, 1).unwrap();
    world.deliver_all();
    world.settle(L, 0, 1).unwrap();
    assert_eq!(world.lock(L, 5, 1), Ok(1));
    world.deliver_all();
    assert_eq!(world.pending(L)[0].id, 1);
}

#[test]
fn m19_answer_should_be_repeated_when_it_was_lost() {
    for answer in [true, false] {
        let mut world = offered();
        if answer {
            world.fulfill(R, 0, 1).unwrap();
        } else {
            world.fail(R, 0).unwrap();
        }
        world.discard_from(R);
        world.crash(R);
        world.reconnect();
        let said = world.parties[L].channel.state().said.get(&0).cloned();
        if answer {
            assert_eq!(said, Some(Answer::Fulfilled(secret(1).0)));
            world.reconnect();
            assert_eq!(world.events_of(L, |e| matches!(e, Event::LockFulfilled { .. })), 1);
        } else {
            assert!(world.pending(L).is_empty());
        }
    }
}

#[test]
fn m19_answer_should_be_refused_when_the_other_one_was_given() {
    let mut world = offered();
    world.fulfill(R, 0, 1).unwrap();
    assert_eq!(world.fail(R, 0), Err(Refusal::LockFulfilled(0)));
    assert_eq!(world.fulfill(R, 0, 1), Ok(()), "the same again");
    let mut world = offered();
    world.fail(R, 0).unwrap();
    assert_eq!(world.fulfill(R, 0, 1), Err(Refusal::LockFailed(0)));
    assert_eq!(world.fulfill(R, 5, 1), Err(Refusal::UnknownLock(5)));
    let mut world = offered();
    assert_eq!(world.fulfill(R, 0, 2), Err(Refusal::WrongSecret(0)));
}

#[test]
fn answer_should_be_a_fault_when_it_is_wrong_or_about_a_lock_that_never_was() {
    let mut world = offered();
    let wrong = Message::Fulfill { epoch: 0, id: 0, secret: [0; 32] };
    assert_eq!(world.send(R, wrong), Err(Fault::WrongSecret(0)));
    let mut world = offered();
    let unknown = Message::Fail { epoch: 0, id: 1, reason: Default::default() };
    assert_eq!(world.send(R, unknown), Err(Fault::UnknownLock(1)));
}

#[test]
fn m2_close_should_be_refused_when_a_lock_is_pending() {
    let mut world = offered();
    for who in [L, R] {
        let refused = world.call(who, |channel, ctx| channel.request_close(ctx, false));
        assert_eq!(refused, Err(Refusal::LockPending));
    }
}

#[test]
fn m1_secret_should_be_told_and_taken_when_the_channel_is_frozen() {
    let mut world = offered();
    world.show_dispute(Side::Left, [None, None]);
    world.fulfill(R, 0, 1).unwrap();
    world.deliver_all();
    assert_eq!(world.events_of(L, |e| matches!(e, Event::LockFulfilled { .. })), 1);
    let refused = world.settle(L, 0, 1).unwrap_err();
    assert!(matches!(refused, Refusal::Frozen(_)));
}

#[test]
fn lock_should_have_the_outcome_of_the_resolve_when_its_epoch_ends() {
    for (counts, end) in [(true, LockEnd::Counted), (false, LockEnd::Dropped)] {
        let mut world = offered();
        let lock = world.pending(L)[0].clone();
        world.block(|facts| {
            facts.view.epoch = 1;
            facts.view.collateral = vec![];
            let mut old = super::counted(0, if counts { 30 } else { 0 });
            old.locks[0] = if counts { vec![(FRD, lock.clone())] } else { vec![] };
            facts.view.old_epochs = vec![old];
        });
        for (who, ours) in [(L, true), (R, false)] {
            let wanted = Event::LockEnded { ours, epoch: 0, asset: FRD, lock: lock.clone(), end };
            assert_eq!(world.events_of(who, |event| *event == wanted), 1);
            assert!(world.parties[who].channel.state().late.is_empty());
        }
    }
}

#[test]
fn lock_should_have_an_unknown_end_when_the_chain_has_forgotten_the_epoch() {
    let mut world = offered();
    world.block(|facts| facts.view.epoch = 3);
    let unknown = |event: &Event| matches!(event, Event::LockEnded { end: LockEnd::Unknown, .. });
    assert_eq!((world.events_of(L, unknown), world.events_of(R, unknown)), (1, 1));
}

#[test]
fn m20_cancelled_lock_should_have_the_outcome_of_the_resolve_when_it_was_not_dead() {
    let mut world = offered();
    let lock = world.pending(L)[0].clone();
    world.fail(R, 0).unwrap();
    world.deliver_all();
    world.block(|facts| {
        facts.view.epoch = 1;
        let mut old = super::counted(0, 30);
        old.locks[0] = vec![(FRD, lock.clone())];
        facts.view.old_epochs = vec![old];
    });
    let wanted = Event::LockEnded { ours: true, epoch: 0, asset: FRD, lock, end: LockEnd::Counted };
    assert_eq!(world.events_of(L, |event| *event == wanted), 1);
    assert_eq!(world.dead(L), 0);
}

/// Locks beside payments and other locks in one update, under one signature.
#[test]
fn s44_locks_should_cross_when_both_offer_at_the_same_time() {
    let mut world = World::new(100, 50);
    world.lock(L, 10, 1).unwrap();
    world.lock(R, 4, 2).unwrap();
    world.pay(L, 3).unwrap();
    world.deliver_all();
    world.assert_agreed();
    world.fulfill(R, 0, 1).unwrap();
    world.fulfill(L, 0, 2).unwrap();
    world.deliver_all();
    world.settle(L, 0, 1).unwrap();
    world.settle(R, 0, 2).unwrap();
    world.deliver_all();
    world.assert_agreed();
    assert_eq!(world.offdelta(L), -9);
    assert!(world.pending(L).is_empty() && world.pending(R).is_empty());
}

/// Left had settled by an update that right never got, and brought that to the chain.
#[test]
fn lock_should_have_counted_when_the_partner_has_shown_a_newer_simplex_that_settled_it() {
    let mut world = offered();
    world.fulfill(R, 0, 1).unwrap();
    let lock = world.pending(L)[0].clone();
    world.block(|facts| {
        facts.view.epoch = 1;
        facts.view.old_epochs = vec![super::counted(0, 30)];
    });
    let wanted =
        Event::LockEnded { ours: false, epoch: 0, asset: FRD, lock, end: LockEnd::Counted };
    assert_eq!(world.events_of(R, |event| *event == wanted), 1);
}

/// The receiver failed it and never acknowledges: after the expiry nobody can claim it all the same.
#[test]
fn m20_cancelled_lock_should_be_dead_when_it_has_expired_and_no_ack_comes() {
    let mut world = offered();
    world.fail(R, 0).unwrap();
    world.deliver_all();
    for _ in 0..10 {
        world.quiet_blocks(1);
        world.discard_from(R);
    }
    assert_eq!(world.dead(L), 0);
    world.quiet_blocks(1);
    assert_eq!(world.dead(L), 1);
    assert!(world.parties[L].channel.state().dying.is_empty());
}

#[test]
fn m20_cancelled_lock_should_stay_when_its_secret_came_in_time() {
    let mut world = offered();
    world.fail(R, 0).unwrap();
    world.deliver_all();
    world.reveal(1);
    for _ in 0..12 {
        world.quiet_blocks(1);
        world.discard_from(R);
    }
    assert_eq!(world.dead(L), 0, "right may enforce it");
}

#[test]
fn m2_close_should_be_refused_when_a_cancelled_lock_is_not_dead() {
    let mut world = offered();
    world.fail(R, 0).unwrap();
    world.deliver_all();
    let refused = world.call(L, |channel, ctx| channel.request_close(ctx, false));
    assert_eq!(refused, Err(Refusal::LockPending));
}
