//! # Parameters
//!
//! The amendable numbers of `protocol.md` §9 as one value, since they constrain each other: a set
//! that breaks a relation of the column "must satisfy" is refused as a whole, at genesis and
//! later.
//!
//! ## Invariants (`do_try_state`)
//! 1. The numbers in force break no relation.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "derive macros cast the indices of variants; this crate casts nothing itself"
)]

pub use pallet::*;

use failsafe_primitives::{parameters::Parameters as Values, Balance};
use frame_support::traits::Get;

#[frame_support::pallet]
#[allow(clippy::large_enum_variant, reason = "one event and one call, with all parameters")]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// The protocol's parameters.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration.
    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// Who may amend the parameters.
        type AmendOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// Smallest native balance of an account: no deposit may be smaller.
        type ExistentialDeposit: Get<Balance>;
    }

    /// The numbers in force.
    #[pallet::storage]
    pub type Current<T: Config> = StorageValue<_, Values, ValueQuery, Development>;

    /// The development column.
    #[pallet::type_value]
    pub fn Development() -> Values {
        Values::DEVELOPMENT
    }

    /// What the chain specification chooses.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// The numbers in force from the first block on.
        pub values: Values,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self { values: Values::DEVELOPMENT, _config: Default::default() }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Err(error) = self.values.validate(T::ExistentialDeposit::get()) {
                panic!("the chain specification's parameters are not safe: {error:?}");
            }
            Current::<T>::put(self.values);
        }
    }

    /// Events.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The numbers were amended.
        Amended {
            /// The numbers now in force.
            values: Values,
        },
    }

    /// Errors.
    #[pallet::error]
    pub enum Error<T> {
        /// A dispute delay is below 6 usable blocks.
        DelayTooShort,
        /// `act` is below 5 usable blocks.
        ActTooShort,
        /// `final_min` is below `act + 2`.
        FinalMinTooShort,
        /// `lock_window` is below finality + transit + `final_min` + `forward_margin`.
        WindowTooShort,
        /// `keep` is below three windows + 17.
        KeepTooShort,
        /// `late` is below ten user delays.
        LateTooShort,
        /// The fee ceiling is above 500 basis points.
        FeeCeilingTooHigh,
        /// A time is above a year of blocks of 6 seconds.
        TimeTooLong,
        /// A deposit or the top-up is neither 0 nor at least the existential deposit.
        DepositTooSmall,
        /// A number is so large that the relations overflow.
        Overflow,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Replace all numbers at once.
        ///
        /// Origin: the runtime's amendment origin. Parameters:
        /// - `values`: the new numbers; times in usable blocks, amounts in smallest FRD units.
        ///
        /// Emits `Amended`. Refused with the name of the broken relation.
        #[pallet::call_index(0)]
        #[pallet::weight(T::DbWeight::get().reads_writes(1, 1))]
        pub fn amend(origin: OriginFor<T>, values: Values) -> DispatchResult {
            T::AmendOrigin::ensure_origin(origin)?;
            values.validate(T::ExistentialDeposit::get()).map_err(Error::<T>::from)?;
            Current::<T>::put(values);
            Self::deposit_event(Event::Amended { values });
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    impl<T: Config> Pallet<T> {
        /// Checks the invariant of the crate's documentation.
        #[cfg(any(feature = "try-runtime", feature = "std"))]
        pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
            let valid = Current::<T>::get().validate(T::ExistentialDeposit::get());
            ensure!(valid.is_ok(), "1: the parameters break a relation");
            Ok(())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The numbers in force.
        pub fn current() -> Values {
            Current::<T>::get()
        }
    }
}

impl<T> From<failsafe_primitives::ParametersError> for Error<T> {
    fn from(error: failsafe_primitives::ParametersError) -> Self {
        use failsafe_primitives::ParametersError as E;
        match error {
            E::DelayTooShort => Self::DelayTooShort,
            E::ActTooShort => Self::ActTooShort,
            E::FinalMinTooShort => Self::FinalMinTooShort,
            E::WindowTooShort => Self::WindowTooShort,
            E::KeepTooShort => Self::KeepTooShort,
            E::LateTooShort => Self::LateTooShort,
            E::FeeCeilingTooHigh => Self::FeeCeilingTooHigh,
            E::TimeTooLong => Self::TimeTooLong,
            E::DepositTooSmall => Self::DepositTooSmall,
            E::Overflow => Self::Overflow,
        }
    }
}

impl<T: Config> Get<Values> for Pallet<T> {
    fn get() -> Values {
        Current::<T>::get()
    }
}
