//! Transactions and time on one chain: operations built from the input, with correct signatures
//! or with mistakes in them. The first byte chooses the prices.

#![no_main]

use failsafe_fuzz::{bytes::Bytes, chain, player::Player};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut bytes = Bytes::new(input);
    let prices = bytes.u8();
    chain::on(prices, |chain| Player::default().play(chain, bytes));
});
