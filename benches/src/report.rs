//! The report: a table for people, JSON for programs.

use crate::{
    machine::Machine,
    measure::{Bound, Measured},
};
use failsafe_hub::cli::{right_align, table};
use failsafe_tests::harness::Failure;
use serde::Serialize;
use std::{fmt, path::Path};

/// All that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Version of Failsafe.
    pub version: &'static str,
    /// Whether it was a short run.
    pub quick: bool,
    /// What it ran on.
    pub machine: Machine,
    /// What was measured, in order.
    #[serde(flatten)]
    pub measured: Measured,
    /// Groups that could not be measured.
    pub failed: Vec<&'static str>,
}

impl Report {
    /// With nothing measured yet.
    pub fn new(machine: Machine, quick: bool) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self { version, quick, machine, measured: Measured::default(), failed: vec![] }
    }

    /// Writes it as JSON.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(std::fs::write(path, text)?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = if self.quick { ", a short run" } else { "" };
        writeln!(f, "Failsafe {}{short}\n{}\n", self.version, self.machine)?;
        let mut rows = table(&["group", "name", "counted", "n", "per second", "p50", "p99"]);
        for row in &self.measured.rows {
            rows.add_row([
                row.group.to_string(),
                row.name.clone(),
                row.counted.clone(),
                row.n.to_string(),
                rate(row.per_second),
                time(row.p50_ns),
                time(row.p99_ns),
            ]);
        }
        right_align(&mut rows, 3..7);
        writeln!(f, "{rows}")?;
        self.show_targets(f)?;
        if self.measured.figures.is_empty() {
            return Ok(());
        }
        let mut figures = table(&["group", "figure", "value", "unit", "counted"]);
        for figure in &self.measured.figures {
            figures.add_row([
                figure.group.to_string(),
                figure.name.clone(),
                number(figure.value),
                figure.unit.to_string(),
                figure.counted.clone(),
            ]);
        }
        right_align(&mut figures, 2..3);
        writeln!(f, "\n{figures}")
    }
}

impl Report {
    fn show_targets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.measured.targets.is_empty() {
            return Ok(());
        }
        let mut targets = table(&[
            "hub",
            "n",
            "per second",
            "p50",
            "p99",
            "what",
            "ours",
            "floor",
            "ratio",
            "target",
            "met",
        ]);
        for target in &self.measured.targets {
            let shown = |value: f64| match target.unit {
                "ns" => time(value),
                unit => format!("{} {unit}", number(value)),
            };
            // Where nothing is repeated there are no percentiles.
            let latency = |nanos: f64| if nanos > 0.0 { time(nanos) } else { String::new() };
            let times = |ratio: f64| format!("{ratio:.2} ×");
            let wanted = match target.bound {
                Some(Bound::Ratio(most)) => format!("≤ {}", times(most)),
                Some(Bound::Most(most)) => format!("≤ {}", shown(most)),
                None => String::new(),
            };
            let met = target.met().map_or("", |met| if met { "yes" } else { "no" });
            let rate =
                if target.per_second > 0.0 { rate(target.per_second) } else { String::new() };
            targets.add_row([
                target.row.clone(),
                target.n.to_string(),
                rate,
                latency(target.p50_ns),
                latency(target.p99_ns),
                target.what.to_string(),
                shown(target.ours),
                target.floor.map(shown).unwrap_or_default(),
                target.ratio().map(times).unwrap_or_default(),
                wanted,
                met.to_string(),
            ]);
        }
        right_align(&mut targets, 1..5);
        right_align(&mut targets, 6..10);
        writeln!(f, "\n{targets}")?;
        for target in &self.measured.targets {
            writeln!(f, "{}: {}", target.row, target.counted)?;
        }
        Ok(())
    }
}

/// A rate with three digits or more.
fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate >= 100.0 => format!("{rate:.0}"),
        rate if rate >= 10.0 => format!("{rate:.1}"),
        rate => format!("{rate:.2}"),
    }
}

/// A number with three digits or more; without a point if it was counted.
fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        rate(value)
    }
}

/// A time in the unit that suits it.
fn time(nanos: f64) -> String {
    match nanos {
        nanos if nanos >= 1e9 => format!("{:.2} s", nanos / 1e9),
        nanos if nanos >= 1e6 => format!("{:.2} ms", nanos / 1e6),
        nanos if nanos >= 1e3 => format!("{:.2} µs", nanos / 1e3),
        nanos => format!("{nanos:.1} ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Figure;

    #[test]
    fn numbers_should_be_shown_in_a_unit_that_suits_them() {
        assert_eq!([rate(0.5), rate(12.34), rate(54321.0)], ["0.50", "12.3", "54321"]);
        let times = [1.5, 2_500.0, 3_250_000.0, 4e9].map(time);
        assert_eq!(times, ["1.5 ns", "2.50 µs", "3.25 ms", "4.00 s"]);
        let numbers = [0.0, 2.0, 118_250.0, 2.5, 24.96, 1_234.5].map(number);
        assert_eq!(numbers, ["0", "2", "118250", "2.50", "25.0", "1234"]);
    }

    #[test]
    fn report_should_show_figures_below_the_times_when_there_are_any() {
        let machine = Machine {
            cpu: "a processor".into(),
            cores: 2,
            memory_bytes: 1 << 30,
            kernel: "6".into(),
            load: 0.0,
        };
        let figure = Figure {
            group: "chain",
            name: "batch: length".into(),
            value: 118.5,
            unit: "bytes",
            counted: "an action of it".into(),
        };
        let mut report = Report::new(machine, true);
        let without = report.to_string();
        assert!(!without.contains("figure"), "{without}");
        report.measured.figures.push(figure);
        report.failed.push("store");
        let text = report.to_string();
        let line = text.lines().last().unwrap();
        let order: Vec<_> = ["chain", "batch: length", "118", "bytes", "an action of it"]
            .iter()
            .map(|cell| line.find(cell).unwrap_or_else(|| panic!("{cell} in {line}")))
            .collect();
        assert!(order.is_sorted(), "{line}");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["figures"][0]["value"], 118.5);
        assert_eq!(json["figures"][0]["unit"], "bytes");
        assert_eq!(json["failed"][0], "store");
    }
}
