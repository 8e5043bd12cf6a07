//! Tests of the registry of hubs.

use failsafe_pallet_mock::*;
use failsafe_pallet_support::{HubRegistry, Marks};
use failsafe_primitives::{fees::HubFees, view::HubStanding, NATIVE_ASSET as FRD};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};

type Error = pallet_hubs::Error<Test>;

const FEES: HubFees = HubFees { base: 1, ppm: 1_000 };

fn register(who: &Party, handle: &str, endpoint: &str, fees: HubFees) -> DispatchResult {
    let handle = handle.as_bytes().to_vec().try_into().unwrap();
    let endpoint = endpoint.as_bytes().to_vec().try_into().unwrap();
    Hubs::register(who.origin(), handle, endpoint, [7; 32], fees, Default::default())
}

#[test]
fn register_should_list_the_hub_and_hold_its_deposit() {
    let p = Party::ordered(1);
    let hub = &p[0];
    let builder = ExtBuilder::default().balance(hub, 100).parameters(|v| v.hub_deposit = 60);
    builder.build_and_execute(|| {
        assert_ok!(register(hub, "eu", "eu.example:9900", FEES));
        assert!(Hubs::is_hub(&hub.id()));
        let view = Hubs::hub_by_handle(b"eu".to_vec()).unwrap();
        assert_eq!((view.account, view.endpoint), (hub.id(), b"eu.example:9900".to_vec()));
        assert_eq!(free(FRD, hub), 40);
    });
}

#[test]
fn register_should_be_refused_when_something_is_wrong_with_it() {
    let p = Party::ordered(2);
    let builder = ExtBuilder::default().balance(&p[0], 100).balance(&p[1], 1);
    builder.parameters(|v| v.hub_deposit = 60).build_and_execute(|| {
        let by = |handle, endpoint, fees| register(&p[0], handle, endpoint, fees);
        assert_noop!(by("", "h:1", FEES), Error::InvalidHandle);
        assert_noop!(by("EU", "h:1", FEES), Error::InvalidHandle);
        assert_noop!(by("eu", "no-port", FEES), Error::InvalidEndpoint);
        assert_noop!(by("eu", ":1", FEES), Error::InvalidEndpoint);
        assert_noop!(by("eu", "h:70000", FEES), Error::InvalidEndpoint);
        let greedy = HubFees { base: 0, ppm: 50_001 };
        assert_noop!(by("eu", "h:1", greedy), Error::FeeAboveCeiling);
        assert_ok!(by("eu", "h:1", FEES));
        assert_noop!(by("jp", "h:1", FEES), Error::AlreadyRegistered);
        assert_noop!(register(&p[1], "eu", "h:1", FEES), Error::HandleTaken);
        assert_noop!(register(&p[1], "jp", "h:1", FEES), Error::DepositMissing);
    });
}

#[test]
fn update_should_change_the_terms_when_the_caller_is_a_hub() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(register(&p[0], "eu", "h:1", FEES));
        let update = |who: &Party, fees| {
            let endpoint = b"other:2".to_vec().try_into().unwrap();
            Hubs::update(who.origin(), endpoint, [8; 32], fees, Default::default())
        };
        let cheaper = HubFees { base: 0, ppm: 0 };
        assert_noop!(update(&p[1], cheaper), Error::NotRegistered);
        assert_ok!(update(&p[0], cheaper));
        let view = Hubs::hub(p[0].id()).unwrap();
        assert_eq!((view.fees, view.transport_key), (cheaper, [8; 32]));
    });
}

/// When the hub may leave.
fn leaves_at(who: &Party) -> u64 {
    Hubs::standing(who.id()).leaves_at.expect("it is retiring")
}

#[test]
fn retire_should_be_a_notice_when_a_hub_announces_it() {
    let p = Party::ordered(2);
    let builder = ExtBuilder::default().balance(&p[0], 100).balance(&p[1], 100);
    builder.parameters(|v| v.hub_deposit = 60).build_and_execute(|| {
        assert_noop!(Hubs::retire(p[0].origin()), Error::NotRegistered);
        assert_ok!(register(&p[0], "eu", "h:1", FEES));
        assert_eq!(Hubs::standing(p[0].id()).leaves_at, None);
        let announced = now();
        assert_ok!(Hubs::retire(p[0].origin()));
        assert_eq!(leaves_at(&p[0]), announced + 200, "late: ten user delays at least");
        assert!(Hubs::is_hub(&p[0].id()), "it has its duties until it leaves");
        assert_eq!(free(FRD, &p[0]), 40, "and its deposit stays on hold");
        assert_noop!(Hubs::retire(p[0].origin()), Error::AlreadyRetiring);
        assert_noop!(register(&p[1], "eu", "h:1", FEES), Error::HandleTaken);
    });
}

#[test]
fn leave_should_free_handle_and_deposit_when_the_notice_is_over() {
    let p = Party::ordered(2);
    let builder = ExtBuilder::default().balance(&p[0], 100).balance(&p[1], 100);
    builder.parameters(|v| v.hub_deposit = 60).build_and_execute(|| {
        assert_ok!(register(&p[0], "eu", "h:1", FEES));
        let leave = || Hubs::leave(p[1].origin(), p[0].id());
        assert_noop!(leave(), Error::NotRetiring);
        assert_ok!(Hubs::retire(p[0].origin()));
        run_to_clock(leaves_at(&p[0]) - 1);
        assert_noop!(leave(), Error::NoticeNotOver);
        next_block();
        assert_ok!(leave());
        assert_eq!(free(FRD, &p[0]), 100);
        assert!(!Hubs::is_hub(&p[0].id()));
        assert_noop!(leave(), Error::NotRetiring);
        assert_ok!(register(&p[1], "eu", "h:1", FEES));
        assert_ok!(register(&p[0], "jp", "h:1", FEES));
        assert_eq!(Hubs::standing(p[0].id()).leaves_at, None, "the old notice is gone");
    });
}

#[test]
fn update_should_keep_the_notice_when_the_hub_is_retiring() {
    let p = Party::ordered(1);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(register(&p[0], "eu", "h:1", FEES));
        assert_ok!(Hubs::retire(p[0].origin()));
        let end = leaves_at(&p[0]);
        let endpoint = b"other:2".to_vec().try_into().unwrap();
        assert_ok!(Hubs::update(p[0].origin(), endpoint, [8; 32], FEES, Default::default()));
        assert_eq!(leaves_at(&p[0]), end);
    });
}

#[test]
fn reputation_should_count_what_is_noted_of_hubs_and_of_nobody_else() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(register(&p[0], "eu", "h:1", FEES));
        let marks = |disputed, lost, debts| Marks { disputed, lost, debts };
        for who in [&p[0], &p[1]] {
            Hubs::note(&who.id(), marks(true, false, 0));
            Hubs::note(&who.id(), marks(true, true, 3));
            Hubs::note(&who.id(), marks(false, true, 1));
            Hubs::note(&who.id(), Marks::default());
        }
        let HubStanding { disputes, lost, debts, .. } = Hubs::standing(p[0].id());
        assert_eq!((disputes, lost, debts), (2, 1, 4), "a close is no dispute that can be lost");
        let user = Hubs::standing(p[1].id());
        assert_eq!((user.disputes, user.lost, user.debts), (0, 0, 0));
    });
}

#[test]
fn reputation_should_stay_when_the_hub_has_left() {
    let p = Party::ordered(1);
    ExtBuilder::default().balance(&p[0], 100).build_and_execute(|| {
        assert_ok!(register(&p[0], "eu", "h:1", FEES));
        Hubs::note(&p[0].id(), Marks { disputed: true, lost: true, debts: 1 });
        assert_ok!(Hubs::retire(p[0].origin()));
        run_to_clock(leaves_at(&p[0]));
        assert_ok!(Hubs::leave(p[0].origin(), p[0].id()));
        assert_ok!(register(&p[0], "fresh", "h:1", FEES));
        assert_eq!(Hubs::standing(p[0].id()).lost, 1);
    });
}

#[test]
fn h07_register_should_be_refused_when_the_account_owes() {
    use failsafe_pallet_support::DebtLedger;
    let p = Party::ordered(3);
    let (h, b, x) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default().balance(x, 1_000).balance(b, 1);
    builder.parameters(|v| v.hub_deposit = 100).build_and_execute(|| {
        Debt::pay_or_book(&h.id(), &b.id(), FRD, 500, 1);
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 200));
        assert_noop!(register(h, "eu", "h:1", FEES), Error::OwesMoney);
        next_block();
        assert_eq!(free(FRD, b), 201);
    });
}

#[test]
fn register_should_be_refused_when_the_deposit_would_take_the_last_of_the_balance() {
    let p = Party::ordered(1);
    let builder = ExtBuilder::default().balance(&p[0], 60).parameters(|v| v.hub_deposit = 60);
    builder.build_and_execute(|| {
        assert_noop!(register(&p[0], "eu", "h:1", FEES), Error::DepositMissing);
    });
}
