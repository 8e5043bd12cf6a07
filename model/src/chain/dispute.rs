//! Disputes: evidence, answers, agreement (`protocol.md` §5).

use super::{
    channel::signed_amount, Account, Ack, Amount, AssetId, BlockNumber, Chain, Clock, Close, Epoch,
    Error, Pair, Params, Side, Signed, Simplex, COUNTER_SLACK, LIMIT, MAX_ASSETS,
};
use std::collections::BTreeMap;

/// The starter's own simplex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ours {
    /// With the partner's receipt.
    Acked(Signed<Ack>),
    /// Newer than any receipt.
    Unacked {
        /// What the partner has not acknowledged.
        simplex: Simplex,
        /// The newest that it has.
        acked: Option<Signed<Ack>>,
    },
}

/// What a party brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The partner's newest simplex.
    pub theirs: Option<Signed<Simplex>>,
    /// The newest own one.
    pub ours: Option<Ours>,
}

/// A simplex with both signatures: anybody may bring it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwiceSigned {
    /// The payer's signature.
    pub simplex: Signed<Simplex>,
    /// The receiver's.
    pub ack: Signed<Ack>,
}

/// How firm a stored simplex is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The other side has signed it too, or is the one who brought it.
    Final,
    /// The starter's word about himself.
    Unacked {
        /// Nonce of his newest acked one.
        floor: u64,
    },
}

/// A simplex in a dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What it says.
    pub simplex: Simplex,
    /// What replaces it.
    pub standing: Standing,
}

/// What a responder accepts: the epoch and the two stored simplexes, left's first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The epoch.
    pub epoch: Epoch,
    /// The simplexes.
    pub stored: [Option<Stored>; 2],
}

/// Whether the parties have agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can be answered.
    Open,
    /// The responder has accepted what is stored.
    Accepted,
    /// Both have signed these offdeltas.
    Agreed(BTreeMap<AssetId, i128>),
}

/// An open dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Who has started it.
    pub starter: Side,
    /// When.
    pub start: Clock,
    /// The time to answer.
    pub delay: Clock,
    /// In which block: the place of its debts.
    pub opened_in: BlockNumber,
    /// From when on it is resolved.
    pub resolve_at: Clock,
    /// The newest simplex of each side, left's first.
    pub stored: [Option<Stored>; 2],
    /// What the starter has posted for himself.
    pub posted: Option<Simplex>,
    /// Held from the starter.
    pub deposit: Amount,
    /// Whether he has hidden something newer.
    pub forfeited: bool,
    /// Which free counters are used up: the responder's, that of everybody else.
    pub free_used: [bool; 2],
    /// Whether the parties have agreed.
    pub verdict: Verdict,
}

impl Dispute {
    /// What a responder accepts.
    pub fn presented(&self, epoch: Epoch) -> Presented {
        Presented { epoch, stored: self.stored.clone() }
    }

    fn locks(&self) -> impl Iterator<Item = &super::Lock> {
        self.stored.iter().flatten().flat_map(|stored| stored.simplex.locks())
    }

    /// The deadline never moves back.
    fn due(&self) -> Clock {
        let locks = self.locks().map(|lock| lock.expiry + 1).max().unwrap_or_default();
        self.resolve_at.max(self.start + self.delay).max(locks)
    }

    /// Takes a simplex that is final for its side. Returns whether anything has changed.
    fn bring(&mut self, simplex: &Simplex, params: &Params) -> bool {
        if simplex.from == self.starter {
            let posted = self.posted.as_ref();
            let newer = simplex.nonce > posted.map_or(0, |posted| posted.nonce);
            let more = |entry: &super::Entry| {
                entry.sent > posted.map_or(0, |posted| posted.sent(entry.asset))
            };
            self.forfeited |= newer || simplex.entries.iter().any(more);
        }
        let stored = &mut self.stored[simplex.from.index()];
        let replaces = match stored {
            None => true,
            Some(Stored { simplex: old, standing: Standing::Final }) => simplex.nonce > old.nonce,
            Some(Stored { simplex: old, standing: Standing::Unacked { floor } }) => {
                simplex.nonce > old.nonce
                    || simplex == old
                    || (simplex.nonce >= *floor
                        && (params.literal_a10 || !gives_as_much(old, simplex)))
            },
        };
        if let Some(Stored { standing: Standing::Unacked { floor }, .. }) = stored {
            if params.raise_floor && !replaces && *floor < simplex.nonce {
                *floor = simplex.nonce;
                return true;
            }
        }
        if replaces {
            *stored = Some(Stored { simplex: simplex.clone(), standing: Standing::Final });
        }
        replaces
    }
}

/// Whether `one` gives the responder at least what `other` could, in every asset: its sent covers
/// the other's and those of the other's locks that it does not hold itself [A10].
fn gives_as_much(one: &Simplex, other: &Simplex) -> bool {
    other.entries.iter().all(|entry| {
        let held = |lock: &&super::Lock| {
            one.entry(entry.asset).is_some_and(|mine| mine.locks.contains(lock))
        };
        let lost: Amount =
            entry.locks.iter().filter(|lock| !held(lock)).map(|lock| lock.amount).sum();
        one.sent(entry.asset) >= entry.sent + lost
    })
}

impl Chain {
    /// Checks a simplex of `from` in this epoch, and that its locks do not outlive `latest`.
    fn check_simplex(
        &self,
        simplex: &Simplex,
        pair: Pair,
        from: Side,
        latest: Clock,
    ) -> Result<(), Error> {
        if !simplex.is_well_formed() {
            return Err(Error::MalformedEvidence);
        }
        if simplex.locks().any(|lock| lock.expiry > latest) {
            return Err(Error::ExpiryTooFar);
        }
        if (simplex.pair, simplex.epoch, simplex.from) != (pair, self.epoch(pair), from) {
            return Err(Error::BadProof);
        }
        Ok(())
    }

    fn check_theirs(
        &self,
        signed: &Signed<Simplex>,
        pair: Pair,
        from: Side,
        latest: Clock,
    ) -> Result<(), Error> {
        self.check_simplex(signed.content(), pair, from, latest)?;
        if signed.by() != pair.account(from) {
            return Err(Error::BadProof);
        }
        Ok(())
    }

    fn check_ack(
        &self,
        ack: &Signed<Ack>,
        pair: Pair,
        from: Side,
        latest: Clock,
    ) -> Result<(), Error> {
        self.check_simplex(&ack.content().0, pair, from, latest)?;
        if ack.by() != pair.account(from.other()) {
            return Err(Error::BadProof);
        }
        Ok(())
    }

    /// Starts a dispute, or answers the partner's. Returns whether it was free.
    pub(super) fn dispute(
        &mut self,
        who: Account,
        partner: Account,
        epoch: Epoch,
        evidence: Evidence,
    ) -> Result<bool, Error> {
        let pair = Pair::of(who, partner).ok_or(Error::SamePair)?;
        let side = pair.side_of(who).ok_or(Error::NotAParty)?;
        if epoch != self.epoch(pair) {
            return Err(Error::WrongEpoch);
        }
        if self.channel(pair).is_some_and(|channel| channel.dispute.is_some()) {
            return self.counter(who, partner, evidence);
        }
        let collateral = self.channel(pair).is_some_and(|channel| !channel.rows.is_empty());
        let partners = match &evidence.ours {
            None | Some(Ours::Unacked { acked: None, .. }) => evidence.theirs.is_some(),
            Some(_) => true,
        };
        if !collateral && !partners {
            return Err(Error::NothingToDispute);
        }
        let latest = self.clock + self.params.lock_window;
        let mut stored = [None, None];
        if let Some(theirs) = &evidence.theirs {
            self.check_theirs(theirs, pair, side.other(), latest)?;
            let simplex = theirs.content().clone();
            stored[side.other().index()] = Some(Stored { simplex, standing: Standing::Final });
        }
        let mut posted = None;
        if let Some(ours) = evidence.ours {
            let own = match ours {
                Ours::Acked(ack) => {
                    self.check_ack(&ack, pair, side, latest)?;
                    Stored { simplex: ack.content().0.clone(), standing: Standing::Final }
                },
                Ours::Unacked { simplex, acked } => {
                    self.check_simplex(&simplex, pair, side, latest)?;
                    let mut floor = 0;
                    if let Some(acked) = &acked {
                        self.check_ack(acked, pair, side, Clock::MAX)?;
                        floor = acked.content().0.nonce;
                        if floor > simplex.nonce {
                            return Err(Error::MalformedEvidence);
                        }
                    }
                    Stored { simplex, standing: Standing::Unacked { floor } }
                },
            };
            posted = Some(own.simplex.clone());
            stored[side.index()] = Some(own);
        }
        self.open_record(pair, who)?;
        let deposit = self.params.dispute_deposit;
        if !self.take_allowed(who, deposit) {
            return Err(Error::DepositMissing);
        }
        let dispute = Dispute {
            starter: side,
            start: self.clock,
            delay: self.delay(partner),
            opened_in: self.block,
            resolve_at: 0,
            stored,
            posted,
            deposit,
            forfeited: false,
            free_used: [false; 2],
            verdict: Verdict::Open,
        };
        self.put_dispute(pair, dispute);
        Ok(false)
    }

    /// How long `responder` has to answer.
    fn delay(&self, responder: Account) -> Clock {
        if self.is_hub(responder) {
            self.params.delay_hub
        } else {
            self.params.delay_user
        }
    }

    /// Stores a dispute with its deadline, and puts it on the agenda.
    fn put_dispute(&mut self, pair: Pair, mut dispute: Dispute) {
        let fresh = dispute.resolve_at == 0;
        dispute.resolve_at = dispute.due();
        if fresh {
            self.schedule(pair, dispute.resolve_at);
        }
        self.channels.get_mut(&pair).expect("it has a record").dispute = Some(dispute);
    }

    /// The dispute of a pair that can still be answered.
    fn answerable(&self, pair: Pair) -> Result<Dispute, Error> {
        let channel = self.channel(pair).ok_or(Error::NoDispute)?;
        let dispute = channel.dispute.clone().ok_or(Error::NoDispute)?;
        if dispute.verdict != Verdict::Open {
            return Err(Error::AlreadySettled);
        }
        if self.clock >= dispute.resolve_at {
            return Err(Error::TooLate);
        }
        Ok(dispute)
    }

    /// The responder answers. Returns whether it was free.
    pub(super) fn counter(
        &mut self,
        who: Account,
        partner: Account,
        evidence: Evidence,
    ) -> Result<bool, Error> {
        let pair = Pair::of(who, partner).ok_or(Error::SamePair)?;
        let side = pair.side_of(who).ok_or(Error::NotAParty)?;
        let dispute = self.answerable(pair)?;
        if dispute.starter == side {
            return Err(Error::StarterSpeaksOnce);
        }
        let latest = dispute.start + COUNTER_SLACK + self.params.lock_window;
        let mut brought = vec![];
        if let Some(theirs) = evidence.theirs {
            self.check_theirs(&theirs, pair, side.other(), latest)?;
            brought.push(theirs.content().clone());
        }
        match evidence.ours {
            Some(Ours::Acked(ack)) => {
                self.check_ack(&ack, pair, side, latest)?;
                brought.push(ack.content().0.clone());
            },
            Some(Ours::Unacked { acked: Some(ack), .. }) if self.params.unacked_as_acked => {
                self.check_ack(&ack, pair, side, latest)?;
                brought.push(ack.content().0.clone());
            },
            // Nothing but what nobody has acknowledged is no answer.
            Some(Ours::Unacked { acked: None, .. })
                if self.params.unacked_as_acked && !brought.is_empty() => {},
            Some(Ours::Unacked { .. }) => return Err(Error::AckMissing),
            None => {},
        }
        Ok(self.answer(pair, dispute, &brought, 0))
    }

    /// Somebody else answers, with simplexes that both have signed. Returns whether it was free.
    pub(super) fn counter_for(
        &mut self,
        pair: Pair,
        simplexes: Vec<TwiceSigned>,
    ) -> Result<bool, Error> {
        let dispute = self.answerable(pair)?;
        let latest = dispute.start + COUNTER_SLACK + self.params.lock_window;
        let mut brought = vec![];
        for TwiceSigned { simplex, ack } in simplexes {
            let from = simplex.content().from;
            self.check_theirs(&simplex, pair, from, latest)?;
            self.check_ack(&ack, pair, from, latest)?;
            if ack.content().0 != *simplex.content() {
                return Err(Error::BadProof);
            }
            brought.push(simplex.content().clone());
        }
        Ok(self.answer(pair, dispute, &brought, 1))
    }

    fn answer(
        &mut self,
        pair: Pair,
        mut dispute: Dispute,
        brought: &[Simplex],
        role: usize,
    ) -> bool {
        let taken = brought.iter().filter(|simplex| dispute.bring(simplex, &self.params));
        let changed = taken.count() > 0;
        let free = changed && !dispute.free_used[role];
        dispute.free_used[role] |= free;
        self.put_dispute(pair, dispute);
        free
    }

    /// The responder agrees to what is stored.
    pub(super) fn accept(
        &mut self,
        who: Account,
        partner: Account,
        presented: &Presented,
    ) -> Result<(), Error> {
        let pair = Pair::of(who, partner).ok_or(Error::SamePair)?;
        let side = pair.side_of(who).ok_or(Error::NotAParty)?;
        // There is no "too late" for agreeing.
        let open = self.channel(pair).and_then(|channel| channel.dispute.clone());
        let mut dispute = open.ok_or(Error::NoDispute)?;
        if dispute.verdict != Verdict::Open {
            return Err(Error::AlreadySettled);
        }
        if dispute.starter == side {
            return Err(Error::StarterSpeaksOnce);
        }
        if dispute.presented(self.epoch(pair)) != *presented {
            return Err(Error::NotWhatIsPresented);
        }
        let open =
            |lock: &super::Lock| lock.expiry >= self.clock && self.revealed(lock.hash).is_none();
        if dispute.locks().any(open) {
            return Err(Error::LiveLock);
        }
        dispute.verdict = Verdict::Accepted;
        self.conclude_or_wait(pair, dispute);
        Ok(())
    }

    /// Both have signed the end of this epoch.
    pub(super) fn close(
        &mut self,
        who: Account,
        partner: Account,
        signed: &Signed<Close>,
    ) -> Result<(), Error> {
        let pair = Pair::of(who, partner).ok_or(Error::SamePair)?;
        let side = pair.side_of(who).ok_or(Error::NotAParty)?;
        let close = signed.content();
        let ordered = close.offdeltas.windows(2).all(|two| two[0].0 < two[1].0);
        let bounded = close.offdeltas.iter().all(|(_, off)| off.unsigned_abs() <= LIMIT);
        if !ordered || !bounded || close.offdeltas.len() > MAX_ASSETS {
            return Err(Error::MalformedClose);
        }
        if self.clock > close.valid_until {
            return Err(Error::Expired);
        }
        let bound = (close.pair, close.epoch);
        if signed.by() != partner || bound != (pair, self.epoch(pair)) {
            return Err(Error::BadProof);
        }
        let open = self.channel(pair).and_then(|channel| channel.dispute.clone());
        self.open_record(pair, who)?;
        let agreed = Verdict::Agreed(close.offdeltas.iter().copied().collect());
        let dispute = match open {
            Some(dispute) => Dispute { verdict: agreed, ..dispute },
            None => Dispute {
                starter: side,
                start: self.clock,
                delay: self.delay(partner),
                opened_in: self.block,
                resolve_at: 0,
                stored: [None, None],
                posted: None,
                deposit: 0,
                forfeited: false,
                free_used: [false; 2],
                verdict: agreed,
            },
        };
        self.conclude_or_wait(pair, dispute);
        Ok(())
    }

    /// An agreement ends the epoch at once if it books no debt, else when the time is over [M16].
    fn conclude_or_wait(&mut self, pair: Pair, dispute: Dispute) {
        self.put_dispute(pair, dispute);
        let mut fork = self.clone();
        let outcomes = fork.conclude(pair);
        if outcomes.iter().all(|outcome| outcome.booked == 0) {
            *self = fork;
        }
    }

    /// The offdelta of an asset that this dispute ends with, locks included.
    pub(super) fn offdelta(&self, dispute: &Dispute, asset: AssetId) -> i128 {
        if let Verdict::Agreed(offdeltas) = &dispute.verdict {
            return offdeltas.get(&asset).copied().unwrap_or_default();
        }
        let paid = |side: Side| {
            let stored = dispute.stored[side.index()].as_ref();
            let paid = stored.map_or(0, |stored| self.counted(&stored.simplex, asset));
            signed_amount(paid).expect("bounded by two limits")
        };
        paid(Side::Right) - paid(Side::Left)
    }

    /// Whether the secret of `lock` came in time.
    pub(super) fn counts(&self, lock: &super::Lock) -> bool {
        self.revealed(lock.hash).is_some_and(|secret| secret.revealed_at <= lock.expiry)
    }

    /// What a simplex has paid of an asset: sent, and the locks revealed in time.
    pub(super) fn counted(&self, simplex: &Simplex, asset: AssetId) -> Amount {
        simplex.entry(asset).map_or(0, |entry| {
            let locks: Amount =
                entry.locks.iter().filter(|lock| self.counts(lock)).map(|lock| lock.amount).sum();
            entry.sent + locks
        })
    }
}
