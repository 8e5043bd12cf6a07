//! From a Diffie-Hellman result to the keys of a layer (`docs/onion.md` §3).

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use chacha20::{cipher::KeyIvInit, ChaCha20};
use codec::{Decode, Encode, MaxEncodedLen};
use core::fmt;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Salt of every extraction. The same X25519 keys serve the Noise transport: no key of one may ever
/// be a key of the other.
const SALT: &[u8] = b"failsafe/onion/2";

/// 32 secret bytes, erased when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// HKDF-SHA256-Extract over the parts, one after the other.
pub(crate) fn extract(parts: &[&[u8]]) -> Key {
    let material = Zeroizing::new(parts.concat());
    let (mut secret, _) = Hkdf::<Sha256>::extract(Some(SALT), &material);
    let key = Zeroizing::new(secret.into());
    secret.as_mut_slice().zeroize();
    key
}

/// HKDF-SHA256-Expand to 32 bytes.
pub(crate) fn expand(secret: &[u8; 32], label: &[u8]) -> Key {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::from_prk(secret)
        .expect("the secret is as long as a hash; qed")
        .expand(label, key.as_mut())
        .expect("32 bytes are less than 255 hashes; qed");
    key
}

/// ChaCha20 of RFC 8439 from block 0 on. The nonce is zero because no key encrypts twice.
pub(crate) fn stream(key: &[u8; 32]) -> ChaCha20 {
    ChaCha20::new(key.into(), &[0; 12].into())
}

/// HMAC-SHA256 over the parts, one after the other; all but one have a fixed length.
pub(crate) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("any length will do; qed");
    parts.iter().for_each(|part| mac.update(part));
    mac
}

/// The X25519 function; `None` if the point is of low order.
pub(crate) fn agree(scalar: &[u8; 32], point: &[u8; 32]) -> Option<Key> {
    agree_as(&private_key(scalar), point)
}

fn agree_as(private: &PrivateKey, point: &[u8; 32]) -> Option<Key> {
    let point = UnparsedPublicKey::new(&X25519, point);
    agreement::agree(private, point, (), |shared| {
        Ok(Zeroizing::new(shared.try_into().map_err(|_| ())?))
    })
    .ok()
}

fn private_key(scalar: &[u8; 32]) -> PrivateKey {
    PrivateKey::from_private_key(&X25519, scalar).expect("any 32 bytes are a scalar; qed")
}

/// The X25519 public key of a secret key, as hops are addressed by it in a route.
pub fn public_key(secret: &[u8; 32]) -> [u8; 32] {
    public_of(&private_key(secret))
}

fn public_of(private: &PrivateKey) -> [u8; 32] {
    let public = private.compute_public_key().expect("every scalar has a public key; qed");
    public.as_ref().try_into().expect("it has 32 bytes; qed")
}

/// The X25519 key of a hop, to which payers encrypt its instructions. Its public part is reckoned
/// once, not for every packet. The secret is erased when it is dropped.
pub struct NodeKey {
    private: PrivateKey,
    public: [u8; 32],
}

impl NodeKey {
    /// That of an X25519 secret key, which may be any 32 bytes. The caller's copy is the caller's to
    /// erase.
    pub fn new(secret: &[u8; 32]) -> Self {
        let private = private_key(secret);
        let public = public_of(&private);
        Self { private, public }
    }

    /// As payers know the hop.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// What the hop shares with the payer of this ephemeral key; `None` if that is of low order.
    pub(crate) fn agree(&self, ephemeral: &[u8; 32]) -> Option<Key> {
        agree_as(&self.private, ephemeral)
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The keys of one layer.
pub(crate) struct LayerKeys {
    /// Encrypts the instructions.
    pub stream: Key,
    /// Authenticates them.
    pub mac: Key,
    /// For failures; does not open the packet.
    pub hop: HopSecret,
}

impl LayerKeys {
    /// The ephemeral key is hashed as it came, because X25519 takes several encodings of a point.
    pub fn derive(shared: &[u8; 32], ephemeral: &[u8; 32], node: &[u8; 32]) -> Self {
        let secret = extract(&[shared, ephemeral, node]);
        Self {
            stream: expand(&secret, b"failsafe/onion/2/stream"),
            mac: expand(&secret, b"failsafe/onion/2/mac"),
            hop: HopSecret(*expand(&secret, b"failsafe/onion/2/hop")),
        }
    }
}

/// What a hop and the payer share about one packet. A hop keeps it with the lock until the lock is
/// settled or has failed. It writes failures; it cannot decrypt the packet.
#[derive(Clone, Eq, Encode, Decode, MaxEncodedLen, Zeroize, ZeroizeOnDrop)]
pub struct HopSecret([u8; 32]);

impl HopSecret {
    /// Names the packet at this hop, the same whenever it comes again, for the caller's protection
    /// against replays. It tells nothing about the secret.
    pub fn tag(&self) -> [u8; 32] {
        *self.expand(b"failsafe/onion/2/tag")
    }

    pub(crate) fn expand(&self, label: &[u8]) -> Key {
        expand(&self.0, label)
    }
}

impl PartialEq for HopSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for HopSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HopSecret(..)")
    }
}
