//! What the parts of a payment cost at least on this machine: the CPU time of each by itself, with
//! nothing around it. Measured in the same run as what is held against them.

use super::cpu;
use crate::measure::{median, Bench};
use failsafe_tests::harness::{failure, Failure};
use sp_core::{ed25519, Pair};
use std::{
    hint::black_box,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
    time::Instant,
};

/// Signatures that are checked together.
pub const BATCH: usize = 64;
/// Payments that one sync covers in a busy hub.
const PER_SYNC: u32 = 64;
/// Bytes of a message that carries one payment, encrypted.
const MESSAGE: usize = 300;
/// Bytes that a payment adds to a log at least: both updates with their signatures.
const LOGGED: usize = 512;
/// Bytes that a payment adds to a log when 64 share a signature.
const LOGGED_MANY: usize = 128;
/// How often each figure is taken; the median counts.
const ROUNDS: usize = 5;

/// CPU time of each part, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// An ed25519 signature is checked.
    pub verify: f64,
    /// The same in a batch of [`BATCH`] across different keys.
    pub verify_batch: f64,
    /// An ed25519 signature is made.
    pub sign: f64,
    /// A message is read from a socket, with a system call of its own.
    pub read: f64,
    /// A message is written to a socket, with a system call of its own.
    pub write: f64,
    /// A payment's share of an append and a sync.
    pub log: f64,
    /// The same when 64 payments share a signature.
    pub log_many: f64,
    /// A record is made durable: time, not CPU.
    pub sync: f64,
}

impl Floor {
    /// Measures.
    pub fn measure(bench: &Bench) -> Result<Self, Failure> {
        let [verify, verify_batch, sign] = signatures(bench)?;
        let [read, write] = sockets(bench)?;
        let dir = bench.temporary()?;
        let log = log(bench, dir.path(), LOGGED)?;
        let log_many = self::log(bench, dir.path(), LOGGED_MANY)?;
        let sync = sync(bench, dir.path())?;
        Ok(Self { verify, verify_batch, sign, read, write, log, log_many, sync })
    }

    /// Reads the payer's message, checks it, signs, logs, writes to the payee.
    pub fn single(&self) -> f64 {
        self.verify + self.sign + self.read + self.write + self.log
    }

    /// The same with checks in batches and a signature for many answers.
    pub fn batched(&self) -> f64 {
        self.verify_batch + self.sign / BATCH as f64 + self.read + self.write + self.log
    }

    /// A payment's part of an update of so many.
    pub fn shared(&self, payments: usize) -> f64 {
        (self.verify + self.sign + self.read + self.write) / payments as f64 + self.log_many
    }

    /// A payment of which only one of so many has signatures.
    pub fn unsigned(&self, payments: u64) -> f64 {
        (self.verify + self.sign) / payments as f64 + self.read + self.write + self.log_many
    }

    /// From the payer's disk over the hub's to the payee's, with nothing in between but signatures
    /// and messages.
    pub fn latency(&self) -> f64 {
        3.0 * self.sync + 2.0 * (self.verify + self.sign + self.read + self.write)
    }

    /// Lock and settlement on both channels, and the secret's way back.
    pub fn locked(&self) -> f64 {
        2.0 * (self.verify + self.sign + self.log) + 3.0 * (self.read + self.write)
    }
}

/// CPU time of one of so many calls, the median of some rounds.
fn cpu_of(count: u32, mut op: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let mut rounds = vec![];
    for _ in 0..ROUNDS {
        let start = cpu::thread()?;
        for _ in 0..count {
            op()?;
        }
        rounds.push((cpu::thread()? - start) / f64::from(count));
    }
    Ok(median(rounds))
}

fn signatures(bench: &Bench) -> Result<[f64; 3], Failure> {
    let count = bench.count(2_000);
    let mut signed = vec![];
    for number in 0..BATCH {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        let pair = ed25519::Pair::from_seed(&seed);
        let message = seed;
        let signature = pair.sign(&message);
        signed.push((pair, message, signature));
    }
    let (pair, message, signature) = signed.first().ok_or_else(|| failure("no keys"))?;
    let verify = cpu_of(count, || {
        let good = ed25519::Pair::verify(signature, black_box(message), &pair.public());
        good.then_some(()).ok_or_else(|| failure("a good signature is refused"))
    })?;
    let sign = cpu_of(count, || {
        black_box(pair.sign(black_box(message)));
        Ok(())
    })?;
    let batch = cpu_of(count.div_ceil(32), || {
        let mut verifier = ed25519_zebra::batch::Verifier::new();
        for (pair, message, signature) in &signed {
            let key = ed25519_zebra::VerificationKeyBytes::from(pair.public().0);
            let signature = ed25519_zebra::Signature::from(signature.0);
            verifier.queue((key, signature, black_box(message)));
        }
        Ok(verifier.verify(rand::rngs::OsRng)?)
    })?;
    Ok([verify, batch / BATCH as f64, sign])
}

/// One thread writes messages, another one reads them, each with a call of its own. Both wait for
/// each other now and then, so that no buffer is full and no reader sleeps for every message.
fn sockets(bench: &Bench) -> Result<[f64; 2], Failure> {
    const BURST: u32 = 64;
    let bursts = bench.count(1_000).max(100);
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let reader = thread::spawn(move || -> Result<f64, Failure> {
        let (mut stream, _) = listener.accept()?;
        let mut message = [0; MESSAGE];
        let start = cpu::thread()?;
        for _ in 0..bursts {
            for _ in 0..BURST {
                stream.read_exact(&mut message)?;
            }
            stream.write_all(&[1])?;
        }
        Ok((cpu::thread()? - start) / f64::from(bursts) / f64::from(BURST))
    });
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let message = [7; MESSAGE];
    let start = cpu::thread()?;
    for _ in 0..bursts {
        for _ in 0..BURST {
            stream.write_all(&message)?;
        }
        stream.read_exact(&mut [0])?;
    }
    let write = (cpu::thread()? - start) / f64::from(bursts) / f64::from(BURST);
    let read = reader.join().map_err(|_| failure("the reader panicked"))??;
    Ok([read, write])
}

/// How long one record takes to the disk.
fn sync(bench: &Bench, dir: &Path) -> Result<f64, Failure> {
    let mut log = super::log::Log::create(&dir.join("sync"))?;
    let record = vec![7; LOGGED];
    let times = (0..bench.count(200)).map(|_| {
        log.add(0, &record)?;
        let begun = Instant::now();
        log.sync()?;
        Ok(begun.elapsed().as_nanos() as f64)
    });
    Ok(median(times.collect::<Result<_, Failure>>()?))
}

fn log(bench: &Bench, dir: &Path, bytes: usize) -> Result<f64, Failure> {
    let mut log = super::log::Log::create(&dir.join("floor"))?;
    let record = vec![7; bytes];
    let cost = cpu_of(bench.count(200), || {
        for _ in 0..PER_SYNC {
            log.add(0, &record)?;
        }
        log.sync()
    })?;
    Ok(cost / f64::from(PER_SYNC))
}
