//! The Failsafe node: Aura authorship, GRANDPA finality, JSON-RPC on 9944.

#![allow(clippy::result_large_err, reason = "the errors of sc-cli and sc-service are that large")]

mod chain_spec;
mod cli;
mod command;
mod rpc;
mod service;
mod snapshot;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        },
    }
}
