//! Many games at once.

use super::{
    game::{cast_of, play, Violation},
    rules::{Numbers, Rules},
};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        atomic::{AtomicU64, Ordering},
        Mutex,
    },
    thread,
};

/// How many games went.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Games played.
    pub games: u64,
    /// Games with a violation.
    pub bad: u64,
    /// Violations by sort.
    pub sorts: BTreeMap<&'static str, u64>,
    /// Violations by sort in games with nobody evil.
    pub honest: BTreeMap<&'static str, u64>,
    /// The first games with violations, by seed.
    pub found: BTreeMap<u64, Vec<Violation>>,
    /// How often what has happened.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// Most games of which violations are kept.
    const KEPT: usize = 50;

    /// Violations of one sort.
    pub fn of(&self, sort: &str) -> u64 {
        self.sorts.get(sort).copied().unwrap_or_default()
    }

    /// All violations.
    pub fn violations(&self) -> u64 {
        self.sorts.values().sum()
    }

    fn add(&mut self, seed: u64, violations: Vec<Violation>, counts: BTreeMap<&'static str, u64>) {
        self.games += 1;
        for (what, often) in counts {
            *self.counts.entry(what).or_default() += often;
        }
        if violations.is_empty() {
            return;
        }
        self.bad += 1;
        for violation in &violations {
            *self.sorts.entry(violation.sort).or_default() += 1;
            if cast_of(seed).evil.is_empty() {
                *self.honest.entry(violation.sort).or_default() += 1;
            }
        }
        self.found.insert(seed, violations);
        if self.found.len() > Self::KEPT {
            self.found.pop_last();
        }
    }
}

/// Plays a game for every seed, on `jobs` threads. `progress` hears how many are done.
pub fn campaign(
    seeds: Range<u64>,
    rules: Rules,
    numbers: Numbers,
    jobs: usize,
    progress: impl Fn(u64) + Sync,
) -> Summary {
    let next = AtomicU64::new(seeds.start);
    let done = AtomicU64::new(0);
    let summary = Mutex::new(Summary::default());
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    return;
                }
                let game = play(seed, rules, numbers, false);
                let mut summary = summary.lock().expect("no thread panics with it");
                summary.add(seed, game.violations, game.counts);
                drop(summary);
                progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            });
        }
    });
    summary.into_inner().expect("no thread panics with it")
}
