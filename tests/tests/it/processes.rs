//! Several processes of one hub at work at the same time, each with its share of the partners.

use super::{
    books::PATIENCE,
    standby::{in_database, more_arrive, pay_on, wait_serving},
};
use failsafe_hub::rpc::{
    api::{ChannelAssetRow, PaymentRow, ProcessRow},
    FailsafeRpcClient,
};
use failsafe_tests::{
    harness::{
        eventually, failure,
        postgres::Server,
        town::{Place, Plan, Town},
        Failure, Hub, HubOptions, Process, Wallet,
    },
    story::report::frd,
};
use std::{
    process::Command,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

/// A hub of two processes with two wallets each: `ann` and `abe` belong to the first, `bob` and `bea`
/// to the second one. Ann and Bob have 5 000 FRD each that are insured.
async fn town(first: HubOptions, second: HubOptions) -> Result<Town, Failure> {
    let plan = Plan::story().hub("one", 10_000, first).process("one-b", "one", second);
    let plan = plan
        .placed("ann", 10_000, "one", Place::Process(0, 2))
        .placed("abe", 0, "one", Place::Process(0, 2))
        .placed("bob", 10_000, "one", Place::Process(1, 2))
        .placed("bea", 0, "one", Place::Process(1, 2));
    let town = plan.start().await?;
    for (process, name) in [("one", "ann"), ("one-b", "bob")] {
        town.insure(name, process, 5_000).await?;
    }
    Ok(town)
}

async fn pay_invoice(payer: &Wallet, payee: &Wallet, amount: &str) -> Result<PaymentRow, Failure> {
    let asked = payee.client()?.invoice(Some(amount.into()), None, None, None).await?;
    Ok(payer.client()?.pay_invoice(asked.invoice, None, None, None).await?)
}

async fn has(town: &Town, wallet: &str, whole: u64) -> Result<(), Failure> {
    let sum = |row: &ChannelAssetRow| {
        row.own_insured.0.checked_add(row.own_uninsured.0) == Some(frd(whole))
    };
    town.wallet(wallet).wait_for_frd("the money is there", PATIENCE, sum).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_of_different_processes_should_pay_each_other() -> Result<(), Failure> {
    let town = town(
        HubOptions { fees: (1_000, 0), ..HubOptions::default() },
        HubOptions { fees: (1_000, 0), ..HubOptions::default() },
    )
    .await?;
    for (number, hub) in [(0, "one"), (1, "one-b")] {
        eventually("the processes are connected", PATIENCE, || async {
            let process = town.hub(hub).status().await?.process;
            Ok((process == Some(ProcessRow { number, count: 2, connected: 1 })).then_some(()))
        })
        .await?;
    }
    let partners = |hub: &'static str| {
        let town = &town;
        async move {
            let rows = town.hub(hub).status().await?.channels;
            let mut partners: Vec<_> = rows.into_iter().map(|row| row.partner).collect();
            partners.sort();
            Ok::<_, Failure>(partners)
        }
    };
    for (hub, names) in [("one", ["ann", "abe"]), ("one-b", ["bob", "bea"])] {
        let mut wanted = names.map(|name| town.wallet(name).account().to_string());
        wanted.sort();
        assert_eq!(partners(hub).await?, wanted, "each has its own partners");
    }

    let plain =
        [("ann", "bea", "5"), ("bob", "abe", "7"), ("bea", "ann", "2"), ("ann", "abe", "1")];
    for (payer, payee, amount) in plain {
        let paid = town.wallet(payer).pay(&town.wallet(payee).at("one"), amount).await?;
        assert_eq!(paid.state, "delivered", "{payer} pays {payee}: {paid:?}");
    }
    for (payer, payee, amount) in [("ann", "bob", "10"), ("bob", "abe", "20"), ("abe", "bea", "3")]
    {
        let paid = pay_invoice(town.wallet(payer), town.wallet(payee), amount).await?;
        assert_eq!(paid.state, "delivered", "{payer} pays an invoice of {payee}: {paid:?}");
    }
    // Besides fees of a billionth each.
    let almost = |row: &ChannelAssetRow, whole: u64| {
        let has = row.own_insured.0 + row.own_uninsured.0;
        has <= frd(whole) && has + 10_000 > frd(whole)
    };
    for (wallet, whole) in [("ann", 4_986), ("abe", 25), ("bob", 4_983), ("bea", 6)] {
        let row = |row: &_| almost(row, whole);
        town.wallet(wallet).wait_for_frd("the money is there", PATIENCE, row).await?;
    }
    town.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_should_come_back_when_the_payees_process_is_away() -> Result<(), Failure> {
    let mut town = town(HubOptions::default(), HubOptions::default()).await?;
    town.hub_mut("one-b").stop().await?;
    let to = town.wallet("bea").at("one");
    eventually("the process is known to be away", PATIENCE, || async {
        let process = town.hub("one").status().await?.process;
        Ok(process.is_some_and(|process| process.connected == 0).then_some(()))
    })
    .await?;
    let returned = town.wallet("ann").pay(&to, "5").await.expect_err("nobody has the payee");
    assert!(returned.to_string().contains("came back"), "{returned}");
    has(&town, "ann", 5_000).await?;
    // Those of the other process are not concerned.
    let paid = town.wallet("ann").pay(&town.wallet("abe").at("one"), "4").await?;
    assert_eq!(paid.state, "delivered");
    town.hub_mut("one-b").start().await?;
    eventually("the payee is reached again", PATIENCE, || async {
        // It comes back until the processes are connected again.
        let paid = town.wallet("ann").pay(&to, "5").await.ok();
        Ok(paid.filter(|paid| paid.state == "delivered"))
    })
    .await?;
    has(&town, "bea", 5).await?;
    town.close().await
}

/// Stops standing by: the process is the hub now.
async fn take_over(hub: &mut Hub, standby: Process) -> Result<(), Failure> {
    hub.kill()?;
    drop(hub.adopt(standby));
    wait_serving(hub).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_should_be_lost_when_processes_are_killed_under_payments_between_them(
) -> Result<(), Failure> {
    let Some(server) = Server::start()? else { return Ok(()) };
    let mut town = town(in_database(&server)?, in_database(&server)?).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let pays = |payer: &str, payee: &str| {
        let to = town.wallet(payee).at("one");
        Ok::<_, Failure>(pay_on(town.wallet(payer).client()?, to, stop.clone()))
    };
    let (over, back) = (pays("ann", "bea")?, pays("bob", "abe")?);
    more_arrive(town.wallet("bea"), 5).await?;
    more_arrive(town.wallet("abe"), 5).await?;
    for name in ["one-b", "one"] {
        let standby = town.hub(name).start_standby(&format!("{name}-standby")).await?;
        take_over(town.hub_mut(name), standby).await?;
        more_arrive(town.wallet("bea"), 5).await?;
        more_arrive(town.wallet("abe"), 5).await?;
    }
    stop.store(true, Ordering::SeqCst);
    for (paid, payer, payee) in [(over.await??, "ann", "bea"), (back.await??, "bob", "abe")] {
        has(&town, payee, paid.into()).await?;
        has(&town, payer, 5_000 - u64::from(paid)).await?;
    }
    town.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn process_should_not_start_when_the_store_is_another_ones() -> Result<(), Failure> {
    let mut town = town(HubOptions::default(), HubOptions::default()).await?;
    let node = town.chain.url().to_string();
    let second = town.hub_mut("one-b");
    second.stop().await?;
    // As the first process, and as a hub with only one.
    let text = std::fs::read_to_string(second.config())?;
    let alone: String = text
        .lines()
        .filter(|line| !is_of_processes(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let plans = [text.replace("number = 1", "number = 0"), alone];
    for plan in plans {
        assert!(plan.contains(&node) && plan != text);
        std::fs::write(second.config(), &plan)?;
        let refused = refusal(second.command()?, PATIENCE).await?;
        assert!(
            refused.contains("process 1 of 2") && refused.contains("docs/processes.md"),
            "{refused}"
        );
    }
    std::fs::write(second.config(), &text)?;
    second.start().await?;
    town.close().await
}

fn is_of_processes(line: &str) -> bool {
    ["[processes]", "number =", "public =", "private ="].iter().any(|start| line.starts_with(start))
}

/// What a process says that ends by itself.
async fn refusal(command: Command, patience: Duration) -> Result<String, Failure> {
    let output = tokio::process::Command::from(command).kill_on_drop(true).output();
    let output = tokio::time::timeout(patience, output).await??;
    if output.status.success() {
        return Err(failure("it was not refused"));
    }
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}
