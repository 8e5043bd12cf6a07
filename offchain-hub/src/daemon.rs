//! A party with its RPC server, as one process runs it.

use crate::{
    chain::{ChainClient, ChainError},
    party::{Party, PartyConfig, PartyError},
    rpc::{self, server::ServerError, Running, Service, ServiceConfig},
};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::sync::Notify;
use tracing::info;

/// Why a party does not start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The party.
    #[error(transparent)]
    Party(#[from] PartyError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The RPC server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// It stopped by itself.
    #[error("the party stopped by itself: see the log above")]
    Stopped,
}

/// A running party that can be asked.
pub struct Daemon {
    party: Arc<Party>,
    server: Running,
    stop: Arc<Notify>,
}

impl Daemon {
    /// Starts party and server. `stop` is told when somebody asks for a stop.
    pub async fn start(
        client: ChainClient,
        party: PartyConfig,
        service: ServiceConfig,
        rpc: SocketAddr,
        dir: &Path,
    ) -> Result<Self, DaemonError> {
        let stop = service.stop.clone();
        let party = Arc::new(Party::start(client, party).await?);
        let service = Service::new(party.clone(), service).await?;
        // Ends with the party.
        tokio::spawn(service.clone().pay_standing_orders());
        let server = rpc::serve(service, rpc, dir).await?;
        Ok(Self { party, server, stop })
    }

    /// The party.
    pub fn party(&self) -> &Party {
        &self.party
    }

    /// How it is asked.
    pub fn server(&self) -> &Running {
        &self.server
    }

    /// Runs until somebody asks for a stop, by RPC or by a signal.
    pub async fn run(self) -> Result<(), DaemonError> {
        tokio::select! {
            () = self.stop.notified() => info!("stopping on request"),
            () = signalled() => info!("stopping"),
            () = self.party.wait_stopped() => return Err(DaemonError::Stopped),
        }
        self.shut_down().await;
        Ok(())
    }

    /// Stops server and party.
    pub async fn shut_down(self) {
        drop(self.server);
        self.party.stop().await;
    }
}

/// Returns at SIGINT or SIGTERM.
pub async fn signalled() {
    use tokio::signal::unix::{signal, SignalKind};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers the signals end the process at once, which it survives as well.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {},
        _ = terminate.recv() => {},
    }
}
