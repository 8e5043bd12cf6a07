//! Amounts for people: "12.5 FRD" and smallest units. Integers only.

use failsafe_primitives::Balance;

/// Digits of FRD behind the point.
pub const FRD_DECIMALS: u8 = 12;

/// What is wrong with an amount that a person typed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not digits with at most one point.
    #[error("{0:?} is not an amount: write digits with at most one point, for instance 12.5")]
    NotANumber(String),
    /// More digits behind the point than the asset has.
    #[error("{text:?} has more than {decimals} digits behind the point")]
    TooPrecise {
        /// What was typed.
        text: String,
        /// What the asset has.
        decimals: u8,
    },
    /// Beyond 128 bits.
    #[error("{0:?} is too large")]
    TooLarge(String),
}

/// Reads an amount in whole units of an asset with `decimals` digits behind the point.
pub fn parse(text: &str, decimals: u8) -> Result<Balance, AmountError> {
    let not_a_number = || AmountError::NotANumber(text.to_string());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(not_a_number());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(decimals) {
        return Err(AmountError::TooPrecise { text: text.to_string(), decimals });
    }
    let padded = format!("{whole}{fraction:0<width$}", width = usize::from(decimals));
    let significant = padded.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(0);
    }
    significant.parse().map_err(|_| AmountError::TooLarge(text.to_string()))
}

/// Shows smallest units as whole units, without needless zeros.
pub fn format(amount: Balance, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    // In text: one whole unit of an asset may be more than an integer holds.
    let mut text = format!("{amount:0>width$}", width = decimals.saturating_add(1));
    let fraction = text.split_off(text.len().saturating_sub(decimals));
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amount_should_be_read_in_whole_units() {
        assert_eq!(parse("12.5", 12), Ok(12_500_000_000_000));
        assert_eq!(parse("5000", 12), Ok(5_000_000_000_000_000));
        assert_eq!(parse(".5", 1), Ok(5));
        assert_eq!(parse("0", 12), Ok(0));
        assert_eq!(parse("7", 0), Ok(7));
        assert_eq!(parse("1.500", 1), Ok(15));
    }

    #[test]
    fn amount_should_be_refused_when_it_is_not_one() {
        for text in ["", ".", "-1", "1e3", "1,5", "1.2.3", "ten", "NaN", " 1"] {
            assert_eq!(parse(text, 12), Err(AmountError::NotANumber(text.into())), "{text:?}");
        }
        assert!(matches!(parse("0.05", 1), Err(AmountError::TooPrecise { .. })));
        let huge = "9".repeat(40);
        assert!(matches!(parse(&huge, 0), Err(AmountError::TooLarge(_))));
    }

    #[test]
    fn amount_should_be_shown_in_whole_units_when_one_is_more_than_an_integer_holds() {
        assert_eq!(format(1, 40), format!("0.{}1", "0".repeat(39)));
        assert_eq!(format(0, u8::MAX), "0");
        assert_eq!(format(u128::MAX, 39), format!("0.{}", u128::MAX));
        assert_eq!(format(15, 1), "1.5");
        assert_eq!(format(20, 1), "2");
    }

    proptest! {
        #[test]
        fn amount_should_be_the_same_when_shown_and_read(amount: u128, decimals: u8) {
            prop_assert_eq!(parse(&format(amount, decimals), decimals), Ok(amount));
        }
    }
}
