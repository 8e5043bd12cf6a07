//! What the chain carries: a rebalance of thousands of channels in one block, in real nodes, and
//! disputes and debts by the thousand, in the runtime alone.
//!
//! | module | what is in it |
//! |---|---|
//! | [`batch`] | one batch beside as many separate transfers |
//! | [`scaling`] | how disputes that come due and the sweep of debts grow |
//! | [`imports`] | how long a node takes to import a block |
//! | [`memory`] | the runtime without a node |
//! | [`node`] | what a node is asked |
//! | [`orders`] | orders that meet others, in books from few to many |
//! | [`signer`] | accounts and their transactions |

mod batch;
mod imports;
mod memory;
mod node;
mod orders;
mod scaling;
mod signer;

use crate::measure::{Bench, Figure, Measured};
use failsafe_tests::harness::Failure;
use frame_support::weights::Weight;

const GROUP: &str = "chain";

/// Measures.
pub fn run(bench: &Bench, measured: &mut Measured) -> Result<(), Failure> {
    scaling::run(bench, measured)?;
    orders::run(bench, measured)?;
    bench.processes(|dir| async move { batch::run(bench, &dir).await }).map(|figures| {
        measured.figures.extend(figures);
    })
}

fn figure(name: impl Into<String>, value: f64, unit: &'static str, counted: &str) -> Figure {
    Figure { group: GROUP, name: name.into(), value, unit, counted: counted.into() }
}

/// Picoseconds of execution, as a number to calculate with.
fn picoseconds(weight: Weight) -> f64 {
    weight.ref_time() as f64
}
