//! Where a store is: a directory of this machine, or a database.

use super::{backup, postgres, Batch, FjallStore, PostgresStore, Store, StoreError, Table};
use std::{fs, path::PathBuf, sync::Arc};

/// Where a party has its store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a directory.
    Directory(PathBuf),
    /// In a PostgreSQL database.
    Postgres(postgres::Options),
}

impl Place {
    /// Makes a new, empty store.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one.
    pub fn create(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Directory(path) => Arc::new(FjallStore::create(path)?),
            Self::Postgres(options) => Arc::new(PostgresStore::create(options)?),
        })
    }

    /// Opens a store that is there and that no other process has.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it.
    pub fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Directory(path) => Arc::new(FjallStore::open(path)?),
            Self::Postgres(options) => Arc::new(PostgresStore::open(options)?),
        })
    }

    /// Opens it to look at: in a database also while a process has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn look(&self) -> Result<Arc<dyn Store>, StoreError> {
        match self {
            Self::Directory(_) => self.open(),
            Self::Postgres(options) => Ok(Arc::new(PostgresStore::connect(options)?)),
        }
    }

    /// Makes a store with these records, all or nothing. An empty one, as `init` makes it, gives way.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one that was used.
    pub fn fill(&self, records: &Batch) -> Result<(), StoreError> {
        match self {
            Self::Directory(path) => {
                let shown = path.display().to_string();
                let failed = |e: std::io::Error| StoreError::Failed {
                    path: shown.clone(),
                    reason: e.to_string(),
                };
                let there = path.exists();
                if there && !is_unused(&FjallStore::open(path)?)? {
                    return Err(StoreError::Exists { path: shown.clone() });
                }
                let new = path.with_extension("restoring");
                if new.exists() {
                    // Of a restore that was cut short.
                    fs::remove_dir_all(&new).map_err(failed)?;
                }
                let store = FjallStore::create(&new)?;
                store.commit(records)?;
                drop(store);
                if there {
                    fs::remove_dir_all(path).map_err(failed)?;
                }
                fs::rename(&new, path).and_then(|()| backup::sync_folder_of(path)).map_err(failed)
            },
            Self::Postgres(options) => {
                let store = match PostgresStore::create(options) {
                    Err(StoreError::Exists { path }) => {
                        let store = PostgresStore::open(options)?;
                        if !is_unused(&store)? {
                            return Err(StoreError::Exists { path });
                        }
                        store
                    },
                    made => made?,
                };
                store.commit(records)
            },
        }
    }
}

/// Whether a store is as `init` has made it: nothing was ever done with it.
fn is_unused(store: &dyn Store) -> Result<bool, StoreError> {
    let used = |(table, records): &(Table, Vec<super::Record>)| {
        *table != Table::Meta && !records.is_empty()
    };
    let fresh = super::owner(store)?.genesis.is_none();
    Ok(fresh && !store.snapshot()?.iter().any(used))
}
