//! Hash locks for scenarios: numbered secrets of 32 bytes.

use failsafe_primitives::{
    simplex::LockHash, view::SecretView, AssetId, Balance, Clock, Entry, Lock, Simplex,
};
use failsafe_runtime::{
    api::runtime_decl_for_failsafe_api::FailsafeApiV1, Block, Runtime, RuntimeCall, FRD,
};

/// The secret with this number.
pub fn secret(number: u8) -> [u8; 32] {
    [number; 32]
}

/// Its SHA-256.
pub fn hash(number: u8) -> LockHash {
    sp_io::hashing::sha2_256(&secret(number))
}

/// Reveals these secrets.
pub fn reveal(numbers: &[u8]) -> RuntimeCall {
    let secrets: Vec<_> = numbers.iter().map(|number| secret(*number)).collect();
    pallet_secrets::Call::reveal { secrets: secrets.try_into().expect("few") }.into()
}

/// What the registry has of a hash.
pub fn revealed(hash: LockHash) -> Option<SecretView> {
    <Runtime as FailsafeApiV1<Block>>::secret(hash)
}

/// A simplex that has sent whole units, with locks: amount in whole units, number of the secret,
/// expiry.
pub fn locked(
    asset: AssetId,
    nonce: u64,
    sent: Balance,
    locks: &[(Balance, u8, Clock)],
) -> Simplex {
    let lock = |(id, &(amount, number, expiry)): (u64, &_)| {
        let amount: Balance = amount;
        Lock { id, amount: amount * FRD, hash: hash(number), expiry }
    };
    let locks: Vec<_> = (1..).zip(locks).map(lock).collect();
    let entry = Entry { asset, sent: sent * FRD, locks: locks.try_into().expect("few") };
    Simplex { nonce, entries: vec![entry].try_into().expect("one") }
}
