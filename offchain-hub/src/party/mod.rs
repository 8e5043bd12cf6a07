//! A party of the network: one account with its channels, as hub or as user.
//!
//! [`core`] is the party's mind: it takes inputs one by one and says what is to be stored and what is
//! to be done, without any I/O, so that a simulation can run it. [`runtime`] is its body: sockets,
//! disk, chain, timers.
//!
//! | module | what is in it |
//! |---|---|
//! | [`core`] | inputs, outputs, and how channels, chain and commands meet |
//! | [`forward`] | a hub's forwarding of payments |
//! | [`payments`] | records of payments |
//! | [`policy`] | in what hub and user differ |
//! | [`insurer`] | a hub's rebalancing, step by step |
//! | [`runtime`] | runs a core on real sockets, disk and chain |
//! | [`session`] | one peer's connection |

pub mod core;
pub mod forward;
pub mod insurer;
pub mod payments;
pub mod policy;
pub mod runtime;
pub mod session;

pub use self::core::{Command, CommandError, Core};
pub use payments::{PaymentRecord, PaymentState};
pub use policy::{Policy, Role};
pub use runtime::{Listen, Party, PartyConfig, PartyError, Peer};
