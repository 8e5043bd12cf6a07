//! Finds a running party and talks to it.

use super::{
    guard::Scope,
    server::{file_of, Contact, FILE},
};
use crate::keys::{read_private, KeyError};
use jsonrpsee::{
    core::ClientError,
    http_client::{HeaderMap, HeaderValue, HttpClient, HttpClientBuilder},
    ws_client::{WsClient, WsClientBuilder},
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

/// The contact that a running party has left in `dir`, with the token that may do everything; `None` if
/// there is none.
pub fn contact(dir: &Path) -> Result<Option<Contact>, ContactError> {
    contact_of(dir, Scope::Admin)
}

/// The contact with the token of a scope.
pub fn contact_of(dir: &Path, scope: Scope) -> Result<Option<Contact>, ContactError> {
    let path = dir.join(file_of(scope));
    if !path.exists() {
        return Ok(None);
    }
    let text = read_private(&path)?;
    let damaged =
        |reason: String| ContactError::Damaged { path: path.display().to_string(), reason };
    Ok(Some(serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?))
}

fn damaged(reason: impl ToString) -> ContactError {
    ContactError::Damaged { path: FILE.into(), reason: reason.to_string() }
}

/// What a request shows.
fn headers(contact: &Contact) -> Result<HeaderMap, ContactError> {
    let mut headers = HeaderMap::new();
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", contact.token.reveal())).map_err(damaged)?;
    value.set_sensitive(true);
    headers.insert("authorization", value);
    Ok(headers)
}

/// A client of a running party that can also listen to it, over WebSocket.
pub async fn listener(contact: &Contact) -> Result<WsClient, ContactError> {
    let url = contact.url.replacen("http://", "ws://", 1);
    WsClientBuilder::default()
        .set_headers(headers(contact)?)
        .request_timeout(PATIENCE)
        .build(&url)
        .await
        .map_err(damaged)
}

/// A client of a running party.
pub fn client(contact: &Contact) -> Result<HttpClient, ContactError> {
    let headers = headers(contact)?;
    HttpClientBuilder::default()
        .set_headers(headers)
        .request_timeout(PATIENCE)
        .build(&contact.url)
        .map_err(damaged)
}

/// What a party answered, for people: its own words, without the wrapping of the protocol.
pub fn explain(error: ClientError) -> String {
    match error {
        ClientError::Call(answer) => answer.message().to_string(),
        ClientError::RequestTimeout => "no answer in time".into(),
        other => other.to_string(),
    }
}
