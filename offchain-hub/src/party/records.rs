//! Records of payments: so that none is made twice, and people can look.

use codec::{Decode, Encode};
use failsafe_channel::{PaymentId, ReturnReason};
use failsafe_onion::{Reason, RouteKeys, Unreadable};
use failsafe_primitives::{AccountId, AssetId, Balance, Nonce};
use std::collections::{BTreeMap, HashMap};

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PaymentState {
    /// Signed by us and durable; not acknowledged yet.
    #[codec(index = 0)]
    Sent,
    /// The hub has it and pays it on.
    #[codec(index = 1)]
    Accepted,
    /// The recipient can use it.
    #[codec(index = 2)]
    Delivered,
    /// It came back.
    #[codec(index = 3)]
    Returned(ReturnReason),
    /// It came in.
    #[codec(index = 4)]
    Received,
    /// Ours, with a lock that is pending.
    #[codec(index = 5)]
    Locked,
    /// Ours, with a lock that nobody can claim any more; nothing was paid.
    #[codec(index = 6)]
    Failed(Failure),
    /// Ours, with a lock of which nobody can tell whether it was paid: our data is lost, or the chain
    /// has forgotten the epoch. The recipient knows.
    #[codec(index = 7)]
    Unknown,
}

/// Why a payment came back, for people.
pub fn why(reason: ReturnReason) -> &'static str {
    match reason {
        ReturnReason::UnknownRecipient => "the hub has no channel with the recipient",
        ReturnReason::Capacity => "the recipient does not let the hub owe it that much",
        ReturnReason::AssetNotAccepted => "the recipient does not take this asset",
        ReturnReason::FeeTooLow => "the hub's fee was not covered",
        ReturnReason::RecipientFrozen => "the recipient's channel is in dispute or closing",
        ReturnReason::Duplicate => "a payment of this name has been made already",
        ReturnReason::Unavailable => "the hub does not forward at the moment",
        ReturnReason::RiskCap => {
            "the hub owes as much without insurance as it may; it forwards again after a rebalance"
        },
        ReturnReason::TooSmall => "the hub does not forward so little",
    }
}

/// Why a payment with locks came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Failure {
    /// A hop says why; the first hub is 0.
    #[codec(index = 0)]
    Hop(u8, Reason),
    /// No hop's report can be read: one of these is to blame.
    #[codec(index = 1)]
    Unreadable(u8, u8),
    /// The lock expired without an answer.
    #[codec(index = 2)]
    Expired,
}

impl Failure {
    /// Reads what came back over a route.
    pub fn read(keys: &RouteKeys, failure: &[u8]) -> Self {
        // A route has at most 10 hops.
        let index = |hop: usize| u8::try_from(hop).unwrap_or(u8::MAX);
        match keys.open(failure) {
            Ok((hop, reason)) => Self::Hop(index(hop), reason),
            Err(Unreadable::Rejected) => Self::Unreadable(0, 0),
            Err(Unreadable::Garbled { first, last }) => Self::Unreadable(index(first), index(last)),
        }
    }
}

impl core::fmt::Display for Failure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Hop(hop, reason) => write!(f, "hop {hop} of the route says {reason:?}"),
            Self::Unreadable(first, last) if first == last => {
                write!(f, "hop {first} of the route answers what cannot be read")
            },
            Self::Unreadable(first, last) => {
                write!(f, "hop {first} or {last} of the route answers what cannot be read")
            },
            Self::Expired => write!(f, "no answer came before the lock expired"),
        }
    }
}

/// Why parts of a payment came to nothing: the number of the route that each was tried over, and what
/// came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures(pub Vec<(u32, Failure)>);

impl Failures {
    /// What is told of a payment with several.
    pub fn last(&self) -> Option<Failure> {
        // What a hop says is worth more than silence.
        let said = self.0.iter().rev().find(|(_, failure)| *failure != Failure::Expired);
        said.or(self.0.last()).map(|(_, failure)| *failure)
    }
}

impl core::fmt::Display for Failures {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.last() {
            Some(failure) => failure.fmt(f),
            None => Failure::Expired.fmt(f),
        }
    }
}

/// Our part in a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Direction {
    /// We pay.
    #[codec(index = 0)]
    Out,
    /// We are paid.
    #[codec(index = 1)]
    In,
    /// We forward.
    #[codec(index = 2)]
    Through,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PaymentRecord {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Our part.
    pub direction: Direction,
    /// The asset.
    pub asset: AssetId,
    /// What arrives.
    pub amount: Balance,
    /// What the hub keeps.
    pub fee: Balance,
    /// Who pays.
    pub from: AccountId,
    /// Who is paid.
    pub to: AccountId,
    /// The partner to whom we signed it, if any.
    pub via: Option<AccountId>,
    /// Nonce of our simplex that pays it.
    pub nonce: Nonce,
    /// Where it stands.
    pub state: PaymentState,
}

impl PaymentRecord {
    /// Whether its fee is ours.
    fn brings_fee(&self) -> bool {
        self.direction == Direction::Through && self.state == PaymentState::Delivered
    }
}

/// All payments that a party remembers, with what is not settled yet.
#[derive(Debug, Default)]
pub struct Payments {
    records: HashMap<PaymentId, PaymentRecord>,
    /// Signed to a partner, not acknowledged: nonce and payment.
    unacked: HashMap<AccountId, Vec<(Nonce, PaymentId)>>,
    /// Fees of payments that have gone through us.
    earned: BTreeMap<AssetId, Balance>,
}

impl Payments {
    /// After a restart.
    pub fn load(records: impl IntoIterator<Item = (PaymentId, PaymentRecord)>) -> Self {
        let mut payments = Self::default();
        for (id, record) in records {
            payments.insert(id, record);
        }
        payments
    }

    fn note_earned(&mut self, asset: AssetId, fee: Balance) {
        let sum = self.earned.entry(asset).or_default();
        // Less than there is of the asset.
        *sum = sum.checked_add(fee).unwrap_or(*sum);
    }

    fn note_unacked(&mut self, id: PaymentId, record: &PaymentRecord) {
        if let (PaymentState::Sent, Some(via)) = (record.state, &record.via) {
            self.unacked.entry(via.clone()).or_default().push((record.nonce, id));
        }
    }

    /// A payment by its name.
    pub fn get(&self, id: &PaymentId) -> Option<&PaymentRecord> {
        self.records.get(id)
    }

    /// A new payment.
    pub fn insert(&mut self, id: PaymentId, record: PaymentRecord) {
        self.note_unacked(id, &record);
        if record.brings_fee() && !self.records.get(&id).is_some_and(PaymentRecord::brings_fee) {
            self.note_earned(record.asset, record.fee);
        }
        self.records.insert(id, record);
    }

    /// Moves a payment on; `None` if it is not known.
    pub fn set_state(&mut self, id: &PaymentId, state: PaymentState) -> Option<&PaymentRecord> {
        let record = self.records.get_mut(id)?;
        let before = record.brings_fee();
        record.state = state;
        let fee = (record.asset, record.fee);
        if record.brings_fee() && !before {
            self.note_earned(fee.0, fee.1);
        }
        self.records.get(id)
    }

    /// The payments that `partner` has acknowledged with `nonce`.
    pub fn acked(&mut self, partner: &AccountId, nonce: Nonce) -> Vec<PaymentId> {
        let Some(waiting) = self.unacked.get_mut(partner) else { return vec![] };
        let (done, rest) = std::mem::take(waiting).into_iter().partition(|(n, _)| *n <= nonce);
        *waiting = rest;
        let done: Vec<(Nonce, PaymentId)> = done;
        done.into_iter().map(|(_, id)| id).collect()
    }

    /// Nonces start anew: what was not acknowledged was decided on chain.
    pub fn forget_unacked(&mut self, partner: &AccountId) {
        self.unacked.remove(partner);
    }

    /// Payments of ours through `via` that have not arrived as far as we know, newest first.
    pub fn undelivered(&self, via: &AccountId) -> Vec<PaymentId> {
        let open = self.records.iter().filter(|(_, record)| {
            record.direction == Direction::Out
                && record.via.as_ref() == Some(via)
                && record.to != *via
                && matches!(record.state, PaymentState::Sent | PaymentState::Accepted)
        });
        let mut open: Vec<_> = open.map(|(id, record)| (record.at_ms, *id)).collect();
        open.sort_unstable_by(|a, b| b.cmp(a));
        open.into_iter().map(|(_, id)| id).collect()
    }

    /// Fees of payments that have gone through us, in all assets together.
    pub fn earned(&self) -> Balance {
        self.earned.values().fold(0, |sum: Balance, fee| sum.checked_add(*fee).unwrap_or(sum))
    }

    /// Fees of payments that have gone through us, per asset.
    pub fn earned_by_asset(&self) -> &BTreeMap<AssetId, Balance> {
        &self.earned
    }

    /// The newest payments.
    pub fn newest(&self, limit: usize) -> Vec<(PaymentId, PaymentRecord)> {
        let mut all: Vec<_> = self.records.iter().map(|(id, r)| (*id, r.clone())).collect();
        all.sort_by_key(|(id, record)| (std::cmp::Reverse(record.at_ms), *id));
        all.truncate(limit);
        all
    }
}
