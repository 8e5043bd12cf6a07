//! At what rate a hub changes money: it takes a lock in one asset and pays on in another
//! (`protocol.md` §8).

use crate::{
    arithmetic::LIMIT,
    ids::{AssetId, Balance},
};
use codec::{Decode, Encode, MaxEncodedLen};
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// For every [`give_amount`](Self::give_amount) of one asset that the hub pays on, it takes
/// [`take_amount`](Self::take_amount) of another; both in smallest units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct Rate {
    /// The asset that the hub takes.
    pub takes: AssetId,
    /// The asset that it pays on.
    pub gives: AssetId,
    /// How much it takes.
    pub take_amount: Balance,
    /// For how much.
    pub give_amount: Balance,
}

impl Rate {
    /// Whether it can be reckoned with: two assets, and amounts from 1 to [`LIMIT`].
    pub fn is_valid(&self) -> bool {
        let amounts = [self.take_amount, self.give_amount];
        self.takes != self.gives && amounts.iter().all(|amount| (1..=LIMIT).contains(amount))
    }

    /// What the hub takes for `given`, rounded up; `None` when that is more than [`LIMIT`].
    pub fn cost(&self, given: Balance) -> Option<Balance> {
        let (take, give) = (self.take_amount, self.give_amount);
        let cost = multiply_by_rational_with_rounding(given, take, give, Rounding::Up)?;
        (cost <= LIMIT).then_some(cost)
    }

    /// The most that `taken` pays for, rounded down; at most [`LIMIT`].
    pub fn worth(&self, taken: Balance) -> Balance {
        let (take, give) = (self.take_amount, self.give_amount);
        // What does not fit 128 bits is above the limit as well.
        multiply_by_rational_with_rounding(taken, give, take, Rounding::Down)
            .map_or(LIMIT, |worth| worth.min(LIMIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(take_amount: Balance, give_amount: Balance) -> Rate {
        Rate { takes: 1, gives: 2, take_amount, give_amount }
    }

    #[test]
    fn cost_should_be_rounded_up_when_the_price_is_a_fraction() {
        assert_eq!(rate(108, 100).cost(1), Some(2));
        assert_eq!(rate(108, 100).cost(100), Some(108));
        assert_eq!(rate(1, 3).cost(3), Some(1));
        assert_eq!(rate(1, 3).cost(4), Some(2));
    }

    #[test]
    fn cost_should_be_none_when_it_is_above_the_limit() {
        assert_eq!(rate(1, 1).cost(LIMIT), Some(LIMIT));
        assert_eq!(rate(2, 1).cost(LIMIT), None);
        assert_eq!(rate(LIMIT, 1).cost(LIMIT), None);
    }

    #[test]
    fn rate_should_be_invalid_when_an_amount_is_zero_or_the_assets_are_one() {
        assert!(rate(1, 1).is_valid());
        assert!(!rate(0, 1).is_valid() && !rate(1, 0).is_valid() && !rate(LIMIT + 1, 1).is_valid());
        assert!(!Rate { gives: 1, ..rate(1, 1) }.is_valid());
    }

    proptest! {
        #[test]
        fn worth_should_be_the_most_whose_cost_is_paid(
            taken in 0..=LIMIT, take in 1..=LIMIT, give in 1..=LIMIT,
        ) {
            let rate = rate(take, give);
            let worth = rate.worth(taken);
            prop_assert!(rate.cost(worth).is_some_and(|cost| cost <= taken));
            if worth < LIMIT {
                prop_assert!(rate.cost(worth + 1).is_none_or(|cost| cost > taken));
            }
        }
    }
}
