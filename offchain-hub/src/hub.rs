//! Runs a hub from its configuration file.

use crate::{
    address,
    chain::ChainClient,
    cli::{init_logging_as, LogFormat},
    config::HubConfig,
    daemon::Daemon,
    keys::AccountKey,
    party::{Interceptor, Listen, PartyConfig, Peer, Role},
    rpc::{Operator, ServiceConfig},
    standby::take_store,
    transport::TransportKey,
};
use failsafe_primitives::view::HubView;
use std::{fmt::Display, path::Path, sync::Arc};
use tokio::sync::Notify;

/// The file of the account key in a hub's folder.
pub const KEY: &str = "key.json";
/// The file of the transport key.
pub const TRANSPORT_KEY: &str = "transport.key";
/// The folder of the store.
pub const STORE: &str = "store";

fn text(error: impl Display) -> String {
    error.to_string()
}

/// A registered hub by `@handle` or account.
async fn find(client: &ChainClient, name: &str) -> Result<HubView, String> {
    let address = address::parse(name).map_err(text)?;
    let found = match (&address.account, &address.hub) {
        (Some(account), None) => client.hub(account).await,
        (None, Some(handle)) => client.hub_by_handle(handle).await,
        _ => return Err(format!("{name:?} is not a hub: expected @handle or its account")),
    };
    let unknown = || format!("there is no hub {name} in the registry: is it registered yet?");
    found.map_err(text)?.ok_or_else(unknown)
}

/// Runs the hub of a configuration file until it is told to stop. Tests give an interceptor.
///
/// # Errors
/// What is wrong, for people, and what to do.
pub async fn run(
    path: &Path,
    log: LogFormat,
    interceptor: Option<Box<dyn Interceptor>>,
) -> Result<(), String> {
    init_logging_as("info", log);
    let config = HubConfig::load(path).map_err(text)?;
    let key = AccountKey::load(&config.dir.join(KEY)).map_err(text)?;
    let transport = TransportKey::load(&config.dir.join(TRANSPORT_KEY)).map_err(text)?;
    let place = config.place().map_err(text)?;
    let client = ChainClient::connect(&config.node).await.map_err(text)?;
    let assets = client.assets().await.map_err(text)?;
    let policy = config.policy(&assets).map_err(text)?;
    let Some(store) = take_store(&place).await.map_err(text)? else { return Ok(()) };
    let service = ServiceConfig {
        role: Role::Hub,
        hubs: vec![],
        onion_key: transport.private(),
        stop: Arc::new(Notify::new()),
        operator: Some(Operator::new(path.to_path_buf(), config.clone(), transport.public())),
    };
    let onion_key = transport.private();
    let towers = config.towers().map_err(text)?;
    let listen = Listen { address: config.listen.clone(), transport };
    let mut peers = vec![];
    for name in &config.peers {
        let hub = find(&client, name).await?;
        peers.push(Peer { account: hub.account, place: None });
    }
    let listen = Some(listen);
    let processes = config.processes().map_err(text)?;
    let party = PartyConfig {
        key,
        policy,
        store,
        onion_key,
        processes,
        listen,
        peers,
        towers,
        interceptor,
    };
    let mut daemon =
        Daemon::start(client, party, service, config.rpc, &config.dir).await.map_err(text)?;
    if let Some(address) = config.metrics {
        let address = daemon.serve_metrics(address).await.map_err(text)?;
        println!("metrics   http://{address}/metrics");
    }
    println!("hub       {}", daemon.party().account());
    if let Some(address) = daemon.party().listening() {
        println!("listening {address}");
    }
    println!("commands  {} (see failsafe-hub --help)", daemon.server().contact().url);
    daemon.run().await.map_err(text)
}
