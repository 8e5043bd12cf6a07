//! Lost stores, and what a backup brings back.

use super::books::{cast, PATIENCE};
use failsafe_hub::rpc::api::BackupView;
use failsafe_primitives::NATIVE_ASSET;
use failsafe_tests::{
    harness::{eventually, failure, program, Failure, HubOptions, Wallet},
    story::{report::frd, Cast},
};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The error of a command that must fail.
async fn refused(user: &Wallet, args: &[&str]) -> Result<String, Failure> {
    match user.ask::<Value>(args).await {
        Err(problem) => Ok(problem.to_string()),
        Ok(answer) => Err(failure(format!("{args:?} was taken: {answer}"))),
    }
}

fn file_in(cast: &Cast, name: &str) -> Result<(PathBuf, String), Failure> {
    let dir = cast.hub1.dir().parent().ok_or_else(|| failure("a folder"))?;
    let path = dir.join(name);
    let text = path.display().to_string();
    Ok((path, text))
}

fn lose(dir: &Path) -> Result<(), Failure> {
    Ok(std::fs::remove_dir_all(dir.join("store"))?)
}

async fn on_chain(cast: &Cast, user2: u64, hub: u64) -> Result<(), Failure> {
    let account = cast.user2.account();
    eventually("the chain pays both", PATIENCE, || async {
        let has = cast.chain.balance(account, NATIVE_ASSET).await?;
        Ok((has == frd(user2)).then_some(()))
    })
    .await?;
    assert_eq!(cast.chain.balance(cast.hub1.account(), NATIVE_ASSET).await?, frd(hub));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn s19_restored_wallet_should_neither_sign_nor_dispute_before_the_hub_has_shown_what_it_knows(
) -> Result<(), Failure> {
    let mut cast = cast(HubOptions::default()).await?;
    assert_eq!(cast.user2.pay("@one", "100").await?.state, "delivered");
    let (_, file) = file_in(&cast, "wallet.backup")?;
    // While it runs.
    let made: BackupView = cast.user2.ask(&["backup", &file]).await?;
    assert_eq!(made.channels, 1);
    assert!(refused(&cast.user2, &["backup", &file]).await?.contains("not overwritten"));
    assert_eq!(cast.user2.pay("@one", "400").await?.state, "delivered");
    // There is a store: a backup never replaces it.
    cast.user2.stop().await?;
    let error = refused(&cast.user2, &["restore", &file]).await?;
    assert!(error.contains("there is a store"), "{error}");
    lose(cast.user2.dir())?;
    let error = refused(&cast.user2, &["status"]).await?;
    assert!(error.contains("restore your backup"), "{error}");
    let damaged = file_in(&cast, "damaged.backup")?;
    let mut bytes = std::fs::read(&file)?;
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&damaged.0, bytes)?;
    let error = refused(&cast.user2, &["restore", &damaged.1]).await?;
    assert!(error.contains("cut off"), "{error}");
    let _: BackupView = cast.user2.ask(&["restore", &file]).await?;

    // Without the hub it does not learn how old its state is.
    cast.user2.point_at("127.0.0.1:1", &[1; 32])?;
    cast.user2.start().await?;
    for args in [&["pay", "@one", "1"][..], &["dispute"], &["withdraw", "1"]] {
        let error = refused(&cast.user2, args).await?;
        assert!(!error.is_empty(), "{args:?}");
    }
    let error = refused(&cast.user2, &["dispute"]).await?;
    assert!(error.contains("restored from a backup"), "{error}");
    assert_eq!(cast.user2.status().await?.pending_calls, 0);
    let channel = cast.user2.channel().await?;
    let frozen = channel.frozen.unwrap_or_default();
    assert!(frozen.contains("restored from a backup"), "{frozen}");
    cast.user2.stop().await?;

    // With it, it does; then it can close by what is true.
    cast.user2.point_at(&cast.hub1.endpoint(), &cast.hub1.transport_key()?)?;
    cast.user2.start().await?;
    let newest = frd(4_500);
    cast.user2.wait_for_frd("the hub's proof", PATIENCE, |row| row.own_insured.0 == newest).await?;
    cast.user2.on_chain(&["close"]).await?;
    on_chain(&cast, 9_500, 10_500).await?;
    cast.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_should_come_back_from_a_backup_when_its_store_is_lost() -> Result<(), Failure> {
    let mut cast = cast(HubOptions::default()).await?;
    assert_eq!(cast.user2.pay("@one", "100").await?.state, "delivered");
    let (_, file) = file_in(&cast, "hub.backup")?;
    let made: BackupView = cast.hub1.ask(&["backup", &file]).await?;
    assert_eq!(made.channels, 2);
    assert_eq!(cast.user2.pay("@one", "400").await?.state, "delivered");
    doctor(&cast, 0).await?;

    cast.hub1.kill()?;
    doctor(&cast, 0).await?;
    lose(cast.hub1.dir())?;
    doctor(&cast, 1).await?;
    let _: BackupView = cast.hub1.ask(&["restore", &file]).await?;
    doctor(&cast, 0).await?;
    cast.hub1.start().await?;
    let me = cast.user2.account().to_string();
    eventually("user 2 has shown what it had paid", PATIENCE, || async {
        let status = cast.hub1.status().await?;
        let row = status.channels.into_iter().find(|row| row.partner == me);
        let assets = row.map(|row| row.assets).unwrap_or_default();
        Ok(assets.iter().any(|row| row.own_insured.0 == frd(500)).then_some(()))
    })
    .await?;
    eventually("the hub signs the close", PATIENCE, || async {
        Ok(Some(cast.user2.on_chain(&["close"]).await?))
    })
    .await?;
    on_chain(&cast, 9_500, 10_500).await?;
    cast.stop().await
}

/// Runs `doctor`; so many checks must fail.
async fn doctor(cast: &Cast, failures: usize) -> Result<(), Failure> {
    let mut command = tokio::process::Command::new(program("failsafe-hub")?);
    command.arg("--config").arg(cast.hub1.config()).args(["--json", "doctor"]);
    let output = command.env_remove("RUST_LOG").kill_on_drop(true).output().await?;
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    let failed: Vec<_> = findings.iter().filter(|row| row["verdict"] == "fail").collect();
    assert_eq!(failed.len(), failures, "{failed:#?}");
    assert_eq!(output.status.success(), failures == 0, "the exit code says so");
    Ok(())
}
