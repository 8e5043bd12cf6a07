//! The Failsafe node: Aura authorship, GRANDPA finality, JSON-RPC on 9944.

mod chain_spec;
mod cli;
mod command;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
    command::run()
}
