//! What an operator watches: numbers of the whole party, cheap to gather.

use super::{
    command::Standing,
    core::{Core, Entry},
    locks::LockRef,
    records::Direction,
    risk::Exposure,
};
use crate::{
    metrics::{Kind, PaymentEvent},
    store::Share,
};
use failsafe_channel::FreezeReason;
use failsafe_primitives::{AccountId, AssetId, Balance};
use std::collections::BTreeMap;

/// How a party is.
#[derive(Clone, Debug)]
pub struct Vitals {
    /// Where it stands with the chain.
    pub standing: Standing,
    /// How long ago the newest best block came, milliseconds; `None` before the first one.
    pub block_age_ms: Option<u64>,
    /// Channels, whatever their state.
    pub channels: usize,
    /// Channels that take no updates until their next epoch.
    pub frozen: usize,
    /// Channels whose partner broke the protocol.
    pub faulty: usize,
    /// Channels whose partner claims to know more, without proof yet.
    pub paused: usize,
    /// Channels of which data was lost.
    pub data_lost: usize,
    /// Channels with a dispute: on chain, or ours on its way.
    pub disputed: usize,
    /// Payments with locks that go through and have not ended.
    pub locked_through: usize,
    /// How long the oldest call has been on its way, milliseconds.
    pub oldest_call_ms: u64,
    /// What is owed and insured, per asset.
    pub assets: BTreeMap<AssetId, AssetVitals>,
}

/// One asset over all channels.
#[derive(Clone, Copy, Debug, Default)]
pub struct AssetVitals {
    /// Owed and insured.
    pub exposure: Exposure,
    /// The most that may be owed without insurance, if there is a cap.
    pub cap: Option<Balance>,
    /// Fees of delivered payments.
    pub earned: Balance,
}

impl Core {
    /// A payment was locked onwards.
    pub(super) fn note_forwarded(&mut self, inward: &LockRef) {
        self.counters.payment(Direction::Through, Kind::Locked, PaymentEvent::Forwarded);
        self.locked_since.insert(inward.clone(), self.now_ms);
    }

    /// A payment that was locked onwards has ended.
    pub(super) fn note_mediated_end(&mut self, inward: &LockRef, paid: bool) {
        // None: it was begun before a restart.
        let since = self.locked_since.remove(inward);
        if !paid {
            self.counters.payment(Direction::Through, Kind::Locked, PaymentEvent::Failed);
        } else if let Some(since) = since {
            self.counters.delivered(Kind::Locked, self.now_ms.saturating_sub(since));
        }
    }

    /// Partners with a channel.
    fn count_partners(&self) -> usize {
        let processes = self.share().into_iter().flat_map(Share::others);
        let known = processes.filter(|process| self.entries.contains_key(process)).count();
        // They are among the entries.
        self.entries.len().saturating_sub(known)
    }

    fn awake_partners(&self) -> impl Iterator<Item = (&AccountId, &Entry)> {
        self.entries.awake().filter(|(partner, _)| !self.is_process(partner))
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            finalized: self.finalized,
            best: self.best,
            fresh: self.is_fresh(),
            pending_calls: self.calls.len(),
            channels: self.count_partners(),
            connected: self.awake_partners().filter(|(_, e)| e.session.is_some()).count(),
            mode: self.mode,
            process: self.process_standing(),
        }
    }

    pub(super) fn vitals(&mut self) -> Vitals {
        let now = self.now_ms;
        // Those that a restart has taken up are as old as our first look at them.
        for number in self.calls.keys() {
            self.call_since.entry(*number).or_insert(now);
        }
        let oldest = self.call_since.values().min().copied().unwrap_or(now);
        let mut assets: BTreeMap<AssetId, AssetVitals> = BTreeMap::new();
        for asset in self.policy.terms.keys() {
            assets.entry(*asset).or_default();
        }
        for (asset, exposure) in self.exposure() {
            assets.entry(*asset).or_default().exposure = *exposure;
        }
        for (asset, cap) in &self.policy.risk_caps {
            assets.entry(*asset).or_default().cap = Some(self.part_of_cap(*cap));
        }
        for (asset, fees) in self.payments.earned_by_asset() {
            assets.entry(*asset).or_default().earned = *fees;
        }
        let mut vitals = Vitals {
            standing: self.standing(),
            block_age_ms: self.best_since.map(|since| now.saturating_sub(since)),
            channels: self.count_partners(),
            frozen: 0,
            faulty: 0,
            paused: 0,
            data_lost: 0,
            disputed: 0,
            locked_through: self.locks.mediated.len(),
            oldest_call_ms: now.saturating_sub(oldest),
            assets,
        };
        let mut count = |into: fn(&mut Vitals) -> &mut usize, holds: bool| {
            // At most as many as there are channels.
            *into(&mut vitals) += usize::from(holds);
        };
        // Those that sleep are well.
        for (_, entry) in self.awake_partners() {
            let (channel, frozen) = (&entry.channel, entry.channel.frozen());
            let on_chain = channel.state().facts.view.dispute.is_some();
            count(|v| &mut v.frozen, frozen.is_some());
            count(|v| &mut v.faulty, entry.fault.is_some());
            count(|v| &mut v.paused, channel.paused());
            count(|v| &mut v.data_lost, channel.state().data_lost);
            count(|v| &mut v.disputed, on_chain || frozen == Some(FreezeReason::OwnDispute));
        }
        vitals
    }
}
