//! Everybody is killed as `kill -9` does, again and again, under load: node, hubs, wallets. One of the
//! two hubs has two processes, `e` and `f`. In the end all books agree with each other and with the chain, and each payment was made once or not at all.
//!
//! `FAILSAFE_KILLS` sets the number of kills, `FAILSAFE_KILL_SEED` their order.

use failsafe_hub::rpc::{
    api::{Costs, PaymentRow},
    FailsafeRpcClient,
};
use failsafe_primitives::Balance;
use failsafe_tests::{
    harness::{eventually, failure, town::PATIENCE, Failure, HubOptions, Place, Plan, Town},
    story::report::frd,
};
use rand::{rngs::StdRng, Rng, SeedableRng};
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// Kills when nobody asks for more.
const KILLS: u32 = 12;
/// How long everybody may take to come to rest: locks run out, calls become final.
const REST: Duration = Duration::from_secs(300);
/// Who pays whom, and whether by invoices.
const PAYERS: [(&str, &str, bool); 4] =
    [("a", "b", false), ("b", "w", true), ("w", "a", true), ("c", "b", false)];

/// Who has a wallet.
const WALLETS: [&str; 4] = ["a", "b", "c", "w"];

fn number(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name);
    text.map_or(otherwise, |text| text.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

/// Where a wallet's commands go: it changes with every start.
#[derive(Clone)]
struct Contact(std::path::PathBuf);

impl Contact {
    fn client(&self) -> Result<jsonrpsee::http_client::HttpClient, Failure> {
        let contact = failsafe_hub::rpc::client::contact(&self.0)?;
        let contact = contact.ok_or_else(|| failure("it does not run"))?;
        Ok(failsafe_hub::rpc::client::client(&contact)?)
    }
}

/// Pays 1 again and again until it is told to stop. Whatever becomes of a command is of no interest:
/// the books tell. Answers may be lost, so a payment is asked for again under its name.
async fn pay_on(
    payer: Contact,
    payee: Contact,
    to: String,
    by_invoice: bool,
    seed: u64,
    stop: Arc<AtomicBool>,
) {
    let mut rng = StdRng::seed_from_u64(seed);
    while !stop.load(Ordering::Relaxed) {
        let id = hex::encode(rng.gen::<[u8; 16]>());
        let mut invoice: Option<String> = None;
        for _ in 0..3 {
            let made = async {
                if by_invoice {
                    if invoice.is_none() {
                        let client = payee.client()?;
                        let asked = client.invoice(Some("1".into()), None, None, None).await?;
                        invoice = Some(asked.invoice);
                    }
                    let text = invoice.clone().unwrap_or_default();
                    let costs = Costs { max_fee: Some("1".into()), ..Costs::default() };
                    let client = payer.client()?;
                    Ok::<_, Failure>(client.pay_invoice(text, None, Some(costs), None).await?)
                } else {
                    let id = Some(id.clone());
                    Ok(payer.client()?.pay(to.clone(), "1".into(), None, id).await?)
                }
            };
            let made = tokio::time::timeout(Duration::from_secs(25), made).await;
            if made.is_ok_and(|made| made.is_ok()) || stop.load(Ordering::Relaxed) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_millis(rng.gen_range(10..80))).await;
    }
}

/// Payments of all wallets, gathered while they are made: a wallet lists only its newest.
#[derive(Default)]
struct Ledger(BTreeMap<(&'static str, String, String), PaymentRow>);

impl Ledger {
    /// Takes in what the wallets list now.
    async fn gather(&mut self, town: &Town) -> Result<(), Failure> {
        for wallet in WALLETS {
            for row in town.wallet(wallet).client()?.payments(1_000).await? {
                self.0.insert((wallet, row.direction.clone(), row.id.clone()), row);
            }
        }
        Ok(())
    }

    /// Looks again at payments that had not ended; an error names one that has not yet.
    async fn end(&mut self, town: &Town) -> Result<(), Failure> {
        self.gather(town).await?;
        for ((wallet, direction, id), row) in &mut self.0 {
            if direction == "out" && !is_over(row) {
                *row = town.wallet(wallet).client()?.payment(id.clone()).await?;
                if !is_over(row) {
                    return Err(failure(format!("{wallet}: {row:?}")));
                }
            }
        }
        Ok(())
    }

    fn of(
        &self,
        wallet: &'static str,
        direction: &'static str,
    ) -> impl Iterator<Item = &PaymentRow> {
        let of = move |(key, _): &(&(&str, String, String), &PaymentRow)| {
            key.0 == wallet && key.1 == direction
        };
        self.0.iter().filter(of).map(|(_, row)| row)
    }
}

fn is_over(row: &PaymentRow) -> bool {
    matches!(&row.state[..], "delivered" | "returned" | "failed")
}

/// What a wallet has in its channel: insured and not, less what it owes.
async fn wealth(town: &Town, wallet: &str) -> Result<i128, Failure> {
    let row = town.wallet(wallet).client()?.status().await?;
    let row = failsafe_tests::harness::town::native(&row.channels[0])?;
    let signed = |amount: Balance| i128::try_from(amount).expect("within the limits");
    Ok(signed(row.own_insured.0) + signed(row.own_uninsured.0) - signed(row.partner_uninsured.0))
}

#[tokio::test(flavor = "multi_thread")]
async fn books_should_agree_and_payments_be_made_once_when_everybody_is_killed_at_random(
) -> Result<(), Failure> {
    let kills = number("FAILSAFE_KILLS", KILLS.into());
    let seed = number("FAILSAFE_KILL_SEED", rand::random());
    eprintln!("{kills} kills, FAILSAFE_KILL_SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let options = |peers: &[&str]| HubOptions {
        credit: "500".into(),
        peers: peers.iter().map(|peer| (*peer).to_string()).collect(),
        every_seconds: 3,
        proof_timeout_seconds: 2,
        ..HubOptions::default()
    };
    let plan = Plan::story().hub("e", 1_000, options(&[])).process("f", "e", options(&[]));
    let plan = plan.hub("j", 1_000, options(&["@e"]));
    let plan = plan
        .placed("a", 1_000, "e", Place::Process(0, 2))
        .placed("b", 1_000, "e", Place::Process(1, 2))
        .placed("c", 1_000, "e", Place::Process(0, 2));
    let mut town = plan.wallet("w", 1_000, "j").start().await?;
    let with_j = town.process_of("e", town.hub("j").account());
    for (hub, peer) in [("j", "@e"), (with_j, "@j")] {
        eventually("the hubs let each other owe", PATIENCE, || async {
            let args = ["terms", "1000", "--partner", peer];
            town.hub(hub).ask::<serde_json::Value>(&args).await.map(Some)
        })
        .await?;
    }
    for (wallet, hub) in [("a", "e"), ("b", "f"), ("c", "e"), ("w", "j")] {
        town.insure(wallet, hub, 200).await?;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let mut load = JoinSet::new();
    let contact = |town: &Town, wallet: &str| Contact(town.wallet(wallet).dir().to_path_buf());
    for (index, (payer, payee, by_invoice)) in PAYERS.into_iter().enumerate() {
        let hub = if payee == "w" { "j" } else { "e" };
        let to = town.wallet(payee).at(hub);
        let (one, other) = (contact(&town, payer), contact(&town, payee));
        let seed = seed.wrapping_add(u64::try_from(index)?);
        load.spawn(pay_on(one, other, to, by_invoice, seed, stop.clone()));
    }
    let mut ledger = Ledger::default();
    let mut victims: BTreeMap<&str, u32> = BTreeMap::new();
    for kill in 0..kills {
        tokio::time::sleep(Duration::from_millis(rng.gen_range(0..1_500))).await;
        let victim = ["e", "j", "a", "b", "w", "node", "f", "c"][rng.gen_range(0..8)];
        *victims.entry(victim).or_default() += 1;
        let down = Duration::from_millis(rng.gen_range(0..800));
        match victim {
            "node" => {
                town.chain.kill()?;
                tokio::time::sleep(down).await;
                town.chain.restart().await?;
            },
            "e" | "f" | "j" => {
                town.hub_mut(victim).kill()?;
                tokio::time::sleep(down).await;
                town.hub_mut(victim).start().await?;
            },
            wallet => {
                town.wallet_mut(wallet).kill()?;
                tokio::time::sleep(down).await;
                town.wallet_mut(wallet).start().await?;
            },
        }
        // Who cannot answer yet is asked the next time.
        let _ = ledger.gather(&town).await;
        if (kill + 1) % 20 == 0 {
            eprintln!("{} kills: {victims:?}", kill + 1);
        }
    }
    stop.store(true, Ordering::Relaxed);
    while load.join_next().await.is_some() {}
    eprintln!("all kills: {victims:?}");

    // Nothing is under way any more.
    let started = std::time::Instant::now();
    while let Err(open) = ledger.end(&town).await {
        if started.elapsed() > REST {
            return Err(failure(format!("not ended within {REST:?}: {open}")));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    town.agreed().await?;
    ledger.gather(&town).await?;
    eprintln!("at rest after {:?}", started.elapsed());

    // What one has paid, another one has got, once.
    let mut spent: BTreeMap<String, Balance> = BTreeMap::new();
    let mut got: BTreeMap<String, Balance> = BTreeMap::new();
    let (mut made, mut back) = (0, 0);
    for wallet in WALLETS {
        for row in ledger.of(wallet, "in") {
            *got.entry(row.to.clone()).or_default() += row.amount.0;
        }
        for row in ledger.of(wallet, "out") {
            if row.state != "delivered" {
                back += 1;
                continue;
            }
            made += 1;
            *spent.entry(row.from.clone()).or_default() += row.amount.0 + row.fee.0;
            // By name, or by the hash of its lock.
            let name = match &row.proof {
                Some(proof) => {
                    let secret: [u8; 32] = hex::decode(proof)?
                        .try_into()
                        .map_err(|_| failure("a secret has 32 bytes"))?;
                    hex::encode(&failsafe_primitives::simplex::lock_hash(&secret)[..16])
                },
                None => row.id.clone(),
            };
            let is_payee = |name: &&&str| town.wallet(name).account().to_string() == row.to;
            let payee = WALLETS.iter().find(is_payee).ok_or_else(|| failure("paid to nobody"))?;
            // One row of that name at most: what was paid twice would be in the sums below.
            let arrived = ledger.0.get(&(*payee, "in".to_string(), name));
            let arrived = arrived.ok_or_else(|| failure(format!("{row:?} has not arrived")))?;
            assert_eq!(arrived.amount, row.amount);
        }
    }
    eprintln!("{made} payments were made, {back} were not");
    assert!(made > 0, "nothing was paid");
    for wallet in WALLETS {
        let name = town.wallet(wallet).account().to_string();
        let of = |sums: &BTreeMap<String, Balance>| -> Result<i128, Failure> {
            Ok(i128::try_from(sums.get(&name).copied().unwrap_or_default())?)
        };
        let expected = i128::try_from(frd(200))? + of(&got)? - of(&spent)?;
        assert_eq!(wealth(&town, wallet).await?, expected, "{wallet}");
    }
    let all_spent: Balance = spent.values().sum();
    let all_got: Balance = got.values().sum();
    assert_eq!(all_spent, all_got, "the hubs ask for nothing");
    town.close().await
}

/// A program that is killed right before or right after a commit starts again from what was durable.
#[tokio::test(flavor = "multi_thread")]
async fn h51_payment_should_be_made_once_when_the_hub_is_killed_at_a_commit() -> Result<(), Failure>
{
    let mut town = Plan::story()
        .hub("h", 1_000, HubOptions::default())
        .wallet("a", 1_000, "h")
        .wallet("b", 0, "h")
        .start()
        .await?;
    town.insure("a", "h", 100).await?;
    let url = town.chain.url().to_string();
    let mut paid: Balance = 0;
    for (turn, fault) in [
        "stop-before-commit=3",
        "stop-after-commit=3",
        "stop-before-commit=5",
        "stop-after-commit=5",
    ]
    .into_iter()
    .enumerate()
    {
        let hub = town.hub_mut("h");
        hub.stop().await?;
        hub.configure(&url, &HubOptions { faults: vec![fault.into()], ..HubOptions::default() })?;
        // It may die before it answers.
        let _ = tokio::time::timeout(Duration::from_secs(10), hub.start()).await;
        let to = town.wallet("b").at("h");
        let mut ids = vec![];
        for number in 1..=20 {
            let id = format!("{:032x}", 100 * (turn + 1) + number);
            let client = town.wallet("a").client()?;
            let pay = client.pay(to.clone(), "1".into(), None, Some(id.clone()));
            let made = tokio::time::timeout(Duration::from_secs(2), pay).await;
            // What the hub could not be asked for has no name there.
            if !matches!(made, Ok(Err(_))) {
                ids.push(id);
            }
            if !town.hub_mut("h").is_running()? {
                break;
            }
        }
        assert!(!town.hub_mut("h").is_running()?, "{fault} has not struck");
        let hub = town.hub_mut("h");
        hub.configure(&url, &HubOptions::default())?;
        hub.start().await?;
        for id in ids {
            eventually("the payment is made", PATIENCE, || async {
                let client = town.wallet("a").client()?;
                let row = client.pay(to.clone(), "1".into(), None, Some(id.clone())).await?;
                Ok((row.state == "delivered").then_some(()))
            })
            .await?;
            paid += frd(1);
        }
        let b = town.wallet("b");
        b.wait_for_frd("B has it", PATIENCE, |row| row.own_uninsured.0 == paid).await?;
    }
    assert_eq!(town.wallet("a").frd().await?.own_insured.0, frd(100) - paid);
    town.close().await
}
