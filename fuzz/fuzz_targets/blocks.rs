//! Whole extrinsics, arbitrary or signed, through the pool's validation into blocks, which are
//! executed again as another node would. The first byte chooses the prices.

#![no_main]

use codec::{DecodeAll, Encode};
use failsafe_fuzz::{
    bytes::Bytes,
    cast::actors,
    chain::{self, Chain},
    extrinsics, laws,
    player::Player,
};
use failsafe_runtime::{Address, Block, Header, UncheckedExtrinsic};
use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
use libfuzzer_sys::fuzz_target;
use sp_runtime::generic::Preamble;

/// Most extrinsics of an input.
const MAX_EXTRINSICS: usize = 48;

fuzz_target!(|input: &[u8]| {
    decodes(input);
    let mut bytes = Bytes::new(input);
    let prices = bytes.u8();
    chain::on(prices, |chain| play(chain, bytes));
});

/// What can be decoded is encoded again to something that means the same.
fn decodes(input: &[u8]) {
    if let Ok(header) = Header::decode_all(&mut &input[..]) {
        assert_eq!(Header::decode_all(&mut &header.encode()[..]), Ok(header));
    }
    if let Ok(block) = Block::decode_all(&mut &input[..]) {
        assert_eq!(Block::decode_all(&mut &block.encode()[..]), Ok(block));
    }
}

fn play(chain: &mut Chain, mut bytes: Bytes<'_>) {
    let mut player = Player::default();
    let mut waiting: Vec<UncheckedExtrinsic> = vec![];
    for _ in 0..MAX_EXTRINSICS {
        if bytes.is_empty() {
            break;
        }
        match bytes.u8() {
            0..=39 => block(&player, chain, &mut waiting),
            choice @ 40..=55 => {
                block(&player, chain, &mut waiting);
                player.time(chain, (choice - 40) * 2, &mut bytes);
                chain.end();
            },
            56..=79 => waiting.extend(extrinsics::arbitrary(&mut bytes)),
            _ => {
                let Some(signed) = player.signed(&mut bytes) else { continue };
                let who = &actors()[signed.0];
                let before = waiting.iter().filter(|extrinsic| is_by(extrinsic, who.address()));
                let before = u32::try_from(before.count()).expect("few");
                waiting.extend(extrinsics::signed(signed, before, &mut bytes));
            },
        }
    }
    block(&player, chain, &mut waiting);
    laws::check_state();
    laws::check_resolves(chain);
}

fn is_by(extrinsic: &UncheckedExtrinsic, who: Address) -> bool {
    matches!(&extrinsic.preamble, Preamble::Signed(address, ..) if *address == who)
}

/// A block of what waits.
fn block(player: &Player, chain: &mut Chain, waiting: &mut Vec<UncheckedExtrinsic>) {
    // No node puts an inherent of others into its block: the pool refuses it.
    waiting.retain(|extrinsic| extrinsic.get_dispatch_info().class != DispatchClass::Mandatory);
    // A bare call is refused by the pool only; in a block it has no origin.
    let bare = |extrinsic: &UncheckedExtrinsic| matches!(extrinsic.preamble, Preamble::Bare(_));
    let first = waiting.first().map(|extrinsic| (bare(extrinsic), chain.validate(extrinsic)));
    for extrinsic in waiting.iter().skip(1) {
        drop(chain.validate(extrinsic));
    }
    let results = chain.block(core::mem::take(waiting));
    player.tell(|| format!("block: {results:?}"));
    if let (Some((false, validity)), Some(result)) = (first, results.first()) {
        assert!(validity.is_ok() || result.is_err(), "included but not valid: {validity:?}");
    }
    laws::check_state();
}
