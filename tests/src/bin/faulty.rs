//! `failsafe-faulty`: a hub or a wallet with faults, for tests. It runs the very libraries that
//! `failsafe-hub` and `failsafe` run; those have no such switch.

use clap::{Parser, Subcommand};
use failsafe_hub::{
    cli::{finish, init_logging, LogFormat},
    hub,
    party::Interceptor,
};
use failsafe_tests::fault::{Fault, Faulty, NAMES};
use failsafe_wallet::Wallet;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Runs a hub or a wallet that fails on purpose. Ask it with `failsafe-hub` and `failsafe`.
#[derive(Parser)]
#[command(name = "failsafe-faulty", version)]
struct Cli {
    #[arg(long = "fault", global = true, value_name = "FAULT", help = format!("One of {NAMES}; may be repeated"))]
    faults: Vec<Fault>,
    /// What is by chance follows from it
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    program: Program,
}

#[derive(Subcommand)]
enum Program {
    /// As failsafe-hub
    Hub {
        /// Configuration file
        #[arg(long, global = true, default_value = "hub.toml", env = "FAILSAFE_HUB_CONFIG")]
        config: PathBuf,
        #[command(subcommand)]
        command: HubCommand,
    },
    /// As failsafe
    Wallet {
        /// Directory of the wallet
        #[arg(long, global = true, env = "FAILSAFE_DIR", default_value = ".failsafe")]
        dir: PathBuf,
        #[command(subcommand)]
        command: WalletCommand,
    },
}

#[derive(Subcommand)]
enum HubCommand {
    /// Run the hub until it is told to stop
    Run,
}

#[derive(Subcommand)]
enum WalletCommand {
    /// Stay online: receive payments, watch the chain
    Daemon {
        /// Where commands go; this machine only
        #[arg(long, default_value = "127.0.0.1:0")]
        rpc: SocketAddr,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    finish(run(Cli::parse()).await)
}

async fn run(cli: Cli) -> Result<(), String> {
    let faulty: Box<dyn Interceptor> = Box::new(Faulty::new(cli.faults, cli.seed));
    match cli.program {
        Program::Hub { config, command: HubCommand::Run } => {
            hub::run(&config, LogFormat::Text, Some(faulty)).await
        },
        Program::Wallet { dir, command: WalletCommand::Daemon { rpc } } => {
            init_logging("info");
            let wallet = Wallet::open(&dir).map_err(|e| e.to_string())?;
            wallet.run(rpc, Some(faulty)).await.map_err(|e| e.to_string())
        },
    }
}
