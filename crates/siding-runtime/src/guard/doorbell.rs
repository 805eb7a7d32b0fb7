//! Wakes the monitor when the first thread becomes busy.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, Thread};

use super::sync::{AtomicBool, Ordering};

/// The monitor's bed and the bell beside it. See `slot` for the protocol.
#[derive(Debug, Default)]
pub(crate) struct Doorbell {
    asleep: AtomicBool,
    sleeper: Mutex<Option<Thread>>,
}

impl Doorbell {
    /// Called by a thread that has just stored its busy word. Costs one load while the monitor is awake.
    pub(super) fn ring_if_asleep(&self) {
        // SeqCst: after the caller's store of its slot word, see `slot`.
        if self.asleep.load(Ordering::SeqCst) {
            self.ring();
        }
    }

    /// Wakes the monitor whether anybody is busy or not.
    #[cold]
    pub(crate) fn ring(&self) {
        self.asleep.store(false, Ordering::SeqCst);
        let sleeper = self.sleeper.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = sleeper.as_ref() {
            thread.unpark();
        }
    }

    /// Sleeps until the bell rings, unless `busy` says, after everybody can see that the monitor is about to sleep,
    /// that somebody is busy already. Only the monitor calls this.
    pub(crate) fn sleep_unless(&self, busy: impl FnOnce() -> bool) {
        *self.sleeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        // SeqCst: before `busy` reads the slots, see `slot`.
        self.asleep.store(true, Ordering::SeqCst);
        if busy() {
            self.asleep.store(false, Ordering::SeqCst);
            return;
        }
        while self.asleep.load(Ordering::SeqCst) {
            thread::park();
        }
    }
}
