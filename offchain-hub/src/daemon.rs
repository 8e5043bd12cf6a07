//! A party with its RPC server, as one process runs it.

use crate::{
    chain::{ChainClient, ChainError},
    metrics::{self, gauges::Exporter, MetricsError, MetricsServer},
    party::{Party, PartyConfig, PartyError},
    rpc::{self, names::Assets, server::ServerError, Running, Service, ServiceConfig},
};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::sync::Notify;
use tracing::{error, info, warn};

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
    /// The server of the metrics.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// It stopped by itself.
    #[error("the party stopped by itself: see the log above")]
    Stopped,
}

/// A running party that can be asked.
pub struct Daemon {
    party: Arc<Party>,
    server: Running,
    stop: Arc<Notify>,
    metrics: Option<MetricsServer>,
    service: Service,
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
        let server = rpc::serve(service.clone(), rpc, dir).await?;
        Ok(Self { party, server, stop, metrics: None, service })
    }

    /// Serves the party's numbers on `address`. Returns where.
    pub async fn serve_metrics(&mut self, address: SocketAddr) -> Result<SocketAddr, DaemonError> {
        let assets = Assets::read(self.party.client().clone()).await?;
        let server = metrics::serve(Exporter::new(self.party.clone(), assets), address).await?;
        Ok(self.metrics.insert(server).address())
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
        let reloads = self.service.reloads();
        let ended = tokio::select! {
            () = self.stop.notified() => {
                info!("stopping on request");
                Ok(())
            },
            () = signalled() => {
                info!("stopping");
                Ok(())
            },
            () = self.party.wait_stopped() => Err(DaemonError::Stopped),
            () = reload_on_signal(&self.service), if reloads => Ok(()),
        };
        self.shut_down().await;
        ended
    }

    /// Stops server and party.
    pub async fn shut_down(self) {
        drop(self.server);
        drop(self.metrics);
        self.party.stop().await;
    }
}

/// Reads the configuration again at every SIGHUP, for ever.
async fn reload_on_signal(service: &Service) {
    use tokio::signal::unix::{signal, SignalKind};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        // Without a handler the signal ends the process.
        return std::future::pending().await;
    };
    while hangup.recv().await.is_some() {
        match service.do_reload().await {
            Ok(done) => {
                for note in done.notes {
                    warn!(note, "after the reload");
                }
            },
            Err(problem) => error!(%problem, "reload"),
        }
    }
    std::future::pending().await
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
