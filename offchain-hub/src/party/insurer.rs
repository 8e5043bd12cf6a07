//! A hub's rebalancing, step by step (`protocol.md` §8).
//!
//! A round reads the hub's on-chain balances, asks spenders for withdrawal proofs, waits for them,
//! and submits one batch of what is still true. A new round begins only when the batch of the last
//! one is final, so nothing is insured twice, also across restarts. Spenders who owe a proof for
//! longer than the grace period are taken to the chain.

use super::{
    command::{Answer, CommandError, Reply},
    core::{Action, Core, Output, PROOF_VALIDITY},
    policy::Role,
};
use crate::{
    chain::{
        submit::{Outcome, Record},
        Call, Intent,
    },
    rebalance::{self, Ask, Insure, Plan, Position, Snapshot},
    store::Table,
};
use codec::Encode;
use failsafe_channel::Refusal;
use failsafe_primitives::{view::BalanceView, AccountId, AssetId, Balance};
use sp_runtime::MultiSignature;
use std::collections::{BTreeMap, BTreeSet};
use tracing::{info, warn};

/// Pause after a round that came to nothing.
const RETRY_MS: u64 = 5_000;

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
}

impl Insurer {
    /// After a restart; `submitting` is the batch that is still on its way.
    pub(super) fn load(wanted: BTreeMap<AccountId, u64>, submitting: Option<u64>) -> Self {
        let round = submitting.map_or(Round::Idle, |number| Round::Submitting { number });
        Self { round, next_at: None, spendable: BTreeMap::new(), replies: vec![], wanted }
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
        self.insurer.round = Round::Reading { dry_run };
        let assets = self.policy.rebalance.rules.keys().copied().collect();
        out.actions.push(Action::ReadBalances(assets));
    }

    /// The balances are there: plan, and ask for proofs.
    pub(super) fn insurer_balances(&mut self, balances: Vec<BalanceView>, out: &mut Output) {
        let Round::Reading { dry_run } = self.insurer.round else { return };
        self.insurer.spendable =
            balances.into_iter().map(|view| (view.asset, view.spendable)).collect();
        let plan = rebalance::plan(&self.snapshot());
        if dry_run {
            self.insurer.round = Round::Idle;
            for reply in std::mem::take(&mut self.insurer.replies) {
                out.reply(reply, Ok(Answer::Plan(plan.clone())));
            }
            return;
        }
        let mut open = BTreeSet::new();
        for (partner, items) in by_partner(&plan.asks) {
            match self.is_open(&partner) {
                Ok(true) => {
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
    }

    /// A spender owes nothing any more.
    pub(super) fn insurer_forget(&mut self, partner: &AccountId, out: &mut Output) {
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
        info!(withdrawals = plan.withdrawals.len(), deposits = plan.deposits.len(), "rebalancing");
        let record = Record::new(Intent::Rebalance, Call::Batch { actions });
        let number = self.submit(record, None, out);
        self.insurer.round = Round::Submitting { number };
    }

    fn actions_of(&self, plan: &Plan) -> Vec<Call> {
        let now = self.finalized.clock;
        let proofs = plan.withdrawals.iter().collect::<BTreeSet<_>>();
        let withdrawals = proofs.into_iter().filter_map(|partner| {
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

    /// The batch of a round has come to its end.
    pub(super) fn insurer_done(&mut self, number: u64, outcome: &Outcome, out: &mut Output) {
        if !matches!(self.insurer.round, Round::Submitting { number: n } if n == number) {
            return;
        }
        let (answer, pause) = match outcome {
            Outcome::Done { block } => (Ok(Answer::OnChain(*block)), None),
            Outcome::Failed { error, .. } => {
                (Err(CommandError::Chain(error.clone())), Some(RETRY_MS))
            },
            Outcome::Rejected { reason } => {
                (Err(CommandError::Chain(reason.clone())), Some(RETRY_MS))
            },
            Outcome::Pointless => (Err(CommandError::Pointless), Some(RETRY_MS)),
        };
        self.insurer_finish(answer, pause, out);
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
                let Some(every) = self.policy.rebalance.every_ms else { return };
                let next =
                    *self.insurer.next_at.get_or_insert_with(|| self.now_ms.saturating_add(every));
                if self.now_ms >= next && self.is_fresh() {
                    self.insurer_read(false, out);
                }
            },
            Round::Reading { .. } | Round::Asking { .. } | Round::Submitting { .. } => {},
        }
        self.dispute_absent(out);
    }

    /// Takes spenders to the chain who have owed a proof for too long.
    fn dispute_absent(&mut self, out: &mut Output) {
        let Some(grace) = self.policy.rebalance.absent_grace_ms else { return };
        let overdue: Vec<AccountId> = self
            .insurer
            .wanted
            .iter()
            .filter(|(_, since)| self.now_ms.saturating_sub(**since) >= grace)
            .map(|(partner, _)| partner.clone())
            .collect();
        for partner in overdue {
            // Until a new epoch begins or a proof comes, it is tried again after the next grace
            // period: a dispute can fail, for instance for want of a fee.
            out.batch.put(Table::Wanted, partner.encode(), self.now_ms.encode());
            self.insurer.wanted.insert(partner.clone(), self.now_ms);
            warn!(%partner, "a spender stays away: disputing");
            if let Err(problem) = self.try_channel(&partner, out, |channel, _| channel.dispute()) {
                warn!(%partner, %problem, "cannot dispute");
            }
        }
    }

    /// All channels that take updates, as the planner sees them.
    fn snapshot(&self) -> Snapshot {
        let mut positions = vec![];
        for (partner, entry) in &self.entries {
            if entry.channel.frozen().is_some() {
                continue;
            }
            for asset in self.policy.rebalance.rules.keys() {
                positions.push(self.position(partner, *asset));
            }
        }
        positions.sort_by(|a, b| (a.asset, &a.partner).cmp(&(b.asset, &b.partner)));
        Snapshot {
            positions,
            spendable: self.insurer.spendable.clone(),
            rules: self.policy.rebalance.rules.clone(),
        }
    }

    fn position(&self, partner: &AccountId, asset: AssetId) -> Position {
        let entry = &self.entries[partner];
        let summary = entry.channel.asset_summary(asset);
        let free = |proof: &MultiSignature| !self.calls.values().any(|c| c.call.uses(proof));
        let live = entry.channel.live_proof(self.finalized.clock).filter(|(_, proof)| free(proof));
        let proof = live.map_or(0, |(withdrawal, _)| {
            let item = withdrawal.items.iter().find(|item| item.asset == asset);
            item.map_or(0, |item| item.amount)
        });
        // A partner that has asked is insured whatever its threshold is.
        let insure_above =
            if entry.insure.contains(&asset) { Some(0) } else { summary.partner_insure_above };
        Position {
            partner: partner.clone(),
            asset,
            epoch: entry.channel.epoch(),
            uninsured: summary.partner_uninsured,
            insure_above,
            withdrawable: entry.channel.can_withdraw(asset).unwrap_or_default(),
            proof,
        }
    }
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
