//! A copy that was restored from a backup (`protocol.md` §4 "Restored copy").
//!
//! It may be old: the partner may have a newer simplex of ours, an acknowledgement, a close or a
//! withdrawal proof that we signed after the backup was made. So from the restore on the channel is
//! frozen without an end, over every epoch, until the partner's `Reestablish` has been taken in: then
//! what it proves is adopted, and the freeze ends as after a repair, when nothing that we have
//! forgotten can be used any more. Meanwhile nothing is signed, no dispute is opened unless a person
//! decides to go by the old copy, and no lock of ours is called dead. A dispute of the partner is
//! answered: what we have can only replace what is older.

use crate::{
    effect::{Effect, Event},
    error::Refusal,
    freeze::Freezes,
    reservation::MAX_VALIDITY,
    state::Channel,
    Context,
};
use failsafe_primitives::Clock;

/// End of the freeze of a restored copy as long as it is not known.
const UNKNOWN: Clock = Clock::MAX;

impl Freezes {
    /// Whether this is a restored copy that the partner has not been compared with yet.
    pub(crate) fn restored(&self) -> bool {
        self.repaired == Some(UNKNOWN)
    }
}

impl Channel {
    /// Marks a copy that was read from a backup, or a channel that a restored store does not have and
    /// may have lost. To be stored before it is used.
    pub fn mark_restored(&mut self) {
        self.end_session();
        self.state.freezes.repaired = Some(UNKNOWN);
    }

    /// Whether this is a restored copy that the partner has not been compared with yet.
    pub fn restored(&self) -> bool {
        self.state.freezes.restored()
    }

    /// The partner has said where it stands, and has proved what it knows beyond our copy.
    pub(crate) fn compared(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        if !self.restored() {
            return vec![];
        }
        let now = ctx.finalized.clock.max(ctx.best.clock);
        let until = now.saturating_add(MAX_VALIDITY);
        self.freeze(|freezes| freezes.repaired = Some(until))
    }

    /// Goes on after a loss or a repair, once the partner has proved what it knows: for a channel that
    /// never comes before the chain, where nothing that was signed and forgotten can be used. In a new
    /// session.
    pub fn resume(&mut self) -> Vec<Effect> {
        let waits = self.state.data_lost || self.state.freezes.repaired.is_some();
        if !waits || self.restored() {
            return vec![];
        }
        self.state.data_lost = false;
        self.state.freezes.repaired = None;
        self.end_session();
        vec![Effect::Persist, Effect::Event(Event::Thawed)]
    }

    /// Like [`Channel::dispute`], by a restored copy although the partner has not shown yet what it
    /// knows: for a partner that will never come back. What it has paid since the backup does not
    /// count then unless it shows it, and it gets the dispute deposit if it shows something newer of
    /// ours.
    ///
    /// # Errors
    /// As [`Channel::dispute`].
    pub fn dispute_by_restored_copy(&mut self) -> Result<Vec<Effect>, Refusal> {
        self.take_to_chain()
    }
}
