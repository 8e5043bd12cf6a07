//! The other processes of the same hub (`docs/processes.md`).
//!
//! Each process has the channels of its own share of the partners, in a store of its own. Between two
//! of them is a channel, too: the same engine brings over what one has to tell the other, exactly once
//! whatever fails. It has no collateral, no limit but that of the numbers, and nothing of it ever
//! comes before the chain: both ends are the same hub.
//!
//! # Payments without locks
//! The payer's process keeps the fee and pays the rest over with [`Purpose::Relay`]; the payee's
//! process delivers it, or gives it back. `Delivered` comes back the same way.
//!
//! # Payments with locks
//! The payer's process locks the same amount towards the payee's process, with the same hash, expiry
//! and onion. That one is the hub that the onion means: it asks for fee and time, and locks onwards.
//! Both may use the same expiry because one account stands behind both locks: a secret that came too
//! late to be told is revealed on chain by the payee's process, and opens the payer's lock as well.

use super::{
    command::{Command, CommandError, ProcessStanding},
    connections::Front,
    core::{Core, Entry, Output},
    forward::OwedReturn,
    records::{Direction, PaymentRecord, PaymentState, Payments},
    runtime::PartyError,
};
use crate::{
    keys::{AccountKey, KeyError, Scheme},
    store::Share,
};
use codec::Encode;
use failsafe_channel::{
    AssetTerms, Channel, Moment, PairFacts, PaymentId, Purpose, Refusal, ReturnReason, Sign,
};
use failsafe_onion::Next;
use failsafe_primitives::{
    arithmetic::LIMIT, simplex::MAX_LOCKS_HUBS, AccountId, AssetId, Balance,
};
use sp_crypto_hashing::blake2_256;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tracing::{info, warn};

/// Domain tag of the keys of processes.
const KEY_TAG: &str = "failsafe/process/1";
/// Most payments that wait until another process has acknowledged those before them.
const MAX_WAITING: usize = 1 << 16;

/// The key of a hub's process towards the others: made of the hub's transport key, which all have, and
/// of how many there are, so that those with different plans do not take each other for processes.
///
/// # Errors
/// [`KeyError::Invalid`] never happens with 32 bytes.
pub fn process_key(transport: &[u8; 32], number: u32, count: u32) -> Result<AccountKey, KeyError> {
    let seed = blake2_256(&(KEY_TAG, transport, number, count).encode());
    AccountKey::from_uri(Scheme::Ed25519, &format!("0x{}", hex::encode(seed)))
}

/// Most processes of a hub: each has a session with each other.
pub const MAX_PROCESSES: usize = 64;

/// Where the processes of a hub are, as its operator has planned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessPlan {
    /// The number of this one, from 0 on.
    pub number: usize,
    /// Where users reach each of them, by number: `host:port`.
    pub public: Vec<String>,
    /// Where each of them listens for the others, by number: `host:port`.
    pub private: Vec<String>,
}

impl ProcessPlan {
    /// What is wrong with it, for people.
    ///
    /// # Errors
    /// It is not a plan of 2 to [`MAX_PROCESSES`] processes, of which this is one.
    pub fn check(&self) -> Result<(), String> {
        let Self { number, public, private } = self;
        if public.len() != private.len() {
            return Err("`public` and `private` name a place for each process: as many".into());
        }
        if !(2..=MAX_PROCESSES).contains(&public.len()) {
            return Err(format!("there are 2 to {MAX_PROCESSES}, or leave it out"));
        }
        if *number >= public.len() {
            let last = public.len().saturating_sub(1);
            return Err(format!("`number` is {number}, but there are 0 to {last}"));
        }
        let twice =
            |places: &[String]| (1..places.len()).any(|at| places[..at].contains(&places[at]));
        if twice(public) || twice(private) {
            return Err("two processes have the same place".into());
        }
        let no_port = |place: &&String| {
            let port = place.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
            !matches!(port, Some((host, Ok(port))) if !host.is_empty() && port > 0)
        };
        match public.iter().chain(private).find(no_port) {
            Some(place) => Err(format!("{place:?} is no place: expected host:port")),
            None => Ok(()),
        }
    }

    /// Where this one listens for the others.
    pub(super) fn here(&self) -> &str {
        self.private.get(self.number).map_or("", String::as_str)
    }

    /// All of them, and the key of this one.
    pub(super) fn members(
        self,
        transport: &[u8; 32],
    ) -> Result<(Front, Arc<AccountKey>), PartyError> {
        self.check().map_err(PartyError::Processes)?;
        let count = u32::try_from(self.public.len()).unwrap_or(u32::MAX);
        let keys = (0..count).map(|number| process_key(transport, number, count));
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?;
        let accounts = keys.iter().map(Sign::account).collect();
        let unknown = || PartyError::Processes("there is no process of this number".into());
        let share = Share::new(self.number, accounts).ok_or_else(unknown)?;
        Ok((Front { share, plan: self.clone() }, Arc::new(keys.swap_remove(self.number))))
    }
}

/// What a process knows of the others.
#[derive(Default)]
pub(super) struct Processes {
    /// Which partners are ours; `None` when all are.
    pub share: Option<Share>,
    /// Our key towards the others; `None` when the store is only looked at.
    pub key: Option<Arc<AccountKey>>,
    /// Payments that are to be paid over as soon as there is room for them, by process.
    waiting: BTreeMap<AccountId, VecDeque<PaymentId>>,
}

impl Processes {
    /// As a store has it, with these payments.
    pub(super) fn load(share: Option<Share>, payments: &Payments) -> Self {
        let mut waiting: BTreeMap<AccountId, VecDeque<PaymentId>> = BTreeMap::new();
        if let Some(share) = &share {
            for (id, process) in payments.waiting() {
                if share.is_process(process) {
                    waiting.entry(process.clone()).or_default().push_back(id);
                }
            }
        }
        Self { share, key: None, waiting }
    }
}

impl Core {
    /// Takes part in a hub of several processes, with this key towards the others.
    pub fn with_process_key(mut self, key: Arc<AccountKey>) -> Self {
        self.processes.key = Some(key);
        self
    }

    /// Which partners are ours; `None` when all are.
    pub fn share(&self) -> Option<&Share> {
        self.processes.share.as_ref()
    }

    /// Whether this is another process of our hub.
    pub fn is_process(&self, account: &AccountId) -> bool {
        self.share().is_some_and(|share| share.is_process(account))
    }

    /// The process that has the channel with `partner`, if we do not.
    pub(super) fn elsewhere(&self, partner: &AccountId) -> Option<&AccountId> {
        self.share()?.elsewhere(partner)
    }

    /// Over whom something reaches `account`: itself, or the process that has the channel with it.
    pub(super) fn towards<'a>(&'a self, account: &'a AccountId) -> &'a AccountId {
        self.elsewhere(account).unwrap_or(account)
    }

    /// What signs for the channel with `partner`.
    pub(super) fn key_for(&self, partner: &AccountId) -> &Arc<AccountKey> {
        let own = self.processes.key.as_ref().filter(|_| self.is_process(partner));
        own.unwrap_or(&self.key)
    }

    /// How many processes share what the hub has and may owe.
    fn count(&self) -> Balance {
        let count = self.share().map_or(1, Share::count);
        Balance::try_from(count).unwrap_or(Balance::MAX)
    }

    /// Our part of what all processes together may owe.
    pub(super) fn part_of_cap(&self, cap: Balance) -> Balance {
        cap.checked_div(self.count()).unwrap_or_default()
    }

    /// Our part of what the hub has on chain, so that no two processes count on the same money. The
    /// reserve stays whole.
    pub(super) fn part_of_funds(&self, spendable: Balance, reserve: Balance) -> Balance {
        let Some(above) = spendable.checked_sub(reserve) else { return spendable };
        let part = above.checked_div(self.count()).unwrap_or_default();
        reserve.checked_add(part).unwrap_or(spendable)
    }

    /// Which one we are, and whether the others are there.
    pub(super) fn process_standing(&self) -> Option<ProcessStanding> {
        let share = self.share()?;
        let is_here = |process: &&AccountId| {
            self.entries.get(process).is_some_and(|entry| entry.session.is_some())
        };
        let connected = share.others().filter(is_here).count();
        Some(ProcessStanding { number: share.number(), count: share.count(), connected })
    }

    /// Whether the plan of the processes is one that another process has, too: one of them has
    /// connected at some time, with a key that only the same number of processes gives.
    pub(super) fn has_met_a_process(&self) -> bool {
        let met = |share: &Share| share.others().any(|other| self.entries.contains_key(other));
        self.share().is_none_or(met)
    }

    /// Another process has connected: the channel with it, if it is the first time.
    pub(super) fn meet_process(&mut self, process: &AccountId, out: &mut Output) {
        if self.entries.contains_key(process) {
            return;
        }
        let Some(me) = self.share().map(|share| share.account().clone()) else { return };
        let Ok(mut facts) = PairFacts::unknown(&me, process, Moment::default()) else { return };
        facts.view.max_locks = MAX_LOCKS_HUBS;
        facts.view.hubs = [true; 2];
        let Ok(mut channel) = Channel::new(self.genesis, &me, process, facts) else { return };
        self.distrust_new(&mut channel);
        info!(%process, "another process of this hub");
        self.entries.insert(process.clone(), Entry::new(channel));
        out.dirty.insert(process.clone());
    }

    /// What is stated to another process: no limits, in all assets that the hub takes. Everything is
    /// signed, one signature for all of a commit: so what a process has lost the other one can prove.
    pub(super) fn process_terms(&self) -> BTreeMap<AssetId, AssetTerms> {
        let terms = AssetTerms { credit: LIMIT, insure_above: LIMIT, unsigned_limit: 0 };
        self.policy.terms.keys().map(|asset| (*asset, terms)).collect()
    }

    /// Refuses what a person wants of a partner that we do not have.
    pub(super) fn check_home(&self, command: &Command) -> Result<(), CommandError> {
        let Some(share) = self.share() else { return Ok(()) };
        let Some(partner) = command.partner() else { return Ok(()) };
        if share.is_process(partner) {
            return Err(CommandError::UnknownPartner(partner.clone()));
        }
        match share.elsewhere(partner) {
            None => Ok(()),
            Some(_) => Err(CommandError::OtherProcess {
                partner: partner.clone(),
                number: share.home(partner),
            }),
        }
    }

    // --- payments without locks ----------------------------------------------------------------

    /// Pays `record` over to the process that has its payee. It waits if that one is behind with its
    /// acknowledgements, since nothing is wrong with it.
    pub(super) fn relay(
        &mut self,
        id: PaymentId,
        record: PaymentRecord,
        out: &mut Output,
    ) -> Result<(), CommandError> {
        let process = record.via.clone().ok_or(CommandError::Overflow)?;
        // All its partners are out of reach: nobody knows for how long.
        self.check_established(&process)?;
        let waiting = self.processes.waiting.get(&process).map_or(0, VecDeque::len);
        if waiting == 0 {
            match self.pay_over(id, &record, out) {
                Err(CommandError::Refused(Refusal::TooManyUnacked(_))) => {},
                paid => return paid,
            }
        }
        if waiting >= MAX_WAITING {
            return Err(CommandError::Refused(Refusal::TooManyUnacked(MAX_WAITING)));
        }
        self.store_payment(id, record, out);
        self.processes.waiting.entry(process).or_default().push_back(id);
        Ok(())
    }

    fn pay_over(
        &mut self,
        id: PaymentId,
        record: &PaymentRecord,
        out: &mut Output,
    ) -> Result<(), CommandError> {
        let purpose = Purpose::Relay { id, from: record.from.clone(), to: record.to.clone() };
        self.send_payment(id, purpose, record.amount, record.clone(), out)
    }

    /// What waits for other processes goes on, as far as they have acknowledged what came before it.
    /// To be called from time to time.
    pub(super) fn relay_waiting(&mut self, out: &mut Output) {
        for process in self.processes.waiting.keys().cloned().collect::<Vec<_>>() {
            self.relay_to(&process, out);
        }
    }

    fn relay_to(&mut self, process: &AccountId, out: &mut Output) {
        while let Some(id) = self.processes.waiting.get(process).and_then(VecDeque::front).copied()
        {
            let record = self.payments.get(&id).filter(|record| record.is_waiting()).cloned();
            if let Some(record) = record {
                match self.pay_over(id, &record, out) {
                    Ok(()) => {},
                    Err(CommandError::Refused(
                        Refusal::TooManyUnacked(_) | Refusal::Frozen(_) | Refusal::Paused,
                    )) => return,
                    Err(problem) => {
                        warn!(%process, %id, %problem, "a payment cannot be paid over");
                        self.on_relay_returned(id, &record, ReturnReason::Unavailable, out);
                    },
                }
            }
            if let Some(queue) = self.processes.waiting.get_mut(process) {
                queue.pop_front();
            }
        }
        self.processes.waiting.remove(process);
    }

    /// Another process could not deliver a payment: it goes back to its payer, with its fee.
    pub(super) fn on_relay_returned(
        &mut self,
        id: PaymentId,
        record: &PaymentRecord,
        reason: ReturnReason,
        out: &mut Output,
    ) {
        self.move_payment(id, PaymentState::Returned(reason), out);
        let (payer, asset) = (record.from.clone(), record.asset);
        // It was taken as the sum of both.
        let Some(amount) = record.amount.checked_add(record.fee) else { return };
        self.give_back_or_owe(OwedReturn { payer, asset, amount, id, reason }, out);
    }

    /// Whether a payment through us went over another process.
    pub(super) fn is_relayed(&self, record: &PaymentRecord) -> bool {
        let via = record.via.as_ref().filter(|_| record.direction == Direction::Through);
        via.is_some_and(|via| self.is_process(via))
    }

    // --- payments with locks -------------------------------------------------------------------

    /// The process that has the channel with the next hop of an onion, if we do not.
    pub(super) fn process_of_hop(&self, next: &Next) -> Option<AccountId> {
        match next {
            Next::Hub(next) | Next::Recipient(next) => {
                self.elsewhere(&AccountId::new(*next)).cloned()
            },
            Next::Here { .. } | Next::Spontaneous { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_should_have_different_accounts_and_the_same_ones_at_every_start() {
        let account =
            |secret, number, count| process_key(&[secret; 32], number, count).unwrap().account();
        assert_eq!(account(1, 0, 2), account(1, 0, 2));
        assert_ne!(account(1, 0, 2), account(1, 1, 2));
        assert_ne!(account(1, 0, 2), account(2, 0, 2));
        assert_ne!(account(1, 0, 2), account(1, 0, 3), "another plan");
    }
}
