//! Counting votes, carrying out proposals, and crossing session borders.

use crate::*;
use alloc::{boxed::Box, vec::Vec};
use codec::{DecodeLimit, Encode};
use failsafe_pallet_support::idle_meter;
use frame_support::{
    defensive, ensure,
    storage::with_storage_layer,
    traits::{
        fungible::{BalancedHold, Inspect, MutateHold},
        tokens::{Fortitude, Precision, Preservation},
    },
    BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_runtime::{
    traits::{Saturating, Zero},
    DispatchError,
};

/// How deep calls may be nested in calls: as deep as FRAME takes transactions.
const MAX_DEPTH: u32 = 256;

impl<T: Config> Pallet<T> {
    /// Shares in force of an account that is a validator.
    pub(crate) fn shares_of(who: &AccountId) -> Option<u32> {
        Current::<T>::get().iter().find(|v| v.account == *who).map(|v| v.shares)
    }

    pub(crate) fn calls_of(id: ProposalId) -> Option<Vec<Box<<T as Config>::RuntimeCall>>> {
        let encoded = Calls::<T>::get(id)?;
        DecodeLimit::decode_all_with_depth_limit(MAX_DEPTH, &mut &encoded[..]).ok()
    }

    /// How the shares in force stand.
    pub(crate) fn tally(id: ProposalId) -> Tally {
        let set = Current::<T>::get();
        let mut tally = Tally { total: validators::total(&set), ..Tally::default() };
        for validator in set {
            match Votes::<T>::get(id, &validator.account) {
                Some(Vote { approve: true, .. }) => {
                    tally.ayes = tally.ayes.saturating_add(validator.shares);
                },
                Some(_) => tally.nays = tally.nays.saturating_add(validator.shares),
                None => {},
            }
        }
        tally
    }

    pub(crate) fn do_propose(
        proposer: AccountId,
        title: BoundedVec<u8, frame_support::traits::ConstU32<MAX_TITLE>>,
        text: BoundedVec<u8, frame_support::traits::ConstU32<MAX_TEXT>>,
        calls: Vec<Box<<T as Config>::RuntimeCall>>,
    ) -> DispatchResult {
        ensure!(!calls.is_empty(), Error::<T>::NoCalls);
        let weight = calls.iter().fold(Weight::zero(), |sum, call| {
            sum.saturating_add(call.get_dispatch_info().call_weight)
        });
        ensure!(weight.all_lte(T::MaxWeight::get()), Error::<T>::CallsTooHeavy);
        let calls: BoundedVec<_, _> =
            calls.encode().try_into().map_err(|_| Error::<T>::CallsTooLong)?;
        let deposit = T::Deposit::get();
        Self::hold(&proposer, deposit)?;
        let id = NextProposal::<T>::get();
        let next = id.checked_add(1).ok_or(sp_runtime::ArithmeticError::Overflow)?;
        NextProposal::<T>::put(next);
        let period = VotingPeriod::<T>::get();
        let due =
            T::Clock::now().checked_add(period).ok_or(sp_runtime::ArithmeticError::Overflow)?;
        Agenda::<T>::try_mutate(|agenda| {
            // Behind those that are due at the same time.
            let place = agenda.partition_point(|(other, _)| *other <= due);
            agenda.try_insert(place, (due, id)).map_err(|_| Error::<T>::TooManyProposals)
        })?;
        Calls::<T>::insert(id, calls);
        let proposal = Proposal { proposer: proposer.clone(), title, text, deposit, due, weight };
        Proposals::<T>::insert(id, proposal);
        Self::deposit_event(Event::Proposed { proposal: id, proposer, due });
        Ok(())
    }

    fn hold(who: &AccountId, deposit: Balance) -> DispatchResult {
        if deposit == 0 {
            return Ok(());
        }
        ensure!(!T::Debts::is_debtor(who, NATIVE_ASSET), Error::<T>::OwesMoney);
        let (keep, polite) = (Preservation::Preserve, Fortitude::Polite);
        let available = T::Native::reducible_balance(who, keep, polite);
        ensure!(available >= deposit, Error::<T>::DepositMissing);
        T::Native::hold(&HoldReason::ProposalDeposit.into(), who, deposit)
    }

    /// Takes a proposal out of every list. Its deposit goes back, or is lost.
    pub(crate) fn remove(id: ProposalId, proposal: &Proposal, refund: bool) {
        Proposals::<T>::remove(id);
        Calls::<T>::remove(id);
        // At most as many as there were validators in the voting period.
        Votes::<T>::drain_prefix(id).for_each(drop);
        Agenda::<T>::mutate(|agenda| agenda.retain(|(_, other)| *other != id));
        let reason = HoldReason::ProposalDeposit.into();
        let Proposal { proposer, deposit, .. } = proposal;
        if !refund {
            let (lost, _) = T::Native::slash(&reason, proposer, *deposit);
            T::OnForfeit::on_unbalanced(lost);
            return;
        }
        if T::Native::release(&reason, proposer, *deposit, Precision::BestEffort).is_err() {
            defensive!("the deposit of a proposal is not on hold");
        }
        T::Debts::collect(proposer, NATIVE_ASSET);
    }

    /// Counts the votes of a due proposal and carries it out or drops it. Returns what its calls
    /// weighed.
    pub(crate) fn do_conclude(id: ProposalId, proposal: Proposal) -> Weight {
        let tally = Self::tally(id);
        let calls = Self::calls_of(id);
        let accepted = u64::from(tally.ayes) * 3 > u64::from(tally.total) * 2;
        Self::remove(id, &proposal, tally.ayes > 0);
        if !accepted {
            Self::deposit_event(Event::Dropped { proposal: id, tally });
            return Weight::zero();
        }
        let Some(calls) = calls else {
            // An upgrade of the runtime may have changed what calls look like.
            let error = DispatchError::Corruption;
            Self::deposit_event(Event::Failed { proposal: id, tally, call: 0, error });
            return Weight::zero();
        };
        match Self::carry_out(calls) {
            Ok(()) => Self::deposit_event(Event::Enacted { proposal: id, tally }),
            Err((call, error)) => {
                Self::deposit_event(Event::Failed { proposal: id, tally, call, error });
            },
        }
        proposal.weight
    }

    /// Carries out calls as root, all or none; the error names the one that failed.
    pub fn carry_out(
        calls: Vec<Box<<T as Config>::RuntimeCall>>,
    ) -> Result<(), (u32, DispatchError)> {
        let mut place = 0u32;
        with_storage_layer(|| {
            for call in calls {
                call.dispatch_bypass_filter(RawOrigin::Root.into())
                    .map_err(|refused| refused.error)?;
                place = place.saturating_add(1);
            }
            Ok(())
        })
        .map_err(|error| (place, error))
    }

    /// Concludes due proposals as far as the block has room. Returns the weight used.
    pub(crate) fn serve_agenda(remaining: Weight) -> Weight {
        let mut meter = idle_meter(T::BlockWeights::get().max_block, remaining);
        if meter.try_consume(T::WeightInfo::agenda()).is_err() {
            return meter.consumed();
        }
        let now = T::Clock::now();
        for (due, id) in Agenda::<T>::get() {
            if due > now {
                break;
            }
            let Some(proposal) = Proposals::<T>::get(id) else {
                defensive!("an agenda without its proposal");
                continue;
            };
            let weight = T::WeightInfo::conclude().saturating_add(proposal.weight);
            if meter.try_consume(weight).is_err() {
                break;
            }
            Self::do_conclude(id, proposal);
        }
        meter.consumed()
    }

    /// Plans a set for the next border.
    pub(crate) fn plan(set: Validators) {
        let session = T::Session::get();
        let now = frame_system::Pallet::<T>::block_number();
        let border = now.saturating_sub(now % session).saturating_add(session);
        Planned::<T>::put(Plan { validators: set.clone(), border });
        Self::deposit_event(Event::ValidatorsPlanned { border, validators: set });
    }

    /// Puts a planned set into force at its border.
    pub(crate) fn cross_border(now: BlockNumberFor<T>) -> Weight {
        if !(now % T::Session::get()).is_zero() {
            return Weight::zero();
        }
        let Some(plan) = Planned::<T>::get() else { return T::WeightInfo::border() };
        if now < plan.border {
            return T::WeightInfo::border();
        }
        let set = plan.validators;
        if T::Consensus::change(slots(&set), validators::finalizers(&set)).is_err() {
            // A change that is still pending: at the next border again.
            defensive!("the consensus does not take a new set");
            return T::WeightInfo::change_set();
        }
        Planned::<T>::kill();
        Current::<T>::put(&set);
        Self::deposit_event(Event::ValidatorsChanged { validators: set });
        T::WeightInfo::change_set()
    }

    /// Remembers whose finality keys are in a set, and forgets the oldest set.
    pub fn note_set(number: u64, finalizers: &Finalizers) {
        let keys = finalizers.iter().map(|(key, account, _)| (*key, account.clone())).collect();
        // As many as there are validators.
        Sets::<T>::insert(number, BoundedVec::truncate_from(keys));
        if let Some(old) = number.checked_sub(KEPT_SETS) {
            Sets::<T>::remove(old);
            Reported::<T>::drain_prefix(old).for_each(drop);
        }
    }

    /// Whose finality key is in a set that is remembered, and how many there are.
    pub fn finalizer(set: u64, key: &sp_core::ed25519::Public) -> Option<(AccountId, u32)> {
        let keys = Sets::<T>::get(set)?;
        let (_, account) = keys.iter().find(|(other, _)| other == key)?;
        Some((account.clone(), u32::try_from(keys.len()).ok()?))
    }

    /// `who` was proved to have voted twice in one round of finality of a set: once per set it loses
    /// shares. Returns whether this is the first report.
    pub fn report(set: u64, who: &AccountId) -> bool {
        if !Sets::<T>::contains_key(set) || Reported::<T>::contains_key(set, who) {
            return false;
        }
        Reported::<T>::insert(set, who, ());
        Self::punish(who);
        true
    }

    /// Whether `who` was punished for a set already.
    pub fn is_reported(set: u64, who: &AccountId) -> bool {
        Reported::<T>::contains_key(set, who)
    }

    /// Takes shares of `who` from the next border on. Returns whether it is still a validator.
    pub fn punish(who: &AccountId) -> bool {
        let mut set = Planned::<T>::get().map_or_else(Current::<T>::get, |plan| plan.validators);
        let Some(index) = set.iter().position(|v| v.account == *who) else { return false };
        let shares = validators::punish(&mut set, index);
        Self::deposit_event(Event::Punished { validator: who.clone(), shares });
        Self::plan(set);
        true
    }
}
