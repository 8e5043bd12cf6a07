//! Invoices and offers, swaps, and paying with hash locks.

use super::{
    api::{Amount, AmountRow, Costs, InvoiceRow, OfferRow, PaymentRow, RateRow},
    attempts::{random, End, Limit, Target},
    names::{positive, RequestError},
    service::{name, payment_id, random_id, Service, QUICK},
};
use crate::{
    invoice::{Body, Hubs, InvoiceError, Offer, MAX_DESCRIPTION, MAX_HUBS},
    party::{
        locks::{
            incoming::{Invoice, InvoiceState},
            name_of,
        },
        runtime::now_ms,
        Answer, Command, CommandError, PaymentState, Role,
    },
};
use failsafe_channel::PaymentId;
use failsafe_primitives::{
    simplex::{lock_hash, LockHash},
    view::AssetView,
    Balance, Rate,
};

/// Fee that is accepted when none is named: a hundredth of the amount.
const DEFAULT_FEE_SHARE: Balance = 100;
/// How long an invoice is valid when nothing else is said, seconds.
const DEFAULT_VALIDITY: u64 = 3_600;

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
        let hubs = self.reachable_at().await?;
        let validity = valid_seconds.unwrap_or(DEFAULT_VALIDITY).saturating_mul(1_000);
        let expires_ms = now_ms().saturating_add(validity);
        let (hash, payment_secret) = self.new_invoice(&asset, amount, expires_ms).await?;
        let body = Body {
            genesis: self.client().info().genesis,
            recipient: self.party.account().clone(),
            onion_key: failsafe_onion::public_key(&self.config.onion_key),
            hubs,
            asset: asset.id,
            amount,
            hash,
            payment_secret,
            expires_ms,
            description,
        };
        let text = body.to_text(|message| self.party.sign(message));
        Ok(self.invoice_row(text, &body, Some(InvoiceState::Open)))
    }

    /// The hubs at which a wallet can be paid; one of them answers.
    async fn reachable_at(&self) -> Result<Hubs, RequestError> {
        let hubs = self.hubs.ours();
        let first = hubs.first().ok_or(RequestError::NoHub)?;
        self.connected(&first.account).await?;
        let most = usize::try_from(MAX_HUBS).unwrap_or(usize::MAX);
        let hubs: Vec<_> = hubs.iter().take(most).map(|hub| hub.account.clone()).collect();
        Ok(hubs.try_into().unwrap_or_default())
    }

    /// A new secret of ours, durable before anybody can pay it: its hash, and what shows that a
    /// payer has been told.
    async fn new_invoice(
        &self,
        asset: &AssetView,
        amount: Option<Balance>,
        expires_ms: u64,
    ) -> Result<(LockHash, [u8; 32]), RequestError> {
        let (secret, payment_secret) = (random(), random());
        let invoice = Invoice {
            secret,
            payment_secret,
            asset: asset.id,
            amount,
            expires_ms,
            state: InvoiceState::Open,
            parts: vec![],
            received: 0,
        };
        self.ask(Command::Invoice(Box::new(invoice))).await?;
        Ok((lock_hash(&secret), payment_secret))
    }

    /// What a payment of `amount` may cost.
    async fn limit(
        &self,
        asset: &AssetView,
        amount: Balance,
        costs: &Costs,
    ) -> Result<Limit, RequestError> {
        let Costs { max_fee, source, at_most } = costs;
        let source = match source {
            Some(source) => Some(self.assets.get(Some(source)).await?),
            None => None,
        };
        let Some(source) = source.filter(|source| source.id != asset.id) else {
            if at_most.is_some() {
                let text = "the most that it may cost is for paying with another asset: name it";
                return Err(CommandError::Invalid(text.into()).into());
            }
            return Ok(Limit::Fee(match max_fee {
                Some(text) => crate::amount::parse(text, asset.decimals)?,
                None => amount.div_ceil(DEFAULT_FEE_SHARE),
            }));
        };
        let Some(at_most) = at_most else {
            let text = "say how much of the other asset it may cost at most";
            return Err(CommandError::Invalid(text.into()).into());
        };
        Ok(Limit::Exchange { source: source.id, at_most: positive(at_most, &source)? })
    }

    /// The payment of this name, unless it has to be made, or made again.
    async fn made_before(&self, id: PaymentId) -> Option<crate::party::PaymentRecord> {
        match self.ask(Command::Payment { id }).await {
            Ok(Answer::Payment(_, record)) => {
                Some(record).filter(|record| !matches!(record.state, PaymentState::Failed(_)))
            },
            _ => None,
        }
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
        costs: &Costs,
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
        let limit = self.limit(&asset, amount, costs).await?;
        let id = match id {
            Some(text) => payment_id(text)?,
            // One invoice, one payment, whoever asks how often.
            None => name_of(&body.hash),
        };
        if body.recipient == *self.party.account() {
            return Err(CommandError::Invalid("that is your own invoice".into()).into());
        }
        if let Some(record) = self.made_before(id).await {
            return self.locked_row(id, body.hash, record).await;
        }
        if now_ms() > body.expires_ms {
            return Err(InvoiceError::Expired.into());
        }
        let target = Target {
            id,
            recipient: body.recipient,
            onion_key: body.onion_key,
            hubs: body.hubs.into_inner(),
            asset: asset.id,
            amount,
            hash: body.hash,
            end: End::Invoice { payment_secret: body.payment_secret },
            limit,
        };
        self.pay_target(&target).await
    }

    pub(super) fn read_offer(&self, text: &str) -> Result<Offer, RequestError> {
        Ok(Offer::from_text(text, self.client().info().genesis)?)
    }

    pub(super) async fn do_offer(
        &self,
        description: Option<&str>,
    ) -> Result<OfferRow, RequestError> {
        if self.config.role == Role::Hub {
            return Err(
                CommandError::Invalid("a wallet writes offers, a hub does not".into()).into()
            );
        }
        let description = description.unwrap_or_default().as_bytes().to_vec();
        let description = description.try_into().map_err(|_| {
            CommandError::Invalid(format!("a description has at most {MAX_DESCRIPTION} bytes"))
        })?;
        let offer = Offer {
            genesis: self.client().info().genesis,
            recipient: self.party.account().clone(),
            onion_key: failsafe_onion::public_key(&self.config.onion_key),
            hubs: self.reachable_at().await?,
            description,
        };
        Ok(OfferRow {
            offer: offer.to_text(|message| self.party.sign(message)),
            recipient: name(&offer.recipient),
            description: offer.text(),
        })
    }

    /// Pays somebody who has not asked for this payment, and whose hubs need not be trusted.
    pub(super) async fn do_pay_offer(
        &self,
        text: &str,
        amount: &str,
        asset: Option<&str>,
        costs: &Costs,
        id: Option<&str>,
    ) -> Result<PaymentRow, RequestError> {
        let offer = self.read_offer(text)?;
        let asset = self.assets.get(asset).await?;
        let amount = positive(amount, &asset)?;
        let limit = self.limit(&asset, amount, costs).await?;
        if offer.recipient == *self.party.account() {
            return Err(CommandError::Invalid("that is your own offer".into()).into());
        }
        let id = id.map_or_else(|| Ok(random_id()), payment_id)?;
        if let Some(record) = self.made_before(id).await {
            self.check_same(id, &record, (&offer.recipient, asset.id, amount))?;
            return Ok(self.payment_row(id, record));
        }
        let secret = random();
        let target = Target {
            id,
            recipient: offer.recipient,
            onion_key: offer.onion_key,
            hubs: offer.hubs.into_inner(),
            asset: asset.id,
            amount,
            hash: lock_hash(&secret),
            end: End::Spontaneous { secret },
            limit,
        };
        self.pay_target(&target).await
    }

    /// Changes money: pays ourselves in `asset` with another one, through a hub that changes it. Both
    /// sides have the same hash, so either both are paid or none is.
    pub(super) async fn do_swap(
        &self,
        amount: &str,
        asset: Option<&str>,
        source: &str,
        at_most: &str,
        id: Option<&str>,
    ) -> Result<PaymentRow, RequestError> {
        let asset = self.assets.get(asset).await?;
        let amount = positive(amount, &asset)?;
        let (source, at_most) = (Some(source.into()), Some(at_most.into()));
        let costs = Costs { max_fee: None, source, at_most };
        let limit = self.limit(&asset, amount, &costs).await?;
        let me = self.party.account().clone();
        let id = id.map_or_else(|| Ok(random_id()), payment_id)?;
        if let Some(record) = self.made_before(id).await {
            self.check_same(id, &record, (&me, asset.id, amount))?;
            return Ok(self.payment_row(id, record));
        }
        let hubs = self.reachable_at().await?;
        let expires_ms = now_ms().saturating_add(DEFAULT_VALIDITY.saturating_mul(1_000));
        let (hash, payment_secret) = self.new_invoice(&asset, Some(amount), expires_ms).await?;
        let target = Target {
            id,
            recipient: me,
            onion_key: failsafe_onion::public_key(&self.config.onion_key),
            hubs: hubs.into_inner(),
            asset: asset.id,
            amount,
            hash,
            end: End::Invoice { payment_secret },
            limit,
        };
        self.pay_target(&target).await
    }

    /// At what rates our hubs (a hub: we ourselves) change money.
    pub(super) async fn do_rates(&self) -> Result<Vec<RateRow>, RequestError> {
        let Answer::Survey(survey) = self.ask(Command::Survey).await? else {
            return Err(CommandError::Stopped.into());
        };
        let mut hubs: Vec<_> = self.hubs.ours().iter().map(|hub| hub.account.clone()).collect();
        if self.config.role == Role::Hub {
            hubs = vec![self.party.account().clone()];
        }
        let amount =
            |asset, amount| AmountRow { asset: self.assets.info(asset), amount: Amount(amount) };
        let mut rows = vec![];
        for hub in hubs {
            let Some(signed) = survey.graph.announcement(&hub) else { continue };
            let row = |rate: &Rate| RateRow {
                hub: self.label(&hub),
                takes: amount(rate.takes, rate.take_amount),
                gives: amount(rate.gives, rate.give_amount),
            };
            rows.extend(signed.announcement.rates.iter().map(row));
        }
        Ok(rows)
    }
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
