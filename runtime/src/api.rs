//! What clients ask the chain. They need not know how anything is stored; polkadot.js shows these
//! under "Runtime calls".

use alloc::vec::Vec;
use failsafe_primitives::{
    view::{
        AssetView, BalanceView, ChannelView, DebtView, DisputeView, HubStanding, HubView, Moment,
        OrderView, PairView, SecretView,
    },
    AccountId, AssetId, Balance, Pair, Parameters,
};

use crate::{dry_run::DryRun, BlockNumber, RuntimeCall};
use alloc::boxed::Box;
use codec::{Decode, Encode};
use pallet_governance::{Proposal, ProposalId, Tally, Validator, Vote};
use scale_info::TypeInfo;

/// An open proposal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ProposalView {
    /// Its number.
    pub id: ProposalId,
    /// Title, text, proposer, deposit, time.
    pub proposal: Proposal,
    /// Exactly what it would carry out.
    pub calls: Vec<Box<RuntimeCall>>,
    /// How the shares stand.
    pub tally: Tally,
    /// Who voted how, and why.
    pub votes: Vec<(AccountId, Vote)>,
}

sp_api::decl_runtime_apis! {
    /// Validators, proposals, and what calls would change.
    pub trait GovernanceApi {
        /// The validators in force.
        fn validators() -> Vec<Validator>;
        /// The set that is planned, and the block that begins its first session.
        fn planned() -> Option<(BlockNumber, Vec<Validator>)>;
        /// How long votes are taken, in usable blocks.
        fn voting_period() -> u64;
        /// Open proposals, in the order in which they are due.
        fn proposals() -> Vec<ProposalView>;
        /// An open proposal.
        fn proposal(id: ProposalId) -> Option<ProposalView>;
        /// What an open proposal would change if it were carried out now.
        fn dry_run_proposal(id: ProposalId) -> Option<DryRun>;
        /// What calls would change if they were proposed and carried out now.
        fn dry_run(calls: Vec<Box<RuntimeCall>>) -> DryRun;
    }

    /// Channels, debts, disputes and hubs.
    pub trait FailsafeApi {
        /// Block number and usable clock.
        fn moment() -> Moment;
        /// The protocol's parameters.
        fn parameters() -> Parameters;
        /// The channel of two accounts in any order; `None` for an account with itself.
        fn channel(a: AccountId, b: AccountId) -> Option<ChannelView>;
        /// The channels of `who` with each of `partners`, and what they owe each other on chain.
        fn pairs(who: AccountId, partners: Vec<AccountId>) -> Vec<PairView>;
        /// An asset; `None` if there is no such.
        fn asset(id: AssetId) -> Option<AssetView>;
        /// All assets: the native one first, then the issued ones by ascending number, 1,000 in
        /// all. Anybody can issue assets, so who needs one beyond asks for it by number.
        fn assets() -> Vec<AssetView>;
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
        /// The secret of a lock's hash, if it was revealed and is still kept.
        fn secret(hash: [u8; 32]) -> Option<SecretView>;
        /// The hub of an account.
        fn hub(account: AccountId) -> Option<HubView>;
        /// The hub with a handle, without the @.
        fn hub_by_handle(handle: Vec<u8>) -> Option<HubView>;
        /// All registered hubs.
        fn hubs() -> Vec<HubView>;
        /// Whether a hub is retiring, what disputes have said of it, and what it owes; also of one
        /// that has left.
        fn hub_standing(account: AccountId) -> HubStanding;
        /// The same of all registered hubs.
        fn hub_standings() -> Vec<HubStanding>;
        /// Resting orders that give `sell_asset` for `buy_asset`: the cheapest first, of equal
        /// prices the oldest, at most `limit`.
        fn book(sell_asset: AssetId, buy_asset: AssetId, limit: u32) -> Vec<OrderView>;
        /// The resting orders of an account, at most `limit`.
        fn orders(owner: AccountId, limit: u32) -> Vec<OrderView>;
        /// A resting order.
        fn order(id: u64) -> Option<OrderView>;
    }
}
