//! The faucet: money to play with, a little for everybody, and only where it is worth nothing (H14).

use super::bad_input::does_not_start;
use failsafe_hub::{
    faucet::{Drip, FaucetRpcClient},
    rpc::client::explain,
};
use failsafe_primitives::{AccountId, NATIVE_ASSET};
use failsafe_tests::{
    harness::{
        failure, program, town::account_of, Chain, ChainOptions, Failure, Process, Workspace,
    },
    story::report::frd,
};
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use std::{path::Path, process::Command, time::Duration};

const PATIENCE: Duration = Duration::from_secs(60);
/// The account that pays.
const RICH: &str = "//rich";
/// Seconds until somebody may come again: longer than the test.
const PAUSE: &str = "3600";

/// A faucet that gives 10 FRD, and its RPC.
async fn start(chain: &Chain, dir: &Path) -> Result<(Process, HttpClient), Failure> {
    let mut command = Command::new(program("failsafe-hub")?);
    command.args(["faucet", "--suri", RICH, "--node", chain.url(), "--listen", "127.0.0.1:0"]);
    command.args(["--amount", "10", "--pause", PAUSE, "--dir"]).arg(dir.join("faucet"));
    let mut faucet = Process::start("faucet", command, dir)?;
    let address = |output: &str| {
        let (_, rest) = output.split_once("faucet    ")?;
        rest.split_once(" gives").map(|(url, _)| url.to_owned())
    };
    let url = faucet.wait_for("the faucet listens", PATIENCE, address).await?;
    let client = HttpClientBuilder::default().request_timeout(PATIENCE).build(url)?;
    Ok((faucet, client))
}

async fn drip(faucet: &HttpClient, account: &str) -> Result<Drip, Failure> {
    faucet.drip(account.to_owned()).await.map_err(|problem| failure(explain(problem)))
}

async fn has(chain: &Chain, account: &AccountId, whole: u64) -> Result<(), Failure> {
    assert_eq!(chain.balance(account, NATIVE_ASSET).await?, frd(whole));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h14_faucet_should_give_each_account_its_share_once_when_asked_again_and_again(
) -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let mut options = ChainOptions::story(1);
    options.balances = vec![(account_of(RICH), frd(1_000))];
    let chain = Chain::start(&options, workspace.path()).await?;
    let (faucet, client) = start(&chain, workspace.path()).await?;
    let [ann, bob] = ["//ann", "//bob"].map(account_of);

    assert_eq!(drip(&client, &ann.to_string()).await?.amount, "10");
    has(&chain, &ann, 10).await?;
    let again = drip(&client, &ann.to_string()).await.unwrap_err().to_string();
    assert!(again.contains("has had its share: come back in"), "{again}");
    // At once, by many: only one of them gets something.
    let address = bob.to_string();
    let all = futures::future::join_all((0..5).map(|_| drip(&client, &address))).await;
    assert_eq!(all.iter().filter(|given| given.is_ok()).count(), 1, "{all:?}");
    let stranger = drip(&client, "nobody").await.unwrap_err().to_string();
    assert!(stranger.contains("nobody"), "{stranger}");

    has(&chain, &ann, 10).await?;
    has(&chain, &bob, 10).await?;
    has(&chain, &account_of(RICH), 980).await?;
    faucet.stop(PATIENCE).await?;
    chain.stop().await?;
    workspace.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn h14_faucet_should_not_start_when_the_chain_is_not_for_development() -> Result<(), Failure>
{
    let workspace = Workspace::new()?;
    let options = ChainOptions {
        preset: "local".into(),
        validators: 1,
        slot_ms: Some(1_000),
        ..ChainOptions::default()
    };
    let chain = Chain::start(&options, workspace.path()).await?;
    let dir = workspace.path().join("faucet").display().to_string();
    let start = ["faucet", "--node", chain.url(), "--listen", "127.0.0.1:0", "--dir", &dir];
    let error = does_not_start("failsafe-hub", &start).await?;
    assert!(error.contains("is not a development chain"), "{error}");
    chain.stop().await?;
    workspace.finish()
}
