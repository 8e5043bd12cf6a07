//! What the operator must know: what is wrong now, what was missed, and how often things happened.

use crate::records::Key;
use failsafe_primitives::simplex::LockHash;
use std::collections::BTreeMap;
use tracing::{error, info};

/// Missed deadlines that are kept for `status`; all are in the log.
const MAX_MISSED: usize = 100;

/// What an alarm is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The node shows no new blocks: no dispute is seen.
    NodeStale,
    /// The tower's account has less than it needs for fees.
    LowFunds,
    /// The chain does not take a counter.
    Counter(Key),
    /// The chain does not take a reveal.
    Reveal(LockHash),
    /// The chain does not resolve a dispute that is due.
    Resolve(Key),
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Since when, milliseconds since 1970.
    pub since_ms: u64,
    /// What is wrong, and what to do.
    pub text: String,
}

/// How often things happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Packets that were stored.
    pub packets_taken: u64,
    /// Packets that were refused.
    pub packets_refused: u64,
    /// Counters that are final.
    pub counters_done: u64,
    /// Reveals that are final, in secrets, renewals included.
    pub secrets_revealed: u64,
    /// Resolves that are final.
    pub resolves_done: u64,
    /// Calls that the chain or the node refused.
    pub calls_refused: u64,
    /// Disputes and secrets for which the tower was too late.
    pub missed: u64,
}

/// What is wrong now, and what was missed.
#[derive(Debug, Default)]
pub struct Alarms {
    open: BTreeMap<Cause, Alarm>,
    missed: BTreeMap<Cause, Alarm>,
    /// How often things happened.
    pub counts: Counts,
}

impl Alarms {
    /// Something is wrong. The log says it once, and again when the text changes.
    pub fn raise(&mut self, now_ms: u64, cause: Cause, text: String) {
        let known = self.open.get(&cause);
        if known.is_some_and(|known| known.text == text) {
            return;
        }
        error!(alarm = text, "ALARM");
        let since_ms = known.map_or(now_ms, |known| known.since_ms);
        self.open.insert(cause, Alarm { since_ms, text });
    }

    /// It is over.
    pub fn clear(&mut self, cause: &Cause) {
        if let Some(alarm) = self.open.remove(cause) {
            info!(alarm = alarm.text, "an alarm is over");
        }
    }

    /// Something was to be done by now and cannot be any more. It stays until the next start.
    pub fn miss(&mut self, now_ms: u64, cause: Cause, text: String) {
        if self.missed.contains_key(&cause) {
            return;
        }
        error!(alarm = text, "MISSED");
        self.counts.missed = self.counts.missed.saturating_add(1);
        if self.missed.len() < MAX_MISSED {
            self.missed.insert(cause, Alarm { since_ms: now_ms, text });
        }
    }

    /// All that is wrong or was missed.
    pub fn all(&self) -> impl Iterator<Item = (&Cause, &Alarm)> {
        self.open.iter().chain(&self.missed)
    }

    /// Whether there is an alarm for this.
    pub fn has(&self, cause: &Cause) -> bool {
        self.open.contains_key(cause) || self.missed.contains_key(cause)
    }
}
