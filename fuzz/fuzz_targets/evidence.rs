//! The rules that chain, hub and wallet share: arbitrary evidence and amounts against the laws of
//! `protocol.md` §2, §3 and §5.

#![no_main]

use codec::{DecodeAll, Encode};
use failsafe_fuzz::{
    bytes::Bytes,
    cast::{actors, Actor},
    values::amount,
};
use failsafe_primitives::{
    arithmetic::within_limit,
    debt::collectable,
    evidence::{
        late_amount, resolve_at, Claim, Evidence, EvidenceRules, OwnSimplex, Presented,
        SignedSimplex, Standing, TwiceSigned,
    },
    fees::HubFees,
    payload::ack_message,
    simplex::{Entry, Lock, MAX_LOCKS_HUBS, MAX_LOCKS_USER},
    split, Balance, ChannelContext, Close, Collateral, MerkleTree, Pair, Parameters, Side,
    Signature, Simplex, Withdrawal, LIMIT,
};
use libfuzzer_sys::fuzz_target;
use sp_core::H256;

const SIDES: [Side; 2] = [Side::Left, Side::Right];

fuzz_target!(|input: &[u8]| {
    decodes(input);
    let mut bytes = Bytes::new(input);
    while !bytes.is_empty() {
        match bytes.u8() % 8 {
            0 | 1 => arithmetic(&mut bytes),
            2 => sequence(&mut bytes),
            3 | 4 => evidence(&mut bytes),
            5 => standings(&mut bytes),
            6 => merkle(&mut bytes),
            _ => numbers(&mut bytes),
        }
    }
});

/// Bytes from outside are decoded or refused; what is decoded stays the same.
fn decodes(input: &[u8]) {
    fn same<T: DecodeAll + Encode + PartialEq + core::fmt::Debug>(input: &[u8]) -> Option<T> {
        let value = T::decode_all(&mut &input[..]).ok()?;
        assert_eq!(T::decode_all(&mut &value.encode()[..]).as_ref(), Ok(&value));
        Some(value)
    }
    drop(same::<Evidence>(input));
    drop(same::<TwiceSigned>(input));
    drop(same::<Presented>(input));
    if let Some(signature) = same::<Signature>(input) {
        assert!(!signature.verify(&[7; 32], &actors()[0].id), "a signature that nobody made");
    }
    if let Some(simplex) = same::<Simplex>(input) {
        bounds(&simplex);
    }
    if let Some(withdrawal) = same::<Withdrawal>(input) {
        let _ = withdrawal.validate();
    }
    if let Some(close) = same::<Close>(input) {
        let _ = close.validate();
    }
    if let Some(parameters) = same::<Parameters>(input) {
        let _ = parameters.validate(1);
    }
}

/// A simplex that is valid cannot overflow anything.
fn bounds(simplex: &Simplex) {
    let valid = simplex.validate(MAX_LOCKS_HUBS);
    if simplex.validate(MAX_LOCKS_USER).is_ok() {
        assert_eq!(valid, Ok(()));
    }
    if valid.is_err() {
        return;
    }
    for entry in &simplex.entries {
        let all = entry.counted(|_| Some(0)).expect("two sums within the limit");
        let none = entry.counted(|_| None).expect("sent alone");
        assert_eq!(none, entry.sent);
        assert_eq!(all, entry.sent + entry.locked().expect("within the limit"));
        assert!(all <= 2 * LIMIT);
        assert_eq!(simplex.sent(entry.asset), entry.sent);
    }
    assert!(!Claim::of(Some(simplex)).is_broken_by(simplex), "a claim is true to itself");
    assert!(simplex.covers(simplex), "a simplex covers itself");
}

fn signed_amount(bytes: &mut Bytes<'_>, known: &[Balance]) -> i128 {
    let negative = bytes.u8() >= 128;
    let magnitude = i128::try_from(amount(bytes, known).min(LIMIT)).expect("within the limit");
    if negative {
        -magnitude
    } else {
        magnitude
    }
}

fn signed(amount: Balance) -> i128 {
    i128::try_from(amount).expect("within twice the limit")
}

/// `split` and `delta` (`protocol.md` §1.4, §2).
fn arithmetic(bytes: &mut Bytes<'_>) {
    let insurance = amount(bytes, &[LIMIT]).min(LIMIT);
    let ondelta = signed_amount(bytes, &[insurance]);
    let known = [insurance, ondelta.unsigned_abs()];
    let paid = [amount(bytes, &known), amount(bytes, &known)];
    let Ok(delta) = failsafe_primitives::delta(ondelta, paid[0], paid[1]) else {
        assert!(paid.iter().any(|paid| *paid > 2 * LIMIT), "within the limits nothing overflows");
        return;
    };
    // The sum in between may not fit, even if the whole does.
    let sum = ondelta.wrapping_add(signed_any(paid[1]));
    assert_eq!(delta, sum.wrapping_sub(signed_any(paid[0])));
    laws_of_split(insurance, delta);
}

fn signed_any(amount: Balance) -> i128 {
    i128::try_from(amount).expect("delta has taken it")
}

fn laws_of_split(insurance: Balance, delta: i128) {
    let shares = split(insurance, delta);
    assert_eq!(shares.left_insured + shares.right_insured, insurance);
    assert!(shares.left_owes == 0 || shares.right_owes == 0, "at most one side owes");
    if delta.unsigned_abs() <= 4 * LIMIT {
        let sum = signed(shares.left_insured) + signed(shares.right_owes);
        assert_eq!(sum - signed(shares.left_owes), delta);
    }
    for side in SIDES {
        assert!(shares.owes(side) == 0 || shares.insured(side) == 0, "who owes has nothing");
        assert_eq!(shares.uninsured(side), shares.owes(side.other()));
    }
}

/// Deposits and withdrawals in any order (`protocol.md` §2).
fn sequence(bytes: &mut Bytes<'_>) {
    let mut row = Collateral::default();
    let offdelta = signed_amount(bytes, &[]) / 4;
    for _ in 0..1 + bytes.below(8) {
        let choice = bytes.u8();
        let side = SIDES[usize::from(choice & 1)];
        let known = [row.insurance, row.ondelta.unsigned_abs(), offdelta.unsigned_abs()];
        let amount = amount(bytes, &known);
        let before = split(row.insurance, row.ondelta + offdelta);
        if choice < 128 {
            let Ok(after) = row.deposit(side, amount) else {
                assert!(amount > LIMIT || row.insurance + amount > LIMIT || row.ondelta > 0);
                continue;
            };
            assert_eq!(after.insurance, row.insurance + amount);
            row = after;
            let after = split(row.insurance, row.ondelta + offdelta);
            if side == Side::Right || row.ondelta + offdelta >= 0 {
                assert!(after.owes(side.other()) <= before.owes(side.other()));
            }
            own_changes(offdelta, row, side, signed(amount), before);
        } else {
            let most = if choice & 2 == 0 { Balance::MAX } else { amount / 2 };
            let spendable = if choice & 4 == 0 { Balance::MAX } else { amount / 2 };
            let Ok((after, sources)) = row.withdraw(side, amount, most, spendable) else {
                continue;
            };
            assert_eq!(sources.from_insurance + sources.from_balance, amount);
            assert_eq!(after.insurance + sources.from_insurance, row.insurance);
            assert!(sources.from_balance <= most.min(spendable));
            row = after;
            own_changes(offdelta, row, side, -signed(amount), before);
        }
        assert!(within_limit(row.insurance).is_ok());
        assert!(within_limit(row.ondelta.unsigned_abs()).is_ok());
        laws_of_split(row.insurance, row.ondelta + offdelta);
    }
}

/// What `side` owns changes by exactly what was deposited for it or taken out for it, and what the
/// partner owns by nothing that is not paid from or to its balance.
fn own_changes(
    offdelta: i128,
    row: Collateral,
    side: Side,
    by: i128,
    before: failsafe_primitives::Split,
) {
    let after = split(row.insurance, row.ondelta + offdelta);
    let own = |shares: &failsafe_primitives::Split, side| {
        signed(shares.insured(side)) + signed(shares.uninsured(side)) - signed(shares.owes(side))
    };
    assert_eq!(own(&after, side) - own(&before, side), by, "the own share of {side:?}");
}

fn simplex(bytes: &mut Bytes<'_>) -> Simplex {
    let mut id = u64::from(bytes.u8());
    let mut asset = u32::from(bytes.u8() % 4);
    let entries = (0..bytes.below(4))
        .map(|_| {
            asset += 1;
            let locks = (0..bytes.below(4)).map(|_| {
                id += 1;
                let amount = amount(bytes, &[]);
                let expiry = u64::from(bytes.u8());
                Lock { id, amount, hash: [bytes.u8() % 4; 32], expiry }
            });
            let locks = locks.collect::<Vec<_>>().try_into().expect("few");
            Entry { asset, sent: amount(bytes, &[]), locks }
        })
        .collect::<Vec<_>>();
    let nonce = u64::from(bytes.u8());
    let simplex = Simplex { nonce, entries: entries.try_into().expect("few") };
    if bytes.rarely(24) {
        bytes.mutate(simplex)
    } else {
        simplex
    }
}

/// Evidence is taken if and only if it is valid and signed by whom it should be (`protocol.md` §5).
fn evidence(bytes: &mut Bytes<'_>) {
    let [a, b]: [&Actor; 2] = [&actors()[1], &actors()[2]];
    let pair = Pair::new(a.id.clone(), b.id.clone()).expect("two accounts");
    let by = |side: Side| if *pair.account(side) == a.id { a } else { b };
    let genesis_hash = H256::repeat_byte(7);
    let channel = ChannelContext { genesis_hash, pair: pair.clone(), epoch: 1 };
    let rules = EvidenceRules { channel: &channel, latest_expiry: 200, max_locks: MAX_LOCKS_HUBS };
    let submitter = SIDES[bytes.below(2)];
    let starter = bytes.u8() & 1 == 0;

    let mut good = true;
    let valid = |simplex: &Simplex, bound: bool| {
        let late = bound && simplex.highest_expiry().is_some_and(|expiry| expiry > 200);
        simplex.validate(MAX_LOCKS_HUBS).is_ok() && !late
    };
    let mut honest = true;
    let mut context = |bytes: &mut Bytes<'_>| {
        let mut context = channel.clone();
        match bytes.u8() {
            255 => context.epoch = 2,
            254 => context.genesis_hash = H256::zero(),
            _ => return context,
        }
        honest = false;
        context
    };
    let theirs = (bytes.u8() & 1 == 0).then(|| {
        let simplex = simplex(bytes);
        good &= valid(&simplex, true);
        let from = submitter.other();
        let message = context(bytes).simplex_message(from, &simplex);
        SignedSimplex { signature: Signature::Direct(by(from).sign(&message)), simplex }
    });
    let mut acked = |bytes: &mut Bytes<'_>| {
        let simplex = simplex(bytes);
        let message = ack_message(&context(bytes).simplex_message(submitter, &simplex));
        (simplex, Signature::Direct(by(submitter.other()).sign(&message)))
    };
    // In an answer only what is acknowledged counts, and is looked at (M6).
    let mut order = true;
    let ours = match bytes.below(4) {
        0 => None,
        1 => {
            let (simplex, ack) = acked(bytes);
            good &= valid(&simplex, true);
            Some(OwnSimplex::Acked { simplex, ack })
        },
        2 => {
            let older = acked(bytes);
            let simplex = simplex(bytes);
            good &= valid(&older.0, !starter);
            if starter {
                good &= valid(&simplex, true);
                order = older.0.nonce <= simplex.nonce;
            }
            Some(OwnSimplex::Unacked { simplex, acked: Some(older) })
        },
        _ => {
            let simplex = simplex(bytes);
            good &= if starter { valid(&simplex, true) } else { theirs.is_some() };
            Some(OwnSimplex::Unacked { simplex, acked: None })
        },
    };
    let evidence = Evidence { theirs, ours };
    let result = rules.check(evidence.clone(), submitter, starter);
    assert_eq!(result.is_ok(), good && honest && order, "{result:?}");
    let Ok(presented) = result else { return };
    assert_eq!(
        presented[submitter.other().index()].as_ref().map(|presented| presented.standing),
        evidence.theirs.as_ref().map(|_| Standing::Final)
    );
    let standing = match &evidence.ours {
        Some(OwnSimplex::Unacked { acked, .. }) if starter => {
            let floor = acked.as_ref().map_or(0, |(older, _)| older.nonce);
            Some(Standing::Unacked { floor })
        },
        Some(OwnSimplex::Unacked { acked: None, .. }) | None => None,
        Some(_) => Some(Standing::Final),
    };
    let own = presented[submitter.index()].as_ref();
    assert_eq!(own.map(|presented| presented.standing), standing);
    let stored = || presented.iter().flatten().map(|presented| &presented.simplex);
    stored().for_each(bounds);
    let due = resolve_at(10, 8, stored());
    assert!((18..=201).contains(&due));
    let later = stored().filter_map(Simplex::highest_expiry).max();
    assert!(later.is_none_or(|expiry| due > expiry), "resolved while a lock is open");

    // Signed by both and changed afterwards it is nobody's.
    if let Some(SignedSimplex { simplex, signature }) = evidence.theirs {
        let from = submitter.other();
        let changed = bytes.mutate(simplex.clone());
        let late = rules.check_late(from, &changed, &signature);
        assert_eq!(late.is_ok(), changed == simplex, "{late:?}");
        assert!(rules.check_late(submitter, &simplex, &signature).is_err(), "of the other side");
    }
}

/// Which simplex replaces which (`protocol.md` §5, A10).
fn standings(bytes: &mut Bytes<'_>) {
    let presented = |bytes: &mut Bytes<'_>| {
        let simplex = simplex(bytes);
        let standing = match bytes.u8() {
            0..=127 => Standing::Final,
            _ => Standing::Unacked { floor: bytes.u8().into() },
        };
        Presented { simplex, standing }
    };
    let (a, b) = (presented(bytes), presented(bytes));
    let last = Presented { standing: Standing::Final, ..a.clone() };
    assert!(a.replaces(None), "anything replaces nothing");
    assert!(!last.replaces(Some(&last)), "final once");
    let both = a.replaces(Some(&b)) && b.replaces(Some(&a));
    let finals = (a.standing, b.standing) == (Standing::Final, Standing::Final);
    assert!(!(finals && both), "two simplexes that replace each other");
    if a.simplex.nonce > b.simplex.nonce {
        assert!(a.replaces(Some(&b)), "a higher nonce always replaces");
    }
    if let Standing::Unacked { floor } = b.standing {
        assert!(Presented { simplex: b.simplex.clone(), ..last }.replaces(Some(&b)));
        if a.simplex.nonce < floor.min(b.simplex.nonce) && a.simplex != b.simplex {
            assert!(!a.replaces(Some(&b)), "older than what was acked");
        }
    }
    covering(&a.simplex, &b.simplex);
}

/// What covers another simplex gives the partner at least as much, whatever is revealed.
fn covering(a: &Simplex, b: &Simplex) {
    let valid = |simplex: &Simplex| simplex.validate(MAX_LOCKS_HUBS).is_ok();
    if !valid(a) || !valid(b) || !a.covers(b) {
        return;
    }
    for revealed in 0..16u8 {
        let at = |hash: &[u8; 32]| (hash[0] < 4 && revealed >> hash[0] & 1 == 1).then_some(0);
        for entry in &b.entries {
            let ours = a.counted(entry.asset, at).expect("valid");
            assert!(ours >= entry.counted(at).expect("valid"), "{a:?} does not cover {b:?}");
        }
    }
}

/// One signature for many messages (`protocol.md` §3).
fn merkle(bytes: &mut Bytes<'_>) {
    let signer = &actors()[1];
    let messages: Vec<[u8; 32]> = (0..1 + bytes.below(9)).map(|_| [bytes.u8(); 32]).collect();
    let tree = MerkleTree::new(&messages).expect("few messages");
    let root = failsafe_primitives::signature::batch_message(&tree.root());
    let index = bytes.u8() % 16;
    let message = messages.get(usize::from(index));
    let signature = tree.signature(index.into(), signer.sign(&root));
    assert_eq!(signature.is_some(), message.is_some());
    let (Some(signature), Some(message)) = (signature, message) else { return };
    assert!(signature.verify(message, &signer.id));
    let changed = bytes.mutate(signature);
    let other = [bytes.u8(); 32];
    if !messages.contains(&other) {
        assert!(!changed.verify(&other, &signer.id), "a message that was never signed");
    }
}

/// Debts, fees, late claims.
fn numbers(bytes: &mut Bytes<'_>) {
    let balance = amount(bytes, &[]);
    let known = [balance];
    let (left, floor) = (amount(bytes, &known), amount(bytes, &known));
    let minimum = amount(bytes, &known);
    let pay = collectable(left, balance, floor, minimum);
    assert!(pay <= left && pay <= balance.saturating_sub(floor));
    assert!(pay == 0 || pay == balance || balance - pay >= minimum, "dust");
    let late = late_amount(&Entry::sent(0, left), floor, &[]);
    assert_eq!(left.max(floor), floor + late);
    let fees = HubFees { base: floor, ppm: bytes.u32() };
    if let Some(total) = fees.total(left) {
        assert_eq!(fees.fee(left), Some(total - left));
        assert!(total - left >= fees.base);
    }
}
