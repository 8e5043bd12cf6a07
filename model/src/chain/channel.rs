//! Channels: deposits and withdrawals (`protocol.md` §2).

use super::{
    Account, Amount, AssetId, Chain, Dispute, Epoch, Error, Item, Pair, Side, Signed, Withdrawal,
    LIMIT, MAX_ASSETS, MAX_ROWS, NATIVE,
};
use std::collections::BTreeMap;

/// Collateral of one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Locked for the pair.
    pub insurance: Amount,
    /// Where left's part ends when nothing is sent off chain.
    pub ondelta: i128,
    /// Who has opened it; nobody the native one.
    pub opened_by: Option<Side>,
}

/// What the chain knows of a pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    /// Which life this is.
    pub epoch: Epoch,
    /// The nonces that are due, left's first.
    pub withdrawal_nonces: [u64; 2],
    /// Collateral by asset.
    pub rows: BTreeMap<AssetId, Row>,
    /// The open dispute.
    pub dispute: Option<Dispute>,
}

impl Channel {
    /// Rows in issued assets that a side has opened.
    pub fn opened_by(&self, side: Side) -> u32 {
        let rows = self.rows.values().filter(|row| row.opened_by == Some(side));
        u32::try_from(rows.count()).expect("few rows")
    }

    /// Insurance and ondelta of an asset.
    pub fn collateral(&self, asset: AssetId) -> (Amount, i128) {
        self.rows.get(&asset).map_or((0, 0), |row| (row.insurance, row.ondelta))
    }
}

fn within_limits(insurance: Amount, ondelta: i128) -> Result<(), Error> {
    if insurance > LIMIT || ondelta.unsigned_abs() > LIMIT {
        return Err(Error::LimitExceeded);
    }
    Ok(())
}

/// An amount on the axis.
pub(super) fn signed_amount(amount: Amount) -> Result<i128, Error> {
    i128::try_from(amount).map_err(|_| Error::LimitExceeded)
}

impl Chain {
    /// A channel's record; none when nobody has paid for one.
    pub fn channel(&self, pair: Pair) -> Option<&Channel> {
        self.channels.get(&pair)
    }

    /// All channels.
    pub fn channels(&self) -> &BTreeMap<Pair, Channel> {
        &self.channels
    }

    /// The epoch of a pair, 0 without record.
    pub fn epoch(&self, pair: Pair) -> Epoch {
        self.channel(pair).map_or(0, |channel| channel.epoch)
    }

    /// Makes the record of a pair; `payer` pays for it.
    pub(super) fn open_record(&mut self, pair: Pair, payer: Account) -> Result<(), Error> {
        if self.channels.contains_key(&pair) {
            return Ok(());
        }
        let fee = self.params.pair_fee;
        if !self.take_allowed(payer, fee) {
            return Err(Error::PairFeeMissing);
        }
        self.reward(fee);
        self.channels.insert(pair, Channel::default());
        Ok(())
    }

    /// Sets a row, which `by` opens when it is new.
    fn set_row(
        &mut self,
        pair: Pair,
        asset: AssetId,
        (insurance, ondelta): (Amount, i128),
        by: Account,
    ) -> Result<(), Error> {
        within_limits(insurance, ondelta)?;
        let channel = self.channels.get_mut(&pair).ok_or(Error::NoChannel)?;
        if insurance == 0 && ondelta == 0 {
            channel.rows.remove(&asset);
            return Ok(());
        }
        if let Some(row) = channel.rows.get_mut(&asset) {
            (row.insurance, row.ondelta) = (insurance, ondelta);
            return Ok(());
        }
        let opened_by = if asset == NATIVE {
            None
        } else {
            let side = pair.side_of(by).ok_or(Error::TooManyAssets)?;
            if channel.opened_by(side) >= MAX_ROWS {
                return Err(Error::TooManyAssets);
            }
            Some(side)
        };
        channel.rows.insert(asset, Row { insurance, ondelta, opened_by });
        Ok(())
    }

    /// `insurance += amount`; for left `ondelta += amount`.
    pub(super) fn deposit(
        &mut self,
        from: Account,
        asset: AssetId,
        amount: Amount,
        (beneficiary, partner): (Account, Account),
        epoch: Option<Epoch>,
    ) -> Result<(), Error> {
        let pair = Pair::of(beneficiary, partner).ok_or(Error::SamePair)?;
        let minimum = self.asset(asset).ok_or(Error::UnknownAsset)?.min_balance;
        if amount == 0 || amount < minimum {
            return Err(Error::AmountTooSmall);
        }
        if epoch.is_some_and(|epoch| epoch != self.epoch(pair)) {
            return Err(Error::WrongEpoch);
        }
        self.open_record(pair, from)?;
        self.top_up(from, [beneficiary, partner])?;
        let (insurance, ondelta) = self.channels[&pair].collateral(asset);
        let insurance = insurance.checked_add(amount).ok_or(Error::LimitExceeded)?;
        within_limits(insurance, 0)?;
        let ondelta = if pair.side_of(beneficiary) == Some(Side::Left) {
            ondelta.checked_add(signed_amount(amount)?).ok_or(Error::LimitExceeded)?
        } else {
            ondelta
        };
        self.set_row(pair, asset, (insurance, ondelta), from)?;
        self.insure(asset, from, amount)
    }

    /// The depositor pays for accounts that do not exist.
    fn top_up(&mut self, from: Account, accounts: [Account; 2]) -> Result<(), Error> {
        let amount = self.params.account_top_up;
        if amount == 0 {
            return Ok(());
        }
        for account in accounts {
            if self.free(NATIVE, account) == 0 {
                if self.spendable(NATIVE, from) < amount {
                    return Err(Error::CannotMove);
                }
                self.move_exactly(NATIVE, from, account, amount)?;
            }
        }
        Ok(())
    }

    /// Takes what the partner's proof allows.
    pub(super) fn withdraw(
        &mut self,
        who: Account,
        partner: Account,
        proof: &Signed<Withdrawal>,
    ) -> Result<(), Error> {
        let pair = Pair::of(who, partner).ok_or(Error::SamePair)?;
        let side = pair.side_of(who).ok_or(Error::NotAParty)?;
        let withdrawal = proof.content();
        let items = &withdrawal.items;
        let ordered = items.windows(2).all(|two| two[0].asset < two[1].asset);
        let bounded = !items.is_empty() && items.len() <= MAX_ASSETS;
        if !ordered || !bounded || items.iter().any(|item| item.amount == 0) {
            return Err(Error::MalformedWithdrawal);
        }
        let channel = self.channel(pair).ok_or(Error::NoChannel)?;
        if self.clock > withdrawal.valid_until {
            return Err(Error::Expired);
        }
        let bound = (withdrawal.pair, withdrawal.epoch, withdrawal.to);
        if proof.by() != partner || bound != (pair, channel.epoch, side) {
            return Err(Error::BadProof);
        }
        if withdrawal.nonce != channel.withdrawal_nonces[side.index()] {
            return Err(Error::WrongWithdrawalNonce);
        }
        let channel = self.channels.get_mut(&pair).expect("seen above");
        channel.withdrawal_nonces[side.index()] += 1;
        for item in items {
            self.withdraw_item(pair, side, *item)?;
        }
        for item in items {
            self.pay_one(who, item.asset);
        }
        Ok(())
    }

    fn withdraw_item(&mut self, pair: Pair, side: Side, item: Item) -> Result<(), Error> {
        let Item { asset, amount, max_from_balance } = item;
        let (who, partner) = (pair.account(side), pair.account(side.other()));
        let (insurance, ondelta) = self.channels[&pair].collateral(asset);
        let insured = amount.min(insurance);
        let rest = amount - insured;
        if rest > max_from_balance {
            return Err(Error::AboveMaxFromBalance);
        }
        let (taken, drawn) = (signed_amount(insured)?, signed_amount(rest)?);
        // The partner's part of the axis grows by what it pays from its own pocket.
        let change = match side {
            Side::Left => taken.checked_add(drawn).and_then(i128::checked_neg),
            Side::Right => Some(drawn),
        };
        let ondelta =
            change.and_then(|change| ondelta.checked_add(change)).ok_or(Error::LimitExceeded)?;
        if rest > 0 && rest > self.spendable(asset, partner) {
            return Err(Error::PartnerCannotPay);
        }
        self.set_row(pair, asset, (insurance - insured, ondelta), who)?;
        self.pay_out(asset, who, insured);
        if rest > 0 {
            if !self.leaves_no_dust(asset, partner, rest) {
                return Err(Error::WouldLeaveDust);
            }
            if !self.deliver(asset, partner, who, rest) {
                return Err(Error::CannotMove);
            }
        }
        Ok(())
    }
}
