//! When a channel makes and takes no updates (`protocol.md` §4 "Freeze", M1).
//!
//! Every cause is kept by itself: a dispute that a reorganisation removes must not end the freeze of
//! a signed close that can still be submitted. Updates go on when the last cause is over.

use crate::{
    effect::{Effect, Event},
    state::Channel,
    Context,
};
use codec::{Decode, Encode};
use failsafe_primitives::{BlockNumber, Clock, Epoch};
use std::{collections::BTreeMap, mem::discriminant};

/// Why a channel takes no updates (M1).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum FreezeReason {
    /// We have opened a dispute, or are about to.
    #[codec(index = 0)]
    OwnDispute,
    /// A best block has a dispute, accept, close or resolve of the channel.
    #[codec(index = 1)]
    SeenOnChain {
        /// That block.
        block: BlockNumber,
    },
    /// We have signed a close.
    #[codec(index = 2)]
    CloseSigned {
        /// Last usable block at which it can be submitted.
        valid_until: Clock,
    },
    /// We have a close that the partner signed, and submit it.
    #[codec(index = 3)]
    Closing {
        /// Last usable block at which it can be submitted.
        valid_until: Clock,
    },
    /// We had lost data and the partner proved it. Whatever else we signed and forgot, a withdrawal
    /// proof or a close, may still be used.
    #[codec(index = 4)]
    Repaired {
        /// Last usable block at which that is possible.
        until: Clock,
    },
    /// The copy is from a backup, and the partner has not shown yet what it knows.
    #[codec(index = 5)]
    Restored,
}

impl core::fmt::Display for FreezeReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::OwnDispute => write!(f, "we have opened a dispute"),
            Self::SeenOnChain { block } => {
                write!(f, "block {block} has a dispute or close of the channel")
            },
            Self::CloseSigned { valid_until } => {
                write!(f, "we have signed a close that is valid until clock {valid_until}")
            },
            Self::Closing { valid_until } => {
                write!(f, "we submit a close that is valid until clock {valid_until}")
            },
            Self::Repaired { until } => {
                write!(f, "data was lost, what we had signed may be used until clock {until}")
            },
            Self::Restored => write!(
                f,
                "it was restored from a backup, and the partner has not connected since: it may \
                 know more than the backup"
            ),
        }
    }
}

/// The causes of a freeze, each for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Freezes {
    /// We have opened a dispute, or are about to. Over with the epoch.
    pub own_dispute: bool,
    /// Newest best block that showed the dispute or the end of this epoch and of those before it.
    /// Later epochs than the channel's stand here while finality is behind.
    pub seen: BTreeMap<Epoch, BlockNumber>,
    /// Last usable block at which a close that we have signed can be submitted.
    pub close_signed: Option<Clock>,
    /// Last usable block at which a close that the partner has signed can be submitted by us.
    pub closing: Option<Clock>,
    /// Last usable block at which something can be used that we signed and have forgotten.
    pub repaired: Option<Clock>,
}

impl Freezes {
    /// The most important cause that concerns `epoch`.
    pub fn reason(&self, epoch: Epoch) -> Option<FreezeReason> {
        if self.own_dispute {
            return Some(FreezeReason::OwnDispute);
        }
        if let Some(block) = self.seen(epoch) {
            return Some(FreezeReason::SeenOnChain { block });
        }
        if let Some(valid_until) = self.closing {
            return Some(FreezeReason::Closing { valid_until });
        }
        if let Some(valid_until) = self.close_signed {
            return Some(FreezeReason::CloseSigned { valid_until });
        }
        if self.restored() {
            return Some(FreezeReason::Restored);
        }
        self.repaired.map(|until| FreezeReason::Repaired { until })
    }

    /// The newest best block that showed the dispute or the end of `epoch`.
    pub fn seen(&self, epoch: Epoch) -> Option<BlockNumber> {
        self.seen.range(epoch..).map(|(_, block)| *block).max()
    }

    /// Notes that a best block showed the dispute or the end of all epochs up to `through`. A block
    /// only replaces an earlier one: a dispute that was included again is lifted by the later block.
    pub(crate) fn see(&mut self, through: Epoch, block: BlockNumber) {
        let newest = self.seen.entry(through).or_insert(block);
        *newest = block.max(*newest);
    }
}

/// Later of two deadlines.
pub(crate) fn later(known: Option<Clock>, new: Clock) -> Option<Clock> {
    Some(known.map_or(new, |known| known.max(new)))
}

impl Channel {
    /// Why there are no updates: the most important cause.
    pub fn frozen(&self) -> Option<FreezeReason> {
        self.state.freezes.reason(self.epoch())
    }

    /// Adds a cause, durably, before anything leaves that makes it necessary.
    pub(crate) fn freeze(&mut self, add: impl FnOnce(&mut Freezes)) -> Vec<Effect> {
        let before = self.frozen();
        add(&mut self.state.freezes);
        let mut effects = vec![Effect::Persist];
        if let Some(reason) = self.frozen() {
            if before.map(|before| discriminant(&before)) != Some(discriminant(&reason)) {
                effects.push(Effect::Event(Event::Frozen { reason }));
            }
        }
        effects
    }

    /// Drops the causes that are over: a sighting when finality has passed its block and shows no
    /// dispute, a signature when it cannot be used any more. With the last one updates go on, in a
    /// new session: what was ignored in this one has to be sent again.
    pub(crate) fn thaw(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        if self.state.freezes == Freezes::default() {
            return vec![];
        }
        let (epoch, finalized) = (self.epoch(), ctx.finalized);
        let disputed = self.state.facts.view.dispute.is_some();
        let frozen = self.frozen().is_some();
        let mut left = self.state.freezes.clone();
        left.seen
            .retain(|through, block| *block > finalized.block || (disputed && *through == epoch));
        for deadline in [&mut left.close_signed, &mut left.closing, &mut left.repaired] {
            *deadline = deadline.filter(|until| finalized.clock <= *until);
        }
        if left == self.state.freezes {
            return vec![];
        }
        self.state.freezes = left;
        let mut effects = vec![Effect::Persist];
        if frozen && self.frozen().is_none() {
            self.end_session();
            effects.push(Effect::Event(Event::Thawed));
        }
        effects
    }

    /// The causes that are left when `epoch` begins with finalized block `at`: what newer best
    /// blocks have shown of it, and that our copy may be old in it too.
    pub(crate) fn freezes_of_new_epoch(&self, epoch: Epoch, at: BlockNumber) -> Freezes {
        let seen = self.state.freezes.seen.range(epoch..);
        let seen =
            seen.filter(|(_, block)| **block > at).map(|(through, block)| (*through, *block));
        let restored = self.state.freezes.repaired.filter(|_| self.restored());
        Freezes { seen: seen.collect(), repaired: restored, ..Freezes::default() }
    }
}
