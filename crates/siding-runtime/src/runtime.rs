//! A running runtime.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::guard::MonitorHandle;
use crate::handle::Handle;
use crate::relief::Relief;

/// A running runtime: one tokio event loop with relief workers, the lanes, and the guard.
///
/// Dropping it shuts it down without waiting for what still runs in its lanes; see [`shut_down`](Self::shut_down).
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    /// `None` only while the runtime is being dropped.
    parts: Option<Parts>,
}

#[derive(Debug)]
struct Parts {
    tokio: tokio::runtime::Runtime,
    relief: Arc<Relief>,
    monitor: MonitorHandle,
}

impl Runtime {
    pub(crate) fn new(
        tokio: tokio::runtime::Runtime,
        handle: Handle,
        relief: Arc<Relief>,
        monitor: MonitorHandle,
    ) -> Self {
        Self {
            handle,
            parts: Some(Parts {
                tokio,
                relief,
                monitor,
            }),
        }
    }

    /// A handle to this runtime.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs `future` on the calling thread until it completes; what it spawns runs on the event loop.
    ///
    /// # Panics
    /// Inside another runtime, as tokio does, and when the future panics.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _current = self.handle.enter();
        let parts = self
            .parts
            .as_ref()
            .expect("present until the runtime is dropped");
        parts.tokio.block_on(future)
    }

    /// Shuts down: the lanes take nothing more, and what runs in them has until `limit` to end; then the event loop
    /// ends, its tasks dropped at their next `.await`. Child processes that
    /// still run a job then are killed. When everything ended in time, no thread is left behind.
    pub fn shut_down(mut self, limit: Duration) {
        self.end(limit);
    }

    fn end(&mut self, limit: Duration) {
        let Some(Parts {
            tokio,
            relief,
            monitor,
        }) = self.parts.take()
        else {
            return;
        };
        let until = Instant::now() + limit;
        let left = || until.saturating_duration_since(Instant::now());
        self.handle.threads().shut_down(left());
        self.handle.compute().shut_down(left());
        self.handle.processes().shut_down(left());
        // The monitor is the only one that occupies relief workers, so it ends before they are let go for good.
        drop(monitor);
        relief.close();
        tokio.shutdown_timeout(left());
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}
