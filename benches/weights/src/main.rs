//! `failsafe-weights`: measures the weights of our pallets and writes `pallets/*/src/weights.rs`.

use clap::Parser;
use failsafe_weights::{
    fit::{fit, Fitted},
    machine::Machine,
    measure::{Effort, Target},
    source::{weights, Circumstances},
    state::{Native, Runner},
    wasm::Wasm,
    Failure,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

/// Measures the weights of Failsafe's pallets on this machine.
#[derive(Parser)]
#[command(name = "failsafe-weights", version)]
struct Cli {
    /// The runtime, compiled with its benchmarks
    #[arg(long, value_name = "FILE", required_unless_present = "native")]
    wasm: Option<PathBuf>,
    /// Folder of the checkout
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    root: PathBuf,
    /// Points per component
    #[arg(long, default_value_t = 20)]
    steps: u32,
    /// How often each point is timed
    #[arg(long, default_value_t = 20)]
    repeat: u32,
    /// Passes over all points among which the repeats are spread
    #[arg(long, default_value_t = 5)]
    passes: u32,
    /// Only this pallet, by the name of its folder; may be repeated
    #[arg(long, value_name = "PALLET")]
    only: Vec<String>,
    /// Run every benchmark at its ends with its checks, measure and write nothing
    #[arg(long)]
    check: bool,
    /// As native code, without WebAssembly: quick to see that the benchmarks run and what they
    /// touch; writes nothing
    #[arg(long)]
    native: bool,
    /// Print the weights, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Only print what this benchmark takes with the components of `--at`, also beyond their ranges
    #[arg(long, value_name = "BENCHMARK")]
    probe: Option<String>,
    /// Values of the components of `--probe` in their order, as in `--at 1000,0`; may be repeated
    #[arg(long, value_name = "VALUES", requires = "probe")]
    at: Vec<String>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.wasm {
        _ if cli.native => Native::new().and_then(|native| run(&native, &cli)),
        Some(path) => Wasm::read(path).and_then(|wasm| run(&wasm, &cli)),
        None => Err("--wasm is missing".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        },
    }
}

fn run(runner: &impl Runner, cli: &Cli) -> Result<(), Failure> {
    if let Some(name) = &cli.probe {
        probe(runner, cli, name)
    } else if cli.check {
        check(runner, cli)
    } else {
        measure(runner, cli)
    }
}

/// The folder of a pallet, from the name of its crate.
fn folder(pallet: &[u8]) -> String {
    let name = String::from_utf8_lossy(pallet);
    let name = name.trim_start_matches("pallet_");
    name.trim_start_matches("protocol_").into()
}

fn check(runner: &impl Runner, cli: &Cli) -> Result<(), Failure> {
    let (lists, _) = runner.metadata()?;
    let mut failed = 0;
    for list in &lists {
        let folder = folder(&list.pallet);
        if !cli.only.is_empty() && !cli.only.contains(&folder) {
            continue;
        }
        for benchmark in &list.benchmarks {
            let target = Target { pallet: &list.pallet, instance: &list.instance, benchmark };
            let name = String::from_utf8_lossy(&benchmark.name);
            match target.verify(runner) {
                Ok(()) => println!("ok      {folder} {name}"),
                Err(error) => {
                    failed += 1;
                    println!("FAILED  {folder} {error}");
                },
            }
        }
    }
    if failed > 0 {
        return Err(format!("{failed} benchmarks").into());
    }
    Ok(())
}

/// Prints the median time and the accesses of a benchmark at some points.
fn probe(runner: &impl Runner, cli: &Cli, name: &str) -> Result<(), Failure> {
    let (lists, _) = runner.metadata()?;
    let found = lists.iter().find_map(|list| {
        let mut benchmarks = list.benchmarks.iter();
        let benchmark = benchmarks.find(|benchmark| benchmark.name == name.as_bytes())?;
        Some(Target { pallet: &list.pallet, instance: &list.instance, benchmark })
    });
    let target = found.ok_or_else(|| format!("there is no benchmark {name}"))?;
    for at in &cli.at {
        let values: Vec<u32> = at.split(',').map(str::parse).collect::<Result<_, _>>()?;
        let (nanoseconds, reads, writes) = target.probe(runner, &values, cli.repeat)?;
        println!("{name} at {at}: {} µs, r {reads} w {writes}", nanoseconds / 1_000);
    }
    Ok(())
}

fn measure(runner: &impl Runner, cli: &Cli) -> Result<(), Failure> {
    let machine = Machine::read()?;
    println!("{}; load {}", machine.hardware, machine.load);
    let runtime = runner.version()?;
    let effort = Effort { steps: cli.steps, repeats: cli.repeat, passes: cli.passes };
    let circumstances = Circumstances { machine: &machine, effort, runtime: &runtime };
    let (lists, names) = runner.metadata()?;
    for list in &lists {
        let folder = folder(&list.pallet);
        if !cli.only.is_empty() && !cli.only.contains(&folder) {
            continue;
        }
        let mut calls = Vec::new();
        for benchmark in &list.benchmarks {
            let start = Instant::now();
            let target = Target { pallet: &list.pallet, instance: &list.instance, benchmark };
            let fitted = fit(target.measure(runner, effort)?, &names)?;
            println!("{folder:<11} {} ({} s)", summary(&fitted), start.elapsed().as_secs());
            calls.push(fitted);
        }
        let text = weights(&String::from_utf8_lossy(&list.pallet), &calls, &circumstances);
        if cli.dry_run || cli.native {
            println!("{text}");
        } else {
            write(&cli.root.join("pallets").join(&folder).join("src/weights.rs"), &text)?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

/// A call in a line: microseconds and accesses, at 0 and per component.
fn summary(call: &Fitted) -> String {
    let microseconds =
        |picoseconds: u128| format!("{}.{}", picoseconds / 1_000_000, picoseconds / 100_000 % 10);
    let mut line = format!(
        "{:<18} {:>9} µs r {:>3} w {:>3}",
        call.name,
        microseconds(call.time.base),
        call.reads.base,
        call.writes.base
    );
    for (i, (name, _, high)) in call.components.iter().enumerate() {
        line.push_str(&format!(
            "; {name} (≤ {high}): {} µs r {} w {}",
            microseconds(call.time.slopes[i]),
            call.reads.slopes[i],
            call.writes.slopes[i]
        ));
    }
    format!("{line}; spread {} %, lifted {} %", call.spread, call.lifted)
}
