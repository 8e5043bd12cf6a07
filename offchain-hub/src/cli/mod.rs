//! What the commands of hub and wallet have in common: the requests to a running party, and how its
//! answers are shown.

mod commands;
pub mod doctor;
mod render;
mod secret;
mod store;

use commands::show;
pub use commands::PartyCommand;
pub use render::{right_align, table};
pub use secret::SecretArgs;
pub use store::{Home, StoreCommand};

use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Logs to standard error; `default` unless RUST_LOG says otherwise.
pub fn init_logging(default: &str) {
    // The storage engine's news are not the operator's.
    let quiet = format!("{default},fjall=warn,lsm_tree=warn");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    // Fails only if logging is there already, which is as good.
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
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
