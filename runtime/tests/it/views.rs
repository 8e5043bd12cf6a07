//! What clients ask through the runtime API.

use crate::chain::*;
use failsafe_primitives::{
    fees::HubFees,
    view::{AssetView, BalanceView, HubView},
    AssetId, Side, NATIVE_ASSET,
};
use failsafe_runtime::{
    api::runtime_decl_for_failsafe_api::FailsafeApiV1, Block, Parameters, Runtime, System, FRB, FRD,
};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Ferdie};

/// Asks the runtime API.
macro_rules! ask {
    ($function:ident($($argument:expr),*)) => {
        <Runtime as FailsafeApiV1<Block>>::$function($($argument),*)
    };
}

fn create(id: AssetId, by: &Party) -> pallet_assets::Call<Runtime> {
    pallet_assets::Call::create { id: id.into(), admin: by.address(), min_balance: 5 }
}

#[test]
fn moment_should_show_block_and_clock_when_asked() {
    on(STORY, |chain| {
        chain.block(vec![]);
        let moment = ask!(moment());
        assert_eq!((moment.block, moment.clock), (System::block_number(), now()));
        assert_eq!((moment.block, moment.clock), (2, 2));
        assert_eq!(ask!(parameters()), Parameters::current());
    });
}

#[test]
fn assets_should_be_listed_native_first_and_ascending_when_many_were_issued() {
    on(DEVELOPMENT, |chain| {
        let alice = Party::known(Alice);
        let creations = (0..12).map(|n| alice.does(create(FRB + 1 + n, &alice)).nonce(n));
        assert!(chain.block(creations.collect()).iter().all(|result| *result == Ok(Ok(()))));
        let metadata = pallet_assets::Call::set_metadata {
            id: 13.into(),
            name: b"Thirteen".to_vec(),
            symbol: b"XIII".to_vec(),
            decimals: 3,
        };
        assert_eq!(chain.one(alice.does(metadata)), Ok(()));
        let assets = ask!(assets());
        let ids: Vec<_> = assets.iter().map(|asset| asset.id).collect();
        assert_eq!(ids, (0..=13).collect::<Vec<_>>());
        let view = |id, symbol: &str, decimals, minimum| AssetView {
            id,
            symbol: symbol.into(),
            decimals,
            minimum,
        };
        let frd = view(NATIVE_ASSET, "FRD", 12, failsafe_runtime::EXISTENTIAL_DEPOSIT);
        assert_eq!(assets[0], frd);
        assert_eq!(assets[1], view(FRB, "FRB", 12, 1));
        assert_eq!(assets[2], view(2, "", 0, 5));
        assert_eq!(assets[13], view(13, "XIII", 3, 5));
        assert_eq!(ask!(asset(13)), Some(assets[13].clone()));
        assert_eq!(ask!(asset(14)), None);
    });
}

#[test]
fn channel_should_be_shown_in_either_order_when_asked() {
    on(STORY, |chain| {
        let alice = Party::known(Alice);
        let (bob, ferdie) = (Party::known(Bob), Party::known(Ferdie));
        chain.all(vec![
            alice.does(deposit_of(FRB, 20 * FRD, &alice, &bob)),
            alice.does(deposit(10 * FRD, &bob, &alice)),
        ]);
        let view = ask!(channel(alice.id(), bob.id())).expect("two parties");
        assert_eq!(ask!(channel(bob.id(), alice.id())), Some(view.clone()));
        let assets: Vec<_> = view.collateral.iter().map(|(asset, _)| *asset).collect();
        assert_eq!(assets, vec![NATIVE_ASSET, FRB], "ascending");
        let side = view.pair.side_of(&alice.id()).expect("a party");
        let ondelta = |side| if side == Side::Left { FRD } else { 0 };
        let ondelta = |of, times: i128| i128::try_from(ondelta(of)).expect("fits") * times;
        let expected = [(10 * FRD, ondelta(side.other(), 10)), (20 * FRD, ondelta(side, 20))];
        let shown: Vec<_> =
            view.collateral.iter().map(|(_, row)| (row.insurance, row.ondelta)).collect();
        assert_eq!(shown, expected);
        assert_eq!((view.epoch, view.dispute), (0, None));

        let unknown = ask!(channel(alice.id(), ferdie.id())).expect("two parties");
        assert_eq!((unknown.epoch, unknown.collateral), (0, vec![]));
        assert_eq!(ask!(channel(alice.id(), alice.id())), None);
    });
}

#[test]
fn disputes_should_be_listed_up_to_the_limit_when_open() {
    on(STORY, |chain| {
        let alice = Party::known(Alice);
        let others = Party::strangers(3);
        for other in &others {
            assert_eq!(chain.one(alice.does(deposit(FRD, &alice, other))), Ok(()));
            let channel = Channel::new(&alice, other);
            let call = dispute(&channel, other, channel.theirs(other, &sent(4, FRD)));
            assert_eq!(chain.one(alice.does(call)), Ok(()));
        }
        assert_eq!(ask!(open_disputes(0)), vec![]);
        assert_eq!(ask!(open_disputes(2)).len(), 2);
        let all = ask!(open_disputes(100));
        assert_eq!(all.len(), 3);
        for (pair, dispute) in all {
            let view = ask!(channel(pair.left().clone(), pair.right().clone())).expect("two");
            assert_eq!(view.dispute, Some(dispute.clone()));
            let alices = pair.side_of(&alice.id()).expect("hers");
            assert_eq!(dispute.starter, Some(alices));
            assert_eq!(dispute.resolve_at, dispute.start + 8);
            let shown = dispute.presented[alices.other().index()].as_ref().expect("brought");
            assert_eq!(shown.simplex, sent(4, FRD));
        }
    });
}

#[test]
fn debts_should_be_shown_to_both_when_they_ask_for_their_pair() {
    on(STORY, |chain| {
        let alice = Party::known(Alice);
        let s = Party::strangers(2);
        let (poor, rich) = (&s[0], &s[1]);
        for asset in [NATIVE_ASSET, FRB] {
            assert_eq!(chain.one(alice.does(transfer_of(asset, rich, 10 * FRD))), Ok(()));
        }
        let channel = Channel::new(poor, rich);
        let both = failsafe_primitives::Simplex {
            nonce: 1,
            entries: vec![
                failsafe_primitives::Entry::sent(NATIVE_ASSET, 3 * FRD),
                failsafe_primitives::Entry::sent(FRB, 7 * FRD),
            ]
            .try_into()
            .expect("two"),
        };
        let evidence = channel.theirs(poor, &both);
        assert_eq!(chain.one(rich.does(dispute(&channel, poor, evidence))), Ok(()));
        let opened_in = System::block_number();
        chain.run_until_resolved(&channel);

        let owed = vec![(NATIVE_ASSET, 3 * FRD), (FRB, 7 * FRD)];
        let sorted = |mut list: Vec<_>| {
            list.sort_unstable();
            list
        };
        assert_eq!(sorted(ask!(owes(poor.id()))), owed);
        assert_eq!(ask!(owes(rich.id())), vec![]);
        assert_eq!(ask!(owed_to(poor.id(), rich.id(), FRB)), 7 * FRD);
        assert_eq!(ask!(owed_to(rich.id(), poor.id(), FRB)), 0);
        let [ref creditors] = ask!(pairs(rich.id(), vec![poor.id(), rich.id()]))[..] else {
            panic!("no channel with itself");
        };
        assert_eq!(sorted(creditors.owed_to_account.clone()), owed);
        assert_eq!(creditors.owed_by_account, vec![]);
        assert_eq!(creditors.channel.epoch, 1);
        let debtors = &ask!(pairs(poor.id(), vec![rich.id(), alice.id()]))[0];
        assert_eq!(sorted(debtors.owed_by_account.clone()), owed);
        assert_eq!(debtors.owed_to_account, vec![]);
        let debt = failsafe_primitives::view::DebtView {
            debtor: poor.id(),
            creditor: rich.id(),
            asset: FRB,
            left: 7 * FRD,
            opened_in,
        };
        assert_eq!(ask!(debts_of(poor.id(), FRB, 10)), vec![debt]);
        assert_eq!(ask!(debts_of(poor.id(), FRB, 0)), vec![]);
    });
}

#[test]
fn balances_should_show_nothing_spendable_when_the_account_owes_the_asset() {
    on(DEVELOPMENT, |chain| {
        let ferdie = Party::known(Ferdie);
        let poor = &Party::strangers(1)[0];
        for asset in [NATIVE_ASSET, FRB] {
            assert_eq!(chain.one(ferdie.does(transfer_of(asset, poor, 2 * FRD))), Ok(()));
        }
        let channel = Channel::new(poor, &ferdie);
        let evidence = channel.theirs(poor, &sent(1, 9 * FRD));
        assert_eq!(chain.one(ferdie.does(dispute(&channel, poor, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        let floor = Parameters::current().floor_user;
        let expected = vec![
            BalanceView { asset: FRB, free: 2 * FRD, spendable: 2 * FRD, unclaimed: 0 },
            BalanceView { asset: NATIVE_ASSET, free: floor, spendable: 0, unclaimed: 0 },
        ];
        assert_eq!(ask!(balances(poor.id(), vec![FRB, NATIVE_ASSET])), expected);
    });
}

#[test]
fn hub_should_be_found_by_account_and_handle_when_registered() {
    on(DEVELOPMENT, |chain| {
        let ferdie = Party::known(Ferdie);
        assert_eq!(ask!(hubs()), vec![]);
        let fees = HubFees { base: 1, ppm: 1_000 };
        let register = pallet_hubs::Call::register {
            handle: b"eu".to_vec().try_into().expect("short"),
            endpoint: b"localhost:9700".to_vec().try_into().expect("short"),
            transport_key: [7; 32],
            fees,
            routes: Default::default(),
        };
        assert_eq!(chain.one(ferdie.does(register)), Ok(()));
        let view = HubView {
            account: ferdie.id(),
            handle: b"eu".to_vec(),
            endpoint: b"localhost:9700".to_vec(),
            transport_key: [7; 32],
            fees,
        };
        assert_eq!(ask!(hub(ferdie.id())), Some(view.clone()));
        assert_eq!(ask!(hub_by_handle(b"eu".to_vec())), Some(view.clone()));
        assert_eq!(ask!(hub_by_handle(b"us".to_vec())), None);
        assert_eq!(ask!(hubs()), vec![view]);
        let held = failsafe_runtime::Balances::reserved_balance(ferdie.id());
        assert_eq!(held, Parameters::current().hub_deposit);
    });
}
