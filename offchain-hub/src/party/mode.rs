//! What a hub takes at the moment: everything, no forwards, or neither forwards nor new partners.
//! It is decided by the operator and survives restarts.

use super::{
    command::{Answer, CommandError},
    core::{Core, Output},
    policy::Role,
};
use crate::store::{Store, StoreError, Table};
use codec::{Decode, DecodeAll, Encode};
use tracing::info;

/// Where the store keeps it.
const MODE: &[u8] = b"mode";

/// What a hub takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub enum Mode {
    /// Everything.
    #[default]
    #[codec(index = 0)]
    Open,
    /// No payment is forwarded; everything else goes on.
    #[codec(index = 1)]
    Paused,
    /// No payment is forwarded and no new partner is taken; what is pending is settled, insured
    /// and paid out.
    #[codec(index = 2)]
    Draining,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Paused, Self::Draining];

    /// Its name for people and machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Draining => "draining",
        }
    }

    /// As the store has it.
    pub(super) fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let Some(bytes) = store.get(Table::Meta, MODE)? else { return Ok(Self::default()) };
        Self::decode_all(&mut &bytes[..]).map_err(|e| StoreError::Damaged {
            table: Table::Meta.name(),
            reason: format!("the hub's mode: {e}"),
        })
    }
}

impl Core {
    /// Changes what is taken, durably.
    pub(super) fn set_mode(
        &mut self,
        mode: Mode,
        out: &mut Output,
    ) -> Result<Answer, CommandError> {
        if self.policy.role != Role::Hub {
            return Err(CommandError::NotAHub);
        }
        info!(from = self.mode.name(), to = mode.name(), "the operator changes what the hub takes");
        out.batch.put(Table::Meta, MODE, mode.encode());
        self.mode = mode;
        // Other hubs learn at once whether payments can go through us.
        self.announced_ms = 0;
        Ok(Answer::Done)
    }

    /// Whether payments are forwarded now.
    pub(super) fn forwards(&self) -> bool {
        self.policy.role == Role::Hub && self.mode == Mode::Open && self.is_fresh()
    }
}
