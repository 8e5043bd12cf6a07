//! The timing loop.

use failsafe_hub::daemon::signalled;
use failsafe_tests::harness::{failure, Failure};
use serde::Serialize;
use std::{
    future::Future,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Nanoseconds of a second.
const NANOS: f64 = 1e9;

/// How a run measures.
pub struct Bench {
    /// A tenth of the samples.
    pub quick: bool,
    /// Rows of the group `hub` that are measured; all if there are none.
    pub hub_rows: Vec<String>,
    /// Whether the group `hub` tells where its time goes.
    pub profile: bool,
    /// A report with costs for the group `network`.
    pub costs: Option<PathBuf>,
    /// Where measurements write.
    pub folder: PathBuf,
}

impl Bench {
    /// How many samples to take where a long run takes `full`.
    pub fn count(&self, full: u32) -> u32 {
        if self.quick {
            (full / 10).max(1)
        } else {
            full
        }
    }

    /// Progress.
    pub fn tell(&self, text: &str) {
        eprintln!("==> {text}");
    }

    /// A folder that goes with the value.
    pub fn temporary(&self) -> Result<tempfile::TempDir, Failure> {
        Ok(tempfile::Builder::new().prefix("run-").tempdir_in(&self.folder)?)
    }

    /// Runs a measurement with real processes in a folder of its own. The folder stays when it fails,
    /// so that logs and stores can be looked at.
    pub fn processes<T, M>(&self, measure: impl FnOnce(PathBuf) -> M) -> Result<T, Failure>
    where
        M: Future<Output = Result<T, Failure>>,
    {
        let dir = self.temporary()?;
        let runtime = tokio::runtime::Runtime::new()?;
        let measured = runtime.block_on(async {
            tokio::select! {
                measured = measure(dir.path().into()) => measured,
                () = signalled() => Err(failure("interrupted")),
            }
        });
        match &measured {
            Ok(_) => dir.close()?,
            Err(_) => eprintln!("logs and stores are in {}", dir.keep().display()),
        }
        measured
    }
}

/// What a run has measured so far.
#[derive(Debug, Default, Serialize)]
pub struct Measured {
    /// Times, in nanoseconds.
    pub rows: Vec<Row>,
    /// Everything else.
    pub figures: Vec<Figure>,
    /// What is held against a target.
    pub targets: Vec<Target>,
}

/// A line of the report.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its group.
    pub group: &'static str,
    /// Its name.
    pub name: String,
    /// What is counted.
    pub counted: String,
    /// How many of them.
    pub n: u64,
    /// How many of them per second.
    pub per_second: f64,
    /// Time of one: half took at most this long.
    pub p50_ns: f64,
    /// Time of one: 99 of 100 took at most this long; the longest if there are fewer.
    pub p99_ns: f64,
}

/// What a hub does under load, next to what the machine could do at best and what we want.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// Its name.
    pub row: String,
    /// What is counted.
    pub counted: String,
    /// How many of them.
    pub n: u64,
    /// How many of them per second of wall time.
    pub per_second: f64,
    /// Time of one: half took at most this long; 0 where it means nothing.
    pub p50_ns: f64,
    /// Time of one: 99 of 100 took at most this long.
    pub p99_ns: f64,
    /// Of what `ours` is the measure.
    pub what: &'static str,
    /// What we need.
    pub ours: f64,
    /// What it takes at least, measured in the same run; none where the target is a number.
    pub floor: Option<f64>,
    /// Unit of both.
    pub unit: &'static str,
    /// What we want.
    pub bound: Option<Bound>,
}

/// What is wanted.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// At most so many times the floor.
    Ratio(f64),
    /// At most this.
    Most(f64),
}

impl Target {
    /// How many times the floor it is.
    pub fn ratio(&self) -> Option<f64> {
        self.floor.filter(|floor| *floor > 0.0).map(|floor| self.ours / floor)
    }

    /// Whether it is as we want it.
    pub fn met(&self) -> Option<bool> {
        self.bound.map(|bound| match bound {
            Bound::Ratio(most) => self.ratio().is_some_and(|ratio| ratio <= most),
            Bound::Most(most) => self.ours <= most,
        })
    }
}

/// The middle one; 0 when there are none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    percentile(&values, 50)
}

/// A measured number that is not the time of an operation that was repeated.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Its group.
    pub group: &'static str,
    /// Its name.
    pub name: String,
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What it was measured on.
    pub counted: String,
}

/// What was measured.
pub struct Samples {
    /// Nanoseconds of an operation, one number per sample.
    nanos: Vec<f64>,
    operations: u64,
    wall: Duration,
}

impl Samples {
    /// Samples of one operation each, taken within `wall`, perhaps at the same time.
    pub fn of(latencies: &[Duration], wall: Duration) -> Self {
        let nanos = latencies.iter().map(|latency| latency.as_secs_f64() * NANOS).collect();
        Self { nanos, operations: u64::try_from(latencies.len()).unwrap_or(u64::MAX), wall }
    }

    /// The smallest sample that is at least as large as `percent` of all, in nanoseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut nanos = self.nanos.clone();
        nanos.sort_by(f64::total_cmp);
        percentile(&nanos, percent)
    }

    /// As a line of the report.
    pub fn row(
        mut self,
        group: &'static str,
        name: impl Into<String>,
        counted: impl Into<String>,
    ) -> Row {
        self.nanos.sort_by(f64::total_cmp);
        let seconds = self.wall.as_secs_f64();
        let per_second = if seconds > 0.0 { self.operations as f64 / seconds } else { 0.0 };
        Row {
            group,
            name: name.into(),
            counted: counted.into(),
            n: self.operations,
            per_second,
            p50_ns: percentile(&self.nanos, 50),
            p99_ns: percentile(&self.nanos, 99),
        }
    }
}

/// The smallest sample that is at least as large as `percent` of all; 0 when there are none.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// Times `op`: so many samples, each the mean of `inner` calls in a row. More than one only where a
/// call is too short for the clock; the percentiles are those of the means then.
pub fn repeat(
    samples: u32,
    inner: u32,
    mut op: impl FnMut() -> Result<(), Failure>,
) -> Result<Samples, Failure> {
    let inner = inner.max(1);
    // The first calls find cold caches.
    for _ in 0..(samples / 10).max(1) {
        op()?;
    }
    let mut nanos = Vec::new();
    let mut wall = Duration::ZERO;
    for _ in 0..samples {
        let start = Instant::now();
        for _ in 0..inner {
            op()?;
        }
        let took = start.elapsed();
        wall = wall.saturating_add(took);
        nanos.push(took.as_secs_f64() * NANOS / f64::from(inner));
    }
    Ok(Samples { nanos, operations: u64::from(samples).saturating_mul(u64::from(inner)), wall })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_should_be_the_nearest_rank() {
        let hundred: Vec<_> = (1..=100).map(f64::from).collect();
        assert_eq!((percentile(&hundred, 50), percentile(&hundred, 99)), (50.0, 99.0));
        assert_eq!((percentile(&[7.0], 50), percentile(&[7.0], 99)), (7.0, 7.0));
        assert_eq!((percentile(&[1.0, 2.0, 3.0], 50), percentile(&[], 99)), (2.0, 0.0));
    }

    #[test]
    fn row_should_count_every_operation_when_a_sample_has_several() {
        let mut calls = 0u32;
        let samples = repeat(20, 5, || {
            calls += 1;
            Ok(())
        });
        let row = samples.unwrap().row("group", "name", "calls");
        assert_eq!((row.n, calls), (100, 102), "two calls to warm up");
    }
}
