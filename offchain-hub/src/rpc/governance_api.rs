//! Validators, proposals and amendments: methods of a running party, and what they answer.

use super::api::{Amount, OnChainView};
use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValidatorRow {
    /// The account that votes.
    pub account: String,
    /// Who it is.
    pub name: String,
    /// Where it is.
    pub location: String,
    /// Its shares.
    pub shares: u32,
    /// The sr25519 key that authors blocks, in hex or as an address.
    pub aura: String,
    /// The ed25519 key that finalizes blocks, in hex or as an address.
    pub grandpa: String,
}

/// A set that will be in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedView {
    /// The block from which on.
    pub border: u32,
    /// The validators.
    pub validators: Vec<ValidatorRow>,
}

/// Who governs the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GovernanceView {
    /// How long votes are taken, in usable blocks.
    pub voting_period: u64,
    /// Usable clock of the best block.
    pub clock: u64,
    /// The validators in force.
    pub validators: Vec<ValidatorRow>,
    /// The set that is planned.
    pub planned: Option<PlannedView>,
}

/// A call that would be carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallRow {
    /// As `parameters.amend`.
    pub call: String,
    /// Its arguments by name. Numbers above 2^53 are strings; bytes that are no text are in hex.
    pub arguments: Value,
    /// As it is encoded, in hex.
    pub encoded: String,
}

/// A vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoteRow {
    /// Whose.
    pub validator: String,
    /// The validator's name; `null` of one that is not in force any more.
    pub name: Option<String>,
    /// Its shares now.
    pub shares: u32,
    /// Whether for the proposal.
    pub approve: bool,
    /// Why.
    pub rationale: String,
}

/// An open proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalRow {
    /// Its number.
    pub id: u32,
    /// What it is called.
    pub title: String,
    /// What it is for.
    pub text: String,
    /// Who proposed it.
    pub proposer: String,
    /// What is on hold for it, in smallest units of FRD.
    pub deposit: Amount,
    /// From this usable clock on the votes are counted.
    pub due: u64,
    /// Usable clock of the best block.
    pub clock: u64,
    /// Shares for it.
    pub ayes: u32,
    /// Shares against it.
    pub nays: u32,
    /// All shares.
    pub total: u32,
    /// Exactly what it would carry out.
    pub calls: Vec<CallRow>,
    /// Who voted how, and why.
    pub votes: Vec<VoteRow>,
}

/// A call that would fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedRow {
    /// Which, from 1.
    pub call: u32,
    /// Why.
    pub error: String,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventRow {
    /// As `parameters.Amended`.
    pub event: String,
    /// Its fields by name.
    pub fields: Value,
}

/// An entry of the state that would be another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRow {
    /// As `parameters.Current`.
    pub entry: String,
    /// What is there now; `null` for nothing.
    pub before: Option<Value>,
    /// What would be there; `null` for nothing.
    pub after: Option<Value>,
}

/// What calls would change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DryRunView {
    /// The call that would fail: then none has an effect.
    pub failed: Option<FailedRow>,
    /// The events that there would be.
    pub events: Vec<EventRow>,
    /// Entries of the state that would be others.
    pub changes: Vec<ChangeRow>,
    /// Whether the whole state was compared.
    pub complete: bool,
}

/// A proposal that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedView {
    /// The block in which it is final.
    pub block: u32,
    /// Its number; `null` if it was concluded or withdrawn in the block that has it.
    pub proposal: Option<u32>,
    /// From this usable clock on the votes are counted.
    pub due: Option<u64>,
}

/// What is to be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AmendmentSpec {
    /// A call in hex, as polkadot.js shows it under "encoded call data".
    Call(String),
    /// Parameters that change, by name; the others stay. Amounts of FRD are smallest units, or
    /// whole ones as in `10 FRD`.
    Parameters(BTreeMap<String, String>),
    /// How long votes are taken from the next proposal on, in usable blocks.
    VotingPeriod(u64),
    /// The whole new set of validators.
    Validators(Vec<ValidatorRow>),
    /// The blake2-256 hash of a new runtime's code, in hex.
    AuthorizeUpgrade(String),
}

/// What a running party does for those who govern the chain.
#[rpc(server, client, namespace = "failsafe")]
pub trait GovernanceRpc {
    /// Who governs the chain: validators, their shares, and the set that is planned.
    #[method(name = "governance", param_kind = map)]
    async fn governance(&self) -> RpcResult<GovernanceView>;

    /// The chain's parameters as this process follows them; it reads them anew every few blocks.
    #[method(name = "parameters", param_kind = map)]
    async fn parameters(&self) -> RpcResult<BTreeMap<String, Amount>>;

    /// Open proposals, in the order in which they are due.
    #[method(name = "proposals", param_kind = map)]
    async fn proposals(&self) -> RpcResult<Vec<ProposalRow>>;

    /// An open proposal.
    #[method(name = "proposal", param_kind = map)]
    async fn proposal(&self, proposal: u32) -> RpcResult<ProposalRow>;

    /// What an open proposal would change if it were carried out now.
    #[method(name = "dry_run_proposal", param_kind = map)]
    async fn dry_run_proposal(&self, proposal: u32) -> RpcResult<DryRunView>;

    /// What amendments would change if they were carried out now.
    #[method(name = "dry_run", param_kind = map)]
    async fn dry_run(&self, amendments: Vec<AmendmentSpec>) -> RpcResult<DryRunView>;

    /// Proposes amendments, all or none, against a deposit.
    #[method(name = "propose", param_kind = map)]
    async fn propose(
        &self,
        title: String,
        text: String,
        amendments: Vec<AmendmentSpec>,
    ) -> RpcResult<ProposedView>;

    /// Votes on an open proposal with the shares of our account, or changes our vote.
    #[method(name = "vote", param_kind = map)]
    async fn vote(&self, proposal: u32, approve: bool, rationale: String)
        -> RpcResult<OnChainView>;

    /// Withdraws an open proposal of ours.
    #[method(name = "cancel_proposal", param_kind = map)]
    async fn cancel_proposal(&self, proposal: u32) -> RpcResult<OnChainView>;

    /// Uploads a runtime that was authorised, from a file of the party's machine: the next block runs
    /// it.
    #[method(name = "apply_upgrade", param_kind = map)]
    async fn apply_upgrade(&self, path: String) -> RpcResult<OnChainView>;
}
