//! Collecting debts (`protocol.md` §6).

use crate::ids::{Balance, BlockNumber};

/// For so many blocks a debtor's allowance for fees and deposits, which is its floor, has to do. Were
/// it renewed with every block, income could pass by the creditors through it, a floor per block.
pub const ALLOWANCE_WINDOW: BlockNumber = 1_000;

/// How much of a debt of `left` can be collected now from an account that can spend `balance`.
///
/// `min(left, max(0, balance − floor))`: the floor, only for the native asset, lets a debtor pay
/// fees. What stays behind is nothing, or at least `minimum` (the asset's existential deposit), so
/// that no dust is burnt (A15).
pub fn collectable(left: Balance, balance: Balance, floor: Balance, minimum: Balance) -> Balance {
    let above_floor = balance.saturating_sub(floor);
    let pay = left.min(above_floor);
    // `pay ≤ balance` by the lines above.
    let rest = balance - pay;
    if rest > 0 && rest < minimum {
        pay.min(balance.saturating_sub(minimum))
    } else {
        pay
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn s35_collectable_should_leave_the_floor_when_the_balance_covers_the_debt() {
        assert_eq!(collectable(60_000, 150_000, 100_000, 0), 50_000);
    }

    #[test]
    fn s35_collectable_should_be_nothing_when_the_balance_is_below_the_floor() {
        assert_eq!(collectable(60_000, 50_000, 100_000, 0), 0);
    }

    #[test]
    fn a15_collectable_should_leave_a_living_account_when_paying_all_would_leave_dust() {
        assert_eq!(collectable(300, 305, 0, 10), 295);
        assert_eq!(collectable(300, 300, 0, 10), 300);
        assert_eq!(collectable(300, 5, 0, 10), 5, "an account below the minimum gives all");
    }

    proptest! {
        #[test]
        fn collectable_should_never_pass_debt_or_balance(left: u128, balance: u128, floor: u128, minimum: u128) {
            let pay = collectable(left, balance, floor, minimum);
            prop_assert!(pay <= left);
            prop_assert!(pay <= balance.saturating_sub(floor));
            let rest = balance - pay;
            prop_assert!(pay == 0 || rest == 0 || rest >= minimum);
        }
    }
}
