//! What keeps issuers' hands off insured funds (`protocol.md` §7 "Custody").
//!
//! Issuer, admin and freezer of an asset keep their powers over free balances, but not over the
//! account that holds everybody's insurance. Two things see to that:
//!
//! * [`NotAtCustody`], the runtime's call filter, refuses the calls of `pallet-assets` that burn,
//!   move, freeze, block or remove a given account, when that is custody's.
//! * [`CustodyHolds`] tells `pallet-assets` that an asset is held while custody holds or owes any
//!   of it: then nobody can start to destroy it, not even root.
//!
//! `freeze_asset` stays possible: it stops the whole asset, for everybody alike. What custody would
//! pay out meanwhile waits as unclaimed money. Root is above the filter when it acts by itself, as
//! it is above everything; but a call that the sudo key wraps is looked into.

use crate::{AccountId, AssetId, Balance, Custody, Runtime, RuntimeCall};
use frame_support::traits::Contains;
use pallet_assets::BalanceOnHold;
use sp_runtime::traits::StaticLookup;

type Lookup = <Runtime as frame_system::Config>::Lookup;

/// Every call, except those by which somebody would reach into the custody account.
pub struct NotAtCustody;

impl Contains<RuntimeCall> for NotAtCustody {
    fn contains(call: &RuntimeCall) -> bool {
        match call {
            RuntimeCall::Assets(call) => target(call).is_none_or(|target| !is_custody(target)),
            // Sudo dispatches past the filter, even in custody's name; batches do not.
            RuntimeCall::Sudo(call) => match call {
                pallet_sudo::Call::sudo { call }
                | pallet_sudo::Call::sudo_unchecked_weight { call, .. } => Self::contains(call),
                pallet_sudo::Call::sudo_as { who, call } => {
                    !is_custody(who) && Self::contains(call)
                },
                _ => true,
            },
            _ => true,
        }
    }
}

/// The account over which a call of `pallet-assets` has power without its signature. Not among
/// them: minting to it, thawing it, touching it, and cancelling approvals, of which it has none.
fn target(call: &pallet_assets::Call<Runtime>) -> Option<&<Lookup as StaticLookup>::Source> {
    use pallet_assets::Call;
    match call {
        Call::burn { who, .. }
        | Call::freeze { who, .. }
        | Call::block { who, .. }
        | Call::refund_other { who, .. } => Some(who),
        Call::force_transfer { source, .. } => Some(source),
        Call::transfer_approved { owner, .. } => Some(owner),
        _ => None,
    }
}

fn is_custody(address: &<Lookup as StaticLookup>::Source) -> bool {
    Lookup::lookup(address.clone()).is_ok_and(|who| who == Custody::account())
}

/// The holds of `pallet-assets`: there are none, except that an asset in custody counts as held.
pub struct CustodyHolds;

impl BalanceOnHold<AssetId, AccountId, Balance> for CustodyHolds {
    fn balance_on_hold(_: AssetId, _: &AccountId) -> Option<Balance> {
        None
    }
    fn died(asset: AssetId, who: &AccountId) {
        Custody::account_died(asset, who);
    }
    fn contains_holds(asset: AssetId) -> bool {
        Custody::is_in_use(asset)
    }
}
