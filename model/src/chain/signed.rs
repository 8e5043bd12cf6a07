//! What parties sign (`protocol.md` §3). A signature is a token that says who made it: nobody can
//! make one for somebody else by accident, and the model never does.

use super::{
    Account, Amount, AssetId, Clock, Epoch, Hash, Pair, Side, LIMIT, MAX_ASSETS, MAX_LOCKS,
};
use std::collections::BTreeSet;

/// A content and who has signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    content: T,
    by: Account,
}

/// `by` signs `content`. Whoever calls this for an account holds its key.
pub fn sign<T>(by: Account, content: T) -> Signed<T> {
    Signed { content, by }
}

impl<T> Signed<T> {
    /// What is signed.
    pub fn content(&self) -> &T {
        &self.content
    }

    /// Who signed it.
    pub fn by(&self) -> Account {
        self.by
    }
}

/// A pending hash lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lock {
    /// Its name, never used twice.
    pub id: u64,
    /// What it moves.
    pub amount: Amount,
    /// It counts when the secret of this hash is revealed…
    pub hash: Hash,
    /// …at or before this clock.
    pub expiry: Clock,
}

/// What a simplex says of one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The asset.
    pub asset: AssetId,
    /// All that was ever paid in this epoch.
    pub sent: Amount,
    /// What is pending, by ascending id.
    pub locks: Vec<Lock>,
}

/// What one side has paid in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simplex {
    /// The channel.
    pub pair: Pair,
    /// Its epoch.
    pub epoch: Epoch,
    /// The payer.
    pub from: Side,
    /// Higher is newer.
    pub nonce: u64,
    /// By ascending asset.
    pub entries: Vec<Entry>,
}

impl Simplex {
    /// The entry of an asset.
    pub fn entry(&self, asset: AssetId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.asset == asset)
    }

    /// What it has sent of an asset.
    pub fn sent(&self, asset: AssetId) -> Amount {
        self.entry(asset).map_or(0, |entry| entry.sent)
    }

    /// All locks.
    pub fn locks(&self) -> impl Iterator<Item = &Lock> {
        self.entries.iter().flat_map(|entry| &entry.locks)
    }

    /// The account that pays.
    pub fn payer(&self) -> Account {
        self.pair.account(self.from)
    }

    /// The account that is paid.
    pub fn payee(&self) -> Account {
        self.pair.account(self.from.other())
    }

    /// Order and bounds of §3.
    pub fn is_well_formed(&self) -> bool {
        let ascending = self.entries.windows(2).all(|two| two[0].asset < two[1].asset);
        let mut ids = BTreeSet::new();
        let entry_holds = |entry: &Entry| {
            let sum = entry.locks.iter().try_fold(0u128, |sum, lock| sum.checked_add(lock.amount));
            entry.sent <= LIMIT
                && sum.is_some_and(|sum| sum <= LIMIT)
                && entry.locks.iter().all(|lock| lock.amount > 0)
                && entry.locks.windows(2).all(|two| two[0].id < two[1].id)
        };
        ascending
            && self.entries.len() <= MAX_ASSETS
            && self.entries.iter().all(entry_holds)
            && self.locks().count() <= MAX_LOCKS
            && self.locks().all(|lock| ids.insert(lock.id))
    }
}

/// The receiver's receipt for a simplex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack(pub Simplex);

/// One asset of a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The asset.
    pub asset: AssetId,
    /// What is withdrawn.
    pub amount: Amount,
    /// What of it may come from the partner's balance.
    pub max_from_balance: Amount,
}

/// What the partner of `to` signs to let it withdraw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// The channel.
    pub pair: Pair,
    /// Its epoch.
    pub epoch: Epoch,
    /// Who is paid.
    pub to: Side,
    /// The nonce of that side.
    pub nonce: u64,
    /// Last clock at which it is taken.
    pub valid_until: Clock,
    /// By ascending asset.
    pub items: Vec<Item>,
}

/// What both sign to end an epoch at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// The channel.
    pub pair: Pair,
    /// Its epoch.
    pub epoch: Epoch,
    /// Last clock at which it is taken.
    pub valid_until: Clock,
    /// `right.sent - left.sent` by ascending asset.
    pub offdeltas: Vec<(AssetId, i128)>,
}
