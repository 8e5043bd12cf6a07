//! Builds the runtime for WebAssembly. `SKIP_WASM_BUILD=1` leaves the blob empty.

use std::path::Path;

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = here.join("../Cargo.toml").canonicalize().expect("the runtime is above");
    // The target folder may be anywhere, so the builder cannot find Cargo.lock by walking up.
    std::env::set_var("WASM_BUILD_WORKSPACE_HINT", here.join("../.."));
    substrate_wasm_builder::WasmBuilder::new()
        .with_project(manifest)
        .expect("a manifest's path ends with Cargo.toml")
        .import_memory()
        .export_heap_base()
        .build();
}
