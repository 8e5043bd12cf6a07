//! `failsafe`: the wallet's commands.

use clap::{Args, Parser, Subcommand};
use failsafe_hub::{
    chain::ChainClient,
    cli::{doctor::Subject, finish, init_logging, PartyCommand, SecretArgs, StoreCommand},
    faucet::FaucetRpcClient,
    rpc::{
        api::TowerRow,
        client::{client, contact, explain},
        names::hub_rows,
        FailsafeRpcClient,
    },
};
use failsafe_wallet::{Wallet, WalletError};
use jsonrpsee::http_client::HttpClientBuilder;
use std::{
    fmt::Display,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A Failsafe wallet: pay at once, in any currency, beyond what is locked for you.
#[derive(Parser)]
#[command(name = "failsafe", version)]
struct Cli {
    /// Directory of the wallet
    #[arg(long, global = true, env = "FAILSAFE_DIR", default_value = ".failsafe")]
    dir: PathBuf,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a wallet
    Init(Init),
    /// The wallet's account
    Address,
    /// Hubs of the chain; `hubs add @one` makes one of them the wallet's
    Hubs {
        #[command(subcommand)]
        action: Option<HubsAction>,
    },
    /// Watchtowers: they answer disputes and reveal secrets while the wallet is away
    Tower {
        #[command(subcommand)]
        action: TowerAction,
    },
    /// Get money on a development chain
    Faucet {
        /// Address of the faucet
        #[arg(long, default_value = "http://127.0.0.1:9952")]
        url: String,
    },
    /// Channels as they are stored, without node or hub; while the wallet does not run
    Offline,
    /// Stay online: receive payments, watch the chain
    Daemon {
        /// Where commands go; this machine only
        #[arg(long, default_value = "127.0.0.1:0")]
        rpc: SocketAddr,
    },
    #[command(flatten)]
    Store(StoreCommand),
    #[command(flatten)]
    Party(PartyCommand),
}

#[derive(Subcommand)]
enum HubsAction {
    /// Add a hub to the wallet
    Add {
        /// @handle or account
        hub: String,
    },
}

#[derive(Subcommand)]
enum TowerAction {
    /// Add a watchtower; it sees what you and your hubs have paid each other
    Add {
        /// account@host:port#key, as `failsafe-tower run` prints it
        tower: String,
    },
    /// The wallet's watchtowers, and how much of its channels they have
    List,
}

#[derive(Args)]
struct Init {
    /// WebSocket address of a node
    #[arg(long, default_value = "ws://127.0.0.1:9944")]
    node: String,
    /// First hub: @handle or account
    #[arg(long)]
    hub: Option<String>,
    #[command(flatten)]
    secret: SecretArgs,
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
    let Cli { dir, json, command } = cli;
    init_logging(if matches!(command, Command::Daemon { .. }) { "info" } else { "error" });
    match command {
        Command::Init(init) => initialize(&dir, init).await,
        Command::Address => {
            println!("{}", Wallet::open(&dir).map_err(text)?.account());
            Ok(())
        },
        Command::Hubs { action: None } => {
            let node = Wallet::open(&dir).map_err(text)?;
            let chain = ChainClient::connect(node.node()).await.map_err(text)?;
            let ours = node.hubs().map_err(text)?;
            let is_ours = |account: &_| ours.iter().any(|known| known.account == *account);
            let rows = hub_rows(&chain, is_ours).await.map_err(text)?;
            PartyCommand::show_hubs(json, &rows)
        },
        Command::Hubs { action: Some(HubsAction::Add { hub }) } => add_hub(&dir, &hub).await,
        Command::Tower { action: TowerAction::Add { tower } } => add_tower(&dir, &tower),
        Command::Tower { action: TowerAction::List } => list_towers(&dir, json).await,
        Command::Faucet { url } => faucet(&dir, &url).await,
        Command::Offline => offline(&dir),
        Command::Daemon { rpc } => {
            let wallet = Wallet::open(&dir).map_err(text)?;
            wallet.run(rpc, None).await.map_err(text)
        },
        Command::Store(command) => {
            let home = Wallet::home(&dir).map_err(text)?;
            command.run(home, Subject::Wallet, json).await
        },
        Command::Party(command) => ask(&dir, json, command).await,
    }
}

async fn initialize(dir: &Path, init: Init) -> Result<(), String> {
    let key = init.secret.key()?;
    let phrase = key.secret().to_string();
    // The node is asked before anything is written: a wrong address should not leave half a wallet.
    let chain = match &init.hub {
        Some(_) => Some(ChainClient::connect(&init.node).await.map_err(text)?),
        None => None,
    };
    if let (Some(chain), Some(hub)) = (&chain, &init.hub) {
        Wallet::find_hub(chain, hub).await.map_err(text)?;
    }
    let mut wallet = Wallet::create(dir, &init.node, key).map_err(text)?;
    println!("account   {}", wallet.account());
    if init.secret.is_new() {
        println!("secret    {phrase}");
        println!("          write it down: whoever has it has the money");
    }
    println!("directory {} (back it up: channels are money)", dir.display());
    if let (Some(chain), Some(hub)) = (chain, init.hub) {
        wallet.add_hub(&chain, &hub).await.map_err(text)?;
        println!("hub       {hub}");
    }
    Ok(())
}

async fn add_hub(dir: &Path, hub: &str) -> Result<(), String> {
    let mut wallet = Wallet::open(dir).map_err(text)?;
    let chain = ChainClient::connect(wallet.node()).await.map_err(text)?;
    let added = wallet.add_hub(&chain, hub).await.map_err(text)?;
    println!("added     {}", added.account);
    if contact(dir).map_err(text)?.is_some() {
        println!("          restart the wallet's daemon, if it runs, to connect to it");
    }
    Ok(())
}

fn add_tower(dir: &Path, tower: &str) -> Result<(), String> {
    let added = Wallet::open(dir).and_then(|mut wallet| wallet.add_tower(tower)).map_err(text)?;
    println!("added     {}", added.account);
    println!(
        "          it gets your channels when the wallet's daemon is started anew; its operator"
    );
    println!("          must let {} in", Wallet::open(dir).map_err(text)?.account());
    Ok(())
}

/// Asks the running wallet; of one that does not run, only the addresses are known.
async fn list_towers(dir: &Path, json: bool) -> Result<(), String> {
    let running = match contact(dir).map_err(text)? {
        Some(contact) if failsafe_wallet::wallet::is_running(dir).map_err(text)? => Some(contact),
        _ => None,
    };
    let rows = match running {
        Some(contact) => client(&contact).map_err(text)?.towers().await.map_err(explain)?,
        None => {
            let towers = Wallet::open(dir).and_then(|wallet| wallet.towers()).map_err(text)?;
            towers.iter().map(TowerRow::idle).collect()
        },
    };
    PartyCommand::show_towers(json, &rows)
}

async fn faucet(dir: &Path, url: &str) -> Result<(), String> {
    let account = Wallet::open(dir).map_err(text)?.account();
    let faucet = HttpClientBuilder::default()
        .request_timeout(Duration::from_secs(180))
        .build(url)
        .map_err(|e| format!("{url} is not the address of a faucet: {e}"))?;
    let given = faucet.drip(account.to_string()).await.map_err(explain)?;
    println!("got {} FRD; final in block {}", given.amount, given.block);
    Ok(())
}

fn offline(dir: &Path) -> Result<(), String> {
    let wallet = Wallet::open(dir).map_err(text)?;
    println!("account   {}", wallet.account());
    for channel in wallet.stored_channels().map_err(text)? {
        let summary = channel.summary();
        println!("channel   {} (epoch {})", channel.partner(), summary.epoch);
        for row in summary.assets {
            println!(
                "          asset {}: insured {}, uninsured {}, owed by you {} (smallest units)",
                row.asset, row.own_insured, row.own_uninsured, row.partner_uninsured
            );
        }
    }
    Ok(())
}

/// Sends a request to the running wallet, or runs it for as long as the request takes.
async fn ask(dir: &Path, json: bool, command: PartyCommand) -> Result<(), String> {
    if let Some(contact) = contact(dir).map_err(text)? {
        if failsafe_wallet::wallet::is_running(dir).map_err(text)? {
            return command.run(&client(&contact).map_err(text)?, json).await;
        }
    }
    if matches!(command, PartyCommand::Stop) {
        return Err("this wallet is not running".into());
    }
    let wallet = Wallet::open(dir).map_err(text)?;
    let daemon = wallet.start(SocketAddr::from(([127, 0, 0, 1], 0))).await;
    let daemon = daemon.map_err(|e: WalletError| text(e))?;
    let answer = match client(daemon.server().contact()) {
        Ok(client) => command.run(&client, json).await,
        Err(error) => Err(text(error)),
    };
    daemon.shut_down().await;
    answer
}
