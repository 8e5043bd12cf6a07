//! One peer's connection: frames in, frames out, and its end.

use super::{
    core::{Input, SessionId},
    quota::Gate,
    runtime::HostInput,
};
use crate::transport::{outlet, Frame, Reader, Session, TransportError, SILENCE_LIMIT};
use codec::DecodeAll;
use failsafe_channel::Message;
use failsafe_primitives::AccountId;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{io::AsyncRead, sync::mpsc, time::sleep};
use tracing::info;

/// Into how many looks the time is divided after which a peer has been silent for too long.
const LOOKS: u32 = 7;
/// Longest place that a peer may name.
const MAX_PLACE: usize = 300;

/// Runs an established session until it ends, and tells the host of its beginning and end. Where the
/// peer says that we should go, if it does.
pub(super) async fn run(
    session: Session,
    id: SessionId,
    host: mpsc::Sender<HostInput>,
    mut gate: Gate,
) -> Option<String> {
    let Session { peer, mut reader, writer } = session;
    let (outlet, drain) = outlet(writer);
    let opened = HostInput::Opened { partner: peer.clone(), session: id, outlet };
    if host.send(opened).await.is_err() {
        return None;
    }
    info!(%peer, "connected");
    let heard = Heard::default();
    // Each direction ends the other: without reading, a dead peer is not noticed.
    let ended = tokio::select! {
        ended = receive(&mut reader, &peer, id, &host, &mut gate, &heard) => ended,
        ended = drain.run() => ended,
        ended = heard.silence(SILENCE_LIMIT) => Err(ended),
    };
    let mut elsewhere = None;
    match ended {
        Ok(()) => info!(%peer, "disconnected"),
        Err(TransportError::Elsewhere(place)) => elsewhere = Some(place),
        Err(reason) => {
            if matches!(reason, TransportError::Malformed) {
                drain.farewell(Frame::Bye(reason.to_string())).await;
            }
            info!(%peer, %reason, "disconnected");
        },
    }
    drop(drain);
    // If the host is gone, nobody needs to know.
    let _ = host.send(HostInput::Core(Input::Disconnected { partner: peer, session: id })).await;
    elsewhere
}

async fn receive<R: AsyncRead + Unpin>(
    reader: &mut Reader<R>,
    peer: &AccountId,
    id: SessionId,
    host: &mpsc::Sender<HostInput>,
    gate: &mut Gate,
    heard: &Heard,
) -> Result<(), TransportError> {
    loop {
        heard.waits(true);
        let frame = reader.read().await?;
        heard.waits(false);
        match frame {
            Frame::Ping => {},
            Frame::Bye(reason) => return Err(TransportError::Bye(reason)),
            Frame::Elsewhere(place) if place.len() <= MAX_PLACE => {
                return Err(TransportError::Elsewhere(place));
            },
            Frame::Elsewhere(_) => return Err(TransportError::Malformed),
            Frame::Channel(bytes) => {
                gate.pass(bytes.len()).await;
                let message =
                    Message::decode_all(&mut &bytes[..]).map_err(|_| TransportError::Malformed)?;
                let input = Input::Message { partner: peer.clone(), session: id, message };
                // Waits while the party is busy, which slows the peer down.
                if host.send(HostInput::Core(input)).await.is_err() {
                    return Ok(());
                }
            },
        }
    }
}

/// Whether a peer is heard. One clock for all its frames: one for each would be set and cleared with
/// each.
#[derive(Default)]
struct Heard {
    /// Whether we wait for its next frame.
    waiting: AtomicBool,
    /// Whether that has been so since the last look.
    silent: AtomicBool,
}

impl Heard {
    /// The next frame is waited for, or one has come and is being handled, which may take long.
    fn waits(&self, waiting: bool) {
        self.waiting.store(waiting, Ordering::Relaxed);
        self.silent.store(false, Ordering::Relaxed);
    }

    /// Returns when nothing has come for so long, or a little longer.
    async fn silence(&self, limit: Duration) -> TransportError {
        let pause = limit.checked_div(LOOKS).unwrap_or(limit);
        let mut silent = 0u32;
        while silent < LOOKS {
            sleep(pause).await;
            let waiting = self.waiting.load(Ordering::Relaxed);
            let since = self.silent.swap(waiting, Ordering::Relaxed);
            silent = if since && waiting { silent.saturating_add(1) } else { 0 };
        }
        TransportError::Timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::{AccountKey, Scheme},
        metrics::Counters,
        party::quota::PeerQuota,
        transport::{accept, dial, Identity, TransportKey},
    };
    use codec::Encode;
    use sp_core::H256;
    use std::{
        sync::Arc,
        time::{Duration, Instant},
    };
    use tokio::{net::TcpListener, time::timeout};

    fn identity(uri: &str) -> Identity {
        let key = AccountKey::from_uri(Scheme::Sr25519, uri).unwrap();
        Identity { signer: Arc::new(key), genesis: H256::repeat_byte(1) }
    }

    /// A peer that sends `messages` as fast as it can, over a real socket. How long until the last
    /// one was taken; the session must still be open then.
    async fn flood(quota: u32, messages: usize) -> Duration {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let (key, hub, user) = (TransportKey::generate(), identity("//Hub"), identity("//User"));
        let account = hub.signer.account();
        let public = key.public();
        let (dialed, accepted) = tokio::join!(dial(&endpoint, &public, &account, &user), async {
            accept(listener.accept().await.unwrap().0, &key, &hub).await
        });
        let (mut dialed, accepted) = (dialed.unwrap(), accepted.unwrap());
        let limit = PeerQuota::default();
        limit.set(quota);
        let (host, mut inputs) = mpsc::channel(16);
        let session = tokio::spawn(run(accepted, 1, host, limit.gate(Counters::default())));
        let begun = Instant::now();
        let sending = async {
            let frame = Frame::Channel(Message::InsureRequest { asset: 0 }.encode());
            for _ in 0..messages {
                dialed.writer.write(&frame).await.unwrap();
            }
            dialed.writer.flush().await.unwrap();
        };
        let taking = async {
            let mut open = None;
            let mut taken = 0;
            while taken < messages {
                match inputs.recv().await.expect("the session is open") {
                    HostInput::Opened { outlet, .. } => open = Some(outlet),
                    HostInput::Core(Input::Message { .. }) => taken += 1,
                    HostInput::Core(other) => panic!("{other:?}"),
                    HostInput::Stop => panic!("nobody stops"),
                }
            }
            let took = begun.elapsed();
            // It is slowed down, not cut.
            open.expect("it was opened").send(Frame::Ping).unwrap();
            took
        };
        let ((), took) = tokio::join!(sending, taking);
        assert_eq!(dialed.reader.read().await.unwrap(), Frame::Ping);
        session.abort();
        took
    }

    #[tokio::test]
    async fn peer_should_be_silent_only_when_its_next_frame_is_waited_for() {
        let (heard, limit) = (Heard::default(), Duration::from_millis(70));
        let long = Duration::from_millis(700);
        // What has come is being handled.
        assert!(timeout(long, heard.silence(limit)).await.is_err());
        let chatting = async {
            for _ in 0..60 {
                heard.waits(false);
                heard.waits(true);
                sleep(Duration::from_millis(10)).await;
            }
        };
        let begun = Instant::now();
        let (ended, ()) = tokio::join!(heard.silence(limit), chatting);
        assert!(matches!(ended, TransportError::Timeout));
        assert!(begun.elapsed() >= Duration::from_millis(600) + limit / 2);
    }

    #[tokio::test]
    async fn session_should_be_slowed_and_not_cut_when_the_peer_sends_more_than_its_quota() {
        // A burst of 200, then 200 at 200 a second.
        assert!(flood(200, 400).await >= Duration::from_millis(950));
    }

    #[tokio::test]
    async fn busy_session_should_not_be_held_back_by_the_default_quota() {
        // More than a hub forwards in a second.
        let defaults = crate::config::LimitsConfig::default();
        let quota = PeerQuota::default();
        quota.set(defaults.peer_messages_per_second);
        let counters = Counters::default();
        let mut gate = quota.gate(counters.clone());
        for _ in 0..50_000 {
            gate.pass(300).await;
        }
        assert!(counters.throttled_seconds() < f64::EPSILON);
    }
}
