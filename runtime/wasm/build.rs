//! Builds the runtime for WebAssembly: as it is, and under the version before, from which upgrades to
//! it are rehearsed. `SKIP_WASM_BUILD=1` leaves the blobs empty.

use std::path::Path;
use substrate_wasm_builder::WasmBuilder;

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = here.join("../Cargo.toml").canonicalize().expect("the runtime is above");
    // The target folder may be anywhere, so the builder cannot find Cargo.lock by walking up.
    std::env::set_var("WASM_BUILD_WORKSPACE_HINT", here.join("../.."));
    let runtime = || {
        WasmBuilder::new()
            .with_project(&manifest)
            .expect("a manifest's path ends with Cargo.toml")
            .import_memory()
            .export_heap_base()
    };
    // One after the other: both use the same folder.
    runtime().enable_feature("previous-version").set_file_name("previous_runtime.rs").build();
    runtime().build();
}
