//! Builds the WASM blob when the `wasm-binary` feature asks for it: only the node does, so that
//! tests, clippy and documentation never compile Binaryen.

fn main() {
    #[cfg(feature = "wasm-binary")]
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
