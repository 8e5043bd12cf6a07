//! Payments between two channels in memory: what signatures, checks and encoding cost, without disk
//! and network. Both parties share one core here.

use crate::{
    fixture::Channels,
    measure::{repeat, Bench, Row},
};
use failsafe_channel::Channel;
use failsafe_tests::harness::{failure, Failure};
use std::hint::black_box;

const GROUP: &str = "engine";
/// Payments that one acknowledgement covers when a hub is busy.
const LAZY: u32 = 64;

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
    let size = stored.len();
    Ok(vec![
        each.row(GROUP, "payment", "payments, each acknowledged; both sides on one core"),
        lazy.row(GROUP, "payment, lazy", format!("payments, one acknowledgement for {LAZY}")),
        encode.row(GROUP, "encode state", format!("states of {size} bytes, all acknowledged")),
        decode.row(GROUP, "decode state", format!("states of {size} bytes, all acknowledged")),
    ])
}
