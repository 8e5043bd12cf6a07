//! A deterministic simulation of parties in a row: the real minds of hubs and wallets
//! (`failsafe_hub::party::Core`) on simulated networks, disks, clocks, and on the reference of the
//! chain's rules. Messages are lost with their sessions, processes end before and after each commit,
//! blocks are full, reorganised and late. In the end nobody honest has less than it should, no
//! mediator has lost on a lock, all channels between honest parties can be used, and what was paid
//! without a signature has cost nobody more than the limit that it gave to a dishonest one.
//!
//! `FAILSAFE_SIM_SEEDS` sets the number of seeds; `FAILSAFE_SIM_SEED` plays one of them, line by line.

mod chain;
mod history;
mod operator;
mod processes;
mod secrets;
mod world;

use world::{Vice, World};

/// Seeds when nobody asks for more.
const SEEDS: u64 = 1_000;
/// Steps of a game.
const STEPS: usize = 260;

/// A game with two users of a hub that has two processes.
fn play_split(seed: u64, log: bool) -> Result<World, String> {
    let vice = match seed % 12 {
        0 => Vice::NoSettle,
        1 => Vice::NoAck,
        2 => Vice::NoAnswer,
        3 => Vice::FailThenClaim,
        4 => Vice::NoSign,
        5 => Vice::LateAnswer,
        6 => Vice::NoProof,
        _ => Vice::None,
    };
    let evil = if (seed / 12).is_multiple_of(2) { 0 } else { 3 };
    let mut world = World::split(seed, &[(evil, vice)]);
    world.log = log;
    go_on(&mut world, log)
        .map_err(|why| format!("split seed {seed} ({evil} has {vice:?}): {why}"))?;
    Ok(world)
}

fn play(seed: u64, log: bool) -> Result<World, String> {
    let size = 3 + usize::try_from(seed % 3).expect("0 to 2");
    let evil = 1 + usize::try_from((seed / 3) % 4).expect("0 to 3");
    let vice = match (seed / 12) % 10 {
        0 => Vice::NoSettle,
        1 => Vice::NoAck,
        2 => Vice::NoAnswer,
        3 => Vice::FailThenClaim,
        4 => Vice::NoProof,
        5 => Vice::NoSign,
        8 if (seed / 120) % 2 == 1 => Vice::NoClean,
        _ => Vice::None,
    };
    let mut vices = vec![(evil.min(size - 1), vice)];
    if matches!(seed / 12 % 10, 6 | 7) {
        // An honest hub between one that does not pay for a lock and one that claims it late.
        let first = usize::from(size > 3 && evil == 1);
        vices = vec![(first, Vice::NoSettle), (first + 2, Vice::LateAnswer)];
        if evil == 2 {
            vices = vec![(first, Vice::LateAnswer), (first + 2, Vice::NoSettle)];
        }
    }
    let mut world = World::new(seed, size, &vices);
    world.log = log;
    go_on(&mut world, log)
        .map_err(|why| format!("seed {seed} ({size} parties, {vices:?}): {why}"))?;
    Ok(world)
}

fn go_on(world: &mut World, log: bool) -> Result<(), String> {
    for step in 0..STEPS {
        if log {
            eprintln!("step {step}");
        }
        world.step();
        world.check_exposures().map_err(|why| format!("step {step}: {why}"))?;
    }
    world.come_to_rest();
    world.check()
}

/// Plays as many seeds as are asked for, or one of them line by line; each kind of thing must have
/// happened at least once.
fn play_all(play: impl Fn(u64, bool) -> Result<World, String>, kinds: &[&str]) {
    if let Ok(seed) = std::env::var("FAILSAFE_SIM_SEED") {
        let seed = seed.parse().expect("a number");
        match play(seed, true) {
            Ok(world) => eprintln!("{:?}", world.counts),
            Err(why) => panic!("{why}"),
        }
        return;
    }
    let seeds = std::env::var("FAILSAFE_SIM_SEEDS");
    let seeds = seeds.map_or(SEEDS, |text| text.parse().expect("a number"));
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    let mut failures = vec![];
    for seed in 0..seeds {
        match play(seed, false) {
            Ok(world) => {
                for (what, count) in world.counts {
                    *counts.entry(what).or_default() += count;
                }
            },
            Err(why) => failures.push(why),
        }
        if (seed + 1) % 250 == 0 {
            eprintln!("{} of {seeds} seeds, {} failures, {counts:?}", seed + 1, failures.len());
        }
    }
    assert!(failures.is_empty(), "{} failures: {:#?}", failures.len(), failures);
    // Few games need not show everything.
    for what in kinds.iter().filter(|_| seeds >= SEEDS) {
        assert!(counts.get(what).is_some_and(|count| *count > 0), "never {what}: {counts:?}");
    }
}

/// What happens in every kind of game.
const KINDS: [&str; 10] = [
    "paid",
    "not paid",
    "crashes",
    "reorganisations",
    "withheld",
    "batch.submit",
    "insurance.dispute",
    "secrets.reveal",
    "paid plainly",
    "unsigned",
];

#[test]
fn nobody_honest_should_lose_whatever_happens() {
    let more = ["told late", "insurance.withdraw", "insurance.close", "lost without a signature"];
    play_all(play, &[&KINDS[..], &more].concat());
}

#[test]
fn nobody_honest_should_lose_whatever_happens_to_a_hub_of_two_processes() {
    play_all(play_split, &[&KINDS[..], &["paid over", "locked over"]].concat());
}
