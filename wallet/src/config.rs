//! `wallet.toml`: the node and the hubs of a wallet.

use failsafe_hub::{
    address,
    party::Peer,
    rpc::names::KnownHub,
    watchtower::{address::TowerAddressError, TowerAddress},
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file in a wallet's directory.
pub const FILE: &str = "wallet.toml";
/// Longest that an acknowledgement may wait: one usable block of the fastest chain.
const MAX_ACK_DELAY_MS: u64 = 1_000;
/// Longest that a payment may wait for a signature.
const MAX_SIGN_DELAY_MS: u64 = 1_000;

/// What is wrong with a wallet's configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is none.
    #[error("there is no wallet in {0}: `failsafe init` makes one")]
    Missing(String),
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not what is expected.
    #[error("{path}: {reason}")]
    Syntax {
        /// The file.
        path: String,
        /// Where and why.
        reason: Box<toml::de::Error>,
    },
    /// A hub's entry is wrong.
    #[error("{path}: hub {hub}: {reason}")]
    Hub {
        /// The file.
        path: String,
        /// Which hub.
        hub: String,
        /// Why.
        reason: String,
    },
    /// A watchtower's entry is wrong.
    #[error("{path}: {error}")]
    Tower {
        /// The file.
        path: String,
        /// What is wrong.
        error: TowerAddressError,
    },
    /// A number is out of its bounds.
    #[error("{path}: {name} must be at most {most}")]
    TooLong {
        /// The file.
        path: String,
        /// Which number.
        name: &'static str,
        /// The highest possible.
        most: u64,
    },
}

/// A hub that the wallet has a channel with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubEntry {
    /// Its account.
    pub account: String,
    /// Its handle, without the @.
    pub handle: Option<String>,
    /// Where it listens, if the registry is not to be asked.
    pub endpoint: Option<String>,
    /// Its transport key in hex, if the registry is not to be asked.
    pub transport_key: Option<String>,
}

/// A wallet's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletConfig {
    /// WebSocket address of a node.
    pub node: String,
    /// How long an acknowledgement may wait for an own payment to carry it.
    #[serde(default = "default_ack_delay")]
    pub ack_delay_ms: u64,
    /// Whether payments go without a signature to hubs whose terms allow it.
    #[serde(default = "yes")]
    pub pay_unsigned: bool,
    /// How long such a payment may wait for a signature that covers it.
    #[serde(default = "default_sign_delay")]
    pub sign_delay_ms: u64,
    /// Watchtowers that get the newest of every channel, `account@host:port#key`.
    #[serde(default)]
    pub towers: Vec<String>,
    /// Its hubs; the first one is meant when none is named.
    #[serde(default)]
    pub hubs: Vec<HubEntry>,
}

fn default_ack_delay() -> u64 {
    20
}

fn yes() -> bool {
    true
}

fn default_sign_delay() -> u64 {
    20
}

impl WalletConfig {
    /// A wallet without hubs.
    pub fn new(node: String) -> Self {
        Self {
            node,
            ack_delay_ms: default_ack_delay(),
            pay_unsigned: yes(),
            sign_delay_ms: default_sign_delay(),
            towers: vec![],
            hubs: vec![],
        }
    }

    /// Reads the configuration of the wallet in `dir`.
    pub fn load(dir: &Path) -> Result<Self, ConfigError> {
        let path = dir.join(FILE);
        let name = path.display().to_string();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(ConfigError::Missing(dir.display().to_string()));
            },
            Err(source) => return Err(ConfigError::Io { path: name, source }),
        };
        let config: Self = toml::from_str(&text).map_err(|reason| ConfigError::Syntax {
            path: name.clone(),
            reason: Box::new(reason),
        })?;
        for (name_of, value, most) in [
            ("ack_delay_ms", config.ack_delay_ms, MAX_ACK_DELAY_MS),
            ("sign_delay_ms", config.sign_delay_ms, MAX_SIGN_DELAY_MS),
        ] {
            if value > most {
                return Err(ConfigError::TooLong { path: name, name: name_of, most });
            }
        }
        config.hubs(dir)?;
        config.towers(dir)?;
        Ok(config)
    }

    /// Writes it, all or nothing.
    pub fn save(&self, dir: &Path) -> Result<(), ConfigError> {
        let path = dir.join(FILE);
        let new = dir.join(format!("{FILE}.new"));
        let text = toml::to_string_pretty(self).expect("plain fields; qed");
        let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &path));
        let name = path.display().to_string();
        written.map_err(|source| ConfigError::Io { path: name, source })
    }

    /// The watchtowers, checked.
    pub fn towers(&self, dir: &Path) -> Result<Vec<TowerAddress>, ConfigError> {
        let wrong =
            |error| ConfigError::Tower { path: dir.join(FILE).display().to_string(), error };
        self.towers.iter().map(|text| text.parse().map_err(wrong)).collect()
    }

    /// The hubs with their places, checked.
    pub fn hubs(&self, dir: &Path) -> Result<Vec<(KnownHub, Peer)>, ConfigError> {
        self.hubs.iter().map(|entry| entry.check(dir)).collect()
    }
}

impl HubEntry {
    fn check(&self, dir: &Path) -> Result<(KnownHub, Peer), ConfigError> {
        let wrong = |reason: String| ConfigError::Hub {
            path: dir.join(FILE).display().to_string(),
            hub: self.account.clone(),
            reason,
        };
        let account = address::account(&self.account).map_err(|e| wrong(e.to_string()))?;
        if let Some(handle) = &self.handle {
            address::handle(handle).map_err(|e| wrong(e.to_string()))?;
        }
        let place = match (&self.endpoint, &self.transport_key) {
            (None, None) => None,
            (Some(endpoint), Some(key)) => {
                let key = hex::decode(key.trim_start_matches("0x"))
                    .ok()
                    .and_then(|bytes| bytes.try_into().ok())
                    .ok_or_else(|| wrong("transport_key has 64 hex digits".into()))?;
                Some((endpoint.clone(), key))
            },
            _ => {
                let reason = "endpoint and transport_key come together, or not at all";
                return Err(wrong(reason.into()));
            },
        };
        let hub = KnownHub { account: account.clone(), handle: self.handle.clone() };
        Ok((hub, Peer { account, place }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    fn written(text: &str) -> Result<WalletConfig, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), text).unwrap();
        WalletConfig::load(dir.path())
    }

    #[test]
    fn configuration_should_be_the_same_when_saved_and_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = WalletConfig::new("ws://127.0.0.1:9944".into());
        config.hubs.push(HubEntry {
            account: HUB.into(),
            handle: Some("one".into()),
            endpoint: None,
            transport_key: None,
        });
        config.save(dir.path()).unwrap();
        assert_eq!(WalletConfig::load(dir.path()).unwrap(), config);
    }

    #[test]
    fn configuration_should_be_refused_when_it_is_damaged() {
        for text in [
            "node = ",
            "nod = \"ws://x\"",
            "node = \"ws://x\"\nack_delay_ms = 2000",
            "node = \"ws://x\"\nsign_delay_ms = 2000",
            "node = \"ws://x\"\ntowers = [\"somebody\"]",
            "node = \"ws://x\"\n[[hubs]]\naccount = \"nobody\"",
            &format!("node = \"ws://x\"\n[[hubs]]\naccount = \"{HUB}\"\nhandle = \"A B\""),
            &format!("node = \"ws://x\"\n[[hubs]]\naccount = \"{HUB}\"\nendpoint = \"h:1\""),
        ] {
            assert!(written(text).is_err(), "{text}");
        }
    }

    #[test]
    fn configuration_should_say_how_to_get_one_when_there_is_none() {
        let error = WalletConfig::load(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("failsafe init"), "{error}");
    }
}
