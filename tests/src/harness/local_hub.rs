//! A hub of a network on this machine: at fixed ports, with the key of a development account, and
//! files that stay from one run to the next.

use super::{failure, process::program, Failure};
use failsafe_hub::rpc::{
    client::{client, contact},
    FailsafeRpcClient,
};
use jsonrpsee::http_client::HttpClient;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Such a hub.
#[derive(Clone, Debug)]
pub struct LocalHub {
    /// What its files are called.
    pub name: &'static str,
    /// Its handle on chain, without `@`.
    pub handle: &'static str,
    /// Its account, one with money from the first block on.
    pub secret: &'static str,
    /// Where users connect.
    pub port: u16,
    /// Where the operator's commands go.
    pub rpc_port: u16,
    /// Another hub that it dials, `@handle`.
    pub peer: Option<&'static str>,
}

impl LocalHub {
    /// Where users connect.
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its configuration in the folder of the network.
    pub fn config(&self, dir: &Path) -> PathBuf {
        dir.join(format!("{}.toml", self.name))
    }

    /// Makes its files, unless they are there, and returns the command that runs it.
    pub fn command(&self, dir: &Path, node: &str) -> Result<Command, Failure> {
        let config = self.config(dir);
        if !config.exists() {
            let made = Command::new(program("failsafe-hub")?)
                .arg("--config")
                .arg(&config)
                .args(["init", "--suri", self.secret, "--node", node, "--dir", self.name])
                .args(["--listen", &self.endpoint()])
                .args(["--rpc", &format!("127.0.0.1:{}", self.rpc_port)])
                .output()?;
            if !made.status.success() {
                return Err(failure(String::from_utf8_lossy(&made.stderr)));
            }
            if let Some(peer) = self.peer {
                let text = fs::read_to_string(&config)?;
                fs::write(&config, text.replace("\npeers = []", &format!("\npeers = [{peer:?}]")))?;
            }
        }
        let mut command = Command::new(program("failsafe-hub")?);
        command.arg("--config").arg(&config).arg("run");
        Ok(command)
    }

    /// Its RPC, once it runs.
    pub fn rpc(&self, dir: &Path) -> Result<HttpClient, Failure> {
        let contact = contact(&dir.join(self.name))?;
        let contact = contact.ok_or_else(|| failure("the hub does not answer"))?;
        Ok(client(&contact)?)
    }

    /// Registers it on chain; it runs.
    pub async fn register(&self, dir: &Path) -> Result<(), Failure> {
        self.rpc(dir)?.register(self.handle.into(), self.endpoint()).await?;
        Ok(())
    }
}
