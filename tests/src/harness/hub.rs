//! A hub as a process.

use super::{
    chain::GenesisHub, eventually, failure, free_port, process::program, wallet::ask, Failure,
    Process,
};
use failsafe_hub::{
    address,
    rpc::{
        api::{RebalanceView, StatusView},
        client::{client, contact, contact_of},
        guard::Scope,
        server::Contact,
        FailsafeRpcClient,
    },
    transport::TransportKey,
};
use failsafe_primitives::AccountId;
use jsonrpsee::http_client::HttpClient;
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Duration,
};

/// How long a hub may take to start.
const START: Duration = Duration::from_secs(60);

/// How a hub behaves.
#[derive(Clone, Debug)]
pub struct HubOptions {
    /// How long acknowledgements wait.
    pub ack_delay_ms: u64,
    /// Pause between rebalances; 0: on request.
    pub every_seconds: u64,
    /// How long a rebalance waits for proofs.
    pub proof_timeout_seconds: u64,
    /// Grace for spenders who owe a proof; 0: they are never disputed.
    pub absent_grace_seconds: u64,
    /// What users may owe it.
    pub credit: String,
    /// Also takes FRB.
    pub bonds: bool,
    /// Other hubs that it dials.
    pub peers: Vec<String>,
    /// Watchtowers, `account@host:port#key`.
    pub towers: Vec<String>,
    /// Its fee: base in smallest units, parts per million.
    pub fees: (u64, u32),
    /// How it changes money: what it takes, what it gives, its price.
    pub exchange: Vec<(String, String, String)>,
    /// Which process of a hub it is, if the hub has several: its number, where users reach each of
    /// them, and where they reach each other.
    pub processes: Option<(usize, Vec<String>, Vec<String>)>,
    /// The database that has its store, if it is in one.
    pub store: Option<String>,
    /// Smallest payment that it forwards; `None`: the program's default.
    pub min_payment: Option<String>,
    /// Smallest insured part that is worth a withdrawal.
    pub min_risk: String,
    /// On-chain money that its rebalances leave alone.
    pub reserve: String,
    /// Its rebalances skip what fails.
    pub skip_failed: bool,
    /// What it asks of a user who pays for insurance; `None`: it takes no such requests.
    pub insurance_fee: Option<String>,
    /// Faults with which it runs, as `failsafe-faulty` takes them.
    pub faults: Vec<String>,
    /// Where it serves metrics.
    pub metrics: Option<SocketAddr>,
    /// How much FRD it may owe without insurance.
    pub max_risk: Option<String>,
    /// Whether its key is made for ed25519; sr25519 otherwise.
    pub ed25519: bool,
    /// Most partners.
    pub max_partners: usize,
    /// What users may have paid it without a signature.
    pub unsigned_limit: String,
    /// How long its own payments without a signature wait for one.
    pub sign_delay_ms: u64,
    /// Whether it checks in batches and signs many messages at once.
    pub sign_together: bool,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            ack_delay_ms: 20,
            every_seconds: 0,
            proof_timeout_seconds: 10,
            absent_grace_seconds: 0,
            credit: "0".into(),
            bonds: false,
            peers: vec![],
            towers: vec![],
            fees: (0, 0),
            exchange: vec![],
            processes: None,
            store: None,
            min_payment: None,
            min_risk: "0".into(),
            reserve: "0".into(),
            skip_failed: false,
            insurance_fee: None,
            faults: vec![],
            metrics: None,
            max_risk: None,
            ed25519: false,
            max_partners: 10_000,
            unsigned_limit: "0".into(),
            sign_delay_ms: 20,
            sign_together: true,
        }
    }
}

/// Where a hub has its keys from.
enum Keys<'a> {
    Suri(&'a str),
    Of(&'a Hub),
}

/// A hub: its files, and its process while it runs.
pub struct Hub {
    config: PathBuf,
    dir: PathBuf,
    log_dir: PathBuf,
    account: AccountId,
    port: u16,
    fees: (u64, u32),
    faults: Vec<String>,
    process: Option<Process>,
}

impl Hub {
    /// Makes a hub with the account of `suri`; it does not run yet.
    pub fn create(
        name: &str,
        suri: &str,
        node: &str,
        options: &HubOptions,
        dir: &Path,
    ) -> Result<Self, Failure> {
        Self::make(name, Keys::Suri(suri), node, options, dir)
    }

    /// Makes another process of this hub; it does not run yet.
    pub fn another_process(
        &self,
        name: &str,
        node: &str,
        options: &HubOptions,
    ) -> Result<Self, Failure> {
        Self::make(name, Keys::Of(self), node, options, &self.log_dir)
    }

    fn make(
        name: &str,
        keys: Keys<'_>,
        node: &str,
        options: &HubOptions,
        dir: &Path,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(dir)?;
        let config = dir.join(format!("{name}.toml"));
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let mut init = Command::new(program("failsafe-hub")?);
        init.arg("--config").arg(&config);
        init.args(["init", "--node", node, "--dir", name, "--listen", &listen]);
        match keys {
            Keys::Of(hub) => {
                init.arg("--keys-of").arg(&hub.dir);
            },
            Keys::Suri(suri) => {
                let scheme = if options.ed25519 { "ed25519" } else { "sr25519" };
                init.args(["--suri", suri, "--scheme", scheme]);
            },
        }
        init.args(options.store.iter().flat_map(|url| ["--store", url]));
        let made = init.output()?;
        if !made.status.success() {
            return Err(failure(String::from_utf8_lossy(&made.stderr)));
        }
        let output = String::from_utf8(made.stdout)?;
        let account = output
            .lines()
            .find_map(|line| line.strip_prefix("account"))
            .ok_or_else(|| failure("init does not tell the account"))?;
        let mut hub = Self {
            account: address::account(account.trim())?,
            dir: dir.join(name),
            log_dir: dir.to_path_buf(),
            config,
            port,
            fees: options.fees,
            faults: vec![],
            process: None,
        };
        hub.configure(node, options)?;
        Ok(hub)
    }

    /// Writes the configuration anew.
    pub fn configure(&mut self, node: &str, options: &HubOptions) -> Result<(), Failure> {
        let name = self.dir.file_name().and_then(|name| name.to_str()).unwrap_or("hub");
        let asset = |symbol: &str| {
            let mut text = format!(
                "[[assets]]\nasset = \"{symbol}\"\ncredit = \"{}\"\nmin_risk = \"{}\"\n\
                 reserve = \"{}\"\nunsigned_limit = \"{}\"\n",
                options.credit, options.min_risk, options.reserve, options.unsigned_limit
            );
            if let Some(least) = &options.min_payment {
                text += &format!("min_payment = \"{least}\"\n");
            }
            if let Some(fee) = &options.insurance_fee {
                text += &format!("insurance_fee = \"{fee}\"\n");
            }
            text
        };
        let metrics = options.metrics.map(|address| format!("metrics = \"{address}\"\n"));
        let cap = options.max_risk.as_ref().map(|cap| format!("max_risk = \"{cap}\"\n"));
        let processes = options.processes.iter().map(|(number, public, private)| {
            format!("[processes]\nnumber = {number}\npublic = {public:?}\nprivate = {private:?}\n")
        });
        let processes: String = processes.collect();
        let bonds = if options.bonds { asset("FRB") } else { String::new() };
        let exchange: String = options
            .exchange
            .iter()
            .map(|(takes, gives, price)| {
                format!("[[exchange]]\ntakes = {takes:?}\ngives = {gives:?}\nprice = {price:?}\n")
            })
            .collect();
        let store = options.store.iter().map(|url| format!("store = {url:?}\n"));
        let store: String = store.collect();
        let text = store + &format!(
            "node = \"{node}\"\ndir = \"{name}\"\nlisten = \"{}\"\nrpc = \"127.0.0.1:0\"\n\
             ack_delay_ms = {}\nsign_delay_ms = {}\nsign_together = {}\nmax_partners = {}\npeers = {:?}\ntowers = {:?}\n{}\n[fees]\nbase = {}\nppm = {}\n\n[rebalance]\n\
             every_seconds = {}\nproof_timeout_seconds = {}\nabsent_grace_seconds = {}\n\
             skip_failed = {}\n\n{processes}{}{}{bonds}{exchange}",
            self.endpoint(),
            options.ack_delay_ms,
            options.sign_delay_ms,
            options.sign_together,
            options.max_partners,
            options.peers,
            options.towers,
            metrics.unwrap_or_default(),
            options.fees.0,
            options.fees.1,
            options.every_seconds,
            options.proof_timeout_seconds,
            options.absent_grace_seconds,
            options.skip_failed,
            asset("FRD"),
            cap.unwrap_or_default(),
        );
        self.faults = options.faults.clone();
        Ok(fs::write(&self.config, text)?)
    }

    /// Its account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Replaces `from`, which is in its configuration, there by `to`.
    pub fn edit(&self, from: &str, to: &str) -> Result<(), Failure> {
        let text = fs::read_to_string(&self.config)?;
        if !text.contains(from) {
            return Err(failure(format!("{from:?} is not in {text}")));
        }
        Ok(fs::write(&self.config, text.replace(from, to))?)
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Itself as an entry of the first block.
    pub fn genesis(&self, handle: &str) -> Result<GenesisHub, Failure> {
        let key = TransportKey::load(&self.dir.join("transport.key"))?;
        Ok(GenesisHub {
            account: self.account.clone(),
            handle: handle.into(),
            endpoint: self.endpoint(),
            transport_key: key.public(),
            fees: self.fees,
        })
    }

    /// The command that runs it.
    pub fn command(&self) -> Result<Command, Failure> {
        let mut command = if self.faults.is_empty() {
            Command::new(program("failsafe-hub")?)
        } else {
            let mut command = Command::new(program("failsafe-faulty")?);
            command.arg("hub");
            command
        };
        command.arg("--config").arg(&self.config).arg("run").env_remove("RUST_LOG");
        command.args(self.faults.iter().flat_map(|fault| ["--fault", fault]));
        Ok(command)
    }

    /// Starts it and waits until it answers.
    pub async fn start(&mut self) -> Result<(), Failure> {
        let name = self.dir.file_name().and_then(|name| name.to_str()).unwrap_or("hub");
        // A contact file of a killed process is of no use to who waits for the new one.
        let _ = fs::remove_file(self.dir.join(failsafe_hub::rpc::server::FILE));
        let mut process = Process::start(name, self.command()?, &self.log_dir)?;
        let started = eventually("the hub answers", START, || {
            let client = self.client();
            let ended = process.ended();
            async {
                if let Some(status) = ended? {
                    return Ok(Some(Err(status)));
                }
                Ok(client?.status().await.ok().map(|_| Ok(())))
            }
        })
        .await;
        match started {
            Ok(Ok(())) => {},
            Ok(Err(status)) => return Err(process.failed(&format!("it ended with {status}"))),
            Err(problem) => return Err(process.failed(&problem.to_string())),
        }
        self.process = Some(process);
        Ok(())
    }

    /// Starts another process with this hub's configuration, and waits until it stands by. It takes
    /// over when the first one is gone: [`Self::adopt`].
    pub async fn start_standby(&self, name: &str) -> Result<Process, Failure> {
        let mut standby = Process::start(name, self.command()?, &self.log_dir)?;
        standby
            .wait_for("the standby waits", START, |log| log.contains("\nstandby ").then_some(()))
            .await?;
        Ok(standby)
    }

    /// The process that is this hub from now on.
    pub fn adopt(&mut self, process: Process) -> Option<Process> {
        self.process.replace(process)
    }

    /// A hub of the same account with files of its own, as on another machine.
    pub fn twin(&self, name: &str, node: &str, options: &HubOptions) -> Result<Self, Failure> {
        let dir = self.log_dir.join(name);
        fs::create_dir_all(&dir)?;
        for file in ["key.json", "transport.key"] {
            fs::copy(self.dir.join(file), dir.join(file))?;
        }
        let mut twin = Self {
            config: self.log_dir.join(format!("{name}.toml")),
            dir,
            log_dir: self.log_dir.clone(),
            account: self.account.clone(),
            port: free_port()?,
            faults: options.faults.clone(),
            fees: options.fees,
            process: None,
        };
        twin.configure(node, options)?;
        Ok(twin)
    }

    /// Its process.
    pub fn process(&self) -> Result<&Process, Failure> {
        self.process.as_ref().ok_or_else(|| failure("the hub does not run"))
    }

    /// Waits until its process has ended by itself; tells how.
    pub async fn wait_ended(&mut self, patience: Duration) -> Result<ExitStatus, Failure> {
        let mut process = self.process.take().ok_or_else(|| failure("the hub does not run"))?;
        eventually("the hub ends by itself", patience, || {
            let ended = process.ended();
            async move { ended }
        })
        .await
    }

    /// The public part of its transport key.
    pub fn transport_key(&self) -> Result<[u8; 32], Failure> {
        Ok(TransportKey::load(&self.dir.join("transport.key"))?.public())
    }

    /// The id of its process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Kills it without warning.
    pub fn kill(&mut self) -> Result<(), Failure> {
        match self.process.take() {
            Some(process) => process.kill(),
            None => Err(failure("the hub does not run")),
        }
    }

    /// Whether its process is alive.
    pub fn is_running(&mut self) -> Result<bool, Failure> {
        match &mut self.process {
            Some(process) => Ok(process.ended()?.is_none()),
            None => Ok(false),
        }
    }

    /// Tells it to stop, and waits until it has.
    pub async fn stop(&mut self) -> Result<(), Failure> {
        let process = self.process.take().ok_or_else(|| failure("the hub does not run"))?;
        let status = process.stop(Duration::from_secs(20)).await?;
        if status.success() {
            Ok(())
        } else {
            Err(failure(format!("the hub ended with {status}")))
        }
    }

    /// How it is reached with the token of a scope.
    pub fn contact(&self, scope: Scope) -> Result<Contact, Failure> {
        contact_of(&self.dir, scope)?.ok_or_else(|| failure("the hub does not run"))
    }

    /// Its RPC.
    pub fn client(&self) -> Result<HttpClient, Failure> {
        let contact = contact(&self.dir)?.ok_or_else(|| failure("the hub does not run"))?;
        Ok(client(&contact)?)
    }

    /// Where it stands.
    pub async fn status(&self) -> Result<StatusView, Failure> {
        Ok(self.client()?.status().await?)
    }

    /// Runs one of its commands.
    pub async fn ask<T: serde::de::DeserializeOwned>(&self, args: &[&str]) -> Result<T, Failure> {
        let mut command = tokio::process::Command::new(program("failsafe-hub")?);
        command.arg("--config").arg(&self.config).arg("--json").args(args);
        ask(command).await
    }

    /// Rebalances.
    pub async fn rebalance(&self) -> Result<RebalanceView, Failure> {
        self.ask(&["rebalance"]).await
    }
}
