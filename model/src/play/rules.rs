//! What can be switched off, and the numbers.

use crate::chain::Clock;
use std::fmt::Write;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The rules of honest clients. All are on; a game with one of them off shows what it is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Rules {
            $($(#[doc = $doc])+ pub $name: bool,)+
        }

        impl Default for Rules {
            fn default() -> Self {
                Self { $($name: true,)+ }
            }
        }

        impl Rules {
            /// Name and meaning of every rule.
            pub const ALL: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), concat!($($doc),+)),)+];

            /// Switches one rule off. False when there is no such rule.
            pub fn switch_off(&mut self, name: &str) -> bool {
                match name {
                    $(stringify!($name) => self.$name = false,)+
                    _ => return false,
                }
                true
            }
        }
    };
}

rules! {
    /// No updates, acks or proofs after a dispute or close was seen or signed (M1).
    freeze,
    /// Disputes and secrets are watched on best blocks, not on finalized ones (M1).
    best_watch,
    /// A mediator settles on an off-chain secret only while it can still reveal it upstream (M5).
    cutoff,
    /// After that, only a *finalized* reveal makes a mediator settle, not one of a best block.
    final_reveal,
    /// Secrets are revealed ACT before the expiry; off: at the last moment (M5).
    act_margin,
    /// `as_of` never decreases (M7).
    as_of_monotone,
    /// Late claims are kept and submitted (A11).
    late_claims,
    /// What can still be claimed late counts as a debt of the partner when credit is given.
    late_owed,
    /// Open debts of the partner count against its credit (M4).
    debts_owed,
    /// A sighting that a reorganisation removed is lifted only when finality has passed it.
    thaw_final,
    /// Calls that did not get in are sent again.
    resend_calls,
    /// A cancelled lock is dead only when acked.
    cancel_acked,
    /// An expired lock is dead without ack (M20).
    expired_dead,
    /// An update is judged by the terms it was made under (M8).
    terms_version,
    /// A reservation is released only by a refusal, its end or its use (M9).
    refusals,
    /// Proofs are signed for own money only, never for credit (M10).
    own_money,
    /// A reveal travels alone, not in one batch with a dispute (M6).
    reveal_alone,
    /// A reconnect repeats Fulfill, Fail, Refused and proofs (M19).
    repeat_decisions,
    /// Refuses to answer a dispute with what would take money from oneself (A10).
    counter_gains,
    /// After a dispute the payer hands over the updates that were not acked.
    hand_over,
    /// A starter posts its newest own simplex, acked or not (A10); off: the newest acked one.
    post_unacked,
    /// A party without a fresh best block neither forwards nor fulfils (A13).
    fresh_best,
    /// Deposits name the epoch (M21).
    bind_epoch,
}

macro_rules! numbers {
    ($($(#[doc = $doc:literal])+ $name:ident: $default:literal,)+) => {
        /// Numbers of the protocol and of the world that it meets.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Numbers {
            $($(#[doc = $doc])+ pub $name: Clock,)+
        }

        impl Default for Numbers {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Numbers {
            /// Name, default and meaning of every number.
            pub const ALL: &'static [(&'static str, Clock, &'static str)] =
                &[$((stringify!($name), $default, concat!($($doc),+)),)+];

            /// Sets one number. False when there is no such number.
            pub fn set(&mut self, name: &str, value: Clock) -> bool {
                match name {
                    $(stringify!($name) => self.$name = value,)+
                    _ => return false,
                }
                true
            }
        }
    };
}

numbers! {
    /// Time to answer for a hub; at least view + reorg + inclusion + reinclusion + 1.
    delay_hub: 9,
    /// Time to answer for a user; the same.
    delay_user: 9,
    /// Longest life of a lock.
    window: 20,
    /// How much earlier the onward lock expires.
    margin: 0,
    /// How long before the expiry an enforcement begins.
    act: 5,
    /// A recipient gives out a secret only with so much time left.
    final_min: 7,
    /// Blocks until a received update is acked.
    ack_delay: 1,
    /// Time for late claims.
    late: 200,
    /// How long a secret is kept.
    keep: 100,
    /// Most blocks until a call is in one (n).
    inclusion: 2,
    /// Most blocks that a node misses between two looks (v).
    view: 1,
    /// Most blocks that finality lags.
    finality: 3,
    /// Deepest reorganisation, never below finality; 0: none.
    reorg: 3,
    /// Most blocks that a call loses to reorganisations (r).
    reinclusion: 2,
    /// Full blocks, of 1,000.
    full: 80,
    /// Reorganisations, of 1,000 blocks.
    reorgs: 120,
    /// 1: the dropped calls are in no block of the new fork, only after it.
    hostile_fork: 0,
    /// 1: a call that is dropped again loses as many blocks again.
    repeated_loss: 0,
    /// 0: nobody pays a neighbour for itself, only through the row.
    direct: 1,
    /// How often a user goes away for longer than it has to answer, of 1,000 blocks.
    absences: 3,
    /// Blocks of the busy phase.
    blocks: 70,
    /// A10: 0 the first literal text; 1 a stored simplex that gives as much stays; 2 and what was
    /// brought in vain raises the floor.
    a10: 2,
    /// 1: an un-acked own simplex in an answer counts as its acked part; 0: it is an error.
    unacked_as_acked: 1,
}

/// One line per rule and number, for the help text.
pub fn describe() -> String {
    let mut text = String::from("rules (switch off with -NAME):\n");
    for (name, meaning) in Rules::ALL {
        let _ = writeln!(text, "  {name:<17}{}", meaning.trim());
    }
    text.push_str("numbers (set with NAME=N):\n");
    for (name, default, meaning) in Numbers::ALL {
        let _ = writeln!(text, "  {:<17}{}", format!("{name}={default}"), meaning.trim());
    }
    text
}
