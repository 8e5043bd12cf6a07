//! Evidence of a dispute (`protocol.md` §5): which signatures make a simplex count, which one
//! replaces another, when a dispute ends, and what a late claim moves.

use crate::{
    ids::{Balance, Clock, Nonce, Side},
    payload::{ack_message, ChannelContext},
    signature::Signature,
    simplex::{Simplex, SimplexError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A simplex with the signature of the side that made it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SignedSimplex {
    /// What the signer has paid.
    pub simplex: Simplex,
    /// The signer's signature.
    pub signature: Signature,
}

/// The submitter's own simplex. Its own signature is not needed: it signs the extrinsic.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum OwnSimplex {
    /// With the partner's acknowledgement: final like any signed simplex.
    #[codec(index = 0)]
    Acked {
        /// What the submitter has paid.
        simplex: Simplex,
        /// The partner's signature over the acknowledgement.
        ack: Signature,
    },
    /// Not acknowledged yet. Only the starter of a dispute may post it; the partner's counter
    /// with a nonce of at least the acknowledged one replaces it [A10].
    #[codec(index = 1)]
    Unacked {
        /// What the submitter has paid.
        simplex: Simplex,
        /// The newest acknowledged one before it, with the partner's signature over its
        /// acknowledgement. Without it any counter replaces.
        acked: Option<(Simplex, Signature)>,
    },
}

/// What a party brings to a dispute. Both may be absent: "start the dispute without any signed
/// proof".
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Evidence {
    /// The partner's newest simplex, signed by the partner.
    pub theirs: Option<SignedSimplex>,
    /// The submitter's own newest simplex.
    pub ours: Option<OwnSimplex>,
}

/// A simplex that carries both signatures: anybody, for instance a watchtower, may bring it.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TwiceSigned {
    /// The side that made the simplex.
    pub from: Side,
    /// What it has paid.
    pub simplex: Simplex,
    /// Signature of `from`.
    pub signature: Signature,
    /// The partner's signature over the acknowledgement.
    pub ack: Signature,
}

/// Why evidence is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum EvidenceError {
    /// A simplex breaks order or bounds.
    Malformed(SimplexError),
    /// A signature is not by whom it should be, or over something else: another chain, pair,
    /// epoch, side or content.
    BadProof,
    /// A lock expires later than one lock window from now [M15].
    ExpiryTooFar,
    /// Only the starter may post a simplex without acknowledgement.
    AckMissing,
    /// The acknowledged simplex is newer than the one without acknowledgement.
    AckOrder,
}

impl From<SimplexError> for EvidenceError {
    fn from(error: SimplexError) -> Self {
        Self::Malformed(error)
    }
}

/// How firm a simplex in a dispute is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Standing {
    /// The receiver has it or has acknowledged it: only a higher nonce replaces it.
    #[codec(index = 0)]
    Final,
    /// Posted by its maker alone: a nonce of at least `floor` replaces it [A10].
    #[codec(index = 1)]
    Unacked {
        /// The newest nonce that the partner had acknowledged, 0 if none.
        floor: Nonce,
    },
}

/// One simplex whose signatures and bounds have been checked.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Presented {
    /// The simplex.
    pub simplex: Simplex,
    /// How firm it is.
    pub standing: Standing,
}

impl Presented {
    /// Whether `self`, brought by a counter, replaces `stored` (`protocol.md` §5).
    pub fn replaces(&self, stored: Option<&Presented>) -> bool {
        match stored {
            None => true,
            Some(Presented { simplex, standing: Standing::Final }) => {
                self.simplex.nonce > simplex.nonce
            },
            Some(Presented { standing: Standing::Unacked { floor }, .. }) => {
                self.simplex.nonce >= *floor
            },
        }
    }
}

/// Against what evidence is checked.
#[derive(Clone, Debug)]
pub struct EvidenceRules<'a> {
    /// Chain, pair and epoch.
    pub channel: &'a ChannelContext,
    /// The usable clock.
    pub now: Clock,
    /// The lock window.
    pub lock_window: Clock,
    /// Most locks per simplex in this channel.
    pub max_locks: u32,
}

impl EvidenceRules<'_> {
    fn bounds(&self, simplex: &Simplex) -> Result<(), EvidenceError> {
        simplex.validate(self.max_locks)?;
        let latest = self.now.checked_add(self.lock_window).unwrap_or(Clock::MAX);
        if simplex.highest_expiry().is_some_and(|expiry| expiry > latest) {
            return Err(EvidenceError::ExpiryTooFar);
        }
        Ok(())
    }

    fn signed(
        &self,
        from: Side,
        simplex: &Simplex,
        signature: &Signature,
    ) -> Result<(), EvidenceError> {
        let message = self.channel.simplex_message(from, simplex);
        proof(signature.verify(&message, self.channel.account(from)))
    }

    fn acked(&self, from: Side, simplex: &Simplex, ack: &Signature) -> Result<(), EvidenceError> {
        let message = ack_message(&self.channel.simplex_message(from, simplex));
        proof(ack.verify(&message, self.channel.account(from.other())))
    }

    /// Checks `evidence` of `submitter` and returns what it presents for left and for right.
    /// `starter` tells whether the submitter opens the dispute.
    pub fn check(
        &self,
        evidence: Evidence,
        submitter: Side,
        starter: bool,
    ) -> Result<[Option<Presented>; 2], EvidenceError> {
        let mut presented = [None, None];
        if let Some(SignedSimplex { simplex, signature }) = evidence.theirs {
            let from = submitter.other();
            self.bounds(&simplex)?;
            self.signed(from, &simplex, &signature)?;
            presented[from.index()] = Some(Presented { simplex, standing: Standing::Final });
        }
        presented[submitter.index()] = match evidence.ours {
            None => None,
            Some(OwnSimplex::Acked { simplex, ack }) => {
                self.bounds(&simplex)?;
                self.acked(submitter, &simplex, &ack)?;
                Some(Presented { simplex, standing: Standing::Final })
            },
            Some(OwnSimplex::Unacked { .. }) if !starter => return Err(EvidenceError::AckMissing),
            Some(OwnSimplex::Unacked { simplex, acked }) => {
                self.bounds(&simplex)?;
                let floor = match acked {
                    None => 0,
                    Some((older, ack)) => {
                        older.validate(self.max_locks)?;
                        self.acked(submitter, &older, &ack)?;
                        if older.nonce > simplex.nonce {
                            return Err(EvidenceError::AckOrder);
                        }
                        older.nonce
                    },
                };
                Some(Presented { simplex, standing: Standing::Unacked { floor } })
            },
        };
        Ok(presented)
    }

    /// Checks simplexes that carry both signatures, and returns them for left and for right. Of
    /// two for the same side the newer one is kept.
    pub fn check_twice_signed(
        &self,
        simplexes: Vec<TwiceSigned>,
    ) -> Result<[Option<Presented>; 2], EvidenceError> {
        let mut presented: [Option<Presented>; 2] = [None, None];
        for TwiceSigned { from, simplex, signature, ack } in simplexes {
            self.bounds(&simplex)?;
            self.signed(from, &simplex, &signature)?;
            self.acked(from, &simplex, &ack)?;
            let new = Presented { simplex, standing: Standing::Final };
            let slot = &mut presented[from.index()];
            if new.replaces(slot.as_ref()) {
                *slot = Some(new);
            }
        }
        Ok(presented)
    }

    /// Checks a late claim: a simplex of `payer` in the (old) epoch of `self.channel`. Locks are
    /// never counted, so their expiries do not matter.
    pub fn check_late(
        &self,
        payer: Side,
        simplex: &Simplex,
        signature: &Signature,
    ) -> Result<(), EvidenceError> {
        simplex.validate(self.max_locks)?;
        self.signed(payer, simplex, signature)
    }
}

fn proof(ok: bool) -> Result<(), EvidenceError> {
    if ok {
        Ok(())
    } else {
        Err(EvidenceError::BadProof)
    }
}

/// When a dispute may be resolved (`protocol.md` §5, [M13]):
/// `max(start + delay, highest expiry in the stored simplexes + 1)`.
pub fn resolve_at<'a>(
    start: Clock,
    delay: Clock,
    stored: impl Iterator<Item = &'a Simplex>,
) -> Clock {
    let by_delay = start.checked_add(delay).unwrap_or(Clock::MAX);
    let by_expiry = stored
        .filter_map(Simplex::highest_expiry)
        .max()
        .map_or(0, |expiry| expiry.checked_add(1).unwrap_or(Clock::MAX));
    by_delay.max(by_expiry)
}

/// What a late claim moves (`protocol.md` §5, [A11]): `max(0, sent − counted)`, where `counted` is
/// what counted for the payer at the resolve or at an earlier late claim.
pub fn late_amount(sent: Balance, counted: Balance) -> Balance {
    sent.checked_sub(counted).unwrap_or_default()
}

#[cfg(test)]
mod tests;
