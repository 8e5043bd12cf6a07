//! What survives a crash: a small key-value interface with durable atomic batches, and what the
//! records of a party are.

pub mod audit;
pub mod backup;
mod fjall;
mod place;
pub mod postgres;
mod share;

pub use self::{
    fjall::FjallStore,
    place::Place,
    postgres::PostgresStore,
    share::{check_share, need_share, Share},
};

use codec::{Decode, Encode};
use failsafe_channel::reservation::MAX_VALIDITY;
use failsafe_primitives::{AccountId, Clock};
use rand::RngCore;
use sp_core::H256;

/// Version of the records' layout.
pub const SCHEMA: u32 = 6;

/// Groups of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Whose store it is and for which chain.
    Meta,
    /// Channels by partner, without what is in [`Table::Outbox`], and but for those in
    /// [`Table::Recent`].
    Channels,
    /// Channels that have changed lately: pages by number, a channel is on the newest that has it.
    Recent,
    /// Own updates that their partners have not acknowledged: pages by number, an update is on the
    /// newest that has it. Once it is not needed any more, it may stay on its page for a while.
    Outbox,
    /// Payments under way and the newest of the others: pages by number, a payment is on the newest
    /// that has it.
    Payments,
    /// Older payments by volume and name.
    History,
    /// Calls on their way to the chain, by number.
    Intents,
    /// Spenders that owe a withdrawal proof, by partner.
    Wanted,
    /// Terms that a person decided, by partner.
    Terms,
    /// Payments that are still to be given back, by number.
    Returns,
    /// Payments with locks that go through us, by inward lock.
    Mediated,
    /// Payments of ours with locks, by hash.
    Outgoing,
    /// What we want to be paid, by hash.
    Invoices,
    /// Payments that are made again and again, by name.
    Orders,
    /// What a watchtower brings to the chain for others, by client, partner and epoch.
    Packets,
    /// Requests for insurance that are paid for, by user and asset.
    Requests,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 16] = [
        Self::Meta,
        Self::Channels,
        Self::Recent,
        Self::Outbox,
        Self::Payments,
        Self::History,
        Self::Intents,
        Self::Wanted,
        Self::Terms,
        Self::Returns,
        Self::Mediated,
        Self::Outgoing,
        Self::Invoices,
        Self::Orders,
        Self::Packets,
        Self::Requests,
    ];

    /// Its name on disk.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Channels => "channels",
            Self::Recent => "recent",
            Self::Outbox => "outbox",
            Self::Payments => "payments",
            Self::History => "history",
            Self::Intents => "intents",
            Self::Wanted => "wanted",
            Self::Terms => "terms",
            Self::Returns => "returns",
            Self::Mediated => "mediated",
            Self::Outgoing => "outgoing",
            Self::Invoices => "invoices",
            Self::Orders => "orders",
            Self::Packets => "packets",
            Self::Requests => "requests",
        }
    }
}

/// What is wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is none.
    #[error("there is no store at {path}: run `init` first, or restore your backup there (a store that was lost must not be replaced by an empty one: the money in its channels would be)")]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// There is one already.
    #[error("there is a store at {path} already")]
    Exists {
        /// Where.
        path: String,
    },
    /// Another process has it open.
    #[error("the store at {path} is in use by another process: stop it first")]
    Locked {
        /// Where.
        path: String,
    },
    /// The disk or the engine failed.
    #[error("the store at {path} failed: {reason}")]
    Failed {
        /// Where.
        path: String,
        /// How.
        reason: String,
    },
    /// The database does not answer.
    #[error("the database at {path} cannot be reached ({reason}): is it running, and are address and user right?")]
    Unreachable {
        /// Where.
        path: String,
        /// Why.
        reason: String,
    },
    /// Another process has taken it over.
    #[error("the store at {path} belongs to another process now ({holder}): this one stops, what it has not stored it has not sent")]
    Fenced {
        /// Where.
        path: String,
        /// Who has it.
        holder: String,
    },
    /// A record cannot be read.
    #[error("a record of {table} is damaged ({reason}): restore the store from your backup; the channels' partners bring it up to date")]
    Damaged {
        /// Its table.
        table: &'static str,
        /// How.
        reason: String,
    },
    /// Written by a newer program.
    #[error("the store has layout {found}, this program knows {SCHEMA}: use the newer program")]
    FromTheFuture {
        /// Its layout.
        found: u32,
    },
    /// Belongs to somebody else.
    #[error("the store belongs to account {found}, but the key is that of {expected}: use the right directory or key")]
    OtherAccount {
        /// Whose it is.
        found: AccountId,
        /// Whose key it is.
        expected: AccountId,
    },
    /// Belongs to another chain.
    #[error("the store belongs to the chain with genesis {found:?}, but the node is on {expected:?}: connect to the right node or use another directory")]
    OtherChain {
        /// Its chain.
        found: H256,
        /// The node's chain.
        expected: H256,
    },
    /// Belongs to another process of the same hub.
    #[error("the store belongs to {found}, but the configuration is that of {expected}: partners are shared out once, before a store is first used (docs/processes.md); use the right store, or the right [processes]")]
    OtherShare {
        /// Whose it is.
        found: String,
        /// Who wants it.
        expected: String,
    },
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Write a record.
    Put(Table, Vec<u8>, Vec<u8>),
    /// Remove a record.
    Delete(Table, Vec<u8>),
}

/// Changes that become durable together or not at all. No key is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// In order; a later change of the same record wins.
    pub changes: Vec<Change>,
}

impl Batch {
    /// Writes a record.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: Vec<u8>) {
        self.changes.push(Change::Put(table, key.into(), value));
    }

    /// Removes a record.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.changes.push(Change::Delete(table, key.into()));
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// A key and its value.
pub type Record = (Vec<u8>, Vec<u8>);

/// All records, by table.
pub type Tables = Vec<(Table, Vec<Record>)>;

/// A store. `commit` returns when the batch is on disk.
pub trait Store: Send + Sync {
    /// One record.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// The record of the first of these keys that is there. Stores far away are asked once.
    fn first(&self, table: Table, keys: &[Vec<u8>]) -> Result<Option<Vec<u8>>, StoreError> {
        keys.iter().find_map(|key| self.get(table, key).transpose()).transpose()
    }
    /// All records of a table.
    fn scan(&self, table: Table) -> Result<Vec<Record>, StoreError>;
    /// Keys of a table in order, at most so many: the first ones after this one, which need not be
    /// there; no key is before an empty one. Stores that do not keep everything in memory read no
    /// more than these.
    fn keys(&self, table: Table, after: &[u8], most: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let keys = self.scan(table)?.into_iter().map(|(key, _)| key);
        Ok(keys.filter(|key| &key[..] > after).take(most).collect())
    }
    /// Makes a batch durable.
    fn commit(&self, batch: &Batch) -> Result<(), StoreError>;
    /// All records of all tables at one moment between two commits.
    fn snapshot(&self) -> Result<Tables, StoreError>;
    /// Whether it is still ours. Asked before anything is done that needs no commit: who has lost
    /// its store may not act on what it remembers.
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Whose store it is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Owner {
    /// Layout of the records.
    pub schema: u32,
    /// The account.
    pub account: AccountId,
    /// The chain, once it was connected to.
    pub genesis: Option<H256>,
}

const OWNER: &[u8] = b"owner";

/// Marks a new store.
pub fn initialize(store: &dyn Store, account: &AccountId) -> Result<(), StoreError> {
    write_owner(store, &Owner { schema: SCHEMA, account: account.clone(), genesis: None })
}

fn write_owner(store: &dyn Store, owner: &Owner) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    batch.put(Table::Meta, OWNER, owner.encode());
    store.commit(&batch)
}

const ONION: &[u8] = b"onion";

/// The X25519 secret key to which onions are encrypted for a wallet, made at first use.
pub fn onion_key(store: &dyn Store) -> Result<[u8; 32], StoreError> {
    let damaged = || damaged_meta("a key of the wrong length".into());
    if let Some(bytes) = store.get(Table::Meta, ONION)? {
        return bytes.try_into().map_err(|_| damaged());
    }
    let mut key = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut key);
    let mut batch = Batch::default();
    batch.put(Table::Meta, ONION, key.to_vec());
    store.commit(&batch)?;
    Ok(key)
}

const RESTORED: &[u8] = b"restored";

/// Says that a store was restored from a backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Restored {
    /// Usable clock of the first finalized block that was seen after the restore.
    pub since: Option<Clock>,
}

impl Restored {
    /// Reads it; none when the store was never restored.
    pub fn load(store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = store.get(Table::Meta, RESTORED)? else { return Ok(None) };
        let read = Self::decode(&mut &bytes[..]);
        read.map(Some).map_err(|e| damaged_meta(e.to_string()))
    }

    /// Writes it with a batch.
    pub fn put(self, batch: &mut Batch) {
        batch.put(Table::Meta, RESTORED, self.encode());
    }

    /// Whether something that was signed before the restore, and is not in the store, may still be
    /// used at `now`.
    pub fn matters(&self, now: Clock) -> bool {
        self.since.is_none_or(|since| now <= since.saturating_add(MAX_VALIDITY))
    }
}

fn damaged_meta(reason: String) -> StoreError {
    StoreError::Damaged { table: Table::Meta.name(), reason }
}

/// Reads whose store it is.
pub fn owner(store: &dyn Store) -> Result<Owner, StoreError> {
    read_owner(store.get(Table::Meta, OWNER)?)
}

/// Whose store it is, by the records of its table [`Table::Meta`].
fn owner_of(meta: &[Record]) -> Result<Owner, StoreError> {
    read_owner(meta.iter().find(|(key, _)| key == OWNER).map(|(_, value)| value.clone()))
}

fn read_owner(bytes: Option<Vec<u8>>) -> Result<Owner, StoreError> {
    let damaged = damaged_meta;
    let bytes = bytes.ok_or_else(|| damaged("it does not say whose it is".into()))?;
    let schema = u32::decode(&mut &bytes[..]).map_err(|e| damaged(e.to_string()))?;
    if schema > SCHEMA {
        return Err(StoreError::FromTheFuture { found: schema });
    }
    Owner::decode(&mut &bytes[..]).map_err(|e| damaged(e.to_string()))
}

/// Whether there are channels in it, a party's own or those that a watchtower guards.
pub fn has_channels(store: &dyn Store) -> Result<bool, StoreError> {
    for table in [Table::Channels, Table::Recent, Table::Packets] {
        if !store.keys(table, &[], 1)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses a store of another account or chain; notes the chain on first use, and that the records
/// may have this program's layout from now on, which earlier programs do not know.
pub fn check_owner(
    store: &dyn Store,
    account: &AccountId,
    genesis: H256,
) -> Result<(), StoreError> {
    let known = owner(store)?;
    if known.account != *account {
        return Err(StoreError::OtherAccount { found: known.account, expected: account.clone() });
    }
    match known.genesis {
        Some(found) if found != genesis => Err(StoreError::OtherChain { found, expected: genesis }),
        Some(_) if known.schema == SCHEMA => Ok(()),
        _ => write_owner(store, &Owner { schema: SCHEMA, genesis: Some(genesis), ..known }),
    }
}
