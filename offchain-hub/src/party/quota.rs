//! How much a peer may send. Who sends more is read more slowly: nothing is lost, and the session
//! goes on.

use crate::metrics::Counters;
use governor::{
    clock::{Clock, DefaultClock},
    DefaultDirectRateLimiter, Quota, RateLimiter,
};
use std::{
    num::NonZeroU32,
    sync::{
        atomic::{AtomicU32, Ordering},
        Arc,
    },
};
use tokio::time::sleep;

/// A message counts once, and once more for every so many bytes.
const BYTES_PER_MESSAGE: usize = 4 << 10;

/// Messages that each peer may send in a second, shared by all sessions; 0: as many as it likes.
#[derive(Clone, Debug, Default)]
pub(super) struct PeerQuota(Arc<AtomicU32>);

impl PeerQuota {
    /// Holds from the next message on, in sessions that are open too.
    pub(super) fn set(&self, messages_per_second: u32) {
        self.0.store(messages_per_second, Ordering::Relaxed);
    }

    /// What one session is held against.
    pub(super) fn gate(&self, counters: Counters) -> Gate {
        Gate { quota: self.clone(), counters, limit: 0, limiter: None }
    }
}

/// Lets messages of one session through, as fast as its quota allows.
pub(super) struct Gate {
    quota: PeerQuota,
    counters: Counters,
    /// The quota that `limiter` was made for.
    limit: u32,
    limiter: Option<DefaultDirectRateLimiter>,
}

impl Gate {
    /// Returns when the message may be taken.
    pub(super) async fn pass(&mut self, bytes: usize) {
        let limit = self.quota.0.load(Ordering::Relaxed);
        if limit != self.limit {
            self.limit = limit;
            let quota = NonZeroU32::new(limit).map(Quota::per_second);
            self.limiter = quota.map(RateLimiter::direct);
        }
        let Some(limiter) = &self.limiter else { return };
        let more = u32::try_from(bytes / BYTES_PER_MESSAGE).unwrap_or(u32::MAX);
        // A quota smaller than the message lets it pass when nothing else was sent for a second.
        let weight = NonZeroU32::MIN
            .saturating_add(more)
            .min(NonZeroU32::MIN.max(NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN)));
        while let Ok(Err(early)) = limiter.check_n(weight) {
            let pause = early.wait_time_from(DefaultClock::default().now());
            self.counters.throttled(pause);
            sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    async fn time_of(quota: u32, messages: usize, bytes: usize) -> Duration {
        let shared = PeerQuota::default();
        shared.set(quota);
        let mut gate = shared.gate(Counters::default());
        let begun = Instant::now();
        for _ in 0..messages {
            gate.pass(bytes).await;
        }
        begun.elapsed()
    }

    #[tokio::test]
    async fn gate_should_slow_a_peer_down_when_it_sends_more_than_its_quota() {
        // A burst of 100, then one each 10 ms: 150 messages take half a second at least.
        assert!(time_of(100, 150, 10).await >= Duration::from_millis(480));
    }

    #[tokio::test]
    async fn gate_should_count_long_messages_more_often() {
        // 25 messages of 5 and one of 1 above: 30 × 5 = 150.
        assert!(time_of(100, 30, 4 * BYTES_PER_MESSAGE).await >= Duration::from_millis(480));
    }

    #[tokio::test]
    async fn gate_should_let_a_message_through_when_it_is_longer_than_the_quota() {
        let passed = time_of(2, 1, 60 * BYTES_PER_MESSAGE);
        assert!(tokio::time::timeout(Duration::from_secs(20), passed).await.is_ok());
    }

    #[tokio::test]
    async fn gate_should_let_everything_through_when_there_is_no_quota() {
        let mut gate = PeerQuota::default().gate(Counters::default());
        let all = async {
            for _ in 0..1_000_000 {
                gate.pass(10).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(20), all).await.is_ok());
        assert!(gate.limiter.is_none());
    }

    #[tokio::test]
    async fn gate_should_follow_a_quota_that_changes() {
        let shared = PeerQuota::default();
        let mut gate = shared.gate(Counters::default());
        gate.pass(10).await;
        assert!(gate.limiter.is_none());
        shared.set(7);
        gate.pass(10).await;
        assert!(gate.limiter.is_some());
        assert_eq!(gate.limit, 7);
    }
}
