//! Real processes: a chain of nodes, a hub, wallets.

pub mod chain;
pub mod events;
pub mod follower;
pub mod forwarder;
pub mod governor;
pub mod hub;
pub mod local_hub;
pub mod network;
pub mod peer;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod rpc;
pub mod tower;
pub mod town;
pub mod wallet;
pub mod wires;

pub use chain::{Chain, ChainOptions, VALIDATORS};
pub use follower::Follower;
pub use forwarder::Forwarder;
pub use governor::Governor;
pub use hub::{Hub, HubOptions};
pub use local_hub::LocalHub;
pub use network::Network;
pub use peer::Peer;
pub use ports::free_port;
pub use process::{program, Process};
pub use rpc::NodeRpc;
pub use tower::Tower;
pub use town::{Place, Plan, Town};
pub use wallet::Wallet;
pub use wires::Wires;

use std::{
    future::Future,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// What goes wrong in a test or in the demo, for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A failure with a text.
pub fn failure(text: impl Into<String>) -> Failure {
    text.into().into()
}

/// A folder for everything that a test's processes write. It stays unless [`Workspace::finish`] says
/// that all went well, so that logs and stores can be looked at.
pub struct Workspace {
    dir: Option<tempfile::TempDir>,
}

impl Workspace {
    /// A new folder.
    pub fn new() -> Result<Self, Failure> {
        let dir = tempfile::Builder::new().prefix("failsafe-").tempdir()?;
        Ok(Self { dir: Some(dir) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.as_ref().expect("there until the drop; qed").path()
    }

    /// A folder in it.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.path().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Removes it: all went well.
    pub fn finish(mut self) -> Result<(), Failure> {
        if let Some(dir) = self.dir.take() {
            dir.close()?;
        }
        Ok(())
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if let Some(dir) = self.dir.take() {
            eprintln!("logs and stores are in {}", dir.keep().display());
        }
    }
}

/// Looks again and again until `look` finds something, for at most `patience`.
pub async fn eventually<T, F, L>(what: &str, patience: Duration, mut look: L) -> Result<T, Failure>
where
    L: FnMut() -> F,
    F: Future<Output = Result<Option<T>, Failure>>,
{
    const PAUSE: Duration = Duration::from_millis(40);
    let start = Instant::now();
    loop {
        let last = match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => None,
            // It may be on its way up.
            Err(problem) => Some(problem),
        };
        if start.elapsed() > patience {
            let why = last.map(|problem| format!(" ({problem})")).unwrap_or_default();
            return Err(failure(format!("{what}: not within {patience:?}{why}")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
