//! Invariants, numbered as in the crate's documentation.

use crate::{
    AssetId, Balance, Book, Config, Fronts, HoldReason, Order, OrderId, Owned, Pallet, Standing,
    Standings,
};
use alloc::{collections::BTreeMap, vec::Vec};
use failsafe_primitives::{exchange::Price, AccountId};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_core::{U256, U512};
use sp_runtime::TryRuntimeError;

/// How many orders of each side are compared with those of the other.
const COMPARED: usize = 16;

impl<T: Config> Pallet<T> {
    /// Per asset: what all orders offer, which is in custody.
    pub fn offered() -> BTreeMap<AssetId, Balance> {
        Book::<T>::iter().fold(BTreeMap::new(), |mut sums, ((asset, ..), order)| {
            let sum = sums.entry(asset).or_insert(0 as Balance);
            *sum = sum.checked_add(order.left).unwrap_or(Balance::MAX);
            sums
        })
    }

    /// Checks the invariants of the crate's documentation.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut orders = 0;
        let mut deposits: BTreeMap<AccountId, Balance> = BTreeMap::new();
        for ((sell_asset, buy_asset, key, id), order) in Book::<T>::iter() {
            orders += 1;
            let number = OrderId::from_be_bytes(id);
            let standing = Standing { sell_asset, buy_asset, key };
            ensure!(Standings::<T>::get(number) == Some(standing), "1: an order without its place");
            let owned = Owned::<T>::contains_key((&order.owner, sell_asset, number));
            ensure!(owned, "1: an order that its owner does not have");
            ensure!(order.price.key() == key, "2: an order that stands where it should not");
            ensure!(!order.price.is_dust(order.left), "2: an order of dust");
            let front = Fronts::<T>::get(sell_asset, buy_asset);
            ensure!(front.is_some_and(|front| front <= (key, id)), "3: an order before its front");
            *deposits.entry(order.owner).or_default() += order.deposit;
        }
        ensure!(Standings::<T>::iter().count() == orders, "1: a place without its order");
        ensure!(Owned::<T>::iter().count() == orders, "1: an owner without the order");
        for (owner, deposit) in deposits {
            let reason = HoldReason::OrderDeposit.into();
            let held = T::Native::balance_on_hold(&reason, &owner);
            ensure!(held >= deposit, "4: a deposit is not on hold");
        }
        for (sell_asset, buy_asset, _) in Fronts::<T>::iter() {
            let side = |a, b| -> Vec<(OrderId, Order)> {
                let orders = Book::<T>::iter_prefix((a, b)).take(COMPARED);
                orders.map(|((_, id), order)| (OrderId::from_be_bytes(id), order)).collect()
            };
            let others = side(buy_asset, sell_asset);
            for (id, order) in side(sell_asset, buy_asset) {
                // The younger one came to the older one.
                let older = others.iter().filter(|(other, _)| *other < id);
                for (_, maker) in older {
                    ensure!(
                        is_settled(maker.price, maker.left, order.price, order.left),
                        "5: two orders that could trade"
                    );
                }
            }
        }
        Ok(())
    }
}

/// Whether the taker's price does not meet the maker's, or by so little that the two amounts
/// between which all they can trade lies differ by less than a unit.
fn is_settled(maker: Price, maker_left: Balance, taker: Price, taker_left: Balance) -> bool {
    if !maker.meets(&taker) {
        return true;
    }
    let product = |a: Balance, b: Balance| U256::from(a) * U256::from(b);
    let affordable = product(taker_left, maker.sell) / U256::from(maker.buy);
    let most = affordable.min(maker_left.into());
    let gap = product(maker.sell, taker.sell) - product(maker.buy, taker.buy);
    most.full_mul(gap) < U512::from(product(taker.buy, maker.sell))
}
