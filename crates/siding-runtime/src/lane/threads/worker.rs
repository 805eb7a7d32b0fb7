//! One thread of the pool, as the others see it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::inspect::Tid;

/// What the pool knows of one of its threads.
#[derive(Debug, Default)]
pub(super) struct Worker {
    thread: OnceLock<Thread>,
    /// The kernel's id of the thread; zero where threads have none.
    tid: AtomicU32,
    woken: AtomicBool,
    /// Counts the beginnings and the ends of its jobs: odd while it runs one.
    turns: AtomicU64,
}

/// Tells one job of one thread from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RunningJob {
    /// The kernel's id of the thread.
    pub(super) tid: Tid,
    turn: u64,
}

/// Two are the same only if they are the same thread.
#[derive(Clone, Debug)]
pub(super) struct Sleeper(pub(super) Arc<Worker>);

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Worker {
    /// The thread itself calls this before anything else.
    pub(super) fn begin(&self) {
        self.thread.get_or_init(thread::current);
        // Relaxed: only the keeper reads it, and one that reads zero learns nothing about the thread.
        self.tid.store(Tid::current().as_raw(), Ordering::Relaxed);
    }

    /// The job that the thread runs now, if any.
    pub(super) fn job(&self) -> Option<RunningJob> {
        // Relaxed: a sample, to be compared with a later one of the same thread.
        let turn = self.turns.load(Ordering::Relaxed);
        let tid = Tid::from_raw(self.tid.load(Ordering::Relaxed));
        (turn % 2 == 1).then_some(RunningJob { tid, turn })
    }

    /// A job begins or ends. Only the thread itself calls this.
    pub(super) fn turn(&self) {
        // Relaxed: one writer; see `job`.
        self.turns
            .store(self.turns.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Ends the thread's sleep, now or as soon as it falls asleep.
    pub(super) fn wake(&self) {
        // Release: pairs with the swap in `sleep`; what the waker did under the pool's lock is seen there anyway.
        self.woken.store(true, Ordering::Release);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Sleeps until [`wake`](Self::wake); `false` when `patience` ended first. Jobs may use `park` and `unpark` on their
    /// own account, hence the flag.
    pub(super) fn sleep(&self, patience: Option<Duration>) -> bool {
        let until = patience.map(|patience| Instant::now() + patience);
        loop {
            // Acquire: pairs with the store in `wake`.
            if self.woken.swap(false, Ordering::Acquire) {
                return true;
            }
            match until {
                None => thread::park(),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return false;
                    }
                    thread::park_timeout(left);
                }
            }
        }
    }
}
