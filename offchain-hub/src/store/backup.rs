//! Backups: all records of a store at one moment, in one file.
//!
//! A backup may be made while the party runs. It has no account key, but what the records have:
//! secrets of invoices and locks, and a wallet's onion key. So the file can be read by its owner only.
//!
//! # The file
//! [`MAGIC`], then sections: length (u64, little endian), bytes, blake2b-256 of the bytes. The first is
//! the [`Header`]; then one for each table, `(name, records)`; the last one is empty of records and has
//! the hash of all hashes before it, so that nothing can be missing. All in SCALE.
//!
//! # A restore
//! What is restored may be old. So every channel is marked: it signs nothing before the partner has
//! shown what it knows (`protocol.md` §4 "Restored copy"). Calls that were on their way to the chain
//! are not repeated: they may have been made since.

use super::{Batch, Owner, Record, Restored, Store, StoreError, Table, Tables, SCHEMA};
use crate::{
    chain::submit,
    party::{outbox, recent},
};
use codec::{Decode, DecodeAll, Encode};
use failsafe_primitives::AccountId;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

/// How a backup begins.
pub const MAGIC: [u8; 16] = *b"failsafe-backup\n";
/// Version of the file's layout.
pub const VERSION: u16 = 1;
/// Name of the last section.
const END: &str = "end";
/// Length of a section's length, and of its hash.
const LENGTH: usize = 8;
const HASH: usize = 32;

/// Whose backup it is, and of when.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Header {
    /// Layout of the file. First, so that it can be read of any later one.
    pub version: u16,
    /// Layout of the records.
    pub schema: u32,
    /// The account.
    pub account: AccountId,
    /// The chain, if the store had been connected to one.
    pub genesis: Option<H256>,
    /// When it was made, milliseconds since 1970.
    pub made_ms: u64,
    /// Version of the program that made it.
    pub program: String,
}

/// What a backup has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Its header.
    pub header: Header,
    /// How many channels.
    pub channels: usize,
    /// How many records in all.
    pub records: usize,
    /// Length of the file in bytes.
    pub bytes: usize,
}

/// What a restore leaves out, by name: calls that were on their way to the chain.
pub type Dropped = Vec<&'static str>;

/// What can go wrong with a backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file cannot be read or written.
    #[error("backup {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is there already.
    #[error("{path} exists already: it is not overwritten, choose another name")]
    Exists {
        /// The file.
        path: String,
    },
    /// Another kind of file.
    #[error("{path} is not a backup of Failsafe: choose the file that `backup` has written")]
    NotABackup {
        /// The file.
        path: String,
    },
    /// It ends too early.
    #[error("backup {path} is cut off after {bytes} bytes: copy it again from where you keep it, or use an earlier backup")]
    Truncated {
        /// The file.
        path: String,
        /// How long it is.
        bytes: usize,
    },
    /// Its content has changed.
    #[error("backup {path} is damaged ({what}): copy it again from where you keep it, or use an earlier backup")]
    Damaged {
        /// The file.
        path: String,
        /// Where and how.
        what: String,
    },
    /// Made by a newer program.
    #[error("backup {path} is of a newer program (its {what} is {found}, this program knows {known}): use the newer program")]
    FromTheFuture {
        /// The file.
        path: String,
        /// What is newer.
        what: &'static str,
        /// Which it is.
        found: String,
        /// What this program knows.
        known: String,
    },
    /// Of somebody else.
    #[error(
        "backup {path} is of account {found}, but the key is that of {expected}: use the right backup or key"
    )]
    OtherAccount {
        /// The file.
        path: String,
        /// Whose it is.
        found: AccountId,
        /// Whose key it is.
        expected: AccountId,
    },
    /// Of another chain.
    #[error("backup {path} is of the chain with genesis {found:?}, but the node is on {expected:?}: use the right backup, or a node of its chain")]
    OtherChain {
        /// The file.
        path: String,
        /// Its chain.
        found: H256,
        /// The node's chain.
        expected: H256,
    },
}

/// A backup that was read and checked.
#[derive(Clone, Debug)]
pub struct Backup {
    path: String,
    contents: Contents,
    tables: Tables,
}

fn push_section(file: &mut Vec<u8>, hashes: &mut Vec<u8>, body: &[u8]) {
    let hash = blake2_256(body);
    // A length in memory fits.
    file.extend_from_slice(&u64::try_from(body.len()).unwrap_or(u64::MAX).to_le_bytes());
    file.extend_from_slice(body);
    file.extend_from_slice(&hash);
    hashes.extend_from_slice(&hash);
}

fn encode(header: &Header, tables: &[(Table, Vec<Record>)]) -> Vec<u8> {
    let (mut file, mut hashes) = (MAGIC.to_vec(), vec![]);
    push_section(&mut file, &mut hashes, &header.encode());
    for (table, records) in tables {
        push_section(&mut file, &mut hashes, &(table.name(), records).encode());
    }
    let all = blake2_256(&hashes);
    push_section(&mut file, &mut hashes, &(END, all).encode());
    file
}

fn count(header: Header, tables: &[(Table, Vec<Record>)], bytes: usize) -> Contents {
    let of = |wanted: Table| {
        let some = tables.iter().filter(move |(table, _)| *table == wanted);
        some.flat_map(|(_, records)| records)
    };
    let channels = recent::count(of(Table::Channels), of(Table::Recent));
    let records = tables.iter().map(|(_, records)| records.len()).sum();
    Contents { header, channels, records, bytes }
}

/// Writes a new backup of `store`, all or nothing: a crash leaves at most a file `….part`.
///
/// # Errors
/// [`BackupError`]; then there is no file `path` that was not there before.
pub fn write(store: &dyn Store, path: &Path, now_ms: u64) -> Result<Contents, BackupError> {
    let name = path.display().to_string();
    if path.exists() {
        return Err(BackupError::Exists { path: name });
    }
    let tables = store.snapshot()?;
    let meta = tables.iter().filter(|(table, _)| *table == Table::Meta);
    let meta: Vec<Record> = meta.flat_map(|(_, records)| records.clone()).collect();
    let Owner { schema, account, genesis } = super::owner_of(&meta)?;
    let program = env!("CARGO_PKG_VERSION").into();
    let header = Header { version: VERSION, schema, account, genesis, made_ms: now_ms, program };
    let file = encode(&header, &tables);
    let problem = |source| BackupError::Io { path: name.clone(), source };
    let part = PathBuf::from(format!("{name}.{}.part", std::process::id()));
    let written = write_through(&part, &file).and_then(|()| fs::rename(&part, path));
    if let Err(source) = written {
        // It may not be there.
        let _ = fs::remove_file(&part);
        return Err(problem(source));
    }
    sync_folder_of(path).map_err(problem)?;
    Ok(count(header, &tables, file.len()))
}

/// Writes a file that only its owner can read, to the disk.
fn write_through(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the name of a file or folder durable.
pub(super) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads the sections of a file.
struct Sections<'a> {
    path: &'a str,
    total: usize,
    rest: &'a [u8],
    hashes: Vec<u8>,
}

impl<'a> Sections<'a> {
    fn damaged(&self, what: impl Into<String>) -> BackupError {
        BackupError::Damaged { path: self.path.into(), what: what.into() }
    }

    fn truncated(&self) -> BackupError {
        BackupError::Truncated { path: self.path.into(), bytes: self.total }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], BackupError> {
        let taken = self.rest.get(..length).ok_or_else(|| self.truncated())?;
        self.rest = self.rest.get(length..).unwrap_or_default();
        Ok(taken)
    }

    fn next(&mut self, name: &str) -> Result<&'a [u8], BackupError> {
        let length = <[u8; LENGTH]>::try_from(self.take(LENGTH)?).unwrap_or_default();
        let length = usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX);
        let body = self.take(length)?;
        let hash = self.take(HASH)?;
        if blake2_256(body) != hash {
            return Err(self.damaged(format!("the checksum of {name} is wrong")));
        }
        self.hashes.extend_from_slice(hash);
        Ok(body)
    }
}

fn read_sections(path: &str, file: &[u8]) -> Result<Backup, BackupError> {
    let mut sections = Sections { path, total: file.len(), rest: file, hashes: vec![] };
    if sections.take(MAGIC.len()).ok() != Some(&MAGIC) {
        return Err(BackupError::NotABackup { path: path.into() });
    }
    let future = |what, found: String, known: String| {
        Err(BackupError::FromTheFuture { path: path.into(), what, found, known })
    };
    let header = sections.next("its header")?;
    let version = u16::decode(&mut &header[..]).map_err(|e| sections.damaged(e.to_string()))?;
    if version > VERSION {
        return future("layout", version.to_string(), VERSION.to_string());
    }
    let header =
        Header::decode_all(&mut &header[..]).map_err(|e| sections.damaged(e.to_string()))?;
    if header.schema > SCHEMA {
        return future("layout of records", header.schema.to_string(), SCHEMA.to_string());
    }
    let mut tables = vec![];
    loop {
        let before = blake2_256(&sections.hashes);
        let body = sections.next("a table")?;
        let name = String::decode(&mut &body[..]).map_err(|e| sections.damaged(e.to_string()))?;
        if name == END {
            let (_, all) = <(String, [u8; 32])>::decode_all(&mut &body[..])
                .map_err(|e| sections.damaged(e.to_string()))?;
            if all != before || !sections.rest.is_empty() {
                return Err(sections.damaged("it has other parts than it should"));
            }
            break;
        }
        let Some(table) = Table::ALL.into_iter().find(|table| table.name() == name) else {
            return future("table", name, "none of that name".into());
        };
        let (_, records) = <(String, Vec<Record>)>::decode_all(&mut &body[..])
            .map_err(|e| sections.damaged(format!("{name}: {e}")))?;
        tables.push((table, records));
    }
    let contents = count(header, &tables, file.len());
    Ok(Backup { path: path.into(), contents, tables })
}

/// Reads a backup and checks all of it.
///
/// # Errors
/// [`BackupError`] when it is none, is cut off or damaged, or of a newer program.
pub fn read(path: &Path) -> Result<Backup, BackupError> {
    let name = path.display().to_string();
    let file = fs::read(path).map_err(|source| BackupError::Io { path: name.clone(), source })?;
    read_sections(&name, &file)
}

impl Backup {
    /// What it has.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Refuses the backup of another account, or of another chain than `genesis` if that is known.
    ///
    /// # Errors
    /// [`BackupError::OtherAccount`], [`BackupError::OtherChain`].
    pub fn check(&self, account: &AccountId, genesis: Option<H256>) -> Result<(), BackupError> {
        let header = &self.contents.header;
        let path = self.path.clone();
        if header.account != *account {
            let (found, expected) = (header.account.clone(), account.clone());
            return Err(BackupError::OtherAccount { path, found, expected });
        }
        match (header.genesis, genesis) {
            (Some(found), Some(expected)) if found != expected => {
                Err(BackupError::OtherChain { path, found, expected })
            },
            _ => Ok(()),
        }
    }

    /// Its records, to look at.
    pub fn into_tables(self) -> Tables {
        self.tables
    }

    /// The records of a restored store: every channel marked, calls left out.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] when a channel or a call cannot be read.
    pub fn restored(self) -> Result<(Batch, Dropped), BackupError> {
        let damaged = |what: String| BackupError::Damaged { path: self.path.clone(), what };
        let (mut batch, mut dropped) = (Batch::default(), vec![]);
        let unread = |e: StoreError| damaged(e.to_string());
        let mut tables = self.tables;
        let mut take = |wanted: Table| {
            let some = tables.iter_mut().filter(|(table, _)| *table == wanted);
            some.flat_map(|(_, records)| std::mem::take(records)).collect::<Vec<_>>()
        };
        // What is stored apart from a channel's record goes there.
        let mut outboxes = outbox::Loaded::new(take(Table::Outbox)).map_err(unread)?;
        let channels = recent::load(take(Table::Channels), take(Table::Recent));
        for (partner, bytes) in channels.map_err(unread)?.1 {
            let mut channel = outboxes.channel(&partner, &bytes).map_err(damaged)?;
            channel.mark_restored();
            batch.put(Table::Channels, partner.encode(), channel.encode_state());
        }
        for (table, records) in tables {
            for (key, value) in records {
                match table {
                    Table::Intents => {
                        let record = submit::Record::decode(&mut &value[..])
                            .map_err(|e| damaged(format!("a call: {e}")))?;
                        dropped.push(record.call.name());
                    },
                    _ => batch.put(table, key, value),
                }
            }
        }
        Restored::default().put(&mut batch);
        Ok((batch, dropped))
    }
}
