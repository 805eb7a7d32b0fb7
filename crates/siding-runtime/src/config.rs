//! What can be set on a runtime, with the defaults and how to choose.

use std::time::Duration;

/// The thread lane's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadsConfig {
    /// Threads that are always there, once started. FastAPI's pool has 40.
    pub threads_min: usize,
    /// Threads that the lane may grow to while its threads are blocked and work waits.
    pub threads_max: usize,
    /// Jobs that may wait at the same time. A waiting job costs its closure and about 200 bytes; a good bound is what
    /// the threads can finish within a request's deadline. Beyond it, jobs are refused at once.
    pub waiting_max: usize,
    /// How long a thread beyond `threads_min` stays without work before it ends.
    pub idle_timeout: Duration,
}

impl Default for ThreadsConfig {
    fn default() -> Self {
        Self::growing(40, 1_024)
    }
}

impl ThreadsConfig {
    /// A pool of exactly `threads` threads, as FastAPI's is with 40.
    #[must_use]
    pub const fn fixed(threads: usize) -> Self {
        Self::growing(threads, threads)
    }

    /// A pool that grows from `min` to `max` threads and lets eight jobs wait for each of those.
    #[must_use]
    pub const fn growing(min: usize, max: usize) -> Self {
        Self {
            threads_min: min,
            threads_max: max,
            waiting_max: max.saturating_mul(8),
            idle_timeout: Duration::from_secs(10),
        }
    }
}

/// The compute lane's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComputeConfig {
    /// Threads that compute; one a core unless set.
    pub threads: usize,
    /// Jobs that may wait at the same time. Beyond it, jobs are refused at once.
    pub waiting_max: usize,
}

impl Default for ComputeConfig {
    fn default() -> Self {
        Self {
            threads: cores(),
            waiting_max: 1_024,
        }
    }
}

/// When a route is moved, and when it may come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacementConfig {
    /// One stall this long convicts a route.
    pub conviction_stall: Duration,
    /// So many stalls beyond the stall threshold within [`conviction_window`](Self::conviction_window) convict too.
    pub conviction_count: u32,
    /// See [`conviction_count`](Self::conviction_count).
    pub conviction_window: Duration,
    /// The time from a route's first conviction to its first trial; each further conviction doubles it.
    pub trial_after: Duration,
    /// The doubling ends here.
    pub trial_after_max: Duration,
    /// So many polls in a row must have been short before a trial.
    pub trial_polls: u32,
}

impl Default for PlacementConfig {
    fn default() -> Self {
        Self {
            conviction_stall: Duration::from_millis(100),
            conviction_count: 3,
            conviction_window: Duration::from_secs(60),
            trial_after: Duration::from_secs(10),
            trial_after_max: Duration::from_secs(3_600),
            trial_polls: 32,
        }
    }
}

/// Everything that can be set on a runtime. [`Builder`](crate::Builder) fills it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Active event-loop threads; one a core unless set.
    pub event_loop_threads: usize,
    /// Spare event-loop threads that take over for stalled ones.
    pub relief_threads: usize,
    /// How long a poll may hold an event-loop thread before it counts as a stall.
    pub stall_threshold: Duration,
    /// The thread lane.
    pub threads: ThreadsConfig,
    /// The compute lane.
    pub compute: ComputeConfig,
    /// Placement.
    pub placement: PlacementConfig,
    /// Pieces of background work that may have been accepted and not ended; then those who would add more are refused.
    /// Each costs its closure and a few hundred bytes; a good bound is what the lanes can do within the time that a
    /// shutdown may take.
    pub background_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            event_loop_threads: cores(),
            relief_threads: 40,
            stall_threshold: Duration::from_millis(10),
            threads: ThreadsConfig::default(),
            compute: ComputeConfig::default(),
            placement: PlacementConfig::default(),
            background_max: 65_536,
        }
    }
}

impl Config {
    /// Checks that the settings make sense together.
    ///
    /// # Errors
    /// A sentence that names the setting at fault and what would be right.
    pub fn check(&self) -> Result<(), String> {
        let rules = [
            (
                self.event_loop_threads >= 1,
                "the event loop needs at least 1 thread",
            ),
            (
                self.stall_threshold >= Duration::from_millis(1),
                "the stall threshold must be at least 1 ms",
            ),
            (
                self.threads.threads_min >= 1,
                "the thread lane needs at least 1 thread",
            ),
            (
                self.threads.threads_max >= self.threads.threads_min,
                "the thread lane's maximum must not be below its minimum",
            ),
            (
                self.compute.threads >= 1,
                "the compute lane needs at least 1 thread",
            ),
            (
                self.placement.conviction_count >= 1,
                "a conviction needs at least 1 stall",
            ),
            (
                self.background_max >= 1,
                "at least 1 piece of background work must be allowed",
            ),
        ];
        rules
            .iter()
            .find(|(holds, _)| !holds)
            .map_or(Ok(()), |(_, rule)| Err((*rule).to_owned()))
    }
}

/// The cores that this process may use; 1 when the platform will not say.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
