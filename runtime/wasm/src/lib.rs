//! The runtime's WebAssembly blob, built by `build.rs`.

include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
