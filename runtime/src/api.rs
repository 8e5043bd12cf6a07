//! What clients ask the chain. They need not know how anything is stored; polkadot.js shows these
//! under "Runtime calls".

use alloc::vec::Vec;
use failsafe_primitives::{
    view::{ChannelView, DebtView, DisputeView, HubView},
    AccountId, AssetId, Balance, BlockNumber, Clock, Pair, Parameters,
};

/// Free money of an account in one asset, and how much of it the account can move.
#[derive(Clone, Debug, PartialEq, Eq, codec::Encode, codec::Decode, scale_info::TypeInfo)]
pub struct BalanceView {
    /// The asset.
    pub asset: AssetId,
    /// On-chain balance, without holds.
    pub free: Balance,
    /// What the account can move out: nothing in an asset in which it owes.
    pub spendable: Balance,
    /// What could not be credited and waits for `custody.claim`.
    pub unclaimed: Balance,
}

/// Where the chain stands.
#[derive(Clone, Debug, PartialEq, Eq, codec::Encode, codec::Decode, scale_info::TypeInfo)]
pub struct Moment {
    /// Number of the block.
    pub block: BlockNumber,
    /// Usable blocks so far.
    pub clock: Clock,
}

sp_api::decl_runtime_apis! {
    /// Channels, debts, disputes and hubs.
    pub trait FailsafeApi {
        /// Block number and usable clock.
        fn moment() -> Moment;
        /// The protocol's parameters.
        fn parameters() -> Parameters;
        /// The channel of two accounts in any order; `None` for an account with itself.
        fn channel(a: AccountId, b: AccountId) -> Option<ChannelView>;
        /// The channels of `who` with each of `partners`.
        fn channels(who: AccountId, partners: Vec<AccountId>) -> Vec<ChannelView>;
        /// Balances of `who` in `assets`.
        fn balances(who: AccountId, assets: Vec<AssetId>) -> Vec<BalanceView>;
        /// What `debtor` owes in all, per asset.
        fn owes(debtor: AccountId) -> Vec<(AssetId, Balance)>;
        /// What `debtor` owes to `creditor` in `asset`.
        fn owed_to(debtor: AccountId, creditor: AccountId, asset: AssetId) -> Balance;
        /// The open debts of `debtor` in `asset`, at most `limit`.
        fn debts_of(debtor: AccountId, asset: AssetId, limit: u32) -> Vec<DebtView>;
        /// Pairs with an open dispute, at most `limit`.
        fn open_disputes(limit: u32) -> Vec<(Pair, DisputeView)>;
        /// The hub of an account.
        fn hub(account: AccountId) -> Option<HubView>;
        /// The hub with a handle, without the @.
        fn hub_by_handle(handle: Vec<u8>) -> Option<HubView>;
        /// All registered hubs.
        fn hubs() -> Vec<HubView>;
    }
}
