//! An append-only file: the least that makes something durable.

use failsafe_tests::harness::Failure;
use std::{fs::File, io::Write, path::Path};

/// Bytes after which the file begins anew: a log in use would be compacted.
const LONGEST: u64 = 256 << 20;

/// A log.
pub struct Log {
    file: File,
    waiting: Vec<u8>,
    length: u64,
}

impl Log {
    /// A new one.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        Ok(Self { file: File::create(path)?, waiting: vec![], length: 0 })
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
        if self.length > LONGEST {
            self.file.set_len(0)?;
            std::io::Seek::rewind(&mut self.file)?;
            self.length = 0;
        }
        self.file.write_all(&self.waiting)?;
        self.file.sync_data()?;
        self.length = self.length.saturating_add(u64::try_from(self.waiting.len())?);
        self.waiting.clear();
        Ok(())
    }
}
