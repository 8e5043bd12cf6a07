//! Validators, proposals and dry runs for people.

use super::render::{right_align, short, table};
use crate::{
    amount,
    chain::unquoted,
    rpc::{
        api::Amount,
        governance_api::{
            CallRow, DryRunView, GovernanceView, ProposalRow, ProposedView, ValidatorRow,
        },
    },
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write};

/// Longest value that is shown whole; `--json` has all.
const LONGEST: usize = 400;

fn validator_table(rows: &[ValidatorRow]) -> String {
    let all: u64 = rows.iter().map(|row| u64::from(row.shares)).sum();
    let mut table = table(&["validator", "location", "account", "shares", "of all"]);
    for row in rows {
        // Shares are few: a percentage of them is small.
        let part = u64::from(row.shares).saturating_mul(1_000).checked_div(all).unwrap_or(0);
        table.add_row([
            row.name.clone(),
            row.location.clone(),
            row.account.clone(),
            row.shares.to_string(),
            format!("{}.{} %", part / 10, part % 10),
        ]);
    }
    right_align(&mut table, 3..5);
    table.to_string()
}

/// Who governs.
pub fn validators_text(view: &GovernanceView) -> String {
    let mut text = validator_table(&view.validators);
    let _ = write!(
        text,
        "\nvotes are taken for {} usable blocks; the usable clock shows {}",
        view.voting_period, view.clock
    );
    if let Some(planned) = &view.planned {
        let _ = write!(text, "\n\nfrom block {} on:\n", planned.border);
        text.push_str(&validator_table(&planned.validators));
    }
    text
}

/// The chain's parameters.
pub fn parameter_table(rows: &BTreeMap<String, Amount>) -> String {
    let mut table = table(&["parameter", "value"]);
    for (name, value) in rows {
        table.add_row([name.clone(), value.0.to_string()]);
    }
    right_align(&mut table, [1]);
    table.to_string()
}

fn standing(row: &ProposalRow) -> String {
    format!("{} for, {} against, of {}", row.ayes, row.nays, row.total)
}

fn calls(rows: &[CallRow]) -> String {
    rows.iter().map(|row| row.call.as_str()).collect::<Vec<_>>().join(", ")
}

/// Open proposals.
pub fn proposal_table(rows: &[ProposalRow]) -> String {
    let Some(first) = rows.first() else { return "no open proposals".into() };
    let mut table = table(&["proposal", "title", "calls", "shares", "due"]);
    for row in rows {
        table.add_row([
            row.id.to_string(),
            row.title.clone(),
            calls(&row.calls),
            standing(row),
            row.due.to_string(),
        ]);
    }
    right_align(&mut table, [0, 4]);
    format!("{table}\nthe usable clock shows {}", first.clock)
}

/// A value on one line, cut if it is long.
fn line(value: &Value) -> String {
    let text = unquoted(value);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} characters, see --json)", &text[..end], text.len()),
        None => text,
    }
}

/// Fields, a line each.
fn fields(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let _ = match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        let done = writeln!(text, "{:indent$}{name}", "");
                        fields(text, value, indent + 2);
                        done
                    },
                    other => writeln!(text, "{:indent$}{name}: {}", "", line(other)),
                };
            }
        },
        other => {
            let _ = writeln!(text, "{:indent$}{}", "", line(other));
        },
    }
}

/// An open proposal.
pub fn proposal_text(row: &ProposalRow) -> String {
    let mut text = format!("proposal {}: {}\n", row.id, row.title);
    let _ = writeln!(text, "by        {}", row.proposer);
    let _ = writeln!(text, "deposit   {} FRD", amount::format(row.deposit.0, amount::FRD_DECIMALS));
    let _ = writeln!(text, "due       at usable clock {}, now it shows {}", row.due, row.clock);
    let _ = writeln!(text, "shares    {}; it takes more than two thirds", standing(row));
    if !row.text.is_empty() {
        let _ = writeln!(text, "\n{}", row.text);
    }
    for (place, call) in row.calls.iter().enumerate() {
        let _ = writeln!(text, "\ncall {}: {}", place + 1, call.call);
        fields(&mut text, &call.arguments, 2);
        let _ = writeln!(text, "  encoded: {}", line(&call.encoded.clone().into()));
    }
    for vote in &row.votes {
        let side = if vote.approve { "for" } else { "against" };
        let who = vote.name.clone().unwrap_or_else(|| short(&vote.validator));
        let _ = write!(text, "\n{who} ({} shares) is {side} it: {}", vote.shares, vote.rationale);
    }
    text.trim_end().to_string()
}

/// What calls would change.
pub fn dry_run_text(view: &DryRunView) -> String {
    let mut text = String::new();
    match &view.failed {
        Some(failed) => {
            let _ = writeln!(
                text,
                "call {} would fail, and nothing be changed: {}",
                failed.call, failed.error
            );
        },
        None => {
            let (events, changes) = (view.events.len(), view.changes.len());
            let _ = writeln!(
                text,
                "it would be carried out: {events} events, {changes} entries of the state changed"
            );
        },
    }
    for event in &view.events {
        let _ = writeln!(text, "\nevent {}", event.event);
        fields(&mut text, &event.fields, 2);
    }
    for change in &view.changes {
        let _ = writeln!(text, "\n{}", change.entry);
        change_lines(&mut text, change.before.as_ref(), change.after.as_ref());
    }
    if !view.complete {
        text.push_str("\nonly a part of the state was compared: it is too large\n");
    }
    text.trim_end().to_string()
}

/// Of two records only the fields that differ.
fn change_lines(text: &mut String, before: Option<&Value>, after: Option<&Value>) {
    if let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, after) {
        for (name, value) in new {
            let was = old.get(name);
            if was != Some(value) {
                let was = was.map_or("nothing".into(), line);
                let _ = writeln!(text, "  {name}: {was} → {}", line(value));
            }
        }
        return;
    }
    let show = |value: Option<&Value>| value.map_or("nothing".into(), line);
    let _ = writeln!(text, "  {} → {}", show(before), show(after));
}

/// A proposal that was made.
pub fn proposed_text(view: &ProposedView) -> String {
    match (view.proposal, view.due) {
        (Some(proposal), Some(due)) => format!(
            "proposal {proposal}; final in block {}; votes are counted when the usable clock shows {due}",
            view.block
        ),
        _ => format!("proposed; final in block {}; it is not open any more", view.block),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::governance_api::ChangeRow;
    use serde_json::json;

    #[test]
    fn dry_run_should_show_only_fields_that_differ() {
        let change = ChangeRow {
            entry: "parameters.Current".into(),
            before: Some(json!({ "act": 5, "delay_user": 8 })),
            after: Some(json!({ "act": 5, "delay_user": 9 })),
        };
        let view =
            DryRunView { failed: None, events: vec![], changes: vec![change], complete: true };
        let text = dry_run_text(&view);
        assert!(text.contains("delay_user: 8 → 9"), "{text}");
        assert!(!text.contains("act"), "{text}");
    }

    #[test]
    fn line_should_be_cut_when_a_value_is_long() {
        let text = line(&Value::String("ä".repeat(1_000)));
        assert!(text.starts_with("ä") && text.contains("see --json"), "{text}");
    }
}
