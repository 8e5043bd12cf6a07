//! Keys that everybody knows are for chains whose money is worth nothing (H41).

use super::bad_input::{does_not_start, output};
use failsafe_tests::harness::{Chain, ChainOptions, Failure, Hub, HubOptions, Workspace};
use std::fs;

const SAYS_WHY: &str = "made from a phrase that everybody knows";

/// Runs a command that makes something.
async fn make(program_name: &str, args: &[&str]) -> Result<(), Failure> {
    let made = output(program_name, args).await?;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn h41_programs_should_not_start_when_everybody_knows_their_key_and_the_chain_is_live(
) -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let dir = workspace.path();
    let options = ChainOptions { kind: Some("Live".into()), ..ChainOptions::story(1) };
    let chain = Chain::start(&options, dir).await?;
    let node = ["--node", chain.url()];

    let hub = Hub::create("hub", "//hub", chain.url(), &HubOptions::default(), dir)?;
    let config = hub.config().display().to_string();
    let error = does_not_start("failsafe-hub", &["--config", &config, "run"]).await?;
    assert!(error.contains(SAYS_WHY), "{error}");

    let home = dir.join("wallet").display().to_string();
    make("failsafe", &[&["--dir", &home, "init", "--suri", "//wallet"][..], &node].concat())
        .await?;
    let error = does_not_start("failsafe", &["--dir", &home, "status"]).await?;
    assert!(error.contains(SAYS_WHY), "{error}");

    let secret = dir.join("secret");
    fs::write(&secret, "//tower\n")?;
    let (config, secret) =
        (dir.join("tower.toml").display().to_string(), secret.display().to_string());
    let dir_of = dir.join("tower").display().to_string();
    let init = ["--config", &config, "init", "--open", "--dir", &dir_of, "--secret-file", &secret];
    make("failsafe-tower", &[&init[..], &node].concat()).await?;
    let error = does_not_start("failsafe-tower", &["--config", &config, "run"]).await?;
    assert!(error.contains(SAYS_WHY), "{error}");

    let seed = format!("0x{}", hex::encode([7; 32]));
    let mut own = Hub::create("own", &seed, chain.url(), &HubOptions::default(), dir)?;
    own.start().await?;
    own.stop().await?;
    chain.stop().await?;
    workspace.finish()
}
