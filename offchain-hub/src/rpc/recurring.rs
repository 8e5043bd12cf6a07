//! Standing orders: paying their instalments when they are due.

use super::{
    api::{Amount, Costs, RecurringRow},
    names::{positive, RequestError},
    service::{payment_id, random_id, Service},
};
use crate::{
    amount,
    invoice::OFFER_PREFIX,
    party::{
        orders::{Ended, StandingOrder, MAX_TO, MIN_PAUSE_MS},
        runtime::now_ms,
        Answer, Command, CommandError, Role,
    },
};
use failsafe_channel::PaymentId;
use std::{collections::BTreeSet, time::Duration};
use tokio::{task::JoinSet, time::sleep};
use tracing::{info, warn};

/// Longest pause between two looks at the orders.
const LOOK: Duration = Duration::from_millis(500);
/// Pause after an instalment that could not even be signed.
const PAUSE: Duration = Duration::from_secs(2);

/// What is wanted, as people write it.
pub(super) struct Wanted {
    pub to: String,
    pub amount: String,
    pub asset: Option<String>,
    pub every_ms: u64,
    pub times: Option<u32>,
    pub skip_missed: bool,
    pub id: Option<String>,
}

impl Service {
    pub(super) async fn do_recurring_add(
        &self,
        wanted: Wanted,
    ) -> Result<RecurringRow, RequestError> {
        let invalid = |text: &str| RequestError::from(CommandError::Invalid(text.into()));
        let Wanted { to, amount, asset, every_ms, times, skip_missed, id } = wanted;
        let asset = self.assets.get(asset.as_deref()).await?;
        let amount = positive(&amount, &asset)?;
        if to.trim().starts_with(OFFER_PREFIX) {
            if self.config.role == Role::Hub {
                return Err(invalid("a wallet pays offers, a hub does not"));
            }
            let offer = self.read_offer(&to)?;
            if offer.recipient == *self.party.account() {
                return Err(invalid("that is your own offer"));
            }
        } else {
            crate::address::parse(&to)?;
        }
        let to = to.trim().as_bytes().to_vec();
        let to = to.try_into().map_err(|_| {
            CommandError::Invalid(format!("who is paid has at most {MAX_TO} letters"))
        })?;
        if every_ms < MIN_PAUSE_MS {
            return Err(CommandError::Invalid(format!(
                "the shortest pause between two payments is {MIN_PAUSE_MS} ms"
            ))
            .into());
        }
        if times == Some(0) {
            return Err(invalid("how often? at least once"));
        }
        let id = id.as_deref().map_or_else(|| Ok(random_id()), payment_id)?;
        let order = StandingOrder {
            to,
            asset: asset.id,
            amount,
            first_ms: now_ms(),
            every_ms,
            times,
            skip_missed,
            next: 0,
            attempt: 0,
            not_before_ms: 0,
            paid: 0,
            ended: None,
        };
        self.ask(Command::AddOrder { id, order: Box::new(order) }).await?;
        self.orders().await?.into_iter().find(|(known, _)| *known == id).map_or_else(
            || Err(CommandError::UnknownPayment(id).into()),
            |(id, order)| Ok(self.recurring_row(id, &order)),
        )
    }

    pub(super) async fn do_recurring(&self) -> Result<Vec<RecurringRow>, RequestError> {
        let orders = self.orders().await?;
        Ok(orders.iter().map(|(id, order)| self.recurring_row(*id, order)).collect())
    }

    pub(super) async fn do_recurring_cancel(&self, id: &str) -> Result<(), RequestError> {
        self.ask(Command::CancelOrder { id: payment_id(id)? }).await?;
        Ok(())
    }

    async fn orders(&self) -> Result<Vec<(PaymentId, StandingOrder)>, RequestError> {
        match self.ask(Command::Orders).await? {
            Answer::Orders(orders) => Ok(orders),
            _ => Err(CommandError::Stopped.into()),
        }
    }

    fn recurring_row(&self, id: PaymentId, order: &StandingOrder) -> RecurringRow {
        let state = match (order.ended, order.is_open()) {
            (Some(Ended::Cancelled), _) => "cancelled",
            (Some(Ended::Unknown), _) => "unknown",
            (None, true) => "open",
            (None, false) => "done",
        };
        RecurringRow {
            id: id.to_string(),
            to: String::from_utf8_lossy(&order.to).into_owned(),
            asset: self.assets.info(order.asset),
            amount: Amount(order.amount),
            every_ms: order.every_ms,
            times: order.times,
            paid: order.paid,
            came_back: order.attempt,
            next_ms: order.wake_ms(),
            state: state.into(),
        }
    }

    /// Pays what is due, for as long as the party runs. Orders do not wait for each other.
    pub async fn pay_standing_orders(self) {
        let mut paying = JoinSet::new();
        let mut busy = BTreeSet::new();
        while !self.party.is_stopped() {
            while let Some(done) = paying.try_join_next() {
                match done {
                    Ok(id) => {
                        busy.remove(&id);
                    },
                    Err(problem) => warn!(%problem, "a standing order"),
                }
            }
            // Fails only when the party is stopping or overloaded: later again.
            let orders = self.orders().await.unwrap_or_default();
            let now = now_ms();
            let mut pause = LOOK;
            for (id, order) in orders {
                let Some(wake) = order.wake_ms() else { continue };
                if wake > now {
                    pause = pause.min(Duration::from_millis(wake.saturating_sub(now)));
                } else if busy.insert(id) {
                    let service = self.clone();
                    paying.spawn(async move {
                        service.pay_instalment(id).await;
                        id
                    });
                }
            }
            if busy.is_empty() {
                sleep(pause).await;
            } else {
                // Whatever comes first.
                tokio::select! {
                    () = sleep(pause) => {},
                    Some(Ok(id)) = paying.join_next() => { busy.remove(&id); },
                }
            }
        }
    }

    async fn pay_instalment(&self, order: PaymentId) {
        let next = match self.ask(Command::NextInstalment { order }).await {
            Ok(Answer::Instalment(next)) => next,
            Ok(_) => None,
            Err(problem) => {
                warn!(%order, %problem, "a standing order");
                None
            },
        };
        // Still under way, or over.
        let Some((id, wanted)) = next else { return sleep(PAUSE).await };
        let to = String::from_utf8_lossy(&wanted.to).into_owned();
        let asset = wanted.asset.to_string();
        let decimals = self.assets.info(wanted.asset).decimals;
        let (amount, name) = (amount::format(wanted.amount, decimals), id.to_string());
        let paid = if to.starts_with(OFFER_PREFIX) {
            let costs = Costs::default();
            self.do_pay_offer(&to, &amount, Some(&asset), &costs, Some(&name)).await
        } else {
            self.do_pay(&to, &amount, Some(&asset), Some(&name)).await
        };
        match paid {
            Ok(row) => info!(%order, number = wanted.next, state = row.state, "an instalment"),
            Err(problem) => {
                warn!(%order, number = wanted.next, %problem, "an instalment is not paid yet");
                sleep(PAUSE).await;
            },
        }
        // What has become of it is durable before the next one is looked at.
        if let Err(problem) = self.ask(Command::NextInstalment { order }).await {
            warn!(%order, %problem, "a standing order");
        }
    }
}
