//! Validators, proposals and amendments: carried out on a party.

use super::{
    api::{Amount, OnChainView},
    governance_api::{
        AmendmentSpec, CallRow, ChangeRow, DryRunView, EventRow, FailedRow, GovernanceRpcServer,
        GovernanceView, PlannedView, ProposalRow, ProposedView, ValidatorRow, VoteRow,
    },
    names::RequestError,
    service::name,
    Service,
};
use crate::{
    address, amount,
    chain::{
        governance::{
            is_runtime, propose, words, Amendment, Change, DryRun, Proposal, Validator, MAX_CALLS,
            MAX_RATIONALE, MAX_TEXT, MAX_TITLE,
        },
        hex_text, Call, KnownCall, KnownEvent,
    },
    party::{Answer, Command, CommandError},
};
use failsafe_primitives::{AccountId, Balance, Parameters};
use jsonrpsee::core::{async_trait, RpcResult};
use sp_core::H256;
use std::{collections::BTreeMap, fs::File, io::Read as _};

/// Longest code of a runtime, compressed or not: a block has no room for more.
const MAX_CODE: u64 = 5 << 20;

/// A parameter: a time or a rate, or an amount of FRD.
enum Number<'a> {
    Time(&'a mut u64),
    Rate(&'a mut u32),
    Money(&'a mut Balance),
}

impl Number<'_> {
    fn get(&self) -> Balance {
        match self {
            Self::Time(number) => (**number).into(),
            Self::Rate(number) => (**number).into(),
            Self::Money(amount) => **amount,
        }
    }

    /// Reads it; `false` if it is not such a number.
    fn set(&mut self, text: &str) -> bool {
        fn put<T: std::str::FromStr>(place: &mut T, text: &str) -> bool {
            text.parse().map(|number| *place = number).is_ok()
        }
        match self {
            Self::Time(place) => put(*place, text),
            Self::Rate(place) => put(*place, text),
            Self::Money(place) => match text.strip_suffix("FRD") {
                Some(whole) => {
                    let read = amount::parse(whole.trim_end(), amount::FRD_DECIMALS);
                    read.map(|amount| **place = amount).is_ok()
                },
                None => put(*place, text),
            },
        }
    }
}

/// All parameters by name.
fn numbers(parameters: &mut Parameters) -> BTreeMap<&'static str, Number<'_>> {
    macro_rules! by_name {
        ($($name:ident: $kind:ident),*) => {{
            // Names all fields, so that none can be forgotten.
            let Parameters { $($name),* } = parameters;
            BTreeMap::from([$((stringify!($name), Number::$kind($name))),*])
        }};
    }
    by_name! {
        delay_hub: Time, delay_user: Time, lock_window: Time, forward_margin: Time, act: Time,
        final_min: Time, keep: Time, late: Time, floor_hub: Money, floor_user: Money,
        account_top_up: Money, pair_fee: Money, secret_fee: Money, dispute_deposit: Money,
        hub_deposit: Money, fee_ceiling_ppm: Rate, default_credit: Money, fee_per_second: Money,
        fee_per_byte: Money
    }
}

/// The parameters with those changes.
fn amended(
    mut parameters: Parameters,
    changes: &BTreeMap<String, String>,
) -> Result<Parameters, RequestError> {
    let mut known = numbers(&mut parameters);
    let names = || numbers(&mut { Parameters::DEVELOPMENT }).into_keys().collect::<Vec<_>>();
    for (name, text) in changes {
        let number = known
            .get_mut(name.as_str())
            .ok_or_else(|| RequestError::UnknownParameter(name.clone(), names().join(", ")))?;
        if !number.set(text.trim()) {
            return Err(RequestError::ParameterValue(name.clone(), text.clone()));
        }
    }
    Ok(parameters)
}

fn key(text: &str) -> Result<[u8; 32], RequestError> {
    // An address is a key with a check sum.
    Ok(address::account(text)?.into())
}

fn validator(row: &ValidatorRow) -> Result<Validator, RequestError> {
    Ok(Validator {
        account: address::account(&row.account)?,
        name: row.name.as_bytes().to_vec(),
        location: row.location.as_bytes().to_vec(),
        shares: row.shares,
        aura: key(&row.aura)?,
        grandpa: key(&row.grandpa)?,
    })
}

fn validator_row(validator: &Validator) -> ValidatorRow {
    ValidatorRow {
        account: name(&validator.account),
        name: words(&validator.name),
        location: words(&validator.location),
        shares: validator.shares,
        aura: hex_text(&validator.aura),
        grandpa: hex_text(&validator.grandpa),
    }
}

fn bytes_of(text: &str) -> Result<Vec<u8>, RequestError> {
    let digits = text.trim();
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    hex::decode(digits).map_err(|_| RequestError::NotHex(text.chars().take(40).collect()))
}

fn check_length(what: &'static str, text: &str, most: usize) -> Result<(), RequestError> {
    if text.len() <= most {
        return Ok(());
    }
    Err(RequestError::TooLong { what, bytes: text.len(), most })
}

fn call_row(call: KnownCall) -> CallRow {
    let encoded = hex_text(&call.encoded);
    CallRow { call: call.name, arguments: call.arguments, encoded }
}

fn proposal_row(proposal: Proposal, validators: &[Validator], clock: u64) -> ProposalRow {
    let Proposal { head, calls, tally, votes } = proposal;
    let votes = votes.into_iter().map(|vote| {
        let known = validators.iter().find(|known| known.account == vote.validator);
        VoteRow {
            validator: name(&vote.validator),
            name: known.map(|known| words(&known.name)),
            shares: known.map_or(0, |known| known.shares),
            approve: vote.approve,
            rationale: words(&vote.rationale),
        }
    });
    ProposalRow {
        id: head.id,
        title: words(&head.title),
        text: words(&head.text),
        proposer: name(&head.proposer),
        deposit: Amount(head.deposit),
        due: head.due,
        clock,
        ayes: tally.ayes,
        nays: tally.nays,
        total: tally.total,
        calls: calls.into_iter().map(call_row).collect(),
        votes: votes.collect(),
    }
}

fn dry_run_view(run: DryRun) -> DryRunView {
    let failed = run.failed.map(|(place, error)| {
        // Places are small: a proposal has at most 16 KiB of calls.
        FailedRow { call: place.saturating_add(1), error }
    });
    let event = |event: KnownEvent| EventRow { event: event.name, fields: event.fields };
    let change = |change: Change| ChangeRow {
        entry: change.entry,
        before: change.before,
        after: change.after,
    };
    DryRunView {
        failed,
        events: run.events.into_iter().map(event).collect(),
        changes: run.changes.into_iter().map(change).collect(),
        complete: run.complete,
    }
}

impl Service {
    async fn do_governance(&self) -> Result<GovernanceView, RequestError> {
        let found = self.client().governance().await?;
        let rows = |set: &[Validator]| set.iter().map(validator_row).collect();
        Ok(GovernanceView {
            voting_period: found.voting_period,
            clock: self.client().moment(None).await?.clock,
            validators: rows(&found.validators),
            planned: found
                .planned
                .map(|(border, validators)| PlannedView { border, validators: rows(&validators) }),
        })
    }

    async fn do_parameters(&self) -> Result<BTreeMap<String, Amount>, RequestError> {
        let Answer::Survey(survey) = self.ask(Command::Survey).await? else {
            return Err(CommandError::Stopped.into());
        };
        let mut parameters = survey.parameters;
        let numbers = numbers(&mut parameters);
        Ok(numbers.iter().map(|(name, number)| ((*name).into(), Amount(number.get()))).collect())
    }

    async fn do_proposals(&self) -> Result<Vec<ProposalRow>, RequestError> {
        let (validators, clock) = self.electorate().await?;
        let open = self.client().proposals(None).await?;
        Ok(open.into_iter().map(|one| proposal_row(one, &validators, clock)).collect())
    }

    async fn do_proposal(&self, id: u32) -> Result<ProposalRow, RequestError> {
        let (validators, clock) = self.electorate().await?;
        let found = self.client().proposal(id).await?;
        let found = found.ok_or(RequestError::UnknownProposal(id))?;
        Ok(proposal_row(found, &validators, clock))
    }

    /// Who votes, and the usable clock.
    async fn electorate(&self) -> Result<(Vec<Validator>, u64), RequestError> {
        let validators = self.client().validators().await?;
        Ok((validators, self.client().moment(None).await?.clock))
    }

    async fn do_dry_run_proposal(&self, id: u32) -> Result<DryRunView, RequestError> {
        let run = self.client().dry_run_proposal(id).await?;
        Ok(dry_run_view(run.ok_or(RequestError::UnknownProposal(id))?))
    }

    async fn do_dry_run(&self, specs: &[AmendmentSpec]) -> Result<DryRunView, RequestError> {
        let calls = self.calls(specs).await?;
        Ok(dry_run_view(self.client().dry_run(&calls).await?))
    }

    /// The calls of amendments, encoded for the chain.
    async fn calls(&self, specs: &[AmendmentSpec]) -> Result<Vec<KnownCall>, RequestError> {
        if specs.is_empty() {
            return Err(RequestError::NothingToAmend);
        }
        let mut wanted = vec![];
        for spec in specs {
            wanted.push(match spec {
                AmendmentSpec::Call(text) => Amendment::Call(bytes_of(text)?),
                AmendmentSpec::Parameters(changes) => {
                    // What the chain has now, not what was read some blocks ago.
                    let now = self.client().parameters().await?;
                    Amendment::Parameters(Box::new(amended(now, changes)?))
                },
                AmendmentSpec::VotingPeriod(period) => Amendment::VotingPeriod(*period),
                AmendmentSpec::Validators(rows) => {
                    let set: Result<_, _> = rows.iter().map(validator).collect();
                    Amendment::Validators(set?)
                },
                AmendmentSpec::AuthorizeUpgrade(text) => {
                    let hash = <[u8; 32]>::try_from(bytes_of(text)?);
                    let short = |_| RequestError::NotAHash(text.chars().take(80).collect());
                    Amendment::AuthorizeUpgrade(H256(hash.map_err(short)?))
                },
            });
        }
        let calls = self.client().amendments(&wanted).await?;
        let bytes: usize = calls.iter().map(|call| call.encoded.len()).sum();
        if bytes > MAX_CALLS {
            let what = "the calls of a proposal are";
            return Err(RequestError::TooLong { what, bytes, most: MAX_CALLS });
        }
        Ok(calls)
    }

    async fn do_propose(
        &self,
        title: &str,
        text: &str,
        specs: &[AmendmentSpec],
    ) -> Result<ProposedView, RequestError> {
        check_length("the title is", title, MAX_TITLE)?;
        check_length("the text is", text, MAX_TEXT)?;
        let calls = self.calls(specs).await?;
        let call = propose(title, text, &calls);
        let OnChainView { block } = self.on_chain(Command::Submit(Box::new(call))).await?;
        let me = self.party.account();
        let at = self.client().block_hash(block).await?;
        let open = self.client().proposals(at).await?;
        // Of several alike the newest is the one.
        let ours = |one: &&Proposal| {
            one.head.proposer == *me
                && one.head.title == title.as_bytes()
                && one.calls.iter().map(|call| &call.encoded).eq(calls.iter().map(|c| &c.encoded))
        };
        let made = open.iter().filter(ours).max_by_key(|one| one.head.id);
        Ok(ProposedView {
            block,
            proposal: made.map(|one| one.head.id),
            due: made.map(|one| one.head.due),
        })
    }

    async fn do_vote(
        &self,
        proposal: u32,
        approve: bool,
        rationale: String,
    ) -> Result<OnChainView, RequestError> {
        check_length("the rationale is", &rationale, MAX_RATIONALE)?;
        let (validators, clock) = self.electorate().await?;
        let me: &AccountId = self.party.account();
        if validators.iter().all(|validator| validator.account != *me) {
            return Err(RequestError::NotAValidator(name(me)));
        }
        let found = self.client().proposal(proposal).await?;
        let found = found.ok_or(RequestError::UnknownProposal(proposal))?;
        if clock >= found.head.due {
            return Err(RequestError::VotingOver(proposal));
        }
        let call = Call::Vote { proposal, approve, rationale: rationale.into_bytes() };
        self.on_chain(Command::Submit(Box::new(call))).await
    }

    async fn do_cancel_proposal(&self, proposal: u32) -> Result<OnChainView, RequestError> {
        let found = self.client().proposal(proposal).await?;
        let found = found.ok_or(RequestError::UnknownProposal(proposal))?;
        if found.head.proposer != *self.party.account() {
            return Err(RequestError::NotOurProposal(proposal, name(&found.head.proposer)));
        }
        let call = Call::CancelProposal { proposal };
        self.on_chain(Command::Submit(Box::new(call))).await
    }
}

/// Reads a runtime, which is no small file and no endless one.
fn read_code(path: &str) -> Result<Vec<u8>, RequestError> {
    let invalid = |problem: String| CommandError::Invalid(format!("{path}: {problem}"));
    let file = File::open(path).map_err(|e| invalid(e.to_string()))?;
    let mut code = vec![];
    file.take(MAX_CODE + 1).read_to_end(&mut code).map_err(|e| invalid(e.to_string()))?;
    if !u64::try_from(code.len()).is_ok_and(|length| length <= MAX_CODE) {
        return Err(invalid(format!("a runtime has at most {MAX_CODE} bytes")).into());
    }
    // What is uploaded is public: no other file may be, whoever asks.
    if !is_runtime(&code) {
        return Err(invalid("it is not a runtime".into()).into());
    }
    Ok(code)
}

#[async_trait]
impl GovernanceRpcServer for Service {
    async fn governance(&self) -> RpcResult<GovernanceView> {
        Ok(self.do_governance().await?)
    }

    async fn parameters(&self) -> RpcResult<BTreeMap<String, Amount>> {
        Ok(self.do_parameters().await?)
    }

    async fn proposals(&self) -> RpcResult<Vec<ProposalRow>> {
        Ok(self.do_proposals().await?)
    }

    async fn proposal(&self, proposal: u32) -> RpcResult<ProposalRow> {
        Ok(self.do_proposal(proposal).await?)
    }

    async fn dry_run_proposal(&self, proposal: u32) -> RpcResult<DryRunView> {
        Ok(self.do_dry_run_proposal(proposal).await?)
    }

    async fn dry_run(&self, amendments: Vec<AmendmentSpec>) -> RpcResult<DryRunView> {
        Ok(self.do_dry_run(&amendments).await?)
    }

    async fn propose(
        &self,
        title: String,
        text: String,
        amendments: Vec<AmendmentSpec>,
    ) -> RpcResult<ProposedView> {
        Ok(self.do_propose(&title, &text, &amendments).await?)
    }

    async fn vote(
        &self,
        proposal: u32,
        approve: bool,
        rationale: String,
    ) -> RpcResult<OnChainView> {
        Ok(self.do_vote(proposal, approve, rationale).await?)
    }

    async fn cancel_proposal(&self, proposal: u32) -> RpcResult<OnChainView> {
        Ok(self.do_cancel_proposal(proposal).await?)
    }

    async fn apply_upgrade(&self, path: String) -> RpcResult<OnChainView> {
        let call = Call::ApplyUpgrade { code: read_code(&path)? };
        Ok(self.on_chain(Command::Submit(Box::new(call))).await?)
    }
}

#[cfg(test)]
mod tests;
