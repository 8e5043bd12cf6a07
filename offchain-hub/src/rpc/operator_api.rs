//! Methods for the operator of a hub, and what they answer.

use super::api::{Amount, AssetInfo, ChannelRow, OnChainView};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a hub owes, is owed, and has insured in an asset, over all channels.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RiskAssetRow {
    /// The asset.
    pub asset: AssetInfo,
    /// What the hub owes beyond the insurance: the users' risk.
    pub owed: Amount,
    /// The same if all its pending locks are paid: what the cap is held against.
    pub owed_with_locks: Amount,
    /// The most that it may be; `null` without a cap.
    pub cap: Option<Amount>,
    /// What users owe the hub beyond the insurance: its own risk.
    pub claims: Amount,
    /// The hub's, insured.
    pub own_insured: Amount,
    /// The users', insured.
    pub partners_insured: Amount,
}

/// The same of one partner.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RiskPartnerRow {
    /// The partner's account.
    pub partner: String,
    /// Its handle, if it is a hub that we know.
    pub handle: Option<String>,
    /// The asset.
    pub asset: AssetInfo,
    /// What the hub owes it beyond the insurance.
    pub owed: Amount,
    /// What the hub has locked for it.
    pub locked: Amount,
    /// What it owes the hub beyond the insurance.
    pub claims: Amount,
    /// The hub's, insured.
    pub own_insured: Amount,
    /// The partner's, insured.
    pub partner_insured: Amount,
    /// Whether it is connected.
    pub connected: bool,
}

/// What is owed, with and without insurance.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RiskView {
    /// What the hub takes: `open`, `paused`, `draining`.
    pub mode: String,
    /// Sums over all channels.
    pub assets: Vec<RiskAssetRow>,
    /// Per partner, the greatest debts of the hub first.
    pub partners: Vec<RiskPartnerRow>,
    /// Further rows that are not in `partners`.
    pub left_out: u32,
}

/// A hub's fees in an asset.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EarnedRow {
    /// The asset.
    pub asset: AssetInfo,
    /// Fees of all delivered payments that the hub remembers.
    pub earned: Amount,
}

/// What the registry on chain says of a hub.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RegistryRow {
    /// Its handle, without the @.
    pub handle: String,
    /// `host:port`.
    pub endpoint: String,
    /// Fixed part of the fee, smallest units.
    pub base: Amount,
    /// Proportional part, parts per million.
    pub ppm: u32,
}

/// A hub's fees.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FeesView {
    /// What was earned.
    pub earned: Vec<EarnedRow>,
    /// Fixed part of what it asks for, smallest units.
    pub base: Amount,
    /// Proportional part, parts per million.
    pub ppm: u32,
    /// What users are quoted; `null` if the hub is not registered.
    pub registry: Option<RegistryRow>,
    /// Whether users are quoted something else than what the hub asks for.
    pub differs: bool,
}

/// What a hub takes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ModeView {
    /// `open`, `paused`, `draining`.
    pub mode: String,
}

/// What a reload has changed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReloadView {
    /// Fields that the hub follows now.
    pub changed: Vec<String>,
    /// What is still to be done by hand.
    pub notes: Vec<String>,
}

/// What a running hub does for its operator.
#[rpc(server, client, namespace = "failsafe")]
pub trait OperatorRpc {
    /// All channels.
    #[method(name = "channels", param_kind = map)]
    async fn channels(&self) -> RpcResult<Vec<ChannelRow>>;

    /// The channel with a partner.
    #[method(name = "channel", param_kind = map)]
    async fn channel(&self, partner: String) -> RpcResult<ChannelRow>;

    /// What is owed with and without insurance, in all channels together and per partner. At most
    /// `limit` partners (100 if absent), those first whom the hub owes most.
    #[method(name = "risk", param_kind = map)]
    async fn risk(&self, limit: Option<u32>) -> RpcResult<RiskView>;

    /// Fees that were earned, those that are asked for, and what the registry on chain quotes.
    #[method(name = "fees", param_kind = map)]
    async fn fees(&self) -> RpcResult<FeesView>;

    /// Brings the fees and the transport key to the registry on chain (`hubs.update`). The endpoint
    /// stays as it is there.
    #[method(name = "update_fees", param_kind = map)]
    async fn update_fees(&self) -> RpcResult<OnChainView>;

    /// Announces that the hub retires: it takes no new partners, and may leave when its notice is
    /// over.
    #[method(name = "retire", param_kind = map)]
    async fn retire(&self) -> RpcResult<OnChainView>;

    /// Takes the hub off the registry when its notice is over; its deposit comes back.
    #[method(name = "leave", param_kind = map)]
    async fn leave(&self) -> RpcResult<OnChainView>;

    /// Forwards nothing until `resume`, also after a restart.
    #[method(name = "pause", param_kind = map)]
    async fn pause(&self) -> RpcResult<ModeView>;

    /// Forwards nothing and takes no new partners until `resume`, also after a restart; what is
    /// pending is settled.
    #[method(name = "drain", param_kind = map)]
    async fn drain(&self) -> RpcResult<ModeView>;

    /// Takes everything again.
    #[method(name = "resume", param_kind = map)]
    async fn resume(&self) -> RpcResult<ModeView>;

    /// Reads the configuration again and follows what may change in a running hub. If anything else
    /// has changed, nothing is followed and the answer names it.
    #[method(name = "reload", param_kind = map)]
    async fn reload(&self) -> RpcResult<ReloadView>;
}
