//! What a dispute has cut off: updates that were signed and never received. The payer hands them
//! over in the next epoch, so that the payee can claim the money and knows what it is for.

use super::{
    env::Env,
    half::{Half, HeldLock, Purpose, Transition},
    party::{OldWord, Party},
    wire::{Message, Update},
};
use crate::chain::{Account, Amount, Epoch, Signed, Simplex};
use std::rc::Rc;

/// What a payer hands over.
#[derive(Clone, Debug)]
pub(super) struct Left {
    pub partner: Account,
    pub signed: Signed<Simplex>,
    pub updates: Vec<Update>,
}

/// How far a payee had come when an epoch ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub partner: Account,
    pub epoch: Epoch,
    pub theirs: Half,
}

/// Payments that wait until the chain has counted them.
#[derive(Clone, Debug)]
pub(super) struct Awaited {
    partner: Account,
    signed: Signed<Simplex>,
    pays: Pays,
    /// Locks that may have counted, beside the payments.
    open: Vec<HeldLock>,
}

/// Payments by asset and amount.
type Pays = Vec<(usize, Amount, Purpose)>;

/// Goes on from where an epoch ended. If that leads to what is signed: the payments on the way,
/// and the locks of before that are not settled on it.
fn replay(ended: &Ended, updates: &[Update], word: &Simplex) -> Option<(Pays, Vec<HeldLock>)> {
    let mut open = ended.theirs.locks.clone();
    let (mut half, mut pays) = (ended.theirs.clone(), vec![]);
    for update in updates.iter().filter(|update| update.nonce > ended.theirs.nonce) {
        for change in &update.changes {
            match change {
                Transition::Pay { asset, amount, purpose } => {
                    half.sent[*asset] = half.sent[*asset].checked_add(*amount)?;
                    pays.push((*asset, *amount, purpose.clone()));
                },
                Transition::Lock { id, lock, .. } => {
                    half.locks.insert(*id, lock.clone());
                },
                Transition::Settle { id, secret } => {
                    open.remove(id);
                    let lock = half.locks.remove(id).filter(|lock| lock.hash == secret.hash())?;
                    half.sent[lock.asset] = half.sent[lock.asset].checked_add(lock.amount)?;
                },
                Transition::Cancel { id } | Transition::Expire { id } => {
                    half.locks.remove(id)?;
                },
                Transition::Reserve { .. } | Transition::Unreserve { .. } => {},
            }
        }
        half.nonce += 1;
    }
    let leads_there = half.simplex(word.pair, word.epoch, word.from) == *word;
    leads_there.then(|| (pays, open.into_values().collect()))
}

impl Party {
    /// Tells a partner what it may have missed of old epochs.
    pub fn hand_over(&self, env: &mut Env, partner: Account) {
        for left in self.left.iter().filter(|left| left.partner == partner) {
            let (signed, updates) = (left.signed.clone(), left.updates.clone());
            env.wire.send(self.who, partner, Message::HandOver { signed, updates });
        }
    }

    /// Takes what the payer hands over: to claim it, and to do with it what it is for.
    pub fn take_over(&mut self, from: Account, signed: Signed<Simplex>, updates: &[Update]) {
        let word = signed.content();
        let peer = self.peer(from);
        let fits = word.pair == peer.pair && word.from == peer.side.other();
        if !fits || signed.by() != from {
            return;
        }
        let of = |ended: &Ended| ended.partner == from && ended.epoch == word.epoch;
        let Some(at) = self.ended.iter().position(of) else { return };
        if word.nonce <= self.ended[at].theirs.nonce {
            return;
        }
        let Some((pays, open)) = replay(&self.ended[at], updates, word) else { return };
        // Once is enough.
        self.ended.remove(at);
        self.old.push(OldWord { partner: from, signed: signed.clone(), next: 0 });
        self.awaited.push(Awaited { partner: from, signed, pays, open });
    }

    /// Does what handed over payments are for, once they are there: counted, and not a debt.
    pub fn use_handed_over(&mut self, env: &mut Env) {
        let view = Rc::clone(&self.finalized);
        for awaited in std::mem::take(&mut self.awaited) {
            let word = awaited.signed.content();
            let Some(old) = view.old_epochs().get(&(word.pair, word.epoch)) else { continue };
            let counted = super::half::assets().all(|(index, asset)| {
                let locks = awaited.open.iter().filter(|lock| {
                    lock.asset == index
                        && env.revealed.get(&lock.hash).is_some_and(|at| *at <= lock.expiry)
                });
                let locks: Amount = locks.map(|lock| lock.amount).sum();
                let counted = old.counted[word.from.index()].get(&asset).copied();
                counted.unwrap_or_default() >= word.sent(asset) + locks
            });
            let owes = super::half::assets()
                .any(|(_, asset)| view.owed_to(awaited.partner, self.who, asset) > 0);
            if !counted || owes {
                self.awaited.push(awaited);
                continue;
            }
            env.count("payments handed over");
            let who = self.who;
            env.say(|| format!("{who} uses what was handed over: {awaited:?}"));
            for (asset, amount, purpose) in awaited.pays {
                self.received[asset] += amount;
                if let Purpose::Onward { name, path } = purpose {
                    self.pay_on(env, awaited.partner, (asset, amount), name, path);
                }
            }
        }
    }
}
