//! What can be set on a runtime, with the defaults and how to choose.

use std::time::Duration;

/// No limit on the arguments and results of functions may be higher: both processes hold them in memory, twice at times.
const FRAME_BYTES_MAX: usize = 1 << 30;

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

/// The process lane's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessesConfig {
    /// Child processes, each of which runs one job at a time. They are started as they are needed and then kept.
    pub children: usize,
    /// Jobs that may wait at the same time, each with its arguments. Beyond it, jobs are refused at once.
    pub waiting_max: usize,
    /// Memory that a child may have for its data: heap, stacks and private mappings, those of the program itself included.
    /// An allocation beyond it fails, which ends most programs: the job has crashed, and says so.
    pub memory_bytes_max: Option<u64>,
    /// Jobs that a child runs before another takes its place: for functions that leak.
    pub jobs_per_child_max: Option<u64>,
    /// The longest arguments and the longest result of a function, encoded. A longer one is refused with an error.
    pub frame_bytes_max: usize,
}

impl Default for ProcessesConfig {
    fn default() -> Self {
        Self {
            children: 4,
            waiting_max: 1_024,
            memory_bytes_max: None,
            jobs_per_child_max: None,
            frame_bytes_max: 16 * 1024 * 1024,
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
    /// The process lane.
    pub processes: ProcessesConfig,
    /// Placement.
    pub placement: PlacementConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            event_loop_threads: cores(),
            relief_threads: 40,
            stall_threshold: Duration::from_millis(10),
            threads: ThreadsConfig::default(),
            compute: ComputeConfig::default(),
            processes: ProcessesConfig::default(),
            placement: PlacementConfig::default(),
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
                self.processes.children >= 1,
                "the process lane needs at least 1 child",
            ),
            (
                self.processes.jobs_per_child_max != Some(0),
                "a child must be allowed at least 1 job",
            ),
            (
                (1..=FRAME_BYTES_MAX).contains(&self.processes.frame_bytes_max),
                "arguments and results of functions must be allowed 1 byte to 1 GiB",
            ),
            (
                self.placement.conviction_count >= 1,
                "a conviction needs at least 1 stall",
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
