//! What holds in every test, and the cast that most of them start with.

use failsafe_hub::rpc::api::{ChannelAssetRow, PaymentRow};
use failsafe_primitives::NATIVE_ASSET;
use failsafe_tests::{
    harness::{eventually, failure, Failure, HubOptions, Wallet},
    story::{report::frd, Cast, Narrator, Setting},
};
use std::time::Duration;

/// How long something that needs finality may take.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// One validator, hub 1 with 10 000 FRD, user 2 with 10 000 FRD of which 5 000 are insured at the
/// hub, user 123 with nothing.
pub async fn cast(hub: HubOptions) -> Result<Cast, Failure> {
    let setting = Setting { validators: 1, hub_funds: 10_000, others: &[], hub };
    let cast = Cast::start(setting, &Narrator::new(true)).await?;
    cast.user2.on_chain(&["deposit", "5000", &cast.user2.at("one")]).await?;
    insured(&cast.user2, 5_000).await?;
    Ok(cast)
}

/// Waits until `user` has so many insured FRD.
pub async fn insured(user: &Wallet, whole: u64) -> Result<ChannelAssetRow, Failure> {
    user.wait_for_frd("the insurance", PATIENCE, |row| row.own_insured.0 == frd(whole)).await
}

/// Waits until the payment has ended.
pub async fn ended(payer: &Wallet, id: &str) -> Result<PaymentRow, Failure> {
    eventually("the payment ends", PATIENCE, || async {
        let row: PaymentRow = payer.ask(&["payment", id]).await?;
        let over = matches!(row.state.as_str(), "delivered" | "returned");
        Ok(over.then_some(row))
    })
    .await
}

/// Checks that nobody has come by money: what is on chain and in custody is what there was, and both
/// ends of each channel say the same. Stops everybody.
pub async fn close_books(cast: Cast, whole: u64) -> Result<(), Failure> {
    let hub = eventually("both ends agree", PATIENCE, || async {
        let hub = cast.hub1.status().await?;
        for user in [&cast.user2, &cast.user123] {
            let (mine, theirs) = (user.channel().await?, &hub.channels);
            let me = user.account().to_string();
            let theirs = theirs.iter().find(|row| row.partner == me);
            let theirs = theirs.ok_or_else(|| failure("the hub has no such channel"))?;
            for row in &mine.assets {
                let other = theirs.assets.iter().find(|other| other.asset == row.asset);
                let other = other.ok_or_else(|| failure("the hub has no such asset"))?;
                let same = row.insurance == other.insurance
                    && row.offdelta == other.offdelta
                    && row.own_insured == other.partner_insured
                    && row.own_uninsured == other.partner_uninsured
                    && row.partner_insured == other.own_insured
                    && row.partner_uninsured == other.own_uninsured;
                if !same {
                    return Ok(None);
                }
            }
        }
        Ok(Some(hub))
    })
    .await?;
    let mut total = 0u128;
    let mut add = |amount: u128| {
        total = total.checked_add(amount).expect("less than all money");
    };
    for account in [cast.user2.account(), cast.user123.account(), cast.hub1.account()] {
        add(cast.chain.balance(account, NATIVE_ASSET).await?);
    }
    for row in hub.channels.iter().flat_map(|channel| &channel.assets) {
        add(row.insurance.0);
    }
    assert_eq!(total, frd(whole), "no money came or went");
    cast.stop().await
}
