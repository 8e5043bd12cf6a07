//! A client's side: hands the newest of every channel to its towers.
//!
//! The core's thread only leaves a note of what changed, after it is durable. Each tower has a task
//! of its own that makes the packets and sends them, one per channel at a time and always the newest:
//! however fast payments are, a tower gets what it can take. What it has not receipted is sent again
//! after a reconnect; after a restart everything is, which a tower that has it receipts at once.

use super::{
    packet::Snapshot,
    wire::{ToClient, ToTower},
    TowerAddress,
};
use crate::transport::{
    dial, Identity, Reader, Session, TransportError, Writer, PING_EVERY, SILENCE_LIMIT,
};
use failsafe_primitives::{AccountId, Epoch};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    time::{sleep, timeout},
};
use tracing::{debug, info, warn};

/// How long changes are collected before a packet is made.
const COALESCE: Duration = Duration::from_millis(100);
/// Packets on their way to one tower at a time.
const WINDOW: usize = 32;
/// Pauses between attempts to reach a tower: the first, and the longest.
const DIAL_PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(20));
/// Pause before a packet is sent again that the tower cannot take yet.
const LATER: Duration = Duration::from_secs(2);
/// Pause between two looks at what is receipted, before the end.
const LOOK: Duration = Duration::from_millis(20);
/// How long a tower may take to accept what is sent to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// Where the hand-over to a tower stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TowerStanding {
    /// The tower.
    pub address: TowerAddress,
    /// Whether there is a session.
    pub connected: bool,
    /// Why there is none.
    pub trouble: Option<String>,
    /// Channels whose newest packet is receipted.
    pub receipted: usize,
    /// Channels of which the tower does not have the newest yet.
    pub waiting: usize,
    /// Packets that the tower refused, by partner.
    pub refused: Vec<(AccountId, String)>,
}

/// The newest of every channel.
#[derive(Default)]
struct Book {
    channels: BTreeMap<AccountId, Newest>,
    /// Grows with every change of whichever channel.
    version: u64,
}

/// The newest of a channel.
#[derive(Clone)]
struct Newest {
    version: u64,
    epoch: Epoch,
    snapshot: Arc<Snapshot>,
}

/// What concerns one tower.
struct Desk {
    address: TowerAddress,
    progress: Mutex<Progress>,
    /// Told when there may be something to send.
    work: Notify,
}

#[derive(Default)]
struct Progress {
    connected: bool,
    trouble: Option<String>,
    /// Channels of which the tower does not have the newest, and that are not on their way.
    due: BTreeSet<AccountId>,
    /// Packets on their way, by number.
    sent: BTreeMap<u64, (AccountId, u64)>,
    /// The newest version that the tower has receipted.
    receipted: BTreeMap<AccountId, u64>,
    refused: BTreeMap<AccountId, String>,
    /// Something of what is due was refused just now.
    later: bool,
    next_number: u64,
}

/// Hands channels over to towers.
#[derive(Clone)]
pub struct Handover {
    book: Arc<Mutex<Book>>,
    desks: Arc<Vec<Desk>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Both maps are whole whoever panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Handover {
    /// For these towers. Their tasks are [`Self::tasks`].
    pub fn new(towers: impl IntoIterator<Item = TowerAddress>) -> Self {
        let desk = |address| Desk { address, progress: Mutex::default(), work: Notify::new() };
        let desks = towers.into_iter().map(desk).collect();
        Self { book: Arc::default(), desks: Arc::new(desks) }
    }

    /// Whether there is no tower.
    pub fn is_idle(&self) -> bool {
        self.desks.is_empty()
    }

    /// A channel's state that is durable now; `None` when nothing is signed in its epoch. Returns at
    /// once.
    pub fn update(&self, partner: &AccountId, epoch: Epoch, snapshot: Option<Snapshot>) {
        let mut book = lock(&self.book);
        let known = book.channels.get(partner);
        let Some(snapshot) = snapshot else {
            // A new epoch: what was to be handed over is void.
            if known.is_some_and(|known| known.epoch < epoch) {
                book.channels.remove(partner);
            }
            return;
        };
        if known.is_some_and(|known| *known.snapshot == snapshot) {
            return;
        }
        book.version = book.version.saturating_add(1);
        let newest = Newest { version: book.version, epoch, snapshot: Arc::new(snapshot) };
        book.channels.insert(partner.clone(), newest);
        drop(book);
        for desk in self.desks.iter() {
            lock(&desk.progress).due.insert(partner.clone());
            desk.work.notify_one();
        }
    }

    /// Where it stands with each tower.
    pub fn standing(&self) -> Vec<TowerStanding> {
        let book = lock(&self.book);
        let newest = &book.channels;
        let of = |desk: &Desk| {
            let progress = lock(&desk.progress);
            let has = |(partner, newest): &(&AccountId, &Newest)| {
                progress.receipted.get(*partner).is_some_and(|known| *known >= newest.version)
            };
            let receipted = newest.iter().filter(has).count();
            let refused = progress.refused.iter();
            TowerStanding {
                address: desk.address.clone(),
                connected: progress.connected,
                trouble: progress.trouble.clone(),
                receipted,
                waiting: newest.len().saturating_sub(receipted),
                refused: refused.map(|(who, why)| (who.clone(), why.clone())).collect(),
            }
        };
        self.desks.iter().map(of).collect()
    }

    /// Waits until every tower has the newest of every channel, or `patience` is over: for a program
    /// that is about to stop.
    pub async fn finish(&self, patience: Duration) {
        let all = async {
            while self.standing().iter().any(|tower| tower.waiting > 0) {
                sleep(LOOK).await;
            }
        };
        if timeout(patience, all).await.is_err() {
            for tower in self.standing().into_iter().filter(|tower| tower.waiting > 0) {
                let TowerStanding { address, waiting, trouble, .. } = tower;
                let trouble = trouble.unwrap_or_default();
                warn!(tower = %address.account, waiting, trouble, "does not have the newest");
            }
        }
    }

    /// One task per tower, which never end.
    pub fn tasks(
        &self,
        identity: &Arc<Identity>,
    ) -> Vec<impl std::future::Future<Output = ()> + Send + 'static> {
        let task = |index: usize| {
            let (handover, identity) = (self.clone(), identity.clone());
            async move { handover.serve(index, &identity).await }
        };
        (0..self.desks.len()).map(task).collect()
    }

    async fn serve(&self, index: usize, identity: &Identity) {
        let Some(desk) = self.desks.get(index) else { return };
        let TowerAddress { account, endpoint, transport_key } = &desk.address;
        let mut pause = DIAL_PAUSE.0;
        loop {
            let ended = match dial(endpoint, transport_key, account, identity).await {
                Ok(session) => {
                    pause = DIAL_PAUSE.0;
                    info!(tower = %account, "handing channels over");
                    self.opened(desk);
                    self.run(desk, session, identity).await
                },
                Err(error) => error,
            };
            debug!(tower = %account, %ended, "no session with a tower");
            {
                let mut progress = lock(&desk.progress);
                if progress.connected {
                    warn!(tower = %account, %ended, "lost a tower; trying again");
                }
                progress.connected = false;
                progress.trouble = Some(ended.to_string());
            }
            sleep(pause).await;
            pause = DIAL_PAUSE.1.min(pause.saturating_mul(2));
        }
    }

    /// A new session: what is not receipted is due again.
    fn opened(&self, desk: &Desk) {
        let book = lock(&self.book);
        let mut progress = lock(&desk.progress);
        progress.connected = true;
        progress.trouble = None;
        progress.sent.clear();
        progress.refused.clear();
        progress.due = book
            .channels
            .iter()
            .filter(|(partner, newest)| progress.receipted.get(partner) != Some(&newest.version))
            .map(|(partner, _)| partner.clone())
            .collect();
        drop(progress);
        desk.work.notify_one();
    }

    async fn run(&self, desk: &Desk, session: Session, identity: &Identity) -> TransportError {
        let Session { mut reader, mut writer, .. } = session;
        let ended = tokio::select! {
            ended = self.receive(desk, &mut reader) => ended,
            ended = self.send(desk, &mut writer, identity) => ended,
        };
        match ended {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    async fn receive<R: AsyncRead + Unpin>(
        &self,
        desk: &Desk,
        reader: &mut Reader<R>,
    ) -> Result<core::convert::Infallible, TransportError> {
        loop {
            let read = timeout(SILENCE_LIMIT, reader.read_value::<ToClient>());
            match read.await.map_err(|_| TransportError::Timeout)?? {
                ToClient::Ping => {},
                ToClient::Bye(reason) => return Err(TransportError::Bye(reason)),
                ToClient::Receipt { number } => {
                    let mut progress = lock(&desk.progress);
                    if let Some((partner, version)) = progress.sent.remove(&number) {
                        progress.refused.remove(&partner);
                        progress.receipted.insert(partner, version);
                    }
                    drop(progress);
                    desk.work.notify_one();
                },
                ToClient::Refused { number, reason } => {
                    let sent = lock(&desk.progress).sent.remove(&number);
                    let Some((partner, _)) = sent else { continue };
                    warn!(tower = %desk.address.account, %partner, %reason, "a tower refused a packet");
                    let mut progress = lock(&desk.progress);
                    if reason.is_temporary() {
                        progress.due.insert(partner.clone());
                        progress.later = true;
                    }
                    progress.refused.insert(partner, reason.to_string());
                    drop(progress);
                    desk.work.notify_one();
                },
            }
        }
    }

    async fn send<W: AsyncWrite + Unpin>(
        &self,
        desk: &Desk,
        writer: &mut Writer<W>,
        identity: &Identity,
    ) -> Result<core::convert::Infallible, TransportError> {
        loop {
            let mut messages = vec![];
            match timeout(PING_EVERY, desk.work.notified()).await {
                Ok(()) => {
                    let later = lock(&desk.progress).later;
                    // What comes meanwhile goes along; what was refused is not sent in a circle.
                    sleep(if later { LATER } else { COALESCE }).await;
                    for (number, newest) in self.take(desk) {
                        let packet = newest.snapshot.packet(&*identity.signer);
                        messages.push(ToTower::Watch { number, packet });
                    }
                },
                Err(_) => messages.push(ToTower::Ping),
            }
            let writing = async {
                for message in &messages {
                    writer.write_value(message).await?;
                }
                writer.flush().await
            };
            timeout(WRITE_TIMEOUT, writing).await.map_err(|_| TransportError::Timeout)??;
        }
    }

    /// What is due, as far as the window goes; it counts as sent from now on.
    fn take(&self, desk: &Desk) -> Vec<(u64, Newest)> {
        let book = lock(&self.book);
        let mut progress = lock(&desk.progress);
        progress.later = false;
        let busy: BTreeSet<AccountId> =
            progress.sent.values().map(|(partner, _)| partner.clone()).collect();
        let room = WINDOW.saturating_sub(busy.len());
        let due: Vec<AccountId> =
            progress.due.iter().filter(|p| !busy.contains(*p)).take(room).cloned().collect();
        let mut taken = vec![];
        for partner in due {
            progress.due.remove(&partner);
            let Some(newest) = book.channels.get(&partner) else { continue };
            let number = progress.next_number;
            progress.next_number = number.saturating_add(1);
            progress.sent.insert(number, (partner, newest.version));
            taken.push((number, newest.clone()));
        }
        taken
    }
}
