//! Real processes: wallets pay through a hub, and the hub rebalances on a chain.
//!
//! A payment's time is that of its RPC call: it looks the hub's fee up on chain, and it ends when
//! the payer has heard that the recipient has the money. On the way are six durable commits, one
//! after the other, three signatures made and three checked, and the recipient's pause before it
//! acknowledges.

use crate::{
    fixture::key,
    measure::{Bench, Row, Samples},
};
use failsafe_channel::Sign;
use failsafe_hub::rpc::{api::ChannelAssetRow, client::explain, FailsafeRpcClient};
use failsafe_primitives::AccountId;
use failsafe_tests::{
    harness::{failure, Chain, ChainOptions, Failure, Hub, HubOptions, Wallet},
    story::{report::frd, UNIT},
};
use jsonrpsee::http_client::HttpClient;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

const GROUP: &str = "payments";
/// Wallets that pay at the same time.
const PAYERS: usize = 4;
/// Payments of one wallet that are under way at the same time.
const IN_FLIGHT: usize = 16;
/// What a payment pays, in FRD.
const SMALL: &str = "0.001";
/// What users may owe the hub, in FRD: so that they pay without insurance.
const CREDIT: &str = "1000";
/// The first payer's insurance, in FRD: a rebalance takes withdrawals out of it.
const INSURED: &str = "9000";
/// What makes the recipient want insurance: more than half of its credit line of 1000 FRD.
const LARGE: &str = "600";
/// How long parties may take to agree.
const AGREE: Duration = Duration::from_secs(60);

/// Measures.
pub fn run(bench: &Bench) -> Result<Vec<Row>, Failure> {
    bench.processes(|dir| async move { measure(bench, &dir).await })
}

/// Who takes part.
struct Cast {
    chain: Chain,
    hub: Hub,
    payers: Vec<Wallet>,
    recipient: Wallet,
}

async fn measure(bench: &Bench, dir: &Path) -> Result<Vec<Row>, Failure> {
    let cast = Cast::start(bench, dir).await?;
    let mut rows = cast.payments(bench).await?;
    rows.push(cast.rebalances(bench).await?);
    cast.stop().await?;
    Ok(rows)
}

fn account(suri: &str) -> Result<AccountId, Failure> {
    Ok(key(suri)?.account())
}

impl Cast {
    async fn start(bench: &Bench, dir: &Path) -> Result<Self, Failure> {
        bench.tell("payments: starting a validator and a hub");
        let options = HubOptions { credit: CREDIT.into(), ..HubOptions::default() };
        // The hub's keys are made before the first block, which registers it.
        let mut hub = Hub::create("hub", "//bench//hub", "ws://127.0.0.1:1", &options, dir)?;
        let mut chain = ChainOptions::story(1);
        let rich = [hub.account().clone(), account(&suri("payer0"))?];
        chain.balances = rich.map(|who| (who, frd(10_000))).into();
        chain.hubs = vec![hub.genesis("one")?];
        let chain = Chain::start(&chain, dir).await?;
        hub.configure(chain.url(), &options)?;
        hub.start().await?;
        bench.tell(&format!("payments: starting {PAYERS} payers and a recipient"));
        let mut payers = Vec::new();
        for number in 0..PAYERS {
            let wallet = wallet(&format!("payer{number}"), &chain, dir).await?;
            payers.push(wallet);
        }
        let recipient = wallet("recipient", &chain, dir).await?;
        let knows = |row: &ChannelAssetRow| row.can_send.0 > 0;
        for payer in &payers {
            payer.wait_for_frd("a payer and the hub agree on terms", AGREE, knows).await?;
        }
        let knows = |row: &ChannelAssetRow| row.can_receive.0 > 0;
        recipient.wait_for_frd("the recipient and the hub agree on terms", AGREE, knows).await?;
        Ok(Self { chain, hub, payers, recipient })
    }

    async fn payments(&self, bench: &Bench) -> Result<Vec<Row>, Failure> {
        let to = self.recipient.at("one");
        let clients: Vec<_> =
            self.payers.iter().map(Wallet::client).collect::<Result<_, Failure>>()?;
        let first = clients.first().ok_or_else(|| failure("nobody pays"))?;
        bench.tell("payments: one after the other");
        // Connections and caches.
        load(&clients, &to, bench.count(20)).await?;
        let one = spread(first, &to, bench.count(300)).await?;
        bench.tell("payments: several payers");
        let several = load(&clients, &to, bench.count(200)).await?;
        bench.tell("payments: several under way");
        let many = load(&vec![first.clone(); IN_FLIGHT], &to, bench.count(100)).await?;
        let delay = HubOptions::default().ack_delay_ms;
        let counted = |who: &str| format!("{who}; ack_delay {delay} ms");
        Ok(vec![
            one.row(GROUP, "payment", counted("delivered through the hub, one by one")),
            several.row(
                GROUP,
                "payment, payers",
                counted(&format!("delivered, {PAYERS} wallets, each back to back")),
            ),
            many.row(
                GROUP,
                "payment, pipelined",
                counted(&format!("delivered, one wallet, {IN_FLIGHT} under way")),
            ),
        ])
    }

    async fn rebalances(&self, bench: &Bench) -> Result<Row, Failure> {
        let payer = self.payers.first().ok_or_else(|| failure("nobody pays"))?;
        let (client, hub) = (payer.client()?, self.hub.client()?);
        bench.tell("payments: rebalances");
        payer.on_chain(&["deposit", INSURED, &payer.at("one")]).await?;
        let insured = |row: &ChannelAssetRow| row.own_insured.0 > 0;
        payer.wait_for_frd("the payer's insurance", AGREE, insured).await?;
        let mut latencies = Vec::new();
        for _ in 0..bench.count(10) {
            pay(&client, &self.recipient.at("one"), LARGE).await?;
            let start = Instant::now();
            let done = hub.rebalance(false).await.map_err(|e| failure(explain(e)))?;
            latencies.push(start.elapsed());
            if done.block.is_none() {
                return Err(failure("the hub found nothing to rebalance"));
            }
            let insured = |row: &ChannelAssetRow| row.own_uninsured.0 < u128::from(UNIT);
            self.recipient.wait_for_frd("the recipient's insurance", AGREE, insured).await?;
        }
        // Without what is between two of them.
        let samples = Samples::of(&latencies, latencies.iter().sum());
        Ok(samples.row(GROUP, "rebalance", "rebalances, from the command until the batch is final"))
    }

    async fn stop(mut self) -> Result<(), Failure> {
        for mut wallet in self.payers {
            wallet.stop().await?;
        }
        self.recipient.stop().await?;
        self.hub.stop().await?;
        self.chain.stop().await
    }
}

fn suri(name: &str) -> String {
    format!("//bench//{name}")
}

/// A wallet of the hub, running.
async fn wallet(name: &str, chain: &Chain, dir: &Path) -> Result<Wallet, Failure> {
    let mut wallet = Wallet::create(name, &suri(name), chain.url(), Some("@one"), dir).await?;
    wallet.start().await?;
    Ok(wallet)
}

/// Pays so many times, one after the other, with pauses between: back to back, every payment would
/// begin when the one before has ended, and the parties' timers would treat all of them alike.
async fn spread(client: &HttpClient, to: &str, count: u32) -> Result<Samples, Failure> {
    let mut latencies = Vec::new();
    for number in 0..count {
        // Every length below a tenth of a second once, mixed.
        let pause = u64::from(number).saturating_mul(37) % 97;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        latencies.push(pay(client, to, SMALL).await?);
    }
    Ok(Samples::of(&latencies, latencies.iter().sum()))
}

/// Every client pays so many times, one after the other, all clients at the same time.
async fn load(clients: &[HttpClient], to: &str, each: u32) -> Result<Samples, Failure> {
    let start = Instant::now();
    let mut paying = JoinSet::new();
    for client in clients {
        let (client, to) = (client.clone(), to.to_string());
        paying.spawn(async move {
            let mut latencies = Vec::new();
            for _ in 0..each {
                latencies.push(pay(&client, &to, SMALL).await?);
            }
            Ok::<_, Failure>(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(paid) = paying.join_next().await {
        latencies.extend(paid??);
    }
    Ok(Samples::of(&latencies, start.elapsed()))
}

/// Pays, and says how long it took until it was delivered.
async fn pay(client: &HttpClient, to: &str, amount: &str) -> Result<Duration, Failure> {
    let start = Instant::now();
    let paid = client.pay(to.into(), amount.into(), None, None).await;
    let paid = paid.map_err(|e| failure(explain(e)))?;
    let latency = start.elapsed();
    match paid.state.as_str() {
        "delivered" => Ok(latency),
        state => Err(failure(format!("a payment is {state}: {:?}", paid.reason))),
    }
}
