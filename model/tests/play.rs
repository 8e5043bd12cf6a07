//! Games of honest and dishonest parties (`docs/model.md`). With all rules nobody honest loses;
//! with a rule off somebody does, which is the proof that a game can be lost.

use failsafe_model::chain::{
    sign, Ack, Amount, AssetRules, Call, Chain, Entry, Evidence, Genesis, Hash, Lock, Ours, Pair,
    Params, Side, Simplex, TwiceSigned,
};
use failsafe_model::play::{campaign, play, Numbers, Rules, Summary};
use std::ops::Range;

fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn games(seeds: Range<u64>, rules: Rules, numbers: Numbers) -> Summary {
    campaign(seeds, rules, numbers, jobs(), |_| {})
}

fn without(rule: &str) -> Rules {
    let mut rules = Rules::default();
    assert!(rules.switch_off(rule), "no rule {rule}");
    rules
}

/// Games with a rule off: somebody must lose in one of them.
fn lost_without(rule: &str, seeds: Range<u64>) {
    let summary = games(seeds, without(rule), Numbers::default());
    assert!(summary.of("loss") > 0, "nobody lost without {rule}: {:?}", summary.sorts);
}

#[test]
fn honest_parties_should_lose_nothing_when_any_two_others_are_evil() {
    let summary = games(0..400, Rules::default(), Numbers::default());
    assert_eq!(summary.games, 400);
    assert!(summary.found.is_empty(), "{:#?}", summary.found);
}

#[test]
fn games_should_reach_every_part_of_the_protocol_when_many_are_played() {
    let summary = games(0..200, Rules::default(), Numbers::default());
    for what in [
        "absences",
        "accepts",
        "batches",
        "closes",
        "counters",
        "counters of others",
        "disputes",
        "late claims",
        "locked payments received",
        "locks forwarded",
        "payments handed over",
        "plain payments forwarded",
        "reorganisations",
        "resolved",
        "reveals",
        "thawed after a reorganisation",
        "withdrawals",
    ] {
        assert!(summary.counts.get(what).is_some_and(|often| *often > 0), "never: {what}");
    }
}

#[test]
fn games_should_be_the_same_when_the_seed_is() {
    let one = play(7, Rules::default(), Numbers::default(), true);
    let other = play(7, Rules::default(), Numbers::default(), true);
    assert!(!one.trace.is_empty());
    assert_eq!(one.trace, other.trace);
}

#[test]
fn m15_honest_counters_should_be_within_their_bound_when_blocks_are_full_and_forks_deep() {
    let numbers = Numbers { full: 300, reorgs: 300, ..Numbers::default() };
    let summary = games(0..200, Rules::default(), numbers);
    assert_eq!(summary.counts.get("HONEST EVIDENCE BEYOND ITS BOUND"), None);
    assert!(summary.counts["counters"] > 0);
}

#[test]
fn m05_honest_hubs_should_lose_nothing_when_two_are_in_a_row_and_the_margin_is_wide() {
    let numbers = Numbers { margin: 6, window: 40, ..Numbers::default() };
    let summary = games(0..150, Rules::default(), numbers);
    assert!(summary.found.is_empty(), "{:#?}", summary.found);
}

#[test]
fn m01_somebody_should_lose_when_nobody_freezes() {
    lost_without("freeze", 0..60);
}

#[test]
fn m01_somebody_should_lose_when_disputes_are_watched_on_finalized_blocks() {
    lost_without("best_watch", 0..400);
}

#[test]
fn m05_somebody_should_lose_when_there_is_no_time_left_to_reveal() {
    lost_without("act_margin", 0..100);
}

#[test]
fn m05_a_hub_should_lose_when_it_settles_without_cut_off() {
    lost_without("cutoff", 100..150);
}

#[test]
fn m05_a_hub_should_lose_when_it_settles_on_a_reveal_that_is_not_final() {
    lost_without("final_reveal", 120..140);
}

#[test]
fn a11_a_user_who_was_away_should_lose_when_nothing_is_claimed_late() {
    lost_without("late_claims", 0..600);
}

#[test]
fn a13_somebody_should_lose_when_a_stale_view_is_trusted() {
    let numbers = Numbers { absences: 40, ..Numbers::default() };
    assert!(games(570..590, Rules::default(), numbers).found.is_empty());
    assert!(games(570..590, without("fresh_best"), numbers).of("loss") > 0);
}

#[test]
fn m18_somebody_should_lose_when_the_time_to_answer_is_3() {
    let numbers = Numbers { delay_hub: 3, delay_user: 3, ..Numbers::default() };
    assert!(games(0..500, Rules::default(), numbers).violations() > 0);
}

#[test]
fn m18_somebody_should_lose_when_the_time_to_answer_is_4() {
    let numbers = Numbers { delay_hub: 4, delay_user: 4, ..Numbers::default() };
    assert!(games(0..300, Rules::default(), numbers).violations() > 0);
}

#[test]
fn m04_somebody_should_be_overexposed_when_open_debts_do_not_count() {
    let summary = games(0..600, without("debts_owed"), Numbers::default());
    assert!(summary.of("overexposed") > 0, "{:?}", summary.sorts);
}

/// R has two words of S: an old one with a lock, and the newest. S baits with an invented one that
/// gives as much as the newest, and lets somebody bring the old one at the end. Returns what R's
/// epoch ended with in asset 1.
fn baited(raise_floor: bool) -> Amount {
    let (responder, starter, accomplice) = (1, 2, 8);
    let pair = Pair::of(responder, starter).expect("two");
    let params = Params { raise_floor, ..Params::default() };
    let assets = [0, 1].into_iter().map(|asset| (asset, AssetRules::default())).collect();
    let mut chain = Chain::new(Genesis { params, assets, ..Genesis::default() });
    for who in [responder, starter, accomplice] {
        chain.mint(0, who, 1_000);
        chain.mint(1, who, 1_000);
    }
    chain.begin_block(None);
    let (beneficiary, partner) = (starter, responder);
    let row = Call::Deposit { asset: 0, amount: 1, beneficiary, partner, epoch: None };
    chain.apply(starter, row).expect("a deposit");
    let word = |nonce, sums: [Amount; 2], locks: Vec<Lock>| Simplex {
        pair,
        epoch: 0,
        from: Side::Right,
        nonce,
        entries: vec![
            Entry { asset: 0, sent: sums[0], locks },
            Entry { asset: 1, sent: sums[1], locks: vec![] },
        ],
    };
    let lock = Lock { id: 2, amount: 83, hash: Hash(1), expiry: 10 };
    let (old, newest) = (word(4, [26, 0], vec![lock]), word(6, [26, 60], vec![]));
    let bait = word(8, [50, 60], vec![]);
    let ours = Some(Ours::Unacked { simplex: bait, acked: None });
    let dispute =
        Call::Dispute { partner: responder, epoch: 0, evidence: Evidence { theirs: None, ours } };
    chain.apply(starter, dispute).expect("a dispute");
    let evidence = Evidence { theirs: Some(sign(starter, newest)), ours: None };
    chain.apply(responder, Call::Counter { partner: starter, evidence }).expect("a counter");
    let twice = TwiceSigned { simplex: sign(starter, old.clone()), ack: sign(responder, Ack(old)) };
    let third = Call::CounterFor { pair, simplexes: vec![twice] };
    chain.apply(accomplice, third).expect("a counter of a third party");
    chain.end_block(false);
    chain.run_blocks(20);
    assert_eq!(chain.epoch(pair), 1);
    chain.free(1, responder) - 1_000
}

#[test]
fn a10_a_responder_should_lose_to_a_bait_when_what_was_brought_in_vain_raises_no_floor() {
    assert_eq!(baited(false), 0);
}

#[test]
fn a10_a_responder_should_keep_its_claim_when_what_was_brought_in_vain_raises_the_floor() {
    assert_eq!(baited(true), 60);
}
