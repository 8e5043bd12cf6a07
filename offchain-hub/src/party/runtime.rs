//! A party's body: runs its [`Core`] on real sockets, a real disk and a real chain.
//!
//! The core has a thread of its own, because making a batch durable blocks. It takes all inputs that
//! wait, commits once, then acts: the busier it is, the fewer disk flushes a payment costs. If the
//! disk fails, the party stops at once, for what it has in memory it may not act on.

use super::{
    command::{Answer, Command, CommandError, Reply},
    connections::{dial_for_ever, lock, Dialing, Sessions, Troubles},
    core::{Action, Core, Feed, Input, Output, SessionId},
    entries::ByPartner,
    intercept::Interceptor,
    pace::Pace,
    policy::Policy,
    processes::ProcessPlan,
    records::PaymentRecord,
};
use crate::{
    chain::{self, ChainClient, ChainError, Follower, Outcome, Submitter, Track},
    keys::{AccountKey, KeyError},
    metrics::Counters,
    store::{
        self,
        backup::{self, BackupError, Contents},
        Store, StoreError,
    },
    transport::{self, Clogged, Frame, Identity, Outlet, TransportKey, Unwritten},
    watchtower::{Handover, Snapshot, TowerAddress, TowerStanding},
};
use codec::Encode;
use failsafe_channel::{Message, PaymentId, Sign};
use failsafe_primitives::{view::BalanceView, AccountId, AssetId};
use sp_runtime::MultiSignature;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::PathBuf,
    sync::{atomic::AtomicU64, Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::TcpListener,
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinSet,
    time::{interval, sleep, timeout, MissedTickBehavior},
};
use tracing::{debug, error, info, warn};

/// Inputs that may wait; who sends more waits too.
const INPUTS: usize = 4_096;
/// Inputs that one commit takes at most, so that the first of them does not wait for ever.
const MAX_INPUTS_PER_COMMIT: usize = 1_024;
/// For how long names are learned at a time while no input waits: less than a [`TICK`].
const LEARNS: Duration = Duration::from_millis(3);
/// How often time passes for the core.
const TICK: Duration = Duration::from_millis(5);
/// How long the first look at the chain may show nothing new.
const FIRST_BLOCK_TIMEOUT: Duration = Duration::from_secs(60);
/// How long watchtowers have to take the newest of every channel before a stop.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(3);
/// How long sessions have to send their last frames.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause before on-chain balances are asked for again.
const READ_PAUSE: Duration = Duration::from_millis(500);

/// Where a hub listens.
pub struct Listen {
    /// `host:port`; port 0 means any free one.
    pub address: String,
    /// The key that dialers know from the registry.
    pub transport: TransportKey,
}

/// A hub that is to be dialed.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its account.
    pub account: AccountId,
    /// Its endpoint and transport key; without them, the registry on chain is asked.
    pub place: Option<(String, [u8; 32])>,
}

/// What a party needs to run.
pub struct PartyConfig {
    /// Its account key.
    pub key: AccountKey,
    /// How it behaves.
    pub policy: Policy,
    /// Its store, open.
    pub store: Arc<dyn Store>,
    /// X25519 secret key to which onions are encrypted for it: a hub's transport key.
    pub onion_key: [u8; 32],
    /// Which process of a hub it is, if the hub has several. Such a one listens.
    pub processes: Option<ProcessPlan>,
    /// Where it listens, if it does.
    pub listen: Option<Listen>,
    /// Whom it dials.
    pub peers: Vec<Peer>,
    /// Watchtowers that get the newest of every channel.
    pub towers: Vec<TowerAddress>,
    /// Makes it fail on purpose, in tests.
    pub interceptor: Option<Box<dyn Interceptor>>,
}

/// Why a party does not start.
#[derive(Debug, thiserror::Error)]
pub enum PartyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The account's key, or the one towards the other processes.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The plan of the processes.
    #[error("{0}")]
    Processes(String),
    /// No block came.
    #[error("the node answers but shows no block: is it syncing?")]
    NoBlock,
    /// The listening address.
    #[error("cannot listen on {address} ({source}): is another hub running there?")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: std::io::Error,
    },
}

/// What reaches the core's thread.
#[allow(clippy::large_enum_variant, reason = "most are of the large kind")]
pub(super) enum HostInput {
    /// For the core.
    Core(Input),
    /// A session has begun; its frames go into `outlet`.
    Opened {
        /// Who is at the other end.
        partner: AccountId,
        /// Its number.
        session: SessionId,
        /// What is sent.
        outlet: Outlet,
    },
    /// The party stops.
    Stop,
}

impl HostInput {
    /// The message of a peer, if it is one.
    fn message(&self) -> Option<(&AccountId, &Message)> {
        match self {
            Self::Core(Input::Message { partner, message, .. }) => Some((partner, message)),
            _ => None,
        }
    }
}

/// A running party.
pub struct Party {
    account: AccountId,
    client: ChainClient,
    key: Arc<AccountKey>,
    inputs: mpsc::Sender<HostInput>,
    listening: Option<SocketAddr>,
    troubles: Troubles,
    handover: Handover,
    open: Arc<watch::Sender<usize>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    stopped: watch::Receiver<bool>,
    tasks: Mutex<JoinSet<()>>,
    /// Of the core's thread, which closes it.
    store: Weak<dyn Store>,
    counters: Counters,
    feed: Feed,
    dialing: Arc<Mutex<Dialing>>,
    sessions: Sessions,
}

impl Party {
    /// Starts a party: opens its books, looks at the chain, and only then at its peers.
    pub async fn start(client: ChainClient, config: PartyConfig) -> Result<Self, PartyError> {
        let PartyConfig { key, policy, store, onion_key, listen, peers, towers, .. } = config;
        let (interceptor, plan) = (config.interceptor, config.processes);
        let account = key.account();
        let genesis = client.info().genesis;
        let members = plan.map(|plan| plan.members(&onion_key)).transpose()?;
        let (front, process) = members.unzip();
        let share = front.as_ref().map(|front| &front.share);
        store::check_share(&*store, share)?;
        client.info().check_key(&key, store::has_channels(&*store)?)?;
        store::check_owner(&*store, &account, genesis)?;
        let listener = match &listen {
            None => None,
            Some(Listen { address, .. }) => Some(bind(address).await?),
        };
        let inner = match &front {
            None => None,
            Some(front) => Some(bind(front.plan.here()).await?),
        };
        let listening = listener.as_ref().and_then(|listener| listener.local_addr().ok());

        let key = Arc::new(key);
        let mut core = Core::load(key.clone(), genesis, policy, onion_key, store.clone())?;
        if let Some(process) = &process {
            core = core.with_process_key(process.clone());
        }
        let (quota, counters) = (core.peer_quota.clone(), core.counters().clone());
        let feed = core.feed.clone();
        let (inputs, waiting) = mpsc::channel(INPUTS);
        let (news, fresh) = mpsc::unbounded_channel();
        let (done, outcomes) = mpsc::unbounded_channel();
        let submitter = Submitter::new(client.clone(), (*key).clone(), store.clone(), done);
        for (number, record) in core.stored_calls() {
            info!(call = record.call.name(), "taking up a call");
            submitter.start(number, record);
        }
        let (follower, track) =
            Follower::new(client.clone(), account.clone(), core.partners(), core.hashes(), news);
        let follower = follower.resume(core.followed());

        let mut tasks = JoinSet::new();
        tasks.spawn(follow(follower, inputs.clone()));
        let (progress, seen) = watch::channel(false);
        let news_input = |news| HostInput::Core(Input::Chain(news));
        tasks.spawn(chain::forward_news(fresh, inputs.clone(), news_input, progress));
        tasks.spawn(forward_outcomes(outcomes, inputs.clone()));
        tasks.spawn(tick(inputs.clone()));

        let handover = Handover::new(towers);
        let (stopping, stopped) = watch::channel(false);
        let books = Arc::downgrade(&store);
        let host = Host {
            core,
            store,
            sessions: ByPartner::default(),
            unwritten: vec![],
            again: VecDeque::new(),
            track,
            submitter,
            handover: handover.clone(),
            interceptor,
            learning: Pace::new(Instant::now()),
            reader: BalanceReader {
                client: client.clone(),
                account: account.clone(),
                inputs: inputs.clone(),
                runtime: tokio::runtime::Handle::current(),
            },
        };
        let all = host.core.partners();
        host.hand_over(all);
        let thread = std::thread::Builder::new()
            .name("party".into())
            .spawn(move || {
                // Says so on every way out, a panic included, after the store is closed.
                let _stopping = Stopping(stopping);
                host.run(waiting);
            })
            .expect("the system can start a thread; qed");
        let open = Arc::new(watch::channel(0).0);
        let sessions = Sessions {
            next: Arc::new(AtomicU64::new(1)),
            open: open.clone(),
            identity: Arc::new(Identity { signer: key.clone(), genesis }),
            inputs: inputs.clone(),
            quota,
            counters: counters.clone(),
            front: front.map(Arc::new),
        };
        let party = Self {
            account,
            client,
            key,
            inputs,
            listening,
            troubles: Troubles::default(),
            handover,
            open,
            thread: Mutex::new(Some(thread)),
            stopped,
            tasks: Mutex::new(tasks),
            store: books,
            counters,
            feed,
            dialing: Arc::default(),
            sessions: sessions.clone(),
        };
        if !chain::first_block(seen, FIRST_BLOCK_TIMEOUT).await {
            return Err(PartyError::NoBlock);
        }
        for task in party.handover.tasks(&sessions.identity) {
            party.spawn(task);
        }
        if let (Some(listener), Some(Listen { transport, .. })) = (listener, listen) {
            let (identity, sessions) = (sessions.identity.clone(), sessions.clone());
            party.spawn(transport::accept_sessions(
                listener,
                transport,
                identity,
                move |session| {
                    let sessions = sessions.clone();
                    async move { sessions.accept(session).await }
                },
            ));
        }
        if let (Some(listener), Some(process)) = (inner, process) {
            party.meet_processes(listener, process, onion_key);
        }
        for peer in peers {
            party.dial(peer);
        }
        Ok(party)
    }

    /// Keeps sessions with the other processes of the hub: the later one of two calls.
    fn meet_processes(&self, listener: TcpListener, key: Arc<AccountKey>, transport: [u8; 32]) {
        let Some(front) = self.sessions.front.clone() else { return };
        let identity = Identity { signer: key, genesis: self.client.info().genesis };
        let identity = Arc::new(identity);
        let sessions = Sessions { identity: identity.clone(), ..self.sessions.clone() };
        let transport = TransportKey::from_private(transport);
        let public = transport.public();
        let accepting = sessions.clone();
        self.spawn(transport::accept_sessions(listener, transport, identity, move |session| {
            let sessions = accepting.clone();
            async move { sessions.accept_process(session).await }
        }));
        // Nobody ever leaves them out.
        let dialing = Arc::new(Mutex::new(Dialing::default()));
        for (account, place) in front.earlier() {
            lock(&dialing).wanted.insert(account.clone());
            let peer = Peer { account: account.clone(), place: Some((place.clone(), public)) };
            self.spawn(dial_for_ever(
                peer,
                self.client.clone(),
                sessions.clone(),
                self.troubles.clone(),
                dialing.clone(),
            ));
        }
    }

    /// Keeps a session with a hub, until [`Party::set_peers`] leaves it out. Of several processes of
    /// a hub the one does that has the channel.
    fn dial(&self, peer: Peer) {
        if self.sessions.is_elsewhere(&peer.account) {
            return;
        }
        let mut dialing = lock(&self.dialing);
        dialing.wanted.insert(peer.account.clone());
        if dialing.tasks.insert(peer.account.clone()) {
            self.spawn(dial_for_ever(
                peer,
                self.client.clone(),
                self.sessions.clone(),
                self.troubles.clone(),
                self.dialing.clone(),
            ));
        }
    }

    /// Dials these hubs from now on, whose places are in the registry. A session with another one
    /// goes on until it ends, and is not made again.
    pub fn set_peers(&self, peers: Vec<AccountId>) {
        lock(&self.dialing).wanted = peers.iter().cloned().collect();
        for account in peers {
            self.dial(Peer { account, place: None });
        }
    }

    /// Listens to payments: every one that begins or moves on, from now on.
    pub fn payments(&self) -> broadcast::Receiver<(PaymentId, PaymentRecord)> {
        self.feed.subscribe()
    }

    /// The party's account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Signs a payload with its account key.
    pub fn sign(&self, message: &[u8; 32]) -> MultiSignature {
        self.key.sign(message)
    }

    /// The chain that it follows.
    pub fn client(&self) -> &ChainClient {
        &self.client
    }

    /// What it counts.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Where it listens.
    pub fn listening(&self) -> Option<SocketAddr> {
        self.listening
    }

    /// Why a hub cannot be reached now.
    pub fn trouble(&self, peer: &AccountId) -> Option<String> {
        self.troubles.of(peer)
    }

    /// Where it stands with its watchtowers.
    pub fn towers(&self) -> Vec<TowerStanding> {
        self.handover.standing()
    }

    /// Whether the party has stopped, by itself or because it was told to.
    pub fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Returns when the party has stopped.
    pub async fn wait_stopped(&self) {
        // An error means that the thread is gone.
        let _ = self.stopped.clone().wait_for(|stopped| *stopped).await;
    }

    /// Gives a command and waits for its answer.
    pub async fn command(
        &self,
        command: Command,
        patience: Duration,
    ) -> Result<Answer, CommandError> {
        let (reply, answer) = oneshot::channel();
        let input = HostInput::Core(Input::Command(command, reply));
        self.inputs.send(input).await.map_err(|_| CommandError::Stopped)?;
        match timeout(patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(CommandError::Stopped),
            Err(_) => Err(CommandError::Timeout),
        }
    }

    /// Writes a backup of its store, while it goes on.
    ///
    /// # Errors
    /// [`BackupError`]; none is written then.
    pub async fn backup(&self, path: PathBuf) -> Result<Contents, BackupError> {
        let closed =
            |reason: &str| StoreError::Failed { path: "this party".into(), reason: reason.into() };
        let store = self.store.upgrade().ok_or_else(|| closed("it has stopped"))?;
        let written = tokio::task::spawn_blocking(move || backup::write(&*store, &path, now_ms()));
        written.await.map_err(|e| closed(&e.to_string()))?
    }

    fn spawn(&self, task: impl std::future::Future<Output = ()> + Send + 'static) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }

    /// Stops the party: its peers are told, its books are closed.
    pub async fn stop(&self) {
        self.handover.finish(HANDOVER_TIMEOUT).await;
        // An error means that it has stopped already.
        let _ = self.inputs.send(HostInput::Stop).await;
        self.wait_stopped().await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It has returned, or is about to.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        // The last frames go out; a peer that does not take them is not waited for.
        let mut open = self.open.subscribe();
        let _ = timeout(STOP_TIMEOUT, open.wait_for(|open| *open == 0)).await;
        let mut tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }
}

async fn bind(address: &str) -> Result<TcpListener, PartyError> {
    let source_of = |source| PartyError::Listen { address: address.into(), source };
    TcpListener::bind(address).await.map_err(source_of)
}

/// Follows the chain; the party stops when it gets a runtime that this program does not know.
async fn follow(follower: Follower, inputs: mpsc::Sender<HostInput>) {
    if let Err(problem) = follower.run().await {
        error!(%problem, "stopping before anything is signed for this runtime");
        // An error means that it has stopped already.
        let _ = inputs.send(HostInput::Stop).await;
    }
}

/// Marks the party as stopped when the core's thread ends.
struct Stopping(watch::Sender<bool>);

impl Drop for Stopping {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

// --- the core's thread -----------------------------------------------------------------------

struct Host {
    core: Core,
    store: Arc<dyn Store>,
    sessions: ByPartner<(SessionId, Outlet)>,
    /// Frames of this commit that are still to be written.
    unwritten: Vec<Unwritten>,
    /// Inputs that actions led to.
    again: VecDeque<Input>,
    track: mpsc::UnboundedSender<Track>,
    submitter: Submitter,
    /// Gets what is durable of the channels, for watchtowers.
    handover: Handover,
    interceptor: Option<Box<dyn Interceptor>>,
    /// When names of older payments are learned.
    learning: Pace,
    reader: BalanceReader,
}

impl Host {
    fn run(mut self, mut waiting: mpsc::Receiver<HostInput>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut stop = matches!(first, HostInput::Stop);
            let mut inputs = vec![first];
            while inputs.len() < MAX_INPUTS_PER_COMMIT && !stop {
                let Ok(next) = waiting.try_recv() else { break };
                stop = matches!(next, HostInput::Stop);
                inputs.push(next);
            }
            self.core.foresee(inputs.iter().filter_map(HostInput::message));
            let (mut out, taken) = (Output::default(), inputs.len());
            for input in inputs {
                self.take(input, &mut out);
            }
            if !self.settle(out, taken) {
                return;
            }
            if stop {
                let bye = Frame::Bye("this party stops; it will be back".into());
                for (_, outlet) in self.sessions.into_values() {
                    // A peer that takes nothing would not read it either.
                    let _ = outlet.send(bye.clone());
                }
                return;
            }
            self.learn(|| waiting.is_empty());
        }
    }

    fn take(&mut self, input: HostInput, out: &mut Output) {
        match input {
            HostInput::Core(input) => {
                if let Input::Disconnected { partner, session } = &input {
                    if self.sessions.get(partner).is_some_and(|(known, _)| known == session) {
                        self.sessions.remove(partner);
                    }
                }
                self.core.handle(now_ms(), input, out);
            },
            HostInput::Opened { partner, session, outlet } => {
                // The newest session is the one that the peer uses.
                let known = self.sessions.insert(partner.clone(), (session, outlet));
                if let Some((old, outlet)) = known {
                    let _ = outlet.send(Frame::Bye("replaced by a newer session".into()));
                    let ended = Input::Disconnected { partner: partner.clone(), session: old };
                    self.core.handle(now_ms(), ended, out);
                }
                self.core.handle(now_ms(), Input::Connected { partner, session }, out);
            },
            HostInput::Stop => {},
        }
    }

    /// Commits, acts, and takes in what the actions led to. `false` if the disk failed.
    fn settle(&mut self, mut out: Output, inputs: usize) -> bool {
        loop {
            let changed = if self.handover.is_idle() { vec![] } else { out.changed_partners() };
            self.core.finish(&mut out);
            if let (Some(interceptor), false) = (&mut self.interceptor, out.batch.is_empty()) {
                interceptor.before_commit(&out.batch);
            }
            let ours = match (self.core.failure(), out.batch.is_empty()) {
                (Some(problem), _) => Err(problem),
                (None, true) => self.store.check(),
                (None, false) => {
                    let begun = Instant::now();
                    let committed = self.store.commit(&out.batch);
                    self.core.counters().committed(inputs, begun.elapsed());
                    committed
                },
            };
            if let Err(problem) = ours {
                error!(%problem, "the store failed: stopping before anything is sent");
                return false;
            }
            if let (Some(interceptor), false) = (&mut self.interceptor, out.batch.is_empty()) {
                interceptor.after_commit();
            }
            self.hand_over(changed);
            let mut actions = std::mem::take(&mut out.actions);
            if let Some(interceptor) = &mut self.interceptor {
                actions = interceptor.actions(actions);
            }
            for action in actions {
                self.act(action);
            }
            for unwritten in std::mem::take(&mut self.unwritten) {
                unwritten.write();
            }
            if self.again.is_empty() {
                return true;
            }
            out = Output::default();
            for input in std::mem::take(&mut self.again) {
                self.core.handle(now_ms(), input, &mut out);
            }
        }
    }

    /// Learns names of older payments, if it is time for that.
    fn learn(&mut self, is_idle: impl Fn() -> bool) {
        let begun = Instant::now();
        if self.core.knows_names() || !self.learning.is_due(begun, is_idle()) {
            return;
        }
        // What fails is told with the next commit.
        while self.core.learn_names() && is_idle() && begun.elapsed() < LEARNS {}
        self.learning.note(begun, Instant::now());
    }

    /// Leaves a note of channels whose state is on disk, for the towers' tasks.
    fn hand_over(&self, partners: Vec<AccountId>) {
        if self.handover.is_idle() {
            return;
        }
        for partner in partners {
            if self.core.is_process(&partner) {
                continue;
            }
            if let Some(channel) = self.core.channel(&partner) {
                self.handover.update(&partner, channel.epoch(), Snapshot::of(channel));
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send(partner, message) => {
                let Some((_, outlet)) = self.sessions.get(&partner) else { return };
                match outlet.put(Frame::Channel(message.encode())) {
                    Ok(unwritten) => self.unwritten.extend(unwritten),
                    Err(Clogged) => self.end_session(&partner, "too slow"),
                }
            },
            Action::Disconnect(partner, reason) => self.end_session(&partner, &reason),
            Action::Track(partner) => {
                // The follower runs as long as the party.
                let _ = self.track.send(partner);
            },
            Action::Submit(number, record) => {
                let runtime = self.reader.runtime.clone();
                let _runtime = runtime.enter();
                self.submitter.start(number, record);
            },
            Action::ReadBalances(assets) => self.reader.start(assets),
            Action::Publish(id, record) => {
                // Whoever listened may have gone.
                let _ = self.core.feed.send((id, record));
            },
            Action::Reply(reply, answer) => answer_to(reply, answer),
        }
    }

    fn end_session(&mut self, partner: &AccountId, reason: &str) {
        let Some((session, outlet)) = self.sessions.remove(partner) else { return };
        debug!(%partner, reason, "ending a session");
        let _ = outlet.send(Frame::Bye(reason.to_string()));
        self.again.push_back(Input::Disconnected { partner: partner.clone(), session });
    }
}

fn answer_to(reply: Reply, answer: Result<Answer, CommandError>) {
    // Who asked may have lost patience.
    let _ = reply.send(answer);
}

// --- tasks around it -------------------------------------------------------------------------

struct BalanceReader {
    client: ChainClient,
    account: AccountId,
    inputs: mpsc::Sender<HostInput>,
    runtime: tokio::runtime::Handle,
}

impl BalanceReader {
    /// Reads our on-chain balances at the newest finalized block, as often as it takes.
    fn start(&self, assets: Vec<AssetId>) {
        let (client, account) = (self.client.clone(), self.account.clone());
        let inputs = self.inputs.clone();
        self.runtime.spawn(async move {
            let balances = loop {
                match read_balances(&client, &account, &assets).await {
                    Ok(balances) => break balances,
                    Err(problem) => warn!(%problem, "cannot read balances; trying again"),
                }
                if inputs.is_closed() {
                    return;
                }
                sleep(READ_PAUSE).await;
            };
            // The party may have stopped meanwhile.
            let _ = inputs.send(HostInput::Core(Input::Balances(balances))).await;
        });
    }
}

async fn read_balances(
    client: &ChainClient,
    account: &AccountId,
    assets: &[AssetId],
) -> Result<Vec<BalanceView>, ChainError> {
    let head = client.finalized_head().await?;
    client.balances(account, assets, Some(head)).await
}

async fn forward_outcomes(
    mut outcomes: mpsc::UnboundedReceiver<(u64, Outcome)>,
    inputs: mpsc::Sender<HostInput>,
) {
    while let Some((number, outcome)) = outcomes.recv().await {
        let ended = Input::CallEnded { number, outcome };
        if inputs.send(HostInput::Core(ended)).await.is_err() {
            return;
        }
    }
}

async fn tick(inputs: mpsc::Sender<HostInput>) {
    let mut interval = interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        match inputs.try_send(HostInput::Core(Input::Tick)) {
            // A full queue has inputs enough that look at the time.
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => {},
            Err(mpsc::error::TrySendError::Closed(_)) => return,
        }
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        // The tasks end with their set; the thread ends when it is told, or when the last sender is
        // gone.
        let _ = self.inputs.try_send(HostInput::Stop);
    }
}
