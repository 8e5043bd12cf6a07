//! A file to which records are appended: the least that makes something durable.

use failsafe_tests::harness::Failure;
use std::{
    fs::File,
    io::{Seek, Write},
    path::Path,
};

/// Bytes after which a file that grows begins anew: a log in use would be compacted.
const LONGEST: u64 = 256 << 20;
/// Bytes of a file that has its room from the beginning, and is written again from there.
const ROOM: u64 = 64 << 20;

/// A log.
pub struct Log {
    file: File,
    waiting: Vec<u8>,
    length: u64,
    grows: bool,
}

impl Log {
    /// A new one, which grows.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        Ok(Self { file: File::create(path)?, waiting: vec![], length: 0, grows: true })
    }

    /// A new one whose blocks are all written: on most file systems a sync brings nothing but data to
    /// the disk.
    pub fn preallocated(path: &Path) -> Result<Self, Failure> {
        let mut log = Self { grows: false, ..Self::create(path)? };
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), ROOM), &mut log.file)?;
        log.file.sync_all()?;
        log.file.rewind()?;
        Ok(log)
    }

    /// Adds a record, which is durable after the next [`Log::sync`].
    pub fn add(&mut self, number: usize, record: &[u8]) -> Result<(), Failure> {
        self.waiting.extend_from_slice(&u32::try_from(record.len())?.to_le_bytes());
        self.waiting.extend_from_slice(&u32::try_from(number)?.to_le_bytes());
        self.waiting.extend_from_slice(record);
        Ok(())
    }

    /// Makes all that was added durable.
    pub fn sync(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let adding = u64::try_from(self.waiting.len())?;
        let longest = if self.grows { LONGEST } else { ROOM };
        if self.length.saturating_add(adding) > longest {
            if self.grows {
                self.file.set_len(0)?;
            }
            self.file.rewind()?;
            self.length = 0;
        }
        self.file.write_all(&self.waiting)?;
        self.file.sync_data()?;
        self.length = self.length.saturating_add(adding);
        self.waiting.clear();
        Ok(())
    }
}
