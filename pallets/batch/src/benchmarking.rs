//! A batch by itself, and the rebalance, for what its actions cost after the first ones: payer,
//! custody account and asset are touched once for all.

use crate::*;
use alloc::vec::Vec;
use failsafe_pallet_support::benchmarking::World;
use failsafe_primitives::{AssetId, NATIVE_ASSET};
use frame_benchmarking::v2::*;
use frame_support::traits::Hooks;
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};

/// What the runtime provides for the benchmarks of batches.
pub trait Rebalances: Config + World {
    /// Who rebalances.
    fn rebalancer() -> AccountId;
    /// An action that fails as early as an action can.
    fn failing() -> <Self as Config>::RuntimeCall;
    /// `count` withdrawals of the rebalancer by proof from insurance, each from a channel of its
    /// own.
    fn withdrawals(asset: AssetId, count: u32) -> Vec<<Self as Config>::RuntimeCall>;
    /// `count` deposits of the rebalancer, each into a channel of its own.
    fn deposits(
        asset: AssetId,
        count: u32,
        channels: Channels,
    ) -> Vec<<Self as Config>::RuntimeCall>;
}

/// The channels of deposits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// They have a record and collateral, and their parties exist.
    Known,
    /// They are new; their parties exist.
    New,
    /// They are new, and neither party exists: both get a top-up.
    NewParties,
}

#[benchmarks(where T: Rebalances)]
mod benchmarks {
    use super::*;

    /// `a` actions that fail and are skipped; with the end of the block, which forgets the
    /// submitter.
    #[benchmark]
    fn submit(a: Linear<1, 1000>) {
        let actions: Vec<_> = (0..a).map(|_| T::failing()).collect();
        let who = T::rebalancer();
        let origin = RawOrigin::Signed(who.clone()).into();

        #[block]
        {
            Pallet::<T>::submit(origin, actions, Mode::SkipFailed).expect("nothing undoes it");
            Pallet::<T>::on_finalize(BlockNumberFor::<T>::from(1u32));
        }

        assert!(!Submitters::<T>::contains_key(who));
    }

    /// `w` withdrawals and `d` deposits into known channels.
    #[benchmark]
    fn rebalance(w: Linear<0, 200>, d: Linear<0, 200>) {
        let actions = rebalance_of::<T>(NATIVE_ASSET, w, d, Channels::Known);
        let who = T::rebalancer();

        #[extrinsic_call]
        submit(RawOrigin::Signed(who), actions, Mode::SkipFailed);

        assert_done::<T>(w + d + 2);
    }

    /// `w` withdrawals and `d` deposits into new channels, in an issued asset.
    #[benchmark]
    fn rebalance_issued(w: Linear<0, 200>, d: Linear<0, 200>) {
        let actions = rebalance_of::<T>(T::asset(1), w, d, Channels::New);
        let who = T::rebalancer();

        #[extrinsic_call]
        submit(RawOrigin::Signed(who), actions, Mode::SkipFailed);

        assert_done::<T>(w + d + 2);
    }

    /// `d` deposits into new channels.
    #[benchmark]
    fn open_channels(d: Linear<0, 200>) {
        let actions = rebalance_of::<T>(NATIVE_ASSET, 0, d, Channels::New);
        let who = T::rebalancer();

        #[extrinsic_call]
        submit(RawOrigin::Signed(who), actions, Mode::SkipFailed);

        assert_done::<T>(d + 2);
    }

    /// `d` deposits into new channels of new accounts.
    #[benchmark]
    fn open_accounts(d: Linear<0, 200>) {
        let actions = rebalance_of::<T>(NATIVE_ASSET, 0, d, Channels::NewParties);
        let who = T::rebalancer();

        #[extrinsic_call]
        submit(RawOrigin::Signed(who), actions, Mode::SkipFailed);

        assert_done::<T>(d + 2);
    }
}

/// A withdrawal and a deposit, then `w` and `d` of which the marginal cost is measured.
fn rebalance_of<T: Rebalances>(
    asset: AssetId,
    w: u32,
    d: u32,
    channels: Channels,
) -> Vec<<T as Config>::RuntimeCall> {
    T::charge_everything();
    if channels != Channels::NewParties {
        T::no_top_up();
    }
    let mut actions = T::withdrawals(asset, w.saturating_add(1));
    actions.extend(T::deposits(asset, d.saturating_add(1), channels));
    actions
}

/// Nothing was skipped.
fn assert_done<T: Rebalances>(done: u32) {
    let account = T::rebalancer();
    let completed = Event::<T>::BatchCompleted { account, done, skipped: 0 };
    frame_system::Pallet::<T>::assert_last_event(completed.into());
}
