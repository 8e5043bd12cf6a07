//! `failsafe-tower`: runs a watchtower, and asks a running one.

use clap::{Args, Parser, Subcommand};
use failsafe_channel::Sign;
use failsafe_hub::{
    address,
    chain::ChainClient,
    cli::{finish, init_logging, table, SecretArgs},
    daemon::signalled,
    keys::AccountKey,
    rpc::{
        client::{client, contact, explain},
        server::serve_methods,
    },
    store::{self, FjallStore, Store},
    transport::TransportKey,
};
use failsafe_tower::{
    config::{template, TowerConfig},
    rpc::{Methods, TowerRpcClient, TowerRpcServer, TowerStatus},
    runtime::{Tower, TowerSetup},
    session::Admission,
};
use jsonrpsee::http_client::HttpClient;
use std::{
    fmt::Display,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use tokio::sync::Notify;
use tracing::info;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A Failsafe watchtower: answers disputes and reveals secrets for hubs and wallets that are away. It
/// has no key of theirs.
#[derive(Parser)]
#[command(name = "failsafe-tower", version)]
struct Cli {
    /// Configuration file
    #[arg(long, global = true, default_value = "tower.toml", env = "FAILSAFE_TOWER_CONFIG")]
    config: PathBuf,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a configuration and make keys and store
    Init(Init),
    /// Run the tower until it is told to stop
    Run,
    /// How the running tower is: what it watches, what is wrong
    Status,
    /// Stop the running tower
    Stop,
}

#[derive(Args)]
struct Init {
    /// WebSocket address of a node
    #[arg(long, default_value = "ws://127.0.0.1:9944")]
    node: String,
    /// Folder for keys and store, relative to the configuration
    #[arg(long, default_value = "tower")]
    dir: PathBuf,
    /// Where clients connect
    #[arg(long, default_value = "127.0.0.1:9960")]
    listen: String,
    /// Where the operator's commands go
    #[arg(long, default_value = "127.0.0.1:9961")]
    rpc: SocketAddr,
    /// Account of a hub or wallet to watch for; may be given several times
    #[arg(long = "client")]
    clients: Vec<String>,
    /// Watch for whoever comes, within the limits
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

const KEY: &str = "key.json";
const TRANSPORT_KEY: &str = "transport.key";
const STORE: &str = "store";

fn text(error: impl Display) -> String {
    error.to_string()
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    finish(run(cli).await)
}

async fn run(cli: Cli) -> Result<(), String> {
    match cli.command {
        Command::Init(init) => initialize(&cli.config, init),
        Command::Run => run_tower(&cli.config).await,
        Command::Status => {
            let status = running(&cli.config)?.status().await.map_err(explain)?;
            if cli.json {
                println!("{}", serde_json::to_string_pretty(&status).map_err(text)?);
            } else {
                println!("{}", status_text(&status));
            }
            Ok(())
        },
        Command::Stop => running(&cli.config)?.stop().await.map_err(explain),
    }
}

/// The running tower of a configuration.
fn running(config: &Path) -> Result<HttpClient, String> {
    let config = TowerConfig::load(config).map_err(text)?;
    let contact = contact(&config.dir).map_err(text)?;
    let contact = contact.ok_or("the tower is not running: start it with `failsafe-tower run`")?;
    client(&contact).map_err(text)
}

fn initialize(config: &Path, init: Init) -> Result<(), String> {
    if config.exists() {
        return Err(format!("{} exists already: it is not overwritten", config.display()));
    }
    for client in &init.clients {
        address::account(client).map_err(text)?;
    }
    if init.clients.is_empty() && !init.open {
        return Err("for whom? --client <account>, or --open for whoever comes".into());
    }
    let key = init.secret.key()?;
    let dir = config.parent().unwrap_or(Path::new("")).join(&init.dir);
    let problem = |e: std::io::Error| format!("{}: {e}", dir.display());
    fs::create_dir_all(&dir).map_err(problem)?;
    if fs::read_dir(&dir).map_err(problem)?.next().is_some() {
        return Err(format!("{} is not empty: choose another folder", dir.display()));
    }
    key.save(&dir.join(KEY)).map_err(text)?;
    TransportKey::generate().save(&dir.join(TRANSPORT_KEY)).map_err(text)?;
    let store = FjallStore::create(&dir.join(STORE)).map_err(text)?;
    store::initialize(&store, &key.account()).map_err(text)?;
    let Init { node, listen, rpc, clients, open, .. } = &init;
    let written = template(node, &init.dir, listen, *rpc, clients, *open);
    fs::write(config, written).map_err(|e| format!("{}: {e}", config.display()))?;
    println!("account   {}", key.account());
    println!("next      send FRD to the account for fees, look through {}, then", config.display());
    println!("          failsafe-tower run --config {}", config.display());
    Ok(())
}

async fn run_tower(path: &Path) -> Result<(), String> {
    init_logging("info");
    let config = TowerConfig::load(path).map_err(text)?;
    let key = AccountKey::load(&config.dir.join(KEY)).map_err(text)?;
    let transport = TransportKey::load(&config.dir.join(TRANSPORT_KEY)).map_err(text)?;
    let store: Arc<dyn Store> = Arc::new(FjallStore::open(&config.dir.join(STORE)).map_err(text)?);
    let chain = ChainClient::connect(&config.node).await.map_err(text)?;
    let limits = config.limits(&chain.assets().await.map_err(text)?).map_err(text)?;
    let clients = config.clients().map_err(text)?;
    let admission = Admission {
        clients: (!config.open).then_some(clients),
        packets_per_second: config.packets_per_second,
    };
    let listen = config.listen.clone();
    let setup = TowerSetup { key, transport, listen, admission, limits, store };
    let tower = Arc::new(Tower::start(chain, setup).await.map_err(text)?);
    let stop = Arc::new(Notify::new());
    let methods = Methods { tower: tower.clone(), stop: stop.clone() };
    let server = serve_methods(methods.into_rpc(), config.rpc, &config.dir).await.map_err(text)?;
    println!("tower     {}", tower.address());
    println!("commands  {} (see failsafe-tower --help)", server.contact().url);
    tokio::select! {
        () = stop.notified() => info!("stopping on request"),
        () = signalled() => info!("stopping"),
        () = tower.wait_stopped() => {
            return Err("the tower stopped by itself: see the log above".into());
        },
    }
    drop(server);
    tower.stop().await;
    Ok(())
}

fn status_text(status: &TowerStatus) -> String {
    let TowerStatus { counts, .. } = status;
    let mut rows = table(&["tower", ""]);
    let fresh = if status.fresh { "" } else { "  NO NEW BLOCKS" };
    let funds = status.funds.map_or_else(|| "not read yet".into(), |funds| funds.0.to_string());
    rows.add_row(["address", &status.address]);
    rows.add_row([
        "chain",
        &format!(
            "{}, block {} (final {}), clock {}{fresh}",
            status.chain, status.best, status.finalized, status.clock
        ),
    ]);
    rows.add_row(["for fees", &format!("{funds} smallest units of FRD")]);
    rows.add_row([
        "watching",
        &format!(
            "{} channels of {} clients, {} bytes, {} secrets",
            status.channels, status.clients, status.bytes, status.secrets
        ),
    ]);
    rows.add_row([
        "packets",
        &format!("{} taken, {} refused", counts.packets_taken, counts.packets_refused),
    ]);
    rows.add_row([
        "done",
        &format!(
            "{} counters, {} secrets, {} resolves; {} calls refused, {} missed",
            counts.counters_done,
            counts.secrets_revealed,
            counts.resolves_done,
            counts.calls_refused,
            counts.missed
        ),
    ]);
    for [left, right] in &status.disputes {
        rows.add_row(["dispute", &format!("{left} and {right}")]);
    }
    for call in &status.pending_calls {
        rows.add_row(["pending", call]);
    }
    for alarm in &status.alarms {
        rows.add_row(["ALARM", &alarm.text]);
    }
    rows.to_string()
}
