//! Payments with hash locks over several hubs, as processes.

use failsafe_hub::rpc::{
    api::{ChannelAssetRow, InvoiceRow, PaymentRow, StatusView},
    FailsafeRpcClient,
};
use failsafe_primitives::{simplex::lock_hash, AccountId, Balance, NATIVE_ASSET};
use failsafe_tests::{
    harness::{
        eventually, failure, Chain, ChainOptions, Failure, Hub, HubOptions, Wallet, Workspace,
    },
    story::report::frd,
};
use serde_json::Value;
use sp_core::{sr25519, Pair};
use std::time::Duration;

/// How long something may take that waits for blocks.
const PATIENCE: Duration = Duration::from_secs(90);
/// FRD that each hub and alice have on chain.
const FUNDS: u64 = 10_000;

/// Alice at hub a, bob at hub c, and hub b between them.
struct Row {
    chain: Chain,
    hubs: Vec<Hub>,
    alice: Wallet,
    bob: Wallet,
    workspace: Workspace,
}

const HANDLES: [&str; 3] = ["a", "b", "c"];

impl Row {
    /// Each hub lets the one before it owe 1 000 FRD, bob lets hub c; alice has 500 insured at a.
    async fn start() -> Result<Self, Failure> {
        let workspace = Workspace::new()?;
        let dir = workspace.path().to_path_buf();
        let suri = |name: &str| format!("//routes//{name}");
        let mut hubs = vec![];
        for handle in HANDLES {
            let hub = Hub::create(
                &format!("hub-{handle}"),
                &suri(handle),
                "ws://127.0.0.1:1",
                &HubOptions::default(),
                &dir,
            )?;
            hubs.push(hub);
        }
        let mut options = ChainOptions::story(1);
        options.hubs = HANDLES
            .iter()
            .zip(&hubs)
            .map(|(handle, hub)| hub.genesis(handle))
            .collect::<Result<_, _>>()?;
        options.balances = hubs.iter().map(|hub| (hub.account().clone(), frd(FUNDS))).collect();
        let pair = sr25519::Pair::from_string(&suri("alice"), None)?;
        options.balances.push((pair.public().0.into(), frd(FUNDS)));
        let chain = Chain::start(&options, &dir).await?;
        for (index, hub) in hubs.iter_mut().enumerate() {
            let peers = HANDLES[..index].last().map(|before| format!("@{before}"));
            let behaviour =
                HubOptions { peers: peers.into_iter().collect(), ..HubOptions::default() };
            hub.configure(chain.url(), &behaviour)?;
            hub.start().await?;
        }
        for (index, hub) in hubs.iter().enumerate().skip(1) {
            let before = format!("@{}", HANDLES[index - 1]);
            eventually("the hub lets the one before it owe", PATIENCE, || async {
                hub.ask::<Value>(&["terms", "1000", "--partner", &before]).await.map(Some)
            })
            .await?;
        }
        let url = chain.url();
        let mut alice = Wallet::create("alice", &suri("alice"), url, Some("@a"), &dir).await?;
        let mut bob = Wallet::create("bob", &suri("bob"), url, Some("@c"), &dir).await?;
        alice.start().await?;
        bob.start().await?;
        alice.on_chain(&["deposit", "500"]).await?;
        let row = Self { chain, hubs, alice, bob, workspace };
        row.alice
            .wait_for_frd("alice's insurance", PATIENCE, |row| row.own_insured.0 == frd(500))
            .await?;
        row.bob.wait_for_frd("bob's terms", PATIENCE, |row| row.credit_given.0 > 0).await?;
        Ok(row)
    }

    async fn invoice(&self, amount: &str) -> Result<InvoiceRow, Failure> {
        self.bob.ask(&["invoice", amount, "--description", "two coffees"]).await
    }

    async fn pay(&self, invoice: &InvoiceRow) -> Result<PaymentRow, Failure> {
        self.alice.ask(&["pay", &invoice.invoice]).await
    }

    /// Pays an invoice of bob; the first time it waits until the hubs have told of each other.
    async fn paid(&self, amount: &str) -> Result<(InvoiceRow, PaymentRow), Failure> {
        let invoice = self.invoice(amount).await?;
        let payment =
            eventually("a route", PATIENCE, || async { self.pay(&invoice).await.map(Some) })
                .await?;
        Ok((invoice, payment))
    }

    /// Both ends of every channel agree, no lock is left, no money came or went; then all stop.
    async fn close_books(self) -> Result<(), Failure> {
        eventually("all ends agree", PATIENCE, || async {
            let mut all = vec![];
            for hub in &self.hubs {
                all.push(hub.status().await?);
            }
            all.push(self.alice.status().await?);
            all.push(self.bob.status().await?);
            Ok(agree(&all).then_some(()))
        })
        .await?;
        let mut total: Balance = 0;
        for hub in &self.hubs {
            total += self.chain.balance(hub.account(), NATIVE_ASSET).await?;
        }
        for wallet in [&self.alice, &self.bob] {
            total += self.chain.balance(wallet.account(), NATIVE_ASSET).await?;
        }
        total += self.alice.frd().await?.insurance.0;
        assert_eq!(total, frd(4 * FUNDS), "no money came or went");
        let Self { chain, mut hubs, mut alice, mut bob, workspace } = self;
        alice.stop().await?;
        bob.stop().await?;
        for hub in &mut hubs {
            hub.stop().await?;
        }
        chain.stop().await?;
        workspace.finish()
    }
}

/// Whether every channel looks the same from both ends, without pending locks.
fn agree(all: &[StatusView]) -> bool {
    all.iter().all(|one| {
        one.channels.iter().all(|channel| {
            let other = all.iter().find(|other| other.account == channel.partner);
            let back = other
                .and_then(|other| other.channels.iter().find(|back| back.partner == one.account));
            let Some(back) = back else { return false };
            let same = |row: &ChannelAssetRow| {
                back.assets.iter().any(|other| {
                    other.asset.id == row.asset.id
                        && other.offdelta == row.offdelta
                        && other.own_insured == row.partner_insured
                        && other.own_uninsured == row.partner_uninsured
                        && other.locked_by_partner == row.locked
                        && row.locked.0 == 0
                })
            };
            channel.assets.iter().all(same)
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn h37_payment_should_arrive_over_three_hubs_when_an_invoice_is_paid() -> Result<(), Failure>
{
    let row = Row::start().await?;
    let (invoice, payment) = row.paid("120").await?;
    assert_eq!(payment.state, "delivered");
    // The secret is the proof of payment.
    let secret = hex::decode(payment.proof.ok_or_else(|| failure("no proof"))?)?;
    let secret: [u8; 32] = secret.try_into().map_err(|_| failure("a secret has 32 bytes"))?;
    assert_eq!(hex::encode(lock_hash(&secret)), invoice.hash);
    row.bob
        .wait_for_frd("bob has it", PATIENCE, |frd_row| frd_row.own_uninsured.0 == frd(120))
        .await?;
    assert_eq!(row.alice.frd().await?.own_insured.0, frd(380));
    let state: InvoiceRow = row.bob.ask(&["decode-invoice", &invoice.invoice]).await?;
    assert_eq!(state.state.as_deref(), Some("paid"));

    // The same again is the same payment.
    assert_eq!(row.pay(&invoice).await?.state, "delivered");
    assert_eq!(row.alice.frd().await?.own_insured.0, frd(380));

    // More than hub b lets hub a owe: nothing moves, and the payer is told.
    let much = row.invoice("950").await?;
    let refused = row.pay(&much).await.map(|payment| payment.state).unwrap_err().to_string();
    assert!(refused.contains("route"), "{refused}");
    row.close_books().await
}

/// FRD in the channel of `hub` with `partner`.
async fn frd_row(hub: &Hub, partner: &AccountId) -> Result<ChannelAssetRow, Failure> {
    let partner = partner.to_string();
    let channels = hub.status().await?.channels;
    let channel = channels.into_iter().find(|row| row.partner == partner);
    let channel = channel.ok_or_else(|| failure("no such channel"))?;
    let row = channel.assets.into_iter().find(|row| row.asset.id == NATIVE_ASSET);
    row.ok_or_else(|| failure("no FRD in it"))
}

/// Hub b is killed when it has locked 100 for hub c, and stays away. Bob gets his money at once; hub c
/// brings the secret to the chain, and hub b there when it does not settle; hub a and alice learn the
/// secret from the chain. When hub b is back, it has what it has paid.
#[tokio::test(flavor = "multi_thread")]
async fn m5_hub_should_reveal_and_dispute_when_the_hub_before_it_is_gone() -> Result<(), Failure> {
    let mut row = Row::start().await?;
    row.paid("1").await?;
    let invoice = row.invoice("100").await?;
    row.bob.process()?.suspend()?;
    let (client, text) = (row.alice.client()?, invoice.invoice.clone());
    let paying = tokio::spawn(async move { client.pay_invoice(text, None, None, None).await });
    let bob = row.bob.account().clone();
    eventually("hub c has locked for bob", PATIENCE, || async {
        Ok((frd_row(&row.hubs[2], &bob).await?.locked.0 == frd(100)).then_some(()))
    })
    .await?;
    row.hubs[1].kill()?;
    row.bob.process()?.resume()?;
    row.bob
        .wait_for_frd("bob has his money", PATIENCE, |row| row.own_uninsured.0 == frd(101))
        .await?;

    let hash: [u8; 32] = hex::decode(&invoice.hash)?.try_into().map_err(|_| failure("a hash"))?;
    let revealed = eventually("the secret is on chain", PATIENCE, || async {
        let client = row.chain.client();
        Ok(client.secret(&hash, client.finalized_head().await?).await?)
    })
    .await?;
    assert_eq!(lock_hash(&revealed.secret), hash);
    assert_eq!(paying.await??.state, "delivered");
    assert_eq!(row.alice.frd().await?.own_insured.0, frd(399));

    // The dispute of hub c against hub b is resolved: hub b's lock and its 1 are paid on chain.
    let hub_c = row.hubs[2].account().clone();
    eventually("hub c is paid on chain", PATIENCE, || async {
        let has = row.chain.balance(&hub_c, NATIVE_ASSET).await?;
        Ok((has == frd(FUNDS + 101)).then_some(()))
    })
    .await?;
    row.hubs[1].start().await?;
    let hub_a = row.hubs[0].account().clone();
    eventually("hub b has what it has paid", PATIENCE, || async {
        let row = frd_row(&row.hubs[1], &hub_a).await?;
        Ok((row.own_uninsured.0 == frd(101) && row.locked_by_partner.0 == 0).then_some(()))
    })
    .await?;
    row.close_books().await
}

/// Forty payments at once, hub b is killed among them and comes back: each is paid once or not at all,
/// and what bob has got is what alice has spent.
#[tokio::test(flavor = "multi_thread")]
async fn payments_should_be_paid_once_or_refunded_when_the_hub_in_the_middle_is_killed(
) -> Result<(), Failure> {
    const COUNT: usize = 40;
    let mut row = Row::start().await?;
    row.paid("1").await?;
    let mut invoices = vec![];
    for _ in 0..COUNT {
        invoices.push(row.bob.client()?.invoice(Some("2".into()), None, None, None).await?);
    }
    let mut paying = tokio::task::JoinSet::new();
    for invoice in invoices {
        let client = row.alice.client()?;
        // What becomes of it is looked up below.
        paying.spawn(async move { client.pay_invoice(invoice.invoice, None, None, None).await });
    }
    let delivered =
        |rows: &[PaymentRow]| rows.iter().filter(|row| row.state == "delivered").count();
    eventually("some have arrived", PATIENCE, || async {
        let payments = row.alice.client()?.payments(1_000).await?;
        Ok((delivered(&payments) > 3).then_some(()))
    })
    .await?;
    row.hubs[1].kill()?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    row.hubs[1].start().await?;
    let payments = eventually("every payment has ended", 2 * PATIENCE, || async {
        let payments = row.alice.client()?.payments(1_000).await?;
        let open = payments.iter().filter(|row| row.state == "locked").count();
        Ok((open == 0 && payments.len() == COUNT + 1).then_some(payments))
    })
    .await?;
    let ended = payments.iter().all(|row| row.state == "delivered" || row.state == "failed");
    assert!(ended, "{payments:?}");
    paying.shutdown().await;
    let spent: Balance =
        payments.iter().filter(|row| row.state == "delivered").map(|row| row.amount.0).sum();
    eprintln!("{} of {COUNT} payments were delivered", delivered(&payments) - 1);
    row.bob
        .wait_for_frd("bob has all that was paid", PATIENCE, |row| row.own_uninsured.0 == spent)
        .await?;
    let left = frd(500).checked_sub(spent).expect("alice has no more");
    row.alice.wait_for_frd("alice has the rest", PATIENCE, |row| row.own_insured.0 == left).await?;
    row.close_books().await
}
