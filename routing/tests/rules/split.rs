use crate::support::*;
use failsafe_primitives::Balance;
use failsafe_routing::{
    Graph, NoRoute, NoSplit, Parts, Query, Reliability, Route, DEFAULT_MAX_PARTS,
};

const PARTS: Parts = Parts { max: DEFAULT_MAX_PARTS, smallest: 10 };

fn split(graph: &Graph, query: &Query, parts: Parts) -> Result<Vec<Route>, NoSplit> {
    failsafe_routing::split(graph, &Reliability::default(), query, parts)
}

/// From hub 1 to hub 9 over hubs 2, 3, 4, which carry this much after the fee of hub 9.
fn parallel(capacities: [Balance; 3]) -> Graph {
    let mut hubs = vec![hub(1, 1, &[2, 3, 4]), hub(9, 0, &[2, 3, 4])];
    hubs.extend([2, 3, 4].map(|number| hub(number, number.into(), &[])));
    let [a, b, c] = capacities;
    graph(hubs, &[(2, 9, a), (3, 9, b), (4, 9, c)])
}

fn amounts(routes: &[Route]) -> Vec<Balance> {
    routes.iter().map(|route| route.amount).collect()
}

#[test]
fn payment_should_be_one_part_when_one_route_carries_it() {
    let routes = split(&parallel([100, 100, 100]), &query(&[1], &[9], 100), PARTS).unwrap();
    assert_eq!(amounts(&routes), [100]);
    assert_eq!(routes[0], find(&parallel([100, 100, 100]), &query(&[1], &[9], 100)).unwrap());
}

#[test]
fn parts_should_fill_the_edges_when_none_carries_all() {
    let routes = split(&parallel([60, 30, 10]), &query(&[1], &[9], 100), PARTS).unwrap();
    assert_eq!(amounts(&routes), [60, 30, 10]);
}

#[test]
fn parts_should_keep_the_capacity_together_when_they_share_an_edge() {
    // Both ways go over the edge from 1 to 2, which carries 80 with fees.
    let hubs = vec![hub(1, 0, &[]), hub(2, 0, &[]), hub(3, 0, &[]), hub(4, 0, &[]), hub(9, 0, &[])];
    let edges = [(1, 2, 80), (2, 3, 50), (2, 4, 50), (3, 9, 50), (4, 9, 50)];
    let graph = graph(hubs, &edges);
    assert_eq!(amounts(&split(&graph, &query(&[1], &[9], 80), PARTS).unwrap()), [50, 30]);
    let result = split(&graph, &query(&[1], &[9], 100), PARTS);
    let reason = NoRoute::Capacity;
    assert_eq!(result, Err(NoSplit::NoRoute { missing: 20, reason }));
}

#[test]
fn parts_should_keep_the_payers_capacity_together_when_they_begin_at_one_hub() {
    let mut query = query(&[1], &[9], 100);
    // 100, and the fees of two parts: 1 + 2 and 1 + 3.
    query.from_hubs.insert(account(1), 107);
    assert_eq!(amounts(&split(&parallel([50, 50, 50]), &query, PARTS).unwrap()), [50, 50]);
    query.from_hubs.insert(account(1), 106);
    assert!(split(&parallel([50, 50, 50]), &query, PARTS).is_err());
}

#[test]
fn parts_should_keep_the_last_capacity_together_when_they_end_at_one_hub() {
    let mut query = query(&[1], &[9], 100);
    query.to_hubs.insert(account(9), Some(99));
    assert!(split(&parallel([50, 50, 50]), &query, PARTS).is_err());
    query.to_hubs.insert(account(9), Some(100));
    assert!(split(&parallel([50, 50, 50]), &query, PARTS).is_ok());
}

#[test]
fn split_should_be_refused_when_all_fees_together_are_above_the_highest() {
    let mut query = query(&[1], &[9], 100);
    query.max_fee = 7;
    assert!(split(&parallel([50, 50, 50]), &query, PARTS).is_ok());
    query.max_fee = 6;
    let result = split(&parallel([50, 50, 50]), &query, PARTS);
    let reason = NoRoute::FeeAboveMax { cheapest: 4 };
    assert_eq!(result, Err(NoSplit::NoRoute { missing: 50, reason }));
}

#[test]
fn split_should_be_refused_when_it_needs_more_parts_than_allowed() {
    let parts = Parts { max: 2, ..PARTS };
    let result = split(&parallel([60, 30, 10]), &query(&[1], &[9], 100), parts);
    assert_eq!(result, Err(NoSplit::TooManyParts { missing: 10 }));
}

#[test]
fn parts_should_leave_enough_for_the_last_one_when_little_would_be_left() {
    let routes = split(&parallel([95, 30, 30]), &query(&[1], &[9], 100), PARTS).unwrap();
    assert_eq!(amounts(&routes), [90, 10]);
}

#[test]
fn split_should_be_refused_when_the_parts_would_be_too_small() {
    let parts = Parts { smallest: 40, ..PARTS };
    let result = split(&parallel([60, 30, 30]), &query(&[1], &[9], 100), parts);
    let reason = NoRoute::Capacity;
    assert_eq!(result, Err(NoSplit::NoRoute { missing: 40, reason }));
}

#[test]
fn payment_should_go_in_one_part_when_it_is_below_the_smallest() {
    let routes = split(&parallel([9, 9, 9]), &query(&[1], &[9], 5), PARTS).unwrap();
    assert_eq!(amounts(&routes), [5]);
}

#[test]
fn split_should_end_when_the_smallest_part_is_zero() {
    let parts = Parts { max: 8, smallest: 0 };
    let result = split(&parallel([0, 0, 0]), &query(&[1], &[9], 1 << 90), parts);
    assert!(matches!(result, Err(NoSplit::NoRoute { .. })));
}

#[test]
fn split_should_be_refused_when_no_part_is_allowed_or_the_amount_is_zero() {
    let graph = parallel([100, 100, 100]);
    let none = split(&graph, &query(&[1], &[9], 100), Parts { max: 0, ..PARTS });
    assert_eq!(none, Err(NoSplit::TooManyParts { missing: 100 }));
    let zero = split(&graph, &query(&[1], &[9], 0), PARTS);
    assert_eq!(zero, Err(NoSplit::NoRoute { missing: 0, reason: NoRoute::Amount }));
}
