//! Taking connections, for as long as the task runs.

use super::{accept, Identity, Session, TransportKey};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::sleep,
};
use tracing::{info, warn};

/// Handshakes of strangers at the same time.
const MAX_HANDSHAKES: usize = 64;
/// Pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(200);

/// Gives every connection to `handle`, in a task of its own. There are `most` permits; who has none
/// waits in the system's queue.
pub(crate) async fn accept_each<F>(
    listener: TcpListener,
    most: usize,
    handle: impl Fn(TcpStream, OwnedSemaphorePermit) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(most));
    let mut running = JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                running.spawn(handle(stream, permit));
            },
            Err(problem) => {
                warn!(%problem, "cannot accept a connection");
                sleep(PAUSE).await;
            },
        }
    }
}

/// Takes sessions and runs each with `run`. A permit is for the handshake only.
pub async fn accept_sessions<F>(
    listener: TcpListener,
    transport: TransportKey,
    identity: Arc<Identity>,
    run: impl Fn(Session) -> F + Clone + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let transport = Arc::new(transport);
    accept_each(listener, MAX_HANDSHAKES, |stream, permit| {
        let (transport, identity, run) = (transport.clone(), identity.clone(), run.clone());
        async move {
            let accepted = accept(stream, &transport, &identity).await;
            drop(permit);
            match accepted {
                Ok(session) => run(session).await,
                Err(reason) => info!(%reason, "refused a connection"),
            }
        }
    })
    .await;
}
