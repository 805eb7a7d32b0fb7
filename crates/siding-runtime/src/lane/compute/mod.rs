//! The compute lane: a rayon pool for work that computes.
//!
//! # What runs here
//!
//! Closures given to [`compute`](crate::compute), handlers declared so, and routes convicted of computing. The threads are
//! rayon's: `par_iter`, `join` and `scope` inside a job use this pool.
//!
//! # Bound
//!
//! `threads` threads, one a core unless set, started with the runtime. At most as many jobs run at once; beside them
//! `waiting_max` may wait. More threads than cores would not compute faster, they would only take turns.
//!
//! # Priority
//!
//! The event loop must not wait for a core, so the threads here give way: nice 15, and slices of 100 ms. The longer slice
//! lets a thread that wakes up with a shorter one preempt at once (Linux 6.12 and later), and the event loop asks for 100 us.
//! Alone on the machine the lane computes as fast as at normal priority. Measured on two cores, kernel 6.18, a fresh connection to `/hello` every 10 ms beside
//! eight requests that compute for a second each, medians of three or more runs:
//!
//! | policy | nice | slice | p50 | p90 | p99 |
//! | --- | --- | --- | --- | --- | --- |
//! | normal | 0 | default | 0.39 ms | 1.9 ms | 5.2 ms |
//! | `SCHED_BATCH` | 0 | default | 0.39 ms | 1.9 ms | 5.1 ms |
//! | normal | 10 | default | 0.39 ms | 0.49 ms | 3.7 ms |
//! | `SCHED_BATCH` | 10 | default | 0.39 ms | 0.49 ms | 2.7 ms |
//! | normal | 10 | 100 ms | 0.32 ms | 0.40 ms | 3.2 ms |
//! | **normal** | **15** | **100 ms** | **0.37 ms** | **0.47 ms** | **2.2 ms** |
//! | normal | 19 | default | 0.41 ms | 0.54 ms | 3.5 ms |
//! | normal | 19 | 100 ms | 0.43 ms | 0.56 ms | 2.9 ms |
//! | `SCHED_IDLE` | | default | 0.40 ms | 0.49 ms | 2.6 ms |
//!
//! From nice 10 on the differences are near the noise of that machine; in this table the event loop has the usual slice. With 100 us
//! it also runs before others of its own priority: beside the chosen row, in six alternating runs each, the median p99 was 1.2 ms
//! against 2.4 ms, the worst 1.9 against 5.2. `SCHED_IDLE` is not chosen: a neighbour that computes at
//! normal priority would starve it, while nice 15 keeps one part in thirty.
//!
//! # When full
//!
//! A job that finds every waiting place taken is refused at once, with a hint when to come back. When jobs have waited too
//! long for too long, the newest run first and the oldest are refused, until the threads keep up again.
//!
//! # Cancellation
//!
//! Dropping the [`Job`] or passing its deadline cancels a job that still waits: it never runs. One that runs cannot be
//! stopped; a long loop should ask [`cancelled`](crate::cancelled) from time to time. On the other threads of a `par_iter`
//! ask a [`CancelToken`](crate::CancelToken) that the job took along.
//!
//! # Shutdown
//!
//! Waiting jobs are answered [`JobError::ShutDown`](super::JobError::ShutDown), running ones have until the limit. A thread
//! whose job goes on after that is left behind, and ends with it.
//!
//! # Not for
//!
//! Work that blocks: a thread that waits computes nothing, and there are few. It belongs to [`Threads`](super::Threads).

mod core;
mod crew;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use self::core::Core;
use super::desk::Resumed;
use super::{Job, LaneKind, LaneSnapshot, Passage};
use crate::config::ComputeConfig;
use crate::context::WorkContext;
use crate::event::Observers;

/// The compute lane. Clones are cheap and share its threads.
#[derive(Clone)]
pub struct Compute {
    owned: Arc<Owned>,
}

impl Compute {
    pub(crate) fn new(
        config: ComputeConfig,
        observers: Observers,
        on_thread_start: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let core = Core::new(config, observers, Box::new(on_thread_start))?;
        Ok(Self {
            owned: Arc::new(Owned(Arc::new(core))),
        })
    }

    /// Runs the computing closure `f` on a thread of this lane.
    ///
    /// The job is on its way when this returns, whether or not the future is polled. An error means that it did not run
    /// to its end: it was refused, dropped or panicked.
    ///
    /// # Examples
    ///
    /// ```
    /// use rayon::prelude::*;
    /// use siding_runtime::{Builder, RouteId, WorkContext};
    ///
    /// let runtime = Builder::new().build()?;
    /// let compute = runtime.handle().compute();
    /// let job = compute.run(WorkContext::new(RouteId::OFFLOAD), || {
    ///     (1..=1_000_u64).into_par_iter().map(|n| n * n).sum::<u64>()
    /// });
    /// assert_eq!(runtime.block_on(job)?, 333_833_500);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run<F, R>(&self, context: WorkContext, f: F) -> Job<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.submit(context, Passage::begin(LaneKind::Compute).carry(f))
    }

    /// The same, outside of any span.
    pub(crate) fn submit<F, R>(&self, context: WorkContext, f: F) -> Job<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (job, work) = Job::new(LaneKind::Compute, f);
        self.core().submit(work, context);
        job
    }

    /// Runs a later poll of a future that was admitted by [`run`](Self::run), before all new work. At most one poll of a
    /// future may be on its way.
    pub(crate) fn resume(&self, context: WorkContext, f: impl FnOnce() + Send + 'static) {
        self.core().resume(Resumed {
            context,
            poll: Box::new(f),
        });
    }

    /// The figures now.
    #[must_use]
    pub fn snapshot(&self) -> LaneSnapshot {
        self.core().snapshot()
    }

    /// Shuts the lane down and waits for its threads to end, `limit` at most. Must not be called from one of them.
    pub(crate) fn shut_down(&self, limit: Duration) {
        self.core().stop();
        self.core().join(limit);
    }

    fn core(&self) -> &Arc<Core> {
        &self.owned.0
    }
}

impl fmt::Debug for Compute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Compute").field(&self.snapshot()).finish()
    }
}

/// Ends the lane with its last handle; rayon's threads end once nothing runs on them.
struct Owned(Arc<Core>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.stop();
    }
}
