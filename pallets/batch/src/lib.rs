//! # Batch
//!
//! Many actions under one signature (`protocol.md` §7): a rebalance with its withdrawals and
//! deposits, or a user's collected errands. One per account and block.
//!
//! * **Atomic**: the first action that fails undoes all.
//! * **Skip-failed**: an action that fails is skipped, with an event. Urgent things, like a
//!   counter, travel alone or like this (M6).
//!
//! The fee covers length and weight of all actions. Batches in batches are impossible: an action
//! must be in `Actions`.
//!
//! A second batch of an account does not enter the block at all: [`OneBatchPerBlock`] leaves it in
//! the pool for the next one, so it costs nothing to have sent it early. Dispatch refuses it too.
//!
//! ## Invariants (`do_try_state`)
//! 1. Between blocks nobody counts as having had a batch.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "derive macros cast the indices of variants; this crate casts nothing itself"
)]

extern crate alloc;

pub use extension::OneBatchPerBlock;
pub use pallet::*;

mod extension;

use failsafe_primitives::AccountId;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{
        dispatch::{extract_actual_weight, GetDispatchInfo, PostDispatchInfo},
        pallet_prelude::*,
        storage::with_storage_layer,
        traits::{Contains, IsSubType},
    };
    use frame_system::pallet_prelude::*;
    use sp_runtime::traits::Dispatchable;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// Batches of actions.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The runtime's calls.
        type RuntimeCall: Parameter
            + Dispatchable<RuntimeOrigin = Self::RuntimeOrigin, PostInfo = PostDispatchInfo>
            + GetDispatchInfo
            + From<frame_system::Call<Self>>
            + IsSubType<Call<Self>>
            + IsType<<Self as frame_system::Config>::RuntimeCall>;
        /// What may be an action.
        type Actions: Contains<<Self as Config>::RuntimeCall>;
        /// Most actions of a batch.
        #[pallet::constant]
        type MaxActions: Get<u32>;
    }

    /// What happens when an action fails.
    #[derive(
        Clone,
        Copy,
        Debug,
        PartialEq,
        Eq,
        Encode,
        Decode,
        DecodeWithMemTracking,
        MaxEncodedLen,
        TypeInfo,
    )]
    pub enum Mode {
        /// All are undone.
        #[codec(index = 0)]
        Atomic,
        /// It is skipped.
        #[codec(index = 1)]
        SkipFailed,
    }

    /// Accounts that have had a batch in this block; empty between blocks.
    #[pallet::storage]
    pub type Submitters<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, ()>;

    /// Events.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A batch was carried out.
        BatchCompleted {
            /// Whose.
            account: AccountId,
            /// How many actions took effect.
            done: u32,
            /// How many were skipped.
            skipped: u32,
        },
        /// An action of a skip-failed batch failed.
        ActionSkipped {
            /// Its place in the batch, from 0.
            index: u32,
            /// Why.
            error: DispatchError,
        },
    }

    /// Errors.
    #[pallet::error]
    pub enum Error<T> {
        /// One batch per account and block: send it again.
        OnePerBlock,
        /// A batch without actions.
        Empty,
        /// More actions than a batch may have.
        TooManyActions,
        /// This call cannot be an action of a batch.
        NotAnAction,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Carry out many actions under one signature.
        ///
        /// Origin: signed; the actions get the same origin. Parameters:
        /// - `actions`: withdrawals, deposits, disputes, counters, closes, claims, transfers, hub
        ///   and asset calls.
        /// - `mode`: `Atomic` undoes all if one fails, `SkipFailed` skips what fails.
        ///
        /// Emits `BatchCompleted`, and `ActionSkipped` per skipped action.
        #[pallet::call_index(0)]
        #[pallet::weight(Pallet::<T>::weight_of(actions))]
        pub fn submit(
            origin: OriginFor<T>,
            actions: Vec<<T as Config>::RuntimeCall>,
            mode: Mode,
        ) -> DispatchResultWithPostInfo {
            let account = ensure_signed(origin.clone())?;
            ensure!(!actions.is_empty(), Error::<T>::Empty);
            let most = usize::try_from(T::MaxActions::get()).unwrap_or(usize::MAX);
            ensure!(actions.len() <= most, Error::<T>::TooManyActions);
            ensure!(actions.iter().all(T::Actions::contains), Error::<T>::NotAnAction);
            ensure!(!Submitters::<T>::contains_key(&account), Error::<T>::OnePerBlock);
            Submitters::<T>::insert(&account, ());

            let (mut done, mut skipped) = (0u32, 0u32);
            let mut weight = Self::base_weight();
            for (index, action) in (0u32..).zip(actions) {
                let info = action.get_dispatch_info();
                let origin = origin.clone();
                let result = match mode {
                    Mode::Atomic => action.dispatch(origin),
                    Mode::SkipFailed => with_storage_layer(|| action.dispatch(origin)),
                };
                weight = weight.saturating_add(extract_actual_weight(&result, &info));
                match (result, mode) {
                    (Ok(_), _) => done = done.saturating_add(1),
                    (Err(error), Mode::Atomic) => {
                        let post_info = Some(weight).into();
                        return Err(sp_runtime::DispatchErrorWithPostInfo { post_info, ..error });
                    },
                    (Err(error), Mode::SkipFailed) => {
                        skipped = skipped.saturating_add(1);
                        Self::deposit_event(Event::ActionSkipped { index, error: error.error });
                    },
                }
            }
            Self::deposit_event(Event::BatchCompleted { account, done, skipped });
            Ok(Some(weight).into())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_finalize(_: BlockNumberFor<T>) {
            // As many as there were batches in this block, each of which paid for it.
            let _ = Submitters::<T>::clear(u32::MAX, None);
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    impl<T: Config> Pallet<T> {
        /// Hand-estimated, to be replaced by a benchmark. Pays for the end of the block too, which
        /// forgets the submitter.
        fn base_weight() -> Weight {
            Weight::from_parts(20_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(2, 2))
        }

        /// Checks the invariant of the crate's documentation.
        #[cfg(any(feature = "try-runtime", feature = "std"))]
        pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
            ensure!(Submitters::<T>::iter().next().is_none(), "1: a batch between blocks");
            Ok(())
        }

        /// The batch's own weight and that of every action.
        fn weight_of(actions: &[<T as Config>::RuntimeCall]) -> Weight {
            let each = actions.iter().map(|action| action.get_dispatch_info().call_weight);
            each.fold(Self::base_weight(), Weight::saturating_add)
        }
    }
}
