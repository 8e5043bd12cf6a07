//! What an order costs that meets others, in books from few to many: to find the next one must not
//! take longer in a longer book.
//!
//! Measured in memory, the calls alone; the book is made between blocks by the same calls.

use super::{
    figure,
    memory::{give, refused, signed, Memory},
    signer::Account,
    GROUP,
};
use crate::measure::{Bench, Measured, Samples};
use failsafe_primitives::{AccountId, AssetId, Balance, NATIVE_ASSET};
use failsafe_runtime::{Assets, Exchange, Runtime, FRD};
use failsafe_tests::harness::{failure, Failure};
use frame_support::traits::{
    fungibles::{Create, Mutate},
    Get,
};
use std::time::{Duration, Instant};

/// Resting orders, in a long run.
const SIZES: [u32; 3] = [100, 1_000, 10_000];
/// Orders that meet them, one in a block.
const ROUNDS: u32 = 20;
/// The asset that resting orders give for native money.
const SOLD: AssetId = 1;
/// How much of it each gives.
const LOT: Balance = 1_000_000;
/// What each asks for it at least; later ones ask for a little more.
const ASKED: Balance = FRD;
/// Who issues the asset.
const ISSUER: u32 = 0;
/// What an account has to begin with: enough for deposit, and to stay alive.
const SOME: Balance = 10 * FRD;
/// What is said of every measurement here.
const HOW: &str = "native code, state in memory";

/// Measures.
pub fn run(bench: &Bench, measured: &mut Measured) -> Result<(), Failure> {
    for n in SIZES.map(|full| bench.count(full)) {
        bench.tell(&format!("chain: {n} resting orders"));
        let (times, matches) = takers(n)?;
        let all: Duration = times.iter().sum();
        let name = format!("orders, {n} resting");
        let counted = format!("orders that meet up to 64 others each; {HOW}");
        let each = all.as_secs_f64() * 1e6 / f64::from(matches.max(1));
        measured.figures.push(figure(format!("{name}: per match"), each, "µs", &counted));
        measured.rows.push(Samples::of(&times, all).row(GROUP, name, counted));
    }
    Ok(())
}

/// How long orders took that met others in a book of `n`, and how many they met in all.
fn takers(n: u32) -> Result<(Vec<Duration>, u32), Failure> {
    let mut chain = Memory::new()?;
    let issuer = Account::number(ISSUER).id();
    chain.change(|| {
        give(&issuer, SOME)?;
        <Assets as Create<AccountId>>::create(SOLD, issuer.clone(), true, 1).map_err(refused)
    })?;
    // At once: each change keeps a state of its own, with all events of the block so far.
    chain.change(|| (1..=n).try_for_each(rest))?;
    let most: u32 = <Runtime as pallet_exchange::Config>::MaxMatches::get();
    let taker = Account::number(n.saturating_add(1)).id();
    chain.change(|| give(&taker, Balance::from(n).saturating_mul(2 * ASKED)))?;
    let (mut times, mut met) = (vec![], 0);
    for _ in 0..ROUNDS {
        let left = n.saturating_sub(met).min(most);
        if left == 0 {
            break;
        }
        let pays = Balance::from(left).saturating_mul(2 * ASKED).min(chain.look(|| free(&taker)));
        let time = chain.change(|| {
            let start = Instant::now();
            // At any price: it ends when it has met as many as it may.
            let placed = Exchange::place(signed(&taker), NATIVE_ASSET, pays, SOLD, 1, left);
            let time = start.elapsed();
            placed.map(|_| time).map_err(|refusal| refused(refusal.error))
        })?;
        times.push(time);
        met = met.saturating_add(left);
        let resting = chain.look(|| Exchange::book(SOLD, NATIVE_ASSET, u32::MAX).len());
        if u32::try_from(resting)? != n.saturating_sub(met) {
            return Err(failure(format!("{resting} orders rest after {met} of {n} were met")));
        }
        chain.block()?;
    }
    chain.check()?;
    Ok((times, met))
}

/// Native money that an account can spend and stay alive.
fn free(who: &AccountId) -> Balance {
    failsafe_runtime::Balances::free_balance(who).saturating_sub(SOME)
}

/// The order of an account of its own.
fn rest(number: u32) -> Result<(), Failure> {
    let who = Account::number(number).id();
    give(&who, SOME)?;
    <Assets as Mutate<AccountId>>::mint_into(SOLD, &who, LOT).map_err(refused)?;
    let asked = ASKED.saturating_add(number.into());
    let placed = Exchange::place(signed(&who), SOLD, LOT, NATIVE_ASSET, asked, 0);
    placed.map(|_| ()).map_err(|refusal| refused(refusal.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_should_all_be_met_when_somebody_pays_any_price() {
        let (times, met) = takers(100).unwrap();
        assert_eq!((times.len(), met), (2, 100));
    }
}
