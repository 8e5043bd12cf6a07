//! The runtime's WebAssembly blobs, built by `build.rs`.

#![allow(missing_docs, reason = "generated")]

include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

/// The same rules under the version before, with half the deposit of proposals: a chain that starts
/// with it can rehearse the upgrade to this one.
pub mod previous {
    include!(concat!(env!("OUT_DIR"), "/previous_runtime.rs"));
}
