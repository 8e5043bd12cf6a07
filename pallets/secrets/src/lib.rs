//! # Secrets
//!
//! The registry of revealed secrets (`protocol.md` §7). A hash lock of a dispute counts if the
//! secret of its hash was revealed here at or before its expiry.
//!
//! * A secret has exactly 32 bytes; its hash is SHA-256, so that any network with hash locks can
//!   share it.
//! * The first reveal sticks. A repeated reveal succeeds, changes nothing about the first and has
//!   the secret kept longer.
//! * Each secret that is new to the registry costs the parameter `secret_fee`.
//!
//! ## How long a secret is kept
//! For the parameter `keep` after its latest reveal, and longer while a dispute is open that was
//! opened before that time was over: such a dispute may name it. So an agenda that is late never
//! turns a lock that was revealed in time into one that was not (M15).
//!
//! ## Invariants (`do_try_state`)
//! 1. Every secret is the preimage of its hash.
//! 2. Every secret has exactly one place in the purge's queue, due no later than it is kept.
//! 3. No secret was revealed in the future.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "derive macros cast the indices of variants; this crate casts nothing itself"
)]

extern crate alloc;

pub use pallet::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod purge;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
pub mod weights;

use failsafe_pallet_support::{
    fees::take_fee, DebtLedger, OpenDisputes, ProtocolParameters, Secrets, UsableClock,
};
use failsafe_primitives::{
    simplex::{lock_hash, LockHash},
    view::SecretView,
    AccountId, Balance, Clock,
};
use frame_support::traits::Get;
use sp_core::H256;

/// Most secrets of one `reveal`.
pub const MAX_SECRETS: u32 = 1_024;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{
        pallet_prelude::*,
        traits::{fungible, OnUnbalanced},
    };
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// Revealed secrets.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId, Hash = H256> {
        /// The native asset, in which the fee is paid.
        type Native: fungible::Balanced<AccountId, Balance = Balance>;
        /// Where the fee goes.
        type OnFee: OnUnbalanced<fungible::Credit<AccountId, Self::Native>>;
        /// Who owes: a debtor pays the fee only from below its floor.
        type Debts: DebtLedger;
        /// The usable clock.
        type Clock: UsableClock;
        /// Disputes that may name a secret.
        type Disputes: OpenDisputes;
        /// `keep` and `secret_fee`.
        type Parameters: ProtocolParameters;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// A secret and its times.
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
    pub struct Revealed {
        /// The secret.
        pub secret: [u8; 32],
        /// Usable clock of the first reveal.
        pub at: Clock,
        /// Last usable clock at which it is certainly kept.
        pub keep_until: Clock,
    }

    /// A place in the purge's queue.
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
    pub struct Place {
        /// Which secret.
        pub hash: LockHash,
        /// Until when it was to be kept when it got this place.
        pub due: Clock,
    }

    /// Secrets by hash.
    #[pallet::storage]
    pub type Reveals<T: Config> = StorageMap<_, Blake2_128Concat, LockHash, Revealed>;

    /// The purge's queue: secrets in the order of their reveals.
    #[pallet::storage]
    pub type Queue<T: Config> = StorageMap<_, Twox64Concat, u64, Place>;

    /// First place of the queue.
    #[pallet::storage]
    pub type QueueHead<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// Place behind the last one of the queue.
    #[pallet::storage]
    pub type QueueTail<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// Events.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A secret was revealed for the first time.
        SecretRevealed {
            /// Its SHA-256 hash.
            hash: LockHash,
            /// The secret.
            secret: [u8; 32],
            /// Usable clock of the reveal.
            at: Clock,
        },
        /// A secret that was known is kept longer.
        SecretKept {
            /// Its SHA-256 hash.
            hash: LockHash,
            /// Last usable clock at which it is certainly there.
            until: Clock,
        },
    }

    /// Errors.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no secret in the call.
        Empty,
        /// The caller cannot pay the fee for the secrets that are new: a debtor only from below
        /// its floor.
        FeeMissing,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Reveal secrets. A secret that is known already keeps the time of its first reveal and
        /// is kept longer.
        ///
        /// Origin: anybody. Parameters:
        /// - `secrets`: at most 1,024 secrets of 32 bytes each.
        ///
        /// Emits `SecretRevealed` or `SecretKept` per secret.
        #[pallet::call_index(0)]
        #[pallet::weight((
            T::WeightInfo::reveal(u32::try_from(secrets.len()).unwrap_or(u32::MAX)),
            DispatchClass::Operational,
        ))]
        pub fn reveal(
            origin: OriginFor<T>,
            secrets: BoundedVec<[u8; 32], ConstU32<MAX_SECRETS>>,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            ensure!(!secrets.is_empty(), Error::<T>::Empty);
            let all = u32::try_from(secrets.len()).unwrap_or(u32::MAX);
            let new = secrets.into_iter().map(Self::enter).filter(|new| *new).count();
            let new = u32::try_from(new).unwrap_or(u32::MAX);
            let fee = T::Parameters::get().secret_fee.checked_mul(new.into());
            let fee = fee.ok_or(Error::<T>::FeeMissing)?;
            if fee > 0 {
                let credit = take_fee::<T::Native, T::Debts>(&who, fee)
                    .map_err(|_| Error::<T>::FeeMissing)?;
                T::OnFee::on_unbalanced(credit);
            }
            let some = |count: u32, weight: fn(u32) -> Weight| {
                if count > 0 {
                    weight(count)
                } else {
                    Weight::zero()
                }
            };
            let of_new = some(new, T::WeightInfo::reveal);
            let of_known = some(all.saturating_sub(new), T::WeightInfo::reveal_known);
            // Of few secrets the constant parts of both can be more than was declared.
            Ok(Some(of_new.saturating_add(of_known).min(T::WeightInfo::reveal(all))).into())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::purge(remaining)
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The secret of `hash`, if it was revealed and is still kept.
        pub fn secret(hash: LockHash) -> Option<SecretView> {
            let Revealed { secret, at, keep_until } = Reveals::<T>::get(hash)?;
            Some(SecretView { secret, revealed_at: at, keep_until })
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Notes that `secret` is revealed now; returns whether it is new.
    fn enter(secret: [u8; 32]) -> bool {
        let hash = lock_hash(&secret);
        let now = T::Clock::now();
        // A clock and a time of at most a year: the sum is far from the end of a `u64`.
        let until = now.saturating_add(T::Parameters::get().keep);
        if let Some(known) = Reveals::<T>::get(hash) {
            let keep_until = known.keep_until.max(until);
            Reveals::<T>::insert(hash, Revealed { keep_until, ..known });
            Self::deposit_event(Event::SecretKept { hash, until: keep_until });
            return false;
        }
        Reveals::<T>::insert(hash, Revealed { secret, at: now, keep_until: until });
        Self::append(Place { hash, due: until });
        Self::deposit_event(Event::SecretRevealed { hash, secret, at: now });
        true
    }
}

impl<T: Config> Secrets for Pallet<T> {
    fn revealed_at(hash: &LockHash) -> Option<Clock> {
        Reveals::<T>::get(hash).map(|revealed| revealed.at)
    }
}
