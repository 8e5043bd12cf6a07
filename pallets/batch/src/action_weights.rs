//! What the actions of a batch weigh together, which may be less than each alone: they touch the
//! same accounts.

use frame_support::{dispatch::GetDispatchInfo, weights::Weight};

/// Weighs the actions of a batch in their order, beginning with none.
pub trait ActionWeights<Call>: Default {
    /// What `action` weighs after those before it. Never more than alone.
    fn next(&mut self, action: &Call) -> Weight;
}

/// Each action weighs what it weighs alone.
impl<Call: GetDispatchInfo> ActionWeights<Call> for () {
    fn next(&mut self, action: &Call) -> Weight {
        action.get_dispatch_info().call_weight
    }
}
