//! What must hold, whatever the input. A law that is broken panics.

use failsafe_primitives::{AccountId, AssetId, Balance, NATIVE_ASSET};
use failsafe_runtime::{
    configs::Money, Insurance, Parameters, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
    System,
};
use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    traits::{
        fungibles::Inspect,
        tokens::{DepositConsequence, Provenance},
        Get,
    },
    weights::Weight,
};
use sp_runtime::{traits::Dispatchable, Perbill};
use std::collections::BTreeMap;

use crate::{cast::actors, chain::Chain};

/// All issuances, by asset.
pub fn issuance() -> BTreeMap<AssetId, Balance> {
    let issued = pallet_assets::Asset::<Runtime>::iter_keys();
    let all = core::iter::once(NATIVE_ASSET).chain(issued);
    all.map(|asset| (asset, Money::total_issuance(asset))).collect()
}

/// Calls of which pallets a transaction is made of.
#[derive(Clone, Copy, Default)]
struct Kinds {
    sudo: bool,
    assets: bool,
    balances: bool,
    batch: bool,
}

impl Kinds {
    fn of(call: &RuntimeCall) -> Self {
        let mut kinds = Self::default();
        kinds.add(call);
        kinds
    }

    fn add(&mut self, call: &RuntimeCall) {
        match call {
            RuntimeCall::Sudo(_) => self.sudo = true,
            RuntimeCall::Assets(_) => self.assets = true,
            RuntimeCall::Balances(_) => self.balances = true,
            RuntimeCall::Batch(pallet_batch::Call::submit { actions, .. }) => {
                self.batch = true;
                actions.iter().for_each(|action| self.add(action));
            },
            _ => {},
        }
    }
}

/// The chain before a transaction, as far as laws compare it.
pub struct Before {
    kinds: Kinds,
    issued: BTreeMap<AssetId, Balance>,
    author: bool,
    debtors: BTreeMap<(AccountId, AssetId), Balance>,
    floor: Balance,
    events: usize,
}

/// All that an account has, free or held.
fn has(who: &AccountId, asset: AssetId) -> Balance {
    Money::total_balance(asset, who)
}

fn debtors() -> BTreeMap<(AccountId, AssetId), Balance> {
    let all = pallet_debt::Outstanding::<Runtime>::iter_keys();
    all.map(|(who, asset)| ((who.clone(), asset), has(&who, asset))).collect()
}

fn highest_floor() -> Balance {
    let parameters = <Parameters as Get<failsafe_primitives::Parameters>>::get();
    parameters.floor_hub.max(parameters.floor_user)
}

/// Whether the account that gets the fees can be credited with the least of them; else they are
/// burnt. One whose free money is below the minimum, with the rest on hold, cannot.
fn author_takes() -> bool {
    let author = &actors()[0].id;
    Money::can_deposit(NATIVE_ASSET, author, 1, Provenance::Extant) == DepositConsequence::Success
}

impl Before {
    /// Looks at the chain before `call`.
    pub fn of(call: &RuntimeCall) -> Self {
        Self {
            kinds: Kinds::of(call),
            issued: issuance(),
            author: author_takes(),
            debtors: debtors(),
            floor: highest_floor(),
            events: System::read_events_no_consensus().count(),
        }
    }

    /// Compares the chain after the call with it.
    pub fn check(self) {
        let events: Vec<_> =
            System::read_events_no_consensus().skip(self.events).map(|e| e.event).collect();
        self.check_issuance(&events);
        self.check_debtors(&events);
    }

    /// Money comes and goes only by calls whose purpose that is; calls of our pallets burn not
    /// even dust (A15).
    fn check_issuance(&self, events: &[RuntimeEvent]) {
        if self.kinds.sudo {
            return;
        }
        for (asset, now) in issuance() {
            let Some(before) = self.issued.get(&asset).copied() else { continue };
            if asset == NATIVE_ASSET {
                let burnt: Balance = events.iter().map(burnt).sum();
                assert!(now <= before, "native money came out of nothing: {before} to {now}");
                let gone = before - now;
                let ours = !self.kinds.balances && !self.kinds.assets;
                let unpaid = !self.author || !author_takes();
                assert!(unpaid || gone <= burnt, "{gone} of native money went, {burnt} by events");
                assert!(!ours || unpaid || gone == 0, "our pallets burnt {gone} of native money");
            } else if !self.kinds.assets {
                assert_eq!(now, before, "asset {asset} came or went");
            }
        }
    }

    /// Who owes in an asset cannot move it out (`protocol.md` §6): what he has goes down only by
    /// payments of his debts and, in the native asset, within the allowance.
    fn check_debtors(&self, events: &[RuntimeEvent]) {
        // An issuer keeps his powers, and in a batch a debt may be paid first and made again later.
        if self.kinds.sudo || self.kinds.assets || self.kinds.batch {
            return;
        }
        let floor = self.floor.max(highest_floor());
        for ((who, asset), before) in &self.debtors {
            if !pallet_debt::Outstanding::<Runtime>::contains_key(who, *asset) {
                continue;
            }
            let paid: Balance = events.iter().map(|event| paid(event, who, *asset)).sum();
            let allowance = if *asset == NATIVE_ASSET { floor } else { 0 };
            let gone = before.saturating_sub(has(who, *asset));
            assert!(
                gone <= paid.saturating_add(allowance),
                "debtor {who} lost {gone} of asset {asset}, {paid} of it to creditors"
            );
        }
    }
}

fn burnt(event: &RuntimeEvent) -> Balance {
    use pallet_balances::Event::{Burned, DustLost};
    match event {
        RuntimeEvent::Balances(DustLost { amount, .. } | Burned { amount, .. }) => *amount,
        _ => 0,
    }
}

fn paid(event: &RuntimeEvent, who: &AccountId, of: AssetId) -> Balance {
    match event {
        RuntimeEvent::Debt(pallet_debt::Event::DebtEnforced { debtor, asset, amount, .. })
            if debtor == who && *asset == of =>
        {
            *amount
        },
        _ => 0,
    }
}

/// A call must not take more weight than it has declared, or blocks can be overfilled.
pub fn check_weight(post: &PostDispatchInfo, info: &DispatchInfo) {
    if let Some(actual) = post.actual_weight {
        let declared = info.total_weight();
        assert!(actual.all_lte(declared), "a call took {actual:?} and had declared {declared:?}");
    }
}

/// The weight of a finished block; `before` is what was used before the work on idle.
pub fn check_block(before: Weight) {
    let most = <Runtime as frame_system::Config>::BlockWeights::get().max_block;
    let used = System::block_weight().total();
    assert!(used.all_lte(most), "a block of {used:?}");
    let idle = (Perbill::from_percent(65) * most).ref_time();
    let allowed = idle.max(before.ref_time());
    assert!(used.ref_time() <= allowed, "work on idle filled a block to {used:?}");
}

/// The invariants of every pallet and of all together. Between blocks only.
pub fn check_state() {
    failsafe_runtime::invariants::check().expect("every invariant");
}

/// What clients ask is answered for every pair.
pub fn check_views() {
    for (place, a) in actors().iter().enumerate() {
        for b in &actors()[..place] {
            let view = Insurance::channel(a.id.clone(), b.id.clone()).expect("two accounts");
            let pair = (view.pair.left(), view.pair.right());
            let open = pallet_insurance::Disputes::<Runtime>::contains_key(pair.0, pair.1);
            assert_eq!(view.dispute.is_some(), open, "a dispute that the view does not show");
        }
    }
    drop(Insurance::open_disputes(u32::MAX));
}

/// Resolve has no failing path (M3): every open dispute is resolved by anybody when it is due.
pub fn check_resolves(chain: &mut Chain) {
    let open: Vec<_> = pallet_insurance::Disputes::<Runtime>::iter().collect();
    let Some(due) = open.iter().map(|(_, _, dispute)| dispute.resolve_at).max() else { return };
    let now = failsafe_runtime::Clock::now();
    let skip = due.saturating_sub(now).saturating_add(1);
    chain.next(u32::try_from(skip).expect("a dispute is bounded"));
    for (left, right, _) in open {
        let call: RuntimeCall =
            pallet_insurance::Call::resolve { left: left.clone(), right: right.clone() }.into();
        let before = Before::of(&call);
        let result = call.dispatch(RuntimeOrigin::signed(actors()[0].id.clone()));
        assert!(result.is_ok(), "a dispute that cannot be resolved: {result:?}");
        before.check();
    }
}
