//! Two processes of one hub that share a database: one works, the other takes over.

use super::books::{cast, close_books, PATIENCE};
use failsafe_hub::rpc::{api::PaymentRow, FailsafeRpcClient};
use failsafe_tests::{
    harness::{
        eventually, failure, hub::Hub, postgres::Server, Failure, Forwarder, HubOptions, Wallet,
    },
    story::report::frd,
};
use jsonrpsee::http_client::HttpClient;
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// Until when a dead owner's lease is over and another process has started: the lease is 5 seconds.
const TAKE_OVER: Duration = Duration::from_secs(60);

pub(super) fn in_database(server: &Server) -> Result<HubOptions, Failure> {
    Ok(HubOptions { store: Some(server.database()?), ..HubOptions::default() })
}

/// Pays 1 FRD after the other until told to stop; each under a name of its own, asked for again until
/// it has ended. Returns how many were delivered.
pub(super) fn pay_on(
    payer: HttpClient,
    to: String,
    stop: Arc<AtomicBool>,
) -> JoinHandle<Result<u32, Failure>> {
    tokio::spawn(async move {
        let mut delivered = 0u32;
        let mut number = 0u32;
        while !stop.load(Ordering::SeqCst) {
            let name = format!("{number:032x}");
            let row: PaymentRow = eventually("a payment ends", PATIENCE, || async {
                let made = payer.pay(to.clone(), "1".into(), None, Some(name.clone())).await?;
                Ok(matches!(made.state.as_str(), "delivered" | "returned").then_some(made))
            })
            .await?;
            if row.state == "delivered" {
                delivered += 1;
            }
            number += 1;
        }
        Ok(delivered)
    })
}

/// Waits until so many FRD have arrived beyond those that have by now.
pub(super) async fn more_arrive(user: &Wallet, whole: u64) -> Result<(), Failure> {
    let before = user.frd().await?.own_uninsured.0;
    user.wait_for_frd("payments arrive", PATIENCE, |row| row.own_uninsured.0 >= before + frd(whole))
        .await
        .map(drop)
}

pub(super) async fn wait_serving(hub: &Hub) -> Result<(), Failure> {
    eventually("the standby has taken over", TAKE_OVER, || async {
        Ok(hub.status().await?.fresh.then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn standby_should_take_over_under_payments_when_the_hub_is_killed() -> Result<(), Failure> {
    let Some(server) = Server::start()? else { return Ok(()) };
    let mut cast = cast(in_database(&server)?).await?;
    // On the same address, so it can listen only when the first one is gone.
    let standby = cast.hub1.start_standby("standby").await?;
    let stop = Arc::new(AtomicBool::new(false));
    let paying = pay_on(cast.user2.client()?, cast.user123.at("one"), stop.clone());
    more_arrive(&cast.user123, 5).await?;

    cast.hub1.kill()?;
    drop(cast.hub1.adopt(standby));
    wait_serving(&cast.hub1).await?;
    more_arrive(&cast.user123, 5).await?;
    stop.store(true, Ordering::SeqCst);
    let wanted = frd(paying.await??.into());
    let user123 = cast
        .user123
        .wait_for_frd("all payments", PATIENCE, |row| row.own_uninsured.0 >= wanted)
        .await?;
    assert_eq!(user123.own_uninsured.0, wanted, "each payment was made once");
    assert_eq!(cast.user2.frd().await?.own_insured.0, frd(5_000) - wanted);
    close_books(cast, 20_000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn halted_hub_should_do_nothing_more_when_it_wakes_up_after_a_take_over(
) -> Result<(), Failure> {
    let Some(server) = Server::start()? else { return Ok(()) };
    let options = in_database(&server)?;
    let mut cast = cast(options.clone()).await?;
    // Both are reached by one address, as behind a balancer.
    let balancer = Forwarder::start(&cast.hub1.endpoint()).await?;
    let key = cast.hub1.transport_key()?;
    for user in [&mut cast.user2, &mut cast.user123] {
        user.stop().await?;
        user.point_at(&balancer.address(), &key)?;
        user.start().await?;
    }
    let mut twin = cast.hub1.twin("twin", cast.chain.url(), &options)?;
    let standby = twin.start_standby("standby").await?;
    let stop = Arc::new(AtomicBool::new(false));
    let paying = pay_on(cast.user2.client()?, cast.user123.at("one"), stop.clone());
    more_arrive(&cast.user123, 5).await?;

    cast.hub1.process()?.suspend()?;
    drop(twin.adopt(standby));
    wait_serving(&twin).await?;
    balancer.lead_to(&twin.endpoint());
    more_arrive(&cast.user123, 5).await?;
    // It still has its connection to the database, and does not know how long it has slept.
    cast.hub1.process()?.resume()?;
    let status = cast.hub1.wait_ended(PATIENCE).await?;
    assert!(!status.success(), "it says that something was wrong: {status}");
    more_arrive(&cast.user123, 5).await?;

    stop.store(true, Ordering::SeqCst);
    let wanted = frd(paying.await??.into());
    let user123 = cast
        .user123
        .wait_for_frd("all payments", PATIENCE, |row| row.own_uninsured.0 >= wanted)
        .await?;
    assert_eq!(user123.own_uninsured.0, wanted, "each payment was made once");
    assert_eq!(cast.user2.frd().await?.own_insured.0, frd(5_000) - wanted);
    // The twin is the hub now.
    let old = std::mem::replace(&mut cast.hub1, twin);
    let log = std::fs::read_to_string(old.dir().with_extension("log"))?;
    if !log.contains("belongs to another process now") {
        return Err(failure("the old hub does not say why it has stopped"));
    }
    close_books(cast, 20_000).await
}

#[tokio::test(flavor = "multi_thread")]
async fn standby_should_take_over_at_once_when_the_hub_is_stopped() -> Result<(), Failure> {
    let Some(server) = Server::start()? else { return Ok(()) };
    let mut cast = cast(in_database(&server)?).await?;
    assert_eq!(cast.user2.pay(&cast.user123.at("one"), "7").await?.state, "delivered");
    let standby = cast.hub1.start_standby("standby").await?;
    cast.hub1.stop().await?;
    drop(cast.hub1.adopt(standby));
    wait_serving(&cast.hub1).await?;
    more_arrive_by(&cast.user2, &cast.user123).await?;
    close_books(cast, 20_000).await
}

async fn more_arrive_by(payer: &Wallet, payee: &Wallet) -> Result<(), Failure> {
    let paid: PaymentRow = eventually("the hub is reached again", PATIENCE, || async {
        Ok(Some(payer.pay(&payee.at("one"), "3").await?))
    })
    .await?;
    assert_eq!(paid.state, "delivered");
    payee.wait_for_frd("both payments", PATIENCE, |row| row.own_uninsured.0 == frd(10)).await?;
    Ok(())
}
