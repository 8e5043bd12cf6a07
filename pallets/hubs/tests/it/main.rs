//! Tests of the registry of hubs.

use failsafe_pallet_mock::*;
use failsafe_pallet_support::HubRegistry;
use failsafe_primitives::{fees::HubFees, NATIVE_ASSET as FRD};
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

#[test]
fn retire_should_free_handle_and_deposit() {
    let p = Party::ordered(2);
    let builder = ExtBuilder::default().balance(&p[0], 100).balance(&p[1], 100);
    builder.parameters(|v| v.hub_deposit = 60).build_and_execute(|| {
        assert_ok!(register(&p[0], "eu", "h:1", FEES));
        assert_ok!(Hubs::retire(p[0].origin()));
        assert_eq!(free(FRD, &p[0]), 100);
        assert_noop!(Hubs::retire(p[0].origin()), Error::NotRegistered);
        assert_ok!(register(&p[1], "eu", "h:1", FEES));
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
