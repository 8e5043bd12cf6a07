//! How shares become authorship and finality, and what becomes of reports of double votes
//! (`protocol.md` §12).
//!
//! Aura takes the authors of its slots in turn from a list, in which a key may stand several times:
//! [`pallet_governance::slots`] has written it in proportion to the shares. GRANDPA weighs votes by the
//! shares themselves, and finalizes with more than two thirds of them. The sets of GRANDPA are numbered;
//! the number of a set is its session in proofs of whose key it was.

use crate::{AccountId, Aura, Governance, Grandpa, Runtime, RuntimeCall, UncheckedExtrinsic};
use alloc::vec::Vec;
use frame_support::{traits::KeyOwnerProofSystem, WeakBoundedVec};
use frame_system::offchain::{CreateBare, CreateTransactionBase};
use pallet_governance::{Consensus, Finalizers};
use pallet_grandpa::{
    AuthorityId as GrandpaId, CurrentSetId, EquivocationOffence, SetIdSession, Stalled, TimeSlot,
};
use sp_core::{crypto::KeyTypeId, ed25519, sr25519};
use sp_runtime::{BoundedVec, DispatchResult};
use sp_session::MembershipProof;
use sp_staking::offence::{Offence, OffenceError, ReportOffence};

/// Carries the shares of the validators into Aura and GRANDPA.
pub struct Shares;

impl Shares {
    fn weights(finalizers: &Finalizers) -> sp_consensus_grandpa::AuthorityList {
        finalizers.iter().map(|(key, _, weight)| (GrandpaId::from(*key), *weight)).collect()
    }

    /// The number of a set as that of a session; far fewer sets are ever made.
    fn session(set: u64) -> u32 {
        u32::try_from(set).unwrap_or(u32::MAX)
    }
}

impl Consensus for Shares {
    fn begin(slots: Vec<sr25519::Public>, finalizers: Finalizers) {
        let slots: Vec<_> = slots.into_iter().map(Into::into).collect();
        Aura::initialize_authorities(&slots);
        let weights = WeakBoundedVec::try_from(Self::weights(&finalizers)).expect("few validators");
        pallet_grandpa::Authorities::<Runtime>::put(weights);
        SetIdSession::<Runtime>::insert(0, 0);
        Governance::note_set(0, &finalizers);
    }

    fn change(slots: Vec<sr25519::Public>, finalizers: Finalizers) -> DispatchResult {
        // As `pallet-grandpa` does it for new sessions, with weights: when root has noted that finality
        // has stopped, the change is forced.
        let (wait, forced) = match Stalled::<Runtime>::get() {
            Some((wait, best)) => (wait, Some(best)),
            None => (0, None),
        };
        Grandpa::schedule_change(Self::weights(&finalizers), wait, forced)?;
        Stalled::<Runtime>::kill();
        let set = CurrentSetId::<Runtime>::get().saturating_add(1);
        CurrentSetId::<Runtime>::put(set);
        SetIdSession::<Runtime>::insert(set, Self::session(set));
        if let Some(old) = set.checked_sub(pallet_governance::KEPT_SETS) {
            SetIdSession::<Runtime>::remove(old);
        }
        Governance::note_set(set, &finalizers);
        let slots: Vec<_> = slots.into_iter().map(Into::into).collect();
        Aura::change_authorities(BoundedVec::truncate_from(slots));
        Ok(())
    }
}

/// Whose finality key it was in a set. The chain remembers the sets, so a proof only names one.
pub struct KeyOwners;

impl KeyOwners {
    /// That `key` is in `set`, if it is remembered.
    pub fn proof(set: u64, key: &GrandpaId) -> Option<MembershipProof> {
        let (_, validator_count) = Governance::finalizer(set, &ed25519::Public::from(key.clone()))?;
        let session = u32::try_from(set).ok()?;
        Some(MembershipProof { session, trie_nodes: Vec::new(), validator_count })
    }
}

impl KeyOwnerProofSystem<(KeyTypeId, GrandpaId)> for KeyOwners {
    type Proof = MembershipProof;
    type IdentificationTuple = AccountId;

    fn prove((kind, key): (KeyTypeId, GrandpaId)) -> Option<MembershipProof> {
        if kind != sp_consensus_grandpa::KEY_TYPE {
            return None;
        }
        Self::proof(CurrentSetId::<Runtime>::get(), &key)
    }

    fn check_proof(
        (kind, key): (KeyTypeId, GrandpaId),
        proof: MembershipProof,
    ) -> Option<AccountId> {
        let MembershipProof { session, trie_nodes, validator_count } = proof;
        let (owner, count) = Governance::finalizer(session.into(), &key.into())?;
        let right = kind == sp_consensus_grandpa::KEY_TYPE
            && trie_nodes.is_empty()
            // The report was weighed by it.
            && validator_count == count;
        right.then_some(owner)
    }
}

/// Punishes who has voted twice: once per set.
pub struct Offences;

impl ReportOffence<AccountId, AccountId, EquivocationOffence<AccountId>> for Offences {
    fn report_offence(
        _: Vec<AccountId>,
        offence: EquivocationOffence<AccountId>,
    ) -> Result<(), OffenceError> {
        let set = offence.slot().set_id;
        let first = offence.offenders().iter().all(|who| Governance::report(set, who));
        first.then_some(()).ok_or(OffenceError::DuplicateReport)
    }

    fn is_known_offence(offenders: &[AccountId], slot: &TimeSlot) -> bool {
        offenders.iter().all(|who| Governance::is_reported(slot.set_id, who))
    }
}

impl<C> CreateTransactionBase<C> for Runtime
where
    RuntimeCall: From<C>,
{
    type Extrinsic = UncheckedExtrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<C> CreateBare<C> for Runtime
where
    RuntimeCall: From<C>,
{
    fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_bare(call)
    }
}
