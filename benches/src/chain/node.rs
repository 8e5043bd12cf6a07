//! What a node is asked.

use codec::DecodeAll;
use failsafe_runtime::{Hash, RuntimeEvent};
use failsafe_tests::harness::{eventually, failure, Failure};
use frame_support::{storage::storage_prefix, weights::Weight};
use frame_system::{EventRecord, Phase};
use jsonrpsee::{
    core::client::ClientT,
    http_client::{HttpClient, HttpClientBuilder},
    rpc_params,
};
use serde::Deserialize;
use sp_core::Bytes;
use std::time::Duration;

/// Longest request and answer in bytes: a block's events in hex are some megabytes.
const LONGEST: u32 = 64 << 20;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(60);
/// How long the next block may take: some slots.
const NEXT_BLOCK: Duration = Duration::from_secs(60);

/// A node's JSON-RPC.
pub struct Node {
    client: HttpClient,
    /// Number of the next block to look at.
    next: u32,
}

/// A block of the chain.
pub struct Block {
    /// Its number.
    pub number: u32,
    /// Its transactions, encoded, the inherent first.
    pub transactions: Vec<Vec<u8>>,
    events: Vec<EventRecord<RuntimeEvent, Hash>>,
}

#[derive(Deserialize)]
struct SignedBlock {
    block: Body,
}

#[derive(Deserialize)]
struct Body {
    extrinsics: Vec<Bytes>,
}

#[derive(Deserialize)]
struct DispatchInfo {
    weight: Weight,
}

impl Node {
    /// The node with that WebSocket address, which answers HTTP there too.
    pub fn new(url: &str) -> Result<Self, Failure> {
        let builder = HttpClientBuilder::default();
        let builder = builder.max_request_size(LONGEST).max_response_size(LONGEST);
        let client = builder.request_timeout(ANSWER).build(url.replacen("ws", "http", 1))?;
        Ok(Self { client, next: 1 })
    }

    /// Submits a transaction.
    pub async fn submit(&self, transaction: &[u8]) -> Result<(), Failure> {
        let parameters = rpc_params![Bytes(transaction.into())];
        self.client.request::<Hash, _>("author_submitExtrinsic", parameters).await?;
        Ok(())
    }

    /// What a transaction would weigh at most, which is what must fit a block.
    pub async fn weigh(&self, transaction: &[u8]) -> Result<Weight, Failure> {
        let parameters = rpc_params![Bytes(transaction.into())];
        let info: DispatchInfo = self.client.request("payment_queryInfo", parameters).await?;
        Ok(info.weight)
    }

    /// Waits for the block after the last one that was looked at; the first time it is block 1.
    pub async fn next_block(&mut self) -> Result<Block, Failure> {
        let number = self.next;
        let hash = eventually("the next block", NEXT_BLOCK, || async {
            Ok(self.client.request("chain_getBlockHash", rpc_params![number]).await?)
        })
        .await?;
        let block = self.block(number, hash).await?;
        self.next = number.checked_add(1).ok_or_else(|| failure("too many blocks"))?;
        Ok(block)
    }

    async fn block(&self, number: u32, hash: Hash) -> Result<Block, Failure> {
        let block: Option<SignedBlock> =
            self.client.request("chain_getBlock", rpc_params![hash]).await?;
        let block = block.ok_or_else(|| failure("a block is gone"))?;
        let transactions = block.block.extrinsics.into_iter().map(|bytes| bytes.0).collect();
        let key = Bytes(storage_prefix(b"System", b"Events").into());
        let events: Option<Bytes> =
            self.client.request("state_getStorage", rpc_params![key, hash]).await?;
        let events = events.ok_or_else(|| failure("a block without events"))?;
        let events = Vec::decode_all(&mut &events.0[..])?;
        Ok(Block { number, transactions, events })
    }
}

impl Block {
    /// The events of one of its transactions.
    pub fn events(&self, index: u32) -> impl Iterator<Item = &RuntimeEvent> {
        let of_it = move |record: &&EventRecord<_, _>| record.phase == Phase::ApplyExtrinsic(index);
        self.events.iter().filter(of_it).map(|record| &record.event)
    }

    /// What one of its transactions weighed in the end; an error if its call has failed.
    pub fn weight(&self, index: u32) -> Result<Weight, Failure> {
        for event in self.events(index) {
            match event {
                RuntimeEvent::System(frame_system::Event::ExtrinsicSuccess { dispatch_info }) => {
                    return Ok(dispatch_info.weight)
                },
                RuntimeEvent::System(frame_system::Event::ExtrinsicFailed {
                    dispatch_error,
                    ..
                }) => return Err(failure(format!("a call has failed: {dispatch_error:?}"))),
                _ => {},
            }
        }
        Err(failure("a transaction that neither succeeded nor failed"))
    }
}
