//! Invariants, numbered as in the crate's documentation.

use crate::*;
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks the invariants of the crate's documentation.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let current = Current::<T>::get();
        let planned = Planned::<T>::get().map(|plan| plan.validators).unwrap_or_default();
        for set in [current, planned] {
            let safe = set.is_empty() || validators::check_identities(&set).is_ok();
            ensure!(safe, "1: a set of validators that is not safe");
        }
        let agenda = Agenda::<T>::get();
        ensure!(agenda.windows(2).all(|two| two[0].0 <= two[1].0), "2: the agenda is not in order");
        let mut named: Vec<_> = agenda.iter().map(|(due, id)| (*id, *due)).collect();
        named.sort_unstable();
        let mut open: Vec<_> = Proposals::<T>::iter().map(|(id, open)| (id, open.due)).collect();
        open.sort_unstable();
        ensure!(named == open, "2: the agenda names other proposals than are open");
        let mut deposits: BTreeMap<AccountId, Balance> = BTreeMap::new();
        for (id, proposal) in Proposals::<T>::iter() {
            ensure!(Self::calls_of(id).is_some(), "3: a proposal without its calls");
            *deposits.entry(proposal.proposer).or_default() += proposal.deposit;
        }
        ensure!(Calls::<T>::iter_keys().count() == open.len(), "3: calls without a proposal");
        for (proposer, deposit) in deposits {
            let reason = HoldReason::ProposalDeposit.into();
            let held = T::Native::balance_on_hold(&reason, &proposer);
            ensure!(held >= deposit, "3: a deposit is not on hold");
        }
        let known = |id| Proposals::<T>::contains_key(id);
        ensure!(Votes::<T>::iter_keys().all(|(id, _)| known(id)), "4: votes without a proposal");
        let known = |set| Sets::<T>::contains_key(set);
        ensure!(Reported::<T>::iter_keys().all(|(set, _)| known(set)), "5: a forgotten set");
        Ok(())
    }
}
