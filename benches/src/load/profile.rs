//! Where the hubs' CPU time goes: the hottest functions by `perf`, taken after the windows that count,
//! since looking costs time too.

use crate::measure::Figure;
use failsafe_tests::harness::{failure, Failure};
use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

/// Samples per second of each core; no round number, so that nothing periodic is in step with it.
const FREQUENCY: &str = "997";
/// How long it looks.
const SECONDS: &str = "5";
/// Functions in the report.
const HOTTEST: usize = 25;

/// A function of a profile.
#[derive(Debug, PartialEq)]
struct Hot {
    percent: f64,
    function: String,
}

/// The functions in which the processes spent most of their time while the row `row` was paid, as
/// figures of the report. The samples stay in `dir` for a closer look, for instance a flame graph.
pub fn hottest(processes: &[u32], row: &str, dir: &Path) -> Result<Vec<Figure>, Failure> {
    let data = dir.join(format!("{}.perf", row.replace(' ', "-")));
    let pids: Vec<_> = processes.iter().map(u32::to_string).collect();
    let mut record = Command::new("perf");
    // The clock of the kernel: virtual machines often have no counters.
    record.args(["record", "--quiet", "-e", "cpu-clock", "-F", FREQUENCY, "-g"]);
    record.args(["-p", &pids.join(","), "-o"]).arg(&data).args(["--", "sleep", SECONDS]);
    run(&mut record)?;
    let mut report = Command::new("perf");
    report.args(["report", "--stdio", "--no-children", "-g", "none", "-F", "overhead,sym"]);
    report.args(["-t", "|", "-i"]).arg(&data);
    let text = String::from_utf8_lossy(&run(&mut report)?.stdout).into_owned();
    let hot = parse(&text);
    if hot.is_empty() {
        return Err(failure("perf has seen nothing: was the hub idle?"));
    }
    let figure = |Hot { percent, function }| Figure {
        group: "profile",
        name: format!("{row}: {function}"),
        value: percent,
        unit: "%",
        counted: format!("of the hubs' CPU time in {SECONDS} s; {}", data.display()),
    };
    Ok(hot.into_iter().take(HOTTEST).map(figure).collect())
}

fn run(command: &mut Command) -> Result<Output, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|problem| {
        failure(format!("perf cannot be run ({problem}): install it (Debian: linux-perf)"))
    })?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        let advice = "see /proc/sys/kernel/perf_event_paranoid";
        return Err(failure(format!("perf: {}: {advice}", why.trim())));
    }
    Ok(output)
}

/// Lines like `  12.34% |[.] a::function`, the hottest first.
fn parse(text: &str) -> Vec<Hot> {
    let line = |line: &str| {
        let (percent, symbol) = line.split_once('|')?;
        let percent = percent.trim().strip_suffix('%')?.parse().ok()?;
        // `[.]` is the program, `[k]` the kernel.
        let function = match symbol.trim().split_once(' ')? {
            ("[k]", function) => format!("kernel: {}", function.trim()),
            (_, function) => function.trim().to_string(),
        };
        Some(Hot { percent, function })
    };
    text.lines().filter(|line| !line.starts_with('#')).filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_should_be_read_from_a_report_of_perf() {
        let text = "# Samples: 10\n#\n 40.00% |[k] iowrite16\n  7.50% |[.] <a::B as C>::d\n\n\n";
        let hot = |percent, function: &str| Hot { percent, function: function.into() };
        assert_eq!(parse(text), [hot(40.0, "kernel: iowrite16"), hot(7.5, "<a::B as C>::d")]);
        assert_eq!(parse("# nothing\n"), []);
    }
}
