//! Currencies of third parties: issued by anybody, and in channels like any other money.

use crate::{chain::*, stage::*};
use failsafe_primitives::{
    view::AssetView, AssetId, Balance, Close, Entry, Side, Simplex, NATIVE_ASSET,
};
use failsafe_runtime::{
    api::runtime_decl_for_failsafe_api::FailsafeApiV1, Block, Custody, Debt, Runtime, RuntimeCall,
    FRB, FRD,
};
use pallet_assets::{Call as Assets, Error};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Ferdie};

/// A currency of Ferdie's, who is no validator and has no special key. Bob and Charlie have 1,000.
fn issued(chain: &mut Chain) -> AssetId {
    let ferdie = Party::known(Ferdie);
    let asset = pallet_assets::NextAssetId::<Runtime>::get().expect("numbered");
    let id = || asset.into();
    let mint = |to: &Party| {
        let (beneficiary, amount) = (to.address(), 1_000 * FRD);
        ferdie.does(Assets::mint { id: id(), beneficiary, amount })
    };
    let (name, symbol) = (b"Ferdie's Franc".to_vec(), b"FEF".to_vec());
    chain.all(vec![
        ferdie.does(Assets::create { id: id(), admin: ferdie.address(), min_balance: 10 }),
        ferdie.does(Assets::set_metadata { id: id(), name, symbol, decimals: 12 }),
        mint(&Party::known(Bob)),
        mint(&Party::known(Charlie)),
    ]);
    asset
}

fn supply(asset: AssetId) -> Balance {
    pallet_assets::Pallet::<Runtime>::total_supply(asset)
}

#[test]
fn currency_should_be_issued_burnt_and_frozen_by_its_issuer_alone() {
    on(DEVELOPMENT, |chain| {
        let [alice, ferdie, bob, charlie] = [Alice, Ferdie, Bob, Charlie].map(Party::known);
        let asset = issued(chain);
        let shown = <Runtime as FailsafeApiV1<Block>>::asset(asset);
        let symbol = b"FEF".to_vec();
        assert_eq!(shown, Some(AssetView { id: asset, symbol, decimals: 12, minimum: 10 }));
        assert_eq!(supply(asset), 2_000 * FRD);
        let burn = || Assets::burn { id: asset.into(), who: bob.address(), amount: 100 * FRD };
        let mint = || Assets::mint { id: asset.into(), beneficiary: bob.address(), amount: FRD };
        let freeze = || Assets::freeze { id: asset.into(), who: bob.address() };
        // Neither its holders nor the holder of the sudo key, without sudo.
        for call in [RuntimeCall::from(burn()), mint().into(), freeze().into()] {
            for by in [&alice, &bob, &charlie] {
                let refused = Err(Error::<Runtime>::NoPermission.into());
                assert_eq!(chain.one(by.does(call.clone())), refused, "{call:?}");
            }
        }
        chain.all(vec![ferdie.does(burn()), ferdie.does(mint()), ferdie.does(freeze())]);
        assert_eq!(free(asset, &bob), 901 * FRD);
        assert_eq!(supply(asset), 1_901 * FRD);
        let pay = || transfer_of(asset, &charlie, FRD);
        let frozen = Err(Error::<Runtime>::Frozen.into());
        assert_eq!(chain.one(bob.does(pay())), frozen);
        let thaw = Assets::thaw { id: asset.into(), who: bob.address() };
        chain.all(vec![ferdie.does(thaw), bob.does(pay())]);
        assert_eq!((free(asset, &bob), free(asset, &charlie)), (900 * FRD, 1_001 * FRD));
    });
}

#[test]
fn currency_should_go_through_a_channel_from_deposit_to_close() {
    on(DEVELOPMENT, |chain| {
        let (bob, charlie) = (Party::known(Bob), Party::known(Charlie));
        let asset = issued(chain);
        // The first deposit of an asset with a minimum costs the minimum once more.
        assert_eq!(chain.one(bob.does(deposit_of(asset, 500 * FRD, &bob, &charlie))), Ok(()));
        assert_eq!(free(asset, &bob), 500 * FRD - 10);
        assert_eq!(chain.one(charlie.does(deposit_of(asset, 50 * FRD, &charlie, &bob))), Ok(()));
        assert_eq!(free(asset, &charlie), 950 * FRD);
        let channel = Channel::new(&bob, &charlie);
        // Off chain Bob pays 200. On chain Charlie takes 100 of them, Bob 60 of his own.
        for (who, amount) in [(&charlie, 100), (&bob, 60)] {
            let proof = channel.withdrawal_of(who, &[(asset, amount * FRD, 0)]);
            assert_eq!(chain.one(who.does(proof)), Ok(()));
        }
        assert_eq!(channel.collateral_in(asset).0, 390 * FRD);
        let paid = if channel.side(&bob) == Side::Left { -200 } else { 200 };
        let offdeltas = vec![(asset, units(paid))].try_into().expect("one");
        let close = Close { valid_until: 1_000, offdeltas };
        let signature = charlie.sign(&channel.context.close_message(&close));
        let call = pallet_insurance::Call::close { partner: charlie.id(), close, signature };
        assert_eq!(chain.one(bob.does(call)), Ok(()));
        assert_eq!(free(asset, &bob), 800 * FRD - 10);
        assert_eq!(free(asset, &charlie), 1_200 * FRD);
        assert_eq!(supply(asset), 2_000 * FRD);
        assert_eq!(channel.view().collateral, vec![]);
    });
}

#[test]
fn dispute_should_settle_each_asset_by_its_own_delta_when_there_are_several() {
    on(DEVELOPMENT, |chain| {
        let (bob, charlie) = (Party::known(Bob), Party::known(Charlie));
        let franc = issued(chain);
        // Insured: 100 FRD of Bob, 100 francs of Charlie, nothing in FRB.
        chain.all(vec![
            bob.does(deposit(100 * FRD, &bob, &charlie)),
            charlie.does(deposit_of(franc, 100 * FRD, &charlie, &bob)),
            bob.does(transfer_of(FRB, &Party::known(Alice), 999_995 * FRD)),
        ]);
        let channel = Channel::new(&bob, &charlie);
        let simplex = |amounts: [(AssetId, Balance); 3]| {
            let entry = |(asset, amount): (AssetId, Balance)| Entry::sent(asset, amount * FRD);
            let entries: Vec<_> = amounts.into_iter().map(entry).collect();
            Simplex { nonce: 1, entries: entries.try_into().expect("three") }
        };
        // Bob has sent 30 FRD, 20 FRB and 7 francs; Charlie 5 FRD and 47 francs.
        let bobs = simplex([(NATIVE_ASSET, 30), (FRB, 20), (franc, 7)]);
        let charlies = simplex([(NATIVE_ASSET, 5), (FRB, 0), (franc, 47)]);
        let evidence = both(&channel, &charlie, &charlies, (&bob, &bobs));
        assert_eq!(chain.one(charlie.does(dispute(&channel, &bob, evidence))), Ok(()));
        let all = [NATIVE_ASSET, FRB, franc];
        let have = || [&bob, &charlie].map(|who| all.map(|asset| free(asset, who)));
        let before = have();
        chain.run_until_resolved(&channel);
        let after = have();
        let got = |who: usize, asset: usize| {
            let amount = |list: [[Balance; 3]; 2]| i128::try_from(list[who][asset]).expect("fits");
            amount(after) - amount(before)
        };
        let deposit = failsafe_runtime::Parameters::current().dispute_deposit;
        let deposit = i128::try_from(deposit).expect("fits");
        assert_eq!((got(0, 0), got(1, 0)), (units(75), units(25) + deposit));
        // Bob had 5 FRB.
        assert_eq!((got(0, 1), got(1, 1)), (units(-5), units(5)));
        assert_eq!((got(0, 2), got(1, 2)), (units(40), units(60)));
        assert_eq!(Debt::owes(bob.id()), vec![(FRB, 15 * FRD)]);
        assert_eq!(channel.view().collateral, vec![]);
    });
}

#[test]
fn currency_should_wait_as_unclaimed_when_its_issuer_freezes_it_during_a_dispute() {
    on(DEVELOPMENT, |chain| {
        let [ferdie, bob, charlie] = [Ferdie, Bob, Charlie].map(Party::known);
        let franc = issued(chain);
        chain.all(vec![
            bob.does(deposit_of(franc, 100 * FRD, &bob, &charlie)),
            bob.does(deposit(100 * FRD, &bob, &charlie)),
        ]);
        let channel = Channel::new(&bob, &charlie);
        let simplex = Simplex {
            nonce: 1,
            entries: vec![Entry::sent(NATIVE_ASSET, 40 * FRD), Entry::sent(franc, 40 * FRD)]
                .try_into()
                .expect("two"),
        };
        let evidence = channel.theirs(&bob, &simplex);
        chain.all(vec![
            charlie.does(dispute(&channel, &bob, evidence)),
            ferdie.does(Assets::freeze_asset { id: franc.into() }),
        ]);
        let had = free(NATIVE_ASSET, &bob);
        chain.run_until_resolved(&channel);
        assert_eq!(free(NATIVE_ASSET, &bob) - had, 60 * FRD, "the other asset goes on");
        let waiting = [&bob, &charlie].map(|who| Custody::unclaimed(who.id(), franc));
        assert_eq!(waiting, [60 * FRD, 40 * FRD]);
        chain.all(vec![
            ferdie.does(Assets::thaw_asset { id: franc.into() }),
            ferdie.does(pallet_custody::Call::claim { who: bob.id(), asset: franc }),
            ferdie.does(pallet_custody::Call::claim { who: charlie.id(), asset: franc }),
        ]);
        // Less the seed.
        assert_eq!(free(franc, &bob), 960 * FRD - 10);
        assert_eq!(free(franc, &charlie), 1_040 * FRD);
    });
}
