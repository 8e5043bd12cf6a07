//! A faucet for development chains: gives everybody who asks a little money.
//!
//! It refuses to run on any other chain, gives each account a fixed amount, and not again before a
//! pause, so that a runaway script cannot drain it.

use crate::{
    address, amount,
    chain::Call,
    daemon::DaemonError,
    party::{Command, CommandError, Party},
    rpc::{
        names::{Assets, RequestError},
        server::ServerError,
    },
};
use failsafe_primitives::{AccountId, Balance, NATIVE_ASSET};
use jsonrpsee::{
    core::{async_trait, RpcResult},
    proc_macros::rpc,
    server::{BatchRequestConfig, Server, ServerConfig, ServerHandle},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tracing::info;

/// How long a transfer may take to become final.
const PATIENCE: Duration = Duration::from_secs(120);
/// Accounts that are remembered; beyond that the faucet is busy until one of them may come again.
const MAX_REMEMBERED: usize = 100_000;

/// What the faucet did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Drip {
    /// Block of the transfer.
    pub block: u32,
    /// How much, in whole units.
    pub amount: String,
}

/// The faucet's only method.
#[rpc(server, client, namespace = "faucet")]
pub trait FaucetRpc {
    /// Sends the fixed amount of FRD to `account`.
    #[method(name = "drip", param_kind = map)]
    async fn drip(&self, account: String) -> RpcResult<Drip>;
}

/// What a faucet gives.
#[derive(Clone, Copy, Debug)]
pub struct FaucetRules {
    /// Per request, smallest units of FRD.
    pub amount: Balance,
    /// Pause until the same account may ask again.
    pub pause: Duration,
}

/// Why a faucet does not start.
#[derive(Debug, thiserror::Error)]
pub enum FaucetError {
    /// A real chain.
    #[error("{0} is not a development chain: a faucet would give real money away")]
    NotDevelopment(String),
    /// The process.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
}

struct Faucet {
    party: Arc<Party>,
    rules: FaucetRules,
    decimals: u8,
    given: Mutex<HashMap<AccountId, Instant>>,
}

impl Faucet {
    /// Notes that `account` gets something, unless it has had something lately.
    fn admit(&self, account: &AccountId) -> Result<(), RequestError> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waited) = given.get(account).map(Instant::elapsed) {
            if waited < self.rules.pause {
                let left = (self.rules.pause - waited).as_secs() + 1;
                let text = format!("this account has had its share: come back in {left} seconds");
                return Err(CommandError::Invalid(text).into());
            }
        }
        if given.len() >= MAX_REMEMBERED {
            given.retain(|_, at| at.elapsed() < self.rules.pause);
            if given.len() >= MAX_REMEMBERED {
                return Err(CommandError::Busy("the faucet").into());
            }
        }
        given.insert(account.clone(), Instant::now());
        Ok(())
    }

    fn forget(&self, account: &AccountId) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }

    async fn give(&self, account: &str) -> Result<Drip, RequestError> {
        let to = address::account(account)?;
        self.admit(&to)?;
        let amount = self.rules.amount;
        let call = Call::Transfer { to: to.clone(), asset: NATIVE_ASSET, amount };
        match self.party.command(Command::Submit(Box::new(call)), PATIENCE).await {
            Ok(crate::party::Answer::OnChain(block)) => {
                info!(account, "gave");
                Ok(Drip { block, amount: amount::format(amount, self.decimals) })
            },
            Ok(_) => Err(CommandError::Stopped.into()),
            Err(error) => {
                self.forget(&to);
                Err(error.into())
            },
        }
    }
}

#[async_trait]
impl FaucetRpcServer for Faucet {
    async fn drip(&self, account: String) -> RpcResult<Drip> {
        Ok(self.give(&account).await?)
    }
}

/// A running faucet; stops when dropped.
pub struct RunningFaucet {
    handle: ServerHandle,
    address: SocketAddr,
}

impl RunningFaucet {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RunningFaucet {
    fn drop(&mut self) {
        // It may have stopped already.
        let _ = self.handle.stop();
    }
}

/// Serves a faucet that pays from `party`'s account.
pub async fn serve(
    party: Arc<Party>,
    rules: FaucetRules,
    address: SocketAddr,
) -> Result<RunningFaucet, FaucetError> {
    let info = party.client().info();
    if !info.development {
        return Err(FaucetError::NotDevelopment(info.name.clone()));
    }
    let assets = Assets::read(party.client().clone()).await.map_err(DaemonError::from)?;
    let decimals = assets.info(NATIVE_ASSET).decimals;
    let listen =
        |source| FaucetError::Daemon(DaemonError::Server(ServerError::Listen { address, source }));
    let config = ServerConfig::builder()
        .max_request_body_size(4_096)
        .max_connections(32)
        .set_batch_request_config(BatchRequestConfig::Disabled)
        .build();
    let server = Server::builder().set_config(config).build(address).await.map_err(listen)?;
    let address = server.local_addr().map_err(listen)?;
    let faucet = Faucet { party, rules, decimals, given: Mutex::default() };
    let handle = server.start(faucet.into_rpc());
    Ok(RunningFaucet { handle, address })
}
