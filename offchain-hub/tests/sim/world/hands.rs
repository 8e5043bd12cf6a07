//! What a test does to a world by hand, and looks at.

use super::{PlainTry, World, FEE};
use codec::{Decode, Encode};
use failsafe_channel::PaymentId;
use failsafe_hub::{
    party::{
        core::{Action, Core, Input, Output},
        policy::Policy,
        records::PaymentRecord,
        Answer, Command, CommandError, Exposure, PaymentState,
    },
    store::{
        backup::{self, Backup},
        Batch, Store, Table,
    },
};
use failsafe_primitives::{fees::HubFees, AccountId, Balance, NATIVE_ASSET};
use rand::Rng;
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Where a payment stands for its payer; `None` if it was not even begun.
pub type PlainEnd = Option<PaymentState>;

impl World {
    /// Gives a command and tells what was answered, if it was, when all messages have arrived.
    pub fn ask(&mut self, at: usize, command: Command) -> Option<Result<Answer, CommandError>> {
        let (reply, mut answer) = tokio::sync::oneshot::channel();
        self.feed(at, Input::Command(command, reply));
        self.settle_network();
        answer.try_recv().ok()
    }

    /// Begins a payment without locks and fees to who is behind the next party, and waits for nothing.
    pub fn begin_plain(&mut self, payer: usize, payee: usize, id: PaymentId, amount: Balance) {
        let (via, to) = (self.account(payer + 1), self.account(payee));
        let fees = HubFees::default();
        self.plain.push(PlainTry { payer, payee, id });
        self.command(payer, Command::Pay { id, via, to, asset: NATIVE_ASSET, amount, fees });
    }

    /// A payment over the hubs between that are trusted to pay it on: one of them.
    pub fn pay_plain(&mut self, payer: usize, payee: usize, amount: Balance) -> PlainEnd {
        let id = failsafe_channel::PaymentId(self.rng.gen());
        let (via, to) = (self.account(payer + 1), self.account(payee));
        let fees = HubFees { base: FEE, ppm: 0 };
        let pay = Command::Pay { id, via, to, asset: NATIVE_ASSET, amount, fees };
        self.ask(payer, pay);
        let record = self.parties[payer].core.payment(&id);
        record.map(|record| record.state)
    }

    /// A new name, and the accounts of hub and payee.
    pub fn route(
        &mut self,
        hub: usize,
        payee: usize,
    ) -> (failsafe_channel::PaymentId, AccountId, AccountId) {
        let id = failsafe_channel::PaymentId(self.rng.gen());
        (id, self.account(hub), self.account(payee))
    }

    /// A payment with locks that has got as far as the hub's own lock, and no further.
    ///
    /// # Errors
    /// It has not got so far.
    pub fn lock_at(
        &mut self,
        hub: usize,
        payer: usize,
        payee: usize,
        amount: Balance,
    ) -> Result<(), String> {
        self.pay(payer, payee, amount, 1);
        loop {
            let channels = self.parties[hub].core.channels();
            let locked = |channel: &&failsafe_channel::Channel| {
                channel.asset_summary(NATIVE_ASSET).own_locked > 0
            };
            if channels.iter().any(locked) {
                return Ok(());
            }
            if !self.deliver() {
                return Err("all is delivered, and the hub has locked nothing".into());
            }
        }
    }

    /// How the last payment with locks ended for its payer.
    pub fn last_end(&self) -> PlainEnd {
        let last = self.tries.last()?;
        self.parties[last.payer].core.payment(&last.id).map(|record| record.state)
    }

    /// Somebody without a channel connects. Whether it is sent away at once.
    pub fn sends_strangers_away(&mut self, at: usize) -> bool {
        let stranger = AccountId::new([77; 32]);
        let mut out = Output::default();
        let knock = Input::Connected { partner: stranger.clone(), session: 999_999 };
        self.parties[at].core.handle(self.now_ms, knock, &mut out);
        let away =
            |action: &Action| matches!(action, Action::Disconnect(who, _) if *who == stranger);
        let gone = Input::Disconnected { partner: stranger.clone(), session: 999_999 };
        self.parties[at].core.handle(self.now_ms, gone, &mut Output::default());
        out.actions.iter().any(away)
    }

    /// Somebody connects whose channel another one has. Whether it is sent away at once.
    pub fn sends_away(&mut self, at: usize, who: usize) -> bool {
        let partner = self.account(who);
        let mut out = Output::default();
        let knock = Input::Connected { partner: partner.clone(), session: 999_999 };
        self.parties[at].core.handle(self.now_ms, knock, &mut out);
        let is_away =
            |action: &Action| matches!(action, Action::Disconnect(who, _) if *who == partner);
        let sent = out.actions.iter().any(is_away);
        sent && out.actions.len() == 1
    }

    /// As whom a process knows the other one.
    pub fn process_of(&self, at: usize) -> AccountId {
        let others = (0..self.parties.len()).filter(|other| *other != at);
        let other = others.into_iter().find(|other| self.is_one(at, *other));
        self.name(other.expect("there are two"), at)
    }

    /// The processes of a hub lose each other.
    pub fn disconnect_hub(&mut self) {
        for at in 1..self.parties.len() {
            if self.is_one(at - 1, at) {
                self.disconnect(at - 1, at);
            }
        }
    }

    /// What nobody else may see: secrets of payments that were not revealed on chain, and keys.
    pub fn secrets(&self) -> Vec<Vec<u8>> {
        let invoices = self.tries.iter().enumerate().filter_map(|(number, known)| {
            let invoice = self.parties[known.payee].core.invoice(&known.hash)?;
            // The first one is all zeros but its number, which much else is.
            (number > 0).then(|| invoice.secret.to_vec())
        });
        let keys = self.parties.iter().map(|party| party.onion_key.to_vec());
        invoices.chain(keys).collect()
    }

    /// Ends a process and starts it again.
    pub fn restart(&mut self, at: usize) {
        for to in 0..self.parties.len() {
            self.disconnect(at, to);
        }
        self.wake(at);
        self.connect_all();
        self.settle_network();
    }

    /// A backup of a party's disk.
    pub fn back_up(&self, at: usize, path: &Path) {
        backup::write(&*self.parties[at].disk, path, self.now_ms).expect("a new file");
    }

    /// A party starts from a backup: what came after it is lost.
    pub fn restore(&mut self, at: usize, path: &Path) {
        for to in 0..self.parties.len() {
            self.disconnect(at, to);
        }
        let (records, _) = backup::read(path).and_then(Backup::restored).expect("it is whole");
        let disk = Arc::new(super::Disk::default());
        disk.commit(&records).expect("the disk is fine");
        self.parties[at].disk = disk;
        self.wake(at);
    }

    /// A party's disk loses what it knows of a payment that is over, and the party starts again.
    pub fn forget_payment(&mut self, at: usize, id: &PaymentId) {
        let mut batch = Batch::default();
        for (page, content) in
            self.parties[at].disk.scan(Table::Payments).expect("the disk is fine")
        {
            let content = Vec::<(PaymentId, PaymentRecord)>::decode(&mut &content[..]);
            let mut content = content.expect("it was written by the party");
            content.retain(|(known, _)| known != id);
            batch.put(Table::Payments, page, content.encode());
        }
        let history = self.parties[at].disk.scan(Table::History).expect("the disk is fine");
        for (key, _) in history.into_iter().filter(|(key, _)| key.ends_with(&id.0)) {
            batch.delete(Table::History, key);
        }
        self.parties[at].disk.commit(&batch).expect("the disk is fine");
        self.restart(at);
    }

    /// How a party behaves.
    pub fn policy(&self, at: usize) -> Policy {
        self.parties[at].policy.clone()
    }

    /// What is told to monitoring of a party.
    pub fn core(&self, at: usize) -> &Core {
        &self.parties[at].core
    }

    /// Whether every party's running sums are those of its channels.
    ///
    /// # Errors
    /// Says whose are not.
    pub fn check_exposures(&self) -> Result<(), String> {
        for (at, party) in self.parties.iter().enumerate() {
            let rows = |all: &BTreeMap<_, Exposure>| {
                let some = all.iter().filter(|(_, row)| **row != Exposure::default());
                some.map(|(asset, row)| (*asset, *row)).collect::<BTreeMap<u32, Exposure>>()
            };
            let (known, counted) =
                (rows(party.core.exposure()), rows(&party.core.exposure_recounted()));
            if known != counted {
                return Err(format!("{at} believes {known:?}, but it is {counted:?}"));
            }
        }
        Ok(())
    }
}
