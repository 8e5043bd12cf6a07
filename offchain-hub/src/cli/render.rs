//! Answers for people: tables and short sentences.

use crate::{
    amount,
    rpc::api::{
        Amount, AmountRow, AssetInfo, ChannelRow, DebtRow, HubRow, InvoiceRow, OnChainView,
        OrderRow, PaymentRow, ProcessRow, RateRow, RebalanceView, RecurringRow, StandingRow,
        StatusView, TowerRow,
    },
};
use comfy_table::{CellAlignment, Table};
use std::{fmt::Write, time::Duration};

/// A line under the header and nothing else.
const HEADER_LINE: &str = "     ──            ";
/// Shown instead of an account's middle.
const ELLIPSIS: &str = "…";

/// An empty table.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(HEADER_LINE);
    table.set_header(header.to_vec());
    table
}

/// Aligns numbers.
pub fn right_align(table: &mut Table, columns: impl IntoIterator<Item = usize>) {
    for index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

pub(super) fn units(amount: Amount, asset: &AssetInfo) -> String {
    amount::format(amount.0, asset.decimals)
}

/// First and last letters of an account.
pub(super) fn short(account: &str) -> String {
    match (account.get(..6), account.get(account.len().saturating_sub(6)..)) {
        (Some(head), Some(tail)) if account.len() > 16 => format!("{head}{ELLIPSIS}{tail}"),
        _ => account.to_string(),
    }
}

fn partner(channel: &ChannelRow) -> String {
    match &channel.handle {
        Some(handle) => format!("@{handle}"),
        None => short(&channel.partner),
    }
}

/// Everything at a glance.
pub fn status_text(status: &StatusView) -> String {
    let mut text = String::new();
    let mut line = |label: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{label:<10} {value}");
    };
    line("account", format!("{} ({})", status.account, status.role));
    let freshness = if status.fresh { "" } else { ", NO NEW BLOCKS: payments wait" };
    line(
        "chain",
        format!("{}, block {} (final: {}){freshness}", status.chain, status.best, status.finalized),
    );
    if let Some(listening) = &status.listening {
        line("listening", listening.clone());
    }
    for row in &status.balances {
        let mut value = format!("{} {}", units(row.free, &row.asset), row.asset.symbol);
        if row.spendable != row.free {
            let _ = write!(value, ", of which {} can be moved", units(row.spendable, &row.asset));
        }
        if row.unclaimed.0 > 0 {
            let waiting = units(row.unclaimed, &row.asset);
            let _ = write!(value, ", {waiting} wait for `claim`");
        }
        line("on chain", value);
    }
    for row in &status.owes {
        line("OWES", format!("{} {}", units(row.amount, &row.asset), row.asset.symbol));
    }
    if status.pending_calls > 0 {
        line("pending", format!("{} calls on their way to the chain", status.pending_calls));
    }
    if let Some(mode) = status.mode.as_ref().filter(|mode| *mode != "open") {
        line("MODE", format!("{mode}: nothing is forwarded; `failsafe-hub resume` ends it"));
    }
    if let Some(ProcessRow { number, count, connected }) = &status.process {
        let others = count.saturating_sub(1);
        line(
            "process",
            format!("{number} of {count}, connected with {connected} of {others} others"),
        );
    }
    if let Some(rebalance) = &status.rebalance {
        line("rebalance", rebalance.clone());
    }
    if status.channels.is_empty() {
        line("channels", "none".into());
    } else {
        let shown = status.channels.len();
        if u32::try_from(shown).is_ok_and(|shown| shown < status.channels_total) {
            line("channels", format!("{shown} of {}", status.channels_total));
        }
        text.push_str(&channel_table(&status.channels));
    }
    text.push_str(&notes(&status.channels));
    text.trim_end().to_string()
}

/// What is wrong with channels, a line each.
pub(super) fn notes(channels: &[ChannelRow]) -> String {
    let mut text = String::new();
    for channel in channels {
        let name = partner(channel);
        for (label, note) in [
            ("FROZEN", channel.frozen.as_ref()),
            ("FAULT", channel.fault.as_ref()),
            ("offline", channel.trouble.as_ref()),
        ] {
            if let Some(note) = note {
                let _ = write!(text, "\n{label:<10} {name}: {note}");
            }
        }
        if let Some(at) = channel.leaves_at {
            let _ = write!(
                text,
                "\nRETIRING   {name}: it may leave at usable clock {at}; add another hub and move \
                 your money there"
            );
        }
        if channel.data_lost {
            let _ = write!(text, "\nDATA LOST  {name}: close the channel or dispute it");
        }
        if channel.paused {
            let _ = write!(text, "\npaused     {name}: claims to know more, and must prove it");
        }
        for row in &channel.assets {
            let show = |amount| format!("{} {}", units(amount, &row.asset), row.asset.symbol);
            if row.own_unsigned.0 > 0 || row.partner_unsigned.0 > 0 {
                let (own, theirs) = (show(row.own_unsigned), show(row.partner_unsigned));
                let _ = write!(text, "\nunsigned   {name}: {own} by you, {theirs} by the partner");
            }
            if row.unsigned_lost.0 > 0 {
                let lost = show(row.unsigned_lost);
                let _ =
                    write!(text, "\nLOST       {name}: it never signed {lost} that it had paid");
            }
        }
        if !channel.late_claims.is_empty() {
            let epochs = &channel.late_claims;
            let _ = write!(text, "\nlate       {name}: claims for epochs {epochs:?} under way");
        }
    }
    text
}

pub(super) fn channel_table(channels: &[ChannelRow]) -> String {
    let mut table = table(&[
        "channel",
        "asset",
        "insured",
        "uninsured",
        "partner insured",
        "you owe",
        "can send",
        "can receive",
        "signed",
        "state",
    ]);
    for channel in channels {
        let state = match (channel.connected, &channel.frozen) {
            (_, Some(_)) => "frozen",
            (true, None) => "connected",
            (false, None) => "offline",
        };
        let signed =
            format!("{}/{} · {}", channel.own_acked, channel.own_nonce, channel.partner_nonce);
        for row in &channel.assets {
            let show = |amount| units(amount, &row.asset);
            table.add_row([
                partner(channel),
                row.asset.symbol.clone(),
                show(row.own_insured),
                show(row.own_uninsured),
                show(row.partner_insured),
                show(row.partner_uninsured),
                show(row.can_send),
                show(row.can_receive),
                signed.clone(),
                state.into(),
            ]);
        }
        if channel.assets.is_empty() {
            table.add_row([partner(channel), "—".into()]);
        }
    }
    right_align(&mut table, 2..8);
    table.to_string()
}

/// A payment in a sentence.
pub fn payment_text(row: &PaymentRow) -> String {
    let amount = format!("{} {}", units(row.amount, &row.asset), row.asset.symbol);
    let outcome = match row.state.as_str() {
        "delivered" => "delivered".to_string(),
        "accepted" => "accepted by the hub; no word yet that the recipient has it".to_string(),
        "sent" => "signed and sent; the hub has not acknowledged it yet".to_string(),
        "returned" => format!("came back: {}", row.reason.clone().unwrap_or_default()),
        "locked" => "locked; the recipient has not claimed it yet".to_string(),
        "failed" => format!("failed, nothing was paid: {}", row.reason.clone().unwrap_or_default()),
        other => other.to_string(),
    };
    let fee = match row.fee.0 {
        0 => String::new(),
        _ => format!(" (fee {})", units(row.fee, &row.asset)),
    };
    let proof = row.proof.as_ref().map(|secret| format!("\nproof {secret}")).unwrap_or_default();
    let spent = row.spent.as_ref().filter(|spent| spent.asset != row.asset);
    let spent = spent.map(|spent| format!(" for {}", amount_text(spent))).unwrap_or_default();
    format!("{amount}{fee}{spent} to {}: {outcome}\nname {}{proof}", row.to, row.id)
}

fn amount_text(row: &AmountRow) -> String {
    format!("{} {}", units(row.amount, &row.asset), row.asset.symbol)
}

/// Standing orders.
pub fn recurring_table(rows: &[RecurringRow]) -> String {
    if rows.is_empty() {
        return "no standing orders".into();
    }
    let mut table = table(&["name", "amount", "asset", "every", "paid", "state", "to"]);
    for row in rows {
        let times = row.times.map_or_else(|| "∞".into(), |times| times.to_string());
        let state = match row.came_back {
            0 => row.state.clone(),
            again => format!("{}, came back {again} ×", row.state),
        };
        table.add_row([
            row.id.clone(),
            units(row.amount, &row.asset),
            row.asset.symbol.clone(),
            humantime::format_duration(Duration::from_millis(row.every_ms)).to_string(),
            format!("{} of {times}", row.paid),
            state,
            short(&row.to),
        ]);
    }
    right_align(&mut table, 1..2);
    table.to_string()
}

/// At what rates hubs change money.
pub fn rate_table(rows: &[RateRow]) -> String {
    if rows.is_empty() {
        return "no hub of yours changes money, as far as it has announced".into();
    }
    let mut table = table(&["hub", "takes", "for"]);
    for row in rows {
        table.add_row([row.hub.clone(), amount_text(&row.takes), amount_text(&row.gives)]);
    }
    right_align(&mut table, 1..3);
    table.to_string()
}

/// Resting orders.
pub fn order_table(rows: &[OrderRow]) -> String {
    if rows.is_empty() {
        return "no orders".into();
    }
    let mut table = table(&["order", "owner", "gives", "for", "and has left"]);
    for row in rows {
        table.add_row([
            row.id.to_string(),
            short(&row.owner),
            amount_text(&row.price_sell),
            amount_text(&row.price_buy),
            amount_text(&row.left),
        ]);
    }
    right_align(&mut table, 2..5);
    table.to_string()
}

/// An invoice.
pub fn invoice_text(row: &InvoiceRow) -> String {
    let amount = match row.amount {
        Some(amount) => units(amount, &row.asset),
        None => "any amount of".into(),
    };
    let mut text = format!("{amount} {} to {}", row.asset.symbol, row.recipient);
    if !row.description.is_empty() {
        let _ = write!(text, "\nfor {}", row.description);
    }
    if let Some(state) = &row.state {
        let _ = write!(text, "\nstate {state}");
    }
    let _ = write!(text, "\nhash {}\n{}", row.hash, row.invoice);
    text
}

/// Payments, the newest first.
pub fn payment_table(rows: &[PaymentRow]) -> String {
    if rows.is_empty() {
        return "no payments yet".into();
    }
    let mut table = table(&["name", "", "amount", "asset", "fee", "from", "to", "state"]);
    for row in rows {
        table.add_row([
            row.id.clone(),
            row.direction.clone(),
            units(row.amount, &row.asset),
            row.asset.symbol.clone(),
            units(row.fee, &row.asset),
            short(&row.from),
            short(&row.to),
            row.state.clone(),
        ]);
    }
    right_align(&mut table, [2, 4]);
    table.to_string()
}

/// What happened on chain.
pub fn on_chain(what: &str, done: &OnChainView) -> String {
    format!("{what}; final in block {}", done.block)
}

/// Debts of an account.
pub fn debt_table(rows: &[DebtRow]) -> String {
    if rows.is_empty() {
        return "no debts".into();
    }
    let mut table = table(&["debtor", "creditor", "left", "asset", "since block"]);
    for row in rows {
        table.add_row([
            short(&row.debtor),
            short(&row.creditor),
            units(row.left, &row.asset),
            row.asset.symbol.clone(),
            row.opened_in.to_string(),
        ]);
    }
    right_align(&mut table, [2, 4]);
    table.to_string()
}

/// Assets of the chain.
pub fn asset_table(rows: &[AssetInfo]) -> String {
    let mut table = table(&["number", "symbol", "decimals"]);
    for row in rows {
        table.add_row([row.id.to_string(), row.symbol.clone(), row.decimals.to_string()]);
    }
    table.to_string()
}

/// Registered hubs.
pub fn hub_table(rows: &[HubRow]) -> String {
    if rows.is_empty() {
        return "no hub is registered on this chain".into();
    }
    let mut table =
        table(&["hub", "account", "endpoint", "fee", "disputes", "lost", "debts", "yours", ""]);
    for row in rows {
        let count = |of: fn(&StandingRow) -> u32| {
            row.standing.as_ref().map_or("?".into(), |standing| of(standing).to_string())
        };
        let mut warnings = vec![];
        if let Some(standing) = &row.standing {
            if !standing.owes.is_empty() {
                warnings.push(format!("OWES in {} assets", standing.owes.len()));
            }
            if let Some(at) = standing.leaves_at {
                warnings.push(format!("RETIRES: may leave at usable clock {at}"));
            }
        }
        table.add_row([
            format!("@{}", row.handle),
            row.account.clone(),
            row.endpoint.clone(),
            format!("{} + {} ppm", row.base_fee.0, row.ppm),
            count(|standing| standing.disputes),
            count(|standing| standing.lost),
            count(|standing| standing.debts),
            if row.ours { "yes".into() } else { String::new() },
            warnings.join("; "),
        ]);
    }
    right_align(&mut table, 4..7);
    table.to_string()
}

/// Watchtowers.
pub fn tower_table(rows: &[TowerRow]) -> String {
    if rows.is_empty() {
        return "no watchtower: nobody answers a dispute while this program is away".into();
    }
    let mut table = table(&["tower", "endpoint", "channels it has", "waiting", "trouble"]);
    for row in rows {
        let mut trouble: Vec<_> = row.trouble.iter().cloned().collect();
        trouble.extend(row.refused.iter().map(|r| format!("refused {}: {}", r.partner, r.reason)));
        table.add_row([
            row.account.clone(),
            row.endpoint.clone(),
            row.receipted.to_string(),
            row.waiting.to_string(),
            trouble.join("\n"),
        ]);
    }
    table.to_string()
}

/// A rebalance, planned or done.
pub fn rebalance_text(view: &RebalanceView) -> String {
    if let Some(block) = view.block {
        return format!("rebalanced; final in block {block}");
    }
    if view.asks.is_empty() && view.withdrawals.is_empty() && view.deposits.is_empty() {
        return "nothing to rebalance".into();
    }
    let mut table = table(&["step", "partner", "amount", "asset"]);
    for row in &view.asks {
        table.add_row([
            "ask for a proof".into(),
            short(&row.partner),
            units(row.amount, &row.asset),
            row.asset.symbol.clone(),
        ]);
    }
    for partner in &view.withdrawals {
        table.add_row(["withdraw with the proof".into(), short(partner)]);
    }
    for row in &view.deposits {
        table.add_row([
            "deposit".into(),
            short(&row.partner),
            units(row.amount, &row.asset),
            row.asset.symbol.clone(),
        ]);
    }
    right_align(&mut table, [2]);
    table.to_string()
}
