//! Secrets: revealed at `expiry − ACT` when the partner has not settled, and kept on chain for a while.

use super::{Core, Output};
use crate::alarms::Cause;
use failsafe_hub::chain::{submit::Record, Call, Intent};
use failsafe_primitives::Clock;
use tracing::warn;

/// Usable blocks before the chain may forget a secret at which it is revealed again.
const RENEW_BEFORE: Clock = 20;
/// Most secrets in one call.
const MAX_SECRETS: usize = 1_024;

impl Core {
    pub(super) fn is_revealing(&self, secret: &[u8; 32]) -> bool {
        let reveals = |record: &Record| match &record.call {
            Call::Reveal { secrets } => secrets.contains(secret),
            _ => false,
        };
        self.calls.values().any(reveals)
    }

    /// Reveals, at `expiry − ACT`, secrets whose locks are still pending by the newest packet.
    pub(super) fn reveal_due(&mut self, out: &mut Output) {
        let Some(parameters) = self.parameters else { return };
        let now = self.best.clock;
        let mut secrets: Vec<[u8; 32]> = vec![];
        for key in &self.secretive {
            let Some(watched) = self.packets.get(key) else { continue };
            for (lock, secret) in watched.packet.secret_locks() {
                let hash = lock.hash;
                if self.revealed.contains_key(&hash) || self.is_revealing(&secret) {
                    continue;
                }
                // By then finality has shown every reveal that was in time.
                if self.finalized.clock > lock.expiry {
                    let text = format!(
                        "a secret of {key} was not on chain in time: a lock of {} smallest units \
                         that expired at {} is lost unless the partner pays it",
                        lock.amount, lock.expiry
                    );
                    self.alarms.miss(self.now_ms, Cause::Reveal(hash), text);
                    continue;
                }
                let due = now.saturating_add(parameters.act) >= lock.expiry && now < lock.expiry;
                if due && !secrets.contains(&secret) {
                    warn!(client = %key.client, partner = %key.partner, lock = lock.id,
                        "not settled: revealing on chain");
                    secrets.push(secret);
                }
            }
        }
        self.reveal(&secrets, out);
    }

    /// Reveals again what the chain would forget, so that a client who is away for longer can still
    /// dispute.
    pub(super) fn renew_secrets(&mut self, out: &mut Output) {
        let Some(parameters) = self.parameters else { return };
        let now = self.finalized.clock;
        let margin = RENEW_BEFORE.min(parameters.keep / 4);
        let mut secrets: Vec<[u8; 32]> = vec![];
        for key in &self.secretive {
            let Some(watched) = self.packets.get(key) else { continue };
            for (lock, secret) in watched.packet.secret_locks() {
                let Some(first) = self.revealed.get(&lock.hash).copied() else { continue };
                let last = watched.kept_at(&lock.hash).unwrap_or(first).max(first);
                let forgotten = last.saturating_add(parameters.keep);
                let wanted = lock.counts(Some(first))
                    && now <= lock.expiry.saturating_add(self.limits.keep_secrets);
                let due = now.saturating_add(margin) >= forgotten && now < forgotten;
                if wanted && due && !secrets.contains(&secret) && !self.is_revealing(&secret) {
                    secrets.push(secret);
                }
            }
        }
        self.reveal(&secrets, out);
    }

    /// A reveal travels alone, never in a batch with something that may fail.
    pub(super) fn reveal(&mut self, secrets: &[[u8; 32]], out: &mut Output) {
        for secrets in secrets.chunks(MAX_SECRETS) {
            let call = Call::Reveal { secrets: secrets.to_vec() };
            self.submit(Record::new(Intent::Reveal, call), out);
        }
    }
}
