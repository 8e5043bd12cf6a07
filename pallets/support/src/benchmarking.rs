//! What the benchmarks of all pallets need: a world in which every branch costs something, and
//! keys that sign in it.
//!
//! The runtime implements [`World`]; the benchmarks ask for it in their `where` clause, so that no
//! pallet's `Config` changes with the feature.

use failsafe_primitives::{
    signature::{batch_message, MAX_DEPTH},
    simplex::LockHash,
    AccountId, AssetId, Balance, BlockNumber, Clock, Signature, NATIVE_ASSET,
};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_io::hashing::blake2_256;
use sp_runtime::MultiSignature;

extern crate alloc;

/// A round amount, far above every minimum balance, fee and floor of a [`World`].
pub const UNIT: Balance = 1_000_000_000_000_000;

/// Minimum balance of the issued assets: more than 1, so that dust and seeds matter.
pub const MINIMUM: Balance = 10;

/// Number of the first asset of the benchmarks, beyond those of genesis.
const FIRST_ASSET: AssetId = 1_000;

/// The state around a pallet, as a benchmark sets it up.
pub trait World {
    /// Parameters with every price, deposit and floor above 0, the top-up of new accounts
    /// included; and an author who gets the fees.
    fn charge_everything();
    /// Takes the top-up of new accounts out of the parameters.
    fn no_top_up();
    /// Creates an issued asset; accounts of a `sufficient` one need no native money.
    fn create_asset(asset: AssetId, minimum: Balance, sufficient: bool);
    /// Mints.
    fn give(who: &AccountId, asset: AssetId, amount: Balance);
    /// Moves `amount` of `from` into custody.
    fn insure(from: &AccountId, asset: AssetId, amount: Balance);
    /// Fills the custody account with other assets, until it needs a deposit to have one more.
    fn crowd_custody();
    /// Money of `who` that could not be delivered.
    fn make_unclaimed(who: &AccountId, asset: AssetId, amount: Balance);
    /// Books a debt of a debtor that has nothing of `asset`.
    fn book(
        debtor: &AccountId,
        creditor: &AccountId,
        asset: AssetId,
        amount: Balance,
        opened_in: BlockNumber,
    );
    /// Registers a hub with the longest record.
    fn register_hub(who: &AccountId);
    /// Sets the usable clock.
    fn set_clock(now: Clock);
    /// Secret number `index` becomes known now. Returns its hash.
    fn reveal(index: u32) -> LockHash;

    /// The `index`-th asset: the native one, then issued ones with a minimum balance that need no
    /// other money, which it creates.
    fn asset(index: u32) -> AssetId {
        if index == 0 {
            return NATIVE_ASSET;
        }
        let asset = FIRST_ASSET.saturating_add(index);
        Self::create_asset(asset, MINIMUM, true);
        asset
    }

    /// `debtor`, who has nothing of `asset`, owes `amount` to each of `creditors` strangers: the
    /// debts lie far apart in the calendar, and the debtor is not the last in the ring, so that
    /// paying one off touches as much as it can.
    fn burden(debtor: &AccountId, asset: AssetId, amount: Balance, creditors: u32) {
        for i in 0..creditors {
            let creditor = stranger("creditor", asset, i);
            let opened_in = i.saturating_add(1).saturating_mul(1 << 24);
            Self::book(debtor, &creditor, asset, amount, opened_in);
        }
        let last = stranger("last debtor", asset, 0);
        Self::book(&last, &stranger("last creditor", asset, 0), asset, amount, 1);
    }
}

/// An account that nobody has the key of.
pub fn stranger(name: &'static str, group: u32, index: u32) -> AccountId {
    use codec::Encode;
    AccountId::new((name, group, index).using_encoded(blake2_256))
}

const KEYS: KeyTypeId = KeyTypeId(*b"fswt");

/// A key in the keystore of whoever runs the benchmarks.
#[derive(Clone, Debug)]
pub struct Signer(sr25519::Public);

impl Signer {
    /// The key with number `index`.
    pub fn new(index: u32) -> Self {
        let seed = alloc::format!("0x{:064x}", u64::from(index).saturating_add(1));
        Self(sp_io::crypto::sr25519_generate(KEYS, Some(seed.into_bytes())))
    }

    /// Two keys in the order of their ids: left and right of a channel.
    pub fn pair() -> (Self, Self) {
        let (a, b) = (Self::new(0), Self::new(1));
        if a.id() < b.id() {
            (a, b)
        } else {
            (b, a)
        }
    }

    /// Its account.
    pub fn id(&self) -> AccountId {
        AccountId::new(self.0 .0)
    }

    /// Its signature over a message.
    pub fn sign(&self, message: &[u8; 32]) -> MultiSignature {
        let signature = sp_io::crypto::sr25519_sign(KEYS, &self.0, message);
        signature.expect("the key was generated in this keystore").into()
    }

    /// Its signature over a message at the bottom of the deepest Merkle tree that is accepted, the
    /// form that takes most to verify.
    pub fn sign_in_batch(&self, message: &[u8; 32]) -> Signature {
        use codec::Encode;
        let sibling = [7; 32];
        let depth = usize::try_from(MAX_DEPTH).unwrap_or_default();
        let leaf = (0u8, message).using_encoded(blake2_256);
        let root = (0..depth).fold(leaf, |node, _| (1u8, node, sibling).using_encoded(blake2_256));
        let path = alloc::vec![sibling; depth].try_into().expect("as deep as a path may be");
        Signature::InBatch { signature: self.sign(&batch_message(&root)), path, index: 0 }
    }
}
