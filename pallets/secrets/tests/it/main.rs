//! Tests of the registry of secrets.

use failsafe_pallet_mock::*;
use failsafe_pallet_support::Secrets as _;
use failsafe_primitives::{Evidence, Side, NATIVE_ASSET as FRD};
use frame_support::{assert_noop, assert_ok};

mod purge;

type Error = pallet_secrets::Error<Test>;

fn revealed_at(number: u8) -> Option<u64> {
    Secrets::revealed_at(&hash_of(number))
}

#[test]
fn s26_reveal_should_not_decode_when_a_secret_has_not_32_bytes() {
    use codec::{Decode, Encode};
    type Call = pallet_secrets::Call<Test>;
    let secrets = vec![secret(1)].try_into().expect("one");
    let whole = Call::reveal { secrets }.encode();
    assert!(Call::decode(&mut &whole[..]).is_ok());
    assert!(Call::decode(&mut &whole[..whole.len() - 1]).is_err(), "31 bytes");
    let more = [&whole[..], &[0]].concat();
    let mut rest = &more[..];
    let read = Call::decode(&mut rest).expect("the first 32 bytes");
    assert_eq!((read.encode(), rest), (whole, &[0][..]), "the 33rd byte is not part of it");
}

#[test]
fn s27_reveal_should_stick_to_its_first_time_when_it_is_repeated() {
    let p = Party::ordered(1);
    ExtBuilder::default().balance(&p[0], 10).build_and_execute(|| {
        run_to_clock(10);
        assert_ok!(reveal(&p[0], &[1]));
        assert_eq!(Secrets::secret(hash_of(1)).unwrap().keep_until, 110);
        run_to_clock(60);
        assert_ok!(reveal(&p[0], &[1]));
        let view = Secrets::secret(hash_of(1)).unwrap();
        assert_eq!((view.revealed_at, view.keep_until, view.secret), (10, 160, secret(1)));
    });
}

#[test]
fn reveal_should_charge_each_new_secret_once_when_there_is_a_fee() {
    let p = Party::ordered(2);
    let priced = ExtBuilder::default().parameters(|values| values.secret_fee = 3);
    priced.balance(&p[0], 100).balance(&p[1], 10).build().execute_with(|| {
        assert_ok!(reveal(&p[0], &[1, 2, 1]));
        assert_eq!(free(FRD, &p[0]), 94, "two are new");
        assert_ok!(reveal(&p[0], &[2]));
        assert_eq!(free(FRD, &p[0]), 94, "none is new");
        check_invariants();
    });
}

#[test]
fn reveal_should_change_nothing_when_the_fee_cannot_be_paid() {
    let p = Party::ordered(1);
    let priced = ExtBuilder::default().parameters(|values| values.secret_fee = 5);
    priced.balance(&p[0], 10).build_and_execute(|| {
        let three = vec![secret(1), secret(2)].try_into().expect("two");
        assert_noop!(Secrets::reveal(p[0].origin(), three), Error::FeeMissing);
        assert_noop!(Secrets::reveal(p[0].origin(), Default::default()), Error::Empty);
    });
}

#[test]
fn reveal_should_come_from_below_the_floor_when_the_caller_owes() {
    let p = Party::ordered(2);
    let (debtor, creditor) = (&p[0], &p[1]);
    let priced = ExtBuilder::default().parameters(|values| {
        values.secret_fee = 4;
        values.floor_user = 10;
    });
    priced.balance(debtor, 10).balance(creditor, 10).build().execute_with(|| {
        let channel = Channel::new(debtor, creditor);
        let evidence = channel.theirs(Side::Left, &sent(1, 50));
        let (epoch, partner) = (0, debtor.id());
        assert_ok!(Insurance::dispute(creditor.origin(), partner, epoch, evidence));
        run_to_clock(now() + 9);
        assert_eq!(debts(debtor), vec![(creditor.id(), 50)]);
        assert_ok!(reveal(debtor, &[1, 2]));
        assert_eq!(free(FRD, debtor), 2);
        assert_noop!(
            Secrets::reveal(debtor.origin(), vec![secret(3)].try_into().unwrap()),
            Error::FeeMissing
        );
        check_invariants();
    });
}

/// A dispute of 10 in right's simplex, locked by secret 1 until `expiry`.
fn locked_dispute(l: &Party, r: &Party, expiry: u64) {
    let locked = Channel::new(l, r).theirs(Side::Right, &sent_and_locked(1, 0, (10, 1, expiry)));
    assert_ok!(Insurance::dispute(l.origin(), r.id(), 0, locked));
}

#[test]
fn lock_should_count_when_its_secret_is_revealed_at_its_expiry() {
    for (at, left_gets) in [(12, 10), (13, 0)] {
        let p = Party::ordered(2);
        ExtBuilder::default().balance(&p[1], 10).balance(&p[0], 1).build_and_execute(|| {
            assert_ok!(Insurance::deposit(p[1].origin(), FRD, 10, p[1].id(), p[0].id(), None));
            locked_dispute(&p[0], &p[1], 12);
            run_to_clock(at);
            assert_ok!(reveal(&p[0], &[1]));
            run_to_clock(14);
            assert_eq!(free(FRD, &p[0]), 1 + left_gets, "revealed at {at}");
            assert_eq!(revealed_at(1), Some(at));
        });
    }
}

#[test]
fn dispute_should_need_a_row_or_evidence_when_only_a_secret_is_known() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 10).build_and_execute(|| {
        assert_ok!(reveal(&p[0], &[1]));
        let nothing = Insurance::dispute(p[0].origin(), p[1].id(), 0, Evidence::default());
        let error = pallet_insurance::Error::<Test>::NothingToDispute;
        assert_noop!(nothing.map_err(|e| e.error), error);
    });
}
