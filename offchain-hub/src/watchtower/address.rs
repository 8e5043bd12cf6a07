//! `account@host:port#key`: who a tower is and where it listens.

use crate::address;
use failsafe_primitives::AccountId;
use sp_core::crypto::Ss58Codec;
use std::{fmt, str::FromStr};

/// A watchtower: its account, its endpoint and its transport key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TowerAddress {
    /// Its account, which it proves in every session.
    pub account: AccountId,
    /// `host:port`.
    pub endpoint: String,
    /// Its X25519 transport key.
    pub transport_key: [u8; 32],
}

/// What is wrong with a tower's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a tower: expected account@host:port#key as `failsafe-tower run` prints it ({reason})")]
pub struct TowerAddressError {
    /// What was given.
    pub text: String,
    /// What is missing or wrong.
    pub reason: String,
}

impl FromStr for TowerAddress {
    type Err = TowerAddressError;

    fn from_str(text: &str) -> Result<Self, TowerAddressError> {
        let wrong = |reason: &str| TowerAddressError { text: text.into(), reason: reason.into() };
        let (account, rest) = text.split_once('@').ok_or_else(|| wrong("there is no @"))?;
        let (endpoint, key) = rest.split_once('#').ok_or_else(|| wrong("there is no #"))?;
        let account = address::account(account).map_err(|error| wrong(&error.to_string()))?;
        let (host, port) = endpoint.rsplit_once(':').ok_or_else(|| wrong("there is no port"))?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(wrong("the endpoint is not host:port"));
        }
        let transport_key = hex::decode(key.trim_start_matches("0x"))
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| wrong("the key has 64 hex digits"))?;
        Ok(Self { account, endpoint: endpoint.into(), transport_key })
    }
}

impl fmt::Display for TowerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, endpoint, transport_key } = self;
        write!(f, "{}@{endpoint}#{}", account.to_ss58check(), hex::encode(transport_key))
    }
}
