//! How channels are stored. Those that change now are on [pages](super::pages), with each commit a
//! page of all that it has changed; those that have rested while others changed have a record each.
//! A channel is in one of the two places, so nobody who looks into one alone finds an old state.

use super::{
    entries::{ByPartner, Entries},
    pages::{Fate, Pages},
};
use crate::store::{Batch, Change, Record, StoreError, Table, Tables};
use codec::{DecodeAll, Encode};
use failsafe_primitives::AccountId;
use std::collections::{BTreeMap, BTreeSet};

/// Most bytes of pages: they are read at every start. Some channels are a hundred times as large as
/// others, and some partners can have theirs written as often as they like.
const MOST_BYTES: usize = 128 << 20;

/// A partner, and the channel with it as [`failsafe_channel::Channel::encode_lean`] wrote it.
pub type StoredChannel = (AccountId, Vec<u8>);

/// The channels that are on pages.
#[derive(Debug)]
pub(crate) struct Recent {
    pages: Pages<AccountId>,
    /// The newest page of each.
    known: ByPartner<u64>,
}

impl Recent {
    /// The channel with `partner` is stored as `bytes` now.
    pub(super) fn put(&mut self, partner: &AccountId, bytes: &[u8], batch: &mut Batch) {
        let known = self.known.get(partner).copied();
        let page = self.pages.put(partner.clone(), &bytes, known);
        if known.is_none() {
            batch.delete(Table::Channels, partner.encode());
        }
        if known != Some(page) {
            self.known.insert(partner.clone(), page);
        }
    }

    /// Writes what was put. While there are more than `most` entries, or [`MOST_BYTES`], or most are
    /// out of date, the channels that have rested the longest get their records again.
    pub(super) fn store(&mut self, most: usize, entries: &mut Entries, batch: &mut Batch) {
        if self.pages.is_written() {
            return;
        }
        let Self { pages, known } = self;
        let mut rested = vec![];
        pages.turn(batch, |oldest| {
            if known.get(oldest.key) != Some(&oldest.page) {
                return Some(Fate::Stale);
            }
            let full = oldest.entries > most || oldest.bytes > MOST_BYTES;
            let full = full || oldest.begun || oldest.is_wasteful(known.len());
            full.then(|| {
                known.remove(oldest.key);
                rested.push(oldest.key.clone());
                Fate::Taken
            })
        });
        // In the order of the table, so that what is near each other is written one after the other.
        rested.sort_unstable();
        for partner in rested {
            let bytes = entries.stored(&partner).expect("what is stored is in memory; qed");
            batch.put(Table::Channels, partner.encode(), bytes);
        }
        pages.write(batch);
    }
}

/// Reads a store's channels, by partner, and which of them are on pages.
///
/// # Errors
/// [`StoreError::Damaged`].
pub(crate) fn load(
    channels: Vec<Record>,
    recent: Vec<Record>,
) -> Result<(Recent, Vec<StoredChannel>), StoreError> {
    let damaged =
        |table: Table, reason: String| StoreError::Damaged { table: table.name(), reason };
    let (pages, entries) = Pages::load(Table::Recent, recent)?;
    let mut newest = BTreeMap::<AccountId, (u64, Vec<u8>)>::new();
    for (page, partner, bytes) in entries {
        newest.insert(partner, (page, bytes));
    }
    let mut all = Vec::with_capacity(channels.len().saturating_add(newest.len()));
    for (key, bytes) in channels {
        let partner = AccountId::decode_all(&mut &key[..])
            .map_err(|e| damaged(Table::Channels, e.to_string()))?;
        if newest.contains_key(&partner) {
            let reason = format!("the channel with {partner} is stored twice");
            return Err(damaged(Table::Channels, reason));
        }
        all.push((partner, bytes));
    }
    let known = newest.iter().map(|(partner, (page, _))| (partner.clone(), *page)).collect();
    all.extend(newest.into_iter().map(|(partner, (_, bytes))| (partner, bytes)));
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok((Recent { pages, known }, all))
}

/// The channels in the records of a store at one moment, by partner.
///
/// # Errors
/// [`StoreError::Damaged`].
pub fn stored_channels(tables: Tables) -> Result<Vec<StoredChannel>, StoreError> {
    let (mut channels, mut recent) = (vec![], vec![]);
    for (table, records) in tables {
        match table {
            Table::Channels => channels.extend(records),
            Table::Recent => recent.extend(records),
            _ => {},
        }
    }
    load(channels, recent).map(|(_, all)| all)
}

/// What stands on a page; nothing if it cannot be read.
fn on_page(page: &[u8]) -> Vec<StoredChannel> {
    Vec::decode_all(&mut &*page).unwrap_or_default()
}

/// The channels that a party stores anew with `batch`.
pub fn changed_channels(batch: &Batch) -> Vec<StoredChannel> {
    let pages = batch.changes.iter().filter_map(|change| match change {
        Change::Put(Table::Recent, _, page) => Some(page),
        _ => None,
    });
    pages.flat_map(|page| on_page(page)).collect()
}

/// How many channels these records are of. Pages that cannot be read are left out: a backup is made
/// of them, too, and refused when it is restored.
pub(crate) fn count<'a>(
    channels: impl Iterator<Item = &'a Record>,
    recent: impl Iterator<Item = &'a Record>,
) -> usize {
    let partners = recent.flat_map(|(_, page)| on_page(page)).map(|(partner, _)| partner);
    channels.count().saturating_add(partners.collect::<BTreeSet<_>>().len())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            core::Entry,
            pages::{disk::Disk, ENTRIES},
            policy::CHANNELS_ON_PAGES as MOST,
        },
        *,
    };
    use failsafe_channel::{Channel, Moment, PairFacts};
    use proptest::prelude::*;
    use sp_core::H256;

    fn partner(number: u8) -> AccountId {
        AccountId::new([number; 32])
    }

    /// The channel with this partner after so many of its updates.
    fn channel(number: u8, nonce: u64) -> Channel {
        let me = partner(0);
        let facts = PairFacts::unknown(&me, &partner(number), Moment::default()).unwrap();
        let channel = Channel::new(H256::zero(), &me, &partner(number), facts).unwrap();
        let mut state = channel.state().clone();
        state.theirs.simplex.nonce = nonce;
        Channel::from_state(state)
    }

    /// A party with channels.
    struct Books {
        entries: Entries,
        recent: Recent,
        nonces: BTreeMap<u8, u64>,
    }

    impl Books {
        fn start(disk: &Disk) -> Self {
            let (recent, stored) =
                load(disk.records(Table::Channels), disk.records(Table::Recent)).unwrap();
            let mut entries = Entries::default();
            let mut nonces = BTreeMap::new();
            for (partner, bytes) in stored {
                let channel = Channel::decode_state(&bytes).unwrap();
                nonces.insert(AsRef::<[u8]>::as_ref(&partner)[0], channel.state().theirs.nonce());
                entries.insert(partner, Entry::new(channel));
            }
            Self { entries, recent, nonces }
        }

        /// Changes channels, and stores them with one commit.
        fn change(&mut self, disk: &mut Disk, numbers: &BTreeSet<u8>, most: usize) -> Batch {
            let mut batch = Batch::default();
            for number in numbers {
                let nonce = self.nonces.entry(*number).or_default();
                *nonce += 1;
                let mut channel = channel(*number, *nonce);
                self.recent.put(&partner(*number), &channel.encode_lean(), &mut batch);
                self.entries.insert(partner(*number), Entry::new(channel));
            }
            self.recent.store(most, &mut self.entries, &mut batch);
            disk.commit(batch.clone());
            batch
        }
    }

    fn places(disk: &Disk, number: u8) -> (bool, bool) {
        let (recent, _) = load(vec![], disk.records(Table::Recent)).unwrap();
        let alone = disk.records(Table::Channels);
        let key = partner(number).encode();
        (alone.iter().any(|(known, _)| *known == key), recent.known.contains_key(&partner(number)))
    }

    #[test]
    fn channel_should_move_to_a_page_when_it_changes_and_back_when_it_rests() {
        let mut disk = Disk::default();
        let mut batch = Batch::default();
        for number in [1, 2] {
            batch.put(Table::Channels, partner(number).encode(), channel(number, 5).encode_state());
        }
        disk.commit(batch);
        let mut books = Books::start(&disk);
        books.change(&mut disk, &[1].into(), 4);
        assert_eq!((places(&disk, 1), places(&disk, 2)), ((false, true), (true, false)));
        for _ in 0..4 {
            books.change(&mut disk, &[2].into(), 4);
        }
        assert_eq!((places(&disk, 1), places(&disk, 2)), ((true, false), (false, true)));
        assert_eq!(Books::start(&disk).nonces, BTreeMap::from([(1, 6), (2, 9)]));
    }

    #[test]
    fn pages_should_stay_few_when_the_same_channels_change_again_and_again() {
        let mut disk = Disk::default();
        let mut books = Books::start(&disk);
        let numbers = (1..9).collect();
        for _ in 0..2_000 {
            books.change(&mut disk, &numbers, MOST);
        }
        let (each, more) = ENTRIES;
        assert!(disk.records(Table::Recent).len() * 8 <= each * 8 + more + 8);
        assert!(disk.records(Table::Channels).is_empty(), "none of them rests");
    }

    #[test]
    fn channel_should_leave_its_page_when_pages_have_too_many_bytes() {
        let mut disk = Disk::default();
        let mut books = Books::start(&disk);
        books.change(&mut disk, &[1, 2].into(), MOST);
        let large = vec![0; MOST_BYTES / 2 + 1];
        for _ in 0..3 {
            let mut batch = Batch::default();
            books.recent.put(&partner(2), &large, &mut batch);
            books.recent.store(MOST, &mut books.entries, &mut batch);
            disk.commit(batch);
        }
        assert_eq!((places(&disk, 1), places(&disk, 2)), ((true, false), (false, true)));
        let bytes: usize = disk.records(Table::Recent).iter().map(|(_, page)| page.len()).sum();
        assert!(bytes < MOST_BYTES + large.len());
    }

    #[test]
    fn store_should_be_refused_when_a_channel_is_stored_twice() {
        let mut disk = Disk::default();
        Books::start(&disk).change(&mut disk, &[1].into(), MOST);
        let mut batch = Batch::default();
        batch.put(Table::Channels, partner(1).encode(), channel(1, 9).encode_state());
        disk.commit(batch);
        let refused = load(disk.records(Table::Channels), disk.records(Table::Recent));
        assert!(refused.unwrap_err().to_string().contains("is stored twice"));
    }

    #[test]
    fn changed_channels_should_be_read_from_a_batch_when_they_are_on_a_page() {
        let mut disk = Disk::default();
        let batch = Books::start(&disk).change(&mut disk, &[1, 3].into(), MOST);
        let expected = [1, 3].map(|number| (partner(number), channel(number, 1).encode_lean()));
        assert_eq!(changed_channels(&batch), expected);
    }

    proptest! {
        /// Whatever changes together, a restart finds every channel once, as it was stored last.
        #[test]
        fn channels_should_be_as_they_were_stored_when_a_party_starts_again(
            commits in proptest::collection::vec(
                proptest::collection::btree_set(1u8..12, 1..6), 1..80),
            most in 1usize..40,
            restart in 1usize..20,
        ) {
            let mut disk = Disk::default();
            let mut books = Books::start(&disk);
            for (number, changed) in commits.iter().enumerate() {
                books.change(&mut disk, changed, most);
                let again = Books::start(&disk);
                prop_assert_eq!(&again.nonces, &books.nonces);
                if number % restart == 0 {
                    books = again;
                }
            }
            let entries = books.recent.known.len();
            let alone = disk.records(Table::Channels).len();
            prop_assert_eq!(entries + alone, books.nonces.len());
        }
    }
}
