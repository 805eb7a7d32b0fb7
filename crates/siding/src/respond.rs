//! Errors as HTTP: the one place that turns what went wrong into a response.

use std::any::Any;
use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use siding_runtime::{CallError, FunctionError, FunctionErrorKind, JobError};
use siding_tasks::{BrokerError, GetError, SendError};

/// The media type of a [`Problem`].
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// When to ask a broker again that could not take a task: a disk is not emptied in less.
const BROKER_RETRY: Duration = Duration::from_secs(5);
/// The longest rejection that is read back to become a problem's detail.
const REJECTION_BYTES_MAX: usize = 16 * 1024;

/// What went wrong, as a client is told: RFC 9457's `application/problem+json`.
///
/// Handlers return it as the error of a `Result`; [`JobError`] and [`CallError`] convert into it, so that `?` works on
/// [`offload`](crate::offload), [`compute`](crate::compute) and [`Processes::run`](crate::Processes::run).
///
/// ```
/// use siding::{Problem, StatusCode};
///
/// async fn teapot() -> Result<String, Problem> {
///     Err(Problem::new(StatusCode::IM_A_TEAPOT).with_detail("short and stout"))
/// }
/// # let _ = teapot;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: Option<Cow<'static, str>>,
    instance: Option<String>,
    retry_after: Option<Duration>,
}

impl Problem {
    /// A problem with the status's own title and no detail.
    #[must_use]
    pub const fn new(status: StatusCode) -> Self {
        Self {
            status,
            detail: None,
            instance: None,
            retry_after: None,
        }
    }

    /// An error of the server. What happened goes to the log under a correlation id, and the client gets only the id.
    #[must_use]
    pub fn internal(what: &dyn std::fmt::Display) -> Self {
        let id = correlation_id();
        tracing::error!(correlation_id = %id, "answered 500: {what}");
        Self {
            instance: Some(format!("urn:uuid:{id}")),
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR)
                .with_detail("the server failed; its log has the cause under this instance's id")
        }
    }

    /// The same problem, with a sentence that says what would be right.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same problem, with the time after which trying again is likely to succeed.
    #[must_use]
    pub const fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The response's status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Its JSON form.
    pub(crate) fn json(&self) -> Vec<u8> {
        let wire = Wire {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail.as_deref(),
            instance: self.instance.as_deref(),
        };
        serde_json::to_vec(&wire).expect("a struct of strings and numbers has a JSON form")
    }
}

/// The JSON form of a [`Problem`].
#[derive(Serialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.json()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Refused(refusal) => Self::new(StatusCode::SERVICE_UNAVAILABLE)
                .with_detail("the server is busy; try again later")
                .with_retry_after(refusal.retry_after),
            JobError::DeadlinePassed { .. } | JobError::Killed { .. } => deadline_passed(),
            JobError::Panicked { .. } | JobError::Crashed { .. } | JobError::NotStarted { .. } => {
                Self::internal(&error)
            }
            JobError::ShutDown { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE)
                .with_detail("the server is shutting down")
                .with_retry_after(Duration::from_secs(1)),
        }
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Job(error) => error.into(),
            CallError::Function(error) => Self::internal(&error),
        }
    }
}

/// A child process could not answer a request.
pub(crate) fn unanswered(error: &FunctionError) -> Problem {
    match error.kind() {
        FunctionErrorKind::ArgumentsTooLong { .. } => Problem::new(StatusCode::PAYLOAD_TOO_LARGE)
            .with_detail("the request is longer than what this path takes"),
        _ => Problem::internal(error),
    }
}

impl From<BrokerError> for Problem {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Unavailable(_) | BrokerError::Unroutable(_) => {
                tracing::error!("answered 503: {error}");
                Self::new(StatusCode::SERVICE_UNAVAILABLE)
                    .with_detail("tasks cannot be taken at the moment; try again later")
                    .with_retry_after(BROKER_RETRY)
            }
            // It tells of the broker's kind, and nothing of what is in it.
            BrokerError::Unsupported(what) => {
                Self::new(StatusCode::NOT_IMPLEMENTED).with_detail(what)
            }
            error => Self::internal(&error),
        }
    }
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Broker(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}

impl From<GetError> for Problem {
    fn from(error: GetError) -> Self {
        match error {
            GetError::Broker(error) => error.into(),
            GetError::TimedOut { .. } => Self::new(StatusCode::GATEWAY_TIMEOUT)
                .with_detail("the task was not ready in time; it goes on"),
            GetError::Revoked { .. } => {
                Self::new(StatusCode::GONE).with_detail("the task was revoked")
            }
            error => Self::internal(&error),
        }
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

/// Turns the text of an extractor's rejection into a problem with the same status and headers.
///
/// A rejection that is not an error, or that has a media type of its own, is its author's business and left alone.
pub(crate) fn rejection(rejection: impl IntoResponse) -> Response {
    let response = rejection.into_response();
    let error = response.status().is_client_error() || response.status().is_server_error();
    if !error || !is_plain_text(&response) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let detail = text_at_hand(body);
    fill(Response::from_parts(parts, Body::empty()), detail)
}

/// The text of a body that is there already, as every rejection of axum's is.
fn text_at_hand(body: Body) -> Option<String> {
    let reading = pin!(to_bytes(body, REJECTION_BYTES_MAX));
    match reading.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(text)) => Some(String::from_utf8_lossy(&text).into_owned()),
        Poll::Ready(Err(_)) | Poll::Pending => None,
    }
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
fn fill(mut response: Response, detail: Option<String>) -> Response {
    let mut problem = Problem::new(response.status());
    problem.detail = detail.filter(|text| !text.is_empty()).map(Cow::Owned);
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().insert(CONTENT_TYPE, PROBLEM_JSON);
    *response.body_mut() = Body::from(problem.json());
    response
}

fn is_plain_text(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}

/// A random id in the form of a version 4 UUID. The standard library seeds its hash states from the operating
/// system's randomness: not fit for secrets, and fit for telling one failure from another.
pub(crate) fn correlation_id() -> String {
    let random = || RandomState::new().hash_one(std::time::SystemTime::now());
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0x0fff,
        (low >> 48) & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff,
    )
}
