//! Issuers and the sudo key against the account that holds everybody's insurance.

use crate::chain::*;
use failsafe_primitives::{AssetId, Balance};
use failsafe_runtime::{Address, Custody, Runtime, RuntimeCall, FRB, FRD};
use frame_system::Error::CallFiltered;
use pallet_assets::{Call, Error};
use pallet_batch::Mode;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Ferdie};
use sp_runtime::DispatchError;

fn custody() -> Address {
    Address::Id(Custody::account())
}

fn in_custody() -> Balance {
    use frame_support::traits::fungibles::Inspect;
    failsafe_runtime::configs::Money::balance(FRB, &Custody::account())
}

/// What an issuer can do to the account `who`.
fn powers(asset: AssetId, who: &Address, to: &Party) -> Vec<RuntimeCall> {
    let (id, who, dest) = (asset.into(), who.clone(), to.address());
    vec![
        Call::burn { id, who: who.clone(), amount: FRD }.into(),
        Call::force_transfer { id, source: who.clone(), dest: dest.clone(), amount: FRD }.into(),
        Call::freeze { id, who: who.clone() }.into(),
        Call::block { id, who: who.clone() }.into(),
        Call::refund_other { id, who: who.clone() }.into(),
        Call::transfer_approved { id, owner: who, destination: dest, amount: FRD }.into(),
    ]
}

/// Everything by which an asset is destroyed.
fn destruction(asset: AssetId) -> Vec<RuntimeCall> {
    let id = asset.into();
    vec![
        Call::start_destroy { id }.into(),
        Call::destroy_accounts { id }.into(),
        Call::destroy_approvals { id }.into(),
        Call::finish_destroy { id }.into(),
    ]
}

/// A chain on which Ferdie has insured 100 FRB with Bob. Alice is the issuer, and has the sudo key.
fn with_insured(test: impl FnOnce(&mut Chain, &Party)) {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        assert_eq!(chain.one(ferdie.does(deposit_of(FRB, 100 * FRD, &ferdie, &bob))), Ok(()));
        assert_eq!(in_custody(), 100 * FRD);
        test(chain, &Party::known(Alice));
        assert_eq!(in_custody(), 100 * FRD);
        // It still comes out.
        let channel = Channel::new(&ferdie, &bob);
        let proof = channel.withdrawal_of(&ferdie, &[(FRB, 100 * FRD, 0)]);
        assert_eq!(chain.one(ferdie.does(proof)), Ok(()));
        assert_eq!(free(FRB, &ferdie), 1_000_000 * FRD);
    });
}

fn filtered() -> DispatchError {
    CallFiltered::<Runtime>.into()
}

#[test]
fn custody_should_be_out_of_reach_when_an_issuer_uses_his_powers() {
    with_insured(|chain, alice| {
        for call in powers(FRB, &custody(), alice) {
            assert_eq!(chain.one(alice.does(call.clone())), Err(filtered()), "{call:?}");
        }
    });
}

#[test]
fn custody_should_be_out_of_reach_when_an_issuer_wraps_his_powers_in_a_batch() {
    with_insured(|chain, alice| {
        for call in powers(FRB, &custody(), alice) {
            let result = chain.one(alice.does(atomic(vec![call.clone()])));
            assert_eq!(result, Err(filtered()), "{call:?}");
            let skip = batch(vec![call.clone()], Mode::SkipFailed);
            assert_eq!(chain.one(alice.does(skip)), Ok(()));
            let skipped = pallet_batch::Event::ActionSkipped { index: 0, error: filtered() };
            assert!(events().contains(&skipped.into()), "{call:?}");
        }
    });
}

#[test]
fn custody_should_be_out_of_reach_when_the_sudo_key_wraps_a_power() {
    with_insured(|chain, alice| {
        let weight = frame_support::weights::Weight::zero();
        for call in powers(FRB, &custody(), alice) {
            let boxed = Box::new(call.clone());
            for sudo in [
                pallet_sudo::Call::sudo { call: boxed.clone() },
                pallet_sudo::Call::sudo_unchecked_weight { call: boxed.clone(), weight },
                pallet_sudo::Call::sudo_as { who: alice.address(), call: boxed.clone() },
                pallet_sudo::Call::sudo {
                    call: Box::new(pallet_sudo::Call::sudo { call: boxed.clone() }.into()),
                },
            ] {
                assert_eq!(chain.one(alice.does(sudo)), Err(filtered()), "{call:?}");
            }
        }
    });
}

#[test]
fn custody_should_not_act_when_the_sudo_key_speaks_in_its_name() {
    with_insured(|chain, alice| {
        let call = Box::new(transfer_of(FRB, alice, FRD));
        let sudo = pallet_sudo::Call::sudo_as { who: custody(), call };
        assert_eq!(chain.one(alice.does(sudo)), Err(filtered()));
    });
}

#[test]
fn asset_should_not_be_destroyed_when_some_of_it_is_insured() {
    with_insured(|chain, alice| {
        for call in destruction(FRB) {
            let alone = chain.one(alice.does(call.clone()));
            assert!(alone.is_err(), "{call:?}");
            let wrapped = chain.one(alice.does(atomic(vec![call.clone()])));
            assert_eq!(wrapped.map_err(strip), alone.map_err(strip), "{call:?}");
            let sudo = pallet_sudo::Call::sudo { call: Box::new(call.clone()) };
            assert_eq!(chain.one(alice.does(sudo)), Ok(()));
            let refused = |event: &_| {
                let failed = pallet_sudo::Event::Sudid { sudo_result: Ok(()) };
                *event == failsafe_runtime::RuntimeEvent::Sudo(failed)
            };
            assert!(!events().iter().any(refused), "not even root: {call:?}");
        }
        let start = chain.one(alice.does(Call::start_destroy { id: FRB.into() }));
        assert_eq!(start, Err(Error::<Runtime>::ContainsHolds.into()));
    });
}

/// An error without its message, which travels in one way and not in the other.
fn strip(error: DispatchError) -> DispatchError {
    match error {
        DispatchError::Module(module) => {
            DispatchError::Module(sp_runtime::ModuleError { message: None, ..module })
        },
        other => other,
    }
}

#[test]
fn asset_should_be_destroyed_when_nothing_of_it_is_insured() {
    on(DEVELOPMENT, |chain| {
        let ferdie = Party::known(Ferdie);
        let id = pallet_assets::NextAssetId::<Runtime>::get().expect("numbered");
        let create = Call::create { id: id.into(), admin: ferdie.address(), min_balance: 1 };
        assert_eq!(chain.one(ferdie.does(create)), Ok(()));
        chain.all(destruction(id).into_iter().map(|call| ferdie.does(call)).collect());
        assert!(!pallet_assets::Asset::<Runtime>::contains_key(id));
    });
}

#[test]
fn issuer_should_keep_his_powers_when_the_account_is_not_custody() {
    with_insured(|chain, alice| {
        let bob = Party::known(Bob);
        let had = free(FRB, alice);
        for call in powers(FRB, &bob.address(), alice) {
            let approved = matches!(
                call,
                RuntimeCall::Assets(Call::refund_other { .. } | Call::transfer_approved { .. })
            );
            let result = chain.trial(|chain| chain.one(alice.does(call.clone())));
            // These two need Bob's approval or a deposit; they pass the filter.
            assert_eq!(result.is_err(), approved, "{call:?}");
            assert_ne!(result, Err(filtered()));
        }
        let seize = Call::force_transfer {
            id: FRB.into(),
            source: bob.address(),
            dest: alice.address(),
            amount: FRD,
        };
        assert_eq!(chain.one(alice.does(seize)), Ok(()));
        assert_eq!(free(FRB, alice), had + FRD);
    });
}

#[test]
fn insurance_should_wait_as_unclaimed_when_the_receiver_is_blocked() {
    on(DEVELOPMENT, |chain| {
        let (alice, ferdie, bob) = (Party::known(Alice), Party::known(Ferdie), Party::known(Bob));
        assert_eq!(chain.one(ferdie.does(deposit_of(FRB, 100 * FRD, &ferdie, &bob))), Ok(()));
        let block = Call::block { id: FRB.into(), who: ferdie.address() };
        assert_eq!(chain.one(alice.does(block)), Ok(()));
        let channel = Channel::new(&ferdie, &bob);
        let proof = channel.withdrawal_of(&ferdie, &[(FRB, 100 * FRD, 0)]);
        assert_eq!(chain.one(ferdie.does(proof)), Ok(()));
        assert_eq!(Custody::unclaimed(ferdie.id(), FRB), 100 * FRD);
        // Owed by custody now, not insured: as much out of reach as before.
        for call in powers(FRB, &custody(), &alice) {
            assert_eq!(chain.one(alice.does(call.clone())), Err(filtered()), "{call:?}");
        }
        let destroy = chain.one(alice.does(Call::start_destroy { id: FRB.into() }));
        assert_eq!(destroy, Err(Error::<Runtime>::ContainsHolds.into()));

        let claim = || pallet_custody::Call::claim { who: ferdie.id(), asset: FRB };
        assert!(chain.one(bob.does(claim())).is_err(), "still blocked");
        let thaw = Call::thaw { id: FRB.into(), who: ferdie.address() };
        chain.all(vec![alice.does(thaw), bob.does(claim())]);
        assert_eq!(free(FRB, &ferdie), 1_000_000 * FRD);
    });
}

#[test]
fn custody_should_pay_out_later_when_the_whole_asset_was_frozen() {
    on(DEVELOPMENT, |chain| {
        let (alice, ferdie, bob) = (Party::known(Alice), Party::known(Ferdie), Party::known(Bob));
        assert_eq!(chain.one(ferdie.does(deposit_of(FRB, 100 * FRD, &ferdie, &bob))), Ok(()));
        let channel = Channel::new(&ferdie, &bob);
        chain.all(vec![
            alice.does(Call::freeze_asset { id: FRB.into() }),
            ferdie.does(dispute(&channel, &bob, Default::default())),
        ]);
        chain.run_until_resolved(&channel);
        assert_eq!(Custody::unclaimed(ferdie.id(), FRB), 100 * FRD);
        chain.all(vec![
            alice.does(Call::thaw_asset { id: FRB.into() }),
            ferdie.does(pallet_custody::Call::claim { who: ferdie.id(), asset: FRB }),
        ]);
        assert_eq!(free(FRB, &ferdie), 1_000_000 * FRD);
    });
}
