//! `make demo`: the story, with the numbers of S40 and S41, and nothing left running.

use failsafe_tests::{
    harness::{failure, program, Failure},
    story::{report::frd, Report},
};
use std::{collections::BTreeMap, fs, process::Command};

/// Name of the variable by which processes of the demo are known.
const MARK: &str = "FAILSAFE_TEST_MARK";

#[tokio::test(flavor = "multi_thread")]
async fn s40_s41_demo_should_report_the_numbers_and_leave_no_process() -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("report.json");
    let mark = format!("demo-{}-{}", std::process::id(), rand::random::<u64>());
    let output = tokio::process::Command::new(program("failsafe-demo")?)
        .arg("--report")
        .arg(&path)
        .env(MARK, &mark)
        .output()
        .await?;
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(marked(&mark)?, Vec::<String>::new(), "processes are left");

    let report: Report = serde_json::from_slice(&fs::read(path)?)?;
    assert_eq!(u128::from(report.unit), frd(1));
    let run = |name: &str| report.runs.get(name).ok_or_else(|| failure("no such run"));

    let good = run("good_hub")?;
    let step = |name: &str| good.iter().find(|step| step.name == name).expect("a step");
    let row = |name: &str, channel: &str| {
        let amounts = step(name).frd(channel).expect("a channel");
        let number = |text: &str| text.parse::<i128>().expect("a number");
        [&amounts.insurance, &amounts.ondelta, &amounts.offdelta].map(|text| number(text))
    };
    let whole = |amount: i128| amount * i128::try_from(frd(1)).expect("small");
    let on_chain = |name: &str| {
        let step = step(name);
        ["hub1", "user2", "user123"].map(|who| step.on_chain(who).expect("an account"))
    };
    assert_eq!(on_chain("genesis"), [10_000, 10_000, 0].map(frd));
    assert_eq!(on_chain("deposit"), [10_000, 5_000, 0].map(frd));
    assert_eq!(row("deposit", "user2/hub1"), [5_000, 5_000, 0].map(whole));
    assert_eq!(row("pay_hub", "user2/hub1"), [5_000, 5_000, -10].map(whole));
    assert_eq!(row("pay_user123", "user2/hub1"), [5_000, 5_000, -1_000].map(whole));
    assert_eq!(row("pay_user123", "user123/hub1"), [0, 0, -1_000].map(whole));
    assert_eq!(row("rebalance", "user2/hub1"), [4_000, 5_000, -1_000].map(whole));
    assert_eq!(row("rebalance", "user123/hub1"), [1_000, 1_000, -1_000].map(whole));
    assert_eq!(row("splice", "user2/hub1"), [1_000, 2_000, -1_000].map(whole));
    assert_eq!(row("splice", "user123/hub1"), [4_000, 1_000, -1_000].map(whole));
    assert_eq!(on_chain("close"), [10_000, 6_000, 4_000].map(frd));
    assert!(good.iter().all(|step| step.debts.is_empty()), "a good hub owes nothing on chain");

    let bad = run("bad_hub")?;
    let debts: BTreeMap<_, _> = bad
        .iter()
        .flat_map(|step| step.debts.iter().map(|debt| (step.name.clone(), debt.left.clone())))
        .collect();
    assert_eq!(debts["debt"], frd(1_000).to_string());
    assert_eq!(debts["income"], frd(300).to_string());
    let end = bad.last().expect("a last step");
    assert_eq!(end.on_chain("user123"), Some(frd(710)));
    assert_eq!(end.on_chain("hub1"), Some(0));
    Ok(())
}

/// Running processes whose environment has the mark.
fn marked(mark: &str) -> Result<Vec<String>, Failure> {
    let wanted = format!("{MARK}={mark}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        // Processes come and go, and others' environments cannot be read.
        let Ok(environment) = fs::read(path.join("environ")) else { continue };
        if environment.split(|byte| *byte == 0).any(|pair| pair == wanted.as_bytes()) {
            found.push(fs::read_to_string(path.join("cmdline")).unwrap_or_default());
        }
    }
    Ok(found)
}

#[test]
fn demo_should_say_what_is_wrong_when_asked_for_an_unknown_run() -> Result<(), Failure> {
    let output = Command::new(program("failsafe-demo")?).args(["--run", "ugly_hub"]).output()?;
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no run \"ugly_hub\""));
    Ok(())
}
