//! Payments between two channels in memory: what signatures, checks and encoding cost, without disk
//! and network. Both parties share one core here.
//!
//! Next to payments without a signature stands what no payment can do without: the session's cipher,
//! which authenticates every message.

use crate::{
    fixture::Channels,
    measure::{repeat, Bench, Row},
};
use failsafe_channel::Channel;
use failsafe_tests::harness::{failure, Failure};
use snow::{Builder, HandshakeState};
use std::hint::black_box;

const GROUP: &str = "engine";
/// Payments that one acknowledgement covers when a hub is busy.
const LAZY: u32 = 64;
/// The cipher of sessions, without a key that has to be known before.
const PATTERN: &str = "Noise_NN_25519_ChaChaPoly_BLAKE2s";
/// Longest message of the handshake, and what the cipher adds to a message.
const SPARE: usize = 128;

/// Measures.
pub fn run(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let mut channels = Channels::new()?;
    let each = repeat(bench.count(2_000), 1, || {
        channels.pay()?;
        channels.acknowledge()
    })?;
    let stored = channels.left().encode_state();
    let mut waiting = 0;
    let lazy = repeat(bench.count(200), LAZY, || {
        channels.pay()?;
        waiting += 1;
        if waiting == LAZY {
            waiting = 0;
            channels.acknowledge()?;
        }
        Ok(())
    })?;
    let encode = repeat(bench.count(2_000), 100, || {
        black_box(channels.left().encode_state());
        Ok(())
    })?;
    let decode = repeat(bench.count(2_000), 100, || {
        black_box(Channel::decode_state(black_box(&stored)).map_err(failure)?);
        Ok(())
    })?;
    channels.allow_unsigned()?;
    channels.acknowledge()?;
    waiting = 0;
    let unsigned = repeat(bench.count(200), LAZY, || {
        channels.pay_unsigned()?;
        waiting += 1;
        if waiting == LAZY {
            waiting = 0;
            // The engine has signed this one.
            channels.acknowledge()?;
        }
        Ok(())
    })?;
    // Once more, for the size of one without a signature.
    channels.pay_unsigned()?;
    let session = session(bench, channels.message_size())?;
    let size = stored.len();
    Ok(vec![
        each.row(GROUP, "payment", "payments, each acknowledged; both sides on one core"),
        lazy.row(GROUP, "payment, lazy", format!("payments, one acknowledgement for {LAZY}")),
        unsigned.row(
            GROUP,
            "payment, unsigned",
            format!("payments, one signature and one acknowledgement for {LAZY}"),
        ),
        session,
        encode.row(GROUP, "encode state", format!("states of {size} bytes, all acknowledged")),
        decode.row(GROUP, "decode state", format!("states of {size} bytes, all acknowledged")),
    ])
}

/// What the session costs for a message: one side seals it, the other opens it.
fn session(bench: &Bench, size: usize) -> Result<Row, Failure> {
    let pattern = || PATTERN.parse().map_err(|_| failure("a pattern that Noise does not know"));
    let mut ends =
        [Builder::new(pattern()?).build_initiator()?, Builder::new(pattern()?).build_responder()?];
    for from in [0, 1] {
        let mut buffer = [0; SPARE];
        let length = ends[from].write_message(&[], &mut buffer)?;
        ends[1 - from].read_message(&buffer[..length], &mut [0; SPARE])?;
    }
    let [sender, receiver] = ends.map(HandshakeState::into_stateless_transport_mode);
    let (sender, receiver) = (sender?, receiver?);
    let plain = vec![7; size];
    let (mut sealed, mut opened) = (vec![0; size.saturating_add(SPARE)], vec![0; size]);
    let mut counter = 0;
    let samples = repeat(bench.count(2_000), 100, || {
        let length = sender.write_message(counter, &plain, &mut sealed)?;
        receiver.read_message(counter, &sealed[..length], &mut opened)?;
        black_box(&opened);
        counter += 1;
        Ok(())
    })?;
    Ok(samples.row(GROUP, "session MAC", format!("messages of {size} bytes, sealed and opened")))
}
