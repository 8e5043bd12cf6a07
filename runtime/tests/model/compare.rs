//! What both must agree about.

use crate::{
    chain::free,
    convert::{hash, present, Keys},
    world::{ASSETS, SECRETS},
};
use failsafe_model::chain as model;
use failsafe_primitives::{AssetId, Balance, BlockNumber, Epoch, NATIVE_ASSET};
use failsafe_runtime::{Custody, Insurance, Runtime, System};
use sp_runtime::DispatchError;
use std::fmt::Debug;

/// The first thing in which they differ.
pub type Differs = Result<(), String>;

fn same<T: PartialEq + Debug>(what: impl Fn() -> String, runtime: T, reference: T) -> Differs {
    if runtime == reference {
        return Ok(());
    }
    Err(format!("{}: runtime {runtime:?}, reference {reference:?}", what()))
}

/// Compares the whole state.
pub fn states(keys: &Keys, reference: &model::Chain) -> Differs {
    same(|| "block".into(), u64::from(System::block_number()), reference.block_number())?;
    same(|| "clock".into(), failsafe_runtime::Clock::now(), reference.clock())?;
    for asset in ASSETS {
        let parts = pallet_custody::Pallet::<Runtime>::expected();
        let held = parts.get(&asset).copied().unwrap_or_default();
        same(|| format!("custody of {asset}"), held, reference.custody(asset))?;
        for who in accounts(keys) {
            let party = keys.party(who);
            let name = |what: &str| format!("{what} of {who} in {asset}");
            same(|| name("free money"), free(asset, party), reference.free(asset, who))?;
            let unclaimed = Custody::unclaimed(party.id(), asset);
            same(|| name("unclaimed money"), unclaimed, reference.unclaimed(asset, who))?;
            same(|| name("debts"), line(keys, who, asset), reference_line(reference, who, asset))?;
        }
    }
    for left in accounts(keys) {
        for right in accounts(keys).filter(|right| *right > left) {
            let pair = model::Pair::of(left, right).expect("two accounts");
            channel(keys, reference, pair)?;
        }
    }
    for number in 0..u64::from(SECRETS) {
        let number = model::Hash(number);
        let known = failsafe_runtime::Secrets::secret(hash(number));
        let known = known.map(|known| (known.revealed_at, known.keep_until));
        let expected = reference.revealed(number).map(|s| (s.revealed_at, s.keep_until));
        same(|| format!("secret {number:?}"), known, expected)?;
    }
    Ok(())
}

fn accounts(keys: &Keys) -> impl Iterator<Item = model::Account> {
    0..u32::try_from(keys.0.len()).expect("few accounts")
}

type Line = Vec<(u64, u32, model::Account, Balance)>;

/// The debts of an account in the order of payment: block, index, creditor, amount.
fn line(keys: &Keys, who: model::Account, asset: AssetId) -> Line {
    let debts = pallet_debt::Debts::<Runtime>::iter_prefix((keys.id(who), asset));
    let mut line: Line = debts
        .map(|((opened_in, index), debt)| {
            let opened_in: BlockNumber = opened_in;
            let creditor = keys.account(&debt.creditor).expect("a known creditor");
            (u64::from(opened_in), index, creditor, debt.left)
        })
        .collect();
    line.sort_unstable();
    line
}

fn reference_line(reference: &model::Chain, who: model::Account, asset: AssetId) -> Line {
    let debts = reference.debts(who, asset).iter();
    debts.map(|debt| (debt.opened_in, debt.index, debt.creditor, debt.amount)).collect()
}

fn channel(keys: &Keys, reference: &model::Chain, pair: model::Pair) -> Differs {
    let [left, right] = model::Side::BOTH.map(|side| keys.id(pair.account(side)));
    let view = Insurance::channel(left, right).expect("two accounts");
    let name = |what: &str| format!("{what} of {pair:?}");
    let known = reference.channel(pair).cloned().unwrap_or_default();
    same(|| name("epoch"), view.epoch, known.epoch)?;
    same(|| name("withdrawal nonces"), view.withdrawal_nonces, known.withdrawal_nonces)?;
    let mut rows: Vec<_> =
        view.collateral.iter().map(|(asset, row)| (*asset, row.insurance, row.ondelta)).collect();
    rows.sort_unstable();
    let expected: Vec<_> =
        known.rows.iter().map(|(asset, row)| (*asset, row.insurance, row.ondelta)).collect();
    same(|| name("collateral"), rows, expected)?;
    let dispute = view.dispute.map(|dispute| {
        let times = (dispute.start, dispute.resolve_at, u64::from(dispute.opened_in));
        (times, dispute.settled, dispute.presented)
    });
    let expected = known.dispute.map(|dispute| {
        let times = (dispute.start, dispute.resolve_at, dispute.opened_in);
        let settled = dispute.verdict != model::Verdict::Open;
        (times, settled, dispute.stored.map(|stored| stored.as_ref().map(present)))
    });
    same(|| name("dispute"), dispute, expected)?;
    let mut old: Vec<Epoch> = view.old_epochs.iter().map(|old| old.epoch).collect();
    old.sort_unstable();
    let keys = reference.old_epochs().keys().filter(|(of, _)| *of == pair);
    let expected: Vec<Epoch> = keys.map(|(_, epoch)| *epoch).collect();
    same(|| name("old epochs"), old, expected)
}

/// Whether both refuse for the same reason.
pub fn errors(runtime: &DispatchError, reference: model::Error) -> Differs {
    let name = match runtime {
        DispatchError::Module(error) => error.message.unwrap_or("an error without name"),
        DispatchError::Token(_) | DispatchError::Arithmetic(_) => "money",
        DispatchError::ConsumerRemaining => "money",
        _ => "another kind of error",
    };
    let expected = format!("{reference:?}");
    let same = match reference {
        model::Error::CannotMove | model::Error::WouldLeaveDust => MONEY.contains(&name),
        model::Error::SecretFeeMissing => name == "FeeMissing",
        model::Error::NothingUnclaimed => name == "NothingToClaim",
        model::Error::NotIssuer => name == "NoPermission" || MONEY.contains(&name),
        model::Error::EmptyBatch => name == "Empty",
        model::Error::OneBatchPerBlock => name == "OnePerBlock",
        _ => name == expected,
    };
    if same {
        Ok(())
    } else {
        Err(format!("refused: runtime {runtime:?}, reference {expected}"))
    }
}

/// How the money itself refuses, wherever it is asked.
const MONEY: [&str; 16] = [
    "money",
    "AssetNotLive",
    "BalanceLow",
    "BelowMinimum",
    "BalanceZero",
    "CannotCreate",
    "Expendability",
    "Frozen",
    "InsufficientBalance",
    "LiquidityRestrictions",
    "NoAccount",
    "NotFrozen",
    "NotMoved",
    "Blocked",
    "WouldDie",
    "WouldLeaveDust",
];

/// The native asset is the same number in both.
const _: () = assert!(NATIVE_ASSET == model::NATIVE);
