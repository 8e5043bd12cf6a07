//! Snapshots: the database of a node in one file, for nodes that join (`docs/operator/joining.md`).
//!
//! A file is [`MAGIC`], the length of the manifest (`u32`, little endian), the manifest as JSON, the
//! files of the database in a zstd stream, and SHA-256 of all before it. In the stream each file is
//! the length of its name (`u16`), its name, its length (`u64`) and its bytes; a length of 0 ends it.
//! What people compare is SHA-256 of the whole file, which `sha256sum` shows, too.
//!
//! Whoever imports a snapshot trusts whoever made it, as with a copied database: the hash tells that
//! it is the file that was published, and the block that it ends with can be looked up on the chain.
//! Keys of the node and of the validator are no part of the database.

use failsafe_runtime::opaque::Block;
use sc_client_api::{backend::Backend as _, in_mem};
use sc_service::{BuildGenesisBlock, Configuration, DatabaseSource, GenesisBlockBuilder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sp_blockchain::HeaderBackend;
use sp_core::H256;
use sp_runtime::traits::{Block as _, Header as _};
use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

/// How a file begins; the last byte is the version of its format.
pub const MAGIC: [u8; 8] = *b"FSSNAP\0\x01";
/// Longest manifest.
const MANIFEST_LIMIT: u32 = 64 * 1024;
/// Longest name of a file in the database.
const NAME_LIMIT: u16 = 256;
/// Length of SHA-256.
const HASH: u64 = 32;
/// What is empty of this size takes no room on the disk.
const PAGE: usize = 4 * 1024;
/// Beyond this level the file gets hardly smaller.
const LEVEL: i32 = 3;
/// By this file the database knows that somebody has it open.
const LOCK: &str = "lock";
/// Where an import unpacks, beside the place of the database.
const INCOMPLETE: &str = "snapshot-incomplete";

/// What is wrong with a snapshot, or in its way.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The node has its chain in memory.
    #[error("this node keeps no database on disk: give --base-path")]
    NoDatabase,
    /// Nothing to export.
    #[error("there is no chain in {0}: check --chain and --base-path")]
    NoChain(PathBuf),
    /// A node has it open.
    #[error("the database in {0} is in use: stop the node first")]
    InUse(PathBuf),
    /// The database cannot be read.
    #[error("the database in {path} cannot be read: {reason}")]
    Database {
        /// Where it is.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There is a chain where the snapshot should go.
    #[error("there is a chain in {0} already: leave out --from-snapshot to go on with it, or remove it first (failsafe-node purge-chain)")]
    Exists(PathBuf),
    /// The file would be overwritten.
    #[error("{0} exists: name another file")]
    FileExists(PathBuf),
    /// Not a snapshot, or of a format that this program does not know.
    #[error("{path} is not a snapshot that this version reads ({reason}): make it with this version of failsafe-node, or use the version that made it")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is different.
        reason: String,
    },
    /// Bytes are missing or different.
    #[error("{path} is damaged ({reason}): fetch it again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it shows.
        reason: String,
    },
    /// Not the file that was announced.
    #[error(
        "{path} has SHA-256 {found}, not {expected}: it is not the file that you were told about"
    )]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// The one that was asked for.
        expected: String,
    },
    /// Of another chain.
    #[error("{path} is of the chain {chain} with genesis block {found:?}, this node's has {expected:?}: use a snapshot of this chain, or the chain specification of that one")]
    OtherChain {
        /// The file.
        path: PathBuf,
        /// Name of its chain.
        chain: String,
        /// Its first block.
        found: H256,
        /// This node's first block.
        expected: H256,
    },
    /// The chain specification cannot be carried out.
    #[error("the chain specification has no genesis block: {0}")]
    Specification(String),
    /// The disk.
    #[error("{path}: {source}")]
    Disk {
        /// What was read or written.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl SnapshotError {
    fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Disk { path: path.into(), source }
    }
}

/// What a snapshot says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// The version of the node that made it.
    pub node: String,
    /// The chain's id.
    pub chain: String,
    /// Hash of the first block.
    pub genesis: H256,
    /// Number of the newest finalized block.
    pub finalized_number: u32,
    /// Its hash.
    pub finalized: H256,
    /// The state after it: equal at all honest nodes, though files of databases differ.
    pub state_root: H256,
    /// Number of the best block.
    pub best_number: u32,
    /// Bytes of the database's files.
    pub bytes: u64,
}

/// A snapshot that was written or read.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// What it says of itself.
    pub manifest: Manifest,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Length of the file in bytes.
    pub length: u64,
}

/// Hashes what passes.
struct Hashing<T> {
    inner: T,
    hasher: Sha256,
    passed: u64,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, hasher: Sha256::new(), passed: 0 }
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.passed = self.passed.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.pass(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.pass(&bytes[..read]);
        Ok(read)
    }
}

fn hex(hash: impl AsRef<[u8]>) -> String {
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Packs the database of a stopped node into a new file.
pub fn export(config: &Configuration, path: &Path) -> Result<Snapshot, SnapshotError> {
    let database = config.database.path().ok_or(SnapshotError::NoDatabase)?;
    if !database.exists() {
        return Err(SnapshotError::NoChain(database.into()));
    }
    let mut manifest = describe(config, database)?;
    // Nobody starts a node while its files are read.
    let lock = File::options().write(true).open(database.join(LOCK));
    let lock = lock.map_err(SnapshotError::disk(database))?;
    lock.try_lock().map_err(|_| SnapshotError::InUse(database.into()))?;
    let files = files_of(database)?;
    manifest.bytes = files.iter().map(|(_, length)| length).sum();

    let file =
        File::options().write(true).create_new(true).open(path).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => SnapshotError::FileExists(path.into()),
            _ => SnapshotError::Disk { path: path.into(), source: e },
        })?;
    let written = pack(&manifest, database, &files, file).map_err(SnapshotError::disk(path));
    if written.is_err() {
        // Half a snapshot is of no use; the error is what matters.
        let _ = fs::remove_file(path);
    }
    let (sha256, length) = written?;
    Ok(Snapshot { manifest, sha256, length })
}

/// Opens the database and reads what a manifest says, without the length of its files.
fn describe(config: &Configuration, database: &Path) -> Result<Manifest, SnapshotError> {
    let unreadable = |reason: String| SnapshotError::Database { path: database.into(), reason };
    let settings = sc_client_db::DatabaseSettings {
        trie_cache_maximum_size: None,
        state_pruning: config.state_pruning.clone(),
        source: DatabaseSource::ParityDb { path: database.into() },
        blocks_pruning: config.blocks_pruning,
        pruning_filters: Vec::new(),
        metrics_registry: None,
    };
    let backend = sc_service::new_db_backend::<Block>(settings).map_err(|e| {
        // What the database says when somebody has its lock.
        match e.to_string() {
            text if text.contains("in use") => SnapshotError::InUse(database.into()),
            text => unreadable(text),
        }
    })?;
    let info = backend.blockchain().info();
    let header = backend.blockchain().header(info.finalized_hash);
    let header = header.map_err(|e| unreadable(e.to_string()))?;
    let header = header.ok_or_else(|| unreadable("its finalized block is gone".into()))?;
    if !backend.have_state_at(info.finalized_hash, info.finalized_number) {
        return Err(unreadable(
            "it has no state at its finalized block: is it still syncing?".into(),
        ));
    }
    Ok(Manifest {
        node: env!("SUBSTRATE_CLI_IMPL_VERSION").into(),
        chain: config.chain_spec.id().into(),
        genesis: info.genesis_hash,
        finalized_number: info.finalized_number,
        finalized: info.finalized_hash,
        state_root: *header.state_root(),
        best_number: info.best_number,
        bytes: 0,
    })
}

/// Names and lengths of a database's files, in order.
fn files_of(database: &Path) -> Result<Vec<(String, u64)>, SnapshotError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(database).map_err(SnapshotError::disk(database))? {
        let entry = entry.map_err(SnapshotError::disk(database))?;
        let data = entry.metadata().map_err(SnapshotError::disk(database))?;
        let name = entry.file_name().into_string().map_err(|name| SnapshotError::Database {
            path: database.into(),
            reason: format!("{} is not the name of a file of a database", name.display()),
        })?;
        if name != LOCK && data.is_file() {
            files.push((name, data.len()));
        }
    }
    files.sort();
    Ok(files)
}

fn pack(
    manifest: &Manifest,
    database: &Path,
    files: &[(String, u64)],
    file: File,
) -> io::Result<(String, u64)> {
    let mut out = Hashing::new(BufWriter::new(file));
    let text = serde_json::to_vec(manifest)?;
    out.write_all(&MAGIC)?;
    out.write_all(&u32::try_from(text.len()).map_err(io::Error::other)?.to_le_bytes())?;
    out.write_all(&text)?;
    let mut stream = zstd::Encoder::new(out, LEVEL)?;
    for (name, length) in files {
        stream.write_all(&u16::try_from(name.len()).map_err(io::Error::other)?.to_le_bytes())?;
        stream.write_all(name.as_bytes())?;
        stream.write_all(&length.to_le_bytes())?;
        let mut content = File::open(database.join(name))?.take(*length);
        if io::copy(&mut content, &mut stream)? != *length {
            return Err(io::Error::other(format!("{name} became shorter while it was read")));
        }
    }
    stream.write_all(&0u16.to_le_bytes())?;
    let mut out = stream.finish()?;
    let hash = out.hasher.clone().finalize();
    out.write_all(&hash)?;
    out.flush()?;
    out.inner.get_ref().sync_all()?;
    Ok((hex(out.hasher.finalize()), out.passed))
}

/// Unpacks a snapshot as this node's database. Everything is verified beside its place, and nothing
/// is left when it is refused.
///
/// `expected` is SHA-256 of the file in hex, as whoever made it has published it.
pub fn import(
    config: &Configuration,
    path: &Path,
    expected: Option<&str>,
) -> Result<Snapshot, SnapshotError> {
    let database = config.database.path().ok_or(SnapshotError::NoDatabase)?;
    if database.exists() {
        return Err(SnapshotError::Exists(database.into()));
    }
    let genesis = genesis_of(config)?;
    let parent = database.parent().ok_or(SnapshotError::NoDatabase)?;
    fs::create_dir_all(parent).map_err(SnapshotError::disk(parent))?;
    let place = parent.join(INCOMPLETE);
    // Of an import that was interrupted.
    remove(&place)?;
    let imported = unpack(path, &place, genesis, expected).and_then(|snapshot| {
        agrees(config, &place, path, &snapshot.manifest)?;
        fs::rename(&place, database).map_err(SnapshotError::disk(database))?;
        sync_folder(parent)?;
        Ok(snapshot)
    });
    if imported.is_err() {
        // The reason for the refusal is what matters.
        let _ = remove(&place);
    }
    imported
}

fn remove(place: &Path) -> Result<(), SnapshotError> {
    match fs::remove_dir_all(place) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(SnapshotError::Disk { path: place.into(), source: e })
        },
        _ => Ok(()),
    }
}

fn sync_folder(folder: &Path) -> Result<(), SnapshotError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(SnapshotError::disk(folder))
}

/// The first block of the chain that the node is configured for.
fn genesis_of(config: &Configuration) -> Result<H256, SnapshotError> {
    let failed = |e: sp_blockchain::Error| SnapshotError::Specification(e.to_string());
    let executor = sc_service::new_wasm_executor::<sp_io::SubstrateHostFunctions>(&config.executor);
    let backend = Arc::new(in_mem::Backend::<Block>::new());
    let spec = config.chain_spec.as_storage_builder();
    let builder = GenesisBlockBuilder::new(spec, false, backend, executor).map_err(failed)?;
    let (block, _): (Block, _) = builder.build_genesis_block().map_err(failed)?;
    Ok(block.hash())
}

/// Reads the file from its beginning to its end, once, and unpacks it.
fn unpack(
    path: &Path,
    place: &Path,
    genesis: H256,
    expected: Option<&str>,
) -> Result<Snapshot, SnapshotError> {
    let damaged = |reason: &dyn ToString| SnapshotError::Damaged {
        path: path.into(),
        reason: reason.to_string(),
    };
    let file = File::open(path).map_err(SnapshotError::disk(path))?;
    let length = file.metadata().map_err(SnapshotError::disk(path))?.len();
    let mut input = Hashing::new(BufReader::new(file));
    let manifest = read_manifest(path, &mut input)?;
    if manifest.genesis != genesis {
        return Err(SnapshotError::OtherChain {
            path: path.into(),
            chain: manifest.chain,
            found: manifest.genesis,
            expected: genesis,
        });
    }
    let packed = length.checked_sub(input.passed.saturating_add(HASH));
    let packed = packed.ok_or_else(|| damaged(&"it ends too early"))?;
    fs::create_dir(place).map_err(SnapshotError::disk(place))?;
    let mut body = (&mut input).take(packed);
    unpack_files(&mut body, place, manifest.bytes).map_err(|problem| match problem {
        Problem::Input(reason) => damaged(&reason),
        Problem::Disk(error) => error,
    })?;
    if io::copy(&mut body, &mut io::sink()).map_err(SnapshotError::disk(path))? > 0 {
        return Err(damaged(&"there is something behind the database"));
    }
    let hash = input.hasher.clone().finalize();
    let mut stated = [0; 32];
    input.read_exact(&mut stated).map_err(|e| damaged(&e))?;
    if stated[..] != hash[..] {
        return Err(damaged(&"its content is not what it says"));
    }
    let sha256 = hex(input.hasher.finalize());
    if let Some(expected) = expected.filter(|expected| !expected.eq_ignore_ascii_case(&sha256)) {
        let (path, expected) = (path.into(), expected.into());
        return Err(SnapshotError::OtherFile { path, found: sha256, expected });
    }
    Ok(Snapshot { manifest, sha256, length })
}

fn read_manifest(path: &Path, input: &mut impl Read) -> Result<Manifest, SnapshotError> {
    let other = |reason: &dyn ToString| SnapshotError::Format {
        path: path.into(),
        reason: reason.to_string(),
    };
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic).map_err(|_| other(&"it is shorter than any"))?;
    if magic != MAGIC {
        return Err(other(&"it begins differently"));
    }
    let mut length = [0; 4];
    input.read_exact(&mut length).map_err(|_| other(&"it has no manifest"))?;
    let length = u32::from_le_bytes(length);
    if length > MANIFEST_LIMIT {
        return Err(other(&"its manifest is too long"));
    }
    let mut text = Vec::new();
    input.take(length.into()).read_to_end(&mut text).map_err(SnapshotError::disk(path))?;
    serde_json::from_slice(&text).map_err(|e| other(&e))
}

/// What went wrong while files were unpacked.
enum Problem {
    /// What was read.
    Input(String),
    /// What was written.
    Disk(SnapshotError),
}

fn unpack_files(body: &mut impl Read, place: &Path, most: u64) -> Result<(), Problem> {
    let input = |e: io::Error| Problem::Input(e.to_string());
    let mut stream = zstd::Decoder::new(body).map_err(input)?.single_frame();
    let mut left = most;
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length).map_err(input)?;
        let length = u16::from_le_bytes(length);
        if length == 0 {
            break;
        }
        let name = read_name(&mut stream, length)?;
        let mut size = [0; 8];
        stream.read_exact(&mut size).map_err(input)?;
        let size = u64::from_le_bytes(size);
        // Not more than was announced: a small file could unpack to a full disk.
        left = left
            .checked_sub(size)
            .ok_or_else(|| Problem::Input("it holds more than it says".into()))?;
        let to = place.join(&name);
        let disk = |e| Problem::Disk(SnapshotError::Disk { path: to.clone(), source: e });
        let mut file = File::options().write(true).create_new(true).open(&to).map_err(disk)?;
        let mut rest = size;
        let mut chunk = vec![0; 256 * 1024];
        while rest > 0 {
            let part = usize::try_from(rest).unwrap_or(usize::MAX).min(chunk.len());
            stream.read_exact(&mut chunk[..part]).map_err(input)?;
            for page in chunk[..part].chunks(PAGE) {
                write_page(&mut file, page).map_err(disk)?;
            }
            rest = rest.saturating_sub(u64::try_from(part).unwrap_or(u64::MAX));
        }
        // Holes at the end are part of it.
        file.set_len(size).map_err(disk)?;
        file.sync_all().map_err(disk)?;
    }
    // To the end of the compressed stream, with its checks.
    match io::copy(&mut stream, &mut io::sink()).map_err(input)? {
        0 if left == 0 => sync_folder(place).map_err(Problem::Disk),
        0 => Err(Problem::Input("it holds less than it says".into())),
        _ => Err(Problem::Input("there is something behind its files".into())),
    }
}

/// Writes a page, or leaves a hole for an empty one: a database has large files with little in them.
fn write_page(file: &mut File, page: &[u8]) -> io::Result<()> {
    if page.iter().any(|byte| *byte != 0) {
        return file.write_all(page);
    }
    let length = i64::try_from(page.len()).map_err(io::Error::other)?;
    file.seek(SeekFrom::Current(length)).map(drop)
}

/// The name of a file, which stays within the folder.
fn read_name(stream: &mut impl Read, length: u16) -> Result<String, Problem> {
    if length > NAME_LIMIT {
        return Err(Problem::Input("a name is too long".into()));
    }
    let mut name = vec![0; usize::from(length)];
    stream.read_exact(&mut name).map_err(|e| Problem::Input(e.to_string()))?;
    let name = String::from_utf8(name).map_err(|_| Problem::Input("a name is no text".into()))?;
    let mut parts = Path::new(&name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == name.as_str() && name != LOCK => Ok(name),
        _ => Err(Problem::Input(format!("{name:?} is no name in a database"))),
    }
}

/// Opens what was unpacked, and compares it with what the manifest says.
fn agrees(
    config: &Configuration,
    place: &Path,
    path: &Path,
    manifest: &Manifest,
) -> Result<(), SnapshotError> {
    let found = describe(config, place)?;
    let found = Manifest {
        node: manifest.node.clone(),
        chain: manifest.chain.clone(),
        bytes: manifest.bytes,
        ..found
    };
    if found == *manifest {
        return Ok(());
    }
    let reason = format!("its database is at block {}, not as it says", found.finalized_number);
    Err(SnapshotError::Damaged { path: path.into(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENESIS: H256 = H256::repeat_byte(1);

    struct Case {
        dir: PathBuf,
        file: PathBuf,
        place: PathBuf,
        manifest: Manifest,
        sha256: String,
    }

    impl Drop for Case {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.dir).unwrap();
        }
    }

    /// A file of two files of a database.
    fn case(name: &str) -> Case {
        let dir = std::env::temp_dir().join(format!("failsafe-{name}-{}", std::process::id()));
        let database = dir.join("database");
        fs::create_dir_all(&database).unwrap();
        fs::write(database.join(LOCK), "").unwrap();
        fs::write(database.join("metadata"), "version=8").unwrap();
        let mut table: Vec<u8> = (0..700_000u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
        // Holes, one of them at the end.
        table[10_000..90_000].fill(0);
        table[690_000..].fill(0);
        fs::write(database.join("table_01"), table).unwrap();
        let files = files_of(&database).unwrap();
        let manifest = Manifest {
            node: "1".into(),
            chain: "test".into(),
            genesis: GENESIS,
            finalized_number: 7,
            finalized: H256::repeat_byte(2),
            state_root: H256::repeat_byte(3),
            best_number: 9,
            bytes: files.iter().map(|(_, length)| length).sum(),
        };
        let path = dir.join("snapshot");
        let (sha256, _) = pack(&manifest, &database, &files, File::create(&path).unwrap()).unwrap();
        let place = dir.join("place");
        Case { file: path, place, dir, manifest, sha256 }
    }

    #[test]
    fn snapshot_should_have_every_file_but_the_lock_when_it_is_unpacked() {
        let case = case("whole");
        let upper = case.sha256.to_uppercase();
        let snapshot = unpack(&case.file, &case.place, GENESIS, Some(&upper)).unwrap();
        assert_eq!(snapshot.manifest, case.manifest);
        assert_eq!(snapshot.sha256, hex(Sha256::digest(fs::read(&case.file).unwrap())));
        assert_eq!(snapshot.length, fs::metadata(&case.file).unwrap().len());
        let names: Vec<_> = files_of(&case.place).unwrap();
        assert_eq!(names, files_of(&case.dir.join("database")).unwrap());
        for (name, _) in names {
            let (new, old) = (case.place.join(&name), case.dir.join("database").join(&name));
            assert_eq!(fs::read(new).unwrap(), fs::read(old).unwrap(), "{name}");
        }
        assert!(!case.place.join(LOCK).exists());
    }

    #[test]
    fn snapshot_should_be_refused_when_any_part_is_damaged_or_missing() {
        let case = case("damaged");
        let good = fs::read(&case.file).unwrap();
        let mut places: Vec<_> = (0..good.len()).step_by(good.len() / 97).collect();
        places.push(good.len() - 1);
        for at in places {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&case.file, &bad).unwrap();
            assert!(unpack(&case.file, &case.place, GENESIS, None).is_err(), "changed at {at}");
            remove(&case.place).unwrap();
            fs::write(&case.file, &good[..at]).unwrap();
            assert!(unpack(&case.file, &case.place, GENESIS, None).is_err(), "cut at {at}");
            remove(&case.place).unwrap();
        }
    }

    #[test]
    fn snapshot_should_be_refused_when_it_is_of_another_chain() {
        let case = case("chain");
        let refused = unpack(&case.file, &case.place, H256::repeat_byte(9), None).unwrap_err();
        assert!(matches!(refused, SnapshotError::OtherChain { .. }), "{refused}");
        assert!(!case.place.exists(), "nothing is unpacked");
    }

    #[test]
    fn snapshot_should_be_refused_when_it_has_another_hash() {
        let case = case("hash");
        let other = "00".repeat(32);
        let refused = unpack(&case.file, &case.place, GENESIS, Some(&other)).unwrap_err();
        let text = refused.to_string();
        assert!(text.contains(&case.sha256) && text.contains(&other), "{text}");
    }

    #[test]
    fn snapshot_should_be_refused_when_its_format_is_another() {
        let case = case("format");
        let mut bytes = fs::read(&case.file).unwrap();
        bytes[7] += 1;
        fs::write(&case.file, bytes).unwrap();
        let refused = unpack(&case.file, &case.place, GENESIS, None).unwrap_err();
        assert!(matches!(refused, SnapshotError::Format { .. }), "{refused}");
    }

    #[test]
    fn name_should_be_refused_when_it_leads_out_of_the_folder() {
        for name in ["../x", "/x", "a/b", "..", ".", "lock", "a/", ""] {
            let length = u16::try_from(name.len()).unwrap();
            assert!(read_name(&mut name.as_bytes(), length).is_err(), "{name}");
        }
        assert!(read_name(&mut "table_00_1".as_bytes(), 10).is_ok());
    }
}
