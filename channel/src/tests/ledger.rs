//! A small chain for one pair and one asset: blocks, forks, disputes, closes, withdrawals, late
//! claims (`protocol.md` §2, §5). It judges by the functions of the shared rules, as the pallet does.

use super::*;
use failsafe_primitives::{
    evidence::{
        late_amount, latest_expiry_at_start, latest_expiry_in_counter, resolve_at, EvidenceRules,
    },
    signature,
    simplex::Entry,
    split, BlockNumber, ChannelContext, Clock, Close, Epoch, Evidence, Nonce, Pair, Split,
    TwiceSigned, Withdrawal,
};

/// Time to respond.
pub(crate) const DELAY: Clock = 8;
/// How long late claims are taken.
const LATE: Clock = 200;
const LOCK_WINDOW: Clock = 20;

/// A transaction of one of the two.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    Channel(ChainAction),
    CounterFor(Vec<TwiceSigned>),
    Accept,
    Withdraw(Withdrawal, MultiSignature),
    /// Collateral for a side.
    Deposit(Side, Balance),
}

#[derive(Clone, Debug)]
struct Dispute {
    starter: Option<Side>,
    start: Clock,
    opened_in: BlockNumber,
    resolve_at: Clock,
    settled: bool,
    close: Option<Close>,
    presented: [Option<Presented>; 2],
}

#[derive(Clone, Debug)]
struct OldEpoch {
    epoch: Epoch,
    at: Clock,
    counted: [Balance; 2],
}

/// How right came out of an epoch.
#[derive(Clone, Debug)]
pub(crate) struct EpochEnd {
    pub epoch: Epoch,
    /// What left owed it beyond the collateral.
    pub uninsured: Balance,
    /// What counted as paid by left and by right; `None` when both agreed.
    pub counted: Option<[Balance; 2]>,
}

/// What the chain keeps after a block.
#[derive(Clone, Debug)]
pub(crate) struct PairState {
    pub epoch: Epoch,
    pub row: Collateral,
    nonces: [Nonce; 2],
    dispute: Option<Dispute>,
    old: Vec<OldEpoch>,
    /// What each side has got out of the channel, with what the other owes it for good.
    pub wealth: [i128; 2],
    /// What has been deposited for each side.
    pub deposited: [i128; 2],
    /// Right's part in the epochs that are over.
    pub ends: Vec<EpochEnd>,
}

#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// Names the block: forks have blocks of the same height.
    pub id: u64,
    pub at: Moment,
    /// Whether it concerns the pair.
    pub touched: bool,
    pub state: PairState,
}

pub(crate) struct Ledger {
    genesis: H256,
    pair: Pair,
    /// The best chain.
    blocks: Vec<Block>,
    next_id: u64,
}

impl Ledger {
    pub fn new(pair: Pair, insurance: Balance, ondelta: i128) -> Self {
        let right = i128::try_from(insurance).unwrap() - ondelta;
        let state = PairState {
            epoch: 0,
            row: Collateral { insurance, ondelta },
            nonces: [0, 0],
            dispute: None,
            old: vec![],
            wealth: [0, 0],
            deposited: [ondelta, right],
            ends: vec![],
        };
        let first = Block { id: 0, at: Moment { block: 10, clock: 10 }, touched: true, state };
        Self { genesis: GENESIS, pair, blocks: vec![first], next_id: 1 }
    }

    pub fn best(&self) -> &Block {
        self.blocks.last().unwrap()
    }

    /// The block of this height.
    pub fn at(&self, height: BlockNumber) -> &Block {
        let first = self.blocks[0].at.block;
        &self.blocks[usize::try_from(height - first).unwrap()]
    }

    /// Blocks above `height`, oldest first.
    pub fn above(&self, height: BlockNumber) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| block.at.block > height)
    }

    /// Takes the best blocks above `height` back.
    pub fn revert(&mut self, height: BlockNumber) {
        self.blocks.retain(|block| block.at.block <= height);
    }

    /// A block on top of the best one. A full one does not move the clock.
    pub fn mine(&mut self, full: bool, calls: &[(Side, Call)]) {
        let mut block = self.best().clone();
        block.id = self.next_id;
        self.next_id += 1;
        block.at.block += 1;
        block.at.clock += u64::from(!full);
        block.touched = block.state.resolve_due(block.at.clock);
        for (from, call) in calls {
            let ok = self.apply(&mut block.state, block.at, *from, call).is_some();
            block.touched |= ok;
        }
        self.blocks.push(block);
    }

    fn context(&self, epoch: Epoch) -> ChannelContext {
        ChannelContext { genesis_hash: self.genesis, pair: self.pair.clone(), epoch }
    }

    fn check(
        &self,
        epoch: Epoch,
        latest_expiry: Clock,
        f: impl FnOnce(
            &EvidenceRules<'_>,
        ) -> Result<[Option<Presented>; 2], failsafe_primitives::EvidenceError>,
    ) -> Option<[Option<Presented>; 2]> {
        let channel = &self.context(epoch);
        f(&EvidenceRules { channel, latest_expiry, max_locks: 64 }).ok()
    }

    fn apply(&self, state: &mut PairState, at: Moment, from: Side, call: &Call) -> Option<()> {
        match call {
            Call::Channel(ChainAction::Dispute { epoch, evidence }) => {
                if *epoch != state.epoch {
                    return None;
                }
                if state.dispute.is_some() {
                    return self.counter(state, at.clock, from, evidence.clone());
                }
                let empty = evidence.theirs.is_none() && evidence.ours.is_none();
                if empty && state.row.is_empty() {
                    return None;
                }
                let latest = latest_expiry_at_start(at.clock, LOCK_WINDOW);
                let presented =
                    self.check(*epoch, latest, |rules| rules.check(evidence.clone(), from, true))?;
                let resolve_at = resolve_at(at.clock, DELAY, simplexes(&presented));
                let (starter, settled, close) = (Some(from), false, None);
                let (start, opened_in) = (at.clock, at.block);
                state.dispute = Some(Dispute {
                    starter,
                    start,
                    opened_in,
                    resolve_at,
                    settled,
                    close,
                    presented,
                });
                Some(())
            },
            Call::Channel(ChainAction::Counter { evidence }) => {
                self.counter(state, at.clock, from, evidence.clone())
            },
            Call::CounterFor(simplexes) => {
                let (epoch, latest) = state.countered(at.clock, None)?;
                let simplexes = simplexes.clone();
                let presented =
                    self.check(epoch, latest, |rules| rules.check_twice_signed(simplexes))?;
                state.replace(presented);
                Some(())
            },
            Call::Accept => {
                let dispute = state.dispute.as_mut()?;
                if dispute.settled || dispute.starter == Some(from) {
                    return None;
                }
                dispute.settled = true;
                state.settle(at.clock);
                Some(())
            },
            Call::Channel(ChainAction::Close { close, signature }) => {
                let message = self.context(state.epoch).close_message(close);
                let partner = self.pair.account(from.other());
                let good = close.validate().is_ok() && at.clock <= close.valid_until;
                if !good || !signature::verify(signature, &message, partner) {
                    return None;
                }
                let dispute = state.dispute.get_or_insert(Dispute {
                    starter: None,
                    start: at.clock,
                    opened_in: at.block,
                    resolve_at: at.clock + DELAY,
                    settled: true,
                    close: None,
                    presented: [None, None],
                });
                (dispute.settled, dispute.close) = (true, Some(close.clone()));
                state.settle(at.clock);
                Some(())
            },
            Call::Channel(ChainAction::LateClaim { epoch, simplex, signature }) => {
                let payer = from.other();
                let message = self.context(*epoch).simplex_message(payer, simplex);
                let old = state.old.iter_mut().find(|old| old.epoch == *epoch)?;
                if at.clock > old.at + LATE || !signature.verify(&message, self.pair.account(payer))
                {
                    return None;
                }
                let counted = &mut old.counted[payer.index()];
                let sent = Entry::sent(FRD, simplex.sent(FRD));
                let amount = late_amount(&sent, *counted, &[]);
                *counted += amount;
                state.move_wealth(payer, amount);
                (amount > 0).then_some(())
            },
            Call::Withdraw(withdrawal, proof) => {
                let nonce = &mut state.nonces[from.index()];
                let message = self.context(state.epoch).withdrawal_message(from, withdrawal);
                let partner = self.pair.account(from.other());
                let good = withdrawal.validate().is_ok()
                    && withdrawal.withdrawal_nonce == *nonce
                    && at.clock <= withdrawal.valid_until
                    && signature::verify(proof, &message, partner);
                let [item] = &withdrawal.items[..] else { return None };
                if !good || item.asset != FRD {
                    return None;
                }
                let most = item.max_from_balance;
                let (row, sources) = state.row.withdraw(from, item.amount, most, most).ok()?;
                *nonce += 1;
                state.row = row;
                let insured = i128::try_from(sources.from_insurance).unwrap();
                state.wealth[from.index()] += insured;
                state.move_wealth(from.other(), sources.from_balance);
                Some(())
            },
            Call::Deposit(side, amount) => {
                state.row = state.row.deposit(*side, *amount).ok()?;
                state.deposited[side.index()] += i128::try_from(*amount).unwrap();
                Some(())
            },
        }
    }

    fn counter(
        &self,
        state: &mut PairState,
        clock: Clock,
        from: Side,
        evidence: Evidence,
    ) -> Option<()> {
        let (epoch, latest) = state.countered(clock, Some(from))?;
        let presented = self.check(epoch, latest, |rules| rules.check(evidence, from, false))?;
        state.replace(presented);
        Some(())
    }
}

fn simplexes(presented: &[Option<Presented>; 2]) -> impl Iterator<Item = &Simplex> {
    presented.iter().flatten().map(|presented| &presented.simplex)
}

impl PairState {
    /// Epoch and latest expiry for a counter of `from` (`None`: anybody), if one is taken.
    fn countered(&self, clock: Clock, from: Option<Side>) -> Option<(Epoch, Clock)> {
        let dispute = self.dispute.as_ref()?;
        let spoken = from.is_some() && dispute.starter == from;
        if dispute.settled || clock >= dispute.resolve_at || spoken {
            return None;
        }
        Some((self.epoch, latest_expiry_in_counter(dispute.start, LOCK_WINDOW)))
    }

    fn replace(&mut self, presented: [Option<Presented>; 2]) {
        let Some(dispute) = &mut self.dispute else { return };
        for (stored, new) in dispute.presented.iter_mut().zip(presented) {
            if let Some(new) = new {
                new.bring(stored);
            }
        }
        let due = resolve_at(dispute.start, DELAY, simplexes(&dispute.presented));
        dispute.resolve_at = dispute.resolve_at.max(due);
    }

    /// What each side has paid by the dispute.
    fn counted(dispute: &Dispute) -> [Balance; 2] {
        let paid = |presented: &Option<Presented>| {
            presented.as_ref().map_or(0, |presented| presented.simplex.sent(FRD))
        };
        dispute.presented.each_ref().map(paid)
    }

    /// Who gets what by a dispute now.
    fn shares(&self, dispute: &Dispute) -> Split {
        let [left, right] = Self::counted(dispute);
        let offdelta = match &dispute.close {
            Some(close) => close.offdelta(FRD),
            None => failsafe_primitives::delta(0, left, right).unwrap(),
        };
        split(self.row.insurance, self.row.ondelta + offdelta)
    }

    /// Carries a settled dispute out if it books no debt.
    fn settle(&mut self, clock: Clock) {
        let Some(dispute) = &self.dispute else { return };
        let shares = self.shares(dispute);
        if shares.left_owes == 0 && shares.right_owes == 0 {
            self.carry_out(clock);
        }
    }

    fn resolve_due(&mut self, clock: Clock) -> bool {
        let due = self.dispute.as_ref().is_some_and(|dispute| clock >= dispute.resolve_at);
        if due {
            self.carry_out(clock);
        }
        due
    }

    fn carry_out(&mut self, clock: Clock) {
        let Some(dispute) = self.dispute.take() else { return };
        let shares = self.shares(&dispute);
        for side in [Side::Left, Side::Right] {
            self.wealth[side.index()] += i128::try_from(shares.insured(side)).unwrap();
            self.move_wealth(side, shares.owes(side));
        }
        let counted = Self::counted(&dispute);
        self.ends.push(EpochEnd {
            epoch: self.epoch,
            uninsured: shares.uninsured(Side::Right),
            counted: dispute.close.is_none().then_some(counted),
        });
        if dispute.close.is_none() {
            self.old.push(OldEpoch { epoch: self.epoch, at: clock, counted });
        }
        self.epoch += 1;
        self.nonces = [0, 0];
        self.row = Collateral::default();
    }

    /// `from` pays, or will owe, so much.
    fn move_wealth(&mut self, from: Side, amount: Balance) {
        let amount = i128::try_from(amount).unwrap();
        self.wealth[from.index()] -= amount;
        self.wealth[from.other().index()] += amount;
    }

    /// What the runtime would answer about the pair.
    pub fn facts(&self, pair: &Pair, at: Moment) -> PairFacts {
        let mut facts = PairFacts::unknown(pair.left(), pair.right(), at).unwrap();
        facts.view.epoch = self.epoch;
        facts.view.withdrawal_nonces = self.nonces;
        if !self.row.is_empty() {
            facts.view.collateral = vec![(FRD, self.row)];
        }
        facts.view.dispute = self.dispute.as_ref().map(|dispute| DisputeView {
            starter: dispute.starter,
            start: dispute.start,
            opened_in: dispute.opened_in,
            resolve_at: dispute.resolve_at,
            settled: dispute.settled,
            presented: dispute.presented.clone(),
            digest: H256::zero(),
        });
        let open = self.old.iter().rev().filter(|old| at.clock <= old.at + LATE);
        let view = |old: &OldEpoch| {
            let list = |amount: Balance| if amount > 0 { vec![(FRD, amount)] } else { vec![] };
            OldEpochView {
                epoch: old.epoch,
                at: old.at,
                counted: old.counted.map(list),
                locks: Default::default(),
            }
        };
        facts.view.old_epochs = open.map(view).collect();
        facts
    }
}
