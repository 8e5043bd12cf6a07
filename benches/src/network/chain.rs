//! The chain: blocks at a fixed pace that hold so many items, batches that are whole in one block,
//! and final some blocks later.

use std::collections::VecDeque;

/// What a batch is to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose it is.
    pub hub: usize,
    /// Withdrawals and deposits.
    pub items: u64,
}

/// Batches that wait for a block.
#[derive(Clone, Debug)]
pub struct Chain {
    waiting: VecDeque<Entry>,
    room: u64,
    /// Items that all blocks so far have held.
    pub items: u64,
    /// Items of the fullest block.
    pub fullest: u64,
    /// Blocks so far.
    pub blocks: u64,
}

impl Chain {
    /// Blocks have room for so many items.
    pub fn new(room: u64) -> Self {
        Self { waiting: VecDeque::new(), room, items: 0, fullest: 0, blocks: 0 }
    }

    /// A batch is submitted; one that is too large for any block is not taken.
    pub fn submit(&mut self, entry: Entry) -> bool {
        let fits = entry.items <= self.room;
        if fits {
            self.waiting.push_back(entry);
        }
        fits
    }

    /// A block: the batches that wait, oldest first, as long as they fit.
    pub fn block(&mut self) -> Vec<Entry> {
        let (mut left, mut taken) = (self.room, vec![]);
        while let Some(next) = self.waiting.front() {
            let Some(rest) = left.checked_sub(next.items) else { break };
            left = rest;
            taken.extend(self.waiting.pop_front());
        }
        let held = self.room - left;
        self.items += held;
        self.fullest = self.fullest.max(held);
        self.blocks += 1;
        taken
    }

    /// Batches that wait.
    pub fn backlog(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_should_go_into_blocks_in_order_and_whole() {
        let mut chain = Chain::new(10);
        let entry = |hub, items| Entry { hub, items };
        for (hub, items) in [(0, 6), (1, 5), (2, 4), (3, 1)] {
            assert!(chain.submit(entry(hub, items)));
        }
        assert!(!chain.submit(entry(4, 11)), "no block has room for it");
        assert_eq!(
            chain.block(),
            [entry(0, 6)],
            "the next one does not fit, and none overtakes it"
        );
        assert_eq!(chain.block(), [entry(1, 5), entry(2, 4), entry(3, 1)]);
        assert_eq!(chain.block(), []);
        assert_eq!((chain.items, chain.fullest, chain.blocks, chain.backlog()), (16, 10, 3, 0));
    }
}
