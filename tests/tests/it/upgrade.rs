//! A new runtime by vote on a running network, while payments go through a hub.
//!
//! The chain starts with the runtime under the version before (feature `previous-version`: other
//! deposit of proposals) and is upgraded to the one that the node carries.

use failsafe_hub::rpc::{api::PaymentRow, FailsafeRpcClient};
use failsafe_runtime_wasm::{previous, WASM_BINARY};
use failsafe_tests::{
    harness::{
        eventually, failure,
        governor::call,
        town::{account_of, native},
        ChainOptions, Failure, Governor, Hub, HubOptions, Network, Wallet, Workspace,
    },
    story::report::frd,
};
use sp_crypto_hashing::blake2_256;
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};
use subxt::dynamic::{tx, Value};
use tokio::task::JoinHandle;

/// How long something that needs finality may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// Where a runtime says its version: custom section, both names, version of authorship.
const VERSION_SECTION: &[u8] = b"\x0fruntime_version\x20failsafe\x20failsafe\x01\0\0\0";

/// A network, a hub, somebody who pays and somebody who is paid.
struct Scene {
    network: Network,
    hub: Hub,
    payer: Wallet,
    payee: Wallet,
    workspace: Workspace,
}

impl Scene {
    async fn start(validators: usize, code: Option<Vec<u8>>) -> Result<Self, Failure> {
        let workspace = Workspace::new()?;
        let dir = workspace.path();
        let behaviour = HubOptions::default();
        let mut hub = Hub::create("hub", "//upgrade//hub", "ws://127.0.0.1:1", &behaviour, dir)?;
        let shares = if validators == 1 { vec![100] } else { vec![] };
        let options = ChainOptions {
            slot_ms: Some(500),
            voting_period: Some(10),
            shares,
            code,
            hubs: vec![hub.genesis("one")?],
            balances: vec![
                (hub.account().clone(), frd(10_000)),
                (account_of("//upgrade//payer"), frd(10_000)),
            ],
            ..ChainOptions::story(validators)
        };
        let network = Network::start(&options, dir).await?;
        let url = network.url("alice")?;
        hub.configure(&url, &behaviour)?;
        hub.start().await?;
        let mut wallets = vec![];
        for name in ["payer", "payee"] {
            let suri = format!("//upgrade//{name}");
            let mut wallet = Wallet::create(name, &suri, &url, Some("@one"), dir).await?;
            wallet.start().await?;
            eventually("the wallet and its hub know each other", PATIENCE, || async {
                Ok((wallet.frd().await?.credit_given.0 > 0).then_some(()))
            })
            .await?;
            wallets.push(wallet);
        }
        let (Some(payee), Some(payer)) = (wallets.pop(), wallets.pop()) else {
            return Err(failure("two wallets"));
        };
        payer.on_chain(&["deposit", "5000", &payer.at("one")]).await?;
        payer.wait_for_frd("insurance", PATIENCE, |row| row.own_insured.0 == frd(5_000)).await?;
        Ok(Self { network, hub, payer, payee, workspace })
    }

    async fn governor(&self) -> Result<Governor, Failure> {
        Governor::connect(&self.network.url("alice")?, self.network.rpc("alice")?).await
    }

    /// Proposes a runtime by its hash, votes, and uploads it. Returns the block of the vote's end.
    async fn upgrade(&self, code: Vec<u8>, voters: &[&str]) -> Result<u32, Failure> {
        let governor = self.governor().await?;
        let hash = Value::from_bytes(blake2_256(&code));
        let from = self.network.rpc("alice")?.best().await?.number;
        let calls = vec![call("System", "authorize_upgrade", [hash])];
        governor.carry("A new runtime", calls, voters).await?;
        let enacted = governor.wait_event("Governance.Enacted", from).await?.block;
        // Anybody may bring what was voted for.
        let upload = tx("System", "apply_authorized_upgrade", (code,));
        governor.send(voters[0], &upload).await?;
        Ok(enacted)
    }

    /// Pays one FRD after the other until told to stop. Returns how many were delivered.
    fn keep_paying(
        &self,
        stop: Arc<AtomicBool>,
    ) -> Result<JoinHandle<Result<u64, Failure>>, Failure> {
        let client = self.payer.client()?;
        let to = self.payee.at("one");
        Ok(tokio::spawn(async move {
            let mut delivered = 0;
            while !stop.load(Ordering::Relaxed) {
                let row: PaymentRow = client.pay(to.clone(), "1".into(), None, None).await?;
                if row.state != "delivered" {
                    return Err(failure(format!("a payment is {}", row.state)));
                }
                delivered += 1;
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
            Ok(delivered)
        }))
    }

    /// What the payee has of its own.
    async fn received(&self) -> Result<u128, Failure> {
        let channel = self.payee.channel().await?;
        let row = native(&channel)?;
        Ok(row.own_insured.0 + row.own_uninsured.0)
    }

    async fn stop(mut self) -> Result<(), Failure> {
        self.payer.stop().await?;
        self.payee.stop().await?;
        if self.hub.is_running()? {
            self.hub.stop().await?;
        }
        self.network.stop().await?;
        self.workspace.finish()
    }
}

/// The runtime with another version in its section, where nodes and hubs read it.
fn renamed(code: &[u8], version: u32) -> Result<Vec<u8>, Failure> {
    const LIMIT: usize = 50 * 1024 * 1024;
    let mut code = sp_maybe_compressed_blob::decompress(code, LIMIT)
        .map_err(|e| failure(format!("{e:?}")))?
        .into_owned();
    let found = code.windows(VERSION_SECTION.len()).position(|window| window == VERSION_SECTION);
    let place = found.ok_or_else(|| failure("a runtime without its version"))?;
    let place = place + VERSION_SECTION.len();
    code[place..place + 4].copy_from_slice(&version.to_le_bytes());
    let packed = sp_maybe_compressed_blob::compress_strongly(&code, LIMIT);
    packed.ok_or_else(|| failure("a runtime that is too large"))
}

fn built(code: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
    let code = code.ok_or_else(|| failure("built with SKIP_WASM_BUILD: build without it"))?;
    Ok(code.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_should_go_on_with_payments_when_a_vote_upgrades_the_runtime() -> Result<(), Failure> {
    let scene = Scene::start(4, Some(built(previous::WASM_BINARY)?)).await?;
    let rpc = scene.network.rpc("alice")?;
    let before = rpc.spec_version().await?;
    let governor = scene.governor().await?;
    assert_eq!(governor.constant("Governance", "Deposit").await?, frd(5));

    let stop = Arc::new(AtomicBool::new(false));
    let paying = scene.keep_paying(stop.clone())?;
    let (begin, at_begin) = (rpc.best().await?.number, scene.received().await?);
    let enacted = scene.upgrade(built(WASM_BINARY)?, &["//Bob", "//Charlie", "//Dave"]).await?;
    let upgraded = governor.wait_version(before + 1).await?;
    let at_upgrade = scene.received().await?;
    eventually("the hub notices", PATIENCE, || async {
        let log = scene.hub.process()?.output();
        Ok(log.contains("the chain has another runtime, which is known").then_some(()))
    })
    .await?;
    scene.network.wait_finalized("alice", upgraded + 2).await?;
    assert_eq!(governor.constant("Governance", "Deposit").await?, frd(10), "the visible change");
    // A call that is encoded for the new runtime, while payments go on: so much is insured at once.
    let large = 500;
    let row = scene.payer.pay(&scene.payee.at("one"), &large.to_string()).await?;
    assert_eq!(row.state, "delivered");
    let insured = eventually("a rebalance while payments go on", PATIENCE, || async {
        let round = scene.hub.rebalance().await?;
        round.block.map(Some).ok_or_else(|| failure(format!("{round:?}")))
    })
    .await?;
    assert!(insured > upgraded, "by the new runtime");
    let at_end = scene.received().await?;
    stop.store(true, Ordering::Relaxed);
    let delivered = paying.await??;
    println!(
        "voting began in block {begin}, enacted in {enacted}, version {} from {upgraded}, \
         rebalance in {insured}; {delivered} payments: {} FRD before the vote, {} before the \
         upgrade, {} before the end",
        before + 1,
        at_begin / frd(1),
        at_upgrade / frd(1),
        at_end / frd(1),
    );
    assert!(at_begin < at_upgrade && at_upgrade < at_end, "payments went on all the time");
    eventually("all payments are there", PATIENCE, || async {
        Ok((scene.received().await? == frd(delivered + large)).then_some(()))
    })
    .await?;
    scene.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_should_stop_and_say_why_when_the_new_runtime_is_unknown() -> Result<(), Failure> {
    let mut scene = Scene::start(1, None).await?;
    assert_eq!(scene.payer.pay(&scene.payee.at("one"), "7").await?.state, "delivered");
    let current = u32::try_from(scene.network.rpc("alice")?.spec_version().await?)?;
    let unknown = renamed(&built(WASM_BINARY)?, current + 1)?;
    scene.upgrade(unknown, &["//Alice"]).await?;

    let log = scene.workspace.path().join("hub.log");
    let status = scene.hub.wait_ended(PATIENCE).await?;
    assert_eq!(status.code(), Some(1), "it ends by itself, and not by a panic");
    let log = std::fs::read_to_string(log)?;
    let reason = format!("runs failsafe version {}", current + 1);
    assert!(log.contains(&reason) && log.contains("update this program"), "{log}");
    // Nor does it start again.
    let refused = scene.hub.start().await.expect_err("it does not know this runtime");
    assert!(refused.to_string().contains(&reason), "{refused}");
    scene.network.stop().await?;
    scene.workspace.finish()
}
