//! # Exchange
//!
//! Limit orders between assets (`protocol.md` §11). An order gives up to some amount of one asset for
//! another one, at its price or better. A new order first trades with the orders of the other side,
//! best price first and of equal prices the oldest, at *their* prices; what is left rests.
//!
//! | role | calls |
//! |---|---|
//! | any account | `place` |
//! | an order's owner | `cancel` |
//! | anybody | `cancel`, of an order whose owner owes in the asset that it gives |
//!
//! ## Prices
//! Fractions of two `u128`, compared exactly. A single trade is rounded to whole units in favour of
//! the order that was there, and only as far as the new order's price allows: see
//! [`failsafe_primitives::exchange`]. Two orders at one price of which no whole units can be traded
//! may therefore stand against each other.
//!
//! ## The book
//! The state itself keeps orders sorted: the key of an order ends with its price, as bytes that
//! ascend with it, and its number, and the first key after a place in the book is found by one step
//! in the state's tree, however long the book is. [`Fronts`] remembers a place in front of which no
//! order is, so that a search does not pass again what the same block has removed.
//!
//! ## Money
//! What an order offers is in custody, out of reach of its owner and of the asset's issuer; each
//! resting order also costs a deposit. Debts come first: who owes in an asset cannot place an order
//! that gives it; the orders that it has are taken off the book before they trade, by anybody, or on
//! idle, and what they offered goes back to the owner and from there to the creditors.
//!
//! ## Invariants (`do_try_state`)
//! 1. Every order is in the book, in the list of places and in that of its owner, and nowhere else.
//! 2. An order stands where its price says; it has money, and no dust.
//! 3. No order stands in front of its side's front.
//! 4. Every deposit is on hold.
//! 5. No two orders of different owners who owe nothing could trade, except by a fraction of a unit.

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
mod book;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
pub mod weights;

use failsafe_pallet_support::{Custody, DebtLedger, Money, OnDebtor};
use failsafe_primitives::{
    exchange::{Price, PriceKey},
    view::OrderView,
    AccountId, AssetId, Balance, NATIVE_ASSET,
};
use frame_support::traits::{fungible, Get};

/// The number of an order: later ones have higher numbers.
pub type OrderId = u64;

/// Place of an order within its side of the book: price, then number, big-endian.
pub type Place = (PriceKey, [u8; 8]);

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{pallet_prelude::*, traits::fungibles::Inspect};
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// The order book.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The native and all issued assets.
        type Assets: Money;
        /// The native asset, for deposits.
        type Native: fungible::MutateHold<
            AccountId,
            Reason = Self::RuntimeHoldReason,
            Balance = Balance,
        >;
        /// Composite of all hold reasons.
        type RuntimeHoldReason: From<HoldReason>;
        /// Keeps what is offered.
        type Custody: Custody;
        /// Debts come before orders.
        type Debts: DebtLedger;
        /// What a resting order costs until it is gone, in native units.
        #[pallet::constant]
        type Deposit: Get<Balance>;
        /// Most orders that one call looks at.
        #[pallet::constant]
        type MaxMatches: Get<u32>;
        /// Most orders of debtors that are taken off the book in a block on idle.
        #[pallet::constant]
        type MaxRecalls: Get<u32>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Deposit of a resting order.
        #[codec(index = 0)]
        OrderDeposit,
    }

    /// A resting order.
    #[derive(
        Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
    )]
    pub struct Order {
        /// Whose it is.
        pub owner: AccountId,
        /// What it still offers; in custody.
        pub left: Balance,
        /// At least so much is asked for so much.
        pub price: Price,
        /// What is on hold for it.
        pub deposit: Balance,
    }

    /// Where an order stands.
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
    pub struct Standing {
        /// The asset that it gives.
        pub sell_asset: AssetId,
        /// The asset that it asks for.
        pub buy_asset: AssetId,
        /// Its price, as the book sorts it.
        pub key: PriceKey,
    }

    /// Why an order is no longer in the book.
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
    pub enum Reason {
        /// Nothing, or less than is worth a unit, is left.
        #[codec(index = 0)]
        Filled,
        /// Its owner cancelled it.
        #[codec(index = 1)]
        Cancelled,
        /// Its owner owes in the asset that it gives.
        #[codec(index = 2)]
        OwnerOwes,
        /// A newer order of the same owner would have traded with it.
        #[codec(index = 3)]
        MetItself,
        /// It had looked at as many orders as it asked for and could have traded with more.
        #[codec(index = 4)]
        OutOfMatches,
    }

    // TWOX-NOTE: numbers of assets are given out in a row; keys of the book end with bytes that are
    // sorted, which is their purpose.
    /// Resting orders by the asset that they give, the asset that they ask for, price and number.
    #[pallet::storage]
    pub type Book<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Twox64Concat, AssetId>,
            NMapKey<Twox64Concat, AssetId>,
            NMapKey<Identity, PriceKey>,
            NMapKey<Identity, [u8; 8]>,
        ),
        Order,
    >;

    /// A place in front of which no order of that side stands.
    #[pallet::storage]
    pub type Fronts<T: Config> =
        StorageDoubleMap<_, Twox64Concat, AssetId, Twox64Concat, AssetId, Place>;

    /// Where each resting order stands.
    #[pallet::storage]
    pub type Standings<T: Config> = StorageMap<_, Twox64Concat, OrderId, Standing>;

    /// Resting orders of each account, by the asset that they give.
    #[pallet::storage]
    pub type Owned<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, AccountId>,
            NMapKey<Twox64Concat, AssetId>,
            NMapKey<Twox64Concat, OrderId>,
        ),
        (),
    >;

    /// Number of the next order.
    #[pallet::storage]
    pub type NextOrder<T: Config> = StorageValue<_, OrderId, ValueQuery>;

    /// Accounts that began to owe in an asset while an order of theirs gave it.
    #[pallet::storage]
    pub type Recalls<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, AssetId, ()>;

    /// Events.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An order came.
        OrderPlaced {
            /// Its number.
            order: OrderId,
            /// Whose it is.
            owner: AccountId,
            /// The asset that it gives.
            sell_asset: AssetId,
            /// At most so much of it.
            sell: Balance,
            /// The asset that it asks for.
            buy_asset: AssetId,
            /// For all of it at least so much of that.
            buy: Balance,
        },
        /// Two orders traded.
        Traded {
            /// The order that was there, at whose price.
            maker_order: OrderId,
            /// The order that came.
            taker_order: OrderId,
            /// Owner of the order that was there.
            maker: AccountId,
            /// Owner of the order that came.
            taker: AccountId,
            /// The asset that the maker gave.
            asset: AssetId,
            /// How much of it.
            amount: Balance,
            /// The asset that the taker gave for it.
            paid_asset: AssetId,
            /// How much of it.
            paid: Balance,
        },
        /// What is left of an order rests in the book.
        OrderRests {
            /// Its number.
            order: OrderId,
            /// What it still offers.
            left: Balance,
        },
        /// An order ended.
        OrderClosed {
            /// Its number.
            order: OrderId,
            /// Whose it was.
            owner: AccountId,
            /// The asset that it gave.
            asset: AssetId,
            /// What of it went back to the owner.
            returned: Balance,
            /// Why.
            reason: Reason,
        },
    }

    /// Errors.
    #[pallet::error]
    pub enum Error<T> {
        /// An order gives one asset for another: name two.
        SameAsset,
        /// Both amounts of an order are above 0.
        ZeroAmount,
        /// There is no asset with the number of the one that is asked for.
        UnknownAsset,
        /// Fewer matches per call are allowed: see the constant `maxMatches`.
        TooManyMatches,
        /// There is no resting order with this number.
        NoOrder,
        /// Only its owner can cancel this order, unless he owes in the asset that it gives.
        NotOwner,
        /// This account owes in the native asset and cannot make a deposit: what it has belongs to
        /// its creditors.
        OwesMoney,
        /// This account cannot pay the deposit of a resting order and stay alive.
        DepositMissing,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Give up to `sell` of an asset for another one, at the price of `buy` for `sell` or better.
        ///
        /// Trades at once with resting orders, cheapest first and of equal prices the oldest, at
        /// their prices. What is left rests in the book, against a deposit; if it could still trade
        /// after `max_matches` orders, or is worth less than a unit, it goes back instead.
        ///
        /// Origin: signed, not by a debtor in `sell_asset`. Parameters:
        /// - `sell_asset`: the asset to give, 0 for FRD.
        /// - `sell`: how much of it at most.
        /// - `buy_asset`: the asset to get.
        /// - `buy`: how much of it for all that is given, at least.
        /// - `max_matches`: how many resting orders to look at, at most.
        ///
        /// Emits `OrderPlaced`, `Traded` for each trade, `OrderClosed` for each order that ends, and
        /// `OrderRests` if one rests.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::place(*max_matches))]
        pub fn place(
            origin: OriginFor<T>,
            sell_asset: AssetId,
            sell: Balance,
            buy_asset: AssetId,
            buy: Balance,
            max_matches: u32,
        ) -> DispatchResultWithPostInfo {
            let owner = ensure_signed(origin)?;
            ensure!(sell_asset != buy_asset, Error::<T>::SameAsset);
            let price = Price::new(buy, sell).ok_or(Error::<T>::ZeroAmount)?;
            ensure!(T::Assets::asset_exists(buy_asset), Error::<T>::UnknownAsset);
            ensure!(max_matches <= T::MaxMatches::get(), Error::<T>::TooManyMatches);
            let matches = Self::do_place(owner, sell_asset, buy_asset, price, max_matches)?;
            Ok(Some(T::WeightInfo::place(matches)).into())
        }

        /// Take an order off the book; what it offers and its deposit go back to its owner.
        ///
        /// Origin: its owner, or anybody if the owner owes in the asset that the order gives: then
        /// the creditors get it. Parameters:
        /// - `order`: its number.
        ///
        /// Emits `OrderClosed`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::cancel())]
        pub fn cancel(origin: OriginFor<T>, order: OrderId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let (standing, found) = Self::find(order).ok_or(Error::<T>::NoOrder)?;
            let reason = if T::Debts::is_debtor(&found.owner, standing.sell_asset) {
                Reason::OwnerOwes
            } else {
                ensure!(found.owner == who, Error::<T>::NotOwner);
                Reason::Cancelled
            };
            Self::close(order, &standing, &found, reason);
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::recall(remaining)
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// Resting orders that give `sell_asset` for `buy_asset`: the cheapest first, of equal prices
        /// the oldest, at most `limit`.
        pub fn book(sell_asset: AssetId, buy_asset: AssetId, limit: u32) -> Vec<OrderView> {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            Book::<T>::iter_prefix((sell_asset, buy_asset))
                .take(limit)
                .map(|((_, id), order)| {
                    Self::view(OrderId::from_be_bytes(id), sell_asset, buy_asset, order)
                })
                .collect()
        }

        /// The resting orders of an account, at most `limit`, in no particular order.
        pub fn orders(owner: AccountId, limit: u32) -> Vec<OrderView> {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            Owned::<T>::iter_key_prefix((owner,))
                .take(limit)
                .filter_map(|(_, id)| Self::order(id))
                .collect()
        }

        /// A resting order.
        pub fn order(id: OrderId) -> Option<OrderView> {
            let (Standing { sell_asset, buy_asset, .. }, order) = Self::find(id)?;
            Some(Self::view(id, sell_asset, buy_asset, order))
        }
    }
}
