//! Addresses for people: SS58 accounts, and `account@hub` as in e-mail.

use failsafe_primitives::AccountId;
use sp_core::crypto::Ss58Codec;

/// What is wrong with an address that a person typed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an SS58 account.
    #[error("{0:?} is not an account: expected an SS58 address such as 5GrwvaEF… (a letter may be wrong)")]
    NotAnAccount(String),
    /// Not the name of a hub.
    #[error("{0:?} is not a hub's handle: expected 1 to 32 of a-z, 0-9 and -")]
    NotAHandle(String),
}

/// Reads an SS58 address, or 0x and 64 hex digits.
pub fn account(text: &str) -> Result<AccountId, AddressError> {
    let wrong = || AddressError::NotAnAccount(text.to_string());
    if let Some(digits) = text.strip_prefix("0x") {
        let bytes: [u8; 32] =
            hex::decode(digits).ok().and_then(|b| b.try_into().ok()).ok_or_else(wrong)?;
        return Ok(AccountId::new(bytes));
    }
    AccountId::from_ss58check(text).map_err(|_| wrong())
}

/// Who is meant, and at which hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The account; `None` means the hub itself.
    pub account: Option<AccountId>,
    /// The hub's handle; `None` means the only, or first, hub.
    pub hub: Option<String>,
}

/// Reads `account`, `account@hub` or `@hub`.
pub fn parse(text: &str) -> Result<Address, AddressError> {
    let (name, hub) = match text.split_once('@') {
        None => (text, None),
        Some((name, hub)) => (name, Some(handle(hub)?)),
    };
    let account = match (name, &hub) {
        ("", Some(_)) => None,
        _ => Some(account(name)?),
    };
    Ok(Address { account, hub })
}

/// Checks a hub's handle.
pub fn handle(text: &str) -> Result<String, AddressError> {
    let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    if text.is_empty() || text.len() > 32 || !text.bytes().all(letter) {
        return Err(AddressError::NotAHandle(text.to_string()));
    }
    Ok(text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn address_should_name_account_and_hub() {
        let alice = account(ALICE).unwrap();
        let at = |account, hub: Option<&str>| Address { account, hub: hub.map(String::from) };
        assert_eq!(parse(ALICE), Ok(at(Some(alice.clone()), None)));
        assert_eq!(parse(&format!("{ALICE}@eu")), Ok(at(Some(alice.clone()), Some("eu"))));
        assert_eq!(parse("@eu"), Ok(at(None, Some("eu"))));
        let hex = format!("0x{}", hex::encode(&alice));
        assert_eq!(account(&hex), Ok(alice));
    }

    #[test]
    fn address_should_be_refused_when_a_letter_is_wrong() {
        let typo = ALICE.replace("KutQY", "KutQZ");
        assert_eq!(parse(&typo), Err(AddressError::NotAnAccount(typo.clone())));
        assert!(matches!(parse(""), Err(AddressError::NotAnAccount(_))));
        assert!(matches!(parse("0x12"), Err(AddressError::NotAnAccount(_))));
        assert!(matches!(parse("@EU!"), Err(AddressError::NotAHandle(_))));
        assert!(matches!(parse("@"), Err(AddressError::NotAHandle(_))));
    }
}
