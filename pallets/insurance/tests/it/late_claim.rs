use super::*;
use failsafe_primitives::{Evidence, OwnSimplex, Side};
use frame_support::{assert_noop, assert_ok};

/// S29: (100, 100); n5 off −40, n7 off −70. A disputes with its own acknowledged n5, B is offline.
/// Then A has `spent` of its 60 before B's late claim.
fn withheld(spent: u128, test: impl FnOnce(&Party, &Party, Channel<'_>)) {
    let p = Party::ordered(3);
    let (a, b, x) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().balance(a, 100).balance(x, 1).build_and_execute(|| {
        assert_ok!(deposit(a, 100, a, b));
        let channel = Channel::new(a, b);
        assert_ok!(dispute(a, b, channel.ours(Side::Left, &sent(5, 40))));
        run_until_resolved(&channel);
        assert_eq!((free(FRD, a), free(FRD, b)), (60, 40));
        if spent > 0 {
            assert_ok!(Balances::transfer_allow_death(a.origin(), x.id(), spent));
        }
        test(a, b, channel);
    });
}

fn claim(
    payee: &Party,
    payer: &Party,
    channel: &Channel<'_>,
    nonce: u64,
    paid: u128,
) -> DispatchResult {
    let simplex = sent(nonce, paid);
    let from = if payer.id() < payee.id() { Side::Left } else { Side::Right };
    let signature = channel.signed(from, &simplex).signature;
    Insurance::late_claim(payee.origin(), payer.id(), 0, simplex, signature)
        .map(drop)
        .map_err(|error| error.error)
}

#[test]
fn s29_late_claim_should_be_paid_at_once_when_the_payer_has_money() {
    withheld(0, |a, b, channel| {
        let again = dispute(b, a, channel.theirs(Side::Left, &sent(7, 70)));
        assert_noop!(again.map_err(|e| e.error), Error::BadProof);
        assert_ok!(claim(b, a, &channel, 7, 70));
        assert_eq!((free(FRD, a), free(FRD, b)), (30, 70));
        assert_eq!(debts(a), vec![]);
    });
}

#[test]
fn s29_late_claim_should_become_a_debt_when_the_payer_has_nothing() {
    withheld(60, |a, b, channel| {
        assert_ok!(claim(b, a, &channel, 7, 70));
        assert_eq!(debts(a), vec![(b.id(), 30)]);
    });
}

#[test]
fn s29_late_claim_should_move_nothing_when_made_twice() {
    withheld(0, |a, b, channel| {
        assert_ok!(claim(b, a, &channel, 7, 70));
        assert_noop!(claim(b, a, &channel, 7, 70), Error::NothingToClaim);
        assert_eq!((free(FRD, a), free(FRD, b)), (30, 70));
    });
}

#[test]
fn s29_late_claim_should_be_refused_when_the_time_for_it_has_passed() {
    withheld(0, |a, b, channel| {
        let late = failsafe_primitives::Parameters::DEVELOPMENT.late;
        let resolved = pallet_insurance::OldEpochs::<Test>::get((a.id(), b.id(), 0)).unwrap().at;
        run_to_clock(resolved + late);
        assert!(pallet_insurance::OldEpochs::<Test>::contains_key((a.id(), b.id(), 0)));
        run_to_clock(resolved + late + 1);
        assert_noop!(claim(b, a, &channel, 7, 70), Error::NoLateClaims);
        next_block();
        assert_eq!(pallet_insurance::OldEpochs::<Test>::iter().count(), 0, "forgotten");
    });
}

#[test]
fn s29_late_claim_should_move_nothing_when_a_lock_had_counted_already() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 100).build_and_execute(|| {
        assert_ok!(deposit(a, 100, a, b));
        let channel = Channel::new(a, b);
        let n5 = sent_and_locked(5, 40, (30, 1, now() + 3));
        assert_ok!(reveal(b, &[1]));
        assert_ok!(dispute(a, b, channel.ours(Side::Left, &n5)));
        run_until_resolved(&channel);
        assert_eq!((free(FRD, a), free(FRD, b)), (30, 70));
        assert_noop!(claim(b, a, &channel, 7, 70), Error::NothingToClaim);
    });
}

#[test]
fn a11_late_claim_should_be_refused_when_the_payer_claims_its_own_payment() {
    withheld(0, |a, b, channel| {
        let own = channel.signed(Side::Left, &sent(7, 70));
        let claim = Insurance::late_claim(a.origin(), b.id(), 0, own.simplex, own.signature);
        assert_noop!(claim, Error::BadProof);
    });
}

#[test]
fn a11_late_claim_should_recover_all_when_the_dispute_had_no_evidence() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 100).balance(b, 1).build_and_execute(|| {
        assert_ok!(deposit(a, 100, a, b));
        let channel = Channel::new(a, b);
        assert_ok!(dispute(a, b, Evidence::default()));
        run_until_resolved(&channel);
        assert_eq!(free(FRD, a), 100);
        assert_ok!(claim(b, a, &channel, 7, 70));
        assert_eq!((free(FRD, a), free(FRD, b)), (30, 71));
    });
}

#[test]
fn s30_fresh_deposit_should_be_redeemable_without_proof_after_a_dispute() {
    withheld(0, |a, b, _| {
        assert_ok!(deposit(a, 50, a, b));
        assert_ok!(dispute(a, b, Evidence::default()));
        run_until_resolved(&Channel::new(a, b));
        assert_eq!(free(FRD, a), 60);
    });
}

#[test]
fn late_claim_should_be_refused_when_the_epoch_is_still_open() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 100).build_and_execute(|| {
        assert_ok!(deposit(a, 100, a, b));
        let channel = Channel::new(a, b);
        assert_noop!(claim(b, a, &channel, 7, 70), Error::NoLateClaims);
        let ours = OwnSimplex::Unacked { simplex: sent(1, 1), acked: None };
        assert_ok!(dispute(a, b, Evidence { theirs: None, ours: Some(ours) }));
        assert_noop!(claim(b, a, &channel, 7, 70), Error::NoLateClaims);
        run_until_resolved(&channel);
    });
}
