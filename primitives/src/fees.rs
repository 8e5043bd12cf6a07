//! What a hub asks for forwarding (`protocol.md` §8): base + parts per million, on top.

use crate::ids::Balance;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Parts per million of one whole.
const PPM: Balance = 1_000_000;

/// The fee of a hub.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HubFees {
    /// Fixed part, in the asset's smallest unit.
    pub base: Balance,
    /// Proportional part in parts per million of the forwarded amount, rounded up.
    pub ppm: u32,
}

impl HubFees {
    /// The fee for forwarding `amount`; `None` on overflow.
    pub fn fee(&self, amount: Balance) -> Option<Balance> {
        let proportional = amount.checked_mul(self.ppm.into())?.div_ceil(PPM);
        self.base.checked_add(proportional)
    }

    /// What the payer must send for `amount` to arrive; `None` on overflow.
    pub fn total(&self, amount: Balance) -> Option<Balance> {
        amount.checked_add(self.fee(amount)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fee_should_be_rounded_up_when_the_part_is_a_fraction() {
        let fees = HubFees { base: 2, ppm: 1_000 };
        assert_eq!(fees.fee(1_000), Some(3));
        assert_eq!(fees.fee(1_001), Some(4));
        assert_eq!(fees.total(1_000), Some(1_003));
    }

    #[test]
    fn fee_should_be_none_when_it_overflows() {
        assert_eq!(HubFees { base: 0, ppm: 2 }.fee(u128::MAX), None);
        assert_eq!(HubFees { base: u128::MAX, ppm: 1 }.fee(1), None);
    }
}
