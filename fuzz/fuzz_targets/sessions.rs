//! The transport: whoever connects, and whoever is connected to, may send anything before and after
//! the handshake. A session comes about with a proven peer only, and what is no frame is an error.

#![no_main]

use codec::{DecodeAll, Encode};
use failsafe_channel::Message;
use failsafe_fuzz::bytes::Bytes;
use failsafe_hub::{
    keys::{AccountKey, Scheme},
    transport::{accept, dial, Frame, Identity, TransportError, TransportKey},
    watchtower::wire::{ToClient, ToTower},
};
use libfuzzer_sys::fuzz_target;
use sp_core::H256;
use std::sync::{Arc, OnceLock};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

const GENESIS: H256 = H256::repeat_byte(7);
/// A transport key, so that findings can be repeated.
const KEY: &str = "0101010101010101010101010101010101010101010101010101010101010101 \
    a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209";

fuzz_target!(|input: &[u8]| {
    decode(input);
    runtime().block_on(async {
        let mut bytes = Bytes::new(input);
        match bytes.u8() % 4 {
            0 => stranger_dials(bytes).await,
            1 => stranger_listens(bytes).await,
            _ => partner_sends(bytes).await,
        }
    });
});

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().expect("a runtime")
    })
}

/// All that is read from a session.
fn decode(input: &[u8]) {
    if let Ok(frame) = Frame::decode_all(&mut &input[..]) {
        assert_eq!(frame.encode(), input);
        if let Frame::Channel(message) = frame {
            drop(Message::decode_all(&mut &message[..]));
        }
    }
    if let Ok(message) = ToTower::decode_all(&mut &input[..]) {
        assert_eq!(ToTower::decode_all(&mut &message.encode()[..]), Ok(message));
    }
    if let Ok(message) = ToClient::decode_all(&mut &input[..]) {
        assert_eq!(ToClient::decode_all(&mut &message.encode()[..]), Ok(message));
    }
}

fn identity(number: u8, genesis: H256) -> Identity {
    let key = AccountKey::from_uri(Scheme::Ed25519, &format!("//fuzz//{number}"));
    Identity { signer: Arc::new(key.expect("a development path")), genesis }
}

fn hub_key() -> TransportKey {
    TransportKey::from_text(KEY).expect("a good key")
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = listener.local_addr().expect("it is bound").to_string();
    (listener, endpoint)
}

/// Writes all that is left, then nothing any more.
async fn write_rest(mut stream: TcpStream, mut bytes: Bytes<'_>) {
    // It may be gone already.
    let _ = stream.write_all(bytes.take(usize::MAX)).await;
    let _ = stream.shutdown().await;
    // Until the other side has had enough.
    let mut nothing = [0; 1_024];
    while matches!(tokio::io::AsyncReadExt::read(&mut stream, &mut nothing).await, Ok(1..)) {}
}

async fn stranger_dials(bytes: Bytes<'_>) {
    let (listener, endpoint) = listener().await;
    let stranger = async {
        let stream = TcpStream::connect(&endpoint).await.expect("it listens");
        write_rest(stream, bytes).await;
    };
    let hub = async {
        let (stream, _) = listener.accept().await.expect("somebody comes");
        accept(stream, &hub_key(), &identity(1, GENESIS)).await
    };
    let (_, session) = tokio::join!(stranger, hub);
    assert!(session.is_err(), "nobody has proved anything");
}

async fn stranger_listens(bytes: Bytes<'_>) {
    let (listener, endpoint) = listener().await;
    let stranger = async {
        let (stream, _) = listener.accept().await.expect("somebody comes");
        write_rest(stream, bytes).await;
    };
    let expected = identity(1, GENESIS).signer.account();
    let (key, own) = (hub_key().public(), identity(2, GENESIS));
    let (_, session) = tokio::join!(stranger, dial(&endpoint, &key, &expected, &own));
    assert!(session.is_err(), "nobody has proved anything");
}

/// Bytes as they are, in place of what both sides expect.
struct Raw<'a>(&'a [u8]);

impl Encode for Raw<'_> {
    fn encode(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// A partner with a session sends frames of arbitrary content.
async fn partner_sends(mut bytes: Bytes<'_>) {
    let (listener, endpoint) = listener().await;
    let genesis = if bytes.rarely(16) { H256::zero() } else { GENESIS };
    let (own, partner) = (identity(1, GENESIS), identity(2, genesis));
    let (account, key) = (own.signer.account(), hub_key());
    let hub = async {
        let (stream, _) = listener.accept().await.expect("somebody comes");
        accept(stream, &key, &own).await
    };
    let public = key.public();
    let (dialled, accepted) = tokio::join!(dial(&endpoint, &public, &account, &partner), hub);
    if genesis != GENESIS {
        assert!(dialled.is_err() && accepted.is_err(), "of another chain");
        return;
    }
    let (Ok(mut dialled), Ok(mut accepted)) = (dialled, accepted) else {
        panic!("two honest ones have no session");
    };
    assert_eq!((&dialled.peer, &accepted.peer), (&account, &partner.signer.account()));
    for _ in 0..8 {
        if bytes.is_empty() {
            break;
        }
        // Now and then longer than one message of the cipher.
        let length = usize::from(bytes.u8());
        let mut sent = bytes.take(length).to_vec();
        if bytes.rarely(8) {
            sent = sent.repeat(1 + usize::from(bytes.u16() % 1_024));
        }
        let writer = &mut dialled.writer;
        let write = async {
            writer.write_value(&Raw(&sent)).await?;
            writer.flush().await
        };
        let (written, got) = tokio::join!(write, accepted.reader.read());
        written.expect("short enough, and read");
        match (Frame::decode_all(&mut &sent[..]), got) {
            (Ok(frame), Ok(got)) => assert_eq!(frame, got),
            (Err(_), Err(TransportError::Malformed)) => {},
            other => panic!("{other:?}"),
        }
    }
}
