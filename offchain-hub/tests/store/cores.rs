//! What a real party's mind makes of a store that was restored.

use codec::Encode;
use failsafe_channel::{Channel, Moment, PairFacts, PaymentId, ReturnReason, Sign};
use failsafe_hub::{
    chain::{ChainNews, Followed},
    keys::{AccountKey, Scheme},
    party::{
        changed_channels,
        core::{Input, Output},
        Core, Policy,
    },
    store::{Batch, Change, FjallStore, Restored, Store, Table},
};
use failsafe_primitives::AccountId;
use sp_core::H256;
use std::sync::Arc;

const GENESIS: H256 = H256::repeat_byte(7);

fn key() -> AccountKey {
    AccountKey::from_uri(Scheme::Ed25519, "//restored").unwrap()
}

fn partner(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

fn store(dir: &tempfile::TempDir) -> Arc<FjallStore> {
    Arc::new(FjallStore::create(&dir.path().join("store")).unwrap())
}

fn facts(number: u8, block: u32, epoch: u32) -> PairFacts {
    let at = Moment { block, clock: block.into() };
    let mut facts = PairFacts::unknown(&key().account(), &partner(number), at).unwrap();
    facts.view.epoch = epoch;
    facts
}

fn load(store: &Arc<FjallStore>) -> Core {
    Core::load(Arc::new(key()), GENESIS, Policy::payer(), [0; 32], store.clone()).unwrap()
}

/// One input, with what it leads to made durable.
fn handle(core: &mut Core, store: &FjallStore, input: Input) -> Batch {
    let mut out = Output::default();
    core.handle(1_000, input, &mut out);
    core.finish(&mut out);
    store.commit(&out.batch).unwrap();
    out.batch
}

fn finalized(block: u32, facts: Vec<PairFacts>) -> Input {
    let moment = Moment { block, clock: block.into() };
    Input::Chain(ChainNews::Finalized { moment, facts })
}

fn tracked(number: u8, block: u32) -> Input {
    Input::Chain(ChainNews::Tracked { facts: facts(number, block, 0) })
}

fn is_restored(core: &Core, number: u8) -> bool {
    let channels = core.channels();
    channels.into_iter().find(|channel| *channel.partner() == partner(number)).unwrap().restored()
}

#[test]
fn new_channel_should_count_as_restored_when_the_store_was_restored_a_while_ago() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let mut batch = Batch::default();
    Restored::default().put(&mut batch);
    store.commit(&batch).unwrap();
    let mut core = load(&store);
    handle(&mut core, &store, tracked(2, 9));
    assert!(is_restored(&core, 2), "before anything is known of the chain");
    handle(&mut core, &store, finalized(10, vec![]));
    assert_eq!(Restored::load(&*store).unwrap(), Some(Restored { since: Some(10) }));

    // Over a restart.
    let mut core = load(&store);
    handle(&mut core, &store, finalized(1_010, vec![]));
    assert_eq!(Restored::load(&*store).unwrap(), Some(Restored { since: Some(10) }));
    handle(&mut core, &store, tracked(3, 1_010));
    assert!(is_restored(&core, 3));
    handle(&mut core, &store, finalized(1_011, vec![]));
    handle(&mut core, &store, tracked(4, 1_011));
    assert!(!is_restored(&core, 4), "nothing that was forgotten can be used any more");
}

#[test]
fn new_channel_should_be_as_ever_when_the_store_was_never_restored() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let mut core = load(&store);
    handle(&mut core, &store, tracked(2, 9));
    assert!(!is_restored(&core, 2));
}

/// The epoch in which a payment was to be given back is over: nobody knows whether it was.
#[test]
fn return_should_not_be_made_again_when_the_chain_has_moved_on_since_the_backup() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let mut batch = Batch::default();
    for number in [2u8, 3] {
        let me = key().account();
        let mut channel =
            Channel::new(GENESIS, &me, &partner(number), facts(number, 5, 0)).unwrap();
        if number == 2 {
            channel.mark_restored();
        }
        batch.put(Table::Channels, partner(number).encode(), channel.encode_state());
        let id = PaymentId([number; 16]);
        let owed = (partner(number), 0u32, 70u128, id, ReturnReason::Unavailable);
        batch.put(Table::Returns, u64::from(number).to_be_bytes(), owed.encode());
    }
    store.commit(&batch).unwrap();
    let mut core = load(&store);
    let moved_on = vec![facts(2, 20, 1), facts(3, 20, 1)];
    let batch = handle(&mut core, &store, finalized(20, moved_on));
    let gone = Change::Delete(Table::Returns, 2u64.to_be_bytes().to_vec());
    assert!(batch.changes.contains(&gone), "{:?}", batch.changes);
    let left: Vec<_> =
        store.scan(Table::Returns).unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(left, vec![3u64.to_be_bytes().to_vec()], "the other one is still owed");
}

fn followed(block: u32) -> Input {
    Input::Chain(ChainNews::Followed(Followed { block, hash: H256::repeat_byte(1) }))
}

#[test]
fn chain_should_be_followed_from_where_it_was_left_when_a_party_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let mut core = load(&store);
    assert_eq!(core.followed(), None, "every channel is to be read");
    handle(&mut core, &store, finalized(9, vec![]));
    handle(&mut core, &store, followed(9));
    assert_eq!(load(&store).followed().map(|followed| followed.block), Some(9));
}

#[test]
fn every_channel_should_be_read_when_the_store_was_restored() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let mut core = load(&store);
    handle(&mut core, &store, followed(9));
    let mut batch = Batch::default();
    Restored::default().put(&mut batch);
    store.commit(&batch).unwrap();
    assert_eq!(load(&store).followed(), None);
}

#[test]
fn store_should_be_refused_when_it_is_damaged_in_how_far_the_chain_was_followed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let mut batch = Batch::default();
    batch.put(Table::Meta, b"followed", vec![1]);
    store.commit(&batch).unwrap();
    let refused = Core::load(Arc::new(key()), GENESIS, Policy::payer(), [0; 32], store);
    let error = refused.err().expect("it cannot be read").to_string();
    assert!(error.contains("how far the chain was followed"), "{error}");
}

#[test]
fn facts_should_be_taken_in_with_the_next_block_when_they_come_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let mut core = load(&store);
    for number in [2, 3, 4] {
        handle(&mut core, &store, tracked(number, 5));
    }
    let mut core = load(&store);
    let part = ChainNews::Part { facts: vec![facts(2, 9, 1), facts(3, 9, 0)] };
    handle(&mut core, &store, Input::Chain(part));
    let epoch = |core: &Core, number| core.channel(&partner(number)).unwrap().epoch();
    assert_eq!(epoch(&core, 2), 0, "not before the block itself");
    let batch = handle(&mut core, &store, finalized(9, vec![facts(4, 9, 1)]));
    assert_eq!([2, 3, 4].map(|number| epoch(&core, number)), [1, 0, 1]);
    let stored = changed_channels(&batch).into_iter().map(|(partner, _)| partner);
    assert_eq!(stored.collect::<Vec<_>>(), [2, 4].map(partner), "nothing new is not written");
}
