//! Requests to a running party.

use super::{governance::GovernanceCommand, render};
use crate::invoice::{OFFER_PREFIX, PREFIX};
use crate::rpc::{
    api::{Costs, HubRow, OnChainView, RebalanceView, Schedule, TowerRow},
    client::explain,
    FailsafeRpcClient,
};
use clap::Subcommand;
use jsonrpsee::{core::ClientError, http_client::HttpClient};
use serde::Serialize;
use std::time::Duration;

/// What hub and wallet can be asked for.
#[derive(Clone, Debug, Subcommand)]
pub enum PartyCommand {
    /// Everything at a glance: on-chain, insured and uninsured balances, what is signed
    Status,
    /// Pay somebody at once, through a hub; or an invoice or offer, over as many hubs as it takes
    Pay {
        /// A wallet: an invoice (fsi1…), an offer (fso1…), account@hub, an account at its first hub,
        /// or @hub itself. A hub: an account
        to: String,
        /// How much arrives, for instance 12.5; not for an invoice that says so itself
        amount: Option<String>,
        /// Invoices and offers: most that all hubs on the way may ask for; a hundredth of the amount
        /// if absent
        #[arg(long)]
        max_fee: Option<String>,
        /// Invoices and offers: pay with this asset, which your hub changes (see `rates`)
        #[arg(long, requires = "at_most")]
        with: Option<String>,
        /// Most of it, for instance 12.5
        #[arg(long, requires = "with")]
        at_most: Option<String>,
        /// Symbol or number of the asset
        #[arg(long, default_value = "FRD")]
        asset: String,
        /// Name of the payment (32 hex digits): the same name is never paid twice
        #[arg(long)]
        id: Option<String>,
    },
    /// Ask to be paid: prints an invoice for the payer, whose payment is proved by your secret
    Invoice {
        /// How much; if absent the payer decides
        amount: Option<String>,
        /// Symbol or number of the asset
        #[arg(long, default_value = "FRD")]
        asset: String,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        /// How long it can be paid
        #[arg(long, default_value_t = 60)]
        valid_minutes: u64,
    },
    /// Let others pay you at any time: prints an offer, which anybody can pay as often as they like
    Offer {
        /// What it is for
        #[arg(long)]
        description: Option<String>,
    },
    /// Change money at one of your hubs: both assets change hands, or neither does
    Swap {
        /// How much to buy, for instance 12.5
        amount: String,
        /// Symbol or number of the asset to buy
        asset: String,
        /// Symbol or number of the asset to pay with
        #[arg(long)]
        with: String,
        /// Most of it
        #[arg(long)]
        at_most: String,
        /// Name of the payment (32 hex digits): the same name is never paid twice
        #[arg(long)]
        id: Option<String>,
    },
    /// At what rates your hubs change money
    Rates,
    /// Orders on the chain's exchange
    #[command(subcommand)]
    Order(OrderCommand),
    /// What others offer on the chain's exchange, the cheapest first
    Book {
        /// Symbol or number of the asset that you would get
        get: String,
        /// Symbol or number of the asset that you would give
        #[arg(long = "for", value_name = "ASSET")]
        give: String,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Govern the chain: validators, proposals, votes
    #[command(subcommand)]
    Governance(GovernanceCommand),
    /// Pay again and again while the wallet's daemon is running: rent, or money that streams
    #[command(subcommand)]
    Recurring(RecurringCommand),
    /// What an invoice says, and whether it is paid if it is yours
    DecodeInvoice {
        /// fsi1…
        invoice: String,
    },
    /// The newest payments
    Payments {
        /// At most this many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// One payment by its name
    Payment {
        /// 32 hex digits
        id: String,
    },
    /// Open a credit line: how much a partner may owe you
    Terms {
        /// How much, 0 for nothing
        credit: String,
        /// Ask for insurance when it owes this much; "never", as when absent, to do without
        #[arg(long)]
        insure_above: Option<String>,
        /// Take so much without a signature: faster, and you may lose it; nothing if absent
        #[arg(long)]
        unsigned: Option<String>,
        /// Symbol or number of the asset
        #[arg(long, default_value = "FRD")]
        asset: String,
        /// @hub or account; a wallet's first hub if absent
        #[arg(long)]
        partner: Option<String>,
    },
    /// Lock on-chain money as insurance
    Deposit {
        /// How much
        amount: String,
        /// For whom: account@hub; yourself at your first hub if absent
        to: Option<String>,
        /// Symbol or number of the asset
        #[arg(long, default_value = "FRD")]
        asset: String,
    },
    /// Take insured money out, with the partner's signature
    Withdraw {
        /// How much
        amount: String,
        /// Symbol or number of the asset
        #[arg(long, default_value = "FRD")]
        asset: String,
        /// @hub or account; a wallet's first hub if absent
        #[arg(long)]
        partner: Option<String>,
        /// Deposit it at once for account@hub, in the same batch
        #[arg(long)]
        deposit_to: Option<String>,
    },
    /// Send on-chain money
    Transfer {
        /// The account
        to: String,
        /// How much
        amount: String,
        /// Symbol or number of the asset
        #[arg(long, default_value = "FRD")]
        asset: String,
    },
    /// Fetch money that could not be credited before
    Claim {
        /// Symbol or number of the asset
        #[arg(long, default_value = "FRD")]
        asset: String,
    },
    /// Take a partner to the chain: insured money is paid out, the rest becomes its debt
    Dispute {
        /// @hub or account; a wallet's first hub if absent
        partner: Option<String>,
        /// By a copy that was restored from a backup, because the partner will never connect again:
        /// what it has paid since may be lost, and so may the dispute deposit
        #[arg(long)]
        from_backup: bool,
    },
    /// Close a channel together with the partner: at once, unless that leaves a debt
    Close {
        /// @hub or account; a wallet's first hub if absent
        partner: Option<String>,
        /// Let the partner submit it and pay the fee
        #[arg(long)]
        partner_submits: bool,
    },
    /// Ask a hub to insure what it owes you
    Insure {
        /// @hub or account; a wallet's first hub if absent
        partner: Option<String>,
        /// Pay so much for it beforehand; it comes back if you are not insured in time
        #[arg(long)]
        fee: Option<String>,
        /// Usable blocks that the hub has when it is paid
        #[arg(long, default_value_t = 100)]
        within: u64,
        /// Symbol or number of the asset
        #[arg(long, default_value = "FRD")]
        asset: String,
    },
    /// What an account owes on chain
    Debts {
        /// @hub or account; yourself if absent
        debtor: Option<String>,
    },
    /// Assets of the chain
    Assets,
    /// Stop the running process
    Stop,
}

/// Orders on the chain's exchange.
#[derive(Clone, Debug, Subcommand)]
pub enum OrderCommand {
    /// Give one asset for another, at this price or better; what finds nobody rests
    Place {
        /// How much to give at most, for instance 12.5
        sell: String,
        /// Symbol or number of the asset to give
        sell_asset: String,
        /// How much to get for all of it, at least
        #[arg(long = "for", value_name = "AMOUNT")]
        buy: String,
        /// Symbol or number of the asset to get
        buy_asset: String,
    },
    /// Take an order off the book
    Cancel {
        /// Its number
        order: u64,
    },
    /// Your resting orders
    List,
}

impl OrderCommand {
    async fn send(
        self,
        client: &HttpClient,
        json: bool,
    ) -> Result<Result<(), String>, ClientError> {
        Ok(match self {
            Self::Place { sell, sell_asset, buy, buy_asset } => {
                let done = client.order_place(sell, sell_asset, buy, buy_asset).await?;
                show(json, &done, |done| render::on_chain("placed", done))
            },
            Self::Cancel { order } => {
                let done = client.order_cancel(order).await?;
                show(json, &done, |done| render::on_chain("cancelled", done))
            },
            Self::List => show(json, &client.orders().await?, |rows| render::order_table(rows)),
        })
    }
}

/// Standing orders.
#[derive(Clone, Debug, Subcommand)]
pub enum RecurringCommand {
    /// Add a standing order; the first payment is at once
    Add {
        /// An offer (fso1…), account@hub, an account at the first hub, or @hub. A hub: an account
        to: String,
        /// How much each time, for instance 12.5
        amount: String,
        /// From one payment to the next: 500ms, 1s, 10m, 1h, 30days
        #[arg(long, value_parser = humantime::parse_duration)]
        every: Duration,
        /// How many in all; until it is cancelled if absent
        #[arg(long)]
        times: Option<u32>,
        /// Leave out what was missed while the daemon was not running
        #[arg(long)]
        skip_missed: bool,
        /// Symbol or number of the asset
        #[arg(long, default_value = "FRD")]
        asset: String,
        /// Name of the order (32 hex digits): the same again is the same order
        #[arg(long)]
        id: Option<String>,
    },
    /// All standing orders
    List,
    /// Cancel one; what is under way is paid
    Cancel {
        /// Its name
        id: String,
    },
}

impl RecurringCommand {
    async fn send(
        self,
        client: &HttpClient,
        json: bool,
    ) -> Result<Result<(), String>, ClientError> {
        Ok(match self {
            Self::Add { to, amount, every, times, skip_missed, asset, id } => {
                let Ok(every_ms) = u64::try_from(every.as_millis()) else {
                    return Ok(Err("that is longer than time".into()));
                };
                let schedule = Schedule { every_ms, times, skip_missed };
                let row = client.recurring_add(to, amount, Some(asset), schedule, id).await?;
                show(json, &row, |row| render::recurring_table(std::slice::from_ref(row)))
            },
            Self::List => {
                show(json, &client.recurring().await?, |rows| render::recurring_table(rows))
            },
            Self::Cancel { id } => {
                client.recurring_cancel(id).await?;
                show(json, &(), |()| "cancelled".into())
            },
        })
    }
}

/// Shows an answer, as JSON or for people.
pub(super) fn show<T: Serialize>(
    json: bool,
    answer: &T,
    text: impl FnOnce(&T) -> String,
) -> Result<(), String> {
    if json {
        let json = serde_json::to_string_pretty(answer).map_err(|e| e.to_string())?;
        println!("{json}");
    } else {
        println!("{}", text(answer));
    }
    Ok(())
}

impl PartyCommand {
    /// Shows that something is final on chain.
    pub fn show_on_chain(json: bool, what: &str, done: &OnChainView) -> Result<(), String> {
        show(json, done, |done| render::on_chain(what, done))
    }

    /// Shows a rebalance.
    pub fn show_rebalance(json: bool, view: &RebalanceView) -> Result<(), String> {
        show(json, view, render::rebalance_text)
    }

    /// Shows registered hubs.
    pub fn show_hubs(json: bool, rows: &[HubRow]) -> Result<(), String> {
        show(json, &rows, |rows| render::hub_table(rows))
    }

    /// Shows watchtowers.
    pub fn show_towers(json: bool, rows: &[TowerRow]) -> Result<(), String> {
        show(json, &rows, |rows| render::tower_table(rows))
    }

    /// Sends the request and shows the answer.
    pub async fn run(self, client: &HttpClient, json: bool) -> Result<(), String> {
        self.send(client, json).await.map_err(explain)?
    }

    async fn send(
        self,
        client: &HttpClient,
        json: bool,
    ) -> Result<Result<(), String>, ClientError> {
        Ok(match self {
            Self::Status => show(json, &client.status().await?, render::status_text),
            Self::Pay { to, amount, max_fee, with, at_most, asset, id } => {
                let offer = to.trim().starts_with(OFFER_PREFIX);
                let named = max_fee.is_some() || with.is_some();
                let costs = Some(Costs { max_fee, source: with, at_most });
                let payment = if to.trim().starts_with(PREFIX) {
                    client.pay_invoice(to, amount, costs, id).await?
                } else if !offer && named {
                    let text = "fees and another asset can be named for invoices and offers only";
                    return Ok(Err(text.into()));
                } else {
                    let Some(amount) = amount else {
                        return Ok(Err("how much? failsafe pay <who> <amount>".into()));
                    };
                    if offer {
                        client.pay_offer(to, amount, Some(asset), costs, id).await?
                    } else {
                        client.pay(to, amount, Some(asset), id).await?
                    }
                };
                show(json, &payment, render::payment_text)
            },
            Self::Offer { description } => {
                show(json, &client.offer(description).await?, |row| row.offer.clone())
            },
            Self::Swap { amount, asset, with, at_most, id } => {
                let payment = client.swap(amount, asset, with, at_most, id).await?;
                show(json, &payment, render::payment_text)
            },
            Self::Recurring(command) => command.send(client, json).await?,
            Self::Order(command) => command.send(client, json).await?,
            Self::Governance(command) => command.send(client, json).await?,
            Self::Book { get, give, limit } => {
                show(json, &client.book(get, give, limit).await?, |rows| render::order_table(rows))
            },
            Self::Rates => show(json, &client.rates().await?, |rows| render::rate_table(rows)),
            Self::Invoice { amount, asset, description, valid_minutes } => {
                let seconds = valid_minutes.saturating_mul(60);
                let asset = Some(asset);
                let invoice = client.invoice(amount, asset, description, Some(seconds)).await?;
                show(json, &invoice, render::invoice_text)
            },
            Self::DecodeInvoice { invoice } => {
                show(json, &client.decode_invoice(invoice).await?, render::invoice_text)
            },
            Self::Payments { limit } => {
                show(json, &client.payments(limit).await?, |rows| render::payment_table(rows))
            },
            Self::Payment { id } => show(json, &client.payment(id).await?, render::payment_text),
            Self::Terms { credit, insure_above, unsigned, asset, partner } => {
                client.terms(partner, Some(asset), credit, insure_above, unsigned).await?;
                show(json, &(), |()| "the credit line is set".into())
            },
            Self::Deposit { amount, to, asset } => {
                let done = client.deposit(amount, Some(asset), to).await?;
                show(json, &done, |done| render::on_chain("deposited", done))
            },
            Self::Withdraw { amount, asset, partner, deposit_to } => {
                let done = client.withdraw(amount, Some(asset), partner, deposit_to).await?;
                show(json, &done, |done| render::on_chain("withdrawn", done))
            },
            Self::Transfer { to, amount, asset } => {
                let done = client.transfer(to, amount, Some(asset)).await?;
                show(json, &done, |done| render::on_chain("sent", done))
            },
            Self::Claim { asset } => {
                let done = client.claim(Some(asset)).await?;
                show(json, &done, |done| render::on_chain("claimed", done))
            },
            Self::Dispute { partner, from_backup } => {
                let done = match from_backup {
                    true => client.dispute_from_backup(partner).await?,
                    false => client.dispute(partner).await?,
                };
                show(json, &done, |done| {
                    render::on_chain("disputed; the chain decides after the delay", done)
                })
            },
            Self::Close { partner, partner_submits } => {
                let done = client.close(partner, partner_submits).await?;
                show(json, &done, |done| render::on_chain("closed", done))
            },
            Self::Insure { partner, fee, within, asset } => {
                let within = fee.is_some().then_some(within);
                let paid = client.insure(partner, Some(asset), fee, within).await?;
                show(json, &paid, |paid| match paid {
                    Some(id) => format!("paid for by {id}: it comes back if it is in vain"),
                    None => "asked: the hub's next rebalance considers it".into(),
                })
            },
            Self::Debts { debtor } => {
                show(json, &client.debts(debtor).await?, |rows| render::debt_table(rows))
            },
            Self::Assets => show(json, &client.assets().await?, |rows| render::asset_table(rows)),
            Self::Stop => {
                client.stop().await?;
                show(json, &(), |()| "stopping".into())
            },
        })
    }
}
