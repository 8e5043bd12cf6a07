//! One peer's connection: frames in, frames out, and its end.

use super::{
    core::{Input, SessionId},
    quota::Gate,
    runtime::HostInput,
};
use crate::transport::{Frame, Reader, Session, TransportError, Writer, PING_EVERY, SILENCE_LIMIT};
use codec::DecodeAll;
use failsafe_channel::Message;
use failsafe_primitives::AccountId;
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::timeout,
};
use tracing::info;

/// Frames that may wait for a slow peer before its session is given up.
pub(super) const QUEUE: usize = 4_096;
/// How long a peer may take to accept what is sent to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

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
    let Session { peer, mut reader, mut writer } = session;
    let (queue, frames) = mpsc::channel(QUEUE);
    let opened = HostInput::Opened { partner: peer.clone(), session: id, queue };
    if host.send(opened).await.is_err() {
        return None;
    }
    info!(%peer, "connected");
    // Each direction ends the other: without reading, a dead peer is not noticed.
    let ended = tokio::select! {
        ended = receive(&mut reader, &peer, id, &host, &mut gate) => ended,
        ended = send(&mut writer, frames) => ended,
    };
    let mut elsewhere = None;
    match ended {
        Ok(()) => info!(%peer, "disconnected"),
        Err(TransportError::Elsewhere(place)) => elsewhere = Some(place),
        Err(reason) => {
            if matches!(reason, TransportError::Malformed) {
                let bye = Frame::Bye(reason.to_string());
                // The peer may be gone already.
                let _ = timeout(WRITE_TIMEOUT, farewell(&mut writer, &bye)).await;
            }
            info!(%peer, %reason, "disconnected");
        },
    }
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
) -> Result<(), TransportError> {
    loop {
        let frame =
            timeout(SILENCE_LIMIT, reader.read()).await.map_err(|_| TransportError::Timeout)??;
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

async fn send<W: AsyncWrite + Unpin>(
    writer: &mut Writer<W>,
    mut frames: mpsc::Receiver<Frame>,
) -> Result<(), TransportError> {
    loop {
        let frame = match timeout(PING_EVERY, frames.recv()).await {
            Ok(Some(frame)) => frame,
            // The host has let go of the session.
            Ok(None) => return Ok(()),
            Err(_) => Frame::Ping,
        };
        let writing = async {
            writer.write(&frame).await?;
            while let Ok(frame) = frames.try_recv() {
                writer.write(&frame).await?;
            }
            writer.flush().await
        };
        timeout(WRITE_TIMEOUT, writing).await.map_err(|_| TransportError::Timeout)??;
    }
}

async fn farewell<W: AsyncWrite + Unpin>(
    writer: &mut Writer<W>,
    frame: &Frame,
) -> Result<(), TransportError> {
    writer.write(frame).await?;
    writer.flush().await
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
    use tokio::net::TcpListener;

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
            let mut queue = None;
            let mut taken = 0;
            while taken < messages {
                match inputs.recv().await.expect("the session is open") {
                    HostInput::Opened { queue: opened, .. } => queue = Some(opened),
                    HostInput::Core(Input::Message { .. }) => taken += 1,
                    HostInput::Core(other) => panic!("{other:?}"),
                    HostInput::Stop => panic!("nobody stops"),
                }
            }
            let took = begun.elapsed();
            // It is slowed down, not cut.
            queue.expect("it was opened").send(Frame::Ping).await.unwrap();
            took
        };
        let ((), took) = tokio::join!(sending, taking);
        assert_eq!(dialed.reader.read().await.unwrap(), Frame::Ping);
        session.abort();
        took
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
