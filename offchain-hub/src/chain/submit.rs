//! Submits calls: signs, persists the signed bytes, submits them and watches until they are final.
//!
//! One account key signs here and nowhere else. A signed extrinsic is durable with its nonce before
//! it leaves, so a restart submits the very same bytes again, or learns what became of them: included,
//! or dead because its nonce was used or its era is over. Only a dead one is signed anew.

use super::{calls::Call, client::ChainError, ChainClient};
use crate::{
    keys::AccountKey,
    store::{Batch, Store, StoreError, Table},
};
use codec::{Decode, Encode};
use failsafe_channel::Sign;
use failsafe_primitives::{AccountId, BlockNumber, Epoch};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{sync::Arc, time::Duration};
use subxt::{
    config::{DefaultExtrinsicParamsBuilder, PolkadotConfig},
    error::{BackendError, DispatchError, ExtrinsicError, RpcError, TransactionEventsError},
    tx::TransactionStatus,
};
use tokio::sync::{mpsc, Mutex};
use tracing::{debug, info, warn};

/// Blocks for which a signed extrinsic is valid.
const ERA: u64 = 64;
/// Pause between two attempts.
const RETRY: Duration = Duration::from_millis(700);
/// How often a dead extrinsic is signed anew before it is given up.
const MAX_ATTEMPTS: u32 = 8;

/// Why a call is submitted: who is told how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Intent {
    /// For a channel, in an epoch: pointless in the next one.
    #[codec(index = 0)]
    Channel(AccountId, Epoch),
    /// A rebalance.
    #[codec(index = 1)]
    Rebalance,
    /// Asked for by the user.
    #[codec(index = 2)]
    User,
}

/// A signed extrinsic.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Signed {
    bytes: Vec<u8>,
    hash: [u8; 32],
    nonce: u64,
    /// First block in which it can be.
    birth: BlockNumber,
}

impl Signed {
    /// Last block in which it can be.
    fn death(&self) -> BlockNumber {
        self.birth.saturating_add(u32::try_from(2 * ERA).unwrap_or(u32::MAX))
    }
}

/// A stored intent.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Record {
    /// Why.
    pub intent: Intent,
    /// What.
    pub call: Call,
    signed: Option<Signed>,
}

impl Record {
    /// A call that is not signed yet.
    pub fn new(intent: Intent, call: Call) -> Self {
        Self { intent, call, signed: None }
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is final and did what it should.
    Done {
        /// The block.
        block: BlockNumber,
    },
    /// It is final, and the chain refused it.
    Failed {
        /// The block.
        block: BlockNumber,
        /// The chain's error, by name.
        error: String,
    },
    /// The pool did not take it.
    Rejected {
        /// Why.
        reason: String,
    },
    /// It has become pointless.
    Pointless,
}

impl Outcome {
    /// The block that has it, if one does.
    pub fn block(&self) -> Option<BlockNumber> {
        match self {
            Self::Done { block } | Self::Failed { block, .. } => Some(*block),
            Self::Rejected { .. } | Self::Pointless => None,
        }
    }
}

/// What became of a signed extrinsic.
enum Fate {
    Included(Outcome),
    Dead,
    Open,
}

/// Signs with the account key for the client library.
struct Signer<'a>(&'a AccountKey);

impl subxt::tx::Signer<PolkadotConfig> for Signer<'_> {
    fn account_id(&self) -> subxt::utils::AccountId32 {
        subxt::utils::AccountId32(*AsRef::<[u8; 32]>::as_ref(&self.0.account()))
    }

    fn sign(&self, payload: &[u8]) -> subxt::utils::MultiSignature {
        use sp_runtime::MultiSignature as Ours;
        use subxt::utils::MultiSignature as Theirs;
        match self.0.sign_bytes(payload) {
            Ours::Ed25519(signature) => Theirs::Ed25519(signature.0),
            Ours::Sr25519(signature) => Theirs::Sr25519(signature.0),
            Ours::Ecdsa(signature) => Theirs::Ecdsa(signature.0),
            Ours::Eth(signature) => Theirs::Ecdsa(signature.0),
        }
    }
}

/// Submits calls of one account.
#[derive(Clone)]
pub struct Submitter {
    client: ChainClient,
    key: AccountKey,
    store: Arc<dyn Store>,
    done: mpsc::UnboundedSender<(u64, Outcome)>,
    /// Held from reading the nonce until the pool has the extrinsic.
    turn: Arc<Mutex<()>>,
}

impl Submitter {
    /// A submitter that reports outcomes by the intents' numbers to `done`.
    pub fn new(
        client: ChainClient,
        key: AccountKey,
        store: Arc<dyn Store>,
        done: mpsc::UnboundedSender<(u64, Outcome)>,
    ) -> Self {
        Self { client, key, store, done, turn: Arc::default() }
    }

    /// Brings a stored intent to its end, in the background.
    pub fn start(&self, number: u64, record: Record) {
        let submitter = self.clone();
        tokio::spawn(async move {
            let outcome = submitter.carry_out(number, record).await;
            // The party is shutting down: the record is there at its next start.
            let _ = submitter.done.send((number, outcome));
        });
    }

    async fn carry_out(&self, number: u64, mut record: Record) -> Outcome {
        let call = record.call.name();
        let mut attempts = 0;
        loop {
            match self.attempt(number, &mut record).await {
                Ok(Some(outcome)) => {
                    info!(call, ?outcome, "on chain");
                    return outcome;
                },
                Ok(None) => attempts += 1,
                Err(Trouble::Chain(error)) => debug!(call, %error, "will try again"),
                Err(Trouble::Rejected(reason)) => {
                    warn!(call, reason, "the node refused it");
                    return Outcome::Rejected { reason };
                },
                Err(Trouble::Later(reason)) => {
                    attempts += 1;
                    debug!(call, reason, "the node did not take it; will try again");
                },
                Err(Trouble::Store(error)) => {
                    warn!(call, %error, "cannot persist a signed extrinsic");
                },
            }
            if attempts >= MAX_ATTEMPTS {
                let reason = "it was included nowhere in several attempts".into();
                return Outcome::Rejected { reason };
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// One attempt: `None` when it must be signed anew.
    async fn attempt(&self, number: u64, record: &mut Record) -> Result<Option<Outcome>, Trouble> {
        if let Some(signed) = &record.signed {
            match self.fate(signed).await? {
                Fate::Included(outcome) => return Ok(settle(outcome, record)),
                Fate::Dead => {
                    record.signed = None;
                    self.save(number, record)?;
                },
                Fate::Open => {},
            }
        }
        if record.signed.is_none() && self.is_pointless(record).await? {
            return Ok(Some(Outcome::Pointless));
        }
        let progress = {
            let _turn = self.turn.lock().await;
            let signed = match record.signed.clone() {
                Some(signed) => signed,
                None => {
                    let signed = self.sign(&record.call).await?;
                    record.signed = Some(signed.clone());
                    self.save(number, record)?;
                    signed
                },
            };
            let at = self.client.api.at_current_block().await.map_err(chain)?;
            let submitted = at.tx().from_bytes(signed.bytes).submit_and_watch().await;
            match submitted {
                Ok(progress) => progress,
                Err(error) => {
                    let refusal = Refusal::of(&error);
                    if matches!(refusal, Refusal::Later(_) | Refusal::Never(_)) {
                        // It never entered the pool: its nonce is free.
                        record.signed = None;
                        self.save(number, record)?;
                    }
                    return Err(match refusal {
                        Refusal::Connection(text) => ChainError::Connection(text).into(),
                        Refusal::InPool(text) | Refusal::Later(text) => Trouble::Later(text),
                        Refusal::Never(text) => Trouble::Rejected(text),
                    });
                },
            }
        };
        let outcome = self.watch(progress).await?;
        Ok(outcome.and_then(|outcome| settle(outcome, record)))
    }

    fn save(&self, number: u64, record: &Record) -> Result<(), Trouble> {
        let mut batch = Batch::default();
        batch.put(Table::Intents, number.to_be_bytes(), record.encode());
        self.store.commit(&batch).map_err(Trouble::Store)
    }

    async fn sign(&self, call: &Call) -> Result<Signed, Trouble> {
        let payload = self.client.payload(call).await?;
        let nonce = self.client.next_nonce(&self.key.account()).await?;
        let at = self.client.api.at_current_block().await.map_err(chain)?;
        let birth = u32::try_from(at.block_number()).unwrap_or(u32::MAX);
        let params = DefaultExtrinsicParamsBuilder::new().nonce(nonce).mortal(ERA).build();
        let mut tx = at.tx();
        let signed = tx
            .create_signed(&payload, &Signer(&self.key), params)
            .await
            .map_err(|e| ChainError::Encoding { call: call.name(), reason: e.to_string() })?;
        let bytes = signed.into_encoded();
        Ok(Signed { hash: blake2_256(&bytes), bytes, nonce, birth })
    }

    /// Waits until the extrinsic is final; `None` when it has to be looked for.
    async fn watch(
        &self,
        mut progress: subxt::tx::TransactionProgress<
            PolkadotConfig,
            subxt::client::OnlineClientAtBlockImpl<PolkadotConfig>,
        >,
    ) -> Result<Option<Outcome>, Trouble> {
        while let Some(status) = progress.next().await {
            match status.map_err(chain)? {
                TransactionStatus::InFinalizedBlock(included) => {
                    let hash = H256(included.block_hash().0);
                    let (block, _) = self
                        .client
                        .header(hash)
                        .await?
                        .ok_or_else(|| chain("a final block is gone"))?;
                    return match included.wait_for_success().await {
                        Ok(_) => Ok(Some(Outcome::Done { block })),
                        Err(TransactionEventsError::ExtrinsicFailed(error)) => {
                            Ok(Some(Outcome::Failed { block, error: name_of(&error) }))
                        },
                        Err(error) => Err(chain(error).into()),
                    };
                },
                TransactionStatus::Error { message }
                | TransactionStatus::Invalid { message }
                | TransactionStatus::Dropped { message } => {
                    debug!(message, "an extrinsic left the pool");
                    return Ok(None);
                },
                _ => {},
            }
        }
        Ok(None)
    }

    /// What became of an extrinsic, by finalized blocks alone.
    async fn fate(&self, signed: &Signed) -> Result<Fate, ChainError> {
        let head = self.client.finalized_head().await?;
        let (finalized, _) = self
            .client
            .header(head)
            .await?
            .ok_or_else(|| ChainError::Connection("the finalized block is gone".into()))?;
        let used = self.client.nonce_at(&self.key.account(), head).await? > signed.nonce;
        if !used {
            return Ok(if finalized > signed.death() { Fate::Dead } else { Fate::Open });
        }
        for number in signed.birth..=finalized.min(signed.death()) {
            if let Some(outcome) = self.look_for(signed, number).await? {
                return Ok(Fate::Included(outcome));
            }
        }
        Ok(Fate::Dead)
    }

    async fn look_for(
        &self,
        signed: &Signed,
        number: BlockNumber,
    ) -> Result<Option<Outcome>, ChainError> {
        let at = self.client.api.at_block(u64::from(number)).await.map_err(chain)?;
        let extrinsics = at.extrinsics().fetch().await.map_err(chain)?;
        for extrinsic in extrinsics.iter() {
            let extrinsic = extrinsic.map_err(chain)?;
            if blake2_256(extrinsic.bytes()) != signed.hash {
                continue;
            }
            let events = extrinsic.events().await.map_err(chain)?;
            for event in events.iter() {
                let event = event.map_err(chain)?;
                if event.pallet_name() == "System" && event.event_name() == "ExtrinsicFailed" {
                    let error = DispatchError::decode_from(event.field_bytes(), at.metadata());
                    let error = error.map_or_else(|e| e.to_string(), |error| name_of(&error));
                    return Ok(Some(Outcome::Failed { block: number, error }));
                }
            }
            return Ok(Some(Outcome::Done { block: number }));
        }
        Ok(None)
    }

    /// A call for a channel whose epoch is over, finally, has nothing left to do.
    async fn is_pointless(&self, record: &Record) -> Result<bool, ChainError> {
        let Intent::Channel(partner, epoch) = &record.intent else { return Ok(false) };
        if matches!(record.call, Call::LateClaim { .. }) {
            return Ok(false);
        }
        let head = self.client.finalized_head().await?;
        let account = self.key.account();
        let views = self.client.pairs(&account, std::slice::from_ref(partner), head).await?;
        Ok(views.iter().any(|view| view.channel.epoch > *epoch))
    }
}

/// Two batches of an account in a block: the second is simply sent again.
fn settle(outcome: Outcome, record: &mut Record) -> Option<Outcome> {
    match &outcome {
        Outcome::Failed { error, .. } if error == "Batch.OnePerBlock" => {
            record.signed = None;
            None
        },
        _ => Some(outcome),
    }
}

enum Trouble {
    /// The chain cannot be reached: wait.
    Chain(ChainError),
    /// Not now.
    Later(String),
    /// Never.
    Rejected(String),
    /// The disk failed.
    Store(StoreError),
}

/// What a node says when it does not take an extrinsic, by the codes of `author_submitExtrinsic`.
enum Refusal {
    /// The node is not there.
    Connection(String),
    /// It has it already, or has just had it: look what becomes of it.
    InPool(String),
    /// It may take it later, signed anew.
    Later(String),
    /// It will not.
    Never(String),
}

impl Refusal {
    fn of(error: &ExtrinsicError) -> Self {
        const INVALID: i32 = 1010;
        const BANNED: i32 = 1012;
        const ALREADY_IMPORTED: i32 = 1013;
        const LOW_PRIORITY: i32 = 1014;
        let ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(
            subxt::rpcs::Error::User(answer),
        ))) = error
        else {
            return Self::Connection(error.to_string());
        };
        let detail = answer.data.as_ref().map(|data| data.get().trim_matches('"').to_string());
        let text = detail.unwrap_or_else(|| answer.message.clone());
        match answer.code {
            BANNED | ALREADY_IMPORTED | LOW_PRIORITY => Self::InPool(text),
            // One code for all that is invalid; only a nonce that is used or too high passes by.
            INVALID if text.contains("outdated") || text.contains("future") => Self::Later(text),
            INVALID => Self::Never(text),
            _ => Self::Later(text),
        }
    }
}

impl From<ChainError> for Trouble {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Encoding { .. } => Self::Rejected(error.to_string()),
            error => Self::Chain(error),
        }
    }
}

fn chain(error: impl core::fmt::Display) -> ChainError {
    ChainError::Connection(error.to_string())
}

/// The chain's error as `Pallet.Error`.
fn name_of(error: &DispatchError) -> String {
    match error {
        DispatchError::Module(module) => match module.details() {
            Ok(details) => format!("{}.{}", details.pallet.name(), details.variant.name),
            Err(_) => error.to_string(),
        },
        _ => error.to_string(),
    }
}
