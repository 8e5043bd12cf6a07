//! Encrypted frames over a byte stream.
//!
//! On the wire: u16 length, then one Noise message. Its plaintext starts with a byte that says
//! whether the frame goes on in the next message.

use super::{Frame, TransportError, MAX_MESSAGE};
use codec::{Decode, DecodeAll, Encode};
use snow::StatelessTransportState;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest Noise message.
pub(super) const MAX_NOISE: usize = 65_535;
/// What authentication adds to a message.
const TAG: usize = 16;
/// Plaintext of a message, without the byte that says whether it goes on.
const CHUNK: usize = MAX_NOISE - TAG - 1;
/// Marks the last message of a frame.
const LAST: u8 = 0;
/// Marks a message that the next one continues.
const MORE: u8 = 1;

/// Reads one length-prefixed Noise message.
pub(super) async fn read_noise(
    io: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Result<(), TransportError> {
    let length = io.read_u16().await.map_err(closed)?;
    buffer.resize(usize::from(length), 0);
    io.read_exact(buffer).await.map_err(closed)?;
    Ok(())
}

/// Writes one length-prefixed Noise message.
pub(super) async fn write_noise(
    io: &mut (impl AsyncWrite + Unpin),
    message: &[u8],
) -> Result<(), TransportError> {
    let length =
        u16::try_from(message.len()).map_err(|_| TransportError::TooLong(message.len()))?;
    io.write_u16(length).await?;
    io.write_all(message).await?;
    Ok(())
}

fn closed(error: std::io::Error) -> TransportError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset => {
            TransportError::Closed
        },
        _ => TransportError::Io(error),
    }
}

/// The receiving half of a session.
pub struct Reader<R> {
    pub(super) io: R,
    pub(super) noise: Arc<StatelessTransportState>,
    pub(super) counter: u64,
    cipher: Vec<u8>,
    plain: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(io: R, noise: Arc<StatelessTransportState>) -> Self {
        Self { io, noise, counter: 0, cipher: Vec::new(), plain: vec![0; MAX_NOISE] }
    }

    /// The next frame.
    pub async fn read(&mut self) -> Result<Frame, TransportError> {
        let bytes = self.read_bytes().await?;
        Frame::decode_all(&mut &bytes[..]).map_err(|_| TransportError::Malformed)
    }

    /// The next value of whatever type both sides expect.
    pub async fn read_value<T: Decode>(&mut self) -> Result<T, TransportError> {
        let bytes = self.read_bytes().await?;
        T::decode_all(&mut &bytes[..]).map_err(|_| TransportError::Malformed)
    }

    async fn read_bytes(&mut self) -> Result<Vec<u8>, TransportError> {
        let mut bytes = Vec::new();
        loop {
            read_noise(&mut self.io, &mut self.cipher).await?;
            let length = self.noise.read_message(self.counter, &self.cipher, &mut self.plain)?;
            // A session ends long before 2^64 messages.
            self.counter = self.counter.checked_add(1).ok_or(TransportError::Malformed)?;
            let (flag, chunk) =
                self.plain[..length].split_first().ok_or(TransportError::Malformed)?;
            bytes.extend_from_slice(chunk);
            if bytes.len() > MAX_MESSAGE {
                return Err(TransportError::TooLong(bytes.len()));
            }
            match *flag {
                LAST => return Ok(bytes),
                MORE if chunk.len() == CHUNK => {},
                _ => return Err(TransportError::Malformed),
            }
        }
    }
}

/// The sending half of a session. Nothing leaves before [`Writer::flush`], so that many frames
/// travel in one packet.
pub struct Writer<W> {
    pub(super) io: tokio::io::BufWriter<W>,
    pub(super) noise: Arc<StatelessTransportState>,
    pub(super) counter: u64,
    cipher: Vec<u8>,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub(super) fn new(io: W, noise: Arc<StatelessTransportState>) -> Self {
        let io = tokio::io::BufWriter::with_capacity(MAX_NOISE + 2, io);
        Self { io, noise, counter: 0, cipher: vec![0; MAX_NOISE] }
    }

    /// Encrypts a frame.
    pub async fn write(&mut self, frame: &Frame) -> Result<(), TransportError> {
        self.write_value(frame).await
    }

    /// Encrypts a value of whatever type both sides expect.
    pub async fn write_value(&mut self, value: &impl Encode) -> Result<(), TransportError> {
        let bytes = value.encode();
        if bytes.len() > MAX_MESSAGE {
            return Err(TransportError::TooLong(bytes.len()));
        }
        let mut rest = &bytes[..];
        loop {
            let (chunk, later) = rest.split_at(rest.len().min(CHUNK));
            let flag = if later.is_empty() { LAST } else { MORE };
            let mut plain = Vec::with_capacity(chunk.len() + 1);
            plain.push(flag);
            plain.extend_from_slice(chunk);
            let length = self.noise.write_message(self.counter, &plain, &mut self.cipher)?;
            self.counter = self.counter.checked_add(1).ok_or(TransportError::Malformed)?;
            write_noise(&mut self.io, &self.cipher[..length]).await?;
            if later.is_empty() {
                return Ok(());
            }
            rest = later;
        }
    }

    /// Sends what was written.
    pub async fn flush(&mut self) -> Result<(), TransportError> {
        self.io.flush().await?;
        Ok(())
    }
}
