//! From measurements to a base and a slope per component.

use crate::{measure::Measured, Failure};
use frame_benchmarking::{Analysis, BenchmarkResult, BenchmarkSelector};
use frame_support::traits::StorageInfo;
use std::collections::BTreeMap;

/// A linear function of the components.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What is there without them.
    pub base: u128,
    /// What each unit of a component adds.
    pub slopes: Vec<u128>,
}

impl Line {
    fn at(&self, values: &[u32]) -> u128 {
        let parts = self.slopes.iter().zip(values).map(|(slope, value)| slope * u128::from(*value));
        self.base + parts.sum::<u128>()
    }
}

/// What a call costs.
pub struct Fitted {
    /// Name of the benchmark.
    pub name: String,
    /// Components with their ranges.
    pub components: Vec<(String, u32, u32)>,
    /// Picoseconds.
    pub time: Line,
    /// Shortest time of all, in picoseconds.
    pub minimum: u128,
    /// Standard errors of the slopes of the time, in picoseconds.
    pub errors: Vec<u128>,
    /// Storage items read.
    pub reads: Line,
    /// Storage items written.
    pub writes: Line,
    /// Most items read and written at any point, by the name of the storage item.
    pub items: BTreeMap<String, (u32, u32)>,
    /// By how many percent of the median of the times at the heaviest point the line was lifted,
    /// so that it is not below it.
    pub lifted: u128,
    /// Spread of the times at the heaviest point: (third quartile − first quartile) / median, in
    /// percent.
    pub spread: u128,
}

/// Fits all results of a benchmark.
pub fn fit(measured: Measured, names: &[StorageInfo]) -> Result<Fitted, Failure> {
    let Measured { name, components, times, accesses } = measured;
    // The analysis bends a line whose base is a little below 0 out of all shape. So it gets longer
    // times, by the same amount each.
    let longest = times.iter().map(|result| result.extrinsic_time).max().unwrap_or_default();
    let longer = |result: &BenchmarkResult| BenchmarkResult {
        extrinsic_time: result.extrinsic_time.saturating_add(longest),
        ..result.clone()
    };
    let shifted: Vec<_> = times.iter().map(longer).collect();
    let analysis = Analysis::min_squares_iqr(&shifted, BenchmarkSelector::ExtrinsicTime)
        .map_err(|error| format!("{name}: {error}"))?;
    let shift = longest * 1_000;
    let mut time = Line { base: analysis.base.saturating_sub(shift), slopes: analysis.slopes };
    let highest: Vec<u32> = components.iter().map(|(_, _, high)| *high).collect();
    let at_highest = times.iter().filter(|result| values(result) == highest);
    let mut nanoseconds: Vec<_> = at_highest.map(|result| result.extrinsic_time).collect();
    nanoseconds.sort_unstable();
    let quantile =
        |part: usize| nanoseconds[(nanoseconds.len() * part / 4).min(nanoseconds.len() - 1)];
    let median = quantile(2).max(1);
    // Not below what the heaviest calls really take.
    let short = (median * 1_000).saturating_sub(time.at(&highest));
    time.base += short;
    Ok(Fitted {
        name,
        components: components
            .into_iter()
            .map(|(parameter, low, high)| (parameter.to_string(), low, high))
            .collect(),
        minimum: analysis.minimum.saturating_sub(longest) * 1_000,
        errors: analysis.errors.unwrap_or_default(),
        reads: bound(&accesses, |result| result.reads),
        writes: bound(&accesses, |result| result.writes),
        items: items(&accesses, names),
        lifted: short * 100 / (median * 1_000),
        spread: (quantile(3) - quantile(1)) * 100 / median,
        time,
    })
}

fn values(result: &BenchmarkResult) -> Vec<u32> {
    result.components.iter().map(|(_, value)| *value).collect()
}

/// A line that is nowhere below the counts, which do not vary.
fn bound(results: &[BenchmarkResult], count: impl Fn(&BenchmarkResult) -> u32) -> Line {
    let points: Vec<_> =
        results.iter().map(|result| (values(result), u128::from(count(result)))).collect();
    let components = points.first().map_or(0, |(values, _)| values.len());
    let most = |i: usize| points.iter().map(|(values, _)| values[i]).max().unwrap_or_default();
    let slope = |i: usize| {
        // Only this component varies: the others have their greatest values.
        let along = points
            .iter()
            .filter(|(values, _)| (0..components).all(|j| j == i || values[j] == most(j)));
        let low = along.clone().min_by_key(|(values, _)| values[i]);
        let high = along.max_by_key(|(values, _)| values[i]);
        match (low, high) {
            (Some((x1, y1)), Some((x2, y2))) if x2[i] > x1[i] => {
                y2.saturating_sub(*y1).div_ceil(u128::from(x2[i] - x1[i]))
            },
            _ => 0,
        }
    };
    let line = Line { base: 0, slopes: (0..components).map(slope).collect() };
    let base = points.iter().map(|(values, count)| count.saturating_sub(line.at(values))).max();
    Line { base: base.unwrap_or_default(), ..line }
}

fn items(results: &[BenchmarkResult], names: &[StorageInfo]) -> BTreeMap<String, (u32, u32)> {
    let mut most: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for result in results {
        let mut here: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        for (key, reads, writes, whitelisted) in &result.keys {
            if !whitelisted {
                let item = here.entry(name_of(key, names)).or_default();
                *item = (item.0 + reads, item.1 + writes);
            }
        }
        for (name, (reads, writes)) in here {
            let item = most.entry(name).or_default();
            *item = (item.0.max(reads), item.1.max(writes));
        }
    }
    most
}

fn name_of(key: &[u8], names: &[StorageInfo]) -> String {
    let known = names.iter().find(|info| key.starts_with(&info.prefix));
    match known {
        Some(info) => format!(
            "{}::{}",
            String::from_utf8_lossy(&info.pallet_name),
            String::from_utf8_lossy(&info.storage_name)
        ),
        None => match std::str::from_utf8(key) {
            Ok(text) => text.into(),
            Err(_) => format!("{}", sp_core::hexdisplay::HexDisplay::from(&key)),
        },
    }
}
