//! The rebalance planner: a pure function from a snapshot to a plan (`protocol.md` §8).
//!
//! *Receivers* are partners whom the hub owes more, uninsured, than they accept. *Spenders* are
//! partners in whose channels the hub owns insured money. The plan takes withdrawal proofs from as
//! few spenders as cover what the receivers need, then insures the receivers who risk most, in one
//! batch: withdrawals first, deposits after. The hub's own money fills what the spenders cannot.

use failsafe_primitives::{AccountId, AssetId, Balance, Epoch};
use std::collections::BTreeMap;

/// How the hub rebalances an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetRules {
    /// Smallest insured part of the hub that is worth a withdrawal.
    pub min_risk: Balance,
    /// On-chain money that is not touched: fees.
    pub reserve: Balance,
    /// Smallest deposit that the chain takes.
    pub min_deposit: Balance,
}

/// A channel in one asset, as the planner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The partner.
    pub partner: AccountId,
    /// The asset.
    pub asset: AssetId,
    /// The channel's epoch.
    pub epoch: Epoch,
    /// What the hub owes the partner beyond the insurance.
    pub uninsured: Balance,
    /// From which uninsured balance on the partner wants insurance; `None` if it never does.
    pub insure_above: Option<Balance>,
    /// What the hub owns, insured, and may withdraw.
    pub withdrawable: Balance,
    /// What the partner has signed for the hub to withdraw now.
    pub proof: Balance,
}

impl Position {
    /// Whether the partner wants insurance.
    fn wants_insurance(&self) -> bool {
        self.uninsured > 0 && self.insure_above.is_some_and(|above| self.uninsured >= above)
    }
}

/// All that the planner needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Channels that are not frozen.
    pub positions: Vec<Position>,
    /// What the hub can spend on chain; 0 where it owes.
    pub spendable: BTreeMap<AssetId, Balance>,
    /// Rules per asset; assets without rules are left alone.
    pub rules: BTreeMap<AssetId, AssetRules>,
}

/// A withdrawal proof to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whom.
    pub partner: AccountId,
    /// The asset.
    pub asset: AssetId,
    /// How much.
    pub amount: Balance,
}

/// Insurance to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insure {
    /// Whom.
    pub partner: AccountId,
    /// The asset.
    pub asset: AssetId,
    /// How much.
    pub amount: Balance,
    /// Only in this epoch [M21].
    pub epoch: Epoch,
}

/// What to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Proofs to ask for first.
    pub asks: Vec<Ask>,
    /// Partners whose proofs are used.
    pub withdrawals: Vec<AccountId>,
    /// Deposits, the greatest risk first.
    pub deposits: Vec<Insure>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.asks.is_empty() && self.withdrawals.is_empty() && self.deposits.is_empty()
    }
}

/// What the receivers need in all. A sum beyond 128 bits is as good as the largest number.
fn needed(positions: &[&Position]) -> Balance {
    let receivers = positions.iter().filter(|position| position.wants_insurance());
    receivers.fold(0, |sum: Balance, p| sum.checked_add(p.uninsured).unwrap_or(Balance::MAX))
}

/// Plans for a snapshot: what to ask for, and the batch that the proofs at hand allow.
pub fn plan(snapshot: &Snapshot) -> Plan {
    let mut plan = Plan::default();
    for (asset, rules) in &snapshot.rules {
        let positions: Vec<_> =
            snapshot.positions.iter().filter(|position| position.asset == *asset).collect();
        let spendable = snapshot.spendable.get(asset).copied().unwrap_or_default();
        plan_asset(&positions, spendable, rules, &mut plan);
    }
    plan
}

fn plan_asset(positions: &[&Position], spendable: Balance, rules: &AssetRules, plan: &mut Plan) {
    let need = needed(positions);
    if need == 0 {
        return;
    }
    let mut covered: Balance = 0;
    for position in positions.iter().filter(|position| position.proof > 0) {
        plan.withdrawals.push(position.partner.clone());
        covered = covered.checked_add(position.proof).unwrap_or(Balance::MAX);
    }
    let funds = spendable.saturating_sub(rules.reserve);
    insure(positions, funds.checked_add(covered).unwrap_or(Balance::MAX), rules, plan);

    // Few withdrawals: the largest first.
    let mut spenders: Vec<_> = positions
        .iter()
        .filter(|position| position.proof == 0 && position.withdrawable > 0)
        .filter(|position| position.withdrawable >= rules.min_risk)
        .collect();
    spenders.sort_by(|a, b| {
        b.withdrawable.cmp(&a.withdrawable).then_with(|| a.partner.cmp(&b.partner))
    });
    for spender in spenders {
        if covered >= need {
            break;
        }
        covered = covered.checked_add(spender.withdrawable).unwrap_or(Balance::MAX);
        plan.asks.push(Ask {
            partner: spender.partner.clone(),
            asset: spender.asset,
            amount: spender.withdrawable,
        });
    }
}

/// Spreads `funds` over the receivers, the greatest risk first, the last one in part.
fn insure(positions: &[&Position], mut funds: Balance, rules: &AssetRules, plan: &mut Plan) {
    let mut receivers: Vec<_> =
        positions.iter().filter(|position| position.wants_insurance()).collect();
    receivers.sort_by(|a, b| b.uninsured.cmp(&a.uninsured).then_with(|| a.partner.cmp(&b.partner)));
    for receiver in receivers {
        let amount = receiver.uninsured.min(funds);
        if amount == 0 || amount < rules.min_deposit {
            continue;
        }
        funds -= amount;
        plan.deposits.push(Insure {
            partner: receiver.partner.clone(),
            asset: receiver.asset,
            amount,
            epoch: receiver.epoch,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn account(byte: u8) -> AccountId {
        AccountId::new([byte; 32])
    }

    fn receiver(byte: u8, uninsured: Balance) -> Position {
        Position {
            partner: account(byte),
            asset: 0,
            epoch: 3,
            uninsured,
            insure_above: Some(100),
            withdrawable: 0,
            proof: 0,
        }
    }

    fn spender(byte: u8, withdrawable: Balance, proof: Balance) -> Position {
        Position { withdrawable, proof, ..receiver(byte, 0) }
    }

    fn snapshot(positions: Vec<Position>, spendable: Balance) -> Snapshot {
        let rules = AssetRules { min_risk: 500, reserve: 0, min_deposit: 1 };
        Snapshot {
            positions,
            spendable: BTreeMap::from([(0, spendable)]),
            rules: BTreeMap::from([(0, rules)]),
        }
    }

    fn deposits(plan: &Plan) -> Vec<(AccountId, Balance)> {
        plan.deposits.iter().map(|d| (d.partner.clone(), d.amount)).collect()
    }

    #[test]
    fn s61_plan_should_ask_those_who_are_worth_it_and_leave_small_ones_alone() {
        let positions = vec![
            spender(1, 800, 0),
            spender(2, 800, 0),
            spender(3, 56, 0),
            spender(4, 2, 0),
            receiver(5, 1_000),
            receiver(6, 400),
            receiver(7, 150),
        ];
        let plan = plan(&snapshot(positions, 0));
        let asked: Vec<_> = plan.asks.iter().map(|ask| (ask.partner.clone(), ask.amount)).collect();
        assert_eq!(asked, [(account(1), 800), (account(2), 800)]);
        assert!(plan.deposits.is_empty(), "nothing to deposit before the proofs are there");
    }

    #[test]
    fn s61_plan_should_insure_the_greatest_risk_first_when_the_proofs_are_there() {
        let positions = vec![
            spender(1, 0, 800),
            spender(2, 0, 800),
            receiver(5, 1_000),
            receiver(6, 400),
            receiver(7, 150),
        ];
        let plan = plan(&snapshot(positions, 0));
        assert_eq!(plan.withdrawals, [account(1), account(2)]);
        let expected = [(account(5), 1_000), (account(6), 400), (account(7), 150)];
        assert_eq!(deposits(&plan), expected);
        assert!(plan.asks.is_empty());
        assert!(plan.deposits.iter().all(|deposit| deposit.epoch == 3), "m21");
    }

    #[test]
    fn plan_should_insure_in_part_when_the_money_does_not_reach() {
        let positions = vec![receiver(5, 1_000), receiver(6, 400), receiver(7, 150)];
        assert_eq!(
            deposits(&plan(&snapshot(positions.clone(), 1_200))),
            [(account(5), 1_000), (account(6), 200)]
        );
        let mut reserved = snapshot(positions, 1_200);
        reserved.rules.get_mut(&0).unwrap().reserve = 300;
        assert_eq!(deposits(&plan(&reserved)), [(account(5), 900)]);
    }

    #[test]
    fn plan_should_prefer_the_spenders_money_to_the_hubs_own() {
        // The story: the hub has 10 000 on chain and 1000 in the channel with 2; 123 needs 1000.
        let mut positions = vec![spender(2, 1_000, 0), receiver(123, 1_000)];
        let before = plan(&snapshot(positions.clone(), 10_000));
        assert_eq!(before.asks.len(), 1);
        positions[0] = spender(2, 0, 1_000);
        let after = plan(&snapshot(positions, 10_000));
        assert_eq!(after.withdrawals, [account(2)]);
        assert_eq!(deposits(&after), [(account(123), 1_000)]);
    }

    #[test]
    fn plan_should_leave_partners_alone_when_they_do_not_want_insurance() {
        let mut content = receiver(5, 1_000);
        content.insure_above = Some(1_001);
        let mut never = receiver(6, 1_000);
        never.insure_above = None;
        let plan = plan(&snapshot(vec![content, never, spender(1, 800, 0)], 5_000));
        assert!(plan.is_empty());
    }

    #[test]
    fn plan_should_leave_an_asset_alone_when_it_has_no_rules() {
        let mut other = receiver(5, 1_000);
        other.asset = 9;
        assert!(plan(&snapshot(vec![other], 5_000)).is_empty());
    }

    proptest! {
        #[test]
        fn plan_should_never_spend_more_than_there_is(
            uninsured in prop::collection::vec(0..2_000u128, 0..8),
            proofs in prop::collection::vec(0..2_000u128, 0..8),
            spendable in 0..5_000u128,
            reserve in 0..1_000u128,
        ) {
            let mut positions: Vec<_> =
                (0u8..).zip(&uninsured).map(|(i, amount)| receiver(i, *amount)).collect();
            positions.extend((100u8..).zip(&proofs).map(|(i, proof)| spender(i, 0, *proof)));
            let mut snapshot = snapshot(positions, spendable);
            snapshot.rules.get_mut(&0).unwrap().reserve = reserve;
            let plan = plan(&snapshot);
            let spent: Balance = plan.deposits.iter().map(|deposit| deposit.amount).sum();
            let funds = spendable.saturating_sub(reserve) + proofs.iter().sum::<Balance>();
            prop_assert!(spent <= funds);
            for deposit in &plan.deposits {
                let position =
                    snapshot.positions.iter().find(|p| p.partner == deposit.partner).unwrap();
                prop_assert!(deposit.amount <= position.uninsured, "never more than is owed");
            }
        }
    }
}
