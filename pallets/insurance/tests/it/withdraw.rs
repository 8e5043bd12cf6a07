use super::*;
use failsafe_primitives::{Evidence, Side};
use frame_support::{assert_noop, assert_ok};
use pallet_insurance::Rows;

/// A row as a scenario gives it, with the custody that belongs to it.
fn set_row(payer: &Party, l: &Party, r: &Party, asset: u32, insurance: u128, ondelta: i128) {
    if insurance > 0 {
        assert_ok!(Insurance::deposit(payer.origin(), asset, insurance, r.id(), l.id(), None));
    } else {
        pallet_insurance::Channels::<Test>::insert(
            l.id(),
            r.id(),
            pallet_insurance::ChannelRecord::default(),
        );
    }
    let key = (l.id(), r.id(), asset);
    let opened_by = Rows::<Test>::get(&key).and_then(|row| row.opened_by);
    let row = pallet_insurance::Row { collateral: collateral(insurance, ondelta), opened_by };
    Rows::<Test>::insert(key, row);
}

#[test]
fn s06_withdraw_should_move_delta_when_left_withdraws() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).build_and_execute(|| {
        assert_ok!(deposit(l, 10, l, r));
        let channel = Channel::new(l, r);
        let proof = channel.withdrawal(Side::Left, 0, &[(FRD, 3, 0)]);
        assert_ok!(withdraw(l, r, proof));
        assert_eq!(free(FRD, l), 93);
        assert_eq!(channel.collateral(FRD), collateral(7, 7));
    });
}

#[test]
fn s07_withdraw_should_leave_delta_when_right_withdraws() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).balance(r, 1).build_and_execute(|| {
        set_row(l, l, r, FRD, 10, 4);
        let channel = Channel::new(l, r);
        assert_ok!(withdraw(r, l, channel.withdrawal(Side::Right, 0, &[(FRD, 4, 0)])));
        assert_eq!(free(FRD, r), 5);
        assert_eq!(channel.collateral(FRD), collateral(6, 4));
    });
}

#[test]
fn s08_withdraw_should_be_refused_when_the_proof_is_used_again() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).balance(r, 1).build_and_execute(|| {
        set_row(l, l, r, FRD, 10, 4);
        let channel = Channel::new(l, r);
        let proof = channel.withdrawal(Side::Right, 0, &[(FRD, 4, 0)]);
        assert_ok!(withdraw(r, l, proof.clone()));
        assert_noop!(withdraw(r, l, proof), Error::WrongWithdrawalNonce);
        let record = pallet_insurance::Channels::<Test>::get(l.id(), r.id()).unwrap();
        assert_eq!(record.withdrawal_nonces, [0, 1]);
    });
}

#[test]
fn s09_withdraw_should_take_one_proof_per_nonce_with_all_its_assets() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).frb(l, 100).build_and_execute(|| {
        set_row(l, l, r, FRD, 20, 0);
        set_row(l, l, r, FRB, 20, 0);
        let channel = Channel::new(l, r);
        let first = channel.withdrawal(Side::Right, 0, &[(FRD, 3, 0)]);
        let second = channel.withdrawal(Side::Right, 0, &[(FRB, 5, 0)]);
        assert_ok!(withdraw(r, l, first));
        assert_noop!(withdraw(r, l, second), Error::WrongWithdrawalNonce);
        let both = channel.withdrawal(Side::Right, 1, &[(FRD, 3, 0), (FRB, 5, 0)]);
        assert_ok!(withdraw(r, l, both));
        assert_eq!((free(FRD, r), free(FRB, r)), (6, 5));
    });
}

#[test]
fn withdraw_should_do_nothing_when_one_of_its_assets_fails() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).frb(l, 100).build_and_execute(|| {
        set_row(l, l, r, FRD, 20, 0);
        let both = Channel::new(l, r).withdrawal(Side::Right, 0, &[(FRD, 3, 0), (FRB, 5, 0)]);
        assert_noop!(withdraw(r, l, both), Error::AboveMaxFromBalance);
    });
}

#[test]
fn s12_withdraw_should_draw_on_the_partner_when_left_has_uninsured_money() {
    let p = Party::ordered(2);
    let (user, hub) = (&p[0], &p[1]);
    ExtBuilder::default().balance(hub, 1_030).balance(user, 1).build_and_execute(|| {
        set_row(hub, user, hub, FRD, 30, 80);
        let channel = Channel::new(user, hub);
        assert_ok!(withdraw(user, hub, channel.withdrawal(Side::Left, 0, &[(FRD, 80, 50)])));
        assert_eq!((free(FRD, user), free(FRD, hub)), (81, 950));
        assert_eq!(channel.collateral(FRD), collateral(0, 0));
    });
}

#[test]
fn s13_withdraw_should_draw_on_the_partner_when_right_has_uninsured_money() {
    let p = Party::ordered(2);
    let (hub, user) = (&p[0], &p[1]);
    ExtBuilder::default().balance(hub, 1_030).balance(user, 1).build_and_execute(|| {
        set_row(hub, hub, user, FRD, 30, -50);
        let channel = Channel::new(user, hub);
        assert_ok!(withdraw(user, hub, channel.withdrawal(Side::Right, 0, &[(FRD, 80, 50)])));
        assert_eq!((free(FRD, user), free(FRD, hub)), (81, 950));
        assert_eq!(channel.collateral(FRD), collateral(0, 0));
    });
}

#[test]
fn s15_withdraw_should_be_refused_when_the_partner_cannot_pay_the_rest() {
    let p = Party::ordered(2);
    let (user, hub) = (&p[0], &p[1]);
    ExtBuilder::default().balance(hub, 50).balance(user, 1).build_and_execute(|| {
        set_row(hub, user, hub, FRD, 30, 80);
        assert_eq!(free(FRD, hub), 20);
        let channel = Channel::new(user, hub);
        let proof = channel.withdrawal(Side::Left, 0, &[(FRD, 80, 80)]);
        assert_noop!(withdraw(user, hub, proof), Error::PartnerCannotPay);
        let exact = channel.withdrawal(Side::Left, 0, &[(FRD, 50, 80)]);
        assert_ok!(withdraw(user, hub, exact));
    });
}

#[test]
fn s16_withdraw_should_be_refused_when_the_epoch_of_the_proof_has_ended() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 200).balance(r, 1).build_and_execute(|| {
        assert_ok!(deposit(l, 100, l, r));
        let old = Channel::new(l, r);
        let unused = old.withdrawal(Side::Right, 0, &[(FRD, 60, 60)]);
        assert_ok!(dispute(l, r, Evidence::default()));
        run_until_resolved(&old);
        assert_eq!(free(FRD, l), 200);
        assert_noop!(withdraw(r, l, unused), Error::BadProof);
    });
}

#[test]
fn m11_withdraw_should_be_refused_when_another_account_submits_it_or_it_has_expired() {
    let p = Party::ordered(3);
    let (l, r, x) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().balance(l, 100).balance(x, 10).build_and_execute(|| {
        assert_ok!(deposit(l, 10, l, r));
        let channel = Channel::new(l, r);
        let (withdrawal, proof) = channel.withdrawal(Side::Left, 0, &[(FRD, 3, 0)]);
        let by = |who: &Party, partner: &Party| {
            withdraw(who, partner, (withdrawal.clone(), proof.clone()))
        };
        assert_noop!(by(x, r), Error::NoChannel);
        assert_noop!(by(r, l), Error::BadProof);
        let expired = failsafe_primitives::Withdrawal { valid_until: 0, ..withdrawal.clone() };
        let message = channel.context.withdrawal_message(Side::Left, &expired);
        assert_noop!(withdraw(l, r, (expired, r.sign(&message))), Error::Expired);
        assert_ok!(by(l, r));
    });
}

#[test]
fn m11_withdraw_should_count_nonces_per_side() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).balance(r, 1).build_and_execute(|| {
        set_row(l, l, r, FRD, 20, 10);
        let channel = Channel::new(l, r);
        assert_ok!(withdraw(r, l, channel.withdrawal(Side::Right, 0, &[(FRD, 1, 0)])));
        assert_ok!(withdraw(l, r, channel.withdrawal(Side::Left, 0, &[(FRD, 1, 0)])));
    });
}

#[test]
fn s56_withdraw_should_be_a_bad_proof_when_signed_for_another_chain() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).build_and_execute(|| {
        assert_ok!(deposit(l, 10, l, r));
        let mut channel = Channel::new(l, r);
        channel.context.genesis_hash = sp_core::H256::repeat_byte(1);
        let proof = channel.withdrawal(Side::Left, 0, &[(FRD, 3, 0)]);
        assert_noop!(withdraw(l, r, proof), Error::BadProof);
    });
}

#[test]
fn withdraw_should_be_allowed_during_a_dispute() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).build_and_execute(|| {
        assert_ok!(deposit(l, 10, l, r));
        let channel = Channel::new(l, r);
        assert_ok!(dispute(l, r, Evidence::default()));
        assert_ok!(withdraw(l, r, channel.withdrawal(Side::Left, 0, &[(FRD, 3, 0)])));
        assert_ok!(deposit(l, 5, l, r));
        run_until_resolved(&channel);
        assert_eq!(free(FRD, l), 100);
    });
}

#[test]
fn withdraw_should_be_refused_when_malformed() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).build_and_execute(|| {
        assert_ok!(deposit(l, 10, l, r));
        let channel = Channel::new(l, r);
        let bad: [&[(u32, u128, u128)]; 4] =
            [&[], &[(FRD, 0, 0)], &[(FRB, 1, 0), (FRD, 1, 0)], &[(FRD, 1, 0), (FRD, 1, 0)]];
        for items in bad {
            let proof = channel.withdrawal(Side::Left, 0, items);
            assert_noop!(withdraw(l, r, proof), Error::MalformedWithdrawal);
        }
    });
}
