//! Worst cases: as many validators as may be, all of whom vote with long rationales, and as many open
//! proposals.

use crate::*;
use alloc::{boxed::Box, vec, vec::Vec};
use failsafe_pallet_support::benchmarking::{stranger, World, UNIT};
use frame_benchmarking::v2::*;
use frame_support::{
    pallet_prelude::ConstU32,
    traits::{fungible::Inspect, Get},
    BoundedVec,
};
use frame_system::RawOrigin;

/// Bytes as many as may be.
fn longest<N: Get<u32>>() -> BoundedVec<u8, N> {
    BoundedVec::truncate_from(vec![b'x'; 8_192])
}

fn validator(index: u32) -> Validator {
    let key: [u8; 32] = stranger("key", 0, index).into();
    Validator {
        account: stranger("validator", 0, index),
        name: longest(),
        location: longest(),
        // No common divisor, so that every share has its slot.
        shares: MAX_SHARES / MAX_VALIDATORS - u32::from(index == 0),
        aura: sp_core::sr25519::Public::from_raw(key),
        grandpa: sp_core::ed25519::Public::from_raw(key),
    }
}

/// As many validators as may be.
fn full_set() -> Validators {
    BoundedVec::truncate_from((0..MAX_VALIDATORS).map(validator).collect())
}

/// A call that does as little as possible: its own weight is charged beside.
fn calls<T: Config>() -> Vec<Box<<T as Config>::RuntimeCall>>
where
    <T as Config>::RuntimeCall: From<frame_system::Call<T>>,
{
    vec![Box::new(frame_system::Call::remark { remark: vec![0; 8_192] }.into())]
}

/// An open proposal of somebody with money, due at `due`; returns its number.
fn open<T: Config + World>(who: &AccountId, due: Clock) -> ProposalId
where
    <T as Config>::RuntimeCall: From<frame_system::Call<T>>,
{
    // Nothing beside the deposit, so that it can owe.
    T::give(who, NATIVE_ASSET, T::Deposit::get() + T::Native::minimum_balance());
    Pallet::<T>::do_propose(who.clone(), longest(), longest(), calls::<T>())
        .expect("there is room");
    let id = NextProposal::<T>::get() - 1;
    Proposals::<T>::mutate(id, |proposal| {
        if let Some(proposal) = proposal {
            proposal.due = due;
        }
    });
    id
}

/// Fills the agenda but for one place.
fn crowd<T: Config>() {
    let others = (1..MAX_OPEN).map(|i| (Clock::MAX, ProposalId::MAX - i)).collect();
    Agenda::<T>::put(BoundedVec::<_, ConstU32<MAX_OPEN>>::truncate_from(others));
}

fn everybody_votes<T: Config>(id: ProposalId) {
    for validator in Current::<T>::get() {
        let vote = Vote { approve: true, rationale: longest() };
        Votes::<T>::insert(id, &validator.account, vote);
    }
}

#[benchmarks(
    where T: World, <T as Config>::RuntimeCall: From<frame_system::Call<T>>
)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn propose() {
        T::charge_everything();
        crowd::<T>();
        let who = stranger("proposer", 0, 0);
        T::give(&who, NATIVE_ASSET, UNIT);

        #[extrinsic_call]
        propose(RawOrigin::Signed(who), longest(), longest(), calls::<T>());

        assert_eq!(NextProposal::<T>::get(), 1);
    }

    #[benchmark]
    fn vote() {
        T::charge_everything();
        Current::<T>::put(full_set());
        let id = open::<T>(&stranger("proposer", 0, 0), Clock::MAX);
        let last = validator(MAX_VALIDATORS - 1).account;

        #[extrinsic_call]
        vote(RawOrigin::Signed(last), id, true, longest());

        assert_eq!(Votes::<T>::iter().count(), 1);
    }

    /// An accepted proposal, whose deposit pays its proposer's only debt.
    #[benchmark]
    fn conclude() {
        T::charge_everything();
        Current::<T>::put(full_set());
        crowd::<T>();
        let who = stranger("proposer", 0, 0);
        let id = open::<T>(&who, 0);
        everybody_votes::<T>(id);
        T::burden(&who, NATIVE_ASSET, UNIT / 10, 1);

        #[extrinsic_call]
        conclude(RawOrigin::Signed(stranger("anybody", 0, 0)), id);

        assert!(!Proposals::<T>::contains_key(id));
    }

    /// As much as in `conclude`, without carrying out.
    #[benchmark]
    fn cancel() {
        T::charge_everything();
        Current::<T>::put(full_set());
        crowd::<T>();
        let who = stranger("proposer", 0, 0);
        let id = open::<T>(&who, 0);
        everybody_votes::<T>(id);
        T::burden(&who, NATIVE_ASSET, UNIT / 10, 1);

        #[extrinsic_call]
        cancel(RawOrigin::Signed(who), id);

        assert!(!Proposals::<T>::contains_key(id));
    }

    #[benchmark]
    fn set_validators() {
        Current::<T>::put(full_set());

        #[extrinsic_call]
        set_validators(RawOrigin::Root, full_set());

        assert!(Planned::<T>::exists());
    }

    #[benchmark]
    fn set_voting_period() {
        #[extrinsic_call]
        set_voting_period(RawOrigin::Root, 20);

        assert_eq!(VotingPeriod::<T>::get(), 20);
    }

    /// A look at a full agenda of which nothing is due.
    #[benchmark]
    fn agenda() {
        crowd::<T>();
        let block = T::BlockWeights::get().max_block;

        #[block]
        {
            Pallet::<T>::serve_agenda(block);
        }

        assert_eq!(Agenda::<T>::decode_len(), Some(63));
    }

    /// A border with a plan for a later one.
    #[benchmark]
    fn border() {
        Planned::<T>::put(Plan { validators: full_set(), border: u32::MAX.into() });

        #[block]
        {
            Pallet::<T>::cross_border(0u32.into());
        }

        assert!(Planned::<T>::exists());
    }

    /// A border with the largest set.
    #[benchmark]
    fn change_set() {
        Current::<T>::put(full_set());
        Planned::<T>::put(Plan { validators: full_set(), border: 0u32.into() });

        #[block]
        {
            Pallet::<T>::cross_border(0u32.into());
        }

        assert!(!Planned::<T>::exists());
    }
}
