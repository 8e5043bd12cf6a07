//! The rebalance planner: a pure function from a snapshot to a plan (`protocol.md` §8).
//!
//! *Receivers* are partners whom the hub owes more, uninsured, than they accept. *Spenders* are
//! partners in whose channels the hub owns insured money. The plan takes withdrawal proofs from as
//! few spenders as cover what the receivers need, then insures the receivers who risk most, in one
//! batch: withdrawals first, deposits after. The hub's own money fills what the spenders cannot.
//! A batch is no larger than the chain takes in one extrinsic; what is cut off is for the next one.

pub mod retry;

use failsafe_primitives::{AccountId, AssetId, Balance, Epoch};
use std::collections::{BTreeMap, BTreeSet};

/// Most actions of a batch, a withdrawal counted once per asset: each is about 2 ms of the 1.3 s
/// that an extrinsic may take, and others want their share of the block.
pub const MAX_BATCH_ACTIONS: usize = 256;

/// How the hub rebalances an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetRules {
    /// Smallest insured part of the hub that is worth a withdrawal.
    pub min_risk: Balance,
    /// On-chain money that is not touched: fees.
    pub reserve: Balance,
    /// Smallest uninsured balance that is worth a deposit and its fees.
    pub min_deposit: Balance,
    /// Smallest balance of an account and smallest deposit that the chain takes.
    pub minimum: Balance,
}

impl AssetRules {
    fn least_deposit(&self) -> Balance {
        self.min_deposit.max(self.minimum).max(1)
    }
}

/// How large a batch may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most actions, deposits included.
    pub actions: usize,
    /// Most deposits.
    pub deposits: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { actions: MAX_BATCH_ACTIONS, deposits: MAX_BATCH_ACTIONS }
    }
}

impl Limits {
    /// The share of the next of `assets` assets; what it does not use is left to the others.
    fn share(self, assets: usize) -> Self {
        let assets = assets.max(1);
        Self { actions: self.actions.div_ceil(assets), deposits: self.deposits.div_ceil(assets) }
    }

    fn less(self, used: Self) -> Self {
        Self {
            actions: self.actions.saturating_sub(used.actions),
            deposits: self.deposits.saturating_sub(used.deposits),
        }
    }
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
    /// What is reserved for a proof that has not come.
    pub awaited: Balance,
}

impl Position {
    /// Whether the partner wants insurance, and for more than dust.
    fn wants_insurance(&self, rules: &AssetRules) -> bool {
        self.uninsured >= rules.least_deposit()
            && self.insure_above.is_some_and(|above| self.uninsured >= above)
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
    /// How large the batch may be.
    pub limits: Limits,
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
    /// Partners whose proofs are wanted and have been asked for.
    pub awaited: BTreeSet<AccountId>,
    /// Partners whose proofs are used.
    pub withdrawals: Vec<AccountId>,
    /// Deposits, the greatest risk first.
    pub deposits: Vec<Insure>,
    /// Whether there is more to do than fits into the batch.
    pub cut: bool,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.asks.is_empty() && self.withdrawals.is_empty() && self.deposits.is_empty()
    }
}

/// Plans for a snapshot: what to ask for, and the batch that the proofs at hand allow.
pub fn plan(snapshot: &Snapshot) -> Plan {
    let mut planner = Planner::default();
    for position in snapshot.positions.iter().filter(|position| position.proof > 0) {
        let items = planner.items.entry(&position.partner).or_insert(0);
        *items = items.saturating_add(1);
    }
    let assets: Vec<_> = snapshot
        .rules
        .iter()
        .map(|(asset, rules)| AssetPlan::new(snapshot, *asset, rules))
        .filter(|asset| !asset.receivers.is_empty())
        .collect();
    let mut limits = snapshot.limits;
    for (done, asset) in assets.iter().enumerate() {
        let share = limits.share(assets.len().saturating_sub(done));
        let used = planner.insure(asset, share);
        planner.ask(asset, share);
        limits = limits.less(used);
    }
    planner.plan
}

fn add(a: Balance, b: Balance) -> Balance {
    // A sum beyond 128 bits is as good as the largest number.
    a.checked_add(b).unwrap_or(Balance::MAX)
}

/// What is to be planned in an asset.
struct AssetPlan<'a> {
    positions: Vec<&'a Position>,
    /// Who wants insurance, the greatest risk first.
    receivers: Vec<&'a Position>,
    spendable: Balance,
    rules: &'a AssetRules,
}

impl<'a> AssetPlan<'a> {
    fn new(snapshot: &'a Snapshot, asset: AssetId, rules: &'a AssetRules) -> Self {
        let positions: Vec<_> =
            snapshot.positions.iter().filter(|position| position.asset == asset).collect();
        let mut receivers: Vec<_> =
            positions.iter().copied().filter(|p| p.wants_insurance(rules)).collect();
        largest_first(&mut receivers, |position| position.uninsured);
        let spendable = snapshot.spendable.get(&asset).copied().unwrap_or_default();
        Self { positions, receivers, spendable, rules }
    }

    /// What the hub may add of its own.
    fn own(&self) -> Balance {
        self.spendable.saturating_sub(self.rules.reserve.max(self.rules.minimum))
    }

    /// `amount` without what would leave the hub with less than an account may have, when it has
    /// `funds` in all.
    fn without_dust(&self, amount: Balance, funds: Balance) -> Balance {
        let left = funds.saturating_sub(amount);
        if left == 0 || left >= self.rules.minimum {
            return amount;
        }
        amount.saturating_sub(self.rules.minimum.saturating_sub(left))
    }
}

fn largest_first(positions: &mut [&Position], amount: impl Fn(&Position) -> Balance) {
    positions.sort_by(|a, b| amount(b).cmp(&amount(a)).then_with(|| a.partner.cmp(&b.partner)));
}

#[derive(Default)]
struct Planner<'a> {
    plan: Plan,
    /// Partners whose proofs are in the batch, for all their assets.
    taken: BTreeSet<&'a AccountId>,
    /// How many assets a partner's proof has.
    items: BTreeMap<&'a AccountId, usize>,
}

impl<'a> Planner<'a> {
    /// Insures the greatest risks first, the last one in part, as far as money and `limits` reach.
    /// A proof is taken with the deposit that needs it; own money when no proof is left.
    fn insure(&mut self, asset: &AssetPlan<'a>, limits: Limits) -> Limits {
        let (given, mut proofs): (Vec<&Position>, Vec<&'a Position>) = asset
            .positions
            .iter()
            .filter(|position| position.proof > 0)
            .partition(|position| self.taken.contains(&position.partner));
        largest_first(&mut proofs, |position| position.proof);
        let mut proofs = &proofs[..];
        let mut covered = given.iter().fold(0, |sum, position| add(sum, position.proof));
        let mut spent: Balance = 0;
        let mut used = Limits { actions: 0, deposits: 0 };
        for receiver in &asset.receivers {
            let mut actions = used.actions.saturating_add(1);
            if used.deposits >= limits.deposits || actions > limits.actions {
                self.plan.cut = true;
                break;
            }
            let (mut count, mut sum) = (0, covered);
            for proof in proofs {
                if sum >= add(spent, receiver.uninsured) {
                    break;
                }
                let items = self.items.get(&proof.partner).copied().unwrap_or(1);
                let more = actions.saturating_add(items);
                if more > limits.actions {
                    self.plan.cut = true;
                    break;
                }
                (actions, sum, count) = (more, add(sum, proof.proof), count + 1);
            }
            let amount = receiver.uninsured.min(add(sum, asset.own()).saturating_sub(spent));
            let funds = add(sum, asset.spendable).saturating_sub(spent);
            let amount = asset.without_dust(amount, funds);
            if amount < asset.rules.least_deposit() {
                break;
            }
            let (now, later) = proofs.split_at(count);
            self.taken.extend(now.iter().map(|proof| &proof.partner));
            self.plan.withdrawals.extend(now.iter().map(|proof| proof.partner.clone()));
            (proofs, covered) = (later, sum);
            spent = add(spent, amount);
            used = Limits { actions, deposits: used.deposits.saturating_add(1) };
            self.plan.deposits.push(Insure {
                partner: receiver.partner.clone(),
                asset: receiver.asset,
                amount,
                epoch: receiver.epoch,
            });
        }
        used
    }

    /// Asks for what a batch of this size can use and the proofs at hand do not cover.
    fn ask(&mut self, asset: &AssetPlan<'a>, limits: Limits) {
        let receivers = asset.receivers.iter().take(limits.deposits);
        let need = receivers.fold(0, |sum, position| add(sum, position.uninsured));
        let mut covered = asset.positions.iter().fold(0, |sum, p| add(sum, p.proof));
        let worth = |position: &Position| position.withdrawable.max(position.awaited);
        let mut spenders: Vec<_> = asset
            .positions
            .iter()
            .copied()
            .filter(|position| position.proof == 0 && worth(position) > 0)
            .filter(|position| worth(position) >= asset.rules.min_risk)
            .collect();
        // Few withdrawals: the largest first.
        largest_first(&mut spenders, worth);
        // A proof is of use with a deposit only.
        let mut room = limits.actions.div_ceil(2);
        for spender in spenders {
            if covered >= need {
                break;
            }
            // It may never answer: the others are asked as if it did not exist.
            if spender.awaited > 0 {
                self.plan.awaited.insert(spender.partner.clone());
                continue;
            }
            if room == 0 {
                self.plan.cut = true;
                break;
            }
            room -= 1;
            covered = add(covered, spender.withdrawable);
            self.plan.asks.push(Ask {
                partner: spender.partner.clone(),
                asset: spender.asset,
                amount: spender.withdrawable,
            });
        }
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
            awaited: 0,
        }
    }

    fn spender(byte: u8, withdrawable: Balance, proof: Balance) -> Position {
        Position { withdrawable, proof, ..receiver(byte, 0) }
    }

    fn snapshot(positions: Vec<Position>, spendable: Balance) -> Snapshot {
        let rules = AssetRules { min_risk: 500, reserve: 0, min_deposit: 1, minimum: 0 };
        Snapshot {
            positions,
            spendable: BTreeMap::from([(0, spendable)]),
            rules: BTreeMap::from([(0, rules)]),
            limits: Limits::default(),
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
    fn s61_m21_plan_should_insure_the_greatest_risk_first_when_the_proofs_are_there() {
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

    fn many(count: u16, amount: Balance, make: impl Fn(u8, Balance) -> Position) -> Vec<Position> {
        let one = |number: u16| {
            let mut bytes = [7; 32];
            bytes[..2].copy_from_slice(&number.to_be_bytes());
            Position { partner: AccountId::new(bytes), ..make(0, amount) }
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn plan_should_be_cut_to_what_the_chain_takes_when_there_are_many_receivers() {
        let first = plan(&snapshot(many(700, 1_000, receiver), 1_000_000));
        assert_eq!(first.deposits.len(), MAX_BATCH_ACTIONS);
        assert!(first.cut, "the others' turn comes in the next round");
        let all = plan(&snapshot(many(256, 1_000, receiver), 1_000_000));
        assert_eq!((all.deposits.len(), all.cut), (256, false));
    }

    #[test]
    fn plan_should_fund_its_deposits_when_withdrawals_are_cut_too() {
        let mut positions = many(700, 1_000, receiver);
        let spenders = many(700, 0, |byte, _| spender(byte, 0, 1_000));
        positions.extend(spenders.into_iter().map(|mut position| {
            let mut bytes: [u8; 32] = position.partner.clone().into();
            bytes[31] = 9;
            position.partner = AccountId::new(bytes);
            position
        }));
        let plan = plan(&snapshot(positions, 0));
        assert_eq!((plan.withdrawals.len(), plan.deposits.len()), (128, 128));
        assert!(plan.cut && plan.asks.is_empty());
    }

    #[test]
    fn plan_should_ask_for_no_more_than_a_batch_can_use_when_the_batch_is_limited() {
        let mut positions = many(700, 1_000, receiver);
        positions.extend([spender(1, 900, 0), spender(2, 800, 0), spender(3, 700, 0)]);
        let mut snapshot = snapshot(positions, 5_000);
        snapshot.limits.deposits = 1;
        let plan = plan(&snapshot);
        let asked: Vec<_> = plan.asks.iter().map(|ask| ask.amount).collect();
        assert_eq!(asked, [900, 800]);
        assert_eq!(plan.deposits.len(), 1);
    }

    #[test]
    fn plan_should_take_the_proofs_that_its_deposits_need_when_there_are_more() {
        let positions = vec![spender(1, 0, 800), spender(2, 0, 300), receiver(5, 600)];
        let plan = plan(&snapshot(positions, 0));
        assert_eq!(plan.withdrawals, [account(1)]);
        assert_eq!(deposits(&plan), [(account(5), 600)]);
    }

    #[test]
    fn plan_should_share_the_batch_when_several_assets_need_it() {
        let mut positions = many(700, 1_000, receiver);
        positions.extend(many(3, 1_000, receiver).into_iter().map(|p| Position { asset: 1, ..p }));
        let mut snapshot = snapshot(positions, 1_000_000);
        snapshot.spendable.insert(1, 1_000_000);
        snapshot.rules.insert(1, snapshot.rules[&0]);
        let plan = plan(&snapshot);
        let of = |asset| plan.deposits.iter().filter(|d| d.asset == asset).count();
        assert_eq!((of(0), of(1)), (128, 3));
        assert!(plan.cut);
    }

    #[test]
    fn plan_should_ignore_dust_when_it_is_below_the_smallest_deposit() {
        let mut asked_for = receiver(5, 49);
        asked_for.insure_above = Some(0);
        let mut snapshot = snapshot(vec![asked_for, receiver(6, 150), spender(1, 800, 0)], 5_000);
        snapshot.rules.get_mut(&0).unwrap().min_deposit = 50;
        assert_eq!(deposits(&plan(&snapshot)), [(account(6), 150)]);
        snapshot.rules.get_mut(&0).unwrap().min_deposit = 151;
        assert!(plan(&snapshot).is_empty(), "nobody is asked for dust either");
    }

    #[test]
    fn plan_should_leave_the_smallest_balance_when_it_spends_own_money() {
        let mut snapshot = snapshot(vec![receiver(5, 1_000)], 1_000);
        snapshot.rules.get_mut(&0).unwrap().minimum = 10;
        assert_eq!(deposits(&plan(&snapshot)), [(account(5), 990)]);
        // All of a proof may go, but not so much that dust stays.
        for (proof, deposit) in [(1_000, 1_000), (1_004, 994), (1_010, 1_000)] {
            snapshot.positions = vec![receiver(5, 1_000), spender(1, 0, proof)];
            snapshot.spendable.clear();
            assert_eq!(deposits(&plan(&snapshot)), [(account(5), deposit)], "{proof}");
        }
    }

    #[test]
    fn plan_should_say_whom_it_waits_for_when_a_spender_does_not_answer() {
        let mut silent = spender(1, 0, 0);
        silent.awaited = 800;
        let positions = vec![silent.clone(), spender(2, 600, 0), receiver(5, 600)];
        let waiting = plan(&snapshot(positions, 0));
        assert_eq!(waiting.awaited, BTreeSet::from([account(1)]));
        assert_eq!(waiting.asks.len(), 1, "the others are asked meanwhile");
        let over = plan(&snapshot(vec![silent, spender(2, 0, 600), receiver(5, 600)], 0));
        assert!(over.awaited.is_empty(), "it is not needed any more");
    }

    proptest! {
        #[test]
        fn plan_should_never_spend_more_than_there_is(
            uninsured in prop::collection::vec(0..2_000u128, 0..8),
            proofs in prop::collection::vec(0..2_000u128, 0..8),
            spendable in 0..5_000u128,
            reserve in 0..1_000u128,
            actions in 0..12usize,
        ) {
            let mut positions: Vec<_> =
                (0u8..).zip(&uninsured).map(|(i, amount)| receiver(i, *amount)).collect();
            positions.extend((100u8..).zip(&proofs).map(|(i, proof)| spender(i, 0, *proof)));
            let mut snapshot = snapshot(positions, spendable);
            snapshot.rules.get_mut(&0).unwrap().reserve = reserve;
            snapshot.limits.actions = actions;
            let plan = plan(&snapshot);
            let spent: Balance = plan.deposits.iter().map(|deposit| deposit.amount).sum();
            let used = |p: &&Position| plan.withdrawals.contains(&p.partner);
            let taken: Balance = snapshot.positions.iter().filter(used).map(|p| p.proof).sum();
            prop_assert!(spent <= spendable.saturating_sub(reserve) + taken);
            prop_assert!(plan.withdrawals.len() + plan.deposits.len() <= actions);
            prop_assert!(plan.withdrawals.is_empty() || !plan.deposits.is_empty());
            for deposit in &plan.deposits {
                let position =
                    snapshot.positions.iter().find(|p| p.partner == deposit.partner).unwrap();
                prop_assert!(deposit.amount <= position.uninsured, "never more than is owed");
            }
        }
    }
}
