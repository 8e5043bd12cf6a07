//! What monitoring sees: numbers for Prometheus, served over HTTP.
//!
//! * [`counters`]: what is counted while it happens.
//! * [`gauges`]: how things stand, asked for when somebody looks.
//! * [`server`]: answers `GET /metrics`.
//!
//! Amounts are in whole units of the asset and in floating point, because that is all that Prometheus
//! knows: they are for looking at, nothing is decided by them.

pub mod counters;
pub mod gauges;
pub mod server;

pub use counters::{Counters, Kind, PaymentEvent};
pub use server::{serve, MetricsError, MetricsServer};
