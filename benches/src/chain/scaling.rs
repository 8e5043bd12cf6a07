//! Disputes that come due and debts that are swept, from few to many: a block's cost must stay what
//! it is, and only the number of blocks grow (`protocol.md` §5 M15, §6).
//!
//! It is measured in memory, so that hundreds of blocks take seconds. The state is made between
//! blocks by the runtime's own functions: what that costs is not measured here.

use super::{
    figure,
    memory::{give, refused, signed, Cost, Memory},
    picoseconds,
    signer::Account,
    GROUP,
};
use crate::measure::{Bench, Measured, Samples};
use failsafe_pallet_support::DebtLedger;
use failsafe_primitives::{
    AccountId, Balance, ChannelContext, Entry, Evidence, Pair, Signature, SignedSimplex, Simplex,
    NATIVE_ASSET,
};
use failsafe_runtime::{
    configs::RuntimeBlockWeights, Clock, Debt, Insurance, Runtime, System, FRD,
};
use failsafe_tests::harness::{failure, Failure};
use std::time::Duration;

/// How many there are of what is measured, in a long run.
const SIZES: [u32; 4] = [10, 100, 1_000, 10_000];
/// Blocks to look at when nothing comes to an end by itself: the sweep is round all debtors after
/// 40 blocks, of 256 visits each.
const ROUNDS: u32 = 40;
/// The hub of all channels, creditor or debtor of all debts.
const HUB: u32 = 0;
/// What the hub has.
const RICH: Balance = 10_000_000 * FRD;
/// What a user has: enough for the deposit of a dispute.
const SOME: Balance = 2 * FRD;
/// What a debtor has, and debts leave alone: a user's floor.
const LITTLE: Balance = FRD;
/// The insurance of a channel, all of it the hub's at first.
const INSURED: Balance = 100 * FRD;
/// What the hub has paid with it.
const PAID: Balance = 40 * FRD;
/// A debt.
const OWED: Balance = 10 * FRD;
/// What is said of every measurement here.
const HOW: &str = "native code, state in memory";

/// Measures.
pub fn run(bench: &Bench, measured: &mut Measured) -> Result<(), Failure> {
    for n in SIZES.map(|full| bench.count(full)) {
        bench.tell(&format!("chain: {n} disputes, {n} debts"));
        tell(measured, "disputes due", n, "blocks until all are carried out", &disputes(n)?);
        let [poor, paying] = debtors(n)?;
        tell(measured, "debtors without income", n, "blocks, a debt each", &poor);
        tell(measured, "debtors with income", n, "blocks until all have paid", &paying);
        let [poor, paying] = debts(n)?;
        tell(measured, "debts without income", n, "blocks, one debtor", &poor);
        tell(measured, "debts with income", n, "blocks until one debtor has paid all", &paying);
    }
    Ok(())
}

/// Adds what blocks of one kind cost: their times, the longest of them, and the heaviest idle work.
fn tell(measured: &mut Measured, name: &str, n: u32, counted: &str, costs: &[Cost]) {
    let times: Vec<_> = costs.iter().map(|cost| cost.time).collect();
    let name = format!("{name}, {n}");
    let counted = format!("{counted}; {HOW}");
    let longest = times.iter().max().map_or(0.0, Duration::as_secs_f64);
    let heaviest = costs.iter().map(|cost| picoseconds(cost.idle)).fold(0.0, f64::max);
    let share = 100.0 * heaviest / picoseconds(RuntimeBlockWeights::get().max_block);
    measured.figures.extend([
        figure(format!("{name}: longest block"), longest * 1e3, "ms", &counted),
        figure(format!("{name}: most idle weight"), share, "% of a block", &counted),
    ]);
    let samples = Samples::of(&times, times.iter().sum());
    measured.rows.push(samples.row(GROUP, name, counted));
}

fn user(number: u32) -> AccountId {
    Account::number(number).id()
}

/// The users, numbered from 1.
fn users(n: u32) -> impl Iterator<Item = AccountId> {
    (1..=n).map(user)
}

/// The blocks that carry out `n` disputes which are all due at the same usable clock. The hub has
/// insured every channel, and each user disputes with what the hub has signed: both get a part.
fn disputes(n: u32) -> Result<Vec<Cost>, Failure> {
    let mut chain = Memory::new()?;
    let hub = Account::number(HUB);
    chain.change(|| {
        give(&hub.id(), RICH)?;
        users(n).try_for_each(|user| {
            give(&user, SOME)?;
            dispute(&hub, &user)
        })
    })?;
    let due = chain.look(|| Insurance::open_disputes(1).first().map(|(_, open)| open.resolve_at));
    let due = due.ok_or_else(|| failure("no dispute was opened"))?;
    let mut costs = Vec::new();
    loop {
        let cost = chain.block()?;
        let (now, left) = chain.look(|| (Clock::now(), open_disputes()));
        if now < due {
            if left != n {
                return Err(failure("a dispute was carried out before its time"));
            }
            continue;
        }
        costs.push(cost);
        if left == 0 {
            chain.check()?;
            return Ok(costs);
        }
        enough(&costs, n)?;
    }
}

/// Insures a channel of the hub and disputes it in the name of the user.
fn dispute(hub: &Account, user: &AccountId) -> Result<(), Failure> {
    let payer = hub.id();
    let (insure, epoch) = (signed(&payer), None);
    Insurance::deposit(insure, NATIVE_ASSET, INSURED, payer.clone(), user.clone(), epoch)
        .map_err(|e| refused(e.error))?;
    let pair = Pair::new(payer.clone(), user.clone()).map_err(|_| failure("no pair"))?;
    let from = pair.side_of(&payer).ok_or_else(|| failure("not of the pair"))?;
    let entries = vec![Entry::sent(NATIVE_ASSET, PAID)];
    let entries = entries.try_into().map_err(|_| failure("too many assets"))?;
    let simplex = Simplex { nonce: 1, entries };
    let context = ChannelContext { genesis_hash: System::block_hash(0), pair, epoch: 0 };
    let signature = Signature::Direct(hub.sign(&context.simplex_message(from, &simplex)));
    let theirs = Some(SignedSimplex { simplex, signature });
    let evidence = Evidence { theirs, ours: None };
    Insurance::dispute(signed(user), payer, 0, evidence).map(drop).map_err(|e| refused(e.error))
}

fn open_disputes() -> u32 {
    let open = pallet_insurance::Disputes::<Runtime>::iter_keys().count();
    u32::try_from(open).unwrap_or(u32::MAX)
}

/// The sweep's blocks with `n` debtors who owe the hub one debt each: while they have nothing, and
/// then from the block on in which each gets what it owes.
fn debtors(n: u32) -> Result<[Vec<Cost>; 2], Failure> {
    let mut chain = Memory::new()?;
    let hub = user(HUB);
    chain.change(|| {
        give(&hub, RICH)?;
        users(n).try_for_each(|debtor| {
            give(&debtor, LITTLE)?;
            owe(&debtor, &hub)
        })
    })?;
    let poor = sweep_rounds(&mut chain)?;
    chain.change(|| users(n).try_for_each(|debtor| give(&debtor, OWED)))?;
    Ok([poor, sweep_to_the_end(&mut chain, n)?])
}

/// As [`debtors`], with one debtor who owes `n` creditors.
fn debts(n: u32) -> Result<[Vec<Cost>; 2], Failure> {
    let mut chain = Memory::new()?;
    let debtor = user(HUB);
    chain.change(|| {
        give(&debtor, LITTLE)?;
        users(n).try_for_each(|creditor| {
            give(&creditor, SOME)?;
            owe(&debtor, &creditor)
        })
    })?;
    let poor = sweep_rounds(&mut chain)?;
    let all = OWED.checked_mul(n.into()).ok_or_else(|| failure("too much"))?;
    chain.change(|| give(&debtor, all))?;
    Ok([poor, sweep_to_the_end(&mut chain, n)?])
}

/// Books a debt, as if by a dispute that was opened in this block.
fn owe(debtor: &AccountId, creditor: &AccountId) -> Result<(), Failure> {
    let booked = Debt::pay_or_book(debtor, creditor, NATIVE_ASSET, OWED, System::block_number());
    (booked == OWED).then_some(()).ok_or_else(|| failure("a debtor who could pay"))
}

fn sweep_rounds(chain: &mut Memory) -> Result<Vec<Cost>, Failure> {
    (0..ROUNDS).map(|_| chain.block()).collect()
}

fn sweep_to_the_end(chain: &mut Memory, n: u32) -> Result<Vec<Cost>, Failure> {
    let mut costs = Vec::new();
    while chain.look(|| pallet_debt::RingLength::<Runtime>::get() > 0) {
        costs.push(chain.block()?);
        enough(&costs, n)?;
    }
    chain.check()?;
    Ok(costs)
}

/// Every block must get something done.
fn enough(costs: &[Cost], n: u32) -> Result<(), Failure> {
    let blocks = u32::try_from(costs.len())?;
    if blocks > n {
        return Err(failure(format!("not done after {blocks} blocks")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quarter of a block, and what the other pallets look at.
    fn bounded(costs: &[Cost]) -> bool {
        let most = sp_runtime::Perbill::from_percent(26) * RuntimeBlockWeights::get().max_block;
        costs.iter().all(|cost| cost.idle.ref_time() <= most.ref_time())
    }

    #[test]
    fn disputes_should_fill_idle_shares_one_after_the_other_when_many_come_due() {
        let (few, many) = (disputes(3).unwrap(), disputes(400).unwrap());
        assert_eq!(few.len(), 1);
        assert!(many.len() > 1 && bounded(&many), "{many:?}");
        assert!(many[0].idle.ref_time() > few[0].idle.ref_time());
    }

    #[test]
    fn sweep_should_pay_32_debts_of_a_debtor_per_block_when_it_gets_income() {
        let [poor, paying] = debts(70).unwrap();
        assert_eq!(paying.len(), 3);
        assert!(bounded(&paying) && bounded(&poor));
        assert!(paying[0].idle.ref_time() > poor[0].idle.ref_time());
    }

    #[test]
    fn sweep_should_visit_256_debtors_per_block_when_all_get_income() {
        let [poor, paying] = debtors(300).unwrap();
        assert_eq!(paying.len(), 2);
        assert!(bounded(&paying) && bounded(&poor));
        assert!(paying[0].idle.ref_time() > poor[0].idle.ref_time());
    }
}
