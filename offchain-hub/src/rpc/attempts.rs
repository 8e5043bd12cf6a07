//! Paying over hubs with hash locks: which ways are tried.
//!
//! A payment goes over the best route that carries it, or in parts over several that share no link. A
//! part that comes back is replaced by another one while the rest is pending; when all have come
//! back, everything is tried anew without what has failed. The party sees to it that all that could
//! arrive together is never more than the amount.

use super::{
    api::{AmountRow, PaymentRow},
    names::RequestError,
    service::Service,
};
use crate::{
    amount,
    party::{
        locks::outgoing::{LockedOrder, LockedPart, PartState},
        Answer, Command, CommandError, Failure, Failures, PaymentRecord, Survey,
    },
};
use codec::Encode;
use failsafe_channel::PaymentId;
use failsafe_onion::{Hop, Next, Reason};
use failsafe_primitives::{
    arithmetic::LIMIT, evidence::latest_expiry_at_start, simplex::LockHash, AccountId, AssetId,
    Balance, Clock, Rate,
};
use failsafe_routing::{
    split, NoRoute, NoSplit, Outcome, Parts, Query, Reliability, Route, Subject, DEFAULT_MAX_PARTS,
};
use rand::RngCore;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{MutexGuard, PoisonError},
    time::Duration,
};
use tracing::{debug, info};

/// How long one attempt may take: its lock expires before that.
const ATTEMPT_PATIENCE: Duration = Duration::from_secs(150);
/// How long a hub of ours has to be reached before the payment goes on without it.
const HUB_PATIENCE: Duration = Duration::from_secs(3);
/// Most times that routes are looked for.
const MAX_ATTEMPTS: usize = 8;
/// Usable blocks for the locks to reach the recipient.
const TRANSIT: Clock = 4;
/// Price of risk in the search for a route.
const RISK_PPM: u32 = 10_000;
/// Most hops of a route: the recipient's layer of the onion is one too.
const MAX_HUBS_IN_ROUTE: u32 = 9;
/// A part is at least this share of the payment.
const SMALLEST_SHARE: Balance = 32;

/// Whom to pay, and what for.
pub(super) struct Target {
    /// Name of the payment.
    pub id: PaymentId,
    /// Who is paid.
    pub recipient: AccountId,
    /// X25519 key to which its part of the onion is encrypted.
    pub onion_key: [u8; 32],
    /// Its hubs.
    pub hubs: Vec<AccountId>,
    /// What arrives.
    pub asset: AssetId,
    /// How much.
    pub amount: Balance,
    /// SHA-256 of the secret.
    pub hash: LockHash,
    /// What the recipient is told.
    pub end: End,
    /// What it may cost.
    pub limit: Limit,
}

/// What the recipient is told.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// It has written an invoice.
    Invoice {
        /// From the invoice.
        payment_secret: [u8; 32],
    },
    /// It has not asked for the payment.
    Spontaneous {
        /// Opens the lock.
        secret: [u8; 32],
    },
}

/// What a payment may cost.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    /// Most for all hubs together, in the asset that arrives.
    Fee(Balance),
    /// It is paid in another asset, which the first hub changes.
    Exchange {
        /// The asset that we pay.
        source: AssetId,
        /// Most of it.
        at_most: Balance,
    },
}

impl Target {
    /// The asset that we pay.
    fn source(&self) -> AssetId {
        match self.limit {
            Limit::Fee(_) => self.asset,
            Limit::Exchange { source, .. } => source,
        }
    }

    fn max_parts(&self) -> u32 {
        match self.end {
            End::Invoice { .. } => DEFAULT_MAX_PARTS,
            // It is complete with the first part that arrives.
            End::Spontaneous { .. } => 1,
        }
    }
}

/// A route that was tried.
struct Tried {
    route: Route,
    /// Whether its lock may be pending.
    alive: bool,
    /// Whether what came back of it has been looked at.
    judged: bool,
    /// Whether its lock was made at all.
    made: bool,
}

/// 32 bytes that nobody knows.
pub(super) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    bytes
}

impl Service {
    /// Pays a target, over one route or several, until it is paid, has failed, or no more is to be
    /// tried.
    pub(super) async fn pay_target(&self, target: &Target) -> Result<PaymentRow, RequestError> {
        for hub in self.hubs.ours() {
            // What is offline is left out below.
            let _ = self.connected_within(&hub.account, HUB_PATIENCE).await;
        }
        let mut tried: Vec<Tried> = vec![];
        let mut missing = target.amount;
        let mut last: Option<RequestError> = None;
        for attempt in 1..=MAX_ATTEMPTS {
            let Answer::Survey(survey) = self.ask(Command::Survey).await? else {
                return Err(CommandError::Stopped.into());
            };
            let pending = tried.iter().any(|one| one.alive);
            let command = match self.order(&survey, target, missing, &mut tried).await {
                Ok(order) => {
                    info!(id = %target.id, attempt, parts = order.parts.len(), "trying routes");
                    Command::PayLocked(Box::new(order))
                },
                Err(problem) if pending => {
                    debug!(id = %target.id, %problem, "no other way for a part");
                    Command::AwaitLocked { id: target.id }
                },
                Err(problem) => return Err(last.unwrap_or(problem)),
            };
            let now = survey.best.clock;
            match self.party.command(command, ATTEMPT_PATIENCE).await {
                Ok(Answer::Payment(id, record)) => {
                    for one in tried.iter().filter(|one| one.alive) {
                        self.reliability().note_success(&one.route, now);
                    }
                    return self.locked_row(id, target.hash, record).await;
                },
                Ok(_) | Err(CommandError::Timeout) => return self.do_payment(target.id).await,
                Err(CommandError::PartFailed { failures, missing: left }) => {
                    missing = left;
                    self.judge(&mut tried, &failures, now);
                    self.look_at_parts(target.hash, &mut tried).await;
                },
                Err(CommandError::Failed(failures)) => {
                    let says_no = self.judge(&mut tried, &failures, now);
                    tried.iter_mut().for_each(|one| one.alive = false);
                    let failed: RequestError = CommandError::Failed(failures).into();
                    if says_no {
                        return Err(failed);
                    }
                    missing = target.amount;
                    last = Some(failed);
                },
                Err(_) if pending => self.look_at_parts(target.hash, &mut tried).await,
                Err(error) => return Err(error.into()),
            }
        }
        if tried.iter().any(|one| one.alive) {
            let command = Command::AwaitLocked { id: target.id };
            return match self.party.command(command, ATTEMPT_PATIENCE).await {
                Ok(Answer::Payment(id, record)) => self.locked_row(id, target.hash, record).await,
                Err(CommandError::Failed(failures)) => Err(CommandError::Failed(failures).into()),
                _ => self.do_payment(target.id).await,
            };
        }
        Err(last.unwrap_or_else(|| CommandError::NoRoute(NoRoute::Capacity).into()))
    }

    /// Which of the parts are pending.
    async fn look_at_parts(&self, hash: LockHash, tried: &mut [Tried]) {
        let Ok(Answer::Locked(payment)) = self.ask(Command::Locked { hash }).await else { return };
        for (number, one) in (0u32..).zip(tried.iter_mut()).filter(|(_, one)| one.alive) {
            let part = payment.parts.iter().find(|part| part.route == number);
            one.made = part.is_some();
            one.alive = part.is_some_and(|part| part.state != PartState::Dead);
        }
    }

    /// A payment as it stands, with what proves it and what it has cost.
    pub(super) async fn locked_row(
        &self,
        id: PaymentId,
        hash: LockHash,
        record: PaymentRecord,
    ) -> Result<PaymentRow, RequestError> {
        let mut row = self.payment_row(id, record);
        if let Ok(Answer::Locked(payment)) = self.ask(Command::Locked { hash }).await {
            row.proof = payment.proof.map(hex::encode);
            row.spent = payment.spent().map(|spent| AmountRow {
                asset: self.assets.info(payment.source),
                amount: super::api::Amount(spent),
            });
        }
        Ok(row)
    }

    /// Locks for what is `missing`, over routes that share no link with what is pending.
    async fn order(
        &self,
        survey: &Survey,
        target: &Target,
        missing: Balance,
        tried: &mut Vec<Tried>,
    ) -> Result<LockedOrder, RequestError> {
        let rates = self.rates_of(survey, target);
        let routes = self.routes(survey, target, missing, tried, &rates).await?;
        let before = tried.len();
        let mut parts = vec![];
        let mut spent: Balance = 0;
        for (at, route) in routes.into_iter().enumerate() {
            let rate = route.hops.first().and_then(|hop| rates.get(&hop.hub));
            let total = match rate {
                Some(rate) => rate.cost(route.total).ok_or(CommandError::Overflow)?,
                None => route.total,
            };
            spent = spent.checked_add(total).ok_or(CommandError::Overflow)?;
            let number = before.checked_add(at).and_then(|number| u32::try_from(number).ok());
            let number = number.ok_or(CommandError::Overflow)?;
            parts.push((part(target, &route, number, total)?, route));
        }
        if let Limit::Exchange { source, at_most } = target.limit {
            let pending = tried.iter().filter(|one| one.alive).try_fold(spent, |sum, one| {
                let rate = one.route.hops.first().and_then(|hop| rates.get(&hop.hub));
                sum.checked_add(rate?.cost(one.route.total)?)
            });
            if pending.is_none_or(|sum| sum > at_most) {
                let view = self.assets.get(Some(&source.to_string())).await?;
                let text = amount::format(pending.unwrap_or(spent), view.decimals);
                let symbol = self.assets.info(source).symbol;
                let text = format!("that costs {text} {symbol} now, more than you let it cost");
                return Err(CommandError::Invalid(text).into());
            }
        }
        let (parts, routes): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let new = |route| Tried { route, alive: true, judged: false, made: true };
        tried.extend(routes.into_iter().map(new));
        Ok(LockedOrder {
            id: target.id,
            hash: target.hash,
            to: target.recipient.clone(),
            asset: target.asset,
            amount: target.amount,
            source: target.source(),
            parts,
        })
    }

    /// At what rates our hubs change what we pay into what arrives; none if that is the same.
    fn rates_of(&self, survey: &Survey, target: &Target) -> BTreeMap<AccountId, Rate> {
        let (source, asset) = (target.source(), target.asset);
        if source == asset {
            return BTreeMap::new();
        }
        let wanted = |rate: &&Rate| (rate.takes, rate.gives) == (source, asset);
        let hubs = self.hubs.ours().iter().filter_map(|hub| {
            let signed = survey.graph.announcement(&hub.account)?;
            let rate = *signed.announcement.rates.iter().find(wanted)?;
            Some((hub.account.clone(), rate))
        });
        hubs.collect()
    }

    async fn routes(
        &self,
        survey: &Survey,
        target: &Target,
        amount: Balance,
        tried: &[Tried],
        rates: &BTreeMap<AccountId, Rate>,
    ) -> Result<Vec<Route>, RequestError> {
        let source = target.source();
        let mut from_hubs = BTreeMap::new();
        for channel in self.channels().await? {
            let row = channel.summary.assets.iter().find(|row| row.asset == source);
            let Some(row) = row.filter(|row| channel.summary.connected && row.can_send > 0) else {
                continue;
            };
            let carries = match target.limit {
                Limit::Fee(_) => row.can_send,
                Limit::Exchange { at_most, .. } => match rates.get(&channel.partner) {
                    Some(rate) => rate.worth(row.can_send.min(at_most)),
                    None => continue,
                },
            };
            from_hubs.insert(channel.partner.clone(), carries);
        }
        if from_hubs.is_empty() && source != target.asset && rates.is_empty() {
            let (takes, gives) = (self.assets.info(source), self.assets.info(target.asset));
            let text = format!("no hub of yours takes {} for {}", takes.symbol, gives.symbol);
            return Err(CommandError::Invalid(text).into());
        }
        let mut to_hubs: BTreeMap<AccountId, Option<Balance>> =
            target.hubs.iter().map(|hub| (hub.clone(), None)).collect();
        let mut excluded_edges = BTreeSet::new();
        for one in tried {
            let (Some(first), Some(last)) = (one.route.hops.first(), one.route.hops.last()) else {
                continue;
            };
            if !one.made {
                // Our own channel does not take it now.
                from_hubs.remove(&first.hub);
            }
            if one.alive {
                from_hubs.remove(&first.hub);
                to_hubs.remove(&last.hub);
                let hubs = one.route.hops.windows(2);
                let edges = hubs.map(|two| (two[0].hub.clone(), two[1].hub.clone()));
                excluded_edges.extend(edges);
            }
        }
        let spent_fees = tried.iter().filter(|one| one.alive).map(|one| one.route.fee);
        let spent_fees =
            spent_fees.fold(0, |sum: Balance, fee| sum.checked_add(fee).unwrap_or(sum));
        let max_fee = match target.limit {
            Limit::Fee(most) => most.saturating_sub(spent_fees),
            // What all of it costs is limited.
            Limit::Exchange { .. } => LIMIT,
        };
        let parameters = &survey.parameters;
        let transit = parameters.final_min.saturating_add(TRANSIT);
        let query = Query {
            from_hubs,
            to_hubs,
            asset: target.asset,
            amount,
            max_fee,
            risk_ppm: RISK_PPM,
            now: survey.best.clock,
            final_expiry: survey.best.clock.saturating_add(transit),
            max_expiry: latest_expiry_at_start(survey.finalized.clock, parameters.lock_window),
            margin: parameters.forward_margin,
            max_hops: MAX_HUBS_IN_ROUTE,
            excluded_hubs: BTreeSet::from([self.party.account().clone(), target.recipient.clone()]),
            excluded_edges,
        };
        let smallest = target.amount.div_ceil(SMALLEST_SHARE);
        let parts = Parts { max: target.max_parts(), smallest };
        let reliability = self.reliability();
        split(&survey.graph, &reliability, &query, parts).map_err(|why| {
            let reason = match why {
                NoSplit::NoRoute { reason, .. } => reason,
                NoSplit::TooManyParts { .. } => NoRoute::Capacity,
            };
            CommandError::NoRoute(reason).into()
        })
    }

    /// Notes who has answered badly. Whether the recipient itself says no: then no other way helps.
    fn judge(&self, tried: &mut [Tried], failures: &Failures, now: Clock) -> bool {
        let mut says_no = false;
        for (number, failure) in &failures.0 {
            let at = usize::try_from(*number).unwrap_or(usize::MAX);
            let Some(one) = tried.get_mut(at).filter(|one| !one.judged) else { continue };
            one.judged = true;
            one.alive = false;
            self.blame(&one.route, *failure, now);
            says_no |= is_final(&one.route, *failure);
        }
        says_no
    }

    /// Who answered badly is avoided for a while.
    fn blame(&self, route: &Route, failure: Failure, now: Clock) {
        let hub = |index: u8| route.hops.get(usize::from(index)).map(|hop| hop.hub.clone());
        let mut reliability = self.reliability();
        match failure {
            Failure::Hop(index, reason) => {
                let Some(at) = hub(index) else { return };
                let next = index.checked_add(1).and_then(hub);
                // What a hub says of its way on says nothing about itself.
                let subject = match (reason, next) {
                    (Reason::FeeTooLow | Reason::Instructions, _) | (_, None) => Subject::Hub(at),
                    (_, Some(next)) => Subject::Edge(at, next),
                };
                reliability.note(subject, Outcome::Failure, now);
            },
            Failure::Unreadable(first, last) => {
                for at in (first..=last).filter_map(hub) {
                    reliability.note(Subject::Hub(at), Outcome::Unreadable, now);
                }
            },
            Failure::Expired => {
                for hop in &route.hops {
                    reliability.note(Subject::Hub(hop.hub.clone()), Outcome::Timeout, now);
                }
            },
        }
    }

    /// What is known of the hubs' answers.
    fn reliability(&self) -> MutexGuard<'_, Reliability> {
        // It is whole whoever panicked.
        self.reliability.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether another route would not help: the recipient itself says no, and not only because other
/// parts did not come.
fn is_final(route: &Route, failure: Failure) -> bool {
    match failure {
        Failure::Hop(index, reason) => {
            usize::from(index) == route.hops.len() && reason != Reason::Timeout
        },
        Failure::Unreadable(..) | Failure::Expired => false,
    }
}

/// The lock to the first hub of a route, with what every hop is told.
fn part(
    target: &Target,
    route: &Route,
    number: u32,
    total: Balance,
) -> Result<LockedPart, CommandError> {
    let bytes = |account: &AccountId| *AsRef::<[u8; 32]>::as_ref(account);
    let impossible =
        |what: String| CommandError::Invalid(format!("no onion for this route: {what}"));
    let first = route.hops.first().ok_or_else(|| impossible("it is empty".into()))?;
    let last = route.hops.last().ok_or_else(|| impossible("it is empty".into()))?;
    let nexts = route.hops.iter().skip(1).map(|hop| Next::Hub(bytes(&hop.hub)));
    let nexts = nexts.chain([Next::Recipient(bytes(&target.recipient))]);
    let mut hops: Vec<([u8; 32], Hop)> = route
        .hops
        .iter()
        .zip(nexts)
        .map(|(hop, next)| {
            let (amount, expiry) = (hop.amount_out, hop.expiry_out);
            (hop.transport_key, Hop { next, asset: target.asset, amount, expiry })
        })
        .collect();
    let next = match target.end {
        End::Invoice { payment_secret } => Next::Here { total: target.amount, payment_secret },
        End::Spontaneous { secret } => Next::Spontaneous { secret },
    };
    let (asset, amount, expiry) = (target.asset, route.amount, last.expiry_out);
    hops.push((target.onion_key, Hop { next, asset, amount, expiry }));
    let (packet, keys) = failsafe_onion::build(&random(), &hops, &target.hash)
        .map_err(|error| impossible(error.to_string()))?;
    let onion = packet.encode().try_into().map_err(|_| impossible("it is too long".into()))?;
    Ok(LockedPart {
        route: number,
        via: first.hub.clone(),
        total,
        arrives: route.amount,
        expiry: first.expiry_in,
        onion,
        keys,
    })
}
