//! A store that was restored from a backup: what the engine cannot know by itself.
//!
//! Each channel of the backup is marked and looks after itself (`failsafe_channel::restored`). What
//! is left: channels that came after the backup, and payments that were still to be given back.

use super::core::{Core, Output};
use crate::store::{Restored, Table};
use failsafe_channel::{Channel, Moment};
use failsafe_primitives::AccountId;
use tracing::{error, warn};

impl Core {
    /// A channel that the store does not have may have been lost with it.
    pub(super) fn distrust_new(&self, channel: &mut Channel) {
        let matters = |restored: &Restored| restored.matters(self.finalized.clock);
        if self.restored.as_ref().is_some_and(matters) {
            warn!(partner = %channel.partner(), "a channel after a restore: it may have been lost");
            channel.mark_restored();
        }
    }

    /// Notes when the store was seen for the first time after it was restored.
    pub(super) fn note_restore(&mut self, moment: Moment, out: &mut Output) {
        if let Some(restored @ Restored { since: None }) = &mut self.restored {
            restored.since = Some(moment.clock);
            restored.put(&mut out.batch);
        }
    }

    /// Whether the store was restored and has not been seen with the chain since.
    pub(super) fn is_newly_restored(&self) -> bool {
        self.restored.as_ref().is_some_and(|restored| restored.since.is_none())
    }

    /// What was owed to the partner as a return may have been given back by what was lost: to give
    /// it back again is for a person to decide.
    pub(super) fn forget_returns(&mut self, partner: &AccountId, out: &mut Output) {
        let to = self.returns.iter().filter(|(_, owed)| owed.payer == *partner);
        for number in to.map(|(number, _)| *number).collect::<Vec<_>>() {
            let Some(owed) = self.returns.remove(&number) else { continue };
            out.batch.delete(Table::Returns, number.to_be_bytes());
            error!(
                %partner, asset = owed.asset, amount = owed.amount, payment = %owed.id,
                "data was lost: look whether this payment was given back, and pay it if not"
            );
        }
    }
}
