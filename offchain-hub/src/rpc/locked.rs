//! Invoices, and paying them over hubs with hash locks.

use super::{
    api::{Amount, InvoiceRow, PaymentRow},
    names::{positive, RequestError},
    service::{name, payment_id, Service, QUICK},
};
use crate::{
    invoice::{Body, InvoiceError, MAX_DESCRIPTION, MAX_HUBS},
    party::{
        locks::{
            incoming::{Invoice, InvoiceState},
            name_of,
            outgoing::{LockedOrder, LockedPart},
        },
        runtime::now_ms,
        Answer, Command, CommandError, Failure, PaymentRecord, Role, Survey,
    },
};
use codec::Encode;
use failsafe_channel::PaymentId;
use failsafe_onion::{Hop, Next, Reason};
use failsafe_primitives::{
    evidence::latest_expiry_at_start,
    simplex::{lock_hash, LockHash},
    view::AssetView,
    AccountId, Balance, Clock,
};
use failsafe_routing::{find, NoRoute, Outcome, Query, Route, Subject};
use rand::RngCore;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tracing::info;

/// How long one attempt may take: its lock expires before that.
const ATTEMPT_PATIENCE: Duration = Duration::from_secs(150);
/// Most routes that a payment is tried over.
const MAX_ATTEMPTS: usize = 6;
/// Usable blocks for the locks to reach the recipient.
const TRANSIT: Clock = 4;
/// Price of risk in the search for a route.
const RISK_PPM: u32 = 10_000;
/// Fee that is accepted when none is named: a hundredth of the amount.
const DEFAULT_FEE_SHARE: Balance = 100;
/// How long an invoice is valid when nothing else is said, seconds.
const DEFAULT_VALIDITY: u64 = 3_600;
/// Most hops of a route: the recipient's layer of the onion is one too.
const MAX_HUBS_IN_ROUTE: u32 = 9;

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    bytes
}

impl Service {
    fn invoice_row(&self, text: String, body: &Body, state: Option<InvoiceState>) -> InvoiceRow {
        InvoiceRow {
            invoice: text,
            hash: hex::encode(body.hash),
            recipient: name(&body.recipient),
            asset: self.assets.info(body.asset),
            amount: body.amount.map(Amount),
            expires_ms: body.expires_ms,
            description: body.text(),
            state: state.map(|state| state_name(state).to_string()),
        }
    }

    pub(super) async fn do_invoice(
        &self,
        amount: Option<&str>,
        asset: Option<&str>,
        description: Option<&str>,
        valid_seconds: Option<u64>,
    ) -> Result<InvoiceRow, RequestError> {
        if self.config.role == Role::Hub {
            return Err(
                CommandError::Invalid("a wallet writes invoices, a hub does not".into()).into()
            );
        }
        let asset = self.assets.get(asset).await?;
        let amount = amount.map(|text| positive(text, &asset)).transpose()?;
        let description = description.unwrap_or_default().as_bytes().to_vec();
        let description = description.try_into().map_err(|_| {
            CommandError::Invalid(format!("a description has at most {MAX_DESCRIPTION} bytes"))
        })?;
        let hubs: Vec<AccountId> = self.hubs.ours().iter().map(|hub| hub.account.clone()).collect();
        let first = hubs.first().ok_or(RequestError::NoHub)?;
        self.connected(first).await?;
        let most = usize::try_from(MAX_HUBS).unwrap_or(usize::MAX);
        let hubs: Vec<_> = hubs.into_iter().take(most).collect();
        let (secret, payment_secret) = (random(), random());
        let validity = valid_seconds.unwrap_or(DEFAULT_VALIDITY).saturating_mul(1_000);
        let body = Body {
            genesis: self.client().info().genesis,
            recipient: self.party.account().clone(),
            onion_key: failsafe_onion::public_key(&self.config.onion_key),
            hubs: hubs.try_into().unwrap_or_default(),
            asset: asset.id,
            amount,
            hash: lock_hash(&secret),
            payment_secret,
            expires_ms: now_ms().saturating_add(validity),
            description,
        };
        let invoice = Invoice {
            secret,
            payment_secret,
            asset: asset.id,
            amount,
            expires_ms: body.expires_ms,
            state: InvoiceState::Open,
            parts: vec![],
            received: 0,
        };
        // Durable before anybody can pay it.
        self.ask(Command::Invoice(Box::new(invoice))).await?;
        let text = body.to_text(|message| self.party.sign(message));
        Ok(self.invoice_row(text, &body, Some(InvoiceState::Open)))
    }

    pub(super) fn read_invoice(&self, text: &str) -> Result<Body, RequestError> {
        Ok(Body::from_text(text, self.client().info().genesis)?)
    }

    pub(super) async fn do_decode_invoice(&self, text: &str) -> Result<InvoiceRow, RequestError> {
        let body = self.read_invoice(text)?;
        let state = match self.ask(Command::InvoiceState { hash: body.hash }).await {
            Ok(Answer::Invoice(_, state)) => Some(state),
            _ => None,
        };
        Ok(self.invoice_row(text.trim().to_string(), &body, state))
    }

    pub(super) async fn do_pay_invoice(
        &self,
        text: &str,
        amount: Option<&str>,
        max_fee: Option<&str>,
        id: Option<&str>,
    ) -> Result<PaymentRow, RequestError> {
        let body = self.read_invoice(text)?;
        let asset = self.assets.get(Some(&body.asset.to_string())).await?;
        let wanted = amount.map(|text| positive(text, &asset)).transpose()?;
        let amount = match (body.amount, wanted) {
            (Some(amount), None) => amount,
            (Some(amount), Some(wanted)) if wanted == amount => amount,
            (Some(_), Some(_)) => {
                let text = "the invoice names another amount: leave yours out".into();
                return Err(CommandError::Invalid(text).into());
            },
            (None, Some(wanted)) => wanted,
            (None, None) => {
                let text = "the invoice leaves the amount to you: say how much".into();
                return Err(CommandError::Invalid(text).into());
            },
        };
        let max_fee = match max_fee {
            Some(text) => crate::amount::parse(text, asset.decimals)?,
            None => amount.div_ceil(DEFAULT_FEE_SHARE),
        };
        let id = match id {
            Some(text) => payment_id(text)?,
            // One invoice, one payment, whoever asks how often.
            None => name_of(&body.hash),
        };
        if body.recipient == *self.party.account() {
            return Err(CommandError::Invalid("that is your own invoice".into()).into());
        }
        if let Ok(Answer::Payment(id, record)) = self.ask(Command::Payment { id }).await {
            let again = matches!(record.state, crate::party::PaymentState::Failed(_));
            if !again {
                return self.locked_row(id, body.hash, record).await;
            }
        }
        if now_ms() > body.expires_ms {
            return Err(InvoiceError::Expired.into());
        }
        self.try_routes(id, &body, &asset, amount, max_fee).await
    }

    async fn locked_row(
        &self,
        id: PaymentId,
        hash: LockHash,
        record: PaymentRecord,
    ) -> Result<PaymentRow, RequestError> {
        let mut row = self.payment_row(id, record);
        if let Answer::Proof(Some(secret)) = self.ask(Command::Proof { hash }).await? {
            row.proof = Some(hex::encode(secret));
        }
        Ok(row)
    }

    /// Tries one route after the other; each only after the locks of the one before are dead.
    async fn try_routes(
        &self,
        id: PaymentId,
        body: &Body,
        asset: &AssetView,
        amount: Balance,
        max_fee: Balance,
    ) -> Result<PaymentRow, RequestError> {
        for hub in self.hubs.ours() {
            // What is offline is left out below.
            let _ = self.connected_within(&hub.account, Duration::from_secs(3)).await;
        }
        let mut last = None;
        for attempt in 1..=MAX_ATTEMPTS {
            let Answer::Survey(survey) = self.ask(Command::Survey).await? else {
                return Err(CommandError::Stopped.into());
            };
            let route = match self.route(&survey, body, amount, max_fee).await {
                Ok(route) => route,
                Err(problem) => return Err(last.unwrap_or(problem)),
            };
            let order = order(id, body, amount, &route)?;
            info!(%id, attempt, hubs = route.hops.len(), "trying a route");
            let command = Command::PayLocked(Box::new(order));
            let now = survey.best.clock;
            match self.party.command(command, ATTEMPT_PATIENCE).await {
                Ok(Answer::Payment(id, record)) => {
                    self.reliability().note_success(&route, now);
                    return self.locked_row(id, body.hash, record).await;
                },
                Ok(_) | Err(CommandError::Timeout) => return self.do_payment(id).await,
                Err(CommandError::Failed(failure)) => {
                    self.blame(&route, failure, now);
                    let failed: RequestError = CommandError::Failed(failure).into();
                    if is_final(&route, failure) {
                        return Err(failed);
                    }
                    last = Some(failed);
                },
                Err(error) => return Err(error.into()),
            }
        }
        let amount = crate::amount::format(amount, asset.decimals);
        let none = || CommandError::Invalid(format!("no route has carried {amount}")).into();
        Err(last.unwrap_or_else(none))
    }

    async fn route(
        &self,
        survey: &Survey,
        body: &Body,
        amount: Balance,
        max_fee: Balance,
    ) -> Result<Route, RequestError> {
        let mut from_hubs = BTreeMap::new();
        for channel in self.channels().await? {
            let row = channel.summary.assets.iter().find(|row| row.asset == body.asset);
            if let Some(row) = row.filter(|row| channel.summary.connected && row.can_send > 0) {
                from_hubs.insert(channel.partner.clone(), row.can_send);
            }
        }
        let parameters = &survey.parameters;
        let transit = parameters.final_min.saturating_add(TRANSIT);
        let query = Query {
            from_hubs,
            to_hubs: body.hubs.iter().map(|hub| (hub.clone(), None)).collect(),
            asset: body.asset,
            amount,
            max_fee,
            risk_ppm: RISK_PPM,
            now: survey.best.clock,
            final_expiry: survey.best.clock.saturating_add(transit),
            max_expiry: latest_expiry_at_start(survey.finalized.clock, parameters.lock_window),
            margin: parameters.forward_margin,
            max_hops: MAX_HUBS_IN_ROUTE,
            excluded_hubs: BTreeSet::from([self.party.account().clone(), body.recipient.clone()]),
            excluded_edges: BTreeSet::new(),
        };
        let reliability = self.reliability();
        find(&survey.graph, &reliability, &query).map_err(|why| no_route(why).into())
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
}

/// Whether another route would not help: the recipient itself says no.
fn is_final(route: &Route, failure: Failure) -> bool {
    matches!(failure, Failure::Hop(index, _) if usize::from(index) == route.hops.len())
}

fn no_route(why: NoRoute) -> CommandError {
    CommandError::NoRoute(why)
}

/// The lock to the first hub, with what every hop is told.
fn order(
    id: PaymentId,
    body: &Body,
    amount: Balance,
    route: &Route,
) -> Result<LockedOrder, CommandError> {
    let bytes = |account: &AccountId| *AsRef::<[u8; 32]>::as_ref(account);
    let impossible =
        |what: String| CommandError::Invalid(format!("no onion for this route: {what}"));
    let first = route.hops.first().ok_or_else(|| impossible("it is empty".into()))?;
    let last = route.hops.last().ok_or_else(|| impossible("it is empty".into()))?;
    let nexts = route.hops.iter().skip(1).map(|hop| Next::Hub(bytes(&hop.hub)));
    let nexts = nexts.chain([Next::Recipient(bytes(&body.recipient))]);
    let mut hops: Vec<([u8; 32], Hop)> = route
        .hops
        .iter()
        .zip(nexts)
        .map(|(hop, next)| {
            let (amount, expiry) = (hop.amount_out, hop.expiry_out);
            (hop.transport_key, Hop { next, asset: body.asset, amount, expiry })
        })
        .collect();
    let here = Next::Here { total: amount, payment_secret: body.payment_secret };
    let expiry = last.expiry_out;
    hops.push((body.onion_key, Hop { next: here, asset: body.asset, amount, expiry }));
    let hash: LockHash = body.hash;
    let (packet, keys) = failsafe_onion::build(&random(), &hops, &hash)
        .map_err(|error| impossible(error.to_string()))?;
    let onion = packet.encode().try_into().map_err(|_| impossible("it is too long".into()))?;
    let (via, total, expiry) = (first.hub.clone(), first.amount_in, first.expiry_in);
    Ok(LockedOrder {
        id,
        hash,
        to: body.recipient.clone(),
        asset: body.asset,
        amount,
        parts: vec![LockedPart { via, total, expiry, onion, keys }],
    })
}

/// How an invoice stands, for people.
fn state_name(state: InvoiceState) -> &'static str {
    match state {
        InvoiceState::Open => "open",
        InvoiceState::Claimed => "claimed",
        InvoiceState::Paid => "paid",
    }
}

impl Service {
    /// What is known of the hubs' answers.
    fn reliability(&self) -> std::sync::MutexGuard<'_, failsafe_routing::Reliability> {
        // It is whole whoever panicked.
        self.reliability.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Where an invoice of ours stands.
    pub(super) async fn do_invoice_state(&self, hash: &str) -> Result<String, RequestError> {
        let wrong = || CommandError::Invalid("a hash has 64 hex digits".into());
        let bytes = hex::decode(hash.strip_prefix("0x").unwrap_or(hash)).map_err(|_| wrong())?;
        let hash = bytes.try_into().map_err(|_| wrong())?;
        match self.party.command(Command::InvoiceState { hash }, QUICK).await? {
            Answer::Invoice(_, state) => Ok(state_name(state).to_string()),
            _ => Err(CommandError::UnknownInvoice.into()),
        }
    }
}
