//! Scenarios of payments (section E), as processes: real hubs and wallets, some of them faulty.

use failsafe_hub::rpc::{
    api::{Costs, InvoiceRow, PaymentRow},
    FailsafeRpcClient,
};
use failsafe_primitives::{Balance, NATIVE_ASSET};
use failsafe_tests::{
    harness::{
        eventually, failure,
        town::{native, shape, PATIENCE},
        Failure, HubOptions, Place, Plan, Town,
    },
    story::report::frd,
};
use serde_json::Value;

/// A hub that keeps 1 of every payment.
fn keeps_one() -> HubOptions {
    HubOptions { fees: (u64::try_from(frd(1)).expect("small"), 0), ..HubOptions::default() }
}

/// A pays an invoice of B over 50, for a fee of at most 1. What the command says is of no interest: it
/// has no answer before the payment is decided.
async fn pay_fifty(town: &Town) -> Result<(InvoiceRow, tokio::task::JoinHandle<()>), Failure> {
    let invoice: InvoiceRow = town.wallet("b").ask(&["invoice", "50"]).await?;
    let (client, text) = (town.wallet("a").client()?, invoice.invoice.clone());
    let paying = tokio::spawn(async move {
        for _ in 0..100 {
            let costs = Costs { max_fee: Some("1".into()), ..Costs::default() };
            let paid = client.pay_invoice(text.clone(), None, Some(costs), None).await;
            match paid {
                Ok(_) => return,
                // The hubs have not been heard of yet.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
            }
        }
    });
    Ok((invoice, paying))
}

async fn secret_on_chain(town: &Town, hash: &str) -> Result<u64, Failure> {
    let hash: [u8; 32] = hex::decode(hash)?.try_into().map_err(|_| failure("a hash"))?;
    eventually("the secret is on chain", PATIENCE, || async {
        let client = town.chain.client();
        let known = client.secret(&hash, client.finalized_head().await?).await?;
        Ok(known.map(|secret| secret.revealed_at))
    })
    .await
}

/// S49: A never settles. The hub, which has paid 50 on, brings the secret to the chain and then A: it
/// gets its 51, B keeps 50, the hub has earned 1.
#[tokio::test(flavor = "multi_thread")]
async fn s49_h13_hub_should_reveal_and_dispute_when_the_payer_does_not_settle(
) -> Result<(), Failure> {
    let plan = Plan::story().hub("h", 1_000, keeps_one());
    let plan = plan.faulty("a", 101, "h", &["dont-settle"]).wallet("b", 10, "h");
    let town = plan.start().await?;
    town.insure("a", "h", 100).await?;
    let (invoice, paying) = pay_fifty(&town).await?;
    town.wallet("b")
        .wait_for_frd("B has its money", PATIENCE, |row| row.own_uninsured.0 == frd(50))
        .await?;
    let row = town
        .wait_row("A does not settle", "h", town.wallet("a").account(), |row| {
            row.locked_by_partner.0 == frd(51)
        })
        .await?;
    assert_eq!(row.offdelta.0, 0);
    secret_on_chain(&town, &invoice.hash).await?;
    town.wait_has(town.hub("h").account(), 1_051).await?;
    town.wait_has(town.wallet("a").account(), 1 + 49).await?;
    let b = town.wallet("b").frd().await?;
    assert_eq!((b.own_uninsured.0, b.locked_by_partner.0), (frd(50), 0));
    paying.abort();
    town.close().await
}

/// S50: the hub takes from A and never pays B, which has told the secret: B reveals and disputes, and
/// gets its 50 whatever the hub says.
#[tokio::test(flavor = "multi_thread")]
async fn s50_recipient_should_be_paid_on_chain_when_the_hub_does_not_settle() -> Result<(), Failure>
{
    let options = HubOptions { faults: vec!["dont-settle".into()], ..keeps_one() };
    let plan = Plan::story().hub("h", 1_000, options).wallet("a", 101, "h").wallet("b", 10, "h");
    let town = plan.start().await?;
    town.insure("a", "h", 100).await?;
    let (invoice, paying) = pay_fifty(&town).await?;
    // The hub pulls at once.
    town.wallet("a")
        .wait_for_frd("A has paid", PATIENCE, |row| row.own_insured.0 == frd(49))
        .await?;
    let b = town.wallet("b").frd().await?;
    assert_eq!((b.own_uninsured.0, b.locked_by_partner.0), (0, frd(50)), "B is not paid");
    secret_on_chain(&town, &invoice.hash).await?;
    town.wait_has(town.wallet("b").account(), 60).await?;
    town.wait_has(town.hub("h").account(), 950).await?;
    let row = town.row("h", town.wallet("a").account()).await?;
    assert_eq!((row.own_insured.0, row.partner_insured.0), (frd(51), frd(49)));
    paying.abort();
    town.close().await
}

/// A hub that does not reveal its secrets to the chain nor to the payer has paid for nothing; nobody
/// else loses: A gets its lock back, B keeps its money.
#[tokio::test(flavor = "multi_thread")]
async fn s50_others_should_lose_nothing_when_the_hub_does_not_reveal() -> Result<(), Failure> {
    let options = HubOptions { faults: vec!["dont-reveal".into()], ..keeps_one() };
    let plan = Plan::story().hub("h", 1_000, options).wallet("a", 101, "h").wallet("b", 10, "h");
    let town = plan.start().await?;
    town.insure("a", "h", 100).await?;
    let (_, paying) = pay_fifty(&town).await?;
    town.wallet("b")
        .wait_for_frd("B is paid", PATIENCE, |row| row.own_uninsured.0 == frd(50))
        .await?;
    let a = town
        .wallet("a")
        .wait_for_frd("A has it back", PATIENCE, |row| {
            row.can_send.0 == frd(100) && row.locked.0 == 0
        })
        .await?;
    assert_eq!(a.own_insured.0, frd(100));
    paying.abort();
    town.close().await
}

/// A number of smallest units, as people write it.
fn units(amount: Balance) -> String {
    format!("{}.{:012}", amount / frd(1), amount % frd(1))
}

/// S51: 10 of 10,000, rounded up, on top (`protocol.md` §8: base + ⌈amount × ppm / 10^6⌉; the last two
/// rows of the scenario count otherwise).
#[tokio::test(flavor = "multi_thread")]
async fn s51_hubs_should_keep_a_thousandth_rounded_up() -> Result<(), Failure> {
    let options = |peers: &[&str]| HubOptions {
        fees: (0, 1_000),
        min_payment: Some("0".into()),
        credit: "1000".into(),
        peers: peers.iter().map(|peer| (*peer).to_string()).collect(),
        ..HubOptions::default()
    };
    let plan = Plan::story().hub("e", 10, options(&[])).hub("j", 10, options(&["@e"]));
    let plan = plan.wallet("a", 10, "e").wallet("b", 10, "e").wallet("w", 10, "j");
    let town = plan.start().await?;
    let to = town.wallet("b").at("e");
    let mut spent = 0;
    for (amount, total) in [
        (5, 6),
        (10, 11),
        (100, 101),
        (200, 201),
        (1_000, 1_001),
        (5_000, 5_005),
        (1_000_000, 1_001_000),
        (10_000_000, 10_010_000),
    ] {
        let paid = town.wallet("a").pay(&to, &units(amount)).await?;
        assert_eq!(paid.state, "delivered");
        assert_eq!(paid.amount.0 + paid.fee.0, total, "{amount}");
        spent += total;
        let row = town.wallet("a").frd().await?;
        assert_eq!(row.partner_uninsured.0, spent, "{amount}");
    }
    // Over two hubs; each takes its share of what it is paid for.
    let terms: Value = town.hub("j").ask(&["terms", "1000", "--partner", "@e"]).await?;
    assert_eq!(terms, Value::Null);
    for (amount, total) in [(100, 102), (1_000, 1_003)] {
        let text = units(amount);
        let invoice: InvoiceRow = town.wallet("w").ask(&["invoice", &text]).await?;
        let paid: PaymentRow = eventually("a route over both hubs", PATIENCE, || async {
            let args = ["pay", &invoice.invoice, "--max-fee", "1"];
            town.wallet("a").ask(&args).await.map(Some)
        })
        .await?;
        assert_eq!(paid.state, "delivered");
        assert_eq!(paid.amount.0 + paid.fee.0, total, "{amount} over two hubs");
        spent += total;
        let a = town.wallet("a");
        a.wait_for_frd("A has paid", PATIENCE, |row| row.partner_uninsured.0 == spent).await?;
    }
    town.close().await
}

/// S52: a credit line of 1,000, then of 400.
#[tokio::test(flavor = "multi_thread")]
async fn s52_h18_credit_line_should_bound_what_the_hub_owes_and_survive_being_lowered(
) -> Result<(), Failure> {
    let plan = Plan::story().hub("h", 10, HubOptions::default());
    let town = plan.placed("u", 0, "h", Place::Left).start().await?;
    let user = town.wallet("u");
    let account = user.account().to_string();
    let hub = town.hub("h");
    let row = user.frd().await?;
    assert_eq!((shape(&row), row.credit_given.0), ((0, 0, 0), frd(1_000)));
    let refused = hub.ask::<Value>(&["pay", &account, "1001"]).await;
    let refused = refused.err().ok_or_else(|| failure("1001 was taken"))?.to_string();
    assert!(refused.contains("can be sent now"), "{refused}");
    let paid: PaymentRow = hub.ask(&["pay", &account, "1000"]).await?;
    assert_eq!(paid.state, "delivered");

    let _: Value = user.ask(&["terms", "400"]).await?;
    let row = town
        .wait_row("the lower line", "h", user.account(), |row| row.credit_received.0 == frd(400))
        .await?;
    assert_eq!(row.can_send.0, 0, "not -600");
    let refused = hub.ask::<Value>(&["pay", &account, "1"]).await;
    assert!(refused.is_err(), "the hub can send nothing");
    assert_eq!(user.frd().await?.can_send.0, frd(1_000));
    assert_eq!(user.pay("@h", "1000").await?.state, "delivered");
    assert_eq!(user.frd().await?.own_uninsured.0, 0);
    town.close().await
}

/// S53: what is asked for a withdrawal is held until it is made: (100, 100, 0); 60 are asked for, 50
/// cannot be paid, 40 can; withdrawn: (40, 40, −40).
#[tokio::test(flavor = "multi_thread")]
async fn s53_withdrawal_should_hold_its_money_until_it_is_made() -> Result<(), Failure> {
    let plan = Plan::story().hub("h", 10, HubOptions::default());
    // One more keeps the account alive when it has deposited.
    let town = plan.placed("u", 101, "h", Place::Left).start().await?;
    town.insure("u", "h", 100).await?;
    let user = town.wallet("u");
    assert_eq!(shape(&user.frd().await?), (100, 100, 0));
    let client = user.client()?;
    let withdrawing = {
        let client = user.client()?;
        tokio::spawn(async move { client.withdraw("60".into(), None, None, None).await })
    };
    let held = eventually("the hold", PATIENCE, || async {
        let status = client.status().await?;
        let row = native(&status.channels[0])?;
        Ok((row.can_send.0 == frd(40)).then_some(row))
    })
    .await?;
    assert!(held.own_insured.0 == frd(100) || held.own_insured.0 == frd(40));
    let pay = |amount: &str| client.pay("@h".into(), amount.into(), None, None);
    let refused = pay("50").await.err().ok_or_else(|| failure("50 was taken"))?.to_string();
    assert!(refused.contains("can be sent now"), "{refused}");
    assert_eq!(pay("40").await?.state, "delivered");
    withdrawing.await??;
    let row =
        user.wait_for_frd("the withdrawal", PATIENCE, |row| row.insurance.0 == frd(40)).await?;
    assert_eq!(shape(&row), (40, 40, -40));
    assert_eq!((row.own_insured.0, row.partner_insured.0), (0, frd(40)));
    assert_eq!(town.chain.balance(user.account(), NATIVE_ASSET).await?, frd(61));
    town.close().await
}
