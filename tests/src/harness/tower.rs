//! A watchtower as a process.

use super::{failure, free_port, process::program, wallet::ask, Failure, Process};
use failsafe_hub::{address, transport::TransportKey, watchtower::TowerAddress};
use failsafe_primitives::AccountId;
use failsafe_tower::rpc::TowerStatus;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// How long a tower may take to start.
const START: Duration = Duration::from_secs(60);

/// A tower: its files, and its process while it runs.
pub struct Tower {
    config: PathBuf,
    log_dir: PathBuf,
    address: TowerAddress,
    process: Option<Process>,
}

impl Tower {
    /// Makes a tower with the account of `suri` that watches for `clients`; it does not run yet.
    pub async fn create(
        suri: &str,
        node: &str,
        clients: &[&AccountId],
        dir: &Path,
    ) -> Result<Self, Failure> {
        let config = dir.join("tower.toml");
        let endpoint = format!("127.0.0.1:{}", free_port()?);
        let mut command = tokio::process::Command::new(program("failsafe-tower")?);
        command.arg("--config").arg(&config).args(["init", "--suri", suri, "--node", node]);
        command.args(["--dir", "tower", "--listen", &endpoint, "--rpc", "127.0.0.1:0"]);
        for client in clients {
            command.args(["--client", &client.to_string()]);
        }
        let made = command.output().await?;
        if !made.status.success() {
            return Err(failure(String::from_utf8_lossy(&made.stderr)));
        }
        let output = String::from_utf8(made.stdout)?;
        let account = output
            .lines()
            .find_map(|line| line.strip_prefix("account"))
            .ok_or_else(|| failure("init does not tell the account"))?;
        let key = TransportKey::load(&dir.join("tower").join("transport.key"))?;
        let address = TowerAddress {
            account: address::account(account.trim())?,
            endpoint,
            transport_key: key.public(),
        };
        Ok(Self { config, log_dir: dir.to_path_buf(), address, process: None })
    }

    /// `account@host:port#key`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Its account.
    pub fn account(&self) -> &AccountId {
        &self.address.account
    }

    /// Starts it and waits until it answers. What it prints is the address that clients are given.
    pub async fn start(&mut self) -> Result<(), Failure> {
        let mut command = Command::new(program("failsafe-tower")?);
        command.arg("--config").arg(&self.config).arg("run").env_remove("RUST_LOG");
        let mut process = Process::start("tower", command, &self.log_dir)?;
        let line = format!("tower     {}\n", self.address);
        let answers =
            |log: &str| (log.contains(&line) && log.contains("\ncommands  ")).then_some(());
        process.wait_for("the tower answers", START, answers).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it without warning.
    pub fn kill(&mut self) -> Result<(), Failure> {
        match self.process.take() {
            Some(process) => process.kill(),
            None => Err(failure("the tower does not run")),
        }
    }

    /// Tells it to stop, and waits until it has.
    pub async fn stop(&mut self) -> Result<(), Failure> {
        let process = self.process.take().ok_or_else(|| failure("the tower does not run"))?;
        let status = process.stop(Duration::from_secs(20)).await?;
        if status.success() {
            Ok(())
        } else {
            Err(failure(format!("the tower ended with {status}")))
        }
    }

    /// How it is.
    pub async fn status(&self) -> Result<TowerStatus, Failure> {
        let mut command = tokio::process::Command::new(program("failsafe-tower")?);
        command.arg("--config").arg(&self.config).args(["--json", "status"]);
        ask(command).await
    }
}
