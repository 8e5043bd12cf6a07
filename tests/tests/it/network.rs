//! Four validators as processes: who makes blocks, who finalizes them, and what becomes of both when
//! some are missing, shares change, or somebody cheats. Slots are short, so that it takes seconds.

use failsafe_hub::chain::ChainClient;
use failsafe_primitives::{AccountId, NATIVE_ASSET};
use failsafe_tests::{
    harness::{
        eventually, failure,
        governor::{call, validator},
        network::State,
        town::account_of,
        ChainOptions, Failure, Governor, Network, NodeRpc, Wires, Workspace,
    },
    story::report::frd,
};
use std::{collections::BTreeMap, time::Duration};
use subxt::dynamic::Value;

/// The validators, as their keys call them.
const NAMES: [&str; 4] = ["Alice", "Bob", "Charlie", "Dave"];
/// Blocks of a session.
const SESSION: u32 = 20;
/// How long peers may take to find each other.
const PATIENCE: Duration = Duration::from_secs(60);

fn options(shares: [u32; 4]) -> ChainOptions {
    ChainOptions {
        shares: shares.to_vec(),
        slot_ms: Some(500),
        voting_period: Some(10),
        ..ChainOptions::story(4)
    }
}

/// How many blocks a test waits for: `FAILSAFE_NETWORK_BLOCKS`, or as few as will do.
pub fn blocks(few: u32) -> u32 {
    let wanted = std::env::var("FAILSAFE_NETWORK_BLOCKS");
    wanted.map_or(few, |text| text.parse().expect("FAILSAFE_NETWORK_BLOCKS is a number"))
}

/// Four validators with these shares, who all see each other.
pub async fn network(shares: [u32; 4], workspace: &Workspace) -> Result<Network, Failure> {
    let network = Network::start(&options(shares), workspace.path()).await?;
    met(&network, 3).await?;
    Ok(network)
}

/// Waits until everybody has so many peers.
async fn met(network: &Network, peers: usize) -> Result<(), Failure> {
    for name in network.names() {
        let rpc = network.rpc(&name)?;
        eventually(&format!("{name} has {peers} peers"), PATIENCE, || async {
            Ok((rpc.peers().await? == peers).then_some(()))
        })
        .await?;
    }
    Ok(())
}

fn aura(name: &str) -> [u8; 32] {
    *AsRef::<[u8; 32]>::as_ref(&account_of(&format!("//{name}")))
}

/// How many of the blocks in `from..=to` each has made.
async fn authored(
    rpc: &NodeRpc,
    from: u32,
    to: u32,
) -> Result<BTreeMap<&'static str, u32>, Failure> {
    let keys = NAMES.map(aura);
    let mut counts: BTreeMap<_, u32> = NAMES.into_iter().map(|name| (name, 0)).collect();
    for number in from..=to {
        let hash = rpc.hash(number).await?.expect("below the best block");
        let author = rpc.author(&rpc.header(&hash).await?).await?;
        let place = keys.iter().position(|key| *key == author).expect("one of the four");
        *counts.get_mut(NAMES[place]).expect("inserted above") += 1;
    }
    Ok(counts)
}

/// That each has made what its shares promise, but for slots that a busy machine has missed.
fn assert_in_proportion(counts: &BTreeMap<&str, u32>, shares: [u32; 4]) {
    let blocks: u32 = counts.values().sum();
    let all: u32 = shares.iter().sum();
    for (name, share) in NAMES.into_iter().zip(shares) {
        let due = f64::from(blocks * share) / f64::from(all);
        let off = (f64::from(counts[name]) - due).abs();
        assert!(off <= (due / 5.0).max(2.0), "{name}: {due} of {blocks} were due: {counts:?}");
    }
}

async fn governor(network: &Network, name: &str) -> Result<Governor, Failure> {
    Governor::connect(&network.url(name)?, network.rpc(name)?).await
}

/// Waits until finality moves no more, since too few take part. Returns the last final block.
async fn stalled(rpc: &NodeRpc) -> Result<u32, Failure> {
    const TRIES: u32 = 10;
    for _ in 0..TRIES {
        let (last, best) = (rpc.finalized().await?.number, rpc.best().await?.number);
        eventually("six blocks more", PATIENCE, || async {
            Ok((rpc.best().await?.number >= best + 6).then_some(()))
        })
        .await?;
        // A round that was under way may have ended meanwhile.
        if rpc.finalized().await?.number == last {
            return Ok(last);
        }
    }
    Err(failure("blocks are still finalized"))
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_should_be_in_proportion_to_shares_when_all_validators_run() -> Result<(), Failure> {
    let blocks = blocks(54);
    let shares = [33, 33, 22, 11];
    let workspace = Workspace::new()?;
    let network = network(shares, &workspace).await?;
    let rpc = network.rpc("alice")?;
    let from = rpc.best().await?.number + 1;
    let to = from + blocks - 1;
    eventually(
        "the blocks are final",
        Duration::from_secs(u64::from(blocks)) + PATIENCE,
        || async { Ok((rpc.finalized().await?.number >= to).then_some(())) },
    )
    .await?;
    let counts = authored(&rpc, from, to).await?;
    println!("blocks {from} to {to}, shares {shares:?}: {counts:?}");
    assert_in_proportion(&counts, shares);
    network.stop().await?;
    workspace.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn finality_should_go_on_when_one_is_killed_and_come_back_after_two() -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let mut network = network([25; 4], &workspace).await?;
    let rpc = network.rpc("alice")?;
    let governor = governor(&network, "alice").await?;

    network.kill_member("dave")?;
    let one = rpc.best().await?.number;
    network.wait_finalized("alice", one + 5).await?;
    println!("one killed at block {one}: {} is final", rpc.finalized().await?.number);

    network.kill_member("charlie")?;
    let stop = stalled(&rpc).await?;
    // What happens meanwhile is not lost.
    let payee: AccountId = account_of("//somebody//else");
    let dest = Value::unnamed_variant("Id", [Value::from_bytes(AsRef::<[u8]>::as_ref(&payee))]);
    let transfer = call("Balances", "transfer_keep_alive", [dest, Value::u128(frd(5))]);
    let paid = governor.send("//Alice", &transfer).await?[0].block;
    network.wait_best("alice", paid + 3).await?;
    assert_eq!(rpc.finalized().await?.number, stop, "half of the shares finalize nothing");
    assert!(paid > stop, "blocks are made all the same");
    let best = rpc.best().await?;

    network.start_member("charlie").await?;
    network.wait_finalized("alice", best.number).await?;
    println!("two killed: {stop} stayed final until {}, then {best:?}", best.number);
    assert_eq!(rpc.hash(best.number).await?, Some(best.hash), "the blocks of meanwhile are final");
    let client = ChainClient::connect(&network.url("alice")?).await?;
    let head = client.finalized_head().await?;
    let balances = client.balances(&payee, &[NATIVE_ASSET], Some(head)).await?;
    assert_eq!(balances[0].free, frd(5), "the payment of meanwhile is final");

    network.start_member("dave").await?;
    network.wait_finalized("dave", best.number + 5).await?;
    network.stop().await?;
    workspace.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_should_change_at_the_border_when_new_shares_are_voted_in() -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let mut network = network([25; 4], &workspace).await?;
    let rpc = network.rpc("alice")?;
    let voters = governor(&network, "alice").await?;

    // Three of the four are no longer more than two thirds.
    let shares = [22, 22, 22, 33];
    let set = NAMES.into_iter().zip(shares).map(|(name, shares)| validator(name, shares));
    let set = Value::unnamed_composite(set.collect::<Result<Vec<_>, _>>()?);
    let calls = vec![call("Governance", "set_validators", [set])];
    let from = rpc.best().await?.number;
    voters.carry("Other shares", calls, &["//Alice", "//Bob", "//Charlie"]).await?;
    let changed = voters.wait_event("Governance.ValidatorsChanged", from).await?;
    assert_eq!(changed.block % SESSION, 0, "at a border");
    network.wait_finalized("alice", changed.block + 2).await?;
    let last = rpc.finalized().await?;
    let weights = rpc.weights(&last.hash).await?.into_iter().map(|(_, weight)| weight);
    assert_eq!(weights.collect::<Vec<_>>(), shares.map(u64::from));

    let (begin, end) = (changed.block + 2, changed.block + 28);
    network.wait_finalized("alice", end).await?;
    let counts = authored(&rpc, begin, end).await?;
    println!("changed at {}; blocks {begin} to {end}: {counts:?}", changed.block);
    assert_in_proportion(&counts, shares);

    network.kill_member("dave")?;
    let stop = stalled(&rpc).await?;
    network.start_member("dave").await?;
    network.wait_finalized("alice", stop + 8).await?;
    println!("without the heavy one {stop} stayed final, with it {:?}", rpc.finalized().await?);
    network.stop().await?;
    workspace.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn validator_should_lose_half_its_shares_when_two_nodes_run_with_its_key(
) -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let mut network = network([25; 4], &workspace).await?;
    let rpc = network.rpc("bob")?;
    let watcher = governor(&network, "bob").await?;

    let from = rpc.best().await?.number;
    network.add("twin", Some("--alice")).await?;
    network.start_member("twin").await?;
    // Who sees every block when the other one does votes for the same.
    let punished = tokio::select! {
        punished = watcher.wait_event("Governance.Punished", from) => punished?,
        problem = network.let_stumble("twin") => match problem? {},
    };
    let mut expected = aura("Alice").to_vec();
    expected.extend(13u32.to_le_bytes());
    assert_eq!(punished.fields, expected, "Alice, 13 of 25 shares");
    network.kill_member("twin")?;

    let changed = watcher.wait_event("Governance.ValidatorsChanged", punished.block).await?;
    println!("two Alices from block {from}, punished in {punished:?}, {}", changed.block);
    // A block at the border begins with the change: what it is told itself waits for the next one.
    let border = (punished.block / SESSION + 1) * SESSION;
    assert_eq!(changed.block, border, "at the next border");
    network.wait_finalized("bob", changed.block + 5).await?;
    let last = rpc.finalized().await?;
    let weights = rpc.weights(&last.hash).await?.into_iter().map(|(_, weight)| weight);
    assert_eq!(weights.collect::<Vec<_>>(), [12, 25, 25, 25]);
    network.stop().await?;
    workspace.finish()
}

/// Dave is cut off, makes a fork, and joins again.
async fn assert_fork_heals(network: &mut Network) -> Result<(), Failure> {
    network.cut("dave").await?;
    assert_eq!(network.state("dave")?, State::CutOff);
    let (alice, dave) = (network.rpc("alice")?, network.rpc("dave")?);
    eventually("it makes blocks of its own", PATIENCE, || async {
        let fork = dave.best().await?;
        let same_height = alice.hash(fork.number).await?;
        Ok(same_height.is_some_and(|hash| hash != fork.hash).then_some(()))
    })
    .await?;
    let alone = stalled(&dave).await?;
    network.wait_finalized("alice", alone + 5).await?;

    network.join("dave").await?;
    let goal = alice.best().await?.number + 5;
    network.wait_finalized("dave", goal).await?;
    assert_eq!(dave.hash(goal).await?, alice.hash(goal).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn network_should_agree_again_when_a_member_that_was_cut_off_joins() -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let mut network = network([25; 4], &workspace).await?;
    assert_fork_heals(&mut network).await?;
    network.stop().await?;
    workspace.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn network_should_agree_again_when_a_broken_wire_is_plugged_in() -> Result<(), Failure> {
    if !Wires::possible() {
        eprintln!("skipped: this user may not make network namespaces");
        return Ok(());
    }
    let workspace = Workspace::new()?;
    let mut network = Network::start_wired(&options([25; 4]), 216, workspace.path()).await?;
    met(&network, 3).await?;
    assert_fork_heals(&mut network).await?;
    network.stop().await?;
    workspace.finish()
}
