//! The command line.

/// The node's command line; without a subcommand it runs the node.
#[derive(Debug, clap::Parser)]
pub struct Cli {
    /// What to do instead of running the node.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    /// How to run the node.
    #[clap(flatten)]
    pub run: sc_cli::RunCmd,
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
}
