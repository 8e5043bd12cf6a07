//! A network of hubs with 10^8 users, simulated event by event and fed with measured costs: how many
//! payments hubs can do, how long they take, what the chain carries, what stays uninsured.
//!
//! | module | what is in it |
//! |---|---|
//! | [`measured`] | where the costs come from |
//! | [`random`] | chance, with integers only |
//! | [`topology`] | who has which hub, and the ways between hubs |
//! | [`hub`] | a hub as a server with a queue |
//! | [`ledger`] | who owns and owes what; the plan of a rebalance |
//! | [`chain`] | blocks with so much room |
//! | [`simulation`] | the events |
//!
//! Each size is simulated three times. A **pilot** without time tells how the work is spread. A
//! **timed** run of the whole network, short, tells rate and times. A **slice** tells of half an hour:
//! so many of the users, their payments and the room of the blocks as one in [`SLICE`], in as many hubs
//! fewer as there are enough of them, without the times.

mod chain;
mod hub;
mod ledger;
mod measured;
mod random;
mod simulation;
mod topology;

use crate::measure::{Bench, Figure, Measured, Samples};
use failsafe_tests::harness::Failure;
use measured::Inputs;
use random::mean_amount;
use simulation::{Outcome, Plan, Simulation, BLOCK, MAX_BATCH, SECOND};
use std::{path::Path, time::Duration};

const GROUP: &str = "network";
/// Hubs of the networks.
const HUBS: [u32; 4] = [10, 100, 1_000, 10_000];
/// Users of each.
const USERS: u32 = 100_000_000;
/// Cores of a hub: as many as the machine had on which its costs were measured.
const CORES: u32 = 2;
/// Payments per second that are wanted.
const WANTED: u64 = 1_000_000;
/// Above so many hubs not all of them have channels with each other.
const MESH: u32 = 100;
/// Users of the network for one of a slice.
const SLICE: u32 = 200;
/// Hubs of a slice, at least.
const SLICE_HUBS: u32 = 10;
/// Share of the busiest hub's time that is used, in percent.
const LOAD: u64 = 80;
/// What normal calls may weigh in a block, in microseconds.
const BLOCK_WEIGHT: f64 = 1_500_000.0;
/// Seed of all of them.
const SEED: u64 = 2_026;

/// Simulates.
pub fn run(bench: &Bench, report: Option<&Path>, measured: &mut Measured) -> Result<(), Failure> {
    let inputs = Inputs::new(measured, report)?;
    bench.tell(&format!("network: fed with {}", inputs.sources.join(", ")));
    let network = Network { bench, inputs };
    for hubs in HUBS {
        network.measure(hubs, measured);
    }
    let enough = network.enough();
    bench.tell(&format!("network: {enough} hubs for {WANTED} payments per second"));
    let counted = format!(
        "hubs with {CORES} cores whose busiest one works {LOAD} % of its time; fed with {}",
        network.inputs.sources.join(", ")
    );
    measured.figures.push(figure(format!("hubs for {WANTED} payments/s"), enough, "hubs", counted));
    if !HUBS.contains(&enough) {
        network.measure(enough, measured);
    }
    Ok(())
}

fn figure(name: String, value: impl Into<f64>, unit: &'static str, counted: String) -> Figure {
    Figure { group: GROUP, name, value: value.into(), unit, counted }
}

struct Network<'a> {
    bench: &'a Bench,
    inputs: Inputs,
}

impl Network<'_> {
    /// A network with all its users, without rebalances.
    fn whole(&self, hubs: u32, rate: u64, timed: bool) -> Plan {
        Plan {
            hubs,
            mesh: hubs <= MESH,
            cores: usize::try_from(CORES).unwrap_or(1),
            users: USERS,
            rate: rate.max(1),
            costs: self.inputs.costs,
            timed,
            warm: 0,
            end: 0,
            round: None,
            room: self.room(),
            sample: u64::MAX / 2,
            seed: SEED,
        }
    }

    /// Items that a block has room for.
    fn room(&self) -> u64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "weight ≥ 1")]
        let room = (BLOCK_WEIGHT / self.inputs.item_weight) as u64;
        room.max(2)
    }

    /// Payments per second at which the busiest hub would never rest.
    fn limit(&self, hubs: u32) -> u64 {
        let payments = u64::from(self.bench.count(1_000_000)).max(20 * u64::from(hubs));
        // As if it took a second: shares of time are those of one core then.
        let plan = Plan { end: SECOND, ..self.whole(hubs, payments, false) };
        let busiest = Simulation::new(plan).run().busiest.max(1);
        payments.saturating_mul(1_000_000) / busiest
    }

    /// The fewest hubs that do what is wanted.
    fn enough(&self) -> u32 {
        let reaches = |hubs: u32| self.limit(hubs) * LOAD / 100 >= WANTED;
        let (mut few, mut many) = (HUBS[0], HUBS[HUBS.len() - 1]);
        if !reaches(many) {
            return many;
        }
        // To about a twentieth.
        while many - few > (many / 20).max(1) {
            let middle = few + (many - few) / 2;
            if reaches(middle) {
                many = middle;
            } else {
                few = middle;
            }
        }
        many
    }

    fn measure(&self, hubs: u32, measured: &mut Measured) {
        let limit = self.limit(hubs);
        let rate = (limit * LOAD / 100).min(WANTED);
        self.bench.tell(&format!("network: {hubs} hubs, {rate} payments per second"));
        let name = |what: &str| format!("{hubs} hubs: {what}");
        measured.figures.push(figure(
            name("at most"),
            whole_number(limit),
            "payments/s",
            format!("the busiest of {hubs} hubs with {CORES} cores never rests; {USERS} users"),
        ));
        self.timed(hubs, rate, measured);
        self.slice(hubs, rate, measured);
    }

    fn timed(&self, hubs: u32, rate: u64, measured: &mut Measured) {
        let warm = SECOND / 2;
        // Long enough for some payments in a small network, short enough for a large one.
        let least = u64::from(self.bench.count(400_000)) * SECOND / rate.max(1);
        let end = warm + least.clamp(SECOND / 4, 60 * SECOND);
        let plan = Plan { warm, end, ..self.whole(hubs, rate, true) };
        let outcome = Simulation::new(plan).run();
        let name = |what: &str| format!("{hubs} hubs: {what}");
        let counted = format!(
            "payments that end while {rate} per second begin; {:.2} hubs on the way, {} refused, {} \
             still under way",
            ratio(outcome.hops, outcome.begun),
            outcome.refused,
            outcome.open,
        );
        let times: Vec<_> = outcome.times.iter().copied().map(Duration::from_nanos).collect();
        let wall = Duration::from_nanos(end - warm);
        measured.rows.push(Samples::of(&times, wall).row(GROUP, name("payments"), counted));
        for (what, share) in [("busiest hub", outcome.busiest), ("average hub", outcome.busy)] {
            let share = whole_number(share) / 1e4;
            let counted = format!("of its time, at {rate} payments per second");
            measured.figures.push(figure(name(what), share, "%", counted));
        }
        let bytes = whole_number(u64::try_from(outcome.memory).unwrap_or(u64::MAX));
        let counted = format!("of the simulation, with {} users who took part", outcome.users);
        measured.figures.push(figure(name("memory"), bytes / 1e6, "MB", counted));
    }

    fn slice(&self, hubs: u32, rate: u64, measured: &mut Measured) {
        let slice = if self.bench.quick { SLICE * 10 } else { SLICE };
        let part = u64::from(slice);
        let minutes = |count: u64| count * 60 * SECOND;
        let end = minutes(30);
        let room = (self.room() / part).max(2);
        let some = (hubs / slice).max(SLICE_HUBS.min(hubs));
        let plan = Plan {
            hubs: some,
            users: USERS / slice,
            rate: (rate / part).max(1),
            room,
            end,
            // A batch fills a block: each hub's turn comes when the others have had theirs.
            round: Some(minutes(1).max(BLOCK * u64::from(some))),
            sample: minutes(5),
            ..self.whole(hubs, rate, false)
        };
        let outcome = Simulation::new(plan).run();
        let without = Simulation::new(Plan { round: None, ..plan }).run();
        let name = |what: &str| format!("{hubs} hubs: {what}");
        let of = format!(
            "half an hour of one in {slice} users, {} hubs of them; batches of up to {} items, blocks \
             with room for {room}",
            plan.hubs,
            MAX_BATCH.min(room),
        );
        let [items, blocks, _] = outcome.chain;
        let per_million = ratio(items, outcome.done) * 1e6;
        let mut add = |what: &str, value: f64, unit, counted: &str| {
            measured.figures.push(figure(name(what), value, unit, counted.into()));
        };
        add("items on chain", per_million, "per million payments", &of);
        add("bytes on chain", per_million * self.inputs.item_bytes, "per million payments", &of);
        let share = 100.0 * ratio(items, blocks.saturating_mul(room));
        add("room of the blocks", share, "%", &format!("by weight, taken by rebalances; {of}"));
        for minutes in [10, 20, 30] {
            let at = minutes * 60 * SECOND;
            let what = format!("uninsured after {minutes} min");
            let counted = format!(
                "of what users own is owed by hubs to users and to hubs; {:.2} % without rebalances",
                100.0 * risk_at(&without, at),
            );
            add(&what, 100.0 * risk_at(&outcome, at), "%", &counted);
        }
        let each = ratio_wide(last_risk(&outcome), outcome.users) / whole_number(mean_amount());
        let counted = "average payments per user that took part, at the end";
        add("uninsured", each, "payments", counted);
        let counted = "batches that wait for a block at the end";
        add("waiting batches", whole_number(outcome.backlog.try_into().unwrap_or(0)), "", counted);
    }
}

fn last_risk(outcome: &Outcome) -> u128 {
    outcome.risk.last().map_or(0, |(_, risk)| *risk)
}

/// Share of what users own that is not insured.
fn risk_at(outcome: &Outcome, at: u64) -> f64 {
    let risk = outcome.risk.iter().rev().find(|(time, _)| *time <= at).map_or(0, |(_, risk)| *risk);
    risk as f64 / (outcome.claims.max(1)) as f64
}

fn ratio_wide(of: u128, count: usize) -> f64 {
    of as f64 / count.max(1) as f64
}

fn ratio(of: u64, by: u64) -> f64 {
    whole_number(of) / whole_number(by.max(1))
}

fn whole_number(number: u64) -> f64 {
    number as f64
}
