//! Opening, countering, accepting and closing (`protocol.md` §5).

use crate::{
    Balance, Close, Config, DebtLedger, Dispute, Disputes, Epoch, Error, Event, Evidence,
    HoldReason, HubRegistry, Pallet, Role, Rows, Secrets, Size, TwiceSigned, UsableClock, Verdict,
    WeightInfo,
};
use alloc::vec::Vec;
use failsafe_pallet_support::fees::payable;
use failsafe_primitives::{
    evidence::{
        latest_expiry_at_start, latest_expiry_in_counter, resolve_at, Brought, EvidenceRules,
        Presented,
    },
    payload::PayloadError,
    presented_digest, signature,
    simplex::MAX_LOCKS_HUBS,
    AccountId, BlockNumber, ChannelContext, Claim, Clock, EvidenceError, Pair, Side, Simplex,
};
use frame_support::{
    dispatch::{DispatchResult, DispatchResultWithPostInfo, Pays, PostDispatchInfo},
    ensure,
    storage::{with_transaction, TransactionOutcome},
    traits::{fungible::MutateHold, Get},
    weights::Weight,
};
use sp_core::H256;
use sp_runtime::{traits::UniqueSaturatedInto, DispatchError, MultiSignature};

impl<T> From<EvidenceError> for Error<T> {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Malformed(_) | EvidenceError::AckOrder => Self::MalformedEvidence,
            EvidenceError::BadProof => Self::BadProof,
            EvidenceError::ExpiryTooFar => Self::ExpiryTooFar,
            EvidenceError::AckMissing => Self::AckMissing,
        }
    }
}

impl<T> From<PayloadError> for Error<T> {
    fn from(_: PayloadError) -> Self {
        Self::MalformedClose
    }
}

impl<T: Config> Pallet<T> {
    /// The current block number.
    pub(crate) fn block() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().unique_saturated_into()
    }

    /// The rules for evidence whose locks expire at `latest_expiry` at the latest. The chain takes
    /// as many locks as two hubs may have, whoever the parties are: a party that retires as a hub
    /// cannot void what was signed before.
    pub(crate) fn rules(context: &ChannelContext, latest_expiry: Clock) -> EvidenceRules<'_> {
        EvidenceRules { channel: context, latest_expiry, max_locks: MAX_LOCKS_HUBS }
    }

    pub(crate) fn do_dispute(
        who: &AccountId,
        partner: &AccountId,
        epoch: Epoch,
        evidence: Evidence,
    ) -> DispatchResultWithPostInfo {
        let (pair, side) = Self::channel_of(who, partner)?;
        // A simplex that nobody acknowledged is bound to its epoch by nothing else.
        ensure!(epoch == Self::epoch_of(&pair), Error::<T>::WrongEpoch);
        if Disputes::<T>::contains_key(pair.left(), pair.right()) {
            return Self::do_counter(&pair, side, evidence);
        }
        let size = Size::of_evidence(&evidence);
        let empty = !evidence.has_partners_signature();
        let insured = || Rows::<T>::iter_key_prefix((pair.left(), pair.right())).next().is_some();
        ensure!(!empty || insured(), Error::<T>::NothingToDispute);

        let parameters = T::Parameters::get();
        let (record, new) = Self::record_of(&pair, who)?;
        let context = Self::context(&pair, record.epoch);
        let latest = latest_expiry_at_start(T::Clock::now(), parameters.lock_window);
        let presented =
            Self::rules(&context, latest).check(evidence, side, true).map_err(Error::<T>::from)?;
        let deposit = parameters.dispute_deposit;
        Self::hold_deposit(who, deposit)?;

        let start = T::Clock::now();
        let delay = parameters.delay(T::Hubs::is_hub(partner));
        let dispute = Dispute {
            starter: Some(side),
            start,
            delay,
            opened_in: Self::block(),
            resolve_at: resolve_at(start, delay, simplexes(&presented)),
            claim: Claim::of(presented[side.index()].as_ref().map(|own| &own.simplex)),
            deposit,
            forfeited: false,
            free: Default::default(),
            verdict: Verdict::Open,
            presented,
        };
        Self::deposit_event(Event::DisputeStarted {
            left: pair.left().clone(),
            right: pair.right().clone(),
            epoch: record.epoch,
            starter: who.clone(),
            resolve_at: dispute.resolve_at,
        });
        let opening = T::WeightInfo::dispute(size.simplexes, size.locks);
        let known = if new { Weight::zero() } else { T::WeightInfo::new_record() };
        let prepaid = Self::resolve_weight(&pair, &dispute);
        Self::open(&pair, dispute);
        Ok(Some(opening.saturating_sub(known).saturating_add(prepaid)).into())
    }

    /// Puts the dispute deposit on hold, out of what `who` may pay fees from.
    fn hold_deposit(who: &AccountId, deposit: Balance) -> Result<(), Error<T>> {
        if deposit == 0 {
            return Ok(());
        }
        let (available, _) = payable::<T::Native, T::Debts>(who);
        ensure!(deposit <= available, Error::<T>::DepositMissing);
        T::Native::hold(&HoldReason::DisputeDeposit.into(), who, deposit)
            .map_err(|_| Error::<T>::DepositMissing)?;
        T::Debts::use_allowance(who, deposit);
        Ok(())
    }

    /// The dispute of `pair`, if it still takes counters.
    fn open_dispute(pair: &Pair) -> Result<(Dispute, ChannelContext), Error<T>> {
        let dispute = Disputes::<T>::get(pair.left(), pair.right()).ok_or(Error::<T>::NoDispute)?;
        ensure!(dispute.verdict == Verdict::Open, Error::<T>::AlreadySettled);
        ensure!(T::Clock::now() < dispute.resolve_at, Error::<T>::TooLate);
        Ok((dispute, Self::context(pair, Self::epoch_of(pair))))
    }

    pub(crate) fn do_counter(
        pair: &Pair,
        side: Side,
        evidence: Evidence,
    ) -> DispatchResultWithPostInfo {
        let (dispute, context) = Self::open_dispute(pair)?;
        ensure!(dispute.starter != Some(side), Error::<T>::StarterSpeaksOnce);
        let Size { simplexes, locks, .. } = Size::of_evidence(&evidence);
        let presented = Self::rules_of(&dispute, &context)
            .check(evidence, side, false)
            .map_err(Error::<T>::from)?;
        let weight = T::WeightInfo::counter(simplexes, locks);
        Ok(Self::replace(pair, dispute, presented, Role::Responder, weight))
    }

    pub(crate) fn do_counter_for(
        pair: &Pair,
        simplexes: impl IntoIterator<Item = TwiceSigned>,
    ) -> DispatchResultWithPostInfo {
        let (dispute, context) = Self::open_dispute(pair)?;
        let simplexes: Vec<_> = simplexes.into_iter().collect();
        let size = Size::of_twice_signed(&simplexes);
        let presented = Self::rules_of(&dispute, &context)
            .check_twice_signed(simplexes)
            .map_err(Error::<T>::from)?;
        let weight = T::WeightInfo::counter_for(size.simplexes, size.locks);
        Ok(Self::replace(pair, dispute, presented, Role::Other, weight))
    }

    /// The rules for counters to `dispute`.
    fn rules_of<'a>(dispute: &Dispute, context: &'a ChannelContext) -> EvidenceRules<'a> {
        let window = T::Parameters::get().lock_window;
        Self::rules(context, latest_expiry_in_counter(dispute.start, window))
    }

    /// Puts newer simplexes in place of older ones. The first counter of each role that changes
    /// something is free (A19). `weight` is the counter's own, to which the resolve comes that it
    /// may have made heavier.
    fn replace(
        pair: &Pair,
        mut dispute: Dispute,
        presented: [Option<Presented>; 2],
        role: Role,
        weight: Weight,
    ) -> PostDispatchInfo {
        let mut changed = false;
        for (from, new) in [Side::Left, Side::Right].into_iter().zip(presented) {
            let Some(new) = new else { continue };
            let nonce = new.simplex.nonce;
            let (left, right) = (pair.left().clone(), pair.right().clone());
            dispute.forfeited |=
                dispute.starter == Some(from) && dispute.claim.is_broken_by(&new.simplex);
            let stored = &mut dispute.presented[from.index()];
            let brought = new.bring(stored);
            changed |= brought != Brought::Skipped;
            Self::deposit_event(match brought {
                Brought::Replaced => Event::SimplexReplaced { left, right, from, nonce },
                Brought::RaisedFloor | Brought::Skipped => {
                    Event::SimplexSkipped { left, right, from, nonce }
                },
            });
        }
        let pays_fee = if changed && dispute.free.take(role) { Pays::No } else { Pays::Yes };
        let due = resolve_at(dispute.start, dispute.delay, simplexes(&dispute.presented));
        // Never lowered [M13]. The agenda moves its entry on when it meets it too early.
        dispute.resolve_at = dispute.resolve_at.max(due);
        let weight = weight.saturating_add(Self::resolve_weight(pair, &dispute));
        Disputes::<T>::insert(pair.left(), pair.right(), dispute);
        PostDispatchInfo { actual_weight: Some(weight), pays_fee }
    }

    pub(crate) fn do_accept(
        pair: &Pair,
        side: Side,
        presented: H256,
    ) -> DispatchResultWithPostInfo {
        let dispute = Disputes::<T>::get(pair.left(), pair.right()).ok_or(Error::<T>::NoDispute)?;
        ensure!(dispute.verdict == Verdict::Open, Error::<T>::AlreadySettled);
        ensure!(dispute.starter != Some(side), Error::<T>::StarterSpeaksOnce);
        let stored = presented_digest(Self::epoch_of(pair), &dispute.presented);
        ensure!(presented == stored, Error::<T>::NotWhatIsPresented);
        let now = T::Clock::now();
        let live = simplexes(&dispute.presented)
            .flat_map(Simplex::locks)
            .any(|lock| lock.expiry >= now && T::Secrets::revealed_at(&lock.hash).is_none());
        ensure!(!live, Error::<T>::LiveLock);
        let accepted = Dispute { verdict: Verdict::Accepted, ..dispute };
        let (assets, locks) = Self::size_of(pair, &accepted);
        Self::settle(pair, accepted, true)?;
        Ok(Some(T::WeightInfo::accept(assets, locks)).into())
    }

    pub(crate) fn do_close(
        pair: &Pair,
        side: Side,
        close: Close,
        signature: &MultiSignature,
    ) -> DispatchResultWithPostInfo {
        close.validate().map_err(Error::<T>::from)?;
        let who = pair.account(side);
        let partner = pair.account(side.other());
        let (record, new) = Self::record_of(pair, who)?;
        ensure!(T::Clock::now() <= close.valid_until, Error::<T>::Expired);
        let message = Self::context(pair, record.epoch).close_message(&close);
        ensure!(signature::verify(signature, &message, partner), Error::<T>::BadProof);
        let open = Disputes::<T>::get(pair.left(), pair.right());
        let known = open.is_some();
        let start: Clock = T::Clock::now();
        let delay = T::Parameters::get().delay(T::Hubs::is_hub(partner));
        let dispute = open.unwrap_or_else(|| Dispute {
            starter: None,
            start,
            delay,
            opened_in: Self::block(),
            resolve_at: resolve_at(start, delay, core::iter::empty()),
            claim: Claim::default(),
            deposit: 0,
            forfeited: false,
            free: Default::default(),
            verdict: Verdict::Open,
            presented: [None, None],
        });
        let agreed = Dispute { verdict: Verdict::Agreed(close), ..dispute };
        let (assets, _) = Self::size_of(pair, &agreed);
        Self::settle(pair, agreed, known)?;
        let record = if new { T::WeightInfo::new_record() } else { Weight::zero() };
        Ok(Some(T::WeightInfo::close(assets).saturating_add(record)).into())
    }

    /// Carries out a decided dispute at once if it books no debt, else at its deadline (M16).
    fn settle(pair: &Pair, dispute: Dispute, known: bool) -> DispatchResult {
        let at_once = with_transaction(|| {
            let booked = Self::carry_out(pair, &dispute);
            if booked {
                TransactionOutcome::Rollback(Ok::<_, DispatchError>(false))
            } else {
                TransactionOutcome::Commit(Ok(true))
            }
        })?;
        if at_once {
            return Ok(());
        }
        Self::deposit_event(Event::DisputeSettled {
            left: pair.left().clone(),
            right: pair.right().clone(),
            resolve_at: dispute.resolve_at,
        });
        if known {
            Disputes::<T>::insert(pair.left(), pair.right(), dispute);
        } else {
            Self::open(pair, dispute);
        }
        Ok(())
    }
}

/// The simplexes of both sides, as far as there are any.
pub(crate) fn simplexes(presented: &[Option<Presented>; 2]) -> impl Iterator<Item = &Simplex> {
    presented.iter().flatten().map(|presented| &presented.simplex)
}
