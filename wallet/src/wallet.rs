//! A wallet in a directory: making one, running it, asking it.

use crate::config::{ConfigError, HubEntry, WalletConfig};
use failsafe_channel::{AssetTerms, Channel, Sign};
use failsafe_hub::{
    address,
    chain::{ChainClient, ChainError},
    cli::Home,
    daemon::{Daemon, DaemonError},
    keys::{AccountKey, KeyError},
    party::{
        policy::{Policy, RebalancePolicy, Signing, CHANNELS_ON_PAGES, PAYMENTS_IN_MEMORY},
        stored_channels, Interceptor, PartyConfig, Role, StoredChannel,
    },
    rpc::{names::KnownHub, ServiceConfig},
    store::{self, FjallStore, Place, Store, StoreError},
    watchtower::{address::TowerAddressError, TowerAddress},
};
use failsafe_primitives::{arithmetic::LIMIT, fees::HubFees, AccountId, Parameters, NATIVE_ASSET};
use sp_core::crypto::Ss58Codec;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Notify;

const KEY: &str = "key.json";
const STORE: &str = "store";
/// How old the newest block may be before nothing is paid.
const STALE_AFTER_MS: u64 = 20_000;

/// What is wrong with a wallet.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Running it.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// The directory has something in it.
    #[error("{0} is not empty: choose another directory with --dir")]
    NotEmpty(String),
    /// The directory cannot be made.
    #[error("{path}: {source}")]
    Io {
        /// The directory.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No such hub.
    #[error("there is no hub {0} in the chain's registry: `failsafe hubs` lists them")]
    UnknownHub(String),
    /// It will not be there for long.
    #[error(
        "{hub} retires and may leave at usable clock {leaves_at}: `failsafe hubs` lists others"
    )]
    Retiring {
        /// The hub.
        hub: String,
        /// From when on it may leave.
        leaves_at: u64,
    },
    /// It has this hub already.
    #[error("{0} is one of this wallet's hubs already")]
    KnownHub(String),
    /// It has a tower with this account already.
    #[error("{0} is one of this wallet's towers already: to change its address edit wallet.toml")]
    KnownTower(String),
    /// A tower's address is wrong.
    #[error(transparent)]
    Tower(#[from] TowerAddressError),
    /// A hub's name is wrong.
    #[error(transparent)]
    Address(#[from] address::AddressError),
    /// A channel cannot be read.
    #[error("the channel with {partner}: {reason}")]
    Channel {
        /// With whom.
        partner: String,
        /// Why.
        reason: String,
    },
}

/// A wallet in its directory.
pub struct Wallet {
    dir: PathBuf,
    config: WalletConfig,
    key: AccountKey,
}

impl Wallet {
    /// Makes a wallet in an empty directory.
    pub fn create(dir: &Path, node: &str, key: AccountKey) -> Result<Self, WalletError> {
        let problem = |source| WalletError::Io { path: dir.display().to_string(), source };
        std::fs::create_dir_all(dir).map_err(problem)?;
        if std::fs::read_dir(dir).map_err(problem)?.next().is_some() {
            return Err(WalletError::NotEmpty(dir.display().to_string()));
        }
        key.save(&dir.join(KEY))?;
        let store = FjallStore::create(&dir.join(STORE))?;
        store::initialize(&store, &key.account())?;
        let config = WalletConfig::new(node.to_string());
        // Last: a directory without it is no wallet.
        config.save(dir)?;
        Ok(Self { dir: dir.to_path_buf(), config, key })
    }

    /// Opens the wallet in `dir`.
    pub fn open(dir: &Path) -> Result<Self, WalletError> {
        let config = WalletConfig::load(dir)?;
        let key = AccountKey::load(&dir.join(KEY))?;
        Ok(Self { dir: dir.to_path_buf(), config, key })
    }

    /// Where the parts of the wallet in `dir` are, whether they can be read or not.
    pub fn home(dir: &Path) -> Result<Home, WalletError> {
        let config = WalletConfig::load(dir)?;
        Ok(Home {
            dir: dir.to_path_buf(),
            key: dir.join(KEY),
            place: Place::Directory(dir.join(STORE)),
            node: config.node,
        })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its account.
    pub fn account(&self) -> AccountId {
        self.key.account()
    }

    /// The node that it talks to.
    pub fn node(&self) -> &str {
        &self.config.node
    }

    /// Its hubs.
    pub fn hubs(&self) -> Result<Vec<KnownHub>, WalletError> {
        let hubs = self.config.hubs(&self.dir)?;
        Ok(hubs.into_iter().map(|(hub, _)| hub).collect())
    }

    /// Looks a hub up in the registry, by `@handle` or by account; one that does not retire.
    pub async fn find_hub(client: &ChainClient, hub: &str) -> Result<KnownHub, WalletError> {
        let address = address::parse(hub)?;
        let found = match (&address.account, &address.hub) {
            (Some(account), None) => client.hub(account).await?,
            (_, Some(handle)) => client.hub_by_handle(handle).await?,
            (None, None) => None,
        };
        let found = found.ok_or_else(|| WalletError::UnknownHub(hub.to_string()))?;
        let standing = client.hub_standing(&found.account).await?;
        if let Some(leaves_at) = standing.and_then(|standing| standing.leaves_at) {
            return Err(WalletError::Retiring { hub: hub.to_string(), leaves_at });
        }
        Ok(KnownHub { account: found.account, handle: String::from_utf8(found.handle).ok() })
    }

    /// Looks a hub up in the registry and adds it.
    pub async fn add_hub(
        &mut self,
        client: &ChainClient,
        hub: &str,
    ) -> Result<KnownHub, WalletError> {
        let found = Self::find_hub(client, hub).await?;
        let account = found.account.to_ss58check();
        if self.config.hubs.iter().any(|entry| entry.account == account) {
            return Err(WalletError::KnownHub(hub.to_string()));
        }
        self.config.hubs.push(HubEntry {
            account,
            handle: found.handle.clone(),
            endpoint: None,
            transport_key: None,
        });
        self.config.save(&self.dir)?;
        Ok(found)
    }

    /// Its watchtowers.
    pub fn towers(&self) -> Result<Vec<TowerAddress>, WalletError> {
        Ok(self.config.towers(&self.dir)?)
    }

    /// Adds a watchtower, `account@host:port#key`; it is used from the next start on.
    ///
    /// # Errors
    /// It is not the address of a tower, or the wallet has a tower with this account.
    pub fn add_tower(&mut self, address: &str) -> Result<TowerAddress, WalletError> {
        let tower: TowerAddress = address.parse()?;
        if self.towers()?.iter().any(|known| known.account == tower.account) {
            return Err(WalletError::KnownTower(tower.account.to_ss58check()));
        }
        self.config.towers.push(tower.to_string());
        self.config.save(&self.dir)?;
        Ok(tower)
    }

    /// What the wallet states to its hubs: the first one may owe it the chain's default credit
    /// (`protocol.md` §9), half of which it wants insured; the others may owe it nothing until the
    /// user says so.
    fn policy(&self, hubs: &[KnownHub], parameters: &Parameters) -> Policy {
        let terms = |first: bool| {
            let credit = if first { parameters.default_credit } else { 0 };
            let insure_above = if credit > 0 { credit / 2 } else { LIMIT };
            let terms = AssetTerms { credit, insure_above, unsigned_limit: 0 };
            BTreeMap::from([(NATIVE_ASSET, terms)])
        };
        let partners = hubs
            .iter()
            .enumerate()
            .map(|(index, hub)| (hub.account.clone(), terms(index == 0)))
            .collect();
        Policy {
            role: Role::User,
            terms: BTreeMap::new(),
            partners,
            fees: HubFees::default(),
            ack_delay_ms: self.config.ack_delay_ms,
            pay_unsigned: self.config.pay_unsigned,
            sign_delay_ms: self.config.sign_delay_ms,
            stale_after_ms: STALE_AFTER_MS,
            rebalance: RebalancePolicy::default(),
            max_partners: hubs.len(),
            min_payments: BTreeMap::new(),
            rates: vec![],
            insurance_fees: BTreeMap::new(),
            risk_caps: BTreeMap::new(),
            peer_messages_per_second: 0,
            payments_in_memory: PAYMENTS_IN_MEMORY,
            channels_on_pages: CHANNELS_ON_PAGES,
            signing: Signing::default(),
        }
    }

    /// Runs the wallet until it is told to stop, and says where it answers. Tests give an
    /// interceptor.
    pub async fn run(
        self,
        rpc: SocketAddr,
        interceptor: Option<Box<dyn Interceptor>>,
    ) -> Result<(), WalletError> {
        let daemon = self.start_with(rpc, interceptor).await?;
        println!("wallet    {}", daemon.party().account());
        println!("commands  {} (see failsafe --help)", daemon.server().contact().url);
        Ok(daemon.run().await?)
    }

    /// Starts the wallet; it answers on `rpc`.
    pub async fn start(self, rpc: SocketAddr) -> Result<Daemon, WalletError> {
        self.start_with(rpc, None).await
    }

    async fn start_with(
        self,
        rpc: SocketAddr,
        interceptor: Option<Box<dyn Interceptor>>,
    ) -> Result<Daemon, WalletError> {
        let store: Arc<dyn Store> = Arc::new(FjallStore::open(&self.dir.join(STORE))?);
        let client = ChainClient::connect(&self.config.node).await?;
        let parameters = client.parameters().await?;
        let (hubs, peers): (Vec<_>, Vec<_>) = self.config.hubs(&self.dir)?.into_iter().unzip();
        let policy = self.policy(&hubs, &parameters);
        let towers = self.config.towers(&self.dir)?;
        let onion_key = store::onion_key(&*store)?;
        let service = ServiceConfig {
            role: Role::User,
            hubs,
            onion_key,
            stop: Arc::new(Notify::new()),
            operator: None,
        };
        let party = PartyConfig {
            key: self.key,
            policy,
            store,
            onion_key,
            processes: None,
            listen: None,
            peers,
            towers,
            interceptor,
        };
        Ok(Daemon::start(client, party, service, rpc, &self.dir).await?)
    }

    /// The channels as they are stored, without node or hub.
    pub fn stored_channels(&self) -> Result<Vec<Channel>, WalletError> {
        let store = FjallStore::open(&self.dir.join(STORE))?;
        let read = |(partner, bytes): StoredChannel| {
            Channel::peek_state(&bytes).map_err(|reason| {
                let partner = hex::encode(AsRef::<[u8]>::as_ref(&partner));
                WalletError::Channel { partner, reason }
            })
        };
        // Says so if a newer program has stored them.
        store::owner(&store)?;
        stored_channels(store.snapshot()?)?.into_iter().map(read).collect()
    }
}

/// Whether a process has the wallet in `dir` open.
pub fn is_running(dir: &Path) -> Result<bool, WalletError> {
    match FjallStore::open(&dir.join(STORE)) {
        Ok(_) => Ok(false),
        Err(StoreError::Locked { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
