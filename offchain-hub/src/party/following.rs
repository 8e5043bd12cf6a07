//! How far the chain has been followed. It is stored, so that after a restart only those channels are
//! read again that later blocks touch, however many there are.

use super::core::{Core, Output};
use crate::{
    chain::Followed,
    store::{Store, StoreError, Table},
};
use codec::{DecodeAll, Encode};
use failsafe_channel::PairFacts;

const FOLLOWED: &[u8] = b"followed";

/// Up to which block the chain has been followed, and what is known of the next one.
#[derive(Default)]
pub(super) struct Following {
    place: Option<Followed>,
    /// Parts of the next finalized block: those that say something new.
    parts: Vec<PairFacts>,
}

impl Following {
    /// As the store has it.
    pub(super) fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let Some(bytes) = store.get(Table::Meta, FOLLOWED)? else { return Ok(Self::default()) };
        let place = Followed::decode_all(&mut &bytes[..]).map_err(|e| StoreError::Damaged {
            table: Table::Meta.name(),
            reason: format!("how far the chain was followed: {e}"),
        })?;
        Ok(Self { place: Some(place), parts: vec![] })
    }

    /// The parts of the block that is reported now.
    pub(super) fn take_parts(&mut self) -> Vec<PairFacts> {
        std::mem::take(&mut self.parts)
    }
}

impl Core {
    /// Up to which block all channels are known; `None` when every one is to be read.
    pub fn followed(&self) -> Option<Followed> {
        let place = self.following.place;
        place.filter(|_| !self.is_newly_restored())
    }

    /// Pairs of the next finalized block. Nearly all are as they were: those are not kept.
    pub(super) fn on_part(&mut self, mut facts: Vec<PairFacts>) {
        facts.retain(|facts| {
            let partner = self.partner_of(facts);
            partner.is_some_and(|partner| !self.entries.sleeps_through(&partner, facts))
        });
        self.following.parts.extend(facts);
    }

    /// Everything up to a block was taken in: it is stored together with it, or later.
    pub(super) fn on_followed(&mut self, place: Followed, out: &mut Output) {
        self.following.place = Some(place);
        out.batch.put(Table::Meta, FOLLOWED, place.encode());
    }
}
