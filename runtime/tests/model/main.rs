//! The real runtime and the reference of its rules (`failsafe-model`), driven side by side.
//!
//! Random sequences of calls go as signed transactions into blocks of the runtime, and as plain
//! calls into the reference. After every transaction both must say the same: done, or refused for
//! the same reason, free of charge or not. After every block they must agree about all money,
//! channels, disputes, debts, and secrets, and the invariants of both must hold.
//!
//! `FAILSAFE_MODEL_CASES` sets the number of sequences (`make soak`: 10,000), which are others each
//! time then; without it they are always the same. A sequence that fails is shrunk, printed, and
//! kept in `regressions.txt`, which is tried first the next time.

#[allow(dead_code, reason = "shared with the other tests of the runtime, which use all of it")]
#[path = "../it/chain.rs"]
mod chain;
mod compare;
mod convert;
mod op;
mod world;

use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
};
use std::{cell::Cell, time::Instant};

/// Sequences when nobody asks for more.
const CASES: u32 = 256;
/// It says how far it is after so many.
const STEP: u32 = 250;

#[test]
fn runtime_should_agree_with_the_reference_when_driven_at_random() {
    let asked = std::env::var("FAILSAFE_MODEL_CASES").ok();
    let asked = asked.map(|cases| cases.parse().expect("a number of cases"));
    let cases = asked.unwrap_or(CASES);
    let persistence = FileFailurePersistence::Direct("tests/model/regressions.txt");
    let config = Config {
        cases,
        failure_persistence: Some(Box::new(persistence)),
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let (begin, done, totals) =
        (Instant::now(), Cell::new(0u32), Cell::new(world::Totals::default()));
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => {
            let always = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            TestRunner::new_with_rng(config, always)
        },
    };
    let result = runner.run(&op::sequence(), |ops| {
        let total = world::play(&ops.0).map_err(TestCaseError::fail)?;
        totals.set(totals.get() + total);
        done.set(done.get() + 1);
        if done.get() % STEP == 0 {
            let seconds = begin.elapsed().as_secs();
            eprintln!("{} of {cases} sequences, {seconds} s, {:?}", done.get(), totals.get());
        }
        Ok(())
    });
    if let Err(failure) = result {
        panic!("after {} sequences: {failure}", done.get());
    }
    totals.get().assert_that_all_happened(done.get());
}
