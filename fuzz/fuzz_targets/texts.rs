//! What people copy from each other: invoices, offers, addresses, towers, amounts, keys.

#![no_main]

use failsafe_fuzz::bytes::Bytes;
use failsafe_hub::{
    address, amount,
    invoice::{Body, InvoiceError, Offer},
    transport::TransportKey,
    watchtower::TowerAddress,
};
use failsafe_primitives::AccountId;
use libfuzzer_sys::fuzz_target;
use sp_core::{crypto::Ss58Codec, ed25519, Pair, H256};
use sp_runtime::MultiSignature;

const GENESIS: H256 = H256::repeat_byte(7);

fuzz_target!(|input: &[u8]| {
    read(&String::from_utf8_lossy(input));
    write(Bytes::new(input));
});

/// Whatever the text is.
fn read(text: &str) {
    for text in [text.to_string(), format!("fsi1{text}"), format!("fso1{text}")] {
        assert!(Body::from_text(&text, GENESIS).is_err(), "nobody has signed this");
        assert!(Offer::from_text(&text, GENESIS).is_err(), "nobody has signed this");
    }
    if let Ok(address) = address::parse(text) {
        let account = address.account.as_ref().map(Ss58Codec::to_ss58check).unwrap_or_default();
        let hub = address.hub.as_ref().map(|hub| format!("@{hub}")).unwrap_or_default();
        assert_eq!(address::parse(&format!("{account}{hub}")), Ok(address));
    }
    if let Ok(handle) = address::handle(text) {
        assert_eq!(handle, text);
    }
    if let Ok(tower) = text.parse::<TowerAddress>() {
        assert_eq!(tower.to_string().parse(), Ok(tower));
    }
    for decimals in [0, 1, 12, 18, 38, u8::MAX] {
        if let Ok(units) = amount::parse(text, decimals) {
            assert_eq!(amount::parse(&amount::format(units, decimals), decimals), Ok(units));
        }
    }
    if let Ok(key) = TransportKey::from_text(text) {
        let again = TransportKey::from_text(&key.to_text()).expect("what was written");
        assert_eq!((again.private(), again.public()), (key.private(), key.public()));
    }
}

/// Invoices and offers of arbitrary content: read as they were written, and not when a letter is
/// another one.
fn write(mut bytes: Bytes<'_>) {
    let key = ed25519::Pair::from_seed(&[1; 32]);
    let recipient = AccountId::new(key.public().0);
    let sign = |message: &[u8; 32]| MultiSignature::Ed25519(key.sign(message));
    let genesis = if bytes.rarely(32) { H256::zero() } else { GENESIS };
    let hubs: Vec<_> = (0..bytes.u8() % 9).map(|_| AccountId::new([bytes.u8(); 32])).collect();
    let hubs = failsafe_hub::invoice::Hubs::try_from(hubs).expect("at most 8");
    let (onion_key, hash, payment_secret) = ([bytes.u8(); 32], [bytes.u8(); 32], [bytes.u8(); 32]);
    let (asset, expires_ms) = (bytes.u32(), bytes.u64());
    let amount = (bytes.u8() & 1 == 0).then(|| bytes.u128());
    let (at, change) = (usize::from(bytes.u16()), bytes.u8());
    let length = usize::from(bytes.u8());
    let description = bytes.take(length).to_vec();
    let offer = Offer {
        genesis,
        recipient: recipient.clone(),
        onion_key,
        hubs: hubs.clone(),
        description: description.clone().try_into().expect("at most 255 bytes"),
    };
    let invoice = Body {
        genesis,
        recipient,
        onion_key,
        hubs,
        asset,
        amount,
        hash,
        payment_secret,
        expires_ms,
        description: description.try_into().expect("at most 255 bytes"),
    };
    let text = invoice.to_text(sign);
    match (Body::from_text(&text, GENESIS), genesis == GENESIS) {
        (Ok(read), true) => assert_eq!(read, invoice),
        (Err(error), false) => assert_eq!(error, InvoiceError::OtherChain),
        other => panic!("{other:?}"),
    }
    assert!(Offer::from_text(&text, GENESIS).is_err());
    let offered = offer.to_text(sign);
    match (Offer::from_text(&offered, GENESIS), genesis == GENESIS) {
        (Ok(read), true) => assert_eq!(read, offer),
        (Err(error), false) => assert_eq!(error, InvoiceError::OtherChain),
        other => panic!("{other:?}"),
    }
    for text in [text, offered] {
        let mut changed = text.clone().into_bytes();
        let at = at % changed.len();
        changed[at] = b'1' + change % 70;
        let changed = String::from_utf8(changed).expect("of one byte each");
        if changed != text {
            assert!(Body::from_text(&changed, genesis).is_err(), "{changed}");
            assert!(Offer::from_text(&changed, genesis).is_err(), "{changed}");
        }
    }
}
