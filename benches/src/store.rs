//! Durable commits: a payment leaves a hub when its commit is on disk.

use crate::{
    fixture::Channels,
    measure::{repeat, Bench, Row},
};
use failsafe_hub::store::{postgres::Options, Batch, FjallStore, PostgresStore, Store, Table};
use failsafe_tests::harness::{failure, postgres::Server, Failure};
use std::time::Duration;

const GROUP: &str = "store";
/// Channels whose records are written, one after the other.
const CHANNELS: u32 = 1_000;
/// Of a database that nobody else wants.
const LEASE: Duration = Duration::from_secs(60);
/// Records of a large batch.
const BATCH: u32 = 64;

/// Writes records of channels in turn.
struct Writer {
    store: Box<dyn Store>,
    record: Vec<u8>,
    next: u32,
}

impl Writer {
    /// Makes `records` records durable together.
    fn commit(&mut self, records: u32) -> Result<(), Failure> {
        let mut batch = Batch::default();
        for _ in 0..records {
            let next = self.next.checked_add(1).ok_or_else(|| failure("too many records"))?;
            self.next = next % CHANNELS;
            // As long as a partner's account.
            let mut key = [0; 32];
            key[..4].copy_from_slice(&self.next.to_be_bytes());
            batch.put(Table::Channels, key, self.record.clone());
        }
        Ok(self.store.commit(&batch)?)
    }
}

/// Measures.
pub fn run(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let dir = bench.temporary()?;
    let mut channels = Channels::new()?;
    channels.pay()?;
    channels.acknowledge()?;
    let record = channels.left().encode_state();
    let store = FjallStore::create(&dir.path().join("store"))?;
    let mut rows = measure(bench, Box::new(store), &record, ["commit", "commit, batch"])?;
    // On the same machine, by a socket, with the server's defaults: durable at every commit.
    if let Some(server) = Server::start()? {
        let options = Options::new(&server.database()?, LEASE).map_err(failure)?;
        let store = PostgresStore::create(&options)?;
        let names = ["postgres: commit", "postgres: commit, batch"];
        rows.extend(measure(bench, Box::new(store), &record, names)?);
    }
    Ok(rows)
}

fn measure(
    bench: &Bench,
    store: Box<dyn Store>,
    record: &[u8],
    [single, batch]: [&str; 2],
) -> Result<Vec<Row>, Failure> {
    let size = record.len();
    let mut writer = Writer { store, record: record.to_vec(), next: 0 };
    let one = repeat(bench.count(1_000), 1, || writer.commit(1))?;
    let many = repeat(bench.count(300), 1, || writer.commit(BATCH))?;
    Ok(vec![
        one.row(GROUP, single, format!("commits of one record of {size} bytes")),
        many.row(GROUP, batch, format!("commits of {BATCH} records of {size} bytes")),
    ])
}
