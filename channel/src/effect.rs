//! What the engine wants done.

use crate::{
    message::{Message, PaymentId, Purpose, RefusalReason},
    state::FreezeReason,
    terms::AssetTerms,
};
use failsafe_primitives::{
    AssetId, Balance, Close, Epoch, Evidence, Nonce, Signature, Simplex, Withdrawal,
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
}

/// A call of the channel's party on chain.
#[derive(Clone, Debug, PartialEq)]
pub enum ChainAction {
    /// Open a dispute.
    Dispute {
        /// All that we have.
        evidence: Evidence,
        /// Our newest nonce.
        own_nonce: Nonce,
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
    /// Our newest simplex is acknowledged.
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
    /// Updates again.
    Thawed,
    /// A new epoch is final. Both start from nothing.
    EpochStarted {
        /// Its number.
        epoch: Epoch,
    },
    /// The partner knows a newer simplex of ours than we do: our data is lost [A17].
    DataLost {
        /// What it knows.
        their_view: Nonce,
    },
    /// The partner says that we did something wrong.
    PartnerComplains {
        /// In its words.
        text: String,
    },
}
