//! Payments that are over and no longer in memory.

use super::world::{World, FEE};
use failsafe_channel::{PaymentId, ReturnReason};
use failsafe_hub::party::{Answer, Command, CommandError, PaymentState};
use failsafe_primitives::{Balance, NATIVE_ASSET};

const PAYER: usize = 0;
const HUB: usize = 1;
const PAYEE: usize = 2;
/// Enough that nobody has the first one in memory any more.
const LATER: u8 = 12;

fn pay(
    world: &mut World,
    (payer, payee): (usize, usize),
    id: PaymentId,
    amount: Balance,
) -> Option<Result<Answer, CommandError>> {
    let (_, via, to) = world.route(HUB, payee);
    let fees = world.policy(HUB).fees;
    world.ask(payer, Command::Pay { id, via, to, asset: NATIVE_ASSET, amount, fees })
}

/// A world in which `first` was paid, then many others.
fn world(first: PaymentId) -> World {
    let mut world = World::new(7, 3, &[]);
    pay(&mut world, (PAYER, PAYEE), first, 10);
    for number in 0..LATER {
        pay(&mut world, (PAYER, PAYEE), PaymentId([100 + number; 16]), 1);
    }
    for at in [PAYER, HUB, PAYEE] {
        let known = world.core(at).payments_in_memory();
        assert!(known < usize::from(LATER), "{at} has {known} payments in memory");
    }
    world
}

#[test]
fn payment_should_be_known_by_its_name_when_it_has_left_memory() {
    let first = PaymentId([1; 16]);
    let mut world = world(first);
    for at in [PAYER, HUB, PAYEE] {
        world.restart(at);
        let record = world.core(at).payment(&first).expect("it was made");
        assert_eq!(record.amount, 10);
        assert_eq!(world.core(at).payment(&PaymentId([2; 16])), None);
    }
}

#[test]
fn h43_payment_should_not_be_made_again_when_it_has_left_memory() {
    let first = PaymentId([1; 16]);
    let mut world = world(first);
    let before = world.core(PAYER).channels()[0].asset_summary(NATIVE_ASSET).offdelta;
    let again = pay(&mut world, (PAYER, PAYEE), first, 10);
    let Some(Ok(Answer::Payment(id, record))) = again else { panic!("{again:?}") };
    assert_eq!((id, record.state), (first, PaymentState::Delivered));
    let other = pay(&mut world, (PAYER, PAYEE), first, 11);
    assert!(matches!(other, Some(Err(CommandError::Duplicate(id))) if id == first), "{other:?}");
    let after = world.core(PAYER).channels()[0].asset_summary(NATIVE_ASSET).offdelta;
    assert_eq!(before, after);
}

#[test]
fn hub_should_give_a_payment_back_when_its_name_is_of_one_that_has_left_memory() {
    let first = PaymentId([1; 16]);
    let mut world = world(first);
    world.forget_payment(PAYER, &first);
    pay(&mut world, (PAYER, PAYEE), first, 10);
    let state = world.core(PAYER).payment(&first).map(|record| record.state);
    assert_eq!(state, Some(PaymentState::Returned(ReturnReason::Duplicate)));
}

#[test]
fn earned_fees_should_stay_when_payments_have_left_memory() {
    let mut world = world(PaymentId([1; 16]));
    let earned = FEE * (1 + Balance::from(LATER));
    assert_eq!(world.core(HUB).earned(), earned);
    world.restart(HUB);
    assert_eq!(world.core(HUB).earned(), earned);
}
