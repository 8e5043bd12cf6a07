//! How payments are stored. Those in memory are on [pages](super::pages). Those that ended a while
//! ago are on disk only, a record for each, so that a hub does not need more memory, nor more time
//! to start, with every payment it has ever made. Their names stay taken.
//!
//! Names are in no order, and stores keep records by their keys: under their names alone, new ones
//! would come between all others, and a store would write what it has again and again. So a key
//! begins with a number that all of the same time have.

use super::{
    core::Core,
    pages::{Fate, Pages},
    records::{Archived, Kept, PaymentRecord, Payments},
};
use crate::store::{Batch, Record, Store, StoreError, Table};
use codec::{DecodeAll, Encode};
use failsafe_channel::PaymentId;
use std::collections::HashMap;

const ARCHIVED: &[u8] = b"archived";
/// So many payments that were put away one after the other, 2^21, have the same number in front of
/// their names. With fewer, a name is looked for in more places.
const VOLUME: u32 = 21;

/// The key of a payment in [`Table::History`]: the number of its volume, big-endian, and its name.
fn key(volume: u32, id: &PaymentId) -> Vec<u8> {
    [&volume.to_be_bytes()[..], &id.0].concat()
}

/// The name in a key of [`Table::History`]. Programs before layout 6 had no volumes.
pub(super) fn name(key: &[u8]) -> Result<PaymentId, StoreError> {
    let name = if key.len() == 20 { &key[4..] } else { key };
    name.try_into().map(PaymentId).map_err(|_| StoreError::Damaged {
        table: Table::History.name(),
        reason: format!("a key of {} bytes", key.len()),
    })
}

/// The payments of a store.
pub(super) fn load(store: &dyn Store) -> Result<Payments, StoreError> {
    read_payments(store.scan(Table::Payments)?, archived(store)?)
}

/// Reads pages, and what a program before them has written: a record for each payment, under its
/// name.
fn read_payments(records: Vec<Record>, archived: Archived) -> Result<Payments, StoreError> {
    let of_its_own = |(key, _): &Record| key.len() == size_of::<PaymentId>();
    let (singles, pages): (Vec<_>, Vec<_>) = records.into_iter().partition(of_its_own);
    let mut known = HashMap::new();
    let mut old = vec![];
    for (key, value) in singles {
        let damaged = |e: codec::Error| StoreError::Damaged {
            table: Table::Payments.name(),
            reason: e.to_string(),
        };
        let id = PaymentId::decode_all(&mut &key[..]).map_err(damaged)?;
        let record = PaymentRecord::decode_all(&mut &value[..]).map_err(damaged)?;
        known.insert(id, (None, record));
        old.push(id);
    }
    let (pages, entries) = Pages::load(Table::Payments, pages)?;
    for (page, id, record) in entries {
        known.insert(id, (Some(page), record));
    }
    let mut known: Vec<_> = known.into_iter().collect();
    known.sort_by_key(|(id, (_, record))| (record.at_ms, *id));
    let mut payments = Payments::new(archived, pages, old);
    for (id, (page, record)) in known {
        payments.insert_at(id, record, page);
    }
    Ok(payments)
}

/// What the store knows of payments that were put away.
fn archived(store: &dyn Store) -> Result<Archived, StoreError> {
    let Some(bytes) = store.get(Table::Meta, ARCHIVED)? else { return Ok(Archived::default()) };
    Archived::decode_all(&mut &bytes[..]).map_err(|e| StoreError::Damaged {
        table: Table::Meta.name(),
        reason: format!("what is known of older payments: {e}"),
    })
}

/// What became of a payment that was put away: the record of the first of these keys.
fn read(store: &dyn Store, keys: &[Vec<u8>]) -> Result<Option<PaymentRecord>, StoreError> {
    let Some(bytes) = store.first(Table::History, keys)? else { return Ok(None) };
    let record = PaymentRecord::decode_all(&mut &bytes[..]);
    record
        .map(Some)
        .map_err(|e| StoreError::Damaged { table: Table::History.name(), reason: e.to_string() })
}

impl Archived {
    /// The volume of those that were put away last.
    fn volume(&self) -> u32 {
        u32::try_from(self.payments >> VOLUME).unwrap_or(u32::MAX)
    }

    /// Where a payment may be, the newest place first: one that was tried again may be put away
    /// several times.
    fn keys(&self, id: &PaymentId) -> Vec<Vec<u8>> {
        let volumes = (0..=self.volume()).rev().map(|volume| key(volume, id));
        volumes.chain([id.encode()]).collect()
    }
}

impl Payments {
    /// Writes what has changed since the last time. Payments that are over are put away while more
    /// than `keep` of them are in memory, by whole pages.
    pub fn store(&mut self, keep: usize, batch: &mut Batch) {
        if self.pages.is_written() {
            return;
        }
        for id in std::mem::take(&mut self.singles) {
            batch.delete(Table::Payments, id.encode());
        }
        self.turn(keep, batch);
        self.pages.write(batch);
    }

    fn turn(&mut self, keep: usize, batch: &mut Batch) {
        let Self { pages, records, over, archived, names, .. } = self;
        let mut gone = vec![];
        // Whether what is over goes from the page into the history: as long as too many are in
        // memory.
        let mut away = false;
        let carried = pages.turn(batch, |oldest| {
            let known = records.get_full(oldest.key);
            let Some((place, _, kept)) = known.filter(|(.., kept)| kept.page == oldest.page) else {
                return Some(Fate::Stale);
            };
            if !oldest.begun {
                away = *over > keep;
                if !away && !oldest.is_wasteful(records.len()) {
                    return None;
                }
            }
            if !away || !kept.record.is_over() {
                return Some(Fate::Carried(kept.record.encode()));
            }
            let (_, Kept { record, .. }) = records.swap_remove_index(place)?;
            *over = over.saturating_sub(1);
            archived.note(&record);
            names.add(oldest.key);
            gone.push((*oldest.key, record));
            Some(Fate::Taken)
        });
        for (page, id) in carried {
            records.entry(id).and_modify(|kept| kept.page = page);
        }
        if gone.is_empty() {
            return;
        }
        // In the order of the table, so that what is near each other is written one after the other.
        gone.sort_unstable_by_key(|(id, _)| *id);
        for (id, record) in gone {
            batch.put(Table::History, key(archived.volume(), &id), record.encode());
        }
        batch.put(Table::Meta, ARCHIVED, archived.encode());
    }
}

impl Core {
    /// A payment by its name, however old.
    pub fn payment(&self, id: &PaymentId) -> Option<PaymentRecord> {
        self.payments.get(id).cloned().or_else(|| self.old_payment(id))
    }

    /// A payment that is no longer in memory.
    fn old_payment(&self, id: &PaymentId) -> Option<PaymentRecord> {
        if !self.payments.names.may_be_taken(id) {
            return None;
        }
        let mut keys = self.payments.archived.keys(id);
        self.payments.names.worth_looking(id, &mut keys);
        read(&*self.store, &keys).unwrap_or_else(|problem| {
            self.fail(problem);
            None
        })
    }

    /// Whether the names of all older payments are known without the store.
    pub fn knows_names(&self) -> bool {
        self.payments.names.are_known()
    }

    /// Learns some of them. Returns whether there are more. What fails is told with the next commit.
    pub fn learn_names(&mut self) -> bool {
        if let Err(problem) = self.payments.names.learn(&*self.store) {
            self.fail(problem);
            return false;
        }
        !self.knows_names()
    }

    /// The first problem is told; nothing is stored or sent after it.
    fn fail(&self, problem: StoreError) {
        let _ = self.failure.set(problem);
    }

    /// How many payments are in memory.
    pub fn payments_in_memory(&self) -> usize {
        self.payments.in_memory()
    }

    /// Whether a payment of this name was made, however long ago.
    pub(super) fn knows_payment(&self, id: &PaymentId) -> bool {
        self.payments.get(id).is_some() || self.old_payment(id).is_some()
    }

    /// Why the store could not be read. What was worked out since then must neither be stored nor
    /// sent.
    pub(super) fn failure(&mut self) -> Option<StoreError> {
        self.failure.take()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            pages::{disk::Disk, ENTRIES, PAGE},
            records::{Direction, Failure, PaymentState},
        },
        *,
    };
    use crate::store::FjallStore;
    use failsafe_primitives::{AccountId, NATIVE_ASSET as FRD};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const FAILED: PaymentState = PaymentState::Failed(Failure::Expired);

    fn id(number: u8) -> PaymentId {
        PaymentId([number; 16])
    }

    /// The payment with this number, of as many milliseconds, through us.
    fn record(number: u8, state: PaymentState) -> PaymentRecord {
        PaymentRecord {
            at_ms: number.into(),
            direction: Direction::Through,
            asset: FRD,
            amount: 10,
            fee: 1,
            from: AccountId::new([1; 32]),
            to: AccountId::new([2; 32]),
            via: Some(AccountId::new([3; 32])),
            nonce: number.into(),
            state,
        }
    }

    fn store(disk: &mut Disk, payments: &mut Payments, keep: usize) {
        let mut batch = Batch::default();
        payments.store(keep, &mut batch);
        disk.commit(batch);
    }

    fn history(disk: &Disk) -> BTreeMap<PaymentId, PaymentRecord> {
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            (name(&key).unwrap(), PaymentRecord::decode_all(&mut &value[..]).unwrap())
        };
        disk.records(Table::History).into_iter().map(read).collect()
    }

    /// A party that starts.
    fn start(disk: &Disk) -> Payments {
        let meta = disk.records(Table::Meta);
        let archived = meta.first().map(|(_, value)| Archived::decode_all(&mut &value[..]));
        let archived = archived.map_or_else(Archived::default, Result::unwrap);
        read_payments(disk.records(Table::Payments), archived).unwrap()
    }

    /// Payments with these numbers that are made one after the other, a commit each.
    fn made(disk: &mut Disk, numbers: &[u8], state: PaymentState, keep: usize) -> Payments {
        let mut payments = start(disk);
        for number in numbers {
            payments.insert(id(*number), record(*number, state));
            store(disk, &mut payments, keep);
        }
        payments
    }

    #[test]
    fn oldest_payments_should_be_put_away_when_more_are_over_than_are_kept() {
        let mut disk = Disk::default();
        let payments = made(&mut disk, &[3], PaymentState::Delivered, 2);
        assert_eq!(payments.archived.payments, 0);
        let mut payments = made(&mut disk, &[1, 2, 4, 5], PaymentState::Delivered, 2);
        assert_eq!(payments.in_memory(), 2);
        assert_eq!(history(&disk).keys().copied().collect::<Vec<_>>(), [id(1), id(2), id(3)]);
        assert_eq!(payments.archived.payments, 3);
        assert_eq!(payments.get(&id(1)), None);
        assert!(payments.get(&id(4)).is_some());
        store(&mut disk, &mut payments, 2);
        assert_eq!((payments.in_memory(), history(&disk).len()), (2, 3));
    }

    #[test]
    fn payment_should_stay_in_memory_when_it_is_tried_again() {
        let mut disk = Disk::default();
        let mut payments = start(&disk);
        for state in [FAILED, PaymentState::Locked] {
            let again = PaymentRecord { direction: Direction::Out, ..record(1, state) };
            payments.insert(id(1), again);
            store(&mut disk, &mut payments, 0);
        }
        payments.insert(id(2), record(2, PaymentState::Sent));
        store(&mut disk, &mut payments, 0);
        assert!(history(&disk).is_empty());
        assert!(payments.get(&id(1)).is_some());
        payments.set_state(&id(1), PaymentState::Delivered);
        store(&mut disk, &mut payments, 0);
        payments.insert(id(3), record(3, PaymentState::Sent));
        store(&mut disk, &mut payments, 0);
        assert_eq!(history(&disk).keys().copied().collect::<Vec<_>>(), [id(1)]);
    }

    #[test]
    fn payments_should_stay_in_memory_when_they_are_under_way() {
        let mut disk = Disk::default();
        let mut payments = made(&mut disk, &[1, 2, 3], PaymentState::Sent, 0);
        assert_eq!(payments.in_memory(), 3);
        payments.set_state(&id(2), PaymentState::Delivered);
        store(&mut disk, &mut payments, 0);
        payments.insert(id(4), record(4, PaymentState::Sent));
        store(&mut disk, &mut payments, 0);
        assert_eq!(history(&disk).keys().copied().collect::<Vec<_>>(), [id(2)]);
        let mut again = start(&disk);
        assert_eq!(again.in_memory(), 3);
        assert_eq!(again.acked(&AccountId::new([3; 32]), 9), [id(1), id(3), id(4)]);
    }

    #[test]
    fn nothing_should_be_written_when_nothing_has_changed() {
        let mut disk = Disk::default();
        let mut payments = made(&mut disk, &[1, 2, 3], PaymentState::Delivered, 0);
        let mut batch = Batch::default();
        payments.store(0, &mut batch);
        assert!(batch.is_empty());
    }

    #[test]
    fn fees_should_count_once_when_payments_were_put_away_before_a_restart() {
        let mut disk = Disk::default();
        let payments = made(&mut disk, &[1, 2, 3, 4, 5], PaymentState::Delivered, 2);
        assert_eq!(payments.archived, Archived { payments: 3, earned: BTreeMap::from([(FRD, 3)]) });
        let again = start(&disk);
        assert_eq!((again.earned(), again.in_memory()), (5, 2));
    }

    #[test]
    fn payments_should_be_put_onto_pages_when_an_earlier_program_has_stored_them() {
        let mut disk = Disk::default();
        let mut batch = Batch::default();
        for number in 1..=3 {
            let old = record(number, PaymentState::Delivered);
            batch.put(Table::Payments, id(number).encode(), old.encode());
        }
        disk.commit(batch);
        let mut payments = start(&disk);
        assert_eq!((payments.earned(), payments.in_memory()), (3, 3));
        payments.insert(id(4), record(4, PaymentState::Delivered));
        store(&mut disk, &mut payments, 9);
        assert!(disk.records(Table::Payments).iter().all(|(key, _)| key.len() == 8));
        let again = start(&disk);
        assert_eq!((again.earned(), again.in_memory()), (4, 4));
    }

    #[test]
    fn store_should_be_refused_when_a_page_cannot_be_read() {
        let good = Vec::<(PaymentId, PaymentRecord)>::new().encode();
        let damaged = [
            (vec![1; 8], vec![0xff; 3]),
            (vec![1; 9], good.clone()),
            (vec![1; 16], good.clone()),
            (vec![0xff; 8], good),
        ];
        for record in damaged {
            let read = read_payments(vec![record.clone()], Archived::default());
            assert!(matches!(read, Err(StoreError::Damaged { .. })), "{record:?}");
        }
    }

    #[test]
    fn pages_should_stay_few_when_one_payment_stays_under_way_and_another_is_tried_again() {
        let mut disk = Disk::default();
        let mut payments = made(&mut disk, &[1], PaymentState::Sent, 9);
        for _ in 0..20_000 {
            for state in [PaymentState::Locked, FAILED] {
                payments.insert(id(2), record(2, state));
                store(&mut disk, &mut payments, 9);
            }
        }
        let (each, more) = ENTRIES;
        assert!(disk.records(Table::Payments).len() <= 2 * each + more + 1);
        let again = start(&disk);
        let state = |number| again.get(&id(number)).map(|record| record.state);
        assert_eq!((state(1), state(2)), (Some(PaymentState::Sent), Some(FAILED)));
    }

    #[test]
    fn page_should_be_continued_on_the_next_one_when_it_is_full() {
        let mut disk = Disk::default();
        let mut payments = start(&disk);
        let name = |number: usize| PaymentId((number as u128).to_be_bytes());
        for number in 0..2 * PAGE as usize + 1 {
            payments.insert(name(number), record(1, PaymentState::Sent));
            payments.set_state(&name(number / 2), PaymentState::Delivered);
        }
        store(&mut disk, &mut payments, usize::MAX);
        assert!(disk.records(Table::Payments).len() >= 3);
        let again = start(&disk);
        assert_eq!(again.in_memory(), 2 * PAGE as usize + 1);
        for number in 0..2 * PAGE as usize + 1 {
            assert_eq!(again.get(&name(number)), payments.get(&name(number)), "{number}");
        }
    }

    /// A store whose history has these records, each with as many milliseconds as it says.
    fn history_of(records: Vec<(Vec<u8>, u8)>) -> (tempfile::TempDir, FjallStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = FjallStore::create(&dir.path().join("store")).unwrap();
        let mut batch = Batch::default();
        for (key, number) in records {
            let record = record(number, PaymentState::Delivered);
            batch.put(Table::History, key, record.encode());
        }
        store.commit(&batch).unwrap();
        (dir, store)
    }

    #[test]
    fn newest_record_should_be_found_when_a_payment_was_put_away_in_several_volumes() {
        let keys = [id(7).encode(), key(0, &id(7)), key(1, &id(7)), key(2, &id(7))];
        for newest in 0..4u8 {
            let records = keys.iter().cloned().zip(0..=newest).collect();
            let (_dir, store) = history_of(records);
            let archived = Archived { payments: 2 << VOLUME, ..Archived::default() };
            let found = read(&store, &archived.keys(&id(7))).unwrap().unwrap();
            assert_eq!(found.at_ms, u64::from(newest));
            assert_eq!(read(&store, &archived.keys(&id(8))).unwrap(), None);
        }
    }

    #[test]
    fn next_volume_should_begin_when_one_is_full() {
        let mut disk = Disk::default();
        let mut payments = start(&disk);
        payments.archived.payments = (1 << VOLUME) - 2;
        for number in 1..=4 {
            payments.insert(id(number), record(number, PaymentState::Delivered));
            store(&mut disk, &mut payments, 0);
        }
        let keys: Vec<_> = disk.records(Table::History).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [key(0, &id(1)), key(1, &id(2)), key(1, &id(3))]);
    }

    proptest! {
        /// Whatever happens to payments, memory and disk together know the newest of each, before
        /// and after a restart, and none is lost or counted twice.
        #[test]
        fn payments_should_be_those_of_a_plain_map_when_they_come_and_go(
            steps in proptest::collection::vec((0u8..24, 0u8..8), 1..200),
            keep in 0usize..6,
        ) {
            let mut disk = Disk::default();
            let mut payments = start(&disk);
            let mut model = BTreeMap::new();
            for (number, what) in steps {
                let known = model.get(&id(number)).map(|record: &PaymentRecord| record.state);
                match (what, known) {
                    (0..=3, None) => {
                        let new = record(number, PaymentState::Sent);
                        model.insert(id(number), new.clone());
                        payments.insert(id(number), new);
                    },
                    (0..=2, Some(PaymentState::Sent)) => {
                        let state = if what == 0 { FAILED } else { PaymentState::Delivered };
                        payments.set_state(&id(number), state);
                        model.entry(id(number)).and_modify(|record| record.state = state);
                    },
                    (3, Some(state)) if state == FAILED => {
                        let new = record(number, PaymentState::Sent);
                        model.insert(id(number), new.clone());
                        payments.insert(id(number), new);
                    },
                    (4 | 5, _) => store(&mut disk, &mut payments, keep),
                    (6, _) => {
                        store(&mut disk, &mut payments, keep);
                        payments = start(&disk);
                    },
                    _ => {},
                }
                let history = history(&disk);
                for (id, record) in &model {
                    prop_assert_eq!(payments.get(id).or(history.get(id)), Some(record));
                }
                let over = |(_, kept): &(&PaymentId, &Kept)| kept.record.is_over();
                prop_assert_eq!(payments.records.iter().filter(over).count(), payments.over);
                let delivered = |record: &&PaymentRecord| record.state == PaymentState::Delivered;
                let earned = model.values().filter(delivered).count() as u128;
                prop_assert_eq!(payments.earned(), earned);
            }
        }
    }
}
