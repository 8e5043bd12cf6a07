//! # Hubs
//!
//! The registry of hubs (`protocol.md` §8): handle, endpoint, transport key, fees, routes.
//! Anybody may register against a deposit. Registered hubs have the short dispute delay and more
//! locks between each other.
//!
//! | role | calls |
//! |---|---|
//! | any account | `register`, `leave` |
//! | a hub | `update`, `retire` |
//!
//! ## Retiring
//! `retire` is a notice: the hub stays registered for `late` usable blocks more (`protocol.md` §9),
//! so that users see it, move their money and can still take the hub to the chain, and its deposit is
//! within reach of what it comes to owe. After that `leave`, by anybody, ends it.
//!
//! ## Reputation
//! How many disputes with a hub ended without a co-signed close, how many of these it lost, and how
//! many debts were booked against it. It stays with the account, also when the hub has left.
//!
//! ## Invariants (`do_try_state`)
//! 1. Handles and hubs name each other.
//! 2. Every hub's deposit is on hold.
//! 3. Only hubs are retiring.
//! 4. Nobody has lost more disputes than there were.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "derive macros cast the indices of variants; this crate casts nothing itself"
)]

pub use pallet::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
pub mod weights;

use failsafe_pallet_support::{DebtLedger, HubRegistry, Marks, ProtocolParameters, UsableClock};
use failsafe_primitives::{
    fees::HubFees,
    view::{HubStanding, HubView},
    AccountId, Balance, Clock, NATIVE_ASSET,
};
use frame_support::traits::{
    fungible,
    tokens::{Fortitude, Precision, Preservation},
    Get,
};
use sp_runtime::ArithmeticError;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{
        pallet_prelude::*,
        traits::fungible::{Inspect, MutateHold},
    };
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// Longest handle in bytes.
    pub const MAX_HANDLE: u32 = 32;
    /// Longest endpoint in bytes: a DNS name and a port.
    pub const MAX_ENDPOINT: u32 = 261;
    /// Most routes that a hub may list.
    pub const MAX_ROUTES: u32 = 32;

    /// A handle, without the `@`.
    pub type Handle = BoundedVec<u8, ConstU32<MAX_HANDLE>>;
    /// Where a hub listens: `host:port`.
    pub type Endpoint = BoundedVec<u8, ConstU32<MAX_ENDPOINT>>;
    /// Other hubs with which a hub has channels.
    pub type Routes = BoundedVec<AccountId, ConstU32<MAX_ROUTES>>;

    /// The registry of hubs.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// The native asset, for deposits.
        type Native: fungible::MutateHold<
            AccountId,
            Reason = Self::RuntimeHoldReason,
            Balance = Balance,
        >;
        /// Composite of all hold reasons.
        type RuntimeHoldReason: From<HoldReason>;
        /// Who owes cannot put money aside as a deposit.
        type Debts: DebtLedger;
        /// The time of a notice is counted in usable blocks.
        type Clock: UsableClock;
        /// Deposit, fee ceiling, time of a notice.
        type Parameters: ProtocolParameters;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Deposit of a registered hub.
        #[codec(index = 0)]
        HubDeposit,
    }

    /// What a hub tells the world.
    #[derive(
        Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
    )]
    pub struct HubRecord {
        /// Handle without the `@`.
        pub handle: Handle,
        /// Where it listens: `host:port`.
        pub endpoint: Endpoint,
        /// Its X25519 transport key.
        pub transport_key: [u8; 32],
        /// What it asks for forwarding.
        pub fees: HubFees,
        /// Other hubs with which it has channels.
        pub routes: Routes,
        /// What is on hold for it.
        pub deposit: Balance,
    }

    /// What disputes have said of a hub.
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
    pub struct Reputation {
        /// Disputes that ended without a co-signed close.
        pub disputes: u32,
        /// Of these, those that it lost.
        pub lost: u32,
        /// Debts that were booked against it.
        pub debts: u32,
    }

    /// Registered hubs by account.
    #[pallet::storage]
    pub type Hubs<T: Config> = CountedStorageMap<_, Blake2_128Concat, AccountId, HubRecord>;

    /// Accounts by handle.
    #[pallet::storage]
    pub type Handles<T: Config> = StorageMap<_, Blake2_128Concat, Handle, AccountId>;

    /// Hubs that have announced that they retire, and the usable clock from which on they may leave.
    #[pallet::storage]
    pub type Retiring<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Clock>;

    /// What disputes have said of accounts that were hubs then.
    #[pallet::storage]
    pub type Reputations<T: Config> =
        StorageMap<_, Blake2_128Concat, AccountId, Reputation, ValueQuery>;

    /// Hubs of the first block, without deposit.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The hubs.
        pub hubs: Vec<GenesisHub>,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: core::marker::PhantomData<T>,
    }

    /// A hub of the first block.
    #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct GenesisHub {
        /// Its account.
        pub account: AccountId,
        /// Handle without the `@`.
        pub handle: alloc::string::String,
        /// Where it listens: `host:port`.
        pub endpoint: alloc::string::String,
        /// Its X25519 transport key.
        pub transport_key: [u8; 32],
        /// What it asks for forwarding.
        pub fees: HubFees,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for hub in &self.hubs {
                let handle: Handle =
                    hub.handle.clone().into_bytes().try_into().expect("a short handle");
                let record = HubRecord {
                    handle: handle.clone(),
                    endpoint: hub.endpoint.clone().into_bytes().try_into().expect("an endpoint"),
                    transport_key: hub.transport_key,
                    fees: hub.fees,
                    routes: Routes::default(),
                    deposit: 0,
                };
                assert!(Pallet::<T>::handle_is_valid(&handle), "a handle of a-z, 0-9 and -");
                assert!(!Handles::<T>::contains_key(&handle), "every handle once");
                Handles::<T>::insert(handle, &hub.account);
                Hubs::<T>::insert(&hub.account, record);
            }
        }
    }

    /// Events.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A hub was registered.
        HubRegistered {
            /// Its account.
            account: AccountId,
            /// Its handle.
            handle: Handle,
        },
        /// A hub changed what it tells the world.
        HubUpdated {
            /// Its account.
            account: AccountId,
        },
        /// A hub left the registry.
        HubRetired {
            /// Its account.
            account: AccountId,
        },
        /// A hub announced that it retires.
        HubRetiring {
            /// Its account.
            account: AccountId,
            /// From this usable clock on it may leave.
            leaves_at: Clock,
        },
    }

    /// Errors.
    #[pallet::error]
    pub enum Error<T> {
        /// This account is registered already: use `update`.
        AlreadyRegistered,
        /// This account is not a registered hub.
        NotRegistered,
        /// Another hub has this handle.
        HandleTaken,
        /// A handle is made of 1 to 32 of a-z, 0-9 and -.
        InvalidHandle,
        /// An endpoint is `host:port`.
        InvalidEndpoint,
        /// The proportional fee is above the ceiling.
        FeeAboveCeiling,
        /// This account owes in the native asset: what it has belongs to its creditors.
        OwesMoney,
        /// This account cannot pay the deposit and stay alive.
        DepositMissing,
        /// This hub has announced that it retires: `leave` when its notice is over.
        AlreadyRetiring,
        /// This hub has not announced that it retires: `retire` first.
        NotRetiring,
        /// The notice of this hub is not over: wait until the usable clock shows `leaves_at`.
        NoticeNotOver,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Register the caller as a hub, against a deposit.
        ///
        /// Origin: signed, not by a debtor in the native asset. Parameters:
        /// - `handle`: 1 to 32 of a-z, 0-9 and -, without the @.
        /// - `endpoint`: where the hub listens, `host:port`.
        /// - `transport_key`: its X25519 key, 32 bytes.
        /// - `fees`: base in smallest units, and parts per million.
        /// - `routes`: other hubs with which it has channels.
        ///
        /// Emits `HubRegistered`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        pub fn register(
            origin: OriginFor<T>,
            handle: Handle,
            endpoint: Endpoint,
            transport_key: [u8; 32],
            fees: HubFees,
            routes: Routes,
        ) -> DispatchResult {
            let account = ensure_signed(origin)?;
            ensure!(!Hubs::<T>::contains_key(&account), Error::<T>::AlreadyRegistered);
            ensure!(Self::handle_is_valid(&handle), Error::<T>::InvalidHandle);
            ensure!(!Handles::<T>::contains_key(&handle), Error::<T>::HandleTaken);
            Self::check_terms(&endpoint, &fees)?;
            let deposit = T::Parameters::get().hub_deposit;
            ensure!(!T::Debts::is_debtor(&account, NATIVE_ASSET), Error::<T>::OwesMoney);
            if deposit > 0 {
                let (keep, polite) = (Preservation::Preserve, Fortitude::Polite);
                let available = T::Native::reducible_balance(&account, keep, polite);
                ensure!(available >= deposit, Error::<T>::DepositMissing);
                T::Native::hold(&HoldReason::HubDeposit.into(), &account, deposit)?;
            }
            Handles::<T>::insert(&handle, &account);
            let record = HubRecord {
                handle: handle.clone(),
                endpoint,
                transport_key,
                fees,
                routes,
                deposit,
            };
            Hubs::<T>::insert(&account, record);
            Self::deposit_event(Event::HubRegistered { account, handle });
            Ok(())
        }

        /// Change endpoint, transport key, fees and routes of the calling hub.
        ///
        /// Origin: a registered hub. Parameters as for `register`. Emits `HubUpdated`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::update())]
        pub fn update(
            origin: OriginFor<T>,
            endpoint: Endpoint,
            transport_key: [u8; 32],
            fees: HubFees,
            routes: Routes,
        ) -> DispatchResult {
            let account = ensure_signed(origin)?;
            Self::check_terms(&endpoint, &fees)?;
            Hubs::<T>::try_mutate(&account, |record| {
                let record = record.as_mut().ok_or(Error::<T>::NotRegistered)?;
                record.endpoint = endpoint;
                record.transport_key = transport_key;
                record.fees = fees;
                record.routes = routes;
                Ok::<_, DispatchError>(())
            })?;
            Self::deposit_event(Event::HubUpdated { account });
            Ok(())
        }

        /// Announce that the calling hub retires. It stays registered, with its duties and its
        /// deposit, for `late` usable blocks.
        ///
        /// Origin: a registered hub. Emits `HubRetiring`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::retire())]
        pub fn retire(origin: OriginFor<T>) -> DispatchResult {
            let account = ensure_signed(origin)?;
            ensure!(Hubs::<T>::contains_key(&account), Error::<T>::NotRegistered);
            ensure!(!Retiring::<T>::contains_key(&account), Error::<T>::AlreadyRetiring);
            let notice = T::Parameters::get().late;
            let leaves_at = T::Clock::now().checked_add(notice).ok_or(ArithmeticError::Overflow)?;
            Retiring::<T>::insert(&account, leaves_at);
            Self::deposit_event(Event::HubRetiring { account, leaves_at });
            Ok(())
        }

        /// Take a hub whose notice is over off the registry; its deposit goes back to it.
        ///
        /// Origin: anybody. Parameters:
        /// - `hub`: its account.
        ///
        /// Emits `HubRetired`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::leave_of_debtor())]
        pub fn leave(origin: OriginFor<T>, hub: AccountId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let leaves_at = Retiring::<T>::get(&hub).ok_or(Error::<T>::NotRetiring)?;
            ensure!(T::Clock::now() >= leaves_at, Error::<T>::NoticeNotOver);
            let record = Hubs::<T>::take(&hub).ok_or(Error::<T>::NotRegistered)?;
            Retiring::<T>::remove(&hub);
            Handles::<T>::remove(&record.handle);
            let reason = HoldReason::HubDeposit.into();
            T::Native::release(&reason, &hub, record.deposit, Precision::BestEffort)?;
            let owes = T::Debts::is_debtor(&hub, NATIVE_ASSET);
            T::Debts::collect(&hub, NATIVE_ASSET);
            Self::deposit_event(Event::HubRetired { account: hub });
            Ok((!owes).then(T::WeightInfo::leave).into())
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
        /// The hub of an account.
        pub fn hub(account: AccountId) -> Option<HubView> {
            Hubs::<T>::get(&account).map(|record| Self::view(account, record))
        }

        /// The hub with a handle, without the @.
        pub fn hub_by_handle(handle: Vec<u8>) -> Option<HubView> {
            let handle: Handle = handle.try_into().ok()?;
            Self::hub(Handles::<T>::get(handle)?)
        }

        /// All registered hubs.
        pub fn hubs() -> Vec<HubView> {
            Hubs::<T>::iter().map(|(account, record)| Self::view(account, record)).collect()
        }

        /// Whether a hub is retiring, and what disputes have said of it; also of one that has left.
        /// What it owes is not told here.
        pub fn standing(account: AccountId) -> HubStanding {
            let Reputation { disputes, lost, debts } = Reputations::<T>::get(&account);
            let leaves_at = Retiring::<T>::get(&account);
            HubStanding { account, leaves_at, disputes, lost, debts, owes: Vec::new() }
        }
    }
}

extern crate alloc;

impl<T: Config> Pallet<T> {
    fn handle_is_valid(handle: &[u8]) -> bool {
        let letter = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-';
        !handle.is_empty() && handle.iter().all(letter)
    }

    fn check_terms(endpoint: &[u8], fees: &HubFees) -> Result<(), Error<T>> {
        let text = core::str::from_utf8(endpoint).map_err(|_| Error::<T>::InvalidEndpoint)?;
        let (host, port) = text.rsplit_once(':').ok_or(Error::<T>::InvalidEndpoint)?;
        let visible = host.bytes().all(|c| c.is_ascii_graphic());
        if host.is_empty() || !visible || port.parse::<u16>().is_err() {
            return Err(Error::<T>::InvalidEndpoint);
        }
        if fees.ppm > T::Parameters::get().fee_ceiling_ppm {
            return Err(Error::<T>::FeeAboveCeiling);
        }
        Ok(())
    }

    fn view(account: AccountId, record: HubRecord) -> HubView {
        HubView {
            account,
            handle: record.handle.into_inner(),
            endpoint: record.endpoint.into_inner(),
            transport_key: record.transport_key,
            fees: record.fees,
        }
    }

    /// Checks the invariants of the module documentation.
    #[cfg(any(feature = "try-runtime", feature = "std"))]
    pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
        use frame_support::{ensure, traits::fungible::InspectHold};
        ensure!(
            Handles::<T>::iter().count() == Hubs::<T>::iter().count(),
            "1: not as many handles as hubs"
        );
        for (account, record) in Hubs::<T>::iter() {
            ensure!(
                Handles::<T>::get(&record.handle).as_ref() == Some(&account),
                "1: a handle does not name its hub"
            );
            let reason = HoldReason::HubDeposit.into();
            ensure!(
                T::Native::balance_on_hold(&reason, &account) >= record.deposit,
                "2: a hub's deposit is not on hold"
            );
        }
        for account in Retiring::<T>::iter_keys() {
            ensure!(Hubs::<T>::contains_key(account), "3: somebody retires who is no hub");
        }
        for (_, reputation) in Reputations::<T>::iter() {
            ensure!(reputation.lost <= reputation.disputes, "4: more lost than disputed");
        }
        Ok(())
    }
}

impl<T: Config> HubRegistry for Pallet<T> {
    fn is_hub(who: &AccountId) -> bool {
        Hubs::<T>::contains_key(who)
    }

    fn note(who: &AccountId, marks: Marks) {
        if marks == Marks::default() || !Self::is_hub(who) {
            return;
        }
        Reputations::<T>::mutate(who, |reputation| {
            // Counts of what costs a fee each: 2^32 do not come.
            let add = |count: &mut u32, more: u32| *count = count.saturating_add(more);
            add(&mut reputation.disputes, marks.disputed.into());
            add(&mut reputation.lost, (marks.disputed && marks.lost).into());
            add(&mut reputation.debts, marks.debts);
        });
    }
}
