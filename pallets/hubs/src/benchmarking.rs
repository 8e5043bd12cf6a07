//! Worst cases: the longest record, and a deposit.

use crate::*;
use failsafe_pallet_support::benchmarking::{stranger, World, UNIT};
use frame_benchmarking::v2::*;
use frame_support::traits::fungible::MutateHold;
use frame_system::RawOrigin;

/// The longest record that a hub may have.
pub fn longest_record(deposit: Balance) -> HubRecord {
    let mut endpoint = [b'h'; 261];
    endpoint[255..].copy_from_slice(b":65535");
    let routes: alloc::vec::Vec<_> = (0..MAX_ROUTES).map(|i| stranger("route", 0, i)).collect();
    HubRecord {
        handle: [b'h'; 32].to_vec().try_into().expect("32 bytes"),
        endpoint: endpoint.to_vec().try_into().expect("261 bytes"),
        transport_key: [1; 32],
        fees: HubFees::default(),
        routes: routes.try_into().expect("as many as may be"),
        deposit,
    }
}

#[benchmarks(where T: World)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() {
        T::charge_everything();
        let who = stranger("hub", 0, 0);
        T::give(&who, NATIVE_ASSET, 10 * UNIT);
        let HubRecord { handle, endpoint, transport_key, fees, routes, .. } = longest_record(0);

        #[extrinsic_call]
        register(RawOrigin::Signed(who.clone()), handle, endpoint, transport_key, fees, routes);

        assert!(Hubs::<T>::contains_key(who));
    }

    #[benchmark]
    fn update() {
        T::charge_everything();
        let who = stranger("hub", 0, 0);
        T::register_hub(&who);
        let HubRecord { endpoint, fees, routes, .. } = longest_record(0);

        #[extrinsic_call]
        update(RawOrigin::Signed(who.clone()), endpoint, [2; 32], fees, routes);

        let record = Hubs::<T>::get(who).expect("registered");
        assert_eq!(record.transport_key, [2; 32]);
    }

    #[benchmark]
    fn retire() {
        let who = stranger("hub", 0, 0);
        T::register_hub(&who);

        #[extrinsic_call]
        retire(RawOrigin::Signed(who.clone()));

        assert!(Retiring::<T>::contains_key(who));
    }

    /// A hub that owes nothing.
    #[benchmark]
    fn leave() {
        let who = retiring::<T>(stranger("hub", 0, 0));

        #[extrinsic_call]
        leave(RawOrigin::Signed(stranger("anybody", 0, 0)), who.clone());

        assert!(!Hubs::<T>::contains_key(who));
    }

    /// A hub whose deposit pays its only debt.
    #[benchmark]
    fn leave_of_debtor() {
        let who = retiring::<T>(stranger("hub", 0, 0));
        T::burden(&who, NATIVE_ASSET, UNIT / 10, 1);

        #[extrinsic_call]
        leave(RawOrigin::Signed(stranger("anybody", 0, 0)), who.clone());

        assert!(!T::Debts::is_debtor(&who, NATIVE_ASSET));
    }
}

/// A hub whose notice is over, with its deposit and next to nothing beside it.
fn retiring<T: Config + World>(who: AccountId) -> AccountId {
    T::charge_everything();
    let parameters: failsafe_primitives::Parameters = T::Parameters::get();
    let deposit = parameters.hub_deposit;
    T::give(&who, NATIVE_ASSET, deposit + parameters.floor_user);
    T::Native::hold(&HoldReason::HubDeposit.into(), &who, deposit).expect("it has money");
    let record = longest_record(deposit);
    Handles::<T>::insert(&record.handle, &who);
    Hubs::<T>::insert(&who, record);
    Retiring::<T>::insert(&who, T::Clock::now());
    who
}
