//! A tower's body: runs its [`Core`] on real sockets, a real disk and a real chain. Built like that of
//! a party (`failsafe_hub::party::runtime`), from the same follower, submitter, store and transport.

use crate::{
    core::{Action, Core, Input, Limits, Output, Report},
    session::{Admission, Sessions},
};
use failsafe_channel::Sign;
use failsafe_hub::{
    chain::{first_block, forward_news, ChainClient, ChainError, Follower, Submitter, Track},
    keys::{AccountKey, KeyError},
    party::runtime::now_ms,
    store::{self, Store, StoreError},
    transport::{accept_sessions, Identity, TransportKey},
    watchtower::TowerAddress,
};
use failsafe_primitives::{AccountId, Clock, NATIVE_ASSET};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{interval, sleep, MissedTickBehavior},
};
use tracing::{debug, error, info};

/// Inputs that may wait; who sends more waits too.
const INPUTS: usize = 4_096;
/// Inputs that one commit takes at most.
const MAX_INPUTS_PER_COMMIT: usize = 256;
/// How often time passes for the core.
const TICK: Duration = Duration::from_millis(500);
/// How often the account's balance is read.
const READ_FUNDS: Duration = Duration::from_secs(15);
/// How long the first look at the chain may show nothing new.
const FIRST_BLOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// What a tower needs to run.
pub struct TowerSetup {
    /// Its account key: it pays the fees, and proves the account to clients.
    pub key: AccountKey,
    /// The key that clients know.
    pub transport: TransportKey,
    /// Where it listens, `host:port`; port 0 means any free one.
    pub listen: String,
    /// Who may hand packets over.
    pub admission: Admission,
    /// How much it does for whom.
    pub limits: Limits,
    /// Its store, open.
    pub store: Arc<dyn Store>,
}

/// Why a tower does not start.
#[derive(Debug, thiserror::Error)]
pub enum TowerError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The account's key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No block came.
    #[error("the node answers but shows no block: is it syncing?")]
    NoBlock,
    /// The listening address.
    #[error("cannot listen on {address} ({source}): is another tower running there?")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: std::io::Error,
    },
}

/// A running tower.
pub struct Tower {
    account: AccountId,
    address: TowerAddress,
    client: ChainClient,
    inputs: mpsc::Sender<Input>,
    stop: watch::Sender<bool>,
    stopped: watch::Receiver<bool>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    tasks: Mutex<JoinSet<()>>,
}

/// Says that the core's thread has ended, on every way out.
struct Stopping(watch::Sender<bool>);

impl Drop for Stopping {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl Tower {
    /// Starts a tower: reads its packets, looks at the chain, and only then lets clients in.
    pub async fn start(client: ChainClient, setup: TowerSetup) -> Result<Self, TowerError> {
        let TowerSetup { key, transport, listen, admission, limits, store } = setup;
        let account = key.account();
        let genesis = client.info().genesis;
        client.info().check_key(&key, store::has_channels(&*store)?)?;
        store::check_owner(&*store, &account, genesis)?;
        let cannot_listen = |source| TowerError::Listen { address: listen.clone(), source };
        let listener = TcpListener::bind(&listen).await.map_err(cannot_listen)?;
        let local: SocketAddr = listener.local_addr().map_err(cannot_listen)?;
        let endpoint = match listen.rsplit_once(':') {
            Some((host, _)) => format!("{host}:{}", local.port()),
            None => local.to_string(),
        };
        let address =
            TowerAddress { account: account.clone(), endpoint, transport_key: transport.public() };

        let core = Core::load(limits, &*store)?;
        let (inputs, waiting) = mpsc::channel(INPUTS);
        let (news, fresh) = mpsc::unbounded_channel();
        let (done, mut outcomes) = mpsc::unbounded_channel();
        let submitter = Submitter::new(client.clone(), key.clone(), store.clone(), done);
        for (number, record) in core.stored_calls() {
            info!(call = record.call.name(), "taking up a call");
            submitter.start(number, record);
        }
        let (follower, track) =
            Follower::new(client.clone(), account.clone(), [], core.hashes(), news);
        for pair in core.pairs() {
            // Before it runs: it has them from its first look on.
            let _ = track.send(Track::Disputes(pair.left().clone(), pair.right().clone()));
        }

        let (stop, stop_wanted) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(follower, stop.clone(), inputs.clone()));
        let (progress, seen) = watch::channel(false);
        tasks.spawn(forward_news(fresh, inputs.clone(), Input::Chain, progress));
        let ended = inputs.clone();
        tasks.spawn(async move {
            while let Some((number, outcome)) = outcomes.recv().await {
                if ended.send(Input::CallEnded { number, outcome }).await.is_err() {
                    return;
                }
            }
        });
        tasks.spawn(tick(inputs.clone()));
        tasks.spawn(read_funds(client.clone(), account.clone(), inputs.clone()));

        let (stopping, stopped) = watch::channel(false);
        let (tell_latest, latest_expiry) = watch::channel(None);
        let host = Host {
            core,
            store,
            track,
            submitter,
            latest_expiry: tell_latest,
            stop: stop_wanted,
            runtime: tokio::runtime::Handle::current(),
        };
        let thread = std::thread::Builder::new()
            .name("tower".into())
            .spawn(move || {
                let _stopping = Stopping(stopping);
                host.run(waiting);
            })
            .expect("the system can start a thread; qed");
        let tower = Self {
            account,
            address,
            client,
            inputs: inputs.clone(),
            stop,
            stopped,
            thread: Mutex::new(Some(thread)),
            tasks: Mutex::new(tasks),
        };
        if !first_block(seen, FIRST_BLOCK_TIMEOUT).await {
            return Err(TowerError::NoBlock);
        }
        let sessions = Sessions {
            admission: Arc::new(admission),
            genesis,
            inputs,
            latest_expiry,
            open: Arc::default(),
        };
        let identity = Arc::new(Identity { signer: Arc::new(key), genesis });
        let run = move |session| {
            let sessions = sessions.clone();
            async move { sessions.run(session).await }
        };
        tower.lock_tasks().spawn(accept_sessions(listener, transport, identity, run));
        Ok(tower)
    }

    fn lock_tasks(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// What clients are given. The host is that of `listen`.
    pub fn address(&self) -> &TowerAddress {
        &self.address
    }

    /// The chain that it follows.
    pub fn client(&self) -> &ChainClient {
        &self.client
    }

    /// How it is; `None` when it stops.
    pub async fn report(&self) -> Option<Report> {
        let (reply, answer) = oneshot::channel();
        self.inputs.send(Input::Ask(reply)).await.ok()?;
        answer.await.ok()
    }

    /// Returns when the tower has stopped, by itself or because it was told to.
    pub async fn wait_stopped(&self) {
        // An error means that the thread is gone.
        let _ = self.stopped.clone().wait_for(|stopped| *stopped).await;
    }

    /// Stops the tower. What is receipted is on disk.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        // Wakes the thread; an error means that it has stopped already.
        let _ = self.inputs.send(Input::Tick).await;
        self.wait_stopped().await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It has returned, or is about to.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        let mut tasks = std::mem::take(&mut *self.lock_tasks());
        tasks.shutdown().await;
    }
}

struct Host {
    core: Core,
    store: Arc<dyn Store>,
    track: mpsc::UnboundedSender<Track>,
    submitter: Submitter,
    latest_expiry: watch::Sender<Option<Clock>>,
    stop: watch::Receiver<bool>,
    runtime: tokio::runtime::Handle,
}

impl Host {
    fn run(mut self, mut waiting: mpsc::Receiver<Input>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut out = Output::default();
            let mut next = Some(first);
            let mut taken = 0;
            while let Some(input) = next.take() {
                self.core.handle(now_ms(), input, &mut out);
                taken += 1;
                if taken < MAX_INPUTS_PER_COMMIT {
                    next = waiting.try_recv().ok();
                }
            }
            if !out.batch.is_empty() {
                if let Err(problem) = self.store.commit(&out.batch) {
                    error!(%problem, "the store failed: stopping before anything is receipted");
                    return;
                }
            }
            for action in out.actions {
                self.act(action);
            }
            let latest = self.core.latest_expiry();
            self.latest_expiry.send_if_modified(|known| {
                let changed = *known != latest;
                *known = latest;
                changed
            });
            if *self.stop.borrow() {
                return;
            }
        }
    }

    fn act(&self, action: Action) {
        match action {
            Action::Track(track) => {
                // The follower runs as long as the tower.
                let _ = self.track.send(track);
            },
            Action::Submit(number, record) => {
                let _runtime = self.runtime.enter();
                self.submitter.start(number, record);
            },
            // Who asked may be gone.
            Action::Reply(reply, answer) => {
                let _ = reply.send(answer);
            },
            Action::Report(reply, report) => {
                let _ = reply.send(report);
            },
        }
    }
}

/// Follows the chain; the tower stops when it gets a runtime that this program does not know.
async fn follow(follower: Follower, stop: watch::Sender<bool>, inputs: mpsc::Sender<Input>) {
    if let Err(problem) = follower.run().await {
        error!(%problem, "stopping before anything is signed for this runtime");
        stop.send_replace(true);
        // Wakes the thread; an error means that it has stopped already.
        let _ = inputs.send(Input::Tick).await;
    }
}

async fn tick(inputs: mpsc::Sender<Input>) {
    let mut interval = interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        if inputs.send(Input::Tick).await.is_err() {
            return;
        }
    }
}

async fn read_funds(client: ChainClient, account: AccountId, inputs: mpsc::Sender<Input>) {
    loop {
        match client.balances(&account, &[NATIVE_ASSET], None).await {
            Ok(balances) => {
                let funds = balances.first().map_or(0, |balance| balance.spendable);
                if inputs.send(Input::Funds(funds)).await.is_err() {
                    return;
                }
            },
            // The follower says so already.
            Err(problem) => debug!(%problem, "cannot read the account's balance"),
        }
        sleep(READ_FUNDS).await;
    }
}
