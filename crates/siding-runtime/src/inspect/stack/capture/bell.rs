//! [`Bell`]: tells a waiting owner that the handler has come and gone.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::thread::{Timespec, futex};

/// A counter that can be waited on. [`ring`](Self::ring) is one atomic operation and one system call, neither of
/// which a signal handler is forbidden; a condition variable is.
///
/// To miss no ring: [`count`](Self::count) first, then look whether there is anything to wait for, and then
/// [`wait`](Self::wait) with that count.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rings: AtomicU32,
}

impl Bell {
    pub(super) fn count(&self) -> u32 {
        // Acquire pairs with the Release in `ring`: who sees the ring sees what it was rung for.
        self.rings.load(Ordering::Acquire)
    }

    /// Wakes the owner. May set `errno`.
    pub(super) fn ring(&self) {
        self.rings.fetch_add(1, Ordering::Release);
        // It fails for bad arguments only.
        let _ = futex::wake(&self.rings, futex::Flags::PRIVATE, 1);
    }

    /// Waits until the bell has rung more than `count` times, at most `limit`, or less for no reason.
    pub(super) fn wait(&self, count: u32, limit: Duration) {
        let limit = Timespec {
            tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        // An error means that it has rung, was interrupted or ran out of time: the caller looks again in any case.
        let _ = futex::wait(&self.rings, futex::Flags::PRIVATE, count, Some(&limit));
    }
}
