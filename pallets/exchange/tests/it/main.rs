//! Tests of the order book.

mod debtors;
mod place;
mod reference;
mod scale;

use failsafe_pallet_mock::*;
use failsafe_primitives::{AssetId, Balance, NATIVE_ASSET as FRD};
use frame_support::dispatch::DispatchResult;

type Error = pallet_exchange::Error<Test>;

/// `who` gives up to `sell` of one asset for at least `buy` of another.
fn place(who: &Party, sell: (AssetId, Balance), buy: (AssetId, Balance)) -> DispatchResult {
    place_with(who, sell, buy, 16)
}

fn place_with(
    who: &Party,
    sell: (AssetId, Balance),
    buy: (AssetId, Balance),
    max_matches: u32,
) -> DispatchResult {
    Exchange::place(who.origin(), sell.0, sell.1, buy.0, buy.1, max_matches)
        .map(drop)
        .map_err(|refused| refused.error)
}

/// What rests of one side, as (number, left).
fn resting(sell_asset: AssetId, buy_asset: AssetId) -> Vec<(u64, Balance)> {
    let orders = Exchange::book(sell_asset, buy_asset, u32::MAX);
    orders.into_iter().map(|order| (order.id, order.left)).collect()
}

/// Events of the exchange so far.
fn events() -> Vec<pallet_exchange::Event<Test>> {
    let ours = |record: frame_system::EventRecord<RuntimeEvent, _>| match record.event {
        RuntimeEvent::Exchange(event) => Some(event),
        _ => None,
    };
    System::events().into_iter().filter_map(ours).collect()
}

/// How an order ended, and what went back.
fn ending(id: u64) -> Option<(pallet_exchange::Reason, Balance)> {
    events().into_iter().rev().find_map(|event| match event {
        pallet_exchange::Event::OrderClosed { order, returned, reason, .. } if order == id => {
            Some((reason, returned))
        },
        _ => None,
    })
}
