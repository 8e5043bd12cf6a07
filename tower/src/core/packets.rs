//! Packets: what is taken, within which limits, and until when it is kept.

use super::{Action, Core, Output, Reply};
use crate::records::{Key, Watched};
use codec::Encode;
use failsafe_hub::{
    chain::Track,
    store::Table,
    watchtower::{PacketError, WatchPacket},
};
use failsafe_primitives::{simplex::LockHash, AccountId, Epoch, Pair, Side};

/// Packets of pairs that are not known yet, at most.
const MAX_WAITING: usize = 4_096;

impl Core {
    pub(super) fn on_offer(
        &mut self,
        client: AccountId,
        packet: WatchPacket,
        reply: Reply,
        out: &mut Output,
    ) {
        let pair = packet.context.pair.clone();
        if self.pairs.get(&pair).is_some_and(|seen| seen.finalized.is_some()) {
            let answer = self.take(&client, packet, out);
            self.answer_offer(reply, answer, out);
            self.leave_if_idle(&pair, out);
            return;
        }
        let Some(partner) = packet.side_of(&client).map(|side| pair.account(side.other())) else {
            return self.answer_offer(reply, Err(PacketError::NotYours), out);
        };
        let partner = partner.clone();
        let key = Key { client: client.clone(), partner: partner.clone(), epoch: 0 };
        if let Err(error) = self.room_for_another(&key) {
            return self.answer_offer(reply, Err(error), out);
        }
        if self.waiting >= MAX_WAITING {
            return self.answer_offer(reply, Err(PacketError::NotReady), out);
        }
        let asked = self.pairs.contains_key(&pair);
        self.waiting = self.waiting.saturating_add(1);
        self.pairs.entry(pair).or_default().waiting.push((client.clone(), packet, reply));
        if !asked {
            out.track(Track::Disputes(client, partner));
        }
    }

    pub(super) fn answer_offer(
        &mut self,
        reply: Reply,
        answer: Result<(), PacketError>,
        out: &mut Output,
    ) {
        let counts = &mut self.alarms.counts;
        let count =
            if answer.is_ok() { &mut counts.packets_taken } else { &mut counts.packets_refused };
        *count = count.saturating_add(1);
        out.actions.push(Action::Reply(reply, answer));
    }

    /// Whether a client may have one channel more, if it does not have this one.
    pub(super) fn room_for_another(&self, key: &Key) -> Result<(), PacketError> {
        let used = self.usage.get(&key.client).copied().unwrap_or_default();
        if used.channels >= self.limits.max_channels && self.packets_of(key).next().is_none() {
            return Err(PacketError::TooManyChannels(self.limits.max_channels));
        }
        Ok(())
    }

    /// What a client has handed over for a channel, in whichever epoch.
    pub(super) fn packets_of(&self, key: &Key) -> impl Iterator<Item = (&Key, &Watched)> {
        let first = Key { epoch: Epoch::MIN, ..key.clone() };
        let last = Key { epoch: Epoch::MAX, ..key.clone() };
        self.packets.range(first..=last)
    }

    /// Takes a packet in, if it is for this or the next epoch, not older than what is there, and
    /// within the client's limits.
    pub(super) fn take(
        &mut self,
        client: &AccountId,
        mut packet: WatchPacket,
        out: &mut Output,
    ) -> Result<(), PacketError> {
        let pair = packet.context.pair.clone();
        let side = packet.side_of(client).ok_or(PacketError::NotYours)?;
        let finalized = self.pairs.get(&pair).and_then(|seen| seen.finalized.as_ref());
        let current = finalized.map(|view| view.epoch).ok_or(PacketError::NotReady)?;
        let got = packet.context.epoch;
        if got < current {
            return Err(PacketError::EpochOver { got, current });
        }
        if got > current.saturating_add(1) {
            return Err(PacketError::EpochUnknown { got, current });
        }
        let partner = pair.account(side.other()).clone();
        let key = Key { client: client.clone(), partner, epoch: got };
        let mut watched = match self.packets.get(&key) {
            None => {
                self.room_for_another(&key)?;
                Watched::new(packet)
            },
            Some(known) => {
                packet.check_newer(&known.packet)?;
                packet.keep_secrets_of(&known.packet);
                if packet.encode() == known.packet.encode() {
                    return Ok(());
                }
                Watched { packet, ..known.clone() }
            },
        };
        let hashes: Vec<LockHash> = watched.packet.hashes().collect();
        watched.kept.retain(|(hash, _)| hashes.contains(hash));
        let used = self.usage.get(client).copied().unwrap_or_default();
        let before = self.packets.get(&key).map_or(0, size);
        let after = used.bytes.saturating_sub(before).saturating_add(size(&watched));
        if after > self.limits.max_bytes {
            return Err(PacketError::TooManyBytes(self.limits.max_bytes));
        }
        out.batch.put(Table::Packets, key.encode(), watched.to_bytes());
        self.put(key, watched, out);
        // It may come while a dispute is open, or a lock is about to expire.
        self.answer(&pair, out);
        self.reveal_due(out);
        Ok(())
    }

    /// Puts a packet in the place of an older one, and keeps the indices.
    pub(super) fn put(&mut self, key: Key, watched: Watched, out: &mut Output) {
        self.remove(&key, out);
        let usage = self.usage.entry(key.client.clone()).or_default();
        usage.channels = usage.channels.saturating_add(1);
        usage.bytes = usage.bytes.saturating_add(size(&watched));
        for hash in watched.packet.hashes() {
            let count = self.hashes.entry(hash).or_default();
            *count = count.saturating_add(1);
            if *count == 1 {
                out.track(Track::Hash(hash));
            }
            self.secretive.insert(key.clone());
        }
        self.packets.insert(key, watched);
    }

    pub(super) fn remove(&mut self, key: &Key, out: &mut Output) {
        let Some(watched) = self.packets.remove(key) else { return };
        if let Some(usage) = self.usage.get_mut(&key.client) {
            usage.channels = usage.channels.saturating_sub(1);
            usage.bytes = usage.bytes.saturating_sub(size(&watched));
            if usage.channels == 0 {
                self.usage.remove(&key.client);
            }
        }
        self.secretive.remove(key);
        for hash in watched.packet.hashes() {
            let Some(count) = self.hashes.get_mut(&hash) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.hashes.remove(&hash);
                self.revealed.remove(&hash);
                out.track(Track::Forget(hash));
            }
        }
    }

    /// Keys of what both parties have handed over for a pair.
    pub(super) fn keys(&self, pair: &Pair) -> Vec<Key> {
        let side = |side: Side| {
            let (client, partner) = (pair.account(side).clone(), pair.account(side.other()));
            let key = Key { client, partner: partner.clone(), epoch: 0 };
            self.packets_of(&key).map(|(key, _)| key.clone()).collect::<Vec<_>>()
        };
        [side(Side::Left), side(Side::Right)].concat()
    }

    pub(super) fn leave_if_idle(&mut self, pair: &Pair, out: &mut Output) {
        let idle = self.pairs.get(pair).is_some_and(|seen| seen.waiting.is_empty());
        if idle && self.keys(pair).is_empty() {
            self.pairs.remove(pair);
            self.disputed.remove(pair);
            self.resolves.remove(pair);
            out.track(Track::Leave(pair.left().clone(), pair.right().clone()));
        }
    }
}

/// What a packet takes up, in bytes: what it does not have yet of notes about reveals is counted too.
fn size(watched: &Watched) -> u64 {
    let notes = watched.packet.secrets.len().saturating_mul(40);
    u64::try_from(watched.packet.encoded_size().saturating_add(notes)).unwrap_or(u64::MAX)
}
