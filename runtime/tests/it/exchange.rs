//! The order book in the whole runtime.

use crate::chain::*;
use failsafe_primitives::NATIVE_ASSET;
use failsafe_runtime::{Exchange, Runtime, RuntimeCall, FRB, FRD};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Ferdie};

fn place(sell: (u32, u128), buy: (u32, u128)) -> RuntimeCall {
    pallet_exchange::Call::place {
        sell_asset: sell.0,
        sell: sell.1 * FRD,
        buy_asset: buy.0,
        buy: buy.1 * FRD,
        max_matches: 64,
    }
    .into()
}

#[test]
fn orders_should_trade_when_they_come_in_a_batch() {
    on(LOCAL, |chain| {
        let (alice, bob) = (Party::known(Alice), Party::known(Bob));
        let orders = [50, 40, 60].map(|buy| place((NATIVE_ASSET, 100), (FRB, buy)));
        assert_eq!(chain.one(alice.does(atomic(orders.to_vec()))), Ok(()));
        let book = Exchange::book(NATIVE_ASSET, FRB, 10);
        assert_eq!(book.iter().map(|order| order.id).collect::<Vec<_>>(), [1, 0, 2]);
        let before = free(FRB, &bob);
        assert_eq!(chain.one(bob.does(place((FRB, 90), (NATIVE_ASSET, 180)))), Ok(()));
        assert_eq!(before - free(FRB, &bob), 90 * FRD);
        assert_eq!(Exchange::orders(alice.id(), 10).len(), 1, "the two cheap ones are gone");
    });
}

#[test]
fn order_should_pay_for_a_dispute_when_its_owner_loses_one() {
    on(LOCAL, |chain| {
        let [owner] = Party::strangers(1).try_into().ok().expect("one");
        let (alice, creditor) = (Party::known(Alice), Party::known(Charlie));
        chain.all(vec![
            alice.does(transfer(&owner, 200 * FRD)),
            owner.does(place((NATIVE_ASSET, 150), (FRB, 1_000))),
        ]);
        let channel = Channel::new(&owner, &creditor);
        let evidence = channel.theirs(&owner, &sent(1, 180 * FRD));
        let before = free(NATIVE_ASSET, &creditor);
        assert_eq!(chain.one(creditor.does(dispute(&channel, &owner, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        for _ in 0..3 {
            chain.block(vec![]);
        }
        assert_eq!(Exchange::book(NATIVE_ASSET, FRB, 10), vec![], "taken off by itself");
        assert!(free(NATIVE_ASSET, &creditor) > before + 179 * FRD, "and paid out");
    });
}

#[test]
fn order_should_be_paid_back_in_full_when_the_asset_is_frozen_and_thawed() {
    on(LOCAL, |chain| {
        let (alice, bob, ferdie) = (Party::known(Alice), Party::known(Bob), Party::known(Ferdie));
        assert_eq!(chain.one(bob.does(place((FRB, 10), (NATIVE_ASSET, 10)))), Ok(()));
        let freeze = pallet_assets::Call::freeze_asset { id: FRB.into() };
        assert_eq!(chain.one(alice.does(freeze)), Ok(()));
        let before = free(NATIVE_ASSET, &bob);
        // The trade stands; what cannot be delivered waits.
        assert_eq!(chain.one(ferdie.does(place((NATIVE_ASSET, 10), (FRB, 10)))), Ok(()));
        assert!(free(NATIVE_ASSET, &bob) > before);
        let waiting = |who: &Party| failsafe_runtime::Custody::unclaimed(who.id(), FRB);
        assert_eq!(waiting(&ferdie), 10 * FRD);
        let thaw = pallet_assets::Call::thaw_asset { id: FRB.into() };
        let claim = pallet_custody::Call::<Runtime>::claim { who: ferdie.id(), asset: FRB };
        chain.all(vec![alice.does(thaw), alice.does(claim)]);
        assert_eq!(waiting(&ferdie), 0);
    });
}
