//! Carries out the command line.

use crate::{
    chain_spec,
    cli::{Cli, Subcommand},
    service,
    snapshot::{self, Snapshot, SnapshotError},
};
use failsafe_runtime::opaque::Block;
use sc_cli::SubstrateCli;
use sc_service::PartialComponents;

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Failsafe Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        env!("CARGO_PKG_DESCRIPTION").into()
    }

    fn author() -> String {
        env!("CARGO_PKG_AUTHORS").into()
    }

    fn support_url() -> String {
        "the SECURITY.md and README.md beside the sources".into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
        let spec = match id {
            "dev" => chain_spec::development()?,
            "" | "local" => chain_spec::local()?,
            "story" => chain_spec::story()?,
            path => {
                let path = std::path::PathBuf::from(path);
                if !path.exists() {
                    return Err(format!(
                        "no chain is called {:?} and there is no such file: use dev, local, story \
                         or the path of a chain specification",
                        path.display()
                    ));
                }
                chain_spec::ChainSpec::from_json_file(path)?
            },
        };
        Ok(Box::new(spec))
    }
}

fn refused(problem: SnapshotError) -> sc_cli::Error {
    sc_cli::Error::Application(Box::new(problem))
}

/// What an operator compares.
fn describe(snapshot: &Snapshot) -> String {
    let Snapshot { manifest, sha256, length } = snapshot;
    format!(
        "sha256     {sha256}\n\
         length     {length} bytes, of {} in the database\n\
         chain      {}, genesis {:?}\n\
         finalized  {} {:?}\n\
         state      {:?}",
        manifest.bytes,
        manifest.chain,
        manifest.genesis,
        manifest.finalized_number,
        manifest.finalized,
        manifest.state_root,
    )
}

/// Parses the command line and carries it out.
pub fn run() -> sc_cli::Result<()> {
    let cli = Cli::from_args();
    match &cli.subcommand {
        Some(Subcommand::Key(cmd)) => cmd.run(&cli),
        Some(Subcommand::ExportChainSpec(cmd)) => cmd.run(cli.load_spec(&cmd.chain)?),
        Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, import_queue, .. } =
                service::partial(&config)?;
            Ok((cmd.run(client, import_queue), task_manager))
        }),
        Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, .. } = service::partial(&config)?;
            Ok((cmd.run(client, config.database), task_manager))
        }),
        Some(Subcommand::ExportState(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, .. } = service::partial(&config)?;
            Ok((cmd.run(client, config.chain_spec), task_manager))
        }),
        Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, import_queue, .. } =
                service::partial(&config)?;
            Ok((cmd.run(client, import_queue), task_manager))
        }),
        Some(Subcommand::PurgeChain(cmd)) => {
            cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.database))
        },
        Some(Subcommand::Revert(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let PartialComponents { client, task_manager, backend, .. } =
                service::partial(&config)?;
            let revert_finality = Box::new(|client, _, blocks| {
                sc_consensus_grandpa::revert(client, blocks)?;
                Ok(())
            });
            Ok((cmd.run(client, backend, Some(revert_finality)), task_manager))
        }),
        Some(Subcommand::ChainInfo(cmd)) => {
            cli.create_runner(cmd)?.sync_run(|config| cmd.run::<Block>(&config))
        },
        Some(Subcommand::ExportSnapshot(cmd)) => cli.create_runner(cmd)?.sync_run(|config| {
            let made = snapshot::export(&config, &cmd.file).map_err(refused)?;
            println!("{}", describe(&made));
            Ok(())
        }),
        None => cli.create_runner(&cli.run)?.run_node_until_exit(|config| async move {
            if let Some(file) = &cli.from_snapshot {
                let expected = cli.snapshot_sha256.as_deref();
                let taken = snapshot::import(&config, file, expected).map_err(refused)?;
                println!("{}", describe(&taken));
            }
            service::start(config).map_err(sc_cli::Error::Service)
        }),
    }
}
