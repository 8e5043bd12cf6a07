use crate::support::*;
use failsafe_routing::{Announcement, Capacity, Graph, Hint};

#[test]
fn edge_should_exist_in_both_directions_when_one_end_names_the_other_in_the_registry() {
    let graph = graph(vec![hub(1, 0, &[2]), hub(2, 0, &[])], &[]);
    assert_eq!(capacity(&graph, 1, 2), Capacity::Unknown);
    assert_eq!(capacity(&graph, 2, 1), Capacity::Unknown);
}

#[test]
fn edge_should_exist_in_the_announced_direction_and_asset_only_when_only_announced() {
    let graph = graph(vec![hub(1, 0, &[]), hub(2, 0, &[])], &[(1, 2, 50)]);
    assert_eq!(capacity(&graph, 1, 2), Capacity::AtMost(50));
    assert_eq!(capacity(&graph, 2, 1), Capacity::None);
    let other = graph.capacity(&account(1), &account(2), ASSET + 1, NOW);
    assert_eq!(other, Capacity::None);
}

#[test]
fn capacity_should_be_unknown_when_the_announcement_is_stale() {
    let graph = graph(vec![hub(1, 0, &[]), hub(2, 0, &[])], &[(1, 2, 50)]);
    let at = |now| graph.capacity(&account(1), &account(2), ASSET, now);
    assert_eq!(at(NOW + MAX_AGE), Capacity::AtMost(50));
    assert_eq!(at(NOW + MAX_AGE + 1), Capacity::Unknown);
}

#[test]
fn capacity_should_be_unknown_when_the_hub_does_not_say_how_much() {
    let mut graph = graph(vec![hub(1, 0, &[]), hub(2, 0, &[])], &[]);
    graph.announce(announced(1, NOW, vec![hint(2, None)]), NOW).unwrap();
    assert_eq!(capacity(&graph, 1, 2), Capacity::Unknown);
}

#[test]
fn capacities_should_be_kept_apart_when_an_announcement_names_two_assets() {
    let mut graph = graph(vec![hub(1, 0, &[]), hub(2, 0, &[])], &[]);
    let of = |asset, amount| Hint { neighbour: account(2), asset, capacity: Some(amount) };
    graph.announce(announced(1, NOW, vec![of(9, 90), of(4, 40)]), NOW).unwrap();
    let in_asset = |asset| graph.capacity(&account(1), &account(2), asset, NOW);
    assert_eq!((in_asset(4), in_asset(9)), (Capacity::AtMost(40), Capacity::AtMost(90)));
}

#[test]
fn edge_should_appear_when_the_announced_neighbour_registers_later() {
    let mut graph = graph(vec![hub(1, 0, &[])], &[(1, 2, 50)]);
    assert_eq!(capacity(&graph, 1, 2), Capacity::None);
    graph.update_registry([hub(1, 0, &[]), hub(2, 0, &[])]);
    assert_eq!(capacity(&graph, 1, 2), Capacity::AtMost(50));
}

#[test]
fn edges_and_announcement_should_go_when_a_hub_retires() {
    let mut graph = graph(vec![hub(1, 0, &[2]), hub(2, 0, &[])], &[(1, 2, 50)]);
    graph.update_registry([hub(2, 0, &[])]);
    assert_eq!(capacity(&graph, 1, 2), Capacity::None);
    assert_eq!(capacity(&graph, 2, 1), Capacity::None);
    graph.update_registry([hub(1, 0, &[2]), hub(2, 0, &[])]);
    assert!(graph.announcement(&account(1)).is_none());
    assert_eq!(capacity(&graph, 1, 2), Capacity::Unknown);
}

#[test]
fn edge_should_stay_when_an_announcement_no_longer_names_a_registered_route() {
    let mut graph = graph(vec![hub(1, 0, &[2]), hub(2, 0, &[])], &[(1, 2, 50)]);
    graph.announce(announced(1, NOW + 1, vec![]), NOW).unwrap();
    assert_eq!(capacity(&graph, 1, 2), Capacity::Unknown);
}

#[test]
fn edge_should_not_exist_when_a_hub_names_itself_as_a_route() {
    let graph = graph(vec![hub(1, 0, &[1])], &[]);
    assert_eq!(capacity(&graph, 1, 1), Capacity::None);
}

#[test]
fn announcement_should_be_given_on_as_it_was_signed_when_asked_for() {
    let mut graph = Graph::new(rules(), [hub(1, 0, &[])]);
    let announcement = Announcement::new(account(1), NOW, vec![hint(9, Some(1))], vec![]).unwrap();
    let original = signed(1, announcement);
    graph.announce(original.clone(), NOW).unwrap();
    assert_eq!(graph.announcement(&account(1)), Some(&original));
    assert_eq!(graph.announcement(&account(2)), None);
}
