//! Parties that play against each other on the reference chain: honest clients after
//! `protocol.md` §4 to §8, and one or two dishonest ones among them.
//!
//! A game is a function of its seed. [`play`] runs one, [`campaign`] many; [`Rules`] can be
//! switched off one by one, which is the proof that a game can be lost.

mod campaign;
mod env;
mod evil;
mod game;
mod half;
mod handover;
mod party;
mod pay;
mod receive;
mod rng;
mod rules;
mod tick;
mod wire;

pub use campaign::{campaign, Summary};
pub use game::{cast_of, play, Game, Violation, CASTS};
pub use rules::{describe, Numbers, Rules};
