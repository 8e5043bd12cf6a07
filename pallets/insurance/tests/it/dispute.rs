use super::*;
use failsafe_pallet_support::DebtLedger;
use failsafe_primitives::{Evidence, OwnSimplex, Side, Simplex};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};

#[test]
fn s17_dispute_should_return_the_deposit_when_started_without_any_proof() {
    let p = Party::ordered(2);
    let (user, hub) = (&p[0], &p[1]);
    ExtBuilder::default().balance(user, 10_000).hub(hub).build_and_execute(|| {
        assert_ok!(deposit(user, 5_000, user, hub));
        let channel = Channel::new(user, hub);
        assert_eq!(channel.collateral(FRD), collateral(5_000, 5_000));
        assert_ok!(dispute(user, hub, Evidence::default()));
        run_until_resolved(&channel);
        assert_eq!(free(FRD, user), 10_000);
        assert_eq!(channel.collateral(FRD), collateral(0, 0));
    });
}

/// Alice (left) deposits 400 and pays in three steps; what Bob holds after each, as far as each
/// side has signed: off −200, then +100 back, then −300 more.
fn qtum(test: impl FnOnce(&Party, &Party, Channel<'_>)) {
    let p = Party::ordered(2);
    let (alice, bob) = (&p[0], &p[1]);
    ExtBuilder::default().balance(alice, 400).balance(bob, 1).build_and_execute(|| {
        assert_ok!(deposit(alice, 400, alice, bob));
        test(alice, bob, Channel::new(alice, bob));
    });
}

#[test]
fn s18_dispute_should_pay_the_newest_state_when_bob_closes_with_it() {
    qtum(|alice, bob, channel| {
        // State 3: alice has sent 200 + 300, bob 100.
        let evidence = channel.both(Side::Right, &sent(1, 100), &sent(2, 500));
        assert_ok!(dispute(bob, alice, evidence));
        run_until_resolved(&channel);
        assert_eq!((free(FRD, alice), free(FRD, bob)), (0, 401));
    });
}

#[test]
fn s18_dispute_should_split_80_to_20_when_20_of_100_were_paid() {
    let p = Party::ordered(2);
    let (alice, bob) = (&p[0], &p[1]);
    ExtBuilder::default().balance(alice, 100).balance(bob, 1).build_and_execute(|| {
        assert_ok!(deposit(alice, 100, alice, bob));
        let channel = Channel::new(alice, bob);
        assert_ok!(dispute(bob, alice, channel.theirs(Side::Left, &sent(1, 20))));
        run_until_resolved(&channel);
        assert_eq!((free(FRD, alice), free(FRD, bob)), (80, 21));
    });
}

#[test]
fn s19_counter_should_undo_the_cheat_when_bob_posts_the_newer_state_in_time() {
    qtum(|alice, bob, channel| {
        run_to_clock(100);
        // Alice disputes with state 2: she had sent 200, bob 100.
        let stale = channel.both(Side::Left, &sent(1, 200), &sent(1, 100));
        assert_ok!(dispute(alice, bob, stale));
        assert_eq!(channel.dispute().unwrap().resolve_at, 108);
        run_to_clock(107);
        let newer = channel.theirs(Side::Left, &sent(2, 500));
        assert_ok!(Insurance::counter(bob.origin(), alice.id(), newer));
        run_until_resolved(&channel);
        assert_eq!((free(FRD, alice), free(FRD, bob)), (0, 401));
    });
}

#[test]
fn s19_dispute_should_pay_the_stale_state_when_nobody_counters() {
    qtum(|alice, bob, channel| {
        let stale = channel.both(Side::Left, &sent(1, 200), &sent(1, 100));
        assert_ok!(dispute(alice, bob, stale));
        run_until_resolved(&channel);
        assert_eq!((free(FRD, alice), free(FRD, bob)), (300, 101));
    });
}

#[test]
fn s20_counter_should_replace_only_with_a_higher_nonce() {
    qtum(|alice, bob, channel| {
        assert_ok!(dispute(alice, bob, channel.ours(Side::Left, &sent(5, 50))));
        for (nonce, paid, stored) in [(5, Pays::Yes, 5), (4, Pays::Yes, 5), (7, Pays::No, 7)] {
            let counter = channel.theirs(Side::Left, &sent(nonce, 10 * u128::from(nonce)));
            let info = Insurance::counter(bob.origin(), alice.id(), counter).unwrap();
            assert_eq!(info.pays_fee, paid, "nonce {nonce}");
            let now = channel.dispute().unwrap().presented[0].clone().unwrap();
            assert_eq!(now.simplex.nonce, stored);
        }
        run_until_resolved(&channel);
        assert_eq!((free(FRD, alice), free(FRD, bob)), (330, 71));
    });
}

#[test]
fn s21_counter_should_be_refused_when_the_starter_speaks_again() {
    qtum(|alice, bob, channel| {
        assert_ok!(dispute(alice, bob, channel.ours(Side::Left, &sent(5, 50))));
        let more = channel.ours(Side::Left, &sent(9, 60));
        let again = Insurance::counter(alice.origin(), bob.id(), more.clone());
        assert_noop!(again.map_err(|e| e.error), Error::StarterSpeaksOnce);
        let once_more = dispute(alice, bob, more);
        assert_noop!(once_more.map_err(|e| e.error), Error::StarterSpeaksOnce);
        let newer = channel.theirs(Side::Left, &sent(9, 60));
        assert_ok!(Insurance::counter(bob.origin(), alice.id(), newer));
        run_until_resolved(&channel);
        assert_eq!((free(FRD, alice), free(FRD, bob)), (340, 61));
    });
}

#[test]
fn s21_accept_should_resolve_at_once_when_the_responder_agrees_and_no_debt_results() {
    qtum(|alice, bob, channel| {
        assert_ok!(dispute(alice, bob, channel.ours(Side::Left, &sent(5, 50))));
        let newer = channel.theirs(Side::Left, &sent(6, 60));
        assert_ok!(Insurance::counter(bob.origin(), alice.id(), newer));
        assert_noop!(accept(alice, bob).map_err(|e| e.error), Error::StarterSpeaksOnce);
        assert_ok!(accept(bob, alice));
        assert!(channel.dispute().is_none());
        assert_eq!((free(FRD, alice), free(FRD, bob)), (340, 61));
    });
}

#[test]
fn m16_accept_should_wait_for_the_deadline_when_it_books_a_debt() {
    let p = Party::ordered(2);
    let (hub, user) = (&p[0], &p[1]);
    ExtBuilder::default().balance(user, 10).hub(hub).build_and_execute(|| {
        let channel = Channel::new(hub, user);
        assert_ok!(dispute(user, hub, channel.theirs(Side::Left, &sent(1, 1_000))));
        let due = channel.dispute().unwrap().resolve_at;
        assert_ok!(accept(hub, user));
        assert_eq!(channel.dispute().unwrap().resolve_at, due);
        let late = Insurance::counter(hub.origin(), user.id(), Evidence::default());
        assert_noop!(late.map_err(|e| e.error), Error::AlreadySettled);
        assert_eq!(debts(hub), vec![]);
        run_until_resolved(&channel);
        assert_eq!(debts(hub), vec![(user.id(), 1_000)]);
    });
}

#[test]
fn s21_accept_should_be_refused_when_a_stored_lock_is_still_open() {
    qtum(|alice, bob, channel| {
        let locked = sent_and_locked(5, 50, (10, 1, now() + 5));
        assert_ok!(dispute(bob, alice, channel.theirs(Side::Left, &locked)));
        assert_noop!(accept(alice, bob).map_err(|e| e.error), Error::LiveLock);
        assert_ok!(reveal(bob, &[1]));
        assert_ok!(accept(alice, bob));
        assert_eq!((free(FRD, alice), free(FRD, bob)), (340, 61));
    });
}

#[test]
fn s31_dispute_should_wait_four_usable_blocks_against_a_hub_and_eight_against_a_user() {
    let p = Party::ordered(2);
    let (user, hub) = (&p[0], &p[1]);
    ExtBuilder::default().balance(user, 10).balance(hub, 10).hub(hub).build_and_execute(|| {
        assert_ok!(deposit(user, 5, user, hub));
        let channel = Channel::new(user, hub);
        run_to_clock(101);
        assert_ok!(dispute(user, hub, Evidence::default()));
        assert_eq!(channel.dispute().unwrap().resolve_at, 105);
        run_to_clock(104);
        let early = Insurance::resolve(user.origin(), user.id(), hub.id());
        assert_noop!(early.map_err(|e| e.error), Error::TooEarly);
        run_to_clock(105);
        assert_ok!(Insurance::resolve(user.origin(), user.id(), hub.id()));

        assert_ok!(deposit(hub, 5, hub, user));
        assert_ok!(dispute(hub, user, Evidence::default()));
        assert_eq!(channel.dispute().unwrap().resolve_at, 113);
    });
}

#[test]
fn s31_dispute_should_not_come_due_while_blocks_are_stuffed() {
    use frame_support::traits::Get;
    let p = Party::ordered(2);
    let (user, hub) = (&p[0], &p[1]);
    ExtBuilder::default().balance(user, 10).hub(hub).build_and_execute(|| {
        assert_ok!(deposit(user, 5, user, hub));
        assert_ok!(dispute(user, hub, Evidence::default()));
        let before = now();
        let limits: frame_system::limits::BlockWeights =
            <Test as frame_system::Config>::BlockWeights::get();
        let stuffed = sp_runtime::Perbill::from_percent(70) * limits.max_block;
        for _ in 0..20 {
            System::set_block_consumed_resources(stuffed, 0);
            next_block();
        }
        assert_eq!(now(), before);
        assert!(Channel::new(user, hub).dispute().is_some());
    });
}

#[test]
fn a5_dispute_should_be_refused_when_there_is_neither_evidence_nor_insurance() {
    let p = Party::ordered(2);
    ExtBuilder::default().balance(&p[0], 10).build_and_execute(|| {
        let nothing = dispute(&p[0], &p[1], Evidence::default());
        assert_noop!(nothing.map_err(|e| e.error), Error::NothingToDispute);
    });
}

#[test]
fn s56_dispute_should_be_a_bad_proof_when_signed_for_another_chain() {
    qtum(|alice, bob, mut channel| {
        channel.context.genesis_hash = sp_core::H256::repeat_byte(1);
        let foreign = channel.theirs(Side::Left, &sent(1, 20));
        let refused = dispute(bob, alice, foreign);
        assert_noop!(refused.map_err(|e| e.error), Error::BadProof);
    });
}

#[test]
fn m6_dispute_should_act_as_counter_when_the_partners_dispute_is_open() {
    qtum(|alice, bob, channel| {
        assert_ok!(dispute(alice, bob, Evidence::default()));
        assert_ok!(dispute(bob, alice, channel.theirs(Side::Left, &sent(3, 300))));
        run_until_resolved(&channel);
        assert_eq!((free(FRD, alice), free(FRD, bob)), (100, 301));
    });
}

#[test]
fn m13_counter_should_not_prolong_a_dispute_beyond_the_highest_expiry() {
    qtum(|alice, bob, channel| {
        run_to_clock(90);
        assert_ok!(dispute(alice, bob, Evidence::default()));
        assert_eq!(channel.dispute().unwrap().resolve_at, 98);
        run_to_clock(97);
        let plain = channel.theirs(Side::Left, &sent(1, 1));
        assert_ok!(Insurance::counter(bob.origin(), alice.id(), plain));
        assert_eq!(channel.dispute().unwrap().resolve_at, 98);
        let locked = channel.theirs(Side::Left, &sent_and_locked(2, 2, (5, 1, 100)));
        assert_ok!(Insurance::counter(bob.origin(), alice.id(), locked));
        assert_eq!(channel.dispute().unwrap().resolve_at, 101);
        let without = channel.theirs(Side::Left, &sent(3, 3));
        assert_ok!(Insurance::counter(bob.origin(), alice.id(), without));
        assert_eq!(channel.dispute().unwrap().resolve_at, 101, "never lowered");
        run_until_resolved(&channel);
        assert_eq!(free(FRD, bob), 4);
    });
}

#[test]
fn m15_dispute_should_be_refused_when_a_lock_expires_beyond_the_window() {
    qtum(|alice, bob, channel| {
        let locked = sent_and_locked(1, 0, (5, 1, now() + 21));
        let refused = dispute(bob, alice, channel.theirs(Side::Left, &locked));
        assert_noop!(refused.map_err(|e| e.error), Error::ExpiryTooFar);
    });
}

#[test]
fn a10_unacked_simplex_should_count_until_a_counter_reaches_the_acked_one() {
    qtum(|alice, bob, channel| {
        let acked = sent(5, 50);
        let ack = channel.ack(Side::Left, &acked);
        let ours = OwnSimplex::Unacked { simplex: sent(7, 55), acked: Some((acked.clone(), ack)) };
        let evidence = Evidence { theirs: None, ours: Some(ours) };
        assert_ok!(dispute(alice, bob, evidence));
        let too_old = channel.theirs(Side::Left, &sent(4, 60));
        assert_ok!(Insurance::counter(bob.origin(), alice.id(), too_old));
        assert_eq!(channel.dispute().unwrap().presented[0].as_ref().unwrap().simplex.nonce, 7);
        // What gives the partner nothing more takes nothing away either.
        let friend = channel.theirs(Side::Left, &sent(6, 55));
        assert_ok!(Insurance::counter(bob.origin(), alice.id(), friend));
        assert_eq!(channel.dispute().unwrap().presented[0].as_ref().unwrap().simplex.nonce, 7);
        let received = channel.theirs(Side::Left, &sent(6, 60));
        assert_ok!(Insurance::counter(bob.origin(), alice.id(), received));
        run_until_resolved(&channel);
        assert_eq!(free(FRD, bob), 61);
    });
}

#[test]
fn a10_unacked_simplex_should_be_refused_when_the_responder_posts_it() {
    qtum(|alice, bob, channel| {
        assert_ok!(dispute(alice, bob, Evidence::default()));
        let ours = OwnSimplex::Unacked { simplex: sent(7, 70), acked: None };
        let counter = Evidence { theirs: None, ours: Some(ours) };
        let refused = Insurance::counter(bob.origin(), alice.id(), counter);
        assert_noop!(refused.map_err(|e| e.error), Error::AckMissing);
        let _ = channel;
    });
}

#[test]
fn a19_counter_for_should_need_both_signatures_and_be_free_when_it_changes_something() {
    let p = Party::ordered(3);
    let (alice, bob, tower) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().balance(alice, 400).balance(tower, 5).build_and_execute(|| {
        assert_ok!(deposit(alice, 400, alice, bob));
        let channel = Channel::new(alice, bob);
        assert_ok!(dispute(alice, bob, Evidence::default()));
        let both = channel.twice(Side::Left, &sent(9, 90));
        let by_tower = |simplexes: Vec<_>| {
            let simplexes = simplexes.try_into().unwrap();
            Insurance::counter_for(tower.origin(), alice.id(), bob.id(), simplexes)
        };
        let half = failsafe_primitives::TwiceSigned { ack: both.signature.clone(), ..both.clone() };
        assert_noop!(by_tower(vec![half]).map_err(|e| e.error), Error::BadProof);
        assert_eq!(by_tower(vec![both.clone()]).unwrap().pays_fee, Pays::No);
        assert_eq!(by_tower(vec![both]).unwrap().pays_fee, Pays::Yes);
        run_until_resolved(&channel);
        assert_eq!(free(FRD, bob), 90);
    });
}

/// Alice (left) starts a dispute of a deposit of 20 over 400 and posts `own`; bob brings `counter`.
/// Whether bob gets the deposit.
fn forfeits(own: Option<OwnSimplex>, counter: Simplex) -> bool {
    let p = Party::ordered(2);
    let (alice, bob) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().balance(alice, 450).balance(bob, 10);
    let mut forfeited = false;
    builder.parameters(|v| v.dispute_deposit = 20).build_and_execute(|| {
        assert_ok!(deposit(alice, 400, alice, bob));
        let channel = Channel::new(alice, bob);
        assert_ok!(dispute(alice, bob, Evidence { theirs: None, ours: own }));
        assert_eq!(free(FRD, alice), 30, "the deposit is on hold");
        let newer = channel.theirs(Side::Left, &counter);
        assert_ok!(Insurance::counter(bob.origin(), alice.id(), newer));
        let presented = channel.dispute().unwrap().presented;
        let paid = presented[0].as_ref().unwrap().simplex.sent(FRD);
        run_until_resolved(&channel);
        forfeited = free(FRD, bob) == 10 + paid + 20;
        assert!(forfeited || free(FRD, bob) == 10 + paid);
        assert_eq!(free(FRD, alice) + free(FRD, bob), 460);
    });
    forfeited
}

fn unacked(simplex: Simplex) -> Option<OwnSimplex> {
    Some(OwnSimplex::Unacked { simplex, acked: None })
}

#[test]
fn m17_deposit_should_go_back_when_the_starter_posted_the_newest_it_has() {
    assert!(!forfeits(unacked(sent(7, 70)), sent(7, 70)));
    assert!(!forfeits(unacked(sent(7, 70)), sent(6, 60)), "bob has not received the last one");
}

#[test]
fn m17_deposit_should_go_to_the_responder_when_the_starter_hid_a_newer_simplex() {
    assert!(forfeits(unacked(sent(5, 50)), sent(7, 70)));
    assert!(forfeits(unacked(sent(5, 50)), sent(7, 50)), "the nonce alone tells");
    assert!(forfeits(None, sent(1, 1)), "nothing posted");
}

#[test]
fn m3_deposit_should_go_to_the_responder_when_the_starter_posted_an_invented_nonce() {
    assert!(forfeits(unacked(sent(u64::MAX, 0)), sent(9, 90)));
    assert!(forfeits(unacked(sent(9, 80)), sent(9, 90)));
}

#[test]
fn m17_deposit_should_be_forfeited_when_the_second_counter_shows_what_was_hidden() {
    let p = Party::ordered(2);
    let (alice, bob) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().balance(alice, 450).balance(bob, 10);
    builder.parameters(|v| v.dispute_deposit = 20).build_and_execute(|| {
        assert_ok!(deposit(alice, 400, alice, bob));
        let channel = Channel::new(alice, bob);
        let own = Evidence { theirs: None, ours: unacked(sent(7, 70)) };
        assert_ok!(dispute(alice, bob, own));
        for (newer, forfeited) in [(sent(6, 60), false), (sent(8, 80), true)] {
            let evidence = channel.theirs(Side::Left, &newer);
            assert_ok!(Insurance::counter(bob.origin(), alice.id(), evidence));
            assert_eq!(channel.dispute().unwrap().forfeited, forfeited);
        }
        run_until_resolved(&channel);
        assert_eq!((free(FRD, alice), free(FRD, bob)), (350, 110));
    });
}

#[test]
fn c2_dispute_should_be_refused_when_its_epoch_has_ended() {
    let p = Party::ordered(2);
    let (user, hub) = (&p[0], &p[1]);
    ExtBuilder::default().balance(user, 100).balance(hub, 1).hub(hub).build_and_execute(|| {
        assert_ok!(deposit(user, 100, user, hub));
        let channel = Channel::new(user, hub);
        // The user has paid 40, never acknowledged. Both sign a close; the hub keeps it, and
        // submits it when it sees the user's dispute in the pool.
        let (close, by_user) = channel.close(Side::Left, &[(FRD, -40)]);
        let stale = Evidence { theirs: None, ours: unacked(sent(1, 40)) };
        assert_ok!(Insurance::close(hub.origin(), user.id(), close, by_user));
        let too_late = Insurance::dispute(user.origin(), hub.id(), 0, stale);
        assert_noop!(too_late.map_err(|e| e.error), Error::WrongEpoch);
        assert_eq!((free(FRD, user), free(FRD, hub)), (60, 41));
    });
}

#[test]
fn c2_dispute_should_be_refused_when_its_epoch_is_to_come_or_it_acts_as_counter_to_another() {
    qtum(|alice, bob, channel| {
        let by_bob = |epoch| {
            let evidence = channel.theirs(Side::Left, &sent(3, 300));
            Insurance::dispute(bob.origin(), alice.id(), epoch, evidence).map_err(|e| e.error)
        };
        assert_noop!(by_bob(1), Error::WrongEpoch);
        assert_ok!(dispute(alice, bob, Evidence::default()));
        assert_noop!(by_bob(1), Error::WrongEpoch);
        assert_ok!(by_bob(0));
        run_until_resolved(&channel);
        assert_eq!(free(FRD, bob), 301);
    });
}

#[test]
fn dispute_should_be_refused_when_the_starter_cannot_pay_the_deposit() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    let builder = ExtBuilder::default().balance(l, 10).parameters(|v| v.dispute_deposit = 20);
    builder.build_and_execute(|| {
        assert_ok!(deposit(l, 5, l, r));
        let refused = dispute(l, r, Evidence::default());
        assert_noop!(refused.map_err(|e| e.error), Error::DepositMissing);
    });
}

/// A debtor with a floor of 30, a balance of `balance` and an insured channel with `partner`.
fn indebted(balance: u128, deposit_of_dispute: u128, test: impl FnOnce(&Party, &Party, &Party)) {
    let p = Party::ordered(3);
    let (debtor, creditor, partner) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default().balance(creditor, balance).balance(partner, 101);
    let builder = builder.parameters(|v| {
        v.dispute_deposit = deposit_of_dispute;
        v.floor_user = 30;
        v.pair_fee = 0;
    });
    builder.build_and_execute(|| {
        assert_ok!(deposit(partner, 50, partner, debtor));
        Debt::pay_or_book(&debtor.id(), &creditor.id(), FRD, 500, 1);
        assert_ok!(Balances::transfer_allow_death(creditor.origin(), debtor.id(), balance));
        test(debtor, creditor, partner);
    });
}

#[test]
fn h1_dispute_should_be_refused_when_a_debtor_would_hide_income_under_its_deposit() {
    indebted(100, 40, |debtor, creditor, partner| {
        let refused = dispute(debtor, partner, Evidence::default());
        assert_noop!(refused.map_err(|e| e.error), Error::DepositMissing);
        next_block();
        assert_eq!((free(FRD, debtor), free(FRD, creditor)), (30, 70));
    });
}

#[test]
fn h1_dispute_should_be_possible_when_a_debtor_pays_the_deposit_from_below_its_floor() {
    indebted(100, 20, |debtor, creditor, partner| {
        let evidence = Channel::new(debtor, partner).theirs(Side::Right, &sent(1, 45));
        assert_ok!(dispute(debtor, partner, evidence));
        next_block();
        assert_eq!((free(FRD, debtor), free(FRD, creditor)), (30, 50), "and 20 on hold");
        run_until_resolved(&Channel::new(debtor, partner));
        // Deposit and winnings are for the creditor.
        assert_eq!((free(FRD, debtor), free(FRD, creditor)), (30, 115));
    });
}

#[test]
fn h1_pair_fee_should_come_from_below_the_floor_when_a_debtor_disputes() {
    let p = Party::ordered(3);
    let (debtor, creditor, partner) = (&p[0], &p[1], &p[2]);
    let with_fee = |fee| {
        let builder = ExtBuilder::default().balance(creditor, 100).balance(partner, 1_000);
        builder.parameters(move |v| {
            v.pair_fee = fee;
            v.floor_user = 30;
        })
    };
    for (fee, possible) in [(20, true), (40, false)] {
        // The fee leaves the issuance here: its receiver is the block's author in the runtime.
        with_fee(fee).build().execute_with(|| {
            Debt::pay_or_book(&debtor.id(), &creditor.id(), FRD, 500, 1);
            assert_ok!(Balances::transfer_allow_death(creditor.origin(), debtor.id(), 100));
            let evidence = Channel::new(debtor, partner).theirs(Side::Right, &sent(1, 45));
            let result = dispute(debtor, partner, evidence).map(drop).map_err(|e| e.error);
            let expected = if possible { Ok(()) } else { Err(Error::PairFeeMissing.into()) };
            assert_eq!(result, expected);
            next_block();
            assert_eq!(
                (free(FRD, debtor), free(FRD, creditor)),
                if possible { (30, 50) } else { (30, 70) }
            );
            check_invariants();
        });
    }
}

#[test]
fn m17_deposit_should_go_to_the_creditors_when_the_starter_that_forfeits_it_owes() {
    let p = Party::ordered(3);
    let (debtor, friend, creditor) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default()
        .balance(debtor, 100)
        .balance(friend, 10)
        .balance(creditor, 10)
        .parameters(|v| (v.dispute_deposit, v.floor_user) = (20, 50));
    builder.build_and_execute(|| {
        assert_ok!(deposit(debtor, 30, debtor, friend));
        let with_friend = Channel::new(debtor, friend);
        assert_ok!(dispute(debtor, friend, Evidence::default()));
        let debt = Channel::new(debtor, creditor).theirs(Side::Left, &sent(1, 200));
        assert_ok!(dispute(creditor, debtor, debt));
        let hidden = with_friend.theirs(Side::Left, &sent(1, 1));
        assert_ok!(Insurance::counter(friend.origin(), debtor.id(), hidden));
        run_to_clock(now() + 10);
        assert!(with_friend.dispute().is_none());
        assert_eq!(free(FRD, friend), 11, "the payment that was hidden, and no deposit");
        let left: u128 = debts(debtor).iter().map(|(_, left)| left).sum();
        assert_eq!(free(FRD, debtor), 50, "its floor");
        assert_eq!(left, 200 - 29 - 20);
    });
}
