//! A long book costs no more per trade than a short one.

use crate::*;
use frame_support::assert_ok;
use std::time::{Duration, Instant};

/// Makers rest `count` orders at as many prices; then the time per trade of takers who take ten
/// each.
fn per_match(count: u32) -> Duration {
    let p = Party::ordered(2);
    let (maker, taker) = (&p[0], &p[1]);
    let rich = 10_000_000;
    let builder = ExtBuilder::default().balance(maker, rich).balance(taker, rich);
    let mut ext = builder.frb(taker, rich).build();
    ext.execute_with(|| {
        for i in 0..count {
            // Prices in no order.
            let buy = 100 + u128::from(i * 7_919 % count);
            assert_ok!(place(maker, (FRD, 100), (FRB, buy)));
        }
        assert_eq!(resting(FRD, FRB).len(), usize::try_from(count).unwrap());
    });
    // As in a chain: what rests is in the state's tree, not among the changes of this block.
    ext.commit_all().expect("no open transaction");
    ext.execute_with(|| {
        let (takers, each) = (8u32, 10u32);
        let begin = Instant::now();
        for _ in 0..takers {
            let sell = Balance::from(each) * 100 * 200;
            assert_ok!(place_with(taker, (FRB, sell), (FRD, 1), each));
        }
        let passed = begin.elapsed();
        let left = u32::try_from(resting(FRD, FRB).len()).unwrap();
        assert_eq!(left, count - takers * each, "each has taken ten");
        check_invariants();
        passed / (takers * each)
    })
}

#[test]
fn match_should_cost_about_the_same_when_10000_orders_rest() {
    let [short, long] = [100, 10_000].map(per_match);
    println!("cost per match: {short:?} with 100 resting orders, {long:?} with 10,000");
    // A search through the book would be a hundred times as long.
    assert!(long < short * 10, "{short:?} with 100 orders, {long:?} with 10,000");
}
