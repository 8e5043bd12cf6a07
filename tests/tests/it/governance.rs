//! Governing a chain from the command line: from a proposal to what it changes, in the chain and in
//! a running hub (S68).

use failsafe_hub::rpc::{
    api::{HubRow, OnChainView},
    governance_api::{DryRunView, GovernanceView, ProposalRow, ProposedView},
    GovernanceRpcClient,
};
use failsafe_tests::harness::{
    eventually, town::PATIENCE, Chain, ChainOptions, Failure, Hub, HubOptions, Wallet, Workspace,
};
use serde_json::json;

/// A development chain, on which Alice has all the shares, and a wallet with her key.
async fn with_alice() -> Result<(Workspace, Chain, Wallet), Failure> {
    let workspace = Workspace::new()?;
    let chain = Chain::start(&ChainOptions::dev(), workspace.path()).await?;
    let alice = Wallet::create("alice", "//Alice", chain.url(), None, workspace.path()).await?;
    Ok((workspace, chain, alice))
}

/// Proposes, and returns the number.
async fn propose(wallet: &Wallet, amendments: &[&str]) -> Result<u32, Failure> {
    let title = ["governance", "propose", "--title", "An amendment", "--text", "It is better."];
    let made: ProposedView = wallet.ask(&[&title[..], amendments].concat()).await?;
    Ok(made.proposal.expect("it is open for ten usable blocks"))
}

async fn vote(wallet: &Wallet, proposal: u32, side: &str) -> Result<OnChainView, Failure> {
    let proposal = proposal.to_string();
    wallet
        .on_chain(&["governance", "vote", &proposal, side, "--rationale", "I have tried it."])
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn s68_amendment_should_reach_chain_and_hub_when_it_is_voted_for_by_the_command_line(
) -> Result<(), Failure> {
    let (workspace, chain, alice) = with_alice().await?;
    let options = HubOptions::default();
    let mut hub = Hub::create("eu", "//Bob", chain.url(), &options, workspace.path())?;
    hub.start().await?;
    let bob = Wallet::create("bob", "//Charlie", chain.url(), None, workspace.path()).await?;
    let before = hub.client()?.parameters().await?;
    assert_eq!(before["delay_user"].0, 8);
    // Ten blocks of a second are few for all that follows on a busy machine.
    let longer = propose(&bob, &["--set-voting-period", "60"]).await?;
    vote(&alice, longer, "--yes").await?;
    eventually("votes are taken for longer", PATIENCE, || async {
        let now: GovernanceView = bob.ask(&["governance", "validators"]).await?;
        Ok((now.voting_period == 60).then_some(()))
    })
    .await?;

    let dry: DryRunView =
        bob.ask(&["governance", "dry-run", "--set", "delay_user=9", "--set", "keep=110"]).await?;
    assert_eq!(dry.failed, None);
    assert_eq!(dry.events[0].event, "parameters.Amended");
    let change = dry.changes.iter().find(|change| change.entry == "parameters.Current");
    let change = change.expect("the numbers are an entry of the state");
    let (old, new) = (change.before.as_ref().unwrap(), change.after.as_ref().unwrap());
    assert_eq!((&old["delay_user"], &new["delay_user"]), (&json!(8), &json!(9)));

    let proposal = propose(&bob, &["--set", "delay_user=9", "--set", "keep=110"]).await?;
    let shown: ProposalRow = alice.ask(&["governance", "show", &proposal.to_string()]).await?;
    assert_eq!(shown.calls[0].call, "parameters.amend");
    assert_eq!(shown.calls[0].arguments["values"]["delay_user"], json!(9));
    assert_eq!(shown.calls[0].arguments["values"]["delay_hub"], json!(6), "others stay");
    let dry: DryRunView = alice.ask(&["governance", "dry-run", &proposal.to_string()]).await?;
    assert_eq!(dry.failed, None);

    let refused = vote(&bob, proposal, "--yes").await.unwrap_err().to_string();
    assert!(refused.contains("is not a validator's account"), "{refused}");
    vote(&alice, proposal, "--no").await?;
    vote(&alice, proposal, "--yes").await?;
    let open: Vec<ProposalRow> = alice.ask(&["governance", "proposals"]).await?;
    assert_eq!((open[0].ayes, open[0].nays, open[0].total), (100, 0, 100), "a changed vote");
    assert_eq!(open[0].votes[0].name.as_deref(), Some("Alice"));

    eventually("the amendment is in force", PATIENCE, || async {
        Ok((chain.client().parameters().await?.delay_user == 9).then_some(()))
    })
    .await?;
    eventually("the hub follows it", PATIENCE, || async {
        let known = hub.client()?.parameters().await?;
        Ok((known["delay_user"].0 == 9 && known["keep"].0 == 110).then_some(()))
    })
    .await?;
    let gone: Vec<ProposalRow> = alice.ask(&["governance", "proposals"]).await?;
    assert_eq!(gone, []);
    hub.stop().await?;
    chain.stop().await?;
    workspace.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn set_of_validators_should_be_planned_when_the_file_that_was_shown_is_amended(
) -> Result<(), Failure> {
    let (workspace, chain, alice) = with_alice().await?;
    let mut shown: GovernanceView = alice.ask(&["governance", "validators"]).await?;
    assert_eq!(shown.validators.len(), 1);
    assert_eq!((shown.validators[0].shares, shown.voting_period), (100, 10));
    shown.validators[0].shares = 60;
    shown.validators[0].location = "Zürich".into();
    let file = workspace.path().join("set.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&shown)?)?;
    let file = file.display().to_string();
    let wanted = ["--set-validators", &file, "--set-voting-period", "7"];
    let proposal = propose(&alice, &wanted).await?;
    vote(&alice, proposal, "--yes").await?;
    eventually("the set is in force", PATIENCE, || async {
        let now: GovernanceView = alice.ask(&["governance", "validators"]).await?;
        let changed = now.validators[0].shares == 60 && now.validators[0].location == "Zürich";
        Ok((changed && now.voting_period == 7).then_some(()))
    })
    .await?;
    let known = chain.finalized().await?;
    chain.wait_finalized(known + 3).await?;
    chain.stop().await?;
    workspace.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn governance_should_refuse_with_a_word_what_to_do_when_a_request_is_wrong(
) -> Result<(), Failure> {
    let (workspace, chain, alice) = with_alice().await?;
    let refused = |args: &'static [&'static str]| {
        let alice = &alice;
        async move {
            let answer = alice.ask::<serde_json::Value>(args).await;
            answer.expect_err("it should be refused").to_string()
        }
    };
    let told = refused(&["governance", "show", "77"]).await;
    assert!(told.contains("no open proposal 77"), "{told}");
    let told = refused(&["governance", "dry-run", "--set", "delay=9"]).await;
    assert!(told.contains("there is no parameter \"delay\""), "{told}");
    let told = refused(&["governance", "dry-run", "--call", "0xffff"]).await;
    assert!(told.contains("call 1 is not a call of this chain"), "{told}");
    let told = refused(&["governance", "dry-run", "--call", "0x000"]).await;
    assert!(told.contains("is not hex"), "{told}");
    let told = refused(&["governance", "cancel", "77"]).await;
    assert!(told.contains("no open proposal 77"), "{told}");
    let dry: DryRunView = alice.ask(&["governance", "dry-run", "--set", "delay_user=5"]).await?;
    let failed = dry.failed.expect("it breaks a relation");
    assert_eq!(failed.call, 1);
    assert!(failed.error.starts_with("parameters.DelayTooShort"), "{}", failed.error);
    let bob = Wallet::create("bob", "//Bob", chain.url(), None, workspace.path()).await?;
    let proposal = propose(&bob, &["--set-voting-period", "20"]).await?.to_string();
    let told = alice.on_chain(&["governance", "cancel", &proposal]).await.unwrap_err().to_string();
    assert!(told.contains("who alone can withdraw it"), "{told}");
    bob.on_chain(&["governance", "cancel", &proposal]).await?;
    chain.stop().await?;
    workspace.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn retiring_hub_should_be_shown_and_take_no_new_wallet_until_it_has_left(
) -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let options = ChainOptions {
        // As short as the rules allow: ten delays of users.
        parameters: [("delayUser", 6), ("late", 60)]
            .map(|(name, value)| (name.to_string(), json!(value)))
            .to_vec(),
        slot_ms: Some(500),
        ..ChainOptions::dev()
    };
    let chain = Chain::start(&options, workspace.path()).await?;
    let hub_options = HubOptions::default();
    let mut hub = Hub::create("eu", "//Bob", chain.url(), &hub_options, workspace.path())?;
    hub.start().await?;
    let _: OnChainView = hub.ask(&["register", "@eu", &hub.endpoint()]).await?;
    let mut user =
        Wallet::create("user", "//Charlie", chain.url(), Some("@eu"), workspace.path()).await?;
    user.start().await?;
    let slow = Wallet::create("slow", "//Eve", chain.url(), Some("@eu"), workspace.path()).await?;
    let announced: OnChainView = hub.ask(&["retire"]).await?;
    let early = hub.ask::<OnChainView>(&["leave"]).await;
    let told = early.unwrap_err().to_string();
    assert!(told.contains("the notice is not over"), "{told}");

    let hubs: Vec<HubRow> = user.ask(&["hubs"]).await?;
    let standing = hubs[0].standing.clone().expect("this runtime knows");
    let leaves_at = standing.leaves_at.expect("it retires");
    assert_eq!((standing.disputes, standing.lost, standing.debts), (0, 0, 0));
    eventually("the wallet sees that its hub retires", PATIENCE, || async {
        Ok((user.channel().await?.leaves_at == Some(leaves_at)).then_some(()))
    })
    .await?;
    let late = Wallet::create("late", "//Dave", chain.url(), Some("@eu"), workspace.path()).await;
    let told = late.err().expect("no new channel with it").to_string();
    assert!(told.contains("@eu retires"), "{told}");

    // The hub looks at the registry every ten final blocks.
    chain.wait_finalized(announced.block + 15).await?;
    let refused = slow.pay("@eu", "1").await.expect_err("it has connected too late").to_string();
    assert!(refused.contains("cannot be reached"), "{refused}");
    assert_eq!(hub.status().await?.channels.len(), 1, "only of who was there before");

    eventually("the notice is over", PATIENCE, || async {
        Ok((chain.client().moment(None).await?.clock >= leaves_at).then_some(()))
    })
    .await?;
    let _: OnChainView = hub.ask(&["leave"]).await?;
    let hubs: Vec<HubRow> = user.ask(&["hubs"]).await?;
    assert!(hubs.is_empty());
    user.stop().await?;
    hub.stop().await?;
    chain.stop().await?;
    workspace.finish()
}
