//! Errors as HTTP: the one place that turns what went wrong into a response.
//!
//! - [`error`]: [`Error`], which any error becomes by `?`, and how it finds its answer.
//! - [`handlers`]: the application's answers, by the errors' types; [`known`]: Siding's own.
//! - [`problem`]: what a client is told; [`invalid`]: what is wrong with its request, and where.
//! - [`status`]: answers whose type tells their status.
//! - [`rejection`]: what extractors say, as faults with their places; [`wording`]: without the values. [`foreign`]: the same for
//!   routes of axum's.

mod error;
mod foreign;
mod handlers;
mod invalid;
mod known;
mod problem;
mod rejection;
mod status;
mod wording;

use std::any::Any;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

pub use error::Error;
pub use invalid::{Fault, Invalid, Place};
pub use problem::Problem;
pub use status::Status;

pub(crate) use error::Chain;
pub(crate) use foreign::foreign;
pub(crate) use handlers::ErrorHandlers;
pub(crate) use known::{body_missing, deadline_passed, unanswered};
pub(crate) use problem::correlation_id;
pub(crate) use rejection::{current_pattern, pattern_in, rejection};
#[cfg(feature = "validate")]
pub(crate) use {
    invalid::pointer,
    rejection::{fault, parameter},
};

/// A handler or a middleware panicked.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Problem {
    Problem::internal(&format_args!(
        "a handler panicked: {}",
        panic_message(panic)
    ))
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text")
}

/// Gives an empty 404 or 405 of the router a body that says what is wrong.
pub(crate) fn unrouted(response: Response) -> Response {
    let detail = match response.status() {
        StatusCode::NOT_FOUND => "nothing is served at this path",
        StatusCode::METHOD_NOT_ALLOWED => {
            "this path does not take this method; the Allow header says which it takes"
        }
        _ => return response,
    };
    fill(response, Some(detail.to_owned()))
}

/// Replaces the body by a problem's; the status and every other header stay.
fn fill(response: Response, detail: Option<String>) -> Response {
    // What a rejection of the server's own says is for its log.
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        let detail = detail.as_deref().unwrap_or("an extractor said no more");
        return fill_with(response, Problem::internal(&detail).into_response());
    }
    let mut problem = Problem::new(response.status());
    if let Some(detail) = detail.filter(|text| !text.is_empty()) {
        problem = problem.with_detail(detail);
    }
    fill_with(response, problem.into_response())
}

/// Replaces status and body by those of `answer`; every other header stays.
fn fill_with(response: Response, answer: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    let (answer, body) = answer.into_parts();
    parts.status = answer.status;
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(answer.headers);
    parts.extensions.extend(answer.extensions);
    Response::from_parts(parts, body)
}

fn is_plain_text(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}
