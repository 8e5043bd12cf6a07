//! Tests of the whole runtime: signed transactions in blocks, over genesis of the presets. Each ends
//! with the invariants of all pallets and the conservation of every asset.

mod catalogue;
mod chain;
mod channels;
mod custody;
mod debt;
mod debtor_calls;
mod exchange;
mod issuers;
mod locks;
mod pitfalls_chain;
mod pitfalls_locks;
mod pitfalls_money;
mod presets;
mod random_operations;
mod replays;
mod rules;
mod scenarios_debts;
mod scenarios_deposit;
mod scenarios_dispute;
mod scenarios_governance;
mod scenarios_locks;
mod scenarios_rebalance;
mod scenarios_story;
mod stage;
mod transactions;
mod views;
mod weights;
