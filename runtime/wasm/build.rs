//! Builds the runtime for WebAssembly: as it is, and under the version before, from which upgrades to
//! it are rehearsed. `SKIP_WASM_BUILD=1` leaves the blobs empty.

use std::{env, path::Path};
use substrate_wasm_builder::WasmBuilder;

fn main() {
    // Asked when it runs: another clone with the same target folder may have compiled this program.
    let here = env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells where the crate is");
    let here = Path::new(&here);
    let manifest = here.join("../Cargo.toml").canonicalize().expect("the runtime is above");
    // The target folder may be anywhere, so the builder cannot find Cargo.lock by walking up.
    env::set_var("WASM_BUILD_WORKSPACE_HINT", here.join("../.."));
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
