//! Payments that ended a while ago: on disk only, so that a hub does not need more memory, nor more
//! time to start, with every payment it has ever made. Their names stay taken.

use super::{
    core::{Core, Output},
    records::{Archived, PaymentRecord},
};
use crate::store::{Store, StoreError, Table};
use codec::{DecodeAll, Encode};
use failsafe_channel::PaymentId;

const ARCHIVED: &[u8] = b"archived";
/// Payments that are put away with one commit at most: more than one brings.
const MOST: usize = 4_096;

/// What the store knows of payments that were put away.
pub(super) fn load(store: &dyn Store) -> Result<Archived, StoreError> {
    let Some(bytes) = store.get(Table::Meta, ARCHIVED)? else { return Ok(Archived::default()) };
    Archived::decode_all(&mut &bytes[..]).map_err(|e| StoreError::Damaged {
        table: Table::Meta.name(),
        reason: format!("what is known of older payments: {e}"),
    })
}

fn read(store: &dyn Store, id: &PaymentId) -> Result<Option<PaymentRecord>, StoreError> {
    let Some(bytes) = store.get(Table::History, &id.encode())? else { return Ok(None) };
    let record = PaymentRecord::decode_all(&mut &bytes[..]);
    record
        .map(Some)
        .map_err(|e| StoreError::Damaged { table: Table::History.name(), reason: e.to_string() })
}

impl Core {
    /// A payment by its name, however old.
    pub fn payment(&self, id: &PaymentId) -> Option<PaymentRecord> {
        if let Some(record) = self.payments.get(id) {
            return Some(record.clone());
        }
        if !self.payments.are_archived() {
            return None;
        }
        read(&*self.store, id).unwrap_or_else(|problem| {
            // The first one is told; nothing is stored or sent after it.
            let _ = self.failure.set(problem);
            None
        })
    }

    /// How many payments are in memory.
    pub fn payments_in_memory(&self) -> usize {
        self.payments.in_memory()
    }

    /// Whether a payment of this name was made, however long ago.
    pub(super) fn knows_payment(&self, id: &PaymentId) -> bool {
        self.payments.get(id).is_some() || self.payment(id).is_some()
    }

    /// Why the store could not be read. What was worked out since then must neither be stored nor
    /// sent.
    pub(super) fn failure(&mut self) -> Option<StoreError> {
        self.failure.take()
    }

    /// Puts the oldest payments away that are over, with the commit that follows at once.
    pub(super) fn archive_payments(&mut self, out: &mut Output) {
        let archived = self.payments.archive(self.policy.payments_in_memory, MOST);
        let Some((gone, known)) = archived else { return };
        for (id, record) in gone {
            out.batch.delete(Table::Payments, id.encode());
            out.batch.put(Table::History, id.encode(), record.encode());
        }
        out.batch.put(Table::Meta, ARCHIVED, known.encode());
    }
}
