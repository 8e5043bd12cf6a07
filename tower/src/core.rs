//! A tower's mind: inputs in, what to store and what to do out.
//!
//! No I/O, no clock, no sockets. The host collects inputs, calls [`Core::handle`] for each, commits
//! [`Output::batch`] once for all of them, and only then carries the actions out. So a receipt says that
//! the packet is on disk, and a crash at any point starts from what was.
//!
//! Disputes are looked at in best blocks; what is revealed, and that an epoch is over, counts only when
//! it is final.

mod calls;
mod disputes;
mod packets;
mod secrets;
#[cfg(test)]
mod tests;

use crate::{
    alarms::{Alarms, Cause},
    records::{Key, Watched},
};
use codec::Decode;
use failsafe_channel::{Moment, PairFacts};
use failsafe_hub::{
    chain::{
        submit::{Outcome, Record},
        ChainNews, Track,
    },
    store::{Batch, Store, StoreError, Table},
    watchtower::{PacketError, WatchPacket},
};
use failsafe_primitives::{
    evidence::latest_expiry_in_counter, simplex::LockHash, view::ChannelView, AccountId, Balance,
    Clock, Pair, Parameters,
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::oneshot;

/// First and longest pause, in usable blocks, until something is submitted again that the chain did
/// not take: each refusal may cost a fee.
const PAUSES: (Clock, Clock) = (2, 16);

/// How much a tower does for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Channels of one client.
    pub max_channels: u32,
    /// Bytes of one client.
    pub max_bytes: u64,
    /// Usable blocks after a lock's expiry for which its revealed secret is kept on chain.
    pub keep_secrets: Clock,
    /// Age of the newest block, in milliseconds, from which the node counts as stale.
    pub stale_after_ms: u64,
    /// What the account should have for fees, in the native asset's smallest unit.
    pub min_balance: Balance,
}

/// Who waits for the answer about a packet.
pub type Reply = oneshot::Sender<Result<(), PacketError>>;

/// What happens to a tower.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "moved once")]
pub enum Input {
    /// A client hands a packet over, of which [`WatchPacket::check`] has been passed.
    Offer {
        /// Who.
        client: AccountId,
        /// What.
        packet: WatchPacket,
        /// Told when it is on disk, or why it is not taken.
        reply: Reply,
    },
    /// Something happened on chain.
    Chain(ChainNews),
    /// A call has come to its end.
    CallEnded {
        /// Its number.
        number: u64,
        /// How.
        outcome: Outcome,
    },
    /// What the tower's account can pay fees from.
    Funds(Balance),
    /// Somebody asks how it is.
    Ask(oneshot::Sender<Report>),
    /// Time passes.
    Tick,
}

/// Something to do after the batch is durable.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "moved once")]
pub enum Action {
    /// Follow the disputes of a pair, or the secret of a hash, or no more.
    Track(Track),
    /// Bring a stored call to the chain.
    Submit(u64, Record),
    /// Answer a client.
    Reply(Reply, Result<(), PacketError>),
    /// Answer who asks.
    Report(oneshot::Sender<Report>, Report),
}

/// What inputs lead to.
#[derive(Debug, Default)]
pub struct Output {
    /// To be made durable before anything else.
    pub batch: Batch,
    /// To be done after that, in order.
    pub actions: Vec<Action>,
}

impl Output {
    fn track(&mut self, track: Track) {
        self.actions.push(Action::Track(track));
    }
}

/// How a tower is.
#[derive(Clone, Debug)]
pub struct Report {
    /// Newest finalized block.
    pub finalized: Moment,
    /// Newest best block.
    pub best: Moment,
    /// Whether the node shows new blocks.
    pub fresh: bool,
    /// What the account can pay fees from, once it was read.
    pub funds: Option<Balance>,
    /// Clients with packets.
    pub clients: usize,
    /// Packets: channels and epochs that are watched.
    pub channels: usize,
    /// Bytes of them.
    pub bytes: u64,
    /// Secrets in them.
    pub secrets: usize,
    /// Pairs in dispute.
    pub disputes: Vec<Pair>,
    /// Calls on their way.
    pub calls: Vec<&'static str>,
    /// What is wrong or was missed: since when, and what.
    pub alarms: Vec<(u64, String)>,
    /// How often things happened.
    pub counts: crate::alarms::Counts,
}

/// When something is tried again.
#[derive(Clone, Copy, Debug, Default)]
struct Retry {
    next: Clock,
    pause: Clock,
}

impl Retry {
    /// Whether it is time; if so, the next time is after a longer pause.
    fn is_due(&mut self, now: Clock) -> bool {
        if now < self.next {
            return false;
        }
        self.pause = self.pause.saturating_mul(2).clamp(PAUSES.0, PAUSES.1);
        self.next = now.saturating_add(self.pause);
        true
    }
}

/// What is known of a pair.
#[derive(Default)]
struct Seen {
    /// By the newest finalized block that touches it.
    finalized: Option<ChannelView>,
    /// By a newer best block.
    best: Option<(Moment, ChannelView)>,
    /// Packets that came before anything was known.
    waiting: Vec<(AccountId, WatchPacket, Reply)>,
}

impl Seen {
    fn newest(&self) -> Option<&ChannelView> {
        self.best.as_ref().map(|(_, view)| view).or(self.finalized.as_ref())
    }

    fn in_dispute(&self) -> bool {
        self.newest().is_some_and(|view| view.dispute.is_some())
    }
}

/// What a client takes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    channels: u32,
    bytes: u64,
}

/// A tower's mind.
pub struct Core {
    limits: Limits,
    packets: BTreeMap<Key, Watched>,
    usage: BTreeMap<AccountId, Usage>,
    pairs: BTreeMap<Pair, Seen>,
    /// Pairs of the next finalized block.
    parts: Vec<PairFacts>,
    waiting: usize,
    /// Pairs in dispute by what was seen last.
    disputed: BTreeSet<Pair>,
    /// Packets with secrets.
    secretive: BTreeSet<Key>,
    /// How many packets have a secret of this hash.
    hashes: BTreeMap<LockHash, u32>,
    /// When watched secrets were first revealed, by finalized blocks.
    revealed: BTreeMap<LockHash, Clock>,
    parameters: Option<Parameters>,
    finalized: Moment,
    best: Moment,
    best_since: Option<u64>,
    started_ms: Option<u64>,
    funds: Option<Balance>,
    calls: BTreeMap<u64, Record>,
    /// Calls that are final in a block of which the news have not come in yet.
    ended: Vec<(u64, Outcome)>,
    next_call: u64,
    counters: BTreeMap<Key, Retry>,
    resolves: BTreeMap<Pair, Retry>,
    alarms: Alarms,
    now_ms: u64,
}

impl Core {
    /// A tower as its store has it. Stored calls are started by the host: [`Core::stored_calls`].
    pub fn load(limits: Limits, store: &dyn Store) -> Result<Self, StoreError> {
        let damaged =
            |table: Table, reason: String| StoreError::Damaged { table: table.name(), reason };
        let mut core = Self {
            limits,
            packets: BTreeMap::new(),
            usage: BTreeMap::new(),
            pairs: BTreeMap::new(),
            parts: vec![],
            waiting: 0,
            disputed: BTreeSet::new(),
            secretive: BTreeSet::new(),
            hashes: BTreeMap::new(),
            revealed: BTreeMap::new(),
            parameters: None,
            finalized: Moment::default(),
            best: Moment::default(),
            best_since: None,
            started_ms: None,
            funds: None,
            calls: BTreeMap::new(),
            ended: vec![],
            next_call: 0,
            counters: BTreeMap::new(),
            resolves: BTreeMap::new(),
            alarms: Alarms::default(),
            now_ms: 0,
        };
        for (key, value) in store.scan(Table::Packets)? {
            let key =
                Key::decode(&mut &key[..]).map_err(|e| damaged(Table::Packets, e.to_string()))?;
            let watched =
                Watched::from_bytes(&value).map_err(|reason| damaged(Table::Packets, reason))?;
            core.pairs.entry(watched.pair().clone()).or_default();
            // What is to be tracked is what `pairs` and `hashes` tell the host.
            core.put(key, watched, &mut Output::default());
        }
        for (number, value) in store.scan(Table::Intents)? {
            let number = <[u8; 8]>::try_from(number)
                .map_err(|_| damaged(Table::Intents, "a number of the wrong length".into()))?;
            let number = u64::from_be_bytes(number);
            let record = Record::decode(&mut &value[..])
                .map_err(|e| damaged(Table::Intents, e.to_string()))?;
            core.calls.insert(number, record);
            core.next_call = core.next_call.max(number.saturating_add(1));
        }
        Ok(core)
    }

    /// Calls that were on their way when the tower stopped.
    pub fn stored_calls(&self) -> impl Iterator<Item = (u64, Record)> + '_ {
        self.calls.iter().map(|(number, record)| (*number, record.clone()))
    }

    /// Pairs whose disputes matter.
    pub fn pairs(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.keys()
    }

    /// Hashes whose secrets matter.
    pub fn hashes(&self) -> impl Iterator<Item = LockHash> + '_ {
        self.hashes.keys().copied()
    }

    /// Latest expiry of a lock in a packet that is of use: what a dispute that is opened now would
    /// take. `None` until the chain is known.
    pub fn latest_expiry(&self) -> Option<Clock> {
        let parameters = self.parameters.as_ref()?;
        (self.best.block > 0)
            .then(|| latest_expiry_in_counter(self.best.clock, parameters.lock_window))
    }

    /// What is stored for a client's channel.
    pub fn watched(&self, key: &Key) -> Option<&Watched> {
        self.packets.get(key)
    }

    /// What is wrong or was missed.
    pub fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// One input. `now_ms` is the time in milliseconds since 1970.
    pub fn handle(&mut self, now_ms: u64, input: Input, out: &mut Output) {
        self.now_ms = now_ms;
        self.started_ms.get_or_insert(now_ms);
        match input {
            Input::Offer { client, packet, reply } => self.on_offer(client, packet, reply, out),
            Input::Chain(news) => self.on_chain(news, out),
            Input::CallEnded { number, outcome } => {
                self.ended.push((number, outcome));
                self.conclude_calls(out);
            },
            Input::Funds(funds) => self.on_funds(funds),
            Input::Ask(reply) => out.actions.push(Action::Report(reply, self.report())),
            Input::Tick => self.on_tick(),
        }
    }

    pub(super) fn is_fresh(&self) -> bool {
        let since = self.best_since.or(self.started_ms);
        since.is_some_and(|since| self.now_ms.saturating_sub(since) <= self.limits.stale_after_ms)
    }

    pub(super) fn on_tick(&mut self) {
        if self.is_fresh() {
            return;
        }
        let text = format!(
            "the node has shown no new block for {} seconds: no dispute is seen",
            self.limits.stale_after_ms / 1_000
        );
        self.alarms.raise(self.now_ms, Cause::NodeStale, text);
    }

    pub(super) fn on_funds(&mut self, funds: Balance) {
        self.funds = Some(funds);
        if funds >= self.limits.min_balance {
            return self.alarms.clear(&Cause::LowFunds);
        }
        let text = "the tower's account has less than min_balance: send it money for fees".into();
        self.alarms.raise(self.now_ms, Cause::LowFunds, text);
    }

    pub(super) fn report(&self) -> Report {
        Report {
            finalized: self.finalized,
            best: self.best,
            fresh: self.best_since.is_some() && self.is_fresh(),
            funds: self.funds,
            clients: self.usage.len(),
            channels: self.packets.len(),
            bytes: self.usage.values().fold(0, |sum: u64, usage| sum.saturating_add(usage.bytes)),
            secrets: self.hashes.len(),
            disputes: self.disputed.iter().cloned().collect(),
            calls: self.calls.values().map(|record| record.call.name()).collect(),
            alarms: self.alarms.all().map(|(_, a)| (a.since_ms, a.text.clone())).collect(),
            counts: self.alarms.counts,
        }
    }
}
