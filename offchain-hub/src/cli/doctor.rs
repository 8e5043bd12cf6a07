//! `doctor`: looks at everything that a party needs, and says what to do.

use super::{render, show, Home};
use crate::{
    chain::ChainClient,
    config::HubConfig,
    keys::{read_private, AccountKey},
    party::runtime::now_ms,
    rpc::{
        client::{client, contact},
        server::FILE,
        FailsafeRpcClient,
    },
    store::{audit, backup, Place, StoreError, Tables},
    transport::TransportKey,
};
use failsafe_channel::Sign;
use failsafe_primitives::{AccountId, NATIVE_ASSET};
use serde::Serialize;
use std::{
    fmt::Display,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};

/// Free space below which a disk is a warning, and below which it is a failure, in bytes.
const SPACE: (u64, u64) = (1 << 30, 100 << 20);
/// How far this machine's time may be from that of the newest block.
const CLOCK: Duration = Duration::from_secs(60);
/// How long an endpoint may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Most broken channels that are named.
const NAMED: usize = 5;

/// Who is looked at.
pub enum Subject {
    /// A hub.
    Hub {
        /// Its configuration.
        config: Box<HubConfig>,
        /// Its transport key's file.
        transport: PathBuf,
    },
    /// A wallet.
    Wallet,
}

/// How a check ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    Ok,
    /// It works, but somebody should look.
    Warn,
    /// It does not work, or money is at risk.
    Fail,
}

/// A check with its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do, if something is to be done.
    pub advice: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, check: &'static str, verdict: Verdict, found: impl Display, advice: &str) {
        let (found, advice) = (found.to_string(), advice.to_string());
        self.0.push(Finding { check, verdict, found, advice });
    }

    fn ok(&mut self, check: &'static str, found: impl Display) {
        self.add(check, Verdict::Ok, found, "");
    }

    fn warn(&mut self, check: &'static str, found: impl Display, advice: &str) {
        self.add(check, Verdict::Warn, found, advice);
    }

    fn fail(&mut self, check: &'static str, found: impl Display, advice: &str) {
        self.add(check, Verdict::Fail, found, advice);
    }
}

/// Looks at everything and shows a table.
///
/// # Errors
/// When a check has failed: how many.
pub(super) async fn run(home: &Home, subject: Subject, json: bool) -> Result<(), String> {
    let findings = examine(home, &subject).await;
    show(json, &findings, |findings| {
        let mut table = render::table(&["check", "", "found", "what to do"]);
        for Finding { check, verdict, found, advice } in findings {
            let verdict = match verdict {
                Verdict::Ok => "ok",
                Verdict::Warn => "warn",
                Verdict::Fail => "FAIL",
            };
            table.add_row([check, verdict, found, advice.as_str()]);
        }
        table.to_string()
    })?;
    match findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} checks failed", findings.len())),
    }
}

async fn examine(home: &Home, subject: &Subject) -> Vec<Finding> {
    let mut findings = Findings::default();
    findings.ok("configuration", "it can be read");
    let key = check_key(home, &mut findings);
    let transport = check_transport(subject, &mut findings);
    check_folder(home, &mut findings);
    let running = check_process(home, &mut findings).await;
    let genesis = match &key {
        Some(key) => check_store(home, key, running, &mut findings).await,
        None => None,
    };
    match ChainClient::connect(&home.node).await {
        Ok(client) => {
            let node = client.info().genesis;
            match genesis {
                Some(ours) if ours != node => findings.fail(
                    "node",
                    format!("its chain has genesis {node:?}, the store's {ours:?}"),
                    "connect to a node of the store's chain",
                ),
                _ => findings.ok("node", format!("{} ({node:?})", client.info().name)),
            }
            check_clock(&client, &mut findings).await;
            if let Some(key) = &key {
                if let Err(problem) = client.info().check_key(key, false) {
                    let advice = "close the channels and move the money to an account of your own";
                    findings.fail("account key", problem, advice);
                }
                check_account(&client, &key.account(), &mut findings).await;
                if let Subject::Hub { config, .. } = subject {
                    let account = key.account();
                    check_registry(&client, &account, config, transport, &mut findings).await;
                }
            }
        },
        Err(problem) => findings.fail("node", problem, "start it, or correct the address"),
    }
    findings.0
}

fn check_key(home: &Home, findings: &mut Findings) -> Option<AccountKey> {
    match AccountKey::load(&home.key) {
        Ok(key) => {
            findings.ok("account key", key.account());
            Some(key)
        },
        Err(problem) => {
            findings.fail("account key", problem, "restore the file, readable by its owner only");
            None
        },
    }
}

fn check_transport(subject: &Subject, findings: &mut Findings) -> Option<[u8; 32]> {
    let Subject::Hub { transport, .. } = subject else { return None };
    match TransportKey::load(transport) {
        Ok(key) => {
            findings.ok("transport key", hex::encode(key.public()));
            Some(key.public())
        },
        Err(problem) => {
            let advice = "restore the file: a new key has to be registered before users come back";
            findings.fail("transport key", problem, advice);
            None
        },
    }
}

/// Disk space and who may write.
fn check_folder(home: &Home, findings: &mut Findings) {
    match rustix::fs::statvfs(&home.dir) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let found = format!("{} MiB free", free >> 20);
            let advice = "make room: a full disk stops the party";
            match free {
                free if free < SPACE.1 => findings.fail("disk", found, advice),
                free if free < SPACE.0 => findings.warn("disk", found, advice),
                _ => findings.ok("disk", found),
            }
        },
        Err(problem) => findings.fail("disk", problem, "is the folder there?"),
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&home.dir).map(|found| found.permissions().mode());
        match mode {
            Ok(mode) if mode & 0o022 != 0 => findings.fail(
                "folder",
                format!("others may write to {} (mode {:o})", home.dir.display(), mode & 0o777),
                "run chmod go-w on it",
            ),
            Ok(_) => findings.ok("folder", home.dir.display()),
            Err(problem) => findings.fail("folder", problem, "is the folder there?"),
        }
    }
}

/// Whether the party runs, and whether only its owner can command it.
async fn check_process(home: &Home, findings: &mut Findings) -> bool {
    let path = home.dir.join(FILE);
    if !path.exists() {
        findings.ok("process", "it does not run");
        return false;
    }
    if let Err(problem) = read_private(&path) {
        findings.fail("command token", problem, "whoever can read it can pay: chmod 600, restart");
        return false;
    }
    findings.ok("command token", "only its owner can read it");
    let asked = async {
        let contact = contact(&home.dir).ok()??;
        client(&contact).ok()?.status().await.ok()
    };
    match asked.await {
        Some(status) if status.fresh => {
            findings.ok("process", format!("it runs; best block {}", status.best));
            true
        },
        Some(status) => {
            let found = format!("it runs, but block {} is old", status.best);
            findings.fail("process", found, "look at the node: nothing is forwarded now");
            true
        },
        None => {
            let advice = "if it was killed, this is what it left behind: start it";
            findings.warn("process", "it has left its note and does not answer", advice);
            false
        },
    }
}

/// All records: those of a running party by way of a backup, for it has its store locked.
async fn read_store(home: &Home, running: bool) -> Result<Tables, String> {
    let direct = || home.place.look().and_then(|store| store.snapshot()).map_err(|e| e.to_string());
    if !running || !matches!(home.place, Place::Directory(_)) {
        return direct();
    }
    let dir = std::path::absolute(&home.dir).map_err(|e| e.to_string())?;
    let file = dir.join(format!("doctor.{}.backup", std::process::id()));
    let read = read_running(home, &file).await;
    // It has the store's secrets. It may not be there.
    let _ = std::fs::remove_file(&file);
    read
}

async fn read_running(home: &Home, file: &Path) -> Result<Tables, String> {
    let contact = contact(&home.dir).map_err(|e| e.to_string())?;
    let contact = contact.ok_or("it has just stopped: look again")?;
    let client = client(&contact).map_err(|e| e.to_string())?;
    let path = file.display().to_string();
    client.backup(path).await.map_err(crate::rpc::client::explain)?;
    Ok(backup::read(file).map_err(|e| e.to_string())?.into_tables())
}

/// Reads all records. Returns the chain that the store is for.
async fn check_store(
    home: &Home,
    key: &AccountKey,
    running: bool,
    findings: &mut Findings,
) -> Option<sp_core::H256> {
    let tables = match read_store(home, running).await {
        Ok(tables) => tables,
        Err(problem) => {
            findings.fail("store", problem, "");
            return None;
        },
    };
    let audit = match audit::audit(tables, key) {
        Ok(audit) => audit,
        Err(problem @ StoreError::FromTheFuture { .. }) => {
            findings.fail("store", problem, "update this program");
            return None;
        },
        Err(problem) => {
            findings.fail("store", problem, "");
            return None;
        },
    };
    let account = key.account();
    if audit.owner.account != account {
        let found = format!("it belongs to {}, the key to {account}", audit.owner.account);
        findings.fail("store", found, "use the right folder or key");
    } else {
        let found = format!("{} channels, {} records, all readable", audit.channels, audit.records);
        findings.ok("store", found);
    }
    match &audit.broken[..] {
        [] => findings.ok("channels", "signatures and numbers fit"),
        broken => findings.fail(
            "channels",
            broken.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; "),
            "do not start it: restore a backup, the partners bring it up to date",
        ),
    }
    if audit.restored > 0 {
        let found = format!("{} channels were restored and wait for their partner", audit.restored);
        findings.warn("restored", found, "they go on when the partner has connected");
    }
    if audit.lost > 0 {
        let found = format!("{} channels have lost data", audit.lost);
        findings.warn("lost data", found, "close them together with the partner");
    }
    audit.owner.genesis
}

async fn check_clock(client: &ChainClient, findings: &mut Findings) {
    match client.best_block_ms().await {
        Ok(block) => {
            let apart = Duration::from_millis(now_ms().abs_diff(block));
            let found = format!("{} seconds from the newest block's", apart.as_secs());
            if apart > CLOCK {
                let advice = "set this machine's time (NTP), or wait until the node has caught up";
                findings.warn("clock", found, advice);
            } else {
                findings.ok("clock", found);
            }
        },
        Err(problem) => findings.fail("clock", problem, "look at the node"),
    }
}

async fn check_account(client: &ChainClient, account: &AccountId, findings: &mut Findings) {
    let balance = client.balances(account, &[NATIVE_ASSET], None).await;
    let free = balance.map(|rows| rows.first().map_or(0, |row| row.free));
    match free {
        Ok(0) => findings.warn(
            "fees",
            "the account has no native money on chain",
            "send it some: without it nothing can be disputed",
        ),
        Ok(_) => findings.ok("fees", "there is money for them"),
        Err(problem) => findings.fail("fees", problem, "look at the node"),
    }
    match client.owes(account).await {
        Ok(debts) if debts.is_empty() => findings.ok("debts", "none"),
        Ok(debts) => {
            let found = format!("it owes in {} assets", debts.len());
            findings.warn("debts", found, "what comes in is taken for them");
        },
        Err(problem) => findings.fail("debts", problem, "look at the node"),
    }
}

/// What users are told of the hub, and whether it is so.
async fn check_registry(
    client: &ChainClient,
    account: &AccountId,
    config: &HubConfig,
    transport: Option<[u8; 32]>,
    findings: &mut Findings,
) {
    let hub = match client.hub(account).await {
        Ok(Some(hub)) => hub,
        Ok(None) => {
            let advice = "run `failsafe-hub register @handle host:port`: wallets find it then";
            return findings.warn("registry", "the hub is not registered", advice);
        },
        Err(problem) => return findings.fail("registry", problem, "look at the node"),
    };
    let handle = String::from_utf8_lossy(&hub.handle).into_owned();
    let ours = config.hub_fees();
    if hub.fees == ours {
        findings.ok("registry: fees", format!("@{handle}: {} + {} ppm", ours.base, ours.ppm));
    } else {
        findings.fail(
            "registry: fees",
            format!(
                "users are quoted {} + {} ppm, the hub asks for {} + {} ppm",
                hub.fees.base, hub.fees.ppm, ours.base, ours.ppm
            ),
            "call hubs.update, or change [fees] in the configuration: their payments come back",
        );
    }
    match transport {
        Some(key) if key != hub.transport_key => findings.fail(
            "registry: transport key",
            "it is not that of transport.key",
            "restore the file, or call hubs.update: nobody can connect",
        ),
        Some(_) => findings.ok("registry: transport key", "it is that of transport.key"),
        None => {},
    }
    let endpoint = String::from_utf8_lossy(&hub.endpoint).into_owned();
    match timeout(ANSWER, TcpStream::connect(&endpoint)).await {
        Ok(Ok(_)) => findings.ok("registry: endpoint", endpoint),
        _ => findings.warn(
            "registry: endpoint",
            format!("nobody answers at {endpoint} from here"),
            "start the hub, or correct the endpoint in the registry",
        ),
    }
}
