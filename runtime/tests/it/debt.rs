//! Debts that a dispute leaves, and what a debtor can still pay.

use crate::chain::*;
use failsafe_primitives::{AssetId, Balance, Evidence, NATIVE_ASSET};
use failsafe_runtime::{
    Balances, Debt, Parameters, Runtime, RuntimeCall, System, TransactionPayment,
    EXISTENTIAL_DEPOSIT, FRB, FRD,
};
use frame_support::dispatch::GetDispatchInfo;
use sp_keyring::Sr25519Keyring::{Bob, Charlie, Ferdie};
use sp_runtime::transaction_validity::InvalidTransaction;

/// S41: 1 owes 1,000 to 123, who has got 10 from a friend and disputes, while the bank has
/// `bank_has`. Returns what 123 and the bank have after it.
fn bad_bank(
    chain: &mut Chain,
    asset: AssetId,
    bank: &Party,
    customer: &Party,
    bank_has: Balance,
) -> (Balance, Balance) {
    let friend = Party::known(Bob);
    assert_eq!(chain.one(friend.does(transfer_of(asset, customer, 10 * FRD))), Ok(()));
    if bank_has > 0 {
        assert_eq!(chain.one(friend.does(transfer_of(asset, bank, bank_has))), Ok(()));
    }
    let channel = Channel::new(bank, customer);
    let evidence = channel.theirs(bank, &sent_in(asset, 1, 1_000 * FRD));
    assert_eq!(chain.one(customer.does(dispute(&channel, bank, evidence))), Ok(()));
    chain.run_until_resolved(&channel);
    (free(asset, customer), free(asset, bank))
}

/// Runs the bad bank in both assets.
fn s41(bank_has: Balance, customer_gets: Balance, bank_keeps: Balance, debt: Balance) {
    for asset in [NATIVE_ASSET, FRB] {
        on(STORY, |chain| {
            let s = Party::strangers(2);
            let has = bad_bank(chain, asset, &s[0], &s[1], bank_has * FRD);
            assert_eq!(has, (customer_gets * FRD, bank_keeps * FRD), "asset {asset}");
            let owed = Debt::owed_to(s[0].id(), s[1].id(), asset);
            assert_eq!(owed, debt * FRD, "asset {asset}");
        });
    }
}

#[test]
fn s41_bank_should_owe_all_when_it_has_nothing() {
    s41(0, 10, 0, 1_000);
}

#[test]
fn s41_bank_should_pay_in_part_when_it_has_400() {
    s41(400, 410, 0, 600);
}

#[test]
fn s41_bank_should_pay_all_when_it_has_10_000() {
    s41(10_000, 1_010, 9_000, 0);
}

#[test]
fn s41_income_should_go_to_the_creditor_at_once_when_a_friend_pays_the_bank() {
    for asset in [NATIVE_ASSET, FRB] {
        on(STORY, |chain| {
            let s = Party::strangers(2);
            let (bank, customer) = (&s[0], &s[1]);
            bad_bank(chain, asset, bank, customer, 0);
            let income = transfer_of(asset, bank, 700 * FRD);
            assert_eq!(chain.one(Party::known(Bob).does(income)), Ok(()));
            // In the same block, by the sweep.
            assert_eq!(free(asset, customer), 710 * FRD);
            assert_eq!(free(asset, bank), 0);
            assert_eq!(Debt::owed_to(bank.id(), customer.id(), asset), 300 * FRD);
        });
    }
}

#[test]
fn s34_income_should_serve_creditors_in_order_when_there_are_several() {
    on(STORY, |chain| {
        let s = Party::strangers(4);
        let hub = &s[0];
        let creditors = &s[1..];
        for (creditor, owed) in creditors.iter().zip([300, 500, 200]) {
            let channel = Channel::new(hub, creditor);
            let evidence = channel.theirs(hub, &sent_in(FRB, 1, owed * FRD));
            chain.all(vec![
                Party::known(Bob).does(transfer(creditor, FRD)),
                creditor.does(dispute(&channel, hub, evidence)),
            ]);
        }
        chain.run_to_clock(now() + 8);
        let have = || creditors.iter().map(|who| free(FRB, who) / FRD).collect::<Vec<_>>();
        let income = |amount| Party::known(Bob).does(transfer_of(FRB, hub, amount * FRD));
        assert_eq!(chain.one(income(400)), Ok(()));
        assert_eq!(have(), vec![300, 100, 0]);
        assert_eq!(chain.one(income(1_000)), Ok(()));
        assert_eq!(have(), vec![300, 500, 200]);
        assert_eq!(free(FRB, hub), 400 * FRD);
        assert_eq!(Debt::owes(hub.id()), vec![]);
    });
}

/// A chain with prices, a debtor of Ferdie's who has the floor left, and the floor.
fn with_debtor(test: impl FnOnce(&mut Chain, &Party, Balance)) {
    on(DEVELOPMENT, |chain| {
        let debtor = &Party::strangers(1)[0];
        let ferdie = Party::known(Ferdie);
        assert_eq!(chain.one(ferdie.does(transfer(debtor, FRD))), Ok(()));
        let channel = Channel::new(debtor, &ferdie);
        let evidence = channel.theirs(debtor, &sent(1, 5_000 * FRD));
        assert_eq!(chain.one(ferdie.does(dispute(&channel, debtor, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        let floor = Parameters::current().floor_user;
        assert_eq!(free(NATIVE_ASSET, debtor), floor);
        test(chain, debtor, floor);
    });
}

fn remark() -> RuntimeCall {
    frame_system::Call::remark { remark: vec![] }.into()
}

/// The fee of a remark with a tip of five bytes, without the tip.
fn fee_of_remark(chain: &mut Chain) -> Balance {
    let tip = FRD / 20;
    chain.trial(|chain| {
        assert_eq!(chain.one(Party::known(Bob).does(remark()).tip(tip)), Ok(()));
        fees_paid()[0] - tip
    })
}

#[test]
fn s35_debt_should_leave_the_floor_alone_when_it_is_collected() {
    with_debtor(|chain, debtor, floor| {
        let ferdie = Party::known(Ferdie);
        let before = free(NATIVE_ASSET, &ferdie);
        let income = Party::known(Bob).does(transfer(debtor, 50 * FRD));
        assert_eq!(chain.one(income), Ok(()));
        assert_eq!(free(NATIVE_ASSET, debtor), floor);
        assert_eq!(free(NATIVE_ASSET, &ferdie) - before, 50 * FRD);
    });
}

#[test]
fn debtor_should_pay_its_fee_when_it_is_below_the_floor() {
    with_debtor(|chain, debtor, floor| {
        assert_eq!(chain.one(debtor.does(remark())), Ok(()));
        let fee = fees_paid()[0];
        assert!(fee > 0);
        assert_eq!(free(NATIVE_ASSET, debtor), floor - fee);
    });
}

#[test]
fn debtor_should_be_refused_when_fee_and_tip_pass_what_keeps_it_alive() {
    with_debtor(|chain, debtor, floor| {
        // The balance is the floor: what it may spend of that and stay alive.
        let most = floor - EXISTENTIAL_DEPOSIT;
        let tip = most - fee_of_remark(chain);
        let result = chain.block(vec![debtor.does(remark()).tip(tip + 1)]).remove(0);
        assert_eq!(result, Err(InvalidTransaction::Payment.into()));
        assert_eq!(free(NATIVE_ASSET, debtor), floor);
        assert_eq!(chain.one(debtor.does(remark()).tip(tip)), Ok(()));
        assert_eq!(free(NATIVE_ASSET, debtor), EXISTENTIAL_DEPOSIT);
    });
}

#[test]
fn debtor_should_be_refused_when_fee_and_tip_pass_the_floor_in_spite_of_income() {
    with_debtor(|chain, debtor, floor| {
        let tip = floor - fee_of_remark(chain);
        let income = || Party::known(Bob).does(transfer(debtor, 50 * FRD));
        for (tip, valid) in [(tip + 1, false), (tip, true)] {
            chain.trial(|chain| {
                // The income is there, and not collected yet.
                let tx = debtor.does(remark()).tip(tip);
                let results = chain.block(vec![income(), tx]);
                assert_eq!(results[0], Ok(Ok(())));
                let refused = Err(InvalidTransaction::Payment.into());
                assert_eq!(results[1], if valid { Ok(Ok(())) } else { refused }, "tip {tip}");
            });
        }
    });
}

#[test]
fn debtor_should_carry_past_its_creditor_at_most_the_floor_when_it_pays_many_fees() {
    with_debtor(|chain, debtor, floor| {
        let ferdie = Party::known(Ferdie);
        let before = free(NATIVE_ASSET, &ferdie);
        // Income, and in the same block fees with tips, for an author that is a friend.
        let tip = floor / 3;
        let mut taken = 0;
        for _ in 0..2 {
            let first = System::account_nonce(debtor.id());
            let mut block = vec![Party::known(Bob).does(transfer(debtor, 50 * FRD))];
            block.extend((0..40).map(|i| debtor.does(remark()).tip(tip).nonce(first + i)));
            let results = chain.block(block);
            taken += results.iter().skip(1).filter(|result| result.is_ok()).count();
        }
        assert_eq!(taken, 2, "of 80, in two blocks");
        assert_eq!(free(NATIVE_ASSET, debtor), floor);
        assert!(free(NATIVE_ASSET, &ferdie) - before >= 99 * FRD);
    });
}

#[test]
fn tip_should_not_be_limited_by_the_floor_when_nothing_is_owed() {
    on(DEVELOPMENT, |chain| {
        let bob = Party::known(Bob);
        assert_eq!(chain.one(bob.does(remark()).tip(1_000 * FRD)), Ok(()));
        assert_eq!(free(NATIVE_ASSET, &bob), 1_000_000 * FRD - fees_paid()[0]);
    });
}

#[test]
fn tip_should_not_be_limited_by_the_floor_when_only_another_asset_is_owed() {
    on(DEVELOPMENT, |chain| {
        let (bob, ferdie) = (Party::known(Bob), Party::known(Ferdie));
        let channel = Channel::new(&bob, &ferdie);
        let evidence = channel.theirs(&bob, &sent_in(FRB, 1, 2_000_000 * FRD));
        assert_eq!(chain.one(ferdie.does(dispute(&channel, &bob, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!(Debt::owed_to(bob.id(), ferdie.id(), FRB), 1_000_000 * FRD);
        assert_eq!(chain.one(bob.does(remark()).tip(1_000 * FRD)), Ok(()));
        assert_eq!(free(NATIVE_ASSET, &bob), 1_000_000 * FRD - fees_paid()[0]);
    });
}

/// Opens a dispute of Bob against the debtor, who holds a simplex of Bob's.
fn disputed_by_bob(chain: &mut Chain, debtor: &Party) -> Evidence {
    let bob = Party::known(Bob);
    assert_eq!(chain.one(bob.does(deposit(10 * FRD, &bob, debtor))), Ok(()));
    let channel = Channel::new(&bob, debtor);
    assert_eq!(chain.one(bob.does(dispute(&channel, debtor, Default::default()))), Ok(()));
    channel.theirs(&bob, &sent(1, 3 * FRD))
}

#[test]
fn debtor_should_get_fees_back_when_the_dispatch_was_cheaper() {
    with_debtor(|chain, debtor, floor| {
        let evidence = disputed_by_bob(chain, debtor);
        let bob = Party::known(Bob);
        let call = counter(&bob, evidence);
        let most = TransactionPayment::compute_fee(0, &call.get_dispatch_info(), 0);
        // The second one changes nothing, so it is not free.
        chain.all(vec![debtor.does(call.clone()), debtor.does(call)]);
        let fee = fees_paid()[0];
        assert!(0 < fee && fee < most / 2, "{fee} of {most}");
        assert_eq!(free(NATIVE_ASSET, debtor), floor - fee);
    });
}

#[test]
fn debtor_should_pay_nothing_when_its_counter_changes_the_dispute() {
    with_debtor(|chain, debtor, floor| {
        let evidence = disputed_by_bob(chain, debtor);
        let call = counter(&Party::known(Bob), evidence);
        assert_eq!(chain.one(debtor.does(call)), Ok(()));
        assert_eq!(fees_paid(), vec![0]);
        assert_eq!(free(NATIVE_ASSET, debtor), floor);
    });
}

#[test]
fn debtor_should_pay_its_tip_when_its_counter_is_free() {
    with_debtor(|chain, debtor, floor| {
        let evidence = disputed_by_bob(chain, debtor);
        let call = counter(&Party::known(Bob), evidence);
        let tip = FRD / 1_000;
        assert_eq!(chain.one(debtor.does(call).tip(tip)), Ok(()));
        assert_eq!(fees_paid(), vec![tip]);
        assert_eq!(free(NATIVE_ASSET, debtor), floor - tip);
    });
}

#[test]
fn a19_counter_should_be_free_when_nothing_is_owed() {
    on(DEVELOPMENT, |chain| {
        let charlie = Party::known(Charlie);
        let evidence = disputed_by_bob(chain, &charlie);
        let call = counter(&Party::known(Bob), evidence);
        assert_eq!(chain.one(charlie.does(call)), Ok(()));
        assert_eq!(free(NATIVE_ASSET, &charlie), 1_000_000 * FRD);
    });
}

#[test]
fn debtor_should_recover_its_money_by_a_dispute_when_it_has_only_the_floor() {
    with_debtor(|chain, debtor, floor| {
        let (bob, ferdie) = (Party::known(Bob), Party::known(Ferdie));
        // Bob insures what he owes to the debtor, then is silent.
        assert_eq!(chain.one(bob.does(deposit(70 * FRD, &bob, debtor))), Ok(()));
        let channel = Channel::new(&bob, debtor);
        let evidence = channel.theirs(&bob, &sent(1, 60 * FRD));
        let before = free(NATIVE_ASSET, &ferdie);
        assert_eq!(chain.one(debtor.does(dispute(&channel, &bob, evidence))), Ok(()));
        let fee = fees_paid()[0];
        chain.run_until_resolved(&channel);
        assert_eq!(free(NATIVE_ASSET, &ferdie) - before, 60 * FRD - fee);
        assert_eq!(free(NATIVE_ASSET, debtor), floor);
    });
}

#[test]
fn debtor_should_recover_its_money_when_no_record_and_only_the_floor_is_there() {
    with_debtor(|chain, debtor, _| {
        // A pair that the chain has never seen: the debtor pays its record, too.
        let bob = Party::known(Bob);
        let channel = Channel::new(&bob, debtor);
        let evidence = channel.theirs(&bob, &sent(1, 60 * FRD));
        assert_eq!(chain.one(debtor.does(dispute(&channel, &bob, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!(free(NATIVE_ASSET, &bob), 999_940 * FRD);
    });
}

#[test]
fn hub_deposit_should_go_to_the_creditor_when_a_hub_in_debt_leaves() {
    on(DEVELOPMENT, |chain| {
        let hub = &Party::strangers(1)[0];
        let ferdie = Party::known(Ferdie);
        let values = Parameters::current();
        let money = values.hub_deposit + values.floor_hub + FRD;
        let register = pallet_hubs::Call::register {
            handle: b"eu".to_vec().try_into().expect("short"),
            endpoint: b"localhost:9700".to_vec().try_into().expect("short"),
            transport_key: [7; 32],
            fees: failsafe_primitives::fees::HubFees { base: 0, ppm: 0 },
            routes: Default::default(),
        };
        chain.all(vec![ferdie.does(transfer(hub, money)), hub.does(register)]);
        let channel = Channel::new(hub, &ferdie);
        let evidence = channel.theirs(hub, &sent(1, 5_000 * FRD));
        assert_eq!(chain.one(ferdie.does(dispute(&channel, hub, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        // The existential deposit, which the deposit on hold keeps there, is part of the floor.
        assert_eq!(free(NATIVE_ASSET, hub), values.floor_hub);
        assert_eq!(chain.one(hub.does(pallet_hubs::Call::retire {})), Ok(()));
        let notice = fees_paid()[0];
        let leaves_at = pallet_hubs::Retiring::<Runtime>::get(hub.id()).expect("announced");
        assert_eq!(leaves_at, now() + values.late);
        chain.run_to_clock(leaves_at);
        let before = free(NATIVE_ASSET, &ferdie);
        let leave = pallet_hubs::Call::leave { hub: hub.id() };
        assert_eq!(chain.one(hub.does(leave)), Ok(()));
        // Its floor is that of a user now.
        let got = free(NATIVE_ASSET, &ferdie) - before;
        let lower = values.floor_hub - values.floor_user;
        assert_eq!(got, values.hub_deposit + lower - notice - fees_paid()[0]);
        assert_eq!(Balances::reserved_balance(hub.id()), 0);
        assert_eq!(free(NATIVE_ASSET, hub), values.floor_user);
    });
}
