//! Durable commits: a payment leaves a hub when its commit is on disk.

use crate::{
    fixture::Channels,
    measure::{repeat, Bench, Row},
};
use failsafe_hub::store::{Batch, FjallStore, Store, Table};
use failsafe_tests::harness::{failure, Failure};

const GROUP: &str = "store";
/// Channels whose records are written, one after the other.
const CHANNELS: u32 = 1_000;
/// Records of a large batch.
const BATCH: u32 = 64;

/// Writes records of channels in turn.
struct Writer {
    store: FjallStore,
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
    let size = record.len();
    let store = FjallStore::create(&dir.path().join("store"))?;
    let mut writer = Writer { store, record, next: 0 };
    let one = repeat(bench.count(1_000), 1, || writer.commit(1))?;
    let many = repeat(bench.count(300), 1, || writer.commit(BATCH))?;
    Ok(vec![
        one.row(GROUP, "commit", format!("commits of one record of {size} bytes")),
        many.row(GROUP, "commit, batch", format!("commits of {BATCH} records of {size} bytes")),
    ])
}
