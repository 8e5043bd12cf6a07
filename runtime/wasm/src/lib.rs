//! The runtime's WebAssembly blob, built by `build.rs`.

#![allow(missing_docs, reason = "generated")]

include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
