//! Processes that are killed as `kill -9` does, at the worst moments and at random ones.

use super::books::{cast, close_books, ended, insured, PATIENCE};
use failsafe_hub::rpc::{
    api::{ChannelAssetRow, PaymentRow},
    FailsafeRpcClient,
};
use failsafe_tests::{
    harness::{eventually, failure, Failure, HubOptions},
    story::report::frd,
};
use rand::Rng;
use serde_json::Value;
use std::time::Duration;

/// Name of a payment.
fn id(number: u32) -> String {
    format!("{number:032x}")
}

#[tokio::test(flavor = "multi_thread")]
async fn s40_h46_hub_should_insure_once_when_killed_between_proof_and_final_batch(
) -> Result<(), Failure> {
    let mut cast = cast(HubOptions::default()).await?;
    let paid = cast.user2.pay(&cast.user123.at("one"), "1000").await?;
    assert_eq!(paid.state, "delivered");

    let client = cast.hub1.client()?;
    let rebalance = tokio::spawn(async move { client.rebalance(false).await });
    eventually("the batch is on its way", PATIENCE, || async {
        let status = cast.hub1.status().await?;
        Ok((status.rebalance.as_deref() == Some("submitting")).then_some(()))
    })
    .await?;
    cast.hub1.kill()?;
    assert!(rebalance.await?.is_err(), "the command was cut off");

    cast.hub1.start().await?;
    insured(&cast.user123, 1_000).await?;
    insured(&cast.user2, 4_000).await?;
    eventually("the hub knows that its batch is final", PATIENCE, || async {
        let status = cast.hub1.status().await?;
        let over = status.rebalance.as_deref() == Some("idle") && status.pending_calls == 0;
        Ok(over.then_some(()))
    })
    .await?;
    // What it knows is enough not to do it again.
    let again = cast.hub1.rebalance().await?;
    assert_eq!(again.block, None, "there is nothing left to insure");

    let user123 = cast.user123.frd().await?;
    assert_eq!((user123.own_insured.0, user123.own_uninsured.0), (frd(1_000), 0));
    assert_eq!(user123.insurance.0, frd(1_000));
    let user2 = cast.user2.frd().await?;
    assert_eq!((user2.insurance.0, user2.own_insured.0), (frd(4_000), frd(4_000)));
    let step = cast.look("end").await?;
    assert_eq!(step.on_chain("hub1"), Some(frd(10_000)));
    assert_eq!(step.on_chain("user2"), Some(frd(5_000)));
    close_books(cast, 20_000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_should_keep_what_it_took_when_killed_between_persist_and_ack() -> Result<(), Failure> {
    // Long enough to be seen from outside.
    let slow = HubOptions { ack_delay_ms: 1_000, ..HubOptions::default() };
    let mut cast = cast(slow).await?;
    let before = cast.user2.channel().await?;

    let client = cast.user2.client()?;
    let paying =
        tokio::spawn(
            async move { client.pay("@one".into(), "10".into(), None, Some(id(1))).await },
        );
    let me = cast.user2.account().to_string();
    eventually("the hub has persisted the payment", PATIENCE, || async {
        let status = cast.hub1.status().await?;
        let row = status.channels.into_iter().find(|row| row.partner == me);
        Ok(row.filter(|row| row.partner_nonce > before.own_nonce).map(drop))
    })
    .await?;
    cast.hub1.kill()?;
    let cut = cast.user2.channel().await?;
    assert!(cut.own_nonce > before.own_nonce, "the payment is signed");
    assert_eq!(cut.own_acked, before.own_acked, "and not acknowledged");

    cast.hub1.start().await?;
    let row = ended(&cast.user2, &id(1)).await?;
    assert_eq!(row.state, "delivered");
    // The command waits for the payment, or has given up meanwhile; either way it is made once.
    drop(paying.await?);
    let user2 = cast.user2.frd().await?;
    assert_eq!((user2.own_insured.0, user2.partner_insured.0), (frd(4_990), frd(10)));
    let hub: Vec<PaymentRow> = cast.hub1.client()?.payments(10).await?;
    let received: Vec<_> = hub.iter().filter(|row| row.state == "received").collect();
    assert_eq!(received.len(), 1, "{hub:?}");
    assert_eq!(received[0].amount.0, frd(10));
    close_books(cast, 20_000).await
}

/// The hub takes a payment that it cannot pay on, and at that moment the payer lets it owe nothing
/// more: it owes the return, also over a crash, until the payer lets it.
#[tokio::test(flavor = "multi_thread")]
async fn payment_should_come_back_when_the_hub_could_not_give_it_back_at_once(
) -> Result<(), Failure> {
    let mut cast = cast(HubOptions::default()).await?;
    let paid = cast.user2.pay(&cast.user123.at("one"), "1000").await?;
    assert_eq!(paid.state, "delivered");
    let _: Value = cast.user123.ask(&["terms", "0"]).await?;
    let nobody = "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM";
    let client = cast.user123.client()?;
    let paying = tokio::spawn(async move {
        client.pay(format!("{nobody}@one"), "100".into(), None, Some(id(7))).await
    });
    let owed = |amount| move |row: &ChannelAssetRow| row.own_uninsured.0 == frd(amount);
    cast.user123.wait_for_frd("the payment is signed", PATIENCE, owed(900)).await?;
    eventually("the hub has it", PATIENCE, || async {
        let channel = cast.user123.channel().await?;
        Ok((channel.own_acked == channel.own_nonce).then_some(()))
    })
    .await?;
    cast.hub1.kill()?;
    cast.hub1.start().await?;
    let row: PaymentRow = cast.user123.ask(&["payment", &id(7)]).await?;
    assert_eq!(row.state, "accepted", "nothing has come back yet");

    let _: Value = cast.user123.ask(&["terms", "1000"]).await?;
    let row = ended(&cast.user123, &id(7)).await?;
    assert_eq!(row.state, "returned");
    cast.user123.wait_for_frd("the money is back", PATIENCE, owed(1_000)).await?;
    paying.abort();
    close_books(cast, 20_000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_should_be_made_once_when_everybody_is_killed_at_random() -> Result<(), Failure> {
    const ROUNDS: u32 = 12;
    let mut cast = cast(HubOptions::default()).await?;
    let to = cast.user123.at("one");
    for round in 0..ROUNDS {
        let client = cast.user2.client()?;
        let to = to.clone();
        let paying =
            tokio::spawn(async move { client.pay(to, "1".into(), None, Some(id(round))).await });
        let moment = rand::thread_rng().gen_range(0..60);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        match round % 3 {
            0 => {
                cast.hub1.kill()?;
                cast.hub1.start().await?;
            },
            1 => {
                cast.user2.kill()?;
                cast.user2.start().await?;
            },
            _ => {
                cast.user123.kill()?;
                cast.user123.start().await?;
            },
        }
        paying.abort();
        // Its answer may be lost; asking under the same name never pays twice.
        let made: PaymentRow = eventually("the payment is made", PATIENCE, || async {
            let client = cast.user2.client()?;
            Ok(Some(client.pay(cast.user123.at("one"), "1".into(), None, Some(id(round))).await?))
        })
        .await?;
        let row = ended(&cast.user2, &made.id).await?;
        if row.state != "delivered" {
            return Err(failure(format!("payment {round} came back: {:?}", row.reason)));
        }
    }
    let wanted = frd(u64::from(ROUNDS));
    let user123 = cast
        .user123
        .wait_for_frd("all payments", PATIENCE, |row| row.own_uninsured.0 == wanted)
        .await?;
    assert_eq!(user123.own_insured.0, 0);
    let user2 = cast.user2.frd().await?;
    assert_eq!(user2.own_insured.0, frd(5_000) - wanted);
    close_books(cast, 20_000).await
}
