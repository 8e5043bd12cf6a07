//! Signed payloads (`protocol.md` §3). What is signed is always the 32 raw bytes
//! `blake2_256(SCALE(payload))` (A1): no wrapping, no prefix of a wallet.

use crate::{
    arithmetic::LIMIT,
    ids::{AccountId, AssetId, Balance, Clock, Epoch, Nonce, Pair, Side},
    simplex::{Entry, MaxAssets, Simplex},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use sp_runtime::BoundedVec;

/// Domain tag of a [`Simplex`].
pub const SIMPLEX_TAG: &str = "failsafe/simplex/2";
/// Domain tag of an acknowledgement.
pub const ACK_TAG: &str = "failsafe/ack/2";
/// Domain tag of a [`Withdrawal`].
pub const WITHDRAW_TAG: &str = "failsafe/withdraw/2";
/// Domain tag of a [`Close`].
pub const CLOSE_TAG: &str = "failsafe/close/2";

/// What every signature of a channel is bound to: chain, pair and epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ChannelContext {
    /// Hash of the chain's first block.
    pub genesis_hash: H256,
    /// The two parties.
    pub pair: Pair,
    /// The channel's epoch.
    pub epoch: Epoch,
}

impl ChannelContext {
    /// The 32 bytes that `from` signs for its `simplex`.
    pub fn simplex_message(&self, from: Side, simplex: &Simplex) -> [u8; 32] {
        blake2_256(&self.simplex_payload(from, simplex))
    }

    /// SCALE of the simplex payload, the preimage of [`Self::simplex_message`].
    pub fn simplex_payload(&self, from: Side, simplex: &Simplex) -> alloc::vec::Vec<u8> {
        let entries: &[Entry] = &simplex.entries;
        let channel = (self.genesis_hash, self.pair.left(), self.pair.right(), self.epoch);
        (SIMPLEX_TAG, channel, from, simplex.nonce, entries).encode()
    }

    /// The 32 bytes that the *receiver* signs to acknowledge a simplex of `from`.
    pub fn ack_message(&self, from: Side, simplex: &Simplex) -> [u8; 32] {
        ack_message(&self.simplex_message(from, simplex))
    }

    /// SCALE of the withdrawal payload.
    pub fn withdrawal_payload(&self, to: Side, withdrawal: &Withdrawal) -> alloc::vec::Vec<u8> {
        let items: &[WithdrawalItem] = &withdrawal.items;
        let channel = (self.genesis_hash, self.pair.left(), self.pair.right(), self.epoch);
        let Withdrawal { withdrawal_nonce, valid_until, .. } = withdrawal;
        (WITHDRAW_TAG, channel, to, withdrawal_nonce, valid_until, items).encode()
    }

    /// The 32 bytes that the partner of `to` signs for a withdrawal: its **proof**.
    pub fn withdrawal_message(&self, to: Side, withdrawal: &Withdrawal) -> [u8; 32] {
        blake2_256(&self.withdrawal_payload(to, withdrawal))
    }

    /// SCALE of the close payload.
    pub fn close_payload(&self, close: &Close) -> alloc::vec::Vec<u8> {
        let items: &[(AssetId, i128)] = &close.offdeltas;
        let channel = (self.genesis_hash, self.pair.left(), self.pair.right(), self.epoch);
        (CLOSE_TAG, channel, close.valid_until, items).encode()
    }

    /// The 32 bytes that both sign for a cooperative close.
    pub fn close_message(&self, close: &Close) -> [u8; 32] {
        blake2_256(&self.close_payload(close))
    }
}

/// The 32 bytes of an acknowledgement, from those of the acknowledged simplex.
pub fn ack_message(simplex_message: &[u8; 32]) -> [u8; 32] {
    blake2_256(&(ACK_TAG, simplex_message).encode())
}

/// One asset of a [`Withdrawal`].
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WithdrawalItem {
    /// The asset.
    pub asset: AssetId,
    /// Amount to withdraw.
    pub amount: Balance,
    /// Most that may come from the partner's on-chain balance when the collateral is short (A9).
    pub max_from_balance: Balance,
}

/// What a party may withdraw with the partner's signature (`protocol.md` §2, §3).
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Withdrawal {
    /// The chain's withdrawal nonce of the side that withdraws; one per side (M11).
    pub withdrawal_nonce: Nonce,
    /// Last usable block at which the chain accepts it.
    pub valid_until: Clock,
    /// The amounts, assets strictly ascending, none 0. All or nothing.
    pub items: BoundedVec<WithdrawalItem, MaxAssets>,
}

/// A cooperative close (`protocol.md` §3, M2): the off-chain deltas that both agree on.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Close {
    /// Last usable block at which the chain accepts it.
    pub valid_until: Clock,
    /// `right.sent − left.sent` per asset, assets strictly ascending.
    pub offdeltas: BoundedVec<(AssetId, i128), MaxAssets>,
}

/// A withdrawal or close that is malformed, whoever signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum PayloadError {
    /// Assets are not strictly ascending.
    AssetOrder,
    /// Nothing to withdraw, or an amount of 0.
    Empty,
    /// An amount passes [`LIMIT`].
    Limit,
}

impl Withdrawal {
    /// Checks order and amounts; the same check at signing and on chain.
    pub fn validate(&self) -> Result<(), PayloadError> {
        if self.items.is_empty() {
            return Err(PayloadError::Empty);
        }
        ascending(self.items.iter().map(|item| item.asset))?;
        for item in &self.items {
            if item.amount == 0 {
                return Err(PayloadError::Empty);
            }
            if item.amount > LIMIT {
                return Err(PayloadError::Limit);
            }
        }
        Ok(())
    }
}

impl Close {
    /// Checks order and limits; the same check at signing and on chain.
    pub fn validate(&self) -> Result<(), PayloadError> {
        ascending(self.offdeltas.iter().map(|(asset, _)| *asset))?;
        if self.offdeltas.iter().any(|(_, offdelta)| offdelta.unsigned_abs() > LIMIT) {
            return Err(PayloadError::Limit);
        }
        Ok(())
    }

    /// The off-chain delta of `asset`, 0 when it is not named.
    pub fn offdelta(&self, asset: AssetId) -> i128 {
        self.offdeltas.iter().find(|(a, _)| *a == asset).map_or(0, |(_, offdelta)| *offdelta)
    }
}

fn ascending(assets: impl Iterator<Item = AssetId>) -> Result<(), PayloadError> {
    let mut last = None;
    for asset in assets {
        if last.is_some_and(|last| last >= asset) {
            return Err(PayloadError::AssetOrder);
        }
        last = Some(asset);
    }
    Ok(())
}

/// The account that must have signed: a helper for messages that name only a side.
impl ChannelContext {
    /// The account on `side`.
    pub fn account(&self, side: Side) -> &AccountId {
        self.pair.account(side)
    }
}
