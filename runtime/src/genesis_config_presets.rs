//! The chains that the node knows by name.
//!
//! | preset | authorities | slot | prices | sudo |
//! |---|---|---|---|---|
//! | `development` | Alice, with all 100 shares | 1 s | small | Alice |
//! | `local_testnet` | Alice, Bob, Charlie, Dave, with 25 shares each | 1 s | small | none |
//! | `story` | the same four | 1 s | none, no floors | none |
//!
//! `story` is the chain of the seed "From Genesis to Rebalance": its numbers are without fees. The
//! four validators are endowed; everybody else is added by whoever makes the chain specification.

use crate::{AccountId, Balance, RuntimeGenesisConfig, FRB, FRD, MILLI_FRD};
use alloc::{vec, vec::Vec};
use failsafe_primitives::Parameters;
use frame_support::build_struct_json_patch;
use pallet_governance::Validator;
use serde_json::Value;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Id of the preset of the story.
pub const STORY_RUNTIME_PRESET: &str = "story";

/// What each endowed account gets of FRD and of FRB.
const ENDOWMENT: Balance = 1_000_000 * FRD;
/// Slots of all presets, in milliseconds.
const SLOT_DURATION: u64 = 1_000;

/// Small prices, so that a user sees them and does not feel them.
const PRICED: Parameters = Parameters {
    // Enough for the deposit and the fee of the heaviest dispute.
    floor_hub: 10 * FRD,
    floor_user: FRD,
    pair_fee: 10 * MILLI_FRD,
    secret_fee: MILLI_FRD,
    dispute_deposit: 100 * MILLI_FRD,
    hub_deposit: 100 * FRD,
    default_credit: 1_000 * FRD,
    fee_per_second: FRD,
    fee_per_byte: MILLI_FRD / 1_000,
    ..Parameters::DEVELOPMENT
};

/// The story counts without fees.
const FREE: Parameters = Parameters { default_credit: 1_000 * FRD, ..Parameters::DEVELOPMENT };

/// A validator with a well-known key.
fn validator(key: Sr25519Keyring, grandpa: Ed25519Keyring, shares: u32) -> Validator {
    let name: &'static str = key.into();
    Validator {
        account: key.to_account_id(),
        name: name.as_bytes().to_vec().try_into().expect("a short name; qed"),
        location: b"test network".to_vec().try_into().expect("a short text; qed"),
        shares,
        aura: key.public(),
        grandpa: grandpa.public(),
    }
}

fn four_authorities() -> Vec<Validator> {
    vec![
        validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice, 25),
        validator(Sr25519Keyring::Bob, Ed25519Keyring::Bob, 25),
        validator(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie, 25),
        validator(Sr25519Keyring::Dave, Ed25519Keyring::Dave, 25),
    ]
}

fn four_validators() -> Vec<AccountId> {
    [Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Charlie, Sr25519Keyring::Dave]
        .into_iter()
        .map(Sr25519Keyring::to_account_id)
        .collect()
}

fn genesis(
    validators: Vec<Validator>,
    endowed: Vec<AccountId>,
    sudo: Option<AccountId>,
    values: Parameters,
) -> Value {
    let issuer = Sr25519Keyring::Alice.to_account_id();
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: endowed.iter().cloned().map(|who| (who, ENDOWMENT)).collect::<Vec<_>>(),
        },
        assets: pallet_assets::GenesisConfig {
            assets: vec![(FRB, issuer, true, 1)],
            metadata: vec![(FRB, b"Failsafe Bond".to_vec(), b"FRB".to_vec(), 12)],
            accounts: endowed.into_iter().map(|who| (FRB, who, ENDOWMENT)).collect::<Vec<_>>(),
            next_asset_id: Some(FRB + 1),
        },
        governance: pallet_governance::GenesisConfig { validators },
        sudo: pallet_sudo::GenesisConfig { key: sudo },
        clock: pallet_clock::GenesisConfig { slot_duration: SLOT_DURATION },
        parameters: pallet_protocol_parameters::GenesisConfig { values },
    })
}

fn development() -> Value {
    let endowed = Sr25519Keyring::well_known().map(Sr25519Keyring::to_account_id).collect();
    let alice = Sr25519Keyring::Alice;
    let validators = vec![validator(alice, Ed25519Keyring::Alice, 100)];
    genesis(validators, endowed, Some(alice.to_account_id()), PRICED)
}

fn local() -> Value {
    let endowed = Sr25519Keyring::well_known().map(Sr25519Keyring::to_account_id).collect();
    genesis(four_authorities(), endowed, None, PRICED)
}

fn story() -> Value {
    genesis(four_authorities(), four_validators(), None, FREE)
}

/// The genesis patch of a preset.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        sp_genesis_builder::DEV_RUNTIME_PRESET => development(),
        sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET => local(),
        STORY_RUNTIME_PRESET => story(),
        _ => return None,
    };
    Some(serde_json::to_vec(&patch).expect("a JSON value is always written; qed"))
}

/// The names of all presets.
pub fn preset_names() -> Vec<PresetId> {
    vec![
        PresetId::from(sp_genesis_builder::DEV_RUNTIME_PRESET),
        PresetId::from(sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET),
        PresetId::from(STORY_RUNTIME_PRESET),
    ]
}
