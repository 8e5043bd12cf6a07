//! The watch packet: what a client gives a tower for one channel and epoch.
//!
//! On chain a third party may counter with simplexes that carry **both** signatures, reveal secrets,
//! and resolve what is due (`protocol.md` §5, §7). It may not dispute, accept, or claim late: these are
//! calls of a party. So a packet holds the partner's newest simplex with our acknowledgement, our
//! newest one that the partner has acknowledged, and the secrets that we have given out for locks of
//! the partner that are still pending. There is no key in it, and nothing that could move money
//! elsewhere: all that a tower can do with it the client could have wanted. But it tells the tower what
//! the two have paid each other.

use codec::{Decode, Encode};
use failsafe_channel::{
    lock::{Answer, Secret},
    state::Acked,
    Channel, Sign,
};
use failsafe_primitives::{
    evidence::EvidenceRules,
    simplex::{lock_hash, LockHash, MaxLocks, MAX_LOCKS_HUBS},
    AccountId, ChannelContext, Clock, Epoch, EvidenceError, Lock, Nonce, Pair, Side, Signature,
    SignedSimplex, SimplexError, TwiceSigned,
};
use sp_core::H256;
use sp_runtime::BoundedVec;
use std::collections::BTreeSet;

/// What a client gives a tower for one channel and epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WatchPacket {
    /// Chain, pair and epoch.
    pub context: ChannelContext,
    /// The partner's newest simplex, with the partner's signature and the client's acknowledgement.
    pub theirs: Option<TwiceSigned>,
    /// The client's newest simplex that the partner has acknowledged, with both signatures.
    pub ours: Option<TwiceSigned>,
    /// Secrets of pending locks of [`Self::theirs`] that the client has given out: to be revealed
    /// when the partner does not settle in time.
    pub secrets: BoundedVec<Secret, MaxLocks>,
}

/// Of which of the two simplexes something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Whose {
    /// The client's.
    #[codec(index = 0)]
    Ours,
    /// The partner's.
    #[codec(index = 1)]
    Theirs,
}

impl core::fmt::Display for Whose {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Ours => "the client's simplex",
            Self::Theirs => "the partner's simplex",
        })
    }
}

/// Why a tower does not take a packet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
pub enum PacketError {
    /// For another chain.
    #[error("the packet is for the chain with genesis {0:?}: use a tower of your chain")]
    #[codec(index = 0)]
    OtherChain(H256),
    /// Left is not below right.
    #[error("the packet does not name a pair: left must be the smaller account")]
    #[codec(index = 1)]
    NotAPair,
    /// A channel of others.
    #[error("the packet is for a channel of others: a client hands over its own channels only")]
    #[codec(index = 2)]
    NotYours,
    /// There is nothing in it.
    #[error("there is no simplex in the packet")]
    #[codec(index = 3)]
    Empty,
    /// The simplex of one side stands in the place of the other's.
    #[error("{0} is of the wrong side")]
    #[codec(index = 4)]
    WrongSide(Whose),
    /// Breaks order or bounds.
    #[error("{0} is malformed: {1:?}")]
    #[codec(index = 5)]
    Malformed(Whose, SimplexError),
    /// One of the two signatures is not by whom it should be, or over something else.
    #[error("{0} does not carry both signatures for this chain, pair and epoch")]
    #[codec(index = 6)]
    BadProof(Whose),
    /// A lock expires later than a dispute of now would take.
    #[error("{0} has a lock that expires after clock {1}, which a dispute would not take: the tower's node may be behind, try again")]
    #[codec(index = 7)]
    ExpiryTooFar(Whose, Clock),
    /// A secret opens no pending lock of the partner's simplex.
    #[error("a secret in the packet opens no lock of the partner's simplex")]
    #[codec(index = 8)]
    SecretWithoutLock,
    /// The same secret twice.
    #[error("a secret is in the packet twice")]
    #[codec(index = 9)]
    SecretTwice,
    /// The epoch has ended.
    #[error("epoch {got} of the channel is over on chain, which is at {current}")]
    #[codec(index = 10)]
    EpochOver {
        /// The packet's.
        got: Epoch,
        /// The chain's, finalized.
        current: Epoch,
    },
    /// An epoch that the tower does not know of yet.
    #[error("epoch {got} of the channel has not begun for the tower, which sees {current}: its node may be behind, try again")]
    #[codec(index = 11)]
    EpochUnknown {
        /// The packet's.
        got: Epoch,
        /// The chain's, finalized.
        current: Epoch,
    },
    /// Older than what the tower has.
    #[error("{whose} has nonce {got}, but the tower has {known}: an old copy of the channel?")]
    #[codec(index = 12)]
    NonceLower {
        /// Of which simplex.
        whose: Whose,
        /// The packet's.
        got: Nonce,
        /// The tower's.
        known: Nonce,
    },
    /// The nonce of what the tower has, with something else.
    #[error("{0} is not the one that the tower has under the same nonce")]
    #[codec(index = 13)]
    OtherContent(Whose),
    /// No room for another channel of the client.
    #[error("the tower watches {0} channels of an account at most: ask its operator for more")]
    #[codec(index = 14)]
    TooManyChannels(u32),
    /// No room for so much of the client.
    #[error("the tower keeps {0} bytes of an account at most: ask its operator for more")]
    #[codec(index = 15)]
    TooManyBytes(u64),
    /// The tower does not know the chain yet.
    #[error("the tower does not see the chain: try again")]
    #[codec(index = 16)]
    NotReady,
}

impl PacketError {
    /// Whether the same packet may be taken later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::ExpiryTooFar(..) | Self::EpochUnknown { .. } | Self::NotReady)
    }
}

impl WatchPacket {
    /// The side of `client`, if it is one of the parties.
    pub fn side_of(&self, client: &AccountId) -> Option<Side> {
        self.context.pair.side_of(client)
    }

    /// The pending locks of the partner whose secrets are in the packet, each with its secret.
    pub fn secret_locks(&self) -> impl Iterator<Item = (&Lock, Secret)> {
        let locks = self.theirs.iter().flat_map(|theirs| theirs.simplex.locks());
        locks.filter_map(|lock| {
            let secret = self.secrets.iter().find(|secret| lock_hash(secret) == lock.hash)?;
            Some((lock, *secret))
        })
    }

    /// The hashes of its secrets.
    pub fn hashes(&self) -> impl Iterator<Item = LockHash> + '_ {
        self.secrets.iter().map(lock_hash)
    }

    /// Checks all that can be told from the packet alone: that it is about a channel of `client` on
    /// the chain with `genesis`, that both signatures are there, and that the chain would take it in a
    /// counter to a dispute whose locks expire at `latest_expiry` at the latest
    /// ([`latest_expiry_in_counter`](failsafe_primitives::evidence::latest_expiry_in_counter)).
    pub fn check(
        &self,
        client: &AccountId,
        genesis: H256,
        latest_expiry: Clock,
    ) -> Result<Side, PacketError> {
        let context = &self.context;
        if context.genesis_hash != genesis {
            return Err(PacketError::OtherChain(context.genesis_hash));
        }
        // What is decoded may be out of order.
        let (left, right) = (context.pair.left().clone(), context.pair.right().clone());
        if Pair::new(left, right).as_ref() != Ok(&context.pair) {
            return Err(PacketError::NotAPair);
        }
        let side = self.side_of(client).ok_or(PacketError::NotYours)?;
        if self.theirs.is_none() && self.ours.is_none() {
            return Err(PacketError::Empty);
        }
        let rules = EvidenceRules { channel: context, latest_expiry, max_locks: MAX_LOCKS_HUBS };
        let parts = [(Whose::Theirs, &self.theirs, side.other()), (Whose::Ours, &self.ours, side)];
        for (whose, simplex, from) in parts {
            let Some(simplex) = simplex else { continue };
            if simplex.from != from {
                return Err(PacketError::WrongSide(whose));
            }
            rules.check_twice_signed(vec![simplex.clone()]).map_err(|error| match error {
                EvidenceError::Malformed(error) => PacketError::Malformed(whose, error),
                EvidenceError::ExpiryTooFar => PacketError::ExpiryTooFar(whose, latest_expiry),
                EvidenceError::BadProof | EvidenceError::AckMissing | EvidenceError::AckOrder => {
                    PacketError::BadProof(whose)
                },
            })?;
        }
        let mut known = BTreeSet::new();
        for hash in self.hashes() {
            if !known.insert(hash) {
                return Err(PacketError::SecretTwice);
            }
            let mut locks = self.theirs.iter().flat_map(|theirs| theirs.simplex.locks());
            if !locks.any(|lock| lock.hash == hash) {
                return Err(PacketError::SecretWithoutLock);
            }
        }
        Ok(side)
    }

    /// Checks that nothing of it is older than `known`, which the tower has for the same channel and
    /// epoch.
    pub fn check_newer(&self, known: &WatchPacket) -> Result<(), PacketError> {
        let parts =
            [(Whose::Theirs, &self.theirs, &known.theirs), (Whose::Ours, &self.ours, &known.ours)];
        for (whose, new, known) in parts {
            let Some(known) = known else { continue };
            let (got, held) = (new.as_ref().map_or(0, |n| n.simplex.nonce), known.simplex.nonce);
            if got < held {
                return Err(PacketError::NonceLower { whose, got, known: held });
            }
            let same = new.as_ref().is_some_and(|new| new.simplex == known.simplex);
            if got == held && !same {
                return Err(PacketError::OtherContent(whose));
            }
        }
        Ok(())
    }

    /// Takes over the secrets of `known` whose locks are still pending: a secret that was given out is
    /// never forgotten before its lock is gone.
    pub fn keep_secrets_of(&mut self, known: &WatchPacket) {
        for secret in &known.secrets {
            let hash = lock_hash(secret);
            let mut locks = self.theirs.iter().flat_map(|theirs| theirs.simplex.locks());
            if !self.secrets.contains(secret) && locks.any(|lock| lock.hash == hash) {
                // As many as locks at most, which have the same bound.
                let _ = self.secrets.try_push(*secret);
            }
        }
    }
}

/// What of a channel's durable state goes into a packet. Taken after the state is on disk; the
/// acknowledgement is signed when the packet is made, away from the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    context: ChannelContext,
    side: Side,
    theirs: Option<SignedSimplex>,
    ours: Option<Acked>,
    secrets: BoundedVec<Secret, MaxLocks>,
}

impl Snapshot {
    /// What there is to hand over of a channel, `None` if nothing has been signed in its epoch.
    pub fn of(channel: &Channel) -> Option<Self> {
        let state = channel.state();
        let theirs = state.theirs.signed();
        let ours = state.acked.clone();
        if theirs.is_none() && ours.is_none() {
            return None;
        }
        let given_out = state.answers.iter().filter_map(|(id, answer)| match answer {
            Answer::Fulfilled(secret) if state.theirs.lock(*id).is_some() => Some(*secret),
            Answer::Fulfilled(_) | Answer::Failed(_) => None,
        });
        // No more than pending locks, which have the same bound.
        let secrets = BoundedVec::truncate_from(given_out.collect());
        Some(Self { context: state.context.clone(), side: state.side, theirs, ours, secrets })
    }

    /// The packet, with the acknowledgement of the partner's simplex signed by us. That we have it
    /// durably is all that it says; the engine may have sent one to the partner already.
    pub fn packet(&self, signer: &dyn Sign) -> WatchPacket {
        let from = self.side.other();
        let theirs = self.theirs.clone().map(|SignedSimplex { simplex, signature }| {
            let message = self.context.ack_message(from, &simplex);
            let ack = Signature::Direct(signer.sign(&message));
            TwiceSigned { from, simplex, signature, ack }
        });
        WatchPacket {
            context: self.context.clone(),
            theirs,
            ours: self.ours.as_ref().map(|acked| acked.twice_signed(self.side)),
            secrets: self.secrets.clone(),
        }
    }
}
