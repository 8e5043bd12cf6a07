//! What the commands of hub and wallet have in common: the requests to a running party, and how its
//! answers are shown.

mod commands;
pub mod doctor;
mod governance;
mod operator;
mod render;
mod render_governance;
mod render_operator;
mod secret;
mod store;

use commands::show;
pub use commands::PartyCommand;
pub use governance::GovernanceCommand;
pub use operator::{openrpc, OperatorCommand};
pub use render::{right_align, table};
pub use secret::SecretArgs;
pub use store::{Home, StoreCommand};

use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Logs to standard error in lines for people; `default` unless RUST_LOG says otherwise.
pub fn init_logging(default: &str) {
    init_logging_as(default, LogFormat::Text);
}

/// Logs to standard error; `default` unless RUST_LOG says otherwise.
pub fn init_logging_as(default: &str, format: LogFormat) {
    // The storage engine's news are not the operator's.
    let quiet = format!("{default},fjall=warn,lsm_tree=warn");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Fails only if logging is there already, which is as good.
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

/// Shows how a command ended.
pub fn finish(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        },
    }
}
