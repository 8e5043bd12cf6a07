//! The amendable numbers (`protocol.md` §9) and the relations that they must keep.

use crate::ids::{Balance, Clock};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Smallest dispute delay: view lag + inclusion + reorganisation + 1 (M18).
pub const MIN_DELAY: Clock = 6;
/// Usable blocks that finality may lag behind.
const FINALITY_LAG: Clock = 3;
/// Usable blocks of transit for payer, hub, payee.
const TRANSIT: Clock = 2;
/// Usable blocks that a revealer may wait before it disputes.
const PATIENCE: Clock = 15;
/// Highest hub fee that any rule may allow: 500 basis points.
pub const MAX_FEE_CEILING_PPM: u32 = 50_000;
/// Longest that any time may be, in usable blocks: a year of blocks of 6 seconds. Secrets and old
/// epochs are stored that long, so a slip of the keyboard must not keep them for ever.
pub const MAX_TIME: Clock = 365 * 24 * 600;

/// The numbers of `protocol.md` §9 that live on chain. Times are usable blocks, amounts smallest
/// units of the native asset.
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
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", deny_unknown_fields))]
pub struct Parameters {
    /// Time to respond for a registered hub.
    pub delay_hub: Clock,
    /// Time to respond for anybody else.
    pub delay_user: Clock,
    /// Furthest that a lock may expire from now.
    pub lock_window: Clock,
    /// What a mediator keeps between its inward and its outward lock.
    pub forward_margin: Clock,
    /// Time that it takes to get a reveal on chain (ACT).
    pub act: Clock,
    /// Time that a recipient needs left before it gives out a secret (FINAL_MIN).
    pub final_min: Clock,
    /// How long a revealed secret is kept.
    pub keep: Clock,
    /// How long after a resolve late claims are taken.
    pub late: Clock,
    /// Native balance of a hub that its debts leave alone.
    pub floor_hub: Balance,
    /// Native balance of anybody else that its debts leave alone.
    pub floor_user: Balance,
    /// What a depositor gives to a partner whose account does not exist yet, 0 for nothing.
    pub account_top_up: Balance,
    /// One-time fee for a pair's permanent record.
    pub pair_fee: Balance,
    /// One-time fee for each secret that enters the registry.
    pub secret_fee: Balance,
    /// Deposit of whoever starts a dispute, 0 for none.
    pub dispute_deposit: Balance,
    /// Deposit of a registered hub, 0 for none.
    pub hub_deposit: Balance,
    /// Highest proportional fee that a hub may register.
    pub fee_ceiling_ppm: u32,
    /// Credit line that a new wallet opens to its first hub.
    pub default_credit: Balance,
    /// Fee per second of execution weight.
    pub fee_per_second: Balance,
    /// Fee per byte of an extrinsic.
    pub fee_per_byte: Balance,
}

/// A relation of `protocol.md` §9 that a set of parameters breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum ParametersError {
    /// A dispute delay is below [`MIN_DELAY`].
    DelayTooShort,
    /// `act` is below 5.
    ActTooShort,
    /// `final_min` is below `act + 2`.
    FinalMinTooShort,
    /// `lock_window` is below finality + transit + `final_min` + `forward_margin`.
    WindowTooShort,
    /// `keep` is below `3 lock_window + 2 + patience`.
    KeepTooShort,
    /// `late` is below ten user delays.
    LateTooShort,
    /// The fee ceiling is above 500 basis points.
    FeeCeilingTooHigh,
    /// A time is above [`MAX_TIME`].
    TimeTooLong,
    /// A deposit or the top-up is neither 0 nor at least the existential deposit.
    DepositTooSmall,
    /// A number is so large that the relations overflow.
    Overflow,
}

impl Parameters {
    /// The development column of `protocol.md` §9, without fees, floors or deposits. Presets add
    /// their own.
    pub const DEVELOPMENT: Self = Self {
        delay_hub: 6,
        delay_user: 8,
        lock_window: 20,
        forward_margin: 0,
        act: 5,
        final_min: 7,
        keep: 100,
        late: 200,
        floor_hub: 0,
        floor_user: 0,
        account_top_up: 0,
        pair_fee: 0,
        secret_fee: 0,
        dispute_deposit: 0,
        hub_deposit: 0,
        fee_ceiling_ppm: MAX_FEE_CEILING_PPM,
        default_credit: 0,
        fee_per_second: 0,
        fee_per_byte: 0,
    };

    /// Checks every relation of the column "must satisfy", on a chain whose native accounts hold
    /// at least `existential_deposit`.
    ///
    /// A deposit below that could not be given back to an account that has nothing else, and a
    /// top-up below it could not open one.
    pub fn validate(&self, existential_deposit: Balance) -> Result<(), ParametersError> {
        use ParametersError::*;
        let sum = |numbers: &[Clock]| {
            numbers.iter().try_fold(0 as Clock, |a, b| a.checked_add(*b)).ok_or(Overflow)
        };
        let check = |ok: bool, error| if ok { Ok(()) } else { Err(error) };
        check(self.delay_hub >= MIN_DELAY && self.delay_user >= MIN_DELAY, DelayTooShort)?;
        check(self.act >= 5, ActTooShort)?;
        check(self.final_min >= sum(&[self.act, 2])?, FinalMinTooShort)?;
        let window = sum(&[FINALITY_LAG, TRANSIT, self.final_min, self.forward_margin])?;
        check(self.lock_window >= window, WindowTooShort)?;
        let keep = sum(&[self.lock_window, self.lock_window, self.lock_window, 2, PATIENCE])?;
        check(self.keep >= keep, KeepTooShort)?;
        check(self.late >= self.delay_user.checked_mul(10).ok_or(Overflow)?, LateTooShort)?;
        let times = [self.delay_hub, self.delay_user, self.lock_window, self.keep, self.late];
        check(times.iter().all(|time| *time <= MAX_TIME), TimeTooLong)?;
        let deposits = [self.dispute_deposit, self.hub_deposit, self.account_top_up];
        let usual = |deposit: &Balance| *deposit == 0 || *deposit >= existential_deposit;
        check(deposits.iter().all(usual), DepositTooSmall)?;
        check(self.fee_ceiling_ppm <= MAX_FEE_CEILING_PPM, FeeCeilingTooHigh)
    }

    /// Time to respond for the party that must answer a dispute.
    pub fn delay(&self, responder_is_hub: bool) -> Clock {
        if responder_is_hub {
            self.delay_hub
        } else {
            self.delay_user
        }
    }

    /// Native balance that debts leave alone.
    pub fn floor(&self, debtor_is_hub: bool) -> Balance {
        if debtor_is_hub {
            self.floor_hub
        } else {
            self.floor_user
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_should_be_valid_when_taken_from_the_development_column() {
        assert_eq!(Parameters::DEVELOPMENT.validate(1), Ok(()));
    }

    #[test]
    fn parameters_should_be_refused_when_a_relation_is_broken() {
        let ok = Parameters::DEVELOPMENT;
        let cases = [
            (Parameters { delay_hub: 5, ..ok }, ParametersError::DelayTooShort),
            (Parameters { delay_user: 5, ..ok }, ParametersError::DelayTooShort),
            (Parameters { act: 4, ..ok }, ParametersError::ActTooShort),
            (Parameters { final_min: 6, ..ok }, ParametersError::FinalMinTooShort),
            (Parameters { lock_window: 11, ..ok }, ParametersError::WindowTooShort),
            (Parameters { forward_margin: 9, ..ok }, ParametersError::WindowTooShort),
            (Parameters { keep: 76, ..ok }, ParametersError::KeepTooShort),
            (Parameters { late: 79, ..ok }, ParametersError::LateTooShort),
            (Parameters { fee_ceiling_ppm: 50_001, ..ok }, ParametersError::FeeCeilingTooHigh),
            (Parameters { delay_hub: MAX_TIME + 1, ..ok }, ParametersError::TimeTooLong),
            (Parameters { keep: MAX_TIME + 1, ..ok }, ParametersError::TimeTooLong),
            (Parameters { late: MAX_TIME + 1, ..ok }, ParametersError::TimeTooLong),
            (Parameters { dispute_deposit: 9, ..ok }, ParametersError::DepositTooSmall),
            (Parameters { hub_deposit: 1, ..ok }, ParametersError::DepositTooSmall),
            (Parameters { account_top_up: 9, ..ok }, ParametersError::DepositTooSmall),
            (Parameters { lock_window: Clock::MAX, ..ok }, ParametersError::Overflow),
        ];
        for (parameters, error) in cases {
            assert_eq!(parameters.validate(10), Err(error), "{parameters:?}");
        }
    }

    #[test]
    fn parameters_should_be_valid_when_deposits_are_none_or_reach_the_existential_deposit() {
        let ok = Parameters::DEVELOPMENT;
        let deposits =
            Parameters { dispute_deposit: 10, hub_deposit: 10, account_top_up: 10, ..ok };
        assert_eq!(deposits.validate(10), Ok(()));
        assert_eq!(ok.validate(10), Ok(()));
    }
}
