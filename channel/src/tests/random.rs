//! Two honest parties under random payments, with and without signatures, locks, terms, deposits,
//! withdrawals, finality lag, disconnections and crashes, who commit each change or many at once:
//! nobody ever finds a fault, and in the end both agree.

use super::*;
use crate::lock::Answer;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Pay(usize, Balance),
    PayUnsigned(usize, Balance),
    Sign(usize),
    /// Of a party that signs later: with the acknowledgement that is due, or without.
    Commit(usize, bool),
    /// A lock that one of a few secrets opens.
    Lock(usize, Balance, u8),
    /// Answers a pending lock of the partner: by its secret, or not.
    Answer(usize, usize, bool),
    /// Settles all own locks whose secrets were told.
    Settle(usize),
    /// A best block reveals a secret.
    Reveal(u8),
    /// Credit and unsigned limit.
    Terms(usize, Balance, Balance),
    Ack(usize),
    Deliver(usize, usize),
    Reserve(usize, Balance),
    Disconnect,
    Crash(usize),
    Connect,
    /// A best block with a deposit for a side, perhaps 0.
    Block(usize, Balance),
    Finalize(usize),
    /// Uses a live proof in a best block.
    Withdraw(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2usize;
    prop_oneof![
        4 => (who.clone(), 1..80u128).prop_map(|(w, a)| Step::Pay(w, a)),
        8 => (who.clone(), 1..40u128).prop_map(|(w, a)| Step::PayUnsigned(w, a)),
        1 => who.clone().prop_map(Step::Sign),
        8 => (who.clone(), any::<bool>()).prop_map(|(w, a)| Step::Commit(w, a)),
        5 => (who.clone(), 1..60u128, 0..6u8).prop_map(|(w, a, n)| Step::Lock(w, a, n)),
        4 => (who.clone(), 0..4usize, any::<bool>()).prop_map(|(w, i, y)| Step::Answer(w, i, y)),
        3 => who.clone().prop_map(Step::Settle),
        1 => (0..6u8).prop_map(Step::Reveal),
        3 => (who.clone(), 0..200u128, prop_oneof![Just(0u128), 1..100u128])
            .prop_map(|(w, a, u)| Step::Terms(w, a, u)),
        1 => who.clone().prop_map(Step::Ack),
        8 => (who.clone(), 1..6usize).prop_map(|(w, n)| Step::Deliver(w, n)),
        2 => (who.clone(), 1..60u128).prop_map(|(w, a)| Step::Reserve(w, a)),
        1 => Just(Step::Disconnect),
        1 => who.clone().prop_map(Step::Crash),
        2 => Just(Step::Connect),
        3 => (who.clone(), prop_oneof![Just(0u128), 1..100u128]).prop_map(|(w, a)| Step::Block(w, a)),
        4 => who.clone().prop_map(Step::Finalize),
        2 => who.prop_map(Step::Withdraw),
    ]
}

fn side(who: usize) -> Side {
    if who == L {
        Side::Left
    } else {
        Side::Right
    }
}

fn collateral(facts: &PairFacts) -> Collateral {
    facts.collateral(FRD)
}

fn run(world: &mut World, step: Step) {
    match step {
        // Refused when above capacity, frozen or not synced: that is the engine's right.
        Step::Pay(who, amount) => drop(world.pay(who, amount)),
        Step::Lock(who, amount, n) => drop(world.lock(who, amount, n)),
        Step::Answer(who, index, secret) => {
            let locks: Vec<_> = world.parties[who].channel.state().theirs.locks().collect();
            let Some((_, lock)) = locks.get(index) else { return };
            let (id, n) =
                (lock.id, (0..6).find(|n| super::locks::secret(*n).1 == lock.hash).unwrap());
            // Refused when the other answer was given.
            drop(if secret { world.fulfill(who, id, n) } else { world.fail(who, id) });
        },
        Step::Settle(who) => {
            let said = world.parties[who].channel.state().said.iter();
            let known = said.filter_map(|(id, answer)| match answer {
                Answer::Fulfilled(secret) => Some((*id, *secret)),
                Answer::Failed(_) => None,
            });
            let pending = &world.parties[who].channel.state().mine;
            let known: Vec<_> = known.filter(|(id, _)| pending.lock(*id).is_some()).collect();
            if !known.is_empty() {
                drop(world.call(who, |channel, ctx| channel.settle(ctx, known)));
            }
        },
        Step::Reveal(n) => world.reveal(n),
        Step::PayUnsigned(who, amount) => drop(world.pay_unsigned(who, amount)),
        Step::Sign(who) => world.sign_unsigned(who),
        Step::Commit(who, ack) => world.commit(who, ack),
        Step::Terms(who, credit, limit) => world.set_limits(who, credit, limit),
        Step::Ack(who) => world.flush_ack(who),
        Step::Deliver(from, count) => {
            for _ in 0..count {
                world.deliver(from).expect("honest parties find no fault");
            }
        },
        Step::Reserve(who, amount) => {
            drop(world.call(who, |channel, ctx| channel.reserve(ctx, vec![(FRD, amount)], 10)))
        },
        Step::Disconnect => world.disconnect(),
        Step::Crash(who) => world.crash(who),
        Step::Connect => {
            if !world.connected {
                world.connect();
            }
        },
        Step::Block(who, amount) => world.best_block(|facts| {
            let row = collateral(facts).deposit(side(who), amount).unwrap();
            facts.view.collateral = vec![(FRD, row)];
        }),
        Step::Finalize(who) => world.finalize(who),
        Step::Withdraw(who) => {
            let now = world.parties[who].finalized.clock;
            let Some((proof, _)) = world.parties[who].channel.live_proof(now).cloned() else {
                return;
            };
            let nonces = world.facts.view.withdrawal_nonces;
            let clock = world.facts.at.clock + 1;
            if nonces[who] != proof.withdrawal_nonce || clock > proof.valid_until {
                return;
            }
            world.best_block(|facts| {
                let amount = proof.items[0].amount;
                let (row, _) = collateral(facts)
                    .withdraw(side(who), amount, 0, 0)
                    .expect("a proof never passes the insurance");
                facts.view.collateral = vec![(FRD, row)];
                facts.view.withdrawal_nonces[who] += 1;
            });
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn honest_parties_should_agree_whatever_happens_in_between(
        steps in prop::collection::vec(step(), 1..120),
        later in any::<[bool; 2]>(),
    ) {
        let mut world = World::new(200, 100);
        for who in [L, R].into_iter().filter(|who| later[*who]) {
            world.commit_later(who);
        }
        // The highest that each has ever stated.
        let mut limits = [0; 2];
        for step in steps {
            if let Step::Terms(who, _, limit) = step {
                limits[who] = limit.max(limits[who]);
            }
            run(&mut world, step);
            // What is durable at a payee is what it may count on.
            for who in [L, R] {
                let party = &world.parties[who];
                let stored = Channel::decode_state(&party.disk).unwrap();
                let known = party.channel.state().theirs.nonce();
                let open = party.desk.as_ref().is_some_and(|desk| !desk.is_empty());
                prop_assert!(open || stored.state().theirs.nonce() == known);
                let given = &limits[who];
                let row = party.channel.asset_summary(FRD);
                prop_assert!(row.partner_unsigned <= *given, "the risk is within the limit");
            }
        }
        // A quiet end: both are connected, everything is finalized and delivered.
        world.disconnect();
        world.block(|_| {});
        world.connect();
        world.deliver_all();
        for _ in 0..12 {
            world.block(|_| {});
            world.deliver_all();
        }
        for party in &world.parties {
            let state = party.channel.state();
            prop_assert!(!state.mine.simplex.has_locks(), "all locks have ended");
            prop_assert!(state.said.is_empty() && state.answers.is_empty());
        }
        for who in [L, R] {
            world.sign_unsigned(who);
        }
        world.deliver_all();
        for who in [L, R] {
            world.flush_ack(who);
        }
        world.deliver_all();
        world.assert_agreed();
        let [l, r] = [L, R].map(|who| world.parties[who].channel.asset_summary(FRD));
        prop_assert_eq!(l.own_insured + l.partner_insured, l.insurance);
        prop_assert_eq!((l.own_insured, l.own_uninsured), (r.partner_insured, r.partner_uninsured));
        prop_assert_eq!((l.can_send, l.can_receive), (r.can_receive, r.can_send));
        for party in &world.parties {
            prop_assert!(party.channel.state().outbox.is_empty(), "all is acknowledged");
            prop_assert!(!party.channel.state().mine.has_tail(), "all is signed");
            prop_assert!(party.channel.state().mine.reservation.is_none(), "nothing is held");
            prop_assert!(party.channel.state().dying.is_empty(), "what was cancelled is dead");
        }
    }
}
