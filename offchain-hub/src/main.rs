//! `failsafe-hub`: runs a hub, and asks a running one.

use clap::{Args, Parser, Subcommand};
use failsafe_hub::{
    chain::ChainClient,
    cli::{
        doctor::Subject, finish, init_logging_as, openrpc, Home, LogFormat, OperatorCommand,
        PartyCommand, SecretArgs, StoreCommand,
    },
    config::{template, with_store, HubConfig},
    daemon::signalled,
    faucet::{self, FaucetRules},
    hub::{self, KEY, STORE, TRANSPORT_KEY},
    keys::{AccountKey, Scheme},
    party::{Party, PartyConfig, Policy},
    rpc::{client, FailsafeRpcClient},
    store::{self, postgres::Options, FjallStore, Place},
    transport::TransportKey,
};
use jsonrpsee::http_client::HttpClient;
use std::{
    fmt::Display,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A Failsafe hub: forwards payments between its users and rebalances their insurance on chain.
#[derive(Parser)]
#[command(name = "failsafe-hub", version)]
struct Cli {
    /// Configuration file
    #[arg(long, global = true, default_value = "hub.toml", env = "FAILSAFE_HUB_CONFIG")]
    config: PathBuf,
    /// How the log of `run` and `faucet` is written
    #[arg(long, global = true, default_value = "text", env = "FAILSAFE_LOG_FORMAT")]
    log_format: LogFormat,
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
    /// Run the hub until it is told to stop
    Run,
    /// Register the running hub on chain, so that wallets find it
    Register {
        /// @handle: a-z, 0-9 and -
        handle: String,
        /// What users connect to, host:port
        endpoint: String,
    },
    /// Take proofs from spenders and insure receivers, in one batch
    Rebalance {
        /// Only say what it would do
        #[arg(long)]
        dry_run: bool,
    },
    /// Watchtowers of the running hub, and how much of its channels they have
    Towers,
    /// Print the OpenRPC document of the hub's RPC
    Openrpc,
    /// Give money to everybody who asks; on development chains only
    Faucet(Faucet),
    #[command(flatten)]
    Store(StoreCommand),
    #[command(flatten)]
    Operator(OperatorCommand),
    #[command(flatten)]
    Party(PartyCommand),
}

#[derive(Args)]
struct Init {
    /// WebSocket address of a node
    #[arg(long, default_value = "ws://127.0.0.1:9944")]
    node: String,
    /// Folder for keys and store, relative to the configuration
    #[arg(long, default_value = "hub")]
    dir: PathBuf,
    /// Where users connect
    #[arg(long, default_value = "127.0.0.1:9950")]
    listen: String,
    /// Where the operator's commands go
    #[arg(long, default_value = "127.0.0.1:9951")]
    rpc: SocketAddr,
    /// Keep the store in this PostgreSQL database, postgres://user@host/database
    #[arg(long)]
    store: Option<String>,
    /// Another process of the hub in this folder: take its keys (docs/processes.md)
    #[arg(long, conflicts_with_all = ["suri", "secret_file"])]
    keys_of: Option<PathBuf>,
    #[command(flatten)]
    secret: SecretArgs,
}

#[derive(Args)]
struct Faucet {
    /// WebSocket address of a node
    #[arg(long, default_value = "ws://127.0.0.1:9944")]
    node: String,
    /// Folder for the faucet's store
    #[arg(long, default_value = "faucet")]
    dir: PathBuf,
    /// Secret of the account that pays
    #[arg(long, default_value = "//Alice")]
    suri: String,
    /// Where it listens
    #[arg(long, default_value = "127.0.0.1:9952")]
    listen: SocketAddr,
    /// FRD per request
    #[arg(long, default_value_t = 10_000)]
    amount: u32,
    /// Seconds until the same account may ask again
    #[arg(long, default_value_t = 60)]
    pause: u64,
    /// How many times it gives within 24 hours, however many ask
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    shares: u32,
}

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
        Command::Run => hub::run(&cli.config, cli.log_format, None).await,
        Command::Faucet(faucet) => run_faucet(faucet, cli.log_format).await,
        Command::Openrpc => {
            println!("{}", openrpc());
            Ok(())
        },
        Command::Register { handle, endpoint } => {
            let done =
                running(&cli.config)?.register(handle, endpoint).await.map_err(client::explain)?;
            PartyCommand::show_on_chain(cli.json, "registered", &done)
        },
        Command::Rebalance { dry_run } => {
            let view = running(&cli.config)?.rebalance(dry_run).await.map_err(client::explain)?;
            PartyCommand::show_rebalance(cli.json, &view)
        },
        Command::Towers => {
            let rows = running(&cli.config)?.towers().await.map_err(client::explain)?;
            PartyCommand::show_towers(cli.json, &rows)
        },
        Command::Store(command) => {
            let config = HubConfig::load(&cli.config).map_err(text)?;
            let home = Home {
                key: config.dir.join(KEY),
                place: config.place().map_err(text)?,
                node: config.node.clone(),
                dir: config.dir.clone(),
            };
            let transport = config.dir.join(TRANSPORT_KEY);
            command.run(home, Subject::Hub { config: Box::new(config), transport }, cli.json).await
        },
        Command::Operator(command) => command.run(&running(&cli.config)?, cli.json).await,
        Command::Party(command) => command.run(&running(&cli.config)?, cli.json).await,
    }
}

/// The running hub of a configuration.
fn running(config: &Path) -> Result<HttpClient, String> {
    let config = HubConfig::load(config).map_err(text)?;
    let contact = client::contact(&config.dir).map_err(text)?;
    let contact = contact.ok_or("the hub is not running: start it with `failsafe-hub run`")?;
    client::client(&contact).map_err(text)
}

/// Makes a folder; refuses one that has something in it.
fn make_empty_dir(dir: &Path) -> Result<(), String> {
    let problem = |e: std::io::Error| format!("{}: {e}", dir.display());
    fs::create_dir_all(dir).map_err(problem)?;
    match fs::read_dir(dir).map_err(problem)?.next() {
        None => Ok(()),
        Some(_) => Err(format!("{} is not empty: choose another folder", dir.display())),
    }
}

fn initialize(config: &Path, init: Init) -> Result<(), String> {
    use failsafe_channel::Sign;
    if config.exists() {
        return Err(format!("{} exists already: it is not overwritten", config.display()));
    }
    let (key, transport) = match &init.keys_of {
        None => (init.secret.key()?, TransportKey::generate()),
        Some(dir) => (
            AccountKey::load(&dir.join(KEY)).map_err(text)?,
            TransportKey::load(&dir.join(TRANSPORT_KEY)).map_err(text)?,
        ),
    };
    let mut written = template(&init.node, &init.dir, &init.listen, init.rpc);
    let database = match &init.store {
        None => None,
        Some(url) => {
            written = with_store(&written, url);
            Some(Place::Postgres(Options::new(url, DEFAULT_LEASE)?))
        },
    };
    let dir = config.parent().unwrap_or(Path::new("")).join(&init.dir);
    make_empty_dir(&dir)?;
    key.save(&dir.join(KEY)).map_err(text)?;
    transport.save(&dir.join(TRANSPORT_KEY)).map_err(text)?;
    let place = database.unwrap_or_else(|| Place::Directory(dir.join(STORE)));
    let store = place.create().map_err(text)?;
    store::initialize(&*store, &key.account()).map_err(text)?;
    if init.keys_of.is_some() {
        store::need_share(&*store).map_err(text)?;
    }
    fs::write(config, written).map_err(|e| format!("{}: {e}", config.display()))?;
    println!("account   {}", key.account());
    println!("folder    {} (back it up: channels are money)", dir.display());
    if init.keys_of.is_some() {
        println!("next      plan the processes in [processes] of {}, then", config.display());
    } else {
        println!("next      send FRD to the account, look through {}, then", config.display());
    }
    println!("          failsafe-hub run --config {}", config.display());
    Ok(())
}

/// Of the process that makes a store in a database.
const DEFAULT_LEASE: Duration = Duration::from_secs(5);

async fn run_faucet(options: Faucet, log: LogFormat) -> Result<(), String> {
    use failsafe_channel::Sign;
    init_logging_as("info", log);
    let key = AccountKey::from_uri(Scheme::Sr25519, &options.suri).map_err(text)?;
    let client = ChainClient::connect(&options.node).await.map_err(text)?;
    faucet::check_chain(client.info()).map_err(text)?;
    let path = options.dir.join(STORE);
    let store = if path.exists() {
        FjallStore::open(&path).map_err(text)?
    } else {
        fs::create_dir_all(&options.dir).map_err(text)?;
        let store = FjallStore::create(&path).map_err(text)?;
        store::initialize(&store, &key.account()).map_err(text)?;
        store
    };
    let assets = client.assets().await.map_err(text)?;
    let native = assets.first().ok_or("the chain has no assets")?;
    let unit = 10u128.checked_pow(native.decimals.into()).ok_or("impossible decimals")?;
    let amount = unit.checked_mul(options.amount.into()).ok_or("the amount is too large")?;
    let config = PartyConfig {
        key,
        policy: Policy::payer(),
        store: Arc::new(store),
        onion_key: [0; 32],
        processes: None,
        listen: None,
        peers: vec![],
        towers: vec![],
        interceptor: None,
    };
    let party = Arc::new(Party::start(client, config).await.map_err(text)?);
    let pause = Duration::from_secs(options.pause);
    let shares = usize::try_from(options.shares).map_err(text)?;
    let rules = FaucetRules { amount, pause, shares };
    let faucet = faucet::serve(party.clone(), rules, options.listen).await.map_err(text)?;
    println!("faucet    http://{} gives {} FRD", faucet.address(), options.amount);
    tokio::select! {
        () = signalled() => {},
        () = party.wait_stopped() => return Err("the faucet stopped by itself".into()),
    }
    drop(faucet);
    party.stop().await;
    Ok(())
}
