//! What parties say to each other, and the lines between them.

use super::half::{Amounts, Transition};
use crate::chain::{
    sign, Account, Ack, BlockNumber, Close, Epoch, Secret, Signed, Simplex, Withdrawal,
};
use std::collections::{BTreeMap, VecDeque};

/// A change of the sender's half.
#[derive(Clone, Debug)]
pub(super) struct Update {
    pub epoch: Epoch,
    pub nonce: u64,
    pub changes: Vec<Transition>,
    pub as_of: BlockNumber,
    pub terms: usize,
    pub signed: Signed<Simplex>,
}

/// A message.
#[derive(Clone, Debug)]
pub(super) enum Message {
    Update(Update),
    Ack(Signed<Ack>),
    Fulfill {
        epoch: Epoch,
        id: u64,
        secret: Secret,
    },
    Fail {
        epoch: Epoch,
        id: u64,
    },
    Terms {
        epoch: Epoch,
        version: usize,
        credit: Amounts,
    },
    TermsAck {
        epoch: Epoch,
        version: usize,
        nonce: u64,
    },
    Proof {
        name: u64,
        proof: Signed<Withdrawal>,
    },
    Refused {
        epoch: Epoch,
        name: u64,
    },
    CloseSigned {
        close: Signed<Close>,
    },
    /// Begins a session: the epoch and how many updates of the partner have come.
    Hello {
        epoch: Epoch,
        received: u64,
    },
    /// The newest simplex of an epoch that a dispute has ended, and the updates not acked.
    HandOver {
        signed: Signed<Simplex>,
        updates: Vec<Update>,
    },
}

/// Lines between parties: each keeps its order, among each other they have none.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    lines: BTreeMap<(Account, Account), VecDeque<Message>>,
}

impl Wire {
    pub fn send(&mut self, from: Account, to: Account, message: Message) {
        self.lines.entry((from, to)).or_default().push_back(message);
    }

    /// Loses what is under way between two parties.
    pub fn cut(&mut self, one: Account, other: Account) {
        self.lines.remove(&(one, other));
        self.lines.remove(&(other, one));
    }

    /// The lines with something on them.
    pub fn busy(&self) -> Vec<(Account, Account)> {
        let busy = self.lines.iter().filter(|(_, line)| !line.is_empty());
        busy.map(|(line, _)| *line).collect()
    }

    pub fn take(&mut self, line: (Account, Account)) -> Option<Message> {
        self.lines.get_mut(&line)?.pop_front()
    }
}

/// The receipt for a simplex.
pub(super) fn acknowledge(by: Account, simplex: &Simplex) -> Signed<Ack> {
    sign(by, Ack(simplex.clone()))
}
