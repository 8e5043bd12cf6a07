//! The chains that the node knows by name. Their state at genesis is a preset of the runtime: the
//! node itself holds none of it.

use failsafe_runtime::genesis_config_presets::STORY_RUNTIME_PRESET;
use failsafe_runtime_wasm::WASM_BINARY;
use sc_service::{ChainType, Properties};

/// A chain specification.
pub type ChainSpec = sc_service::GenericChainSpec;

/// What wallets show amounts and addresses with.
fn properties() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "FRD".into());
    properties.insert("tokenDecimals".into(), 12.into());
    properties.insert("ss58Format".into(), 42.into());
    properties
}

fn spec(name: &str, id: &str, kind: ChainType, preset: &str) -> Result<ChainSpec, String> {
    let wasm = WASM_BINARY.ok_or_else(|| {
        "this binary was built with SKIP_WASM_BUILD and holds no runtime: build it again without, \
         or give a chain specification file with --chain FILE"
            .to_string()
    })?;
    Ok(ChainSpec::builder(wasm, None)
        .with_name(name)
        .with_id(id)
        .with_chain_type(kind)
        .with_protocol_id("failsafe")
        .with_properties(properties())
        .with_genesis_config_preset_name(preset)
        .build())
}

/// One authority, Alice; blocks every second; sudo.
pub fn development() -> Result<ChainSpec, String> {
    let preset = sp_genesis_builder::DEV_RUNTIME_PRESET;
    spec("Failsafe Development", "failsafe_dev", ChainType::Development, preset)
}

/// Four authorities: Alice, Bob, Charlie, Dave.
pub fn local() -> Result<ChainSpec, String> {
    let preset = sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
    spec("Failsafe Local", "failsafe_local", ChainType::Local, preset)
}

/// As local, but without prices: the chain of "From Genesis to Rebalance".
pub fn story() -> Result<ChainSpec, String> {
    spec("Failsafe Story", "failsafe_story", ChainType::Development, STORY_RUNTIME_PRESET)
}
