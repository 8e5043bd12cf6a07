//! The chains that the node knows by name.

use crate::chain::*;
use failsafe_primitives::NATIVE_ASSET;
use failsafe_runtime::{
    genesis_config_presets::{get_preset, preset_names},
    Assets, Aura, Balances, Grandpa, Parameters, Runtime, EXISTENTIAL_DEPOSIT, FRB, FRD,
};
use frame_support::traits::fungibles::roles::Inspect;
use sp_core::crypto::Ss58Codec;
use sp_keyring::{
    Ed25519Keyring, Sr25519Keyring,
    Sr25519Keyring::{Alice, Bob, Charlie, Dave},
};

const PRESETS: [&str; 3] = [DEVELOPMENT, LOCAL, STORY];

/// The configuration that the whole file `name` of `chain-spec` holds.
fn committed(name: &str) -> serde_json::Value {
    let folder = std::path::Path::new("../chain-spec");
    let file = std::fs::read(folder.join(name)).expect("a committed file");
    serde_json::from_slice(&file).expect("JSON")
}

fn patch(preset: &str) -> serde_json::Value {
    let patch = get_preset(&preset.into()).expect("a known preset");
    serde_json::from_slice(&patch).expect("JSON")
}

fn authorities() -> Vec<sp_core::sr25519::Public> {
    let keys = pallet_aura::Authorities::<Runtime>::get();
    keys.into_iter().map(Into::into).collect()
}

#[test]
fn presets_should_be_the_known_ones_when_listed() {
    let names = preset_names();
    assert_eq!(names.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), PRESETS);
    assert_eq!(get_preset(&"main".into()), None);
}

#[test]
fn presets_should_make_blocks_when_built() {
    for preset in PRESETS {
        on(preset, |chain| {
            for _ in 0..5 {
                chain.block(vec![]);
            }
            assert_eq!(now(), 6, "{preset}: every block is usable");
        });
    }
}

#[test]
fn presets_should_differ_in_genesis_when_built() {
    let mut hashes = vec![];
    for preset in PRESETS {
        on(preset, |_| hashes.push(failsafe_runtime::System::block_hash(0)));
    }
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), 3, "what is signed for one chain is not for another");
}

#[test]
fn authorities_should_be_alice_alone_when_for_development() {
    on(DEVELOPMENT, |_| {
        assert_eq!(authorities(), vec![Alice.public()]);
        assert_eq!(
            Grandpa::grandpa_authorities(),
            vec![(Ed25519Keyring::Alice.public().into(), 100)]
        );
    });
}

#[test]
fn authorities_should_be_four_when_several_nodes_run_it() {
    for preset in [LOCAL, STORY] {
        on(preset, |_| {
            assert_eq!(authorities(), [Alice, Bob, Charlie, Dave].map(|key| key.public()));
            let finalizers = [
                Ed25519Keyring::Alice,
                Ed25519Keyring::Bob,
                Ed25519Keyring::Charlie,
                Ed25519Keyring::Dave,
            ];
            let keys = finalizers.map(|key| (key.public().into(), 25));
            assert_eq!(Grandpa::grandpa_authorities(), keys);
        });
    }
}

#[test]
fn sudo_key_should_be_alices_when_for_development_and_nobodys_else() {
    for (preset, key) in [(DEVELOPMENT, Some(Alice.to_account_id())), (LOCAL, None), (STORY, None)]
    {
        on(preset, |_| assert_eq!(pallet_sudo::Key::<Runtime>::get(), key, "{preset}"));
    }
}

#[test]
fn sudo_should_be_refused_when_there_is_no_key() {
    for preset in [LOCAL, STORY] {
        on(preset, |chain| {
            let call = frame_system::Call::remark { remark: vec![] }.into();
            let sudo = pallet_sudo::Call::sudo { call: Box::new(call) };
            let result = chain.one(Party::known(Alice).does(sudo));
            assert_eq!(result, Err(pallet_sudo::Error::<Runtime>::RequireSudo.into()));
        });
    }
}

#[test]
fn endowments_should_be_a_million_of_both_assets_when_the_chain_starts() {
    let all: Vec<_> = Sr25519Keyring::well_known().collect();
    for (preset, endowed) in
        [(DEVELOPMENT, all.clone()), (LOCAL, all), (STORY, vec![Alice, Bob, Charlie, Dave])]
    {
        on(preset, |_| {
            for key in &endowed {
                let who = Party::known(*key);
                assert_eq!(free(NATIVE_ASSET, &who), 1_000_000 * FRD, "{preset}: {key}");
                assert_eq!(free(FRB, &who), 1_000_000 * FRD, "{preset}: {key}");
            }
            let sum = u128::try_from(endowed.len()).expect("few") * 1_000_000 * FRD;
            // The native seed of custody.
            let expected = vec![(NATIVE_ASSET, sum + EXISTENTIAL_DEPOSIT), (FRB, sum)];
            assert_eq!(issuance(), expected, "{preset}: and nobody else");
            assert_eq!(
                Balances::free_balance(failsafe_runtime::Custody::account()),
                EXISTENTIAL_DEPOSIT
            );
        });
    }
}

#[test]
fn bond_should_be_a_sufficient_asset_of_alice_when_the_chain_starts() {
    for preset in PRESETS {
        on(preset, |chain| {
            let alice = Some(Alice.to_account_id());
            assert_eq!(Assets::owner(FRB), alice);
            assert_eq!(Assets::issuer(FRB), alice);
            // Sufficient: nobody needs FRD to receive it.
            let bond = transfer_of(FRB, &Party::strangers(1)[0], 1);
            assert_eq!(chain.one(Party::known(Alice).does(bond)), Ok(()));
            assert_eq!(pallet_assets::NextAssetId::<Runtime>::get(), Some(FRB + 1));
        });
    }
}

#[test]
fn prices_should_be_as_documented_when_the_chain_starts() {
    for (preset, priced) in [(DEVELOPMENT, true), (LOCAL, true), (STORY, false)] {
        on(preset, |_| {
            let values = Parameters::current();
            assert_eq!(values.validate(EXISTENTIAL_DEPOSIT), Ok(()));
            let prices = [
                values.floor_hub,
                values.floor_user,
                values.pair_fee,
                values.secret_fee,
                values.dispute_deposit,
                values.hub_deposit,
                values.fee_per_second,
                values.fee_per_byte,
            ];
            assert!(prices.iter().all(|price| (*price > 0) == priced), "{preset}: {values:?}");
            assert_eq!(values.default_credit, 1_000 * FRD);
            assert_eq!(Aura::slot_duration(), 1_000);
        });
    }
}

#[test]
fn committed_genesis_should_equal_the_preset_when_the_node_wrote_it() {
    for (name, preset) in [
        ("dev.genesis.json", DEVELOPMENT),
        ("local.genesis.json", LOCAL),
        ("story.genesis.json", STORY),
    ] {
        let (file, preset) = (committed(name), patch(preset));
        assert_eq!(file, preset, "run `make chain-spec`: chain-spec/{name} is old");
    }
}

#[test]
fn committed_genesis_should_name_alice_when_read() {
    let alice = Alice.to_account_id().to_ss58check();
    assert_eq!(committed("dev.genesis.json")["sudo"]["key"], alice);
    assert_eq!(committed("local.genesis.json")["sudo"]["key"], serde_json::Value::Null);
}

#[test]
#[should_panic(expected = "parameters are not safe")]
fn genesis_should_be_refused_when_a_parameter_breaks_its_relation() {
    let mut config = genesis_config(DEVELOPMENT);
    config["parameters"]["values"]["delayUser"] = 5.into();
    on_genesis(&config, |_| ());
}
