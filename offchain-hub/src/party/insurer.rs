//! A hub's rebalancing, step by step (`protocol.md` §8).
//!
//! A round reads the hub's on-chain balances, asks spenders for withdrawal proofs, waits for them,
//! and submits one batch of what is still true. A new round begins only when the batch of the last
//! one is final, so nothing is insured twice, also across restarts. Spenders who owe a proof for
//! longer than the grace period are taken to the chain; who is there by then is asked once more.

use super::{
    command::{Answer, CommandError, Reply},
    consent,
    core::{Action, Core, Entry, Output, PROOF_VALIDITY},
    policy::Role,
};
use crate::{
    chain::{
        submit::{Outcome, Record},
        Call, Intent,
    },
    rebalance::{
        self,
        retry::{Content, Retry, RETRY_MS},
        Ask, Insure, Plan, Position, Snapshot,
    },
    store::Table,
};
use codec::Encode;
use failsafe_channel::{Channel, Refusal};
use failsafe_primitives::{view::BalanceView, AccountId, AssetId, Balance};
use std::collections::{BTreeMap, BTreeSet};
use tracing::{info, warn};

/// How long partners have to come back after a start before any of them is disputed.
const RETURN_MS: u64 = 60_000;

/// Where a round stands.
#[derive(Debug)]
enum Round {
    /// None is under way.
    Idle,
    /// Balances are being read.
    Reading { dry_run: bool },
    /// Proofs are awaited.
    Asking { until: u64, open: BTreeSet<AccountId> },
    /// A batch is on its way.
    Submitting { number: u64 },
}

/// What the chain has skipped of a batch.
#[derive(Default)]
struct Skipped {
    /// Deposits that were not made.
    unmade: Vec<(AccountId, AssetId)>,
    /// What is to blame for it.
    to_blame: Content,
}

/// The state of a hub's rebalancing.
#[derive(Debug)]
pub struct Insurer {
    round: Round,
    next_at: Option<u64>,
    spendable: BTreeMap<AssetId, Balance>,
    /// Who waits for the round to end.
    replies: Vec<Reply>,
    /// Since when spenders owe a proof.
    wanted: BTreeMap<AccountId, u64>,
    /// Those of them who are there after the grace period: whether they were asked again.
    again: BTreeMap<AccountId, bool>,
    /// What is in the batch on its way.
    content: Content,
    /// Insurance of those who are to be insured, before the batch.
    before: BTreeMap<(AccountId, AssetId), Balance>,
    /// Whether more was to be done than it does.
    cut: bool,
    retry: Retry,
    /// Time of the first tick.
    up_since: Option<u64>,
}

impl Insurer {
    /// After a restart; `submitting` is the batch that is still on its way.
    pub(super) fn load(wanted: BTreeMap<AccountId, u64>, submitting: Option<u64>) -> Self {
        let round = submitting.map_or(Round::Idle, |number| Round::Submitting { number });
        Self {
            round,
            next_at: None,
            spendable: BTreeMap::new(),
            replies: vec![],
            wanted,
            again: BTreeMap::new(),
            content: Content::default(),
            before: BTreeMap::new(),
            cut: false,
            retry: Retry::default(),
            up_since: None,
        }
    }

    /// Where the round stands, in a word.
    pub(super) fn describe(&self) -> String {
        match &self.round {
            Round::Idle => "idle".into(),
            Round::Reading { .. } => "reading".into(),
            Round::Asking { .. } => "asking".into(),
            Round::Submitting { .. } => "submitting".into(),
        }
    }
}

impl Core {
    pub(super) fn insurer_command(&mut self, dry_run: bool, reply: Reply, out: &mut Output) {
        if self.policy.role != Role::Hub {
            return out.reply(reply, Err(CommandError::NotAHub));
        }
        if !matches!(self.insurer.round, Round::Idle) {
            return out.reply(reply, Err(CommandError::Busy("a rebalance")));
        }
        self.insurer.replies.push(reply);
        self.insurer_read(dry_run, out);
    }

    fn insurer_read(&mut self, dry_run: bool, out: &mut Output) {
        if !dry_run {
            self.insurer.next_at = None;
        }
        self.insurer.round = Round::Reading { dry_run };
        let assets = self.policy.rebalance.rules.keys().copied().collect();
        out.actions.push(Action::ReadBalances(assets));
    }

    /// The balances are there: plan, and ask for proofs.
    pub(super) fn insurer_balances(&mut self, balances: Vec<BalanceView>, out: &mut Output) {
        let Round::Reading { dry_run } = self.insurer.round else { return };
        let rules = &self.policy.rebalance.rules;
        let part = |view: BalanceView| {
            let reserve = rules.get(&view.asset).map_or(0, |rules| rules.reserve);
            (view.asset, self.part_of_funds(view.spendable, reserve))
        };
        self.insurer.spendable = balances.into_iter().map(part).collect();
        let plan = rebalance::plan(&self.snapshot());
        if dry_run {
            self.insurer.round = Round::Idle;
            for reply in std::mem::take(&mut self.insurer.replies) {
                out.reply(reply, Ok(Answer::Plan(plan.clone())));
            }
            return;
        }
        self.forget_unneeded(&plan, out);
        let mut open = BTreeSet::new();
        for (partner, items) in by_partner(&plan.asks) {
            match self.is_open(&partner) {
                Ok(true) => {
                    if let Some(asked) = self.insurer.again.get_mut(&partner) {
                        *asked = true;
                    }
                    let asked = self.try_channel(&partner, out, |channel, ctx| {
                        channel.reserve(ctx, items, PROOF_VALIDITY)
                    });
                    match asked {
                        Ok(()) => {
                            open.insert(partner);
                        },
                        Err(problem) => {
                            info!(%partner, %problem, "cannot ask for a proof");
                            let stalling = matches!(
                                problem,
                                CommandError::Refused(Refusal::Paused | Refusal::TooManyUnacked(_))
                            );
                            // It is there, and yet keeps us from asking.
                            if stalling {
                                self.want(&partner, out);
                            }
                        },
                    }
                },
                Ok(false) => self.want(&partner, out),
                Err(_) => {},
            }
        }
        if open.is_empty() {
            return self.insurer_submit(out);
        }
        let until = self.now_ms.saturating_add(self.policy.rebalance.proof_timeout_ms);
        self.insurer.round = Round::Asking { until, open };
    }

    /// A proof has come.
    pub(super) fn insurer_proof(&mut self, partner: &AccountId, out: &mut Output) {
        self.insurer_forget(partner, out);
        self.insurer_answered(partner, out);
    }

    /// A proof was refused.
    pub(super) fn insurer_refused(&mut self, partner: &AccountId, out: &mut Output) {
        if matches!(&self.insurer.round, Round::Asking { open, .. } if open.contains(partner)) {
            self.want(partner, out);
            self.insurer_answered(partner, out);
        }
    }

    fn insurer_answered(&mut self, partner: &AccountId, out: &mut Output) {
        if let Round::Asking { open, .. } = &mut self.insurer.round {
            open.remove(partner);
            if open.is_empty() {
                self.insurer_submit(out);
            }
        }
    }

    /// Remembers, durably, that a spender owes a proof.
    fn want(&mut self, partner: &AccountId, out: &mut Output) {
        let now = self.now_ms;
        let since = *self.insurer.wanted.entry(partner.clone()).or_insert(now);
        if since == now {
            out.batch.put(Table::Wanted, partner.encode(), since.encode());
        }
        if self.insurer.again.get(partner) == Some(&true) {
            warn!(%partner, "a spender gives no proof after the grace period either: disputing");
            self.dispute_spender(partner, out);
        }
    }

    /// Spenders who are there and from whom the plan wants nothing owe nothing. Of those who are
    /// away the hub may have paid the part itself: it still wants it back.
    fn forget_unneeded(&mut self, plan: &Plan, out: &mut Output) {
        let mut needed = plan.awaited.clone();
        needed.extend(plan.asks.iter().map(|ask| ask.partner.clone()));
        let unneeded: Vec<AccountId> = self
            .insurer
            .wanted
            .keys()
            .filter(|partner| !needed.contains(partner) && self.is_there(partner))
            .cloned()
            .collect();
        for partner in unneeded {
            self.insurer_forget(&partner, out);
        }
    }

    fn is_there(&self, partner: &AccountId) -> bool {
        self.entries.get(partner).is_some_and(|entry| entry.session.is_some())
    }

    /// The pause between rounds has changed.
    pub(super) fn insurer_reschedule(&mut self) {
        self.insurer.next_at = None;
    }

    /// A spender owes nothing any more.
    pub(super) fn insurer_forget(&mut self, partner: &AccountId, out: &mut Output) {
        self.insurer.again.remove(partner);
        if self.insurer.wanted.remove(partner).is_some() {
            out.batch.delete(Table::Wanted, partner.encode());
        }
    }

    /// Submits what the proofs at hand allow.
    fn insurer_submit(&mut self, out: &mut Output) {
        let plan = rebalance::plan(&self.snapshot());
        let actions = self.actions_of(&plan);
        if plan.deposits.is_empty() || actions.is_empty() {
            return self.insurer_finish(Ok(Answer::Plan(plan)), None, out);
        }
        let deposits: Vec<_> =
            plan.deposits.iter().map(|to| (to.partner.clone(), to.asset)).collect();
        self.insurer.before = deposits.iter().map(|to| (to.clone(), self.insurance(to))).collect();
        self.insurer.content = Content { withdrawals: plan.withdrawals.clone(), deposits };
        self.insurer.cut = plan.cut;
        info!(withdrawals = plan.withdrawals.len(), deposits = plan.deposits.len(), "rebalancing");
        let call = if self.policy.rebalance.skip_failed {
            Call::BatchSkipping { actions }
        } else {
            Call::Batch { actions }
        };
        let record = Record::new(Intent::Rebalance, call);
        let number = self.submit(record, None, out);
        self.insurer.round = Round::Submitting { number };
    }

    fn actions_of(&self, plan: &Plan) -> Vec<Call> {
        let now = self.finalized.clock;
        let withdrawals = plan.withdrawals.iter().filter_map(|partner| {
            let (withdrawal, proof) = self.entries.get(partner)?.channel.live_proof(now)?.clone();
            Some(Call::Withdraw { partner: partner.clone(), withdrawal, proof })
        });
        let deposits =
            plan.deposits.iter().map(|Insure { partner, asset, amount, epoch }| Call::Deposit {
                asset: *asset,
                amount: *amount,
                beneficiary: self.me.clone(),
                partner: partner.clone(),
                epoch: Some(*epoch),
            });
        withdrawals.chain(deposits).collect()
    }

    fn insurance(&self, (partner, asset): &(AccountId, AssetId)) -> Balance {
        let entry = self.entries.get(partner);
        entry.map_or(0, |entry| entry.channel.state().facts.collateral(*asset).insurance)
    }

    /// What the chain has skipped of a batch that is final.
    fn skipped(&mut self, content: Content) -> Skipped {
        let before = std::mem::take(&mut self.insurer.before);
        if !self.policy.rebalance.skip_failed {
            return Skipped::default();
        }
        let Content { mut withdrawals, mut deposits } = content;
        withdrawals.retain(|partner| {
            let entry = self.entries.get(partner);
            entry.is_some_and(|entry| self.unused_proof(&entry.channel).is_some())
        });
        deposits.retain(|to| before.get(to).is_some_and(|was| self.insurance(to) <= *was));
        let unmade = deposits.clone();
        if !withdrawals.is_empty() {
            // The money of a proof was missing.
            deposits.clear();
        }
        Skipped { unmade, to_blame: Content { withdrawals, deposits } }
    }

    /// Whether a batch is on its way.
    pub(super) fn insurer_submits(&self) -> bool {
        matches!(self.insurer.round, Round::Submitting { .. })
    }

    /// The batch of a round has come to its end.
    pub(super) fn insurer_done(
        &mut self,
        number: u64,
        call: &Call,
        outcome: &Outcome,
        out: &mut Output,
    ) {
        if !matches!(self.insurer.round, Round::Submitting { number: n } if n == number) {
            return;
        }
        let now = self.now_ms;
        let content = std::mem::take(&mut self.insurer.content);
        let cut = std::mem::take(&mut self.insurer.cut);
        let skipped = self.skipped(content.clone());
        if matches!(outcome, Outcome::Done { .. }) {
            let made = consent::deposits_of(call);
            for deposit in made.iter().filter(|made| !skipped.unmade.contains(made)) {
                self.request_fulfilled(deposit, out);
            }
        }
        let skipped = skipped.to_blame;
        let retry = &mut self.insurer.retry;
        let (answer, pause) = match outcome {
            Outcome::Done { block } => {
                retry.succeeded();
                retry.leave_out(&skipped, now);
                (Ok(Answer::OnChain(*block)), None)
            },
            Outcome::Failed { error, .. } => {
                let pause = retry.failed(&content, Some(error), now);
                (Err(CommandError::Chain(error.clone())), Some(pause))
            },
            Outcome::Rejected { reason } => {
                let pause = retry.failed(&content, None, now);
                (Err(CommandError::Chain(reason.clone())), Some(pause))
            },
            // The next round begins from what is final.
            Outcome::Unknown { reason } => {
                (Err(CommandError::Uncertain(reason.clone())), Some(RETRY_MS))
            },
            Outcome::Pointless => (Err(CommandError::Pointless), Some(RETRY_MS)),
        };
        self.insurer_finish(answer, pause, out);
        if cut && matches!(outcome, Outcome::Done { .. }) {
            // The rest follows at once, also of a round that a person started.
            let pause = self.policy.rebalance.every_ms.unwrap_or(RETRY_MS).min(RETRY_MS);
            self.insurer.next_at = Some(now.saturating_add(pause));
        }
    }

    fn insurer_finish(
        &mut self,
        answer: Result<Answer, CommandError>,
        pause: Option<u64>,
        out: &mut Output,
    ) {
        self.insurer.round = Round::Idle;
        self.insurer.next_at = self
            .policy
            .rebalance
            .every_ms
            .map(|every| self.now_ms.saturating_add(pause.unwrap_or(every)));
        let mut answer = Some(answer);
        for reply in std::mem::take(&mut self.insurer.replies) {
            // One command starts a round, so there is one who waits.
            let answer = answer.take().unwrap_or(Ok(Answer::Done));
            out.reply(reply, answer);
        }
    }

    pub(super) fn insurer_tick(&mut self, out: &mut Output) {
        if self.policy.role != Role::Hub {
            return;
        }
        match &self.insurer.round {
            Round::Asking { until, open } if self.now_ms >= *until => {
                for partner in open.clone() {
                    self.want(&partner, out);
                }
                self.insurer_submit(out);
            },
            Round::Idle => {
                let to_ask = self.insurer.again.values().any(|asked| !asked);
                let pause = self.policy.rebalance.every_ms.or(to_ask.then_some(RETRY_MS));
                let next = pause.map(|pause| self.now_ms.saturating_add(pause));
                self.insurer.next_at = self.insurer.next_at.or(next);
                if self.insurer.next_at.is_some_and(|next| self.now_ms >= next) && self.is_fresh() {
                    self.insurer_read(false, out);
                }
            },
            Round::Reading { .. } | Round::Asking { .. } | Round::Submitting { .. } => {},
        }
        self.dispute_absent(out);
    }

    /// Takes spenders to the chain who have owed a proof for too long and are not there. Who is
    /// there is asked again in the next round.
    fn dispute_absent(&mut self, out: &mut Output) {
        let Some(grace) = self.policy.rebalance.absent_grace_ms else { return };
        let up_since = *self.insurer.up_since.get_or_insert(self.now_ms);
        if self.now_ms.saturating_sub(up_since) < grace.min(RETURN_MS) {
            return;
        }
        let overdue: Vec<AccountId> = self
            .insurer
            .wanted
            .iter()
            .filter(|(_, since)| self.now_ms.saturating_sub(**since) >= grace)
            .map(|(partner, _)| partner.clone())
            .collect();
        for partner in overdue {
            if self.is_there(&partner) {
                self.insurer.again.entry(partner).or_insert(false);
                continue;
            }
            warn!(%partner, "a spender stays away: disputing");
            self.dispute_spender(&partner, out);
        }
    }

    fn dispute_spender(&mut self, partner: &AccountId, out: &mut Output) {
        // Until a new epoch begins or a proof comes, it is tried again after the next grace
        // period: a dispute can fail, for instance for want of a fee.
        out.batch.put(Table::Wanted, partner.encode(), self.now_ms.encode());
        self.insurer.wanted.insert(partner.clone(), self.now_ms);
        self.insurer.again.remove(partner);
        if let Err(problem) = self.try_channel(partner, out, |channel, _| channel.dispute()) {
            warn!(%partner, %problem, "cannot dispute");
        }
    }

    /// All channels that take updates, as the planner sees them.
    fn snapshot(&self) -> Snapshot {
        let mut positions = vec![];
        for (partner, entry) in self.entries.look() {
            if entry.channel.frozen().is_some() || self.is_process(partner) {
                continue;
            }
            for asset in self.policy.rebalance.rules.keys() {
                positions.push(self.position(partner, &entry, *asset));
            }
        }
        positions.sort_by(|a, b| (a.asset, &a.partner).cmp(&(b.asset, &b.partner)));
        Snapshot {
            positions,
            spendable: self.insurer.spendable.clone(),
            rules: self.policy.rebalance.rules.clone(),
            limits: self.insurer.retry.limits(),
        }
    }

    fn position(&self, partner: &AccountId, entry: &Entry, asset: AssetId) -> Position {
        let summary = entry.channel.asset_summary(asset);
        let retry = &self.insurer.retry;
        let left_out = retry.leaves_proof_out(partner, self.now_ms);
        let unused = self.unused_proof(&entry.channel).filter(|_| !left_out);
        let proof = unused.map_or(0, |(withdrawal, _)| {
            let item = withdrawal.items.iter().find(|item| item.asset == asset);
            item.map_or(0, |item| item.amount)
        });
        // A partner that has asked is insured whatever its threshold is.
        let insure_above = match summary.partner_insure_above {
            _ if retry.leaves_out(partner, asset, self.now_ms) => None,
            _ if entry.insure.contains(&asset) => Some(0),
            threshold => threshold,
        };
        Position {
            partner: partner.clone(),
            asset,
            epoch: entry.channel.epoch(),
            uninsured: summary.partner_uninsured,
            insure_above,
            withdrawable: entry.channel.can_withdraw(asset).unwrap_or_default(),
            proof,
            awaited: awaited(&entry.channel, asset),
        }
    }
}

/// What we hold back for a proof that has not come.
fn awaited(channel: &Channel, asset: AssetId) -> Balance {
    let state = channel.state();
    let due = state.facts.view.withdrawal_nonces.get(state.side.index()).copied();
    let held = state.mine.reservation.as_ref().filter(|held| {
        let answered = state.proof.is_some() || state.refused == Some(held.id);
        !answered && due.is_none_or(|due| due <= held.withdrawal_nonce)
    });
    held.map_or(0, |held| held.amount(asset))
}

/// Asks of the same partner in one reservation, assets ascending.
fn by_partner(asks: &[Ask]) -> BTreeMap<AccountId, Vec<(AssetId, Balance)>> {
    let mut grouped: BTreeMap<AccountId, Vec<(AssetId, Balance)>> = BTreeMap::new();
    for ask in asks {
        grouped.entry(ask.partner.clone()).or_default().push((ask.asset, ask.amount));
    }
    for items in grouped.values_mut() {
        items.sort_unstable();
    }
    grouped
}
