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

/// Validators, in the order of the preset.
pub const VALIDATORS: [&str; 4] = ["alice", "bob", "charlie", "dave"];
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
    /// What it asks for forwarding: base in smallest units, parts per million.
    pub fees: (u64, u32),
}

/// What a chain starts with.
#[derive(Clone, Debug, Default)]
pub struct ChainOptions {
    /// Preset of the runtime: `dev`, `local`, `story`.
    pub preset: String,
    /// How many validators of the preset run, each as a process; the others have no shares.
    pub validators: usize,
    /// Balances in the first block, in FRD's smallest unit, besides those of the preset.
    pub balances: Vec<(AccountId, Balance)>,
    /// Hubs of the first block.
    pub hubs: Vec<GenesisHub>,
    /// Duration of a slot in milliseconds, if not that of the preset.
    pub slot_ms: Option<u64>,
    /// Parameters that differ from those of the preset, by their names in the specification.
    pub parameters: Vec<(String, Value)>,
    /// Shares of the validators in their order, if not those of the preset.
    pub shares: Vec<u32>,
    /// How long votes are taken, in usable blocks, if not as long as usual.
    pub voting_period: Option<u32>,
    /// The runtime of the first block, if not the node's own.
    pub code: Option<Vec<u8>>,
    /// What the chain says it is for, as Substrate's `ChainType`, if not what its preset says.
    pub kind: Option<String>,
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
#[derive(Clone)]
struct NodePlan {
    name: String,
    /// Where other nodes reach it.
    address: String,
    /// Address of the first node, for the others.
    boot: Option<String>,
    /// 0: any.
    rpc_port: u16,
}

impl NodePlan {
    fn start(&self, spec: &Path, dir: &Path) -> Result<Process, Failure> {
        let Self { name, address, boot, rpc_port } = self;
        let mut command = node_command(name, spec, address, boot.as_deref(), dir, *rpc_port)?;
        command.arg(format!("--{name}")).arg("--no-prometheus");
        Process::start(name, command, dir)
    }
}

/// A running chain.
pub struct Chain {
    nodes: Vec<Process>,
    /// How the first of them is started.
    first: NodePlan,
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
        let mut nodes = Vec::new();
        let mut boot = None;
        let mut first = None;
        for name in VALIDATORS.into_iter().take(options.validators) {
            let address = format!("/ip4/127.0.0.1/tcp/{}", free_port()?);
            // The first node's port is that of its next start, too.
            let rpc_port = if boot.is_none() { free_port()? } else { 0 };
            let plan = NodePlan { name: name.into(), address, boot: boot.clone(), rpc_port };
            let mut node = plan.start(&spec, &dir)?;
            node.wait_for("its RPC server", START, rpc_port_of).await?;
            if boot.is_none() {
                let identity = node.wait_for("its identity", START, identity).await?;
                boot = Some(format!("{}/p2p/{identity}", plan.address));
                first = Some(plan);
            }
            nodes.push(node);
        }
        let (Some(first), Some(boot)) = (first, boot) else {
            return Err(failure("a chain needs a validator"));
        };
        let url = format!("ws://127.0.0.1:{}", first.rpc_port);
        let client = eventually("the node answers", START, || async {
            Ok(Some(ChainClient::connect(&url).await?))
        })
        .await?;
        let chain = Self { nodes, first, url, client, boot, spec, dir };
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
        let boot = Some(&self.boot[..]);
        let mut command = node_command(name, &self.spec, &address, boot, &self.dir, 0)?;
        command.args(["--name", name, "--prometheus-port", "0"]);
        let mut node = Process::start(name, command, &self.dir)?;
        let metrics = node.wait_for("its metrics", START, follower::metrics_address).await?;
        Ok(Follower::new(node, metrics))
    }

    /// Kills the first node without warning.
    pub fn kill(&mut self) -> Result<(), Failure> {
        if self.nodes.is_empty() {
            return Err(failure("the node does not run"));
        }
        self.nodes.remove(0).kill()
    }

    /// Starts the first node again, at its old address, and waits until it makes blocks.
    pub async fn restart(&mut self) -> Result<(), Failure> {
        let mut node = self.first.start(&self.spec, &self.dir)?;
        node.wait_for("its RPC server", START, rpc_port_of).await?;
        self.nodes.insert(0, node);
        self.client = eventually("the node answers", START, || async {
            Ok(Some(ChainClient::connect(&self.url).await?))
        })
        .await?;
        let known = self.finalized().await?;
        self.wait_finalized(known.saturating_add(1)).await
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

/// The preset's specification with what the options add.
pub(super) fn write_spec(options: &ChainOptions, dir: &Path) -> Result<PathBuf, Failure> {
    let exported = Command::new(program("failsafe-node")?)
        .args(["export-chain-spec", "--chain", &options.preset])
        .output()?;
    if !exported.status.success() {
        return Err(failure(String::from_utf8_lossy(&exported.stderr)));
    }
    let mut spec: Value = serde_json::from_slice(&exported.stdout)?;
    let genesis = &mut spec["genesis"]["runtimeGenesis"]["patch"];
    let validators = genesis.pointer_mut("/governance/validators").and_then(Value::as_array_mut);
    let validators = validators.ok_or_else(|| failure("a genesis without validators"))?;
    if validators.len() < options.validators {
        return Err(failure("more validators than the preset has"));
    }
    validators.truncate(options.validators);
    for (validator, shares) in validators.iter_mut().zip(&options.shares) {
        validator["shares"] = json!(shares);
    }
    if let Some(period) = options.voting_period {
        genesis["governance"]["votingPeriod"] = json!(period);
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
                "fees": { "base": hub.fees.0, "ppm": hub.fees.1 },
            })
        })
        .collect();
    if !hubs.is_empty() {
        genesis["hubs"] = json!({ "hubs": hubs });
    }
    for (name, value) in &options.parameters {
        let known = genesis["parameters"]["values"].get_mut(name);
        *known.ok_or_else(|| failure(format!("there is no parameter {name}")))? = value.clone();
    }
    if let Some(slot_ms) = options.slot_ms {
        genesis["clock"]["slotDuration"] = json!(slot_ms);
    }
    if let Some(code) = &options.code {
        let known = spec.pointer_mut("/genesis/runtimeGenesis/code");
        let known = known.ok_or_else(|| failure("a specification without a runtime"))?;
        *known = json!(format!("0x{}", hex::encode(code)));
    }
    if let Some(kind) = &options.kind {
        spec["chainType"] = json!(kind);
    }
    let path = dir.join("spec.json");
    fs::write(&path, serde_json::to_vec_pretty(&spec)?)?;
    Ok(path)
}

fn node_command(
    name: &str,
    spec: &Path,
    address: &str,
    boot: Option<&str>,
    dir: &Path,
    rpc_port: u16,
) -> Result<Command, Failure> {
    let mut command = local_node(name, spec, address, dir, rpc_port)?;
    command.arg("--unsafe-force-node-key-generation");
    if let Some(boot) = boot {
        command.args(["--bootnodes", boot]);
    }
    Ok(command)
}

/// A node of a network on this machine, with all that it writes in `dir`/`name`.
pub(super) fn local_node(
    name: &str,
    spec: &Path,
    address: &str,
    dir: &Path,
    rpc_port: u16,
) -> Result<Command, Failure> {
    let mut command = Command::new(program("failsafe-node")?);
    command
        .arg("--chain")
        .arg(spec)
        .arg("--base-path")
        .arg(dir.join(name))
        .args(["--rpc-port", &rpc_port.to_string(), "--rpc-methods", "unsafe", "--no-telemetry"])
        .args(["--no-mdns", "--allow-private-ip", "--listen-addr", address])
        // A chain on one machine is short: little memory is enough.
        .args(["--db-cache", "16", "--trie-cache-size", "16777216"]);
    Ok(command)
}

pub(super) fn rpc_port_of(log: &str) -> Option<u16> {
    let (_, rest) = log.split_once("Running JSON-RPC server: addr=")?;
    let (_, rest) = rest.split_once(':')?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn identity(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("Local node identity is: ")?;
    rest.split_whitespace().next().map(String::from)
}
