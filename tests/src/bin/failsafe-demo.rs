//! `failsafe-demo`: plays "From Genesis to Rebalance" with real processes and tells it.

use clap::Parser;
use failsafe_tests::{
    harness::{failure, Failure},
    story::{play, report::frd, Narrator, Report, Run, RUNS, UNIT},
};
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

/// A real chain, a real hub and real wallets live through "From Genesis to Rebalance".
#[derive(Parser)]
#[command(name = "failsafe-demo", version)]
struct Cli {
    /// Where the report goes
    #[arg(long, default_value = "target/demo/report.json")]
    report: PathBuf,
    /// Play only this run: good_hub or bad_hub
    #[arg(long)]
    run: Option<String>,
    /// Tell nothing
    #[arg(long)]
    quiet: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let told = tokio::select! {
        told = tell(&cli) => told,
        () = failsafe_hub::daemon::signalled() => Err(failure("interrupted")),
    };
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        },
    }
}

async fn tell(cli: &Cli) -> Result<(), Failure> {
    let narrator = Narrator::new(cli.quiet);
    let runs = match &cli.run {
        Some(run) => vec![run.as_str()],
        None => RUNS.to_vec(),
    };
    let mut report = Report { unit: UNIT, runs: BTreeMap::new() };
    for run in runs {
        let steps = play(run, &narrator).await?;
        report.runs.insert(run.into(), steps);
    }
    report.write(&cli.report)?;
    for (name, run) in &report.runs {
        check(name, run)?;
    }
    println!(
        "\nThe numbers are those of scenarios S40 and S41. {} s; report: {}",
        narrator.elapsed().as_secs(),
        cli.report.display()
    );
    Ok(())
}

/// The end of a run: `docs/scenarios.md`, S40 and S41.
fn check(name: &str, run: &Run) -> Result<(), Failure> {
    let end = run.last().ok_or_else(|| failure("a run without steps"))?;
    let expected: &[(&str, u64)] = match name {
        "good_hub" => &[("hub1", 10_000), ("user2", 6_000), ("user123", 4_000)],
        _ => &[("hub1", 0), ("user123", 710)],
    };
    for (account, whole) in expected {
        let has = end.on_chain(account);
        if has != Some(frd(*whole)) {
            let text = format!("{name}: {account} ends with {has:?}, not with {whole} FRD");
            return Err(failure(text));
        }
    }
    let left: Vec<_> = end.debts.iter().map(|debt| debt.left.clone()).collect();
    let expected = if name == "good_hub" { vec![] } else { vec![frd(300).to_string()] };
    if left != expected {
        return Err(failure(format!("{name}: debts at the end are {left:?}, not {expected:?}")));
    }
    Ok(())
}
