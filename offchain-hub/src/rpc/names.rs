//! Assets, hubs and addresses as people write them.

use super::api::{Amount, AssetInfo, HubRow, StandingRow};
use crate::{
    address::{self, AddressError},
    amount::{self, AmountError},
    chain::{ChainClient, ChainError},
    invoice::InvoiceError,
    party::CommandError,
};
use failsafe_primitives::{
    view::{AssetView, HubView},
    AccountId, AssetId, Balance, NATIVE_ASSET,
};
use sp_core::crypto::Ss58Codec;
use std::sync::{Arc, PoisonError, RwLock};

/// What is wrong with a request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RequestError {
    /// An address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// An amount.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// Nothing.
    #[error("the amount must be more than 0")]
    AmountZero,
    /// No such asset.
    #[error("there is no asset {0:?} on this chain: `failsafe assets` lists them")]
    UnknownAsset(String),
    /// No such hub.
    #[error("there is no hub @{0} in the registry: `failsafe hubs` lists them")]
    UnknownHub(String),
    /// A hub without a channel of ours.
    #[error("you have no channel with {0}: `failsafe hubs add {0}` makes one")]
    NotOurHub(String),
    /// The wallet has no hub.
    #[error("this wallet has no hub yet: `failsafe hubs add @handle` adds one")]
    NoHub,
    /// A partner has to be named.
    #[error("which partner? name its account, or the handle of a hub")]
    NoPartner,
    /// Not a payment's name.
    #[error("{0:?} is not the name of a payment: expected 32 hex digits")]
    PaymentId(String),
    /// More than there is.
    #[error("only {available} {symbol} can be spent on chain, not {amount}")]
    Insufficient {
        /// What was asked for.
        amount: String,
        /// What there is.
        available: String,
        /// The asset.
        symbol: String,
    },
    /// Less than the chain takes.
    #[error("the smallest deposit is {minimum} {symbol}")]
    BelowMinimum {
        /// What it takes.
        minimum: String,
        /// The asset.
        symbol: String,
    },
    /// The hub cannot be reached.
    #[error("{partner} cannot be reached{}", .why.as_ref().map(|w| format!(": {w}")).unwrap_or_default())]
    Unreachable {
        /// Who.
        partner: String,
        /// Why.
        why: Option<String>,
    },
    /// No such proposal.
    #[error("there is no open proposal {0}: `failsafe governance proposals` lists them; what became of another one is in the events of the block in which it was concluded")]
    UnknownProposal(u32),
    /// Only validators vote.
    #[error("{0} is not a validator's account: `failsafe governance validators` lists those; vote from a wallet that was made with such an account's secret (`failsafe --dir … init --secret-file …`)")]
    NotAValidator(String),
    /// The votes are being counted.
    #[error("the votes on proposal {0} are counted already: make a new proposal")]
    VotingOver(u32),
    /// Only who proposed can cancel.
    #[error("proposal {0} was made by {1}, who alone can withdraw it: vote against it")]
    NotOurProposal(u32, String),
    /// A proposal without calls.
    #[error(
        "what is to be amended? name at least one call (see `failsafe governance propose --help`)"
    )]
    NothingToAmend,
    /// No such parameter.
    #[error("there is no parameter {0:?}: they are {1}")]
    UnknownParameter(String, String),
    /// Not a value of a parameter.
    #[error("{1:?} is not a value of {0}: expected a whole number (smallest units for money), or an amount as in \"10 FRD\"")]
    ParameterValue(String, String),
    /// Not bytes.
    #[error("{0:?} is not hex: expected 0x and pairs of 0-9 and a-f")]
    NotHex(String),
    /// Not a hash.
    #[error("{0:?} is not a hash: expected 0x and 64 hex digits")]
    NotAHash(String),
    /// Too long for the chain.
    #[error("{what} too long: {bytes} bytes, the chain takes {most}")]
    TooLong {
        /// What, with its verb.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// An invoice.
    #[error(transparent)]
    Invoice(#[from] InvoiceError),
    /// What the party says.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// What the chain says.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl RequestError {
    /// Code of the JSON-RPC error.
    pub fn code(&self) -> i32 {
        match self {
            Self::Address(_)
            | Self::Amount(_)
            | Self::AmountZero
            | Self::UnknownAsset(_)
            | Self::UnknownHub(_)
            | Self::NotOurHub(_)
            | Self::NoHub
            | Self::NoPartner
            | Self::PaymentId(_)
            | Self::Invoice(_)
            | Self::UnknownProposal(_)
            | Self::NothingToAmend
            | Self::UnknownParameter(..)
            | Self::ParameterValue(..)
            | Self::NotHex(_)
            | Self::NotAHash(_)
            | Self::TooLong { .. }
            | Self::Chain(ChainError::NotACall { .. })
            | Self::BelowMinimum { .. } => INVALID,
            Self::Insufficient { .. }
            | Self::NotAValidator(_)
            | Self::VotingOver(_)
            | Self::NotOurProposal(..) => REFUSED,
            Self::Unreachable { .. } => UNREACHABLE,
            Self::Chain(_) => CHAIN,
            Self::Command(error) => match error {
                CommandError::NotConnected(_) => UNREACHABLE,
                CommandError::Stale | CommandError::Chain(_) | CommandError::Uncertain(_) => CHAIN,
                CommandError::Timeout => TIMEOUT,
                CommandError::Stopped => STOPPED,
                CommandError::Invalid(_) => INVALID,
                _ => REFUSED,
            },
        }
    }
}

/// The request itself is wrong; nothing was tried.
pub const INVALID: i32 = 1000;
/// The state of things does not allow it; nothing has changed.
pub const REFUSED: i32 = 1001;
/// A peer cannot be reached.
pub const UNREACHABLE: i32 = 1002;
/// The chain refused it, or cannot be reached.
pub const CHAIN: i32 = 1003;
/// No answer in time.
pub const TIMEOUT: i32 = 1004;
/// The party has stopped.
pub const STOPPED: i32 = 1005;

impl From<RequestError> for jsonrpsee::types::ErrorObjectOwned {
    fn from(error: RequestError) -> Self {
        Self::owned(error.code(), error.to_string(), None::<()>)
    }
}

/// The assets of a chain, read when one is not known yet.
#[derive(Clone)]
pub struct Assets {
    client: ChainClient,
    known: Arc<RwLock<Vec<AssetView>>>,
}

impl Assets {
    /// Reads all assets.
    pub async fn read(client: ChainClient) -> Result<Self, ChainError> {
        let known = Arc::new(RwLock::new(client.assets().await?));
        Ok(Self { client, known })
    }

    fn all(&self) -> Vec<AssetView> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn find(&self, text: &str) -> Option<AssetView> {
        let number = text.parse::<AssetId>().ok();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut named = known.iter().filter(|asset| {
            Some(asset.id) == number || asset.symbol.eq_ignore_ascii_case(text.as_bytes())
        });
        named.next().cloned()
    }

    /// An asset by symbol or number; FRD if nothing is given. Of two assets with the same symbol
    /// the older one is meant; the other has a number too.
    pub async fn get(&self, text: Option<&str>) -> Result<AssetView, RequestError> {
        let native = NATIVE_ASSET.to_string();
        let text = text.unwrap_or(&native);
        if let Some(asset) = self.find(text) {
            return Ok(asset);
        }
        let fresh = self.client.assets().await?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        self.find(text).ok_or_else(|| RequestError::UnknownAsset(text.to_string()))
    }

    /// Numbers of all assets that are known.
    pub fn ids(&self) -> Vec<AssetId> {
        self.all().iter().map(|asset| asset.id).collect()
    }

    /// How an asset is shown.
    pub fn info(&self, id: AssetId) -> AssetInfo {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match known.iter().find(|asset| asset.id == id) {
            Some(asset) => info(asset),
            None => AssetInfo { id, symbol: format!("#{id}"), decimals: 0 },
        }
    }

    /// Every asset, for people.
    pub fn list(&self) -> Vec<AssetInfo> {
        self.all().iter().map(info).collect()
    }
}

fn info(asset: &AssetView) -> AssetInfo {
    let symbol = match String::from_utf8(asset.symbol.clone()) {
        Ok(symbol) if !symbol.is_empty() => symbol,
        _ => format!("#{}", asset.id),
    };
    AssetInfo { id: asset.id, symbol, decimals: asset.decimals }
}

/// An amount of an asset; more than 0.
pub fn positive(text: &str, asset: &AssetView) -> Result<Balance, RequestError> {
    match amount::parse(text, asset.decimals)? {
        0 => Err(RequestError::AmountZero),
        amount => Ok(amount),
    }
}

/// A hub that a wallet has a channel with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHub {
    /// Its account.
    pub account: AccountId,
    /// Its handle.
    pub handle: Option<String>,
}

/// Finds hubs by handle.
#[derive(Clone)]
pub struct Hubs {
    client: ChainClient,
    ours: Vec<KnownHub>,
}

impl Hubs {
    /// The hubs of a wallet, the first one being meant when none is named.
    pub fn new(client: ChainClient, ours: Vec<KnownHub>) -> Self {
        Self { client, ours }
    }

    /// Hubs with a channel of ours.
    pub fn ours(&self) -> &[KnownHub] {
        &self.ours
    }

    /// Whether we have a channel with it.
    pub fn is_ours(&self, account: &AccountId) -> bool {
        self.ours.iter().any(|hub| hub.account == *account)
    }

    /// The first hub.
    pub fn first(&self) -> Result<AccountId, RequestError> {
        self.ours.first().map(|hub| hub.account.clone()).ok_or(RequestError::NoHub)
    }

    /// The account of a handle: that of our own list first, so that a handle which changes hands on
    /// chain does not redirect payments.
    pub async fn account(&self, handle: &str) -> Result<AccountId, RequestError> {
        if let Some(hub) = self.ours.iter().find(|hub| hub.handle.as_deref() == Some(handle)) {
            return Ok(hub.account.clone());
        }
        let hub = self.client.hub_by_handle(handle).await?;
        hub.map(|hub| hub.account).ok_or_else(|| RequestError::UnknownHub(handle.to_string()))
    }

    /// A partner: `@handle` or an account.
    pub async fn partner(&self, text: &str) -> Result<AccountId, RequestError> {
        let address = address::parse(text)?;
        match (address.account, address.hub) {
            (Some(account), None) => Ok(account),
            (None, Some(handle)) => self.account(&handle).await,
            _ => Err(AddressError::NotAnAccount(text.to_string()).into()),
        }
    }

    /// The handle that we know an account by.
    pub fn handle(&self, account: &AccountId) -> Option<String> {
        self.ours.iter().find(|hub| hub.account == *account)?.handle.clone()
    }
}

/// All hubs of the registry, for people. `ours` says with which we have channels.
pub async fn hub_rows(
    client: &ChainClient,
    ours: impl Fn(&AccountId) -> bool,
) -> Result<Vec<HubRow>, ChainError> {
    let (hubs, standings) = (client.hubs().await?, client.hub_standings().await?);
    let row = |hub: HubView| {
        let standing = standings.iter().find(|standing| standing.account == hub.account);
        HubRow {
            account: hub.account.to_ss58check(),
            handle: String::from_utf8_lossy(&hub.handle).into_owned(),
            endpoint: String::from_utf8_lossy(&hub.endpoint).into_owned(),
            base_fee: Amount(hub.fees.base),
            ppm: hub.fees.ppm,
            ours: ours(&hub.account),
            standing: standing.map(|known| StandingRow {
                leaves_at: known.leaves_at,
                disputes: known.disputes,
                lost: known.lost,
                debts: known.debts,
                owes: known.owes.iter().map(|(asset, sum)| (*asset, Amount(*sum))).collect(),
            }),
        }
    };
    Ok(hubs.into_iter().map(row).collect())
}
