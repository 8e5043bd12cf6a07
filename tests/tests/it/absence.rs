//! Partners who stay away.

use super::books::{cast, close_books, insured, PATIENCE};
use failsafe_primitives::NATIVE_ASSET;
use failsafe_tests::{
    harness::{eventually, Failure, HubOptions},
    story::report::frd,
};

/// A spender who is needed for a rebalance and does not come is taken to the chain; what it has
/// spent comes out of its insurance, what is left is paid to it.
#[tokio::test(flavor = "multi_thread")]
async fn hub_should_dispute_when_a_spender_stays_away() -> Result<(), Failure> {
    let strict = HubOptions {
        every_seconds: 2,
        proof_timeout_seconds: 2,
        absent_grace_seconds: 4,
        ..HubOptions::default()
    };
    let mut cast = cast(strict).await?;
    let paid = cast.user2.pay(&cast.user123.at("one"), "1000").await?;
    assert_eq!(paid.state, "delivered");
    cast.user2.kill()?;

    let user2 = cast.user2.account().clone();
    eventually("the chain pays user 2 what is left", PATIENCE, || async {
        let has = cast.chain.balance(&user2, NATIVE_ASSET).await?;
        Ok((has == frd(9_000)).then_some(()))
    })
    .await?;
    // The hub got its thousand, and can insure who was paid with it.
    insured(&cast.user123, 1_000).await?;
    cast.user2.start().await?;
    let row =
        cast.user2.wait_for_frd("the new epoch", PATIENCE, |row| row.insurance.0 == 0).await?;
    assert_eq!((row.own_insured.0, row.partner_insured.0), (0, 0));
    close_books(cast, 20_000).await
}

/// The hub comes back after a dispute against it: both start a new epoch and go on.
#[tokio::test(flavor = "multi_thread")]
async fn channel_should_go_on_when_the_hub_returns_after_a_dispute() -> Result<(), Failure> {
    let mut cast = cast(HubOptions::default()).await?;
    let paid = cast.user2.pay("@one", "100").await?;
    assert_eq!(paid.state, "delivered");
    cast.hub1.kill()?;
    cast.user2.on_chain(&["dispute"]).await?;
    let user2 = cast.user2.account().clone();
    eventually("the chain resolves", PATIENCE, || async {
        let has = cast.chain.balance(&user2, NATIVE_ASSET).await?;
        Ok((has == frd(9_900)).then_some(()))
    })
    .await?;
    assert_eq!(cast.chain.balance(cast.hub1.account(), NATIVE_ASSET).await?, frd(10_100));

    cast.hub1.start().await?;
    cast.user2.on_chain(&["deposit", "50", &cast.user2.at("one")]).await?;
    insured(&cast.user2, 50).await?;
    let paid = cast.user2.pay(&cast.user123.at("one"), "20").await?;
    assert_eq!(paid.state, "delivered");
    assert_eq!(cast.user2.channel().await?.epoch, 1);
    assert_eq!(cast.user2.frd().await?.own_insured.0, frd(30));
    assert_eq!(cast.user123.frd().await?.own_uninsured.0, frd(20));
    close_books(cast, 20_000).await
}

/// The wallet that disputed with an old state, because its store was an old copy, loses nothing that
/// it was owed and gains nothing: the hub answers with the newer state.
#[tokio::test(flavor = "multi_thread")]
async fn s19_h50_hub_should_counter_when_a_restored_wallet_disputes_with_an_old_state(
) -> Result<(), Failure> {
    let mut cast = cast(HubOptions::default()).await?;
    assert_eq!(cast.user2.pay("@one", "100").await?.state, "delivered");
    cast.user2.stop().await?;
    let backup = cast.user2.dir().with_extension("backup");
    copy_dir(cast.user2.dir(), &backup)?;
    cast.user2.start().await?;
    assert_eq!(cast.user2.pay("@one", "400").await?.state, "delivered");
    cast.user2.stop().await?;
    std::fs::remove_dir_all(cast.user2.dir())?;
    std::fs::rename(&backup, cast.user2.dir())?;

    // The wallet cannot talk to the hub, so it does not learn how old its state is.
    cast.user2.point_at("127.0.0.1:1", &[1; 32])?;
    cast.user2.start().await?;
    cast.user2.on_chain(&["dispute"]).await?;
    let user2 = cast.user2.account().clone();
    eventually("the chain resolves", PATIENCE, || async {
        let has = cast.chain.balance(&user2, NATIVE_ASSET).await?;
        Ok((has > frd(5_000)).then_some(()))
    })
    .await?;
    assert_eq!(cast.chain.balance(&user2, NATIVE_ASSET).await?, frd(9_500), "100 and 400 count");
    assert_eq!(cast.chain.balance(cast.hub1.account(), NATIVE_ASSET).await?, frd(10_500));
    cast.stop().await
}

fn copy_dir(from: &std::path::Path, to: &std::path::Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
