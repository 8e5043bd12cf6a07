//! Invoices and offers: what a recipient gives to payers, as one line of text.
//!
//! `fsi1` (an invoice: one payment, proved by the recipient's secret) or `fso1` (an offer: as many
//! payments as payers like, of any amount) and the base58 of SCALE `(body, signature)`. The
//! recipient's account signs, so a letter that is wrong is noticed, and nobody can put another key or
//! account into somebody's invoice.

use codec::{Decode, DecodeAll, Encode};
use failsafe_primitives::{signature, simplex::LockHash, AccountId, AssetId, Balance};
use sp_core::{ConstU32, H256};
use sp_crypto_hashing::blake2_256;
use sp_runtime::{BoundedVec, MultiSignature};

/// What every invoice begins with.
pub const PREFIX: &str = "fsi1";
/// What every offer begins with.
pub const OFFER_PREFIX: &str = "fso1";
/// Domain tag of an invoice that the recipient signs.
const TAG: &str = "failsafe/invoice/1";
/// Domain tag of an offer that it signs.
const OFFER_TAG: &str = "failsafe/offer/1";
/// Longest text of an invoice.
const MAX_TEXT: usize = 2_048;
/// Most hubs through which a recipient can be reached.
pub const MAX_HUBS: u32 = 8;
/// Longest description, bytes.
pub const MAX_DESCRIPTION: u32 = 256;

/// Hubs through which a recipient can be reached.
pub type Hubs = BoundedVec<AccountId, ConstU32<MAX_HUBS>>;

/// What a payer needs to know of one payment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Body {
    /// The chain.
    pub genesis: H256,
    /// Who is paid.
    pub recipient: AccountId,
    /// X25519 key to which its part of the onion is encrypted.
    pub onion_key: [u8; 32],
    /// Hubs with which it has channels.
    pub hubs: Hubs,
    /// The asset.
    pub asset: AssetId,
    /// The amount, smallest units; `None`: the payer decides.
    pub amount: Option<Balance>,
    /// SHA-256 of the recipient's secret, which becomes the proof of payment.
    pub hash: LockHash,
    /// Shows the recipient that the payer has this invoice.
    pub payment_secret: [u8; 32],
    /// Milliseconds since 1970 after which it is not paid any more.
    pub expires_ms: u64,
    /// What it is for, UTF-8.
    pub description: BoundedVec<u8, ConstU32<MAX_DESCRIPTION>>,
}

/// What a payer needs to know to pay somebody at any time.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Offer {
    /// The chain.
    pub genesis: H256,
    /// Who is paid.
    pub recipient: AccountId,
    /// X25519 key to which its part of the onion is encrypted.
    pub onion_key: [u8; 32],
    /// Hubs with which it has channels.
    pub hubs: Hubs,
    /// What it is for, UTF-8.
    pub description: BoundedVec<u8, ConstU32<MAX_DESCRIPTION>>,
}

/// What is wrong with the text of an invoice or an offer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceError {
    /// Not an invoice at all.
    #[error("this is neither an invoice nor an offer: they begin with {PREFIX} or {OFFER_PREFIX}")]
    NotAnInvoice,
    /// It cannot be read.
    #[error("the text cannot be read: a part of it is missing, or a letter is wrong")]
    Damaged,
    /// It was not signed by its recipient.
    #[error("the text is not signed by its recipient: a letter is wrong, or somebody changed it")]
    BadSignature,
    /// It is for another chain.
    #[error("that is for another chain")]
    OtherChain,
    /// Its time is over.
    #[error("the invoice has expired: ask for a new one")]
    Expired,
}

/// The text of something that a recipient signs.
fn write<T: Encode>(
    prefix: &str,
    tag: &str,
    body: &T,
    sign: impl FnOnce(&[u8; 32]) -> MultiSignature,
) -> String {
    let signature = sign(&message(tag, body));
    format!("{prefix}{}", bs58::encode((body, signature).encode()).into_string())
}

fn message<T: Encode>(tag: &str, body: &T) -> [u8; 32] {
    blake2_256(&(tag, body).encode())
}

/// Reads and checks the text of something that its recipient has signed for the chain with `genesis`.
fn read<T: Encode + Decode>(
    prefix: &str,
    tag: &str,
    text: &str,
    genesis: H256,
    of: impl FnOnce(&T) -> (&AccountId, H256),
) -> Result<T, InvoiceError> {
    let digits = text.trim().strip_prefix(prefix).ok_or(InvoiceError::NotAnInvoice)?;
    if digits.len() > MAX_TEXT {
        return Err(InvoiceError::Damaged);
    }
    let bytes = bs58::decode(digits).into_vec().map_err(|_| InvoiceError::Damaged)?;
    let (body, by) =
        <(T, MultiSignature)>::decode_all(&mut &bytes[..]).map_err(|_| InvoiceError::Damaged)?;
    let (recipient, chain) = of(&body);
    if !signature::verify(&by, &message(tag, &body), recipient) {
        return Err(InvoiceError::BadSignature);
    }
    if chain != genesis {
        return Err(InvoiceError::OtherChain);
    }
    Ok(body)
}

impl Offer {
    /// The text of the offer. `sign` signs with the recipient's account.
    pub fn to_text(&self, sign: impl FnOnce(&[u8; 32]) -> MultiSignature) -> String {
        write(OFFER_PREFIX, OFFER_TAG, self, sign)
    }

    /// Reads and checks the text of an offer for the chain with `genesis`.
    ///
    /// # Errors
    /// [`InvoiceError`].
    pub fn from_text(text: &str, genesis: H256) -> Result<Self, InvoiceError> {
        read(OFFER_PREFIX, OFFER_TAG, text, genesis, |offer: &Self| {
            (&offer.recipient, offer.genesis)
        })
    }

    /// What it is for.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.description).into_owned()
    }
}

impl Body {
    /// The text of the invoice. `sign` signs with the recipient's account.
    pub fn to_text(&self, sign: impl FnOnce(&[u8; 32]) -> MultiSignature) -> String {
        write(PREFIX, TAG, self, sign)
    }

    /// Reads and checks the text of an invoice for the chain with `genesis`.
    ///
    /// # Errors
    /// [`InvoiceError`].
    pub fn from_text(text: &str, genesis: H256) -> Result<Self, InvoiceError> {
        read(PREFIX, TAG, text, genesis, |body: &Self| (&body.recipient, body.genesis))
    }

    /// What it is for.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.description).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{AccountKey, Scheme};
    use failsafe_channel::Sign;

    fn body(key: &AccountKey) -> Body {
        Body {
            genesis: H256::repeat_byte(3),
            recipient: key.account(),
            onion_key: [5; 32],
            hubs: vec![AccountId::new([6; 32])].try_into().unwrap(),
            asset: 0,
            amount: Some(7),
            hash: [8; 32],
            payment_secret: [9; 32],
            expires_ms: 10,
            description: b"two coffees".to_vec().try_into().unwrap(),
        }
    }

    #[test]
    fn invoice_should_be_the_same_when_written_and_read() {
        for scheme in [Scheme::Sr25519, Scheme::Ed25519] {
            let key = AccountKey::generate(scheme);
            let body = body(&key);
            let text = body.to_text(|message| key.sign(message));
            assert_eq!(Body::from_text(&format!(" {text}\n"), body.genesis), Ok(body));
        }
    }

    #[test]
    fn offer_should_be_the_same_when_written_and_read_but_be_no_invoice() {
        let key = AccountKey::generate(Scheme::Sr25519);
        let Body { genesis, recipient, onion_key, hubs, description, .. } = body(&key);
        let offer = Offer { genesis, recipient, onion_key, hubs, description };
        let text = offer.to_text(|message| key.sign(message));
        assert_eq!(Offer::from_text(&text, genesis), Ok(offer));
        assert_eq!(Offer::from_text(&text, H256::zero()), Err(InvoiceError::OtherChain));
        let renamed = text.replacen(OFFER_PREFIX, PREFIX, 1);
        assert!(Body::from_text(&renamed, genesis).is_err());
        let mut wrong = text.into_bytes();
        wrong[40] = if wrong[40] == b'2' { b'3' } else { b'2' };
        assert!(Offer::from_text(&String::from_utf8(wrong).unwrap(), genesis).is_err());
    }

    #[test]
    fn invoice_should_be_refused_when_a_letter_is_wrong() {
        let key = AccountKey::generate(Scheme::Sr25519);
        let text = body(&key).to_text(|message| key.sign(message));
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'2' { b'3' } else { b'2' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(Body::from_text(&wrong, H256::repeat_byte(3)).is_err(), "letter {at}");
        }
        assert!(Body::from_text(&text[..text.len() - 1], H256::repeat_byte(3)).is_err());
    }

    #[test]
    fn invoice_should_be_refused_when_it_is_for_another_chain_or_none() {
        let key = AccountKey::generate(Scheme::Sr25519);
        let text = body(&key).to_text(|message| key.sign(message));
        assert_eq!(Body::from_text(&text, H256::zero()), Err(InvoiceError::OtherChain));
        assert_eq!(Body::from_text("alice@eu", H256::zero()), Err(InvoiceError::NotAnInvoice));
        let long = format!("{PREFIX}{}", "2".repeat(5_000));
        assert_eq!(Body::from_text(&long, H256::zero()), Err(InvoiceError::Damaged));
    }
}
