//! Two processes of one hub, by hand.

use super::world::{World, INSURED};
use failsafe_channel::{AssetTerms, PaymentId, ReturnReason};
use failsafe_hub::party::{Command, CommandError, PaymentState, Policy};
use failsafe_primitives::{arithmetic::LIMIT, fees::HubFees, Balance, NATIVE_ASSET};

/// The processes, and the user of each.
const PAYER: usize = 0;
const FIRST: usize = 1;
const SECOND: usize = 2;
const PAYEE: usize = 3;
/// More than a channel takes without an acknowledgement.
const MANY: u16 = 600;

/// A hub that asks for nothing.
fn world() -> World {
    let mut world = World::split(7, &[]);
    for process in [FIRST, SECOND] {
        let policy = Policy { fees: HubFees::default(), ..world.policy(process) };
        world.ask(process, Command::SetPolicy(Box::new(policy)));
    }
    world
}

fn pay(world: &mut World, number: u16, amount: Balance) -> PaymentId {
    let mut name = [7; 16];
    name[..2].copy_from_slice(&number.to_be_bytes());
    world.begin_plain(PAYER, PAYEE, PaymentId(name), amount);
    PaymentId(name)
}

fn state(world: &World, at: usize, id: &PaymentId) -> Option<PaymentState> {
    world.core(at).payment(id).map(|payment| payment.state)
}

#[test]
fn payments_should_wait_for_a_process_that_is_behind_and_survive_a_restart() {
    let mut world = world();
    let payments: Vec<_> = (0..MANY)
        .map(|number| {
            let id = pay(&mut world, number, 1);
            // The other process hears nothing of it.
            world.deliver_between(PAYER, FIRST);
            id
        })
        .collect();
    let waiting = |world: &World| {
        let nonce = |id: &PaymentId| world.core(FIRST).payment(id).map(|payment| payment.nonce);
        payments.iter().filter(|id| nonce(id) == Some(0)).count()
    };
    assert!(waiting(&world) > 50, "{} wait", waiting(&world));
    assert_eq!(state(&world, SECOND, &payments[0]), None);
    world.restart(FIRST);
    for _ in 0..20 {
        world.settle_network();
    }
    assert_eq!(waiting(&world), 0);
    for id in &payments {
        assert_eq!(state(&world, PAYER, id), Some(PaymentState::Delivered));
        assert_eq!(state(&world, PAYEE, id), Some(PaymentState::Received));
    }
    world.come_to_rest();
    world.check().unwrap();
}

#[test]
fn payment_should_go_back_with_the_reason_when_the_other_process_cannot_deliver_it() {
    let mut world = world();
    let (_, partner, _) = world.route(SECOND, PAYEE);
    let terms = AssetTerms { credit: 0, insure_above: LIMIT, unsigned_limit: 0 };
    world.ask(PAYEE, Command::SetTerms { partner, asset: NATIVE_ASSET, terms });
    let returned = |reason| Some(PaymentState::Returned(reason));
    let too_much = pay(&mut world, 1, INSURED + 1);
    world.settle_network();
    assert_eq!(state(&world, PAYER, &too_much), returned(ReturnReason::Capacity));
    let good = pay(&mut world, 2, 40);
    world.settle_network();
    assert_eq!(state(&world, PAYER, &good), Some(PaymentState::Delivered));
    world.disconnect_hub();
    let away = pay(&mut world, 3, 1);
    world.settle_network();
    assert_eq!(state(&world, PAYER, &away), returned(ReturnReason::Unavailable));
    world.come_to_rest();
    world.check().unwrap();
}

#[test]
fn process_should_send_away_who_has_another_home() {
    let mut world = world();
    assert!(world.sends_away(FIRST, PAYEE));
    assert!(world.sends_away(SECOND, PAYER));
    let channels = |at| world.core(at).partners().len();
    assert_eq!([channels(FIRST), channels(SECOND)], [1, 1]);
}

#[test]
fn process_should_say_whose_partner_it_is_when_it_is_asked_for_another_ones() {
    let mut world = world();
    let (id, to, _) = world.route(PAYEE, PAYEE);
    let via = to.clone();
    let fees = HubFees::default();
    let pay = Command::Pay { id, via, to, asset: NATIVE_ASSET, amount: 1, fees };
    let refused = world.ask(FIRST, pay);
    assert!(
        matches!(refused, Some(Err(CommandError::OtherProcess { number: 1, .. }))),
        "{refused:?}"
    );
}

#[test]
fn secret_should_come_before_the_chain_in_time_when_the_payers_process_is_away() {
    let mut world = world();
    world.pay(PAYER, PAYEE, 50, 10);
    let locked = |world: &World| {
        let mut rows = world.core(SECOND).channels().into_iter();
        rows.any(|channel| channel.asset_summary(NATIVE_ASSET).own_locked > 0)
    };
    while !locked(&world) {
        assert!(world.deliver(), "the second process has locked nothing");
    }
    world.disconnect_hub();
    // The payee tells its secret, and is paid.
    world.settle_network();
    for _ in 0..20 {
        world.block(false, 1);
        world.settle_network();
    }
    assert!(world.counts.contains_key("secrets.reveal"));
    world.come_to_rest();
    assert_eq!(world.last_end(), Some(PaymentState::Delivered));
    world.check().unwrap();
}

#[test]
fn processes_should_pay_each_other_again_when_one_was_restored_from_an_old_backup() {
    let folder = tempfile::tempdir().unwrap();
    for at in [FIRST, SECOND] {
        let mut world = world();
        let path = folder.path().join(at.to_string());
        pay(&mut world, 1, 5);
        world.settle_network();
        world.back_up(at, &path);
        let lost = pay(&mut world, 2, 7);
        world.settle_network();
        assert_eq!(state(&world, PAYER, &lost), Some(PaymentState::Delivered));
        world.restore(at, &path);
        world.come_to_rest();
        let partner = world.process_of(at);
        let channel = world.core(at).channel(&partner).unwrap();
        assert_eq!((channel.frozen(), channel.state().data_lost), (None, false));
        // Its partners wait until nothing can be used any more that it has forgotten.
        let sent = |world: &World| world.core(at).channel(&partner).unwrap().state().clone();
        let before = sent(&world);
        let (one, other) = (before.mine.nonce(), before.theirs.nonce());
        let again = pay(&mut world, 3, 3);
        world.settle_network();
        let now = sent(&world);
        let moved = now.mine.nonce() > one || now.theirs.nonce() > other;
        // The payer's process has nothing to pay over while its channel with the payer waits.
        assert!(moved || at == FIRST, "{:?}", state(&world, PAYER, &again));
    }
}
