use crate::support::*;
use failsafe_primitives::Balance;
use failsafe_routing::{
    Graph, NoRoute, NoSplit, Parts, Query, Reliability, Route, DEFAULT_MAX_PARTS,
};

const PARTS: Parts = Parts { max: DEFAULT_MAX_PARTS, smallest: 10 };

fn split(graph: &Graph, query: &Query, parts: Parts) -> Result<Vec<Route>, NoSplit> {
    failsafe_routing::split(graph, &Reliability::default(), query, parts)
}

/// Three ways that share nothing: hubs 1, 2, 3 pay hubs 7, 8, 9, which carry this much. The latter
/// ask for nothing, the former for their number.
fn parallel(capacities: [Balance; 3]) -> Graph {
    let mut hubs = vec![];
    hubs.extend([1u8, 2, 3].map(|number| hub(number, number.into(), &[number + 6])));
    hubs.extend([7, 8, 9].map(|number| hub(number, 0, &[])));
    let [a, b, c] = capacities;
    graph(hubs, &[(1, 7, a), (2, 8, b), (3, 9, c)])
}

/// From the payer's hubs 1, 2, 3 to the recipient's hubs 7, 8, 9.
fn three_ways(amount: Balance) -> Query {
    query(&[1, 2, 3], &[7, 8, 9], amount)
}

fn amounts(routes: &[Route]) -> Vec<Balance> {
    routes.iter().map(|route| route.amount).collect()
}

#[test]
fn payment_should_be_one_part_when_one_route_carries_it() {
    let graph = parallel([100, 100, 100]);
    let routes = split(&graph, &three_ways(100), PARTS).unwrap();
    assert_eq!(amounts(&routes), [100]);
    assert_eq!(routes[0], find(&graph, &three_ways(100)).unwrap());
}

#[test]
fn parts_should_fill_the_edges_when_none_carries_all() {
    let routes = split(&parallel([60, 30, 10]), &three_ways(100), PARTS).unwrap();
    assert_eq!(amounts(&routes), [60, 30, 10]);
}

#[test]
fn parts_should_never_share_an_edge_when_it_would_carry_both() {
    // Both ways go over the edge from 1 to 2: the hash of the payment would be in it twice.
    let hubs = vec![hub(1, 0, &[]), hub(2, 0, &[]), hub(3, 0, &[]), hub(4, 0, &[]), hub(9, 0, &[])];
    let edges = [(1, 2, 1_000), (2, 3, 50), (2, 4, 50), (3, 9, 50), (4, 9, 50)];
    let graph = graph(hubs, &edges);
    assert_eq!(amounts(&split(&graph, &query(&[1], &[9], 50), PARTS).unwrap()), [50]);
    let result = split(&graph, &query(&[1], &[9], 80), PARTS);
    assert_eq!(result, Err(NoSplit::NoRoute { missing: 30, reason: NoRoute::Capacity }));
}

#[test]
fn capacity_should_be_the_reason_when_a_part_takes_the_only_way() {
    let hubs = vec![hub(1, 0, &[]), hub(2, 0, &[])];
    // That the way of the part is closed to the rest is not that there is none.
    for capacity in [0, 1, 50, 99] {
        let graph = graph(hubs.clone(), &[(1, 2, capacity)]);
        let result = split(&graph, &query(&[1], &[2], 100), Parts { max: 8, smallest: 4 });
        let Err(NoSplit::NoRoute { reason, .. }) = result else { panic!("{result:?}") };
        assert_eq!(reason, NoRoute::Capacity, "{capacity}");
    }
    let result = split(&graph(hubs, &[(2, 1, 50)]), &query(&[1], &[2], 100), PARTS);
    assert_eq!(result, Err(NoSplit::NoRoute { missing: 100, reason: NoRoute::NoEdge }));
}

#[test]
fn parts_should_not_begin_at_one_hub_when_the_payer_has_no_other() {
    let mut query = three_ways(100);
    assert!(split(&parallel([50, 50, 50]), &query, PARTS).is_ok());
    query.from_hubs.retain(|hub, _| *hub == account(1));
    assert!(split(&parallel([50, 50, 50]), &query, PARTS).is_err());
}

#[test]
fn parts_should_not_end_at_one_hub_when_the_recipient_has_no_other() {
    let mut query = three_ways(100);
    query.to_hubs.retain(|hub, _| *hub == account(7));
    let hubs = vec![hub(1, 0, &[7]), hub(2, 0, &[7]), hub(7, 0, &[])];
    let graph = graph(hubs, &[(1, 7, 50), (2, 7, 50)]);
    assert!(split(&graph, &query, PARTS).is_err());
    query.amount = 50;
    assert!(split(&graph, &query, PARTS).is_ok());
}

#[test]
fn split_should_be_refused_when_all_fees_together_are_above_the_highest() {
    let mut query = three_ways(100);
    query.max_fee = 3;
    assert!(split(&parallel([50, 50, 50]), &query, PARTS).is_ok());
    query.max_fee = 2;
    let result = split(&parallel([50, 50, 50]), &query, PARTS);
    let reason = NoRoute::FeeAboveMax { cheapest: 2 };
    assert_eq!(result, Err(NoSplit::NoRoute { missing: 50, reason }));
}

#[test]
fn split_should_be_refused_when_it_needs_more_parts_than_allowed() {
    let parts = Parts { max: 2, ..PARTS };
    let result = split(&parallel([60, 30, 10]), &three_ways(100), parts);
    assert_eq!(result, Err(NoSplit::TooManyParts { missing: 10 }));
}

#[test]
fn parts_should_leave_enough_for_the_last_one_when_little_would_be_left() {
    let routes = split(&parallel([95, 30, 30]), &three_ways(100), PARTS).unwrap();
    assert_eq!(amounts(&routes), [90, 10]);
}

#[test]
fn split_should_be_refused_when_the_parts_would_be_too_small() {
    let parts = Parts { smallest: 40, ..PARTS };
    let result = split(&parallel([60, 30, 30]), &three_ways(100), parts);
    let reason = NoRoute::Capacity;
    assert_eq!(result, Err(NoSplit::NoRoute { missing: 40, reason }));
}

#[test]
fn payment_should_go_in_one_part_when_it_is_below_the_smallest() {
    let routes = split(&parallel([9, 9, 9]), &three_ways(5), PARTS).unwrap();
    assert_eq!(amounts(&routes), [5]);
}

#[test]
fn split_should_end_when_the_smallest_part_is_zero() {
    let parts = Parts { max: 8, smallest: 0 };
    let result = split(&parallel([0, 0, 0]), &three_ways(1 << 90), parts);
    assert!(matches!(result, Err(NoSplit::NoRoute { .. })));
}

#[test]
fn split_should_be_refused_when_no_part_is_allowed_or_the_amount_is_zero() {
    let graph = parallel([100, 100, 100]);
    let none = split(&graph, &three_ways(100), Parts { max: 0, ..PARTS });
    assert_eq!(none, Err(NoSplit::TooManyParts { missing: 100 }));
    let zero = split(&graph, &three_ways(0), PARTS);
    assert_eq!(zero, Err(NoSplit::NoRoute { missing: 0, reason: NoRoute::Amount }));
}
