//! CPU time, which other work on the machine hardly changes.

use failsafe_tests::harness::{failure, Failure};
use std::fs;

/// Of this thread so far, in nanoseconds.
pub fn thread() -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = text.split(' ').next().ok_or_else(|| failure("/proc/thread-self/schedstat"))?;
    Ok(first.parse::<u64>()? as f64)
}

/// Of a process so far, threads that have ended included, in nanoseconds.
pub fn process(id: u32) -> Result<f64, Failure> {
    let text = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name before it may have spaces.
    let (_, fields) = text.rsplit_once(')').ok_or_else(|| failure("/proc/<pid>/stat"))?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    let ticks: f64 = ticks.map(|ticks| ticks.map(f64::from)).sum::<Result<_, _>>()?;
    Ok(ticks * 1e9 / rustix::param::clock_ticks_per_second() as f64)
}
