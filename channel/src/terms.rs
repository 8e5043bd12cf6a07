//! Terms belong to the creditor (`protocol.md` §4, M4, M8).
//!
//! A creditor states per asset how much its partner may owe it, in numbered statements. The debtor
//! names in each update the newest statement that it knows, and acknowledges a statement with its own
//! newest nonce: updates after that nonce are judged by that statement or a newer one, older updates
//! by the one they name. So a credit line can be lowered while updates are under way, and nobody is
//! stuck.

use crate::{
    effect::{Effect, Event},
    error::{Fault, Refusal},
    message::{Message, TermsVersion},
    state::Channel,
    update::MAX_UNACKED,
    Context,
};
use codec::{Decode, Encode};
use failsafe_primitives::{arithmetic::within_limit, AssetId, Balance, Epoch, Nonce, LIMIT};
use std::collections::BTreeMap;

/// Highest version of our terms that a partner may claim to have when we do not know it: an honest
/// one has it because we were restored from a backup, a hostile one must not use up our numbers.
const MAX_CLAIMED_VERSION: TermsVersion = 1 << 31;
/// Statements beyond which such a claim is not believed: each makes us state everything again.
const MAX_STATEMENTS: usize = 1_024;

/// A creditor's terms for one asset.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
pub struct AssetTerms {
    /// How much the partner may owe, smallest units. A creditor subtracts what the partner owes it
    /// on chain before it states this.
    pub credit: Balance,
    /// From this uninsured balance on the creditor wants insurance.
    pub insure_above: Balance,
    /// How much the partner may have paid without a signature at a time: what the creditor risks.
    pub unsigned_limit: Balance,
}

impl AssetTerms {
    /// Whether every amount is within [`LIMIT`] (`protocol.md` §2): more could not be reckoned with.
    fn within_limits(&self) -> bool {
        [self.credit, self.insure_above, self.unsigned_limit]
            .into_iter()
            .all(|amount| within_limit(amount).is_ok())
    }
}

/// One statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Statement {
    version: TermsVersion,
    asset: AssetId,
    terms: AssetTerms,
}

/// What we have stated as a creditor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Given {
    /// Newest version.
    pub version: TermsVersion,
    /// Ascending versions; older ones as long as the partner may still refer to them.
    statements: Vec<Statement>,
    /// Newest acknowledgement: version and the partner's nonce at that time.
    acked: Option<(TermsVersion, Nonce)>,
}

impl Given {
    /// The newest terms for `asset`.
    pub fn current(&self, asset: AssetId) -> Option<AssetTerms> {
        self.at(asset, TermsVersion::MAX)
    }

    /// The newest version that the partner has acknowledged, and its nonce at that time.
    pub fn acked(&self) -> Option<(TermsVersion, Nonce)> {
        self.acked
    }

    /// The terms for `asset` in `version`.
    fn at(&self, asset: AssetId, version: TermsVersion) -> Option<AssetTerms> {
        let known = self.statements.iter().rev();
        known
            .filter(|statement| statement.asset == asset && statement.version <= version)
            .map(|statement| statement.terms)
            .next()
    }

    /// The terms by which an update of the partner is judged that names `version` and leads to
    /// `nonce`; `None` for an asset without terms.
    pub(crate) fn judge(
        &self,
        version: TermsVersion,
        nonce: Nonce,
    ) -> Result<impl Fn(AssetId) -> Option<AssetTerms> + '_, Fault> {
        if version > self.version {
            return Err(Fault::UnknownTerms(version));
        }
        if let Some((needed, since)) = self.acked {
            if nonce > since && version < needed {
                return Err(Fault::OldTerms { got: version, needed });
            }
        }
        Ok(move |asset| self.at(asset, version))
    }

    /// Adds a statement. `None` when there is no number left for it in this epoch.
    fn state(&mut self, asset: AssetId, terms: AssetTerms) -> Option<TermsVersion> {
        let version = self.version.checked_add(1)?;
        self.version = version;
        self.statements.push(Statement { version, asset, terms });
        Some(version)
    }

    /// The partner knows `version`, and its updates after `nonce` follow it. Says whether that is
    /// new.
    fn acknowledge(&mut self, version: TermsVersion, nonce: Nonce) -> bool {
        let known = self.acked.map_or(0, |(known, _)| known);
        let newer = version > known && version <= self.version;
        if newer {
            self.acked = Some((version, nonce));
        }
        newer
    }

    /// Says everything again under numbers above `version`, which the partner knows and we have
    /// forgotten.
    fn restate_above(&mut self, version: TermsVersion) {
        let newest = self.newest();
        self.version = version;
        for Statement { asset, terms, .. } in newest {
            if self.state(asset, terms).is_none() {
                return;
            }
        }
    }

    /// Forgets statements to which no update can refer any more, now that the partner's newest
    /// known nonce is `nonce`.
    pub(crate) fn prune(&mut self, nonce: Nonce) {
        let Some((version, _)) = self.acked.filter(|(_, since)| nonce >= *since) else {
            return;
        };
        let newest: BTreeMap<AssetId, TermsVersion> = self
            .statements
            .iter()
            .filter(|statement| statement.version <= version)
            .map(|statement| (statement.asset, statement.version))
            .collect();
        self.statements.retain(|statement| {
            statement.version > version || newest.get(&statement.asset) == Some(&statement.version)
        });
    }

    /// The newest statement per asset, ascending versions.
    fn newest(&self) -> Vec<Statement> {
        let by_asset: BTreeMap<AssetId, Statement> =
            self.statements.iter().map(|statement| (statement.asset, *statement)).collect();
        let mut newest: Vec<_> = by_asset.into_values().collect();
        newest.sort_by_key(|statement| statement.version);
        newest
    }
}

/// What the partner has stated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Received {
    /// Newest version.
    pub version: TermsVersion,
    /// Newest terms per asset, with their version.
    pub terms: BTreeMap<AssetId, (TermsVersion, AssetTerms)>,
}

impl Received {
    /// The newest terms for `asset`.
    pub fn current(&self, asset: AssetId) -> Option<AssetTerms> {
        self.terms.get(&asset).map(|(_, terms)| *terms)
    }
}

/// Most assets for which a partner may state terms.
const MAX_TERMS: usize = failsafe_primitives::simplex::MAX_ASSETS as usize;

impl Channel {
    /// States terms for `asset`; nothing happens when they are in force already. What the partner has
    /// left uncovered in earlier epochs is taken off the `unsigned_limit`: the limit is what may be
    /// lost in all, not in every epoch.
    ///
    /// # Errors
    /// [`Refusal::TermsTooHigh`] for an amount above the limit of the protocol.
    pub fn set_terms(&mut self, asset: AssetId, terms: AssetTerms) -> Result<Vec<Effect>, Refusal> {
        if !terms.within_limits() {
            return Err(Refusal::TermsTooHigh(LIMIT));
        }
        let lost = self.unsigned_lost(asset);
        // More than the limit was lost if it was higher before: then nothing is left of it.
        let unsigned_limit = terms.unsigned_limit.saturating_sub(lost);
        let terms = AssetTerms { unsigned_limit, ..terms };
        if self.state.given.current(asset) == Some(terms) {
            return Ok(vec![]);
        }
        let version = self.state.given.state(asset, terms).ok_or(Refusal::Overflow)?;
        let epoch = self.epoch();
        let message = Message::Terms { epoch, version, asset, terms };
        Ok(vec![Effect::Persist, Effect::Send(message)])
    }

    pub(crate) fn on_terms(
        &mut self,
        ctx: &Context<'_>,
        epoch: Epoch,
        version: TermsVersion,
        asset: AssetId,
        terms: AssetTerms,
    ) -> Result<Vec<Effect>, Fault> {
        if epoch != self.epoch() {
            return Ok(vec![]);
        }
        let received = &mut self.state.received;
        let known = received.terms.get(&asset).map(|(version, _)| *version);
        let ack =
            Effect::Send(Message::TermsAck { epoch, version, nonce: self.state.mine.nonce() });
        if known.is_some_and(|known| version <= known) {
            return Ok(vec![ack]);
        }
        if known.is_none() && received.terms.len() >= MAX_TERMS {
            return Err(Fault::Mismatch("terms for more assets than a channel may have"));
        }
        if !terms.within_limits() {
            return Err(Fault::TermsTooHigh(asset));
        }
        received.terms.insert(asset, (version, terms));
        received.version = received.version.max(version);
        let event = Effect::Event(Event::TermsChanged { asset, terms });
        let mut effects = vec![Effect::Persist, ack, event];
        effects.extend(self.cover_above(ctx, asset));
        Ok(effects)
    }

    pub(crate) fn on_terms_ack(
        &mut self,
        epoch: Epoch,
        version: TermsVersion,
        nonce: Nonce,
    ) -> Result<Vec<Effect>, Fault> {
        if epoch != self.epoch() {
            return Ok(vec![]);
        }
        if version > self.state.given.version {
            return Err(Fault::UnknownTerms(version));
        }
        self.check_own_nonce(nonce)?;
        Ok(self.note_terms(version, nonce).into_iter().collect())
    }

    /// A partner's own nonce is at most [`MAX_UNACKED`] beyond what we have of it. A higher one would
    /// let its updates follow old terms for ever.
    fn check_own_nonce(&self, nonce: Nonce) -> Result<(), Fault> {
        let ahead = nonce.saturating_sub(self.state.theirs.nonce());
        match usize::try_from(ahead) {
            Ok(ahead) if ahead <= MAX_UNACKED => Ok(()),
            _ => Err(Fault::Mismatch("more updates than may wait for an acknowledgement")),
        }
    }

    fn note_terms(&mut self, version: TermsVersion, nonce: Nonce) -> Option<Effect> {
        if !self.state.given.acknowledge(version, nonce) {
            return None;
        }
        let known = self.state.theirs.nonce();
        self.state.given.prune(known);
        Some(Effect::Persist)
    }

    /// A reconnected partner knows our terms up to `version`; its newest nonce is `nonce`. That is an
    /// acknowledgement too: the one it sent may be lost. What it does not know is stated again.
    pub(crate) fn catch_up_terms(
        &mut self,
        version: TermsVersion,
        nonce: Nonce,
    ) -> Result<Vec<Effect>, Fault> {
        let given = &self.state.given;
        let forgotten = version > given.version;
        let credible = version <= MAX_CLAIMED_VERSION && given.statements.len() < MAX_STATEMENTS;
        if forgotten && !credible {
            return Err(Fault::UnknownTerms(version));
        }
        self.check_own_nonce(nonce)?;
        if forgotten {
            self.state.given.restate_above(version);
        }
        let noted = self.note_terms(version, nonce);
        let mut effects = vec![];
        if forgotten || noted.is_some() {
            effects.push(Effect::Persist);
        }
        effects.extend(self.repeat_terms(version));
        Ok(effects)
    }

    /// All terms again, for a partner that knows them up to `version`.
    fn repeat_terms(&self, version: TermsVersion) -> Vec<Effect> {
        let epoch = self.epoch();
        let newer = self.state.given.newest().into_iter().filter(|s| s.version > version);
        newer
            .map(|Statement { version, asset, terms }| {
                Effect::Send(Message::Terms { epoch, version, asset, terms })
            })
            .collect()
    }
}
