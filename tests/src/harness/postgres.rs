//! A PostgreSQL server of its own for a test: free of any other, gone with it.
//!
//! It runs as its own user if we are root, which it refuses to be, in a temporary folder, reached by
//! a socket in that folder, and if asked for by TCP, encrypted. A shell watches over it: when the
//! test's process ends, however it ends, the server is stopped and its folder removed.

use super::ports::free_port;
use std::{
    fs::Permissions,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// Where Debian has it.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The user that it runs as.
const USER: &str = "postgres";
/// How long it may take to start.
const START: Duration = Duration::from_secs(60);
/// Ends the server `$@` when the input ends, and removes the folder `$0`; not by a signal to all
/// processes of a terminal.
const WATCH: &str = "trap '' INT TERM HUP; \"$@\" </dev/null & server=$!; cat >/dev/null; \
    kill -INT $server; wait $server; rm -rf \"$0\"";

/// Of [`USER`], for connections by TCP.
const PASSWORD: &str = "tests";
/// Who may connect then: by the socket anybody, else with a password and encrypted only.
const ACCESS: &str = "local all all trust\n\
    hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n";

/// A running server.
pub struct Server {
    bin: PathBuf,
    dir: PathBuf,
    watch: Child,
    databases: AtomicU32,
    /// Where it listens, if it does.
    port: Option<u16>,
}

/// What a server shows to who connects by TCP, in PEM.
pub struct Identity {
    /// Its certificate.
    pub certificate: String,
    /// The certificate's secret key.
    pub key: String,
}

/// The folder of its programs, the newest version's; `None` if it is not installed.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort();
    let newest = found.pop().map(|(_, bin)| bin);
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|dir| dir.join("initdb").is_file())
    };
    newest.or_else(on_path).filter(|bin| bin.join("initdb").is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| String::from_utf8_lossy(&id.stdout).trim() == "0")
}

/// What runs a program as the server's user.
fn as_user() -> Vec<&'static str> {
    if is_root() {
        vec!["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"]
    } else {
        vec![]
    }
}

/// A command of the server's user.
fn command(program: &Path) -> Command {
    match as_user().split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        },
        None => Command::new(program),
    }
}

/// Makes a file or folder the server's user's.
fn give_to_user(path: &Path) -> io::Result<()> {
    if !is_root() {
        return Ok(());
    }
    let mut chown = Command::new("chown");
    chown.arg(USER).arg(path);
    run(chown)
}

fn run(mut command: Command) -> io::Result<()> {
    let done = command.stdin(Stdio::null()).output()?;
    if done.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&done.stderr).into_owned()))
}

impl Server {
    /// Starts a server. `None`, and a line that says so, when PostgreSQL is not installed.
    pub fn start() -> io::Result<Option<Self>> {
        Self::start_as(None)
    }

    /// Starts a server that listens on localhost, too, with this identity.
    pub fn start_as(identity: Option<&Identity>) -> io::Result<Option<Self>> {
        let Some(bin) = programs() else {
            eprintln!("SKIPPED: PostgreSQL is not installed (Debian: apt-get install postgresql)");
            return Ok(None);
        };
        let dir = tempfile::Builder::new().prefix("failsafe-postgres-").tempdir()?;
        give_to_user(dir.path())?;
        let data = dir.path().join("data");
        let mut initdb = command(&bin.join("initdb"));
        initdb.args(["--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C"]);
        initdb.args(["--username", USER, "--pgdata"]).arg(&data).current_dir("/");
        run(initdb)?;
        // From here on the shell removes it.
        let dir = dir.keep();
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH]).arg(&dir).args(as_user()).arg(bin.join("postgres"));
        watch.arg("-D").arg(&data).arg("-k").arg(&dir);
        let port = match identity {
            None => {
                watch.args(["-c", "listen_addresses="]);
                None
            },
            Some(identity) => {
                std::fs::write(data.join("pg_hba.conf"), ACCESS)?;
                let (certificate, key) = (dir.join("server.pem"), dir.join("server.key"));
                for (path, content) in
                    [(&certificate, &identity.certificate), (&key, &identity.key)]
                {
                    std::fs::write(path, content)?;
                    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
                    give_to_user(path)?;
                }
                let port = free_port()?;
                watch.args(["-c", "listen_addresses=localhost", "-c", "ssl=on"]);
                watch.args(["-c", &format!("ssl_cert_file={}", certificate.display())]);
                watch.args(["-c", &format!("ssl_key_file={}", key.display())]);
                watch.args(["-p", &port.to_string()]);
                Some(port)
            },
        };
        let log = std::fs::File::create(dir.join("log"))?;
        watch.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).current_dir("/");
        let server = Self { bin, watch: watch.spawn()?, dir, databases: AtomicU32::new(0), port };
        let start = Instant::now();
        while let Err(problem) = run(server.client("pg_isready")) {
            if start.elapsed() > START {
                return Err(problem);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        if port.is_some() {
            let mut password = server.client("psql");
            password.args(["--command", &format!("ALTER USER {USER} PASSWORD '{PASSWORD}'")]);
            run(password)?;
        }
        Ok(Some(server))
    }

    fn client(&self, program: &str) -> Command {
        let mut command = command(&self.bin.join(program));
        command.arg("--host").arg(&self.dir).args(["--username", USER]).current_dir("/");
        if let Some(port) = self.port {
            command.args(["--port", &port.to_string()]);
        }
        command
    }

    /// Address of a database, whether it is there or not.
    pub fn address(&self, database: &str) -> String {
        let socket = self.dir.display().to_string().replace('/', "%2F");
        format!("postgres://{USER}@{socket}/{database}")
    }

    /// Address by TCP of the database that has this address by the socket; `host` is a name of this
    /// machine. `None` if the server does not listen.
    pub fn over_tcp(&self, address: &str, host: &str) -> Option<String> {
        let name = address.rsplit('/').next().unwrap_or_default();
        Some(format!("postgres://{USER}:{PASSWORD}@{host}:{}/{name}", self.port?))
    }

    /// Makes a new database and returns its address.
    pub fn database(&self) -> io::Result<String> {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut create = self.client("createdb");
        create.arg(&name);
        run(create)?;
        Ok(self.address(&name))
    }

    /// Carries out SQL in a database of this address.
    pub fn execute(&self, address: &str, sql: &str) -> io::Result<()> {
        let name = address.rsplit('/').next().unwrap_or_default();
        let mut psql = self.client("psql");
        psql.args(["--dbname", name, "--set", "ON_ERROR_STOP=1", "--command", sql]);
        run(psql)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        // It removes its folder before it ends.
        let _ = self.watch.wait();
    }
}
