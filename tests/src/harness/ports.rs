//! Ports for processes that listen.

use rand::seq::SliceRandom;
use std::{
    io,
    net::{TcpListener, UdpSocket},
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// Below those that systems give to outgoing connections.
const PORTS: Range<u16> = 15_000..32_000;

/// So many belong to one program at once.
const BLOCK: u16 = 100;
const _: () =
    assert!((PORTS.end - PORTS.start).is_multiple_of(BLOCK), "the last block is a whole one");

/// What is left of this program's newest block, and the holders of all its blocks.
static OURS: Mutex<(Range<u16>, Vec<UdpSocket>)> = Mutex::new((0..0, Vec::new()));

/// A port that nobody listens on, and that nobody else is given: it stays free until its process
/// listens, and while that is restarted. A program owns a block of ports while it holds a UDP socket
/// on the first of them, so others that run at the same time take theirs from elsewhere.
///
/// # Errors
/// If no block is free, with what the system said of the last one.
pub fn free_port() -> io::Result<u16> {
    let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    let (left, held) = &mut *ours;
    loop {
        if let Some(port) = left.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()) {
            return Ok(port);
        }
        let (block, holder) = free_block()?;
        held.push(holder);
        *left = block;
    }
}

fn free_block() -> io::Result<(Range<u16>, UdpSocket)> {
    let mut blocks: Vec<u16> = PORTS.step_by(BLOCK.into()).collect();
    blocks.shuffle(&mut rand::thread_rng());
    let mut last = None;
    for first in blocks {
        match UdpSocket::bind(("127.0.0.1", first)) {
            Ok(holder) => return Ok((first..first.saturating_add(BLOCK), holder)),
            Err(problem) => last = Some(problem),
        }
    }
    let why = last.map(|problem| format!(" ({problem})")).unwrap_or_default();
    Err(io::Error::other(format!(
        "no block of ports is free in {PORTS:?}{why}: are older tests still running?"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn port_should_be_given_out_once_when_nobody_listens_on_it_yet() -> io::Result<()> {
        let count = usize::from(BLOCK) * 2;
        let ports = (0..count).map(|_| free_port()).collect::<Result<BTreeSet<_>, _>>()?;
        assert_eq!(ports.len(), count);
        Ok(())
    }

    #[test]
    fn block_should_be_given_out_once_when_its_holder_is_there() -> io::Result<()> {
        let blocks = (0..10).map(|_| free_block()).collect::<Result<Vec<_>, _>>()?;
        let first: BTreeSet<_> = blocks.iter().map(|(block, _)| block.start).collect();
        assert_eq!(first.len(), blocks.len());
        Ok(())
    }
}
