//! One peer's connection: frames in, frames out, and its end.

use super::{
    core::{Input, SessionId},
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

/// Runs an established session until it ends, and tells the host of its beginning and end.
pub(super) async fn run(session: Session, id: SessionId, host: mpsc::Sender<HostInput>) {
    let Session { peer, mut reader, mut writer } = session;
    let (queue, frames) = mpsc::channel(QUEUE);
    let opened = HostInput::Opened { partner: peer.clone(), session: id, queue };
    if host.send(opened).await.is_err() {
        return;
    }
    info!(%peer, "connected");
    // Each direction ends the other: without reading, a dead peer is not noticed.
    let ended = tokio::select! {
        ended = receive(&mut reader, &peer, id, &host) => ended,
        ended = send(&mut writer, frames) => ended,
    };
    match ended {
        Ok(()) => info!(%peer, "disconnected"),
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
}

async fn receive<R: AsyncRead + Unpin>(
    reader: &mut Reader<R>,
    peer: &AccountId,
    id: SessionId,
    host: &mpsc::Sender<HostInput>,
) -> Result<(), TransportError> {
    loop {
        let frame =
            timeout(SILENCE_LIMIT, reader.read()).await.map_err(|_| TransportError::Timeout)??;
        match frame {
            Frame::Ping => {},
            Frame::Bye(reason) => return Err(TransportError::Bye(reason)),
            Frame::Channel(bytes) => {
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
