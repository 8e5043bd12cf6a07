//! Bytes of the real runtime, read by its metadata.

use super::*;
use codec::Encode;
use failsafe_primitives::AccountId;
use failsafe_runtime::{Runtime, RuntimeCall, RuntimeEvent};
use serde_json::json;
use sp_runtime::{DispatchError, ModuleError, MultiAddress};
use subxt::Metadata;

pub(in crate::chain) fn metadata() -> ArcMetadata {
    let opaque = sp_io::TestExternalities::default()
        .execute_with(|| Runtime::metadata_at_version(15).expect("version 15 is there"));
    Metadata::decode_from(&opaque).expect("metadata is well formed").arc()
}

fn explainer() -> Explainer {
    Explainer::new(metadata())
}

fn explained(call: impl Into<RuntimeCall>) -> KnownCall {
    let bytes = call.into().encode();
    let rest = &mut &bytes[..];
    let known = explainer().call(rest).expect("a call of the runtime");
    assert!(rest.is_empty());
    assert_eq!(known.encoded, bytes);
    known
}

fn remark(bytes: &[u8]) -> RuntimeCall {
    frame_remark(bytes.to_vec())
}

/// `system.remark`, by its bytes: this crate does not depend on FRAME's pallets.
fn frame_remark(remark: Vec<u8>) -> RuntimeCall {
    use codec::Decode;
    let [pallet, call] = super::super::client::indices(&metadata(), "System", "remark").unwrap();
    RuntimeCall::decode(&mut &(pallet, call, remark).encode()[..]).expect("a remark")
}

#[test]
fn call_should_be_told_by_name_and_arguments_when_it_is_one_of_the_runtime() {
    let dest = AccountId::new([7; 32]);
    let call = pallet_balances::Call::transfer_allow_death {
        dest: MultiAddress::Id(dest.clone()),
        value: 1 << 60,
    };
    let known = explained(call);
    assert_eq!(known.name, "balances.transfer_allow_death");
    let value = (1u64 << 60).to_string();
    assert_eq!(known.arguments, json!({ "dest": { "Id": dest.to_ss58check() }, "value": value }));
}

#[test]
fn call_should_show_every_parameter_when_it_amends_them() {
    let values = failsafe_primitives::Parameters::DEVELOPMENT;
    let known = explained(pallet_protocol_parameters::Call::amend { values });
    assert_eq!(known.name, "parameters.amend");
    assert_eq!(known.arguments["values"]["delay_user"], json!(8));
    assert_eq!(known.arguments["values"]["fee_ceiling_ppm"], json!(50_000));
}

#[test]
fn bytes_should_be_shown_as_text_only_when_they_cannot_be_taken_for_anything_else() {
    let shown = |bytes: &[u8]| explained(remark(bytes)).arguments["remark"].clone();
    assert_eq!(shown(b"for history"), json!("for history"));
    assert_eq!(shown(b"0xdead"), json!("0x307864656164"));
    assert_eq!(shown(b"\x1b[2J"), json!("0x1b5b324a"));
    assert_eq!(shown("\u{202e}evil".as_bytes()), json!("0xe280ae6576696c"));
    assert_eq!(shown(&[0xff, 0]), json!("0xff00"));
}

#[test]
fn call_should_be_refused_when_bytes_are_something_else() {
    let explainer = explainer();
    assert!(explainer.call(&mut &[255, 255][..]).is_err());
    let whole = remark(b"whole").encode();
    assert!(explainer.call(&mut &whole[..whole.len() - 1]).is_err());
}

#[test]
fn call_should_be_read_without_harm_when_calls_are_nested_as_deep_as_a_proposal_may_be_long() {
    let sudo = super::super::client::indices(&metadata(), "Sudo", "sudo").unwrap();
    let mut bytes = sudo.repeat(8_000);
    bytes.extend(remark(b"deep").encode());
    let known = explainer().with(|explainer| Ok(explainer.call(&mut &bytes[..])));
    let known = known.unwrap().expect("as deep as it is, it is a call");
    assert_eq!(known.name, "sudo.sudo");
    assert!(known.arguments.to_string().contains('…'), "people see the upper ones");
}

#[test]
fn event_should_be_told_by_name_and_fields() {
    let who = AccountId::new([3; 32]);
    let event = pallet_hubs::Event::HubUpdated { account: who.clone() };
    let bytes = RuntimeEvent::Hubs(event).encode();
    let known = explainer().event(&mut &bytes[..]).unwrap();
    assert_eq!(known.name, "hubs.HubUpdated");
    assert_eq!(known.fields, json!({ "account": who.to_ss58check() }));
}

#[test]
fn error_should_be_told_with_its_documentation_when_it_is_of_a_pallet() {
    let index = metadata().pallet_by_name("Parameters").unwrap().error_index();
    let error = ModuleError { index, error: [0; 4], message: None };
    let bytes = DispatchError::Module(error).encode();
    let told = explainer().error(&mut &bytes[..]).unwrap();
    assert_eq!(told, "parameters.DelayTooShort: A dispute delay is below 6 usable blocks.");
    let told = explainer().error(&mut &DispatchError::BadOrigin.encode()[..]);
    assert_eq!(told, Ok("BadOrigin".into()));
}

#[test]
fn entry_should_be_named_with_its_keys_when_it_is_of_a_map() {
    let explainer = explainer();
    let current = [twox_128(b"Parameters"), twox_128(b"Current")].concat();
    let entry = explainer.entry(&current);
    assert_eq!(entry.name, "parameters.Current");
    let values = failsafe_primitives::Parameters::DEVELOPMENT;
    assert_eq!(explainer.entry_value(&entry, &values.encode())["act"], json!(5));

    let who = AccountId::new([5; 32]);
    let hub = pallet_hubs::Hubs::<Runtime>::hashed_key_for(&who);
    assert_eq!(explainer.entry(&hub).name, format!("hubs.Hubs({})", who.to_ss58check()));
}

#[test]
fn entry_should_be_told_by_size_and_hash_when_it_is_the_runtime_itself() {
    let explainer = explainer();
    let entry = explainer.entry(b":code");
    let hash = hex_text(&blake2_256(b"code"));
    let told = explainer.entry_value(&entry, b"code");
    assert_eq!(told, json!(format!("4 bytes, blake2-256 {hash}")));
    assert_eq!(explainer.entry(b"what").name, "0x77686174");
}

#[test]
fn plain_should_mark_what_could_steer_a_terminal() {
    assert_eq!(plain("a\u{1b}[31mb\u{202e}c\nd"), "a\u{fffd}[31mb\u{fffd}c\nd");
}
