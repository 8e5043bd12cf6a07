//! Carrying out disputes and closes, and late claims (`protocol.md` §5).

use crate::{
    costs::count, dispute::simplexes, AccountId, AgendaTask, AssetId, Balance, ChannelRecord,
    Channels, Clock, Config, Custody, DebtLedger, Dispute, Disputes, Epoch, Error, Event,
    HoldReason, OldEpochs, Outcome, Outcomes, Pallet, Resolved, Rows, Secrets, UsableClock,
    Verdict, WeightInfo,
};
use alloc::{collections::BTreeSet, vec::Vec};
use failsafe_pallet_support::{HubRegistry as _, Marks};
use failsafe_primitives::{
    evidence::{late_amount, Presented},
    simplex::{Lock, MaxLocks},
    split, Collateral, Pair, Side, Signature, Simplex, NATIVE_ASSET,
};
use frame_support::{
    defensive,
    dispatch::DispatchResultWithPostInfo,
    ensure,
    traits::{
        fungible::MutateHold,
        fungibles::Inspect,
        tokens::{Fortitude, Precision, Restriction},
        Get,
    },
    weights::Weight,
    BoundedVec,
};

impl<T: Config> Pallet<T> {
    /// Resolves the dispute of `pair` if its time is over. Returns the weight of what was met.
    pub(crate) fn do_resolve_due(pair: &Pair) -> Result<Weight, Error<T>> {
        let dispute = Disputes::<T>::get(pair.left(), pair.right()).ok_or(Error::<T>::NoDispute)?;
        ensure!(T::Clock::now() >= dispute.resolve_at, Error::<T>::TooEarly);
        let weight = Self::resolve_weight(pair, &dispute);
        Self::carry_out(pair, &dispute);
        Ok(weight)
    }

    /// What carrying out `dispute` costs.
    pub(crate) fn resolve_weight(pair: &Pair, dispute: &Dispute) -> Weight {
        let (assets, locks) = Self::size_of(pair, dispute);
        T::WeightInfo::resolve(assets, locks)
    }

    /// Over how many assets and locks `dispute` is.
    pub(crate) fn size_of(pair: &Pair, dispute: &Dispute) -> (u32, u32) {
        let assets = Self::assets_of(pair, dispute).len();
        let locks = simplexes(&dispute.presented).flat_map(Simplex::locks).count();
        let bounded = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (bounded(assets), bounded(locks))
    }

    /// Every asset that has a row or is named in the evidence or in the close.
    fn assets_of(pair: &Pair, dispute: &Dispute) -> BTreeSet<AssetId> {
        let mut assets: BTreeSet<_> =
            Rows::<T>::iter_key_prefix((pair.left(), pair.right())).collect();
        match &dispute.verdict {
            Verdict::Agreed(close) => assets.extend(close.offdeltas.iter().map(|(a, _)| *a)),
            Verdict::Open | Verdict::Accepted => {
                let entries = simplexes(&dispute.presented).flat_map(|s| s.entries.iter());
                assets.extend(entries.map(|entry| entry.asset));
            },
        }
        assets
    }

    /// What each side has paid in `asset` by the stored simplexes: `sent` plus the locks that
    /// were revealed in time.
    fn counted(dispute: &Dispute, asset: AssetId) -> [Balance; 2] {
        let one = |side: Side| {
            let presented = dispute.presented[side.index()].as_ref();
            presented.map_or(0, |presented| {
                let counted = presented.simplex.counted(asset, T::Secrets::revealed_at);
                // Validated simplexes are within the limits.
                counted.unwrap_or_else(|_| {
                    defensive!("a stored simplex beyond the limits");
                    presented.simplex.sent(asset)
                })
            })
        };
        [one(Side::Left), one(Side::Right)]
    }

    /// The locks of a stored simplex that were revealed in time.
    fn counted_locks(presented: &Option<Presented>) -> BoundedVec<(AssetId, Lock), MaxLocks> {
        let entries = presented.iter().flat_map(|presented| &presented.simplex.entries);
        let locks = entries.flat_map(|entry| entry.locks.iter().map(|lock| (entry.asset, lock)));
        let counted = locks.filter(|(_, lock)| lock.counts(T::Secrets::revealed_at(&lock.hash)));
        // A valid simplex has no more locks than a list may have.
        BoundedVec::truncate_from(counted.map(|(asset, lock)| (asset, lock.clone())).collect())
    }

    /// Pays out, books debts, moves the epoch on. Never fails. Returns whether a debt was booked.
    pub(crate) fn carry_out(pair: &Pair, dispute: &Dispute) -> bool {
        let (left, right) = (pair.left(), pair.right());
        let mut record: ChannelRecord = Channels::<T>::get(left, right).unwrap_or_default();
        let mut resolved = Resolved { at: T::Clock::now(), ..Default::default() };
        if !matches!(dispute.verdict, Verdict::Agreed(_)) {
            resolved.locks = dispute.presented.each_ref().map(Self::counted_locks);
        }
        let mut outcomes = Outcomes::default();
        for asset in Self::assets_of(pair, dispute) {
            let row = Rows::<T>::take((left, right, asset));
            if row.is_none() && !T::Assets::asset_exists(asset) {
                continue;
            }
            let collateral = row.map(|row| row.collateral).unwrap_or_default();
            let offdelta = match &dispute.verdict {
                Verdict::Agreed(close) => close.offdelta(asset),
                Verdict::Open | Verdict::Accepted => {
                    let counted = Self::counted(dispute, asset);
                    for (list, amount) in resolved.counted.iter_mut().zip(counted) {
                        if amount > 0 && list.try_push((asset, amount)).is_err() {
                            defensive!("more assets counted than a simplex may have");
                        }
                    }
                    signed_difference(counted)
                },
            };
            let outcome = Self::pay_out(pair, dispute, asset, collateral, offdelta);
            if outcomes.try_push(outcome).is_err() {
                defensive!("more outcomes than assets");
            }
        }
        let booked = outcomes.iter().any(|outcome| outcome.booked > 0);
        Self::note_hubs(pair, dispute, &outcomes);

        Self::remove_dispute(pair);
        Self::settle_deposit(pair, dispute);
        let epoch = record.epoch;
        // One per resolve or close, each of which costs a fee: 2^32 do not come.
        record.epoch = epoch.saturating_add(1);
        record.withdrawal_nonces = [0, 0];
        record.rows = [0, 0];
        Channels::<T>::insert(left, right, record);
        if !matches!(dispute.verdict, Verdict::Agreed(_)) {
            let until = Self::late_until(&resolved);
            let forget = AgendaTask::Forget(left.clone(), right.clone(), epoch);
            Self::schedule(until.saturating_add(1), forget);
            OldEpochs::<T>::insert((left, right, epoch), resolved);
        }
        Self::deposit_event(Event::DisputeResolved {
            left: left.clone(),
            right: right.clone(),
            epoch,
            outcomes,
        });
        booked
    }

    /// What the end of a dispute says of those parties that are hubs.
    fn note_hubs(pair: &Pair, dispute: &Dispute, outcomes: &Outcomes) {
        for side in [Side::Left, Side::Right] {
            let owed = |outcome: &&Outcome| match side {
                Side::Left => outcome.left_owed > 0,
                Side::Right => outcome.right_owed > 0,
            };
            // Only one of the two owes in an asset, so what was booked is the debt of that one.
            let booked = outcomes.iter().filter(|outcome| outcome.booked > 0).filter(owed);
            let debts = u32::try_from(booked.count()).unwrap_or(u32::MAX);
            let disputed = !matches!(dispute.verdict, Verdict::Agreed(_));
            let hid = dispute.forfeited && dispute.starter == Some(side);
            let marks = Marks { disputed, lost: disputed && (hid || debts > 0), debts };
            T::Hubs::note(pair.account(side), marks);
        }
    }

    fn pay_out(
        pair: &Pair,
        dispute: &Dispute,
        asset: AssetId,
        collateral: Collateral,
        offdelta: i128,
    ) -> Outcome {
        let delta = collateral.ondelta.checked_add(offdelta).unwrap_or_else(|| {
            defensive!("numbers within the limits cannot overflow");
            collateral.ondelta
        });
        let shares = split(collateral.insurance, delta);
        for side in [Side::Left, Side::Right] {
            T::Custody::release(pair.account(side), asset, shares.insured(side));
        }
        for side in [Side::Left, Side::Right] {
            if shares.insured(side) > 0 {
                T::Debts::collect(pair.account(side), asset);
            }
        }
        let mut booked = 0;
        for debtor in [Side::Left, Side::Right] {
            let (who, creditor) = (pair.account(debtor), pair.account(debtor.other()));
            let owed = shares.owes(debtor);
            if owed > 0 {
                booked = T::Debts::pay_or_book(who, creditor, asset, owed, dispute.opened_in);
            }
        }
        Outcome {
            asset,
            left_insured: shares.left_insured,
            right_insured: shares.right_insured,
            left_owed: shares.left_owes,
            right_owed: shares.right_owes,
            booked,
        }
    }

    /// The deposit goes to the responder if the starter hid a newer simplex of its own, else back
    /// (M17). What a debtor forfeits goes to its first creditor: an accomplice must not fetch it
    /// past those whom the starter owes.
    fn settle_deposit(pair: &Pair, dispute: &Dispute) {
        let Some(starter) = dispute.starter.filter(|_| dispute.deposit > 0) else { return };
        let (who, responder) = (pair.account(starter), pair.account(starter.other()));
        let owes = T::Debts::is_debtor(who, NATIVE_ASSET);
        if dispute.forfeited && !owes && Self::hand_over(who, responder, dispute.deposit) {
            T::Debts::collect(responder, NATIVE_ASSET);
            return;
        }
        let reason = HoldReason::DisputeDeposit.into();
        if T::Native::release(&reason, who, dispute.deposit, Precision::BestEffort).is_err() {
            defensive!("a dispute deposit that is not on hold");
        }
        if dispute.forfeited && owes {
            T::Debts::surrender(who, NATIVE_ASSET, dispute.deposit);
        } else {
            T::Debts::collect(who, NATIVE_ASSET);
        }
    }

    /// Moves a forfeited deposit to the responder. That fails for one whose account does not exist,
    /// which cannot be credited with less than the minimum balance.
    fn hand_over(who: &AccountId, responder: &AccountId, deposit: Balance) -> bool {
        let moved = T::Native::transfer_on_hold(
            &HoldReason::DisputeDeposit.into(),
            who,
            responder,
            deposit,
            Precision::BestEffort,
            Restriction::Free,
            Fortitude::Force,
        );
        moved.is_ok()
    }

    /// Last usable clock at which late claims of a resolved epoch are taken.
    pub(crate) fn late_until(resolved: &Resolved) -> Clock {
        // A clock and a time of at most a year: the sum is far from the end of a `u64`.
        resolved.at.saturating_add(T::Parameters::get().late)
    }

    pub(crate) fn do_late_claim(
        pair: &Pair,
        payee: Side,
        epoch: Epoch,
        simplex: &Simplex,
        signature: &Signature,
    ) -> DispatchResultWithPostInfo {
        let key = (pair.left(), pair.right(), epoch);
        let mut resolved = OldEpochs::<T>::get(key).ok_or(Error::<T>::NoLateClaims)?;
        ensure!(T::Clock::now() <= Self::late_until(&resolved), Error::<T>::NoLateClaims);
        let payer = payee.other();
        let context = Self::context(pair, epoch);
        // Only locks that had counted do, so any expiry will do.
        let rules = Self::rules(&context, Clock::MAX);
        rules.check_late(payer, simplex, signature).map_err(Error::<T>::from)?;

        let counted = &mut resolved.counted[payer.index()];
        let locks = &resolved.locks[payer.index()];
        let mut claims: Vec<(AssetId, Balance)> = Vec::new();
        for entry in &simplex.entries {
            let known = counted.iter_mut().find(|(asset, _)| *asset == entry.asset);
            let before = known.as_ref().map_or(0, |(_, amount)| *amount);
            let amount = late_amount(entry, before, locks);
            if amount == 0 || !T::Assets::asset_exists(entry.asset) {
                continue;
            }
            let after = before.checked_add(amount).ok_or(Error::<T>::LimitExceeded)?;
            match known {
                Some((_, counted)) => *counted = after,
                None => {
                    counted.try_push((entry.asset, after)).map_err(|_| Error::<T>::TooManyAssets)?
                },
            }
            claims.push((entry.asset, amount));
        }
        ensure!(!claims.is_empty(), Error::<T>::NothingToClaim);
        OldEpochs::<T>::insert(key, resolved);
        let weight = T::WeightInfo::late_claim(count(&claims));
        let (payer, payee) = (pair.account(payer).clone(), pair.account(payee).clone());
        let mut debts = 0_u32;
        for (asset, amount) in claims {
            Self::deposit_event(Event::LateClaim {
                payer: payer.clone(),
                payee: payee.clone(),
                epoch,
                asset,
                amount,
            });
            let booked = T::Debts::pay_or_book(&payer, &payee, asset, amount, Self::block());
            // At most one for each of 16 assets.
            debts = debts.saturating_add((booked > 0).into());
        }
        T::Hubs::note(&payer, Marks { debts, ..Marks::default() });
        Ok(Some(weight).into())
    }
}

/// `right − left` of two counted amounts.
fn signed_difference([left, right]: [Balance; 2]) -> i128 {
    failsafe_primitives::delta(0, left, right).unwrap_or_else(|_| {
        defensive!("counted amounts within the limits cannot overflow");
        0
    })
}
