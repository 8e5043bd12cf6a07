//! Peers, their channels, and what the chain says about them.

use super::{
    command::{Answer, CommandError},
    core::{is_guarded, Action, Core, Entry, Output, SessionId, MAX_EARLY, MAX_EARLY_BYTES},
    locks::LockRef,
    mode::Mode,
    policy::Policy,
};
use crate::{
    chain::{submit::Record, Call, ChainNews, Intent, Track},
    keys::AccountKey,
};
use codec::Encode;
use failsafe_channel::{
    message::Message, update::MAX_UNACKED, ChainAction, Channel, Context, Effect, Event, Fault,
    Moment, PairFacts, Refusal, Reveal,
};
use failsafe_primitives::{simplex::LockHash, view::HubView, AccountId, Epoch, Parameters};
use failsafe_routing::Hub;
use std::{collections::BTreeSet, sync::Arc};
use tracing::{debug, error, info, warn};

/// Payments of a partner that are acknowledged at once, however lazily we do it else: it can make no
/// more than [`MAX_UNACKED`] of them, and should not have to stop.
const ACK_AFTER: u64 = MAX_UNACKED as u64 / 4;

impl Core {
    // --- peers -------------------------------------------------------------------------------

    pub(super) fn on_connected(
        &mut self,
        partner: AccountId,
        session: SessionId,
        out: &mut Output,
    ) {
        if let Some(process) = self.elsewhere(&partner) {
            let reason = format!("another process of this hub has the channel: {process}");
            out.actions.push(Action::Disconnect(partner, reason));
            return;
        }
        if self.is_process(&partner) {
            self.meet_process(&partner, out);
        } else if !self.has_met_a_process() {
            let reason = "this process waits for the others of its hub".to_string();
            out.actions.push(Action::Disconnect(partner, reason));
            return;
        }
        if let Some(entry) = self.entries.get_mut(&partner) {
            entry.session = Some(session);
            let effects = entry.channel.connected();
            self.apply(&partner, effects, out);
            self.restate_terms(&partner, out);
            self.ask_delivered(&partner, out);
            self.tell_announcements(&partner, out);
            return;
        }
        if let Some(reason) = self.retires(&partner) {
            out.actions.push(Action::Disconnect(partner, reason));
            return;
        }
        if self.mode == Mode::Draining {
            let reason = "this hub takes no new partners: it is being drained".to_string();
            out.actions.push(Action::Disconnect(partner, reason));
            return;
        }
        if !self.policy.accepts(&partner) {
            let reason = "this party has channels only with hubs of its choice".to_string();
            out.actions.push(Action::Disconnect(partner, reason));
            return;
        }
        if self.entries.len() + self.pending.len() >= self.policy.max_partners {
            let reason = "this hub has no room for more partners".to_string();
            out.actions.push(Action::Disconnect(partner, reason));
            return;
        }
        self.pending.insert(partner.clone(), (session, vec![]));
        out.actions.push(Action::Track(Track::Pair(partner)));
    }

    /// Why no channel with a new partner is opened: one of the two is a hub that retires.
    fn retires(&self, partner: &AccountId) -> Option<String> {
        let at = |who| self.retiring.get(who);
        match (at(&self.me), at(partner)) {
            (Some(at), _) => Some(format!(
                "this hub retires and may leave at usable clock {at}: it takes no new partners"
            )),
            (None, Some(at)) => Some(format!(
                "that hub retires and may leave at usable clock {at}: no channel is opened with it"
            )),
            (None, None) => None,
        }
    }

    pub(super) fn on_disconnected(&mut self, partner: &AccountId, session: SessionId) {
        if self.pending.get(partner).is_some_and(|(known, _)| *known == session) {
            self.pending.remove(partner);
        }
        if let Some(entry) = self.entries.get_mut(partner) {
            if entry.session == Some(session) {
                entry.session = None;
                entry.channel.disconnected();
            }
        }
    }

    pub(super) fn on_message(
        &mut self,
        partner: AccountId,
        session: SessionId,
        message: Message,
        out: &mut Output,
    ) {
        if let Some((known, early)) = self.pending.get_mut(&partner) {
            if *known == session {
                early.push(message);
                let bytes = early.iter().map(Message::encoded_size).sum::<usize>();
                if early.len() > MAX_EARLY || bytes > MAX_EARLY_BYTES {
                    self.pending.remove(&partner);
                    let reason = "too many messages before the channel is known".to_string();
                    out.actions.push(Action::Disconnect(partner, reason));
                }
            }
            return;
        }
        let Some(entry) = self.entries.get(&partner) else { return };
        if entry.session != Some(session) {
            return;
        }
        self.with_channel(&partner, out, |channel, ctx| {
            let mut effects = channel.receive(ctx, message);
            let state = channel.state();
            let open = state.theirs.signed_nonce().saturating_sub(state.ack_sent);
            if open >= ACK_AFTER && !matches!(effects.last(), Some(Effect::Fault(_))) {
                effects.extend(channel.flush_ack(ctx));
            }
            effects
        });
    }

    /// The pair is known now: the channel of a new peer, or a pair that was asked for.
    pub(super) fn on_tracked(&mut self, facts: PairFacts, out: &mut Output) {
        let pair = facts.view.pair.clone();
        let Some(side) = pair.side_of(&self.me) else { return };
        let partner = pair.account(side.other()).clone();
        if self.entries.contains_key(&partner) || self.elsewhere(&partner).is_some() {
            return;
        }
        let mut channel = match Channel::new(self.genesis, &self.me, &partner, facts) {
            Ok(channel) => channel,
            Err(_) => return,
        };
        self.distrust_new(&mut channel);
        info!(%partner, "a new channel");
        self.entries.insert(partner.clone(), Entry::new(channel));
        self.note_risk(&partner);
        out.dirty.insert(partner.clone());
        if let Some((session, early)) = self.pending.remove(&partner) {
            self.on_connected(partner.clone(), session, out);
            for message in early {
                self.on_message(partner.clone(), session, message, out);
            }
        }
    }

    // --- channels ----------------------------------------------------------------------------

    /// Calls the engine because of a partner's message, a block or the time.
    pub(super) fn with_channel<F>(&mut self, partner: &AccountId, out: &mut Output, call: F)
    where
        F: FnOnce(&mut Channel, &Context<'_>) -> Vec<Effect>,
    {
        let key = self.key_for(partner).clone();
        let Self { entries, locks, .. } = self;
        let reveals = |hash: &LockHash| locks.reveals.get(hash).copied();
        let times = (self.finalized, self.best);
        let ctx = context(&key, times, self.parameters.as_ref(), &reveals);
        let Some(entry) = entries.get_mut(partner) else { return };
        let effects = call(&mut entry.channel, &ctx);
        self.apply(partner, effects, out);
    }

    /// A message of the partner was faulty: it is told why, and the session ends. What only a
    /// cheating or broken program sends is kept for the operator to see.
    fn on_fault(&mut self, partner: &AccountId, fault: Fault, out: &mut Output) {
        let text = fault.to_string();
        if fault.proves_cheating() {
            error!(%partner, fault = text, "the partner broke the protocol");
            if let Some(entry) = self.entries.get_mut(partner) {
                entry.fault = Some(text.clone());
            }
        } else {
            warn!(%partner, fault = text, "out of step with the partner");
        }
        if let Some(hang) = self.hanging.get_mut(partner) {
            hang.heard = self.finalized.clock;
        }
        let message =
            Message::Fault { text: text.clone().into_bytes().try_into().unwrap_or_default() };
        out.actions.push(Action::Send(partner.clone(), message));
        out.actions.push(Action::Disconnect(partner.clone(), text));
    }

    /// Calls the engine for something that we want.
    pub(super) fn try_channel<F>(
        &mut self,
        partner: &AccountId,
        out: &mut Output,
        call: F,
    ) -> Result<(), CommandError>
    where
        F: FnOnce(&mut Channel, &Context<'_>) -> Result<Vec<Effect>, Refusal>,
    {
        let key = self.key_for(partner).clone();
        let Self { entries, locks, .. } = self;
        let reveals = |hash: &LockHash| locks.reveals.get(hash).copied();
        let times = (self.finalized, self.best);
        let ctx = context(&key, times, self.parameters.as_ref(), &reveals);
        let entry = entries
            .get_mut(partner)
            .ok_or_else(|| CommandError::UnknownPartner(partner.clone()))?;
        let effects = call(&mut entry.channel, &ctx)?;
        self.apply(partner, effects, out);
        Ok(())
    }

    /// Carries the engine's effects out, events included.
    pub(super) fn apply(&mut self, partner: &AccountId, effects: Vec<Effect>, out: &mut Output) {
        for effect in effects {
            match effect {
                Effect::Persist => {
                    out.dirty.insert(partner.clone());
                },
                Effect::Send(message) => {
                    if self.entries.get(partner).is_some_and(|entry| entry.session.is_some()) {
                        out.actions.push(Action::Send(partner.clone(), message));
                    }
                },
                Effect::Submit(action) => self.submit_for_channel(partner, action, out),
                Effect::Event(event) => self.on_event(partner, event, out),
                Effect::Fault(fault) => self.on_fault(partner, fault, out),
            }
        }
        if self.is_process(partner) {
            let resumed = self.entries.get_mut(partner).map(|entry| entry.channel.resume());
            if let Some(resumed) = resumed.filter(|effects| !effects.is_empty()) {
                self.apply(partner, resumed, out);
            }
        }
        // Without a cap the next commit is early enough.
        if !self.policy.risk_caps.is_empty() {
            self.note_risk(partner);
        }
        let now = self.now_ms;
        if let Some(entry) = self.entries.get_mut(partner) {
            if !entry.channel.ack_is_due() {
                entry.ack_since = None;
            } else if entry.ack_since.is_none() {
                entry.ack_since = Some(now);
                self.acks.push_back((now, partner.clone()));
            }
            if entry.channel.signature_is_due() {
                entry.unsigned_since = entry.unsigned_since.or(Some(now));
                self.unsigned.insert(partner.clone());
            } else {
                entry.unsigned_since = None;
                self.unsigned.remove(partner);
            }
            if is_guarded(&entry.channel) {
                self.guarded.insert(partner.clone());
            } else {
                self.guarded.remove(partner);
            }
            if entry.channel.waits_for_blocks() {
                self.waiting.insert(partner.clone());
            } else {
                self.waiting.remove(partner);
            }
        }
    }

    pub(super) fn on_event(&mut self, partner: &AccountId, event: Event, out: &mut Output) {
        match event {
            Event::Received { asset, amount, purpose } => {
                self.on_received(partner, asset, amount, purpose, out)
            },
            Event::Acked { nonce } => {
                for id in self.payments.acked(partner, nonce) {
                    self.on_payment_acked(id, out);
                }
                self.relay_waiting(out);
            },
            Event::LockOffered { asset, lock, onion } => {
                self.on_lock_offered(partner, asset, lock, onion, out);
            },
            Event::LockFulfilled { lock, secret, .. } => {
                self.on_lock_fulfilled(partner, &lock, secret, out);
            },
            Event::LockFailed { lock, reason, .. } => {
                self.on_lock_failed(partner, lock.id, reason, out);
            },
            Event::LockPaid { lock, secret, .. } => {
                if let Some(outward) = self.current(partner, lock.id) {
                    self.on_lock_paid(outward, Some(secret), out);
                }
            },
            Event::LockDead { lock, .. } => {
                if let Some(outward) = self.current(partner, lock.id) {
                    self.on_lock_dead(outward, out);
                }
            },
            Event::LockSettled { asset, lock, .. } => {
                if let Some(inward) = self.current(partner, lock.id) {
                    self.on_inward_gone(inward, asset, &lock, true, out);
                }
            },
            Event::LockWithdrawn { asset, lock } => {
                if let Some(inward) = self.current(partner, lock.id) {
                    self.on_inward_gone(inward, asset, &lock, false, out);
                }
            },
            Event::LockEnded { ours, epoch, asset, lock, end } => {
                let named = LockRef { partner: partner.clone(), epoch, id: lock.id };
                self.on_lock_ended(named, ours, asset, &lock, end, out);
            },
            Event::UnsignedLost { ours: true, epoch, asset, amount } => {
                warn!(%partner, epoch, asset, amount, "the epoch ended before we had signed this");
            },
            Event::UnsignedLost { ours: false, epoch, asset, amount } => {
                error!(%partner, epoch, asset, amount, "LOST: the partner never signed this payment");
            },
            Event::Gossip { announcements } => self.on_gossip(partner, announcements, out),
            Event::Delivered { id } => self.on_delivered(partner, id, out),
            Event::DeliveredAsked { ids } => self.on_delivered_asked(partner, ids, out),
            Event::TermsChanged { asset, terms } => {
                debug!(%partner, asset, ?terms, "the partner's terms");
            },
            Event::ProofReceived { withdrawal, signature } => {
                self.on_proof(partner, withdrawal, signature, out)
            },
            Event::ProofRefused { reservation, reason } => {
                warn!(%partner, ?reason, "the partner refused a withdrawal");
                if let Some(waiting) = self.take_withdrawal(partner, reservation) {
                    out.reply(waiting.reply, Err(CommandError::PartnerRefused(reason)));
                }
                self.insurer_refused(partner, out);
            },
            Event::InsureRequested { asset } => {
                let insurable = self.policy.rebalance.rules.contains_key(&asset);
                if let Some(entry) = self.entries.get_mut(partner).filter(|_| insurable) {
                    entry.insure.insert(asset);
                }
            },
            Event::CloseRefused { reason } => {
                if let Some(reply) = self.close_replies.remove(partner) {
                    out.reply(reply, Err(CommandError::PartnerRefused(reason)));
                }
            },
            Event::Frozen { reason } => warn!(%partner, %reason, "the channel is frozen"),
            Event::Thawed => {
                info!(%partner, "the channel takes updates again");
                if let Some(reply) = self.close_replies.remove(partner) {
                    out.reply(reply, Err(CommandError::Chain("the close was not used".into())));
                }
                // The engine has ended this session; a new one repeats what it ignored.
                let reason = "the channel takes updates again: a new session begins".to_string();
                out.actions.push(Action::Disconnect(partner.clone(), reason));
            },
            Event::EpochStarted { epoch } => self.on_epoch(partner, epoch, out),
            Event::Doubted { own, partner: theirs } => {
                warn!(%partner, own, theirs, "the partner claims to know more than we do");
            },
            Event::Repaired { nonce } => {
                warn!(%partner, nonce, "our copy of the partner's payments was old: repaired");
            },
            Event::DataLost { their_view } => {
                error!(%partner, their_view, "DATA LOST: the partner knows a newer state of ours");
                self.forget_returns(partner, out);
            },
            Event::PartnerComplains { text } => {
                warn!(%partner, text, "the partner refused a message of ours");
            },
        }
    }

    pub(super) fn on_epoch(&mut self, partner: &AccountId, epoch: Epoch, out: &mut Output) {
        info!(%partner, epoch, "a new epoch");
        if self.entries.get(partner).is_some_and(|entry| entry.channel.restored()) {
            self.forget_returns(partner, out);
        }
        self.payments.forget_unacked(partner);
        if let Some(entry) = self.entries.get_mut(partner) {
            entry.insure.clear();
            entry.fault = None;
        }
        if let Some(waiting) = self.withdrawals.remove(partner) {
            out.reply(waiting.reply, Err(CommandError::Pointless));
        }
        if let Some(reply) = self.close_replies.remove(partner) {
            out.reply(reply, Ok(Answer::OnChain(self.finalized.block)));
        }
        self.insurer_forget(partner, out);
        self.restate_terms(partner, out);
    }

    /// Behaves otherwise from now on. Who has terms by default learns the new ones.
    pub(super) fn set_policy(
        &mut self,
        policy: Policy,
        out: &mut Output,
    ) -> Result<Answer, CommandError> {
        if policy.role != self.policy.role {
            return Err(CommandError::Invalid("a party keeps its role".into()));
        }
        self.peer_quota.set(policy.peer_messages_per_second);
        let known = std::mem::replace(&mut self.policy, policy);
        if known.terms != self.policy.terms || known.partners != self.policy.partners {
            // Who is away learns of it when it comes back.
            let awake = self.entries.awake().map(|(partner, _)| partner.clone());
            for partner in awake.collect::<Vec<_>>() {
                self.restate_terms(&partner, out);
            }
        }
        if known.rebalance.every_ms != self.policy.rebalance.every_ms {
            self.insurer_reschedule();
        }
        Ok(Answer::Done)
    }

    /// States the terms that are meant for `partner`, less what it owes on chain [M4]: a default line
    /// opens again only when nothing is owed. Who owes signs everything.
    pub(super) fn restate_terms(&mut self, partner: &AccountId, out: &mut Output) {
        let mut terms = if self.is_process(partner) {
            self.process_terms()
        } else {
            self.policy.terms_for(partner)
        };
        let decided = self.decided.get(partner).cloned().unwrap_or_default();
        let Some(entry) = self.entries.get_mut(partner) else { return };
        let mut effects = vec![];
        terms.extend(decided.clone());
        for (asset, mut terms) in terms {
            let owed = entry.channel.state().facts.owed(asset);
            if owed > 0 {
                let left = terms.credit.saturating_sub(owed);
                terms.credit = if decided.contains_key(&asset) { left } else { 0 };
                terms.unsigned_limit = 0;
            }
            match entry.channel.set_terms(asset, terms) {
                Ok(more) => effects.extend(more),
                Err(problem) => error!(%partner, asset, %problem, "these terms cannot be stated"),
            }
        }
        self.apply(partner, effects, out);
    }

    // --- chain -------------------------------------------------------------------------------

    pub(super) fn on_chain(&mut self, news: ChainNews, out: &mut Output) {
        match news {
            ChainNews::Tracked { facts } => self.on_tracked(facts, out),
            ChainNews::Reveals { reveals, finalized } => self.on_reveals(reveals, finalized, out),
            ChainNews::Survey { parameters, hubs, retiring } => {
                self.parameters = Some(parameters);
                // A lock of today should not outlive the hub's place in the registry.
                let soon = self.best.clock.saturating_add(parameters.lock_window);
                let stays = |hub: &&HubView| retiring.get(&hub.account).is_none_or(|at| *at > soon);
                let known = hubs.iter().filter(stays).cloned().map(|view| Hub::new(view, vec![]));
                Arc::make_mut(&mut self.graph).update_registry(known);
                self.hubs = hubs;
                self.retiring = retiring;
            },
            ChainNews::Best { moment, facts } => {
                self.best = moment;
                self.best_since = Some(self.now_ms);
                for facts in facts {
                    let Some(partner) = self.partner_of(&facts) else { continue };
                    let Some(entry) = self.entries.get_mut(&partner) else { continue };
                    let effects = entry.channel.on_best(&facts);
                    self.apply(&partner, effects, out);
                }
                self.guard_best(out);
            },
            ChainNews::Part { facts } => self.on_part(facts),
            ChainNews::Finalized { moment, facts } => self.on_finalized(moment, facts, out),
            ChainNews::Followed(place) => self.on_followed(place, out),
        }
    }

    pub(super) fn on_finalized(&mut self, moment: Moment, facts: Vec<PairFacts>, out: &mut Output) {
        self.finalized = moment;
        self.note_restore(moment, out);
        // Every channel learns of the block before anything that follows from it is done.
        let key = self.key.clone();
        let me = self.me.clone();
        let mut all = self.following.take_parts();
        all.extend(facts);
        let Self { entries, locks, .. } = self;
        let reveals = |hash: &LockHash| locks.reveals.get(hash).copied();
        let times = (self.finalized, self.best);
        let ctx = context(&key, times, self.parameters.as_ref(), &reveals);
        let mut results = vec![];
        for facts in all {
            let Some(partner) = partner_of(&me, &facts) else { continue };
            if entries.sleeps_through(&partner, &facts) {
                // After a gap all pairs are read; nearly all are as they were.
                continue;
            }
            let Some(entry) = entries.get_mut(&partner) else { continue };
            let effects = entry.channel.on_finalized(&ctx, facts);
            results.push((partner, effects));
        }
        let mut touched = BTreeSet::new();
        for (partner, effects) in results {
            self.apply(&partner, effects, out);
            // What the partner owes on chain may have changed.
            self.restate_terms(&partner, out);
            touched.insert(partner);
        }
        for partner in self.waiting.clone() {
            if !touched.contains(&partner) {
                self.with_channel(&partner, out, Channel::on_block);
            }
        }
        self.guard_finalized(out);
        self.retry_returns(out);
        if !self.insurer_submits() {
            self.end_requests(out);
        }
        self.conclude_calls(out);
    }

    pub(super) fn partner_of(&self, facts: &PairFacts) -> Option<AccountId> {
        partner_of(&self.me, facts)
    }

    pub(super) fn submit_for_channel(
        &mut self,
        partner: &AccountId,
        action: ChainAction,
        out: &mut Output,
    ) {
        let Some(entry) = self.entries.get(partner) else { return };
        if self.is_process(partner) {
            // The chain knows nothing of it.
            error!(process = %partner, ?action, "nothing comes before the chain within a hub");
            return;
        }
        let epoch = entry.channel.epoch();
        let partner = partner.clone();
        let call = match action {
            ChainAction::Dispute { epoch, evidence } => {
                Call::Dispute { partner: partner.clone(), epoch, evidence }
            },
            ChainAction::Counter { evidence } => {
                Call::Counter { partner: partner.clone(), evidence }
            },
            ChainAction::Close { close, signature } => {
                Call::Close { partner: partner.clone(), close, signature }
            },
            ChainAction::LateClaim { epoch, simplex, signature } => {
                Call::LateClaim { payer: partner.clone(), epoch, simplex, signature }
            },
        };
        let record = Record::new(Intent::Channel(partner.clone(), epoch), call);
        let same = |known: &Record| known.intent == record.intent && known.call == record.call;
        if self.calls.values().any(same) {
            return;
        }
        let reply = match record.call {
            Call::Close { .. } => self.close_replies.remove(&partner),
            _ => None,
        };
        self.submit(record, reply, out);
    }
}

fn partner_of(me: &AccountId, facts: &PairFacts) -> Option<AccountId> {
    let side = facts.view.pair.side_of(me)?;
    Some(facts.view.pair.account(side.other()).clone())
}

/// What an engine is told of the world. No locks before the chain's parameters are known.
pub(super) fn context<'a>(
    key: &'a AccountKey,
    (finalized, best): (Moment, Moment),
    parameters: Option<&Parameters>,
    reveals: &'a dyn Fn(&LockHash) -> Option<Reveal>,
) -> Context<'a> {
    let lock_window = parameters.map_or(0, |parameters| parameters.lock_window);
    Context { signer: key, finalized, best, lock_window, reveals }
}
