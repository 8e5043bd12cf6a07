//! How much time what can wait is given.

use std::time::{Duration, Instant};

/// How many times as long as it took is waited before its next turn, if inputs wait.
const BUSY: u32 = 9;
/// The same if none does.
const IDLE: u32 = 1;

/// When something had its last turn, and how long that took: it gets a tenth of the time while inputs
/// wait, and half of it otherwise, however slow it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    ended: Instant,
    took: Duration,
}

impl Pace {
    /// Its turn is now.
    pub fn new(now: Instant) -> Self {
        Self { ended: now, took: Duration::ZERO }
    }

    /// Whether it is its turn.
    pub fn is_due(&self, now: Instant, is_idle: bool) -> bool {
        let pause = self.took.saturating_mul(if is_idle { IDLE } else { BUSY });
        now.saturating_duration_since(self.ended) >= pause
    }

    /// It had a turn.
    pub fn note(&mut self, begun: Instant, ended: Instant) {
        *self = Self { ended, took: ended.saturating_duration_since(begun) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_should_come_later_when_inputs_wait() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(start);
        assert!(pace.is_due(start, false));
        pace.note(start, at(3));
        let due = |is_idle| (0..100).find(|ms| pace.is_due(at(*ms), is_idle));
        assert_eq!((due(true), due(false)), (Some(6), Some(30)));
    }

    #[test]
    fn turn_should_come_when_the_one_before_took_no_time() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.note(start, start);
        assert!(pace.is_due(start, false));
    }
}
