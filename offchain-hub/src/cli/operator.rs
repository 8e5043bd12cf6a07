//! Requests of the operator to a running hub.

use super::{commands::show, render, render_operator};
use crate::rpc::{client::explain, methods, OperatorRpcClient};
use clap::Subcommand;
use jsonrpsee::{core::ClientError, http_client::HttpClient};

/// What the operator of a hub can ask for.
#[derive(Clone, Debug, Subcommand)]
pub enum OperatorCommand {
    /// All channels
    Channels,
    /// One channel, with everything that is known of it
    Channel {
        /// @hub or account
        partner: String,
    },
    /// What you owe and are owed, with and without insurance: in all, and per partner
    Risk {
        /// Partners that are shown, those first whom you owe most
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// What was earned, what is asked for, and what users are quoted
    Fees {
        /// Bring the configured fees to the registry on chain
        #[arg(long)]
        update: bool,
    },
    /// Announce on chain that the hub retires: it takes no new partners, and may leave later
    Retire,
    /// Leave the registry when the notice is over; the deposit comes back
    Leave,
    /// Forward nothing until `resume`, also after a restart
    Pause,
    /// Forward nothing and take no new partners until `resume`, also after a restart
    Drain,
    /// Forward again
    Resume,
    /// Read the configuration again and follow it, as SIGHUP does
    Reload,
}

/// The OpenRPC document of a hub.
pub fn openrpc() -> String {
    format!("{:#}", methods::hub_document())
}

impl OperatorCommand {
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
            Self::Channels => {
                show(json, &client.channels().await?, |rows| render_operator::channels_text(rows))
            },
            Self::Channel { partner } => {
                show(json, &client.channel(partner).await?, render_operator::channel_text)
            },
            Self::Risk { limit } => {
                show(json, &client.risk(Some(limit)).await?, render_operator::risk_text)
            },
            Self::Fees { update: false } => {
                show(json, &client.fees().await?, render_operator::fees_text)
            },
            Self::Fees { update: true } => {
                let done = client.update_fees().await?;
                show(json, &done, |done| render::on_chain("the registry is up to date", done))
            },
            Self::Retire => {
                let done = client.retire().await?;
                show(json, &done, |done| {
                    render::on_chain("announced: wallets see it, no new partner is taken", done)
                })
            },
            Self::Leave => {
                let done = client.leave().await?;
                show(json, &done, |done| render::on_chain("off the registry", done))
            },
            Self::Pause => {
                let text = "paused: nothing is forwarded until `resume`";
                show(json, &client.pause().await?, |_| text.into())
            },
            Self::Drain => {
                let text = "draining: nothing is forwarded and no new partner taken until `resume`";
                show(json, &client.drain().await?, |_| text.into())
            },
            Self::Resume => show(json, &client.resume().await?, |_| "open: it forwards".into()),
            Self::Reload => show(json, &client.reload().await?, render_operator::reload_text),
        })
    }
}
