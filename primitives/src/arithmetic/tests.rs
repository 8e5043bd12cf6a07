use super::*;
use proptest::prelude::*;

fn shares(
    left_insured: Balance,
    right_insured: Balance,
    left_owes: Balance,
    right_owes: Balance,
) -> Split {
    Split { left_insured, right_insured, left_owes, right_owes }
}

fn row(insurance: Balance, ondelta: i128) -> Collateral {
    Collateral { insurance, ondelta }
}

#[test]
fn s01_split_should_give_the_listed_shares_at_each_delta_position() {
    assert_eq!(split(4, 6), shares(4, 0, 0, 2));
    assert_eq!(split(4, 2), shares(2, 2, 0, 0));
    assert_eq!(split(4, -2), shares(0, 4, 2, 0));
    assert_eq!(split(4, 0), shares(0, 4, 0, 0));
    assert_eq!(split(4, 4), shares(4, 0, 0, 0));
    assert_eq!(split(0, 0), shares(0, 0, 0, 0));
    assert_eq!(split(0, 5), shares(0, 0, 0, 5));
    assert_eq!(split(0, -5), shares(0, 0, 5, 0));
}

#[test]
fn s02_deposit_should_move_delta_when_the_beneficiary_is_left() {
    let row = row(0, 0).deposit(Side::Left, 6).unwrap();
    assert_eq!(row, Collateral { insurance: 6, ondelta: 6 });
    assert_eq!(row.split(0, 0), Ok(shares(6, 0, 0, 0)));
    assert_eq!(row.split(3, 0), Ok(shares(3, 3, 0, 0)), "left pays 3");
}

#[test]
fn s03_deposit_should_leave_delta_when_the_beneficiary_is_right() {
    let row = row(0, 0).deposit(Side::Right, 6).unwrap();
    assert_eq!(row, Collateral { insurance: 6, ondelta: 0 });
    assert_eq!(row.split(0, 0), Ok(shares(0, 6, 0, 0)));
}

#[test]
fn s04_deposits_should_add_up_when_made_for_both_sides() {
    let row = row(0, 0).deposit(Side::Right, 40).unwrap().deposit(Side::Left, 10).unwrap();
    assert_eq!(row, Collateral { insurance: 50, ondelta: 10 });
    assert_eq!(row.split(0, 0), Ok(shares(10, 40, 0, 0)));
}

#[test]
fn s06_withdraw_should_move_delta_when_left_withdraws() {
    let before = row(10, 10);
    assert_eq!(before.split(6, 0), Ok(shares(4, 6, 0, 0)));
    let (after, sources) = before.withdraw(Side::Left, 3, 0, 0).unwrap();
    assert_eq!(after, row(7, 7));
    assert_eq!(sources, WithdrawSources { from_insurance: 3, from_balance: 0 });
    assert_eq!(after.split(6, 0), Ok(shares(1, 6, 0, 0)));
}

#[test]
fn s07_withdraw_should_leave_delta_when_right_withdraws() {
    let (after, _) = row(10, 4).withdraw(Side::Right, 4, 0, 0).unwrap();
    assert_eq!(after, row(6, 4));
    assert_eq!(after.split(0, 0), Ok(shares(4, 2, 0, 0)));
}

#[test]
fn s12_withdraw_should_draw_on_the_partner_when_left_has_uninsured_money() {
    let (after, sources) = row(30, 80).withdraw(Side::Left, 80, 50, 1_000).unwrap();
    assert_eq!(sources, WithdrawSources { from_insurance: 30, from_balance: 50 });
    assert_eq!(after, row(0, 0));
}

#[test]
fn s13_withdraw_should_draw_on_the_partner_when_right_has_uninsured_money() {
    let (after, sources) = row(30, -50).withdraw(Side::Right, 80, 50, 1_000).unwrap();
    assert_eq!(sources, WithdrawSources { from_insurance: 30, from_balance: 50 });
    assert_eq!(after, row(0, 0));
}

#[test]
fn s15_withdraw_should_be_refused_when_the_partner_cannot_pay_the_rest() {
    let refused = row(30, 80).withdraw(Side::Left, 80, 50, 20);
    assert_eq!(refused, Err(WithdrawError::PartnerCannotPay));
}

#[test]
fn a9_withdraw_should_be_refused_when_it_draws_more_than_the_proof_allows() {
    let refused = row(30, 80).withdraw(Side::Left, 80, 49, 1_000);
    assert_eq!(refused, Err(WithdrawError::AboveMaxFromBalance));
}

#[test]
fn deposit_should_be_refused_when_insurance_or_ondelta_would_pass_the_limit() {
    assert!(row(LIMIT - 1, 0).deposit(Side::Right, 1).is_ok());
    assert_eq!(row(LIMIT, 0).deposit(Side::Right, 1), Err(LimitError));
    assert_eq!(row(0, SIGNED_LIMIT).deposit(Side::Left, 1), Err(LimitError));
    assert_eq!(row(0, 0).deposit(Side::Left, Balance::MAX), Err(LimitError));
}

#[test]
fn withdraw_should_be_refused_when_ondelta_would_pass_the_limit() {
    let refused = row(0, -SIGNED_LIMIT).withdraw(Side::Left, 1, 1, 1);
    assert_eq!(refused, Err(WithdrawError::Limit));
}

#[test]
fn s24_lock_sums_should_give_the_listed_delta_when_nothing_is_revealed() {
    // (100, 60, −24): delta 36.
    assert_eq!(row(100, 60).split(24, 0), Ok(shares(36, 64, 0, 0)));
}

fn amount() -> impl Strategy<Value = Balance> {
    prop_oneof![0..100u128, 0..=LIMIT, (LIMIT - 100)..=LIMIT]
}

fn ondelta() -> impl Strategy<Value = i128> {
    prop_oneof![-100..100i128, -SIGNED_LIMIT..=SIGNED_LIMIT]
}

proptest! {
    /// `left_insured + right_insured = insurance`, at most one side owes, and
    /// `left_insured + right_owes − left_owes = delta`.
    #[test]
    fn s01_split_should_keep_its_identities(insurance in amount(), delta: i128) {
        let s = split(insurance, delta);
        prop_assert_eq!(s.left_insured.checked_add(s.right_insured), Some(insurance));
        prop_assert!(s.left_owes == 0 || s.right_owes == 0);
        if delta > i128::MIN + 1 {
            let left = i128::try_from(s.left_insured).unwrap();
            let sum = i128::try_from(s.right_owes).unwrap() - i128::try_from(s.left_owes).unwrap();
            prop_assert_eq!(left.checked_add(sum), Some(delta));
        }
    }

    /// "A deposit never changes what anybody owes", and adds exactly to the beneficiary's part
    /// once its debt to the axis is covered.
    #[test]
    fn m12_deposit_should_never_raise_what_anybody_owes(
        insurance in amount(), on in ondelta(), left in amount(), right in amount(),
        add in amount(), to_left: bool,
    ) {
        let side = if to_left { Side::Left } else { Side::Right };
        let before = row(insurance, on);
        if let Ok(after) = before.deposit(side, add) {
            let (b, a) = (before.split(left, right).unwrap(), after.split(left, right).unwrap());
            prop_assert!(a.left_owes <= b.left_owes && a.right_owes <= b.right_owes);
            let gain = own(side, after.insurance, delta(after.ondelta, left, right).unwrap()).unwrap()
                - own(side, before.insurance, delta(before.ondelta, left, right).unwrap()).unwrap();
            prop_assert_eq!(Ok(add), Balance::try_from(gain));
            let other = side.other();
            prop_assert_eq!(
                own(other, after.insurance, delta(after.ondelta, left, right).unwrap()),
                own(other, before.insurance, delta(before.ondelta, left, right).unwrap())
            );
        }
    }

    /// A withdrawal takes exactly its amount from the one who withdraws and nothing from the
    /// partner, wherever the money comes from.
    #[test]
    fn withdraw_should_take_the_amount_from_the_withdrawing_side_only(
        insurance in amount(), on in ondelta(), left in amount(), right in amount(),
        take in amount(), to_left: bool, partner in amount(),
    ) {
        let side = if to_left { Side::Left } else { Side::Right };
        let before = row(insurance, on);
        if let Ok((after, sources)) = before.withdraw(side, take, Balance::MAX, partner) {
            prop_assert_eq!(sources.from_insurance + sources.from_balance, take);
            prop_assert_eq!(before.insurance - after.insurance, sources.from_insurance);
            prop_assert!(sources.from_balance <= partner);
            let owned = |s, r: Collateral| own(s, r.insurance, delta(r.ondelta, left, right).unwrap()).unwrap();
            prop_assert_eq!(Ok(take), Balance::try_from(owned(side, before) - owned(side, after)));
            // What the partner gains inside is what it paid outside.
            let gain = owned(side.other(), after) - owned(side.other(), before);
            prop_assert_eq!(Ok(sources.from_balance), Balance::try_from(gain));
        }
    }

    /// Deposits, withdrawals and payments commute: the on-chain order does not matter.
    #[test]
    fn deposit_and_withdraw_should_commute(
        insurance in 0..1_000u128, on in -1_000..1_000i128, add in 0..500u128, take in 0..500u128,
        dep_left: bool, take_left: bool,
    ) {
        let to = |left| if left { Side::Left } else { Side::Right };
        let start = row(insurance, on);
        let one = start.deposit(to(dep_left), add).unwrap();
        if let (Ok((a, _)), Ok((b, _))) = (
            one.withdraw(to(take_left), take, 0, 0),
            start.withdraw(to(take_left), take, 0, 0),
        ) {
            prop_assert_eq!(a, b.deposit(to(dep_left), add).unwrap());
        }
    }

    /// "Before clipping and in one view, capacities + locks + reservations of both sides sum to
    /// insurance + both credits" (protocol.md §2).
    #[test]
    fn capacities_should_sum_to_insurance_and_credits(
        insurance in 0..10_000u128, on in -10_000..10_000i128, left in 0..10_000u128,
        right in 0..10_000u128, locks in prop::array::uniform2(0..100u128),
        reserved in prop::array::uniform2(0..100u128),
    ) {
        // Credits large enough that nothing is clipped.
        let credits = [50_000u128, 50_000];
        let d = delta(on, left, right).unwrap();
        let mut sum = 0;
        for side in [Side::Left, Side::Right] {
            let i = side.index();
            let own = own(side, insurance, d).unwrap();
            sum += capacity(own, locks[i], reserved[i], credits[i]).unwrap() + locks[i] + reserved[i];
        }
        prop_assert_eq!(sum, insurance + credits[0] + credits[1]);
    }

    #[test]
    fn capacity_should_be_nothing_when_a_lower_credit_is_already_drawn(owed in 1..1_000u128, credit in 0..1_000u128) {
        let own = -i128::try_from(owed).unwrap();
        let left = capacity(own, 0, 0, credit).unwrap();
        prop_assert_eq!(left, credit.saturating_sub(owed));
    }

    /// With everything within LIMIT, delta and split cannot fail: resolve has no failing path.
    #[test]
    fn delta_should_never_overflow_within_the_limits(
        insurance in amount(), on in ondelta(),
        sent in prop::array::uniform2(amount()), locks in prop::array::uniform2(amount()),
    ) {
        let counted = [sent[0] + locks[0], sent[1] + locks[1]];
        prop_assert!(row(insurance, on).split(counted[0], counted[1]).is_ok());
        let d = delta(on, counted[0], counted[1]).unwrap();
        prop_assert!(own(Side::Right, insurance, d).is_ok());
    }
}
