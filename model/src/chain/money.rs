//! Free balances and custody.

use super::{Account, Amount, AssetId, Chain, Channel, Error, Pair, NATIVE};
use std::collections::{BTreeMap, BTreeSet};

/// An asset: what its accounts must have, and what its issuer has done to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetRules {
    /// An account has nothing or at least this.
    pub min_balance: Amount,
    /// Whether it alone keeps an account alive.
    pub sufficient: bool,
    /// Who may freeze. None for the native asset.
    pub issuer: Option<Account>,
    /// The whole asset stands still.
    pub frozen: bool,
    /// Accounts that cannot send.
    pub frozen_accounts: BTreeSet<Account>,
    /// Accounts that can neither send nor receive.
    pub blocked_accounts: BTreeSet<Account>,
}

impl Default for AssetRules {
    fn default() -> Self {
        Self {
            min_balance: 1,
            sufficient: true,
            issuer: None,
            frozen: false,
            frozen_accounts: BTreeSet::new(),
            blocked_accounts: BTreeSet::new(),
        }
    }
}

/// All money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Money {
    assets: BTreeMap<AssetId, AssetRules>,
    free: BTreeMap<(AssetId, Account), Amount>,
    unclaimed: BTreeMap<(AssetId, Account), Amount>,
    /// Insured, unclaimed, and the seed.
    custody: BTreeMap<AssetId, Amount>,
    /// What keeps the custody account alive, paid with the first deposit.
    seeds: BTreeMap<AssetId, Amount>,
    /// Assets that were insured once: custody has an account in them.
    opened: BTreeSet<AssetId>,
    issued: BTreeMap<AssetId, Amount>,
}

impl Money {
    pub(super) fn new(assets: BTreeMap<AssetId, AssetRules>) -> Self {
        Self {
            assets,
            free: BTreeMap::new(),
            unclaimed: BTreeMap::new(),
            custody: BTreeMap::new(),
            seeds: BTreeMap::new(),
            opened: BTreeSet::new(),
            issued: BTreeMap::new(),
        }
    }

    pub(super) fn knows(&self, asset: AssetId) -> bool {
        self.assets.contains_key(&asset)
    }

    fn set_free(&mut self, asset: AssetId, who: Account, amount: Amount) {
        if amount == 0 {
            self.free.remove(&(asset, who));
        } else {
            self.free.insert((asset, who), amount);
        }
    }

    pub(super) fn check(&self, insured: &BTreeMap<AssetId, Amount>, deposits: Amount) {
        for (asset, rules) in &self.assets {
            let of = |map: &BTreeMap<(AssetId, Account), Amount>| -> Amount {
                map.iter().filter(|((number, _), _)| number == asset).map(|(_, sum)| sum).sum()
            };
            let at = |map: &BTreeMap<AssetId, Amount>| map.get(asset).copied().unwrap_or_default();
            let custody = at(&self.custody);
            let owned = at(insured) + of(&self.unclaimed) + at(&self.seeds);
            assert_eq!(custody, owned, "custody of asset {asset}");
            let held = if *asset == NATIVE { deposits } else { 0 };
            assert_eq!(of(&self.free) + custody + held, at(&self.issued), "issuance of {asset}");
            for ((number, who), free) in &self.free {
                let enough = number != asset || *free >= rules.min_balance;
                assert!(enough, "dust of {who} in {asset}: {free}");
            }
        }
    }
}

impl Chain {
    /// Gives `who` new money, at genesis or by the issuer.
    pub fn mint(&mut self, asset: AssetId, who: Account, amount: Amount) {
        let free = self.free(asset, who) + amount;
        self.money.set_free(asset, who, free);
        *self.money.issued.entry(asset).or_default() += amount;
    }

    /// Native money is gone.
    pub(super) fn burn(&mut self, amount: Amount) {
        *self.money.issued.entry(NATIVE).or_default() -= amount;
    }

    /// An asset's rules.
    pub fn asset(&self, asset: AssetId) -> Option<&AssetRules> {
        self.money.assets.get(&asset)
    }

    /// A new asset.
    pub fn add_asset(&mut self, asset: AssetId, rules: AssetRules) {
        self.money.assets.insert(asset, rules);
    }

    /// Free money of `who`.
    pub fn free(&self, asset: AssetId, who: Account) -> Amount {
        self.money.free.get(&(asset, who)).copied().unwrap_or_default()
    }

    /// What waits for `claim`.
    pub fn unclaimed(&self, asset: AssetId, who: Account) -> Amount {
        self.money.unclaimed.get(&(asset, who)).copied().unwrap_or_default()
    }

    /// What custody holds: insurance, unclaimed money and the seed.
    pub fn custody(&self, asset: AssetId) -> Amount {
        self.money.custody.get(&asset).copied().unwrap_or_default()
    }

    /// What was ever issued.
    pub fn issuance(&self, asset: AssetId) -> Amount {
        self.money.issued.get(&asset).copied().unwrap_or_default()
    }

    /// What a voluntary move can take: nothing of a debtor's.
    pub fn spendable(&self, asset: AssetId, who: Account) -> Amount {
        if self.owes(who, asset) == 0 && self.may_send(asset, who) {
            self.free(asset, who).saturating_sub(self.pinned(asset, who))
        } else {
            0
        }
    }

    /// Native money that has to stay because something else hangs on the account: a deposit, or
    /// an asset that does not keep an account alive by itself.
    pub(super) fn pinned(&self, asset: AssetId, who: Account) -> Amount {
        if asset != NATIVE {
            return 0;
        }
        let holds = |(number, rules): (&AssetId, &AssetRules)| {
            !rules.sufficient && self.free(*number, who) > 0
        };
        let starter = |(pair, channel): (&Pair, &Channel)| {
            let open = channel.dispute.as_ref().filter(|dispute| dispute.deposit > 0);
            open.is_some_and(|dispute| pair.account(dispute.starter) == who)
        };
        let pinned = self.money.assets.iter().any(holds) || self.channels.iter().any(starter);
        if pinned {
            self.asset(NATIVE).map_or(0, |rules| rules.min_balance)
        } else {
            0
        }
    }

    fn exists(&self, who: Account) -> bool {
        let sufficient = |asset: &AssetId| self.asset(*asset).is_some_and(|rules| rules.sufficient);
        self.money.free.keys().any(|(asset, of)| *of == who && sufficient(asset))
    }

    /// Whether the issuer lets `who` send.
    pub(super) fn may_send(&self, asset: AssetId, who: Account) -> bool {
        self.asset(asset).is_some_and(|rules| {
            !rules.frozen
                && !rules.frozen_accounts.contains(&who)
                && !rules.blocked_accounts.contains(&who)
        })
    }

    /// Whether `amount` leaves `who` nothing or at least the minimum.
    pub(super) fn leaves_no_dust(&self, asset: AssetId, who: Account, amount: Amount) -> bool {
        let Some(rules) = self.asset(asset) else { return false };
        let Some(rest) = self.free(asset, who).checked_sub(amount) else { return false };
        rest == 0 || rest >= rules.min_balance
    }

    /// Whether `who` can get `amount`.
    pub(super) fn can_credit(&self, asset: AssetId, who: Account, amount: Amount) -> bool {
        let Some(rules) = self.asset(asset) else { return false };
        if rules.blocked_accounts.contains(&who) {
            return false;
        }
        let opens = amount >= rules.min_balance && (rules.sufficient || self.exists(who));
        self.free(asset, who) > 0 || opens
    }

    pub(super) fn add_free(&mut self, asset: AssetId, who: Account, amount: Amount) {
        let free = self.free(asset, who).checked_add(amount).expect("less than issued");
        self.money.set_free(asset, who, free);
    }

    pub(super) fn take_free(&mut self, asset: AssetId, who: Account, amount: Amount) {
        let free = self.free(asset, who).checked_sub(amount).expect("checked before");
        self.money.set_free(asset, who, free);
    }

    /// Moves exactly `amount`, or nothing.
    pub(super) fn move_exactly(
        &mut self,
        asset: AssetId,
        from: Account,
        to: Account,
        amount: Amount,
    ) -> Result<(), Error> {
        if !self.may_send(asset, from) || self.free(asset, from) < amount {
            return Err(Error::CannotMove);
        }
        if !self.leaves_no_dust(asset, from, amount) {
            return Err(Error::WouldLeaveDust);
        }
        if !self.can_credit(asset, to, amount) {
            return Err(Error::CannotMove);
        }
        self.take_free(asset, from, amount);
        self.add_free(asset, to, amount);
        Ok(())
    }

    /// Takes `amount` of `from` into custody, with the seed if it is the first.
    pub(super) fn insure(
        &mut self,
        asset: AssetId,
        from: Account,
        amount: Amount,
    ) -> Result<(), Error> {
        let seed = self.missing_seed(asset);
        let total = amount.checked_add(seed).ok_or(Error::LimitExceeded)?;
        if self.spendable(asset, from) < total {
            return Err(Error::CannotMove);
        }
        if !self.leaves_no_dust(asset, from, total) {
            return Err(Error::WouldLeaveDust);
        }
        self.take_free(asset, from, total);
        *self.money.custody.entry(asset).or_default() += total;
        self.money.opened.insert(asset);
        if seed > 0 {
            self.money.seeds.insert(asset, seed);
        }
        Ok(())
    }

    /// What the first deposit costs once more.
    pub fn missing_seed(&self, asset: AssetId) -> Amount {
        let minimum = self.asset(asset).map_or(0, |rules| rules.min_balance);
        if minimum > 1 && !self.money.seeds.contains_key(&asset) {
            minimum
        } else {
            0
        }
    }

    /// Records that custody has its seed already.
    pub fn set_seed(&mut self, asset: AssetId, seed: Amount) {
        self.money.seeds.insert(asset, seed);
        self.money.opened.insert(asset);
        *self.money.custody.entry(asset).or_default() += seed;
        *self.money.issued.entry(asset).or_default() += seed;
    }

    /// Moves `amount`, which `from` can spare, to `to`, or into custody for it. Returns whether
    /// either was possible.
    pub(super) fn deliver(
        &mut self,
        asset: AssetId,
        from: Account,
        to: Account,
        amount: Amount,
    ) -> bool {
        if self.can_credit(asset, to, amount) {
            self.take_free(asset, from, amount);
            self.add_free(asset, to, amount);
            return true;
        }
        if !self.custody_lives(asset, amount) {
            return false;
        }
        self.take_free(asset, from, amount);
        *self.money.custody.entry(asset).or_default() += amount;
        *self.money.unclaimed.entry((asset, to)).or_default() += amount;
        true
    }

    /// Whether custody can take `amount`: it has an account in the asset, or gets one by it.
    fn custody_lives(&self, asset: AssetId, amount: Amount) -> bool {
        let Some(rules) = self.asset(asset) else { return false };
        self.custody(asset) > 0
            || self.money.opened.contains(&asset)
            || (amount >= rules.min_balance && (rules.sufficient || self.custody(NATIVE) > 0))
    }

    /// Whether custody can pay `amount` to `to`. Where it has no seed, what it keeps for others
    /// must not be dust.
    fn can_release(&self, asset: AssetId, to: Account, amount: Amount) -> bool {
        let Some(rules) = self.asset(asset) else { return false };
        let rest = self.custody(asset).saturating_sub(amount);
        let no_dust = rest == 0 || rest >= rules.min_balance;
        !rules.frozen && no_dust && self.can_credit(asset, to, amount)
    }

    /// Pays `amount` out of custody. What the account cannot get waits for it.
    pub(super) fn pay_out(&mut self, asset: AssetId, to: Account, amount: Amount) {
        if amount == 0 {
            return;
        }
        if !self.can_release(asset, to, amount) {
            *self.money.unclaimed.entry((asset, to)).or_default() += amount;
            return;
        }
        let custody = self.money.custody.entry(asset).or_default();
        *custody = custody.checked_sub(amount).expect("custody holds what it owes");
        self.add_free(asset, to, amount);
    }

    /// Fetches what is unclaimed for its owner.
    pub(super) fn claim(&mut self, who: Account, asset: AssetId) -> Result<(), Error> {
        let amount = self.unclaimed(asset, who);
        if amount == 0 {
            return Err(Error::NothingUnclaimed);
        }
        if !self.can_release(asset, who, amount) {
            return Err(Error::StillRefused);
        }
        self.money.unclaimed.remove(&(asset, who));
        self.pay_out(asset, who, amount);
        self.pay_one(who, asset);
        Ok(())
    }

    /// An ordinary transfer, not one of the protocol: its receiver's debts wait for the sweep.
    /// It leaves the sender at least the minimum.
    pub(super) fn transfer(
        &mut self,
        from: Account,
        to: Account,
        asset: AssetId,
        amount: Amount,
    ) -> Result<(), Error> {
        let minimum = self.asset(asset).ok_or(Error::UnknownAsset)?.min_balance;
        let rest = self.free(asset, from).checked_sub(amount);
        let owes = self.owes(from, asset) > 0;
        if owes || rest.is_none_or(|rest| rest < minimum) {
            return Err(Error::CannotMove);
        }
        if from != to {
            self.move_exactly(asset, from, to, amount)?;
        }
        Ok(())
    }

    /// The issuer's powers over free balances.
    pub(super) fn restrict(
        &mut self,
        issuer: Account,
        asset: AssetId,
        change: impl FnOnce(&mut AssetRules),
    ) -> Result<(), Error> {
        let rules = self.money.assets.get_mut(&asset).ok_or(Error::UnknownAsset)?;
        if rules.issuer != Some(issuer) {
            return Err(Error::NotIssuer);
        }
        change(rules);
        Ok(())
    }

    /// The same for one account, which must have some of the asset.
    pub(super) fn restrict_account(
        &mut self,
        issuer: Account,
        asset: AssetId,
        who: Account,
        change: impl FnOnce(&mut AssetRules),
    ) -> Result<(), Error> {
        let exists = self.free(asset, who) > 0;
        self.restrict(issuer, asset, change)?;
        exists.then_some(()).ok_or(Error::CannotMove)
    }

    /// The same for the whole asset, which is not what it is asked to become.
    pub(super) fn set_frozen(
        &mut self,
        issuer: Account,
        asset: AssetId,
        frozen: bool,
    ) -> Result<(), Error> {
        let was = self.asset(asset).map(|rules| rules.frozen);
        self.restrict(issuer, asset, |rules| rules.frozen = frozen)?;
        (was != Some(frozen)).then_some(()).ok_or(Error::CannotMove)
    }
}
