//! Every method of the RPC in one table: its scope, parameters and answer. The guard judges by it, and
//! the OpenRPC document is made of it. Tests hold it against the source of the traits; a server does
//! not start when it serves anything else.

use super::{
    api::{
        Amount, AssetInfo, BackupView, ChannelRow, Costs, DebtRow, HubRow, InvoiceRow, OfferRow,
        OnChainView, OrderRow, PaymentRow, RateRow, RebalanceView, RecurringRow, Schedule,
        StatusView, TowerRow,
    },
    events::StatusEvent,
    governance_api::{AmendmentSpec, DryRunView, GovernanceView, ProposalRow, ProposedView},
    guard::Scope,
    operator_api::{FeesView, ModeView, ReloadView, RiskView},
};
use schemars::{generate::SchemaSettings, JsonSchema, Schema, SchemaGenerator};
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What every name begins with.
const NAMESPACE: &str = "failsafe_";
/// Describes the rest.
pub const DISCOVER: &str = "rpc.discover";

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A type of the interface.
#[derive(Clone, Copy)]
pub struct Type {
    /// As the source has it.
    pub name: &'static str,
    schema: SchemaOf,
}

/// A parameter.
#[derive(Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub of: Type,
}

/// What a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It answers once.
    Call,
    /// Over WebSocket it goes on telling; this ends it.
    Subscription {
        /// What it tells is named so.
        notification: &'static str,
        /// Ends it.
        unsubscribe: &'static str,
    },
}

/// A method.
#[derive(Clone, Copy)]
pub struct Method {
    /// Its name without the namespace.
    pub name: &'static str,
    /// What it takes to call it.
    pub scope: Scope,
    /// Its parameters, by name.
    pub params: &'static [Param],
    /// What it answers, or goes on telling.
    pub answer: Type,
    /// What it does: the first sentence of its documentation.
    pub summary: &'static str,
    /// Whether it answers once.
    pub kind: Kind,
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

macro_rules! table {
    ($( $name:ident: $scope:ident($( $param:ident: $type:ty ),*) -> $answer:ty,
        $summary:literal $(, $notification:literal, $unsubscribe:literal)?; )*) => {
        &[$( Method {
            name: stringify!($name),
            scope: Scope::$scope,
            params: &[$( Param {
                name: stringify!($param),
                of: Type { name: stringify!($type), schema: schema_of::<$type> },
            } ),*],
            answer: Type { name: stringify!($answer), schema: schema_of::<$answer> },
            summary: $summary,
            kind: table!(@kind $($notification, $unsubscribe)?),
        } ),*]
    };
    (@kind) => { Kind::Call };
    (@kind $notification:literal, $unsubscribe:literal) => {
        Kind::Subscription { notification: $notification, unsubscribe: $unsubscribe }
    };
}

/// What every running party answers.
#[rustfmt::skip]
pub const PARTY: &[Method] = table! {
    status: Read() -> StatusView, "Everything at a glance.";
    pay: Spend(to: String, amount: String, asset: Option<String>, id: Option<String>) -> PaymentRow, "Pays `to` (`account@hub`, `account` at the first hub, `@hub`).";
    invoice: Spend(amount: Option<String>, asset: Option<String>, description: Option<String>, valid_seconds: Option<u64>) -> InvoiceRow, "Writes an invoice: whoever pays it gets our secret as the proof.";
    decode_invoice: Read(invoice: String) -> InvoiceRow, "What an invoice says.";
    invoice_state: Read(hash: String) -> String, "Where an invoice of ours stands, by its hash: `open`, `claimed`, `paid`.";
    pay_invoice: Spend(invoice: String, amount: Option<String>, costs: Option<Costs>, id: Option<String>) -> PaymentRow, "Pays an invoice with locks over as many hubs as it takes: nobody on the way is trusted.";
    offer: Spend(description: Option<String>) -> OfferRow, "Writes an offer: whoever has it can pay us at any time, without trusting a hub.";
    pay_offer: Spend(offer: String, amount: String, asset: Option<String>, costs: Option<Costs>, id: Option<String>) -> PaymentRow, "Pays an offer with locks.";
    swap: Spend(amount: String, asset: String, source: String, at_most: String, id: Option<String>) -> PaymentRow, "Changes money at one of our hubs: buys `amount` of `asset` for `at_most` of `source`.";
    recurring_add: Spend(to: String, amount: String, asset: Option<String>, schedule: Schedule, id: Option<String>) -> RecurringRow, "A standing order: pays `to` (`account@hub`, or an offer) again and again while we are running; what was missed is paid when we are back, unless it is to be left out.";
    recurring: Read() -> Vec<RecurringRow>, "All standing orders.";
    recurring_cancel: Spend(id: String) -> (), "Cancels a standing order; what is under way is paid.";
    rates: Read() -> Vec<RateRow>, "At what rates our hubs change money; a hub: at what rates it does itself.";
    payment: Read(id: String) -> PaymentRow, "One payment.";
    payments: Read(limit: u32) -> Vec<PaymentRow>, "The newest payments.";
    terms: Admin(partner: Option<String>, asset: Option<String>, credit: String, insure_above: Option<String>, unsigned_limit: Option<String>) -> (), "Sets what a partner may owe us, from when on we want insurance, and how much it may have paid without a signature.";
    deposit: Spend(amount: String, asset: Option<String>, to: Option<String>) -> OnChainView, "Locks on-chain money as insurance, for ourselves or for `to` (`account@hub`).";
    withdraw: Spend(amount: String, asset: Option<String>, partner: Option<String>, deposit_to: Option<String>) -> OnChainView, "Takes insured money out with the partner's signature, and deposits it at once for `deposit_to` (`account@hub`) if given.";
    transfer: Spend(to: String, amount: String, asset: Option<String>) -> OnChainView, "Sends on-chain money.";
    claim: Spend(asset: Option<String>) -> OnChainView, "Pays out what could not be credited before.";
    order_place: Spend(sell: String, sell_asset: String, buy: String, buy_asset: String) -> OnChainView, "Gives up to `sell` of an asset for at least `buy` of another on the chain's exchange, or any part in this proportion; what finds nobody rests in the book.";
    order_cancel: Spend(order: u64) -> OnChainView, "Takes an order of ours off the book.";
    orders: Read() -> Vec<OrderRow>, "Our resting orders.";
    book: Read(sell_asset: String, buy_asset: String, limit: u32) -> Vec<OrderRow>, "Resting orders that give `sell_asset` for `buy_asset`, the cheapest first.";
    dispute: Admin(partner: Option<String>) -> OnChainView, "Takes a partner to the chain.";
    dispute_from_backup: Admin(partner: Option<String>) -> OnChainView, "Takes a partner to the chain by a copy that was restored from a backup, although the partner has not shown yet what it knows.";
    close: Admin(partner: Option<String>, partner_submits: bool) -> OnChainView, "Closes a channel together with the partner.";
    insure: Spend(partner: Option<String>, asset: Option<String>, fee: Option<String>, within: Option<u64>) -> Option<String>, "Asks a hub to insure what it owes us.";
    assets: Read() -> Vec<AssetInfo>, "Assets of the chain.";
    hubs: Read() -> Vec<HubRow>, "Registered hubs.";
    towers: Read() -> Vec<TowerRow>, "Watchtowers, and how much of our channels they have.";
    debts: Read(debtor: Option<String>) -> Vec<DebtRow>, "What an account (ourselves if absent) owes on chain.";
    rebalance: Admin(dry_run: bool) -> RebalanceView, "Rebalances now (hubs), or says what a rebalance would do.";
    register: Admin(handle: String, endpoint: String) -> OnChainView, "Registers a hub under a handle.";
    backup: Admin(path: String) -> BackupView, "Writes a backup of the store into a new file of the party's machine.";
    stop: Admin() -> (), "Stops the process.";
};

/// What every running party does for those who govern the chain.
#[rustfmt::skip]
pub const GOVERNANCE: &[Method] = table! {
    governance: Read() -> GovernanceView, "Who governs the chain: validators, their shares, and the set that is planned.";
    parameters: Read() -> BTreeMap<String, Amount>, "The chain's parameters as this process follows them; it reads them anew every few blocks.";
    proposals: Read() -> Vec<ProposalRow>, "Open proposals, in the order in which they are due.";
    proposal: Read(proposal: u32) -> ProposalRow, "An open proposal.";
    dry_run_proposal: Read(proposal: u32) -> DryRunView, "What an open proposal would change if it were carried out now.";
    dry_run: Read(amendments: Vec<AmendmentSpec>) -> DryRunView, "What amendments would change if they were carried out now.";
    propose: Spend(title: String, text: String, amendments: Vec<AmendmentSpec>) -> ProposedView, "Proposes amendments, all or none, against a deposit.";
    vote: Admin(proposal: u32, approve: bool, rationale: String) -> OnChainView, "Votes on an open proposal with the shares of our account, or changes our vote.";
    cancel_proposal: Admin(proposal: u32) -> OnChainView, "Withdraws an open proposal of ours.";
    apply_upgrade: Admin(path: String) -> OnChainView, "Uploads a runtime that was authorised, from a file of the party's machine: the next block runs it.";
};

/// What a running hub answers its operator.
#[rustfmt::skip]
pub const OPERATOR: &[Method] = table! {
    channels: Read() -> Vec<ChannelRow>, "All channels.";
    channel: Read(partner: String) -> ChannelRow, "The channel with a partner.";
    risk: Read(limit: Option<u32>) -> RiskView, "What is owed with and without insurance, in all channels together and per partner.";
    fees: Read() -> FeesView, "Fees that were earned, those that are asked for, and what the registry on chain quotes.";
    update_fees: Admin() -> OnChainView, "Brings the fees and the transport key to the registry on chain (`hubs.update`).";
    retire: Admin() -> OnChainView, "Announces that the hub retires: it takes no new partners, and may leave when its notice is over.";
    leave: Admin() -> OnChainView, "Takes the hub off the registry when its notice is over; its deposit comes back.";
    pause: Admin() -> ModeView, "Forwards nothing until `resume`, also after a restart.";
    drain: Admin() -> ModeView, "Forwards nothing and takes no new partners until `resume`, also after a restart; what is pending is settled.";
    resume: Admin() -> ModeView, "Takes everything again.";
    reload: Admin() -> ReloadView, "Reads the configuration again and follows what may change in a running hub.";
};

/// What every running party tells over WebSocket.
#[rustfmt::skip]
pub const EVENTS: &[Method] = table! {
    subscribePayments: Read() -> PaymentRow, "Every payment that begins or moves on, as it stands then.", "payments", "unsubscribePayments";
    subscribeStatus: Read() -> StatusEvent, "Where the party stands: now, and whenever that changes.", "status", "unsubscribeStatus";
};

fn all() -> impl Iterator<Item = &'static Method> {
    PARTY.iter().chain(GOVERNANCE).chain(OPERATOR).chain(EVENTS)
}

/// The scope that a method needs, by its full name; `None` if there is no such method.
pub fn scope(full_name: &str) -> Option<Scope> {
    if full_name == DISCOVER {
        return Some(Scope::Read);
    }
    let name = full_name.strip_prefix(NAMESPACE)?;
    let ends = |method: &Method| matches!(method.kind, Kind::Subscription { unsubscribe, .. } if unsubscribe == name);
    all().find(|method| method.name == name || ends(method)).map(|method| method.scope)
}

/// Full names of the methods that a server with these tables has.
pub fn names(tables: &[&[Method]]) -> BTreeSet<String> {
    let of = |method: &Method| {
        let end = match method.kind {
            Kind::Call => None,
            Kind::Subscription { unsubscribe, .. } => Some(format!("{NAMESPACE}{unsubscribe}")),
        };
        std::iter::once(format!("{NAMESPACE}{}", method.name)).chain(end)
    };
    let methods = tables.iter().flat_map(|table| table.iter()).flat_map(of);
    methods.chain([DISCOVER.to_string()]).collect()
}

/// The OpenRPC document of a server with these tables.
pub fn document(title: &str, tables: &[&[Method]]) -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let mut methods = vec![];
    for method in tables.iter().flat_map(|table| table.iter()) {
        let params: Vec<Value> = method
            .params
            .iter()
            .map(|param| {
                json!({
                    "name": param.name,
                    "required": !param.of.name.starts_with("Option"),
                    "schema": (param.of.schema)(&mut generator),
                })
            })
            .collect();
        let answer = (method.answer.schema)(&mut generator);
        let mut described = json!({
            "name": format!("{NAMESPACE}{}", method.name),
            "summary": method.summary,
            "paramStructure": "by-name",
            "params": params,
            "x-scope": method.scope.name(),
        });
        match method.kind {
            Kind::Call => described["result"] = json!({ "name": "answer", "schema": answer }),
            Kind::Subscription { notification, unsubscribe } => {
                let id = json!({ "type": ["string", "integer"] });
                described["result"] = json!({ "name": "subscription", "schema": id });
                described["x-subscription"] = json!({
                    "notification": format!("{NAMESPACE}{notification}"),
                    "unsubscribe": format!("{NAMESPACE}{unsubscribe}"),
                    "schema": answer,
                });
            },
        }
        methods.push(described);
    }
    let discover = json!({
        "name": DISCOVER,
        "summary": "This document.",
        "paramStructure": "by-name",
        "params": [],
        "result": { "name": "document", "schema": { "type": "object" } },
        "x-scope": Scope::Read.name(),
    });
    methods.push(discover);
    json!({
        "openrpc": "1.3.2",
        "info": {
            "title": title,
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Amounts come in as decimal numbers of whole units (\"12.5\") and go out \
                as strings of smallest units. Who calls shows a token of the method's x-scope, or \
                a higher one: read, spend, admin.",
            "license": { "name": "Apache-2.0" },
        },
        "methods": methods,
        "components": { "schemas": generator.take_definitions(true) },
    })
}

/// The OpenRPC document of a hub.
pub fn hub_document() -> Value {
    document("Failsafe hub", &[PARTY, GOVERNANCE, OPERATOR, EVENTS])
}

/// The OpenRPC document of a wallet.
pub fn wallet_document() -> Value {
    document("Failsafe wallet", &[PARTY, GOVERNANCE, EVENTS])
}

#[cfg(test)]
mod tests;
