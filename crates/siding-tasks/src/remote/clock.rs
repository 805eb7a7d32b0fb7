//! Lamport's clock, which orders what happens in several processes.

use std::sync::atomic::{AtomicU64, Ordering};

/// Lamport's clock: it goes on with each message, and is never behind one that it has seen.
#[derive(Debug, Default)]
pub(super) struct LamportClock(AtomicU64);

impl LamportClock {
    /// What it shows.
    pub(super) fn now(&self) -> u64 {
        // Relaxed, here and below: nothing else is published by it.
        self.0.load(Ordering::Relaxed)
    }

    /// What it shows for something that happens now.
    pub(super) fn forward(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A message came that was sent at `other`.
    pub(super) fn adjust(&self, other: u64) {
        let later = |now: u64| Some(now.max(other).saturating_add(1));
        // It is given a value always.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }
}
