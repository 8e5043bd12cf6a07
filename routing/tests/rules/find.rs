use crate::support::*;
use failsafe_primitives::{fees::HubFees, LIMIT};
use failsafe_routing::{Capacity, Hub, NoRoute, Outcome, Reliability, Subject, MAX_HOPS};

/// 1 – 2 – 4 for 5 each, 1 – 3 – 4 with a dearer third hub.
fn diamond() -> Vec<Hub> {
    vec![hub(1, 5, &[2, 3]), hub(2, 5, &[]), hub(3, 8, &[]), hub(4, 5, &[2, 3])]
}

/// 1 – 2 – … – `length`, each for a base of 1.
fn chain(length: u8) -> Vec<Hub> {
    (1..=length).map(|number| hub(number, 1, &[number + 1])).collect()
}

#[test]
fn route_should_be_one_hub_when_payer_and_recipient_have_the_same() {
    let graph = graph(vec![hub(1, 5, &[])], &[]);
    let route = find(&graph, &query(&[1], &[1], 100)).unwrap();
    assert_eq!(way(&route), hubs(&[1]));
    assert_eq!((route.total, route.fee, route.amount), (105, 5, 100));
}

#[test]
fn amounts_and_expiries_should_be_computed_backwards_when_there_are_several_hubs() {
    let mut hubs = chain(3);
    hubs[0].fees = HubFees { base: 2, ppm: 10_000 };
    hubs[1].margin = 4;
    let graph = graph(hubs, &[]);
    let route = find(&graph, &query(&[1], &[3], 1_000)).unwrap();
    let amounts: Vec<_> = route.hops.iter().map(|h| (h.amount_in, h.amount_out, h.fee)).collect();
    // 2 + ⌈10.02⌉ for the first hub.
    assert_eq!(amounts, [(1_015, 1_002, 13), (1_002, 1_001, 1), (1_001, 1_000, 1)]);
    let expiries: Vec<_> = route.hops.iter().map(|h| (h.expiry_in, h.expiry_out)).collect();
    assert_eq!(expiries, [(1_032, 1_026), (1_026, 1_016), (1_016, 1_010)]);
    assert_eq!(route.hops[1].transport_key, [2; 32]);
}

#[test]
fn route_should_be_the_cheapest_when_there_are_several() {
    let route = find(&graph(diamond(), &[]), &query(&[1], &[4], 100)).unwrap();
    assert_eq!(way(&route), hubs(&[1, 2, 4]));
}

#[test]
fn route_should_go_around_an_edge_when_it_carries_too_little() {
    // Hub 2 pays on 105: the amount and the fee of hub 4.
    let narrow = find(&graph(diamond(), &[(2, 4, 104)]), &query(&[1], &[4], 100)).unwrap();
    assert_eq!(way(&narrow), hubs(&[1, 3, 4]));
    let enough = find(&graph(diamond(), &[(2, 4, 105)]), &query(&[1], &[4], 100)).unwrap();
    assert_eq!(way(&enough), hubs(&[1, 2, 4]));
}

#[test]
fn route_should_begin_at_another_hub_when_the_payer_has_too_little_at_the_first() {
    let graph = graph(vec![hub(1, 1, &[]), hub(2, 9, &[])], &[]);
    let mut query = query(&[1, 2], &[1, 2], 100);
    query.from_hubs.insert(account(1), 100);
    assert_eq!(way(&find(&graph, &query).unwrap()), hubs(&[2]));
}

#[test]
fn route_should_end_at_another_hub_when_the_last_one_can_pay_too_little() {
    let graph = graph(vec![hub(1, 1, &[]), hub(2, 9, &[])], &[]);
    let mut query = query(&[1, 2], &[1, 2], 100);
    query.to_hubs.insert(account(1), Some(99));
    assert_eq!(way(&find(&graph, &query).unwrap()), hubs(&[2]));
}

#[test]
fn route_should_avoid_hubs_and_edges_when_they_are_excluded() {
    let graph = graph(diamond(), &[]);
    let mut without_hub = query(&[1], &[4], 100);
    without_hub.excluded_hubs.insert(account(2));
    assert_eq!(way(&find(&graph, &without_hub).unwrap()), hubs(&[1, 3, 4]));
    let mut without_edge = query(&[1], &[4], 100);
    without_edge.excluded_edges.insert((account(1), account(2)));
    assert_eq!(way(&find(&graph, &without_edge).unwrap()), hubs(&[1, 3, 4]));
}

#[test]
fn route_should_be_a_dearer_one_when_the_cheapest_has_too_many_hops() {
    let mut all = chain(4);
    all[3].routes = vec![account(9)];
    all.push(hub(9, 50, &[1]));
    let graph = graph(all, &[]);
    let mut query = query(&[1], &[4], 100);
    assert_eq!(way(&find(&graph, &query).unwrap()), hubs(&[1, 2, 3, 4]));
    query.max_hops = 3;
    assert_eq!(way(&find(&graph, &query).unwrap()), hubs(&[1, 9, 4]));
}

#[test]
fn route_should_be_a_dearer_one_when_risk_costs_more_than_its_fee() {
    let graph = graph(diamond(), &[]);
    let mut reliability = Reliability::default();
    reliability.note(Subject::Hub(account(2)), Outcome::Failure, NOW - 100);
    let mut query = query(&[1], &[4], 1_000);
    assert_eq!(
        way(&failsafe_routing::find(&graph, &reliability, &query).unwrap()),
        hubs(&[1, 2, 4])
    );
    query.risk_ppm = 50_000;
    let careful = failsafe_routing::find(&graph, &reliability, &query).unwrap();
    assert_eq!(way(&careful), hubs(&[1, 3, 4]));
    assert_eq!(careful.cost, careful.total);
}

#[test]
fn route_should_be_a_riskier_one_when_an_earlier_edge_carries_only_its_smaller_fees() {
    let all = vec![
        hub(1, 0, &[]),
        hub(2, 0, &[3, 4]),
        hub(3, 10, &[]),
        hub(4, 0, &[]),
        hub(5, 0, &[3, 4]),
    ];
    // Seen from hub 2 the way over hub 3 is the better one; what comes before it decides.
    let graph = graph(all, &[(1, 2, 1_005)]);
    let mut reliability = Reliability::default();
    reliability.note(Subject::Hub(account(4)), Outcome::Failure, NOW - 100);
    let mut query = query(&[1], &[5], 1_000);
    query.risk_ppm = 50_000;
    let route = failsafe_routing::find(&graph, &reliability, &query).unwrap();
    assert_eq!(way(&route), hubs(&[1, 2, 4, 5]));
    query.from_hubs = [(account(2), 2_000)].into();
    let route = failsafe_routing::find(&graph, &reliability, &query).unwrap();
    assert_eq!(way(&route), hubs(&[2, 3, 5]));
}

#[test]
fn route_should_leave_out_a_hub_when_it_is_avoided_and_use_it_again_later() {
    let graph = graph(diamond(), &[]);
    let mut reliability = Reliability::default();
    reliability.note(Subject::Edge(account(1), account(2)), Outcome::Timeout, NOW);
    let mut query = query(&[1], &[4], 100);
    assert_eq!(
        way(&failsafe_routing::find(&graph, &reliability, &query).unwrap()),
        hubs(&[1, 3, 4])
    );
    query.now += 40;
    assert_eq!(
        way(&failsafe_routing::find(&graph, &reliability, &query).unwrap()),
        hubs(&[1, 2, 4])
    );
}

#[test]
fn route_should_be_the_same_when_hubs_come_in_another_order() {
    let mut all = diamond();
    all[2].fees = all[1].fees;
    let forwards = find(&graph(all.clone(), &[]), &query(&[1], &[4], 100));
    all.reverse();
    assert_eq!(find(&graph(all, &[]), &query(&[1], &[4], 100)), forwards);
}

#[test]
fn no_route_should_be_no_edge_when_nothing_connects() {
    let graph = graph(vec![hub(1, 1, &[]), hub(2, 1, &[])], &[]);
    assert_eq!(find(&graph, &query(&[1], &[2], 100)), Err(NoRoute::NoEdge));
}

#[test]
fn no_route_should_be_no_edge_when_the_hubs_are_not_registered() {
    let graph = graph(chain(2), &[]);
    assert_eq!(find(&graph, &query(&[8], &[9], 100)), Err(NoRoute::NoEdge));
}

#[test]
fn no_route_should_be_capacity_when_an_edge_carries_too_little() {
    let graph = graph(chain(2), &[(1, 2, 100)]);
    assert_eq!(capacity(&graph, 1, 2), Capacity::AtMost(100));
    assert_eq!(find(&graph, &query(&[1], &[2], 100)), Err(NoRoute::Capacity));
}

#[test]
fn no_route_should_be_capacity_when_a_hub_cannot_compute_its_fee() {
    let mut all = chain(1);
    all[0].fees.ppm = 50_000;
    assert_eq!(find(&graph(all, &[]), &query(&[1], &[1], LIMIT)), Err(NoRoute::Capacity));
}

#[test]
fn no_route_should_name_the_cheapest_fee_when_it_is_above_the_highest() {
    let mut query = query(&[1], &[4], 100);
    query.max_fee = 14;
    let result = find(&graph(diamond(), &[]), &query);
    assert_eq!(result, Err(NoRoute::FeeAboveMax { cheapest: 15 }));
    query.max_fee = 15;
    assert!(find(&graph(diamond(), &[]), &query).is_ok());
}

#[test]
fn no_route_should_name_the_fewest_hops_when_there_are_too_many() {
    let graph = graph(chain(12), &[]);
    let mut long = query(&[1], &[12], 100);
    long.max_hops = u32::MAX;
    assert_eq!(find(&graph, &long), Err(NoRoute::TooManyHops { fewest: 12 }));
    assert!(find(&graph, &query(&[1], &[10], 100)).is_ok());
    assert_eq!(MAX_HOPS, 10);
}

#[test]
fn no_route_should_name_the_earliest_expiry_when_it_is_too_late() {
    let graph = graph(chain(3), &[]);
    let mut query = query(&[1], &[3], 100);
    query.max_expiry = 1_027;
    assert_eq!(find(&graph, &query), Err(NoRoute::ExpiryTooFar { earliest: 1_028 }));
    query.max_expiry = 1_028;
    assert!(find(&graph, &query).is_ok());
}

#[test]
fn no_route_should_name_the_time_when_everything_is_avoided() {
    let graph = graph(chain(2), &[]);
    let mut reliability = Reliability::default();
    reliability.note(Subject::Hub(account(2)), Outcome::Failure, NOW);
    let result = failsafe_routing::find(&graph, &reliability, &query(&[1], &[2], 100));
    assert_eq!(result, Err(NoRoute::Avoided { retry_at: NOW + 10 }));
}

#[test]
fn no_route_should_be_amount_when_it_is_zero_or_above_the_limit() {
    let graph = graph(chain(2), &[]);
    for amount in [0, LIMIT + 1] {
        assert_eq!(find(&graph, &query(&[1], &[2], amount)), Err(NoRoute::Amount));
    }
}

#[test]
fn route_should_carry_the_limit_when_fees_are_zero() {
    let mut all = chain(2);
    for hub in &mut all {
        hub.fees = HubFees::default();
    }
    let graph = graph(all, &[]);
    let mut query = query(&[1], &[2], LIMIT);
    query.from_hubs.insert(account(1), LIMIT);
    let mut reliability = Reliability::default();
    reliability.note(Subject::Hub(account(1)), Outcome::Failure, 0);
    query.risk_ppm = 1_000_000;
    let route = failsafe_routing::find(&graph, &reliability, &query).unwrap();
    assert!(route.total == LIMIT && route.cost > LIMIT);
}

#[test]
fn search_should_end_when_everything_is_connected_and_differs_in_every_respect() {
    let count = 40;
    let mut reliability = Reliability::default();
    let all = (1..=count).map(|number| {
        for _ in 0..number % 7 {
            reliability.note(Subject::Hub(account(number)), Outcome::Failure, 0);
        }
        let others: Vec<u8> = (number + 1..=count).collect();
        let margin = (u64::from(number) * 5) % 11;
        Hub { margin, ..hub(number, u128::from(number) * 37 % 23, &others) }
    });
    let graph = graph(all.collect(), &[]);
    let mut query = query(&[1], &[count], 1_000);
    query.risk_ppm = 30_000;
    assert!(failsafe_routing::find(&graph, &reliability, &query).is_ok());
    query.from_hubs.insert(account(1), 0);
    let result = failsafe_routing::find(&graph, &reliability, &query);
    assert!(matches!(result, Err(NoRoute::Capacity | NoRoute::GivenUp)), "{result:?}");
}
