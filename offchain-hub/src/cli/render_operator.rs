//! Answers for the operator of a hub.

use super::render::{channel_table, notes, right_align, short, table, units};
use crate::rpc::{
    api::{Amount, ChannelRow},
    operator_api::{FeesView, ReloadView, RiskView},
};
use std::fmt::Write;

/// All channels.
pub fn channels_text(rows: &[ChannelRow]) -> String {
    if rows.is_empty() {
        return "no channels".into();
    }
    format!("{}{}", channel_table(rows), notes(rows))
}

/// Everything of one channel.
pub fn channel_text(row: &ChannelRow) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{label:<18} {value}");
    };
    line("partner", row.partner.clone());
    if let Some(handle) = &row.handle {
        line("handle", format!("@{handle}"));
    }
    line("we are", row.side.clone());
    line("connected", if row.connected { "yes".into() } else { "no".into() });
    line("epoch", row.epoch.to_string());
    line("signed by us", format!("{}, of which {} acknowledged", row.own_nonce, row.own_acked));
    line("signed by it", row.partner_nonce.to_string());
    for asset in &row.assets {
        let symbol = &asset.asset.symbol;
        let show = |amount: Amount| format!("{} {symbol}", units(amount, &asset.asset));
        for (label, amount) in [
            ("insurance", asset.insurance),
            ("ours, insured", asset.own_insured),
            ("ours, uninsured", asset.own_uninsured),
            ("its, insured", asset.partner_insured),
            ("we owe", asset.partner_uninsured),
            ("locked by us", asset.locked),
            ("locked by it", asset.locked_by_partner),
            ("can send", asset.can_send),
            ("can receive", asset.can_receive),
            ("it may owe us", asset.credit_given),
            ("we may owe it", asset.credit_received),
            ("owed on chain", asset.owed_on_chain),
        ] {
            line(label, show(amount));
        }
        let above = asset.partner_insure_above.map_or("it has not said".into(), show);
        line("insured from", above);
    }
    format!("{}{}", text.trim_end(), notes(std::slice::from_ref(row)))
}

/// What is owed, in all and per partner.
pub fn risk_text(view: &RiskView) -> String {
    let mut text = String::new();
    let mut totals = table(&[
        "asset",
        "you owe",
        "with locks",
        "cap",
        "used",
        "owed to you",
        "your insured",
        "their insured",
    ]);
    for row in &view.assets {
        let show = |amount: Amount| units(amount, &row.asset);
        totals.add_row([
            row.asset.symbol.clone(),
            show(row.owed),
            show(row.owed_with_locks),
            row.cap.map_or("none".into(), show),
            row.cap.map(|cap| share(row.owed_with_locks, cap)).unwrap_or_default(),
            show(row.claims),
            show(row.own_insured),
            show(row.partners_insured),
        ]);
    }
    right_align(&mut totals, 1..8);
    let _ = writeln!(text, "{totals}");
    if view.partners.is_empty() {
        return text.trim_end().into();
    }
    let mut rows = table(&[
        "partner",
        "asset",
        "you owe",
        "locked",
        "owed to you",
        "your insured",
        "their insured",
        "state",
    ]);
    for row in &view.partners {
        let show = |amount: Amount| units(amount, &row.asset);
        rows.add_row([
            row.handle.as_ref().map_or_else(|| short(&row.partner), |name| format!("@{name}")),
            row.asset.symbol.clone(),
            show(row.owed),
            show(row.locked),
            show(row.claims),
            show(row.own_insured),
            show(row.partner_insured),
            if row.connected { "connected".into() } else { "offline".into() },
        ]);
    }
    right_align(&mut rows, 2..7);
    let _ = write!(text, "\n{rows}");
    if view.left_out > 0 {
        let _ = write!(text, "\n{} more rows: --limit", view.left_out);
    }
    text
}

/// In percent, rounded down; nothing where the cap is 0.
fn share(amount: Amount, cap: Amount) -> String {
    let hundred = amount.0.checked_mul(100);
    match hundred.and_then(|hundred| hundred.checked_div(cap.0)) {
        Some(percent) => format!("{percent} %"),
        None => String::new(),
    }
}

fn price(base: Amount, ppm: u32) -> String {
    format!("{} smallest units + {ppm} ppm", base.0)
}

/// What was earned and is asked for.
pub fn fees_text(view: &FeesView) -> String {
    let mut text = String::new();
    for row in &view.earned {
        let earned = units(row.earned, &row.asset);
        let _ = writeln!(text, "earned     {earned} {}", row.asset.symbol);
    }
    let _ = writeln!(text, "asked for  {}", price(view.base, view.ppm));
    let _ = match &view.registry {
        Some(hub) => {
            writeln!(text, "quoted     {} (registry: @{})", price(hub.base, hub.ppm), hub.handle)
        },
        None => writeln!(text, "quoted     nothing: the hub is not registered"),
    };
    if view.differs {
        let hint = "DIFFERS    users pay what is quoted: failsafe-hub fees --update";
        let _ = writeln!(text, "{hint}");
    }
    text.trim_end().into()
}

/// What a reload has changed.
pub fn reload_text(view: &ReloadView) -> String {
    let mut text = match &view.changed[..] {
        [] => "nothing has changed".to_string(),
        changed => format!("followed now: {}", changed.join(", ")),
    };
    for note in &view.notes {
        let _ = write!(text, "\nnote: {note}");
    }
    text
}
