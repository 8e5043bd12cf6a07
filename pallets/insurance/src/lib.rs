//! # Insurance
//!
//! Channels as the chain sees them: collateral per pair and asset, withdrawals by proof, disputes
//! and closes (`protocol.md` §1, §2, §5). All arithmetic and every check of evidence is in
//! `failsafe-primitives`, which hub and wallet use too.
//!
//! | role | calls |
//! |---|---|
//! | any account | `deposit` (for anybody), `resolve`, `counter_for` |
//! | a party of the channel | `withdraw`, `dispute`, `counter`, `accept`, `close`, `late_claim` |
//!
//! ## Life of a dispute
//! `dispute` stores the newest simplexes that the starter has. Until `resolve_at` the partner may
//! `counter`, each simplex by a higher nonce; third parties may with `counter_for`. From
//! `resolve_at` on, [`agenda`] or anybody resolves: insured parts are paid out, uninsured parts are
//! paid as far as the debtor can and booked as debts. The epoch moves on and voids every older
//! signature; only *late claims* reach back.
//!
//! ## Resolve has no failing path
//! Every number in storage is within `LIMIT`, so `delta` cannot overflow; a credit that an asset
//! refuses becomes unclaimed money in custody; what cannot be paid becomes a debt.
//!
//! ## Invariants (`do_try_state`)
//! 1. Every row, dispute and old epoch belongs to an ordered pair with a record.
//! 2. No row is empty; each is within `LIMIT`; a side opened at most [`MAX_ROWS_PER_SIDE`].
//! 3. Per asset: Σ insurance ≤ what custody holds; the rest is what orders offer.
//! 4. Every open dispute has an agenda entry due no later than its `resolve_at`.
//! 5. Every dispute deposit is on hold.
//! 6. Per usable clock: how many open disputes were opened then; none before the oldest.
//! 7. Per pair: how many rows of issued assets each side has opened.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "derive macros cast the indices of variants; this crate casts nothing itself"
)]

extern crate alloc;

pub use costs::{Costs, Size};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

pub mod agenda;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod channel;
mod costs;
mod dispute;
mod open;
mod resolve;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
mod types;
mod view;
pub mod weights;

use costs::count;
use failsafe_pallet_support::{
    Custody, DebtLedger, HubRegistry, Money, OpenDisputes, ProtocolParameters, Secrets, UsableClock,
};
use failsafe_primitives::{
    simplex::MAX_ASSETS, AccountId, AssetId, Balance, Clock, Close, Epoch, Evidence, Nonce, Pair,
    Side, Signature, Simplex, TwiceSigned, Withdrawal,
};
use sp_core::H256;
use sp_runtime::MultiSignature;

/// Most rows of issued assets that one side may open (M3). With the native row that makes at most
/// `MAX_ASSETS`.
pub const MAX_ROWS_PER_SIDE: u32 = (MAX_ASSETS - 1) / 2;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use failsafe_primitives::view::{ChannelView, DisputeView};
    use frame_support::{
        pallet_prelude::*,
        traits::{fungible, OnUnbalanced},
    };
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(0);

    /// Channels, disputes and closes.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// An imbalance of the native asset.
    pub type CreditOf<T> = fungible::Credit<AccountId, <T as Config>::Native>;

    /// Configuration.
    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId = AccountId, Hash = H256> {
        /// The native and all issued assets.
        type Assets: Money;
        /// The native asset: top-ups, the pair fee, dispute deposits.
        type Native: fungible::MutateHold<AccountId, Reason = Self::RuntimeHoldReason, Balance = Balance>
            + fungible::Balanced<AccountId, Balance = Balance>
            + fungible::Mutate<AccountId, Balance = Balance>;
        /// Composite of all hold reasons.
        type RuntimeHoldReason: From<HoldReason>;
        /// Where the fee for a pair's permanent record goes.
        type OnPairFee: OnUnbalanced<CreditOf<Self>>;
        /// Holds insured funds.
        type Custody: Custody;
        /// Books and collects debts.
        type Debts: DebtLedger;
        /// The usable clock.
        type Clock: UsableClock;
        /// Who is a registered hub.
        type Hubs: HubRegistry;
        /// When secrets were revealed.
        type Secrets: Secrets;
        /// Delays, windows, fees.
        type Parameters: ProtocolParameters;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Deposit of whoever started a dispute.
        #[codec(index = 0)]
        DisputeDeposit,
    }

    /// Permanent records, by left and right.
    #[pallet::storage]
    pub type Channels<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        AccountId,
        Blake2_128Concat,
        AccountId,
        ChannelRecord,
    >;

    /// Collateral, by left, right and asset.
    #[pallet::storage]
    pub type Rows<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, AccountId>,
            NMapKey<Blake2_128Concat, AccountId>,
            NMapKey<Twox64Concat, AssetId>,
        ),
        Row,
    >;

    /// Open disputes, by left and right.
    #[pallet::storage]
    pub type Disputes<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Blake2_128Concat, AccountId, Dispute>;

    /// How many of the open disputes were opened at a usable clock.
    #[pallet::storage]
    pub type OpenedAt<T: Config> = StorageMap<_, Twox64Concat, Clock, u32, ValueQuery>;

    /// No open dispute was opened before this usable clock.
    #[pallet::storage]
    pub type OldestOpen<T: Config> = StorageValue<_, Clock, ValueQuery>;

    /// What counted at the resolves of old epochs, by left, right and epoch.
    #[pallet::storage]
    pub type OldEpochs<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, AccountId>,
            NMapKey<Blake2_128Concat, AccountId>,
            NMapKey<Twox64Concat, Epoch>,
        ),
        Resolved,
    >;

    /// Work by the usable clock at which it comes due.
    #[pallet::storage]
    pub type Agenda<T: Config> =
        StorageDoubleMap<_, Twox64Concat, Clock, Twox64Concat, u32, AgendaTask>;

    /// Entries of each slot of the agenda.
    #[pallet::storage]
    pub type AgendaLength<T: Config> = StorageMap<_, Twox64Concat, Clock, u32, ValueQuery>;

    /// No slot of the agenda before this one has entries.
    #[pallet::storage]
    pub type AgendaCursor<T: Config> = StorageValue<_, Clock, ValueQuery>;

    /// Events.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Insurance was added.
        Deposit {
            /// Who paid.
            from: AccountId,
            /// For whose side.
            beneficiary: AccountId,
            /// In the channel with whom.
            partner: AccountId,
            /// The asset.
            asset: AssetId,
            /// The amount.
            amount: Balance,
        },
        /// A depositor gave a new account its first native money.
        ToppedUp {
            /// The depositor.
            from: AccountId,
            /// The new account.
            account: AccountId,
            /// How much.
            amount: Balance,
        },
        /// A party withdrew with its partner's proof.
        Withdraw {
            /// Who withdrew.
            account: AccountId,
            /// Who signed the proof.
            partner: AccountId,
            /// The asset.
            asset: AssetId,
            /// The amount.
            amount: Balance,
            /// How much of it came from the partner's on-chain balance.
            from_balance: Balance,
        },
        /// A dispute was opened.
        DisputeStarted {
            /// Left.
            left: AccountId,
            /// Right.
            right: AccountId,
            /// Epoch in dispute.
            epoch: Epoch,
            /// Who opened it.
            starter: AccountId,
            /// Usable clock from which it can be resolved.
            resolve_at: Clock,
        },
        /// A newer simplex replaced the stored one.
        SimplexReplaced {
            /// Left.
            left: AccountId,
            /// Right.
            right: AccountId,
            /// Whose simplex.
            from: Side,
            /// Its nonce.
            nonce: Nonce,
        },
        /// A simplex that is not newer than the stored one was skipped.
        SimplexSkipped {
            /// Left.
            left: AccountId,
            /// Right.
            right: AccountId,
            /// Whose simplex.
            from: Side,
            /// Its nonce.
            nonce: Nonce,
        },
        /// A dispute takes no counters any more, but waits for its deadline because it books a
        /// debt.
        DisputeSettled {
            /// Left.
            left: AccountId,
            /// Right.
            right: AccountId,
            /// Usable clock from which it can be resolved.
            resolve_at: Clock,
        },
        /// A dispute was resolved, or a close carried out. The epoch has moved on.
        DisputeResolved {
            /// Left.
            left: AccountId,
            /// Right.
            right: AccountId,
            /// The epoch that ended.
            epoch: Epoch,
            /// What happened per asset.
            outcomes: Outcomes,
        },
        /// A payee claimed what an old resolve had not counted.
        LateClaim {
            /// Who owed it.
            payer: AccountId,
            /// Whose it is.
            payee: AccountId,
            /// The old epoch.
            epoch: Epoch,
            /// The asset.
            asset: AssetId,
            /// How much.
            amount: Balance,
        },
    }

    /// Errors.
    #[pallet::error]
    pub enum Error<T> {
        /// An account has no channel with itself.
        SamePair,
        /// The caller is not a party of this channel.
        NotAParty,
        /// There is no such asset.
        UnknownAsset,
        /// The amount is 0 or below the asset's minimum balance.
        AmountTooSmall,
        /// An amount, insurance or ondelta would pass the limit of 2^120.
        LimitExceeded,
        /// Only a party may open a row in an issued asset, and at most seven each.
        TooManyAssets,
        /// The channel has moved on to another epoch.
        WrongEpoch,
        /// The channel has no record on this chain.
        NoChannel,
        /// The withdrawal names assets out of order, nothing, or an amount of 0.
        MalformedWithdrawal,
        /// Not the withdrawal nonce that is due: used already, or for a later withdrawal.
        WrongWithdrawalNonce,
        /// `valid_until` has passed.
        Expired,
        /// A signature is not by whom it should be, or over something else: another chain,
        /// channel, epoch, side or content.
        BadProof,
        /// More would be drawn on the partner's balance than the proof allows.
        AboveMaxFromBalance,
        /// The partner cannot spend enough on chain, or owes in this asset.
        PartnerCannotPay,
        /// There is neither evidence nor insurance: nothing to dispute.
        NothingToDispute,
        /// The starter of a dispute speaks once.
        StarterSpeaksOnce,
        /// There is no open dispute of this channel.
        NoDispute,
        /// The time to counter has passed: resolve it.
        TooLate,
        /// The dispute is accepted or co-signed: nothing more can be brought.
        AlreadySettled,
        /// A simplex breaks order or bounds.
        MalformedEvidence,
        /// A lock expires later than one lock window after the start of the dispute, or for a
        /// counter 6 usable blocks after that.
        ExpiryTooFar,
        /// The answer has nothing but a simplex of one's own that the partner has not
        /// acknowledged, which only the starter may bring.
        AckMissing,
        /// A lock in the stored simplexes is still open: wait for its expiry or reveal.
        LiveLock,
        /// The close names assets out of order, or passes the limit.
        MalformedClose,
        /// The dispute's time is not over.
        TooEarly,
        /// The time for late claims of this epoch has passed, or it was never disputed.
        NoLateClaims,
        /// Everything in this simplex has been counted already.
        NothingToClaim,
        /// The starter cannot pay the dispute deposit: a debtor only from below its floor.
        DepositMissing,
        /// The caller cannot pay the fee for the channel's permanent record: a debtor only from
        /// below its floor.
        PairFeeMissing,
        /// The dispute does not show what the caller accepts: look at it again.
        NotWhatIsPresented,
        /// The top-up of a new account would leave the depositor a rest below the existential
        /// deposit, which would be burnt.
        WouldLeaveDust,
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Add insurance to a channel, for one of its sides.
        ///
        /// `2@1` of the story is: beneficiary 2, partner 1. Whoever pays, the money belongs to the
        /// beneficiary's side.
        ///
        /// Origin: anybody. Parameters:
        /// - `asset`: 0 for FRD, else the number of an issued asset.
        /// - `amount`: smallest units, at least the asset's minimum balance.
        /// - `beneficiary`: the side that gets it.
        /// - `partner`: the other side.
        /// - `epoch`: if given, fail when the channel has moved on. Rebalances always give it.
        ///
        /// Emits `Deposit`, and `ToppedUp` for a party whose account did not exist.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::deposit(*asset))]
        pub fn deposit(
            origin: OriginFor<T>,
            asset: AssetId,
            #[pallet::compact] amount: Balance,
            beneficiary: AccountId,
            partner: AccountId,
            epoch: Option<Epoch>,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::do_deposit(&who, asset, amount, &beneficiary, &partner, epoch)
        }

        /// Withdraw with the partner's proof, all assets or none.
        ///
        /// Takes the insurance first, then the partner's on-chain balance up to what the proof
        /// allows. Allowed during a dispute.
        ///
        /// Origin: the party that the proof pays. Parameters:
        /// - `partner`: who signed the proof.
        /// - `withdrawal`: nonce, last valid usable block, and per asset amount and most from the
        ///   partner's balance.
        /// - `proof`: the partner's signature.
        ///
        /// Emits `Withdraw` per asset.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::withdraw(count(&withdrawal.items)))]
        pub fn withdraw(
            origin: OriginFor<T>,
            partner: AccountId,
            withdrawal: Withdrawal,
            proof: MultiSignature,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::do_withdraw(&who, &partner, &withdrawal, &proof)
        }

        /// Open a dispute with everything you have; without evidence, off-chain payments count
        /// as 0. While the partner's dispute is open this acts as `counter`.
        ///
        /// Origin: a party. Parameters:
        /// - `partner`: the other party.
        /// - `epoch`: the channel's current epoch, 0 for a pair without a record. A dispute that is
        ///   late, because the epoch has ended meanwhile, is refused.
        /// - `evidence`: the partner's newest signed simplex, and your own newest one with the
        ///   partner's acknowledgement if there is one. What you post for your own side is what you
        ///   claim to have paid: if a counter shows more, the deposit is the partner's.
        ///
        /// Emits `DisputeStarted`.
        #[pallet::call_index(2)]
        #[pallet::weight((
            T::WeightInfo::dispute_and_resolve(Size::of_evidence(evidence)),
            DispatchClass::Operational,
        ))]
        pub fn dispute(
            origin: OriginFor<T>,
            partner: AccountId,
            epoch: Epoch,
            evidence: Evidence,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::do_dispute(&who, &partner, epoch, evidence)
        }

        /// Answer the partner's dispute with newer simplexes. A simplex that is not newer is
        /// skipped. The first counter of a dispute that changes something is free of charge.
        ///
        /// Origin: the party that did not start the dispute. Parameters:
        /// - `partner`: who started it.
        /// - `evidence`: newest simplexes; your own one needs the partner's acknowledgement.
        ///
        /// Emits `SimplexReplaced` or `SimplexSkipped` per simplex.
        #[pallet::call_index(3)]
        #[pallet::weight((
            T::WeightInfo::counter_and_resolve(Size::of_evidence(evidence)),
            DispatchClass::Operational,
        ))]
        pub fn counter(
            origin: OriginFor<T>,
            partner: AccountId,
            evidence: Evidence,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let (pair, side) = Self::channel_of(&who, &partner)?;
            Self::do_counter(&pair, side, evidence)
        }

        /// Answer a dispute of others with simplexes that carry both signatures: what a
        /// watchtower does. The first one of a dispute that changes something is free of charge.
        ///
        /// Origin: anybody. Parameters:
        /// - `left`, `right`: the parties, the smaller account id first.
        /// - `simplexes`: at most one per side, each with signature and acknowledgement.
        ///
        /// Emits `SimplexReplaced` or `SimplexSkipped` per simplex.
        #[pallet::call_index(4)]
        #[pallet::weight((
            T::WeightInfo::counter_for_and_resolve(Size::of_twice_signed(simplexes)),
            DispatchClass::Operational,
        ))]
        pub fn counter_for(
            origin: OriginFor<T>,
            left: AccountId,
            right: AccountId,
            simplexes: BoundedVec<TwiceSigned, ConstU32<2>>,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let pair = Self::ordered(&left, &right)?;
            Self::do_counter_for(&pair, simplexes)
        }

        /// Agree to what the partner's dispute shows. Acts at once if it books no debt, else at
        /// the normal deadline.
        ///
        /// Origin: the party that did not start the dispute. Parameters:
        /// - `partner`: who started it.
        /// - `presented`: the `digest` of the dispute as the caller sees it, which is
        ///   `blake2_256(SCALE((epoch, presented)))`. If a counter or a reorganisation has put
        ///   something else there, nothing is accepted.
        ///
        /// Emits `DisputeResolved` or `DisputeSettled`.
        #[pallet::call_index(5)]
        #[pallet::weight((T::WeightInfo::worst_accept(), DispatchClass::Operational))]
        pub fn accept(
            origin: OriginFor<T>,
            partner: AccountId,
            presented: H256,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let (pair, side) = Self::channel_of(&who, &partner)?;
            Self::do_accept(&pair, side, presented)
        }

        /// Close the channel by agreement. Acts at once if it books no debt, else at the normal
        /// deadline. Everything signed before is void after it.
        ///
        /// Origin: a party. Parameters:
        /// - `partner`: the other party.
        /// - `close`: last valid usable block and the off-chain delta per asset.
        /// - `signature`: the partner's signature over it.
        ///
        /// Emits `DisputeResolved` or `DisputeSettled`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::worst_close(count(&close.offdeltas)))]
        pub fn close(
            origin: OriginFor<T>,
            partner: AccountId,
            close: Close,
            signature: MultiSignature,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let (pair, side) = Self::channel_of(&who, &partner)?;
            Self::do_close(&pair, side, close, &signature)
        }

        /// Resolve a dispute whose time is over. The chain does this by itself when it has room.
        ///
        /// Origin: anybody; free of charge, the dispute paid for it. Parameters:
        /// - `left`, `right`: the parties, the smaller account id first.
        ///
        /// Emits `DisputeResolved`.
        #[pallet::call_index(7)]
        #[pallet::weight((T::WeightInfo::worst_resolve(), DispatchClass::Operational))]
        pub fn resolve(
            origin: OriginFor<T>,
            left: AccountId,
            right: AccountId,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let pair = Self::ordered(&left, &right)?;
            let weight = Self::do_resolve_due(&pair)?;
            Ok((Some(weight), Pays::No).into())
        }

        /// Claim what the partner had paid but an old resolve did not count, because you were
        /// away. Locks do not count here.
        ///
        /// Origin: the payee. Parameters:
        /// - `payer`: the partner.
        /// - `epoch`: the epoch that the resolve ended.
        /// - `simplex`: the payer's newest simplex of that epoch.
        /// - `signature`: the payer's signature.
        ///
        /// Emits `LateClaim` per asset.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::late_claim(count(&simplex.entries)))]
        pub fn late_claim(
            origin: OriginFor<T>,
            payer: AccountId,
            epoch: Epoch,
            simplex: Simplex,
            signature: Signature,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let (pair, side) = Self::channel_of(&who, &payer)?;
            Self::do_late_claim(&pair, side, epoch, &simplex, &signature)
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::serve_agenda(remaining)
        }

        fn integrity_test() {
            let worst = T::WeightInfo::worst_dispute();
            let block = <T as frame_system::Config>::BlockWeights::get().max_block;
            assert!(
                worst.all_lte(sp_runtime::Perbill::from_percent(25) * block),
                "the worst dispute must fit a block with room: {worst:?} of {block:?}"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The channel of two accounts in any order, also if the chain has never seen it; `None`
        /// for an account with itself.
        pub fn channel(a: AccountId, b: AccountId) -> Option<ChannelView> {
            Self::channel_view(a, b)
        }

        /// Pairs with an open dispute, at most `limit`.
        pub fn open_disputes(limit: u32) -> Vec<(Pair, DisputeView)> {
            Self::disputes_view(limit)
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The channel of `who` and `partner`, and the side of `who`.
    pub(crate) fn channel_of(
        who: &AccountId,
        partner: &AccountId,
    ) -> Result<(Pair, Side), Error<T>> {
        let pair = Pair::new(who.clone(), partner.clone()).map_err(|_| Error::<T>::SamePair)?;
        let side = pair.side_of(who).ok_or(Error::<T>::NotAParty)?;
        Ok((pair, side))
    }

    /// The pair of two accounts in any order.
    pub(crate) fn ordered(a: &AccountId, b: &AccountId) -> Result<Pair, Error<T>> {
        Pair::new(a.clone(), b.clone()).map_err(|_| Error::<T>::SamePair)
    }
}
