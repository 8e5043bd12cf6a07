//! What hubs tell about how much they can pay to each other, so that payers find routes
//! (`docs/routing.md`).
//!
//! A hub announces from time to time, and at once after another hub has connected. Everybody passes
//! on what is new to it; hubs to all their partners, wallets to nobody.

use super::{
    core::{Action, Core, Output},
    mode::Mode,
    policy::Role,
};
use crate::store::Share;
use codec::Encode;
use failsafe_channel::{
    message::{Announcements, Message, MAX_ANNOUNCEMENTS},
    Sign,
};
use failsafe_primitives::{AccountId, Balance, Clock};
use failsafe_routing::{
    Announcement, AnnouncementError, Hint, Rules, SignedAnnouncement, MAX_HINTS,
};
use sp_core::H256;
use std::{collections::BTreeSet, sync::Arc};
use tracing::{debug, warn};

/// Pause between two announcements, milliseconds.
const PAUSE_MS: u64 = 20_000;
/// Usable blocks after which an announcement says nothing about capacities any more.
const MAX_AGE: Clock = 600;
/// Usable blocks that somebody else's node may be ahead.
const MAX_AHEAD: Clock = 5;

/// How announcements of this chain are judged.
pub(super) fn rules(genesis_hash: H256) -> Rules {
    Rules { genesis_hash, max_age: MAX_AGE, max_ahead: MAX_AHEAD }
}

/// The two highest digits of a capacity: enough to find a way, and it need not be told anew with
/// every payment.
fn coarse(capacity: Balance) -> Balance {
    let digits = capacity.checked_ilog10().unwrap_or(0);
    let unit = 10u128.checked_pow(digits.saturating_sub(1)).unwrap_or(1);
    capacity - capacity % unit
}

/// Whether a process may announce at this clock: of two announcements of the same hub and clock one
/// would not be listened to.
fn takes_turn(at: Clock, share: &Share) -> bool {
    let number = |number: usize| Clock::try_from(number).unwrap_or_default();
    at.checked_rem(number(share.count())) == Some(number(share.number()))
}

impl Core {
    /// Announces what we can pay to other hubs, when it is time.
    pub(super) fn announce(&mut self, out: &mut Output) {
        // This is asked with every tick.
        let due = self.now_ms.saturating_sub(self.announced_ms) >= PAUSE_MS;
        if !due || self.policy.role != Role::Hub || !self.is_fresh() {
            return;
        }
        if self.hubs.iter().all(|hub| hub.account != self.me) {
            return;
        }
        let known = self.graph.announcement(&self.me).map(|signed| &signed.announcement);
        let at = self.best.clock;
        if known.is_some_and(|known| at <= known.at) {
            // One per usable block.
            return;
        }
        if self.share().is_some_and(|share| !takes_turn(at, share)) {
            return;
        }
        // What other processes of our hub have announced stays, as long as they are there.
        let is_there = |hint: &&Hint| {
            let process = self.elsewhere(&hint.neighbour);
            let entry = process.and_then(|process| self.entries.get(process));
            entry.is_some_and(|entry| entry.session.is_some())
        };
        let theirs: Vec<_> =
            known.into_iter().flat_map(|known| &known.hints).filter(is_there).cloned().collect();
        let mut hints = vec![];
        self.announced_ms = self.now_ms;
        let hubs: BTreeSet<&AccountId> = self.hubs.iter().map(|hub| &hub.account).collect();
        for (partner, entry) in self.entries.awake() {
            if !hubs.contains(partner) || !entry.channel.established() {
                continue;
            }
            hints.extend(entry.channel.assets().into_iter().filter_map(|asset| {
                let capacity = entry.channel.can_send(asset).ok().map(coarse);
                // Nothing goes through a hub that is paused or drained.
                let capacity = if self.mode == Mode::Open { capacity } else { Some(0) };
                capacity.map(|_| Hint { neighbour: partner.clone(), asset, capacity })
            }));
        }
        hints.extend(theirs);
        hints.truncate(usize::try_from(MAX_HINTS).unwrap_or(usize::MAX));
        let Ok(announcement) =
            Announcement::new(self.me.clone(), at, hints, self.policy.rates.clone())
        else {
            return;
        };
        let signature = self.key.sign(&announcement.message(&self.genesis));
        let signed = SignedAnnouncement { announcement, signature };
        match Arc::make_mut(&mut self.graph).announce(signed.clone(), at) {
            Ok(()) => self.spread(&[signed], None, out),
            Err(problem) => debug!(%problem, "our announcement"),
        }
    }

    /// Another hub has come: our neighbours have changed.
    pub(super) fn announce_soon(&mut self, partner: &AccountId) {
        if self.hubs.iter().any(|hub| hub.account == *partner) {
            self.announced_ms = 0;
        }
    }

    /// Tells a partner that has connected all that we know.
    pub(super) fn tell_announcements(&mut self, partner: &AccountId, out: &mut Output) {
        self.announce_soon(partner);
        if self.policy.role != Role::Hub {
            return;
        }
        let hubs = self.hubs.iter().filter(|hub| hub.account != *partner);
        let known = hubs.filter_map(|hub| self.graph.announcement(&hub.account));
        let known: Vec<_> = known.cloned().collect();
        send(partner, &known, out);
    }

    /// Tells all connected partners but `source` what is new.
    fn spread(&self, new: &[SignedAnnouncement], source: Option<&AccountId>, out: &mut Output) {
        if self.policy.role != Role::Hub || new.is_empty() {
            return;
        }
        for (partner, entry) in self.entries.awake() {
            if entry.session.is_some() && Some(partner) != source {
                send(partner, new, out);
            }
        }
    }

    /// What a partner passes on. One who passes on what nobody can have signed is not listened to.
    pub(super) fn on_gossip(
        &mut self,
        partner: &AccountId,
        announcements: Announcements,
        out: &mut Output,
    ) {
        let mut new = vec![];
        for bytes in &announcements {
            let taken = SignedAnnouncement::from_bytes(bytes).and_then(|signed| {
                let graph = Arc::make_mut(&mut self.graph);
                graph.announce(signed.clone(), self.best.clock).map(|()| signed)
            });
            match taken {
                Ok(signed) => new.push(signed),
                // Honest ones may be late, or see the registry earlier or later than we do.
                Err(
                    AnnouncementError::UnknownHub
                    | AnnouncementError::NotNewer { .. }
                    | AnnouncementError::TooFarAhead { .. },
                ) => {},
                Err(problem) => {
                    warn!(%partner, %problem, "a forged announcement");
                    let reason = format!("an announcement was refused: {problem}");
                    out.actions.push(Action::Disconnect(partner.clone(), reason));
                    break;
                },
            }
        }
        self.spread(&new, Some(partner), out);
    }
}

fn send(partner: &AccountId, announcements: &[SignedAnnouncement], out: &mut Output) {
    let most = usize::try_from(MAX_ANNOUNCEMENTS).unwrap_or(usize::MAX);
    for chunk in announcements.chunks(most) {
        // Valid ones are within the bounds.
        let encoded = chunk.iter().filter_map(|signed| signed.encode().try_into().ok());
        let announcements = Announcements::truncate_from(encoded.collect());
        out.actions.push(Action::Send(partner.clone(), Message::Gossip { announcements }));
    }
}
