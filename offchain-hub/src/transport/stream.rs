//! Encrypted frames over a byte stream.
//!
//! On the wire: u16 length, then one Noise message. Its plaintext starts with a byte that says
//! whether the frame goes on in the next message.

use super::{Frame, TransportError, MAX_MESSAGE};
use codec::{Decode, DecodeAll, Encode};
use snow::StatelessTransportState;
use std::{
    io::ErrorKind,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::tcp::OwnedWriteHalf,
};

/// Longest Noise message.
pub(super) const MAX_NOISE: usize = 65_535;
/// What authentication adds to a message.
const TAG: usize = 16;
/// Plaintext of a message, without the byte that says whether it goes on.
const CHUNK: usize = MAX_NOISE - TAG - 1;
/// What a session keeps of its buffers when it is idle, so that many sessions fit into memory.
const KEPT: usize = 8 * 1024;
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
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => TransportError::Closed,
        _ => TransportError::Io(error),
    }
}

/// The receiving half of a session.
pub struct Reader<R> {
    pub(super) io: BufReader<R>,
    pub(super) noise: Arc<StatelessTransportState>,
    pub(super) counter: u64,
    cipher: Vec<u8>,
    plain: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(io: R, noise: Arc<StatelessTransportState>) -> Self {
        let io = BufReader::with_capacity(KEPT, io);
        Self { io, noise, counter: 0, cipher: Vec::new(), plain: Vec::new() }
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
            self.plain.resize(self.cipher.len(), 0);
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
                LAST => {
                    shrink(&mut self.cipher);
                    shrink(&mut self.plain);
                    return Ok(bytes);
                },
                MORE if chunk.len() == CHUNK => {},
                _ => return Err(TransportError::Malformed),
            }
        }
    }
}

/// Gives back what a long message has taken.
fn shrink(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEPT {
        *buffer = Vec::new();
    }
}

/// The sending half of a session. Frames leave with [`Writer::flush`], or when there are many of
/// them, so that many travel in one packet.
pub struct Writer<W> {
    io: W,
    noise: Arc<StatelessTransportState>,
    pub(super) counter: u64,
    plain: Vec<u8>,
    /// Encrypted messages with their lengths.
    out: Vec<u8>,
    /// How much of them has left.
    left: usize,
}

impl<W> Writer<W> {
    pub(super) fn new(io: W, noise: Arc<StatelessTransportState>) -> Self {
        Self { io, noise, counter: 0, plain: Vec::new(), out: Vec::new(), left: 0 }
    }

    /// Whether so much is encrypted that it should leave before more is.
    pub(super) fn is_full(&self) -> bool {
        self.out.len() >= MAX_NOISE
    }

    /// Whether everything that was encrypted has left.
    pub(super) fn is_flushed(&self) -> bool {
        self.left >= self.out.len()
    }

    /// Encrypts a value of whatever type both sides expect.
    pub(super) fn encrypt_value(&mut self, value: &impl Encode) -> Result<(), TransportError> {
        // In front of each part is a byte for its flag: the first one's is made here, the others'
        // is the last byte of the part before, which has been encrypted then.
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        plain.push(LAST);
        value.encode_to(&mut plain);
        let length = plain.len().saturating_sub(1);
        if length > MAX_MESSAGE {
            return Err(TransportError::TooLong(length));
        }
        let mut begin = 0;
        loop {
            let rest = plain.len().saturating_sub(begin).saturating_sub(1);
            let end = begin.saturating_add(1).saturating_add(rest.min(CHUNK));
            plain[begin] = if rest > CHUNK { MORE } else { LAST };
            self.encrypt(&plain[begin..end])?;
            if rest <= CHUNK {
                break;
            }
            begin = end.saturating_sub(1);
        }
        shrink(&mut plain);
        self.plain = plain;
        Ok(())
    }

    /// Adds one Noise message to what is to be sent.
    fn encrypt(&mut self, plain: &[u8]) -> Result<(), TransportError> {
        let length = plain.len().saturating_add(TAG);
        let prefix =
            u16::try_from(length).map_err(|_| TransportError::TooLong(length))?.to_be_bytes();
        self.out.extend_from_slice(&prefix);
        let begin = self.out.len();
        self.out.resize(begin.saturating_add(length), 0);
        self.noise.write_message(self.counter, plain, &mut self.out[begin..])?;
        self.counter = self.counter.checked_add(1).ok_or(TransportError::Malformed)?;
        Ok(())
    }

    /// So much has left.
    fn note_sent(&mut self, sent: usize) -> Result<(), TransportError> {
        if sent == 0 {
            return Err(TransportError::Closed);
        }
        self.left = self.left.saturating_add(sent);
        if self.is_flushed() {
            self.left = 0;
            self.out.clear();
            shrink(&mut self.out);
        }
        Ok(())
    }
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Encrypts a frame.
    pub async fn write(&mut self, frame: &Frame) -> Result<(), TransportError> {
        self.write_value(frame).await
    }

    /// Encrypts a value of whatever type both sides expect.
    pub async fn write_value(&mut self, value: &impl Encode) -> Result<(), TransportError> {
        self.encrypt_value(value)?;
        if self.is_full() {
            self.flush().await?;
        }
        Ok(())
    }

    /// Sends what was written. Goes on where it was when it was cut short before.
    pub async fn flush(&mut self) -> Result<(), TransportError> {
        while !self.is_flushed() {
            let sent = self.io.write(&self.out[self.left..]).await?;
            self.note_sent(sent)?;
        }
        self.io.flush().await?;
        Ok(())
    }
}

impl Writer<OwnedWriteHalf> {
    /// Sends some of what was encrypted, so many bytes; `None` if the socket takes nothing now.
    pub(super) fn try_flush(&mut self) -> Result<Option<usize>, TransportError> {
        match self.io.try_write(&self.out[self.left..]) {
            Ok(sent) => self.note_sent(sent).map(|()| Some(sent)),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Ready when the socket may take more.
    pub(super) fn poll_ready(&self, ctx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.io.as_ref().poll_write_ready(ctx)
    }
}
