//! Requests to a running party.

use super::render;
use crate::invoice::PREFIX;
use crate::rpc::{
    api::{HubRow, OnChainView, RebalanceView},
    client::explain,
    FailsafeRpcClient,
};
use clap::Subcommand;
use jsonrpsee::{core::ClientError, http_client::HttpClient};
use serde::Serialize;

/// What hub and wallet can be asked for.
#[derive(Clone, Debug, Subcommand)]
pub enum PartyCommand {
    /// Everything at a glance: on-chain, insured and uninsured balances, what is signed
    Status,
    /// Pay somebody at once, through a hub; or an invoice, over as many hubs as it takes
    Pay {
        /// A wallet: an invoice (fsi1…), account@hub, an account at its first hub, or @hub itself. A
        /// hub: an account
        to: String,
        /// How much arrives, for instance 12.5; not for an invoice that says so itself
        amount: Option<String>,
        /// Invoices: most that all hubs on the way may ask for; a hundredth of the amount if absent
        #[arg(long)]
        max_fee: Option<String>,
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

/// Shows an answer, as JSON or for people.
fn show<T: Serialize>(
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
            Self::Pay { to, amount, max_fee, asset, id } => {
                let payment = if to.trim().starts_with(PREFIX) {
                    client.pay_invoice(to, amount, max_fee, id).await?
                } else {
                    let Some(amount) = amount else {
                        return Ok(Err("how much? failsafe pay <who> <amount>".into()));
                    };
                    client.pay(to, amount, Some(asset), id).await?
                };
                show(json, &payment, render::payment_text)
            },
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
            Self::Terms { credit, insure_above, asset, partner } => {
                client.terms(partner, Some(asset), credit, insure_above).await?;
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
            Self::Dispute { partner } => {
                let done = client.dispute(partner).await?;
                show(json, &done, |done| {
                    render::on_chain("disputed; the chain decides after the delay", done)
                })
            },
            Self::Close { partner, partner_submits } => {
                let done = client.close(partner, partner_submits).await?;
                show(json, &done, |done| render::on_chain("closed", done))
            },
            Self::Insure { partner, asset } => {
                client.insure(partner, Some(asset)).await?;
                show(json, &(), |()| "asked: the hub's next rebalance considers it".into())
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
