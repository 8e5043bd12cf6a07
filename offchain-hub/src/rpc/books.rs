//! The store of a running party: backups, and disputes by restored copies.

use super::{
    api::{BackupView, OnChainView},
    names::RequestError,
    service::name,
    Service,
};
use crate::{
    party::{Command, CommandError},
    store::backup::Contents,
};
use std::path::PathBuf;

impl From<(String, Contents)> for BackupView {
    fn from((path, contents): (String, Contents)) -> Self {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Self {
            path,
            account: name(&contents.header.account),
            made_ms: contents.header.made_ms,
            channels: count(contents.channels),
            records: count(contents.records),
            bytes: count(contents.bytes),
        }
    }
}

impl Service {
    pub(super) async fn do_backup(&self, path: String) -> Result<BackupView, RequestError> {
        let file = PathBuf::from(&path);
        if !file.is_absolute() {
            let reason = "name the backup by its whole path, from / on".into();
            return Err(CommandError::Invalid(reason).into());
        }
        let written = self.party.backup(file).await;
        let contents = written.map_err(|e| CommandError::Invalid(e.to_string()))?;
        Ok((path, contents).into())
    }

    pub(super) async fn do_dispute_from_backup(
        &self,
        partner: Option<&str>,
    ) -> Result<OnChainView, RequestError> {
        let partner = self.partner(partner).await?;
        self.on_chain(Command::DisputeByRestoredCopy { partner }).await
    }
}
