//! Tells what happens.

use super::report::{Step, UNIT};
use failsafe_hub::{
    amount,
    cli::{right_align, table},
};
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Tells the story on standard output, or nothing if it is quiet.
pub struct Narrator {
    quiet: bool,
    began: Instant,
    steps: Cell<u32>,
}

fn whole(text: &str) -> String {
    let decimals = u8::try_from(UNIT.ilog10()).unwrap_or(0);
    text.parse().map_or_else(|_| text.to_string(), |units| amount::format(units, decimals))
}

/// A signed amount.
fn signed(text: &str) -> String {
    match text.strip_prefix('-') {
        Some(digits) => format!("-{}", whole(digits)),
        None => whole(text),
    }
}

impl Narrator {
    /// One that tells.
    pub fn new(quiet: bool) -> Self {
        Self { quiet, began: Instant::now(), steps: Cell::new(0) }
    }

    /// How long the story has taken.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// A new run begins.
    pub fn chapter(&self, title: &str) {
        self.steps.set(0);
        if !self.quiet {
            println!("\n=== {title} ===");
        }
    }

    /// Something that takes a while.
    pub fn progress(&self, what: &str) {
        if !self.quiet {
            println!("    … {what} ({} s)", self.began.elapsed().as_secs());
        }
    }

    /// A step and where everybody stands after it.
    pub fn step(&self, text: &str, step: &Step) {
        let number = self.steps.get();
        self.steps.set(number + 1);
        if self.quiet {
            return;
        }
        println!("\n{number}. {text}  [block {}]", step.block);
        let mut table = table(&["", "on chain", "insured", "uninsured", "signed (offdelta)"]);
        for (name, balances) in &step.accounts {
            let on_chain = balances.get("FRD").map(|amount| whole(amount)).unwrap_or_default();
            table.add_row([name.clone(), on_chain]);
        }
        for (name, assets) in &step.channels {
            let Some(row) = assets.get("FRD") else { continue };
            let (user, hub) = name.split_once('/').unwrap_or((name, "hub"));
            let share = |who: &str| format!("{who} in {name}");
            table.add_row([
                share(user),
                String::new(),
                whole(&row.user_insured),
                whole(&row.user_uninsured),
                signed(&row.offdelta),
            ]);
            table.add_row([
                share(hub),
                String::new(),
                whole(&row.hub_insured),
                whole(&row.hub_uninsured),
            ]);
        }
        right_align(&mut table, 1..5);
        println!("{table}");
        for debt in &step.debts {
            println!("   debt: {} owes {} {} FRD", debt.debtor, debt.creditor, whole(&debt.left));
        }
    }
}
