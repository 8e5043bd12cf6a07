//! # Governance
//!
//! Validators with shares, and what they amend (`protocol.md` §12). A validator is an identity: a
//! name, a place, an account that votes, and the keys with which it authors and finalizes blocks.
//! Its shares weigh its vote, its finality and how many slots are its.
//!
//! | role | calls |
//! |---|---|
//! | any account | `propose`, `conclude` |
//! | a validator | `vote` |
//! | who proposed | `cancel` |
//! | an accepted proposal | `set_validators`, `set_voting_period`, `cancel`, and every other call of the chain that asks for root |
//!
//! ## Proposals
//! A title, a text and the exact calls, against a deposit. Validators vote while the usable clock is
//! below `due`, with a rationale, and may change their vote. From `due` on the votes are counted once,
//! by the shares that are in force then: with **more than two thirds** of all shares for it, its calls
//! are carried out as root, all or none; else it is dropped. That happens on idle, or when anybody asks
//! for it. The deposit goes back, except of a proposal that is dropped without a single share for it.
//!
//! ## Validators
//! A new set is planned by an accepted proposal, announced by an event and in force from the next
//! session border on. Nobody may have more than a third of the shares of a set of three or more: a
//! holder of more could stop finality alone. Shares are authorship: [`slots`] lists each authoring key
//! once per share, divided by what all have in common, spread evenly.
//!
//! Whoever is proved to have voted twice in one round of finality loses half of its shares, rounded up,
//! at the next border; the last one goes with its place in the set, unless it is the only one. This may
//! leave others above a third of what remains.
//!
//! ## Invariants (`do_try_state`)
//! 1. The set in force and the planned one have validators with shares and names; no account and no
//!    key is in a set twice.
//! 2. The agenda names exactly the open proposals, in order.
//! 3. Every proposal has its calls, and its deposit is on hold.
//! 4. There are votes of open proposals only.
//! 5. Only in sets that are remembered somebody was punished.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "derive macros cast the indices of variants; this crate casts nothing itself"
)]

extern crate alloc;

pub use pallet::*;
pub use validators::{slots, SetError};
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod functions;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
mod validators;
pub mod weights;

use failsafe_pallet_support::{DebtLedger, UsableClock};
use failsafe_primitives::{AccountId, Balance, Clock, NATIVE_ASSET};
use frame_support::{
    dispatch::{DispatchResult, GetDispatchInfo},
    traits::{fungible, Get, OnUnbalanced, UnfilteredDispatchable},
    weights::Weight,
};
use sp_core::{ed25519, sr25519};

/// The number of a proposal.
pub type ProposalId = u32;

/// What carries the shares into authorship and finality.
pub trait Consensus {
    /// The first set, at genesis.
    fn begin(slots: alloc::vec::Vec<sr25519::Public>, finalizers: Finalizers);
    /// From the next block on these keys author, slot by slot, and blocks after this one are
    /// finalized by these keys with these weights.
    fn change(slots: alloc::vec::Vec<sr25519::Public>, finalizers: Finalizers) -> DispatchResult;
}

/// Finality keys, whose they are, and their weights.
pub type Finalizers = alloc::vec::Vec<(ed25519::Public, AccountId, u64)>;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::{boxed::Box, vec::Vec};
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// Most validators.
    pub const MAX_VALIDATORS: u32 = 32;
    /// Most shares of all validators together, so that every slot's author can be listed.
    pub const MAX_SHARES: u32 = 256;
    /// Longest name, in bytes.
    pub const MAX_NAME: u32 = 32;
    /// Longest location, in bytes.
    pub const MAX_LOCATION: u32 = 64;
    /// Longest title, in bytes.
    pub const MAX_TITLE: u32 = 96;
    /// Longest text of a proposal, in bytes.
    pub const MAX_TEXT: u32 = 4_096;
    /// Longest rationale of a vote, in bytes.
    pub const MAX_RATIONALE: u32 = 512;
    /// Most bytes of a proposal's calls.
    pub const MAX_CALLS: u32 = 16_384;
    /// How many sets of finality keys are remembered.
    pub const KEPT_SETS: u64 = 8;
    /// Most open proposals.
    pub const MAX_OPEN: u32 = 64;

    /// Whose shares weigh what.
    #[derive(
        Clone,
        Debug,
        PartialEq,
        Eq,
        Encode,
        Decode,
        DecodeWithMemTracking,
        MaxEncodedLen,
        TypeInfo,
        serde::Serialize,
        serde::Deserialize,
    )]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct Validator {
        /// The account that votes.
        pub account: AccountId,
        /// Who it is, as text.
        pub name: BoundedVec<u8, ConstU32<MAX_NAME>>,
        /// Where it is, as text.
        pub location: BoundedVec<u8, ConstU32<MAX_LOCATION>>,
        /// Its shares.
        pub shares: u32,
        /// The key that authors blocks.
        pub aura: sr25519::Public,
        /// The key that finalizes blocks.
        pub grandpa: ed25519::Public,
    }

    /// A set of validators.
    pub type Validators = BoundedVec<Validator, ConstU32<MAX_VALIDATORS>>;

    /// The governance of the chain.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId> {
        /// What can be proposed.
        type RuntimeCall: Parameter
            + UnfilteredDispatchable<RuntimeOrigin = Self::RuntimeOrigin>
            + GetDispatchInfo;
        /// The native asset, for deposits.
        type Native: fungible::Balanced<AccountId, Balance = Balance>
            + fungible::BalancedHold<AccountId, Reason = Self::RuntimeHoldReason>
            + fungible::MutateHold<AccountId, Reason = Self::RuntimeHoldReason>;
        /// Composite of all hold reasons.
        type RuntimeHoldReason: From<HoldReason>;
        /// Who gets deposits that are lost.
        type OnForfeit: OnUnbalanced<fungible::Credit<AccountId, Self::Native>>;
        /// Who owes cannot put money aside as a deposit.
        type Debts: DebtLedger;
        /// Periods are counted in usable blocks.
        type Clock: UsableClock;
        /// Authorship and finality.
        type Consensus: Consensus;
        /// Blocks of a session: sets of validators change at its borders.
        #[pallet::constant]
        type Session: Get<BlockNumberFor<Self>>;
        /// Deposit of a proposal, in native units.
        #[pallet::constant]
        type Deposit: Get<Balance>;
        /// Heaviest calls that a proposal may have, together.
        #[pallet::constant]
        type MaxWeight: Get<Weight>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Deposit of a proposal.
        #[codec(index = 0)]
        ProposalDeposit,
    }

    /// A proposal, without its calls.
    #[derive(
        Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
    )]
    pub struct Proposal {
        /// Who proposed.
        pub proposer: AccountId,
        /// What it is called.
        pub title: BoundedVec<u8, ConstU32<MAX_TITLE>>,
        /// What it is for.
        pub text: BoundedVec<u8, ConstU32<MAX_TEXT>>,
        /// What is on hold for it.
        pub deposit: Balance,
        /// From this usable clock on the votes are counted.
        pub due: Clock,
        /// What its calls weigh at most.
        pub weight: Weight,
    }

    /// A vote.
    #[derive(
        Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
    )]
    pub struct Vote {
        /// Whether for the proposal.
        pub approve: bool,
        /// Why.
        pub rationale: BoundedVec<u8, ConstU32<MAX_RATIONALE>>,
    }

    /// A set that will be in force.
    #[derive(
        Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
    )]
    pub struct Plan<BlockNumber> {
        /// The validators.
        pub validators: Validators,
        /// The block that begins the session from which on.
        pub border: BlockNumber,
    }

    /// How the shares stand, or stood in the end.
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
    pub struct Tally {
        /// Shares for it.
        pub ayes: u32,
        /// Shares against it.
        pub nays: u32,
        /// All shares.
        pub total: u32,
    }

    /// The validators in force.
    #[pallet::storage]
    pub type Current<T: Config> = StorageValue<_, Validators, ValueQuery>;

    /// Those that will be.
    #[pallet::storage]
    pub type Planned<T: Config> = StorageValue<_, Plan<BlockNumberFor<T>>>;

    /// How long votes are taken, in usable blocks.
    #[pallet::storage]
    pub type VotingPeriod<T: Config> = StorageValue<_, Clock, ValueQuery, DefaultPeriod>;

    /// `protocol.md` §9.
    #[pallet::type_value]
    pub fn DefaultPeriod() -> Clock {
        10
    }

    /// Open proposals.
    #[pallet::storage]
    pub type Proposals<T: Config> = StorageMap<_, Twox64Concat, ProposalId, Proposal>;

    /// The calls of open proposals, encoded.
    #[pallet::storage]
    pub type Calls<T: Config> =
        StorageMap<_, Twox64Concat, ProposalId, BoundedVec<u8, ConstU32<MAX_CALLS>>>;

    /// Votes by proposal and account.
    #[pallet::storage]
    pub type Votes<T: Config> =
        StorageDoubleMap<_, Twox64Concat, ProposalId, Blake2_128Concat, AccountId, Vote>;

    /// Open proposals in the order in which they are due.
    #[pallet::storage]
    pub type Agenda<T: Config> =
        StorageValue<_, BoundedVec<(Clock, ProposalId), ConstU32<MAX_OPEN>>, ValueQuery>;

    /// Number of the next proposal.
    #[pallet::storage]
    pub type NextProposal<T: Config> = StorageValue<_, ProposalId, ValueQuery>;

    /// The first validators.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// The validators.
        pub validators: Vec<Validator>,
        /// How long votes are taken, in usable blocks.
        pub voting_period: Clock,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            let voting_period = DefaultPeriod::get();
            Self { validators: Default::default(), voting_period, _config: Default::default() }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(self.voting_period > 0, "votes take some time");
            VotingPeriod::<T>::put(self.voting_period);
            if self.validators.is_empty() {
                return;
            }
            let set: Validators = self.validators.clone().try_into().expect("few validators");
            if let Err(error) = validators::check(&set) {
                panic!("the chain specification's validators are not safe: {error:?}");
            }
            T::Consensus::begin(slots(&set), validators::finalizers(&set));
            Current::<T>::put(set);
        }
    }

    /// Finality keys of the newest sets, by the number that the consensus has given each, and whose
    /// they were: for reports of who has voted twice.
    #[pallet::storage]
    pub type Sets<T: Config> = StorageMap<
        _,
        Twox64Concat,
        u64,
        BoundedVec<(ed25519::Public, AccountId), ConstU32<MAX_VALIDATORS>>,
    >;

    /// Who was punished for voting twice in a set.
    #[pallet::storage]
    pub type Reported<T: Config> =
        StorageDoubleMap<_, Twox64Concat, u64, Blake2_128Concat, AccountId, ()>;

    /// Events.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A proposal was made.
        Proposed {
            /// Its number.
            proposal: ProposalId,
            /// By whom.
            proposer: AccountId,
            /// From this usable clock on the votes are counted.
            due: Clock,
        },
        /// A validator voted, or changed its vote.
        Voted {
            /// On what.
            proposal: ProposalId,
            /// Who.
            validator: AccountId,
            /// Whether for it.
            approve: bool,
            /// Its shares at this moment; what counts are those when the votes are counted.
            shares: u32,
        },
        /// A proposal was accepted and its calls were carried out.
        Enacted {
            /// Its number.
            proposal: ProposalId,
            /// The votes.
            tally: Tally,
        },
        /// A proposal was accepted, but one of its calls failed: none has had an effect.
        Failed {
            /// Its number.
            proposal: ProposalId,
            /// The votes.
            tally: Tally,
            /// Place of the call among its calls, from 0.
            call: u32,
            /// Why.
            error: DispatchError,
        },
        /// A proposal did not find more than two thirds of the shares.
        Dropped {
            /// Its number.
            proposal: ProposalId,
            /// The votes.
            tally: Tally,
        },
        /// A proposal was withdrawn.
        Cancelled {
            /// Its number.
            proposal: ProposalId,
        },
        /// A new set will be in force.
        ValidatorsPlanned {
            /// The block that begins the session from which on.
            border: BlockNumberFor<T>,
            /// The set.
            validators: Validators,
        },
        /// A new set is in force.
        ValidatorsChanged {
            /// The set.
            validators: Validators,
        },
        /// A validator voted twice in one round of finality, and will lose shares.
        Punished {
            /// Who.
            validator: AccountId,
            /// How many shares.
            shares: u32,
        },
        /// Votes are taken for another time, from the next proposal on.
        VotingPeriodSet {
            /// How long, in usable blocks.
            period: Clock,
        },
    }

    /// Errors.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no open proposal with this number.
        NoProposal,
        /// Only validators vote.
        NotValidator,
        /// The votes are not counted yet: wait until the usable clock shows `due`.
        NotDue,
        /// The time to vote is over.
        VotingOver,
        /// Only who proposed, or an accepted proposal, can cancel this one.
        NotProposer,
        /// As many proposals are open as may be: wait until one is concluded.
        TooManyProposals,
        /// A proposal has at least one call.
        NoCalls,
        /// The calls of a proposal may have 16 KiB together.
        CallsTooLong,
        /// The calls weigh more than one proposal may: make two, or authorise a hash.
        CallsTooHeavy,
        /// This account owes in the native asset: what it has belongs to its creditors.
        OwesMoney,
        /// This account cannot pay the deposit and stay alive.
        DepositMissing,
        /// A set has at least one validator.
        NoValidators,
        /// Every validator has at least one share.
        NoShares,
        /// All validators together have at most 256 shares.
        TooManyShares,
        /// In a set of three or more nobody may have more than a third of the shares.
        AboveOneThird,
        /// A set of three or more is not followed by a smaller one, in which one third cannot be
        /// kept.
        TooFewValidators,
        /// Every account and every key is in a set once.
        Duplicate,
        /// Every validator has a name.
        NoName,
        /// The voting period is from 1 to 5,256,000 usable blocks.
        InvalidPeriod,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Propose calls, to be carried out as root when more than two thirds of the shares are for
        /// it at the end of the voting period.
        ///
        /// Origin: signed, not by a debtor in the native asset; against a deposit. Parameters:
        /// - `title`: at most 96 bytes.
        /// - `text`: what it is for, at most 4,096 bytes.
        /// - `calls`: exactly what is to be carried out, all or none.
        ///
        /// Emits `Proposed`.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::propose())]
        pub fn propose(
            origin: OriginFor<T>,
            title: BoundedVec<u8, ConstU32<MAX_TITLE>>,
            text: BoundedVec<u8, ConstU32<MAX_TEXT>>,
            calls: Vec<Box<<T as Config>::RuntimeCall>>,
        ) -> DispatchResult {
            let proposer = ensure_signed(origin)?;
            Self::do_propose(proposer, title, text, calls)
        }

        /// Vote on an open proposal, or change one's vote.
        ///
        /// Origin: a validator. Parameters:
        /// - `proposal`: its number.
        /// - `approve`: whether for it.
        /// - `rationale`: why, at most 512 bytes.
        ///
        /// Emits `Voted`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::vote())]
        pub fn vote(
            origin: OriginFor<T>,
            proposal: ProposalId,
            approve: bool,
            rationale: BoundedVec<u8, ConstU32<MAX_RATIONALE>>,
        ) -> DispatchResult {
            let validator = ensure_signed(origin)?;
            let Proposal { due, .. } =
                Proposals::<T>::get(proposal).ok_or(Error::<T>::NoProposal)?;
            ensure!(T::Clock::now() < due, Error::<T>::VotingOver);
            let shares = Self::shares_of(&validator).ok_or(Error::<T>::NotValidator)?;
            Votes::<T>::insert(proposal, &validator, Vote { approve, rationale });
            Self::deposit_event(Event::Voted { proposal, validator, approve, shares });
            Ok(())
        }

        /// Count the votes of a due proposal, and carry it out or drop it.
        ///
        /// The chain does this by itself on idle; this call is for when blocks are full.
        ///
        /// Origin: anybody. Parameters:
        /// - `proposal`: its number.
        ///
        /// Emits `Enacted`, `Failed` or `Dropped`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::conclude().saturating_add(T::MaxWeight::get()))]
        pub fn conclude(origin: OriginFor<T>, proposal: ProposalId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let found = Proposals::<T>::get(proposal).ok_or(Error::<T>::NoProposal)?;
            ensure!(T::Clock::now() >= found.due, Error::<T>::NotDue);
            let used = Self::do_conclude(proposal, found);
            Ok(Some(T::WeightInfo::conclude().saturating_add(used)).into())
        }

        /// Withdraw an open proposal; its deposit goes back.
        ///
        /// Origin: who proposed, or root, which is another proposal. Parameters:
        /// - `proposal`: its number.
        ///
        /// Emits `Cancelled`.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::cancel())]
        pub fn cancel(origin: OriginFor<T>, proposal: ProposalId) -> DispatchResult {
            let who = ensure_signed_or_root(origin)?;
            let found = Proposals::<T>::get(proposal).ok_or(Error::<T>::NoProposal)?;
            ensure!(who.is_none_or(|who| who == found.proposer), Error::<T>::NotProposer);
            Self::remove(proposal, &found, true);
            Self::deposit_event(Event::Cancelled { proposal });
            Ok(())
        }

        /// Plan another set of validators, in force from the next session border on.
        ///
        /// Origin: root, which is an accepted proposal. Parameters:
        /// - `validators`: all of the set, with their shares.
        ///
        /// Emits `ValidatorsPlanned`, and `ValidatorsChanged` at the border. A later plan replaces
        /// one that is not in force yet.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::set_validators())]
        pub fn set_validators(origin: OriginFor<T>, validators: Validators) -> DispatchResult {
            ensure_root(origin)?;
            validators::check(&validators).map_err(Error::<T>::from)?;
            let before = Current::<T>::decode_len().unwrap_or_default();
            let shrinks = before >= validators::CAPPED && validators.len() < validators::CAPPED;
            ensure!(!shrinks, Error::<T>::TooFewValidators);
            Self::plan(validators);
            Ok(())
        }

        /// Change how long votes are taken, from the next proposal on.
        ///
        /// Origin: root, which is an accepted proposal. Parameters:
        /// - `period`: in usable blocks, at least 1 and at most a year of blocks of 6 seconds.
        ///
        /// Emits `VotingPeriodSet`.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::set_voting_period())]
        pub fn set_voting_period(origin: OriginFor<T>, period: Clock) -> DispatchResult {
            ensure_root(origin)?;
            let most = failsafe_primitives::parameters::MAX_TIME;
            ensure!((1..=most).contains(&period), Error::<T>::InvalidPeriod);
            VotingPeriod::<T>::put(period);
            Self::deposit_event(Event::VotingPeriodSet { period });
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            Self::cross_border(now)
        }

        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::serve_agenda(remaining)
        }

        fn integrity_test() {
            assert!(T::Session::get() > 0u32.into(), "sessions have blocks");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The validators in force.
        pub fn validators() -> Vec<Validator> {
            Current::<T>::get().into_inner()
        }

        /// An open proposal with its calls and how the shares stand.
        #[allow(clippy::type_complexity, reason = "a triple")]
        pub fn proposal(
            id: ProposalId,
        ) -> Option<(Proposal, Vec<Box<<T as Config>::RuntimeCall>>, Tally)> {
            Some((Proposals::<T>::get(id)?, Self::calls_of(id)?, Self::tally(id)))
        }

        /// The votes on an open proposal.
        pub fn votes(id: ProposalId) -> Vec<(AccountId, Vote)> {
            Votes::<T>::iter_prefix(id).collect()
        }
    }
}

impl<T> From<SetError> for Error<T> {
    fn from(error: SetError) -> Self {
        match error {
            SetError::NoValidators => Self::NoValidators,
            SetError::NoShares => Self::NoShares,
            SetError::TooManyShares => Self::TooManyShares,
            SetError::AboveOneThird => Self::AboveOneThird,
            SetError::Duplicate => Self::Duplicate,
            SetError::NoName => Self::NoName,
        }
    }
}
