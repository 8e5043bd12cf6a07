//! One client's connection: packets in, receipts out.
//!
//! Packets are taken one after the other: the next one is read when the one before it is on disk or
//! refused. So a client that sends more than it may, or than the disk takes, waits in its own socket.

use crate::core::Input;
use failsafe_hub::{
    transport::{Reader, Session, TransportError, Writer, SILENCE_LIMIT},
    watchtower::{
        wire::{ToClient, ToTower},
        PacketError, WatchPacket,
    },
};
use failsafe_primitives::{AccountId, Clock};
use sp_core::H256;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, oneshot, watch},
    time::{sleep_until, timeout, Instant},
};
use tracing::info;

/// Sessions of one account at the same time.
const MAX_SESSIONS: usize = 4;
/// Sessions in all.
const MAX_SESSIONS_IN_ALL: usize = 4_096;
/// How long a client may take to accept what is sent to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// For how long a client may save up what it may send.
const BURST: Duration = Duration::from_secs(5);

/// Who may hand packets over, and how fast.
#[derive(Clone, Debug)]
pub struct Admission {
    /// These accounts; everybody if `None`.
    pub clients: Option<BTreeSet<AccountId>>,
    /// Packets per second and session.
    pub packets_per_second: u32,
}

/// What all sessions share.
#[derive(Clone)]
pub(crate) struct Sessions {
    pub admission: Arc<Admission>,
    pub genesis: H256,
    pub inputs: mpsc::Sender<Input>,
    /// Latest expiry of a lock in a packet; `None` until the chain is known.
    pub latest_expiry: watch::Receiver<Option<Clock>>,
    pub open: Arc<Mutex<HashMap<AccountId, usize>>>,
}

/// Ends the counting of a session.
struct Seat(Arc<Mutex<HashMap<AccountId, usize>>>, AccountId);

impl Drop for Seat {
    fn drop(&mut self) {
        // The map is whole whoever panicked.
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.1) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.1);
            }
        }
    }
}

impl Sessions {
    /// Runs an established session until it ends.
    pub async fn run(&self, session: Session) {
        let Session { peer, mut reader, mut writer } = session;
        let ended = match self.admit(&peer) {
            Ok(_seat) => {
                info!(client = %peer, "connected");
                self.serve(&peer, &mut reader, &mut writer).await
            },
            Err(reason) => {
                let bye = ToClient::Bye(reason.clone());
                // Who is not let in may be gone already.
                let _ = write(&mut writer, &bye).await;
                Err(TransportError::Bye(reason))
            },
        };
        match ended {
            Ok(()) => info!(client = %peer, "disconnected"),
            Err(reason) => info!(client = %peer, %reason, "disconnected"),
        }
    }

    fn admit(&self, peer: &AccountId) -> Result<Seat, String> {
        if self.admission.clients.as_ref().is_some_and(|clients| !clients.contains(peer)) {
            return Err(format!(
                "this tower does not watch for {peer}: ask its operator to add the account"
            ));
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all = open.values().fold(0usize, |sum, count| sum.saturating_add(*count));
        let ours = open.get(peer).copied().unwrap_or_default();
        if ours >= MAX_SESSIONS || all >= MAX_SESSIONS_IN_ALL {
            return Err("too many sessions: this tower has no room for another one".into());
        }
        open.insert(peer.clone(), ours.saturating_add(1));
        Ok(Seat(self.open.clone(), peer.clone()))
    }

    async fn serve<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &self,
        peer: &AccountId,
        reader: &mut Reader<R>,
        writer: &mut Writer<W>,
    ) -> Result<(), TransportError> {
        let each = Duration::from_secs(1) / self.admission.packets_per_second.max(1);
        let mut next = Instant::now();
        loop {
            let read = timeout(SILENCE_LIMIT, reader.read_value::<ToTower>());
            let answer = match read.await.map_err(|_| TransportError::Timeout)?? {
                ToTower::Ping => ToClient::Ping,
                ToTower::Watch { number, packet } => {
                    let now = Instant::now();
                    next = next.max(now.checked_sub(BURST).unwrap_or(now)) + each;
                    sleep_until(next).await;
                    match self.offer(peer, packet).await {
                        Some(Ok(())) => ToClient::Receipt { number },
                        Some(Err(reason)) => ToClient::Refused { number, reason },
                        // The tower stops: nothing is receipted that is not on disk.
                        None => return Ok(()),
                    }
                },
            };
            write(writer, &answer).await?;
        }
    }

    /// Checks a packet and has it stored. `None` when the tower stops.
    async fn offer(
        &self,
        peer: &AccountId,
        packet: WatchPacket,
    ) -> Option<Result<(), PacketError>> {
        let Some(latest) = *self.latest_expiry.borrow() else {
            return Some(Err(PacketError::NotReady));
        };
        if let Err(error) = packet.check(peer, self.genesis, latest) {
            return Some(Err(error));
        }
        let (reply, answer) = oneshot::channel();
        let offer = Input::Offer { client: peer.clone(), packet, reply };
        self.inputs.send(offer).await.ok()?;
        answer.await.ok()
    }
}

async fn write<W: AsyncWrite + Unpin>(
    writer: &mut Writer<W>,
    message: &ToClient,
) -> Result<(), TransportError> {
    let writing = async {
        writer.write_value(message).await?;
        writer.flush().await
    };
    timeout(WRITE_TIMEOUT, writing).await.map_err(|_| TransportError::Timeout)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use failsafe_channel::Sign;
    use failsafe_hub::{
        keys::{AccountKey, Scheme},
        transport::{accept, dial, Identity, TransportKey},
    };
    use failsafe_primitives::{ChannelContext, Pair, Signature, Simplex, TwiceSigned};
    use tokio::{net::TcpListener, task::JoinHandle};

    const GENESIS: H256 = H256::repeat_byte(7);

    fn key(name: &str) -> AccountKey {
        AccountKey::from_uri(Scheme::Sr25519, &format!("//{name}")).unwrap()
    }

    fn identity(name: &str) -> Identity {
        Identity { signer: Arc::new(key(name)), genesis: GENESIS }
    }

    /// A simplex of the partner with both signatures.
    fn packet() -> WatchPacket {
        let (client, partner) = (key("client"), key("partner"));
        let pair = Pair::new(client.account(), partner.account()).unwrap();
        let from = pair.side_of(&partner.account()).unwrap();
        let context = ChannelContext { genesis_hash: GENESIS, pair, epoch: 0 };
        let simplex = Simplex { nonce: 1, ..Simplex::default() };
        let signature = partner.sign(&context.simplex_message(from, &simplex));
        let ack = client.sign(&context.ack_message(from, &simplex));
        let [signature, ack] = [signature, ack].map(Signature::Direct);
        WatchPacket {
            context,
            theirs: Some(TwiceSigned { from, simplex, signature, ack }),
            ours: None,
            secrets: Default::default(),
        }
    }

    /// A tower's listening side that lets `client` in, and what reaches its core.
    struct Door {
        latest: watch::Sender<Option<Clock>>,
        core: mpsc::Receiver<Input>,
        session: Session,
        serving: JoinHandle<()>,
    }

    async fn enter(name: &str) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let transport = TransportKey::generate();
        let known = transport.public();
        let (inputs, core) = mpsc::channel(8);
        let (latest, latest_expiry) = watch::channel(Some(100));
        let clients = Some([key("client").account()].into_iter().collect());
        let sessions = Sessions {
            admission: Arc::new(Admission { clients, packets_per_second: 1_000 }),
            genesis: GENESIS,
            inputs,
            latest_expiry,
            open: Arc::default(),
        };
        let serving = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let session = accept(stream, &transport, &identity("tower")).await.unwrap();
            sessions.run(session).await;
        });
        let tower = key("tower").account();
        let session = dial(&endpoint, &known, &tower, &identity(name)).await.unwrap();
        Door { latest, core, session, serving }
    }

    impl Door {
        async fn say(&mut self, message: ToTower) {
            self.session.writer.write_value(&message).await.unwrap();
            self.session.writer.flush().await.unwrap();
        }

        async fn hear(&mut self) -> ToClient {
            let read = self.session.reader.read_value();
            timeout(Duration::from_secs(20), read).await.unwrap().unwrap()
        }
    }

    #[tokio::test]
    async fn client_should_be_told_why_when_the_tower_does_not_watch_for_it() {
        let mut door = enter("stranger").await;
        let ToClient::Bye(reason) = door.hear().await else { panic!("it was let in") };
        assert!(reason.contains("ask its operator"), "{reason}");
        door.serving.await.unwrap();
    }

    #[tokio::test]
    async fn receipt_should_come_only_when_the_core_has_answered() {
        let mut door = enter("client").await;
        door.say(ToTower::Watch { number: 7, packet: packet() }).await;
        let Some(Input::Offer { client, reply, .. }) = door.core.recv().await else {
            panic!("the packet is good")
        };
        assert_eq!(client, key("client").account());
        let early =
            timeout(Duration::from_millis(300), door.session.reader.read_value::<ToClient>());
        assert!(early.await.is_err(), "it is not on disk yet");
        reply.send(Ok(())).unwrap();
        assert_eq!(door.hear().await, ToClient::Receipt { number: 7 });
    }

    #[tokio::test]
    async fn packet_should_be_refused_before_the_core_when_it_is_bad_or_the_chain_is_unknown() {
        let mut door = enter("client").await;
        let mut forged = packet();
        forged.theirs.as_mut().unwrap().simplex.nonce = 2;
        door.say(ToTower::Watch { number: 1, packet: forged }).await;
        let ToClient::Refused { number: 1, reason: PacketError::BadProof(_) } = door.hear().await
        else {
            panic!("a forged packet was not refused")
        };
        door.latest.send_replace(None);
        door.say(ToTower::Watch { number: 2, packet: packet() }).await;
        let refused = ToClient::Refused { number: 2, reason: PacketError::NotReady };
        assert_eq!(door.hear().await, refused);
        assert!(door.core.try_recv().is_err());
        door.say(ToTower::Ping).await;
        assert_eq!(door.hear().await, ToClient::Ping);
    }

    #[tokio::test]
    async fn client_should_be_refused_when_it_has_too_many_sessions() {
        let open = Arc::new(Mutex::new(HashMap::new()));
        let (inputs, _core) = mpsc::channel(1);
        let sessions = Sessions {
            admission: Arc::new(Admission { clients: None, packets_per_second: 1 }),
            genesis: GENESIS,
            inputs,
            latest_expiry: watch::channel(None).1,
            open: open.clone(),
        };
        let client = key("client").account();
        let seats: Vec<_> = (0..MAX_SESSIONS).map(|_| sessions.admit(&client).unwrap()).collect();
        assert!(sessions.admit(&client).is_err());
        assert!(sessions.admit(&key("other").account()).is_ok(), "others have theirs");
        drop(seats);
        assert!(open.lock().unwrap().is_empty(), "an ended session leaves its seat");
    }
}
