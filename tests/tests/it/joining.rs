//! How a node joins a network that is there for some time: by warp sync, and by a snapshot.

use crate::network::{blocks, network};
use failsafe_tests::harness::{eventually, failure, program, Failure, Network, Workspace};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

/// How long a node may take to join.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs a command of the node on the database of a member, which does not run.
fn node(network: &Network, member: &str, args: &[&str]) -> Result<Output, Failure> {
    let mut command = Command::new(program("failsafe-node")?);
    command.args(args).arg("--chain").arg(network.spec());
    command.arg("--base-path").arg(network.folder(member));
    Ok(command.output()?)
}

fn text(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&all).into_owned()
}

/// A value of `export-snapshot`'s answer, by the word before it.
fn value(answer: &str, word: &str) -> Result<String, Failure> {
    let line = answer.lines().find_map(|line| line.strip_prefix(word));
    let value = line.and_then(|line| line.split_whitespace().next());
    Ok(value.ok_or_else(|| failure(format!("no {word} in {answer}")))?.into())
}

/// Whether a folder has a database of a chain.
fn has_chain(folder: &Path) -> bool {
    let Ok(chains) = fs::read_dir(folder.join("chains")) else { return false };
    chains.flatten().any(|chain| chain.path().join("paritydb/full").exists())
}

/// Stops a member and makes a snapshot of it, with what `export-snapshot` has said.
async fn export(
    network: &mut Network,
    member: &str,
    workspace: &Workspace,
) -> Result<(PathBuf, String), Failure> {
    network.stop_member(member).await?;
    let file = workspace.path().join("chain.snapshot");
    let exported = node(network, member, &["export-snapshot", &file.display().to_string()])?;
    if !exported.status.success() {
        return Err(failure(text(&exported)));
    }
    Ok((file, String::from_utf8(exported.stdout)?))
}

/// A network with a full node that has followed it for some blocks, and the snapshot of that one.
async fn exported(workspace: &Workspace) -> Result<(Network, PathBuf, String), Failure> {
    let mut network = network([25; 4], workspace).await?;
    network.add("full", None).await?;
    network.start_member("full").await?;
    network.wait_finalized("full", 12).await?;
    let (file, answer) = export(&mut network, "full", workspace).await?;
    Ok((network, file, answer))
}

#[tokio::test(flavor = "multi_thread")]
async fn node_should_follow_the_chain_when_it_joins_by_warp_sync() -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let mut network = network([25; 4], &workspace).await?;
    network.wait_finalized("alice", 30).await?;
    let known = network.rpc("alice")?.finalized().await?;
    network.add("joiner", None).await?;
    network.start_with("joiner", &["--sync", "warp"]).await?;
    let joiner = network.rpc("joiner")?;
    eventually("the joiner is there", PATIENCE, || async {
        Ok((joiner.finalized().await?.number >= known.number).then_some(()))
    })
    .await?;
    let log = network.output("joiner")?;
    assert!(log.contains("Warp sync is complete"), "{log}");
    assert!(!log.contains("Imported #2 "), "it skipped what it does not need");
    // It has the state, not just headers, and goes on.
    let last = joiner.finalized().await?;
    assert_eq!(joiner.weights(&last.hash).await?.len(), 4);
    network.wait_finalized("joiner", known.number + 8).await?;
    network.stop().await?;
    workspace.finish()
}

/// What a folder takes on the disk, in megabytes.
fn megabytes(folder: &Path) -> Result<u64, Failure> {
    let mut folders = vec![folder.to_path_buf()];
    let mut sectors = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let (entry, known) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            sectors += known.blocks();
            if known.is_dir() {
                folders.push(entry);
            }
        }
    }
    Ok((sectors * 512).div_ceil(1_000_000))
}

/// Lets a new node join and says how long it took until it was at the newest final block, and what
/// it has on its disk then.
async fn join(network: &mut Network, name: &str, how: &[&str]) -> Result<(), Failure> {
    let known = network.rpc("alice")?.finalized().await?;
    let begun = Instant::now();
    network.add(name, None).await?;
    network.start_with(name, how).await?;
    let joiner = network.rpc(name)?;
    eventually(&format!("{name} is there"), PATIENCE, || async {
        Ok((joiner.finalized().await?.number >= known.number).then_some(()))
    })
    .await?;
    let took = begun.elapsed().as_secs_f64();
    let size = megabytes(&network.folder(name))?;
    println!("{name}: at block {} after {took:.1} s, {size} MB", known.number);
    // After warp sync the blocks before are not there yet.
    let last = joiner.finalized().await?;
    let same = network.rpc("alice")?.hash(last.number).await?;
    assert_eq!(same, Some(last.hash));
    Ok(())
}

/// `FAILSAFE_NETWORK_BLOCKS=2000` and `--nocapture` give the figures of `docs/operator/joining.md`.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_should_come_to_the_same_chain_by_full_sync_warp_sync_and_snapshot(
) -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let mut network = network([25; 4], &workspace).await?;
    let blocks = blocks(30);
    let patience = Duration::from_secs(u64::from(blocks)) + PATIENCE;
    let alice = network.rpc("alice")?;
    eventually("there are enough blocks", patience, || async {
        Ok((alice.finalized().await?.number >= blocks).then_some(()))
    })
    .await?;
    join(&mut network, "full", &[]).await?;
    join(&mut network, "warp", &["--sync", "warp"]).await?;
    let begun = Instant::now();
    let (file, _) = export(&mut network, "full", &workspace).await?;
    let (took, size) = (begun.elapsed().as_secs_f64(), fs::metadata(&file)?.len());
    println!("snapshot: {size} bytes, made in {took:.1} s, with the node's stop");
    join(&mut network, "snapshot", &["--from-snapshot", &file.display().to_string()]).await?;
    network.stop().await?;
    workspace.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn node_should_follow_the_chain_when_it_begins_with_a_snapshot() -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let (mut network, file, answer) = exported(&workspace).await?;
    let (sha256, block) = (value(&answer, "sha256")?, value(&answer, "finalized")?);
    let block: u32 = block.parse()?;
    assert!(block >= 12, "{answer}");
    let path = file.display().to_string();
    network.add("joiner", None).await?;
    // Alone at first: all that it knows is from the file.
    network.cut("joiner").await?;
    network.start_with("joiner", &["--from-snapshot", &path, "--snapshot-sha256", &sha256]).await?;
    let (joiner, alice) = (network.rpc("joiner")?, network.rpc("alice")?);
    let first = joiner.finalized().await?;
    assert_eq!(first.number, block);
    assert_eq!(alice.hash(block).await?, Some(first.hash));
    network.join("joiner").await?;
    network.wait_finalized("joiner", block + 10).await?;
    // Its chain is there now: the same command does not begin again.
    network.stop_member("joiner").await?;
    let again = network.start_with("joiner", &["--from-snapshot", &path]).await;
    let again = again.expect_err("there is a chain").to_string();
    assert!(again.contains("already: leave out --from-snapshot"), "{again}");
    network.stop().await?;
    workspace.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_should_leave_nothing_when_it_is_refused() -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let (network, file, answer) = exported(&workspace).await?;
    let good = fs::read(&file)?;
    let path = file.display().to_string();
    let start =
        |args: &[&str]| node(&network, "new", &[&["--from-snapshot", &path], args].concat());
    let refuse = |output: Output, reason: &str| {
        let said = text(&output);
        assert!(!output.status.success() && said.contains(reason), "{reason}: {said}");
        assert!(!has_chain(&network.folder("new")), "nothing is left: {reason}");
    };
    let key = ["--unsafe-force-node-key-generation", "--rpc-port", "0"];

    let mut damaged = good.clone();
    damaged[good.len() / 2] ^= 1;
    fs::write(&file, &damaged)?;
    refuse(start(&key)?, "is damaged");
    fs::write(&file, &good[..good.len() - 1])?;
    refuse(start(&key)?, "is damaged");
    fs::write(&file, b"nothing of this kind")?;
    refuse(start(&key)?, "is not a snapshot that this version reads");
    fs::write(&file, &good)?;
    let other = ["--snapshot-sha256", &"0".repeat(64)];
    refuse(start(&[&key[..], &other].concat())?, &value(&answer, "sha256")?);
    let mut command = Command::new(program("failsafe-node")?);
    command.args(["--dev", "--from-snapshot", &path, "--rpc-port", "0", "--base-path"]);
    refuse(command.arg(network.folder("new")).output()?, "is of the chain");

    // Exporting refuses as well: while the node runs, and over another file.
    let over = node(&network, "full", &["export-snapshot", &path])?;
    assert!(text(&over).contains("name another file"), "{}", text(&over));
    let next = workspace.path().join("next.snapshot").display().to_string();
    let running = node(&network, "alice", &["export-snapshot", &next])?;
    assert!(text(&running).contains("stop the node first"), "{}", text(&running));
    network.stop().await?;
    workspace.finish()
}
