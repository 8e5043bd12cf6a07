//! How hubs and edges have behaved so far.
//!
//! Every answer counts with a weight that halves every [`HALF_LIFE`]. The share of failures among
//! all that is known, with two assumed successes, is the **score**: 0 for a subject without
//! failures, always below one whole. What answers badly is besides **avoided** for a while that
//! doubles with every bad answer in a row, and is tried again after it.

use crate::query::Route;
use codec::{Decode, Encode, MaxEncodedLen};
use failsafe_primitives::{AccountId, Clock};
use sp_core::ConstU32;
use sp_runtime::BoundedBTreeMap;

/// Usable blocks after which an answer weighs half.
pub const HALF_LIFE: Clock = 1_000;
/// Shortest time, in usable blocks, for which something is avoided.
pub const AVOID: Clock = 10;
/// Most subjects that are remembered.
pub const MAX_SUBJECTS: u32 = 4_096;
/// A score of one whole, which is never reached.
pub const SCORE_ONE: u32 = 1_000_000;

/// Weight of one fresh answer: fractions are left when it decays.
const WEIGHT: u32 = 1 << 10;
/// Most weight of failures, and of successes: 256 fresh answers.
const WEIGHT_MAX: u32 = 256 * WEIGHT;
/// Successes that a stranger is given in advance, so that one failure is no certainty.
const TRUST: u32 = 2 * WEIGHT;
/// Most doublings of [`AVOID`]: 64 times.
const MAX_DOUBLINGS: u8 = 6;

/// Whose behaviour.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen)]
pub enum Subject {
    /// A hub, for whatever it does.
    #[codec(index = 0)]
    Hub(AccountId),
    /// Payments of the first hub to the second. Of another hub's failed onward payment the edge is
    /// the subject and not the second hub: the first one alone says what is wrong with it.
    #[codec(index = 1)]
    Edge(AccountId, AccountId),
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// The payment arrived.
    #[codec(index = 0)]
    Success,
    /// A failure that is known to come from the subject: avoided for [`AVOID`] at first.
    #[codec(index = 1)]
    Failure,
    /// No answer in time, which held money back: avoided four times as long.
    #[codec(index = 2)]
    Timeout,
    /// An answer that nobody can read, so that nobody knows who failed: avoided four times as long.
    #[codec(index = 3)]
    Unreadable,
}

/// What is remembered of one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
struct Record {
    /// Weights as of `at`.
    failures: u32,
    successes: u32,
    /// Bad answers since the last success.
    bad_in_a_row: u8,
    at: Clock,
    /// First clock at which it may be tried again.
    retry_at: Clock,
}

impl Record {
    fn decay_to(&mut self, now: Clock) {
        self.failures = decayed(self.failures, self.at, now);
        self.successes = decayed(self.successes, self.at, now);
        self.at = self.at.max(now);
    }

    fn score(&self, now: Clock) -> u32 {
        let failures = u64::from(decayed(self.failures, self.at, now));
        let successes = u64::from(decayed(self.successes, self.at, now));
        // Three summands of 32 bits each, the last one not 0: no overflow, no division by 0.
        let share = failures * u64::from(SCORE_ONE) / (failures + successes + u64::from(TRUST));
        u32::try_from(share).unwrap_or(SCORE_ONE)
    }
}

/// `weight` after the usable blocks from `at` to `now`: halved for every whole half-life, linear in
/// between. A clock that went back changes nothing.
fn decayed(weight: u32, at: Clock, now: Clock) -> u32 {
    let age = now.saturating_sub(at);
    let halvings = u32::try_from(age / HALF_LIFE).unwrap_or(u32::MAX);
    let halved = u64::from(weight.checked_shr(halvings).unwrap_or(0));
    let rest = halved * (age % HALF_LIFE) / (2 * HALF_LIFE);
    // `rest` is at most half of `halved`.
    u32::try_from(halved - rest).unwrap_or(weight)
}

/// The memory of all subjects. SCALE is the form in which it is stored; bytes with more than
/// [`MAX_SUBJECTS`] are not decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct Reliability {
    records: BoundedBTreeMap<Subject, Record, ConstU32<MAX_SUBJECTS>>,
}

impl Reliability {
    /// Remembers an outcome of the usable clock `at`. When there is no room for a new subject, the
    /// one that was heard of longest ago is forgotten.
    pub fn note(&mut self, subject: Subject, outcome: Outcome, at: Clock) {
        let mut record = match self.records.remove(&subject) {
            Some(record) => record,
            None => {
                self.make_room();
                Record::default()
            },
        };
        record.decay_to(at);
        let first_wait = match outcome {
            Outcome::Success => {
                record.successes = more(record.successes);
                record.bad_in_a_row = 0;
                record.retry_at = 0;
                None
            },
            Outcome::Failure => Some(AVOID),
            Outcome::Timeout | Outcome::Unreadable => Some(4 * AVOID),
        };
        if let Some(first_wait) = first_wait {
            record.failures = more(record.failures);
            let wait = first_wait << record.bad_in_a_row.min(MAX_DOUBLINGS);
            // At the end of all clocks it is avoided until that end.
            record.retry_at = record.retry_at.max(at.saturating_add(wait));
            record.bad_in_a_row = record.bad_in_a_row.saturating_add(1);
        }
        // There is room: something was removed, or `make_room` has made it.
        let _ = self.records.try_insert(subject, record);
    }

    /// Remembers that a payment over `route` has arrived: a success of every hub and edge of it.
    pub fn note_success(&mut self, route: &Route, at: Clock) {
        for hop in &route.hops {
            self.note(Subject::Hub(hop.hub.clone()), Outcome::Success, at);
        }
        for two in route.hops.windows(2) {
            let edge = Subject::Edge(two[0].hub.clone(), two[1].hub.clone());
            self.note(edge, Outcome::Success, at);
        }
    }

    /// Share of failures in millionths ([`SCORE_ONE`]), 0 for who has none or is not known.
    pub fn score(&self, subject: &Subject, now: Clock) -> u32 {
        self.records.get(subject).map_or(0, |record| record.score(now))
    }

    /// Until which clock the subject is avoided, `None` when it is not.
    pub fn avoided_until(&self, subject: &Subject, now: Clock) -> Option<Clock> {
        self.records.get(subject).map(|record| record.retry_at).filter(|retry| *retry > now)
    }

    /// Subject, score and until when it is avoided, of all that are not as good as strangers.
    pub(crate) fn risks(&self, now: Clock) -> impl Iterator<Item = (&Subject, u32, Option<Clock>)> {
        self.records.iter().filter_map(move |(subject, record)| {
            let avoided = Some(record.retry_at).filter(|retry| *retry > now);
            let score = record.score(now);
            (score > 0 || avoided.is_some()).then_some((subject, score, avoided))
        })
    }

    fn make_room(&mut self) {
        let has_room = u32::try_from(self.records.len()).is_ok_and(|len| len < MAX_SUBJECTS);
        if has_room {
            return;
        }
        let oldest = self.records.iter().min_by_key(|(subject, record)| (record.at, *subject));
        if let Some(subject) = oldest.map(|(subject, _)| subject.clone()) {
            self.records.remove(&subject);
        }
    }
}

fn more(weight: u32) -> u32 {
    weight.checked_add(WEIGHT).map_or(WEIGHT_MAX, |sum| sum.min(WEIGHT_MAX))
}
