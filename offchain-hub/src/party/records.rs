//! Records of payments: so that none is made twice, and people can look.

use super::{names::Names, pages::Pages};
use crate::store::Table;
use codec::{Compact, Decode, Encode, Input, Output};
use failsafe_channel::{PaymentId, ReturnReason};
use failsafe_onion::{Reason, RouteKeys, Unreadable};
use failsafe_primitives::{AccountId, AssetId, Balance, Nonce};
use indexmap::{map::Entry as Place, IndexMap};
use std::cmp::Reverse;
use std::collections::{hash_map::Entry, BTreeMap, BTreeSet, HashMap};

/// Payments are looked up several times each, in a table that has no more than places, for what is
/// large is seldom near. Their names come from strangers: keyed at random.
type Records = IndexMap<PaymentId, Kept, ahash::RandomState>;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Whether it has come to an end that does not change any more, but by another attempt.
    pub(super) fn is_over(&self) -> bool {
        match self.state {
            PaymentState::Delivered
            | PaymentState::Returned(_)
            | PaymentState::Received
            | PaymentState::Failed(_) => true,
            PaymentState::Sent
            | PaymentState::Accepted
            | PaymentState::Locked
            | PaymentState::Unknown => false,
        }
    }

    /// The partner who has to say whether it arrived, if that is still open.
    fn asks(&self) -> Option<&AccountId> {
        let open = matches!(self.state, PaymentState::Sent | PaymentState::Accepted);
        let via = self.via.as_ref().filter(|via| **via != self.to);
        // Through us, it goes over another process of the same hub.
        via.filter(|_| open)
    }

    /// Whether it was taken, and is not signed yet to the process that has its payee.
    pub(super) fn is_waiting(&self) -> bool {
        self.direction == Direction::Through && self.state == PaymentState::Sent && self.nonce == 0
    }

    /// Whether its fee is ours.
    fn brings_fee(&self) -> bool {
        self.direction == Direction::Through && self.state == PaymentState::Delivered
    }
}

/// In the highest byte of the time, which no time needs: the form in which numbers take as many bytes
/// as they have. Programs before layout 4 wrote all fields at full length, and 0 there.
const SHORT: u64 = 1 << 56;
/// What a record takes in that form, with room for large amounts.
const SHORT_BYTES: usize = 128;

/// How [`PaymentRecord::via`] is stored.
#[derive(Encode, Decode)]
enum StoredVia {
    #[codec(index = 0)]
    Nobody,
    #[codec(index = 1)]
    Recipient,
    #[codec(index = 2)]
    Other(AccountId),
}

impl Encode for PaymentRecord {
    fn size_hint(&self) -> usize {
        SHORT_BYTES
    }

    fn encode_to<T: Output + ?Sized>(&self, out: &mut T) {
        let Self { at_ms, direction, asset, amount, fee, from, to, via, nonce, state } = self;
        let via = match via {
            None => StoredVia::Nobody,
            Some(via) if via == to => StoredVia::Recipient,
            Some(via) => StoredVia::Other(via.clone()),
        };
        // Two million years, and the mark.
        let marked = at_ms.min(&(SHORT - 1)) | SHORT;
        (marked, direction, Compact(*asset), Compact(*amount), Compact(*fee)).encode_to(out);
        (from, to, via, Compact(*nonce), state).encode_to(out);
    }
}

impl Decode for PaymentRecord {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let marked = u64::decode(input)?;
        let direction = Direction::decode(input)?;
        if marked < SHORT {
            let (asset, amount, fee, from) = Decode::decode(input)?;
            let (to, via, nonce, state) = Decode::decode(input)?;
            return Ok(Self {
                at_ms: marked,
                direction,
                asset,
                amount,
                fee,
                from,
                to,
                via,
                nonce,
                state,
            });
        }
        let at_ms = marked ^ SHORT;
        if at_ms >= SHORT {
            return Err("a payment as a newer program stores it".into());
        }
        let Compact(asset) = Compact::<AssetId>::decode(input)?;
        let Compact(amount) = Compact::<Balance>::decode(input)?;
        let Compact(fee) = Compact::<Balance>::decode(input)?;
        let (from, to, via): (_, AccountId, _) = Decode::decode(input)?;
        let via = match via {
            StoredVia::Nobody => None,
            StoredVia::Recipient => Some(to.clone()),
            StoredVia::Other(via) => Some(via),
        };
        let (Compact(nonce), state) = <(Compact<Nonce>, PaymentState)>::decode(input)?;
        Ok(Self { at_ms, direction, asset, amount, fee, from, to, via, nonce, state })
    }
}

/// What is known of payments that are no longer in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Archived {
    /// How many were put away; one that was tried again counts again.
    pub payments: u64,
    /// The fees that those which have gone through us have left.
    pub earned: BTreeMap<AssetId, Balance>,
}

impl Archived {
    /// Counts one more.
    pub(super) fn note(&mut self, record: &PaymentRecord) {
        if record.brings_fee() {
            add(&mut self.earned, record.asset, record.fee);
        }
        self.payments = self.payments.saturating_add(1);
    }
}

/// In which lists a payment is.
#[derive(Default)]
struct Marks {
    over: bool,
    /// The fee that it has left.
    fee: Option<(AssetId, Balance)>,
    /// Who has to say whether it arrived.
    asks: Option<AccountId>,
    /// Who has to acknowledge what.
    unacked: Option<(AccountId, Nonce)>,
}

impl Marks {
    fn of(record: &PaymentRecord) -> Self {
        let is_sent = record.state == PaymentState::Sent && !record.is_waiting();
        let sent = record.via.clone().filter(|_| is_sent);
        Self {
            over: record.is_over(),
            fee: record.brings_fee().then_some((record.asset, record.fee)),
            asks: record.asks().cloned(),
            unacked: sent.map(|via| (via, record.nonce)),
        }
    }
}

/// A payment in memory.
#[derive(Debug)]
pub(super) struct Kept {
    pub record: PaymentRecord,
    /// The page on which it stands as it is now.
    pub page: u64,
}

/// The payments that a party has in memory: all that are under way, and the newest of the others.
#[derive(Debug)]
pub struct Payments {
    pub(super) records: Records,
    /// How many of them are over.
    pub(super) over: usize,
    pub(super) archived: Archived,
    /// The names of those that were put away.
    pub(super) names: Names,
    /// Where they are stored.
    pub(super) pages: Pages<PaymentId>,
    /// Those that still have a record of their own in the store, which is to be deleted.
    pub(super) singles: Vec<PaymentId>,
    /// Ours that have not arrived as far as we know, by who has to say so.
    asks: HashMap<AccountId, BTreeSet<PaymentId>>,
    /// Signed to a partner, not acknowledged: nonce and payment.
    unacked: HashMap<AccountId, Vec<(Nonce, PaymentId)>>,
    /// Fees of payments that have gone through us.
    earned: BTreeMap<AssetId, Balance>,
}

impl Payments {
    /// None in memory yet; with pages that will have been loaded, and names of records that are to be
    /// deleted.
    pub(super) fn new(
        archived: Archived,
        pages: Pages<PaymentId>,
        singles: Vec<PaymentId>,
    ) -> Self {
        let earned = archived.earned.clone();
        let names = Names::new(archived.payments);
        let (records, asks, unacked) = (Records::default(), HashMap::new(), HashMap::new());
        Self { records, over: 0, archived, names, pages, singles, asks, unacked, earned }
    }

    /// How many are in memory.
    pub fn in_memory(&self) -> usize {
        self.records.len()
    }

    /// Keeps the lists, when a record has become another one.
    fn note_change(&mut self, id: PaymentId, before: Marks, now: Marks) {
        match (before.over, now.over) {
            (false, true) => self.over = self.over.saturating_add(1),
            (true, false) => self.over = self.over.saturating_sub(1),
            (false, false) | (true, true) => {},
        }
        if let (None, Some((asset, fee))) = (before.fee, now.fee) {
            add(&mut self.earned, asset, fee);
        }
        if let Some((via, nonce)) = now.unacked {
            self.unacked.entry(via).or_default().push((nonce, id));
        }
        if before.asks == now.asks {
            return;
        }
        if let Some(Entry::Occupied(mut open)) = before.asks.map(|via| self.asks.entry(via)) {
            open.get_mut().remove(&id);
            if open.get().is_empty() {
                open.remove();
            }
        }
        if let Some(via) = now.asks {
            self.asks.entry(via).or_default().insert(id);
        }
    }

    /// A payment by its name.
    pub fn get(&self, id: &PaymentId) -> Option<&PaymentRecord> {
        self.records.get(id).map(|kept| &kept.record)
    }

    /// A new payment, or what has become of one.
    pub fn insert(&mut self, id: PaymentId, record: PaymentRecord) {
        self.insert_at(id, record, None);
    }

    /// The same; if it is on a page, it is written already.
    pub(super) fn insert_at(&mut self, id: PaymentId, record: PaymentRecord, page: Option<u64>) {
        let now = Marks::of(&record);
        let before = match self.records.entry(id) {
            Place::Occupied(mut known) => {
                let kept = known.get_mut();
                let before = Marks::of(&kept.record);
                kept.page = page.unwrap_or_else(|| self.pages.put(id, &record, Some(kept.page)));
                kept.record = record;
                before
            },
            Place::Vacant(new) => {
                let page = page.unwrap_or_else(|| self.pages.put(id, &record, None));
                new.insert(Kept { record, page });
                Marks::default()
            },
        };
        self.note_change(id, before, now);
    }

    /// Moves a payment on; `None` if it is not known.
    pub fn set_state(&mut self, id: &PaymentId, state: PaymentState) -> Option<&PaymentRecord> {
        let kept = self.records.get_mut(id)?;
        let before = Marks::of(&kept.record);
        kept.record.state = state;
        kept.page = self.pages.put(*id, &kept.record, Some(kept.page));
        let now = Marks::of(&kept.record);
        self.note_change(*id, before, now);
        self.get(id)
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
        let open = self.asks.get(via).into_iter().flatten();
        let at = |id: &PaymentId| Some((self.get(id)?.at_ms, *id));
        let mut open: Vec<_> = open.filter_map(at).collect();
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

    /// Those that are still to be signed to the process that has their payee, oldest first.
    pub(super) fn waiting(&self) -> Vec<(PaymentId, &AccountId)> {
        let of = |(id, kept): (&PaymentId, &'_ Kept)| {
            let at_ms = kept.record.at_ms;
            kept.record.is_waiting().then_some((at_ms, *id))
        };
        let mut all: Vec<_> = self.records.iter().filter_map(of).collect();
        all.sort_unstable();
        let via = |id: &PaymentId| self.get(id).and_then(|record| record.via.as_ref());
        all.iter().filter_map(|(_, id)| Some((*id, via(id)?))).collect()
    }

    /// The newest payments of those in memory.
    pub fn newest(&self, limit: usize) -> Vec<(PaymentId, PaymentRecord)> {
        let order = |id: &PaymentId, kept: &Kept| (Reverse(kept.record.at_ms), *id);
        let mut all: Vec<_> = self.records.iter().collect();
        if let Some(last) = limit.checked_sub(1).filter(|last| *last < all.len()) {
            all.select_nth_unstable_by_key(last, |(id, kept)| order(id, kept));
        }
        all.truncate(limit);
        all.sort_by_key(|(id, kept)| order(id, kept));
        all.into_iter().map(|(id, kept)| (*id, kept.record.clone())).collect()
    }
}

impl Default for Payments {
    fn default() -> Self {
        Self::new(Archived::default(), Pages::new(Table::Payments), vec![])
    }
}

fn add(sums: &mut BTreeMap<AssetId, Balance>, asset: AssetId, fee: Balance) {
    let sum = sums.entry(asset).or_default();
    // Less than there is of the asset.
    *sum = sum.checked_add(fee).unwrap_or(*sum);
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::DecodeAll;
    use failsafe_primitives::NATIVE_ASSET as FRD;
    use proptest::prelude::*;

    fn account(number: u8) -> AccountId {
        AccountId::new([number; 32])
    }

    fn id(number: u8) -> PaymentId {
        PaymentId([number; 16])
    }

    /// The payment with this number, of as many milliseconds.
    fn record(number: u8, direction: Direction, state: PaymentState) -> PaymentRecord {
        PaymentRecord {
            at_ms: number.into(),
            direction,
            asset: FRD,
            amount: 10,
            fee: 1,
            from: account(1),
            to: account(2),
            via: Some(account(3)),
            nonce: number.into(),
            state,
        }
    }

    #[test]
    fn partner_should_be_asked_for_our_payments_that_have_not_arrived_newest_first() {
        let mut payments = Payments::default();
        for number in 1..=4 {
            payments.insert(id(number), record(number, Direction::Out, PaymentState::Sent));
        }
        payments.set_state(&id(2), PaymentState::Accepted);
        payments.set_state(&id(3), PaymentState::Delivered);
        assert_eq!(payments.undelivered(&account(3)), [id(4), id(2), id(1)]);
        assert_eq!(payments.undelivered(&account(2)), []);
    }

    #[test]
    fn newest_payments_should_come_first_when_there_are_more_than_wanted() {
        let mut payments = Payments::default();
        for number in [5, 1, 4, 2, 3] {
            let delivered = record(number, Direction::Through, PaymentState::Delivered);
            payments.insert(id(number), delivered);
        }
        let newest: Vec<_> = payments.newest(2).into_iter().map(|(id, _)| id).collect();
        assert_eq!(newest, [id(5), id(4)]);
        assert_eq!(payments.newest(9).len(), 5);
        assert_eq!(payments.newest(0).len(), 0);
    }

    fn states() -> impl Strategy<Value = PaymentState> {
        prop_oneof![
            Just(PaymentState::Sent),
            Just(PaymentState::Returned(ReturnReason::Capacity)),
            Just(PaymentState::Failed(Failure::Unreadable(1, 2))),
            Just(PaymentState::Unknown),
        ]
    }

    prop_compose! {
        fn records()(
            at_ms in 0..SHORT,
            direction in
                prop_oneof![Just(Direction::Out), Just(Direction::In), Just(Direction::Through)],
            asset: AssetId, amount: Balance, fee: Balance, nonce: Nonce,
            from in 0u8..3, to in 0u8..3, via in proptest::option::of(0u8..3), state in states(),
        ) -> PaymentRecord {
            let (from, to, via) = (account(from), account(to), via.map(account));
            PaymentRecord { at_ms, direction, asset, amount, fee, from, to, via, nonce, state }
        }
    }

    proptest! {
        #[test]
        fn record_should_be_read_as_it_was_stored(record in records()) {
            let bytes = record.encode();
            prop_assert_eq!(PaymentRecord::decode_all(&mut &bytes[..]), Ok(record));
        }

        #[test]
        fn record_should_be_read_when_a_program_before_this_one_has_stored_it(record in records()) {
            let PaymentRecord { at_ms, direction, asset, amount, fee, .. } = &record;
            let PaymentRecord { from, to, via, nonce, state, .. } = &record;
            let before = ((at_ms, direction, asset, amount, fee), (from, to, via, nonce, state));
            let bytes = before.encode();
            prop_assert_eq!(PaymentRecord::decode_all(&mut &bytes[..]), Ok(record));
        }

        #[test]
        fn record_should_be_refused_or_be_one_when_its_bytes_are_any(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            if let Ok(record) = PaymentRecord::decode_all(&mut &bytes[..]) {
                let again = record.encode();
                prop_assert_eq!(PaymentRecord::decode_all(&mut &again[..]), Ok(record));
            }
        }
    }

    #[test]
    fn record_should_be_refused_when_a_newer_program_has_stored_it() {
        let mut bytes = record(1, Direction::In, PaymentState::Received).encode();
        bytes[7] = 2;
        let refused = PaymentRecord::decode_all(&mut &bytes[..]).unwrap_err();
        assert!(refused.to_string().contains("newer program"), "{refused}");
    }

    #[test]
    fn record_should_take_little_room_when_it_is_of_an_ordinary_payment() {
        let at_ms = 1_800_000_000_000;
        let via = Some(account(2));
        let ordinary = PaymentRecord {
            at_ms,
            amount: 12_000_000_000,
            via,
            ..record(200, Direction::Through, PaymentState::Delivered)
        };
        assert_eq!(ordinary.encode().len(), 85);
    }
}
