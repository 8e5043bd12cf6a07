//! Extrinsics as they travel, made from bytes: rightly signed, wrongly signed, or not at all.

use crate::{bytes::Bytes, cast::actors, chain::extension, player::Signed};
use codec::{DecodeLimit, Encode};
use failsafe_runtime::{SignedPayload, System, UncheckedExtrinsic};
use sp_runtime::generic::Era;

/// Bytes of an extrinsic that nobody has made on purpose, if they can be decoded.
pub fn arbitrary(bytes: &mut Bytes<'_>) -> Option<UncheckedExtrinsic> {
    let length = usize::from(bytes.u8()) * 2;
    // The length goes in front, as in a block.
    let encoded = bytes.take(length).to_vec().encode();
    UncheckedExtrinsic::decode_all_with_depth_limit(64, &mut &encoded[..]).ok()
}

/// A transaction signed by its maker as the `waiting`-th in a row, now and then with a mistake.
pub fn signed(
    (who, call, tip): Signed,
    waiting: u32,
    bytes: &mut Bytes<'_>,
) -> Option<UncheckedExtrinsic> {
    let actor = &actors()[who];
    let nonce = System::account_nonce(&actor.id).wrapping_add(waiting);
    let nonce = match bytes.u8() {
        250.. => nonce.wrapping_add(1),
        240..=249 => nonce.wrapping_sub(1),
        _ => nonce,
    };
    let mut extension = extension(nonce, tip);
    let era = bytes.u8();
    if era >= 200 {
        let now = u64::from(System::block_number());
        let era = Era::mortal(1 << (era % 17), now.wrapping_sub(u64::from(bytes.u8())));
        extension.4 = frame_system::CheckEra::from(era);
    }
    let (call, extension, mut implicit) = SignedPayload::new(call, extension).ok()?.deconstruct();
    match bytes.u8() {
        255 => implicit.1 = implicit.1.wrapping_add(1),
        254 => implicit.2 = implicit.2.wrapping_add(1),
        253 => implicit.3 = Default::default(),
        _ => {},
    }
    let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
    let signature = payload.using_encoded(|message| match bytes.u8() {
        250.. => actors()[bytes.below(actors().len())].sign(message),
        _ => actor.sign(message),
    });
    let extrinsic = match bytes.u8() {
        255 => UncheckedExtrinsic::new_bare(call),
        254 => UncheckedExtrinsic::new_transaction(call, extension),
        _ => UncheckedExtrinsic::new_signed(call, actor.address(), signature, extension),
    };
    Some(if bytes.rarely(8) { bytes.mutate(extrinsic) } else { extrinsic })
}
