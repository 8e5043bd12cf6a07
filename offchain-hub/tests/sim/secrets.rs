//! What is secret is not in the log, however much is logged, nor in debug output.

use super::world::World;
use failsafe_channel::Sign;
use failsafe_hub::{
    chain::Call,
    keys::{AccountKey, Scheme},
    party::locks::incoming::{Invoice, InvoiceState},
    rpc::{
        guard::{Scope, Token},
        server::Contact,
    },
    transport::TransportKey,
};
use std::{
    io::Write,
    sync::{Arc, Mutex},
};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// How 32 bytes could be written: hex, or a list of numbers.
fn spellings(secret: &[u8]) -> [String; 3] {
    let list = format!("{secret:?}");
    [hex::encode(secret), hex::encode_upper(secret), list.trim_matches(['[', ']']).to_string()]
}

fn assert_hidden(text: &str, secret: &[u8], what: &str) {
    for spelling in spellings(secret) {
        assert!(!text.contains(&spelling), "{what} is in: {text:.2000}");
    }
}

/// Set in the process that has a test for itself.
const ALONE: &str = "FAILSAFE_TEST_ALONE";

#[test]
fn secrets_should_not_be_in_the_log_when_everything_is_logged() {
    // In a process of its own: what is logged is decided once for all threads.
    if std::env::var_os(ALONE).is_none() {
        let this = std::env::current_exe().unwrap();
        let name = "secrets::secrets_should_not_be_in_the_log_when_everything_is_logged";
        let done =
            std::process::Command::new(this).args([name, "--exact"]).env(ALONE, "1").output();
        let done = done.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
        return;
    }
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let secrets = tracing::subscriber::with_default(subscriber, || {
        let mut world = World::new(11, 4, &[]);
        for (payer, payee, amount) in [(0, 3, 40), (3, 0, 20), (0, 3, 5_000), (0, 3, 30)] {
            world.pay(payer, payee, amount, 1);
            world.come_to_rest();
        }
        // Falls, reorganisations, disputes and what else happens.
        for _ in 0..150 {
            world.step();
        }
        world.come_to_rest();
        world.secrets()
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("a payment was received"), "the payments were logged");
    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert!(secrets.len() > 8, "keys and secrets of payments");
    for secret in secrets {
        assert_hidden(&text, &secret, "a secret");
    }
    assert!(!text.contains("//sim//"), "the secret of an account key");
}

#[test]
fn debug_output_should_not_show_secrets() {
    let secret = [0xA7; 32];
    let key = AccountKey::from_uri(Scheme::Sr25519, &format!("0x{}", hex::encode(secret))).unwrap();
    let text = format!("{key:?}");
    assert!(text.contains(&key.account().to_string()));
    assert_hidden(&text, &secret, "an account key");
    let transport = TransportKey::generate();
    assert_hidden(&format!("{transport:?}"), &transport.private(), "a transport key");
    let invoice = Invoice {
        secret,
        payment_secret: secret,
        asset: 0,
        amount: None,
        expires_ms: 0,
        state: InvoiceState::Open,
        parts: vec![],
        received: 0,
    };
    assert_hidden(&format!("{invoice:?}"), &secret, "an invoice");
    let reveal = Call::Reveal { secrets: vec![secret] };
    assert_hidden(&format!("{reveal:?}"), &secret, "a reveal");
    let token = Token::generate();
    let contact =
        Contact { url: "http://h".into(), token: token.clone(), scope: Scope::Admin, pid: 1 };
    for text in [format!("{token:?}"), format!("{contact:?}")] {
        assert!(!text.contains(token.reveal()), "{text}");
    }
}
