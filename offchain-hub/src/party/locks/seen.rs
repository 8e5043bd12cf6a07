//! Onions that have come, so that none is answered twice: two answers under one key stream show in
//! what they differ, and who knows the one can read the other (`docs/onion.md` §5, pitfall H26).

use failsafe_onion::HopSecret;
use failsafe_primitives::Clock;
use std::collections::{BTreeMap, HashSet};

/// Most onions that are remembered, some 70 MB: those of six minutes at 3,000 per second. Who would
/// have one forgotten has to send as many, that end sooner.
const MOST: usize = 1 << 20;

/// Usable blocks after its expiry in which an onion that has not come yet is still answered: a payer
/// whose node is behind learns why nothing came of it.
const LATE: Clock = 20;

/// The onions that have come since the start, until they are too late to be answered; and of those
/// before, what goes through us.
#[derive(Default)]
pub(in crate::party) struct Seen {
    /// Half a [tag](HopSecret::tag) each: nobody but its payer knows one, so none is like another one
    /// on purpose, and by chance none is.
    tags: HashSet<[u8; 16]>,
    /// The same by the last block in which they are answered.
    until: BTreeMap<Clock, Vec<[u8; 16]>>,
    /// What ended before this is forgotten, and not answered any more. It never goes back, as the best
    /// block's clock may.
    now: Clock,
}

impl Seen {
    /// Remembers an onion until it is too late after `expiry`, as its hop was told it. Returns whether
    /// it may be answered: whether it is new, and not too late.
    pub fn note(&mut self, onion: &HopSecret, expiry: Clock) -> bool {
        let tag = onion.tag();
        let Some(tag) = tag.first_chunk() else { return false };
        // Past the last clock nothing is late.
        let end = expiry.saturating_add(LATE);
        if end < self.now || !self.tags.insert(*tag) {
            return false;
        }
        self.until.entry(end).or_default().push(*tag);
        while self.tags.len() > MOST {
            let Some((_, last)) = self.until.pop_last() else { break };
            self.forget(&last);
        }
        true
    }

    /// Forgets those that are too late from now on.
    pub fn expire(&mut self, now: Clock) {
        self.now = self.now.max(now);
        let now = self.now;
        while let Some(first) = self.until.first_entry().filter(|first| *first.key() < now) {
            let over = first.remove();
            self.forget(&over);
        }
    }

    fn forget(&mut self, over: &[[u8; 16]]) {
        for tag in over {
            self.tags.remove(tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Decode;

    fn onion(number: u32) -> HopSecret {
        let mut secret = [0; 32];
        secret[..4].copy_from_slice(&number.to_le_bytes());
        HopSecret::decode(&mut &secret[..]).unwrap()
    }

    #[test]
    fn h26_onion_should_be_known_until_it_is_too_late() {
        let mut seen = Seen::default();
        assert!(seen.note(&onion(1), 10) && seen.note(&onion(2), 11));
        seen.expire(10 + LATE);
        assert!(!seen.note(&onion(1), 10) && !seen.note(&onion(2), 11));
        seen.expire(12 + LATE);
        assert!(seen.tags.is_empty() && seen.until.is_empty());
    }

    #[test]
    fn h26_onion_should_not_be_answered_when_it_is_too_late() {
        let mut seen = Seen::default();
        seen.expire(10 + LATE);
        // A best block was taken back.
        seen.expire(8);
        assert!(!seen.note(&onion(1), 9) && seen.tags.is_empty());
        assert!(seen.note(&onion(1), 10) && seen.note(&onion(2), Clock::MAX));
    }

    #[test]
    fn onions_that_end_last_should_be_forgotten_first_when_there_are_too_many() {
        let mut seen = Seen::default();
        let many = u32::try_from(MOST).unwrap();
        for number in 0..many {
            let expiry = if number % 2 == 0 { 5 } else { 6 };
            assert!(seen.note(&onion(number), expiry));
        }
        assert!(seen.note(&onion(many), 5));
        assert_eq!((seen.tags.len(), seen.until.len()), (MOST / 2 + 1, 1));
        assert!(!seen.note(&onion(0), 5) && !seen.note(&onion(many), 5));
    }
}
