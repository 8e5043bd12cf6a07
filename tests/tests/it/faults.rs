//! The switch for faults is in `failsafe-faulty` alone; and faults that no scenario is about.

use failsafe_hub::rpc::FailsafeRpcClient;
use failsafe_tests::{
    fault::NAMES,
    harness::{
        events::names_of_events, eventually, program, town::PATIENCE, Failure, HubOptions, Plan,
        Process, Wallet,
    },
    story::report::frd,
};
use std::process::Command;

const RELEASED: [&str; 2] = ["failsafe-hub", "failsafe"];

#[test]
fn released_programs_should_not_have_the_switch_for_faults() -> Result<(), Failure> {
    for name in RELEASED {
        for args in [&["--help"][..], &["run", "--help"], &["daemon", "--help"]] {
            let help = Command::new(program(name)?).args(args).output()?;
            let text = String::from_utf8_lossy(&help.stdout).into_owned();
            assert!(!text.contains("--fault"), "{name} {args:?}: {text}");
        }
        let refused = Command::new(program(name)?).args(["--fault", "dont-ack"]).output()?;
        assert!(!refused.status.success());
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(error.contains("unexpected argument"), "{name}: {error}");
    }
    Ok(())
}

#[test]
fn released_programs_should_not_contain_the_names_of_faults() -> Result<(), Failure> {
    let names: Vec<&str> = NAMES.split(", ").map(|name| name.split('=').next().unwrap()).collect();
    let read = |name: &str| -> Result<String, Failure> {
        // Bytes that are no text become something else, names of faults stay.
        Ok(String::from_utf8_lossy(&std::fs::read(program(name)?)?).into_owned())
    };
    let faulty = read("failsafe-faulty")?;
    let released = RELEASED.map(read);
    // Shorter names are words of other things.
    for name in names.iter().filter(|name| name.contains('-')) {
        assert!(faulty.contains(name), "{name}: the search finds what is there");
        for (text, released) in released.iter().zip(RELEASED) {
            let text = text.as_ref().map_err(|problem| problem.to_string())?;
            assert!(!text.contains(name), "{released} contains {name}");
        }
    }
    Ok(())
}

#[test]
fn faulty_program_should_say_what_it_takes_when_the_fault_is_unknown() -> Result<(), Failure> {
    let args = ["hub", "run", "--fault", "dont-worry"];
    let refused = Command::new(program("failsafe-faulty")?).args(args).output()?;
    assert!(!refused.status.success());
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(error.contains("dont-settle") && error.contains("drop=N%"), "{error}");
    Ok(())
}

/// 100 insured, 10 paid, then 30: the dispute shows 10 only, which would leave A 90. The hub answers,
/// and A gets 60.
#[tokio::test(flavor = "multi_thread")]
async fn s19_hub_should_counter_when_the_wallet_disputes_with_its_oldest_state(
) -> Result<(), Failure> {
    let plan = Plan::story().hub("h", 1_000, HubOptions::default());
    let plan = plan.faulty("a", 101, "h", &["oldest-state"]).wallet("b", 10, "h");
    let town = plan.start().await?;
    town.insure("a", "h", 100).await?;
    let to = town.wallet("b").at("h");
    for amount in ["10", "30"] {
        assert_eq!(town.wallet("a").pay(&to, amount).await?.state, "delivered");
    }
    town.wallet("a").on_chain(&["dispute"]).await?;
    town.wait_has(town.wallet("a").account(), 1 + 60).await?;
    town.wait_has(town.hub("h").account(), 1_040).await?;
    let told = names_of_events(town.chain.url(), 0..=town.chain.finalized().await?).await?;
    let replaced = told.iter().filter(|name| *name == "Insurance.SimplexReplaced").count();
    assert_eq!(replaced, 1, "the newest state would have needed no answer: {told:?}");
    assert_eq!(town.wallet("b").frd().await?.own_uninsured.0, frd(40));
    town.close().await
}

/// Pays under a name, and asks again for what was not answered: a name is paid once.
async fn pay(from: &Wallet, to: &Wallet, number: u64, amount: &str) -> Result<(), Failure> {
    let (client, to, name) = (from.client()?, to.at("h"), format!("{number:032x}"));
    eventually("the payment arrives", PATIENCE, || async {
        let paid = client.pay(to.clone(), amount.into(), None, Some(name.clone())).await;
        Ok(paid.ok().filter(|row| row.state == "delivered").map(drop))
    })
    .await
}

/// What arrives out of order ends the session, and comes again with the next one: everything is paid
/// once.
#[tokio::test(flavor = "multi_thread")]
async fn payments_should_arrive_once_when_the_hubs_messages_leave_in_another_order(
) -> Result<(), Failure> {
    const HANDS: u64 = 6;
    const PAYMENTS: u64 = 6 * HANDS;
    let options = HubOptions { faults: vec!["reorder=30%".into()], ..HubOptions::default() };
    let plan = Plan::story().hub("h", 1_000, options).wallet("a", 101, "h").wallet("b", 10, "h");
    let town = plan.start().await?;
    town.insure("a", "h", 100).await?;
    let (a, b) = (town.wallet("a"), town.wallet("b"));
    // Each hand there and back again, all at the same time: the hub has much to say to both.
    let hands = (0..HANDS).map(|hand| async move {
        for number in (hand..PAYMENTS).step_by(6) {
            pay(a, b, number, "2").await?;
            pay(b, a, PAYMENTS + number, "1").await?;
        }
        Ok::<_, Failure>(())
    });
    futures::future::try_join_all(hands).await?;
    town.wallet("b")
        .wait_for_frd("B has kept a half", PATIENCE, |row| row.own_uninsured.0 == frd(PAYMENTS))
        .await?;
    let heard = ["a", "b"].map(|name| town.wallet(name).process().map(Process::output));
    let heard = heard.into_iter().collect::<Result<String, Failure>>()?;
    assert!(heard.contains("out of step with the partner"), "nothing came out of order");
    town.close().await
}
