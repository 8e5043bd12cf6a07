//! Small traits by which the Failsafe pallets talk to each other, and what more than one of them
//! needs. No pallet names another one's `Config`.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
pub mod deposits;
pub mod fees;

use failsafe_primitives::{
    parameters::Parameters, simplex::LockHash, AccountId, AssetId, Balance, BlockNumber, Clock,
};
use frame_support::{
    dispatch::DispatchResult,
    traits::{fungibles, Get},
    weights::{Weight, WeightMeter},
};
use sp_runtime::Perbill;

/// The usable clock (`protocol.md` §7).
pub trait UsableClock {
    /// Usable blocks so far.
    fn now() -> Clock;
}

/// Source of the amendable numbers (`protocol.md` §9).
pub trait ProtocolParameters: Get<Parameters> {}
impl<T: Get<Parameters>> ProtocolParameters for T {}

/// Who is a registered hub, and what disputes say of it.
pub trait HubRegistry {
    /// Whether `who` is registered; also while it is retiring.
    fn is_hub(who: &AccountId) -> bool;

    /// Adds to the reputation of `who`, if it is a hub. Must be cheap: two reads, one write.
    fn note(who: &AccountId, marks: Marks);
}

/// What one resolve or late claim says of one of its parties (`protocol.md` §8 "Reputation").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// A dispute ended without a co-signed close.
    pub disputed: bool,
    /// It was lost: the party could not pay at once what it owed, or had hidden payments of its own.
    pub lost: bool,
    /// Debts that were booked against the party.
    pub debts: u32,
}

/// The registry of revealed secrets (`protocol.md` §7).
pub trait Secrets {
    /// When the secret of `hash` was first revealed.
    fn revealed_at(hash: &LockHash) -> Option<Clock>;
}

/// What the registry of secrets must know of disputes, which name secrets in their locks
/// (`protocol.md` §7, M15).
pub trait OpenDisputes {
    /// A usable clock, not after now, before which no dispute was opened that is still open. It may
    /// lag behind the truth.
    fn none_opened_before() -> Clock;
}

/// The account that holds insured funds and what could not be delivered (`protocol.md` §7
/// "Custody", §2 "Unclaimed").
pub trait Custody {
    /// Moves `amount` from the free balance of `from` into custody. The first deposit of an asset
    /// costs its minimum balance once more, which keeps the custody account alive. Fails if it
    /// would leave `from` a rest that is burnt as dust.
    fn take(from: &AccountId, asset: AssetId, amount: Balance) -> DispatchResult;

    /// Pays `amount` of the insured funds to `to`. Never fails: what the asset refuses to credit
    /// becomes unclaimed.
    fn release(to: &AccountId, asset: AssetId, amount: Balance);

    /// Moves exactly `amount` from `from` to `to`, into unclaimed if `to` cannot be credited.
    /// Fails only if `from` cannot be debited, or would be left a rest that is burnt as dust.
    fn deliver(from: &AccountId, to: &AccountId, asset: AssetId, amount: Balance)
        -> DispatchResult;
}

/// Debts (`protocol.md` §6).
pub trait DebtLedger {
    /// What `who` can move out on chain: nothing in an asset in which it owes.
    fn spendable(who: &AccountId, asset: AssetId) -> Balance;

    /// Pays `amount` from `debtor` to `creditor` as far as it goes, older debts first, and books
    /// the rest as a debt whose place in the queue is `opened_in`. Returns what was booked.
    fn pay_or_book(
        debtor: &AccountId,
        creditor: &AccountId,
        asset: AssetId,
        amount: Balance,
        opened_in: BlockNumber,
    ) -> Balance;

    /// Collects the debts of `who` after its balance grew.
    fn collect(who: &AccountId, asset: AssetId);

    /// Pays `amount` of what `who` has, or less if less is owed to its first creditor, without
    /// regard to the floor: `who` has forfeited it.
    fn surrender(who: &AccountId, asset: AssetId, amount: Balance);

    /// From now on credits of `who` are only noted: many may follow each other, and one payment
    /// does for all.
    fn postpone(who: &AccountId);

    /// Collects what was noted, in each asset as after one credit.
    fn collect_postponed();

    /// Whether `who` owes anything in `asset`.
    fn is_debtor(who: &AccountId, asset: AssetId) -> bool;

    /// The part of its native balance from which `who` may pay fees, the price of a new pair, and the deposit of a dispute,
    /// `None` if it owes nothing in the native asset: what lies below the floor, so that nothing
    /// is carried past the creditors.
    /// It counts for [`ALLOWANCE_WINDOW`](failsafe_primitives::debt::ALLOWANCE_WINDOW) blocks:
    /// otherwise income could pass through below the floor, fee by fee.
    fn fee_allowance(who: &AccountId) -> Option<Balance>;

    /// `who` has used so much of its allowance. Nothing happens when it owes nothing in the native
    /// asset.
    fn use_allowance(who: &AccountId, amount: Balance);

    /// `who` has got so much of it back, as a part of a fee that was not needed.
    fn release_allowance(who: &AccountId, amount: Balance);
}

/// Who must hear of new debtors: what they have set aside, as for orders, has to come back within
/// reach of their creditors (`protocol.md` §6, §11).
pub trait OnDebtor {
    /// `debtor`, who owed nothing in `asset`, does now. Must be cheap: one read, one write.
    fn begins_to_owe(debtor: &AccountId, asset: AssetId);
}
impl OnDebtor for () {
    fn begins_to_owe(_: &AccountId, _: AssetId) {}
}

/// What the pallets need of the money: the union of the native and the issued assets.
pub trait Money:
    fungibles::Mutate<AccountId, AssetId = AssetId, Balance = Balance>
    + fungibles::Inspect<AccountId, AssetId = AssetId, Balance = Balance>
{
}
impl<T> Money for T where
    T: fungibles::Mutate<AccountId, AssetId = AssetId, Balance = Balance>
        + fungibles::Inspect<AccountId, AssetId = AssetId, Balance = Balance>
{
}

/// Whether taking `amount` from `who` would leave it a rest that is above 0 and below the asset's
/// minimum balance. Such a rest is burnt as dust, which no Failsafe pallet lets happen (A15).
pub fn leaves_dust<M: Money>(asset: AssetId, who: &AccountId, amount: Balance) -> bool {
    let rest = M::balance(asset, who).checked_sub(amount);
    rest.is_some_and(|rest| rest > 0 && rest < M::minimum_balance(asset))
}

/// Share of a block that the hooks on idle leave unused, so that their own work never makes a
/// block unusable for the clock (`protocol.md` §7: 70 %).
const IDLE_CEILING: Perbill = Perbill::from_percent(65);

/// Share of a block that one pallet's idle work may take.
const IDLE_SHARE: Perbill = Perbill::from_percent(25);

/// The meter for work on idle: at most a quarter of the block, and never so much that the block
/// as a whole would pass 65 % of `max_block`. `remaining` is what FRAME hands to `on_idle`.
pub fn idle_meter(max_block: Weight, remaining: Weight) -> WeightMeter {
    let used = max_block.saturating_sub(remaining);
    let room = (IDLE_CEILING * max_block).saturating_sub(used);
    WeightMeter::with_limit(room.min(IDLE_SHARE * max_block))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_meter_should_stay_below_the_usable_bound_when_the_block_is_half_full() {
        let max = Weight::from_parts(1_000, 1_000);
        let half = Weight::from_parts(500, 500);
        assert_eq!(idle_meter(max, half).limit(), Weight::from_parts(150, 150));
        assert_eq!(idle_meter(max, max).limit(), Weight::from_parts(250, 250));
        let little = Weight::from_parts(300, 300);
        assert_eq!(idle_meter(max, little).limit(), Weight::zero());
    }
}
