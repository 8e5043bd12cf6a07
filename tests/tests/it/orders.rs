//! Orders on the chain's exchange, by the wallet's commands.

use crate::books::{cast, close_books};
use failsafe_hub::rpc::api::OrderRow;
use failsafe_tests::{
    harness::{Failure, HubOptions},
    story::report::frd,
};

#[tokio::test(flavor = "multi_thread")]
async fn order_should_rest_be_seen_by_others_and_come_back_when_it_is_cancelled(
) -> Result<(), Failure> {
    let cast = cast(HubOptions::default()).await?;
    let user = &cast.user2;
    user.on_chain(&["order", "place", "15", "FRD", "--for", "10", "FRB"]).await?;
    let mine: Vec<OrderRow> = user.ask(&["order", "list"]).await?;
    let [order] = &mine[..] else { panic!("one order, not {mine:?}") };
    assert_eq!(order.left.amount.0, frd(15));
    assert_eq!((order.price_sell.amount.0, order.price_buy.amount.0), (frd(15), frd(10)));
    let seen: Vec<OrderRow> = cast.user123.ask(&["book", "FRD", "--for", "FRB"]).await?;
    assert_eq!(seen, mine);
    assert!(user.on_chain(&["order", "cancel", "77"]).await.is_err(), "there is no such order");
    user.on_chain(&["order", "cancel", &order.id.to_string()]).await?;
    let left: Vec<OrderRow> = user.ask(&["order", "list"]).await?;
    assert_eq!(left, []);
    close_books(cast, 20_000).await
}
