//! Requests of those who govern the chain.

use super::{
    commands::show,
    render::on_chain,
    render_governance::{
        dry_run_text, parameter_table, proposal_table, proposal_text, proposed_text,
        validators_text,
    },
};
use crate::{
    chain::{governance::is_runtime, hex_text},
    rpc::{
        governance_api::{AmendmentSpec, ValidatorRow},
        GovernanceRpcClient,
    },
};
use clap::{Args, Subcommand};
use jsonrpsee::{core::ClientError, http_client::HttpClient};
use serde::Deserialize;
use sp_crypto_hashing::blake2_256;
use std::{collections::BTreeMap, fs, path::Path, path::PathBuf};

/// Governing the chain: validators, proposals, votes.
#[derive(Clone, Debug, Subcommand)]
pub enum GovernanceCommand {
    /// Validators, their shares, and the set that is planned; with --json a file for
    /// `--set-validators`
    Validators,
    /// The chain's parameters as this process follows them
    Parameters,
    /// Open proposals
    Proposals,
    /// An open proposal: its text, exactly what it would carry out, and the votes
    Show {
        /// Its number
        proposal: u32,
    },
    /// What an open proposal, or amendments that nobody has proposed yet, would change
    DryRun {
        /// Number of an open proposal
        #[arg(conflicts_with = "amendments", required_unless_present = "amendments")]
        proposal: Option<u32>,
        /// What would be proposed
        #[command(flatten)]
        amendments: Amendments,
    },
    /// Propose amendments, all or none, against a deposit of FRD
    Propose {
        /// What it is called
        #[arg(long)]
        title: String,
        /// What it is for
        #[arg(long, default_value = "")]
        text: String,
        /// What is proposed
        #[command(flatten)]
        amendments: Amendments,
    },
    /// Vote with the shares of this account, or change its vote
    Vote {
        /// Number of the proposal
        proposal: u32,
        /// For it
        #[arg(long, required_unless_present = "no")]
        yes: bool,
        /// Against it
        #[arg(long, conflicts_with = "yes")]
        no: bool,
        /// Why, for everybody to read
        #[arg(long)]
        rationale: String,
    },
    /// Withdraw a proposal of this account; the deposit comes back
    Cancel {
        /// Its number
        proposal: u32,
    },
    /// Upload a runtime whose hash was authorised: the next block runs it
    ApplyUpgrade {
        /// The same file that was proposed
        wasm: PathBuf,
    },
}

/// What is to be carried out.
#[derive(Clone, Debug, Args)]
#[group(id = "amendments", multiple = true)]
pub struct Amendments {
    /// A call in hex, as polkadot.js shows it under "encoded call data"; may be given several times
    #[arg(long = "call", value_name = "HEX")]
    calls: Vec<String>,
    /// Change a parameter and leave the others as they are, for instance delay_user=9 or
    /// "hub_deposit=50 FRD"; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    parameters: Vec<(String, String)>,
    /// Take votes for so many usable blocks, from the next proposal on
    #[arg(long, value_name = "BLOCKS")]
    set_voting_period: Option<u64>,
    /// The whole new set of validators: a JSON or TOML file, as `governance validators --json`
    /// writes it
    #[arg(long, value_name = "FILE")]
    set_validators: Option<PathBuf>,
    /// Authorise the runtime in this file, which anybody may then upload: only its hash is proposed
    #[arg(long, value_name = "WASM")]
    authorize_upgrade: Option<PathBuf>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            // The names of the chain's specification are taken, too.
            let mut snake = String::new();
            for letter in name.trim().chars() {
                if letter.is_ascii_uppercase() {
                    snake.push('_');
                }
                snake.push(letter.to_ascii_lowercase());
            }
            Ok((snake, value.trim().into()))
        },
        _ => Err("expected NAME=VALUE, as in delay_user=9".into()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The set in a file: an array, or the field `validators` of an object or of TOML.
fn validators(path: &Path) -> Result<Vec<ValidatorRow>, String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum File {
        List(Vec<ValidatorRow>),
        Field { validators: Vec<ValidatorRow> },
    }
    let text = String::from_utf8(read(path)?).map_err(|e| format!("{}: {e}", path.display()))?;
    let toml = path.extension().is_some_and(|extension| extension == "toml");
    let file: Result<File, String> = match toml {
        true => toml::from_str(&text).map_err(|e| e.to_string()),
        false => serde_json::from_str(&text).map_err(|e| e.to_string()),
    };
    match file {
        Ok(File::List(set) | File::Field { validators: set }) => Ok(set),
        Err(reason) => Err(format!(
            "{} is not a set of validators ({reason}): each has account, name, location, shares, \
             aura and grandpa; `governance validators --json` writes one",
            path.display()
        )),
    }
}

/// The hash of a runtime's file, as it is authorised and uploaded.
fn code_hash(path: &Path) -> Result<String, String> {
    let code = read(path)?;
    if is_runtime(&code) {
        return Ok(hex_text(&blake2_256(&code)));
    }
    Err(format!(
        "{} is not a runtime: take failsafe_runtime_wasm.compact.compressed.wasm of the build",
        path.display()
    ))
}

fn absolute(path: &Path) -> Result<String, String> {
    let path = fs::canonicalize(path).map_err(|e| format!("{}: {e}", path.display()))?;
    path.into_os_string().into_string().map_err(|_| "the path is not UTF-8: move the file".into())
}

impl Amendments {
    /// What is proposed, in the order in which it will be carried out.
    ///
    /// # Errors
    /// For people: a file cannot be read, or is something else.
    fn specs(self) -> Result<Vec<AmendmentSpec>, String> {
        let mut specs: Vec<_> = self.calls.into_iter().map(AmendmentSpec::Call).collect();
        if !self.parameters.is_empty() {
            let mut changes = BTreeMap::new();
            for (name, value) in self.parameters {
                if changes.insert(name.clone(), value).is_some() {
                    return Err(format!("{name} is set twice"));
                }
            }
            specs.push(AmendmentSpec::Parameters(changes));
        }
        specs.extend(self.set_voting_period.map(AmendmentSpec::VotingPeriod));
        if let Some(path) = &self.set_validators {
            specs.push(AmendmentSpec::Validators(validators(path)?));
        }
        if let Some(path) = &self.authorize_upgrade {
            specs.push(AmendmentSpec::AuthorizeUpgrade(code_hash(path)?));
        }
        Ok(specs)
    }
}

impl GovernanceCommand {
    /// Sends the request and shows the answer.
    pub(super) async fn send(
        self,
        client: &HttpClient,
        json: bool,
    ) -> Result<Result<(), String>, ClientError> {
        Ok(match self {
            Self::Validators => show(json, &client.governance().await?, validators_text),
            Self::Parameters => show(json, &client.parameters().await?, parameter_table),
            Self::Proposals => show(json, &client.proposals().await?, |rows| proposal_table(rows)),
            Self::Show { proposal } => show(json, &client.proposal(proposal).await?, proposal_text),
            Self::DryRun { proposal: Some(proposal), .. } => {
                show(json, &client.dry_run_proposal(proposal).await?, dry_run_text)
            },
            Self::DryRun { proposal: None, amendments } => match amendments.specs() {
                Ok(specs) => show(json, &client.dry_run(specs).await?, dry_run_text),
                Err(problem) => Err(problem),
            },
            Self::Propose { title, text, amendments } => match amendments.specs() {
                Ok(specs) => show(json, &client.propose(title, text, specs).await?, proposed_text),
                Err(problem) => Err(problem),
            },
            Self::Vote { proposal, yes, no: _, rationale } => {
                let done = client.vote(proposal, yes, rationale).await?;
                let what = if yes { "voted for it" } else { "voted against it" };
                show(json, &done, |done| on_chain(what, done))
            },
            Self::Cancel { proposal } => {
                let done = client.cancel_proposal(proposal).await?;
                show(json, &done, |done| on_chain("withdrawn", done))
            },
            // The wallet's process may run in another folder.
            Self::ApplyUpgrade { wasm } => match code_hash(&wasm).and_then(|_| absolute(&wasm)) {
                Ok(path) => {
                    let done = client.apply_upgrade(path).await?;
                    show(json, &done, |done| on_chain("uploaded", done))
                },
                Err(problem) => Err(problem),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(shares: u32) -> ValidatorRow {
        ValidatorRow {
            account: "a".into(),
            name: "one".into(),
            location: "here".into(),
            shares,
            aura: "0x1".into(),
            grandpa: "0x2".into(),
        }
    }

    #[test]
    fn setting_should_be_named_as_in_the_program_when_it_is_written_as_in_the_specification() {
        let setting = |text| setting(text).unwrap();
        assert_eq!(setting("delayUser=9"), ("delay_user".into(), "9".into()));
        assert_eq!(setting("delay_user = 9"), ("delay_user".into(), "9".into()));
        assert!(super::setting("delay_user").is_err());
        assert!(super::setting("=9").is_err());
    }

    #[test]
    fn validators_should_be_read_when_the_file_is_json_or_toml() {
        let dir = tempfile::tempdir().unwrap();
        let set = vec![row(3), row(4)];
        let list = dir.path().join("list.json");
        fs::write(&list, serde_json::to_vec(&set).unwrap()).unwrap();
        let shown = dir.path().join("shown.json");
        let all = serde_json::json!({ "voting_period": 10, "clock": 7, "validators": set });
        fs::write(&shown, all.to_string()).unwrap();
        let tables = dir.path().join("set.toml");
        let text = "account='a'\nname='one'\nlocation='here'\naura='0x1'\ngrandpa='0x2'\n";
        let toml = [3, 4].map(|shares| format!("[[validators]]\n{text}shares={shares}\n"));
        fs::write(&tables, toml.concat()).unwrap();
        for path in [list, shown, tables] {
            assert_eq!(validators(&path), Ok(set.clone()), "{}", path.display());
        }
    }

    #[test]
    fn validators_should_be_refused_with_the_files_name_when_a_field_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("set.json");
        fs::write(&path, r#"[{"account": "a", "shares": 1}]"#).unwrap();
        let problem = validators(&path).unwrap_err();
        assert!(problem.contains("set.json is not a set of validators"), "{problem}");
    }

    #[test]
    fn code_hash_should_be_taken_of_a_runtime_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("code.wasm");
        fs::write(&path, b"\0asm\x01").unwrap();
        let hash = hex_text(&blake2_256(b"\0asm\x01"));
        assert_eq!(code_hash(&path), Ok(hash));
        fs::write(&path, b"#!/bin/sh").unwrap();
        assert!(code_hash(&path).unwrap_err().contains("is not a runtime"));
    }

    #[test]
    fn amendments_should_be_refused_when_a_parameter_is_set_twice() {
        let twice = vec![("act".to_string(), "5".to_string()), ("act".into(), "6".into())];
        let amendments = Amendments {
            calls: vec![],
            parameters: twice,
            set_voting_period: None,
            set_validators: None,
            authorize_upgrade: None,
        };
        assert_eq!(amendments.specs(), Err("act is set twice".into()));
    }
}
