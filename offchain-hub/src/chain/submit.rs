//! Submits calls: signs, persists the signed bytes, submits them and watches until they are final.
//!
//! One account key signs here and nowhere else. A signed extrinsic is durable with its nonce before
//! it leaves, so a restart submits the very same bytes again, or learns what became of them: included,
//! or dead because its nonce was used or its era is over, both by finalized blocks. Only a dead one is
//! signed anew, and one that the pool refused when it was offered for the first time: whatever else a
//! node says of it, a block may have it.

use super::{calls::Call, client::ChainError, ChainClient};
use crate::{
    keys::AccountKey,
    store::{Batch, Store, StoreError, Table},
};
use codec::{Decode, Encode};
use failsafe_channel::Sign;
use failsafe_primitives::{AccountId, BlockNumber, Epoch, Pair};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{sync::Arc, time::Duration};
use subxt::{
    config::{DefaultExtrinsicParamsBuilder, PolkadotConfig},
    error::{
        BackendError, DispatchError, EventsError, ExtrinsicError, OnlineClientAtBlockError,
        RpcError, TransactionEventsError,
    },
    tx::TransactionStatus,
};
use tokio::sync::{mpsc, Mutex};
use tracing::{debug, info, warn};

/// Blocks for which a signed extrinsic is valid. A power of two up to 4,096: others are rounded.
const ERA: BlockNumber = 64;
/// How far below the best block an era begins, at most. It names the hash of its first block, so
/// that block should not be lost with a fork.
const SETTLED: BlockNumber = ERA / 4;
/// Pause after a round that brought nothing.
const RETRY: Duration = Duration::from_millis(700);
/// The pause grows with the number of such rounds in a row, up to this many times.
const MAX_PAUSE: u32 = 6;
/// How often a freshly signed extrinsic may be refused before the call is given up.
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
    /// A secret whose payer has not settled in time.
    #[codec(index = 3)]
    Reveal,
    /// For two others, in an epoch: pointless in the next one.
    #[codec(index = 4)]
    Watched(Pair, Epoch),
}

/// A signed extrinsic.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Signed {
    bytes: Vec<u8>,
    hash: [u8; 32],
    nonce: u64,
    /// First block of its era, whose hash it names: it can only be in later ones.
    birth: BlockNumber,
}

impl Signed {
    /// Last block in which it can be.
    fn death(&self) -> BlockNumber {
        self.birth.saturating_add(ERA - 1)
    }
}

/// Where an era begins. Not simply with the finalized block: when finality is late, that era would
/// be over before it is used.
fn birth(finalized: BlockNumber, best: BlockNumber) -> BlockNumber {
    finalized.max(best.saturating_sub(SETTLED))
}

/// How long to wait after some rounds in a row that brought nothing.
fn pause(rounds: u32) -> Duration {
    RETRY.saturating_mul(rounds.clamp(1, MAX_PAUSE))
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
    /// Nobody can tell any more whether it did what it should: the node has forgotten the block.
    Unknown {
        /// Where it may be.
        reason: String,
    },
    /// It has become pointless.
    Pointless,
}

impl Outcome {
    /// A word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Rejected { .. } => "rejected",
            Self::Unknown { .. } => "unknown",
            Self::Pointless => "pointless",
        }
    }

    /// The block that has it, if one does.
    pub fn block(&self) -> Option<BlockNumber> {
        match self {
            Self::Done { block } | Self::Failed { block, .. } => Some(*block),
            Self::Rejected { .. } | Self::Unknown { .. } | Self::Pointless => None,
        }
    }
}

/// What became of a signed extrinsic.
enum Fate {
    Ended(Outcome),
    Dead,
    Open,
}

/// What a block says of a signed extrinsic.
enum Trace {
    /// It is not in it.
    Absent,
    /// It is in it.
    Ended(Outcome),
    /// It is in it, but its events are gone.
    EndUnknown,
    /// The node does not have the block any more, or not its state.
    Gone,
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
        let (mut refused, mut rounds) = (0, 0u32);
        loop {
            match self.attempt(number, &mut record).await {
                Ok(Some(outcome)) => {
                    info!(call, ?outcome, "on chain");
                    return outcome;
                },
                Ok(None) => rounds = 0,
                Err(Trouble::Chain(error)) => debug!(call, %error, "will try again"),
                Err(Trouble::Pending(reason)) => {
                    debug!(call, reason, "pending; will look what became of it");
                },
                Err(Trouble::Rejected(reason)) => {
                    warn!(call, reason, "the node refused it");
                    return Outcome::Rejected { reason };
                },
                Err(Trouble::Refused(reason)) => {
                    debug!(call, reason, "the node did not take it; will try again");
                    refused += 1;
                    if refused >= MAX_ATTEMPTS {
                        return Outcome::Rejected { reason };
                    }
                },
                Err(Trouble::Store(error)) => {
                    warn!(call, %error, "cannot persist a signed extrinsic");
                },
            }
            rounds = rounds.saturating_add(1);
            tokio::time::sleep(pause(rounds)).await;
        }
    }

    /// One attempt: `None` when it has to be looked for, or to be signed anew.
    async fn attempt(&self, number: u64, record: &mut Record) -> Result<Option<Outcome>, Trouble> {
        if let Some(signed) = &record.signed {
            match self.fate(signed).await? {
                Fate::Ended(outcome) => return Ok(settle(outcome, record)),
                Fate::Dead => {
                    record.signed = None;
                    self.save(number, record)?;
                },
                // Another process of the same account was faster. To do it twice costs a fee, to wait
                // for finality may cost more.
                Fate::Open if record.call.is_repeatable() && self.has_lost(signed).await? => {
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
            // Before signing: once there are signed bytes, trouble means that they wait.
            let at = self.client.api.at_current_block().await.map_err(chain)?;
            let (signed, first) = match record.signed.clone() {
                Some(signed) => (signed, false),
                None => (self.sign(&record.call).await?, true),
            };
            if first {
                record.signed = Some(signed.clone());
                if let Err(error) = self.save(number, record) {
                    // What is not durable must not leave.
                    record.signed = None;
                    return Err(error);
                }
            }
            match at.tx().from_bytes(signed.bytes).submit_and_watch().await {
                Ok(progress) => progress,
                Err(error) => {
                    let trouble = Refusal::of(&error).judge(first);
                    if matches!(trouble, Trouble::Refused(_) | Trouble::Rejected(_)) {
                        // It never entered the pool: its nonce is free.
                        record.signed = None;
                        self.save(number, record)?;
                    }
                    return Err(trouble);
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
        let nonce = self.client.next_nonce(&self.key.account()).await?;
        // One block for all that is signed: a new runtime may come with any of them.
        let at = self.client.api.at_current_block().await.map_err(chain)?;
        let payload = self.client.payload(call, &at)?;
        let finalized = BlockNumber::try_from(at.block_number()).map_err(chain)?;
        let birth = birth(finalized, self.client.moment(None).await?.block);
        let hash = self.client.block_hash(birth).await?;
        let hash = hash.ok_or_else(|| chain("a recent block is gone"))?;
        let params = DefaultExtrinsicParamsBuilder::new()
            .nonce(nonce)
            .mortal_from_unchecked(ERA.into(), birth.into(), subxt::config::polkadot::H256(hash.0))
            .build();
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

    /// Whether the best block has something else, or nothing that we have seen become final, under
    /// the nonce of an extrinsic.
    async fn has_lost(&self, signed: &Signed) -> Result<bool, ChainError> {
        let best = self.client.block_hash(self.client.moment(None).await?.block).await?;
        let Some(best) = best else { return Ok(false) };
        Ok(self.client.nonce_at(&self.key.account(), best).await? > signed.nonce)
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
        let last = finalized.min(signed.death());
        let mut gone = false;
        for number in signed.birth.saturating_add(1)..=last {
            match self.look_for(signed, number).await? {
                Trace::Absent => {},
                Trace::Ended(outcome) => return Ok(Fate::Ended(outcome)),
                Trace::EndUnknown => return Ok(unknown(format!("block {number} has it"))),
                Trace::Gone => gone = true,
            }
        }
        if gone {
            // Signed anew it might be paid twice, and waiting brings nothing.
            let blocks = format!("a block of {} to {last} may have it", signed.birth);
            return Ok(unknown(blocks));
        }
        Ok(Fate::Dead)
    }

    async fn look_for(&self, signed: &Signed, number: BlockNumber) -> Result<Trace, ChainError> {
        let at = match self.client.api.at_block(u64::from(number)).await {
            Ok(at) => at,
            Err(OnlineClientAtBlockError::BlockNotFound { .. }) => return Ok(Trace::Gone),
            Err(OnlineClientAtBlockError::CannotGetSpecVersion { reason, .. })
                if has_discarded(&reason) =>
            {
                return Ok(Trace::Gone)
            },
            Err(error) => return Err(chain(error)),
        };
        let extrinsics = match at.extrinsics().fetch().await {
            Ok(extrinsics) => extrinsics,
            Err(ExtrinsicError::BlockNotFound(_)) => return Ok(Trace::Gone),
            Err(error) => return Err(chain(error)),
        };
        let mut trace = Trace::Absent;
        for extrinsic in extrinsics.iter() {
            let Ok(extrinsic) = extrinsic else {
                // Nobody can read it: it may be ours.
                trace = Trace::Gone;
                continue;
            };
            if blake2_256(extrinsic.bytes()) != signed.hash {
                continue;
            }
            let events = match extrinsic.events().await {
                Ok(events) => events,
                Err(EventsError::CannotFetchEventBytes(reason)) if !has_discarded(&reason) => {
                    return Err(chain(reason))
                },
                Err(error) => {
                    warn!(number, %error, "the events of a call are lost");
                    return Ok(Trace::EndUnknown);
                },
            };
            for event in events.iter() {
                let Ok(event) = event else { return Ok(Trace::EndUnknown) };
                if event.pallet_name() == "System" && event.event_name() == "ExtrinsicFailed" {
                    let error = DispatchError::decode_from(event.field_bytes(), at.metadata());
                    let error = error.map_or_else(|e| e.to_string(), |error| name_of(&error));
                    return Ok(Trace::Ended(Outcome::Failed { block: number, error }));
                }
            }
            return Ok(Trace::Ended(Outcome::Done { block: number }));
        }
        Ok(trace)
    }

    /// A call for a channel whose epoch is over, finally, has nothing left to do.
    async fn is_pointless(&self, record: &Record) -> Result<bool, ChainError> {
        let account = self.key.account();
        let (who, partner, epoch) = match &record.intent {
            Intent::Channel(partner, epoch) => (&account, partner, epoch),
            Intent::Watched(pair, epoch) => (pair.left(), pair.right(), epoch),
            Intent::Rebalance | Intent::User | Intent::Reveal => return Ok(false),
        };
        if matches!(record.call, Call::LateClaim { .. }) {
            return Ok(false);
        }
        let head = self.client.finalized_head().await?;
        let views = self.client.pairs(who, std::slice::from_ref(partner), head).await?;
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

/// The nonce was used, but nobody can tell any more by what, or how it ended. Whoever reads the reason
/// reads first that the chain refused the call.
fn unknown(where_it_is: String) -> Fate {
    let reason = format!(
        "{where_it_is}, but the node no longer knows how it ended: look at the account before you \
         repeat the call"
    );
    Fate::Ended(Outcome::Unknown { reason })
}

/// Whether a node says that it does not have a block's state any more.
fn has_discarded(error: &BackendError) -> bool {
    let BackendError::Rpc(RpcError::ClientError(subxt::rpcs::Error::User(answer))) = error else {
        return false;
    };
    let data = answer.data.as_ref().map_or("", |data| data.get());
    let text = format!("{} {data}", answer.message).to_lowercase();
    ["discarded", "unknownblock", "unknown block"].iter().any(|word| text.contains(word))
}

enum Trouble {
    /// The chain cannot be reached: wait.
    Chain(ChainError),
    /// A signed copy is on its way, or may be: look what becomes of it.
    Pending(String),
    /// A fresh copy did not enter the pool; another may.
    Refused(String),
    /// A fresh copy did not enter the pool, and no other will.
    Rejected(String),
    /// The disk failed.
    Store(StoreError),
}

/// What a node says when it does not take an extrinsic, by the codes of `author_submitExtrinsic`.
enum Refusal {
    /// The node is not there, or failed: it may have taken it before.
    Unclear(String),
    /// It has it already, or has just had it, or another one with this nonce.
    InPool(String),
    /// It may take it later, signed anew.
    Later(String),
    /// It will not.
    Never(String),
}

impl Refusal {
    fn of(error: &ExtrinsicError) -> Self {
        let ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(
            subxt::rpcs::Error::User(answer),
        ))) = error
        else {
            return Self::Unclear(error.to_string());
        };
        let detail = answer.data.as_ref().map(|data| data.get().trim_matches('"').to_string());
        Self::by_code(answer.code, detail.unwrap_or_else(|| answer.message.clone()))
    }

    fn by_code(code: i32, text: String) -> Self {
        const BAD_FORMAT: i32 = 1001;
        const UNVERIFIED: i32 = 1002;
        const INVALID: i32 = 1010;
        const UNKNOWN_VALIDITY: i32 = 1011;
        const BANNED: i32 = 1012;
        const ALREADY_IMPORTED: i32 = 1013;
        const LOW_PRIORITY: i32 = 1014;
        const CYCLE: i32 = 1015;
        const POOL_IS_FULL: i32 = 1016;
        const UNACTIONABLE: i32 = 1018;
        const NO_TAGS: i32 = 1019;
        const FUTURE: i32 = 1021;
        // One code for all that is invalid. A birth that is not on the node's chain, any more or
        // yet, is "ancient" or makes the signature bad.
        const PASSES_BY: [&str; 3] = ["future", "ancient birth block", "bad signature"];
        match code {
            BANNED | ALREADY_IMPORTED | LOW_PRIORITY => Self::InPool(text),
            // The nonce is used in the best block, maybe by this very extrinsic.
            INVALID if text.contains("outdated") => Self::InPool(text),
            INVALID if PASSES_BY.iter().any(|reason| text.contains(reason)) => Self::Later(text),
            INVALID => Self::Never(text),
            BAD_FORMAT | UNVERIFIED | UNKNOWN_VALIDITY | CYCLE | POOL_IS_FULL | UNACTIONABLE
            | NO_TAGS | FUTURE => Self::Later(text),
            _ => Self::Unclear(text),
        }
    }

    /// What follows from it. Only of bytes that are offered for the `first` time it says that
    /// they are neither in the pool nor in a block.
    fn judge(self, first: bool) -> Trouble {
        match self {
            Self::Unclear(text) => Trouble::Chain(ChainError::Connection(text)),
            Self::Later(text) if first => Trouble::Refused(text),
            Self::Never(text) if first => Trouble::Rejected(text),
            Self::InPool(text) | Self::Later(text) | Self::Never(text) => Trouble::Pending(text),
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

#[cfg(test)]
mod tests;
