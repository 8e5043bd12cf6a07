//! Disputes: seen in best blocks, countered with what is newer, resolved when nobody else does, and
//! over with a finalized block.

use super::{Core, Output, Seen};
use crate::{alarms::Cause, answer::brings};
use codec::Encode;
use failsafe_channel::{Moment, PairFacts};
use failsafe_hub::{
    chain::{submit::Record, Call, ChainNews, Intent},
    store::Table,
};
use failsafe_primitives::{Clock, Epoch, Pair, TwiceSigned};
use tracing::{info, warn};

/// Counters for one packet's channel and epoch that are paid for at most. One is free of charge, and
/// two are the most that an honest client needs.
const MAX_COUNTERS: u32 = 8;
/// Usable blocks after which a dispute that is due, and that the chain has not resolved by itself, is
/// resolved by the tower.
const RESOLVE_AFTER: Clock = 10;

impl Core {
    pub(super) fn on_chain(&mut self, news: ChainNews, out: &mut Output) {
        match news {
            ChainNews::Survey { parameters, .. } => self.parameters = Some(parameters),
            ChainNews::Tracked { facts } => self.on_tracked(facts, out),
            ChainNews::Reveals { reveals, finalized } => {
                // One in a best block may be reorganised away.
                if finalized {
                    for (hash, reveal) in reveals {
                        self.revealed.insert(hash, reveal.at);
                        self.alarms.clear(&Cause::Reveal(hash));
                    }
                }
            },
            ChainNews::Best { moment, facts } => {
                self.best = moment;
                self.best_since = Some(self.now_ms);
                self.alarms.clear(&Cause::NodeStale);
                for PairFacts { at, view, .. } in facts {
                    let pair = view.pair.clone();
                    if let Some(seen) = self.pairs.get_mut(&pair) {
                        seen.best = Some((at, view));
                        self.note_dispute(&pair);
                    }
                }
                for pair in self.disputed.clone() {
                    self.answer(&pair, out);
                }
                self.reveal_due(out);
            },
            ChainNews::Part { facts } => self.parts.extend(facts),
            ChainNews::Finalized { moment, facts } => self.on_finalized(moment, facts, out),
            // After a restart it reads all pairs.
            ChainNews::Followed(_) => {},
        }
    }

    /// The pair is known now.
    pub(super) fn on_tracked(&mut self, facts: PairFacts, out: &mut Output) {
        let pair = facts.view.pair.clone();
        let Some(seen) = self.pairs.get_mut(&pair) else { return };
        seen.finalized = Some(facts.view);
        let waiting = std::mem::take(&mut seen.waiting);
        self.waiting = self.waiting.saturating_sub(waiting.len());
        self.note_dispute(&pair);
        self.end_epochs(&pair, out);
        for (client, packet, reply) in waiting {
            let answer = self.take(&client, packet, out);
            self.answer_offer(reply, answer, out);
        }
        self.leave_if_idle(&pair, out);
    }

    pub(super) fn on_finalized(&mut self, moment: Moment, facts: Vec<PairFacts>, out: &mut Output) {
        self.finalized = moment;
        let mut touched = vec![];
        for PairFacts { view, .. } in std::mem::take(&mut self.parts).into_iter().chain(facts) {
            let pair = view.pair.clone();
            if let Some(seen) = self.pairs.get_mut(&pair) {
                seen.finalized = Some(view);
                touched.push(pair);
            }
        }
        // What a best block has shown that finality has passed is true, or is gone.
        for pair in self.disputed.iter().chain(&touched) {
            if let Some(seen) = self.pairs.get_mut(pair) {
                seen.best = seen.best.take().filter(|(at, _)| at.block > moment.block);
            }
        }
        for pair in self.disputed.clone().into_iter().chain(touched) {
            self.note_dispute(&pair);
            self.end_epochs(&pair, out);
            self.answer(&pair, out);
            self.resolve_due(&pair, out);
            self.leave_if_idle(&pair, out);
        }
        self.conclude_calls(out);
        self.renew_secrets(out);
    }

    pub(super) fn note_dispute(&mut self, pair: &Pair) {
        if self.pairs.get(pair).is_some_and(Seen::in_dispute) {
            self.disputed.insert(pair.clone());
        } else {
            self.disputed.remove(pair);
        }
    }

    /// Drops what was handed over for epochs that are over by a finalized block. Nobody but the payee
    /// may claim late, so nothing of it is of use to a tower any more.
    pub(super) fn end_epochs(&mut self, pair: &Pair, out: &mut Output) {
        let finalized = self.pairs.get(pair).and_then(|seen| seen.finalized.as_ref());
        let Some(current) = finalized.map(|view| view.epoch) else { return };
        for key in self.keys(pair) {
            if key.epoch < current {
                info!(client = %key.client, partner = %key.partner, epoch = key.epoch, "over");
                out.batch.delete(Table::Packets, key.encode());
                self.remove(&key, out);
                self.counters.remove(&key);
                self.alarms.clear(&Cause::Counter(key.clone()));
                self.alarms.clear(&Cause::Resolve(key));
                self.resolves.remove(pair);
            }
        }
    }

    /// Counters the open dispute of a pair with whatever a client's packet has that changes it.
    pub(super) fn answer(&mut self, pair: &Pair, out: &mut Output) {
        let Some(parameters) = self.parameters else { return };
        let view = self.pairs.get(pair).and_then(Seen::newest);
        let Some((epoch, dispute)) =
            view.and_then(|view| Some((view.epoch, view.dispute.clone()?)))
        else {
            return;
        };
        for key in self.keys(pair) {
            if key.epoch != epoch {
                continue;
            }
            let Some(watched) = self.packets.get(&key) else { continue };
            let Some(side) = pair.side_of(&key.client) else { continue };
            let helps = brings(&watched.packet, side, &dispute, parameters.lock_window);
            if helps.is_empty() || self.is_bringing(pair, epoch, &helps) {
                continue;
            }
            let counters = watched.counters;
            if self.best.clock >= dispute.resolve_at {
                let text = format!(
                    "the dispute of {key} shows something old, and its time was over before a \
                     counter was on chain"
                );
                self.alarms.miss(self.now_ms, Cause::Counter(key), text);
                continue;
            }
            if counters >= MAX_COUNTERS {
                let text = format!("{key}: {counters} counters are final already, no more");
                self.alarms.raise(self.now_ms, Cause::Counter(key), text);
                continue;
            }
            if !self.counters.entry(key.clone()).or_default().is_due(self.best.clock) {
                continue;
            }
            warn!(client = %key.client, partner = %key.partner, epoch, "an old state: countering");
            let call = Call::CounterFor { pair: pair.clone(), simplexes: helps };
            self.submit(Record::new(Intent::Watched(pair.clone(), epoch), call), out);
        }
    }

    /// Whether a call on its way brings all of this.
    pub(super) fn is_bringing(&self, pair: &Pair, epoch: Epoch, simplexes: &[TwiceSigned]) -> bool {
        self.calls.values().any(|record| match (&record.intent, &record.call) {
            (Intent::Watched(known, of), Call::CounterFor { simplexes: sent, .. })
                if known == pair && *of == epoch =>
            {
                simplexes.iter().all(|new| {
                    sent.iter().any(|s| s.from == new.from && s.simplex.nonce >= new.simplex.nonce)
                })
            },
            _ => false,
        })
    }

    /// Resolves a dispute that is due for long.
    pub(super) fn resolve_due(&mut self, pair: &Pair, out: &mut Output) {
        let now = self.finalized.clock;
        let Some(seen) = self.pairs.get(pair).filter(|seen| seen.in_dispute()) else { return };
        let Some(view) = &seen.finalized else { return };
        let due = view.dispute.as_ref().map(|dispute| dispute.resolve_at);
        if due.is_none_or(|due| now < due.saturating_add(RESOLVE_AFTER)) {
            return;
        }
        let epoch = view.epoch;
        let resolving = self
            .calls
            .values()
            .any(|record| matches!(&record.call, Call::Resolve { pair: known } if known == pair));
        if resolving || !self.resolves.entry(pair.clone()).or_default().is_due(now) {
            return;
        }
        let call = Call::Resolve { pair: pair.clone() };
        self.submit(Record::new(Intent::Watched(pair.clone(), epoch), call), out);
    }
}
