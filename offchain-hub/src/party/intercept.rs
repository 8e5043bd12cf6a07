//! A place between a party's mind and the world, for programs that are to fail on purpose.
//!
//! Tests run the very same party with faults: one that withholds what it owes its partners, loses
//! messages, or ends at the worst moment. The programs `failsafe-hub` and `failsafe` set no
//! interceptor, and have no option that would.

use super::core::Action;
use crate::store::Batch;

/// Sees each commit of a party, and all that it is about to do. Called on the party's own thread.
///
/// It does not see calls that a party takes up again from its store when it starts, nor what the
/// submitter of calls writes about their signatures.
pub trait Interceptor: Send {
    /// `batch` is about to be made durable. May end the process.
    fn before_commit(&mut self, batch: &Batch) {
        let _ = batch;
    }

    /// The batch is durable, and nothing that follows from it has been done. May end the process.
    fn after_commit(&mut self) {}

    /// What the party is about to do, in order. What is returned is done, in the order returned: so
    /// actions can be dropped, changed, added, and kept for later, since this is called every few
    /// milliseconds, also with nothing to do.
    fn actions(&mut self, actions: Vec<Action>) -> Vec<Action> {
        actions
    }
}
