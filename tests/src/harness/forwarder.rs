//! An address that leads to one of several hubs, as a balancer or a floating address does.

use super::Failure;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Forwards connections to a target that can change; gone when dropped.
pub struct Forwarder {
    address: SocketAddr,
    target: watch::Sender<String>,
    task: JoinHandle<()>,
    open: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Forwarder {
    /// Listens on a free port and forwards to `target`.
    pub async fn start(target: &str) -> Result<Self, Failure> {
        Self::start_at(0, target).await
    }

    /// Listens on this port and forwards to `target`; port 0 means any free one.
    pub async fn start_at(port: u16, target: &str) -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let (target, current) = watch::channel(target.to_string());
        let open = Arc::new(Mutex::new(vec![]));
        let known = open.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let to = current.borrow().clone();
                let connection = tokio::spawn(async move {
                    if let Ok(mut to) = TcpStream::connect(to).await {
                        // Ends with either side.
                        let _ = copy_bidirectional(&mut from, &mut to).await;
                    }
                });
                lock(&known).push(connection);
            }
        });
        Ok(Self { address, target, task, open })
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Forwards to another target from now on; open connections end.
    pub fn lead_to(&self, target: &str) {
        self.target.send_replace(target.to_string());
        for connection in lock(&self.open).drain(..) {
            connection.abort();
        }
    }
}

fn lock(open: &Mutex<Vec<JoinHandle<()>>>) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
    // The list is whole whoever panicked.
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.task.abort();
        for connection in lock(&self.open).drain(..) {
            connection.abort();
        }
    }
}
