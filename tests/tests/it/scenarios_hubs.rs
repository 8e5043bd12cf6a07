//! Scenarios of hubs (section F) and S40f, as processes.

use failsafe_hub::rpc::{
    api::{InvoiceRow, PaymentRow, RebalanceView},
    FailsafeRpcClient,
};
use failsafe_primitives::Balance;
use failsafe_tests::{
    harness::{
        events::names_of_events,
        eventually, failure,
        town::{shape, PATIENCE},
        Failure, HubOptions, Place, Plan, Town,
    },
    story::report::frd,
};
use serde_json::Value;

/// Keeps 1 of every payment: 10 of 10,000 of the small amounts of the scenario, rounded up.
fn keeps_one(peers: &[&str]) -> HubOptions {
    HubOptions {
        fees: (u64::try_from(frd(1)).expect("small"), 0),
        peers: peers.iter().map(|peer| (*peer).to_string()).collect(),
        ..HubOptions::default()
    }
}

async fn invoice(town: &Town, wallet: &str, amount: &str) -> Result<InvoiceRow, Failure> {
    town.wallet(wallet).ask(&["invoice", amount]).await
}

/// Pays an invoice as soon as there is a route.
async fn pay(town: &Town, wallet: &str, invoice: &InvoiceRow) -> Result<PaymentRow, Failure> {
    let paid: PaymentRow = eventually("the payment", PATIENCE, || async {
        let args = ["pay", &invoice.invoice, "--max-fee", "2"];
        town.wallet(wallet).ask(&args).await.map(Some)
    })
    .await?;
    assert_eq!(paid.state, "delivered");
    Ok(paid)
}

/// The hub pays a user.
async fn grant(town: &Town, hub: &str, wallet: &str, amount: &str) -> Result<(), Failure> {
    let account = town.wallet(wallet).account().to_string();
    let paid: PaymentRow = town.hub(hub).ask(&["pay", &account, amount]).await?;
    assert_eq!(paid.state, "delivered");
    Ok(())
}

/// The wallet's terms to its hub, and that the hub knows them.
async fn terms(
    town: &Town,
    hub: &str,
    wallet: &str,
    credit: u64,
    above: &str,
) -> Result<(), Failure> {
    let user = town.wallet(wallet);
    let _: Value = user.ask(&["terms", &credit.to_string(), "--insure-above", above]).await?;
    town.wait_row("the terms", hub, user.account(), |row| row.credit_received.0 == frd(credit))
        .await?;
    Ok(())
}

/// S40f: the first transaction brings the validator 2, the account of 123 costs 5, which 123 pays to the
/// hub: 995 insured, 3,995 after the splice, and 10,000 + 5,998 + 4,000 + 2 at the end.
#[tokio::test(flavor = "multi_thread")]
async fn s40f_m12_story_should_end_with_its_numbers_when_accounts_and_first_calls_cost(
) -> Result<(), Failure> {
    let five = u64::try_from(frd(5))?;
    let plan = Plan::story().parameter("accountTopUp", five);
    let plan = plan.hub("one", 10_000, HubOptions::default()).stranger("v", 1);
    let plan = plan.placed("u2", 10_000, "one", Place::Left);
    let town = plan.placed("u123", 0, "one", Place::Right).start().await?;
    let (u1, u2, u123) =
        (town.hub("one").account(), town.wallet("u2").account(), town.wallet("u123").account());
    // The story's chain has no prices: the seed's 2 are sent.
    let validator = town.wallet("v").account().to_string();
    town.wallet("u2").on_chain(&["transfer", &validator, "2"]).await?;
    town.insure("u2", "one", 5_000).await?;
    assert_eq!(town.has(u2).await?, frd(4_998));
    let paid = town.wallet("u2").pay(&town.wallet("u123").at("one"), "1000").await?;
    assert_eq!(paid.state, "delivered");
    let row = town.wallet("u123").frd().await?;
    assert_eq!((shape(&row), row.own_uninsured.0), ((0, 0, -1_000), frd(1_000)));
    // 123 pays for its account [M12].
    assert_eq!(town.wallet("u123").pay("@one", "5").await?.state, "delivered");

    town.hub("one").rebalance().await?;
    let row = town
        .wallet("u123")
        .wait_for_frd("123 is insured", PATIENCE, |row| row.own_insured.0 == frd(995))
        .await?;
    assert_eq!((row.own_uninsured.0, row.insurance.0), (0, frd(995)));
    assert_eq!(row.partner_insured.0, 0);
    town.wait_has(u1, 10_000).await?;
    assert_eq!(town.has(u123).await?, frd(5));
    assert_eq!(town.has(u2).await?, frd(4_998));
    assert_eq!(shape(&town.wallet("u2").frd().await?), (4_000, 5_000, -1_000));

    let to = town.wallet("u123").at("one");
    town.wallet("u2").on_chain(&["withdraw", "3000", "--deposit-to", &to]).await?;
    let row = town
        .wallet("u123")
        .wait_for_frd("now 123 owns 3995, all insured", PATIENCE, |row| {
            row.own_insured.0 == frd(3_995)
        })
        .await?;
    assert_eq!((row.own_uninsured.0, row.insurance.0), (0, frd(3_995)));
    let row = town
        .wallet("u2")
        .wait_for_frd("2 owns 1000", PATIENCE, |row| row.insurance.0 == frd(1_000))
        .await?;
    assert_eq!(shape(&row), (1_000, 2_000, -1_000));
    for wallet in ["u2", "u123"] {
        town.wallet(wallet).on_chain(&["close"]).await?;
    }
    town.wait_has(u1, 10_000).await?;
    town.wait_has(u2, 5_998).await?;
    town.wait_has(u123, 4_000).await?;
    town.wait_has(town.wallet("v").account(), 3).await?;
    town.close().await
}

/// S58: the simulation of the seed, steps 1 to 5, with hubs E and J that keep 1 each.
#[tokio::test(flavor = "multi_thread")]
async fn s58_simulation_should_have_its_numbers_over_two_hubs() -> Result<(), Failure> {
    let plan = Plan::story().hub("e", 1_000, keeps_one(&[])).hub("j", 10, keeps_one(&["@e"]));
    // 10 keep the account that will dispute.
    let plan = plan.wallet("a", 10, "e").wallet("b", 10, "e").wallet("w", 10, "j");
    let town = plan.start().await?;
    let (e, a) = (town.hub("e").account(), town.wallet("a").account());
    for (hub, wallet) in [("e", "a"), ("e", "b"), ("j", "w")] {
        terms(&town, hub, wallet, 10_000, "never").await?;
    }
    // 1: from the hub's faucet.
    grant(&town, "e", "a", "600").await?;
    assert_eq!(town.wallet("a").frd().await?.own_uninsured.0, frd(600));
    // 2: above its soft limit of 500.
    let _: Value = town.wallet("a").ask(&["terms", "10000", "--insure-above", "500"]).await?;
    town.wait_row("the soft limit", "e", a, |row| {
        row.partner_insure_above.is_some_and(|above| above.0 == frd(500))
    })
    .await?;
    town.hub("e").rebalance().await?;
    town.wallet("a")
        .wait_for_frd("A is insured", PATIENCE, |row| row.own_insured.0 == frd(600))
        .await?;
    town.wait_has(e, 400).await?;

    // 3: A pays 201, B gets 200.
    let paid = pay(&town, "a", &invoice(&town, "b", "200").await?).await?;
    assert_eq!((paid.amount.0, paid.fee.0), (frd(200), frd(1)));
    let insured = |whole: u64| {
        move |row: &failsafe_hub::rpc::api::ChannelAssetRow| {
            row.own_insured.0 == frd(whole) && row.locked.0 == 0
        }
    };
    let row = town.wallet("a").wait_for_frd("A has 399", PATIENCE, insured(399)).await?;
    assert_eq!(row.partner_insured.0, frd(201));
    town.wallet("b")
        .wait_for_frd("B has 200", PATIENCE, |row| row.own_uninsured.0 == frd(200))
        .await?;

    // 4: J lets E owe 50: not enough, and nothing is left of it.
    let allow = |credit: &'static str| {
        let town = &town;
        async move {
            let _: Value = town.hub("j").ask(&["terms", credit, "--partner", "@e"]).await?;
            let whole: u64 = credit.parse()?;
            let j = town.hub("j").account();
            town.wait_row("J's terms", "e", j, |row| row.credit_received.0 == frd(whole)).await
        }
    };
    allow("50").await?;
    let w100 = invoice(&town, "w", "100").await?;
    let args = ["pay", &w100.invoice, "--max-fee", "2"];
    // Until E has told how little it may owe J, there is no edge at all.
    eventually("the line of 50 does not carry it", PATIENCE, || async {
        match town.wallet("a").ask::<PaymentRow>(&args).await {
            Ok(paid) => Ok(Some(Err(failure(format!("102 went over a line of 50: {paid:?}"))))),
            Err(problem) => {
                // Whether A knows it, or has to be told by E.
                let why = ["no route carries this much", "Capacity"];
                let text = problem.to_string();
                if why.iter().any(|why| text.contains(why)) {
                    Ok(Some(Ok(())))
                } else {
                    Err(problem)
                }
            },
        }
    })
    .await??;
    let row = town.wallet("a").wait_for_frd("A keeps 399", PATIENCE, insured(399)).await?;
    assert_eq!((row.can_send.0, row.partner_insured.0), (frd(399), frd(201)), "no residue");
    assert_eq!(town.row("e", town.hub("j").account()).await?.locked.0, 0);

    // 101 and more; hubs tell of a little less than they have.
    allow("200").await?;
    let w100 = invoice(&town, "w", "100").await?;
    let paid = pay(&town, "a", &w100).await?;
    assert_eq!((paid.amount.0, paid.fee.0), (frd(100), frd(2)));
    let row = town.wallet("a").wait_for_frd("A has 297", PATIENCE, insured(297)).await?;
    assert_eq!(row.partner_insured.0, frd(303));
    let j = town.hub("j").account();
    let row =
        town.wait_row("J has 101 at E", "e", j, |row| row.partner_uninsured.0 == frd(101)).await?;
    assert_eq!(row.locked.0, 0);
    town.wallet("w")
        .wait_for_frd("W has 100", PATIENCE, |row| row.own_uninsured.0 == frd(100))
        .await?;

    // 5: A takes E to the chain.
    town.agreed().await?;
    town.wallet("a").on_chain(&["dispute"]).await?;
    town.wait_has(a, 10 + 297).await?;
    town.wait_has(e, 703).await?;
    town.close().await
}

/// S60: what an explorer shows of the story.
#[tokio::test(flavor = "multi_thread")]
async fn s60_chain_should_tell_the_story_by_its_events() -> Result<(), Failure> {
    let plan =
        Plan::story().hub("one", 1, HubOptions { reserve: "1".into(), ..Default::default() });
    let plan = plan.wallet("u2", 5_001, "one").wallet("u123", 10, "one");
    let town = plan.wallet("u3", 10, "one").stranger("friend", 100).start().await?;
    town.insure("u2", "one", 5_000).await?;
    let to = town.wallet("u123").at("one");
    assert_eq!(town.wallet("u2").pay(&to, "1000").await?.state, "delivered");
    town.hub("one").rebalance().await?;
    town.wallet("u123")
        .wait_for_frd("123 is insured", PATIENCE, |row| row.own_insured.0 == frd(1_000))
        .await?;
    // The bad hub: it owes 100 to a third user, and has 1.
    grant(&town, "one", "u3", "100").await?;
    town.wallet("u3").on_chain(&["dispute"]).await?;
    town.wait_has(town.wallet("u3").account(), 11).await?;
    let hub = town.hub("one").account().to_string();
    town.wallet("friend").on_chain(&["transfer", &hub, "50"]).await?;
    town.wait_has(town.wallet("u3").account(), 61).await?;
    let seen = names_of_events(town.chain.url(), 0..=town.chain.finalized().await?).await?;
    let mut told: Vec<&str> = seen
        .iter()
        .map(String::as_str)
        .filter(|name| name.starts_with("Insurance.") || name.starts_with("Debt."))
        .collect();
    told.dedup();
    let expected = [
        "Insurance.Deposit",
        "Insurance.Withdraw",
        "Insurance.Deposit",
        "Insurance.DisputeStarted",
        "Debt.DebtEnforced",
        "Debt.DebtCreated",
        "Insurance.DisputeResolved",
        "Debt.DebtEnforced",
    ];
    // What a resolve tells may come in any order within its block.
    for name in expected {
        assert!(told.contains(&name) || name == "Debt.DebtEnforced", "{name}: {told:?}");
    }
    assert_eq!(told.last(), Some(&"Debt.DebtEnforced"), "{told:?}");
    let place = |name: &str| told.iter().position(|told| *told == name);
    assert!(place("Insurance.Deposit") < place("Insurance.Withdraw"), "{told:?}");
    assert!(place("Insurance.Withdraw") < place("Insurance.DisputeStarted"), "{told:?}");
    assert!(place("Insurance.DisputeStarted") < place("Insurance.DisputeResolved"), "{told:?}");
    // The debt of 39 stays; nobody else is touched by it.
    town.check_money().await?;
    town.stop().await
}

/// The situation of S61: the hub owns 800, 800, 56 and 2, and owes 1,000, 400 and 150. It has 1 on chain
/// that keeps its account.
async fn spenders_and_receivers(options: HubOptions) -> Result<Town, Failure> {
    let options = HubOptions { reserve: "1".into(), min_risk: "500".into(), ..options };
    let plan = Plan::story().hub("h", 1, options);
    let plan = plan.wallet("alice", 1_001, "h").wallet("bob", 1_001, "h");
    let plan = plan.wallet("carol", 101, "h").wallet("ingrid", 11, "h");
    let town = plan.wallet("r1", 0, "h").wallet("r2", 0, "h").wallet("r3", 0, "h").start().await?;
    for (wallet, insured, spent) in
        [("alice", 1_000, "800"), ("bob", 1_000, "800"), ("carol", 100, "56"), ("ingrid", 10, "2")]
    {
        town.insure(wallet, "h", insured).await?;
        assert_eq!(town.wallet(wallet).pay("@h", spent).await?.state, "delivered");
    }
    for (wallet, owed) in [("r1", "1000"), ("r2", "400"), ("r3", "150")] {
        terms(&town, "h", wallet, 1_500, "100").await?;
        grant(&town, "h", wallet, owed).await?;
    }
    Ok(town)
}

/// What a wallet has insured and uninsured, in whole FRD.
async fn shares(town: &Town, wallet: &str) -> Result<(Balance, Balance), Failure> {
    let row = town.wallet(wallet).frd().await?;
    Ok((row.own_insured.0 / frd(1), row.own_uninsured.0 / frd(1)))
}

/// S61: withdraw 800 + 800, deposit 1,000, 400, 150; the hub keeps 50; Carol and Ingrid are left alone.
/// The hub could not pay one of the deposits before the withdrawals.
#[tokio::test(flavor = "multi_thread")]
async fn s61_hub_should_insure_three_out_of_two_and_leave_the_small_ones_alone(
) -> Result<(), Failure> {
    let town = spenders_and_receivers(HubOptions::default()).await?;
    town.hub("h").rebalance().await?;
    town.wait_has(town.hub("h").account(), 51).await?;
    for (wallet, owed) in [("r1", 1_000), ("r2", 400), ("r3", 150)] {
        let user = town.wallet(wallet);
        user.wait_for_frd("insured", PATIENCE, |row| row.own_insured.0 == frd(owed)).await?;
        assert_eq!(shares(&town, wallet).await?, (owed.into(), 0));
    }
    for wallet in ["alice", "bob"] {
        let user = town.wallet(wallet);
        let row = user.wait_for_frd("used", PATIENCE, |row| row.insurance.0 == frd(200)).await?;
        assert_eq!((row.own_insured.0, row.partner_insured.0), (frd(200), 0));
        let left = user.channel().await?.side == "left";
        assert_eq!(shape(&row), if left { (200, 1_000, -800) } else { (200, -800, 800) });
    }
    assert_eq!(town.wallet("carol").frd().await?.partner_insured.0, frd(56));
    assert_eq!(town.wallet("ingrid").frd().await?.partner_insured.0, frd(2));
    town.close().await
}

/// S62: one of the two proofs is bad. All or nothing: nothing.
#[tokio::test(flavor = "multi_thread")]
async fn s62_batch_should_change_nothing_when_a_proof_is_bad_and_it_is_atomic(
) -> Result<(), Failure> {
    let faults = vec!["spoil-proof".into()];
    let town = spenders_and_receivers(HubOptions { faults, ..HubOptions::default() }).await?;
    let refused = town.hub("h").rebalance().await;
    let refused = refused.err().ok_or_else(|| failure("the bad proof was taken"))?.to_string();
    assert!(refused.contains("Insurance.BadProof"), "{refused}");
    assert_eq!(town.has(town.hub("h").account()).await?, frd(1));
    let client = town.chain.client();
    let head = client.finalized_head().await?;
    for wallet in ["alice", "bob"] {
        let account = town.wallet(wallet).account();
        let pair = [town.hub("h").account().clone()];
        let views = client.pairs(account, &pair, head).await?;
        let view = &views.first().ok_or_else(|| failure("no pair"))?.channel;
        assert_eq!(view.withdrawal_nonces, [0, 0], "{wallet}");
        assert_eq!(town.wallet(wallet).frd().await?.insurance.0, frd(1_000));
    }
    assert_eq!(shares(&town, "r1").await?, (0, 1_000));
    town.close().await
}

/// S62: the same, but what fails is skipped: 800 come in, 400 and 150 are deposited, 250 are left; the
/// bad proof is not tried again for a while.
#[tokio::test(flavor = "multi_thread")]
async fn s62_batch_should_do_the_rest_when_a_proof_is_bad_and_it_skips() -> Result<(), Failure> {
    let faults = vec!["spoil-proof".into()];
    let options = HubOptions { faults, skip_failed: true, ..HubOptions::default() };
    let town = spenders_and_receivers(options).await?;
    town.hub("h").rebalance().await?;
    town.wait_has(town.hub("h").account(), 251).await?;
    let mut insured = vec![];
    for wallet in ["alice", "bob"] {
        insured.push(town.wallet(wallet).frd().await?.insurance.0 / frd(1));
    }
    insured.sort_unstable();
    assert_eq!(insured, [200, 1_000], "one proof was good");
    for (wallet, expected) in [("r1", (0, 1_000)), ("r2", (400, 0)), ("r3", (150, 0))] {
        assert_eq!(shares(&town, wallet).await?, expected, "{wallet}");
    }
    let plan: RebalanceView = town.hub("h").client()?.rebalance(true).await?;
    assert!(plan.withdrawals.is_empty(), "the bad proof is left out: {plan:?}");
    town.close().await
}

/// S64: Alice, who has spent 800 of her 1,000, gives no proof, for longer than the hub waits: it takes
/// its 800 on chain, she gets her 200.
#[tokio::test(flavor = "multi_thread")]
async fn s64_h35_hub_should_dispute_when_a_spender_gives_no_proof() -> Result<(), Failure> {
    let options = HubOptions {
        every_seconds: 2,
        proof_timeout_seconds: 2,
        absent_grace_seconds: 4,
        reserve: "1".into(),
        ..HubOptions::default()
    };
    let plan = Plan::story().hub("h", 1, options);
    let plan = plan.faulty("alice", 1_001, "h", &["dont-withdraw"]).wallet("r", 0, "h");
    let town = plan.start().await?;
    town.insure("alice", "h", 1_000).await?;
    assert_eq!(town.wallet("alice").pay("@h", "800").await?.state, "delivered");
    grant(&town, "h", "r", "700").await?;
    town.wait_has(town.wallet("alice").account(), 201).await?;
    // What the hub has got insures the receiver.
    town.wallet("r")
        .wait_for_frd("the receiver is insured", PATIENCE, |row| row.own_insured.0 == frd(700))
        .await?;
    town.wait_has(town.hub("h").account(), 101).await?;
    town.close().await
}

/// S65: insurance that is paid for beforehand: 5 for 1,000 leave 995 insured; 5 for nothing come back.
#[tokio::test(flavor = "multi_thread")]
async fn s65_fee_should_be_earned_by_insurance_or_come_back() -> Result<(), Failure> {
    let options = HubOptions { insurance_fee: Some("5".into()), ..HubOptions::default() };
    let town = Plan::story().hub("h", 2_000, options).wallet("u", 0, "h").start().await?;
    let user = town.wallet("u");
    // It does not ask for insurance by its terms.
    terms(&town, "h", "u", 3_000, "never").await?;
    grant(&town, "h", "u", "1000").await?;
    let request = |args: &'static [&'static str]| async move {
        let args = [&["insure"], args].concat();
        let id: Option<String> = user.ask(&args).await?;
        id.ok_or_else(|| failure("the request has no name"))
    };
    let state = |id: String, wanted: &'static str| async move {
        let what = format!("the request is {wanted}");
        eventually(&what, PATIENCE, || async {
            let row: PaymentRow = user.ask(&["payment", &id]).await?;
            Ok((row.state == wanted).then_some(()))
        })
        .await
    };

    // Too little, and in vain: both come back in full.
    let cheap = request(&["--fee", "4"]).await?;
    state(cheap, "returned").await?;
    let vain = request(&["--fee", "5", "--within", "2"]).await?;
    state(vain, "returned").await?;
    user.wait_for_frd("5 are back", PATIENCE, |row| row.own_uninsured.0 == frd(1_000)).await?;

    let paid = request(&["--fee", "5"]).await?;
    user.wait_for_frd("it is paid", PATIENCE, |row| row.own_uninsured.0 == frd(995)).await?;
    town.wait_row("the hub has it", "h", user.account(), |row| row.partner_uninsured.0 == frd(995))
        .await?;
    town.hub("h").rebalance().await?;
    let row =
        user.wait_for_frd("995 are insured", PATIENCE, |row| row.own_insured.0 == frd(995)).await?;
    assert_eq!(row.own_uninsured.0, 0);
    state(paid, "delivered").await?;
    town.wait_has(town.hub("h").account(), 2_000 - 995).await?;
    town.close().await
}

/// S66: the hub owes 100, 400 and 1,000 without insurance: 1,500 in all; 100 when the larger ones are
/// insured.
#[tokio::test(flavor = "multi_thread")]
async fn s66_total_risk_should_be_what_is_owed_without_insurance() -> Result<(), Failure> {
    let plan = Plan::story().hub("h", 2_000, HubOptions::default());
    let town = plan.wallet("u1", 0, "h").wallet("u2", 0, "h").wallet("u3", 0, "h").start().await?;
    let risk = || async {
        let risk = town.hub("h").status().await?.total_risk;
        Ok::<_, Failure>(risk.first().map_or(0, |row| row.amount.0 / frd(1)))
    };
    assert_eq!(risk().await?, 0);
    for (wallet, owed) in [("u1", "100"), ("u2", "400"), ("u3", "1000")] {
        terms(&town, "h", wallet, 1_500, "200").await?;
        grant(&town, "h", wallet, owed).await?;
    }
    assert_eq!(risk().await?, 1_500);
    town.hub("h").rebalance().await?;
    town.wait_has(town.hub("h").account(), 600).await?;
    assert_eq!(risk().await?, 100);
    town.close().await
}
