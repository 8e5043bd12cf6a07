//! Evidence of a dispute (`protocol.md` §5): which signatures make a simplex count, which one
//! replaces another, when a dispute ends, and what a late claim moves.

use crate::{
    ids::{AssetId, Balance, Clock, Epoch, Nonce, Side},
    parameters::MIN_DELAY,
    payload::{ack_message, ChannelContext},
    signature::Signature,
    simplex::{Entry, Lock, MaxAssets, Simplex, SimplexError},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use sp_runtime::BoundedVec;

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
    /// Not acknowledged yet. Only the starter of a dispute may post it; what replaces it is told
    /// by [`Presented::replaces`] (A10).
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

impl Evidence {
    /// Whether the partner has signed anything of it: what the submitter alone has written proves
    /// nothing.
    pub fn has_partners_signature(&self) -> bool {
        let own = match &self.ours {
            None | Some(OwnSimplex::Unacked { acked: None, .. }) => false,
            Some(OwnSimplex::Acked { .. } | OwnSimplex::Unacked { acked: Some(_), .. }) => true,
        };
        own || self.theirs.is_some()
    }
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
    /// A lock expires later than a dispute may last; see [`EvidenceRules::latest_expiry`] (M15).
    ExpiryTooFar,
    /// There is nothing in the evidence but a simplex without acknowledgement, which only the
    /// starter may post.
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
    /// Posted by its maker alone: a nonce of at least `floor` replaces it, unless that would take
    /// something from the receiver (A10).
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

/// What a counter's simplex did to what a dispute stores for that side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// It has taken its place.
    Replaced,
    /// What is stored stays, but nothing older than this one replaces it any more.
    RaisedFloor,
    /// Nothing.
    Skipped,
}

impl Presented {
    /// Takes `self`, brought by a counter, into `stored` (`protocol.md` §5).
    ///
    /// One that its maker posted alone and that gives the receiver as much stays; but its floor
    /// rises to the nonce that was brought. Otherwise it would be a bait: the receiver has nothing
    /// that replaces it, until in the last moment a friend of the maker replaces it by something
    /// older that gives less (A10).
    pub fn bring(self, stored: &mut Option<Presented>) -> Brought {
        if self.replaces(stored.as_ref()) {
            *stored = Some(self);
            return Brought::Replaced;
        }
        match stored {
            Some(Presented { standing: Standing::Unacked { floor }, .. })
                if *floor < self.simplex.nonce =>
            {
                *floor = self.simplex.nonce;
                Brought::RaisedFloor
            },
            _ => Brought::Skipped,
        }
    }

    /// Whether `self`, brought by a counter, replaces `stored` (`protocol.md` §5).
    ///
    /// A final simplex gives way to a higher nonce only. One that its maker posted alone gives way
    /// to a higher nonce, to itself with the receiver's signature, and to any nonce from its floor
    /// on that could give the receiver more: the maker may have written any nonce on it (A10). An
    /// older one that gives the receiver nothing more does not replace it: somebody else could
    /// take away in the last moment what an honest starter has shown to have paid.
    pub fn replaces(&self, stored: Option<&Presented>) -> bool {
        let Some(Presented { simplex: stored, standing }) = stored else { return true };
        let new = &self.simplex;
        match standing {
            Standing::Final => new.nonce > stored.nonce,
            Standing::Unacked { floor } => {
                new.nonce > stored.nonce
                    || new == stored
                    || (new.nonce >= *floor && !stored.covers(new))
            },
        }
    }
}

/// What a starter shows of its own payments when it speaks: its claim to have hidden nothing
/// (`protocol.md` §5, M17).
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
pub struct Claim {
    /// Nonce of the simplex of its own that it posted, 0 if it posted none.
    pub nonce: Nonce,
    /// What that simplex has sent, per asset in smallest units, assets strictly ascending.
    pub sent: BoundedVec<(AssetId, Balance), MaxAssets>,
}

impl Claim {
    /// The claim of a starter that posted `own` as its own simplex.
    pub fn of(own: Option<&Simplex>) -> Self {
        let Some(own) = own else { return Self::default() };
        let sent: Vec<_> = own.entries.iter().map(|entry| (entry.asset, entry.sent)).collect();
        // As many as there are entries, which have the same bound.
        Self { nonce: own.nonce, sent: BoundedVec::truncate_from(sent) }
    }

    /// Whether `shown`, a simplex that the starter signed, proves that it hid something: a higher
    /// nonce than it posted, or more sent in some asset. Its deposit is forfeited then.
    ///
    /// The amounts are compared too because a starter may post a simplex that nobody has
    /// acknowledged, and can give that any nonce.
    pub fn is_broken_by(&self, shown: &Simplex) -> bool {
        let claimed = |asset| {
            let known = self.sent.iter().find(|(claimed, _)| *claimed == asset);
            known.map_or(0, |(_, sent)| *sent)
        };
        shown.nonce > self.nonce
            || shown.entries.iter().any(|entry| entry.sent > claimed(entry.asset))
    }
}

/// Names exactly what a responder accepts: `blake2_256(SCALE((epoch, presented)))`, where
/// `presented` is what the dispute stores for left and for right (`protocol.md` §5).
///
/// Without it, a counter or a reorganisation between the responder's look and its `accept` would
/// change what is accepted.
pub fn presented_digest(epoch: Epoch, presented: &[Option<Presented>; 2]) -> H256 {
    H256(blake2_256(&(epoch, presented).encode()))
}

/// Latest expiry of a lock in the evidence that opens a dispute at usable clock `now`
/// (`protocol.md` §5, M15). A clock so late that the sum overflows allows no lock.
pub fn latest_expiry_at_start(now: Clock, lock_window: Clock) -> Clock {
    now.checked_add(lock_window).unwrap_or_default()
}

/// Latest expiry of a lock in a counter to a dispute that was opened at usable clock `start`.
///
/// Counted from the start, not from the counter: or else counters could prolong a dispute for
/// ever, and its old place in the queue of debts with it. Honest parties freeze the channel when
/// they see the dispute, which takes less than [`MIN_DELAY`], so they have no later lock.
pub fn latest_expiry_in_counter(start: Clock, lock_window: Clock) -> Clock {
    start.checked_add(MIN_DELAY).and_then(|seen| seen.checked_add(lock_window)).unwrap_or_default()
}

/// Against what evidence is checked.
#[derive(Clone, Debug)]
pub struct EvidenceRules<'a> {
    /// Chain, pair and epoch.
    pub channel: &'a ChannelContext,
    /// Latest usable clock at which a lock may expire: [`latest_expiry_at_start`] or
    /// [`latest_expiry_in_counter`].
    pub latest_expiry: Clock,
    /// Most locks per simplex in this channel.
    pub max_locks: u32,
}

impl EvidenceRules<'_> {
    fn bounds(&self, simplex: &Simplex) -> Result<(), EvidenceError> {
        simplex.validate(self.max_locks)?;
        if simplex.highest_expiry().is_some_and(|expiry| expiry > self.latest_expiry) {
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
            // In an answer only what the partner has acknowledged counts; a dispute that was
            // outrun by the partner's becomes an answer (M6).
            Some(OwnSimplex::Unacked { acked: Some((simplex, ack)), .. }) if !starter => {
                self.bounds(&simplex)?;
                self.acked(submitter, &simplex, &ack)?;
                Some(Presented { simplex, standing: Standing::Final })
            },
            Some(OwnSimplex::Unacked { .. }) if !starter => {
                let nothing_left = presented[submitter.other().index()].is_none();
                if nothing_left {
                    return Err(EvidenceError::AckMissing);
                }
                None
            },
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

    /// Checks a late claim: a simplex of `payer` in the (old) epoch of `self.channel`. Of its locks
    /// only those count that had counted at the resolve, so their expiries do not matter.
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

/// When a dispute may be resolved (`protocol.md` §5, M13):
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

/// Whether `lock` in `asset` is among `locks`, those that counted at a resolve, ascending by asset and
/// id.
pub fn had_counted(asset: AssetId, lock: &Lock, locks: &[(AssetId, Lock)]) -> bool {
    let found = locks.binary_search_by_key(&(asset, lock.id), |(a, l)| (*a, l.id));
    found.is_ok_and(|i| locks.get(i).is_some_and(|(_, other)| other == lock))
}

/// What `entry` is worth after its epoch was resolved (`protocol.md` §5, A11): its `sent` plus those
/// of its locks that [had counted](had_counted). What it has settled is in `sent` already, what it
/// still holds is not. `None` beyond the limits, which a [valid](Simplex::validate) entry is not.
pub fn late_worth(entry: &Entry, locks: &[(AssetId, Lock)]) -> Option<Balance> {
    let mut held = entry.locks.iter().filter(|lock| had_counted(entry.asset, lock, locks));
    held.try_fold(entry.sent, |sum, lock| sum.checked_add(lock.amount))
}

/// What a late claim moves in the asset of `entry` (`protocol.md` §5, A11): `max(0, worth − counted)`,
/// where `counted` is what counted for the payer at the resolve or at an earlier late claim, and
/// `locks` are those that counted at the resolve; see [`late_worth`].
pub fn late_amount(entry: &Entry, counted: Balance, locks: &[(AssetId, Lock)]) -> Balance {
    let more = late_worth(entry, locks).and_then(|worth| worth.checked_sub(counted));
    more.unwrap_or_default()
}

#[cfg(test)]
mod tests;
