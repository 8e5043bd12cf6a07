use super::*;
use failsafe_primitives::{Entry, Evidence, Side, Simplex};
use frame_support::assert_ok;

#[test]
fn s32_resolve_should_book_a_debt_when_a_revealed_lock_passes_the_insurance() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 10).balance(r, 3).build_and_execute(|| {
        assert_ok!(deposit(l, 10, l, r));
        let channel = Channel::new(l, r);
        let locked = sent_and_locked(1, 0, (7, 1, 9));
        assert_ok!(reveal(l, &[1]));
        assert_ok!(dispute(l, r, channel.theirs(Side::Right, &locked)));
        assert_eq!(channel.dispute().unwrap().resolve_at, 10);
        run_until_resolved(&channel);
        assert_eq!((free(FRD, l), free(FRD, r)), (13, 0));
        assert_eq!(debts(r), vec![(l.id(), 4)]);
    });
}

#[test]
fn s24_s25_resolve_should_count_only_locks_revealed_in_time() {
    // (100, 60, −24); right has locks of 7 (H1) and 5 (H2), left one of 4 (H3), expiry 100.
    type Case = (&'static [(u8, u64)], u128, u128);
    let cases: [Case; 7] = [
        (&[], 36, 64),
        (&[(1, 50)], 43, 57),
        (&[(1, 50), (2, 100)], 48, 52),
        (&[(3, 60)], 32, 68),
        (&[(1, 50), (2, 100), (3, 60)], 44, 56),
        (&[(1, 101)], 36, 64),
        (&[(2, 100), (3, 100), (1, 101)], 37, 63),
    ];
    for (revealed, left_gets, right_gets) in cases {
        let p = Party::ordered(2);
        let (l, r) = (&p[0], &p[1]);
        ExtBuilder::default().balance(l, 60).balance(r, 40).build_and_execute(|| {
            assert_ok!(deposit(l, 60, l, r));
            assert_ok!(deposit(r, 40, r, l));
            let channel = Channel::new(l, r);
            let lock = |id, amount, secret| failsafe_primitives::Lock {
                id,
                amount,
                hash: hash_of(secret),
                expiry: 100,
            };
            let simplex = |sent, locks: Vec<_>| Simplex {
                nonce: 1,
                entries: vec![Entry { asset: FRD, sent, locks: locks.try_into().unwrap() }]
                    .try_into()
                    .unwrap(),
            };
            let rights = simplex(0, vec![lock(1, 7, 1), lock(2, 5, 2)]);
            let lefts = simplex(24, vec![lock(1, 4, 3)]);
            let (early, late): (Vec<_>, Vec<_>) = revealed.iter().partition(|(_, at)| *at < 90);
            let reveal_all = |secrets: Vec<(u8, u64)>| {
                for (secret, at) in secrets {
                    run_to_clock(at);
                    assert_ok!(reveal(r, &[secret]));
                }
            };
            reveal_all(early);
            run_to_clock(90);
            assert_ok!(dispute(r, l, channel.both(Side::Right, &rights, &lefts)));
            assert_eq!(channel.dispute().unwrap().resolve_at, 101);
            reveal_all(late);
            run_until_resolved(&channel);
            assert_eq!((free(FRD, l), free(FRD, r)), (left_gets, right_gets), "{revealed:?}");
        });
    }
}

/// S41: the hub (left) owes 123 (right) 1000 uninsured and has `balance` on chain.
fn bad_bank(balance: u128, test: impl FnOnce(&Party, &Party)) {
    let p = Party::ordered(2);
    let (hub, user) = (&p[0], &p[1]);
    let mut builder = ExtBuilder::default().balance(user, 10).hub(hub);
    if balance > 0 {
        builder = builder.balance(hub, balance);
    }
    builder.build_and_execute(|| {
        let channel = Channel::new(hub, user);
        assert_ok!(dispute(user, hub, channel.theirs(Side::Left, &sent(3, 1_000))));
        assert_eq!(channel.dispute().unwrap().resolve_at, now() + 4);
        run_until_resolved(&channel);
        test(hub, user);
    });
}

#[test]
fn s41_resolve_should_book_all_when_the_bank_has_nothing() {
    bad_bank(0, |hub, user| {
        assert_eq!(free(FRD, user), 10);
        assert_eq!(debts(hub), vec![(user.id(), 1_000)]);
    });
}

#[test]
fn s41_resolve_should_pay_what_the_bank_has_and_book_the_rest() {
    bad_bank(400, |hub, user| {
        assert_eq!((free(FRD, hub), free(FRD, user)), (0, 410));
        assert_eq!(debts(hub), vec![(user.id(), 600)]);
    });
}

#[test]
fn s41_resolve_should_book_nothing_when_the_bank_can_pay() {
    bad_bank(10_000, |hub, user| {
        assert_eq!((free(FRD, hub), free(FRD, user)), (9_000, 1_010));
        assert_eq!(debts(hub), vec![]);
    });
}

#[test]
fn s41_debt_should_be_collected_in_the_same_block_when_somebody_pays_the_bank() {
    let p = Party::ordered(3);
    let (hub, user, stranger) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default().balance(user, 10).balance(stranger, 700).hub(hub);
    builder.build_and_execute(|| {
        let channel = Channel::new(hub, user);
        assert_ok!(dispute(user, hub, channel.theirs(Side::Left, &sent(3, 1_000))));
        run_until_resolved(&channel);
        assert_ok!(Balances::transfer_allow_death(stranger.origin(), hub.id(), 700));
        next_block();
        assert_eq!((free(FRD, hub), free(FRD, user)), (0, 710));
        assert_eq!(debts(hub), vec![(user.id(), 300)]);
    });
}

#[test]
fn s40_story_should_end_with_the_numbers_of_the_scenario() {
    let p = Party::ordered(3);
    // 2 is left of 1, 1 is left of 123.
    let (u2, u1, u123) = (&p[0], &p[1], &p[2]);
    let builder = ExtBuilder::default().balance(u1, 10_000).balance(u2, 10_000).hub(u1);
    builder.build_and_execute(|| {
        assert_ok!(deposit(u2, 5_000, u2, u1));
        assert_eq!(free(FRD, u2), 5_000);
        let ch2 = Channel::new(u2, u1);
        let ch123 = Channel::new(u1, u123);
        assert_eq!(ch2.collateral(FRD), collateral(5_000, 5_000));

        // Off chain: 2 pays 1000 through 1 to 123. Good bank: one batch.
        let take = ch2.withdrawal(Side::Right, 0, &[(FRD, 1_000, 0)]);
        let withdraw_call = pallet_insurance::Call::withdraw {
            partner: u2.id(),
            withdrawal: take.0,
            proof: take.1,
        };
        let deposit_call = pallet_insurance::Call::deposit {
            asset: FRD,
            amount: 1_000,
            beneficiary: u1.id(),
            partner: u123.id(),
            epoch: Some(0),
        };
        let actions = vec![withdraw_call.into(), deposit_call.into()];
        assert_ok!(Batch::submit(u1.origin(), actions, pallet_batch::Mode::Atomic));
        assert_eq!(free(FRD, u1), 10_000);
        assert_eq!(ch2.collateral(FRD), collateral(4_000, 5_000));
        assert_eq!(ch2.collateral(FRD).split(1_000, 0).unwrap().left_insured, 4_000);
        assert_eq!(ch123.collateral(FRD), collateral(1_000, 1_000));
        assert_eq!(ch123.collateral(FRD).split(1_000, 0).unwrap().right_insured, 1_000);

        // Splice: 2 withdraws 3000 and deposits them for 123@1.
        next_block();
        let take = ch2.withdrawal(Side::Left, 0, &[(FRD, 3_000, 0)]);
        let withdraw_call = pallet_insurance::Call::withdraw {
            partner: u1.id(),
            withdrawal: take.0,
            proof: take.1,
        };
        let deposit_call = pallet_insurance::Call::deposit {
            asset: FRD,
            amount: 3_000,
            beneficiary: u123.id(),
            partner: u1.id(),
            epoch: Some(0),
        };
        let actions = vec![withdraw_call.into(), deposit_call.into()];
        assert_ok!(Batch::submit(u2.origin(), actions, pallet_batch::Mode::Atomic));
        assert_eq!(ch2.collateral(FRD), collateral(1_000, 2_000));
        assert_eq!(ch123.collateral(FRD), collateral(4_000, 1_000));

        // Close both.
        let (close, signature) = ch2.close(Side::Left, &[(FRD, -1_000)]);
        assert_ok!(Insurance::close(u1.origin(), u2.id(), close, signature));
        let (close, signature) = ch123.close(Side::Right, &[(FRD, -1_000)]);
        assert_ok!(Insurance::close(u1.origin(), u123.id(), close, signature));
        assert_eq!((free(FRD, u1), free(FRD, u2), free(FRD, u123)), (10_000, 6_000, 4_000));
    });
}

#[test]
fn resolve_should_treat_every_asset_of_the_channel_and_ignore_unknown_ones() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).frb(l, 100).build_and_execute(|| {
        assert_ok!(deposit(l, 50, l, r));
        assert_ok!(Insurance::deposit(l.origin(), FRB, 50, l.id(), r.id(), None));
        let channel = Channel::new(l, r);
        let entries = vec![Entry::sent(FRD, 10), Entry::sent(FRB, 20), Entry::sent(77, 30)];
        let simplex = Simplex { nonce: 1, entries: entries.try_into().unwrap() };
        assert_ok!(dispute(l, r, channel.ours(Side::Left, &simplex)));
        run_until_resolved(&channel);
        assert_eq!((free(FRD, l), free(FRD, r)), (90, 10));
        assert_eq!((free(FRB, l), free(FRB, r)), (80, 20));
        assert_eq!(pallet_debt::Debts::<Test>::iter().count(), 0);
    });
}

#[test]
fn m3_resolve_should_keep_money_as_unclaimed_when_the_asset_refuses_the_credit() {
    let p = Party::ordered(2);
    let (l, r) = (&p[0], &p[1]);
    ExtBuilder::default().balance(l, 100).frb(l, 100).frb(r, 1).build_and_execute(|| {
        assert_ok!(deposit(l, 50, l, r));
        assert_ok!(Insurance::deposit(l.origin(), FRB, 50, l.id(), r.id(), None));
        let channel = Channel::new(l, r);
        let issuer = RuntimeOrigin::signed(failsafe_primitives::AccountId::new([0xee; 32]));
        assert_ok!(Assets::block(issuer.clone(), FRB, l.id()));
        assert_ok!(dispute(l, r, Evidence::default()));
        run_until_resolved(&channel);
        assert_eq!(free(FRD, l), 100, "the other asset goes on");
        assert_eq!(free(FRB, l), 50);
        assert_eq!(Custody::unclaimed(l.id(), FRB), 50);
        let refused = Custody::claim(r.origin(), l.id(), FRB);
        assert!(refused.is_err());
        assert_ok!(Assets::thaw(issuer, FRB, l.id()));
        assert_ok!(Custody::claim(r.origin(), l.id(), FRB));
        assert_eq!(free(FRB, l), 100);
    });
}

#[test]
fn m16_debts_should_be_ordered_by_the_block_of_their_dispute_when_resolved_in_another_order() {
    let p = Party::ordered(3);
    let (a, hub, b) = (&p[0], &p[1], &p[2]);
    // The hub is no registered hub here: its delay is 8, and b's evidence has a lock, so b's
    // dispute is opened first and resolved last.
    ExtBuilder::default().balance(a, 10).balance(b, 10).build_and_execute(|| {
        let ch_a = Channel::new(a, hub);
        let ch_b = Channel::new(hub, b);
        let locked = sent_and_locked(1, 400, (1, 1, now() + 15));
        assert_ok!(dispute(b, hub, ch_b.theirs(Side::Left, &locked)));
        next_block();
        assert_ok!(dispute(a, hub, ch_a.theirs(Side::Right, &sent(1, 500))));
        run_until_resolved(&ch_a);
        assert_eq!(debts(hub), vec![(a.id(), 500)]);
        run_until_resolved(&ch_b);
        assert_eq!(debts(hub), vec![(b.id(), 400), (a.id(), 500)]);
        // Conserve: what the hub gets comes from a party.
        assert_ok!(Balances::transfer_allow_death(b.origin(), hub.id(), 5));
        next_block();
        assert_eq!(debts(hub), vec![(b.id(), 395), (a.id(), 500)]);
        assert_eq!(free(FRD, b), 10);
    });
}

#[test]
fn s60_events_should_tell_the_story_when_a_bank_is_taken_to_the_chain() {
    let p = Party::ordered(3);
    let (u2, hub, u123) = (&p[0], &p[1], &p[2]);
    ExtBuilder::default().balance(u2, 6_000).balance(u123, 10).hub(hub).build_and_execute(|| {
        assert_ok!(deposit(u2, 5_000, u2, hub));
        let ch2 = Channel::new(u2, hub);
        assert_ok!(withdraw(hub, u2, ch2.withdrawal(Side::Right, 0, &[(FRD, 1_000, 0)])));
        assert_ok!(deposit(hub, 400, hub, u123));
        let ch123 = Channel::new(hub, u123);
        assert_ok!(Balances::transfer_allow_death(hub.origin(), u2.id(), 600));
        assert_ok!(dispute(u123, hub, ch123.theirs(Side::Left, &sent(3, 1_000))));
        run_until_resolved(&ch123);
        assert_ok!(Balances::transfer_allow_death(u2.origin(), hub.id(), 100));
        next_block();
        let names = event_names().join("\n");
        let story = [
            "Event::Withdraw {",
            "Event::Deposit {",
            "Event::DisputeStarted {",
            "Event::DisputeResolved {",
            "Event::DebtCreated {",
            "Event::DebtEnforced {",
        ];
        for event in story {
            assert!(names.contains(event), "{event} is missing in\n{names}");
        }
        assert_eq!(debts(hub), vec![(u123.id(), 500)]);
        assert_eq!(free(FRD, u123), 510);
    });
}
