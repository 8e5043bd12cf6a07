//! What the numbers were measured on.

use crate::Failure;
use std::{fs, process::Command};

/// The machine and the day.
pub struct Machine {
    /// Model of the processor, how many cores, how much memory.
    pub hardware: String,
    /// Day, in UTC.
    pub day: String,
    /// Processes that wanted to run at the start, on average over a minute: others' work.
    pub load: String,
    /// The compiler.
    pub compiler: String,
}

impl Machine {
    /// Reads it from `/proc`, `date` and `rustc`.
    pub fn read() -> Result<Self, Failure> {
        let cpu = fs::read_to_string("/proc/cpuinfo")?;
        let memory = fs::read_to_string("/proc/meminfo")?;
        let load = fs::read_to_string("/proc/loadavg")?;
        let model = field(&cpu, "model name").unwrap_or("unknown processor");
        let kibibytes =
            field(&memory, "MemTotal").unwrap_or_default().trim_end_matches("kB").trim();
        let mebibytes = kibibytes.parse::<u64>().unwrap_or_default() / 1024;
        // Also those on which this program is not to run.
        let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
        Ok(Self {
            hardware: format!("{model}, {cores} cores, {mebibytes} MiB"),
            day: output("date", &["--utc", "+%Y-%m-%d"])?,
            load: load.split(' ').next().unwrap_or_default().into(),
            compiler: output("rustc", &["--version"])?,
        })
    }
}

fn output(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(program).args(arguments).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().into())
}

/// The value behind `name:` in a file of `/proc`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value.trim())
    })
}
