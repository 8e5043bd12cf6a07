use super::*;
use failsafe_primitives::Side;
use frame_support::{assert_noop, assert_ok};

#[test]
fn s02_deposit_should_insure_left_when_left_deposits_to_its_own_side() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 10_000).build_and_execute(|| {
        assert_ok!(deposit(l, 6, l, r));
        let channel = Channel::new(l, r);
        assert_eq!(free(FRD, l), 9_994);
        assert_eq!(channel.collateral(FRD), collateral(6, 6));
        let shares = channel.collateral(FRD).split(3, 0).unwrap();
        assert_eq!((shares.insured(Side::Left), shares.insured(Side::Right)), (3, 3));
        System::assert_last_event(
            pallet_insurance::Event::Deposit {
                from: l.id(),
                beneficiary: l.id(),
                partner: r.id(),
                asset: FRD,
                amount: 6,
            }
            .into(),
        );
    });
}

#[test]
fn s03_deposit_should_insure_right_when_right_deposits_to_its_own_side() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(r, 10).build_and_execute(|| {
        assert_ok!(deposit(r, 6, r, l));
        assert_eq!(Channel::new(l, r).collateral(FRD), collateral(6, 0));
        assert_eq!(free(FRD, r), 4);
    });
}

#[test]
fn s04_deposit_should_insure_both_sides_when_a_stranger_pays() {
    let p = Party::ordered(3);
    let (l, r, x) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().balance(x, 100).build_and_execute(|| {
        assert_ok!(deposit(x, 40, r, l));
        assert_ok!(deposit(x, 10, l, r));
        assert_eq!(free(FRD, x), 50);
        let row = Channel::new(l, r).collateral(FRD);
        assert_eq!(row, collateral(50, 10));
        let shares = row.split(0, 0).unwrap();
        assert_eq!((shares.insured(Side::Left), shares.insured(Side::Right)), (10, 40));
    });
}

#[test]
fn deposit_should_be_refused_when_it_is_to_oneself_too_small_or_not_covered() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 10).build_and_execute(|| {
        assert_noop!(deposit(l, 5, l, l), Error::SamePair);
        assert_noop!(deposit(l, 0, l, r), Error::AmountTooSmall);
        assert!(deposit(l, 11, l, r).is_err());
        let unknown = Insurance::deposit(l.origin(), 77, 5, l.id(), r.id(), None);
        assert_noop!(unknown, Error::UnknownAsset);
    });
}

#[test]
fn m21_deposit_should_be_refused_when_the_pair_has_moved_on() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).build_and_execute(|| {
        let in_epoch = |epoch| Insurance::deposit(l.origin(), FRD, 5, l.id(), r.id(), Some(epoch));
        assert_ok!(in_epoch(0));
        assert_noop!(in_epoch(1), Error::WrongEpoch);
        let (close, signature) = Channel::new(l, r).close(Side::Right, &[]);
        assert_ok!(Insurance::close(l.origin(), r.id(), close, signature));
        assert_noop!(in_epoch(0), Error::WrongEpoch);
        assert_ok!(in_epoch(1));
    });
}

#[test]
fn m3_deposit_should_be_refused_when_a_stranger_opens_a_row_in_an_issued_asset() {
    let p = Party::ordered(3);
    let (l, r, x) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().frb(x, 100).frb(l, 100).build_and_execute(|| {
        let by = |who: &Party| Insurance::deposit(who.origin(), FRB, 5, l.id(), r.id(), None);
        assert_noop!(by(x), Error::TooManyAssets);
        assert_ok!(by(l));
        assert_ok!(by(x));
        assert_eq!(Channel::new(l, r).collateral(FRB), collateral(10, 10));
    });
}

#[test]
fn m3_deposit_should_be_refused_when_a_side_has_opened_its_half_of_the_rows() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 1_000).balance(r, 1_000).build_and_execute(|| {
        let row = |who: &Party, asset| {
            assert_ok!(Assets::force_create(RuntimeOrigin::root(), asset, l.id(), true, 1));
            mint(asset, who, 100);
            Insurance::deposit(who.origin(), asset, 5, l.id(), r.id(), None)
        };
        for asset in 10..10 + pallet_insurance::MAX_ROWS_PER_SIDE {
            assert_ok!(row(l, asset));
        }
        assert_eq!(row(l, 50), Err(Error::TooManyAssets.into()));
        assert_ok!(row(r, 51));
        assert_ok!(deposit(l, 5, l, r));
    });
}

#[test]
fn a6_deposit_should_charge_the_pair_fee_once_when_the_record_is_new() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).parameters(|v| v.pair_fee = 7).build().execute_with(
        || {
            assert_ok!(deposit(l, 10, l, r));
            assert_eq!(free(FRD, l), 83);
            assert_ok!(deposit(l, 10, l, r));
            assert_eq!(free(FRD, l), 73);
            check_invariants();
        },
    );
}

#[test]
fn m12_deposit_should_top_up_a_new_account_out_of_the_depositors_balance() {
    let p = Party::ordered(2);
    for (hub, user) in [(&p[0], &p[1]), (&p[1], &p[0])] {
        ExtBuilder::default()
            .balance(hub, 10_000)
            .parameters(|v| v.account_top_up = 5)
            .build_and_execute(|| {
                assert_ok!(deposit(hub, 995, hub, user));
                assert_eq!((free(FRD, hub), free(FRD, user)), (9_000, 5));
                let row = Channel::new(hub, user).collateral(FRD);
                assert_eq!(row.insurance, 995);
                assert_ok!(deposit(hub, 1_000, hub, user));
                assert_eq!(free(FRD, user), 5, "only a new account is topped up");
            });
    }
}

#[test]
fn deposit_should_be_refused_when_the_insurance_would_pass_the_limit() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    let limit = failsafe_primitives::LIMIT;
    ExtBuilder::default().balance(l, 2 * limit).build_and_execute(|| {
        assert_ok!(deposit(l, limit, l, r));
        assert_noop!(deposit(l, 1, r, l), Error::LimitExceeded);
    });
}
