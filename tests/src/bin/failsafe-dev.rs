//! `failsafe-dev`: a chain, a hub and a faucet to develop against, until Ctrl-C.

use clap::Parser;
use failsafe_hub::{chain::ChainClient, daemon::signalled, rpc::FailsafeRpcClient};
use failsafe_tests::harness::{eventually, failure, program, Failure, LocalHub, Process};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

/// How long each part may take to start.
const START: Duration = Duration::from_secs(60);
/// How long each part may take to stop.
const STOP: Duration = Duration::from_secs(20);
const NODE_PORT: u16 = 9944;
const HUB_PORT: u16 = 9950;
const HUB_RPC_PORT: u16 = 9951;
const FAUCET_PORT: u16 = 9952;
/// Accounts of the development chain that belong to hub and faucet.
const HUB_SECRET: &str = "//Eve";
const FAUCET_SECRET: &str = "//Ferdie";
const HANDLE: &str = "dev";

/// A development chain (port 9944), a hub (@dev) and a faucet; Ctrl-C stops all of them.
#[derive(Parser)]
#[command(name = "failsafe-dev", version)]
struct Cli {
    /// Where chain, hub and faucet keep what they know
    #[arg(long, env = "FAILSAFE_DEV_DIR", default_value = ".failsafe-dev")]
    dir: PathBuf,
    /// Stop again when everything runs
    #[arg(long)]
    check: bool,
}

fn hub() -> LocalHub {
    LocalHub {
        name: "hub",
        handle: HANDLE,
        secret: HUB_SECRET,
        port: HUB_PORT,
        rpc_port: HUB_RPC_PORT,
        peer: None,
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            eprintln!("       logs are in {}; `make clean-dev` starts afresh", cli.dir.display());
            ExitCode::FAILURE
        },
    }
}

async fn run(cli: &Cli) -> Result<(), Failure> {
    std::fs::create_dir_all(&cli.dir)?;
    for (port, what) in [
        (NODE_PORT, "node"),
        (HUB_PORT, "hub"),
        (HUB_RPC_PORT, "hub's commands"),
        (FAUCET_PORT, "faucet"),
    ] {
        TcpListener::bind(("127.0.0.1", port)).map_err(|e| {
            failure(format!("port {port} ({what}) is not free ({e}): is `make dev` running?"))
        })?;
    }
    let mut parts = Vec::new();
    let started = tokio::select! {
        started = start(&cli.dir, &mut parts) => Some(started),
        () = signalled() => None,
    };
    let ended = match started {
        None => Ok(()),
        Some(Err(problem)) => Err(problem),
        Some(Ok(())) => {
            explain(&cli.dir)?;
            if cli.check {
                Ok(())
            } else {
                tokio::select! {
                    problem = watch(&mut parts) => Err(problem),
                    () = signalled() => Ok(()),
                }
            }
        },
    };
    println!("stopping");
    while let Some(part) = parts.pop() {
        // What has ended by itself cannot be stopped, which is reported already.
        let _ = part.stop(STOP).await;
    }
    ended
}

/// Starts everything; what runs is in `parts`, in the order of starting.
async fn start(dir: &Path, parts: &mut Vec<Process>) -> Result<(), Failure> {
    println!("starting the node");
    let mut node = Command::new(program("failsafe-node")?);
    node.args(["--dev", "--base-path"])
        .arg(dir.join("chain"))
        .args(["--rpc-port", &NODE_PORT.to_string(), "--rpc-cors", "all"])
        .args(["--no-prometheus", "--no-telemetry", "--no-mdns", "--state-pruning", "256"]);
    parts.push(Process::start("node", node, dir)?);
    let url = format!("ws://127.0.0.1:{NODE_PORT}");
    let client =
        running(parts, "the node answers", || async { Ok(ChainClient::connect(&url).await.ok()) })
            .await?;

    println!("starting the hub");
    let hub = hub();
    parts.push(Process::start(hub.name, hub.command(dir, &url)?, dir)?);
    running(parts, "the hub answers", || async { Ok(hub.rpc(dir)?.status().await.ok()) }).await?;
    if client.hub_by_handle(HANDLE).await?.is_none() {
        println!("registering it as @{HANDLE}");
        hub.register(dir).await?;
    }

    println!("starting the faucet");
    let mut faucet = Command::new(program("failsafe-hub")?);
    faucet
        .args(["faucet", "--suri", FAUCET_SECRET, "--node", &url])
        .args(["--listen", &format!("127.0.0.1:{FAUCET_PORT}"), "--dir"])
        .arg(dir.join("faucet"));
    parts.push(Process::start("faucet", faucet, dir)?);
    running(parts, "the faucet listens", || async {
        Ok(std::net::TcpStream::connect(("127.0.0.1", FAUCET_PORT)).ok())
    })
    .await?;
    Ok(())
}

/// Waits for something while nothing has ended.
async fn running<T, F, L>(parts: &mut [Process], what: &str, mut look: L) -> Result<T, Failure>
where
    L: FnMut() -> F,
    F: std::future::Future<Output = Result<Option<T>, Failure>>,
{
    let found = eventually(what, START, || {
        let ended = first_ended(parts);
        let looked = look();
        async move {
            match ended {
                Some(problem) => Ok(Some(Err(problem))),
                None => Ok(looked.await?.map(Ok)),
            }
        }
    });
    found.await?
}

fn first_ended(parts: &mut [Process]) -> Option<Failure> {
    parts.iter_mut().find_map(|part| match part.ended() {
        Ok(None) => None,
        Ok(Some(status)) => Some(part.failed(&format!("it ended with {status}"))),
        Err(problem) => Some(problem),
    })
}

/// Returns when something has ended that should not.
async fn watch(parts: &mut [Process]) -> Failure {
    loop {
        if let Some(problem) = first_ended(parts) {
            return problem;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn explain(dir: &Path) -> Result<(), Failure> {
    let programs = program("failsafe")?;
    let programs = programs.parent().unwrap_or(Path::new(".")).display();
    println!(
        r#"
Everything runs; logs are in {dir}.

  chain    ws://127.0.0.1:{NODE_PORT}   Alice has sudo; a block every second
           look at it: https://polkadot.js.org/apps/?rpc=ws%3A%2F%2F127.0.0.1%3A{NODE_PORT}#/explorer
           (Developer > Runtime calls > failsafeApi shows channels, debts and hubs)
  hub      @{HANDLE} on 127.0.0.1:{HUB_PORT}
  faucet   http://127.0.0.1:{FAUCET_PORT}

Try this in another terminal:

  export PATH="{programs}:$PATH"
  failsafe --dir ann init --hub @{HANDLE}        # a wallet with a channel to the hub
  failsafe --dir ann faucet                   # money to play with
  failsafe --dir ann deposit 5000             # insurance for what you own
  failsafe --dir bob init --hub @{HANDLE}
  failsafe --dir bob daemon &                 # bob stays online
  failsafe --dir ann pay $(failsafe --dir bob address)@{HANDLE} 1000
  failsafe --dir bob status                   # 1000 uninsured, within bob's credit line
  failsafe-hub --config {dir}/hub.toml rebalance
  failsafe --dir bob status                   # 1000 insured

Ctrl-C stops all of it; `make clean-dev` forgets it."#,
        dir = dir.display(),
    );
    Ok(())
}
