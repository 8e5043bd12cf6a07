//! A party's mind: inputs in, what to store and what to do out.
//!
//! No I/O, no clock, no sockets. The host collects inputs, calls [`Core::handle`] for each, commits
//! [`Output::batch`] once for all of them, and only then carries the actions out, in order. So
//! everything that leaves is durable, and a crash at any point starts from what was.

use super::{
    insurer::Insurer,
    payments::{Direction, PaymentRecord, PaymentState, Payments},
    policy::Policy,
};
use crate::{
    chain::{
        submit::{Outcome, Record},
        Call, ChainNews, Intent,
    },
    keys::AccountKey,
    rebalance::Plan,
    store::{Batch, Store, StoreError, Table},
};
use codec::{Decode, Encode};
use failsafe_channel::{
    message::{Message, RefusalReason},
    AssetTerms, ChainAction, Channel, Context, Effect, Event, FreezeReason, Moment, PairFacts,
    PaymentId, Purpose, Refusal, ReturnReason, Sign, Summary,
};
use failsafe_primitives::{
    fees::HubFees, view::BalanceView, AccountId, AssetId, Balance, Clock, Epoch, Withdrawal,
};
use sp_core::H256;
use sp_runtime::MultiSignature;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use tokio::sync::oneshot;
use tracing::{debug, error, info, warn};

/// Number of a peer's connection.
pub type SessionId = u64;
/// Where the answer to a command goes.
pub type Reply = oneshot::Sender<Result<Answer, CommandError>>;
/// Most messages kept of a peer whose channel is not known yet.
const MAX_EARLY: usize = 64;
/// For how many usable blocks a withdrawal proof is asked for.
const PROOF_VALIDITY: Clock = 60;

/// What a command comes to.
#[derive(Debug)]
pub enum Answer {
    /// It is done; nothing to tell.
    Done,
    /// A payment and where it stands.
    Payment(PaymentId, PaymentState),
    /// It is final on chain in this block.
    OnChain(u32),
    /// All channels.
    Channels(Vec<ChannelReport>),
    /// Payments, the newest first.
    Payments(Vec<(PaymentId, PaymentRecord)>),
    /// A rebalance plan.
    Plan(Plan),
    /// Where the rebalancing stands.
    Rebalance(String),
    /// Where the party stands.
    Standing(Standing),
}

/// Where the party stands with the chain.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Newest finalized block.
    pub finalized: Moment,
    /// Newest best block.
    pub best: Moment,
    /// Whether the best block is recent.
    pub fresh: bool,
    /// Calls on their way to the chain.
    pub pending_calls: usize,
    /// Partners connected now.
    pub connected: usize,
}

/// A channel for people.
#[derive(Clone, Debug)]
pub struct ChannelReport {
    /// The partner.
    pub partner: AccountId,
    /// Who owns what.
    pub summary: Summary,
    /// What the partner owes us on chain.
    pub owed_to_me: Vec<(AssetId, Balance)>,
    /// What the partner did wrong, if it did.
    pub fault: Option<String>,
}

/// Why a command fails. Nothing has changed, unless it says so.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CommandError {
    /// No channel with this account.
    #[error("there is no channel with {0}: connect to it first")]
    UnknownPartner(AccountId),
    /// The partner is not connected.
    #[error("{0} is not connected: it has to answer")]
    NotConnected(AccountId),
    /// The channel does not allow it.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The payment came back.
    #[error("the payment came back: {0:?}; nothing was lost")]
    Returned(ReturnReason),
    /// The payment was made already.
    #[error("payment {0} has been made already; it is not made twice")]
    Duplicate(PaymentId),
    /// The node does not deliver blocks.
    #[error("the node has shown no new block for a while: nothing is paid before it does")]
    Stale,
    /// The partner does not sign.
    #[error("the partner refused: {0:?}")]
    PartnerRefused(RefusalReason),
    /// The chain refused it.
    #[error("the chain refused it: {0}")]
    Chain(String),
    /// It has become pointless.
    #[error("the channel has moved on to another epoch: it has become pointless")]
    Pointless,
    /// Something of the kind is under way.
    #[error("{0} is under way already: wait for it")]
    Busy(&'static str),
    /// Too much money for the numbers.
    #[error("the amount is too large")]
    Overflow,
    /// Only hubs do this.
    #[error("only a hub does this")]
    NotAHub,
    /// The party has stopped.
    #[error("the party has stopped")]
    Stopped,
    /// No answer in time.
    #[error("no answer in time; what was signed stays signed: look at the status")]
    Timeout,
    /// Anything that is wrong with a request before it reaches the channels.
    #[error("{0}")]
    Invalid(String),
}

/// What somebody wants the party to do.
#[derive(Debug)]
pub enum Command {
    /// Pay `to`, through `via` unless they are the same.
    Pay {
        /// Names the payment; the same name is never paid twice.
        id: PaymentId,
        /// The partner that is paid or forwards.
        via: AccountId,
        /// Who is paid.
        to: AccountId,
        /// The asset.
        asset: AssetId,
        /// What arrives.
        amount: Balance,
        /// What `via` asks for forwarding.
        fees: HubFees,
    },
    /// State terms to a partner, now and in every epoch.
    SetTerms {
        /// The partner.
        partner: AccountId,
        /// The asset.
        asset: AssetId,
        /// The terms.
        terms: AssetTerms,
    },
    /// Withdraw with the partner's proof, and deposit at once elsewhere if asked to.
    Withdraw {
        /// The partner.
        partner: AccountId,
        /// The asset.
        asset: AssetId,
        /// The amount.
        amount: Balance,
        /// A deposit in the same batch: beneficiary, its partner, and the pair's epoch.
        deposit_to: Option<(AccountId, AccountId, Option<Epoch>)>,
    },
    /// Submit a call of the user.
    Submit(Box<Call>),
    /// Take a partner to the chain.
    Dispute {
        /// The partner.
        partner: AccountId,
    },
    /// Close a channel by agreement.
    Close {
        /// The partner.
        partner: AccountId,
        /// Let the partner submit it.
        partner_submits: bool,
    },
    /// Ask a hub for insurance.
    RequestInsurance {
        /// The hub.
        partner: AccountId,
        /// The asset.
        asset: AssetId,
    },
    /// Start a rebalance round, or only plan it.
    Rebalance {
        /// Plan only.
        dry_run: bool,
    },
    /// Where the rebalancing stands.
    RebalanceStatus,
    /// All channels.
    Channels,
    /// The newest payments.
    Payments {
        /// At most this many.
        limit: usize,
    },
    /// Where the party stands.
    Standing,
}

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
    /// Follow a pair on chain; the answer is [`ChainNews::Tracked`].
    Track(AccountId),
    /// Bring a stored call to the chain.
    Submit(u64, Record),
    /// Read our on-chain balances; the answer is [`Input::Balances`].
    ReadBalances(Vec<AssetId>),
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
    dirty: BTreeSet<AccountId>,
}

impl Output {
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
    /// Assets for which the partner asked for insurance.
    pub insure: BTreeSet<AssetId>,
    /// What the partner did wrong.
    pub fault: Option<String>,
}

/// A withdrawal whose proof is awaited.
struct PendingWithdrawal {
    deposit_to: Option<(AccountId, AccountId, Option<Epoch>)>,
    reply: Reply,
}

/// A party's mind.
pub struct Core {
    pub(super) me: AccountId,
    key: Arc<AccountKey>,
    genesis: H256,
    pub(super) policy: Policy,
    pub(super) entries: HashMap<AccountId, Entry>,
    pub(super) finalized: Moment,
    pub(super) best: Moment,
    best_since: Option<u64>,
    pub(super) payments: Payments,
    pub(super) insurer: Insurer,
    /// Connected peers whose channel is not known yet, with what they have said.
    pending: HashMap<AccountId, (SessionId, Vec<Message>)>,
    /// Terms that a person decided.
    decided: HashMap<AccountId, BTreeMap<AssetId, AssetTerms>>,
    /// Calls on their way.
    calls: BTreeMap<u64, Record>,
    next_call: u64,
    call_replies: HashMap<u64, Reply>,
    pay_replies: HashMap<PaymentId, Reply>,
    withdrawals: HashMap<AccountId, PendingWithdrawal>,
    close_replies: HashMap<AccountId, Reply>,
    /// Channels that a new block may move.
    waiting: BTreeSet<AccountId>,
    pub(super) now_ms: u64,
}

impl Core {
    /// A party as its store has it. Stored calls are started by the host: [`Core::stored_calls`].
    pub fn load(
        key: Arc<AccountKey>,
        genesis: H256,
        policy: Policy,
        store: &dyn Store,
    ) -> Result<Self, StoreError> {
        let damaged = |table: Table, reason: String| StoreError::Damaged {
            table: table.name(),
            reason,
        };
        let partner = |table: Table, bytes: Vec<u8>| {
            AccountId::decode(&mut &bytes[..]).map_err(|e| damaged(table, e.to_string()))
        };
        let mut entries = HashMap::new();
        for (key, value) in store.scan(Table::Channels)? {
            let channel =
                Channel::decode_state(&value).map_err(|e| damaged(Table::Channels, e))?;
            entries.insert(partner(Table::Channels, key)?, Entry::new(channel));
        }
        let mut payments = vec![];
        for (key, value) in store.scan(Table::Payments)? {
            let read = |e: codec::Error| damaged(Table::Payments, e.to_string());
            let id = PaymentId::decode(&mut &key[..]).map_err(read)?;
            payments.push((id, PaymentRecord::decode(&mut &value[..]).map_err(read)?));
        }
        let mut calls = BTreeMap::new();
        for (key, value) in store.scan(Table::Intents)? {
            let number = <[u8; 8]>::try_from(key)
                .map(u64::from_be_bytes)
                .map_err(|_| damaged(Table::Intents, "a number of the wrong length".into()))?;
            let record = Record::decode(&mut &value[..])
                .map_err(|e| damaged(Table::Intents, e.to_string()))?;
            calls.insert(number, record);
        }
        let mut decided = HashMap::new();
        for (key, value) in store.scan(Table::Terms)? {
            let terms = BTreeMap::decode(&mut &value[..])
                .map_err(|e| damaged(Table::Terms, e.to_string()))?;
            decided.insert(partner(Table::Terms, key)?, terms);
        }
        let mut wanted = BTreeMap::new();
        for (key, value) in store.scan(Table::Wanted)? {
            let since = u64::decode(&mut &value[..])
                .map_err(|e| damaged(Table::Wanted, e.to_string()))?;
            wanted.insert(partner(Table::Wanted, key)?, since);
        }
        let rebalance = calls
            .iter()
            .find(|(_, record)| record.intent == Intent::Rebalance)
            .map(|(number, _)| *number);
        let waiting = entries
            .iter()
            .filter(|(_, entry)| entry.channel.waits_for_blocks())
            .map(|(partner, _)| partner.clone())
            .collect();
        Ok(Self {
            me: key.account(),
            key,
            genesis,
            policy,
            entries,
            finalized: Moment::default(),
            best: Moment::default(),
            best_since: None,
            payments: Payments::load(payments),
            insurer: Insurer::load(wanted, rebalance),
            pending: HashMap::new(),
            decided,
            next_call: calls.keys().next_back().map_or(0, |last| last.saturating_add(1)),
            calls,
            call_replies: HashMap::new(),
            pay_replies: HashMap::new(),
            withdrawals: HashMap::new(),
            close_replies: HashMap::new(),
            waiting,
            now_ms: 0,
        })
    }

    /// Calls that were on their way when the party stopped.
    pub fn stored_calls(&self) -> impl Iterator<Item = (u64, Record)> + '_ {
        self.calls.iter().map(|(number, record)| (*number, record.clone()))
    }

    /// Partners with a channel.
    pub fn partners(&self) -> Vec<AccountId> {
        self.entries.keys().cloned().collect()
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
            Input::CallEnded { number, outcome } => self.on_call_ended(number, outcome, out),
            Input::Command(command, reply) => self.on_command(command, reply, out),
            Input::Tick => self.on_tick(out),
        }
    }

    /// Completes an output: every channel that changed is stored as it is now.
    pub fn finish(&self, out: &mut Output) {
        for partner in std::mem::take(&mut out.dirty) {
            if let Some(entry) = self.entries.get(&partner) {
                out.batch.put(Table::Channels, partner.encode(), entry.channel.encode_state());
            }
        }
    }

    // --- peers -------------------------------------------------------------------------------

    fn on_connected(&mut self, partner: AccountId, session: SessionId, out: &mut Output) {
        if let Some(entry) = self.entries.get_mut(&partner) {
            entry.session = Some(session);
            let effects = entry.channel.connected();
            self.apply(&partner, effects, out);
            self.restate_terms(&partner, out);
            return;
        }
        if !self.policy.accepts(&partner) {
            let reason = "this party has channels only with hubs of its choice".to_string();
            out.actions.push(Action::Disconnect(partner, reason));
            return;
        }
        if self.entries.len() + self.pending.len() >= self.policy.max_partners {
            let reason = "this hub has no room for more partners".to_string();
            out.actions.push(Action::Disconnect(partner, reason));
            return;
        }
        self.pending.insert(partner.clone(), (session, vec![]));
        out.actions.push(Action::Track(partner));
    }

    fn on_disconnected(&mut self, partner: &AccountId, session: SessionId) {
        if self.pending.get(partner).is_some_and(|(known, _)| *known == session) {
            self.pending.remove(partner);
        }
        if let Some(entry) = self.entries.get_mut(partner) {
            if entry.session == Some(session) {
                entry.session = None;
                entry.channel.disconnected();
            }
        }
    }

    fn on_message(
        &mut self,
        partner: AccountId,
        session: SessionId,
        message: Message,
        out: &mut Output,
    ) {
        if let Some((known, early)) = self.pending.get_mut(&partner) {
            if *known == session && early.len() < MAX_EARLY {
                early.push(message);
            }
            return;
        }
        let Some(entry) = self.entries.get(&partner) else { return };
        if entry.session != Some(session) {
            return;
        }
        self.with_channel(&partner, out, |channel, ctx| channel.receive(ctx, message));
    }

    /// The pair is known now: the channel of a new peer, or a pair that was asked for.
    fn on_tracked(&mut self, facts: PairFacts, out: &mut Output) {
        let pair = facts.view.pair.clone();
        let Some(side) = pair.side_of(&self.me) else { return };
        let partner = pair.account(side.other()).clone();
        if self.entries.contains_key(&partner) {
            return;
        }
        let channel = match Channel::new(self.genesis, &self.me, &partner, facts) {
            Ok(channel) => channel,
            Err(_) => return,
        };
        info!(%partner, "a new channel");
        self.entries.insert(partner.clone(), Entry::new(channel));
        out.dirty.insert(partner.clone());
        if let Some((session, early)) = self.pending.remove(&partner) {
            self.on_connected(partner.clone(), session, out);
            for message in early {
                self.on_message(partner.clone(), session, message, out);
            }
        }
    }

    // --- channels ----------------------------------------------------------------------------

    fn context(&self) -> Context<'_> {
        Context { signer: &*self.key, finalized: self.finalized, best: self.best }
    }

    /// Calls the engine of a partner's message or block; a fault ends the session and is remembered.
    fn with_channel<F>(&mut self, partner: &AccountId, out: &mut Output, call: F)
    where
        F: FnOnce(&mut Channel, &Context<'_>) -> Result<Vec<Effect>, failsafe_channel::Fault>,
    {
        let key = self.key.clone();
        let ctx = Context { signer: &*key, finalized: self.finalized, best: self.best };
        let Some(entry) = self.entries.get_mut(partner) else { return };
        match call(&mut entry.channel, &ctx) {
            Ok(effects) => self.apply(partner, effects, out),
            Err(fault) => {
                warn!(%partner, %fault, "a faulty message");
                entry.fault = Some(fault.to_string());
                let text = fault.to_string().into_bytes();
                let text = text.try_into().unwrap_or_default();
                out.actions.push(Action::Send(partner.clone(), Message::Fault { text }));
                out.actions.push(Action::Disconnect(partner.clone(), fault.to_string()));
            },
        }
    }

    /// Calls the engine for something that we want.
    pub(super) fn try_channel<F>(
        &mut self,
        partner: &AccountId,
        out: &mut Output,
        call: F,
    ) -> Result<(), CommandError>
    where
        F: FnOnce(&mut Channel, &Context<'_>) -> Result<Vec<Effect>, Refusal>,
    {
        let key = self.key.clone();
        let ctx = Context { signer: &*key, finalized: self.finalized, best: self.best };
        let entry = self
            .entries
            .get_mut(partner)
            .ok_or_else(|| CommandError::UnknownPartner(partner.clone()))?;
        let effects = call(&mut entry.channel, &ctx)?;
        self.apply(partner, effects, out);
        Ok(())
    }

    /// Carries the engine's effects out, events included.
    fn apply(&mut self, partner: &AccountId, effects: Vec<Effect>, out: &mut Output) {
        for effect in effects {
            match effect {
                Effect::Persist => {
                    out.dirty.insert(partner.clone());
                },
                Effect::Send(message) => {
                    if self.entries.get(partner).is_some_and(|entry| entry.session.is_some()) {
                        out.actions.push(Action::Send(partner.clone(), message));
                    }
                },
                Effect::Submit(action) => self.submit_for_channel(partner, action, out),
                Effect::Event(event) => self.on_event(partner, event, out),
            }
        }
        let now = self.now_ms;
        if let Some(entry) = self.entries.get_mut(partner) {
            entry.ack_since =
                if entry.channel.ack_is_due() { entry.ack_since.or(Some(now)) } else { None };
            if entry.channel.waits_for_blocks() {
                self.waiting.insert(partner.clone());
            } else {
                self.waiting.remove(partner);
            }
        }
    }

    fn on_event(&mut self, partner: &AccountId, event: Event, out: &mut Output) {
        match event {
            Event::Received { asset, amount, purpose } => {
                self.on_received(partner, asset, amount, purpose, out)
            },
            Event::Acked { nonce } => {
                for id in self.payments.acked(partner, nonce) {
                    self.on_payment_acked(id, out);
                }
            },
            Event::Delivered { id } => self.on_delivered(partner, id, out),
            Event::TermsChanged { asset, terms } => {
                debug!(%partner, asset, ?terms, "the partner's terms");
            },
            Event::ProofReceived { withdrawal, signature } => {
                self.on_proof(partner, withdrawal, signature, out)
            },
            Event::ProofRefused { reason, .. } => {
                warn!(%partner, ?reason, "the partner refused a withdrawal");
                if let Some(waiting) = self.withdrawals.remove(partner) {
                    out.reply(waiting.reply, Err(CommandError::PartnerRefused(reason)));
                }
                self.insurer_refused(partner, out);
            },
            Event::InsureRequested { asset } => {
                if let Some(entry) = self.entries.get_mut(partner) {
                    entry.insure.insert(asset);
                }
            },
            Event::CloseRefused { reason } => {
                if let Some(reply) = self.close_replies.remove(partner) {
                    out.reply(reply, Err(CommandError::PartnerRefused(reason)));
                }
            },
            Event::Frozen { reason } => warn!(%partner, %reason, "the channel is frozen"),
            Event::Thawed => {
                info!(%partner, "the channel takes updates again");
                if let Some(reply) = self.close_replies.remove(partner) {
                    out.reply(reply, Err(CommandError::Chain("the close was not used".into())));
                }
            },
            Event::EpochStarted { epoch } => self.on_epoch(partner, epoch, out),
            Event::DataLost { their_view } => {
                error!(%partner, their_view, "DATA LOST: the partner knows a newer state of ours");
            },
            Event::PartnerComplains { text } => {
                warn!(%partner, text, "the partner refused a message of ours");
            },
        }
    }

    fn on_epoch(&mut self, partner: &AccountId, epoch: Epoch, out: &mut Output) {
        info!(%partner, epoch, "a new epoch");
        self.payments.forget_unacked(partner);
        if let Some(entry) = self.entries.get_mut(partner) {
            entry.insure.clear();
            entry.fault = None;
        }
        if let Some(waiting) = self.withdrawals.remove(partner) {
            out.reply(waiting.reply, Err(CommandError::Pointless));
        }
        if let Some(reply) = self.close_replies.remove(partner) {
            out.reply(reply, Ok(Answer::OnChain(self.finalized.block)));
        }
        self.insurer_forget(partner, out);
        self.restate_terms(partner, out);
    }

    /// States the terms that are meant for `partner`, less what it owes on chain [M4]: a default line
    /// opens again only when nothing is owed.
    fn restate_terms(&mut self, partner: &AccountId, out: &mut Output) {
        let mut terms = self.policy.terms_for(partner);
        let decided = self.decided.get(partner).cloned().unwrap_or_default();
        let Some(entry) = self.entries.get_mut(partner) else { return };
        let mut effects = vec![];
        terms.extend(decided.clone());
        for (asset, mut terms) in terms {
            let owed = entry.channel.state().facts.owed(asset);
            if owed > 0 {
                let left = terms.credit.checked_sub(owed).unwrap_or_default();
                terms.credit = if decided.contains_key(&asset) { left } else { 0 };
            }
            effects.extend(entry.channel.set_terms(asset, terms));
        }
        self.apply(partner, effects, out);
    }

    // --- chain -------------------------------------------------------------------------------

    fn on_chain(&mut self, news: ChainNews, out: &mut Output) {
        match news {
            ChainNews::Tracked { facts } => self.on_tracked(facts, out),
            ChainNews::Best { moment, facts } => {
                self.best = moment;
                self.best_since = Some(self.now_ms);
                for facts in facts {
                    let Some(partner) = self.partner_of(&facts) else { continue };
                    let Some(entry) = self.entries.get_mut(&partner) else { continue };
                    let effects = entry.channel.on_best(&facts);
                    self.apply(&partner, effects, out);
                }
            },
            ChainNews::Finalized { moment, facts } => self.on_finalized(moment, facts, out),
        }
    }

    fn on_finalized(&mut self, moment: Moment, facts: Vec<PairFacts>, out: &mut Output) {
        self.finalized = moment;
        let mut touched = BTreeSet::new();
        for facts in facts {
            let Some(partner) = self.partner_of(&facts) else { continue };
            self.with_channel(&partner, out, |channel, ctx| channel.on_finalized(ctx, facts));
            // What the partner owes on chain may have changed.
            self.restate_terms(&partner, out);
            touched.insert(partner);
        }
        for partner in self.waiting.clone() {
            if !touched.contains(&partner) {
                self.with_channel(&partner, out, Channel::on_block);
            }
        }
    }

    fn partner_of(&self, facts: &PairFacts) -> Option<AccountId> {
        let side = facts.view.pair.side_of(&self.me)?;
        Some(facts.view.pair.account(side.other()).clone())
    }

    /// Whether the node delivers blocks.
    pub(super) fn is_fresh(&self) -> bool {
        let age = self.best_since.map(|since| self.now_ms.saturating_sub(since));
        age.is_some_and(|age| age <= self.policy.stale_after_ms)
    }

    fn submit_for_channel(&mut self, partner: &AccountId, action: ChainAction, out: &mut Output) {
        let Some(entry) = self.entries.get(partner) else { return };
        let epoch = entry.channel.epoch();
        let partner = partner.clone();
        let call = match action {
            ChainAction::Dispute { evidence, own_nonce } => {
                Call::Dispute { partner: partner.clone(), evidence, own_nonce }
            },
            ChainAction::Counter { evidence } => {
                Call::Counter { partner: partner.clone(), evidence }
            },
            ChainAction::Close { close, signature } => {
                Call::Close { partner: partner.clone(), close, signature }
            },
            ChainAction::LateClaim { epoch, simplex, signature } => {
                Call::LateClaim { payer: partner.clone(), epoch, simplex, signature }
            },
        };
        let record = Record::new(Intent::Channel(partner.clone(), epoch), call);
        let same = |known: &Record| known.intent == record.intent && known.call == record.call;
        if self.calls.values().any(same) {
            return;
        }
        let reply = match record.call {
            Call::Close { .. } => self.close_replies.remove(&partner),
            _ => None,
        };
        self.submit(record, reply, out);
    }

    /// Stores a call and has it submitted. Returns its number.
    pub(super) fn submit(
        &mut self,
        record: Record,
        reply: Option<Reply>,
        out: &mut Output,
    ) -> u64 {
        let number = self.next_call;
        self.next_call = self.next_call.saturating_add(1);
        out.batch.put(Table::Intents, number.to_be_bytes(), record.encode());
        self.calls.insert(number, record.clone());
        if let Some(reply) = reply {
            self.call_replies.insert(number, reply);
        }
        out.actions.push(Action::Submit(number, record));
        number
    }

    fn on_call_ended(&mut self, number: u64, outcome: Outcome, out: &mut Output) {
        let Some(record) = self.calls.remove(&number) else { return };
        out.batch.delete(Table::Intents, number.to_be_bytes());
        let answer = match &outcome {
            Outcome::Done { block } => Ok(Answer::OnChain(*block)),
            Outcome::Failed { error, .. } => Err(CommandError::Chain(error.clone())),
            Outcome::Rejected { reason } => Err(CommandError::Chain(reason.clone())),
            Outcome::Pointless => Err(CommandError::Pointless),
        };
        if let Err(error) = &answer {
            warn!(call = record.call.name(), %error, "a call came to nothing");
        }
        if let Some(reply) = self.call_replies.remove(&number) {
            out.reply(reply, answer);
        }
        if record.intent == Intent::Rebalance {
            self.insurer_done(number, &outcome, out);
        }
    }

    // --- payments ----------------------------------------------------------------------------

    fn on_received(
        &mut self,
        partner: &AccountId,
        asset: AssetId,
        amount: Balance,
        purpose: Purpose,
        out: &mut Output,
    ) {
        let (id, from) = match purpose {
            Purpose::Onward { id, to, amount: onward } => {
                return self.forward(partner, asset, amount, id, to, onward, out);
            },
            Purpose::Return { id, reason } => return self.on_returned(partner, id, reason, out),
            Purpose::Direct { id } => (id, partner.clone()),
            Purpose::Delivery { id, from } => (id, from),
        };
        if self.payments.get(&id).is_some() {
            // The money is ours all the same; only the name was taken.
            debug!(%id, "a payment came under a known name");
            return;
        }
        let record = PaymentRecord {
            at_ms: self.now_ms,
            direction: Direction::In,
            asset,
            amount,
            fee: 0,
            from,
            to: self.me.clone(),
            via: None,
            nonce: 0,
            state: PaymentState::Received,
        };
        self.store_payment(id, record, out);
    }

    pub(super) fn store_payment(
        &mut self,
        id: PaymentId,
        record: PaymentRecord,
        out: &mut Output,
    ) {
        out.batch.put(Table::Payments, id.encode(), record.encode());
        self.payments.insert(id, record);
    }

    fn move_payment(
        &mut self,
        id: PaymentId,
        state: PaymentState,
        out: &mut Output,
    ) -> Option<PaymentRecord> {
        let record = self.payments.set_state(&id, state)?.clone();
        out.batch.put(Table::Payments, id.encode(), record.encode());
        Some(record)
    }

    /// A partner has acknowledged what we paid it.
    fn on_payment_acked(&mut self, id: PaymentId, out: &mut Output) {
        let Some(known) = self.payments.get(&id).cloned() else { return };
        if known.state != PaymentState::Sent {
            return;
        }
        let arrived = known.direction == Direction::Through || known.via == Some(known.to.clone());
        let state = if arrived { PaymentState::Delivered } else { PaymentState::Accepted };
        self.move_payment(id, state, out);
        match known.direction {
            // The recipient has it: tell the payer.
            Direction::Through => {
                let connected = self.entries.get(&known.from).is_some_and(|e| e.session.is_some());
                if connected {
                    out.actions.push(Action::Send(known.from, Message::Delivered { id }));
                }
            },
            Direction::Out if arrived => self.reply_payment(id, Ok(state), out),
            Direction::Out | Direction::In => {},
        }
    }

    fn on_delivered(&mut self, partner: &AccountId, id: PaymentId, out: &mut Output) {
        let ours = self.payments.get(&id).is_some_and(|record| {
            record.direction == Direction::Out
                && record.via.as_ref() == Some(partner)
                && matches!(record.state, PaymentState::Sent | PaymentState::Accepted)
        });
        if ours {
            self.move_payment(id, PaymentState::Delivered, out);
            self.reply_payment(id, Ok(PaymentState::Delivered), out);
        }
    }

    fn on_returned(
        &mut self,
        partner: &AccountId,
        id: PaymentId,
        reason: ReturnReason,
        out: &mut Output,
    ) {
        let ours = self.payments.get(&id).is_some_and(|record| {
            record.direction == Direction::Out && record.via.as_ref() == Some(partner)
        });
        if ours {
            self.move_payment(id, PaymentState::Returned(reason), out);
            self.reply_payment(id, Err(CommandError::Returned(reason)), out);
        }
    }

    fn reply_payment(
        &mut self,
        id: PaymentId,
        answer: Result<PaymentState, CommandError>,
        out: &mut Output,
    ) {
        if let Some(reply) = self.pay_replies.remove(&id) {
            out.reply(reply, answer.map(|state| Answer::Payment(id, state)));
        }
    }

    /// Signs a payment to a partner and remembers it.
    pub(super) fn send_payment(
        &mut self,
        id: PaymentId,
        purpose: Purpose,
        total: Balance,
        record: PaymentRecord,
        out: &mut Output,
    ) -> Result<(), CommandError> {
        let via = record.via.clone().ok_or(CommandError::Overflow)?;
        let asset = record.asset;
        self.try_channel(&via, out, |channel, ctx| channel.pay(ctx, asset, total, purpose))?;
        let nonce = self.entries.get(&via).map_or(0, |e| e.channel.state().mine.nonce());
        self.store_payment(id, PaymentRecord { nonce, ..record }, out);
        Ok(())
    }

    // --- commands ----------------------------------------------------------------------------

    fn on_command(&mut self, command: Command, reply: Reply, out: &mut Output) {
        let answer = match command {
            Command::Pay { id, via, to, asset, amount, fees } => {
                match self.start_payment(id, via, to, asset, amount, fees, out) {
                    Ok(()) => {
                        self.pay_replies.insert(id, reply);
                        return;
                    },
                    Err(error) => Err(error),
                }
            },
            Command::SetTerms { partner, asset, terms } => {
                self.decide_terms(&partner, asset, terms, out)
            },
            Command::Withdraw { partner, asset, amount, deposit_to } => {
                match self.start_withdrawal(&partner, asset, amount, out) {
                    Ok(()) => {
                        let waiting = PendingWithdrawal { deposit_to, reply };
                        self.withdrawals.insert(partner, waiting);
                        return;
                    },
                    Err(error) => Err(error),
                }
            },
            Command::Submit(call) => {
                self.submit(Record::new(Intent::User, *call), Some(reply), out);
                return;
            },
            Command::Dispute { partner } => {
                let before = self.next_call;
                match self.try_channel(&partner, out, |channel, _| channel.dispute()) {
                    // The answer comes when the chain has it.
                    Ok(()) => {
                        let number = if self.next_call > before {
                            Some(before)
                        } else {
                            self.open_dispute(&partner)
                        };
                        match number {
                            Some(number) => {
                                self.call_replies.insert(number, reply);
                                return;
                            },
                            None => Ok(Answer::Done),
                        }
                    },
                    Err(error) => Err(error),
                }
            },
            Command::Close { partner, partner_submits } => {
                let connected = self.entries.get(&partner).is_some_and(|e| e.session.is_some());
                if !connected {
                    Err(CommandError::NotConnected(partner))
                } else {
                    match self.try_channel(&partner, out, |channel, ctx| {
                        channel.request_close(ctx, partner_submits)
                    }) {
                        Ok(()) => {
                            self.close_replies.insert(partner, reply);
                            return;
                        },
                        Err(error) => Err(error),
                    }
                }
            },
            Command::RequestInsurance { partner, asset } => {
                match self.entries.get(&partner) {
                    Some(entry) if entry.session.is_some() => {
                        let request = Message::InsureRequest { asset };
                        out.actions.push(Action::Send(partner, request));
                        Ok(Answer::Done)
                    },
                    Some(_) => Err(CommandError::NotConnected(partner)),
                    None => Err(CommandError::UnknownPartner(partner)),
                }
            },
            Command::Rebalance { dry_run } => return self.insurer_command(dry_run, reply, out),
            Command::RebalanceStatus => Ok(Answer::Rebalance(self.insurer.describe())),
            Command::Channels => Ok(Answer::Channels(self.report())),
            Command::Payments { limit } => Ok(Answer::Payments(self.payments.newest(limit))),
            Command::Standing => Ok(Answer::Standing(Standing {
                finalized: self.finalized,
                best: self.best,
                fresh: self.is_fresh(),
                pending_calls: self.calls.len(),
                connected: self.entries.values().filter(|e| e.session.is_some()).count(),
            })),
        };
        out.reply(reply, answer);
    }

    /// The dispute of ours that is on its way.
    fn open_dispute(&self, partner: &AccountId) -> Option<u64> {
        let ours = |call: &Call| matches!(call, Call::Dispute { partner: p, .. } if p == partner);
        self.calls.iter().find(|(_, record)| ours(&record.call)).map(|(number, _)| *number)
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of the command")]
    fn start_payment(
        &mut self,
        id: PaymentId,
        via: AccountId,
        to: AccountId,
        asset: AssetId,
        amount: Balance,
        fees: HubFees,
        out: &mut Output,
    ) -> Result<(), CommandError> {
        if self.payments.get(&id).is_some() {
            return Err(CommandError::Duplicate(id));
        }
        if !self.is_fresh() {
            return Err(CommandError::Stale);
        }
        let (purpose, fee) = if via == to {
            (Purpose::Direct { id }, 0)
        } else {
            let fee = fees.fee(amount).ok_or(CommandError::Overflow)?;
            (Purpose::Onward { id, to: to.clone(), amount }, fee)
        };
        let total = amount.checked_add(fee).ok_or(CommandError::Overflow)?;
        let record = PaymentRecord {
            at_ms: self.now_ms,
            direction: Direction::Out,
            asset,
            amount,
            fee,
            from: self.me.clone(),
            to,
            via: Some(via),
            nonce: 0,
            state: PaymentState::Sent,
        };
        self.send_payment(id, purpose, total, record, out)
    }

    fn decide_terms(
        &mut self,
        partner: &AccountId,
        asset: AssetId,
        terms: AssetTerms,
        out: &mut Output,
    ) -> Result<Answer, CommandError> {
        if !self.entries.contains_key(partner) {
            return Err(CommandError::UnknownPartner(partner.clone()));
        }
        let decided = self.decided.entry(partner.clone()).or_default();
        decided.insert(asset, terms);
        out.batch.put(Table::Terms, partner.encode(), decided.encode());
        self.restate_terms(partner, out);
        Ok(Answer::Done)
    }

    fn start_withdrawal(
        &mut self,
        partner: &AccountId,
        asset: AssetId,
        amount: Balance,
        out: &mut Output,
    ) -> Result<(), CommandError> {
        if self.withdrawals.contains_key(partner) {
            return Err(CommandError::Busy("a withdrawal"));
        }
        if self.entries.get(partner).is_some_and(|entry| entry.session.is_none()) {
            return Err(CommandError::NotConnected(partner.clone()));
        }
        self.try_channel(partner, out, |channel, ctx| {
            channel.reserve(ctx, vec![(asset, amount)], PROOF_VALIDITY)
        })
    }

    fn on_proof(
        &mut self,
        partner: &AccountId,
        withdrawal: Withdrawal,
        proof: MultiSignature,
        out: &mut Output,
    ) {
        let Some(waiting) = self.withdrawals.remove(partner) else {
            return self.insurer_proof(partner, out);
        };
        let items = withdrawal.items.clone();
        let withdraw = Call::Withdraw { partner: partner.clone(), withdrawal, proof };
        let call = match waiting.deposit_to {
            None => withdraw,
            Some((beneficiary, other, epoch)) => {
                let deposits = items.iter().map(|item| Call::Deposit {
                    asset: item.asset,
                    amount: item.amount,
                    beneficiary: beneficiary.clone(),
                    partner: other.clone(),
                    epoch,
                });
                Call::Batch { actions: std::iter::once(withdraw).chain(deposits).collect() }
            },
        };
        self.submit(Record::new(Intent::User, call), Some(waiting.reply), out);
    }

    // --- time and reports --------------------------------------------------------------------

    fn on_tick(&mut self, out: &mut Output) {
        let due = |since: Option<u64>, delay: u64, now: u64| {
            since.is_some_and(|since| now.saturating_sub(since) >= delay)
        };
        let acks: Vec<AccountId> = self
            .entries
            .iter()
            .filter(|(_, entry)| {
                entry.session.is_some()
                    && due(entry.ack_since, self.policy.ack_delay_ms, self.now_ms)
            })
            .map(|(partner, _)| partner.clone())
            .collect();
        for partner in acks {
            self.with_channel(&partner, out, |channel, ctx| Ok(channel.flush_ack(ctx)));
        }
        self.insurer_tick(out);
    }

    fn report(&self) -> Vec<ChannelReport> {
        let mut report: Vec<_> = self
            .entries
            .iter()
            .map(|(partner, entry)| ChannelReport {
                partner: partner.clone(),
                summary: entry.channel.summary(),
                owed_to_me: entry.channel.state().facts.owed_to_me.clone(),
                fault: entry.fault.clone(),
            })
            .collect();
        report.sort_by(|a, b| a.partner.cmp(&b.partner));
        report
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

    /// The engine's view of the world, for reads.
    pub(super) fn view(&self) -> Context<'_> {
        self.context()
    }
}

impl Entry {
    fn new(channel: Channel) -> Self {
        Self { channel, session: None, ack_since: None, insure: BTreeSet::new(), fault: None }
    }
}
