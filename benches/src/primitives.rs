//! The rules that chain and parties share.

use crate::{
    fixture::{context, keys},
    measure::{repeat, Bench, Row},
};
use codec::{DecodeAll, Encode};
use failsafe_channel::Sign;
use failsafe_primitives::{
    evidence::{latest_expiry_at_start, EvidenceRules},
    simplex::{MAX_ASSETS, MAX_LOCKS_USER},
    split, AssetId, Balance, Entry, Evidence, Lock, OwnSimplex, Side, Signature, SignedSimplex,
    Simplex, Withdrawal, WithdrawalItem, NATIVE_ASSET as FRD,
};
use failsafe_tests::harness::{failure, Failure};
use std::hint::black_box;

const GROUP: &str = "primitives";
/// Usable clock of the measurements.
const NOW: u64 = 100;
/// How long a lock may live.
const LOCK_WINDOW: u64 = 20;

/// Measures.
pub fn run(bench: &Bench) -> Result<Vec<Row>, Failure> {
    let mut rows = vec![splits(bench)?, evidence(bench)?, withdrawal(bench)?];
    rows.extend(scale(bench, "a Simplex", &simple()?)?);
    rows.extend(scale(bench, "the largest Simplex", &largest()?)?);
    Ok(rows)
}

fn splits(bench: &Bench) -> Result<Row, Failure> {
    // Left of the collateral, in it, and right of it.
    let deltas = [-5_000_i128, 2_500, 15_000];
    let mut turn = deltas.iter().cycle();
    let samples = repeat(bench.count(2_000), 1_000, || {
        let delta = turn.next().copied().unwrap_or_default();
        black_box(split(black_box(10_000), black_box(delta)));
        Ok(())
    })?;
    Ok(samples.row(GROUP, "split", "splits of a collateral"))
}

fn evidence(bench: &Bench) -> Result<Row, Failure> {
    let keys = keys()?;
    let channel = context(&keys)?;
    let right = &keys[1];
    let (mine, theirs) = (simple()?, simple()?);
    let signed = right.sign(&channel.simplex_message(Side::Right, &theirs));
    let ack = right.sign(&channel.ack_message(Side::Left, &mine));
    let evidence = Evidence {
        theirs: Some(SignedSimplex { simplex: theirs, signature: Signature::Direct(signed) }),
        ours: Some(OwnSimplex::Acked { simplex: mine, ack: Signature::Direct(ack) }),
    };
    let latest_expiry = latest_expiry_at_start(NOW, LOCK_WINDOW);
    let rules = EvidenceRules { channel: &channel, latest_expiry, max_locks: MAX_LOCKS_USER };
    let samples = repeat(bench.count(2_000), 1, || {
        let presented = rules.check(black_box(evidence.clone()), Side::Left, true);
        black_box(presented.map_err(|e| failure(format!("good evidence is refused: {e:?}")))?);
        Ok(())
    })?;
    Ok(samples.row(GROUP, "evidence check", "checks of both simplexes, two signatures"))
}

fn withdrawal(bench: &Bench) -> Result<Row, Failure> {
    let keys = keys()?;
    let channel = context(&keys)?;
    let items = vec![WithdrawalItem { asset: FRD, amount: 1_000, max_from_balance: 0 }];
    let items = items.try_into().map_err(|_| failure("too many items"))?;
    let withdrawal = Withdrawal { withdrawal_nonce: 3, valid_until: NOW, items };
    let message = channel.withdrawal_message(Side::Right, &withdrawal);
    let proof = Signature::Direct(keys[0].sign(&message));
    let samples = repeat(bench.count(2_000), 1, || {
        let withdrawal = black_box(&withdrawal);
        let valid = withdrawal.validate().is_ok();
        let message = channel.withdrawal_message(Side::Right, withdrawal);
        let good = valid && proof.verify(&message, channel.account(Side::Left));
        good.then_some(()).ok_or_else(|| failure("a good withdrawal is refused"))
    })?;
    Ok(samples.row(GROUP, "withdrawal", "checks of a withdrawal with its signature"))
}

fn scale(bench: &Bench, what: &str, simplex: &Simplex) -> Result<[Row; 2], Failure> {
    let bytes = simplex.encode();
    let encode = repeat(bench.count(2_000), 100, || {
        black_box(black_box(simplex).encode());
        Ok(())
    })?;
    let decode = repeat(bench.count(2_000), 100, || {
        black_box(Simplex::decode_all(&mut black_box(&bytes[..]))?);
        Ok(())
    })?;
    let counted = format!("{what}, {} bytes", bytes.len());
    Ok([
        encode.row(GROUP, "SCALE encode", counted.clone()),
        decode.row(GROUP, "SCALE decode", counted),
    ])
}

fn simplex(entries: Vec<Entry>) -> Result<Simplex, Failure> {
    let entries = entries.try_into().map_err(|_| failure("too many assets"))?;
    let simplex = Simplex { nonce: 7, entries };
    simplex.validate(MAX_LOCKS_USER).map_err(|e| failure(format!("{e:?}")))?;
    Ok(simplex)
}

/// One asset, as most channels have it.
fn simple() -> Result<Simplex, Failure> {
    simplex(vec![Entry::sent(FRD, 1_000_000_000_000)])
}

/// As many assets and locks as a user's simplex may have.
fn largest() -> Result<Simplex, Failure> {
    let assets = (0..MAX_ASSETS).map(|asset: AssetId| {
        let locks: Vec<_> = (0..MAX_LOCKS_USER)
            .filter(|id| id % MAX_ASSETS == asset)
            .map(|id| Lock {
                id: u64::from(id),
                amount: Balance::from(1_000u32),
                hash: [3; 32],
                expiry: NOW,
            })
            .collect();
        let locks = locks.try_into().map_err(|_| failure("too many locks"))?;
        Ok(Entry { asset, sent: 1_000_000_000_000, locks })
    });
    simplex(assets.collect::<Result<_, Failure>>()?)
}
