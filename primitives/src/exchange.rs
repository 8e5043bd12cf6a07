//! Prices of the order book and what two orders trade with each other (`protocol.md` §11).
//!
//! A price is a fraction of two amounts and never rounded. What is rounded is a single trade, to
//! whole smallest units and always in favour of the maker, the order that was there before; but
//! never so far that the taker's own price is missed. So in every trade both get at least what they
//! asked for, exactly.

use crate::ids::Balance;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{U256, U512};

/// Length of [`Price::key`].
pub const KEY_LENGTH: usize = 48;

/// What a price is sorted by: equal for equal fractions, and ascending as bytes.
pub type PriceKey = [u8; KEY_LENGTH];

/// An order gives [`sell`](Self::sell) of its asset only for at least [`buy`](Self::buy) of another
/// one, or any part of it in this proportion. Both above 0, in smallest units.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Price {
    /// Of the asset that is asked for.
    pub buy: Balance,
    /// For so much of the asset that is given.
    pub sell: Balance,
}

/// One trade of a taker with a maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// What the maker gives to the taker.
    pub bought: Balance,
    /// What the taker gives for it.
    pub paid: Balance,
}

/// What a taker and a maker whose prices meet can trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trade {
    /// This.
    Fill(Fill),
    /// Nothing: no whole number of units keeps both prices. Another maker may have one that does.
    NoWholeUnits,
    /// Nothing: what the taker has left does not pay for a single unit, and no maker further back
    /// is cheaper.
    TooLittle,
}

impl Price {
    /// A price of amounts that are both above 0.
    pub fn new(buy: Balance, sell: Balance) -> Option<Self> {
        (buy > 0 && sell > 0).then_some(Self { buy, sell })
    }

    /// `⌊buy · 2^256 / sell⌋`, big-endian. Two different fractions of `u128` are at least
    /// `2^-256` apart, so different prices have different keys, in the same order.
    pub fn key(&self) -> PriceKey {
        let key = (U512::from(self.buy) << 256) / U512::from(self.sell.max(1));
        let bytes = key.to_big_endian();
        let mut low = [0; KEY_LENGTH];
        low.copy_from_slice(&bytes[bytes.len() - KEY_LENGTH..]);
        low
    }

    /// Whether an order at this price and one at `other` on the opposite side can both get what
    /// they ask.
    pub fn meets(&self, other: &Self) -> bool {
        product(self.buy, other.buy) <= product(self.sell, other.sell)
    }

    /// What `amount` must at least bring at this price, rounded up; `None` when that is no balance.
    pub fn asks(&self, amount: Balance) -> Option<Balance> {
        Balance::try_from(ceil(product(amount, self.buy), self.sell)).ok()
    }

    /// Whether `amount` brings less than one unit at this price: what is left of an order then is
    /// given back.
    pub fn is_dust(&self, amount: Balance) -> bool {
        product(amount, self.buy) < U256::from(self.sell)
    }

    /// Whether `given` for `got` keeps this price.
    fn allows(&self, given: Balance, got: Balance) -> bool {
        product(got, self.sell) >= product(given, self.buy)
    }

    /// Most that `amount` buys from an order at this price, rounded down.
    fn bought_with(&self, amount: Balance) -> U256 {
        product(amount, self.sell) / U256::from(self.buy.max(1))
    }
}

/// What a taker with `taker_left` at the price `taker` gets from a maker with `maker_left` at
/// `maker`; their prices must [meet](Price::meets).
///
/// The taker pays the maker's price, rounded up. If that misses its own price, one unit less is
/// tried, then the largest trade at exactly the maker's price.
pub fn trade(maker: Price, maker_left: Balance, taker: Price, taker_left: Balance) -> Trade {
    let most = maker.bought_with(taker_left).min(maker_left.into());
    let Ok(most) = Balance::try_from(most) else { return Trade::NoWholeUnits };
    if most == 0 {
        return Trade::TooLittle;
    }
    let fill = |bought: Balance| {
        let paid = maker.asks(bought)?;
        let kept = bought > 0 && paid <= taker_left && taker.allows(paid, bought);
        kept.then_some(Fill { bought, paid })
    };
    let one_less = || {
        let paid = maker.asks(most)?.checked_sub(1)?;
        fill(Balance::try_from(maker.bought_with(paid)).ok()?.min(maker_left))
    };
    let exact = || {
        let lot = maker.sell / gcd(maker.buy, maker.sell).max(1);
        fill(most.checked_sub(most.checked_rem(lot)?)?)
    };
    fill(most).or_else(one_less).or_else(exact).map_or(Trade::NoWholeUnits, Trade::Fill)
}

fn product(a: Balance, b: Balance) -> U256 {
    // 2^128 times 2^128 fits.
    U256::from(a).saturating_mul(U256::from(b))
}

fn ceil(dividend: U256, divisor: Balance) -> U256 {
    let divisor = U256::from(divisor.max(1));
    let (quotient, rest) = dividend.div_mod(divisor);
    // A quotient of U256::MAX has no rest.
    quotient.saturating_add(U256::from(u8::from(!rest.is_zero())))
}

fn gcd(mut a: Balance, mut b: Balance) -> Balance {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn price(buy: Balance, sell: Balance) -> Price {
        Price::new(buy, sell).unwrap()
    }

    fn amount() -> impl Strategy<Value = Balance> {
        prop_oneof![1..=30u128, 1..=u128::MAX, Just(u128::MAX)]
    }

    fn any_price() -> impl Strategy<Value = Price> {
        (amount(), amount()).prop_map(|(buy, sell)| price(buy, sell))
    }

    #[test]
    fn price_should_not_be_made_when_an_amount_is_zero() {
        assert_eq!(Price::new(0, 1), None);
        assert_eq!(Price::new(1, 0), None);
    }

    #[test]
    fn trade_should_round_for_the_maker_when_the_taker_would_pay_more() {
        // 1 for 3 asked, 1 for 1 offered: 4 cost 4/3.
        let result = trade(price(1, 3), 4, price(1, 1), 10);
        assert_eq!(result, Trade::Fill(Fill { bought: 4, paid: 2 }));
    }

    #[test]
    fn trade_should_be_exact_when_both_ask_the_same_price() {
        let result = trade(price(1, 3), 10, price(3, 1), 10);
        assert_eq!(result, Trade::Fill(Fill { bought: 9, paid: 3 }));
    }

    #[test]
    fn trade_should_be_nothing_when_no_whole_units_keep_both_prices() {
        assert_eq!(trade(price(1, 3), 2, price(3, 1), 10), Trade::NoWholeUnits);
    }

    #[test]
    fn trade_should_be_nothing_when_the_taker_cannot_pay_a_unit() {
        assert_eq!(trade(price(3, 1), 10, price(1, 3), 2), Trade::TooLittle);
    }

    proptest! {
        #[test]
        fn key_should_be_in_the_order_of_the_fractions(a in any_price(), b in any_price()) {
            let fractions = product(a.buy, b.sell).cmp(&product(b.buy, a.sell));
            prop_assert_eq!(a.key().cmp(&b.key()), fractions);
        }

        #[test]
        fn key_should_differ_when_fractions_are_as_near_as_they_can_be(sell in 2..=u128::MAX) {
            let (a, b) = (price(sell - 1, sell), price(sell - 2 + u128::from(sell == 2), sell - 1));
            prop_assert_eq!(a.key() > b.key(), product(a.buy, b.sell) > product(b.buy, a.sell));
        }

        #[test]
        fn trade_should_keep_both_prices_and_balances(
            maker in any_price(), taker in any_price(), has in amount(), left in amount(),
        ) {
            prop_assume!(maker.meets(&taker));
            if let Trade::Fill(Fill { bought, paid }) = trade(maker, has, taker, left) {
                prop_assert!(bought > 0 && bought <= has && paid > 0 && paid <= left);
                prop_assert!(maker.allows(bought, paid), "the maker's price");
                prop_assert!(taker.allows(paid, bought), "the taker's price");
                // Rounded by less than a unit.
                prop_assert!(product(paid - 1, maker.sell) < product(bought, maker.buy));
            }
        }

        #[test]
        fn trade_should_use_up_one_side_but_for_a_unit_when_prices_differ_enough(
            maker in any_price(), has in 1..=u64::MAX, left in 1..=u64::MAX,
        ) {
            // A taker that takes at any price.
            let taker = price(1, u128::MAX);
            prop_assume!(maker.meets(&taker));
            let (has, left) = (u128::from(has), u128::from(left));
            match trade(maker, has, taker, left) {
                Trade::Fill(fill) => {
                    let next = maker.asks(fill.bought + 1);
                    prop_assert!(fill.bought == has || next.is_none_or(|paid| paid > left));
                },
                Trade::TooLittle => prop_assert!(maker.asks(1).is_none_or(|paid| paid > left)),
                Trade::NoWholeUnits => prop_assert!(false, "every rounding suits this taker"),
            }
        }
    }
}
