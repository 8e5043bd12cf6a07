//! What a running party tells by itself, over WebSocket.

use super::{api::PaymentRow, Service};
use crate::party::{Answer, Command, Standing};
use jsonrpsee::{
    core::{async_trait, SubscriptionResult},
    proc_macros::rpc,
    PendingSubscriptionSink,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{interval, MissedTickBehavior},
};

/// How often the status is looked at.
const STATUS_PAUSE: Duration = Duration::from_millis(500);

/// Where a party stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusEvent {
    /// Newest finalized block.
    pub finalized: u32,
    /// Newest best block.
    pub best: u32,
    /// Usable clock in it.
    pub clock: u64,
    /// Whether the node shows new blocks.
    pub fresh: bool,
    /// Calls on their way to the chain.
    pub pending_calls: u32,
    /// Partners that are connected.
    pub connected: u32,
    /// What a hub takes: `open`, `paused`, `draining`.
    pub mode: String,
}

impl From<Standing> for StatusEvent {
    fn from(standing: Standing) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            finalized: standing.finalized.block,
            best: standing.best.block,
            clock: standing.best.clock,
            fresh: standing.fresh,
            pending_calls: count(standing.pending_calls),
            connected: count(standing.connected),
            mode: standing.mode.name().into(),
        }
    }
}

/// What a running party tells over WebSocket.
#[rpc(server, client, namespace = "failsafe")]
pub trait EventsRpc {
    /// Every payment that begins or moves on, as it stands then. Whoever does not keep up is told so
    /// and has to subscribe again; `failsafe_payments` has what it missed.
    #[subscription(name = "subscribePayments" => "payments", unsubscribe = "unsubscribePayments",
        item = PaymentRow)]
    async fn subscribe_payments(&self) -> SubscriptionResult;

    /// Where the party stands: now, and whenever that changes.
    #[subscription(name = "subscribeStatus" => "status", unsubscribe = "unsubscribeStatus",
        item = StatusEvent)]
    async fn subscribe_status(&self) -> SubscriptionResult;
}

#[async_trait]
impl EventsRpcServer for Service {
    async fn subscribe_payments(&self, pending: PendingSubscriptionSink) -> SubscriptionResult {
        // Before the client knows that it is subscribed, so that nothing is missed after that.
        let mut news = self.party.payments();
        let sink = pending.accept().await?;
        loop {
            let next = tokio::select! {
                () = sink.closed() => return Ok(()),
                next = news.recv() => next,
            };
            match next {
                Ok((id, record)) => {
                    let row = self.payment_row(id, record);
                    sink.send(serde_json::value::to_raw_value(&row)?).await?;
                },
                Err(RecvError::Lagged(missed)) => {
                    let text = format!(
                        "{missed} payments were missed: subscribe again, and read failsafe_payments"
                    );
                    return Err(text.into());
                },
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    }

    async fn subscribe_status(&self, pending: PendingSubscriptionSink) -> SubscriptionResult {
        let sink = pending.accept().await?;
        let mut look = interval(STATUS_PAUSE);
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut told = None;
        loop {
            tokio::select! {
                () = sink.closed() => return Ok(()),
                _ = look.tick() => {},
            }
            let Ok(Answer::Standing(standing)) = self.ask(Command::Standing).await else {
                return Err("the party has stopped".to_string().into());
            };
            let event = StatusEvent::from(standing);
            if told.as_ref() != Some(&event) {
                sink.send(serde_json::value::to_raw_value(&event)?).await?;
                told = Some(event);
            }
        }
    }
}
