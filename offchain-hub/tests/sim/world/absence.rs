//! What absence costs. Who was there for most of the time that the protocol gives for a reveal loses
//! nothing (`protocol.md` §8); who was not may lose the lock, and nothing else.

use super::{Vice, World};
use failsafe_channel::lock::Answer;
use failsafe_primitives::{Balance, Clock, Epoch};
use std::collections::{BTreeMap, BTreeSet};

/// Usable blocks of the time for a reveal in which a party must have been there.
const ENOUGH: usize = 3;

/// A lock: whose it is, of which partner, in which epoch, and its number.
type LockName = (usize, usize, Epoch, u64);

#[derive(Default)]
pub struct Absence {
    /// Who was there from one block to the next, by the usable clock of the first.
    there: BTreeSet<(usize, Clock)>,
    /// Locks that came too late to the chain because of it.
    late: BTreeMap<LockName, Balance>,
    /// What should never be: the first recipient that was there, and has given its secret out for
    /// nothing.
    given_away: Option<String>,
}

impl World {
    /// To be called when everybody has heard of a new best block.
    pub(super) fn note_presence(&mut self) {
        let now = self.chain.best().clock();
        for at in 0..self.parties.len() {
            if self.parties[at].vice != Vice::None {
                continue;
            }
            if self.parties[at].down == 0 {
                self.absence.there.insert((at, now));
            }
            for (lock, amount, excused) in self.missed(at, now) {
                if excused {
                    self.absence.late.entry(lock).or_insert(amount);
                } else {
                    let (at, partner, epoch, id) = lock;
                    self.absence.given_away.get_or_insert(format!(
                        "{at} gave the secret of lock {id} of {partner} away at {now}, epoch {epoch}"
                    ));
                }
            }
        }
    }

    /// The process of a party has ended since the last block.
    pub(super) fn note_fall(&mut self, at: usize) {
        let now = self.chain.best().clock();
        self.absence.there.remove(&(at, now));
    }

    /// Locks that a party has claimed from its partners and that have expired without a secret on
    /// chain, with what they hold: those that it missed because it was away, and those for which it
    /// has given its own secret out.
    fn missed(&self, at: usize, now: Clock) -> Vec<(LockName, Balance, bool)> {
        let act = super::parameters().act;
        let mut missed = vec![];
        for channel in self.parties[at].core.channels() {
            let state = channel.state();
            let claimed = |id| matches!(state.answers.get(&id), Some(Answer::Fulfilled(_)));
            for (_, lock) in state.theirs.locks().filter(|(_, lock)| claimed(lock.id)) {
                let reveal = self.chain.reveal(&lock.hash, self.chain.best_height());
                if now <= lock.expiry || lock.counts(reveal.map(|reveal| reveal.at)) {
                    continue;
                }
                let window = lock.expiry.saturating_sub(act)..lock.expiry;
                let there = window.filter(|clock| self.absence.there.contains(&(at, *clock)));
                let away = there.count() < ENOUGH;
                // A mediator may pass a secret on that came too late for all: it has not paid for it.
                if away || self.parties[at].core.invoice(&lock.hash).is_some() {
                    let partner = self.place(at, channel.partner());
                    missed.push(((at, partner, state.context.epoch, lock.id), lock.amount, away));
                }
            }
        }
        missed
    }

    /// # Errors
    /// A secret was given away by somebody honest.
    pub(super) fn check_secrets(&self) -> Result<(), String> {
        self.absence.given_away.clone().map_or(Ok(()), Err)
    }

    /// What a party may have lost by its absence.
    pub(super) fn absence_of(&self, at: usize) -> Balance {
        self.absence.late.iter().filter(|((who, ..), _)| *who == at).map(|(_, sum)| sum).sum()
    }
}
