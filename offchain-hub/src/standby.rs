//! Waiting for a store: a process that finds it owned stands by and takes over when the owner is gone.

use crate::{
    daemon::signalled,
    store::{Place, PostgresStore, Store, StoreError},
};
use std::{sync::Arc, time::Duration};
use tokio::{task::spawn_blocking, time::sleep};
use tracing::{info, warn};

/// How often per lease a standby looks whether it is over.
const LOOKS: u32 = 10;
/// Pause before a database that has gone is asked again.
const RECONNECT: Duration = Duration::from_secs(1);

fn panicked(error: &tokio::task::JoinError) -> StoreError {
    StoreError::Failed { path: "the store".into(), reason: error.to_string() }
}

/// Opens the store, as soon as nobody else owns it; a directory that is in use is an error at once.
/// `None` when the process is told to stop while it waits.
///
/// # Errors
/// [`StoreError`]; once a database has let us stand by, it may be away for a while.
pub async fn take_store(place: &Place) -> Result<Option<Arc<dyn Store>>, StoreError> {
    let options = match place {
        Place::Directory(_) => return place.open().map(Some),
        Place::Postgres(options) => options.clone(),
    };
    let connect = || {
        let options = options.clone();
        spawn_blocking(move || PostgresStore::connect(&options).map(Arc::new))
    };
    let mut store = connect().await.map_err(|e| panicked(&e))??;
    let mut told = false;
    loop {
        let asked = store.clone();
        let (pause, lost) =
            match spawn_blocking(move || asked.acquire()).await.map_err(|e| panicked(&e))? {
                Ok(()) => return Ok(Some(store)),
                Err(StoreError::Locked { path }) => {
                    if !told {
                        info!(store = path, "another process owns the store: standing by");
                        println!("standby   {path} belongs to another process");
                        told = true;
                    }
                    (options.lease() / LOOKS, false)
                },
                Err(problem) => {
                    warn!(%problem, "cannot ask for the store; trying again");
                    (RECONNECT, true)
                },
            };
        tokio::select! {
            () = signalled() => return Ok(None),
            () = sleep(pause) => {},
        }
        if lost {
            match connect().await.map_err(|e| panicked(&e))? {
                Ok(new) => store = new,
                Err(problem) => warn!(%problem, "cannot reach the store; trying again"),
            }
        }
    }
}
