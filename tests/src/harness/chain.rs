//! A chain of one or more nodes.

use super::{
    eventually, failure, follower, free_port, process::program, Failure, Follower, Process,
};
use failsafe_hub::chain::ChainClient;
use failsafe_primitives::{AccountId, AssetId, Balance};
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Validators, in the order of their authorities.
const VALIDATORS: [&str; 4] = ["alice", "bob", "charlie", "dave"];
/// How long a node may take to start.
const START: Duration = Duration::from_secs(60);
/// How long the first finalized block may take.
const FINALITY: Duration = Duration::from_secs(90);

/// A hub that is registered from the first block on.
#[derive(Clone, Debug)]
pub struct GenesisHub {
    /// Its account.
    pub account: AccountId,
    /// Its handle.
    pub handle: String,
    /// Where it will listen.
    pub endpoint: String,
    /// Its transport key in hex.
    pub transport_key: [u8; 32],
}

/// What a chain starts with.
#[derive(Clone, Debug, Default)]
pub struct ChainOptions {
    /// Preset of the runtime: `dev`, `local`, `story`.
    pub preset: String,
    /// How many validators of the preset run, each as a process; the others are no authorities.
    pub validators: usize,
    /// Balances in the first block, in FRD's smallest unit, besides those of the preset.
    pub balances: Vec<(AccountId, Balance)>,
    /// Hubs of the first block.
    pub hubs: Vec<GenesisHub>,
    /// Duration of a slot in milliseconds, if not that of the preset.
    pub slot_ms: Option<u64>,
}

impl ChainOptions {
    /// The development chain.
    pub fn dev() -> Self {
        Self { preset: "dev".into(), validators: 1, ..Self::default() }
    }

    /// The chain of the story, without prices, with so many validators.
    pub fn story(validators: usize) -> Self {
        Self { preset: "story".into(), validators, ..Self::default() }
    }
}

/// How a node is started.
struct Plan {
    name: &'static str,
    address: String,
    /// The same after a restart, so that who is connected finds it again.
    rpc_port: u16,
    boot: Option<String>,
}

/// A running chain.
pub struct Chain {
    nodes: Vec<Process>,
    plans: Vec<Plan>,
    url: String,
    client: ChainClient,
    /// Address of the first node for other nodes.
    boot: String,
    spec: PathBuf,
    dir: PathBuf,
}

impl Chain {
    /// Starts the nodes and waits until they agree on a block.
    pub async fn start(options: &ChainOptions, dir: &Path) -> Result<Self, Failure> {
        let dir = dir.join("chain");
        fs::create_dir_all(&dir)?;
        let spec = write_spec(options, &dir)?;
        let (mut nodes, mut plans) = (Vec::new(), Vec::new());
        let mut boot: Option<String> = None;
        let mut url = None;
        for name in VALIDATORS.into_iter().take(options.validators) {
            let address = format!("/ip4/127.0.0.1/tcp/{}", free_port()?);
            let plan = Plan { name, address, rpc_port: free_port()?, boot: boot.clone() };
            let mut node = plan.start(&spec, &dir).await?;
            if boot.is_none() {
                let identity = node.wait_for("its identity", START, identity).await?;
                boot = Some(format!("{}/p2p/{identity}", plan.address));
                url = Some(format!("ws://127.0.0.1:{}", plan.rpc_port));
            }
            nodes.push(node);
            plans.push(plan);
        }
        let (Some(url), Some(boot)) = (url, boot) else {
            return Err(failure("a chain needs a validator"));
        };
        let client = eventually("the node answers", START, || async {
            Ok(Some(ChainClient::connect(&url).await?))
        })
        .await?;
        let chain = Self { nodes, plans, url, client, boot, spec, dir };
        eventually("the first finalized block", FINALITY, || async {
            Ok((chain.finalized().await? > 0).then_some(()))
        })
        .await
        .map_err(|problem| chain.nodes[0].failed(&problem.to_string()))?;
        Ok(chain)
    }

    /// Starts a node that follows the others, with its metrics open.
    pub async fn follow(&self, name: &str) -> Result<Follower, Failure> {
        let address = format!("/ip4/127.0.0.1/tcp/{}", free_port()?);
        let mut command = node_command(name, &self.spec, &address, 0, Some(&self.boot), &self.dir)?;
        command.args(["--name", name, "--prometheus-port", "0"]);
        let mut node = Process::start(name, command, &self.dir)?;
        let metrics = node.wait_for("its metrics", START, follower::metrics_address).await?;
        Ok(Follower::new(node, metrics))
    }

    /// Kills the first node as `kill -9` does, starts it again, and waits until it has a new block.
    pub async fn restart(&mut self) -> Result<(), Failure> {
        let before = self.client.moment(None).await?.block;
        let plan = self.plans.first().ok_or_else(|| failure("a chain needs a validator"))?;
        self.nodes.remove(0).kill()?;
        let node = plan.start(&self.spec, &self.dir).await?;
        self.nodes.insert(0, node);
        eventually("a new block after the restart", FINALITY, || async {
            Ok((self.client.moment(None).await?.block > before).then_some(()))
        })
        .await
    }

    /// WebSocket address of the first node.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection to it.
    pub fn client(&self) -> &ChainClient {
        &self.client
    }

    /// Number of the newest finalized block.
    pub async fn finalized(&self) -> Result<u32, Failure> {
        let head = self.client.finalized_head().await?;
        let header = self.client.header(head).await?;
        Ok(header.ok_or_else(|| failure("the finalized block is gone"))?.0)
    }

    /// Waits until this block is final.
    pub async fn wait_finalized(&self, block: u32) -> Result<(), Failure> {
        eventually("finality", FINALITY, || async {
            Ok((self.finalized().await? >= block).then_some(()))
        })
        .await
    }

    /// On-chain balance at the newest finalized block.
    pub async fn balance(&self, who: &AccountId, asset: AssetId) -> Result<Balance, Failure> {
        let head = self.client.finalized_head().await?;
        let balances = self.client.balances(who, &[asset], Some(head)).await?;
        Ok(balances.first().map_or(0, |balance| balance.free))
    }

    /// Stops every node.
    pub async fn stop(self) -> Result<(), Failure> {
        drop(self.client);
        for node in self.nodes {
            node.stop(Duration::from_secs(20)).await?;
        }
        Ok(())
    }
}

impl Plan {
    /// Starts the node and waits for its RPC server.
    async fn start(&self, spec: &Path, dir: &Path) -> Result<Process, Failure> {
        let Self { name, address, rpc_port, boot } = self;
        let mut command = node_command(name, spec, address, *rpc_port, boot.as_deref(), dir)?;
        command.arg(format!("--{name}")).arg("--no-prometheus");
        let mut node = Process::start(name, command, dir)?;
        let listening = node.wait_for("its RPC server", START, listening_port).await?;
        if listening != *rpc_port {
            return Err(node.failed(&format!("port {rpc_port} is taken, it chose {listening}")));
        }
        Ok(node)
    }
}

/// The preset's specification with what the options add.
fn write_spec(options: &ChainOptions, dir: &Path) -> Result<PathBuf, Failure> {
    let exported = Command::new(program("failsafe-node")?)
        .args(["export-chain-spec", "--chain", &options.preset])
        .output()?;
    if !exported.status.success() {
        return Err(failure(String::from_utf8_lossy(&exported.stderr)));
    }
    let mut spec: Value = serde_json::from_slice(&exported.stdout)?;
    let genesis = &mut spec["genesis"]["runtimeGenesis"]["patch"];
    for list in ["/aura/authorities", "/grandpa/authorities"] {
        let authorities = genesis.pointer_mut(list).and_then(Value::as_array_mut);
        let authorities = authorities.ok_or_else(|| failure("a genesis without authorities"))?;
        if authorities.len() < options.validators {
            return Err(failure("more validators than the preset has"));
        }
        authorities.truncate(options.validators);
    }
    let balances = genesis.pointer_mut("/balances/balances").and_then(Value::as_array_mut);
    let balances = balances.ok_or_else(|| failure("a genesis without balances"))?;
    for (who, amount) in &options.balances {
        balances.retain(|row| row[0] != json!(who.to_ss58check()));
        // Numbers of the genesis fit into 64 bits, which is what JSON readers take.
        balances.push(json!([who.to_ss58check(), u64::try_from(*amount)?]));
    }
    let hubs: Vec<_> = options
        .hubs
        .iter()
        .map(|hub| {
            json!({
                "account": hub.account.to_ss58check(),
                "handle": hub.handle,
                "endpoint": hub.endpoint,
                "transportKey": hub.transport_key,
                "fees": { "base": 0, "ppm": 0 },
            })
        })
        .collect();
    if !hubs.is_empty() {
        genesis["hubs"] = json!({ "hubs": hubs });
    }
    if let Some(slot_ms) = options.slot_ms {
        genesis["clock"]["slotDuration"] = json!(slot_ms);
    }
    let path = dir.join("spec.json");
    fs::write(&path, serde_json::to_vec_pretty(&spec)?)?;
    Ok(path)
}

fn node_command(
    name: &str,
    spec: &Path,
    address: &str,
    rpc_port: u16,
    boot: Option<&str>,
    dir: &Path,
) -> Result<Command, Failure> {
    let mut command = Command::new(program("failsafe-node")?);
    command
        .arg("--chain")
        .arg(spec)
        .arg("--base-path")
        .arg(dir.join(name))
        .args(["--rpc-port", &rpc_port.to_string(), "--rpc-methods", "unsafe", "--no-telemetry"])
        .args(["--unsafe-force-node-key-generation", "--no-mdns", "--allow-private-ip"])
        // A test's chain is on one machine and short: little memory is enough.
        .args(["--db-cache", "16", "--trie-cache-size", "16777216"])
        .args(["--listen-addr", address]);
    if let Some(boot) = boot {
        command.args(["--bootnodes", boot]);
    }
    Ok(command)
}

fn listening_port(log: &str) -> Option<u16> {
    let (_, rest) = log.split_once("Running JSON-RPC server: addr=127.0.0.1:")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn identity(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("Local node identity is: ")?;
    rest.split_whitespace().next().map(String::from)
}
