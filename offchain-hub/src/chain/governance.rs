//! Validators, proposals and amendments (`protocol.md` §12).
//!
//! What the runtime API answers is read by the types of this file as far as hub and wallet need to
//! know them, and by the runtime's metadata where anything may stand: calls, events, errors, entries
//! of the state.

use super::{
    calls::{list_of, Call},
    client::{indices, ChainClient, ChainError},
    explain::{plain, Explainer, KnownCall, KnownEvent},
};
use codec::{Compact, Decode, DecodeAll, Encode};
use failsafe_primitives::{AccountId, Balance, BlockNumber, Clock, Parameters};
use serde_json::Value;
use sp_core::H256;
use subxt::Metadata;

/// How code in the runtime's own format begins.
const WASM: &[u8] = b"\0asm";
/// How a compressed runtime begins (`sp-maybe-compressed-blob`).
const COMPRESSED: &[u8] = &[82, 188, 83, 118, 70, 219, 142, 5];

/// Whether this is the code of a runtime, compressed or not.
pub fn is_runtime(code: &[u8]) -> bool {
    code.starts_with(WASM) || code.starts_with(COMPRESSED)
}

/// Longest title of a proposal, in bytes.
pub const MAX_TITLE: usize = 96;
/// Longest text of a proposal, in bytes.
pub const MAX_TEXT: usize = 4_096;
/// Longest rationale of a vote, in bytes.
pub const MAX_RATIONALE: usize = 512;
/// Most bytes of a proposal's calls.
pub const MAX_CALLS: usize = 16_384;

/// A validator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Validator {
    /// The account that votes.
    pub account: AccountId,
    /// Who it is, as text.
    pub name: Vec<u8>,
    /// Where it is, as text.
    pub location: Vec<u8>,
    /// Its shares.
    pub shares: u32,
    /// The sr25519 key that authors blocks.
    pub aura: [u8; 32],
    /// The ed25519 key that finalizes blocks.
    pub grandpa: [u8; 32],
}

/// How the shares stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Tally {
    /// Shares for it.
    pub ayes: u32,
    /// Shares against it.
    pub nays: u32,
    /// All shares.
    pub total: u32,
}

/// A vote.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Vote {
    /// Whose.
    pub validator: AccountId,
    /// Whether for the proposal.
    pub approve: bool,
    /// Why.
    pub rationale: Vec<u8>,
}

/// An open proposal, as it begins.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// Its number.
    pub id: u32,
    /// Who proposed.
    pub proposer: AccountId,
    /// What it is called.
    pub title: Vec<u8>,
    /// What it is for.
    pub text: Vec<u8>,
    /// What is on hold for it, smallest units of FRD.
    pub deposit: Balance,
    /// From this usable clock on the votes are counted.
    pub due: Clock,
    /// What its calls weigh at most: time and size.
    weight: (Compact<u64>, Compact<u64>),
}

/// An open proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Title, text, proposer, deposit, time.
    pub head: Head,
    /// Exactly what it would carry out.
    pub calls: Vec<KnownCall>,
    /// How the shares stand.
    pub tally: Tally,
    /// Who voted how, and why.
    pub votes: Vec<Vote>,
}

/// Who governs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Governance {
    /// The validators in force.
    pub validators: Vec<Validator>,
    /// The set that is planned, and the block that begins its first session.
    pub planned: Option<(BlockNumber, Vec<Validator>)>,
    /// How long votes are taken, in usable blocks.
    pub voting_period: Clock,
}

/// What calls would change.
#[derive(Clone, Debug, PartialEq)]
pub struct DryRun {
    /// Which call would fail, by its place from 0, and why: then none has an effect.
    pub failed: Option<(u32, String)>,
    /// The events that there would be.
    pub events: Vec<KnownEvent>,
    /// Entries of the state that would be others.
    pub changes: Vec<Change>,
    /// Whether the whole state was compared.
    pub complete: bool,
}

/// An entry of the state that would be another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which.
    pub entry: String,
    /// What is there now.
    pub before: Option<Value>,
    /// What would be there.
    pub after: Option<Value>,
}

/// What is to be carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Amendment {
    /// A call, encoded as polkadot.js shows it.
    Call(Vec<u8>),
    /// `parameters.amend`.
    Parameters(Box<Parameters>),
    /// `governance.set_voting_period`, in usable blocks.
    VotingPeriod(Clock),
    /// `governance.set_validators`: all of the set.
    Validators(Vec<Validator>),
    /// `system.authorize_upgrade`: the hash of the new runtime's code.
    AuthorizeUpgrade(H256),
}

impl Amendment {
    /// The call, encoded for a runtime.
    fn encode(&self, metadata: &Metadata) -> Result<Vec<u8>, ChainError> {
        let (pallet, name, full, arguments) = match self {
            Self::Call(bytes) => return Ok(bytes.clone()),
            Self::Parameters(values) => {
                ("Parameters", "amend", "parameters.amend", values.encode())
            },
            Self::VotingPeriod(period) => {
                let full = "governance.set_voting_period";
                ("Governance", "set_voting_period", full, period.encode())
            },
            Self::Validators(set) => {
                ("Governance", "set_validators", "governance.set_validators", set.encode())
            },
            Self::AuthorizeUpgrade(hash) => {
                ("System", "authorize_upgrade", "system.authorize_upgrade", hash.encode())
            },
        };
        let place = indices(metadata, pallet, name)
            .map_err(|reason| ChainError::Encoding { call: full, reason })?;
        Ok([&place[..], &arguments].concat())
    }
}

fn unreadable(method: &str) -> impl Fn(String) -> ChainError + '_ {
    move |reason| ChainError::Answer { method: format!("GovernanceApi_{method}"), reason }
}

fn take<T: Decode>(bytes: &mut &[u8]) -> Result<T, String> {
    T::decode(bytes).map_err(|e| e.to_string())
}

impl Explainer {
    /// A list of what `one` reads.
    fn list<T>(
        bytes: &mut &[u8],
        one: impl Fn(&mut &[u8]) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let Compact(length): Compact<u32> = take(bytes)?;
        (0..length).map(|_| one(bytes)).collect()
    }

    fn proposal(&self, bytes: &mut &[u8]) -> Result<Proposal, String> {
        let head = take(bytes)?;
        let calls = Self::list(bytes, |bytes| self.call(bytes))?;
        Ok(Proposal { head, calls, tally: take(bytes)?, votes: take(bytes)? })
    }

    fn dry_run(&self, bytes: &mut &[u8]) -> Result<DryRun, String> {
        let failed = match take::<u8>(bytes)? {
            0 => None,
            _ => Some((take(bytes)?, self.error(bytes)?)),
        };
        let events = Self::list(bytes, |bytes| self.event(bytes))?;
        type Raw = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);
        let changes: Vec<Raw> = take(bytes)?;
        let change = |(key, before, after): Raw| {
            let entry = self.entry(&key);
            let value = |bytes: Option<Vec<u8>>| bytes.map(|b| self.entry_value(&entry, &b));
            Change { before: value(before), after: value(after), entry: entry.name.clone() }
        };
        let changes = changes.into_iter().map(change).collect();
        Ok(DryRun { failed, events, changes, complete: take(bytes)? })
    }
}

impl ChainClient {
    /// The runtime's metadata, if it has governance.
    async fn governed(&self) -> Result<Explainer, ChainError> {
        let (metadata, version) = self.runtime().await?;
        if metadata.pallet_by_name("Governance").is_none() {
            return Err(ChainError::NoGovernance { version });
        }
        Ok(Explainer::new(metadata))
    }

    async fn ask_governance(
        &self,
        method: &str,
        arguments: Vec<u8>,
        at: Option<H256>,
    ) -> Result<Vec<u8>, ChainError> {
        self.call_runtime(&format!("GovernanceApi_{method}"), &arguments, at).await
    }

    async fn read_governance<R: Decode>(&self, method: &str) -> Result<R, ChainError> {
        let bytes = self.ask_governance(method, vec![], None).await?;
        R::decode_all(&mut &bytes[..]).map_err(|e| unreadable(method)(e.to_string()))
    }

    /// Who governs.
    ///
    /// # Errors
    /// The chain has no governance, or cannot be asked.
    pub async fn governance(&self) -> Result<Governance, ChainError> {
        Ok(Governance {
            validators: self.validators().await?,
            planned: self.read_governance("planned").await?,
            voting_period: self.read_governance("voting_period").await?,
        })
    }

    /// The validators in force.
    ///
    /// # Errors
    /// The chain has no governance, or cannot be asked.
    pub async fn validators(&self) -> Result<Vec<Validator>, ChainError> {
        self.governed().await?;
        self.read_governance("validators").await
    }

    /// Open proposals, in the order in which they are due; at the best block if `at` is not given.
    ///
    /// # Errors
    /// The chain has no governance, or cannot be asked.
    pub async fn proposals(&self, at: Option<H256>) -> Result<Vec<Proposal>, ChainError> {
        let explainer = self.governed().await?;
        let bytes = self.ask_governance("proposals", vec![], at).await?;
        explainer.with(|explainer| {
            let one = |bytes: &mut &[u8]| explainer.proposal(bytes);
            Explainer::list(&mut &bytes[..], one).map_err(unreadable("proposals"))
        })
    }

    /// An open proposal.
    ///
    /// # Errors
    /// The chain has no governance, or cannot be asked.
    pub async fn proposal(&self, id: u32) -> Result<Option<Proposal>, ChainError> {
        let explainer = self.governed().await?;
        let bytes = self.ask_governance("proposal", id.encode(), None).await?;
        explainer.with(|explainer| match &bytes[..] {
            [0] => Ok(None),
            [_, rest @ ..] => {
                explainer.proposal(&mut &rest[..]).map(Some).map_err(unreadable("proposal"))
            },
            [] => Err(unreadable("proposal")("it is empty".into())),
        })
    }

    /// What an open proposal would change if it were carried out now; `None` if there is no such.
    ///
    /// # Errors
    /// The chain has no governance, or cannot be asked.
    pub async fn dry_run_proposal(&self, id: u32) -> Result<Option<DryRun>, ChainError> {
        let explainer = self.governed().await?;
        let bytes = self.ask_governance("dry_run_proposal", id.encode(), None).await?;
        explainer.with(|explainer| {
            match &bytes[..] {
                [0] => Ok(None),
                [_, rest @ ..] => explainer.dry_run(&mut &rest[..]).map(Some),
                [] => Err("it is empty".into()),
            }
            .map_err(unreadable("dry_run_proposal"))
        })
    }

    /// What calls would change if they were proposed and carried out now.
    ///
    /// # Errors
    /// The chain has no governance, or cannot be asked.
    pub async fn dry_run(&self, calls: &[KnownCall]) -> Result<DryRun, ChainError> {
        let explainer = self.governed().await?;
        let bytes = self.ask_governance("dry_run", list_of(calls), None).await?;
        explainer
            .with(|explainer| explainer.dry_run(&mut &bytes[..]).map_err(unreadable("dry_run")))
    }

    /// The calls of amendments, encoded for this chain and read back.
    ///
    /// # Errors
    /// The chain has no governance or no such call, or what was given is not a call.
    pub async fn amendments(&self, wanted: &[Amendment]) -> Result<Vec<KnownCall>, ChainError> {
        let explainer = self.governed().await?;
        let encode = |one: &Amendment| one.encode(&explainer.metadata);
        let encoded: Vec<_> = wanted.iter().map(encode).collect::<Result<_, _>>()?;
        explainer.with(|explainer| {
            let known = |(place, bytes): (usize, Vec<u8>)| {
                let wrong = |reason| ChainError::NotACall { place: place + 1, reason };
                if bytes.len() > MAX_CALLS {
                    return Err(wrong(format!("it has more than {MAX_CALLS} bytes")));
                }
                let rest = &mut &bytes[..];
                let call = explainer.call(rest).map_err(wrong)?;
                match rest.len() {
                    0 => Ok(call),
                    more => Err(wrong(format!("there are {more} bytes after it"))),
                }
            };
            encoded.into_iter().enumerate().map(known).collect()
        })
    }
}

/// The call that proposes calls.
pub fn propose(title: &str, text: &str, calls: &[KnownCall]) -> Call {
    Call::Propose {
        title: title.as_bytes().to_vec(),
        text: text.as_bytes().to_vec(),
        calls: calls.iter().map(|call| call.encoded.clone()).collect(),
    }
}

/// What others wrote, for people.
pub fn words(bytes: &[u8]) -> String {
    plain(&String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests;
