//! Which blocks have open debts, in order.
//!
//! Debts are paid in the order of the blocks in which their disputes were opened, not in which
//! they were booked (`protocol.md` §6, M16), and a hub may owe to many thousands. A sorted list
//! would cost a walk at every booking. So per (debtor, asset) there is a trie of bitmaps over the
//! block number: four levels of 256 bits. Setting, clearing and finding the first block touch four
//! storage items at most, whatever the number of debts.

use crate::{Calendar, Config};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use failsafe_primitives::{AccountId, AssetId, BlockNumber};
use scale_info::TypeInfo;

/// Levels of the trie: 4 × 8 bits of a block number.
const LEVELS: u8 = 4;

/// 256 bits, the lowest first.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct Bitmap([u64; 4]);

impl Bitmap {
    fn set(&mut self, bit: u8) {
        self.0[usize::from(bit >> 6)] |= 1 << (bit & 63);
    }

    fn clear(&mut self, bit: u8) {
        self.0[usize::from(bit >> 6)] &= !(1 << (bit & 63));
    }

    fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Number of blocks in it.
    #[cfg(any(feature = "try-runtime", feature = "std"))]
    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    fn first(&self) -> Option<u8> {
        (0u8..4).zip(self.0).find(|(_, word)| *word != 0).map(|(i, word)| {
            // `trailing_zeros` of a word that is not 0 is below 64.
            i * 64 + u8::try_from(word.trailing_zeros()).unwrap_or_default()
        })
    }
}

/// Node of `block` at `level` (0 holds the blocks themselves) and its bit there.
fn place(block: BlockNumber, level: u8) -> (BlockNumber, u8) {
    let shifted = block >> (8 * u32::from(level));
    (shifted >> 8, shifted.to_le_bytes()[0])
}

/// Notes that `block` has open debts.
pub fn insert<T: Config>(debtor: &AccountId, asset: AssetId, block: BlockNumber) {
    for level in 0..LEVELS {
        let (node, bit) = place(block, level);
        let key = (debtor, asset, level, node);
        let mut bitmap = Calendar::<T>::get(key).unwrap_or_default();
        let known = !bitmap.is_empty();
        bitmap.set(bit);
        Calendar::<T>::insert(key, bitmap);
        // A node that existed already is known to the levels above.
        if known {
            break;
        }
    }
}

/// Notes that `block` has no open debts any more.
pub fn remove<T: Config>(debtor: &AccountId, asset: AssetId, block: BlockNumber) {
    for level in 0..LEVELS {
        let (node, bit) = place(block, level);
        let key = (debtor, asset, level, node);
        let mut bitmap = Calendar::<T>::get(key).unwrap_or_default();
        bitmap.clear(bit);
        if !bitmap.is_empty() {
            Calendar::<T>::insert(key, bitmap);
            break;
        }
        Calendar::<T>::remove(key);
    }
}

/// The earliest block with open debts.
pub fn first<T: Config>(debtor: &AccountId, asset: AssetId) -> Option<BlockNumber> {
    let mut node = 0;
    for level in (0..LEVELS).rev() {
        let bit = Calendar::<T>::get((debtor, asset, level, node))?.first()?;
        node = (node << 8) | BlockNumber::from(bit);
    }
    Some(node)
}
