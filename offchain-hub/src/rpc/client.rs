//! Finds a running party and talks to it.

use super::server::{Contact, FILE};
use crate::keys::{read_private, KeyError};
use jsonrpsee::{
    core::ClientError,
    http_client::{HeaderMap, HeaderValue, HttpClient, HttpClientBuilder},
};
use std::{path::Path, time::Duration};

/// Longer than anything that a party waits for.
const PATIENCE: Duration = Duration::from_secs(240);

/// What can go wrong on this side.
#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    /// No party is running.
    #[error("nothing is running in {0}: start it first")]
    NotRunning(String),
    /// The contact file.
    #[error(transparent)]
    File(#[from] KeyError),
    /// The contact file is not one.
    #[error("{path} is damaged ({reason}): restart the process that wrote it")]
    Damaged {
        /// The file.
        path: String,
        /// How.
        reason: String,
    },
}

/// The contact that a running party has left in `dir`; `None` if there is none.
pub fn contact(dir: &Path) -> Result<Option<Contact>, ContactError> {
    let path = dir.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = read_private(&path)?;
    let damaged =
        |reason: String| ContactError::Damaged { path: path.display().to_string(), reason };
    Ok(Some(serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?))
}

/// A client of a running party.
pub fn client(contact: &Contact) -> Result<HttpClient, ContactError> {
    let damaged = |reason: String| ContactError::Damaged { path: FILE.into(), reason };
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&format!("Bearer {}", contact.token))
        .map_err(|e| damaged(e.to_string()))?;
    headers.insert("authorization", value);
    HttpClientBuilder::default()
        .set_headers(headers)
        .request_timeout(PATIENCE)
        .build(&contact.url)
        .map_err(|e| damaged(e.to_string()))
}

/// What a party answered, for people: its own words, without the wrapping of the protocol.
pub fn explain(error: ClientError) -> String {
    match error {
        ClientError::Call(answer) => answer.message().to_string(),
        ClientError::RequestTimeout => "no answer in time".into(),
        other => other.to_string(),
    }
}
