//! A wallet in its directory; each command is a process.

use super::{eventually, failure, process::program, Failure, Process};
use failsafe_hub::rpc::{
    api::{ChannelAssetRow, ChannelRow, OnChainView, PaymentRow, StatusView},
    client::{client, contact},
};
use failsafe_primitives::AccountId;
use jsonrpsee::http_client::HttpClient;
use serde::de::DeserializeOwned;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// How long a daemon may take to start.
const START: Duration = Duration::from_secs(60);

/// Runs a command and reads its answer; its error message is the failure.
pub(super) async fn ask<T: DeserializeOwned>(
    mut command: tokio::process::Command,
) -> Result<T, Failure> {
    let output = command.env_remove("RUST_LOG").kill_on_drop(true).output().await?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(failure(text.trim().trim_start_matches("error: ")));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A wallet: its directory, and its daemon while it runs.
pub struct Wallet {
    name: String,
    dir: PathBuf,
    log_dir: PathBuf,
    account: AccountId,
    faults: Vec<String>,
    daemon: Option<Process>,
}

impl Wallet {
    /// Makes a wallet with the account of `suri` and, if named, a first hub.
    pub async fn create(
        name: &str,
        suri: &str,
        node: &str,
        hub: Option<&str>,
        dir: &Path,
    ) -> Result<Self, Failure> {
        let home = dir.join(name);
        let mut command = tokio::process::Command::new(program("failsafe")?);
        command.arg("--dir").arg(&home).args(["init", "--suri", suri, "--node", node]);
        if let Some(hub) = hub {
            command.args(["--hub", hub]);
        }
        let made = command.output().await?;
        if !made.status.success() {
            return Err(failure(String::from_utf8_lossy(&made.stderr)));
        }
        let account = failsafe_wallet::Wallet::open(&home)?.account();
        Ok(Self {
            name: name.into(),
            dir: home,
            log_dir: dir.to_path_buf(),
            account,
            faults: vec![],
            daemon: None,
        })
    }

    /// Adds a hub; before it starts.
    pub async fn add_hub(&self, hub: &str) -> Result<(), Failure> {
        let mut command = tokio::process::Command::new(program("failsafe")?);
        let done = command.arg("--dir").arg(&self.dir).args(["hubs", "add", hub]).output().await?;
        if done.status.success() {
            return Ok(());
        }
        Err(failure(String::from_utf8_lossy(&done.stderr)))
    }

    /// Its account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `account@one`.
    pub fn at(&self, hub: &str) -> String {
        format!("{}@{hub}", self.account)
    }

    /// Has it look for its hubs at this address, whatever the registry says.
    pub fn point_at(&self, endpoint: &str, transport_key: &[u8; 32]) -> Result<(), Failure> {
        let mut config = failsafe_wallet::WalletConfig::load(&self.dir)?;
        for hub in &mut config.hubs {
            hub.endpoint = Some(endpoint.into());
            hub.transport_key = Some(hex::encode(transport_key));
        }
        Ok(config.save(&self.dir)?)
    }

    /// Adds a watchtower, `account@host:port#key`; for the next start.
    pub async fn add_tower(&self, tower: &str) -> Result<(), Failure> {
        let mut command = tokio::process::Command::new(program("failsafe")?);
        let added = command.arg("--dir").arg(&self.dir).args(["tower", "add", tower]);
        let added = added.output().await?;
        if !added.status.success() {
            return Err(failure(String::from_utf8_lossy(&added.stderr)));
        }
        Ok(())
    }

    /// Has it run with these faults from its next start on, as `failsafe-faulty` takes them.
    pub fn set_faults(&mut self, faults: &[&str]) {
        self.faults = faults.iter().map(|fault| (*fault).to_string()).collect();
    }

    /// Starts its daemon and waits until it answers.
    pub async fn start(&mut self) -> Result<(), Failure> {
        let mut command = if self.faults.is_empty() {
            Command::new(program("failsafe")?)
        } else {
            let mut command = Command::new(program("failsafe-faulty")?);
            command.arg("wallet");
            command
        };
        command.arg("--dir").arg(&self.dir).arg("daemon").env_remove("RUST_LOG");
        command.args(self.faults.iter().flat_map(|fault| ["--fault", fault]));
        let _ = std::fs::remove_file(self.dir.join(failsafe_hub::rpc::server::FILE));
        let mut process = Process::start(&self.name, command, &self.log_dir)?;
        process
            .wait_for("the wallet answers", START, |log| log.contains("\ncommands  ").then_some(()))
            .await?;
        self.daemon = Some(process);
        Ok(())
    }

    /// Kills its daemon without warning.
    pub fn kill(&mut self) -> Result<(), Failure> {
        match self.daemon.take() {
            Some(process) => process.kill(),
            None => Err(failure("the wallet does not run")),
        }
    }

    /// Its daemon's process.
    pub fn process(&self) -> Result<&Process, Failure> {
        self.daemon.as_ref().ok_or_else(|| failure("the wallet does not run"))
    }

    /// Stops its daemon.
    pub async fn stop(&mut self) -> Result<(), Failure> {
        let process = self.daemon.take().ok_or_else(|| failure("the wallet does not run"))?;
        process.stop(Duration::from_secs(20)).await.map(drop)
    }

    /// RPC of its daemon.
    pub fn client(&self) -> Result<HttpClient, Failure> {
        let contact = contact(&self.dir)?.ok_or_else(|| failure("the wallet does not run"))?;
        Ok(client(&contact)?)
    }

    /// Runs a command.
    pub async fn ask<T: DeserializeOwned>(&self, args: &[&str]) -> Result<T, Failure> {
        let mut command = tokio::process::Command::new(program("failsafe")?);
        command.arg("--dir").arg(&self.dir).arg("--json").args(args);
        ask(command).await
    }

    /// Where it stands.
    pub async fn status(&self) -> Result<StatusView, Failure> {
        self.ask(&["status"]).await
    }

    /// Pays.
    pub async fn pay(&self, to: &str, amount: &str) -> Result<PaymentRow, Failure> {
        self.ask(&["pay", to, amount]).await
    }

    /// Something that ends on chain.
    pub async fn on_chain(&self, args: &[&str]) -> Result<OnChainView, Failure> {
        self.ask(args).await
    }

    /// Its only channel.
    pub async fn channel(&self) -> Result<ChannelRow, Failure> {
        let mut channels = self.status().await?.channels;
        match channels.len() {
            1 => Ok(channels.remove(0)),
            count => Err(failure(format!("{} has {count} channels", self.name))),
        }
    }

    /// FRD in its only channel.
    pub async fn frd(&self) -> Result<ChannelAssetRow, Failure> {
        let channel = self.channel().await?;
        let row = channel.assets.into_iter().find(|row| row.asset.id == 0);
        row.ok_or_else(|| failure(format!("{} has no FRD in its channel", self.name)))
    }

    /// Waits until FRD in its only channel are as `wanted` says.
    pub async fn wait_for_frd(
        &self,
        what: &str,
        patience: Duration,
        wanted: impl Fn(&ChannelAssetRow) -> bool,
    ) -> Result<ChannelAssetRow, Failure> {
        eventually(what, patience, || async {
            let row = self.frd().await?;
            Ok(wanted(&row).then_some(row))
        })
        .await
    }
}
