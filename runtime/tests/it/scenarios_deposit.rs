//! Scenarios of section A over the whole chain, each in the native and in an issued asset: deposit,
//! withdrawal, and what they leave to left and right.

use crate::{chain::*, stage::*};
use failsafe_primitives::NATIVE_ASSET;
use failsafe_runtime::{Runtime, FRB, FRD};
use pallet_insurance::Error;

#[test]
fn s01_resolve_should_give_the_listed_shares_at_each_delta_position() {
    // Insurance, delta, what left and right get when both can pay what they owe.
    for (insurance, delta, shares) in [
        (4, 6, [6, -2]),
        (4, 2, [2, 2]),
        (4, -2, [-2, 6]),
        (4, 0, [0, 4]),
        (4, 4, [4, 0]),
        (0, 5, [5, -5]),
        (0, -5, [-5, 5]),
    ] {
        in_both(|chain, asset, [left, right]| {
            let channel = channel_at(chain, asset, [left, right], (insurance, delta));
            for who in [left, right] {
                fund(chain, asset, who, 10);
            }
            // Evidence of nothing paid, so that a channel without insurance can be disputed.
            let evidence = channel.theirs(left, &sent_in(asset, 1, 0));
            assert_eq!(chain.one(right.does(dispute(&channel, left, evidence))), Ok(()));
            chain.run_until_resolved(&channel);
            let got = [left, right].map(|who| units_of(asset, who) - 10);
            assert_eq!(got, shares, "split({insurance}, {delta})");
        });
    }
}

fn units_of(asset: u32, who: &Party) -> i128 {
    i128::try_from(has(asset, who)).expect("small")
}

#[test]
fn s02_deposit_should_insure_left_when_left_deposits_to_its_own_side() {
    in_both(|chain, asset, [left, right]| {
        fund(chain, asset, left, 10_000);
        let own = deposit_of(asset, 6 * FRD, left, right);
        assert_eq!(chain.one(left.does(own)), Ok(()));
        assert_eq!(has(asset, left), 9_994);
        let channel = Channel::new(left, right);
        assert_eq!(channel.collateral_in(asset), (6 * FRD, units(6)));
        assert_eq!(worth(chain, asset, [left, right], [0, 0]), [6, 0]);
        // Left pays 3: as one payment, and as 5 with 2 coming back.
        assert_eq!(worth(chain, asset, [left, right], [3, 0]), [3, 3]);
        assert_eq!(worth(chain, asset, [left, right], [5, 2]), [3, 3]);
    });
}

#[test]
fn s03_deposit_should_insure_right_when_right_deposits_to_its_own_side() {
    in_both(|chain, asset, [left, right]| {
        fund(chain, asset, right, 10_000);
        let own = deposit_of(asset, 6 * FRD, right, left);
        assert_eq!(chain.one(right.does(own)), Ok(()));
        assert_eq!(has(asset, right), 9_994);
        let channel = Channel::new(left, right);
        assert_eq!(channel.collateral_in(asset), (6 * FRD, 0));
        assert_eq!(worth(chain, asset, [left, right], [0, 0]), [0, 6]);
    });
}

#[test]
fn s04_deposits_should_insure_both_sides_when_a_stranger_pays() {
    // In the native asset: a stranger cannot open a row in an issued one [M3].
    on(STORY, |chain| {
        let [left, right, stranger] = &Party::strangers(3)[..] else { panic!("three") };
        fund(chain, NATIVE_ASSET, stranger, 100);
        fund(chain, FRB, right, 1);
        chain.all(vec![
            stranger.does(deposit(40 * FRD, right, left)),
            stranger.does(deposit(10 * FRD, left, right)),
        ]);
        assert_eq!(has(NATIVE_ASSET, stranger), 50);
        assert_eq!(Channel::new(left, right).collateral(), (50 * FRD, units(10)));
        assert_eq!(worth(chain, NATIVE_ASSET, [left, right], [0, 0]), [10, 40]);
    });
}

#[test]
fn s06_withdrawal_should_move_delta_when_left_withdraws() {
    in_both(|chain, asset, [left, right]| {
        let channel = channel_at(chain, asset, [left, right], (10, 10));
        assert_eq!(worth(chain, asset, [left, right], [6, 0]), [4, 6]);
        let proof = channel.withdrawal_of(left, &[(asset, 3 * FRD, 0)]);
        assert_eq!(chain.one(left.does(proof)), Ok(()));
        assert_eq!(has(asset, left), 3);
        assert_eq!(channel.collateral_in(asset), (7 * FRD, units(7)));
        assert_eq!(worth(chain, asset, [left, right], [6, 0]), [1, 6]);
    });
}

#[test]
fn s07_withdrawal_should_leave_delta_when_right_withdraws() {
    in_both(|chain, asset, [left, right]| {
        let channel = channel_at(chain, asset, [left, right], (10, 4));
        let proof = channel.withdrawal_of(right, &[(asset, 4 * FRD, 0)]);
        assert_eq!(chain.one(right.does(proof)), Ok(()));
        assert_eq!(has(asset, right), 4);
        assert_eq!(channel.collateral_in(asset), (6 * FRD, units(4)));
        assert_eq!(worth(chain, asset, [left, right], [0, 0]), [4, 2]);
    });
}

#[test]
fn s08_withdrawal_should_be_refused_when_its_proof_was_used() {
    in_both(|chain, asset, [left, right]| {
        let channel = channel_at(chain, asset, [left, right], (10, 4));
        let proof = channel.withdrawal_of(right, &[(asset, 4 * FRD, 0)]);
        assert_eq!(chain.one(right.does(proof.clone())), Ok(()));
        let before = channel.view();
        let error = Error::<Runtime>::WrongWithdrawalNonce.into();
        assert_eq!(chain.one(right.does(proof)), Err(error));
        assert_eq!(has(asset, right), 4);
        assert_eq!(channel.view(), before);
        assert_eq!(before.withdrawal_nonces, [0, 1]);
    });
}

#[test]
fn s13_withdrawal_should_draw_on_the_partner_when_right_has_uninsured_money() {
    in_both(|chain, asset, [hub, user]| {
        fund(chain, asset, hub, 1_000);
        let channel = channel_at(chain, asset, [hub, user], (30, -50));
        let proof = channel.withdrawal_of(user, &[(asset, 80 * FRD, 50 * FRD)]);
        assert_eq!(chain.one(user.does(proof)), Ok(()));
        assert_eq!((has(asset, hub), has(asset, user)), (950, 80));
        assert_eq!(channel.collateral_in(asset), (0, 0));
    });
}

#[test]
fn s15_withdrawal_should_be_refused_when_the_partner_cannot_pay_the_rest() {
    in_both(|chain, asset, [user, hub]| {
        fund(chain, asset, hub, 20);
        let channel = channel_at(chain, asset, [user, hub], (30, 80));
        let before = channel.view();
        let proof = channel.withdrawal_of(user, &[(asset, 80 * FRD, 50 * FRD)]);
        let error = Error::<Runtime>::PartnerCannotPay.into();
        assert_eq!(chain.one(user.does(proof)), Err(error));
        assert_eq!((has(asset, hub), has(asset, user)), (20, 0));
        assert_eq!(channel.view(), before);
        // 50 are there: no more than what the arithmetic allows.
        let most = channel.withdrawal_of(user, &[(asset, 50 * FRD, 20 * FRD)]);
        assert_eq!(chain.one(user.does(most)), Ok(()));
        assert_eq!((has(asset, hub), has(asset, user)), (0, 50));
    });
}

#[test]
fn s16_withdrawal_proof_should_be_refused_in_any_asset_when_the_channel_was_resolved() {
    // The proof would take 60 from left's balance, and leave left a claim on right.
    in_both(|chain, asset, [left, right]| {
        let channel = channel_at(chain, asset, [left, right], (100, 100));
        let proof = channel.withdrawal_of(right, &[(asset, 60 * FRD, 60 * FRD)]);
        assert_eq!(chain.one(left.does(dispute(&channel, right, Default::default()))), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, left), has(asset, right)), (100, 0));
        let refused = Err(Error::<Runtime>::BadProof.into());
        assert_eq!(chain.one(right.does(proof)), refused);
        assert_eq!((has(asset, left), has(asset, right)), (100, 0));
    });
}
