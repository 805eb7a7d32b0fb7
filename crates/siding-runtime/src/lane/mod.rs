//! Lanes: the places where code runs, and the one interface they share.
//!
//! Every lane takes closures through admission (see [`admission`]) and returns a [`Job`]: a future of the closure's
//! result. Every lane's own page answers the same six questions: What runs here, Bound, When full, Cancellation,
//! Shutdown, Not for.

mod admission;
mod cancel;
mod compute;
mod desk;
mod gate;
mod job;
mod passage;
mod processes;
#[cfg(test)]
mod support;
mod threads;

pub use cancel::{CancelToken, cancel_token, cancelled};
pub use compute::Compute;
pub use gate::{Entering, Gate, GateError, GateSnapshot, Permit};
pub use job::Job;
pub use passage::LANE_SPANS;
pub(crate) use passage::Passage;
pub use processes::{
    Call, CallError, FunctionError, FunctionErrorKind, Functions, ProcessEnd, Processes, is_child,
    serve_child,
};
pub use threads::Threads;

use std::fmt;
use std::time::Duration;

use crate::context::{RouteId, WorkContext};
use crate::timings::Timings;

/// Runs at the start of each thread of a lane, on that thread.
type ThreadHook = Box<dyn Fn() + Send + Sync>;

/// A place where code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LaneKind {
    /// The event loop: `async fn` handlers, connection tasks, timers.
    EventLoop,
    /// The thread pool for work that blocks: plain `fn` handlers, [`offload`](crate::offload).
    Threads,
    /// The pool for work that computes: one low-priority thread a core, rayon inside.
    Compute,
    /// The pool of child processes for named functions that may crash, leak, or must be killed.
    Processes,
}

impl LaneKind {
    /// The lane whose discriminant is `repr`.
    ///
    /// # Panics
    /// When there is none.
    pub(crate) const fn from_repr(repr: u8) -> Self {
        match repr {
            0 => Self::EventLoop,
            1 => Self::Threads,
            2 => Self::Compute,
            3 => Self::Processes,
            _ => panic!("no lane has this discriminant"),
        }
    }

    /// The lane's name as it stands in logs and JSON: `event-loop`, `threads`, `compute`, `processes`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventLoop => "event-loop",
            Self::Threads => "threads",
            Self::Compute => "compute",
            Self::Processes => "processes",
        }
    }
}

impl fmt::Display for LaneKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The lanes that take jobs.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    pub(crate) threads: Threads,
    pub(crate) compute: Compute,
    pub(crate) processes: Processes,
}

impl Lanes {
    /// Runs `f` on `lane`, through its admission. The caller has its [`Passage`].
    ///
    /// # Panics
    /// When `lane` is the event loop, which takes futures only, or the process lane, which takes named functions.
    pub(crate) fn run<F, R>(&self, lane: LaneKind, context: WorkContext, f: F) -> Job<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        match lane {
            LaneKind::Threads => self.threads.submit(context, f),
            LaneKind::Compute => self.compute.submit(context, f),
            LaneKind::EventLoop => unreachable!("the event loop takes futures, not jobs"),
            LaneKind::Processes => unreachable!("processes take named functions, not closures"),
        }
    }

    /// Runs `f`, which continues admitted work, on `lane`.
    ///
    /// # Panics
    /// When `lane` is the event loop or the process lane.
    pub(crate) fn resume(
        &self,
        lane: LaneKind,
        context: WorkContext,
        f: impl FnOnce() + Send + 'static,
    ) {
        match lane {
            LaneKind::Threads => self.threads.resume(context, f),
            LaneKind::Compute => self.compute.resume(context, f),
            LaneKind::EventLoop => unreachable!("the event loop takes futures, not jobs"),
            LaneKind::Processes => unreachable!("processes take named functions, not closures"),
        }
    }
}

/// Why a lane did not take a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// Every waiting place was taken.
    Full,
    /// The job had waited too long in a lane whose queue does not come down; newer ones run first.
    Overloaded,
}

/// A lane's refusal of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {lane} lane refused the job: {}", match .reason {
    RefusalReason::Full => "every waiting place is taken",
    RefusalReason::Overloaded => "it is overloaded",
})]
pub struct Refusal {
    /// The lane that refused.
    pub lane: LaneKind,
    /// Why it refused.
    pub reason: RefusalReason,
    /// When trying again is likely to succeed, from the lane's own service time and what waits in it.
    pub retry_after: Duration,
}

/// Why a job has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The lane refused the job, at once or after it had waited.
    #[error(transparent)]
    Refused(Refusal),
    /// The job's deadline passed before a thread was free for it. It never ran.
    #[error("the deadline passed after the job had waited {waited:?} in the {lane} lane")]
    DeadlinePassed {
        /// The lane it waited in.
        lane: LaneKind,
        /// How long it waited.
        waited: Duration,
    },
    /// The job panicked. The lane is whole; the message is for the log, not for a client.
    #[error("the job panicked in the {lane} lane: {message}")]
    Panicked {
        /// The lane it ran on.
        lane: LaneKind,
        /// The panic's message, or a note that it had none.
        message: String,
    },
    /// The lane was shut down before the job ran.
    #[error("the {lane} lane has shut down")]
    ShutDown {
        /// The lane that the job was given to.
        lane: LaneKind,
    },
    /// The job ran in a child process past its deadline, and the process was killed.
    #[error(
        "job {job} ran in a child process for {ran:?}, to its deadline; the process was killed"
    )]
    Killed {
        /// The job's number, as it stands in the log.
        job: u64,
        /// How long it ran.
        ran: Duration,
    },
    /// The child process that ran the job ended under it. Another has taken its place.
    #[error("the child process of job {job} {end}{}", and_its(.last_words.as_deref()))]
    Crashed {
        /// The job's number, as it stands in the log.
        job: u64,
        /// How the process ended.
        end: ProcessEnd,
        /// The last line that it wrote to its standard error, backtraces aside; it often says why. For the log, not for a client.
        last_words: Option<String>,
    },
    /// No child process could be had for the job. It never ran.
    #[error("failed to start a child process for job {job}: {reason}")]
    NotStarted {
        /// The job's number, as it stands in the log; 0 when the application itself does not run yet.
        job: u64,
        /// What went wrong, and what would be right.
        reason: String,
    },
}

fn and_its(last_words: Option<&str>) -> String {
    last_words.map_or_else(String::new, |words| format!("; its last words: {words}"))
}

/// A lane's figures at one moment. Counts are totals since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneSnapshot {
    /// Which lane.
    pub lane: LaneKind,
    /// Threads that exist now; on the process lane, children.
    pub threads: usize,
    /// Threads, or children, that the lane may grow to.
    pub threads_max: usize,
    /// Jobs running now.
    pub running: usize,
    /// Jobs waiting now.
    pub waiting: usize,
    /// Jobs that may wait at the same time.
    pub waiting_max: usize,
    /// Whether jobs have been waiting for longer than the lane's target for a whole interval.
    pub overloaded: bool,
    /// Jobs that were taken.
    pub admitted: u64,
    /// Jobs that ran to their end, panics included.
    pub completed: u64,
    /// Jobs refused, at once or after waiting.
    pub refused: u64,
    /// Of those, the ones that found every waiting place taken.
    pub refused_full: u64,
    /// Jobs dropped unrun because their deadline had passed.
    pub deadline_passed: u64,
    /// Jobs dropped unrun because nobody waited for them any more.
    pub client_gone: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs whose child process was killed: at their deadline, because nobody waited any more, or at shutdown.
    pub killed: u64,
    /// Jobs whose child process ended under them, or could not be started.
    pub crashed: u64,
    /// The mean time a job runs, recent ones weighing more.
    pub service_time: Duration,
    /// How long jobs waited that were then run.
    pub waits: Timings,
    /// How long jobs ran that ran to their end.
    pub runs: Timings,
}

/// Names the source of a job in events: its lane and its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobSource {
    /// The lane that the job was given to.
    pub lane: LaneKind,
    /// The route that it is accounted to.
    pub route: RouteId,
}
