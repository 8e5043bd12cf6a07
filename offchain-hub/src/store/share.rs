//! Which part of a hub's partners a store is for, when several processes share them out
//! (`docs/processes.md`).

use super::{damaged_meta, owner, Batch, Store, StoreError, Table};
use codec::{DecodeAll, Encode};
use failsafe_primitives::AccountId;
use sp_crypto_hashing::blake2_256;

const SHARE: &[u8] = b"share";
/// Says that the store is for one of several processes, whichever.
const NEEDED: &[u8] = b"needs share";
/// Domain tag of what decides which process has a partner.
const HOME_TAG: &str = "failsafe/home/1";

/// One process of a hub whose partners are shared out. Never changes: a partner has one home, so no
/// two processes have a channel with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    number: usize,
    accounts: Vec<AccountId>,
}

impl Share {
    /// The process with this number of those whose accounts towards each other are `accounts`. `None`
    /// if there is no such process, or one has two numbers.
    pub fn new(number: usize, accounts: Vec<AccountId>) -> Option<Self> {
        let twice = (1..accounts.len()).any(|at| accounts[..at].contains(&accounts[at]));
        (number < accounts.len() && !twice).then_some(Self { number, accounts })
    }

    /// Its number, from 0 on.
    pub fn number(&self) -> usize {
        self.number
    }

    /// How many processes there are.
    pub fn count(&self) -> usize {
        self.accounts.len()
    }

    /// Its account towards the other processes.
    pub fn account(&self) -> &AccountId {
        &self.accounts[self.number]
    }

    /// The other processes.
    pub fn others(&self) -> impl Iterator<Item = &AccountId> {
        let others = self.accounts.iter().enumerate();
        others.filter(|(number, _)| *number != self.number).map(|(_, account)| account)
    }

    /// Whether this is another process of the hub.
    pub fn is_process(&self, account: &AccountId) -> bool {
        self.others().any(|other| other == account)
    }

    /// The number of the process that has the channel with `partner`.
    pub fn home(&self, partner: &AccountId) -> usize {
        let hash = blake2_256(&(HOME_TAG, partner).encode());
        let [first, ..] = hash.as_chunks::<8>().0 else { return 0 };
        let count = u64::try_from(self.accounts.len()).unwrap_or(u64::MAX).max(1);
        usize::try_from(u64::from_be_bytes(*first) % count).unwrap_or_default()
    }

    /// The process that has the channel with `partner`, if this one does not.
    pub fn elsewhere(&self, partner: &AccountId) -> Option<&AccountId> {
        let home = self.home(partner);
        let here = home == self.number || self.is_process(partner);
        self.accounts.get(home).filter(|_| !here)
    }

    /// Reads it; none when one process has all partners.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn load(store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = store.get(Table::Meta, SHARE)? else { return Ok(None) };
        let damaged = |reason: String| damaged_meta(format!("which partners it is for: {reason}"));
        let read = <(u32, Vec<AccountId>)>::decode_all(&mut &bytes[..]);
        let (number, accounts) = read.map_err(|e| damaged(e.to_string()))?;
        let number = usize::try_from(number).map_err(|e| damaged(e.to_string()))?;
        let share = Self::new(number, accounts);
        share.map(Some).ok_or_else(|| damaged("there is no such process".into()))
    }

    fn shown(share: Option<&Self>) -> String {
        match share {
            None => "one process that has all partners".into(),
            Some(share) => format!("process {} of {}", share.number, share.count()),
        }
    }
}

/// Marks a new store of another process of a hub: it must not be used without a plan.
///
/// # Errors
/// [`StoreError`].
pub fn need_share(store: &dyn Store) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    batch.put(Table::Meta, NEEDED, vec![1]);
    store.commit(&batch)
}

/// Refuses a store of another process than `share`; notes on first use whose it is. To be called
/// before [`super::check_owner`].
///
/// # Errors
/// [`StoreError::OtherShare`].
pub fn check_share(store: &dyn Store, share: Option<&Share>) -> Result<(), StoreError> {
    let known = Share::load(store)?;
    if known.is_none() && share.is_none() && store.get(Table::Meta, NEEDED)?.is_some() {
        let (found, expected) = ("one of several processes".into(), Share::shown(None));
        return Err(StoreError::OtherShare { found, expected });
    }
    if known.as_ref() == share {
        return Ok(());
    }
    let (Some(new), None, None) = (share, &known, owner(store)?.genesis) else {
        let (found, expected) = (Share::shown(known.as_ref()), Share::shown(share));
        return Err(StoreError::OtherShare { found, expected });
    };
    let number = u32::try_from(new.number).unwrap_or(u32::MAX);
    let mut batch = Batch::default();
    batch.put(Table::Meta, SHARE, (number, &new.accounts).encode());
    store.commit(&batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u8) -> AccountId {
        AccountId::new([number; 32])
    }

    fn share(number: usize) -> Share {
        Share::new(number, (0..3).map(account).collect()).unwrap()
    }

    #[test]
    fn partner_should_have_one_home_whichever_process_is_asked() {
        let mut homes = [0; 3];
        for number in 10..250 {
            let partner = account(number);
            let here = (0..3).filter(|at| share(*at).elsewhere(&partner).is_none());
            let here: Vec<_> = here.collect();
            assert_eq!(here, [share(0).home(&partner)]);
            homes[here[0]] += 1;
            for at in 0..3 {
                let elsewhere = share(at).elsewhere(&partner).cloned();
                assert_eq!(
                    elsewhere,
                    (at != here[0]).then(|| account(u8::try_from(here[0]).unwrap()))
                );
            }
        }
        assert!(homes.iter().all(|count| *count > 50), "{homes:?}");
    }

    #[test]
    fn process_should_be_nobodys_partner_but_the_other_processes() {
        assert!(share(1).is_process(&account(0)) && !share(1).is_process(&account(1)));
        assert_eq!(share(1).elsewhere(&account(0)), None);
        assert_eq!(share(1).others().cloned().collect::<Vec<_>>(), [account(0), account(2)]);
    }

    #[test]
    fn share_should_be_refused_when_there_is_no_such_process() {
        assert_eq!(Share::new(2, vec![account(0), account(1)]), None);
        assert_eq!(Share::new(0, vec![account(0), account(0)]), None);
        assert_eq!(Share::new(0, vec![]), None);
    }
}
