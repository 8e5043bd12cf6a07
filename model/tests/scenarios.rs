//! The chain's scenarios (`docs/scenarios.md`) on the reference: numbers in, numbers out.

use failsafe_model::chain::{
    sign, split, Account, Ack, Action, Amount, AssetRules, Call, Chain, Clock, Close, Entry, Error,
    Evidence, Genesis, Hash, Item, Lock, Mode, Ours, Pair, Params, Secret, Side, Signed, Simplex,
    Standing, TwiceSigned, Withdrawal, NATIVE,
};
use std::collections::{BTreeMap, BTreeSet};

const L: Account = 2;
const R: Account = 5;

fn times() -> Params {
    Params { delay_hub: 4, delay_user: 8, ..Params::default() }
}

/// A chain in its first block, with this native money.
fn chain(params: Params, hubs: &[Account], money: &[(Account, Amount)]) -> Chain {
    let hubs = hubs.iter().copied().collect::<BTreeSet<_>>();
    let mut chain = Chain::new(Genesis { params, hubs, ..Genesis::default() });
    for (who, amount) in money {
        chain.mint(NATIVE, *who, *amount);
    }
    chain.begin_block(None);
    chain
}

/// L and R with collateral, put there by a third party.
fn with_row(insurance: Amount, left: Amount, money: &[(Account, Amount)]) -> Chain {
    let mut chain = chain(times(), &[], money);
    chain.mint(NATIVE, 99, insurance + 1);
    for (amount, beneficiary, partner) in [(left, L, R), (insurance - left, R, L)] {
        if amount > 0 {
            chain.apply(99, deposit(amount, beneficiary, partner)).unwrap();
        }
    }
    chain
}

fn pair() -> Pair {
    Pair::of(L, R).unwrap()
}

fn deposit(amount: Amount, beneficiary: Account, partner: Account) -> Call {
    Call::Deposit { asset: NATIVE, amount, beneficiary, partner, epoch: None }
}

fn row(chain: &Chain, pair: Pair) -> (Amount, i128) {
    chain.channel(pair).map_or((0, 0), |channel| channel.collateral(NATIVE))
}

fn simplex_with(from: Side, nonce: u64, sent: Amount, locks: Vec<Lock>) -> Simplex {
    let entries = vec![Entry { asset: NATIVE, sent, locks }];
    Simplex { pair: pair(), epoch: 0, from, nonce, entries }
}

fn simplex(from: Side, nonce: u64, sent: Amount) -> Simplex {
    simplex_with(from, nonce, sent, vec![])
}

fn signed(simplex: Simplex) -> Signed<Simplex> {
    sign(simplex.payer(), simplex)
}

fn acked(simplex: Simplex) -> Signed<Ack> {
    sign(simplex.payee(), Ack(simplex))
}

fn theirs(simplex: Simplex) -> Evidence {
    Evidence { theirs: Some(signed(simplex)), ours: None }
}

fn ours(simplex: Simplex) -> Evidence {
    Evidence { theirs: None, ours: Some(Ours::Acked(acked(simplex))) }
}

fn dispute(partner: Account, evidence: Evidence) -> Call {
    Call::Dispute { partner, epoch: 0, evidence }
}

fn counter(partner: Account, evidence: Evidence) -> Call {
    Call::Counter { partner, evidence }
}

fn proof(to: Side, nonce: u64, amount: Amount, max_from_balance: Amount) -> Signed<Withdrawal> {
    let items = vec![Item { asset: NATIVE, amount, max_from_balance }];
    let content = Withdrawal { pair: pair(), epoch: 0, to, nonce, valid_until: Clock::MAX, items };
    sign(pair().account(to.other()), content)
}

fn lock(id: u64, amount: Amount, hash: u64, expiry: Clock) -> Lock {
    Lock { id, amount, hash: Hash(hash), expiry }
}

/// Ends this block, then empty blocks until the dispute of the pair is over.
fn finish(chain: &mut Chain, pair: Pair) {
    chain.end_block(false);
    while chain.channel(pair).is_some_and(|channel| channel.dispute.is_some()) {
        chain.run_blocks(1);
    }
    chain.begin_block(None);
}

#[test]
fn s01_split_should_give_the_table() {
    let table = [
        (4, 6, [4, 0], [0, 2]),
        (4, 2, [2, 2], [0, 0]),
        (4, -2, [0, 4], [2, 0]),
        (4, 0, [0, 4], [0, 0]),
        (4, 4, [4, 0], [0, 0]),
        (0, 5, [0, 0], [0, 5]),
        (0, -5, [0, 0], [5, 0]),
    ];
    for (insurance, delta, insured, owed) in table {
        assert_eq!(split(insurance, delta), (insured, owed), "split({insurance}, {delta})");
    }
}

#[test]
fn s02_s03_s04_deposit_should_go_to_the_named_side() {
    let mut chain = chain(times(), &[], &[(L, 10_000), (R, 10), (9, 100)]);
    chain.apply(L, deposit(6, L, R)).unwrap();
    assert_eq!((row(&chain, pair()), chain.free(NATIVE, L)), ((6, 6), 9_994));
    chain.apply(R, deposit(6, R, L)).unwrap();
    assert_eq!(row(&chain, pair()), (12, 6));
    chain.apply(9, deposit(40, R, L)).unwrap();
    chain.apply(9, deposit(10, L, R)).unwrap();
    assert_eq!((row(&chain, pair()), chain.free(NATIVE, 9)), ((62, 16), 50));
    chain.check();
}

#[test]
fn s06_s07_s08_withdraw_should_take_the_insured_part_once() {
    let mut chain = with_row(10, 10, &[]);
    chain.apply(L, Call::Withdraw { partner: R, proof: proof(Side::Left, 0, 3, 0) }).unwrap();
    assert_eq!((row(&chain, pair()), chain.free(NATIVE, L)), ((7, 7), 3));

    let mut chain = with_row(10, 4, &[]);
    let call = Call::Withdraw { partner: L, proof: proof(Side::Right, 0, 4, 0) };
    chain.apply(R, call.clone()).unwrap();
    assert_eq!((row(&chain, pair()), chain.free(NATIVE, R)), ((6, 4), 4));
    let before = chain.clone();
    assert_eq!(chain.apply(R, call), Err(Error::WrongWithdrawalNonce));
    assert_eq!(chain, before);
}

#[test]
fn s09_withdraw_should_be_all_or_nothing_when_there_are_two_assets() {
    let mut chain = with_row(10, 0, &[]);
    chain.add_asset(1, AssetRules::default());
    chain.mint(1, R, 10);
    let deposit = Call::Deposit { asset: 1, amount: 10, beneficiary: R, partner: L, epoch: None };
    chain.apply(R, deposit).unwrap();
    let with = |second: Amount| {
        let item = |asset, amount| Item { asset, amount, max_from_balance: 0 };
        let items = vec![item(NATIVE, 3), item(1, second)];
        let content = Withdrawal {
            pair: pair(),
            epoch: 0,
            to: Side::Right,
            nonce: 0,
            valid_until: 50,
            items,
        };
        Call::Withdraw { partner: L, proof: sign(L, content) }
    };
    assert_eq!(chain.apply(R, with(11)), Err(Error::AboveMaxFromBalance));
    chain.apply(R, with(5)).unwrap();
    assert_eq!((chain.free(NATIVE, R), chain.free(1, R)), (3, 5));
    let again = Call::Withdraw { partner: L, proof: proof(Side::Right, 0, 5, 0) };
    assert_eq!(chain.apply(R, again), Err(Error::WrongWithdrawalNonce));
}

#[test]
fn s12_s13_s15_withdraw_should_draw_on_the_partner_within_his_bound() {
    for (to, hub) in [(Side::Left, R), (Side::Right, L)] {
        let user = pair().account(to);
        let mut chain = chain(times(), &[hub], &[(hub, 1_000), (user, 30)]);
        chain.apply(user, deposit(30, user, hub)).unwrap();
        let call = |bound| Call::Withdraw { partner: hub, proof: proof(to, 0, 80, bound) };
        assert_eq!(chain.apply(user, call(49)), Err(Error::AboveMaxFromBalance));
        let mut poor = chain.clone();
        poor.apply(hub, Call::Transfer { to: 77, asset: NATIVE, amount: 980 }).unwrap();
        assert_eq!(poor.apply(user, call(50)), Err(Error::PartnerCannotPay));
        chain.apply(user, call(50)).unwrap();
        let left_over = if to == Side::Left { -50 } else { 50 };
        assert_eq!((chain.free(NATIVE, user), chain.free(NATIVE, hub)), (80, 950));
        assert_eq!(row(&chain, pair()), (0, left_over));
        chain.check();
    }
}

#[test]
fn s16_withdraw_should_be_refused_when_the_epoch_has_ended() {
    let mut chain = with_row(100, 100, &[(R, 5)]);
    chain.apply(L, dispute(R, Evidence::default())).unwrap();
    finish(&mut chain, pair());
    assert_eq!(chain.free(NATIVE, L), 100);
    let stale = Call::Withdraw { partner: L, proof: proof(Side::Right, 0, 60, 60) };
    assert_eq!(chain.apply(R, stale), Err(Error::BadProof));
}

#[test]
fn s17_s30_dispute_should_return_the_insurance_when_nothing_is_signed() {
    let mut chain = chain(times(), &[1], &[(2, 10_000)]);
    let of = Pair::of(1, 2).unwrap();
    chain.apply(2, deposit(5_000, 2, 1)).unwrap();
    chain.apply(2, dispute(1, Evidence::default())).unwrap();
    finish(&mut chain, of);
    assert_eq!((chain.free(NATIVE, 2), row(&chain, of)), (10_000, (0, 0)));
    chain.apply(2, deposit(50, 2, 1)).unwrap();
    chain.apply(2, Call::Dispute { partner: 1, epoch: 1, evidence: Evidence::default() }).unwrap();
    finish(&mut chain, of);
    assert_eq!(chain.free(NATIVE, 2), 10_000);
    let nothing = Call::Dispute { partner: 1, epoch: 2, evidence: Evidence::default() };
    assert_eq!(chain.apply(2, nothing), Err(Error::NothingToDispute));
}

#[test]
fn s18_s19_newest_simplex_should_decide() {
    for (counters, left, right) in [(true, 0, 400), (false, 300, 100)] {
        let mut chain = with_row(400, 400, &[]);
        chain.apply(L, dispute(R, ours(simplex(Side::Left, 2, 100)))).unwrap();
        if counters {
            chain.apply(R, counter(L, theirs(simplex(Side::Left, 3, 400)))).unwrap();
        }
        finish(&mut chain, pair());
        assert_eq!((chain.free(NATIVE, L), chain.free(NATIVE, R)), (left, right));
    }
}

#[test]
fn s20_s21_only_a_newer_simplex_of_the_responder_should_replace() {
    let mut chain = with_row(400, 400, &[]);
    chain.apply(L, dispute(R, ours(simplex(Side::Left, 5, 100)))).unwrap();
    let stored = |chain: &Chain| {
        let dispute = chain.channel(pair()).unwrap().dispute.clone().unwrap();
        dispute.stored[0].clone().unwrap().simplex.nonce
    };
    for (nonce, after, free) in [(5, 5, false), (4, 5, false), (7, 7, true)] {
        let done = chain.apply(R, counter(L, theirs(simplex(Side::Left, nonce, 200)))).unwrap();
        assert_eq!((stored(&chain), done.free), (after, free));
    }
    let again = dispute(R, ours(simplex(Side::Left, 9, 0)));
    assert_eq!(chain.apply(L, again), Err(Error::StarterSpeaksOnce));
    let presented = chain.channel(pair()).unwrap().dispute.clone().unwrap().presented(0);
    let mut other = presented.clone();
    other.epoch = 1;
    let accept = |presented| Call::Accept { partner: L, presented };
    assert_eq!(chain.apply(R, accept(other)), Err(Error::NotWhatIsPresented));
    chain.apply(R, accept(presented)).unwrap();
    assert_eq!((chain.free(NATIVE, L), chain.free(NATIVE, R)), (200, 200));
}

#[test]
fn s24_s25_locks_should_count_when_revealed_in_time() {
    // Which hashes are revealed at which clock, and what left and right get.
    type Case = (&'static [(u64, Clock)], Amount, Amount);
    let table: [Case; 7] = [
        (&[], 36, 64),
        (&[(1, 50)], 43, 57),
        (&[(1, 50), (2, 100)], 48, 52),
        (&[(3, 60)], 32, 68),
        (&[(1, 50), (2, 100), (3, 60)], 44, 56),
        (&[(1, 101)], 36, 64),
        (&[(1, 101), (2, 100), (3, 100)], 37, 63),
    ];
    for (reveals, left, right) in table {
        let mut chain = with_row(100, 60, &[]);
        let of_right =
            simplex_with(Side::Right, 1, 0, vec![lock(1, 7, 1, 100), lock(2, 5, 2, 100)]);
        let of_left = simplex_with(Side::Left, 1, 24, vec![lock(1, 4, 3, 100)]);
        let mut disputed = false;
        while chain.clock() < 102 {
            for (hash, at) in reveals {
                if *at == chain.clock() {
                    let secrets = vec![Secret(*hash)];
                    chain.apply(L, Call::Reveal { secrets }).unwrap();
                }
            }
            if chain.clock() == 90 {
                let ours = Some(Ours::Acked(acked(of_left.clone())));
                let evidence = Evidence { theirs: Some(signed(of_right.clone())), ours };
                chain.apply(L, dispute(R, evidence)).unwrap();
                disputed = true;
                let dispute = chain.channel(pair()).unwrap().dispute.clone().unwrap();
                assert_eq!(dispute.resolve_at, 101);
            }
            chain.end_block(false);
            chain.begin_block(None);
        }
        assert!(disputed);
        let got = (chain.free(NATIVE, L), chain.free(NATIVE, R));
        assert_eq!(got, (left, right), "revealed {reveals:?}");
    }
}

#[test]
fn s29_late_claim_should_move_only_what_was_not_counted() {
    let resolved = |locks: Vec<Lock>| {
        let mut chain = with_row(100, 100, &[]);
        chain.apply(R, Call::Reveal { secrets: vec![Secret(1)] }).unwrap();
        chain.apply(L, dispute(R, ours(simplex_with(Side::Left, 5, 40, locks)))).unwrap();
        finish(&mut chain, pair());
        chain
    };
    let claim = Call::LateClaim { payer: L, epoch: 0, simplex: signed(simplex(Side::Left, 7, 70)) };

    let mut chain = resolved(vec![]);
    let mut empty = chain.clone();
    chain.apply(R, claim.clone()).unwrap();
    assert_eq!((chain.free(NATIVE, L), chain.free(NATIVE, R)), (30, 70));
    assert_eq!(chain.apply(R, claim.clone()), Err(Error::NothingToClaim));

    empty.apply(L, Call::Transfer { to: 50, asset: NATIVE, amount: 59 }).unwrap();
    empty.apply(R, claim.clone()).unwrap();
    assert_eq!((empty.owed_to(L, R, NATIVE), empty.free(NATIVE, L)), (29, 0));

    let mut late = resolved(vec![]);
    late.end_block(false);
    late.run_blocks(200);
    late.begin_block(None);
    assert_eq!(late.apply(R, claim.clone()), Err(Error::NoLateClaims));

    let mut counted = resolved(vec![lock(1, 30, 1, 20)]);
    assert_eq!((counted.free(NATIVE, L), counted.free(NATIVE, R)), (30, 70));
    assert_eq!(counted.apply(R, claim), Err(Error::NothingToClaim));
}

#[test]
fn s31_delay_should_be_that_of_the_responder_and_wait_out_full_blocks() {
    for (starter, responder, delay) in [(L, R, 4), (R, L, 8)] {
        let mut chain = chain(times(), &[R], &[(L, 100)]);
        chain.apply(L, deposit(50, L, R)).unwrap();
        let start = chain.clock();
        chain.apply(starter, dispute(responder, Evidence::default())).unwrap();
        for _ in 0..20 {
            chain.end_block(true);
            chain.begin_block(None);
        }
        assert_eq!(chain.clock(), start, "full blocks do not count");
        finish(&mut chain, pair());
        // `finish` has begun the block after the one in which it was resolved.
        assert_eq!(chain.clock(), start + delay + 1);
    }
}

#[test]
fn s32_revealed_lock_should_be_owed_beyond_the_insurance() {
    let mut chain = with_row(10, 10, &[(R, 3)]);
    let of_right = simplex_with(Side::Right, 1, 0, vec![lock(1, 7, 1, 9)]);
    chain.apply(L, Call::Reveal { secrets: vec![Secret(1)] }).unwrap();
    chain.apply(L, dispute(R, theirs(of_right))).unwrap();
    finish(&mut chain, pair());
    assert_eq!((chain.free(NATIVE, L), chain.free(NATIVE, R)), (13, 0));
    assert_eq!(chain.owed_to(R, L, NATIVE), 4);
}

#[test]
fn s34_debts_should_be_paid_in_the_order_of_their_disputes() {
    let mut chain = chain(times(), &[], &[]);
    let hub = 1;
    for (creditor, amount) in [(10, 300), (11, 500), (12, 200)] {
        let of = Pair::of(hub, creditor).unwrap();
        let entries = vec![Entry { asset: NATIVE, sent: amount, locks: vec![] }];
        let owed = Simplex { pair: of, epoch: 0, from: Side::Left, nonce: 1, entries };
        let evidence = Evidence { theirs: Some(sign(hub, owed)), ours: None };
        chain.apply(creditor, dispute(hub, evidence)).unwrap();
        chain.end_block(false);
        chain.begin_block(None);
    }
    chain.end_block(false);
    chain.run_blocks(12);
    chain.mint(NATIVE, hub, 400);
    chain.run_blocks(1);
    let has = |chain: &Chain| [10, 11, 12, hub].map(|who| chain.free(NATIVE, who));
    assert_eq!(has(&chain), [300, 100, 0, 0]);
    chain.mint(NATIVE, hub, 1_000);
    chain.run_blocks(1);
    assert_eq!(has(&chain), [300, 500, 200, 400]);
    assert_eq!(chain.owes(hub, NATIVE), 0);
}

#[test]
fn s35_native_floor_should_be_left_to_the_debtor() {
    for (money, paid, left) in [(150_000, 50_000, 10_000), (50_000, 0, 60_000)] {
        let params = Params { floor_user: 100_000, ..times() };
        let mut chain = chain(params, &[], &[(R, money)]);
        let owed = simplex(Side::Right, 1, 60_000);
        chain.apply(L, dispute(R, theirs(owed))).unwrap();
        finish(&mut chain, pair());
        assert_eq!(chain.free(NATIVE, L), paid);
        assert_eq!(chain.owes(R, NATIVE), left);
        assert_eq!(chain.free(NATIVE, R), money - paid);
    }
}

#[test]
fn s38_close_should_end_the_epoch_at_once() {
    let mut chain = with_row(5_000, 5_000, &[]);
    let close = Close { pair: pair(), epoch: 0, valid_until: 50, offdeltas: vec![(0, -1_000)] };
    let call = Call::Close { partner: R, close: sign(R, close) };
    chain.apply(L, call.clone()).unwrap();
    assert_eq!((chain.free(NATIVE, L), chain.free(NATIVE, R)), (4_000, 1_000));
    assert_eq!(chain.epoch(pair()), 1);
    assert_eq!(chain.apply(L, call), Err(Error::BadProof));
    let claim = signed(simplex(Side::Left, 7, 2_000));
    let claim = Call::LateClaim { payer: L, epoch: 0, simplex: claim };
    assert_eq!(chain.apply(R, claim), Err(Error::NoLateClaims));
}

#[test]
fn s40_good_hub_should_keep_what_it_had() {
    let (hub, user, friend) = (3, 2, 123);
    let [first, second] = [Pair::of(hub, user).unwrap(), Pair::of(hub, friend).unwrap()];
    let mut chain = chain(times(), &[hub], &[(hub, 10_000), (user, 10_000)]);
    chain.apply(user, deposit(5_000, user, hub)).unwrap();
    let withdrawal = |pair: Pair, to: Side, amount| {
        let items = vec![Item { asset: NATIVE, amount, max_from_balance: 0 }];
        let content = Withdrawal { pair, epoch: 0, to, nonce: 0, valid_until: 100, items };
        sign(pair.account(to.other()), content)
    };
    let rebalance = vec![
        Call::Withdraw { partner: user, proof: withdrawal(first, Side::Right, 1_000) },
        // To its own side: it has paid 1,000 off chain already.
        deposit(1_000, hub, friend),
    ];
    chain.apply(hub, Call::Batch { actions: rebalance, mode: Mode::Atomic }).unwrap();
    assert_eq!((row(&chain, first), row(&chain, second)), ((4_000, 5_000), (1_000, 1_000)));
    let splice = vec![
        Call::Withdraw { partner: hub, proof: withdrawal(first, Side::Left, 3_000) },
        deposit(3_000, friend, hub),
    ];
    chain.apply(user, Call::Batch { actions: splice, mode: Mode::Atomic }).unwrap();
    assert_eq!((row(&chain, first), row(&chain, second)), ((1_000, 2_000), (4_000, 1_000)));
    // The user is left of the hub, the hub left of its friend; each left has paid 1,000.
    for (pair, by, other) in [(first, user, hub), (second, friend, hub)] {
        let close = Close { pair, epoch: 0, valid_until: 100, offdeltas: vec![(0, -1_000)] };
        chain.apply(by, Call::Close { partner: other, close: sign(other, close) }).unwrap();
    }
    let has = [hub, user, friend].map(|who| chain.free(NATIVE, who));
    assert_eq!(has, [10_000, 6_000, 4_000]);
}

#[test]
fn s41_bad_hub_should_pay_what_it_has_and_owe_the_rest() {
    for (hub_has, gets, debt) in [(0, 0, 1_000), (400, 400, 600), (10_000, 1_000, 0)] {
        let (hub, user) = (1, 123);
        let of = Pair::of(hub, user).unwrap();
        let mut chain = chain(times(), &[hub], &[(hub, hub_has), (user, 10), (50, 701)]);
        let entries = vec![Entry { asset: NATIVE, sent: 1_000, locks: vec![] }];
        let owed = Simplex { pair: of, epoch: 0, from: Side::Left, nonce: 4, entries };
        let evidence = Evidence { theirs: Some(sign(hub, owed)), ours: None };
        chain.apply(user, dispute(hub, evidence)).unwrap();
        finish(&mut chain, of);
        assert_eq!((chain.free(NATIVE, user), chain.owes(hub, NATIVE)), (10 + gets, debt));
        if hub_has == 0 {
            let gift = Call::Transfer { to: hub, asset: NATIVE, amount: 700 };
            chain.apply(50, gift).unwrap();
            chain.end_block(false);
            assert_eq!((chain.free(NATIVE, user), chain.owes(hub, NATIVE)), (710, 300));
        }
    }
}

#[test]
fn s62_skip_failed_batch_should_do_what_it_can() {
    let hub = 1;
    let users = [10, 11, 20, 21, 22];
    let mut chain = chain(times(), &[hub], &[(10, 1_000), (11, 1_000)]);
    for user in [10, 11] {
        chain.apply(user, deposit(1_000, user, hub)).unwrap();
    }
    let withdraw = |user: Account, signer: Account| {
        let items = vec![Item { asset: NATIVE, amount: 800, max_from_balance: 0 }];
        let pair = Pair::of(hub, user).unwrap();
        let content =
            Withdrawal { pair, epoch: 0, to: Side::Left, nonce: 0, valid_until: 9, items };
        Call::Withdraw { partner: user, proof: sign(signer, content) }
    };
    let mut actions: Vec<Action> = vec![withdraw(10, 10), withdraw(11, 66)];
    let amounts = [1_000, 400, 150];
    actions.extend(users[2..].iter().zip(amounts).map(|(user, sum)| deposit(sum, *user, hub)));
    let before = chain.clone();
    let atomic = Call::Batch { actions: actions.clone(), mode: Mode::Atomic };
    assert_eq!(chain.apply(hub, atomic), Err(Error::BadProof));
    assert_eq!(chain, before);
    let done = chain.apply(hub, Call::Batch { actions: actions.clone(), mode: Mode::SkipFailed });
    assert_eq!(done.unwrap().skipped, [(1, Error::BadProof), (2, Error::CannotMove)]);
    assert_eq!(chain.free(NATIVE, hub), 250);
    let again = Call::Batch { actions, mode: Mode::SkipFailed };
    assert_eq!(chain.apply(hub, again), Err(Error::OneBatchPerBlock));
}

#[test]
fn m13_m15_deadline_should_follow_the_locks_and_be_bounded() {
    let mut chain = with_row(100, 100, &[]);
    let start = chain.clock();
    let far = simplex_with(Side::Right, 1, 0, vec![lock(1, 5, 1, start + 21)]);
    assert_eq!(chain.apply(L, dispute(R, theirs(far))), Err(Error::ExpiryTooFar));
    chain.apply(L, dispute(R, Evidence::default())).unwrap();
    let due = |chain: &Chain| chain.channel(pair()).unwrap().dispute.as_ref().unwrap().resolve_at;
    assert_eq!(due(&chain), start + 8);
    let too_far = simplex_with(Side::Left, 1, 0, vec![lock(1, 5, 1, start + 27)]);
    assert_eq!(chain.apply(R, counter(L, theirs(too_far))), Err(Error::ExpiryTooFar));
    let late = simplex_with(Side::Left, 2, 0, vec![lock(1, 5, 1, start + 26)]);
    chain.apply(R, counter(L, theirs(late))).unwrap();
    assert_eq!(due(&chain), start + 27);
    chain.apply(R, counter(L, theirs(simplex(Side::Left, 3, 5)))).unwrap();
    assert_eq!(due(&chain), start + 27, "never lowered");
}

#[test]
fn m16_agreement_should_wait_when_it_books_a_debt() {
    let mut chain = with_row(10, 10, &[]);
    chain.apply(L, dispute(R, theirs(simplex(Side::Right, 1, 5)))).unwrap();
    let presented = chain.channel(pair()).unwrap().dispute.clone().unwrap().presented(0);
    chain.apply(R, Call::Accept { partner: L, presented }).unwrap();
    assert_eq!(chain.epoch(pair()), 0, "right has nothing to pay 5 with");
    let answer = counter(L, theirs(simplex(Side::Left, 1, 1)));
    assert_eq!(chain.apply(R, answer), Err(Error::AlreadySettled));
    finish(&mut chain, pair());
    assert_eq!((chain.free(NATIVE, L), chain.owes(R, NATIVE)), (10, 5));
}

#[test]
fn m17_deposit_should_go_to_the_responder_when_the_starter_hid_something() {
    for (newest, mine) in [(6, 1_000), (5, 990)] {
        let params = Params { dispute_deposit: 10, ..times() };
        let mut chain = chain(params, &[], &[(L, 1_000), (R, 990)]);
        chain.apply(L, deposit(100, L, R)).unwrap();
        chain.apply(L, dispute(R, ours(simplex(Side::Left, 5, 40)))).unwrap();
        assert_eq!(chain.free(NATIVE, L), 890);
        chain.apply(R, counter(L, theirs(simplex(Side::Left, newest, 40)))).unwrap();
        finish(&mut chain, pair());
        assert_eq!(chain.free(NATIVE, R), mine + 40);
        assert_eq!(chain.free(NATIVE, L) + chain.free(NATIVE, R), 1_990);
    }
}

#[test]
fn a10_unacked_simplex_should_give_way_only_to_one_that_gives_more() {
    let unacked = |simplex: Simplex, floor: Option<Simplex>| Evidence {
        theirs: None,
        ours: Some(Ours::Unacked { simplex, acked: floor.map(acked) }),
    };
    let floor = simplex(Side::Left, 3, 10);
    // The counter's nonce and sent, and what then stands.
    let table = [(2, 90, 40), (3, 90, 90), (3, 30, 40), (5, 40, 40), (6, 20, 20)];
    for (nonce, sent, stands) in table {
        let mut chain = with_row(100, 100, &[]);
        let mine = simplex(Side::Left, 5, 40);
        chain.apply(L, dispute(R, unacked(mine, Some(floor.clone())))).unwrap();
        chain.apply(R, counter(L, theirs(simplex(Side::Left, nonce, sent)))).unwrap();
        let dispute = chain.channel(pair()).unwrap().dispute.clone().unwrap();
        let stored = dispute.stored[0].clone().unwrap();
        assert_eq!(stored.simplex.sent(NATIVE), stands, "counter with {nonce}, {sent}");
        let replaced = (nonce, sent) != (2, 90) && (nonce, sent) != (3, 30);
        assert_eq!(stored.standing == Standing::Final, replaced);
    }
    let mut chain = with_row(100, 100, &[]);
    chain.apply(L, dispute(R, Evidence::default())).unwrap();
    let mine = unacked(simplex(Side::Right, 1, 0), None);
    assert_eq!(chain.apply(R, counter(L, mine)), Err(Error::AckMissing));
}

#[test]
fn a10_unacked_simplex_should_count_the_locks_that_would_be_lost() {
    // Both hold lock 1; the older one also holds lock 2, which the stored one has dropped.
    for (sent, replaced) in [(15, false), (14, true)] {
        let mut chain = with_row(100, 100, &[]);
        let shared = lock(1, 7, 1, 9);
        let mine = simplex_with(Side::Left, 5, sent, vec![shared.clone()]);
        let ours = Some(Ours::Unacked { simplex: mine, acked: None });
        chain.apply(L, dispute(R, Evidence { theirs: None, ours })).unwrap();
        let older = simplex_with(Side::Left, 4, 10, vec![shared, lock(2, 5, 2, 9)]);
        chain.apply(R, counter(L, theirs(older))).unwrap();
        let dispute = chain.channel(pair()).unwrap().dispute.clone().unwrap();
        let stored = dispute.stored[0].clone().unwrap();
        assert_eq!(stored.standing == Standing::Final, replaced);
    }
}

#[test]
fn counter_for_should_need_both_signatures() {
    let mut chain = with_row(100, 100, &[]);
    chain.apply(L, dispute(R, Evidence::default())).unwrap();
    let newer = simplex(Side::Left, 3, 30);
    let call = |ack: Signed<Ack>| Call::CounterFor {
        pair: pair(),
        simplexes: vec![TwiceSigned { simplex: signed(newer.clone()), ack }],
    };
    assert_eq!(chain.apply(9, call(sign(L, Ack(newer.clone())))), Err(Error::BadProof));
    let other = acked(simplex(Side::Left, 2, 30));
    assert_eq!(chain.apply(9, call(other)), Err(Error::BadProof));
    assert!(chain.apply(9, call(acked(newer.clone()))).unwrap().free);
    finish(&mut chain, pair());
    assert_eq!((chain.free(NATIVE, L), chain.free(NATIVE, R)), (70, 30));
}

#[test]
fn unclaimed_money_should_wait_when_the_account_is_blocked() {
    let mut chain = chain(times(), &[], &[(L, 10), (R, 10), (9, 10)]);
    chain.add_asset(1, AssetRules { issuer: Some(9), ..AssetRules::default() });
    chain.mint(1, L, 100);
    let deposit = Call::Deposit { asset: 1, amount: 60, beneficiary: L, partner: R, epoch: None };
    chain.apply(L, deposit).unwrap();
    assert_eq!(chain.apply(L, Call::Block { asset: 1, who: L }), Err(Error::NotIssuer));
    chain.apply(9, Call::Block { asset: 1, who: L }).unwrap();
    chain.apply(L, dispute(R, Evidence::default())).unwrap();
    finish(&mut chain, pair());
    assert_eq!((chain.free(1, L), chain.unclaimed(1, L)), (40, 60));
    let claim = Call::Claim { who: L, asset: 1 };
    assert_eq!(chain.apply(5, claim.clone()), Err(Error::StillRefused));
    chain.apply(9, Call::Thaw { asset: 1, who: L }).unwrap();
    chain.apply(5, claim.clone()).unwrap();
    assert_eq!((chain.free(1, L), chain.unclaimed(1, L)), (100, 0));
    assert_eq!(chain.apply(5, claim), Err(Error::NothingUnclaimed));
}

#[test]
fn m3_rows_should_be_opened_by_the_parties_only_and_seven_each() {
    let mut chain = chain(times(), &[], &[(L, 10), (R, 10)]);
    for asset in 1..=8 {
        chain.add_asset(asset, AssetRules::default());
        for who in [L, R, 9] {
            chain.mint(asset, who, 10);
        }
    }
    let deposit =
        |asset| Call::Deposit { asset, amount: 1, beneficiary: L, partner: R, epoch: None };
    assert_eq!(chain.apply(9, deposit(1)), Err(Error::TooManyAssets));
    for asset in 1..=7 {
        chain.apply(L, deposit(asset)).unwrap();
    }
    assert_eq!(chain.apply(L, deposit(8)), Err(Error::TooManyAssets));
    chain.apply(R, deposit(8)).unwrap();
    chain.apply(9, deposit(1)).unwrap();
    assert_eq!(chain.channel(pair()).unwrap().opened_by(Side::Left), 7);
}

#[test]
fn debtor_should_pay_fees_only_out_of_the_floor() {
    let params = Params { floor_user: 100, ..times() };
    let mut chain = chain(params, &[], &[(R, 100)]);
    chain.apply(L, dispute(R, theirs(simplex(Side::Right, 1, 500)))).unwrap();
    finish(&mut chain, pair());
    assert_eq!((chain.owes(R, NATIVE), chain.spendable(NATIVE, R)), (500, 0));
    let gift = Call::Transfer { to: L, asset: NATIVE, amount: 1 };
    assert_eq!(chain.apply(R, gift), Err(Error::CannotMove));
    chain.ask_fee(R, 60).unwrap();
    chain.settle_fee(R, 60, 10);
    chain.mint(NATIVE, R, 10);
    assert_eq!(chain.ask_fee(R, 91), Err(Error::FeeMissing));
    chain.ask_fee(R, 90).unwrap();
    chain.settle_fee(R, 90, 90);
    chain.mint(NATIVE, R, 90);
    assert_eq!(chain.allowance(R), 0, "the floor has to do for 1,000 blocks");
    chain.end_block(false);
    chain.run_blocks(1_000);
    assert_eq!(chain.allowance(R), 99, "the minimum stays");
}

#[test]
fn secrets_should_keep_their_first_time_and_be_forgotten_after_keep() {
    let mut chain = chain(times(), &[], &[(L, 10)]);
    chain.apply(L, Call::Reveal { secrets: vec![Secret(4)] }).unwrap();
    let first = chain.revealed(Hash(4)).unwrap();
    chain.end_block(false);
    chain.run_blocks(50);
    chain.begin_block(None);
    chain.apply(L, Call::Reveal { secrets: vec![Secret(4)] }).unwrap();
    let again = chain.revealed(Hash(4)).unwrap();
    assert_eq!(again.revealed_at, first.revealed_at);
    assert_eq!(again.keep_until, first.keep_until + 51);
    chain.end_block(false);
    chain.run_to_clock(again.keep_until);
    assert!(chain.revealed(Hash(4)).is_some());
    chain.run_blocks(1);
    assert!(chain.revealed(Hash(4)).is_none());
}

#[test]
fn m21_deposit_should_be_refused_when_the_epoch_has_moved_on() {
    let mut chain = with_row(10, 10, &[(R, 10)]);
    let to = |epoch| Call::Deposit { asset: 0, amount: 1, beneficiary: L, partner: R, epoch };
    chain.apply(R, to(Some(0))).unwrap();
    chain.apply(L, dispute(R, Evidence::default())).unwrap();
    finish(&mut chain, pair());
    assert_eq!(chain.apply(R, to(Some(0))), Err(Error::WrongEpoch));
    chain.apply(R, to(None)).unwrap();
    assert_eq!(chain.apply(R, deposit(1, R, R)), Err(Error::SamePair));
}

#[test]
fn fork_should_not_touch_the_other_branch() {
    let mut chain = with_row(10, 10, &[]);
    let mut fork = chain.clone();
    fork.apply(L, dispute(R, Evidence::default())).unwrap();
    finish(&mut fork, pair());
    assert_eq!((fork.epoch(pair()), chain.epoch(pair())), (1, 0));
    chain.end_block(false);
    let counted: BTreeMap<_, _> = chain.channels().clone();
    assert_eq!(counted.len(), 1);
}
