//! The runtime without a node: native code, its state in memory. What a block costs here is what the
//! runtime and the trie cost, without WebAssembly and without a disk.

use codec::Encode;
use failsafe_primitives::{AccountId, Balance};
use failsafe_runtime::{
    genesis_config_presets::get_preset, invariants, Aura, Balances, Executive, GovernanceConfig,
    Header, RuntimeGenesisConfig, RuntimeOrigin, System, UncheckedExtrinsic,
};
use failsafe_tests::harness::{failure, Failure};
use frame_support::{traits::fungible::Mutate, weights::Weight};
use serde_json::Value;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET};
use sp_io::TestExternalities;
use sp_runtime::{
    traits::{Hash, Header as _},
    BuildStorage, DigestItem, DispatchError, StateVersion,
};
use std::time::{Duration, Instant};

/// The slot before the first block: the chain begins there, not at the beginning of Unix time.
const FIRST_SLOT: u64 = 1_000_000;

/// A chain of one block after the other.
pub struct Memory {
    state: TestExternalities,
    parent: Header,
    slot: u64,
}

/// What a block without transactions cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// The whole block, with the root of its state.
    pub time: Duration,
    /// What its idle work has weighed.
    pub idle: Weight,
}

impl Memory {
    /// A chain with the parameters of the development preset and without accounts, at its first
    /// block.
    pub fn new() -> Result<Self, Failure> {
        let preset = get_preset(&PresetId::from(DEV_RUNTIME_PRESET));
        let preset = preset.ok_or_else(|| failure("there is no development preset"))?;
        let preset: Value = serde_json::from_slice(&preset)?;
        // Presets leave out what is as by default.
        let genesis = RuntimeGenesisConfig {
            governance: GovernanceConfig {
                validators: serde_json::from_value(preset["governance"]["validators"].clone())?,
                ..GovernanceConfig::default()
            },
            parameters: serde_json::from_value(preset["parameters"].clone())?,
            ..RuntimeGenesisConfig::default()
        };
        let mut state = TestExternalities::new(genesis.build_storage()?);
        let version = StateVersion::V1;
        let parent = state.execute_with(|| {
            let root = sp_core::H256::from_slice(&sp_io::storage::root(version));
            let nothing = sp_runtime::traits::BlakeTwo256::ordered_trie_root(vec![], version);
            Header::new(0, nothing, root, Default::default(), Default::default())
        });
        let mut chain = Self { state, parent, slot: FIRST_SLOT };
        chain.block()?;
        Ok(chain)
    }

    /// Changes the state between two blocks.
    pub fn change<T>(&mut self, act: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let done = self.state.execute_with(act)?;
        self.state.commit_all()?;
        Ok(done)
    }

    /// Looks at the state.
    pub fn look<T>(&mut self, look: impl FnOnce() -> T) -> T {
        self.state.execute_with(look)
    }

    /// Checks every invariant.
    pub fn check(&mut self) -> Result<(), Failure> {
        self.look(invariants::check).map_err(|broken| failure(format!("{broken:?}")))
    }

    /// The next block, without transactions.
    pub fn block(&mut self) -> Result<Cost, Failure> {
        let advance = |number: u64| number.checked_add(1).ok_or_else(|| failure("too many blocks"));
        self.slot = advance(self.slot)?;
        let number = u32::try_from(advance((*self.parent.number()).into())?)?;
        let slot = sp_consensus_aura::Slot::from(self.slot);
        let digest = sp_runtime::Digest {
            logs: vec![DigestItem::PreRuntime(sp_consensus_aura::AURA_ENGINE_ID, slot.encode())],
        };
        let nothing = Default::default();
        let header = Header::new(number, nothing, nothing, self.parent.hash(), digest);
        let (parent, cost) = self.state.execute_with(|| {
            let start = Instant::now();
            Executive::initialize_block(&header);
            let now = self.slot.saturating_mul(Aura::slot_duration());
            let inherent = pallet_timestamp::Call::set { now }.into();
            let applied = Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(inherent));
            if applied != Ok(Ok(())) {
                return Err(failure(format!("the inherent is refused: {applied:?}")));
            }
            let before = System::block_weight().total();
            let parent = Executive::finalize_block();
            let time = start.elapsed();
            let idle = System::block_weight().total().saturating_sub(before);
            Ok((parent, Cost { time, idle }))
        })?;
        self.parent = parent;
        self.state.commit_all()?;
        Ok(cost)
    }
}

/// Money out of nothing. Only within [`Memory::change`].
pub fn give(who: &AccountId, amount: Balance) -> Result<(), Failure> {
    let given = <Balances as Mutate<AccountId>>::mint_into(who, amount).map_err(refused)?;
    (given == amount).then_some(()).ok_or_else(|| failure("less was given"))
}

/// The origin of an account's calls.
pub fn signed(who: &AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who.clone())
}

/// A call's error as a failure.
pub fn refused(error: DispatchError) -> Failure {
    failure(format!("a call is refused: {error:?}"))
}
