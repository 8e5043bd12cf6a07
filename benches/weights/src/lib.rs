//! Measures the weights of our pallets and writes them down.
//!
//! The runtime, compiled to WebAssembly with its benchmarks, runs in the executor that the node
//! uses, over a trie in memory that counts accesses. What a database costs is not measured here: each
//! access is charged by the runtime's `DbWeight`.
//!
//! | module | what is in it |
//! |---|---|
//! | [`clock`] | time of the processor, not of the day |
//! | [`state`] | a fresh state with a keystore, and calls into it |
//! | [`wasm`] | the runtime's blob as something to run |
//! | [`measure`] | which points are measured, and how often |
//! | [`fit`] | from measurements to a base and a slope per component |
//! | [`source`] | the file `weights.rs` of a pallet |
//! | [`machine`] | what the numbers were measured on |

#![cfg(feature = "runtime-benchmarks")]

pub mod clock;
pub mod fit;
pub mod machine;
pub mod measure;
pub mod source;
pub mod state;
pub mod wasm;

/// Anything that stops a run, in words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
