//! A party's mind: inputs in, what to store and what to do out.
//!
//! No I/O, no clock, no sockets. The host collects inputs, calls [`Core::handle`] for each, commits
//! [`Output::batch`] once for all of them, and only then carries the actions out, in order. So
//! everything that leaves is durable, and a crash at any point starts from what was.

use super::{
    command::{Answer, Command, CommandError, Reply},
    consent::{PaidRequest, PaidRequests},
    entries::Entries,
    following::Following,
    forward::OwedReturn,
    gossip, history,
    insurer::Insurer,
    locks::{incoming::Invoice, Hanging, LockRef, Locks},
    mode::Mode,
    orders::StandingOrder,
    outbox::{self, Outboxes},
    policy::Policy,
    processes::Processes,
    quota::PeerQuota,
    receipts::Receipts,
    recent::{self, Recent},
    records::{PaymentRecord, Payments},
    risk::Risk,
};
use crate::{
    chain::{
        submit::{Outcome, Record},
        ChainNews, Intent, Track,
    },
    keys::AccountKey,
    metrics::Counters,
    store::{Batch, Restored, Share, Store, StoreError, Table},
};
use codec::{Decode, Encode};
use failsafe_channel::{
    message::Message, AssetTerms, Channel, FreezeReason, Moment, PaymentId, Sign,
};
use failsafe_onion::NodeKey;
use failsafe_primitives::{
    simplex::LockHash,
    view::{BalanceView, HubView},
    AccountId, AssetId, Balance, Clock, Epoch, Nonce, Parameters,
};
use failsafe_routing::Graph;
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, OnceLock},
};
use tokio::sync::broadcast;
use tracing::warn;

/// Number of a peer's connection.
pub type SessionId = u64;
/// Most messages kept of a peer whose channel is not known yet.
pub(super) const MAX_EARLY: usize = 16;
/// Bytes of them, encoded.
pub(super) const MAX_EARLY_BYTES: usize = 16 << 10;
/// For how many usable blocks a withdrawal proof is asked for.
pub(super) const PROOF_VALIDITY: Clock = 60;

/// Changes of payments that a listener may be behind.
const FEED: usize = 4_096;
/// Those who listen to payments.
pub(super) type Feed = broadcast::Sender<(PaymentId, PaymentRecord)>;

/// What happens to a party.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "moved once")]
pub enum Input {
    /// A peer has proved its account.
    Connected {
        /// Who.
        partner: AccountId,
        /// Its connection.
        session: SessionId,
    },
    /// A peer's connection has ended.
    Disconnected {
        /// Who.
        partner: AccountId,
        /// Its connection.
        session: SessionId,
    },
    /// A peer sent a message.
    Message {
        /// Who.
        partner: AccountId,
        /// Its connection.
        session: SessionId,
        /// The message.
        message: Message,
    },
    /// Something happened on chain.
    Chain(ChainNews),
    /// On-chain balances that were asked for.
    Balances(Vec<BalanceView>),
    /// A call has come to its end.
    CallEnded {
        /// Its number.
        number: u64,
        /// How.
        outcome: Outcome,
    },
    /// Somebody wants something.
    Command(Command, Reply),
    /// Time passes.
    Tick,
}

/// Something to do after the batch is durable.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "moved once")]
pub enum Action {
    /// Send a message to a connected partner.
    Send(AccountId, Message),
    /// End a peer's connection, saying why.
    Disconnect(AccountId, String),
    /// Follow a pair, or watch for the secret of a hash, on chain; the answers are
    /// [`ChainNews::Tracked`] and [`ChainNews::Reveals`].
    Track(Track),
    /// Bring a stored call to the chain.
    Submit(u64, Record),
    /// Read our on-chain balances; the answer is [`Input::Balances`].
    ReadBalances(Vec<AssetId>),
    /// Tell those who listen where a payment stands.
    Publish(PaymentId, PaymentRecord),
    /// Answer a command.
    Reply(Reply, Result<Answer, CommandError>),
}

/// What inputs lead to.
#[derive(Debug, Default)]
pub struct Output {
    /// To be made durable before anything else.
    pub batch: Batch,
    /// To be done after that, in order.
    pub actions: Vec<Action>,
    pub(super) dirty: BTreeSet<AccountId>,
    /// Payments that have arrived, by payer: what [`Core::finish`] takes up as receipts.
    pub(super) delivered: BTreeMap<AccountId, Vec<PaymentId>>,
}

impl Output {
    /// Partners whose channels [`Core::finish`] will store.
    pub(super) fn changed_partners(&self) -> Vec<AccountId> {
        self.dirty.iter().cloned().collect()
    }

    pub(super) fn reply(&mut self, to: Reply, answer: Result<Answer, CommandError>) {
        self.actions.push(Action::Reply(to, answer));
    }
}

/// A channel with what surrounds it.
pub(super) struct Entry {
    pub channel: Channel,
    /// The partner's connection.
    pub session: Option<SessionId>,
    /// Since when an acknowledgement is due.
    pub ack_since: Option<u64>,
    /// Since when payments of ours wait for a signature.
    pub unsigned_since: Option<u64>,
    /// Assets for which the partner asked for insurance.
    pub insure: BTreeSet<AssetId>,
    /// What the partner did wrong.
    pub fault: Option<String>,
}

/// A withdrawal whose proof is awaited.
pub(super) struct PendingWithdrawal {
    /// The reservation that was made for it: only its proof is meant.
    pub reservation: Nonce,
    pub items: Vec<(AssetId, Balance)>,
    pub deposit_to: Option<(AccountId, AccountId, Option<Epoch>)>,
    pub reply: Reply,
}

/// A party's mind.
pub struct Core {
    pub(super) me: AccountId,
    pub(super) key: Arc<AccountKey>,
    pub(super) genesis: H256,
    pub(super) policy: Policy,
    /// The other processes of the same hub, if there are.
    pub(super) processes: Processes,
    pub(super) entries: Entries,
    pub(super) outboxes: Outboxes,
    /// Where the channels are stored.
    pub(super) recent: Recent,
    pub(super) finalized: Moment,
    pub(super) best: Moment,
    pub(super) following: Following,
    pub(super) best_since: Option<u64>,
    pub(super) payments: Payments,
    /// What payers are to be told.
    pub(super) receipts: Receipts,
    /// Where payments are that are no longer in memory.
    pub(super) store: Arc<dyn Store>,
    /// Why it could not be read.
    pub(super) failure: OnceLock<StoreError>,
    /// What locks are for.
    pub(super) locks: Locks,
    /// To which onions are encrypted for us.
    pub(super) onion_key: NodeKey,
    /// The chain's parameters, once they are known.
    pub(super) parameters: Option<Parameters>,
    /// Registered hubs.
    pub(super) hubs: Vec<HubView>,
    /// Hubs that retire, and from which usable clock on they may leave.
    pub(super) retiring: BTreeMap<AccountId, Clock>,
    /// What is known of the network of hubs.
    pub(super) graph: Arc<Graph>,
    /// When we have announced last what we can pay to other hubs, milliseconds.
    pub(super) announced_ms: u64,
    /// When disputes were opened because a payer did not settle or expire a lock.
    pub(super) disputed: BTreeMap<AccountId, Clock>,
    /// Payers that leave expired locks pending.
    pub(super) hanging: BTreeMap<AccountId, Hanging>,
    /// Usable clock of the first finalized block since the start.
    pub(super) awake_since: Option<Clock>,
    /// Partners with pending locks for us.
    pub(super) guarded: BTreeSet<AccountId>,
    pub(super) insurer: Insurer,
    /// What is taken.
    pub(super) mode: Mode,
    /// What is owed and insured over all channels.
    pub(super) risk: Risk,
    /// How much peers may send.
    pub(super) peer_quota: PeerQuota,
    /// Who listens to payments.
    pub(super) feed: Feed,
    /// Payments of which it is still to be asked whether they have arrived, by partner.
    pub(super) to_ask: BTreeMap<AccountId, Vec<PaymentId>>,
    /// What is counted.
    pub(super) counters: Counters,
    /// Since when calls are on their way.
    pub(super) call_since: BTreeMap<u64, u64>,
    /// Since when payments with locks go through.
    pub(super) locked_since: HashMap<LockRef, u64>,
    /// Connected peers whose channel is not known yet, with what they have said.
    pub(super) pending: HashMap<AccountId, (SessionId, Vec<Message>)>,
    /// Terms that a person decided.
    pub(super) decided: HashMap<AccountId, BTreeMap<AssetId, AssetTerms>>,
    /// Calls on their way.
    pub(super) calls: BTreeMap<u64, Record>,
    /// Calls that are final in a block whose facts have not come in yet.
    pub(super) ended: Vec<(u64, Outcome)>,
    pub(super) next_call: u64,
    pub(super) call_replies: HashMap<u64, Reply>,
    pub(super) pay_replies: HashMap<PaymentId, Reply>,
    pub(super) withdrawals: BTreeMap<AccountId, PendingWithdrawal>,
    pub(super) close_replies: HashMap<AccountId, Reply>,
    /// Channels that a new block may move.
    pub(super) waiting: BTreeSet<AccountId>,
    /// Payments that are still to be given back.
    pub(super) returns: BTreeMap<u64, OwedReturn>,
    /// Payments that are made again and again.
    pub(super) orders: BTreeMap<PaymentId, StandingOrder>,
    /// Requests for insurance that are paid for.
    pub(super) paid_requests: PaidRequests,
    /// Channels that have begun to owe an acknowledgement, and when; oldest first.
    pub(super) acks: VecDeque<(u64, AccountId)>,
    /// Channels with payments of ours that wait for a signature.
    pub(super) unsigned: BTreeSet<AccountId>,
    /// When the store was restored from a backup, if it was.
    pub(super) restored: Option<Restored>,
    pub(super) now_ms: u64,
}

impl Core {
    /// A party as its store has it. Stored calls are started by the host: [`Core::stored_calls`].
    pub fn load(
        key: Arc<AccountKey>,
        genesis: H256,
        policy: Policy,
        onion_key: [u8; 32],
        store: Arc<dyn Store>,
    ) -> Result<Self, StoreError> {
        let damaged =
            |table: Table, reason: String| StoreError::Damaged { table: table.name(), reason };
        let partner = |table: Table, bytes: Vec<u8>| {
            AccountId::decode(&mut &bytes[..]).map_err(|e| damaged(table, e.to_string()))
        };
        let number = |table: Table, bytes: Vec<u8>| {
            let bytes = <[u8; 8]>::try_from(bytes).map(u64::from_be_bytes);
            bytes.map_err(|_| damaged(table, "a number of the wrong length".into()))
        };
        let share = Share::load(&*store)?;
        let (mut waiting, mut guarded) = (BTreeSet::new(), BTreeSet::new());
        let mut risk = Risk::default();
        let mut outboxes = outbox::Loaded::new(store.scan(Table::Outbox)?)?;
        let (recent, channels) =
            recent::load(store.scan(Table::Channels)?, store.scan(Table::Recent)?)?;
        let mut entries = Entries::with_capacity(channels.len());
        for (partner, value) in channels {
            let channel = outboxes.channel(&partner, &value);
            let channel = channel.map_err(|e| damaged(Table::Channels, e))?;
            if channel.waits_for_blocks() {
                waiting.insert(partner.clone());
            }
            if is_guarded(&channel) {
                guarded.insert(partner.clone());
            }
            if !share.as_ref().is_some_and(|share| share.is_process(&partner)) {
                risk.note(&partner, &channel);
            }
            if share.as_ref().and_then(|share| share.elsewhere(&partner)).is_some() {
                let reason = format!("the channel with {partner} is another process's");
                return Err(damaged(Table::Channels, reason));
            }
            if channel.is_idle() {
                entries.insert_asleep(partner, value);
            } else {
                entries.insert(partner, Entry::new(channel));
            }
        }
        let mut calls = BTreeMap::new();
        for (key, value) in store.scan(Table::Intents)? {
            let number = number(Table::Intents, key)?;
            let record = Record::decode(&mut &value[..])
                .map_err(|e| damaged(Table::Intents, e.to_string()))?;
            calls.insert(number, record);
        }
        let mut returns = BTreeMap::new();
        for (key, value) in store.scan(Table::Returns)? {
            let number = number(Table::Returns, key)?;
            let owed = OwedReturn::decode(&mut &value[..])
                .map_err(|e| damaged(Table::Returns, e.to_string()))?;
            returns.insert(number, owed);
        }
        let mut orders = BTreeMap::new();
        for (key, value) in store.scan(Table::Orders)? {
            let read = |e: codec::Error| damaged(Table::Orders, e.to_string());
            let id = PaymentId::decode(&mut &key[..]).map_err(read)?;
            orders.insert(id, StandingOrder::decode(&mut &value[..]).map_err(read)?);
        }
        let mut decided = HashMap::new();
        for (key, value) in store.scan(Table::Terms)? {
            let terms = BTreeMap::decode(&mut &value[..])
                .map_err(|e| damaged(Table::Terms, e.to_string()))?;
            decided.insert(partner(Table::Terms, key)?, terms);
        }
        let mut wanted = BTreeMap::new();
        for (key, value) in store.scan(Table::Wanted)? {
            let since =
                u64::decode(&mut &value[..]).map_err(|e| damaged(Table::Wanted, e.to_string()))?;
            wanted.insert(partner(Table::Wanted, key)?, since);
        }
        let mut paid_requests = PaidRequests::new();
        for (key, value) in store.scan(Table::Requests)? {
            let read = |e: codec::Error| damaged(Table::Requests, e.to_string());
            let key = <(AccountId, AssetId)>::decode(&mut &key[..]).map_err(read)?;
            let request = PaidRequest::decode(&mut &value[..]).map_err(read)?;
            if let Some(entry) = entries.get_mut(&key.0) {
                entry.insure.insert(key.1);
            }
            paid_requests.insert(key, request);
        }
        let rebalance = calls
            .iter()
            .find(|(_, record)| record.intent == Intent::Rebalance)
            .map(|(number, _)| *number);
        let peer_quota = PeerQuota::default();
        peer_quota.set(policy.peer_messages_per_second);
        let payments = history::load(&*store)?;
        Ok(Self {
            me: key.account(),
            key,
            genesis,
            policy,
            entries,
            outboxes: outboxes.done(),
            recent,
            finalized: Moment::default(),
            best: Moment::default(),
            following: Following::load(&*store)?,
            best_since: None,
            processes: Processes::load(share, &payments),
            payments,
            receipts: Receipts::default(),
            store: store.clone(),
            failure: OnceLock::new(),
            locks: Locks::load(&*store)?,
            onion_key: NodeKey::new(&onion_key),
            parameters: None,
            hubs: vec![],
            retiring: BTreeMap::new(),
            graph: Arc::new(Graph::new(gossip::rules(genesis), [])),
            announced_ms: 0,
            disputed: BTreeMap::new(),
            hanging: BTreeMap::new(),
            awake_since: None,
            guarded,
            insurer: Insurer::load(wanted, rebalance),
            mode: Mode::load(&*store)?,
            risk,
            peer_quota,
            feed: broadcast::channel(FEED).0,
            to_ask: BTreeMap::new(),
            counters: Counters::default(),
            call_since: BTreeMap::new(),
            locked_since: HashMap::new(),
            pending: HashMap::new(),
            decided,
            next_call: calls.keys().next_back().map_or(0, |last| last.saturating_add(1)),
            calls,
            ended: vec![],
            call_replies: HashMap::new(),
            pay_replies: HashMap::new(),
            withdrawals: BTreeMap::new(),
            close_replies: HashMap::new(),
            waiting,
            acks: VecDeque::new(),
            unsigned: BTreeSet::new(),
            returns,
            orders,
            restored: Restored::load(&*store)?,
            paid_requests,
            now_ms: 0,
        })
    }

    /// Calls that were on their way when the party stopped.
    pub fn stored_calls(&self) -> impl Iterator<Item = (u64, Record)> + '_ {
        self.calls.iter().map(|(number, record)| (*number, record.clone()))
    }

    /// What it counts; copies count together.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Its channels, to look at.
    pub fn channels(&self) -> Vec<&Channel> {
        let entries = self.entries.keys().filter_map(|partner| self.entries.get(partner));
        entries.map(|entry| &entry.channel).collect()
    }

    /// The channel with a partner.
    pub fn channel(&self, partner: &AccountId) -> Option<&Channel> {
        self.entries.get(partner).map(|entry| &entry.channel)
    }

    /// An invoice of ours by its hash.
    pub fn invoice(&self, hash: &LockHash) -> Option<&Invoice> {
        self.locks.invoices.get(hash)
    }

    /// Fees that payments which have gone through us have left.
    pub fn earned(&self) -> Balance {
        self.payments.earned()
    }

    /// Hashes whose secrets matter.
    pub fn hashes(&self) -> Vec<LockHash> {
        self.locks.watched.keys().copied().collect()
    }

    /// Partners with a channel that the chain may know of.
    pub fn partners(&self) -> Vec<AccountId> {
        self.entries.keys().filter(|partner| !self.is_process(partner)).cloned().collect()
    }

    /// One input. `now_ms` is the time in milliseconds since 1970.
    pub fn handle(&mut self, now_ms: u64, input: Input, out: &mut Output) {
        self.now_ms = now_ms;
        match input {
            Input::Connected { partner, session } => self.on_connected(partner, session, out),
            Input::Disconnected { partner, session } => self.on_disconnected(&partner, session),
            Input::Message { partner, session, message } => {
                self.on_message(partner, session, message, out)
            },
            Input::Chain(news) => self.on_chain(news, out),
            Input::Balances(balances) => self.insurer_balances(balances, out),
            Input::CallEnded { number, outcome } => {
                self.ended.push((number, outcome));
                self.conclude_calls(out);
            },
            Input::Command(command, reply) => self.on_command(command, reply, out),
            Input::Tick => {
                self.on_tick(out);
                self.entries.rest();
            },
        }
    }

    /// Completes an output: every channel that changed is sealed, and stored as it is now.
    pub fn finish(&mut self, out: &mut Output) {
        let dirty = std::mem::take(&mut out.dirty);
        self.seal(&dirty, out);
        self.tell_delivered(out);
        self.payments.store(self.policy.payments_in_memory, &mut out.batch);
        for partner in dirty {
            self.note_risk(&partner);
            if let Some(entry) = self.entries.get_mut(&partner) {
                self.outboxes.note(&entry.channel);
                self.recent.put(&partner, &entry.channel.encode_lean(), &mut out.batch);
            }
        }
        let most = self.policy.channels_on_pages;
        self.recent.store(most, &mut self.entries, &mut out.batch);
        self.outboxes.store(&self.entries, &mut out.batch);
    }

    /// Whether the node delivers blocks.
    pub(super) fn is_fresh(&self) -> bool {
        let age = self.best_since.map(|since| self.now_ms.saturating_sub(since));
        age.is_some_and(|age| age <= self.policy.stale_after_ms)
    }

    /// Stores a call and has it submitted. Returns its number.
    pub(super) fn submit(&mut self, record: Record, reply: Option<Reply>, out: &mut Output) -> u64 {
        let number = self.next_call;
        self.next_call = self.next_call.saturating_add(1);
        out.batch.put(Table::Intents, number.to_be_bytes(), record.encode());
        self.calls.insert(number, record.clone());
        self.call_since.insert(number, self.now_ms);
        self.counters.submitted(record.call.name(), record.call.secrets());
        if let Some(reply) = reply {
            self.call_replies.insert(number, reply);
        }
        out.actions.push(Action::Submit(number, record));
        number
    }

    /// Concludes the calls whose blocks we know: who asked for one, and the next rebalance, must
    /// see what it did.
    pub(super) fn conclude_calls(&mut self, out: &mut Output) {
        let known = self.finalized.block;
        let (ready, later) = std::mem::take(&mut self.ended)
            .into_iter()
            .partition(|(_, outcome)| outcome.block().is_none_or(|block| block <= known));
        self.ended = later;
        let ready: Vec<(u64, Outcome)> = ready;
        for (number, outcome) in ready {
            self.on_call_ended(number, outcome, out);
        }
    }

    fn on_call_ended(&mut self, number: u64, outcome: Outcome, out: &mut Output) {
        let Some(record) = self.calls.remove(&number) else { return };
        self.call_since.remove(&number);
        self.counters.call_ended(record.call.name(), outcome.name());
        out.batch.delete(Table::Intents, number.to_be_bytes());
        let answer = match &outcome {
            Outcome::Done { block } => Ok(Answer::OnChain(*block)),
            Outcome::Failed { error, .. } => Err(CommandError::Chain(error.clone())),
            Outcome::Rejected { reason } => Err(CommandError::Chain(reason.clone())),
            Outcome::Unknown { reason } => Err(CommandError::Uncertain(reason.clone())),
            Outcome::Pointless => Err(CommandError::Pointless),
        };
        if let Err(error) = &answer {
            warn!(call = record.call.name(), %error, "a call came to nothing");
        }
        if let Some(reply) = self.call_replies.remove(&number) {
            out.reply(reply, answer);
        }
        if record.intent == Intent::Rebalance {
            self.insurer_done(number, &record.call, &outcome, out);
        }
    }

    fn on_tick(&mut self, out: &mut Output) {
        self.flush_acks(out);
        let due = |since: Option<u64>, delay: u64, now: u64| {
            since.is_some_and(|since| now.saturating_sub(since) >= delay)
        };
        let unsigned: Vec<AccountId> = self
            .unsigned
            .iter()
            .filter(|partner| {
                self.entries.get(partner).is_some_and(|entry| {
                    due(entry.unsigned_since, self.policy.sign_delay_ms, self.now_ms)
                })
            })
            .cloned()
            .collect();
        for partner in unsigned {
            self.with_channel(&partner, out, |channel, ctx| channel.sign_unsigned(ctx));
        }
        self.end_withdrawals(out);
        self.relay_waiting(out);
        self.ask_more(out);
        self.announce(out);
        self.insurer_tick(out);
    }

    /// Whether a partner's channel takes updates.
    pub(super) fn is_open(&self, partner: &AccountId) -> Result<bool, Option<FreezeReason>> {
        match self.entries.get(partner) {
            None => Err(None),
            Some(entry) => match entry.channel.frozen() {
                Some(reason) => Err(Some(reason)),
                None => Ok(entry.session.is_some()),
            },
        }
    }
}

/// Whether a lock for us is pending.
pub(super) fn is_guarded(channel: &Channel) -> bool {
    channel.state().theirs.locks().next().is_some()
}

impl Entry {
    pub(super) fn new(mut channel: Channel) -> Self {
        channel.sign_later();
        let (ack_since, unsigned_since, insure) = (None, None, BTreeSet::new());
        Self { channel, session: None, ack_since, unsigned_since, insure, fault: None }
    }

    /// Whether its stored form says all, and nothing happens before somebody comes.
    pub(super) fn can_sleep(&self) -> bool {
        let waits = self.ack_since.is_some() || self.unsigned_since.is_some();
        let known = self.session.is_some() || self.fault.is_some() || !self.insure.is_empty();
        !waits && !known && self.channel.is_idle()
    }
}
