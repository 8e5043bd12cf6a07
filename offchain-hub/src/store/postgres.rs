//! A store in a PostgreSQL database, owned by one process at a time.
//!
//! # The lease
//! A row of the database says which process owns the store: a token that only grows, and until when.
//! The owner renews it with every commit and three times per lease; when it has ended, by the
//! database's clock, another process takes over with the next token. Every commit is one statement
//! that changes nothing unless the token is still its own. So an owner that was halted and goes on
//! later cannot store anything, and who stores nothing sends nothing. What it could send without a
//! commit is guarded by [`Store::check`]: it asks the database as soon as the lease may have ended.
//!
//! # Round trips
//! A commit is a single statement, its own transaction, whatever it changes: one round trip and one
//! flush of the database's log. As no transaction waits for the client, a halted client holds no lock.
//!
//! # The connection
//! Is encrypted if the address says so ([`Protection`]), and belongs to a thread of its own. When it
//! is lost, the store is: what became of the last commit is not known, so the process has to stop, and
//! the next owner reads what was committed.

use super::{Batch, Change, Record, Store, StoreError, Table, Tables};
use postgres::{error::SqlState, Client, IsolationLevel, NoTls, Statement, Transaction};
use std::{
    collections::BTreeMap,
    sync::{mpsc, Mutex, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::{info, warn};

mod address;

use address::Target;
pub use address::{Options, Protection};

/// Layout of the database's tables.
const LAYOUT: i32 = 1;
/// Number of the lock under which tables are made and changed.
const MIGRATION: i64 = 0x6661_696c_7361_6665;
/// How long the database may take to let us in.
const CONNECT: Duration = Duration::from_secs(10);
/// How often per lease it is renewed.
const RENEWALS: u32 = 3;
/// Where the password is taken from when the address has none.
const PASSWORD: &str = "PGPASSWORD";

/// The tables. The lease of a new store is over, so that anybody may take it.
const TABLES: &str = "
    CREATE TABLE failsafe_layout (version int NOT NULL);
    CREATE TABLE failsafe_records (
        tbl text COLLATE \"C\" NOT NULL,
        key bytea NOT NULL,
        value bytea NOT NULL,
        PRIMARY KEY (tbl, key)
    );
    CREATE TABLE failsafe_lease (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        token bigint NOT NULL,
        holder text NOT NULL,
        expires timestamptz NOT NULL
    ) WITH (fillfactor = 10);
    INSERT INTO failsafe_lease (token, holder, expires) VALUES (0, 'nobody', '-infinity');
";

/// Renews the lease and changes records, if the token is still the owner's: the row of the lease is
/// locked first, and everything else is joined to it.
const COMMIT: &str = "
    WITH fence AS (
        UPDATE failsafe_lease SET expires = clock_timestamp() + make_interval(secs => $1)
        WHERE token = $2 RETURNING token
    ), gone AS (
        DELETE FROM failsafe_records r
        USING fence, unnest($3::text[], $4::bytea[]) AS d (tbl, key)
        WHERE r.tbl = d.tbl AND r.key = d.key
    ), put AS (
        INSERT INTO failsafe_records (tbl, key, value)
        SELECT p.tbl, p.key, p.value
        FROM fence, unnest($5::text[], $6::bytea[], $7::bytea[]) AS p (tbl, key, value)
        ON CONFLICT (tbl, key) DO UPDATE SET value = EXCLUDED.value
    )
    SELECT token FROM fence";

const RENEW: &str = "
    UPDATE failsafe_lease SET expires = clock_timestamp() + make_interval(secs => $1)
    WHERE token = $2";

const TAKE: &str = "
    UPDATE failsafe_lease
    SET token = token + 1, holder = $2, expires = clock_timestamp() + make_interval(secs => $1)
    WHERE expires < clock_timestamp() RETURNING token";

const RELEASE: &str = "UPDATE failsafe_lease SET expires = '-infinity' WHERE token = $1";

impl Options {
    fn connect(&self) -> Result<Client, StoreError> {
        let shown = self.shown();
        let unreachable = |reason: String| StoreError::Unreachable { path: shown.clone(), reason };
        let Target { mut config, protection } = self.target().map_err(unreachable)?;
        if config.get_password().is_none() {
            if let Ok(password) = std::env::var(PASSWORD) {
                config.password(password);
            }
        }
        if config.get_application_name().is_none() {
            config.application_name("failsafe");
        }
        // A database that has gone without a word is noticed within a lease.
        config
            .connect_timeout(CONNECT)
            .tcp_user_timeout(self.lease())
            .keepalives_idle(self.lease());
        let connected = match protection.tls().map_err(unreachable)? {
            None => config.connect(NoTls),
            Some(tls) => config.connect(MakeRustlsConnect::new(tls)),
        };
        let mut client = connected.map_err(|e| match e.code() {
            Some(&SqlState::UNDEFINED_DATABASE) => StoreError::Missing { path: shown.clone() },
            _ => unreachable(explain(&e)),
        })?;
        // Weaker settings of the server would give away what was sent; stronger ones stay.
        let durable = "SELECT set_config('synchronous_commit', 'on', false) \
             WHERE current_setting('synchronous_commit') <> 'remote_apply'";
        client.batch_execute(durable).map_err(|e| unreachable(explain(&e)))?;
        Ok(client)
    }
}

/// The error with what the database says about it.
fn explain(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => said.message().to_string(),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

/// What the connection's thread is asked for.
enum Request {
    First(Table, Vec<Vec<u8>>, mpsc::Sender<Result<Option<Vec<u8>>, StoreError>>),
    Scan(Table, mpsc::Sender<Result<Vec<Record>, StoreError>>),
    Keys(Table, Vec<u8>, usize, mpsc::Sender<Result<Vec<Vec<u8>>, StoreError>>),
    Snapshot(mpsc::Sender<Result<Tables, StoreError>>),
    Commit(Batch, mpsc::Sender<Result<(), StoreError>>),
    Acquire(mpsc::Sender<Result<(), StoreError>>),
    Renew(mpsc::Sender<Result<(), StoreError>>),
}

/// A store in a database.
pub struct PostgresStore {
    shown: String,
    /// None once the store is being dropped.
    requests: Option<Mutex<mpsc::Sender<Request>>>,
    /// Until when the lease is ours for sure.
    ours_until: std::sync::Arc<Mutex<Option<Instant>>>,
    thread: Option<JoinHandle<()>>,
}

impl PostgresStore {
    /// Makes a new, empty store and owns it.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one, [`StoreError::Missing`] when there is no such
    /// database.
    pub fn create(options: &Options) -> Result<Self, StoreError> {
        let make = || {
            let made = options.connect()?.transaction().and_then(make_tables);
            made.map_err(|error| failed(&options.shown(), &error))
        };
        // The client library must not be used on a thread of the asynchronous runtime.
        let made = std::thread::scope(|scope| scope.spawn(make).join());
        let lost = |_| StoreError::Failed { path: options.shown(), reason: LOST.into() };
        if !made.map_err(lost)?? {
            return Err(StoreError::Exists { path: options.shown() });
        }
        Self::open(options)
    }

    /// Opens a store that is there, and owns it.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or [`StoreError::Locked`] while another process owns it.
    pub fn open(options: &Options) -> Result<Self, StoreError> {
        let store = Self::connect(options)?;
        store.acquire()?;
        Ok(store)
    }

    /// Opens a store that is there without owning it: it can be read, and [`Self::acquire`]d.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Unreachable`], [`StoreError::FromTheFuture`].
    pub fn connect(options: &Options) -> Result<Self, StoreError> {
        let (requests, waiting) = mpsc::channel();
        let (ready, started) = mpsc::channel();
        let ours_until = std::sync::Arc::new(Mutex::new(None));
        let (options, until) = (options.clone(), ours_until.clone());
        let shown = options.shown();
        // The client library must not be used on a thread of the asynchronous runtime.
        let thread = std::thread::Builder::new()
            .name("database".into())
            .spawn(move || match Connection::start(options, until) {
                Ok(connection) => {
                    // Who started us may be gone.
                    let _ = ready.send(Ok(()));
                    connection.run(&waiting);
                },
                Err(error) => {
                    let _ = ready.send(Err(error));
                },
            })
            .expect("the system can start a thread; qed");
        let lost = |_| StoreError::Failed { path: shown.clone(), reason: LOST.into() };
        started.recv().map_err(lost)??;
        let requests = Some(Mutex::new(requests));
        Ok(Self { shown, requests, ours_until, thread: Some(thread) })
    }

    /// Takes the lease if it is over.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process has it.
    pub fn acquire(&self) -> Result<(), StoreError> {
        self.ask(Request::Acquire)
    }

    fn ask<T>(
        &self,
        request: impl FnOnce(mpsc::Sender<Result<T, StoreError>>) -> Request,
    ) -> Result<T, StoreError> {
        let (reply, answer) = mpsc::channel();
        let lost = || StoreError::Failed { path: self.shown.clone(), reason: LOST.into() };
        let requests = self.requests.as_ref().ok_or_else(lost)?;
        let sent = requests.lock().unwrap_or_else(PoisonError::into_inner).send(request(reply));
        sent.map_err(|_| lost())?;
        answer.recv().map_err(|_| lost())?
    }
}

const LOST: &str = "the connection is lost; the process has to be started again";

impl Store for PostgresStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|reply| Request::First(table, vec![key.to_vec()], reply))
    }

    fn first(&self, table: Table, keys: &[Vec<u8>]) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|reply| Request::First(table, keys.to_vec(), reply))
    }

    fn scan(&self, table: Table) -> Result<Vec<Record>, StoreError> {
        self.ask(|reply| Request::Scan(table, reply))
    }

    fn keys(&self, table: Table, after: &[u8], most: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.ask(|reply| Request::Keys(table, after.to_vec(), most, reply))
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.ask(|reply| Request::Commit(batch.clone(), reply))
    }

    fn snapshot(&self) -> Result<Tables, StoreError> {
        self.ask(Request::Snapshot)
    }

    fn check(&self) -> Result<(), StoreError> {
        let until = *self.ours_until.lock().unwrap_or_else(PoisonError::into_inner);
        match until {
            Some(until) if Instant::now() < until => Ok(()),
            _ => self.ask(Request::Renew),
        }
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        // The thread gives the lease back and ends.
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It has panicked at worst.
            let _ = thread.join();
        }
    }
}

fn failed(shown: &str, error: &postgres::Error) -> StoreError {
    StoreError::Failed { path: shown.into(), reason: explain(error) }
}

/// Makes the tables; `false` if they are there already. Several processes may try at the same time.
fn make_tables(mut transaction: Transaction<'_>) -> Result<bool, postgres::Error> {
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION])?;
    if is_there(&mut transaction)? {
        return Ok(false);
    }
    transaction.batch_execute(TABLES)?;
    transaction.execute("INSERT INTO failsafe_layout VALUES ($1)", &[&LAYOUT])?;
    transaction.commit()?;
    Ok(true)
}

fn is_there(client: &mut impl postgres::GenericClient) -> Result<bool, postgres::Error> {
    let row = client.query_one("SELECT to_regclass('failsafe_records') IS NOT NULL", &[])?;
    row.try_get(0)
}

/// The thread's side.
struct Connection {
    options: Options,
    shown: String,
    client: Client,
    commit: Statement,
    /// Of our lease.
    token: Option<i64>,
    renewed: Instant,
    ours_until: std::sync::Arc<Mutex<Option<Instant>>>,
}

impl Connection {
    fn start(
        options: Options,
        ours_until: std::sync::Arc<Mutex<Option<Instant>>>,
    ) -> Result<Self, StoreError> {
        let shown = options.shown();
        let mut client = options.connect()?;
        let failed = |e: postgres::Error| failed(&shown, &e);
        if !is_there(&mut client).map_err(failed)? {
            return Err(StoreError::Missing { path: shown });
        }
        let row = client.query_opt("SELECT max(version) FROM failsafe_layout", &[]);
        let layout: Option<i32> = match row.map_err(failed)? {
            Some(row) => row.try_get(0).map_err(failed)?,
            None => None,
        };
        match layout {
            Some(LAYOUT) => {},
            Some(found) if found > LAYOUT => {
                return Err(StoreError::FromTheFuture { found: found.unsigned_abs() });
            },
            _ => {
                let reason = "its tables have no known layout".to_string();
                return Err(StoreError::Damaged { table: "failsafe_layout", reason });
            },
        }
        let row = client.query_one("SHOW fsync", &[]).map_err(failed)?;
        if row.try_get::<_, String>(0).map_err(failed)? != "on" {
            warn!("the database runs with fsync off: a crash of its machine loses money");
        }
        let commit = client.prepare(COMMIT).map_err(failed)?;
        let renewed = Instant::now();
        Ok(Self { options, shown, client, commit, token: None, renewed, ours_until })
    }

    fn run(mut self, requests: &mpsc::Receiver<Request>) {
        let pause = self.options.lease() / RENEWALS;
        loop {
            let wait = pause.saturating_sub(self.renewed.elapsed());
            let request = match self.token {
                // Between requests the lease is renewed.
                Some(_) => requests.recv_timeout(wait),
                None => requests.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            };
            match request {
                Ok(request) => {
                    self.serve(request);
                    if self.client.is_closed() {
                        break;
                    }
                },
                Err(mpsc::RecvTimeoutError::Timeout) => {},
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    self.release();
                    return;
                },
            }
            if self.token.is_some() && self.renewed.elapsed() >= pause {
                if let Err(error) = self.renew() {
                    warn!(%error, "the lease of the store cannot be renewed");
                    break;
                }
            }
        }
        // Whoever asks from now on learns that the store is lost.
        self.set_until(None);
    }

    fn serve(&mut self, request: Request) {
        // Who asked waits for the answer; if it is gone, nobody needs it.
        match request {
            Request::First(table, keys, reply) => {
                let _ = reply.send(self.first(table, &keys));
            },
            Request::Scan(table, reply) => {
                let _ = reply.send(self.scan(table));
            },
            Request::Keys(table, after, most, reply) => {
                let _ = reply.send(self.keys(table, &after, most));
            },
            Request::Snapshot(reply) => {
                let _ = reply.send(self.snapshot());
            },
            Request::Commit(batch, reply) => {
                let _ = reply.send(self.commit(&batch));
            },
            Request::Acquire(reply) => {
                let _ = reply.send(self.acquire());
            },
            Request::Renew(reply) => {
                let _ = reply.send(self.renew());
            },
        }
    }

    fn failed(&self, error: &postgres::Error) -> StoreError {
        failed(&self.shown, error)
    }

    fn set_until(&self, until: Option<Instant>) {
        *self.ours_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// The lease was taken or renewed by something that was asked for at `asked`.
    fn note_lease(&mut self, asked: Instant) {
        self.renewed = asked;
        self.set_until(asked.checked_add(self.options.lease()));
    }

    fn holder(&mut self) -> String {
        let row = self.client.query_one("SELECT holder FROM failsafe_lease", &[]);
        row.and_then(|row| row.try_get(0)).unwrap_or_else(|e| explain(&e))
    }

    fn fenced(&mut self) -> StoreError {
        self.token = None;
        self.set_until(None);
        StoreError::Fenced { path: self.shown.clone(), holder: self.holder() }
    }

    fn owned(&self) -> Result<i64, StoreError> {
        let reason = "it was opened to look at, or is lost".to_string();
        self.token.ok_or_else(|| StoreError::Failed { path: self.shown.clone(), reason })
    }

    fn acquire(&mut self) -> Result<(), StoreError> {
        let asked = Instant::now();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let me = format!("process {} on {}", std::process::id(), host.trim());
        let taken = self.client.query_opt(TAKE, &[&self.options.seconds(), &me]);
        match taken.map_err(|e| self.failed(&e))? {
            Some(row) => {
                let token: i64 = row.try_get(0).map_err(|e| self.failed(&e))?;
                info!(store = self.shown, token, "the store is ours");
                self.token = Some(token);
                self.note_lease(asked);
                Ok(())
            },
            None => Err(StoreError::Locked { path: self.shown.clone() }),
        }
    }

    fn renew(&mut self) -> Result<(), StoreError> {
        let token = self.owned()?;
        let asked = Instant::now();
        let renewed = self.client.execute(RENEW, &[&self.options.seconds(), &token]);
        if renewed.map_err(|e| self.failed(&e))? == 0 {
            return Err(self.fenced());
        }
        self.note_lease(asked);
        Ok(())
    }

    fn release(&mut self) {
        let Some(token) = self.token.take() else { return };
        if let Err(error) = self.client.execute(RELEASE, &[&token]) {
            warn!(error = explain(&error), "the lease ends by itself");
        }
    }

    fn first(&mut self, table: Table, keys: &[Vec<u8>]) -> Result<Option<Vec<u8>>, StoreError> {
        let query = "SELECT value FROM failsafe_records JOIN unnest($2::bytea[]) WITH ORDINALITY AS k (key, n) \
                     USING (key) WHERE tbl = $1 ORDER BY n LIMIT 1";
        let row = self.client.query_opt(query, &[&table.name(), &keys]);
        let value = row.and_then(|row| row.map(|row| row.try_get(0)).transpose());
        value.map_err(|e| self.failed(&e))
    }

    fn scan(&mut self, table: Table) -> Result<Vec<Record>, StoreError> {
        scan(&mut self.client, table).map_err(|e| failed(&self.shown, &e))
    }

    fn keys(
        &mut self,
        table: Table,
        after: &[u8],
        most: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let query =
            "SELECT key FROM failsafe_records WHERE tbl = $1 AND key > $2 ORDER BY key LIMIT $3";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = self.client.query(query, &[&table.name(), &after, &most]);
        let rows = rows.map_err(|e| self.failed(&e))?;
        let keys = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>();
        keys.map_err(|e| self.failed(&e))
    }

    fn snapshot(&mut self) -> Result<Tables, StoreError> {
        let all = |client: &mut Client| {
            let builder = client.build_transaction();
            let builder = builder.isolation_level(IsolationLevel::RepeatableRead).read_only(true);
            let mut transaction = builder.start()?;
            let mut tables = vec![];
            for table in Table::ALL {
                tables.push((table, scan(&mut transaction, table)?));
            }
            transaction.commit()?;
            Ok(tables)
        };
        all(&mut self.client).map_err(|e| failed(&self.shown, &e))
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let token = self.owned()?;
        let mut last: BTreeMap<(Table, &[u8]), Option<&[u8]>> = BTreeMap::new();
        for change in &batch.changes {
            match change {
                Change::Put(table, key, value) => last.insert((*table, key), Some(value)),
                Change::Delete(table, key) => last.insert((*table, key), None),
            };
        }
        let (mut gone, mut put) = ((vec![], vec![]), (vec![], vec![], vec![]));
        for ((table, key), value) in last {
            match value {
                Some(value) => {
                    put.0.push(table.name());
                    put.1.push(key);
                    put.2.push(value);
                },
                None => {
                    gone.0.push(table.name());
                    gone.1.push(key);
                },
            }
        }
        let asked = Instant::now();
        let done = self.client.query_opt(
            &self.commit,
            &[&self.options.seconds(), &token, &gone.0, &gone.1, &put.0, &put.1, &put.2],
        );
        if done.map_err(|e| self.failed(&e))?.is_none() {
            return Err(self.fenced());
        }
        self.note_lease(asked);
        Ok(())
    }
}

fn scan(
    client: &mut impl postgres::GenericClient,
    table: Table,
) -> Result<Vec<Record>, postgres::Error> {
    let query = "SELECT key, value FROM failsafe_records WHERE tbl = $1 ORDER BY key";
    let rows = client.query(query, &[&table.name()])?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
