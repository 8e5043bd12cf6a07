//! The clock of the benchmarks: the processor time of the thread that runs them, so that it stands
//! still while other programs have the processor.

#![allow(unexpected_cfgs, reason = "the macro asks whether this is a runtime")]

use rustix::time::{clock_gettime, ClockId};
use sp_runtime_interface::{pass_by::AllocateAndReturnPointer, runtime_interface};

/// Takes the place of the function of the same name that asks for the time of day.
#[runtime_interface]
pub trait Benchmarking {
    /// Nanoseconds, as a little-endian `u128`.
    fn current_time() -> AllocateAndReturnPointer<[u8; 16], 16> {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let seconds = u128::try_from(time.tv_sec).unwrap_or_default();
        let nanoseconds = u128::try_from(time.tv_nsec).unwrap_or_default();
        (seconds * 1_000_000_000 + nanoseconds).to_le_bytes()
    }
}
