//! One direction of a channel, as both sides compute it (`protocol.md` §4).

use super::rules::Rules;
use crate::chain::{
    Account, Amount, AssetId, Chain, Clock, Entry, Epoch, Hash, Lock, Pair, Secret, Side, Simplex,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many assets a game has: 0 to this.
pub(super) const ASSETS: usize = 2;

/// Amounts by asset.
pub(super) type Amounts = [Amount; ASSETS];

/// All assets of a game.
pub(super) fn assets() -> impl Iterator<Item = (usize, AssetId)> {
    (0..ASSETS).zip(0..)
}

/// An amount on the axis. Games move small amounts.
pub(super) fn signed(amount: Amount) -> i128 {
    i128::try_from(amount).expect("games move small amounts")
}

/// A pending lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldLock {
    pub asset: usize,
    pub amount: Amount,
    pub hash: Hash,
    pub expiry: Clock,
}

/// What is kept for a withdrawal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reservation {
    /// The nonce of the update that made it.
    pub name: u64,
    pub withdrawal_nonce: u64,
    pub amounts: Amounts,
    pub valid_until: Clock,
}

/// What a plain payment is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The receiver keeps it.
    Direct,
    /// The receiver, a hub, is trusted to pay on along `path`; it keeps 1.
    Onward { name: u64, path: Vec<Account> },
    /// The end of such a payment.
    Delivery { name: u64 },
    /// It comes back.
    Return { name: u64 },
}

/// A change of one's own half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Transition {
    Pay { asset: usize, amount: Amount, purpose: Purpose },
    Lock { id: u64, lock: HeldLock, path: Vec<Account> },
    Settle { id: u64, secret: Secret },
    Cancel { id: u64 },
    Expire { id: u64 },
    Reserve { withdrawal_nonce: u64, valid_until: Clock, amounts: Amounts },
    Unreserve { name: u64 },
}

/// Why an update breaks the rules.
pub(super) type Fault = &'static str;

/// Against what a transition of `side` is judged.
pub(super) struct Judge<'a> {
    pub rules: Rules,
    pub view: &'a Chain,
    pub pair: Pair,
    pub side: Side,
    pub credit: Amounts,
    pub window: Clock,
    /// Locks that the receiver has failed, as far as the judge knows.
    pub failed: &'a BTreeSet<u64>,
    /// Reservations that the receiver has refused, as far as the judge knows.
    pub refused: &'a BTreeSet<u64>,
}

/// What one side has signed in an epoch, and what it has reserved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Half {
    pub nonce: u64,
    pub sent: Amounts,
    pub locks: BTreeMap<u64, HeldLock>,
    pub reserved: Option<Reservation>,
}

impl Half {
    /// The simplex to sign.
    pub fn simplex(&self, pair: Pair, epoch: Epoch, from: Side) -> Simplex {
        let entry = |(index, asset)| {
            let mine = self.locks.iter().filter(|(_, lock)| lock.asset == index);
            let locks: Vec<_> = mine
                .map(|(id, lock)| Lock {
                    id: *id,
                    amount: lock.amount,
                    hash: lock.hash,
                    expiry: lock.expiry,
                })
                .collect();
            Entry { asset, sent: self.sent[index], locks }
        };
        let entries = assets().map(entry).filter(|entry| entry.sent > 0 || !entry.locks.is_empty());
        Simplex { pair, epoch, from, nonce: self.nonce, entries: entries.collect() }
    }

    fn locked(&self, asset: usize) -> Amount {
        self.locks.values().filter(|lock| lock.asset == asset).map(|lock| lock.amount).sum()
    }

    /// What the reservation still holds: nothing once it was used.
    fn reserved(&self, judge: &Judge<'_>, asset: usize) -> Amount {
        match &self.reserved {
            Some(held) if held.withdrawal_nonce >= judge.due_nonce() => held.amounts[asset],
            _ => 0,
        }
    }

    /// What the side owns, less what is pending and reserved.
    fn free(&self, other: &Self, judge: &Judge<'_>, asset: usize) -> i128 {
        own(judge.view, judge.pair, judge.side, asset, self.sent[asset], other.sent[asset])
            - signed(self.locked(asset))
            - signed(self.reserved(judge, asset))
    }

    /// What the side may still send.
    pub fn capacity(&self, other: &Self, judge: &Judge<'_>, asset: usize) -> Amount {
        let free = self.free(other, judge, asset) + signed(judge.credit[asset]);
        Amount::try_from(free).unwrap_or(0)
    }

    /// What the side may withdraw: its own money inside the insurance.
    pub fn withdrawable(&self, other: &Self, judge: &Judge<'_>, asset: usize) -> Amount {
        let insured = collateral(judge.view, judge.pair, asset).0;
        Amount::try_from(self.free(other, judge, asset)).unwrap_or(0).min(insured)
    }

    /// One transition; `other` is the other half.
    pub fn apply(
        &mut self,
        other: &Self,
        change: &Transition,
        judge: &Judge<'_>,
    ) -> Result<(), Fault> {
        match change {
            Transition::Pay { asset, amount, .. } => {
                self.spend(other, judge, *asset, *amount)?;
                self.sent[*asset] += amount;
            },
            Transition::Lock { id, lock, .. } => {
                self.spend(other, judge, lock.asset, lock.amount)?;
                if self.locks.len() >= 64 {
                    return Err("too many locks");
                }
                if self.locks.values().any(|held| held.hash == lock.hash) {
                    return Err("hash pending");
                }
                if lock.expiry > judge.view.clock() + judge.window {
                    return Err("beyond the window");
                }
                if self.locks.insert(*id, lock.clone()).is_some() {
                    return Err("lock id used twice");
                }
            },
            Transition::Settle { id, secret } => {
                let lock = self.locks.remove(id).ok_or("no such lock")?;
                if secret.hash() != lock.hash {
                    return Err("not its secret");
                }
                self.sent[lock.asset] += lock.amount;
            },
            Transition::Cancel { id } => {
                if !judge.failed.contains(id) {
                    return Err("cancelled without Fail");
                }
                self.locks.remove(id).ok_or("no such lock")?;
            },
            Transition::Expire { id } => {
                let lock = self.locks.remove(id).ok_or("no such lock")?;
                if !is_expired(judge.view, &lock) {
                    return Err("not expired");
                }
            },
            Transition::Reserve { withdrawal_nonce, valid_until, amounts } => {
                self.reserve(other, judge, *withdrawal_nonce, *valid_until, amounts)?;
            },
            Transition::Unreserve { name } => {
                let held = self.reserved.take().filter(|held| held.name == *name);
                let held = held.ok_or("no such reservation")?;
                let over = judge.view.clock() > held.valid_until
                    || judge.due_nonce() > held.withdrawal_nonce
                    || judge.refused.contains(name)
                    || !judge.rules.refusals;
                if !over {
                    return Err("the proof may still be used");
                }
            },
        }
        Ok(())
    }

    fn spend(
        &self,
        other: &Self,
        judge: &Judge<'_>,
        asset: usize,
        amount: Amount,
    ) -> Result<(), Fault> {
        if amount == 0 || self.capacity(other, judge, asset) < amount {
            return Err("above the capacity");
        }
        Ok(())
    }

    fn reserve(
        &mut self,
        other: &Self,
        judge: &Judge<'_>,
        withdrawal_nonce: u64,
        valid_until: Clock,
        amounts: &Amounts,
    ) -> Result<(), Fault> {
        if self.reserved.is_some() {
            return Err("two reservations");
        }
        // A higher one could be used after the next proof; a lower one holds nothing.
        if withdrawal_nonce > judge.due_nonce() {
            return Err("a withdrawal nonce that is not due");
        }
        if withdrawal_nonce == judge.due_nonce() {
            for (asset, amount) in amounts.iter().enumerate() {
                let most = if judge.rules.own_money {
                    self.withdrawable(other, judge, asset)
                } else {
                    self.capacity(other, judge, asset)
                };
                if *amount > most {
                    return Err("reserved out of credit");
                }
            }
        }
        let (name, amounts) = (self.nonce + 1, *amounts);
        self.reserved = Some(Reservation { name, withdrawal_nonce, amounts, valid_until });
        Ok(())
    }
}

impl Judge<'_> {
    fn due_nonce(&self) -> u64 {
        let channel = self.view.channel(self.pair);
        channel.map_or(0, |channel| channel.withdrawal_nonces[self.side.index()])
    }
}

/// Insurance and ondelta.
pub(super) fn collateral(view: &Chain, pair: Pair, asset: usize) -> (Amount, i128) {
    let asset = AssetId::try_from(asset).expect("few assets");
    view.channel(pair).map_or((0, 0), |channel| channel.collateral(asset))
}

/// What `side` owns when it has sent `sent` and the other side `received`.
fn own(view: &Chain, pair: Pair, side: Side, asset: usize, sent: Amount, received: Amount) -> i128 {
    let (insurance, ondelta) = collateral(view, pair, asset);
    let balance = signed(received) - signed(sent);
    match side {
        Side::Left => ondelta + balance,
        Side::Right => signed(insurance) - ondelta + balance,
    }
}

/// When the secret of `hash` came, if it came.
pub(super) fn revealed_at(view: &Chain, hash: Hash) -> Option<Clock> {
    view.revealed(hash).map(|revealed| revealed.revealed_at)
}

/// Whether the secret of `hash` came at or before `expiry`.
pub(super) fn in_time(view: &Chain, hash: Hash, expiry: Clock) -> bool {
    revealed_at(view, hash).is_some_and(|at| at <= expiry)
}

/// Whether the time of a lock is over, without its secret.
pub(super) fn is_expired(view: &Chain, lock: &HeldLock) -> bool {
    view.clock() > lock.expiry && !in_time(view, lock.hash, lock.expiry)
}
