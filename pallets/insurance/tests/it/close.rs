use super::*;
use failsafe_primitives::{Evidence, Side};
use frame_support::{assert_noop, assert_ok};

#[test]
fn s38_close_should_pay_both_at_once_and_void_all_older_proofs() {
    let p = Party::ordered(2);
    let (user, hub) = (&p[0], &p[1]);
    ExtBuilder::default().balance(user, 5_000).balance(hub, 1).build_and_execute(|| {
        assert_ok!(deposit(user, 5_000, user, hub));
        let channel = Channel::new(user, hub);
        let old_withdrawal = channel.withdrawal(Side::Left, 0, &[(FRD, 10, 10)]);
        let old_payment = channel.theirs(Side::Left, &sent(9, 1_000));
        let (close, signature) = channel.close(Side::Right, &[(FRD, -1_000)]);
        assert_ok!(Insurance::close(user.origin(), hub.id(), close.clone(), signature.clone()));
        assert_eq!((free(FRD, user), free(FRD, hub)), (4_000, 1_001));
        assert_eq!(Channel::new(user, hub).context.epoch, 1);

        let again = Insurance::close(user.origin(), hub.id(), close, signature);
        assert_noop!(again, Error::BadProof);
        assert_noop!(withdraw(user, hub, old_withdrawal), Error::BadProof);
        let stale = dispute(hub, user, old_payment);
        assert_noop!(stale.map_err(|e| e.error), Error::BadProof);
        let claim = Insurance::late_claim(
            hub.origin(),
            user.id(),
            0,
            sent(9, 1_000),
            channel.signed(Side::Left, &sent(9, 1_000)).signature,
        );
        assert_noop!(claim, Error::NoLateClaims);
    });
}

#[test]
fn m2_close_should_carry_the_offdelta_when_somebody_deposits_or_withdraws_before_it() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    // L owns 60 of 100, tops up 50, then the close arrives: L must end with 160.
    ExtBuilder::default().balance(l, 200).balance(r, 100).build_and_execute(|| {
        assert_ok!(deposit(l, 100, l, r));
        let (close, signature) = Channel::new(l, r).close(Side::Left, &[(FRD, -40)]);
        assert_ok!(deposit(l, 50, l, r));
        assert_ok!(Insurance::close(r.origin(), l.id(), close, signature));
        assert_eq!((free(FRD, l), free(FRD, r)), (160, 140));
    });
    // L withdraws 60 with an older proof first: R must end with 140 and without a debt.
    ExtBuilder::default().balance(l, 200).balance(r, 100).build_and_execute(|| {
        assert_ok!(deposit(l, 100, l, r));
        let channel = Channel::new(l, r);
        let (close, signature) = channel.close(Side::Left, &[(FRD, -40)]);
        assert_ok!(withdraw(l, r, channel.withdrawal(Side::Left, 0, &[(FRD, 60, 0)])));
        assert_ok!(Insurance::close(r.origin(), l.id(), close, signature));
        assert_eq!((free(FRD, l), free(FRD, r)), (160, 140));
        assert_eq!(debts(l), vec![]);
    });
}

#[test]
fn m16_close_should_wait_for_the_deadline_when_it_books_a_debt() {
    let p = Party::ordered(2);
    let (hub, user) = (&p[0], &p[1]);
    ExtBuilder::default().balance(user, 10).hub(hub).build_and_execute(|| {
        let channel = Channel::new(hub, user);
        let (close, signature) = channel.close(Side::Left, &[(FRD, -300)]);
        assert_ok!(Insurance::close(user.origin(), hub.id(), close, signature));
        assert_eq!(debts(hub), vec![]);
        assert_eq!(channel.dispute().unwrap().resolve_at, now() + 4);
        run_until_resolved(&channel);
        assert_eq!(debts(hub), vec![(user.id(), 300)]);
    });
}

#[test]
fn close_should_end_an_open_dispute_and_return_its_deposit() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().balance(l, 200).balance(r, 1);
    builder.parameters(|v| v.dispute_deposit = 20).build_and_execute(|| {
        assert_ok!(deposit(l, 100, l, r));
        let channel = Channel::new(l, r);
        assert_ok!(dispute(l, r, Evidence::default()));
        let (close, signature) = channel.close(Side::Left, &[(FRD, -40)]);
        assert_ok!(Insurance::close(r.origin(), l.id(), close, signature));
        assert!(channel.dispute().is_none());
        assert_eq!((free(FRD, l), free(FRD, r)), (160, 41));
    });
}

#[test]
fn close_should_be_refused_when_expired_or_signed_by_the_wrong_party() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).build_and_execute(|| {
        assert_ok!(deposit(l, 100, l, r));
        let channel = Channel::new(l, r);
        let (close, own) = channel.close(Side::Left, &[]);
        assert_noop!(Insurance::close(l.origin(), r.id(), close.clone(), own), Error::BadProof);
        let expired = failsafe_primitives::Close { valid_until: 0, ..close };
        let signature = r.sign(&channel.context.close_message(&expired));
        assert_noop!(Insurance::close(l.origin(), r.id(), expired, signature), Error::Expired);
        let (twice, signature) = channel.close(Side::Right, &[(FRD, 1), (FRD, 2)]);
        let malformed = Insurance::close(l.origin(), r.id(), twice, signature);
        assert_noop!(malformed, Error::MalformedClose);
    });
}
