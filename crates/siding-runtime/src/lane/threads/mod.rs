//! The thread lane: a pool for work that blocks.
//!
//! # What runs here
//!
//! Plain `fn` handlers, closures given to [`offload`](crate::offload), and routes convicted of blocking. No event loop is
//! current on its threads, so that blocking clients that refuse to run inside one work; [`spawn`](crate::spawn) works too.
//!
//! # Bound
//!
//! `threads_min` threads, started as they are needed and then kept. Up to `threads_max` while work waits and the threads
//! are blocked rather than on a CPU, doubling every few milliseconds; never so many that the container's `pids.max` or
//! another limit of the system comes near. A thread beyond `threads_min` that has had no work for `idle_timeout` ends.
//! With [`ThreadsConfig::fixed`] the number never changes. Beside them `waiting_max` jobs may wait.
//!
//! # When full
//!
//! A job that finds every waiting place taken is refused at once, with a hint when to come back. When jobs have waited too
//! long for too long, the newest run first and the oldest are refused, until the threads keep up again.
//!
//! # Cancellation
//!
//! Dropping the [`Job`] or passing its deadline cancels a job that still waits: it never runs. One that runs cannot be
//! stopped; it may ask [`cancelled`](crate::cancelled) from time to time.
//!
//! # Shutdown
//!
//! Waiting jobs are answered [`JobError::ShutDown`](super::JobError::ShutDown), running ones have until the limit. A thread
//! whose job goes on after that is left behind, and ends with it.
//!
//! # Not for
//!
//! Work that computes for more than a few milliseconds: it belongs to [`Compute`](super::Compute), whose threads give way
//! to the event loop; here it takes the event loop's cores on equal terms. Threads that never end: each keeps a place
//! for good, so start a thread of your own.

mod ceiling;
mod keeper;
mod life;
#[cfg(test)]
mod model;
mod muster;
mod pool;
mod roster;
#[cfg(test)]
mod tests;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::keeper::Sight;
use self::pool::Pool;
use super::desk::Resumed;
use super::{Job, LaneKind, LaneSnapshot, Passage, ThreadHook};
use crate::config::ThreadsConfig;
use crate::context::WorkContext;
use crate::event::Observers;

/// The thread lane. Clones are cheap and share its threads.
#[derive(Clone)]
pub struct Threads {
    owned: Arc<Owned>,
}

impl Threads {
    pub(crate) fn new(
        config: ThreadsConfig,
        observers: Observers,
        on_thread_start: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self::with_sight(
            config,
            observers,
            Box::new(on_thread_start),
            Sight::default(),
        )
    }

    fn with_sight(
        config: ThreadsConfig,
        observers: Observers,
        on_thread_start: ThreadHook,
        sight: Sight,
    ) -> Self {
        let pool = Pool::new(config, observers, on_thread_start, sight);
        Self {
            owned: Arc::new(Owned(Arc::new(pool))),
        }
    }

    /// Runs the blocking closure `f` on a thread of this lane.
    ///
    /// The job is on its way when this returns, whether or not the future is polled. An error means that it did not run
    /// to its end: it was refused, dropped or panicked.
    ///
    /// # Examples
    ///
    /// ```
    /// use siding_runtime::{Builder, RouteId, WorkContext};
    ///
    /// let runtime = Builder::new().build()?;
    /// let threads = runtime.handle().threads();
    /// let job = threads.run(WorkContext::new(RouteId::OFFLOAD), || {
    ///     std::fs::read_to_string("/etc/hostname").map(|name| name.len())
    /// });
    /// let length = runtime.block_on(job)?;
    /// # drop(length);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run<F, R>(&self, context: WorkContext, f: F) -> Job<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.submit(context, Passage::begin(LaneKind::Threads).carry(f))
    }

    /// The same, outside of any span.
    pub(crate) fn submit<F, R>(&self, context: WorkContext, f: F) -> Job<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (job, work) = Job::new(LaneKind::Threads, f);
        self.pool().submit(work, context);
        job
    }

    /// Runs a later poll of a future that was admitted by [`run`](Self::run), before all new work. At most one poll of a
    /// future may be on its way.
    pub(crate) fn resume(&self, context: WorkContext, f: impl FnOnce() + Send + 'static) {
        self.pool().resume(Resumed {
            context,
            poll: Box::new(f),
        });
    }

    /// The figures now.
    #[must_use]
    pub fn snapshot(&self) -> LaneSnapshot {
        self.pool().snapshot()
    }

    /// Shuts the lane down and waits for its threads to end, `limit` at most. Must not be called from one of them.
    pub(crate) fn shut_down(&self, limit: Duration) {
        self.pool().stop();
        self.pool().roster.join(limit);
    }

    fn pool(&self) -> &Arc<Pool> {
        &self.owned.0
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Threads").field(&self.snapshot()).finish()
    }
}

/// Sends the threads away with the last handle: they hold the pool, but not this.
struct Owned(Arc<Pool>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.stop();
    }
}
