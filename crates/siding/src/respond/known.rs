//! What Siding itself answers to errors: its own, those of the crates below it, and axum's rejections.

use std::error::Error as StdError;
use std::time::Duration;

use axum::http::StatusCode;
use siding_runtime::{CallError, FunctionError, FunctionErrorKind, JobError};
use siding_tasks::{BrokerError, GetError, SendError};

use super::error::{Chain, with_sources};
use super::invalid::Invalid;
use super::rejection;
use crate::Problem;
#[cfg(feature = "inference")]
use crate::inference::{InferError, InferErrorKind};

/// When to ask a broker again that could not take a task: a disk is not emptied in less.
const BROKER_RETRY: Duration = Duration::from_secs(5);

/// What a client is told of an error, its sources left aside. `None` where the answer is 500 and the log's the cause.
pub(super) fn known(error: &(dyn StdError + 'static)) -> Option<Problem> {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return Some(problem.clone());
    }
    if let Some(invalid) = error.downcast_ref::<Invalid>() {
        return Some(Problem::from(invalid));
    }
    if let Some(error) = error.downcast_ref() {
        return job(error);
    }
    // Transparent, so that its source is not the error of the job but that one's.
    if let Some(CallError::Job(error)) = error.downcast_ref() {
        return job(error);
    }
    if let Some(error) = error.downcast_ref() {
        return broker(error);
    }
    if let Some(error) = error.downcast_ref() {
        return get(error);
    }
    #[cfg(feature = "inference")]
    if let Some(error) = error.downcast_ref() {
        return Some(infer(error));
    }
    rejection::of_error(error)
}

#[cfg(feature = "inference")]
fn infer(error: &InferError) -> Problem {
    match error.kind() {
        InferErrorKind::Refused { retry_after } => Problem::new(StatusCode::SERVICE_UNAVAILABLE)
            .with_detail("the server is busy; try again later")
            .with_retry_after(*retry_after),
        // Not in the log for each: that a replica fails is there once.
        InferErrorKind::Unavailable { retry_after, .. } => {
            tracing::debug!("answered 503: {error}");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE)
                .with_detail(
                    "a service that this needs is not available at the moment; try again later",
                )
                .with_retry_after(*retry_after)
        }
        InferErrorKind::DeadlinePassed { .. } => deadline_passed(),
        InferErrorKind::Rejected { .. } | InferErrorKind::Failed(_) => {
            tracing::error!("answered 502: {error}");
            Problem::new(StatusCode::BAD_GATEWAY)
                .with_detail("a service that this needs gave no answer that can be used")
        }
    }
}

fn job(error: &JobError) -> Option<Problem> {
    match error {
        JobError::Refused(refusal) => Some(
            Problem::new(StatusCode::SERVICE_UNAVAILABLE)
                .with_detail("the server is busy; try again later")
                .with_retry_after(refusal.retry_after),
        ),
        JobError::DeadlinePassed { .. } | JobError::Killed { .. } => Some(deadline_passed()),
        JobError::Panicked { .. } | JobError::Crashed { .. } | JobError::NotStarted { .. } => None,
        JobError::ShutDown { .. } => Some(
            Problem::new(StatusCode::SERVICE_UNAVAILABLE)
                .with_detail("the server is shutting down")
                .with_retry_after(Duration::from_secs(1)),
        ),
    }
}

fn broker(error: &BrokerError) -> Option<Problem> {
    match error {
        BrokerError::Unavailable(_) | BrokerError::Unroutable(_) => {
            tracing::error!("answered 503: {error}");
            Some(
                Problem::new(StatusCode::SERVICE_UNAVAILABLE)
                    .with_detail("tasks cannot be taken at the moment; try again later")
                    .with_retry_after(BROKER_RETRY),
            )
        }
        // It tells of the broker's kind, and nothing of what is in it.
        BrokerError::Unsupported(what) => {
            Some(Problem::new(StatusCode::NOT_IMPLEMENTED).with_detail(what.clone()))
        }
        _ => None,
    }
}

fn get(error: &GetError) -> Option<Problem> {
    match error {
        GetError::TimedOut { .. } => Some(
            Problem::new(StatusCode::GATEWAY_TIMEOUT)
                .with_detail("the task was not ready in time; it goes on"),
        ),
        GetError::Revoked { .. } => {
            Some(Problem::new(StatusCode::GONE).with_detail("the task was revoked"))
        }
        _ => None,
    }
}

/// Converts errors that are known, so that `?` works where the error is a [`Problem`].
macro_rules! into_problem {
    ($($error:ty),*) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                let answer = with_sources(&error).find_map(known);
                answer.unwrap_or_else(|| Self::internal(&Chain(&error)))
            }
        }
    )*};
}

into_problem!(JobError, CallError, BrokerError, SendError, GetError);
#[cfg(feature = "inference")]
into_problem!(InferError);

/// A child process could not answer a request.
pub(crate) fn unanswered(error: &FunctionError) -> Problem {
    match error.kind() {
        FunctionErrorKind::ArgumentsTooLong { .. } => Problem::new(StatusCode::PAYLOAD_TOO_LARGE)
            .with_detail("the request is longer than what this path takes"),
        _ => Problem::internal(error),
    }
}

/// The request's deadline passed before there was an answer.
pub(crate) fn deadline_passed() -> Problem {
    Problem::new(StatusCode::GATEWAY_TIMEOUT)
        .with_detail("there was no answer within the request's deadline")
}

/// The request's deadline passed before all of its body had arrived.
pub(crate) fn body_missing() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT)
        .with_detail("the body of the request did not arrive within the request's deadline")
}
