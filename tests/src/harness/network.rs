//! Validators of one chain, each a process, that can be stopped, started, cut off and let in again.
//!
//! Each member talks to those only whom it knows as reserved peers, the other members first of all. So
//! one can be cut off: it is started again without knowing anybody, and the others forget it, until it
//! is let in again. This works everywhere and needs no privileges. With [`Wires`] its wire is unplugged
//! instead, and nobody is told.

use super::{
    chain::{local_node, rpc_port_of, write_spec, VALIDATORS},
    eventually, failure, free_port,
    process::program,
    ChainOptions, Failure, NodeRpc, Process, Wires,
};
use serde_json::json;
use std::{
    convert::Infallible,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio::time::sleep;

/// How long a node may take to start.
const START: Duration = Duration::from_secs(60);
/// How long a node may take to stop.
const STOP: Duration = Duration::from_secs(30);

/// How long a block may take: some authors may be missing.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a member that stumbles halts, and how long it goes on then: not in step with slots.
const HALT: Duration = Duration::from_millis(700);
const WALK: Duration = Duration::from_millis(1_130);

/// Where members without a wire are.
const LOCALHOST: &str = "127.0.0.1";

/// Where a member listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// For its peers.
    pub peers: u16,
    /// For its RPC.
    pub rpc: u16,
}

impl Ports {
    /// Free ones.
    pub fn free() -> Result<Self, Failure> {
        Ok(Self { peers: free_port()?, rpc: free_port()? })
    }
}

/// How a member is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, and the others with it.
    Running,
    /// It runs, alone.
    CutOff,
    /// It does not run.
    Stopped,
}

/// A validator, or a node that was admitted.
struct Member {
    name: String,
    /// `--alice`; nothing for who is no validator.
    role: Option<String>,
    rpc_port: u16,
    /// Where it listens for its peers.
    listen: String,
    /// The same with its identity.
    address: String,
    identity: String,
    cut: bool,
    process: Option<Process>,
}

/// A network of validators. All are killed when it is dropped.
pub struct Network {
    members: Vec<Member>,
    spec: PathBuf,
    dir: PathBuf,
    /// What members are cut off by, if not by forgetting them. Removed after the processes.
    wires: Option<Wires>,
}

impl Network {
    /// Writes the chain's specification, unless there is one in `dir` already, and makes a key for
    /// every member. Nobody runs yet.
    pub fn prepare(
        options: &ChainOptions,
        ports: &[Ports],
        dir: &Path,
        wires: Option<Wires>,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(dir)?;
        let known = dir.join("spec.json");
        // Another build may make another first block: the chain goes on with the one that it has.
        let spec = if known.exists() { known } else { write_spec(options, dir)? };
        let names = VALIDATORS.into_iter().take(options.validators);
        let members = names.zip(ports).map(|(name, ports)| {
            let host = wires.as_ref().map(|wires| wires.peer_address(name)).transpose()?;
            let host = host.unwrap_or_else(|| LOCALHOST.into());
            Member::new(name, Some(format!("--{name}")), &host, *ports, dir)
        });
        let members = members.collect::<Result<Vec<_>, _>>()?;
        if members.is_empty() || members.len() < options.validators {
            return Err(failure("a network needs validators, and ports for each"));
        }
        Ok(Self { members, spec, dir: dir.into(), wires })
    }

    /// Starts a network on free ports, and waits for its first finalized block.
    pub async fn start(options: &ChainOptions, dir: &Path) -> Result<Self, Failure> {
        let ports =
            (0..options.validators).map(|_| Ports::free()).collect::<Result<Vec<_>, _>>()?;
        let network = Self::prepare(options, &ports, &dir.join("network"), None)?;
        network.started().await
    }

    /// As [`Self::start`], each member with a wire of its own; of several networks at the same time
    /// each has its own `net`, and the next number is not another one's.
    pub async fn start_wired(options: &ChainOptions, net: u8, dir: &Path) -> Result<Self, Failure> {
        let ports =
            (0..options.validators).map(|_| Ports::free()).collect::<Result<Vec<_>, _>>()?;
        let members: Vec<_> =
            VALIDATORS.into_iter().zip(&ports).map(|(name, ports)| (name, ports.rpc)).collect();
        let wires = Wires::lay(&format!("fs{net}"), net, &members).await?;
        Self::prepare(options, &ports, &dir.join("network"), Some(wires))?.started().await
    }

    async fn started(self) -> Result<Self, Failure> {
        let mut network = self;
        for name in network.names() {
            network.start_member(&name).await?;
        }
        network.wait_finalized(&network.names()[0], 1).await?;
        Ok(network)
    }

    /// All members, validators first.
    pub fn names(&self) -> Vec<String> {
        self.members.iter().map(|member| member.name.clone()).collect()
    }

    /// The chain's specification.
    pub fn spec(&self) -> &Path {
        &self.spec
    }

    /// The folder of a member.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn place(&self, name: &str) -> Result<usize, Failure> {
        let place = self.members.iter().position(|member| member.name == name);
        place.ok_or_else(|| {
            failure(format!("nobody is called {name:?}: there are {}", self.names().join(", ")))
        })
    }

    fn member(&self, name: &str) -> Result<&Member, Failure> {
        Ok(&self.members[self.place(name)?])
    }

    /// A member's RPC.
    pub fn rpc(&self, name: &str) -> Result<NodeRpc, Failure> {
        NodeRpc::new(self.member(name)?.rpc_port)
    }

    /// The address of a member's RPC.
    pub fn url(&self, name: &str) -> Result<String, Failure> {
        Ok(format!("ws://127.0.0.1:{}", self.member(name)?.rpc_port))
    }

    /// How a member is.
    pub fn state(&self, name: &str) -> Result<State, Failure> {
        let member = self.member(name)?;
        Ok(match (&member.process, member.cut) {
            (None, _) => State::Stopped,
            (Some(_), true) => State::CutOff,
            (Some(_), false) => State::Running,
        })
    }

    /// What a member has written since it was started.
    pub fn output(&self, name: &str) -> Result<String, Failure> {
        Ok(self.member(name)?.process.as_ref().map(Process::output).unwrap_or_default())
    }

    /// The first member that should run and does not, with the end of its log.
    pub fn first_ended(&mut self) -> Option<Failure> {
        self.members.iter_mut().filter_map(|member| member.process.as_mut()).find_map(|process| {
            match process.ended() {
                Ok(None) => None,
                Ok(Some(status)) => Some(process.failed(&format!("it ended with {status}"))),
                Err(problem) => Some(problem),
            }
        })
    }

    /// Starts a member that does not run. It finds those that are not cut off.
    pub async fn start_member(&mut self, name: &str) -> Result<(), Failure> {
        self.start_with(name, &[]).await
    }

    /// Starts a member that does not run, once with these options.
    pub async fn start_with(&mut self, name: &str, options: &[&str]) -> Result<(), Failure> {
        let place = self.place(name)?;
        let member = &self.members[place];
        if member.process.is_some() {
            return Err(failure(format!("{name} runs already")));
        }
        let mut command = local_node(name, &self.spec, &member.listen, &self.dir, member.rpc_port)?;
        command.arg("--node-key-file").arg(self.dir.join(name).join("node.key"));
        command.args(["--name", name, "--no-prometheus", "--reserved-only"]).args(&member.role);
        command.args(["--rpc-cors", "all"]).args(options);
        if member.cut {
            // Who has no peers makes no blocks otherwise.
            command.arg("--force-authoring");
        } else {
            for other in self.members.iter().filter(|other| other.name != name && !other.cut) {
                command.args(["--reserved-nodes", &other.address]);
            }
        }
        if let Some(wires) = self.wires.as_ref().filter(|_| member.role.is_some()) {
            // From this machine it comes over a wire, too; nobody else has one to there.
            command.arg("--unsafe-rpc-external");
            command = wires.within(name, &command);
        }
        let mut process = Process::start(name, command, &self.dir)?;
        process.wait_for("its RPC server", START, rpc_port_of).await?;
        self.members[place].process = Some(process);
        Ok(())
    }

    /// Stops a member as its operator does.
    pub async fn stop_member(&mut self, name: &str) -> Result<(), Failure> {
        self.take(name)?.stop(STOP).await.map(drop)
    }

    /// Kills a member without warning.
    pub fn kill_member(&mut self, name: &str) -> Result<(), Failure> {
        self.take(name)?.kill()
    }

    /// Halts a member for a moment, again and again: it sees blocks later than the others. Ends only
    /// with a problem.
    pub async fn let_stumble(&self, name: &str) -> Result<Infallible, Failure> {
        let process = self.members[self.place(name)?].process.as_ref();
        let process = process.ok_or_else(|| failure(format!("{name} does not run")))?;
        loop {
            process.suspend()?;
            sleep(HALT).await;
            process.resume()?;
            sleep(WALK).await;
        }
    }

    fn take(&mut self, name: &str) -> Result<Process, Failure> {
        let place = self.place(name)?;
        let process = self.members[place].process.take();
        process.ok_or_else(|| failure(format!("{name} does not run")))
    }

    /// Cuts a member off from all others: it goes on alone. Without a wire it is started again for
    /// that: a node lets nobody go who is there already.
    pub async fn cut(&mut self, name: &str) -> Result<(), Failure> {
        let place = self.place(name)?;
        if self.members[place].cut {
            return Err(failure(format!("{name} is cut off already")));
        }
        self.members[place].cut = true;
        if let Some(wires) = &self.wires {
            // Nobody is told: it notices when nothing answers any more.
            return wires.unplug(name);
        }
        let running = self.members[place].process.is_some();
        if running {
            self.stop_member(name).await?;
        }
        let identity = &self.members[place].identity;
        for other in self.members.iter().filter(|other| other.name != name) {
            other.forget(identity).await?;
        }
        if running {
            self.start_member(name).await?;
        }
        Ok(())
    }

    /// Lets a member in again that was cut off.
    pub async fn join(&mut self, name: &str) -> Result<(), Failure> {
        let place = self.place(name)?;
        if !self.members[place].cut {
            return Err(failure(format!("{name} is not cut off")));
        }
        self.members[place].cut = false;
        let back = &self.members[place];
        if let Some(wires) = &self.wires {
            wires.plug_in(name)?;
        }
        for other in self.members.iter().filter(|other| other.name != name && !other.cut) {
            back.meet(&other.address).await?;
            other.meet(&back.address).await?;
        }
        Ok(())
    }

    /// Lets a node of somebody else in: `/ip4/…/tcp/…/p2p/…`. Those who are started later do not
    /// know it.
    pub async fn admit(&self, address: &str) -> Result<(), Failure> {
        for member in self.members.iter().filter(|member| !member.cut) {
            member.meet(address).await?;
        }
        Ok(())
    }

    /// Adds a node that does not run yet; `role` is `--alice` for a second node with Alice's keys, and
    /// nothing for a node without keys. Members that run let it in.
    pub async fn add(&mut self, name: &str, role: Option<&str>) -> Result<(), Failure> {
        if self.members.iter().any(|member| member.name == name) {
            return Err(failure(format!("{name} is a member already")));
        }
        let ports = Ports::free()?;
        let role = role.map(String::from);
        let member = Member::new(name, role, LOCALHOST, ports, &self.dir)?;
        self.admit(&member.address).await?;
        self.members.push(member);
        Ok(())
    }

    /// Waits until a member has finalized this block.
    pub async fn wait_finalized(&self, name: &str, number: u32) -> Result<(), Failure> {
        let rpc = self.rpc(name)?;
        eventually(&format!("block {number} is final at {name}"), PATIENCE, || async {
            Ok((rpc.finalized().await?.number >= number).then_some(()))
        })
        .await
    }

    /// Waits until a member's best block has this number.
    pub async fn wait_best(&self, name: &str, number: u32) -> Result<(), Failure> {
        let rpc = self.rpc(name)?;
        eventually(&format!("block {number} at {name}"), PATIENCE, || async {
            Ok((rpc.best().await?.number >= number).then_some(()))
        })
        .await
    }

    /// Stops every member that runs.
    pub async fn stop(mut self) -> Result<(), Failure> {
        for member in &mut self.members {
            if let Some(process) = member.process.take() {
                process.stop(STOP).await?;
            }
        }
        Ok(())
    }
}

impl Member {
    fn new(
        name: &str,
        role: Option<String>,
        host: &str,
        ports: Ports,
        dir: &Path,
    ) -> Result<Self, Failure> {
        let folder = dir.join(name);
        fs::create_dir_all(&folder)?;
        let identity = node_key(&folder.join("node.key"))?;
        let listen = format!("/ip4/{host}/tcp/{}", ports.peers);
        let address = format!("{listen}/p2p/{identity}");
        let (name, rpc_port) = (name.into(), ports.rpc);
        Ok(Self { name, role, rpc_port, listen, address, identity, cut: false, process: None })
    }

    fn running(&self) -> Result<Option<NodeRpc>, Failure> {
        self.process.as_ref().map(|_| NodeRpc::new(self.rpc_port)).transpose()
    }

    /// Lets this peer in no more, once it is gone.
    async fn forget(&self, identity: &str) -> Result<(), Failure> {
        let Some(rpc) = self.running()? else { return Ok(()) };
        rpc.call::<()>("system_removeReservedPeer", &[json!(identity)]).await
    }

    /// Talks to this peer from now on.
    async fn meet(&self, address: &str) -> Result<(), Failure> {
        let Some(rpc) = self.running()? else { return Ok(()) };
        rpc.call::<()>("system_addReservedPeer", &[json!(address)]).await
    }
}

/// The identity of the key in this file, which is made if there is none.
fn node_key(file: &Path) -> Result<String, Failure> {
    let mut command = Command::new(program("failsafe-node")?);
    if file.exists() {
        command.args(["key", "inspect-node-key", "--file"]).arg(file);
    } else {
        command.args(["key", "generate-node-key", "--file"]).arg(file);
    }
    let output = command.output()?;
    // One command writes it to its output, the other one beside the key.
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).trim().to_string();
    match text.lines().last() {
        Some(identity) if output.status.success() => Ok(identity.trim().into()),
        _ => Err(failure(format!("no key for a node in {}: {text}", file.display()))),
    }
}
