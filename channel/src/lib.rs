//! The channel engine: what one party knows and may do in one channel, as a pure state machine
//! (`protocol.md` §3, §4).
//!
//! It does no I/O, has no clock and no randomness of its own. Messages, chain facts and time come
//! in as arguments; what is to be done comes out as an ordered list of [`Effect`]s. So the same
//! code runs in hub and wallet, which differ in policy only, and a million times a second in a
//! test.
//!
//! # The contract of effects
//! The host carries effects out in order. [`Effect::Persist`] means: [`Channel::encode_state`], or
//! [`Channel::encode_lean`] with what it leaves out, must be durable before anything after it
//! leaves the process, together with whatever work the host derives from the [`Event`]s of the same
//! call. A host that crashes in between starts from the older state and loses nothing: what was not
//! persisted was not sent.
//!
//! # Faults
//! A message of the partner that breaks the rules changes nothing and ends the session: the last
//! effect of the call is [`Effect::Fault`]. The effects before it stand.
//!
//! # Reading order
//! [`state`] what is kept · [`message`] what travels · [`session`] what waits · [`update`] paying ·
//! [`terms`] credit lines · [`reservation`] withdrawal proofs · [`close`] cooperative closes ·
//! [`reconnect`] catching up · [`restored`] old copies · [`chain`] disputes and epochs · [`freeze`]
//! when nothing moves · [`late`] claims for what a resolve did not count · [`lock`] payments
//! against a secret · [`unsigned`] payments without a signature · [`seal`] signing and checking
//! many at once.

#![allow(clippy::cast_possible_truncation, reason = "in what codec's derive makes of an index")]

pub mod chain;
pub mod close;
pub mod effect;
pub mod error;
pub mod freeze;
pub mod late;
pub mod lock;
pub mod message;
pub mod reconnect;
pub mod reservation;
pub mod restored;
pub mod seal;
pub mod session;
pub mod state;
pub mod summary;
pub mod terms;
pub mod unsigned;
pub mod update;

#[cfg(test)]
mod tests;

pub use chain::PairFacts;
pub use effect::{ChainAction, Effect, Event};
pub use error::{Fault, Refusal};
pub use freeze::FreezeReason;
pub use message::{Message, PaymentId, Purpose, ReturnReason, Transition, Update};
pub use state::Channel;
pub use summary::{AssetSummary, Summary};
pub use terms::AssetTerms;

pub use failsafe_primitives::view::Moment;

use failsafe_primitives::{simplex::LockHash, AccountId, Clock};
use sp_runtime::MultiSignature;

/// Signs payload messages with a party's account key.
pub trait Sign {
    /// The account that signs.
    fn account(&self) -> AccountId;
    /// A signature over the 32 bytes of a payload.
    fn sign(&self, message: &[u8; 32]) -> MultiSignature;
}

/// What the engine needs to know of the world at a call. `finalized` may go on only after every
/// channel has been given the facts up to it ([`Channel::on_finalized`]).
pub struct Context<'a> {
    /// The party's key.
    pub signer: &'a dyn Sign,
    /// Newest finalized block.
    pub finalized: Moment,
    /// Newest best block.
    pub best: Moment,
    /// The chain's `lock_window`, in usable blocks: furthest that a lock may expire.
    pub lock_window: Clock,
    /// The registry of secrets at the newest finalized block, as far as it concerns pending locks.
    pub reveals: &'a dyn Fn(&LockHash) -> Option<Reveal>,
}

/// A secret in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// The secret.
    pub secret: lock::Secret,
    /// Usable block of its first reveal.
    pub at: Clock,
}

impl Context<'_> {
    /// The secret of `hash`, if the finalized chain has it.
    pub(crate) fn reveal(&self, hash: &LockHash) -> Option<Reveal> {
        (self.reveals)(hash)
    }

    /// When the secret of `hash` was revealed, if the finalized chain has it.
    pub(crate) fn revealed_at(&self, hash: &LockHash) -> Option<Clock> {
        self.reveal(hash).map(|reveal| reveal.at)
    }
}
