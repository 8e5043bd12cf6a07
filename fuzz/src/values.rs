//! Numbers made from bytes: where the edges are, and relative to what is on the chain.

use crate::bytes::Bytes;
use failsafe_primitives::{AssetId, Balance, Clock, LIMIT, NATIVE_ASSET};
use failsafe_runtime::{Clock as UsableClock, Runtime, EXISTENTIAL_DEPOSIT, FRB, FRD};

/// Issued assets at genesis beside FRB: number, place of its owner in the cast, whether an account
/// may consist of it alone, minimum balance.
pub const ISSUED: [(AssetId, usize, bool, u64); 3] =
    [(2, 1, false, 10), (3, 2, true, 1_000), (4, 3, false, 1)];

/// An amount, at the edges or near one of `known`.
pub fn amount(bytes: &mut Bytes<'_>, known: &[Balance]) -> Balance {
    let choice = bytes.u8();
    let near = |bytes: &mut Bytes<'_>| known.get(bytes.below(known.len())).copied().unwrap_or(FRD);
    match choice {
        0..=39 => FRD * Balance::from(choice + 1),
        40..=79 => near(bytes) / 2 + Balance::from(choice - 40),
        80..=119 => near(bytes),
        120..=134 => near(bytes).saturating_add(1),
        135..=149 => near(bytes).saturating_sub(1),
        150..=159 => near(bytes).saturating_sub(EXISTENTIAL_DEPOSIT),
        160..=169 => near(bytes).saturating_add(near(bytes)),
        170..=179 => near(bytes).saturating_mul(bytes.u8().into()),
        180..=199 => Balance::from(choice - 180),
        200..=209 => bytes.u16().into(),
        210..=219 => bytes.u64().into(),
        220..=224 => EXISTENTIAL_DEPOSIT,
        225..=229 => EXISTENTIAL_DEPOSIT - 1,
        230..=239 => EXISTENTIAL_DEPOSIT * 10,
        240..=243 => LIMIT,
        244..=246 => LIMIT + 1,
        247..=248 => LIMIT - 1,
        249 => Balance::MAX,
        250 => Balance::MAX - near(bytes),
        251 => 1 << (bytes.u8() % 128),
        252.. => bytes.u128(),
    }
}

/// An asset: mostly one that exists.
pub fn asset(bytes: &mut Bytes<'_>) -> AssetId {
    match bytes.u8() % 16 {
        0..=5 => NATIVE_ASSET,
        6..=9 => FRB,
        10 | 11 => 2,
        12 => 3,
        13 => 4,
        14 => 5 + u32::from(bytes.u8() % 16),
        _ => bytes.u32(),
    }
}

/// An issued asset.
pub fn issued(bytes: &mut Bytes<'_>) -> AssetId {
    match bytes.u8() % 8 {
        0..=2 => FRB,
        3 => 2,
        4 => 3,
        5 => 4,
        6 => pallet_assets::NextAssetId::<Runtime>::get().unwrap_or_default(),
        _ => 5 + u32::from(bytes.u8() % 16),
    }
}

/// A moment of the usable clock: mostly soon.
pub fn soon(bytes: &mut Bytes<'_>) -> Clock {
    let now = UsableClock::now();
    match bytes.u8() {
        0..=99 => now + 10,
        choice @ 100..=199 => now + Clock::from(choice - 100) / 3,
        200..=219 => now,
        220..=234 => now.saturating_sub(1),
        235..=244 => now + 1_000,
        245..=249 => Clock::MAX,
        _ => bytes.u64(),
    }
}
