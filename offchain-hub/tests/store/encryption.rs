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

/// A server that calls itself localhost, by an authority of its own.
struct Scene {
    server: Server,
    authority: Authority,
    /// Of a database, by the socket.
    address: String,
    dir: tempfile::TempDir,
}

impl Scene {
    /// `None` when there is no PostgreSQL.
    fn new() -> Option<Self> {
        let authority = authority();
        let server = Server::start_as(Some(&identity(&authority, "localhost"))).unwrap()?;
        let address = server.database().unwrap();
        Some(Self { server, authority, address, dir: tempfile::tempdir().unwrap() })
    }

    /// Address of the database by TCP, encrypted, if this authority is trusted.
    fn url(&self, host: &str, trusted: &Authority) -> String {
        let url = self.server.over_tcp(&self.address, host).unwrap();
        let ca = write_authority(self.dir.path(), trusted);
        format!("{url}?sslmode=verify-full&sslrootcert={ca}")
    }
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
    let Some(scene) = Scene::new() else { return };
    let store = new_store(&place(&scene.url("localhost", &scene.authority)));
    let mut batch = Batch::default();
    batch.put(Table::Channels, b"a".to_vec(), b"1".to_vec());
    store.commit(&batch).unwrap();
    assert_eq!(store.get(Table::Channels, b"a").unwrap(), Some(b"1".to_vec()));
    let encrypted = "DO $$ BEGIN IF (SELECT bool_and(ssl) FROM pg_stat_ssl \
                     JOIN pg_stat_activity USING (pid) WHERE application_name = 'failsafe') \
                     IS NOT TRUE THEN RAISE EXCEPTION 'not encrypted'; END IF; END $$";
    scene.server.execute(&scene.address, encrypted).unwrap();
}

#[test]
fn store_should_be_refused_when_the_server_is_another_one() {
    let Some(scene) = Scene::new() else { return };
    let name = refusal(&scene.url("127.0.0.1", &scene.authority));
    assert!(name.contains("not valid for name"), "{name}");
    let unknown = refusal(&scene.url("localhost", &authority()));
    assert!(unknown.contains("UnknownIssuer") || unknown.contains("BadSignature"), "{unknown}");
    let missing = refusal(&(scene.url("localhost", &scene.authority) + ".none"));
    assert!(missing.contains("ca.pem.none"), "{missing}");
}

#[test]
fn server_should_let_nobody_in_who_does_not_encrypt() {
    let Some(scene) = Scene::new() else { return };
    let url = scene.server.over_tcp(&scene.address, "localhost").unwrap();
    let plain = refusal(&format!("{url}?sslmode=disable"));
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
