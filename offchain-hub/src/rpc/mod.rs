//! JSON-RPC of a running party, for hub and wallet alike.
//!
//! * [`api`]: the methods and what they answer.
//! * [`service`]: carries them out on a [`Party`](crate::party::Party).
//! * [`names`]: assets, hubs and addresses as people write them.
//! * [`server`]: listens on this machine, for who knows the token.
//! * [`client`]: finds a running party and talks to it.
//!
//! All amounts are decimal strings: going out in the asset's smallest unit, coming in as people
//! write them ("12.5").

pub mod api;
mod attempts;
mod books;
pub mod client;
mod locked;
pub mod names;
mod recurring;
pub mod server;
pub mod service;

pub use api::{FailsafeRpcClient, FailsafeRpcServer};
pub use server::{serve, Running};
pub use service::{Service, ServiceConfig};
