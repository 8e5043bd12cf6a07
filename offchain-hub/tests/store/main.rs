//! Everything that a store promises, for every kind of store, and backups of them.
//!
//! Those in PostgreSQL start a server of their own; where it is not installed they say that they were
//! skipped.

mod backups;
mod common;
mod cores;
mod encryption;
mod lease;
#[path = "../../../tests/src/harness/ports.rs"]
mod ports;
#[path = "../../../tests/src/harness/postgres.rs"]
mod postgres;
mod promises;
mod shares;
