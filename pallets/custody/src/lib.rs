//! # Custody
//!
//! One account holds all insured funds (`protocol.md` §7) and what could not be delivered
//! (`protocol.md` §2: `Unclaimed`). Nobody can sign for it.
//!
//! ## Invariants (`do_try_state`)
//! 1. Per asset: balance of the custody account ≥ held + unclaimed + seed. It may be more: anybody
//!    may send money there, which then belongs to nobody.
//! 2. No unclaimed entry is 0, and their sums per asset are right.
//!
//! ## Seeds
//! An account below its asset's minimum balance is burnt as dust. So the first deposit of an asset
//! brings the minimum balance once more, which stays; the native asset's is minted at genesis. An
//! asset with a minimum of 1 has no dust and needs no seed. What comes into custody by a delivery
//! that failed brings no seed, since nobody agreed to pay one; then a payment out that would leave
//! dust waits until somebody deposits.
//!
//! ## Exact transfers
//! The default `transfer` of `fungibles` takes dust along with what it debits, and ignores an error
//! of the credit (an issuer can provoke one by minting the supply up to the end of `u128`). So after
//! each transfer both balances are looked at, and one that has not moved exactly the amount is
//! undone.
//!
//! ## What the runtime owes it
//! An issuer's powers over the custody account are refused by the runtime's call filter; the
//! destruction of an asset by [`Pallet::is_in_use`], wired as the holds of `pallet-assets`.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "derive macros cast the indices of variants; this crate casts nothing itself"
)]

pub use pallet::*;
pub use weights::WeightInfo;

pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;

use failsafe_pallet_support::{leaves_dust, Custody, DebtLedger, Money};
use failsafe_primitives::{AccountId, AssetId, Balance, NATIVE_ASSET};
use frame_support::{
    defensive,
    dispatch::DispatchResult,
    ensure,
    storage::with_storage_layer,
    traits::{
        fungibles::{Inspect, Mutate},
        tokens::Preservation,
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
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
        /// Names the custody account.
        #[pallet::constant]
        type PalletId: Get<PalletId>;
    }

    /// Insured funds per asset.
    #[pallet::storage]
    pub type Held<T: Config> = StorageMap<_, Twox64Concat, AssetId, Balance, ValueQuery>;

    /// What keeps the custody account alive in an asset.
    #[pallet::storage]
    pub type Seeds<T: Config> = StorageMap<_, Twox64Concat, AssetId, Balance, ValueQuery>;

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

    /// Sum of the unclaimed money per asset.
    #[pallet::storage]
    pub type UnclaimedSum<T: Config> = StorageMap<_, Twox64Concat, AssetId, Balance, ValueQuery>;

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
        /// The payment would leave its payer a rest below the asset's minimum balance, which
        /// would be burnt: pay all, or leave at least the minimum.
        WouldLeaveDust,
        /// The asset did not move exactly the amount, for instance because its supply is at the
        /// end of what can be counted.
        NotMoved,
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
        #[pallet::weight(T::WeightInfo::claim_of_debtor())]
        pub fn claim(
            origin: OriginFor<T>,
            who: AccountId,
            asset: AssetId,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let amount = Unclaimed::<T>::take(&who, asset);
            ensure!(amount > 0, Error::<T>::NothingToClaim);
            UnclaimedSum::<T>::try_mutate_exists(asset, |sum| {
                let rest = sum.unwrap_or_default().checked_sub(amount);
                let rest = rest.ok_or(ArithmeticError::Underflow)?;
                *sum = (rest > 0).then_some(rest);
                Ok::<_, DispatchError>(())
            })?;
            Self::transfer(asset, &Self::account(), &who, amount)
                .map_err(|_| Error::<T>::StillRefused)?;
            Self::deposit_event(Event::Claimed { who: who.clone(), asset, amount });
            if T::Debts::is_debtor(&who, asset) {
                T::Debts::collect(&who, asset);
                return Ok(().into());
            }
            Ok(Some(T::WeightInfo::claim()).into())
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
    /// Whether custody holds or owes anything in `asset`: then the asset must not be destroyed.
    pub fn is_in_use(asset: AssetId) -> bool {
        Held::<T>::get(asset) > 0 || UnclaimedSum::<T>::get(asset) > 0
    }

    /// The account of `who` in `asset` was removed. If it is custody's, its seed is gone: the
    /// asset was destroyed.
    pub fn account_died(asset: AssetId, who: &AccountId) {
        if *who == Self::account() {
            Seeds::<T>::remove(asset);
        }
    }

    /// Moves exactly `amount`, or nothing.
    fn transfer(
        asset: AssetId,
        from: &AccountId,
        to: &AccountId,
        amount: Balance,
    ) -> DispatchResult {
        ensure!(!leaves_dust::<T::Assets>(asset, from, amount), Error::<T>::WouldLeaveDust);
        let balances = || (T::Assets::balance(asset, from), T::Assets::balance(asset, to));
        with_storage_layer(|| {
            let before = balances();
            T::Assets::transfer(asset, from, to, amount, Preservation::Expendable)?;
            let after = balances();
            let debited = before.0.checked_sub(after.0) == Some(amount);
            let credited = after.1.checked_sub(before.1) == Some(amount);
            ensure!(debited && credited, Error::<T>::NotMoved);
            Ok(())
        })
    }

    /// Makes sure that the custody account lives in `asset`, at the cost of `from`. It may have
    /// died since the last time: an asset with a minimum of 1 has no seed.
    fn seed(from: &AccountId, asset: AssetId) -> DispatchResult {
        let custody = Self::account();
        if T::Assets::should_touch(asset, &custody) {
            T::Assets::touch(asset, &custody, from)?;
        }
        let minimum = T::Assets::minimum_balance(asset);
        let seed = Seeds::<T>::get(asset);
        if minimum > 1 && seed < minimum {
            Self::transfer(asset, from, &custody, minimum - seed)?;
            Seeds::<T>::insert(asset, minimum);
        }
        Ok(())
    }

    fn add_unclaimed(who: &AccountId, asset: AssetId, amount: Balance) {
        // Unclaimed money of an asset is part of its issuance, which is a `u128`.
        let entry = Unclaimed::<T>::get(who, asset).checked_add(amount);
        let sum = UnclaimedSum::<T>::get(asset).checked_add(amount);
        let (Some(entry), Some(sum)) = (entry, sum) else {
            defensive!("unclaimed money above the issuance");
            return;
        };
        Unclaimed::<T>::insert(who, asset, entry);
        UnclaimedSum::<T>::insert(asset, sum);
        Self::deposit_event(Event::Undelivered { who: who.clone(), asset, amount });
    }

    /// Per asset: held + unclaimed + seed, what the custody account must have.
    #[cfg(any(feature = "try-runtime", feature = "std"))]
    pub fn expected() -> alloc::collections::BTreeMap<AssetId, Balance> {
        let parts = Held::<T>::iter().chain(Seeds::<T>::iter()).chain(UnclaimedSum::<T>::iter());
        parts.fold(Default::default(), |mut sums, (asset, amount)| {
            *sums.entry(asset).or_default() += amount;
            sums
        })
    }

    /// Checks the invariants of the module documentation.
    #[cfg(any(feature = "try-runtime", feature = "std"))]
    pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
        use alloc::collections::BTreeMap;
        for (asset, amount) in Self::expected() {
            let balance = T::Assets::balance(asset, &Self::account());
            ensure!(
                balance >= amount,
                "1: the custody account has less than is held, unclaimed and seeded"
            );
        }
        let mut sums: BTreeMap<AssetId, Balance> = BTreeMap::new();
        for (_, asset, amount) in Unclaimed::<T>::iter() {
            ensure!(amount > 0, "2: an unclaimed entry is 0");
            *sums.entry(asset).or_default() += amount;
        }
        ensure!(UnclaimedSum::<T>::iter().collect::<BTreeMap<_, _>>() == sums, "2: a sum is wrong");
        Ok(())
    }
}

extern crate alloc;

impl<T: Config> Custody for Pallet<T> {
    fn take(from: &AccountId, asset: AssetId, amount: Balance) -> DispatchResult {
        with_storage_layer(|| {
            Self::seed(from, asset)?;
            Self::transfer(asset, from, &Self::account(), amount)?;
            Held::<T>::try_mutate(asset, |held| {
                *held = held.checked_add(amount).ok_or(ArithmeticError::Overflow)?;
                Ok(())
            })
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
        if Self::transfer(asset, &Self::account(), to, amount).is_err() {
            Self::add_unclaimed(to, asset, amount);
        }
    }

    fn deliver(
        from: &AccountId,
        to: &AccountId,
        asset: AssetId,
        amount: Balance,
    ) -> DispatchResult {
        if Self::transfer(asset, from, to, amount).is_ok() {
            return Ok(());
        }
        // No seed: whoever pays agreed to pay exactly this.
        Self::transfer(asset, from, &Self::account(), amount)?;
        Self::add_unclaimed(to, asset, amount);
        Ok(())
    }
}
