//! # Clock
//!
//! Counts **usable blocks** (`protocol.md` §7, M14): +1 per block whose predecessor used less
//! than 70 % of the block's weight *and* length, all dispatch classes together. Deadlines of
//! disputes, withdrawals and locks are counted on this clock, so nobody can run out somebody
//! else's timer by filling blocks.
//!
//! The pallet also keeps the slot duration that the chain specification chose; it cannot change
//! after genesis.
//!
//! ## Invariants (`do_try_state`)
//! 1. No more usable blocks than blocks.
//! 2. A slot has at least 100 ms.

#![cfg_attr(not(feature = "std"), no_std)]

pub use pallet::*;

use failsafe_pallet_support::UsableClock;
use failsafe_primitives::Clock;
use frame_support::traits::Get;
use sp_runtime::Perbill;

/// A block that used this share or more of its weight or length does not count.
pub const USABLE_BELOW: Perbill = Perbill::from_percent(70);

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// The usable clock.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration: nothing beyond the system's.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// Usable blocks so far.
    #[pallet::storage]
    pub type Now<T: Config> = StorageValue<_, Clock, ValueQuery>;

    /// Whether the block that is being built, at its end, leaves enough room to count.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type PredecessorFull<T: Config> = StorageValue<_, bool, ValueQuery>;

    /// Duration of an authorship slot in milliseconds, fixed at genesis.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type SlotDuration<T: Config> = StorageValue<_, u64, ValueQuery, DefaultSlotDuration>;

    /// Six seconds, the production value.
    #[pallet::type_value]
    pub fn DefaultSlotDuration() -> u64 {
        6_000
    }

    /// What the chain specification chooses.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Duration of a slot in milliseconds.
        pub slot_duration: u64,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self { slot_duration: DefaultSlotDuration::get(), _config: Default::default() }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(self.slot_duration >= 100, "a slot shorter than 100 ms cannot be kept");
            SlotDuration::<T>::put(self.slot_duration);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            if !PredecessorFull::<T>::get() {
                // One per block: 2^64 blocks do not come.
                Now::<T>::mutate(|now| *now = now.saturating_add(1));
            }
            // Pays for `on_finalize` too.
            T::DbWeight::get().reads_writes(4, 2)
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            PredecessorFull::<T>::put(Self::is_full());
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// Usable blocks so far.
        pub fn now() -> Clock {
            Now::<T>::get()
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Checks the invariants of the crate's documentation.
    #[cfg(any(feature = "try-runtime", feature = "std"))]
    pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
        use sp_runtime::traits::UniqueSaturatedInto;
        let block: u64 = frame_system::Pallet::<T>::block_number().unique_saturated_into();
        frame_support::ensure!(Now::<T>::get() <= block, "1: more usable blocks than blocks");
        frame_support::ensure!(SlotDuration::<T>::get() >= 100, "2: slots that cannot be kept");
        Ok(())
    }

    /// Whether the current block has used 70 % of its weight or of its length.
    fn is_full() -> bool {
        let used = frame_system::Pallet::<T>::block_weight().total();
        let most = USABLE_BELOW * T::BlockWeights::get().max_block;
        let length = frame_system::Pallet::<T>::block_size();
        let limits = T::BlockLength::get().max;
        let longest = frame_support::dispatch::DispatchClass::all()
            .iter()
            .map(|class| *limits.get(*class))
            .max()
            .unwrap_or_default();
        used.any_gte(most) || length >= USABLE_BELOW * longest
    }
}

impl<T: Config> UsableClock for Pallet<T> {
    fn now() -> Clock {
        Now::<T>::get()
    }
}
