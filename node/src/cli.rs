//! The command line.

use sc_cli::{CliConfiguration, DatabaseParams, PruningParams, SharedParams};
use std::path::PathBuf;

/// The node's command line; without a subcommand it runs the node.
#[derive(Debug, clap::Parser)]
pub struct Cli {
    /// What to do instead of running the node.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    /// How to run the node.
    #[clap(flatten)]
    pub run: sc_cli::RunCmd,

    /// Begin with the chain in this file, which `export-snapshot` has made. Only a node without a
    /// chain takes one.
    #[arg(long, value_name = "FILE")]
    pub from_snapshot: Option<PathBuf>,

    /// SHA-256 that the file must have.
    #[arg(long, value_name = "HEX", requires = "from_snapshot")]
    pub snapshot_sha256: Option<String>,
}

/// What the node can do beside running.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "parsed once")]
pub enum Subcommand {
    /// Make and inspect keys.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),
    /// Write a chain specification: `--chain dev`, `local`, `story` or a file.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),
    /// Validate blocks.
    CheckBlock(sc_cli::CheckBlockCmd),
    /// Export blocks.
    ExportBlocks(sc_cli::ExportBlocksCmd),
    /// Export the state of a block into a chain specification.
    ExportState(sc_cli::ExportStateCmd),
    /// Import blocks.
    ImportBlocks(sc_cli::ImportBlocksCmd),
    /// Remove the whole chain from disk.
    PurgeChain(sc_cli::PurgeChainCmd),
    /// Revert the chain to an earlier state.
    Revert(sc_cli::RevertCmd),
    /// Show what is in the database.
    ChainInfo(sc_cli::ChainInfoCmd),
    /// Write the chain of a stopped node into a file, and show the file's hash.
    ExportSnapshot(ExportSnapshotCmd),
}

/// Writes a snapshot.
#[derive(Debug, Clone, clap::Parser)]
pub struct ExportSnapshotCmd {
    /// The file that is written.
    pub file: PathBuf,

    /// Which chain, and where.
    #[clap(flatten)]
    pub shared_params: SharedParams,

    /// How the node prunes.
    #[clap(flatten)]
    pub pruning_params: PruningParams,

    /// Which database.
    #[clap(flatten)]
    pub database_params: DatabaseParams,
}

impl CliConfiguration for ExportSnapshotCmd {
    fn shared_params(&self) -> &SharedParams {
        &self.shared_params
    }

    fn pruning_params(&self) -> Option<&PruningParams> {
        Some(&self.pruning_params)
    }

    fn database_params(&self) -> Option<&DatabaseParams> {
        Some(&self.database_params)
    }
}
