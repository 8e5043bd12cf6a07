//! Methods of a running party, and what they answer.

use crate::watchtower::{TowerAddress, TowerStanding};
use failsafe_primitives::Balance;
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use schemars::{json_schema, JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use sp_core::crypto::Ss58Codec;
use std::{borrow::Cow, collections::BTreeMap};

/// An amount in an asset's smallest unit; a decimal string in JSON, because numbers there have 53
/// bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub Balance);

impl Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = "An amount in the asset's smallest unit";
        json_schema!({ "type": "string", "pattern": "^[0-9]+$", "description": text })
    }
}

/// A signed amount; a decimal string in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignedAmount(pub i128);

impl Serialize for SignedAmount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SignedAmount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for SignedAmount {
    fn schema_name() -> Cow<'static, str> {
        "SignedAmount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = "A signed amount in the asset's smallest unit";
        json_schema!({ "type": "string", "pattern": "^-?[0-9]+$", "description": text })
    }
}

/// An asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetInfo {
    /// Its number, 0 for FRD.
    pub id: u32,
    /// Its name, for instance `FRD`.
    pub symbol: String,
    /// Digits behind the point.
    pub decimals: u8,
}

/// Where a party stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StatusView {
    /// Its account.
    pub account: String,
    /// `hub` or `user`.
    pub role: String,
    /// Name of the chain.
    pub chain: String,
    /// Hash of its first block.
    pub genesis: String,
    /// Newest finalized block.
    pub finalized: u32,
    /// Newest best block.
    pub best: u32,
    /// Usable clock in it.
    pub clock: u64,
    /// Whether the node shows new blocks.
    pub fresh: bool,
    /// Where it listens.
    pub listening: Option<String>,
    /// On-chain balances.
    pub balances: Vec<BalanceRow>,
    /// What it owes on chain; that money comes first.
    pub owes: Vec<AmountRow>,
    /// Calls on their way to the chain.
    pub pending_calls: u32,
    /// All that it owes its partners beyond their insurance, per asset: a hub's total risk.
    #[serde(default)]
    pub total_risk: Vec<AmountRow>,
    /// Where a hub's rebalancing stands: idle, reading, asking, submitting.
    pub rebalance: Option<String>,
    /// What a hub takes: `open`, `paused`, `draining`.
    #[serde(default)]
    pub mode: Option<String>,
    /// Which process of its hub it is, if the hub has several.
    #[serde(default)]
    pub process: Option<ProcessRow>,
    /// How many channels it has.
    #[serde(default)]
    pub channels_total: u32,
    /// Its channels, the first 1,000 by partner.
    pub channels: Vec<ChannelRow>,
}

/// One of the processes that share out the partners of a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessRow {
    /// Its number, from 0 on.
    pub number: u32,
    /// How many there are.
    pub count: u32,
    /// How many of the others it is connected with.
    pub connected: u32,
}

/// On-chain money in one asset.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BalanceRow {
    /// The asset.
    pub asset: AssetInfo,
    /// Balance.
    pub free: Amount,
    /// What can be moved.
    pub spendable: Amount,
    /// What waits to be claimed.
    pub unclaimed: Amount,
}

/// An amount of an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AmountRow {
    /// The asset.
    pub asset: AssetInfo,
    /// The amount.
    pub amount: Amount,
}

/// A channel.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ChannelRow {
    /// The partner's account.
    pub partner: String,
    /// The partner's handle, if it is a registered hub.
    pub handle: Option<String>,
    /// Our side: `left` or `right`.
    pub side: String,
    /// Whether the partner is connected and in step.
    pub connected: bool,
    /// Why it is not, as far as known.
    pub trouble: Option<String>,
    /// The epoch.
    pub epoch: u32,
    /// Nonce of our newest signed simplex.
    pub own_nonce: u64,
    /// The newest of them that the partner has acknowledged.
    pub own_acked: u64,
    /// Nonce of the partner's newest signed simplex.
    pub partner_nonce: u64,
    /// Why nothing is paid until the next epoch.
    pub frozen: Option<String>,
    /// Whether we have lost data of it.
    pub data_lost: bool,
    /// Whether the partner claims to know more than we do, without proof yet.
    pub paused: bool,
    /// Earlier epochs of which payments of the partner are still to be claimed on chain.
    pub late_claims: Vec<u32>,
    /// What the partner did wrong.
    pub fault: Option<String>,
    /// The partner is a hub that retires, and may leave from this usable clock on.
    #[serde(default)]
    pub leaves_at: Option<u64>,
    /// Per asset.
    pub assets: Vec<ChannelAssetRow>,
}

/// One asset of a channel.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ChannelAssetRow {
    /// The asset.
    pub asset: AssetInfo,
    /// Collateral locked for the pair.
    pub insurance: Amount,
    /// On-chain part of delta.
    pub ondelta: SignedAmount,
    /// Off-chain part: what right has signed minus what left has signed.
    pub offdelta: SignedAmount,
    /// Ours, insured.
    pub own_insured: Amount,
    /// Ours, owed by the partner beyond the collateral.
    pub own_uninsured: Amount,
    /// The partner's, insured.
    pub partner_insured: Amount,
    /// The partner's, owed by us beyond the collateral.
    pub partner_uninsured: Amount,
    /// What we have locked, not paid yet.
    pub locked: Amount,
    /// What the partner has locked, not paid yet.
    pub locked_by_partner: Amount,
    /// What we can send now.
    pub can_send: Amount,
    /// What the partner can send us now.
    pub can_receive: Amount,
    /// What we let the partner owe us.
    pub credit_given: Amount,
    /// What the partner lets us owe.
    pub credit_received: Amount,
    /// From which uninsured balance on the partner wants insurance; `null` if it has not said.
    pub partner_insure_above: Option<Amount>,
    /// What we have paid and not signed yet.
    pub own_unsigned: Amount,
    /// What the partner has paid and not signed yet: a dispute would not count it.
    pub partner_unsigned: Amount,
    /// How much the partner may have paid without a signature.
    pub unsigned_given: Amount,
    /// How much we may have paid without a signature.
    pub unsigned_received: Amount,
    /// What the partner never signed in earlier epochs; it is taken off `unsigned_given`.
    pub unsigned_lost: Amount,
    /// What the partner owes us on chain.
    pub owed_on_chain: Amount,
}

/// A payment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRow {
    /// Its name: 32 hex digits.
    pub id: String,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// `out`, `in` or `through`.
    pub direction: String,
    /// The asset.
    pub asset: AssetInfo,
    /// What arrives.
    pub amount: Amount,
    /// What the hub keeps.
    pub fee: Amount,
    /// Who pays.
    pub from: String,
    /// Who is paid.
    pub to: String,
    /// `sent`, `accepted`, `delivered`, `returned`, `received`; with locks `locked`, `delivered`,
    /// `failed`, `unknown`.
    pub state: String,
    /// Why it came back.
    pub reason: Option<String>,
    /// The recipient's secret in hex, of a payment of ours that was made with locks: whoever shows
    /// it has paid.
    #[serde(default)]
    pub proof: Option<String>,
    /// What a payment of ours that was made with locks has cost, fees included; in another asset if
    /// a hub has changed the money.
    #[serde(default)]
    pub spent: Option<AmountRow>,
}

/// What a payment with locks may cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Most that all hubs on the way may ask for together; a hundredth of the amount if absent.
    #[serde(default)]
    pub max_fee: Option<String>,
    /// Pay with this asset, which our hub changes.
    #[serde(default)]
    pub source: Option<String>,
    /// Most of it, hubs' fees included.
    #[serde(default)]
    pub at_most: Option<String>,
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OfferRow {
    /// The text that payers get.
    pub offer: String,
    /// Who is paid.
    pub recipient: String,
    /// What it is for.
    pub description: String,
}

/// When a standing order pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Milliseconds from one payment to the next, at least 100; the first one is at once.
    pub every_ms: u64,
    /// How many in all; until it is cancelled if absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// Leave out what was missed instead of paying it late.
    #[serde(default)]
    pub skip_missed: bool,
}

/// A standing order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecurringRow {
    /// Its name: 32 hex digits.
    pub id: String,
    /// Who is paid, as it was written.
    pub to: String,
    /// The asset.
    pub asset: AssetInfo,
    /// How much each time.
    pub amount: Amount,
    /// Milliseconds from one payment to the next.
    pub every_ms: u64,
    /// How many in all; `null`: until it is cancelled.
    pub times: Option<u32>,
    /// How many were paid.
    pub paid: u32,
    /// How often the next one has come back.
    pub came_back: u32,
    /// When the next one is due, milliseconds since 1970; `null`: never.
    pub next_ms: Option<u64>,
    /// `open`, `done`, `cancelled`, `unknown` (nobody can tell whether the last one was paid).
    pub state: String,
}

/// At what rate a hub changes money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RateRow {
    /// The hub: @handle or account.
    pub hub: String,
    /// It takes so much.
    pub takes: AmountRow,
    /// For so much; its fee comes on top.
    pub gives: AmountRow,
}

/// A resting order of the chain's exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderRow {
    /// Its number on chain; a smaller one is older.
    pub id: u64,
    /// Whose it is.
    pub owner: String,
    /// What it still gives.
    pub left: AmountRow,
    /// Its price: for so much.
    pub price_sell: AmountRow,
    /// It asks for at least so much.
    pub price_buy: AmountRow,
}

/// An invoice.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct InvoiceRow {
    /// The text that the payer gets.
    pub invoice: String,
    /// SHA-256 of the secret, hex.
    pub hash: String,
    /// Who is paid.
    pub recipient: String,
    /// The asset.
    pub asset: AssetInfo,
    /// The amount; `null`: the payer decides.
    pub amount: Option<Amount>,
    /// Milliseconds since 1970 after which it is not paid any more.
    pub expires_ms: u64,
    /// What it is for.
    pub description: String,
    /// If it is ours: `open`, `claimed` (the secret is given out), `paid`.
    pub state: Option<String>,
}

/// A registered hub.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HubRow {
    /// Its account.
    pub account: String,
    /// Its handle, without the @.
    pub handle: String,
    /// `host:port`.
    pub endpoint: String,
    /// Fixed part of its fee, smallest units.
    pub base_fee: Amount,
    /// Proportional part, parts per million.
    pub ppm: u32,
    /// Whether we have a channel with it.
    pub ours: bool,
    /// What the chain knows of it; `null` on a chain whose runtime keeps no reputations.
    #[serde(default)]
    pub standing: Option<StandingRow>,
}

/// What the chain knows of a hub beside what the hub says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandingRow {
    /// It retires, and may leave from this usable clock on.
    pub leaves_at: Option<u64>,
    /// Disputes with it that ended without an agreement.
    pub disputes: u32,
    /// Of these, those in which it could not pay at once what it owed, or had hidden payments.
    pub lost: u32,
    /// Debts that were ever booked against it.
    pub debts: u32,
    /// What it owes on chain now, in smallest units by the number of the asset.
    pub owes: BTreeMap<u32, Amount>,
}

/// A watchtower, and what it has.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TowerRow {
    /// Its account.
    pub account: String,
    /// `host:port`.
    pub endpoint: String,
    /// Whether there is a session with it.
    pub connected: bool,
    /// Why there is none.
    pub trouble: Option<String>,
    /// Channels whose newest state it has receipted.
    pub receipted: u32,
    /// Channels of which it does not have the newest state yet.
    pub waiting: u32,
    /// What it refused, by partner.
    pub refused: Vec<TowerRefusalRow>,
}

impl TowerRow {
    /// As the party has it.
    pub fn of(standing: &TowerStanding) -> Self {
        let refused = standing.refused.iter().map(|(partner, reason)| TowerRefusalRow {
            partner: partner.to_ss58check(),
            reason: reason.clone(),
        });
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            connected: standing.connected,
            trouble: standing.trouble.clone(),
            receipted: count(standing.receipted),
            waiting: count(standing.waiting),
            refused: refused.collect(),
            ..Self::idle(&standing.address)
        }
    }

    /// As the configuration has it, for a party that does not run.
    pub fn idle(address: &TowerAddress) -> Self {
        Self {
            account: address.account.to_ss58check(),
            endpoint: address.endpoint.clone(),
            connected: false,
            trouble: None,
            receipted: 0,
            waiting: 0,
            refused: vec![],
        }
    }
}

/// A channel that a watchtower does not take.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TowerRefusalRow {
    /// With whom the channel is.
    pub partner: String,
    /// Why.
    pub reason: String,
}

/// An open debt.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DebtRow {
    /// Who owes.
    pub debtor: String,
    /// To whom.
    pub creditor: String,
    /// The asset.
    pub asset: AssetInfo,
    /// What is left.
    pub left: Amount,
    /// Block in which its dispute was opened.
    pub opened_in: u32,
}

/// A rebalance, planned or done.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RebalanceView {
    /// Block of the batch, if one was made.
    pub block: Option<u32>,
    /// Proofs to ask for first.
    pub asks: Vec<TransferRow>,
    /// Partners whose proofs are at hand and used.
    pub withdrawals: Vec<String>,
    /// Insurance to add.
    pub deposits: Vec<TransferRow>,
}

/// An amount for a partner.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TransferRow {
    /// The partner.
    pub partner: String,
    /// The asset.
    pub asset: AssetInfo,
    /// The amount.
    pub amount: Amount,
}

/// Something is final on chain.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct OnChainView {
    /// The block that has it.
    pub block: u32,
}

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupView {
    /// The file.
    pub path: String,
    /// Whose it is.
    pub account: String,
    /// When it was made, milliseconds since 1970.
    pub made_ms: u64,
    /// How many channels it has.
    pub channels: u64,
    /// How many records in all.
    pub records: u64,
    /// Length of the file in bytes.
    pub bytes: u64,
}

/// What a running party does. Names of parameters are those of the functions; amounts are decimal
/// numbers of whole units ("12.5"), assets symbols or numbers (FRD if absent), partners handles
/// (`@one`) or accounts (the first hub if absent).
#[rpc(server, client, namespace = "failsafe")]
pub trait FailsafeRpc {
    /// Everything at a glance.
    #[method(name = "status", param_kind = map)]
    async fn status(&self) -> RpcResult<StatusView>;

    /// Pays `to` (`account@hub`, `account` at the first hub, `@hub`). With an `id` of 32 hex digits
    /// it may be repeated: a payment is never made twice under one name.
    #[method(name = "pay", param_kind = map)]
    async fn pay(
        &self,
        to: String,
        amount: String,
        asset: Option<String>,
        id: Option<String>,
    ) -> RpcResult<PaymentRow>;

    /// Writes an invoice: whoever pays it gets our secret as the proof. Without an amount the payer
    /// decides; valid for an hour if nothing else is said.
    #[method(name = "invoice", param_kind = map)]
    async fn invoice(
        &self,
        amount: Option<String>,
        asset: Option<String>,
        description: Option<String>,
        valid_seconds: Option<u64>,
    ) -> RpcResult<InvoiceRow>;

    /// What an invoice says.
    #[method(name = "decode_invoice", param_kind = map)]
    async fn decode_invoice(&self, invoice: String) -> RpcResult<InvoiceRow>;

    /// Where an invoice of ours stands, by its hash: `open`, `claimed`, `paid`.
    #[method(name = "invoice_state", param_kind = map)]
    async fn invoice_state(&self, hash: String) -> RpcResult<String>;

    /// Pays an invoice with locks over as many hubs as it takes: nobody on the way is trusted.
    /// `amount` if the invoice names none. It may be repeated: no invoice is paid twice.
    #[method(name = "pay_invoice", param_kind = map)]
    async fn pay_invoice(
        &self,
        invoice: String,
        amount: Option<String>,
        costs: Option<Costs>,
        id: Option<String>,
    ) -> RpcResult<PaymentRow>;

    /// Writes an offer: whoever has it can pay us at any time, without trusting a hub.
    #[method(name = "offer", param_kind = map)]
    async fn offer(&self, description: Option<String>) -> RpcResult<OfferRow>;

    /// Pays an offer with locks. With an `id` of 32 hex digits it may be repeated: a payment is never
    /// made twice under one name.
    #[method(name = "pay_offer", param_kind = map)]
    async fn pay_offer(
        &self,
        offer: String,
        amount: String,
        asset: Option<String>,
        costs: Option<Costs>,
        id: Option<String>,
    ) -> RpcResult<PaymentRow>;

    /// Changes money at one of our hubs: buys `amount` of `asset` for `at_most` of `source`. Both
    /// change hands, or neither does.
    #[method(name = "swap", param_kind = map)]
    async fn swap(
        &self,
        amount: String,
        asset: String,
        source: String,
        at_most: String,
        id: Option<String>,
    ) -> RpcResult<PaymentRow>;

    /// A standing order: pays `to` (`account@hub`, or an offer) again and again while we are running;
    /// what was missed is paid when we are back, unless it is to be left out. The same again, with
    /// the same `id` of 32 hex digits, is the same order; no instalment is ever paid twice.
    #[method(name = "recurring_add", param_kind = map)]
    async fn recurring_add(
        &self,
        to: String,
        amount: String,
        asset: Option<String>,
        schedule: Schedule,
        id: Option<String>,
    ) -> RpcResult<RecurringRow>;

    /// All standing orders.
    #[method(name = "recurring", param_kind = map)]
    async fn recurring(&self) -> RpcResult<Vec<RecurringRow>>;

    /// Cancels a standing order; what is under way is paid.
    #[method(name = "recurring_cancel", param_kind = map)]
    async fn recurring_cancel(&self, id: String) -> RpcResult<()>;

    /// At what rates our hubs change money; a hub: at what rates it does itself.
    #[method(name = "rates", param_kind = map)]
    async fn rates(&self) -> RpcResult<Vec<RateRow>>;

    /// One payment.
    #[method(name = "payment", param_kind = map)]
    async fn payment(&self, id: String) -> RpcResult<PaymentRow>;

    /// The newest payments.
    #[method(name = "payments", param_kind = map)]
    async fn payments(&self, limit: u32) -> RpcResult<Vec<PaymentRow>>;

    /// Sets what a partner may owe us, from when on we want insurance, and how much it may have paid
    /// without a signature.
    #[method(name = "terms", param_kind = map)]
    async fn terms(
        &self,
        partner: Option<String>,
        asset: Option<String>,
        credit: String,
        insure_above: Option<String>,
        unsigned_limit: Option<String>,
    ) -> RpcResult<()>;

    /// Locks on-chain money as insurance, for ourselves or for `to` (`account@hub`).
    #[method(name = "deposit", param_kind = map)]
    async fn deposit(
        &self,
        amount: String,
        asset: Option<String>,
        to: Option<String>,
    ) -> RpcResult<OnChainView>;

    /// Takes insured money out with the partner's signature, and deposits it at once for
    /// `deposit_to` (`account@hub`) if given.
    #[method(name = "withdraw", param_kind = map)]
    async fn withdraw(
        &self,
        amount: String,
        asset: Option<String>,
        partner: Option<String>,
        deposit_to: Option<String>,
    ) -> RpcResult<OnChainView>;

    /// Sends on-chain money.
    #[method(name = "transfer", param_kind = map)]
    async fn transfer(
        &self,
        to: String,
        amount: String,
        asset: Option<String>,
    ) -> RpcResult<OnChainView>;

    /// Pays out what could not be credited before.
    #[method(name = "claim", param_kind = map)]
    async fn claim(&self, asset: Option<String>) -> RpcResult<OnChainView>;

    /// Gives up to `sell` of an asset for at least `buy` of another on the chain's exchange, or any
    /// part in this proportion; what finds nobody rests in the book.
    #[method(name = "order_place", param_kind = map)]
    async fn order_place(
        &self,
        sell: String,
        sell_asset: String,
        buy: String,
        buy_asset: String,
    ) -> RpcResult<OnChainView>;

    /// Takes an order of ours off the book.
    #[method(name = "order_cancel", param_kind = map)]
    async fn order_cancel(&self, order: u64) -> RpcResult<OnChainView>;

    /// Our resting orders.
    #[method(name = "orders", param_kind = map)]
    async fn orders(&self) -> RpcResult<Vec<OrderRow>>;

    /// Resting orders that give `sell_asset` for `buy_asset`, the cheapest first.
    #[method(name = "book", param_kind = map)]
    async fn book(
        &self,
        sell_asset: String,
        buy_asset: String,
        limit: u32,
    ) -> RpcResult<Vec<OrderRow>>;

    /// Takes a partner to the chain.
    #[method(name = "dispute", param_kind = map)]
    async fn dispute(&self, partner: Option<String>) -> RpcResult<OnChainView>;

    /// Takes a partner to the chain by a copy that was restored from a backup, although the partner
    /// has not shown yet what it knows.
    #[method(name = "dispute_from_backup", param_kind = map)]
    async fn dispute_from_backup(&self, partner: Option<String>) -> RpcResult<OnChainView>;

    /// Closes a channel together with the partner.
    #[method(name = "close", param_kind = map)]
    async fn close(&self, partner: Option<String>, partner_submits: bool)
        -> RpcResult<OnChainView>;

    /// Asks a hub to insure what it owes us. With a `fee` it is paid for that beforehand, and gives
    /// the fee back when it has not insured us `within` so many usable blocks (100 if absent); the
    /// name of that payment is returned.
    #[method(name = "insure", param_kind = map)]
    async fn insure(
        &self,
        partner: Option<String>,
        asset: Option<String>,
        fee: Option<String>,
        within: Option<u64>,
    ) -> RpcResult<Option<String>>;

    /// Assets of the chain.
    #[method(name = "assets", param_kind = map)]
    async fn assets(&self) -> RpcResult<Vec<AssetInfo>>;

    /// Registered hubs.
    #[method(name = "hubs", param_kind = map)]
    async fn hubs(&self) -> RpcResult<Vec<HubRow>>;

    /// Watchtowers, and how much of our channels they have.
    #[method(name = "towers", param_kind = map)]
    async fn towers(&self) -> RpcResult<Vec<TowerRow>>;

    /// What an account (ourselves if absent) owes on chain.
    #[method(name = "debts", param_kind = map)]
    async fn debts(&self, debtor: Option<String>) -> RpcResult<Vec<DebtRow>>;

    /// Rebalances now (hubs), or says what a rebalance would do.
    #[method(name = "rebalance", param_kind = map)]
    async fn rebalance(&self, dry_run: bool) -> RpcResult<RebalanceView>;

    /// Registers a hub under a handle.
    #[method(name = "register", param_kind = map)]
    async fn register(&self, handle: String, endpoint: String) -> RpcResult<OnChainView>;

    /// Writes a backup of the store into a new file of the party's machine.
    #[method(name = "backup", param_kind = map)]
    async fn backup(&self, path: String) -> RpcResult<BackupView>;

    /// Stops the process.
    #[method(name = "stop", param_kind = map)]
    async fn stop(&self) -> RpcResult<()>;
}
