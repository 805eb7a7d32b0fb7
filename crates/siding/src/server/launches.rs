//! What begins once a response has been sent, while the socket has not taken all of that.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::background::Launch;

/// What begins once the responses of one connection have been sent: it does when it is dropped.
///
/// hyper drops a body when it has the last of it in its own buffer; the socket may take that much later.
#[derive(Debug, Default)]
pub(super) struct Launches {
    /// Whether there are any, so that a flush takes no lock. Relaxed: the connection's task holds and releases alike.
    any: AtomicBool,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    launches: Vec<Launch>,
    closed: bool,
}

impl Launches {
    /// Holds `launch` until the next flush, or the end of the connection.
    pub(super) fn hold(&self, launch: Launch) {
        let mut held = self.lock();
        if !held.closed {
            held.launches.push(launch);
            self.any.store(true, Ordering::Relaxed);
        }
    }

    /// Lets go of what is held.
    pub(super) fn release(&self) {
        if self.any.load(Ordering::Relaxed) {
            self.any.store(false, Ordering::Relaxed);
            let launches = mem::take(&mut self.lock().launches);
            drop(launches);
        }
    }

    /// Lets go of what is held, and holds nothing from now on.
    pub(super) fn close(&self) {
        let launches = {
            let mut held = self.lock();
            held.closed = true;
            mem::take(&mut held.launches)
        };
        drop(launches);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
