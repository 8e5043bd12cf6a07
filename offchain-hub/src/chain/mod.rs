//! The chain as hub and wallet need it: what they read, what they submit, and what happens there.
//! No type of the client library leaks out of this folder.
//!
//! * [`client`]: one connection; reads through the runtime API, never through storage layouts.
//! * [`calls`]: every call that we submit, as data.
//! * [`governance`]: validators, proposals, amendments; `explain`: what metadata says of bytes.
//! * [`follow`]: best and finalized blocks and the pairs that they touch, in order.
//! * [`submit`]: signs, persists, submits and watches until final; owns the account's nonces.

pub mod calls;
pub mod client;
mod explain;
pub mod follow;
pub mod governance;
pub mod submit;

pub use calls::Call;
pub use client::{ChainClient, ChainError, ChainInfo, ChainKind};
pub use explain::{hex_text, unquoted, KnownCall, KnownEvent};
pub use follow::{first_block, forward_news, ChainNews, Followed, Follower, Track};
pub use submit::{Intent, Outcome, Submitter};
