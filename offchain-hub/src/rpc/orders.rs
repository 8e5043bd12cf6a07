//! Orders of the chain's exchange.

use super::{
    api::{Amount, AmountRow, OnChainView, OrderRow},
    names::{positive, RequestError},
    service::name,
    Service,
};
use crate::{chain::Call, party::Command};
use failsafe_primitives::view::OrderView;

/// How many resting orders a new one looks at: as many as the chain allows.
const MAX_MATCHES: u32 = 64;
/// Most orders that are listed of an account.
const MAX_LISTED: u32 = 1_000;

impl Service {
    pub(super) async fn do_order_place(
        &self,
        sell: &str,
        sell_asset: &str,
        buy: &str,
        buy_asset: &str,
    ) -> Result<OnChainView, RequestError> {
        let given = self.assets.get(Some(sell_asset)).await?;
        let got = self.assets.get(Some(buy_asset)).await?;
        let (sell, buy) = (positive(sell, &given)?, positive(buy, &got)?);
        self.check_spendable(&given, sell).await?;
        let call = Call::PlaceOrder {
            sell_asset: given.id,
            sell,
            buy_asset: got.id,
            buy,
            max_matches: MAX_MATCHES,
        };
        self.on_chain(Command::Submit(Box::new(call))).await
    }

    pub(super) async fn do_order_cancel(&self, order: u64) -> Result<OnChainView, RequestError> {
        self.on_chain(Command::Submit(Box::new(Call::CancelOrder { order }))).await
    }

    pub(super) async fn do_orders(&self) -> Result<Vec<OrderRow>, RequestError> {
        let mut orders = self.client().orders(self.party.account(), MAX_LISTED).await?;
        orders.sort_by_key(|order| order.id);
        Ok(self.order_rows(orders))
    }

    pub(super) async fn do_book(
        &self,
        sell_asset: &str,
        buy_asset: &str,
        limit: u32,
    ) -> Result<Vec<OrderRow>, RequestError> {
        let given = self.assets.get(Some(sell_asset)).await?;
        let got = self.assets.get(Some(buy_asset)).await?;
        let orders = self.client().book(given.id, got.id, limit.min(MAX_LISTED)).await?;
        Ok(self.order_rows(orders))
    }

    fn order_rows(&self, orders: Vec<OrderView>) -> Vec<OrderRow> {
        let row = |order: OrderView| {
            let amount = |asset, amount| AmountRow {
                asset: self.assets.info(asset),
                amount: Amount(amount),
            };
            OrderRow {
                id: order.id,
                owner: name(&order.owner),
                left: amount(order.sell_asset, order.left),
                price_sell: amount(order.sell_asset, order.price.sell),
                price_buy: amount(order.buy_asset, order.price.buy),
            }
        };
        orders.into_iter().map(row).collect()
    }
}
