//! Answers `GET /metrics`, and nothing else.

use super::gauges::Exporter;
use crate::transport::accept_each;
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    header::{HeaderValue, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
    Method, Request, Response, StatusCode,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};
use tracing::{debug, warn};

/// Scrapers at the same time; further ones wait.
const MAX_CONNECTIONS: usize = 16;
/// How long a scraper may take to say what it wants.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// What the answer is.
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What can go wrong with the server.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The address is taken or not ours.
    #[error("cannot serve metrics on {address} ({source}): choose another address for `metrics`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A running server; stops when dropped.
pub struct MetricsServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl MetricsServer {
    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves what `exporter` tells on `address`; port 0 takes a free one.
pub async fn serve(exporter: Exporter, address: SocketAddr) -> Result<MetricsServer, MetricsError> {
    let listen = |source| MetricsError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    if !address.ip().is_loopback() {
        warn!(%address, "metrics can be read by others: they tell what the hub owes");
    }
    let exporter = Arc::new(exporter);
    let task = tokio::spawn(async move {
        tokio::join!(exporter.follow_balances(), scrapes(listener, exporter.clone()));
    });
    Ok(MetricsServer { address, task })
}

async fn scrapes(listener: TcpListener, exporter: Arc<Exporter>) {
    accept_each(listener, MAX_CONNECTIONS, |stream, place| {
        let exporter = exporter.clone();
        async move {
            let _place = place;
            let service = service_fn(move |request| answer(exporter.clone(), request));
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service)
                .await;
            if let Err(problem) = served {
                debug!(%problem, "metrics: a connection ended");
            }
        }
    })
    .await;
}

async fn answer(
    exporter: Arc<Exporter>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, text, format) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, exporter.text().await, FORMAT),
        (_, "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, "GET only\n".into(), "text/plain"),
        _ => (StatusCode::NOT_FOUND, "metrics are at /metrics\n".into(), "text/plain"),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format));
    Ok(response)
}
