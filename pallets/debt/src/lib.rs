//! # Debt
//!
//! What is owed on chain, first in, first out (`protocol.md` §6). A debt is collected as soon as
//! its debtor gets any of the asset: at every credit that a Failsafe pallet makes, and by a sweep
//! on idle for credits made elsewhere. Until then a freeze keeps the debtor from moving the asset
//! out; native fees stay possible from below the floor.
//!
//! | role | calls |
//! |---|---|
//! | any account | `enforce` |
//! | a creditor | `forgive` |
//!
//! ## Order
//! By the block in which the debt's dispute was opened, then by booking (M16). See [`calendar`].
//! The first debt in line whose creditor cannot be credited (for instance no account in a currency
//! of which not even custody has one) goes to the end, one per visit: it must not hold up those
//! behind.
//!
//! A batch credits its submitter many times: then one payment per asset follows, at its end. Until
//! then the freeze keeps what came in.
//!
//! ## Limits
//! What a debtor holds *inside* channels stays spendable off chain.
//!
//! ## Invariants (`do_try_state`)
//! 1. Per debtor and asset: outstanding total and count = those of its debts.
//! 2. No debt is 0; nobody owes to itself.
//! 3. Per debtor, creditor and asset: owed = Σ debts.
//! 4. A bucket's open count = its debts; the calendar names exactly the buckets.
//! 5. Every debtor stands in the sweep's ring once.
//! 6. All that a debtor has in the asset is frozen.
//! 7. Between calls nobody's credits are postponed.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "derive macros cast the indices of variants; this crate casts nothing itself"
)]

pub use pallet::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod calendar;
mod functions;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
pub mod weights;

use failsafe_pallet_support::{
    Custody, DebtLedger, HubRegistry, Money, OnDebtor, ProtocolParameters,
};
use failsafe_primitives::{view::DebtView, AccountId, AssetId, Balance, BlockNumber};
use sp_core::U256;

/// Most assets in which credits of one batch are noted.
pub type MaxPostponed = frame_support::traits::ConstU32<256>;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use calendar::Bitmap;
    use frame_support::{pallet_prelude::*, traits::fungibles::MutateFreeze};
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// Debts and their collection.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The native and all issued assets.
        type Assets: Money;
        /// Freezes of the same assets.
        type Freezer: MutateFreeze<
            AccountId,
            AssetId = AssetId,
            Balance = Balance,
            Id = Self::RuntimeFreezeReason,
        >;
        /// Composite of all freeze reasons.
        type RuntimeFreezeReason: From<FreezeReason>;
        /// Takes what a creditor cannot be credited with.
        type Custody: Custody;
        /// Who is a hub: its floor is another.
        type Hubs: HubRegistry;
        /// Who hears of new debtors.
        type OnDebtor: OnDebtor;
        /// The floors.
        type Parameters: ProtocolParameters;
        /// Most payments that one `enforce` or one visit of the sweep makes.
        #[pallet::constant]
        type MaxPayments: Get<u32>;
        /// Most payments that follow one credit of a Failsafe pallet at once.
        #[pallet::constant]
        type MaxPaymentsPerCredit: Get<u32>;
        /// Most (debtor, asset) that the sweep visits in a block.
        #[pallet::constant]
        type MaxVisits: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet freezes money.
    #[pallet::composite_enum]
    pub enum FreezeReason {
        /// The account owes.
        #[codec(index = 0)]
        Debt,
    }

    /// One debt.
    #[derive(
        Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
    )]
    pub struct Debt {
        /// To whom.
        pub creditor: AccountId,
        /// What is still owed; never 0.
        pub left: Balance,
    }

    /// Debts of one debtor, asset and block of opening: a queue with gaps where debts were
    /// forgiven.
    #[derive(
        Clone,
        Copy,
        Debug,
        Default,
        PartialEq,
        Eq,
        Encode,
        Decode,
        DecodeWithMemTracking,
        MaxEncodedLen,
        TypeInfo,
    )]
    pub struct Bucket {
        /// No open debt has a smaller index.
        pub first: u32,
        /// Index of the next debt.
        pub next: u32,
        /// Open debts.
        pub open: u32,
    }

    /// All that a debtor owes in an asset.
    #[derive(
        Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
    )]
    pub struct Total {
        /// Sum of its debts; wider than a balance, since nothing limits what one signs away.
        pub amount: U256,
        /// Number of its debts.
        pub count: u32,
        /// Its place in the sweep's ring.
        pub ring: u32,
    }

    /// Open debts, by debtor, asset, block of opening and index.
    #[pallet::storage]
    pub type Debts<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, AccountId>,
            NMapKey<Twox64Concat, AssetId>,
            NMapKey<Twox64Concat, BlockNumber>,
            NMapKey<Twox64Concat, u32>,
        ),
        Debt,
    >;

    /// Queues of debts that were opened in the same block.
    #[pallet::storage]
    pub type Buckets<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, AccountId>,
            NMapKey<Twox64Concat, AssetId>,
            NMapKey<Twox64Concat, BlockNumber>,
        ),
        Bucket,
    >;

    /// Which blocks have queues: debtor, asset, level, node.
    #[pallet::storage]
    pub type Calendar<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, AccountId>,
            NMapKey<Twox64Concat, AssetId>,
            NMapKey<Twox64Concat, u8>,
            NMapKey<Twox64Concat, BlockNumber>,
        ),
        Bitmap,
    >;

    /// What each debtor owes per asset.
    #[pallet::storage]
    pub type Outstanding<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, AssetId, Total>;

    /// What a debtor owes to a creditor in an asset.
    #[pallet::storage]
    pub type Owed<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, AccountId>,
            NMapKey<Blake2_128Concat, AccountId>,
            NMapKey<Twox64Concat, AssetId>,
        ),
        U256,
    >;

    /// Ring of debtors that the sweep goes round.
    #[pallet::storage]
    pub type Ring<T: Config> = StorageMap<_, Twox64Concat, u32, (AccountId, AssetId)>;

    /// Places in the ring.
    #[pallet::storage]
    pub type RingLength<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// Where the sweep goes on.
    #[pallet::storage]
    pub type Cursor<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// What native debtors have used of their allowance for fees and deposits, and since which
    /// block.
    #[pallet::storage]
    pub type AllowanceUsed<T: Config> =
        StorageMap<_, Blake2_128Concat, AccountId, (BlockNumber, Balance)>;

    /// Who is credited many times just now, and in which assets in which it owes: a batch is going
    /// on. Empty between calls.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Postponed<T: Config> = StorageValue<_, (AccountId, BoundedVec<AssetId, MaxPostponed>)>;

    /// Events.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A dispute left a debt.
        DebtCreated {
            /// Who owes.
            debtor: AccountId,
            /// To whom.
            creditor: AccountId,
            /// In which asset.
            asset: AssetId,
            /// How much.
            amount: Balance,
            /// Block in which its dispute was opened.
            opened_in: BlockNumber,
            /// Its number among those of that block.
            index: u32,
        },
        /// A debt was collected, wholly or in part.
        DebtEnforced {
            /// Who owed.
            debtor: AccountId,
            /// Who was paid.
            creditor: AccountId,
            /// In which asset.
            asset: AssetId,
            /// How much was paid.
            amount: Balance,
            /// What is still owed of this debt.
            left: Balance,
        },
        /// A creditor gave up a debt.
        DebtForgiven {
            /// Who owed.
            debtor: AccountId,
            /// Who gave it up.
            creditor: AccountId,
            /// In which asset.
            asset: AssetId,
            /// How much.
            amount: Balance,
        },
        /// A debt could neither be delivered to its creditor nor put aside for him, and lost its
        /// place to those behind.
        DebtDeferred {
            /// Who owes.
            debtor: AccountId,
            /// To whom.
            creditor: AccountId,
            /// In which asset.
            asset: AssetId,
            /// What is owed.
            left: Balance,
            /// Its new place: as if opened in this block.
            opened_in: BlockNumber,
            /// Its number among the debts of that block.
            index: u32,
        },
    }

    /// Errors.
    #[pallet::error]
    pub enum Error<T> {
        /// The account owes nothing in this asset.
        NoDebt,
        /// Only the creditor can forgive a debt.
        NotCreditor,
        /// A creditor who owes in the same asset cannot forgive: his own creditors come first.
        CreditorOwes,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Collect what a debtor can pay now.
        ///
        /// The chain does this by itself at every credit; this call is for the impatient.
        ///
        /// Origin: anybody. Parameters:
        /// - `debtor`: who owes.
        /// - `asset`: the asset, 0 for FRD.
        ///
        /// Emits `DebtEnforced` for each payment.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::enforce(T::MaxPayments::get()))]
        pub fn enforce(
            origin: OriginFor<T>,
            debtor: AccountId,
            asset: AssetId,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            ensure!(Self::is_debtor(&debtor, asset), Error::<T>::NoDebt);
            let payments = Self::do_collect(&debtor, asset, T::MaxPayments::get());
            Ok(Some(T::WeightInfo::enforce(payments)).into())
        }

        /// Give up a debt.
        ///
        /// Origin: its creditor, who must not owe in that asset himself. Parameters:
        /// - `debtor`: who owes.
        /// - `asset`: the asset, 0 for FRD.
        /// - `opened_in`: block in which the debt's dispute was opened.
        /// - `index`: its number among the debts of that block.
        ///
        /// Emits `DebtForgiven`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::forgive())]
        pub fn forgive(
            origin: OriginFor<T>,
            debtor: AccountId,
            asset: AssetId,
            opened_in: BlockNumber,
            index: u32,
        ) -> DispatchResult {
            let creditor = ensure_signed(origin)?;
            ensure!(!Self::is_debtor(&creditor, asset), Error::<T>::CreditorOwes);
            let key = (&debtor, asset, opened_in, index);
            let debt = Debts::<T>::get(key).ok_or(Error::<T>::NoDebt)?;
            ensure!(debt.creditor == creditor, Error::<T>::NotCreditor);
            Self::reduce(&debtor, asset, opened_in, index, &debt, debt.left)?;
            Self::deposit_event(Event::DebtForgiven { debtor, creditor, asset, amount: debt.left });
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::sweep(remaining)
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// What `debtor` owes in all, per asset.
        pub fn owes(debtor: AccountId) -> Vec<(AssetId, Balance)> {
            Outstanding::<T>::iter_prefix(debtor)
                .map(|(asset, total)| (asset, Self::clip(total.amount)))
                .collect()
        }

        /// What `debtor` owes to `creditor` in `asset`.
        pub fn owed_to(debtor: AccountId, creditor: AccountId, asset: AssetId) -> Balance {
            Owed::<T>::get((debtor, creditor, asset)).map_or(0, Self::clip)
        }

        /// What `debtor` owes to `creditor`, per asset.
        pub fn owed_between(debtor: AccountId, creditor: AccountId) -> Vec<(AssetId, Balance)> {
            Owed::<T>::iter_prefix((debtor, creditor))
                .map(|(asset, amount)| (asset, Self::clip(amount)))
                .collect()
        }

        /// The open debts of `debtor` in `asset`, at most `limit`, in no particular order.
        pub fn debts_of(debtor: AccountId, asset: AssetId, limit: u32) -> Vec<DebtView> {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            Debts::<T>::iter_prefix((debtor.clone(), asset))
                .take(limit)
                .map(|((opened_in, _), debt)| DebtView {
                    debtor: debtor.clone(),
                    creditor: debt.creditor,
                    asset,
                    left: debt.left,
                    opened_in,
                })
                .collect()
        }
    }
}

extern crate alloc;
