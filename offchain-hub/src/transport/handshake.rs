//! The handshake: Noise, then both prove their accounts.

use super::{
    stream::{read_noise, write_noise, Reader, Writer, MAX_NOISE},
    TransportError, HANDSHAKE_TIMEOUT,
};
use crate::keys::{read_private, write_private, KeyError};
use codec::{Decode, Encode};
use failsafe_channel::Sign;
use failsafe_primitives::{signature, AccountId};
use snow::{Builder, HandshakeState};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_runtime::MultiSignature;
use std::{path::Path, sync::Arc};
use tokio::{
    net::{
        tcp::{OwnedReadHalf, OwnedWriteHalf},
        TcpStream,
    },
    time::timeout,
};

const PATTERN: &str = "Noise_NK_25519_ChaChaPoly_BLAKE2s";
/// Domain tag of what both sign.
const SESSION_TAG: &str = "failsafe/session/1";
/// Version of the session protocol.
const VERSION: u32 = 1;

/// A hub's X25519 transport key.
#[derive(Clone)]
pub struct TransportKey {
    private: Vec<u8>,
    public: [u8; 32],
}

// Secrets stay out of logs.
impl core::fmt::Debug for TransportKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "TransportKey({})", hex::encode(self.public))
    }
}

impl TransportKey {
    /// A new key.
    pub fn generate() -> Self {
        let pair = builder().generate_keypair().expect("the system has randomness; qed");
        let public = pair.public.try_into().expect("X25519 keys have 32 bytes; qed");
        Self { private: pair.private, public }
    }

    /// The key with this private part.
    pub fn from_private(private: [u8; 32]) -> Self {
        let public = failsafe_onion::public_key(&private);
        Self { private: private.to_vec(), public }
    }

    /// Private and public part in hex, as a key file holds them.
    pub fn to_text(&self) -> String {
        format!("{} {}\n", hex::encode(&self.private), hex::encode(self.public))
    }

    /// Reads what [`Self::to_text`] wrote.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let (private, public) = text.trim().split_once(' ').ok_or("expected two keys in hex")?;
        let private = hex::decode(private).map_err(|e| e.to_string())?;
        let public = hex::decode(public).map_err(|e| e.to_string())?;
        let public = public.try_into().map_err(|_| "a public key has 32 bytes")?;
        if private.len() != 32 {
            return Err("a private key has 32 bytes".into());
        }
        Ok(Self { private, public })
    }

    /// Writes a new key file that only its owner can read.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        write_private(path, self.to_text().as_bytes())
    }

    /// Reads a key file; refuses one that others can read.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let text = read_private(path)?;
        Self::from_text(&text)
            .map_err(|reason| KeyError::Damaged { path: path.display().to_string(), reason })
    }

    /// The private part: onions for a hub are encrypted to this key too.
    pub fn private(&self) -> [u8; 32] {
        let mut private = [0; 32];
        // It has 32 bytes, whether generated or read.
        private.copy_from_slice(&self.private);
        private
    }

    /// What goes into the registry.
    pub fn public(&self) -> [u8; 32] {
        self.public
    }
}

/// Who we are in a session.
pub struct Identity {
    /// The account key.
    pub signer: Arc<dyn Sign + Send + Sync>,
    /// The chain.
    pub genesis: H256,
}

/// Which end of the connection signs; the two never sign the same bytes.
#[derive(Clone, Copy, Encode)]
enum Role {
    #[codec(index = 0)]
    Dialer,
    #[codec(index = 1)]
    Listener,
}

/// First frame of both.
#[derive(Encode, Decode)]
struct Hello {
    version: u32,
    genesis: H256,
    account: AccountId,
    signature: MultiSignature,
}

/// An established session.
pub struct Session {
    /// Who is at the other end, proven.
    pub peer: AccountId,
    /// Receives.
    pub reader: Reader<OwnedReadHalf>,
    /// Sends.
    pub writer: Writer<OwnedWriteHalf>,
}

fn builder() -> Builder<'static> {
    Builder::new(PATTERN.parse().expect("a valid pattern; qed"))
}

fn session_message(role: Role, hash: &[u8], genesis: H256, account: &AccountId) -> [u8; 32] {
    blake2_256(&(SESSION_TAG, VERSION, role, hash, genesis, account).encode())
}

/// Opens a session with a listening hub whose transport key and account are known.
pub async fn dial(
    endpoint: &str,
    transport_key: &[u8; 32],
    expected: &AccountId,
    identity: &Identity,
) -> Result<Session, TransportError> {
    let handshake = async {
        let mut stream = TcpStream::connect(endpoint).await?;
        stream.set_nodelay(true)?;
        let mut noise = builder().remote_public_key(transport_key)?.build_initiator()?;
        send_step(&mut stream, &mut noise).await?;
        receive_step(&mut stream, &mut noise).await?;
        let session = prove(stream, noise, Role::Dialer, identity).await?;
        if session.peer != *expected {
            let (found, expected) = (session.peer, expected.clone());
            return Err(TransportError::OtherAccount { found, expected });
        }
        Ok(session)
    };
    timeout(HANDSHAKE_TIMEOUT, handshake).await.map_err(|_| TransportError::Timeout)?
}

/// Answers a connection.
pub async fn accept(
    mut stream: TcpStream,
    key: &TransportKey,
    identity: &Identity,
) -> Result<Session, TransportError> {
    let handshake = async {
        stream.set_nodelay(true)?;
        let mut noise = builder().local_private_key(&key.private)?.build_responder()?;
        receive_step(&mut stream, &mut noise).await?;
        send_step(&mut stream, &mut noise).await?;
        prove(stream, noise, Role::Listener, identity).await
    };
    timeout(HANDSHAKE_TIMEOUT, handshake).await.map_err(|_| TransportError::Timeout)?
}

async fn send_step(
    stream: &mut TcpStream,
    noise: &mut HandshakeState,
) -> Result<(), TransportError> {
    let mut message = vec![0; MAX_NOISE];
    let length = noise.write_message(&[], &mut message)?;
    write_noise(stream, &message[..length]).await
}

async fn receive_step(
    stream: &mut TcpStream,
    noise: &mut HandshakeState,
) -> Result<(), TransportError> {
    let mut message = Vec::new();
    read_noise(stream, &mut message).await?;
    noise.read_message(&message, &mut vec![0; MAX_NOISE])?;
    Ok(())
}

/// Both say who they are and prove it over this session's hash.
async fn prove(
    stream: TcpStream,
    noise: HandshakeState,
    role: Role,
    identity: &Identity,
) -> Result<Session, TransportError> {
    let hash = noise.get_handshake_hash().to_vec();
    let noise = Arc::new(noise.into_stateless_transport_mode()?);
    let (read, write) = stream.into_split();
    let mut reader = Reader::new(read, noise.clone());
    let mut writer = Writer::new(write, noise);

    let account = identity.signer.account();
    let message = session_message(role, &hash, identity.genesis, &account);
    let signature = identity.signer.sign(&message);
    let hello = Hello { version: VERSION, genesis: identity.genesis, account, signature };
    writer.write_value(&hello).await?;
    writer.flush().await?;

    let theirs: Hello = reader.read_value().await?;
    if theirs.version != VERSION {
        return Err(TransportError::Version { theirs: theirs.version, ours: VERSION });
    }
    if theirs.genesis != identity.genesis {
        let (theirs, ours) = (theirs.genesis, identity.genesis);
        return Err(TransportError::OtherChain { theirs, ours });
    }
    let their_role = match role {
        Role::Dialer => Role::Listener,
        Role::Listener => Role::Dialer,
    };
    let message = session_message(their_role, &hash, theirs.genesis, &theirs.account);
    if !signature::verify(&theirs.signature, &message, &theirs.account) {
        return Err(TransportError::Unproven(theirs.account));
    }
    Ok(Session { peer: theirs.account, reader, writer })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::{AccountKey, Scheme},
        transport::{Frame, MAX_MESSAGE},
    };
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    fn identity(uri: &str, genesis: u8) -> Identity {
        let key = AccountKey::from_uri(Scheme::Sr25519, uri).unwrap();
        Identity { signer: Arc::new(key), genesis: H256::repeat_byte(genesis) }
    }

    fn account(uri: &str) -> AccountId {
        AccountKey::from_uri(Scheme::Sr25519, uri).unwrap().account()
    }

    /// Dials a hub; returns what each side got.
    async fn connect(
        dialer: Identity,
        key: &TransportKey,
        known: &[u8; 32],
        expected: &AccountId,
    ) -> (Result<Session, TransportError>, Result<Session, TransportError>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let hub = identity("//Hub", 1);
        let answer = async {
            let (stream, _) = listener.accept().await.unwrap();
            accept(stream, key, &hub).await
        };
        tokio::join!(dial(&endpoint, known, expected, &dialer), answer)
    }

    #[test]
    fn key_should_be_the_same_when_it_is_made_of_its_private_part() {
        let key = TransportKey::generate();
        assert_eq!(TransportKey::from_private(key.private()).public(), key.public());
    }

    #[tokio::test]
    async fn session_should_carry_frames_both_ways_when_both_proved_their_accounts() {
        let key = TransportKey::generate();
        let hub = account("//Hub");
        let (dialed, accepted) = connect(identity("//User", 1), &key, &key.public(), &hub).await;
        let (mut dialed, mut accepted) = (dialed.unwrap(), accepted.unwrap());
        assert_eq!((&dialed.peer, &accepted.peer), (&hub, &account("//User")));
        for size in [0, 1, 70_000, MAX_MESSAGE - 100] {
            let frame = Frame::Channel(vec![7; size]);
            dialed.writer.write(&frame).await.unwrap();
            let send = dialed.writer.flush();
            let (sent, received) = tokio::join!(send, accepted.reader.read());
            sent.unwrap();
            assert_eq!(received.unwrap(), frame);
        }
        accepted.writer.write(&Frame::Ping).await.unwrap();
        accepted.writer.flush().await.unwrap();
        assert_eq!(dialed.reader.read().await.unwrap(), Frame::Ping);
    }

    #[tokio::test]
    async fn session_should_be_refused_when_the_transport_key_is_wrong() {
        let (key, other) = (TransportKey::generate(), TransportKey::generate());
        let (dialed, accepted) =
            connect(identity("//User", 1), &key, &other.public(), &account("//Hub")).await;
        assert!(matches!(accepted.err(), Some(TransportError::Noise(_))));
        assert!(dialed.is_err());
    }

    #[tokio::test]
    async fn session_should_be_refused_when_the_hub_is_another_account() {
        let key = TransportKey::generate();
        let (dialed, _) =
            connect(identity("//User", 1), &key, &key.public(), &account("//Other")).await;
        assert!(matches!(dialed.err(), Some(TransportError::OtherAccount { .. })));
    }

    #[tokio::test]
    async fn session_should_be_refused_when_the_peer_is_on_another_chain() {
        let key = TransportKey::generate();
        let (dialed, accepted) =
            connect(identity("//User", 2), &key, &key.public(), &account("//Hub")).await;
        assert!(matches!(dialed.err(), Some(TransportError::OtherChain { .. })));
        assert!(matches!(accepted.err(), Some(TransportError::OtherChain { .. })));
    }

    #[tokio::test]
    async fn listener_should_report_an_error_when_it_gets_random_or_truncated_bytes() {
        let key = TransportKey::generate();
        for bytes in [&b""[..], b"\x00", b"\x00\x30abc", b"GET / HTTP/1.1\r\n\r\n", &[0xff; 200]] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = listener.local_addr().unwrap();
            let mut garbage = TcpStream::connect(endpoint).await.unwrap();
            garbage.write_all(bytes).await.unwrap();
            garbage.shutdown().await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let refused = accept(stream, &key, &identity("//Hub", 1)).await;
            assert!(refused.is_err(), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn h27_reader_should_refuse_a_replayed_message() {
        let key = TransportKey::generate();
        let (dialed, accepted) =
            connect(identity("//User", 1), &key, &key.public(), &account("//Hub")).await;
        let (mut dialed, mut accepted) = (dialed.unwrap(), accepted.unwrap());
        dialed.writer.write(&Frame::Ping).await.unwrap();
        // The same counter again: what a replay on the wire would be.
        dialed.writer.counter -= 1;
        dialed.writer.write(&Frame::Ping).await.unwrap();
        dialed.writer.flush().await.unwrap();
        assert_eq!(accepted.reader.read().await.unwrap(), Frame::Ping);
        assert!(matches!(accepted.reader.read().await, Err(TransportError::Noise(_))));
    }

    #[test]
    fn transport_key_should_be_the_same_when_written_and_read() {
        let key = TransportKey::generate();
        let read = TransportKey::from_text(&key.to_text()).unwrap();
        assert_eq!(read.public(), key.public());
        assert!(TransportKey::from_text("nonsense").is_err());
        assert!(TransportKey::from_text("00 11").is_err());
    }
}
