//! How long a following node takes to import a block: verify it, carry it out in WebAssembly, store
//! it. Its own histogram says so, in sums over all blocks; a block's share is the difference that it
//! makes.

use failsafe_tests::harness::{eventually, failure, follower::imports, Failure, Follower};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{task::JoinHandle, time::sleep};

/// How often the node is asked: many times between two blocks.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a block may take to get there and be imported.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time of all imports, by how many there were.
type Sums = Arc<Mutex<BTreeMap<u64, Duration>>>;

/// The imports of a node that has followed the chain of one validator from its beginning. Such a
/// chain has no forks, and a node imports no block twice: that with number n is its nth import.
pub struct Imports {
    sums: Sums,
    watch: JoinHandle<()>,
}

impl Imports {
    /// Begins to watch.
    pub fn watch(follower: &Follower) -> Self {
        let sums = Sums::default();
        let watch = tokio::spawn(watch(follower.metrics(), sums.clone()));
        Self { sums, watch }
    }

    fn sum(&self, blocks: u64) -> Option<Duration> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).get(&blocks).copied()
    }

    /// How long the import of a block took; waits for it.
    pub async fn of(&self, block: u32) -> Result<Duration, Failure> {
        let block = u64::from(block);
        let what = format!("the import of block {block}");
        let after = eventually(&what, PATIENCE, || async { Ok(self.sum(block)) }).await?;
        let before = block.checked_sub(1).and_then(|before| self.sum(before));
        let took = before.and_then(|before| after.checked_sub(before));
        took.ok_or_else(|| failure(format!("{what} cannot be told from the one before it")))
    }
}

impl Drop for Imports {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

async fn watch(metrics: SocketAddr, sums: Sums) {
    loop {
        // A look that fails is made up for by the next one; a block that was missed is found out.
        if let Ok(imports) = imports(metrics).await {
            let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
            sums.insert(imports.blocks, imports.took);
        }
        sleep(PAUSE).await;
    }
}
