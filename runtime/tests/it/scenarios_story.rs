//! The stories of the scenarios over the whole chain: S40f the other way round, S58, S38, S60. Those
//! with the hub on the left are in `channels`.

use crate::{chain::*, stage::*};
use failsafe_primitives::{Balance, NATIVE_ASSET};
use failsafe_runtime::{Debt, Runtime, FRB, FRD};
use pallet_batch::Mode;
use pallet_insurance::Error;
use sp_keyring::Sr25519Keyring::Bob;

/// The story's configuration with a top-up of 5 for accounts that do not exist.
fn with_top_up() -> serde_json::Value {
    let mut config = genesis_config(STORY);
    let top_up = u64::try_from(5 * FRD).expect("fits");
    config["parameters"]["values"]["accountTopUp"] = top_up.into();
    config
}

/// The whole story with the hub on the right of its users: 123 is left of 1, which is left of 2.
#[test]
fn s40f_story_should_end_with_its_numbers_when_the_hub_is_right_and_the_user_left() {
    on_genesis(&with_top_up(), |chain| {
        let [customer, hub, two] = &Party::strangers(3)[..] else { panic!("three") };
        for who in [hub, two] {
            fund(chain, NATIVE_ASSET, who, 10_000);
        }
        let frd = || [hub, two, customer].map(|who| has(NATIVE_ASSET, who));
        let author = chain.next_author();
        let earned = || failsafe_runtime::Balances::free_balance(&author);
        let before = earned();
        // 1: the first transaction brings the validator 2. The hub's account exists: no top-up.
        assert_eq!(chain.one(two.does(deposit(5_000 * FRD, two, hub)).tip(2 * FRD)), Ok(()));
        let (first, second) = (Channel::new(hub, two), Channel::new(customer, hub));
        assert_eq!(first.collateral(), (5_000 * FRD, 0));
        // 5: 123 has paid the 5 to the hub off chain; the hub has sent 1,000.
        let rebalance = atomic(vec![
            first.withdrawal(hub, 1_000 * FRD, 0),
            deposit_in_epoch(NATIVE_ASSET, 995 * FRD, hub, customer, 0),
        ]);
        assert_eq!(chain.one(hub.does(rebalance)), Ok(()));
        assert_eq!(frd(), [10_000, 4_998, 5]);
        assert_eq!(earned() - before, 2 * FRD);
        assert_eq!(first.collateral(), (4_000 * FRD, units(-1_000)));
        assert_eq!(second.collateral(), (995 * FRD, 0));
        // For 123: 995 insured, nothing else.
        assert_eq!(worth(chain, NATIVE_ASSET, [customer, hub], [5, 1_000]), [995, 0]);
        // 6: 2 splices 3,000 over to 123.
        let splice = atomic(vec![
            first.withdrawal(two, 3_000 * FRD, 0),
            deposit_in_epoch(NATIVE_ASSET, 3_000 * FRD, customer, hub, 0),
        ]);
        assert_eq!(chain.one(two.does(splice)), Ok(()));
        assert_eq!(second.collateral(), (3_995 * FRD, units(3_000)));
        // "now 123 owns 3995, all insured"
        assert_eq!(worth(chain, NATIVE_ASSET, [customer, hub], [5, 1_000]), [3_995, 0]);
        // 7
        chain.all(vec![
            customer.does(second.close(customer, units(995))),
            two.does(first.close(two, units(1_000))),
        ]);
        assert_eq!(frd(), [10_000, 5_998, 4_000]);
        assert_eq!((first.collateral(), second.collateral()), ((0, 0), (0, 0)));
    });
}

/// The mirror of the scenario in numbers: (995, −5, +1000) is what it would be if the 5 were put
/// into the channel; here 123 pays them, which is the same to everybody.
#[test]
fn s40f_customer_should_own_995_when_it_is_left_or_right_of_the_hub() {
    for hub_is_left in [true, false] {
        on_genesis(&with_top_up(), |chain| {
            let [left, right] = &Party::strangers(2)[..] else { panic!("two") };
            let (hub, customer) = if hub_is_left { (left, right) } else { (right, left) };
            fund(chain, NATIVE_ASSET, hub, 1_001);
            let insure = deposit_in_epoch(NATIVE_ASSET, 995 * FRD, hub, customer, 0);
            assert_eq!(chain.one(hub.does(insure)), Ok(()));
            let (hub_has, customer_has) = (has(NATIVE_ASSET, hub), has(NATIVE_ASSET, customer));
            assert_eq!((hub_has, customer_has), (1, 5), "hub left: {hub_is_left}");
            let paid = if hub_is_left { [1_000, 5] } else { [5, 1_000] };
            let shares = worth(chain, NATIVE_ASSET, [left, right], paid);
            assert_eq!(shares, if hub_is_left { [0, 995] } else { [995, 0] });
        });
    }
}

/// A rebalance for 123 is under way when 123 is resolved: its deposit is not for the new epoch.
#[test]
fn m21_rebalance_should_not_insure_a_new_epoch_when_the_customer_was_resolved_meanwhile() {
    for (mode, withdrawn) in [(Mode::Atomic, 0), (Mode::SkipFailed, 1_000)] {
        in_both(|chain, asset, [two, hub, customer]| {
            let first = channel_at(chain, asset, [two, hub], (5_000, 5_000));
            let second = Channel::new(hub, customer);
            let late = batch(
                vec![
                    first.withdrawal_of(hub, &[(asset, 1_000 * FRD, 0)]),
                    deposit_in_epoch(asset, 1_000 * FRD, hub, customer, second.epoch()),
                ],
                mode,
            );
            let evidence = second.theirs(hub, &sent_in(asset, 1, 1_000 * FRD));
            assert_eq!(chain.one(customer.does(dispute(&second, hub, evidence))), Ok(()));
            chain.run_until_resolved(&second);
            assert_eq!(Debt::owed_to(hub.id(), customer.id(), asset), 1_000 * FRD);

            let result = chain.one(hub.does(late));
            let error = Error::<Runtime>::WrongEpoch.into();
            assert_eq!(result, if mode == Mode::Atomic { Err(error) } else { Ok(()) });
            assert_eq!(second.collateral_in(asset), (0, 0));
            // What came in pays the debt, once.
            assert_eq!(has(asset, customer), withdrawn);
            assert_eq!(Debt::owed_to(hub.id(), customer.id(), asset), (1_000 - withdrawn) * FRD);
        });
    }
}

#[test]
fn s38_close_should_pay_both_at_once_and_void_what_was_signed_before() {
    for submitter_is_left in [true, false] {
        on(STORY, |chain| {
            let [u2, u1] = &Party::strangers(2)[..] else { panic!("two") };
            for who in [u2, u1] {
                fund(chain, FRB, who, 1);
            }
            let channel = channel_at(chain, NATIVE_ASSET, [u2, u1], (5_000, 5_000));
            let proofs = [
                channel.withdrawal(u1, 1_000 * FRD, 1_000 * FRD),
                channel.withdrawal(u2, 4_000 * FRD, 4_000 * FRD),
            ];
            let by = if submitter_is_left { u2 } else { u1 };
            assert_eq!(chain.one(by.does(channel.close(by, units(-1_000)))), Ok(()));
            let balances = || [u2, u1].map(|who| has(NATIVE_ASSET, who));
            assert_eq!(balances(), [4_000, 1_000]);
            assert_eq!(channel.view().epoch, 1);

            let refused = Err(Error::<Runtime>::BadProof.into());
            let [one_withdraws, two_withdraws] = proofs;
            assert_eq!(chain.one(u1.does(one_withdraws)), refused);
            assert_eq!(chain.one(u2.does(two_withdraws)), refused);
            assert_eq!(chain.one(by.does(channel.close(by, units(-1_000)))), refused);
            let new = Channel::new(u2, u1);
            let old = channel.theirs(u2, &sent(1, 1_000 * FRD));
            assert_eq!(chain.one(u1.does(dispute(&new, u2, old))), refused);
            // Both have signed the end: nothing can be claimed of it later.
            let claim = late_claim(&channel, u2, &sent(2, 2_000 * FRD));
            let over = Err(Error::<Runtime>::NoLateClaims.into());
            assert_eq!(chain.one(u1.does(claim)), over);
            assert_eq!(balances(), [4_000, 1_000]);
        });
    }
}

/// S58: the hubs E and J, the users A and B of E, and W of J. E has 1,000 on chain.
struct Simulation {
    e: Party,
    j: Party,
    a: Party,
    b: Party,
    w: Party,
}

impl Simulation {
    fn new(chain: &mut Chain) -> Self {
        let [e, a, j, w, b] = Party::strangers(5).try_into().ok().expect("five");
        for who in [&e, &a, &j, &w, &b] {
            fund(chain, FRB, who, 1);
        }
        fund(chain, NATIVE_ASSET, &e, 1_000);
        for (hub, handle) in [(&e, "eu"), (&j, "jp")] {
            assert_eq!(chain.one(hub.does(register(handle))), Ok(()));
        }
        Self { e, j, a, b, w }
    }

    /// Step 2: E insures what it owes to A.
    fn insured(chain: &mut Chain) -> Self {
        let all = Self::new(chain);
        let insure = deposit_in_epoch(NATIVE_ASSET, 600 * FRD, &all.e, &all.a, 0);
        assert_eq!(chain.one(all.e.does(atomic(vec![insure]))), Ok(()));
        all
    }

    /// What everybody has on chain: E, J, A, B, W.
    fn balances(&self) -> [Balance; 5] {
        [&self.e, &self.j, &self.a, &self.b, &self.w].map(|who| has(NATIVE_ASSET, who))
    }

    /// `payee` takes to the chain that `payer` has sent so much, and itself `back`.
    fn disputed(
        &self,
        chain: &mut Chain,
        payee: &Party,
        payer: &Party,
        [paid, back]: [Balance; 2],
    ) {
        let channel = Channel::new(payee, payer);
        let own = sent(1, back * FRD);
        let evidence = both(&channel, payee, &own, (payer, &sent(1, paid * FRD)));
        assert_eq!(chain.one(payee.does(dispute(&channel, payer, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
    }
}

#[test]
fn s58_step_1_faucet_should_be_uninsured_when_it_is_only_off_chain() {
    on(STORY, |chain| {
        let all = Simulation::new(chain);
        // E pays A 600 off chain. Nothing is on chain of it; taken there, E pays from its balance.
        assert_eq!(Channel::new(&all.e, &all.a).collateral(), (0, 0));
        all.disputed(chain, &all.a, &all.e, [600, 0]);
        assert_eq!(all.balances(), [400, 0, 600, 0, 0]);
    });
}

#[test]
fn s58_step_2_rebalance_should_insure_600_and_leave_the_hub_400() {
    on(STORY, |chain| {
        let all = Simulation::insured(chain);
        assert_eq!(all.balances(), [400, 0, 0, 0, 0]);
        assert_eq!(Channel::new(&all.e, &all.a).collateral().0, 600 * FRD);
        // E may lose all that it has on chain: the 600 are there.
        fund(chain, NATIVE_ASSET, &all.e, 0);
        all.disputed(chain, &all.a, &all.e, [600, 0]);
        assert_eq!(all.balances(), [0, 0, 600, 0, 0]);
    });
}

#[test]
fn s58_step_4_chain_of_hubs_should_owe_what_the_step_says_when_all_is_taken_to_the_chain() {
    on(STORY, |chain| {
        let all = Simulation::insured(chain);
        let Simulation { e, j, a, b, w } = &all;
        // A has paid 201 and 102: of its 600 it has 297, E 303. B has 200 at E, J 101 at E, W 100
        // at J.
        chain.trial(|chain| {
            all.disputed(chain, a, e, [600, 303]);
            assert_eq!(all.balances(), [703, 0, 297, 0, 0]);
        });
        chain.trial(|chain| {
            all.disputed(chain, b, e, [200, 0]);
            assert_eq!(all.balances(), [200, 0, 0, 200, 0]);
        });
        chain.trial(|chain| {
            all.disputed(chain, j, e, [101, 0]);
            all.disputed(chain, w, j, [100, 0]);
            assert_eq!(all.balances(), [299, 1, 0, 0, 100]);
        });
        // All of it: E has earned 2, J 1.
        all.disputed(chain, a, e, [600, 303]);
        all.disputed(chain, b, e, [200, 0]);
        all.disputed(chain, j, e, [101, 0]);
        all.disputed(chain, w, j, [100, 0]);
        assert_eq!(all.balances(), [402, 1, 297, 200, 100]);
        for hub in [e, j] {
            assert_eq!(Debt::owes(hub.id()), vec![]);
        }
    });
}

#[test]
fn s58_step_5_dispute_should_give_a_297_and_the_hub_303() {
    on(STORY, |chain| {
        let all = Simulation::insured(chain);
        all.disputed(chain, &all.a, &all.e, [600, 303]);
        assert_eq!((has(NATIVE_ASSET, &all.a), has(NATIVE_ASSET, &all.e)), (297, 703));
        assert_eq!(Channel::new(&all.e, &all.a).collateral(), (0, 0));
    });
}

/// S60: what the chain tells of the whole story, in order.
#[test]
fn s60_events_should_tell_every_step_when_the_story_is_played() {
    use failsafe_runtime::RuntimeEvent;
    on(STORY, |chain| {
        let [two, one, customer] = &Party::strangers(3)[..] else { panic!("three") };
        for who in [two, one] {
            fund(chain, NATIVE_ASSET, who, 10_000);
        }
        let mut told = vec![];
        let mut tell = || {
            for event in events() {
                let shown = match &event {
                    RuntimeEvent::Insurance(event) => format!("{event:?}"),
                    RuntimeEvent::Debt(event) => format!("{event:?}"),
                    _ => continue,
                };
                let name = shown.trim_start_matches("Event::").split(' ').next();
                told.push(name.expect("a name").to_owned());
            }
        };
        assert_eq!(chain.one(two.does(deposit(5_000 * FRD, two, one))), Ok(()));
        tell();
        let (first, second) = (Channel::new(two, one), Channel::new(one, customer));
        let rebalance = atomic(vec![
            first.withdrawal(one, 1_000 * FRD, 0),
            deposit(1_000 * FRD, one, customer),
        ]);
        assert_eq!(chain.one(one.does(rebalance)), Ok(()));
        tell();
        // The hub runs away with its balance, and owes 1,000 that are not insured.
        fund(chain, NATIVE_ASSET, one, 0);
        fund(chain, NATIVE_ASSET, customer, 10);
        let evidence = second.theirs(one, &sent(1, 2_000 * FRD));
        assert_eq!(chain.one(customer.does(dispute(&second, one, evidence))), Ok(()));
        tell();
        chain.run_until_resolved(&second);
        tell();
        assert_eq!(chain.one(Party::known(Bob).does(transfer(one, 700 * FRD))), Ok(()));
        tell();
        let expected = [
            "Deposit",
            "Withdraw",
            "Deposit",
            "DisputeStarted",
            "DebtCreated",
            "DisputeResolved",
            "DebtEnforced",
        ];
        assert_eq!(told, expected);
        assert_eq!(has(NATIVE_ASSET, customer), 1_710);
    });
}
