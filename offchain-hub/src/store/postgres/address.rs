//! Where a database is, and how the way there is protected.
//!
//! An address is a URL like those of PostgreSQL's own programs. Two of its parameters are read here,
//! because the client library does not know all that they say: `sslmode`, and `sslrootcert`, the file
//! of the authorities that may have signed the server's certificate. Whoever encrypts also checks
//! whom it talks to; there is nothing between that and no protection.

use postgres::{
    config::{Host, SslMode, SslNegotiation},
    Config,
};
use rustls::{
    pki_types::{pem::PemObject, CertificateDer},
    ClientConfig, RootCertStore,
};
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// How what is sent to the database is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not at all: a socket, this machine, or a network that the operator trusts.
    None,
    /// Encrypted, and the server's certificate is checked with its name.
    Tls {
        /// A file of authorities, in PEM; `None` for those that the system trusts.
        authorities: Option<PathBuf>,
    },
}

impl Protection {
    /// What an address without `sslmode` means: nobody listens on the way to a socket, or within the
    /// machine; else it has to be said.
    fn unsaid(config: &Config) -> Result<Self, String> {
        match config.get_hosts().iter().find(|host| !is_here(host)) {
            None if config.get_hostaddrs().iter().all(IpAddr::is_loopback) => Ok(Self::None),
            _ => Err(
                "the database is on another machine, and all the money's records would go there \
                      unprotected: say sslmode=verify-full among the parameters, or \
                      sslmode=disable for a network that nobody else is in"
                    .into(),
            ),
        }
    }

    /// What it takes to encrypt; `None` without encryption. The files are read anew, for certificates
    /// are renewed.
    ///
    /// # Errors
    /// Says what is wrong with the authorities.
    pub(super) fn tls(&self) -> Result<Option<ClientConfig>, String> {
        let Self::Tls { authorities } = self else { return Ok(None) };
        let roots = match authorities {
            Some(path) => roots_of(path)?,
            None => system_roots()?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?;
        Ok(Some(builder.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// Whether what is sent there stays on this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        },
    }
}

fn roots_of(path: &Path) -> Result<RootCertStore, String> {
    let wrong = |reason: String| format!("sslrootcert {}: {reason}", path.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))? {
        let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
        roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("there is no certificate in it".into()));
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems have some that are not for servers.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found.errors.first().map(|problem| format!(" ({problem})")).unwrap_or_default();
        return Err(format!(
            "the system trusts no authority{why}: install ca-certificates, or name a file with \
             sslrootcert"
        ));
    }
    Ok(roots)
}

/// How addresses of databases begin.
const SCHEMES: [&str; 2] = ["postgres", "postgresql"];
/// What `sslrootcert` says for the authorities that the system trusts.
const SYSTEM: &str = "system";

/// An address in parts, taken apart as the client library does it: what is before the first `@` says
/// who connects, whatever it has in it.
struct Parts<'a> {
    scheme: &'a str,
    credentials: Option<&'a str>,
    place: &'a str,
    parameters: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Result<Self, String> {
        let is_ours = |(scheme, _): &(&str, &str)| SCHEMES.contains(scheme);
        let (scheme, rest) = url
            .split_once("://")
            .filter(is_ours)
            .ok_or("it is no address of a database: postgres://user@host/database")?;
        let (credentials, rest) = match rest.split_once('@') {
            Some((who, rest)) => (Some(who), rest),
            None => (None, rest),
        };
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        if parameters.contains('?') {
            let why =
                "there is a second ? in it: parameters are separated by &, and a ? in one of \
                       them is written %3F";
            return Err(why.into());
        }
        Ok(Self { scheme, credentials, place, parameters })
    }
}

/// An address that has been understood.
pub(super) struct Target {
    /// What the client library knows.
    pub(super) config: Config,
    pub(super) protection: Protection,
}

impl Target {
    /// Reads an address.
    ///
    /// # Errors
    /// Says what is wrong with it, without its password.
    pub(super) fn read(url: &str) -> Result<Self, String> {
        let Parts { scheme, credentials, place, parameters } = Parts::of(url)?;
        let (mut mode, mut authorities, mut others) = (None, None, vec![]);
        for pair in parameters.split('&').filter(|pair| !pair.is_empty()) {
            let known = match pair.split_once('=') {
                Some(("sslmode", value)) => mode.replace(value).is_some(),
                Some(("sslrootcert", value)) => authorities.replace(decoded(value)?).is_some(),
                _ => {
                    others.push(pair);
                    false
                },
            };
            if known {
                return Err(format!("{} is said twice", pair.split('=').next().unwrap_or(pair)));
            }
        }
        let credentials = credentials.map(|who| format!("{who}@")).unwrap_or_default();
        let parameters = others.join("&");
        let mark = if parameters.is_empty() { "" } else { "?" };
        let known = format!("{scheme}://{credentials}{place}{mark}{parameters}");
        let mut config: Config = known.parse().map_err(|e| super::explain(&e))?;
        let unread = config.get_ssl_mode() != SslMode::Prefer;
        if unread || config.get_ssl_negotiation() != SslNegotiation::Postgres {
            let why =
                "only sslmode and sslrootcert say how the way to a database is protected, and \
                       they are written like this";
            return Err(why.into());
        }
        let asked = authorities.is_some();
        let authorities = authorities.filter(|path| path != Path::new(SYSTEM));
        let protection = match mode {
            None if asked => Protection::Tls { authorities },
            None => Protection::unsaid(&config)?,
            Some("disable") if asked => {
                return Err("sslrootcert says nothing with sslmode=disable: leave one out".into());
            },
            Some("disable") => Protection::None,
            Some("require" | "verify-full") => Protection::Tls { authorities },
            Some(weak @ ("allow" | "prefer" | "verify-ca")) => {
                return Err(format!(
                    "sslmode {weak} would protect only against some: use verify-full or disable",
                ));
            },
            Some(other) => {
                return Err(format!("there is no sslmode {other:?}: use verify-full or disable"));
            },
        };
        let is_socket = |host: &Host| matches!(host, Host::Unix(_));
        if protection != Protection::None && config.get_hosts().iter().any(is_socket) {
            let why = "a socket does not leave this machine, and PostgreSQL does not encrypt it: \
                       leave out sslmode and sslrootcert";
            return Err(why.into());
        }
        config.ssl_mode(match protection {
            Protection::None => SslMode::Disable,
            Protection::Tls { .. } => SslMode::Require,
        });
        Ok(Self { config, protection })
    }
}

/// A path in an address, where `%2F` stands for a slash.
fn decoded(value: &str) -> Result<PathBuf, String> {
    let text = percent_encoding::percent_decode_str(value).decode_utf8();
    Ok(PathBuf::from(&*text.map_err(|_| "sslrootcert is not UTF-8")?))
}

/// Where the database is, and how long a lease is.
#[derive(Clone, PartialEq, Eq)]
pub struct Options {
    url: String,
    lease: Duration,
}

impl core::fmt::Debug for Options {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Options({}, {:?})", self.shown(), self.lease)
    }
}

impl Options {
    /// The database at `url`, `postgres://user@host/database`, with leases of this length.
    ///
    /// # Errors
    /// Says what is wrong with the address; of another machine it has to say how the way there is
    /// protected ([`Protection`]).
    pub fn new(url: &str, lease: Duration) -> Result<Self, String> {
        Target::read(url)?;
        Ok(Self { url: url.into(), lease })
    }

    /// The address without its password.
    pub fn shown(&self) -> String {
        let hidden = || "postgres://…".to_string();
        let Ok(Parts { scheme, credentials, place, .. }) = Parts::of(&self.url) else {
            return hidden();
        };
        // A password with an @ in it goes on behind the first one.
        let place = place.rsplit('@').next().unwrap_or(place);
        match credentials.map(|who| who.split(':').next().unwrap_or_default()) {
            // That @ is one of a parameter.
            Some(user) if user.contains(['/', '?']) => hidden(),
            Some(user) => format!("{scheme}://{user}@{place}"),
            None => format!("{scheme}://{place}"),
        }
    }

    /// Length of a lease.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    pub(super) fn seconds(&self) -> f64 {
        self.lease.as_secs_f64()
    }

    /// What [`Self::new`] has accepted.
    pub(super) fn target(&self) -> Result<Target, String> {
        Target::read(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protection(url: &str) -> Result<Protection, String> {
        Target::read(url).map(|target| target.protection)
    }

    fn tls(authorities: Option<&str>) -> Protection {
        Protection::Tls { authorities: authorities.map(PathBuf::from) }
    }

    #[test]
    fn address_should_need_no_protection_when_the_database_is_on_this_machine() {
        for url in [
            "postgres://hub@%2Fvar%2Frun%2Fpostgresql/hub",
            "postgres://hub@localhost/hub",
            "postgres://hub:secret@127.0.0.1:5433/hub?application_name=x",
            "postgres://hub@[::1]/hub",
        ] {
            assert_eq!(protection(url), Ok(Protection::None), "{url}");
        }
    }

    #[test]
    fn address_should_be_refused_when_it_is_of_another_machine_and_does_not_say_how_to_get_there() {
        for url in [
            "postgres://hub:secret@db.example/hub",
            "postgres://hub:secret@192.0.2.1/hub",
            "postgres://hub:secret@localhost,db.example/hub",
            "postgres://hub:secret@localhost/hub?hostaddr=192.0.2.1",
        ] {
            let refused = protection(url).unwrap_err();
            assert!(refused.contains("say sslmode=verify-full"), "{url}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
        assert_eq!(protection("postgres://db.example/hub?sslmode=disable"), Ok(Protection::None));
    }

    #[test]
    fn address_should_be_encrypted_when_it_says_so() {
        for mode in ["require", "verify-full"] {
            let url = format!("postgres://db.example/hub?sslmode={mode}");
            assert_eq!(protection(&url), Ok(tls(None)), "{mode}");
        }
        let behind = "postgres://hub:se?cret@localhost/hub?sslmode=require";
        assert_eq!(protection(behind), Ok(tls(None)), "a ? in the password");
        let system = "postgres://localhost/hub?sslrootcert=system";
        assert_eq!(protection(system), Ok(tls(None)));
        let url = "postgres://localhost/hub?sslrootcert=%2Fetc%2Fca.pem&connect_timeout=5";
        let target = Target::read(url).unwrap();
        assert_eq!(target.protection, tls(Some("/etc/ca.pem")));
        assert_eq!(target.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(target.config.get_connect_timeout(), Some(&Duration::from_secs(5)));
    }

    #[test]
    fn address_should_be_refused_when_its_protection_is_half_of_one() {
        for (mode, why) in [
            ("allow", "only against some"),
            ("prefer", "only against some"),
            ("verify-ca", "only against some"),
            ("Require", "there is no sslmode"),
            ("", "there is no sslmode"),
        ] {
            let url = format!("postgres://localhost/hub?sslmode={mode}");
            let refused = protection(&url).unwrap_err();
            assert!(refused.contains(why), "{refused}");
            assert!(refused.contains("use verify-full or disable"), "{refused}");
        }
        for (url, why) in [
            ("postgres://localhost/hub?sslmode=disable&sslrootcert=ca.pem", "leave one out"),
            ("postgres://localhost/hub?sslmode=verify-full&sslmode=disable", "said twice"),
            ("postgres://localhost/hub?%73slmode=require", "written like this"),
            ("postgres://localhost/hub?sslnegotiation=direct", "only sslmode"),
            ("postgres://localhost/hub?options=x?sslmode=require", "a second ?"),
            ("postgres://hub@%2Frun/hub?sslmode=verify-full", "a socket"),
            ("host=localhost user=hub password=secret sslmode=require", "no address"),
            ("https://localhost/hub", "no address"),
        ] {
            let refused = protection(url).unwrap_err();
            assert!(refused.contains(why), "{url}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn password_should_not_be_shown_whatever_is_in_it() {
        for password in ["secret", "sec?ret", "sec@ret", "sec:ret", "sec/ret", "s%65cret"] {
            let url = format!("postgres://hub:{password}@localhost/hub");
            let shown = Options { url, lease: Duration::ZERO }.shown();
            assert_eq!(shown, "postgres://hub@localhost/hub", "{password}");
        }
        let url = "postgres://localhost/hub?user=hub&password=secret".into();
        let options = Options { url, lease: Duration::ZERO };
        assert_eq!(options.shown(), "postgres://localhost/hub");
        assert!(!format!("{options:?}").contains("secret"));
        let url = "postgres://localhost/hub?password=sec@ret".into();
        assert_eq!(Options { url, lease: Duration::ZERO }.shown(), "postgres://…");
    }

    #[test]
    fn authorities_should_be_refused_when_the_file_has_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let authorities = Protection::Tls { authorities: Some(path.clone()) };
        assert!(authorities.tls().unwrap_err().contains("ca.pem"), "no file");
        std::fs::write(&path, "nothing\n").unwrap();
        assert!(authorities.tls().unwrap_err().contains("no certificate in it"));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        std::fs::write(&path, broken).unwrap();
        assert!(authorities.tls().unwrap_err().contains("ca.pem"), "not a certificate");
    }
}
