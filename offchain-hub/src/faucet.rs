//! A faucet for development chains: gives everybody who asks a little money.
//!
//! It refuses to run on any other chain, gives each account a fixed amount, not again before a pause,
//! and so many shares a day in all, so that a runaway script does not drain it.

use crate::{
    address, amount,
    chain::{Call, ChainInfo, ChainKind},
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
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tracing::info;

/// Within which time [`FaucetRules::shares`] are given.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a transfer may take to become final.
const PATIENCE: Duration = Duration::from_secs(120);

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
    /// How many times it gives within 24 hours, however many ask.
    pub shares: usize,
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

/// Refuses a chain whose money is worth something.
///
/// # Errors
/// [`FaucetError::NotDevelopment`].
pub fn check_chain(chain: &ChainInfo) -> Result<(), FaucetError> {
    match chain.kind {
        ChainKind::Development => Ok(()),
        ChainKind::Local | ChainKind::Live => Err(FaucetError::NotDevelopment(chain.name.clone())),
    }
}

/// Who has had something, and when.
struct Shares {
    rules: FaucetRules,
    /// In the order of time.
    given: VecDeque<(Instant, AccountId)>,
}

impl Shares {
    fn new(rules: FaucetRules) -> Self {
        Self { rules, given: VecDeque::new() }
    }

    /// Notes that `account` gets something, unless it has had something lately, or all together have
    /// had what is given in a day.
    fn admit(&mut self, account: &AccountId, now: Instant) -> Result<(), CommandError> {
        let FaucetRules { pause, shares, .. } = self.rules;
        let age = |at: &Instant| now.saturating_duration_since(*at);
        // Nothing older matters.
        while self.given.front().is_some_and(|(at, _)| age(at) >= pause.max(DAY)) {
            self.given.pop_front();
        }
        let seconds = |left: Duration| left.as_secs().saturating_add(1);
        let last = self.given.iter().rev().find(|(_, who)| who == account);
        if let Some(left) = last.and_then(|(at, _)| pause.checked_sub(age(at))) {
            if !left.is_zero() {
                let left = seconds(left);
                let text = format!("this account has had its share: come back in {left} seconds");
                return Err(CommandError::Invalid(text));
            }
        }
        let mut today = self.given.iter().map(|(at, _)| age(at)).filter(|age| *age < DAY);
        if let Some(oldest) = today.next() {
            if today.count() + 1 >= shares {
                let left = seconds(DAY.saturating_sub(oldest));
                let text = format!(
                    "{shares} shares were given in 24 hours, and that is all: come back in {left} seconds",
                );
                return Err(CommandError::Invalid(text));
            }
        }
        self.given.push_back((now, account.clone()));
        Ok(())
    }

    /// What `account` was to get at that time it has not got.
    fn take_back(&mut self, account: &AccountId, since: Instant) {
        self.given.retain(|(at, who)| (*at, who) != (since, account));
    }
}

struct Faucet {
    party: Arc<Party>,
    amount: Balance,
    decimals: u8,
    shares: Mutex<Shares>,
}

impl Faucet {
    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn give(&self, account: &str) -> Result<Drip, RequestError> {
        let to = address::account(account)?;
        let now = Instant::now();
        self.shares().admit(&to, now)?;
        let amount = self.amount;
        let call = Call::Transfer { to: to.clone(), asset: NATIVE_ASSET, amount };
        match self.party.command(Command::Submit(Box::new(call)), PATIENCE).await {
            Ok(crate::party::Answer::OnChain(block)) => {
                info!(account, "gave");
                Ok(Drip { block, amount: amount::format(amount, self.decimals) })
            },
            Ok(_) => Err(CommandError::Stopped.into()),
            Err(error) => {
                // What nobody has an answer of may still be paid.
                let open = matches!(
                    error,
                    CommandError::Timeout | CommandError::Uncertain(_) | CommandError::Stopped
                );
                if !open {
                    self.shares().take_back(&to, now);
                }
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
    check_chain(party.client().info())?;
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
    let shares = Mutex::new(Shares::new(rules));
    let faucet = Faucet { party, amount: rules.amount, decimals, shares };
    let handle = server.start(faucet.into_rpc());
    Ok(RunningFaucet { handle, address })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_core::H256;

    const PAUSE: Duration = Duration::from_secs(60);

    fn shares() -> (Shares, Instant) {
        (Shares::new(FaucetRules { amount: 10, pause: PAUSE, shares: 3 }), Instant::now())
    }

    fn account(number: u8) -> AccountId {
        AccountId::new([number; 32])
    }

    #[test]
    fn h14_share_should_be_refused_when_the_account_has_had_one_within_the_pause() {
        let (mut shares, begin) = shares();
        shares.admit(&account(1), begin).unwrap();
        let again = shares.admit(&account(1), begin + PAUSE / 4).unwrap_err().to_string();
        assert!(again.contains("come back in 46 seconds"), "{again}");
        shares.admit(&account(1), begin + PAUSE).unwrap();
    }

    #[test]
    fn h14_share_should_be_refused_when_all_of_a_day_were_given() {
        let (mut shares, begin) = shares();
        for number in 1..=3 {
            shares.admit(&account(number), begin + PAUSE * u32::from(number)).unwrap();
        }
        for who in [1, 4] {
            let more = shares.admit(&account(who), begin + PAUSE * 11).unwrap_err().to_string();
            assert!(more.contains("3 shares were given in 24 hours"), "{more}");
            let left = DAY - PAUSE * 10;
            assert!(more.contains(&format!("in {} seconds", left.as_secs() + 1)), "{more}");
        }
        // A day after the first one there is one, and no two.
        shares.admit(&account(4), begin + PAUSE + DAY).unwrap();
        shares.admit(&account(5), begin + PAUSE + DAY).unwrap_err();
    }

    #[test]
    fn share_should_be_had_at_last_when_the_pause_is_longer_than_a_day() {
        let rules = FaucetRules { amount: 10, pause: DAY * 2, shares: 1 };
        let (mut shares, begin) = (Shares::new(rules), Instant::now());
        shares.admit(&account(1), begin).unwrap();
        shares.admit(&account(1), begin + DAY).unwrap_err();
        shares.admit(&account(2), begin + DAY).unwrap();
        shares.admit(&account(1), begin + DAY * 2).unwrap();
    }

    #[test]
    fn h14_chain_should_be_refused_when_it_is_not_for_development() {
        let chain = |kind| ChainInfo { genesis: H256::zero(), name: "Failsafe".into(), kind };
        check_chain(&chain(ChainKind::Development)).unwrap();
        for kind in [ChainKind::Local, ChainKind::Live] {
            let refused = check_chain(&chain(kind)).unwrap_err().to_string();
            assert!(refused.contains("Failsafe is not a development chain"), "{refused}");
        }
    }

    #[test]
    fn share_should_be_had_again_when_it_was_not_paid() {
        let (mut shares, begin) = shares();
        shares.admit(&account(1), begin).unwrap();
        shares.admit(&account(1), begin + PAUSE).unwrap();
        shares.take_back(&account(1), begin + PAUSE);
        shares.admit(&account(1), begin + PAUSE).unwrap();
        assert_eq!(shares.given.len(), 2);
    }
}
