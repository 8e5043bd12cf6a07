//! A node's JSON-RPC, as far as tests and tools ask it themselves.

use super::{failure, Failure};
use codec::DecodeAll;
use jsonrpsee::{
    core::{client::ClientT, params::ArrayParams},
    http_client::{HttpClient, HttpClientBuilder},
};
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::{json, Value};
use std::time::Duration;

/// How long a node may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How a header's note begins that names the slot: `PreRuntime`, `aura`, eight bytes.
const SLOT: &str = "0x066175726120";

/// A node's JSON-RPC.
#[derive(Clone, Debug)]
pub struct NodeRpc(HttpClient);

/// A block's header.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockHeader {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: String,
    /// Its parent's hash.
    pub parent: String,
    /// The slot in which it was made; the first block has none.
    pub slot: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawHeader {
    number: String,
    parent_hash: String,
    digest: Digest,
}

#[derive(Deserialize)]
struct Digest {
    logs: Vec<String>,
}

impl NodeRpc {
    /// Of the node whose RPC listens on this port of this machine.
    pub fn new(port: u16) -> Result<Self, Failure> {
        let builder = HttpClientBuilder::default().request_timeout(ANSWER);
        Ok(Self(builder.build(format!("http://127.0.0.1:{port}"))?))
    }

    /// Calls a method.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        arguments: &[Value],
    ) -> Result<T, Failure> {
        let mut params = ArrayParams::new();
        for argument in arguments {
            params.insert(argument)?;
        }
        Ok(self.0.request(method, params).await?)
    }

    /// Calls a function of the runtime without arguments, at a block.
    pub async fn ask<T: DecodeAll>(&self, function: &str, at: &str) -> Result<T, Failure> {
        let answer: String =
            self.call("state_call", &[json!(function), json!("0x"), json!(at)]).await?;
        let bytes = hex::decode(answer.trim_start_matches("0x"))?;
        Ok(T::decode_all(&mut &bytes[..])?)
    }

    /// The hash of the block with a number; `None` beyond the best one.
    pub async fn hash(&self, number: u32) -> Result<Option<String>, Failure> {
        self.call("chain_getBlockHash", &[json!(number)]).await
    }

    /// The newest finalized block.
    pub async fn finalized(&self) -> Result<BlockHeader, Failure> {
        let hash: String = self.call("chain_getFinalizedHead", &[]).await?;
        self.header(&hash).await
    }

    /// The best block.
    pub async fn best(&self) -> Result<BlockHeader, Failure> {
        let hash: String = self.call("chain_getBlockHash", &[]).await?;
        self.header(&hash).await
    }

    /// A block.
    pub async fn header(&self, hash: &str) -> Result<BlockHeader, Failure> {
        let raw: Option<RawHeader> = self.call("chain_getHeader", &[json!(hash)]).await?;
        let raw = raw.ok_or_else(|| failure(format!("the node does not know block {hash}")))?;
        read_header(raw, hash)
    }

    /// How many peers it has.
    pub async fn peers(&self) -> Result<usize, Failure> {
        let health: Value = self.call("system_health", &[]).await?;
        let peers = health["peers"].as_u64().ok_or_else(|| failure("no number of peers"))?;
        Ok(usize::try_from(peers)?)
    }

    /// The version of the runtime at the best block.
    pub async fn spec_version(&self) -> Result<u64, Failure> {
        let version: Value = self.call("state_getRuntimeVersion", &[]).await?;
        version["specVersion"].as_u64().ok_or_else(|| failure("no version"))
    }

    /// The authoring keys of the slots of a round, after a block.
    pub async fn slots(&self, at: &str) -> Result<Vec<[u8; 32]>, Failure> {
        self.ask("AuraApi_authorities", at).await
    }

    /// The finality keys and their weights, after a block.
    pub async fn weights(&self, at: &str) -> Result<Vec<([u8; 32], u64)>, Failure> {
        self.ask("GrandpaApi_grandpa_authorities", at).await
    }

    /// The key that has made a block.
    pub async fn author(&self, block: &BlockHeader) -> Result<[u8; 32], Failure> {
        let slot = block.slot.ok_or_else(|| failure("the first block has no author"))?;
        let slots = self.slots(&block.parent).await?;
        let place = slot.checked_rem(u64::try_from(slots.len())?);
        let place = place.ok_or_else(|| failure("nobody has a slot"))?;
        Ok(slots[usize::try_from(place)?])
    }
}

fn read_header(raw: RawHeader, hash: &str) -> Result<BlockHeader, Failure> {
    let slot = raw.digest.logs.iter().find_map(|log| log.strip_prefix(SLOT));
    let slot = slot.map(|digits| -> Result<u64, Failure> {
        let bytes = hex::decode(digits)?;
        Ok(u64::from_le_bytes(bytes.as_slice().try_into()?))
    });
    Ok(BlockHeader {
        number: u32::from_str_radix(raw.number.trim_start_matches("0x"), 16)?,
        hash: hash.into(),
        parent: raw.parent_hash,
        slot: slot.transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_should_tell_number_and_slot_when_it_is_read() {
        let raw = json!({
            "number": "0x1f", "parentHash": "0xab",
            "digest": { "logs": ["0x0466726f6e", "0x0661757261200102000000000000"] },
        });
        let header = read_header(serde_json::from_value(raw).unwrap(), "0xcd").unwrap();
        let expected =
            BlockHeader { number: 31, hash: "0xcd".into(), parent: "0xab".into(), slot: Some(513) };
        assert_eq!(header, expected);
    }
}
