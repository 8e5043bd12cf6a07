//! Carries out what the operator of a hub wants.

use super::{
    api::{Amount, AmountRow, ChannelRow, OnChainView},
    guard::RequestQuota,
    names::RequestError,
    operator_api::{
        EarnedRow, FeesView, ModeView, OperatorRpcServer, RegistryRow, ReloadView, RiskAssetRow,
        RiskPartnerRow, RiskView,
    },
    service::name,
    Service,
};
use crate::{
    chain::Call,
    config::HubConfig,
    party::{Answer, AssetVitals, Command, CommandError, Mode, Vitals},
    reload,
};
use failsafe_primitives::{fees::HubFees, view::HubView, AccountId, AssetId, Balance};
use jsonrpsee::core::{async_trait, RpcResult};
use sp_core::U256;
use std::path::PathBuf;
use tokio::sync::Mutex;
use tracing::info;

/// Most partners in an answer about risk, when nobody says how many.
const PARTNERS: u32 = 100;

/// A hub's configuration, as the running hub follows it.
pub struct Operator {
    path: PathBuf,
    transport_key: [u8; 32],
    config: Mutex<HubConfig>,
    requests: RequestQuota,
}

impl Operator {
    /// The configuration that was read from `path` at the start.
    pub fn new(path: PathBuf, config: HubConfig, transport_key: [u8; 32]) -> Self {
        let requests = RequestQuota::default();
        requests.set(config.limits.rpc_requests_per_second);
        Self { path, transport_key, config: Mutex::new(config), requests }
    }

    /// Requests that a token may make in a second.
    pub fn requests(&self) -> &RequestQuota {
        &self.requests
    }

    /// What the hub asks for forwarding now.
    pub(super) async fn fees(&self) -> HubFees {
        self.config.lock().await.hub_fees()
    }

    /// The key by which dialers know it.
    pub(super) fn transport_key(&self) -> [u8; 32] {
        self.transport_key
    }
}

/// Sums of a channel's amounts are below 2^128 unless there is more of an asset than there can be.
fn amount(sum: U256) -> Amount {
    Amount(Balance::try_from(sum).unwrap_or(Balance::MAX))
}

impl Service {
    pub(super) fn operator(&self) -> Result<&Operator, RequestError> {
        self.config.operator.as_ref().ok_or(CommandError::NotAHub.into())
    }

    /// Whether it has a configuration that can be read again.
    pub fn reloads(&self) -> bool {
        self.config.operator.is_some()
    }

    async fn vitals(&self) -> Result<Vitals, RequestError> {
        match self.ask(Command::Vitals).await? {
            Answer::Vitals(vitals) => Ok(*vitals),
            _ => Err(CommandError::Stopped.into()),
        }
    }

    /// What is owed beyond the insurance in all channels, per asset, where it is something.
    pub(super) async fn total_risk(&self) -> Result<Vec<AmountRow>, RequestError> {
        let vitals = self.vitals().await?;
        let owed = vitals.assets.iter().filter(|(_, row)| !row.exposure.owed.is_zero());
        let row = |(asset, row): (&AssetId, &AssetVitals)| AmountRow {
            asset: self.assets.info(*asset),
            amount: amount(row.exposure.owed),
        };
        Ok(owed.map(row).collect())
    }

    async fn do_channel(&self, partner: &str) -> Result<ChannelRow, RequestError> {
        let partner = self.hubs.partner(partner).await?;
        let found = self.some_channels(Some(&partner), 1).await?.pop();
        let report = found.ok_or(CommandError::UnknownPartner(partner))?;
        Ok(self.channel_row(report))
    }

    async fn do_risk(&self, limit: Option<u32>) -> Result<RiskView, RequestError> {
        let vitals = self.vitals().await?;
        let assets = vitals.assets.iter().map(|(asset, row)| RiskAssetRow {
            asset: self.assets.info(*asset),
            owed: amount(row.exposure.owed),
            owed_with_locks: amount(row.exposure.owed_at_most),
            cap: row.cap.map(Amount),
            claims: amount(row.exposure.claims),
            own_insured: amount(row.exposure.own_insured),
            partners_insured: amount(row.exposure.partners_insured),
        });
        let assets = assets.collect();
        let mut partners = vec![];
        for report in self.channels().await? {
            for row in report.summary.assets {
                partners.push(RiskPartnerRow {
                    partner: name(&report.partner),
                    handle: self.hubs.handle(&report.partner),
                    asset: self.assets.info(row.asset),
                    owed: Amount(row.partner_uninsured),
                    locked: Amount(row.own_locked),
                    claims: Amount(row.own_uninsured),
                    own_insured: Amount(row.own_insured),
                    partner_insured: Amount(row.partner_insured),
                    connected: report.summary.connected,
                });
            }
        }
        let order = |row: &RiskPartnerRow| {
            let greatest = |amount: Amount| std::cmp::Reverse(amount);
            (row.asset.id, greatest(row.owed), greatest(row.claims), row.partner.clone())
        };
        partners.sort_by_cached_key(order);
        let most = usize::try_from(limit.unwrap_or(PARTNERS)).unwrap_or(usize::MAX);
        let left_out = partners.len().saturating_sub(most);
        partners.truncate(most);
        Ok(RiskView {
            mode: vitals.standing.mode.name().into(),
            assets,
            partners,
            left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
        })
    }

    async fn registered(&self) -> Result<Option<HubView>, RequestError> {
        Ok(self.client().hub(self.party.account()).await?)
    }

    async fn do_fees(&self) -> Result<FeesView, RequestError> {
        let fees = self.operator()?.fees().await;
        let registered = self.registered().await?;
        let earned = |(asset, sum): (&AssetId, Balance)| EarnedRow {
            asset: self.assets.info(*asset),
            earned: Amount(sum),
        };
        let vitals = self.vitals().await?;
        Ok(FeesView {
            earned: vitals.assets.iter().map(|(asset, row)| earned((asset, row.earned))).collect(),
            base: Amount(fees.base),
            ppm: fees.ppm,
            differs: registered.as_ref().is_some_and(|hub| hub.fees != fees),
            registry: registered.map(|hub| RegistryRow {
                handle: String::from_utf8_lossy(&hub.handle).into_owned(),
                endpoint: String::from_utf8_lossy(&hub.endpoint).into_owned(),
                base: Amount(hub.fees.base),
                ppm: hub.fees.ppm,
            }),
        })
    }

    async fn do_update_fees(&self) -> Result<OnChainView, RequestError> {
        let operator = self.operator()?;
        let (fees, transport_key) = (operator.fees().await, operator.transport_key());
        let unregistered =
            || CommandError::Invalid("this hub is not registered: `failsafe-hub register`".into());
        let hub = self.registered().await?.ok_or_else(unregistered)?;
        if hub.fees == fees && hub.transport_key == transport_key {
            return Err(CommandError::Invalid("the registry says the same already".into()).into());
        }
        let call = Call::UpdateHub { endpoint: hub.endpoint, transport_key, fees };
        self.on_chain(Command::Submit(Box::new(call))).await
    }

    async fn do_retire(&self) -> Result<OnChainView, RequestError> {
        let invalid = |text: &str| CommandError::Invalid(text.into());
        if self.registered().await?.is_none() {
            return Err(invalid("this hub is not registered: there is nothing to retire").into());
        }
        if let Some(at) = self.leaves_at().await? {
            let text = format!("this hub is retiring: `leave` works from usable clock {at} on");
            return Err(CommandError::Invalid(text).into());
        }
        self.on_chain(Command::Submit(Box::new(Call::RetireHub))).await
    }

    async fn do_leave(&self) -> Result<OnChainView, RequestError> {
        let clock = self.client().moment(None).await?.clock;
        let text = match self.leaves_at().await? {
            Some(at) if clock >= at => {
                let call = Call::LeaveHub { hub: self.party.account().clone() };
                return self.on_chain(Command::Submit(Box::new(call))).await;
            },
            Some(at) => format!(
                "the notice is not over: `leave` works from usable clock {at} on, now it shows {clock}"
            ),
            None => "this hub has not announced that it retires: `failsafe-hub retire`".into(),
        };
        Err(CommandError::Invalid(text).into())
    }

    /// When this hub may leave, if it is retiring.
    async fn leaves_at(&self) -> Result<Option<u64>, RequestError> {
        let standing = self.client().hub_standing(self.party.account()).await?;
        Ok(standing.and_then(|standing| standing.leaves_at))
    }

    async fn set_mode(&self, mode: Mode) -> Result<ModeView, RequestError> {
        self.ask(Command::SetMode(mode)).await?;
        Ok(ModeView { mode: mode.name().into() })
    }

    /// Reads the configuration again and follows it, whole or not at all.
    pub async fn do_reload(&self) -> Result<ReloadView, RequestError> {
        let operator = self.operator()?;
        let mut current = operator.config.lock().await;
        let refused = |problem: String| RequestError::from(CommandError::Invalid(problem));
        let new = HubConfig::load(&operator.path).map_err(|e| refused(e.to_string()))?;
        let changed = reload::compare(&current, &new).map_err(|e| refused(e.to_string()))?;
        let assets = self.client().assets().await?;
        let policy = new.policy(&assets).map_err(|e| refused(e.to_string()))?;
        let mut peers: Vec<AccountId> = vec![];
        for peer in &new.peers {
            peers.push(self.hubs.partner(peer).await?);
        }
        self.ask(Command::SetPolicy(Box::new(policy))).await?;
        operator.requests.set(new.limits.rpc_requests_per_second);
        self.party.set_peers(peers);
        let fees = new.hub_fees();
        *current = new;
        drop(current);
        info!(?changed, "the configuration was read again");
        let mut notes = vec![];
        if self.registered().await?.is_some_and(|hub| hub.fees != fees) {
            notes.push("users are quoted other fees: failsafe-hub fees --update".into());
        }
        Ok(ReloadView { changed, notes })
    }
}

#[async_trait]
impl OperatorRpcServer for Service {
    async fn channels(&self) -> RpcResult<Vec<ChannelRow>> {
        let reports = Service::channels(self).await?;
        Ok(reports.into_iter().map(|report| self.channel_row(report)).collect())
    }

    async fn channel(&self, partner: String) -> RpcResult<ChannelRow> {
        Ok(self.do_channel(&partner).await?)
    }

    async fn risk(&self, limit: Option<u32>) -> RpcResult<RiskView> {
        Ok(self.do_risk(limit).await?)
    }

    async fn fees(&self) -> RpcResult<FeesView> {
        Ok(self.do_fees().await?)
    }

    async fn update_fees(&self) -> RpcResult<OnChainView> {
        Ok(self.do_update_fees().await?)
    }

    async fn retire(&self) -> RpcResult<OnChainView> {
        Ok(self.do_retire().await?)
    }

    async fn leave(&self) -> RpcResult<OnChainView> {
        Ok(self.do_leave().await?)
    }

    async fn pause(&self) -> RpcResult<ModeView> {
        Ok(self.set_mode(Mode::Paused).await?)
    }

    async fn drain(&self) -> RpcResult<ModeView> {
        Ok(self.set_mode(Mode::Draining).await?)
    }

    async fn resume(&self) -> RpcResult<ModeView> {
        Ok(self.set_mode(Mode::Open).await?)
    }

    async fn reload(&self) -> RpcResult<ReloadView> {
        Ok(self.do_reload().await?)
    }
}
