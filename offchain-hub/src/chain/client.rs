//! One connection to a node.

use super::calls::{Call, Encoded};
use crate::keys::{AccountKey, KeyError};
use codec::{Decode, DecodeAll, Encode};
use failsafe_channel::Sign;
use failsafe_primitives::{
    simplex::LockHash,
    view::{
        AssetView, BalanceView, DebtView, HubStanding, HubView, Moment, OrderView, PairView,
        SecretView,
    },
    AccountId, AssetId, Balance, BlockNumber, Parameters,
};
use futures::{Stream, StreamExt};
use sp_core::H256;
use sp_crypto_hashing::twox_128;
use std::{sync::Arc, time::Duration};
use subxt::{
    backend::LegacyBackend,
    config::{polkadot::PolkadotConfigBuilder, PolkadotConfig, RpcConfigFor},
    ext::{
        scale_encode,
        scale_type_resolver::{FieldIter, TypeResolver},
    },
    rpcs::{
        client::{
            reconnecting_rpc_client::ExponentialBackoff, rpc_params, ReconnectingRpcClient,
            RpcClient,
        },
        methods::legacy::RuntimeVersion,
        LegacyRpcMethods,
    },
    tx::DynamicPayload,
    ArcMetadata, Metadata, OnlineClient, OnlineClientAtBlock,
};
use tracing::error;

pub(super) type Api = OnlineClient<PolkadotConfig>;
pub(super) type AtBlock = OnlineClientAtBlock<PolkadotConfig>;
type Legacy = LegacyRpcMethods<RpcConfigFor<PolkadotConfig>>;

/// The runtime that this program knows.
const SPEC_NAME: &str = "failsafe";
/// Versions of it that this program knows: the newest, and the one that is upgraded to it.
const SPEC_VERSIONS: core::ops::RangeInclusive<u32> = 2..=3;
/// How calls of those versions are encoded and signed.
const TRANSACTION_VERSION: u32 = 2;
/// How long to wait for the first connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What can go wrong with the chain.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChainError {
    /// No node there.
    #[error("cannot reach a node at {url} ({reason}): start it, or correct the address")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// Not our chain.
    #[error("the node at {url} runs {found} version {version} with transactions of version {transactions}, this program knows {SPEC_NAME} versions {} to {} with transactions of version {TRANSACTION_VERSION}: connect to a Failsafe node, or update this program", SPEC_VERSIONS.start(), SPEC_VERSIONS.end())]
    UnknownRuntime {
        /// The address.
        url: String,
        /// Its runtime.
        found: String,
        /// The runtime's version.
        version: u32,
        /// The version of its transactions' encoding.
        transactions: u32,
    },
    /// The connection failed; it is being renewed.
    #[error("the connection to the node failed: {0}")]
    Connection(String),
    /// The node answered with something else than the runtime's version promises.
    #[error("the node's answer to {method} cannot be read: {reason}")]
    Answer {
        /// What was asked.
        method: String,
        /// Why.
        reason: String,
    },
    /// The call cannot be encoded or signed.
    #[error("{call} cannot be made: {reason}")]
    Encoding {
        /// The call.
        call: &'static str,
        /// Why.
        reason: String,
    },
    /// The chain runs a runtime from before governance.
    #[error("this chain has no governance yet (its runtime has spec_version {version}, governance comes with 3): whoever holds root there has to upgrade it first")]
    NoGovernance {
        /// The runtime's version.
        version: u32,
    },
    /// Bytes that are no call of this chain.
    #[error("call {place} is not a call of this chain ({reason}): give the encoded call data as polkadot.js shows it under Developer › Extrinsics, made for this chain")]
    NotACall {
        /// Which of the calls, from 1.
        place: usize,
        /// Why.
        reason: String,
    },
}

/// What the chain's specification says it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainKind {
    /// Development, on one machine.
    Development,
    /// A test network of a few machines.
    Local,
    /// Anything else: its money may be worth something.
    Live,
}

impl ChainKind {
    /// The kind that a node tells, Substrate's `ChainType`: a name, or a thing with a name for
    /// `Custom`.
    fn told(kind: &serde_json::Value) -> Self {
        match kind.as_str() {
            Some("Development") => Self::Development,
            Some("Local") => Self::Local,
            _ => Self::Live,
        }
    }
}

/// What the chain is.
#[derive(Clone, Debug)]
pub struct ChainInfo {
    /// Hash of its first block.
    pub genesis: H256,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: ChainKind,
}

impl ChainInfo {
    /// Refuses a key that everybody knows ([`AccountKey::is_public`]) on a chain whose money may be
    /// worth something. Who has channels already, or guards those of others, goes on, and says so:
    /// nobody else would defend them.
    ///
    /// # Errors
    /// [`KeyError::Public`].
    pub fn check_key(&self, key: &AccountKey, has_channels: bool) -> Result<(), KeyError> {
        if self.kind != ChainKind::Live || !key.is_public() {
            return Ok(());
        }
        let problem = KeyError::Public { account: key.account(), chain: self.name.clone() };
        if !has_channels {
            return Err(problem);
        }
        error!(%problem, "going on, because there are channels to defend: move the money");
        Ok(())
    }
}

/// A connection to a node; cheap to clone, reconnects by itself.
#[derive(Clone)]
pub struct ChainClient {
    legacy: Arc<Legacy>,
    pub(super) api: Api,
    info: Arc<ChainInfo>,
    url: Arc<str>,
}

/// Arguments that are encoded already.
struct Raw(Vec<u8>);

impl scale_encode::EncodeAsFields for Raw {
    fn encode_as_fields_to<R: TypeResolver>(
        &self,
        _: &mut dyn FieldIter<'_, R::TypeId>,
        _: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), scale_encode::Error> {
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

fn connection(error: impl core::fmt::Display) -> ChainError {
    ChainError::Connection(error.to_string())
}

/// The indices of a pallet and of its call.
pub(super) fn indices(metadata: &Metadata, pallet: &str, call: &str) -> Result<[u8; 2], String> {
    let found = metadata.pallet_by_name(pallet);
    let variant =
        found.and_then(|pallet| Some((pallet.call_index(), pallet.call_variant_by_name(call)?)));
    let (pallet_index, variant) =
        variant.ok_or_else(|| format!("this chain has no call {pallet}.{call}"))?;
    Ok([pallet_index, variant.index])
}

/// The runtime's version, if it is one that this program knows.
fn check_runtime(url: &str, runtime: &RuntimeVersion) -> Result<u32, ChainError> {
    let found = runtime.other.get("specName").and_then(|name| name.as_str()).unwrap_or("?");
    let (version, transactions) = (runtime.spec_version, runtime.transaction_version);
    check_version(url, found, version, transactions).map(|()| version)
}

fn check_version(
    url: &str,
    found: &str,
    version: u32,
    transactions: u32,
) -> Result<(), ChainError> {
    let known = found == SPEC_NAME
        && SPEC_VERSIONS.contains(&version)
        && transactions == TRANSACTION_VERSION;
    known.then_some(()).ok_or_else(|| ChainError::UnknownRuntime {
        url: url.to_string(),
        found: found.to_string(),
        version,
        transactions,
    })
}

/// Block numbers of this chain have 32 bits; the client library's have 64.
fn number(number: u64) -> Result<BlockNumber, ChainError> {
    BlockNumber::try_from(number).map_err(connection)
}

impl ChainClient {
    /// Connects, and refuses a node of another chain or version.
    pub async fn connect(url: &str) -> Result<Self, ChainError> {
        let unreachable = |reason: String| ChainError::Unreachable { url: url.to_string(), reason };
        let retry = ExponentialBackoff::from_millis(100).max_delay(Duration::from_secs(5));
        let connecting =
            ReconnectingRpcClient::builder().retry_policy(retry).build(url.to_string());
        let rpc = tokio::time::timeout(CONNECT_TIMEOUT, connecting)
            .await
            .map_err(|_| unreachable("no answer within 10 seconds".into()))?
            .map_err(|e| unreachable(e.to_string()))?;
        let rpc = RpcClient::new(rpc);
        let kind = rpc.request("system_chainType", rpc_params![]).await;
        let kind: serde_json::Value = kind.map_err(|e| unreachable(e.to_string()))?;
        let legacy = Legacy::new(rpc.clone());
        let version =
            legacy.state_get_runtime_version(None).await.map_err(|e| unreachable(e.to_string()))?;
        check_runtime(url, &version)?;
        let backend = LegacyBackend::builder().build(rpc);
        let config = PolkadotConfigBuilder::new().use_historic_types(false).build();
        let api = Api::from_backend_with_config(config, Arc::new(backend))
            .await
            .map_err(|e| unreachable(e.to_string()))?;
        let genesis = legacy.genesis_hash().await.map_err(connection)?;
        let info = ChainInfo {
            genesis: H256(genesis.0),
            name: legacy.system_chain().await.map_err(connection)?,
            kind: ChainKind::told(&kind),
        };
        Ok(Self { legacy: Arc::new(legacy), api, info: Arc::new(info), url: url.into() })
    }

    /// What the chain is.
    pub fn info(&self) -> &ChainInfo {
        &self.info
    }

    /// What a function of the runtime answers; at the best block if `at` is not given.
    pub(super) async fn call_runtime(
        &self,
        name: &str,
        arguments: &[u8],
        at: Option<H256>,
    ) -> Result<Vec<u8>, ChainError> {
        let at = at.map(|hash| subxt::config::polkadot::H256(hash.0));
        self.legacy.state_call(name, Some(arguments), at).await.map_err(connection)
    }

    /// Metadata and version of the runtime of the newest finalized block.
    pub(super) async fn runtime(&self) -> Result<(ArcMetadata, u32), ChainError> {
        let at = self.api.at_current_block().await.map_err(connection)?;
        Ok((at.metadata(), at.spec_version()))
    }

    async fn ask<R: Decode>(
        &self,
        method: &str,
        arguments: &impl Encode,
        at: Option<H256>,
    ) -> Result<R, ChainError> {
        let name = format!("FailsafeApi_{method}");
        let answer = self.call_runtime(&name, &arguments.encode(), at).await?;
        R::decode_all(&mut &answer[..])
            .map_err(|e| ChainError::Answer { method: name, reason: e.to_string() })
    }

    /// Hash of the newest finalized block.
    pub async fn finalized_head(&self) -> Result<H256, ChainError> {
        let hash = self.legacy.chain_get_finalized_head().await.map_err(connection)?;
        Ok(H256(hash.0))
    }

    /// Hash of a block by number; `None` beyond the best one.
    pub async fn block_hash(&self, number: BlockNumber) -> Result<Option<H256>, ChainError> {
        let hash = self.legacy.chain_get_block_hash(Some(number.into())).await;
        Ok(hash.map_err(connection)?.map(|hash| H256(hash.0)))
    }

    /// Number and parent of a block.
    pub async fn header(&self, hash: H256) -> Result<Option<(BlockNumber, H256)>, ChainError> {
        let at = subxt::config::polkadot::H256(hash.0);
        let header = self.legacy.chain_get_header(Some(at)).await.map_err(connection)?;
        header.map(|header| Ok((number(header.number)?, H256(header.parent_hash.0)))).transpose()
    }

    /// Block number and usable clock; of the best block if `at` is not given.
    pub async fn moment(&self, at: Option<H256>) -> Result<Moment, ChainError> {
        self.ask("moment", &(), at).await
    }

    /// The protocol's parameters.
    pub async fn parameters(&self) -> Result<Parameters, ChainError> {
        self.ask("parameters", &(), None).await
    }

    /// The secret of a hash, if the registry has it.
    pub async fn secret(
        &self,
        hash: &LockHash,
        at: H256,
    ) -> Result<Option<SecretView>, ChainError> {
        self.ask("secret", hash, Some(at)).await
    }

    /// The channels of `who` with each of `partners`, in this order.
    pub async fn pairs(
        &self,
        who: &AccountId,
        partners: &[AccountId],
        at: H256,
    ) -> Result<Vec<PairView>, ChainError> {
        let mut views = Vec::with_capacity(partners.len());
        // Bounded answers: a row may have 16 assets and a dispute of some kilobytes.
        for chunk in partners.chunks(512) {
            let part: Vec<PairView> = self.ask("pairs", &(who, chunk), Some(at)).await?;
            views.extend(part);
        }
        Ok(views)
    }

    /// Balances of `who`; at the best block if `at` is not given.
    pub async fn balances(
        &self,
        who: &AccountId,
        assets: &[AssetId],
        at: Option<H256>,
    ) -> Result<Vec<BalanceView>, ChainError> {
        self.ask("balances", &(who, assets), at).await
    }

    /// All assets, the native one first.
    pub async fn assets(&self) -> Result<Vec<AssetView>, ChainError> {
        self.ask("assets", &(), None).await
    }

    /// What `debtor` owes in all.
    pub async fn owes(&self, debtor: &AccountId) -> Result<Vec<(AssetId, Balance)>, ChainError> {
        self.ask("owes", debtor, None).await
    }

    /// The open debts of `debtor`.
    pub async fn debts_of(
        &self,
        debtor: &AccountId,
        asset: AssetId,
        limit: u32,
    ) -> Result<Vec<DebtView>, ChainError> {
        self.ask("debts_of", &(debtor, asset, limit), None).await
    }

    /// Resting orders of one side of the exchange, the cheapest first.
    pub async fn book(
        &self,
        sell_asset: AssetId,
        buy_asset: AssetId,
        limit: u32,
    ) -> Result<Vec<OrderView>, ChainError> {
        self.ask("book", &(sell_asset, buy_asset, limit), None).await
    }

    /// The resting orders of an account.
    pub async fn orders(
        &self,
        owner: &AccountId,
        limit: u32,
    ) -> Result<Vec<OrderView>, ChainError> {
        self.ask("orders", &(owner, limit), None).await
    }

    /// The hub with a handle.
    pub async fn hub_by_handle(&self, handle: &str) -> Result<Option<HubView>, ChainError> {
        self.ask("hub_by_handle", &handle.as_bytes(), None).await
    }

    /// The hub of an account.
    pub async fn hub(&self, account: &AccountId) -> Result<Option<HubView>, ChainError> {
        self.ask("hub", account, None).await
    }

    /// All hubs.
    pub async fn hubs(&self) -> Result<Vec<HubView>, ChainError> {
        self.ask("hubs", &(), None).await
    }

    /// What the chain knows of a hub, also of one that has left; `None` if its runtime keeps no
    /// reputations.
    pub async fn hub_standing(
        &self,
        account: &AccountId,
    ) -> Result<Option<HubStanding>, ChainError> {
        match self.knows("hub_standing").await? {
            true => self.ask("hub_standing", account, None).await.map(Some),
            false => Ok(None),
        }
    }

    /// The same of all hubs; none if its runtime keeps no reputations.
    pub async fn hub_standings(&self) -> Result<Vec<HubStanding>, ChainError> {
        match self.knows("hub_standings").await? {
            true => self.ask("hub_standings", &(), None).await,
            false => Ok(vec![]),
        }
    }

    /// Whether the runtime answers a question that older ones do not know.
    async fn knows(&self, method: &str) -> Result<bool, ChainError> {
        let (metadata, _) = self.runtime().await?;
        let api = metadata.runtime_api_trait_by_name("FailsafeApi");
        Ok(api.is_some_and(|api| api.method_by_name(method).is_some()))
    }

    /// The next nonce of an account, transactions in the pool included.
    pub(super) async fn next_nonce(&self, who: &AccountId) -> Result<u64, ChainError> {
        let account = subxt::utils::AccountId32(*AsRef::<[u8; 32]>::as_ref(who));
        self.legacy.system_account_next_index(&account).await.map_err(connection)
    }

    /// The next nonce of an account by a block's state alone.
    pub(super) async fn nonce_at(&self, who: &AccountId, at: H256) -> Result<u64, ChainError> {
        let at = subxt::config::polkadot::H256(at.0);
        let answer = self
            .legacy
            .state_call("AccountNonceApi_account_nonce", Some(&who.encode()), Some(at))
            .await
            .map_err(connection)?;
        let nonce = u32::decode_all(&mut &answer[..]).map_err(|e| ChainError::Answer {
            method: "AccountNonceApi_account_nonce".into(),
            reason: e.to_string(),
        })?;
        Ok(nonce.into())
    }

    /// When the author of the best block says that it was made, milliseconds since 1970.
    pub async fn best_block_ms(&self) -> Result<u64, ChainError> {
        let key = [twox_128(b"Timestamp"), twox_128(b"Now")].concat();
        let time = self.legacy.state_get_storage(&key, None).await.map_err(connection)?;
        u64::decode_all(&mut &time.unwrap_or_default()[..]).map_err(|e| ChainError::Answer {
            method: "Timestamp.Now".into(),
            reason: e.to_string(),
        })
    }

    /// The encoded events of a block, as they are stored.
    pub(super) async fn raw_events(&self, at: H256) -> Result<Vec<u8>, ChainError> {
        let key = [twox_128(b"System"), twox_128(b"Events")].concat();
        let at = subxt::config::polkadot::H256(at.0);
        let events = self.legacy.state_get_storage(&key, Some(at)).await.map_err(connection)?;
        Ok(events.unwrap_or_default())
    }

    /// New best and new finalized blocks.
    pub(super) async fn subscribe_best(
        &self,
    ) -> Result<impl Stream<Item = Result<(BlockNumber, H256), ChainError>> + use<>, ChainError>
    {
        let heads = self.legacy.chain_subscribe_new_heads().await.map_err(connection)?;
        Ok(heads.map(|head| {
            let head = head.map_err(connection)?;
            Ok((number(head.number)?, H256(head.parent_hash.0)))
        }))
    }

    /// Numbers of newly finalized blocks; several may be finalized at once.
    pub(super) async fn subscribe_finalized(
        &self,
    ) -> Result<impl Stream<Item = Result<BlockNumber, ChainError>> + use<>, ChainError> {
        let heads = self.legacy.chain_subscribe_finalized_heads().await.map_err(connection)?;
        Ok(heads.map(|head| number(head.map_err(connection)?.number)))
    }

    /// The version of the runtime, now and whenever it changes; an error for one that this program
    /// does not know.
    pub(super) async fn subscribe_runtime(
        &self,
    ) -> Result<impl Stream<Item = Result<u32, ChainError>> + use<>, ChainError> {
        let versions = self.legacy.state_subscribe_runtime_version().await.map_err(connection)?;
        let url = self.url.clone();
        Ok(versions.map(move |version| check_runtime(&url, &version.map_err(connection)?)))
    }

    /// The call as the client library wants it, for the runtime at a block.
    pub(super) fn payload(
        &self,
        call: &Call,
        at: &AtBlock,
    ) -> Result<DynamicPayload<impl scale_encode::EncodeAsFields + use<>>, ChainError> {
        // Its metadata may promise another encoding than ours.
        check_version(&self.url, SPEC_NAME, at.spec_version(), at.transaction_version())?;
        let metadata = at.metadata_ref();
        let place = |pallet: &str, name: &str| {
            indices(metadata, pallet, name)
                .map_err(|reason| ChainError::Encoding { call: call.name(), reason })
        };
        let Encoded { pallet, call: name, arguments } = call.encode_for(&place)?;
        place(pallet, name)?;
        Ok(DynamicPayload::new(pallet, name, Raw(arguments)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Scheme;

    fn chain(kind: serde_json::Value) -> ChainInfo {
        let kind = ChainKind::told(&kind);
        ChainInfo { genesis: H256::zero(), name: "Failsafe".into(), kind }
    }

    #[test]
    fn h41_public_key_should_be_refused_when_the_chain_is_neither_development_nor_local() {
        let [public, own] = ["//Alice", &format!("0x{}", hex::encode([7; 32]))]
            .map(|secret| AccountKey::from_uri(Scheme::Sr25519, secret).unwrap());
        for kind in ["Development", "Local"] {
            chain(kind.into()).check_key(&public, false).unwrap();
        }
        for kind in ["Live".into(), serde_json::json!({ "Custom": "Local" })] {
            let refused = chain(kind.clone()).check_key(&public, false);
            assert!(matches!(refused, Err(KeyError::Public { .. })), "{kind}: {refused:?}");
            chain(kind).check_key(&own, false).unwrap();
        }
    }

    #[test]
    fn public_key_should_be_taken_on_any_chain_when_it_has_channels_to_defend() {
        let public = AccountKey::from_uri(Scheme::Sr25519, "//Alice").unwrap();
        chain("Live".into()).check_key(&public, true).unwrap();
    }

    fn runtime(name: &str, spec: u32, transactions: u32) -> RuntimeVersion {
        let fields = serde_json::json!({
            "specName": name, "specVersion": spec, "transactionVersion": transactions,
        });
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn runtime_should_be_known_when_it_is_the_newest_or_the_one_before() {
        let newest = failsafe_runtime::VERSION;
        for spec in [newest.spec_version - 1, newest.spec_version] {
            let known = check_runtime("ws://x", &runtime("failsafe", spec, TRANSACTION_VERSION));
            assert_eq!(known.unwrap(), spec);
        }
        assert_eq!(newest.transaction_version, TRANSACTION_VERSION);
        assert_eq!(newest.spec_version, *SPEC_VERSIONS.end());
    }

    #[test]
    fn runtime_should_be_refused_when_name_or_a_version_is_unknown() {
        let newest = *SPEC_VERSIONS.end();
        for (name, spec, transactions) in [
            ("other", newest, TRANSACTION_VERSION),
            ("failsafe", newest + 1, TRANSACTION_VERSION),
            ("failsafe", newest, TRANSACTION_VERSION + 1),
        ] {
            let refused = check_runtime("ws://x", &runtime(name, spec, transactions)).unwrap_err();
            let text = refused.to_string();
            let found = format!("runs {name} version {spec} with transactions of version");
            assert!(text.contains(&found) && text.contains("update this program"), "{text}");
        }
    }
}
