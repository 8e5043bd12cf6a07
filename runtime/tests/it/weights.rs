//! What batches weigh: the many alike of a rebalance weigh what each adds, everything else what it
//! weighs alone.

use crate::chain::*;
use failsafe_primitives::{AssetId, Balance, Withdrawal, WithdrawalItem, NATIVE_ASSET};
use failsafe_runtime::{Runtime, RuntimeCall, RuntimeEvent, System, FRB, FRD};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    weights::Weight,
};
use pallet_batch::Mode;
use sp_core::{ecdsa, ed25519, sr25519};
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::MultiSignature;

fn sr25519() -> MultiSignature {
    sr25519::Signature::from_raw([0; 64]).into()
}

fn withdraw(items: &[(AssetId, Balance)], proof: MultiSignature) -> RuntimeCall {
    let item = |&(asset, max_from_balance)| WithdrawalItem { asset, amount: FRD, max_from_balance };
    let items: Vec<_> = items.iter().map(item).collect();
    let items = items.try_into().expect("few items");
    let withdrawal = Withdrawal { withdrawal_nonce: 0, valid_until: 100, items };
    let partner = Party::known(Bob).id();
    pallet_insurance::Call::withdraw { partner, withdrawal, proof }.into()
}

fn deposit(asset: AssetId, epoch: Option<u32>) -> RuntimeCall {
    let (beneficiary, partner) = (Party::known(Alice).id(), Party::known(Bob).id());
    pallet_insurance::Call::deposit { asset, amount: FRD, beneficiary, partner, epoch }.into()
}

fn weigh(actions: Vec<RuntimeCall>) -> Weight {
    let call = pallet_batch::Call::<Runtime>::submit { actions, mode: Mode::SkipFailed };
    RuntimeCall::from(call).get_dispatch_info().call_weight
}

/// What the second of two actions adds.
fn added(first: RuntimeCall, second: RuntimeCall) -> Weight {
    weigh(vec![first.clone(), second]) - weigh(vec![first])
}

fn alone(call: &RuntimeCall) -> Weight {
    call.get_dispatch_info().call_weight
}

#[test]
fn rebalance_should_fit_a_block_and_leave_it_usable_when_it_has_5000_actions() {
    for epoch in [Some(0), Some(1)] {
        on(LOCAL, |_| {
            let withdrawals = (0..2_500).map(|_| withdraw(&[(NATIVE_ASSET, 0)], sr25519()));
            let deposits = (0..2_500).map(|_| deposit(NATIVE_ASSET, epoch));
            let weight = weigh(withdrawals.chain(deposits).collect());
            let limits = <Runtime as frame_system::Config>::BlockWeights::get();
            let normal = limits.get(DispatchClass::Normal).max_extrinsic.expect("a limit");
            assert!(weight.all_lte(normal), "{weight:?} of {normal:?}");
            // With what a block weighs without it.
            let whole = weight + System::block_weight().total();
            let most = pallet_clock::USABLE_BELOW * limits.max_block;
            assert!(whole.all_lt(most), "{whole:?} of {most:?}");
        });
    }
}

#[test]
fn withdrawal_should_weigh_what_it_adds_when_one_of_its_asset_has_gone_before() {
    on(LOCAL, |_| {
        for asset in [NATIVE_ASSET, FRB] {
            let cheap = withdraw(&[(asset, 0)], sr25519());
            assert!(weigh(vec![cheap.clone()]).all_gte(alone(&cheap)), "the first weighs all");
            let more = added(cheap.clone(), cheap.clone());
            assert!(more.ref_time() * 2 < alone(&cheap).ref_time(), "{more:?}");
        }
    });
}

#[test]
fn withdrawal_should_weigh_what_it_weighs_alone_when_it_is_of_another_shape() {
    on(LOCAL, |_| {
        let first = || withdraw(&[(NATIVE_ASSET, 0)], sr25519());
        let others = [
            withdraw(&[(FRB, 0)], sr25519()),
            withdraw(&[(NATIVE_ASSET, 1)], sr25519()),
            withdraw(&[(NATIVE_ASSET, 0), (FRB, 0)], sr25519()),
            withdraw(&[(NATIVE_ASSET, 0)], ecdsa::Signature::from_raw([0; 65]).into()),
        ];
        for other in others {
            assert!(added(first(), other.clone()).all_gte(alone(&other)), "{other:?}");
        }
        let ed25519 = withdraw(&[(NATIVE_ASSET, 0)], ed25519::Signature::from_raw([0; 64]).into());
        assert_eq!(added(first(), ed25519), added(first(), first()));
    });
}

#[test]
fn deposit_should_weigh_more_when_channel_or_account_may_be_new() {
    on(LOCAL, |_| {
        let known = || deposit(NATIVE_ASSET, Some(1));
        let perhaps_new = || deposit(NATIVE_ASSET, Some(0));
        let of_known = added(known(), known());
        let of_new = added(known(), perhaps_new());
        assert!(of_known.all_lt(of_new), "{of_known:?} {of_new:?}");
        assert_eq!(added(known(), deposit(NATIVE_ASSET, None)), of_new);
        let issued = deposit(FRB, None);
        assert!(added(known(), issued.clone()).all_gte(alone(&issued)), "first of its asset");
        pallet_protocol_parameters::Current::<Runtime>::mutate(|v| v.account_top_up = FRD);
        let of_account = added(known(), perhaps_new());
        assert!(of_new.all_lt(of_account), "{of_new:?} {of_account:?}");
        pallet_protocol_parameters::Current::<Runtime>::mutate(|v| v.account_top_up = 0);
    });
}

#[test]
fn call_should_weigh_less_afterwards_when_branches_were_not_used() {
    on(LOCAL, |chain| {
        let (alice, bob) = (Party::known(Alice), Party::known(Bob));
        let fund = || pallet_insurance::Call::<Runtime>::deposit {
            asset: NATIVE_ASSET,
            amount: FRD,
            beneficiary: bob.id(),
            partner: alice.id(),
            epoch: None,
        };
        let full = fund().get_dispatch_info().call_weight;
        assert_eq!(chain.one(bob.does(fund())), Ok(()));
        let opening = used();
        assert_eq!(chain.one(bob.does(fund())), Ok(()));
        let again = used();
        assert!(opening.all_gte(full), "a new record: {opening:?} of {full:?}");
        assert!(again.all_lt(full), "nothing new: {again:?} of {full:?}");

        let withdrawal = Channel::new(&alice, &bob).withdrawal(&bob, FRD, 0);
        let full = alone(&withdrawal);
        let actions = vec![withdrawal];
        let batch = pallet_batch::Call::<Runtime>::submit { actions, mode: Mode::Atomic };
        let declared = batch.get_dispatch_info().call_weight;
        assert_eq!(chain.one(bob.does(batch)), Ok(()));
        assert!(used().all_lt(declared) && declared.all_gte(full), "no draw on the balance");
    });
}

/// What the last transaction of the block has used.
fn used() -> Weight {
    let weight = |event| match event {
        RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess { dispatch_info }) => {
            Some(dispatch_info.weight)
        },
        _ => None,
    };
    events().into_iter().filter_map(weight).last().expect("a transaction that succeeded")
}
