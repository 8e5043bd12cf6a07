//! Which points of a benchmark are measured, and how often.

use crate::{state::Runner, Failure};
use frame_benchmarking::{
    BenchmarkBatch, BenchmarkConfig, BenchmarkMetadata, BenchmarkParameter, BenchmarkResult,
};

/// A value for every component.
pub type Point = Vec<(BenchmarkParameter, u32)>;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Points per component.
    pub steps: u32,
    /// Times that each point is timed.
    pub repeats: u32,
    /// Passes over all points among which the repeats are spread, so that somebody else's load on
    /// the machine does not hit the points one by one.
    pub passes: u32,
}

/// All results of a benchmark.
pub struct Measured {
    /// Its name.
    pub name: String,
    /// Its components with their ranges.
    pub components: Vec<(BenchmarkParameter, u32, u32)>,
    /// Times, in which accesses were not counted.
    pub times: Vec<BenchmarkResult>,
    /// Accesses at each point, with the keys.
    pub accesses: Vec<BenchmarkResult>,
}

/// The points: each component goes from its least to its greatest value while all others have
/// their greatest.
pub fn points(components: &[(BenchmarkParameter, u32, u32)], steps: u32) -> Vec<Point> {
    let highest: Point = components.iter().map(|(name, _, high)| (*name, *high)).collect();
    let mut points = vec![highest.clone()];
    for (i, (name, low, high)) in components.iter().enumerate() {
        // The highest value is the point that all have in common.
        let count = steps.max(2).min(high.saturating_sub(*low).saturating_add(1));
        for step in 0..count.saturating_sub(1) {
            let offset = u64::from(high.saturating_sub(*low)) * u64::from(step)
                / u64::from(count.saturating_sub(1));
            let mut point = highest.clone();
            point[i] = (*name, low.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)));
            points.push(point);
        }
    }
    points
}

/// A benchmark of a pallet.
pub struct Target<'a> {
    /// Name of the pallet's crate.
    pub pallet: &'a [u8],
    /// Name of the pallet in the runtime.
    pub instance: &'a [u8],
    /// The benchmark.
    pub benchmark: &'a BenchmarkMetadata,
}

impl Target<'_> {
    fn config(&self, point: &Point, verify: bool, internal_repeats: u32) -> BenchmarkConfig {
        BenchmarkConfig {
            pallet: self.pallet.to_vec(),
            instance: self.instance.to_vec(),
            benchmark: self.benchmark.name.clone(),
            selected_components: point.clone(),
            verify,
            internal_repeats,
        }
    }

    fn name(&self) -> String {
        String::from_utf8_lossy(&self.benchmark.name).into_owned()
    }

    fn run(
        &self,
        runner: &impl Runner,
        config: BenchmarkConfig,
        counted: bool,
    ) -> Result<Vec<BenchmarkResult>, Failure> {
        let name = self.name();
        let point = config.selected_components.clone();
        let batches: Vec<BenchmarkBatch> =
            runner.run(config, counted).map_err(|error| format!("{name} at {point:?}: {error}"))?;
        let results: Vec<_> = batches.into_iter().flat_map(|batch| batch.results).collect();
        if results.is_empty() {
            return Err(format!("{name} has no result").into());
        }
        Ok(results)
    }

    /// Runs the benchmark at its ends, with the checks that it makes of its outcome.
    pub fn verify(&self, runner: &impl Runner) -> Result<(), Failure> {
        for point in points(&self.benchmark.components, 2) {
            self.run(runner, self.config(&point, true, 1), false)?;
        }
        Ok(())
    }

    /// Median time in nanoseconds, reads and writes at one point.
    pub fn probe(
        &self,
        runner: &impl Runner,
        values: &[u32],
        repeats: u32,
    ) -> Result<(u128, u32, u32), Failure> {
        let components = &self.benchmark.components;
        if components.len() != values.len() {
            return Err(format!("{} has {} components", self.name(), components.len()).into());
        }
        let point: Point =
            components.iter().zip(values).map(|((name, _, _), value)| (*name, *value)).collect();
        let counted = self.run(runner, self.config(&point, false, 1), true)?;
        let timed = self.run(runner, self.config(&point, false, repeats), false)?;
        let mut times: Vec<_> = timed.iter().map(|result| result.extrinsic_time).collect();
        times.sort_unstable();
        let (reads, writes) =
            counted.first().map_or((0, 0), |result| (result.reads, result.writes));
        Ok((times.get(times.len() / 2).copied().unwrap_or_default(), reads, writes))
    }

    /// Verifies, counts and times the benchmark.
    pub fn measure(&self, runner: &impl Runner, effort: Effort) -> Result<Measured, Failure> {
        self.verify(runner)?;
        let points = points(&self.benchmark.components, effort.steps);
        let mut accesses = Vec::new();
        for point in &points {
            accesses.extend(self.run(runner, self.config(point, false, 1), true)?);
        }
        let mut times = Vec::new();
        let passes = effort.passes.clamp(1, effort.repeats.max(1));
        for _ in 0..passes {
            for point in &points {
                let repeats = effort.repeats.div_ceil(passes);
                times.extend(self.run(runner, self.config(point, false, repeats), false)?);
            }
        }
        let components = self.benchmark.components.clone();
        Ok(Measured { name: self.name(), components, times, accesses })
    }
}
