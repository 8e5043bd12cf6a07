//! What a tower stores of a packet.

use codec::{Decode, DecodeAll, Encode};
use failsafe_channel::lock::Secret;
use failsafe_hub::watchtower::WatchPacket;
use failsafe_primitives::{
    simplex::{lock_hash, LockHash},
    AccountId, Clock, Epoch, Lock, Pair,
};

/// Version of the stored form.
const VERSION: u8 = 1;

/// Names what a client has handed over for a channel and epoch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Key {
    /// Who handed it over.
    pub client: AccountId,
    /// With whom the client has the channel.
    pub partner: AccountId,
    /// The epoch.
    pub epoch: Epoch,
}

impl core::fmt::Display for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} with {} in epoch {}", self.client, self.partner, self.epoch)
    }
}

/// A packet with what the tower has done for it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Watched {
    /// The newest packet.
    pub packet: WatchPacket,
    /// When a reveal of a secret was last final, so that it can be repeated before the chain forgets.
    pub kept: Vec<(LockHash, Clock)>,
    /// Counters of the tower that are final: their number is bounded.
    pub counters: u32,
}

impl Watched {
    /// A new one.
    pub fn new(packet: WatchPacket) -> Self {
        Self { packet, kept: vec![], counters: 0 }
    }

    /// The pair.
    pub fn pair(&self) -> &Pair {
        &self.packet.context.pair
    }

    /// Locks whose secrets it has, with the secrets.
    pub fn secrets(&self) -> Vec<(Lock, Secret)> {
        self.packet.secret_locks().map(|(lock, secret)| (lock.clone(), secret)).collect()
    }

    /// When a reveal of this hash was last final, as far as the tower made one.
    pub fn kept_at(&self, hash: &LockHash) -> Option<Clock> {
        self.kept.iter().find(|(known, _)| known == hash).map(|(_, at)| *at)
    }

    /// Notes that a reveal of `secrets` is final at `at`. Returns whether one of them is here.
    pub fn note_reveal(&mut self, secrets: &[Secret], at: Clock) -> bool {
        let mut noted = false;
        for hash in secrets.iter().map(lock_hash) {
            if self.packet.hashes().any(|known| known == hash) {
                self.kept.retain(|(known, _)| *known != hash);
                self.kept.push((hash, at));
                noted = true;
            }
        }
        noted
    }

    /// The stored form.
    pub fn to_bytes(&self) -> Vec<u8> {
        (VERSION, self).encode()
    }

    /// Reads the stored form; says what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Self::decode_all(&mut &*rest).map_err(|e| e.to_string()),
            Some((version, _)) => {
                Err(format!("it was stored by version {version}, this program knows {VERSION}"))
            },
            None => Err("it is empty".into()),
        }
    }
}
