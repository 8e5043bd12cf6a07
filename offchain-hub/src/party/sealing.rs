//! Signing and checking many at once: what a party does before it handles the inputs that wait, and
//! when it has.

use super::{
    channels::context,
    core::{Action, Core, Output},
    policy::Signing,
};
use crate::signatures::check_all;
use failsafe_channel::{seal::sign_all, Message};
use failsafe_primitives::{simplex::LockHash, AccountId, Signature};
use std::collections::{BTreeSet, HashSet};

/// What is for partners, and what is for other processes of our hub, who know us by another key.
#[derive(Default)]
struct Both<T> {
    partners: T,
    processes: T,
}

type ToSign = Both<Vec<[u8; 32]>>;

impl<T> Both<T> {
    fn of(&mut self, process: bool) -> &mut T {
        if process {
            &mut self.processes
        } else {
            &mut self.partners
        }
    }
}

impl Core {
    /// Signs all of them, in their order.
    fn sign(&self, messages: &ToSign) -> Both<std::vec::IntoIter<Signature>> {
        let least = self.policy.signing.least();
        let own = self.processes.key.as_ref().unwrap_or(&self.key);
        Both {
            partners: sign_all(&*self.key, &messages.partners, least).into_iter(),
            processes: sign_all(&**own, &messages.processes, least).into_iter(),
        }
    }

    /// Checks the signatures of messages that are about to be handled, all at once. Says nothing about
    /// any of them: what was found good is not checked again, everything else is.
    pub fn foresee<'m>(&mut self, messages: impl Iterator<Item = (&'m AccountId, &'m Message)>) {
        if self.policy.signing != Signing::Together {
            return;
        }
        let Self { entries, locks, .. } = self;
        let reveals = |hash: &LockHash| locks.reveals.get(hash).copied();
        let times = (self.finalized, self.best);
        let ctx = context(&self.key, times, self.parameters.as_ref(), &reveals);
        let mut claims = vec![];
        // What comes after an update depends on it.
        let mut updated = HashSet::new();
        for (partner, message) in messages {
            let update = matches!(message, Message::Update(_));
            if !(update || matches!(message, Message::Ack { .. })) || updated.contains(partner) {
                continue;
            }
            let Some(entry) = entries.get(partner) else { continue };
            let made = entry.channel.claims(&ctx, message);
            claims.extend(made.into_iter().map(|claim| (partner.clone(), claim)));
            if update {
                updated.insert(partner);
            }
        }
        let good = check_all(&claims);
        for ((partner, claim), good) in claims.into_iter().zip(good) {
            if let Some(entry) = entries.get_mut(&partner).filter(|_| good) {
                entry.channel.trust(claim);
            }
        }
    }

    /// Signs all that was made, and puts it where it is to be sent.
    pub(super) fn seal(&mut self, dirty: &BTreeSet<AccountId>, out: &mut Output) {
        let mut messages = ToSign::default();
        let mut parts = vec![];
        for partner in dirty {
            let Some(entry) = self.entries.get(partner) else { continue };
            // Acknowledgements are lazy: the longer they wait, the more they cover.
            let waited = entry.ack_since.map(|since| self.now_ms.saturating_sub(since));
            let ack = waited.is_some_and(|waited| waited >= self.policy.ack_delay_ms / 2);
            let waiting = entry.channel.to_sign(ack);
            parts.push((partner, ack, waiting.len()));
            messages.of(self.is_process(partner)).extend(waiting);
        }
        let mut signatures = self.sign(&messages);
        for (partner, ack, count) in parts {
            let inner = self.is_process(partner);
            let Some(entry) = self.entries.get_mut(partner) else { continue };
            // Also where nothing is to be signed: what is paid from now on is another update.
            entry.channel.sign(ack, signatures.of(inner).by_ref().take(count));
            if count > 0 && !entry.channel.ack_is_due() {
                entry.ack_since = None;
            }
        }
        let actions = std::mem::take(&mut out.actions).into_iter();
        out.actions = actions.filter_map(|action| self.sealed(action)).collect();
    }

    fn sealed(&self, action: Action) -> Option<Action> {
        match action {
            Action::Send(partner, Message::Update(update)) if update.signature.is_none() => {
                let update = self.entries.get(&partner)?.channel.sealed(&update)?;
                Some(Action::Send(partner, Message::Update(update)))
            },
            action => Some(action),
        }
    }

    /// Acknowledges what has waited for long enough.
    pub(super) fn flush_acks(&mut self, out: &mut Output) {
        let mut due = vec![];
        let mut messages = ToSign::default();
        while let Some((since, partner)) = self.acks.pop_front() {
            // Since a clock was put back is long enough.
            let waited = self.now_ms.checked_sub(since);
            if waited.is_some_and(|waited| waited < self.policy.ack_delay_ms) {
                self.acks.push_front((since, partner));
                break;
            }
            // Who is away gets it with the next session.
            let owed = |entry: &&super::core::Entry| {
                entry.session.is_some() && entry.ack_since == Some(since)
            };
            let Some(entry) = self.entries.get(&partner).filter(owed) else { continue };
            if let Some(message) = entry.channel.ack_to_sign() {
                messages.of(self.is_process(&partner)).push(message);
                due.push(partner);
            }
        }
        let mut signatures = self.sign(&messages);
        for partner in due {
            let Some(signature) = signatures.of(self.is_process(&partner)).next() else { continue };
            self.with_channel(&partner, out, |channel, _| channel.flush_signed_ack(signature));
        }
    }
}
