//! What calls would change, if an accepted proposal carried them out now. For runtime APIs: whoever
//! asks gets an answer, and the state stays as it is.

use crate::{Governance, RuntimeCall, RuntimeEvent, System};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use codec::{Decode, Encode};
use frame_support::storage::with_transaction;
use scale_info::TypeInfo;
use sp_core::H256;
use sp_io::{
    hashing::{blake2_256, twox_128},
    storage,
};
use sp_runtime::{DispatchError, TransactionOutcome};

/// Most entries of the state that are compared. A chain with more is compared in part.
pub const MAX_COMPARED: usize = 200_000;

/// An entry of the state that would be another one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Change {
    /// Where.
    pub key: Vec<u8>,
    /// What is there now.
    pub before: Option<Vec<u8>>,
    /// What would be there.
    pub after: Option<Vec<u8>>,
}

/// What calls would change.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DryRun {
    /// Which call would fail, by its place from 0, and why: then none has an effect.
    pub failed: Option<(u32, DispatchError)>,
    /// The events that there would be.
    pub events: Vec<RuntimeEvent>,
    /// All entries of the state that would be others, by key.
    pub changes: Vec<Change>,
    /// Whether the whole state was compared.
    pub complete: bool,
}

type Snapshot = BTreeMap<Vec<u8>, H256>;

/// The hashes of all values, and whether those are all.
fn snapshot() -> (Snapshot, bool) {
    let next = |key: &Vec<u8>| storage::next_key(key);
    let mut keys = core::iter::successors(next(&Vec::new()), next);
    let hash = |key: Vec<u8>| {
        let value = storage::get(&key).unwrap_or_default();
        (key, H256(blake2_256(&value)))
    };
    let snapshot = keys.by_ref().take(MAX_COMPARED).map(hash).collect();
    (snapshot, keys.next().is_none())
}

fn value(key: &[u8]) -> Option<Vec<u8>> {
    storage::get(key).map(|value| value.to_vec())
}

/// Entries that say how far a transaction is, not what it does.
fn is_noise(key: &[u8]) -> bool {
    if key == frame_support::storage::transactional::TRANSACTION_LEVEL_KEY {
        return true;
    }
    let of = |name: &[u8]| [twox_128(b"System"), twox_128(name)].concat();
    [of(b"Events"), of(b"EventCount")].iter().any(|noise| key == noise)
}

/// Carries `calls` out as an accepted proposal would, looks at what has changed, and undoes it.
pub fn dry_run(calls: Vec<Box<RuntimeCall>>) -> DryRun {
    let (before, all_before) = snapshot();
    let known = System::read_events_no_consensus().count();
    // First what would be, then back to what is.
    let (failed, events, complete, touched) = in_vain(|| {
        let failed = Governance::carry_out(calls).err();
        let new = System::read_events_no_consensus().skip(known);
        let events = new.map(|record| record.event).collect();
        let (after, all_after) = snapshot();
        let differs = |key: &&Vec<u8>| before.get(*key) != after.get(*key) && !is_noise(key);
        let keys = before
            .keys()
            .filter(differs)
            .chain(after.keys().filter(|key| !before.contains_key(*key)).filter(differs));
        let touched: Vec<_> = keys.map(|key| (key.clone(), value(key))).collect();
        (failed, events, all_after, touched)
    });
    let change = |(key, after): (Vec<u8>, Option<Vec<u8>>)| {
        let before = value(&key);
        Change { key, before, after }
    };
    let mut changes: Vec<_> = touched.into_iter().map(change).collect();
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    DryRun { failed, events, changes, complete: all_before && complete }
}

/// Runs `what` and forgets all that it did.
fn in_vain<R>(what: impl FnOnce() -> R) -> R {
    let undone = with_transaction(|| TransactionOutcome::Rollback(Ok::<_, DispatchError>(what())));
    undone.expect("a transaction that is not nested deeper than FRAME allows; qed")
}
