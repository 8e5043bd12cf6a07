//! Money of issued assets whose rules, or whose issuer, could make it vanish on its way. That no
//! unit was burnt is part of the invariants which every test checks at its end.

use super::*;
use failsafe_primitives::{AccountId, Evidence, Side};
use frame_support::{assert_noop, assert_ok};

type CustodyError = pallet_custody::Error<Test>;

/// Number of the asset that [`issue`] makes.
const JUNK: u32 = 7;

/// An asset with a minimum balance, issued to some parties.
fn issue(sufficient: bool, minimum: u128, to: &[(&Party, u128)]) {
    let owner = AccountId::new([0xee; 32]);
    let root = RuntimeOrigin::root();
    assert_ok!(Assets::force_create(root, JUNK, owner, sufficient, minimum));
    for (who, amount) in to {
        mint(JUNK, who, *amount);
    }
}

fn issuer() -> RuntimeOrigin {
    RuntimeOrigin::signed(AccountId::new([0xee; 32]))
}

fn deposit_junk(who: &Party, amount: u128, partner: &Party) -> DispatchResult {
    Insurance::deposit(who.origin(), JUNK, amount, who.id(), partner.id(), None)
        .map(drop)
        .map_err(|error| error.error)
}

#[test]
fn m4_deposit_should_be_refused_when_it_would_leave_the_depositor_dust() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 1).build_and_execute(|| {
        issue(true, 1_000, &[(a, 3_900)]);
        // With the seed of 1000, 900 would be left.
        assert_noop!(deposit_junk(a, 2_000, b), CustodyError::WouldLeaveDust);
        assert_ok!(deposit_junk(a, 1_900, b));
        assert_eq!(free(JUNK, a), 1_000);
        assert_ok!(deposit_junk(a, 1_000, b));
        assert_eq!(free(JUNK, a), 0, "all of it may go");
    });
}

#[test]
fn m4_withdrawal_should_be_refused_when_it_would_leave_the_partner_dust() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 1).build_and_execute(|| {
        issue(true, 1_000, &[(a, 4_000), (b, 2_900)]);
        assert_ok!(deposit_junk(a, 2_000, b));
        let channel = Channel::new(a, b);
        let proof = channel.withdrawal(Side::Left, 0, &[(JUNK, 4_000, 2_000)]);
        assert_noop!(withdraw(a, b, proof), CustodyError::WouldLeaveDust);
        let proof = channel.withdrawal(Side::Left, 0, &[(JUNK, 3_900, 1_900)]);
        assert_ok!(withdraw(a, b, proof));
        assert_eq!((free(JUNK, a), free(JUNK, b)), (4_900, 1_000), "exactly what was signed");
    });
}

#[test]
fn m5_deposit_should_be_possible_when_custody_has_used_up_its_references() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 10_000).balance(b, 1).build_and_execute(|| {
        issue(false, 1, &[(a, 100)]);
        assert_ok!(deposit_junk(a, 50, b));
        let proof = Channel::new(a, b).withdrawal(Side::Left, 0, &[(JUNK, 50, 0)]);
        assert_ok!(withdraw(a, b, proof));
        assert!(pallet_assets::Account::<Test>::get(JUNK, Custody::account()).is_none());
        while System::can_inc_consumer(&Custody::account()) {
            System::inc_consumers(&Custody::account()).unwrap();
        }
        assert_ok!(deposit_junk(a, 50, b));
        assert_eq!(Channel::new(a, b).collateral(JUNK), collateral(50, 50));
    });
}

#[test]
fn c3_money_should_wait_as_unclaimed_when_the_issuer_has_filled_the_supply() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 1).balance(b, 1).build().execute_with(|| {
        issue(true, 1, &[(a, 100)]);
        assert_ok!(deposit_junk(a, 90, b));
        let rest = u128::MAX - 100 - 50;
        let owner = AccountId::new([0xee; 32]);
        assert_ok!(Assets::mint(issuer(), JUNK, owner.clone(), rest));
        let proof = Channel::new(a, b).withdrawal(Side::Left, 0, &[(JUNK, 90, 0)]);
        assert_ok!(withdraw(a, b, proof));
        assert_eq!((free(JUNK, a), Custody::unclaimed(a.id(), JUNK)), (10, 90));
        check_invariants();
        let claim = || Custody::claim(b.origin(), a.id(), JUNK);
        assert_noop!(claim(), CustodyError::StillRefused);
        assert_ok!(Assets::burn(issuer(), JUNK, owner, rest));
        assert_ok!(claim());
        assert_eq!(free(JUNK, a), 100);
        check_invariants();
    });
}

#[test]
fn c3_deposit_should_be_refused_when_the_asset_would_swallow_it() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 1).build().execute_with(|| {
        issue(true, 1, &[(a, 100)]);
        let owner = AccountId::new([0xee; 32]);
        assert_ok!(Assets::mint(issuer(), JUNK, owner, u128::MAX - 100 - 50));
        assert_noop!(deposit_junk(a, 90, b), CustodyError::NotMoved);
        assert_eq!(free(JUNK, a), 100);
        assert_ok!(deposit_junk(a, 40, b));
        check_invariants();
    });
}

#[test]
fn c3_debt_should_wait_when_the_asset_would_swallow_its_payment() {
    use failsafe_pallet_support::DebtLedger;
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().build().execute_with(|| {
        issue(true, 1, &[(a, 100)]);
        let owner = AccountId::new([0xee; 32]);
        let rest = u128::MAX - 100 - 50;
        assert_ok!(Assets::mint(issuer(), JUNK, owner.clone(), rest));
        assert_eq!(Debt::pay_or_book(&a.id(), &b.id(), JUNK, 90, 1), 90);
        next_block();
        assert_eq!((free(JUNK, a), free(JUNK, b)), (100, 0));
        assert_ok!(Assets::burn(issuer(), JUNK, owner, rest));
        next_block();
        assert_eq!((free(JUNK, a), free(JUNK, b)), (10, 90));
        check_invariants();
    });
}

#[test]
fn c3_asset_should_not_be_destroyed_while_it_is_in_custody() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 1).build_and_execute(|| {
        issue(true, 10, &[(a, 200)]);
        assert_ok!(deposit_junk(a, 90, b));
        let start = || Assets::start_destroy(issuer(), JUNK);
        let held = || pallet_assets::Error::<Test>::ContainsHolds;
        assert_noop!(start(), held());
        assert_noop!(Assets::start_destroy(RuntimeOrigin::root(), JUNK), held());
        assert_ok!(Assets::block(issuer(), JUNK, a.id()));
        assert_ok!(dispute(a, b, Evidence::default()));
        run_until_resolved(&Channel::new(a, b));
        assert_eq!(Custody::unclaimed(a.id(), JUNK), 90);
        assert_noop!(start(), held());
        assert_ok!(Assets::thaw(issuer(), JUNK, a.id()));
        assert_ok!(Custody::claim(b.origin(), a.id(), JUNK));
        assert_ok!(start());
    });
}

#[test]
fn c3_custody_should_forget_its_seed_when_the_asset_is_destroyed() {
    let p = Party::ordered(2);
    let (a, b) = (&p[0], &p[1]);
    ExtBuilder::default().balance(a, 1).build_and_execute(|| {
        issue(true, 10, &[(a, 200)]);
        assert_ok!(deposit_junk(a, 90, b));
        let proof = Channel::new(a, b).withdrawal(Side::Left, 0, &[(JUNK, 90, 0)]);
        assert_ok!(withdraw(a, b, proof));
        assert_eq!(pallet_custody::Seeds::<Test>::get(JUNK), 10);
        assert_ok!(Assets::start_destroy(issuer(), JUNK));
        assert_ok!(Assets::destroy_accounts(issuer(), JUNK));
        assert_ok!(Assets::finish_destroy(issuer(), JUNK));
        assert_eq!(pallet_custody::Seeds::<Test>::get(JUNK), 0);
        issue(true, 10, &[(a, 200)]);
        assert_ok!(deposit_junk(a, 90, b));
        assert_eq!(free(JUNK, a), 100, "a seed is paid again");
    });
}

#[test]
fn custody_should_hold_more_than_it_owes_when_somebody_sends_it_money() {
    let p = Party::ordered(1);
    ExtBuilder::default().balance(&p[0], 100).build().execute_with(|| {
        let custody = Custody::account();
        assert_ok!(Balances::transfer_allow_death(p[0].origin(), custody, 40));
        assert_ok!(Custody::do_try_state());
    });
}
