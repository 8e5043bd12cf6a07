//! `tower.toml`: the node, the clients and their limits.

use crate::core::Limits;
use failsafe_hub::{
    address::{self, AddressError},
    amount::{self, AmountError},
};
use failsafe_primitives::{parameters::MAX_TIME, view::AssetView, AccountId};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration {path}: {source}; `failsafe-tower init` writes one")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not what is expected.
    #[error("configuration {path}: {reason}")]
    Syntax {
        /// The file.
        path: String,
        /// Where and why.
        reason: Box<toml::de::Error>,
    },
    /// A client is not an account.
    #[error("configuration: clients: {0}")]
    Client(#[from] AddressError),
    /// Nobody may hand anything over.
    #[error("configuration: there are no clients: name their accounts, or set open = true")]
    NoClients,
    /// A number is out of its bounds.
    #[error("configuration: {name} is {value}, but must be from {low} to {high}")]
    OutOfBounds {
        /// Which number.
        name: &'static str,
        /// What it is.
        value: u64,
        /// Least.
        low: u64,
        /// Most.
        high: u64,
    },
    /// The amount for fees.
    #[error("configuration: min_balance: {0}")]
    Amount(#[from] AmountError),
    /// The chain shows no native asset.
    #[error("the chain shows no native asset: is the node of the right version?")]
    NoAsset,
}

/// A tower's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TowerConfig {
    /// The node's WebSocket address.
    pub node: String,
    /// Where keys and store are; relative to the file.
    pub dir: PathBuf,
    /// Where clients connect.
    pub listen: String,
    /// Where the tower answers its operator; this machine only.
    pub rpc: SocketAddr,
    /// Accounts that it watches for.
    #[serde(default)]
    pub clients: Vec<String>,
    /// Whether it watches for everybody, within the limits.
    #[serde(default)]
    pub open: bool,
    /// Most channels of one client.
    #[serde(default = "default_channels")]
    pub max_channels: u32,
    /// Most bytes of one client.
    #[serde(default = "default_bytes")]
    pub max_bytes: u64,
    /// Packets of one session that are looked at per second; who sends more waits.
    #[serde(default = "default_rate")]
    pub packets_per_second: u32,
    /// Usable blocks after a lock's expiry for which its revealed secret is kept on chain.
    #[serde(default = "default_keep")]
    pub keep_secrets: u64,
    /// Age of the newest block from which the node counts as stale.
    #[serde(default = "default_stale_after")]
    pub stale_after_seconds: u64,
    /// FRD that the account should have for fees.
    #[serde(default = "default_min_balance")]
    pub min_balance: String,
}

fn default_channels() -> u32 {
    10_000
}

fn default_bytes() -> u64 {
    256 << 20
}

fn default_rate() -> u32 {
    200
}

fn default_keep() -> u64 {
    14_400
}

fn default_stale_after() -> u64 {
    60
}

fn default_min_balance() -> String {
    "10".into()
}

/// What `failsafe-tower init` writes.
pub fn template(
    node: &str,
    dir: &Path,
    listen: &str,
    rpc: SocketAddr,
    clients: &[String],
    open: bool,
) -> String {
    let quote = |text: &str| toml::Value::String(text.into()).to_string();
    let clients: Vec<_> = clients.iter().map(|client| quote(client)).collect();
    format!(
        r#"# A Failsafe watchtower. `failsafe-tower run --config <this file>` starts it.

# WebSocket address of a Failsafe node.
node = {node}
# Keys and store; relative to this file.
dir = {dir}
# Where clients connect.
listen = {listen}
# Where the operator's commands go; this machine only.
rpc = {rpc}

# Accounts of the hubs and wallets that it watches for.
clients = [{clients}]
# true: whoever comes, within the limits below. Each reveal and counter costs this tower a fee.
open = {open}
# Per client.
max_channels = 10000
max_bytes = 268435456
# Per session; who sends more waits.
packets_per_second = 200

# A revealed secret is kept on chain for so many usable blocks after its lock's expiry, so that a client
# who is away can still dispute: a fee every `keep` blocks. 0: it is revealed once.
keep_secrets = 14400
# Alarms: no new block for so long; less FRD than that for fees.
stale_after_seconds = 60
min_balance = "10"
"#,
        node = quote(node),
        dir = quote(&dir.display().to_string()),
        listen = quote(listen),
        rpc = quote(&rpc.to_string()),
        clients = clients.join(", "),
    )
}

impl TowerConfig {
    /// Reads and checks a file; `dir` becomes relative to the current directory.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Io { path: name.clone(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|reason| ConfigError::Syntax { path: name, reason: Box::new(reason) })?;
        config.check()?;
        if let Some(parent) = path.parent() {
            config.dir = parent.join(&config.dir);
        }
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let within = |name, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(ConfigError::OutOfBounds { name, value, low, high })
        };
        within("max_channels", self.max_channels.into(), 1, 1_000_000)?;
        within("max_bytes", self.max_bytes, 1 << 16, 1 << 40)?;
        within("packets_per_second", self.packets_per_second.into(), 1, 100_000)?;
        within("keep_secrets", self.keep_secrets, 0, MAX_TIME)?;
        within("stale_after_seconds", self.stale_after_seconds, 2, 3_600)?;
        let clients = self.clients()?;
        if clients.is_empty() && !self.open {
            return Err(ConfigError::NoClients);
        }
        Ok(())
    }

    /// The accounts that it watches for.
    pub fn clients(&self) -> Result<BTreeSet<AccountId>, ConfigError> {
        self.clients.iter().map(|client| Ok(address::account(client)?)).collect()
    }

    /// The limits, given the assets of its chain.
    pub fn limits(&self, assets: &[AssetView]) -> Result<Limits, ConfigError> {
        let native = assets.first().ok_or(ConfigError::NoAsset)?;
        Ok(Limits {
            max_channels: self.max_channels,
            max_bytes: self.max_bytes,
            keep_secrets: self.keep_secrets,
            stale_after_ms: self.stale_after_seconds.saturating_mul(1_000),
            min_balance: amount::parse(&self.min_balance, native.decimals)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    fn written(text: &str) -> Result<TowerConfig, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tower.toml");
        std::fs::write(&path, text).unwrap();
        TowerConfig::load(&path)
    }

    fn plain(clients: &[String], open: bool) -> String {
        let rpc = "127.0.0.1:9961".parse().unwrap();
        template("ws://127.0.0.1:9944", Path::new("data"), "127.0.0.1:9960", rpc, clients, open)
    }

    #[test]
    fn template_should_be_a_valid_configuration_with_the_defaults() {
        let config = written(&plain(&[CLIENT.into()], false)).unwrap();
        assert_eq!(config.clients().unwrap().len(), 1);
        let frd = AssetView { id: 0, symbol: b"FRD".to_vec(), decimals: 12, minimum: 10 };
        let limits = config.limits(&[frd]).unwrap();
        assert_eq!(limits.min_balance, 10_000_000_000_000);
        assert_eq!(limits.max_bytes, default_bytes());
        assert_eq!(limits.keep_secrets, default_keep());
        assert!(config.dir.ends_with("data"));
    }

    #[test]
    fn configuration_should_be_refused_when_nobody_is_watched_for() {
        let error = written(&plain(&[], false)).unwrap_err();
        assert!(matches!(error, ConfigError::NoClients), "{error}");
        assert!(written(&plain(&[], true)).is_ok());
    }

    #[test]
    fn configuration_should_be_refused_when_it_is_damaged() {
        let plain = plain(&[CLIENT.into()], false);
        for (text, part) in [
            ("node = ", "node"),
            (&plain.replace("max_bytes", "max_byte"), "max_byte"),
            (&plain.replace(CLIENT, "nobody"), "nobody"),
            (&plain.replace("max_channels = 10000", "max_channels = 0"), "max_channels"),
            (&plain.replace("after_seconds = 60", "after_seconds = 0"), "stale_after_seconds"),
        ] {
            let error = written(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn configuration_should_say_how_to_get_one_when_the_file_is_missing() {
        let error = TowerConfig::load(Path::new("/nowhere/tower.toml")).unwrap_err();
        assert!(error.to_string().contains("failsafe-tower init"), "{error}");
    }
}
