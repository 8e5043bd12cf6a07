//! A party of the network: one account with its channels, as hub or as user.
//!
//! [`core`] is the party's mind: it takes inputs one by one and says what is to be stored and what is
//! to be done, without any I/O, so that a simulation can run it. [`runtime`] is its body: sockets,
//! disk, chain, timers.
//!
//! | module | what is in it |
//! |---|---|
//! | [`command`] | what somebody may want, and what comes of it |
//! | [`core`] | inputs and outputs; what a party remembers |
//! | `entries` | channels, awake and asleep |
//! | `channels` | peers, their channels, and what the chain says about them |
//! | `commands` | carrying commands out |
//! | [`orders`] | payments that are made again and again |
//! | `consent` | insurance that users pay for beforehand |
//! | `sealing` | signing and checking many at once |
//! | `payments` | making and receiving payments |
//! | `receipts` | telling payers what has arrived |
//! | `forward` | a hub's forwarding of trusted payments |
//! | [`locks`] | payments with hash locks: made, taken, forwarded, enforced |
//! | [`processes`] | the other processes of the same hub |
//! | `gossip` | what hubs announce to each other |
//! | `insurer` | a hub's rebalancing, step by step |
//! | [`records`] | records of payments |
//! | `history` | how they are stored: in memory, too, or only on disk |
//! | `recent` | how channels are stored |
//! | `outbox` | how updates are stored that were not acknowledged |
//! | `pace` | how much time what can wait is given |
//! | `pages` | how what changes with nearly every commit is stored |
//! | [`policy`] | in what hub and user differ |
//! | [`intercept`] | parties that fail on purpose, in tests |
//! | [`mode`] | what a hub takes at the moment |
//! | [`risk`], [`vitals`] | what is owed over all channels; what an operator watches |
//! | `connections` | sessions that come in, and those that are made and kept |
//! | [`runtime`] | runs a core on real sockets, disk and chain |
//! | `restored` | what a backup did not have |
//! | `session` | one peer's connection |

mod channels;
pub mod command;
mod commands;
mod connections;
mod consent;
pub mod core;
mod entries;
mod following;
mod forward;
mod gossip;
mod history;
mod insurer;
pub mod intercept;
pub mod locks;
pub mod mode;
mod names;
pub mod orders;
pub(crate) mod outbox;
mod pace;
mod pages;
mod payments;
pub mod policy;
pub mod processes;
mod quota;
mod receipts;
pub(crate) mod recent;
pub mod records;
mod restored;
pub mod risk;
pub mod runtime;
mod sealing;
mod session;
pub mod vitals;

pub use self::core::Core;
pub use command::{Answer, ChannelReport, Command, CommandError, Standing, Survey};
pub use intercept::Interceptor;
pub use mode::Mode;
pub use policy::{Policy, Role, Signing};
pub use processes::ProcessPlan;
pub use recent::{changed_channels, stored_channels, StoredChannel};
pub use records::{Direction, Failure, Failures, PaymentRecord, PaymentState};
pub use risk::Exposure;
pub use runtime::{Listen, Party, PartyConfig, PartyError, Peer};
pub use vitals::{AssetVitals, Vitals};
