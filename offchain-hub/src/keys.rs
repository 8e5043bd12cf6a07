//! Account keys: what signs extrinsics and channel payloads.
//!
//! A key lives in a file of its own that only its owner can read. It holds the secret as a Substrate
//! URI: a mnemonic phrase, a hex seed, or a development path such as `//Alice`.

use aws_lc_rs::signature::Ed25519KeyPair;
use failsafe_channel::Sign;
use failsafe_primitives::AccountId;
use serde::{Deserialize, Serialize};
use sp_core::{crypto::DEV_PHRASE, ed25519, sr25519, Pair as _};
use sp_runtime::MultiSignature;
use std::{fs, io::Write, path::Path, sync::Arc};

/// Signature schemes of account keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// What polkadot.js and its extensions make by default.
    Sr25519,
    /// Deterministic signatures, cheaper to make.
    Ed25519,
}

/// What is wrong with a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a secret.
    #[error("not a valid secret: expected a mnemonic phrase, a 0x… seed of 32 bytes, or a path like //Alice")]
    Invalid,
    /// The file cannot be read or written.
    #[error("key file {path}: {source}")]
    Io {
        /// Its path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file's content is not a key.
    #[error("key file {path} is damaged ({reason}): restore it from your backup")]
    Damaged {
        /// Its path.
        path: String,
        /// How.
        reason: String,
    },
    /// Others can read the file.
    #[error("key file {path} can be read by others: run `chmod 600 {path}`")]
    Exposed {
        /// Its path.
        path: String,
    },
    /// The file is there already.
    #[error("key file {path} exists already: it is not overwritten")]
    Exists {
        /// Its path.
        path: String,
    },
    /// A key that everybody knows, on a chain where that matters.
    #[error("{account} is a development key like //Alice, made from a phrase that everybody knows, and {chain} is a live chain: make a new account with `init` without --suri and --secret-file, or with a phrase of your own")]
    Public {
        /// Its account.
        account: AccountId,
        /// Name of the chain.
        chain: String,
    },
}

/// The seed of [`DEV_PHRASE`].
const DEV_SEED: &str = "fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";
/// Substrate's development accounts, each with a stash.
const KNOWN: [&str; 6] = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"];

#[derive(Clone)]
enum Secret {
    Sr25519(Box<sr25519::Pair>),
    Ed25519(Arc<Ed25519>),
}

struct Ed25519 {
    pair: ed25519::Pair,
    /// Signs with the same seed, in half of the time: the same bytes.
    signer: Ed25519KeyPair,
}

impl Ed25519 {
    fn new(pair: ed25519::Pair) -> Result<Self, KeyError> {
        let signer = Ed25519KeyPair::from_seed_and_public_key(&pair.seed(), &pair.public().0);
        Ok(Self { signer: signer.map_err(|_| KeyError::Invalid)?, pair })
    }

    fn sign(&self, bytes: &[u8]) -> ed25519::Signature {
        let signature = self.signer.sign(bytes);
        ed25519::Signature::try_from(signature.as_ref()).unwrap_or_else(|_| self.pair.sign(bytes))
    }
}

/// An account key.
#[derive(Clone)]
pub struct AccountKey {
    secret: Secret,
    uri: String,
}

impl core::fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "AccountKey({})", self.account())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    scheme: Scheme,
    secret: String,
}

impl AccountKey {
    /// The key of a secret URI. Without phrase or path it would be one that everybody knows, or be
    /// made of a password alone: [`KeyError::Invalid`].
    pub fn from_uri(scheme: Scheme, uri: &str) -> Result<Self, KeyError> {
        if uri.is_empty() || uri.starts_with("///") {
            return Err(KeyError::Invalid);
        }
        let secret = match scheme {
            Scheme::Sr25519 => {
                let pair = sr25519::Pair::from_string(uri, None).map_err(|_| KeyError::Invalid)?;
                Secret::Sr25519(Box::new(pair))
            },
            Scheme::Ed25519 => {
                let pair = ed25519::Pair::from_string(uri, None).map_err(|_| KeyError::Invalid)?;
                Secret::Ed25519(Arc::new(Ed25519::new(pair)?))
            },
        };
        Ok(Self { secret, uri: uri.into() })
    }

    /// A new key; its secret is a phrase of twelve words.
    pub fn generate(scheme: Scheme) -> Self {
        let (_, phrase, _) = sr25519::Pair::generate_with_phrase(None);
        Self::from_uri(scheme, &phrase).expect("a generated phrase is valid; qed")
    }

    /// The secret, to be shown once for a backup.
    pub fn secret(&self) -> &str {
        &self.uri
    }

    /// Whether everybody can make it: from the phrase of Substrate's development accounts, which is what
    /// a path without a phrase stands for, from that phrase's seed, or as one of those accounts (H41).
    pub fn is_public(&self) -> bool {
        let phrase = self.uri.split('/').next().unwrap_or_default();
        let mut words = phrase.split_whitespace().peekable();
        let seed = phrase.strip_prefix("0x").unwrap_or(phrase);
        let is_known = |name: &str| {
            let path = [format!("//{name}"), format!("//{name}//stash")];
            let made = path.iter().filter_map(|uri| Self::from_uri(self.scheme(), uri).ok());
            made.into_iter().any(|known| known.account() == self.account())
        };
        words.peek().is_none()
            || words.eq(DEV_PHRASE.split(' '))
            || seed.eq_ignore_ascii_case(DEV_SEED)
            || KNOWN.into_iter().any(is_known)
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        match self.secret {
            Secret::Sr25519(_) => Scheme::Sr25519,
            Secret::Ed25519(_) => Scheme::Ed25519,
        }
    }

    /// Reads a key file; refuses one that others can read.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|source| KeyError::Io { path: name.clone(), source })?;
        check_private(path)?;
        let file: KeyFile = serde_json::from_str(&text)
            .map_err(|e| KeyError::Damaged { path: name.clone(), reason: e.to_string() })?;
        Self::from_uri(file.scheme, &file.secret)
            .map_err(|e| KeyError::Damaged { path: name, reason: e.to_string() })
    }

    /// Writes a new key file that only its owner can read.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let file = KeyFile { scheme: self.scheme(), secret: self.uri.clone() };
        let text = serde_json::to_string_pretty(&file).expect("plain strings; qed");
        write_private(path, text.as_bytes())
    }

    /// A signature over arbitrary bytes, as extrinsics need it.
    pub fn sign_bytes(&self, bytes: &[u8]) -> MultiSignature {
        match &self.secret {
            Secret::Sr25519(pair) => pair.sign(bytes).into(),
            Secret::Ed25519(key) => key.sign(bytes).into(),
        }
    }
}

impl Sign for AccountKey {
    fn account(&self) -> AccountId {
        match &self.secret {
            Secret::Sr25519(pair) => AccountId::new(pair.public().0),
            Secret::Ed25519(key) => AccountId::new(key.pair.public().0),
        }
    }

    fn sign(&self, message: &[u8; 32]) -> MultiSignature {
        self.sign_bytes(message)
    }
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let name = path.display().to_string();
    let mode = fs::metadata(path)
        .map_err(|source| KeyError::Io { path: name.clone(), source })?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: name });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), KeyError> {
    Ok(())
}

/// Writes a new file that only its owner can read, durably; never overwrites.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let name = path.display().to_string();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => KeyError::Exists { path: name },
        _ => KeyError::Io { path: name, source },
    })
}

/// Reads a file that must be private.
pub fn read_private(path: &Path) -> Result<String, KeyError> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| KeyError::Io { path: name, source })?;
    check_private(path)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_should_be_the_same_when_saved_and_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.json");
        for scheme in [Scheme::Sr25519, Scheme::Ed25519] {
            let key = AccountKey::generate(scheme);
            let _ = fs::remove_file(&path);
            key.save(&path).unwrap();
            assert_eq!(AccountKey::load(&path).unwrap().account(), key.account());
        }
    }

    #[test]
    fn h41_key_should_be_refused_when_its_secret_is_a_password() {
        for scheme in [Scheme::Sr25519, Scheme::Ed25519] {
            for password in ["correct horse battery staple", "hunter2", "///hunter2", ""] {
                let made = AccountKey::from_uri(scheme, password);
                assert!(matches!(made, Err(KeyError::Invalid)), "{password}: {made:?}");
            }
        }
    }

    /// Its seed as a secret.
    fn seed_of(scheme: Scheme, uri: &str) -> String {
        let seed = match scheme {
            Scheme::Sr25519 => sr25519::Pair::from_string_with_seed(uri, None).unwrap().1.unwrap(),
            Scheme::Ed25519 => ed25519::Pair::from_string_with_seed(uri, None).unwrap().1.unwrap(),
        };
        format!("0x{}", hex::encode(seed))
    }

    #[test]
    fn h41_key_should_be_public_when_everybody_can_make_it() {
        assert_eq!(seed_of(Scheme::Sr25519, DEV_PHRASE), format!("0x{DEV_SEED}"));
        let spaced = format!("{}//hub", DEV_PHRASE.replace(' ', "  "));
        for scheme in [Scheme::Sr25519, Scheme::Ed25519] {
            let seed = seed_of(scheme, DEV_PHRASE);
            let path = format!("{seed}//hub");
            let alice = seed_of(scheme, "//Alice");
            let (stash, shouted) = (seed_of(scheme, "//Eve//stash"), seed.to_uppercase());
            let shouted = shouted.replace("0X", "0x");
            for secret in [
                "//Alice",
                "/soft",
                "//hub///password",
                DEV_PHRASE,
                &spaced,
                &seed,
                &path,
                &alice,
                &stash,
                &shouted,
            ] {
                match AccountKey::from_uri(scheme, secret) {
                    Ok(key) => assert!(key.is_public(), "{secret}"),
                    // Ed25519 has no soft paths, and not every spelling of a phrase is one.
                    Err(_) => assert!([&*spaced, "/soft"].contains(&secret), "{secret}"),
                }
            }
            let own = AccountKey::generate(scheme);
            let derived = AccountKey::from_uri(scheme, &format!("{}//hub", own.secret())).unwrap();
            let seed = format!("0x{}", hex::encode([7; 32]));
            for key in [own, derived, AccountKey::from_uri(scheme, &seed).unwrap()] {
                assert!(!key.is_public(), "{}", key.account());
            }
        }
    }

    #[test]
    fn h41_keys_should_be_twelve_words_each_and_differ_when_they_are_generated() {
        let keys = [Scheme::Sr25519, Scheme::Ed25519, Scheme::Sr25519].map(AccountKey::generate);
        let secrets: std::collections::BTreeSet<_> = keys.iter().map(AccountKey::secret).collect();
        assert_eq!(secrets.len(), keys.len());
        assert!(secrets.iter().all(|secret| secret.split(' ').count() == 12));
    }

    #[test]
    fn key_file_should_not_be_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.json");
        AccountKey::generate(Scheme::Sr25519).save(&path).unwrap();
        let again = AccountKey::generate(Scheme::Sr25519).save(&path);
        assert!(matches!(again, Err(KeyError::Exists { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn key_file_should_be_refused_when_others_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.json");
        AccountKey::generate(Scheme::Sr25519).save(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(AccountKey::load(&path), Err(KeyError::Exposed { .. })));
    }

    #[test]
    fn key_file_should_be_refused_when_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.json");
        write_private(&path, b"{\"scheme\":\"sr25519\"").unwrap();
        assert!(matches!(AccountKey::load(&path), Err(KeyError::Damaged { .. })));
    }

    #[test]
    fn debug_output_should_not_show_the_secret() {
        let key = AccountKey::from_uri(Scheme::Sr25519, "//Alice").unwrap();
        assert!(!format!("{key:?}").contains("Alice"));
    }
}
