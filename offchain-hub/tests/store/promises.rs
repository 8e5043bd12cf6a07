//! What every store promises.

use crate::common::{account, database, new_store, places, server, LEASE};
use codec::Encode;
use failsafe_hub::store::{
    check_owner, has_channels, onion_key, owner, postgres::Options, Batch, Change, Place,
    StoreError, Table, SCHEMA,
};
use proptest::{collection::vec, prelude::*};
use sp_core::H256;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

const OWNER: &[u8] = b"owner";

fn put(table: Table, key: &[u8], value: &[u8]) -> Batch {
    let mut batch = Batch::default();
    batch.put(table, key, value.to_vec());
    batch
}

#[test]
fn records_should_be_there_when_the_store_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let store = new_store(&place);
        let mut batch = Batch::default();
        batch.put(Table::Channels, b"a".to_vec(), vec![1]);
        batch.put(Table::Channels, b"b".to_vec(), vec![2]);
        batch.put(Table::Payments, b"a".to_vec(), vec![3]);
        batch.delete(Table::Channels, b"b".to_vec());
        store.commit(&batch).unwrap();
        drop(store);
        let store = place.open().unwrap();
        assert_eq!(store.scan(Table::Channels).unwrap(), vec![(b"a".to_vec(), vec![1])]);
        assert_eq!(store.get(Table::Payments, b"a").unwrap(), Some(vec![3]));
        assert_eq!(store.get(Table::Payments, b"z").unwrap(), None);
    }
}

/// Programs make and open their stores there.
#[tokio::test]
async fn store_should_work_on_a_thread_of_the_asynchronous_runtime() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        drop(new_store(&place));
        let store = place.open().unwrap();
        store.commit(&put(Table::Channels, b"a", b"1")).unwrap();
        store.check().unwrap();
        assert_eq!(place.look().is_ok(), matches!(place, Place::Postgres(_)));
    }
}

#[test]
fn store_should_be_refused_when_it_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let missing = place.open().err().unwrap();
        assert!(matches!(missing, StoreError::Missing { .. }), "{missing}");
        let again = place.open().err().unwrap();
        assert!(matches!(again, StoreError::Missing { .. }), "none is made up: {again}");
        assert!(missing.to_string().contains("restore your backup"), "{missing}");
    }
}

#[test]
fn store_should_be_refused_when_it_exists_already() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        drop(new_store(&place));
        let again = place.create().err().unwrap();
        assert!(matches!(again, StoreError::Exists { .. }), "{again}");
        assert_eq!(owner(&*place.open().unwrap()).unwrap().account, account(1));
    }
}

#[test]
fn store_should_be_refused_when_another_process_has_it() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let _first = new_store(&place);
        let second = place.open().err().unwrap();
        assert!(matches!(second, StoreError::Locked { .. }), "{second}");
    }
}

#[test]
fn store_should_be_refused_when_it_belongs_to_another_account_or_chain() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let store = new_store(&place);
        let (chain, other) = (H256::repeat_byte(7), H256::repeat_byte(8));
        let wrong = check_owner(&*store, &account(2), chain).unwrap_err();
        assert!(matches!(wrong, StoreError::OtherAccount { .. }));
        assert!(wrong.to_string().contains("use the right directory or key"), "{wrong}");
        check_owner(&*store, &account(1), chain).unwrap();
        check_owner(&*store, &account(1), chain).unwrap();
        let wrong = check_owner(&*store, &account(1), other).unwrap_err();
        assert!(matches!(wrong, StoreError::OtherChain { .. }));
        assert!(wrong.to_string().contains("connect to the right node"), "{wrong}");
    }
}

#[test]
fn store_should_be_refused_when_it_is_from_the_future_or_damaged() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let store = new_store(&place);
        store.commit(&put(Table::Meta, OWNER, &(SCHEMA + 1).encode())).unwrap();
        let future = owner(&*store).unwrap_err();
        assert!(matches!(future, StoreError::FromTheFuture { .. }));
        assert!(future.to_string().contains("use the newer program"), "{future}");
        store.commit(&put(Table::Meta, OWNER, &[1])).unwrap();
        let damaged = owner(&*store).unwrap_err();
        assert!(matches!(damaged, StoreError::Damaged { .. }));
        assert!(damaged.to_string().contains("restore the store from your backup"), "{damaged}");
    }
}

#[test]
fn onion_key_should_stay_the_same() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let store = new_store(&place);
        let key = onion_key(&*store).unwrap();
        drop(store);
        assert_eq!(onion_key(&*place.open().unwrap()).unwrap(), key);
    }
}

#[test]
fn empty_and_large_values_should_be_kept() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let store = new_store(&place);
        let large: Vec<u8> = (0..3_000_000u32).map(|i| i.to_le_bytes()[0]).collect();
        store.commit(&put(Table::Returns, b"k", b"")).unwrap();
        store.commit(&put(Table::Returns, &[0, 255, 0], &large)).unwrap();
        let expected = vec![(vec![0, 255, 0], large), (b"k".to_vec(), vec![])];
        assert_eq!(store.scan(Table::Returns).unwrap(), expected);
    }
}

#[test]
fn first_of_several_keys_should_be_the_first_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let store = new_store(&place);
        for key in [b"b", b"c", b"d"] {
            store.commit(&put(Table::History, key, key)).unwrap();
        }
        store.commit(&put(Table::Payments, b"a", b"elsewhere")).unwrap();
        let first = |keys: &[&[u8]]| {
            let keys: Vec<_> = keys.iter().map(|key| key.to_vec()).collect();
            store.first(Table::History, &keys).unwrap()
        };
        assert_eq!(first(&[b"a", b"d", b"b"]), Some(b"d".to_vec()));
        assert_eq!(first(&[b"c", b"b", b"b"]), Some(b"c".to_vec()));
        assert_eq!(first(&[b"a", b"z"]), None);
        assert_eq!(first(&[]), None);
    }
}

/// Two tables are always written together: no snapshot shows one without the other.
#[test]
fn snapshot_should_show_one_moment_while_commits_go_on() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let store = new_store(&place);
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..300u32 {
                    let mut batch = Batch::default();
                    batch.put(Table::Channels, b"n".to_vec(), number.encode());
                    batch.put(Table::Invoices, b"n".to_vec(), number.encode());
                    store.commit(&batch).unwrap();
                }
                over.store(true, Ordering::SeqCst);
            });
            let (mut looks, mut different) = (0, std::collections::BTreeSet::new());
            while !over.load(Ordering::SeqCst) || looks < 2 {
                let tables: BTreeMap<_, _> = store.snapshot().unwrap().into_iter().collect();
                assert_eq!(tables[&Table::Channels], tables[&Table::Invoices]);
                different.insert(tables[&Table::Channels].clone());
                looks += 1;
            }
            assert!(different.len() > 1, "the snapshots were taken meanwhile");
        });
    }
}

fn changes() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let key = prop_oneof![Just(vec![0]), Just(vec![255]), Just(vec![0, 0]), Just(vec![1; 40])];
    let table = prop_oneof![Just(Table::Channels), Just(Table::Payments)];
    let change =
        (table, key, proptest::option::of(any::<u8>())).prop_map(
            |(table, key, value)| match value {
                Some(value) => Change::Put(table, key, vec![value]),
                None => Change::Delete(table, key),
            },
        );
    vec(vec(change, 0..8), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// A later change of the same record wins, in a batch as between batches.
    #[test]
    fn store_should_have_what_the_changes_lead_to(batches in changes()) {
        let dir = tempfile::tempdir().unwrap();
        for place in places(dir.path()) {
            let store = new_store(&place);
            let mut expected: BTreeMap<(Table, Vec<u8>), Vec<u8>> = BTreeMap::new();
            for changes in &batches {
                store.commit(&Batch { changes: changes.clone() }).unwrap();
                for change in changes {
                    match change.clone() {
                        Change::Put(table, key, value) => expected.insert((table, key), value),
                        Change::Delete(table, key) => expected.remove(&(table, key)),
                    };
                }
            }
            for table in [Table::Channels, Table::Payments] {
                let of = expected.iter().filter(|((known, _), _)| *known == table);
                let of: Vec<_> = of.map(|((_, key), value)| (key.clone(), value.clone())).collect();
                prop_assert_eq!(store.scan(table).unwrap(), of.clone());
                // Keys come in the same order, in parts.
                let mut keys: Vec<Vec<u8>> = vec![];
                loop {
                    let last = keys.last().cloned().unwrap_or_default();
                    let some = store.keys(table, &last, 2).unwrap();
                    prop_assert!(some.len() <= 2);
                    if some.is_empty() {
                        break;
                    }
                    keys.extend(some);
                }
                prop_assert_eq!(keys, of.into_iter().map(|(key, _)| key).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn store_should_have_channels_when_a_party_or_a_tower_has_put_some_there() {
    let dir = tempfile::tempdir().unwrap();
    for table in [Table::Channels, Table::Recent, Table::Packets] {
        for place in places(&dir.path().join(table.name())) {
            let store = new_store(&place);
            check_owner(&*store, &account(1), H256::zero()).unwrap();
            assert!(!has_channels(&*store).unwrap());
            store.commit(&put(table, b"a", b"1")).unwrap();
            assert!(has_channels(&*store).unwrap(), "{table:?}");
        }
    }
}

// --- a database alone ------------------------------------------------------------------------

#[test]
fn database_should_be_called_missing_when_it_is() {
    let Some(server) = server() else { return };
    let place = Place::Postgres(Options::new(&server.address("nowhere"), LEASE).unwrap());
    for missing in [place.open().err().unwrap(), place.create().err().unwrap()] {
        assert!(matches!(missing, StoreError::Missing { .. }), "{missing}");
    }
}

#[test]
fn database_should_be_called_unreachable_when_there_is_no_server() {
    let options = Options::new("postgres://hub:secret@127.0.0.1:1/hub", LEASE).unwrap();
    let error = Place::Postgres(options).open().err().unwrap();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn database_should_be_refused_when_its_tables_are_of_a_newer_program() {
    let Some((place, _, url)) = database(LEASE) else { return };
    drop(new_store(&place));
    let server = server().unwrap();
    server.execute(&url, "UPDATE failsafe_layout SET version = 99").unwrap();
    let future = place.open().err().unwrap();
    assert!(matches!(future, StoreError::FromTheFuture { found: 99 }), "{future}");
    server.execute(&url, "DELETE FROM failsafe_layout").unwrap();
    let damaged = place.open().err().unwrap();
    assert!(matches!(damaged, StoreError::Damaged { .. }), "{damaged}");
}

#[test]
fn one_process_should_make_the_tables_when_several_try_at_once() {
    let Some((place, ..)) = database(LEASE) else { return };
    let made: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4).map(|_| scope.spawn(|| place.create())).collect();
        tries.into_iter().map(|made| made.join().unwrap()).collect()
    });
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    for refused in made.iter().filter_map(|made| made.as_ref().err()) {
        assert!(matches!(refused, StoreError::Exists { .. }), "{refused}");
    }
}

#[test]
fn store_should_fail_and_stay_failed_when_the_connection_is_lost() {
    let Some((place, _, url)) = database(LEASE) else { return };
    let store = new_store(&place);
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE application_name = 'failsafe' AND datname = current_database()";
    server().unwrap().execute(&url, kill).unwrap();
    let lost = store.commit(&put(Table::Channels, b"a", b"1")).unwrap_err();
    assert!(matches!(lost, StoreError::Failed { .. }), "{lost}");
    store.commit(&put(Table::Channels, b"a", b"1")).unwrap_err();
    store.get(Table::Meta, OWNER).unwrap_err();
    store.check().unwrap_err();
}

#[test]
fn commits_should_be_durable_when_the_server_is_set_to_be_careless() {
    let Some((place, _, url)) = database(LEASE) else { return };
    let database = url.rsplit('/').next().unwrap();
    let careless = format!("ALTER DATABASE {database} SET synchronous_commit = off");
    server().unwrap().execute(&url, &careless).unwrap();
    let store = new_store(&place);
    // A session that shows its setting by a trigger: what a commit runs with is stored.
    let spy = "CREATE TABLE spy (setting text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO spy VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
        CREATE TRIGGER note AFTER INSERT ON failsafe_records FOR EACH ROW EXECUTE FUNCTION note()";
    server().unwrap().execute(&url, spy).unwrap();
    store.commit(&put(Table::Channels, b"a", b"1")).unwrap();
    let check = "DO $$ BEGIN ASSERT (SELECT count(*) = 1 AND bool_and(setting = 'on') FROM spy); \
                 END $$";
    server().unwrap().execute(&url, check).unwrap();
}
