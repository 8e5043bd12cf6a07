//! Matching, and taking orders off the book.

use crate::{
    AccountId, AssetId, Balance, Book, Config, Custody, DebtLedger, Error, Event, Fronts,
    HoldReason, NextOrder, OnDebtor, Order, OrderId, OrderView, Owned, Pallet, Place, Price,
    Reason, Recalls, Standing, Standings, WeightInfo, NATIVE_ASSET,
};
use failsafe_pallet_support::idle_meter;
use failsafe_primitives::exchange::{trade, Fill, Trade};
use frame_support::{
    defensive,
    dispatch::DispatchResult,
    ensure,
    traits::{
        fungible::{Inspect, MutateHold},
        tokens::{Fortitude, Precision, Preservation},
        Get,
    },
    weights::Weight,
};
use sp_runtime::{ArithmeticError, DispatchError};

/// An order on its way through the other side of the book.
struct Taker {
    id: OrderId,
    owner: AccountId,
    price: Price,
    /// What it still offers.
    left: Balance,
    /// What it has got.
    got: Balance,
}

/// How a walk along the other side of the book ended.
struct Walk {
    /// Orders that were looked at.
    matches: u32,
    /// Whether it ended only because there were no more matches to make.
    exhausted: bool,
}

impl<T: Config> Pallet<T> {
    /// A resting order and where it stands.
    pub(crate) fn find(id: OrderId) -> Option<(Standing, Order)> {
        let standing = Standings::<T>::get(id)?;
        let Standing { sell_asset, buy_asset, key } = standing;
        let order = Book::<T>::get((sell_asset, buy_asset, key, id.to_be_bytes()))?;
        Some((standing, order))
    }

    pub(crate) fn view(
        id: OrderId,
        sell_asset: AssetId,
        buy_asset: AssetId,
        order: Order,
    ) -> OrderView {
        let Order { owner, left, price, .. } = order;
        OrderView { id, owner, sell_asset, left, buy_asset, price }
    }

    /// Places an order; returns how many resting ones it has looked at.
    pub(crate) fn do_place(
        owner: AccountId,
        sell_asset: AssetId,
        buy_asset: AssetId,
        price: Price,
        max_matches: u32,
    ) -> Result<u32, DispatchError> {
        T::Custody::take(&owner, sell_asset, price.sell)?;
        let id = NextOrder::<T>::get();
        NextOrder::<T>::put(id.checked_add(1).ok_or(ArithmeticError::Overflow)?);
        Self::deposit_event(Event::OrderPlaced {
            order: id,
            owner: owner.clone(),
            sell_asset,
            sell: price.sell,
            buy_asset,
            buy: price.buy,
        });
        let mut taker = Taker { id, owner, price, left: price.sell, got: 0 };
        let walk = Self::walk(&mut taker, sell_asset, buy_asset, max_matches)?;
        let Taker { owner, left, got, .. } = taker;
        T::Custody::release(&owner, buy_asset, got);
        let reason = if walk.exhausted {
            Some(Reason::OutOfMatches)
        } else if price.is_dust(left) {
            Some(Reason::Filled)
        } else {
            None
        };
        match reason {
            Some(reason) => {
                T::Custody::release(&owner, sell_asset, left);
                Self::deposit_event(Event::OrderClosed {
                    order: id,
                    owner: owner.clone(),
                    asset: sell_asset,
                    returned: left,
                    reason,
                });
            },
            None => Self::rest(id, &owner, sell_asset, buy_asset, price, left)?,
        }
        if got > 0 {
            T::Debts::collect(&owner, buy_asset);
        }
        Ok(walk.matches)
    }

    /// Leads an order along the other side of the book, from its front.
    fn walk(
        taker: &mut Taker,
        sell_asset: AssetId,
        buy_asset: AssetId,
        max_matches: u32,
    ) -> Result<Walk, DispatchError> {
        // Who gives what the taker asks for.
        let side = (buy_asset, sell_asset);
        let mut walk = Walk { matches: 0, exhausted: false };
        let Some(front) = Fronts::<T>::get(buy_asset, sell_asset) else { return Ok(walk) };
        let raw = Book::<T>::hashed_key_for((buy_asset, sell_asset, front.0, front.1));
        let first = Book::<T>::contains_key((buy_asset, sell_asset, front.0, front.1));
        let behind = Book::<T>::iter_key_prefix_from(side, raw);
        let mut new_front = None;
        for place in first.then_some(front).into_iter().chain(behind) {
            let Some(maker) = Book::<T>::get((buy_asset, sell_asset, place.0, place.1)) else {
                defensive!("a key without its order");
                new_front = new_front.or(Some(place));
                break;
            };
            let more = maker.price.meets(&taker.price)
                && trade(maker.price, maker.left, taker.price, taker.left) != Trade::TooLittle;
            walk.exhausted = more && walk.matches >= max_matches;
            if !more || walk.exhausted {
                new_front = new_front.or(Some(place));
                break;
            }
            walk.matches = walk.matches.saturating_add(1);
            Self::meet(taker, maker, side, place)?;
            if Book::<T>::contains_key((buy_asset, sell_asset, place.0, place.1)) {
                new_front = new_front.or(Some(place));
            }
        }
        match new_front {
            Some(place) if place == front => {},
            Some(place) => Fronts::<T>::insert(buy_asset, sell_asset, place),
            // It has come to the end, and every order of this side was taken.
            None => Fronts::<T>::remove(buy_asset, sell_asset),
        }
        Ok(walk)
    }

    /// The taker comes to a resting order.
    fn meet(
        taker: &mut Taker,
        maker: Order,
        side: (AssetId, AssetId),
        place: Place,
    ) -> DispatchResult {
        let id = OrderId::from_be_bytes(place.1);
        let standing = Standing { sell_asset: side.0, buy_asset: side.1, key: place.0 };
        if T::Debts::is_debtor(&maker.owner, side.0) {
            Self::close(id, &standing, &maker, Reason::OwnerOwes);
            return Ok(());
        }
        if maker.owner == taker.owner {
            Self::close(id, &standing, &maker, Reason::MetItself);
            return Ok(());
        }
        let Trade::Fill(Fill { bought, paid }) =
            trade(maker.price, maker.left, taker.price, taker.left)
        else {
            // The next one may suit.
            return Ok(());
        };
        let left = maker.left.checked_sub(bought).ok_or(ArithmeticError::Underflow)?;
        taker.left = taker.left.checked_sub(paid).ok_or(ArithmeticError::Underflow)?;
        taker.got = taker.got.checked_add(bought).ok_or(ArithmeticError::Overflow)?;
        T::Custody::release(&maker.owner, side.1, paid);
        T::Debts::collect(&maker.owner, side.1);
        Self::deposit_event(Event::Traded {
            maker_order: id,
            taker_order: taker.id,
            maker: maker.owner.clone(),
            taker: taker.owner.clone(),
            asset: side.0,
            amount: bought,
            paid_asset: side.1,
            paid,
        });
        let maker = Order { left, ..maker };
        if maker.price.is_dust(left) {
            Self::close(id, &standing, &maker, Reason::Filled);
        } else {
            Book::<T>::insert((side.0, side.1, place.0, place.1), maker);
        }
        Ok(())
    }

    /// Puts what is left of an order into the book.
    fn rest(
        id: OrderId,
        owner: &AccountId,
        sell_asset: AssetId,
        buy_asset: AssetId,
        price: Price,
        left: Balance,
    ) -> DispatchResult {
        let deposit = T::Deposit::get();
        Self::hold(owner, deposit)?;
        let key = price.key();
        let place = (key, id.to_be_bytes());
        let order = Order { owner: owner.clone(), left, price, deposit };
        Book::<T>::insert((sell_asset, buy_asset, place.0, place.1), order);
        Standings::<T>::insert(id, Standing { sell_asset, buy_asset, key });
        Owned::<T>::insert((owner, sell_asset, id), ());
        if Fronts::<T>::get(sell_asset, buy_asset).is_none_or(|front| place < front) {
            Fronts::<T>::insert(sell_asset, buy_asset, place);
        }
        Self::deposit_event(Event::OrderRests { order: id, left });
        Ok(())
    }

    fn hold(owner: &AccountId, deposit: Balance) -> DispatchResult {
        if deposit == 0 {
            return Ok(());
        }
        ensure!(!T::Debts::is_debtor(owner, NATIVE_ASSET), Error::<T>::OwesMoney);
        let (keep, polite) = (Preservation::Preserve, Fortitude::Polite);
        let available = T::Native::reducible_balance(owner, keep, polite);
        ensure!(available >= deposit, Error::<T>::DepositMissing);
        T::Native::hold(&HoldReason::OrderDeposit.into(), owner, deposit)
    }

    /// Takes an order off the book. What it offers and its deposit go back to its owner, and from
    /// there to his creditors.
    pub(crate) fn close(id: OrderId, standing: &Standing, order: &Order, reason: Reason) {
        let Standing { sell_asset, buy_asset, key } = *standing;
        let Order { owner, left, deposit, .. } = order;
        Book::<T>::remove((sell_asset, buy_asset, key, id.to_be_bytes()));
        Standings::<T>::remove(id);
        Owned::<T>::remove((owner, sell_asset, id));
        T::Custody::release(owner, sell_asset, *left);
        let hold = HoldReason::OrderDeposit.into();
        if T::Native::release(&hold, owner, *deposit, Precision::BestEffort).is_err() {
            defensive!("the deposit of an order is not on hold");
        }
        Self::deposit_event(Event::OrderClosed {
            order: id,
            owner: owner.clone(),
            asset: sell_asset,
            returned: *left,
            reason,
        });
        T::Debts::collect(owner, sell_asset);
        if sell_asset != NATIVE_ASSET {
            T::Debts::collect(owner, NATIVE_ASSET);
        }
    }

    /// Takes orders off the book whose owners have begun to owe in what they give, as far as the
    /// block has room. Returns the weight used.
    pub(crate) fn recall(remaining: Weight) -> Weight {
        let mut meter = idle_meter(T::BlockWeights::get().max_block, remaining);
        if meter.try_consume(T::WeightInfo::recall(0)).is_err() {
            return meter.consumed();
        }
        let step = T::WeightInfo::recall(1).saturating_sub(T::WeightInfo::recall(0));
        let mut steps = 0u32;
        for (debtor, asset) in Recalls::<T>::iter_keys() {
            let owes = T::Debts::is_debtor(&debtor, asset);
            for id in Owned::<T>::iter_key_prefix((&debtor, asset)).take_while(|_| owes) {
                if steps >= T::MaxRecalls::get() || meter.try_consume(step).is_err() {
                    return meter.consumed();
                }
                steps = steps.saturating_add(1);
                match Self::find(id) {
                    Some((standing, order)) => {
                        Self::close(id, &standing, &order, Reason::OwnerOwes);
                    },
                    None => {
                        defensive!("an owner without the order");
                    },
                }
                // The rest may have paid all.
                if !T::Debts::is_debtor(&debtor, asset) {
                    break;
                }
            }
            Recalls::<T>::remove(&debtor, asset);
            if steps >= T::MaxRecalls::get() || meter.try_consume(step).is_err() {
                break;
            }
            steps = steps.saturating_add(1);
        }
        meter.consumed()
    }
}

impl<T: Config> OnDebtor for Pallet<T> {
    fn begins_to_owe(debtor: &AccountId, asset: AssetId) {
        if Owned::<T>::iter_key_prefix((debtor, asset)).next().is_some() {
            Recalls::<T>::insert(debtor, asset, ());
        }
    }
}
