//! A hub's configuration file.

use crate::{
    amount::{self, AmountError},
    party::{
        policy::{Policy, RebalancePolicy, Signing, CHANNELS_ON_PAGES, PAYMENTS_IN_MEMORY},
        ProcessPlan, Role,
    },
    rebalance::AssetRules,
    store::{postgres::Options, Place},
    watchtower::{address::TowerAddressError, TowerAddress},
};
use failsafe_channel::AssetTerms;
use failsafe_primitives::{
    arithmetic::LIMIT, fees::HubFees, parameters::MAX_FEE_CEILING_PPM, view::AssetView, Balance,
    Rate,
};
use failsafe_routing::MAX_RATES;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

/// The store's folder, in that of the hub.
const STORE: &str = "store";
/// The line of the template that a store in a database replaces.
const NO_STORE: &str = "# store = \"postgres://hub@localhost/hub\"";

/// Longest that an acknowledgement may wait: one usable block of the fastest chain.
const MAX_ACK_DELAY_MS: u64 = 1_000;
/// Longest that a payment may wait for a signature: as long as for its acknowledgement.
const MAX_SIGN_DELAY_MS: u64 = 1_000;
/// Most partners that one hub process takes.
const MAX_PARTNERS: usize = 2_000_000;

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration {path}: {source}; `failsafe-hub init` writes one")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not what is expected.
    #[error("configuration {path}: {reason}")]
    Syntax {
        /// The file.
        path: String,
        /// Where and why.
        reason: Box<toml::de::Error>,
    },
    /// A number is out of its bounds.
    #[error("configuration: {name} is {value}, but must be {bounds}")]
    OutOfBounds {
        /// Which number.
        name: &'static str,
        /// What it is.
        value: u64,
        /// What it may be.
        bounds: String,
    },
    /// An amount.
    #[error("configuration of asset {asset}: {error}")]
    Amount {
        /// Of which asset.
        asset: String,
        /// What is wrong.
        error: AmountError,
    },
    /// No such asset.
    #[error("configuration: there is no asset {0:?} on this chain")]
    UnknownAsset(String),
    /// A rate that cannot be used.
    #[error("configuration: {takes} cannot be changed into {gives} like this: {reason}")]
    Exchange {
        /// What is taken.
        takes: String,
        /// What is given.
        gives: String,
        /// Why.
        reason: &'static str,
    },
    /// A watchtower's address.
    #[error("configuration: towers: {0}")]
    Tower(#[from] TowerAddressError),
    /// Not a place for a store.
    #[error("configuration: store is {shown:?}, but must be postgres://user@host/database, or absent for a store in `dir` ({reason})")]
    Store {
        /// What it is.
        shown: String,
        /// What is wrong.
        reason: String,
    },
    /// Not a plan for several processes.
    #[error("configuration: processes: {0} (docs/processes.md)")]
    Processes(String),
    /// The same asset twice.
    #[error("configuration: asset {0:?} is there twice")]
    AssetTwice(String),
}

/// A hub's configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HubConfig {
    /// The node's WebSocket address.
    pub node: String,
    /// Where keys and store are; relative to the file.
    pub dir: PathBuf,
    /// The store: `postgres://…`; in `dir` if absent.
    #[serde(default)]
    pub store: Option<String>,
    /// For how long a process owns a store in a database; a standby waits as long for a dead one.
    #[serde(default = "default_lease")]
    pub lease_seconds: u64,
    /// Where users connect.
    pub listen: String,
    /// Where the hub answers its operator; this machine only.
    pub rpc: SocketAddr,
    /// Where Prometheus finds its numbers; nowhere if absent.
    pub metrics: Option<SocketAddr>,
    /// How long an acknowledgement may wait for an own update to carry it.
    #[serde(default = "default_ack_delay")]
    pub ack_delay_ms: u64,
    /// Whether payments go without a signature to partners whose terms allow it.
    #[serde(default = "yes")]
    pub pay_unsigned: bool,
    /// How long such a payment may wait for a signature that covers it.
    #[serde(default = "default_sign_delay")]
    pub sign_delay_ms: u64,
    /// How old the newest block may be before nothing is forwarded.
    #[serde(default = "default_stale_after")]
    pub stale_after_seconds: u64,
    /// Most partners.
    #[serde(default = "default_partners")]
    pub max_partners: usize,
    /// Whether one signature may be for many messages, and many are checked at once.
    #[serde(default = "yes")]
    pub sign_together: bool,
    /// Other hubs that it dials, `@handle` or account: payments can go on through them.
    #[serde(default)]
    pub peers: Vec<String>,
    /// Which process of the hub this is, when several share its partners out.
    #[serde(default)]
    pub processes: Option<ProcessesConfig>,
    /// Watchtowers that get the newest of every channel, `account@host:port#key`.
    #[serde(default)]
    pub towers: Vec<String>,
    /// What it asks for forwarding.
    #[serde(default)]
    pub fees: FeesConfig,
    /// How it rebalances.
    #[serde(default)]
    pub rebalance: RebalanceConfig,
    /// How much others may ask of it.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Assets that it takes.
    #[serde(default = "default_assets")]
    pub assets: Vec<AssetConfig>,
    /// At what rates it changes money.
    #[serde(default)]
    pub exchange: Vec<ExchangeConfig>,
}

/// At what rate a hub changes money.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeConfig {
    /// Symbol or number of the asset that it takes.
    pub takes: String,
    /// Symbol or number of the asset that it gives.
    pub gives: String,
    /// How much it takes for one whole unit of what it gives.
    pub price: String,
}

/// The processes of a hub that share its partners out.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessesConfig {
    /// The number of this one, from 0 on.
    pub number: usize,
    /// Where users reach each of them, by number.
    pub public: Vec<String>,
    /// Where each of them listens for the others, by number.
    pub private: Vec<String>,
}

/// What a hub asks for forwarding.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeesConfig {
    /// Fixed part in the asset's smallest unit.
    #[serde(default)]
    pub base: u64,
    /// Proportional part in parts per million.
    #[serde(default)]
    pub ppm: u32,
}

/// How a hub rebalances.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RebalanceConfig {
    /// Pause between two rounds; 0: only on request.
    #[serde(default)]
    pub every_seconds: u64,
    /// How long a round waits for withdrawal proofs.
    #[serde(default = "default_proof_timeout")]
    pub proof_timeout_seconds: u64,
    /// How long a spender may owe a proof before it is disputed; 0: never.
    #[serde(default)]
    pub absent_grace_seconds: u64,
    /// Whether a batch skips what fails instead of undoing all of it.
    #[serde(default)]
    pub skip_failed: bool,
}

impl Default for RebalanceConfig {
    fn default() -> Self {
        Self {
            every_seconds: 0,
            proof_timeout_seconds: default_proof_timeout(),
            absent_grace_seconds: 0,
            skip_failed: false,
        }
    }
}

/// How much others may ask of a hub; 0: as much as they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Messages of a peer in a second, one more for every 4 KiB of a message. Who sends more is read
    /// more slowly.
    #[serde(default = "default_peer_messages")]
    pub peer_messages_per_second: u32,
    /// Requests in a second with one token of the RPC.
    #[serde(default = "default_rpc_requests")]
    pub rpc_requests_per_second: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            peer_messages_per_second: default_peer_messages(),
            rpc_requests_per_second: default_rpc_requests(),
        }
    }
}

/// How a hub treats an asset.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AssetConfig {
    /// Symbol or number.
    pub asset: String,
    /// How much a user may owe the hub.
    #[serde(default = "zero")]
    pub credit: String,
    /// How much a user may have paid at a time without a signature.
    #[serde(default = "zero")]
    pub unsigned_limit: String,
    /// How much the hub may owe all its users together without insurance; without end if absent.
    pub max_risk: Option<String>,
    /// Smallest payment that is forwarded or remembered; a thousandth if absent.
    pub min_payment: Option<String>,
    /// Smallest insured part of the hub that is worth a withdrawal.
    #[serde(default = "zero")]
    pub min_risk: String,
    /// On-chain money that rebalances leave alone: fees.
    #[serde(default = "zero")]
    pub reserve: String,
    /// Smallest uninsured balance that is worth a deposit.
    #[serde(default = "one")]
    pub min_deposit: String,
    /// What a user has to pay beforehand who wants to be insured at once; no such requests if absent.
    pub insurance_fee: Option<String>,
}

/// A thousandth of a whole unit, as far as the asset is divisible.
fn thousandth(decimals: u8) -> Balance {
    10u128.checked_pow(u32::from(decimals).saturating_sub(3)).unwrap_or(LIMIT)
}

fn default_ack_delay() -> u64 {
    20
}

fn yes() -> bool {
    true
}

fn default_sign_delay() -> u64 {
    20
}

fn default_lease() -> u64 {
    5
}

fn default_stale_after() -> u64 {
    20
}

fn default_partners() -> usize {
    10_000
}

/// More than one peer can make a hub of two cores do, so that no honest one is slowed down.
fn default_peer_messages() -> u32 {
    100_000
}

fn default_rpc_requests() -> u32 {
    1_000
}

fn default_proof_timeout() -> u64 {
    10
}

fn zero() -> String {
    "0".into()
}

fn one() -> String {
    "1".into()
}

fn default_assets() -> Vec<AssetConfig> {
    vec![AssetConfig {
        asset: "FRD".into(),
        credit: zero(),
        unsigned_limit: zero(),
        max_risk: None,
        min_payment: None,
        min_risk: zero(),
        reserve: zero(),
        min_deposit: one(),
        insurance_fee: None,
    }]
}

/// What `failsafe-hub init` writes.
pub fn template(node: &str, dir: &Path, listen: &str, rpc: SocketAddr) -> String {
    let quote = |text: &str| toml::Value::String(text.into()).to_string();
    format!(
        r#"# A Failsafe hub. `failsafe-hub run --config <this file>` starts it.

# WebSocket address of a Failsafe node.
node = {node}
# Keys and store; relative to this file. Back it up: channels are money.
dir = {dir}
# A store in a PostgreSQL database instead, for which several processes stand by.
{NO_STORE}
# Where users connect. Register the address they see: failsafe-hub register @handle host:port
listen = {listen}
# Where the operator's commands go; this machine only.
rpc = {rpc}
# Numbers for Prometheus are served here, if it is there: metrics = "127.0.0.1:9616"

# How long an acknowledgement may wait for a payment in the other direction to carry it.
ack_delay_ms = 20
# Payments to partners who take them without a signature go without one, and are signed together after
# this long: faster, and their risk, not yours.
pay_unsigned = true
sign_delay_ms = 20
# Nothing is forwarded when the newest block is older than this.
stale_after_seconds = 20
max_partners = 10000
# A busy hub signs many messages at once and checks many at once. Signatures are longer then, also on chain.
sign_together = true
# Other hubs to connect to, "@handle" or account: payments go on through them. One of two is enough.
# How much the other may owe you: failsafe-hub terms 1000 --partner @handle
peers = []
# Watchtowers: they answer disputes and reveal secrets while this hub is away (docs/tower.md).
# "account@host:port#key" as `failsafe-tower run` prints it. A tower sees what you and your users have
# paid each other.
towers = []

# Several processes share the partners out, each with a store of its own (docs/processes.md). This is
# decided before a store is first used.
# [processes]
# number = 0 # which of them this is
# public = ["hub.example:9950", "hub.example:9960"] # where users reach each of them
# private = ["10.0.0.1:9955", "10.0.0.2:9955"] # where they reach each other; for nobody else

[fees]
# For forwarding: base (smallest units of the asset) + parts per million. Users are quoted what the
# registry on chain says: after a change run `failsafe-hub fees --update`.
base = 0
ppm = 0

[rebalance]
# Pause between two rounds; 0: only on `failsafe-hub rebalance`.
every_seconds = 60
# How long a round waits for the spenders' withdrawal proofs.
proof_timeout_seconds = 10
# Spenders that owe a proof for longer are disputed; 0: never.
absent_grace_seconds = 86400
# A batch in which something fails is undone as a whole; true: only what fails is skipped.
skip_failed = false

[limits]
# Who sends more messages is read more slowly; a message of more than 4 KiB counts more than once.
peer_messages_per_second = 100000
# Of each of the three tokens of the RPC.
rpc_requests_per_second = 1000

[[assets]]
asset = "FRD"
# How much a user may owe you: your risk.
credit = "0"
# How much each user may have paid without a signature: you forward it and may lose it, in all at most
# this much per user. 0: everything is signed.
unsigned_limit = "0"
# How much you may owe all users together beyond their insurance, which is their risk: payments that
# would raise it above go back. Without it there is no end.
# max_risk = "100000"
# Smaller payments are neither forwarded nor remembered.
min_payment = "0.001"
# Spenders with less than this are left alone.
min_risk = "10"
# On-chain money that rebalances leave alone: your fees.
reserve = "10"
# Users whom you owe less are not insured: their deposits would cost more than they are worth.
min_deposit = "1"
# A user who pays this beforehand (`failsafe insure --fee`) is insured in the next round, or gets it
# back. Without it no such requests are taken.
# insurance_fee = "1"

# You change money: who pays USD may have EUR paid on. Your price binds you for as long as a payment
# takes, up to the lock window (minutes): leave a margin. You need EUR that can be paid on.
# [[exchange]]
# takes = "USD"
# gives = "EUR"
# price = "1.09" # USD for one EUR
"#,
        node = quote(node),
        dir = quote(&dir.display().to_string()),
        listen = quote(listen),
        rpc = quote(&rpc.to_string()),
    )
}

/// The template with its store in a database.
pub fn with_store(template: &str, url: &str) -> String {
    let line = format!("store = {}", toml::Value::String(url.into()));
    template.replacen(NO_STORE, &line, 1)
}

impl HubConfig {
    /// Reads and checks a file; `dir` becomes relative to the current directory.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Io { path: name.clone(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|reason| ConfigError::Syntax { path: name, reason: Box::new(reason) })?;
        config.check()?;
        config.towers()?;
        config.processes()?;
        if let Some(parent) = path.parent() {
            config.dir = parent.join(&config.dir);
        }
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let within = |name, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            let bounds = format!("from {low} to {high}");
            Err(ConfigError::OutOfBounds { name, value, bounds })
        };
        let partners = u64::try_from(self.max_partners).unwrap_or(u64::MAX);
        let most = u64::try_from(MAX_PARTNERS).unwrap_or(u64::MAX);
        within("ack_delay_ms", self.ack_delay_ms, 0, MAX_ACK_DELAY_MS)?;
        within("sign_delay_ms", self.sign_delay_ms, 0, MAX_SIGN_DELAY_MS)?;
        within("lease_seconds", self.lease_seconds, 2, 60)?;
        within("stale_after_seconds", self.stale_after_seconds, 2, 600)?;
        within("max_partners", partners, 1, most)?;
        within("fees.ppm", self.fees.ppm.into(), 0, MAX_FEE_CEILING_PPM.into())?;
        let rebalance = &self.rebalance;
        within("rebalance.every_seconds", rebalance.every_seconds, 0, 31_536_000)?;
        within("rebalance.proof_timeout_seconds", rebalance.proof_timeout_seconds, 1, 600)?;
        within("rebalance.absent_grace_seconds", rebalance.absent_grace_seconds, 0, 31_536_000)
    }

    /// Its watchtowers.
    pub fn towers(&self) -> Result<Vec<TowerAddress>, ConfigError> {
        self.towers.iter().map(|text| Ok(text.parse()?)).collect()
    }

    /// The processes of the hub, if it has several.
    ///
    /// # Errors
    /// [`ConfigError::Processes`].
    pub fn processes(&self) -> Result<Option<ProcessPlan>, ConfigError> {
        let Some(ProcessesConfig { number, public, private }) = self.processes.clone() else {
            return Ok(None);
        };
        let plan = ProcessPlan { number, public, private };
        plan.check().map_err(ConfigError::Processes)?;
        Ok(Some(plan))
    }

    /// Where its store is.
    ///
    /// # Errors
    /// [`ConfigError::Store`].
    pub fn place(&self) -> Result<Place, ConfigError> {
        let Some(url) = &self.store else { return Ok(Place::Directory(self.dir.join(STORE))) };
        let lease = Duration::from_secs(self.lease_seconds);
        // The address may have a password.
        let wrong = |reason| ConfigError::Store { shown: "postgres://…".into(), reason };
        let options = Options::new(url, lease).map_err(wrong)?;
        Ok(Place::Postgres(options))
    }

    /// The fees that it registers.
    pub fn hub_fees(&self) -> HubFees {
        HubFees { base: self.fees.base.into(), ppm: self.fees.ppm }
    }

    /// How the hub behaves, given the assets of its chain.
    pub fn policy(&self, assets: &[AssetView]) -> Result<Policy, ConfigError> {
        let mut terms = BTreeMap::new();
        let mut rules = BTreeMap::new();
        let mut min_payments = BTreeMap::new();
        let mut insurance_fees = BTreeMap::new();
        let mut risk_caps = BTreeMap::new();
        for config in &self.assets {
            let asset = find_asset(assets, &config.asset)?;
            let parse = |text: &str| {
                amount::parse(text, asset.decimals)
                    .map_err(|error| ConfigError::Amount { asset: config.asset.clone(), error })
            };
            let line = |text: &String| {
                let amount = parse(text)?;
                let error = AmountError::TooLarge(text.clone());
                let too_large = ConfigError::Amount { asset: config.asset.clone(), error };
                (amount <= LIMIT).then_some(amount).ok_or(too_large)
            };
            let stated = AssetTerms {
                credit: line(&config.credit)?,
                insure_above: LIMIT,
                unsigned_limit: line(&config.unsigned_limit)?,
            };
            let known = terms.insert(asset.id, stated);
            if known.is_some() {
                return Err(ConfigError::AssetTwice(config.asset.clone()));
            }
            let min_payment = match &config.min_payment {
                Some(text) => parse(text)?,
                None => thousandth(asset.decimals),
            };
            min_payments.insert(asset.id, min_payment);
            if let Some(fee) = &config.insurance_fee {
                insurance_fees.insert(asset.id, parse(fee)?);
            }
            if let Some(text) = &config.max_risk {
                risk_caps.insert(asset.id, parse(text)?);
            }
            rules.insert(
                asset.id,
                AssetRules {
                    min_risk: parse(&config.min_risk)?,
                    reserve: parse(&config.reserve)?,
                    min_deposit: parse(&config.min_deposit)?,
                    minimum: asset.minimum,
                },
            );
        }
        let seconds = |seconds: u64| seconds.saturating_mul(1_000);
        let optional = |value: u64| (value > 0).then(|| seconds(value));
        Ok(Policy {
            role: Role::Hub,
            terms,
            partners: BTreeMap::new(),
            fees: self.hub_fees(),
            ack_delay_ms: self.ack_delay_ms,
            pay_unsigned: self.pay_unsigned,
            sign_delay_ms: self.sign_delay_ms,
            stale_after_ms: seconds(self.stale_after_seconds),
            rebalance: RebalancePolicy {
                every_ms: optional(self.rebalance.every_seconds),
                proof_timeout_ms: seconds(self.rebalance.proof_timeout_seconds),
                absent_grace_ms: optional(self.rebalance.absent_grace_seconds),
                skip_failed: self.rebalance.skip_failed,
                rules,
            },
            max_partners: self.max_partners,
            min_payments,
            rates: self.rates(assets)?,
            insurance_fees,
            risk_caps,
            peer_messages_per_second: self.limits.peer_messages_per_second,
            payments_in_memory: PAYMENTS_IN_MEMORY,
            channels_on_pages: CHANNELS_ON_PAGES,
            signing: if self.sign_together { Signing::Together } else { Signing::Single },
        })
    }

    fn rates(&self, assets: &[AssetView]) -> Result<Vec<Rate>, ConfigError> {
        let mut rates: Vec<Rate> = vec![];
        for config in &self.exchange {
            let wrong = |reason| ConfigError::Exchange {
                takes: config.takes.clone(),
                gives: config.gives.clone(),
                reason,
            };
            let takes = find_asset(assets, &config.takes)?;
            let gives = find_asset(assets, &config.gives)?;
            let take_amount = amount::parse(&config.price, takes.decimals)
                .map_err(|error| ConfigError::Amount { asset: config.takes.clone(), error })?;
            let give_amount = 10u128
                .checked_pow(gives.decimals.into())
                .ok_or_else(|| wrong("one whole unit is too large a number"))?;
            let rate = Rate { takes: takes.id, gives: gives.id, take_amount, give_amount };
            if !rate.is_valid() {
                return Err(wrong("name two assets and a price above 0"));
            }
            if rates.iter().any(|known| (known.takes, known.gives) == (rate.takes, rate.gives)) {
                return Err(wrong("it is there twice"));
            }
            rates.push(rate);
        }
        if rates.len() > usize::try_from(MAX_RATES).unwrap_or(usize::MAX) {
            let value = u64::try_from(rates.len()).unwrap_or(u64::MAX);
            let bounds = format!("at most {MAX_RATES}");
            return Err(ConfigError::OutOfBounds { name: "number of rates", value, bounds });
        }
        Ok(rates)
    }
}

/// An asset by its symbol or number.
fn find_asset<'a>(assets: &'a [AssetView], text: &str) -> Result<&'a AssetView, ConfigError> {
    let number = text.parse().ok();
    let named = |asset: &&AssetView| {
        Some(asset.id) == number || asset.symbol.eq_ignore_ascii_case(text.as_bytes())
    };
    assets.iter().find(named).ok_or_else(|| ConfigError::UnknownAsset(text.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frd() -> AssetView {
        AssetView { id: 0, symbol: b"FRD".to_vec(), decimals: 12, minimum: 10 }
    }

    fn written(text: &str) -> Result<HubConfig, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hub.toml");
        std::fs::write(&path, text).unwrap();
        HubConfig::load(&path)
    }

    fn plain() -> String {
        template(
            "ws://127.0.0.1:9944",
            Path::new("data"),
            "127.0.0.1:9950",
            "127.0.0.1:9951".parse().unwrap(),
        )
    }

    fn processes(number: usize, public: &str, private: &str) -> String {
        let plan = format!("number = {number}\npublic = {public}\nprivate = {private}\n");
        format!("{}\n[processes]\n{plan}", plain())
    }

    #[test]
    fn processes_should_be_as_they_are_configured() {
        let text = processes(1, "[\"a:1\", \"a:2\"]", "[\"b:1\", \"b:2\"]");
        let plan = written(&text).unwrap().processes().unwrap().unwrap();
        assert_eq!((plan.number, &*plan.public[1], &*plan.private[0]), (1, "a:2", "b:1"));
        assert_eq!(written(&plain()).unwrap().processes().unwrap(), None);
    }

    #[test]
    fn template_should_be_a_valid_configuration() {
        let config = written(&plain()).unwrap();
        let policy = config.policy(&[frd()]).unwrap();
        assert_eq!(policy.rebalance.rules[&0].min_risk, 10_000_000_000_000);
        assert_eq!(policy.rebalance.rules[&0].min_deposit, 1_000_000_000_000);
        assert_eq!(policy.terms[&0].credit, 0);
        assert_eq!((policy.terms[&0].unsigned_limit, policy.pay_unsigned), (0, true));
        assert!(config.dir.ends_with("data"));
    }

    #[test]
    fn configuration_should_be_refused_when_it_is_damaged() {
        for (text, part) in [
            ("node = ", "node"),
            (&plain().replace("ack_delay_ms", "ack_dely_ms"), "ack_dely_ms"),
            (&plain().replace("listen =", "#"), "listen"),
            (&plain().replace("ack_delay_ms = 20", "ack_delay_ms = 5000"), "ack_delay_ms"),
            (&plain().replace("sign_delay_ms = 20", "sign_delay_ms = 5000"), "sign_delay_ms"),
            (&plain().replace("ppm = 0", "ppm = 60000"), "fees.ppm"),
            (&plain().replace("towers = []", "towers = [\"somebody\"]"), "failsafe-tower run"),
            (&plain().replace("max_partners = 10000", "max_partners = 0"), "max_partners"),
            (&processes(2, "[\"a:1\", \"a:2\"]", "[\"b:1\", \"b:2\"]"), "number"),
            (&processes(0, "[\"a:1\"]", "[\"b:1\"]"), "2 to 64"),
            (&processes(0, "[\"a:1\", \"a:2\"]", "[\"b:1\"]"), "as many"),
            (&processes(0, "[\"a:1\", \"a:1\"]", "[\"b:1\", \"b:2\"]"), "same place"),
            (&processes(0, "[\"a:1\", \"a\"]", "[\"b:1\", \"b:2\"]"), "host:port"),
        ] {
            let error = written(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn rates_should_be_in_smallest_units_when_configured_in_whole_ones() {
        let eur = AssetView { id: 7, symbol: b"EUR".to_vec(), decimals: 2, minimum: 1 };
        let exchange = |price: &str, gives: &str| {
            let text = format!(
                "{}\n[[exchange]]\ntakes = \"frd\"\ngives = \"{gives}\"\nprice = \"{price}\"\n",
                plain()
            );
            written(&text).unwrap().policy(&[frd(), eur.clone()])
        };
        let policy = exchange("1.5", "EUR").unwrap();
        let rate = Rate { takes: 0, gives: 7, take_amount: 1_500_000_000_000, give_amount: 100 };
        assert_eq!(policy.rates, [rate]);
        // Two cents, with a fee of 0, cost three hundredths of an FRD.
        assert_eq!(policy.price(0, 7, 2), Some(30_000_000_000));
        assert_eq!(policy.price(7, 0, 2), None);
        assert!(matches!(exchange("0", "EUR"), Err(ConfigError::Exchange { .. })));
        assert!(matches!(exchange("1", "FRD"), Err(ConfigError::Exchange { .. })));
        assert!(matches!(exchange("1", "XYZ"), Err(ConfigError::UnknownAsset(_))));
        assert!(matches!(exchange("x", "EUR"), Err(ConfigError::Amount { .. })));
    }

    #[test]
    fn configuration_should_say_how_to_get_one_when_the_file_is_missing() {
        let error = HubConfig::load(Path::new("/nowhere/hub.toml")).unwrap_err();
        assert!(error.to_string().contains("failsafe-hub init"), "{error}");
    }

    #[test]
    fn unsigned_limit_should_be_stated_when_it_is_configured() {
        let text = plain().replace("unsigned_limit = \"0\"", "unsigned_limit = \"2.5\"");
        let policy = written(&text).unwrap().policy(&[frd()]).unwrap();
        assert_eq!(policy.terms[&0].unsigned_limit, 2_500_000_000_000);
        let wrong = written(&plain().replace("unsigned_limit = \"0\"", "unsigned_limit = \"x\""));
        let refused = wrong.unwrap().policy(&[frd()]);
        assert!(matches!(refused, Err(ConfigError::Amount { .. })));
    }

    #[test]
    fn policy_should_be_refused_when_an_asset_is_unknown_twice_or_its_amount_is_none() {
        let unknown = written(&plain().replace("\"FRD\"", "\"XYZ\"")).unwrap();
        assert!(matches!(unknown.policy(&[frd()]), Err(ConfigError::UnknownAsset(_))));
        let twice = written(&format!("{}\n[[assets]]\nasset = \"0\"\n", plain())).unwrap();
        assert!(matches!(twice.policy(&[frd()]), Err(ConfigError::AssetTwice(_))));
        let wrong = written(&plain().replace("credit = \"0\"", "credit = \"ten\"")).unwrap();
        assert!(matches!(wrong.policy(&[frd()]), Err(ConfigError::Amount { .. })));
    }
}
