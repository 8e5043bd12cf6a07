//! Tests of the whole runtime: signed transactions in blocks, over genesis of the presets. Each ends
//! with the invariants of all pallets and the conservation of every asset.

mod chain;
mod channels;
mod custody;
mod debt;
mod debtor_calls;
mod presets;
mod replays;
mod transactions;
mod views;
mod weights;
