//! Standing orders: payments that are made again and again.
//!
//! The name of each payment follows from the order, the number of the instalment and how often it was
//! tried, and both are durable before it is paid. So nothing is paid twice, whatever crashes when.

use super::{command::CommandError, core::Output, records::PaymentState, Core};
use crate::store::Table;
use codec::{Decode, Encode};
use failsafe_channel::PaymentId;
use failsafe_primitives::{AssetId, Balance};
use sp_core::ConstU32;
use sp_crypto_hashing::blake2_256;
use sp_runtime::BoundedVec;

/// Longest text that says whom to pay.
pub const MAX_TO: u32 = 2_048;
/// Shortest pause between two instalments, milliseconds.
pub const MIN_PAUSE_MS: u64 = 100;
/// Most standing orders.
pub const MAX_ORDERS: usize = 1_000;
/// Domain tag of an instalment's name.
const TAG: &str = "failsafe/instalment/1";
/// Longest pause before an instalment that came back is tried again, milliseconds.
const RETRY_MS: u64 = 60_000;

/// A standing order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StandingOrder {
    /// Whom to pay, as it was written: `account@hub`, or an offer.
    pub to: BoundedVec<u8, ConstU32<MAX_TO>>,
    /// The asset.
    pub asset: AssetId,
    /// How much each time.
    pub amount: Balance,
    /// Milliseconds since 1970 of the first instalment.
    pub first_ms: u64,
    /// Milliseconds from one instalment to the next.
    pub every_ms: u64,
    /// How many in all; `None`: until it is cancelled.
    pub times: Option<u32>,
    /// What was missed is left out, not paid late.
    pub skip_missed: bool,
    /// Number of the next instalment, from 0.
    pub next: u32,
    /// How often that one has come back.
    pub attempt: u32,
    /// Before this time it is not tried again.
    pub not_before_ms: u64,
    /// How many were paid.
    pub paid: u32,
    /// No more is paid: it was cancelled, or nobody can tell whether an instalment was paid.
    pub ended: Option<Ended>,
}

/// Why a standing order has ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Ended {
    /// Somebody wanted it to.
    #[codec(index = 0)]
    Cancelled,
    /// Nobody can tell whether its last instalment was paid.
    #[codec(index = 1)]
    Unknown,
}

/// How an instalment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It was paid.
    Paid,
    /// It has come back as a whole.
    CameBack,
    /// Nobody can tell.
    Unknown,
    /// It is under way, or was not made yet.
    Open,
}

impl From<&PaymentState> for Progress {
    fn from(state: &PaymentState) -> Self {
        match state {
            PaymentState::Delivered | PaymentState::Received => Self::Paid,
            PaymentState::Returned(_) | PaymentState::Failed(_) => Self::CameBack,
            PaymentState::Unknown => Self::Unknown,
            PaymentState::Sent | PaymentState::Accepted | PaymentState::Locked => Self::Open,
        }
    }
}

impl StandingOrder {
    /// Whether an instalment may still come.
    pub fn is_open(&self) -> bool {
        self.ended.is_none() && self.times.is_none_or(|times| self.next < times)
    }

    /// When instalment `number` is due; `None` beyond the end of time.
    fn due_ms(&self, number: u32) -> Option<u64> {
        self.first_ms.checked_add(self.every_ms.checked_mul(number.into())?)
    }

    /// Whether the next instalment is to be paid now.
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.is_open()
            && self.not_before_ms <= now_ms
            && self.due_ms(self.next).is_some_and(|due| due <= now_ms)
    }

    /// When something may be to do next.
    pub fn wake_ms(&self) -> Option<u64> {
        let due = self.due_ms(self.next).filter(|_| self.is_open())?;
        Some(due.max(self.not_before_ms))
    }

    /// Name of the payment of the next instalment.
    pub fn instalment(&self, order: PaymentId) -> PaymentId {
        let mut name = [0; 16];
        name.copy_from_slice(&blake2_256(&(TAG, order, self.next, self.attempt).encode())[..16]);
        PaymentId(name)
    }

    /// Leaves out what was missed, if it wants that: only the last instalment that is due is paid.
    /// Nothing is left out that was tried already.
    pub fn skip(&mut self, now_ms: u64) {
        if !self.skip_missed || self.attempt > 0 || self.every_ms == 0 {
            return;
        }
        let Some(late) = now_ms.checked_sub(self.first_ms) else { return };
        let newest = u32::try_from(late / self.every_ms).unwrap_or(u32::MAX);
        let last = self.times.map_or(u32::MAX, |times| times.saturating_sub(1));
        self.next = self.next.max(newest.min(last));
    }

    /// What has become of the next instalment.
    pub fn advance(&mut self, progress: Progress, now_ms: u64) {
        match progress {
            Progress::Open => {},
            Progress::Paid => {
                self.next = self.next.saturating_add(1);
                self.paid = self.paid.saturating_add(1);
                self.attempt = 0;
                self.not_before_ms = 0;
            },
            Progress::CameBack => {
                self.attempt = self.attempt.saturating_add(1);
                self.not_before_ms = now_ms.saturating_add(self.every_ms.min(RETRY_MS));
            },
            Progress::Unknown => self.ended = Some(Ended::Unknown),
        }
    }

    /// Whether both say the same, whatever has come of them so far.
    fn same(&self, other: &Self) -> bool {
        let said = |o: &Self| (o.to.clone(), o.asset, o.amount, o.every_ms, o.times, o.skip_missed);
        said(self) == said(other)
    }
}

impl Core {
    /// Remembers a standing order. The same again is the same order.
    pub(super) fn add_order(
        &mut self,
        id: PaymentId,
        order: StandingOrder,
        out: &mut Output,
    ) -> Result<(), CommandError> {
        match self.orders.get(&id) {
            Some(known) if known.same(&order) => return Ok(()),
            Some(_) => return Err(CommandError::Duplicate(id)),
            None => {},
        }
        if self.orders.values().filter(|order| order.is_open()).count() >= MAX_ORDERS {
            let text = format!("there are {MAX_ORDERS} standing orders already: cancel some");
            return Err(CommandError::Invalid(text));
        }
        self.store_order(id, order, out);
        Ok(())
    }

    /// Cancels a standing order. What is under way is paid.
    pub(super) fn cancel_order(
        &mut self,
        id: PaymentId,
        out: &mut Output,
    ) -> Result<(), CommandError> {
        let known = self.orders.get(&id).cloned();
        let mut order = known.ok_or(CommandError::UnknownPayment(id))?;
        if order.ended.is_none() {
            order.ended = Some(Ended::Cancelled);
            self.store_order(id, order, out);
        }
        Ok(())
    }

    /// The instalment that is to be paid now, its name durable. What has become of the one before is
    /// looked up first.
    pub(super) fn next_instalment(
        &mut self,
        id: PaymentId,
        out: &mut Output,
    ) -> Result<Option<(PaymentId, StandingOrder)>, CommandError> {
        let known = self.orders.get(&id).cloned();
        let mut order = known.clone().ok_or(CommandError::UnknownPayment(id))?;
        while order.is_due(self.now_ms) {
            let made = self.payment(&order.instalment(id));
            let Some(progress) = made.map(|record| Progress::from(&record.state)) else { break };
            order.advance(progress, self.now_ms);
            if progress == Progress::Open {
                break;
            }
        }
        let made = self.knows_payment(&order.instalment(id));
        if !made {
            order.skip(self.now_ms);
        }
        if known.as_ref() != Some(&order) {
            self.store_order(id, order.clone(), out);
        }
        let due = order.is_due(self.now_ms) && !made;
        Ok(due.then(|| (order.instalment(id), order)))
    }

    fn store_order(&mut self, id: PaymentId, order: StandingOrder, out: &mut Output) {
        out.batch.put(Table::Orders, id.encode(), order.encode());
        self.orders.insert(id, order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> StandingOrder {
        StandingOrder {
            to: b"bob@one".to_vec().try_into().unwrap(),
            asset: 0,
            amount: 5,
            first_ms: 1_000,
            every_ms: 100,
            times: Some(3),
            skip_missed: false,
            next: 0,
            attempt: 0,
            not_before_ms: 0,
            paid: 0,
            ended: None,
        }
    }

    #[test]
    fn order_should_be_due_when_its_time_has_come_and_not_before() {
        let order = order();
        assert!(!order.is_due(999));
        assert!(order.is_due(1_000));
        assert_eq!(order.wake_ms(), Some(1_000));
    }

    #[test]
    fn order_should_end_when_all_instalments_are_paid() {
        let mut order = order();
        for _ in 0..3 {
            assert!(order.is_due(10_000));
            order.advance(Progress::Paid, 10_000);
        }
        assert!(!order.is_open() && !order.is_due(10_000));
        assert_eq!((order.paid, order.wake_ms()), (3, None));
    }

    #[test]
    fn instalments_should_have_names_of_their_own_when_number_or_attempt_differ() {
        let (id, other) = (PaymentId([1; 16]), PaymentId([2; 16]));
        let mut order = order();
        let first = order.instalment(id);
        assert_eq!(first, order.instalment(id));
        assert_ne!(first, order.instalment(other));
        order.advance(Progress::CameBack, 1_000);
        let again = order.instalment(id);
        order.advance(Progress::Paid, 1_100);
        let second = order.instalment(id);
        assert!(first != again && again != second && first != second);
    }

    #[test]
    fn instalment_should_be_tried_again_later_when_it_has_come_back() {
        let mut order = order();
        order.advance(Progress::CameBack, 1_000);
        assert_eq!((order.next, order.attempt), (0, 1));
        assert!(!order.is_due(1_099) && order.is_due(1_100));
    }

    #[test]
    fn missed_instalments_should_be_left_out_only_when_that_is_wanted() {
        let mut late = order();
        late.skip(1_250);
        assert_eq!(late.next, 0);
        late.skip_missed = true;
        late.skip(1_250);
        assert_eq!(late.next, 2);
        // The last one is paid, however late.
        late.skip(99_999);
        assert_eq!(late.next, 2);
        // What has come back is tried again, not left out.
        let mut tried = StandingOrder { skip_missed: true, ..order() };
        tried.advance(Progress::CameBack, 1_000);
        tried.skip(1_250);
        assert_eq!(tried.next, 0);
    }

    #[test]
    fn order_should_stop_when_nobody_can_tell_whether_an_instalment_was_paid() {
        let mut order = order();
        order.advance(Progress::Unknown, 1_000);
        assert!(!order.is_due(99_999));
        assert_eq!(order.ended, Some(Ended::Unknown));
    }
}
