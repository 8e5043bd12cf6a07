//! The server: on this machine only, for who can read a token file.

use super::{
    events::EventsRpcServer,
    governance_api::GovernanceRpcServer,
    guard::{Guard, Guarded, RequestQuota, Scope, Token},
    methods,
    operator_api::OperatorRpcServer,
    FailsafeRpcServer, Service,
};
use crate::keys::{write_private, KeyError};
use jsonrpsee::{
    core::{middleware::RpcServiceBuilder, RegisterMethodError},
    server::{BatchRequestConfig, Methods, RpcModule, Server, ServerConfig, ServerHandle},
};
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tower_http::validate_request::ValidateRequestHeaderLayer;

/// Where clients find a running party, in its directory, with the token that may do everything.
pub const FILE: &str = "rpc.json";
/// The same with the token that may move money.
pub const SPEND_FILE: &str = "rpc.spend.json";
/// The same with the token that may look.
pub const READ_FILE: &str = "rpc.read.json";
/// Longest request; the longest honest one has some hundred bytes.
const MAX_REQUEST: u32 = 64 * 1024;
/// Connections at the same time.
const MAX_CONNECTIONS: u32 = 64;
/// Subscriptions of one connection.
const MAX_SUBSCRIPTIONS: u32 = 16;

/// How a running party is reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// `http://127.0.0.1:…`.
    pub url: String,
    /// Bearer token.
    pub token: Token,
    /// What it allows.
    pub scope: Scope,
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
    /// A contact file.
    #[error(transparent)]
    File(#[from] KeyError),
    /// Two methods with one name.
    #[error("the methods of the RPC: {0}")]
    Methods(#[from] RegisterMethodError),
    /// What is served is not what the table says.
    #[error(
        "the table of RPC methods is not what is served: {0}; this is a mistake of the program"
    )]
    Table(String),
}

/// A running server; stops when dropped, and takes its contact files away.
pub struct Running {
    handle: ServerHandle,
    contact: Contact,
    paths: Vec<PathBuf>,
}

impl Running {
    /// How it is reached, with the token that may do everything.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // All may be gone already.
        let _ = self.handle.stop();
        for path in &self.paths {
            // Another process may have taken over and left its own.
            let known = std::fs::read_to_string(path).unwrap_or_default();
            if known.contains(&format!("\"pid\": {}", self.contact.pid)) {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// The contact file with the token of a scope.
pub fn file_of(scope: Scope) -> &'static str {
    match scope {
        Scope::Admin => FILE,
        Scope::Spend => SPEND_FILE,
        Scope::Read => READ_FILE,
    }
}

/// All methods of a service. What the table of methods does not have is not served, and what it has is.
fn module_of(service: Service) -> Result<RpcModule<()>, ServerError> {
    let mut module = RpcModule::new(());
    let mut tables = vec![methods::PARTY, methods::GOVERNANCE, methods::EVENTS];
    let mut document = methods::wallet_document();
    if service.operator().is_ok() {
        module.merge(OperatorRpcServer::into_rpc(service.clone()))?;
        tables.push(methods::OPERATOR);
        document = methods::hub_document();
    }
    module.merge(EventsRpcServer::into_rpc(service.clone()))?;
    module.merge(GovernanceRpcServer::into_rpc(service.clone()))?;
    module.merge(FailsafeRpcServer::into_rpc(service))?;
    module.register_method(methods::DISCOVER, move |_, _, _| document.clone())?;
    let served = module.method_names().map(str::to_string).collect();
    let wrong: Vec<String> =
        methods::names(&tables).symmetric_difference(&served).cloned().collect();
    if wrong.is_empty() {
        Ok(module)
    } else {
        Err(ServerError::Table(wrong.join(", ")))
    }
}

/// Serves the methods of another program on `address`, for who has the one token that it leaves in
/// `dir`: everything is the admin's.
pub async fn serve_methods(
    methods: impl Into<Methods>,
    address: SocketAddr,
    dir: &Path,
) -> Result<Running, ServerError> {
    if !address.ip().is_loopback() {
        return Err(ServerError::Exposed(address));
    }
    let token = Token::generate();
    let bearer = ValidateRequestHeaderLayer::bearer(token.reveal());
    let http = tower::ServiceBuilder::new().layer(bearer);
    let listen = |source| ServerError::Listen { address, source };
    let server =
        Server::builder().set_config(limits()).set_http_middleware(http).build(address).await;
    let server = server.map_err(listen)?;
    let url = format!("http://{}", server.local_addr().map_err(listen)?);
    let contact = Contact { url, token, scope: Scope::Admin, pid: std::process::id() };
    let path = leave(&contact, dir)?;
    let handle = server.start(methods);
    Ok(Running { handle, contact, paths: vec![path] })
}

fn limits() -> ServerConfig {
    ServerConfig::builder()
        .max_request_body_size(MAX_REQUEST)
        .max_connections(MAX_CONNECTIONS)
        .max_subscriptions_per_connection(MAX_SUBSCRIPTIONS)
        .set_batch_request_config(BatchRequestConfig::Disabled)
        .build()
}

/// Writes a contact file.
fn leave(contact: &Contact, dir: &Path) -> Result<PathBuf, ServerError> {
    let path = dir.join(file_of(contact.scope));
    // Left behind by a process that was killed: the store's lock says that it is gone.
    let _ = std::fs::remove_file(&path);
    let text = serde_json::to_string_pretty(contact).expect("plain strings; qed");
    write_private(&path, text.as_bytes())?;
    Ok(path)
}

/// Serves `service` on `address` and leaves notes of it in `dir`.
pub async fn serve(
    service: Service,
    address: SocketAddr,
    dir: &Path,
) -> Result<Running, ServerError> {
    if !address.ip().is_loopback() {
        return Err(ServerError::Exposed(address));
    }
    // A wallet is asked by its owner only.
    let quota = match service.operator() {
        Ok(operator) => operator.requests().clone(),
        Err(_) => RequestQuota::default(),
    };
    let guard = Guard::new(quota, service.counters().clone());
    let module = module_of(service)?;
    let listen = |source| ServerError::Listen { address, source };
    let http =
        tower::ServiceBuilder::new().layer(ValidateRequestHeaderLayer::custom(guard.clone()));
    let judge = guard.clone();
    let rpc =
        RpcServiceBuilder::new().layer_fn(move |service| Guarded { service, guard: judge.clone() });
    let server = Server::builder()
        .set_config(limits())
        .set_http_middleware(http)
        .set_rpc_middleware(rpc)
        .build(address)
        .await
        .map_err(listen)?;
    let local = server.local_addr().map_err(listen)?;
    let mut paths = vec![];
    let mut admin = None;
    // The admin's file comes last: who finds it finds the others.
    let mut tokens: Vec<_> = guard.tokens().collect();
    tokens.sort_by_key(|(scope, _)| *scope);
    for (scope, token) in tokens {
        let url = format!("http://{local}");
        let contact = Contact { url, token: token.clone(), scope, pid: std::process::id() };
        paths.push(leave(&contact, dir)?);
        admin = Some(contact);
    }
    let contact = admin.expect("there are three scopes; qed");
    let handle = server.start(module);
    Ok(Running { handle, contact, paths })
}
