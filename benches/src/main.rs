//! `failsafe-bench`: how fast things are, next to the limits of the machine they ran on.
//!
//! Nothing is judged here: it prints a table and writes `target/bench/report.json`. Everything that
//! is written while measuring is in the report's folder, so that the disk is the same for all; there
//! `report.partial.json`, too, has what is measured so far.
//!
//! | module | group |
//! |---|---|
//! | [`machine`] | what the machine is, and its own limits: always measured first |
//! | [`primitives`] | the rules that chain and parties share |
//! | [`engine`] | channels in memory |
//! | [`store`] | durable commits |
//! | [`payments`] | real processes: chain, hub, wallets |
//! | [`load`] | a real hub with a thousand wallets, next to what its parts cost at least |
//! | [`chain`] | large batches in real nodes; many disputes and debts in the runtime |
//! | [`network`] | networks of many hubs and 10^8 users, simulated with the costs of the others |
//!
//! [`measure`] is the timing loop, [`report`] what comes out, [`fixture`] what is measured with.

mod chain;
mod engine;
mod fixture;
mod load;
mod machine;
mod measure;
mod network;
mod payments;
mod primitives;
mod report;
mod store;

use clap::{Parser, ValueEnum};
use failsafe_tests::harness::{failure, Failure};
use measure::{Bench, Measured};
use report::Report;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Measures Failsafe on this machine.
#[derive(Parser)]
#[command(name = "failsafe-bench", version)]
struct Cli {
    /// Measure only this group; may be repeated
    #[arg(long, value_enum, value_name = "GROUP")]
    only: Vec<Group>,
    /// Measure only this row of the group `hub`; may be repeated
    #[arg(long, value_name = "ROW")]
    row: Vec<String>,
    /// Tell in which functions hubs spend their time in each row of the group `hub`, by `perf`
    #[arg(long)]
    profile: bool,
    /// Take the costs for the group `network` that this run does not measure from this report
    #[arg(long, value_name = "REPORT")]
    costs: Option<PathBuf>,
    /// A tenth of the samples
    #[arg(long)]
    quick: bool,
    /// List the groups and stop
    #[arg(long)]
    list: bool,
    /// Where the report goes
    #[arg(long, default_value = "target/bench/report.json")]
    report: PathBuf,
}

/// What is measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Group {
    /// The rules that chain and parties share: split, evidence, withdrawals, SCALE
    Primitives,
    /// Direct payments between two channels in memory, signatures included
    Engine,
    /// Durable commits of the hub's store
    Store,
    /// Payments between real wallets through a real hub, and rebalances
    Payments,
    /// A hub under load: CPU per payment next to the machine's floors, latency, many channels
    Hub,
    /// A rebalance of 5,000 channels in one block beside 5,000 transfers; many disputes and debts
    Chain,
    /// Networks of 10 to 10,000 hubs with 10^8 users, simulated with costs that were measured
    Network,
}

impl Group {
    fn name(self) -> &'static str {
        match self {
            Self::Primitives => "primitives",
            Self::Engine => "engine",
            Self::Store => "store",
            Self::Payments => "payments",
            Self::Hub => "hub",
            Self::Chain => "chain",
            Self::Network => "network",
        }
    }

    /// Adds what it measures to `measured`: what it has when it fails is worth showing all the same.
    fn run(self, bench: &Bench, measured: &mut Measured) -> Result<(), Failure> {
        let rows = match self {
            Self::Primitives => primitives::run(bench)?,
            Self::Engine => engine::run(bench)?,
            Self::Store => store::run(bench)?,
            Self::Payments => payments::run(bench)?,
            Self::Hub => return load::run(bench, measured),
            Self::Chain => return chain::run(bench, measured),
            Self::Network => return network::run(bench, bench.costs.as_deref(), measured),
        };
        measured.rows.extend(rows);
        Ok(())
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.list {
        list();
        return ExitCode::SUCCESS;
    }
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        },
    }
}

fn list() {
    for group in Group::value_variants() {
        let help = group.to_possible_value().and_then(|value| value.get_help().cloned());
        let help = help.map(|help| help.to_string()).unwrap_or_default();
        println!("{:<11} {help}", group.name());
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let folder = match cli.report.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let bench = Bench {
        quick: cli.quick,
        hub_rows: cli.row.clone(),
        profile: cli.profile,
        costs: cli.costs.clone(),
        folder: folder.canonicalize()?,
    };
    let mut report = Report::new(machine::Machine::read()?, cli.quick);
    // What has been measured is not lost when the run does not come to its end.
    let so_far = cli.report.with_extension("partial.json");
    bench.tell("the machine's limits");
    report.measured.rows = machine::limits(&bench)?;
    for group in Group::value_variants() {
        if !cli.only.is_empty() && !cli.only.contains(group) {
            continue;
        }
        bench.tell(group.name());
        if let Err(problem) = group.run(&bench, &mut report.measured) {
            bench.tell(&format!("{} failed: {problem}", group.name()));
            report.failed.push(group.name());
        }
        report.write(&so_far)?;
    }
    std::fs::rename(&so_far, &cli.report)?;
    print!("{report}");
    println!("report: {}", cli.report.display());
    if report.failed.is_empty() {
        Ok(())
    } else {
        Err(failure(format!("not measured: {}", report.failed.join(", "))))
    }
}
