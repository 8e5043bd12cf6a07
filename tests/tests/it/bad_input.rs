//! Bad input of every kind: a clear error, and nothing has changed.

use super::books::{cast, close_books};
use failsafe_hub::rpc::api::StatusView;
use failsafe_tests::{
    harness::{
        eventually, failure, free_port, program, Chain, ChainOptions, Failure, Hub, HubOptions,
        Wallet, Workspace,
    },
    story::Cast,
};
use rand::RngCore;
use serde_json::Value;
use std::{fs, io::Write, net::TcpStream, process::Output, time::Duration};

const PATIENCE: Duration = Duration::from_secs(60);

/// What must not change: everything but the passing of blocks.
fn still(status: &StatusView) -> Result<Value, Failure> {
    let mut status = serde_json::to_value(status)?;
    for passing in ["finalized", "best", "clock"] {
        status[passing] = Value::Null;
    }
    Ok(status)
}

async fn books(cast: &Cast) -> Result<[Value; 3], Failure> {
    Ok([
        still(&cast.user2.status().await?)?,
        still(&cast.user123.status().await?)?,
        still(&cast.hub1.status().await?)?,
    ])
}

/// The error message of a command that must fail.
async fn refused(user: &Wallet, args: &[&str]) -> Result<String, Failure> {
    match user.ask::<Value>(args).await {
        Err(problem) => Ok(problem.to_string()),
        Ok(answer) => Err(failure(format!("{args:?} was taken: {answer}"))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h24_commands_should_say_what_is_wrong_and_change_nothing_when_they_are_bad(
) -> Result<(), Failure> {
    let cast = cast(HubOptions::default()).await?;
    let to = cast.user123.at("one");
    let unknown = "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM";
    let typo = to.replacen(&to[4..6], "zz", 1);
    let before = books(&cast).await?;
    let cases: &[(&[&str], &str)] = &[
        (&["pay", &to, "0"], "more than 0"),
        (&["pay", &to, "-1"], ""),
        (&["pay", &to, "ten"], "is not an amount"),
        (&["pay", &to, "1e3"], "is not an amount"),
        (&["pay", &to, "0.0000000000001"], "digits behind the point"),
        (&["pay", &to, "340282366920938463463374607431768211456"], "too large"),
        (&["pay", &to, "340282366920938463463374607"], "can be sent now"),
        (&["pay", &to, "5000.000000000001"], "can be sent now"),
        (&["pay", &to, "1", "--asset", "GOLD"], "there is no asset"),
        (&["pay", &to, "1", "--asset", "99"], "there is no asset"),
        (&["pay", &to, "1", "--asset", "FRB"], "no terms for it"),
        (&["pay", &to, "1", "--id", "xyz"], "32 hex digits"),
        (&["pay", &typo, "1"], "is not an account"),
        (&["pay", "@two", "1"], "no hub @two"),
        (&["pay", "@", "1"], "is not a hub's handle"),
        (&["pay", "", "1"], ""),
        (&["pay", unknown, "1"], "came back"),
        (&["payment", "00000000000000000000000000000000"], "there is no payment"),
        (&["deposit", "5000.1"], "can be spent on chain"),
        (&["deposit", "0"], "more than 0"),
        (&["deposit", "1", &format!("{to}@one")], ""),
        (&["withdraw", "5001"], "can be withdrawn"),
        (&["withdraw", "1", "--partner", unknown], "no channel with"),
        (&["transfer", unknown, "999999"], "can be spent on chain"),
        (&["terms", "340282366920938463463374607"], "too large"),
        (&["dispute", unknown], "no channel with"),
        (&["close", "@two"], "no hub @two"),
        (&["claim"], "NothingToClaim"),
        (&["rebalance"], ""),
        (&["nonsense"], ""),
    ];
    for (args, expected) in cases {
        let error = refused(&cast.user2, args).await?;
        assert!(error.contains(expected), "{args:?}: {error}");
        assert!(!error.contains("panicked"), "{args:?}: {error}");
        assert!(!error.is_empty(), "{args:?}");
    }
    // What came back or was refused by the chain is settled before books are compared.
    eventually("nothing is under way", PATIENCE, || async {
        Ok((cast.user2.status().await?.pending_calls == 0).then_some(()))
    })
    .await?;
    let after = books(&cast).await?;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(without_counters(before), without_counters(after));
    }
    close_books(cast, 20_000).await
}

/// Without what a payment that comes back leaves: nonces and equal sums on both sides.
fn without_counters(status: &Value) -> Value {
    let mut status = status.clone();
    for channel in status["channels"].as_array_mut().into_iter().flatten() {
        for counter in ["own_nonce", "own_acked", "partner_nonce"] {
            channel[counter] = Value::Null;
        }
    }
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn h16_hub_should_serve_on_when_strangers_send_garbage() -> Result<(), Failure> {
    let mut cast = cast(HubOptions::default()).await?;
    let before = books(&cast).await?;
    let endpoint = cast.hub1.endpoint();
    let mut random = vec![0u8; 100_000];
    rand::thread_rng().fill_bytes(&mut random);
    let long = u32::MAX.to_be_bytes().to_vec();
    let garbage: Vec<Vec<u8>> = vec![
        vec![],
        vec![0],
        random[..47].to_vec(),
        random.clone(),
        vec![0; 70_000],
        vec![0xff; 70_000],
        b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n".to_vec(),
        long,
    ];
    for bytes in &garbage {
        let mut stream = TcpStream::connect(&endpoint)?;
        // The hub may hang up in the middle.
        let _ = stream.write_all(bytes);
    }
    // Connections that say nothing at all.
    let silent: Vec<_> =
        (0..64).map(|_| TcpStream::connect(&endpoint)).collect::<Result<_, _>>()?;

    // Its commands need the token.
    let contact = fs::read_to_string(cast.hub1.dir().join(failsafe_hub::rpc::server::FILE))?;
    let contact: Value = serde_json::from_str(&contact)?;
    let url = contact["url"].as_str().ok_or_else(|| failure("a contact without url"))?;
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"failsafe_stop","params":{}}"#;
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");

    assert!(cast.hub1.is_running()?);
    assert_eq!(books(&cast).await?, before);
    let paid = cast.user2.pay(&cast.user123.at("one"), "5").await?;
    assert_eq!(paid.state, "delivered");
    drop(silent);
    close_books(cast, 20_000).await
}

/// What a program says until it ends.
pub async fn output(program_name: &str, args: &[&str]) -> Result<Output, Failure> {
    let mut command = tokio::process::Command::new(program(program_name)?);
    Ok(command.args(args).env_remove("RUST_LOG").kill_on_drop(true).output().await?)
}

/// Error of a program that must not start.
pub async fn does_not_start(program_name: &str, args: &[&str]) -> Result<String, Failure> {
    let ended = tokio::time::timeout(PATIENCE, output(program_name, args)).await??;
    let error = String::from_utf8_lossy(&ended.stderr).into_owned();
    if ended.status.success() {
        return Err(failure(format!("{program_name} {args:?} has succeeded")));
    }
    assert!(!error.contains("panicked"), "{error}");
    Ok(error)
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_should_refuse_to_start_when_what_they_find_is_wrong() -> Result<(), Failure> {
    let workspace = Workspace::new()?;
    let dir = workspace.path().to_path_buf();
    let chain = Chain::start(&ChainOptions::story(1), &dir).await?;
    let mut hub = Hub::create("hub", "//hub", chain.url(), &HubOptions::default(), &dir)?;
    hub.start().await?;
    let config = hub.config().display().to_string();
    let run: [&str; 3] = ["--config", &config, "run"];

    // Two processes on one store.
    let error = does_not_start("failsafe-hub", &run).await?;
    assert!(error.contains("in use by another process"), "{error}");
    hub.stop().await?;

    // A wallet without hubs, and one for a hub that does not exist.
    let home = dir.join("wallet").display().to_string();
    let error = does_not_start(
        "failsafe",
        &["--dir", &home, "init", "--node", chain.url(), "--hub", "@nobody"],
    )
    .await?;
    assert!(error.contains("there is no hub @nobody"), "{error}");
    assert!(!dir.join("wallet").exists(), "no half a wallet");
    let wallet = Wallet::create("wallet", "//wallet", chain.url(), None, &dir).await?;
    let error = refused(&wallet, &["pay", "@nobody", "1"]).await?;
    assert!(error.contains("no hub @nobody"), "{error}");
    let again = does_not_start("failsafe", &["--dir", &home, "init"]).await?;
    assert!(again.contains("is not empty"), "{again}");

    // No node there; a node of another chain.
    let dead = format!("ws://127.0.0.1:{}", free_port()?);
    hub.configure(&dead, &HubOptions::default())?;
    let error = does_not_start("failsafe-hub", &run).await?;
    assert!(error.contains("cannot reach a node"), "{error}");
    let other_dir = workspace.folder("other")?;
    let mut options = ChainOptions::story(1);
    options.balances = vec![(hub.account().clone(), 1_000_000_000_000)];
    let other = Chain::start(&options, &other_dir).await?;
    hub.configure(other.url(), &HubOptions::default())?;
    let error = does_not_start("failsafe-hub", &run).await?;
    assert!(error.contains("belongs to the chain with genesis"), "{error}");
    other.stop().await?;

    // The configuration.
    hub.configure(chain.url(), &HubOptions::default())?;
    let good = fs::read_to_string(&config)?;
    for (bad, expected) in [
        (good.replace("listen", "lisden"), "lisden"),
        (good.replace("ack_delay_ms = 20", "ack_delay_ms = -1"), "ack_delay_ms"),
        (good.replace("\"FRD\"", "\"GOLD\""), "there is no asset"),
        (good.replace("credit = \"0\"", "credit = \"much\""), "is not an amount"),
        (good.replace("node = ", "node == "), "configuration"),
        (String::from_utf8_lossy(&[0xfe; 40]).into_owned(), "configuration"),
    ] {
        assert_ne!(bad, good);
        fs::write(&config, bad)?;
        let error = does_not_start("failsafe-hub", &run).await?;
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let missing = format!("{config}.none");
    let error = does_not_start("failsafe-hub", &["--config", &missing, "run"]).await?;
    assert!(error.contains("init"), "{error}");

    // Keys and store.
    fs::write(&config, &good)?;
    let key = hub.dir().join("transport.key");
    let kept = fs::read(&key)?;
    fs::write(&key, b"short")?;
    let error = does_not_start("failsafe-hub", &run).await?;
    assert!(error.contains("transport.key"), "{error}");
    fs::write(&key, kept)?;
    let store = hub.dir().join("store");
    let moved = hub.dir().join("moved");
    fs::rename(&store, &moved)?;
    let error = does_not_start("failsafe-hub", &run).await?;
    assert!(error.contains("there is no store at"), "{error}");
    assert!(!store.exists(), "a lost store is not replaced by an empty one");
    fs::rename(&moved, &store)?;

    // After all that it starts, with what it had.
    hub.start().await?;
    hub.stop().await?;
    chain.stop().await?;
    workspace.finish()
}
