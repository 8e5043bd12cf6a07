//! Every benchmark runs, and its own checks hold, at the ends of its components.

use failsafe_weights::{
    measure::Target,
    state::{Native, Runner},
};

#[test]
fn benchmark_should_do_what_it_says_when_run_at_its_ends() {
    let native = Native::new().expect("a genesis");
    let (lists, _) = native.metadata().expect("a list");
    let mut failures = Vec::new();
    for list in &lists {
        for benchmark in &list.benchmarks {
            let target = Target { pallet: &list.pallet, instance: &list.instance, benchmark };
            if let Err(error) = target.verify(&native) {
                failures.push(error.to_string());
            }
        }
    }
    assert!(lists.iter().any(|list| !list.benchmarks.is_empty()), "there are benchmarks");
    assert!(failures.is_empty(), "{failures:#?}");
}
