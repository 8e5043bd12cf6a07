//! What the fuzz targets share: a chain in memory, a cast of accounts that can sign, and a builder
//! that turns bytes into plausible and less plausible operations.
//!
//! | module | what is in it |
//! |---|---|
//! | [`bytes`] | the input, read from the front; what is missing reads as 0 |
//! | [`cast`] | the accounts and their keys |
//! | [`chain`] | genesis, blocks, transactions |
//! | [`extrinsics`] | what travels in blocks |
//! | [`laws`] | what must hold after each transaction, block and input |
//! | [`player`] | an input played on a chain |
//! | [`channels`], [`money`], [`values`] | calls made from bytes |

pub mod bytes;
pub mod cast;
pub mod chain;
pub mod channels;
pub mod extrinsics;
pub mod laws;
pub mod money;
pub mod player;
pub mod values;
