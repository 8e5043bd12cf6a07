//! Disks that keep what was committed, and nothing else.

use failsafe_hub::store::{Batch, Change, Record, Store, StoreError, Table, Tables};
use std::{collections::BTreeMap, sync::Mutex};

/// A table and a key in it.
type Key = (&'static str, Vec<u8>);

/// A disk that keeps what was committed.
#[derive(Default)]
pub(super) struct Disk(Mutex<BTreeMap<Key, Vec<u8>>>);

impl Store for Disk {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.lock().unwrap().get(&(table.name(), key.to_vec())).cloned())
    }

    fn scan(&self, table: Table) -> Result<Vec<Record>, StoreError> {
        let all = self.0.lock().unwrap();
        let of = all.iter().filter(|((name, _), _)| *name == table.name());
        Ok(of.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn snapshot(&self) -> Result<Tables, StoreError> {
        Table::ALL.into_iter().map(|table| Ok((table, self.scan(table)?))).collect()
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut all = self.0.lock().unwrap();
        for change in &batch.changes {
            match change {
                Change::Put(table, key, value) => {
                    all.insert((table.name(), key.clone()), value.clone());
                },
                Change::Delete(table, key) => {
                    all.remove(&(table.name(), key.clone()));
                },
            }
        }
        Ok(())
    }
}
