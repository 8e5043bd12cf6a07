use super::*;
use std::path::Path;

fn account(byte: u8) -> AccountId {
    AccountId::new([byte; 32])
}

fn new_store(dir: &Path) -> FjallStore {
    let store = FjallStore::create(&dir.join("store")).unwrap();
    initialize(&store, &account(1)).unwrap();
    store
}

#[test]
fn records_should_be_there_when_the_store_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path());
    let mut batch = Batch::default();
    batch.put(Table::Channels, b"a".to_vec(), vec![1]);
    batch.put(Table::Channels, b"b".to_vec(), vec![2]);
    batch.put(Table::Payments, b"a".to_vec(), vec![3]);
    batch.delete(Table::Channels, b"b".to_vec());
    store.commit(&batch).unwrap();
    drop(store);
    let store = FjallStore::open(&dir.path().join("store")).unwrap();
    assert_eq!(store.scan(Table::Channels).unwrap(), vec![(b"a".to_vec(), vec![1])]);
    assert_eq!(store.get(Table::Payments, b"a").unwrap(), Some(vec![3]));
    assert_eq!(store.get(Table::Payments, b"z").unwrap(), None);
}

#[test]
fn store_should_be_refused_when_it_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let missing = FjallStore::open(&dir.path().join("store"));
    assert!(matches!(missing, Err(StoreError::Missing { .. })));
    assert!(!dir.path().join("store").exists(), "none is made up");
}

#[test]
fn store_should_be_refused_when_another_process_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let _first = new_store(dir.path());
    let second = FjallStore::open(&dir.path().join("store"));
    assert!(matches!(second, Err(StoreError::Locked { .. })), "{:?}", second.err());
}

#[test]
fn store_should_be_refused_when_it_belongs_to_another_account_or_chain() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path());
    let (chain, other) = (H256::repeat_byte(7), H256::repeat_byte(8));
    let wrong = check_owner(&store, &account(2), chain);
    assert!(matches!(wrong, Err(StoreError::OtherAccount { .. })));
    check_owner(&store, &account(1), chain).unwrap();
    check_owner(&store, &account(1), chain).unwrap();
    let wrong = check_owner(&store, &account(1), other);
    assert!(matches!(wrong, Err(StoreError::OtherChain { .. })));
}

#[test]
fn store_should_be_refused_when_it_is_from_the_future_or_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let store = new_store(dir.path());
    let mut batch = Batch::default();
    batch.put(Table::Meta, OWNER, (SCHEMA + 1).encode());
    store.commit(&batch).unwrap();
    assert!(matches!(owner(&store), Err(StoreError::FromTheFuture { .. })));
    batch.put(Table::Meta, OWNER, vec![1]);
    store.commit(&batch).unwrap();
    assert!(matches!(owner(&store), Err(StoreError::Damaged { .. })));
}
