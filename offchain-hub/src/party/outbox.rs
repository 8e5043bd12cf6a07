//! How own updates are stored that their partners have not acknowledged yet: apart from the
//! channels, on [pages](super::pages), so that a commit writes each of them once and not all of
//! them again.

use super::{
    entries::{ByPartner, Entries},
    pages::{Fate, Oldest, Pages},
};
use crate::store::{Batch, Record, StoreError, Table};
use codec::{Decode, Encode};
use failsafe_channel::{state::Sent, Channel};
use failsafe_primitives::{AccountId, Epoch, Nonce};
use std::collections::HashMap;

/// An own update: in which channel, in which epoch, and the nonce of the simplex that it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub(super) struct SentName {
    partner: AccountId,
    epoch: Epoch,
    nonce: Nonce,
}

/// What is stored of an outbox that is not empty.
#[derive(Clone, Copy, Debug)]
struct Stored {
    epoch: Epoch,
    /// The newest update.
    newest: Nonce,
    /// How many there are.
    count: usize,
}

/// The updates of all channels.
#[derive(Debug)]
pub(super) struct Outboxes {
    pages: Pages<SentName>,
    stored: ByPartner<Stored>,
    /// How many updates there are in all of them.
    needed: usize,
}

impl Outboxes {
    /// Notes what is new in a channel that is stored with the same commit.
    pub fn note(&mut self, channel: &Channel) {
        let (partner, epoch) = (channel.partner(), channel.epoch());
        let outbox = &channel.state().outbox;
        let before = self.stored.remove(partner);
        let known = before.filter(|stored| stored.epoch == epoch).map_or(0, |stored| stored.newest);
        let new = outbox.iter().rev().take_while(|sent| sent.simplex.nonce > known).count();
        for sent in outbox.range(outbox.len().saturating_sub(new)..) {
            let nonce = sent.simplex.nonce;
            self.pages.put(SentName { partner: partner.clone(), epoch, nonce }, sent, None);
        }
        self.needed = self.needed.saturating_sub(before.map_or(0, |stored| stored.count));
        self.keep(channel);
    }

    /// Remembers what is stored of a channel's outbox.
    fn keep(&mut self, channel: &Channel) {
        let outbox = &channel.state().outbox;
        let Some(newest) = outbox.back().map(|sent| sent.simplex.nonce) else { return };
        let stored = Stored { epoch: channel.epoch(), newest, count: outbox.len() };
        self.needed = self.needed.saturating_add(stored.count);
        self.stored.insert(channel.partner().clone(), stored);
    }

    /// Writes what was noted.
    pub fn store(&mut self, entries: &Entries, batch: &mut Batch) {
        if self.pages.is_written() {
            return;
        }
        let needed = self.needed;
        self.pages.turn(batch, |oldest: Oldest<'_, SentName>| {
            let Some(sent) = find(entries, oldest.key) else { return Some(Fate::Stale) };
            let carried = oldest.begun || oldest.is_wasteful(needed);
            carried.then(|| Fate::Carried(sent.encode()))
        });
        self.pages.write(batch);
    }
}

/// An update, as long as it is in its channel's outbox.
fn find<'a>(entries: &'a Entries, name: &SentName) -> Option<&'a Sent> {
    // Where something was sent that is not acknowledged, nobody sleeps.
    let channel = &entries.awake_one(&name.partner)?.channel;
    let outbox = &channel.state().outbox;
    let first = outbox.front().filter(|_| channel.epoch() == name.epoch)?.simplex.nonce;
    outbox.get(usize::try_from(name.nonce.checked_sub(first)?).ok()?)
}

/// What a store has of own updates, to be put together with the channels.
pub(crate) struct Loaded {
    outboxes: Outboxes,
    sent: HashMap<SentName, Sent>,
}

impl Loaded {
    /// Reads them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn new(records: Vec<Record>) -> Result<Self, StoreError> {
        let (pages, entries) = Pages::load(Table::Outbox, records)?;
        let sent = entries.into_iter().map(|(_, name, sent)| (name, sent)).collect();
        Ok(Self { outboxes: Outboxes { pages, stored: ByPartner::default(), needed: 0 }, sent })
    }

    /// Reads the channel with `partner`. Says what is wrong with it.
    pub fn channel(&mut self, partner: &AccountId, bytes: &[u8]) -> Result<Channel, String> {
        let mut apart = false;
        let channel = Channel::decode_lean(bytes, |epoch, nonce| {
            apart = true;
            self.sent.remove(&SentName { partner: partner.clone(), epoch, nonce })
        })?;
        // A program before this one, and a restore, keep the outbox with the channel: until that is
        // stored again, nothing is apart.
        if apart {
            self.outboxes.keep(&channel);
        }
        Ok(channel)
    }

    /// When all channels were read.
    pub(super) fn done(self) -> Outboxes {
        self.outboxes
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            core::Entry,
            pages::{disk::Disk, ENTRIES},
        },
        *,
    };
    use failsafe_channel::{message::Update, Moment, PairFacts};
    use proptest::prelude::*;
    use sp_core::H256;

    /// A party with channels, as it is in memory.
    struct Books {
        entries: Entries,
        outboxes: Outboxes,
    }

    fn partner(number: u8) -> AccountId {
        AccountId::new([number; 32])
    }

    fn channel(number: u8) -> Channel {
        let me = partner(0);
        let facts = PairFacts::unknown(&me, &partner(number), Moment::default()).unwrap();
        Channel::new(H256::zero(), &me, &partner(number), facts).unwrap()
    }

    impl Books {
        /// A party that starts.
        fn start(disk: &Disk) -> Self {
            let mut loaded = Loaded::new(disk.records(Table::Outbox)).unwrap();
            let mut entries = Entries::default();
            for (key, bytes) in disk.records(Table::Channels) {
                let partner = AccountId::decode(&mut &key[..]).unwrap();
                let channel = loaded.channel(&partner, &bytes).unwrap();
                entries.insert(partner, Entry::new(channel));
            }
            Self { entries, outboxes: loaded.done() }
        }

        fn with(numbers: impl IntoIterator<Item = u8>) -> (Self, Disk) {
            let mut disk = Disk::default();
            for number in numbers {
                let mut batch = Batch::default();
                batch.put(
                    Table::Channels,
                    partner(number).encode(),
                    channel(number).encode_state(),
                );
                disk.commit(batch);
            }
            (Self::start(&disk), disk)
        }

        /// One that has sent three updates to the first partner, which are not stored yet.
        fn with_three_sent() -> (Self, Disk) {
            let (mut books, disk) = Self::with([1]);
            for _ in 0..3 {
                books.send(1);
            }
            (books, disk)
        }

        fn change(&mut self, number: u8, change: impl FnOnce(&mut failsafe_channel::state::State)) {
            let entry = self.entries.get_mut(&partner(number)).unwrap();
            let mut state = entry.channel.state().clone();
            change(&mut state);
            entry.channel = Channel::from_state(state);
        }

        /// Another update of ours.
        fn send(&mut self, number: u8) {
            self.change(number, |state| {
                let update = Update {
                    epoch: state.context.epoch,
                    base_nonce: state.mine.nonce(),
                    as_of: 0,
                    terms_version: 0,
                    transitions: Default::default(),
                    signature: None,
                    ack: None,
                };
                state.mine.simplex.nonce += 1;
                state.outbox.push_back(Sent { update, simplex: state.mine.simplex.clone() });
            });
        }

        /// The partner acknowledges so many.
        fn ack(&mut self, number: u8, count: usize) {
            self.change(number, |state| drop(state.outbox.drain(..count.min(state.outbox.len()))));
        }

        fn start_epoch(&mut self, number: u8) {
            self.change(number, |state| {
                state.context.epoch += 1;
                state.mine = Default::default();
                state.outbox.clear();
            });
        }

        /// Stores the channels that have changed. Returns how many updates were written.
        fn store(&mut self, disk: &mut Disk, numbers: &[u8]) -> u32 {
            let mut batch = Batch::default();
            for number in numbers {
                let entry = self.entries.get_mut(&partner(*number)).unwrap();
                self.outboxes.note(&entry.channel);
                let bytes = entry.channel.encode_lean();
                batch.put(Table::Channels, partner(*number).encode(), bytes);
            }
            let written = self.outboxes.pages.unwritten();
            self.outboxes.store(&self.entries, &mut batch);
            disk.commit(batch);
            written
        }

        fn state(&self, number: u8) -> &failsafe_channel::state::State {
            self.entries.get(&partner(number)).unwrap().channel.state()
        }
    }

    #[test]
    fn update_should_be_written_once_when_its_channel_is_stored_again() {
        let (mut books, mut disk) = Books::with_three_sent();
        assert_eq!(books.store(&mut disk, &[1]), 3);
        assert_eq!(books.store(&mut disk, &[1]), 0);
        books.send(1);
        assert_eq!(books.store(&mut disk, &[1]), 1);
        let mut again = Books::start(&disk);
        assert_eq!(again.state(1), books.state(1));
        assert_eq!(again.store(&mut disk, &[1]), 0, "after a restart, too");
    }

    #[test]
    fn pages_should_go_away_when_their_updates_were_acknowledged() {
        let (mut books, mut disk) = Books::with([1]);
        for _ in 0..5 {
            books.send(1);
            books.store(&mut disk, &[1]);
        }
        assert_eq!(disk.records(Table::Outbox).len(), 5);
        books.ack(1, 4);
        books.send(1);
        books.store(&mut disk, &[1]);
        assert_eq!(disk.records(Table::Outbox).len(), 2);
        assert_eq!(Books::start(&disk).state(1), books.state(1));
    }

    #[test]
    fn updates_should_be_those_of_the_new_epoch_when_nonces_have_started_anew() {
        let (mut books, mut disk) = Books::with_three_sent();
        books.store(&mut disk, &[1]);
        books.start_epoch(1);
        books.send(1);
        assert_eq!(books.store(&mut disk, &[1]), 1);
        assert_eq!(Books::start(&disk).state(1), books.state(1));
    }

    #[test]
    fn outbox_should_be_stored_apart_when_it_was_stored_with_its_channel() {
        let (mut books, mut disk) = Books::with([1]);
        books.send(1);
        books.send(1);
        let whole = books.entries.get(&partner(1)).unwrap().channel.encode_state();
        let mut batch = Batch::default();
        batch.put(Table::Channels, partner(1).encode(), whole);
        disk.commit(batch);
        let mut again = Books::start(&disk);
        assert_eq!(again.state(1), books.state(1));
        assert_eq!(again.store(&mut disk, &[1]), 2);
        assert_eq!(Books::start(&disk).state(1), books.state(1));
    }

    #[test]
    fn store_should_be_refused_when_a_page_is_missing() {
        let (mut books, mut disk) = Books::with([1]);
        books.send(1);
        books.store(&mut disk, &[1]);
        let mut batch = Batch::default();
        batch.delete(Table::Outbox, 0u64.to_be_bytes());
        disk.commit(batch);
        let mut loaded = Loaded::new(disk.records(Table::Outbox)).unwrap();
        let (_, bytes) = disk.records(Table::Channels).remove(0);
        let problem = loaded.channel(&partner(1), &bytes).unwrap_err();
        assert!(problem.contains("update 1 of ours is missing"), "{problem}");
    }

    #[test]
    fn pages_should_stay_few_when_one_partner_never_acknowledges() {
        let (mut books, mut disk) = Books::with([1, 2]);
        books.send(1);
        books.store(&mut disk, &[1]);
        for _ in 0..20_000 {
            books.send(2);
            books.store(&mut disk, &[2]);
            books.ack(2, 1);
        }
        let (each, more) = ENTRIES;
        assert!(disk.records(Table::Outbox).len() <= 2 * each + more + 1);
        books.store(&mut disk, &[2]);
        assert_eq!(Books::start(&disk).state(1), books.state(1));
    }

    proptest! {
        /// Whatever was sent, acknowledged and stored, a restart finds what was stored last.
        #[test]
        fn channels_should_be_as_they_were_stored_when_a_party_starts_again(
            steps in proptest::collection::vec((1u8..4, 0usize..8), 1..150),
        ) {
            let (mut books, mut disk) = Books::with(1..4);
            for (number, what) in steps {
                match what {
                    0..=3 => books.send(number),
                    4 | 5 => books.ack(number, what - 3),
                    6 => books.start_epoch(number),
                    _ => {
                        let again = Books::start(&disk);
                        for number in 1..4 {
                            prop_assert_eq!(again.state(number), books.state(number));
                        }
                        books = again;
                    },
                }
                // As a party does: whatever has changed is stored at once.
                books.store(&mut disk, &[number]);
            }
            let needed: usize = (1..4).map(|number| books.state(number).outbox.len()).sum();
            prop_assert_eq!(books.outboxes.needed, needed);
            prop_assert!(books.outboxes.stored.values().all(|stored| stored.count > 0));
        }
    }
}
