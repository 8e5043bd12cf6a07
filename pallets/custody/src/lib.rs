//! # Custody
//!
//! One account holds all insured funds (`protocol.md` §7) and what could not be delivered
//! (`protocol.md` §2: `Unclaimed`). Nobody can sign for it.
//!
//! ## Invariants (`do_try_state`)
//! 1. Per asset: balance of the custody account = held + Σ unclaimed + seed.
//! 2. No unclaimed entry is 0.
//!
//! ## Seeds
//! An account below its asset's minimum balance would be burnt as dust. So the first deposit of
//! an asset brings the minimum balance once more, which stays; the native asset's is minted at
//! genesis. An asset with a minimum of 1 has no dust and needs no seed.

#![cfg_attr(not(feature = "std"), no_std)]

pub use pallet::*;

use failsafe_pallet_support::{Custody, DebtLedger, Money};
use failsafe_primitives::{AccountId, AssetId, Balance, NATIVE_ASSET};
use frame_support::{
    defensive,
    dispatch::DispatchResult,
    ensure,
    traits::{
        fungibles::{Inspect, Mutate},
        tokens::{Preservation, Provenance},
        AccountTouch, Get,
    },
    PalletId,
};
use sp_runtime::{traits::AccountIdConversion, ArithmeticError};

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// Custody of insured funds.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The native and all issued assets.
        type Assets: Money + AccountTouch<AssetId, AccountId>;
        /// Debts are collected when a claim is paid out.
        type Debts: DebtLedger;
        /// Names the custody account.
        #[pallet::constant]
        type PalletId: Get<PalletId>;
    }

    /// Insured funds per asset.
    #[pallet::storage]
    pub type Held<T: Config> = StorageMap<_, Twox64Concat, AssetId, Balance, ValueQuery>;

    /// What keeps the custody account alive in an asset.
    #[pallet::storage]
    pub type Seeds<T: Config> = StorageMap<_, Twox64Concat, AssetId, Balance>;

    /// What could not be credited to an account: its asset was frozen, or the account blocked,
    /// missing, or the amount below the minimum. Fetched with `claim`.
    #[pallet::storage]
    pub type Unclaimed<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        AccountId,
        Twox64Concat,
        AssetId,
        Balance,
        ValueQuery,
    >;

    /// Mints the native seed.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let seed = T::Assets::minimum_balance(NATIVE_ASSET);
            T::Assets::mint_into(NATIVE_ASSET, &Pallet::<T>::account(), seed)
                .expect("the minimum balance fits at genesis; qed");
            Seeds::<T>::insert(NATIVE_ASSET, seed);
        }
    }

    /// Events.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A payment could not be credited; it waits for `claim`.
        Undelivered {
            /// Whose it is.
            who: AccountId,
            /// The asset.
            asset: AssetId,
            /// The amount.
            amount: Balance,
        },
        /// Unclaimed money was paid out.
        Claimed {
            /// Whose it was.
            who: AccountId,
            /// The asset.
            asset: AssetId,
            /// The amount.
            amount: Balance,
        },
    }

    /// Errors.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no unclaimed money of this account in this asset.
        NothingToClaim,
        /// The account still cannot be credited: it must exist, not be blocked, and the asset
        /// must be live.
        StillRefused,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Pay out the unclaimed money of an account.
        ///
        /// Origin: anybody. Parameters:
        /// - `who`: whose money it is; it always goes to that account.
        /// - `asset`: the asset, 0 for FRD.
        ///
        /// Emits `Claimed`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::DbWeight::get().reads_writes(8, 8))]
        pub fn claim(origin: OriginFor<T>, who: AccountId, asset: AssetId) -> DispatchResult {
            ensure_signed(origin)?;
            let amount = Unclaimed::<T>::take(&who, asset);
            ensure!(amount > 0, Error::<T>::NothingToClaim);
            Self::pay_out(&who, asset, amount).map_err(|_| Error::<T>::StillRefused)?;
            Self::deposit_event(Event::Claimed { who: who.clone(), asset, amount });
            T::Debts::collect(&who, asset);
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

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The account that holds all insured funds.
        pub fn account() -> AccountId {
            T::PalletId::get().into_account_truncating()
        }

        /// Unclaimed money of `who` in `asset`.
        pub fn unclaimed(who: AccountId, asset: AssetId) -> Balance {
            Unclaimed::<T>::get(who, asset)
        }
    }
}

impl<T: Config> Pallet<T> {
    fn pay_out(to: &AccountId, asset: AssetId, amount: Balance) -> DispatchResult {
        let preservation = match Seeds::<T>::get(asset) {
            Some(0) | None => Preservation::Expendable,
            Some(_) => Preservation::Preserve,
        };
        T::Assets::transfer(asset, &Self::account(), to, amount, preservation).map(drop)
    }

    /// Makes sure that the custody account lives in `asset`.
    fn seed(from: &AccountId, asset: AssetId) -> DispatchResult {
        if Seeds::<T>::contains_key(asset) {
            return Ok(());
        }
        let custody = Self::account();
        if T::Assets::should_touch(asset, &custody) {
            T::Assets::touch(asset, &custody, from)?;
        }
        let minimum = T::Assets::minimum_balance(asset);
        let seed = if minimum > 1 { minimum } else { 0 };
        if seed > 0 {
            T::Assets::transfer(asset, from, &custody, seed, Preservation::Expendable)?;
        }
        Seeds::<T>::insert(asset, seed);
        Ok(())
    }

    fn add_unclaimed(who: &AccountId, asset: AssetId, amount: Balance) {
        // Unclaimed money of an asset is part of its issuance, which is a `u128`.
        Unclaimed::<T>::mutate(who, asset, |sum| match sum.checked_add(amount) {
            Some(total) => *sum = total,
            None => {
                defensive!("unclaimed money above the issuance");
            },
        });
        Self::deposit_event(Event::Undelivered { who: who.clone(), asset, amount });
    }

    /// Checks the invariants of the module documentation.
    #[cfg(any(feature = "try-runtime", feature = "std"))]
    pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
        use alloc::collections::BTreeMap;
        let mut expected: BTreeMap<AssetId, Balance> = Held::<T>::iter().collect();
        for (asset, seed) in Seeds::<T>::iter() {
            *expected.entry(asset).or_default() += seed;
        }
        for (_, asset, amount) in Unclaimed::<T>::iter() {
            ensure!(amount > 0, "2: an unclaimed entry is 0");
            *expected.entry(asset).or_default() += amount;
        }
        for (asset, amount) in expected {
            let balance = T::Assets::balance(asset, &Self::account());
            ensure!(
                balance == amount,
                "1: the custody account does not hold what is held, unclaimed and seeded"
            );
        }
        Ok(())
    }
}

extern crate alloc;

impl<T: Config> Custody for Pallet<T> {
    fn take(from: &AccountId, asset: AssetId, amount: Balance) -> DispatchResult {
        Self::seed(from, asset)?;
        T::Assets::transfer(asset, from, &Self::account(), amount, Preservation::Expendable)?;
        Held::<T>::try_mutate(asset, |held| {
            *held = held.checked_add(amount).ok_or(ArithmeticError::Overflow)?;
            Ok(())
        })
    }

    fn release(to: &AccountId, asset: AssetId, amount: Balance) {
        if amount == 0 {
            return;
        }
        let held = Held::<T>::get(asset);
        let Some(rest) = held.checked_sub(amount) else {
            defensive!("more insured money released than held");
            return;
        };
        Held::<T>::insert(asset, rest);
        if Self::pay_out(to, asset, amount).is_err() {
            Self::add_unclaimed(to, asset, amount);
        }
    }

    fn deliver(
        from: &AccountId,
        to: &AccountId,
        asset: AssetId,
        amount: Balance,
    ) -> DispatchResult {
        let credit = T::Assets::can_deposit(asset, to, amount, Provenance::Extant).into_result();
        if credit.is_ok() {
            return T::Assets::transfer(asset, from, to, amount, Preservation::Expendable)
                .map(drop);
        }
        Self::seed(from, asset)?;
        T::Assets::transfer(asset, from, &Self::account(), amount, Preservation::Expendable)?;
        Self::add_unclaimed(to, asset, amount);
        Ok(())
    }
}
