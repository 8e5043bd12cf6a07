//! Debts and their collection (`protocol.md` §6).

use super::{Account, Amount, AssetId, BlockNumber, Chain, Error, ALLOWANCE_BLOCKS, NATIVE};
use std::collections::BTreeMap;

/// What a debtor owes to one creditor since one dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt {
    /// Who gets it.
    pub creditor: Account,
    /// What is left of it.
    pub amount: Amount,
    /// Block in which its dispute was opened.
    pub opened_in: BlockNumber,
    /// Order of booking among those of that block.
    pub index: u32,
}

/// Most payments of one visit of a debtor, those of the creditors that it pays included.
const VISIT_PAYMENTS: u32 = 32;

/// What a native debtor has used of its floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    since: BlockNumber,
    used: Amount,
}

/// What an attempt to pay the first in a line did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// This creditor was paid.
    Paid(Account),
    /// The creditor could not be credited, and went to the end of the line.
    Deferred,
    /// Nothing.
    Nothing,
}

impl Chain {
    /// A debtor's line in an asset, the first to be paid first.
    pub fn debts(&self, debtor: Account, asset: AssetId) -> &[Debt] {
        self.debts.get(&(debtor, asset)).map_or(&[], Vec::as_slice)
    }

    /// All debts, by debtor and asset.
    pub fn all_debts(&self) -> &BTreeMap<(Account, AssetId), Vec<Debt>> {
        &self.debts
    }

    /// All that `debtor` owes in an asset.
    pub fn owes(&self, debtor: Account, asset: AssetId) -> Amount {
        self.debts(debtor, asset).iter().map(|debt| debt.amount).sum()
    }

    /// What `debtor` owes to one creditor.
    pub fn owed_to(&self, debtor: Account, creditor: Account, asset: AssetId) -> Amount {
        let debts = self.debts(debtor, asset).iter();
        debts.filter(|debt| debt.creditor == creditor).map(|debt| debt.amount).sum()
    }

    /// Native money that debts leave alone; nothing in other assets.
    pub fn floor(&self, asset: AssetId, who: Account) -> Amount {
        match (asset, self.is_hub(who)) {
            (NATIVE, true) => self.params.floor_hub,
            (NATIVE, false) => self.params.floor_user,
            _ => 0,
        }
    }

    /// Books a debt behind those of earlier disputes.
    pub(super) fn book(
        &mut self,
        debtor: Account,
        creditor: Account,
        asset: AssetId,
        amount: Amount,
        opened_in: BlockNumber,
    ) {
        if amount == 0 {
            return;
        }
        let next = self.debt_numbers.entry((debtor, asset, opened_in)).or_default();
        let index = *next;
        *next += 1;
        let line = self.debts.entry((debtor, asset)).or_default();
        let at = line.partition_point(|debt| debt.opened_in <= opened_in);
        line.insert(at, Debt { creditor, amount, opened_in, index });
    }

    /// What the first in a line can get now. A payment leaves nothing or at least the minimum.
    fn collectable(&self, debtor: Account, asset: AssetId, debt: &Debt) -> Amount {
        let Some(rules) = self.asset(asset) else { return 0 };
        if !self.may_send(asset, debtor) {
            return 0;
        }
        let free = self.free(asset, debtor);
        let floor = self.floor(asset, debtor).max(self.pinned(asset, debtor));
        let pay = debt.amount.min(free.saturating_sub(floor));
        let rest = free - pay;
        if rest == 0 || rest >= rules.min_balance {
            pay
        } else {
            free.saturating_sub(rules.min_balance).min(pay)
        }
    }

    /// Pays the first in the line as far as it goes.
    pub(super) fn pay_one(&mut self, debtor: Account, asset: AssetId) -> Step {
        let Some(debt) = self.debts(debtor, asset).first().cloned() else { return Step::Nothing };
        let pay = self.collectable(debtor, asset, &debt);
        self.pay_first(debtor, asset, pay)
    }

    /// The first creditor gets what a debtor forfeits, even from below its floor.
    pub(super) fn surrender(&mut self, debtor: Account, asset: AssetId, amount: Amount) {
        let Some(debt) = self.debts(debtor, asset).first().cloned() else { return };
        let most = self.free(asset, debtor).saturating_sub(self.pinned(asset, debtor));
        let pay = amount.min(debt.amount).min(most);
        if self.pay_first(debtor, asset, pay) == Step::Paid(debt.creditor) {
            self.pay_one(debt.creditor, asset);
        }
    }

    fn pay_first(&mut self, debtor: Account, asset: AssetId, pay: Amount) -> Step {
        let Some(debt) = self.debts(debtor, asset).first().cloned() else { return Step::Nothing };
        if pay == 0 {
            return Step::Nothing;
        }
        if self.deliver(asset, debtor, debt.creditor, pay) {
            self.lower_first(debtor, asset, pay);
            return Step::Paid(debt.creditor);
        }
        if self.debts(debtor, asset).len() < 2 {
            return Step::Nothing;
        }
        self.lower_first(debtor, asset, debt.amount);
        self.book(debtor, debt.creditor, asset, debt.amount, self.block);
        Step::Deferred
    }

    fn lower_first(&mut self, debtor: Account, asset: AssetId, pay: Amount) {
        let line = self.debts.get_mut(&(debtor, asset)).expect("a debt was paid");
        line[0].amount -= pay;
        if line[0].amount == 0 {
            line.remove(0);
        }
        self.drop_empty_line(debtor, asset);
    }

    /// Forgets what belongs to debts that are gone. Who owes nothing natively any more starts anew
    /// the next time.
    fn drop_empty_line(&mut self, debtor: Account, asset: AssetId) {
        let line = self.debts.get(&(debtor, asset)).map_or(&[][..], Vec::as_slice);
        self.debt_numbers.retain(|(who, of, opened_in), _| {
            (*who, *of) != (debtor, asset) || line.iter().any(|debt| debt.opened_in == *opened_in)
        });
        if self.debts(debtor, asset).is_empty() {
            self.debts.remove(&(debtor, asset));
            if asset == NATIVE {
                self.allowances.remove(&debtor);
            }
        }
    }

    /// Collects all that can be collected from a debtor, then from the creditors that it paid, up to
    /// [`VISIT_PAYMENTS`].
    fn collect(&mut self, debtor: Account, asset: AssetId) {
        let mut credited = vec![debtor];
        let mut payments = 0;
        while let Some(who) = credited.pop() {
            // A debt that steps back ends the visit: one per visit.
            while let Step::Paid(creditor) = self.pay_one(who, asset) {
                credited.push(creditor);
                payments += 1;
                if payments == VISIT_PAYMENTS {
                    self.circling = true;
                    return;
                }
            }
        }
    }

    /// Whether a visit has ever come to its bound: money goes round among debtors who owe to each
    /// other, and how far it gets depends on whom a sweep visits first, which is left open here.
    pub fn is_circling(&self) -> bool {
        self.circling
    }

    /// Visits every debtor.
    pub(super) fn sweep(&mut self) {
        let lines: Vec<_> = self.debts.keys().copied().collect();
        for (debtor, asset) in lines {
            self.collect(debtor, asset);
        }
    }

    /// Anybody pushes a debtor's payments.
    pub(super) fn enforce(&mut self, debtor: Account, asset: AssetId) -> Result<(), Error> {
        if self.debts(debtor, asset).is_empty() {
            return Err(Error::NoDebt);
        }
        self.collect(debtor, asset);
        Ok(())
    }

    /// The creditor forgives one debt.
    pub(super) fn forgive(
        &mut self,
        creditor: Account,
        debtor: Account,
        asset: AssetId,
        opened_in: BlockNumber,
        index: u32,
    ) -> Result<(), Error> {
        if self.owes(creditor, asset) > 0 {
            return Err(Error::CreditorOwes);
        }
        let named = |debt: &Debt| debt.opened_in == opened_in && debt.index == index;
        let at = self.debts(debtor, asset).iter().position(named).ok_or(Error::NoDebt)?;
        if self.debts(debtor, asset)[at].creditor != creditor {
            return Err(Error::NotCreditor);
        }
        let line = self.debts.get_mut(&(debtor, asset)).expect("found above");
        line.remove(at);
        self.drop_empty_line(debtor, asset);
        Ok(())
    }

    /// What `who` may still use for fees and deposits: of a native debtor only what is below its
    /// floor, and over [`ALLOWANCE_BLOCKS`] at most the floor.
    pub fn allowance(&self, who: Account) -> Amount {
        let free = self.free(NATIVE, who);
        let alive = free.saturating_sub(self.money_minimum(NATIVE));
        if self.owes(who, NATIVE) == 0 {
            return alive;
        }
        let floor = self.floor(NATIVE, who);
        alive.min(floor.saturating_sub(self.used_allowance(who)))
    }

    fn used_allowance(&self, who: Account) -> Amount {
        let window = self.allowances.get(&who);
        let live = window.filter(|used| self.block < used.since + ALLOWANCE_BLOCKS);
        live.map_or(0, |used| used.used)
    }

    fn money_minimum(&self, asset: AssetId) -> Amount {
        self.asset(asset).map_or(0, |rules| rules.min_balance)
    }

    /// Takes native money for a fee or a deposit.
    pub(super) fn take_allowed(&mut self, who: Account, amount: Amount) -> bool {
        if amount > self.allowance(who) {
            return false;
        }
        if amount > 0 && self.owes(who, NATIVE) > 0 {
            let used = self.used_allowance(who);
            let since = match self.allowances.get(&who) {
                Some(window) if self.block < window.since + ALLOWANCE_BLOCKS => window.since,
                _ => self.block,
            };
            self.allowances.insert(who, Allowance { since, used: used + amount });
        }
        self.take_free(NATIVE, who, amount);
        true
    }

    /// `who` is asked for the fee of a transaction before it runs.
    pub fn ask_fee(&mut self, who: Account, asked: Amount) -> Result<(), Error> {
        self.take_allowed(who, asked).then_some(()).ok_or(Error::FeeMissing)
    }

    /// After it has run: `fee` of what was asked goes to the author, the rest comes back and does
    /// not count as used. Without an author the fee is burnt.
    pub fn settle_fee(&mut self, who: Account, asked: Amount, fee: Amount) {
        let mut back = asked.checked_sub(fee).expect("no more than was asked");
        self.add_free(NATIVE, who, back);
        self.reward(fee);
        if self.author == Some(who) {
            back += fee;
        }
        if let Some(window) = self.allowances.get_mut(&who) {
            window.used = window.used.saturating_sub(back);
        }
    }

    /// Native money for the author. His debts wait for the sweep.
    pub(super) fn reward(&mut self, amount: Amount) {
        match self.author {
            Some(author) if self.can_credit(NATIVE, author, amount) => {
                self.add_free(NATIVE, author, amount);
            },
            _ => self.burn(amount),
        }
    }
}
