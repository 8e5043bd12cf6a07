//! The report of the story: what chain and wallets showed after each step.

use failsafe_primitives::Balance;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// Smallest units of an FRD.
pub const UNIT: u64 = 1_000_000_000_000;

/// An amount of whole FRD in smallest units.
pub fn frd(whole: u64) -> Balance {
    Balance::from(whole) * Balance::from(UNIT)
}

/// Both runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Smallest units of an FRD.
    pub unit: u64,
    /// Steps by run.
    pub runs: BTreeMap<String, Run>,
}

/// The steps of a run.
pub type Run = Vec<Step>;

/// What chain and wallets show after a step. All amounts are decimal strings in smallest units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// The finalized block that it was read at.
    pub block: u32,
    /// On-chain balances by account and asset.
    pub accounts: BTreeMap<String, BTreeMap<String, String>>,
    /// Channels by "user/hub" and asset.
    pub channels: BTreeMap<String, BTreeMap<String, ChannelAmounts>>,
    /// Open debts.
    pub debts: Vec<DebtLine>,
}

/// One asset of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelAmounts {
    /// Collateral.
    pub insurance: String,
    /// On-chain part of delta.
    pub ondelta: String,
    /// Off-chain part of delta.
    pub offdelta: String,
    /// The user's part of the collateral.
    pub user_insured: String,
    /// What the hub owes the user beyond it.
    pub user_uninsured: String,
    /// The hub's part of the collateral.
    pub hub_insured: String,
    /// What the user owes the hub beyond it.
    pub hub_uninsured: String,
}

/// An open debt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtLine {
    /// Who owes.
    pub debtor: String,
    /// To whom.
    pub creditor: String,
    /// The asset.
    pub asset: String,
    /// What is left.
    pub left: String,
}

impl Report {
    /// Writes it, with the folders above it.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        std::fs::write(path, text)
    }
}

impl Step {
    /// An account's FRD on chain.
    pub fn on_chain(&self, account: &str) -> Option<Balance> {
        self.accounts.get(account)?.get("FRD")?.parse().ok()
    }

    /// FRD in a channel.
    pub fn frd(&self, channel: &str) -> Option<&ChannelAmounts> {
        self.channels.get(channel)?.get("FRD")
    }
}
