//! Places for stores.

use crate::postgres::Server;
use failsafe_hub::store::{self, postgres::Options, Place, Store};
use failsafe_primitives::AccountId;
use std::{
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Long enough for a busy machine.
pub const LEASE: Duration = Duration::from_secs(5);

pub fn account(byte: u8) -> AccountId {
    AccountId::new([byte; 32])
}

/// One server for all tests; `None` when there is no PostgreSQL.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| Server::start().expect("PostgreSQL starts")).as_ref()
}

/// Where a database is, with leases of this length.
pub fn database(lease: Duration) -> Option<(Place, Options, String)> {
    let url = server()?.database().expect("a new database");
    let options = Options::new(&url, lease).unwrap();
    Some((Place::Postgres(options.clone()), options, url))
}

/// A place of each kind that is there, still without a store.
pub fn places(dir: &Path) -> Vec<Place> {
    let mut places = vec![Place::Directory(dir.join("store"))];
    places.extend(database(LEASE).map(|(place, ..)| place));
    places
}

/// A new store of account 1.
pub fn new_store(place: &Place) -> Arc<dyn Store> {
    let store = place.create().unwrap();
    store::initialize(&*store, &account(1)).unwrap();
    store
}
