//! Plays games on the reference model: `failsafe-model --help`.

use failsafe_model::play::{campaign, cast_of, describe, play, Numbers, Rules, Summary};
use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    thread,
    time::Instant,
};

const USAGE: &str = "\
Plays honest and dishonest parties against each other on a model of the chain.

usage: failsafe-model fuzz N [OPTION]...     play N games; fails when one is lost
       failsafe-model one SEED [OPTION]...   play one game and tell all of it
       failsafe-model ablate N [OPTION]...   play N games with each rule off in turn
       failsafe-model --help

options:
  -RULE            switch a rule off
  NUMBER=N         set a number
  --from SEED      first seed (0)
  --jobs N         threads (all cores)
  --show N         violations shown (5)

";

struct Options {
    rules: Rules,
    numbers: Numbers,
    from: u64,
    jobs: usize,
    show: usize,
}

fn options(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options {
        rules: Rules::default(),
        numbers: Numbers::default(),
        from: 0,
        jobs: thread::available_parallelism().map_or(1, usize::from),
        show: 5,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = |name: &str| {
            let text = rest.next().ok_or_else(|| format!("{name} needs a number"))?;
            text.parse::<u64>().map_err(|_| format!("{name}: '{text}' is no number"))
        };
        let small = |number| usize::try_from(number).map_err(|_| "too large".to_string());
        match argument.as_str() {
            "--from" => options.from = value("--from")?,
            "--jobs" => options.jobs = small(value("--jobs")?)?,
            "--show" => options.show = small(value("--show")?)?,
            other => match (other.strip_prefix('-'), other.split_once('=')) {
                (Some(rule), _) => {
                    if !options.rules.switch_off(rule) {
                        return Err(format!("there is no rule '{rule}'"));
                    }
                },
                (None, Some((name, number))) => {
                    let number =
                        number.parse().map_err(|_| format!("{name}: '{number}' is no number"))?;
                    if !options.numbers.set(name, number) {
                        return Err(format!("there is no number '{name}'"));
                    }
                },
                (None, None) => return Err(format!("'{other}' is no option")),
            },
        }
    }
    Ok(options)
}

fn number(arguments: &[String], what: &str) -> Result<u64, String> {
    let text = arguments.get(1).ok_or_else(|| format!("{what} is missing"))?;
    text.parse().map_err(|_| format!("'{text}' is no number"))
}

/// Plays, with a line about how far it is when somebody watches.
fn run(games: u64, options: &Options, rules: Rules) -> Summary {
    let begun = Instant::now();
    let watched = io::stderr().is_terminal();
    let seeds = options.from..options.from.saturating_add(games);
    let summary = campaign(seeds, rules, options.numbers, options.jobs, |done| {
        if watched && (done % 100 == 0 || done == games) {
            let seconds = begun.elapsed().as_secs();
            let mut terminal = io::stderr().lock();
            // A closed terminal is no reason to stop.
            let _ = write!(terminal, "\r{done} of {games} games, {seconds} s ");
            let _ = terminal.flush();
        }
    });
    if watched {
        eprintln!();
    }
    summary
}

fn list(sorts: &std::collections::BTreeMap<&'static str, u64>) -> String {
    let list: Vec<_> = sorts.iter().map(|(sort, often)| format!("{often} {sort}")).collect();
    if list.is_empty() {
        "none".to_string()
    } else {
        list.join(", ")
    }
}

fn fuzz(games: u64, options: &Options) -> ExitCode {
    let begun = Instant::now();
    let summary = run(games, options, options.rules);
    for (seed, violations) in summary.found.iter().take(options.show) {
        println!("seed {seed} ({}):", cast_of(*seed));
        for violation in violations {
            println!("  {}: {}", violation.sort, violation.what);
        }
    }
    println!("{} games in {} s", summary.games, begun.elapsed().as_secs());
    println!("happened: {}", list(&summary.counts));
    println!("violations: {} in {} games", list(&summary.sorts), summary.bad);
    println!("of these with nobody evil: {}", list(&summary.honest));
    if summary.bad == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn one(seed: u64, options: &Options) -> ExitCode {
    let game = play(seed, options.rules, options.numbers, true);
    for line in &game.trace {
        println!("{line}");
    }
    println!("happened: {}", list(&game.counts));
    for violation in &game.violations {
        println!("{}: {}", violation.sort, violation.what);
    }
    if game.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn ablate(games: u64, options: &Options) -> ExitCode {
    println!("| rule off | games | lost games | violations | with nobody evil |");
    println!("|---|---|---|---|---|");
    let none = ("(none)", "");
    for (name, _) in [none].iter().chain(Rules::ALL) {
        let mut rules = options.rules;
        rules.switch_off(name);
        let summary = run(games, options, rules);
        println!(
            "| {name} | {} | {} | {} | {} |",
            summary.games,
            summary.bad,
            list(&summary.sorts),
            list(&summary.honest)
        );
    }
    ExitCode::SUCCESS
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let command = arguments.first().map(String::as_str);
    let help = arguments.iter().any(|argument| argument == "--help" || argument == "-h");
    if help || command == Some("help") {
        print!("{USAGE}{}", describe());
        return ExitCode::SUCCESS;
    }
    let played = || -> Result<ExitCode, String> {
        let rest = arguments.get(2..).unwrap_or_default();
        match command {
            Some("fuzz") => Ok(fuzz(number(&arguments, "N")?, &options(rest)?)),
            Some("one") => Ok(one(number(&arguments, "SEED")?, &options(rest)?)),
            Some("ablate") => Ok(ablate(number(&arguments, "N")?, &options(rest)?)),
            _ => Err("a command is missing: fuzz, one or ablate".to_string()),
        }
    };
    played().unwrap_or_else(|error| {
        eprintln!("{error}; see failsafe-model --help");
        ExitCode::from(2)
    })
}
