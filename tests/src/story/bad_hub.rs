//! The bad hub (S41): it falls silent with nothing on chain; the chain books a debt and collects it.

use super::{
    cast::{Cast, Setting},
    narrator::Narrator,
    report::Run,
};
use crate::harness::{eventually, failure, Failure, HubOptions};
use std::time::Duration;

/// How long the dispute may take: the delay, and finality.
const RESOLVE: Duration = Duration::from_secs(90);

pub(super) async fn play(narrator: &Narrator) -> Result<Run, Failure> {
    narrator.chapter("The bad hub");
    let hub = HubOptions::default();
    let others = &[("friend", 100), ("stranger", 1_000)];
    let setting = Setting { validators: 4, hub_funds: 0, others, hub };
    let mut cast = Cast::start(setting, narrator).await?;
    let mut run = Run::new();
    let mut tell = |text: &str, step| {
        narrator.step(text, &step);
        run.push(step);
    };
    tell("Genesis: hub 1 has nothing on chain.", cast.look("genesis").await?);

    cast.user2.on_chain(&["deposit", "5000", &cast.user2.at("one")]).await?;
    tell("User 2 deposits 5000 to 2@1.", cast.look("deposit").await?);

    let payment = cast.user2.pay(&cast.user123.at("one"), "1000").await?;
    if payment.state != "delivered" {
        return Err(failure(format!("the payment is {}", payment.state)));
    }
    tell("User 2 pays 1000 to user 123 through the hub.", cast.look("pay_user123").await?);

    cast.hub1.kill()?;
    tell("The hub goes silent: its process is killed.", cast.look("silence").await?);

    let user123 = cast.user123.account().to_string();
    cast.other("friend")?.on_chain(&["transfer", &user123, "10"]).await?;
    tell("A friend gives user 123 ten FRD.", cast.look("friend").await?);

    narrator.progress("user 123 disputes; the hub has its delay to answer");
    cast.user123.on_chain(&["dispute"]).await?;
    tell("User 123 disputes, without the hub.", cast.look("dispute").await?);

    let hub1 = cast.hub1.account().clone();
    eventually("the chain books the debt", RESOLVE, || async {
        let head = cast.chain.client().finalized_head().await?;
        let owed = std::slice::from_ref(&hub1);
        let pairs = cast.chain.client().pairs(cast.user123.account(), owed, head).await?;
        let booked = pairs.first().is_some_and(|pair| !pair.owed_to_account.is_empty());
        Ok(booked.then_some(()))
    })
    .await?;
    tell("The chain resolves: the hub owes user 123 a thousand.", cast.look("debt").await?);

    let hub1 = hub1.to_string();
    cast.other("stranger")?.on_chain(&["transfer", &hub1, "700"]).await?;
    tell("A stranger sends the hub 700: user 123 has them at once.", cast.look("income").await?);
    cast.stop().await?;
    Ok(run)
}
