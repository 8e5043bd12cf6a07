//! Payments to us: invoices, and the locks that pay them.
//!
//! The recipient chooses the secret, and gives it out only when all parts of the payment are there
//! and each leaves FINAL_MIN usable blocks to bring it to the chain (M5). So the secret proves the
//! payment, and nobody learns it before the money is certain.

use super::{mediate::name_of, Core, LockRef, Output};
use crate::{
    metrics::{Kind, PaymentEvent},
    party::records::{Direction, PaymentRecord, PaymentState},
    store::Table,
};
use codec::{Decode, Encode};
use failsafe_channel::lock::Secret;
use failsafe_onion::{Next, Peeled, Reason};
use failsafe_primitives::{
    simplex::{lock_hash, LockHash},
    AssetId, Balance, Clock, Lock,
};
use std::fmt;
use tracing::{error, info};

/// Where an invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum InvoiceState {
    /// Not paid yet.
    #[codec(index = 0)]
    Open,
    /// All parts are there; the secret is given out.
    #[codec(index = 1)]
    Claimed,
    /// Paid.
    #[codec(index = 2)]
    Paid,
}

/// A part of a payment that has come in, pending.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Part {
    /// The lock.
    pub lock: LockRef,
    /// Its amount.
    pub amount: Balance,
    /// Its expiry.
    pub expiry: Clock,
    /// What a failure of it looks like.
    pub timeout: Vec<u8>,
}

/// What we want to be paid.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Invoice {
    /// Opens the locks of the payment.
    pub secret: Secret,
    /// Known to those who have the invoice: nobody else can probe for it.
    pub payment_secret: [u8; 32],
    /// The asset.
    pub asset: AssetId,
    /// The amount; `None`: the payer decides.
    pub amount: Option<Balance>,
    /// Milliseconds since 1970 after which it is not paid any more.
    pub expires_ms: u64,
    /// Where it stands.
    pub state: InvoiceState,
    /// Parts that are pending.
    pub parts: Vec<Part>,
    /// What has been settled.
    pub received: Balance,
}

// Secrets stay out of logs.
impl fmt::Debug for Invoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, payment_secret: _, asset, amount, state, received, .. } = self;
        f.debug_struct("Invoice")
            .field("asset", asset)
            .field("amount", amount)
            .field("state", state)
            .field("received", received)
            .finish_non_exhaustive()
    }
}

/// Most parts of a payment.
const MAX_PARTS: usize = 16;

impl Core {
    /// Remembers an invoice of ours.
    pub(in crate::party) fn add_invoice(&mut self, invoice: Invoice, out: &mut Output) -> LockHash {
        let hash = lock_hash(&invoice.secret);
        self.store_invoice(hash, invoice, out);
        hash
    }

    fn store_invoice(&mut self, hash: LockHash, invoice: Invoice, out: &mut Output) {
        out.batch.put(Table::Invoices, hash.to_vec(), invoice.encode());
        self.locks.invoices.insert(hash, invoice);
    }

    /// A lock whose onion ends here.
    pub(super) fn receive_lock(
        &mut self,
        inward: &LockRef,
        asset: AssetId,
        lock: &Lock,
        peeled: &Peeled,
        out: &mut Output,
    ) -> Result<(), Reason> {
        let parameters = self.parameters.ok_or(Reason::Unavailable)?;
        if !self.is_fresh() {
            return Err(Reason::Unavailable);
        }
        let hop = &peeled.hop;
        let soonest = self.best.clock.saturating_add(parameters.final_min).max(hop.expiry);
        if lock.expiry < soonest {
            return Err(Reason::ExpiryTooSoon);
        }
        if hop.asset != asset {
            return Err(Reason::AssetNotAccepted);
        }
        if lock.amount < hop.amount || lock.amount < self.policy.min_payment(asset) {
            return Err(Reason::WrongAmount);
        }
        let (total, mut invoice) = match hop.next {
            Next::Here { total, payment_secret } => {
                let known = self.locks.invoices.get(&lock.hash).cloned();
                let known = known.filter(|known| known.payment_secret == payment_secret);
                (total, known.ok_or(Reason::UnknownPayment)?)
            },
            Next::Spontaneous { secret } => {
                if lock_hash(&secret) != lock.hash {
                    return Err(Reason::Instructions);
                }
                let known = self.locks.invoices.contains_key(&lock.hash);
                if known || self.locks.outgoing.contains_key(&lock.hash) {
                    return Err(Reason::AlreadyPaid);
                }
                (lock.amount, Invoice::spontaneous(secret, asset, lock.amount))
            },
            Next::Hub(_) | Next::Recipient(_) => return Err(Reason::Instructions),
        };
        match invoice.state {
            InvoiceState::Open => {},
            InvoiceState::Claimed | InvoiceState::Paid => return Err(Reason::AlreadyPaid),
        }
        if self.now_ms > invoice.expires_ms {
            return Err(Reason::UnknownPayment);
        }
        let wanted = invoice.amount.unwrap_or(total);
        // Twice as much is a mistake of the payer.
        let most = wanted.checked_mul(2).ok_or(Reason::WrongAmount)?;
        if invoice.asset != asset || total < wanted || total > most || total == 0 {
            return Err(Reason::WrongAmount);
        }
        let enough = self.best.clock.saturating_add(parameters.final_min);
        if invoice.parts.iter().any(|part| part.expiry < enough) {
            // An earlier part cannot be brought to the chain any more: all go back at the next block.
            return Err(Reason::Timeout);
        }
        if invoice.parts.len() >= MAX_PARTS {
            return Err(Reason::TooManyLocks);
        }
        invoice.parts.push(Part {
            lock: inward.clone(),
            amount: lock.amount,
            expiry: lock.expiry,
            timeout: failsafe_onion::fail(&peeled.shared, &Reason::Timeout),
        });
        let sum = invoice.parts.iter().try_fold(0 as Balance, |sum, p| sum.checked_add(p.amount));
        let complete = sum.ok_or(Reason::WrongAmount)? >= total;
        if complete {
            invoice.state = InvoiceState::Claimed;
        }
        let (secret, parts) = (invoice.secret, invoice.parts.clone());
        self.watch_hash(lock.hash, out);
        self.store_invoice(lock.hash, invoice, out);
        if complete {
            for part in parts {
                self.fulfill_inward(&part.lock, secret, out);
            }
        }
        Ok(())
    }

    /// Gives up payments whose other parts did not come while the secret could still be given out.
    pub(super) fn end_incomplete(&mut self, out: &mut Output) {
        let Some(parameters) = self.parameters else { return };
        let soonest = self.best.clock.saturating_add(parameters.final_min);
        let late = |hash: &&LockHash| {
            self.locks.invoices.get(*hash).is_some_and(|invoice| {
                invoice.state == InvoiceState::Open
                    && invoice.parts.iter().any(|part| part.expiry < soonest)
            })
        };
        // Those with pending parts are watched; all that were ever written are not walked through.
        let over: Vec<LockHash> = self.locks.watched.keys().filter(late).copied().collect();
        for hash in over {
            let Some(mut invoice) = self.locks.invoices.get(&hash).cloned() else { continue };
            let parts = std::mem::take(&mut invoice.parts);
            self.store_invoice(hash, invoice, out);
            for part in parts {
                self.fail_inward(&part.lock, part.timeout, out);
                self.forget_hash(hash, out);
            }
        }
    }

    /// A part of a payment to us has gone: paid, or not.
    pub(super) fn incoming_gone(
        &mut self,
        inward: &LockRef,
        asset: AssetId,
        lock: &Lock,
        paid: bool,
        out: &mut Output,
    ) {
        let Some(mut invoice) = self.locks.invoices.get(&lock.hash).cloned() else { return };
        let Some(at) = invoice.parts.iter().position(|part| part.lock == *inward) else { return };
        invoice.parts.remove(at);
        let hash = lock.hash;
        if paid {
            let Some(received) = invoice.received.checked_add(lock.amount) else { return };
            invoice.received = received;
            invoice.state = InvoiceState::Paid;
            let id = name_of(&hash);
            let record = PaymentRecord {
                at_ms: self.now_ms,
                direction: Direction::In,
                asset,
                amount: received,
                fee: 0,
                from: inward.partner.clone(),
                to: self.me.clone(),
                via: None,
                nonce: 0,
                state: PaymentState::Received,
            };
            self.counters.payment(Direction::In, Kind::Locked, PaymentEvent::Received);
            self.store_payment(id, record, out);
            info!(%id, amount = %lock.amount, asset, "a payment was received");
        } else if invoice.state == InvoiceState::Claimed {
            let (partner, amount) = (&inward.partner, lock.amount);
            error!(%partner, %amount, asset, "A SECRET WAS GIVEN OUT AND NOT PAID FOR");
        }
        self.store_invoice(hash, invoice, out);
        self.forget_hash(hash, out);
    }
}

impl Invoice {
    /// What a payment without an invoice is written into.
    fn spontaneous(secret: Secret, asset: AssetId, amount: Balance) -> Self {
        Self {
            secret,
            payment_secret: [0; 32],
            asset,
            amount: Some(amount),
            expires_ms: u64::MAX,
            state: InvoiceState::Open,
            parts: vec![],
            received: 0,
        }
    }
}
