//! Connections with peers: those that come in, and those that are made and kept.
//!
//! A hub may have several processes. One that is called by a partner of another process says where
//! that one is; who calls follows it once, and asks the first one again when nobody answers there.

use super::{
    core::SessionId, processes::ProcessPlan, quota::PeerQuota, runtime::HostInput, runtime::Peer,
    session,
};
use crate::{
    chain::ChainClient,
    metrics::Counters,
    store::Share,
    transport::{self, Frame, Identity, Session, TransportError},
};
use failsafe_primitives::AccountId;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc, Mutex, MutexGuard, PoisonError,
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tracing::{debug, info, warn};

/// Pauses between attempts to reach a hub: the first, and the longest.
const DIAL_PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How long somebody may take who is told where to go.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);

/// The sessions that are open.
#[derive(Clone)]
pub(super) struct Sessions {
    pub next: Arc<AtomicU64>,
    pub open: Arc<watch::Sender<usize>>,
    pub identity: Arc<Identity>,
    pub inputs: mpsc::Sender<HostInput>,
    pub quota: PeerQuota,
    pub counters: Counters,
    /// The processes of a hub that has several.
    pub front: Option<Arc<Front>>,
}

/// Which process of a hub has which partner, and where it is.
pub(super) struct Front {
    pub share: Share,
    pub plan: ProcessPlan,
}

impl Front {
    /// The processes that are called, with their places; the others call.
    pub(super) fn earlier(&self) -> impl Iterator<Item = (&AccountId, &String)> {
        self.share.others().zip(&self.plan.private).take(self.share.number())
    }

    /// Where somebody finds the process that has the channel with it, if we do not.
    fn elsewhere(&self, partner: &AccountId) -> Option<&String> {
        self.share.elsewhere(partner)?;
        self.plan.public.get(self.share.home(partner))
    }
}

impl Sessions {
    /// Whether the channel with `partner` is another process's.
    pub(super) fn is_elsewhere(&self, partner: &AccountId) -> bool {
        self.front.as_ref().is_some_and(|front| front.elsewhere(partner).is_some())
    }

    /// Runs a session that somebody else has begun; who is wrong here learns where to go.
    pub(super) async fn accept(&self, session: Session) {
        let front = self.front.as_ref();
        let Some(place) = front.and_then(|front| front.elsewhere(&session.peer)).cloned() else {
            self.run(session).await;
            return;
        };
        debug!(peer = %session.peer, place, "belongs to another process of this hub");
        let mut writer = session.writer;
        let telling = async {
            writer.write(&Frame::Elsewhere(place)).await?;
            writer.flush().await
        };
        // Who does not listen asks again.
        let _ = timeout(FAREWELL_TIMEOUT, telling).await;
    }

    /// Runs a session that another process of the hub has begun.
    pub(super) async fn accept_process(&self, session: Session) {
        let known = self.front.as_ref().is_some_and(|front| front.share.is_process(&session.peer));
        if known {
            self.run(session).await;
        } else {
            warn!(peer = %session.peer, "no process of this hub: refused where only they connect");
        }
    }

    /// Runs a session to its end. Where the peer says that we should go, if it does.
    async fn run(&self, session: Session) -> Option<String> {
        let id: SessionId = self.next.fetch_add(1, Ordering::Relaxed);
        self.open.send_modify(|open| *open += 1);
        let _open = Open(self.open.clone());
        let gate = self.quota.gate(self.counters.clone());
        session::run(session, id, self.inputs.clone(), gate).await
    }
}

/// One open session.
struct Open(Arc<watch::Sender<usize>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

/// Why hubs cannot be reached, for people.
#[derive(Clone, Default)]
pub(super) struct Troubles(Arc<Mutex<BTreeMap<AccountId, String>>>);

impl Troubles {
    pub(super) fn of(&self, peer: &AccountId) -> Option<String> {
        lock(&self.0).get(peer).cloned()
    }

    fn note(&self, peer: &AccountId, reason: String) {
        lock(&self.0).insert(peer.clone(), reason);
    }

    fn forget(&self, peer: &AccountId) {
        lock(&self.0).remove(peer);
    }
}

/// Other hubs: those that are to be dialed, and those for which a task does.
#[derive(Default)]
pub(super) struct Dialing {
    pub wanted: BTreeSet<AccountId>,
    pub tasks: BTreeSet<AccountId>,
}

/// The value is whole whoever panicked.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a session with a hub, as long as it is wanted.
pub(super) async fn dial_for_ever(
    peer: Peer,
    client: ChainClient,
    sessions: Sessions,
    troubles: Troubles,
    dialing: Arc<Mutex<Dialing>>,
) {
    let mut pause = DIAL_PAUSE.0;
    // Where the hub's process is that has our channel, when it is not the one that we know.
    let mut place: Option<String> = None;
    while !sessions.inputs.is_closed() {
        {
            let mut dialing = lock(&dialing);
            if !dialing.wanted.contains(&peer.account) {
                dialing.tasks.remove(&peer.account);
                troubles.forget(&peer.account);
                return;
            }
        }
        match dial_once(&peer, place.as_deref(), &client, &sessions.identity).await {
            Ok(session) => {
                troubles.forget(&peer.account);
                match (sessions.run(session).await, place.is_some()) {
                    (Some(next), false) => {
                        info!(hub = %peer.account, place = next, "another process has our channel");
                        place = Some(next);
                        continue;
                    },
                    (Some(_), true) => {
                        let reason = "its processes send us to each other: tell its operator";
                        troubles.note(&peer.account, reason.into());
                        place = None;
                    },
                    (None, _) => pause = DIAL_PAUSE.0,
                }
            },
            Err(reason) => {
                debug!(hub = %peer.account, reason, "cannot reach a hub");
                troubles.note(&peer.account, reason);
                place = None;
            },
        }
        sleep(pause).await;
        pause = DIAL_PAUSE.1.min(pause.saturating_mul(2));
    }
}

async fn dial_once(
    peer: &Peer,
    place: Option<&str>,
    client: &ChainClient,
    identity: &Identity,
) -> Result<Session, String> {
    let (endpoint, key) = match &peer.place {
        Some(place) => place.clone(),
        None => {
            let hub = client.hub(&peer.account).await.map_err(|e| e.to_string())?;
            let hub = hub.ok_or("it is not in the registry of hubs")?;
            let endpoint = String::from_utf8(hub.endpoint)
                .map_err(|_| "its endpoint in the registry is not text")?;
            (endpoint, hub.transport_key)
        },
    };
    // Whoever is there has to prove the same key and account.
    let endpoint = place.unwrap_or(&endpoint);
    transport::dial(endpoint, &key, &peer.account, identity).await.map_err(|reason| match reason {
        TransportError::Io(problem) => format!("no connection to {endpoint}: {problem}"),
        other => other.to_string(),
    })
}
