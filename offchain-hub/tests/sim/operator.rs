//! What a hub's operator decides: caps, pauses, drains, other rules while it runs.

use super::world::{World, CREDIT, INSURED};
use failsafe_channel::ReturnReason;
use failsafe_hub::party::{Answer, Command, CommandError, Failure, Mode, PaymentState, Policy};
use failsafe_onion::Reason;
use failsafe_primitives::{Balance, NATIVE_ASSET};

const PAYER: usize = 0;
const HUB: usize = 1;
const PAYEE: usize = 2;

fn world() -> World {
    World::new(7, 3, &[])
}

fn set_policy(world: &mut World, change: impl FnOnce(&mut Policy)) {
    let mut policy = world.policy(HUB);
    change(&mut policy);
    let done = world.ask(HUB, Command::SetPolicy(Box::new(policy)));
    assert!(matches!(done, Some(Ok(Answer::Done))), "{done:?}");
}

fn set_mode(world: &mut World, mode: Mode) {
    let done = world.ask(HUB, Command::SetMode(mode));
    assert!(matches!(done, Some(Ok(Answer::Done))), "{done:?}");
}

fn with_cap(cap: Balance) -> World {
    let mut world = world();
    set_policy(&mut world, |policy| {
        policy.risk_caps.insert(NATIVE_ASSET, cap);
    });
    world
}

fn owed(world: &World) -> Balance {
    let row = world.core(HUB).exposure().get(&NATIVE_ASSET).copied().unwrap_or_default();
    row.owed.try_into().expect("little money")
}

const RISK_CAP: Option<PaymentState> = Some(PaymentState::Returned(ReturnReason::RiskCap));
const UNAVAILABLE: Option<PaymentState> = Some(PaymentState::Returned(ReturnReason::Unavailable));

fn arrived(end: Option<PaymentState>) -> bool {
    matches!(end, Some(PaymentState::Accepted | PaymentState::Delivered))
}

#[test]
fn forward_should_come_back_with_the_reason_when_it_would_raise_the_risk_above_the_cap() {
    let mut world = with_cap(100);
    assert!(arrived(world.pay_plain(PAYER, PAYEE, INSURED)), "all of it is insured");
    assert_eq!(owed(&world), 0);
    assert!(arrived(world.pay_plain(PAYER, PAYEE, 90)));
    assert_eq!(owed(&world), 90);
    assert_eq!(world.pay_plain(PAYER, PAYEE, 11), RISK_CAP);
    assert!(arrived(world.pay_plain(PAYER, PAYEE, 10)), "up to the cap, and not below it");
    assert_eq!(owed(&world), 100);
    world.check_exposures().unwrap();
}

#[test]
fn forward_should_be_made_when_it_raises_no_risk_though_the_cap_is_passed() {
    let mut world = with_cap(100);
    assert!(arrived(world.pay_plain(PAYER, PAYEE, INSURED + 100)));
    set_policy(&mut world, |policy| {
        policy.risk_caps.insert(NATIVE_ASSET, 1);
    });
    assert_eq!(world.pay_plain(PAYER, PAYEE, 5), RISK_CAP);
    // The other way round it lowers what the hub owes.
    let (id, via, to) = world.route(HUB, PAYER);
    let fees = world.policy(HUB).fees;
    let pay = Command::Pay { id, via, to, asset: NATIVE_ASSET, amount: 50, fees };
    let paid = world.ask(PAYEE, pay);
    world.come_to_rest();
    let end = world.core(PAYEE).payment(&id).map(|record| record.state);
    assert!(arrived(end), "{paid:?} {end:?}");
    assert_eq!(owed(&world), 49, "less the payment and its fee");
}

#[test]
fn lock_should_be_failed_when_it_would_raise_the_risk_above_the_cap() {
    // Less than what users want insured: no rebalance takes it away.
    let mut world = with_cap(90);
    world.pay(PAYER, PAYEE, INSURED + 91, 1);
    world.come_to_rest();
    let refused = Failure::Hop(0, Reason::Capacity { asset: NATIVE_ASSET });
    assert_eq!(world.last_end(), Some(PaymentState::Failed(refused)));
    world.pay(PAYER, PAYEE, INSURED + 90, 1);
    world.come_to_rest();
    assert_eq!(world.last_end(), Some(PaymentState::Delivered));
    assert_eq!(owed(&world), 90);
}

#[test]
fn h26_onion_should_be_answered_once_when_it_comes_again() {
    let mut world = world();
    let fair = world.order(PAYER, PAYEE, 10, 0).unwrap();
    let mut cheap = fair.clone();
    cheap.parts[0].total -= 1;
    let mut failure = |order| match world.ask(PAYER, Command::PayLocked(Box::new(order))) {
        Some(Err(CommandError::Failed(failures))) => failures.last(),
        other => panic!("{other:?}"),
    };
    assert_eq!(failure(cheap), Some(Failure::Hop(0, Reason::FeeTooLow)));
    // Its keys have been used for the first answer.
    assert_eq!(failure(fair), Some(Failure::Unreadable(0, 0)));
}

#[test]
fn pending_locks_should_count_against_the_cap() {
    let mut world = with_cap(100);
    world.lock_at(HUB, PAYER, PAYEE, INSURED + 60).unwrap();
    let row = world.core(HUB).exposure()[&NATIVE_ASSET];
    assert_eq!((row.owed, row.owed_at_most), (0.into(), 60.into()));
    world.check_exposures().unwrap();
    world.come_to_rest();
    assert_eq!(world.last_end(), Some(PaymentState::Delivered));
    let row = world.core(HUB).exposure()[&NATIVE_ASSET];
    assert_eq!((row.owed, row.owed_at_most), (60.into(), 60.into()));
}

#[test]
fn hub_should_forward_nothing_while_it_is_paused_and_go_on_after_that() {
    let mut world = world();
    set_mode(&mut world, Mode::Paused);
    assert_eq!(world.pay_plain(PAYER, PAYEE, 10), UNAVAILABLE);
    world.pay(PAYER, PAYEE, 10, 1);
    world.come_to_rest();
    let refused = Failure::Hop(0, Reason::Unavailable);
    assert_eq!(world.last_end(), Some(PaymentState::Failed(refused)));
    assert!(!world.sends_strangers_away(HUB));
    set_mode(&mut world, Mode::Open);
    assert!(arrived(world.pay_plain(PAYER, PAYEE, 10)));
}

#[test]
fn h42_lock_should_come_back_at_once_when_the_next_one_is_away() {
    let mut world = world();
    world.disconnect(HUB, PAYEE);
    world.pay(PAYER, PAYEE, 10, 1);
    world.settle_network();
    let refused = Failure::Hop(0, Reason::Unavailable);
    assert_eq!(world.last_end(), Some(PaymentState::Failed(refused)));
    let locked = world.core(PAYER).channels()[0].asset_summary(NATIVE_ASSET).own_locked;
    assert_eq!(locked, 0, "the payer has its money");
}

#[test]
fn hub_should_still_be_drained_after_a_restart() {
    let mut world = world();
    assert!(!world.sends_strangers_away(HUB));
    set_mode(&mut world, Mode::Draining);
    world.restart(HUB);
    assert_eq!(world.pay_plain(PAYER, PAYEE, 10), UNAVAILABLE);
    assert!(world.sends_strangers_away(HUB));
}

#[test]
fn lock_that_is_under_way_should_be_settled_while_the_hub_is_drained() {
    let mut world = world();
    let before = world.core(HUB).earned();
    world.lock_at(HUB, PAYER, PAYEE, 10).unwrap();
    set_mode(&mut world, Mode::Draining);
    world.come_to_rest();
    assert_eq!(world.last_end(), Some(PaymentState::Delivered));
    assert!(world.core(HUB).earned() > before);
}

#[test]
fn wallet_should_refuse_to_be_drained() {
    let mut world = world();
    let refused = world.ask(PAYER, Command::SetMode(Mode::Draining));
    assert!(matches!(refused, Some(Err(CommandError::NotAHub))), "{refused:?}");
}

#[test]
fn partners_should_learn_the_new_credit_line_when_the_policy_changes() {
    let mut world = world();
    let given = |world: &World| -> Vec<Balance> {
        let channels = world.core(HUB).channels();
        channels.iter().map(|c| c.asset_summary(NATIVE_ASSET).credit_given).collect()
    };
    assert_eq!(given(&world), [CREDIT; 2]);
    set_policy(&mut world, |policy| {
        for terms in policy.partners.values_mut() {
            terms.get_mut(&NATIVE_ASSET).unwrap().credit = 7;
        }
    });
    assert_eq!(given(&world), [7; 2]);
    let seen = world.core(PAYER).channels()[0].asset_summary(NATIVE_ASSET).credit_received;
    assert_eq!(seen, 7);
}

#[test]
fn vitals_should_tell_what_the_hub_owes_and_earns() {
    let mut world = with_cap(200);
    assert!(arrived(world.pay_plain(PAYER, PAYEE, INSURED + 20)));
    world.come_to_rest();
    let Some(Ok(Answer::Vitals(vitals))) = world.ask(HUB, Command::Vitals) else {
        panic!("no answer");
    };
    let row = vitals.assets[&NATIVE_ASSET];
    assert_eq!((vitals.channels, vitals.standing.connected, vitals.frozen), (2, 2, 0));
    assert_eq!(row.exposure.owed, 20.into());
    assert_eq!(row.cap, Some(200));
    assert_eq!(row.earned, world.core(HUB).earned());
    assert!(row.earned > 0);
    assert_eq!(vitals.standing.mode, Mode::Open);
}
