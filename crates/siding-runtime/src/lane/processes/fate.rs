//! What became of a job, and who is told.

use std::sync::Arc;
use std::time::Instant;

use super::core::{Answer, Calling, Core};
use super::process::Ended;
use crate::context::WorkContext;
use crate::event::Event;
use crate::lane::admission::Lost;
use crate::lane::{JobError, LaneKind};

/// Why a job does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// Nobody waits for it any more.
    Left,
    /// Its deadline has passed.
    Deadline,
    /// The lane was shut down, and its time is over.
    ShutDown,
}

/// What became of a job.
#[derive(Debug)]
pub(super) enum Fate {
    /// The function was called, or the child says why it could not be.
    Answered(Answer),
    /// The function panicked with this message; the child is whole.
    Panicked(String),
    /// It was interrupted while its child started.
    Unrun(Interrupt),
    /// It was interrupted, and its child killed.
    Killed(Interrupt),
    /// Its child ended under it.
    Crashed(Ended),
    /// It never had a child, for this reason.
    NotStarted(String),
}

impl Fate {
    /// Answers the caller, tells the observers, and counts. `since` when the job waited, and `began` when it left the queue.
    pub(super) fn tell(
        self,
        core: &Core,
        work: &Arc<Calling>,
        job: u64,
        context: WorkContext,
        (since, began): (Instant, Instant),
    ) {
        let (lane, source) = (LaneKind::Processes, core.desk.source(context));
        let (ran, waited) = (began.elapsed(), since.elapsed());
        let (result, event) = match self {
            Self::Answered(answer) => {
                work.finish(Ok(answer));
                core.completed(ran, false);
                return;
            }
            Self::Panicked(message) => {
                let event = Event::Panicked {
                    source,
                    message: message.clone(),
                };
                work.finish(Err(JobError::Panicked { lane, message }));
                core.completed(ran, true);
                core.desk.emit(&event);
                return;
            }
            Self::Unrun(Interrupt::Deadline) => (
                (
                    JobError::DeadlinePassed { lane, waited },
                    Lost::DeadlinePassed,
                ),
                Some(Event::DeadlinePassed { source, waited }),
            ),
            Self::Unrun(Interrupt::Left) => (
                (JobError::ShutDown { lane }, Lost::ClientGone),
                Some(Event::ClientGone { source, waited }),
            ),
            Self::Unrun(Interrupt::ShutDown) => ((JobError::ShutDown { lane }, Lost::Killed), None),
            Self::Killed(interrupt) => {
                let error = match interrupt {
                    Interrupt::Left | Interrupt::Deadline => JobError::Killed { job, ran },
                    Interrupt::ShutDown => JobError::ShutDown { lane },
                };
                let event = Event::Killed { source, job, ran };
                ((error, Lost::Killed), Some(event))
            }
            Self::Crashed(Ended { end, last_words }) => {
                let event = Event::Crashed {
                    source,
                    job,
                    end: end.clone(),
                };
                let error = JobError::Crashed {
                    job,
                    end,
                    last_words,
                };
                ((error, Lost::Crashed), Some(event))
            }
            Self::NotStarted(reason) => {
                ((JobError::NotStarted { job, reason }, Lost::Crashed), None)
            }
        };
        let (error, lost) = result;
        work.finish(Err(error));
        core.lost(lost);
        if let Some(event) = event {
            core.desk.emit(&event);
        }
    }
}
