//! What the lanes, the guard and placement tell the outside: one closed enum and the handle that carries it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::context::RouteId;
use crate::lane::{JobSource, LaneKind, ProcessEnd, Refusal};
use crate::placement::{MoveReason, Verdict};

/// Something that happened in the runtime. Metrics, logs and dashboards consume these; nothing else feeds them.
#[derive(Clone, Debug)]
pub enum Event {
    /// A poll has held an event-loop worker for longer than the stall threshold and has not ended.
    StallBegan {
        /// Whose poll it is.
        route: RouteId,
    },
    /// A stalled poll ended.
    StallEnded {
        /// Whose poll it was.
        route: RouteId,
        /// How long the poll held its worker; exact to one tick of the monitor.
        lasted: Duration,
        /// What it was doing.
        verdict: Verdict,
    },
    /// Relief workers were released or called back; `active` of them now stand in for stalled workers.
    Relief {
        /// Relief workers at work now.
        active: usize,
    },
    /// Every relief worker is at work and more workers are stalled: the event loop runs with what is left.
    ReliefExhausted {
        /// Workers that are stalled now.
        stalled: usize,
    },
    /// The monitor itself woke late: the machine or the container was paused. Nobody is blamed for that time.
    Paused {
        /// By how much the monitor was late.
        late: Duration,
    },
    /// A route was moved to another lane, or came back.
    Moved {
        /// Which route.
        route: RouteId,
        /// Where it ran.
        from: LaneKind,
        /// Where it runs now.
        to: LaneKind,
        /// Why.
        reason: MoveReason,
    },
    /// The evidence that convicted a route is complete: what its developer should change. Once for each cause
    /// in a row: a route that is convicted again of the same says it once.
    Advice {
        /// Which route.
        route: RouteId,
        /// One or two sentences.
        advice: String,
    },
    /// A lane changed its number of threads.
    Resized {
        /// Which lane.
        lane: LaneKind,
        /// Threads before.
        from: usize,
        /// Threads now.
        to: usize,
    },
    /// A lane began to shed load, because jobs had waited too long for a whole interval, or ended it.
    Overload {
        /// Which lane.
        lane: LaneKind,
        /// `true` when it began, `false` when it ended.
        began: bool,
    },
    /// A lane refused a job.
    Refused {
        /// Which lane and route.
        source: JobSource,
        /// Why, and when to try again.
        refusal: Refusal,
    },
    /// A waiting job was dropped unrun: its deadline had passed.
    DeadlinePassed {
        /// Which lane and route.
        source: JobSource,
        /// How long it had waited.
        waited: Duration,
    },
    /// A waiting job was dropped unrun: nobody waited for it any more.
    ClientGone {
        /// Which lane and route.
        source: JobSource,
        /// How long it had waited.
        waited: Duration,
    },
    /// A job panicked. Its lane goes on.
    Panicked {
        /// Which lane and route.
        source: JobSource,
        /// The panic's message, for the log.
        message: String,
    },
    /// The child process that ran a job was killed: the job's deadline had passed, nobody waited for it any more, or the
    /// lane was shut down. Another takes its place.
    Killed {
        /// Which lane and route.
        source: JobSource,
        /// The job's number.
        job: u64,
        /// How long it ran.
        ran: Duration,
    },
    /// The child process that ran a job ended under it. Another takes its place.
    Crashed {
        /// Which lane and route.
        source: JobSource,
        /// The job's number.
        job: u64,
        /// How the process ended.
        end: ProcessEnd,
    },
}

/// Consumes [`Event`]s. Called on the thread where the event happened: keep it short, and never block.
pub trait Observer: Send + Sync + 'static {
    /// Takes one event.
    fn observe(&self, event: &Event);
}

impl<F> Observer for F
where
    F: Fn(&Event) + Send + Sync + 'static,
{
    fn observe(&self, event: &Event) {
        self(event);
    }
}

/// The handle through which events leave the runtime. Clones are cheap and share the observers.
#[derive(Clone, Default)]
pub struct Observers {
    list: Arc<Vec<Box<dyn Observer>>>,
}

impl Observers {
    /// A handle with these observers.
    #[must_use]
    pub fn new(observers: Vec<Box<dyn Observer>>) -> Self {
        Self {
            list: Arc::new(observers),
        }
    }

    /// Hands `event` to every observer.
    pub(crate) fn emit(&self, event: &Event) {
        for observer in self.list.iter() {
            observer.observe(event);
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers")
            .field("len", &self.list.len())
            .finish()
    }
}
