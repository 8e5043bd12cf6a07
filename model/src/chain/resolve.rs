//! How an epoch ends, and what can be claimed afterwards (`protocol.md` §5).

use super::{
    channel::signed_amount, debt::Step, Account, Amount, AssetId, BlockNumber, Chain, Clock,
    Dispute, Entry, Epoch, Error, Lock, Pair, Side, Signed, Simplex, Verdict, NATIVE,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// What a resolve has done in one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which.
    pub asset: AssetId,
    /// Paid to left out of the insurance.
    pub left_insured: Amount,
    /// Paid to right out of the insurance.
    pub right_insured: Amount,
    /// Owed by left.
    pub left_owed: Amount,
    /// Owed by right.
    pub right_owed: Amount,
    /// What of it has become a debt.
    pub booked: Amount,
}

/// What counted in an epoch that a dispute has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldEpoch {
    /// Last clock for late claims.
    pub until: Clock,
    /// Per side and asset, left's first.
    pub counted: [BTreeMap<AssetId, Amount>; 2],
    /// Per side: the locks that counted. A claimed word may hold them still.
    pub locks: [BTreeSet<(AssetId, Lock)>; 2],
}

impl OldEpoch {
    /// What the chain would still count of an entry that `side` has signed.
    pub fn uncounted(&self, side: Side, entry: &Entry) -> Amount {
        let held = entry
            .locks
            .iter()
            .filter(|lock| self.locks[side.index()].contains(&(entry.asset, (*lock).clone())));
        let worth = entry.sent + held.map(|lock| lock.amount).sum::<Amount>();
        let counted = self.counted[side.index()].get(&entry.asset).copied().unwrap_or_default();
        worth.saturating_sub(counted)
    }
}

/// Insured and owed parts: `[left, right]` each.
pub fn split(insurance: Amount, delta: i128) -> ([Amount; 2], [Amount; 2]) {
    let size = delta.unsigned_abs();
    if delta < 0 {
        ([0, insurance], [size, 0])
    } else if size <= insurance {
        ([size, insurance - size], [0, 0])
    } else {
        ([insurance, 0], [0, size - insurance])
    }
}

impl Chain {
    /// What counted in old epochs that still take late claims.
    pub fn old_epochs(&self) -> &BTreeMap<(Pair, Epoch), OldEpoch> {
        &self.old_epochs
    }

    /// Puts a dispute on the agenda.
    pub(super) fn schedule(&mut self, pair: Pair, due: Clock) {
        self.sequence += 1;
        self.agenda.insert((due, Reverse(self.sequence), pair));
    }

    /// Resolves what is due: the earliest first, of one clock the last scheduled first.
    pub(super) fn resolve_due(&mut self) {
        let clock = self.clock;
        while let Some(entry) = self.agenda.first().copied().filter(|entry| entry.0 <= clock) {
            self.agenda.remove(&entry);
            let pair = entry.2;
            let dispute = self.channel(pair).and_then(|channel| channel.dispute.as_ref());
            match dispute.map(|dispute| dispute.resolve_at) {
                Some(later) if later > clock => self.schedule(pair, later),
                Some(_) => {
                    self.conclude(pair);
                },
                None => {},
            }
        }
    }

    /// Anybody ends a dispute that is due.
    pub(super) fn resolve(&mut self, pair: Pair) -> Result<(), Error> {
        let channel = self.channel(pair).ok_or(Error::NoDispute)?;
        let dispute = channel.dispute.as_ref().ok_or(Error::NoDispute)?;
        if self.clock < dispute.resolve_at {
            return Err(Error::TooEarly);
        }
        self.conclude(pair);
        Ok(())
    }

    /// Ends the epoch with the open dispute of a pair.
    pub(super) fn conclude(&mut self, pair: Pair) -> Vec<Outcome> {
        let channel = self.channels.get_mut(&pair).expect("a dispute has a record");
        let dispute = channel.dispute.take().expect("an open dispute");
        let rows = std::mem::take(&mut channel.rows);
        let epoch = channel.epoch;
        channel.epoch += 1;
        channel.withdrawal_nonces = [0, 0];
        let mut assets: BTreeSet<AssetId> = rows.keys().copied().collect();
        assets.extend(self.named(&dispute));
        let mut outcomes = vec![];
        for asset in assets {
            let (insurance, ondelta) =
                rows.get(&asset).map_or((0, 0), |row| (row.insurance, row.ondelta));
            let delta = ondelta + self.offdelta(&dispute, asset);
            let (insured, owed) = split(insurance, delta);
            for side in Side::BOTH {
                self.pay_out(asset, pair.account(side), insured[side.index()]);
            }
            for side in Side::BOTH {
                if insured[side.index()] > 0 {
                    self.pay_one(pair.account(side), asset);
                }
            }
            let mut booked = 0;
            for side in Side::BOTH {
                let (debtor, creditor) = (pair.account(side), pair.account(side.other()));
                let owed = owed[side.index()];
                booked += self.pay_or_book(debtor, creditor, asset, owed, dispute.opened_in);
            }
            outcomes.push(Outcome {
                asset,
                left_insured: insured[0],
                right_insured: insured[1],
                left_owed: owed[0],
                right_owed: owed[1],
                booked,
            });
        }
        self.remember(pair, epoch, &dispute);
        self.return_deposit(pair, &dispute);
        outcomes
    }

    /// Known assets that the dispute speaks of.
    fn named(&self, dispute: &Dispute) -> Vec<AssetId> {
        let all: Vec<AssetId> = match &dispute.verdict {
            Verdict::Agreed(offdeltas) => offdeltas.keys().copied().collect(),
            Verdict::Open | Verdict::Accepted => {
                let stored = dispute.stored.iter().flatten();
                stored.flat_map(|stored| &stored.simplex.entries).map(|entry| entry.asset).collect()
            },
        };
        all.into_iter().filter(|asset| self.asset(*asset).is_some()).collect()
    }

    /// Pays what the debtor can spend, books the rest. Returns what was booked.
    fn pay_or_book(
        &mut self,
        debtor: Account,
        creditor: Account,
        asset: AssetId,
        owed: Amount,
        opened_in: BlockNumber,
    ) -> Amount {
        if owed == 0 {
            return 0;
        }
        let first = self.debts(debtor, asset).is_empty();
        self.book(debtor, creditor, asset, owed, opened_in);
        if !first {
            return owed;
        }
        let step = self.pay_one(debtor, asset);
        let rest = self.owes(debtor, asset);
        if step == Step::Paid(creditor) {
            self.pay_one(creditor, asset);
        }
        rest
    }

    /// What counted, for late claims; none after a co-signed close.
    fn remember(&mut self, pair: Pair, epoch: Epoch, dispute: &Dispute) {
        if matches!(dispute.verdict, Verdict::Agreed(_)) {
            return;
        }
        let counted = Side::BOTH.map(|side| {
            let simplex = dispute.stored[side.index()].as_ref().map(|stored| &stored.simplex);
            let entries = simplex.map_or(&[][..], |simplex| &simplex.entries);
            let count = |asset| simplex.map_or(0, |simplex| self.counted(simplex, asset));
            entries.iter().map(|entry| (entry.asset, count(entry.asset))).collect()
        });
        let locks = Side::BOTH.map(|side| {
            let stored = dispute.stored[side.index()].iter();
            let entries = stored.flat_map(|stored| &stored.simplex.entries);
            let all = entries.flat_map(|entry| {
                entry.locks.iter().map(|lock| (entry.asset, lock.clone())).collect::<Vec<_>>()
            });
            all.filter(|(_, lock)| self.counts(lock)).collect()
        });
        let until = self.clock + self.params.late;
        self.old_epochs.insert((pair, epoch), OldEpoch { until, counted, locks });
    }

    /// The deposit goes back, or to the responder from whom the starter has hidden something; that
    /// of a native debtor to its creditors.
    fn return_deposit(&mut self, pair: Pair, dispute: &Dispute) {
        let starter = pair.account(dispute.starter);
        let deposit = dispute.deposit;
        if deposit == 0 {
            return;
        }
        let responder = pair.account(dispute.starter.other());
        let owes = self.owes(starter, NATIVE) > 0;
        let handed_over = dispute.forfeited && !owes && self.can_credit(NATIVE, responder, deposit);
        let receiver = if handed_over { responder } else { starter };
        self.add_free(NATIVE, receiver, deposit);
        if dispute.forfeited && owes {
            self.surrender(starter, NATIVE, deposit);
        } else {
            self.pay_one(receiver, NATIVE);
        }
    }

    /// The payee claims what the payer had sent in an old epoch beyond what counted [A11].
    pub(super) fn late_claim(
        &mut self,
        payee: Account,
        payer: Account,
        epoch: Epoch,
        signed: &Signed<Simplex>,
    ) -> Result<(), Error> {
        let pair = Pair::of(payee, payer).ok_or(Error::SamePair)?;
        let from = pair.side_of(payer).ok_or(Error::NotAParty)?;
        let clock = self.clock;
        let old = self.old_epochs.get_mut(&(pair, epoch)).ok_or(Error::NoLateClaims)?;
        if clock > old.until {
            return Err(Error::NoLateClaims);
        }
        let simplex = signed.content();
        if !simplex.is_well_formed() {
            return Err(Error::MalformedEvidence);
        }
        let bound = (simplex.pair, simplex.epoch, simplex.from);
        if signed.by() != payer || bound != (pair, epoch, from) {
            return Err(Error::BadProof);
        }
        let mut more = vec![];
        for entry in &simplex.entries {
            let extra = old.uncounted(from, entry);
            if extra > 0 && self.money.knows(entry.asset) {
                *old.counted[from.index()].entry(entry.asset).or_default() += extra;
                more.push((entry.asset, extra));
            }
        }
        if more.is_empty() {
            return Err(Error::NothingToClaim);
        }
        for (asset, extra) in more {
            self.pay_or_book(payer, payee, asset, extra, self.block);
        }
        Ok(())
    }

    /// A debt's share on the axis, for tests and parties: `ondelta + offdelta`.
    pub fn delta(&self, pair: Pair, asset: AssetId, sent: [Amount; 2]) -> Option<i128> {
        let ondelta = self.channel(pair).map_or(0, |channel| channel.collateral(asset).1);
        let [left, right] = sent.map(signed_amount);
        ondelta.checked_add(right.ok()?)?.checked_sub(left.ok()?)
    }
}
