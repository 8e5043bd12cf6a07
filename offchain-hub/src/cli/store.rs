//! Commands about a party's store, whether it runs or not.

use super::{
    doctor::{self, Subject},
    show,
};
use crate::{
    chain::ChainClient,
    keys::AccountKey,
    rpc::{
        api::BackupView,
        client::{client, contact, explain},
        FailsafeRpcClient,
    },
    store::{backup, Place, StoreError},
};
use clap::Subcommand;
use failsafe_channel::Sign;
use jsonrpsee::core::ClientError;
use std::{
    fmt::Display,
    path::{Path, PathBuf},
};

/// What can be done with a store.
#[derive(Clone, Debug, Subcommand)]
pub enum StoreCommand {
    /// Write all that is stored into one file, while the party runs or not; without the account key
    Backup {
        /// The file; it must not exist
        file: PathBuf,
    },
    /// Make the store anew from a backup; there must be none, or an unused one
    Restore {
        /// The file that `backup` has written
        file: PathBuf,
        /// Do not ask the node whether the backup is of its chain: the first run will
        #[arg(long)]
        offline: bool,
    },
    /// Check everything that a party needs, and say what to do
    Doctor,
}

/// The party that a store belongs to.
pub struct Home {
    /// Its folder.
    pub dir: PathBuf,
    /// Its key file.
    pub key: PathBuf,
    /// Its store.
    pub place: Place,
    /// WebSocket address of its node.
    pub node: String,
}

fn text(error: impl Display) -> String {
    error.to_string()
}

impl StoreCommand {
    /// Carries it out.
    ///
    /// # Errors
    /// Says what is wrong, and what to do.
    pub async fn run(self, home: Home, subject: Subject, json: bool) -> Result<(), String> {
        match self {
            Self::Backup { file } => {
                let view = make_backup(&home, &file).await?;
                show(json, &view, |view| {
                    format!(
                        "{} channels, {} records, {} bytes in {}\n\
                         The key files are not in it: keep them apart. Who can read it learns what \
                         you have paid and some secrets of payments.",
                        view.channels, view.records, view.bytes, view.path
                    )
                })
            },
            Self::Restore { file, offline } => restore(&home, &file, offline, json).await,
            Self::Doctor => doctor::run(&home, subject, json).await,
        }
    }
}

/// Asks the running party for a backup, or reads the store of a stopped one.
async fn make_backup(home: &Home, file: &Path) -> Result<BackupView, String> {
    let path = std::path::absolute(file).map_err(text)?;
    let shown = path.display().to_string();
    if let Some(contact) = contact(&home.dir).map_err(text)? {
        match client(&contact).map_err(text)?.backup(shown.clone()).await {
            // Nobody is there: a process that was killed has left its note.
            Err(ClientError::Transport(_)) => {},
            answer => return answer.map_err(explain),
        }
    }
    let store = home.place.look().map_err(text)?;
    let now = crate::party::runtime::now_ms();
    let contents = backup::write(&*store, &path, now).map_err(text)?;
    Ok((shown, contents).into())
}

async fn restore(home: &Home, file: &Path, offline: bool, json: bool) -> Result<(), String> {
    let account = AccountKey::load(&home.key).map_err(text)?.account();
    let backup = backup::read(file).map_err(text)?;
    backup.check(&account, None).map_err(text)?;
    if !offline {
        let client = ChainClient::connect(&home.node).await.map_err(|e| {
            format!("{e}\n(with --offline the backup's chain is compared at the first run)")
        })?;
        backup.check(&account, Some(client.info().genesis)).map_err(text)?;
    }
    let view = BackupView::from((file.display().to_string(), backup.contents().clone()));
    let (records, dropped) = backup.restored().map_err(text)?;
    home.place.fill(&records).map_err(|error| match error {
        StoreError::Exists { path } => format!(
            "there is a store at {path} already: a backup is older than what is there and never \
             replaces it. If that store is damaged, stop the party and move it away first"
        ),
        other => other.to_string(),
    })?;
    show(json, &view, |view| {
        let mut text = format!(
            "{} channels restored. Each signs nothing before its partner has connected and shown what \
             it knows, and then not for another 1,000 usable blocks.",
            view.channels
        );
        if !dropped.is_empty() {
            let calls = dropped.join(", ");
            text += &format!(
                "\nCalls that were on their way when the backup was made are not repeated: {calls}. \
                 Look on the chain what became of them."
            );
        }
        text
    })
}
