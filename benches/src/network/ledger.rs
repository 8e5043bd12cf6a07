//! Who owns and owes what: positions of users with their hubs, of hubs with each other. Only those
//! who have taken part in a payment are kept.

use std::{cmp::Reverse, collections::HashMap};

/// A user's channel with its hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// What the user owns: up to the collateral it is insured, beyond it the hub owes it.
    pub claim: u64,
    /// What is locked on chain for the channel; what the user does not own of it the hub may
    /// withdraw.
    pub collateral: u64,
}

impl Position {
    /// What the user owns beyond the collateral.
    pub fn uninsured(self) -> u64 {
        self.claim.saturating_sub(self.collateral)
    }

    /// What the hub owns of the collateral.
    pub fn withdrawable(self) -> u64 {
        self.collateral.saturating_sub(self.claim)
    }
}

/// The channel of two hubs, the lower number first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Link {
    /// What the lower one owes beyond what is insured; negative: what it is owed.
    owed: i64,
    /// What each has insured for it, and may withdraw.
    withdrawable: [u64; 2],
}

/// Somebody with a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Partner {
    /// A user by number.
    User(u32),
    /// A hub by number.
    Hub(u32),
}

/// What a hub brings to the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rebalance {
    /// Withdrawals.
    pub withdrawals: u64,
    /// Deposits.
    pub deposits: Vec<(Partner, u64)>,
}

impl Rebalance {
    /// Withdrawals and deposits.
    pub fn items(&self) -> u64 {
        self.withdrawals + u64::try_from(self.deposits.len()).unwrap_or(u64::MAX)
    }
}

/// When a rebalance cares about a channel.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// From this uninsured amount on somebody is insured.
    pub insure_above: u64,
    /// From this amount on a hub withdraws.
    pub min_risk: u64,
    /// What hubs may owe each other.
    pub line: u64,
}

/// All positions.
pub struct Ledger {
    rules: Rules,
    users: HashMap<u32, Position>,
    links: HashMap<(u32, u32), Link>,
    /// Partners of each hub that have taken part.
    members: Vec<Vec<Partner>>,
    /// Claims that users brought with them.
    pub brought: u128,
    /// What has left payers and has not reached payees.
    pub under_way: u128,
    /// What has been withdrawn and not been deposited.
    pub withdrawn: u128,
    /// What is owed without insurance by all hubs.
    pub risk: u128,
}

/// The key of a link, and the side of the first hub.
fn link_of(a: u32, b: u32) -> ((u32, u32), usize) {
    if a < b {
        ((a, b), 0)
    } else {
        ((b, a), 1)
    }
}

impl Ledger {
    /// Of so many hubs, with nobody yet.
    pub fn new(hubs: usize, rules: Rules) -> Self {
        Self {
            rules,
            users: HashMap::new(),
            links: HashMap::new(),
            members: vec![vec![]; hubs],
            brought: 0,
            under_way: 0,
            withdrawn: 0,
            risk: 0,
        }
    }

    fn members_of(&mut self, hub: u32) -> Option<&mut Vec<Partner>> {
        self.members.get_mut(usize::try_from(hub).ok()?)
    }

    /// A user takes part who insured `brought` beforehand, unless it is known.
    pub fn join(&mut self, user: u32, hub: u32, brought: u64) {
        if self.users.contains_key(&user) {
            return;
        }
        self.users.insert(user, Position { claim: brought, collateral: brought });
        self.brought += u128::from(brought);
        if let Some(members) = self.members_of(hub) {
            members.push(Partner::User(user));
        }
    }

    /// What a user has.
    pub fn user(&self, user: u32) -> Position {
        self.users.get(&user).copied().unwrap_or_default()
    }

    /// A user's claim changes: up if it is paid, down if it pays.
    fn book(&mut self, user: u32, change: impl FnOnce(u64) -> Option<u64>) -> bool {
        let Some(position) = self.users.get_mut(&user) else { return false };
        let Some(claim) = change(position.claim) else { return false };
        let before = position.uninsured();
        position.claim = claim;
        let after = position.uninsured();
        self.risk = self.risk + u128::from(after) - u128::from(before);
        true
    }

    /// Whether `from` may owe `to` that much more.
    fn has_room(&self, from: u32, to: u32, amount: u64) -> bool {
        let (key, side) = link_of(from, to);
        let owed = self.links.get(&key).map_or(0, |link| link.owed);
        let owed = if side == 0 { owed } else { -owed };
        i64::try_from(amount)
            .ok()
            .and_then(|amount| owed.checked_add(amount))
            .is_some_and(|owed| owed <= i64::try_from(self.rules.line).unwrap_or(i64::MAX))
    }

    /// Changes what `from` owes `to`.
    fn owe(&mut self, from: u32, to: u32, amount: u64) {
        let (key, side) = link_of(from, to);
        if !self.links.contains_key(&key) {
            for (hub, other) in [(from, to), (to, from)] {
                if let Some(members) = self.members_of(hub) {
                    members.push(Partner::Hub(other));
                }
            }
        }
        let link = self.links.entry(key).or_default();
        let before = link.owed.unsigned_abs();
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        link.owed = link.owed.saturating_add(if side == 0 { amount } else { -amount });
        self.risk = self.risk + u128::from(link.owed.unsigned_abs()) - u128::from(before);
    }

    /// A payment leaves its payer and all hubs of its way but the last: or nothing happens, because
    /// the payer has not enough, or a hub must not owe more.
    pub fn pay(&mut self, payer: u32, way: &[u32], amount: u64) -> bool {
        let room = way.iter().zip(way.iter().skip(1));
        if !room.into_iter().all(|(from, to)| self.has_room(*from, *to, amount)) {
            return false;
        }
        if !self.book(payer, |claim| claim.checked_sub(amount)) {
            return false;
        }
        for (from, to) in way.iter().zip(way.iter().skip(1)) {
            self.owe(*from, *to, amount);
        }
        self.under_way += u128::from(amount);
        true
    }

    /// A payment reaches its payee.
    pub fn arrive(&mut self, payee: u32, amount: u64) {
        if self.book(payee, |claim| claim.checked_add(amount)) {
            self.under_way -= u128::from(amount);
        }
    }

    /// What a hub owns of a partner's collateral, and what it owes the partner.
    fn ends(&self, hub: u32, partner: Partner) -> (u64, u64) {
        match partner {
            Partner::User(user) => {
                let position = self.user(user);
                (position.withdrawable(), position.uninsured())
            },
            Partner::Hub(other) => {
                let (key, side) = link_of(hub, other);
                let link = self.links.get(&key).copied().unwrap_or_default();
                let owed = if side == 0 { link.owed } else { link.owed.saturating_neg() };
                let owed = u64::try_from(owed).unwrap_or(0);
                (link.withdrawable.get(side).copied().unwrap_or(0), owed)
            },
        }
    }

    /// Plans a rebalance of at most so many items and withdraws what it needs: the largest first on
    /// both sides, partial deposits where not enough can be withdrawn.
    pub fn plan(&mut self, hub: u32, most: u64) -> Rebalance {
        let members = usize::try_from(hub).ok().and_then(|hub| self.members.get(hub));
        let (mut spenders, mut receivers) = (vec![], vec![]);
        for partner in members.into_iter().flatten() {
            let (withdrawable, owed) = self.ends(hub, *partner);
            if withdrawable >= self.rules.min_risk.max(1) {
                spenders.push((Reverse(withdrawable), *partner));
            }
            if owed >= self.rules.insure_above.max(1) {
                receivers.push((Reverse(owed), *partner));
            }
        }
        spenders.sort_unstable();
        receivers.sort_unstable();
        let mut plan = Rebalance::default();
        let mut spenders = spenders.into_iter();
        let mut taken: Vec<(Partner, u64)> = vec![];
        let mut have = 0u64;
        for (Reverse(owed), partner) in receivers {
            while have < owed && plan.items() + 2 <= most {
                let Some((Reverse(amount), spender)) = spenders.next() else { break };
                taken.push((spender, amount));
                plan.withdrawals += 1;
                have = have.saturating_add(amount);
            }
            if have == 0 || plan.items() >= most {
                break;
            }
            let deposit = owed.min(have);
            plan.deposits.push((partner, deposit));
            have -= deposit;
        }
        // What is too much stays with the last ones.
        while let Some((_, amount)) = taken.last_mut() {
            let back = have.min(*amount);
            *amount -= back;
            have -= back;
            if *amount > 0 {
                break;
            }
            taken.pop();
            plan.withdrawals -= 1;
        }
        for (partner, amount) in taken {
            self.withdraw(hub, partner, amount);
        }
        plan
    }

    fn withdraw(&mut self, hub: u32, partner: Partner, amount: u64) {
        let taken = match partner {
            Partner::User(user) => self.users.get_mut(&user).map(|at| &mut at.collateral),
            Partner::Hub(other) => {
                let (key, side) = link_of(hub, other);
                self.links.get_mut(&key).and_then(|link| link.withdrawable.get_mut(side))
            },
        };
        if let Some(left) = taken.and_then(|held| held.checked_sub(amount).map(|left| (held, left)))
        {
            *left.0 = left.1;
            self.withdrawn += u128::from(amount);
        }
    }

    /// A rebalance is final.
    pub fn settle(&mut self, hub: u32, plan: &Rebalance) {
        for (partner, amount) in &plan.deposits {
            self.withdrawn -= u128::from(*amount);
            let (before, after) = match partner {
                Partner::User(user) => {
                    let position = self.users.entry(*user).or_default();
                    let before = position.uninsured();
                    position.collateral = position.collateral.saturating_add(*amount);
                    (before, position.uninsured())
                },
                Partner::Hub(other) => {
                    let (key, side) = link_of(hub, *other);
                    let link = self.links.entry(key).or_default();
                    let before = link.owed.unsigned_abs();
                    let signed = i64::try_from(*amount).unwrap_or(i64::MAX);
                    // What is paid too much meanwhile is owed back.
                    link.owed = link.owed.saturating_sub(if side == 0 { signed } else { -signed });
                    if let Some(theirs) = link.withdrawable.get_mut(1 - side) {
                        *theirs = theirs.saturating_add(*amount);
                    }
                    (before, link.owed.unsigned_abs())
                },
            };
            self.risk = self.risk + u128::from(after) - u128::from(before);
        }
    }

    /// What users own, or have on its way to other users.
    pub fn claims(&self) -> u128 {
        let users = self.users.values().map(|position| u128::from(position.claim));
        users.sum::<u128>() + self.under_way
    }

    /// Users who have taken part.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// Bytes that it takes.
    pub fn memory(&self) -> usize {
        // A table of this kind has a byte for each place besides.
        let users = self.users.capacity() * (size_of::<(u32, Position)>() + 1);
        let links = self.links.capacity() * (size_of::<((u32, u32), Link)>() + 1);
        let members = self.members.iter().map(|members| members.capacity() * size_of::<Partner>());
        users + links + members.sum::<usize>()
    }
}

#[cfg(test)]
impl Ledger {
    /// What is locked on chain, or on its way from one channel to another.
    pub fn collateral(&self) -> u128 {
        let users = self.users.values().map(|position| u128::from(position.collateral));
        let links = self.links.values().flat_map(|link| link.withdrawable).map(u128::from);
        users.chain(links).sum::<u128>() + self.withdrawn
    }

    /// What is owed without insurance, summed anew.
    pub fn risk_recounted(&self) -> u128 {
        let users = self.users.values().map(|position| u128::from(position.uninsured()));
        let links = self.links.values().map(|link| u128::from(link.owed.unsigned_abs()));
        users.chain(links).sum()
    }

    /// Fails a test that makes money.
    pub fn check(&self) {
        assert_eq!(self.claims(), self.brought, "claims come from nowhere");
        assert_eq!(self.collateral(), self.brought, "collateral comes from nowhere");
        assert_eq!(self.risk, self.risk_recounted(), "the sum of the risk has lost its way");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { insure_above: 10, min_risk: 10, line: 1_000 };

    /// Hub 0 with users 0 and 1, hub 1 with users 2 and 3, each with 100.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::new(2, RULES);
        for user in 0..4 {
            ledger.join(user, user / 2, 100);
        }
        ledger.check();
        ledger
    }

    #[test]
    fn payment_should_move_claims_and_leave_collateral_when_it_is_within_a_hub() {
        let mut ledger = ledger();
        assert!(ledger.pay(0, &[0], 60));
        assert_eq!((ledger.under_way, ledger.risk), (60, 0), "nobody has it yet");
        ledger.arrive(1, 60);
        assert_eq!(ledger.user(0), Position { claim: 40, collateral: 100 });
        assert_eq!(ledger.user(1), Position { claim: 160, collateral: 100 });
        assert_eq!((ledger.user(0).withdrawable(), ledger.user(1).uninsured()), (60, 60));
        assert_eq!(ledger.risk, 60);
        assert!(!ledger.pay(0, &[0], 41), "more than it has");
        ledger.check();
    }

    #[test]
    fn payment_should_change_nothing_when_a_hub_must_not_owe_more() {
        let mut ledger = Ledger::new(2, Rules { line: 50, ..RULES });
        ledger.join(0, 0, 100);
        ledger.join(2, 1, 100);
        assert!(ledger.pay(0, &[0, 1], 50));
        assert!(!ledger.pay(0, &[0, 1], 1));
        assert!(ledger.pay(2, &[1, 0], 100), "50 that it is owed, 50 that it may owe");
        ledger.arrive(2, 50);
        ledger.arrive(0, 100);
        ledger.check();
    }

    #[test]
    fn rebalance_should_insure_receivers_from_what_spenders_have_left() {
        let mut ledger = ledger();
        assert!(ledger.pay(0, &[0], 60));
        ledger.arrive(1, 60);
        let plan = ledger.plan(0, 10);
        assert_eq!(plan, Rebalance { withdrawals: 1, deposits: vec![(Partner::User(1), 60)] });
        assert_eq!((ledger.withdrawn, ledger.risk), (60, 60), "until the batch is final");
        ledger.check();
        ledger.settle(0, &plan);
        assert_eq!((ledger.withdrawn, ledger.risk), (0, 0));
        assert_eq!(ledger.user(1), Position { claim: 160, collateral: 160 });
        assert_eq!(ledger.plan(0, 10), Rebalance::default(), "nothing is left to do");
        ledger.check();
    }

    #[test]
    fn rebalance_should_go_over_two_hubs_when_the_payee_is_at_another_one() {
        let mut ledger = ledger();
        assert!(ledger.pay(0, &[0, 1], 60));
        ledger.arrive(2, 60);
        assert_eq!(ledger.risk, 120, "hub 0 owes hub 1, and hub 1 owes the payee");
        assert_eq!(ledger.plan(1, 10), Rebalance::default(), "hub 1 has nothing to withdraw");
        let first = ledger.plan(0, 10);
        assert_eq!(first, Rebalance { withdrawals: 1, deposits: vec![(Partner::Hub(1), 60)] });
        ledger.settle(0, &first);
        assert_eq!(ledger.risk, 60);
        let second = ledger.plan(1, 10);
        assert_eq!(second, Rebalance { withdrawals: 1, deposits: vec![(Partner::User(2), 60)] });
        ledger.settle(1, &second);
        assert_eq!(ledger.risk, 0);
        ledger.check();
    }

    #[test]
    fn rebalance_should_take_the_largest_and_stop_when_no_item_is_left() {
        let mut ledger = Ledger::new(1, RULES);
        for user in 0..6 {
            ledger.join(user, 0, 100);
        }
        for (payer, payee, amount) in [(0, 3, 50), (1, 4, 30), (2, 5, 20)] {
            assert!(ledger.pay(payer, &[0], amount));
            ledger.arrive(payee, amount);
        }
        let plan = ledger.plan(0, 4);
        let deposits = vec![(Partner::User(3), 50), (Partner::User(4), 30)];
        assert_eq!(plan, Rebalance { withdrawals: 2, deposits });
        ledger.settle(0, &plan);
        assert_eq!(ledger.risk, 20);
        ledger.check();
    }

    #[test]
    fn rebalance_should_withdraw_no_more_than_it_deposits() {
        let mut ledger = Ledger::new(1, RULES);
        for user in 0..4 {
            ledger.join(user, 0, 100);
        }
        // Of 69 that can be withdrawn 60 are wanted: 9 are too little to be insured.
        for (payer, payee, amount) in [(0, 2, 50), (1, 2, 10), (1, 3, 9)] {
            assert!(ledger.pay(payer, &[0], amount));
            ledger.arrive(payee, amount);
        }
        let plan = ledger.plan(0, 10);
        assert_eq!(plan, Rebalance { withdrawals: 2, deposits: vec![(Partner::User(2), 60)] });
        assert_eq!((ledger.user(0).collateral, ledger.user(1).collateral), (50, 90));
        ledger.check();
    }
}
