//! The rules that both sides of the wall share.
//!
//! What the chain judges and what hub and wallet sign is decided by the functions of this crate,
//! so that nobody can hold a state off chain that the chain would not enforce. The crate is
//! `no_std`, does no I/O and knows neither FRAME nor a network. The rules are those of
//! `docs/protocol.md`; each item names its section.
//!
//! | module | what it decides |
//! |---|---|
//! | [`ids`] | accounts, assets, the two [`Side`]s of a [`Pair`], usable blocks |
//! | [`arithmetic`] | [`split`], deposit, withdrawal, delta, sending capacity, limits |
//! | [`simplex`] | what one side has paid: [`Simplex`], locks and their bounds |
//! | [`payload`] | the signed messages and their 32 bytes |
//! | [`signature`] | direct and in-batch (Merkle) signatures |
//! | [`evidence`] | what a dispute accepts, deadlines, late claims |
//! | [`debt`] | how much of a debt can be collected now |
//! | [`fees`] | what a hub asks for forwarding |
//! | [`rate`] | at what rate a hub changes money |
//! | [`exchange`] | prices of the order book, and what two orders trade |
//! | [`parameters`] | the amendable numbers and the relations they must keep |
//! | [`view`] | answers of the runtime API |

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "derive macros cast the indices of variants; this crate casts nothing itself"
)]

extern crate alloc;

pub mod arithmetic;
pub mod debt;
pub mod evidence;
pub mod exchange;
pub mod fees;
pub mod ids;
pub mod parameters;
pub mod payload;
pub mod rate;
pub mod signature;
pub mod simplex;
pub mod view;

pub use arithmetic::{
    capacity, delta, own, split, Collateral, LimitError, Split, WithdrawError, WithdrawSources,
    LIMIT,
};
pub use evidence::{
    presented_digest, Claim, Evidence, EvidenceError, OwnSimplex, SignedSimplex, TwiceSigned,
};
pub use ids::{
    AccountId, AssetId, Balance, BlockNumber, Clock, Epoch, Nonce, Pair, PairError, Side,
    NATIVE_ASSET,
};
pub use parameters::{Parameters, ParametersError};
pub use payload::{ChannelContext, Close, Withdrawal, WithdrawalItem};
pub use rate::Rate;
pub use signature::{MerkleTree, Signature};
pub use simplex::{Entry, Lock, Simplex, SimplexError};
