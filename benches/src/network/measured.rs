//! What the simulation is fed with: costs that were measured.

use super::simulation::Costs;
use crate::measure::{Measured, Target};
use failsafe_tests::harness::{failure, Failure};
use serde_json::Value;
use std::path::Path;

/// Costs of payments and of rebalances.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// CPU of a hub, by the rows `single` and `locked`.
    pub costs: Costs,
    /// Bytes of a withdrawal or deposit in a batch.
    pub item_bytes: f64,
    /// Its weight, in microseconds.
    pub item_weight: f64,
    /// Where they come from, one after the other.
    pub sources: Vec<String>,
}

/// Those of `docs/bench.md` and `docs/developer.md`.
const DEFAULTS: [(&str, f64); 4] =
    [("single", 103_000.0), ("locked", 313_000.0), (LENGTH, 117.0), (WEIGHT, 261.0)];
const LENGTH: &str = "batch: length per item";
const WEIGHT: &str = "batch: weight per item";

impl Inputs {
    /// From the same run, else from a report, else the defaults.
    pub fn new(measured: &Measured, report: Option<&Path>) -> Result<Self, Failure> {
        let report: Option<Value> = match report {
            Some(path) => Some(serde_json::from_slice(&std::fs::read(path)?)?),
            None => None,
        };
        let mut sources = vec![];
        let mut values = vec![];
        for (name, default) in DEFAULTS {
            let here = of_run(measured, name);
            let there = report.as_ref().and_then(|report| of_report(report, name));
            let (value, source) = match (here, there) {
                (Some(value), _) => (value, "this run"),
                (None, Some(value)) => (value, "the report"),
                (None, None) => (default, "docs"),
            };
            if !(value.is_finite() && (1.0..1e12).contains(&value)) {
                return Err(failure(format!("{name} is {value} in {source}: no cost")));
            }
            sources.push(format!("{name} {value:.0} ({source})"));
            values.push(value);
        }
        let [single, locked, item_bytes, item_weight] = values[..] else {
            return Err(failure("four values"));
        };
        let costs = Costs { trusted: whole(single), locked: whole(locked) };
        Ok(Self { costs, item_bytes, item_weight, sources })
    }
}

/// Nanoseconds, of which there are neither negative nor many.
fn whole(nanos: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10^12")]
    let whole = nanos.round() as u64;
    whole
}

fn of_run(measured: &Measured, name: &str) -> Option<f64> {
    let target = measured.targets.iter().find(|Target { row, .. }| row == name);
    let figure = measured.figures.iter().find(|figure| figure.name == name);
    target.map(|target| target.ours).or(figure.map(|figure| figure.value))
}

fn of_report(report: &Value, name: &str) -> Option<f64> {
    let find = |list: &str, key: &str, value: &str| {
        let rows = report.get(list)?.as_array()?;
        rows.iter().find(|row| row[key] == name)?.get(value)?.as_f64()
    };
    find("targets", "row", "ours").or_else(|| find("figures", "name", "value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Figure;

    #[test]
    fn inputs_should_be_those_of_the_run_before_a_report_and_of_it_before_the_defaults() {
        let figure = |value| Figure {
            group: "chain",
            name: LENGTH.into(),
            value,
            unit: "bytes",
            counted: String::new(),
        };
        let measured = Measured { figures: vec![figure(100.0)], ..Measured::default() };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.json");
        let text = r#"{"targets":[{"row":"locked","ours":200000.4}],
            "figures":[{"name":"batch: length per item","value":1.0}]}"#;
        std::fs::write(&path, text).unwrap();
        let inputs = Inputs::new(&measured, Some(&path)).unwrap();
        assert_eq!(inputs.costs, Costs { trusted: 103_000, locked: 200_000 });
        assert_eq!((inputs.item_bytes, inputs.item_weight), (100.0, 261.0));
        assert_eq!(inputs.sources[1], "locked 200000 (the report)");
        assert_eq!(inputs.sources[2], "batch: length per item 100 (this run)");
    }

    #[test]
    fn inputs_should_be_refused_when_a_cost_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.json");
        std::fs::write(&path, r#"{"targets":[{"row":"single","ours":0.0}]}"#).unwrap();
        let problem = Inputs::new(&Measured::default(), Some(&path)).unwrap_err();
        assert!(problem.to_string().contains("single is 0"), "{problem}");
    }
}
