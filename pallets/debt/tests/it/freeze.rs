use super::*;
use failsafe_primitives::debt::ALLOWANCE_WINDOW;
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectFreeze};

#[test]
fn h07_debtor_should_not_move_the_asset_out_while_it_owes() {
    let p = Party::ordered(4);
    let (h, a, x, y) = (&p[0], &p[1], &p[2], &p[3]);
    ExtBuilder::default().balance(x, 1_000).build_and_execute(|| {
        // The debtor has no account yet: the freeze stands nevertheless.
        owe(h, a, 500, 1);
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 400));
        // In the same block, before the sweep.
        assert!(Balances::transfer_allow_death(h.origin(), y.id(), 1).is_err());
        assert!(Balances::transfer_all(h.origin(), y.id(), false).is_ok());
        assert_eq!(free(FRD, y), 0, "transfer_all finds nothing to transfer");
        let deposit = Insurance::deposit(h.origin(), FRD, 1, h.id(), y.id(), None);
        assert!(deposit.is_err());
        assert_eq!(Debt::spendable(&h.id(), FRD), 0);
        end_block();
        assert_eq!(free(FRD, a), 400);
    });
}

#[test]
fn h07_debtor_should_be_free_again_when_all_is_paid() {
    let p = Party::ordered(4);
    let (h, a, x, y) = (&p[0], &p[1], &p[2], &p[3]);
    ExtBuilder::default().balance(x, 1_000).build_and_execute(|| {
        owe(h, a, 500, 1);
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 600));
        end_block();
        assert_eq!(debts(h), vec![]);
        let reason = RuntimeFreezeReason::Debt(pallet_debt::FreezeReason::Debt);
        assert_eq!(Balances::balance_frozen(&reason, &h.id()), 0);
        assert_ok!(Balances::transfer_allow_death(h.origin(), y.id(), 100));
        assert_eq!(free(FRD, y), 100);
        assert_eq!(System::providers(&h.id()), 0, "no reference stays behind");
    });
}

#[test]
fn h07_debtor_should_move_other_assets_while_it_owes_in_one() {
    let p = Party::ordered(3);
    let (h, a, y) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().frb(h, 50).build_and_execute(|| {
        owe(h, a, 500, 1);
        assert_ok!(Assets::transfer(h.origin(), FRB, y.id(), 20));
        Debt::pay_or_book(&h.id(), &a.id(), FRB, 100, 1);
        assert!(Assets::transfer(h.origin(), FRB, y.id(), 1).is_err());
        assert_eq!(free(FRB, a), 30);
    });
}

#[test]
fn fee_allowance_should_end_at_the_floor_when_the_account_owes() {
    let p = Party::ordered(3);
    let (h, a, x) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default().balance(h, 80).balance(x, 1_000);
    builder.parameters(|v| v.floor_user = 100).build_and_execute(|| {
        assert_eq!(Debt::fee_allowance(&h.id()), None, "no debt, no limit");
        owe(h, a, 500, 1);
        assert_eq!(Debt::fee_allowance(&h.id()), Some(80));
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 900));
        assert_eq!(Debt::fee_allowance(&h.id()), Some(100), "income is for the creditors");
    });
}

#[test]
fn fee_allowance_should_count_what_was_used_in_its_window_when_income_comes_in_between() {
    let p = Party::ordered(3);
    let (h, a, x) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default().balance(h, 80).balance(x, 1_000);
    builder.parameters(|v| v.floor_user = 100).build_and_execute(|| {
        Debt::use_allowance(&h.id(), 70);
        owe(h, a, 500, 1);
        assert_eq!(Debt::fee_allowance(&h.id()), Some(80), "nothing was owed then");
        Debt::use_allowance(&h.id(), 70);
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 900));
        assert_eq!(Debt::fee_allowance(&h.id()), Some(30));
        Debt::use_allowance(&h.id(), 30);
        assert_eq!(Debt::fee_allowance(&h.id()), Some(0));
        Debt::release_allowance(&h.id(), 5);
        assert_eq!(Debt::fee_allowance(&h.id()), Some(5), "a refund");
        let (begin, window) = (System::block_number(), u64::from(ALLOWANCE_WINDOW));
        System::set_block_number(begin + window - 1);
        assert_eq!(Debt::fee_allowance(&h.id()), Some(5));
        System::set_block_number(begin + window);
        assert_eq!(Debt::fee_allowance(&h.id()), Some(100));
        System::set_block_number(begin);
    });
}

fn register(who: &Party) -> frame_support::dispatch::DispatchResult {
    let handle = b"h".to_vec().try_into().unwrap();
    let endpoint = b"a:1".to_vec().try_into().unwrap();
    Hubs::register(who.origin(), handle, endpoint, [0; 32], Default::default(), Default::default())
}

#[test]
fn h07_debtor_should_not_move_income_out_when_it_has_a_deposit_on_hold() {
    let p = Party::ordered(4);
    let (h, b, x, y) = (&p[0], &p[1], &p[2], &p[3]);
    let builder = ExtBuilder::default().balance(h, 200).balance(x, 1_000);
    builder.parameters(|v| v.hub_deposit = 100).build_and_execute(|| {
        assert_ok!(register(h));
        assert_ok!(Balances::transfer_allow_death(h.origin(), y.id(), 99));
        owe(h, b, 80, 1);
        // Income and outflow in one block, before the sweep.
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 70));
        assert!(Balances::transfer_allow_death(h.origin(), y.id(), 1).is_err());
        end_block();
        assert_eq!((free(FRD, b), free(FRD, y)), (71, 99));
        assert_eq!(debts(h), vec![(b.id(), 9)]);
    });
}

#[test]
fn h07_deposit_should_be_for_the_creditors_when_an_indebted_hub_retires() {
    let p = Party::ordered(2);
    let (h, b) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().balance(h, 200).balance(b, 1);
    builder.parameters(|v| v.hub_deposit = 100).build_and_execute(|| {
        assert_ok!(register(h));
        owe(h, b, 500, 1);
        end_block();
        assert_eq!(debts(h), vec![(b.id(), 400)]);
        assert_ok!(Hubs::retire(h.origin()));
        assert_eq!(free(FRD, b), 101, "the deposit stays on hold until the notice is over");
        run_to_clock(pallet_hubs::Retiring::<Test>::get(h.id()).unwrap());
        assert_ok!(Hubs::leave(b.origin(), h.id()));
        assert_eq!((free(FRD, h), free(FRD, b)), (0, 201));
    });
}

/// A debtor that has just got 1000 and owns asset 9, and another account.
fn with_income(test: impl FnOnce(&Party, &Party)) {
    let p = Party::ordered(4);
    let (h, b, x, y) = (&p[0], &p[1], &p[2], &p[3]);
    let builder = ExtBuilder::default().balance(x, 2_000).frb(h, 50).balance(y, 1);
    builder.build_and_execute(|| {
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 10));
        assert_ok!(Assets::create(h.origin(), 9, h.id(), 1));
        owe(h, b, 5_000, 1);
        assert_ok!(Balances::transfer_allow_death(x.origin(), h.id(), 1_000));
        test(h, y);
        end_block();
        assert_eq!(free(FRD, b), 1_009, "all of it is for the creditor");
    });
}

#[test]
fn h07_debtor_should_not_reserve_income_when_it_creates_touches_or_approves() {
    let frozen = sp_runtime::TokenError::Frozen;
    with_income(|h, y| {
        assert_noop!(Assets::create(h.origin(), 10, h.id(), 1), frozen);
        assert_noop!(Assets::approve_transfer(h.origin(), FRB, y.id(), 1), frozen);
        assert_noop!(Assets::touch(h.origin(), 9), frozen);
        assert_noop!(Assets::touch_other(h.origin(), 9, y.id()), frozen);
        assert_noop!(Assets::set_metadata(h.origin(), 9, vec![1; 9], vec![1; 9], 0), frozen);
    });
}

#[test]
fn h07_debtor_should_not_give_its_reserves_away_with_an_asset() {
    with_income(|h, y| {
        let given = Assets::transfer_ownership(h.origin(), 9, y.id());
        assert_noop!(given, pallet_assets::Error::<Test>::IncompleteDepositTransfer);
    });
}
