//! A real hub under load: many wallets on real sockets, a durable store, a real chain.
//!
//! What counts is the CPU time of the hub's process per payment, next to what the parts of a payment
//! cost at least on this machine ([`floor`]): other work on the machine changes the rate, but hardly
//! that. A payment counts when its payee durably holds the hub's simplex; a locked one when
//! also its payer has durably settled. [`fleet`] are the wallets, [`stored`] is about many channels
//! that do nothing.

mod cpu;
mod fleet;
mod floor;
mod log;
mod profile;
mod stored;

use crate::measure::{median, Bench, Bound, Figure, Measured, Samples, Target};
use failsafe_channel::{unsigned::MAX_UNSIGNED, Moment};
use failsafe_hub::{
    chain::ChainClient,
    keys::{AccountKey, Scheme},
    transport::TransportKey,
};
use failsafe_tests::{
    harness::{eventually, failure, Chain, ChainOptions, Failure, Hub, HubOptions},
    story::report::frd,
};
use fleet::{Done, Fleet, FleetOptions, HubPlace, Watched, Way, Work, SIGN_DELAY};
use floor::Floor;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// What users may owe the hub, in FRD: so that they pay without insurance.
const CREDIT: &str = "1000";
/// How long parties may take to agree.
const AGREE: Duration = Duration::from_secs(120);
/// Partners that a hub takes: more than are stored for it.
const MAX_PARTNERS: usize = 1_100_000;
/// How often the clock of the chain is read for the wallets.
const CLOCK: Duration = Duration::from_millis(300);
/// How long an idle hub is looked at before its load begins.
const IDLE: Duration = Duration::from_secs(3);
/// What a hub at rest uses at most, in nanoseconds per second, with 1,000 wallets. One that has just
/// started uses more: it learns the names of its older payments.
const REST: f64 = 5e7;
/// How long it is looked at whether a hub is at rest.
const LOOK: Duration = Duration::from_secs(1);
/// Windows in which a row is measured; the median counts.
const WINDOWS: usize = 3;
/// How long acknowledgements wait under load: the longest that hubs and wallets allow.
const LAZY_MS: u64 = 1_000;
/// Payments under one signature in the row `flush`.
const FLUSH: usize = 64;
/// What may be unsigned in the row `unsigned`, in FRD: more than so many payments sum up to.
const UNSIGNED: u64 = 1;
/// How long acknowledgements wait where wallets are few and busy: a channel holds 512 updates that
/// are not acknowledged, and each payment of the hub is one.
const BUSY_MS: u64 = 100;

/// Rows that are no loads.
const OTHERS: [&str; 3] = ["planner", "latency", "channels"];

/// What is measured of a load.
struct Load {
    name: &'static str,
    counted: String,
    parties: Parties,
    work: Work,
    floor: fn(&Floor) -> f64,
    /// At most so many times the floor.
    ratio: Option<f64>,
}

/// Who takes part in a load.
#[derive(Clone, Copy, Debug)]
struct Parties {
    wallets: usize,
    hubs: usize,
    ack_delay_ms: u64,
    /// All take payments without a signature.
    unsigned: bool,
    /// Hubs check in batches and sign many messages at once.
    together: bool,
}

impl Parties {
    /// Their acknowledgements wait for as long as they may.
    fn lazy(wallets: usize, hubs: usize) -> Self {
        Self { wallets, hubs, ack_delay_ms: LAZY_MS, unsigned: false, together: true }
    }
}

/// What `single` and `long tail` do.
fn trusted() -> Work {
    Work { way: Way::Trusted(1), in_flight: 512, across: false }
}

fn loads() -> Vec<Load> {
    let trusted = trusted();
    vec![
        Load {
            name: "single",
            counted:
                "random payer to random payee of 1,000 wallets, trusted, a payment per update, \
                 every signature by itself"
                    .into(),
            parties: Parties { together: false, ..Parties::lazy(1_000, 1) },
            work: trusted,
            floor: Floor::single,
            ratio: Some(1.6),
        },
        Load {
            name: "long tail",
            counted: "the same, checked in batches across channels, one signature for many answers"
                .into(),
            parties: Parties::lazy(1_000, 1),
            work: trusted,
            floor: Floor::batched,
            ratio: Some(1.6),
        },
        Load {
            name: "flush",
            counted: format!("64 busy wallets, {FLUSH} payments per update"),
            parties: Parties { ack_delay_ms: BUSY_MS, ..Parties::lazy(64, 1) },
            work: Work { way: Way::Trusted(FLUSH), in_flight: 32, across: false },
            floor: |floor| floor.shared(FLUSH),
            ratio: Some(2.0),
        },
        Load {
            name: "unsigned",
            counted: format!(
                "64 busy wallets, each payment an update without a signature, one of {MAX_UNSIGNED} \
                 signed"
            ),
            parties: Parties { ack_delay_ms: BUSY_MS, unsigned: true, ..Parties::lazy(64, 1) },
            work: Work { way: Way::Unsigned, in_flight: 512, across: false },
            floor: |floor| floor.unsigned(MAX_UNSIGNED),
            ratio: Some(2.0),
        },
        Load {
            name: "locked",
            counted: "payer, hub, payee with hash locks, settled on both channels; 1,000 wallets"
                .into(),
            parties: Parties::lazy(1_000, 1),
            work: Work { way: Way::Locked, in_flight: 256, across: false },
            floor: Floor::locked,
            ratio: Some(2.0),
        },
        Load {
            name: "two hubs",
            counted: "payer, hub, hub, payee with hash locks; CPU of both hubs".into(),
            parties: Parties::lazy(200, 2),
            work: Work { way: Way::Locked, in_flight: 48, across: true },
            floor: |floor| 2.0 * floor.locked(),
            ratio: None,
        },
    ]
}

/// Measures; adds to the targets as it goes, and profiles to the figures at the end.
pub fn run(bench: &Bench, measured: &mut Measured) -> Result<(), Failure> {
    let Measured { targets, figures, .. } = measured;
    let rows = loads().iter().map(|load| load.name).chain(OTHERS).collect::<Vec<_>>();
    if let Some(row) = bench.hub_rows.iter().find(|row| !rows.contains(&row.as_str())) {
        return Err(failure(format!("no row {row:?}: there are {}", rows.join(", "))));
    }
    bench.tell("hub: the machine's floors");
    let floor = Floor::measure(bench)?;
    let us = |nanos: f64| nanos / 1e3;
    bench.tell(&format!(
        "hub: floors in µs: verify {:.1}, in a batch {:.1}, sign {:.1}, read {:.2}, write {:.2}, \
         log {:.2}",
        us(floor.verify),
        us(floor.verify_batch),
        us(floor.sign),
        us(floor.read),
        us(floor.write),
        us(floor.log),
    ));
    let only = &bench.hub_rows;
    let wanted = |name: &str| only.is_empty() || only.iter().any(|row| row == name);
    if wanted("planner") {
        stored::planner(bench, targets)?;
    }
    bench.processes(|dir| async move {
        let mut stage = Stage::start(bench, &dir).await?;
        for load in loads() {
            if wanted(load.name) {
                let done = stage.load(bench, &floor, load, targets).await;
                figures.append(&mut stage.profiles);
                done?;
            }
        }
        if wanted("latency") {
            stage.latency(bench, &floor, targets).await?;
        }
        if wanted("channels") {
            stored::channels(&mut stage, bench, targets).await?;
        }
        stage.stop().await
    })
}

/// What payments cost.
struct Cost {
    payments: u64,
    per_second: f64,
    /// CPU time of the hubs per payment, in nanoseconds.
    cpu: f64,
    times: Samples,
    /// Payments that came to nothing, and why.
    lost: String,
}

/// A chain and two hubs, which do not run yet.
struct Stage {
    chain: Chain,
    hubs: [Hub; 2],
    places: Vec<HubPlace>,
    dir: PathBuf,
    /// So that no two fleets have the same accounts.
    fleets: usize,
    /// The hottest functions of the rows.
    profiles: Vec<Figure>,
}

const HANDLES: [&str; 2] = ["one", "two"];

impl Stage {
    async fn start(bench: &Bench, dir: &Path) -> Result<Self, Failure> {
        bench.tell("hub: starting a validator");
        let options = HubOptions { credit: CREDIT.into(), ed25519: true, ..HubOptions::default() };
        let create = |handle: &str| {
            let name = format!("hub-{handle}");
            Hub::create(&name, &format!("//load//{handle}"), "ws://127.0.0.1:1", &options, dir)
        };
        let hubs = [create(HANDLES[0])?, create(HANDLES[1])?];
        let mut chain = ChainOptions::story(1);
        chain.balances = hubs.iter().map(|hub| (hub.account().clone(), frd(10_000))).collect();
        for (hub, handle) in hubs.iter().zip(HANDLES) {
            chain.hubs.push(hub.genesis(handle)?);
        }
        let chain = Chain::start(&chain, dir).await?;
        let mut places = vec![];
        for hub in &hubs {
            let key = TransportKey::load(&hub.dir().join("transport.key"))?.public();
            let (account, endpoint) = (hub.account().clone(), hub.endpoint());
            places.push(HubPlace { account, endpoint, key });
        }
        Ok(Self { chain, hubs, places, dir: dir.into(), fleets: 0, profiles: vec![] })
    }

    fn configure_hubs(&mut self, parties: Parties) -> Result<(), Failure> {
        let Parties { hubs, ack_delay_ms, unsigned, together, .. } = parties;
        let unsigned_limit = if unsigned { UNSIGNED } else { 0 };
        for (number, hub) in self.hubs.iter_mut().enumerate().take(hubs) {
            let peers = (number > 0).then(|| format!("@{}", HANDLES[0]));
            let options = HubOptions {
                credit: CREDIT.into(),
                ack_delay_ms,
                unsigned_limit: unsigned_limit.to_string(),
                sign_delay_ms: u64::try_from(SIGN_DELAY.as_millis())?,
                sign_together: together,
                max_partners: MAX_PARTNERS,
                peers: peers.into_iter().collect(),
                ..HubOptions::default()
            };
            hub.configure(self.chain.url(), &options)?;
        }
        Ok(())
    }

    async fn run_hubs(&mut self, count: usize) -> Result<(), Failure> {
        for hub in self.hubs.iter_mut().take(count) {
            hub.start().await?;
        }
        if count > 1 {
            eventually("the second hub lets the first one owe", AGREE, || async {
                self.hubs[1].ask::<Value>(&["terms", "100000", "--partner", "@one"]).await.map(Some)
            })
            .await?;
        }
        Ok(())
    }

    async fn stop_hubs(&mut self, count: usize) -> Result<(), Failure> {
        for hub in self.hubs.iter_mut().take(count) {
            hub.stop().await?;
        }
        Ok(())
    }

    async fn fleet(
        &mut self,
        parties: Parties,
    ) -> Result<(Fleet, tokio::task::JoinHandle<()>), Failure> {
        let Parties { wallets, hubs, ack_delay_ms, unsigned, .. } = parties;
        let client = self.chain.client();
        self.fleets += 1;
        let key = |number: usize| {
            AccountKey::from_uri(Scheme::Ed25519, &format!("//load//{}//{number}", self.fleets))
        };
        let options = FleetOptions {
            hubs: self.places[..hubs].to_vec(),
            keys: (0..wallets).map(key).collect::<Result<_, _>>()?,
            genesis: client.info().genesis,
            lock_window: client.parameters().await?.lock_window,
            ack_delay: Duration::from_millis(ack_delay_ms),
            unsigned_limit: if unsigned { frd(UNSIGNED) } else { 0 },
            number: u32::try_from(self.fleets)?,
        };
        let now = moments(client).await?;
        let fleet = Fleet::start(options, now, &self.dir).await?;
        let clock = {
            let (client, teller) = (client.clone(), fleet.teller());
            tokio::spawn(async move {
                // A node that is lost shows in the hub.
                while let Ok((finalized, best)) = moments(&client).await {
                    teller.moments(finalized, best);
                    sleep(CLOCK).await;
                }
            })
        };
        let all = u64::try_from(wallets)?;
        until("all wallets are in step", &fleet.watched, |watched| {
            watched.ready.load(Ordering::Relaxed) == all
        })
        .await?;
        Ok((fleet, clock))
    }

    async fn load(
        &mut self,
        bench: &Bench,
        floor: &Floor,
        load: Load,
        targets: &mut Vec<Target>,
    ) -> Result<(), Failure> {
        bench.tell(&format!("hub: {}", load.name));
        let parties = load.parties;
        self.configure_hubs(parties)?;
        self.run_hubs(parties.hubs).await?;
        let cost = self.cost(bench, load.name, &load.work, parties).await?;
        self.stop_hubs(parties.hubs).await?;
        let Cost { payments, per_second, cpu, times, lost } = cost;
        targets.push(Target {
            row: load.name.into(),
            counted: load.counted + &lost,
            n: payments,
            per_second,
            p50_ns: times.percentile(50),
            p99_ns: times.percentile(99),
            what: "CPU per payment",
            ours: cpu,
            floor: Some((load.floor)(floor)),
            unit: "ns",
            bound: load.ratio.map(Bound::Ratio),
        });
        Ok(())
    }

    /// What the hubs that run need for payments of new wallets.
    async fn cost(
        &mut self,
        bench: &Bench,
        row: &str,
        work: &Work,
        parties: Parties,
    ) -> Result<Cost, Failure> {
        let hubs = parties.hubs;
        let (fleet, clock) = self.fleet(parties).await?;
        self.rest(bench, &fleet, hubs).await?;
        let idle = self.idle(hubs, IDLE).await?;
        fleet.work(Some(*work));
        let (warm, window) = if bench.quick { (1_500, 1_500) } else { (3_000, 6_000) };
        sleep(Duration::from_millis(warm)).await;
        until("the first payment", &fleet.watched, |watched| !watched.take_done().is_empty())
            .await?;
        let mut costs = vec![];
        let mut all: Vec<Done> = vec![];
        let begin = Instant::now();
        for _ in 0..WINDOWS {
            let before = self.cpu(hubs)?;
            sleep(Duration::from_millis(window)).await;
            let spent = self.cpu(hubs)? - before;
            let done = fleet.watched.take_done();
            let payments: u64 = done.iter().map(|done| done.payments).sum();
            fleet.watched.check()?;
            if payments == 0 {
                return Err(failure(format!("no payment in {window} ms")));
            }
            costs.push(spent / payments as f64);
            all.extend(done);
        }
        let wall = begin.elapsed();
        if bench.profile {
            self.look(bench, row, hubs).await;
        }
        drain(&fleet).await?;
        clock.abort();
        let nothing = fleet.watched.came_to_nothing();
        let lost: String = nothing
            .into_iter()
            .map(|(why, count)| format!("; {count} came to nothing, by {why}"))
            .collect();
        fleet.stop().await;
        let payments: u64 = all.iter().map(|done| done.payments).sum();
        let per_second = payments as f64 / wall.as_secs_f64();
        bench.tell(&format!(
            "hub: idle, it uses {:.1} ms per second: {:.1} µs of each payment",
            idle / 1e6,
            idle / per_second / 1e3,
        ));
        let took: Vec<_> = all.iter().map(|done| done.took).collect();
        let (cpu, times) = (median(costs), Samples::of(&took, wall));
        Ok(Cost { payments, per_second, cpu, times, lost })
    }

    /// CPU time that the hubs use for so long, in nanoseconds per second.
    async fn idle(&self, hubs: usize, time: Duration) -> Result<f64, Failure> {
        let (before, begin) = (self.cpu(hubs)?, Instant::now());
        sleep(time).await;
        Ok((self.cpu(hubs)? - before) / begin.elapsed().as_secs_f64())
    }

    /// Waits until the hubs have done what they do after a start; not for ever, for a machine may be
    /// too slow for hubs that rest.
    async fn rest(&self, bench: &Bench, fleet: &Fleet, hubs: usize) -> Result<(), Failure> {
        let begin = Instant::now();
        loop {
            let used = self.idle(hubs, LOOK).await?;
            fleet.watched.check()?;
            if used <= REST * hubs as f64 {
                return Ok(());
            }
            if begin.elapsed() > AGREE {
                let used = used / 1e6;
                bench.tell(&format!("hub: not at rest after {AGREE:?}: {used:.1} ms per second"));
                return Ok(());
            }
        }
    }

    async fn latency(
        &mut self,
        bench: &Bench,
        floor: &Floor,
        targets: &mut Vec<Target>,
    ) -> Result<(), Failure> {
        bench.tell("hub: latency");
        let parties = Parties { ack_delay_ms: 20, ..Parties::lazy(16, 1) };
        self.configure_hubs(parties)?;
        self.run_hubs(1).await?;
        let (fleet, clock) = self.fleet(parties).await?;
        self.rest(bench, &fleet, 1).await?;
        // As if an idle hub got a payment now and then.
        let before = self.cpu(1)?;
        let mut took = vec![];
        for number in 0..bench.count(1_000) {
            let work = Work { way: Way::Trusted(1), in_flight: 1, across: false };
            fleet.once(work);
            let done = loop {
                if let Some(done) = fleet.watched.take_done().pop() {
                    break done;
                }
                fleet.watched.check()?;
                sleep(Duration::from_micros(500)).await;
            };
            took.push(done.took);
            // Every length below a twentieth of a second once, mixed.
            let pause = u64::from(number).saturating_mul(37) % 47;
            sleep(Duration::from_millis(pause)).await;
        }
        let spent = self.cpu(1)? - before;
        drain(&fleet).await?;
        clock.abort();
        fleet.stop().await;
        self.stop_hubs(1).await?;
        let wall = took.iter().sum();
        let count = u64::try_from(took.len())?;
        let times = Samples::of(&took, wall);
        for (percent, most) in [(50, 1e6), (99, 2e6)] {
            targets.push(Target {
                row: format!("latency p{percent}"),
                counted: "one payment at a time in an idle hub, durable on every hop".into(),
                n: count,
                per_second: count as f64 / wall.as_secs_f64(),
                p50_ns: times.percentile(50),
                p99_ns: times.percentile(99),
                what: "time of a payment",
                ours: times.percentile(percent),
                floor: Some(floor.latency()),
                unit: "ns",
                bound: Some(Bound::Most(most)),
            });
        }
        let per_payment = spent / count as f64 / 1e3;
        bench.tell(&format!(
            "hub: latency: {per_payment:.0} µs CPU per payment, idle work included"
        ));
        Ok(())
    }

    /// Adds where the hubs' time goes; without `perf` it says what is missing.
    async fn look(&mut self, bench: &Bench, row: &str, hubs: usize) {
        let pids: Vec<_> = self.hubs[..hubs].iter().filter_map(Hub::id).collect();
        let (row, dir) = (row.to_string(), bench.folder.clone());
        let looked = tokio::task::spawn_blocking(move || profile::hottest(&pids, &row, &dir)).await;
        match looked {
            Ok(Ok(figures)) => self.profiles.extend(figures),
            Ok(Err(problem)) => bench.tell(&format!("hub: no profile: {problem}")),
            Err(problem) => bench.tell(&format!("hub: no profile: {problem}")),
        }
    }

    /// CPU time of the hubs' processes so far, in nanoseconds.
    fn cpu(&self, hubs: usize) -> Result<f64, Failure> {
        let mut all = 0.0;
        for hub in &self.hubs[..hubs] {
            all += cpu::process(hub.id().ok_or_else(|| failure("a hub does not run"))?)?;
        }
        Ok(all)
    }

    async fn stop(self) -> Result<(), Failure> {
        self.chain.stop().await
    }
}

/// Newest finalized and best block.
async fn moments(client: &ChainClient) -> Result<(Moment, Moment), Failure> {
    let head = client.finalized_head().await?;
    Ok((client.moment(Some(head)).await?, client.moment(None).await?))
}

/// Ends the work, and waits until all is paid and acknowledged.
async fn drain(fleet: &Fleet) -> Result<(), Failure> {
    fleet.work(None);
    let watched = &fleet.watched;
    // One look later, all figures are from after the end.
    sleep(Duration::from_millis(100)).await;
    until("all payments come to their end", watched, |watched| {
        watched.in_flight.load(Ordering::Relaxed) + watched.unacked.load(Ordering::Relaxed) == 0
    })
    .await
}

/// Waits until something holds of a fleet. What has gone wrong with it ends the waiting: it will not
/// get better.
async fn until(
    what: &str,
    watched: &Watched,
    holds: impl Fn(&Watched) -> bool,
) -> Result<(), Failure> {
    let begin = Instant::now();
    loop {
        watched.check()?;
        if holds(watched) {
            return watched.check();
        }
        if begin.elapsed() > AGREE {
            return Err(failure(format!("{what}: not within {AGREE:?}")));
        }
        sleep(Duration::from_millis(40)).await;
    }
}
