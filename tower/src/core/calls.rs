//! Calls on their way to the chain, and how they end.

use super::{Action, Core, Output};
use crate::alarms::Cause;
use codec::Encode;
use failsafe_hub::{
    chain::{
        submit::{Outcome, Record},
        Call, Intent,
    },
    store::Table,
};
use failsafe_primitives::simplex::lock_hash;
use tracing::warn;

impl Core {
    /// Stores a call and has it submitted.
    pub(super) fn submit(&mut self, record: Record, out: &mut Output) {
        let number = self.next_call;
        self.next_call = self.next_call.saturating_add(1);
        out.batch.put(Table::Intents, number.to_be_bytes(), record.encode());
        self.calls.insert(number, record.clone());
        out.actions.push(Action::Submit(number, record));
    }

    /// Concludes the calls whose blocks we know: before that, what they did would be done again.
    pub(super) fn conclude_calls(&mut self, out: &mut Output) {
        let known = self.finalized.block;
        let (ready, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.ended)
            .into_iter()
            .partition(|(_, outcome)| outcome.block().is_none_or(|block| block <= known));
        self.ended = later;
        for (number, outcome) in ready {
            self.on_call_ended(number, &outcome, out);
        }
    }

    pub(super) fn on_call_ended(&mut self, number: u64, outcome: &Outcome, out: &mut Output) {
        let Some(record) = self.calls.remove(&number) else { return };
        out.batch.delete(Table::Intents, number.to_be_bytes());
        let refused = match outcome {
            Outcome::Done { .. } => None,
            Outcome::Pointless => return,
            Outcome::Failed { error, .. } => Some(error),
            Outcome::Rejected { reason } | Outcome::Unknown { reason } => Some(reason),
        };
        let Record { intent, call, .. } = &record;
        if let Some(reason) = refused {
            let counts = &mut self.alarms.counts;
            counts.calls_refused = counts.calls_refused.saturating_add(1);
            self.on_refused(intent, call, reason);
        } else {
            self.on_done(intent, call, out);
        }
        // If there is still something to be done, it is done again after a pause.
        match intent {
            Intent::Watched(pair, _) => {
                let pair = pair.clone();
                self.answer(&pair, out);
            },
            _ => self.reveal_due(out),
        }
    }

    pub(super) fn on_refused(&mut self, intent: &Intent, call: &Call, reason: &str) {
        let now = self.now_ms;
        let name = call.name();
        let hint = "it is tried again; does the tower's account have money for fees?";
        match (intent, call) {
            (Intent::Watched(pair, epoch), Call::CounterFor { .. } | Call::Resolve { .. }) => {
                let counter = matches!(call, Call::CounterFor { .. });
                for key in self.keys(pair).into_iter().filter(|key| key.epoch == *epoch) {
                    let text = format!("{name} for {key} was refused ({reason}): {hint}");
                    let of = if counter { Cause::Counter } else { Cause::Resolve };
                    self.alarms.raise(now, of(key), text);
                }
            },
            (_, Call::Reveal { secrets }) => {
                for hash in secrets.iter().map(lock_hash) {
                    if self.hashes.contains_key(&hash) && !self.revealed.contains_key(&hash) {
                        let text = format!("{name} was refused ({reason}): {hint}");
                        self.alarms.raise(now, Cause::Reveal(hash), text);
                    }
                }
            },
            _ => warn!(call = name, reason, "a call was refused"),
        }
    }

    pub(super) fn on_done(&mut self, intent: &Intent, call: &Call, out: &mut Output) {
        let plus = |count: &mut u64, more: usize| {
            *count = count.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
        };
        match (intent, call) {
            (Intent::Watched(pair, epoch), Call::CounterFor { .. }) => {
                plus(&mut self.alarms.counts.counters_done, 1);
                for key in self.keys(pair).into_iter().filter(|key| key.epoch == *epoch) {
                    self.alarms.clear(&Cause::Counter(key.clone()));
                    let Some(watched) = self.packets.get_mut(&key) else { continue };
                    watched.counters = watched.counters.saturating_add(1);
                    out.batch.put(Table::Packets, key.encode(), watched.to_bytes());
                }
            },
            (Intent::Watched(pair, _), Call::Resolve { .. }) => {
                plus(&mut self.alarms.counts.resolves_done, 1);
                for key in self.keys(pair) {
                    self.alarms.clear(&Cause::Resolve(key));
                }
            },
            (_, Call::Reveal { secrets }) => {
                plus(&mut self.alarms.counts.secrets_revealed, secrets.len());
                let now = self.finalized.clock;
                for key in &self.secretive {
                    let Some(watched) = self.packets.get_mut(key) else { continue };
                    if watched.note_reveal(secrets, now) {
                        out.batch.put(Table::Packets, key.encode(), watched.to_bytes());
                    }
                }
            },
            _ => {},
        }
    }
}
