//! Backups of every kind of store, and restores into every kind.

use crate::common::{database, places, server, LEASE};
use codec::{Decode, Encode};
use failsafe_channel::{message::Update, state::Sent, Channel, Moment, PairFacts, Sign};
use failsafe_hub::{
    chain::{submit, Call, Intent},
    keys::{AccountKey, Scheme},
    store::{
        self,
        audit::audit,
        backup::{self, Backup, BackupError, Header, MAGIC},
        Batch, Place, Restored, Store, StoreError, Table, SCHEMA,
    },
};
use failsafe_primitives::AccountId;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{fs, path::Path, sync::Arc};

const GENESIS: H256 = H256::repeat_byte(7);

fn key() -> AccountKey {
    AccountKey::from_uri(Scheme::Ed25519, "//backup").unwrap()
}

fn channel(partner: u8) -> Channel {
    let (me, partner) = (key().account(), AccountId::new([partner; 32]));
    let facts = PairFacts::unknown(&me, &partner, Moment { block: 9, clock: 9 }).unwrap();
    Channel::new(GENESIS, &me, &partner, facts).unwrap()
}

/// A store with two channels, a call on its way, and a secret.
fn used_store(place: &Place) -> Arc<dyn Store> {
    let store = place.create().unwrap();
    store::initialize(&*store, &key().account()).unwrap();
    store::check_owner(&*store, &key().account(), GENESIS).unwrap();
    store::onion_key(&*store).unwrap();
    let mut batch = Batch::default();
    for partner in [2, 3] {
        let channel = channel(partner);
        batch.put(Table::Channels, channel.partner().encode(), channel.encode_state());
    }
    let call = Call::Reveal { secrets: vec![[5; 32]] };
    let record = submit::Record::new(Intent::Reveal, call);
    batch.put(Table::Intents, 4u64.to_be_bytes(), record.encode());
    batch.put(Table::Wanted, channel(2).partner().encode(), 77u64.encode());
    store.commit(&batch).unwrap();
    store
}

/// A file with a backup of such a store, and its bytes.
fn backup_in(dir: &Path) -> (std::path::PathBuf, Vec<u8>) {
    let store = used_store(&Place::Directory(dir.join("source")));
    let path = dir.join("file");
    backup::write(&*store, &path, 1_000).unwrap();
    let bytes = fs::read(&path).unwrap();
    (path, bytes)
}

fn restored(path: &Path) -> Batch {
    backup::read(path).unwrap().restored().unwrap().0
}

#[test]
fn restored_store_should_have_everything_but_calls_with_its_channels_marked() {
    let dir = tempfile::tempdir().unwrap();
    let to = tempfile::tempdir().unwrap();
    for (i, source) in places(dir.path()).into_iter().enumerate() {
        let store = used_store(&source);
        let path = dir.path().join(format!("file{i}"));
        let written = backup::write(&*store, &path, 1_000).unwrap();
        assert_eq!((written.channels, written.header.account.clone()), (2, key().account()));
        for (j, target) in places(&to.path().join(i.to_string())).into_iter().enumerate() {
            fs::create_dir_all(to.path().join(i.to_string())).unwrap();
            let backup = backup::read(&path).unwrap();
            assert_eq!(backup.contents(), &written, "{i} to {j}");
            let (records, dropped) = backup.restored().unwrap();
            assert_eq!(dropped, vec![Call::Reveal { secrets: vec![] }.name()]);
            target.fill(&records).unwrap();
            let new = target.open().unwrap();
            for (table, old) in store.snapshot().unwrap() {
                match table {
                    Table::Channels => {
                        for (_, bytes) in new.scan(table).unwrap() {
                            let channel = Channel::decode_state(&bytes).unwrap();
                            assert!(channel.restored());
                        }
                        assert_eq!(new.scan(table).unwrap().len(), old.len());
                    },
                    Table::Intents => assert!(new.scan(table).unwrap().is_empty()),
                    Table::Meta => {
                        for (key, value) in old {
                            assert_eq!(new.get(table, &key).unwrap(), Some(value));
                        }
                    },
                    _ => assert_eq!(new.scan(table).unwrap(), old),
                }
            }
            assert_eq!(Restored::load(&*new).unwrap(), Some(Restored { since: None }));
            assert_eq!(Restored::load(&*store).unwrap(), None);
        }
    }
}

/// What a party stores apart from its channels is with them in a restored store.
#[test]
fn restored_channel_should_have_what_was_not_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let store = used_store(&Place::Directory(dir.path().join("store")));
    let mut state = channel(2).state().clone();
    let mut page = vec![];
    for nonce in 1..4u64 {
        let update = Update {
            epoch: 0,
            base_nonce: nonce - 1,
            as_of: 9,
            terms_version: 0,
            transitions: Default::default(),
            signature: None,
            ack: None,
        };
        state.mine.simplex.nonce = nonce;
        let sent = Sent { update, simplex: state.mine.simplex.clone() };
        page.push(((channel(2).partner().clone(), 0u32, nonce), sent.clone()));
        state.outbox.push_back(sent);
    }
    let mut stored = Channel::from_state(state.clone());
    let mut batch = Batch::default();
    // On two pages: the newer one counts.
    let partner = stored.partner().clone();
    batch.delete(Table::Channels, partner.encode());
    for (number, bytes) in [(0u64, channel(2).encode_lean()), (1, stored.encode_lean())] {
        let page = vec![(partner.clone(), bytes)];
        batch.put(Table::Recent, number.to_be_bytes(), page.encode());
    }
    batch.put(Table::Outbox, 0u64.to_be_bytes(), page.encode());
    store.commit(&batch).unwrap();
    let path = dir.path().join("file");
    assert_eq!(backup::write(&*store, &path, 1_000).unwrap().channels, 2);

    let to = Place::Directory(dir.path().join("restored"));
    to.fill(&restored(&path)).unwrap();
    let new = to.open().unwrap();
    let bytes = new.get(Table::Channels, &stored.partner().encode()).unwrap().unwrap();
    let channel = Channel::decode_state(&bytes).unwrap();
    assert_eq!(channel.state().outbox, state.outbox);
    assert!(channel.restored());
    for table in [Table::Outbox, Table::Recent] {
        assert!(new.scan(table).unwrap().is_empty());
    }
}

#[test]
fn backup_should_be_private_and_not_be_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let store = used_store(&Place::Directory(dir.path().join("store")));
    let path = dir.path().join("file");
    backup::write(&*store, &path, 1).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let kept = fs::read(&path).unwrap();
    let again = backup::write(&*store, &path, 2).unwrap_err();
    assert!(matches!(again, BackupError::Exists { .. }), "{again}");
    assert_eq!(fs::read(&path).unwrap(), kept);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no part is left");
}

#[test]
fn backup_should_not_have_the_account_key() {
    let dir = tempfile::tempdir().unwrap();
    let (_, bytes) = backup_in(dir.path());
    let secret = key().secret().to_string();
    assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    let seed =
        <sp_core::ed25519::Pair as sp_core::Pair>::from_string(&secret, None).unwrap().seed();
    assert!(!bytes.windows(seed.len()).any(|window| window == seed));
}

#[test]
fn backup_should_be_refused_when_a_bit_of_it_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (path, bytes) = backup_in(dir.path());
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        fs::write(&path, &changed).unwrap();
        let refused = backup::read(&path).map(drop).unwrap_err();
        let expected = matches!(
            refused,
            BackupError::Damaged { .. }
                | BackupError::Truncated { .. }
                | BackupError::NotABackup { .. }
        );
        assert!(expected, "byte {place}: {refused}");
    }
}

#[test]
fn backup_should_be_refused_when_it_is_cut_off_or_longer() {
    let dir = tempfile::tempdir().unwrap();
    let (path, bytes) = backup_in(dir.path());
    for length in MAGIC.len()..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let refused = backup::read(&path).map(drop).unwrap_err();
        assert!(matches!(refused, BackupError::Truncated { .. }), "{length}: {refused}");
        assert!(refused.to_string().contains("earlier backup"), "{refused}");
    }
    fs::write(&path, [&bytes[..], &[0]].concat()).unwrap();
    let refused = backup::read(&path).map(drop).unwrap_err();
    assert!(matches!(refused, BackupError::Damaged { .. }), "{refused}");
    fs::write(&path, b"something else entirely").unwrap();
    let refused = backup::read(&path).map(drop).unwrap_err();
    assert!(matches!(refused, BackupError::NotABackup { .. }), "{refused}");
}

/// Sections of a file, each with its right checksum.
fn sections(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &bytes[MAGIC.len()..];
    let mut sections = vec![];
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap());
        let end = 8 + usize::try_from(length).unwrap();
        sections.push(rest[8..end].to_vec());
        rest = &rest[end + 32..];
    }
    sections
}

fn file_of(sections: &[Vec<u8>]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    for body in sections {
        file.extend((body.len() as u64).to_le_bytes());
        file.extend(body);
        file.extend(blake2_256(body));
    }
    file
}

#[test]
fn backup_should_be_refused_when_a_whole_part_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (path, bytes) = backup_in(dir.path());
    let all = sections(&bytes);
    assert_eq!(file_of(&all), bytes);
    for missing in 1..all.len() {
        let mut some = all.clone();
        some.remove(missing);
        fs::write(&path, file_of(&some)).unwrap();
        backup::read(&path).map(drop).unwrap_err();
    }
}

#[test]
fn backup_should_be_refused_when_it_is_of_a_newer_program() {
    let dir = tempfile::tempdir().unwrap();
    let (path, bytes) = backup_in(dir.path());
    let all = sections(&bytes);
    let header = Header::decode(&mut &all[0][..]).unwrap();
    let newer_file = Header { version: backup::VERSION + 1, ..header.clone() };
    let newer_records = Header { schema: SCHEMA + 1, ..header };
    for newer in [newer_file, newer_records] {
        let mut changed = all.clone();
        changed[0] = newer.encode();
        fs::write(&path, file_of(&changed)).unwrap();
        let refused = backup::read(&path).map(drop).unwrap_err();
        assert!(matches!(refused, BackupError::FromTheFuture { .. }), "{refused}");
        assert!(refused.to_string().contains("use the newer program"), "{refused}");
    }
    let mut changed = all;
    changed[1] = ("galaxies", Vec::<(Vec<u8>, Vec<u8>)>::new()).encode();
    fs::write(&path, file_of(&changed)).unwrap();
    let refused = backup::read(&path).map(drop).unwrap_err();
    assert!(matches!(refused, BackupError::FromTheFuture { .. }), "{refused}");
}

#[test]
fn backup_should_be_refused_when_it_is_of_another_account_or_chain() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = backup_in(dir.path());
    let backup: Backup = backup::read(&path).unwrap();
    backup.check(&key().account(), Some(GENESIS)).unwrap();
    backup.check(&key().account(), None).unwrap();
    let refused = backup.check(&AccountId::new([9; 32]), None).unwrap_err();
    assert!(matches!(refused, BackupError::OtherAccount { .. }), "{refused}");
    let refused = backup.check(&key().account(), Some(H256::zero())).unwrap_err();
    assert!(matches!(refused, BackupError::OtherChain { .. }), "{refused}");
}

#[test]
fn restore_should_be_refused_when_there_is_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = backup_in(dir.path());
    for place in places(dir.path()) {
        let store = used_store(&place);
        store
            .commit(&{
                let mut batch = Batch::default();
                batch.put(Table::Payments, b"newer".to_vec(), vec![1]);
                batch
            })
            .unwrap();
        drop(store);
        let refused = place.fill(&restored(&path)).unwrap_err();
        assert!(matches!(refused, StoreError::Exists { .. }), "{refused}");
        let kept = place.open().unwrap();
        assert_eq!(kept.get(Table::Payments, b"newer").unwrap(), Some(vec![1]));
    }
}

#[test]
fn unused_store_should_give_way_to_a_restored_one() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = backup_in(dir.path());
    for place in places(dir.path()) {
        let store = place.create().unwrap();
        store::initialize(&*store, &key().account()).unwrap();
        drop(store);
        place.fill(&restored(&path)).unwrap();
        assert_eq!(place.open().unwrap().scan(Table::Channels).unwrap().len(), 2);
    }
}

#[test]
fn restore_should_begin_anew_when_an_earlier_one_was_cut_short() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = backup_in(dir.path());
    let place = Place::Directory(dir.path().join("store"));
    // What a crash in the middle leaves.
    fs::create_dir(dir.path().join("store.restoring")).unwrap();
    fs::write(dir.path().join("store.restoring").join("half"), b"x").unwrap();
    place.fill(&restored(&path)).unwrap();
    assert_eq!(place.open().unwrap().scan(Table::Channels).unwrap().len(), 2);
    assert!(!dir.path().join("store.restoring").exists());
}

#[test]
fn audit_should_find_nothing_wrong_in_a_good_store() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let found = audit(used_store(&place).snapshot().unwrap(), &key()).unwrap();
        assert_eq!((found.channels, found.restored, found.lost), (2, 0, 0));
        assert!(found.broken.is_empty(), "{:?}", found.broken);
    }
    let (path, _) = backup_in(dir.path());
    let place = Place::Directory(dir.path().join("restored"));
    place.fill(&restored(&path)).unwrap();
    let found = audit(place.open().unwrap().snapshot().unwrap(), &key()).unwrap();
    assert_eq!(found.restored, 2);
}

#[test]
fn audit_should_name_channels_that_do_not_hold_together() {
    let dir = tempfile::tempdir().unwrap();
    let store = used_store(&Place::Directory(dir.path().join("store")));
    let mut state = channel(2).state().clone();
    state.mine.simplex.nonce = 4;
    let unsigned = Channel::from_state(state);
    let mut batch = Batch::default();
    batch.put(Table::Channels, unsigned.partner().encode(), unsigned.encode_state());
    let elsewhere = AccountId::new([8; 32]).encode();
    batch.put(Table::Channels, elsewhere, channel(4).encode_state());
    store.commit(&batch).unwrap();
    let found = audit(store.snapshot().unwrap(), &key()).unwrap();
    assert_eq!(found.broken.len(), 2, "{:?}", found.broken);
    assert!(found.broken.iter().any(|text| text.contains("payments of ours have no signature")));
}

#[test]
fn audit_should_fail_when_a_record_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    for table in [Table::Channels, Table::Recent, Table::Payments, Table::Intents, Table::Invoices]
    {
        let store = used_store(&Place::Directory(dir.path().join(table.name())));
        let mut batch = Batch::default();
        batch.put(table, vec![1; 32], vec![0xff; 3]);
        store.commit(&batch).unwrap();
        let damaged = audit(store.snapshot().unwrap(), &key()).unwrap_err();
        assert!(matches!(damaged, StoreError::Damaged { .. }), "{damaged}");
    }
}

#[test]
fn backup_of_a_database_should_be_made_while_another_process_owns_it() {
    if server().is_none() {
        return;
    }
    let Some((place, ..)) = database(LEASE) else { return };
    let dir = tempfile::tempdir().unwrap();
    let owner = used_store(&place);
    let path = dir.path().join("file");
    backup::write(&*place.look().unwrap(), &path, 1).unwrap();
    owner.check().unwrap();
    assert_eq!(backup::read(&path).unwrap().into_tables(), owner.snapshot().unwrap());
}
