//! Signatures over the 32 bytes of a payload (`protocol.md` §3): direct, or as one leaf of a
//! signed Merkle tree, so that a hub answers many channels with one signature.

use crate::ids::AccountId;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_io::hashing::blake2_256;
use sp_runtime::{traits::Verify, BoundedVec, MultiSignature};

/// Domain tag of a signed Merkle root.
pub const BATCH_TAG: &str = "failsafe/sigs/2";

/// Most levels of a tree: 2^20 messages under one signature.
pub const MAX_DEPTH: u32 = 20;

/// Siblings from a leaf up to the root.
pub type MerklePath = BoundedVec<[u8; 32], ConstU32<MAX_DEPTH>>;

/// A signature over a simplex or an acknowledgement. Both forms are accepted everywhere.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Signature {
    /// Over the message itself.
    #[codec(index = 0)]
    Direct(MultiSignature),
    /// Over the root of a [`MerkleTree`] that has the message as a leaf.
    #[codec(index = 1)]
    InBatch {
        /// Signature over [`batch_message`] of the root.
        signature: MultiSignature,
        /// Siblings from the leaf up.
        path: MerklePath,
        /// Position of the leaf.
        index: u32,
    },
}

impl Signature {
    /// Whether `signer` has signed `message`. Signature bytes are never compared: sr25519 makes
    /// other ones every time.
    pub fn verify(&self, message: &[u8; 32], signer: &AccountId) -> bool {
        self.claim(message).is_some_and(|(signed, signature)| verify(signature, &signed, signer))
    }

    /// The 32 bytes that are signed if this is a signature over `message`, and by what. One signature
    /// over a root is the same for all messages below it. `None` if it can be for no message.
    pub fn claim(&self, message: &[u8; 32]) -> Option<([u8; 32], &MultiSignature)> {
        match self {
            Self::Direct(signature) => Some((*message, signature)),
            Self::InBatch { signature, path, index } => {
                let root = root_of(message, path, *index)?;
                Some((batch_message(&root), signature))
            },
        }
    }
}

/// Whether `signer` has signed `message`: sr25519, ed25519 or ecdsa. Ethereum's personal
/// signatures are refused, since their accounts are derived in another way.
pub fn verify(signature: &MultiSignature, message: &[u8; 32], signer: &AccountId) -> bool {
    match signature {
        MultiSignature::Ed25519(_) | MultiSignature::Sr25519(_) | MultiSignature::Ecdsa(_) => {
            signature.verify(&message[..], signer)
        },
        MultiSignature::Eth(_) => false,
    }
}

/// The 32 bytes that are signed for a Merkle root.
pub fn batch_message(root: &[u8; 32]) -> [u8; 32] {
    blake2_256(&(BATCH_TAG, root).encode())
}

fn leaf(message: &[u8; 32]) -> [u8; 32] {
    blake2_256(&(0u8, message).encode())
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    blake2_256(&(1u8, left, right).encode())
}

/// Fills a tree up to a power of two. No message has it as its leaf.
fn padding() -> [u8; 32] {
    blake2_256(&[2u8])
}

/// The root above `message`, `None` when `index` does not fit into the path's depth.
fn root_of(message: &[u8; 32], path: &[[u8; 32]], index: u32) -> Option<[u8; 32]> {
    let depth = u32::try_from(path.len()).ok()?;
    if depth < 32 && index.checked_shr(depth).unwrap_or(0) != 0 {
        return None;
    }
    let mut hash = leaf(message);
    for (level, sibling) in path.iter().enumerate() {
        let is_right = (index >> level) & 1 == 1;
        hash = if is_right { node(sibling, &hash) } else { node(&hash, sibling) };
    }
    Some(hash)
}

/// A Merkle tree over messages, blake2b-256, leaves and nodes domain-separated (`protocol.md` §3).
#[derive(Clone, Debug)]
pub struct MerkleTree {
    /// Levels from the leaves up; the last one is the root alone.
    levels: Vec<Vec<[u8; 32]>>,
    messages: usize,
}

impl MerkleTree {
    /// A tree over `messages` in this order; `None` when there are none or more than
    /// 2^[`MAX_DEPTH`].
    pub fn new(messages: &[[u8; 32]]) -> Option<Self> {
        let width = messages.len().checked_next_power_of_two()?;
        if messages.is_empty() || width > 1 << MAX_DEPTH {
            return None;
        }
        let mut level: Vec<_> = messages.iter().map(leaf).collect();
        level.resize(width, padding());
        let mut levels = Vec::new();
        while level.len() > 1 {
            let above = level.chunks_exact(2).map(|pair| node(&pair[0], &pair[1])).collect();
            levels.push(core::mem::replace(&mut level, above));
        }
        levels.push(level);
        Some(Self { levels, messages: messages.len() })
    }

    /// The root.
    pub fn root(&self) -> [u8; 32] {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default()
    }

    /// The siblings of message `index` from the leaf up; `None` beyond the last message.
    pub fn path(&self, index: u32) -> Option<MerklePath> {
        let mut position = usize::try_from(index).ok().filter(|i| *i < self.messages)?;
        let mut path = Vec::new();
        for level in &self.levels[..self.levels.len() - 1] {
            path.push(*level.get(position ^ 1)?);
            position >>= 1;
        }
        path.try_into().ok()
    }

    /// The signature of message `index`, given the signature over [`batch_message`] of the root.
    pub fn signature(&self, index: u32, signature: MultiSignature) -> Option<Signature> {
        Some(Signature::InBatch { signature, path: self.path(index)?, index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sp_core::{ecdsa, ed25519, sr25519, Pair as _};
    use sp_runtime::{traits::IdentifyAccount, MultiSigner};

    fn account(signer: impl Into<MultiSigner>) -> AccountId {
        signer.into().into_account()
    }

    #[test]
    fn signature_should_verify_when_made_by_any_of_the_three_schemes() {
        let message = [7; 32];
        let sr = sr25519::Pair::from_seed(&[1; 32]);
        let ed = ed25519::Pair::from_seed(&[1; 32]);
        let ec = ecdsa::Pair::from_seed(&[1; 32]);
        assert!(Signature::Direct(sr.sign(&message).into()).verify(&message, &account(sr.public())));
        assert!(Signature::Direct(ed.sign(&message).into()).verify(&message, &account(ed.public())));
        assert!(Signature::Direct(ec.sign(&message).into()).verify(&message, &account(ec.public())));
    }

    #[test]
    fn signature_should_be_refused_when_message_or_signer_differ() {
        let ed = ed25519::Pair::from_seed(&[1; 32]);
        let other = ed25519::Pair::from_seed(&[2; 32]);
        let signature = Signature::Direct(ed.sign(&[7; 32]).into());
        assert!(!signature.verify(&[8; 32], &account(ed.public())));
        assert!(!signature.verify(&[7; 32], &account(other.public())));
    }

    #[test]
    fn signature_should_be_refused_when_it_is_an_ethereum_one() {
        let ec = ecdsa::Pair::from_seed(&[1; 32]);
        let message = [7; 32];
        let hash = sp_io::hashing::keccak_256(&message);
        let signature =
            MultiSignature::Eth(ecdsa::KeccakSignature::from_raw(ec.sign_prehashed(&hash).0));
        let who = MultiSigner::Eth(ecdsa::KeccakPublic::from_raw(ec.public().0)).into_account();
        assert!(signature.verify(&message[..], &who), "Substrate itself would take it");
        assert!(!verify(&signature, &message, &who));
    }

    #[test]
    fn tree_should_be_refused_when_empty() {
        assert!(MerkleTree::new(&[]).is_none());
    }

    #[test]
    fn in_batch_signature_should_be_refused_when_the_index_is_beyond_the_depth() {
        let ed = ed25519::Pair::from_seed(&[1; 32]);
        let messages = [[1; 32], [2; 32]];
        let tree = MerkleTree::new(&messages).unwrap();
        let signature = ed.sign(&batch_message(&tree.root())).into();
        let path = tree.path(1).unwrap();
        let ok = Signature::InBatch {
            signature: MultiSignature::clone(&signature),
            path: path.clone(),
            index: 1,
        };
        assert!(ok.verify(&messages[1], &account(ed.public())));
        let shifted = Signature::InBatch { signature, path, index: 3 };
        assert!(!shifted.verify(&messages[1], &account(ed.public())));
    }

    proptest! {
        #[test]
        fn every_message_of_a_tree_should_verify_at_its_place_only(count in 1u32..70, pick in any::<u32>(), wrong in any::<u32>()) {
            let ed = ed25519::Pair::from_seed(&[1; 32]);
            let messages: Vec<[u8; 32]> = (0..count).map(|i| blake2_256(&i.encode())).collect();
            let tree = MerkleTree::new(&messages).unwrap();
            let signature: MultiSignature = ed.sign(&batch_message(&tree.root())).into();
            let pick = pick % count;
            let wrong = wrong % count;
            let signed = tree.signature(pick, signature).unwrap();
            prop_assert!(signed.verify(&messages[pick as usize], &account(ed.public())));
            if wrong != pick {
                prop_assert!(!signed.verify(&messages[wrong as usize], &account(ed.public())));
            }
            prop_assert!(tree.path(count).is_none());
        }
    }
}
