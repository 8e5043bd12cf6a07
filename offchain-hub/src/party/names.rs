//! Which names were used by payments that are no longer in memory. A name stays taken for ever, so
//! the store would have to be asked for each new payment; filters in memory say of nearly every new
//! name that it is free.
//!
//! After a start the filters learn the store's names little by little ([`Names::learn`]). Until they
//! know all of them, the store is asked.

use super::history::name;
use crate::store::{Store, StoreError, Table};
use failsafe_channel::PaymentId;
use fastbloom::BloomFilter;

/// Keyed at random: names come from strangers.
type Filter = BloomFilter<ahash::RandomState>;

/// Bits of a filter for each name that it has room for.
const BITS: usize = 14;
/// Bits that a name sets. A full filter takes one free name of 260 for taken; with more it would be
/// fewer, but each is one more look into memory that is far away.
const SET: u32 = 4;
/// Names for which the first filter has room, in 1.8 MB.
const LEAST: usize = 1 << 20;
/// Each further filter has room for so many times as many, and is one more to look into for each new
/// payment.
const GROWTH: usize = 4;
/// Most names of a filter: 117 MB, and two thirds of that for all before it. With more, the store is
/// asked.
const MOST: usize = 1 << 26;
/// Names that are learned at a time.
const PART: usize = 512;

/// For how many names the filter after one of `size` has room; [`MOST`] is the last one's.
fn next_size(size: usize) -> usize {
    if size < MOST {
        MOST.min(size.saturating_mul(GROWTH))
    } else {
        usize::MAX
    }
}

/// Which names the filters know.
#[derive(Debug)]
enum Known {
    /// All.
    All,
    /// Those that are not greater than this one, and all that are new since the start.
    Until(Vec<u8>),
    /// There are too many.
    None,
}

/// The names of older payments.
#[derive(Debug)]
pub(super) struct Names {
    /// Each has room for more than the one before: [`next_size`].
    filters: Vec<Filter>,
    /// That of all filters, so that a name is hashed once.
    hasher: ahash::RandomState,
    /// For how many names the last one has room in all.
    size: usize,
    /// For how many it still has.
    room: usize,
    known: Known,
}

impl Names {
    /// The names of so many payments that a store has put away, none of which is known yet.
    pub fn new(stored: u64) -> Self {
        let mut names = Self::empty(Known::All);
        if stored > 0 {
            names.known = Known::Until(vec![]);
            // More are added.
            let stored = usize::try_from(stored).unwrap_or(usize::MAX);
            names.grow(stored.max(MOST.min(stored.saturating_mul(2))));
        }
        names
    }

    fn empty(known: Known) -> Self {
        Self { filters: vec![], hasher: ahash::RandomState::new(), size: 0, room: 0, known }
    }

    /// Begins another filter, with room for at least so many.
    fn grow(&mut self, least: usize) {
        let size = least.checked_next_power_of_two().map(|size| size.max(LEAST));
        let Some(size) = size.filter(|size| *size <= MOST) else {
            *self = Self::empty(Known::None);
            return;
        };
        // `MOST` is far from where this would be too much.
        let bits = size.saturating_mul(BITS);
        let filter = BloomFilter::with_num_bits(bits).hasher(self.hasher.clone());
        self.filters.push(filter.hashes(SET));
        (self.size, self.room) = (size, size);
    }

    fn contain(&self, id: &PaymentId) -> bool {
        let hash = self.hasher.hash_one(id);
        self.filters.iter().any(|filter| filter.contains_hash(hash))
    }

    /// A payment of this name was put away.
    pub fn add(&mut self, id: &PaymentId) {
        if matches!(self.known, Known::None) {
            return;
        }
        if self.room == 0 {
            self.grow(next_size(self.size));
        }
        if let Some(newest) = self.filters.last_mut() {
            let was_there = newest.insert_hash(self.hasher.hash_one(id));
            self.room = self.room.saturating_sub(usize::from(!was_there));
        }
    }

    /// Whether a payment of this name may have been put away; `false` is certain.
    pub fn may_be_taken(&self, id: &PaymentId) -> bool {
        match self.known {
            Known::All => self.contain(id),
            Known::Until(_) | Known::None => true,
        }
    }

    /// Leaves of the keys, under one of which a payment of this name may be stored, those that are
    /// worth looking for: while names are learned, what lies behind the last that was is known to
    /// the filters.
    pub fn worth_looking(&self, id: &PaymentId, keys: &mut Vec<Vec<u8>>) {
        match &self.known {
            Known::Until(last) if !self.contain(id) => keys.retain(|key| key > last),
            Known::All | Known::Until(_) | Known::None => {},
        }
    }

    /// Whether there is nothing to learn.
    pub fn are_known(&self) -> bool {
        !matches!(self.known, Known::Until(_))
    }

    /// Learns some more of the store's names, if it does not know them all.
    ///
    /// # Errors
    /// [`StoreError`]: nothing was learned.
    pub fn learn(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let Known::Until(last) = &self.known else { return Ok(()) };
        let mut keys = store.keys(Table::History, last, PART)?;
        let ids = keys.iter().map(|key| name(key)).collect::<Result<Vec<_>, _>>()?;
        for id in &ids {
            self.add(id);
        }
        // Who has become too large in the meantime stays so.
        if matches!(self.known, Known::Until(_)) {
            let more = keys.pop().filter(|_| ids.len() == PART);
            self.known = more.map_or(Known::All, Known::Until);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Batch, FjallStore};
    use codec::Encode;
    use tempfile::TempDir;

    fn id(number: usize) -> PaymentId {
        // Spread, as names are.
        PaymentId(
            (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes(),
        )
    }

    fn store_of(keys: impl IntoIterator<Item = Vec<u8>>) -> (TempDir, FjallStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = FjallStore::create(&dir.path().join("store")).unwrap();
        let mut batch = Batch::default();
        for key in keys {
            batch.put(Table::History, key, vec![1]);
        }
        store.commit(&batch).unwrap();
        (dir, store)
    }

    fn stored(count: usize) -> (TempDir, FjallStore) {
        store_of((0..count).map(|number| id(number).encode()))
    }

    /// Half of what is stored is learned.
    fn half_learned() -> (TempDir, FjallStore, Names) {
        let (dir, store) = stored(2 * PART);
        let mut names = Names::new(2 * PART as u64);
        names.learn(&store).unwrap();
        (dir, store, names)
    }

    fn learned(count: usize) -> Names {
        let (_dir, store) = stored(count);
        let mut names = Names::new(count as u64);
        for _ in 0..=count / PART {
            names.learn(&store).unwrap();
        }
        names
    }

    #[test]
    fn names_should_be_free_when_nothing_was_put_away() {
        let names = Names::new(0);
        assert!((0..1_000).all(|number| !names.may_be_taken(&id(number))));
    }

    #[test]
    fn names_should_be_taken_when_their_payments_were_put_away() {
        let mut names = Names::new(0);
        let count = (1 + GROWTH) * LEAST + 7;
        for number in 0..count {
            names.add(&id(number));
        }
        assert!((0..count).all(|number| names.may_be_taken(&id(number))));
        let wrong = (count..count + 10_000).filter(|number| names.may_be_taken(&id(*number)));
        assert!(wrong.count() < 500, "most free names are known to be free");
    }

    #[test]
    fn last_filter_should_be_the_largest_when_the_first_has_any_size() {
        // A start begins with any power of two.
        for power in LEAST.ilog2()..MOST.ilog2() {
            let sizes: Vec<_> =
                std::iter::successors(Some(1 << power), |size| Some(next_size(*size)))
                    .take_while(|size| *size <= MOST)
                    .collect();
            assert_eq!(sizes.last(), Some(&MOST));
            let bits: usize = sizes.iter().map(|size| size * BITS).sum();
            assert!(bits / 8 <= 195_000_000, "{bits} bits");
        }
    }

    #[test]
    fn every_name_should_be_asked_for_when_not_all_are_learned() {
        let (_dir, _store, names) = half_learned();
        assert!((0..4 * PART).all(|number| names.may_be_taken(&id(number))));
    }

    #[test]
    fn only_what_is_not_learned_should_be_looked_for_when_the_filters_do_not_know_a_name() {
        let (_dir, _store, mut names) = half_learned();
        let mut all: Vec<_> = (0..2 * PART).map(id).collect();
        all.sort_unstable();
        let wanted = |names: &Names, id: &PaymentId| {
            let mut keys = vec![id.encode()];
            names.worth_looking(id, &mut keys);
            !keys.is_empty()
        };
        // Those that are learned are in the filters.
        assert!(all.iter().all(|id| wanted(&names, id)));
        let (first, last) = (PaymentId(1u128.to_be_bytes()), PaymentId([0xff; 16]));
        assert!(!wanted(&names, &first) && wanted(&names, &last));
        names.add(&first);
        assert!(wanted(&names, &first));
    }

    #[test]
    fn names_should_be_those_of_the_store_when_all_are_learned() {
        for count in [1, PART - 1, PART, PART + 1, 5 * PART + 3] {
            let names = learned(count);
            assert!((0..count).all(|number| names.may_be_taken(&id(number))), "{count}");
            let wrong = (count..count + 10_000).filter(|number| names.may_be_taken(&id(*number)));
            assert!(wrong.count() < 500, "{count}");
        }
    }

    #[test]
    fn name_should_be_taken_when_it_is_new_while_others_are_learned() {
        let (_dir, store, mut names) = half_learned();
        // It is before those that are still to be read.
        names.add(&PaymentId([0; 16]));
        for _ in 0..2 {
            names.learn(&store).unwrap();
        }
        assert!(names.are_known());
        assert!(names.may_be_taken(&PaymentId([0; 16])));
    }

    #[test]
    fn store_should_be_asked_when_there_are_too_many_names() {
        assert!(!Names::new(MOST as u64).are_known(), "there is room for these");
        let mut names = Names::new(MOST as u64 + 1);
        names.add(&id(1));
        let (_dir, store) = stored(3);
        names.learn(&store).unwrap();
        assert!(names.may_be_taken(&id(2)) && names.filters.is_empty());
    }

    #[test]
    fn store_should_be_refused_when_a_name_cannot_be_read() {
        let (_dir, store) = store_of([vec![1; 3]]);
        let problem = Names::new(1).learn(&store);
        assert!(matches!(problem, Err(StoreError::Damaged { .. })));
    }
}
