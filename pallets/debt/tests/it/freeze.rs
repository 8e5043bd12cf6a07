use super::*;
use frame_support::{assert_ok, traits::fungible::InspectFreeze};

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
