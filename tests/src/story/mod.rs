//! "From Genesis to Rebalance", lived through by real processes (scenarios S40 and S41).

mod bad_hub;
mod cast;
mod good_hub;
mod narrator;
pub mod report;

pub use cast::{Cast, Setting};
pub use narrator::Narrator;
pub use report::{Report, Run, Step, UNIT};

use crate::harness::Failure;

/// Names of the two runs.
pub const RUNS: [&str; 2] = ["good_hub", "bad_hub"];

/// Plays a run and returns its steps.
pub async fn play(run: &str, narrator: &Narrator) -> Result<Run, Failure> {
    match run {
        "good_hub" => good_hub::play(narrator).await,
        "bad_hub" => bad_hub::play(narrator).await,
        other => Err(crate::harness::failure(format!("there is no run {other:?}"))),
    }
}
