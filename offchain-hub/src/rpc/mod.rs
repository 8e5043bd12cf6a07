//! JSON-RPC of a running party, for hub and wallet alike.
//!
//! * [`api`]: the methods and what they answer.
//! * [`service`]: carries them out on a [`Party`](crate::party::Party).
//! * [`operator_api`], [`operator`]: the same for the operator of a hub.
//! * [`governance_api`], `governance`: validators, proposals, amendments.
//! * [`events`]: what a party tells by itself, over WebSocket.
//! * [`methods`]: the table of all of them, and the OpenRPC document.
//! * [`guard`]: who may ask what, and how often.
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
pub mod events;
mod governance;
pub mod governance_api;
pub mod guard;
mod locked;
pub mod methods;
pub mod names;
pub mod operator;
pub mod operator_api;
mod orders;
mod recurring;
pub mod server;
pub mod service;

pub use api::{FailsafeRpcClient, FailsafeRpcServer};
pub use events::{EventsRpcClient, EventsRpcServer};
pub use governance_api::{GovernanceRpcClient, GovernanceRpcServer};
pub use operator::Operator;
pub use operator_api::{OperatorRpcClient, OperatorRpcServer};
pub use server::{serve, Running};
pub use service::{Service, ServiceConfig};
