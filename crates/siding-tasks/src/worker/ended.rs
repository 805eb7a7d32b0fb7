//! From how a task ended to how its delivery does.

use std::time::Duration;

use super::crew::Crew;
use super::observer::TaskEvent;
use crate::broker::{Enqueue, Settlement};
use crate::canvas::{CanvasError, after_failure, after_success};
use crate::chance::chance;
use crate::message::{Exception, Message, TaskId, Timestamp};
use crate::task::{Ended, Options, TaskContext, TaskError};

/// How work on a message ended.
#[derive(Debug)]
pub(super) enum Ran {
    /// The function returned, or may not run; it has sent these tasks.
    Ended(Ended, Vec<TaskId>),
    /// The task was revoked before it began.
    Revoked,
    /// It could not begin in time.
    Expired,
    /// The task was revoked while it ran.
    Terminated,
    /// The message belongs to somebody else.
    Lost,
    /// The worker stops.
    Stopped,
}

/// What the broker is told.
#[derive(Debug)]
pub(super) enum Verdict {
    Settle(Box<Settlement>),
    /// The message is given back.
    Release,
    /// Nothing: it is not ours.
    Silence,
}

impl Verdict {
    /// Tells those who observe.
    pub(super) fn tell(&self, crew: &Crew, context: &TaskContext, lasted: Duration) {
        match self {
            Self::Settle(settlement) => {
                let sent = crew.tasks.sent_events();
                sent.tell_after(&*crew.broker, settlement);
                crew.tasks.counted().sent_after(settlement);
                crew.tell(TaskEvent::Ended(context, settlement, lasted));
            }
            Self::Release => crew.tell(TaskEvent::Released(context)),
            Self::Silence => {}
        }
    }
}

pub(super) fn settlement(
    message: &Message,
    ran: Ran,
    options: Option<&Options>,
    now: Timestamp,
) -> Verdict {
    let settlement = match ran {
        Ran::Lost => return Verdict::Silence,
        Ran::Stopped => return Verdict::Release,
        Ran::Revoked => revoked(message, "revoked", now),
        Ran::Expired => revoked(message, "expired", now),
        Ran::Terminated => revoked(message, "terminated", now),
        Ran::Ended(Err(error), children) => failed(message, error, children, options, now),
        Ran::Ended(Ok(result), children) => match after_success(message, &result, now) {
            Ok(successors) => Settlement::Success {
                result,
                children,
                successors,
            },
            Err(error) => failed(message, error.into(), children, None, now),
        },
    };
    Verdict::Settle(Box::new(settlement))
}

fn revoked(message: &Message, reason: &str, now: Timestamp) -> Settlement {
    Settlement::Revoked {
        reason: reason.to_owned(),
        successors: errbacks(message, now),
    }
}

fn failed(
    message: &Message,
    error: TaskError,
    children: Vec<TaskId>,
    options: Option<&Options>,
    now: Timestamp,
) -> Settlement {
    let delay = options.and_then(|options| options.retry.next(&error, message.retries, chance()));
    let (exception, traceback) = error.into_parts();
    match delay {
        Some(delay) => Settlement::Retry {
            message: Message {
                retries: message.retries + 1,
                eta: Some(now.after(delay)),
                ..message.clone()
            },
            exception,
            traceback,
        },
        None => Settlement::Failure {
            exception,
            traceback,
            children,
            successors: errbacks(message, now),
        },
    }
}

/// Errbacks that cannot be sent are told to the log: the task has failed already.
fn errbacks(message: &Message, now: Timestamp) -> Enqueue {
    after_failure(message, now).unwrap_or_else(|error: CanvasError| {
        tracing::error!(task = message.task, id = %message.id, %error, "errbacks are left out");
        Enqueue::default()
    })
}

/// Tells the log how a task ended.
pub(super) fn log(message: &Message, verdict: &Verdict, lasted: Duration) {
    let (task, id) = (&message.task, &message.id);
    let Verdict::Settle(settlement) = verdict else {
        tracing::info!(task, %id, ?lasted, "task given up");
        return;
    };
    match &**settlement {
        Settlement::Success { .. } => tracing::debug!(task, %id, ?lasted, "task succeeded"),
        Settlement::Failure {
            exception,
            traceback,
            ..
        } => {
            let error = text(exception);
            tracing::error!(task, %id, ?lasted, error, traceback, "task failed");
        }
        Settlement::Retry {
            message, exception, ..
        } => {
            let (retries, error) = (message.retries, text(exception));
            tracing::warn!(task, %id, ?lasted, retries, error, "task is tried again");
        }
        Settlement::Revoked { reason, .. } => {
            tracing::info!(task, %id, ?lasted, reason, "task revoked");
        }
    }
}

fn text(exception: &Exception) -> String {
    format!("{}: {}", exception.exc_type, exception.message)
}
