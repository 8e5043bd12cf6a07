//! Where the account's secret comes from when a hub or a wallet is made.

use crate::keys::{AccountKey, Scheme};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `init` that say which account it is.
#[derive(Args)]
pub struct SecretArgs {
    /// Secret of the account: a file with a phrase, 0x-seed or //path; a new one is made if absent
    #[arg(long)]
    secret_file: Option<PathBuf>,
    /// Secret of the account, for development (others can see it in the list of processes)
    #[arg(long, conflicts_with = "secret_file")]
    suri: Option<String>,
    /// Signature scheme of the account
    #[arg(long, value_enum, default_value = "sr25519")]
    scheme: Scheme,
}

impl SecretArgs {
    /// The key that is meant; a new one if none is.
    ///
    /// # Errors
    /// For people: the file cannot be read, or it is not a secret.
    pub fn key(&self) -> Result<AccountKey, String> {
        let secret = match (&self.secret_file, &self.suri) {
            (Some(path), _) => {
                let secret = std::fs::read_to_string(path);
                secret.map_err(|e| format!("{}: {e}", path.display()))?
            },
            (None, Some(suri)) => suri.clone(),
            (None, None) => return Ok(AccountKey::generate(self.scheme)),
        };
        AccountKey::from_uri(self.scheme, secret.trim()).map_err(|e| e.to_string())
    }

    /// Whether a new account is made.
    pub fn is_new(&self) -> bool {
        self.secret_file.is_none() && self.suri.is_none()
    }
}
