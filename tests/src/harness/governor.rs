//! What people do on the chain with their own keys, as an explorer does it: by the metadata of the
//! chain itself. Proposals and votes above all.

use super::{eventually, failure, Failure, NodeRpc};
use futures::future::try_join_all;
use serde_json::json;
use sp_core::{crypto::Ss58Codec, sr25519, Pair};
use std::time::Duration;
use subxt::{
    config::{polkadot::PolkadotConfigBuilder, DefaultExtrinsicParamsBuilder, PolkadotConfig},
    dynamic::{tx, Value},
    ext::scale_value::Composite,
    tx::{DynamicPayload, Payload, TransactionStatus},
    OnlineClient,
};

/// How long until a block has a transaction, or an event comes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A call with its arguments.
pub type Call = DynamicPayload<Composite<()>>;

/// A call of the chain, by the names that its metadata has.
pub fn call(pallet: &str, name: &str, arguments: impl IntoIterator<Item = Value>) -> Call {
    tx(pallet, name, Composite::unnamed(arguments))
}

/// Signs with the key of a development account.
struct DevSigner(sr25519::Pair);

impl subxt::tx::Signer<PolkadotConfig> for DevSigner {
    fn account_id(&self) -> subxt::utils::AccountId32 {
        subxt::utils::AccountId32(self.0.public().0)
    }

    fn sign(&self, payload: &[u8]) -> subxt::utils::MultiSignature {
        subxt::utils::MultiSignature::Sr25519(self.0.sign(payload).0)
    }
}

fn key_of(suri: &str) -> Result<sr25519::Pair, Failure> {
    sr25519::Pair::from_string(suri, None).map_err(|e| failure(format!("{suri}: {e:?}")))
}

/// A member of a set of validators.
pub fn validator(name: &str, shares: u32) -> Result<Value, Failure> {
    let path = format!("//{name}");
    let aura = key_of(&path)?.public().0;
    let grandpa = sp_core::ed25519::Pair::from_string(&path, None);
    let grandpa = grandpa.map_err(|e| failure(format!("{path}: {e:?}")))?.public().0;
    Ok(Value::named_composite([
        ("account", Value::from_bytes(aura)),
        ("name", Value::from_bytes(name)),
        ("location", Value::from_bytes("test network")),
        ("shares", Value::u128(shares.into())),
        ("aura", Value::from_bytes(aura)),
        ("grandpa", Value::from_bytes(grandpa)),
    ]))
}

/// An event of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The block.
    pub block: u32,
    /// `Pallet.Event`.
    pub name: String,
    /// Its fields, encoded.
    pub fields: Vec<u8>,
}

/// Sends calls to one node.
pub struct Governor {
    api: OnlineClient<PolkadotConfig>,
    rpc: NodeRpc,
}

impl Governor {
    /// At the node whose RPC listens on this port.
    pub async fn connect(url: &str, rpc: NodeRpc) -> Result<Self, Failure> {
        let config = PolkadotConfigBuilder::new().use_historic_types(false).build();
        let api = OnlineClient::from_insecure_url_with_config(config, url).await?;
        Ok(Self { api, rpc })
    }

    /// Sends a call of a development account (`//Alice`), and waits until a best block has it and it
    /// has succeeded. Returns the events that it caused.
    pub async fn send(&self, suri: &str, call: &impl Payload) -> Result<Vec<Event>, Failure> {
        let signer = DevSigner(key_of(suri)?);
        let account = sp_core::crypto::AccountId32::new(signer.0.public().0).to_ss58check();
        let nonce: u64 = self.rpc.call("system_accountNextIndex", &[json!(account)]).await?;
        // Finality may have stopped: an era would be over before it begins.
        let params = DefaultExtrinsicParamsBuilder::new().nonce(nonce).immortal().build();
        let at = self.api.at_current_block().await?;
        let mut progress = at.tx().sign_and_submit_then_watch(call, &signer, params).await?;
        loop {
            let status = tokio::time::timeout(PATIENCE, progress.next()).await;
            let status = status.map_err(|_| failure("no block has taken the call"))?;
            let status = status.ok_or_else(|| failure("the node forgot the call"))??;
            let included = match status {
                TransactionStatus::InBestBlock(included)
                | TransactionStatus::InFinalizedBlock(included) => included,
                TransactionStatus::Error { message }
                | TransactionStatus::Invalid { message }
                | TransactionStatus::Dropped { message } => return Err(failure(message)),
                _ => continue,
            };
            let hash = format!("{:?}", included.block_hash());
            let block = self.rpc.header(&hash).await?.number;
            let mut events = vec![];
            for event in included.wait_for_success().await?.iter() {
                let event = event?;
                let name = format!("{}.{}", event.pallet_name(), event.event_name());
                events.push(Event { block, name, fields: event.field_bytes().to_vec() });
            }
            return Ok(events);
        }
    }

    /// Has `//Alice` propose calls, and these accounts vote for it. Returns its number.
    pub async fn carry(
        &self,
        title: &str,
        calls: Vec<Call>,
        voters: &[&str],
    ) -> Result<u32, Failure> {
        let calls = calls.into_iter().map(DynamicPayload::into_value);
        let arguments = [
            Value::from_bytes(title),
            Value::from_bytes("A test."),
            Value::unnamed_composite(calls),
        ];
        let events = self.send("//Alice", &call("Governance", "propose", arguments)).await?;
        let made = events.iter().find(|event| event.name == "Governance.Proposed");
        let made = made.ok_or_else(|| failure("a proposal without its event"))?;
        let (number, _) = made.fields.split_at(4);
        let proposal = u32::from_le_bytes(number.try_into()?);
        // At the same time: the time to vote may be short.
        let votes = voters.iter().map(|voter| async move {
            let arguments =
                [Value::u128(proposal.into()), Value::bool(true), Value::from_bytes("Tried.")];
            self.send(voter, &call("Governance", "vote", arguments)).await
        });
        try_join_all(votes).await?;
        Ok(proposal)
    }

    /// The first event with this name in finalized blocks from this one on: best ones may go.
    pub async fn wait_event(&self, name: &str, from: u32) -> Result<Event, Failure> {
        let begun = std::time::Instant::now();
        let mut number = from;
        while begun.elapsed() < PATIENCE {
            let last = self.rpc.finalized().await?.number;
            while number <= last {
                let events = self.events(number).await?;
                if let Some(found) = events.into_iter().find(|event| event.name == name) {
                    return Ok(found);
                }
                number += 1;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(failure(format!("no {name} in blocks {from} to {number} within {PATIENCE:?}")))
    }

    /// The events of a block that will not go.
    async fn events(&self, number: u32) -> Result<Vec<Event>, Failure> {
        let at = self.api.at_block(u64::from(number)).await?;
        let mut events = vec![];
        for event in at.events().fetch().await?.iter() {
            let event = event?;
            let name = format!("{}.{}", event.pallet_name(), event.event_name());
            events.push(Event { block: number, name, fields: event.field_bytes().to_vec() });
        }
        Ok(events)
    }

    /// Waits until a node runs a version of the runtime. Returns its best block's number.
    pub async fn wait_version(&self, version: u64) -> Result<u32, Failure> {
        eventually(&format!("version {version} of the runtime"), PATIENCE, || async {
            let now = self.rpc.spec_version().await?;
            Ok((now == version).then_some(()))
        })
        .await?;
        Ok(self.rpc.best().await?.number)
    }

    /// A number among a pallet's constants, at the newest finalized block.
    pub async fn constant(&self, pallet: &str, name: &str) -> Result<u128, Failure> {
        let at = self.api.at_current_block().await?;
        let address = subxt::dynamic::constant::<u128>(pallet, name);
        Ok(at.constants().entry(address)?)
    }
}
