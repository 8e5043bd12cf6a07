//! A wallet: the library of the hub in the user's role.
//!
//! Everything that it knows is in one directory: `wallet.toml` (node and hubs), `key.json`, `store/`,
//! and `rpc.json` while it runs. Commands go to a running wallet (`failsafe daemon`) if there is
//! one; else the wallet runs for the time of the command.

pub mod config;
pub mod wallet;

pub use config::{HubEntry, WalletConfig};
pub use wallet::{Wallet, WalletError};
