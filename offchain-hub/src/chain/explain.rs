//! Encoded calls, events, errors and entries of the state as people read them, by the runtime's
//! metadata. What others wrote is shown without characters that could steer a terminal.

use super::client::ChainError;
use serde_json::{Map, Value};
use sp_core::{crypto::Ss58Codec, hexdisplay::HexDisplay};
use sp_crypto_hashing::{blake2_256, twox_128};
use std::thread;
use subxt::{
    ext::scale_value::{self, scale::decode_as_type, Composite, Primitive, ValueDef},
    metadata::StorageEntryMetadata,
    ArcMetadata,
};

/// Calls may hold calls, and decoding recurses: 16 KiB of them need some ten megabytes.
const STACK: usize = 256 << 20;
/// Deeper than anything that people read.
const MAX_DEPTH: u32 = 32;
/// Numbers above this are strings in JSON.
const MAX_NUMBER: u128 = 1 << 53;
/// Where the runtime's code is in the state.
const CODE: &[u8] = b":code";

/// A call, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownCall {
    /// As `parameters.amend`.
    pub name: String,
    /// Its arguments by name.
    pub arguments: Value,
    /// As it is encoded.
    pub encoded: Vec<u8>,
}

/// An event, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownEvent {
    /// As `parameters.Amended`.
    pub name: String,
    /// Its fields by name.
    pub fields: Value,
}

impl AsRef<[u8]> for KnownCall {
    fn as_ref(&self) -> &[u8] {
        &self.encoded
    }
}

/// Reads what a runtime's metadata describes.
pub(super) struct Explainer {
    pub metadata: ArcMetadata,
}

type Decoded = scale_value::Value<u32>;

impl Explainer {
    /// By this metadata.
    pub fn new(metadata: ArcMetadata) -> Self {
        Self { metadata }
    }

    /// Runs `read` where there is room for deep recursion.
    ///
    /// # Errors
    /// As `read` does, and if the machine has no thread for it.
    pub fn with<T: Send>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, ChainError> + Send,
    ) -> Result<T, ChainError> {
        let answer = |reason: String| ChainError::Answer { method: "metadata".into(), reason };
        thread::scope(|scope| {
            let builder = thread::Builder::new().stack_size(STACK);
            let reader = builder.spawn_scoped(scope, || read(self));
            let reader = reader.map_err(|e| answer(e.to_string()))?;
            reader.join().unwrap_or_else(|_| Err(answer("its reader has failed".into())))
        })
    }

    /// The call at the beginning of `bytes`, which is taken off them.
    ///
    /// # Errors
    /// Why it is none.
    pub fn call(&self, bytes: &mut &[u8]) -> Result<KnownCall, String> {
        let all = *bytes;
        let value = self.decode(bytes, self.metadata.outer_enums().call_enum_ty())?;
        let (name, arguments) = self.member(&value).ok_or("it is not a call of a pallet")?;
        let encoded = all[..all.len() - bytes.len()].to_vec();
        Ok(KnownCall { name, arguments, encoded })
    }

    /// The event at the beginning of `bytes`, which is taken off them.
    ///
    /// # Errors
    /// Why it is none.
    pub fn event(&self, bytes: &mut &[u8]) -> Result<KnownEvent, String> {
        let value = self.decode(bytes, self.metadata.outer_enums().event_enum_ty())?;
        let (name, fields) = self.member(&value).ok_or("it is not an event of a pallet")?;
        Ok(KnownEvent { name, fields })
    }

    /// The error of a call at the beginning of `bytes`, which is taken off them: its name, and what
    /// its documentation says.
    ///
    /// # Errors
    /// Why it is none.
    pub fn error(&self, bytes: &mut &[u8]) -> Result<String, String> {
        let ty = self.metadata.dispatch_error_ty().ok_or("the runtime describes no errors")?;
        let value = self.json(&self.decode(bytes, ty)?, 0);
        let module = value.get("Module").and_then(|module| {
            let index = u8::try_from(module.get("index")?.as_u64()?).ok()?;
            let digits = module.get("error")?.as_str()?.strip_prefix("0x")?;
            let variant = *hex::decode(digits).ok()?.first()?;
            let pallet = self.metadata.pallet_by_error_index(index)?;
            let error = pallet.error_variant_by_index(variant)?;
            let docs = error.docs.join(" ");
            Some(format!("{}.{}: {}", pallet_name(pallet.name()), error.name, docs.trim()))
        });
        Ok(module.unwrap_or_else(|| unquoted(&value)))
    }

    /// Which entry of the state `key` is, and how to read its values.
    pub fn entry(&self, key: &[u8]) -> Entry {
        if key == CODE {
            return Entry { name: ":code".into(), of: Kind::Code };
        }
        for pallet in self.metadata.pallets() {
            let Some(storage) = pallet.storage() else { continue };
            let Some(rest) = key.strip_prefix(&twox_128(storage.prefix().as_bytes())) else {
                continue;
            };
            let found = storage.entries().iter().find_map(|entry| {
                let rest = rest.strip_prefix(&twox_128(entry.name().as_bytes()))?;
                Some((entry, rest))
            });
            let Some((entry, rest)) = found else { continue };
            let mut name = format!("{}.{}", pallet_name(pallet.name()), entry.name());
            let keys = self.keys(entry, rest);
            if !keys.is_empty() {
                let keys: Vec<_> = keys.iter().map(unquoted).collect();
                name.push_str(&format!("({})", keys.join(", ")));
            }
            return Entry { name, of: Kind::Typed(entry.value_ty()) };
        }
        Entry { name: hex_text(key), of: Kind::Unknown }
    }

    /// A value of an entry.
    pub fn entry_value(&self, entry: &Entry, bytes: &[u8]) -> Value {
        match entry.of {
            Kind::Code => {
                let hash = hex_text(&blake2_256(bytes));
                format!("{} bytes, blake2-256 {hash}", bytes.len()).into()
            },
            Kind::Typed(ty) => match self.decode(&mut &bytes[..], ty) {
                Ok(value) => self.json(&value, 0),
                Err(_) => hex_text(bytes).into(),
            },
            Kind::Unknown => hex_text(bytes).into(),
        }
    }

    /// The keys of a map as far as its hashes tell them, else the hashes.
    fn keys(&self, entry: &StorageEntryMetadata, mut rest: &[u8]) -> Vec<Value> {
        let mut keys = vec![];
        for part in entry.keys() {
            let Some((hash, mut after)) = rest.split_at_checked(part.hasher.len_excluding_key())
            else {
                break;
            };
            if !part.hasher.ends_with_key() {
                keys.push(hex_text(hash).into());
            } else if let Ok(key) = self.decode(&mut after, part.key_id) {
                keys.push(self.json(&key, 0));
            } else {
                break;
            }
            rest = after;
        }
        keys
    }

    fn decode(&self, bytes: &mut &[u8], ty: u32) -> Result<Decoded, String> {
        decode_as_type(bytes, ty, self.metadata.types()).map_err(|e| e.to_string())
    }

    /// Name and fields of a member of one of the runtime's enums over all pallets.
    fn member(&self, value: &Decoded) -> Option<(String, Value)> {
        let ValueDef::Variant(pallet) = &value.value else { return None };
        let inner = pallet.values.values().next()?;
        let ValueDef::Variant(member) = &inner.value else { return None };
        let name = format!("{}.{}", pallet_name(&pallet.name), member.name);
        Some((name, self.fields(&member.values, 0)))
    }

    fn fields(&self, fields: &Composite<u32>, depth: u32) -> Value {
        match fields {
            Composite::Named(fields) => {
                let fields = fields.iter().map(|(name, v)| (name.clone(), self.json(v, depth + 1)));
                Value::Object(fields.collect::<Map<_, _>>())
            },
            Composite::Unnamed(values) => {
                Value::Array(values.iter().map(|v| self.json(v, depth + 1)).collect())
            },
        }
    }

    fn json(&self, value: &Decoded, depth: u32) -> Value {
        if depth > MAX_DEPTH {
            return "…".into();
        }
        let of = self.metadata.types().resolve(value.context);
        let named = |name: &str| of.and_then(|of| of.path.ident()).is_some_and(|of| of == name);
        match &value.value {
            ValueDef::Primitive(primitive) => primitive_json(primitive),
            ValueDef::BitSequence(bits) => {
                let digit = |bit: bool| if bit { '1' } else { '0' };
                bits.iter().map(digit).collect::<String>().into()
            },
            ValueDef::Variant(variant) if named("Option") => match variant.values.values().next() {
                Some(inner) => self.json(inner, depth + 1),
                None => Value::Null,
            },
            ValueDef::Variant(variant) if variant.values.is_empty() => variant.name.clone().into(),
            ValueDef::Variant(variant) => {
                let fields = match self.fields(&variant.values, depth) {
                    Value::Array(mut values) if values.len() == 1 => values.remove(0),
                    fields => fields,
                };
                Value::Object(Map::from_iter([(variant.name.clone(), fields)]))
            },
            ValueDef::Composite(fields) => {
                let list = of.map(|of| &of.type_def);
                let (array, sequence) = (
                    matches!(list, Some(scale_info::TypeDef::Array(_))),
                    matches!(list, Some(scale_info::TypeDef::Sequence(_))),
                );
                let bytes = if array || sequence { bytes_of(fields) } else { None };
                match (bytes, self.fields(fields, depth)) {
                    (Some(bytes), _) if sequence => bytes_text(&bytes).into(),
                    (Some(bytes), _) => hex_text(&bytes).into(),
                    (None, Value::Array(mut values))
                        if values.len() == 1 && !array && !sequence =>
                    {
                        let inner = values.remove(0);
                        match inner.as_str().and_then(account).filter(|_| named("AccountId32")) {
                            Some(account) => account.into(),
                            None => inner,
                        }
                    },
                    (None, json) => json,
                }
            },
        }
    }
}

/// An entry of the state.
pub(super) struct Entry {
    /// As `parameters.Current`, with the keys of a map.
    pub name: String,
    of: Kind,
}

enum Kind {
    Typed(u32),
    Code,
    Unknown,
}

/// As polkadot.js writes it.
fn pallet_name(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// Bytes as `0x…`.
pub fn hex_text(bytes: &[u8]) -> String {
    format!("0x{}", HexDisplay::from(&bytes))
}

fn account(hex_text: &str) -> Option<String> {
    let bytes = hex::decode(hex_text.strip_prefix("0x")?).ok()?;
    Some(sp_core::crypto::AccountId32::try_from(&bytes[..]).ok()?.to_ss58check())
}

/// The bytes of a list, if it is one of bytes.
fn bytes_of(fields: &Composite<u32>) -> Option<Vec<u8>> {
    let byte = |value: &Decoded| u8::try_from(value.as_u128()?).ok();
    let bytes: Option<Vec<u8>> = fields.values().map(byte).collect();
    bytes.filter(|bytes| !bytes.is_empty())
}

/// Text as text; what is not, or looks like bytes, as hex.
fn bytes_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.starts_with("0x") && text.chars().all(is_plain) => text.into(),
        _ => hex_text(bytes),
    }
}

fn primitive_json(primitive: &Primitive) -> Value {
    match primitive {
        Primitive::Bool(value) => (*value).into(),
        Primitive::Char(value) => plain(&value.to_string()).into(),
        Primitive::String(value) => plain(value).into(),
        Primitive::U128(value) => match u64::try_from(*value) {
            Ok(small) if *value <= MAX_NUMBER => small.into(),
            _ => value.to_string().into(),
        },
        Primitive::I128(value) => match i64::try_from(*value) {
            Ok(small) if value.unsigned_abs() <= MAX_NUMBER => small.into(),
            _ => value.to_string().into(),
        },
        Primitive::U256(bytes) | Primitive::I256(bytes) => hex_text(bytes).into(),
    }
}

/// Whether a character is nothing but itself on a terminal: no control, none that turns the
/// direction of what follows.
fn is_plain(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (!c.is_control() || c == '\n') && !turns
}

/// What others wrote, with a mark for every character that could steer a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if is_plain(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// A value without quotes if it is a text.
pub fn unquoted(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
pub(in crate::chain) mod tests;
