//! A hub with many channels that do nothing: how fast it starts, how much memory it needs, how fast
//! it still is. And the planner, which looks at all of them.

use super::{cpu, Cost, Parties, Stage};
use crate::measure::{median, Bench, Bound, Target};
use codec::Encode;
use failsafe_channel::{AssetTerms, Channel, Moment, PairFacts};
use failsafe_hub::{
    rebalance::{plan, AssetRules, Limits, Position, Snapshot},
    store::{Batch, FjallStore, Store, Table},
};
use failsafe_primitives::{AccountId, Balance, NATIVE_ASSET as FRD};
use failsafe_tests::harness::{failure, Failure};
use sp_core::H256;
use sp_io::hashing::blake2_256;
use std::{collections::BTreeMap, fs, hint::black_box, path::Path, time::Instant};

/// Channels that a hub has in the row `channels`.
const CHANNELS: [u32; 3] = [1_000, 100_000, 1_000_000];
/// Records of a commit.
const COMMIT: u32 = 10_000;
/// Channels in the row `planner`.
const PLANNED: u32 = 100_000;
/// What partners of stored channels may owe the hub.
const CREDIT: Balance = 1_000_000_000_000_000;

/// An account of which nobody has the key.
fn nobody(number: u32) -> AccountId {
    AccountId::new(blake2_256(&("failsafe-bench/nobody", number).encode()))
}

/// Writes channels of accounts that do not exist into the store of a hub that does not run.
pub fn fill(
    store: &Path,
    hub: &AccountId,
    genesis: H256,
    numbers: std::ops::Range<u32>,
) -> Result<(), Failure> {
    let store = FjallStore::open(store)?;
    let mut batch = Batch::default();
    let last = numbers.end;
    for number in numbers {
        let partner = nobody(number);
        let no_pair = |_| failure("a hub and its partner make a pair");
        let facts = PairFacts::unknown(hub, &partner, Moment::default()).map_err(no_pair)?;
        let mut channel = Channel::new(genesis, hub, &partner, facts).map_err(no_pair)?;
        channel.set_terms(FRD, AssetTerms { credit: CREDIT, ..AssetTerms::default() })?;
        batch.put(Table::Channels, partner.encode(), channel.encode_state());
        if number % COMMIT == 0 || number + 1 == last {
            store.commit(&std::mem::take(&mut batch))?;
        }
    }
    Ok(())
}

/// Memory of a process that is in RAM, in bytes.
fn memory_of(process: u32) -> Result<f64, Failure> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kibibytes: u32 = kibibytes.ok_or_else(|| failure("VmRSS"))?.trim().parse()?;
    Ok(f64::from(kibibytes) * 1024.0)
}

struct Seen {
    channels: u32,
    start: f64,
    memory: f64,
    cost: Cost,
}

/// Measures the row `channels`.
pub async fn channels(
    stage: &mut Stage,
    bench: &Bench,
    targets: &mut Vec<Target>,
) -> Result<(), Failure> {
    let mut seen: Vec<Seen> = vec![];
    let mut stored = 0;
    for channels in CHANNELS {
        let channels = bench.count(channels);
        bench.tell(&format!("hub: {channels} channels stored"));
        let parties = Parties::lazy(1_000, 1);
        stage.configure_hubs(parties)?;
        let genesis = stage.chain.client().info().genesis;
        let hub = &stage.hubs[0];
        fill(&hub.dir().join("store"), hub.account(), genesis, stored..channels)?;
        stored = channels;
        let begin = Instant::now();
        stage.run_hubs(1).await?;
        let start = begin.elapsed().as_secs_f64();
        let process = stage.hubs[0].id().ok_or_else(|| failure("the hub does not run"))?;
        let memory = memory_of(process)?;
        let cost = stage.cost(bench, "channels", &super::trusted(), parties).await?;
        stage.stop_hubs(1).await?;
        seen.push(Seen { channels, start, memory, cost });
    }
    let (Some(few), Some(many)) = (seen.first(), seen.last()) else { return Ok(()) };
    let name = |what: &str, seen: &Seen| format!("channels {}: {what}", seen.channels);
    let target = |row, what, ours, unit, bound| Target {
        row,
        counted: "channels stored, all idle but those of 1,000 wallets that pay as in `single`"
            .into(),
        n: 1,
        per_second: 0.0,
        p50_ns: 0.0,
        p99_ns: 0.0,
        what,
        ours,
        floor: None,
        unit,
        bound,
    };
    for one in &seen {
        targets.push(Target {
            n: one.cost.payments,
            per_second: one.cost.per_second,
            floor: Some(few.cost.cpu),
            ..target(
                name("payments", one),
                "CPU per payment, of the fewest",
                one.cost.cpu,
                "ns",
                // 80 % of the throughput.
                Some(Bound::Ratio(1.25)),
            )
        });
        let bound = (one.channels == many.channels).then_some(Bound::Most(15e9));
        targets.push(target(name("start", one), "until it answers", one.start * 1e9, "ns", bound));
    }
    let idle = f64::from(many.channels.saturating_sub(few.channels).max(1));
    let memory = (many.memory - few.memory) / idle;
    let bound = Some(Bound::Most(1024.0));
    targets.push(target(name("memory", many), "resident, per channel", memory, "bytes", bound));
    Ok(())
}

/// Measures the row `planner`.
pub fn planner(bench: &Bench, targets: &mut Vec<Target>) -> Result<(), Failure> {
    bench.tell("hub: planner");
    let position = |number: u32| {
        let amount = Balance::from(number % 977 + 1) * 1_000_000_000_000;
        // Half of them are owed, half spend.
        let receives = number.is_multiple_of(2);
        Position {
            partner: nobody(number),
            asset: FRD,
            epoch: 0,
            uninsured: if receives { amount } else { 0 },
            insure_above: Some(1_000_000_000_000),
            withdrawable: if receives { 0 } else { amount },
            proof: 0,
            awaited: 0,
        }
    };
    let rules = AssetRules { min_risk: 1, reserve: 0, min_deposit: 1, minimum: 1 };
    let snapshot = Snapshot {
        positions: (0..PLANNED).map(position).collect(),
        spendable: BTreeMap::from([(FRD, 1_000_000_000_000)]),
        rules: BTreeMap::from([(FRD, rules)]),
        limits: Limits::default(),
    };
    let mut nanos = vec![];
    for _ in 0..bench.count(20).max(3) {
        let start = cpu::thread()?;
        black_box(plan(black_box(&snapshot)));
        nanos.push(cpu::thread()? - start);
    }
    let n = u64::try_from(nanos.len()).unwrap_or_default();
    targets.push(Target {
        row: "planner".into(),
        counted: format!("a plan over {PLANNED} channels, half of which are owed and half spend"),
        n,
        per_second: 0.0,
        p50_ns: 0.0,
        p99_ns: 0.0,
        what: "CPU of a plan",
        ours: median(nanos),
        floor: None,
        unit: "ns",
        bound: Some(Bound::Most(1e9)),
    });
    Ok(())
}
