//! Terms belong to the creditor (`protocol.md` §4, [M4], [M8]).
//!
//! A creditor states per asset how much its partner may owe it, in numbered statements. The debtor
//! names in each update the newest statement that it knows, and acknowledges a statement with its own
//! newest nonce: updates after that nonce are judged by that statement or a newer one, older updates
//! by the one they name. So a credit line can be lowered while updates are under way, and nobody is
//! stuck.

use crate::{
    effect::{Effect, Event},
    error::Fault,
    message::{Message, TermsVersion},
    state::Channel,
};
use codec::{Decode, Encode};
use failsafe_primitives::{AssetId, Balance, Epoch, Nonce};
use std::collections::BTreeMap;

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
    /// How much may be covered by unsigned updates; nobody grants any yet.
    pub unsigned_limit: Balance,
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

    /// The terms for `asset` in `version`.
    fn at(&self, asset: AssetId, version: TermsVersion) -> Option<AssetTerms> {
        let known = self.statements.iter().rev();
        known
            .filter(|statement| statement.asset == asset && statement.version <= version)
            .map(|statement| statement.terms)
            .next()
    }

    /// The credit by which an update of the partner is judged that names `version` and leads to
    /// `nonce`; `None` for an asset without terms.
    pub(crate) fn judge(
        &self,
        version: TermsVersion,
        nonce: Nonce,
    ) -> Result<impl Fn(AssetId) -> Option<Balance> + '_, Fault> {
        if version > self.version {
            return Err(Fault::UnknownTerms(version));
        }
        if let Some((needed, since)) = self.acked {
            if nonce > since && version < needed {
                return Err(Fault::OldTerms { got: version, needed });
            }
        }
        Ok(move |asset| self.at(asset, version).map(|terms| terms.credit))
    }

    fn state(&mut self, asset: AssetId, terms: AssetTerms) -> TermsVersion {
        // One statement per change of mind: 2^32 do not come in an epoch.
        self.version = self.version.saturating_add(1);
        self.statements.push(Statement { version: self.version, asset, terms });
        self.version
    }

    fn acknowledge(&mut self, version: TermsVersion, nonce: Nonce) -> bool {
        let newer = self.acked.is_none_or(|(known, _)| version > known);
        if newer && version <= self.version {
            self.acked = Some((version, nonce));
        }
        newer
    }

    /// Forgets statements to which no update can refer any more, now that the partner's newest
    /// known nonce is `nonce`.
    pub(crate) fn prune(&mut self, nonce: Nonce) {
        let Some((version, since)) = self.acked.filter(|(_, since)| nonce >= *since) else {
            return;
        };
        let _ = since;
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
    /// States terms for `asset`; nothing happens when they are in force already.
    pub fn set_terms(&mut self, asset: AssetId, terms: AssetTerms) -> Vec<Effect> {
        if self.state.given.current(asset) == Some(terms) {
            return vec![];
        }
        let version = self.state.given.state(asset, terms);
        let epoch = self.epoch();
        let message = Message::Terms { epoch, version, asset, terms };
        vec![Effect::Persist, Effect::Send(message)]
    }

    pub(crate) fn on_terms(
        &mut self,
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
        received.terms.insert(asset, (version, terms));
        received.version = received.version.max(version);
        let event = Effect::Event(Event::TermsChanged { asset, terms });
        Ok(vec![Effect::Persist, ack, event])
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
        if !self.state.given.acknowledge(version, nonce) {
            return Ok(vec![]);
        }
        let known = self.state.theirs.nonce();
        self.state.given.prune(known);
        Ok(vec![Effect::Persist])
    }

    /// All terms again, for a partner that knows them up to `version`.
    pub(crate) fn repeat_terms(&self, version: TermsVersion) -> Vec<Effect> {
        let epoch = self.epoch();
        let newer = self.state.given.newest().into_iter().filter(|s| s.version > version);
        newer
            .map(|Statement { version, asset, terms }| {
                Effect::Send(Message::Terms { epoch, version, asset, terms })
            })
            .collect()
    }
}
