//! `failsafe-net`: four validators and two hubs on this machine, whose members can be stopped, started,
//! cut off and let in again while the network runs.
//!
//! `up` runs the network and listens on a socket in its folder; the other commands are sent there.

use clap::{Parser, Subcommand};
use failsafe_hub::{chain::ChainClient, daemon::signalled, rpc::FailsafeRpcClient};
use failsafe_tests::harness::{
    eventually, failure,
    network::{Ports, State},
    program, ChainOptions, Failure, LocalHub, Network, Process, Wires, VALIDATORS,
};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Shutdown, TcpListener},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
};

/// How long each part may take to start.
const START: Duration = Duration::from_secs(60);
/// How long a hub may take to stop.
const STOP: Duration = Duration::from_secs(20);
/// RPC of the validators, one after the other.
const RPC_PORT: u16 = 9944;
/// Their peers, one after the other.
const PEER_PORT: u16 = 30_333;
/// Addresses of wires are 10.213.0.x and 10.214.x.y.
const NET: u8 = 213;
/// The longest command.
const COMMAND: u64 = 1_024;

/// Four validators (RPC from port 9944 on) and the hubs @north and @south on this machine
#[derive(Parser)]
#[command(name = "failsafe-net", version)]
struct Cli {
    /// Where the network keeps what it knows
    #[arg(long, env = "FAILSAFE_NET_DIR", default_value = ".failsafe-net")]
    dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the network, or go on with the one that is there; Ctrl-C or `down` stops it
    Up {
        /// Its chain: local, or story without prices
        #[arg(long, default_value = "local")]
        chain: String,
        /// What `cut` cuts: a wire to a network namespace, where this user may make such, or what
        /// the members know of each other
        #[arg(long, value_enum, default_value_t = By::Possible)]
        cut_by: By,
        /// Stop again when everything runs
        #[arg(long)]
        check: bool,
    },
    /// Show who runs, the newest blocks, and how many peers each has
    Status,
    /// Stop a member: alice, bob, charlie, dave, north, south
    Stop { name: String },
    /// Start a member that was stopped
    Start { name: String },
    /// Cut a validator off from the others; it goes on alone
    Cut { name: String },
    /// Let a validator in again that was cut off
    Join { name: String },
    /// Let a node of your own in, by its address with identity: /ip4/…/tcp/…/p2p/…
    Admit { address: String },
    /// Stop the network
    Down,
}

/// What members are cut off by.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// Wires where they are possible
    Possible,
    /// Wires
    Wires,
    /// What they know of each other
    Peers,
}

impl Command {
    /// As it is sent to the process that runs the network; nothing for `up`.
    fn line(&self) -> Option<String> {
        Some(match self {
            Self::Up { .. } => return None,
            Self::Status => "status".into(),
            Self::Stop { name } => format!("stop {name}"),
            Self::Start { name } => format!("start {name}"),
            Self::Cut { name } => format!("cut {name}"),
            Self::Join { name } => format!("join {name}"),
            Self::Admit { address } => format!("admit {address}"),
            Self::Down => "down".into(),
        })
    }
}

/// The hubs, and the validator whose node each uses.
fn hubs() -> [(LocalHub, &'static str); 2] {
    let north = LocalHub {
        name: "north",
        handle: "north",
        secret: "//Eve",
        port: 9950,
        rpc_port: 9951,
        peer: None,
    };
    let south = LocalHub {
        name: "south",
        handle: "south",
        secret: "//Ferdie",
        port: 9953,
        rpc_port: 9954,
        peer: Some("@north"),
    };
    [(north, "alice"), (south, "bob")]
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match (&cli.command, cli.command.line()) {
        (Command::Up { chain, cut_by, check }, _) => up(&cli.dir, chain, *cut_by, *check).await,
        (_, Some(line)) => ask(&cli.dir, &line).map(|answer| print!("{answer}")),
        (_, None) => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        },
    }
}

fn socket(dir: &Path) -> PathBuf {
    dir.join("control.sock")
}

/// Sends a command to the process that runs the network.
fn ask(dir: &Path, line: &str) -> Result<String, Failure> {
    let path = socket(dir);
    let mut stream = UnixStream::connect(&path).map_err(|e| {
        failure(format!("no network runs in {} ({e}): start it with `make net`", dir.display()))
    })?;
    stream.write_all(line.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.strip_prefix("error: ") {
        Some(problem) => Err(failure(problem.trim())),
        None => Ok(answer),
    }
}

/// A running network.
struct Running {
    network: Network,
    hubs: BTreeMap<&'static str, Process>,
    dir: PathBuf,
}

async fn up(dir: &Path, chain: &str, cut_by: By, check: bool) -> Result<(), Failure> {
    std::fs::create_dir_all(dir)?;
    if ask(dir, "status").is_ok() {
        return Err(failure("the network runs already: `scripts/net status` shows it"));
    }
    let dir = dir.canonicalize()?;
    let ports: Vec<_> = (0..4).map(|i| Ports { peers: PEER_PORT + i, rpc: RPC_PORT + i }).collect();
    let taken = ports.iter().flat_map(|ports| [ports.peers, ports.rpc]);
    for port in taken.chain(hubs().iter().flat_map(|(hub, _)| [hub.port, hub.rpc_port])) {
        TcpListener::bind(("127.0.0.1", port)).map_err(|e| {
            failure(format!("port {port} is not free ({e}): stop `make dev`, or what else has it"))
        })?;
    }
    let options = ChainOptions { preset: chain.into(), validators: 4, ..ChainOptions::default() };
    let wires = match cut_by {
        By::Peers => None,
        By::Possible if !Wires::possible() => None,
        By::Possible | By::Wires => {
            println!("laying a wire to a network namespace for each validator");
            let members = VALIDATORS.into_iter().zip(&ports);
            let members: Vec<_> = members.map(|(name, ports)| (name, ports.rpc)).collect();
            Some(Wires::lay("fs", NET, &members).await?)
        },
    };
    let network = Network::prepare(&options, &ports, &dir, wires)?;
    let mut running = Running { network, hubs: BTreeMap::new(), dir: dir.clone() };
    let started = tokio::select! {
        started = running.start() => started.map(|()| true),
        () = signalled() => Ok(false),
    };
    let ended = match started {
        Ok(true) => {
            running.explain()?;
            match check {
                true => Ok(()),
                false => running.serve().await,
            }
        },
        Ok(false) => Ok(()),
        Err(problem) => Err(problem),
    };
    println!("stopping");
    let stopped = running.stop().await;
    ended.and(stopped).map_err(|problem| {
        failure(format!(
            "{problem}\nlogs are in {}; `scripts/net forget` starts afresh",
            dir.display()
        ))
    })
}

impl Running {
    async fn start(&mut self) -> Result<(), Failure> {
        for name in self.network.names() {
            println!("starting {name}");
            self.network.start_member(&name).await?;
        }
        println!("waiting for the first final block");
        self.network.wait_finalized("alice", 1).await?;
        for (hub, _) in hubs() {
            println!("starting the hub @{}", hub.handle);
            self.start_hub(&hub).await?;
        }
        Ok(())
    }

    async fn start_hub(&mut self, hub: &LocalHub) -> Result<(), Failure> {
        let node = hubs().into_iter().find(|(known, _)| known.name == hub.name);
        let (_, node) = node.ok_or_else(|| failure("no such hub"))?;
        let url = self.network.url(node)?;
        let command = hub.command(&self.dir, &url)?;
        let mut process = Process::start(hub.name, command, &self.dir)?;
        let answers = eventually("it answers", START, || {
            let ended = process.ended();
            async {
                if let Some(status) = ended? {
                    return Ok(Some(Err(format!("it ended with {status}"))));
                }
                Ok(hub.rpc(&self.dir)?.status().await.ok().map(|_| Ok(())))
            }
        })
        .await?;
        answers.map_err(|problem| process.failed(&problem))?;
        self.hubs.insert(hub.name, process);
        let client = ChainClient::connect(&url).await?;
        if client.hub_by_handle(hub.handle).await?.is_none() {
            println!("registering @{}", hub.handle);
            hub.register(&self.dir).await?;
        }
        Ok(())
    }

    /// Takes commands until one ends the network, a signal does, or something fails.
    async fn serve(&mut self) -> Result<(), Failure> {
        let path = socket(&self.dir);
        // Of a process that was killed: nobody answers there, as was seen above.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        let served = loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = signalled() => break Ok(()),
                () = tokio::time::sleep(Duration::from_secs(1)) => {
                    match self.first_ended() {
                        Some(problem) => break Err(problem),
                        None => continue,
                    }
                },
            };
            let (mut stream, _) = accepted?;
            let mut line = String::new();
            if (&mut stream).take(COMMAND).read_to_string(&mut line).await.is_err() {
                continue;
            }
            let down = line.trim() == "down";
            let answer = match self.obey(line.trim()).await {
                Ok(text) => text,
                Err(problem) => format!("error: {problem}\n"),
            };
            // Who asked may be gone.
            let _ = stream.write_all(answer.as_bytes()).await;
            if down {
                break Ok(());
            }
        };
        let _ = std::fs::remove_file(&path);
        served
    }

    fn first_ended(&mut self) -> Option<Failure> {
        let hub = self.hubs.values_mut().find_map(|hub| match hub.ended() {
            Ok(None) => None,
            Ok(Some(status)) => Some(hub.failed(&format!("it ended with {status}"))),
            Err(problem) => Some(problem),
        });
        hub.or_else(|| self.network.first_ended())
    }

    async fn obey(&mut self, line: &str) -> Result<String, Failure> {
        let mut words = line.split_whitespace();
        let (command, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let hub = hubs().into_iter().map(|(hub, _)| hub).find(|hub| hub.name == name);
        println!("{line}");
        match (command, hub) {
            ("status", _) => return self.status().await,
            ("down", _) => return Ok("the network stops\n".into()),
            ("stop", Some(hub)) => match self.hubs.remove(hub.name) {
                Some(process) => drop(process.stop(STOP).await?),
                None => return Err(failure(format!("{name} does not run"))),
            },
            ("start", Some(hub)) if self.hubs.contains_key(hub.name) => {
                return Err(failure(format!("{name} runs already")));
            },
            ("start", Some(hub)) => self.start_hub(&hub).await?,
            ("cut" | "join", Some(_)) => {
                return Err(failure("a hub has no peers of its own: cut off its validator"));
            },
            ("stop", None) => self.network.stop_member(name).await?,
            ("start", None) => self.network.start_member(name).await?,
            ("cut", None) => self.network.cut(name).await?,
            ("join", None) => self.network.join(name).await?,
            ("admit", _) => self.network.admit(name).await?,
            _ => return Err(failure(format!("{line:?} is no command: see failsafe-net --help"))),
        }
        self.status().await
    }

    /// A line for each member.
    async fn status(&self) -> Result<String, Failure> {
        let mut text = format!(
            "{:<9}{:<10}{:>8}{:>8}{:>7}  {}\n",
            "member", "state", "best", "final", "peers", "address"
        );
        for name in self.network.names() {
            let (url, rpc) = (self.network.url(&name)?, self.network.rpc(&name)?);
            let state = match self.network.state(&name)? {
                State::Running => "running",
                State::CutOff => "cut off",
                State::Stopped => "stopped",
            };
            let look = async {
                let (best, last) = (rpc.best().await?.number, rpc.finalized().await?.number);
                Ok::<_, Failure>([
                    best.to_string(),
                    last.to_string(),
                    rpc.peers().await?.to_string(),
                ])
            };
            let seen = match state {
                "stopped" => Err(failure("it does not run")),
                _ => look.await,
            };
            let [best, last, peers] = seen.unwrap_or_else(|_| ["-", "-", "-"].map(String::from));
            text += &format!("{name:<9}{state:<10}{best:>8}{last:>8}{peers:>7}  {url}\n");
        }
        for (hub, node) in hubs() {
            let state = if self.hubs.contains_key(hub.name) { "running" } else { "stopped" };
            let place = format!("@{} on {}, node {node}", hub.handle, hub.endpoint());
            text += &format!("{:<9}{state:<10}{:>8}{:>8}{:>7}  {place}\n", hub.name, "", "", "");
        }
        Ok(text)
    }

    fn explain(&self) -> Result<(), Failure> {
        let programs = program("failsafe")?;
        let programs = programs.parent().unwrap_or(Path::new(".")).display().to_string();
        println!("\nEverything runs; logs are in {}.\n", self.dir.display());
        for name in self.network.names() {
            let url = self.network.url(&name)?;
            let link = url.replace(':', "%3A").replace('/', "%2F");
            println!("  {name:<9}{url}   https://polkadot.js.org/apps/?rpc={link}#/explorer");
        }
        for (hub, node) in hubs() {
            println!("  {:<9}@{} on {}, at {node}'s node", hub.name, hub.handle, hub.endpoint());
        }
        println!(
            r#"
In another terminal:

  scripts/net status                     # blocks, finality, peers
  scripts/net stop dave                  # three of four still finalize; two do not
  scripts/net start dave
  scripts/net cut charlie                # goes on alone, with blocks of its own
  scripts/net join charlie               # and takes the others' again
  export PATH="{programs}:$PATH"
  failsafe --dir ann init --hub @north   # a wallet with a channel to a hub

Ctrl-C or `scripts/net down` stops all of it; `scripts/net forget` forgets it."#
        );
        Ok(())
    }

    async fn stop(self) -> Result<(), Failure> {
        for hub in self.hubs.into_values() {
            // What has ended by itself cannot be stopped, which is reported already.
            let _ = hub.stop(STOP).await;
        }
        self.network.stop().await
    }
}
