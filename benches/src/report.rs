//! The report: a table for people, JSON for programs.

use crate::{machine::Machine, measure::Row};
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
    /// What was measured, in order; times in nanoseconds.
    pub rows: Vec<Row>,
    /// Groups that could not be measured.
    pub failed: Vec<&'static str>,
}

impl Report {
    /// Nothing measured yet.
    pub fn new(machine: Machine, quick: bool) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self { version, quick, machine, rows: vec![], failed: vec![] }
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
        let mut table = table(&["group", "name", "counted", "n", "per second", "p50", "p99"]);
        for row in &self.rows {
            table.add_row([
                row.group.to_string(),
                row.name.clone(),
                row.counted.clone(),
                row.n.to_string(),
                rate(row.per_second),
                time(row.p50_ns),
                time(row.p99_ns),
            ]);
        }
        right_align(&mut table, 3..7);
        writeln!(f, "{table}")
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

    #[test]
    fn numbers_should_be_shown_in_a_unit_that_suits_them() {
        assert_eq!([rate(0.5), rate(12.34), rate(54321.0)], ["0.50", "12.3", "54321"]);
        let times = [1.5, 2_500.0, 3_250_000.0, 4e9].map(time);
        assert_eq!(times, ["1.5 ns", "2.50 µs", "3.25 ms", "4.00 s"]);
    }
}
