//! What the machine is, and what it can do at best: one signature, one sync of the disk, one round
//! trip. The other numbers are to be read next to these.

use crate::measure::{repeat, Bench, Row};
use failsafe_tests::harness::{failure, Failure};
use serde::Serialize;
use sp_core::{sr25519, Pair};
use std::{
    fmt,
    fs::{self, File},
    hint::black_box,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

const GROUP: &str = "machine";
/// What is appended before a sync.
const APPENDED: [u8; 4096] = [7; 4096];
/// What makes a round trip.
const MESSAGE: [u8; 64] = [7; 64];

/// The machine, as the kernel describes it.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Model of the processor.
    pub cpu: String,
    /// How many cores a process may use.
    pub cores: usize,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Release of the kernel.
    pub kernel: String,
    /// Processes that wanted to run at the start, on average over a minute: others' work.
    pub load: f64,
}

impl Machine {
    /// Reads it from `/proc`.
    pub fn read() -> Result<Self, Failure> {
        let cpu = fs::read_to_string("/proc/cpuinfo")?;
        let memory = fs::read_to_string("/proc/meminfo")?;
        let load = fs::read_to_string("/proc/loadavg")?;
        let memory = field(&memory, "MemTotal").ok_or_else(|| failure("/proc/meminfo"))?;
        let kibibytes: u64 = memory.trim_end_matches("kB").trim().parse()?;
        Ok(Self {
            cpu: field(&cpu, "model name").unwrap_or("unknown").into(),
            cores: thread::available_parallelism()?.get(),
            memory_bytes: kibibytes.saturating_mul(1024),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().into(),
            load: load.split(' ').next().unwrap_or_default().parse()?,
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, memory_bytes, kernel, load } = self;
        let memory = memory_bytes / (1 << 20);
        write!(f, "{cpu}, {cores} cores, {memory} MiB, Linux {kernel}, load {load} at the start")
    }
}

/// The value behind `name:` in a file of `/proc`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value.trim())
    })
}

/// What the machine can do at best.
pub fn limits(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let mut rows = signatures(bench)?;
    rows.extend(disk(bench)?);
    rows.push(loopback(bench)?);
    Ok(rows)
}

fn signatures(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let pair = sr25519::Pair::from_seed(&[1; 32]);
    let message = [2; 32];
    let sign = repeat(bench.count(5_000), 1, || {
        black_box(pair.sign(black_box(&message)));
        Ok(())
    })?;
    let (signature, public) = (pair.sign(&message), pair.public());
    let verify = repeat(bench.count(5_000), 1, || {
        let good = sr25519::Pair::verify(&signature, black_box(&message), &public);
        good.then_some(()).ok_or_else(|| failure("a good signature is refused"))
    })?;
    Ok(vec![
        sign.row(GROUP, "sr25519 sign", "signatures over 32 bytes, one core"),
        verify.row(GROUP, "sr25519 verify", "signatures over 32 bytes, one core"),
    ])
}

/// The store uses `fdatasync`.
fn disk(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let dir = bench.temporary()?;
    let append = |name: &str, sync: fn(&File) -> std::io::Result<()>| {
        let mut file = File::create(dir.path().join(name))?;
        repeat(bench.count(500), 1, || {
            file.write_all(&APPENDED)?;
            Ok(sync(&file)?)
        })
    };
    let all = append("all", File::sync_all)?;
    let data = append("data", File::sync_data)?;
    Ok(vec![
        all.row(GROUP, "fsync", "appends of 4 KiB, each with fsync"),
        data.row(GROUP, "fdatasync", "appends of 4 KiB, each with fdatasync"),
    ])
}

fn loopback(bench: &Bench) -> Result<Row, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let echo = thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let mut message = MESSAGE;
        // Until the other side closes it.
        while stream.read_exact(&mut message).is_ok() {
            stream.write_all(&message)?;
        }
        Ok(())
    });
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut message = MESSAGE;
    let samples = repeat(bench.count(10_000), 1, || {
        stream.write_all(&message)?;
        Ok(stream.read_exact(&mut message)?)
    })?;
    drop(stream);
    echo.join().map_err(|_| failure("the echo panicked"))??;
    Ok(samples.row(GROUP, "loopback", "TCP round trips of 64 bytes between two threads"))
}
