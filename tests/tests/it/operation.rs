//! What the operator of a hub sees and does: monitoring, commands, tokens, subscriptions.

use super::books::{cast, PATIENCE};
use failsafe_hub::rpc::{
    api::{ChannelRow, OnChainView, PaymentRow, RebalanceView},
    client::{client, listener},
    events::StatusEvent,
    guard::{Scope, FORBIDDEN},
    methods,
    operator_api::{FeesView, ModeView, ReloadView, RiskView},
    EventsRpcClient, FailsafeRpcClient, OperatorRpcClient,
};
use failsafe_tests::{
    harness::{eventually, failure, free_port, Failure, Follower, Hub, HubOptions, Workspace},
    story::{report::frd, Cast},
};
use jsonrpsee::core::{
    client::{ClientT, Subscription},
    params::ObjectParams,
    ClientError,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// What begins every name of ours.
const PREFIX: &str = "failsafe_";

/// Seen from the package, where Cargo runs tests; clones may share what was built.
fn repository() -> &'static Path {
    Path::new("..")
}

fn text_of(path: &str) -> Result<String, Failure> {
    let path = repository().join(path);
    fs::read_to_string(&path).map_err(|e| failure(format!("{}: {e}", path.display())))
}

/// The body of a `GET`, as any scraper makes it.
async fn get(address: SocketAddr, path: &str) -> Result<(String, String), Failure> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await??;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| failure("no body"))?;
    Ok((head.to_string(), body.to_string()))
}

/// Samples by name and labels.
fn samples(metrics: &str) -> BTreeMap<String, f64> {
    let lines = metrics.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_string(), value.parse().ok()?))
        })
        .collect()
}

/// Our metrics that a text names.
fn named(text: &str) -> BTreeSet<String> {
    beginning_with(PREFIX, text)
}

/// Words of a text that begin so.
fn beginning_with(prefix: &str, text: &str) -> BTreeSet<String> {
    let starts = text.match_indices(prefix).map(|(at, _)| &text[at..]);
    let ends = |rest: &str| {
        rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
    };
    starts.map(|rest| rest[..ends(rest)].to_string()).collect()
}

/// Strings of a JSON value that stand under `key`.
fn strings_at(value: &Value, key: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(text) if name == key => into.push(text.clone()),
            other => strings_at(other, key, into),
        }),
        Value::Array(values) => values.iter().for_each(|value| strings_at(value, key, into)),
        _ => {},
    }
}

/// A hub with metrics, and a cap of 100 FRD.
async fn watched() -> Result<(Cast, SocketAddr, HubOptions), Failure> {
    let metrics = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let options = HubOptions {
        metrics: Some(metrics),
        max_risk: Some("100".into()),
        ..HubOptions::default()
    };
    Ok((cast(options.clone()).await?, metrics, options))
}

/// 60 FRD arrive, and 60 more would be above the cap.
async fn up_to_the_cap(cast: &Cast) -> Result<(), Failure> {
    let to = cast.user123.at("one");
    let paid = cast.user2.pay(&to, "60").await?;
    assert!(matches!(paid.state.as_str(), "delivered" | "accepted"), "{paid:?}");
    let refused = cast.user2.pay(&to, "60").await.expect_err("it is above the cap").to_string();
    assert!(refused.contains("owes as much without insurance as it may"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_should_have_all_that_dashboard_and_alerts_name() -> Result<(), Failure> {
    let (cast, address, _) = watched().await?;
    up_to_the_cap(&cast).await?;
    // A call that comes to its end.
    cast.user123.ask::<Value>(&["insure"]).await?;
    cast.hub1.rebalance().await?;
    let (head, metrics) = eventually("the metrics are complete", PATIENCE, || async {
        let answer = get(address, "/metrics").await?;
        let there = answer.1.contains("failsafe_balance_free{");
        Ok(there.then_some(answer))
    })
    .await?;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(metrics.ends_with("# EOF\n"));
    let samples = samples(&metrics);
    let there: BTreeSet<String> = samples.keys().flat_map(|sample| named(sample)).collect();

    let dashboard: Value = serde_json::from_str(&text_of("ops/grafana/failsafe-hub.json")?)?;
    let mut expressions = vec![];
    strings_at(&dashboard, "expr", &mut expressions);
    strings_at(&dashboard["templating"], "query", &mut expressions);
    assert!(expressions.len() > 30, "the dashboard has panels");
    let alerts = text_of("ops/prometheus/alerts.yml")?;
    let rules: Vec<&str> = alerts.lines().filter(|line| line.trim().starts_with("expr:")).collect();
    assert!(rules.len() > 10, "there are alerts");
    for text in expressions.iter().map(String::as_str).chain(rules) {
        for name in named(text) {
            assert!(there.contains(&name), "{name} of {text} is not in:\n{metrics}");
        }
    }

    let is = |name: &str, expected: f64| {
        let value = samples.get(name).copied();
        let near = value.is_some_and(|value| (value - expected).abs() < 1e-6);
        assert!(near, "{name} is {value:?}, not {expected}, in:\n{metrics}");
    };
    // The rebalance has insured all that was owed.
    is("failsafe_risk{asset=\"FRD\"}", 0.0);
    is("failsafe_risk_cap{asset=\"FRD\"}", 100.0);
    is("failsafe_insured_partners{asset=\"FRD\"}", 5_000.0);
    is(r#"failsafe_payments_total{direction="through",kind="plain",event="forwarded"}"#, 1.0);
    is(r#"failsafe_payments_total{direction="through",kind="plain",event="delivered"}"#, 1.0);
    is(r#"failsafe_payments_total{direction="through",kind="plain",event="returned"}"#, 1.0);
    is(r#"failsafe_forwards_refused_total{kind="plain",reason="RiskCap"}"#, 1.0);
    is(r#"failsafe_payment_seconds_count{kind="plain"}"#, 1.0);
    is(r#"failsafe_calls_ended_total{call="batch.submit",outcome="done"}"#, 1.0);
    is("failsafe_peers_connected", 2.0);
    is("failsafe_channels", 2.0);
    is("failsafe_chain_fresh", 1.0);
    is(r#"failsafe_mode{mode="open"}"#, 1.0);
    assert!(samples["failsafe_commit_seconds_count"] > 1.0);
    assert!(samples["failsafe_chain_best_block"] > 1.0);
    let (head, _) = get(address, "/").await?;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    cast.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_of_a_node_should_have_all_that_its_dashboard_and_alerts_name(
) -> Result<(), Failure> {
    const NODE: &str = "substrate_";
    let workspace = Workspace::new()?;
    let node = Follower::author(workspace.path()).await?;
    let dashboard: Value = serde_json::from_str(&text_of("ops/grafana/failsafe-node.json")?)?;
    let mut texts = vec![text_of("ops/prometheus/node-alerts.yml")?];
    strings_at(&dashboard, "expr", &mut texts);
    strings_at(&dashboard["templating"], "query", &mut texts);
    assert!(texts.len() > 20, "the dashboard has panels");
    let wanted: BTreeSet<_> = texts.iter().flat_map(|text| beginning_with(NODE, text)).collect();
    assert!(wanted.len() > 15, "{wanted:?}");
    // Some of them begin with the first block, or vote.
    eventually("every metric is there", PATIENCE, || async {
        let (head, metrics) = get(node.metrics(), "/metrics").await?;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let there = beginning_with(NODE, &metrics);
        Ok(wanted.is_subset(&there).then_some(()))
    })
    .await?;
    node.stop().await?;
    workspace.finish()
}

#[test]
fn every_alert_should_be_tested_and_explained() -> Result<(), Failure> {
    explained("alerts", "docs/hub.md")?;
    explained("node-alerts", "docs/operator/monitoring.md")
}

fn explained(rules: &str, manual_path: &str) -> Result<(), Failure> {
    let alerts = text_of(&format!("ops/prometheus/{rules}.yml"))?;
    let tests = text_of(&format!("ops/prometheus/{rules}.test.yml"))?;
    let manual = text_of(manual_path)?;
    let names: Vec<&str> =
        alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() > 10);
    for name in names {
        let anchor = format!("{manual_path}#{}", name.to_lowercase());
        assert!(alerts.contains(&anchor), "{name} does not say where it is explained");
        assert!(tests.contains(&format!("alertname: {name}\n")), "{name} is not tested");
        assert!(manual.contains(&format!("#### {name}\n")), "{name} is not explained");
    }
    Ok(())
}

async fn partner_row(hub: &Hub, partner: &str) -> Result<ChannelRow, Failure> {
    hub.ask(&["channel", partner]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_should_see_and_steer_the_hub() -> Result<(), Failure> {
    let (mut cast, ..) = watched().await?;
    up_to_the_cap(&cast).await?;
    let hub = &cast.hub1;

    let risk: RiskView = hub.ask(&["risk"]).await?;
    let [total] = &risk.assets[..] else { return Err(failure(format!("{risk:?}"))) };
    assert_eq!((total.owed.0, total.cap.map(|cap| cap.0)), (frd(60), Some(frd(100))));
    assert_eq!(risk.partners[0].partner, cast.user123.account().to_string(), "the greatest first");
    assert_eq!(risk.partners[0].owed.0, frd(60));
    let least: RiskView = hub.ask(&["risk", "--limit", "1"]).await?;
    assert_eq!((least.partners.len(), least.left_out), (1, 1));
    let channels: Vec<ChannelRow> = hub.ask(&["channels"]).await?;
    assert_eq!(channels.len(), 2);
    let row = partner_row(hub, &cast.user2.account().to_string()).await?;
    assert!(row.connected && row.assets[0].own_insured.0 == frd(60), "{row:?}");
    let unknown = hub.ask::<Value>(&["channel", &hub.account().to_string()]).await;
    assert!(unknown.expect_err("no channel with itself").to_string().contains("no channel"));

    // What may change while it runs, changes; the rest is refused as a whole.
    hub.edit("ppm = 0", "ppm = 500")?;
    hub.edit("max_risk = \"100\"", "max_risk = \"1000\"")?;
    let done: ReloadView = hub.ask(&["reload"]).await?;
    assert_eq!(done.changed, ["assets.FRD.max_risk", "fees.ppm"]);
    assert!(done.notes[0].contains("fees --update"), "{done:?}");
    let fees: FeesView = hub.ask(&["fees"]).await?;
    let quoted = fees.registry.as_ref().map(|hub| hub.ppm);
    assert_eq!((fees.ppm, quoted, fees.differs), (500, Some(0), true));
    let refused = cast.user2.pay(&cast.user123.at("one"), "10").await;
    assert!(refused.expect_err("too little").to_string().contains("fee was not covered"));
    let _: OnChainView = hub.ask(&["fees", "--update"]).await?;
    let fees: FeesView = hub.ask(&["fees"]).await?;
    assert!(!fees.differs, "{fees:?}");
    let paid = cast.user2.pay(&cast.user123.at("one"), "100").await?;
    assert_eq!(paid.fee.0, frd(100) / 2_000);
    hub.edit("rpc = \"127.0.0.1:0\"", "rpc = \"127.0.0.1:1\"")?;
    hub.edit("ppm = 500", "ppm = 900")?;
    let refused = hub.ask::<Value>(&["reload"]).await.expect_err("rpc needs a restart").to_string();
    assert!(refused.contains("rpc") && !refused.contains("fees"), "{refused}");
    let fees: FeesView = hub.ask(&["fees"]).await?;
    assert_eq!(fees.ppm, 500, "nothing was followed");
    hub.edit("rpc = \"127.0.0.1:1\"", "rpc = \"127.0.0.1:0\"")?;
    hub.edit("ppm = 900", "ppm = 0")?;
    hub.process()?.hang_up()?;
    eventually("the signal is followed", PATIENCE, || async {
        let fees: FeesView = hub.ask(&["fees"]).await?;
        Ok((fees.ppm == 0).then_some(()))
    })
    .await?;

    // Drained, also after a restart.
    let mode: ModeView = hub.ask(&["drain"]).await?;
    assert_eq!(mode.mode, "draining");
    cast.hub1.stop().await?;
    cast.hub1.start().await?;
    assert_eq!(cast.hub1.status().await?.mode.as_deref(), Some("draining"));
    let refused = cast.user2.pay(&cast.user123.at("one"), "1").await;
    assert!(refused.expect_err("it is drained").to_string().contains("does not forward"));
    let mode: ModeView = cast.hub1.ask(&["resume"]).await?;
    assert_eq!(mode.mode, "open");
    cast.user2.pay(&cast.user123.at("one"), "1").await?;
    cast.stop().await
}

async fn next<T: serde::de::DeserializeOwned>(news: &mut Subscription<T>) -> Result<T, Failure> {
    let item = timeout(PATIENCE, news.next()).await?;
    Ok(item.ok_or_else(|| failure("the subscription ended"))??)
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_should_allow_their_scope_and_listeners_should_be_told() -> Result<(), Failure> {
    let (cast, ..) = watched().await?;
    let hub = &cast.hub1;
    let mut tokens = BTreeSet::new();
    for (file, scope) in [
        ("rpc.json", Scope::Admin),
        ("rpc.spend.json", Scope::Spend),
        ("rpc.read.json", Scope::Read),
    ] {
        let mode = fs::metadata(hub.dir().join(file))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
        let contact = hub.contact(scope)?;
        assert_eq!(contact.scope, scope);
        tokens.insert(contact.token.reveal().to_string());
    }
    assert_eq!(tokens.len(), 3);
    let reader = client(&hub.contact(Scope::Read)?)?;
    reader.status().await?;
    let RebalanceView { .. } = client(&hub.contact(Scope::Admin)?)?.rebalance(true).await?;
    for refused in [reader.stop().await, reader.drain().await.map(drop)] {
        match refused {
            Err(ClientError::Call(error)) => {
                assert_eq!(error.code(), FORBIDDEN);
                assert!(error.message().contains("needs the admin token"), "{error}");
            },
            other => return Err(failure(format!("{other:?}"))),
        }
    }
    let document: Value = reader.request(methods::DISCOVER, ObjectParams::new()).await?;
    assert_eq!(document, methods::hub_document());
    assert_eq!(document, hub.ask::<Value>(&["openrpc"]).await?);

    let ear = listener(&hub.contact(Scope::Read)?).await?;
    let mut payments = ear.subscribe_payments().await?;
    let mut status = ear.subscribe_status().await?;
    let first: StatusEvent = next(&mut status).await?;
    let paid = cast.user2.pay(&cast.user123.at("one"), "5").await?;
    let mut states = vec![];
    while states.last().map(String::as_str) != Some("delivered") {
        let row: PaymentRow = next(&mut payments).await?;
        assert_eq!((&row.id, row.amount.0), (&paid.id, frd(5)));
        states.push(row.state);
    }
    assert_eq!(states, ["sent", "delivered"]);
    let later = next(&mut status).await?;
    assert!(later.best >= first.best && later != first, "{first:?} {later:?}");

    // Nothing that is secret has been logged.
    let log = hub.process()?.output();
    let key: Value = serde_json::from_str(&fs::read_to_string(hub.dir().join("key.json"))?)?;
    let transport = fs::read_to_string(hub.dir().join("transport.key"))?;
    let secret = key["secret"].as_str().ok_or_else(|| failure("the key file has no secret"))?;
    let transport = transport.split_whitespace().next().unwrap_or_default();
    assert!(secret.len() > 8 && transport.len() == 64 && log.contains("connected"), "{log}");
    for hidden in tokens.iter().map(String::as_str).chain([secret, transport]) {
        assert!(!log.contains(hidden), "a secret is in the log");
    }
    drop(ear);
    cast.stop().await
}
