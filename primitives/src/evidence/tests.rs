use super::*;
use crate::{
    ids::{AccountId, Pair},
    payload::ack_message,
    simplex::{Entry, Lock, MAX_LOCKS_USER},
};
use sp_core::{ed25519, Pair as _, H256};

/// Some asset.
const ISSUED: u32 = 7;

struct Party {
    key: ed25519::Pair,
}

impl Party {
    fn new(seed: u8) -> Self {
        Self { key: ed25519::Pair::from_seed(&[seed; 32]) }
    }
    fn id(&self) -> AccountId {
        AccountId::new(self.key.public().0)
    }
    fn sign(&self, message: [u8; 32]) -> Signature {
        Signature::Direct(self.key.sign(&message).into())
    }
}

/// Left, right and their channel.
fn channel() -> (Party, Party, ChannelContext) {
    let (a, b) = (Party::new(1), Party::new(2));
    let (left, right) = if a.id() < b.id() { (a, b) } else { (b, a) };
    let pair = Pair::new(left.id(), right.id()).unwrap();
    (left, right, ChannelContext { genesis_hash: H256::repeat_byte(9), pair, epoch: 3 })
}

fn rules(channel: &ChannelContext) -> EvidenceRules<'_> {
    let latest_expiry = latest_expiry_at_start(100, 20);
    EvidenceRules { channel, latest_expiry, max_locks: MAX_LOCKS_USER }
}

fn simplex(nonce: u64, sent: u128) -> Simplex {
    Simplex { nonce, entries: vec![Entry::sent(0, sent)].try_into().unwrap() }
}

fn with_lock(nonce: u64, expiry: u64) -> Simplex {
    let lock = Lock { id: 1, amount: 5, hash: [3; 32], expiry };
    let entry = Entry { asset: 0, sent: 0, locks: vec![lock].try_into().unwrap() };
    Simplex { nonce, entries: vec![entry].try_into().unwrap() }
}

fn theirs(context: &ChannelContext, from: Side, signer: &Party, simplex: Simplex) -> Evidence {
    let signature = signer.sign(context.simplex_message(from, &simplex));
    Evidence { theirs: Some(SignedSimplex { simplex, signature }), ours: None }
}

#[test]
fn evidence_should_be_accepted_when_the_partner_signed_it() {
    let (left, _, context) = channel();
    let evidence = theirs(&context, Side::Left, &left, simplex(7, 70));
    let presented = rules(&context).check(evidence, Side::Right, true).unwrap();
    let expected = Presented { simplex: simplex(7, 70), standing: Standing::Final };
    assert_eq!(presented, [Some(expected), None]);
}

#[test]
fn s56_evidence_should_be_a_bad_proof_when_signed_for_another_chain_epoch_or_side() {
    let (left, _, context) = channel();
    let other_chain = ChannelContext { genesis_hash: H256::repeat_byte(8), ..context.clone() };
    let other_epoch = ChannelContext { epoch: 2, ..context.clone() };
    for signed_for in [other_chain, other_epoch] {
        let evidence = theirs(&signed_for, Side::Left, &left, simplex(7, 70));
        let refused = rules(&context).check(evidence, Side::Right, true);
        assert_eq!(refused, Err(EvidenceError::BadProof));
    }
    let other_side = theirs(&context, Side::Right, &left, simplex(7, 70));
    let refused = rules(&context).check(other_side, Side::Right, true);
    assert_eq!(refused, Err(EvidenceError::BadProof));
}

#[test]
fn s56_withdrawal_should_not_verify_when_signed_for_another_chain() {
    use crate::payload::{Withdrawal, WithdrawalItem};
    let (left, _, context) = channel();
    let other_chain = ChannelContext { genesis_hash: H256::repeat_byte(8), ..context.clone() };
    let items = vec![WithdrawalItem { asset: 0, amount: 5, max_from_balance: 0 }];
    let withdrawal =
        Withdrawal { withdrawal_nonce: 0, valid_until: 9, items: items.try_into().unwrap() };
    let signature = left.sign(other_chain.withdrawal_message(Side::Right, &withdrawal));
    assert!(!signature.verify(&context.withdrawal_message(Side::Right, &withdrawal), &left.id()));
    assert!(signature.verify(&other_chain.withdrawal_message(Side::Right, &withdrawal), &left.id()));
}

#[test]
fn own_simplex_should_be_final_when_the_partner_acknowledged_it() {
    let (_, right, context) = channel();
    let mine = simplex(4, 10);
    let ack = right.sign(context.ack_message(Side::Left, &mine));
    let evidence =
        Evidence { theirs: None, ours: Some(OwnSimplex::Acked { simplex: mine.clone(), ack }) };
    let presented = rules(&context).check(evidence, Side::Left, false).unwrap();
    assert_eq!(presented[0], Some(Presented { simplex: mine, standing: Standing::Final }));
}

#[test]
fn own_simplex_should_be_a_bad_proof_when_the_signature_is_not_an_acknowledgement() {
    let (_, right, context) = channel();
    let mine = simplex(4, 10);
    let not_an_ack = right.sign(context.simplex_message(Side::Left, &mine));
    let evidence =
        Evidence { theirs: None, ours: Some(OwnSimplex::Acked { simplex: mine, ack: not_an_ack }) };
    let refused = rules(&context).check(evidence, Side::Left, false);
    assert_eq!(refused, Err(EvidenceError::BadProof));
}

#[test]
fn a10_unacked_simplex_should_count_only_when_posted_by_the_starter() {
    let (_, right, context) = channel();
    let older = simplex(5, 10);
    let ack = right.sign(ack_message(&context.simplex_message(Side::Left, &older)));
    let ours = OwnSimplex::Unacked { simplex: simplex(7, 30), acked: Some((older, ack)) };
    let evidence = Evidence { theirs: None, ours: Some(ours) };
    let presented = rules(&context).check(evidence.clone(), Side::Left, true).unwrap();
    let standing = Standing::Unacked { floor: 5 };
    assert_eq!(presented[0], Some(Presented { simplex: simplex(7, 30), standing }));
    let unacked = OwnSimplex::Unacked { simplex: simplex(7, 30), acked: None };
    let alone = Evidence { theirs: None, ours: Some(unacked) };
    assert!(evidence.has_partners_signature() && !alone.has_partners_signature());
    let refused = rules(&context).check(alone, Side::Left, false);
    assert_eq!(refused, Err(EvidenceError::AckMissing));
}

#[test]
fn m6_unacked_simplex_should_count_as_its_acked_part_when_the_dispute_has_become_an_answer() {
    let (_, right, context) = channel();
    let older = simplex(5, 10);
    let ack = right.sign(ack_message(&context.simplex_message(Side::Left, &older)));
    let ours = OwnSimplex::Unacked { simplex: simplex(7, 30), acked: Some((older.clone(), ack)) };
    let outrun = Evidence { theirs: None, ours: Some(ours) };
    let presented = rules(&context).check(outrun, Side::Left, false).unwrap();
    assert_eq!(presented[0], Some(Presented { simplex: older, standing: Standing::Final }));
    let ours = OwnSimplex::Unacked { simplex: simplex(7, 30), acked: None };
    let partners = theirs(&context, Side::Right, &right, simplex(3, 5));
    let outrun = Evidence { ours: Some(ours), ..partners };
    let presented = rules(&context).check(outrun, Side::Left, false).unwrap();
    assert_eq!(presented[0], None);
    assert_eq!(presented[1].as_ref().map(|presented| presented.simplex.nonce), Some(3));
}

#[test]
fn a10_bait_should_stay_when_something_older_comes_after_what_the_receiver_has_brought() {
    let counter =
        |nonce, amount| Presented { simplex: simplex(nonce, amount), standing: Standing::Final };
    let bait = Presented { simplex: simplex(99, 30), standing: Standing::Unacked { floor: 0 } };
    let mut stored = Some(bait.clone());
    assert_eq!(counter(7, 30).bring(&mut stored), Brought::RaisedFloor);
    assert_eq!(counter(6, 40).bring(&mut stored), Brought::Skipped, "older, though it says more");
    assert_eq!(counter(7, 30).bring(&mut stored), Brought::Skipped, "once is enough");
    assert_eq!(stored.as_ref().map(|stored| &stored.simplex), Some(&bait.simplex));
    assert_eq!(counter(8, 40).bring(&mut stored), Brought::Replaced);
    assert_eq!(stored, Some(counter(8, 40)));
}

#[test]
fn a10_unacked_simplex_should_be_replaced_when_the_counter_shows_more_from_the_acked_nonce_on() {
    let stored = Presented { simplex: simplex(7, 30), standing: Standing::Unacked { floor: 5 } };
    let counter = |nonce| Presented { simplex: simplex(nonce, 31), standing: Standing::Final };
    assert!(counter(5).replaces(Some(&stored)));
    assert!(!counter(4).replaces(Some(&stored)));
}

#[test]
fn a10_unacked_simplex_should_stay_when_an_older_counter_gives_the_receiver_nothing_more() {
    let stored = Presented { simplex: simplex(7, 30), standing: Standing::Unacked { floor: 5 } };
    let counter =
        |nonce, amount| Presented { simplex: simplex(nonce, amount), standing: Standing::Final };
    assert!(!counter(5, 30).replaces(Some(&stored)));
    assert!(!counter(7, 29).replaces(Some(&stored)));
    assert!(counter(8, 29).replaces(Some(&stored)), "a newer one always");
    assert!(counter(7, 30).replaces(Some(&stored)), "the same one makes it final");
}

#[test]
fn a10_unacked_simplex_should_be_replaced_when_the_counter_has_a_lock_that_it_lacks() {
    let without = Presented { simplex: simplex(7, 4), standing: Standing::Unacked { floor: 1 } };
    let Simplex { entries, .. } = with_lock(5, 100);
    let amount = entries[0].locks[0].amount;
    let locked = Presented {
        simplex: Simplex { nonce: 5, entries: entries.clone() },
        standing: Standing::Final,
    };
    assert!(locked.replaces(Some(&without)));
    let keeps = Presented {
        simplex: Simplex { nonce: 7, entries },
        standing: Standing::Unacked { floor: 1 },
    };
    assert!(!locked.replaces(Some(&keeps)), "the same lock in both");
    let enough = Presented {
        simplex: simplex(7, locked.simplex.entries[0].sent + amount),
        standing: Standing::Unacked { floor: 1 },
    };
    assert!(!locked.replaces(Some(&enough)), "settled in the newer one");
}

#[test]
fn s20_final_simplex_should_be_replaced_only_when_the_nonce_is_higher() {
    let presented = |nonce| Presented { simplex: simplex(nonce, 1), standing: Standing::Final };
    assert!(!presented(5).replaces(Some(&presented(5))));
    assert!(!presented(4).replaces(Some(&presented(5))));
    assert!(presented(7).replaces(Some(&presented(5))));
    assert!(presented(1).replaces(None));
}

#[test]
fn m15_evidence_should_be_refused_when_a_lock_expires_beyond_the_window() {
    let (left, _, context) = channel();
    let latest = theirs(&context, Side::Left, &left, with_lock(1, 120));
    assert!(rules(&context).check(latest, Side::Right, true).is_ok());
    let beyond = theirs(&context, Side::Left, &left, with_lock(1, 121));
    let refused = rules(&context).check(beyond, Side::Right, true);
    assert_eq!(refused, Err(EvidenceError::ExpiryTooFar));
}

#[test]
fn m13_resolve_at_should_be_the_later_of_delay_and_highest_expiry() {
    let none: [&Simplex; 0] = [];
    assert_eq!(resolve_at(101, 4, none.into_iter()), 105);
    assert_eq!(resolve_at(90, 8, [&with_lock(1, 100)].into_iter()), 101);
    assert_eq!(resolve_at(99, 8, [&with_lock(1, 100)].into_iter()), 107);
}

#[test]
fn third_party_evidence_should_need_both_signatures() {
    let (left, right, context) = channel();
    let newer = simplex(6, 60);
    let signature = left.sign(context.simplex_message(Side::Left, &newer));
    let ack = right.sign(context.ack_message(Side::Left, &newer));
    let both = TwiceSigned { from: Side::Left, simplex: newer.clone(), signature, ack };
    let presented = rules(&context).check_twice_signed(vec![both.clone()]).unwrap();
    assert_eq!(presented[0].as_ref().map(|p| p.simplex.nonce), Some(6));
    let half = TwiceSigned { ack: both.signature.clone(), ..both };
    let refused = rules(&context).check_twice_signed(vec![half]);
    assert_eq!(refused, Err(EvidenceError::BadProof));
}

#[test]
fn s29_late_amount_should_be_what_was_not_counted_yet() {
    let sent = |amount| Entry::sent(ISSUED, amount);
    assert_eq!(late_amount(&sent(70), 40, &[]), 30);
    assert_eq!(late_amount(&sent(70), 70, &[]), 0);
    // A lock of 30 in the simplex of 40 that counted at resolve.
    let lock = Lock { id: 3, amount: 30, hash: [7; 32], expiry: 9 };
    assert_eq!(late_amount(&sent(70), 40 + 30, &[(ISSUED, lock)]), 0);
    assert_eq!(late_amount(&sent(10), 70, &[]), 0);
}

/// Finding 6 of docs/model.md: what is sent beside a lock that had counted and is still held.
#[test]
fn s29_late_amount_should_be_beside_the_locks_that_counted_when_they_are_still_held() {
    let lock = |id, amount| Lock { id, amount, hash: [7; 32], expiry: 9 };
    let held =
        |locks: Vec<Lock>| Entry { asset: ISSUED, sent: 30, locks: locks.try_into().unwrap() };
    let counted = [(ISSUED, lock(2, 1)), (ISSUED, lock(3, 40))];
    assert_eq!(late_amount(&held(vec![lock(3, 40)]), 40 + 1, &counted), 29);
    assert_eq!(late_amount(&held(vec![lock(3, 40)]), 40, &counted), 30);
    // Numbers ascend within an asset only.
    let mixed = [(ISSUED - 1, lock(9, 5)), (ISSUED, lock(3, 40)), (ISSUED + 1, lock(1, 6))];
    assert_eq!(late_amount(&held(vec![lock(3, 40)]), 40, &mixed), 30);
    // Twice the same claim.
    assert_eq!(late_amount(&held(vec![lock(3, 40)]), 70, &counted), 0);
    // Locks that had not counted, or not like this.
    for other in [lock(4, 40), lock(3, 50)] {
        assert_eq!(late_amount(&held(vec![other]), 20, &counted), 10);
    }
    assert_eq!(late_amount(&held(vec![lock(3, 40)]), 20, &[(ISSUED + 1, lock(3, 40))]), 10);
    // Beyond all limits.
    assert_eq!(
        late_amount(&held(vec![lock(3, Balance::MAX)]), 20, &[(ISSUED, lock(3, Balance::MAX))]),
        0
    );
}

#[test]
fn s32_split_should_push_into_uninsured_when_a_revealed_lock_passes_the_insurance() {
    // (10, 10, 0); right has a lock of 7 that was revealed at 5, expiry 9: delta 17.
    let lock = Lock { id: 1, amount: 7, hash: [1; 32], expiry: 9 };
    let entry = Entry { asset: 0, sent: 0, locks: vec![lock].try_into().unwrap() };
    let right = Simplex { nonce: 1, entries: vec![entry].try_into().unwrap() };
    let counted = right.counted(0, |_| Some(5)).unwrap();
    let row = crate::Collateral { insurance: 10, ondelta: 10 };
    let shares = row.split(0, counted).unwrap();
    assert_eq!((shares.left_insured, shares.right_owes), (10, 7));
    let paid_now = crate::debt::collectable(shares.right_owes, 3, 0, 0);
    assert_eq!((paid_now, shares.right_owes - paid_now), (3, 4));
}

#[test]
fn m15_latest_expiry_should_count_from_the_start_when_the_dispute_is_countered() {
    assert_eq!(latest_expiry_at_start(100, 20), 120);
    assert_eq!(latest_expiry_in_counter(100, 20), 126);
    assert_eq!(latest_expiry_at_start(Clock::MAX, 20), 0, "no lock at all");
    assert_eq!(latest_expiry_in_counter(Clock::MAX - 20, 20), 0, "no lock at all");
}

/// A simplex that has sent these amounts.
fn sent(nonce: u64, amounts: &[(u32, u128)]) -> Simplex {
    let entries: Vec<_> = amounts.iter().map(|(asset, sent)| Entry::sent(*asset, *sent)).collect();
    Simplex { nonce, entries: entries.try_into().unwrap() }
}

#[test]
fn m17_claim_should_hold_when_what_is_shown_is_not_newer() {
    let claim = Claim::of(Some(&sent(7, &[(0, 70), (2, 5)])));
    for shown in [sent(7, &[(0, 70), (2, 5)]), sent(6, &[(0, 60)]), sent(1, &[(2, 5)])] {
        assert!(!claim.is_broken_by(&shown), "{shown:?}");
    }
    assert!(!Claim::of(None).is_broken_by(&sent(0, &[(0, 0)])));
}

#[test]
fn m17_claim_should_be_broken_when_a_newer_or_larger_simplex_is_shown() {
    let claim = Claim::of(Some(&sent(7, &[(0, 70), (2, 5)])));
    let larger = [
        sent(8, &[(0, 70), (2, 5)]),
        sent(6, &[(0, 71)]),
        sent(6, &[(0, 60), (2, 6)]),
        sent(6, &[(1, 1)]),
    ];
    for shown in larger {
        assert!(claim.is_broken_by(&shown), "{shown:?}");
    }
    assert!(Claim::of(None).is_broken_by(&sent(1, &[])), "nothing posted, nonce 1 hidden");
    // Whoever posts an invented high nonce claims amounts all the same.
    assert!(Claim::of(Some(&sent(u64::MAX, &[]))).is_broken_by(&sent(3, &[(0, 1)])));
}

#[test]
fn digest_should_differ_when_epoch_or_content_or_standing_or_side_differ() {
    let one = |nonce, standing| Some(Presented { simplex: simplex(nonce, 1), standing });
    let accepted = [one(5, Standing::Final), None];
    let digest = presented_digest(3, &accepted);
    assert_eq!(digest, presented_digest(3, &accepted.clone()));
    let others = [
        presented_digest(4, &accepted),
        presented_digest(3, &[None, one(5, Standing::Final)]),
        presented_digest(3, &[one(6, Standing::Final), None]),
        presented_digest(3, &[one(5, Standing::Unacked { floor: 0 }), None]),
        presented_digest(3, &[None, None]),
    ];
    assert!(others.iter().all(|other| *other != digest));
    let expected = sp_io::hashing::blake2_256(&(3u32, &accepted[0], &accepted[1]).encode());
    assert_eq!(digest.0, expected, "SCALE of the two one after the other");
}
