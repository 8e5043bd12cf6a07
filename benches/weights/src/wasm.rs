//! The runtime's blob, in the executor that the node uses.

use crate::{
    clock,
    state::{call, Runner},
    Failure,
};
use codec::{Decode, DecodeAll};
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::StorageInfo;
use sc_executor::{sp_wasm_interface::ExtendedHostFunctions, HeapAllocStrategy, WasmExecutor};
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::BasicExternalities;
use sp_storage::Storage;
use sp_version::RuntimeVersion;
use std::{fs, path::Path};

/// Runs blobs that use the host functions of a node and those of benchmarks, with another clock.
pub type Executor = WasmExecutor<
    ExtendedHostFunctions<
        (sp_io::SubstrateHostFunctions, frame_benchmarking::benchmarking::HostFunctions),
        clock::benchmarking::HostFunctions,
    >,
>;

/// A blob with benchmarks.
pub struct Wasm {
    executor: Executor,
    code: Vec<u8>,
    genesis: Storage,
}

impl Wasm {
    /// Reads a blob, and builds the genesis of a chain without anything.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let code = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let heap = HeapAllocStrategy::Dynamic { maximum_pages: None };
        let executor = Executor::builder()
            .with_onchain_heap_alloc_strategy(heap)
            .with_offchain_heap_alloc_strategy(heap)
            .with_max_runtime_instances(2)
            .build();
        let mut wasm = Self { executor, code, genesis: Storage::default() };
        let mut ext = BasicExternalities::new_empty();
        let config: Option<Vec<u8>> =
            wasm.plain(&mut ext, "GenesisBuilder_get_preset", &None::<String>)?;
        let config = config.ok_or("the runtime has no default genesis")?;
        let built: Result<(), String> =
            wasm.plain(&mut ext, "GenesisBuilder_build_state", &config)?;
        built?;
        wasm.genesis = ext.into_storages();
        Ok(wasm)
    }

    fn plain<R: Decode>(
        &self,
        ext: &mut BasicExternalities,
        method: &str,
        arguments: &impl codec::Encode,
    ) -> Result<R, Failure> {
        let (result, _) = self.with_code(|code| {
            self.executor.call(ext, code, method, &arguments.encode(), CallContext::Offchain)
        });
        let bytes = result.map_err(|error| format!("{method}: {error}"))?;
        Ok(R::decode(&mut &bytes[..])?)
    }

    fn with_code<R>(&self, f: impl FnOnce(&RuntimeCode<'_>) -> R) -> R {
        let fetcher = WrappedRuntimeCode((&self.code).into());
        let hash = sp_io::hashing::blake2_256(&self.code).to_vec();
        f(&RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash })
    }
}

impl Runner for Wasm {
    fn metadata(&self) -> Result<(Vec<BenchmarkList>, Vec<StorageInfo>), Failure> {
        let method = "Benchmark_benchmark_metadata";
        let bytes =
            self.with_code(|code| call(&self.executor, code, &self.genesis, false, method, false))?;
        Ok(DecodeAll::decode_all(&mut &bytes[..])?)
    }

    fn version(&self) -> Result<String, Failure> {
        let mut ext = BasicExternalities::new_empty();
        let version: RuntimeVersion = self.plain(&mut ext, "Core_version", &())?;
        let RuntimeVersion { spec_name, spec_version, .. } = version;
        Ok(format!("{spec_name} {spec_version}, WebAssembly in wasmtime"))
    }

    fn run(&self, config: BenchmarkConfig, counted: bool) -> Result<Vec<BenchmarkBatch>, Failure> {
        let method = "Benchmark_dispatch_benchmark";
        let bytes = self
            .with_code(|code| call(&self.executor, code, &self.genesis, counted, method, config))?;
        let result: Result<Vec<BenchmarkBatch>, String> = DecodeAll::decode_all(&mut &bytes[..])?;
        Ok(result?)
    }
}
