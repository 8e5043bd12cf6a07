//! The accounts that act, of all three schemes. Those that sign most have ed25519 keys, whose
//! signatures are the same at every run.

use failsafe_primitives::{signature::batch_message, AccountId, MerkleTree, Signature};
use failsafe_runtime::{Address, EXISTENTIAL_DEPOSIT, FRD};
use sp_core::{ecdsa, ed25519, sr25519, Pair};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::IdentifyAccount, MultiSignature, MultiSigner};
use std::sync::OnceLock;

use crate::bytes::Bytes;

enum Key {
    Sr25519(sr25519::Pair),
    Ed25519(ed25519::Pair),
    Ecdsa(ecdsa::Pair),
}

/// An account that can sign.
pub struct Actor {
    key: Key,
    /// Its id.
    pub id: AccountId,
    /// Native money at genesis.
    pub native: u64,
}

/// Who acts. The first is the authority, the sudo key and the issuer of FRB; the last two have no
/// account at genesis.
pub fn actors() -> &'static [Actor] {
    static ACTORS: OnceLock<Vec<Actor>> = OnceLock::new();
    ACTORS.get_or_init(|| {
        let ed = |seed| Key::Ed25519(ed25519::Pair::from_seed(&[seed; 32]));
        let frd = |amount: u128| u64::try_from(amount * FRD).expect("few");
        let least = u64::try_from(EXISTENTIAL_DEPOSIT).expect("little");
        vec![
            actor(Key::Sr25519(Sr25519Keyring::Alice.pair()), 0),
            actor(ed(1), frd(1_000)),
            actor(ed(2), frd(1_000)),
            actor(ed(3), frd(20)),
            actor(Key::Ecdsa(ecdsa::Pair::from_seed(&[4; 32])), frd(200)),
            actor(ed(5), 2 * least),
            actor(ed(6), 0),
            actor(Key::Sr25519(sr25519::Pair::from_seed(&[7; 32])), 0),
        ]
    })
}

fn actor(key: Key, native: u64) -> Actor {
    let signer: MultiSigner = match &key {
        Key::Sr25519(pair) => pair.public().into(),
        Key::Ed25519(pair) => pair.public().into(),
        Key::Ecdsa(pair) => pair.public().into(),
    };
    Actor { key, id: signer.into_account(), native }
}

impl Actor {
    /// Its address in a call.
    pub fn address(&self) -> Address {
        Address::Id(self.id.clone())
    }

    /// Its signature over a message.
    pub fn sign(&self, message: &[u8]) -> MultiSignature {
        match &self.key {
            Key::Sr25519(pair) => pair.sign(message).into(),
            Key::Ed25519(pair) => pair.sign(message).into(),
            Key::Ecdsa(pair) => pair.sign(message).into(),
        }
    }

    /// Mostly its signature over a payload's message; sometimes somebody else's, or garbage.
    pub fn proves(&self, message: &[u8; 32], bytes: &mut Bytes<'_>) -> MultiSignature {
        match bytes.u8() {
            250.. => bytes.decode().unwrap_or_else(|| self.sign(&[])),
            240..=249 => actors()[bytes.below(actors().len())].sign(message),
            _ => self.sign(message),
        }
    }

    /// As [`Self::proves`], in either of the two forms.
    pub fn signs(&self, message: &[u8; 32], bytes: &mut Bytes<'_>) -> Signature {
        match bytes.u8() {
            245.. => bytes.decode().unwrap_or_else(|| Signature::Direct(self.sign(&[]))),
            200..=244 => {
                let place = bytes.below(5);
                let mut messages = vec![[0xaa; 32]; place + bytes.below(5)];
                messages.insert(place, *message);
                let tree = MerkleTree::new(&messages).expect("few messages");
                let signature = self.proves(&batch_message(&tree.root()), bytes);
                let index = u32::try_from(place).expect("few messages");
                tree.signature(index, signature).expect("one of its messages")
            },
            _ => Signature::Direct(self.proves(message, bytes)),
        }
    }
}

/// Who in the cast has this id.
pub fn actor_of(id: &AccountId) -> Option<&'static Actor> {
    actors().iter().find(|actor| actor.id == *id)
}

/// Any account: mostly one of the cast, also custody's and unknown ones.
pub fn anybody(bytes: &mut Bytes<'_>) -> AccountId {
    match bytes.u8() {
        255 => failsafe_runtime::Custody::account(),
        254 => AccountId::new([bytes.u8(); 32]),
        place => actors()[usize::from(place) % actors().len()].id.clone(),
    }
}
