//! JSON-RPC of a running tower: on this machine only, for who knows the token, as that of hub and
//! wallet.

use crate::{alarms::Counts, core::Report, runtime::Tower};
use failsafe_hub::rpc::api::Amount;
use jsonrpsee::{
    core::{async_trait, RpcResult},
    proc_macros::rpc,
    types::ErrorObject,
};
use serde::{Deserialize, Serialize};
use sp_core::crypto::Ss58Codec;
use std::sync::Arc;
use tokio::sync::Notify;

/// How a tower is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TowerStatus {
    /// Its account, which pays the fees.
    pub account: String,
    /// What clients are given: `account@host:port#key`.
    pub address: String,
    /// Name of the chain.
    pub chain: String,
    /// Newest finalized block.
    pub finalized: u32,
    /// Newest best block.
    pub best: u32,
    /// Usable clock in it.
    pub clock: u64,
    /// Whether the node shows new blocks.
    pub fresh: bool,
    /// What it can pay fees from, FRD's smallest unit; `null` until it was read.
    pub funds: Option<Amount>,
    /// Clients with channels.
    pub clients: u32,
    /// Channels and epochs that are watched.
    pub channels: u32,
    /// Bytes of them.
    pub bytes: u64,
    /// Secrets that are to be revealed if a partner does not settle.
    pub secrets: u32,
    /// Pairs in dispute, left and right.
    pub disputes: Vec<[String; 2]>,
    /// Calls on their way to the chain.
    pub pending_calls: Vec<String>,
    /// What is wrong or was missed.
    pub alarms: Vec<AlarmRow>,
    /// How often things happened since the start.
    pub counts: Counts,
}

/// An alarm.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AlarmRow {
    /// Milliseconds since 1970.
    pub since_ms: u64,
    /// What is wrong, and what to do.
    pub text: String,
}

/// What a running tower can be asked for.
#[rpc(server, client, namespace = "tower")]
pub trait TowerRpc {
    /// How it is.
    #[method(name = "status")]
    async fn status(&self) -> RpcResult<TowerStatus>;

    /// Stops the process.
    #[method(name = "stop")]
    async fn stop(&self) -> RpcResult<()>;
}

/// The methods of a running tower.
pub struct Methods {
    /// The tower.
    pub tower: Arc<Tower>,
    /// Told when somebody wants the process to stop.
    pub stop: Arc<Notify>,
}

fn status(tower: &Tower, report: &Report) -> TowerStatus {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let row =
        |(since_ms, text): &(u64, String)| AlarmRow { since_ms: *since_ms, text: text.clone() };
    let disputes = report.disputes.iter();
    TowerStatus {
        account: tower.account().to_ss58check(),
        address: tower.address().to_string(),
        chain: tower.client().info().name.clone(),
        finalized: report.finalized.block,
        best: report.best.block,
        clock: report.best.clock,
        fresh: report.fresh,
        funds: report.funds.map(Amount),
        clients: count(report.clients),
        channels: count(report.channels),
        bytes: report.bytes,
        secrets: count(report.secrets),
        disputes: disputes
            .map(|pair| [pair.left().to_ss58check(), pair.right().to_ss58check()])
            .collect(),
        pending_calls: report.calls.iter().map(|call| (*call).to_string()).collect(),
        alarms: report.alarms.iter().map(row).collect(),
        counts: report.counts,
    }
}

#[async_trait]
impl TowerRpcServer for Methods {
    async fn status(&self) -> RpcResult<TowerStatus> {
        let stopped = || ErrorObject::owned(1, "the tower is stopping", None::<()>);
        let report = self.tower.report().await.ok_or_else(stopped)?;
        Ok(status(&self.tower, &report))
    }

    async fn stop(&self) -> RpcResult<()> {
        self.stop.notify_one();
        Ok(())
    }
}
