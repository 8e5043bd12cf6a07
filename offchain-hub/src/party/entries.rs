//! The channels of a party. Those of partners who are away, with nothing to do in them, are kept in
//! their stored form, which takes a quarter of the memory: they sleep until somebody looks at them.

use super::core::Entry;
use failsafe_channel::{Channel, PairFacts};
use failsafe_primitives::AccountId;
use indexmap::IndexMap;
use std::{
    collections::{BTreeSet, HashMap},
    ops::Deref,
    sync::{Mutex, OnceLock, PoisonError},
};

/// A channel: awake, asleep, or both while nothing has changed since it was looked at.
#[derive(Default)]
struct Slot {
    /// The stored form; empty when what is awake may have changed.
    asleep: Box<[u8]>,
    awake: OnceLock<Box<Entry>>,
}

impl Slot {
    fn read(&self) -> Box<Entry> {
        let channel = Channel::decode_state(&self.asleep);
        Box::new(Entry::new(channel.expect("it was read or written before; qed")))
    }
}

/// Something by partner, looked up several times for each payment. Strangers choose their accounts:
/// keyed at random.
pub(super) type ByPartner<V> = HashMap<AccountId, V, ahash::RandomState>;

/// All channels by partner: those that were stored, and then new ones in the order of their coming.
#[derive(Default)]
pub(super) struct Entries {
    slots: IndexMap<AccountId, Slot, ahash::RandomState>,
    /// Those that may have changed since they slept.
    awake: BTreeSet<AccountId>,
    /// Those that are to sleep again when they can.
    tired: Mutex<Vec<AccountId>>,
}

/// An entry that was looked at without waking it.
pub(super) enum Look<'a> {
    Awake(&'a Entry),
    Asleep(Box<Entry>),
}

impl Deref for Look<'_> {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        match self {
            Self::Awake(entry) => entry,
            Self::Asleep(entry) => entry,
        }
    }
}

impl Entries {
    /// None, with room for so many.
    pub(super) fn with_capacity(count: usize) -> Self {
        let slots = IndexMap::with_capacity_and_hasher(count, ahash::RandomState::default());
        Self { slots, ..Self::default() }
    }

    /// One that sleeps, as [`Channel::encode_state`] wrote it and [`Channel::decode_state`] could
    /// read it.
    pub(super) fn insert_asleep(&mut self, partner: AccountId, bytes: Vec<u8>) {
        let slot = Slot { asleep: bytes.into(), awake: OnceLock::new() };
        self.slots.insert(partner, slot);
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is one with `partner`.
    pub(super) fn contains_key(&self, partner: &AccountId) -> bool {
        self.slots.contains_key(partner)
    }

    /// All partners.
    pub(super) fn keys(&self) -> impl Iterator<Item = &AccountId> {
        self.slots.keys()
    }

    /// The one with `partner`.
    pub(super) fn get(&self, partner: &AccountId) -> Option<&Entry> {
        let slot = self.slots.get(partner)?;
        let entry = slot.awake.get_or_init(|| {
            let mut tired = self.tired.lock().unwrap_or_else(PoisonError::into_inner);
            tired.push(partner.clone());
            slot.read()
        });
        Some(entry)
    }

    /// The one with `partner`, unless it sleeps.
    pub(super) fn awake_one(&self, partner: &AccountId) -> Option<&Entry> {
        self.slots.get(partner)?.awake.get().map(|entry| &**entry)
    }

    /// The one with `partner`, to be changed.
    pub(super) fn get_mut(&mut self, partner: &AccountId) -> Option<&mut Entry> {
        let slot = self.slots.get_mut(partner)?;
        if !slot.asleep.is_empty() {
            slot.awake.get_or_init(|| slot.read());
            slot.asleep = Box::default();
            self.awake.insert(partner.clone());
        }
        let entry = slot.awake.get_mut()?;
        if entry.session.is_none() {
            self.tired.get_mut().unwrap_or_else(PoisonError::into_inner).push(partner.clone());
        }
        Some(entry)
    }

    /// The stored form of the one with `partner`, without what is stored apart; who sleeps goes on
    /// sleeping.
    pub(super) fn stored(&mut self, partner: &AccountId) -> Option<Vec<u8>> {
        let slot = self.slots.get_mut(partner)?;
        if !slot.asleep.is_empty() {
            return Some(slot.asleep.to_vec());
        }
        Some(slot.awake.get_mut()?.channel.encode_lean())
    }

    /// A new one.
    pub(super) fn insert(&mut self, partner: AccountId, entry: Entry) {
        let slot = Slot { asleep: Box::default(), awake: OnceLock::from(Box::new(entry)) };
        self.awake.insert(partner.clone());
        self.tired.get_mut().unwrap_or_else(PoisonError::into_inner).push(partner.clone());
        self.slots.insert(partner, slot);
    }

    /// Those that do not sleep, in order: all with a session, and all that wait for something.
    pub(super) fn awake(&self) -> impl Iterator<Item = (&AccountId, &Entry)> {
        self.awake.iter().filter_map(|partner| Some((partner, self.get(partner)?)))
    }

    /// All; who sleeps goes on sleeping.
    pub(super) fn look(&self) -> impl Iterator<Item = (&AccountId, Look<'_>)> {
        self.slots.iter().map(|(partner, slot)| {
            let look = match slot.awake.get() {
                Some(entry) => Look::Awake(entry),
                None => Look::Asleep(slot.read()),
            };
            (partner, look)
        })
    }

    /// Whether these facts are nothing new to a channel that sleeps.
    pub(super) fn sleeps_through(&self, partner: &AccountId, facts: &PairFacts) -> bool {
        let slot = self.slots.get(partner).filter(|slot| slot.awake.get().is_none());
        slot.is_some_and(|slot| slot.read().channel.knows(facts))
    }

    /// Lets those sleep again that can.
    pub(super) fn rest(&mut self) {
        let tired = self.tired.get_mut().unwrap_or_else(PoisonError::into_inner);
        for partner in std::mem::take(tired) {
            let Some(slot) = self.slots.get_mut(&partner) else { continue };
            let Some(entry) = slot.awake.get() else { continue };
            if slot.asleep.is_empty() {
                if !entry.can_sleep() {
                    continue;
                }
                slot.asleep = entry.channel.encode_state().into();
                self.awake.remove(&partner);
            }
            slot.awake = OnceLock::new();
        }
    }

    /// How many sleep.
    #[cfg(test)]
    pub(super) fn asleep(&self) -> usize {
        self.slots.values().filter(|slot| slot.awake.get().is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use failsafe_channel::{AssetTerms, Moment};
    use failsafe_primitives::NATIVE_ASSET as FRD;
    use sp_core::H256;

    fn account(number: u8) -> AccountId {
        AccountId::new([number; 32])
    }

    fn channel(partner: u8) -> Channel {
        let (me, partner) = (account(0), account(partner));
        let facts = PairFacts::unknown(&me, &partner, Moment::default()).unwrap();
        Channel::new(H256::zero(), &me, &partner, facts).unwrap()
    }

    fn stored() -> Entries {
        let mut entries = Entries::with_capacity(3);
        for partner in 1..4 {
            entries.insert_asleep(account(partner), channel(partner).encode_state());
        }
        entries
    }

    #[test]
    fn channels_should_sleep_until_they_are_looked_at_and_again_after_it() {
        let mut entries = stored();
        assert_eq!((entries.len(), entries.asleep()), (3, 3));
        assert_eq!(entries.get(&account(2)).unwrap().channel.partner(), &account(2));
        assert_eq!((entries.asleep(), entries.awake().count()), (2, 0), "seen, not changed");
        entries.rest();
        assert_eq!(entries.asleep(), 3);
        assert_eq!(entries.look().count(), 3);
        assert_eq!(entries.asleep(), 3, "a look wakes nobody");
    }

    #[test]
    fn change_should_be_kept_when_a_channel_sleeps_after_it() {
        let mut entries = stored();
        let terms = AssetTerms { credit: 7, ..AssetTerms::default() };
        entries.get_mut(&account(2)).unwrap().channel.set_terms(FRD, terms).unwrap();
        assert_eq!(entries.awake().count(), 1);
        entries.rest();
        assert_eq!((entries.asleep(), entries.awake().count()), (3, 0));
        let known = entries.get(&account(2)).unwrap().channel.asset_summary(FRD);
        assert_eq!(known.credit_given, 7);
    }

    #[test]
    fn channel_should_stay_awake_when_its_partner_is_connected() {
        let mut entries = stored();
        entries.get_mut(&account(1)).unwrap().session = Some(1);
        entries.rest();
        assert_eq!((entries.asleep(), entries.awake().count()), (2, 1));
        entries.get_mut(&account(1)).unwrap().session = None;
        entries.get_mut(&account(1));
        entries.rest();
        assert_eq!(entries.asleep(), 3);
    }

    #[test]
    fn channel_should_stay_awake_when_its_partner_did_wrong() {
        let mut entries = stored();
        entries.get_mut(&account(3)).unwrap().fault = Some("a fault".into());
        entries.rest();
        assert_eq!(entries.asleep(), 2);
    }

    #[test]
    fn facts_should_wake_a_channel_only_when_they_are_new() {
        let entries = stored();
        let mut facts =
            PairFacts::unknown(&account(0), &account(1), Moment { block: 9, clock: 9 }).unwrap();
        assert!(entries.sleeps_through(&account(1), &facts));
        facts.owed_to_me = vec![(FRD, 1)];
        assert!(!entries.sleeps_through(&account(1), &facts));
        entries.get(&account(1));
        facts.owed_to_me = vec![];
        assert!(!entries.sleeps_through(&account(1), &facts), "who is awake is told everything");
    }
}
