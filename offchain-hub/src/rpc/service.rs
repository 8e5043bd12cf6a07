//! Carries the methods out on a party.

use super::{
    api::{
        Amount, AmountRow, AssetInfo, BackupView, BalanceRow, ChannelAssetRow, ChannelRow, Costs,
        DebtRow, FailsafeRpcServer, HubRow, InvoiceRow, OfferRow, OnChainView, OrderRow,
        PaymentRow, ProcessRow, RateRow, RebalanceView, RecurringRow, Schedule, SignedAmount,
        StatusView, TowerRow, TransferRow,
    },
    names::{hub_rows, positive, Assets, Hubs, KnownHub, RequestError},
    operator::Operator,
    recurring::Wanted,
};
use crate::{
    address, amount,
    chain::{Call, ChainClient, ChainError},
    metrics::Counters,
    party::{
        records::why, Answer, ChannelReport, Command, CommandError, Direction, Party,
        PaymentRecord, PaymentState, Role, Standing,
    },
};
use failsafe_channel::{AssetTerms, PaymentId};
use failsafe_primitives::{
    arithmetic::LIMIT, fees::HubFees, view::AssetView, AccountId, AssetId, Balance, Side,
};
use failsafe_routing::Reliability;
use jsonrpsee::core::{async_trait, RpcResult};
use rand::RngCore;
use sp_core::crypto::Ss58Codec;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;

/// How long a reading command may take.
pub(super) const QUICK: Duration = Duration::from_secs(10);
/// How long a payment may take until it is reported as it stands.
const PAYMENT_PATIENCE: Duration = Duration::from_secs(20);
/// How long a hub has to be reached.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);
/// How long a status waits for hubs.
const STATUS_PATIENCE: Duration = Duration::from_secs(1);
/// How long a call may take to become final.
const CHAIN_PATIENCE: Duration = Duration::from_secs(180);
/// Pause between two looks at a connection.
const POLL: Duration = Duration::from_millis(50);
/// Usable blocks that a hub has for insurance that is paid for, when nobody says otherwise.
const INSURE_WITHIN: u64 = 100;
/// Most payments in one answer.
const MAX_PAYMENTS: u32 = 1_000;
/// Most channels in a status.
const SHOWN: usize = 1_000;
/// Most debts per asset in one answer.
const MAX_DEBTS: u32 = 100;

/// What a service needs besides the party.
pub struct ServiceConfig {
    /// Hub or user.
    pub role: Role,
    /// A wallet's hubs.
    pub hubs: Vec<KnownHub>,
    /// X25519 secret key to which onions are encrypted for it.
    pub onion_key: [u8; 32],
    /// Told when somebody wants the process to stop.
    pub stop: Arc<Notify>,
    /// A hub's configuration.
    pub operator: Option<Operator>,
}

/// The methods of a running party.
#[derive(Clone)]
pub struct Service {
    pub(super) party: Arc<Party>,
    pub(super) assets: Assets,
    pub(super) hubs: Hubs,
    pub(super) config: Arc<ServiceConfig>,
    /// How hubs have answered.
    pub(super) reliability: Arc<Mutex<Reliability>>,
}

/// A name for a payment that was given none.
pub(super) fn random_id() -> PaymentId {
    let mut id = [0; 16];
    rand::rngs::OsRng.fill_bytes(&mut id);
    PaymentId(id)
}

pub(super) fn name(account: &AccountId) -> String {
    account.to_ss58check()
}

impl Service {
    /// The methods of `party`.
    pub async fn new(party: Arc<Party>, config: ServiceConfig) -> Result<Self, ChainError> {
        let assets = Assets::read(party.client().clone()).await?;
        let hubs = Hubs::new(party.client().clone(), config.hubs.clone());
        Ok(Self { party, assets, hubs, config: Arc::new(config), reliability: Arc::default() })
    }

    /// What is counted.
    pub(super) fn counters(&self) -> &Counters {
        self.party.counters()
    }

    pub(super) fn client(&self) -> &ChainClient {
        self.party.client()
    }

    pub(super) async fn ask(&self, command: Command) -> Result<Answer, RequestError> {
        Ok(self.party.command(command, QUICK).await?)
    }

    /// Carries out something that ends on chain.
    pub(super) async fn on_chain(&self, command: Command) -> Result<OnChainView, RequestError> {
        match self.party.command(command, CHAIN_PATIENCE).await? {
            Answer::OnChain(block) => Ok(OnChainView { block }),
            _ => Ok(OnChainView { block: self.standing().await?.finalized.block }),
        }
    }

    async fn standing(&self) -> Result<Standing, RequestError> {
        match self.ask(Command::Standing).await? {
            Answer::Standing(standing) => Ok(standing),
            _ => Err(CommandError::Stopped.into()),
        }
    }

    pub(super) async fn channels(&self) -> Result<Vec<ChannelReport>, RequestError> {
        self.some_channels(None, usize::MAX).await
    }

    /// The channel with a partner, if there is one, or at most so many of all.
    pub(super) async fn some_channels(
        &self,
        of: Option<&AccountId>,
        most: usize,
    ) -> Result<Vec<ChannelReport>, RequestError> {
        match self.ask(Command::Channels { of: of.cloned(), most }).await? {
            Answer::Channels(channels) => Ok(channels),
            _ => Err(CommandError::Stopped.into()),
        }
    }

    /// The partner that is meant; the first hub if none is named.
    pub(super) async fn partner(&self, text: Option<&str>) -> Result<AccountId, RequestError> {
        match text {
            Some(text) => self.hubs.partner(text).await,
            None if self.config.role == Role::Hub => Err(RequestError::NoPartner),
            None => self.hubs.first(),
        }
    }

    /// Waits until a partner is connected and in step.
    pub(super) async fn connected(&self, partner: &AccountId) -> Result<(), RequestError> {
        self.connected_within(partner, CONNECT_PATIENCE).await
    }

    pub(super) async fn connected_within(
        &self,
        partner: &AccountId,
        patience: Duration,
    ) -> Result<(), RequestError> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            let channels = self.some_channels(Some(partner), 1).await?;
            if let Some(channel) = channels.first() {
                // A frozen channel will say so itself.
                if channel.summary.connected || channel.summary.frozen.is_some() {
                    return Ok(());
                }
            }
            let known = self.config.role == Role::User && self.hubs.is_ours(partner);
            if !known && channels.is_empty() {
                return Err(CommandError::UnknownPartner(partner.clone()).into());
            }
            if tokio::time::Instant::now() >= until || self.party.is_stopped() {
                return Err(RequestError::Unreachable {
                    partner: self.label(partner),
                    why: self.party.trouble(partner),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    pub(super) fn label(&self, account: &AccountId) -> String {
        match self.hubs.handle(account) {
            Some(handle) => format!("@{handle}"),
            None => name(account),
        }
    }

    /// `account@hub` as beneficiary and its partner. Without an account it is us, without a hub the
    /// first one.
    async fn side(&self, text: Option<&str>) -> Result<(AccountId, AccountId), RequestError> {
        let me = self.party.account().clone();
        let Some(text) = text else { return Ok((me, self.partner(None).await?)) };
        let address = address::parse(text)?;
        let partner = match &address.hub {
            Some(handle) => self.hubs.account(handle).await?,
            None if self.config.role == Role::Hub => me.clone(),
            None => self.hubs.first()?,
        };
        Ok((address.account.unwrap_or(me), partner))
    }

    /// Refuses what the account cannot pay, before a fee is paid for the attempt.
    pub(super) async fn check_spendable(
        &self,
        asset: &AssetView,
        amount: Balance,
    ) -> Result<(), RequestError> {
        let balances = self.client().balances(self.party.account(), &[asset.id], None).await?;
        let available = balances.first().map_or(0, |balance| balance.spendable);
        if amount <= available {
            return Ok(());
        }
        Err(RequestError::Insufficient {
            amount: amount::format(amount, asset.decimals),
            available: amount::format(available, asset.decimals),
            symbol: self.assets.info(asset.id).symbol,
        })
    }

    async fn fees_of(&self, hub: &AccountId) -> Result<HubFees, RequestError> {
        Ok(self.client().hub(hub).await?.map(|hub| hub.fees).unwrap_or_default())
    }

    pub(super) async fn do_pay(
        &self,
        to: &str,
        amount: &str,
        asset: Option<&str>,
        id: Option<&str>,
    ) -> Result<PaymentRow, RequestError> {
        let asset = self.assets.get(asset).await?;
        let amount = positive(amount, &asset)?;
        let id = match id {
            Some(text) => payment_id(text)?,
            None => random_id(),
        };
        let address = address::parse(to)?;
        let (via, to) = match self.config.role {
            Role::Hub => {
                let to = address.account.ok_or(RequestError::NoPartner)?;
                (to.clone(), to)
            },
            Role::User => {
                let hub = match &address.hub {
                    Some(handle) => self.hubs.account(handle).await?,
                    None => self.hubs.first()?,
                };
                if !self.hubs.is_ours(&hub) {
                    let hub = address.hub.map_or_else(|| name(&hub), |handle| format!("@{handle}"));
                    return Err(RequestError::NotOurHub(hub));
                }
                let to = address.account.unwrap_or_else(|| hub.clone());
                (hub, to)
            },
        };
        if to == *self.party.account() {
            return Err(CommandError::Invalid("that is your own account".into()).into());
        }
        let fees = if via == to { HubFees::default() } else { self.fees_of(&via).await? };
        self.connected(&via).await?;
        let command = Command::Pay { id, via, to, asset: asset.id, amount, fees };
        match self.party.command(command, PAYMENT_PATIENCE).await {
            Ok(Answer::Payment(id, record)) => Ok(self.payment_row(id, record)),
            // It is signed: say how far it has come.
            Ok(_) | Err(CommandError::Timeout) => self.do_payment(id).await,
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn do_payment(&self, id: PaymentId) -> Result<PaymentRow, RequestError> {
        match self.ask(Command::Payment { id }).await? {
            Answer::Payment(id, record) => Ok(self.payment_row(id, record)),
            _ => Err(CommandError::UnknownPayment(id).into()),
        }
    }

    /// Refuses the name of another payment.
    pub(super) fn check_same(
        &self,
        id: PaymentId,
        record: &PaymentRecord,
        (to, asset, amount): (&AccountId, AssetId, Balance),
    ) -> Result<(), RequestError> {
        if (&record.to, record.asset, record.amount) == (to, asset, amount) {
            return Ok(());
        }
        Err(CommandError::Duplicate(id).into())
    }

    pub(super) fn payment_row(&self, id: PaymentId, record: PaymentRecord) -> PaymentRow {
        let (state, reason) = match record.state {
            PaymentState::Sent => ("sent", None),
            PaymentState::Accepted => ("accepted", None),
            PaymentState::Delivered => ("delivered", None),
            PaymentState::Returned(reason) => ("returned", Some(why(reason).to_string())),
            PaymentState::Received => ("received", None),
            PaymentState::Locked => ("locked", None),
            PaymentState::Unknown => ("unknown", Some("ask the recipient".into())),
            PaymentState::Failed(failure) => ("failed", Some(failure.to_string())),
        };
        let direction = match record.direction {
            Direction::Out => "out",
            Direction::In => "in",
            Direction::Through => "through",
        };
        PaymentRow {
            id: id.to_string(),
            at_ms: record.at_ms,
            direction: direction.into(),
            asset: self.assets.info(record.asset),
            amount: Amount(record.amount),
            fee: Amount(record.fee),
            from: name(&record.from),
            to: name(&record.to),
            state: state.into(),
            reason,
            proof: None,
            spent: None,
        }
    }

    fn amounts(&self, amounts: Vec<(AssetId, Balance)>) -> Vec<AmountRow> {
        let row = |(id, amount)| AmountRow { asset: self.assets.info(id), amount: Amount(amount) };
        amounts.into_iter().map(row).collect()
    }

    pub(super) fn channel_row(&self, report: ChannelReport) -> ChannelRow {
        let ChannelReport { partner, summary, owed_to_me, fault, leaves_at } = report;
        let owed = |asset: AssetId| {
            owed_to_me.iter().find(|(id, _)| *id == asset).map_or(0, |(_, amount)| *amount)
        };
        let mut assets: Vec<_> = summary
            .assets
            .iter()
            .map(|row| ChannelAssetRow {
                asset: self.assets.info(row.asset),
                insurance: Amount(row.insurance),
                ondelta: SignedAmount(row.ondelta),
                offdelta: SignedAmount(row.offdelta),
                own_insured: Amount(row.own_insured),
                own_uninsured: Amount(row.own_uninsured),
                partner_insured: Amount(row.partner_insured),
                partner_uninsured: Amount(row.partner_uninsured),
                locked: Amount(row.own_locked),
                locked_by_partner: Amount(row.partner_locked),
                can_send: Amount(row.can_send),
                can_receive: Amount(row.can_receive),
                credit_given: Amount(row.credit_given),
                credit_received: Amount(row.credit_received),
                partner_insure_above: row.partner_insure_above.map(Amount),
                own_unsigned: Amount(row.own_unsigned),
                partner_unsigned: Amount(row.partner_unsigned),
                unsigned_given: Amount(row.unsigned_given),
                unsigned_received: Amount(row.unsigned_received),
                unsigned_lost: Amount(row.unsigned_lost),
                owed_on_chain: Amount(owed(row.asset)),
            })
            .collect();
        assets.sort_by_key(|row| row.asset.id);
        ChannelRow {
            handle: self.hubs.handle(&partner),
            trouble: if summary.connected { None } else { self.party.trouble(&partner) },
            partner: name(&partner),
            side: match summary.side {
                Side::Left => "left".into(),
                Side::Right => "right".into(),
            },
            connected: summary.connected,
            epoch: summary.epoch,
            own_nonce: summary.own_nonce,
            own_acked: summary.own_acked,
            partner_nonce: summary.partner_nonce,
            frozen: summary.frozen.map(|reason| reason.to_string()),
            data_lost: summary.data_lost,
            paused: summary.paused,
            late_claims: summary.late,
            fault,
            leaves_at,
            assets,
        }
    }

    async fn do_status(&self) -> Result<StatusView, RequestError> {
        for hub in self.hubs.ours() {
            // A wallet that has just started is given a moment; what is offline will be shown so.
            let _ = self.connected_within(&hub.account, STATUS_PATIENCE).await;
        }
        let standing = self.standing().await?;
        let mut channels = Vec::new();
        for report in self.some_channels(None, SHOWN).await? {
            channels.push(self.channel_row(report));
        }
        let me = self.party.account();
        let balances = self.client().balances(me, &self.assets.ids(), None).await?;
        let balances = balances
            .into_iter()
            .filter(|row| row.asset == 0 || row.free > 0 || row.unclaimed > 0)
            .map(|row| BalanceRow {
                asset: self.assets.info(row.asset),
                free: Amount(row.free),
                spendable: Amount(row.spendable),
                unclaimed: Amount(row.unclaimed),
            })
            .collect();
        let rebalance = match (self.config.role, self.ask(Command::RebalanceStatus).await?) {
            (Role::Hub, Answer::Rebalance(state)) => Some(state),
            _ => None,
        };
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(StatusView {
            account: name(me),
            role: match self.config.role {
                Role::Hub => "hub".into(),
                Role::User => "user".into(),
            },
            chain: self.client().info().name.clone(),
            genesis: format!("{:?}", self.client().info().genesis),
            finalized: standing.finalized.block,
            best: standing.best.block,
            clock: standing.best.clock,
            fresh: standing.fresh,
            listening: self.party.listening().map(|address| address.to_string()),
            balances,
            owes: self.amounts(self.client().owes(me).await?),
            pending_calls: count(standing.pending_calls),
            total_risk: self.total_risk().await?,
            rebalance,
            mode: (self.config.role == Role::Hub).then(|| standing.mode.name().into()),
            process: standing.process.map(|process| ProcessRow {
                number: count(process.number),
                count: count(process.count),
                connected: count(process.connected),
            }),
            channels_total: count(standing.channels),
            channels,
        })
    }

    async fn do_terms(
        &self,
        partner: Option<&str>,
        asset: Option<&str>,
        credit: &str,
        insure_above: Option<&str>,
        unsigned_limit: Option<&str>,
    ) -> Result<(), RequestError> {
        let partner = self.partner(partner).await?;
        let asset = self.assets.get(asset).await?;
        let credit = amount::parse(credit, asset.decimals)?;
        let insure_above = match insure_above {
            Some("never") | None => LIMIT,
            Some(text) => amount::parse(text, asset.decimals)?,
        };
        let unsigned_limit = amount::parse(unsigned_limit.unwrap_or("0"), asset.decimals)?;
        if credit > LIMIT || insure_above > LIMIT || unsigned_limit > LIMIT {
            return Err(CommandError::Overflow.into());
        }
        self.connected(&partner).await?;
        let terms = AssetTerms { credit, insure_above, unsigned_limit };
        self.ask(Command::SetTerms { partner, asset: asset.id, terms }).await.map(drop)
    }

    async fn do_deposit(
        &self,
        amount: &str,
        asset: Option<&str>,
        to: Option<&str>,
    ) -> Result<OnChainView, RequestError> {
        let asset = self.assets.get(asset).await?;
        let amount = positive(amount, &asset)?;
        if amount < asset.minimum {
            return Err(RequestError::BelowMinimum {
                minimum: amount::format(asset.minimum, asset.decimals),
                symbol: self.assets.info(asset.id).symbol,
            });
        }
        let (beneficiary, partner) = self.side(to).await?;
        if beneficiary == partner {
            return Err(CommandError::Invalid("a hub has no channel with itself".into()).into());
        }
        self.check_spendable(&asset, amount).await?;
        let call = Call::Deposit { asset: asset.id, amount, beneficiary, partner, epoch: None };
        self.on_chain(Command::Submit(Box::new(call))).await
    }

    async fn do_withdraw(
        &self,
        amount: &str,
        asset: Option<&str>,
        partner: Option<&str>,
        deposit_to: Option<&str>,
    ) -> Result<OnChainView, RequestError> {
        let asset = self.assets.get(asset).await?;
        let amount = positive(amount, &asset)?;
        let partner = self.partner(partner).await?;
        let deposit_to = match deposit_to {
            None => None,
            Some(text) => {
                let (beneficiary, other) = self.side(Some(text)).await?;
                Some((beneficiary, other, None))
            },
        };
        self.connected(&partner).await?;
        let command = Command::Withdraw { partner, asset: asset.id, amount, deposit_to };
        self.on_chain(command).await
    }

    async fn do_transfer(
        &self,
        to: &str,
        amount: &str,
        asset: Option<&str>,
    ) -> Result<OnChainView, RequestError> {
        let asset = self.assets.get(asset).await?;
        let amount = positive(amount, &asset)?;
        let to = address::account(to)?;
        self.check_spendable(&asset, amount).await?;
        let call = Call::Transfer { to, asset: asset.id, amount };
        self.on_chain(Command::Submit(Box::new(call))).await
    }

    async fn do_dispute(&self, partner: Option<&str>) -> Result<OnChainView, RequestError> {
        let partner = self.partner(partner).await?;
        self.on_chain(Command::Dispute { partner }).await
    }

    async fn do_close(
        &self,
        partner: Option<&str>,
        partner_submits: bool,
    ) -> Result<OnChainView, RequestError> {
        let partner = self.partner(partner).await?;
        self.connected(&partner).await?;
        self.on_chain(Command::Close { partner, partner_submits }).await
    }

    async fn do_insure(
        &self,
        partner: Option<&str>,
        asset: Option<&str>,
        fee: Option<&str>,
        within: Option<u64>,
    ) -> Result<Option<String>, RequestError> {
        let partner = self.partner(partner).await?;
        let asset = self.assets.get(asset).await?;
        self.connected(&partner).await?;
        let Some(fee) = fee else {
            self.ask(Command::RequestInsurance { partner, asset: asset.id }).await?;
            return Ok(None);
        };
        let (id, fee, within) =
            (random_id(), positive(fee, &asset)?, within.unwrap_or(INSURE_WITHIN));
        self.ask(Command::PayForInsurance { id, partner, asset: asset.id, fee, within }).await?;
        Ok(Some(id.to_string()))
    }

    async fn do_claim(&self, asset: Option<&str>) -> Result<OnChainView, RequestError> {
        let asset = self.assets.get(asset).await?;
        let call = Call::Claim { who: self.party.account().clone(), asset: asset.id };
        self.on_chain(Command::Submit(Box::new(call))).await
    }

    async fn do_debts(&self, debtor: Option<&str>) -> Result<Vec<DebtRow>, RequestError> {
        let debtor = match debtor {
            Some(text) => self.hubs.partner(text).await?,
            None => self.party.account().clone(),
        };
        let mut rows = Vec::new();
        for (asset, _) in self.client().owes(&debtor).await? {
            for debt in self.client().debts_of(&debtor, asset, MAX_DEBTS).await? {
                rows.push(DebtRow {
                    debtor: name(&debt.debtor),
                    creditor: name(&debt.creditor),
                    asset: self.assets.info(asset),
                    left: Amount(debt.left),
                    opened_in: debt.opened_in,
                });
            }
        }
        Ok(rows)
    }

    async fn do_rebalance(&self, dry_run: bool) -> Result<RebalanceView, RequestError> {
        let patience = if dry_run { QUICK } else { CHAIN_PATIENCE };
        match self.party.command(Command::Rebalance { dry_run }, patience).await? {
            Answer::OnChain(block) => {
                Ok(RebalanceView { block: Some(block), ..RebalanceView::default() })
            },
            Answer::Plan(plan) => {
                let row = |partner: AccountId, asset, amount| TransferRow {
                    partner: name(&partner),
                    asset: self.assets.info(asset),
                    amount: Amount(amount),
                };
                Ok(RebalanceView {
                    block: None,
                    asks: plan
                        .asks
                        .into_iter()
                        .map(|ask| row(ask.partner, ask.asset, ask.amount))
                        .collect(),
                    withdrawals: plan.withdrawals.iter().map(name).collect(),
                    deposits: plan
                        .deposits
                        .into_iter()
                        .map(|deposit| row(deposit.partner, deposit.asset, deposit.amount))
                        .collect(),
                })
            },
            _ => Ok(RebalanceView::default()),
        }
    }

    async fn do_register(&self, handle: &str, endpoint: &str) -> Result<OnChainView, RequestError> {
        let operator = self.operator()?;
        let handle = address::handle(handle.strip_prefix('@').unwrap_or(handle))?;
        let call = Call::RegisterHub {
            handle: handle.into_bytes(),
            endpoint: endpoint.as_bytes().to_vec(),
            transport_key: operator.transport_key(),
            fees: operator.fees().await,
        };
        self.on_chain(Command::Submit(Box::new(call))).await
    }
}

/// All that is owed to partners beyond their insurance, per asset.
pub(super) fn payment_id(text: &str) -> Result<PaymentId, RequestError> {
    let wrong = || RequestError::PaymentId(text.to_string());
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let bytes = hex::decode(digits).map_err(|_| wrong())?;
    Ok(PaymentId(bytes.try_into().map_err(|_| wrong())?))
}

#[async_trait]
impl FailsafeRpcServer for Service {
    async fn status(&self) -> RpcResult<StatusView> {
        Ok(self.do_status().await?)
    }

    async fn pay(
        &self,
        to: String,
        amount: String,
        asset: Option<String>,
        id: Option<String>,
    ) -> RpcResult<PaymentRow> {
        Ok(self.do_pay(&to, &amount, asset.as_deref(), id.as_deref()).await?)
    }

    async fn invoice(
        &self,
        amount: Option<String>,
        asset: Option<String>,
        description: Option<String>,
        valid_seconds: Option<u64>,
    ) -> RpcResult<InvoiceRow> {
        let (amount, asset) = (amount.as_deref(), asset.as_deref());
        Ok(self.do_invoice(amount, asset, description.as_deref(), valid_seconds).await?)
    }

    async fn decode_invoice(&self, invoice: String) -> RpcResult<InvoiceRow> {
        Ok(self.do_decode_invoice(&invoice).await?)
    }

    async fn invoice_state(&self, hash: String) -> RpcResult<String> {
        Ok(self.do_invoice_state(&hash).await?)
    }

    async fn pay_invoice(
        &self,
        invoice: String,
        amount: Option<String>,
        costs: Option<Costs>,
        id: Option<String>,
    ) -> RpcResult<PaymentRow> {
        let (amount, costs) = (amount.as_deref(), costs.unwrap_or_default());
        Ok(self.do_pay_invoice(&invoice, amount, &costs, id.as_deref()).await?)
    }

    async fn offer(&self, description: Option<String>) -> RpcResult<OfferRow> {
        Ok(self.do_offer(description.as_deref()).await?)
    }

    async fn pay_offer(
        &self,
        offer: String,
        amount: String,
        asset: Option<String>,
        costs: Option<Costs>,
        id: Option<String>,
    ) -> RpcResult<PaymentRow> {
        let (asset, costs) = (asset.as_deref(), costs.unwrap_or_default());
        Ok(self.do_pay_offer(&offer, &amount, asset, &costs, id.as_deref()).await?)
    }

    async fn swap(
        &self,
        amount: String,
        asset: String,
        source: String,
        at_most: String,
        id: Option<String>,
    ) -> RpcResult<PaymentRow> {
        Ok(self.do_swap(&amount, Some(&asset), &source, &at_most, id.as_deref()).await?)
    }

    async fn recurring_add(
        &self,
        to: String,
        amount: String,
        asset: Option<String>,
        schedule: Schedule,
        id: Option<String>,
    ) -> RpcResult<RecurringRow> {
        let Schedule { every_ms, times, skip_missed } = schedule;
        let wanted = Wanted { to, amount, asset, every_ms, times, skip_missed, id };
        Ok(self.do_recurring_add(wanted).await?)
    }

    async fn recurring(&self) -> RpcResult<Vec<RecurringRow>> {
        Ok(self.do_recurring().await?)
    }

    async fn recurring_cancel(&self, id: String) -> RpcResult<()> {
        Ok(self.do_recurring_cancel(&id).await?)
    }

    async fn rates(&self) -> RpcResult<Vec<RateRow>> {
        Ok(self.do_rates().await?)
    }

    async fn payment(&self, id: String) -> RpcResult<PaymentRow> {
        Ok(self.do_payment(payment_id(&id)?).await?)
    }

    async fn payments(&self, limit: u32) -> RpcResult<Vec<PaymentRow>> {
        let limit = usize::try_from(limit.min(MAX_PAYMENTS)).unwrap_or(0);
        match self.ask(Command::Payments { limit }).await? {
            Answer::Payments(payments) => {
                Ok(payments.into_iter().map(|(id, record)| self.payment_row(id, record)).collect())
            },
            _ => Ok(vec![]),
        }
    }

    async fn terms(
        &self,
        partner: Option<String>,
        asset: Option<String>,
        credit: String,
        insure_above: Option<String>,
        unsigned_limit: Option<String>,
    ) -> RpcResult<()> {
        let (partner, asset) = (partner.as_deref(), asset.as_deref());
        let (above, unsigned) = (insure_above.as_deref(), unsigned_limit.as_deref());
        Ok(self.do_terms(partner, asset, &credit, above, unsigned).await?)
    }

    async fn deposit(
        &self,
        amount: String,
        asset: Option<String>,
        to: Option<String>,
    ) -> RpcResult<OnChainView> {
        Ok(self.do_deposit(&amount, asset.as_deref(), to.as_deref()).await?)
    }

    async fn withdraw(
        &self,
        amount: String,
        asset: Option<String>,
        partner: Option<String>,
        deposit_to: Option<String>,
    ) -> RpcResult<OnChainView> {
        let (asset, partner) = (asset.as_deref(), partner.as_deref());
        Ok(self.do_withdraw(&amount, asset, partner, deposit_to.as_deref()).await?)
    }

    async fn transfer(
        &self,
        to: String,
        amount: String,
        asset: Option<String>,
    ) -> RpcResult<OnChainView> {
        Ok(self.do_transfer(&to, &amount, asset.as_deref()).await?)
    }

    async fn claim(&self, asset: Option<String>) -> RpcResult<OnChainView> {
        Ok(self.do_claim(asset.as_deref()).await?)
    }

    async fn order_place(
        &self,
        sell: String,
        sell_asset: String,
        buy: String,
        buy_asset: String,
    ) -> RpcResult<OnChainView> {
        Ok(self.do_order_place(&sell, &sell_asset, &buy, &buy_asset).await?)
    }

    async fn order_cancel(&self, order: u64) -> RpcResult<OnChainView> {
        Ok(self.do_order_cancel(order).await?)
    }

    async fn orders(&self) -> RpcResult<Vec<OrderRow>> {
        Ok(self.do_orders().await?)
    }

    async fn book(
        &self,
        sell_asset: String,
        buy_asset: String,
        limit: u32,
    ) -> RpcResult<Vec<OrderRow>> {
        Ok(self.do_book(&sell_asset, &buy_asset, limit).await?)
    }

    async fn dispute(&self, partner: Option<String>) -> RpcResult<OnChainView> {
        Ok(self.do_dispute(partner.as_deref()).await?)
    }

    async fn close(
        &self,
        partner: Option<String>,
        partner_submits: bool,
    ) -> RpcResult<OnChainView> {
        Ok(self.do_close(partner.as_deref(), partner_submits).await?)
    }

    async fn insure(
        &self,
        partner: Option<String>,
        asset: Option<String>,
        fee: Option<String>,
        within: Option<u64>,
    ) -> RpcResult<Option<String>> {
        let (partner, asset, fee) = (partner.as_deref(), asset.as_deref(), fee.as_deref());
        Ok(self.do_insure(partner, asset, fee, within).await?)
    }

    async fn assets(&self) -> RpcResult<Vec<AssetInfo>> {
        Ok(self.assets.list())
    }

    async fn hubs(&self) -> RpcResult<Vec<HubRow>> {
        let ours = |account: &AccountId| self.hubs.is_ours(account);
        Ok(hub_rows(self.client(), ours).await.map_err(RequestError::from)?)
    }

    async fn towers(&self) -> RpcResult<Vec<TowerRow>> {
        Ok(self.party.towers().iter().map(TowerRow::of).collect())
    }

    async fn debts(&self, debtor: Option<String>) -> RpcResult<Vec<DebtRow>> {
        Ok(self.do_debts(debtor.as_deref()).await?)
    }

    async fn rebalance(&self, dry_run: bool) -> RpcResult<RebalanceView> {
        Ok(self.do_rebalance(dry_run).await?)
    }

    async fn register(&self, handle: String, endpoint: String) -> RpcResult<OnChainView> {
        Ok(self.do_register(&handle, &endpoint).await?)
    }

    async fn dispute_from_backup(&self, partner: Option<String>) -> RpcResult<OnChainView> {
        Ok(self.do_dispute_from_backup(partner.as_deref()).await?)
    }

    async fn backup(&self, path: String) -> RpcResult<BackupView> {
        Ok(self.do_backup(path).await?)
    }

    async fn stop(&self) -> RpcResult<()> {
        self.config.stop.notify_one();
        Ok(())
    }
}
