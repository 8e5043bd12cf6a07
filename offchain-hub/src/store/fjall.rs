//! The embedded default: fjall, one journal, one fsync per batch.

use super::{Batch, Change, Record, Store, StoreError, Table, Tables};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use std::{
    ops::Bound,
    path::{Path, PathBuf},
};

/// Threads that write full tables to disk and merge them, on small machines, too. With two, one of
/// them spins as long as the other one merges; with one, and seldom with two, they may wait for
/// room in their own queue for ever (<https://github.com/fjall-rs/fjall/pull/323>).
const WORKERS: usize = 4;

/// A store in a directory of its own.
pub struct FjallStore {
    database: Database,
    tables: Vec<(Table, Keyspace)>,
    path: PathBuf,
}

impl FjallStore {
    /// Makes a new, empty store.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        if path.exists() {
            return Err(StoreError::Exists { path: path.display().to_string() });
        }
        Self::open_at(path)
    }

    /// Opens a store that is there. An absent one is never made up: whoever loses its disk must
    /// notice.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.is_dir() {
            return Err(StoreError::Missing { path: path.display().to_string() });
        }
        Self::open_at(path)
    }

    fn open_at(path: &Path) -> Result<Self, StoreError> {
        let failed = |e: fjall::Error| match e {
            fjall::Error::Locked => StoreError::Locked { path: path.display().to_string() },
            e => StoreError::Failed { path: path.display().to_string(), reason: e.to_string() },
        };
        let database = Database::builder(path).worker_threads(WORKERS).open().map_err(failed)?;
        let open = |table: Table| {
            let keyspace = database.keyspace(table.name(), KeyspaceCreateOptions::default);
            Ok((table, keyspace.map_err(failed)?))
        };
        let tables = Table::ALL.into_iter().map(open).collect::<Result<_, StoreError>>()?;
        Ok(Self { database, tables, path: path.to_path_buf() })
    }

    fn table(&self, table: Table) -> &Keyspace {
        let found = self.tables.iter().find(|(t, _)| *t == table);
        &found.expect("every table is opened; qed").1
    }

    fn failed(&self, e: &fjall::Error) -> StoreError {
        StoreError::Failed { path: self.path.display().to_string(), reason: e.to_string() }
    }
}

impl Store for FjallStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.table(table).get(key).map_err(|e| self.failed(&e))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(&self, table: Table) -> Result<Vec<Record>, StoreError> {
        let snapshot = self.database.snapshot();
        snapshot
            .iter(self.table(table))
            .map(|guard| {
                let (key, value) = guard.into_inner().map_err(|e| self.failed(&e))?;
                Ok((key.to_vec(), value.to_vec()))
            })
            .collect()
    }

    fn keys(&self, table: Table, after: &[u8], most: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let found = self.table(table).range::<&[u8], _>(range).take(most);
        let key = |guard: fjall::Guard| guard.key().map(|key| key.to_vec());
        found.map(key).collect::<Result<_, _>>().map_err(|e| self.failed(&e))
    }

    fn snapshot(&self) -> Result<Tables, StoreError> {
        let snapshot = self.database.snapshot();
        let all = |(table, keyspace): &(Table, Keyspace)| {
            let records = snapshot.iter(keyspace).map(|guard| {
                let (key, value) = guard.into_inner().map_err(|e| self.failed(&e))?;
                Ok((key.to_vec(), value.to_vec()))
            });
            Ok((*table, records.collect::<Result<_, StoreError>>()?))
        };
        self.tables.iter().map(all).collect()
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut writes = self.database.batch().durability(Some(PersistMode::SyncData));
        for change in &batch.changes {
            match change {
                Change::Put(table, key, value) => {
                    writes.insert(self.table(*table), &key[..], &value[..]);
                },
                Change::Delete(table, key) => writes.remove(self.table(*table), &key[..]),
            }
        }
        writes.commit().map_err(|e| self.failed(&e))
    }
}
