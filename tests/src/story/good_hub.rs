//! The good hub (S40): it rebalances in one batch, and everybody gets out what is theirs.

use super::{
    cast::{Cast, Setting},
    narrator::Narrator,
    report::Run,
};
use crate::harness::{failure, Failure, HubOptions};
use failsafe_hub::rpc::api::PaymentRow;

fn delivered(payment: PaymentRow) -> Result<(), Failure> {
    match payment.state.as_str() {
        "delivered" => Ok(()),
        state => Err(failure(format!("the payment is {state}: {:?}", payment.reason))),
    }
}

pub(super) async fn play(narrator: &Narrator) -> Result<Run, Failure> {
    narrator.chapter("The good hub");
    let hub = HubOptions::default();
    let setting = Setting { validators: 4, hub_funds: 10_000, others: &[], hub };
    let cast = Cast::start(setting, narrator).await?;
    let (user2, user123, hub1) = (&cast.user2, &cast.user123, &cast.hub1);
    let mut run = Run::new();
    let mut tell = |text: &str, step| {
        narrator.step(text, &step);
        run.push(step);
    };
    tell("Genesis: hub 1 and user 2 have 10 000 FRD each; user 123 is not on chain.", {
        cast.look("genesis").await?
    });

    user2.on_chain(&["deposit", "5000", &user2.at("one")]).await?;
    tell("User 2 deposits 5000 to 2@1.", cast.look("deposit").await?);

    delivered(user2.pay("@one", "10").await?)?;
    tell("User 2 pays 10 to hub 1: nothing happens on chain.", cast.look("pay_hub").await?);

    let user2_account = user2.account().to_string();
    delivered(hub1.ask(&["pay", &user2_account, "10"]).await?)?;
    tell("Hub 1 pays the 10 back.", cast.look("pay_back").await?);

    delivered(user2.pay(&user123.at("one"), "1000").await?)?;
    tell(
        "User 2 pays 1000 to user 123 through the hub: uninsured, within 123's default credit line.",
        cast.look("pay_user123").await?,
    );

    let plan = hub1.rebalance().await?;
    if plan.block.is_none() {
        return Err(failure("the hub found nothing to rebalance"));
    }
    tell(
        "The hub rebalances: one batch withdraws 1000 from 2 and deposits them for 123.",
        cast.look("rebalance").await?,
    );

    user2.on_chain(&["withdraw", "3000", "--deposit-to", &user123.at("one")]).await?;
    tell(
        "Splice: user 2 withdraws 3000 and deposits them for 123@1, in one batch.",
        cast.look("splice").await?,
    );

    user2.on_chain(&["close"]).await?;
    // User 123 has no account on chain yet that could submit anything.
    user123.on_chain(&["close", "--partner-submits"]).await?;
    tell("Both close their channels.", cast.look("close").await?);
    cast.stop().await?;
    Ok(run)
}
