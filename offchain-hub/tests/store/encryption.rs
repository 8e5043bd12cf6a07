//! The way to a database on another machine.

use crate::{
    common::{new_store, LEASE},
    postgres::{Identity, Server},
};
use failsafe_hub::store::{postgres::Options, Batch, Place, StoreError, Table};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Identity of a server with this name.
fn identity(authority: &Authority, name: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_string()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    Identity { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn write_authority(dir: &Path, authority: &Authority) -> String {
    let path = dir.join("ca.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    path.display().to_string().replace('/', "%2F")
}

fn place(url: &str) -> Place {
    Place::Postgres(Options::new(url, LEASE).unwrap())
}

fn refusal(url: &str) -> String {
    let refused = place(url).create().err().unwrap();
    assert!(matches!(refused, StoreError::Unreachable { .. }), "{refused}");
    refused.to_string()
}

#[test]
fn store_should_be_reached_encrypted_when_the_server_is_the_right_one() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), authority());
    let identity = identity(&authority, "localhost");
    let Some(server) = Server::start_as(Some(&identity)).unwrap() else { return };
    let address = server.database().unwrap();
    let url = server.over_tcp(&address, "localhost").unwrap();
    let ca = write_authority(dir.path(), &authority);
    let place = place(&format!("{url}?sslmode=verify-full&sslrootcert={ca}"));
    let store = new_store(&place);
    let mut batch = Batch::default();
    batch.put(Table::Channels, b"a".to_vec(), b"1".to_vec());
    store.commit(&batch).unwrap();
    assert_eq!(store.get(Table::Channels, b"a").unwrap(), Some(b"1".to_vec()));
    let encrypted = "DO $$ BEGIN IF (SELECT bool_and(ssl) FROM pg_stat_ssl \
                     JOIN pg_stat_activity USING (pid) WHERE application_name = 'failsafe') \
                     IS NOT TRUE THEN RAISE EXCEPTION 'not encrypted'; END IF; END $$";
    server.execute(&address, encrypted).unwrap();
}

#[test]
fn store_should_be_refused_when_the_server_is_another_one() {
    let (dir, authority) = (tempfile::tempdir().unwrap(), authority());
    let identity = identity(&authority, "localhost");
    let Some(server) = Server::start_as(Some(&identity)).unwrap() else { return };
    let address = server.database().unwrap();
    let [named, other] =
        ["localhost", "127.0.0.1"].map(|host| server.over_tcp(&address, host).unwrap());
    let ca = write_authority(dir.path(), &authority);
    let name = refusal(&format!("{other}?sslmode=verify-full&sslrootcert={ca}"));
    assert!(name.contains("not valid for name"), "{name}");

    let ca = write_authority(dir.path(), &self::authority());
    let unknown = refusal(&format!("{named}?sslmode=verify-full&sslrootcert={ca}"));
    assert!(unknown.contains("UnknownIssuer") || unknown.contains("BadSignature"), "{unknown}");
    let missing = refusal(&format!("{named}?sslmode=verify-full&sslrootcert={ca}.none"));
    assert!(missing.contains("ca.pem.none"), "{missing}");
    // And the server lets nobody in who does not encrypt.
    let plain = refusal(&format!("{named}?sslmode=disable"));
    assert!(plain.contains("no encryption"), "{plain}");
}

#[test]
fn nothing_should_be_told_to_a_server_when_it_does_not_encrypt() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).unwrap();
        stream.write_all(b"N").unwrap();
        let mut told = vec![];
        // The other side hangs up.
        let _ = stream.read_to_end(&mut told);
        told
    });
    let dir = tempfile::tempdir().unwrap();
    let ca = write_authority(dir.path(), &authority());
    let asked = format!("sslmode=require&sslrootcert={ca}");
    let refused = refusal(&format!("postgres://hub:secret@127.0.0.1:{port}/hub?{asked}"));
    assert!(refused.contains("TLS"), "{refused}");
    assert_eq!(server.join().unwrap(), Vec::<u8>::new());
}
