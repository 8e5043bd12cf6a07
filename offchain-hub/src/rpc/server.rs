//! The server: on this machine only, for who can read the token file.

use super::{api::FailsafeRpcServer, Service};
use crate::keys::{write_private, KeyError};
use jsonrpsee::server::{BatchRequestConfig, Methods, Server, ServerConfig, ServerHandle};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tower_http::validate_request::ValidateRequestHeaderLayer;

/// Where clients find a running party, in its directory.
pub const FILE: &str = "rpc.json";
/// Longest request; the longest honest one has some hundred bytes.
const MAX_REQUEST: u32 = 64 * 1024;
/// Connections at the same time.
const MAX_CONNECTIONS: u32 = 64;

/// How a running party is reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// `http://127.0.0.1:…`.
    pub url: String,
    /// Bearer token.
    pub token: String,
    /// Its process.
    pub pid: u32,
}

/// What can go wrong with the server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken or not ours.
    #[error("cannot serve RPC on {address} ({source}): choose another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Others could connect.
    #[error(
        "RPC moves money: {0} is not an address of this machine alone; use 127.0.0.1 and a tunnel"
    )]
    Exposed(SocketAddr),
    /// The contact file.
    #[error(transparent)]
    File(#[from] KeyError),
}

/// A running server; stops when dropped, and takes its contact file away.
pub struct Running {
    handle: ServerHandle,
    contact: Contact,
    path: PathBuf,
}

impl Running {
    /// How it is reached.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both may be gone already.
        let _ = self.handle.stop();
        // Another process may have taken over and left its own.
        let known = std::fs::read_to_string(&self.path).unwrap_or_default();
        if known.contains(&self.contact.token) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Serves `service` on `address` and leaves a note of it in `dir`.
pub async fn serve(
    service: Service,
    address: SocketAddr,
    dir: &Path,
) -> Result<Running, ServerError> {
    serve_methods(service.into_rpc(), address, dir).await
}

/// Serves whatever `methods` a program has, in the same way.
pub async fn serve_methods(
    methods: impl Into<Methods>,
    address: SocketAddr,
    dir: &Path,
) -> Result<Running, ServerError> {
    if !address.ip().is_loopback() {
        return Err(ServerError::Exposed(address));
    }
    let mut secret = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut secret);
    let token = hex::encode(secret);
    let http = tower::ServiceBuilder::new().layer(ValidateRequestHeaderLayer::bearer(&token));
    let config = ServerConfig::builder()
        .max_request_body_size(MAX_REQUEST)
        .max_connections(MAX_CONNECTIONS)
        .set_batch_request_config(BatchRequestConfig::Disabled)
        .build();
    let listen = |source| ServerError::Listen { address, source };
    let server = Server::builder()
        .set_config(config)
        .set_http_middleware(http)
        .build(address)
        .await
        .map_err(listen)?;
    let local = server.local_addr().map_err(listen)?;
    let contact = Contact { url: format!("http://{local}"), token, pid: std::process::id() };
    let path = dir.join(FILE);
    // Left behind by a process that was killed: the store's lock says that it is gone.
    let _ = std::fs::remove_file(&path);
    let text = serde_json::to_string_pretty(&contact).expect("plain strings; qed");
    write_private(&path, text.as_bytes())?;
    let handle = server.start(methods);
    Ok(Running { handle, contact, path })
}
