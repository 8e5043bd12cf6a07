//! Names of things: accounts, assets, sides and pairs.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A 32-byte account id. SS58 is its text form.
pub type AccountId = sp_runtime::AccountId32;
/// Amounts in the asset's smallest unit.
pub type Balance = u128;
/// Number of an asset; see [`NATIVE_ASSET`].
pub type AssetId = u32;
/// Number of a block.
pub type BlockNumber = u32;
/// A moment counted in *usable blocks* (`protocol.md` §7), not in blocks.
pub type Clock = u64;
/// Number of a channel's life; +1 at every resolve or close (`protocol.md` §3).
pub type Epoch = u32;
/// Number of a simplex, or of a withdrawal.
pub type Nonce = u64;

/// FRD, the native asset. Every other number is an asset of `pallet-assets`.
pub const NATIVE_ASSET: AssetId = 0;

/// One of the two parties of a channel (`protocol.md` §1). *Left* is the account with the smaller
/// id.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Side {
    /// The account with the smaller 32-byte id.
    #[codec(index = 0)]
    Left,
    /// The account with the larger 32-byte id.
    #[codec(index = 1)]
    Right,
}

impl Side {
    /// The partner's side.
    pub const fn other(self) -> Self {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }

    /// 0 for left, 1 for right: the index into per-side arrays.
    pub const fn index(self) -> usize {
        match self {
            Side::Left => 0,
            Side::Right => 1,
        }
    }
}

/// An unordered pair of different accounts, kept in order: the name of their channel.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "std", derive(Hash))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Pair {
    left: AccountId,
    right: AccountId,
}

/// An account has no channel with itself (`protocol.md` §1, A6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairError;

impl Pair {
    /// The pair of `a` and `b`, in whichever order they come.
    pub fn new(a: AccountId, b: AccountId) -> Result<Self, PairError> {
        match a.cmp(&b) {
            core::cmp::Ordering::Less => Ok(Self { left: a, right: b }),
            core::cmp::Ordering::Greater => Ok(Self { left: b, right: a }),
            core::cmp::Ordering::Equal => Err(PairError),
        }
    }

    /// The account with the smaller id.
    pub fn left(&self) -> &AccountId {
        &self.left
    }

    /// The account with the larger id.
    pub fn right(&self) -> &AccountId {
        &self.right
    }

    /// The account on `side`.
    pub fn account(&self, side: Side) -> &AccountId {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// The side of `who`, `None` for a stranger.
    pub fn side_of(&self, who: &AccountId) -> Option<Side> {
        if *who == self.left {
            Some(Side::Left)
        } else if *who == self.right {
            Some(Side::Right)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(byte: u8) -> AccountId {
        AccountId::new([byte; 32])
    }

    #[test]
    fn pair_should_put_the_smaller_id_left_when_given_in_any_order() {
        let expected = Pair { left: account(1), right: account(2) };
        assert_eq!(Pair::new(account(1), account(2)), Ok(expected.clone()));
        assert_eq!(Pair::new(account(2), account(1)), Ok(expected));
    }

    #[test]
    fn pair_should_be_refused_when_both_accounts_are_the_same() {
        assert_eq!(Pair::new(account(1), account(1)), Err(PairError));
    }

    #[test]
    fn side_should_be_none_when_the_account_is_a_stranger() {
        let pair = Pair::new(account(1), account(2)).unwrap();
        assert_eq!(pair.side_of(&account(1)), Some(Side::Left));
        assert_eq!(pair.side_of(&account(2)), Some(Side::Right));
        assert_eq!(pair.side_of(&account(3)), None);
    }
}
