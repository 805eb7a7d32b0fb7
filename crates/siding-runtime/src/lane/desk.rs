//! Runs what a lane's queue hands out, answers whom it turned away, and tells the observers of both.
//!
//! Nothing here is called with a lane's lock held: jobs, their destructors and observers are other people's code. None of
//! it can take a thread of the lane down with it, either: whatever panics here is caught.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::admission::{Dropped, Findings, Shift, TurnedAway, Waiting};
use super::job::{Ran, Reject, Work, panic_message};
use super::{JobError, JobSource, LaneKind, Refusal, RefusalReason, cancel};
use crate::context::WorkContext;
use crate::event::{Event, Observers};
use crate::guard;

/// One poll of a future that was admitted before.
pub(super) struct Resumed {
    pub(super) context: WorkContext,
    pub(super) poll: Box<dyn FnOnce() + Send>,
}

/// A lane's word with the outside.
#[derive(Debug)]
pub(super) struct Desk {
    lane: LaneKind,
    observers: Observers,
}

impl Desk {
    /// The desk of `lane`.
    pub(super) fn new(lane: LaneKind, observers: Observers) -> Self {
        Self { lane, observers }
    }

    /// Runs an admitted job under the guard.
    pub(super) fn run(&self, job: Waiting<Arc<dyn Work>>) -> Ran {
        let Waiting { work, context, .. } = job;
        self.perform(context, || work.run())
    }

    /// Runs a resumed poll under the guard.
    pub(super) fn run_resumed(&self, resumed: Resumed) -> Ran {
        let Resumed { context, poll } = resumed;
        self.perform(context, || {
            let _no_claim = cancel::enter(None);
            poll();
            Ran::Returned
        })
    }

    fn perform(&self, context: WorkContext, f: impl FnOnce() -> Ran) -> Ran {
        let entered = guard::enter(context);
        let ran = catch_unwind(AssertUnwindSafe(f))
            .unwrap_or_else(|payload| Ran::Panicked(panic_message(&*payload)));
        drop(entered);
        if let Ran::Panicked(message) = &ran {
            self.emit(&Event::Panicked {
                source: self.source(context),
                message: message.clone(),
            });
        }
        ran
    }

    /// Answers the jobs that left the queue unrun.
    pub(super) fn settle<W: Reject + ?Sized>(&self, findings: Findings<Arc<W>>, now: Instant) {
        if let Some(shift) = findings.shift {
            self.emit(&Event::Overload {
                lane: self.lane,
                began: shift == Shift::Began,
            });
        }
        for (job, why) in findings.dropped {
            self.answer(job, why, now);
        }
    }

    fn answer<W: Reject + ?Sized>(&self, job: Waiting<Arc<W>>, why: Dropped, now: Instant) {
        let source = self.source(job.context);
        let waited = now.saturating_duration_since(job.since);
        let (error, event) = match why {
            Dropped::ClientGone => (None, Event::ClientGone { source, waited }),
            Dropped::DeadlinePassed => (
                Some(JobError::DeadlinePassed {
                    lane: self.lane,
                    waited,
                }),
                Event::DeadlinePassed { source, waited },
            ),
            Dropped::Shed { retry_after } => {
                let refusal = Refusal {
                    lane: self.lane,
                    reason: RefusalReason::Overloaded,
                    retry_after,
                };
                let event = Event::Refused { source, refusal };
                (Some(JobError::Refused(refusal)), event)
            }
        };
        self.emit(&event);
        reject(job.work, error);
    }

    /// Answers a job that was not let in.
    pub(super) fn turn_away<W: Reject + ?Sized>(
        &self,
        turned_away: TurnedAway<Arc<W>>,
        context: WorkContext,
    ) {
        let refusal = Refusal {
            lane: self.lane,
            reason: turned_away.reason,
            retry_after: turned_away.retry_after,
        };
        self.emit(&Event::Refused {
            source: self.source(context),
            refusal,
        });
        reject(turned_away.work, Some(JobError::Refused(refusal)));
    }

    /// Answers a job that came after the lane was shut down.
    pub(super) fn closed<W: Reject + ?Sized>(&self, work: Arc<W>) {
        reject(work, Some(JobError::ShutDown { lane: self.lane }));
    }

    /// Answers the jobs that still waited when the lane was shut down.
    pub(super) fn close<W: Reject + ?Sized>(&self, waiting: VecDeque<Waiting<Arc<W>>>) {
        for job in waiting {
            self.closed(job.work);
        }
    }

    /// Tells the observers.
    pub(super) fn emit(&self, event: &Event) {
        quietly(|| self.observers.emit(event));
    }

    pub(super) fn source(&self, context: WorkContext) -> JobSource {
        JobSource {
            lane: self.lane,
            route: context.route,
        }
    }
}

/// Ends a job unrun; the closure's destructors run here.
fn reject<W: Reject + ?Sized>(work: Arc<W>, error: Option<JobError>) {
    quietly(|| {
        if let Some(error) = error {
            work.reject(error);
        }
        drop(work);
    });
}

/// Keeps a panic of other people's code from the lane. The panic hook has printed it.
pub(super) fn quietly(f: impl FnOnce()) {
    drop(catch_unwind(AssertUnwindSafe(f)));
}
