//! How things stand. Asked for when somebody looks, and not more often than once a second, whoever
//! looks.

use crate::{
    party::{Answer, Command, Mode, Party, Vitals},
    rpc::names::Assets,
};
use prometheus_client::{
    encoding::{text::encode, EncodeLabelSet},
    metrics::{family::Family, gauge::Gauge, info::Info},
    registry::{Registry, Unit},
};
use sp_core::U256;
use std::{
    sync::{atomic::AtomicU64, Arc},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use tracing::warn;

/// How long an answer of the party is good for.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the party may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often on-chain money is asked for.
pub(super) const BALANCES_PAUSE: Duration = Duration::from_secs(15);

/// What a number is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AssetLabel {
    asset: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModeLabel {
    mode: &'static str,
}

type Decimal = Gauge<f64, AtomicU64>;
type PerAsset = Family<AssetLabel, Decimal>;

#[derive(Clone, Default)]
struct Gauges {
    answers: Gauge,
    risk: PerAsset,
    risk_with_locks: PerAsset,
    risk_cap: PerAsset,
    claims: PerAsset,
    own_insured: PerAsset,
    partners_insured: PerAsset,
    fees_earned: PerAsset,
    free: PerAsset,
    spendable: PerAsset,
    debt: PerAsset,
    peers: Gauge,
    channels: Gauge,
    channels_in: Family<StateLabel, Gauge>,
    disputes: Gauge,
    locked_through: Gauge,
    calls: Gauge,
    oldest_call: Decimal,
    best: Gauge,
    finalized: Gauge,
    clock: Gauge,
    fresh: Gauge,
    block_age: Decimal,
    mode: Family<ModeLabel, Gauge>,
}

/// Everything that `/metrics` tells.
pub struct Exporter {
    party: Arc<Party>,
    assets: Assets,
    registry: Registry,
    gauges: Gauges,
    asked: Mutex<Option<Instant>>,
}

fn count(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Whole units, as near as floating point comes.
#[allow(clippy::cast_precision_loss, reason = "for looking at only")]
fn units(amount: U256, decimals: u8) -> f64 {
    let digits = |limb: &u64| *limb as f64;
    // Horner's scheme over the limbs, the highest one first.
    let whole = amount.0.iter().rev().fold(0.0, |sum, limb| sum * 2f64.powi(64) + digits(limb));
    whole / 10f64.powi(decimals.into())
}

fn seconds(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}

impl Exporter {
    /// What is to be told of `party`.
    pub fn new(party: Arc<Party>, assets: Assets) -> Self {
        let mut registry = Registry::with_prefix("failsafe");
        let gauges = Gauges::default();
        party.counters().register(&mut registry);
        gauges.register(&mut registry);
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        Self { party, assets, registry, gauges, asked: Mutex::new(None) }
    }

    /// The answer to a scrape, in the text format of OpenMetrics 1.0.
    pub async fn text(&self) -> String {
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|at| at.elapsed() >= PAUSE) {
            match self.party.command(Command::Vitals, PATIENCE).await {
                Ok(Answer::Vitals(vitals)) => {
                    self.gauges.set(&vitals, &self.assets);
                    self.gauges.answers.set(1);
                },
                Ok(_) => {},
                Err(problem) => {
                    warn!(%problem, "metrics: the party does not answer");
                    self.gauges.answers.set(0);
                },
            }
            *asked = Some(Instant::now());
        }
        drop(asked);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Keeps on-chain money up to date, for ever.
    pub(super) async fn follow_balances(&self) {
        loop {
            if let Err(problem) = self.read_balances().await {
                warn!(%problem, "metrics: cannot read balances");
            }
            tokio::time::sleep(BALANCES_PAUSE).await;
        }
    }

    async fn read_balances(&self) -> Result<(), crate::chain::ChainError> {
        let (client, me) = (self.party.client(), self.party.account());
        let ids = self.assets.ids();
        let owes = client.owes(me).await?;
        for row in client.balances(me, &ids, None).await? {
            let (label, decimals) = self.label(row.asset);
            let owed =
                owes.iter().find(|(asset, _)| *asset == row.asset).map_or(0, |(_, sum)| *sum);
            let all = [
                (&self.gauges.free, row.free),
                (&self.gauges.spendable, row.spendable),
                (&self.gauges.debt, owed),
            ];
            for (family, amount) in all {
                family.get_or_create(&label).set(units(amount.into(), decimals));
            }
        }
        Ok(())
    }

    fn label(&self, asset: u32) -> (AssetLabel, u8) {
        let info = self.assets.info(asset);
        (AssetLabel { asset: info.symbol }, info.decimals)
    }
}

impl Gauges {
    fn register(&self, to: &mut Registry) {
        let money: [(&str, &str, &PerAsset); 10] = [
            ("risk", "What the hub owes beyond the insurance: total risk", &self.risk),
            (
                "risk_with_locks",
                "The same if all its pending locks are paid: what the cap is held against",
                &self.risk_with_locks,
            ),
            ("risk_cap", "The most that it may owe so; absent without a cap", &self.risk_cap),
            ("claims_uninsured", "What partners owe the hub beyond the insurance", &self.claims),
            ("insured_own", "The hub's insured parts", &self.own_insured),
            ("insured_partners", "The partners' insured parts", &self.partners_insured),
            ("fees_earned", "Fees of all delivered payments that it knows", &self.fees_earned),
            ("balance_free", "Balance on chain", &self.free),
            ("balance_spendable", "What of it can be moved", &self.spendable),
            ("debt", "What the hub owes on chain", &self.debt),
        ];
        for (name, help, family) in money {
            to.register(name, help, family.clone());
        }
        let counts: [(&str, &str, &Gauge); 10] = [
            ("party_answers", "Whether the party answered the last look: 1 or 0", &self.answers),
            ("peers_connected", "Peers with a session", &self.peers),
            ("channels", "Channels, whatever their state", &self.channels),
            ("disputes_open", "Channels with a dispute", &self.disputes),
            ("locks_through", "Payments with locks on their way through", &self.locked_through),
            ("calls_pending", "Calls on their way to the chain", &self.calls),
            ("chain_best_block", "Newest best block", &self.best),
            ("chain_finalized_block", "Newest finalized block", &self.finalized),
            ("chain_clock", "Usable blocks at the newest best block", &self.clock),
            ("chain_fresh", "Whether the node shows new blocks: 1 or 0", &self.fresh),
        ];
        for (name, help, gauge) in counts {
            to.register(name, help, gauge.clone());
        }
        to.register(
            "channels_in",
            "Channels that are frozen, faulty, paused, or of which data was lost",
            self.channels_in.clone(),
        );
        to.register("mode", "1 for what the hub takes at the moment", self.mode.clone());
        let oldest = "How long the oldest pending call has been on its way";
        to.register_with_unit("calls_oldest", oldest, Unit::Seconds, self.oldest_call.clone());
        let age = "Since the newest best block came";
        to.register_with_unit("chain_block_age", age, Unit::Seconds, self.block_age.clone());
    }

    fn set(&self, vitals: &Vitals, assets: &Assets) {
        self.risk_cap.clear();
        for (asset, row) in &vitals.assets {
            let info = assets.info(*asset);
            let label = AssetLabel { asset: info.symbol };
            let all = [
                (&self.risk, Some(row.exposure.owed)),
                (&self.risk_with_locks, Some(row.exposure.owed_at_most)),
                (&self.risk_cap, row.cap.map(U256::from)),
                (&self.claims, Some(row.exposure.claims)),
                (&self.own_insured, Some(row.exposure.own_insured)),
                (&self.partners_insured, Some(row.exposure.partners_insured)),
                (&self.fees_earned, Some(row.earned.into())),
            ];
            for (family, amount) in all {
                if let Some(amount) = amount {
                    family.get_or_create(&label).set(units(amount, info.decimals));
                }
            }
        }
        self.peers.set(count(vitals.standing.connected));
        self.channels.set(count(vitals.channels));
        for (state, number) in [
            ("frozen", vitals.frozen),
            ("faulty", vitals.faulty),
            ("paused", vitals.paused),
            ("data_lost", vitals.data_lost),
        ] {
            self.channels_in.get_or_create(&StateLabel { state }).set(count(number));
        }
        self.disputes.set(count(vitals.disputed));
        self.locked_through.set(count(vitals.locked_through));
        self.calls.set(count(vitals.standing.pending_calls));
        self.oldest_call.set(seconds(vitals.oldest_call_ms));
        self.best.set(vitals.standing.best.block.into());
        self.finalized.set(vitals.standing.finalized.block.into());
        self.clock.set(count(vitals.standing.best.clock));
        self.fresh.set(vitals.standing.fresh.into());
        self.block_age.set(vitals.block_age_ms.map_or(f64::INFINITY, seconds));
        for mode in Mode::ALL {
            let here = i64::from(mode == vitals.standing.mode);
            self.mode.get_or_create(&ModeLabel { mode: mode.name() }).set(here);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_should_be_whole_units() {
        assert!((units(U256::from(12_500_000_000_000u128), 12) - 12.5).abs() < 1e-9);
        assert!((units(U256::one() << 130, 0) / 2f64.powi(130) - 1.0).abs() < 1e-9);
        assert!(units(U256::zero(), 12).abs() < f64::EPSILON);
    }
}
