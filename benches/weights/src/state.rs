//! A state for benchmarks: a trie in memory that can be set back and counts accesses, and a
//! keystore.

use crate::Failure;
use codec::Encode;
use failsafe_runtime::{Block, Runtime, RuntimeGenesisConfig};
use frame_benchmarking::{
    runtime_decl_for_benchmark::BenchmarkV2, BenchmarkBatch, BenchmarkConfig, BenchmarkList,
};
use frame_support::traits::StorageInfo;
use sc_client_db::BenchmarkingState;
use sp_core::traits::CallContext;
use sp_externalities::Extensions;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{traits::HashingFor, BuildStorage};
use sp_state_machine::{Ext, OverlayedChanges, StateMachine};
use sp_storage::Storage;

type Hashing = HashingFor<Block>;

/// What runs benchmarks.
pub trait Runner {
    /// All benchmarks, and the names of the storage items.
    fn metadata(&self) -> Result<(Vec<BenchmarkList>, Vec<StorageInfo>), Failure>;
    /// Name and version of the runtime, and how it runs.
    fn version(&self) -> Result<String, Failure>;
    /// Runs one. `counted` says whether to count accesses, which takes time.
    fn run(&self, config: BenchmarkConfig, counted: bool) -> Result<Vec<BenchmarkBatch>, Failure>;
}

/// The benchmarks as native code: no numbers to believe, but the quickest way to see that they run.
pub struct Native {
    genesis: Storage,
}

impl Native {
    /// Over the genesis of a chain without anything.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self { genesis: RuntimeGenesisConfig::default().build_storage()? })
    }

    fn execute<R>(&self, counted: bool, call: impl FnOnce() -> R) -> Result<R, Failure> {
        let state = open(&self.genesis, counted)?;
        let (mut overlay, mut extensions) = (OverlayedChanges::default(), extensions());
        let mut ext = Ext::new(&mut overlay, &state, Some(&mut extensions));
        Ok(sp_externalities::set_and_run_with_externalities(&mut ext, call))
    }
}

impl Runner for Native {
    fn metadata(&self) -> Result<(Vec<BenchmarkList>, Vec<StorageInfo>), Failure> {
        self.execute(false, || <Runtime as BenchmarkV2<Block>>::benchmark_metadata(false))
    }

    fn version(&self) -> Result<String, Failure> {
        let version = failsafe_runtime::VERSION;
        Ok(format!("{} {}, native code", version.spec_name, version.spec_version))
    }

    fn run(&self, config: BenchmarkConfig, counted: bool) -> Result<Vec<BenchmarkBatch>, Failure> {
        let run = || <Runtime as BenchmarkV2<Block>>::dispatch_benchmark(config);
        Ok(self.execute(counted, run)??)
    }
}

/// A fresh state.
fn open(genesis: &Storage, counted: bool) -> Result<BenchmarkingState<Hashing>, Failure> {
    Ok(BenchmarkingState::new(genesis.clone(), None, false, counted)?)
}

fn extensions() -> Extensions {
    let mut extensions = Extensions::default();
    extensions.register(KeystoreExt::new(MemoryKeystore::new()));
    extensions
}

/// Calls `method` of a blob in a fresh state over `genesis`.
pub(crate) fn call(
    executor: &crate::wasm::Executor,
    code: &sp_core::traits::RuntimeCode<'_>,
    genesis: &Storage,
    counted: bool,
    method: &str,
    arguments: impl Encode,
) -> Result<Vec<u8>, Failure> {
    let state = open(genesis, counted)?;
    let (mut overlay, mut extensions) = (OverlayedChanges::default(), extensions());
    let data = arguments.encode();
    let mut machine = StateMachine::new(
        &state,
        &mut overlay,
        executor,
        method,
        &data,
        &mut extensions,
        code,
        CallContext::Offchain,
    );
    machine.execute().map_err(|error| format!("{method}: {error}").into())
}
