//! One owner at a time: leases and their fencing tokens.

use crate::common::{account, database, new_store, server, LEASE};
use failsafe_hub::store::{self, Batch, PostgresStore, Store, StoreError, Table};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

fn put(key: &[u8], value: &[u8]) -> Batch {
    let mut batch = Batch::default();
    batch.put(Table::Channels, key, value.to_vec());
    batch
}

/// The lease is over, as if its owner had been halted for that long.
fn end_lease(url: &str) {
    let end = "UPDATE failsafe_lease SET expires = '-infinity'";
    server().unwrap().execute(url, end).unwrap();
}

#[test]
fn old_owner_should_commit_nothing_when_another_has_taken_over() {
    // The old owner renews nothing during the test.
    let Some((place, options, url)) = database(Duration::from_secs(3_600)) else { return };
    let old = new_store(&place);
    old.commit(&put(b"a", b"old")).unwrap();
    end_lease(&url);
    let new = PostgresStore::open(&options).unwrap();
    new.commit(&put(b"a", b"new")).unwrap();

    // Its connection has survived: it can read, and is refused.
    assert_eq!(old.get(Table::Channels, b"a").unwrap(), Some(b"new".to_vec()));
    let mut batch = put(b"a", b"late");
    batch.put(Table::Payments, b"p".to_vec(), vec![1]);
    batch.delete(Table::Meta, b"owner".to_vec());
    let refused = old.commit(&batch).unwrap_err();
    assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
    assert_eq!(new.get(Table::Channels, b"a").unwrap(), Some(b"new".to_vec()));
    assert_eq!(new.get(Table::Payments, b"p").unwrap(), None);
    assert_eq!(store::owner(&new).unwrap().account, account(1));
    // It stays so, and it may not act on what it remembers either.
    old.commit(&put(b"b", b"late")).unwrap_err();
    old.check().unwrap_err();
    new.commit(&put(b"b", b"new")).unwrap();
    new.check().unwrap();
}

#[test]
fn old_owner_should_notice_before_it_acts_when_its_lease_may_be_over() {
    let lease = Duration::from_secs(2);
    let Some((place, options, url)) = database(lease) else { return };
    let old = new_store(&place);
    old.check().unwrap();
    end_lease(&url);
    let new = PostgresStore::open(&options).unwrap();
    // Its own renewals are refused within the lease.
    let start = Instant::now();
    while old.check().is_ok() {
        assert!(start.elapsed() <= lease, "it believes in its lease for longer than it is");
        std::thread::sleep(Duration::from_millis(20));
    }
    new.check().unwrap();
}

#[test]
fn lease_should_stay_when_its_owner_lives() {
    let lease = Duration::from_secs(2);
    let Some((place, options, _)) = database(lease) else { return };
    let _owner = new_store(&place);
    let standby = PostgresStore::connect(&options).unwrap();
    let start = Instant::now();
    while start.elapsed() < lease * 3 {
        let refused = standby.acquire().unwrap_err();
        assert!(matches!(refused, StoreError::Locked { .. }), "{refused}");
        std::thread::sleep(lease / 10);
    }
}

#[test]
fn standby_should_take_over_at_once_when_the_owner_stops() {
    let Some((place, options, _)) = database(Duration::from_secs(3_600)) else { return };
    let owner = new_store(&place);
    owner.commit(&put(b"a", b"1")).unwrap();
    let standby = PostgresStore::connect(&options).unwrap();
    standby.acquire().unwrap_err();
    drop(owner);
    standby.acquire().unwrap();
    assert_eq!(standby.get(Table::Channels, b"a").unwrap(), Some(b"1".to_vec()));
    standby.commit(&put(b"a", b"2")).unwrap();
}

#[test]
fn standby_should_read_and_not_write_when_it_does_not_own_the_store() {
    let Some((place, options, _)) = database(LEASE) else { return };
    let owner = new_store(&place);
    owner.commit(&put(b"a", b"1")).unwrap();
    let standby = PostgresStore::connect(&options).unwrap();
    assert_eq!(standby.get(Table::Channels, b"a").unwrap(), Some(b"1".to_vec()));
    standby.commit(&put(b"a", b"2")).unwrap_err();
    standby.check().unwrap_err();
    assert_eq!(owner.get(Table::Channels, b"a").unwrap(), Some(b"1".to_vec()));
}

/// Owners take the store from each other all the time. Each adds to a counter what it knows to be its
/// newest value: two owners at once would lose an addition.
#[test]
fn nothing_should_be_lost_when_owners_take_over_from_each_other() {
    let Some((place, options, url)) = database(Duration::from_secs(3_600)) else { return };
    drop(new_store(&place));
    let count = |store: &dyn Store| {
        let bytes = store.get(Table::Channels, b"n").unwrap();
        bytes.map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().unwrap()))
    };
    let added: u32 = std::thread::scope(|scope| {
        let owners: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut added = 0;
                    for _ in 0..8 {
                        let store = PostgresStore::connect(&options).unwrap();
                        end_lease(&url);
                        if store.acquire().is_err() {
                            continue;
                        }
                        let mut known = count(&store);
                        for _ in 0..20 {
                            known += 1;
                            if store.commit(&put(b"n", &known.to_be_bytes())).is_err() {
                                break;
                            }
                            added += 1;
                        }
                        // Halted for ever: it gives nothing back.
                        std::mem::forget(store);
                    }
                    added
                })
            })
            .collect();
        owners.into_iter().map(|owner| owner.join().unwrap()).sum()
    });
    end_lease(&url);
    let last: Arc<dyn Store> = place.open().unwrap();
    assert_eq!(count(&*last), added);
    assert!(added > 20, "several have owned it: {added}");
}
