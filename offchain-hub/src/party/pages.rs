//! How what changes with nearly every commit is stored: on a page per commit, all that has changed.
//! A record for each of it would cost the store several times as much.
//!
//! An entry stands on its newest page. Pages go away whole and the oldest first, so nothing older
//! can come back; what is still needed of such a page is put onto the newest one, or elsewhere.

use crate::store::{Batch, Record, StoreError, Table};
use codec::{Compact, Decode, DecodeAll, Encode, Output};
use std::collections::{BTreeMap, VecDeque};

/// Most entries on a page.
pub(super) const PAGE: u32 = 1_024;
/// Entries that are carried or taken with one commit before no other page is begun: a commit must
/// not take long because much is on old pages.
const MOST: usize = 4 * PAGE as usize;
/// Pages that go away with one commit, for the same reason: they may have an entry each.
const MOST_PAGES: usize = 1_024;
/// Entries that pages may have for each that is needed, and as many more.
pub(super) const ENTRIES: (usize, usize) = (3, 4_096);

/// What becomes of an entry when its page goes away.
pub(super) enum Fate {
    /// There is a newer one, or it is not needed any more.
    Stale,
    /// It is put onto the newest page: what stands there, encoded.
    Carried(Vec<u8>),
    /// It is stored elsewhere.
    Taken,
}

/// An entry of the oldest page.
pub(super) struct Oldest<'a, K> {
    /// Number of the page.
    pub page: u64,
    /// What the entry is of.
    pub key: &'a K,
    /// Whether another entry of the page was carried or taken: this one may not stay.
    pub begun: bool,
    /// How many entries there are in all.
    pub entries: usize,
    /// How many bytes the written pages have.
    pub bytes: usize,
}

impl<K> Oldest<'_, K> {
    /// Whether most of what is on pages is out of date, when so much is needed.
    pub fn is_wasteful(&self, needed: usize) -> bool {
        let (each, more) = ENTRIES;
        self.entries > needed.saturating_mul(each).saturating_add(more)
    }
}

/// Pages, and what stands on them with the page's number, older ones first.
pub(super) type Content<K, V> = (Pages<K>, Vec<(u64, K, V)>);

/// What is on pages, and the pages that are to be written.
#[derive(Debug)]
pub(super) struct Pages<K> {
    table: Table,
    /// Entries with the numbers of their pages, in order.
    entries: VecDeque<(u64, K)>,
    /// The pages that are not written yet: those of the last entries.
    open: Vec<Page>,
    /// Number of the next page.
    next: u64,
    /// The length of each page that is written, by its number.
    lengths: BTreeMap<u64, usize>,
    /// Their sum.
    bytes: usize,
}

/// A page that is not written yet.
#[derive(Debug)]
struct Page {
    number: u64,
    count: u32,
    /// Its entries, encoded one behind the other, behind room for how many they are.
    bytes: Vec<u8>,
}

/// As many bytes as it takes to say how many entries a page has, at most.
const COUNT: usize = 2;
const _: () = assert!(PAGE < 1 << 14, "as SCALE writes lengths");

impl Page {
    /// An empty one, which will have about so many bytes.
    fn new(number: u64, length: usize) -> Self {
        let mut bytes = Vec::with_capacity(length.saturating_add(COUNT));
        bytes.resize(COUNT, 0);
        Self { number, count: 0, bytes }
    }

    /// What is stored: a list of entries.
    fn content(mut self) -> Vec<u8> {
        let count = Compact(self.count).encode();
        self.bytes.splice(..COUNT, count);
        self.bytes
    }
}

impl<K: Clone + Encode> Pages<K> {
    /// None yet.
    pub fn new(table: Table) -> Self {
        let (entries, lengths) = (VecDeque::new(), BTreeMap::new());
        Self { table, entries, open: vec![], next: 0, lengths, bytes: 0 }
    }

    /// Reads what [`Self::write`] has written.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn load<V: Decode>(table: Table, records: Vec<Record>) -> Result<Content<K, V>, StoreError>
    where
        K: Decode,
    {
        let damaged = |reason: String| StoreError::Damaged { table: table.name(), reason };
        let mut pages = BTreeMap::new();
        let mut loaded = Self::new(table);
        for (key, value) in records {
            let number = <[u8; 8]>::try_from(key).map(u64::from_be_bytes);
            let number = number.map_err(|_| damaged("a number of the wrong length".into()))?;
            let page = Vec::<(K, V)>::decode_all(&mut &value[..]);
            loaded.note_length(number, value.len());
            pages.insert(number, page.map_err(|e| damaged(e.to_string()))?);
        }
        let mut contents = vec![];
        for (number, page) in pages {
            let next = number.checked_add(1);
            loaded.next = next.ok_or_else(|| damaged("no page can follow".into()))?;
            for (key, value) in page {
                loaded.entries.push_back((number, key.clone()));
                contents.push((number, key, value));
            }
        }
        Ok((loaded, contents))
    }

    /// Puts what has changed onto the newest page; `known` is the page on which it stood. Returns
    /// the number of its page.
    pub fn put(&mut self, key: K, value: &impl Encode, known: Option<u64>) -> u64 {
        let full = |page: &Page| page.count >= PAGE;
        if self.open.last().is_none_or(full) {
            // Commits are of much the same size as the one before.
            let before = self.lengths.last_key_value().map_or(0, |(_, length)| *length);
            self.open.push(Page::new(self.next, before));
            self.next = self.next.saturating_add(1);
        }
        let Some(page) = self.open.last_mut() else { return self.next };
        // The later one counts if it is there already.
        key.encode_to(&mut page.bytes);
        value.encode_to(&mut page.bytes);
        page.count = page.count.saturating_add(1);
        if known != Some(page.number) {
            self.entries.push_back((page.number, key));
        }
        page.number
    }

    fn note_length(&mut self, page: u64, length: usize) {
        self.lengths.insert(page, length);
        self.bytes = self.bytes.saturating_add(length);
    }

    /// Whether nothing is to be written.
    pub fn is_written(&self) -> bool {
        self.open.is_empty()
    }

    /// How many entries are to be written.
    #[cfg(test)]
    pub fn unwritten(&self) -> u32 {
        self.open.iter().map(|page| page.count).sum()
    }

    /// The oldest entry that is written.
    fn oldest(&self) -> Option<&(u64, K)> {
        let unwritten = self.open.first().map(|page| page.number);
        self.entries.front().filter(|(page, _)| unwritten.is_none_or(|first| *page < first))
    }

    /// Clears pages away, the oldest first, as far as `fate` says what becomes of their entries.
    /// Returns those that were carried, with their new pages.
    pub fn turn(
        &mut self,
        batch: &mut Batch,
        mut fate: impl FnMut(Oldest<'_, K>) -> Option<Fate>,
    ) -> Vec<(u64, K)> {
        let mut carried = vec![];
        let mut begun = None;
        let (mut moved, mut cleared) = (0usize, 0usize);
        while let Some(&(page, ref key)) = self.oldest() {
            let begun_here = begun == Some(page);
            if (moved >= MOST || cleared >= MOST_PAGES) && !begun_here {
                break;
            }
            let (entries, bytes) = (self.entries.len(), self.bytes);
            let fate = fate(Oldest { page, key, begun: begun_here, entries, bytes });
            let Some(fate) = fate else { break };
            let Some((_, key)) = self.entries.pop_front() else { break };
            if !matches!(fate, Fate::Stale) {
                begun = Some(page);
                moved = moved.saturating_add(1);
            }
            if let Fate::Carried(value) = fate {
                carried.push((self.put(key.clone(), &Raw(value), None), key));
            }
            if self.oldest().is_none_or(|(next, _)| *next != page) {
                batch.delete(self.table, page.to_be_bytes());
                cleared = cleared.saturating_add(1);
                let length = self.lengths.remove(&page).unwrap_or_default();
                self.bytes = self.bytes.saturating_sub(length);
            }
        }
        carried
    }

    /// Writes the pages that are still to be written.
    pub fn write(&mut self, batch: &mut Batch) {
        for page in std::mem::take(&mut self.open) {
            let (number, content) = (page.number, page.content());
            self.note_length(number, content.len());
            batch.put(self.table, number.to_be_bytes(), content);
        }
    }
}

/// Bytes that are encoded already.
struct Raw(Vec<u8>);

impl Encode for Raw {
    fn encode_to<T: Output + ?Sized>(&self, to: &mut T) {
        to.write(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pages: &mut Pages<u64>) -> Batch {
        let mut batch = Batch::default();
        pages.write(&mut batch);
        batch
    }

    #[test]
    fn commit_should_carry_only_some_pages_when_all_entries_are_needed() {
        let mut pages = Pages::new(Table::Outbox);
        for key in 0..8 * u64::from(PAGE) {
            pages.put(key, &key, None);
        }
        assert_eq!(written(&mut pages).changes.len(), 8);
        let mut batch = Batch::default();
        let carried = pages.turn(&mut batch, |oldest| Some(Fate::Carried(oldest.key.encode())));
        assert_eq!((carried.len(), batch.changes.len()), (MOST, 4));
        assert!(carried.iter().all(|(page, _)| *page >= 8));
    }

    #[test]
    fn commit_should_clear_only_some_pages_when_they_have_an_entry_each() {
        let mut pages = Pages::new(Table::Outbox);
        let mut disk = disk::Disk::default();
        for key in 0..3 * MOST_PAGES as u64 {
            pages.put(key, &key, None);
            disk.commit(written(&mut pages));
        }
        let bytes = pages.bytes;
        for left in (0..3).rev() {
            let mut batch = Batch::default();
            pages.turn(&mut batch, |_| Some(Fate::Stale));
            disk.commit(batch);
            assert_eq!(disk.records(Table::Outbox).len(), left * MOST_PAGES);
            assert_eq!(pages.bytes, bytes / 3 * left);
        }
        assert!(pages.lengths.is_empty());
    }

    #[test]
    fn bytes_should_be_those_on_disk_when_pages_are_read_again() {
        let mut pages = Pages::new(Table::Outbox);
        let mut disk = disk::Disk::default();
        for key in [7u64, 3, 5] {
            pages.put(key, &vec![1u8; 100], None);
            disk.commit(written(&mut pages));
        }
        let records = disk.records(Table::Outbox);
        let length: usize = records.iter().map(|(_, value)| value.len()).sum();
        let (again, _) = Pages::<u64>::load::<Vec<u8>>(Table::Outbox, records).unwrap();
        assert_eq!((pages.bytes, again.bytes), (length, length));
    }

    #[test]
    fn entries_should_be_read_with_their_pages_in_the_order_in_which_they_were_written() {
        let mut pages = Pages::new(Table::Outbox);
        let mut disk = disk::Disk::default();
        for key in [7, 3, 5] {
            pages.put(key, &key, None);
            pages.put(key + 1, &(key + 1), None);
            disk.commit(written(&mut pages));
        }
        let (_, entries) =
            Pages::<u64>::load::<u64>(Table::Outbox, disk.records(Table::Outbox)).unwrap();
        let expected = [(0, 7), (0, 8), (1, 3), (1, 4), (2, 5), (2, 6)];
        assert_eq!(entries, expected.map(|(page, key)| (page, key, key)));
    }
}

/// A disk for tests.
#[cfg(test)]
pub(super) mod disk {
    use super::{Batch, Record, Table};
    use crate::store::Change;
    use std::collections::BTreeMap;

    #[derive(Default)]
    pub struct Disk(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

    impl Disk {
        pub fn commit(&mut self, batch: Batch) {
            for change in batch.changes {
                match change {
                    Change::Put(table, key, value) => self.0.insert((table, key), value),
                    Change::Delete(table, key) => self.0.remove(&(table, key)),
                };
            }
        }

        pub fn records(&self, table: Table) -> Vec<Record> {
            let of = self.0.iter().filter(|((known, _), _)| *known == table);
            of.map(|((_, key), value)| (key.clone(), value.clone())).collect()
        }
    }
}
