//! Wakes the monitor when the first thread becomes busy.

use std::sync::PoisonError;
use std::time::Duration;

use super::sync::{AtomicBool, Condvar, Mutex, MutexGuard, Ordering, fence};

/// The monitor's bed and the bell beside it. See [`slot`](super::slot) for the protocol.
#[derive(Debug)]
pub(crate) struct Doorbell {
    asleep: AtomicBool,
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Doorbell {
    pub(super) fn new() -> Self {
        Self {
            asleep: AtomicBool::new(false),
            rung: Mutex::new(false),
            bell: Condvar::new(),
        }
    }

    /// Called by a thread that has just stored its busy word. Costs a fence and a load while the monitor is awake.
    pub(super) fn ring_if_asleep(&self) {
        // Between the caller's store of its slot word and this load: pairs with the fence in `sleep_unless`.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) {
            self.ring();
        }
    }

    /// Wakes the monitor whether anybody is busy or not; one that only dozes wakes early.
    #[cold]
    pub(crate) fn ring(&self) {
        // Relaxed: only spares further callers the bell. The monitor goes by `rung`.
        self.asleep.store(false, Ordering::Relaxed);
        *self.rung() = true;
        self.bell.notify_one();
    }

    /// Sleeps until the bell rings, unless `busy` says, after everybody can see that the monitor is about to sleep,
    /// that somebody is busy already. Only the monitor calls this.
    pub(super) fn sleep_unless(&self, busy: impl FnOnce() -> bool) {
        self.asleep.store(true, Ordering::Relaxed);
        // Between the store and `busy`'s loads of the slots: pairs with the fence in `ring_if_asleep`.
        fence(Ordering::SeqCst);
        if !busy() {
            let mut rung = self.rung();
            while !*rung {
                rung = self.bell.wait(rung).unwrap_or_else(PoisonError::into_inner);
            }
            *rung = false;
        }
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// Sleeps for `duration`, or until the bell rings. Only the monitor calls this.
    pub(super) fn doze(&self, duration: Duration) {
        let mut rung = self.rung();
        if !*rung {
            rung = self
                .bell
                .wait_timeout(rung, duration)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        *rung = false;
    }

    fn rung(&self) -> MutexGuard<'_, bool> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Run with `RUSTFLAGS="--cfg siding_model" cargo test --lib model`.
#[cfg(all(test, siding_model))]
mod model {
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A worker becomes busy while the monitor goes to sleep: in every order the monitor learns of it, or the model
    /// reports a thread that is parked for ever.
    #[test]
    fn a_poll_that_begins_as_the_monitor_falls_asleep_is_seen() {
        loom::model(|| {
            let shared = Arc::new((AtomicU64::new(0), Doorbell::new()));
            let worker = Arc::clone(&shared);
            let worker = loom::thread::spawn(move || {
                let (slot, doorbell) = &*worker;
                slot.store(1, Ordering::Relaxed);
                doorbell.ring_if_asleep();
            });
            let (slot, doorbell) = &*shared;
            doorbell.sleep_unless(|| slot.load(Ordering::Relaxed) != 0);
            assert_eq!(slot.load(Ordering::Relaxed), 1);
            worker.join().unwrap();
        });
    }
}
