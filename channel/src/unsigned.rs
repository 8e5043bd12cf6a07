//! Payments without a signature (`protocol.md` §4 "Unsigned updates").
//!
//! A creditor that states an `unsigned_limit` takes payments that only the session authenticates, as
//! long as what no signature covers stays within it. Whatever its maker signs next covers all of them,
//! since a simplex is cumulative. Until then they are the **tail** of a half: durable and spendable
//! like any payment, but a dispute, a late claim and an acknowledgement know only the newest *signed*
//! simplex. So the limit is what the receiver risks.
//!
//! Only `Pay` goes without a signature. Locks and what becomes of them need one because a hub acts on
//! them elsewhere, reservations because the answer to them is a signature.
//!
//! # When the tail is covered
//! By every signed update: a lock, a reservation, a payment above the limit, the last one of
//! [`MAX_UNSIGNED`], one that is made while the partner is away. By [`Channel::sign_unsigned`], which
//! the host calls after `sign_delay`, and which the engine calls by itself when the partner lowers its
//! limit below the tail, and before a close. A close covers what it is made of. A dispute that the
//! maker opens shows its newest simplex, tail included. A dispute that the receiver opens, or that the
//! maker does not open, does not: what has not counted when the epoch is over is lost to the receiver,
//! and is taken off every limit that it states from then on.

use crate::{
    effect::{Effect, Event},
    error::Fault,
    message::Transition,
    state::{Channel, Half},
    update::MAX_UNACKED,
    Context, Purpose, Refusal,
};
use failsafe_primitives::{
    evidence::late_worth, view::OldEpochView, AssetId, Balance, Nonce, Signature, SignedSimplex,
    Simplex,
};

/// So many own updates in a row have a signature once: the partner acknowledges only what is signed,
/// and the outbox holds [`MAX_UNACKED`].
pub const MAX_UNSIGNED: Nonce = 64;

impl Half {
    pub(crate) fn newest_signed(&self) -> Option<(&Simplex, &Signature)> {
        let covered = self.covered.as_ref().map(|signed| (&signed.simplex, &signed.signature));
        self.signature.as_ref().map(|signature| (&self.simplex, signature)).or(covered)
    }

    /// The newest signed simplex, once there is one. Payments may follow it that nobody has signed.
    pub fn signed(&self) -> Option<SignedSimplex> {
        let (simplex, signature) = self.newest_signed()?;
        Some(SignedSimplex { simplex: simplex.clone(), signature: signature.clone() })
    }

    /// Nonce of the newest signed simplex.
    pub fn signed_nonce(&self) -> Nonce {
        self.newest_signed().map_or(0, |(simplex, _)| simplex.nonce)
    }

    /// Whether payments without a signature follow the newest signed simplex.
    pub fn has_tail(&self) -> bool {
        self.signature.is_none() && self.nonce() > 0
    }

    /// What has been paid in `asset` since the newest signed simplex.
    pub fn unsigned(&self, asset: AssetId) -> Balance {
        if !self.has_tail() {
            return 0;
        }
        let signed = self.newest_signed().map_or(0, |(simplex, _)| simplex.sent(asset));
        // Payments only add: it is never below.
        self.simplex.sent(asset).saturating_sub(signed)
    }

    /// The simplex, which follows that of `before`, has this signature, or none.
    pub(crate) fn seal(&mut self, before: &Self, signature: Option<Signature>) {
        match signature {
            Some(signature) => self.seal_newest(signature),
            None => {
                if before.signature.is_some() {
                    self.covered = before.signed();
                }
                self.signature = None;
            },
        }
    }

    fn seal_newest(&mut self, signature: Signature) {
        self.covered = None;
        self.signature = Some(signature);
    }

    /// A simplex of this half, not older than the newest signed one, has been signed.
    pub(crate) fn sign(&mut self, simplex: &Simplex, signature: Signature) {
        if simplex.nonce == self.simplex.nonce {
            self.seal_newest(signature);
        } else {
            self.covered = Some(SignedSimplex { simplex: simplex.clone(), signature });
        }
    }

    /// What of the tail has not counted when its epoch ended, per asset, given what the resolve
    /// counted and a late claim still can. `side` is the maker's.
    fn lost(&self, side: usize, old: Option<&OldEpochView>) -> Vec<(AssetId, Balance)> {
        let worth = |simplex: Option<&Simplex>, asset: AssetId| {
            let entry = simplex.and_then(|simplex| simplex.entry(asset));
            let locks = old.map(|old| &old.locks[side][..]).unwrap_or_default();
            entry.and_then(|entry| late_worth(entry, locks)).unwrap_or_default()
        };
        let lost = |asset: AssetId| {
            let counted = old.and_then(|old| {
                let counted = &old.counted[side];
                counted.iter().find(|(a, _)| *a == asset).map(|(_, amount)| *amount)
            });
            let signed = worth(self.newest_signed().map(|(simplex, _)| simplex), asset);
            let enforced = counted.unwrap_or_default().max(signed);
            let lost = worth(Some(&self.simplex), asset).checked_sub(enforced)?;
            (lost > 0).then_some((asset, lost))
        };
        let entries = self.simplex.entries.iter();
        entries.filter(|_| self.has_tail()).filter_map(|entry| lost(entry.asset)).collect()
    }
}

/// Whether an update that leads to `next` may do without a signature. `limit`: what its receiver has
/// stated in the terms by which it is judged.
pub(crate) fn check_unsigned(
    next: &Half,
    transitions: &[Transition],
    limit: impl Fn(AssetId) -> Option<Balance>,
) -> Result<(), Fault> {
    if transitions.is_empty() {
        return Err(Fault::Unsigned);
    }
    for transition in transitions {
        let Transition::Pay { asset, .. } = transition else { return Err(Fault::Unsigned) };
        let (asset, amount) = (*asset, next.unsigned(*asset));
        let limit = limit(asset).unwrap_or_default();
        if amount > limit {
            return Err(Fault::AboveUnsigned { asset, amount, limit });
        }
    }
    Ok(())
}

impl Channel {
    /// Pays the partner without a signature if its terms allow that now, else with one.
    ///
    /// # Errors
    /// [`Refusal`], as for [`Channel::pay`].
    pub fn pay_unsigned(
        &mut self,
        ctx: &Context<'_>,
        asset: AssetId,
        amount: Balance,
        purpose: Purpose,
    ) -> Result<Vec<Effect>, Refusal> {
        let sign = !self.may_leave_unsigned(asset, amount);
        self.make_update(ctx, vec![Transition::Pay { asset, amount, purpose }], sign)
    }

    /// Only in a session: what the partner gets later is no faster without a signature. And never in
    /// the last place of the outbox, which only an acknowledgement of something signed can empty.
    fn may_leave_unsigned(&self, asset: AssetId, amount: Balance) -> bool {
        let mine = &self.state.mine;
        let limit = self.state.received.current(asset).map_or(0, |terms| terms.unsigned_limit);
        let unsigned = mine.unsigned(asset).checked_add(amount);
        let since = mine.nonce().saturating_sub(mine.signed_nonce());
        self.established()
            && unsigned.is_some_and(|unsigned| unsigned <= limit)
            && since.saturating_add(1) < MAX_UNSIGNED
            && self.state.outbox.len().saturating_add(1) < MAX_UNACKED
    }

    /// Whether payments of ours wait for a signature that can be made now.
    pub fn signature_is_due(&self) -> bool {
        let waits = self.state.mine.has_tail() && !self.newest_awaits_signature();
        waits && self.check_open().is_ok()
    }

    /// Signs what we have paid without a signature, by an update that changes nothing else. The host
    /// calls this after `sign_delay`, unless a signed update has come before.
    pub fn sign_unsigned(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        if !self.signature_is_due() {
            return vec![];
        }
        // The outbox has room: see `may_leave_unsigned`.
        self.make_update(ctx, vec![], true).unwrap_or_default()
    }

    /// The partner has lowered what may be unsigned in `asset`: if that is less than we have left
    /// unsigned, it gets its signature at once.
    pub(crate) fn cover_above(&mut self, ctx: &Context<'_>, asset: AssetId) -> Vec<Effect> {
        let limit = self.state.received.current(asset).map_or(0, |terms| terms.unsigned_limit);
        if self.state.mine.unsigned(asset) <= limit {
            return vec![];
        }
        self.sign_unsigned(ctx)
    }

    /// What the partner has paid without a signature in earlier epochs and never covered. It is taken
    /// off the limits that we state.
    pub fn unsigned_lost(&self, asset: AssetId) -> Balance {
        self.state.unsigned_lost.get(&asset).copied().unwrap_or_default()
    }

    /// The epoch is over; `old` is what its resolve has counted. What it did not count of the tails
    /// is not enforceable any more.
    pub(crate) fn end_unsigned(&mut self, old: Option<&OldEpochView>) -> Vec<Effect> {
        // A close names what both had paid, tails included.
        if self.ended_by_close(old) {
            return vec![];
        }
        let (side, epoch) = (self.state.side, self.epoch());
        let theirs = self.state.theirs.lost(side.other().index(), old);
        for (asset, amount) in &theirs {
            let lost = self.state.unsigned_lost.entry(*asset).or_default();
            // It only lowers a limit, to nothing at the least.
            *lost = lost.saturating_add(*amount);
        }
        let mine = self.state.mine.lost(side.index(), old);
        let ours = mine.into_iter().map(|lost| (true, lost));
        let all = ours.chain(theirs.into_iter().map(|lost| (false, lost)));
        all.map(|(ours, (asset, amount))| {
            Effect::Event(Event::UnsignedLost { ours, epoch, asset, amount })
        })
        .collect()
    }
}
