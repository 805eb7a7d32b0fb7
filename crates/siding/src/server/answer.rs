//! One request's answer: whatever happens, there is one.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::future::RouteFuture;
use hyper::body::Body as _;
use pin_project_lite::pin_project;
use siding_runtime::{Handle, RouteId};
use tokio::time::{Instant, Sleep, sleep_until};

use super::body::{Outbound, Received};
use super::line::{InFlight, Line};
use crate::Problem;
use crate::arrival::Arrival;
use crate::background::Launch;
use crate::metrics::Outcome;
use crate::respond;
use crate::routing::Verb;
use crate::traces::RequestSpan;

pin_project! {
    /// The future of one request's answer. A handler that panics is answered 500, one that takes longer than the
    /// request's deadline is dropped and answered 504, and a path without a handler is answered 404, or 405.
    pub(super) struct Answer {
        #[pin]
        work: Work,
        // Set at the first poll that is pending: most answers never need a timer.
        #[pin]
        timer: Option<Sleep>,
        request: Option<InFlight>,
        at: std::time::Instant,
        visitor: Visitor,
    }

    impl PinnedDrop for Answer {
        // Its connection is gone, and with it whoever waited.
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(request) = this.request.take() {
                let route = this.work.route();
                tally(&request, route, this.visitor.verb, Outcome::Cancelled, *this.at);
            }
        }
    }
}

/// What is known of a request whatever becomes of it.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) verb: Verb,
    pub(super) span: RequestSpan,
}

pin_project! {
    #[project = WorkProjection]
    enum Work {
        // The router's answer.
        Routed {
            #[pin]
            response: RouteFuture<Infallible>,
            arrival: Arrival,
            received: Received,
        },
        // The request did not get as far as the router.
        Refused {
            problem: Option<Problem>,
        },
    }
}

impl Answer {
    /// The router's answer.
    pub(super) fn routed(
        response: RouteFuture<Infallible>,
        arrival: Arrival,
        received: Received,
        visitor: Visitor,
        request: InFlight,
    ) -> Self {
        let work = Work::Routed {
            response,
            arrival,
            received,
        };
        Self {
            work,
            timer: None,
            request: Some(request),
            at: arrival.at,
            visitor,
        }
    }

    /// The answer to a request that does not get as far as the router.
    pub(super) fn refused(problem: Problem, verb: Verb, request: InFlight) -> Self {
        let span = RequestSpan::none();
        Self {
            work: Work::Refused {
                problem: Some(problem),
            },
            timer: None,
            request: Some(request),
            at: std::time::Instant::now(),
            visitor: Visitor { verb, span },
        }
    }
}

impl Future for Answer {
    type Output = Result<Response<Outbound>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (work, timer) = (this.work.as_mut(), this.timer);
        let span = &this.visitor.span;
        let response = ready!(span.in_scope(|| poll_work(work, timer, cx)));
        let request = this.request.take().expect(POLLED_TWICE);
        let response = match response {
            Ok(response) => response,
            Err(Unread(problem)) => {
                request.line().leave_body_unread();
                problem.into_response()
            }
        };
        let mut response = part(response, request.line());
        let (status, route) = (response.status(), this.work.route());
        let outcome = Outcome::Answered(status);
        tally(&request, route, this.visitor.verb, outcome, *this.at);
        let span = std::mem::replace(&mut this.visitor.span, RequestSpan::none());
        if !span.is_none() {
            let routes = Handle::try_current().map(|handle| handle.routes().get(route?));
            span.answered(routes.flatten().as_deref(), status);
        }
        let launch = response.extensions_mut().remove::<Launch>();
        Poll::Ready(Ok(
            response.map(|body| Outbound::new(body, launch, request, span))
        ))
    }
}

/// Counts a request, where they are counted.
fn tally(
    request: &InFlight,
    route: Option<RouteId>,
    verb: Verb,
    outcome: Outcome,
    at: std::time::Instant,
) {
    if let Some(requests) = request.line().requests() {
        requests.record(route, verb, outcome, at.elapsed());
    }
}

impl Work {
    /// The route that was found, if any.
    fn route(&self) -> Option<RouteId> {
        match self {
            Self::Routed { arrival, .. } => arrival.route,
            Self::Refused { .. } => None,
        }
    }
}

const POLLED_TWICE: &str = "a future is not polled after it has completed";

/// The answer to a request whose body is left unread.
struct Unread(Problem);

fn poll_work(
    work: Pin<&mut Work>,
    timer: Pin<&mut Option<Sleep>>,
    cx: &mut Context<'_>,
) -> Poll<Result<Response<Body>, Unread>> {
    match work.project() {
        WorkProjection::Refused { problem } => {
            Poll::Ready(Err(Unread(problem.take().expect(POLLED_TWICE))))
        }
        WorkProjection::Routed {
            response,
            arrival,
            received,
        } => {
            if let Poll::Ready(response) = poll_router(response, arrival, cx) {
                return Poll::Ready(Ok(response));
            }
            ready!(poll_deadline(timer, arrival, cx));
            Poll::Ready(if received.is_complete() {
                Ok(respond::deadline_passed().into_response())
            } else {
                Err(Unread(respond::body_missing()))
            })
        }
    }
}

/// Polls the router, and answers 500 when that panics.
fn poll_router(
    response: Pin<&mut RouteFuture<Infallible>>,
    arrival: &mut Arrival,
    cx: &mut Context<'_>,
) -> Poll<Response<Body>> {
    let poll = catch_unwind(AssertUnwindSafe(|| arrival.during(|| response.poll(cx))));
    match poll {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(Ok(response))) if is_unrouted(&response, arrival) => {
            Poll::Ready(respond::unrouted(response))
        }
        Ok(Poll::Ready(Ok(response))) => Poll::Ready(response),
        Err(panic) => Poll::Ready(respond::panicked(panic.as_ref()).into_response()),
    }
}

/// Whether nobody but the router had a say in the response.
fn is_unrouted(response: &Response<Body>, arrival: &Arrival) -> bool {
    let status = response.status();
    (status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED)
        && !arrival.handled
        && response.body().is_end_stream()
        && !response.headers().contains_key(CONTENT_TYPE)
}

/// Completes when the request's deadline has passed.
fn poll_deadline(
    mut timer: Pin<&mut Option<Sleep>>,
    arrival: &Arrival,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let Some(deadline) = arrival.deadline else {
        return Poll::Pending;
    };
    if timer.is_none() {
        timer.set(Some(sleep_until(Instant::from_std(deadline))));
    }
    match timer.as_pin_mut() {
        Some(timer) => timer.poll(cx),
        None => Poll::Pending,
    }
}

/// Says so when the connection takes no further requests. HTTP/2 has frames of its own for that.
fn part(mut response: Response<Body>, line: &Line) -> Response<Body> {
    if line.is_ending() && !line.is_multiplexed() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}
