//! What the engine wants done.

use crate::{
    error::Fault,
    freeze::FreezeReason,
    lock::{FailReason, LockEnd, Onion, Secret},
    message::{Announcements, Message, PaymentId, Purpose, RefusalReason},
    terms::AssetTerms,
};
use failsafe_primitives::{
    AssetId, Balance, Close, Epoch, Evidence, Lock, Nonce, Signature, Simplex, Withdrawal,
};
use sp_runtime::MultiSignature;

/// Something to do, in the order given.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "few at a time")]
pub enum Effect {
    /// The channel's state must be durable before what follows.
    Persist,
    /// Send to the partner, if it is connected. What is lost with a session is repeated by the
    /// next one.
    Send(Message),
    /// Bring it to the chain, until it is final there or has become pointless.
    Submit(ChainAction),
    /// Something happened that the host may act upon.
    Event(Event),
    /// A message of the partner was faulty and has changed nothing. Always the last effect: those
    /// before it stand. The session is over; the host tells the partner, disconnects it, and judges
    /// by [`Fault::proves_cheating`] what else to do.
    Fault(Fault),
}

/// A call of the channel's party on chain.
#[derive(Clone, Debug, PartialEq)]
pub enum ChainAction {
    /// Open a dispute.
    Dispute {
        /// The epoch in which it is opened; in another one the chain must not take it.
        epoch: Epoch,
        /// All that we have.
        evidence: Evidence,
    },
    /// Answer a dispute.
    Counter {
        /// All that we have.
        evidence: Evidence,
    },
    /// Close with the partner's signature.
    Close {
        /// What both agreed on.
        close: Close,
        /// The partner's signature.
        signature: MultiSignature,
    },
    /// Claim what an old resolve did not count.
    LateClaim {
        /// The old epoch.
        epoch: Epoch,
        /// The partner's newest simplex of that epoch.
        simplex: Simplex,
        /// Its signature.
        signature: Signature,
    },
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The partner paid; the money is ours from now on.
    Received {
        /// The asset.
        asset: AssetId,
        /// The amount.
        amount: Balance,
        /// What it is for.
        purpose: Purpose,
    },
    /// The partner offers a lock. The host answers it: [`Channel::fulfill`](crate::Channel::fulfill)
    /// or [`Channel::fail_lock`](crate::Channel::fail_lock).
    LockOffered {
        /// The asset.
        asset: AssetId,
        /// The lock.
        lock: Lock,
        /// Its instructions.
        onion: Onion,
    },
    /// The partner has paid its lock; the money is ours from now on.
    LockSettled {
        /// The asset.
        asset: AssetId,
        /// The lock.
        lock: Lock,
        /// Its secret.
        secret: Secret,
    },
    /// The partner's lock is gone: we had failed it, or it has expired.
    LockWithdrawn {
        /// The asset.
        asset: AssetId,
        /// The lock.
        lock: Lock,
    },
    /// The partner has told the secret of our lock. The host decides whether it is in time, and
    /// [settles](crate::Channel::settle).
    LockFulfilled {
        /// The asset.
        asset: AssetId,
        /// The lock.
        lock: Lock,
        /// Its secret.
        secret: Secret,
    },
    /// The partner does not claim our lock. It is not dead yet.
    LockFailed {
        /// The asset.
        asset: AssetId,
        /// The lock.
        lock: Lock,
        /// Why, encrypted for the payer.
        reason: FailReason,
    },
    /// Our lock is paid, because the host or the chain had its secret.
    LockPaid {
        /// The asset.
        asset: AssetId,
        /// The lock.
        lock: Lock,
        /// Its secret.
        secret: Secret,
    },
    /// Nobody can claim our lock any more: it has expired, or the partner has acknowledged a simplex
    /// without it.
    LockDead {
        /// The asset.
        asset: AssetId,
        /// The lock.
        lock: Lock,
    },
    /// A lock was pending when its epoch ended, or cancelled and still to be enforced.
    LockEnded {
        /// Whether it was ours.
        ours: bool,
        /// The epoch that ended.
        epoch: Epoch,
        /// The asset.
        asset: AssetId,
        /// The lock.
        lock: Lock,
        /// What the resolve has made of it.
        end: LockEnd,
    },
    /// An epoch has ended, and payments without a signature have not counted. Those of the partner
    /// are lost to us; what we have left uncovered the partner can only ask us for.
    UnsignedLost {
        /// Whether we had made them.
        ours: bool,
        /// The epoch that ended.
        epoch: Epoch,
        /// The asset.
        asset: AssetId,
        /// The amount.
        amount: Balance,
    },
    /// Our newest signed simplex is acknowledged, or a close that both signed has ended the epoch
    /// with it.
    Acked {
        /// Its nonce.
        nonce: Nonce,
    },
    /// The partner's terms changed.
    TermsChanged {
        /// The asset.
        asset: AssetId,
        /// The new terms.
        terms: AssetTerms,
    },
    /// The partner's proof for our reservation has come.
    ProofReceived {
        /// What we may withdraw.
        withdrawal: Withdrawal,
        /// The partner's signature.
        signature: MultiSignature,
    },
    /// The partner refused our reservation.
    ProofRefused {
        /// Its id.
        reservation: Nonce,
        /// Why.
        reason: RefusalReason,
    },
    /// The partner asks us to insure what we owe it.
    InsureRequested {
        /// The asset.
        asset: AssetId,
    },
    /// The partner asks which of its payments through us have arrived.
    DeliveredAsked {
        /// The payments.
        ids: Vec<PaymentId>,
    },
    /// A payment that we sent through the partner has arrived.
    Delivered {
        /// The payment.
        id: PaymentId,
    },
    /// The partner does not agree to a close.
    CloseRefused {
        /// Why.
        reason: RefusalReason,
    },
    /// No updates any more until the next epoch.
    Frozen {
        /// Why.
        reason: FreezeReason,
    },
    /// Updates again, in a new session: this one is over for the engine, and the host renews it,
    /// so that what was ignored meanwhile is sent again.
    Thawed,
    /// A new epoch is final. Both start from nothing.
    EpochStarted {
        /// Its number.
        epoch: Epoch,
    },
    /// The partner claims to know more than we do. Until it has proved that, there are no updates in
    /// this session. Nothing durable has changed.
    Doubted {
        /// Nonce of the simplex of ours that it claims to have.
        own: Nonce,
        /// Nonce of the simplex of its own that it claims to have an acknowledgement of.
        partner: Nonce,
    },
    /// The partner has proved that it knows a newer simplex of ours than we do: our data is lost. No
    /// updates until the next epoch; the channel can be closed or disputed (A17).
    DataLost {
        /// Nonce of the simplex that it has shown.
        their_view: Nonce,
    },
    /// The partner has proved that we had acknowledged a newer simplex of its own than we have: our
    /// copy is repaired. What it paid in between is ours, but what it was for is lost.
    Repaired {
        /// Nonce of the simplex.
        nonce: Nonce,
    },
    /// The partner passes on what hubs have announced.
    Gossip {
        /// Signed announcements.
        announcements: Announcements,
    },
    /// The partner says that we did something wrong.
    PartnerComplains {
        /// In its words.
        text: String,
    },
}
