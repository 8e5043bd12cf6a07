//! What the actions of a batch weigh: each what it weighs alone, except the many alike of a
//! rebalance.
//!
//! Payer, custody account and asset are read and written once for the whole batch, and the first
//! action of each kind and asset pays for that with its full weight. Those after it weigh what was
//! measured to be added by each (`pallet-batch`'s benchmarks), if they are of the measured shape:
//!
//! | call | shape |
//! |---|---|
//! | `withdraw` | one asset, nothing from the partner's balance, a proof by sr25519 or ed25519 |
//! | `deposit` | any, as if into a new channel; dearer while new accounts get a top-up |
//!
//! What a credited debtor owes is collected once, at the end of the batch: the first withdrawal
//! has paid for it.

use crate::{AssetId, Parameters, Runtime, RuntimeCall};
use alloc::collections::BTreeSet;
use failsafe_primitives::{Withdrawal, WithdrawalItem, NATIVE_ASSET};
use frame_support::{dispatch::GetDispatchInfo, traits::Get, weights::Weight};
use pallet_batch::{weights::WeightInfo as _, ActionWeights};
use pallet_insurance::Call;
use sp_runtime::MultiSignature;

type Measured = <Runtime as pallet_batch::Config>::WeightInfo;

/// The weights of a batch's actions, one after the other.
#[derive(Default)]
pub struct Rebalance {
    withdrawn: BTreeSet<AssetId>,
    deposited: BTreeSet<AssetId>,
    /// Whether new accounts get a top-up, once it was looked up.
    top_up: Option<bool>,
}

impl ActionWeights<RuntimeCall> for Rebalance {
    fn next(&mut self, action: &RuntimeCall) -> Weight {
        let alone = action.get_dispatch_info().call_weight;
        let added = match action {
            RuntimeCall::Insurance(Call::withdraw { withdrawal, proof, .. }) => {
                self.withdrawal(withdrawal, proof)
            },
            RuntimeCall::Insurance(Call::deposit { asset, .. }) => self.deposit(*asset),
            _ => None,
        };
        added.map_or(alone, |added| added.min(alone))
    }
}

impl Rebalance {
    /// What a withdrawal adds, if it is not the first and of the measured shape.
    fn withdrawal(&mut self, withdrawal: &Withdrawal, proof: &MultiSignature) -> Option<Weight> {
        let [WithdrawalItem { asset, max_from_balance: 0, .. }] = withdrawal.items[..] else {
            return None;
        };
        if !matches!(proof, MultiSignature::Sr25519(_) | MultiSignature::Ed25519(_)) {
            return None;
        }
        let first = self.withdrawn.insert(asset);
        let added = if asset == NATIVE_ASSET {
            Measured::rebalance(1, 0).saturating_sub(Measured::rebalance(0, 0))
        } else {
            Measured::rebalance_issued(1, 0).saturating_sub(Measured::rebalance_issued(0, 0))
        };
        (!first).then_some(added)
    }

    /// What a deposit adds, if it is not the first.
    fn deposit(&mut self, asset: AssetId) -> Option<Weight> {
        if self.deposited.insert(asset) {
            return None;
        }
        let top_up = *self.top_up.get_or_insert_with(|| {
            let parameters: failsafe_primitives::Parameters = Parameters::get();
            parameters.account_top_up > 0
        });
        let added = match (asset == NATIVE_ASSET, top_up) {
            (true, false) => Measured::open_channels(1).saturating_sub(Measured::open_channels(0)),
            (true, true) => Measured::open_accounts(1).saturating_sub(Measured::open_accounts(0)),
            (false, false) => {
                Measured::rebalance_issued(0, 1).saturating_sub(Measured::rebalance_issued(0, 0))
            },
            (false, true) => return None,
        };
        Some(added)
    }
}
