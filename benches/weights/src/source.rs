//! The file `weights.rs` of a pallet, in the customary form.

use crate::{
    fit::{Fitted, Line},
    machine::Machine,
    measure::Effort,
};
use std::fmt::Write;

/// Where and how it was measured, for the head of the file.
pub struct Circumstances<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// Steps and repeats.
    pub effort: Effort,
    /// Name and version of the runtime.
    pub runtime: &'a str,
}

/// The text of the file. `rustfmt` still has to break its lines.
pub fn weights(pallet: &str, calls: &[Fitted], circumstances: &Circumstances<'_>) -> String {
    let mut text = head(pallet, circumstances);
    text.push_str(
        "#![allow(clippy::unnecessary_cast, reason = \"generated\")]\n\n\
         use core::marker::PhantomData;\n\
         use frame_support::{\n    traits::Get,\n    weights::{constants::RocksDbWeight, Weight},\n};\n\n",
    );
    let _ = writeln!(text, "/// Weights of `{pallet}`.\npub trait WeightInfo {{");
    for call in calls {
        let _ = writeln!(text, "    /// `{}`{}.", call.name, ranges(call));
        let _ = writeln!(text, "    fn {}({}) -> Weight;", call.name, arguments(call));
    }
    text.push_str("}\n\n/// As measured, with the database of the runtime `T`.\n");
    text.push_str("pub struct SubstrateWeight<T>(PhantomData<T>);\n\n");
    text.push_str("impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {\n");
    for call in calls {
        function(&mut text, call, "T::DbWeight::get()");
    }
    text.push_str("}\n\n// For tests.\nimpl WeightInfo for () {\n");
    for call in calls {
        function(&mut text, call, "RocksDbWeight::get()");
    }
    text.push_str("}\n");
    text
}

fn head(pallet: &str, circumstances: &Circumstances<'_>) -> String {
    let Circumstances { machine, effort, runtime } = circumstances;
    format!(
        "//! Weights of `{pallet}`, **measured**. Written by `make weights`: do not edit.\n\
         //!\n\
         //! * machine: {}; load {} at the start\n\
         //! * day: {}\n\
         //! * runtime: {runtime}, state in memory; {}\n\
         //! * {} points per component, each {} times in {} passes; processor time; least \
         squares over the middle half\n\
         //! * accesses are charged by `DbWeight`, at least as many as were counted at any point\n\n",
        machine.hardware,
        machine.load,
        machine.day,
        machine.compiler,
        effort.steps,
        effort.repeats,
        effort.passes,
    )
}

/// What the components are, for people.
fn ranges(call: &Fitted) -> String {
    let range = |(name, low, high): &(String, u32, u32)| format!("`{name}` from {low} to {high}");
    let all: Vec<_> = call.components.iter().map(range).collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(", {}", all.join(", "))
    }
}

fn arguments(call: &Fitted) -> String {
    let argument = |(name, _, _): &(String, u32, u32)| format!("{name}: u32");
    call.components.iter().map(argument).collect::<Vec<_>>().join(", ")
}

fn function(text: &mut String, call: &Fitted, database: &str) {
    for (item, (reads, writes)) in &call.items {
        let _ = writeln!(text, "    // {item} (r: {reads} w: {writes})");
    }
    let _ = writeln!(text, "    fn {}({}) -> Weight {{", call.name, arguments(call));
    let _ = writeln!(
        text,
        "        // At least {} ps. At the heaviest point the quartiles are {} % of the median apart; \
         the line was lifted by {} %.",
        grouped(call.minimum),
        call.spread,
        call.lifted
    );
    let _ = write!(text, "        Weight::from_parts({}, 0)", grouped(call.time.base));
    for (i, (name, _, _)) in call.components.iter().enumerate() {
        let slope = call.time.slopes.get(i).copied().unwrap_or_default();
        if slope > 0 {
            if let Some(error) = call.errors.get(i) {
                let _ = write!(text, "\n            // Standard error: {}", grouped(*error));
            }
            let _ = write!(
                text,
                "\n            .saturating_add(Weight::from_parts({}, 0).saturating_mul({name}.into()))",
                grouped(slope)
            );
        }
    }
    accesses(text, call, &call.reads, database, "reads");
    accesses(text, call, &call.writes, database, "writes");
    text.push_str("\n    }\n");
}

fn accesses(text: &mut String, call: &Fitted, line: &Line, database: &str, kind: &str) {
    if line.base > 0 {
        let _ = write!(text, "\n            .saturating_add({database}.{kind}({}))", line.base);
    }
    for ((name, _, _), slope) in call.components.iter().zip(&line.slopes) {
        if *slope > 0 {
            let _ = write!(
                text,
                "\n            .saturating_add({database}.{kind}({slope}_u64.saturating_mul({name}.into())))"
            );
        }
    }
}

/// With an underscore between thousands.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}
