//! Channels from the first deposit to the end, on the chain of the story and on a priced one.

use crate::chain::*;
use failsafe_primitives::{AssetId, Balance, Side, NATIVE_ASSET};
use failsafe_runtime::{Debt, Insurance, Runtime, RuntimeEvent, FRB, FRD};
use pallet_insurance::{Error, Event};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Ferdie};

/// 2, 1 and 123 of the story, in the order of their ids: 2 is left of 1, which is left of 123.
pub struct Cast {
    pub two: Party,
    pub one: Party,
    pub bank_customer: Party,
}

impl Cast {
    /// 1 and 2 have 10,000 each, 123 is not on the chain.
    pub fn new(chain: &mut Chain) -> Self {
        let [two, one, bank_customer] = Party::strangers(3).try_into().ok().expect("three");
        let bob = Party::known(Bob);
        chain.all(vec![
            bob.does(transfer(&one, 10_000 * FRD)),
            bob.does(transfer(&two, 10_000 * FRD)),
        ]);
        Self { two, one, bank_customer }
    }

    fn frd(&self) -> [Balance; 3] {
        [&self.one, &self.two, &self.bank_customer].map(|who| free(NATIVE_ASSET, who) / FRD)
    }
}

/// Signed units.
fn units(amount: i128) -> i128 {
    amount * i128::try_from(FRD).expect("fits")
}

fn insurance_events() -> Vec<Event<Runtime>> {
    let ours = |event| match event {
        RuntimeEvent::Insurance(event) => Some(event),
        _ => None,
    };
    events().into_iter().filter_map(ours).collect()
}

#[test]
fn s40_story_should_end_with_its_numbers_when_the_bank_is_good() {
    on(STORY, |chain| {
        let cast = Cast::new(chain);
        let Cast { two, one, bank_customer } = &cast;
        // 1
        assert_eq!(chain.one(two.does(deposit(5_000 * FRD, two, one))), Ok(()));
        let (first, second) = (Channel::new(two, one), Channel::new(one, bank_customer));
        assert_eq!(cast.frd(), [10_000, 5_000, 0]);
        assert_eq!(first.collateral(), (5_000 * FRD, units(5_000)));
        // 5, after 2 has paid 1,000 to 123 by way of 1.
        let rebalance = atomic(vec![
            first.withdrawal(one, 1_000 * FRD, 0),
            deposit(1_000 * FRD, one, bank_customer),
        ]);
        assert_eq!(chain.one(one.does(rebalance)), Ok(()));
        assert_eq!(cast.frd(), [10_000, 5_000, 0]);
        assert_eq!(first.collateral(), (4_000 * FRD, units(5_000)));
        assert_eq!(second.collateral(), (1_000 * FRD, units(1_000)));
        // 6
        let splice = atomic(vec![
            first.withdrawal(two, 3_000 * FRD, 0),
            deposit(3_000 * FRD, bank_customer, one),
        ]);
        assert_eq!(chain.one(two.does(splice)), Ok(()));
        assert_eq!(first.collateral(), (1_000 * FRD, units(2_000)));
        assert_eq!(second.collateral(), (4_000 * FRD, units(1_000)));
        // 7
        chain.all(vec![
            two.does(first.close(two, units(-1_000))),
            one.does(second.close(one, units(-1_000))),
        ]);
        assert_eq!(cast.frd(), [10_000, 6_000, 4_000]);
        assert_eq!((first.collateral(), second.collateral()), ((0, 0), (0, 0)));
    });
}

#[test]
fn s40_story_should_end_with_its_numbers_when_the_channels_end_in_disputes() {
    on(STORY, |chain| {
        let cast = Cast::new(chain);
        let Cast { two, one, bank_customer } = &cast;
        assert_eq!(chain.one(two.does(deposit(5_000 * FRD, two, one))), Ok(()));
        let (first, second) = (Channel::new(two, one), Channel::new(one, bank_customer));
        let rebalance = atomic(vec![
            first.withdrawal(one, 1_000 * FRD, 0),
            deposit(1_000 * FRD, one, bank_customer),
        ]);
        let splice = atomic(vec![
            first.withdrawal(two, 3_000 * FRD, 0),
            deposit(3_000 * FRD, bank_customer, one),
        ]);
        chain.all(vec![one.does(rebalance), two.does(splice)]);
        // 1 disputes both, honestly: with what 2 signed, and with its own that 123 acknowledged.
        let own = second.twice(one, &sent(1, 1_000 * FRD));
        let ours =
            failsafe_primitives::evidence::OwnSimplex::Acked { simplex: own.simplex, ack: own.ack };
        let honest = failsafe_primitives::Evidence { theirs: None, ours: Some(ours) };
        chain.all(vec![
            one.does(dispute(&first, two, first.theirs(two, &sent(1, 1_000 * FRD)))),
            one.does(dispute(&second, bank_customer, honest)),
        ]);
        chain.run_until_resolved(&first);
        chain.run_until_resolved(&second);
        assert_eq!(cast.frd(), [10_000, 6_000, 4_000]);
    });
}

/// The story with fees: 2 of the first transaction to the validator, 5 for the account of 123.
#[test]
fn s40f_story_should_end_with_its_numbers_when_accounts_are_topped_up() {
    let mut config = genesis_config(STORY);
    let top_up = u64::try_from(5 * FRD).expect("fits");
    config["parameters"]["values"]["accountTopUp"] = top_up.into();
    on_genesis(&config, |chain| {
        let cast = Cast::new(chain);
        let Cast { two, one, bank_customer } = &cast;
        let author = chain.next_author();
        let validator = || failsafe_runtime::Balances::free_balance(&author);
        let before = validator();
        assert_eq!(chain.one(two.does(deposit(5_000 * FRD, two, one)).tip(2 * FRD)), Ok(()));
        let (first, second) = (Channel::new(two, one), Channel::new(one, bank_customer));
        // 123 has paid the 5 to 1, off chain: 1 has sent 1,000, 123 has sent 5.
        let rebalance = atomic(vec![
            first.withdrawal(one, 1_000 * FRD, 0),
            deposit(995 * FRD, one, bank_customer),
        ]);
        assert_eq!(chain.one(one.does(rebalance)), Ok(()));
        assert_eq!(cast.frd(), [10_000, 4_998, 5]);
        assert_eq!(validator() - before, 2 * FRD);
        assert_eq!(second.collateral(), (995 * FRD, units(995)));
        let splice = atomic(vec![
            first.withdrawal(two, 3_000 * FRD, 0),
            deposit(3_000 * FRD, bank_customer, one),
        ]);
        assert_eq!(chain.one(two.does(splice)), Ok(()));
        assert_eq!(second.collateral(), (3_995 * FRD, units(995)));
        // "now 123 owns 3995, all insured"
        assert_eq!(chain.one(bank_customer.does(second.close(bank_customer, units(-995)))), Ok(()));
        assert_eq!(cast.frd(), [10_000, 4_998, 4_000]);
    });
}

#[test]
fn s40f_deposit_should_insure_995_when_hub_is_right_and_user_left() {
    let mut config = genesis_config(STORY);
    let top_up = u64::try_from(5 * FRD).expect("fits");
    config["parameters"]["values"]["accountTopUp"] = top_up.into();
    on_genesis(&config, |chain| {
        let s = Party::strangers(2);
        let (user, hub) = (&s[0], &s[1]);
        assert_eq!(chain.one(Party::known(Bob).does(transfer(hub, 1_001 * FRD))), Ok(()));
        assert_eq!(chain.one(hub.does(deposit(995 * FRD, hub, user))), Ok(()));
        let channel = Channel::new(user, hub);
        assert_eq!((free(NATIVE_ASSET, hub), free(NATIVE_ASSET, user)), (FRD, 5 * FRD));
        // The hub has sent 1,000, the user 5.
        assert_eq!(chain.one(hub.does(channel.close(hub, units(995)))), Ok(()));
        assert_eq!(free(NATIVE_ASSET, user), 1_000 * FRD);
        assert_eq!(free(NATIVE_ASSET, hub), FRD);
    });
}

#[test]
fn s09_second_proof_should_be_refused_when_both_have_the_same_nonce() {
    on(STORY, |chain| {
        let alice = Party::known(Alice);
        let other = &Party::strangers(1)[0];
        let alice_bob = [&alice, other];
        for asset in [NATIVE_ASSET, FRB] {
            assert_eq!(chain.one(alice.does(deposit_of(asset, 10 * FRD, &alice, other))), Ok(()));
        }
        let channel = Channel::new(alice_bob[0], alice_bob[1]);
        let first = channel.withdrawal_of(&alice, &[(NATIVE_ASSET, 3 * FRD, 0)]);
        let second = channel.withdrawal_of(&alice, &[(FRB, 5 * FRD, 0)]);
        assert_eq!(chain.one(alice.does(first)), Ok(()));
        let error = Error::<Runtime>::WrongWithdrawalNonce.into();
        assert_eq!(chain.one(alice.does(second)), Err(error));
        assert_eq!(channel.collateral_in(NATIVE_ASSET).0, 7 * FRD);
        assert_eq!(channel.collateral_in(FRB).0, 10 * FRD);
    });
}

#[test]
fn s09_proof_should_move_both_assets_when_it_names_both() {
    on(STORY, |chain| {
        let alice = Party::known(Alice);
        let other = &Party::strangers(1)[0];
        for asset in [NATIVE_ASSET, FRB] {
            assert_eq!(chain.one(alice.does(deposit_of(asset, 10 * FRD, &alice, other))), Ok(()));
        }
        let had = [NATIVE_ASSET, FRB].map(|asset| free(asset, &alice));
        let channel = Channel::new(&alice, other);
        let both = channel.withdrawal_of(&alice, &[(NATIVE_ASSET, 3 * FRD, 0), (FRB, 5 * FRD, 0)]);
        assert_eq!(chain.one(alice.does(both)), Ok(()));
        let has = [NATIVE_ASSET, FRB].map(|asset| free(asset, &alice));
        assert_eq!([has[0] - had[0], has[1] - had[1]], [3 * FRD, 5 * FRD]);
    });
}

#[test]
fn s17_dispute_without_evidence_should_return_all_assets_when_time_is_over() {
    on(STORY, |chain| {
        let alice = Party::known(Alice);
        let other = &Party::strangers(1)[0];
        let had = [NATIVE_ASSET, FRB].map(|asset| free(asset, &alice));
        for asset in [NATIVE_ASSET, FRB] {
            assert_eq!(
                chain.one(alice.does(deposit_of(asset, 5_000 * FRD, &alice, other))),
                Ok(())
            );
        }
        let channel = Channel::new(&alice, other);
        assert_eq!(chain.one(alice.does(dispute(&channel, other, Default::default()))), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!([NATIVE_ASSET, FRB].map(|asset| free(asset, &alice)), had);
        assert_eq!(channel.view().collateral, vec![]);
    });
}

#[test]
fn s60_events_should_tell_the_story_when_the_bank_rebalances() {
    on(STORY, |chain| {
        let Cast { two, one, bank_customer } = Cast::new(chain);
        assert_eq!(chain.one(two.does(deposit(5_000 * FRD, &two, &one))), Ok(()));
        let first = Channel::new(&two, &one);
        let rebalance = atomic(vec![
            first.withdrawal(&one, 1_000 * FRD, 0),
            deposit(1_000 * FRD, &one, &bank_customer),
        ]);
        assert_eq!(chain.one(one.does(rebalance)), Ok(()));
        let told = vec![
            Event::Withdraw {
                account: one.id(),
                partner: two.id(),
                asset: NATIVE_ASSET,
                amount: 1_000 * FRD,
                from_balance: 0,
            },
            Event::Deposit {
                from: one.id(),
                beneficiary: one.id(),
                partner: bank_customer.id(),
                asset: NATIVE_ASSET,
                amount: 1_000 * FRD,
            },
        ];
        assert_eq!(insurance_events(), told);
    });
}

#[test]
fn s60_events_should_tell_the_story_when_the_bank_is_taken_to_the_chain() {
    on(STORY, |chain| {
        let Cast { one, bank_customer, .. } = Cast::new(chain);
        let bob = Party::known(Bob);
        // The bank keeps 400.
        chain.all(vec![
            one.does(transfer(&bob, 9_600 * FRD)),
            bob.does(transfer(&bank_customer, 10 * FRD)),
        ]);
        let channel = Channel::new(&one, &bank_customer);
        let evidence = channel.theirs(&one, &sent(1, 1_000 * FRD));
        assert_eq!(chain.one(bank_customer.does(dispute(&channel, &one, evidence))), Ok(()));
        let opened_in = failsafe_runtime::System::block_number();
        let resolve_at = now() + failsafe_runtime::Parameters::current().delay_user;
        let started = Event::DisputeStarted {
            left: one.id(),
            right: bank_customer.id(),
            epoch: 0,
            starter: bank_customer.id(),
            resolve_at,
        };
        assert_eq!(insurance_events(), vec![started]);

        chain.run_until_resolved(&channel);
        let outcome = pallet_insurance::Outcome {
            asset: NATIVE_ASSET,
            left_insured: 0,
            right_insured: 0,
            left_owed: 1_000 * FRD,
            right_owed: 0,
            booked: 600 * FRD,
        };
        let resolved = Event::DisputeResolved {
            left: one.id(),
            right: bank_customer.id(),
            epoch: 0,
            outcomes: vec![outcome].try_into().expect("one"),
        };
        assert_eq!(insurance_events(), vec![resolved]);
        let created = pallet_debt::Event::DebtCreated {
            debtor: one.id(),
            creditor: bank_customer.id(),
            asset: NATIVE_ASSET,
            amount: 600 * FRD,
            opened_in,
            index: 0,
        };
        assert!(events().contains(&RuntimeEvent::Debt(created)), "{:?}", events());

        assert_eq!(chain.one(bob.does(transfer(&one, 700 * FRD))), Ok(()));
        let enforced = pallet_debt::Event::DebtEnforced {
            debtor: one.id(),
            creditor: bank_customer.id(),
            asset: NATIVE_ASSET,
            amount: 600 * FRD,
            left: 0,
        };
        assert!(events().contains(&RuntimeEvent::Debt(enforced)), "{:?}", events());
    });
}

#[test]
fn dispute_should_be_resolved_by_the_agenda_when_its_clock_is_reached() {
    on(DEVELOPMENT, |chain| {
        let (alice, ferdie) = (Party::known(Alice), Party::known(Ferdie));
        let insured = |asset: AssetId| alice.does(deposit_of(asset, 40 * FRD, &alice, &ferdie));
        chain.all(vec![insured(NATIVE_ASSET), insured(FRB)]);
        let channel = Channel::new(&alice, &ferdie);
        let evidence = channel.theirs(&alice, &sent_in(FRB, 1, 15 * FRD));
        assert_eq!(chain.one(ferdie.does(dispute(&channel, &alice, evidence))), Ok(()));
        let due = channel.view().dispute.expect("open").resolve_at;
        assert_eq!(due, now() + 8);
        let before = free(FRB, &ferdie);

        chain.run_to_clock(due - 1);
        assert!(channel.view().dispute.is_some(), "not before");
        assert_eq!(Insurance::open_disputes(10).len(), 1);
        chain.run_to_clock(due);
        assert_eq!(channel.view().dispute, None);
        assert_eq!(free(FRB, &ferdie) - before, 15 * FRD);
        assert_eq!(failsafe_runtime::Balances::reserved_balance(ferdie.id()), 0, "deposit back");
        assert_eq!(channel.view().epoch, 1);
    });
}

#[test]
fn m15_disputes_should_all_be_resolved_by_the_agenda_when_due_in_one_block() {
    on(DEVELOPMENT, |chain| {
        let ferdie = Party::known(Ferdie);
        let others = Party::strangers(20);
        let deposits =
            (0..).zip(&others).map(|(n, s)| ferdie.does(deposit(FRD, &ferdie, s)).nonce(n));
        assert!(chain.block(deposits.collect()).iter().all(|result| *result == Ok(Ok(()))));
        let disputes = (20..).zip(&others).map(|(n, other)| {
            let channel = Channel::new(&ferdie, other);
            ferdie.does(dispute(&channel, other, Default::default())).nonce(n)
        });
        let disputes = disputes.collect();
        assert!(chain.block(disputes).iter().all(|result| *result == Ok(Ok(()))));
        assert_eq!(Insurance::open_disputes(100).len(), 20);
        chain.run_to_clock(now() + 8);
        assert_eq!(Insurance::open_disputes(100), vec![]);
        assert_eq!(Insurance::insured().values().sum::<Balance>(), 0);
    });
}

#[test]
fn s31_dispute_should_wait_when_blocks_are_stuffed() {
    on(DEVELOPMENT, |chain| {
        let (alice, ferdie) = (Party::known(Alice), Party::known(Ferdie));
        assert_eq!(chain.one(alice.does(deposit(FRD, &alice, &ferdie))), Ok(()));
        let channel = Channel::new(&alice, &ferdie);
        assert_eq!(chain.one(alice.does(dispute(&channel, &ferdie, Default::default()))), Ok(()));
        let start = now();
        // 70 % of 5 MiB is 3,670,016 bytes.
        for _ in 0..8 {
            let remark = vec![0; 3_670_016];
            let stuffing = Party::known(Bob).does(frame_system::Call::remark { remark });
            assert_eq!(chain.one(stuffing), Ok(()));
        }
        assert_eq!(now(), start + 1, "only the first follows a usable block");
        assert!(channel.view().dispute.is_some());
        chain.block(vec![]);
        assert_eq!(now(), start + 1, "its predecessor was stuffed");
        chain.run_until_resolved(&channel);
        assert_eq!(now(), start + 8);
    });
}

#[test]
fn s12_withdrawal_should_draw_on_the_partner_when_the_insurance_is_too_small() {
    on(STORY, |chain| {
        // S12: (30, 80, 0), left a user, right a hub with 1,000.
        let s = Party::strangers(2);
        let (user, hub, alice) = (&s[0], &s[1], Party::known(Alice));
        chain.all(vec![
            alice.does(transfer(user, 80 * FRD)),
            alice.does(transfer(hub, 1_050 * FRD)),
            user.does(deposit(80 * FRD, user, hub)),
        ]);
        let channel = Channel::new(user, hub);
        // From (80, 80) to (30, 80): the hub takes 50 with a proof of the user.
        assert_eq!(chain.one(hub.does(channel.withdrawal(hub, 50 * FRD, 0))), Ok(()));
        assert_eq!(chain.one(hub.does(transfer(&alice, 100 * FRD))), Ok(()));
        assert_eq!(channel.collateral(), (30 * FRD, units(80)));
        assert_eq!(chain.one(alice.does(transfer(user, FRD))), Ok(()));
        let proof = channel.withdrawal(user, 80 * FRD, 50 * FRD);
        assert_eq!(chain.one(user.does(proof)), Ok(()));
        assert_eq!(channel.collateral(), (0, 0));
        assert_eq!(channel.view().withdrawal_nonces, [1, 1]);
        assert_eq!(free(NATIVE_ASSET, hub), 950 * FRD);
        assert_eq!(free(NATIVE_ASSET, user), 81 * FRD);
        assert_eq!(channel.side(user), Side::Left);
        assert!(Debt::owes(hub.id()).is_empty());
    });
}
